/**
 * Makes a copy of the library in which every function, `await` and call of a dependency can
 * be made to fail, and runs the probe there.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ROOMS } from "../architecture.ts";
import type { Probe } from "./fail_closed_probe.ts";
import { instrument } from "./instrument.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Modules that are made to fail. */
const UNDER_ATTACK = [...ROOMS, "errors.ts", "predicates.ts", "reasons.ts", "report.ts"];
/** What the probe needs besides, as it is. */
const HELPERS = ["cli.ts", "mod.ts", "deno.json", "deno.lock", "tests", "tools"];

/** Runs the probe on the sources as they are, or with a change to some of them. */
export function failClosed(
  args: readonly string[],
  change: (source: string, path: string) => string = (source) => source,
): Probe[] {
  return runInstrumented("tests/attack/fail_closed_probe.ts", args, change) as Probe[];
}

/** Runs a program of the tests on sources that can be made to fail; answers what it prints. */
export function runInstrumented(
  program: string,
  args: readonly string[],
  change: (source: string, path: string) => string = (source) => source,
): unknown {
  const folder = mkdtempSync(join(tmpdir(), "attest-fail-closed-"));
  try {
    const present = new Set(readdirSync(ROOT));
    for (const name of [...UNDER_ATTACK, ...HELPERS]) {
      if (present.has(name)) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    }
    for (const name of UNDER_ATTACK) {
      if (present.has(name)) instrumentAll(folder, name, change);
    }
    const probe = join(folder, program);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["run", "-A", "--no-check", "--config", join(folder, "deno.json"), probe, ...args],
      { cwd: folder, encoding: "utf8", maxBuffer: 256 << 20 },
    );
    if (status !== 0) throw new Error(`The probe ended with ${status}: ${stderr.slice(-2000)}`);
    return JSON.parse(stdout.slice(stdout.lastIndexOf("\n[") + 1));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function instrumentAll(
  folder: string,
  path: string,
  change: (source: string, path: string) => string,
): void {
  if (path.endsWith(".ts")) {
    if (path.endsWith("_test.ts")) return;
    const file = join(folder, path);
    writeFileSync(file, instrument(change(readFileSync(file, "utf8"), path), path));
  } else if (!path.includes(".")) {
    for (const name of readdirSync(join(folder, path))) {
      instrumentAll(folder, `${path}/${name}`, change);
    }
  }
}
