/**
 * Formats of other systems, read into the layers of this one: an envelope that somebody signed,
 * a Statement about subjects, a predicate.
 *
 * `verifyFormat()` tells a document by its marks, checks every signature, and makes a Statement
 * of nothing but the signed bytes; `verify()` of `@x/attest/verify` takes the same documents
 * and compares them with artifacts.
 *
 * @module
 */

export { type BuildKitLayer, parseBuildKitStatement } from "./bare_documents.ts";
export type { NameAttribute } from "./certificate_name.ts";
export {
  type CertificateSource,
  type CertificateTrust,
  type CertificateTrustOptions,
  createCertificateTrust,
} from "./certificate_trust.ts";
export { type ConversionOrigin, convertToStatement } from "./convert.ts";
export type {
  BadSigner,
  ByteRange,
  Confidence,
  Coverage,
  DetachedMessage,
  FormatContext,
  FormatEnvelope,
  FormatHint,
  FormatLayer,
  FormatLimits,
  FormatModule,
  FormatStatement,
  GoodSigner,
  ImplicitLayer,
  LogProof,
  ParsedFormat,
  SignerResult,
  StatedSignature,
} from "./format.ts";
export {
  type ExplainedFormatId,
  type FormatId,
  VERIFIED_FORMATS,
  type VerifiedFormatId,
} from "./format_id.ts";
export { FormatInput } from "./format_input.ts";
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
export { importInTotoKey } from "./in_toto_metablock.ts";
export { importMinisignKey } from "./minisign.ts";
export type { OpenPgpKey, OpenPgpKeyring } from "./openpgp_keyring.ts";
export { importPaserk } from "./paseto.ts";
export { type FormatEntry, FORMATS } from "./registry.ts";
export { importNoteKey } from "./signed_note.ts";
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
export { readFormatStatement } from "./statement.ts";
export { importTufRoot, type TufRootTrust } from "./tuf_targets.ts";
export {
  type FormatResult,
  type FormatTrust,
  parseFormat,
  type RefusedFormat,
  type VerifiedFormat,
  verifyFormat,
} from "./verify_format.ts";
