import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import {
  artifact,
  attestation,
  failures,
  judge,
  NOW,
  policyOf,
  PROVENANCE,
  SHA,
  signer,
  TEST,
} from "./_fixtures_test.ts";
import { AttestationError } from "../errors.ts";
import type { JsonObject } from "../internal/json.ts";
import { compileCrossRule } from "./across.ts";
import { compilePolicy } from "./compile.ts";
import type { CrossRule, PolicyDocument, PolicyRule } from "./document.ts";
import { evaluatePolicy } from "./evaluate.ts";
import type { ArtifactEvidence, EvidenceAttestation, EvidenceSigner } from "./evidence.ts";
import { parsePolicy } from "./parse.ts";
import type { PolicyCheck } from "./verdict.ts";

describe("evaluatePolicy(): across attestations", () => {
  const two = [
    { id: "provenance", statement: { predicateTypes: [PROVENANCE] } },
    { id: "test", statement: { predicateTypes: [TEST] } },
  ];

  it("wants other signers, and finds the choice for which all holds", async () => {
    const alice = await signer("alice");
    const bob = await signer("bob");
    const policy = policyOf({
      require: two,
      across: [{ id: "apart", distinctSigners: ["provenance", "test"] }],
    });
    const provenance = attestation([alice], {}, { predicateType: PROVENANCE });
    const same = await judge(policy, [artifact([provenance, attestation([alice])])]);
    equal(same.errorReason, "signers-not-distinct");
    const other = await judge(policy, [
      artifact([provenance, attestation([alice]), attestation([bob], { n: 2 })]),
    ]);
    equal(other.errorReason, null);
  });

  it("lets one signer sign twice for the same requirement", async () => {
    const alice = await signer("alice");
    const bob = await signer("bob");
    const policy = policyOf({
      require: [two[0], { ...two[1], count: 2 }],
      across: [{ id: "apart", distinctSigners: ["provenance", "test"] }],
    });
    const provenance = attestation([alice], {}, { predicateType: PROVENANCE });
    const tests = [attestation([bob], { n: 1 }), attestation([bob], { n: 2 })];
    equal((await judge(policy, [artifact([provenance, ...tests])])).errorReason, null);
    const own = [attestation([bob], { n: 1 }), attestation([alice], { n: 2 })];
    equal(
      (await judge(policy, [artifact([provenance, ...own])])).errorReason,
      "signers-not-distinct",
    );
  });

  it("compares fields of the very attestations that it chose", async () => {
    const alice = await signer("alice");
    const policy = policyOf({
      require: two,
      across: [{
        id: "commit",
        equal: [
          { requirement: "provenance", path: "/predicate/commit" },
          { requirement: "test", path: "/predicate/commit" },
        ],
      }],
    });
    const provenance = (commit: string) =>
      attestation([alice], { commit }, { predicateType: PROVENANCE });
    const judged = async (all: ReturnType<typeof provenance>[]) =>
      (await judge(policy, [artifact(all)])).errorReason;
    equal(await judged([provenance("1"), attestation([alice], { commit: "1" })]), null);
    equal(
      await judged([provenance("1"), attestation([alice], { commit: "2" })]),
      "fields-differ",
    );
    equal(await judged([provenance("1"), attestation([alice], {})]), "condition-error");
  });

  it("wants so many signers over all", async () => {
    const alice = await signer("alice");
    const policy = policyOf({
      require: two,
      across: [{ id: "people", signers: { of: ["provenance", "test"], min: 2 } }],
    });
    const provenance = attestation([alice], {}, { predicateType: PROVENANCE });
    const one = await judge(policy, [artifact([provenance, attestation([alice])])]);
    equal(one.errorReason, "insufficient-signers");
    const bob = await signer("bob");
    const both = await judge(policy, [artifact([provenance, attestation([bob])])]);
    equal(both.errorReason, null);
  });

  it("fails a chain through provenance that cannot be read, and judges the rest", async () => {
    const policy = policyOf({}, {
      selection: "all",
      rules: [
        { id: "base", select: { name: "base" }, require: [{ id: "signed" }] },
        {
          id: "app",
          select: { name: "app" },
          require: [{ id: "built", statement: { predicateTypes: [PROVENANCE] } }],
          across: [{ id: "on", chain: { from: "built", dependency: "**", rule: "base" } }],
        },
      ],
    });
    const alice = await signer("alice");
    const base = artifact([attestation([alice])], { artifact: "base" });
    const unreadable: JsonObject[] = [{}, { buildDefinition: "x" }, { buildDefinition: { a: 1 } }];
    for (const predicate of unreadable) {
      const app = artifact([attestation([alice], predicate, { predicateType: PROVENANCE })]);
      const { artifacts } = await judge(policy, [app, base]);
      equal(artifacts[0].ok, false);
      equal(failures(artifacts[0].rules)[0].id, "app/on");
      equal(artifacts[1].ok, true);
    }
  });

  it("follows a chain to an artifact of the same run", async () => {
    const alice = await signer("alice");
    const binary = "b".repeat(64);
    const built = attestation([alice], {
      buildDefinition: {
        buildType: "https://ci.example/v1",
        externalParameters: { a: 1 },
        resolvedDependencies: [{ uri: "file:///bin/app", digest: { sha256: binary } }],
      },
      runDetails: { builder: { id: "https://ci.example" } },
    }, { predicateType: PROVENANCE });
    const policy = policyOf({}, {
      rules: [
        {
          id: "image",
          select: { name: "image" },
          require: [{ id: "provenance", statement: { predicateTypes: [PROVENANCE] } }],
          across: [{
            id: "binary-checked",
            chain: { from: "provenance", dependency: "file:///bin/app", rule: "binary" },
          }],
        },
        { id: "binary", select: { name: "bin/*" }, require: [{ id: "signed" }] },
      ],
    });
    const image = artifact([built], { artifact: "image" });
    const good = artifact([attestation([alice])], {
      artifact: "bin/app",
      digest: { sha256: binary },
    });
    equal((await judge(policy, [image, good])).errorReason, null);
    const alone = await judge(policy, [image]);
    equal(alone.errorReason, "chain-not-met");
    // Provenance that names other dependencies leads nowhere: there is nothing to follow.
    const elsewhere = attestation([alice], {
      buildDefinition: {
        buildType: "https://ci.example/v1",
        externalParameters: { a: 1 },
        resolvedDependencies: [{ uri: "file:///bin/other", digest: { sha256: binary } }],
      },
      runDetails: { builder: { id: "https://ci.example" } },
    }, { predicateType: PROVENANCE });
    const lost = await judge(policy, [artifact([elsewhere], { artifact: "image" }), good]);
    deepEqual(
      failures(lost.artifacts[0].rules).map(({ reason, message, source }) => ({
        reason,
        message,
        source,
      })),
      [{
        reason: "chain-not-met",
        message: 'Cannot follow chain: no dependency is "file:///bin/app"',
        source: "app.json",
      }],
    );
    const bad = await judge(policy, [image, { ...good, attestations: [] }]);
    deepEqual(bad.artifacts.map(({ errorReason }) => errorReason), [
      "chain-not-met",
      "missing-attestation",
    ]);
  });
});

describe("a rule across attestations", () => {
  const require = [
    { id: "built", statement: { predicateTypes: [PROVENANCE] } },
    { id: "tested", statement: { predicateTypes: [TEST] } },
  ];
  const policyWith = (rule: Omit<CrossRule, "id">, more: Partial<PolicyDocument> = {}) =>
    policyOf({ require, across: [{ id: "x", ...rule } as CrossRule] }, more);
  const checkOf = async (policy: unknown, all: EvidenceAttestation[]) => {
    const { artifacts: [{ rules }] } = await judge(policy, [artifact(all)]);
    const { id: _, ...check } = rules[0].children?.at(-1) ?? rules[0];
    return check;
  };
  const built = (who: EvidenceSigner[], n: JsonObject[string], more: JsonObject = {}) =>
    attestation(who, { n, ...more }, { predicateType: PROVENANCE, source: "built.json" });
  const tested = (who: EvidenceSigner[], n: JsonObject[string]) =>
    attestation(who, { n }, { source: "tested.json" });

  it("says what it compared, and what it found", async () => {
    const [alice, bob] = [[await signer("alice")], [await signer("bob")]];
    const apart = { distinctSigners: ["built", "tested"] };
    const people = { signers: { of: ["built", "tested"], min: 2 } };
    const same = {
      equal: require.map(({ id: requirement }) => ({ requirement, path: "/predicate/n" })),
    };
    const expectedApart = 'other signers for each of "built" or "tested"';
    const expectedSame = "built/predicate/n = tested/predicate/n";
    const incomparable = {
      outcome: "failed",
      reason: "condition-error",
      expected: expectedSame,
      path: "/predicate/n",
    };
    const cases: [Omit<CrossRule, "id">, EvidenceAttestation[], Omit<PolicyCheck, "id">][] = [
      [apart, [built(alice, 1), tested(alice, 1)], {
        outcome: "failed",
        reason: "signers-not-distinct",
        expected: expectedApart,
        actual: "alice",
        origin: "signed",
        message: 'Cannot accept signers: "alice" signed for "built" and "tested"',
        remedy: "Have one of them signed by somebody else",
      }],
      // Of several choices that fail alike the first is told of.
      [apart, [built(alice, 1), built(bob, 1), tested([...alice, ...bob], 1)], {
        outcome: "failed",
        reason: "signers-not-distinct",
        expected: expectedApart,
        actual: "alice",
        origin: "signed",
        message: 'Cannot accept signers: "alice" signed for "built" and "tested"',
        remedy: "Have one of them signed by somebody else",
      }],
      [apart, [built(alice, 1), tested(bob, 1)], {
        outcome: "passed",
        expected: expectedApart,
        message: "The signers are distinct",
      }],
      [people, [built(alice, 1), tested(alice, 1)], {
        outcome: "failed",
        reason: "insufficient-signers",
        expected: "2 distinct signers",
        actual: "alice",
        message: "Cannot accept signers: 1 distinct, wanted 2",
        remedy: "Have it signed by more of them",
      }],
      [people, [built(alice, 1), tested(bob, 1)], {
        outcome: "passed",
        expected: "2 distinct signers",
        actual: "alice, bob",
        message: "Enough distinct signers",
      }],
      [same, [built(alice, { a: 1, b: 2 }), tested(alice, { b: 2, a: 1 })], {
        outcome: "passed",
        expected: expectedSame,
        actual: '{"a":1,"b":2}',
        origin: "signed",
        message: "The fields are equal",
      }],
      [same, [built(alice, 1), tested(alice, "1")], {
        outcome: "failed",
        reason: "fields-differ",
        expected: expectedSame,
        actual: '1 and "1"',
        path: "/predicate/n",
        origin: "signed",
        source: "tested.json",
        message: 'Cannot accept attestations: "1" of "tested" is not 1 of "built"',
        remedy: "Attest what belongs to the same build",
      }],
      [same, [built(alice, 1), tested(alice, null)], {
        ...incomparable,
        outcome: "failed",
        reason: "condition-error",
        source: "tested.json",
        message: 'Cannot compare fields: 0 values at /predicate/n of "tested", wanted one',
        remedy: "Produce an attestation that states the value once",
      }],
      [same, [built(alice, 2 ** 53), tested(alice, 2 ** 53)], {
        ...incomparable,
        outcome: "failed",
        reason: "condition-error",
        source: "built.json",
        message: 'Cannot compare fields: an integer at /predicate/n of "built" is beyond 2^53, ' +
          "which JSON does not keep",
        remedy: "Produce an attestation that states the value as a text",
      }],
    ];
    for (const [rule, all, check] of cases) deepEqual(await checkOf(policyWith(rule), all), check);
  });

  it("says nothing of requirements that are all waived", async () => {
    const waivers = require.map(({ id }) => ({
      rule: `release/${id}`,
      artifact: { name: "app" },
      reason: "later",
      owner: "eve",
      until: "2027-01-01T00:00:00Z",
    }));
    const policy = policyWith({ distinctSigners: ["built", "tested"] }, { waivers });
    deepEqual(await checkOf(policy, []), {
      outcome: "not-applicable",
      message: "Not judged: what it compares is waived",
    });
  });

  it("that asks nothing is refused", () => {
    throws(
      () => compileCrossRule({ id: "x" } as CrossRule, "release", new Map()),
      (error) =>
        error instanceof AttestationError && error.reason === "malformed-policy" &&
        error.message === 'Cannot read rule "release/x": it asks nothing',
    );
  });

  it("tries ten thousand choices, and tells when there are more", async () => {
    const alice = [await signer("alice")];
    const policy = policyWith({ distinctSigners: ["built", "tested"] });
    const choices = (a: number, b: number) => [
      ...Array.from({ length: a }, (_, n) => built(alice, n)),
      ...Array.from({ length: b }, (_, n) => tested(alice, n)),
    ];
    equal((await checkOf(policy, choices(100, 100))).reason, "signers-not-distinct");
    deepEqual(await checkOf(policy, choices(73, 137)), {
      outcome: "failed",
      reason: "limit-exceeded",
      message: 'Cannot judge "release": more than 10000 choices of attestations',
      remedy: "Give fewer attestations, or ask for more in the requirements",
    });
  });
});

describe("a chain", () => {
  const BASE = "pkg:oci/base@1";
  const digest = { sha256: SHA, sha512: "d".repeat(128) };
  const select = (name: string) => ({ select: { name } });
  const rules = (...across: CrossRule[]): PolicyRule[] => [
    {
      id: "app",
      ...select("app"),
      require: [{ id: "built", statement: { predicateTypes: [PROVENANCE] } }],
      ...(across.length === 0 ? {} : { across }),
    },
    { id: "base", ...select("base"), require: [{ id: "signed" }] },
  ];
  const chain = { from: "built", dependency: "pkg:oci/base@**", rule: "base" };
  const builtOf = async (dependencies: JsonObject[]) =>
    attestation([await signer("alice")], {
      buildDefinition: {
        buildType: "https://b.example",
        externalParameters: { a: 1 },
        resolvedDependencies: dependencies,
      },
      runDetails: { builder: { id: "https://b.example" } },
    }, { predicateType: PROVENANCE });
  const checkOf = async (dependencies: JsonObject[], others: ArtifactEvidence[]) => {
    const app = await builtOf(dependencies);
    const policy = policyOf({}, { rules: rules({ id: "on", chain } as CrossRule) });
    const { artifacts: [{ rules: [rule] }] } = await judge(policy, [artifact([app]), ...others]);
    const { id: _, ...check } = rule.children?.at(-1) ?? rule;
    return check;
  };
  const bases = async (count: number, digest: Record<string, string>) => {
    const all = [attestation([await signer("alice")])];
    return Array.from({ length: count }, () => artifact(all, { artifact: "base", digest }));
  };

  it("says what it looked for, and where it ended", async () => {
    const expected = '"pkg:oci/base@**" passed "base"';
    const remedy = 'Verify that dependency in the same run, so that "base" can judge it';
    const failed = {
      outcome: "failed",
      reason: "chain-not-met",
      expected,
      source: "app.json",
      remedy,
    };
    const one = { uri: BASE, digest };
    deepEqual(await checkOf([one], await bases(1, digest)), {
      outcome: "passed",
      expected,
      message: "The chain holds",
    });
    deepEqual(await checkOf([one], []), {
      ...failed,
      message: `Cannot follow chain: "${BASE}" is no artifact that passed "base"`,
    });
    deepEqual(await checkOf([{ ...one, uri: "pkg:oci/other@1" }], await bases(1, digest)), {
      ...failed,
      message: 'Cannot follow chain: no dependency is "pkg:oci/base@**"',
    });
    deepEqual(await checkOf([one, { uri: `${BASE}.1` }], await bases(1, digest)), {
      ...failed,
      message: `Cannot follow chain: "${BASE}.1" is no artifact that passed "base"`,
    });
    deepEqual(await checkOf([7 as never], await bases(1, digest)), {
      outcome: "failed",
      reason: "malformed-resource-descriptor",
      path: "/predicate/buildDefinition/resolvedDependencies/0",
      message: "Cannot read resource: it is no JSON object",
      remedy: "Produce an attestation that can be read",
    });
  });

  it("is followed past ten thousand contradictions, and no more", async () => {
    const other = { ...digest, sha512: "e".repeat(128) };
    const all = [...await bases(100, other), ...await bases(1, digest)];
    const many = (count: number) => Array.from({ length: count }, () => ({ uri: BASE, digest }));
    equal((await checkOf(many(100), all)).outcome, "passed");
    deepEqual(await checkOf(many(101), all), {
      outcome: "failed",
      reason: "limit-exceeded",
      message: "Cannot follow chain: more than 10000 digests are equal beside others that are not",
      remedy: "Produce an attestation that can be read",
    });
  });

  it("in a circle ends, and is not met", async () => {
    // parsePolicy() refuses both; a compiled policy may be put together by hand.
    const policy = await compilePolicy(parsePolicy(policyOf({}, { rules: rules() }) as object));
    const one = await builtOf([{ uri: BASE, digest }]);
    const evidence = ["app", "base"].map((name) => artifact([one], { artifact: name, digest }));
    const judged = (rules: PolicyRule[]) => {
      const changed = { ...policy, document: { ...policy.document, rules } };
      const { artifacts } = evaluatePolicy(changed, evidence, NOW);
      return artifacts.map(({ errorReason }) => errorReason);
    };
    const on = { id: "on", chain } as CrossRule;
    deepEqual(judged(rules(on)), [null, null]);
    const [app, base] = rules(on);
    const back = { id: "on", chain: { ...chain, from: "signed", rule: "app" } } as CrossRule;
    deepEqual(judged([app, { ...base, across: [back] }]), ["chain-not-met", "chain-not-met"]);
    const none = { id: "none", chain: { ...chain, rule: "none" } } as CrossRule;
    deepEqual(judged(rules(none)), ["chain-not-met", null]);
    // One that leads nowhere hides no other.
    const { document } = policy;
    const both = { ...policy, document: { ...document, rules: rules(none, on) } };
    const { artifacts: [first] } = evaluatePolicy(both, evidence, NOW);
    deepEqual(first.rules[0].children?.map((check) => `${check.id} ${check.outcome}`), [
      "app/built passed",
      "app/none failed",
      "app/on passed",
    ]);
  });
});
