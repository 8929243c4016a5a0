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
  equal(detectFormat({ mimeType: "t", payload: "", annotations: {} }), "cosign-layer");
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
    { attestations: [{}] },
    { attestations: [{ predicateType: "t" }] },
    { attestations: {} },
    { base64Signature: "", cert: "", rekorBundle: {} },
    { mimeType: "t", payload: "" },
    { mimeType: "t", annotations: {} },
    { payload: "", annotations: {} },
  ];
  for (const value of others) equal(detectFormat(value), "unknown", JSON.stringify(value));
  const inherited: JsonObject[] = [
    ENVELOPE,
    { mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.1" },
    { attestations: [{ bundle: {} }] },
  ];
  for (const value of inherited) equal(detectFormat(Object.create(value)), "unknown");
  equal(detectFormat(JSON.parse(`{"__proto__":{"payload":"","signatures":[]}}`)), "unknown");
});

test("detectFormat() does not choose between two formats", () => {
  equal(detectFormat({ ...ENVELOPE, verificationMaterial: {} }), "unknown");
  equal(detectFormat({ ...ENVELOPE, _type: "", predicateType: "" }), "unknown");
});

test("detectFormat() does not take for its own what other readers take for theirs", () => {
  for (const name of ["protected", "signed", "serializedPayload", "bomFormat", "spdxVersion"]) {
    equal(detectFormat({ ...ENVELOPE, [name]: "" }), "unknown", name);
  }
  equal(detectFormat({ ...ENVELOPE, signatures: [null, { protected: "" }] }), "unknown");
  equal(detectFormat({ ...ENVELOPE, signatures: [null, "protected", { sig: "" }] }), "dsse");
});
