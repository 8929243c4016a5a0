import { AttestationError } from "../errors.ts";
import { copyJson, isObject, type Json, type JsonObject, parseJson } from "../internal/json.ts";

/** One attestation in the answer of a registry. Nothing of it is verified. */
export interface NpmAttestation {
  /** What the registry says that it is; the signed Statement must agree. */
  predicateType: string;
  /** Sigstore bundle. */
  bundle: JsonObject;
}

/** Predicate type of the attestation that a registry makes when it publishes. */
export const NPM_PUBLISH = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1";

/** Predicate types of the provenance that npm accepts. */
export const NPM_PROVENANCE: readonly string[] = [
  "https://slsa.dev/provenance/v1",
  "https://slsa.dev/provenance/v0.2",
];

const MAX_BYTES = 48 << 20;
const MAX_ATTESTATIONS = 64;

/**
 * Reads the answer of a registry to `GET /-/npm/v1/attestations/NAME@VERSION`:
 * `{ "attestations": [{ "predicateType", "bundle" }] }`. Other members are ignored.
 *
 * @param source Text, bytes or parsed JSON.
 * @throws {AttestationError} `malformed-npm-answer` with the place, `limit-exceeded` (more
 * than 64 attestations, or 48 MiB), or what is wrong with the JSON.
 *
 * @example An answer without attestations
 * ```ts
 * import { parseNpmAttestations } from "@x/attest/npm";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseNpmAttestations('{"attestations":[]}'), []);
 * ```
 */
export function parseNpmAttestations(source: string | Uint8Array | object): NpmAttestation[] {
  const document: Json = typeof source === "string" || source instanceof Uint8Array
    ? parseJson(source, { maxLength: MAX_BYTES })
    : copyJson(source);
  const list = isObject(document) ? document.attestations : undefined;
  if (!Array.isArray(list)) throw malformed("/attestations", "attestations is no array");
  if (list.length > MAX_ATTESTATIONS) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read npm attestations: ${list.length}, at most ${MAX_ATTESTATIONS} are accepted`,
      { path: "/attestations" },
    );
  }
  return list.map((value, index) => {
    const path = `/attestations/${index}`;
    if (!isObject(value)) throw malformed(path, "an attestation is no object");
    const { predicateType, bundle } = value;
    if (typeof predicateType !== "string" || predicateType === "") {
      throw malformed(`${path}/predicateType`, "predicateType is no text");
    }
    if (!isObject(bundle)) throw malformed(`${path}/bundle`, "bundle is no object");
    return { predicateType, bundle };
  });
}

function malformed(path: string, why: string): AttestationError {
  return new AttestationError("malformed-npm-answer", `Cannot read npm attestations: ${why}`, {
    path,
  });
}
