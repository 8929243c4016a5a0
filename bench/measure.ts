/**
 * Measuring: CPU time summed over all threads of a process, from the scheduler's own account,
 * so that neighbours on a shared machine count little. Linux only.
 */

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

/** CPU nanoseconds that the living threads of a process have used. */
export function cpuNs(pid: number | "self" = "self"): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      // The thread has ended since the folder was read.
    }
  }
  return sum;
}

/** Largest resident set so far, in MiB. */
export function peakMiB(pid: number | "self" = "self"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1024);
}

/** Name and version of the runtime that this code runs in. */
export function runtimeName(): string {
  const { bun, deno, node } = process.versions;
  if (deno !== undefined) return `deno ${deno}`;
  return bun !== undefined ? `bun ${bun}` : `node ${node}`;
}

/** Does something `n` times. */
export type Work = (n: number) => void | Promise<void>;

/** What one operation costs. */
export interface Cost {
  /** CPU microseconds, all threads: the least of all rounds. */
  cpu: number;
  /** Operations per second by the clock: the most of all rounds. */
  perSecond: number;
}

/** How long to measure. */
export interface Rounds {
  rounds: number;
  /** Milliseconds of one cell in one round. */
  ms: number;
  /** Operations between two looks at the clock. */
  step: number;
}

/** Measures several works in turn, round by round: a loaded minute hits all of them. */
export async function interleave(
  works: Record<string, Work>,
  { rounds, ms, step }: Rounds,
): Promise<Record<string, Cost>> {
  const costs: Record<string, Cost> = {};
  for (const work of Object.values(works)) await during(work, ms, step);
  for (let round = 0; round < rounds; round++) {
    for (const [name, work] of Object.entries(works)) {
      const cpu = cpuNs(), start = performance.now();
      const count = await during(work, ms, step);
      const wall = performance.now() - start, used = (cpuNs() - cpu) / 1000 / count;
      const cost = costs[name] ??= { cpu: Infinity, perSecond: 0 };
      cost.cpu = Math.min(cost.cpu, used);
      cost.perSecond = Math.max(cost.perSecond, count / wall * 1000);
    }
  }
  return costs;
}

async function during(work: Work, ms: number, step: number): Promise<number> {
  const start = performance.now();
  let count = 0;
  do {
    await work(step);
    count += step;
  } while (performance.now() - start < ms);
  return count;
}

/** One after the other. */
export function inSequence(one: () => unknown): Work {
  return async (n) => {
    for (let i = 0; i < n; i++) await one();
  };
}

/** 64 under way at a time. */
export function inFlight(one: () => Promise<unknown>): Work {
  return async (n) => {
    for (let i = 0; i < n; i += 64) await Promise.all(Array.from({ length: 64 }, one));
  };
}
