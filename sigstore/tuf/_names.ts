import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { sha256 } from "../../internal/sha256.ts";

const MAX_TARGET_NAME = 256;

/** Part of a name in the cache: what others chose never gets into it as it is. */
export function nameDigest(name: string): string {
  return encodeHex(sha256(utf8(name)));
}

/** An address as one of a folder: with a slash at its end. */
export function folder(url: string): string {
  if (typeof url !== "string" || !URL.canParse(url) || /[?#]/.test(url)) {
    throw new TypeError("The address of a TUF repository must be a URL without query and fragment");
  }
  return url.endsWith("/") ? url : `${url}/`;
}

/** Throws a TypeError for a name that could lead out of the folder of targets. */
export function checkTargetName(name: string): void {
  const isPath = typeof name === "string" && name.length <= MAX_TARGET_NAME &&
    name.isWellFormed() && !/[\\\p{Cc}]/u.test(name) &&
    name.split("/").every((part) => part !== "" && part !== "." && part !== "..");
  if (!isPath) throw new TypeError("The name of a target must be a relative path");
}
