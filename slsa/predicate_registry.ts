import type { Problem } from "../errors.ts";
import type { JsonObject } from "../internal/json.ts";
import { refuse } from "../internal/problem.ts";
import { definePredicate, type PredicateKind } from "../intoto/predicates/kind.ts";
import {
  IN_TOTO_PREDICATES,
  makeRegistry,
  type PredicateLookup,
  type PredicateRegistry,
} from "../intoto/predicates/registry.ts";
import {
  PROVENANCE_V0_1,
  PROVENANCE_V0_1_INTOTO,
  PROVENANCE_V0_2,
  validateProvenanceV0_1,
  validateProvenanceV0_2,
} from "./provenance_v0.ts";
import {
  parseProvenancePredicate,
  PROVENANCE_V1,
  type ProvenanceV1,
  validateProvenancePredicate,
} from "./provenance_v1.ts";
import {
  parseVsaPredicate,
  validateVsaPredicate,
  type VerificationSummary,
  VSA_V1,
} from "./vsa_predicate.ts";

/**
 * SLSA provenance v1, which is that of SLSA 1.0, 1.1 and 1.2.
 *
 * Source: SLSA 1.2, build-provenance.md.
 *
 * @example
 * ```ts
 * import { provenancePredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * assert.equal(provenancePredicate.validate({})[0].path, "/buildDefinition");
 * ```
 */
export const provenancePredicate: PredicateKind<ProvenanceV1> = definePredicate<ProvenanceV1>({
  name: "provenance",
  predicateTypes: [PROVENANCE_V1],
  parse: parseProvenancePredicate,
  validate: validateProvenancePredicate,
});

/**
 * SLSA provenance v0.2, as it is on the wire; `parseProvenance` of `@x/attest/slsa` gives
 * all versions in one shape.
 *
 * Source: SLSA 0.2, provenance.md.
 *
 * @example
 * ```ts
 * import { provenance02Predicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const predicate = { builder: { id: "https://example.com/b" }, buildType: "https://example.com/t" };
 * assert.deepEqual(provenance02Predicate.validate(predicate), []);
 * ```
 */
export const provenance02Predicate: PredicateKind<JsonObject> = definePredicate<JsonObject>({
  name: "provenance-v0.2",
  predicateTypes: [PROVENANCE_V0_2],
  parse: (value) => firstOf(value, validateProvenanceV0_2),
  validate: validateProvenanceV0_2,
});

/**
 * SLSA provenance v0.1, as it is on the wire.
 *
 * Source: SLSA 0.1, provenance.md.
 *
 * @example
 * ```ts
 * import { provenance01Predicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * assert.ok(provenance01Predicate.predicateTypes.includes("https://in-toto.io/Provenance/v0.1"));
 * ```
 */
export const provenance01Predicate: PredicateKind<JsonObject> = definePredicate<JsonObject>({
  name: "provenance-v0.1",
  predicateTypes: [PROVENANCE_V0_1, PROVENANCE_V0_1_INTOTO],
  parse: (value) => firstOf(value, validateProvenanceV0_1),
  validate: validateProvenanceV0_1,
});

/**
 * SLSA verification summary (VSA) v1.
 *
 * Source: SLSA 1.2, verification_summary.md.
 *
 * @example
 * ```ts
 * import { vsaPredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * assert.equal(vsaPredicate.validate({})[0].reason, "missing-predicate-field");
 * ```
 */
export const vsaPredicate: PredicateKind<VerificationSummary> = definePredicate<
  VerificationSummary
>({
  name: "vsa",
  predicateTypes: [VSA_V1],
  parse: parseVsaPredicate,
  validate: validateVsaPredicate,
});

/** Kinds that SLSA defines. */
export const SLSA_PREDICATES: readonly PredicateKind<object>[] = Object.freeze([
  provenancePredicate,
  provenance02Predicate,
  provenance01Predicate,
  vsaPredicate,
]);

const ALL: readonly PredicateKind<object>[] = [...IN_TOTO_PREDICATES, ...SLSA_PREDICATES];
const BUILT_IN: PredicateRegistry = makeRegistry(ALL, []);

/**
 * A registry of all kinds of predicates that are known here, and of one's own.
 *
 * @param kinds One's own kinds, of `definePredicate`. For a type that is known here too,
 * one's own is used.
 * @throws {TypeError} If two of `kinds` read the same type.
 *
 * @example A type that is not known is passed through, and marked
 * ```ts
 * import { createPredicateRegistry } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const found = createPredicateRegistry().parse({
 *   _type: "https://in-toto.io/Statement/v1",
 *   subject: [{ digest: { sha256: "a".repeat(64) } }],
 *   predicateType: "https://example.com/review/v1",
 *   predicate: { approved: true },
 * });
 * assert.equal(found.known, false);
 * assert.deepEqual(found.predicate, { approved: true });
 * ```
 */
export function createPredicateRegistry(
  kinds: readonly PredicateKind<object>[] = [],
): PredicateRegistry {
  return makeRegistry(ALL, kinds);
}

/**
 * What is known here of a `predicateType`, without kinds of one's own.
 *
 * @param predicateType Compared as it is: opaque, never normalised.
 *
 * @example
 * ```ts
 * import { lookupPredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * assert.equal(lookupPredicate("https://cyclonedx.org/bom").kind?.name, "cyclonedx");
 * assert.equal(lookupPredicate("https://cyclonedx.org/bom/").known, false);
 * ```
 */
export function lookupPredicate(predicateType: string): PredicateLookup {
  return BUILT_IN.lookup(predicateType);
}

function firstOf(value: JsonObject, validate: (value: unknown) => Problem[]): JsonObject {
  for (const { reason, path, message } of validate(value)) refuse(reason, path, message);
  return value;
}
