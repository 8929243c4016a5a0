import { isAttestationError, type Problem } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { isObject, type JsonObject, parseJson } from "../internal/json.ts";
import { listTo, refuse, type Report } from "../internal/problem.ts";
import { checkDigestSet, type DigestSet } from "./digest_set.ts";
import { isUri } from "./_uri.ts";

/**
 * A thing that an attestation speaks of. At least one of `uri`, `digest` and `content`
 * says what it is.
 *
 * Source: in-toto attestation v1, resource_descriptor.md.
 */
export interface ResourceDescriptor {
  /** Machine-readable name, local to the attestation. */
  name?: string;
  /** Global name, an RFC 3986 URI. */
  uri?: string;
  /** Digests of the content. */
  digest?: DigestSet;
  /** The content itself, base64. */
  content?: string;
  /** Where it was got from, if that is not `uri`. */
  downloadLocation?: string;
  /** Media type of the content. */
  mediaType?: string;
  /** Whatever else the producer says of it. */
  annotations?: JsonObject;
}

/**
 * Lists what is wrong with a ResourceDescriptor.
 *
 * Unknown fields are ignored, `null` is the same as absent. A `name` alone is accepted,
 * because real producers write it; the specification asks for `uri`, `digest` or `content`.
 *
 * Source: in-toto attestation v1, resource_descriptor.md, "Fields".
 *
 * @param value What should be a ResourceDescriptor.
 * @param path JSON Pointer of `value`, to report problems by.
 * @returns Problems with the reasons `malformed-resource-descriptor` (wrong JSON type),
 * `empty-resource-descriptor`, `invalid-digest` and `invalid-base64` (`content`).
 *
 * @example An address to load from does not say what it is
 * ```ts
 * import { validateResourceDescriptor } from "@x/attest/intoto";
 * import assert from "node:assert/strict";
 *
 * const problems = validateResourceDescriptor({ downloadLocation: "https://example.com/a" });
 * assert.equal(problems[0].reason, "empty-resource-descriptor");
 * ```
 */
export function validateResourceDescriptor(value: unknown, path = ""): Problem[] {
  const problems: Problem[] = [];
  checkDescriptor(value, path, -1, "read", listTo(problems));
  return problems;
}

/**
 * Reads a ResourceDescriptor; refuses it for its first problem.
 *
 * @param source JSON text, UTF-8 bytes or parsed JSON.
 * @returns The descriptor; members that are `null` are left out.
 * @throws {AttestationError} With the reasons of {@linkcode validateResourceDescriptor},
 * or those of strict JSON: `malformed-json`, `duplicate-json-key`, `invalid-unicode`,
 * `limit-exceeded`, `empty-input`.
 *
 * @example
 * ```ts
 * import { parseResourceDescriptor } from "@x/attest/intoto";
 * import assert from "node:assert/strict";
 *
 * const descriptor = parseResourceDescriptor('{"uri":"pkg:npm/app@1.0.0"}');
 * assert.equal(descriptor.uri, "pkg:npm/app@1.0.0");
 * ```
 */
export function parseResourceDescriptor(source: string | Uint8Array | object): ResourceDescriptor {
  const value: unknown = typeof source === "string" || source instanceof Uint8Array
    ? parseJson(source)
    : source;
  const nulls = checkDescriptor(value, "", -1, "read", refuse);
  return nulls ? withoutNulls(value as object) : value as ResourceDescriptor;
}

/**
 * Checks a descriptor, and tells whether a member of it is null.
 *
 * @param index Place in the list at `path`, or -1 if `path` is the descriptor itself.
 * @param use What is asked for besides the shape: a digest of a `subject`; of a
 * `new-subject` also lowercase hex and well-formed URIs.
 */
export function checkDescriptor(
  value: unknown,
  path: string,
  index: number,
  use: "read" | "subject" | "new-subject",
  report: Report,
): boolean {
  if (!isObject(value)) {
    const at = index < 0 ? path : `${path}/${index}`;
    report("malformed-resource-descriptor", at, "Cannot read resource: it is no JSON object");
    return false;
  }
  const { name, uri, digest, content, downloadLocation, mediaType, annotations } = value;
  const isNew = use === "new-subject";
  if (isNoText(name)) wrongType(path, index, "name", "a string", report);
  if (isNoText(uri)) wrongType(path, index, "uri", "a string", report);
  if (isNoText(downloadLocation)) wrongType(path, index, "downloadLocation", "a string", report);
  if (isNoText(mediaType)) wrongType(path, index, "mediaType", "a string", report);
  if (annotations !== undefined && annotations !== null && !isObject(annotations)) {
    wrongType(path, index, "annotations", "an object", report);
  }
  if (content !== undefined && content !== null) checkContent(content, path, index, report);
  if (isNew) {
    checkUri(uri, path, index, "uri", report);
    checkUri(downloadLocation, path, index, "downloadLocation", report);
  }

  let digests = 0;
  let wrongDigest = false;
  if (digest !== undefined && digest !== null) {
    wrongDigest = !isObject(digest);
    digests = checkDigestSet(
      digest,
      index < 0 ? pathOf(path, index, "digest") : path,
      index,
      isNew,
      report,
    );
  }
  if (wrongDigest) return false;
  if (digests === 0) {
    if (use !== "read") {
      report(
        "missing-subject-digest",
        pathOf(path, index, "digest"),
        "Cannot accept subject: it has no digest",
      );
    } else if (!name && !uri && !content) {
      report(
        "empty-resource-descriptor",
        index < 0 ? path : `${path}/${index}`,
        "Cannot read resource: it has neither a URI, nor a digest, nor content",
      );
    }
  }
  return name === null || uri === null || digest === null || content === null ||
    downloadLocation === null || mediaType === null || annotations === null;
}

/** The same descriptor, less what is null. */
export function withoutNulls(descriptor: object): ResourceDescriptor {
  return Object.fromEntries(Object.entries(descriptor).filter(([, member]) => member !== null));
}

function isNoText(value: unknown): boolean {
  return value !== undefined && value !== null && typeof value !== "string";
}

function pathOf(path: string, index: number, member: string): string {
  return index < 0 ? `${path}/${member}` : `${path}/${index}/${member}`;
}

function wrongType(
  path: string,
  index: number,
  member: string,
  wanted: string,
  report: Report,
): void {
  report(
    "malformed-resource-descriptor",
    pathOf(path, index, member),
    `Cannot read resource: ${member} is not ${wanted}`,
  );
}

function checkContent(content: unknown, path: string, index: number, report: Report): void {
  if (typeof content !== "string") {
    return wrongType(path, index, "content", "a base64 string", report);
  }
  const at = pathOf(path, index, "content");
  try {
    decodeBase64(content, { path: at });
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    report(error.reason, at, error.message);
  }
}

function checkUri(
  uri: unknown,
  path: string,
  index: number,
  member: string,
  report: Report,
): void {
  if (typeof uri !== "string" || isUri(uri)) return;
  report(
    "invalid-uri",
    pathOf(path, index, member),
    `Cannot write resource: ${member} is no absolute URI with scheme and host in lower case`,
  );
}
