import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import { P256_D, P256_JWK, refusalOf, RSA_JWK } from "./_fixtures_test.ts";
import type { KeyAlgorithm } from "./algorithm.ts";
import { exportPublicJwk, parseJwkText, readJwk } from "./jwk.ts";
import { generateSigner, importSigner } from "./signer.ts";
import { importTrustedKey } from "./trusted_key.ts";

const DATA = utf8("data");

const ALGORITHMS: readonly KeyAlgorithm[] = [
  "Ed25519",
  "ES256",
  "ES384",
  "ES512",
  "RS256",
  "PS512",
  "ECDSA-P384-SHA256",
];

const SECRET: Readonly<Record<string, string[]>> = {
  OKP: ["d"],
  EC: ["d"],
  RSA: ["d", "dp", "dq", "p", "q", "qi"],
};

describe("JWK out and in", () => {
  for (const alg of ALGORITHMS) {
    it(`keeps key, algorithm and key id of ${alg}`, async () => {
      const small = /^[RP]S/.test(alg) ? { modulusLength: 2048 } : {};
      const made = await generateSigner(alg, { keyid: "k1", ...small });
      deepEqual(made.publicJwk, exportPublicJwk(made.trustedKey));
      ok(made.privateJwk !== undefined);
      const { privateJwk, publicJwk } = made;
      const secret = Object.keys(privateJwk).filter((name) => !(name in publicJwk)).sort();
      deepEqual(secret, SECRET[publicJwk.kty]);
      for (const source of [privateJwk, JSON.stringify(privateJwk)]) {
        const signer = await importSigner(source);
        deepEqual([signer.alg, signer.keyid], [alg, "k1"]);
        const signature = await signer.sign(DATA);
        for (const key of [publicJwk, JSON.stringify(publicJwk)]) {
          const trusted = await importTrustedKey(key);
          deepEqual([trusted.alg, trusted.keyid], [alg, "k1"]);
          equal(trusted.fingerprint, made.trustedKey.fingerprint);
          ok(await trusted.verify(DATA, signature));
        }
      }
    });
  }

  it("gives a public JWK that WebCrypto takes as it is", async () => {
    const { trustedKey } = await generateSigner("ES256");
    const key = await crypto.subtle.importKey(
      "jwk",
      exportPublicJwk(trustedKey),
      { name: "ECDSA", namedCurve: "P-256" },
      true,
      ["verify"],
    );
    equal((await importTrustedKey(key)).fingerprint, trustedKey.fingerprint);
  });
});

describe("parseJwkText()", () => {
  it("does not repeat the text around a fault, which may be the key", () => {
    for (
      const text of ['{"d":SECRETSECRET', '{"d":"SECRETSECRET" SECRET', "{SECRET", '["SECRET"x']
    ) {
      const found = refusalOf(() => parseJwkText(text));
      ok(found.startsWith("malformed-json "), found);
      ok(!found.includes("SECR"), found);
      try {
        parseJwkText(text);
      } catch (error) {
        equal((error as Error).cause, undefined);
      }
    }
  });

  it("refuses JSON that is no object", () => {
    for (const text of ["[]", '"AQAB"', "null"]) {
      const found = refusalOf(() => parseJwkText(text));
      ok(/^malformed-key .*a JWK is a JSON object/.test(found), found);
    }
  });
});

describe("readJwk()", () => {
  it("refuses a private member that the kind of key does not have", () => {
    const own: [object, string[]][] = [
      [{ ...RSA_JWK, d: "AQ" }, ["k", "priv"]],
      [{ ...P256_JWK, d: P256_D }, ["p", "qi", "k", "priv"]],
    ];
    for (const [jwk, names] of own) {
      equal(readJwk(jwk, "private").secrets.size, 1);
      for (const name of names) {
        const found = refusalOf(() => readJwk({ ...jwk, [name]: "AQ" }, "private"));
        ok(found.startsWith(`malformed-key /${name} `), found);
      }
    }
  });

  it("takes an empty kid for none, which would be an empty name in reports", () => {
    equal(readJwk({ ...P256_JWK, kid: "" }, "public").keyid, undefined);
    equal(readJwk({ ...P256_JWK, kid: "k" }, "public").keyid, "k");
  });

  it("refuses key_ops that are no list of distinct names: RFC 7517, 4.3", () => {
    for (const key_ops of [["verify", 1], ["verify", "verify"], "verify", { 0: "verify" }]) {
      const found = refusalOf(() => readJwk({ ...P256_JWK, key_ops }, "public"));
      ok(/^malformed-key \/key_ops .*distinct names/.test(found), found);
    }
  });

  it("bounds a member before it is decoded", () => {
    const refused = (length: number) =>
      refusalOf(() => readJwk({ ...RSA_JWK, n: "_".repeat(length) }, "public"));
    ok(/^limit-exceeded .*98304 bits/.test(refused(16_384)), refused(16_384));
    ok(/^malformed-key \/n .*too long/.test(refused(16_388)), refused(16_388));
  });
});

describe("exportPublicJwk()", () => {
  it("writes the members of the specifications and no others", async () => {
    deepEqual(exportPublicJwk(await importTrustedKey(P256_JWK)), { ...P256_JWK, alg: "ES256" });
    deepEqual(exportPublicJwk(await importTrustedKey(RSA_JWK, { alg: "PS256", keyid: "r" })), {
      ...RSA_JWK,
      alg: "PS256",
      kid: "r",
    });
  });

  it("refuses what is no key", () => {
    const found = refusalOf(() => exportPublicJwk({ spki: new Uint8Array(3), alg: "ES256" }));
    ok(found.startsWith("malformed-key "), found);
  });
});
