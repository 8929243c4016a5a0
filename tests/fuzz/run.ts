/**
 * Mutation fuzzing of every exported parser and verifier.
 *
 *     deno task fuzz [--target NAME]… [--kind parser|verifier] [--inputs N | --seconds S]
 *                    [--seed X] [--findings FOLDER] [--own] [--replay FILE]
 *
 * `--inputs` and `--seconds` are per target. The same seed gives the same inputs.
 *
 * @module
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { Corpus } from "./corpus.ts";
import { fuzz, minimise, type Outside, type Row } from "./engine.ts";
import { TARGETS } from "./targets.ts";

const OUTSIDE: Outside = {
  memory: () => process.memoryUsage().rss,
  clock: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

const { values } = parseArgs({
  options: {
    target: { type: "string", multiple: true },
    kind: { type: "string" },
    inputs: { type: "string" },
    seconds: { type: "string" },
    seed: { type: "string", default: "1" },
    findings: { type: "string" },
    own: { type: "boolean", default: false },
    replay: { type: "string" },
  },
});

for (const name of values.target ?? []) {
  if (!TARGETS.some((target) => target.name === name)) {
    console.error(
      `No target ${name}. There are:\n  ${TARGETS.map((one) => one.name).join("\n  ")}`,
    );
    process.exit(2);
  }
}
for (const name of ["inputs", "seconds"] as const) {
  if (values[name] !== undefined && !(Number(values[name]) > 0)) {
    console.error(`--${name} is no number above 0`);
    process.exit(2);
  }
}

const chosen = TARGETS.filter(({ name, kind }) =>
  (values.target ?? [name]).includes(name) && (values.kind ?? kind) === kind
);
// Own test data only: the same inputs wherever it is run.
const corpus = new Corpus(!values.own);

if (values.replay !== undefined) {
  const [target] = chosen;
  const ready = await target.prepare(corpus);
  const input = new Uint8Array(readFileSync(values.replay));
  // What belongs to a seed, as its trust and its artifact, may decide.
  for (const seed of ready.seeds) {
    const answer = await Promise.try(() => ready.run(input, seed)).catch((error) => String(error));
    console.log(`${seed.name}: ${answer ?? "accepted"}`);
  }
  process.exit(0);
}

const budget = {
  ...(values.inputs === undefined ? {} : { inputs: Number(values.inputs) }),
  seconds: Number(values.seconds ?? (values.inputs === undefined ? 10 : Infinity)),
};
const rows: Row[] = [];
const started = performance.now();
console.log(`seed ${values.seed}, ${chosen.length} targets\n`);
console.log(
  "target kind inputs accepted inputs/s cpu-s worst-ms ratio findings  refused".replaceAll(
    " ",
    "\t",
  ),
);
for (const target of chosen) {
  const ready = await target.prepare(corpus);
  const row = await fuzz(target, ready, values.seed, budget, OUTSIDE);
  rows.push(row);
  console.log(lineOf(row));
  for (const finding of row.findings) {
    finding.input = await minimise(target, ready, finding, OUTSIDE);
    console.log(`  ! ${finding.what} (${finding.count} times, from ${finding.seed})`);
    if (values.findings === undefined) continue;
    mkdirSync(values.findings, { recursive: true });
    const name = `${target.name}-${finding.what.replace(/[^A-Za-z0-9]+/g, "-").slice(0, 80)}`;
    writeFileSync(join(values.findings, name), finding.input);
  }
}
const findings = rows.reduce((sum, row) => sum + row.findings.length, 0);
for (const kind of ["parser", "verifier"] as const) {
  const of = rows.filter((row) => row.kind === kind);
  if (of.length === 0) continue;
  const sum = (value: (row: Row) => number) => of.reduce((total, row) => total + value(row), 0);
  console.log(
    `\n${of.length} ${kind}s: ${sum((row) => row.inputs)} inputs, ${
      sum((row) => row.accepted)
    } accepted, at least ${Math.min(...of.map((row) => row.inputs))} per target`,
  );
}
console.log(`${findings} findings, ${((performance.now() - started) / 1000).toFixed(0)} s`);
process.exit(findings === 0 ? 0 : 1);

function lineOf(row: Row): string {
  const refused = [...row.refused].sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`);
  if (row.costly > 0) refused.push(`(left out as costly ${row.costly})`);
  return [
    row.target,
    row.kind,
    row.inputs,
    row.accepted,
    Math.round(row.inputs / Math.max(row.seconds, 0.001)),
    row.cpuSeconds.toFixed(1),
    row.worstMs.toFixed(1),
    row.ratio.toFixed(1),
    row.findings.length,
    refused.join(", "),
  ].join("\t");
}
