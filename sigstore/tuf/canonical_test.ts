import { strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { canonicalJson, type Json } from "../../internal/json.ts";
import { canonicalTufJson } from "./canonical.ts";

describe("canonicalTufJson()", () => {
  const cases: [string, Json, string][] = [
    [
      "sorts names and leaves out white space",
      { b: [1, { d: null, c: true }], a: "x" },
      '{"a":"x","b":[1,{"c":true,"d":null}]}',
    ],
    [
      "escapes quotes and backslashes only",
      'a"b\\c\n\t\u0001é\u2028',
      '"a\\"b\\\\c\n\t\u0001é\u2028"',
    ],
    ["escapes names as well", { 'a"': 1 }, '{"a\\"":1}'],
    [
      "orders names by code points",
      { "\u{1f600}": 1, "\uff00": 2, "a": 3 },
      '{"a":3,"\uff00":2,"\u{1f600}":1}',
    ],
    ["puts a name before those that begin with it", { ab: 1, a: 2, "": 3 }, '{"":3,"a":2,"ab":1}'],
    [
      "writes integers in digits",
      [0, -0, -7, Number.MAX_SAFE_INTEGER],
      "[0,0,-7,9007199254740991]",
    ],
    [
      "keeps a member that is called like the prototype",
      JSON.parse('{"__proto__":1}'),
      '{"__proto__":1}',
    ],
  ];
  for (const [name, value, text] of cases) it(name, () => equal(canonicalTufJson(value), text));

  it("is not RFC 8785", () => {
    const value = { "\u{1f600}": "\n", "\uff00": 1 };
    equal(canonicalTufJson(value) === canonicalJson(value), false);
  });

  it("refuses numbers that are no integers or not certain", () => {
    for (const number of [1.5, 1e21, 2 ** 53, -(2 ** 53)]) {
      throws(() => canonicalTufJson({ a: [number] }), { reason: "malformed-tuf-metadata" });
    }
  });
});
