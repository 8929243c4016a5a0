import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { type Der, parseDer } from "../internal/der.ts";
import type { PublicKey } from "../keys/public_key.ts";
import { element, nullValue, oid, sequence } from "../tools/pki/der_writer.ts";
import { certificateScheme, cmsScheme, detailedScheme, hashOf, keyDetailsOf } from "./_scheme.ts";

const RSA_SHA256 = "1.2.840.113549.1.1.11";
const ED25519 = "1.3.101.112";
const SHA256 = "2.16.840.1.101.3.4.2.1";
const SHA1 = "1.3.14.3.2.26";

function algorithm(name: string, ...parameters: Uint8Array[]): Der {
  return parseDer(sequence(oid(name), ...parameters));
}

/** A key of a kind; its bytes are not looked at. */
function keyOf(kind: PublicKey["kind"], more: Partial<PublicKey> = {}): PublicKey {
  return { kind, spki: new Uint8Array(), fingerprint: "", ...more };
}

describe("certificateScheme() and hashOf()", () => {
  it("take parameters that are absent or NULL, and no others", () => {
    const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    for (const parameters of [[], [nullValue()]]) {
      deepEqual(certificateScheme(algorithm(RSA_SHA256, ...parameters)), rsa);
      equal(hashOf(algorithm(SHA256, ...parameters)), "SHA-256");
    }
    const others = [
      [sequence()],
      [oid(SHA256)],
      [nullValue(), nullValue()],
      [nullValue(), sequence()],
      [element(0x05, Uint8Array.of(0))],
    ];
    for (const parameters of others) {
      equal(certificateScheme(algorithm(RSA_SHA256, ...parameters)), undefined);
      equal(hashOf(algorithm(SHA256, ...parameters)), undefined);
    }
  });

  it("know no SHA-1", () => {
    equal(certificateScheme(algorithm("1.2.840.113549.1.1.5", nullValue())), undefined);
    equal(certificateScheme(algorithm("1.2.840.10045.4.1")), undefined);
    equal(hashOf(algorithm(SHA1, nullValue())), undefined);
  });
});

describe("cmsScheme()", () => {
  it("takes the hash from the digest algorithm where the key's kind alone is named", () => {
    deepEqual(cmsScheme(algorithm("1.2.840.10045.2.1"), "SHA-384"), {
      name: "ECDSA",
      hash: "SHA-384",
    });
    deepEqual(cmsScheme(algorithm("1.2.840.113549.1.1.1", nullValue()), "SHA-512"), {
      name: "RSASSA-PKCS1-v1_5",
      hash: "SHA-512",
    });
  });

  it("refuses two hashes, unless the scheme has none", () => {
    equal(cmsScheme(algorithm(RSA_SHA256), "SHA-256")?.name, "RSASSA-PKCS1-v1_5");
    equal(cmsScheme(algorithm(RSA_SHA256), "SHA-512"), undefined);
    equal(cmsScheme(algorithm(SHA1), "SHA-256"), undefined);
    deepEqual(cmsScheme(algorithm(ED25519), "SHA-512"), { name: "Ed25519" });
  });
});

describe("detailedScheme() and keyDetailsOf()", () => {
  it("take a name for the key that it fits, and for no other", () => {
    const keys = {
      PKIX_ECDSA_P256_SHA_256: keyOf("EC", { curve: "P-256" }),
      PKIX_ECDSA_P384_SHA_384: keyOf("EC", { curve: "P-384" }),
      PKIX_ED25519: keyOf("Ed25519"),
      PKIX_RSA_PKCS1V15_2048_SHA256: keyOf("RSA", { modulusBits: 2048 }),
      PKIX_RSA_PKCS1V15_3072_SHA256: keyOf("RSA", { modulusBits: 3072 }),
      none: keyOf("ML-DSA-65"),
    };
    for (const [named, key] of Object.entries(keys)) {
      for (const name of Object.keys(keys)) {
        equal(detailedScheme(name, key) !== undefined, name === named && name !== "none", name);
      }
    }
    equal(detailedScheme("toString", keys.PKIX_ED25519), undefined);
  });

  it("name a key by its hash and padding too", () => {
    const p384 = keyOf("EC", { curve: "P-384" }), rsa = keyOf("RSA", { modulusBits: 2048 });
    equal(keyDetailsOf(p384, { name: "ECDSA", hash: "SHA-384" }), "PKIX_ECDSA_P384_SHA_384");
    equal(keyDetailsOf(p384, { name: "ECDSA", hash: "SHA-256" }), "PKIX_ECDSA_P384_SHA_256");
    equal(keyDetailsOf(p384, { name: "ECDSA", hash: "SHA-512" }), undefined);
    equal(keyDetailsOf(rsa, { name: "RSA-PSS", hash: "SHA-256" }), "PKIX_RSA_PSS_2048_SHA256");
    equal(keyDetailsOf(keyOf("Ed25519"), { name: "Ed25519" }), "PKIX_ED25519");
  });
});
