/**
 * Policy: what must be attested about which artifacts, by whom, judged in the layers of an
 * attestation, with an account of every check.
 *
 * A document is read strictly ({@linkcode parsePolicy}), made ready once
 * ({@linkcode compilePolicy}), and judges what was verified ({@linkcode evaluatePolicy}): a
 * pure function of the document, the evidence and the time.
 *
 * @module
 */

export {
  attestation,
  definePolicy,
  type NewPolicy,
  provenance,
  type RequirementOptions,
  sbom,
  signedBy,
  signedByAtLeast,
  verificationSummary,
  vulnerabilityScan,
} from "./builders.ts";
export { type CompileOptions, compilePolicy } from "./compile.ts";
export type { CelEvaluator, CelInput, CompiledPolicy, SignerSlot } from "./compiled.ts";
export {
  type Condition,
  type CrossRule,
  type DependencyRule,
  type EnvelopeRule,
  type FieldOf,
  type FreshnessRule,
  POLICY_TYPE,
  type PolicyDocument,
  type PolicyIdentity,
  type PolicyKey,
  type PolicyRule,
  type PolicyTrust,
  type PredicateRule,
  type Requirement,
  type SbomRule,
  type Selector,
  type Severity,
  type SignedBy,
  type StatementRule,
  type VulnerabilityRule,
  type Waiver,
} from "./document.ts";
export { diffPolicies, type PolicyDifference } from "./diff.ts";
export { evaluatePolicy } from "./evaluate.ts";
export type {
  ArtifactEvidence,
  EvidenceAttestation,
  EvidenceSigner,
  RefusedAttestation,
} from "./evidence.ts";
export { explainPolicy, explainVerdict, type Explanation } from "./explain.ts";
export {
  compileGateRules,
  defineGateRules,
  GATE_RULES_TYPE,
  type GateRule,
  type GateRules,
  type GateRulesDocument,
  type GateSubject,
  type GateTarget,
  type NewGateRules,
  parseGateRules,
  validateGateRules,
} from "./gate_rules.ts";
export {
  type ForeignPolicy,
  type ImportedPolicy,
  importPolicy,
  type NotCarriedOver,
} from "./import.ts";
export { type DerivedFact, type DerivedPolicy, type DeriveOptions, derivePolicy } from "./init.ts";
export { type JudgementTime, judgementTime } from "./judgement_time.ts";
export { parsePolicy, validatePolicy } from "./parse.ts";
export { type PolicyWarning, reviewPolicy } from "./review.ts";
export {
  openRevocationList,
  parseRevocationList,
  type RevocationList,
  type RevocationListDocument,
  type RevocationListOptions,
  REVOCATIONS_PAYLOAD_TYPE,
  REVOCATIONS_TYPE,
  type RevocationState,
  type RevokedKey,
  withRevocations,
} from "./revocations.ts";
export {
  openSignedPolicy,
  openSignedWaivers,
  POLICY_PAYLOAD_TYPE,
  type SignedDocumentOptions,
  type SignedPolicy,
  type SignedWaivers,
  WAIVERS_PAYLOAD_TYPE,
} from "./signed.ts";
export { POLICY_TEMPLATES, type PolicyTemplate } from "./templates.ts";
export {
  compareVerdict,
  parsePolicyTests,
  POLICY_TESTS_TYPE,
  type PolicyTestArtifact,
  type PolicyTestCase,
  type PolicyTests,
} from "./test_cases.ts";
export type { ArtifactVerdict, Outcome, PolicyCheck, PolicyVerdict } from "./verdict.ts";
export { parseWaivers, WAIVERS_TYPE, type WaiversDocument } from "./waivers.ts";
