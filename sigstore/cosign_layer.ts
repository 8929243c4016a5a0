import { AttestationError, isAttestationError } from "../errors.ts";
import { type DecodedEnvelope, parseEnvelope } from "../dsse/envelope.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { type Bytes, equalBytes } from "../internal/bytes.ts";
import { decodeHex } from "../internal/hex.ts";
import { refuseUnknown } from "../internal/options.ts";
import { copyJson, isObject, type Json, parseJson, quote } from "../internal/json.ts";
import { decodePem } from "../internal/pem.ts";
import { Shape } from "./_shape.ts";
import type { BundleSigner, LogEntry, SigstoreBundle } from "./bundle.ts";
import { parseCertificate } from "./certificate.ts";
import { ENVELOPE_TYPES, SIMPLE_SIGNING_TYPE } from "./cosign_media_types.ts";

/**
 * One signature or attestation of cosign's tag scheme (`sha256-….sig`, `sha256-….att`): a
 * layer's blob, and the annotations that hold what belongs to it. Nothing of it is verified.
 *
 * As JSON, with the payload in base64, it is what containers/image keeps beside an image.
 */
export interface CosignLayer {
  /** Media type of the layer: an envelope or a simple-signing payload. */
  mimeType: string;
  /** The blob. */
  payload: Bytes;
  /** Annotations of the layer: signature, certificate, chain, log entry, timestamp. */
  annotations: Record<string, string>;
}

/** Bounds of {@linkcode parseCosignLayer}. */
export interface CosignLayerLimits {
  /** Bytes of the whole document. Default 48 MiB. */
  maxBytes?: number;
}

/** A layer as the other formats are read: what was signed, and what proves it. */
export type CosignContent =
  | {
    /** A signature over an image, by its digest. */
    kind: "signature";
    /** What the signature is over. */
    payload: Bytes;
    /** Signature, signer, log entry and timestamp; the signed message is `payload`. */
    bundle: SigstoreBundle;
  }
  | {
    /** An envelope with a certificate, a log entry or a timestamp beside it. */
    kind: "bundle";
    /** All of it together. */
    bundle: SigstoreBundle;
  }
  | {
    /** An envelope, and nothing beside it: signed with keys. */
    kind: "envelope";
    /** The envelope. */
    envelope: DecodedEnvelope;
  };

const SIGNATURE = "dev.cosignproject.cosign/signature";
const CERTIFICATE = "dev.sigstore.cosign/certificate";
const CHAIN = "dev.sigstore.cosign/chain";
const LOG_ENTRY = "dev.sigstore.cosign/bundle";
const TIMESTAMP = "dev.sigstore.cosign/rfc3161timestamp";

/** First line of the files that containers/image writes. */
const MAGIC = "\0sigstore-json\n";
const MAX_ANNOTATIONS = 256;
const MAX_CERTIFICATES = 32;
/** JSON of one annotation: an entry's body holds the certificate and little more. */
const MAX_ANNOTATION_LENGTH = 32 << 20;

/**
 * Reads a layer of cosign's tag scheme that is kept as JSON: `mimeType`, `payload` in base64,
 * `annotations`; also with the first line that containers/image writes before it. Verifies
 * nothing; `verify()` takes the same text.
 *
 * Source: containers/image, docs/signature-protocols.md and internal/signature/sigstore.go;
 * sigstore/cosign, specs/SIGNATURE_SPEC.md and specs/ATTESTATION_SPEC.md.
 *
 * @param source JSON text, its UTF-8 bytes, or the parsed object.
 * @param limits Bounds.
 * @throws {AttestationError} `unknown-format` if it is something else, `invalid-base64`,
 * `limit-exceeded`, or what strict JSON refuses.
 * @throws {RangeError} If the limit is no integer >= 1.
 *
 * @example
 * ```ts
 * import { parseCosignLayer } from "@x/attest/sigstore";
 * import assert from "node:assert/strict";
 *
 * const { annotations } = parseCosignLayer({
 *   mimeType: "application/vnd.dev.cosign.simplesigning.v1+json",
 *   payload: btoa("{}"),
 *   annotations: { "dev.cosignproject.cosign/signature": "AA==" },
 * });
 * assert.equal(annotations["dev.cosignproject.cosign/signature"], "AA==");
 * ```
 */
export function parseCosignLayer(
  source: string | Uint8Array | object,
  limits: CosignLayerLimits = {},
): CosignLayer {
  refuseUnknown(limits, ["maxBytes"], "parseCosignLayer()");
  const { maxBytes = 48 << 20 } = limits;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
    throw new RangeError(`maxBytes is ${maxBytes}, wanted an integer >= 1`);
  }
  const value = typeof source === "string" || source instanceof Uint8Array
    ? parseJson(withoutMagic(source), { maxLength: maxBytes })
    : copyJson(source);
  if (!isObject(value)) throw unknown("it is no JSON object", "");
  const { mimeType, payload, annotations } = value;
  if (typeof mimeType !== "string") throw unknown("it has no mimeType", "/mimeType");
  if (typeof payload !== "string") throw unknown("it has no payload", "/payload");
  return {
    mimeType,
    payload: decodeBase64(payload, { path: "/payload" }),
    annotations: readAnnotations(annotations),
  };
}

function readAnnotations(value: Json | undefined): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw unknown("its annotations are no object", "/annotations");
  const entries = Object.entries(value);
  if (entries.length > MAX_ANNOTATIONS) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read signature: ${entries.length} annotations, at most ${MAX_ANNOTATIONS}`,
      { path: "/annotations" },
    );
  }
  const annotations: Record<string, string> = {};
  for (const [name, text] of entries) {
    if (typeof text !== "string") throw unknown("an annotation is no text", "/annotations");
    Object.defineProperty(annotations, name, {
      value: text,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return annotations;
}

/** Tells whether text or bytes begin as the files of containers/image do. */
export function hasMagic(source: string | Uint8Array): boolean {
  return typeof source === "string"
    ? source.startsWith(MAGIC)
    : equalBytes(source.subarray(0, MAGIC.length), new TextEncoder().encode(MAGIC));
}

/** Such a file without its first line. */
export function withoutMagic<T extends string | Uint8Array>(source: T): T {
  if (!hasMagic(source)) return source;
  return (typeof source === "string"
    ? source.slice(MAGIC.length)
    : source.subarray(MAGIC.length)) as T;
}

/**
 * Puts a layer and its annotations together as one signature with its evidence: in the shape
 * of a bundle of version 0.1, as its log entry has a promise (SET) and no proof of inclusion.
 *
 * All of it is of one layer: nothing is ever taken from another one.
 *
 * @throws {AttestationError} `unknown-format` (media type, no signature), `invalid-base64`,
 * `malformed-pem`, `malformed-certificate`, `malformed-log-entry`, `malformed-timestamp`,
 * `limit-exceeded`, or what {@linkcode parseEnvelope} refuses.
 */
export function readCosignLayer(
  { mimeType, payload, annotations }: CosignLayer,
  maxPayloadBytes: number = 16 << 20,
): CosignContent {
  const logEntries = readEntry(annotations);
  const timestamps = readTimestamp(annotations);
  const certificate = readCertificates(annotations);
  const signer: BundleSigner = certificate ?? { kind: "publicKey", hint: "" };
  const evidence = { version: "0.1", signer, logEntries, timestamps } as const;
  if (mimeType === SIMPLE_SIGNING_TYPE) {
    const text = annotations[SIGNATURE] ?? "";
    if (text === "") throw unknown("the layer has no signature", pointer(SIGNATURE));
    const signature = decodeBase64(text, { path: pointer(SIGNATURE) });
    return {
      kind: "signature",
      payload,
      bundle: { ...evidence, content: { kind: "message", signature } },
    };
  }
  if (!ENVELOPE_TYPES.includes(mimeType)) {
    throw unknown(`${quote(mimeType)} is no type of a layer that is read`, "/mimeType");
  }
  const envelope = parseEnvelope(payload, { maxPayloadBytes, maxSignatures: 32 });
  if (certificate === undefined && logEntries.length === 0 && timestamps.length === 0) {
    return { kind: "envelope", envelope };
  }
  if (envelope.signatures.length !== 1) {
    throw new AttestationError(
      "malformed-envelope",
      `Cannot read envelope: ${envelope.signatures.length} signatures beside one certificate ` +
        "or log entry, wanted exactly one",
      { path: "/signatures" },
    );
  }
  const [{ sig: signature }] = envelope.signatures;
  return {
    kind: "bundle",
    // cosign before 3 has an authority stamp the whole envelope, later the signature in it.
    bundle: { ...evidence, content: { kind: "envelope", envelope, signature }, stamped: payload },
  };
}

function readCertificates(
  annotations: Readonly<Record<string, string>>,
): BundleSigner | undefined {
  const pem = annotations[CERTIFICATE] ?? "";
  if (pem === "") return undefined;
  const [leaf, ...more] = certificates(pem, CERTIFICATE);
  const chain = annotations[CHAIN] ?? "";
  const all = [...more, ...chain === "" ? [] : certificates(chain, CHAIN)];
  return {
    kind: "certificate",
    leaf,
    // Only the verifier brings roots: those in the chain are as good as none.
    intermediates: all.filter(({ issuer, subject }) => !equalBytes(issuer, subject)),
  };
}

function certificates(pem: string, name: string) {
  return decodePem(pem, MAX_CERTIFICATES).map(({ der }) => parseCertificate(der, pointer(name)));
}

/** The log entry as Rekor v1 answers it; its kind is what its body states. */
function readEntry(annotations: Readonly<Record<string, string>>): LogEntry[] {
  const entry = annotation(annotations, LOG_ENTRY, "malformed-log-entry");
  if (entry === undefined) return [];
  const payload = entry.object("Payload");
  const body = payload.bytes("body");
  let stated: Shape;
  try {
    stated = new Shape(parseJson(body), "malformed-log-entry", `${payload.path}/body`);
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw new AttestationError("malformed-log-entry", `Cannot read log entry: ${cause.message}`, {
      cause,
      path: `${payload.path}/body`,
    });
  }
  const integratedTime = payload.int64("integratedTime");
  if (integratedTime > 253_402_300_799n) {
    throw payload.refuse("integratedTime", "after the year 9999");
  }
  return [{
    path: entry.path,
    logIndex: payload.int64("logIndex"),
    keyId: decodeHex(payload.text("logID"), `${payload.path}/logID`),
    kind: stated.text("kind"),
    kindVersion: stated.text("apiVersion"),
    integratedTime,
    promise: entry.bytes("SignedEntryTimestamp"),
    body,
  }];
}

function readTimestamp(annotations: Readonly<Record<string, string>>): Bytes[] {
  const stamp = annotation(annotations, TIMESTAMP, "malformed-timestamp");
  return stamp === undefined ? [] : [stamp.bytes("SignedRFC3161Timestamp")];
}

/** JSON in an annotation; absent, empty and `null` are none. */
function annotation(
  annotations: Readonly<Record<string, string>>,
  name: string,
  reason: "malformed-log-entry" | "malformed-timestamp",
): Shape | undefined {
  const text = annotations[name] ?? "";
  if (text === "" || text === "null") return undefined;
  try {
    return new Shape(parseJson(text, { maxLength: MAX_ANNOTATION_LENGTH }), reason, pointer(name));
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw new AttestationError(reason, `Cannot read annotation ${name}: ${cause.message}`, {
      cause,
      path: pointer(name),
    });
  }
}

function pointer(name: string): string {
  return `/annotations/${name.replaceAll("/", "~1")}`;
}

function unknown(what: string, path: string): AttestationError {
  return new AttestationError("unknown-format", `Cannot read signature: ${what}`, { path });
}
