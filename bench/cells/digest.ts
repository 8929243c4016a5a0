/**
 * SHA-256 of a large file. Arguments: file, `native` (node:crypto over memory: the limit),
 * `ours` (the path of `verify()` and the command line) or `empty`. Prints one line of JSON:
 * MiB per CPU second, largest resident set in MiB.
 */

import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import process from "node:process";
import { digestArtifact } from "../../verify/artifact.ts";
import { cpuNs, peakMiB, runtimeName } from "../measure.ts";

const [file, mode] = process.argv.slice(2);
const { size } = statSync(file);

function native(): void {
  const chunk = new Uint8Array(1 << 20), hash = createHash("sha256");
  for (let at = 0; at < size; at += chunk.length) hash.update(chunk);
  hash.digest("hex");
}

async function ours(): Promise<void> {
  const runtime = "Deno" in globalThis
    ? (await import("../../cli/runtime_deno.ts")).denoRuntime()
    : (await import("../../cli/runtime_node.ts")).nodeRuntime();
  const content = await runtime.openRead(file);
  await digestArtifact({ content }, 0, { algorithms: ["sha256"], onBytes: () => {} });
}

const cpu = cpuNs();
if (mode === "native") native();
if (mode === "ours") await ours();
const rate = size / (1 << 20) / ((cpuNs() - cpu) / 1e9);
console.log(JSON.stringify({ runtime: runtimeName(), rate, peak: peakMiB() }));
