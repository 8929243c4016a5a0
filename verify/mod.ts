/**
 * Verification of attestations about artifacts, with a report.
 *
 * @module
 */

export { type GoogleCloudBuildOptions, verifyGoogleCloudBuild } from "./google_cloud_build.ts";
export type {
  ArtifactContent,
  ArtifactInput,
  ArtifactPlace,
  AttestationContent,
  AttestationInput,
  EvidenceThresholds,
  Expectations,
  Trust,
  VerifyLimits,
  VerifyOptions,
  VerifyProgress,
} from "./options.ts";
export type {
  ArtifactReport,
  AttestationEvidence,
  AttestationFormat,
  AttestationReport,
  ForeignFacts,
  ImageReport,
  LookupReport,
  VerificationReport,
} from "./report.ts";
export type { Check, Layer, Origin } from "../report.ts";
export { verify } from "./verify.ts";
