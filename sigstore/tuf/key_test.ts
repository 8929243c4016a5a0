import { strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { Json, JsonObject } from "../../internal/json.ts";
import { encodePem } from "../../internal/pem.ts";
import { generateSigner, type KeyAlgorithm } from "../../keys/mod.ts";
import { readTufKey } from "./key.ts";

async function pemOf(alg: KeyAlgorithm): Promise<string> {
  return encodePem("PUBLIC KEY", await (await generateSigner(alg)).signer.publicKey());
}

describe("readTufKey()", () => {
  it("reads a key of the kind that its scheme is for, and no other", async () => {
    const keys = await Promise.all(
      (["Ed25519", "ES256", "ES384", "RS256"] as const).map(async (alg) =>
        [alg, await pemOf(alg)] as const
      ),
    );
    const schemes: [string, string, KeyAlgorithm][] = [
      ["ecdsa", "ecdsa-sha2-nistp256", "ES256"],
      ["ecdsa", "ecdsa-sha2-nistp384", "ES384"],
      ["rsa", "rsassa-pss-sha256", "RS256"],
    ];
    for (const [keytype, scheme, own] of schemes) {
      for (const [alg, text] of keys) {
        const key = readTufKey({ keytype, scheme, keyval: { public: text } });
        equal(key !== undefined, alg === own, `${alg} as ${scheme}`);
      }
    }
  });

  const unusable: Record<string, JsonObject> = {
    "an unknown scheme": { scheme: "sphincs+-shake-128s" },
    "a scheme that every object has": { scheme: "toString" },
    "a scheme of another type": { keytype: "rsa" },
    "a key type that every object has": { keytype: "constructor" },
    "no text of the key": { keyval: {} },
    "a point that is no hex": { keyval: { public: "zz".repeat(32) } },
    "a point that is too short": { keyval: { public: "00".repeat(31) } },
    "a point of small order": { keyval: { public: "01" + "00".repeat(31) } },
  };
  for (const [what, changes] of Object.entries(unusable)) {
    it(`passes over a key with ${what}`, () => {
      const key = { keytype: "ed25519", scheme: "ed25519", keyval: { public: "11".repeat(32) } };
      equal(readTufKey({ ...key, ...changes }), undefined);
    });
  }

  it("passes over a key that is no text, of every scheme", () => {
    const schemes = [["ed25519", "ed25519"], ["ecdsa", "ecdsa-sha2-nistp256"], [
      "rsa",
      "rsassa-pss-sha256",
    ]];
    for (const [keytype, scheme] of schemes) {
      for (const text of [1, null, ["00".repeat(32)], {}] as Json[]) {
        equal(readTufKey({ keytype, scheme, keyval: { public: text } }), undefined);
      }
    }
  });
});
