import assert from "node:assert/strict";
import { test } from "node:test";
import { createEnvelope } from "../../dsse/mod.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { canonicalJson } from "../../internal/json.ts";
import { sha256 } from "../../internal/sha256.ts";
import { generateSigner } from "../../keys/mod.ts";
import { parsePolicy } from "../../policy/parse.ts";
import { type MemoryFile, MemoryRuntime } from "../../tests/cli_runtime.ts";
import { main } from "../main.ts";
import { REPORT_FORMATS } from "./report.ts";

const TYPE = "application/vnd.in-toto+json";
const TEST = "https://example.com/tested/v1";

const shaOf = (text: string): string => encodeHex(sha256(utf8(text)));

interface Outcome {
  status: number;
  out: string;
  err: string;
  files: Map<string, MemoryFile>;
}

async function run(files: Record<string, MemoryFile>, ...args: string[]): Promise<Outcome> {
  const runtime = new MemoryRuntime(files, args);
  const status = await main(runtime);
  return { status, out: runtime.stdout, err: runtime.stderr, files: runtime.files };
}

/** `app` is attested, `bpp` is not; both are in a list of checksums; with policies. */
async function release() {
  const { signer, publicKey } = await generateSigner("Ed25519");
  const sign = async (predicate: object, predicateType = TEST) =>
    JSON.stringify(
      await createEnvelope(
        TYPE,
        utf8(JSON.stringify({
          _type: "https://in-toto.io/Statement/v1",
          subject: [{ name: "app", digest: { sha256: shaOf("app") } }],
          predicateType,
          predicate,
        })),
        signer,
      ),
    );
  const policy = (mode: "enforce" | "permissive", min: number) => ({
    type: "attest-policy/v1" as const,
    name: "acme",
    mode,
    trust: { keys: { ci: { publicKey } } },
    rules: [{
      id: "tested",
      require: [{
        id: "tests",
        envelope: { signedBy: { of: ["ci"] } },
        statement: { predicateTypes: [TEST] },
        predicate: { where: [{ path: "/predicate/passed", number: { min } }] },
      }],
    }],
  });
  const files: Record<string, MemoryFile> = {
    app: "app",
    bpp: "bpp",
    SHA256SUMS: `\n${shaOf("app")}  app\n${shaOf("bpp")}  bpp\n`,
    "app.att.json": await sign({ passed: 7 }),
    "low.json": await sign({ passed: 0 }),
    "other.json": await sign({}, "https://example.com/other/v1"),
    "ci.pub": publicKey,
    "good.json": JSON.stringify(policy("enforce", 1), null, 2),
    "bad.json": JSON.stringify(policy("enforce", 8)),
    "warn.json": JSON.stringify(policy("permissive", 8)),
  };
  return { files, digest: shaOf(canonicalJson(JSON.parse(JSON.stringify(policy("enforce", 1))))) };
}

test("verify writes each format with and without a policy, with the usual exit status", async () => {
  const { files } = await release();
  for (const format of REPORT_FORMATS) {
    const uploaded = format === "sarif";
    for (
      const [args, status] of [
        [["app", "--key=ci.pub"], 0],
        [["app", "bpp", "--key=ci.pub"], uploaded ? 0 : 1],
        [["app", "--policy=good.json"], 0],
        [["app", "--policy=bad.json"], uploaded ? 0 : 1],
        [["app", "--policy=warn.json"], 0],
      ] as const
    ) {
      const outcome = await run(files, "verify", ...args, `--format=${format}`);
      assert.equal(outcome.status, status, `${format} ${args.join(" ")}: ${outcome.err}`);
      assert.ok(outcome.out.length > 0);
      const written = await run(files, "verify", ...args, `--format=${format}`, "--output=r");
      assert.equal(written.status, status);
      assert.equal(written.out, "");
      if (!args.some((one) => one.startsWith("--policy"))) {
        assert.equal(written.files.get("r"), outcome.out);
      }
    }
  }
});

test("--exit-code makes a failed verdict with --format sarif a failure", async () => {
  const { files } = await release();
  const sarif = ["--format=sarif", "--exit-code"];
  assert.equal((await run(files, "verify", "app", "--key=ci.pub", ...sarif)).status, 0);
  assert.equal((await run(files, "verify", "bpp", "--key=ci.pub", ...sarif)).status, 1);
  assert.equal((await run(files, "verify", "app", "--policy=bad.json", ...sarif)).status, 1);
  assert.equal((await run(files, "verify", "app", "--policy=warn.json", ...sarif)).status, 0);
  // What could not run never looks like a report.
  const none = await run(files, "verify", "absent", "--key=ci.pub", "--format=sarif");
  assert.deepEqual([none.status, none.out], [2, ""]);
  const alone = await run(files, "verify", "app", "--key=ci.pub", "--exit-code");
  assert.equal(alone.status, 2);
  assert.match(alone.err, /--exit-code needs --format sarif/);
});

test("A result is at the file, the line of the checksum file, or the policy", async () => {
  const { files } = await release();
  const placesOf = async (...args: string[]) => {
    const { out, err } = await run(files, "verify", ...args, "--format=sarif");
    assert.ok(out !== "", err);
    return JSON.parse(out).runs[0].results.map(
      ({ locations: [{ physicalLocation }] }: {
        locations: {
          physicalLocation?: {
            artifactLocation: { uri: string };
            region: { startLine: number };
          };
        }[];
      }) =>
        physicalLocation === undefined
          ? undefined
          : `${physicalLocation.artifactLocation.uri}:${physicalLocation.region.startLine}`,
    );
  };
  const sums = ["--checksums=SHA256SUMS", "--bundle=app.att.json"];
  assert.deepEqual(await placesOf(...sums, "--key=ci.pub"), ["SHA256SUMS:3"]);
  assert.deepEqual(await placesOf(...sums, "--policy=good.json"), ["SHA256SUMS:3"]);
  assert.deepEqual(await placesOf("app", "--policy=bad.json"), ["app:1"]);
  const digest = `--digest=sha256:${shaOf("bpp")}`;
  assert.deepEqual(await placesOf(digest, "--bundle=app.att.json", "--key=ci.pub"), [
    "app.att.json:1",
  ]);
  assert.deepEqual(await placesOf(digest, "--policy=good.json"), ["good.json:1"]);
});

const CREATE = [
  "--verifier-id=https://v.example",
  "--resource-uri=pkg:generic/app@1",
  "--policy-uri=https://v.example/policy",
];

test("vsa create sums up the decision of a policy and names it by its digest", async () => {
  const { files, digest } = await release();
  const { signer, privateKey, publicKey } = await generateSigner("Ed25519");
  assert.ok(signer);
  const create = async (...args: string[]) =>
    await run(
      { ...files, "v.pem": privateKey, "v.pub": publicKey },
      ...["vsa", "create", "app", "--signing-key=v.pem", ...CREATE, ...args],
    );
  const bundles = ["app.att.json", "low.json", "other.json"].map((one) => `--bundle=${one}`);
  const created = await create("--policy=good.json", ...bundles, "--level=ACME_TESTED");
  assert.equal(created.status, 0, created.err);
  const { predicate } = JSON.parse(atob(JSON.parse(created.out).payload));
  assert.deepEqual(predicate.policy, {
    uri: "https://v.example/policy",
    digest: { sha256: digest },
  });
  assert.equal(
    predicate.policy.digest.sha256,
    shaOf(canonicalJson(
      JSON.parse(JSON.stringify(parsePolicy(String(files["good.json"])))),
    )),
  );
  assert.equal(predicate.verificationResult, "PASSED");
  assert.deepEqual(predicate.verifiedLevels, ["ACME_TESTED"]);
  // The others verify, and did not meet the requirement.
  assert.deepEqual(predicate.inputAttestations, [
    { name: "app.att.json", digest: { sha256: shaOf(String(files["app.att.json"])) } },
  ]);
  const verified = await run(
    { ...files, "v.pub": publicKey, "app.vsa.json": created.out },
    ...["verify", "app", "--vsa=app.vsa.json", "--key=v.pub", ...CREATE.slice(0, 2)],
  );
  assert.equal(verified.status, 0, verified.out);

  const none = await create("--policy=bad.json", "--level=ACME_TESTED");
  assert.deepEqual([none.status, none.out], [1, ""]);
  const failed = await create("--policy=bad.json", "--level=ACME_TESTED", "--failed");
  assert.equal(failed.status, 1);
  const no = JSON.parse(atob(JSON.parse(failed.out).payload)).predicate;
  assert.equal(no.verificationResult, "FAILED");
  assert.deepEqual(no.verifiedLevels, ["FAILED"]);
  assert.equal(no.inputAttestations.length, 1);

  for (
    const [args, message] of [
      [["--policy=good.json"], /state what was established/],
      [["--policy=good.json", "--level=SLSA_BUILD_LEVEL_1"], /the report shows level 0/],
      [["--policy=good.json", "--policy-digest=sha256:" + "a".repeat(64)], /exclude each other/],
    ] as const
  ) {
    const refused = await create(...args);
    assert.deepEqual([refused.status, refused.out], [2, ""], refused.err);
    assert.match(refused.err, message);
  }
});

test("vsa create states the Build level that a met requirement of the policy asks for", async () => {
  const { levelsByPolicy } = await import("../vsa_policy.ts");
  const { files } = await release();
  const document = parsePolicy(String(files["good.json"]));
  const withLevel = {
    ...document,
    rules: [{
      id: "r",
      require: [
        { id: "one", predicate: { provenance: { minLevel: 1 as const } } },
        { id: "three", predicate: { provenance: { minLevel: 3 as const } } },
      ],
    }],
  };
  const levels = (...outcomes: ("passed" | "failed" | "waived")[]) => {
    const artifact = { artifact: "app", digest: {}, ok: true, errorReason: null };
    const children = outcomes.map((outcome, i) => ({
      id: ["r/one", "r/three"][i],
      outcome,
      message: "",
    }));
    return levelsByPolicy(withLevel, {
      ok: true,
      errorReason: null,
      mode: "enforce",
      policyDigest: "",
      time: "",
      artifacts: [{
        ...artifact,
        rules: [{ id: "r", outcome: "passed", message: "", children }],
      }],
    });
  };
  assert.deepEqual(levels("passed", "passed"), [3]);
  assert.deepEqual(levels("passed", "waived"), [1]);
  assert.deepEqual(levels("failed", "waived"), [undefined]);
});
