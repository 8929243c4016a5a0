import type { Reason } from "../../../errors.ts";
import { encodeBase64 } from "../../../internal/base64.ts";
import { utf8 } from "../../../internal/bytes.ts";
import type { JsonObject } from "../../../internal/json.ts";
import { preAuthenticationEncoding } from "../../pki/bundle.ts";
import { testKey } from "../../pki/keys.ts";
import type { Collection } from "../collection.ts";
import { sha256Hex } from "../statements.ts";
import { ARTIFACT, FormatCases } from "./format_cases.ts";

const TYPE = "application/vnd.dev.cosign.simplesigning.v1+json";
const CRITICAL: JsonObject = {
  type: "Google cloud binauthz container signature",
  image: { "docker-manifest-digest": `sha256:${sha256Hex(utf8(ARTIFACT))}` },
  identity: { "docker-reference": "registry.example/app" },
};

/** Attestations of Binary Authorization, and the simple signing payloads in them. */
export async function addContainers(collection: Collection): Promise<void> {
  const cases = new FormatCases(
    collection,
    "binary-authorization",
    "Binary Authorization, attestations; containers/image, atomic-signature.md",
  );
  const key = await testKey("dsse-p256");
  const keys = ["dsse-p256"];
  const attestation = async (payload: string, data: Uint8Array = utf8(payload)) =>
    JSON.stringify({
      serializedPayload: encodeBase64(utf8(payload)),
      signatures: [{ publicKeyId: "//kms/1", signature: encodeBase64(await key.sign(data)) }],
    });
  const of = async (value: JsonObject) => await attestation(JSON.stringify(value));
  const good = JSON.stringify({ critical: CRITICAL });
  await cases.add({
    id: "payload",
    why: "over the payload",
    document: await attestation(good),
    keys,
  });
  await cases.add({
    id: "dsse",
    why: "over the DSSE encoding of the payload",
    document: await attestation(good, preAuthenticationEncoding(TYPE, utf8(good))),
    keys,
  });
  const cosign = { ...CRITICAL, type: "cosign container image signature" };
  await cases.add({
    id: "cosign-null",
    why: "a payload of cosign, whose optional part may be null",
    document: await of({ critical: cosign, optional: null }),
    keys,
  });
  await cases.add({
    id: "optional-unknown",
    why: "members of optional that nobody knows are kept",
    document: await of({ critical: CRITICAL, optional: { more: 1 } }),
    keys,
  });
  const MALFORMED = "malformed-signature-payload";
  const bad: [id: string, why: string, payload: JsonObject, reason: Reason][] = [
    ["critical-unknown", "a critical member that nobody knows", {
      critical: { ...CRITICAL, more: 1 },
    }, MALFORMED],
    [
      "image-unknown",
      "a critical member of the image that nobody knows",
      { critical: { ...CRITICAL, image: { ...CRITICAL.image as JsonObject, other: 1 } } },
      MALFORMED,
    ],
    [
      "top-unknown",
      "a member beside critical and optional",
      { critical: CRITICAL, more: 1 },
      MALFORMED,
    ],
    [
      "type-unknown",
      "the type of no profile",
      { critical: { ...CRITICAL, type: "another" } },
      MALFORMED,
    ],
    [
      "atomic-null",
      "a null where the atomic profile wants an object",
      { critical: { ...CRITICAL, type: "atomic container signature" }, optional: null },
      MALFORMED,
    ],
    [
      "other-image",
      "the digest of another image",
      {
        critical: { ...CRITICAL, image: { "docker-manifest-digest": `sha256:${"0".repeat(64)}` } },
      },
      "subject-mismatch",
    ],
  ];
  for (const [id, why, payload, reason] of bad) {
    await cases.add({ id, why, document: await of(payload), reason, keys });
  }
  const twice = good.replace(
    '"image":{',
    `"image":{"docker-manifest-digest":"sha256:${"0".repeat(64)}",`,
  );
  await cases.add({
    id: "digest-twice",
    why: "two digests of the image",
    document: await attestation(twice),
    keys,
    reason: "duplicate-json-key",
  });
  await cases.add({
    id: "other-payload",
    why: "a signature over another payload",
    document: await attestation(good, utf8("other")),
    keys,
    reason: "invalid-signature",
  });
  await cases.add({
    id: "unsigned",
    why: "no signature",
    document: JSON.stringify({ serializedPayload: encodeBase64(utf8(good)), signatures: [] }),
    keys,
    reason: "missing-signatures",
  });
}
