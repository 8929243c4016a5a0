import { strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { sha256 } from "../../internal/sha256.ts";
import { isDelegated, matchesPath } from "./delegation.ts";

describe("matchesPath()", () => {
  const cases: [string, string, boolean][] = [
    ["a.json", "a.json", true],
    ["a.json", "A.json", false],
    ["a.json", "*.json", true],
    ["a.json", "*", true],
    ["a.json", "?.json", true],
    ["a.json", "a?json", true],
    ["ab.json", "?.json", false],
    [".json", "?.json", false],
    ["a.json", "*a*.*n*", true],
    ["aXbXc", "a*b*c", true],
    ["aXbXcd", "a*b*c", false],
    ["abab", "*ab", true],
    ["a", "a*", true],
    ["a", "a**", true],
    ["", "*", true],
    ["a", "", false],
    ["dir/a.json", "*", false],
    ["dir/a.json", "*.json", false],
    ["dir/a.json", "dir/*", true],
    ["dir/a.json", "*/*", true],
    ["dir/sub/a.json", "dir/*", false],
    ["dir/a.json", "dir?a.json", false],
    ["a.json", "[a].json", false],
    ["[a].json", "[a].json", true],
    ["a.json", "a.jso.", false],
  ];
  for (const [path, pattern, wanted] of cases) {
    it(`${pattern} ${wanted ? "matches" : "does not match"} ${path}`, () => {
      equal(matchesPath(path, pattern), wanted);
    });
  }

  it("goes back to the last star only: to try all of 250 would not end", () => {
    equal(matchesPath("a".repeat(256), `${"a*".repeat(250)}b`), false);
  });
});

describe("isDelegated()", () => {
  const role = { name: "role", keyids: [], threshold: 1, terminating: false };
  it("takes any of several patterns", () => {
    equal(isDelegated("b", { ...role, paths: ["a", "b"] }), true);
    equal(isDelegated("c", { ...role, paths: ["a", "b"] }), false);
    equal(isDelegated("c", { ...role, paths: [] }), false);
  });

  it("takes prefixes of the name's digest", () => {
    const hash = encodeHex(sha256(utf8("a/b.json")));
    equal(isDelegated("a/b.json", { ...role, pathHashPrefixes: [hash.slice(0, 4)] }), true);
    equal(isDelegated("a/c.json", { ...role, pathHashPrefixes: [hash.slice(0, 4)] }), false);
  });
});
