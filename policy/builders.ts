import { PREDICATE_SHORT_NAMES } from "../intoto/predicates/short_name.ts";
import type { ProvenanceExpectation } from "../slsa/expectation.ts";
import { PROVENANCE_TYPES } from "../slsa/provenance.ts";
import type { VsaExpectation } from "../slsa/vsa_expectation.ts";
import { VSA_V1 } from "../slsa/vsa_predicate.ts";
import {
  type EnvelopeRule,
  POLICY_TYPE,
  type PolicyDocument,
  type PredicateRule,
  type Requirement,
  type SbomRule,
  type SignedBy,
  type VulnerabilityRule,
} from "./document.ts";
import { parsePolicy } from "./parse.ts";

/** A policy without its `type`. */
export type NewPolicy = Omit<PolicyDocument, "type">;

/** What a requirement asks beside what its builder puts in. */
export type RequirementOptions = Omit<Requirement, "id">;

/**
 * A policy document from TypeScript: the same as it would be written by hand, checked.
 *
 * @param policy The document; its `type` is put in.
 * @returns A copy, as JSON has it; `JSON.stringify()` writes it.
 * @throws {AttestationError} As `parsePolicy()`.
 *
 * @example
 * ```ts
 * import { definePolicy, provenance, signedBy } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const policy = definePolicy({
 *   trust: { identities: { ci: { github: { repository: "acme/app" } } } },
 *   rules: [{
 *     id: "release",
 *     select: { name: "*.tgz" },
 *     require: [provenance("built", { minLevel: 2 }, { envelope: signedBy("ci") })],
 *   }],
 * });
 * assert.equal(policy.type, "attest-policy/v1");
 * assert.deepEqual(policy.rules[0].require[0].envelope, { signedBy: { of: ["ci"] } });
 * ```
 */
export function definePolicy(policy: NewPolicy): PolicyDocument {
  return parsePolicy({ type: POLICY_TYPE, ...policy });
}

/**
 * An envelope that one of these signed.
 *
 * @param of Names of keys, key sets, identities or groups; at least one.
 *
 * @example
 * ```ts
 * import { signedBy } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(signedBy("alice", "bob"), { signedBy: { of: ["alice", "bob"] } });
 * ```
 */
export function signedBy(...of: string[]): EnvelopeRule {
  return { signedBy: { of } };
}

/**
 * An envelope that so many distinct ones of these signed.
 *
 * @param count How many.
 * @param of Names of keys, key sets, identities or groups.
 *
 * @example
 * ```ts
 * import { signedByAtLeast } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const rule = { signedBy: { of: ["maintainers"], threshold: 2 } };
 * assert.deepEqual(signedByAtLeast(2, "maintainers"), rule);
 * ```
 */
export function signedByAtLeast(count: number, ...of: string[]): EnvelopeRule {
  const rule: SignedBy = { of, threshold: count };
  return { signedBy: rule };
}

/**
 * A requirement: an attestation of these predicate types.
 *
 * @param id Name of the requirement.
 * @param predicateTypes One URI or several.
 * @param options What else is asked.
 *
 * @example
 * ```ts
 * import { attestation, signedBy } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const type = "https://in-toto.io/attestation/test-result/v0.1";
 * const where = [{ path: "/predicate/result", equals: "PASSED" }];
 * const tested = attestation("tested", type, { envelope: signedBy("ci"), predicate: { where } });
 * assert.deepEqual(tested, {
 *   id: "tested",
 *   envelope: { signedBy: { of: ["ci"] } },
 *   statement: { predicateTypes: [type] },
 *   predicate: { where },
 * });
 * ```
 */
export function attestation(
  id: string,
  predicateTypes: string | readonly string[],
  options: RequirementOptions = {},
): Requirement {
  const types = typeof predicateTypes === "string" ? [predicateTypes] : predicateTypes;
  return { id, ...options, statement: { predicateTypes: [...types], ...options.statement } };
}

/**
 * A requirement: SLSA provenance, of the versions that the expectation accepts.
 *
 * @param id Name of the requirement.
 * @param expectation What it must say.
 * @param options What else is asked.
 *
 * @example
 * ```ts
 * import { provenance } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const built = provenance("built", { sourceUri: "github.com/acme/app", minLevel: 3 });
 * assert.equal(built.predicate?.provenance?.minLevel, 3);
 * ```
 */
export function provenance(
  id: string,
  expectation: ProvenanceExpectation,
  options: RequirementOptions = {},
): Requirement {
  const types = expectation.predicateTypes ?? PROVENANCE_TYPES;
  return withPredicate(id, types, { provenance: expectation }, options);
}

/**
 * A requirement: a bill of materials in SPDX or CycloneDX.
 *
 * @param id Name of the requirement.
 * @param rule What is asked of it.
 * @param options What else is asked.
 *
 * @example
 * ```ts
 * import { sbom } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const listed = sbom("listed", { formats: ["spdx"], forbidden: ["pkg:npm/event-stream"] });
 * assert.ok(listed.statement?.predicateTypes?.includes("https://spdx.dev/Document/v2.3"));
 * ```
 */
export function sbom(id: string, rule: SbomRule, options: RequirementOptions = {}): Requirement {
  const { formats = ["spdx", "cyclonedx"] } = rule;
  return withPredicate(id, formats.flatMap(typesOf), { sbom: rule }, options);
}

/**
 * A requirement: a vulnerability scan, of in-toto's or of cosign's form.
 *
 * @param id Name of the requirement.
 * @param rule What is asked of it.
 * @param options What else is asked.
 *
 * @example
 * ```ts
 * import { vulnerabilityScan } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const scanned = vulnerabilityScan("scanned", { maxSeverity: "medium", maxAge: "P7D" });
 * assert.equal(scanned.predicate?.vulnerabilities?.maxAge, "P7D");
 * ```
 */
export function vulnerabilityScan(
  id: string,
  rule: VulnerabilityRule,
  options: RequirementOptions = {},
): Requirement {
  const types = [...typesOf("vulns"), ...typesOf("vuln")];
  return withPredicate(id, types, { vulnerabilities: rule }, options);
}

/**
 * A requirement: a SLSA verification summary.
 *
 * @param id Name of the requirement.
 * @param expectation What it must say.
 * @param options What else is asked.
 *
 * @example
 * ```ts
 * import { verificationSummary } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const verified = verificationSummary("verified", {
 *   verifierId: "https://example.com/verifier",
 *   resourceUri: "pkg:npm/app@1.0.0",
 * });
 * assert.deepEqual(verified.statement?.predicateTypes, ["https://slsa.dev/verification_summary/v1"]);
 * ```
 */
export function verificationSummary(
  id: string,
  expectation: VsaExpectation,
  options: RequirementOptions = {},
): Requirement {
  return withPredicate(id, [VSA_V1], { vsa: expectation }, options);
}

function withPredicate(
  id: string,
  types: readonly string[],
  rule: PredicateRule,
  options: RequirementOptions,
): Requirement {
  return attestation(id, types, { ...options, predicate: { ...rule, ...options.predicate } });
}

function typesOf(name: string): readonly string[] {
  return PREDICATE_SHORT_NAMES.get(name) ?? [];
}
