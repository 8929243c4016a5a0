import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../internal/json.ts";
import type { ProvenanceExpectation } from "../slsa/expectation.ts";
import {
  artifact,
  attestation,
  checkOf,
  checksOf,
  failures,
  holder,
  ISSUER,
  judge,
  NOW,
  policyOf,
  PROVENANCE,
  signer,
} from "./_fixtures_test.ts";
import type { CelEvaluator, CelInput } from "./compiled.ts";
import { compilePolicy } from "./compile.ts";
import type { Requirement, Waiver } from "./document.ts";
import { evaluatePolicy } from "./evaluate.ts";
import type { EvidenceAttestation, EvidenceSigner } from "./evidence.ts";
import { parsePolicy } from "./parse.ts";

const alice = await signer("alice");
const bob = await signer("bob");
const SOURCE = "https://github.com/acme/app";
const BUILD_TYPE = "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1";
const BUILDER = "https://github.com/slsa-framework/slsa-github-generator/" +
  ".github/workflows/generator_generic_slsa3.yml@refs/tags/v2.1.0";
const RESOURCE = "pkg:npm/app@1.0.0";
const VERIFIER = "https://verifier.example";

/** A builder that anybody may run, for a repository. */
function builder(sourceRepositoryURI: string): EvidenceSigner {
  return {
    ...holder(BUILDER),
    identity: {
      subjectAlternativeName: BUILDER,
      sanType: "uri",
      issuer: ISSUER,
      sourceRepositoryURI,
      runnerEnvironment: "github-hosted",
      runInvocationURI: `${SOURCE}/actions/runs/2/attempts/1`,
    },
  };
}

/** Provenance that says which repository and builder it is of. */
function built(repository: string, id: string = BUILDER): JsonObject {
  return {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: {
        workflow: { repository, path: ".github/workflows/x.yml", ref: "refs/heads/main" },
      },
    },
    runDetails: { builder: { id } },
  };
}

function provenance(who: EvidenceSigner[], predicate: JsonObject): EvidenceAttestation {
  return attestation(who, predicate, { predicateType: PROVENANCE });
}

describe("predicate.provenance", () => {
  const asked = (
    more: ProvenanceExpectation = {},
    rest: Partial<Requirement> = {},
  ) => ({
    predicate: { provenance: { sourceUri: SOURCE, ...more } },
    ...rest,
  });
  const waive = (check: string): Waiver => ({
    rule: `release/signed/${check}`,
    artifact: { name: "app" },
    reason: "A ticket",
    owner: "security",
    until: "2026-12-31T00:00:00Z",
  });
  const refusalOf = async (
    attestations: EvidenceAttestation[],
    requirement: Partial<Requirement> = asked(),
    waived: string[] = [],
  ) => {
    const policy = policyOf({ require: [{ id: "signed", ...requirement }] }, {
      waivers: waived.map(waive),
    });
    const [verdict] = (await judge(policy, [artifact(attestations)])).artifacts;
    return failures(verdict.rules).filter(({ outcome }) => outcome === "failed")
      .map(({ id, reason }) => `${id.slice("release/signed/".length)} ${reason}`);
  };

  it("shows each check of the provenance under its own name", async () => {
    const requirement = asked({ minLevel: 3, buildType: "https://b.example" });
    const about = provenance([builder(SOURCE)], built(SOURCE));
    const checks = await checksOf(requirement, about);
    deepEqual(checks.map(({ id, layer, outcome }) => `${id} ${layer} ${outcome}`), [
      "predicate.shape predicate passed",
      "predicate.builder predicate passed",
      "predicate.level predicate passed",
      "predicate.certificate predicate passed",
      "predicate.source predicate passed",
      "predicate.build-type predicate failed",
    ]);
    deepEqual(checks[5], {
      id: "predicate.build-type",
      layer: "predicate",
      outcome: "failed",
      reason: "build-type-mismatch",
      message: `Cannot accept provenance: found build type "${BUILD_TYPE}"`,
      expected: "https://b.example",
      actual: BUILD_TYPE,
      origin: "signed",
      remedy: "Change what is attested, or what the policy asks under predicate.provenance",
    });
    deepEqual(checks[4], {
      id: "predicate.source",
      layer: "predicate",
      outcome: "passed",
      message: "Its source is the expected repository",
      expected: "git+https://github.com/acme/app",
      actual: "git+https://github.com/acme/app",
      origin: "certificate",
    });
  });

  it("lets a known builder of the expected source sign, and nobody else", async () => {
    const good = provenance([builder(SOURCE)], built(SOURCE));
    deepEqual(await refusalOf([good]), []);
    const said = {
      layer: "envelope",
      id: "envelope.signed-by",
      outcome: "failed",
      reason: "signer-mismatch",
      expected: "a builder of the expected source, or anybody whom the policy names",
      origin: "certificate",
      remedy: "Name the signer under trust, or build with a builder that is known",
    };
    const stranger = holder("https://ci.example/evil");
    const shown = `"https://ci.example/evil" (${ISSUER})`;
    const unnamed = { ...holder("b"), identity: undefined };
    const rows: [EvidenceSigner[], string][] = [
      [[stranger], shown],
      [[stranger, unnamed], `${shown}, "b" (no issuer)`],
      [[], "nobody whose key counts"],
    ];
    for (const [who, actual] of rows) {
      const requirement = asked();
      deepEqual(
        await checkOf("envelope.signed-by", requirement, provenance(who, built(SOURCE))),
        {
          ...said,
          message: `Cannot accept envelope: signed by ${actual}, wanted ${said.expected}`,
          actual,
        },
      );
    }
    // Who counts is asked of builders, too.
    const strong = asked({}, { envelope: { algorithms: ["Ed25519"] } });
    deepEqual(await refusalOf([good], strong), [
      "envelope.algorithm weak-algorithm",
      "predicate.builder untrusted-builder",
      "envelope.signed-by signer-mismatch",
    ]);
  });

  it("lets nobody sign for whom builder, source and certificate do not speak", async () => {
    const other = "https://github.com/acme/other";
    const rows: [string, EvidenceAttestation, string][] = [
      [
        "a builder of another source",
        provenance([builder(other)], built(other)),
        "predicate.source",
      ],
      [
        "another builder than the one that signed",
        provenance([builder(SOURCE)], built(SOURCE, "https://ci.example/builder")),
        "predicate.builder",
      ],
      [
        "a certificate that says something else",
        provenance([builder(SOURCE)], {
          ...built(SOURCE),
          runDetails: {
            builder: { id: BUILDER },
            metadata: { invocationId: `${SOURCE}/actions/runs/1/attempts/1` },
          },
        }),
        "predicate.certificate",
      ],
      ["no provenance", provenance([builder(SOURCE)], {}), "predicate.shape"],
      [
        "another predicate",
        attestation([builder(SOURCE)], built(SOURCE)),
        "predicate.type",
      ],
    ];
    for (const [what, about, check] of rows) {
      const found = await refusalOf([about], asked(), [check]);
      deepEqual(found, ["envelope.signed-by signer-mismatch"], what);
    }
  });

  it("lets a builder sign of which something else is waived", async () => {
    const requirement = asked({ minLevel: 3, buildType: "https://b.example" });
    const about = provenance([builder(SOURCE)], built(SOURCE));
    deepEqual(await refusalOf([about], requirement), ["predicate.build-type build-type-mismatch"]);
    deepEqual(await refusalOf([about], requirement, ["predicate.build-type"]), []);
  });

  it("vouches for one attestation, not for those that are judged after it", async () => {
    const good = provenance([builder(SOURCE)], built(SOURCE));
    const bad = provenance([holder("https://ci.example/evil")], {});
    const all = asked({}, { conflict: "all" });
    deepEqual(await refusalOf([good, bad], all, ["predicate.shape"]), [
      "envelope.signed-by signer-mismatch",
    ]);
    deepEqual(await refusalOf([good, good], all), []);
  });

  it("leaves the signer to signedBy where that says who it is", async () => {
    const requirement = asked({}, { envelope: { signedBy: { of: ["alice"] } } });
    const about = provenance([builder(SOURCE)], built(SOURCE));
    const checks = await checksOf(requirement, about);
    deepEqual(
      checks.filter(({ id }) => id === "envelope.signed-by").map(({ outcome }) => outcome),
      ["failed"],
    );
    // Without a source anybody could run the builder.
    const sourceless = await refusalOf([about], { predicate: { provenance: { minLevel: 1 } } });
    equal(sourceless[0], "envelope.signed-by signer-mismatch");
  });
});

describe("predicate.vsa", () => {
  const predicateType = "https://slsa.dev/verification_summary/v1";
  const summary = {
    verifier: { id: VERIFIER },
    timeVerified: "2026-05-31T00:00:00Z",
    resourceUri: RESOURCE,
    policy: { uri: "https://policy.example" },
    verificationResult: "PASSED",
    verifiedLevels: ["SLSA_BUILD_LEVEL_2"],
  };
  const vsa = { verifierId: VERIFIER, resourceUri: RESOURCE };
  const idsOf = async (
    more: object,
    who: EvidenceSigner[] = [alice],
    envelope: Requirement["envelope"] = undefined,
  ) => {
    const requirement = {
      ...(envelope === undefined ? {} : { envelope }),
      predicate: { vsa: { ...vsa, ...more } },
    };
    const checks = await checksOf(requirement, attestation(who, summary, { predicateType }));
    return checks.map(({ id, outcome, reason }) => `${id} ${reason ?? outcome}`);
  };

  it("shows each check of the summary under its own name", async () => {
    const passed = [
      "envelope.signed-by passed",
      "predicate.type passed",
      "predicate.verifier passed",
      "predicate.resource passed",
      "predicate.result passed",
    ];
    deepEqual(await idsOf({}), passed);
    const level = { verifiedLevels: ["SLSA_BUILD_LEVEL_3"] };
    deepEqual(await idsOf(level), [...passed, "predicate.level insufficient-level"]);
    const check = await checkOf(
      "predicate.level",
      { predicate: { vsa: { ...vsa, ...level } } },
      attestation([alice], summary, { predicateType }),
    );
    equal(
      check.remedy,
      "Change what is attested, or what the policy asks under predicate.vsa",
    );
  });

  it("is judged at the moment of the verdict", async () => {
    const day = 86_400;
    equal((await idsOf({ maxAge: day }))[5], "predicate.age passed");
    equal((await idsOf({ maxAge: day - 1 }))[5], "predicate.age vsa-too-old");
  });

  it("is no word of a signer who may not speak for the verifier, or whose key does not count", async () => {
    const signer = { keys: ["alice"] };
    equal((await idsOf({ signer }))[2], "predicate.verifier passed");
    equal((await idsOf({ signer }, [bob]))[2], "predicate.verifier verifier-mismatch");
    const weak = { ...alice, algorithm: "ES256" };
    const strong = { algorithms: ["Ed25519"] };
    equal(
      (await idsOf({ signer }, [weak, bob], strong))[3],
      "predicate.verifier verifier-mismatch",
    );
    // The holder of a certificate speaks only if the policy names it.
    equal(
      (await idsOf({}, [holder("https://ci.example/release")]))[2],
      "predicate.verifier passed",
    );
    equal(
      (await idsOf({}, [holder("https://ci.example/evil")]))[2],
      "predicate.verifier verifier-mismatch",
    );
  });
});

describe("predicate.where", () => {
  it("is named by its id or its place, and says what was found", async () => {
    const where = [
      { path: "/predicate/a", equals: 1 },
      { id: "b", path: "/predicate/b", equals: 2 },
      { path: "/predicate/c", exists: true },
    ];
    const requirement = { predicate: { where } };
    const checks = await checksOf(requirement, attestation([alice], { a: 1, b: 3 }));
    const facts = { layer: "predicate", origin: "signed" };
    const remedy = "Produce an attestation that says so, or change the condition";
    deepEqual(checks.slice(1), [
      {
        ...facts,
        id: "predicate.where.1",
        outcome: "passed",
        message: "The condition holds",
        expected: "equal to 1",
        actual: "1",
        path: "/predicate/a",
      },
      {
        ...facts,
        id: "predicate.where.b",
        outcome: "failed",
        reason: "condition-not-met",
        message: "Cannot accept statement: found 3 at /predicate/b, wanted equal to 2",
        expected: "equal to 2",
        actual: "3",
        path: "/predicate/b",
        remedy,
      },
      {
        ...facts,
        id: "predicate.where.3",
        outcome: "failed",
        reason: "condition-not-met",
        message: "Cannot accept statement: found nothing at /predicate/c, wanted something",
        expected: "something",
        path: "/predicate/c",
        remedy,
      },
    ]);
  });
});

describe("predicate.cel", () => {
  const judged = async (value: unknown) => {
    const seen: CelInput[] = [];
    const cel: CelEvaluator = { compile: () => (input) => (seen.push(input), value) };
    const document = policyOf({ require: [{ id: "signed", predicate: { cel: "a == 1" } }] });
    const policy = await compilePolicy(parsePolicy(document as object), { cel });
    const timestamps = [{
      type: "timestamp-authority" as const,
      uri: "https://tsa.example",
      timestamp: "2026-05-31T00:00:00Z",
    }];
    const about = attestation([alice], { a: 1 }, { timestamps });
    const { rules } = evaluatePolicy(policy, [artifact([about])], NOW).artifacts[0];
    const check = rules[0].children?.[0].children?.[0].children?.[1];
    deepEqual(seen, [{
      statement: about.statement,
      signers: [alice],
      timestamps: ["2026-05-31T00:00:00Z"],
      now: NOW,
    }]);
    return check;
  };

  it("holds if the expression is true, and is no boolean if it is anything like it", async () => {
    const facts = { id: "release/signed/predicate.cel", layer: "predicate", expected: "a == 1" };
    deepEqual(await judged(true), {
      ...facts,
      outcome: "passed",
      message: "The expression is true",
    });
    const rows: [unknown, string, string][] = [
      [false, "condition-not-met", "false"],
      [1, "cel-error", "no boolean"],
      ["true", "cel-error", "no boolean"],
      [undefined, "cel-error", "no boolean"],
    ];
    for (const [value, reason, found] of rows) {
      deepEqual(await judged(value), {
        ...facts,
        outcome: "failed",
        reason,
        message: `Cannot accept statement: the expression is ${found}`,
        remedy: "Change the expression, or what is attested",
      });
    }
  });

  it("fails where no evaluator is loaded", async () => {
    const check = await checkOf(
      "predicate.cel",
      { predicate: { cel: "true" } },
      attestation([alice]),
    );
    deepEqual(check, {
      id: "predicate.cel",
      layer: "predicate",
      outcome: "failed",
      reason: "cel-error",
      message: "Cannot evaluate CEL: no evaluator is loaded",
    });
  });
});
