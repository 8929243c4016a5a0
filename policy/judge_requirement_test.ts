import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import {
  artifact,
  attestation,
  judge,
  judgeOne,
  policyOf,
  PROVENANCE,
  signer,
  TEST,
} from "./_fixtures_test.ts";
import type { JsonObject } from "../internal/json.ts";
import type { Condition, Requirement, Waiver } from "./document.ts";
import type { ArtifactEvidence, EvidenceAttestation } from "./evidence.ts";
import { byType } from "./judge_requirement.ts";
import type { PolicyCheck } from "./verdict.ts";

const alice = await signer("alice");
const bob = await signer("bob");

const id = "release/signed";
const result: Condition = { id: "result", path: "/predicate/result", equals: "PASSED" };
const grade: Condition = { id: "grade", path: "/predicate/grade", equals: "A" };
const predicate = { where: [result] };

function says(predicate: JsonObject, signedAt?: string): EvidenceAttestation {
  const one = attestation([alice], predicate, { source: `${JSON.stringify(predicate)}.json` });
  if (signedAt === undefined) return one;
  const timestamp = `2026-05-${signedAt}T00:00:00Z`;
  return {
    ...one,
    timestamps: [{ type: "timestamp-authority", uri: "https://tsa.example", timestamp }],
  };
}

const good = says({ result: "PASSED" });
const bad = says({ result: "FAILED" });

const waiver = (check: string): Waiver => ({
  rule: `${id}/${check}`,
  artifact: { name: "app" },
  reason: "A ticket",
  owner: "security",
  until: "2026-12-31T00:00:00Z",
});

/** The check of the requirement, without its parts. */
async function checkOf(
  requirement: Partial<Requirement>,
  evidence: EvidenceAttestation[] | ArtifactEvidence,
  waivers: Waiver[] = [],
): Promise<Omit<PolicyCheck, "children">> {
  const policy = policyOf({ require: [{ id: "signed", ...requirement }] }, { waivers });
  const one = Array.isArray(evidence) ? artifact(evidence) : evidence;
  const { artifacts: [{ rules }] } = await judge(policy, [one]);
  const { children: _, ...check } = rules[0].children?.[0] ?? rules[0];
  return check;
}

const unmet = {
  reason: "condition-not-met",
  message: 'Cannot accept statement: found "FAILED" at /predicate/result, wanted equal to "PASSED"',
  remedy: "Produce an attestation that says so, or change the condition",
};

describe("the check of a requirement", () => {
  it("says how many attestations hold, or what the nearest one lacks", async () => {
    const disagree = {
      outcome: "failed",
      reason: "attestations-disagree",
      actual: "1 of 2",
      message: "Not met: 1 of 2 attestations hold, wanted all",
      remedy: unmet.remedy,
    };
    const cases: [Partial<Requirement>, EvidenceAttestation[], object][] = [
      [{}, [good], { outcome: "passed", message: "The attestation holds" }],
      [{}, [good, bad], { outcome: "passed", message: "1 of 2 attestations hold" }],
      [{ count: 2 }, [good, says({ result: "PASSED", n: 2 }), bad], {
        outcome: "passed",
        message: "2 of 3 attestations hold",
      }],
      [{}, [bad], {
        outcome: "failed",
        expected: "1 that holds",
        actual: "0 of 1",
        ...unmet,
      }],
      [{ count: 2 }, [good, bad], {
        outcome: "failed",
        expected: "2 that hold",
        actual: "1 of 2",
        ...unmet,
      }],
      [{ count: 2 }, [good, { ...good, source: "copy.json" }], {
        outcome: "failed",
        reason: "requirement-not-met",
        expected: "2 that hold",
        actual: "2 of 2",
        message: "Not met: 1 distinct attestations, wanted 2",
      }],
      [{ conflict: "all" }, [good, bad], { ...disagree, expected: "all of them hold" }],
      [
        { conflict: "latest" },
        [says({ result: "PASSED" }, "02"), says({ result: "FAILED" }, "02")],
        { ...disagree, expected: "the latest ones hold" },
      ],
      [{ conflict: "latest" }, [says({ result: "PASSED" }, "02"), good], {
        outcome: "failed",
        reason: "insufficient-timestamps",
        expected: "a verified time of each",
        message: "Not met: which of 2 attestations is the latest cannot be told without times",
        remedy: "Sign with a timestamp, or have one attestation of the type",
      }],
      // Of one there is no other that could be later.
      [{ conflict: "latest" }, [good], { outcome: "passed", message: "The attestation holds" }],
    ];
    for (const [requirement, all, check] of cases) {
      deepEqual(await checkOf({ predicate, ...requirement }, all), { id, ...check });
    }
  });

  it("tells of the attestation that got furthest, and of the first of those", async () => {
    const where = { where: [result, grade] };
    const further = says({ result: "PASSED", grade: "B" });
    for (const all of [[bad, further], [further, bad], [further, says({ result: "PASSED" })]]) {
      const { message } = await checkOf({ predicate: where }, all);
      equal(
        message,
        'Cannot accept statement: found "B" at /predicate/grade, wanted equal to "A"',
      );
    }
  });

  it("tells what there is where no attestation is of the type", async () => {
    const refused = (reason: "invalid-signature" | "malformed-envelope") => ({
      source: "x.json",
      reason,
      message: "",
    });
    const attest = "Attest the artifact, and give the attestation to the verifier";
    const look = "Look at why the attestations were refused";
    const three = [
      refused("invalid-signature"),
      refused("malformed-envelope"),
      refused("invalid-signature"),
    ];
    const cases: [string[] | undefined, ArtifactEvidence, string, string, string][] = [
      [undefined, artifact([]), "no verified attestation", "a verified attestation", attest],
      [[PROVENANCE], artifact([good, bad]), `only "${TEST}"`, `"${PROVENANCE}"`, attest],
      [
        [PROVENANCE],
        artifact([good], { refused: three }),
        `only "${TEST}"; 3 refused before (invalid-signature, malformed-envelope)`,
        `"${PROVENANCE}"`,
        look,
      ],
      [
        undefined,
        artifact([], { refused: three.slice(2) }),
        "no verified attestation; 1 refused before (invalid-signature)",
        "a verified attestation",
        look,
      ],
    ];
    for (const [predicateTypes, evidence, actual, expected, remedy] of cases) {
      const wanted = predicateTypes === undefined ? {} : { statement: { predicateTypes } };
      deepEqual(await checkOf(wanted, evidence), {
        id,
        outcome: "failed",
        reason: "missing-attestation",
        expected,
        actual,
        message: `Not met: found ${actual}, wanted ${expected}`,
        remedy,
      });
    }
  });
});

describe("a requirement of which a check is waived", () => {
  const waivers = [waiver("predicate.where.result")];

  it("is waived, unless enough attestations hold without", async () => {
    const waived = {
      id,
      outcome: "waived",
      reason: "condition-not-met",
      message: "Met with a waiver",
    };
    deepEqual(await checkOf({ predicate }, [bad], waivers), waived);
    deepEqual(await checkOf({ predicate, count: 2 }, [good, bad], waivers), waived);
    deepEqual(await checkOf({ predicate, conflict: "all" }, [good, bad], waivers), waived);
    for (const all of [[good, bad], [bad, good]]) {
      deepEqual(await checkOf({ predicate }, all, waivers), {
        id,
        outcome: "passed",
        message: "2 of 2 attestations hold",
      });
    }
  });

  it("keeps every check of provenance, waived or not", async () => {
    const provenance = { sourceUri: "https://github.com/acme/app", buildType: "https://b.example" };
    const one = attestation([alice], {
      buildDefinition: { buildType: "https://other.example", externalParameters: { a: 1 } },
      runDetails: { builder: { id: "https://builder.example" } },
    }, { predicateType: PROVENANCE });
    const judged = async (...names: string[]) => {
      const waivers = names.map(waiver);
      const { errorReason, rules } = await judgeOne({ predicate: { provenance } }, [one], {
        waivers,
      });
      const checks = rules[0].children?.[0].children?.[0].children ?? [];
      const open = checks.filter(({ outcome }) => outcome !== "passed");
      return [errorReason, ...open.map((check) => `${check.id.slice(id.length)} ${check.outcome}`)];
    };
    const [source, type] = ["/predicate.source", "/predicate.build-type"];
    deepEqual(await judged(), ["source-mismatch", `${source} failed`, `${type} failed`]);
    deepEqual(await judged(type.slice(1)), [
      "source-mismatch",
      `${source} failed`,
      `${type} waived`,
    ]);
    deepEqual(await judged(type.slice(1), source.slice(1)), [
      null,
      `${source} waived`,
      `${type} waived`,
    ]);
  });
});

describe("what stands for a requirement", () => {
  const apart = (requirement: Partial<Requirement>, waivers: Waiver[] = []) =>
    policyOf({
      require: [
        { id: "signed", statement: { predicateTypes: [TEST] }, ...requirement },
        { id: "built", statement: { predicateTypes: [PROVENANCE] } },
      ],
      across: [{ id: "apart", distinctSigners: ["signed", "built"] }],
    }, { waivers });
  const built = attestation([alice], {}, { predicateType: PROVENANCE });
  const byBob = attestation([bob], { result: "PASSED" });
  const reasonOf = async (policy: unknown, all: EvidenceAttestation[]) =>
    (await judge(policy, [artifact([built, ...all])])).errorReason;

  it("is any one that holds, or all where several have to", async () => {
    equal(await reasonOf(apart({}), [good, byBob]), null);
    equal(await reasonOf(apart({ conflict: "all" }), [good, byBob]), "signers-not-distinct");
    equal(await reasonOf(apart({ count: 2 }), [good, byBob]), "signers-not-distinct");
    equal(await reasonOf(apart({ conflict: "all" }), [byBob]), null);
    const latest = [says({ result: "PASSED" }, "02"), {
      ...byBob,
      timestamps: says({}, "03").timestamps,
    }];
    equal(await reasonOf(apart({ conflict: "latest" }), latest), null);
  });

  it("is none that a waiver lets pass, where others hold without", async () => {
    const waivers = [waiver("predicate.where.result")];
    const failedByBob = attestation([bob], { result: "FAILED" });
    equal(await reasonOf(apart({ predicate }, waivers), [failedByBob]), null);
    equal(
      await reasonOf(apart({ predicate }, waivers), [failedByBob, good]),
      "signers-not-distinct",
    );
  });
});

describe("byType()", () => {
  it("finds the attestations of the types in their order, of few and of many", () => {
    const types = ["a", "b", "c"];
    for (const count of [1, 7, 8, 9, 30]) {
      const all = Array.from(
        { length: count },
        (_, n) => attestation([], { n }, { predicateType: types[n % 3] }),
      );
      const meantOf = byType(all);
      for (const wanted of [["a"], ["b"], ["c", "a"], ["d"], ["d", "b"], []]) {
        deepEqual(
          meantOf(wanted),
          all.filter(({ statement }) => wanted.includes(statement.predicateType)),
          `${wanted} of ${count}`,
        );
      }
    }
  });
});
