import { AttestationError } from "../errors.ts";
import type { Bytes } from "./bytes.ts";

/**
 * Decodes a block of Snappy, strictly: the stated length is that of the result, and nothing is
 * left over.
 *
 * Source: google/snappy, format_description.txt.
 *
 * @param maxBytes Bytes of the result; the stated length is looked at before memory is taken.
 * @throws {AttestationError} `malformed-response`, `limit-exceeded`.
 */
export function decodeSnappy(block: Uint8Array, maxBytes: number): Bytes {
  const { length, next } = readLength(block);
  if (length > maxBytes) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot decompress: ${length} bytes, at most ${maxBytes} are accepted`,
    );
  }
  // Of three bytes at most 64 are made: a length that cannot be reached takes no memory.
  if (length > 64 * block.length) throw malformed("its length is more than it can hold");
  const result = new Uint8Array(length);
  let at = next;
  let filled = 0;
  const take = (count: number): number => {
    if (at + count > block.length) throw malformed("it is cut short");
    let value = 0;
    for (let i = 0; i < count; i++) value += block[at + i] * 2 ** (8 * i);
    at += count;
    return value;
  };
  while (at < block.length) {
    const tag = take(1);
    if ((tag & 3) === 0) {
      const short = tag >> 2;
      const count = (short < 60 ? short : take(short - 59)) + 1;
      if (count > block.length - at) throw malformed("a literal is cut short");
      if (count > length - filled) throw malformed("it is longer than it says");
      result.set(block.subarray(at, at + count), filled);
      at += count;
      filled += count;
      continue;
    }
    const isShort = (tag & 3) === 1;
    const count = isShort ? (tag >> 2 & 7) + 4 : (tag >> 2) + 1;
    const offset = isShort ? (tag >> 5) * 256 + take(1) : take((tag & 3) === 2 ? 2 : 4);
    if (offset === 0 || offset > filled) throw malformed("a copy reaches before its start");
    if (count > length - filled) throw malformed("it is longer than it says");
    // Byte by byte: a copy may overlap what it makes.
    for (let i = 0; i < count; i++, filled++) result[filled] = result[filled - offset];
  }
  if (filled !== length) throw malformed("it is shorter than it says");
  return result;
}

/** The length before a block: a varint of at most 32 bits, in its shortest form. */
function readLength(block: Uint8Array): { length: number; next: number } {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    if (i >= block.length) throw malformed("it is cut short");
    length += (block[i] & 0x7f) * 2 ** (7 * i);
    if (block[i] >= 0x80) continue;
    if (length > 0xffff_ffff || (i > 0 && block[i] === 0)) break;
    return { length, next: i + 1 };
  }
  throw malformed("its length is no number of 32 bits");
}

function malformed(why: string): AttestationError {
  return new AttestationError("malformed-response", `Cannot decompress: ${why}`);
}
