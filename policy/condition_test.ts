import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError } from "../errors.ts";
import { type Json, parseJson } from "../internal/json.ts";
import type { Statement } from "../intoto/statement.ts";
import { compileCondition, type ConditionResult } from "./condition.ts";
import type { Condition } from "./document.ts";
import { pathFault, valuesAt } from "./path.ts";

const NOW = new Date("2026-06-01T00:00:00Z");

function judge(
  condition: Omit<Condition, "path"> & { path?: string },
  value: Json,
): ConditionResult {
  const statement = { predicate: { value } } as unknown as Statement;
  return compileCondition({ path: "/predicate/value", ...condition })(statement, NOW);
}

/** `true`, or the reason. */
function outcome(
  condition: Omit<Condition, "path"> & { path?: string },
  value: Json,
): true | string | undefined {
  const result = judge(condition, value);
  return result.ok || result.reason;
}

const NOT_MET = "condition-not-met";
const ERROR = "condition-error";

describe("compileCondition()", () => {
  it("takes a value of another type for an error, never for an answer", () => {
    const rows: [Partial<Condition>, Json][] = [
      [{ equals: "a" }, ["a"]],
      [{ equals: "1" }, 1],
      [{ equals: 1 }, "1"],
      [{ equals: true }, "true"],
      [{ equals: "a" }, null],
      [{ equals: { a: 1 } }, [{ a: 1 }]],
      [{ oneOf: ["a", "b"] }, { a: 1 }],
      [{ matches: "a*" }, ["a"]],
      [{ matches: "*" }, 1],
      [{ matches: "*" }, null],
      [{ semver: ">=1.0.0" }, 1],
      [{ semver: ">=1.0.0" }, "latest"],
      [{ number: { min: 1 } }, "5"],
      [{ number: { max: 1 } }, null],
      [{ time: { maxAge: "P1D" } }, 1_780_000_000],
      [{ time: { maxAge: "P1D" } }, "2026-05-31"],
      [{ containsAll: ["a"] }, "a"],
      [{ containsAll: ["a"] }, { a: "a" }],
      [{ subsetOf: ["a"] }, "a"],
      [{ disjointFrom: ["a"] }, "b"],
      [{ disjointFrom: ["a"] }, { b: 1 }],
      [{ disjointFrom: ["a"] }, [["a"]]],
      [{ disjointFrom: ["a"] }, [{ name: "a" }]],
    ];
    for (const [condition, value] of rows) {
      for (const quantifier of ["every", "some", "none"] as const) {
        const at = `${JSON.stringify(condition)} ${quantifier} ${JSON.stringify(value)}`;
        equal(outcome({ ...condition, quantifier }, value), ERROR, at);
      }
    }
  });

  it("fails where nothing is at the path", () => {
    const path = "/predicate/other";
    for (const quantifier of ["every", "some", "none"] as const) {
      equal(outcome({ path, quantifier, equals: "a" }, "a"), NOT_MET);
      equal(outcome({ path: "/predicate/value/*", quantifier, equals: "a" }, []), NOT_MET);
      equal(outcome({ path: "/predicate/value/*", quantifier, disjointFrom: ["a"] }, {}), NOT_MET);
    }
    equal(outcome({ path, exists: true }, "a"), NOT_MET);
    equal(outcome({ path, exists: false }, "a"), true);
    equal(outcome({ exists: true }, "a"), true);
    equal(outcome({ exists: false }, "a"), NOT_MET);
    equal(outcome({ exists: true }, null), NOT_MET);
    equal(outcome({ exists: false }, null), true);
    equal(outcome({ exists: false }, false), NOT_MET);
  });

  it("does not take what is inherited for a value", () => {
    for (const name of ["constructor", "__proto__", "toString", "length"]) {
      equal(outcome({ path: `/predicate/value/${name}`, exists: true }, {}), NOT_MET, name);
      equal(outcome({ path: `/predicate/value/${name}`, exists: true }, ["a"]), NOT_MET, name);
    }
    equal(outcome({ path: "/predicate/value/length", exists: true }, "text"), NOT_MET);
    equal(outcome({ path: "/predicate/value/0", equals: "t" }, "text"), NOT_MET);
    equal(outcome({ path: "/predicate/value/00", exists: true }, ["a"]), NOT_MET);
    equal(outcome({ path: "/predicate/value/-1", exists: true }, ["a"]), NOT_MET);
  });

  it("wants every branch of a * to lead to a value", () => {
    const all: Json = [{ id: "a" }, { name: "hidden" }];
    const path = "/predicate/value/*/id";
    const bad = judge({ path, equals: "a" }, all);
    equal(bad.reason, NOT_MET);
    equal(bad.path, "/predicate/value/1/id");
    equal(outcome({ path, exists: true }, all), NOT_MET);
    equal(outcome({ path, exists: true, quantifier: "some" }, all), true);
    equal(outcome({ path, equals: "a", quantifier: "some" }, all), true);
    equal(outcome({ path, equals: "b", quantifier: "none" }, all), true);
    equal(outcome({ path: "/predicate/value/*/*", equals: "a" }, [["a"], []]), NOT_MET);
  });

  it("counts as its quantifier says", () => {
    const path = "/predicate/value/*";
    const at = (quantifier: Condition["quantifier"], value: Json) =>
      outcome({ path, quantifier, equals: "a" }, value);
    equal(at("every", ["a", "a"]), true);
    equal(at("every", ["a", "b"]), NOT_MET);
    equal(at(undefined, ["a", "b"]), NOT_MET);
    equal(at("some", ["b", "a"]), true);
    equal(at("some", ["b", "c"]), NOT_MET);
    equal(at("some", [1, "a"]), true);
    equal(at("some", [1, "b"]), ERROR);
    equal(at("none", ["b", "c"]), true);
    equal(at("none", ["b", "a"]), NOT_MET);
    equal(at("none", ["b", 1]), ERROR);
    equal(at("every", { x: "a", y: "a" }), true);
  });

  it("compares as JSON", () => {
    equal(outcome({ equals: { a: 1, b: [2] } }, { b: [2], a: 1 }), true);
    equal(outcome({ equals: [1, 2] }, [2, 1]), NOT_MET);
    equal(outcome({ equals: null }, null), true);
    equal(outcome({ equals: 1 }, 1), true);
    equal(outcome({ equals: "a" }, "A"), NOT_MET);
    equal(outcome({ oneOf: ["a", 1] }, 1), true);
    equal(outcome({ oneOf: ["a", [1]] }, [1]), true);
    equal(outcome({ oneOf: ["a", 1] }, 2), NOT_MET);
  });

  it("takes no integer that JSON does not keep", () => {
    const value = parseJson("9007199254740993");
    equal(outcome({ equals: 1 }, value), ERROR);
    equal(outcome({ number: { min: 1 } }, value), ERROR);
    equal(outcome({ containsAll: [1] }, [1, value]), ERROR);
    equal(outcome({ disjointFrom: [1] }, [value]), ERROR);
    equal(outcome({ equals: { a: 1 } }, { a: value }), ERROR);
    equal(outcome({ number: { min: 1 } }, 9007199254740991), true);
  });

  it("has the other operators", () => {
    equal(outcome({ matches: ["refs/tags/v*"] }, "refs/tags/v1"), true);
    equal(outcome({ matches: "refs/tags/v*" }, "refs/tags/v1/evil"), NOT_MET);
    equal(outcome({ semver: ">=1.2.0 <2.0.0" }, "v1.5.0"), true);
    equal(outcome({ semver: ">=1.2.0 <2.0.0" }, "2.0.0"), NOT_MET);
    equal(outcome({ semver: "<1.2.0" }, "1.1.0-rc.1"), NOT_MET);
    equal(outcome({ semver: "<1.2.0", quantifier: "none" }, "1.1.0-rc.1"), NOT_MET);
    equal(outcome({ semver: "<1.2.0", quantifier: "none" }, "1.2.0"), true);
    equal(outcome({ number: { min: 1, max: 2 } }, 2), true);
    equal(outcome({ number: { min: 1, max: 2 } }, 2.1), NOT_MET);
    equal(outcome({ number: { min: 1 } }, 0), NOT_MET);
    equal(outcome({ number: { min: 1 } }, 1), true);
    equal(outcome({ number: { max: 2 } }, -1e9), true);
    equal(outcome({ number: { max: 2 } }, 2.0000001), NOT_MET);
    equal(outcome({ containsAll: ["a", "b"] }, ["b", "c", "a"]), true);
    equal(outcome({ containsAll: ["a", "b"] }, ["a", "a"]), NOT_MET);
    equal(outcome({ subsetOf: ["a", "b"] }, ["a", "a"]), true);
    equal(outcome({ subsetOf: ["a", "b"] }, ["a", "c"]), NOT_MET);
    equal(outcome({ disjointFrom: ["a", "b"] }, ["c"]), true);
    equal(outcome({ disjointFrom: ["a", "b"] }, ["c", "a"]), NOT_MET);
  });

  it("judges times by the moment of the verdict", () => {
    equal(outcome({ time: { maxAge: "P1D" } }, "2026-05-31T12:00:00Z"), true);
    equal(outcome({ time: { maxAge: "P1D" } }, "2026-05-30T12:00:00Z"), NOT_MET);
    equal(outcome({ time: { maxAge: "P1D" } }, "2026-06-01T00:04:00Z"), true);
    equal(outcome({ time: { maxAge: "P1D" } }, "2026-06-01T00:06:00Z"), NOT_MET);
    equal(outcome({ time: { maxAge: "P1D" } }, "2099-01-01T00:00:00Z"), NOT_MET);
    equal(outcome({ time: { maxAge: "P1D" } }, "2026-05-31T00:00:00Z"), true);
    equal(outcome({ time: { maxAge: "P1D" } }, "2026-05-30T23:59:59.999Z"), NOT_MET);
    equal(outcome({ time: { maxAge: "P1D" } }, "2026-06-01T00:05:00Z"), true);
    equal(outcome({ time: { maxAge: "P1D" } }, "2026-06-01T00:05:00.001Z"), NOT_MET);
    for (const none of [7, true, null, {}, ["2026-05-31T12:00:00Z"]]) {
      equal(outcome({ time: { maxAge: "P1D" } }, none), ERROR, JSON.stringify(none));
    }
    equal(outcome({ time: { after: "2026-01-01T00:00:00Z" } }, "2026-01-01T00:00:00Z"), true);
    equal(outcome({ time: { after: "2026-01-01T00:00:00Z" } }, "2025-12-31T23:59:59Z"), NOT_MET);
    equal(outcome({ time: { before: "P7D" } }, "2026-05-25T00:00:00Z"), true);
    equal(outcome({ time: { before: "P7D" } }, "2026-05-26T00:00:00Z"), NOT_MET);
    equal(outcome({ time: { maxAge: "P1D" } }, "2026-05-31T12:00:00+00:00"), ERROR);
  });

  it("tells what it wanted, what it found and where", () => {
    const [at, all] = ["/predicate/value", "/predicate/value/*"];
    const passed = (expected: string, actual: string, path = at) => ({
      ok: true,
      expected,
      actual,
      path,
    });
    const failed = (expected: string, actual: string | undefined, path = at, reason = NOT_MET) => ({
      ok: false,
      reason,
      expected,
      ...(actual === undefined ? {} : { actual }),
      path,
    });
    const cases: [Partial<Condition>, Json, object][] = [
      [{ equals: "a" }, "a", passed('equal to "a"', '"a"')],
      [{ equals: "a" }, "b\u0007", failed('equal to "a"', '"b\\u0007"')],
      [{ equals: 1 }, "1", failed("equal to 1", '"1" (a text, wanted a number)', at, ERROR)],
      [
        { oneOf: [null, { a: 1 }] },
        true,
        failed('one of null, {"a":1}', "true (a boolean, wanted null or an object)", at, ERROR),
      ],
      [
        { path: all, equals: "a" },
        ["a", "b"],
        failed('every of them equal to "a"', '"b"', `${at}/1`),
      ],
      [{ path: all, equals: "a" }, ["a"], passed('every of them equal to "a"', '"a"', `${at}/0`)],
      [
        { path: all, equals: "a" },
        ["a", "a"],
        passed('every of them equal to "a"', "2 values", all),
      ],
      [{ path: all, equals: "a" }, [], failed('every of them equal to "a"', undefined, all)],
      [{ path: `${all}/x`, equals: 1 }, [{ x: 1 }, {}], {
        ...failed("every of them equal to 1", undefined, `${at}/1/x`),
      }],
      [{ equals: "a", quantifier: "some" }, "a", passed('some of them equal to "a"', '"a"')],
      [
        { path: all, equals: "a", quantifier: "some" },
        ["b", "a"],
        passed('some of them equal to "a"', '"a"', all),
      ],
      [
        { path: all, equals: "a", quantifier: "some" },
        ["b", "c", 1],
        failed('some of them equal to "a"', '"b"', `${at}/0`),
      ],
      [{ path: all, equals: "a", quantifier: "some" }, [1, "b"], {
        ...failed(
          'some of them equal to "a"',
          "1 (a number, wanted a text)",
          `${at}/0`,
          ERROR,
        ),
      }],
      [
        { equals: "a", quantifier: "none" },
        "b",
        passed('none of them equal to "a"', '"b"'),
      ],
      [
        { path: all, equals: "a", quantifier: "none" },
        ["b", "c"],
        passed('none of them equal to "a"', "2 values", all),
      ],
      [
        { path: all, equals: "a", quantifier: "none" },
        ["b", "a"],
        failed('none of them equal to "a"', '"a"', `${at}/1`),
      ],
      [{ matches: "a*" }, "b", failed('a text like "a*"', '"b"')],
      [{ matches: ["a", "b"] }, "b", passed('a text like "a", "b"', '"b"')],
      [{ semver: ">=1.0.0" }, "0.9.0", failed("a version in >=1.0.0", '"0.9.0"')],
      [
        { semver: ">=1.0.0" },
        "1.0",
        failed("a version in >=1.0.0", '"1.0" (no version of three numbers)', at, ERROR),
      ],
      [{ number: { min: 1 } }, 1, passed("a number, 1 or more", "1")],
      [{ number: { max: 2 } }, -1.5, passed("a number, 2 or less", "-1.5")],
      [{ number: { min: 1, max: 2 } }, 3, failed("a number, 1 or more and 2 or less", "3")],
      [{ number: { min: 1 } }, 2 ** 60, {
        ...failed(
          "a number, 1 or more",
          "1152921504606847000 (JSON does not keep such an integer)",
          at,
          ERROR,
        ),
      }],
      [{ time: { maxAge: "P1D" } }, NOW.toISOString(), {
        ...passed("a time, at most P1D ago", '"2026-06-01T00:00:00.000Z"'),
      }],
      [{ time: { after: "2026-01-01T00:00:00Z", before: "P1D" } }, "2026-06-01", {
        ...failed(
          "a time, not before 2026-01-01T00:00:00Z and not after P1D ago",
          '"2026-06-01" (no RFC 3339 time in UTC with Z)',
          at,
          ERROR,
        ),
      }],
      [{ containsAll: [1] }, [1, 2], passed("a list with all of 1", "[1,2]")],
      [{ subsetOf: [1] }, [1, 2], failed("a list of nothing but 1", "[1,2]")],
      [{ disjointFrom: [1] }, [2, "1"], {
        ...failed(
          "a list with none of 1",
          '[2,"1"] (a text, wanted a number)',
          at,
          ERROR,
        ),
      }],
      [{ exists: true }, "x", passed("something", '"x"')],
      [{ exists: true }, null, failed("something", undefined)],
      [{ exists: false }, "x", failed("nothing", '"x"')],
      [{ exists: false }, null, { ok: true, expected: "nothing", path: at }],
    ];
    for (const [condition, value, result] of cases) {
      deepEqual(judge(condition, value), result, JSON.stringify([condition, value]));
    }
  });

  it("quotes values briefly, whatever they are", () => {
    const count = (length: number): Json[] => Array.from({ length }, (_, i) => i);
    const members = (length: number): Json =>
      Object.fromEntries(count(length).map((i) => [`k${i}`, i]));
    const actual = (value: Json) => judge({ exists: true }, value).actual;
    equal(actual(false), "false");
    equal(actual(-1.5), "-1.5");
    equal(actual({}), "{}");
    equal(actual({ length: 9 }), '{"length":9}');
    equal(actual([null]), "[null]");
    equal(actual(count(8)), "[0,1,2,3,4,5,6,7]");
    equal(actual(count(9)), "a list of 9");
    equal(actual(members(8)), JSON.stringify(members(8)));
    equal(actual(members(9)), "an object");
    equal(actual("x".repeat(198)), `"${"x".repeat(198)}"`);
    for (const length of [199, 100_000]) equal(actual("x".repeat(length)), `"${"x".repeat(199)}…`);
    equal(actual(["\u202e", "\u001b"]), '["�","\\u001b"]');
    equal(judge({ oneOf: count(8) }, 0).expected, "one of 0, 1, 2, 3, 4, 5, 6, 7");
    equal(judge({ oneOf: count(9) }, 0).expected, "one of 0, 1, 2, 3, 4, 5, 6, 7, …");
    equal(judge({ equals: null }, null).expected, "equal to null");
  });

  it("is bounded in the values that it looks at", () => {
    const value = Array(300_000).fill("a");
    throws(
      () => judge({ path: "/predicate/value/*", equals: "a" }, value),
      (error) => error instanceof AttestationError && error.reason === "limit-exceeded",
    );
  });

  it("refuses a condition without an operator", () => {
    throws(() => compileCondition({ path: "/predicate" }), /no operator/);
  });
});

describe("path", () => {
  it("reads escapes, and nothing else", () => {
    const root = { predicate: { "a/b": { "c~d": 1 }, "*": 2, "": 3 } };
    equal(valuesAt("/predicate/a~1b/c~0d", root)[0].value, 1);
    equal(valuesAt("/predicate/a~1b/c~0d", root)[0].path, "/predicate/a~1b/c~0d");
    deepEqual(valuesAt("/predicate/*", root).map(({ path }) => path), [
      "/predicate/a~1b",
      "/predicate/*",
      "/predicate/",
    ]);
    equal(valuesAt("/subject", root).length, 0);
  });

  it("refuses what leads nowhere in any Statement", () => {
    for (
      const path of [
        "",
        "predicate",
        "/",
        "/predicat",
        "/*",
        "/predicate/~2",
        "/predicate//a",
        "/predicate/**",
        `/predicate${"/a".repeat(32)}`,
        `/predicate/${"a".repeat(1024)}`,
      ]
    ) {
      ok(pathFault(path) !== undefined, path);
    }
    for (const path of ["/predicate", "/subject/0/digest/sha256", "/predicate/*/a~1b", "/_type"]) {
      equal(pathFault(path), undefined, path);
    }
  });
});
