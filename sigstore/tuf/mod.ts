/**
 * Trusted roots and signing configuration of a Sigstore instance, kept up to date by The
 * Update Framework (TUF 1.0). A client for this one purpose: a chain of roots, the four
 * top-level roles, one level of delegation.
 *
 * @module
 */

export type { Bytes } from "../../internal/bytes.ts";
export type { Fetch, HttpOptions } from "../../internal/http.ts";
export type { CurveName, HashName, MlDsaName, PublicKey, SignatureScheme } from "../../keys/mod.ts";
export type { Certificate } from "../certificate.ts";
export type { TrustedAuthority, TrustedLog, TrustedRoot, ValidityPeriod } from "../trusted_root.ts";
export { memoryTufCache, type TufCache } from "./cache.ts";
export { refreshTargets } from "./client.ts";
export type {
  RefreshTargetsOptions,
  TufRepositoryOptions,
  TufTargets,
  TufVersions,
} from "./options.ts";
export { publicGoodTufRoot, type TufRepository } from "./public_good.ts";
export {
  type CachedTrustOptions,
  readCachedTrust,
  type RefreshedTrust,
  refreshTrust,
  type RefreshTrustOptions,
} from "./trust.ts";
