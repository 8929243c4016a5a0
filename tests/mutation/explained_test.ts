import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { explanationOf, readExplained } from "./explained.ts";
import { applied, mutate } from "./mutate.ts";

const ROOT = new URL("../../", import.meta.url);

describe("explained.json", () => {
  it("matches the sources, and says why", () => {
    const list = readExplained();
    const stale = list.filter((one) => {
      const { mutants } = mutate(one.file, readFileSync(new URL(one.file, ROOT), "utf8"), 1);
      return !mutants.some((mutant) => explanationOf([one], mutant) !== undefined);
    });
    deepEqual(stale, []);
    ok(list.every(({ why, kind }) => why.length > 20 && /^(equivalent|hint)$/.test(kind)));
  });
});

describe("mutate()", () => {
  const SOURCE = `export function f(a: number, b: boolean): number {
  check(a);
  if (a < 1 && b) throw new Error("x");
  return a === 2 ? refused("y") : a;
}
`;

  it("finds every change of a check", () => {
    const { mutants } = mutate("f.ts", SOURCE, 1);
    deepEqual(mutants.map(({ operator, becomes }) => [operator, becomes]), [
      ["remove-call", ";"],
      ["negate-if", "!(a < 1 && b)"],
      ["drop-operand", "b"],
      ["flip-comparison", "a <= 1"],
      ["drop-operand", "a < 1"],
      ["remove-throw", ";"],
      ["flip-comparison", "a !== 2"],
    ]);
    equal(new Set(mutants.map(({ id }) => id)).size, mutants.length);
    ok(applied(SOURCE, mutants[1]).includes("if (!(a < 1 && b)) throw"));
  });

  it("changes nothing until a mutant is switched on", () => {
    const { instrumented } = mutate("f.ts", SOURCE, 1);
    const body = instrumented.slice(instrumented.indexOf("export function"))
      .replace(/export function f\(.*number \{/, "").replace(/\}\s*$/, "");
    const run = new Function("a", "b", "check", "refused", "__m", body);
    const at = (on: number, a: number, b: boolean) => {
      try {
        const call = (id: number) => id === on;
        return run(a, b, () => {}, (why: string) => why, call);
      } catch (error) {
        return error instanceof Error ? error.message : error;
      }
    };
    deepEqual([at(0, 0, true), at(0, 0, false), at(0, 2, true), at(0, 3, true)], ["x", 0, "y", 3]);
    equal(at(2, 3, true), "x", "the condition negated");
    equal(at(3, 3, true), "x", "the comparison dropped");
    equal(at(4, 1, true), "x", "the bound moved");
    equal(at(5, 0, false), "x", "the flag dropped");
    equal(at(6, 0, true), 0, "the throw removed");
    equal(at(7, 3, true), "y", "the equality turned round");
  });
});
