import type { Problem } from "../errors.ts";
import { isObject, type JsonObject, parseJson } from "../internal/json.ts";
import { listTo, pointer, refuse, type Report } from "../internal/problem.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import { objectAt, resourcesAt, textAt, timestampAt, wrongType } from "./_shape.ts";

/** `predicateType` of SLSA provenance 1.0, 1.1 and 1.2: one URI, one schema. */
export const PROVENANCE_V1 = "https://slsa.dev/provenance/v1";

/**
 * Predicate of SLSA provenance v1: how the subjects were built. Members that are not
 * listed here are extensions of the builder.
 *
 * Source: SLSA 1.2, build-provenance.md, "Schema".
 */
export interface ProvenanceV1 {
  /** What was asked for. */
  buildDefinition: BuildDefinition;
  /** How it was done. */
  runDetails: RunDetails;
}

/** What a build was asked to do. */
export interface BuildDefinition {
  /** URI of the meaning of the parameters. */
  buildType: string;
  /** Parameters that came from outside; a verifier has to look at each. Not empty. */
  externalParameters: JsonObject;
  /** Parameters that the platform set. */
  internalParameters?: JsonObject | null;
  /** What was fetched for the build, as far as it is known; the order has no meaning. */
  resolvedDependencies?: ResourceDescriptor[] | null;
}

/** The run that carried a build out. */
export interface RunDetails {
  /** The platform that is trusted to have done it. */
  builder: Builder;
  /** The run. */
  metadata?: BuildMetadata | null;
  /** What else came out of it: logs, intermediate files. */
  byproducts?: ResourceDescriptor[] | null;
}

/** The build platform. */
export interface Builder {
  /** URI of the platform and its mode; it alone determines the Build level. */
  id: string;
  /** Version of each component of the platform. */
  version?: Record<string, string> | null;
  /** What the platform itself is made of. */
  builderDependencies?: ResourceDescriptor[] | null;
}

/** Facts about one run. */
export interface BuildMetadata {
  /** Name of the run, unique for the builder; opaque and case-sensitive. */
  invocationId?: string | null;
  /** RFC 3339 with `Z`. */
  startedOn?: string | null;
  /** RFC 3339 with `Z`. */
  finishedOn?: string | null;
}

/**
 * Lists everything that is wrong with the shape of a SLSA provenance v1 predicate. What it
 * says is not judged.
 *
 * Unknown members are ignored; `null` and empty are the same as absent, so an
 * `externalParameters` of `{}` is missing. URIs may be any text that is not empty.
 *
 * Source: SLSA 1.2, build-provenance.md, "Schema" and "Parsing rules"; in-toto
 * attestation, go/predicates/provenance/v1.
 *
 * @param value What should be the predicate: parsed JSON.
 * @returns Problems with the reasons `malformed-predicate` (wrong JSON type),
 * `missing-predicate-field`, `invalid-timestamp`, and for resources
 * `malformed-resource-descriptor`, `empty-resource-descriptor`, `invalid-digest`,
 * `invalid-base64`.
 *
 * @example Nobody says who built it
 * ```ts
 * import { validateProvenancePredicate } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const problems = validateProvenancePredicate({
 *   buildDefinition: {
 *     buildType: "https://example.com/build/v1",
 *     externalParameters: { ref: "refs/tags/v1.0.0" },
 *   },
 *   runDetails: { builder: { id: "" } },
 * });
 * assert.equal(problems[0].reason, "missing-predicate-field");
 * assert.equal(problems[0].path, "/runDetails/builder/id");
 * ```
 */
export function validateProvenancePredicate(value: unknown): Problem[] {
  const problems: Problem[] = [];
  checkProvenance(value, listTo(problems));
  return problems;
}

/**
 * Reads a SLSA provenance v1 predicate; refuses it for its first problem.
 *
 * @param source JSON text, UTF-8 bytes or parsed JSON, such as the `predicate` of a
 * Statement whose `predicateType` is {@linkcode PROVENANCE_V1}.
 * @returns The predicate as it is, extensions included.
 * @throws {AttestationError} With the reasons of {@linkcode validateProvenancePredicate},
 * or those of strict JSON: `malformed-json`, `duplicate-json-key`, `invalid-unicode`,
 * `limit-exceeded`, `empty-input`.
 *
 * @example
 * ```ts
 * import { parseProvenancePredicate } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const provenance = parseProvenancePredicate({
 *   buildDefinition: {
 *     buildType: "https://example.com/build/v1",
 *     externalParameters: { ref: "refs/tags/v1.0.0" },
 *   },
 *   runDetails: { builder: { id: "https://example.com/builder" } },
 * });
 * assert.equal(provenance.runDetails.builder.id, "https://example.com/builder");
 * ```
 */
export function parseProvenancePredicate(source: string | Uint8Array | object): ProvenanceV1 {
  const value: unknown = typeof source === "string" || source instanceof Uint8Array
    ? parseJson(source)
    : source;
  checkProvenance(value, refuse);
  return value as ProvenanceV1;
}

/** Checks the shape of a provenance v1 predicate. */
export function checkProvenance(value: unknown, report: Report): void {
  if (!isObject(value)) {
    report("malformed-predicate", "", "Cannot read provenance: it is no JSON object");
    return;
  }
  const definition = objectAt(value, "", "buildDefinition", true, report);
  if (definition !== undefined) {
    const path = "/buildDefinition";
    textAt(definition, path, "buildType", true, report);
    objectAt(definition, path, "externalParameters", true, report);
    objectAt(definition, path, "internalParameters", false, report);
    resourcesAt(definition, path, "resolvedDependencies", report);
  }
  const details = objectAt(value, "", "runDetails", true, report);
  if (details === undefined) return;
  const builder = objectAt(details, "/runDetails", "builder", true, report);
  if (builder !== undefined) {
    const path = "/runDetails/builder";
    textAt(builder, path, "id", true, report);
    const version = objectAt(builder, path, "version", false, report) ?? {};
    for (const name of Object.keys(version)) {
      if (typeof version[name] === "string") continue;
      wrongType(pointer(`${path}/version`, name), "a string", report);
    }
    resourcesAt(builder, path, "builderDependencies", report);
  }
  const metadata = objectAt(details, "/runDetails", "metadata", false, report);
  if (metadata !== undefined) {
    const path = "/runDetails/metadata";
    textAt(metadata, path, "invocationId", false, report);
    timestampAt(metadata, path, "startedOn", report);
    timestampAt(metadata, path, "finishedOn", report);
  }
  resourcesAt(details, "/runDetails", "byproducts", report);
}
