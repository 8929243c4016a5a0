/**
 * Runs the unit tests, or with `--vectors` the conformance vectors, in another runtime:
 * `deno run -A tests/runtimes/run.ts node24|bun|workerd [--vectors]`. Last line:
 * `N passed, N failed`. Exit 0 passed, 1 failed, 3 the runtime cannot be had here.
 */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { copyProject, type ProjectCopy } from "./project.ts";
import { findBun, findNode, type Ran, ROOT, run, ToolAbsent } from "./tools.ts";
import * as workerd from "./workerd.ts";

interface Runtime {
  unitTests(project: ProjectCopy): Promise<Ran> | Ran;
  vectors(project: ProjectCopy, index: string): Promise<Ran> | Ran;
}

const RUNTIMES: Record<string, Runtime> = {
  node24: {
    unitTests: (project) =>
      run(findNode(24), ["--test", "--test-reporter=tap", ...project.unitTests], {
        cwd: project.folder,
      }),
    vectors: (project, index) =>
      run(findNode(24), ["tests/vectors/run.ts", "--index", index], { cwd: project.folder }),
  },
  bun: {
    unitTests: (project) =>
      run(findBun(), [
        "test",
        "--timeout",
        "120000",
        ...project.unitTests.map((path) => `./${path}`),
      ], {
        cwd: project.folder,
      }),
    vectors: (project, index) =>
      run(findBun(), ["tests/vectors/run.ts", "--index", index], { cwd: project.folder }),
  },
  workerd,
};

const [name = "", ...flags] = process.argv.slice(2);
const runtime = Object.hasOwn(RUNTIMES, name) ? RUNTIMES[name] : undefined;
if (runtime === undefined || flags.some((flag) => flag !== "--vectors")) {
  console.error(`Usage: run.ts ${Object.keys(RUNTIMES).join("|")} [--vectors]`);
  process.exit(2);
}

let status = 1;
let project: ProjectCopy | undefined;
try {
  project = copyProject();
  status = flags.length === 0 ? await unitTests(runtime, project) : await vectors(runtime, project);
} catch (error) {
  if (!(error instanceof ToolAbsent)) throw error;
  console.log(`SKIPPED ${name}: ${error.message}`);
  status = 3;
} finally {
  project?.remove();
}
process.exit(status);

async function unitTests(runtime: Runtime, project: ProjectCopy): Promise<number> {
  const { code, out } = await runtime.unitTests(project);
  const passed = count(out, /^# pass (\d+)/m, /^ *(\d+) pass$/m, /^(\d+) passed, \d+ failed$/m);
  const failed = count(out, /^# fail (\d+)/m, /^ *(\d+) fail$/m, /^\d+ passed, (\d+) failed$/m);
  const good = code === 0 && failed === 0 && passed > 0;
  if (!good) console.log(failuresOf(out));
  console.log(`${passed} passed, ${good ? 0 : Math.max(failed, 1)} failed`);
  return good ? 0 : 1;
}

async function vectors(runtime: Runtime, project: ProjectCopy): Promise<number> {
  const indexes = [join(ROOT, "../shared/vectors/index.json"), join(ROOT, "testdata/index.json")]
    .map((path) => resolve(path)).filter((path) => existsSync(path));
  let passed = 0, failed = 0, skipped = 0;
  for (const index of indexes) {
    const { code, out } = await runtime.vectors(project, index);
    const line = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(out);
    const numbers = line === null ? [0, 1, 0] : line.slice(1).map(Number);
    passed += numbers[0];
    failed += code === 0 ? numbers[1] : Math.max(1, numbers[1]);
    skipped += numbers[2];
    console.log(`${index}: ${line?.[0] ?? "no count"}`);
    if (code !== 0 || numbers[1] > 0) console.log(failuresOf(out));
  }
  console.log(`${skipped} skipped: their kinds are not implemented`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

function count(out: string, ...patterns: RegExp[]): number {
  for (const pattern of patterns) {
    const match = pattern.exec(out);
    if (match !== null) return Number(match[1]);
  }
  return 0;
}

function failuresOf(out: string): string {
  const lines = out.split("\n").filter((line) =>
    !/^\s*(# Subtest|ok |---|\.\.\.|duration_ms|type:)/.test(line)
  );
  return lines.length > 200
    ? [...lines.slice(0, 120), "…", ...lines.slice(-80)].join("\n")
    : lines.join("\n");
}
