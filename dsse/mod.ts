/**
 * DSSE envelopes: signatures by one or several keys over a typed message.
 *
 * Source: Dead Simple Signing Envelope 1.0.2.
 *
 * @module
 */

export type { Bytes } from "../internal/bytes.ts";
export {
  type DecodedEnvelope,
  type DecodedSignature,
  type Envelope,
  type EnvelopeLimits,
  type EnvelopeSignature,
  parseEnvelope,
} from "./envelope.ts";
export { pae } from "./pae.ts";
export { createEnvelope, signEnvelope, type SigningKey } from "./sign.ts";
export {
  type EnvelopePublicKey,
  type EnvelopeResult,
  type EnvelopeTrust,
  type RefusedEnvelope,
  type VerifiedEnvelope,
  verifyEnvelope,
} from "./verify.ts";
export { verifyEnvelopes } from "./verify_many.ts";
