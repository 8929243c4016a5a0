import { encodeDer } from "../internal/der.ts";
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeBase64, encodeBase64, encodeBase64Url } from "../internal/base64.ts";
import { type Bytes, concat, utf8 } from "../internal/bytes.ts";
import { decodeHex } from "../internal/hex.ts";
import { decodeOnePem, encodePem } from "../internal/pem.ts";
import { encodeBitString, encodeUnsigned } from "./_der.ts";
import {
  ED25519_POINT,
  ED25519_SEED,
  modulus,
  OID,
  P256_D,
  P256_JWK,
  P256_SPKI,
  refusal,
  withSubtle,
} from "./_fixtures_test.ts";
import type { KeyAlgorithm } from "./algorithm.ts";
import {
  generateSigner,
  type GenerateSignerOptions,
  importSigner,
  type ImportSignerOptions,
} from "./signer.ts";
import { importTrustedKey } from "./trusted_key.ts";

const DATA = utf8("data");
const PAE = utf8("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
const POINT = decodeHex(P256_SPKI).slice(-65);
const D = decodeBase64(P256_D);
const EC = encodeDer(0x30, decodeHex(OID.ec), decodeHex(OID.p256));
const ED = encodeDer(0x30, decodeHex(OID.ed25519));
const SEED = encodeDer(0x04, decodeHex(ED25519_SEED));
const ZERO = decodeHex("020100");
const ONE = decodeHex("020101");

type Source = Parameters<typeof importSigner>[0];

async function refuses(
  source: Source,
  expected: RegExp,
  options?: ImportSignerOptions,
): Promise<void> {
  const found = await refusal(() => importSigner(source, options));
  ok(expected.test(found), `${found} instead of ${expected}`);
}

/** PKCS#8 of these parts. */
function pkcs8(version: Bytes, algorithm: Bytes, inner: Bytes, ...rest: Bytes[]): Bytes {
  return encodeDer(0x30, version, algorithm, encodeDer(0x04, inner), ...rest);
}

/** ECPrivateKey of these parts. */
function ecKey(d: Uint8Array, ...rest: Bytes[]): Bytes {
  return encodeDer(0x30, ONE, encodeDer(0x04, d), ...rest);
}

function publicPart(point: Uint8Array): Bytes {
  return encodeDer(0xa1, encodeBitString(point));
}

const ALGORITHMS: KeyAlgorithm[] = [
  "Ed25519",
  "ES256",
  "ES384",
  "ES512",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ECDSA-P256-SHA384",
  "ECDSA-P256-SHA512",
  "ECDSA-P384-SHA256",
  "ECDSA-P384-SHA512",
  "ECDSA-P521-SHA256",
  "ECDSA-P521-SHA384",
];

describe("generateSigner()", () => {
  for (const alg of ALGORITHMS) {
    it(`makes a key for ${alg} that signs, verifies and is read again`, async () => {
      const small = /^[RP]S/.test(alg) ? { modulusLength: 2048 } : {};
      const made = await generateSigner(alg, { name: "ci", keyid: "k1", ...small });
      equal(made.signer.alg, alg);
      equal(made.trustedKey.alg, alg);
      deepEqual([made.signer.keyid, made.trustedKey.keyid, made.trustedKey.name], [
        "k1",
        "k1",
        "ci",
      ]);
      deepEqual(await made.signer.publicKey(), made.trustedKey.spki);
      const again = await importSigner(made.privateKey, { alg });
      const trusted = await importTrustedKey(made.publicKey, { alg });
      equal(trusted.fingerprint, made.trustedKey.fingerprint);
      const signature = await again.sign(DATA);
      ok(await trusted.verify(DATA, signature));
      equal(await trusted.verify(PAE, signature), false);
      equal(await (await generateSigner(alg, small)).trustedKey.verify(DATA, signature), false);
    });
  }

  it("makes RSA keys of 3072 bits, or as many as asked", async () => {
    equal((await (await generateSigner("RS256")).signer.sign(DATA)).length, 384);
    equal(
      (await (await generateSigner("PS256", { modulusLength: 2048 })).signer.sign(DATA)).length,
      256,
    );
  });

  it("refuses wrong arguments", async () => {
    const of = (alg: string, options: object) =>
      refusal(() => generateSigner(alg as KeyAlgorithm, options as GenerateSignerOptions));
    for (const bits of [1024, 2047, 2049, 16384, NaN, Infinity, "2048"]) {
      ok((await of("RS256", { modulusLength: bits })).startsWith("RangeError"), `${bits}`);
    }
    ok((await of("ES256", { modulusLength: 2048 })).startsWith("TypeError"));
    ok((await of("ES256", { keyId: "k" })).startsWith("TypeError"));
    ok((await of("ES256", { ecdsaEncoding: "any" })).startsWith("TypeError"));
    ok((await of("ES256", { name: "" })).startsWith("TypeError"));
    ok((await of("HS256", {})).startsWith("unsupported-algorithm"));
    const none = {
      generateKey: () => Promise.reject(new DOMException("no", "NotSupportedError")),
    };
    const lacking = await withSubtle(none, () => of("ES256", {}));
    ok(
      /^unsupported-algorithm .*does not make an EC key on P-256 for ES256/.test(lacking),
      lacking,
    );
    // What cannot be made is told before anything is made.
    for (const [bits, expected] of [[2048, "unsup"], [8192, "unsup"], [8200, "RangeE"]] as const) {
      const found = await withSubtle(none, () => of("RS256", { modulusLength: bits }));
      ok(found.startsWith(expected), `${bits}: ${found}`);
    }
    for (const passphrase of ["", new Uint8Array()]) {
      const found = await withSubtle(none, () => of("ES256", { passphrase }));
      ok(found.startsWith("missing-passphrase "), found);
    }
  });
});

describe("importSigner()", () => {
  it("signs as RFC 8032 does", async () => {
    const signer = await importSigner(pkcs8(ZERO, ED, SEED));
    equal(
      encodeBase64(await signer.sign(PAE)),
      "4DHX3Zn4qpBKvEj7maE8O9u9bjXEnPLLnyXVUJ2PXJR8DSLcL3QDpFvfJOj3pB/SPHsl6Jg4boxsMb6KvuYABw==",
    );
    deepEqual((await signer.publicKey()).slice(-32), decodeHex(ED25519_POINT));
  });

  it("reads one key from every form alike", async () => {
    const curve = encodeDer(0xa0, decodeHex(OID.p256));
    const full = pkcs8(ZERO, EC, ecKey(D, publicPart(POINT)));
    const sources: Source[] = [
      full,
      encodePem("PRIVATE KEY", full),
      pkcs8(ZERO, EC, ecKey(D)),
      pkcs8(ZERO, EC, ecKey(D, curve, publicPart(POINT))),
      pkcs8(ONE, EC, ecKey(D), encodeDer(0x81, Uint8Array.of(0), POINT)),
      pkcs8(ZERO, EC, ecKey(D, publicPart(POINT)), encodeDer(0xa0)),
      { ...P256_JWK, d: P256_D },
      JSON.stringify({ ...P256_JWK, d: P256_D, use: "sig", key_ops: ["sign"], alg: "ES256" }),
      await crypto.subtle.importKey("pkcs8", full, { name: "ECDSA", namedCurve: "P-256" }, true, [
        "sign",
      ]),
    ];
    const trusted = await importTrustedKey(P256_JWK);
    for (const source of sources) {
      const signer = await importSigner(source);
      equal(signer.alg, "ES256");
      deepEqual(await signer.publicKey(), decodeHex(P256_SPKI));
      ok(await trusted.verify(DATA, await signer.sign(DATA)));
    }
  });

  it("reads Ed25519 of version 1, with and without its public half", async () => {
    const outer = encodeDer(0x81, Uint8Array.of(0), decodeHex(ED25519_POINT));
    for (const rest of [[], [outer], [encodeDer(0xa0), outer]]) {
      const signer = await importSigner(pkcs8(ONE, ED, SEED, ...rest));
      deepEqual((await signer.publicKey()).slice(-32), decodeHex(ED25519_POINT));
    }
  });

  it("reads a private RSA JWK", async () => {
    const { privateKey, trustedKey } = await generateSigner("PS384", { modulusLength: 2048 });
    const key = await crypto.subtle.importKey(
      "pkcs8",
      decodeOnePem(privateKey, "PRIVATE KEY").der,
      { name: "RSA-PSS", hash: "SHA-384" },
      true,
      ["sign"],
    );
    const jwk = await crypto.subtle.exportKey("jwk", key);
    for (const source of [jwk, key]) {
      const signer = await importSigner(source);
      equal(signer.alg, "PS384");
      ok(await trustedKey.verify(DATA, await signer.sign(DATA)));
    }
    await refuses({ ...jwk, q: undefined }, /^malformed-key \/q /);
    await refuses({ ...jwk, d: `A${jwk.d}` }, /^malformed-key /);
    await refuses(
      { ...jwk, p: jwk.q, q: jwk.p, dp: jwk.dp, dq: jwk.dp, qi: jwk.dp },
      /^malformed-key /,
    );
    await refuses({ ...jwk, oth: [] }, /^unsupported-algorithm \/oth /);
    await refuses({ ...jwk, alg: "RS384" }, /^key-algorithm-mismatch /, { alg: "PS384" });
  });

  it("writes the layout of ECDSA signatures that is asked for", async () => {
    for (const [alg, size] of [["ES256", 64], ["ES384", 96], ["ES512", 132]] as const) {
      const { privateKey } = await generateSigner(alg);
      const raw = await importSigner(privateKey, { ecdsaEncoding: "p1363" });
      equal((await raw.sign(DATA)).length, size);
      const der = await (await importSigner(privateKey)).sign(DATA);
      equal(der[0], 0x30);
    }
  });

  it("takes a CryptoKey that cannot be exported with its public half", async () => {
    const params = { name: "ECDSA", namedCurve: "P-256" };
    const key = await crypto.subtle.importKey(
      "pkcs8",
      pkcs8(ZERO, EC, ecKey(D, publicPart(POINT))),
      params,
      false,
      [
        "sign",
      ],
    );
    await refuses(key, /^malformed-key .*give its public half as the option publicKey/);
    const signer = await importSigner(key, { publicKey: decodeHex(P256_SPKI) });
    ok(await (await importTrustedKey(P256_JWK)).verify(DATA, await signer.sign(DATA)));
    const other = await generateSigner("ES256");
    await refuses(key, /^malformed-key .*does not belong/, { publicKey: other.trustedKey.spki });
  });

  it("refuses a public half that does not belong to the private one", async () => {
    const other = await generateSigner("ES256");
    const point = other.trustedKey.spki.slice(-65);
    await refuses(pkcs8(ZERO, EC, ecKey(D, publicPart(point))), /^malformed-key .*does not belong/);
    await refuses(
      {
        ...P256_JWK,
        d: P256_D,
        x: encodeBase64Url(point.slice(1, 33)),
        y: encodeBase64Url(point.slice(33)),
      },
      /^malformed-key .*does not belong/,
    );
    await refuses(
      pkcs8(ONE, EC, ecKey(D, publicPart(POINT)), encodeDer(0x81, Uint8Array.of(0), point)),
      /^malformed-key .*differ/,
    );
    const ed = (await generateSigner("Ed25519")).trustedKey.spki.slice(-32);
    await refuses(
      pkcs8(ONE, ED, SEED, encodeDer(0x81, Uint8Array.of(0), ed)),
      /^malformed-key .*does not belong/,
    );
    await refuses(
      {
        kty: "OKP",
        crv: "Ed25519",
        x: encodeBase64Url(ed),
        d: encodeBase64Url(decodeHex(ED25519_SEED)),
      },
      /^malformed-key .*does not belong/,
    );
    await refuses(pkcs8(ZERO, ED, SEED), /^malformed-key .*does not belong/, {
      publicKey: other.trustedKey.spki,
    });
  });

  it("refuses PKCS#8 that is not as the specifications write it", async () => {
    const good = pkcs8(ZERO, ED, SEED);
    await refuses(concat(good, Uint8Array.of(0)), /^malformed-key .*trailing/);
    for (let length = 0; length < good.length; length++) {
      await refuses(good.slice(0, length), /^malformed-key /);
    }
    await refuses(pkcs8(decodeHex("020102"), ED, SEED), /^malformed-key .*version 2/);
    await refuses(pkcs8(ZERO, ED, SEED, encodeDer(0x81, Uint8Array.of(0))), /^malformed-key /);
    await refuses(pkcs8(ZERO, ED, decodeHex(ED25519_SEED)), /^malformed-key /);
    await refuses(
      pkcs8(ZERO, ED, encodeDer(0x04, new Uint8Array(31))),
      /^malformed-key .*31 octets/,
    );
    await refuses(pkcs8(ZERO, EC, ecKey(D.slice(1))), /^malformed-key .*31 octets/);
    await refuses(
      pkcs8(ZERO, EC, ecKey(concat(Uint8Array.of(0), D))),
      /^malformed-key .*33 octets/,
    );
    await refuses(pkcs8(ZERO, EC, ecKey(new Uint8Array(32))), /^malformed-key .*out of range/);
    await refuses(
      pkcs8(ZERO, EC, ecKey(new Uint8Array(32).fill(255))),
      /^malformed-key .*out of range/,
    );
    await refuses(
      pkcs8(ZERO, EC, encodeDer(0x30, ZERO, encodeDer(0x04, D))),
      /^malformed-key .*version 1/,
    );
    await refuses(
      pkcs8(ZERO, EC, ecKey(D, encodeDer(0xa0, decodeHex(OID.p384)))),
      /^malformed-key .*two curves/,
    );
    await refuses(
      pkcs8(ZERO, EC, ecKey(D, publicPart(POINT.slice(0, 33)))),
      /^malformed-key .*uncompressed/,
    );
    await refuses(
      pkcs8(ZERO, encodeDer(0x30, decodeHex(OID.ec), decodeHex(OID.secp256k1)), ecKey(D)),
      /^unsupported-algorithm .*secp256k1/,
    );
    await refuses(
      pkcs8(ZERO, encodeDer(0x30, decodeHex(OID.x25519)), SEED),
      /^unsupported-algorithm .*X25519/,
    );
    await refuses(new Uint8Array(1 << 20), /^limit-exceeded /);
  });

  it("refuses RSA private keys with numbers out of range", async () => {
    const rsa = encodeDer(0x30, decodeHex(OID.rsa), decodeHex("0500"));
    const of = (version: Bytes, ...numbers: Uint8Array[]) =>
      pkcs8(ZERO, rsa, encodeDer(0x30, version, ...numbers.map(encodeUnsigned)));
    const n = modulus(2048);
    const e = Uint8Array.of(1, 0, 1);
    const small = Array.from({ length: 6 }, () => Uint8Array.of(3));
    await refuses(of(ONE, n, e, ...small), /^unsupported-algorithm .*two primes/);
    await refuses(of(decodeHex("020102"), n, e, ...small), /^malformed-key .*version 2/);
    await refuses(of(ZERO, modulus(1024), e, ...small), /^weak-key /);
    await refuses(of(ZERO, n, Uint8Array.of(1), ...small), /^weak-key /);
    await refuses(of(ZERO, n, e, ...small.slice(1)), /^malformed-key .*missing/);
    await refuses(of(ZERO, n, e, ...small, e), /^malformed-key .*not known here/);
    await refuses(
      of(ZERO, n, e, e, Uint8Array.of(0), ...small.slice(2)),
      /^malformed-key .*out of range/,
    );
    await refuses(
      of(ZERO, n, e, e, modulus(1025), ...small.slice(2)),
      /^malformed-key .*out of range/,
    );
    await refuses(
      of(ZERO, n, e, modulus(2056), ...small.slice(1)),
      /^malformed-key .*out of range/,
    );
    await refuses(of(ZERO, n, e, ...small), /^malformed-key .*do not belong together/);
  });

  it("refuses other PEM and says what to do", async () => {
    const der = pkcs8(ZERO, ED, SEED);
    await refuses(encodePem("ENCRYPTED PRIVATE KEY", der), /^missing-passphrase /);
    await refuses(
      encodePem("EC PRIVATE KEY", der),
      /^malformed-key .*openssl pkcs8 -topk8 -nocrypt/,
    );
    await refuses(
      encodePem("RSA PRIVATE KEY", der),
      /^malformed-key .*openssl pkcs8 -topk8 -nocrypt/,
    );
    await refuses(encodePem("OPENSSH PRIVATE KEY", der), /^unsupported-algorithm .*ssh-keygen/);
    await refuses(encodePem("ENCRYPTED SIGSTORE PRIVATE KEY", der), /^missing-passphrase /);
    await refuses(encodePem("ENCRYPTED OTHER PRIVATE KEY", der), /^malformed-key .*encrypted/);
    await refuses(encodePem("PUBLIC KEY", decodeHex(P256_SPKI)), /^malformed-key .*a public key/);
    const parameters = encodePem("EC PARAMETERS", decodeHex(OID.p256));
    await refuses(parameters + encodePem("EC PRIVATE KEY", der), /^malformed-key .*openssl pkcs8/);
    await refuses(encodePem("PRIVATE KEY", der).repeat(2), /^malformed-pem /);
    await refuses("", /^malformed-pem /);
  });

  it("refuses public keys, wrong use and wrong arguments", async () => {
    await refuses(P256_JWK, /^malformed-key \/d .*public JWK/);
    await refuses({ ...P256_JWK, d: P256_D, use: "enc" }, /^malformed-key \/use /);
    await refuses({ ...P256_JWK, d: P256_D, key_ops: ["verify"] }, /^malformed-key \/key_ops /);
    await refuses({ ...P256_JWK, d: P256_D, p: "AQ" }, /^malformed-key \/p /);
    await refuses({ ...P256_JWK, d: P256_D + "=" }, /^malformed-key \/d /);
    await refuses({ ...P256_JWK, d: P256_D }, /^key-algorithm-mismatch /, { alg: "ES384" });
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
      "sign",
      "verify",
    ]);
    await refuses(pair.publicKey, /^malformed-key .*a public CryptoKey/);
    for (const options of [{ alg: 1 }, { name: "ci" }, { keyid: "" }, { ecdsaEncoding: "any" }]) {
      await refuses(P256_JWK, /^TypeError /, options as ImportSignerOptions);
    }
    for (const source of [undefined, null, 1]) {
      await refuses(source as unknown as Source, /^TypeError \| A key must be/);
    }
  });

  it("takes the algorithm that a key says, said once more", async () => {
    const jwk = { ...P256_JWK, d: P256_D, alg: "ES256" };
    equal((await importSigner(jwk, { alg: "ES256" })).alg, "ES256");
    equal((await importSigner(jwk, { alg: "ECDSA-P256-SHA256" })).alg, "ES256");
  });

  it("bounds what it reads before it reads it", async () => {
    await refuses("-".repeat(16_385), /^limit-exceeded /);
    await refuses(`{${" ".repeat(16_384)}`, /^limit-exceeded /);
    // It would be taken for an encrypted key, and a passphrase asked for.
    const encrypted = encodeDer(0x30, encodeDer(0x30, new Uint8Array(16_385)));
    await refuses(encrypted, /^limit-exceeded /);
  });

  it("refuses a CryptoKey whose usages have no sign", async () => {
    const key = Object.create(CryptoKey.prototype, {
      type: { value: "private" },
      algorithm: { value: { name: "Ed25519" } },
      usages: { value: ["verify"] },
      extractable: { value: true },
    });
    await refuses(key, /^malformed-key .*usages have no sign/);
  });

  it("tells what a runtime lacks from a key that it refuses", async () => {
    const rows = [
      ["NotSupportedError", /^unsupported-algorithm .*does not take an EC key on P-256 for ES256/],
      ["DataError", /^malformed-key .*does not take an EC key on P-256 for ES256/],
    ] as const;
    const source = { ...P256_JWK, d: P256_D };
    for (const [name, expected] of rows) {
      for (const method of ["importKey", "sign"]) {
        const fails = () => Promise.reject(new DOMException("no", name));
        await withSubtle({ [method]: fails }, () => refuses(source, expected));
      }
    }
    const fails = () => Promise.reject({ name: "NotSupportedError" });
    await withSubtle({ sign: fails }, () => refuses(source, /^malformed-key /));
  });

  it("says nothing of the key in messages, causes and on the signer", async () => {
    const bad = { ...P256_JWK, d: P256_D.slice(0, -1) + "!" };
    try {
      await importSigner(bad);
      ok(false);
    } catch (error) {
      ok(error instanceof Error);
      ok(!error.message.includes(P256_D.slice(0, 8)));
      equal(error.cause, undefined);
    }
    const signer = await importSigner({ ...P256_JWK, d: P256_D });
    equal(JSON.stringify(signer), `{"alg":"ES256"}`);
  });
});
