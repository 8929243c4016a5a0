import { type Bytes, concat } from "../internal/bytes.ts";
import { encodeDer, Tag } from "../internal/der.ts";

/** OBJECT IDENTIFIER of dotted text; arcs below 2^31, the second below 40. */
export function encodeOid(oid: string): Bytes {
  const [root, second, ...rest] = oid.split(".").map(Number);
  const octets: number[] = [];
  for (let arc of [40 * root + second, ...rest]) {
    const digits = [arc & 0x7f];
    while ((arc >>>= 7) > 0) digits.unshift(0x80 | (arc & 0x7f));
    octets.push(...digits);
  }
  return encodeDer(Tag.oid, Uint8Array.from(octets));
}

/** INTEGER of a big-endian number >= 0. */
export function encodeUnsigned(number: Uint8Array): Bytes {
  return encodeDer(Tag.integer, minimalSigned(number));
}

/** BIT STRING without unused bits. */
export function encodeBitString(bytes: Uint8Array): Bytes {
  return encodeDer(Tag.bitString, Uint8Array.of(0), bytes);
}

/** Big-endian two's complement of a number >= 0 in as few octets as it takes, at least one. */
export function minimalSigned(number: Uint8Array): Bytes {
  let start = 0;
  while (start < number.length && number[start] === 0) start++;
  const digits = number.subarray(start);
  return digits.length === 0 || digits[0] >= 0x80
    ? concat(Uint8Array.of(0), digits)
    : concat(digits);
}
