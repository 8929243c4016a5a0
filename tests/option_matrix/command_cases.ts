/** What a case of an option of the command line is, and how its two runs are answered. */

import { main } from "../../cli/main.ts";
import type { Fetch } from "../../internal/http.ts";
import { type MemoryFile, MemoryRuntime } from "../cli_runtime.ts";

/** A machine on which both runs of a case are made. */
export interface World {
  files: Record<string, MemoryFile>;
  /** Default: a request is an error. */
  fetch?: Fetch;
  now?: Date;
  variables?: Record<string, string>;
  stdin?: string;
  typed?: string[];
  commands?: Record<string, string>;
  /** Commands that were run on it before. */
  before?: readonly (readonly string[])[];
}

/** One run, after it has ended. */
export interface Ran {
  status: number;
  out: string;
  err: string;
  /** Text of a file that was there or was written; `(none)` if it is not. */
  file(path: string): string;
  /** Whether a file was written for the eyes of its owner. */
  isSecret(path: string): boolean;
}

/** An option's case: the words of a command without it, what is added, and both answers. */
export interface CommandCase {
  world: () => World | Promise<World>;
  words: readonly string[];
  more: readonly string[];
  wanted: readonly [without: string, withIt: string];
  /** What is looked at. Default: the reason, or `ok`. */
  look?: (ran: Ran) => string | Promise<string>;
  /** How the words are run. Default: on a fresh machine in memory. */
  run?: (world: World, words: readonly string[]) => Promise<Ran>;
}

/** Runs a command on a fresh machine. */
export async function runWords(world: World, words: readonly string[]): Promise<Ran> {
  const runtime = new MemoryRuntime({ ...world.files }, words);
  runtime.fetch = world.fetch ?? (() => Promise.reject(new Error("a request was made")));
  runtime.sleep = () => Promise.resolve();
  runtime.variables = { ...world.variables };
  runtime.stdin = world.stdin ?? "";
  if (world.now !== undefined) runtime.now = () => world.now ?? new Date(0);
  if (world.typed !== undefined) runtime.typed = [...world.typed];
  for (const [line, answer] of Object.entries(world.commands ?? {})) {
    runtime.commands.set(line, answer);
  }
  for (const args of world.before ?? []) {
    Object.assign(runtime, { args });
    await main(runtime);
    Object.assign(runtime, { stdout: "", stderr: "", args: words });
  }
  const status = await main(runtime);
  return {
    status,
    out: runtime.stdout,
    err: runtime.stderr,
    file: (path) => {
      const found = runtime.files.get(path);
      return found === undefined
        ? "(none)"
        : found instanceof Uint8Array
        ? new TextDecoder().decode(found)
        : String(found);
    },
    isSecret: (path) => runtime.secret.has(path),
  };
}

/** The reason of a run, `ok` for none. */
export function reasonIn({ status, out, err }: Ran): string {
  if (out.startsWith("{")) {
    const { errorReason } = JSON.parse(out);
    if (errorReason !== undefined) return errorReason ?? "ok";
  }
  // The last line of a report sums it up.
  const told = [...`${out}\n${err}`.matchAll(/\(([a-z0-9-]+)\)$/gm)].at(-1)?.[1];
  return status === 0 ? "ok" : told ?? `status ${status}`;
}

/** Both answers of a case. */
export async function answersOf(
  { world, words, more, look = reasonIn, run = runWords }: CommandCase,
) {
  const made = await world();
  return [
    await look(await run(made, words)),
    await look(await run(made, [...words, ...more])),
  ];
}

/** A case as a line of a table. */
export type Row = readonly [
  option: string,
  world: CommandCase["world"],
  words: readonly string[],
  more: readonly string[],
  wanted: readonly [string, string],
  look?: CommandCase["look"],
];

/** Cases by option. */
export function table(rows: readonly Row[]): Readonly<Record<string, CommandCase>> {
  return Object.fromEntries(rows.map(([option, world, words, more, wanted, look]) => [
    option,
    { world, words, more, wanted, ...(look === undefined ? {} : { look }) },
  ]));
}
