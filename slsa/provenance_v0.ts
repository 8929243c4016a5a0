import type { Problem } from "../errors.ts";
import { isObject, type Json, type JsonObject } from "../internal/json.ts";
import { listTo, pointer, type Report } from "../internal/problem.ts";
import { checkDigestSet } from "../intoto/digest_set.ts";
import { objectAt, textAt, timestampAt, wrongType } from "./_shape.ts";

/** `predicateType` of SLSA provenance 0.2. */
export const PROVENANCE_V0_2 = "https://slsa.dev/provenance/v0.2";

/** `predicateType` of SLSA provenance 0.1. */
export const PROVENANCE_V0_1 = "https://slsa.dev/provenance/v0.1";

/** `predicateType` of SLSA provenance 0.1 before SLSA had a name of its own. */
export const PROVENANCE_V0_1_INTOTO = "https://in-toto.io/Provenance/v0.1";

/**
 * Lists everything that is wrong with the shape of a SLSA provenance v0.2 predicate.
 *
 * Unknown members are ignored; `null` and empty are the same as absent. `parameters` and
 * `environment` may be any JSON: real builders write arrays.
 *
 * Source: SLSA 0.2, provenance.md, "Schema" and "Parsing rules".
 *
 * @param value What should be the predicate: parsed JSON.
 * @returns Problems with the reasons `malformed-predicate`, `missing-predicate-field`,
 * `invalid-timestamp`, `malformed-resource-descriptor` and `invalid-digest`.
 *
 * @example
 * ```ts
 * import { validateProvenanceV0_2 } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const problems = validateProvenanceV0_2({ builder: { id: "https://example.com/builder" } });
 * assert.equal(problems[0].path, "/buildType");
 * ```
 */
export function validateProvenanceV0_2(value: unknown): Problem[] {
  const problems: Problem[] = [];
  checkProvenanceV0_2(value, listTo(problems));
  return problems;
}

/**
 * Lists everything that is wrong with the shape of a SLSA provenance v0.1 predicate.
 *
 * Source: SLSA 0.1, provenance.md, "Schema".
 *
 * @param value What should be the predicate: parsed JSON.
 * @returns Problems with the reasons of {@linkcode validateProvenanceV0_2}.
 *
 * @example
 * ```ts
 * import { validateProvenanceV0_1 } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const problems = validateProvenanceV0_1({ builder: {}, recipe: { type: "a:b" } });
 * assert.equal(problems[0].path, "/builder");
 * ```
 */
export function validateProvenanceV0_1(value: unknown): Problem[] {
  const problems: Problem[] = [];
  checkProvenanceV0_1(value, listTo(problems));
  return problems;
}

/** Checks the shape of a provenance v0.2 predicate. */
export function checkProvenanceV0_2(value: unknown, report: Report): void {
  if (!isObject(value)) return notAnObject(report);
  checkBuilder(value, report);
  textAt(value, "", "buildType", true, report);
  const invocation = objectAt(value, "", "invocation", false, report);
  if (invocation !== undefined) {
    const source = objectAt(invocation, "/invocation", "configSource", false, report);
    if (source !== undefined) {
      const path = "/invocation/configSource";
      textAt(source, path, "uri", false, report);
      textAt(source, path, "entryPoint", false, report);
      digestAt(source, path, report);
    }
  }
  checkMetadata(value, "buildInvocationId", report);
  checkMaterials(value, report);
}

/** Checks the shape of a provenance v0.1 predicate. */
export function checkProvenanceV0_1(value: unknown, report: Report): void {
  if (!isObject(value)) return notAnObject(report);
  checkBuilder(value, report);
  const recipe = objectAt(value, "", "recipe", true, report);
  if (recipe !== undefined) {
    textAt(recipe, "/recipe", "type", true, report);
    textAt(recipe, "/recipe", "entryPoint", false, report);
    const index = recipe.definedInMaterial;
    const count = Array.isArray(value.materials) ? value.materials.length : 0;
    if (index !== undefined && index !== null && !isIndex(index, count)) {
      wrongType("/recipe/definedInMaterial", "the place of a material", report);
    }
  }
  checkMetadata(value, "buildInvocationId", report);
  checkMaterials(value, report);
}

function isIndex(value: Json, count: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < count;
}

function notAnObject(report: Report): void {
  report("malformed-predicate", "", "Cannot read provenance: it is no JSON object");
}

function checkBuilder(value: JsonObject, report: Report): void {
  const builder = objectAt(value, "", "builder", true, report);
  if (builder !== undefined) textAt(builder, "/builder", "id", true, report);
}

function checkMetadata(value: JsonObject, invocation: string, report: Report): void {
  const metadata = objectAt(value, "", "metadata", false, report);
  if (metadata === undefined) return;
  textAt(metadata, "/metadata", invocation, false, report);
  timestampAt(metadata, "/metadata", "buildStartedOn", report);
  timestampAt(metadata, "/metadata", "buildFinishedOn", report);
  booleanAt(metadata, "/metadata", "reproducible", report);
  const completeness = objectAt(metadata, "/metadata", "completeness", false, report) ?? {};
  for (const name of Object.keys(completeness)) {
    booleanAt(completeness, "/metadata/completeness", name, report);
  }
}

function checkMaterials(value: JsonObject, report: Report): void {
  const { materials } = value;
  if (materials === undefined || materials === null) return;
  if (!Array.isArray(materials)) return wrongType("/materials", "an array", report);
  for (let i = 0; i < materials.length; i++) {
    const material = materials[i];
    if (!isObject(material)) {
      report(
        "malformed-resource-descriptor",
        `/materials/${i}`,
        "Cannot read material: it is no JSON object",
      );
      continue;
    }
    textAt(material, `/materials/${i}`, "uri", false, report);
    digestAt(material, `/materials/${i}`, report);
  }
}

function digestAt(parent: JsonObject, path: string, report: Report): void {
  const { digest } = parent;
  if (digest === undefined || digest === null) return;
  checkDigestSet(digest, `${path}/digest`, -1, false, report);
}

function booleanAt(parent: JsonObject, path: string, name: string, report: Report): void {
  const value = parent[name];
  if (value === undefined || value === null || typeof value === "boolean") return;
  wrongType(pointer(path, name), "true or false", report);
}
