import type { Bytes } from "../internal/bytes.ts";
import { encodeDer } from "../internal/der.ts";
import { encodeUnsigned } from "./_der.ts";

/**
 * `r‖s`, as WebCrypto takes it, of a DER `SEQUENCE { r INTEGER, s INTEGER }`.
 *
 * Strict: definite minimal lengths, minimal integers, both above zero and of at most
 * `size` octets, nothing before, between or after. That they are below the group's order
 * is WebCrypto's to check.
 *
 * Source: RFC 3279, 2.2.3; X.690, 8.1.3, 8.3 and 10.1.
 *
 * @param size Octets of a coordinate: 32, 48 or 66.
 * @returns `undefined` if it is anything else.
 */
export function derToP1363(der: Uint8Array, size: number): Bytes | undefined {
  let at = 2;
  let length = der[1];
  if (length === 0x81) {
    length = der[at++];
    if (length < 0x80) return undefined;
  } else if (length >= 0x80) return undefined;
  if (der[0] !== 0x30 || length !== der.length - at) return undefined;

  const joined = new Uint8Array(2 * size);
  for (let end = size; end <= 2 * size; end += size) {
    if (at + 2 > der.length || der[at] !== 0x02) return undefined;
    const stop = at + 2 + der[at + 1];
    at += 2;
    // An empty integer fails here too; a longer one than 0x7f octets is longer than `size`.
    if (at === stop || der[at] >= 0x80) return undefined;
    if (der[at] === 0 && (++at === stop || der[at] < 0x80)) return undefined;
    if (stop - at > size) return undefined;
    joined.set(der.subarray(at, stop), end - (stop - at));
    at = stop;
  }
  return at === der.length ? joined : undefined;
}

/** DER of `r‖s`. */
export function p1363ToDer(signature: Uint8Array): Bytes {
  const size = signature.length / 2;
  const r = encodeUnsigned(signature.subarray(0, size));
  return encodeDer(0x30, r, encodeUnsigned(signature.subarray(size)));
}
