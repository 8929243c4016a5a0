import { strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "@bufbuild/cel";
import { Budget, type Expr, withBudget } from "./_cel_budget.ts";

const NONE: ReadonlySet<string> = new Set();
const rewrite = (expr: Expr): Expr => withBudget(expr, NONE, () => true);

describe("withBudget()", () => {
  it("takes 4096 parts, and no more", () => {
    const { expr } = parse("[1]");
    const { exprKind } = expr;
    if (exprKind.case !== "listExpr") throw new Error("no list");
    const [element] = exprKind.value.elements;
    const list = (length: number): Expr => {
      const elements = Array.from({ length }, () => element);
      return { ...expr, exprKind: { case: "listExpr", value: { ...exprKind.value, elements } } };
    };
    equal(rewrite(list(4095)).exprKind.case, "listExpr");
    throws(() => rewrite(list(4096)), { message: "the expression has more than 4096 parts" });
  });

  it("takes no loop that lacks a part, and nothing that it does not know", () => {
    const { expr } = parse("[1].all(x, true)");
    const { exprKind } = expr;
    if (exprKind.case !== "comprehensionExpr") throw new Error("no loop");
    rewrite(expr);
    for (const part of ["iterRange", "accuInit", "loopCondition", "loopStep", "result"]) {
      const value = { ...exprKind.value, [part]: undefined };
      throws(() => rewrite({ ...expr, exprKind: { case: "comprehensionExpr", value } }), {
        message: "the expression has a part that is not known",
      }, part);
    }
    throws(() => rewrite({ ...expr, exprKind: { case: undefined } }), {
      message: "the expression has a part that is not known",
    });
  });

  it("looks into the keys of a map, too", () => {
    for (const text of ["{a: 1}", "{1: a}", "[a]", "{'x': {'y': a}}"]) {
      throws(() => rewrite(parse(text).expr), { message: "a is no variable" }, text);
    }
    equal(rewrite(parse("{'x': 1}").expr).exprKind.case, "structExpr");
  });

  it("takes a pattern that is written out, of 256 characters and 100 repetitions", () => {
    const good = [
      "'a'.matches('a{100}')",
      "'a'.matches('a{1,100}')",
      `'a'.matches('${"a".repeat(256)}')`,
    ];
    for (const text of good) equal(rewrite(parse(text).expr).exprKind.case, "callExpr", text);
    const none = "the pattern of matches() is not written out in the expression";
    const bad: [string, string][] = [
      ["matches('a', 'a')", none],
      ["matches('a')", none],
      ["'a'.matches()", none],
      ["'a'.matches('a', 'a')", none],
      ["'a'.matches(b'a')", none],
      ["'a'.matches('a' + 'b')", none],
      [`'a'.matches('${"a".repeat(257)}')`, "a pattern has more than 256 characters"],
      ["'a'.matches('a{101}')", "a pattern repeats more than 100 times"],
      ["'a'.matches('a{1,101}')", "a pattern repeats more than 100 times"],
      ["'a'.matches('a{101,}')", "a pattern repeats more than 100 times"],
    ];
    for (const [text, message] of bad) {
      throws(() => rewrite(parse(text).expr), { message }, text);
    }
  });
});

describe("Budget", () => {
  it("lasts for all its steps, and is exhausted by one more", () => {
    const budget = new Budget(3);
    budget.start();
    budget.charge(2);
    budget.charge(1);
    equal(budget.exhausted, false);
    throws(() => budget.charge(1), { message: "more than 3 steps" });
    equal(budget.exhausted, true);
    throws(() => budget.charge(0), { message: "more than 3 steps" });
    budget.start();
    equal(budget.exhausted, false);
    budget.charge(3);
  });
});
