import { AttestationError } from "../../errors.ts";
import { quote } from "../../internal/json.ts";

const MAX_BYTES = 4096;

/**
 * What is wrong with a relative path that is to be the name of a subject, or undefined.
 *
 * Control characters would break the lines of a manifest, and a backslash is a separator for
 * some and an escape for others: neither is written, so that there is one reading only.
 */
export function fileNameFault(path: string): string | undefined {
  if (path === "") return "it is empty";
  if (path.length > MAX_BYTES) return `it is longer than ${MAX_BYTES} characters`;
  if (!path.isWellFormed()) return "it has an unpaired surrogate";
  if (/\p{Cc}/u.test(path)) return "it has a control character";
  if (path.includes("\\")) return "it has a backslash";
  if (path.startsWith("/") || /^[A-Za-z]:/.test(path)) return "it is not relative";
  const parts = path.split("/");
  if (parts.includes("..")) return 'it has ".."';
  if (parts.includes(".") || parts.includes("")) return 'it has "." or an empty part';
  return undefined;
}

/** Refuses a path that cannot be the name of a subject: `unsupported-file-name`. */
export function checkFileName(path: string, action: string): void {
  const fault = fileNameFault(path);
  if (fault !== undefined) {
    throw new AttestationError(
      "unsupported-file-name",
      `Cannot ${action}: the file name ${quote(path)} is refused, ${fault}`,
    );
  }
}

/** Order of two texts by code point, which is that of their UTF-8 bytes; `<` is not. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    const isHigh = x >= 0xd800 && x <= 0xdfff;
    return isHigh === (y >= 0xd800 && y <= 0xdfff) ? x - y : isHigh ? 1 : -1;
  }
  return a.length - b.length;
}
