import { defineChecked, type PredicateKind } from "./kind.ts";

/** That files are a release of a package, said by the registry. */
export interface Release {
  /** Package URL with a version; it names the release. */
  purl: string;
  /** Stable id of the package at the registry (v0.2). */
  packageId?: string | null;
  /** The same under its name of v0.1. */
  releaseId?: string | null;
}

/**
 * Release v0.2 and v0.1. A package URL that cannot be read, that has no version, or that
 * has a path inside the package, is `malformed-purl`.
 *
 * Source: in-toto attestation, spec/predicates/release.md, v0.2.
 *
 * @example
 * ```ts
 * import { releasePredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(releasePredicate.validate({ purl: "pkg:npm/%40angular/http@7.2.16" }), []);
 * assert.equal(releasePredicate.validate({ purl: "pkg:npm/http" })[0].reason, "malformed-purl");
 * ```
 */
export const releasePredicate: PredicateKind<Release> = defineChecked<Release>({
  name: "release",
  predicateTypes: [
    "https://in-toto.io/attestation/release/v0.2",
    "https://in-toto.io/attestation/release/v0.1",
  ],
  check(release) {
    const purl = release.purl("purl", "required");
    if (purl !== undefined && purl.version === undefined) {
      release.problem("malformed-purl", "purl", "its package URL has no version");
    }
    if (purl?.subpath !== undefined) {
      release.problem("malformed-purl", "purl", "its package URL has a path inside the package");
    }
    const id = release.text("packageId");
    const older = release.text("releaseId");
    if (id !== undefined && older !== undefined && id !== older) {
      release.contradiction("releaseId", "releaseId is not packageId");
    }
  },
});
