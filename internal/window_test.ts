import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { test } from "node:test";
import { asRefusal, CheckList } from "./check_list.ts";
import { AttestationError } from "../errors.ts";
import { refuseUnknown } from "./options.ts";
import { listTo, pointer, refuse } from "./problem.ts";
import { mapWindow } from "./window.ts";

function later(): Promise<void> {
  return new Promise((done) => setTimeout(done, 0));
}

test("mapWindow() keeps the order and never has more under way than allowed", async () => {
  let now = 0;
  let most = 0;
  const results = await mapWindow(
    Array.from({ length: 20 }, (_, i) => i),
    3,
    async (item, index) => {
      most = Math.max(most, ++now);
      if (item % 2 === 0) await later();
      now--;
      return item * 10 + (index === item ? 0 : 1);
    },
  );
  deepEqual(results, Array.from({ length: 20 }, (_, i) => i * 10));
  equal(most, 3);
  deepEqual(await mapWindow([], 3, () => Promise.resolve(1)), []);
});

test("mapWindow() rejects with the first failure and starts nothing more", async () => {
  const started: number[] = [];
  const work = mapWindow([0, 1, 2, 3, 4, 5, 6, 7], 2, async (item) => {
    started.push(item);
    await later();
    if (item === 1) throw new RangeError("one");
  });
  await rejects(work, RangeError);
  await later();
  await later();
  ok(started.length <= 4, String(started));
});

test("refuseUnknown() throws for a name that nothing reads", () => {
  refuseUnknown({ a: 1 }, ["a", "b"], "f()");
  refuseUnknown({}, [], "f()");
  throws(() => refuseUnknown({ a: 1, c: undefined }, ["a", "b"], "f()"), {
    name: "TypeError",
    message: 'Unknown option "c" of f()',
  });
  throws(() => refuseUnknown(JSON.parse('{"__proto__":1}'), ["a"], "f()"), TypeError);
  throws(() => refuseUnknown({ "a\u001b[2J": 1 }, ["a"], "f()"), { message: /"a\ufffd\[2J"/ });
});

test("pointer() and refuse() point at a member, harmlessly", () => {
  equal(pointer("/a", "b/c~d"), "/a/b~1c~0d");
  equal(pointer("", "x\n"), "/x\ufffd");
  throws(() => refuse("invalid-uri", "/a", "No"), {
    reason: "invalid-uri",
    path: "/a",
    message: "No",
  });
  const problems: Parameters<typeof listTo>[0] = [];
  listTo(problems)("invalid-uri", "/a", "No");
  deepEqual(problems, [{ reason: "invalid-uri", path: "/a", message: "No" }]);
});

test("CheckList keeps the first refusal, and a throw is never a success", () => {
  const list = new CheckList();
  list.passed("envelope.format", "Fine", { actual: "a\u0007" });
  list.skipped("statement.subject", "Skipped");
  list.failed("envelope.signature", new TypeError("secret detail"));
  list.refused("predicate.type", "predicate-type-mismatch", "Other", { expected: "x", path: "/p" });
  equal(list.error?.reason, "internal-error");
  deepEqual(list.checks, [
    {
      id: "envelope.format",
      layer: "envelope",
      outcome: "passed",
      message: "Fine",
      actual: "a\ufffd",
    },
    { id: "statement.subject", layer: "statement", outcome: "skipped", message: "Skipped" },
    {
      id: "envelope.signature",
      layer: "envelope",
      outcome: "failed",
      message: "Cannot verify: an unexpected error",
      reason: "internal-error",
    },
    {
      id: "predicate.type",
      layer: "predicate",
      outcome: "failed",
      message: "Other",
      expected: "x",
      path: "/p",
      reason: "predicate-type-mismatch",
    },
  ]);
  const own = new AttestationError("invalid-sct", "No");
  equal(asRefusal(own), own);
  for (const thrown of [undefined, null, "text", 1, {}]) {
    equal(asRefusal(thrown).reason, "internal-error");
  }
});
