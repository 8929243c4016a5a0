import { AttestationError } from "../../errors.ts";
import { type Bytes, equalBytes, utf8 } from "../../internal/bytes.ts";
import { ByteReader, malformedBlock } from "./_byte_reader.ts";
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

/** Most pairs of a block; there are a handful of known ids. */
const MAX_PAIRS = 64;

/**
 * Values of a signing block by their ids.
 *
 * @throws {AttestationError} `malformed-signing-block`, also if an id is there twice: readers
 * would differ in which one counts.
 */
export function readSigningBlock(bytes: Bytes, { start, end }: ZipRange): Map<number, Bytes> {
  const reader = new ByteReader(bytes.subarray(start + 8, end - 24));
  const pairs = new Map<number, Bytes>();
  while (reader.hasMore) {
    const length = reader.length64();
    if (length < 4) throw malformedBlock("a pair has no id");
    const pair = new ByteReader(reader.take(length));
    const id = pair.u32();
    if (pairs.has(id)) throw malformedBlock(`it has the id 0x${id.toString(16)} twice`);
    if (pairs.size === MAX_PAIRS) throw malformedBlock(`more than ${MAX_PAIRS} pairs`);
    pairs.set(id, pair.rest());
  }
  return pairs;
}
