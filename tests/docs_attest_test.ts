/**
 * `docs/attest-in-ci.md` by its letter: all its `sh` blocks are run as one shell would, in
 * order; what they would ask of GitHub and of the public-good instance is on 127.0.0.1. Deno
 * only.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { parse } from "yaml";
import { REASONS } from "../reasons.ts";
import { type SigstoreServer, startSigstore, writeInstance } from "../tools/sigstore_server.ts";
import { jobClaims, jobEnvironment } from "./fixtures/github_job.ts";
import { type Block, blocksOf, markOf, quoted, runShell } from "./doc_blocks.ts";
import { checkCommand, commandsOf, splitWords } from "./shell_words.ts";
import { optionsOf } from "../cli/help.ts";
import { parseArgs } from "../cli/args.ts";

const ROOT = new URL("..", import.meta.url).pathname;

if ("Deno" in globalThis) {
  const page = Deno.readTextFileSync(`${ROOT}docs/attest-in-ci.md`);
  const blocks = blocksOf(page);

  describe("docs/attest-in-ci.md", () => {
    let folder = "";
    let server: SigstoreServer;
    before(async () => {
      folder = await Deno.makeTempDir({ prefix: "attest-docs-" });
      server = await startSigstore();
      await writeInstance(`${folder}/instance`, server);
    });
    after(async () => {
      server.close();
      await Deno.remove(folder, { recursive: true });
    });

    /** The block in the job that it is for. */
    function script(block: Block): string {
      const { where, text, line } = block;
      const job: Record<string, Record<string, string>> = {
        "": {},
        "ci=github": { ...jobEnvironment(), ...server.githubEnvironment(jobClaims()) },
        "ci=fork": jobEnvironment({ event: "pull_request", ref: "refs/pull/7/merge" }),
      };
      assert.ok(where in job, `line ${line}: ${where}`);
      const mark = markOf(block);
      if (where === "") return mark + text;
      const variables = Object.entries(job[where]).map(([name, value]) =>
        `export ${name}=${quoted(value)}\n`
      );
      const instance = `cp ${quoted(`${folder}/instance`)}/*.json .\n`;
      return `${mark}${instance}(\n${variables.join("")}${text})\n`;
    }

    it("does what its commands say, from nothing to verified", async () => {
      const shell = blocks.filter(({ language }) => language === "sh").map(script).join("\n");
      const { code, out, err, sections } = await runShell(shell, ROOT, folder);
      assert.equal(code, 0, `${out}\n${err}`);

      const after = (text: string): string => {
        const block = blocks.find((one) => one.language === "sh" && one.text.includes(text));
        assert.ok(block !== undefined, text);
        return sections.get(block.line) ?? "";
      };
      assert.match(after("attest verify app.txt --key ci.pub"), /^PASSED: 1 artifact verified$/m);
      assert.match(after("attest verify changed.txt"), /FAILED[^]*subject-mismatch[^]*status 1$/m);
      assert.match(after("--repo acme/app"), /^PASSED: 1 artifact verified$/m);
      const keyless = after("attest attest app.txt --provenance --output provenance.json");
      assert.match(keyless, /signer +https:\/\/github\.com\/acme\/app\/\.github\/workflows\//);
      assert.match(keyless, /^PASSED: 1 artifact verified$/m);
      assert.match(after("attest provenance app.txt"), /"predicateType":\s*"https:\/\/slsa\.dev/);
      assert.match(after("all.intoto.jsonl --key"), /^PASSED: 2 artifacts verified$/m);
      assert.match(err, /^notice: Nothing is signed: .*pull request/m);
      assert.match(after("git init"), /^PASSED: 1 artifact verified$/m);
      const failure = after("attest attest missing.txt");
      assert.match(failure, /"phase": "build"[^]*"errorReason": "unreadable-file"[^]*status 2$/m);
      assert.match(after("attest explain"), /missing-identity-token[^]*response-mismatch/);

      // What the page makes is where it says, and its secrets are in no output.
      const [home] = [...Deno.readDirSync(folder)].filter(({ name }) => name.startsWith("tmp."));
      const passphrase = await Deno.readTextFile(`${folder}/${home.name}/passphrase`);
      const token = await Deno.readTextFile(`${folder}/instance/token`);
      for (const secret of [passphrase.trim(), ...token.split(".")]) {
        assert.ok(!(out + err).includes(secret));
      }
      const mode = (await Deno.stat(`${folder}/${home.name}/ci.key`)).mode;
      assert.equal((mode ?? 0) & 0o077, 0);
    });

    it("shows other commands that there are, too", async () => {
      for (const { text, line } of blocks.filter(({ language }) => language === "bash")) {
        for (const command of commandsOf(text)) {
          const [program, name, ...args] = splitWords(command);
          assert.equal(program, "attest", `line ${line}`);
          const options = await optionsOf(name);
          assert.ok(options !== undefined, `line ${line}: ${name}`);
          parseArgs(args, options);
        }
      }
    });

    it("has a README whose commands are there as well", async () => {
      const commands = blocksOf(Deno.readTextFileSync(`${ROOT}README.md`))
        .flatMap(({ text }) => commandsOf(text))
        .filter((command) => command.includes(" cli.ts "));
      assert.ok(commands.length > 5, `${commands.length} commands`);
      for (const command of commands) await checkCommand(command, splitWords(command));
    });

    it("shows YAML that can be read, with inputs that the action has", () => {
      const action = parse(Deno.readTextFileSync(`${ROOT}action.yml`));
      const yaml = blocks.filter(({ language }) => language === "yaml");
      assert.ok(yaml.length >= 2);
      for (const { text } of yaml) {
        const { steps = [] } = parse(text) as { steps?: { with?: object }[] };
        for (const step of steps) {
          for (const input of Object.keys(step.with ?? {})) assert.ok(input in action.inputs);
        }
      }
      const [, table] = /\| input +\|[^\n]*\n\|[ -|]*\n([^]*?)\n\n/.exec(page) ?? [];
      const listed = table.split("\n").flatMap((row) =>
        [...row.split("|")[1].matchAll(/`([^`]+)`/g)].map(([, name]) => name)
      );
      assert.deepEqual(listed.sort(), Object.keys(action.inputs).sort());
    });

    it("names reasons and files that there are", () => {
      const [, table] = /\| reason +\|[^\n]*\n\|[ -|]*\n([^]*?)\n\n/.exec(page) ?? [];
      for (const row of table.split("\n")) {
        for (const [, reason] of row.split("|")[1].matchAll(/`([^`]+)`/g)) {
          assert.ok(Object.hasOwn(REASONS, reason), reason);
        }
      }
      const links = [...page.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)];
      assert.ok(links.length > 0);
      for (const [, path] of links) {
        assert.ok(Deno.statSync(`${ROOT}docs/${path}`).isFile, path);
      }
    });
  });
}
