import type { JsonObject } from "../../internal/json.ts";
import type { ResourceDescriptor } from "../resource_descriptor.ts";
import { defineChecked, type PredicateKind } from "./kind.ts";

/** A report of attributes of artifacts, with evidence for each. */
export interface AttributeReport {
  /** What is claimed: at least one. */
  attributes: AttributeAssertion[];
  /** Who made the artifacts. */
  producer?: ResourceDescriptor | null;
}

/** One claim. */
export interface AttributeAssertion {
  /** What is claimed, such as `WITH_STACK_PROTECTION`. */
  attribute: string;
  /** What it is claimed of, if not of the subjects. */
  target?: ResourceDescriptor | null;
  /** Under which conditions it holds. */
  conditions?: JsonObject | null;
  /** What proves it. */
  evidence?: ResourceDescriptor | null;
}

/**
 * Supply Chain Attribute Integrity (SCAI) v0.3.
 *
 * Source: in-toto attestation, spec/predicates/scai.md, v0.3.
 *
 * @example
 * ```ts
 * import { scaiPredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const report = scaiPredicate.create({ attributes: [{ attribute: "REPRODUCIBLE" }] });
 * assert.equal(report.attributes.length, 1);
 * assert.equal(scaiPredicate.validate({ attributes: [] })[0].reason, "malformed-predicate");
 * ```
 */
export const scaiPredicate: PredicateKind<AttributeReport> = defineChecked<AttributeReport>({
  name: "scai",
  predicateTypes: ["https://in-toto.io/attestation/scai/v0.3"],
  check(report) {
    const attributes = report.objects("attributes", "present");
    const { value } = report;
    if (Array.isArray(value.attributes) && value.attributes.length === 0) {
      report.wrong("attributes", "a list of one attribute or more");
    }
    for (const attribute of attributes) {
      attribute.text("attribute", "required");
      attribute.resource("target");
      attribute.object("conditions");
      attribute.resource("evidence");
    }
    report.resource("producer");
  },
});
