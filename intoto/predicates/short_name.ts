/**
 * Short names of predicate types: those of cosign's `--type` first, then those of in-toto
 * and SLSA. Of each, the first URI is written, and all are accepted.
 */
export const PREDICATE_SHORT_NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ["slsaprovenance", ["https://slsa.dev/provenance/v0.2"]],
  ["slsaprovenance02", ["https://slsa.dev/provenance/v0.2"]],
  ["slsaprovenance1", ["https://slsa.dev/provenance/v1"]],
  ["spdx", [
    "https://spdx.dev/Document",
    "https://spdx.dev/Document/v2.3",
    "https://spdx.dev/Document/v2.2",
    "https://spdx.dev/Document/v3",
  ]],
  ["spdxjson", [
    "https://spdx.dev/Document",
    "https://spdx.dev/Document/v2.3",
    "https://spdx.dev/Document/v2.2",
    "https://spdx.dev/Document/v3",
  ]],
  ["cyclonedx", [
    "https://cyclonedx.org/bom",
    ...["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"].map((version) =>
      `https://cyclonedx.org/bom/v${version}`
    ),
  ]],
  ["link", ["https://in-toto.io/Link/v1", "https://in-toto.io/attestation/link/v0.3"]],
  ["vuln", ["https://cosign.sigstore.dev/attestation/vuln/v1"]],
  ["openvex", [
    "https://openvex.dev/ns",
    "https://openvex.dev/ns/v0.2.0",
    "https://openvex.dev/ns/v0.0.1",
  ]],
  ["custom", ["https://cosign.sigstore.dev/attestation/v1"]],
  ["vulns", [
    "https://in-toto.io/attestation/vulns/v0.2",
    "https://in-toto.io/attestation/vulns/v0.1",
  ]],
  ["scai", ["https://in-toto.io/attestation/scai/v0.3"]],
  ["test-result", ["https://in-toto.io/attestation/test-result/v0.1"]],
  ["release", [
    "https://in-toto.io/attestation/release/v0.2",
    "https://in-toto.io/attestation/release/v0.1",
  ]],
  ["reference", ["https://in-toto.io/attestation/reference/v0.1"]],
  ["runtime-trace", ["https://in-toto.io/attestation/runtime-trace/v0.1"]],
  ["svr", ["https://in-toto.io/attestation/svr/v0.2", "https://in-toto.io/attestation/svr/v0.1"]],
  ["vsa", ["https://slsa.dev/verification_summary/v1"]],
  ["npm-publish", ["https://github.com/npm/attestation/tree/main/specs/publish/v0.1"]],
]);

const ABSOLUTE = /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/;

/**
 * `predicateType`s that a person means by a short name or a URI.
 *
 * Source: sigstore/cosign, pkg/cosign/attestation and cmd/cosign/cli/options/predicate.go.
 *
 * @param nameOrUri A name of {@linkcode PREDICATE_SHORT_NAMES} or an absolute URI, which is
 * opaque and never normalised.
 * @returns The URIs, the one to write first; undefined if it is neither.
 *
 * @example
 * ```ts
 * import { findPredicateTypes } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(findPredicateTypes("slsaprovenance1"), ["https://slsa.dev/provenance/v1"]);
 * assert.deepEqual(findPredicateTypes("https://example.com/a"), ["https://example.com/a"]);
 * assert.equal(findPredicateTypes("slsaprovenance9"), undefined);
 * ```
 */
export function findPredicateTypes(nameOrUri: string): readonly string[] | undefined {
  const named = PREDICATE_SHORT_NAMES.get(nameOrUri);
  if (named !== undefined) return named;
  return ABSOLUTE.test(nameOrUri) ? [nameOrUri] : undefined;
}
