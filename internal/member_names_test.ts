import { strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { otherSpelling } from "./member_names.ts";

describe("otherSpelling()", () => {
  it("finds what another reader takes for one of the names", () => {
    const isOther = otherSpelling(["resolvedDependencies", "packages"]);
    const rows: [name: string, found: boolean][] = [
      ["resolvedDependencies", false],
      ["packages", false],
      ["package", false],
      ["constructor", false],
      ["Packages", true],
      ["PACKAGES", true],
      ["resolved_dependencies", true],
      ["resolved-dependencies", true],
      ["pac\u212aages", true],
      ["package\u017f", true],
    ];
    for (const [name, found] of rows) {
      equal(isOther({ other: 1, [name]: [] }), found, name);
      equal(isOther({ packages: [], resolvedDependencies: [], [name]: [] }), found, name);
    }
    equal(isOther({}), false);
  });
});
