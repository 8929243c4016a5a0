import { isObject, type JsonObject } from "../internal/json.ts";

/** What {@linkcode detectFormat} tells apart. */
export type AttestationShape =
  | "sigstore-bundle"
  | "dsse"
  | "statement"
  | "cosign-layer"
  | "npm-attestations"
  | "github-attestations"
  | "unknown";

const BUNDLE_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle";

/**
 * Tells by its members what a JSON object is meant to be. It looks at the shape only: what
 * is found is neither complete nor verified, and may still be refused by its parser.
 *
 * An object that has the marks of two formats is `unknown`: readers must not differ in
 * what they take it for.
 *
 * Source: in-toto attestation v1, bundle.md; sigstore/protobuf-specs,
 * sigstore_bundle.proto; DSSE 1.0.2, envelope.md; npm and GitHub attestation answers.
 *
 * @param value A JSON object, such as one line of JSON Lines.
 * @returns `sigstore-bundle`; `dsse` for an envelope; `statement` for one that is not
 * signed; `cosign-layer` for a layer under a tag of cosign, with its annotations;
 * `npm-attestations` and `github-attestations` for a registry's answer that holds bundles; or
 * `unknown`.
 *
 * @example
 * ```ts
 * import { detectFormat } from "@x/attest/intoto";
 * import assert from "node:assert/strict";
 *
 * assert.equal(detectFormat({ payload: "", payloadType: "", signatures: [] }), "dsse");
 * assert.equal(detectFormat({ hello: "world" }), "unknown");
 * ```
 */
export function detectFormat(value: JsonObject): AttestationShape {
  const found: AttestationShape[] = [];
  if (has(value, "verificationMaterial") || has(value, "dsseEnvelope") || hasMediaType(value)) {
    found.push("sigstore-bundle");
  }
  if (has(value, "payload") && has(value, "signatures")) found.push("dsse");
  if (has(value, "_type") && has(value, "predicateType")) found.push("statement");
  if (has(value, "mimeType") && has(value, "payload") && has(value, "annotations")) {
    found.push("cosign-layer");
  }
  if (has(value, "attestations") && Array.isArray(value.attestations)) {
    const [first] = value.attestations;
    if (isObject(first) && has(first, "bundle")) {
      found.push(has(first, "predicateType") ? "npm-attestations" : "github-attestations");
    }
  }
  return found.length === 1 && !hasForeignMark(value) ? found[0] : "unknown";
}

function has(value: JsonObject, name: string): boolean {
  return Object.hasOwn(value, name);
}

const FOREIGN = /^(protected|signed|serializedPayload|bomFormat|spdxVersion)$/;

/** Marks of formats that other readers would take the object for: JWS, metablock, SBOM. */
function hasForeignMark(value: JsonObject): boolean {
  if (Object.keys(value).some((name) => FOREIGN.test(name))) return true;
  const { signatures } = value;
  return Array.isArray(signatures) &&
    signatures.some((one) => isObject(one) && has(one, "protected"));
}

function hasMediaType(value: JsonObject): boolean {
  return has(value, "mediaType") && typeof value.mediaType === "string" &&
    value.mediaType.startsWith(BUNDLE_MEDIA_TYPE);
}
