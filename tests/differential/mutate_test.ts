import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { REASONS } from "../../reasons.ts";
import { explain, type Explanation } from "./explain.ts";
import { mutate, seeded } from "./mutate.ts";
import { ours, vectorQuestions } from "./questions.ts";

const explanations: Explanation[] = JSON.parse(
  readFileSync(new URL("explained.json", import.meta.url), "utf8"),
);

describe("mutate()", () => {
  const text = readFileSync(
    new URL("../../testdata/example/hello.txt.sigstore.json", import.meta.url),
    "utf8",
  );

  it("gives the same mutants for the same seed, and others for another", () => {
    const run = (seed: number) => {
      const random = seeded(seed);
      return Array.from({ length: 50 }, () => mutate(text, [text], random));
    };
    deepEqual(run(3), run(3));
    ok(JSON.stringify(run(3)) !== JSON.stringify(run(4)));
    ok(new Set(run(3).map(({ change }) => change.split(" ")[0])).size > 10);
  });

  it("never has us accept another artifact or signer", async () => {
    const base = vectorQuestions().find(({ id }) => id === "x-attest/sigstore-bundle/example");
    ok(base !== undefined);
    equal((await ours(base)).verdict, "pass");
    const random = seeded(11);
    for (let i = 0; i < 100; i++) {
      const { text: bundle, change } = mutate(base.bundle, [], random);
      const another = { base64: "AAAA" };
      equal((await ours({ ...base, bundle, artifact: another })).verdict, "fail", change);
      equal(
        (await ours({ ...base, bundle, identity: `${base.identity}x` })).verdict,
        "fail",
        change,
      );
    }
  });
});

describe("explained.json", () => {
  it("names each cause once, with known reasons and who is right", () => {
    equal(new Set(explanations.map(({ id }) => id)).size, explanations.length);
    for (
      const { id, ours, right, by, why, change = "", theirs = "", bundle = "" } of explanations
    ) {
      ok(ours.every((one) => one === "accepted" || Object.hasOwn(REASONS, one)), id);
      ok(["ours", "theirs", "both"].includes(right) && by !== "" && why !== "", id);
      for (const pattern of [change, theirs, bundle]) new RegExp(pattern);
    }
  });

  it("has no cause for what we accept that tells neither peer's message nor change", () => {
    for (const { id, ours, change, theirs, question } of explanations) {
      if (!ours.includes("accepted")) continue;
      deepEqual(ours, ["accepted"], id);
      ok(change !== undefined || theirs !== undefined || question !== undefined, id);
    }
    const unknown = { peer: "sigstore-go", id: "x", change: "bitflip /messageSignature/signature" };
    const one = { ...unknown, ours: "accepted", theirs: "invalid signature", bundle: "{}" };
    equal(explain(one, explanations), undefined);
  });
});
