import { AttestationError } from "../errors.ts";
import { isObject, type Json, type JsonObject, jsonText, quote } from "../internal/json.ts";
import { otherSpelling } from "../internal/member_names.ts";
import { refuse, type Report } from "../internal/problem.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import { type ResourceDescriptor, withoutNulls } from "../intoto/resource_descriptor.ts";
import type { Statement } from "../intoto/statement.ts";
import {
  checkProvenanceV0_1,
  checkProvenanceV0_2,
  PROVENANCE_V0_1,
  PROVENANCE_V0_1_INTOTO,
  PROVENANCE_V0_2,
} from "./provenance_v0.ts";
import { checkProvenance, PROVENANCE_V1, type ProvenanceV1 } from "./provenance_v1.ts";
import { commitOf, fromUri, type ProvenanceSource, sourceOfV1 } from "./source.ts";

/** SLSA provenance of any version in one shape. */
export interface Provenance {
  /** `predicateType` as it was signed. */
  predicateType: string;
  /** True if it was not signed as provenance v1, and this is a translation. */
  derived: boolean;
  /** URI of the meaning of the parameters. */
  buildType: string;
  /** URI of the builder, as it was signed. */
  builderId: string;
  /** Parameters from outside. */
  externalParameters: JsonObject;
  /** Parameters of the platform. */
  internalParameters: JsonObject;
  /** What was fetched for the build. */
  resolvedDependencies: readonly ResourceDescriptor[];
  /** What else came out of it. */
  byproducts: readonly ResourceDescriptor[];
  /** Name of the run. */
  invocationId?: string;
  /** Start of the run, as the builder tells it. */
  startedOn?: Date;
  /** End of the run, as the builder tells it. */
  finishedOn?: Date;
  /** Source of the build, if its build type is known to name one. */
  source?: ProvenanceSource;
}

/** Every `predicateType` that {@linkcode parseProvenance} reads, newest first. */
export const PROVENANCE_TYPES: readonly string[] = [
  PROVENANCE_V1,
  PROVENANCE_V0_2,
  PROVENANCE_V0_1,
  PROVENANCE_V0_1_INTOTO,
];

/**
 * Reads SLSA provenance of any version into one shape. Verifies nothing: whether its
 * builder may be believed, {@linkcode evaluateProvenance} tells.
 *
 * What v0.2 and v0.1 call parameters, entry point and source are external parameters, the
 * environment is the internal ones, and materials are dependencies.
 *
 * Source: SLSA 1.2, build-provenance.md, "Schema" and "Migrating from 0.2"; SLSA 0.2 and
 * 0.1, provenance.md.
 *
 * @param statement A Statement as `parseStatement()` gives it.
 * @returns The provenance; `source` only where the build type is known to name one.
 * @throws {AttestationError} `predicate-type-mismatch` if it is no provenance,
 * `missing-predicate`, or the reasons of {@linkcode validateProvenancePredicate}.
 *
 * @example
 * ```ts
 * import { parseProvenance } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const provenance = parseProvenance({
 *   _type: "https://in-toto.io/Statement/v0.1",
 *   subject: [{ name: "app", digest: { sha256: "a".repeat(64) } }],
 *   predicateType: "https://slsa.dev/provenance/v0.2",
 *   predicate: {
 *     builder: { id: "https://example.com/builder" },
 *     buildType: "https://example.com/build/v1",
 *     invocation: { configSource: { uri: "git+https://example.com/a/b@refs/tags/v1" } },
 *   },
 * });
 * assert.ok(provenance.derived);
 * assert.equal(provenance.source?.ref, "refs/tags/v1");
 * ```
 */
export function parseProvenance(statement: Statement): Provenance {
  const { predicateType, predicate } = statement;
  const read = READERS.get(predicateType);
  if (read === undefined) {
    throw new AttestationError(
      "predicate-type-mismatch",
      `Cannot read provenance: found predicate type ${quote(predicateType)}`,
      { path: "/predicateType" },
    );
  }
  if (predicate === undefined || predicate === null) {
    throw new AttestationError("missing-predicate", "Cannot read provenance: no predicate", {
      path: "/predicate",
    });
  }
  return read(predicate, predicateType, (reason, path, message) => {
    refuse(reason, `/predicate${path}`, message);
  });
}

const isMisspelled = otherSpelling([
  "buildDefinition",
  "resolvedDependencies",
  "materials",
  "invocation",
  "configSource",
  "uri",
  "name",
  "digest",
  "downloadLocation",
]);

/**
 * Tells whether there is a member that other readers take for dependencies, or for a part of
 * one: by the names of Protocol Buffers, or whatever the case of its letters.
 */
export function hidesDependencies(predicate: Json | undefined): boolean {
  const open: (Json | undefined)[] = [predicate];
  for (let i = 0; i < open.length; i++) {
    const value = open[i];
    if (Array.isArray(value)) { for (const one of value) open.push(one); }
    if (!isObject(value)) continue;
    if (isMisspelled(value)) return true;
    const { buildDefinition, resolvedDependencies, materials, invocation, configSource } = value;
    open.push(buildDefinition, resolvedDependencies, materials, invocation, configSource);
  }
  return false;
}

type Reader = (predicate: JsonObject, predicateType: string, report: Report) => Provenance;

const READERS: ReadonlyMap<string, Reader> = new Map([
  [PROVENANCE_V1, readV1],
  [PROVENANCE_V0_2, readV0_2],
  [PROVENANCE_V0_1, readV0_1],
  [PROVENANCE_V0_1_INTOTO, readV0_1],
]);

function readV1(predicate: JsonObject, predicateType: string, report: Report): Provenance {
  checkProvenance(predicate, report);
  const { buildDefinition, runDetails } = predicate as unknown as ProvenanceV1;
  const { buildType, externalParameters } = buildDefinition;
  const resolvedDependencies = plain(buildDefinition.resolvedDependencies);
  const provenance: Provenance = {
    predicateType,
    derived: false,
    buildType,
    builderId: runDetails.builder.id,
    externalParameters,
    internalParameters: buildDefinition.internalParameters ?? {},
    resolvedDependencies,
    byproducts: plain(runDetails.byproducts),
  };
  const { invocationId, startedOn, finishedOn } = runDetails.metadata ?? {};
  addRun(provenance, invocationId, startedOn, finishedOn);
  const source = sourceOfV1(buildType, externalParameters, resolvedDependencies);
  if (source !== undefined) provenance.source = source;
  return provenance;
}

function readV0_2(predicate: JsonObject, predicateType: string, report: Report): Provenance {
  checkProvenanceV0_2(predicate, report);
  const invocation = objectOr(predicate.invocation);
  const config = objectOr(invocation.configSource);
  const externalParameters = parametersOf(invocation.parameters, "parameters");
  if (isText(config.entryPoint)) externalParameters.entryPoint = config.entryPoint;
  const materials = resources(predicate.materials);
  const resolvedDependencies = [...materials];
  let source: ProvenanceSource | undefined;
  if (isText(config.uri)) {
    externalParameters.source = config.uri;
    const known = materials.some(({ uri, digest }) =>
      uri === config.uri && sameDigests(digest, config.digest)
    );
    if (!known) resolvedDependencies.push(...resources([config]));
    source = fromUri(config.uri, commitOf(config.digest), textOr(config.entryPoint));
  }
  return derived(predicate, {
    predicateType,
    buildType: predicate.buildType,
    environment: invocation.environment,
    externalParameters,
    resolvedDependencies,
    source,
  });
}

function readV0_1(predicate: JsonObject, predicateType: string, report: Report): Provenance {
  checkProvenanceV0_1(predicate, report);
  const recipe = objectOr(predicate.recipe);
  const externalParameters = parametersOf(recipe.arguments, "arguments");
  if (isText(recipe.entryPoint)) externalParameters.entryPoint = recipe.entryPoint;
  const resolvedDependencies = resources(predicate.materials);
  const index = recipe.definedInMaterial;
  const material = typeof index === "number" ? resolvedDependencies[index] : undefined;
  let source: ProvenanceSource | undefined;
  if (material?.uri !== undefined) {
    externalParameters.source = material.uri;
    source = fromUri(material.uri, commitOf(material.digest), textOr(recipe.entryPoint));
  }
  return derived(predicate, {
    predicateType,
    buildType: recipe.type,
    environment: recipe.environment,
    externalParameters,
    resolvedDependencies,
    source,
  });
}

/** What the versions before 1 state in their own places. */
interface EarlyParts {
  predicateType: string;
  buildType: Json | undefined;
  environment: Json | undefined;
  externalParameters: JsonObject;
  resolvedDependencies: ResourceDescriptor[];
  source: ProvenanceSource | undefined;
}

/** The shape of version 1 from what the versions before it have in common. */
function derived(
  predicate: JsonObject,
  { buildType, environment, source, ...parts }: EarlyParts,
): Provenance {
  const provenance: Provenance = {
    ...parts,
    derived: true,
    buildType: jsonText(buildType),
    builderId: jsonText(objectOr(predicate.builder).id),
    internalParameters: environmentOf(environment),
    byproducts: [],
  };
  const metadata = objectOr(predicate.metadata);
  addRun(
    provenance,
    metadata.buildInvocationId,
    metadata.buildStartedOn,
    metadata.buildFinishedOn,
  );
  if (source !== undefined) provenance.source = source;
  return provenance;
}

function addRun(
  provenance: Provenance,
  invocationId: Json | undefined,
  startedOn: Json | undefined,
  finishedOn: Json | undefined,
): void {
  if (isText(invocationId)) provenance.invocationId = invocationId;
  const started = isText(startedOn) ? parseTimestamp(startedOn) : undefined;
  if (started !== undefined) provenance.startedOn = started;
  const finished = isText(finishedOn) ? parseTimestamp(finishedOn) : undefined;
  if (finished !== undefined) provenance.finishedOn = finished;
}

/** Parameters as members; apart, where they would hide behind those that are added. */
function parametersOf(value: Json | undefined, name: string): JsonObject {
  if (value === undefined || value === null) return {};
  const apart = !isObject(value) || Object.hasOwn(value, "source") ||
    Object.hasOwn(value, "entryPoint");
  return apart ? { [name]: value } : { ...value };
}

function environmentOf(value: Json | undefined): JsonObject {
  if (isObject(value)) return value;
  return Array.isArray(value) ? { environment: value } : {};
}

/** Resources of version 1, less the members that are null, which is the same as absent. */
function plain(list: readonly ResourceDescriptor[] | null | undefined): ResourceDescriptor[] {
  return (list ?? []).map((one) => Object.values(one).includes(null) ? withoutNulls(one) : one);
}

function resources(value: Json | undefined): ResourceDescriptor[] {
  if (!Array.isArray(value)) return [];
  return value.map((item) => {
    const { uri, digest } = objectOr(item);
    const resource: ResourceDescriptor = {};
    if (isText(uri)) resource.uri = uri;
    if (isObject(digest)) resource.digest = digest as Record<string, string>;
    return resource;
  });
}

function sameDigests(left: ResourceDescriptor["digest"], right: Json | undefined): boolean {
  const other = objectOr(right);
  const names = Object.keys(left ?? {});
  return names.length === Object.keys(other).length &&
    names.every((name) => left?.[name] === other[name]);
}

function objectOr(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function textOr(value: Json | undefined): string | undefined {
  return isText(value) ? value : undefined;
}

function isText(value: Json | undefined): value is string {
  return typeof value === "string" && value !== "";
}
