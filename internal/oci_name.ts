import { AttestationError } from "../errors.ts";
import { quote } from "./json.ts";

/** Parts of the name of an image, as written. */
export interface OciName {
  /** Host of the registry in lower case, with its port; a short name has none. */
  host?: string;
  repository: string;
  tag?: string;
  digest?: string;
  /** Host and repository, as written. */
  written: string;
}

const MAX_LENGTH = 1024;
const MAX_REPOSITORY = 255;

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const PART = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const LABEL = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;
const HOST = /^(\[[0-9a-fA-F:]{2,39}\]|[a-zA-Z0-9.-]{1,253})(?::([1-9]\d{0,4}))?$/;

/**
 * Reads `[HOST/]NAME[:TAG][@DIGEST]`, also after `oci://`.
 *
 * Source: OCI distribution specification 1.1, "Pulling manifests"; OCI image specification
 * 1.1, descriptor.md, "Digests".
 *
 * @throws {AttestationError} `malformed-image-reference`, `invalid-digest`, `limit-exceeded`.
 */
export function parseOciName(reference: string): OciName {
  if (reference.length > MAX_LENGTH) {
    throw new AttestationError("limit-exceeded", "Cannot use image: its reference is too long");
  }
  const text = reference.startsWith("oci://") ? reference.slice("oci://".length) : reference;
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isOciDigest(digest)) {
    throw new AttestationError(
      "invalid-digest",
      `Cannot use image ${quote(reference)}: wanted sha256 or sha512 and lowercase hex after @`,
    );
  }
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  const written = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  const slash = written.indexOf("/");
  const host = slash >= 0 && isHost(written.slice(0, slash)) ? written.slice(0, slash) : undefined;
  const repository = host === undefined ? written : written.slice(slash + 1);
  if ((tag !== undefined && !isOciTag(tag)) || !isOciRepository(repository)) {
    throw malformedOciName(reference, "it is no reference, such as host/name:tag@sha256:…");
  }
  return {
    ...(host === undefined ? {} : { host: host.toLowerCase() }),
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    written,
  };
}

/** A refusal of a reference. */
export function malformedOciName(reference: string, what: string): AttestationError {
  return new AttestationError(
    "malformed-image-reference",
    `Cannot use image ${quote(reference)}: ${what}`,
  );
}

/** Tells whether a text is a digest: `sha256:` or `sha512:` and lowercase hex of its length. */
export function isOciDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** Tells whether a text can be a tag. */
export function isOciTag(text: string): boolean {
  return TAG.test(text);
}

/** Tells whether a text can be the name of a repository. */
export function isOciRepository(text: string): boolean {
  return text.length <= MAX_REPOSITORY && text.split("/").every((part) => PART.test(part));
}

/** A first part that can only be a host: `localhost`, or with a dot, a port or in brackets. */
function isHost(text: string): boolean {
  const [, name, port] = HOST.exec(text) ?? [];
  if (name === undefined || Number(port ?? 1) > 65_535) return false;
  if (name.startsWith("[")) return true;
  const isNamed = name === "localhost" || name.includes(".") || port !== undefined;
  return isNamed && name.split(".").every((label) => LABEL.test(label));
}
