import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import type { Bytes } from "../internal/bytes.ts";
import { quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import {
  type DecodedEnvelope,
  type DecodedSignature,
  type Envelope,
  type EnvelopeLimits,
  parseEnvelope,
} from "./envelope.ts";
import { pae } from "./pae.ts";

/** Whose signatures count, and how many of them. */
export interface EnvelopeTrust extends EnvelopeLimits {
  /** Trusted keys, at least one. */
  keys: TrustedKey[];
  /** Distinct keys that must accept: an integer >= 1, at most the distinct `keys`. Default 1. */
  threshold?: number;
  /**
   * `hint`: a key id orders the tries and decides nothing, as the specification asks.
   * `must-match`: a signature that states a key id counts only for the key with that
   * `keyid`. Stricter than the specification. Default `hint`.
   */
  keyIdRule?: "hint" | "must-match";
  /** Accepted payload types, exact. Default: any. */
  payloadTypes?: string[];
}

/** One trusted key as text: the short form of {@linkcode EnvelopeTrust}. */
export interface EnvelopePublicKey {
  /** Public key: PEM (SPKI) or JWK text. */
  pubkey: string;
  /** Its algorithm. Default: the usual one of its kind. */
  alg?: KeyAlgorithm;
}

/** Answer of {@linkcode verifyEnvelope}. */
export type EnvelopeResult = VerifiedEnvelope | RefusedEnvelope;

/** An envelope whose signatures were accepted. */
export interface VerifiedEnvelope {
  /** Accepted. */
  ok: true;
  /** Nothing failed. */
  errorReason: null;
  /** Type of the payload, as signed. */
  payloadType: string;
  /** The very bytes that were signed: trust these, never the envelope's text. */
  payload: Bytes;
  /** Names of the keys that accepted, in the order given, each distinct key once. */
  acceptedBy: string[];
  /** The keys themselves, as in `acceptedBy`. */
  acceptedKeys: TrustedKey[];
}

/** An envelope that was refused. */
export interface RefusedEnvelope {
  /** Refused. */
  ok: false;
  /** Why. */
  errorReason: Reason;
  /** Where and what, for people. */
  error: AttestationError;
}

/**
 * Verifies the signatures of a DSSE envelope.
 *
 * Trust the `payload` of the result only; never go back to the envelope for it.
 * `keyid` is an unauthenticated hint: it may order the tries, it never picks trust.
 * Keys are distinct by their material: one key under two names counts once.
 *
 * Source: DSSE 1.0.2, protocol.md, "Protocol" and "Multi-signature Verification";
 * envelope.md, "Parsing rules".
 *
 * @param envelope Envelope as JSON text, bytes or parsed; `payload` and `sig` are base64,
 * standard or URL-safe.
 * @param trust Trusted keys with threshold and limits, or one public key as text.
 * @returns `ok: true` with `payloadType`, `payload` as signed, and `acceptedBy`; or
 * `ok: false` with `errorReason`: `invalid-signature` (no key accepts),
 * `threshold-not-met` (fewer than `threshold`), `unsupported-payload-type`, what
 * {@linkcode parseEnvelope} refuses, or what `importTrustedKey()` refuses of `pubkey`.
 *
 * @throws {TypeError} If `keys` is empty or holds something else, `threshold` is not an
 * integer >= 1 or above the number of distinct keys, or an option is unknown or of the wrong
 * type.
 *
 * @example One Ed25519 key
 * ```ts
 * import { createEnvelope, verifyEnvelope } from "@x/attest/dsse";
 * import { generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { signer, trustedKey } = await generateSigner("Ed25519", { name: "ci" });
 * const envelope = await createEnvelope("application/vnd.in-toto+json", {}, signer);
 * const result = await verifyEnvelope(envelope, { keys: [trustedKey] });
 * assert.ok(result.ok);
 * assert.deepEqual(result.acceptedBy, ["ci"]);
 * ```
 */
export async function verifyEnvelope(
  envelope: Envelope | object | string | Uint8Array,
  trust: EnvelopeTrust | EnvelopePublicKey,
): Promise<EnvelopeResult> {
  const guarded = "pubkey" in trust ? undefined : checkEnvelopeTrust(trust);
  try {
    const accepted = guarded ??
      checkEnvelopeTrust({ keys: [await importKey(trust as EnvelopePublicKey)] });
    const { maxPayloadBytes, maxSignatures } = accepted;
    const decoded = parseEnvelope(envelope, { maxPayloadBytes, maxSignatures });
    return await verifyDecodedEnvelope(decoded, accepted);
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    return { ok: false, errorReason: error.reason, error };
  }
}

const TRUST = [
  "keys",
  "threshold",
  "keyIdRule",
  "payloadTypes",
  "maxPayloadBytes",
  "maxSignatures",
];

/** Throws a TypeError for anything in `trust` that is not of its form. */
export function checkEnvelopeTrust(trust: EnvelopeTrust): EnvelopeTrust {
  refuseUnknown(trust, TRUST, "verifyEnvelope()");
  const { keys, threshold = 1, keyIdRule = "hint", payloadTypes } = trust;
  if (!Array.isArray(keys) || keys.length === 0) throw new TypeError("No trusted keys are given");
  refuseOtherThanKeys(keys);
  if (keyIdRule !== "hint" && keyIdRule !== "must-match") {
    throw new TypeError("keyIdRule must be hint or must-match");
  }
  // A text has `includes` too, which would look for a part of it.
  if (payloadTypes !== undefined && !Array.isArray(payloadTypes)) {
    throw new TypeError("payloadTypes is not an array");
  }
  if (!Number.isInteger(threshold) || threshold < 1) {
    throw new TypeError(`threshold is ${threshold}, wanted an integer >= 1`);
  }
  const distinct = threshold === 1 ? 1 : new Set(keys.map((key) => key.fingerprint)).size;
  if (threshold > distinct) {
    throw new TypeError(`threshold is ${threshold}, but only ${distinct} distinct keys are given`);
  }
  return { ...trust, keys: [...keys] };
}

/**
 * @throws {TypeError} If one of the keys cannot verify or be told from others, such as PEM
 * text.
 */
export function refuseOtherThanKeys(keys: readonly TrustedKey[]): void {
  for (const key of keys) {
    if (typeof key?.verify !== "function" || typeof key.fingerprint !== "string") {
      throw new TypeError("A trusted key is not what importTrustedKey() returns");
    }
  }
}

async function importKey(trust: EnvelopePublicKey): Promise<TrustedKey> {
  refuseUnknown(trust, ["pubkey", "alg"], "verifyEnvelope()");
  // Loaded on use: who brings keys of their own does not carry the readers of key files.
  const { importTrustedKey } = await import("../keys/trusted_key.ts");
  return importTrustedKey(trust.pubkey, { alg: trust.alg });
}

/** {@linkcode verifyEnvelope} from the decoded envelope on; `trust` has been checked. */
export async function verifyDecodedEnvelope(
  envelope: DecodedEnvelope,
  trust: EnvelopeTrust,
): Promise<EnvelopeResult> {
  const { keys, threshold = 1, payloadTypes } = trust;
  const { payloadType, payload, signatures } = envelope;
  const signed = pae(payloadType, payload);
  const strict = trust.keyIdRule === "must-match";
  const found = signatures.length === 1
    ? [await acceptingKey(signed, signatures[0], keys, strict)]
    : await Promise.all(signatures.map((one) => acceptingKey(signed, one, keys, strict)));

  const accepted = new Set(found.map((key) => key?.fingerprint));
  accepted.delete(undefined);
  if (accepted.size < threshold) {
    return refused(
      accepted.size === 0 ? "invalid-signature" : "threshold-not-met",
      `${accepted.size} of ${threshold} required keys accept`,
      "/signatures",
    );
  }
  if (payloadTypes !== undefined && !payloadTypes.includes(payloadType)) {
    return refused(
      "unsupported-payload-type",
      `payloadType is ${quote(payloadType)}, wanted ${payloadTypes.map(quote).join(" or ")}`,
      "/payloadType",
    );
  }
  // The first name of a distinct key stands for it.
  const acceptedKeys = keys.filter(({ fingerprint }) => accepted.delete(fingerprint));
  const acceptedBy = acceptedKeys.map(({ name }) => name);
  return { ok: true, errorReason: null, payloadType, payload, acceptedBy, acceptedKeys };
}

async function acceptingKey(
  signed: Bytes,
  { sig, keyid }: DecodedSignature,
  keys: TrustedKey[],
  strict: boolean,
): Promise<TrustedKey | undefined> {
  let candidates = keys;
  if (keyid !== "" && (strict || keys.length > 1)) {
    const named = keys.filter((key) => key.keyid === keyid || key.fingerprint === keyid);
    candidates = strict ? named : [...named, ...keys.filter((key) => !named.includes(key))];
  }
  for (const key of candidates) {
    try {
      if (await key.verify(signed, sig) === true) return key;
    } catch {
      // A key that cannot tell has not accepted; the others are still asked.
    }
  }
}

function refused(reason: Reason, what: string, path: string): RefusedEnvelope {
  const error = new AttestationError(reason, `Cannot verify envelope: ${what}`, { path });
  return { ok: false, errorReason: reason, error };
}
