import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import type { LockfileReport, NpmReport } from "../npm/mod.ts";
import { MemoryRuntime } from "../tests/cli_runtime.ts";
import {
  type AnswerChanges,
  answerOf,
  integrityOf,
  keysFile,
  PACKAGE,
  sha512Of,
  TARBALL,
} from "../tests/fixtures/npm.ts";
import { rootJson } from "../tests/fixtures/sigstore.ts";
import { main } from "./main.ts";
import { NPM_OPTIONS } from "./npm_options.ts";

interface Outcome {
  status: number;
  out: string;
  err: string;
  runtime: MemoryRuntime;
}

type Files = ConstructorParameters<typeof MemoryRuntime>[0];

async function run(files: Files, ...args: string[]): Promise<Outcome> {
  const runtime = new MemoryRuntime(files, ["verify", ...args]);
  const status = await main(runtime);
  const { stdout: out, stderr: err } = runtime;
  assert.ok(!/\n\s+at .*[:(]/.test(out + err), err);
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/.test(out + err));
  return { status, out, err, runtime };
}

async function trustFiles(): Promise<Record<string, string>> {
  return {
    "keys.json": JSON.stringify(await keysFile()),
    "root.json": JSON.stringify(await rootJson()),
  };
}

const TRUST = ["--npm-keys=keys.json", "--trusted-root=root.json", "--only-root"];

async function packageFiles(
  changes: AnswerChanges = {},
): Promise<Record<string, string | Uint8Array>> {
  return {
    ...await trustFiles(),
    "app.tgz": TARBALL,
    "answer.json": JSON.stringify(await answerOf(changes)),
  };
}

async function verifyPackage(args: string[], changes: AnswerChanges = {}): Promise<Outcome> {
  const files = await packageFiles(changes);
  return await run(files, "app.tgz", "--bundle=answer.json", ...TRUST, ...args);
}

const LOCKED = ["--lockfile=package-lock.json", "--attestations=answers", ...TRUST];

async function lockfileFiles(changes: Files = {}): Promise<NonNullable<Files>> {
  const integrity = await integrityOf(TARBALL);
  const bare = await integrityOf(utf8("bare"));
  return {
    ...await trustFiles(),
    "package-lock.json": JSON.stringify({
      lockfileVersion: 3,
      packages: {
        "": {},
        [`node_modules/${PACKAGE.name}`]: { version: PACKAGE.version, integrity },
        "node_modules/bare": { version: "1.0.0", integrity: bare },
        "node_modules/ours": { resolved: "ours", link: true },
      },
    }),
    "answers/@acme%2fapp@1.2.3.json": JSON.stringify(await answerOf()),
    ...changes,
  };
}

async function verifyLock(args: string[], changes: Files = {}): Promise<Outcome> {
  return await run(await lockfileFiles(changes), ...LOCKED, ...args);
}

async function reportOf(outcome: Promise<Outcome>): Promise<LockfileReport & NpmReport> {
  return JSON.parse((await outcome).out);
}

test("verify accepts an npm package by the registry's answer", async () => {
  const outcome = await verifyPackage([
    "--repo=acme/app",
    "--package-name=@acme/app",
    "--package-version=1.2.3",
  ]);
  assert.equal(outcome.status, 0, outcome.out + outcome.err);
  for (
    const line of [
      "  package            @acme/app\n",
      "  builder            https://github.com/actions/runner/github-hosted\n",
      "  source repository  https://github.com/acme/app\n",
      "predicate.repository",
      "envelope.key-period",
      "PASSED: 1 artifact verified\n",
    ]
  ) assert.ok(outcome.out.includes(line), line + outcome.out);
});

test("verify takes an npm package by its SHA-512 and prints JSON to a file", async () => {
  const files = await packageFiles();
  const outcome = await run(
    files,
    `--digest=sha512:${await sha512Of(TARBALL)}`,
    "--bundle=answer.json",
    ...TRUST,
    "--repo=acme/app",
    "--format=json",
    "--output=report.json",
  );
  assert.equal(outcome.status, 0, outcome.err);
  assert.equal(outcome.out, "");
  const written = outcome.runtime.files.get("report.json");
  assert.equal(JSON.parse(String(written)).source.repositoryId, "1001");
  const short = `--digest=sha256:${"0".repeat(64)}`;
  assert.equal((await run(files, short, "--bundle=answer.json", ...TRUST)).status, 2);
});

test("verify lists every package of a lockfile, with one summary", async () => {
  const outcome = await verifyLock(["--unsafe-any-identity"]);
  assert.equal(outcome.status, 0, outcome.out + outcome.err);
  for (
    const line of [
      "Without attestations\n  bare@1.0.0  No attestations\n",
      "Not from a registry\n  ours  Not from a registry: link\n",
      "PASSED: 1 of 3 packages verified, 1 without attestations\n",
      "tarballs not there    2: judged by the lockfile's digest\n",
    ]
  ) assert.ok(outcome.out.includes(line), line + outcome.out);
});

test("verify shows packages as SARIF at their lines, and in every other format", async () => {
  const lockfile = JSON.parse(String((await lockfileFiles())["package-lock.json"]));
  const changes = { "package-lock.json": JSON.stringify(lockfile, null, 2) };
  const { status, out } = await verifyLock(["--format=sarif"], changes);
  assert.equal(status, 0);
  const [result] = JSON.parse(out).runs[0].results;
  assert.equal(result.ruleId, "missing-identity-expectation");
  assert.deepEqual(result.locations[0].physicalLocation, {
    artifactLocation: { uri: "package-lock.json" },
    region: { startLine: 5 },
  });
  assert.equal((await verifyLock(["--format=sarif", "--exit-code"], changes)).status, 1);
  for (const format of ["junit", "annotations", "markdown", "html"]) {
    const lock = await verifyLock([`--format=${format}`], changes);
    assert.equal(lock.status, 1);
    assert.ok(lock.out.includes("missing-identity-expectation"), format);
    const one = await verifyPackage([`--format=${format}`, "--unsafe-any-identity"]);
    assert.equal(one.status, 0, one.err);
    assert.ok(/passed|PASSED|failures="0"/.test(one.out), format);
  }
  assert.equal((await verifyPackage(["--exit-code"])).status, 2);
});

test("verify says of a lockfile that expectations are missing", async () => {
  const outcome = await verifyLock([]);
  assert.equal(outcome.status, 1);
  assert.ok(outcome.out.includes("NOT STATED: give --npm-expectations"), outcome.out);
  assert.ok(outcome.out.includes("FAILED: 1 of 3 packages refused (missing-identity-expectation)"));
});

test("verify reports a lockfile that it cannot read, and refuses documents that it cannot", async () => {
  const outcome = await verifyLock(["--unsafe-any-identity"], { "package-lock.json": "{}" });
  assert.equal(outcome.status, 1);
  assert.ok(outcome.out.includes("(malformed-lockfile)"), outcome.out);
  for (const option of ["npm-expectations", "previous"]) {
    const bad = await verifyLock([`--${option}=bad.json`], { "bad.json": "[]" });
    assert.equal(bad.status, 2);
    assert.ok(bad.err.includes("bad.json"), bad.err);
  }
  assert.equal((await verifyLock([], { "keys.json": "[]" })).status, 2);
  assert.equal((await verifyLock([], { "package-lock.json": { unreadable: true } })).status, 2);
});

test("verify refuses a folder of answers that does not exist: nothing would be attested", async () => {
  const files = await lockfileFiles();
  for (const option of ["--attestations=other", "--npm-cache=other", "--attestations=keys.json"]) {
    const outcome = await run(files, "--lockfile=package-lock.json", ...TRUST, option);
    assert.equal(outcome.status, 2, option);
    assert.ok(outcome.err.includes("it is no folder"), outcome.err);
  }
});

test("Every option about npm packages counts", async () => {
  const fails = async (reason: string, args: string[], changes: AnswerChanges = {}) => {
    const outcome = await verifyPackage([...args, "--format=json"], changes);
    assert.equal(outcome.status, 1, args.join(" ") + outcome.err);
    assert.equal(JSON.parse(outcome.out).errorReason, reason, args.join(" "));
  };
  const passes = async (args: string[], changes: AnswerChanges = {}) => {
    const outcome = await verifyPackage(args, changes);
    assert.equal(outcome.status, 0, args.join(" ") + outcome.out + outcome.err);
  };
  const repo = "--repo=acme/app";
  const path = ".github/workflows/release.yml";
  const any = "--unsafe-any-identity";
  const status = async (args: string[], changes: Files = {}) => {
    const report = await reportOf(verifyLock([any, ...args, "--format=json"], changes));
    return report.errorReason ?? report.packages[0].tarball;
  };
  const cases: Record<string, () => Promise<void>> = {
    "npm-keys": async () => {
      const other = JSON.stringify(await keysFile({ keyId: "SHA256:other" }));
      const files = { ...await packageFiles(), "keys.json": other };
      const outcome = await run(files, "app.tgz", "-b", "answer.json", ...TRUST, repo);
      assert.ok(outcome.out.includes("missing-trusted-key"));
    },
    "package-name": async () => {
      await passes([repo, "--package-name=@acme/app"]);
      await fails("package-mismatch", [repo, "--package-name=@acme/ap"]);
    },
    "package-version": async () => {
      await passes([repo, "--package-version=1.2.3"]);
      await fails("package-mismatch", [repo, "--package-version=1.2.4"]);
    },
    "npm-registry": async () => {
      await passes([repo, "--npm-registry=https://registry.example"]);
      await fails("package-mismatch", [repo, "--npm-registry=https://npm.example"]);
    },
    "repo-id": async () => {
      await passes(["--repo-id=1001"]);
      await fails("source-mismatch", ["--repo-id=1002"]);
    },
    "owner-id": async () => {
      await passes([repo, "--owner-id=77"]);
      await fails("source-mismatch", [repo, "--owner-id=78"]);
      await fails("missing-identity-expectation", ["--owner-id=77"]);
    },
    workflow: async () => {
      await passes([repo, `--workflow=${path}`]);
      await fails("workflow-mismatch", [repo, `--workflow=${path}2`]);
    },
    lockfile: async () => assert.equal(await status([]), "absent"),
    attestations: async () => {
      const files = { "other/readme": "" };
      const report = await reportOf(
        run(
          { ...await lockfileFiles(), ...files },
          "--lockfile=package-lock.json",
          ...TRUST,
          any,
          "--attestations=other",
          "--format=json",
        ),
      );
      assert.equal(report.summary.unattested, 2);
    },
    tarballs: async () => {
      const name = "t/acme-app-1.2.3.tgz";
      assert.equal(await status(["--tarballs=t"], { [name]: TARBALL }), "matched");
      assert.equal(await status(["--tarballs=t/"], { [name]: "evil" }), "integrity-mismatch");
    },
    "npm-cache": async () => {
      const hex = await sha512Of(TARBALL);
      const at = `npm/_cacache/content-v2/sha512/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${
        hex.slice(4)
      }`;
      assert.equal(await status(["--npm-cache=npm"], { [at]: TARBALL }), "matched");
    },
    "require-tarballs": async () => {
      assert.equal(await status(["--require-tarballs"]), "artifact-required");
    },
    "npm-expectations": async () => {
      const document = (repository: string) => ({
        "e.json": JSON.stringify({ packages: { "@acme/app": { repository } } }),
      });
      const option = "--npm-expectations=e.json";
      assert.equal(await status([option], document("github.com/acme/app")), "absent");
      assert.equal(await status([option], document("github.com/acme/ap")), "source-mismatch");
    },
    previous: async () => {
      const before = (name: string) => ({
        "p.json": JSON.stringify({
          packages: [{ name, version: "0.9.0", status: "verified" }],
        }),
      });
      assert.equal(await status(["--previous=p.json"], before("other")), "absent");
      assert.equal(await status(["--previous=p.json"], before("bare")), "provenance-lost");
    },
  };
  assert.deepEqual(Object.keys(cases).sort(), NPM_OPTIONS.map(({ name }) => name).sort());
  for (const check of Object.values(cases)) await check();
  // Those that other artifacts have as well.
  await passes([repo, "--source-ref=refs/tags/v1.2.3"]);
  await fails("source-ref-mismatch", [repo, "--source-ref=refs/tags/v1.2.4"]);
  const uri = "--source-uri=github.com/acme/app";
  await passes([uri, "--source-tag=v1.2.3"]);
  await passes([uri, "--source-versioned-tag=v1", "--min-level=2"]);
  await passes([repo, `--source-digest=${"c".repeat(40)}`]);
  await fails("commit-mismatch", [repo, `--source-digest=${"d".repeat(40)}`]);
  await fails("tag-mismatch", [uri, "--source-tag=v1.2.4"]);
  await fails("branch-mismatch", [uri, "--source-branch=main"]);
  await fails("versioned-tag-mismatch", [uri, "--source-versioned-tag=v2"]);
  await fails("insufficient-level", [repo, "--min-level=3"]);
  await fails("build-type-mismatch", [repo, "--build-type=https://a.example"]);
  await fails("workflow-input-mismatch", [repo, "--build-workflow-input=a=b"]);
  await fails("unexpected-builder", [repo, "--builder-id=https://github.com/actions/runner"]);
  await fails("source-mismatch", ["--source-uri=github.com/acme/ap"]);
  const printed = await verifyPackage([repo, "--print-provenance"]);
  assert.equal(JSON.parse(printed.out).predicateType, "https://slsa.dev/provenance/v1");
  assert.ok(printed.err.includes("PASSED"));
  await passes([any]);
  await fails("missing-identity-expectation", []);
  await fails("source-mismatch", ["--repo=acme/ap"]);
});

test("verify refuses options that would not count", async () => {
  const usage: [string[], string][] = [
    [["app.tgz", "--repo=a/b", "--package-name=a"], "--package-name needs --npm-keys"],
    [["app.tgz", "--repo=a/b", "--previous=a"], "--previous needs --npm-keys"],
    [["--lockfile=package-lock.json"], "--lockfile needs --npm-keys"],
    [[...LOCKED, "app.tgz"], "--lockfile takes no artifact"],
    [[...LOCKED, "--repo=a/b"], "--repo has no meaning for a lockfile"],
    [[...LOCKED, "--bundle=answer.json"], "--bundle has no meaning for a lockfile"],
    [["--lockfile=package-lock.json", ...TRUST], "--lockfile needs --attestations"],
    [["app.tgz", ...TRUST, "--key=a"], "--key has no meaning for an npm package"],
    [["app.tgz", ...TRUST, "--tarballs=a"], "--tarballs has no meaning for an npm package"],
    [["app.tgz", ...TRUST], "--npm-keys takes one --bundle"],
    [[...TRUST, "--bundle=answer.json"], "--npm-keys takes one package"],
    [["app.tgz", "-b", "answer.json", ...TRUST, "--format=gh"], "--format gh"],
    [["app.tgz", "-b", "answer.json", ...TRUST, "--repo=a"], "--repo is OWNER/NAME"],
    [["app.tgz", "-b", "answer.json", ...TRUST, "--repo-id=a"], "repositoryId"],
    [["app.tgz", "-b", "answer.json", ...TRUST, "--package-version=^1"], "packageVersion"],
    [["app.tgz", "--npm-keys=keys.json", "--only-root"], "--only-root needs --trusted-root"],
  ];
  const files = { ...await packageFiles(), ...await lockfileFiles() };
  for (const [args, wanted] of usage) {
    const { status, out, err } = await run(files, ...args);
    assert.equal(status, 2, args.join(" "));
    assert.equal(out, "");
    assert.ok(err.includes("(usage)") && err.includes(wanted), `${args.join(" ")}: ${err}`);
  }
});

test("verify shows how many packages of a lockfile are done", async () => {
  const { progressBar } = await import("./progress.ts");
  const runtime = new MemoryRuntime();
  runtime.terminal = true;
  let now = 0;
  const bar = progressBar(runtime, () => now, "package");
  now = 5000;
  bar.update({ phase: "verify", done: 1, total: 2 });
  assert.ok(runtime.stderr.includes(" 50 % 1 package"), runtime.stderr);
});
