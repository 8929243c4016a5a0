import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import type { Json, JsonObject } from "../internal/json.ts";
import type { Statement } from "../intoto/statement.ts";
import { type CertificateIdentity, GITHUB_ISSUER } from "../sigstore/identity.ts";
import { isProportional } from "../tests/fixtures/growth.ts";
import type { BuilderRule } from "./builder_trust.ts";
import { evaluateProvenance, type ProvenanceEvaluation } from "./evaluate.ts";
import type { SignerEvidence } from "./evidence.ts";
import type { ProvenanceExpectation } from "./expectation.ts";
import { KNOWN_BUILDERS } from "./known_builders.ts";

const COMMIT = "c".repeat(40);
const GENERATOR = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/";
const GENERIC = `${GENERATOR}generator_generic_slsa3.yml`;
const OWN = "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2.3";
const REUSABLE = "https://github.com/builders/common/.github/workflows/build.yml@refs/tags/v4";

const IDENTITY: CertificateIdentity = {
  subjectAlternativeName: `${GENERIC}@refs/tags/v2.0.0`,
  sanType: "uri",
  issuer: GITHUB_ISSUER,
  buildSignerURI: `${GENERIC}@refs/tags/v2.0.0`,
  runnerEnvironment: "github-hosted",
  sourceRepositoryURI: "https://github.com/acme/app",
  sourceRepositoryDigest: COMMIT,
  sourceRepositoryRef: "refs/tags/v1.2.3",
  sourceRepositoryIdentifier: "7",
  sourceRepositoryOwnerIdentifier: "8",
  buildConfigURI: "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2.3",
  buildTrigger: "push",
  runInvocationURI: "https://github.com/acme/app/actions/runs/55/attempts/2",
};

/** Provenance v0.2 as slsa-github-generator writes it. */
const V0_2 = {
  builder: { id: `${GENERIC}@refs/tags/v2.0.0` },
  buildType: "https://github.com/slsa-framework/slsa-github-generator/generic@v1",
  invocation: {
    configSource: {
      uri: "git+https://github.com/acme/app@refs/tags/v1.2.3",
      digest: { sha1: COMMIT },
      entryPoint: ".github/workflows/release.yml",
    },
    parameters: {},
    environment: {
      github_event_name: "push",
      github_ref: "refs/tags/v1.2.3",
      github_repository_id: "7",
      github_repository_owner_id: "8",
      github_event_payload: { base_ref: "refs/heads/main" },
    },
  },
  metadata: { buildInvocationId: "55-2" },
  materials: [{
    uri: "git+https://github.com/acme/app@refs/tags/v1.2.3",
    digest: { sha1: COMMIT },
  }],
};

/** Provenance v1 as GitHub's own action writes it. */
const V1 = {
  buildDefinition: {
    buildType: "https://actions.github.io/buildtypes/workflow/v1",
    externalParameters: {
      workflow: {
        ref: "refs/tags/v1.2.3",
        repository: "https://github.com/acme/app",
        path: ".github/workflows/release.yml",
      },
    },
    internalParameters: {
      github: { event_name: "push", repository_id: "7", runner_environment: "github-hosted" },
    },
    resolvedDependencies: [{
      uri: "git+https://github.com/acme/app@refs/tags/v1.2.3",
      digest: { gitCommit: COMMIT },
    }],
  },
  runDetails: {
    builder: { id: OWN },
    metadata: { invocationId: "https://github.com/acme/app/actions/runs/55/attempts/2" },
  },
};

/** The value with the member at a JSON Pointer replaced, or removed if undefined. */
function withAt<Value extends object>(value: Value, at: string, member: Json | undefined): Value {
  const copy = structuredClone(value) as unknown as JsonObject;
  const names = at.slice(1).split("/");
  let parent: JsonObject = copy;
  for (const name of names.slice(0, -1)) parent = parent[name] as JsonObject;
  const last = names[names.length - 1];
  if (member === undefined) delete parent[last];
  else parent[last] = member;
  return copy as unknown as Value;
}

function statementOf(predicate: object, predicateType?: string): Statement {
  const isV1 = "buildDefinition" in predicate || "runDetails" in predicate;
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "app.tgz", digest: { sha256: "a".repeat(64) } }],
    predicateType: predicateType ?? `https://slsa.dev/provenance/${isV1 ? "v1" : "v0.2"}`,
    predicate: predicate as JsonObject,
  };
}

const SOURCE: ProvenanceExpectation = { sourceUri: "github.com/acme/app" };

function evaluate(
  predicate: object,
  expectation: ProvenanceExpectation = SOURCE,
  evidence: SignerEvidence = { identity: IDENTITY },
): ProvenanceEvaluation {
  return evaluateProvenance(statementOf(predicate), evidence, expectation);
}

/** `id reason` of each failed check. */
function faults({ checks }: ProvenanceEvaluation): string[] {
  return checks.filter(({ outcome }) => outcome === "failed")
    .map(({ id, reason }) => `${id.replace("predicate.", "")} ${reason}`);
}

const own = (changes: Partial<CertificateIdentity> = {}): SignerEvidence => ({
  identity: { ...IDENTITY, subjectAlternativeName: OWN, buildSignerURI: OWN, ...changes },
});

const KEY: SignerEvidence = { keys: [{ name: "ci", fingerprint: "f".repeat(64) }] };
const CI: BuilderRule = {
  signer: { keys: ["ci"] },
  builderId: "https://ci.example/l3",
  maxBuildLevel: 3,
};
const ci = (id = CI.builderId): object => ({
  buildDefinition: {
    buildType: "https://ci.example/type/v1",
    externalParameters: { target: "release", options: { debug: false } },
  },
  runDetails: { builder: { id } },
});
const CI_TRUST = { builders: { builders: [CI] } };

/** Of a run of workflows on a server that is not GitHub's. */
const ELSEWHERE: CertificateIdentity = {
  subjectAlternativeName: "https://git.example/acme/app/build.yml@refs/tags/v1",
  sanType: "uri",
  issuer: "https://git.example/token",
};
const ELSEWHERE_TRUST = {
  builders: {
    builders: [{
      signer: { certificate: { issuer: ELSEWHERE.issuer } },
      builderId: CI.builderId,
      maxBuildLevel: 2,
    }],
  },
} as const;

describe("evaluateProvenance()", () => {
  it("accepts provenance of the known builders, at the level of each", () => {
    const generic = evaluate(V0_2);
    deepEqual(faults(generic), []);
    equal(generic.level, 3);
    const plain = evaluate(V1, SOURCE, own());
    deepEqual(faults(plain), []);
    equal(plain.level, 2);
    ok(plain.checks.every(({ layer }) => layer === "predicate"));
  });

  it("accepts everything that is asked, in both versions", () => {
    const all: ProvenanceExpectation = {
      sourceUri: "git+https://github.com/acme/app.git",
      sourceTag: "v1.2.3",
      sourceCommit: COMMIT.toUpperCase(),
      requirePinnedDependencies: true,
    };
    deepEqual(faults(evaluate(V0_2, { ...all, builderId: GENERIC, minLevel: 3 })), []);
    deepEqual(faults(evaluate(V1, { ...all, builderId: OWN, minLevel: 2 }, own())), []);
  });

  it("lists each check that it made, what was wanted and found, and who states it", () => {
    const asked: ProvenanceExpectation = {
      sourceUri: "github.com/acme/app",
      sourceBranch: "main",
      sourceTag: "v1.2.3",
      sourceCommit: COMMIT,
      builderId: GENERIC,
      minLevel: 2,
      buildType: V0_2.buildType,
      externalParameters: { source: { any: true }, entryPoint: { any: true } },
      requirePinnedDependencies: true,
    };
    const lines = (of: ProvenanceEvaluation) =>
      of.checks.map(({ id, outcome, origin = "-", expected = "-", actual = "-" }) =>
        `${id.replace("predicate.", "")} ${outcome} ${origin} ${expected} ${actual}`
      );
    const repository = "git+https://github.com/acme/app";
    deepEqual(lines(evaluate(V0_2, asked)), [
      "shape passed signed - https://slsa.dev/provenance/v0.2",
      `builder passed signed ${GENERIC} ${GENERIC}@refs/tags/v2.0.0`,
      "level passed - SLSA_BUILD_LEVEL_2 SLSA_BUILD_LEVEL_3",
      "certificate passed certificate - sourceRepositoryURI, sourceRepositoryRef, " +
      "sourceRepositoryDigest, sourceRepositoryIdentifier, sourceRepositoryOwnerIdentifier, " +
      "buildTrigger, buildConfigURI, runInvocationURI, buildSignerURI",
      `source passed certificate ${repository} ${repository}`,
      "branch passed signed refs/heads/main refs/heads/main",
      "tag passed certificate refs/tags/v1.2.3 refs/tags/v1.2.3",
      `commit passed certificate ${COMMIT} ${COMMIT}`,
      `build-type passed signed ${V0_2.buildType} ${V0_2.buildType}`,
      "parameters passed signed - -",
      "dependencies passed signed - -",
    ]);
    deepEqual(lines(evaluate(V0_2, { ...SOURCE, sourceVersionedTag: "v1" })).slice(-1), [
      "versioned-tag passed - refs/tags/v1 -",
    ]);
    // Nobody but the provenance states a source where a key signs.
    const byKey = lines(evaluate(V0_2, { sourceUri: asked.sourceUri, sourceTag: "v1.2.3" }, KEY));
    deepEqual(byKey.slice(-2), [
      `source passed signed ${repository} ${repository}`,
      "tag passed signed refs/tags/v1.2.3 refs/tags/v1.2.3",
    ]);
  });

  it("asks for the builder whole, without version, or with the bare tag", () => {
    for (const name of [GENERIC, `${GENERIC}@v2.0.0`, `${GENERIC}@refs/tags/v2.0.0`]) {
      deepEqual(faults(evaluate(V0_2, { ...SOURCE, builderId: name })), [], name);
    }
    for (
      const name of [
        `${GENERIC}@v2.0`,
        `${GENERIC}@v2`,
        `${GENERIC}@`,
        `${GENERIC}@v2.0.1`,
        `${GENERIC}@refs/heads/v2.0.0`,
        `${GENERIC}@tags/v2.0.0`,
        GENERIC.slice(0, -1),
        `${GENERIC}l`,
        `${GENERATOR}not-trusted.yml`,
      ]
    ) {
      deepEqual(
        faults(evaluate(V0_2, { ...SOURCE, builderId: name, minLevel: 1 })),
        ["builder unexpected-builder", "level insufficient-level"],
        name,
      );
    }
  });

  it("refuses a builder whose name is a prefix of the expected or trusted one", () => {
    const evil = `${CI.builderId}-evil`;
    deepEqual(faults(evaluate(ci(evil), { ...CI_TRUST, builderId: CI.builderId }, KEY)), [
      "builder unexpected-builder",
    ]);
    deepEqual(faults(evaluate(ci(evil), CI_TRUST, KEY)), ["builder untrusted-builder"]);
    deepEqual(faults(evaluate(ci(), CI_TRUST, KEY)), []);
  });

  it("refuses the signer of another builder", () => {
    const go = `${GENERATOR}builder_go_slsa3.yml@refs/tags/v2.0.0`;
    deepEqual(faults(evaluate(withAt(V0_2, "/builder/id", go))), ["builder untrusted-builder"]);
    deepEqual(faults(evaluate(V0_2, SOURCE, own())), ["builder untrusted-builder"]);
    // Of the same builder, another version.
    const old = `${GENERIC}@refs/tags/v1.0.0`;
    deepEqual(faults(evaluate(withAt(V0_2, "/builder/id", old))), ["builder untrusted-builder"]);
  });

  it("refuses a key where a certificate is due, and a certificate where a key is", () => {
    deepEqual(faults(evaluate(V0_2, { ...SOURCE, minLevel: 3 }, KEY)), [
      "level insufficient-level",
    ]);
    const onlyKnown = { builders: { builders: [...KNOWN_BUILDERS.builders, CI] } };
    deepEqual(faults(evaluate(V0_2, { ...SOURCE, ...onlyKnown }, KEY)), [
      "builder untrusted-builder",
    ]);
    deepEqual(faults(evaluate(ci(), CI_TRUST)), [
      "builder untrusted-builder",
      "source missing-identity-expectation",
    ]);
    deepEqual(faults(evaluate(ci(), CI_TRUST, {})), ["builder untrusted-builder"]);
  });

  it("knows a key by its fingerprint, too", () => {
    const rule: BuilderRule = { ...CI, signer: { keys: ["f".repeat(64)] } };
    equal(evaluate(ci(), { builders: { builders: [rule] } }, KEY).level, 3);
    const other: BuilderRule = { ...CI, signer: { keys: ["e".repeat(64)] } };
    equal(evaluate(ci(), { builders: { builders: [other] } }, KEY).level, 1);
  });

  it("gives level 1 to an unknown builder of a signer that the caller trusts", () => {
    equal(evaluate(ci(), {}, KEY).level, 1);
    deepEqual(faults(evaluate(ci(), { minLevel: 2 }, KEY)), ["level insufficient-level"]);
    const google: CertificateIdentity = {
      subjectAlternativeName: "ci@acme.example",
      sanType: "email",
      issuer: "https://accounts.example",
    };
    const expected = evaluate(ci(), {}, { identity: google, identityExpected: true });
    deepEqual([faults(expected), expected.level], [[], 1]);
    deepEqual(faults(evaluate(ci(), SOURCE, { identity: google })), [
      "builder untrusted-builder",
      "source source-mismatch",
    ]);
  });

  it("takes the highest of several pairs, and no more than is wanted", () => {
    const low: BuilderRule = { ...CI, maxBuildLevel: 1 };
    equal(evaluate(ci(), { builders: { builders: [low, CI, low] } }, KEY).level, 3);
    deepEqual(faults(evaluate(ci(), { builders: { builders: [low] }, minLevel: 2 }, KEY)), [
      "level insufficient-level",
    ]);
  });

  it("refuses builders at a branch, at a pre-release and in a fork", () => {
    for (
      const san of [
        `${GENERIC}@refs/heads/main`,
        `${GENERIC}@refs/heads/v2.0.0`,
        `${GENERIC}@refs/tags/v2.0.0-rc.1`,
        `${GENERIC}@refs/tags/v2.0`,
        `${GENERIC}@refs/tags/v2.0.0/x`,
        `${GENERIC}@refs/tags/v02.0.0`,
        `${GENERIC.replace("slsa-framework", "evil")}@refs/tags/v2.0.0`,
      ]
    ) {
      const identity = { ...IDENTITY, subjectAlternativeName: san, buildSignerURI: san };
      deepEqual(
        faults(evaluate(withAt(V0_2, "/builder/id", san), SOURCE, { identity })),
        ["builder untrusted-builder"],
        san,
      );
    }
  });

  it("refuses the certificate of another issuer", () => {
    const identity = { ...IDENTITY, issuer: "https://token.evil.example" };
    deepEqual(faults(evaluate(V0_2, SOURCE, { identity })), ["builder untrusted-builder"]);
  });

  it("believes a reusable workflow only where it is named, at a tag up to level 3", () => {
    const by = (san: string) => own({ subjectAlternativeName: san, buildSignerURI: san });
    const predicate = (san: string) => withAt(V1, "/runDetails/builder/id", san);
    deepEqual(faults(evaluate(predicate(REUSABLE), SOURCE, by(REUSABLE))), [
      "builder untrusted-builder",
    ]);
    const name = REUSABLE.slice(0, REUSABLE.indexOf("@"));
    const named = { ...SOURCE, builderId: name };
    const pinned = evaluate(predicate(REUSABLE), named, by(REUSABLE));
    deepEqual([faults(pinned), pinned.level], [[], 3]);
    const branch = `${name}@refs/heads/main`;
    equal(evaluate(predicate(branch), named, by(branch)).level, 2);
    equal(evaluate(V1, { ...SOURCE, builderId: OWN }, own()).level, 2, "its own is none");
    // A certificate that does not say what was built cannot tell own from reusable.
    const old = by(REUSABLE);
    delete old.identity?.sourceRepositoryURI;
    equal(evaluate(predicate(REUSABLE), named, old).level, 2);
    const neighbour = OWN.replace("acme/app/", "acme/app-evil/");
    deepEqual(faults(evaluate(predicate(neighbour), SOURCE, by(neighbour))), [
      "builder untrusted-builder",
    ]);
  });

  it("believes a delegator's builder only where it is named, and at a tag", () => {
    const delegator = `${GENERATOR}delegator_generic_slsa3.yml@refs/tags/v2.0.0`;
    const evidence = own({ subjectAlternativeName: delegator, buildSignerURI: delegator });
    const made = withAt(V1, "/runDetails/builder/id", REUSABLE);
    const name = REUSABLE.slice(0, REUSABLE.indexOf("@"));
    equal(evaluate(made, { ...SOURCE, builderId: name }, evidence).level, 3);
    deepEqual(faults(evaluate(made, SOURCE, evidence)), ["builder untrusted-builder"]);
    const branch = withAt(V1, "/runDetails/builder/id", `${name}@refs/heads/evil`);
    deepEqual(faults(evaluate(branch, { ...SOURCE, builderId: name }, evidence)), [
      "builder untrusted-builder",
    ]);
    equal(
      evaluate(branch, { ...SOURCE, builderId: `${name}@refs/heads/evil` }, evidence).level,
      3,
    );
  });

  it("never lets a self-hosted runner inherit a level", () => {
    const identity = { ...IDENTITY, runnerEnvironment: "self-hosted" };
    equal(evaluate(V0_2, SOURCE, { identity }).level, 1);
    deepEqual(faults(evaluate(V0_2, { ...SOURCE, minLevel: 2 }, { identity })), [
      "level insufficient-level",
    ]);
    // The CLI of npm states the runner in the builder's name.
    const npm = (kind: string) =>
      withAt(
        withAt(V1, "/runDetails/builder/id", `https://github.com/actions/runner/${kind}`),
        "/buildDefinition/internalParameters",
        {},
      );
    equal(evaluate(npm("github-hosted"), SOURCE, own()).level, 2);
    equal(evaluate(npm("self-hosted"), SOURCE, own({ runnerEnvironment: "self-hosted" })).level, 1);
    deepEqual(
      faults(evaluate(npm("github-hosted"), SOURCE, own({ runnerEnvironment: "self-hosted" }))),
      ["certificate certificate-provenance-mismatch"],
    );
    const old = own();
    delete old.identity?.runnerEnvironment;
    equal(evaluate(npm("github-hosted"), SOURCE, old).level, 1);
  });

  it("lets the caller vouch for self-hosted runners by name", () => {
    const identity = { ...IDENTITY, runnerEnvironment: "self-hosted" };
    const rule: BuilderRule = {
      signer: { certificate: { issuer: GITHUB_ISSUER, runnerEnvironment: "self-hosted" } },
      builderId: "{signer}",
      maxBuildLevel: 2,
    };
    equal(
      evaluate(V0_2, { ...SOURCE, builders: { builders: [rule] } }, { identity }).level,
      2,
    );
  });

  it("asks for a source where anybody can run the builder", () => {
    deepEqual(faults(evaluate(V0_2, { builderId: GENERIC })), [
      "source missing-identity-expectation",
    ]);
    const evidence = { identity: IDENTITY, identityExpected: true };
    deepEqual(faults(evaluate(V0_2, { builderId: GENERIC }, evidence)), []);
  });

  it("refuses the source of somebody else", () => {
    for (
      const sourceUri of [
        "github.com/acme/app2",
        "github.com/acme/ap",
        "github.com/evil/app",
        "github.com/acme/App",
        "http://github.com/acme/app",
        "ssh://github.com/acme/app",
        "github.com.evil.example/acme/app",
        "agithub.com/acme/app",
        "github.com/acme/app/app",
      ]
    ) {
      deepEqual(faults(evaluate(V0_2, { sourceUri })), ["source source-mismatch"], sourceUri);
    }
    for (
      const sourceUri of [
        "GitHub.com/acme/app",
        "https://github.com/acme/app/",
        "git+https://github.com/acme/app.git",
      ]
    ) deepEqual(faults(evaluate(V0_2, { sourceUri })), [], sourceUri);
  });

  it("refuses a fork with the same workflow, whatever its provenance says", () => {
    const fork = own({ sourceRepositoryURI: "https://github.com/evil/app" });
    ok(faults(evaluate(V1, SOURCE, fork)).includes("source source-mismatch"));
    const honest = withAt(
      V1,
      "/buildDefinition/externalParameters/workflow/repository",
      "https://github.com/evil/app",
    );
    ok(faults(evaluate(honest, SOURCE, own())).includes("source source-mismatch"));
    const odd = withAt(V0_2, "/invocation/environment/GITHUB_REPOSITORY", "evil/app");
    deepEqual(faults(evaluate(odd)), [
      "certificate certificate-provenance-mismatch",
      "source source-mismatch",
    ]);
  });

  it("refuses provenance that contradicts its certificate, in each value", () => {
    const changed: [object, SignerEvidence?][] = [
      [withAt(V0_2, "/invocation/configSource/digest/sha1", "d".repeat(40))],
      [withAt(V0_2, "/invocation/configSource/entryPoint", ".github/workflows/evil.yml")],
      [withAt(V0_2, "/invocation/environment/github_event_name", "release")],
      [withAt(V0_2, "/invocation/environment/github_repository_id", "70")],
      [withAt(V0_2, "/invocation/environment/github_ref", "refs/tags/v9")],
      [V0_2, { identity: { ...IDENTITY, buildSignerURI: OWN } }],
      [withAt(V0_2, "/invocation/environment/github_repository_owner_id", "80")],
      [withAt(V0_2, "/invocation/environment/github_sha1", "d".repeat(40))],
      [withAt(V0_2, "/metadata/buildInvocationId", "55-1")],
      [
        withAt(V1, "/runDetails/metadata/invocationId", "https://github.com/a/b/runs/5/attempts/2"),
        own(),
      ],
      [
        withAt(
          V1,
          "/buildDefinition/internalParameters/github/runner_environment",
          "self-hosted",
        ),
        own(),
      ],
    ];
    for (const [predicate, evidence] of changed) {
      deepEqual(
        faults(evaluate(predicate, SOURCE, evidence)),
        ["certificate certificate-provenance-mismatch"],
        JSON.stringify(predicate),
      );
    }
    const elsewhere = withAt(
      V0_2,
      "/invocation/configSource/uri",
      "git+https://github.com/evil/app",
    );
    deepEqual(faults(evaluate(elsewhere, {}, { identity: IDENTITY, identityExpected: true })), [
      "certificate certificate-provenance-mismatch",
    ]);
    const ref = withAt(
      V0_2,
      "/invocation/configSource/uri",
      "git+https://github.com/acme/app@refs/tags/v9",
    );
    deepEqual(faults(evaluate(ref)), ["certificate certificate-provenance-mismatch"]);
  });

  it("overlooks no repository because its address is none", () => {
    const odd = "https://github.com/acme/app?evil";
    const certified = {
      identity: { ...IDENTITY, sourceRepositoryURI: odd, buildConfigURI: undefined },
    };
    deepEqual(faults(evaluate(V0_2, SOURCE, certified)), [
      "certificate certificate-provenance-mismatch",
      "source source-mismatch",
    ]);
    const told = withAt(V0_2, "/invocation/environment/GITHUB_REPOSITORY", "acme/app?evil");
    deepEqual(faults(evaluate(told)), [
      "certificate certificate-provenance-mismatch",
      "source source-mismatch",
    ]);
  });

  it("reads the older claims of GitHub's certificates", () => {
    const identity: CertificateIdentity = {
      subjectAlternativeName: IDENTITY.subjectAlternativeName,
      sanType: "uri",
      issuer: GITHUB_ISSUER,
      githubWorkflowRepository: "acme/app",
      githubWorkflowRef: "refs/tags/v1.2.3",
      githubWorkflowSHA: COMMIT,
      githubWorkflowTrigger: "push",
    };
    const asked = { ...SOURCE, sourceTag: "v1.2.3", sourceCommit: COMMIT };
    deepEqual(faults(evaluate(V0_2, asked, { identity })), []);
    const { githubWorkflowRepository: _, ...silent } = identity;
    deepEqual(faults(evaluate(V0_2, asked, { identity: silent })), []);
    const other = { ...identity, githubWorkflowSHA: "d".repeat(40) };
    deepEqual(faults(evaluate(V0_2, asked, { identity: other })), [
      "certificate certificate-provenance-mismatch",
      "commit commit-mismatch",
    ]);
  });

  it("reads the older claims of no other issuer as if they were GitHub's", () => {
    const identity = { ...ELSEWHERE, githubWorkflowRepository: "acme/app" };
    deepEqual(faults(evaluate(ci(), { ...SOURCE, ...ELSEWHERE_TRUST }, { identity })), [
      "source source-mismatch",
    ]);
  });

  it("takes GITHUB_REPOSITORY of another server's run for no repository of GitHub", () => {
    // Other forges run the same workflows, with the same variables, for whoever owns a name there.
    const at = "/buildDefinition/internalParameters";
    const told: JsonObject[] = [
      { GITHUB_REPOSITORY: "acme/app" },
      { github: { repository: "acme/app" } },
    ];
    for (const internal of told) {
      const made = withAt(ci(), at, internal);
      deepEqual(
        faults(evaluate(made, { ...SOURCE, ...ELSEWHERE_TRUST }, { identity: ELSEWHERE })),
        [
          "source source-mismatch",
        ],
      );
      const certified = { ...ELSEWHERE, sourceRepositoryURI: "https://git.example/acme/app" };
      const asked = { sourceUri: "git.example/acme/app", ...ELSEWHERE_TRUST };
      deepEqual(faults(evaluate(made, asked, { identity: certified })), []);
    }
    // Nor does a key say of which server the run was.
    const byKey = withAt(ci(), at, { GITHUB_REPOSITORY: "acme/app" });
    deepEqual(faults(evaluate(byKey, { ...SOURCE, ...CI_TRUST }, KEY)), ["source source-mismatch"]);
    const other = withAt(V0_2, "/invocation/environment/GITHUB_REPOSITORY", "evil/app");
    deepEqual(faults(evaluate(other, SOURCE, KEY)), ["source source-mismatch"]);
    const enterprise = { ...IDENTITY, issuer: `${GITHUB_ISSUER}/acme` };
    const rule: BuilderRule = {
      signer: { certificate: { issuer: enterprise.issuer } },
      builderId: "{signer}",
      maxBuildLevel: 2,
    };
    const odd = withAt(V0_2, "/invocation/environment/GITHUB_REPOSITORY", "evil/app");
    const trusting = { ...SOURCE, builders: { builders: [rule] } };
    deepEqual(faults(evaluate(odd, trusting, { identity: enterprise })), [
      "certificate certificate-provenance-mismatch",
      "source source-mismatch",
    ]);
  });

  it("tells branches from tags of the same name", () => {
    const at = (ref: string): [object, SignerEvidence] => {
      const predicate = withAt(
        withAt(V1, "/buildDefinition/externalParameters/workflow/ref", ref),
        "/buildDefinition/resolvedDependencies",
        [],
      );
      return [predicate, own({ sourceRepositoryRef: ref })];
    };
    const [tag, byTag] = at("refs/tags/main");
    const [branch, byBranch] = at("refs/heads/main");
    const wanted = { ...SOURCE, sourceBranch: "main" };
    deepEqual(faults(evaluate(branch, wanted, byBranch)), []);
    deepEqual(faults(evaluate(tag, wanted, byTag)), ["branch branch-mismatch"]);
    deepEqual(faults(evaluate(branch, { ...SOURCE, sourceTag: "main" }, byBranch)), [
      "tag tag-mismatch",
    ]);
    deepEqual(faults(evaluate(tag, { ...SOURCE, sourceTag: "main" }, byTag)), []);
    const [nested, byNested] = at("refs/heads/refs/tags/v1.2.3");
    deepEqual(faults(evaluate(nested, { ...SOURCE, sourceTag: "v1.2.3" }, byNested)), [
      "tag tag-mismatch",
    ]);
    deepEqual(faults(evaluate(nested, { ...SOURCE, sourceVersionedTag: "v1" }, byNested)), [
      "versioned-tag versioned-tag-mismatch",
    ]);
  });

  it("takes the branch of a tag from the event, at level 3 only", () => {
    const wanted = { ...SOURCE, sourceBranch: "main" };
    deepEqual(faults(evaluate(V0_2, wanted)), []);
    deepEqual(faults(evaluate(V0_2, { ...SOURCE, sourceBranch: "dev" })), [
      "branch branch-mismatch",
    ]);
    const identity = { ...IDENTITY, runnerEnvironment: "self-hosted" };
    deepEqual(faults(evaluate(V0_2, wanted, { identity })), ["branch branch-mismatch"]);
    const release = withAt(V0_2, "/invocation/environment/github_event_payload", {
      release: { target_commitish: "main" },
    });
    deepEqual(faults(evaluate(release, wanted)), []);
    const untold = withAt(V0_2, "/invocation/environment/github_event_payload", { base_ref: null });
    deepEqual(faults(evaluate(untold, wanted)), ["branch branch-mismatch"]);
    for (const ref of ["main", "refs/heads/main"]) {
      const told = withAt(untold, "/invocation/environment/GITHUB_BASE_REF", ref);
      deepEqual(faults(evaluate(told, wanted)), [], ref);
      deepEqual(faults(evaluate(told, { ...SOURCE, sourceBranch: "dev" })), [
        "branch branch-mismatch",
      ]);
    }
  });

  it("takes a branch from no event where the build was of a branch itself", () => {
    // A push to a branch of one's own can have any base.
    const ref = "refs/heads/evil";
    const identity = { ...IDENTITY, sourceRepositoryRef: ref };
    const pushed = withAt(
      withAt(V0_2, "/invocation/configSource/uri", `git+https://github.com/acme/app@${ref}`),
      "/invocation/environment/github_ref",
      ref,
    );
    const found = evaluate(pushed, { ...SOURCE, sourceBranch: "main" }, { identity });
    deepEqual(faults(found), ["branch branch-mismatch"]);
    equal(found.level, 3);
    const own = evaluate(pushed, { ...SOURCE, sourceBranch: "evil" }, { identity });
    deepEqual(faults(own), []);
    equal(own.checks.find(({ id }) => id === "predicate.branch")?.origin, "certificate");
  });

  it("reads nothing from internal parameters that are no text or empty", () => {
    const names = ["event_name", "ref", "repository", "repository_id", "repository_owner_id"];
    for (const value of ["", null, true, {}, ["push"]]) {
      for (const name of names) {
        const odd = withAt(V0_2, `/invocation/environment/github_${name}`, value);
        deepEqual(faults(evaluate(odd, { ...SOURCE, sourceTag: "v1.2.3" })), [], name);
      }
    }
    const numbered = withAt(V0_2, "/invocation/environment/github_repository_id", 7);
    deepEqual(faults(evaluate(numbered)), []);
    const other = withAt(V0_2, "/invocation/environment/github_repository_id", 70);
    deepEqual(faults(evaluate(other)), ["certificate certificate-provenance-mismatch"]);
  });

  it("compares the workflow of a repository that has an @ in its name", () => {
    const repository = "https://git.example/@acme/app";
    const file = ".github/workflows/a.yml";
    const made = withAt(V1, "/buildDefinition/externalParameters/workflow", {
      repository,
      path: file,
    });
    const by = (name: string): SignerEvidence => ({
      identityExpected: true,
      identity: {
        ...ELSEWHERE,
        sourceRepositoryURI: repository,
        buildConfigURI: `${repository}/.github/workflows/${name}`,
      },
    });
    const ofCi = withAt(made, "/runDetails/builder/id", CI.builderId);
    for (const name of ["a.yml@refs/heads/x@y", "a.yml"]) {
      deepEqual(faults(evaluate(ofCi, ELSEWHERE_TRUST, by(name))), [], name);
    }
    deepEqual(faults(evaluate(ofCi, ELSEWHERE_TRUST, by("b.yml@refs/heads/main"))), [
      "certificate certificate-provenance-mismatch",
    ]);
  });

  it("compares versioned tags", () => {
    for (const version of ["v1", "v1.2", "v1.2.3", "v1.2.3+build"]) {
      deepEqual(faults(evaluate(V0_2, { ...SOURCE, sourceVersionedTag: version })), [], version);
    }
    for (const version of ["v0", "v2", "v12", "v1.1", "v1.2.2", "v1.2.30", "v1.2.3-rc.1"]) {
      deepEqual(
        faults(evaluate(V0_2, { ...SOURCE, sourceVersionedTag: version })),
        ["versioned-tag versioned-tag-mismatch"],
        version,
      );
    }
    for (const ref of ["refs/tags/1.2.3", "refs/tags/release", "refs/tags/v1.2.3.4"]) {
      const identity = { ...IDENTITY, sourceRepositoryRef: ref };
      const result = evaluate(
        withAt(
          withAt(V0_2, "/invocation/configSource/uri", `git+https://github.com/acme/app@${ref}`),
          "/invocation/environment/github_ref",
          ref,
        ),
        { ...SOURCE, sourceVersionedTag: "v1" },
        { identity },
      );
      deepEqual(faults(result), ["versioned-tag invalid-versioned-tag"], ref);
    }
    deepEqual(faults(evaluate(ci(), { sourceVersionedTag: "v1" }, KEY)), [
      "versioned-tag versioned-tag-mismatch",
    ]);
  });

  it("refuses what states nothing of what is asked", () => {
    const asked: ProvenanceExpectation = {
      ...CI_TRUST,
      ...SOURCE,
      sourceBranch: "main",
      sourceTag: "v1",
      sourceCommit: COMMIT,
      workflowInputs: { a: "b" },
    };
    deepEqual(faults(evaluate(ci(), asked, KEY)), [
      "source source-mismatch",
      "branch branch-mismatch",
      "tag tag-mismatch",
      "commit commit-mismatch",
      "workflow-input workflow-input-mismatch",
    ]);
  });

  it("compares the commit, also of a dependency at the same address only", () => {
    deepEqual(faults(evaluate(V1, { ...SOURCE, sourceCommit: "d".repeat(40) }, own())), [
      "commit commit-mismatch",
    ]);
    const rule: BuilderRule = { ...CI, builderId: OWN };
    const byKey = { sourceCommit: COMMIT, builders: { builders: [rule] } };
    deepEqual(faults(evaluate(V1, byKey, KEY)), []);
    const elsewhere = withAt(V1, "/buildDefinition/resolvedDependencies", [
      { uri: "git+https://github.com/acme/app@refs/heads/x", digest: { gitCommit: COMMIT } },
      { uri: "git+https://github.com/acme/lib@refs/tags/v1.2.3", digest: { gitCommit: COMMIT } },
    ]);
    deepEqual(faults(evaluate(elsewhere, byKey, KEY)), ["commit commit-mismatch"]);
  });

  it("compares inputs of a workflow that was started by hand", () => {
    const started = (inputs: Json, event = "workflow_dispatch") => {
      const predicate = withAt(V0_2, "/invocation/environment/github_event_payload", { inputs });
      return withAt(predicate, "/invocation/environment/github_event_name", event);
    };
    const identity = { ...IDENTITY, buildTrigger: "workflow_dispatch" };
    const wanted = { ...SOURCE, workflowInputs: { release: "true", count: "3" } };
    const by = { identity };
    deepEqual(faults(evaluate(started({ release: "true", count: 3, more: 1 }), wanted, by)), []);
    const wrong: Json[] = [
      { release: "false", count: "3" },
      { release: "true" },
      { release: "true", count: "30" },
      { release: "true", count: null },
      null,
      [],
    ];
    for (const inputs of wrong) {
      ok(faults(evaluate(started(inputs), wanted, by))[0]?.startsWith("workflow-input"));
    }
    const pushed = started({ release: "true", count: "3" }, "push");
    ok(faults(evaluate(pushed, wanted)).includes("workflow-input workflow-input-mismatch"));
    const prototype: JsonObject = Object.create({ release: "true", count: "3" });
    const inherits = statementOf(started({}));
    const environment = (inherits.predicate?.invocation as JsonObject).environment as JsonObject;
    (environment.github_event_payload as JsonObject).inputs = prototype;
    deepEqual(faults(evaluateProvenance(inherits, by, wanted)), [
      "workflow-input workflow-input-mismatch",
      "workflow-input workflow-input-mismatch",
    ]);
    const inherited = { ...SOURCE, workflowInputs: JSON.parse('{"__proto__":"{}"}') };
    deepEqual(faults(evaluate(started({}), inherited, by)), [
      "workflow-input workflow-input-mismatch",
    ]);
  });

  it("compares the build type first, to the letter, and no parameter under another", () => {
    const asked: ProvenanceExpectation = {
      ...CI_TRUST,
      buildType: "https://ci.example/type/v1",
      externalParameters: {
        target: { enum: ["release", "nightly"] },
        options: { members: { debug: { const: false } } },
      },
    };
    deepEqual(faults(evaluate(ci(), asked, KEY)), []);
    deepEqual(faults(evaluate(ci(), { ...asked, buildType: "https://ci.example/type/v1/" }, KEY)), [
      "build-type build-type-mismatch",
    ]);
    const more = withAt(ci(), "/buildDefinition/externalParameters/extra", 1);
    deepEqual(faults(evaluate(more, asked, KEY)), ["parameters unexpected-parameter"]);
    const deep = withAt(ci(), "/buildDefinition/externalParameters/options/extra", 1);
    const found = evaluate(deep, asked, KEY);
    deepEqual(faults(found), ["parameters unexpected-parameter"]);
    equal(found.checks.at(-1)?.path, "/options/extra");
    const pattern = (text: string): ProvenanceExpectation => ({
      ...asked,
      externalParameters: { target: { pattern: text }, options: { ignored: true } },
    });
    deepEqual(faults(evaluate(ci(), pattern("r.*|n.*"), KEY)), []);
    for (const text of ["releas", "elease", "x|relea", "Release"]) {
      deepEqual(faults(evaluate(ci(), pattern(text), KEY)), ["parameters parameter-mismatch"]);
    }
    const debug = withAt(ci(), "/buildDefinition/externalParameters/options/debug", true);
    deepEqual(faults(evaluate(debug, asked, KEY)), ["parameters parameter-mismatch"]);
    deepEqual(faults(evaluate(ci(), { ...asked, externalParameters: {} }, KEY)), [
      "parameters unexpected-parameter",
      "parameters unexpected-parameter",
    ]);
  });

  it("sees a parameter of v0.2 that has the name of an added one", () => {
    const predicate = withAt(V0_2, "/invocation/parameters", { source: "evil" });
    const asked: ProvenanceExpectation = {
      ...SOURCE,
      buildType: V0_2.buildType,
      externalParameters: { source: { any: true }, entryPoint: { any: true } },
    };
    deepEqual(faults(evaluate(V0_2, asked)), []);
    deepEqual(faults(evaluate(predicate, asked)), ["parameters unexpected-parameter"]);
  });

  it("refuses a dependency without digest where all have to be pinned", () => {
    const open = withAt(V0_2, "/materials", [...V0_2.materials, { uri: "pkg:docker/alpine" }]);
    deepEqual(faults(evaluate(open, { ...SOURCE, requirePinnedDependencies: true })), [
      "dependencies unpinned-dependency",
    ]);
    deepEqual(faults(evaluate(open)), []);
    const pinned = { ...SOURCE, requirePinnedDependencies: true };
    const first = withAt(V1, "/buildDefinition/resolvedDependencies", [
      { uri: "pkg:docker/alpine" },
      ...V1.buildDefinition.resolvedDependencies,
    ]);
    deepEqual(faults(evaluate(first, pinned, own())), ["dependencies unpinned-dependency"]);
    // What is there whole can be nothing else.
    const whole = withAt(V1, "/buildDefinition/resolvedDependencies", [
      { name: "settings", content: "aGk=" },
    ]);
    deepEqual(faults(evaluate(whole, pinned, own())), []);
    // Protocol Buffers write what is not set as empty.
    const unset = withAt(V1, "/buildDefinition/resolvedDependencies", [
      { uri: "pkg:docker/alpine", digest: {}, content: "" },
    ]);
    deepEqual(faults(evaluate(unset, pinned, own())), ["dependencies unpinned-dependency"]);
  });

  it("refuses another predicate type, and v0.2 where v1 is required", () => {
    const v1 = ["https://slsa.dev/provenance/v1"];
    deepEqual(faults(evaluate(V0_2, { ...SOURCE, predicateTypes: v1 })), [
      "type predicate-type-mismatch",
    ]);
    for (const type of ["https://slsa.dev/provenance/v1.0", "https://spdx.dev/Document"]) {
      const found = evaluateProvenance(statementOf(V1, type), own(), SOURCE);
      deepEqual(faults(found), ["type predicate-type-mismatch"]);
      equal(found.provenance, undefined);
    }
  });

  it("refuses malformed provenance, null fields too", () => {
    for (
      const at of [
        "/buildDefinition",
        "/buildDefinition/buildType",
        "/buildDefinition/externalParameters",
        "/runDetails",
        "/runDetails/builder",
        "/runDetails/builder/id",
      ]
    ) {
      for (const value of [null, undefined]) {
        const found = evaluate(withAt(V1, at, value), SOURCE, own());
        deepEqual(faults(found), ["shape missing-predicate-field"]);
        const path = found.checks[0].path ?? "";
        ok(path.startsWith("/predicate/") && `/predicate${at}`.startsWith(path), path);
        equal(found.level, undefined);
      }
    }
    const { predicate: _, ...without } = statementOf(V1);
    deepEqual(faults(evaluateProvenance(without, own(), SOURCE)), ["shape missing-predicate"]);
  });

  it("judges 100 000 dependencies, in time that grows with them", async () => {
    const dependency = (index: number) => ({
      uri: `git+https://github.com/acme/lib${index}@refs/tags/v1.2.3`,
      digest: { gitCommit: "e".repeat(40) },
    });
    const asked = { ...SOURCE, sourceCommit: COMMIT, requirePinnedDependencies: true };
    const work = (count: number) => {
      const many = Array.from({ length: count }, (_, index) => dependency(index));
      const predicate = structuredClone(V1);
      predicate.buildDefinition.resolvedDependencies.unshift(...many);
      return () => deepEqual(faults(evaluate(predicate, asked, own())), []);
    };
    work(100_000)();
    ok(await isProportional(work, 16_000));
  });

  it("prints nothing of the content raw", () => {
    const evil = "https://ci.example/\u001b[31m\u202e";
    const { checks } = evaluate(ci(evil), { ...CI_TRUST, builderId: CI.builderId }, KEY);
    for (const { message, actual = "" } of checks) {
      ok(!/[\p{Cc}\p{Cf}]/u.test(message + actual), message);
    }
  });

  it("throws a TypeError for an expectation that cannot be kept", () => {
    const wrong: object[] = [
      { sourceUrl: "github.com/acme/app" },
      { sourceUri: "" },
      { sourceUri: "app" },
      { sourceUri: "github.com/acme/app@refs/heads/main" },
      { sourceUri: "github.com/acme/../evil" },
      { sourceBranch: "refs/heads/main" },
      { sourceTag: "refs/tags/v1" },
      { sourceTag: "v1", sourceVersionedTag: "v1" },
      { sourceVersionedTag: "1.2.3" },
      { sourceVersionedTag: "v1.x" },
      { sourceCommit: "abc123" },
      { builderId: 5 },
      { minLevel: 4 },
      { minLevel: "3" },
      { workflowInputs: { a: 1 } },
      { externalParameters: {} },
      { buildType: "t", externalParameters: { a: {} } },
      { buildType: "t", externalParameters: { a: { const: 1, any: true } } },
      { buildType: "t", externalParameters: { a: { pattern: "(" } } },
      { buildType: "t", externalParameters: { a: { pattern: "a)|(b" } } },
      { buildType: "t", externalParameters: { a: { regex: "a" } } },
      { buildType: "t", externalParameters: { a: { enum: [] } } },
      { buildType: "t", externalParameters: { a: { any: false } } },
      { predicateTypes: [] },
      { predicateTypes: ["https://spdx.dev/Document"] },
      { requirePinnedDependencies: "yes" },
      { builders: { builders: [{}] } },
      { builders: [] },
    ];
    for (const expectation of wrong) {
      throws(
        () => evaluateProvenance(statementOf(V1), own(), expectation as ProvenanceExpectation),
        TypeError,
        JSON.stringify(expectation),
      );
    }
  });
});
