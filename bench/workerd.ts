/** The cells in workerd, without compatibility flags. */

import type { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleEntry } from "../tests/package/bundle.ts";
import { findWorkerd } from "../tests/runtimes/tools.ts";
import { cpuNs } from "./measure.ts";

/** Paths of what the worker works on. */
export interface WorkerFiles {
  envelope: string;
  pem: string;
  root: string;
  bundle: string;
}

/** CPU microseconds of one operation by cell: the least of all rounds. */
export async function workerdCosts(
  files: WorkerFiles,
  rounds: number,
  ms: number,
): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), "attest-bench-"));
  const worker = await bundleEntry(fileURLToPath(new URL("cells/worker.ts", import.meta.url)));
  writeFileSync(join(folder, "worker.js"), worker);
  for (const [name, path] of Object.entries(files)) copyFileSync(path, join(folder, name));
  const bindings = Object.keys(files).map((name) => `(name = "${name}", text = embed "${name}")`);
  const port = await freePort();
  writeFileSync(
    join(folder, "worker.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  bindings = [${bindings.join(", ")}],
  compatibilityDate = "2026-07-01",
);
`,
  );
  const child = spawn(await findWorkerd(), ["serve", join(folder, "worker.capnp")]);
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => log += chunk);
  const { pid } = child;
  try {
    if (pid === undefined) throw new Error("workerd does not start");
    const call = async (cell: string, n: number): Promise<number> => {
      const before = cpuNs(pid);
      const answer = await fetch(`http://127.0.0.1:${port}/${cell}?n=${n}`);
      const text = await answer.text();
      if (!answer.ok) throw new Error(text.split("\n")[0]);
      return (cpuNs(pid) - before) / 1000;
    };
    for (let tries = 0;; tries++) {
      try {
        await call("raw", 0);
        break;
      } catch (error) {
        if (tries === 50) throw new Error(`${error} ${log}`.slice(0, 300));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    const costs: Record<string, number> = {};
    const counts: Record<string, number> = {};
    const cells = ["raw", "dsse", "floor", "keyless"];
    for (const cell of cells) {
      await call(cell, 200);
      counts[cell] = Math.ceil(200 * ms * 1000 / await call(cell, 200));
    }
    for (let round = 0; round < rounds; round++) {
      for (const cell of cells) {
        const cost = await call(cell, counts[cell]) / counts[cell];
        costs[cell] = Math.min(costs[cell] ?? Infinity, cost);
      }
    }
    return costs;
  } finally {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === "object" && address !== null) resolve(address.port);
        else reject(new Error("No port"));
      });
    });
  });
}
