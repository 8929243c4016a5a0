/**
 * All benchmarks in one run, as ratios: `deno task bench [SECTION…]`. About four minutes. What
 * is absent is named and skipped. Peers: `deno run -A bench/peers.ts` first.
 *
 * `ATTEST_BENCH_VECTORS` names a folder with `root-signing` and `sigstore-conformance` (see
 * README.md); without it the keyless bundle is that of `testdata/example`.
 */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { bundleSize } from "../tests/package/bundle.ts";
import { BUDGETS } from "../tests/package/size.ts";
import { findBun, findNode, ROOT, run, ToolAbsent } from "../tests/runtimes/tools.ts";
import { cliRuns } from "./cli_commands.ts";
import type { Cost } from "./measure.ts";
import { findProgram, PEERS } from "./peers.ts";
import { processCosts } from "./processes.ts";
import { workerdCosts } from "./workerd.ts";

interface Row {
  what: string;
  measured: string;
  goal?: string;
  met?: boolean;
}

type RuntimeId = "Node 24" | "Deno" | "Bun" | "workerd";

const DSSE_GOALS: Record<RuntimeId, number> = {
  "Node 24": 1.25,
  Deno: 1.08,
  Bun: 1.12,
  workerd: 1.2,
};
const KEYLESS_GOALS: Record<RuntimeId, number> = {
  "Node 24": 1.5,
  Deno: 1.4,
  Bun: 1.5,
  workerd: 2,
};

const rows: Row[] = [];
const skipped: string[] = [];
const failed: string[] = [];
const folder = mkdtempSync(join(tmpdir(), "attest-bench-"));
const fixtures = join(folder, "fixtures");

function limit(what: string, measured: number, most: number, unit = "x"): void {
  rows.push({
    what,
    measured: `${measured.toFixed(2)} ${unit}`,
    goal: `<= ${most} ${unit}`,
    met: measured <= most,
  });
}

function note(what: string, measured: string): void {
  rows.push({ what, measured });
}

/** Something that runs a file: a command and its first arguments. */
const runtimes: Partial<Record<RuntimeId, string[]>> = { Deno: [Deno.execPath(), "run", "-A"] };
for (const [name, find] of [["Node 24", () => findNode(24)], ["Bun", findBun]] as const) {
  try {
    runtimes[name] = [find()];
  } catch (error) {
    if (!(error instanceof ToolAbsent)) throw error;
    skipped.push(`${name}: ${error.message}`);
  }
}

/** The answer of a program that prints one line of JSON; undefined, and a note, if it fails. */
function answerOf(what: string, [command, ...args]: string[]) {
  const { code, out } = run(command, args);
  const line = out.split("\n").find((one) => one.startsWith("{"));
  if (code === 0 && line !== undefined) return JSON.parse(line);
  skipped.push(`${what}: ${out.trim().split("\n").at(-1)?.slice(0, 200)}`);
}

function cell(runtime: RuntimeId, name: string, ...args: string[]) {
  const start = runtimes[runtime];
  if (start === undefined) return undefined;
  return answerOf(`${runtime}, ${name}`, [...start, join(ROOT, "bench/cells", name), ...args]);
}

function progress(what: string): void {
  console.error(`${(performance.now() / 1000).toFixed(0).padStart(4)} s  ${what}`);
}

function findBundle(): { root: string; bundle: string } {
  const vectors = process.env.ATTEST_BENCH_VECTORS ?? join(ROOT, "../shared/vectors");
  const root = join(vectors, "root-signing/targets/trusted_root.json");
  const bundle = join(
    vectors,
    "sigstore-conformance/test/assets/bundle-verify/happy-path-intoto-in-dsse-v3/bundle.sigstore.json",
  );
  if (existsSync(root) && existsSync(bundle)) return { root, bundle };
  skipped.push(`sigstore-conformance: not in ${vectors}; the example's bundle is used instead`);
  const example = join(ROOT, "testdata/example");
  return { root: `${example}/trusted_root.json`, bundle: `${example}/hello.txt.sigstore.json` };
}

function dsse(): void {
  for (const runtime of ["Node 24", "Deno", "Bun"] as const) {
    progress(`DSSE in ${runtime}`);
    const answer = cell(runtime, "dsse.ts", fixtures, PEERS, "120", "4");
    if (answer === undefined) continue;
    for (const [name, why] of Object.entries(answer.absent)) {
      skipped.push(`${runtime}, ${name}: ${why}`);
    }
    const { p256, ed25519 }: Record<string, Record<string, Cost>> = answer.out;
    const jose = p256.jose === undefined
      ? ""
      : `, jose ${(p256.jose.cpu / p256.raw.cpu).toFixed(2)} x`;
    limit(
      `DSSE + Statement, P-256, CPU / raw in flight, ${runtime}`,
      p256.ours.cpu / p256.raw.cpu,
      DSSE_GOALS[runtime],
    );
    note(
      `  CPU us, ${runtime}`,
      `raw ${p256.raw.cpu.toFixed(0)}, ours ${p256.ours.cpu.toFixed(0)}${jose}, ` +
        `reading only ${p256["ours, reading only"].cpu.toFixed(1)}`,
    );
    if (p256.jose !== undefined) {
      limit(`  ours / jose, ${runtime}`, p256.ours.cpu / p256.jose.cpu, 1);
    }
    const core = p256["@sigstore/core"];
    if (core !== undefined) {
      note(
        `  ours / @sigstore/core (synchronous), ${runtime}`,
        `${(p256.ours.cpu / core.cpu).toFixed(2)} x`,
      );
    }
    note(
      `  Ed25519, CPU / raw in flight, ${runtime}`,
      `${(ed25519.ours.cpu / ed25519.raw.cpu).toFixed(2)} x`,
    );
  }
}

function keyless(root: string, bundle: string): void {
  for (const runtime of ["Node 24", "Deno", "Bun"] as const) {
    progress(`Keyless bundle in ${runtime}`);
    const answer = cell(runtime, "keyless.ts", root, bundle, PEERS, "250", "4");
    if (answer === undefined) continue;
    for (const [name, why] of Object.entries(answer.absent)) {
      skipped.push(`${runtime}, ${name}: ${why}`);
    }
    const costs: Record<string, Cost> = answer.out.keyless;
    limit(
      `Keyless bundle, CPU / floor, ${runtime}`,
      costs.ours.cpu / costs.floor.cpu,
      KEYLESS_GOALS[runtime],
    );
    const peers = ["@sigstore/verify", "sigstore-browser"].filter((name) => name in costs)
      .map((name) => `, ${name} ${(costs[name].cpu / costs.floor.cpu).toFixed(1)} x`);
    note(
      `  CPU ms, ${runtime}`,
      `floor ${(costs.floor.cpu / 1000).toFixed(2)} (${answer.checks.join(" ")}), ` +
        `ours ${(costs.ours.cpu / 1000).toFixed(2)}${peers.join("")}`,
    );
  }
  const go = findProgram("sgbench");
  if (go === undefined) return void skipped.push("sigstore-go: no program sgbench");
  const answer = answerOf("sigstore-go", [go, root, bundle, "-", "1000"]);
  if (answer !== undefined) note("  CPU ms, sigstore-go", `${(answer.c / 1000).toFixed(2)}`);
}

async function workerd(root: string, bundle: string): Promise<void> {
  progress("workerd");
  try {
    const costs = await workerdCosts(
      { envelope: `${fixtures}/env-p256.json`, pem: `${fixtures}/p256.pub.pem`, root, bundle },
      4,
      250,
    );
    limit(
      "DSSE + Statement, P-256, CPU / raw, workerd",
      costs.dsse / costs.raw,
      DSSE_GOALS.workerd,
    );
    limit(
      "Keyless bundle, CPU / floor, workerd",
      costs.keyless / costs.floor,
      KEYLESS_GOALS.workerd,
    );
    note(
      "  CPU us, workerd",
      Object.entries(costs).map(([name, cost]) => `${name} ${cost.toFixed(0)}`).join(", "),
    );
  } catch (error) {
    skipped.push(`workerd: ${error instanceof Error ? error.message : error}`);
  }
}

function jsonLines(): void {
  const go = findProgram("dssebench");
  if (go === undefined) skipped.push("Go DSSE: no program dssebench");
  const peaks = new Map<number, number>();
  for (const count of [1, 100, 10_000, 100_000]) {
    const file = `l${count}.jsonl`;
    let ours: { ms: number; cpu: number; peak: number } | undefined;
    let peer: { ms: number; cpu: number; rss: number } | undefined;
    for (let round = 0; round < (count < 100_000 ? 3 : 1); round++) {
      progress(`JSON Lines, ${count}`);
      const answer = cell("Node 24", "json_lines.ts", fixtures, file);
      if (answer !== undefined && !(ours !== undefined && ours.ms < answer.ms)) ours = answer;
      if (go === undefined) continue;
      const theirs = answerOf("Go DSSE", [go, fixtures, "file", `${fixtures}/${file}`]);
      if (theirs !== undefined && !(peer !== undefined && peer.ms < theirs.ms)) peer = theirs;
    }
    if (ours === undefined) return;
    peaks.set(count, ours.peak);
    note(
      `JSON Lines, ${count} envelopes, Node 24`,
      `${ours.ms.toFixed(0)} ms, CPU ${ours.cpu.toFixed(0)} ms, peak ${ours.peak} MiB` +
        (peer === undefined
          ? ""
          : `; Go ${peer.ms.toFixed(0)} ms, CPU ${peer.cpu.toFixed(0)} ms, peak ${peer.rss} MiB`),
    );
    if (count === 10_000 && peer !== undefined) {
      limit("JSON Lines, 10 000, wall / Go, Node 24", ours.ms / peer.ms, 0.75);
    }
  }
  const [least, ten, hundred] = [1, 10_000, 100_000].map((count) => peaks.get(count)!);
  limit("JSON Lines, peak above 1 line, 10 000 lines", ten - least, 30, "MiB");
  limit("JSON Lines, peak of 100 000 / of 10 000", hundred / ten, 1.25);
}

function digest(): void {
  for (const runtime of ["Node 24", "Deno", "Bun"] as const) {
    progress(`Digest in ${runtime}`);
    const best: Record<string, { rate: number; peak: number }> = {};
    for (let round = 0; round < 3; round++) {
      for (const mode of ["empty", "native", "ours"]) {
        const answer = cell(runtime, "digest.ts", `${fixtures}/large.bin`, mode);
        if (answer === undefined) return;
        const { rate = 0, peak = Infinity } = best[mode] ?? {};
        best[mode] = { rate: Math.max(rate, answer.rate), peak: Math.min(peak, answer.peak) };
      }
    }
    const { empty, native, ours } = best;
    const ratio = ours.rate / native.rate;
    rows.push({
      what: `Digest of a 512 MiB file, rate / native, ${runtime}`,
      measured: `${ratio.toFixed(2)} x (${ours.rate.toFixed(0)} MiB per CPU s)`,
      goal: ">= 0.67 x",
      met: ratio >= 0.67,
    });
    limit(`  peak above an empty process, ${runtime}`, ours.peak - empty.peak, 64, "MiB");
  }
}

function attestStep(): void {
  progress("Attest step in Deno");
  const files = { small: join(folder, "small.bin"), large: join(folder, "100MiB.bin") };
  writeFileSync(files.small, new Uint8Array(1 << 20));
  writeFileSync(files.large, new Uint8Array(100 << 20));
  const small = cell("Deno", "attest.ts", files.small, folder);
  const large = cell("Deno", "attest.ts", files.large, folder);
  if (small === undefined || large === undefined) return;
  const added = Math.max(0, large.attest - large.hash) / 1000;
  limit("Attest step of 100 MiB, added to hashing, Deno", added, 2, "s");
  note(
    "  step / hashing",
    `${(large.attest / large.hash).toFixed(2)} x (${large.attest.toFixed(0)} ms, ` +
      `${large.requests} requests answered at once)`,
  );
  limit("  peak of 100 MiB / of 1 MiB", large.peak / small.peak, 1.1);
}

function policy(): void {
  for (const runtime of ["Node 24", "Deno", "Bun"] as const) {
    progress(`Policy in ${runtime}`);
    const answer = cell(runtime, "policy.ts", "leaves");
    if (answer === undefined) continue;
    limit(`Policy of ten checks, CPU, ${runtime}`, answer.ten, 5, "us");
    note("  of one check", `${answer.one.toFixed(2)} us`);
  }
  progress("Policy of 100 rules");
  const few = cell("Deno", "policy.ts", "2000");
  const many = cell("Deno", "policy.ts", "10000");
  if (few === undefined || many === undefined) return;
  limit("Policy of 100 rules, peak of 10 000 / of 2 000 attestations", many.peak / few.peak, 1.25);
  limit("  CPU of one, 10 000 / 2 000", many.cpu / 10_000 / (few.cpu / 2000), 1.25);
  const most = cell("Deno", "policy.ts", "30000");
  if (most !== undefined) note("  peak of 30 000 attestations", `${most.peak} MiB`);
  note(
    "  signed, verified and judged, 64 at a time, Deno",
    `${(many.cpu * 1000 / many.count).toFixed(0)} us CPU each, peak ${many.peak} MiB`,
  );
}

/** The start of every command, against a program without a line: what is left is what it loads. */
function coldStart(): void {
  progress("Cold start");
  const deno = [Deno.execPath(), "run", "-A"];
  const empty = join(folder, "empty.ts");
  writeFileSync(empty, "");
  const runs = cliRuns(folder);
  const commands = Object.fromEntries(
    Object.entries(runs).map((
      [name, { args }],
    ) => [name, [...deno, join(ROOT, "cli.ts"), ...args]]),
  );
  const costs = processCosts({ "empty program": [...deno, empty], ...commands }, 5);
  if (costs === undefined) return void skipped.push("Cold start: no Python to measure with");
  const base = costs["empty program"];
  for (const [name, { cpu, wall, peak, statuses }] of Object.entries(costs)) {
    const wanted = runs[name]?.status ?? 0;
    if (statuses.some((status) => status !== wanted)) {
      throw new Error(`${name}: exit ${statuses.join(" ")}`);
    }
    note(
      `Cold start: ${name}`,
      `CPU ${cpu.toFixed(0)} ms (${(cpu / base.cpu).toFixed(2)} x), wall ${wall.toFixed(0)} ms, ` +
        `peak ${peak.toFixed(0)} MiB`,
    );
  }
}

function commandLine(root: string, bundle: string): void {
  progress("Command line");
  const deno = [Deno.execPath(), "run", "-A"];
  const empty = join(folder, "empty.ts");
  writeFileSync(empty, "");
  const example = join(ROOT, "testdata/example");
  const cli = [...deno, join(ROOT, "cli.ts"), "verify"];
  const keylessRun = [`${example}/hello.txt`, `--trusted-root=${example}/trusted_root.json`];
  const commands: Record<string, string[]> = {
    "deno run empty.ts": [...deno, empty],
    "verify, keyless": [...cli, ...keylessRun, "--only-root", "--repo=example/hello"],
  };
  const cosign = findProgram("cosign");
  if (cosign === undefined) skipped.push("cosign: not installed");
  else {
    const any = ["--certificate-identity-regexp=.*", "--certificate-oidc-issuer-regexp=.*"];
    const signed = join(bundle, "../../a.txt");
    commands.cosign = [cosign, "verify-blob-attestation", "--bundle", bundle, "--trusted-root"];
    commands.cosign.push(root, ...any, "--type=slsaprovenance1", signed);
  }
  const costs = processCosts(commands, 9);
  if (costs === undefined) return void skipped.push("Command line: no Python to measure with");
  for (const [name, { cpu, wall, peak, statuses }] of Object.entries(costs)) {
    note(
      `Command line: ${name}`,
      `wall ${wall.toFixed(0)} ms, CPU ${cpu.toFixed(0)} ms, peak ${peak.toFixed(0)} MiB, ` +
        `exit ${statuses.join(" ")}`,
    );
  }
  const ours = costs["verify, keyless"];
  limit("Command line, keyless, peak", ours.peak, 50, "MiB");
  if (costs.cosign !== undefined) {
    limit("Command line, keyless, wall / cosign", ours.wall / costs.cosign.wall, 1.25);
  }
  note("  wall / empty deno", `${(ours.wall / costs["deno run empty.ts"].wall).toFixed(2)} x`);
}

async function sizes(): Promise<void> {
  progress("Sizes");
  for (const { name, code, lazy, goal } of BUDGETS) {
    const { gzip, packages } = await bundleSize(code, lazy);
    limit(`Bundle, gzip: ${name}`, gzip / 1000, goal / 1000, "KB");
    if (packages.length > 0) note("  packages", packages.join(" "));
  }
}

function print(): void {
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const { what, measured, goal, met } of rows) {
    const verdict = met === undefined ? "" : met ? "met" : "MISSED";
    console.log(
      `${verdict.padEnd(6)} ${what.padEnd(width)}  ${measured}${goal ? `  (goal ${goal})` : ""}`,
    );
  }
  for (const one of skipped) console.log(`skipped ${one}`);
  for (const one of failed) console.log(`FAILED ${one}`);
  const judged = rows.filter(({ met }) => met !== undefined);
  const missed = judged.filter(({ met }) => met === false).length;
  console.log(`${judged.length - missed} goals met, ${missed} missed`);
}

if (import.meta.main) {
  try {
    const [node] = runtimes["Node 24"] ?? ["node"];
    const { code, out } = run(node, [join(ROOT, "bench/fixtures.ts"), fixtures]);
    if (code !== 0) throw new Error(`Cannot make fixtures: ${out.slice(-300)}`);
    const { root, bundle } = findBundle();
    note("Machine", `${cpus().length} x ${cpus()[0]?.model.trim()}, Linux ${release()}`);
    note("Date", new Date().toISOString().slice(0, 10));
    const sections: Record<string, () => void | Promise<void>> = {
      dsse,
      keyless: () => keyless(root, bundle),
      workerd: () => workerd(root, bundle),
      "json-lines": jsonLines,
      digest,
      attest: attestStep,
      policy,
      "command-line": () => commandLine(root, bundle),
      "cold-start": coldStart,
      sizes,
    };
    for (const name of process.argv.slice(2)) {
      if (sections[name] === undefined) {
        throw new TypeError(`No section ${name}: ${Object.keys(sections).join(", ")}`);
      }
    }
    const named = process.argv.slice(2);
    for (const [name, measure] of Object.entries(sections)) {
      if (named.length > 0 && !named.includes(name)) continue;
      try {
        await measure();
      } catch (error) {
        // What was measured before it is printed all the same.
        failed.push(`${name}: ${error instanceof Error ? error.message : error}`);
      }
    }
    print();
    if (failed.length > 0) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
