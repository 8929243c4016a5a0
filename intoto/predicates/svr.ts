import type { ResourceDescriptor } from "../resource_descriptor.ts";
import { defineChecked, type PredicateKind } from "./kind.ts";

/** Properties that a verifier found the subjects to have. A property that is listed holds. */
export interface SimpleVerificationResult {
  /** Who verified. */
  verifier: {
    /** URI of the verifier. */
    id: string;
    /** What it verified against; may be empty. Required since v0.2. */
    policies?: ResourceDescriptor[] | null;
  };
  /** When it was verified: RFC 3339 with `Z`. Whether it is fresh, its reader decides. */
  timeCreated: string;
  /** What holds: at least one. */
  properties: string[];
}

const V0_2 = "https://in-toto.io/attestation/svr/v0.2";
const V0_1 = "https://in-toto.io/attestation/svr/v0.1";

/**
 * Simple verification result (SVR) v0.2 and v0.1.
 *
 * Source: in-toto attestation, spec/predicates/svr.md, v0.2.
 *
 * @example
 * ```ts
 * import { svrPredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const result = svrPredicate.create({
 *   verifier: { id: "https://example.com/verifier/v1", policies: [] },
 *   timeCreated: "2025-01-02T03:04:05Z",
 *   properties: ["SLSA_BUILD_LEVEL_3"],
 * });
 * assert.ok(result.properties.includes("SLSA_BUILD_LEVEL_3"));
 * ```
 */
export const svrPredicate: PredicateKind<SimpleVerificationResult> = defineChecked<
  SimpleVerificationResult
>({
  name: "svr",
  predicateTypes: [V0_2, V0_1],
  check(result, predicateType) {
    const verifier = result.object("verifier", "required");
    verifier?.text("id", "required");
    verifier?.resources("policies", predicateType === V0_1 ? "optional" : "present");
    result.timestamp("timeCreated", "required");
    result.texts("properties", "required");
  },
});
