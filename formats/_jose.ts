import { AttestationError, isAttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { type Bytes, utf8 } from "../internal/bytes.ts";
import { isObject, type Json, type JsonObject, parseJson, quote } from "../internal/json.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import type { FormatLimits } from "./format.ts";
import type { FormatInput } from "./format_input.ts";

/** One signature of a JWS, read and not verified. */
export interface JoseSignature {
  /** The protected header. */
  readonly header: JsonObject;
  /** The header that nobody signed. */
  readonly unprotected: JsonObject;
  /** Makes what is signed, the encoded header, a dot and the encoded payload: for one at a time. */
  signed(): Bytes;
  /** The signature. */
  readonly signature: Bytes;
}

/** A JWS in any of its three serialisations. */
export interface Jose {
  /** How it is written. */
  readonly serialization: "compact" | "flattened" | "general";
  /** The payload, decoded. */
  readonly payload: Bytes;
  /** At least one. */
  readonly signatures: readonly JoseSignature[];
}

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]*)[\t\n\r ]*$/;
const MAX_HEADER = 256 << 10;

/**
 * Reads a JWS: compact, flattened or general. Of each signature the protected header has to
 * name the algorithm, and the two headers have no name in common.
 *
 * Source: RFC 7515, 3, 4.1, 5.2 and 7.
 *
 * @throws {AttestationError} `malformed-envelope`, `invalid-base64`, `missing-signatures`,
 * `limit-exceeded`, or those of strict JSON.
 */
export function parseJose(source: Uint8Array, limits: FormatLimits): Jose {
  if (source.length > limits.maxBytes) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read JWS: ${source.length} bytes, at most ${limits.maxBytes} are accepted`,
    );
  }
  const text = asciiOf(source);
  const match = text === undefined ? null : COMPACT.exec(text);
  if (match !== null) {
    const [, header, payload, signature] = match;
    return {
      serialization: "compact",
      payload: base64(payload, "the payload"),
      signatures: [readSignature({ protected: header, signature }, payload, "")],
    };
  }
  if (text !== undefined) {
    const parts = text.trimEnd().split(".").length;
    if (parts !== 3) throw malformed(`it has ${parts} parts, a compact one has 3`, "");
    throw new AttestationError("invalid-base64", "Cannot read JWS: a part is no base64url");
  }
  const value = parseJson(source, { maxLength: limits.maxBytes, maxDepth: 64 });
  if (!isObject(value)) throw malformed("it is no JSON object", "");
  const { payload, signatures } = value;
  if (typeof payload !== "string") throw malformed("its payload is no text", "/payload");
  const decoded = base64(payload, "the payload", "/payload");
  if (signatures === undefined) {
    return {
      serialization: "flattened",
      payload: decoded,
      signatures: [readSignature(value, payload, "")],
    };
  }
  // RFC 7515, 7.2.2: the flattened members must not be there together with `signatures`.
  for (const name of ["signature", "protected", "header"]) {
    if (Object.hasOwn(value, name)) {
      throw malformed("it is flattened and general at once", `/${name}`);
    }
  }
  if (!Array.isArray(signatures)) throw malformed("its signatures are no list", "/signatures");
  if (signatures.length === 0) {
    throw new AttestationError("missing-signatures", "Cannot read JWS: it has no signature", {
      path: "/signatures",
    });
  }
  if (signatures.length > limits.maxSignatures) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read JWS: ${signatures.length} signatures, at most ${limits.maxSignatures}`,
    );
  }
  return {
    serialization: "general",
    payload: decoded,
    signatures: signatures.map((one, i) => readSignature(one, payload, `/signatures/${i}`)),
  };
}

function readSignature(value: Json, payload: string, path: string): JoseSignature {
  if (!isObject(value)) throw malformed("a signature is no object", path);
  const { protected: encoded, signature, header: unprotected = {} } = value;
  if (typeof encoded !== "string" || encoded === "") {
    throw malformed("a signature has no protected header", `${path}/protected`);
  }
  if (typeof signature !== "string") {
    throw malformed("a signature is no text", `${path}/signature`);
  }
  if (!isObject(unprotected)) throw malformed("a header is no object", `${path}/header`);
  const header = parseJson(base64(encoded, "a header", `${path}/protected`), {
    maxLength: MAX_HEADER,
    maxDepth: 32,
  });
  if (!isObject(header)) throw malformed("a header is no object", `${path}/protected`);
  // RFC 7515, 4.1.11: what is not signed must not say what has to be understood.
  if (Object.hasOwn(unprotected, "crit")) {
    throw malformed("its crit is in the unprotected header", `${path}/header`);
  }
  const twice = Object.keys(header).find((name) => Object.hasOwn(unprotected, name));
  if (twice !== undefined) {
    throw malformed(`${quote(twice)} stands in both headers`, `${path}/header`);
  }
  if (typeof header.alg !== "string") {
    throw malformed("its protected header names no algorithm", `${path}/protected`);
  }
  return {
    header,
    unprotected,
    signed: () => utf8(`${encoded}.${payload}`),
    signature: base64(signature, "a signature", `${path}/signature`),
  };
}

/**
 * Why a `crit` header forbids to go on, or undefined: it lists names that are there, each
 * once, none of RFC 7515's own, and all of them understood. A payload that is signed without its
 * encoding is refused even where its `b64` is not critical, as it has to be.
 *
 * Source: RFC 7515, 4.1.11; RFC 7797, 6.
 */
export function criticalRefusal(
  header: JsonObject,
  understood: ReadonlySet<string>,
): AttestationError | undefined {
  const { b64 = true, crit } = header;
  if (b64 !== true) return notUnderstood("b64");
  if (crit === undefined) return undefined;
  if (!Array.isArray(crit) || crit.length === 0 || new Set(crit).size !== crit.length) {
    return malformed("its crit is no list of different names", "/protected");
  }
  for (const name of crit) {
    if (typeof name !== "string" || !Object.hasOwn(header, name)) {
      return malformed("its crit names a header that is not there", "/protected");
    }
    if (!understood.has(name)) return notUnderstood(name);
  }
}

function notUnderstood(name: string): AttestationError {
  return new AttestationError(
    "unsupported-critical-header",
    `Cannot verify JWS: the critical header ${quote(name)} is not understood`,
    { path: "/protected" },
  );
}

/** The algorithm of a trusted key that an `alg` confirms; undefined for what is not taken. */
export function algorithmOfJose(alg: string): KeyAlgorithm | undefined {
  if (alg === "EdDSA" || alg === "Ed25519") return "Ed25519";
  return /^(ES|PS|RS)(256|384|512)$|^ML-DSA-(44|65|87)$/.test(alg)
    ? alg as KeyAlgorithm
    : undefined;
}

/** A compact or flattened token's protected header, for detection: undefined if there is none. */
export function peekHeader(encoded: string): JsonObject | undefined {
  if (encoded.length > MAX_HEADER) return undefined;
  try {
    const header = parseJson(decodeBase64(encoded, { alphabet: "url", padding: "none" }));
    return isObject(header) ? header : undefined;
  } catch {
    return undefined;
  }
}

/** The header of what may be a compact token, for detection; it may hold a certificate chain. */
export function peekCompact({ bytes, head }: FormatInput): JsonObject | undefined {
  if (!/^e[yw][A-Za-z0-9_-]/.test(head)) return undefined;
  const end = bytes.subarray(0, MAX_HEADER).indexOf(0x2e);
  if (end < 0) return undefined;
  return peekHeader(new TextDecoder("latin1").decode(bytes.subarray(0, end)));
}

function asciiOf(source: Uint8Array): string | undefined {
  // A compact token starts with the `{` of its header.
  if (source[0] !== 0x65) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(source);
  } catch {
    return undefined;
  }
}

function base64(text: string, what: string, path?: string): Bytes {
  try {
    return decodeBase64(text, { alphabet: "url", padding: "none", path });
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw new AttestationError("invalid-base64", `Cannot read JWS: ${what} is no base64url`, {
      cause,
      path,
    });
  }
}

function malformed(what: string, path: string): AttestationError {
  return new AttestationError("malformed-envelope", `Cannot read JWS: ${what}`, { path });
}
