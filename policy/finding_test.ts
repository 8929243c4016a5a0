import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError } from "../errors.ts";
import { attestation, NOW } from "./_fixtures_test.ts";
import { anyOf, failed, judgeLeaf, type Leaf, type LeafFacts, passed } from "./finding.ts";

const leaf = (judge: Leaf["judge"] = () => []): Leaf => ({
  id: "r/s/c",
  layer: "predicate",
  judge,
});
const head = { id: "r/s/c", layer: "predicate" };

describe("a finding", () => {
  const facts: LeafFacts = { expected: "e", path: "/p", origin: "signed", remedy: "m" };

  it("has what is known of it, and no member for what is not", () => {
    deepEqual(passed(leaf(), "Fine", facts, "a"), {
      ...head,
      outcome: "passed",
      message: "Fine",
      expected: "e",
      actual: "a",
      path: "/p",
      origin: "signed",
    });
    deepEqual(passed(leaf(), "Fine", {}), { ...head, outcome: "passed", message: "Fine" });
    deepEqual(failed(leaf(), "cel-error", "Bad", facts, "a"), {
      ...head,
      outcome: "failed",
      reason: "cel-error",
      message: "Bad",
      ...facts,
      actual: "a",
    });
    deepEqual(failed(leaf(), "cel-error", "Bad"), {
      ...head,
      outcome: "failed",
      reason: "cel-error",
      message: "Bad",
    });
  });

  it("quotes nothing that a terminal would obey", () => {
    const evil = "\u001b[2J";
    equal(passed(leaf(), "Fine", {}, evil).actual, "�[2J");
    const { message, expected, actual } = failed(
      leaf(),
      "cel-error",
      evil,
      { expected: evil },
      evil,
    );
    deepEqual([message, expected, actual], ["�[2J", "�[2J", "�[2J"]);
  });
});

describe("judgeLeaf()", () => {
  const judged = (judge: Leaf["judge"]) => judgeLeaf(leaf(judge), attestation([]), { now: NOW });

  it("takes a throw for a failure, and says nothing of one that nobody expected", () => {
    const refuse = (path?: string): never => {
      throw new AttestationError(
        "cel-error",
        "Cannot evaluate",
        path === undefined ? {} : { path },
      );
    };
    const wrong = { ...head, outcome: "failed", reason: "cel-error", message: "Cannot evaluate" };
    deepEqual(judged(() => refuse("/predicate")), { ...wrong, path: "/predicate" });
    deepEqual(judged(() => refuse()), wrong);
    deepEqual(
      judged(() => {
        throw new TypeError("secret is not a function");
      }),
      {
        ...head,
        outcome: "failed",
        reason: "condition-error",
        message: "Cannot evaluate rule: an unexpected error",
      },
    );
    deepEqual(judged(() => passed(leaf(), "Fine", {})), {
      ...head,
      outcome: "passed",
      message: "Fine",
    });
  });
});

describe("anyOf()", () => {
  it("lists up to eight words, and says how many more there are", () => {
    const of = (count: number) => anyOf(Array.from({ length: count }, (_, i) => String(i)));
    equal(of(0), "");
    equal(of(1), '"0"');
    equal(of(2), '"0" or "1"');
    equal(of(3), '"0", "1" or "2"');
    equal(of(8), '"0", "1", "2", "3", "4", "5", "6" or "7"');
    equal(of(9), '"0", "1", "2", "3", "4", "5", "6", "7" or 1 more');
    equal(of(20), '"0", "1", "2", "3", "4", "5", "6", "7" or 12 more');
  });
});
