import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type CliRun, cliRuns } from "../bench/cli_commands.ts";

const ROOT = new URL("../", import.meta.url);
const CLI = fileURLToPath(new URL("cli.ts", ROOT));

/** What is heavy: the files, and the names of those commands that need it. */
const HEAVY: Record<string, { files: RegExp; needed: RegExp }> = {
  signing: { files: /^sigstore\/sign\//, needed: /^(sign|attest|convert)/ },
  "identity tokens": { files: /^sigstore\/oidc\//, needed: /^(sign|attest|convert|provenance)/ },
  "private keys": {
    files: /^(keys\/(signer|pkcs8|pbes2|encrypted_key|cosign_key)|dsse\/sign)\.ts$/,
    needed: /^(sign|attest|keygen|convert)/,
  },
  TUF: { files: /^sigstore\/tuf\//, needed: /^trusted-root update/ },
  "the root of the public-good instance": {
    files: /^sigstore\/roots\//,
    needed: /^(policy init|verify, policy)/,
  },
  CEL: { files: /^policy\/(cel|_cel_budget)\.ts$/, needed: /^$/ },
  policies: { files: /^policy\/(?!duration)/, needed: /^(policy|verify, policy|gate|reverify)/ },
  "the registry of predicates": {
    files: /^intoto\/predicates\/registry\.ts$/,
    needed: /^(inspect|attest|policy|verify, policy|gate|serve|reverify)/,
  },
  "the judge of provenance": {
    files: /^slsa\/evaluate\.ts$/,
    needed: /^(inspect|diff|policy|verify, policy|gate|reverify)/,
  },
  "bundles and certificates": {
    files: /^sigstore\/(bundle|certificate|verify)\.ts$/,
    needed:
      /^(verify, (keyless|refused|policy)|inspect|diff|vsa|policy|trusted-root|sign|attest|convert|gate|reverify)/,
  },
  npm: { files: /^npm\/(?!purl)/, needed: /^$/ },
  explanations: {
    files: /^reasons\.ts$/,
    needed: /^(explain|verify, (refused|policy|layout)|vsa)/,
  },
  reports: { files: /^cli\/reports\/(?!report\.ts)/, needed: /^$/ },
};

/** Commands that load a package. */
const WITH_PACKAGES = /^(policy import|serve keys|reverify)$/;

describe("The command line", () => {
  const folder = mkdtempSync(join(tmpdir(), "cold-start-"));
  after(() => rmSync(folder, { recursive: true }));
  const loaded = new Map<string, string[]>();

  for (const [name, run] of Object.entries(cliRuns(folder))) {
    it(`${name}: loads nothing heavy that it does not need`, () => {
      const files = filesOf(name, run, folder);
      loaded.set(name, files);
      assert.ok(files.includes("cli/main.ts") && files.length < 200, `${files.length} files`);
      for (const [what, { files: heavy, needed }] of Object.entries(HEAVY)) {
        if (needed.test(name)) continue;
        assert.deepEqual(files.filter((file) => heavy.test(file)), [], `${name} loads ${what}`);
      }
    });
  }

  it("is heavy where something heavy is needed: the patterns match", () => {
    const all = [...loaded.values()].flat();
    for (const what of ["signing", "private keys", "policies", "explanations"]) {
      assert.ok(all.some((file) => HEAVY[what].files.test(file)), what);
    }
    for (const { files } of Object.values(HEAVY)) {
      assert.ok(sources().some((file) => files.test(file)), String(files));
    }
  });

  it("has a cheap run of every command", () => {
    const main = readFileSync(new URL("cli/main.ts", ROOT), "utf8");
    const commands = [...main.matchAll(/^ {2}\[\s*"([a-z-]+)",\s*async/gm)].map(([, name]) => name);
    const run = new Set(Object.values(cliRuns(folder)).map(({ args }) => args[0]));
    assert.ok(commands.length > 8);
    assert.deepEqual(commands.filter((name) => !run.has(name)), []);
  });
});

/** Files of this project that a run evaluates, as V8 counts them. */
function filesOf(name: string, { args, status }: CliRun, folder: string): string[] {
  const coverage = mkdtempSync(join(folder, "coverage-"));
  const flags = ["run", "-A", `--coverage=${coverage}`];
  if (!WITH_PACKAGES.test(name)) flags.push("--no-npm");
  const { status: found, stderr } = spawnSync(process.execPath, [...flags, CLI, ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, XDG_CACHE_HOME: folder },
  });
  assert.equal(found, status, `${name}: exit ${found}, wanted ${status}\n${stderr}`);
  return readdirSync(coverage)
    .map((file) => JSON.parse(readFileSync(join(coverage, file), "utf8")).url as string)
    .filter((url) => url.startsWith(ROOT.href))
    .map((url) => url.slice(ROOT.href.length))
    .sort();
}

let known: string[] | undefined;
function sources(): string[] {
  return known ??= readdirSync(ROOT, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts") && !path.includes("node_modules"));
}
