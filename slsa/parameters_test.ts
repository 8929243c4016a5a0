import { deepStrictEqual as deepEqual, doesNotThrow, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../internal/json.ts";
import {
  assertParameterRules,
  compareParameters,
  type ParameterRule,
  type ParameterRules,
} from "./parameters.ts";

/** What is found of the parameter `a`. */
function found(
  parameters: JsonObject,
  rule: ParameterRule,
): [string, string, string | undefined][] {
  return compareParameters(parameters, { a: rule })
    .map(({ reason, expected, actual, path }) => {
      deepEqual([reason, path.split("/")[1]], ["parameter-mismatch", "a"]);
      return [path, expected, actual];
    });
}

/** So many objects of rules, one in the other. */
function nested(depth: number): ParameterRules {
  let rules: ParameterRules = {};
  for (let i = 0; i < depth; i++) rules = { a: { members: rules } };
  return rules;
}

describe("compareParameters()", () => {
  it("refuses what is not as wanted, and says what is there", () => {
    const refused: [JsonObject, ParameterRule, string, string | undefined][] = [
      [{ a: 2 }, { const: 1 }, "1", "2"],
      [{ a: "1" }, { const: 1 }, "1", '"1"'],
      [{}, { const: 1 }, "1", undefined],
      [{}, { const: null }, "null", undefined],
      [{ a: 3 }, { enum: [1, "2"] }, 'one of [1,"2"]', "3"],
      [{}, { enum: [null] }, "one of [null]", undefined],
      [{}, { any: true }, "any value", undefined],
      [{ a: "ab" }, { pattern: "a" }, "all of it matches /a/", '"ab"'],
      [{ a: ["x"] }, { members: {} }, "an object", '["x"]'],
      [{ a: null }, { members: {} }, "an object", "null"],
      [{}, { members: { b: { ignored: true } } }, "an object", undefined],
    ];
    for (const [parameters, rule, expected, actual] of refused) {
      deepEqual(found(parameters, rule), [["/a", expected, actual]], JSON.stringify(rule));
    }
  });

  it("matches a pattern with a text only, never with what a value would be written as", () => {
    // An absent parameter is no text `undefined`, a truth value no text `true`.
    const disguised: [JsonObject, string][] = [
      [{}, "undefined"],
      [{ a: null }, "null"],
      [{ a: true }, "true"],
      [{ a: 7 }, "[0-9]"],
      [{ a: ["x"] }, "x"],
      [{ a: {} }, ".*"],
    ];
    for (const [parameters, pattern] of disguised) {
      deepEqual(found(parameters, { pattern }).length, 1, pattern);
      deepEqual(
        found({ a: pattern === ".*" ? "y" : pattern.replace("[0-9]", "7") }, { pattern }),
        [],
      );
    }
  });

  it("accepts what is as wanted", () => {
    const accepted: [JsonObject, ParameterRule][] = [
      [{ a: { x: 1, y: [2] } }, { const: { y: [2], x: 1 } }],
      [{ a: null }, { const: null }],
      [{ a: "2" }, { enum: [1, "2"] }],
      [{ a: null }, { any: true }],
      [{ a: 5 }, { ignored: true }],
      [{}, { ignored: true }],
      [{ a: {} }, { members: { b: { ignored: true } } }],
    ];
    for (const [parameters, rule] of accepted) {
      deepEqual(found(parameters, rule), [], JSON.stringify(rule));
    }
  });

  it("looks at members at any depth, those without a rule too", () => {
    const rules: ParameterRules = { a: { members: { b: { members: { c: { const: 1 } } } } } };
    deepEqual(compareParameters({ a: { b: { c: 2, d: 3 }, e: 4 } }, rules), [
      { reason: "unexpected-parameter", path: "/a/e", expected: "no such parameter", actual: "4" },
      {
        reason: "unexpected-parameter",
        path: "/a/b/d",
        expected: "no such parameter",
        actual: "3",
      },
      { reason: "parameter-mismatch", path: "/a/b/c", expected: "1", actual: "2" },
    ]);
  });
});

describe("assertParameterRules()", () => {
  it("refuses rules that mean nothing, also of members", () => {
    const wrong: [unknown, RegExp][] = [
      [null, /not an object/],
      [[], /not an object/],
      ["any", /not an object/],
      [{ a: null }, /not exactly one member/],
      [{ a: ["x"] }, /not exactly one member/],
      [{ a: "x" }, /not exactly one member/],
      [{ a: {} }, /not exactly one member/],
      [{ a: { any: true, ignored: true } }, /not exactly one member/],
      [{ a: { is: 1 } }, /Unknown option/],
      [{ a: { const: undefined } }, /has no value/],
      [{ a: { enum: "x" } }, /none of several values/],
      [{ a: { enum: { length: 1 } } }, /none of several values/],
      [{ a: { enum: [] } }, /none of several values/],
      [{ a: { pattern: 5 } }, /no regular expression/],
      [{ a: { pattern: "" } }, /no regular expression/],
      [{ a: { pattern: "a)|(b" } }, /no regular expression/],
      [{ a: { any: false } }, /other than true/],
      [{ a: { any: 1 } }, /other than true/],
      [{ a: { ignored: false } }, /other than true/],
      [{ a: { ignored: "true" } }, /other than true/],
      [{ a: { members: [] } }, /not an object/],
    ];
    for (const [rules, message] of wrong) {
      for (const whole of [rules, { b: { members: rules } }]) {
        throws(() => assertParameterRules(whole), { name: "TypeError", message });
      }
    }
  });

  it("takes 32 objects of members, one in the other", () => {
    doesNotThrow(() => assertParameterRules(nested(32)));
    throws(() => assertParameterRules(nested(33)), { message: /nested too deep/ });
  });
});
