import type { VerifyOptions } from "../verify/options.ts";
import { access, type Runtime } from "./runtime.ts";

/** First bytes of files that may carry their own signature: PE images, ZIP archives, RPM packages. */
const MARKS = [[0x4d, 0x5a], [0x50, 0x4b, 3, 4], [0xed, 0xab, 0xee, 0xdb]];

/** Bytes of a file that carries its signature: it is read as a whole. */
const MAX_CARRIER_BYTES = 1 << 30;

/**
 * Bytes that may be read of a file of attestations: `usual`, or more where it carries its own
 * signature. The size decides before anything is opened; what is named as JSON carries none.
 */
export async function attestationLimit(
  runtime: Runtime,
  path: string,
  usual: number,
): Promise<number> {
  if (path === "-" || path.endsWith(".json")) return usual;
  const { size = 0 } = await access("read", path, () => runtime.stat(path)) ?? {};
  return size > usual && size <= MAX_CARRIER_BYTES && await mayCarrySignature(runtime, path)
    ? MAX_CARRIER_BYTES
    : usual;
}

/** Tells by its first bytes whether a file may carry its own signature. */
export async function mayCarrySignature(runtime: Runtime, path: string): Promise<boolean> {
  if (path === "-" || (await access("read", path, () => runtime.stat(path)))?.kind !== "file") {
    return false;
  }
  const stream = await access("read", path, () => runtime.openRead(path));
  const reader = stream.getReader();
  try {
    const { value } = await reader.read();
    return value !== undefined &&
      MARKS.some((mark) => mark.every((byte, i) => value[i] === byte));
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Tells whether somebody is trusted who signs in the files themselves: no Sigstore identity does. */
export function believesCarried({ trust, policy }: VerifyOptions): boolean {
  return policy !== undefined || trust?.certificates !== undefined || trust?.efi !== undefined ||
    trust?.openpgp !== undefined ||
    (trust?.keys ?? []).length > 0 || (trust?.keySets ?? []).length > 0;
}
