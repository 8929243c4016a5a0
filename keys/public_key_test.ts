import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeBase64 } from "../internal/base64.ts";
import { concat, utf8 } from "../internal/bytes.ts";
import { decodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import {
  ED25519_POINT,
  modulus,
  OID,
  P256_SPKI,
  refusal,
  rsaSpki,
  spki,
  withSubtle,
} from "./_fixtures_test.ts";
import type { SignatureScheme } from "./algorithm.ts";
import { p1363ToDer } from "./ecdsa_signature.ts";
import {
  defaultScheme,
  importForVerification,
  parseSpki,
  verifyDigestSignature,
  verifySignature,
} from "./public_key.ts";
import { generateSigner } from "./signer.ts";
import { encodeSpki, ML_DSA } from "./spki.ts";

// DSSE 1.0.2, protocol.md, "Test Vectors", and spec vectors over the same bytes.
const PAE = utf8("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
const P256_SIGNATURE = decodeBase64(
  "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==",
);
const ED25519_SIGNATURE = decodeBase64(
  "4DHX3Zn4qpBKvEj7maE8O9u9bjXEnPLLnyXVUJ2PXJR8DSLcL3QDpFvfJOj3pB/SPHsl6Jg4boxsMb6KvuYABw==",
);
const P256 = parseSpki(decodeHex(P256_SPKI));
const ED25519 = parseSpki(spki(OID.ed25519, ED25519_POINT));
const ES256: SignatureScheme = { name: "ECDSA", hash: "SHA-256" };

describe("parseSpki()", () => {
  it("says what the key is", () => {
    equal(P256.kind, "EC");
    equal(P256.curve, "P-256");
    equal(P256.modulusBits, undefined);
    equal(P256.fingerprint, "f793580060562d6ff075d814ea698c282fcc779b0cde64d79ffc6301df00d14b");
    deepEqual(defaultScheme(P256), ES256);
    equal(ED25519.kind, "Ed25519");
    equal(parseSpki(rsaSpki(modulus(2050), Uint8Array.of(3))).modulusBits, 2050);
  });

  it("does not share its bytes with what it read", () => {
    const der = decodeHex(P256_SPKI);
    const key = parseSpki(der);
    der.fill(0);
    deepEqual(key.spki, decodeHex(P256_SPKI));
  });
});

describe("verifySignature()", () => {
  it("verifies both layouts of an ECDSA signature, as asked", async () => {
    const der = p1363ToDer(P256_SIGNATURE);
    ok(await verifySignature(P256, ES256, der, PAE));
    ok(await verifySignature(P256, ES256, der, PAE, "any"));
    ok(await verifySignature(P256, ES256, P256_SIGNATURE, PAE, "any"));
    ok(await verifySignature(P256, ES256, P256_SIGNATURE, PAE, "p1363"));
    equal(await verifySignature(P256, ES256, der, PAE, "p1363"), false);
    equal(await verifySignature(P256, ES256, P256_SIGNATURE, PAE), false);
    equal(await verifySignature(P256, ES256, P256_SIGNATURE, PAE, "der"), false);
  });

  it("verifies Ed25519", async () => {
    ok(await verifySignature(ED25519, { name: "Ed25519" }, ED25519_SIGNATURE, PAE));
  });

  it("rejects every flipped bit of the signature", async () => {
    for (let bit = 0; bit < 512; bit += 3) {
      const flip = (bytes: Uint8Array) => {
        const changed = bytes.slice();
        changed[bit >> 3] ^= 1 << (bit & 7);
        return changed;
      };
      equal(await verifySignature(P256, ES256, flip(P256_SIGNATURE), PAE, "any"), false);
      equal(
        await verifySignature(ED25519, { name: "Ed25519" }, flip(ED25519_SIGNATURE), PAE),
        false,
      );
    }
  });

  it("rejects other data, other hashes and other schemes", async () => {
    const other = PAE.slice(1);
    equal(await verifySignature(P256, ES256, P256_SIGNATURE, other, "any"), false);
    const schemes: SignatureScheme[] = [
      { name: "ECDSA", hash: "SHA-384" },
      { name: "ECDSA", hash: "SHA-512" },
      { name: "Ed25519" },
      { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
      { name: "RSA-PSS", hash: "SHA-256" },
    ];
    for (const scheme of schemes) {
      equal(await verifySignature(P256, scheme, P256_SIGNATURE, PAE, "any"), false);
    }
    for (const scheme of [ES256, ...schemes.slice(3)]) {
      equal(await verifySignature(ED25519, scheme, ED25519_SIGNATURE, PAE, "any"), false);
    }
  });

  it("rejects signatures of any other length without a throw", async () => {
    const rsa = parseSpki(rsaSpki(modulus(2048), Uint8Array.of(1, 0, 1)));
    for (const length of [0, 1, 31, 32, 63, 65, 66, 96, 127, 128, 132, 255, 257, 4096]) {
      const signature = new Uint8Array(length).fill(1);
      equal(await verifySignature(ED25519, { name: "Ed25519" }, signature, PAE), false);
      equal(await verifySignature(P256, ES256, signature, PAE, "any"), false);
      equal(await verifySignature(rsa, defaultScheme(rsa), signature, PAE), false);
      equal(
        await verifySignature(rsa, { name: "RSA-PSS", hash: "SHA-256" }, signature, PAE),
        false,
      );
    }
  });

  it("rejects r or s that are zero or not below the order", async () => {
    const n = decodeHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    const zero = new Uint8Array(32);
    const [r, s] = [P256_SIGNATURE.slice(0, 32), P256_SIGNATURE.slice(32)];
    for (const pair of [[zero, s], [r, zero], [zero, zero], [n, s], [r, n], [n, n]]) {
      equal(await verifySignature(P256, ES256, concat(...pair), PAE, "any"), false);
    }
  });

  it("verifies under each hash that the scheme names", async () => {
    for (const alg of ["ECDSA-P384-SHA256", "ECDSA-P521-SHA256", "ECDSA-P256-SHA512"] as const) {
      const { signer, trustedKey } = await generateSigner(alg);
      const signature = await signer.sign(PAE);
      ok(await trustedKey.verify(PAE, signature), alg);
      const key = parseSpki(trustedKey.spki);
      equal(await verifySignature(key, defaultScheme(key), signature, PAE), false);
    }
  });

  it("takes data in shared memory where there is any", async () => {
    if (typeof SharedArrayBuffer === "undefined") return;
    const shared = new Uint8Array(new SharedArrayBuffer(PAE.length));
    shared.set(PAE);
    ok(await verifySignature(ED25519, { name: "Ed25519" }, ED25519_SIGNATURE, shared));
  });

  it("asks no runtime about what no signature of the key can be", async () => {
    const rsa = parseSpki(rsaSpki(modulus(2048), Uint8Array.of(1, 0, 1)));
    const mlDsa = parseSpki(
      encodeSpki({ kind: "ML-DSA-44", encoded: new Uint8Array(ML_DSA["ML-DSA-44"].publicKey) }),
    );
    // Keys of their own: a runtime that takes everything must not have imported the others.
    const keys: [ReturnType<typeof parseSpki>, SignatureScheme, number][] = [
      [parseSpki(decodeHex(P256_SPKI)), ES256, 64],
      [parseSpki(ED25519.spki), { name: "Ed25519" }, 64],
      [rsa, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, 256],
      [rsa, { name: "RSA-PSS", hash: "SHA-256" }, 256],
      [mlDsa, { name: "ML-DSA-44" }, ML_DSA["ML-DSA-44"].signature],
    ];
    const lax = {
      importKey: () => Promise.resolve({}),
      verify: () => Promise.resolve(true),
    };
    await withSubtle(lax, async () => {
      for (const [key, scheme, length] of keys) {
        const accepts = (of: SignatureScheme, octets: number) =>
          verifySignature(key, of, new Uint8Array(octets).fill(1), PAE, "any");
        ok(await accepts(scheme, length), scheme.name);
        for (const octets of [0, length - 1, length + 1, 2 * length]) {
          equal(await accepts(scheme, octets), false, `${scheme.name} ${octets}`);
        }
        for (const [other, of] of keys) {
          if (other !== key) equal(await accepts(of, length), false, `${scheme.name} ${of.name}`);
        }
        equal(await accepts({ name: "ML-DSA-65" }, length), false, scheme.name);
      }
    });
  });

  it("imports anew what a runtime has refused, and says that it has", async () => {
    const key = parseSpki(decodeHex(P256_SPKI));
    const refused = await withSubtle(
      { importKey: () => Promise.reject(new DOMException("no", "NotSupportedError")) },
      () => refusal(() => importForVerification(key, ES256)),
    );
    ok(refused.includes("no"), refused);
    ok(await verifySignature(key, ES256, P256_SIGNATURE, PAE, "any"));
  });

  it("imports a key once per scheme", async () => {
    const key = parseSpki(decodeHex(P256_SPKI));
    const pending = importForVerification(key, ES256);
    equal(importForVerification(key, ES256), pending);
    const first = await pending;
    equal(await importForVerification(key, { name: "ECDSA", hash: "SHA-512" }), first);
    equal(importForVerification(key, ES256), first);
    const rsa = parseSpki(rsaSpki(modulus(2048), Uint8Array.of(1, 0, 1)));
    const pkcs1 = await importForVerification(rsa, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" });
    const pss = await importForVerification(rsa, { name: "RSA-PSS", hash: "SHA-256" });
    ok(pkcs1 !== pss);
    equal(pss.algorithm.name, "RSA-PSS");
  });
});

describe("verifyDigestSignature()", () => {
  const digest = sha256(PAE);
  const der = p1363ToDer(P256_SIGNATURE);

  it("verifies a signature without the data", async () => {
    equal(await verifyDigestSignature(P256, der, digest), true);
    equal(await verifyDigestSignature(P256, der, sha256(digest)), false);
  });

  it("takes high s as WebCrypto does", async () => {
    const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const hex = Array.from(
      P256_SIGNATURE.slice(32),
      (octet) => octet.toString(16).padStart(2, "0"),
    );
    const other = (n - BigInt(`0x${hex.join("")}`)).toString(16).padStart(64, "0");
    const signature = concat(P256_SIGNATURE.slice(0, 32), decodeHex(other));
    ok(await verifySignature(P256, ES256, signature, PAE, "p1363"));
    equal(await verifyDigestSignature(P256, p1363ToDer(signature), digest), true);
  });

  it("rejects r‖s, cut signatures and digests of no known size", async () => {
    equal(await verifyDigestSignature(P256, P256_SIGNATURE, digest), false);
    equal(await verifyDigestSignature(P256, der.slice(0, -1), digest), false);
    equal(await verifyDigestSignature(P256, der, digest.slice(0, 20)), false);
    equal(await verifyDigestSignature(P256, der, new Uint8Array(0)), false);
    equal(await verifyDigestSignature(P256, der, concat(digest, digest).slice(0, 33)), false);
  });

  it("verifies P-384 and P-521 under each hash", async () => {
    for (const alg of ["ES384", "ES512", "ECDSA-P384-SHA256", "ECDSA-P256-SHA512"] as const) {
      const { signer, trustedKey } = await generateSigner(alg);
      const bits = alg.endsWith("256") ? 256 : alg === "ES384" ? 384 : 512;
      const hashed = new Uint8Array(await crypto.subtle.digest(`SHA-${bits}`, PAE));
      const signature = await signer.sign(PAE);
      equal(await verifyDigestSignature(parseSpki(trustedKey.spki), signature, hashed), true);
      hashed[0] ^= 1;
      equal(await verifyDigestSignature(parseSpki(trustedKey.spki), signature, hashed), false);
    }
  });

  it("does not decide for other kinds of key", async () => {
    equal(await verifyDigestSignature(ED25519, ED25519_SIGNATURE, digest), undefined);
    const rsa = parseSpki(rsaSpki(modulus(2048), Uint8Array.of(3)));
    equal(await verifyDigestSignature(rsa, new Uint8Array(256), digest), undefined);
  });
});
