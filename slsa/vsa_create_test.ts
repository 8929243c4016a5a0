import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { encodeStatement, parseStatement } from "../intoto/statement.ts";
import { createVsa, type NewVsa, type VerifiedArtifacts } from "./vsa_create.ts";
import { evaluateVsa } from "./vsa.ts";
import { validateVsaPredicate, VSA_V1 } from "./vsa_predicate.ts";

const TIME = new Date("2026-01-02T03:04:05.678Z");
const NEW: NewVsa = {
  verifier: { id: "https://example.com/verifier" },
  resourceUri: "pkg:npm/app@1.0.0",
  policy: { uri: "https://example.com/policy" },
  timeVerified: TIME,
};

function report(...levels: (number | undefined)[]): VerifiedArtifacts {
  return {
    ok: true,
    artifacts: levels.map((buildLevel, i) => ({
      artifact: `file-${i}`,
      digest: { sha256: `${i}`.repeat(64) },
      ok: true,
      attestations: [{ ok: true, ...(buildLevel === undefined ? {} : { buildLevel }) }],
    })),
  };
}

function reasonOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return isAttestationError(error) ? error.reason : String(error);
  }
}

describe("createVsa()", () => {
  it("makes a Statement that its own readers accept", () => {
    const statement = createVsa(report(3, 3), {
      ...NEW,
      inputAttestations: [{ uri: "a:b", digest: { sha256: "a".repeat(64) } }],
      dependencyLevels: {},
    });
    equal(statement.predicateType, VSA_V1);
    deepEqual(validateVsaPredicate(statement.predicate), []);
    deepEqual(parseStatement(encodeStatement(statement)), statement);
    equal(statement.predicate?.timeVerified, "2026-01-02T03:04:05.678Z");
    deepEqual(statement.subject.map(({ name }) => name), ["file-0", "file-1"]);
    const evidence = { keys: [{ name: "v", fingerprint: "f".repeat(64) }] };
    const { checks } = evaluateVsa(statement, evidence, {
      verifierId: NEW.verifier.id,
      resourceUri: NEW.resourceUri,
      verifiedLevels: ["SLSA_BUILD_LEVEL_3"],
      dependencyLevels: ["SLSA_BUILD_LEVEL_3"],
      now: TIME,
    });
    ok(checks.every(({ outcome }) => outcome === "passed"));
  });

  it("states the lowest Build level of the artifacts, of each the highest that verified", () => {
    const levels = (from: VerifiedArtifacts) => createVsa(from, NEW).predicate?.verifiedLevels;
    deepEqual(levels(report(3, 1, 2)), ["SLSA_BUILD_LEVEL_1"]);
    deepEqual(levels(report(3, undefined)), ["SLSA_BUILD_LEVEL_0"]);
    const { artifacts: [one] } = report(1);
    const attestations = [
      { ok: true, buildLevel: 1 },
      { ok: true, buildLevel: 2 },
      { ok: false, buildLevel: 3 },
    ];
    deepEqual(levels({ ok: true, artifacts: [{ ...one, attestations }] }), [
      "SLSA_BUILD_LEVEL_2",
    ]);
  });

  it("writes the highest level of each track only", () => {
    const verifiedLevels = ["SLSA_BUILD_LEVEL_1", "SLSA_BUILD_LEVEL_2", "SLSA_SOURCE_LEVEL_3"];
    deepEqual(createVsa(report(undefined), { ...NEW, verifiedLevels }).predicate?.verifiedLevels, [
      "SLSA_BUILD_LEVEL_2",
      "SLSA_SOURCE_LEVEL_3",
    ]);
  });

  it("refuses to state more than the report shows", () => {
    const stated = (verifiedLevels: string[], ...shown: (number | undefined)[]) =>
      reasonOf(() => createVsa(report(...shown), { ...NEW, verifiedLevels }));
    equal(stated(["SLSA_BUILD_LEVEL_3"], 2), "insufficient-level");
    equal(stated(["SLSA_BUILD_LEVEL_2", "SLSA_SOURCE_LEVEL_3"], 2), undefined);
    equal(stated(["SLSA_BUILD_LEVEL_1"], 2), undefined);
    equal(reasonOf(() => createVsa(report(undefined), NEW)), "insufficient-level");
  });

  it("says FAILED of a report that failed, and no level", () => {
    const { artifacts } = report(3, 3);
    const failed = { ok: false, artifacts: [artifacts[0], { ...artifacts[1], ok: false }] };
    // Reports that call themselves ok, of which one artifact is not, and the other way round.
    for (const from of [failed, { ...failed, ok: true }, { ok: false, artifacts }]) {
      const { predicate } = createVsa(from, { ...NEW, verifiedLevels: ["SLSA_BUILD_LEVEL_3"] });
      equal(predicate?.verificationResult, "FAILED");
      deepEqual(predicate?.verifiedLevels, ["FAILED"]);
    }
  });

  it("wants a valid Date of the verification", () => {
    for (const timeVerified of [new Date(NaN), 7, null, "2026-01-02", { getTime: () => 1 }]) {
      throws(() => createVsa(report(1), { ...NEW, timeVerified: timeVerified as Date }), {
        name: "TypeError",
        message: "timeVerified is not a valid Date",
      });
    }
  });

  it("writes the refs of a revision on its subject", () => {
    const revision = {
      ok: true,
      artifacts: [{
        artifact: "",
        digest: { gitCommit: "1".repeat(40) },
        ok: true,
        attestations: [],
      }],
    };
    const { subject } = createVsa(revision, {
      ...NEW,
      resourceUri: "git+https://github.com/acme/app",
      verifiedLevels: ["SLSA_SOURCE_LEVEL_3", "SLSA_SOURCE_TWO_PARTY_REVIEWED"],
      sourceRefs: ["refs/heads/main"],
    });
    deepEqual(subject, [{
      digest: { gitCommit: "1".repeat(40) },
      annotations: { sourceRefs: ["refs/heads/main"] },
    }]);
    const wrong = { ...NEW, verifiedLevels: ["OWN"], sourceRefs: ["main"] };
    throws(() => createVsa(revision, wrong), TypeError);
  });

  it("cannot produce an invalid one", () => {
    const make = (changes: object) => reasonOf(() => createVsa(report(1), { ...NEW, ...changes }));
    equal(make({ verifier: { id: "" } }), "missing-predicate-field");
    equal(make({ policy: { digest: { sha256: "a".repeat(64) } } }), "missing-predicate-field");
    equal(make({ inputAttestations: [{ uri: "a:b" }] }), "missing-predicate-field");
    equal(make({ verifiedLevels: ["SLSA_LEVEL_3"] }), "invalid-level");
    equal(make({ verifiedLevels: ["FAILED"] }), "invalid-level");
    equal(make({ verifiedLevels: [] }), "missing-predicate-field");
    equal(make({ dependencyLevels: { SLSA_BUILD_LEVEL_1: -1 } }), "malformed-predicate");
    equal(make({ slsaVersion: "1" }), "malformed-predicate");
    equal(
      reasonOf(() =>
        createVsa({ ok: true, artifacts: [] }, {
          ...NEW,
          verifiedLevels: ["OWN"],
        })
      ),
      "missing-subject",
    );
    throws(() => createVsa(report(1), { ...NEW, timeVerified: new Date(NaN) }), TypeError);
    throws(() => createVsa(report(1), { ...NEW, ...{ timeverified: TIME } }), TypeError);
  });
});
