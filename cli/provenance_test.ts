import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { utf8 } from "../internal/bytes.ts";
import { parseStatement } from "../intoto/statement.ts";
import { parseProvenance, type Provenance } from "../slsa/provenance.ts";
import {
  keylessMachine,
  type Machine,
  type Outcome,
  payloadOf,
  run,
  SERVICES,
  textOf,
} from "../tests/signing_machine.ts";
import { REQUEST_TOKEN } from "../tools/pki/services.ts";

const COMMIT = "5ba5ee8b0f9c3f4d4f3f7a0c1d2e3f4a5b6c7d8e";
const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";
const EVENT = "event.json";
const GITHUB: Record<string, string> = {
  GITHUB_ACTIONS: "true",
  GITHUB_EVENT_PATH: EVENT,
  GITHUB_EVENT_NAME: "push",
  GITHUB_REPOSITORY: "acme/app",
  GITHUB_REPOSITORY_ID: "1001",
  GITHUB_REPOSITORY_OWNER_ID: "2002",
  GITHUB_SERVER_URL: "https://github.com",
  GITHUB_REF: "refs/heads/main",
  GITHUB_SHA: COMMIT,
  GITHUB_RUN_ID: "42",
  GITHUB_RUN_ATTEMPT: "1",
  GITHUB_WORKFLOW_REF: "acme/app/.github/workflows/release.yml@refs/heads/main",
  GITHUB_TOKEN: "hunter2",
  RUNNER_ENVIRONMENT: "github-hosted",
};
const FILES = { "app.tgz": "hello\n", [EVENT]: '{"ref":"refs/heads/main"}' };
const GIT = {
  "git rev-parse --verify HEAD": `${COMMIT}\n`,
  "git status --porcelain --untracked-files=no --ignore-submodules=untracked": "",
  "git remote get-url origin": "https://user:hunter2@git.example/acme/app.git\n",
  "git symbolic-ref --quiet HEAD": "refs/heads/main\n",
};

const build = (changes: Partial<Machine> = {}): Machine => ({
  files: FILES,
  variables: GITHUB,
  ...changes,
});

async function provenance(machine: Machine, ...args: string[]): Promise<Outcome> {
  const outcome = await run(machine, "provenance", ...args);
  assert.ok(!(outcome.out + outcome.err).includes("hunter2"), outcome.out + outcome.err);
  return outcome;
}

async function made(machine: Machine, ...args: string[]): Promise<Provenance> {
  const { status, out, err } = await provenance(machine, ...args);
  assert.equal(status, 0, err);
  assert.equal(err, "");
  return parseProvenance(parseStatement(out));
}

async function refused(machine: Machine, ...args: string[]): Promise<[number, string?]> {
  const { status, out, err } = await provenance(machine, ...args);
  assert.equal(out, "");
  return [status, /^error: .* \(([a-z0-9-]+)\)$/m.exec(err)?.[1]];
}

describe("provenance", () => {
  it("prints a Statement about the artifacts, one line", async () => {
    const { out } = await provenance(build(), "app.tgz");
    assert.equal(out.trim().split("\n").length, 1);
    const statement = parseStatement(out);
    assert.deepEqual(statement.subject, [
      { name: "app.tgz", digest: { sha256: encodeHex(sha256(utf8("hello\n"))) } },
    ]);
    const { source, builderId, finishedOn } = parseProvenance(statement);
    assert.deepEqual(source, {
      uri: "git+https://github.com/acme/app",
      ref: "refs/heads/main",
      commit: COMMIT,
      entryPoint: ".github/workflows/release.yml",
    });
    assert.ok(builderId.endsWith("/release.yml@refs/heads/main"));
    assert.ok(finishedOn !== undefined);
  });

  it("takes subjects by digest, and prints the predicate alone", async () => {
    const digest = `sha256:${"ab".repeat(32)}`;
    const { out } = await provenance(build(), `--subject-digest=app@${digest}`);
    assert.equal(parseStatement(out).subject[0].digest?.sha256, "ab".repeat(32));
    const alone = JSON.parse((await provenance(build(), "--predicate-only")).out);
    assert.deepEqual(Object.keys(alone), ["buildDefinition", "runDetails"]);
    assert.deepEqual(await refused(build(), "--predicate-only", "app.tgz"), [2, "usage"]);
    assert.deepEqual(await refused(build()), [2, "artifact-required"]);
    assert.deepEqual(await refused(build(), "gone.tgz"), [2, "unreadable-file"]);
  });

  it("writes to a file, which must not be there", async () => {
    const { status, out, runtime } = await provenance(build(), "app.tgz", "--output=p.json");
    assert.equal(status, 0);
    assert.equal(out, "");
    parseStatement(String(runtime.files.get("p.json")));
    const again = build({ files: { ...FILES, "p.json": "old" } });
    assert.deepEqual(await refused(again, "app.tgz", "--output=p.json"), [2, "file-exists"]);
    const early = await refused(again, "gone.tgz", "--output=p.json");
    assert.deepEqual(early, [2, "file-exists"]);
    const forced = await provenance(again, "app.tgz", "--output=p.json", "--force");
    assert.ok(String(forced.runtime.files.get("p.json")).startsWith("{"));
    assert.deepEqual(await refused(build(), "app.tgz", "--force"), [2, "usage"]);
  });

  it("names all that is missing, what gives it, and the phase", async () => {
    const { GITHUB_SHA: _, GITHUB_RUN_ID: __, ...variables } = GITHUB;
    const { status, out, err } = await provenance(build({ variables }), "app.tgz");
    assert.equal(status, 1);
    assert.equal(out, "");
    for (const word of ["commit (GITHUB_SHA", "run_id (GITHUB_RUN_ID)", "--source-commit"]) {
      assert.ok(err.includes(word), err);
    }
    assert.ok(err.startsWith("error: Generation of the attestation failed"), err);
    assert.deepEqual(await refused(build({ variables: {} }), "app.tgz"), [
      1,
      "unknown-build-environment",
    ]);
  });

  it("refuses an event file that contradicts, is none, or is too large", async () => {
    const events: [string | { size: number } | undefined, number, string][] = [
      ['{"ref":"refs/heads/other"}', 1, "conflicting-build-fact"],
      ["{", 1, "malformed-build-fact"],
      [{ size: (25 << 20) + 1 }, 1, "limit-exceeded"],
      [undefined, 1, "unreadable-file"],
    ];
    for (const [event, status, reason] of events) {
      const files = { "app.tgz": "hello\n", ...(event === undefined ? {} : { [EVENT]: event }) };
      assert.deepEqual(await refused(build({ files }), "app.tgz"), [status, reason]);
    }
  });

  it("takes what the platform does not tell", async () => {
    const { externalParameters, internalParameters, resolvedDependencies, ...rest } = await made(
      build({ variables: { ...GITHUB, ATTEST_MATRIX: '{"os":"linux"}' } }),
      "app.tgz",
      "--parameter=profile=release=fast",
      "--parameter=note=",
      `--dependency=pkg:docker/app@1@sha256:${"cd".repeat(32)}`,
      "--build-type=https://acme.example/type/v1",
      "--builder-id=https://acme.example/builder",
      "--started=2026-01-01T00:00:00Z",
    );
    assert.equal(externalParameters.profile, "release=fast");
    assert.equal(externalParameters.note, "");
    assert.deepEqual((internalParameters.github as Record<string, unknown>).matrix, {
      os: "linux",
    });
    assert.deepEqual(resolvedDependencies[1], {
      uri: "pkg:docker/app@1",
      digest: { sha256: "cd".repeat(32) },
    });
    assert.equal(rest.buildType, "https://acme.example/type/v1");
    assert.equal(rest.builderId, "https://acme.example/builder");
    assert.deepEqual(rest.startedOn, new Date("2026-01-01T00:00:00Z"));
    const none = await made(build({ variables: { ...GITHUB, ATTEST_MATRIX: "null" } }), "app.tgz");
    assert.ok(!("matrix" in (none.internalParameters.github as object)));
  });

  it("refuses options that are none", async () => {
    const wrong = [
      "--parameter=x",
      "--parameter==x",
      "--parameter=workflow=x",
      "--parameter=__proto__=x",
      "--dependency=pkg:docker/app@1",
      "--dependency=sha256:00",
      "--matrix=[1]",
      "--matrix={",
      "--started=yesterday",
      "--ci=jenkins",
      "--allow-dirty",
    ];
    for (const option of wrong) {
      assert.equal((await refused(build(), "app.tgz", option))[1], "usage", option);
    }
    const twice = ["--parameter=a=1", "--parameter=a=2"];
    assert.equal((await refused(build(), "app.tgz", ...twice))[1], "usage");
    const secret = await provenance(build(), "app.tgz", "--parameter=pass word=hunter2");
    assert.equal(secret.status, 2);
  });

  it("describes a local build by git, only when it is told to", async () => {
    const local = build({ variables: {}, commands: GIT });
    const args = ["app.tgz", "--ci=local", "--workflow=Makefile"];
    const { source, builderId, invocationId, externalParameters } = await made(local, ...args);
    assert.deepEqual(source, {
      uri: "git+https://git.example/acme/app",
      ref: "refs/heads/main",
      commit: COMMIT,
      entryPoint: "Makefile",
    });
    assert.ok(builderId.includes("local") && invocationId?.startsWith("urn:uuid:"));
    assert.ok(!("dirty" in externalParameters));
    assert.equal((await refused(local, "app.tgz", "--ci=local"))[1], "missing-build-fact");
    assert.equal((await refused(local, "app.tgz"))[1], "unknown-build-environment");

    const changed = {
      ...GIT,
      "git status --porcelain --untracked-files=no --ignore-submodules=untracked":
        " M src/app.ts\n",
    };
    const dirty = build({ variables: {}, commands: changed });
    assert.equal((await refused(dirty, ...args))[1], "conflicting-build-fact");
    assert.equal((await made(dirty, ...args, "--allow-dirty")).externalParameters.dirty, true);

    const {
      "git status --porcelain --untracked-files=no --ignore-submodules=untracked": _,
      ...silent
    } = GIT;
    const unknown = build({ variables: {}, commands: silent });
    assert.equal((await refused(unknown, ...args))[1], "unreadable-file");
    const other = [...args, `--source-commit=${"f".repeat(40)}`];
    assert.equal((await refused(local, ...other))[1], "conflicting-build-fact");

    const given = [`--source-commit=${COMMIT}`, "--source-repository=git.example/acme/app"];
    const elsewhere = build({ variables: {} });
    assert.equal((await made(elsewhere, ...args, ...given)).source?.commit, COMMIT);
    const lacking = await provenance(elsewhere, ...args);
    assert.ok(lacking.err.includes("repository, commit"), lacking.err);
  });

  it("asks the platform for the claims of the job, if it grants them", async () => {
    const given = await keylessMachine(FILES);
    const granted = {
      ...GITHUB,
      ACTIONS_ID_TOKEN_REQUEST_URL: `${given.services!.urls.oidc}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
    };
    given.variables = granted;
    await made(given, "app.tgz");
    assert.deepEqual(given.services!.requests, ["oidc GET /token"]);
    given.variables = { ...granted, GITHUB_SHA: "f".repeat(40) };
    assert.equal((await refused(given, "app.tgz"))[1], "conflicting-build-fact");
    await made(given, "app.tgz", "--no-identity");
    assert.equal(given.services!.requests.length, 2);
    given.services!.faults.oidc = "down";
    assert.equal((await refused(given, "app.tgz"))[1], "service-unavailable");
    // Without a grant nobody is asked.
    await made({ ...given, variables: GITHUB }, "app.tgz");
  });
});

describe("attest --provenance", () => {
  const OWN = "acme/app/.github/workflows/release.yml@refs/heads/main";
  const CALLED = "acme/workflows/.github/workflows/build.yml@refs/tags/v3";

  /** A job of GitHub Actions with a token. */
  async function job(claims: Record<string, string> = {}, changes = {}): Promise<Machine> {
    const given = await keylessMachine(FILES);
    const token = await given.services!.token({ iss: GITHUB_ISSUER, ...claims });
    return { ...given, variables: { ...GITHUB, SIGSTORE_ID_TOKEN: token, ...changes } };
  }
  const attest = (machine: Machine, ...args: string[]) =>
    run(machine, "attest", "app.tgz", "--provenance", ...SERVICES, ...args);
  const verify = (outcome: Outcome, ...args: string[]) =>
    run(
      { files: Object.fromEntries(outcome.runtime.files) },
      "verify",
      "app.tgz",
      "--trusted-root=trusted_root.json",
      "--only-root",
      "--source-uri=github.com/acme/app",
      "--source-branch=main",
      ...args,
    );

  it("is what verify believes of a workflow of the repository: level 2, no more", async () => {
    const outcome = await attest(await job());
    assert.equal(outcome.status, 0, outcome.err);
    const accepted = await verify(outcome, "--min-level=2");
    assert.equal(accepted.status, 0, accepted.out);
    const higher = await verify(outcome, "--min-level=3");
    assert.equal(higher.status, 1);
    assert.ok(higher.out.includes("insufficient-level"), higher.out);
    const foreign = await verify(outcome, "--builder-id=https://github.com/" + CALLED);
    assert.ok(foreign.out.includes("unexpected-builder"), foreign.out);
  });

  it("is of level 3 by a reusable workflow that is named", async () => {
    const outcome = await attest(await job({ job_workflow_ref: CALLED }));
    assert.equal(outcome.status, 0, outcome.err);
    const statement = parseStatement(payloadOf(textOf(outcome, "app.tgz.sigstore.json")));
    assert.equal(parseProvenance(statement).builderId, `https://github.com/${CALLED}`);
    const accepted = await verify(
      outcome,
      "--min-level=3",
      "--builder-id=https://github.com/acme/workflows/.github/workflows/build.yml@v3",
    );
    assert.equal(accepted.status, 0, accepted.out);
  });

  it("is of no use when its environment told another builder than its certificate", async () => {
    const given = await job({ job_workflow_ref: CALLED });
    const { SIGSTORE_ID_TOKEN: _, ...variables } = given.variables!;
    const blind = await run({ ...given, variables }, "provenance", "app.tgz", "--output=s.json");
    assert.equal(blind.status, 0, blind.err);
    const files = { ...given.files, "s.json": textOf(blind, "s.json") };
    const signed = await run(
      { ...given, files },
      "attest",
      "app.tgz",
      "--statement=s.json",
      ...SERVICES,
    );
    assert.equal(signed.status, 0, signed.err);
    const judged = await verify(signed, `--builder-id=https://github.com/${OWN}`);
    assert.equal(judged.status, 1);
    assert.ok(/untrusted-builder|certificate-provenance-mismatch/.test(judged.out), judged.out);
  });

  it("refuses the token of another repository, and leaves nothing", async () => {
    const other = await job({
      repository: "evil/app",
      workflow_ref: "evil/app/.github/workflows/release.yml@refs/heads/main",
      job_workflow_ref: "evil/app/.github/workflows/release.yml@refs/heads/main",
    });
    const outcome = await attest(other);
    assert.equal(outcome.status, 1);
    assert.ok(outcome.err.includes("(conflicting-build-fact)"), outcome.err);
    assert.ok(!outcome.runtime.files.has("app.tgz.sigstore.json"));
    assert.deepEqual(other.services!.requests, []);
  });

  it("makes one for each leg of a matrix", async () => {
    const legs = ["linux", "macos"].map(async (os) => {
      const outcome = await attest(await job({}, { ATTEST_MATRIX: JSON.stringify({ os }) }));
      assert.equal((await verify(outcome, "--min-level=2")).status, 0);
      const statement = parseStatement(payloadOf(textOf(outcome, "app.tgz.sigstore.json")));
      return (parseProvenance(statement).internalParameters.github as { matrix: unknown }).matrix;
    });
    assert.deepEqual(await Promise.all(legs), [{ os: "linux" }, { os: "macos" }]);
  });

  it("skips a pull request without a token if it may, and nothing else", async () => {
    const { SIGSTORE_ID_TOKEN: _, ...variables } = (await job()).variables!;
    const fork = { ...variables, GITHUB_EVENT_NAME: "pull_request" };
    const given = { ...await job(), variables: fork };
    const skipped = await attest(given, "--if-possible");
    assert.equal(skipped.status, 0);
    assert.ok(skipped.err.startsWith("notice: "), skipped.err);
    assert.ok(!skipped.runtime.files.has("app.tgz.sigstore.json"));
    const push = { ...given, variables };
    for (const outcome of [await attest(given), await attest(push, "--if-possible")]) {
      assert.equal(outcome.status, 2);
      assert.ok(outcome.err.includes("(missing-identity-token)"), outcome.err);
      assert.ok(outcome.err.includes("id-token: write"), outcome.err);
    }
  });
});
