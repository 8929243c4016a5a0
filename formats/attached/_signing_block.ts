import { AttestationError } from "../../errors.ts";
import { type Bytes, equalBytes, utf8 } from "../../internal/bytes.ts";
import type { ZipRange } from "./zip.ts";

const MAGIC = utf8("APK Sig Block 42");
/** Its size twice, and its mark. */
const MIN_BYTES = 32;
/** Far above what certificates need; Android reads it into memory as well. */
const MAX_BYTES = 16 << 20;

/**
 * The APK signing block that ends where the central directory begins, or undefined if its mark
 * is not there.
 *
 * Source: Android, "APK Signature Scheme v2", "APK Signing Block format".
 *
 * @throws {AttestationError} `malformed-signing-block`, `limit-exceeded`.
 */
export function findSigningBlock(bytes: Bytes, directoryStart: number): ZipRange | undefined {
  if (directoryStart < MIN_BYTES) return undefined;
  if (!equalBytes(bytes.subarray(directoryStart - MAGIC.length, directoryStart), MAGIC)) {
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, directoryStart);
  const size = view.getBigUint64(directoryStart - 24, true);
  if (size > MAX_BYTES) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read APK signing block: ${size} bytes, at most ${MAX_BYTES} are accepted`,
    );
  }
  const start = directoryStart - Number(size) - 8;
  if (start < 0 || size < MIN_BYTES - 8) {
    throw malformedBlock(`its size of ${size} bytes leads out of the file or into itself`);
  }
  if (view.getBigUint64(start, true) !== size) {
    throw malformedBlock("its size at its beginning is not that at its end");
  }
  return { start, end: directoryStart };
}

/** Why a signing block is refused. */
export function malformedBlock(what: string): AttestationError {
  return new AttestationError(
    "malformed-signing-block",
    `Cannot read APK signing block: ${what}`,
  );
}
