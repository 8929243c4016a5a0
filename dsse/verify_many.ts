import type { Envelope } from "./envelope.ts";
import {
  checkEnvelopeTrust,
  type EnvelopeResult,
  type EnvelopeTrust,
  verifyEnvelope,
} from "./verify.ts";

/** Envelopes under way: more than WebCrypto has threads, so that none of them waits. */
const WINDOW = 64;

/**
 * Verifies envelopes as they come, 64 under way at a time, in constant memory: quicker than
 * one after the other, where each waits for a thread of WebCrypto to wake.
 *
 * One that is refused makes no other one fail. What is verified says nothing about the
 * order or the completeness of the source.
 *
 * Source: DSSE 1.0.2, protocol.md, "Protocol"; see {@linkcode verifyEnvelope}.
 *
 * @param envelopes Envelopes as {@linkcode verifyEnvelope} takes them; at most 64 are read
 * ahead of the answers that are taken.
 * @param trust Trusted keys with threshold and limits, the same for all.
 * @returns One answer per envelope, in the order of the source.
 * @throws {TypeError} If `trust` is not of its form. What the source throws is passed on.
 *
 * @example Attestations in JSON Lines
 * ```ts
 * import { createEnvelope, verifyEnvelopes } from "@x/attest/dsse";
 * import { generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { signer, trustedKey } = await generateSigner("Ed25519", { name: "ci" });
 * const good = JSON.stringify(await createEnvelope("text/plain", new Uint8Array(1), signer));
 * const reasons: unknown[] = [];
 * for await (const result of verifyEnvelopes([good, "{}", good], { keys: [trustedKey] })) {
 *   reasons.push(result.errorReason);
 * }
 * assert.deepEqual(reasons, [null, "malformed-envelope", null]);
 * ```
 */
export async function* verifyEnvelopes(
  envelopes:
    | Iterable<Envelope | object | string | Uint8Array>
    | AsyncIterable<Envelope | object | string | Uint8Array>,
  trust: EnvelopeTrust,
): AsyncGenerator<EnvelopeResult> {
  // Before the first one is started: a rejection that nobody awaits would end the process.
  checkEnvelopeTrust(trust);
  const pending: Promise<EnvelopeResult>[] = [];
  for await (const envelope of envelopes) {
    pending.push(verifyEnvelope(envelope, trust));
    if (pending.length >= WINDOW) yield await pending.shift()!;
  }
  for (const result of pending) yield await result;
}
