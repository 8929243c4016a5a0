/**
 * Signing with the services of a Sigstore instance: a certificate for an identity (Fulcio),
 * transparency logs (Rekor v1 and v2) and RFC 3161 timestamps, as a bundle of version 0.3.
 *
 * What was produced is verified before it is returned; a failure returns nothing.
 *
 * @module
 */

export type { Fetch } from "../../internal/http.ts";
export type {
  KeylessOptions,
  KeySigningOptions,
  ServiceOptions,
  SignedBundle,
  SigningContent,
  SigningStep,
} from "./options.ts";
export { signKeyless, signWithKey } from "./sign.ts";
export {
  parseSigningConfig,
  parseTrustConfig,
  type SelectedServices,
  selectServices,
  type ServiceSelector,
  type SigningConfig,
  type SigningService,
} from "./signing_config.ts";
