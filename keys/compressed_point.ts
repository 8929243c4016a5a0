import type { Bytes } from "../internal/bytes.ts";
import type { CurveName } from "./algorithm.ts";
import { CURVES, malformed } from "./spki.ts";

/**
 * The uncompressed form of a compressed point, for formats that have keys in that form. All
 * three primes are 3 modulo 4, so that a root is one power away.
 *
 * Source: SEC 1, 2.3.4.
 *
 * @throws {AttestationError} `malformed-key`.
 */
export function decompressPoint(curve: CurveName, point: Uint8Array): Bytes {
  const { size, p, b } = CURVES[curve];
  if (point.length !== 1 + size || (point[0] !== 2 && point[0] !== 3)) {
    throw malformed(`no compressed point of ${1 + size} octets`);
  }
  let x = 0n;
  for (const octet of point.subarray(1)) x = (x << 8n) | BigInt(octet);
  if (x >= p) throw malformed("a coordinate that is not below the prime of the curve");
  const square = (x * x * x - 3n * x + b) % p;
  let y = power((square + p) % p, (p + 1n) / 4n, p);
  if ((y * y - square) % p !== 0n) throw malformed(`a point that is not on ${curve}`);
  if ((y & 1n) !== BigInt(point[0] & 1)) y = p - y;
  const whole = new Uint8Array(1 + 2 * size);
  whole[0] = 4;
  whole.set(point.subarray(1), 1);
  for (let i = whole.length - 1; i > size; i--, y >>= 8n) whole[i] = Number(y & 255n);
  return whole;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let bit = base, e = exponent; e > 0n; e >>= 1n, bit = bit * bit % modulus) {
    if ((e & 1n) === 1n) result = result * bit % modulus;
  }
  return result;
}
