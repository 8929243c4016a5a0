/**
 * A short round of the fuzzer, the same each time, and that no exported function is without a
 * target. The long round: `deno task fuzz`.
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import config from "../../deno.json" with { type: "json" };
import { AttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { Corpus, textSeeds } from "./corpus.ts";
import { fuzz, minimise, type Outside } from "./engine.ts";
import { textOf } from "./mutate_text.ts";
import { Broken, type Target } from "./target.ts";
import { TARGETS } from "./targets.ts";

const OUTSIDE: Outside = {
  memory: () => process.memoryUsage().rss,
  clock: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

/** Functions that are given what others wrote. */
const UNTRUSTED =
  /^(parse|verify|evaluate|validate|read|open|decrypt|lookup|list|detect)[A-Z]|^verify$/;

/** Functions of such a name that read nothing from others. */
const OWN: ReadonlyMap<string, string> = new Map([
  ["detectBuildPlatform", "reads the environment of the process"],
  ["listApiKeys", "reads rows of its own database"],
  ["listManifests", "reads rows of its own database"],
]);

/** A target that is wrong on purpose. */
function wrong(run: (text: string) => string | null, kind: Target["kind"] = "parser"): Target {
  return {
    name: "wrong",
    kind,
    prepare: () => ({
      seeds: textSeeds("a seed to change", "another seed"),
      shape: "text",
      run: (input) => run(textOf(input)),
    }),
  };
}

async function findingsOf(target: Target, outside = OUTSIDE): Promise<string[]> {
  const row = await fuzz(
    target,
    await target.prepare(new Corpus(false)),
    "1",
    { inputs: 300 },
    outside,
  );
  return row.findings.map(({ what }) => what);
}

describe("the registry of targets", () => {
  it("has one for every exported function that reads what others wrote", async () => {
    const known = new Set(TARGETS.flatMap(({ name, covers = [] }) => [name, ...covers]));
    const missing: string[] = [];
    for (const [key, file] of Object.entries(config.exports)) {
      const room: Record<string, unknown> = await import(`../../${file.slice(2)}`);
      for (const [name, value] of Object.entries(room)) {
        if (typeof value !== "function" || !UNTRUSTED.test(name) || OWN.has(name)) continue;
        if (!known.has(name)) missing.push(`${key} ${name}`);
      }
    }
    deepEqual(missing, []);
  });

  it("has every name once", () => {
    const names = TARGETS.map(({ name }) => name);
    equal(new Set(names).size, names.length);
  });
});

describe("fuzz()", () => {
  it("reports what it must not meet", async () => {
    const thrown = await findingsOf(wrong(() => {
      throw new TypeError("of undefined");
    }));
    ok(/^throws TypeError: of undefined/.test(thrown[0]), thrown[0]);
    const refusing = () => {
      throw new AttestationError("usage", "Cannot");
    };
    deepEqual(await findingsOf(wrong(refusing)), []);
    ok(/^throws AttestationError/.test((await findingsOf(wrong(refusing, "verifier")))[0]));
    deepEqual(await findingsOf(wrong(() => "no-such-word")), [
      "the reason no-such-word is not in the table",
    ]);
    deepEqual(
      await findingsOf(wrong(() => {
        throw new AttestationError("usage", "Cannot\u001b[2J");
      })),
      ["a message (usage): it has control characters"],
    );
  });

  it("reports a hang, and growth of memory", async () => {
    let now = 0;
    const after = (step: number) => () => now += step;
    const slow = { ...OUTSIDE, clock: after(600), cpu: after(600) };
    deepEqual(await findingsOf(wrong(() => null), slow), []);
    // Others are at work on the machine.
    const waiting = { ...OUTSIDE, clock: after(1100), cpu: after(600) };
    deepEqual(await findingsOf(wrong(() => null), waiting), []);
    const hanging = { ...OUTSIDE, clock: after(1100), cpu: after(1100) };
    ok((await findingsOf(wrong(() => null), hanging)).includes("takes longer than a second"));
    let memory = 0;
    const growing = { ...OUTSIDE, memory: () => memory += 1 << 30 };
    ok((await findingsOf(wrong(() => null), growing)).includes("memory grows without end"));
  });

  it("gives the same inputs for the same seed, and minimises what it finds", async () => {
    const inputs: string[][] = [];
    for (let round = 0; round < 2; round++) {
      const seen: string[] = [];
      const target = wrong((text) => {
        seen.push(text);
        return null;
      });
      await findingsOf(target, { ...OUTSIDE, memory: () => 0, clock: () => 0 });
      inputs.push(seen.slice(0, 300));
    }
    deepEqual(inputs[0], inputs[1]);
    const target = wrong((text) => {
      if (text.includes("seed")) throw new Broken("found");
      return null;
    });
    const ready = await target.prepare(new Corpus(false));
    const input = utf8("there is a seed in it");
    const finding = { target: "wrong", what: "found", count: 1, input, seed: "text 1" };
    equal(textOf(await minimise(target, ready, finding, OUTSIDE)), "seed");
  });
});

describe("a short round", () => {
  const corpus = new Corpus(false);
  for (const target of TARGETS) {
    it(`finds nothing in ${target.name}`, async () => {
      const ready = await target.prepare(corpus);
      const inputs = Math.min(ready.seeds.length, 60) + 60;
      const row = await fuzz(target, ready, "ci", { inputs, seconds: 0.3 }, OUTSIDE);
      deepEqual(row.findings.map(({ what, seed }) => `${what} (${seed})`), []);
      ok(row.inputs > 0);
    });
  }
});
