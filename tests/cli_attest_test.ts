/** `attest` and `sign` as processes, with real files, links, git and services. Deno only. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { generateSigner } from "../keys/mod.ts";
import { createServices } from "../tools/pki/services.ts";
import { splitWords } from "./shell_words.ts";

const CLI = new URL("../cli.ts", import.meta.url).pathname;
const REVIEW = ["--type=https://acme.example/review/v1", "--predicate=p.json", "--key=ci.key"];

interface Outcome {
  code: number;
  out: string;
  err: string;
}

if ("Deno" in globalThis) {
  describe("attest and sign as processes", () => {
    let folder = "";

    const put = (path: string, text: string): string => {
      writeFileSync(join(folder, path), text);
      return path;
    };
    const attest = async (...args: string[]): Promise<Outcome> => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--no-check", "-A", CLI, ...args],
        cwd: folder,
      }).output();
      const decoder = new TextDecoder();
      return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
    };
    /** Runs the command that was proposed. */
    const proposed = async ({ out, err }: Outcome): Promise<Outcome> => {
      const line = /Verify it with:\n {2}deno run -A cli.ts (.*)\n/.exec(out)?.[1];
      assert.ok(line !== undefined, out + err);
      return await attest(...splitWords(line));
    };

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), "attest-"));
      const { privateKey, publicKey } = await generateSigner("ES256");
      put("ci.key", privateKey);
      put("ci.pub", publicKey);
      put("p.json", '{"approved":true}');
      put("app.tgz", "hello\n");
    });
    after(() => {
      rmSync(folder, { recursive: true });
    });

    it("attests a folder, whose digest sha256sum gives too, and verifies it again", async () => {
      mkdirSync(join(folder, "dist/sub/empty"), { recursive: true });
      for (const name of ["a", ".dot", "\uff00", "\u{1d538}", "with space"]) {
        put(`dist/${name}`, name);
      }
      put("dist/sub/b", "2");
      const made = await attest("attest", "dist", ...REVIEW);
      assert.equal(made.code, 0, made.err);
      const bundle = JSON.parse(readFileSync(join(folder, "dist.sigstore.json"), "utf8"));
      const statement = JSON.parse(atob(bundle.dsseEnvelope.payload));
      const listed = execFileSync(
        "sh",
        [
          "-c",
          "find . -type f | sed 's#^./##' | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum",
        ],
        { cwd: join(folder, "dist"), encoding: "utf8" },
      );
      assert.equal(statement.subject[0].digest.dirHash, listed.slice(0, 64));
      assert.equal((await proposed(made)).code, 0);
      const verify = ["verify", "dist", "--key=ci.pub", "--bundle=dist.sigstore.json"];
      put("dist/sub/c", "");
      const added = await attest(...verify);
      assert.equal(added.code, 1);
      assert.ok(added.out.includes("subject-mismatch"));
      rmSync(join(folder, "dist/sub/c"));
      put("dist/sub/b", "3");
      assert.equal((await attest(...verify)).code, 1);
      rmSync(join(folder, "dist/sub/b"));
      assert.equal((await attest(...verify)).code, 1);
      put("dist/sub/b", "2");
      assert.equal((await attest(...verify)).code, 0);
    });

    it("ends at links, also at those that lead to themselves, and at an empty folder", async () => {
      for (const target of [".", "..", "loop", "../app.tgz", "nowhere"]) {
        mkdirSync(join(folder, "links"), { recursive: true });
        put("links/a", "1");
        symlinkSync(target, join(folder, "links/loop"));
        const refused = await attest("attest", "links", ...REVIEW);
        assert.equal(refused.code, 2, target);
        assert.ok(refused.err.includes("(unsupported-file-name)"), refused.err);
        rmSync(join(folder, "links"), { recursive: true });
      }
      mkdirSync(join(folder, "empty/more"), { recursive: true });
      const empty = await attest("attest", "empty", ...REVIEW);
      assert.ok(empty.err.includes("(empty-directory)"), empty.err);
      assert.ok(!existsSync(join(folder, "empty.sigstore.json")));
    });

    it("leaves nothing in a folder that it may not write to", async () => {
      mkdirSync(join(folder, "closed"));
      put("closed/a", "1");
      chmodSync(join(folder, "closed"), 0o555);
      const isRoot = Deno.uid() === 0;
      const target = isRoot ? "/proc/x.json" : "closed/a.sigstore.json";
      const refused = await attest("attest", "closed/a", ...REVIEW, `--output=${target}`);
      assert.equal(refused.code, 2);
      assert.ok(refused.err.includes("Writing failed"), refused.err);
      assert.ok(refused.err.includes("(unwritable-file)"), refused.err);
      assert.deepEqual(readdirSync(join(folder, "closed")), ["a"]);
      chmodSync(join(folder, "closed"), 0o755);
    });

    it("keeps all lines when several processes append at once", async () => {
      const runs = await Promise.all(
        Array.from({ length: 4 }, () => attest("attest", "app.tgz", ...REVIEW, "--append")),
      );
      for (const { code, err } of runs) assert.equal(code, 0, err);
      const text = readFileSync(join(folder, "app.tgz.intoto.jsonl"), "utf8");
      const lines = text.trimEnd().split("\n");
      assert.equal(lines.length, 4);
      for (const line of lines) assert.ok("dsseEnvelope" in JSON.parse(line));
      const checked = await proposed(runs[0]);
      assert.equal(checked.code, 0, checked.out);
      assert.deepEqual(readdirSync(folder).filter((name) => /\.(lock|tmp)/.test(name)), []);
    });

    it("lets one of several processes have the file, whole", async () => {
      const runs = await Promise.all(
        Array.from({ length: 3 }, () => attest("sign", "app.tgz", "--key=ci.key")),
      );
      assert.deepEqual(runs.map(({ code }) => code).sort(), [0, 2, 2]);
      for (const { code, err } of runs) {
        if (code !== 0) assert.ok(err.includes("(file-exists)"), err);
      }
      assert.equal(
        (await attest("verify", "app.tgz", "--key=ci.pub", "-b", "app.tgz.sigstore.json")).code,
        0,
      );
    });

    it("attests commits and tags of repositories of both object formats", async () => {
      for (const format of ["sha1", "sha256"]) {
        const repository = join(folder, format);
        const git = (...args: string[]) =>
          execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@acme.example", ...args], {
            cwd: repository,
            encoding: "utf8",
          }).trim();
        mkdirSync(repository);
        git("init", "-q", `--object-format=${format}`);
        git("commit", "-q", "--allow-empty", "-m", "x");
        git("tag", "-a", "v1", "-m", "v1");
        const run = async (...args: string[]) => {
          const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
            args: ["run", "--no-prompt", "--no-check", "-A", CLI, ...args],
            cwd: repository,
          }).output();
          return {
            code,
            text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr),
          };
        };
        const review = [REVIEW[0], "--predicate=../p.json", "--key=../ci.key"];
        const made = await run("attest", "--git=v1", "--git=v1^{commit}", ...review, "-o=git.json");
        assert.equal(made.code, 0, made.text);
        for (
          const name of [
            `gitTag:${git("rev-parse", "v1")}`,
            `gitCommit:${git("rev-parse", "HEAD")}`,
          ]
        ) {
          const verified = await run("verify", name, "--bundle=git.json", "--key=../ci.pub");
          assert.equal(verified.code, 0, verified.text);
        }
        const tree = await run("attest", "--git=HEAD^{tree}", ...review, "-o=tree.json");
        assert.ok(tree.text.includes("(unsupported-git-object)"), tree.text);
        assert.ok(!existsSync(join(repository, "tree.json")));
      }
    });

    it("runs no program that the configuration of a working copy names", async () => {
      const repository = join(folder, "hostile");
      const git = (...args: string[]) =>
        execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@acme.example", ...args], {
          cwd: repository,
          encoding: "utf8",
        }).trim();
      mkdirSync(repository);
      git("init", "-q");
      writeFileSync(join(repository, "a"), "1\n");
      git("add", "a");
      git("commit", "-q", "-m", "x");
      git("remote", "add", "origin", "https://git.example/acme/app");
      const program = join(folder, "hostile.sh");
      const trace = join(folder, "hostile.ran");
      writeFileSync(program, `#!/bin/sh\ntouch '${trace}'\n`, { mode: 0o755 });
      git("config", "core.fsmonitor", program);
      execFileSync("git", ["status", "--porcelain"], { cwd: repository });
      assert.ok(existsSync(trace), "git does run it");
      rmSync(trace);
      const run = async (...args: string[]) => {
        const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "--no-prompt", "--no-check", "-A", CLI, ...args],
          cwd: repository,
        }).output();
        return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
      };
      const local = ["provenance", "a", "--ci=local", "--workflow=Makefile"];
      const told = await run(...local);
      assert.equal(told.code, 0, told.text);
      assert.ok(!existsSync(trace));
      writeFileSync(join(repository, "a"), "2\n");
      git("-c", "core.fsmonitor=false", "commit", "-q", "-a", "-m", "y");
      // What stands for a commit is not what was committed.
      git("replace", "HEAD", "HEAD^");
      const replaced = await run(...local);
      assert.equal(replaced.code, 0, replaced.text);
      const id = git("rev-parse", "HEAD");
      const attested = await run(
        "attest",
        "--git=HEAD",
        REVIEW[0],
        "--predicate=../p.json",
        "--key=../ci.key",
        "-o=-",
      );
      assert.equal(attested.code, 0, attested.text);
      assert.ok(attested.text.includes(`gitCommit:${id}`), attested.text);
      rmSync(trace, { force: true });
    });

    it("signs keyless over loopback, and leaves nothing when the log is down", async () => {
      let handle: (request: Request) => Response | Promise<Response> = () =>
        new Response("", { status: 503 });
      const server = Deno.serve(
        { port: 0, hostname: "127.0.0.1", onListen() {} },
        (request) => handle(request),
      );
      try {
        const services = await createServices({ origin: `http://127.0.0.1:${server.addr.port}` });
        handle = (request) => services.handler(request);
        put("signing_config.json", JSON.stringify(services.signingConfig()));
        put("trusted_root.json", JSON.stringify(services.trustedRoot));
        const token = await services.token();
        put("token", token);
        put("keyless.tgz", "hello\n");
        const args = [
          "attest",
          "keyless.tgz",
          ...REVIEW.slice(0, 2),
          "--signing-config=signing_config.json",
          "--trusted-root=trusted_root.json",
          "--identity-token-file=token",
        ];
        services.faults.rekor2 = "403";
        const failed = await attest(...args, "--format=json");
        assert.equal(failed.code, 2);
        const { phase, errorReason } = JSON.parse(failed.out);
        assert.deepEqual([phase, errorReason], ["signing", "service-refused"]);
        assert.ok(!(failed.out + failed.err).includes(token));
        assert.ok(!existsSync(join(folder, "keyless.tgz.sigstore.json")));
        delete services.faults.rekor2;
        const made = await attest(...args);
        assert.equal(made.code, 0, made.err);
        const checked = await proposed(made);
        assert.equal(checked.code, 0, checked.out + checked.err);
      } finally {
        await server.shutdown();
      }
    });
  });
}
