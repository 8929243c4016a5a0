import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { checkArchitecture, importsOf, type Manifest, withoutComments } from "./architecture.ts";

const ROOT = new URL("../", import.meta.url);

const importOf = (specifier: string) => `import ${JSON.stringify(specifier)};`;

function readSources(folder = ""): Map<string, string> {
  const files = new Map<string, string>();
  for (
    const entry of readdirSync(new URL(folder === "" ? "." : folder, ROOT), { withFileTypes: true })
  ) {
    const path = folder + entry.name;
    if (entry.isDirectory()) {
      if (/^(\.|node_modules$|coverage$)/.test(entry.name)) continue;
      for (const [name, text] of readSources(`${path}/`)) files.set(name, text);
    } else if (entry.name.endsWith(".ts")) {
      files.set(path, readFileSync(new URL(path, ROOT), "utf8"));
    }
  }
  return files;
}

test("the imports of the project point one way only", () => {
  const manifest: Manifest = JSON.parse(readFileSync(new URL("deno.json", ROOT), "utf8"));
  assert.deepEqual(checkArchitecture(readSources(), manifest), []);
});

/** Named imports of `node:assert/strict` that Deno 2.9 takes loosely: `equal(1, "1")` passes. */
function looseAssertions(files: ReadonlyMap<string, string>): string[] {
  const loose = /import \{([^}]*)\} from "node:assert\/strict"/g;
  return [...files].flatMap(([path, text]) =>
    [...text.matchAll(loose)]
      .flatMap(([, names]) => names.split(",").map((name) => name.trim()))
      .filter((name) => /^(not)?(equal|deepEqual)$/i.test(name))
      .map((name) => `${path}: import ${name} under the name of its strict form`)
  );
}

test("no test imports an assertion that Deno takes loosely", () => {
  assert.deepEqual(looseAssertions(readSources()), []);
  const bad = `import { ok, ${"deepEqual"} } from "node:assert/strict";`;
  assert.equal(looseAssertions(new Map([["x_test.ts", bad]])).length, 1);
});

describe("checkArchitecture()", () => {
  const BARREL = '/** Doc.\n * @module */\nexport { a } from "./a.ts";\n';
  const house = {
    "errors.ts": "export class E {}",
    "report.ts": 'import type { E } from "./errors.ts"; export type R = E;',
    "reasons.ts": 'import { E } from "./errors.ts"; export const r = E;',
    "mod.ts": '/** D.\n * @module */\nexport { a } from "./dsse/mod.ts";',
    "internal/a.ts": 'import { E } from "../errors.ts"; export const a = E;',
    "keys/mod.ts": BARREL,
    "keys/a.ts": 'import { a as b } from "../internal/a.ts"; export const a = b;',
    "dsse/mod.ts": BARREL,
    "dsse/a.ts": 'import { a as b } from "../keys/mod.ts"; export const a = b;',
    "cli.ts": 'await import("./cli/a.ts"); Deno.exit(0);',
    "cli/a.ts": 'import { r } from "../reasons.ts"; import "node:fs"; r; Deno.args;',
  };
  const manifest: Manifest = {
    exports: { ".": "./mod.ts", "./keys": "./keys/mod.ts", "./dsse": "./dsse/mod.ts" },
    imports: { "@noble/hashes": "npm:@noble/hashes@^2.4.0" },
  };
  const check = (changes: Record<string, string> = {}, other: Partial<Manifest> = {}) =>
    checkArchitecture(new Map(Object.entries({ ...house, ...changes })), { ...manifest, ...other });

  test("accepts a house in order", () => assert.deepEqual(check(), []));

  const violations: Record<string, [Record<string, string>, RegExp]> = {
    "an arrow back between rooms": [{ "keys/b.ts": 'import "../dsse/a.ts";' }, /points back/],
    "an arrow back for a type": [
      { "keys/b.ts": 'import type { a } from "../dsse/a.ts";' },
      /points back/,
    ],
    "an arrow back in a re-export": [
      { "keys/b.ts": 'export { a } from "../dsse/a.ts";' },
      /points back/,
    ],
    "a dynamic arrow back": [{ "keys/b.ts": 'await import("../dsse/a.ts");' }, /points back/],
    "internal importing a room": [{ "internal/b.ts": 'import "../keys/a.ts";' }, /points back/],
    "errors.ts importing": [{ "errors.ts": 'import "./internal/a.ts";' }, /points back/],
    "a room importing the barrel": [{ "dsse/b.ts": 'import "../mod.ts";' }, /points back/],
    "the barrel importing the command line": [
      { "mod.ts": '/** @module */ export { a } from "./cli/a.ts";' },
      /points back/,
    ],
    "a room importing tests": [
      { "dsse/b.ts": 'import "../tests/x.ts";', "tests/x.ts": "" },
      /no part/,
    ],
    "a room importing reasons.ts": [
      { "dsse/b.ts": 'import "../reasons.ts";' },
      /only the command line/,
    ],
    "a private file of another folder": [
      { "dsse/b.ts": 'import "../keys/_x.ts";', "keys/_x.ts": "" },
      /private/,
    ],
    "a file that is not there": [{ "dsse/b.ts": 'import "./gone.ts";' }, /does not exist/],
    "Deno in a room": [{ "dsse/b.ts": "Deno.readFile;" }, /uses Deno/],
    "process through globalThis": [{ "dsse/b.ts": "globalThis.process?.env;" }, /uses process/],
    "Buffer after a division": [
      { "dsse/b.ts": "const x = a / b; Buffer.from(x / 2);" },
      /uses Buffer/,
    ],
    "Deno in a template": [{ "dsse/b.ts": "const x = `${Deno.pid}`;" }, /uses Deno/],
    "node: in a room": [{ "dsse/b.ts": 'import "node:fs";' }, /imports node:fs/],
    "an undeclared package": [{ "dsse/b.ts": 'import "left-pad";' }, /does not name/],
    "jsr: in a test": [{ "dsse/b_test.ts": importOf("jsr:@std/assert") }, /not on npm/],
    "https: anywhere": [{ "tests/b.ts": importOf("https://deno.land/x/y.ts") }, /not on npm/],
    "code in a barrel": [{ "dsse/mod.ts": BARREL + "export const x = 1;" }, /more than re-exports/],
    "a star in a barrel": [
      { "dsse/mod.ts": '/** @module */ export * from "./a.ts";' },
      /more than/,
    ],
    "a barrel without doc": [{ "dsse/mod.ts": 'export { a } from "./a.ts";' }, /no module doc/],
    "a room without a barrel": [{ "slsa/a.ts": "" }, /slsa\/: has no mod.ts/],
    "a folder that is no room": [{ "util/a.ts": "" }, /no room/],
  };
  for (const [name, [changes, message]] of Object.entries(violations)) {
    test(`refuses ${name}`, () => {
      const findings = check(changes);
      assert.ok(
        findings.some((line) => message.test(line)),
        findings.join("\n") || "nothing found",
      );
    });
  }

  test("refuses a room that is not exported", () => {
    assert.ok(
      check({}, { exports: { ".": "./mod.ts", "./keys": "./keys/mod.ts" } })[0].includes("./dsse"),
    );
  });

  test("allows the one look-up of the hasher, in its file only", () => {
    const lookup = "const p = globalThis.process; p?.getBuiltinModule;";
    assert.deepEqual(check({ "internal/hasher.ts": lookup }), []);
    assert.equal(check({ "internal/other.ts": lookup }).length, 1);
  });

  test("does not read comments and strings as code", () => {
    const text =
      '/** import "../dsse/a.ts"; Deno */ const a = "Deno /* x"; // process\nconst b = /"/; a;';
    assert.deepEqual(check({ "keys/b.ts": text }), []);
    assert.deepEqual(importsOf(withoutComments('// import "x"\nimport "y";')), [{
      specifier: "y",
    }]);
  });
});
