import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError, type Reason } from "../errors.ts";
import { CheckList } from "../internal/check_list.ts";
import { parseStatement } from "../intoto/statement.ts";
import { generateSigner } from "../keys/signer.ts";
import type { Check } from "../report.ts";
import { about, finish } from "./_finding.ts";
import { ABC, ABC_SHA256, ciKey, signed, statementAbout } from "./_fixtures_test.ts";
import { predicateLayer } from "./_predicate_layer.ts";
import { digestArtifact } from "./artifact.ts";
import { assembleReport, furthestReason } from "./assemble.ts";
import { DEFAULT_LIMITS, loadAttestations } from "./load.ts";
import { verify } from "./mod.ts";
import type { ArtifactInput } from "./options.ts";
import { notJudged, predicateJudge } from "./predicate.ts";
import type { ArtifactReport, AttestationReport } from "./report.ts";

const PASSED: Check = {
  id: "statement.format",
  layer: "statement",
  outcome: "passed",
  message: "",
};

const WATCH = { algorithms: ["sha256"], onBytes: () => {} };

function layer(list = new CheckList()) {
  return { list, signers: ["ci"], keys: [], timestamps: [], logs: 0 };
}

async function loaded(content: object | string) {
  const [one] = await loadAttestations(content, 0, DEFAULT_LIMITS);
  return one;
}

describe("finish()", () => {
  it("accepts nothing whose envelope was refused, whatever else passed", async () => {
    const one = await loaded(await signed(statementAbout(["abc"])));
    const good = new CheckList();
    good.passed("envelope.signature", "good");
    const accepted = finish(one, layer(good), [PASSED]);
    equal(accepted.report.ok, true);
    equal(accepted.report.statement?.subject.length, 1);
    // The error alone refuses: a check that says so may be missing.
    const bad = new CheckList();
    bad.passed("envelope.format", "good");
    bad.error = new AttestationError("invalid-signature", "Cannot verify");
    const { report } = finish(one, layer(bad), [PASSED]);
    equal(report.ok, false);
    equal(report.errorReason, "invalid-signature");
    equal("statement" in report || "predicateType" in report, false);
    equal(report.checks[1].origin, "unsigned");
  });

  it("accepts nothing of which nothing was checked", async () => {
    const one = await loaded(await signed(statementAbout(["abc"])));
    const skipped: Check = { ...PASSED, outcome: "skipped" };
    for (const checks of [[], [skipped]]) {
      const { report } = finish(one, layer(), checks);
      equal(report.ok, false);
      equal(report.errorReason, "internal-error");
    }
  });

  it("tells the level, the identity and the format only where there are any", async () => {
    const one = await loaded(await signed(statementAbout(["abc"])));
    const { report, facts } = finish(one, layer(), [PASSED], { checks: [], level: 2 });
    equal(report.buildLevel, 2);
    equal("identity" in report || "foreign" in report, false);
    equal(facts.certificate, undefined);
    const none = finish(one, layer(), [PASSED]).report;
    equal("buildLevel" in none, false);
  });
});

describe("assembleReport()", () => {
  const artifact = (reason: Reason | null): ArtifactReport => ({
    artifact: "a",
    digest: {},
    ok: reason === null,
    errorReason: reason,
    attestations: [],
  });

  it("is ok only of an artifact, and of all", () => {
    const rows: [ArtifactReport[], Reason | undefined, Reason | null][] = [
      [[artifact(null)], undefined, null],
      [[artifact(null), artifact(null)], undefined, null],
      [[], undefined, "artifact-required"],
      [[artifact(null), artifact("subject-mismatch")], undefined, "subject-mismatch"],
      [[artifact(null)], "artifact-required", "artifact-required"],
    ];
    for (const [artifacts, reason, wanted] of rows) {
      const report = assembleReport(artifacts, reason);
      equal(report.errorReason, wanted);
      equal(report.ok, wanted === null);
      equal(report.verificationResult, wanted === null ? "PASSED" : "FAILED");
    }
  });

  it("tells the reason of the attestation that got furthest, the first of equals", () => {
    const attestation = (errorReason: Reason, ...outcomes: Check["outcome"][]) =>
      ({
        errorReason,
        checks: outcomes.map((outcome) => ({ ...PASSED, outcome })),
      }) as AttestationReport;
    const near = attestation("subject-mismatch", "passed", "passed", "failed");
    const far = attestation("invalid-signature", "passed", "failed", "failed");
    equal(furthestReason([far, near]), "subject-mismatch");
    equal(furthestReason([near, far]), "subject-mismatch");
    const equalOne = attestation("malformed-statement", "passed", "passed");
    equal(furthestReason([near, equalOne]), "subject-mismatch");
    equal(furthestReason([]), "attestation-not-found");
    deepEqual(about({ name: "a", digest: {} }, [], 0).errorReason, "attestation-not-found");
  });
});

describe("digestArtifact()", () => {
  it("refuses what is neither, with the place of it", async () => {
    const wrong: unknown[] = [
      null,
      1,
      "abc",
      {},
      { name: "x" },
      { name: 1, content: ABC },
      { content: "abc" },
      { content: ABC, digest: { sha256: ABC_SHA256 } },
      { digest: {} },
      { digest: "sha256" },
      { content: ABC, oci: 1 },
      { content: ABC, npm: null },
    ];
    for (const input of wrong) {
      await rejects(
        digestArtifact(input as ArtifactInput, 2, WATCH),
        /TypeError: Artifact 3 is neither bytes/,
        JSON.stringify(input),
      );
    }
    const own = await digestArtifact({ content: ABC, npm: "@a/b", oci: "r/i" }, 0, WATCH);
    deepEqual([own.digest, own.npm, own.oci], [{ sha256: ABC_SHA256 }, "@a/b", "r/i"]);
  });
});

describe("predicateLayer()", () => {
  const vsa = {
    verifierId: "https://example.com/verifier",
    resourceUri: "pkg:npm/app@1.0.0",
    verifiedLevels: ["SLSA_BUILD_LEVEL_2"],
  } as const;

  async function checkOf(content: object | string): Promise<Check | undefined> {
    const { trustedKey } = await ciKey();
    const report = await verify(content, ABC, { trust: { keys: [trustedKey] }, expect: { vsa } });
    return report.artifacts[0].attestations[0].checks.find(({ id }) => id === "predicate.format");
  }

  it("judges no predicate that nobody says", async () => {
    const stranger = await generateSigner("Ed25519");
    const forged = await checkOf(await signed(statementAbout(["abc"]), stranger.signer));
    equal(forged?.reason, "invalid-signature");
    ok(forged?.message.includes("nobody says it"));
    const none = await checkOf(await signed("{}"));
    equal(none?.reason, "predicate-type-mismatch");
    ok(none?.message.includes("there is none"));
    deepEqual(notJudged(true).checks.map(({ outcome }) => outcome), ["failed"]);
    deepEqual(notJudged(false).checks.map(({ outcome }) => outcome), ["failed"]);
  });

  it("judges nothing where nothing is expected", async () => {
    const one = await loaded(await signed(statementAbout(["abc"])));
    ok(!("error" in one));
    equal(predicateLayer(one, layer(), {} as Parameters<typeof predicateLayer>[2]), undefined);
    equal(await predicateJudge({}, new Date(0)), undefined);
  });
});

describe("predicateJudge()", () => {
  it("refuses expectations that are not of their form", async () => {
    for (const wrong of [{ provenance: { builder: "x" } }, { vsa: { verifier: "x" } }]) {
      await rejects(predicateJudge(wrong as object, new Date(0)), TypeError, JSON.stringify(wrong));
    }
  });

  it("judges provenance as it is expected", async () => {
    const statement = parseStatement(
      statementAbout(["abc"], {
        predicateType: "https://slsa.dev/provenance/v1",
        predicate: {
          buildDefinition: { buildType: "https://example.com/b/v1", externalParameters: { x: 1 } },
          runDetails: { builder: { id: "https://example.com/builder" } },
        },
      }),
    );
    const { trustedKey } = await ciKey();
    const reasonsOf = async (builderId: string) => {
      const judge = await predicateJudge({ provenance: { builderId } }, new Date(0));
      const { checks } = judge!(statement, { keys: [trustedKey] });
      ok(checks.length > 0);
      return checks.filter(({ outcome }) => outcome === "failed").map(({ reason }) => reason);
    };
    deepEqual(await reasonsOf("https://example.com/builder"), []);
    const builderId = "https://example.com/builder";
    const signer = { keys: ["ci"] };
    const builders = { builders: [{ signer, builderId, maxBuildLevel: 2 as const }] };
    const judge = await predicateJudge({ provenance: { builderId, builders } }, new Date(0));
    equal(judge!(statement, { keys: [trustedKey] }).level, 2);
    const other = { ...statement, predicateType: "https://example.com/other/v1" };
    equal("level" in judge!(other, { keys: [trustedKey] }), false);
    // Whoever has any certificate could have said it, unless the caller expects somebody.
    const identity = { issuer: "https://example.com", subjectAlternativeName: "ci@example.com" };
    for (const expected of [identity, undefined]) {
      const keyless = await predicateJudge(
        { identity: expected, provenance: { builderId } },
        new Date(0),
      );
      const signers = { identity: { ...identity, sanType: "email" as const }, keys: [] };
      const { checks } = keyless!(statement, signers);
      const failed = checks.filter(({ outcome }) => outcome === "failed").map(({ reason }) =>
        reason
      );
      deepEqual(
        failed,
        expected === undefined ? ["untrusted-builder", "missing-identity-expectation"] : [],
      );
    }
    ok((await reasonsOf("https://example.com/other")).includes("unexpected-builder"));
  });
});
