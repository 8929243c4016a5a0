import { AttestationError } from "../errors.ts";
import { type EnvelopeResult, verifyEnvelope } from "../dsse/verify.ts";
import type { Envelope } from "../dsse/envelope.ts";
import { refuseUnknown } from "../internal/options.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import type { PolicyDocument } from "./document.ts";
import { parsePolicy } from "./parse.ts";
import { parseWaivers, type WaiversDocument } from "./waivers.ts";

/** Payload type of a signed policy. */
export const POLICY_PAYLOAD_TYPE = "application/vnd.attest.policy+json";

/** Payload type of signed waivers. */
export const WAIVERS_PAYLOAD_TYPE = "application/vnd.attest.waivers+json";

/** How many signatures are needed. */
export interface SignedDocumentOptions {
  /** Distinct keys that must accept; integer >= 1. Default 1. */
  threshold?: number;
}

/** A policy, and who signed it. */
export interface SignedPolicy {
  /** The document, read after its signature was verified. */
  document: PolicyDocument;
  /** Names of the keys that accepted. */
  acceptedBy: string[];
}

/** Waivers, and who signed them. */
export interface SignedWaivers {
  /** The document, read after its signature was verified. */
  document: WaiversDocument;
  /** Names of the keys that accepted. */
  acceptedBy: string[];
}

/**
 * Opens a signed policy: a DSSE envelope of the type {@linkcode POLICY_PAYLOAD_TYPE} whose
 * payload is the document. The signature is verified before anything of the payload is
 * read.
 *
 * An old policy keeps its signature: give it `expires`, so that it cannot come back.
 *
 * @param envelope Envelope as JSON text, bytes or parsed.
 * @param pinnedKeys Keys that the caller got by another way than the policy.
 * @throws {AttestationError} `invalid-signature`, `threshold-not-met`,
 * `unsupported-payload-type`, what `parseEnvelope()` and {@linkcode parsePolicy} refuse.
 * @throws {TypeError} If there is no key, or `threshold` is above the number of distinct
 * ones.
 *
 * @example
 * ```ts
 * import { createEnvelope } from "@x/attest/dsse";
 * import { generateSigner } from "@x/attest/keys";
 * import { definePolicy, openSignedPolicy, POLICY_PAYLOAD_TYPE, signedBy } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const owner = await generateSigner("Ed25519", { name: "security" });
 * const ci = await generateSigner("Ed25519");
 * const policy = definePolicy({
 *   trust: { keys: { ci: { publicKey: ci.publicKey } } },
 *   rules: [{ id: "release", require: [{ id: "signed", envelope: signedBy("ci") }] }],
 * });
 * const envelope = await createEnvelope(POLICY_PAYLOAD_TYPE, policy, owner.signer);
 * const { document, acceptedBy } = await openSignedPolicy(envelope, [owner.trustedKey]);
 * assert.deepEqual(document, policy);
 * assert.deepEqual(acceptedBy, ["security"]);
 * ```
 */
export async function openSignedPolicy(
  envelope: Envelope | object | string | Uint8Array,
  pinnedKeys: readonly TrustedKey[],
  options: SignedDocumentOptions = {},
): Promise<SignedPolicy> {
  const { payload, acceptedBy } = await open(envelope, pinnedKeys, POLICY_PAYLOAD_TYPE, options);
  return { document: parsePolicy(payload), acceptedBy };
}

/**
 * Opens signed waivers: a DSSE envelope of the type {@linkcode WAIVERS_PAYLOAD_TYPE}.
 * `compilePolicy()` does this by itself, with the keys that `waiverSigners` names.
 *
 * @param envelope Envelope as JSON text, bytes or parsed.
 * @param pinnedKeys Keys that the caller got by another way than the waivers.
 * @throws {AttestationError} As {@linkcode openSignedPolicy}, and `malformed-waivers`.
 * @throws {TypeError} As {@linkcode openSignedPolicy}.
 *
 * @example
 * ```ts
 * import { createEnvelope } from "@x/attest/dsse";
 * import { generateSigner } from "@x/attest/keys";
 * import { openSignedWaivers, WAIVERS_PAYLOAD_TYPE } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const { signer, trustedKey } = await generateSigner("Ed25519");
 * const waivers = { type: "attest-waivers/v1", waivers: [] };
 * const envelope = await createEnvelope(WAIVERS_PAYLOAD_TYPE, waivers, signer);
 * const { document } = await openSignedWaivers(envelope, [trustedKey]);
 * assert.equal(document.waivers.length, 0);
 * ```
 */
export async function openSignedWaivers(
  envelope: Envelope | object | string | Uint8Array,
  pinnedKeys: readonly TrustedKey[],
  options: SignedDocumentOptions = {},
): Promise<SignedWaivers> {
  const { payload, acceptedBy } = await open(envelope, pinnedKeys, WAIVERS_PAYLOAD_TYPE, options);
  return { document: parseWaivers(payload), acceptedBy };
}

async function open(
  envelope: Envelope | object | string | Uint8Array,
  keys: readonly TrustedKey[],
  payloadType: string,
  options: SignedDocumentOptions,
): Promise<Extract<EnvelopeResult, { ok: true }>> {
  refuseUnknown(options, ["threshold"], "a signed document");
  const { threshold = 1 } = options;
  const result = await verifyEnvelope(envelope, {
    keys: [...keys],
    threshold,
    payloadTypes: [payloadType],
    maxPayloadBytes: 32 << 20,
  });
  if (result.ok) return result;
  const { error } = result;
  const what = payloadType === POLICY_PAYLOAD_TYPE ? "policy" : "waivers";
  throw new AttestationError(error.reason, `Cannot open ${what}: ${error.message}`, {
    cause: error,
    path: error.path,
  });
}
