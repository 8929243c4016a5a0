import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { realSamples } from "./real_samples.ts";
import { type Outcome, samples, splices, trustHere } from "./splices.ts";

test("parts of real bundles are good where they are, and nowhere else", async (t) => {
  const { all, trust } = await realSamples();
  if (all.length === 0) return t.skip("the vectors of other projects are not at hand");
  ok(all.length >= 20, `${all.length} bundles`);
  const some = [0, 0.2, 0.5, 0.7].map((at) => all[Math.floor(at * all.length)]);
  const wrong: Outcome[] = [];
  for await (const outcome of splices(some, trust)) {
    if (outcome.wrong !== undefined) wrong.push(outcome);
  }
  deepEqual(wrong, []);
});

test("a bundle that is not good to begin with is no sample", async () => {
  const [sample] = await samples(1);
  const json = { ...sample.json, verificationMaterial: {} };
  const broken = splices([{ ...sample, json }, sample], await trustHere());
  let thrown: unknown;
  try {
    await broken.next();
  } catch (error) {
    thrown = error;
  }
  ok(String(thrown).includes("is no good bundle"));
});
