import { rejects, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { parseSpki } from "../keys/public_key.ts";
import { testKey } from "../tools/pki/keys.ts";
import type { Scheme } from "./_scheme.ts";
import { refuseOtherDigest, verifyArtifactSignature } from "./signed_artifact.ts";

const CONTENT = utf8("An artifact"), OTHER = utf8("Another artifact");
const digestOf = (content: Uint8Array) => ({ sha256: encodeHex(sha256(content)) });

describe("refuseOtherDigest()", () => {
  const stated = (algorithm: "sha256" | "sha384") => ({
    kind: "message" as const,
    signature: new Uint8Array(),
    digest: { algorithm, value: sha256(CONTENT) },
  });

  it("refuses another digest, in either case, of an algorithm that is known", () => {
    refuseOtherDigest(stated("sha256"), { digest: digestOf(CONTENT) });
    const upper = { sha256: digestOf(CONTENT).sha256.toUpperCase() };
    refuseOtherDigest(stated("sha256"), { digest: upper });
    refuseOtherDigest(stated("sha384"), { digest: digestOf(OTHER) });
    throws(() => refuseOtherDigest(stated("sha256"), { digest: digestOf(OTHER) }), {
      reason: "message-digest-mismatch",
      path: "/messageSignature/messageDigest",
    });
  });
});

describe("verifyArtifactSignature()", () => {
  const ECDSA: Scheme = { name: "ECDSA", hash: "SHA-256" };
  const signers: [string, Scheme, string][] = [
    ["leaf-p256", ECDSA, " or its SHA-256 digest"],
    ["leaf-rsa", { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, ""],
    ["rekor2", { name: "Ed25519" }, ""],
  ];
  for (const [name, scheme, more] of signers) {
    it(`${scheme.name}: asks for the bytes, and says what else would do`, async () => {
      const key = await testKey(name);
      const spki = parseSpki(key.spki), signature = await key.sign(CONTENT);
      const verify = (content: Uint8Array) =>
        verifyArtifactSignature(spki, scheme, signature, { content, digest: {} });
      equal(await verify(CONTENT), true);
      equal(await verify(OTHER), false);
      await rejects(verifyArtifactSignature(spki, scheme, signature, { digest: {} }), {
        reason: "artifact-required",
        message: `Cannot verify bundle: its ${scheme.name} signature needs the artifact itself` +
          more,
      });
    });
  }

  it("takes the digest for ECDSA, and for nothing else", async () => {
    for (const [name, scheme] of signers) {
      const key = await testKey(name);
      const spki = parseSpki(key.spki), signature = await key.sign(CONTENT);
      const verify = (content: Uint8Array) =>
        verifyArtifactSignature(spki, scheme, signature, { digest: digestOf(content) });
      if (scheme.name === "ECDSA") {
        equal(await verify(CONTENT), true);
        equal(await verify(OTHER), false);
      } else await rejects(verify(CONTENT), { reason: "artifact-required" });
    }
  });
});
