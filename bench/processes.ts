/** Whole processes, in turn: CPU, wall and peak memory as the kernel accounts for them. */

import { run } from "../tests/runtimes/tools.ts";

/** What a process takes: medians of CPU and wall milliseconds, largest resident set in MiB. */
export interface ProcessCost {
  cpu: number;
  wall: number;
  peak: number;
  /** Exit statuses that were seen. */
  statuses: number[];
}

// Neither Deno nor Node tells what a child has used; Python's wait4 does.
const PYTHON = `
import json, os, statistics, subprocess, sys, time
commands, runs = json.loads(sys.argv[1]), int(sys.argv[2])
seen = {name: [] for name in commands}
for i in range(runs + 1):
    for name, command in commands.items():
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = status
        wall = time.perf_counter() - start
        if i: seen[name].append((used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024, status >> 8))
print(json.dumps({name: {
    "cpu": statistics.median(x[0] for x in v) * 1e3, "wall": statistics.median(x[1] for x in v) * 1e3,
    "peak": max(x[2] for x in v), "statuses": sorted({x[3] for x in v})} for name, v in seen.items()}))
`;

/** Runs commands in turn, the first turn unmeasured; undefined where there is no Python. */
export function processCosts(
  commands: Record<string, string[]>,
  runs: number,
): Record<string, ProcessCost> | undefined {
  const { code, out } = run("python3", ["-c", PYTHON, JSON.stringify(commands), `${runs}`]);
  return code === 0 ? JSON.parse(out) : undefined;
}
