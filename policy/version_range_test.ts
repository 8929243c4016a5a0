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
    // Precedence, Semantic Versioning 2.0.0, 11: each pair in both directions.
    [">2.0.0-1", "2.0.0-2", true],
    ["<2.0.0-2", "2.0.0-1", true],
    [">2.0.0-9", "2.0.0-10", true],
    ["<2.0.0-10", "2.0.0-9", true],
    [">2.0.0-11", "2.0.0-a", true],
    ["<2.0.0-a", "2.0.0-11", true],
    ["<2.0.0-11", "2.0.0-a", false],
    [">2.0.0-alpha", "2.0.0-beta", true],
    ["<2.0.0-beta", "2.0.0-alpha", true],
    [">2.0.0-beta", "2.0.0-alpha", false],
    ["<2.0.0-alpha.1", "2.0.0-alpha", true],
    [">2.0.0-alpha", "2.0.0-alpha.1", true],
    [">2.0.0-alpha.2.b", "2.0.0-alpha.3.a", true],
    ["=2.0.0-alpha.1", "2.0.0-alpha.1", true],
    [">=2.0.0-rc.1", "2.0.0", true],
    [">=2.0.0-alpha <2.0.0", "2.0.0-rc.1", true],
    [">=2.0.0-alpha <2.0.0", "2.0.0", false],
    // A pre-release is in a range only by a comparator of the same three numbers.
    [">=1.0.0-rc.1 <3.0.0", "2.0.0-rc.1", false],
    [">=1.0.0-rc.1 <3.0.0", "1.0.0-rc.2", true],
    [">=1.0.0-rc.1 <3.0.0", "1.0.0-rc.0", false],
    ["<1.0.0 || >=2.0.0-rc.1", "2.0.0-rc.1", true],
    [">1.1.1", "1.1.2", true],
    [">1.1.1", "1.1.10", true],
    ["<1.1.10", "1.1.9", true],
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

test("rangeFault() says what is wrong, and accepts 1024 characters", () => {
  const versions = `1.0.0${" ".repeat(1019)}`;
  equal(rangeFault(versions), undefined);
  equal(rangeFault(`${versions} `), "it has more than 1024 characters");
  equal(rangeFault("1.0.0 ||"), '"1.0.0 ||" has an empty part');
  equal(
    rangeFault(">=1.0.0 <2"),
    '"<2" is no comparator with a version of three numbers, such as >=1.2.0',
  );
  throws(() => compileRange("1.x"), {
    reason: "malformed-policy",
    message: 'Cannot read range of versions: "1.x" is no comparator with a version of three ' +
      "numbers, such as >=1.2.0",
  });
});

test("compileRange() of what is forbidden has the pre-releases between its bounds", () => {
  const rows: [string, string, boolean | undefined][] = [
    ["<1.2.0", "1.1.0-rc.1", true],
    ["<1.2.0", "1.2.0-rc.1", true],
    ["<1.2.0", "1.2.0", false],
    [">=1.0.0 <1.2.0", "1.0.0-rc.1", false],
    ["^1.0.0", "1.5.0-evil", true],
    ["<1.0.0 || >=2.0.0", "2.1.0-rc.1", true],
    ["<1.2.0", "latest", undefined],
  ];
  for (const [range, version, isIn] of rows) {
    equal(compileRange(range, true)(version), isIn, `${range} ${version}`);
  }
});
