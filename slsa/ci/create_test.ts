import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError, type Reason } from "../../errors.ts";
import type { JsonObject } from "../../internal/json.ts";
import { parseStatement } from "../../intoto/statement.ts";
import type { Environment } from "../../sigstore/oidc/ambient.ts";
import { OWN_BUILD_TYPES } from "../build_types.ts";
import { evaluateProvenance } from "../evaluate.ts";
import { parseProvenance, type Provenance } from "../provenance.ts";
import {
  BUILDKITE,
  BUILDKITE_CLAIMS,
  CIRCLECI,
  CIRCLECI_CLAIMS,
  CIRCLECI_ISSUER,
  CLOUD_BUILD,
  COMMIT,
  FINISHED,
  GITHUB,
  GITHUB_CLAIMS,
  GITHUB_EVENT,
  GITHUB_ISSUER,
  GITLAB,
  GITLAB_CLAIMS,
  OTHER_COMMIT,
  PLATFORMS,
  SECRETS,
  SUBJECT,
  tokenOf,
} from "./_environments_test.ts";
import { type CiProvenanceOptions, createCiProvenance } from "./create.ts";
import type { BuildPlatform } from "./detect.ts";

/** What Google Cloud Build does not tell. */
const GIVEN: CiProvenanceOptions = {
  finishedOn: FINISHED,
  source: { repository: "https://github.com/acme/app" },
};
const optionsOf = (platform: string): CiProvenanceOptions =>
  platform === "google-cloud-build" ? GIVEN : { finishedOn: FINISHED };

function create(environment: Environment, options: CiProvenanceOptions = {}): Provenance {
  return parseProvenance(
    createCiProvenance(SUBJECT, environment, { finishedOn: FINISHED, ...options }),
  );
}

interface Refusal {
  reason: Reason | "none" | "TypeError";
  path?: string;
  message: string;
}

function refusal(environment: Environment, options: CiProvenanceOptions = {}): Refusal {
  try {
    create(environment, options);
  } catch (error) {
    if (error instanceof TypeError) return { reason: "TypeError", message: error.message };
    if (!isAttestationError(error)) throw error;
    const told = `${error.message} ${error.cause}`;
    ok(!told.includes("hunter2"), told);
    ok(!/\p{Cc}/u.test(told), told);
    return { reason: error.reason, path: error.path, message: error.message };
  }
  return { reason: "none", message: "" };
}

const github = (claims: Record<string, string | number> = {}, issuer = GITHUB_ISSUER) =>
  tokenOf(issuer, { ...GITHUB_CLAIMS, ...claims });

/** Records which variables are read. */
function watched(environment: Environment): { environment: Environment; read: Set<string> } {
  const read = new Set<string>();
  const proxy = new Proxy(environment, {
    get(target, name) {
      if (typeof name === "string") read.add(name);
      return Reflect.get(target, name);
    },
    ownKeys() {
      throw new Error("the whole environment was looked at");
    },
  });
  return { environment: proxy, read };
}

describe("createCiProvenance()", () => {
  for (const [platform, { environment, token }] of Object.entries(PLATFORMS)) {
    const options = optionsOf(platform);

    it(`makes what the parsers read, on ${platform}, with and without a token`, () => {
      for (const more of [{}, token === undefined ? {} : { identityToken: token }]) {
        const statement = createCiProvenance(SUBJECT, environment, { ...options, ...more });
        deepEqual(parseStatement(JSON.stringify(statement)), statement);
        const provenance = parseProvenance(statement);
        equal(provenance.source?.commit, COMMIT);
        ok(provenance.source?.uri.startsWith("git+https://"));
        ok(provenance.source?.ref?.startsWith("refs/"));
        ok(provenance.invocationId?.startsWith("https://"));
        deepEqual(provenance.finishedOn, FINISHED);
        ok(Object.keys(provenance.externalParameters.workflow as JsonObject).length >= 3);
      }
    });

    it(`is what our own verification accepts, on ${platform}`, () => {
      const statement = createCiProvenance(SUBJECT, environment, options);
      const { builderId, source, buildType } = parseProvenance(statement);
      const evaluation = evaluateProvenance(statement, {
        keys: [{ name: "ci", fingerprint: "00" }],
      }, {
        sourceUri: source!.uri,
        sourceCommit: COMMIT,
        builderId,
        buildType,
        requirePinnedDependencies: true,
        minLevel: 2,
        builders: { builders: [{ signer: { keys: ["ci"] }, builderId, maxBuildLevel: 2 }] },
      });
      deepEqual(evaluation.checks.filter(({ outcome }) => outcome !== "passed"), []);
    });

    it(`lets no secret of the environment out, on ${platform}`, () => {
      const { environment: seen, read } = watched({ ...SECRETS, ...environment });
      const text = JSON.stringify(createCiProvenance(SUBJECT, seen, {
        ...options,
        ...(token === undefined ? {} : { identityToken: token }),
      }));
      ok(!text.includes("hunter2"), text);
      for (const name of Object.keys(SECRETS)) ok(!read.has(name), `${name} was read`);
    });

    it(`names all that is missing at once, on ${platform}`, () => {
      const { reason, message, path } = refusal({}, { platform: platform as BuildPlatform });
      equal(reason, "missing-build-fact");
      ok(path !== undefined && path !== "", message);
      for (const fact of [/repository|project_path/, /commit/, /ref/]) {
        ok(fact.test(message), message);
      }
      ok((message.match(/\(/g) ?? []).length >= 4, message);
    });

    it(`needs each of its facts, on ${platform}`, () => {
      const optional = new Set([
        "CI",
        "CI_COMMIT_BRANCH",
        "CI_JOB_NAME",
        "CI_JOB_STARTED_AT",
        "CI_NODE_INDEX",
        "CI_NODE_TOTAL",
        "CI_PROJECT_NAMESPACE_ID",
        "CI_PROJECT_URL",
        "CI_RUNNER_ID",
        "GITHUB_EVENT_PATH",
        "GITHUB_JOB",
        "GITHUB_WORKFLOW",
        "GITHUB_WORKFLOW_SHA",
        "BUILDKITE_AGENT_ID",
        "BUILDKITE_ORGANIZATION_ID",
        "BUILDKITE_PARALLEL_JOB",
        "BUILDKITE_PARALLEL_JOB_COUNT",
        "BUILDKITE_PIPELINE_ID",
        "BUILDKITE_PULL_REQUEST",
        "BUILDKITE_SOURCE",
        "BUILDKITE_STEP_KEY",
        "BUILDKITE_TAG",
        "CIRCLE_NODE_INDEX",
        "CIRCLE_NODE_TOTAL",
        "CIRCLE_ORGANIZATION_ID",
        "CIRCLE_PIPELINE_ID",
        "COMMIT_SHA", // REVISION_ID is the same
        "REVISION_ID",
        "PROJECT_NUMBER",
        "REF_NAME",
        "REPO_FULL_NAME",
        "REPO_NAME",
        "SERVICE_ACCOUNT_EMAIL",
        "TRIGGER_BUILD_CONFIG_PATH", // or the trigger's name
        "TRIGGER_NAME",
      ]);
      for (const name of Object.keys(environment)) {
        for (const value of [undefined, ""]) {
          const { reason, message } = refusal({ ...environment, [name]: value }, {
            ...options,
            platform: platform as BuildPlatform,
          });
          const isMark = /^(GITHUB_ACTIONS|GITLAB_CI|BUILDKITE|CIRCLECI)$/.test(name);
          const wanted = optional.has(name) || isMark ? "none" : "missing-build-fact";
          equal(reason, wanted, `${name}: ${message}`);
          if (reason !== "none") ok(message.includes(name), message);
        }
      }
    });

    it(`refuses values that carry more than they should, on ${platform}`, () => {
      const { environment: seen, read } = watched(environment);
      createCiProvenance(SUBJECT, seen, options);
      const attacks = [
        "x\nGITHUB_REPOSITORY=evil/app",
        "x\r",
        "\u001b[2Jx",
        "x\u202ey",
        "x\u200b",
        "x\u2028y",
        "x".repeat(1025),
        "\ud800",
      ];
      const marks = ["GITEA_ACTIONS", "FORGEJO_ACTIONS"];
      for (const name of read) {
        const { [name]: value } = environment;
        if (value === undefined || value === "" || value === "true") continue;
        if (marks.includes(name) || name === "BUILDKITE_PULL_REQUEST") continue;
        for (const attack of attacks) {
          const { reason, message } = refusal({ ...environment, [name]: attack }, {
            ...options,
            platform: platform as BuildPlatform,
          });
          equal(reason, "malformed-build-fact", `${name}=${JSON.stringify(attack)}: ${message}`);
        }
      }
    });

    if (token === undefined) continue;

    it(`refuses a claim that contradicts a variable, on ${platform}`, () => {
      for (const [name, value] of Object.entries(token.claims)) {
        const untold = [
          "iss",
          "repository_owner",
          "workflow_sha",
          "job_workflow_ref",
          "job_workflow_sha",
          "check_run_id",
          "ci_config_ref_uri",
          "ci_config_sha",
          "ref_type",
          "oidc.circleci.com/pipeline-definition-id",
          "oidc.circleci.com/ssh-rerun",
        ];
        if (untold.includes(name)) continue;
        if (name === "runner_environment" && platform !== "github") continue;
        const other = /sha$|commit$/.test(name)
          ? OTHER_COMMIT
          : name === "workflow_ref"
          ? "acme/app/.github/workflows/other.yml@refs/tags/v1.2.3"
          : typeof value === "string"
          ? value.replace(/[^/](?=[^/]*$)/, (c) => c === "1" ? "2" : "1")
          : Number(value) + 1;
        const changed = tokenOf(token.issuer, { ...token.claims as object, [name]: other });
        const { reason, message } = refusal(environment, { ...options, identityToken: changed });
        equal(reason, "conflicting-build-fact", `${name}: ${message}`);
      }
    });

    it(`refuses the token of another platform, on ${platform}`, () => {
      const claims = platform === "github" ? GITLAB_CLAIMS : token.claims;
      for (const issuer of ["https://issuer.example", `${token.issuer}.evil.example`]) {
        const other = tokenOf(issuer, claims as Record<string, string>);
        const { reason } = refusal(environment, { ...options, identityToken: other });
        equal(reason, "conflicting-build-fact");
      }
    });
  }

  it("names another builder than the platform's only where no token names one", () => {
    const builderId = "https://acme.example/builder";
    for (const [platform, { environment, token }] of Object.entries(PLATFORMS)) {
      const options = optionsOf(platform);
      equal(create(environment, { ...options, builderId }).builderId, builderId, platform);
      if (platform === "google-cloud-build") continue;
      const signed = { ...options, identityToken: token };
      const { reason } = refusal(environment, { ...signed, builderId });
      equal(reason, "conflicting-build-fact", platform);
      const same = create(environment, signed).builderId;
      equal(create(environment, { ...signed, builderId: same }).builderId, same);
    }
  });

  it("refuses wrong arguments", () => {
    throws(() => createCiProvenance(SUBJECT, GITHUB, { builder: "x" } as CiProvenanceOptions));
    const wrong: CiProvenanceOptions[] = [
      { finished: FINISHED } as CiProvenanceOptions,
      { source: { branch: "main" } } as CiProvenanceOptions,
      { platform: "jenkins" } as unknown as CiProvenanceOptions,
      { platform: "constructor" } as unknown as CiProvenanceOptions,
      { parameters: { workflow: {} } },
      { parameters: { inputs: {} } },
      { parameters: { dirty: false } },
      { matrix: [] as unknown as JsonObject },
      { platform: "local", identityToken: github() },
    ];
    for (const options of wrong) {
      const { reason, message } = refusal(GITHUB, options);
      equal(reason, "TypeError");
      ok(/^Cannot create provenance: |^Unknown option /.test(message), message);
    }
    equal(refusal({}).reason, "unknown-build-environment");
  });

  it("needs a time, whose start may be the platform's", () => {
    const none = { finishedOn: undefined };
    const { reason, message, path } = refusal(GITHUB, none);
    equal(reason, "missing-build-fact");
    equal(path, "/timestamp");
    ok(message.includes("timestamp"));
    const { startedOn, finishedOn } = create(GITLAB, none);
    deepEqual(startedOn, new Date("2026-03-04T05:00:00Z"));
    equal(finishedOn, undefined);
    const given = new Date("2026-03-04T04:00:00Z");
    deepEqual(create(GITLAB, { startedOn: given }).startedOn, given);
    equal(
      refusal(GITHUB, { startedOn: new Date(FINISHED.getTime() + 1) }).reason,
      "invalid-timestamp",
    );
    for (const bad of ["2026-03-04 05:00:00", "yesterday", "2026-03-04T05:00:00+01:00"]) {
      equal(refusal({ ...GITLAB, CI_JOB_STARTED_AT: bad }).reason, "malformed-build-fact");
    }
  });

  it("adds what the caller says, and no more", () => {
    const dependency = { uri: "pkg:docker/builder", digest: { sha256: "b".repeat(64) } };
    const provenance = create(GITHUB, {
      parameters: { profile: "release" },
      dependencies: [dependency],
      matrix: { os: "linux", node: 24 },
      buildType: "https://acme.example/build/v1",
      builderId: "https://acme.example/builder",
    });
    equal(provenance.externalParameters.profile, "release");
    deepEqual(provenance.resolvedDependencies[1], dependency);
    deepEqual((provenance.internalParameters.github as JsonObject).matrix, {
      os: "linux",
      node: 24,
    });
    equal(provenance.buildType, "https://acme.example/build/v1");
    equal(provenance.builderId, "https://acme.example/builder");
    const large = { matrix: { x: "x".repeat(70_000) } };
    equal(refusal(GITHUB, large).reason, "malformed-build-fact");
    const longest = "x".repeat((64 << 10) - '{"x":""}'.length);
    equal(refusal(GITHUB, { matrix: { x: longest } }).reason, "none");
    equal(refusal(GITHUB, { matrix: { x: `${longest}x` } }).reason, "malformed-build-fact");
  });

  it("tells the legs of a matrix apart", () => {
    const legs = ["linux", "macos"].map((os) => JSON.stringify(create(GITHUB, { matrix: { os } })));
    ok(legs[0] !== legs[1]);
    const nodes = ["1", "2"].map((CI_NODE_INDEX) =>
      JSON.stringify(create({ ...GITLAB, CI_NODE_INDEX }))
    );
    ok(nodes[0] !== nodes[1]);
  });

  it("lets the caller say what the platform does not, and nothing else", () => {
    const { REPO_FULL_NAME: _, ...anonymous } = CLOUD_BUILD;
    equal(create(anonymous, GIVEN).source?.uri, "git+https://github.com/acme/app");
    equal(refusal(CLOUD_BUILD).reason, "missing-build-fact");
    const given: [Environment, CiProvenanceOptions["source"]][] = [
      [CLOUD_BUILD, { repository: "https://github.com/acme/other" }],
      [CLOUD_BUILD, { repository: "https://github.com/acme/app", commit: OTHER_COMMIT }],
      [CLOUD_BUILD, { repository: "https://github.com/acme/app", path: "other.yaml" }],
      [GITHUB, { repository: "https://github.com/acme/other" }],
      [GITHUB, { ref: "refs/heads/main" }],
      [GITHUB, { commit: OTHER_COMMIT }],
      [GITHUB, { path: ".github/workflows/other.yml" }],
      [GITLAB, { repository: "https://gitlab.example/acme/tools/other" }],
      [GITLAB, { path: "other.yml" }],
      [BUILDKITE, { ref: "refs/heads/other" }],
      [CIRCLECI, { repository: "https://gitlab.com/acme/app" }],
    ];
    for (const [environment, source] of given) {
      const { reason, message } = refusal(environment, { source });
      equal(reason, "conflicting-build-fact", `${JSON.stringify(source)}: ${message}`);
    }
    const same = { repository: "git@github.com:acme/app.git", commit: COMMIT.toUpperCase() };
    equal(refusal(GITHUB, { source: same }).reason, "none");
  });
});

describe("createCiProvenance() on GitHub Actions", () => {
  it("writes what GitHub's own action writes", () => {
    const { externalParameters, internalParameters, ...rest } = create(GITHUB, {
      identityToken: github(),
      event: JSON.stringify(GITHUB_EVENT),
    });
    deepEqual(externalParameters, {
      workflow: {
        ref: "refs/tags/v1.2.3",
        repository: "https://github.com/acme/app",
        path: ".github/workflows/release.yml",
      },
    });
    deepEqual(internalParameters, {
      github: {
        event_name: "push",
        repository_id: "700100200",
        repository_owner_id: "4242",
        runner_environment: "github-hosted",
        job: "build",
        check_run_id: "55443322",
      },
    });
    equal(rest.buildType, "https://actions.github.io/buildtypes/workflow/v1");
    equal(
      rest.builderId,
      "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2.3",
    );
    equal(rest.invocationId, "https://github.com/acme/app/actions/runs/9876543210/attempts/2");
    deepEqual(rest.resolvedDependencies, [{
      uri: "git+https://github.com/acme/app@refs/tags/v1.2.3",
      digest: { gitCommit: COMMIT },
    }]);
  });

  it("names a reusable workflow as the builder, and its commit", () => {
    const called = "acme/workflows/.github/workflows/build.yml@refs/tags/v3";
    const identityToken = github({ job_workflow_ref: called, job_workflow_sha: OTHER_COMMIT });
    const provenance = create(GITHUB, { identityToken });
    equal(provenance.builderId, `https://github.com/${called}`);
    deepEqual(provenance.resolvedDependencies[1], {
      uri: "git+https://github.com/acme/workflows@refs/tags/v3",
      digest: { gitCommit: OTHER_COMMIT },
    });
    equal(provenance.source?.commit, COMMIT);
    const builderId = "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2.3";
    equal(refusal(GITHUB, { identityToken, builderId }).reason, "conflicting-build-fact");
    const pinned = called.replace("refs/tags/v3", OTHER_COMMIT);
    equal(
      create(GITHUB, { identityToken: github({ job_workflow_ref: pinned }) }).builderId,
      `https://github.com/${pinned}`,
    );
  });

  it("is accepted for the certificate of the same job, up to the level of its builder", () => {
    const called = "acme/workflows/.github/workflows/build.yml@refs/tags/v3";
    const own = "acme/app/.github/workflows/release.yml@refs/tags/v1.2.3";
    for (const [workflow, level] of [[own, 2], [called, 3]] as const) {
      const statement = createCiProvenance(SUBJECT, GITHUB, {
        identityToken: github({ job_workflow_ref: workflow }),
        finishedOn: FINISHED,
      });
      const identity = {
        subjectAlternativeName: `https://github.com/${workflow}`,
        sanType: "uri" as const,
        issuer: GITHUB_ISSUER,
        buildSignerURI: `https://github.com/${workflow}`,
        runnerEnvironment: "github-hosted",
        sourceRepositoryURI: "https://github.com/acme/app",
        sourceRepositoryDigest: COMMIT,
        sourceRepositoryRef: "refs/tags/v1.2.3",
        sourceRepositoryIdentifier: "700100200",
        sourceRepositoryOwnerIdentifier: "4242",
        buildConfigURI: `https://github.com/${own}`,
        buildTrigger: "push",
        runInvocationURI: "https://github.com/acme/app/actions/runs/9876543210/attempts/2",
      };
      const expected = {
        sourceUri: "github.com/acme/app",
        sourceTag: "v1.2.3",
        sourceCommit: COMMIT,
        minLevel: level,
        ...(level === 3 ? { builderId: `https://github.com/${workflow}` } : {}),
      };
      const { checks, level: found } = evaluateProvenance(statement, { identity }, expected);
      deepEqual(checks.filter(({ outcome }) => outcome !== "passed"), []);
      equal(found, level);
      const compared = checks.find(({ id }) => id === "predicate.certificate")?.actual ?? "";
      for (
        const claim of [
          "sourceRepositoryURI",
          "sourceRepositoryRef",
          "sourceRepositoryDigest",
          "sourceRepositoryIdentifier",
          "sourceRepositoryOwnerIdentifier",
          "runnerEnvironment",
          "buildTrigger",
          "buildConfigURI",
          "runInvocationURI",
          "buildSignerURI",
        ]
      ) ok(compared.includes(claim), `${claim} was not compared`);
      const other = { ...identity, sourceRepositoryDigest: OTHER_COMMIT };
      ok(
        evaluateProvenance(statement, { identity: other }, expected).checks
          .some(({ reason }) => reason === "certificate-provenance-mismatch"),
      );
    }
  });

  it("has the inputs of a workflow that was started by hand", () => {
    const environment = {
      ...GITHUB,
      GITHUB_EVENT_NAME: "workflow_dispatch",
      GITHUB_REF: "refs/heads/main",
      GITHUB_WORKFLOW_REF: "acme/app/.github/workflows/release.yml@refs/heads/main",
    };
    const inputs = { channel: "beta", note: "two\nlines", dry: true };
    const event = (more: object) =>
      JSON.stringify({ ref: "refs/heads/main", repository: GITHUB_EVENT.repository, ...more });
    deepEqual(create(environment, { event: event({ inputs }) }).externalParameters.inputs, inputs);
    for (const none of [{}, { inputs: null }, { inputs: {} }]) {
      const { externalParameters } = create(environment, { event: event(none) });
      ok(!("inputs" in externalParameters));
    }
    equal(refusal(environment, { event: event({ inputs: ["x"] }) }).reason, "malformed-build-fact");
    const { reason, message } = refusal(environment);
    equal(reason, "missing-build-fact");
    ok(message.includes("inputs (the event file)"), message);

    const elsewhere = refusal(environment, { event: event({ ref: "refs/heads/other" }) });
    deepEqual([elsewhere.reason, elsewhere.path], ["conflicting-build-fact", "/ref"]);
    equal(refusal(environment, { event: event({ ref: "main" }) }).reason, "none");

    const statement = createCiProvenance(SUBJECT, environment, {
      event: event({ inputs }),
      finishedOn: FINISHED,
    });
    const judge = (channel: string) =>
      evaluateProvenance(statement, { keys: [{ name: "ci", fingerprint: "00" }] }, {
        workflowInputs: { channel, dry: "true" },
      }).checks.find(({ id }) => id === "predicate.workflow-input")?.outcome;
    equal(judge("beta"), "passed");
    equal(judge("stable"), "failed");
  });

  it("refuses an event that contradicts the environment", () => {
    const { repository } = GITHUB_EVENT;
    const events: [object, string][] = [
      [{ repository: { ...repository, full_name: "evil/app" } }, "/repository"],
      [{ repository: { ...repository, id: 1 } }, "/repository_id"],
      [{ ref: "refs/heads/main" }, "/ref"],
      [{ head_commit: { id: OTHER_COMMIT } }, "/commit"],
    ];
    for (const [change, path] of events) {
      const event = JSON.stringify({ ...GITHUB_EVENT, ...change });
      const found = refusal(GITHUB, { event });
      equal(found.reason, "conflicting-build-fact");
      equal(found.path, path);
    }
    const release = { ...GITHUB, GITHUB_EVENT_NAME: "release" };
    const tagged = (tag_name: string) => JSON.stringify({ release: { tag_name } });
    equal(refusal(release, { event: tagged("v1.2.3") }).reason, "none");
    equal(refusal(release, { event: tagged("v9") }).reason, "conflicting-build-fact");
    const group = { ...GITHUB, GITHUB_EVENT_NAME: "merge_group" };
    const merged = JSON.stringify({ merge_group: { head_sha: OTHER_COMMIT } });
    equal(refusal(group, { event: merged }).reason, "conflicting-build-fact");
  });

  it("refuses an event file that is none", () => {
    const events: [string | Uint8Array, Reason][] = [
      ["", "malformed-build-fact"],
      ["[]", "malformed-build-fact"],
      ["{", "malformed-build-fact"],
      ['{"ref":"a","ref":"hunter2"}', "malformed-build-fact"],
      [new Uint8Array([0x7b, 0xff, 0x7d]), "malformed-build-fact"],
      ["[".repeat(100), "limit-exceeded"],
      [" ".repeat((25 << 20) + 1), "limit-exceeded"],
      ['{"repository":{"full_name":"acme/app\\nX"}}', "malformed-build-fact"],
    ];
    for (const [event, reason] of events) equal(refusal(GITHUB, { event }).reason, reason);
    const twice = refusal(GITHUB, { event: '{"ref":"a","ref":"hunter2"}' }).message;
    ok(twice.endsWith("it is not strict JSON (duplicate-json-key)"), twice);
    equal(refusal(GITHUB, { event: '{"repository":7,"head_commit":null}' }).reason, "none");
  });

  it("names what is missing, not what depends on it, and says what is wrong", () => {
    const { GITHUB_SERVER_URL: _, ...nowhere } = GITHUB;
    const { message, path } = refusal(nowhere);
    equal(path, "/server");
    ok(message.endsWith("it is not known: server (GITHUB_SERVER_URL)"), message);
    const long = refusal({ ...GITHUB, GITHUB_JOB: "x".repeat(1025) });
    ok(long.message.includes("more than 1024 characters"), long.message);
    ok(long.message.length < 300);
  });

  it("refuses a workflow that is forged", () => {
    const refs: [string, Reason][] = [
      ["evil/app/.github/workflows/release.yml@refs/tags/v1.2.3", "conflicting-build-fact"],
      ["acme/app-evil/.github/workflows/release.yml@refs/tags/v1.2.3", "conflicting-build-fact"],
      ["acme/app/.github/workflows/release.yml@refs/heads/main", "conflicting-build-fact"],
      ["acme/app/.github/workflows/release.yml", "malformed-build-fact"],
      ["acme/app/.github/workflows/release.yml@", "malformed-build-fact"],
      ["acme/app/.github/workflows/release.yml@main", "malformed-build-fact"],
      ["acme/app/.github/workflows/release.yml@refs/tags/..", "malformed-build-fact"],
      ["acme/app/.github/workflows/../../x.yml@refs/tags/v1.2.3", "malformed-build-fact"],
      ["acme/app/.github/workflows/x/y.yml@refs/tags/v1.2.3", "malformed-build-fact"],
      ["acme/app/release.yml@refs/tags/v1.2.3", "malformed-build-fact"],
      ["acme/.github/workflows/release.yml@refs/tags/v1.2.3", "malformed-build-fact"],
      ["acme/app/.github/workflows/release.sh@refs/tags/v1.2.3", "malformed-build-fact"],
    ];
    for (const [GITHUB_WORKFLOW_REF, reason] of refs) {
      equal(refusal({ ...GITHUB, GITHUB_WORKFLOW_REF }).reason, reason, GITHUB_WORKFLOW_REF);
    }
    const { job_workflow_sha: _, ...unpinned } = GITHUB_CLAIMS;
    for (const [job_workflow_ref, reason] of refs.slice(3)) {
      for (const claims of [GITHUB_CLAIMS, unpinned]) {
        const identityToken = tokenOf(GITHUB_ISSUER, { ...claims, job_workflow_ref });
        equal(refusal(GITHUB, { identityToken }).reason, reason);
      }
    }
  });

  it("believes a workflow of another ref than the source only where a token says so", () => {
    const ref = "acme/app/.github/workflows/release.yml@refs/heads/main";
    const environment = { ...GITHUB, GITHUB_WORKFLOW_REF: ref };
    const identityToken = github({ workflow_ref: ref });
    const { externalParameters: { workflow } } = create(environment, { identityToken });
    equal((workflow as JsonObject).ref, "refs/heads/main");
    equal(refusal(environment).reason, "conflicting-build-fact");
  });

  it("lists no reusable workflow whose commit the token does not tell", () => {
    const { job_workflow_sha: _, ...claims } = GITHUB_CLAIMS;
    const job_workflow_ref = "acme/workflows/.github/workflows/build.yml@refs/tags/v3";
    const identityToken = tokenOf(GITHUB_ISSUER, { ...claims, job_workflow_ref });
    const { builderId, resolvedDependencies } = create(GITHUB, { identityToken });
    equal(builderId, `https://github.com/${job_workflow_ref}`);
    deepEqual(resolvedDependencies.map(({ uri }) => uri), [
      "git+https://github.com/acme/app@refs/tags/v1.2.3",
    ]);
  });

  it("refuses the token of a job of another repository", () => {
    const identityToken = github({
      repository: "evil/app",
      workflow_ref: "evil/app/.github/workflows/release.yml@refs/tags/v1.2.3",
    });
    const { reason, path, message } = refusal(GITHUB, { identityToken });
    equal(reason, "conflicting-build-fact");
    equal(path, "/repository");
    ok(message.includes("evil/app") && message.includes("acme/app"), message);
  });

  it("knows the servers that issuers speak for", () => {
    const servers: [string, string][] = [
      ["https://token.actions.githubusercontent.com/acme-corp", "https://github.com"],
      ["https://token.actions.acme.ghe.com", "https://acme.ghe.com"],
      ["https://github.acme.example/_services/token", "https://github.acme.example"],
    ];
    for (const [issuer, server] of servers) {
      const identityToken = github({}, issuer);
      const environment = { ...GITHUB, GITHUB_SERVER_URL: server };
      ok(create(environment, { identityToken }).builderId.startsWith(`${server}/acme/app/`));
      const elsewhere = { ...GITHUB, GITHUB_SERVER_URL: "https://evil.example" };
      equal(refusal(elsewhere, { identityToken }).reason, "conflicting-build-fact");
    }
    const own = { identityToken: github({}, "https://issuer.acme.example") };
    const local = { ...GITHUB, GITHUB_SERVER_URL: "https://git.acme.example" };
    ok(create(local, own).builderId.startsWith("https://git.acme.example/acme/app/"));
    const bad = ["http://github.com", "https://github.com/evil", "https://u@github.com", "github"];
    for (const GITHUB_SERVER_URL of bad) {
      equal(refusal({ ...GITHUB, GITHUB_SERVER_URL }).reason, "malformed-build-fact");
    }
  });

  it("reads a ref with an @ in it", () => {
    const ref = "refs/tags/@acme/app@1.2.3";
    const provenance = create({
      ...GITHUB,
      GITHUB_REF: ref,
      GITHUB_WORKFLOW_REF: `acme/app/.github/workflows/release.yml@${ref}`,
    });
    deepEqual(provenance.source, {
      uri: "git+https://github.com/acme/app",
      ref,
      commit: COMMIT,
      entryPoint: ".github/workflows/release.yml",
    });
  });

  it("refuses facts that are not what they are called", () => {
    const facts: [string, string[]][] = [
      ["GITHUB_REPOSITORY", [
        "app",
        "acme/app/x",
        "acme/..",
        "https://github.com/acme/app",
        "a b/c",
      ]],
      ["GITHUB_SHA", ["HEAD", COMMIT.slice(1), `${COMMIT}0`, "0".repeat(40), `${COMMIT} `]],
      ["GITHUB_REF", [
        "main",
        "refs/",
        "refs/heads/",
        "refs/heads/a..b",
        "refs/heads/a b",
        "refs/heads/a~1",
        "refs/heads/.a",
        "refs/heads/a.lock",
        "refs/heads//a",
        "refs/heads/a@{1}",
      ]],
      ["GITHUB_RUN_ID", ["1/attempts/9", "-1", "1e3", "0x1"]],
      ["GITHUB_REPOSITORY_ID", ["acme"]],
      ["GITHUB_EVENT_NAME", ["push; rm"]],
      ["RUNNER_ENVIRONMENT", ["github hosted"]],
    ];
    for (const [name, values] of facts) {
      for (const value of values) {
        const { reason } = refusal({ ...GITHUB, [name]: value });
        equal(reason, "malformed-build-fact", `${name}=${value}`);
      }
    }
    equal(create({ ...GITHUB, GITHUB_SHA: COMMIT.toUpperCase() }).source?.commit, COMMIT);
  });
});

describe("createCiProvenance() on GitLab CI", () => {
  const token = (claims: object) =>
    tokenOf("https://gitlab.example", { ...GITLAB_CLAIMS, ...claims });

  it("names the pipeline's definition as the builder", () => {
    const builder = "https://gitlab.example/acme/tools/app//.gitlab-ci.yml@refs/heads/main";
    equal(create(GITLAB).builderId, builder);
    equal(create(GITLAB, { identityToken: token({}) }).builderId, builder);
    const builderId = "https://acme.example/builder";
    equal(create(GITLAB, { builderId }).builderId, builderId);
    const options = { builderId, identityToken: token({}) };
    equal(refusal(GITLAB, options).reason, "conflicting-build-fact");
  });

  it("reads tags and instances in a folder", () => {
    const tag = create({
      ...GITLAB,
      CI_COMMIT_TAG: "v1",
      CI_COMMIT_REF_NAME: "v1",
      CI_SERVER_URL: "https://acme.example/gitlab/",
      CI_PROJECT_URL: "https://acme.example/gitlab/acme/tools/app",
    }, {});
    equal(tag.source?.ref, "refs/tags/v1");
    equal(tag.source?.uri, "git+https://acme.example/gitlab/acme/tools/app");
    const claims = token({
      ref: "v1",
      ref_type: "tag",
      ci_config_ref_uri: "gitlab.example/acme/tools/app//.gitlab-ci.yml@refs/tags/v1",
    });
    const environment = { ...GITLAB, CI_COMMIT_TAG: "v1", CI_COMMIT_REF_NAME: "v1" };
    equal(create(environment, { identityToken: claims }).source?.ref, "refs/tags/v1");
  });

  it("refuses a definition of another project or none", () => {
    const definitions: [string, Reason][] = [
      ["gitlab.example/evil/app//.gitlab-ci.yml@refs/heads/main", "conflicting-build-fact"],
      ["gitlab.example/acme/tools/app//other.yml@refs/heads/main", "conflicting-build-fact"],
      ["gitlab.example/acme/tools/app/.gitlab-ci.yml@refs/heads/main", "malformed-build-fact"],
      ["gitlab.example/acme/tools/app//.gitlab-ci.yml@main", "malformed-build-fact"],
      ["gitlab.example/acme/tools/app//../x.yml@refs/heads/main", "malformed-build-fact"],
      ["gitlab.example//.gitlab-ci.yml@refs/heads/main", "malformed-build-fact"],
      ["acme tools//.gitlab-ci.yml@refs/heads/main", "malformed-build-fact"],
    ];
    for (const [ci_config_ref_uri, reason] of definitions) {
      const { reason: found, message } = refusal(GITLAB, {
        identityToken: token({ ci_config_ref_uri }),
      });
      equal(found, reason, message);
    }
    // Where the project is not known, that is what is wrong.
    const { project_path: _, ...claims } = GITLAB_CLAIMS;
    const { CI_PROJECT_PATH: _path, CI_PROJECT_URL: _url, ...unknown } = GITLAB;
    const identityToken = tokenOf("https://gitlab.example", claims);
    equal(refusal(unknown, { identityToken }).reason, "missing-build-fact");
  });

  it("takes the address of an instance by HTTP too, and nothing beside its path", () => {
    const at = (CI_SERVER_URL: string) => {
      const { CI_PROJECT_URL: _, ...environment } = GITLAB;
      return { ...environment, CI_SERVER_URL };
    };
    equal(
      create(at("http://gitlab.example")).source?.uri,
      "git+http://gitlab.example/acme/tools/app",
    );
    const wrong = [
      "ftp://gitlab.example",
      "https://user@gitlab.example",
      "https://gitlab.example/?x",
      "https://gitlab.example/#x",
      "gitlab.example",
    ];
    for (const url of wrong) equal(refusal(at(url)).reason, "malformed-build-fact", url);
  });
});

describe("createCiProvenance() on Buildkite", () => {
  it("knows no commit where nobody resolved it", () => {
    const head = { ...BUILDKITE, BUILDKITE_COMMIT: "HEAD" };
    const { reason, path } = refusal(head);
    equal(reason, "missing-build-fact");
    equal(path, "/commit");
    const identityToken = tokenOf("https://agent.buildkite.com", BUILDKITE_CLAIMS);
    equal(create(head, { identityToken }).source?.commit, COMMIT);
  });

  it("reads tags, and branches of forks", () => {
    equal(create({ ...BUILDKITE, BUILDKITE_TAG: "v1" }).source?.ref, "refs/tags/v1");
    const fork = { BUILDKITE_BRANCH: "someone:main", BUILDKITE_PULL_REQUEST: "12" };
    equal(create({ ...BUILDKITE, ...fork }).source?.ref, "refs/pull/12/head");
    // A tag is of the repository, whoever made the branch; a branch of its own is no fork's.
    equal(create({ ...BUILDKITE, ...fork, BUILDKITE_TAG: "v1" }).source?.ref, "refs/tags/v1");
    const request = { ...BUILDKITE, BUILDKITE_PULL_REQUEST: "12" };
    equal(create(request).source?.ref, "refs/heads/main");
    const none = { ...BUILDKITE, ...fork, BUILDKITE_PULL_REQUEST: "false" };
    equal(refusal(none).reason, "malformed-build-fact");
  });
});

describe("createCiProvenance() on CircleCI", () => {
  it("names the definition that only the token knows, else the project", () => {
    const project = "https://circleci.com/api/v2/projects/33333333-0000-4000-8000-000000000003";
    equal(create(CIRCLECI).builderId, project);
    const identityToken = tokenOf(CIRCLECI_ISSUER, CIRCLECI_CLAIMS);
    equal(
      create(CIRCLECI, { identityToken }).builderId,
      `${project}/pipeline-definitions/66666666-0000-4000-8000-000000000006`,
    );
  });

  it("reads tags, and requests of forks", () => {
    const { CIRCLE_BRANCH: _, ...unnamed } = CIRCLECI;
    equal(create({ ...unnamed, CIRCLE_TAG: "v1" }).source?.ref, "refs/tags/v1");
    const fork = { ...CIRCLECI, CIRCLE_BRANCH: "pull/12" };
    equal(create(fork).source?.ref, "refs/pull/12/head");
    equal(create({ ...fork, CIRCLE_TAG: "v1" }).source?.ref, "refs/tags/v1");
  });
});

describe("createCiProvenance() on Google Cloud Build", () => {
  it("never names Google's own builder", () => {
    ok(!create(CLOUD_BUILD, GIVEN).builderId.includes("GoogleHostedWorker"));
  });

  it("needs a build configuration or a trigger", () => {
    const { TRIGGER_BUILD_CONFIG_PATH: _, TRIGGER_NAME, ...none } = CLOUD_BUILD;
    const { reason, path } = refusal(none, GIVEN);
    equal(reason, "missing-build-fact");
    equal(path, "/workflow");
    const { workflow } = create({ ...none, TRIGGER_NAME }, GIVEN).externalParameters;
    deepEqual(workflow, {
      ref: "refs/tags/v1.2.3",
      repository: "https://github.com/acme/app",
      trigger: "release",
    });
  });

  it("refuses two commits", () => {
    const two = { ...CLOUD_BUILD, REVISION_ID: OTHER_COMMIT };
    equal(refusal(two, GIVEN).reason, "conflicting-build-fact");
  });
});

describe("createCiProvenance() of a local build", () => {
  const source = {
    repository: "https://user:hunter2@git.example/acme/app.git",
    commit: COMMIT,
    ref: "refs/heads/main",
    path: "tools/build.sh",
  };
  const local = (options: CiProvenanceOptions = {}) =>
    createCiProvenance(SUBJECT, SECRETS, {
      platform: "local",
      finishedOn: FINISHED,
      source,
      ...options,
    });

  it("says that it is one, and keeps passwords of the address to itself", () => {
    const statement = local();
    ok(!JSON.stringify(statement).includes("hunter2"));
    const provenance = parseProvenance(statement);
    equal(provenance.buildType, OWN_BUILD_TYPES.local);
    ok(provenance.builderId.endsWith("/builders/local/v1"));
    deepEqual(provenance.source, {
      uri: "git+https://git.example/acme/app",
      ref: "refs/heads/main",
      commit: COMMIT,
      entryPoint: "tools/build.sh",
    });
    deepEqual(provenance.internalParameters, {});
    equal(provenance.invocationId, undefined);
    const named = parseProvenance(local({
      builderId: "https://acme.example/desk",
      invocationId: "urn:uuid:1",
    }));
    equal(named.builderId, "https://acme.example/desk");
    equal(named.invocationId, "urn:uuid:1");
  });

  it("is of Build level 1 for whoever trusts its signer", () => {
    const { level, checks } = evaluateProvenance(local(), {
      keys: [{ name: "dev", fingerprint: "00" }],
    }, { sourceUri: "git.example/acme/app" });
    deepEqual(checks.filter(({ outcome }) => outcome !== "passed"), []);
    equal(level, 1);
  });

  it("has no ref where none is checked out", () => {
    const { ref: _, ...detached } = source;
    const { source: found } = parseProvenance(local({ source: detached }));
    equal(found?.ref, undefined);
    equal(found?.commit, COMMIT);
  });

  it("refuses what differs from its commit, or records it where nobody overlooks it", () => {
    const dirty = { ...source, dirty: true };
    throws(() => local({ source: dirty }), { reason: "conflicting-build-fact", path: "/commit" });
    const { externalParameters } = parseProvenance(local({ source: dirty, allowDirty: true }));
    equal(externalParameters.dirty, true);
    const clean = parseProvenance(local({ allowDirty: true }));
    ok(!("dirty" in clean.externalParameters));
  });

  it("names all that is missing, and refuses what is none", () => {
    try {
      local({ source: {}, finishedOn: undefined });
      throw new Error("not reached");
    } catch (error) {
      ok(isAttestationError(error) && error.reason === "missing-build-fact");
      for (const fact of ["repository", "commit", "path", "timestamp"]) {
        ok(error.message.includes(fact), error.message);
      }
    }
    const bad: Record<string, string[]> = {
      repository: [
        "/srv/git/app.git",
        "file:///srv/app",
        "C:\\app",
        "app",
        "https://h/a?b",
        "https://localhost",
      ],
      commit: ["HEAD", "abc"],
      ref: ["main"],
      path: ["/etc/passwd", "../x", "a/../b", "a\\b", "a//b", "."],
    };
    for (const [name, values] of Object.entries(bad)) {
      for (const value of values) {
        throws(() => local({ source: { ...source, [name]: value } }), {
          reason: "malformed-build-fact",
        }, `${name}=${value}`);
      }
    }
    try {
      local({ source: { ...source, repository: "ftp://user:hunter2@git.example/app" } });
      throw new Error("not reached");
    } catch (error) {
      ok(error instanceof Error && !error.message.includes("hunter2"), String(error));
    }
  });

  it("does not become one by itself", () => {
    throws(() => createCiProvenance(SUBJECT, {}, { source, finishedOn: FINISHED }), {
      reason: "unknown-build-environment",
    });
  });
});
