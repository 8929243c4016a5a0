/**
 * Mutation test of our own checks: `deno task mutants [--room R]… [--file F]… [--sample N
 * --seed S] [--survivors FILE] [--near [--also T]…] [--types] [--log FILE]`. With `--near` only
 * the tests beside the sources of the same room are run, and the wide ones that have T in their
 * path. `--log` appends what became of each mutant, and
 * leaves out those that the file says are killed: a run that was ended goes on. `--quick` runs
 * the few most telling tests of each mutant only: what survives them is asked of all in another run.
 */

import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { sha256 } from "../../internal/sha256.ts";
import { type Laboratory, makeLaboratory, ROOMS, type TestBundle, writeInto } from "./bundles.ts";
import { explanationOf, readExplained } from "./explained.ts";
import { applied, type Mutant } from "./mutate.ts";
import { WarmProcess } from "./process.ts";
import type { Judged, Probed, Run } from "./worker.ts";

/** What became of a mutant. */
type Fate = "assertion" | "type" | "time-out" | "explained" | "survived";

interface Reached {
  bundle: TestBundle;
  /** Milliseconds of the tests that reach the mutant, and of loading. */
  ms: number;
  tests?: string[];
  /** The tests that reach little else: they tell soonest. */
  telling: { test: string; reaches: number; ms: number }[];
}

const { values } = parseArgs({
  options: {
    room: { type: "string", multiple: true },
    file: { type: "string", multiple: true },
    sample: { type: "string" },
    seed: { type: "string", default: "1" },
    survivors: { type: "string" },
    types: { type: "boolean", default: false },
    near: { type: "boolean", default: false },
    also: { type: "string", multiple: true },
    log: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});

/** A mutant by what it changes: its number and line vary with other changes. */
function nameOf({ file, within, operator, code, becomes, id }: Mutant, all: readonly Mutant[]) {
  const same = all.filter((one) =>
    one.file === file && one.within === within && one.operator === operator &&
    one.code === code && one.becomes === becomes
  );
  return [file, within, operator, code, becomes, same.findIndex((one) => one.id === id)].join("\t");
}

/** Names of the mutants that a log says are killed, or that were tried by this run's tests. */
function readLog(): Set<string> {
  const known = new Set<string>();
  if (values.log === undefined || !existsSync(values.log)) return known;
  for (const line of readFileSync(values.log, "utf8").split("\n")) {
    if (line === "") continue;
    const { name, fate, near, quick = false } = JSON.parse(line);
    // Who has survived few tests is asked of more; who has survived all is not asked of few.
    const asked = near === values.near && (values.quick || !quick);
    if (fate !== "survived" || asked) known.add(name);
    else known.delete(name);
  }
  return known;
}

/** What probes answered in earlier runs, by the digest of the bundle. */
function readProbes(): Map<string, Probed> {
  const file = `${values.log}.probes`;
  if (values.log === undefined || !existsSync(file)) return new Map();
  return new Map(
    readFileSync(file, "utf8").split("\n").filter((line) => line !== "")
      .map((line) => JSON.parse(line) as [string, Probed]),
  );
}

const PROBE_MS = 180_000;

function chosen(mutants: readonly Mutant[]): Mutant[] {
  const rooms = values.room ?? (values.file === undefined ? ROOMS : []);
  const files = values.file ?? [];
  const found = mutants.filter(({ file }) =>
    files.includes(file) || rooms.some((room) => file.startsWith(`${room}/`))
  );
  // In the order in which the files are named.
  if (values.sample === undefined) {
    return found.sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.id - b.id);
  }
  return shuffled(found, Number(values.seed)).slice(0, Number(values.sample))
    .sort((a, b) => a.id - b.id);
}

/** Fisher-Yates with a linear congruential generator: the same for the same seed. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const all = [...items];
  let state = seed >>> 0;
  for (let i = all.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor(state / 2 ** 32 * (i + 1));
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all;
}

function roomOf(file: string): string {
  return file.slice(0, file.indexOf("/"));
}

function isProbed(answer: Judged | Probed | undefined): answer is Probed {
  return answer !== undefined && "reach" in answer;
}

/** By mutant: which tests reach it. */
async function probeAll(
  laboratory: Laboratory,
  mutants: readonly Mutant[],
): Promise<Map<number, Reached[]>> {
  const wanted = new Set(mutants.map(({ id }) => id));
  const files = new Set(mutants.map(({ file }) => file));
  const rooms = new Set([...files].map(roomOf));
  const reached = new Map<number, Reached[]>();
  const warm = new WarmProcess(laboratory.folder);
  const probes = readProbes();
  for (const bundle of laboratory.bundles) {
    if (![...files].some((file) => bundle.sources.has(file))) continue;
    if (values.near && bundle.distance === "unit" && !rooms.has(roomOf(bundle.file))) continue;
    // The copy of the project has another name each time.
    const text = readFileSync(new URL(bundle.url), "utf8").replaceAll(laboratory.folder, "");
    const digest = encodeHex(sha256(utf8(text)));
    const answer = probes.get(digest) ?? await warm.ask({ probe: bundle.url }, PROBE_MS);
    if (isProbed(answer) && values.log !== undefined && !probes.has(digest)) {
      appendFileSync(`${values.log}.probes`, `${JSON.stringify([digest, answer])}\n`);
    }
    if (!isProbed(answer) || answer.failures.length > 0) {
      const why = isProbed(answer) ? answer.failures[0] : JSON.stringify(answer);
      console.error(`left out, fails unmutated: ${bundle.file}: ${why?.slice(0, 300)}`);
      continue;
    }
    const total = answer.reach.reduce((sum, { ms }) => sum + ms, answer.loadMs);
    const found = new Map<number, Reached>();
    for (const id of answer.onLoad) {
      if (wanted.has(id)) {
        found.set(id, { bundle, ms: total, telling: [] });
      }
    }
    for (const { test, ids, ms } of answer.reach) {
      for (const id of ids) {
        if (!wanted.has(id)) continue;
        const known = found.get(id);
        if (known === undefined) {
          const telling = [{ test, reaches: ids.length, ms }];
          found.set(id, { bundle, ms: answer.loadMs + ms, tests: [test], telling });
        } else if (known.tests !== undefined) {
          known.ms += ms;
          known.tests.push(test);
          known.telling.push({ test, reaches: ids.length, ms });
        }
      }
    }
    for (const [id, one] of found) {
      const list = reached.get(id);
      if (list === undefined) reached.set(id, [one]);
      else list.push(one);
    }
  }
  warm.stop();
  return reached;
}

/** The tests beside the source first, those of the room next, those furthest away last. */
function inOrder(reached: readonly Reached[], { file }: Mutant): Reached[] {
  const stem = file.replace(/\.ts$/, "_test.ts");
  const room = file.slice(0, file.lastIndexOf("/") + 1);
  const distance = ({ bundle }: Reached) => {
    if (bundle.file === stem) return 0;
    if (bundle.distance === "wide") return 3;
    return bundle.file.startsWith(room) ? 1 : 2;
  };
  return [...reached].sort((a, b) => distance(a) - distance(b) || a.ms - b.ms);
}

/** The few tests of a file that are most likely to see it. */
function mostTelling(one: Reached, count = 5): Reached {
  if (one.tests === undefined || one.tests.length <= count) return one;
  const tests = [...one.telling].sort((a, b) => a.reaches - b.reaches).slice(0, count);
  return { ...one, tests: tests.map(({ test }) => test) };
}

/** The tests that tell most for their time, of all files: a first glance of a tenth of a second. */
function cheapest(reached: readonly Reached[], ms = 100): Run[] {
  const all = reached.flatMap(({ bundle, telling }) =>
    telling.map((one) => ({ bundle: bundle.url, ...one }))
  ).sort((a, b) => a.reaches * (a.ms + 1) - b.reaches * (b.ms + 1));
  const chosen = new Map<string, string[]>();
  let spent = 0;
  for (const { bundle, test, ms: cost } of all.slice(0, 12)) {
    if (spent > 0 && spent + cost > ms) break;
    spent += cost;
    const tests = chosen.get(bundle);
    if (tests === undefined) chosen.set(bundle, [test]);
    else tests.push(test);
  }
  return [...chosen].map(([bundle, tests]) => ({ bundle, tests }));
}

async function judge(
  warm: WarmProcess,
  mutant: Mutant,
  reached: readonly Reached[],
): Promise<Fate> {
  const ordered = inOrder(reached, mutant);
  const first = ordered.filter(({ bundle, tests }) => bundle.distance === "unit" && tests)
    .slice(0, 4).map((one) => mostTelling(one, 12));
  const glances: Run[][] = [
    cheapest(ordered.filter(({ bundle, tests }) => bundle.distance === "unit" && tests)),
    first.map(({ bundle, tests }) => ({ bundle: bundle.url, tests })),
  ];
  for (const runs of glances) {
    if (runs.length === 0) continue;
    const ms = first.reduce((sum, one) => sum + one.ms, 0);
    const answer = await warm.ask({ mutant: mutant.id, runs, glance: true }, 5000 + ms * 8);
    if (answer === undefined) return "time-out";
    if (!isProbed(answer) && answer.killedBy !== null) return "assertion";
  }
  const batches: Reached[][] = [
    ordered.filter(({ bundle }) => bundle.distance === "unit").slice(0, 2).map((one) =>
      mostTelling(one)
    ),
    ordered.filter(({ bundle }) => bundle.distance === "unit"),
    ordered.filter(({ bundle }) => bundle.distance === "wide"),
  ];
  // What one test leaves for the next is seen when all of a file are run.
  if (values.quick) batches.length = 1;
  else if (!values.near) {
    batches.push(
      ordered.filter(({ bundle, tests }) => bundle.distance === "unit" && tests !== undefined)
        .map((one): Reached => ({ ...one, ms: one.ms * 4 + 1000, tests: undefined })),
    );
  }
  for (const batch of batches) {
    for (const { bundle, tests, ms } of batch) {
      const runs: Run[] = [{ bundle: bundle.url, tests }];
      const answer = await warm.ask({ mutant: mutant.id, runs }, 5000 + ms * 5);
      if (answer === undefined) return "time-out";
      if (!isProbed(answer) && answer.killedBy !== null) return "assertion";
    }
  }
  return "survived";
}

/** Whether the compiler refuses the mutant. */
function failsTypes(laboratory: Laboratory, mutant: Mutant): boolean {
  const { folder } = laboratory;
  const text = readFileSync(join(folder, mutant.file), "utf8");
  const undo = writeInto(folder, mutant.file, applied(text, mutant));
  try {
    return spawnSync(process.execPath, ["check", mutant.file], { cwd: folder }).status !== 0;
  } finally {
    undo();
  }
}

const began = Date.now();
const laboratory = await makeLaboratory((file) =>
  !values.near || values.also?.some((part) => file.includes(part)) === true
);
const counts: Record<Fate, number> = {
  assertion: 0,
  type: 0,
  "time-out": 0,
  explained: 0,
  survived: 0,
};
const perFile = new Map<string, { mutants: number; survived: number }>();
const survivors: (Mutant & { reached: number })[] = [];
try {
  const known = readLog();
  const byFile = Map.groupBy(laboratory.mutants, ({ file }) => file);
  const named = new Map(
    laboratory.mutants.map((one) => [one.id, nameOf(one, byFile.get(one.file) ?? [])]),
  );
  const mutants = chosen(laboratory.mutants).filter(({ id }) => !known.has(named.get(id) ?? ""));
  const explained = readExplained();
  console.error(
    `${mutants.length} of ${laboratory.mutants.length} mutants, ${laboratory.bundles.length} test files`,
  );
  const reached = await probeAll(laboratory, mutants);
  console.error(`probed after ${Math.round((Date.now() - began) / 1000)} s`);
  const warm = new WarmProcess(laboratory.folder);
  let done = 0;
  for (const mutant of mutants) {
    const tests = reached.get(mutant.id) ?? [];
    let fate = await judge(warm, mutant, tests);
    if (fate === "survived" && explanationOf(explained, mutant) !== undefined) fate = "explained";
    if (fate === "survived" && values.types && failsTypes(laboratory, mutant)) fate = "type";
    counts[fate]++;
    if (values.log !== undefined) {
      const line = {
        name: named.get(mutant.id),
        line: mutant.line,
        fate,
        near: values.near,
        quick: values.quick,
      };
      appendFileSync(values.log, `${JSON.stringify(line)}\n`);
    }
    const file = perFile.get(mutant.file) ?? { mutants: 0, survived: 0 };
    file.mutants++;
    if (fate === "survived") {
      file.survived++;
      survivors.push({ ...mutant, reached: tests.length });
      console.log(
        `${mutant.file}:${mutant.line} ${mutant.operator} in ${mutant.within}${
          tests.length === 0 ? " (no test reaches it)" : ""
        }\n- ${mutant.code}\n+ ${mutant.becomes}`,
      );
    }
    perFile.set(mutant.file, file);
    if (++done % 100 === 0) {
      console.error(
        `${done} of ${mutants.length}, ${survivors.length} survive, ${
          Math.round((Date.now() - began) / 1000)
        } s`,
      );
    }
  }
  warm.stop();
} finally {
  laboratory.remove();
}

if (values.survivors !== undefined) {
  writeFileSync(values.survivors, `${JSON.stringify(survivors, null, 1)}\n`);
}
for (const [file, { mutants, survived }] of perFile) {
  console.log(`${file}: ${mutants - survived} of ${mutants}`);
}
const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
console.log(
  `${total} mutants: ${counts.assertion} killed by assertion, ${counts.type} by type, ${
    counts["time-out"]
  } by time-out, ${counts.explained} explained, ${counts.survived} survived; ${
    Math.round((Date.now() - began) / 1000)
  } s`,
);
process.exit(counts.survived === 0 ? 0 : 1);
