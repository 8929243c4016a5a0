import type { Json } from "../../internal/json.ts";
import { defineChecked, type PredicateKind } from "./kind.ts";

/** cosign's wrapper around data of any kind, in the spelling that cosign writes. */
export interface CosignCustom {
  /** What is said: text, or JSON of any kind. */
  Data?: Json;
  /** When it was signed: RFC 3339. */
  Timestamp?: string | null;
  /** The same as `Data` in the spelling of the specification. */
  data?: Json;
  /** The same as `Timestamp` in the spelling of the specification. */
  timestamp?: string | null;
}

/**
 * cosign's custom predicate v1, in both spellings; it has exactly one of `Data` and `data`.
 *
 * The specification wants base64 in `data`, cosign writes the text or JSON itself: what is
 * in it is passed through.
 *
 * Source: sigstore/cosign, specs/COSIGN_PREDICATE_SPEC.md; pkg/cosign/attestation.
 *
 * @example
 * ```ts
 * import { cosignCustomPredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const custom = { Data: "reviewed", Timestamp: "2025-01-02T03:04:05Z" };
 * assert.deepEqual(cosignCustomPredicate.create(custom), custom);
 * ```
 */
export const cosignCustomPredicate: PredicateKind<CosignCustom> = defineChecked<CosignCustom>({
  name: "custom",
  predicateTypes: ["https://cosign.sigstore.dev/attestation/v1"],
  check(custom) {
    if (!custom.has("Data") && !custom.has("data")) custom.missing("Data");
    else if (custom.has("Data") && custom.has("data")) {
      custom.problem("inconsistent-predicate", "data", "it has both Data and data");
    }
    custom.timestamp("Timestamp", "optional", "any");
    custom.timestamp("timestamp", "optional", "any");
  },
});
