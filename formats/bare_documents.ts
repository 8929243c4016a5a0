import { AttestationError } from "../errors.ts";
import {
  isObject,
  type JsonObject,
  jsonText,
  parseJson,
  printable,
  quote,
} from "../internal/json.ts";
import { parseStatement, type Statement } from "../intoto/statement.ts";
import { isSpdx3 } from "./bill_of_materials.ts";
import type { FormatModule } from "./format.ts";

/** Layers of a document that nobody signed. */
function bare(
  id: "spdx" | "cyclonedx",
  mark: (json: JsonObject) => boolean,
  facts: (json: JsonObject) => Record<string, string>,
): FormatModule<JsonObject> {
  const messageType = id === "spdx" ? "application/spdx+json" : "application/vnd.cyclonedx+json";
  return {
    id,
    layer: "statement",
    detect: ({ json }) => json !== undefined && mark(json) ? 3 : 0,
    parse(bytes, { maxBytes }) {
      const content = parseJson(bytes, { maxLength: maxBytes, maxDepth: 64 });
      if (!isObject(content) || !mark(content)) {
        throw new AttestationError("unknown-format", `Cannot read document: it is no ${id}`);
      }
      return {
        format: id,
        messageType,
        message: bytes,
        signatures: [],
        facts: facts(content),
        content,
      };
    },
    verify: () =>
      Promise.resolve({
        format: id,
        signers: [],
        coverage: "message",
        unauthenticated: {},
        proofs: [],
      }),
  };
}

/** An SPDX document by itself: nobody signed it, so it is never accepted. */
export const spdxDocument: FormatModule<JsonObject> = bare(
  "spdx",
  (json) =>
    typeof json.spdxVersion === "string" ||
    isSpdx3(json),
  (json) => ({
    version: printable(jsonText(json.spdxVersion ?? "SPDX-3")),
    ...(typeof json.documentNamespace === "string"
      ? { namespace: printable(json.documentNamespace) }
      : {}),
  }),
);

/**
 * A CycloneDX document by itself. A signature inside it (JSF) is told and not verified: its
 * key comes with it, so it says nothing about who made it.
 */
export const cycloneDxDocument: FormatModule<JsonObject> = bare(
  "cyclonedx",
  (json) => json.bomFormat === "CycloneDX",
  (json) => ({
    version: printable(jsonText(json.specVersion ?? "")),
    ...(typeof json.serialNumber === "string"
      ? { "serial number": printable(json.serialNumber) }
      : {}),
    ...(json.signature === undefined ? {} : { signature: "JSF, not verified" }),
  }),
);

const ANNOTATION = "in-toto.io/predicate-type";
const LAYER_TYPE = "application/vnd.in-toto+json";

/** A layer of an OCI manifest as BuildKit writes it for an attestation. */
export interface BuildKitLayer {
  /** Media type of the layer. */
  mediaType: string;
  /** Annotations of the layer. */
  annotations?: Readonly<Record<string, string>>;
}

/**
 * Reads the Statement in a layer of BuildKit's attestation manifest. Nobody signed it: it says
 * what whoever wrote the index says, and is never accepted as an attestation.
 *
 * Source: moby/buildkit, docs/attestations/attestation-storage.md.
 *
 * @param bytes The layer's bytes.
 * @param layer Its descriptor; the annotation and the Statement have to agree.
 * @throws {AttestationError} `unknown-format` (the layer is of another type),
 * `predicate-type-mismatch`, or what `parseStatement()` refuses.
 *
 * @example
 * ```ts
 * import { parseBuildKitStatement } from "@x/attest/formats";
 * import assert from "node:assert/strict";
 *
 * const statement = {
 *   _type: "https://in-toto.io/Statement/v0.1",
 *   subject: [{ name: "_", digest: { sha256: "a".repeat(64) } }],
 *   predicateType: "https://slsa.dev/provenance/v0.2",
 *   predicate: {},
 * };
 * const layer = {
 *   mediaType: "application/vnd.in-toto+json",
 *   annotations: { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2" },
 * };
 * const bytes = new TextEncoder().encode(JSON.stringify(statement));
 * assert.equal(parseBuildKitStatement(bytes, layer).subject.length, 1);
 * ```
 */
export function parseBuildKitStatement(bytes: Uint8Array, layer: BuildKitLayer): Statement {
  if (layer.mediaType !== LAYER_TYPE) {
    throw new AttestationError(
      "unknown-format",
      `Cannot read layer: its media type is ${quote(layer.mediaType)}, wanted ${LAYER_TYPE}`,
    );
  }
  // BuildKit gives all subjects of a v0.1 Statement one name.
  const statement = parseStatement(bytes, { lenientSubjectNames: true });
  const stated = layer.annotations?.[ANNOTATION];
  if (stated !== statement.predicateType) {
    throw new AttestationError(
      "predicate-type-mismatch",
      `Cannot read layer: its annotation says ${quote(stated ?? "nothing")}, the Statement ${
        quote(statement.predicateType)
      }`,
      { path: "/predicateType" },
    );
  }
  return statement;
}
