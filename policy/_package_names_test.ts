import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import {
  comparable,
  findPurl,
  isPurl,
  namesOf,
  plainVersion,
  readPurl,
  splitName,
} from "./_package_names.ts";

describe("names of packages", () => {
  it("are meant as package URLs whatever nobody sees in them", () => {
    for (const text of ["pkg:npm/a", " PKG:npm/a", "p\u200bkg\n:x", "pkg:"]) {
      equal(isPurl(text), true, text);
    }
    for (const text of ["", "apkg:npm/a", "pkg", "npm:a"]) equal(isPurl(text), false, text);
    equal(readPurl("\u00a0Pkg:NPM/a\u00ad@1").version, "1");
    throws(() => readPurl("pkg:npm"), { reason: "malformed-purl" });
    equal(findPurl("pkg:npm"), undefined);
    equal(findPurl("npm:a"), undefined);
    equal(findPurl(" pkg:npm/a")?.name, "a");
  });

  it("are compared as their registry does", () => {
    equal(comparable({ type: "pypi", name: "a_.-b.c" }).name, "a-b-c");
    equal(comparable({ type: "npm", name: "a_.-b.c" }).name, "a_.-b.c");
    deepEqual(namesOf({ type: "npm", namespace: "@a", name: "b" }), ["@a/b"]);
    deepEqual(namesOf({ type: "npm", name: "b" }), ["b"]);
    deepEqual(namesOf({ type: "deb", namespace: "debian", name: "b" }), ["debian/b", "b"]);
  });

  it("may have a version behind them", () => {
    const rows: [text: string, found: [string, string?]][] = [
      ["a", ["a"]],
      ["a@1", ["a", "1"]],
      [" a @ 1", ["a", "1"]],
      ["a@", ["a", ""]],
      ["@a", ["@a"]],
      ["@a/b", ["@a/b"]],
      ["/@a//b@1/", ["@a/b", "1"]],
      ["a@1/b", ["a@1/b"]],
      ["a@b@1", ["a@b", "1"]],
      ["", [""]],
    ];
    for (const [text, found] of rows) deepEqual(splitName(text), found, text);
  });

  it("have versions that are compared without what tags add", () => {
    const rows: [text: string | undefined, plain: string | undefined][] = [
      ["1.0.0", "1.0.0"],
      [" v1.0.0", "1.0.0"],
      ["V1-RC", "1-rc"],
      ["vX", "vx"],
      ["none1", "none1"],
      ["", undefined],
      [" ", undefined],
      ["NoAssertion", undefined],
      ["NONE", undefined],
      ["unknown", undefined],
      [undefined, undefined],
    ];
    for (const [text, plain] of rows) equal(plainVersion(text), plain, text);
  });
});
