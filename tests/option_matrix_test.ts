/**
 * Each option of the public API and of the command line has a case that tells whether it is
 * read; a name that is no option is an error everywhere.
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { type OptionSpec, parseArgs } from "../cli/args.ts";
import { main } from "../cli/main.ts";
import { isAttestationError } from "../errors.ts";
import type { Recipe } from "../tools/pki/instance.ts";
import { MemoryRuntime } from "./cli_runtime.ts";
import { provenanceBundle, REPOSITORY, workflowOf } from "./fixtures/provenance.ts";
import { ARTIFACT, rootJson } from "./fixtures/sigstore.ts";
import { CASES } from "./option_matrix/cases.ts";
import { DATA, TESTED_IN, WITHOUT_CASE } from "./option_matrix/elsewhere.ts";
import { optionTypes } from "./option_matrix/types.ts";
import { UNKNOWN, UNKNOWN_IN_DOCUMENTS } from "./option_matrix/unknown.ts";

const ROOT = new URL("../", import.meta.url);

function textOf(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/** Texts of the tests that are in a folder. */
function testsIn(folder: string): string[] {
  return readdirSync(new URL(folder, ROOT)).filter((name) => name.endsWith("_test.ts"))
    .map((name) => textOf(`${folder}/${name}`));
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
    deepEqual(missing, WITHOUT_CASE.api);
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

/** The reason of `attest verify`, or `ok`. */
async function verifiedBy(...words: (string | Partial<Recipe>)[]): Promise<string> {
  const [first] = words;
  const recipe = typeof first === "object" ? first : {};
  const args = words.filter((word) => typeof word === "string");
  const runtime = new MemoryRuntime({
    "artifact.txt": ARTIFACT,
    "b.json": JSON.stringify(await provenanceBundle({ recipe })),
    "root.json": JSON.stringify(await rootJson()),
  }, [
    "verify",
    "artifact.txt",
    "--bundle=b.json",
    "--trusted-root=root.json",
    "--only-root",
    `--cert-identity=${workflowOf(REPOSITORY)}`,
    "--cert-oidc-issuer=https://token.actions.githubusercontent.com",
    "--format=json",
    ...args,
  ]);
  const status = await main(runtime);
  if (runtime.stdout === "") return runtime.stderr;
  const { errorReason } = JSON.parse(runtime.stdout);
  equal(status, errorReason === null ? 0 : 1);
  return errorReason ?? "ok";
}

describe("options of the command line", () => {
  it("are all given by a test", async () => {
    const texts = [...testsIn("cli"), ...testsIn("tests"), textOf("tests/policy_cases.ts")];
    const given = (name: string) => {
      const option = new RegExp(`--${name}(?![\\w-])`);
      return texts.some((text) => option.test(text));
    };
    const missing = (await commandTables()).flatMap(([table, options]) =>
      options.filter(({ name, aliases = [] }) => ![name, ...aliases].some(given))
        .map(({ name }) => `${table}: --${name}`)
    );
    deepEqual(missing, WITHOUT_CASE.commands);
  });

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

  const VERIFY: Readonly<Record<string, readonly [string, ...string[]]>> = {
    "ctlog-threshold": ["sct-threshold-not-met", "--ctlog-threshold=2"],
    "timestamp-threshold": ["timestamp-threshold-not-met", "--timestamp-threshold=2"],
    "tlog-threshold": ["log-threshold-not-met", "--tlog-threshold=2"],
  };
  for (const [option, [reason, ...args]] of Object.entries(VERIFY)) {
    it(`--${option} is read`, async () => {
      equal(await verifiedBy(), "ok");
      equal(await verifiedBy(...args), reason);
    });
  }

  it("--trust-certificate-time is read", async () => {
    const unlogged = { entries: () => Promise.resolve([]) };
    equal(await verifiedBy(unlogged, "--tlog-threshold=0"), "timestamp-threshold-not-met");
    equal(await verifiedBy(unlogged, "--tlog-threshold=0", "--trust-certificate-time"), "ok");
  });

  it("that nobody knows are errors of every command", async () => {
    const commands = [...textOf("cli/main.ts").matchAll(/^ {2}\["([a-z-]+)", async/gm)].map((
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
