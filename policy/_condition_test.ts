import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { Json, JsonObject } from "../internal/json.ts";
import { policyOf } from "./_fixtures_test.ts";
import { validatePolicy } from "./parse.ts";

/** Problems of a policy with these conditions: where, from the list on, and what. */
function faultsOf(...where: Json[]): [place: string, message: string][] {
  const policy = policyOf({ require: [{ id: "signed", predicate: { where } as never }] });
  const path = "/rules/0/require/0/predicate/where";
  return validatePolicy(policy as object).map((one) => [
    one.path?.replace(path, "") ?? "",
    one.message.replace("Cannot read policy: ", ""),
  ]);
}

const INEXACT = "JSON does not keep an integer beyond 2^53; compare a text instead";

describe("a condition of a policy", () => {
  it("has one operator, and a value that it can be for", () => {
    const big = 2 ** 53;
    const cases: [JsonObject, string?, string?][] = [
      [{ equals: big - 1 }],
      [{ equals: { a: [big] } }, "/equals", INEXACT],
      [{ oneOf: [1, big] }, "/oneOf/1", INEXACT],
      [{ containsAll: [[big]] }, "/containsAll/0", INEXACT],
      [{ oneOf: [1, "1"] }],
      [{ oneOf: [1, 2, 1] }, "/oneOf/2", "oneOf has the same value twice"],
      [{ number: { min: 1, max: 1 } }],
      [{ number: { min: -1 } }],
      [{ number: { max: -1 } }],
      [{ number: { min: 1.1, max: 1 } }, "/number", "no number is within: min is above max"],
      [{ number: { min: big } }, "/number/min", "min is no number that JSON keeps"],
      [{ number: { min: 1, max: -big } }, "/number/max", "max is no number that JSON keeps"],
      [{ time: { after: "2026-01-01T00:00:00Z", before: "2026-01-01T00:00:00Z" } }],
      [{ time: { after: "P1D", before: "P1D" } }],
      [{ time: { after: "P2D", before: "P1D" } }],
      [{ time: { after: "P1D" } }],
      [{ time: { before: "P1D" } }],
      [{ time: { after: "2026-01-01T00:00:00Z" } }],
      [{ time: { before: "2026-01-01T00:00:00Z" } }],
      [{ time: { after: "2026-01-01T00:00:00Z", before: "P1D" } }],
      [{ time: { after: "P1D", before: "2026-01-01T00:00:00Z" } }],
      [
        { time: { after: "2026-01-01T00:00:00.001Z", before: "2026-01-01T00:00:00Z" } },
        "/time",
        "no time is within: after is later than before",
      ],
      [
        { time: { after: "P1D", before: "P2D" } },
        "/time",
        "no time is within: after is later than before",
      ],
      [{ exists: true, quantifier: "some" }],
      [{ exists: true, quantifier: "every" }],
      [
        { exists: true, quantifier: "none" },
        "/quantifier",
        "for nothing at the path write exists: false",
      ],
      [
        { exists: false, quantifier: "every" },
        "/quantifier",
        "a quantifier has no meaning with exists: false",
      ],
      [{ equals: 1, quantifier: "none" }],
    ];
    for (const [condition, place, message] of cases) {
      deepEqual(
        faultsOf({ path: "/predicate/a", ...condition }),
        place === undefined ? [] : [[`/0${place}`, message]],
        JSON.stringify(condition),
      );
    }
  });

  it("has an id of its own that is no place in the list", () => {
    const of = (...ids: (string | undefined)[]) =>
      faultsOf(...ids.map((id, i) => ({
        ...(id === undefined ? {} : { id }),
        path: "/predicate/a",
        equals: i,
      })));
    deepEqual(of("a", "b", undefined, undefined, "a.1_-Z", "1a", "x".repeat(128)), []);
    deepEqual(of("a", "b", "a", "a"), [
      ["/2/id", 'the id "a" is there twice'],
      ["/3/id", 'the id "a" is there twice'],
    ]);
    for (const id of ["1", "42", "a b", "a/b", "é"]) {
      deepEqual(of("a", id), [
        ["/1/id", `"${id}" is no id: letters, digits, . _ and -, and no number`],
      ]);
    }
    deepEqual(of("a", ""), [["/1/id", "id is empty"]]);
    equal(of("x".repeat(129)).length, 1);
  });
});
