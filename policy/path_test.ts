import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import type { Json } from "../internal/json.ts";
import { compilePath, pathFault, valuesAt } from "./path.ts";

describe("pathFault()", () => {
  it("accepts what leads into a Statement, and says what is wrong with anything else", () => {
    const roots = "a Statement has /_type, /subject, /predicateType, /predicate and nothing else";
    const long = `/predicate/${"a".repeat(1013)}`;
    const deep = `/predicate${"/a".repeat(31)}`;
    const rows: [path: string, fault: string | undefined][] = [
      ["/_type", undefined],
      ["/subject/0/name", undefined],
      ["/predicateType", undefined],
      ["/predicate/a~0b/c~1d/*", undefined],
      [long, undefined],
      [deep, undefined],
      ["", "it does not begin with /"],
      ["predicate", "it does not begin with /"],
      [`${long}a`, "it has more than 1024 characters"],
      ["/predicate/a~", "~ stands for itself only as ~0"],
      ["/predicate/a~2", "~ stands for itself only as ~0"],
      [`${deep}/a`, "it has more than 32 parts"],
      ["/", roots],
      ["/Predicate", roots],
      ["/*", roots],
      ["/predicate//a", "a part of it is empty"],
      ["/predicate/", "a part of it is empty"],
      ["/predicate/**", "** has no meaning in a path; * is every element or member"],
    ];
    for (const [path, fault] of rows) equal(pathFault(path), fault, path);
    equal(long.length, 1024);
  });
});

describe("compilePath()", () => {
  const at = (path: string, root: Json) => {
    const { values, missing } = compilePath(path)(root);
    return { values: values.map(({ value, path }) => [path, value]), missing };
  };

  it("finds an own member or an element, and nothing in anything else", () => {
    const root = { a: { b: [{ c: null }, 0], "": 1, "*": 2 }, t: "text" };
    const rows: [path: string, values: [string, Json][]][] = [
      ["/a/b/0/c", [["/a/b/0/c", null]]],
      ["/a/b/1", [["/a/b/1", 0]]],
      ["/a/b/2", []],
      ["/a/b/00", []],
      ["/a/b/-1", []],
      ["/a/b/length", []],
      ["/a/b/0/c/d", []],
      ["/a/x/b/0", []],
      ["/a/toString", []],
      ["/t/0", []],
      ["/t/length", []],
      ["/a/x/*", []],
      ["/a/b/*/c", [["/a/b/0/c", null]]],
    ];
    for (const [path, values] of rows) deepEqual(at(path, root).values, values, path);
  });

  it("tells behind which places of * the rest leads nowhere", () => {
    const root: Json = {
      a: [{ b: 1 }, {}, [], "x", { b: { c: 2 } }],
      "x/y~": [{ "d~/": 3 }, {}],
      t: "",
    };
    const rows: [path: string, values: [string, Json][], missing: string[]][] = [
      ["/a/*/b", [["/a/0/b", 1], ["/a/4/b", { c: 2 }]], ["/a/1/b", "/a/2/b", "/a/3/b"]],
      ["/a/*/*", [["/a/0/b", 1], ["/a/4/b", { c: 2 }]], ["/a/1/*", "/a/2/*", "/a/3/*"]],
      ["/a/*/b/c", [["/a/4/b/c", 2]], ["/a/1/b", "/a/2/b", "/a/3/b", "/a/0/b/c"]],
      ["/x~1y~0/*/d~0~1", [["/x~1y~0/0/d~0~1", 3]], ["/x~1y~0/1/d~0~1"]],
      // Nothing is missing behind the first * of what has no elements: there is none of them.
      ["/t/*", [], []],
      ["/a/1/*", [], []],
      ["/a/1/*/b", [], []],
      ["/n/*/b", [], []],
    ];
    for (const [path, values, missing] of rows) {
      deepEqual(at(path, root), { values, missing }, path);
    }
  });

  it("visits 200000 values, and not one more", () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => i);
    const named = (count: number) => Object.fromEntries(many(count).map((i) => [`n${i}`, i]));
    for (const make of [many, named]) {
      equal(valuesAt("/a/*", { a: make(200_000) }).length, 200_000);
      throws(() => valuesAt("/a/*", { a: make(200_001) }), {
        reason: "limit-exceeded",
        path: "/a/*",
        message: "Cannot look at /a/*: it leads to more than 200000 values",
      });
    }
    // All that is visited on the way counts.
    equal(valuesAt("/a/*/*", { a: [many(99_999), many(99_999)] }).length, 199_998);
    throws(() => valuesAt("/a/*/*", { a: [many(99_999), many(100_000)] }), {
      reason: "limit-exceeded",
    });
  });
});
