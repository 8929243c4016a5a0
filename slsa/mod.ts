/**
 * SLSA: provenance, which tells how the subjects of a Statement were built, and verification
 * summaries, which tell what a verifier found.
 *
 * What a builder tells of itself is never believed for its own sake: who signed decides
 * which builder may be spoken for, and up to which level.
 *
 * @module
 */

export {
  type BuilderRule,
  type BuilderSigner,
  type BuilderTrust,
  parseBuilderTrust,
  type SignerClaims,
  validateBuilderTrust,
} from "./builder_trust.ts";
export { createProvenance, type NewProvenance } from "./create.ts";
export { evaluateProvenance, type ProvenanceEvaluation } from "./evaluate.ts";
export type { KeyEvidence, SignerEvidence } from "./evidence.ts";
export {
  assertProvenanceExpectation,
  type BuildLevel,
  type ProvenanceExpectation,
} from "./expectation.ts";
export { googleCloudBuildBuilders, KNOWN_BUILDERS } from "./known_builders.ts";
export {
  createProvenancePayload,
  type NamedArtifact,
  type NewProvenancePayload,
  type PayloadUpgrade,
  type ProvenancePayload,
  type ProvenancePayloadResult,
  type ProvenancePayloadTrust,
  upgradeProvenancePayload,
  validateProvenance,
} from "./ossp.ts";
export type { ParameterRule, ParameterRules } from "./parameters.ts";
export { parseProvenance, type Provenance, PROVENANCE_TYPES } from "./provenance.ts";
export {
  PROVENANCE_V0_1,
  PROVENANCE_V0_1_INTOTO,
  PROVENANCE_V0_2,
  validateProvenanceV0_1,
  validateProvenanceV0_2,
} from "./provenance_v0.ts";
export { canonicalRepository, type ProvenanceSource } from "./source.ts";
export {
  type BuildDefinition,
  type Builder,
  type BuildMetadata,
  parseProvenancePredicate,
  PROVENANCE_V1,
  type ProvenanceV1,
  type RunDetails,
  validateProvenancePredicate,
} from "./provenance_v1.ts";
export { checkVsaExpectation, type VsaExpectation, type VsaSigner } from "./vsa_expectation.ts";
export { evaluateVsa, type VsaEvaluation, type VsaRequirement } from "./vsa.ts";
export {
  createVsa,
  type NewVsa,
  type VerifiedArtifact,
  type VerifiedArtifacts,
} from "./vsa_create.ts";
export { parseTrackLevel, type TrackLevel } from "./vsa_level.ts";
export {
  parseVsaPredicate,
  validateVsaPredicate,
  type VerificationSummary,
  VSA_V0_2,
  VSA_V1,
  type VsaVerifier,
} from "./vsa_predicate.ts";
