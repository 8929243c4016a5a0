import type { ResourceDescriptor } from "../resource_descriptor.ts";
import { defineChecked, type PredicateKind } from "./kind.ts";

/** Documents elsewhere that belong to the subjects, such as an SBOM. */
export interface Reference {
  /** Who says so. */
  attester: {
    /** URI of the one who says so. */
    id: string;
  };
  /** The documents: at least one, each with `downloadLocation` and `mediaType`. */
  references: ResourceDescriptor[];
}

/**
 * Reference v0.1.
 *
 * Source: in-toto attestation, spec/predicates/reference.md, v0.1.
 *
 * @example
 * ```ts
 * import { referencePredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const problems = referencePredicate.validate({
 *   attester: { id: "https://example.com/builder" },
 *   references: [{ digest: { sha256: "a".repeat(64) }, mediaType: "application/spdx+json" }],
 * });
 * assert.equal(problems[0].path, "/references/0/downloadLocation");
 * ```
 */
export const referencePredicate: PredicateKind<Reference> = defineChecked<Reference>({
  name: "reference",
  predicateTypes: ["https://in-toto.io/attestation/reference/v0.1"],
  check(predicate) {
    predicate.object("attester", "required")?.text("id", "required");
    for (const reference of predicate.resources("references", "required")) {
      reference.text("downloadLocation", "required");
      reference.text("mediaType", "required");
    }
  },
});
