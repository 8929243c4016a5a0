/**
 * Software-supply-chain attestations anywhere JavaScript runs: verify who signed what
 * about an artifact, offline, with WebCrypto alone.
 *
 * The names that most programs need are here; each room has a sub-path of its own, such as
 * `@x/attest/dsse`.
 *
 * @example
 * ```ts
 * import { importTrustedKey, verify } from "@x/attest";
 * import assert from "node:assert/strict";
 *
 * const key = await importTrustedKey(
 *   "-----BEGIN PUBLIC KEY-----\n" +
 *     "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n" +
 *     "-----END PUBLIC KEY-----\n",
 * );
 * const report = await verify("{}", new Uint8Array(), { trust: { keys: [key] } });
 * assert.equal(report.errorReason, "unknown-format");
 * ```
 *
 * @module
 */

export { AttestationError, isAttestationError, type Problem, type Reason } from "./errors.ts";
export { createEnvelope, type Envelope, verifyEnvelope } from "./dsse/mod.ts";
export { createStatement, type DigestSet, type Statement } from "./intoto/mod.ts";
export { importSigner, importTrustedKey, type Signer, type TrustedKey } from "./keys/mod.ts";
export {
  githubIdentity,
  type IdentityExpectation,
  parseTrustedRoot,
  publicGoodRoot,
  type TrustedRoot,
} from "./sigstore/mod.ts";
export {
  type ArtifactInput,
  type AttestationInput,
  type Check,
  type VerificationReport,
  verify,
  type VerifyOptions,
} from "./verify/mod.ts";
