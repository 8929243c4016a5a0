import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { describe, it } from "node:test";
import { type Outcome, PARTS, samples, splices, trustHere } from "../tests/attack/splices.ts";

describe("two good bundles", () => {
  it("give no third one when their parts are exchanged", async () => {
    const parts = new Set<string>();
    const reasons = new Set<unknown>();
    const wrong: Outcome[] = [];
    let count = 0;
    for await (const outcome of splices(await samples(8), await trustHere())) {
      count++;
      parts.add(outcome.part);
      reasons.add(outcome.reason);
      if (outcome.wrong !== undefined) wrong.push(outcome);
    }
    deepEqual(wrong, []);
    // Two bundles by key with key ids are among fifty, not among eight.
    const absent = Object.keys(PARTS).filter((part) => !parts.has(part));
    deepEqual(absent.filter((part) => !part.startsWith("key ")), []);
    ok(reasons.size >= 12, `for ${reasons.size} reasons`);
    ok(count > 700, `${count} splices`);
  });
});
