import { AttestationError } from "../../errors.ts";
import { quote } from "../../internal/json.ts";
import type { ResourceDescriptor } from "../resource_descriptor.ts";

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;
const HOST =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[0-9a-fA-F:]{2,39}\])(?::\d{1,5})?$/;
const PART = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/**
 * An image or other artifact of a registry as a subject, by its digest. The name is that of
 * the repository, as written and without a tag, which is what signing tools write.
 *
 * The digest of an index says nothing about the platforms in it: attest each of them.
 *
 * Source: OCI distribution specification 1.1, "Pulling manifests"; OCI image specification,
 * descriptor.md, "Digests".
 *
 * @param reference `NAME@sha256:…` or `NAME:TAG@sha512:…`, also after `oci://`; nothing is
 * asked for in a registry.
 * @throws {AttestationError} `missing-subject-digest` (a tag may be another image tomorrow),
 * `malformed-resource-descriptor`, `invalid-digest`.
 *
 * @example
 * ```ts
 * import { ociSubject } from "@x/attest/intoto/subjects";
 * import assert from "node:assert/strict";
 *
 * const subject = ociSubject(`registry.example/acme/app:1.0@sha256:${"a".repeat(64)}`);
 * assert.deepEqual(subject, {
 *   name: "registry.example/acme/app",
 *   digest: { sha256: "a".repeat(64) },
 * });
 * ```
 */
export function ociSubject(reference: string): ResourceDescriptor {
  if (reference.length > 1024) {
    throw new AttestationError("limit-exceeded", "Cannot use image: its reference is too long");
  }
  const text = reference.startsWith("oci://") ? reference.slice("oci://".length) : reference;
  const at = text.indexOf("@");
  if (at < 0) {
    throw new AttestationError(
      "missing-subject-digest",
      `Cannot use image ${quote(reference)}: name its digest, as NAME@sha256:…`,
    );
  }
  const digest = text.slice(at + 1);
  if (!DIGEST.test(digest)) {
    throw new AttestationError(
      "invalid-digest",
      `Cannot use image ${quote(reference)}: wanted sha256 or sha512 and lowercase hex after @`,
    );
  }
  const colon = digest.indexOf(":");
  return {
    name: repositoryOf(text.slice(0, at), reference),
    digest: { [digest.slice(0, colon)]: digest.slice(colon + 1) },
  };
}

function repositoryOf(name: string, reference: string): string {
  const slash = name.lastIndexOf("/");
  const colon = name.indexOf(":", slash + 1);
  const repository = colon < 0 ? name : name.slice(0, colon);
  const parts = repository.split("/");
  const [first, ...rest] = parts;
  const isHost = rest.length > 0 && HOST.test(first) &&
    (/[.:[]/.test(first) || first === "localhost");
  const path = isHost ? rest : parts;
  const tagged = colon < 0 || TAG.test(name.slice(colon + 1));
  if (!tagged || !path.every((part) => PART.test(part))) {
    throw new AttestationError(
      "malformed-resource-descriptor",
      `Cannot use image ${quote(reference)}: it is no reference, such as host/name:tag@sha256:…`,
    );
  }
  return repository;
}
