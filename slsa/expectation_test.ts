import { doesNotThrow, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { assertProvenanceExpectation } from "./expectation.ts";

const V1 = "https://slsa.dev/provenance/v1";
const CI = { signer: { keys: ["ci"] }, builderId: "https://ci.example/b", maxBuildLevel: 2 };

describe("assertProvenanceExpectation()", () => {
  it("takes what can be kept", () => {
    const good: object[] = [
      {},
      { sourceUri: "github.com/acme/app", sourceBranch: "main", sourceTag: "v1" },
      { sourceVersionedTag: "v1" },
      { sourceVersionedTag: "v1.2.3-rc.1+build" },
      { sourceCommit: "c".repeat(40) },
      { builderId: "https://ci.example/b", workflowInputs: { a: "" }, minLevel: 0 },
      { buildType: "t", externalParameters: {} },
      { builders: { builders: [CI] }, predicateTypes: [V1], requirePinnedDependencies: false },
    ];
    for (const expectation of good) {
      doesNotThrow(() => assertProvenanceExpectation(expectation), JSON.stringify(expectation));
    }
  });

  it("refuses what cannot, and says which member and why", () => {
    const wrong: [unknown, RegExp][] = [
      [null, /it is no object$/],
      [[], /it is no object$/],
      ["github.com/acme/app", /it is no object$/],
      [{ sourceUri: 5 }, /sourceUri is not a text$/],
      [{ sourceUri: "" }, /sourceUri is not a text$/],
      [{ sourceBranch: ["main"] }, /sourceBranch is not a text$/],
      [{ sourceTag: null }, /sourceTag is not a text$/],
      // Nobody would see that nothing is asked.
      [{ builderId: "" }, /builderId is not a text$/],
      [{ builderId: 5 }, /builderId is not a text$/],
      [{ buildType: "" }, /buildType is not a text$/],
      [{ buildType: {} }, /buildType is not a text$/],
      [{ sourceVersionedTag: "1.2.3" }, /is no v1, v1\.2 or v1\.2\.3$/],
      [{ sourceVersionedTag: "x1.2.3" }, /is no v1, v1\.2 or v1\.2\.3$/],
      [{ sourceVersionedTag: "v1.x" }, /is no v1, v1\.2 or v1\.2\.3$/],
      [{ workflowInputs: { a: 1 } }, /workflowInputs is no object of texts$/],
      [{ workflowInputs: { a: "b", c: null } }, /workflowInputs is no object of texts$/],
      [{ workflowInputs: ["a"] }, /workflowInputs is no object of texts$/],
      [{ workflowInputs: null }, /workflowInputs is no object of texts$/],
      [{ workflowInputs: "a" }, /workflowInputs is no object of texts$/],
      [{ externalParameters: {} }, /no meaning without buildType$/],
      [{ buildType: "t", externalParameters: [] }, /not an object$/],
      [{ minLevel: 4 }, /minLevel is none of/],
      [{ builders: {} }, /builders is not an array/],
      [{ predicateTypes: V1 }, /no list of types of provenance$/],
      [{ predicateTypes: { length: 1, every: () => true } }, /no list of types of provenance$/],
      [{ predicateTypes: [] }, /no list of types of provenance$/],
      [{ predicateTypes: [V1, 5] }, /no list of types of provenance$/],
      [{ requirePinnedDependencies: "yes" }, /neither true nor false$/],
    ];
    for (const [expectation, message] of wrong) {
      throws(() => assertProvenanceExpectation(expectation), { name: "TypeError", message });
    }
  });
});
