import { AttestationError } from "../../errors.ts";
import { quote } from "../../internal/json.ts";
import { parseOciName } from "../../internal/oci_name.ts";
import type { ResourceDescriptor } from "../resource_descriptor.ts";

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
 * `malformed-image-reference`, `invalid-digest`, `limit-exceeded`.
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
  const { written, digest } = parseOciName(reference);
  if (digest === undefined) {
    throw new AttestationError(
      "missing-subject-digest",
      `Cannot use image ${quote(reference)}: name its digest, as NAME@sha256:…`,
    );
  }
  const colon = digest.indexOf(":");
  return { name: written, digest: { [digest.slice(0, colon)]: digest.slice(colon + 1) } };
}
