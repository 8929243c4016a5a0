/** `gate` in real repositories: what changed is found, whatever the change tries to hide. */

import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { canonicalJson } from "../internal/json.ts";
import { HAS_GIT, pathsOf, reasonsOf, Repository } from "./gate_machine.ts";

const JSON_FORMAT = "--format=json";

const rulesText = (rules: object[], more: object = {}) =>
  JSON.stringify({ type: "attest-gate-rules/v1", rules, ...more });

const DIST = { id: "dist", paths: "dist/**", artifact: true };
const SOME = rulesText([DIST], { unmatched: "ignored" });

describe("gate", { skip: HAS_GIT ? false : "git is not installed" }, () => {
  let repository: Repository;
  const all: Repository[] = [];
  before(async () => {
    repository = await fresh();
  });
  after(() => all.forEach((one) => one.remove()));

  async function fresh(): Promise<Repository> {
    const one = await Repository.create();
    all.push(one);
    one.write("README.md", "read me");
    await one.writeAttested("dist/app.js", "app");
    one.write("gate.json", SOME);
    one.commit("first");
    return one;
  }

  /** `gate` with the key and rules that most tests use. */
  async function gate(one: Repository, ...args: string[]) {
    return await one.gate([`--key=${one.key}`, "--rules=gate.json", JSON_FORMAT, ...args]);
  }

  it("takes everything for new in the first commit, and nothing where nothing changed", async () => {
    const first = await gate(repository);
    assert.equal(first.status, 0, first.err);
    assert.deepEqual(reasonsOf(first), { "dist/app.js": "ok" });
    const none = await gate(repository, "--since=main");
    assert.equal(none.status, 0);
    assert.deepEqual(none.report?.artifacts, []);
    assert.equal(none.report?.verificationResult, "PASSED");
    const text = await repository.gate([`--key=${repository.key}`, "--since=main"]);
    assert.match(text.out, /nothing\n\nPASSED: nothing changed\n$/);
  });

  it("asks for an attestation of each file without rules, and exits with 1 without", async () => {
    const { status, out } = await repository.gate([`--key=${repository.key}`]);
    assert.equal(status, 1);
    assert.match(out, /A dist\/app\.js {2}checked by all/);
    assert.match(out, /^FAILED: 1 of 3 artifacts verified \(attestation-not-found\)$/m);
  });

  it("compares with what a branch and HEAD have in common", async () => {
    const one = await fresh();
    one.git("checkout", "-q", "-b", "work");
    await one.writeAttested("dist/mine.js", "mine");
    one.commit("mine");
    one.git("checkout", "-q", "main");
    one.write("dist/theirs.js", "not attested");
    one.commit("theirs");
    one.git("checkout", "-q", "work");
    const outcome = await gate(one, "--since=main");
    assert.deepEqual(reasonsOf(outcome), { "dist/mine.js": "ok" });
    assert.equal(outcome.status, 0);
  });

  it("counts a path that differs from any of several bases", async () => {
    const one = await fresh();
    one.git("checkout", "-q", "-b", "a");
    one.write("dist/a.js", "a");
    one.commit("a");
    one.git("checkout", "-q", "-b", "b", "main");
    one.write("dist/b.js", "b");
    one.commit("b");
    one.git("merge", "-q", "-m", "ab", "a");
    one.git("checkout", "-q", "a");
    one.git("merge", "-q", "-m", "ba", "b~1");
    const outcome = await gate(one, "--since=b");
    assert.equal(outcome.report?.gate.bases.length, 2, outcome.err);
    assert.deepEqual(Object.keys(reasonsOf(outcome)).sort(), ["dist/a.js", "dist/b.js"]);
  });

  it("refuses a changed artifact whose attestation is about the old one", async () => {
    const one = await fresh();
    one.write("dist/app.js", "other");
    one.commit();
    const outcome = await gate(one);
    assert.equal(outcome.status, 1);
    assert.deepEqual(reasonsOf(outcome), { "dist/app.js": "subject-mismatch" });
  });

  it("judges anew what an attestation was about that was removed or replaced", async () => {
    const one = await fresh();
    rmSync(join(one.folder, "dist/app.js.intoto.json"));
    one.commit();
    const removed = await gate(one);
    assert.deepEqual(reasonsOf(removed), { "dist/app.js": "attestation-not-found" });
    assert.deepEqual(pathsOf(removed), ["dist/app.js.intoto.json checked"]);
    one.write("dist/app.js.intoto.json", "{}");
    one.commit();
    assert.equal((await gate(one)).status, 1);
    rmSync(join(one.folder, "dist"), { recursive: true });
    one.commit();
    const both = await gate(one);
    assert.equal(both.status, 0);
    assert.equal(both.report?.artifacts.length, 0);
  });

  it("tells of a path that is renamed out of the rules, and refuses it where they say so", async () => {
    const one = await fresh();
    renameSync(join(one.folder, "dist/app.js"), join(one.folder, "app.js"));
    one.commit();
    const outcome = await gate(one);
    assert.equal(outcome.status, 0);
    assert.match(outcome.err, /"dist\/app\.js" was removed; the rule "dist" covered it/);
    assert.match(outcome.err, /"dist\/app\.js" was moved out of the rules, to "app\.js"/);
    one.write("gate.json", rulesText([DIST], { unmatched: "ignored", removed: "refused" }));
    const refused = await gate(one);
    assert.equal(refused.status, 1);
    assert.equal(reasonsOf(refused)["dist/app.js"], "covered-path-removed");
    one.write("gate.json", rulesText([DIST]));
    const required = await gate(one);
    assert.equal(reasonsOf(required)["app.js"], "attestation-not-found");
  });

  it("reports what no rule matches, as ignored or as one that must be attested", async () => {
    const one = await fresh();
    one.write("src/main.ts", "code");
    one.commit();
    assert.deepEqual(pathsOf(await gate(one)), ["src/main.ts ignored"]);
    one.write("gate.json", rulesText([DIST]));
    const required = await gate(one);
    assert.deepEqual(reasonsOf(required), { "src/main.ts": "attestation-not-found" });
  });

  it("refuses symbolic links, also where nothing is asked", async () => {
    const one = await fresh();
    rmSync(join(one.folder, "dist/app.js"));
    symlinkSync("../README.md", join(one.folder, "dist/app.js"));
    symlinkSync("/etc/passwd", join(one.folder, "elsewhere"));
    one.commit();
    const outcome = await gate(one);
    assert.equal(outcome.status, 1);
    const reason = "unsupported-file-name";
    assert.deepEqual(reasonsOf(outcome), { "dist/app.js": reason, elsewhere: reason });
    one.write(
      "gate.json",
      rulesText([{ id: "l", paths: ["elsewhere", "dist/*"], ignored: true }], {
        unmatched: "ignored",
      }),
    );
    assert.equal((await gate(one)).status, 0);
  });

  it("sees a submodule that .gitmodules asks git to ignore, and takes its commit", async () => {
    const one = await fresh();
    const inner = await fresh();
    one.git("rm", "-q", "-r", "dist");
    one.git(
      "-c",
      "protocol.file.allow=always",
      "submodule",
      "--quiet",
      "add",
      inner.folder,
      "dist",
    );
    one.git("config", "-f", ".gitmodules", "submodule.dist.ignore", "all");
    one.commit("in the place of a folder that is covered");
    const hidden = await gate(one);
    assert.equal(reasonsOf(hidden).dist, "unsupported-file-name");
    one.write(
      "gate.json",
      rulesText([{ id: "m", paths: "dist", artifact: true }], {
        unmatched: "ignored",
      }),
    );
    assert.deepEqual(reasonsOf(await gate(one)), { dist: "attestation-not-found" });
    const commit = inner.git("rev-parse", "HEAD").trim();
    writeFileSync(
      `${one.folder}/../dist-${commit}.json`,
      await one.attestDigest({ gitCommit: commit }),
    );
    const bundle = `${one.folder}/../dist-${commit}.json`;
    const attested = await gate(one, `--bundle=${bundle}`);
    rmSync(bundle);
    assert.deepEqual(reasonsOf(attested), { dist: "ok" });
  });

  it("reads odd names byte for byte, and refuses those that are no text", async () => {
    const one = await fresh();
    const odd = 'dist/a\tb\n"ü\\ .js';
    await one.writeAttested(odd, "odd");
    // Node's own calls take text only.
    const shell = "printf x > \"$(printf 'dist/\\377.js')\"; printf y > \"$(printf 'src\\376')\"";
    const { execFileSync } = await import("node:child_process");
    execFileSync("sh", ["-c", shell], { cwd: one.folder });
    one.commit();
    const outcome = await gate(one);
    const reasons = reasonsOf(outcome);
    assert.equal(reasons[odd], "ok");
    assert.equal(reasons["dist/\ufffd.js"], "unsupported-file-name");
    assert.equal(Object.keys(reasons).length, 2);
    assert.ok(pathsOf(outcome).includes("src\ufffd ignored"));
    const text = await one.gate([`--key=${one.key}`, "--rules=gate.json"]);
    assert.ok(!/\t|\\n"ü/.test(text.out));
  });

  it("runs no program that the repository's configuration or attributes name", async () => {
    const one = await fresh();
    const mark = join(one.folder, "..", "pwned");
    const evil = join(one.folder, "evil.sh");
    writeFileSync(evil, `#!/bin/sh\ntouch ${mark}\ncat\n`);
    chmodSync(evil, 0o755);
    for (
      const name of [
        "core.fsmonitor",
        "diff.external",
        "diff.x.command",
        "diff.x.textconv",
        "filter.x.smudge",
        "filter.x.clean",
        "core.sshCommand",
        "core.pager",
        "core.editor",
        "credential.helper",
      ]
    ) one.git("config", name, evil);
    one.git("config", "alias.ls-tree", `!${evil}`);
    writeFileSync(join(one.folder, ".git/hooks/post-index-change"), `#!/bin/sh\ntouch ${mark}\n`);
    chmodSync(join(one.folder, ".git/hooks/post-index-change"), 0o755);
    rmSync(mark, { force: true });
    one.write(".git/info/attributes", "* diff=x filter=x\n");
    await gate(one);
    assert.equal(existsSync(mark), false);
  });

  it("takes no replaced object and no working copy for what is committed", async () => {
    const one = await fresh();
    one.write("dist/app.js", "other");
    const head = one.commit();
    one.git("replace", head, "HEAD~1");
    one.write("dist/app.js", "app");
    const outcome = await gate(one);
    assert.equal(outcome.report?.gate.head, head);
    assert.deepEqual(reasonsOf(outcome), { "dist/app.js": "subject-mismatch" });
  });

  it("says what to do where a shallow clone lacks the ref, and works in one that has it", async () => {
    const one = await fresh();
    const base = one.git("rev-parse", "HEAD").trim();
    one.write("dist/app.js", "app 2");
    one.write("dist/app.js.intoto.json", await one.attest("app 2"));
    one.commit();
    const clone = new Repository(`${one.folder}-shallow`);
    all.push(clone);
    const url = `file://${one.folder}`;
    one.git("clone", "-q", "--depth", "1", url, clone.folder);
    for (const since of [[], ["--since=main~1"], [`--since=${base}`], ["--since=v1"]]) {
      const outcome = await clone.gate([`--key=${one.key}`, "--rules=gate.json", ...since]);
      assert.equal(outcome.status, 2, outcome.out);
      assert.match(outcome.err, /this clone is shallow.*fetch-depth: 0.*\(git-ref-not-found\)/);
    }
    clone.git("fetch", "-q", "--depth", "2");
    const deeper = await clone.gate([`--key=${one.key}`, "--rules=gate.json", JSON_FORMAT]);
    assert.equal(deeper.status, 0, deeper.err);
    assert.deepEqual(reasonsOf(deeper), { "dist/app.js": "ok" });
  });

  it("refuses refs that are options, ranges or paths, and a folder that is no repository", async () => {
    for (
      const since of [
        "--upload-pack=x",
        "-x",
        "HEAD:README.md",
        "a b",
        "main..HEAD",
        "HEAD^@",
        "",
        ":/first",
        "\u0000",
      ]
    ) {
      const outcome = await repository.gate([`--key=${repository.key}`, `--since=${since}`]);
      assert.equal(outcome.status, 2, `${since}: ${outcome.out}`);
      assert.match(outcome.err, /\((?:usage|git-ref-not-found)\)/);
    }
    const zero = await gate(repository, `--since=${"0".repeat(40)}`);
    assert.deepEqual(zero.report?.gate.bases, []);
    const folder = new Repository();
    all.push(folder);
    const none = await folder.gate([`--key=${repository.key}`]);
    assert.equal(none.status, 2);
    assert.match(none.err, /\(git-failed\)/);
  });

  it("warns of a change of its own rules, and reads them as they were with --from-base", async () => {
    const one = await fresh();
    one.write("key.pub", one.publicKey);
    one.commit();
    one.write("gate.json", rulesText([{ id: "all", paths: "**", ignored: true }]));
    one.write("key.pub", "-----BEGIN PUBLIC KEY-----\nnothing\n-----END PUBLIC KEY-----\n");
    one.write("dist/app.js", "evil");
    one.commit();
    const args = ["--key=key.pub", "--rules=gate.json", JSON_FORMAT];
    const fooled = await one.gate([`--key=${one.key}`, "--rules=gate.json", JSON_FORMAT]);
    assert.equal(fooled.status, 0);
    assert.match(fooled.err, /"gate\.json" decides what passes, and this change changes it/);
    const held = await one.gate([...args, "--from-base"]);
    assert.equal(held.status, 1, held.err);
    assert.deepEqual(reasonsOf(held), { "dist/app.js": "subject-mismatch" });
    assert.match(held.err, /"key\.pub" decides what passes.*it was read as it was before/);
    const absent = await one.gate([...args, "--from-base", `--since=${"0".repeat(40)}`]);
    assert.equal(absent.status, 2);
    assert.match(absent.err, /--from-base needs one commit/);
  });

  it("verifies a card by its canonical digest, and a file by its bytes", async () => {
    const one = await fresh();
    const card = { b: 1, a: ["x"] };
    one.write("cards/alice.json", JSON.stringify(card, undefined, 2));
    one.write("cards/alice.json.intoto.json", await one.attest(canonicalJson(card)));
    one.write("files/x.bin", "bytes");
    one.write("files/x.bin.intoto.json", await one.attest("bytes"));
    one.write("cards/bad.json", '{"a":1,"a":2}');
    one.write(
      "gate.json",
      rulesText([
        { id: "cards", paths: "cards/*.json", urn: "urn:acme:agent:{1}" },
        { id: "files", paths: "files/*.bin", urn: "urn:acme:file:{1}", subject: "file" },
      ], { unmatched: "ignored" }),
    );
    one.commit();
    assert.deepEqual(reasonsOf(await gate(one)), {
      "urn:acme:agent:alice": "ok",
      "urn:acme:agent:bad": "duplicate-json-key",
      "urn:acme:file:x": "ok",
    });
    one.write(
      "gate.json",
      rulesText([
        { id: "cards", paths: "cards/*.json", urn: "urn:acme:agent:{1}", subject: "stored" },
      ], { unmatched: "ignored" }),
    );
    const lost = await gate(one);
    assert.equal(lost.status, 2);
    assert.match(lost.err, /give --registry or --db/);
  });

  it("asks its sources by digest and by URN, and stops where one could not be asked", async () => {
    const one = await fresh();
    one.write("dist/new.js", "new");
    one.write(
      "gate.json",
      rulesText([
        DIST,
        { id: "u", paths: "svc/*/**", urn: "urn:acme:svc:{1}", subject: "stored" },
      ], { unmatched: "ignored" }),
    );
    one.write("svc/pay/main.ts", "code");
    one.write("svc/pay/more.ts", "code");
    one.write("svc/mail/main.ts", "code");
    one.commit();
    const envelope = await one.attest("new");
    const stored = { sha256: "ab".repeat(32) };
    const asked: string[] = [];
    const source = {
      name: "the source",
      async byDigest(digest: object) {
        asked.push(JSON.stringify(digest));
        return await Promise.resolve([{ source: "s#1", content: envelope }]);
      },
      async byUrn(urn: string) {
        asked.push(urn);
        if (urn !== "urn:acme:svc:pay") return undefined;
        return {
          digest: stored,
          attestations: [{ source: "s#2", content: await one.attestDigest(stored) }],
        };
      },
    };
    const args = [`--key=${one.key}`, "--rules=gate.json", JSON_FORMAT];
    const outcome = await one.gate(args, { dependencies: { sources: [source] } });
    assert.deepEqual(reasonsOf(outcome), {
      "dist/new.js": "ok",
      "urn:acme:svc:mail": "attestation-not-found",
      "urn:acme:svc:pay": "ok",
    });
    assert.equal(asked.filter((one) => one === "urn:acme:svc:pay").length, 1);
    const { AttestationError } = await import("../errors.ts");
    const broken = {
      name: "broken",
      byUrn: () => Promise.resolve(undefined),
      byDigest: () => Promise.reject(new AttestationError("store-unavailable", "Cannot ask")),
    };
    const down = await one.gate(args, { dependencies: { sources: [broken] } });
    assert.equal(down.status, 2);
    assert.match(down.err, /\(store-unavailable\)/);
  });

  it("judges by a policy, which never passes what the rules refuse", async () => {
    const one = await fresh();
    const policy = (mode: string) =>
      JSON.stringify({
        type: "attest-policy/v1",
        mode,
        unselected: "pass",
        trust: { keys: { ci: { publicKey: one.publicKey } } },
        rules: [{
          id: "signed",
          select: { name: "dist/**" },
          require: [{ id: "by-ci", envelope: { signedBy: { of: ["ci"] } } }],
        }],
      });
    one.write("policy.json", policy("enforce"));
    one.commit();
    await one.writeAttested("dist/new.js", "new");
    one.commit();
    const args = ["--policy=policy.json", "--rules=gate.json", JSON_FORMAT];
    const good = await one.gate(args);
    assert.equal(good.status, 0, good.err);
    assert.equal(good.report?.policy?.ok, true);
    one.write("dist/new.js", "newer");
    one.commit();
    assert.equal((await one.gate(args)).status, 1);
    one.write("warn.json", policy("permissive"));
    const warned = await one.gate(["--policy=warn.json", "--rules=gate.json", JSON_FORMAT]);
    assert.equal(warned.status, 0);
    assert.match(warned.err, /only warns because its mode is permissive/);
    // No policy judges what has no digest, so none can pass it over either.
    const cards = { id: "c", paths: "cards/*.json", urn: "urn:acme:agent:{1}" };
    one.write("cards.json", rulesText([cards], { unmatched: "ignored" }));
    one.write("cards/bad.json", "{");
    one.commit();
    const bad = await one.gate(["--policy=policy.json", "--rules=cards.json", JSON_FORMAT]);
    assert.equal(bad.status, 1);
    assert.deepEqual(reasonsOf(bad), { "urn:acme:agent:bad": "malformed-json" });
    symlinkSync("x", join(one.folder, "dist/link"));
    one.commit();
    const link = await one.gate(["--policy=warn.json", "--rules=gate.json", JSON_FORMAT]);
    assert.equal(link.status, 1);
    assert.deepEqual(reasonsOf(link), { "dist/link": "unsupported-file-name" });
  });

  it("writes its report in each format, whole or not at all, and traces with DEBUG=1", async () => {
    const one = await fresh();
    one.write("dist/app.js", "other");
    symlinkSync("x", join(one.folder, "dist/link"));
    one.commit();
    for (const format of ["text", "json", "sarif", "junit", "markdown", "html", "annotations"]) {
      const args = [
        `--key=${one.key}`,
        "--rules=gate.json",
        `--format=${format}`,
        "--output=report",
      ];
      const { status, out, err } = await one.gate(args);
      assert.equal(status, format === "sarif" ? 0 : 1, `${format}: ${err}`);
      assert.equal(out, "");
      const text = readFileSync(join(one.folder, "report"), "utf8");
      assert.match(text, /dist\/app\.js/, format);
      assert.match(text, /dist\/link/, format);
      assert.match(err, /^FAILED$/m);
      if (format === "sarif") {
        const [{ results }] = JSON.parse(text).runs;
        assert.deepEqual(
          results.map(({ ruleId, locations }: {
            ruleId: string;
            locations: { physicalLocation: { artifactLocation: { uri: string } } }[];
          }) => `${ruleId} ${locations[0].physicalLocation.artifactLocation.uri}`),
          ["subject-mismatch dist/app.js", "unsupported-file-name dist/link"],
        );
      }
    }
    assert.equal(
      (await one.gate([
        `--key=${one.key}`,
        "--rules=gate.json",
        "--format=sarif",
        "--exit-code",
        "--output=report",
      ])).status,
      1,
    );
    const lost = await one.gate([`--key=${one.key}`, "--rules=gate.json", "--output=gate.json"]);
    assert.equal(lost.status, 2);
    assert.equal(readFileSync(join(one.folder, "gate.json"), "utf8"), SOME);
    const traced = await one.gate([`--key=${one.key}`, "--rules=gate.json"], {
      variables: { DEBUG: "1" },
    });
    for (
      const step of [
        /debug: head [0-9a-f]{40}/,
        /debug: modified dist\/app\.js: checked by dist/,
        /debug: dist\/app\.js: subject-mismatch/,
      ]
    ) {
      assert.match(traced.err, step);
    }
  });

  it("finds what changed among many paths", async () => {
    const one = await fresh();
    for (let i = 0; i < 3000; i++) one.write(`src/${i % 50}/${i}.ts`, String(i));
    one.commit();
    const outcome = await gate(one);
    assert.equal(outcome.report?.gate.paths.length, 3000);
    assert.equal(outcome.status, 0);
  });
});
