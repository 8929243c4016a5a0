/**
 * Sigstore: bundles, certificates, transparency logs, timestamps and trusted roots,
 * verified offline.
 *
 * @module
 */

export type { Bytes } from "../internal/bytes.ts";
export {
  type BundleContent,
  type BundleSigner,
  type InclusionProof,
  type LogEntry,
  parseSigstoreBundle,
  type SigstoreBundle,
  type SigstoreBundleLimits,
} from "./bundle.ts";
export { type Certificate, parseCertificate, readIdentity } from "./certificate.ts";
export { type Checkpoint, type NoteSignature, parseCheckpoint } from "./checkpoint.ts";
export { type CosignLayer, type CosignLayerLimits, parseCosignLayer } from "./cosign_layer.ts";
export {
  type CertificateIdentity,
  type ClaimName,
  escapePattern,
  GITHUB_ISSUER,
  type GithubExpectation,
  githubIdentity,
  type IdentityExpectation,
  type Matcher,
  type SanType,
} from "./identity.ts";
export type { PublicKey, SignatureScheme } from "../keys/mod.ts";
export { publicGoodRoot } from "./public_good.ts";
export {
  parseTrustedRoot,
  parseTrustedRoots,
  type TrustedAuthority,
  type TrustedLog,
  type TrustedRoot,
  type TrustedRootOptions,
  type ValidityPeriod,
} from "./trusted_root.ts";
export {
  type RefusedSigstoreBundle,
  type SignedArtifact,
  type SigstoreResult,
  type SigstoreThresholds,
  type SigstoreTrust,
  type VerifiedSigstoreBundle,
  type VerifiedTimestamp,
  verifySigstoreBundle,
} from "./verify.ts";
