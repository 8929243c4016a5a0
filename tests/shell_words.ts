/** Reads the simple shell commands of examples and documentation, to check or to run them. */

import assert from "node:assert/strict";
import { parseArgs } from "../cli/args.ts";
import { optionsOf } from "../cli/help.ts";

/** How every example starts Deno. */
export const DENO = "npx -y deno@2.9.6";

/** Commands of a script in order, without the words of its loops; `\` at an end goes on. */
export function commandsOf(script: string): string[] {
  return script.replace(/\\\n\s*/g, "").split("\n")
    .flatMap((line) => line.split(/\s(?:\||&&|;)\s/))
    .map((line) => line.trim())
    .filter((line) =>
      line !== "" && !line.startsWith("#") && !/^(do|done)$|^for .*; do$/.test(line)
    );
}

/** Words of a command; quotes are taken away, variables stay as they are written. */
export function splitWords(command: string): string[] {
  const words: string[] = [];
  const pattern = /\s*((?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+)/gy;
  let end = 0;
  for (const match of command.matchAll(pattern)) {
    end = match.index + match[0].length;
    words.push(match[1].replace(
      /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g,
      (_, single?: string, double?: string, escaped?: string) =>
        single ?? double?.replace(/\\(.)/g, "$1") ?? escaped ?? "",
    ));
  }
  assert.equal(command.slice(end).trim(), "", `cannot read ${command}`);
  return words;
}

/** The command of ours that words run, and its arguments. */
export function ourCommand(where: string, words: readonly string[]): [string, string[]] {
  const start = DENO.split(" ");
  assert.deepEqual(words.slice(0, start.length), start, where);
  const rest = words.slice(start.length);
  assert.equal(rest.shift(), "run", where);
  while (rest[0]?.startsWith("-")) {
    assert.match(
      rest.shift() ?? "",
      /^(-A|--no-prompt|--allow-(read|write|env|net|run)(=[\w,./-]+)?)$/,
      where,
    );
  }
  assert.match(rest.shift() ?? "", /^(\.attest\/)?cli\.ts$/, where);
  const [command = "", ...args] = rest;
  return [command, args];
}

/** Checks a command of ours against the table of its options; answers its name. */
export async function checkCommand(where: string, words: readonly string[]): Promise<string> {
  const [command, args] = ourCommand(where, words);
  const options = await optionsOf(command);
  assert.ok(options !== undefined, `${where}: unknown command ${command}`);
  parseArgs(args, options);
  return command;
}
