import type { CommandResult, Runtime } from "./runtime.ts";

/**
 * What every call of git begins with: objects as they are named, not what a replacement
 * stands for, and no program that the configuration of the repository names. A working copy
 * may come out of an archive, its `.git/config` with it.
 *
 * Source: git(1), "OPTIONS"; git-config(1), `core.fsmonitor`, `core.hooksPath`.
 */
export const SAFE_GIT: readonly string[] = [
  "--no-replace-objects",
  "--no-optional-locks",
  "-c",
  "core.fsmonitor=false",
  "-c",
  "core.hooksPath=/dev/null",
];

/** No protocol: a partial clone fetches what it lacks, by a program of its configuration. */
const OFFLINE = { GIT_ALLOW_PROTOCOL: "none", GIT_NO_LAZY_FETCH: "1", GIT_TERMINAL_PROMPT: "0" };

/** Asks git about the repository of the current folder. */
export async function runGit(runtime: Runtime, words: readonly string[]): Promise<CommandResult> {
  return await runtime.run("git", [...SAFE_GIT, ...words], { env: OFFLINE });
}
