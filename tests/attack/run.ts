/**
 * The long runs: `deno task attack splices|bits|closed [options]`.
 *
 *     splices [--count 50]                   every two of so many bundles, and the real ones
 *     bits [--stride 1] [--start 0] [--id T] every bit of every good vector
 *     closed [--stride 1] [--hits 3] [--skip 0]  a fault at every site, so many times
 *
 * Prints figures; exit 1 when anything is accepted that must not be.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import type { VectorCase } from "../vectors/cases.ts";
import { flipBits, harmless } from "./bit_flips.ts";
import { unexplained } from "./closed_places.ts";
import { failClosed } from "./fail_closed.ts";
import { realSamples } from "./real_samples.ts";
import { type Sample, samples, splices, trustHere } from "./splices.ts";
import type { Trust } from "../../verify/options.ts";

const TESTDATA = new URL("../../testdata/", import.meta.url);

const { values, positionals: [what] } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string", default: "50" },
    stride: { type: "string", default: "1" },
    start: { type: "string", default: "0" },
    hits: { type: "string", default: "3" },
    skip: { type: "string", default: "0" },
    id: { type: "string", default: "" },
  },
});

const began = performance.now();
const RUNS: Record<string, () => Promise<boolean>> = {
  splices: runSplices,
  bits: runBits,
  closed: runClosed,
};
if (what === undefined || !Object.hasOwn(RUNS, what)) {
  console.error(`Usage: run.ts ${Object.keys(RUNS).join("|")}`);
  process.exit(2);
}
const good = await RUNS[what]();
console.log(`${Math.round((performance.now() - began) / 1000)} s`);
process.exit(good ? 0 : 1);

async function runSplices(): Promise<boolean> {
  const own = await samples(Number(values.count));
  const real = await realSamples();
  const first = await spliceAll("made here", own, await trustHere());
  return await spliceAll("real", real.all, real.trust) && first;
}

async function spliceAll(name: string, all: readonly Sample[], trust: Trust): Promise<boolean> {
  const table = new Map<string, Map<string, number>>();
  let count = 0;
  let wrong = 0;
  for await (const outcome of splices(all, trust)) {
    count++;
    const row = table.get(outcome.part) ?? new Map<string, number>();
    tally(row, outcome.reason ?? "(accepted: same claims)");
    table.set(outcome.part, row);
    if (outcome.wrong !== undefined) {
      wrong++;
      console.log("WRONG", JSON.stringify(outcome));
    }
  }
  console.log(`${name}: ${all.length} bundles, ${count} splices, ${wrong} wrong`);
  for (const [part, row] of table) console.log(`  ${part}: ${list(row)}`);
  return wrong === 0;
}

async function runBits(): Promise<boolean> {
  const { cases } = JSON.parse(readFileSync(new URL("index.json", TESTDATA), "utf8"));
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const read = (path: string) => {
    const bytes = files.get(path) ?? new Uint8Array(readFileSync(new URL(path, TESTDATA)));
    files.set(path, bytes);
    return Promise.resolve(bytes.slice());
  };
  const options = { stride: Number(values.stride), start: Number(values.start) };
  const reasons = new Map<string, number>();
  const places = new Map<string, number>();
  let flips = 0;
  let vectors = 0;
  let wrong = 0;
  for (const one of cases as VectorCase[]) {
    if (one.expected !== "pass" || !one.id.includes(values.id)) continue;
    vectors++;
    const counts = await flipBits(one, read, options);
    flips += counts.flips;
    for (const [reason, count] of counts.reasons) {
      reasons.set(reason, (reasons.get(reason) ?? 0) + count);
    }
    const unexplained = counts.accepted.filter((place) => harmless(place) === undefined);
    for (const place of counts.accepted) tally(places, harmless(place) ?? "UNEXPLAINED");
    for (const place of [...counts.wrong, ...unexplained]) {
      wrong++;
      console.log("WRONG", JSON.stringify(place));
    }
  }
  console.log(`${vectors} vectors, ${flips} flips, ${wrong} wrong`);
  console.log(`refused: ${list(reasons)}`);
  for (const [why, count] of places) console.log(`harmless ${count}: ${why}`);
  return wrong === 0;
}

function runClosed(): Promise<boolean> {
  const probes = failClosed([
    "--stride",
    values.stride,
    "--hits",
    values.hits,
    "--skip",
    values.skip,
  ]);
  let good = true;
  for (const probe of probes) {
    const { scenario, sites, faults, refused, thrown, accepted, unreached } = probe;
    console.log(
      `${scenario}: ${sites} sites, ${faults} faults, ${refused} refused, ${thrown} thrown, ` +
        `${accepted.length} without effect, ${unreached.length} not reached`,
    );
    for (const line of unexplained(probe)) {
      good = false;
      console.log("WRONG", line);
    }
  }
  return Promise.resolve(good);
}

function tally(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function list(counts: ReadonlyMap<string, number>): string {
  return [...counts].sort().map(([name, count]) => `${name} ${count}`).join(", ");
}
