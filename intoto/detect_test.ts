import { strictEqual as equal } from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../internal/json.ts";
import { detectFormat } from "./detect.ts";

const ENVELOPE = { payload: "", payloadType: "t", signatures: [] };

test("detectFormat() knows each shape by its members", () => {
  equal(detectFormat({ verificationMaterial: {}, dsseEnvelope: ENVELOPE }), "sigstore-bundle");
  equal(detectFormat({ dsseEnvelope: ENVELOPE }), "sigstore-bundle");
  const mediaType = "application/vnd.dev.sigstore.bundle";
  equal(detectFormat({ mediaType: `${mediaType}.v0.3+json` }), "sigstore-bundle");
  equal(detectFormat({ mediaType: `${mediaType}+json;version=0.1` }), "sigstore-bundle");
  equal(detectFormat(ENVELOPE), "dsse");
  equal(detectFormat({ _type: "", predicateType: "", subject: [] }), "statement");
  const bundle = { verificationMaterial: {} };
  equal(detectFormat({ attestations: [{ predicateType: "t", bundle }] }), "npm-attestations");
  equal(detectFormat({ attestations: [{ bundle, repository_id: 1 }] }), "github-attestations");
});

test("detectFormat() takes anything else for unknown", () => {
  const others: JsonObject[] = [
    {},
    { payload: "" },
    { signatures: [] },
    { _type: "link" },
    { predicateType: "t" },
    { mediaType: "application/vnd.oci.image.manifest.v1+json" },
    { mediaType: 5 },
    { attestations: [] },
    { attestations: [null] },
    { attestations: {} },
    { base64Signature: "", cert: "", rekorBundle: {} },
  ];
  for (const value of others) equal(detectFormat(value), "unknown", JSON.stringify(value));
  equal(detectFormat(Object.create(ENVELOPE)), "unknown");
  equal(detectFormat(JSON.parse(`{"__proto__":{"payload":"","signatures":[]}}`)), "unknown");
});

test("detectFormat() does not choose between two formats", () => {
  equal(detectFormat({ ...ENVELOPE, verificationMaterial: {} }), "unknown");
  equal(detectFormat({ ...ENVELOPE, _type: "", predicateType: "" }), "unknown");
});
