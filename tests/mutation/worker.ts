/**
 * A warm process that runs mutants: JSON lines in, JSON lines out.
 *
 * Each mutant gets its own instance of the modules, so nothing that one of them left in a
 * cache reaches the next.
 */

import { createInterface } from "node:readline";
import process from "node:process";
import type { RunOptions, Summary } from "../runtimes/shims/test.ts";

/** Tests of one bundle; all of them where `tests` is absent. */
export interface Run {
  bundle: string;
  tests?: string[];
}

/** What the process is asked: what the tests of a bundle reach, or whether a mutant is seen. */
export type Question = { probe: string } | { mutant: number; runs: Run[]; glance?: boolean };

/** What one test reaches. */
export interface Reach {
  test: string;
  ids: number[];
  ms: number;
}

/** Answer to a probe. */
export interface Probed {
  /** Reached while the modules load. */
  onLoad: number[];
  loadMs: number;
  reach: Reach[];
  failures: string[];
}

/** Answer about a mutant: by which bundle and test it was seen, if any. */
export interface Judged {
  killedBy: { bundle: string; failure: string } | null;
}

interface Bundle {
  runRegistered(options: RunOptions): Promise<Summary>;
}

let active = 0;
let seen: Set<number> | undefined;
let instance = 0;

Object.defineProperty(globalThis, "__m", {
  value: (id: number) => {
    seen?.add(id);
    return id === active;
  },
});

function load(bundle: string): Promise<Bundle> {
  return import(`${bundle}?instance=${++instance}`);
}

async function probe(bundle: string): Promise<Probed> {
  active = 0;
  const loading = new Set<number>();
  seen = loading;
  const began = performance.now();
  const { runRegistered } = await load(bundle);
  const loadMs = performance.now() - began;
  const reach: Reach[] = [];
  let at = performance.now();
  const close = () => {
    const last = reach.at(-1);
    if (last === undefined) return;
    last.ids = [...seen ?? []];
    last.ms = performance.now() - at;
  };
  const { failures } = await runRegistered({
    onTest: (test) => {
      close();
      reach.push({ test, ids: [], ms: 0 });
      seen = new Set();
      at = performance.now();
    },
  });
  close();
  seen = undefined;
  return { onLoad: [...loading], loadMs, reach, failures };
}

/** Instances that are used for one mutant after the other. */
const warm = new Map<string, Bundle>();

/**
 * Whether tests fail with a mutant, and only with it, in modules that have run before: what a
 * cache hides is found by {@linkcode judge} later, and what one has spoilt is loaded anew.
 */
async function glance(mutant: number, runs: readonly Run[]): Promise<Judged> {
  seen = undefined;
  active = 0;
  for (const { bundle, tests = [] } of runs) {
    const wanted = new Set(tests);
    const options = { stopAtFirst: true, only: (name: string) => wanted.has(name), again: true };
    for (let attempt = 0; attempt < 2; attempt++) {
      let instance = warm.get(bundle);
      if (instance === undefined) {
        warm.set(bundle, instance = await load(bundle));
        // What tests make once for all must not be made by a mutant.
        await instance.runRegistered({ ...options, again: false });
      }
      active = mutant;
      const found = await instance.runRegistered(options);
      active = 0;
      if (found.failed === 0) break;
      // The first line of a failure is the name of its test.
      const names = new Set(found.failures.map((failure) => failure.split("\n", 1)[0]));
      const failed = names.size === 0 ? options : {
        ...options,
        only: (name: string) =>
          wanted.has(name) &&
          [...names].some((one) => one === name || one.startsWith(`${name} > `)),
      };
      const without = await instance.runRegistered(failed);
      if (without.failed === 0) return { killedBy: { bundle, failure: found.failures[0] ?? "" } };
      warm.delete(bundle);
    }
  }
  return { killedBy: null };
}

async function judge(mutant: number, runs: readonly Run[]): Promise<Judged> {
  active = mutant;
  seen = undefined;
  for (const { bundle, tests } of runs) {
    const wanted = tests === undefined ? undefined : new Set(tests);
    try {
      const { runRegistered } = await load(bundle);
      const { failures, failed } = await runRegistered({
        stopAtFirst: true,
        ...(wanted === undefined ? {} : { only: (name: string) => wanted.has(name) }),
      });
      if (failed > 0) return { killedBy: { bundle, failure: failures[0] ?? "" } };
    } catch (error) {
      return { killedBy: { bundle, failure: `does not load: ${error}` } };
    }
  }
  return { killedBy: null };
}

// A promise that nobody awaits is no reason to end the process.
process.on("unhandledRejection", () => {});
globalThis.addEventListener("unhandledrejection", (event) => event.preventDefault());

const say = process.stdout.write.bind(process.stdout);
for (const name of ["log", "info", "warn", "error", "debug"] as const) console[name] = () => {};

for await (const line of createInterface({ input: process.stdin })) {
  const question: Question = JSON.parse(line);
  const answer = "probe" in question
    ? await probe(question.probe)
    : question.glance === true
    ? await glance(question.mutant, question.runs)
    : await judge(question.mutant, question.runs);
  say(`${JSON.stringify(answer)}\n`);
}
