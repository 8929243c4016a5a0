import { strictEqual as equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { compileRange, rangeFault } from "./version_range.ts";

test("compileRange() compares by precedence", () => {
  const rows: [string, string, boolean | undefined][] = [
    [">=1.2.0 <2.0.0", "1.2.0", true],
    [">=1.2.0 <2.0.0", "1.10.0", true],
    [">=1.2.0 <2.0.0", "2.0.0", false],
    [">=1.2.0 <2.0.0", "1.1.9", false],
    [">= 1.2.0  < 2.0.0", "v1.3.0", true],
    ["1.2.3", "1.2.3", true],
    ["=1.2.3", "1.2.3+build", true],
    ["1.2.3", "1.2.4", false],
    [">1.2.3", "1.2.3", false],
    ["<=1.2.3", "1.2.3", true],
    ["^1.2.3", "1.9.9", true],
    ["^1.2.3", "2.0.0", false],
    ["^0.2.3", "0.2.9", true],
    ["^0.2.3", "0.3.0", false],
    ["^0.0.3", "0.0.4", false],
    ["~1.2.3", "1.2.99", true],
    ["~1.2.3", "1.3.0", false],
    ["<1.0.0 || >=2.0.0", "3.0.0", true],
    ["<1.0.0 || >=2.0.0", "1.5.0", false],
    ["<2.0.0", "2.0.0-rc.1", false],
    [">=1.0.0", "1.5.0-evil", false],
    [">=2.0.0-rc.1", "2.0.0-rc.2", true],
    [">=2.0.0-rc.1", "2.0.0-rc.1.1", true],
    [">=2.0.0-rc.2", "2.0.0-rc.1", false],
    [">=2.0.0-beta.2", "2.0.0-beta.11", true],
    [">=2.0.0-1", "2.0.0-a", true],
    [">=2.0.0-a", "2.0.0-1", false],
    [">=1.0.0", "99999999999999999999999.0.0", true],
    ["<1.0.0", "99999999999999999999999.0.0", false],
    [">=1.0.0", "1.2", undefined],
    [">=1.0.0", "latest", undefined],
    [">=1.0.0", "01.2.3", undefined],
    [">=1.0.0", "1.2.3 ", undefined],
    [">=1.0.0", "vv1.2.3", undefined],
    [">=1.0.0", "", undefined],
  ];
  for (const [range, version, wanted] of rows) {
    equal(compileRange(range)(version), wanted, `${range} ${version}`);
  }
});

test("compileRange() refuses what is no range", () => {
  for (const range of ["", " ", "1", "1.x", "*", ">=1.2", "a", "1.2.3 ||", ">=", "1.2.3 - 2.0.0"]) {
    equal(typeof rangeFault(range), "string", range);
    throws(() => compileRange(range), /Cannot read range of versions/, range);
  }
});
