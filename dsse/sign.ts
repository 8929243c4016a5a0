import { encodeBase64 } from "../internal/base64.ts";
import { type Bytes, utf8 } from "../internal/bytes.ts";
import { refuseUnknown } from "../internal/options.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import type { Signer } from "../keys/signer.ts";
import { type Envelope, type EnvelopeSignature, parseEnvelope } from "./envelope.ts";
import { pae } from "./pae.ts";

/** One signing key as text: the short form of a `Signer`. */
export interface SigningKey {
  /** Private key: PEM (PKCS#8) or JWK text. */
  key: string;
  /** Its algorithm. Default: the usual one of its kind. */
  alg?: KeyAlgorithm;
  /** Hint that goes with the signature. */
  keyid?: string;
}

/**
 * Makes and signs a DSSE envelope.
 *
 * A payload that is an object is written as JSON once; those bytes are signed and stored.
 * The base64 is standard and padded.
 *
 * Source: DSSE 1.0.2, protocol.md, "Protocol"; envelope.md.
 *
 * @param payloadType Type of the payload, such as `application/vnd.in-toto+json`.
 * @param payload Bytes as they are, text as UTF-8, or an object as JSON.
 * @param signers One signer, several, or one private key as text.
 * @throws {TypeError} If there is no signer, or the payload cannot be written as JSON: what
 * JSON has no members for (an ArrayBuffer, Map, Blob or Promise) would be signed as `{}`.
 * @throws {AttestationError} What `importSigner()` refuses of `key`.
 *
 * @example A key as text
 * ```ts
 * import { createEnvelope, verifyEnvelope } from "@x/attest/dsse";
 * import { generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { privateKey, publicKey } = await generateSigner("ES256");
 * const envelope = await createEnvelope("application/vnd.in-toto+json", { a: 1 }, {
 *   key: privateKey,
 *   alg: "ES256",
 *   keyid: "ci",
 * });
 * const { ok, errorReason } = await verifyEnvelope(envelope, { pubkey: publicKey, alg: "ES256" });
 * assert.ok(ok, String(errorReason));
 * ```
 */
export async function createEnvelope(
  payloadType: string,
  payload: Uint8Array | string | object,
  signers: Signer | Signer[] | SigningKey,
): Promise<Envelope> {
  const bytes = payload instanceof Uint8Array
    ? payload
    : utf8(typeof payload === "string" ? wellFormed(payload) : serialize(payload));
  const signatures = await signAll(pae(payloadType, bytes), await resolve(signers));
  return { payload: encodeBase64(bytes), payloadType, signatures };
}

/**
 * Adds signatures to an envelope. Its payload stays as it is, to the letter.
 *
 * The signatures that are there are neither verified nor removed.
 *
 * @param envelope Envelope to sign again.
 * @param signers One signer, several, or one private key as text.
 * @throws {AttestationError} What {@linkcode parseEnvelope} refuses.
 *
 * @example
 * ```ts
 * import { createEnvelope, signEnvelope } from "@x/attest/dsse";
 * import { generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const first = await generateSigner("Ed25519");
 * const second = await generateSigner("ES384");
 * const once = await createEnvelope("t", "text", first.signer);
 * const twice = await signEnvelope(once, second.signer);
 * assert.equal(twice.signatures.length, 2);
 * assert.equal(twice.payload, once.payload);
 * ```
 */
export async function signEnvelope(
  envelope: Envelope,
  signers: Signer | Signer[] | SigningKey,
): Promise<Envelope> {
  // A copy: what the caller changes while the signer works is not what was signed.
  const { payloadType, payload } = parseEnvelope(envelope);
  const own = { ...envelope, signatures: [...envelope.signatures] };
  const added = await signAll(pae(payloadType, payload), await resolve(signers));
  return { ...own, signatures: [...own.signatures, ...added] };
}

function signAll(signed: Bytes, signers: Signer[]): Promise<EnvelopeSignature[]> {
  return Promise.all(signers.map(async (signer) => {
    const sig = encodeBase64(await signer.sign(signed));
    return signer.keyid === undefined ? { sig } : { sig, keyid: signer.keyid };
  }));
}

async function resolve(signers: Signer | Signer[] | SigningKey): Promise<Signer[]> {
  if (Array.isArray(signers)) {
    if (signers.length === 0) throw new TypeError("No signer is given");
    return signers;
  }
  // Of a text, such as a key's PEM, the runtime's own error would have all of it.
  if (typeof signers !== "object" || signers === null) {
    throw new TypeError("A signer is not what importSigner() returns, and no { key }");
  }
  if ("sign" in signers) return [signers];
  const { key, ...options } = signers;
  refuseUnknown(options, ["alg", "keyid"], "createEnvelope()");
  const { importSigner } = await import("../keys/signer.ts");
  return [await importSigner(key, options)];
}

function serialize(payload: object): string {
  const text: string | undefined = ArrayBuffer.isView(payload)
    ? undefined
    : JSON.stringify(payload);
  const prototype = payload === null ? null : Object.getPrototypeOf(payload);
  const isPlain = prototype === null || prototype === Object.prototype;
  if (text === undefined || (text === "{}" && !isPlain)) {
    throw new TypeError("The payload cannot be written as JSON");
  }
  return wellFormed(text);
}

function wellFormed(text: string): string {
  if (!text.isWellFormed()) throw new TypeError("The payload has an unpaired surrogate");
  return text;
}
