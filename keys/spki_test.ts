import { encodeDer } from "../internal/der.ts";
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { Reason } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { type Bytes, concat } from "../internal/bytes.ts";
import { decodeHex, encodeHex } from "../internal/hex.ts";
import {
  ED25519_POINT,
  modulus,
  OID,
  P256_SPKI,
  refusalOf,
  ROCA_N,
  RSA_JWK,
  rsaSpki,
  spki,
} from "./_fixtures_test.ts";

import type { CurveName } from "./algorithm.ts";
import { CURVES, encodeSpki, readSpki } from "./spki.ts";

const POINT = P256_SPKI.slice(-130);
const X = POINT.slice(2, 66);
const Y = POINT.slice(66);
const EC = OID.ec + OID.p256;
const E = Uint8Array.of(1, 0, 1);

function refuses(der: Uint8Array, reason: Reason, message: RegExp): void {
  const found = refusalOf(() => readSpki(der));
  ok(found.startsWith(`${reason} | `) && message.test(found), found);
}

function number(value: bigint, size: number): string {
  return value.toString(16).padStart(2 * size, "0");
}

describe("readSpki()", () => {
  it("reads each kind of key and encodeSpki() writes it as it was", () => {
    const keys: Bytes[] = [
      decodeHex(P256_SPKI),
      spki(OID.ed25519, ED25519_POINT),
      rsaSpki(decodeBase64(RSA_JWK.n), E),
    ];
    for (const der of keys) deepEqual(encodeSpki(readSpki(der)), der);
    deepEqual(readSpki(keys[1]), { kind: "Ed25519", point: decodeHex(ED25519_POINT) });
  });

  it("refuses each cut, and trailing bytes", () => {
    const der = decodeHex(P256_SPKI);
    for (let length = 0; length < der.length; length++) {
      refuses(der.subarray(0, length), "malformed-key", /Cannot read key: /);
    }
    refuses(concat(der, Uint8Array.of(0)), "malformed-key", /trailing bytes/);
  });

  it("refuses each flipped bit", () => {
    const der = decodeHex(P256_SPKI);
    for (let bit = 0; bit < der.length * 8; bit++) {
      const changed = der.slice();
      changed[bit >> 3] ^= 1 << (bit & 7);
      const found = refusalOf(() => readSpki(changed));
      ok(/^(malformed-key|unsupported-algorithm) /.test(found), `bit ${bit}: ${found}`);
    }
  });

  it("refuses BER: long, indefinite and constructed forms", () => {
    const body = P256_SPKI.slice(4);
    refuses(decodeHex("308159" + body), "malformed-key", /not minimal/);
    refuses(decodeHex("30820059" + body), "malformed-key", /not minimal/);
    refuses(decodeHex("3080" + body + "0000"), "malformed-key", /indefinite/);
    const constructed = decodeHex(P256_SPKI.replace("034200", "234200"));
    refuses(constructed, "malformed-key", /tag 23 where 03/);
  });

  it("refuses elements that are missing or too many", () => {
    const algorithm = encodeDer(0x30, decodeHex(EC));
    const bits = decodeHex("034200" + POINT);
    refuses(encodeDer(0x30, algorithm), "malformed-key", /missing/);
    refuses(encodeDer(0x30, bits), "malformed-key", /tag 03 where 30/);
    refuses(encodeDer(0x30, algorithm, bits, decodeHex("0500")), "malformed-key", /not known here/);
    refuses(spki(EC + "0500", POINT), "malformed-key", /not known here/);
    refuses(spki("", POINT), "malformed-key", /missing/);
  });

  it("refuses a bit string with unused bits", () => {
    refuses(decodeHex(P256_SPKI.replace("034200", "034201")), "malformed-key", /unused bits/);
  });

  it("refuses explicit EC parameters and parameters that name no curve", () => {
    refuses(spki(OID.ec + "3003020101", POINT), "malformed-key", /explicit EC parameters/);
    refuses(spki(OID.ec + "0500", POINT), "malformed-key", /tag 05 where 06/);
    refuses(spki(OID.ec, POINT), "malformed-key", /missing/);
  });

  it("refuses compressed and hybrid points, infinity and wrong sizes", () => {
    refuses(spki(EC, "02" + X), "malformed-key", /a compressed point/);
    refuses(spki(EC, "03" + X), "malformed-key", /a compressed point/);
    refuses(spki(EC, "06" + X + Y), "malformed-key", /a hybrid point/);
    refuses(spki(EC, "07" + X + Y), "malformed-key", /a hybrid point/);
    refuses(spki(EC, "00"), "malformed-key", /the point at infinity/);
    refuses(spki(EC, "00" + X + Y), "malformed-key", /a point of 65 octets/);
    refuses(spki(EC, "04"), "malformed-key", /a point of 1 octets/);
    refuses(spki(EC, ""), "malformed-key", /a point of 0 octets/);
    refuses(spki(EC, POINT + "00"), "malformed-key", /a point of 66 octets/);
    refuses(spki(EC, "05" + X + Y), "malformed-key", /wanted an uncompressed point/);
    refuses(spki(OID.ec + OID.p384, POINT), "malformed-key", /wanted an uncompressed point of 97/);
  });

  it("refuses points that are not on the curve", () => {
    refuses(spki(EC, "04" + Y + X), "malformed-key", /not on P-256/);
    refuses(spki(EC, "04" + "00".repeat(64)), "malformed-key", /not on P-256/);
    const off = (X.endsWith("0") ? X.slice(0, -1) + "1" : X.slice(0, -1) + "0") + Y;
    refuses(spki(EC, "04" + off), "malformed-key", /not on P-256/);
  });

  it("refuses coordinates that are not reduced", () => {
    // x = 0 is on the curve with y^2 = b; so are x = p and y + p, if they were taken.
    const { p, b } = CURVES["P-256"];
    let root = 1n;
    let base = b;
    for (let exponent = (p + 1n) / 4n; exponent > 0n; exponent >>= 1n) {
      if (exponent & 1n) root = root * base % p;
      base = base * base % p;
    }
    const y = number(root, 32);
    ok(readSpki(spki(EC, "04" + number(0n, 32) + y)));
    refuses(spki(EC, "04" + number(p, 32) + y), "malformed-key", /not below the prime/);
    // P-521 has room above its prime in every coordinate.
    const wide = CURVES["P-521"];
    const oid = OID.ec + "06052b81040023";
    const max = number(wide.p, 66);
    refuses(spki(oid, "04" + "00".repeat(66) + max), "malformed-key", /not below the prime/);
  });

  it("has the curves of WebCrypto", async () => {
    for (const curve of Object.keys(CURVES) as CurveName[]) {
      const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: curve }, true, [
        "sign",
      ]);
      const der = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
      const key = readSpki(der);
      ok(key.kind === "EC" && key.curve === curve);
      deepEqual(encodeSpki(key), der);
    }
  });

  it("refuses RSA keys out of bounds", () => {
    ok(readSpki(rsaSpki(modulus(2048), E)));
    ok(readSpki(rsaSpki(modulus(8192), E)));
    refuses(rsaSpki(modulus(2047), E), "weak-key", /2047 bits/);
    refuses(rsaSpki(modulus(1024), E), "weak-key", /1024 bits/);
    refuses(rsaSpki(Uint8Array.of(0), E), "weak-key", /modulus/);
    refuses(rsaSpki(modulus(8193), E), "limit-exceeded", /8193 bits/);
    refuses(rsaSpki(modulus(32768), E), "limit-exceeded", /32768 bits/);
    const even = modulus(2048);
    even[even.length - 1] &= 0xfe;
    refuses(rsaSpki(even, E), "malformed-key", /an even RSA modulus/);
  });

  it("refuses RSA exponents that make forgery or delay easy", () => {
    const n = modulus(2048);
    ok(readSpki(rsaSpki(n, Uint8Array.of(3))));
    ok(readSpki(rsaSpki(n, Uint8Array.of(255, 255, 255, 255))));
    refuses(rsaSpki(n, Uint8Array.of(0)), "weak-key", /below 3/);
    refuses(rsaSpki(n, Uint8Array.of(1)), "weak-key", /below 3/);
    refuses(rsaSpki(n, Uint8Array.of(2)), "malformed-key", /even RSA exponent/);
    refuses(rsaSpki(n, Uint8Array.of(1, 0, 0)), "malformed-key", /even RSA exponent/);
    refuses(rsaSpki(n, Uint8Array.of(1, 0, 0, 0, 1)), "limit-exceeded", /33 bits/);
  });

  it("refuses RSA keys of the generator of CVE-2017-15361", () => {
    refuses(rsaSpki(decodeBase64(ROCA_N), E), "weak-key", /ROCA/);
  });

  it("takes no key for one of that generator that differs modulo a single prime", () => {
    const primes = Array.from({ length: 350 }, (_, i) => 2 * i + 3)
      .filter((n) => [3, 5, 7, 11, 13, 17, 19, 23].every((p) => n === p || n % p !== 0));
    equal(primes[primes.length - 1], 701);
    const product = primes.reduce((all, prime) => all * BigInt(prime), 1n);
    const like = 65537n + 2n ** (2047n - BigInt(product.toString(2).length)) * 2n * product;
    const rsa = (n: bigint) => rsaSpki(decodeHex(n.toString(16)), E);
    equal(like.toString(2).length, 2048);
    refuses(rsa(like), "weak-key", /ROCA/);
    // Modulo 701 only 0 is no power of 65537: all other residues are.
    const others = product / 701n;
    let other = like;
    while (other % 701n !== 0n) other += 2n * others;
    ok(readSpki(rsa(other)));
  });

  it("refuses RSA keys that are not as PKCS #1 writes them", () => {
    const algorithm = OID.rsa + "0500";
    const n = encodeHex(encodeDer(2, Uint8Array.of(0), modulus(2048).map((octet) => octet | 0x80)));
    const sequence = (hex: string) => encodeHex(encodeDer(0x30, decodeHex(hex)));
    ok(readSpki(spki(algorithm, sequence(n + "0203010001"))));
    refuses(spki(OID.rsa, sequence(n + "0203010001")), "malformed-key", /missing/);
    refuses(spki(OID.rsa + "3000", sequence(n + "0203010001")), "malformed-key", /where 05 is due/);
    refuses(spki(OID.rsa + "050100", sequence(n + "0203010001")), "malformed-key", /not NULL/);
    const more = spki(algorithm + "0500", sequence(n + "0203010001"));
    refuses(more, "malformed-key", /not known here/);
    refuses(spki(algorithm, sequence(n)), "malformed-key", /missing/);
    refuses(spki(algorithm, sequence(n + "0203010001020101")), "malformed-key", /not known here/);
    refuses(spki(algorithm, sequence(n + "020400010001")), "malformed-key", /not minimal/);
    refuses(spki(algorithm, sequence(n + "0201ff")), "malformed-key", /negative/);
    refuses(spki(algorithm, sequence(n + "0203010001") + "00"), "malformed-key", /trailing/);
  });

  // The eight points of small order in all their encodings, as RFC 8032 decodes and as
  // lenient readers do (C2SP/CCTV, ed25519).
  const SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  ];
  const OTHER_ENCODINGS: [string, Reason][] = [
    ["0100000000000000000000000000000000000000000000000000000000000080", "weak-key"],
    ["ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "weak-key"],
    ["edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "malformed-key"],
    ["edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "malformed-key"],
    ["eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "malformed-key"],
    ["eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "malformed-key"],
  ];

  it("refuses Ed25519 points of small order in every encoding", () => {
    for (const point of SMALL_ORDER) refuses(spki(OID.ed25519, point), "weak-key", /small order/);
    for (const [point, reason] of OTHER_ENCODINGS) {
      refuses(spki(OID.ed25519, point), reason, /Ed25519/);
    }
  });

  it("refuses Ed25519 points that are not canonical, not on the curve or of another length", () => {
    const notCanonical = "f0" + "ff".repeat(30) + "7f";
    refuses(spki(OID.ed25519, notCanonical), "malformed-key", /not canonical/);
    refuses(spki(OID.ed25519, "02" + "00".repeat(31)), "malformed-key", /not on the curve/);
    refuses(spki(OID.ed25519, ED25519_POINT.slice(2)), "malformed-key", /31 octets/);
    refuses(spki(OID.ed25519, ED25519_POINT + "00"), "malformed-key", /33 octets/);
    refuses(spki(OID.ed25519 + "0500", ED25519_POINT), "malformed-key", /not known here/);
  });

  it("refuses other algorithms and curves by name", () => {
    const refused: [string, RegExp][] = [
      [OID.pss + "3000", /id-RSASSA-PSS/],
      [OID.dsa + "3000", /DSA/],
      [OID.x25519, /X25519/],
      [OID.ed448, /Ed448/],
      [OID.ec + OID.secp256k1, /secp256k1/],
      ["06092a864886f70d010105" + "0500", /1\.2\.840\.113549\.1\.1\.5 is not supported/],
    ];
    for (const [algorithm, message] of refused) {
      refuses(spki(algorithm, POINT), "unsupported-algorithm", message);
    }
  });

  it("bounds what it reads", () => {
    refuses(new Uint8Array(1 << 20), "limit-exceeded", /1048576 bytes/);
    refuses(new Uint8Array(16_385), "limit-exceeded", /16385 bytes, at most 16384 are accepted/);
    refuses(new Uint8Array(16_384), "malformed-key", /Cannot read key: /);
  });

  it("keeps its own copy of the bytes", () => {
    const der = spki(OID.ed25519, ED25519_POINT);
    const key = readSpki(der);
    der.fill(0);
    equal(key.kind === "Ed25519" && encodeHex(key.point), ED25519_POINT);
  });
});
