import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeBase64Url } from "../internal/base64.ts";
import { concat, utf8 } from "../internal/bytes.ts";
import { decodeHex } from "../internal/hex.ts";
import { encodePem } from "../internal/pem.ts";
import {
  ED25519_POINT,
  modulus,
  OID,
  P256_D,
  P256_JWK,
  P256_SPKI,
  refusal,
  RSA_JWK,
  rsaSpki,
  spki,
  withSubtle,
} from "./_fixtures_test.ts";
import type { KeyAlgorithm } from "./algorithm.ts";
import { generateSigner } from "./signer.ts";
import { type ImportKeyOptions, importTrustedKey, type TrustedKey } from "./trusted_key.ts";

const P256 = decodeHex(P256_SPKI);
const POINT = P256.slice(-65);
const DATA = utf8("data");
const OKP = { kty: "OKP", crv: "Ed25519", x: encodeBase64Url(decodeHex(ED25519_POINT)) };

type Source = Parameters<typeof importTrustedKey>[0];

async function refuses(
  source: Source,
  expected: RegExp,
  options?: ImportKeyOptions,
): Promise<void> {
  const found = await refusal(() => importTrustedKey(source, options));
  ok(expected.test(found), `${found} instead of ${expected}`);
}

describe("importTrustedKey()", () => {
  it("reads one key from every form alike", async () => {
    const sources: [Source, ImportKeyOptions?][] = [
      [encodePem("PUBLIC KEY", P256)],
      ["a comment\r\n" + encodePem("PUBLIC KEY", P256).replaceAll("\n", "\r\n")],
      [P256],
      [POINT, { alg: "ES256" }],
      [P256_JWK],
      [JSON.stringify(P256_JWK)],
      [` \n${
        JSON.stringify({ ...P256_JWK, use: "sig", alg: "ES256", key_ops: ["verify"], ext: true })
      }`],
      [
        await crypto.subtle.importKey("spki", P256, { name: "ECDSA", namedCurve: "P-256" }, true, [
          "verify",
        ]),
      ],
    ];
    for (const [source, options] of sources) {
      const key = await importTrustedKey(source, options);
      deepEqual(key.spki, P256);
      equal(key.alg, "ES256");
      equal(key.fingerprint, "f793580060562d6ff075d814ea698c282fcc779b0cde64d79ffc6301df00d14b");
      equal(key.name, "f793580060562d6f");
      equal(key.keyid, undefined);
    }
  });

  it("reads raw Ed25519 and all curves", async () => {
    const raw = await importTrustedKey(decodeHex(ED25519_POINT), { alg: "Ed25519" });
    equal(raw.fingerprint, (await importTrustedKey(OKP)).fingerprint);
    for (const [alg, size] of [["ES256", 65], ["ES384", 97], ["ES512", 133]] as const) {
      const { trustedKey } = await generateSigner(alg);
      const point = trustedKey.spki.slice(-size);
      equal((await importTrustedKey(point, { alg })).fingerprint, trustedKey.fingerprint);
    }
  });

  it("names the key by name, else keyid, else fingerprint", async () => {
    const named = await importTrustedKey(P256, { name: "ci", keyid: "66301bbf" });
    deepEqual([named.name, named.keyid], ["ci", "66301bbf"]);
    equal((await importTrustedKey(P256, { keyid: "66301bbf" })).name, "66301bbf");
    equal((await importTrustedKey({ ...P256_JWK, kid: "k1" } as JsonWebKey)).keyid, "k1");
    const both = await importTrustedKey({ ...P256_JWK, kid: "k1" } as JsonWebKey, { keyid: "k2" });
    equal(both.keyid, "k2");
  });

  it("takes the default algorithm of the kind of key, or the one that is stated", async () => {
    const rsa = rsaSpki(modulus(2048), Uint8Array.of(1, 0, 1));
    equal((await importTrustedKey(rsa)).alg, "RS256");
    for (const alg of ["RS384", "RS512", "PS256", "PS384", "PS512"] as const) {
      equal((await importTrustedKey(rsa, { alg })).alg, alg);
      equal((await importTrustedKey({ ...RSA_JWK, alg })).alg, alg);
    }
    equal((await importTrustedKey({ ...OKP, alg: "EdDSA" })).alg, "Ed25519");
    equal((await importTrustedKey({ ...OKP, alg: "Ed25519" })).alg, "Ed25519");
    equal((await importTrustedKey(P256, { alg: "ECDSA-P256-SHA256" })).alg, "ES256");
    equal((await importTrustedKey(P256, { alg: "ECDSA-P256-SHA512" })).alg, "ECDSA-P256-SHA512");
  });

  it("refuses an algorithm that is not the key's", async () => {
    const rsa = rsaSpki(modulus(2048), Uint8Array.of(1, 0, 1));
    await refuses(P256, /^key-algorithm-mismatch .*EC key on P-256/, { alg: "ES384" });
    await refuses(P256, /^key-algorithm-mismatch /, { alg: "Ed25519" });
    await refuses(rsa, /^key-algorithm-mismatch /, { alg: "ES256" });
    await refuses({ ...P256_JWK, alg: "ES384" }, /^key-algorithm-mismatch /);
    await refuses({ ...RSA_JWK, alg: "PS256" }, /^key-algorithm-mismatch /, { alg: "RS256" });
    await refuses({ ...RSA_JWK, alg: "RSA-OAEP" }, /^unsupported-algorithm /);
    await refuses({ ...P256_JWK, alg: "none" }, /^unsupported-algorithm /);
    await refuses(P256, /^unsupported-algorithm .*"HS256"/, { alg: "HS256" as KeyAlgorithm });
    const pss = await crypto.subtle.importKey(
      "spki",
      rsa,
      { name: "RSA-PSS", hash: "SHA-384" },
      true,
      [
        "verify",
      ],
    );
    equal((await importTrustedKey(pss)).alg, "PS384");
    await refuses(pss, /^key-algorithm-mismatch .*PS384, not for RS256/, { alg: "RS256" });
  });

  it("refuses private keys and symmetric ones", async () => {
    await refuses({ ...P256_JWK, d: P256_D }, /^malformed-key \/d .*private JWK .*remove/);
    await refuses(JSON.stringify({ ...P256_JWK, d: P256_D }), /^malformed-key \/d /);
    for (const member of ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]) {
      await refuses({ ...RSA_JWK, [member]: "AQ" }, /^malformed-key .*private/);
    }
    const { privateKey } = await generateSigner("Ed25519");
    await refuses(
      privateKey,
      /^malformed-key .*a private key where .*openssl pkey -in KEY -pubout/,
    );
    await refuses(encodePem("EC PRIVATE KEY", P256), /^malformed-key .*openssl pkey/);
    await refuses(encodePem("OPENSSH PRIVATE KEY", P256), /^malformed-key .*openssl pkey/);
    await refuses(encodePem("PUBLIC KEY", P256) + privateKey, /^malformed-key .*a private key/);
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
      "sign",
      "verify",
    ]);
    await refuses(pair.privateKey, /^malformed-key .*a private CryptoKey/);
    await refuses({ kty: "oct", k: "c2VjcmV0" }, /^unsupported-algorithm \/kty .*symmetric/);
  });

  it("never repeats a private key in a message", async () => {
    const { privateKey } = await generateSigner("Ed25519");
    const secret = privateKey.split("\n")[1].slice(24);
    ok(!(await refusal(() => importTrustedKey(privateKey))).includes(secret));
    ok(!(await refusal(() => importTrustedKey({ ...P256_JWK, d: P256_D }))).includes(P256_D));
  });

  it("refuses other PEM and says what to do", async () => {
    await refuses(
      encodePem("RSA PUBLIC KEY", P256),
      /^malformed-key .*openssl rsa -RSAPublicKey_in/,
    );
    await refuses(encodePem("CERTIFICATE", P256), /^malformed-key .*openssl x509/);
    await refuses(encodePem("PUBLIC KEY", P256).repeat(2), /^malformed-pem .*2 blocks/);
    await refuses("", /^malformed-pem /);
    await refuses("<html></html>", /^malformed-pem /);
    await refuses("A".repeat(1 << 20), /^limit-exceeded /);
    await refuses("{".repeat(1000), /^limit-exceeded /);
  });

  it("refuses JWK text that is not strict", async () => {
    const text = JSON.stringify(P256_JWK);
    await refuses(text.replace("{", `{"x":"${P256_JWK.x}",`), /^duplicate-json-key /);
    await refuses(text.slice(0, -1), /^malformed-json /);
    await refuses(JSON.stringify({ keys: [P256_JWK] }), /^malformed-key .*a JWK set/);
  });

  it("refuses JWK members that are missing, of another type or not canonical", async () => {
    for (const name of ["kty", "crv", "x", "y"] as const) {
      await refuses({ ...P256_JWK, [name]: undefined }, new RegExp(`^malformed-key /${name} `));
      await refuses({ ...P256_JWK, [name]: 1 } as object, new RegExp(`^malformed-key /${name} `));
    }
    for (const name of ["n", "e"] as const) {
      await refuses({ ...RSA_JWK, [name]: undefined }, new RegExp(`^malformed-key /${name} `));
    }
    const { x } = P256_JWK;
    const zeros = encodeBase64Url(concat(Uint8Array.of(0), P256.slice(-64, -32)));
    // "g" ends in four bits of the last octet and two that must be zero; "h" sets one of them.
    for (
      const bad of [
        x + "=",
        x.slice(0, -1) + "h",
        x + " ",
        x.slice(0, -2),
        zeros,
        "",
        "+" + x.slice(1),
      ]
    ) {
      await refuses({ ...P256_JWK, x: bad }, /^malformed-key \/x /);
    }
    await refuses(
      { ...RSA_JWK, n: encodeBase64Url(concat(Uint8Array.of(0), modulus(2048))) },
      /^malformed-key \/n /,
    );
    await refuses({ ...RSA_JWK, e: "AAEAAQ" }, /^malformed-key \/e /);
    await refuses({ ...RSA_JWK, e: "" }, /^malformed-key \/e /);
    await refuses({ ...RSA_JWK, e: "AQ" }, /^weak-key /);
  });

  it("refuses curves and kinds of JWK that do not belong together", async () => {
    await refuses({ ...P256_JWK, crv: "P-384" }, /^malformed-key \/x .*wanted 48/);
    await refuses({ ...P256_JWK, crv: "secp256k1" }, /^unsupported-algorithm \/crv /);
    await refuses({ ...P256_JWK, crv: "P-256K" }, /^unsupported-algorithm \/crv /);
    await refuses({ ...P256_JWK, crv: "toString" }, /^unsupported-algorithm \/crv /);
    await refuses({ ...P256_JWK, crv: "Ed25519" }, /^unsupported-algorithm \/crv /);
    await refuses({ ...P256_JWK, kty: "OKP" }, /^unsupported-algorithm \/crv /);
    await refuses({ ...P256_JWK, kty: "RSA" }, /^malformed-key \/n /);
    await refuses({ ...P256_JWK, kty: "ec" }, /^unsupported-algorithm \/kty /);
    await refuses({ ...OKP, crv: "X25519" }, /^unsupported-algorithm \/crv /);
    await refuses({ ...OKP, crv: "Ed448" }, /^unsupported-algorithm \/crv /);
    await refuses({ ...P256_JWK, y: P256_JWK.x }, /^malformed-key .*not on P-256/);
    await refuses({ ...OKP, x: encodeBase64Url(new Uint8Array(32)) }, /^weak-key /);
  });

  it("refuses a JWK or CryptoKey that is not meant to verify", async () => {
    await refuses({ ...P256_JWK, use: "enc" }, /^malformed-key \/use /);
    await refuses({ ...P256_JWK, key_ops: ["sign"] }, /^malformed-key \/key_ops /);
    await refuses({ ...P256_JWK, key_ops: [] }, /^malformed-key \/key_ops /);
    await refuses({ ...P256_JWK, key_ops: ["verify", "verify"] }, /^malformed-key \/key_ops /);
    await refuses({ ...P256_JWK, key_ops: "verify" } as object, /^malformed-key \/key_ops /);
    const params = { name: "ECDSA", namedCurve: "P-256" };
    const fixed = await crypto.subtle.importKey("spki", P256, params, false, ["verify"]);
    await refuses(fixed, /^malformed-key .*cannot be exported/);
    const idle = await crypto.subtle.importKey("spki", P256, params, true, []);
    await refuses(idle, /^malformed-key .*no verify/);
    const ecdh = await crypto.subtle.importKey("spki", P256, { ...params, name: "ECDH" }, true, []);
    await refuses(ecdh, /^unsupported-algorithm .*"ECDH"/);
    const sha1 = await crypto.subtle.importKey(
      "spki",
      rsaSpki(modulus(2048), Uint8Array.of(1, 0, 1)),
      { name: "RSASSA-PKCS1-v1_5", hash: "SHA-1" },
      true,
      ["verify"],
    );
    await refuses(sha1, /^unsupported-algorithm .*SHA-1/);
    const oaep = await crypto.subtle.importKey(
      "spki",
      rsaSpki(modulus(2048), Uint8Array.of(1, 0, 1)),
      { name: "RSA-OAEP", hash: "SHA-256" },
      true,
      ["encrypt"],
    );
    await refuses(
      oaep,
      /^unsupported-algorithm .*a CryptoKey for "RSA-OAEP SHA-256" is not supported/,
    );
  });

  it("refuses a key that this runtime does not take", async () => {
    const importKey = () => Promise.reject(new DOMException("no", "NotSupportedError"));
    await withSubtle({ importKey }, () =>
      refuses(
        P256,
        /^unsupported-algorithm \| Cannot import key: this runtime does not take an EC key on P-256 for ES256$/,
      ));
  });

  it("takes the algorithm that a key says, said once more", async () => {
    const jwk = { ...P256_JWK, alg: "ES256" };
    for (const alg of ["ES256", "ECDSA-P256-SHA256", undefined]) {
      equal((await importTrustedKey(jwk, { alg: alg as KeyAlgorithm })).alg, "ES256");
    }
    await refuses(jwk, /^key-algorithm-mismatch /, { alg: "ES384" });
  });

  it("reads a CryptoKey as strictly as bytes", async () => {
    const rsa = await crypto.subtle.importKey(
      "jwk",
      { kty: "RSA", n: encodeBase64Url(modulus(1024)), e: "AQAB" },
      { name: "RSA-PSS", hash: "SHA-256" },
      true,
      ["verify"],
    );
    await refuses(rsa, /^weak-key /);
  });

  it("refuses raw keys without alg, of other sizes and compressed", async () => {
    await refuses(POINT, /^malformed-key .*needs the option alg/);
    await refuses(decodeHex(ED25519_POINT), /^malformed-key .*needs the option alg/);
    await refuses(POINT, /^malformed-key .*wanted an uncompressed point of 97/, { alg: "ES384" });
    await refuses(POINT.slice(0, 33), /^malformed-key /, { alg: "ES256" });
    await refuses(concat(Uint8Array.of(2), POINT.slice(1, 33)), /^malformed-key .*compressed/, {
      alg: "ES256",
    });
    await refuses(decodeHex(ED25519_POINT), /^malformed-key /, { alg: "RS256" });
    await refuses(new Uint8Array(32), /^weak-key /, { alg: "Ed25519" });
    await refuses(new Uint8Array(0), /^malformed-key /);
  });

  it("refuses wrong arguments with a TypeError", async () => {
    const wrong: object[] = [
      { algorithm: "ES256" },
      { name: "" },
      { name: 1 },
      { keyid: "" },
      { alg: 256 },
      { ecdsaEncoding: "raw" },
    ];
    for (const options of wrong) await refuses(P256, /^TypeError /, options as ImportKeyOptions);
    for (const options of [null, "ES256", 1]) {
      const found = await refusal(() => importTrustedKey(P256, options as ImportKeyOptions));
      equal(found, "TypeError | Options must be an object");
    }
    for (const source of [null, undefined, 1, true]) {
      await refuses(source as unknown as Source, /^TypeError /);
    }
  });

  it("takes the layout of ECDSA signatures that is stated only", async () => {
    const der = await generateSigner("ES256");
    const raw = await generateSigner("ES256", { ecdsaEncoding: "p1363" });
    const verifies = async (made: typeof der, ecdsaEncoding: "der" | "p1363" | "any") =>
      (await importTrustedKey(made.publicKey, { ecdsaEncoding })).verify(
        DATA,
        await made.signer.sign(DATA),
      );
    ok(await verifies(der, "der"));
    ok(await verifies(der, "any"));
    ok(await verifies(raw, "p1363"));
    ok(await verifies(raw, "any"));
    equal(await verifies(der, "p1363"), false);
    equal(await verifies(raw, "der"), false);
  });

  it("gives a key that cannot be changed from outside", async () => {
    const source = P256.slice();
    const key: TrustedKey = await importTrustedKey(source);
    source.fill(0);
    key.spki.fill(0);
    ok(Object.isFrozen(key));
    const other = await importTrustedKey(spki(OID.ed25519, ED25519_POINT));
    equal(await other.verify(DATA, new Uint8Array(64)), false);
    const { signer, trustedKey } = await generateSigner("ES256");
    const signature = await signer.sign(DATA);
    trustedKey.spki.fill(0);
    ok(await trustedKey.verify(DATA, signature));
    const params = { name: "ECDSA", namedCurve: "P-256" };
    const cryptoKey = await crypto.subtle.importKey("spki", P256, params, true, ["verify"]);
    (await importTrustedKey(cryptoKey)).spki.fill(0);
    deepEqual((await importTrustedKey(cryptoKey)).spki, P256);
  });
});
