import { malformedOciName, parseOciName } from "../../internal/oci_name.ts";

export { isOciDigest, isOciTag } from "../../internal/oci_name.ts";

/** An image or other artifact, by the names that a registry knows it by. */
export interface OciReference {
  /** Host of the registry in lower case, with its port if it has one: `registry.example:5000`. */
  readonly host: string;
  /** Repository: `acme/app`. */
  readonly repository: string;
  /** Tag, if there is one. */
  readonly tag?: string;
  /** `sha256:` or `sha512:` and lowercase hex, if there is one; it counts before the tag. */
  readonly digest?: string;
}

/** Host of the default public registry. */
const HUB = "docker.io";

/**
 * Reads a reference, strictly: `HOST/NAME`, `HOST/NAME:TAG`, `HOST/NAME@DIGEST`,
 * `HOST/NAME:TAG@DIGEST`, each also after `oci://`. Without a host it is refused: which
 * registry a short name means is the caller's to say, see {@linkcode expandShortName}.
 *
 * Source: OCI distribution specification 1.1, "Pulling manifests"; OCI image specification
 * 1.1, descriptor.md, "Digests".
 *
 * @throws {AttestationError} `malformed-image-reference`, `invalid-digest`, `limit-exceeded`
 * (1024 characters).
 *
 * @example
 * ```ts
 * import { parseOciReference } from "@x/attest/store/oci";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseOciReference("oci://registry.example:5000/acme/app:1.0"), {
 *   host: "registry.example:5000",
 *   repository: "acme/app",
 *   tag: "1.0",
 * });
 * ```
 */
export function parseOciReference(reference: string): OciReference {
  const { host, repository, tag, digest } = parseOciName(reference);
  if (host === undefined) {
    throw malformedOciName(reference, "it names no registry, as in registry.example/name:tag");
  }
  return {
    host,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/**
 * Writes out a short name of the default public registry: `alpine:3` becomes
 * `docker.io/library/alpine:3`. A reference that names its registry stays as it is.
 *
 * @throws {AttestationError} As {@linkcode parseOciReference}.
 *
 * @example
 * ```ts
 * import { expandShortName } from "@x/attest/store/oci";
 * import assert from "node:assert/strict";
 *
 * assert.equal(expandShortName("alpine:3"), "docker.io/library/alpine:3");
 * assert.equal(expandShortName("acme/app"), "docker.io/acme/app");
 * assert.equal(expandShortName("registry.example/app"), "registry.example/app");
 * ```
 */
export function expandShortName(reference: string): string {
  const { host, repository, ...rest } = parseOciName(reference);
  if (host !== undefined) return formatOciReference({ host, repository, ...rest });
  const full = repository.includes("/") ? repository : `library/${repository}`;
  return formatOciReference({ host: HUB, repository: full, ...rest });
}

/** A reference as text, without a scheme. */
export function formatOciReference({ host, repository, tag, digest }: OciReference): string {
  return `${host}/${repository}${tag === undefined ? "" : `:${tag}`}${
    digest === undefined ? "" : `@${digest}`
  }`;
}
