import type { ResourceDescriptor } from "../resource_descriptor.ts";
import { defineChecked, type PredicateKind } from "./kind.ts";

/** What a test run found. */
export interface TestResult {
  /** The whole of it. */
  result: "PASSED" | "WARNED" | "FAILED";
  /** What the run was made with: at least one. */
  configuration: ResourceDescriptor[];
  /** Page of the run. */
  url?: string | null;
  /** Names of tests that passed. */
  passedTests?: string[] | null;
  /** Names of tests that passed with a warning. */
  warnedTests?: string[] | null;
  /** Names of tests that failed. */
  failedTests?: string[] | null;
}

/**
 * Test result v0.1. That `PASSED` lists failed tests is `inconsistent-predicate`: it can be
 * read, and is listed by `validate`.
 *
 * Source: in-toto attestation, spec/predicates/test-result.md, v0.1.
 *
 * @example
 * ```ts
 * import { testResultPredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const problems = testResultPredicate.validate({
 *   result: "PASSED",
 *   configuration: [{ uri: "https://example.com/ci.yml" }],
 *   failedTests: ["login"],
 * });
 * assert.equal(problems[0].reason, "inconsistent-predicate");
 * ```
 */
export const testResultPredicate: PredicateKind<TestResult> = defineChecked<TestResult>({
  name: "test-result",
  predicateTypes: ["https://in-toto.io/attestation/test-result/v0.1"],
  check(predicate) {
    const result = predicate.oneOf("result", ["PASSED", "WARNED", "FAILED"], "required");
    predicate.resources("configuration", "required");
    predicate.text("url");
    predicate.texts("passedTests");
    const warned = predicate.texts("warnedTests");
    const failed = predicate.texts("failedTests");
    if (result !== undefined && result !== "FAILED" && failed.length > 0) {
      predicate.contradiction(
        "failedTests",
        `${failed.length} failed, and the result is ${result}`,
      );
    } else if (result === "PASSED" && warned.length > 0) {
      predicate.contradiction("warnedTests", `${warned.length} warned, and the result is PASSED`);
    }
  },
});
