/**
 * Formats of other systems, read into the layers of this one. Verifies nothing.
 *
 * @module
 */

export {
  type GoogleCloudBuildDocument,
  googleCloudBuildKeyId,
  type GoogleCloudBuildLimits,
  type GoogleCloudBuildRecord,
  isGoogleCloudBuild,
  parseGoogleCloudBuild,
} from "./google_cloud_build.ts";
export type {
  GoogleCloudBuildClaims,
  GoogleCloudBuildExpectation,
} from "./google_cloud_build_claims.ts";
export {
  type ChartMetadata,
  type HelmProvenance,
  parseChartMetadata,
  parseHelmProvenance,
} from "./helm.ts";
export {
  parseSimpleSigning,
  type SimpleSigning,
  type SimpleSigningLimits,
} from "./simple_signing.ts";
