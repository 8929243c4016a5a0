import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { describe, it } from "node:test";
import { concat } from "../internal/bytes.ts";
import { decodeHex } from "../internal/hex.ts";
import { refusalOf } from "./_fixtures_test.ts";
import { decompressPoint } from "./compressed_point.ts";
import { checkPoint, CURVES } from "./spki.ts";

/** Base points, SP 800-186, 3.2.1: x and y. */
const BASE = {
  "P-256": [
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
  ],
  "P-384": [
    "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
    "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
  ],
  "P-521": [
    "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
    "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
  ],
} as const;

const CURVE_NAMES = ["P-256", "P-384", "P-521"] as const;

/** Big-endian, in so many octets. */
function octets(value: bigint, size: number) {
  return decodeHex(value.toString(16).padStart(2 * size, "0"));
}

function compressed(first: number, x: bigint, size: number) {
  return concat(Uint8Array.of(first), octets(x, size));
}

describe("decompressPoint()", () => {
  for (const curve of CURVE_NAMES) {
    const { size, p } = CURVES[curve];
    const [x, y] = BASE[curve].map((hex) => BigInt(`0x${hex}`));
    const even = y % 2n === 0n ? y : p - y;

    it(`gives both points of an x on ${curve}, by the parity of y`, () => {
      for (const [first, wanted] of [[2, even], [3, p - even]] as const) {
        const whole = concat(Uint8Array.of(4), octets(x, size), octets(wanted, size));
        deepEqual(decompressPoint(curve, compressed(first, x, size)), whole);
        checkPoint(curve, whole);
      }
    });

    it(`refuses what is no compressed point of ${curve}`, () => {
      const whole = concat(Uint8Array.of(4), octets(x, size), octets(y, size));
      const bad: Record<string, Uint8Array> = {
        "nothing": new Uint8Array(0),
        "the point at infinity": Uint8Array.of(0),
        "a cut": compressed(2, x, size).subarray(0, size),
        "an octet more": concat(compressed(2, x, size), Uint8Array.of(0)),
        "a whole point": whole,
      };
      for (const first of [0, 1, 4, 5, 6, 7]) bad[`0${first}`] = compressed(first, x, size);
      for (const [what, point] of Object.entries(bad)) {
        const found = refusalOf(() => decompressPoint(curve, point));
        ok(/^malformed-key .*no compressed point of/.test(found), `${what}: ${found}`);
      }
    });

    it(`refuses a second text of a point of ${curve}: an x that is not below the prime`, () => {
      // x = 0 is on all three curves, and so would x = p be.
      deepEqual(decompressPoint(curve, compressed(2, 0n, size)).length, 1 + 2 * size);
      const found = refusalOf(() => decompressPoint(curve, compressed(2, p, size)));
      ok(/^malformed-key .*not below the prime/.test(found), found);
    });

    it(`refuses an x that no point of ${curve} has`, () => {
      const none = curve === "P-521" ? 3n : 1n;
      for (const first of [2, 3]) {
        const found = refusalOf(() => decompressPoint(curve, compressed(first, none, size)));
        ok(/^malformed-key .*not on P-/.test(found), found);
      }
    });
  }
});
