import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { DIFF_OPTIONS } from "../cli/diff_options.ts";
import { main } from "../cli/main.ts";
import { VERIFY_OPTIONS } from "../cli/verify_options.ts";
import { VSA_CREATE_OPTIONS } from "../cli/vsa_options.ts";
import { createEnvelope } from "../dsse/mod.ts";
import type { JsonObject } from "../internal/json.ts";
import { type GeneratedSigner, generateSigner } from "../keys/mod.ts";
import { createVsa, type VsaExpectation } from "../slsa/mod.ts";
import { type Recipe, rekor2, stamped } from "../tools/pki/instance.ts";
import type { VerificationReport } from "../verify/report.ts";
import { type MemoryFile, MemoryRuntime } from "./cli_runtime.ts";
import {
  type AnswerChanges,
  answerOf,
  claimsOf,
  keysFile,
  publishOf,
  TARBALL,
} from "./fixtures/npm.ts";
import {
  ARTIFACT_SHA256,
  BUILD_TYPE,
  COMMIT,
  GENERATOR,
  payloadOf,
  provenanceBundle,
  type ProvenanceChanges,
  provenanceStatement,
  REPOSITORY,
  verdictOf,
  workflowOf,
} from "./fixtures/provenance.ts";
import { ARTIFACT, rootJson } from "./fixtures/sigstore.ts";

const ISSUER = "https://token.actions.githubusercontent.com";
const SOURCE = "--source-uri=github.com/acme/app";
const TYPE = "application/vnd.in-toto+json";
const VERIFIER = "https://example.com/verifier";
const RESOURCE = "pkg:npm/app@1.2.3";

interface Outcome {
  status: number;
  out: string;
  err: string;
}

type Files = Record<string, MemoryFile>;

async function run(files: Files, ...args: string[]): Promise<Outcome> {
  const runtime = new MemoryRuntime(files, args);
  const status = await main(runtime);
  return { status, out: runtime.stdout, err: runtime.stderr };
}

/** Files of one artifact, its attestation and the root of the throw-away instance. */
async function filesOf(attestation: object | Promise<object>, more: Files = {}): Promise<Files> {
  return {
    "artifact.txt": ARTIFACT,
    "attestation.json": JSON.stringify(await attestation),
    "root.json": JSON.stringify(await rootJson()),
    ...more,
  };
}

const ROOT = ["--trusted-root=root.json", "--only-root"];

/** `ok`, the reason of the refusal, or `usage`; the exit status has to say the same. */
async function verdict(
  args: readonly string[],
  attestation: object | Promise<object> = provenanceBundle(),
  more: Files = {},
  roots: readonly string[] = ROOT,
): Promise<string> {
  const given = args.includes("--vsa=vsa.json") ? [] : ["--bundle=attestation.json"];
  const { status, out, err } = await run(
    await filesOf(attestation, more),
    "verify",
    "artifact.txt",
    "--format=json",
    ...given,
    ...roots,
    ...args,
  );
  if (status === 2) {
    assert.ok(err !== "");
    return "usage";
  }
  const report: VerificationReport = JSON.parse(out);
  assert.equal(status, report.ok ? 0 : 1);
  return report.errorReason ?? "ok";
}

/** The same with `--source-uri`. */
async function sourced(args: readonly string[], changes: ProvenanceChanges = {}): Promise<string> {
  return await verdict([SOURCE, ...args], provenanceBundle(changes));
}

let made: Promise<GeneratedSigner> | undefined;

function ciKey(): Promise<GeneratedSigner> {
  return made ??= generateSigner("ES256", { name: "ci.pub" });
}

/** An envelope and the key that signed it. */
async function keyed(statement: JsonObject): Promise<{ envelope: object; files: Files }> {
  const { signer, publicKey } = await ciKey();
  return {
    envelope: await createEnvelope(TYPE, statement, signer),
    files: { "ci.pub": publicKey },
  };
}

describe("Comparison: what is verified", () => {
  it("an artifact is any subject, of any accepted algorithm, without contradiction", async () => {
    assert.equal(await sourced([]), "ok");
    const other = { name: "other", digest: { sha256: "a".repeat(64) } };
    const ours = { name: "artifact.txt", digest: { sha256: ARTIFACT_SHA256 } };
    assert.equal(await sourced([], { statement: { subject: [other, ours] } }), "ok");
    assert.equal(await sourced([], { statement: { subject: [other] } }), "subject-mismatch");
    const both = { digest: { sha256: ARTIFACT_SHA256, sha512: "a".repeat(128) } };
    assert.equal(await sourced([], { statement: { subject: [both] } }), "subject-conflict");
    assert.equal(
      await sourced(["--subjects=all"], { statement: { subject: [other, ours] } }),
      "subject-mismatch",
    );
  });

  it("several artifacts in one call, each with its own verdict", async () => {
    const files = await filesOf(provenanceBundle(), { "other.txt": "other" });
    const { status, out } = await run(
      files,
      "verify",
      "other.txt",
      "artifact.txt",
      "--bundle=attestation.json",
      "--format=json",
      SOURCE,
      ...ROOT,
    );
    assert.equal(status, 1);
    const { artifacts }: VerificationReport = JSON.parse(out);
    assert.deepEqual(artifacts.map(({ errorReason }) => errorReason), ["subject-mismatch", null]);
  });

  it("an artifact that is not at hand, by its digest", async () => {
    const files = await filesOf(provenanceBundle());
    const by = (digest: string) =>
      run(files, "verify", digest, "--bundle=attestation.json", SOURCE, ...ROOT);
    assert.equal((await by(`sha256:${ARTIFACT_SHA256}`)).status, 0);
    assert.equal((await by(`sha256:${"a".repeat(64)}`)).status, 1);
  });

  it("the attestation's file by each of the names that users know", async () => {
    const files = await filesOf(provenanceBundle());
    for (const name of ["bundle", "provenance-path", "attestations-path", "attestation-path"]) {
      const option = `--${name}=attestation.json`;
      const { status } = await run(files, "verify", "artifact.txt", option, SOURCE, ...ROOT);
      assert.equal(status, 0, name);
    }
    const short = ["-b", "attestation.json"];
    assert.equal((await run(files, "verify", "artifact.txt", ...short, SOURCE, ...ROOT)).status, 0);
    const lines = { ...files, "all.jsonl": `${files["attestation.json"]}\n{}\n` };
    const jsonl = ["verify", "artifact.txt", "--bundle=all.jsonl", SOURCE, ...ROOT];
    assert.equal((await run(lines, ...jsonl)).status, 0);
  });

  it("bundles of the versions 0.1, 0.2 and 0.3", async () => {
    for (const version of ["v0.1", "v0.2", "v0.3", "v0.3-old"] as const) {
      assert.equal(await sourced([], { recipe: { version } }), "ok", version);
    }
    const unknown = await provenanceBundle() as JsonObject;
    unknown.mediaType = "application/vnd.dev.sigstore.bundle.v0.9+json";
    assert.equal(await verdict([SOURCE], unknown), "unsupported-bundle-version");
  });

  it("entries of Rekor v1 and v2, and as many logs as are wanted", async () => {
    const entries = rekor2();
    const timestamps = stamped();
    assert.equal(await sourced([], { recipe: { entries, timestamps } }), "ok");
    const none = { recipe: { entries: () => Promise.resolve([]), timestamps } };
    assert.equal(await sourced([], none), "log-threshold-not-met");
    assert.equal(await sourced(["--tlog-threshold=2"]), "log-threshold-not-met");
    assert.equal(await sourced(["--tlog-threshold=0"], none), "ok");
  });

  it("time stamps of RFC 3161", async () => {
    const wanted = ["--tsa-threshold=1"];
    assert.equal(await sourced(wanted, { recipe: { timestamps: stamped() } }), "ok");
    assert.equal(await sourced(wanted), "timestamp-threshold-not-met");
    const wrong = stamped({ message: new Uint8Array(8) });
    assert.equal(
      await sourced([], { recipe: { timestamps: wrong } }),
      "timestamp-imprint-mismatch",
    );
  });

  it("the promise of a certificate log", async () => {
    assert.equal(await sourced(["--sct-threshold=1"]), "ok");
    const leaf = (recipe: Partial<Recipe["leaf"]>): ProvenanceChanges => ({
      recipe: {
        leaf: { san: { type: "uri", value: workflowOf(REPOSITORY) }, ...recipe },
      },
    });
    assert.equal(await sourced([], leaf({ scts: [] })), "sct-threshold-not-met");
  });
});

describe("Comparison: who signed", () => {
  it("nobody is accepted whom the caller did not expect", async () => {
    assert.equal(await verdict([]), "missing-identity-expectation");
    assert.equal(await verdict(["--source-tag=v1.2.3"]), "missing-identity-expectation");
    assert.equal(await verdict(["--unsafe-any-identity"]), "ok");
  });

  it("a name in the certificate, and its issuer", async () => {
    const name = workflowOf(REPOSITORY);
    assert.equal(
      await verdict([`--cert-identity=${name}`, `--cert-oidc-issuer=${ISSUER}`]),
      "ok",
    );
    assert.equal(
      await verdict([`--cert-identity=${name}0`, `--cert-oidc-issuer=${ISSUER}`]),
      "identity-mismatch",
    );
    assert.equal(
      await verdict([`--cert-identity=${name}`, "--cert-oidc-issuer=https://issuer.example"]),
      "issuer-mismatch",
    );
    assert.equal(await verdict([`--cert-identity=${name}`]), "missing-issuer-expectation");
  });

  it("a pattern that is the whole of the name", async () => {
    const by = (pattern: string) =>
      verdict([`--cert-identity-regex=${pattern}`, `--cert-oidc-issuer=${ISSUER}`]);
    assert.equal(await by("https://github\\.com/acme/app/.+"), "ok");
    assert.equal(await by("https://github\\.com/acme/app"), "identity-mismatch");
    assert.equal(await by("acme"), "identity-mismatch");
  });

  it("the owner, or the repository, that was built", async () => {
    assert.equal(await verdict(["--owner=acme"]), "ok");
    assert.equal(await verdict(["--owner=mallory"]), "identity-mismatch");
    assert.equal(await verdict(["--repo=acme/app"]), "ok");
    assert.equal(await verdict(["--repo=acme/ap"]), "identity-mismatch");
    assert.equal(await verdict(["--repo=acme/app", "--owner=acme"]), "usage");
  });

  it("the repository and the workflow that signed", async () => {
    const bundle = await provenanceBundle({ signer: GENERATOR });
    const by = (...args: string[]) => verdict(["--repo=acme/app", ...args], bundle);
    assert.equal(await by(), "identity-mismatch");
    assert.equal(await by("--signer-repo=slsa-framework/slsa-github-generator"), "ok");
    assert.equal(await by("--signer-repo=slsa-framework/slsa"), "identity-mismatch");
    const file =
      "slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml";
    assert.equal(await by(`--signer-workflow=${file}`), "ok");
    assert.equal(await by(`--signer-workflow=${file}.yml`), "identity-mismatch");
  });

  it("the commit of the workflow that signed", async () => {
    assert.equal(await verdict(["--repo=acme/app", `--signer-digest=${COMMIT}`]), "ok");
    assert.equal(
      await verdict(["--repo=acme/app", `--signer-digest=${"d".repeat(40)}`]),
      "certificate-claim-mismatch",
    );
  });

  it("the ref and the commit that were built, by the certificate", async () => {
    const repo = "--repo=acme/app";
    assert.equal(await verdict([repo, "--source-ref=refs/tags/v1.2.3"]), "ok");
    assert.equal(
      await verdict([repo, "--source-ref=refs/heads/v1.2.3"]),
      "certificate-claim-mismatch",
    );
    assert.equal(await verdict([repo, `--source-digest=${COMMIT}`]), "ok");
    assert.equal(
      await verdict([repo, `--source-digest=${"d".repeat(40)}`]),
      "certificate-claim-mismatch",
    );
  });

  it("no runner but those of GitHub", async () => {
    const args = ["--repo=acme/app", "--deny-self-hosted-runners"];
    assert.equal(await verdict(args), "ok");
    const self = provenanceBundle({ claims: { 11: "self-hosted" } });
    assert.equal(await verdict(args, self), "self-hosted-runner");
  });

  it("a key, without certificate or log", async () => {
    const { envelope, files } = await keyed(provenanceStatement());
    assert.equal(await verdict(["--key=ci.pub"], envelope, files), "ok");
    const { publicKey } = await generateSigner("ES256");
    assert.equal(
      await verdict(["--key=ci.pub"], envelope, { "ci.pub": publicKey }),
      "invalid-signature",
    );
  });

  it("several keys, of which so many must sign", async () => {
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => generateSigner("Ed25519")));
    const envelope = await createEnvelope(TYPE, provenanceStatement(), [a.signer, b.signer]);
    const files = { "a.pub": a.publicKey, "b.pub": b.publicKey, "c.pub": c.publicKey };
    const keys = ["--key=a.pub", "--key=b.pub", "--key=c.pub"];
    assert.equal(await verdict([...keys, "--threshold=2"], envelope, files), "ok");
    assert.equal(await verdict([...keys, "--threshold=3"], envelope, files), "threshold-not-met");
  });

  it("a trusted root by file, beside the public one or alone", async () => {
    const by = (...roots: string[]) => verdict([SOURCE], undefined, {}, roots);
    assert.equal(await by(), "untrusted-certificate");
    for (const name of ["trusted-root", "custom-trusted-root"]) {
      assert.equal(await by(`--${name}=root.json`), "ok");
      assert.equal(await by(`--${name}=root.json`, "--only-root"), "ok");
    }
    assert.equal(await by("--only-root"), "usage");
    const other = JSON.stringify(await rootJson({ certificateAuthorities: [] }));
    const files = { "other.json": other };
    const alone = ["--trusted-root=other.json", "--only-root"];
    assert.equal(await verdict([SOURCE], undefined, files, alone), "untrusted-certificate");
  });
});

describe("Comparison: what the provenance says", () => {
  it("the predicate type", async () => {
    const types = ["https://slsa.dev/provenance/v1", "slsaprovenance1"];
    for (const type of types) assert.equal(await sourced([`--predicate-type=${type}`]), "ok");
    assert.equal(
      await sourced(["--type=https://slsa.dev/provenance/v0.2"]),
      "predicate-type-mismatch",
    );
    const statement = { predicateType: "https://example.com/checked/v1" };
    assert.equal(await sourced([], { statement }), "predicate-type-mismatch");
  });

  it("the repository, in each of its spellings", async () => {
    for (
      const uri of ["github.com/acme/app", REPOSITORY, `git+${REPOSITORY}`, `${REPOSITORY}.git`]
    ) {
      assert.equal(await verdict([`--source-uri=${uri}`]), "ok", uri);
    }
    for (const uri of ["github.com/acme/ap", "github.com/acme/app2", "gitlab.com/acme/app"]) {
      assert.equal(await verdict([`--source-uri=${uri}`]), "source-mismatch", uri);
    }
  });

  it("the branch", async () => {
    const main = { ref: "refs/heads/main" };
    assert.equal(await sourced(["--source-branch=main"], main), "ok");
    assert.equal(await sourced(["--source-branch=dev"], main), "branch-mismatch");
    assert.equal(await sourced(["--source-branch=v1.2.3"]), "branch-mismatch");
  });

  it("the tag", async () => {
    assert.equal(await sourced(["--source-tag=v1.2.3"]), "ok");
    assert.equal(await sourced(["--source-tag=v1.2"]), "tag-mismatch");
  });

  it("the version of the tag", async () => {
    for (const version of ["v1", "v1.2", "v1.2.3", "v1.2.3+build"]) {
      assert.equal(await sourced([`--source-versioned-tag=${version}`]), "ok", version);
    }
    for (const version of ["v2", "v1.3", "v1.2.4", "v1.2.3-rc.1"]) {
      assert.equal(
        await sourced([`--source-versioned-tag=${version}`]),
        "versioned-tag-mismatch",
        version,
      );
    }
    assert.equal(
      await sourced(["--source-versioned-tag=v1"], { ref: "refs/tags/release" }),
      "invalid-versioned-tag",
    );
  });

  it("the commit", async () => {
    assert.equal(await sourced([`--source-digest=${COMMIT}`]), "ok");
    const other = `--source-digest=${"d".repeat(40)}`;
    assert.equal(await sourced([other]), "commit-mismatch");
  });

  it("the builder, with its version or without", async () => {
    const changes = { signer: GENERATOR };
    const name = GENERATOR.slice(0, GENERATOR.indexOf("@"));
    for (const id of [GENERATOR, name, `${name}@v2.1.0`]) {
      assert.equal(await sourced([`--builder-id=${id}`], changes), "ok", id);
    }
    for (const id of [`${name}@v2.1.1`, name.slice(0, -1), `${GENERATOR}0`]) {
      assert.equal(await sourced([`--builder-id=${id}`], changes), "unexpected-builder", id);
    }
  });

  it("the inputs of a workflow", async () => {
    const changes = {
      claims: { 20: "workflow_dispatch" },
      workflow: { inputs: { release: "true", empty: "" } },
      definition: { internalParameters: { github: { event_name: "workflow_dispatch" } } },
    };
    const input = (text: string) => `--build-workflow-input=${text}`;
    assert.equal(await sourced([input("release=true"), input("empty=")], changes), "ok");
    for (const text of ["release=false", "other=true", "empty=x"]) {
      assert.equal(await sourced([input(text)], changes), "workflow-input-mismatch", text);
    }
    assert.equal(await sourced([input("release=true")]), "workflow-input-mismatch");
  });

  it("the build type, and every external parameter", async () => {
    assert.equal(await sourced([`--build-type=${BUILD_TYPE}`]), "ok");
    assert.equal(await sourced([`--build-type=${BUILD_TYPE}/`]), "build-type-mismatch");
    const path = { const: ".github/workflows/release.yml" };
    const members = { ref: { pattern: "refs/tags/.+" }, repository: { any: true }, path } as const;
    const provenance = {
      sourceUri: REPOSITORY,
      buildType: BUILD_TYPE,
      externalParameters: { workflow: { members } },
    };
    const by = async (changes: ProvenanceChanges) =>
      await verdictOf(await provenanceBundle(changes), { expect: { provenance } });
    assert.equal(await by({}), "ok");
    assert.equal(await by({ ref: "refs/heads/main" }), "parameter-mismatch");
    assert.equal(await by({ parameters: { evil: true } }), "unexpected-parameter");
  });

  it("the level, by who signed", async () => {
    assert.equal(await sourced(["--min-level=2"]), "ok");
    assert.equal(await sourced(["--min-level=3"]), "insufficient-level");
    assert.equal(await sourced(["--min-level=3"], { signer: GENERATOR }), "ok");
    const self = { signer: GENERATOR, claims: { 11: "self-hosted" } };
    assert.equal(await sourced(["--min-level=2"], self), "insufficient-level");
  });

  it("a builder of one's own", async () => {
    const builderId = "https://ci.example/builder";
    const { envelope, files } = await keyed(provenanceStatement({ builderId }));
    const builders = [{ signer: { keys: ["ci.pub"] }, builderId, maxBuildLevel: 2 }];
    const more = { ...files, "builders.json": JSON.stringify({ builders }) };
    const args = ["--key=ci.pub", SOURCE, "--builders=builders.json"];
    assert.equal(await verdict([...args, "--min-level=2"], envelope, more), "ok");
    assert.equal(await verdict([...args, "--min-level=3"], envelope, more), "insufficient-level");
    const other = await keyed(provenanceStatement({ builderId: `${builderId}-evil` }));
    assert.equal(await verdict(args, other.envelope, more), "untrusted-builder");
  });

  it("the certificate agrees with the provenance in all that both state", async () => {
    const claims: [number, string][] = [
      [13, "d".repeat(40)],
      [14, "refs/tags/v9.9.9"],
      [20, "pull_request"],
      [21, `${REPOSITORY}/actions/runs/2/attempts/1`],
    ];
    for (const [number, text] of claims) {
      const changes = { signer: GENERATOR, claims: { [number]: text } };
      assert.equal(await sourced([], changes), "certificate-provenance-mismatch", String(number));
    }
  });
});

/** A VSA about the artifact. */
function vsaStatement(changes: JsonObject = {}): JsonObject {
  const statement = createVsa(
    {
      ok: true,
      artifacts: [{
        artifact: "artifact.txt",
        digest: { sha256: ARTIFACT_SHA256 },
        ok: true,
        attestations: [{ ok: true, buildLevel: 2 }],
      }],
    },
    {
      verifier: { id: VERIFIER },
      resourceUri: RESOURCE,
      policy: { uri: "https://example.com/policy" },
      timeVerified: new Date("2026-01-02T00:00:00Z"),
      dependencyLevels: { SLSA_BUILD_LEVEL_1: 3 },
    },
  );
  return JSON.parse(JSON.stringify({
    ...statement,
    predicate: { ...statement.predicate, ...changes },
  }));
}

const VSA = [`--vsa-verifier-id=${VERIFIER}`, `--vsa-resource-uri=${RESOURCE}`, "--vsa=vsa.json"];

async function vsaVerdict(args: readonly string[], changes: JsonObject = {}): Promise<string> {
  const { envelope, files } = await keyed(vsaStatement(changes));
  const more = { ...files, "vsa.json": JSON.stringify(envelope) };
  return await verdict(["--key=ci.pub", ...VSA, ...args], {}, more);
}

describe("Comparison: verification summaries", () => {
  it("a VSA of a verifier, for a resource", async () => {
    assert.equal(await vsaVerdict([]), "ok");
    assert.equal(await vsaVerdict([], { resourceUri: `${RESOURCE}4` }), "resource-mismatch");
    assert.equal(await vsaVerdict([], { verifier: { id: `${VERIFIER}2` } }), "verifier-mismatch");
    const failed = { verificationResult: "FAILED", verifiedLevels: ["FAILED"] };
    assert.equal(await vsaVerdict([], failed), "verification-not-passed");
    const { envelope, files } = await keyed(vsaStatement());
    const more = { ...files, "vsa.json": JSON.stringify(envelope) };
    const words = [
      "--public-key-path=ci.pub",
      "--vsa=vsa.json",
      `--verifier-id=${VERIFIER}`,
      `--resource-uri=${RESOURCE}`,
    ];
    assert.equal(await verdict(words, {}, more), "ok");
    assert.equal(
      await verdict([...words, "--verified-level=SLSA_BUILD_LEVEL_3"], {}, more),
      "insufficient-level",
    );
  });

  it("a VSA that is signed without a key", async () => {
    const bundle = await provenanceBundle({
      recipe: { content: { payload: payloadOf(vsaStatement()) } },
    });
    const more = { "vsa.json": JSON.stringify(bundle) };
    const args = [...VSA, `--cert-oidc-issuer=${ISSUER}`];
    const signer = `--cert-identity=${workflowOf(REPOSITORY)}`;
    assert.equal(await verdict([...args, signer], {}, more), "ok");
    assert.equal(await verdict([...args, `${signer}0`], {}, more), "identity-mismatch");
  });

  it("levels of a VSA, of the artifact and of its dependencies", async () => {
    assert.equal(await vsaVerdict(["--vsa-level=SLSA_BUILD_LEVEL_2"]), "ok");
    assert.equal(await vsaVerdict(["--vsa-level=SLSA_BUILD_LEVEL_3"]), "insufficient-level");
    assert.equal(await vsaVerdict(["--vsa-dependency-level=SLSA_BUILD_LEVEL_1"]), "ok");
    assert.equal(
      await vsaVerdict(["--vsa-dependency-level=SLSA_BUILD_LEVEL_2"]),
      "insufficient-level",
    );
  });

  it("age, policy and digests of a VSA, and the ref of a revision", async () => {
    const now = new Date("2026-01-12T00:00:00Z");
    const { trustedKey } = await ciKey();
    const { envelope } = await keyed(vsaStatement());
    const by = async (vsa: Partial<VsaExpectation>) =>
      await verdictOf(envelope, {
        trust: { keys: [trustedKey] },
        expect: { vsa: { verifierId: VERIFIER, resourceUri: RESOURCE, ...vsa } },
        now,
      });
    const day = 86_400;
    assert.equal(await by({ maxAge: 10 * day }), "ok");
    assert.equal(await by({ maxAge: 9 * day }), "vsa-too-old");
    assert.equal(await by({ policy: { uri: "https://example.com/policy" } }), "ok");
    assert.equal(await by({ policy: { uri: "https://example.com/other" } }), "policy-mismatch");
    assert.equal(await by({ digest: { sha256: ARTIFACT_SHA256 } }), "ok");
    assert.equal(
      await by({ digest: { sha256: ARTIFACT_SHA256, sha512: "a".repeat(128) } }),
      "subject-mismatch",
    );
    assert.equal(await by({ sourceRef: "refs/heads/main" }), "source-ref-mismatch");
    assert.equal(await vsaVerdict(["--vsa-max-age=1"]), "vsa-too-old");
    assert.equal(await vsaVerdict(["--vsa-policy-uri=https://example.com/policy"]), "ok");
    assert.equal(await vsaVerdict([`--subject-digest=sha256:${ARTIFACT_SHA256}`]), "ok");
    assert.equal(await vsaVerdict(["--vsa-source-ref=refs/heads/main"]), "source-ref-mismatch");
  });

  it("a VSA is written from a verification, and verifies", async () => {
    const { privateKey, publicKey } = await generateSigner("ES256");
    const files = await filesOf(provenanceBundle(), {
      "key.pem": privateKey,
      "key.pub": publicKey,
    });
    const create = (...args: string[]) =>
      run(
        files,
        "vsa",
        "create",
        "artifact.txt",
        "--bundle=attestation.json",
        `--verifier-id=${VERIFIER}`,
        `--resource-uri=${RESOURCE}`,
        "--policy-uri=https://example.com/policy",
        "--signing-key=key.pem",
        ...ROOT,
        ...args,
      );
    const { status, out, err } = await create(SOURCE);
    assert.equal(status, 0, err);
    const more = { "vsa.json": out, "ci.pub": publicKey };
    const args = ["--key=ci.pub", ...VSA];
    assert.equal(await verdict([...args, "--vsa-level=SLSA_BUILD_LEVEL_2"], {}, more), "ok");
    assert.equal((await create("--source-uri=github.com/mallory/app")).status, 1);
  });
});

/** `ok`, the reason of the refusal, or `usage`, of a package and the registry's answer. */
async function npmVerdict(
  args: readonly string[],
  changes: AnswerChanges = {},
  answer?: object,
): Promise<string> {
  const files = {
    "app.tgz": TARBALL,
    "answer.json": JSON.stringify(answer ?? await answerOf(changes)),
    "keys.json": JSON.stringify(await keysFile()),
    "root.json": JSON.stringify(await rootJson()),
  };
  const { status, out } = await run(
    files,
    "verify",
    "app.tgz",
    "--bundle=answer.json",
    "--npm-keys=keys.json",
    "--format=json",
    ...ROOT,
    ...args,
  );
  if (status === 2) return "usage";
  const report: VerificationReport = JSON.parse(out);
  assert.equal(status, report.ok ? 0 : 1);
  return report.errorReason ?? "ok";
}

describe("Comparison: packages of npm", () => {
  const REPO = "--repo=acme/app";

  it("both attestations of the registry, about this tarball", async () => {
    assert.equal(await npmVerdict([REPO]), "ok");
    const { attestations } = await answerOf();
    const [publish, provenance] = attestations;
    const only = (one: JsonObject) => npmVerdict([REPO], {}, { attestations: [one] });
    assert.equal(await only(publish), "missing-provenance");
    assert.equal(await only(provenance), "missing-publish-attestation");
    assert.equal(await npmVerdict([REPO], { tarball: new Uint8Array(4) }), "subject-mismatch");
    const other = await publishOf({ publishRecipe: { key: "leaf-p256" } });
    const forged = { attestations: [other, provenance] };
    assert.equal(await npmVerdict([REPO], {}, forged), "invalid-signature");
  });

  it("name and version of the package", async () => {
    const named = ["--package-name=@acme/app", "--package-version=1.2.3"];
    assert.equal(await npmVerdict([REPO, ...named]), "ok");
    assert.equal(await npmVerdict([REPO, "--package-name=app"]), "package-mismatch");
    assert.equal(await npmVerdict([REPO, "--package-version=1.2.4"]), "package-mismatch");
  });

  it("the repository of a package, by name and by number", async () => {
    assert.equal(await npmVerdict([]), "missing-identity-expectation");
    assert.equal(await npmVerdict(["--repo=acme/other"]), "source-mismatch");
    assert.equal(await npmVerdict(["--repo-id=1001"]), "ok");
    assert.equal(await npmVerdict([REPO, "--owner-id=77"]), "ok");
    assert.equal(await npmVerdict([REPO, "--owner-id=78"]), "source-mismatch");
    const taken = { claims: claimsOf(REPOSITORY, "1002", "77") };
    assert.equal(await npmVerdict([REPO], taken), "ok");
    assert.equal(await npmVerdict([REPO, "--repo-id=1001"], taken), "source-mismatch");
  });

  it("builder, workflow and ref of a package", async () => {
    const hosted = "--builder-id=https://github.com/actions/runner/github-hosted";
    assert.equal(await npmVerdict([REPO, hosted]), "ok");
    assert.equal(
      await npmVerdict([REPO, hosted.replace("github-hosted", "self-hosted")]),
      "unexpected-builder",
    );
    assert.equal(await npmVerdict([REPO, "--workflow=.github/workflows/release.yml"]), "ok");
    assert.equal(await npmVerdict([REPO, "--workflow=release.yml"]), "workflow-mismatch");
    assert.equal(await npmVerdict([REPO, "--source-ref=refs/tags/v1.2.3"]), "ok");
    assert.equal(await npmVerdict([REPO, "--source-ref=refs/heads/main"]), "source-ref-mismatch");
  });
});

describe("Comparison: what is printed", () => {
  it("the expectations before the verdict, also when it fails", async () => {
    const files = await filesOf(provenanceBundle());
    for (const [tag, verdict] of [["v1.2.3", "PASSED"], ["v9", "FAILED"]]) {
      const { out } = await run(
        files,
        "verify",
        "artifact.txt",
        "--bundle=attestation.json",
        SOURCE,
        `--source-tag=${tag}`,
        ...ROOT,
      );
      assert.ok(out.startsWith("Expected\n"));
      assert.ok(out.includes("git+https://github.com/acme/app") && out.includes(tag));
      assert.ok(out.indexOf(tag) < out.indexOf(verdict), out);
    }
  });

  it("every check with its reason as JSON, also when it fails", async () => {
    const files = await filesOf(provenanceBundle());
    const args = ["verify", "artifact.txt", "--bundle=attestation.json", "--format=json", ...ROOT];
    const wrong = ["--source-uri=github.com/acme/other", "--source-tag=v9", "--min-level=3"];
    const { out, status } = await run(files, ...args, ...wrong);
    assert.equal(status, 1);
    const { artifacts: [{ attestations: [one] }] }: VerificationReport = JSON.parse(out);
    const failed = one.checks.filter(({ outcome }) => outcome === "failed");
    assert.deepEqual(failed.map(({ reason }) => reason).sort(), [
      "insufficient-level",
      "source-mismatch",
      "tag-mismatch",
    ]);
    assert.ok(
      failed.every(({ expected, actual }) => expected !== undefined && actual !== undefined),
    );
    assert.ok(one.checks.some(({ outcome }) => outcome === "passed"));
  });

  it("the Statement alone, and the document of gh", async () => {
    const files = await filesOf(provenanceBundle());
    const args = ["verify", "artifact.txt", "--bundle=attestation.json", ...ROOT];
    const good = [...args, SOURCE];
    const bad = [...args, "--source-uri=github.com/acme/other"];
    for (const option of ["--print-provenance", "--print-attestation"]) {
      const { out } = await run(files, ...good, option);
      assert.deepEqual(JSON.parse(out), provenanceStatement());
      assert.equal((await run(files, ...bad, option)).out, "");
    }
    const [entry] = JSON.parse((await run(files, ...good, "--format=gh")).out);
    assert.deepEqual(entry.verificationResult.statement, provenanceStatement());
    assert.equal((await run(files, ...bad, "--format=gh")).out, "");
  });

  it("one exit status for verified, one for refused, one for what could not run", async () => {
    const files = await filesOf(provenanceBundle());
    const args = ["verify", "artifact.txt", "--bundle=attestation.json", ...ROOT];
    assert.equal((await run(files, ...args, SOURCE)).status, 0);
    assert.equal((await run(files, ...args, "--source-uri=github.com/acme/other")).status, 1);
    assert.equal((await run(files, ...args, "--source-uri=nonsense")).status, 2);
    assert.equal((await run(files, ...args, SOURCE, "--source-tga=v1")).status, 2);
    assert.equal((await run(files, ...args, SOURCE, "--bundle=gone.json")).status, 2);
  });

  it("the differences of two provenances, both verified", async () => {
    const files = await filesOf(provenanceBundle(), {
      "b.json": JSON.stringify(await provenanceBundle({ ref: "refs/tags/v1.2.4" })),
      "forged.json": JSON.stringify(provenanceStatement()),
    });
    const diff = (a: string, b: string) => run(files, "diff", a, b, SOURCE, ...ROOT);
    assert.equal((await diff("attestation.json", "attestation.json")).status, 0);
    const changed = await diff("attestation.json", "b.json");
    assert.equal(changed.status, 1);
    assert.ok(changed.out.includes("refs/tags/v1.2.4"), changed.out);
    assert.equal((await diff("attestation.json", "forged.json")).status, 1);
  });
});

const PAGE = readFileSync(new URL("../docs/comparison.md", import.meta.url), "utf8");

/** A row of a table: what is checked, three others, ours, and the test. */
interface Row {
  cells: string[];
  ours: string;
  file: string;
  test: string;
}

function rowsOf(page: string): Row[] {
  const rows: Row[] = [];
  for (const line of page.split("\n")) {
    if (!line.startsWith("|") || /^\|(?: *:?-+:? *\|)+$/.test(line)) continue;
    const cells = line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim());
    if (cells[0] === "what is checked") continue;
    const proof = /^`([^`]+)`: (.+)$/.exec(cells[5]);
    assert.ok(cells.length === 6 && proof !== null, `no test is named in: ${line}`);
    rows.push({ cells, ours: cells[4], file: proof[1], test: proof[2] });
  }
  return rows;
}

/** Options of the tools beside ours, as far as they say what is verified or printed. */
const THEIR_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  "slsa-verifier": [
    "--source-uri",
    "--source-branch",
    "--source-tag",
    "--source-versioned-tag",
    "--builder-id",
    "--build-workflow-input",
    "--print-provenance",
    "--provenance-path",
    "--attestations-path",
    "--package-name",
    "--package-version",
    "--attestation-path",
    "--print-attestation",
    "--subject-digest",
    "--verifier-id",
    "--resource-uri",
    "--verified-level",
    "--public-key-path",
    "--public-key-id",
    "--provenance-repository",
  ],
  gh: [
    "--owner",
    "--repo",
    "--bundle",
    "--bundle-from-oci",
    "--digest-alg",
    "--predicate-type",
    "--cert-identity",
    "--cert-identity-regex",
    "--signer-repo",
    "--signer-workflow",
    "--cert-oidc-issuer",
    "--signer-digest",
    "--source-ref",
    "--source-digest",
    "--deny-self-hosted-runners",
    "--custom-trusted-root",
    "--no-public-good",
    "--limit",
    "--hostname",
    "--format",
    "--jq",
    "--template",
  ],
};

describe("docs/comparison.md", () => {
  const rows = rowsOf(PAGE);

  it("names a test that exists in each row, and no test twice for one claim", () => {
    assert.ok(rows.length > 30);
    for (const { cells, file, test } of rows) {
      const source = readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
      const quoted = JSON.stringify(test);
      const exists = source.includes(`it(${quoted}, `) || source.includes(`test(${quoted}, `);
      assert.ok(exists, `${cells[0]}: ${file} has no test ${quoted}`);
    }
    assert.equal(new Set(rows.map(({ cells }) => cells[0])).size, rows.length);
  });

  it("uses each test of the comparison", () => {
    const source = readFileSync(new URL(import.meta.url), "utf8");
    const end = source.indexOf("const PAGE = ");
    for (const [, name] of source.slice(0, end).matchAll(/^ {2}it\("([^"]+)"/gm)) {
      assert.ok(rows.some(({ test }) => test === name), `no row stands on: ${name}`);
    }
  });

  it("names options of ours that exist", () => {
    const known = new Set(
      [...VERIFY_OPTIONS, ...VSA_CREATE_OPTIONS, ...DIFF_OPTIONS]
        .flatMap(({ name, aliases = [] }) => [name, ...aliases]),
    );
    for (const { ours } of rows) {
      for (const [, name] of ours.matchAll(/`--([a-z-]+)/g)) {
        assert.ok(known.has(name), `--${name} is no option`);
      }
    }
    const named = rows.map(({ ours }) => ours).join(" ");
    for (const name of ["source-uri", "vsa", "npm-keys", "min-level"]) {
      assert.ok(named.includes(`--${name}`), name);
    }
  });

  it("names members of ours that exist", () => {
    const declared = [
      "npm/expectations.ts",
      "npm/lockfile.ts",
      "npm/package_options.ts",
      "sigstore/identity.ts",
      "slsa/expectation.ts",
      "slsa/vsa_expectation.ts",
      "verify/options.ts",
    ].map((file) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8")).join("\n");
    let count = 0;
    for (const { ours } of rows) {
      for (const [, path] of ours.matchAll(/`((?:expect|trust|thresholds)(?:\.\w+)+)`/g)) {
        for (const member of path.split(".").slice(1)) {
          count++;
          assert.ok(new RegExp(`^  ${member}\\??:`, "m").test(declared), `${path} is unknown`);
        }
      }
    }
    assert.ok(count > 30);
  });

  it("has every option of the tools that it compares with", () => {
    for (const [tool, options] of Object.entries(THEIR_OPTIONS)) {
      for (const option of options) {
        assert.ok(PAGE.includes(`\`${option}`), `${tool} ${option} is not compared`);
      }
    }
  });
});
