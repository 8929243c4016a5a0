import { AttestationError } from "../errors.ts";
import { refuseUnknown } from "../internal/options.ts";
import {
  copyJson,
  isObject,
  type Json,
  type JsonObject,
  parseJson,
  quote,
} from "../internal/json.ts";

/** What a signature over an image says: which image, and who calls it what. */
export interface SimpleSigning {
  /** What kind of signature it is; the others have rules of their own. */
  type:
    | "cosign container image signature"
    | "atomic container signature"
    | "Google cloud binauthz container signature";
  /** Digest of the manifest that was signed: `sha256:` or `sha512:` and lowercase hex. */
  manifestDigest: string;
  /** How the signer called the image; says nothing about where it is now. */
  reference: string;
  /** What the signer added; kept as it is. */
  optional?: JsonObject;
}

/** Bounds of {@linkcode parseSimpleSigning}. */
export interface SimpleSigningLimits {
  /** Bytes of the payload. Default 1 MiB. */
  maxBytes?: number;
}

const COSIGN = "cosign container image signature";
const ATOMIC = "atomic container signature";
const BINAUTHZ = "Google cloud binauthz container signature";
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/**
 * Reads the payload of an image signature ("simple signing"), strictly; verifies nothing.
 *
 * What is `critical` must be understood: a member that is not known there is refused, as is
 * any other at the top. What is `optional` is kept.
 *
 * Source: containers/image, docs/containers-signature.5.md, "JSON Data Format"; sigstore/cosign,
 * specs/SIGNATURE_SPEC.md, "Payloads".
 *
 * @param source JSON text, its UTF-8 bytes, or the parsed object.
 * @param limits Bounds.
 * @throws {AttestationError} `malformed-signature-payload`, `limit-exceeded`, or what strict
 * JSON refuses.
 * @throws {RangeError} If the limit is no integer >= 1.
 *
 * @example
 * ```ts
 * import { parseSimpleSigning } from "@x/attest/formats";
 * import assert from "node:assert/strict";
 *
 * const { manifestDigest } = parseSimpleSigning({
 *   critical: {
 *     type: "cosign container image signature",
 *     image: { "docker-manifest-digest": `sha256:${"a".repeat(64)}` },
 *     identity: { "docker-reference": "registry.example/app" },
 *   },
 *   optional: null,
 * });
 * assert.equal(manifestDigest, `sha256:${"a".repeat(64)}`);
 * ```
 */
export function parseSimpleSigning(
  source: string | Uint8Array | object,
  limits: SimpleSigningLimits = {},
): SimpleSigning {
  refuseUnknown(limits, ["maxBytes"], "parseSimpleSigning()");
  const { maxBytes = 1 << 20 } = limits;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
    throw new RangeError(`maxBytes is ${maxBytes}, wanted an integer >= 1`);
  }
  const value = typeof source === "string" || source instanceof Uint8Array
    ? parseJson(source, { maxLength: maxBytes, maxDepth: 64 })
    : copyJson(source);
  const payload = members(value, "", ["critical"], ["optional"]);
  const critical = members(payload.critical, "/critical", ["type", "image", "identity"]);
  const image = members(critical.image, "/critical/image", ["docker-manifest-digest"]);
  const identity = members(critical.identity, "/critical/identity", ["docker-reference"]);
  const type = text(critical.type, "/critical/type");
  if (type !== COSIGN && type !== ATOMIC && type !== BINAUTHZ) {
    throw malformed("/critical/type", `${quote(type)} is no known kind of signature`);
  }
  const path = "/critical/image/docker-manifest-digest";
  const manifestDigest = text(image["docker-manifest-digest"], path);
  if (!DIGEST.test(manifestDigest)) {
    throw malformed(path, `${quote(manifestDigest)} is no digest`);
  }
  const result: SimpleSigning = {
    type,
    manifestDigest,
    reference: text(identity["docker-reference"], "/critical/identity/docker-reference"),
  };
  const { optional } = payload;
  if (isObject(optional)) result.optional = optional;
  else if (!mayLack(type, payload)) throw malformed("/optional", "not an object");
  return result;
}

/** Each kind has its own rule for what nobody has to understand. */
function mayLack(type: SimpleSigning["type"], payload: JsonObject): boolean {
  if (type === COSIGN) return payload.optional === null;
  return type === BINAUTHZ && !Object.hasOwn(payload, "optional");
}

/** An object with all of the wanted members and none but the accepted ones. */
function members(
  value: Json,
  path: string,
  wanted: readonly string[],
  accepted: readonly string[] = [],
): JsonObject {
  if (!isObject(value)) throw malformed(path, "not an object");
  const missing = wanted.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) throw malformed(`${path}/${missing}`, "missing");
  const unknown = Object.keys(value).find((name) =>
    !wanted.includes(name) && !accepted.includes(name)
  );
  if (unknown !== undefined) throw malformed(path, `${quote(unknown)} is not known there`);
  return value;
}

function text(value: Json, path: string): string {
  if (typeof value === "string") return value;
  throw malformed(path, "not a string");
}

function malformed(path: string, what: string): AttestationError {
  return new AttestationError(
    "malformed-signature-payload",
    `Cannot read image signature: ${path === "" ? "its payload" : path}: ${what}`,
    { path },
  );
}
