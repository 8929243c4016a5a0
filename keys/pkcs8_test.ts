import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { Bytes } from "../internal/bytes.ts";
import { encodeDer, Tag } from "../internal/der.ts";
import { decodeHex } from "../internal/hex.ts";
import { decodeOnePem } from "../internal/pem.ts";
import { encodeBitString, encodeOid, encodeUnsigned } from "./_der.ts";
import { OID, P256_SPKI, refusalOf, RSA_JWK } from "./_fixtures_test.ts";
import { readJwk } from "./jwk.ts";
import { pkcs8OfJwk, readPkcs8 } from "./pkcs8.ts";
import { generateSigner } from "./signer.ts";
import { CURVES, readSpki, toBigInt } from "./spki.ts";

const ZERO = decodeHex("020100");
const ONE = decodeHex("020101");
const NULL = encodeDer(Tag.null);
const RSA = encodeDer(0x30, decodeHex(OID.rsa), NULL);
const POINT = decodeHex(P256_SPKI).slice(-65);

function octets(value: bigint): Bytes {
  const hex = value.toString(16);
  return decodeHex(hex.padStart(hex.length + hex.length % 2, "0"));
}

function ecKey(curve: keyof typeof CURVES, d: Bytes, ...rest: Bytes[]): Bytes {
  const algorithm = encodeDer(0x30, decodeHex(OID.ec), encodeOid(CURVES[curve].oid));
  const inner = encodeDer(0x30, ONE, encodeDer(0x04, d), ...rest);
  return encodeDer(0x30, ZERO, algorithm, encodeDer(0x04, inner));
}

/** PKCS#8 of an RSA key of the numbers n, e, d, p, q, dp, dq, qi. */
function rsaKey(numbers: readonly bigint[]): Bytes {
  const inner = encodeDer(0x30, ZERO, ...numbers.map((number) => encodeUnsigned(octets(number))));
  return encodeDer(0x30, ZERO, RSA, encodeDer(0x04, inner));
}

describe("readPkcs8()", () => {
  it("bounds what it reads", () => {
    const found = refusalOf(() => readPkcs8(new Uint8Array(16_385)));
    ok(found.startsWith("limit-exceeded "), found);
  });

  it("takes a public half that is stated twice and alike", () => {
    const stated = encodeDer(0xa1, encodeBitString(POINT));
    const inner = encodeDer(0x30, ONE, encodeDer(0x04, new Uint8Array(32).fill(1)), stated);
    const algorithm = encodeDer(0x30, decodeHex(OID.ec), decodeHex(OID.p256));
    const outer = encodeDer(0x81, Uint8Array.of(0), POINT);
    const key = readPkcs8(encodeDer(0x30, ONE, algorithm, encodeDer(0x04, inner), outer));
    deepEqual(key.stated, readSpki(decodeHex(P256_SPKI)));
  });

  it("refuses an EC key that is not below the order of the group: SEC 1, 3.2.1", () => {
    for (const curve of ["P-256", "P-384", "P-521"] as const) {
      const { n, size } = CURVES[curve];
      equal(toBigInt(octets(n)), n);
      ok(octets(n).length === size);
      readPkcs8(ecKey(curve, octets(n - 1n)));
      const found = refusalOf(() => readPkcs8(ecKey(curve, octets(n))));
      ok(/^malformed-key .*out of range/.test(found), `${curve}: ${found}`);
    }
  });

  it("refuses what stands behind an EC key: RFC 5915, 3", () => {
    const d = new Uint8Array(32).fill(1);
    const found = refusalOf(() => readPkcs8(ecKey("P-256", d, NULL)));
    ok(found.startsWith("malformed-key "), found);
  });

  it("refuses an RSA key of which one number does not belong to the others: RFC 8017, 3.2", async () => {
    const { privateKey, privateJwk } = await generateSigner("RS256", { modulusLength: 2048 });
    const { secrets, material } = readJwk(privateJwk ?? {}, "private");
    ok(material.kind === "RSA");
    const [d, p, q, dp, dq, qi] = ["d", "p", "q", "dp", "dq", "qi"]
      .map((name) => toBigInt(secrets.get(name) ?? new Uint8Array(0)));
    const [n, e] = [material.modulus, material.exponent].map(toBigInt);
    const good = [n, e, d, p, q, dp, dq, qi];
    deepEqual(rsaKey(good), decodeOnePem(privateKey, "PRIVATE KEY").der);
    readPkcs8(rsaKey(good));
    // Right modulo one of the primes less one, wrong modulo the other.
    const onlyQ = d % (q - 1n) + q - 1n;
    const onlyP = d % (p - 1n) + p - 1n;
    const bad: Record<string, bigint[]> = {
      "another modulus": [n ^ (1n << 900n), e, d, p, q, dp, dq, qi],
      "d, modulo p - 1": [n, e, onlyQ, p, q, onlyQ % (p - 1n), dq, qi],
      "d, modulo q - 1": [n, e, onlyP, p, q, dp, onlyP % (q - 1n), qi],
      "dp": [n, e, d, p, q, dp ^ 1n, dq, qi],
      "dq": [n, e, d, p, q, dp, dq ^ 1n, qi],
      "qi": [n, e, d, p, q, dp, dq, qi ^ 1n],
      "primes in the other order": [n, e, d, q, p, dq, dp, qi],
      "a prime of one": [n, e, d, 1n, q, dp, dq, qi],
    };
    for (const [what, numbers] of Object.entries(bad)) {
      const found = refusalOf(() => readPkcs8(rsaKey(numbers)));
      ok(/^malformed-key .*do not belong together/.test(found), `${what}: ${found}`);
    }
    const outside: Record<string, bigint[]> = {
      "no d": [n, e, 0n, p, q, dp, dq, qi],
      "the modulus as a prime": [n, e, d, 1n, n, dp, dq, qi],
      "no qi": [n, e, d, p, q, dp, dq, 0n],
    };
    for (const [what, numbers] of Object.entries(outside)) {
      const found = refusalOf(() => readPkcs8(rsaKey(numbers)));
      ok(/^malformed-key .*out of range/.test(found), `${what}: ${found}`);
    }
  });
});

describe("pkcs8OfJwk()", () => {
  it("refuses numbers of RSA that are empty or have leading zeros: RFC 7518, 2 and 6.3.2", () => {
    const rest = { d: "AQ", p: "AQ", q: "AQ", dp: "AQ", dq: "AQ", qi: "AQ" };
    for (const name of Object.keys(rest)) {
      for (const text of ["", "AA", "AAE"]) {
        const jwk = readJwk({ ...RSA_JWK, ...rest, [name]: text }, "private");
        const found = refusalOf(() => pkcs8OfJwk(jwk));
        ok(/^malformed-key .*empty or has leading zeros/.test(found), `${name} ${text}: ${found}`);
      }
    }
    const found = refusalOf(() => pkcs8OfJwk(readJwk({ ...RSA_JWK, ...rest }, "private")));
    ok(/^malformed-key .*do not belong together/.test(found), found);
  });
});
