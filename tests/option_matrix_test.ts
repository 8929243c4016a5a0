/**
 * Each option of the public API and of the command line has a case that tells whether it is
 * read; a name that is no option is an error everywhere.
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, describe, it } from "node:test";
import { type OptionSpec, parseArgs } from "../cli/args.ts";
import { ATTACH_OPTIONS } from "../cli/attach_options.ts";
import { ATTEST_OPTIONS } from "../cli/attest_options.ts";
import { CONVERT_OPTIONS } from "../cli/convert_options.ts";
import { COPY_OPTIONS } from "../cli/copy_options.ts";
import { DIFF_OPTIONS } from "../cli/diff_options.ts";
import { GATE_OPTIONS } from "../cli/gate_options.ts";
import { INSPECT_OPTIONS } from "../cli/inspect_options.ts";
import { KEYGEN_OPTIONS } from "../cli/keygen_options.ts";
import { main } from "../cli/main.ts";
import {
  CHECK_OPTIONS,
  DIFF_POLICY_OPTIONS,
  DRY_RUN_OPTIONS,
  EXPLAIN_OPTIONS,
  IMPORT_OPTIONS,
  INIT_OPTIONS,
  SCHEMA_OPTIONS,
  TEST_OPTIONS,
} from "../cli/policy_command_options.ts";
import { PROVENANCE_COMMAND_OPTIONS } from "../cli/provenance.ts";
import { REVERIFY_OPTIONS } from "../cli/reverify_options.ts";
import { KEYS_CREATE_OPTIONS, KEYS_LIST_OPTIONS, SERVE_OPTIONS } from "../cli/serve_options.ts";
import { SIGN_OPTIONS } from "../cli/sign_options.ts";
import {
  STORE_FIND_OPTIONS,
  STORE_LIST_OPTIONS,
  STORE_PRUNE_OPTIONS,
  STORE_PUT_OPTIONS,
} from "../cli/store_options.ts";
import { DOWNLOAD_OPTIONS, TREE_OPTIONS } from "../cli/tree_options.ts";
import { SHOW_OPTIONS, UPDATE_OPTIONS } from "../cli/trusted_root_options.ts";
import { VERIFY_OPTIONS } from "../cli/verify_options.ts";
import { VSA_CREATE_OPTIONS } from "../cli/vsa_options.ts";
import { isAttestationError } from "../errors.ts";
import { MemoryRuntime } from "./cli_runtime.ts";
import { CASES } from "./option_matrix/cases.ts";
import { COMMANDS_TESTED_IN, DATA, TESTED_IN, WITHOUT_CASE } from "./option_matrix/elsewhere.ts";
import { answersOf, type CommandCase } from "./option_matrix/command_cases.ts";
import { OTHERS } from "./option_matrix/command_others.ts";
import { gateCase, removeRepositories } from "./option_matrix/command_gate.ts";
import { STORED, storedCase } from "./option_matrix/command_stores.ts";
import { optionTypes } from "./option_matrix/types.ts";
import { UNKNOWN, UNKNOWN_IN_DOCUMENTS } from "./option_matrix/unknown.ts";

const ROOT = new URL("../", import.meta.url);

function textOf(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

const TYPES = optionTypes(new Set(Object.keys(DATA)));

describe("options of the public API", () => {
  it("are found by their types", () => {
    const names = TYPES.map(({ name }) => name);
    for (const name of ["VerifyOptions", "Trust", "SigstoreTrust", "MatchOptions", "NpmTrust"]) {
      ok(names.includes(name), name);
    }
  });

  it("have a case each", () => {
    const missing = TYPES.flatMap(({ name, members }) => {
      const tests = (TESTED_IN[name] ?? []).map(textOf);
      return members.filter((member) =>
        CASES[`${name}.${member}`] === undefined &&
        !tests.some((text) =>
          new RegExp(`["\\s{(,.]${member.replace("$", "\\$")}["]?\\s*[:,}=]`).test(text)
        )
      ).map((member) => `${name}.${member}`);
    });
    deepEqual(missing, [...WITHOUT_CASE]);
  });

  it("have no case that belongs to none", () => {
    const known = new Set(
      TYPES.flatMap(({ name, members }) => members.map((member) => `${name}.${member}`)),
    );
    deepEqual(Object.keys(CASES).filter((option) => !known.has(option)), []);
    const names = new Set(TYPES.map(({ name }) => name));
    deepEqual(Object.keys(TESTED_IN).filter((name) => !names.has(name)), []);
  });

  for (const [option, { wanted, without, withIt }] of Object.entries(CASES)) {
    it(`${option} is read`, async () => {
      const found = [await without(), await withIt()];
      deepEqual(found, [...wanted]);
      ok(found[0] !== found[1]);
    });
  }
});

describe("a name that is no option", () => {
  it("is tried of each type", () => {
    const tried = new Set([...Object.keys(UNKNOWN), ...Object.keys(UNKNOWN_IN_DOCUMENTS)]);
    const untried = TYPES.map(({ name }) => name).filter((name) =>
      !tried.has(name) && !TRIED_AS_ANOTHER.has(name)
    );
    deepEqual(untried, []);
  });

  for (const [name, call] of Object.entries(UNKNOWN)) {
    it(`is a TypeError in ${name}`, async () => {
      const error = await thrownBy(() => call({ nobodyReadsThis: 1 }));
      ok(error instanceof TypeError, `${name}: ${error}`);
      ok(error.message.includes("nobodyReadsThis"), `${name}: ${error.message}`);
    });
  }

  for (const [name, call] of Object.entries(UNKNOWN_IN_DOCUMENTS)) {
    it(`is refused in ${name}`, async () => {
      const error = await thrownBy(() => call({ nobodyReadsThis: 1 }));
      ok(isAttestationError(error), `${name}: ${error}`);
      ok(
        error.message.includes("nobodyReadsThis") || error.path?.includes("nobodyReadsThis"),
        error.message,
      );
    });
  }
});

/** Parts of other types, which are tried, and documents that `parsePolicy()` reads. */
const TRIED_AS_ANOTHER: ReadonlySet<string> = new Set([
  "ArtifactPlace",
  "HttpOptions",
  "OciOptions",
  "FindOptions",
  "ServiceOptions",
  "StoreOptions",
  "TufRepositoryOptions",
]);

async function thrownBy(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
}

/** All tables of options, by the module and name that export them. */
async function commandTables(): Promise<[string, readonly OptionSpec[]][]> {
  const tables: [string, readonly OptionSpec[]][] = [];
  for (const name of readdirSync(new URL("cli", ROOT))) {
    if (!name.endsWith("_options.ts")) continue;
    const found: Record<string, unknown> = await import(new URL(`cli/${name}`, ROOT).href);
    for (const [table, value] of Object.entries(found)) {
      if (!Array.isArray(value) || typeof value[0]?.help !== "string") continue;
      tables.push([`${name}: ${table}`, value]);
    }
  }
  return tables;
}

const SUBCOMMAND: Readonly<Record<string, readonly string[]>> = {
  policy: ["check"],
  "trusted-root": ["show"],
};

/** Commands, and the tables of their options; other tables are parts of these. */
const COMMAND_TABLES: Readonly<Record<string, readonly OptionSpec[]>> = {
  "verify": VERIFY_OPTIONS,
  "vsa create": VSA_CREATE_OPTIONS,
  "diff": DIFF_OPTIONS,
  "convert": CONVERT_OPTIONS,
  "inspect": INSPECT_OPTIONS,
  "keygen": KEYGEN_OPTIONS,
  "sign": SIGN_OPTIONS,
  "attest": ATTEST_OPTIONS,
  "provenance": PROVENANCE_COMMAND_OPTIONS,
  "policy check": CHECK_OPTIONS,
  "policy explain": EXPLAIN_OPTIONS,
  "policy init": INIT_OPTIONS,
  "policy test": TEST_OPTIONS,
  "policy schema": SCHEMA_OPTIONS,
  "policy import": IMPORT_OPTIONS,
  "policy diff": DIFF_POLICY_OPTIONS,
  "policy dry-run": DRY_RUN_OPTIONS,
  "attach": ATTACH_OPTIONS,
  "copy": COPY_OPTIONS,
  "tree": TREE_OPTIONS,
  "download": DOWNLOAD_OPTIONS,
  "store put": STORE_PUT_OPTIONS,
  "store find": STORE_FIND_OPTIONS,
  "store list": STORE_LIST_OPTIONS,
  "store prune": STORE_PRUNE_OPTIONS,
  "gate": GATE_OPTIONS,
  "reverify": REVERIFY_OPTIONS,
  "serve": SERVE_OPTIONS,
  "serve keys create": KEYS_CREATE_OPTIONS,
  "serve keys list": KEYS_LIST_OPTIONS,
  "trusted-root update": UPDATE_OPTIONS,
  "trusted-root show": SHOW_OPTIONS,
};

function commandCase(command: string, option: string): CommandCase | undefined {
  return OTHERS[command]?.[option] ?? storedCase(command, option) ?? gateCase(command, option);
}

describe("options of the command line", () => {
  after(removeRepositories);

  it("are those of the commands", async () => {
    const known = new Set(Object.values(COMMAND_TABLES).flat().map(({ name }) => name));
    const missing = (await commandTables()).flatMap(([table, options]) =>
      options.filter(({ name }) => !known.has(name)).map(({ name }) => `${table}: --${name}`)
    );
    deepEqual(missing, []);
    const tables = [OTHERS, STORED, COMMANDS_TESTED_IN];
    for (const [command, cases] of tables.flatMap((one) => Object.entries<object>(one))) {
      const names = COMMAND_TABLES[command].map(({ name }) => name);
      deepEqual(Object.keys(cases).filter((name) => !names.includes(name)), [], command);
    }
  });

  for (const [command, options] of Object.entries(COMMAND_TABLES)) {
    for (const { name } of options) {
      const named = COMMANDS_TESTED_IN[command]?.[name];
      if (named !== undefined) {
        it(`${command} --${name} is given in ${named}`, () => {
          // What `deno test` runs, and CI with it.
          ok(/^(?:cli|tests)\/[\w/]+_test\.ts$/.test(named), named);
          equal(commandCase(command, name), undefined, "it has a case, too");
          ok(new RegExp(`["'\`\\s]--${name}(?![\\w-])`).test(textOf(named)), named);
        });
        continue;
      }
      it(`${command} --${name} is read`, async () => {
        const found = commandCase(command, name);
        ok(found !== undefined, "it has no case");
        deepEqual(await answersOf(found), [...found.wanted]);
        ok(found.wanted[0] !== found.wanted[1]);
      });
    }
  }

  it("are the same under their other names", async () => {
    for (const [table, options] of await commandTables()) {
      // That of all subcommands together is for the help only.
      if (table.endsWith(" POLICY_COMMAND_OPTIONS")) continue;
      for (const { name, aliases = [], short, value, choices } of options) {
        const words = value === undefined ? [] : [choices?.[0] ?? "x"];
        const written = [name, ...aliases].map((one) => `--${one}`);
        if (short !== undefined) written.push(`-${short}`);
        for (const one of written) {
          const parsed = parseArgs([one, ...words], options);
          ok(parsed.has(name), `${table}: ${one}`);
        }
      }
    }
  });

  it("that nobody knows are errors of every command", async () => {
    const commands = [...textOf("cli/main.ts").matchAll(/^ {2}\[\s*"([a-z-]+)",\s*async/gm)].map((
      [, name],
    ) => name);
    ok(commands.includes("verify") && commands.length > 8, commands.join());
    for (const command of commands) {
      const words = [command, ...SUBCOMMAND[command] ?? []];
      const runtime = new MemoryRuntime({}, [...words, "--nobody-reads-this", "x"]);
      equal(await main(runtime), 2, command);
      ok(runtime.stderr.includes("nobody-reads-this"), `${command}: ${runtime.stderr}`);
      equal(runtime.stdout, "", command);
    }
  });
});
