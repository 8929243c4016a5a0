/** Behind each row of `docs/policy-comparison.md` stands a test of ours. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { main } from "../cli/main.ts";
import { createEnvelope } from "../dsse/sign.ts";
import { generateSigner } from "../keys/signer.ts";
import {
  artifact,
  attestation,
  failures,
  holder,
  ISSUER,
  judge,
  judgeOne,
  KEYS,
  NOW,
  policyOf,
  PROVENANCE,
  SHA,
  signer,
  TEST,
} from "../policy/_fixtures_test.ts";
import { definePolicy, signedByAtLeast } from "../policy/builders.ts";
import { celEvaluator } from "../policy/cel.ts";
import { compilePolicy } from "../policy/compile.ts";
import type { PolicyDocument } from "../policy/document.ts";
import { evaluatePolicy } from "../policy/evaluate.ts";
import { parsePolicy, validatePolicy } from "../policy/parse.ts";
import { openSignedPolicy, POLICY_PAYLOAD_TYPE, WAIVERS_PAYLOAD_TYPE } from "../policy/signed.ts";
import { MemoryRuntime } from "./cli_runtime.ts";

const SBOM = "https://cyclonedx.org/bom";
const VULNS = "https://in-toto.io/attestation/vulns/v0.2";
const VSA = "https://slsa.dev/verification_summary/v1";

function rules(...all: object[]): Partial<PolicyDocument> {
  return { rules: all as never };
}

async function reasonOf(policy: unknown, ...evidence: Parameters<typeof judge>[1]) {
  return (await judge(policy, evidence)).errorReason;
}

describe("Comparison of policies", () => {
  it("conditions without a language, and CEL for the rest", async () => {
    const where = [{ path: "/predicate/result", oneOf: ["PASSED"] }];
    const alice = await signer("alice");
    const judged = async (predicate: object, result: string) =>
      (await judgeOne({ predicate }, [attestation([alice], { result })])).errorReason;
    assert.equal(await judged({ where }, "PASSED"), null);
    assert.equal(await judged({ where }, "FAILED"), "condition-not-met");
    const cel = { require: [{ id: "a", predicate: { cel: "predicate.a < predicate.b" } }] };
    const policy = await compilePolicy(parsePolicy(policyOf(cel) as object), {
      cel: celEvaluator(),
    });
    for (const [b, reason] of [[2, null], [0, "condition-not-met"]] as const) {
      const one = artifact([attestation([alice], { a: 1, b })]);
      assert.equal(evaluatePolicy(policy, [one], NOW).errorReason, reason);
    }
  });

  it("patterns match the whole text", async () => {
    const identities = {
      release: { issuer: ISSUER, subjectAlternativeName: { pattern: "https://ci.example/rel" } },
    };
    const named = policyOf({}, { trust: { identities } });
    assert.equal(
      await reasonOf(named, artifact([attestation([holder("https://ci.example/rel/evil")])])),
      "signer-mismatch",
    );
    assert.equal(
      await reasonOf(named, artifact([attestation([holder("https://ci.example/rel")])])),
      null,
    );
    assert.equal(validatePolicy(policyOf({ select: { name: "^app$" } })).length, 1);
  });

  it("every claim of a certificate, and numeric ids", async () => {
    const identities = {
      ci: { issuer: ISSUER, sourceRepositoryIdentifier: "1001", deploymentEnvironment: "prod" },
    };
    const signedAs = (claims: object) => {
      const one = holder("https://ci.example/x");
      return artifact([attestation([{ ...one, identity: { ...one.identity!, ...claims } }])]);
    };
    const policy = policyOf({}, { trust: { identities } });
    const id = { sourceRepositoryIdentifier: "1001" };
    assert.equal(await reasonOf(policy, signedAs({ ...id, deploymentEnvironment: "prod" })), null);
    assert.equal(await reasonOf(policy, signedAs(id)), "signer-mismatch");
    const other = { sourceRepositoryIdentifier: "1002", deploymentEnvironment: "prod" };
    assert.equal(await reasonOf(policy, signedAs(other)), "signer-mismatch");
  });

  it("a Build level by who signed", async () => {
    const ci = { subjectAlternativeName: "https://ci.example/release", issuer: ISSUER };
    const predicate = {
      buildDefinition: { buildType: "https://ci.example/v1", externalParameters: { ref: "main" } },
      runDetails: { builder: { id: "https://ci.example/builder" } },
    };
    const builders = {
      builders: [{
        signer: { certificate: ci },
        builderId: "https://ci.example/builder",
        maxBuildLevel: 2,
      }],
    };
    const judged = async (minLevel: number) =>
      (await judgeOne(
        { predicate: { provenance: { minLevel, builders } } } as never,
        [attestation([holder("https://ci.example/release")], predicate, {
          predicateType: PROVENANCE,
        })],
      )).errorReason;
    assert.equal(await judged(2), null);
    assert.equal(await judged(3), "insufficient-level");
  });

  it("signers of one envelope, so many of a group", async () => {
    const rule = { envelope: signedByAtLeast(2, "maintainers") };
    const alice = await signer("alice"), bob = await signer("bob");
    assert.equal((await judgeOne(rule, [attestation([alice, bob])])).errorReason, null);
    assert.equal(
      (await judgeOne(rule, [attestation([alice]), attestation([bob])])).errorReason,
      "insufficient-signers",
    );
  });

  it("signers that differ over attestations", async () => {
    const alice = await signer("alice"), bob = await signer("bob");
    const policy = policyOf({
      require: [
        { id: "built", statement: { predicateTypes: [PROVENANCE] } },
        { id: "tested", statement: { predicateTypes: [TEST] } },
      ],
      across: [{ id: "apart", distinctSigners: ["built", "tested"] }],
    });
    const built = attestation([alice], {}, { predicateType: PROVENANCE });
    assert.equal(await reasonOf(policy, artifact([built, attestation([bob])])), null);
    assert.equal(
      await reasonOf(policy, artifact([built, attestation([alice])])),
      "signers-not-distinct",
    );
  });

  it("fields that are equal over attestations", async () => {
    const alice = await signer("alice");
    const policy = policyOf({
      require: [
        { id: "listed", statement: { predicateTypes: [SBOM] } },
        { id: "tested", statement: { predicateTypes: [TEST] } },
      ],
      across: [{
        id: "commit",
        equal: [
          { requirement: "listed", path: "/predicate/commit" },
          { requirement: "tested", path: "/predicate/commit" },
        ],
      }],
    });
    const judged = (commit: string) =>
      reasonOf(
        policy,
        artifact([
          attestation([alice], { commit: "a" }, { predicateType: SBOM }),
          attestation([alice], { commit }),
        ]),
      );
    assert.equal(await judged("a"), null);
    assert.equal(await judged("b"), "fields-differ");
  });

  it("what becomes of several of one type", async () => {
    const alice = await signer("alice");
    const at = (result: string, timestamp: string) =>
      attestation([alice], { result }, {
        timestamps: [{ type: "timestamp-authority", uri: "https://tsa.example", timestamp }],
      });
    const all = [at("PASSED", "2026-05-01T00:00:00Z"), at("FAILED", "2026-05-02T00:00:00Z")];
    const predicate = { where: [{ path: "/predicate/result", equals: "PASSED" }] };
    const wanted = [["any", null], ["all", "attestations-disagree"], [
      "latest",
      "condition-not-met",
    ]] as const;
    for (const [conflict, reason] of wanted) {
      assert.equal((await judgeOne({ predicate, conflict }, all)).errorReason, reason);
    }
  });

  it("a chain to what an artifact is made of", async () => {
    const alice = await signer("alice");
    const base = "b".repeat(64);
    const predicate = {
      buildDefinition: {
        buildType: "https://ci.example/v1",
        externalParameters: { ref: "main" },
        resolvedDependencies: [{ uri: "oci://base", digest: { sha256: base } }],
      },
      runDetails: { builder: { id: "https://ci.example/builder" } },
    };
    const policy = policyOf({}, {
      ...rules(
        { id: "base", select: { name: "base" }, require: [{ id: "signed" }] },
        {
          id: "app",
          require: [{ id: "built", statement: { predicateTypes: [PROVENANCE] } }],
          across: [{
            id: "on-base",
            chain: { from: "built", dependency: "oci://base", rule: "base" },
          }],
        },
      ),
    });
    const app = artifact([attestation([alice], predicate, { predicateType: PROVENANCE })]);
    const below = artifact([attestation([alice])], { artifact: "base", digest: { sha256: base } });
    assert.equal(await reasonOf(policy, below, app), null);
    assert.equal(await reasonOf(policy, app), "chain-not-met");
  });

  it("age by the verified time, and the end of the policy", async () => {
    const time = { type: "timestamp-authority", uri: "https://tsa.example" } as const;
    const one = attestation([await signer("alice")], {}, {
      timestamps: [{ ...time, timestamp: "2026-05-01T00:00:00Z" }],
    });
    const judged = async (maxAge: string, expires = "2027-01-01T00:00:00Z") =>
      (await judgeOne({ freshness: { maxAge } }, [one], { expires })).errorReason;
    assert.equal(await judged("P60D"), null);
    assert.equal(await judged("P7D"), "attestation-too-old");
    assert.equal(await judged("P60D", "2026-06-01T00:00:00Z"), "policy-expired");
  });

  it("a waiver with an owner and an end", async () => {
    const waiver = {
      rule: "release/signed",
      artifact: { name: "app" },
      reason: "No attestation yet",
      owner: "security@acme.example",
      until: "2026-07-01T00:00:00Z",
    };
    const policy = policyOf({}, { waivers: [waiver] });
    const verdict = await judge(policy, [artifact([])]);
    assert.equal(verdict.ok, true);
    const [shown] = failures(verdict.artifacts[0].rules);
    assert.deepEqual([shown.outcome, shown.reason, shown.waiver?.owner], [
      "waived",
      "missing-attestation",
      waiver.owner,
    ]);
    const ended = await judge(policy, [artifact([])], new Date(waiver.until));
    assert.equal(ended.errorReason, "missing-attestation");
  });

  it("waivers that must be signed", async () => {
    const owner = await generateSigner("Ed25519"), thief = await generateSigner("Ed25519");
    const base = policyOf({}) as PolicyDocument;
    const document = parsePolicy({
      ...base,
      trust: {
        ...base.trust,
        keys: { ...base.trust?.keys, owner: { publicKey: owner.publicKey } },
      },
      waiverSigners: { of: ["owner"] },
    });
    const waivers = {
      type: "attest-waivers/v1",
      waivers: [{
        rule: "release",
        artifact: { name: "app" },
        reason: "Known",
        owner: "us",
        until: "2026-07-01T00:00:00Z",
      }],
    };
    const compiled = async ({ signer }: typeof owner) =>
      await compilePolicy(document, {
        signedWaivers: [await createEnvelope(WAIVERS_PAYLOAD_TYPE, waivers, signer)],
        now: NOW,
      });
    assert.equal(evaluatePolicy(await compiled(owner), [artifact([])], NOW).ok, true);
    await assert.rejects(compiled(thief), { reason: "invalid-signature" });
  });

  it("a policy that must be signed", async () => {
    const owner = await generateSigner("Ed25519"), thief = await generateSigner("Ed25519");
    const policy = parsePolicy(policyOf({}) as object);
    const open = async ({ signer }: typeof owner) =>
      await openSignedPolicy(await createEnvelope(POLICY_PAYLOAD_TYPE, policy, signer), [
        owner.trustedKey,
      ]);
    assert.deepEqual((await open(owner)).document, policy);
    await assert.rejects(open(thief), { reason: "invalid-signature" });
  });

  it("one document for many artifacts, and none that no rule selects", async () => {
    const policy = policyOf({}, {
      ...rules(
        { id: "image", select: { oci: "ghcr.io/acme/*" }, require: [{ id: "signed" }] },
        { id: "package", select: { npm: "@acme/*" }, require: [{ id: "signed" }] },
      ),
    });
    const all = [attestation([await signer("alice")])];
    assert.equal(await reasonOf(policy, artifact(all, { ociRepository: "ghcr.io/acme/a" })), null);
    assert.equal(await reasonOf(policy, artifact(all, { npmPackage: "@acme/a" })), null);
    assert.equal(await reasonOf(policy, artifact(all)), "unselected-artifact");
    assert.equal(
      await reasonOf(policy, artifact(all, { ociRepository: "ghcr.io/acme-evil/a" })),
      "unselected-artifact",
    );
  });

  it("a mode that only warns", async () => {
    const verdict = await judge(policyOf({}, { mode: "permissive" }), [artifact([])]);
    assert.deepEqual([verdict.ok, verdict.mode], [false, "permissive"]);
    const { status, err } = await runVerify(policyOf({}, { mode: "permissive" }));
    assert.equal(status, 0);
    assert.ok(err.includes("warning"));
    assert.equal((await runVerify(policyOf({}))).status, 1);
  });

  it("packages of an SBOM", async () => {
    const alice = await signer("alice");
    const judged = async (name: string) =>
      (await judgeOne({ predicate: { sbom: { forbidden: ["pkg:npm/event-stream"] } } }, [
        attestation([alice], {
          bomFormat: "CycloneDX",
          specVersion: "1.6",
          components: [{ type: "library", name, version: "1.0.0", purl: `pkg:npm/${name}@1.0.0` }],
        }, { predicateType: SBOM }),
      ])).errorReason;
    assert.equal(await judged("left-pad"), null);
    assert.equal(await judged("event-stream"), "forbidden-package");
  });

  it("severities of a scan, with exceptions that end", async () => {
    const alice = await signer("alice");
    const judged = async (until: string) =>
      (await judgeOne({
        predicate: {
          vulnerabilities: {
            maxSeverity: "medium",
            exceptions: [{ id: "CVE-1", reason: "Not called", until }],
          },
        },
      }, [
        attestation([alice], {
          scanner: {
            uri: "https://scanner.example",
            result: [{ id: "CVE-1", severity: [{ method: "nvd", score: "HIGH" }] }],
          },
          metadata: {
            scanStartedOn: "2026-05-31T00:00:00Z",
            scanFinishedOn: "2026-05-31T00:00:00Z",
          },
        }, { predicateType: VULNS }),
      ])).errorReason;
    assert.equal(await judged("2026-07-01T00:00:00Z"), null);
    assert.equal(await judged("2026-05-01T00:00:00Z"), "severity-too-high");
  });

  it("verification summaries as evidence", async () => {
    const alice = await signer("alice");
    const judged = async (verificationResult: string) =>
      (await judgeOne({
        predicate: {
          vsa: {
            verifierId: "https://verifier.example",
            resourceUri: "pkg:npm/app@1.0.0",
            signer: { keys: ["alice"] },
          },
        },
      }, [
        attestation([alice], {
          verifier: { id: "https://verifier.example" },
          timeVerified: "2026-05-31T00:00:00Z",
          resourceUri: "pkg:npm/app@1.0.0",
          policy: { uri: "https://verifier.example/policy", digest: { sha256: SHA } },
          verificationResult,
          verifiedLevels: ["SLSA_BUILD_LEVEL_3"],
          slsaVersion: "1.0",
        }, { predicateType: VSA }),
      ])).errorReason;
    assert.equal(await judged("PASSED"), null);
    assert.equal(await judged("FAILED"), "verification-not-passed");
  });

  it("a failure tells what was wanted, what was found, and where", async () => {
    const where = [{ id: "result", path: "/predicate/result", equals: "PASSED" }];
    const verdict = await judgeOne({ predicate: { where } }, [
      attestation([await signer("alice")], { result: "FAILED" }),
    ]);
    const [check] = failures(verdict.rules);
    assert.equal(check.id, "release/signed/predicate.where.result");
    assert.equal(check.reason, "condition-not-met");
    assert.equal(check.path, "/predicate/result");
    assert.equal(check.actual, '"FAILED"');
    assert.equal(check.expected, 'equal to "PASSED"');
    assert.equal(check.origin, "signed");
    assert.ok(check.remedy);
  });

  it("what is not there never passes", async () => {
    const alice = await signer("alice");
    for (const condition of [{ equals: 1 }, { matches: "**" }, { disjointFrom: ["a"] }]) {
      const predicate = { where: [{ path: "/predicate/gone", ...condition }] };
      assert.equal(
        (await judgeOne({ predicate }, [attestation([alice])])).errorReason,
        "condition-not-met",
      );
    }
    assert.equal((await judge(policyOf({}), [])).ok, false);
  });

  it("typed values that give the same document", () => {
    const document = definePolicy({
      trust: { keys: { alice: { publicKey: KEYS.alice } } },
      rules: [{ id: "a", require: [{ id: "b", envelope: signedByAtLeast(1, "alice") }] }],
    });
    assert.deepEqual(parsePolicy(JSON.stringify(document)), document);
  });

  it("a misspelt policy is refused with its path", () => {
    const [problem] = validatePolicy({ ...policyOf({}) as object, rulez: [] });
    assert.equal(problem.path, "/rulez");
    assert.ok(problem.message.includes("rules"));
  });

  it("the policies of cosign's users are converted, and what is not is listed", async () => {
    const images = {
      apiVersion: "policy.sigstore.dev/v1beta1",
      kind: "ClusterImagePolicy",
      metadata: { name: "p" },
      spec: {
        images: [{ glob: "ghcr.io/acme/*" }],
        authorities: [{
          name: "key",
          key: { data: KEYS.alice },
          attestations: [{
            name: "scan",
            predicateType: "https://example.com/scan/v1",
            policy: { type: "cue", data: 'predicate: result: "PASSED"' },
          }],
        }],
      },
    };
    const runtime = new MemoryRuntime({ "p.json": JSON.stringify(images) }, [
      "policy",
      "import",
      "--from=cluster-image-policy",
      "p.json",
    ]);
    await main(runtime);
    assert.ok((runtime.stdout + runtime.stderr).toLowerCase().includes("cue"), runtime.stderr);
  });
});

async function runVerify(policy: unknown) {
  const runtime = new MemoryRuntime({
    "app": "app",
    "a.json": "{}",
    "policy.json": JSON.stringify(policy),
  }, ["verify", "app", "--bundle=a.json", "--policy=policy.json"]);
  runtime.now = () => NOW;
  const status = await main(runtime);
  return { status, err: runtime.stderr };
}

const PAGE = readFileSync(new URL("../docs/policy-comparison.md", import.meta.url), "utf8");

describe("docs/policy-comparison.md", () => {
  const rows = PAGE.split("\n")
    .filter((line) => line.startsWith("|") && !/^\|(?: *:?-+:? *\|)+$/.test(line))
    .map((line) => line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim()))
    .filter(([first]) => first !== "what can be stated");

  it("names a test that exists in each row", () => {
    assert.ok(rows.length >= 20);
    const source = readFileSync(new URL(import.meta.url), "utf8");
    for (const cells of rows) {
      assert.equal(cells.length, 7, cells.join(" | "));
      assert.ok(cells.every((cell) => cell !== ""), cells[0]);
      assert.ok(source.includes(`  it(${JSON.stringify(cells[6])}, `), cells[6]);
    }
    assert.equal(new Set(rows.map(([first]) => first)).size, rows.length);
  });

  it("uses each test of the comparison", () => {
    const source = readFileSync(new URL(import.meta.url), "utf8");
    const end = source.indexOf("const PAGE = ");
    for (const [, name] of source.slice(0, end).matchAll(/^ {2}it\("([^"]+)"/gm)) {
      assert.ok(rows.some((cells) => cells[6] === name), `no row stands on: ${name}`);
    }
  });
});
