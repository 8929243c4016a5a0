import assert from "node:assert/strict";
import { test } from "node:test";
import { createEnvelope } from "../dsse/mod.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { generateSigner } from "../keys/mod.ts";
import { isProportional } from "../tests/fixtures/growth.ts";
import { type MemoryFile, MemoryRuntime } from "../tests/cli_runtime.ts";
import { diffProvenance } from "./provenance_diff.ts";
import { readProvenance } from "./provenance_facts.ts";
import { main } from "./main.ts";

const TYPE = "application/vnd.in-toto+json";
const BUILD_TYPE = "https://actions.github.io/buildtypes/workflow/v1";
const BUILDER = "https://ci.example/builder@v1";
const SOURCE = "https://github.com/acme/app";
const COMMIT = "c".repeat(40);

const shaOf = (text: string): string => encodeHex(sha256(utf8(text)));

interface Build {
  artifact?: string;
  builder?: string;
  ref?: string;
  commit?: string;
  inputs?: Record<string, string>;
  dependencies?: object[];
  event?: string;
}

function provenance(build: Build = {}): object {
  const { artifact = "app", builder = BUILDER, ref = "refs/tags/v1.2.3", commit = COMMIT } = build;
  const { inputs = {}, dependencies = [], event = "workflow_dispatch" } = build;
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "app", digest: { sha256: shaOf(artifact) } }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: {
          workflow: { ref, repository: SOURCE, path: ".github/workflows/release.yml", inputs },
        },
        internalParameters: { github: { event_name: event } },
        resolvedDependencies: [
          { uri: `git+${SOURCE}@${ref}`, digest: { gitCommit: commit } },
          ...dependencies,
        ],
      },
      runDetails: { builder: { id: builder }, metadata: { invocationId: `${SOURCE}/runs/1` } },
    },
  };
}

interface Keys {
  pub: string;
  secret: string;
  sign(statement: object): Promise<string>;
}

async function newKeys(): Promise<Keys> {
  const { signer, publicKey, privateKey } = await generateSigner("Ed25519");
  return {
    pub: publicKey,
    secret: privateKey,
    sign: async (statement) =>
      JSON.stringify(await createEnvelope(TYPE, utf8(JSON.stringify(statement)), signer)),
  };
}

let memo: Promise<Keys> | undefined;
const ci = (): Promise<Keys> => memo ??= newKeys();

interface Outcome {
  status: number;
  out: string;
  err: string;
  files: Map<string, MemoryFile>;
}

async function run(files: Record<string, MemoryFile>, ...args: string[]): Promise<Outcome> {
  const runtime = new MemoryRuntime(files, args);
  const status = await main(runtime);
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(runtime.stdout + runtime.stderr));
  return { status, out: runtime.stdout, err: runtime.stderr, files: runtime.files };
}

async function release(build: Build = {}): Promise<Record<string, string>> {
  const { pub, sign } = await ci();
  const builders = {
    builders: [{ signer: { keys: ["ci.pub"] }, builderId: BUILDER, maxBuildLevel: 2 }],
  };
  return {
    app: build.artifact ?? "app",
    "app.intoto.json": await sign(provenance(build)),
    "ci.pub": pub,
    "builders.json": JSON.stringify(builders),
  };
}

const TRUST = ["--key=ci.pub", "--builders=builders.json"];

/** Reason of the first refusal of `verify app`, or null. */
async function reasonOf(build: Build, ...args: string[]): Promise<string | null> {
  const outcome = await run(
    await release(build),
    "verify",
    "app",
    ...TRUST,
    "--format=json",
    ...args,
  );
  assert.ok(outcome.status < 2, outcome.err);
  const { errorReason } = JSON.parse(outcome.out);
  assert.equal(outcome.status, errorReason === null ? 0 : 1);
  return errorReason;
}

test("verify accepts provenance as expected and refuses any other, option by option", async () => {
  const cases: [string, string, string][] = [
    ["--source-uri=github.com/acme/app", "--source-uri=github.com/acme/ap", "source-mismatch"],
    ["--source-uri=github.com/acme/app", "--source-uri=github.com/acme/app2", "source-mismatch"],
    ["--source-tag=v1.2.3", "--source-tag=v1.2", "tag-mismatch"],
    ["--source-versioned-tag=v1.2", "--source-versioned-tag=v1.3", "versioned-tag-mismatch"],
    ["--min-level=2", "--min-level=3", "insufficient-level"],
    [`--builder-id=${BUILDER}`, "--builder-id=https://ci.example/build", "unexpected-builder"],
    ["--builder-id=https://ci.example/builder", `--builder-id=${BUILDER}.1`, "unexpected-builder"],
    [`--build-type=${BUILD_TYPE}`, `--build-type=${BUILD_TYPE}1`, "build-type-mismatch"],
    [
      "--build-workflow-input=level=release",
      "--build-workflow-input=level=debug",
      "workflow-input-mismatch",
    ],
  ];
  const build = { inputs: { level: "release" } };
  for (const [right, wrong, reason] of cases) {
    assert.equal(await reasonOf(build, right), null, right);
    assert.equal(await reasonOf(build, wrong), reason, wrong);
  }
  const branch = { ref: "refs/heads/main" };
  assert.equal(await reasonOf(branch, "--source-branch=main"), null);
  assert.equal(await reasonOf(branch, "--source-branch=mai"), "branch-mismatch");
  // A branch that is named like a tag is no tag.
  assert.equal(await reasonOf({ ref: "refs/heads/v1" }, "--source-tag=v1"), "tag-mismatch");
  const source = "--source-uri=github.com/acme/app";
  assert.equal(await reasonOf({}, source, `--source-digest=${COMMIT}`), null);
  assert.equal(
    await reasonOf({}, source, `--source-digest=${"d".repeat(40)}`),
    "commit-mismatch",
  );
});

test("verify refuses a builder for which the key may not speak", async () => {
  const source = "--source-uri=github.com/acme/app";
  assert.equal(
    await reasonOf({ builder: "https://ci.example/other" }, source),
    "untrusted-builder",
  );
  const files = await release();
  const known = await run(files, "verify", "app", "--key=ci.pub", source, "--format=json");
  // Unknown to the known builders: the key is trusted, its platform is not.
  assert.equal(JSON.parse(known.out).artifacts[0].attestations[0].buildLevel, 1);
});

test("verify refuses a list of builders that is malformed, before anything is verified", async () => {
  const files = { ...await release(), "builders.json": '{"builders":[{"builderId":"x*"}]}' };
  const { status, out, err } = await run(files, "verify", "app", ...TRUST);
  assert.equal(status, 2);
  assert.equal(out, "");
  assert.ok(err.includes('Cannot use "builders.json" as a list of builders'), err);
  assert.ok(err.includes("(malformed-builder-trust)"));
});

test("verify prints what is expected of provenance, and who says what", async () => {
  const args = ["--source-uri=github.com/acme/app", "--min-level=2", `--builder-id=${BUILDER}`];
  const { status, out } = await run(await release(), "verify", "app", ...TRUST, ...args);
  assert.equal(status, 0, out);
  for (
    const line of [
      "  predicate type  SLSA provenance of any version",
      "  source          git+https://github.com/acme/app",
      `  builder         ${BUILDER}`,
      "  recognised by   builders.json (1 builder)",
      "  Build level     2 or more",
      "    Build level     2 (of the recognised builder)",
      `    builder         ${BUILDER} (signed)`,
      "    source          git+https://github.com/acme/app (signed)",
      `    commit          ${COMMIT} (signed)`,
    ]
  ) assert.ok(out.includes(`${line}\n`), `${line}\n${out}`);
});

const CREATE = [
  "--verifier-id=https://v.example",
  "--resource-uri=pkg:generic/app@1",
  "--policy-uri=https://v.example/policy",
];
const EXPECT = CREATE.slice(0, 2);

test("vsa create sums up a run, and vsa verify relies on it", async () => {
  const verifier = await newKeys();
  const created = await run(
    { ...await release(), "v.pem": verifier.secret },
    ...["vsa", "create", "app", ...TRUST, "--source-uri=github.com/acme/app", ...CREATE],
    ...["--signing-key=v.pem", "--signing-keyid=v", "--output=app.vsa.json"],
  );
  assert.equal(created.status, 0, created.err);
  assert.equal(created.out, "");
  assert.ok(created.err.includes("PASSED: 1 artifact verified"));
  const vsa = created.files.get("app.vsa.json");
  assert.ok(typeof vsa === "string" && !vsa.includes(verifier.secret.slice(40, 60)));
  const { payload, signatures } = JSON.parse(vsa);
  assert.equal(signatures[0].keyid, "v");
  const { subject, predicate } = JSON.parse(atob(payload));
  assert.deepEqual(subject, [{ name: "app", digest: { sha256: shaOf("app") } }]);
  assert.deepEqual(predicate.verifiedLevels, ["SLSA_BUILD_LEVEL_2"]);
  const input = String((await release())["app.intoto.json"]);
  assert.deepEqual(predicate.inputAttestations, [
    { name: "app.intoto.json", digest: { sha256: shaOf(input) } },
  ]);

  const files = { app: "app", bpp: "bpp", "app.vsa.json": vsa, "v.pub": verifier.pub };
  const verify = async (...args: string[]) => {
    const { out, err } = await run(files, ...args, "--key=v.pub", "--format=json");
    assert.ok(out !== "", err);
    return JSON.parse(out).errorReason;
  };
  const vsaFile = "--vsa=app.vsa.json";
  const cases: [string[], string | null][] = [
    [["app", vsaFile, ...EXPECT], null],
    [["app", "--attestation-path=app.vsa.json", ...EXPECT], null],
    [["app", vsaFile, ...EXPECT, "--verified-level=SLSA_BUILD_LEVEL_2"], null],
    [["app", vsaFile, ...EXPECT, "--verified-level=SLSA_BUILD_LEVEL_1"], null],
    [["app", vsaFile, ...EXPECT, "--vsa-level=SLSA_BUILD_LEVEL_3"], "insufficient-level"],
    [
      ["app", vsaFile, ...EXPECT, "--vsa-dependency-level=SLSA_BUILD_LEVEL_1"],
      "dependencies-unknown",
    ],
    [["app", vsaFile, ...EXPECT, "--vsa-max-age=1"], null],
    [["app", vsaFile, ...EXPECT, "--vsa-policy-uri=https://v.example/policy"], null],
    [["app", vsaFile, ...EXPECT, "--vsa-policy-uri=https://v.example/"], "policy-mismatch"],
    [["app", vsaFile, ...EXPECT, "--vsa-source-ref=refs/heads/main"], "source-ref-mismatch"],
    [["app", vsaFile, "--verifier-id=https://w.example", EXPECT[1]], "verifier-mismatch"],
    [["app", vsaFile, EXPECT[0], "--resource-uri=pkg:generic/app@2"], "resource-mismatch"],
    [["bpp", vsaFile, ...EXPECT], "subject-mismatch"],
    [[vsaFile, ...EXPECT, `--subject-digest=sha256:${shaOf("app")}`], null],
    [[vsaFile, ...EXPECT, `--subject-digest=sha256:${shaOf("bpp")}`], "subject-mismatch"],
    [[vsaFile, ...EXPECT, "--subject-digest=sha1:1"], "unsupported-digest-algorithm"],
  ];
  for (const [args, reason] of cases) {
    assert.equal(await verify("verify", ...args), reason, args.join(" "));
    assert.equal(await verify("vsa", "verify", ...args), reason, args.join(" "));
  }
  const stranger = await run(
    { ...files, "v.pub": (await newKeys()).pub },
    ...["vsa", "verify", "app", vsaFile, ...EXPECT, "--key=v.pub"],
  );
  assert.equal(stranger.status, 1);
});

test("verify refuses a VSA that is older than asked", async () => {
  const { pub, sign } = await ci();
  const vsa = await sign({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "app", digest: { sha256: shaOf("app") } }],
    predicateType: "https://slsa.dev/verification_summary/v1",
    predicate: {
      verifier: { id: "https://v.example" },
      timeVerified: new Date(Date.now() - 3 * 86_400_000).toISOString(),
      resourceUri: "pkg:generic/app@1",
      policy: { uri: "https://v.example/policy" },
      verificationResult: "PASSED",
      verifiedLevels: ["SLSA_BUILD_LEVEL_3"],
    },
  });
  const files = { app: "app", "vsa.json": vsa, "ci.pub": pub };
  const args = ["verify", "app", "--vsa=vsa.json", "--key=ci.pub", ...EXPECT];
  assert.equal((await run(files, ...args, "--vsa-max-age=4")).status, 0);
  const old = await run(files, ...args, "--vsa-max-age=2");
  assert.equal(old.status, 1);
  assert.ok(old.out.includes("(vsa-too-old)"));
  assert.ok(old.out.includes("at most 2 days"));
});

test("vsa create writes nothing for what is not verified, unless it is asked to", async () => {
  const args = ["vsa", "create", "app", ...TRUST, "--source-uri=github.com/acme/other", ...CREATE];
  const none = await run(await release(), ...args, "--output=vsa.json");
  assert.equal(none.status, 1);
  assert.equal(none.out, "");
  assert.equal(none.files.get("vsa.json"), undefined);
  assert.ok(none.err.includes("(source-mismatch)"));
  const failed = await run(await release(), ...args, "--failed");
  assert.equal(failed.status, 1);
  const { predicate } = JSON.parse(failed.out);
  assert.equal(predicate.verificationResult, "FAILED");
  assert.deepEqual(predicate.verifiedLevels, ["FAILED"]);
});

test("vsa create never states more than was established", async () => {
  const files = await release();
  const source = "--source-uri=github.com/acme/app";
  const more = await run(
    files,
    ...["vsa", "create", "app", ...TRUST, source, ...CREATE, "--level=SLSA_BUILD_LEVEL_3"],
  );
  assert.equal(more.status, 2);
  assert.equal(more.out, "");
  assert.ok(more.err.includes("(insufficient-level)"));
  const words = await run(
    files,
    ...["vsa", "create", "app", ...TRUST, source, ...CREATE],
    ...["--level=SLSA_BUILD_LEVEL_1", "--level=ORG_REVIEWED", "--dependency-level=A=2"],
    ...[`--policy-digest=sha256:${"a".repeat(64)}`],
  );
  assert.equal(words.status, 0, words.err);
  const { predicate } = JSON.parse(words.out);
  assert.deepEqual(predicate.verifiedLevels, ["SLSA_BUILD_LEVEL_1", "ORG_REVIEWED"]);
  assert.deepEqual(predicate.dependencyLevels, { A: 2 });
  assert.deepEqual(predicate.policy.digest, { sha256: "a".repeat(64) });
  assert.ok(words.err.includes("not signed"));

  const key = "--key=ci.pub";
  const usage: [string[], RegExp][] = [
    [["create", "app", key, ...CREATE], /needs --level, or/],
    [["create", "app", key, ...CREATE, "--level=SLSA_BUILD_LEVEL_1"], /needs what provenance/],
    [["create", "app", key, source, ...CREATE.slice(1)], /needs --verifier-id/],
    [["create", "app", key, source, ...CREATE.slice(0, 2)], /needs --policy-uri/],
    [["create", "app", key, source, ...CREATE, "--signing-keyid=x"], /needs --signing-key/],
    [["create", "app", key, source, ...CREATE, "--policy-digest=x"], /ALG:HEX/],
    [["create", "app", key, source, ...CREATE, "--dependency-level=A"], /LEVEL=N/],
    [["create", "app", source, ...CREATE, "--unsafe-any-identity"], /Unknown option/],
    [["create", "app", source, ...CREATE, "--unsafe-no-artifact"], /Unknown option/],
    [["verify", "app", key], /needs --verifier-id/],
    [["creat"], /did you mean create\?/],
    [[], /needs an action/],
  ];
  for (const [args, message] of usage) {
    const { status, out, err } = await run(files, "vsa", ...args);
    assert.equal(status, 2, args.join(" "));
    assert.equal(out, "");
    assert.ok(message.test(err), `${args.join(" ")}: ${err}`);
  }
  const signing = ["vsa", "create", "app", ...TRUST, source, ...CREATE, "--signing-key=ci.pub"];
  const wrong = await run(files, ...signing);
  assert.equal(wrong.status, 2);
  assert.ok(wrong.err.includes('Cannot use "ci.pub" as a signing key'));
});

const DIFF = ["--key=ci.pub", "--builders=builders.json"];

async function diff(a: Build, b: Build, ...args: string[]): Promise<Outcome> {
  const { pub, sign } = await ci();
  const files = {
    "a.json": await sign(provenance(a)),
    "b.json": await sign(provenance(b)),
    a: a.artifact ?? "app",
    b: b.artifact ?? "app",
    "ci.pub": pub,
    "builders.json": (await release())["builders.json"],
  };
  return await run(files, "diff", "a.json", "b.json", ...DIFF, ...args);
}

test("diff says what differs between two verified provenances", async () => {
  const same = await diff({}, { artifact: "other" });
  assert.equal(same.status, 0, same.out + same.err);
  assert.ok(same.out.includes("SAME"));
  assert.ok(same.out.includes("(about no given artifact)"));

  const alpine = (version: string) => ({
    uri: `pkg:docker/alpine@${version}`,
    digest: { sha256: shaOf(version) },
  });
  const other: Build = {
    ref: "refs/tags/v1.3.0",
    commit: "d".repeat(40),
    inputs: { level: "debug" },
    dependencies: [alpine("3.19"), { uri: "pkg:npm/new@1" }],
  };
  const different = await diff({ dependencies: [alpine("3.18")] }, other, "--format=json");
  assert.equal(different.status, 1);
  const { ok, errorReason, same: isSame, differences } = JSON.parse(different.out);
  assert.deepEqual([ok, errorReason, isSame], [true, null, false]);
  const found = differences.map(({ field, name }: { field: string; name?: string }) =>
    name === undefined ? field : `${field} ${name}`
  );
  assert.deepEqual(found, [
    "ref",
    "commit",
    "parameter /workflow/inputs",
    "parameter /workflow/inputs/level",
    "parameter /workflow/ref",
    "dependency git+https://github.com/acme/app",
    "dependency pkg:docker/alpine",
    "dependency pkg:npm/new",
  ]);
  const text = await diff({ dependencies: [alpine("3.18")] }, other);
  assert.ok(text.out.includes("dependency pkg:npm/new (only in B)\n  B  pkg:npm/new@1\n"));
  assert.ok(text.out.includes("ref\n  A  refs/tags/v1.2.3\n  B  refs/tags/v1.3.0\n"));
  assert.ok(text.out.endsWith("DIFFERENT: 8 differences\n"));
});

test("diff compares nothing that is not verified", async () => {
  const cases: [Build, Build, string[], string][] = [
    [{}, { builder: "https://evil.example" }, [], "untrusted-builder"],
    [{}, { artifact: "b" }, ["--artifact-a=a", "--artifact-b=a"], "subject-mismatch"],
    [{}, {}, ["--source-uri=github.com/acme/b"], "source-mismatch"],
    [{}, {}, ["--min-level=3"], "insufficient-level"],
  ];
  for (const [a, b, args, reason] of cases) {
    const { status, out } = await diff(a, b, "--format=json", ...args);
    assert.equal(status, 1);
    const report = JSON.parse(out);
    assert.deepEqual([report.ok, report.same, report.errorReason], [false, null, reason]);
    assert.deepEqual(report.differences, []);
    const text = await diff(a, b, ...args);
    assert.equal(text.status, 1);
    assert.ok(text.out.includes("NOT COMPARED") && text.out.includes(reason), text.out);
  }
  const matched = await diff({}, { artifact: "b" }, "--artifact-a=a", "--artifact-b=b");
  assert.equal(matched.status, 0, matched.out);
  assert.ok(matched.out.includes("(about b)"));
});

test("diff picks none of several provenances, and refuses wrong usage", async () => {
  const { pub, sign } = await ci();
  const one = await sign(provenance());
  const two = await sign(provenance({ artifact: "other" }));
  const files = {
    "a.jsonl": `${one}\n${two}\n`,
    "b.json": one,
    app: "app",
    "d/x": "x",
    "d/y": "y",
    "sbom.json": await sign({ ...provenance(), predicateType: "https://spdx.dev/Document" }),
    "ci.pub": pub,
  };
  const key = "--key=ci.pub";
  const several = await run(files, "diff", "a.jsonl", "b.json", key);
  assert.equal(several.status, 2);
  assert.ok(several.err.includes("2 provenances of it verify"), several.err);
  const meant = await run(files, "diff", "a.jsonl", "b.json", key, "--artifact-a=app");
  assert.equal(meant.status, 0, meant.out + meant.err);
  const other = await run(files, "diff", "sbom.json", "b.json", key);
  assert.equal(other.status, 1);
  assert.ok(other.out.includes("(predicate-type-mismatch)"));
  const nobody = await run(files, "diff", "b.json", "b.json");
  assert.equal(nobody.status, 1);
  assert.ok(nobody.out.includes("NOT STATED"));
  for (
    const [args, message] of [
      [["b.json", key], /takes two files/],
      [["b.json", "b.json", "b.json", key], /takes two files/],
      [["b.json", "b.json", key, "--artifact-a=d"], /one artifact, not a folder/],
      [["b.json", "b.json", key, "--unsafe-no-artifact"], /Unknown option/],
      [["b.json", "none.json", key], /does not exist/],
    ] as [string[], RegExp][]
  ) {
    const { status, out, err } = await run(files, "diff", ...args);
    assert.equal(status, 2, args.join(" "));
    assert.equal(out, "");
    assert.ok(message.test(err), err);
  }
});

test("diffProvenance() compares dependencies at a proportional cost, each as often as it is there", async () => {
  const side = (build: Build) => {
    const statement = provenance(build) as Parameters<typeof readProvenance>[0];
    const found = readProvenance(statement);
    assert.ok(found !== undefined);
    return { provenance: found, signers: ["ci"], level: 1 };
  };
  const work = (count: number) => {
    const dependencies = Array.from({ length: count }, (_, i) => ({ uri: `pkg:npm/p${i}@1` }));
    const a = side({ dependencies });
    const b = side({ dependencies: [...dependencies.slice(1), dependencies[1]] });
    return () =>
      assert.deepEqual(diffProvenance(a, b), [
        { field: "dependency", name: "pkg:npm/p0", a: "pkg:npm/p0@1" },
        { field: "dependency", name: "pkg:npm/p1", b: "pkg:npm/p1@1" },
      ]);
  };
  work(100_000)();
  assert.ok(await isProportional(work, 4000));
});

test("diffProvenance() names the level and the signer", () => {
  const found = readProvenance(provenance() as Parameters<typeof readProvenance>[0]);
  assert.ok(found !== undefined);
  assert.deepEqual(
    diffProvenance(
      { provenance: found, signers: ["a"], level: 1 },
      { provenance: found, signers: ["b"], level: 2 },
    ),
    [{ field: "level", a: "1", b: "2" }, { field: "signer", a: "a", b: "b" }],
  );
});

test("inspect tells a predicate in short, and what is wrong with it", async () => {
  const statement = (predicateType: string, predicate: object) =>
    JSON.stringify({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "app", digest: { sha256: "a".repeat(64) } }],
      predicateType,
      predicate,
    });
  const cases: [string, string, object, string[]][] = [
    ["spdx", "https://spdx.dev/Document", {
      spdxVersion: "SPDX-2.3",
      SPDXID: "SPDXRef-DOCUMENT",
      name: "app",
      dataLicense: "CC0-1.0",
      documentNamespace: "https://x.example/app",
      creationInfo: { created: "2025-01-01T00:00:00Z", creators: ["Tool: x"] },
      packages: [{
        SPDXID: "SPDXRef-a",
        name: "left-pad",
        versionInfo: "1.3.0",
        downloadLocation: "NOASSERTION",
      }],
    }, ["left-pad 1.3.0"]],
    ["vsa", "https://slsa.dev/verification_summary/v1", {
      verifier: { id: "https://v.example" },
      resourceUri: "pkg:a/b",
      policy: { uri: "https://v.example/p" },
      verificationResult: "PASSED",
      verifiedLevels: ["SLSA_BUILD_LEVEL_3"],
    }, ["https://v.example", "pkg:a/b", "SLSA_BUILD_LEVEL_3"]],
    ["test-result", "https://in-toto.io/attestation/test-result/v0.1", {
      result: "FAILED",
      configuration: [{ uri: "https://x.example/c" }],
      failedTests: ["unit"],
    }, ["FAILED", "unit"]],
    ["", "https://example.com/mine/v1", { approved: true, by: "a\u001b[31m" }, [
      "true",
      "a\u001b[31m",
    ]],
  ];
  for (const [kind, type, predicate, values] of cases) {
    const files = { "a.json": statement(type, predicate) };
    const { status, out } = await run(files, "inspect", "a.json", "--format=json");
    assert.equal(status, 0, out);
    const [one] = JSON.parse(out);
    assert.equal(one.predicate.kind ?? "", kind);
    for (const value of values) {
      assert.ok(
        one.predicate.fields.some((field: { value: string; origins: string[] }) =>
          field.value === value && field.origins.join() === "unsigned"
        ),
        `${value} in ${out}`,
      );
    }
    const text = await run(files, "inspect", "a.json");
    assert.ok(text.out.includes("NOBODY: it is not signed"));
  }
  const malformed = { "a.json": statement("https://slsa.dev/verification_summary/v1", {}) };
  const { status, out } = await run(malformed, "inspect", "a.json", "--format=json");
  assert.equal(status, 1);
  const [{ problems }] = JSON.parse(out);
  assert.ok(problems.length > 1);
  assert.equal(problems[0].reason, "missing-predicate-field");
});

test("inspect opens what gcloud prints about an image", async () => {
  const { sign } = await ci();
  const envelope = JSON.parse(await sign(provenance()));
  const document = { provenance_summary: { provenance: [{ kind: "BUILD", envelope }, {}] } };
  const files = { "gcb.json": JSON.stringify(document) };
  const { status, out } = await run(files, "inspect", "gcb.json", "--format=json");
  assert.equal(status, 1);
  const [one, two] = JSON.parse(out);
  assert.equal(one.format, "google-cloud-build");
  assert.equal(one.predicate.kind, "provenance");
  assert.equal(two.problems[0].reason, "unknown-format");
});

test("help shows vsa and diff", async () => {
  for (const command of ["vsa", "diff"]) {
    const { status, out } = await run({}, "help", command);
    assert.equal(status, 0);
    assert.ok(out.includes("Exit status: 0"));
    assert.ok(out.includes("--source-uri"));
  }
});
