/**
 * Other implementations to compare with. `deno run -A bench/peers.ts` installs those that npm
 * has, and builds the Go ones where Go and their sources (`ATTEST_PEER_SOURCES`) are.
 */

import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { npmInstall, ROOT, run } from "../tests/runtimes/tools.ts";

/** Where the peers are: `js/` and `fpf/` with packages of npm, `bin/` with programs. */
export const PEERS: string = process.env.ATTEST_PEERS ??
  join(ROOT, "node_modules/.cache/attest-tools/peers");

const SOURCES = process.env.ATTEST_PEER_SOURCES ?? join(ROOT, "../shared/perf");
const BROWSER = "@freedomofpress/sigstore-browser@0.1.14";
const JS = [
  "jose@6.2.17",
  "@sigstore/core@3.2.1",
  "@sigstore/bundle@4.0.0",
  "@sigstore/verify@3.1.1",
  "@sigstore/protobuf-specs@0.5.2",
];
const GO = [
  "github.com/sigstore/sigstore-go@v1.2.2",
  "github.com/secure-systems-lab/go-securesystemslib@v0.11.1",
];

/** A program of a peer, or of the machine; undefined when it is absent. */
export function findProgram(name: string): string | undefined {
  const path = join(PEERS, "bin", name);
  if (existsSync(path)) return path;
  return run(name, ["version"]).code === 0 ? name : undefined;
}

function installJs(): void {
  npmInstall(join(PEERS, "js"), JS);
  const folder = join(PEERS, "fpf");
  mkdirSync(folder, { recursive: true });
  // It asks for a version of its TUF client that the registry does not have.
  const overrides = { "@freedomofpress/tuf-browser": "0.1.8" };
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ private: true, type: "module", overrides }),
  );
  npmInstall(folder, [BROWSER]);
}

function buildGo(): void {
  const folder = join(PEERS, "go");
  mkdirSync(join(PEERS, "bin"), { recursive: true });
  for (const name of ["dssebench", "sgbench"]) {
    if (!existsSync(join(SOURCES, name))) return console.log(`Go: no ${join(SOURCES, name)}`);
    cpSync(join(SOURCES, name), join(folder, name), { recursive: true });
  }
  writeFileSync(join(folder, "go.mod"), "module peers\n\ngo 1.25\n");
  const steps = [
    ["get", ...GO],
    ["mod", "tidy"],
    ["build", "-p", "1", "-o", `${join(PEERS, "bin")}/`, "./dssebench", "./sgbench"],
  ];
  for (const step of steps) {
    const { code, out } = run("go", step, { cwd: folder });
    if (code !== 0) return console.log(`go ${step[0]}: ${out.trim().slice(-300)}`);
  }
}

if (import.meta.main) {
  installJs();
  buildGo();
  console.log(`Peers are in ${PEERS}`);
}
