import { AttestationError } from "../errors.ts";
import type { Check } from "../report.ts";
import { evaluateProvenance } from "../slsa/evaluate.ts";
import { evaluateVsa } from "../slsa/vsa.ts";
import type { CompiledPolicy } from "./compiled.ts";
import { compileCondition } from "./condition.ts";
import { dependencyLeaves } from "./dependency_leaves.ts";
import type { Requirement } from "./document.ts";
import type { EvidenceAttestation } from "./evidence.ts";
import { type AddLeaf, failed, type Leaf, passed } from "./finding.ts";
import { sbomLeaves } from "./sbom_leaves.ts";
import { matchSigners } from "./signer_slots.ts";
import { countingSigners, describeSigner, signerEvidence, signerRules } from "./signers.ts";
import type { PolicyCheck } from "./verdict.ts";
import { vulnerabilityLeaves } from "./vulnerability_leaves.ts";

/** What is asked of the predicate; the judges of its kind are asked with who signed. */
export function predicateLeaves(
  requirement: Requirement,
  policy: CompiledPolicy,
  add: AddLeaf,
): void {
  const { envelope = {}, predicate = {} } = requirement;
  const counts = countingSigners(envelope);
  const { provenance, dependencies, sbom, vulnerabilities, vsa, where = [], cel } = predicate;
  if (provenance !== undefined) {
    const standsForSigner = signerRules(requirement, policy).length === 0;
    let vouched: EvidenceAttestation | undefined;
    add("predicate.provenance", (leaf, attestation) => {
      vouched = undefined;
      const evidence = signerEvidence(attestation.signers.filter(counts), policy);
      const { checks } = evaluateProvenance(attestation.statement, evidence, provenance);
      if (isVouchedFor(checks)) vouched = attestation;
      return checks.map((check) => adopt(leaf, check));
    });
    if (standsForSigner) {
      // A waiver of what the builder says does not let a stranger sign.
      const slots = [...new Set([...policy.slots.values()].flat())];
      const facts = {
        expected: "a builder of the expected source, or anybody whom the policy names",
        origin: "certificate",
        remedy: "Name the signer under trust, or build with a builder that is known",
      } as const;
      add("envelope.signed-by", (leaf, attestation) => {
        if (vouched === attestation) return [];
        const signers = attestation.signers.filter(counts);
        if (matchSigners(signers, slots).length > 0) return [];
        const found = signers.map(describeSigner).join(", ") || "nobody whose key counts";
        return failed(
          leaf,
          "signer-mismatch",
          `Cannot accept envelope: signed by ${found}, wanted ${facts.expected}`,
          facts,
          found,
        );
      });
    }
  }
  if (vsa !== undefined) {
    add("predicate.vsa", (leaf, attestation, { now }) => {
      const evidence = signerEvidence(attestation.signers.filter(counts), policy);
      const { checks } = evaluateVsa(attestation.statement, evidence, { ...vsa, now });
      return checks.map((check) => adopt(leaf, check));
    });
  }
  if (dependencies !== undefined) dependencyLeaves(dependencies, add);
  if (sbom !== undefined) sbomLeaves(sbom, add);
  if (vulnerabilities !== undefined) vulnerabilityLeaves(vulnerabilities, add);
  for (const [i, condition] of where.entries()) {
    const judge = compileCondition(condition);
    const remedy = "Produce an attestation that says so, or change the condition";
    add(`predicate.where.${condition.id ?? i + 1}`, (leaf, { statement }, { now }) => {
      const { ok, reason = "condition-not-met", expected, actual, path } = judge(statement, now);
      const facts = { expected, path, origin: "signed", remedy } as const;
      return ok ? passed(leaf, "The condition holds", facts, actual) : failed(
        leaf,
        reason,
        `Cannot accept statement: found ${actual ?? "nothing"} at ${path}, wanted ${expected}`,
        facts,
        actual,
      );
    });
  }
  if (cel !== undefined) {
    const run = policy.cel?.compile(cel);
    const facts = { expected: cel, remedy: "Change the expression, or what is attested" };
    add("predicate.cel", (leaf, { statement, signers, timestamps }, { now }) => {
      if (run === undefined) {
        throw new AttestationError("cel-error", "Cannot evaluate CEL: no evaluator is loaded");
      }
      const times = timestamps.map(({ timestamp }) => timestamp);
      const value = run({ statement, signers, timestamps: times, now });
      if (value === true) return passed(leaf, "The expression is true", facts);
      const [reason, found] = value === false
        ? ["condition-not-met", "false"] as const
        : ["cel-error", "no boolean"] as const;
      return failed(leaf, reason, `Cannot accept statement: the expression is ${found}`, facts);
    });
  }
}

/** The signer may speak for a builder, and both agree on the expected source. */
function isVouchedFor(checks: readonly Check[]): boolean {
  const outcomes = (id: string): Check["outcome"][] =>
    checks.filter((check) => check.id === id).map(({ outcome }) => outcome);
  const isMet = (id: string): boolean => {
    const found = outcomes(id);
    return found.length > 0 && found.every((outcome) => outcome === "passed");
  };
  return isMet("predicate.builder") && isMet("predicate.source") &&
    !outcomes("predicate.certificate").includes("failed");
}

/** A check of another room as one of the policy, under the same name. */
function adopt(leaf: Leaf, check: Check): PolicyCheck {
  const { id, layer, outcome, ...rest } = check;
  const at = leaf.id.lastIndexOf("/") + 1;
  const prefix = leaf.id.slice(0, at);
  if (outcome === "skipped") {
    return { ...rest, id: prefix + id, layer, outcome: "not-applicable" };
  }
  const adopted: PolicyCheck = { ...rest, id: prefix + id, layer, outcome };
  if (outcome === "failed") {
    const asked = leaf.id.slice(at);
    adopted.remedy = `Change what is attested, or what the policy asks under ${asked}`;
  }
  return adopted;
}
