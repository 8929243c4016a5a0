import { AttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import type { Bytes } from "../internal/bytes.ts";
import { copyJson, isObject, type Json, parseJson } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";

/** A DSSE envelope as it is on the wire. */
export interface Envelope {
  /** Base64 of the payload. */
  payload: string;
  /** Opaque, case-sensitive type of the payload. */
  payloadType: string;
  /** At least one; the order has no meaning. */
  signatures: EnvelopeSignature[];
}

/** One signature of an {@linkcode Envelope}. */
export interface EnvelopeSignature {
  /** Base64 of the signature. */
  sig: string;
  /** Unauthenticated hint at the key. */
  keyid?: string;
}

/** An envelope with its base64 decoded; nothing of it is verified. */
export interface DecodedEnvelope {
  /** Opaque, case-sensitive type of the payload. */
  payloadType: string;
  /** Bytes of the payload. NOT verified: {@linkcode verifyEnvelope} returns those that are. */
  payload: Bytes;
  /** At least one. */
  signatures: DecodedSignature[];
}

/** One signature of a {@linkcode DecodedEnvelope}. */
export interface DecodedSignature {
  /** Bytes of the signature. */
  sig: Bytes;
  /** Unauthenticated hint at the key; empty when there is none. */
  keyid: string;
}

/** Bounds of {@linkcode parseEnvelope}: integers >= 1. */
export interface EnvelopeLimits {
  /** Bytes of the decoded payload. Default 16 MiB. */
  maxPayloadBytes?: number;
  /** Signatures. Default 64. */
  maxSignatures?: number;
}

/**
 * Reads a DSSE envelope and decodes its base64, strictly; verifies nothing.
 *
 * Unknown members are ignored, as the specification asks.
 *
 * Source: DSSE 1.0.2, envelope.md, "Standard JSON envelope" and "Parsing rules".
 *
 * @param source JSON text, its UTF-8 bytes, or the parsed object. `payload` and `sig` are
 * base64, standard or URL-safe, padded or not, each text in one alphabet.
 * @param limits Bounds.
 * @throws {TypeError} If a limit is unknown or no integer >= 1.
 * @throws {AttestationError} `malformed-envelope`, `missing-signatures`, `invalid-base64`,
 * `limit-exceeded`, or what strict JSON refuses (`malformed-json`, `duplicate-json-key`,
 * `invalid-unicode`, `empty-input`).
 *
 * @example
 * ```ts
 * import { parseEnvelope } from "@x/attest/dsse";
 * import assert from "node:assert/strict";
 *
 * const text = `{"payload":"e30=","payloadType":"t","signatures":[{"sig":"AA=="}]}`;
 * assert.equal(parseEnvelope(text).payload.length, 2);
 * ```
 */
export function parseEnvelope(
  source: Envelope | object | string | Uint8Array,
  limits: EnvelopeLimits = {},
): DecodedEnvelope {
  const { maxPayloadBytes = 16 << 20, maxSignatures = 64, ...unknown } = limits;
  refuseUnknown(unknown, [], "parseEnvelope()");
  if (!isLimit(maxPayloadBytes) || !isLimit(maxSignatures)) {
    throw new TypeError("maxPayloadBytes and maxSignatures must be integers >= 1");
  }
  // Four base64 digits for three bytes, and as much again for the rest of the envelope.
  const value = typeof source === "string" || source instanceof Uint8Array
    ? parseJson(source, { maxLength: 2 * maxPayloadBytes + (1 << 20) })
    : copyJson(source);
  if (!isObject(value)) throw malformed("not a JSON object", "");
  const { payload, payloadType, signatures } = value;
  if (typeof payload !== "string") throw malformed("payload is not a string", "/payload");
  if (typeof payloadType !== "string") {
    throw malformed("payloadType is not a string", "/payloadType");
  }
  if (!Array.isArray(signatures)) throw malformed("signatures is not an array", "/signatures");
  if (signatures.length === 0) {
    throw new AttestationError("missing-signatures", "Cannot read envelope: no signature", {
      path: "/signatures",
    });
  }
  if (signatures.length > maxSignatures) {
    throw exceeded(`${signatures.length} signatures, at most ${maxSignatures}`, "/signatures");
  }
  const tooLong = Math.ceil(maxPayloadBytes / 3) * 4 < payload.length;
  const decoded = tooLong ? undefined : decodeBase64(payload, { path: "/payload" });
  if (decoded === undefined || decoded.length > maxPayloadBytes) {
    throw exceeded(`a payload above ${maxPayloadBytes} bytes`, "/payload");
  }
  return { payloadType, payload: decoded, signatures: signatures.map(decodeSignature) };
}

function isLimit(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function decodeSignature(value: Json, index: number): DecodedSignature {
  const path = `/signatures/${index}`;
  if (!isObject(value)) throw malformed("a signature is not an object", path);
  const { sig, keyid = null } = value;
  if (typeof sig !== "string") throw malformed("sig is not a string", `${path}/sig`);
  if (keyid !== null && typeof keyid !== "string") {
    throw malformed("keyid is not a string", `${path}/keyid`);
  }
  return { sig: decodeBase64(sig, { path: `${path}/sig` }), keyid: keyid ?? "" };
}

function malformed(what: string, path: string): AttestationError {
  return new AttestationError("malformed-envelope", `Cannot read envelope: ${what}`, { path });
}

function exceeded(what: string, path: string): AttestationError {
  return new AttestationError("limit-exceeded", `Cannot read envelope: ${what}`, { path });
}
