import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import {
  artifact,
  attestation,
  failures,
  holder,
  judge,
  judgeOne,
  NOW,
  policyOf,
  PROVENANCE,
  SHA,
  signer,
  TEST,
} from "./_fixtures_test.ts";
import { compilePolicy } from "./compile.ts";
import { evaluatePolicy } from "./evaluate.ts";
import { parsePolicy } from "./parse.ts";
import { matchSigners } from "./signer_slots.ts";

describe("evaluatePolicy(): envelope", () => {
  it("lets nobody sign whom the policy does not name", async () => {
    const good = await judgeOne({}, [attestation([await signer("alice")])]);
    equal(good.errorReason, null);
    ok(good.ok);
    const bad = await judgeOne({}, [attestation([holder("https://ci.example/evil")])]);
    equal(bad.errorReason, "signer-mismatch");
    const known = await judgeOne({}, [attestation([holder("https://ci.example/release")])]);
    equal(known.errorReason, null);
    const other = await judgeOne({}, [
      attestation([holder("https://ci.example/release", "https://other.example")]),
    ]);
    equal(other.errorReason, "signer-mismatch");
  });

  it("wants the signer that the requirement names", async () => {
    const rule = { envelope: { signedBy: { of: ["bob"] } } };
    equal((await judgeOne(rule, [attestation([await signer("alice")])])).ok, false);
    equal((await judgeOne(rule, [attestation([await signer("bob")])])).ok, true);
  });

  it("counts distinct signers, not signatures", async () => {
    const rule = { envelope: { signedBy: { of: ["maintainers"], threshold: 2 } } };
    const alice = await signer("alice");
    const twice = await judgeOne(rule, [attestation([alice, { ...alice, name: "bob" }])]);
    equal(twice.errorReason, "insufficient-signers");
    const both = await judgeOne(rule, [attestation([alice, await signer("bob")])]);
    equal(both.errorReason, null);
  });

  it("never adds the signers of two attestations for one threshold", async () => {
    const rule = { envelope: { signedBy: { of: ["maintainers"], threshold: 2 } } };
    const split = [attestation([await signer("alice")]), attestation([await signer("bob")])];
    equal((await judgeOne(rule, split)).errorReason, "insufficient-signers");
  });

  it("lets only strong keys count", async () => {
    const weak = { ...holder("https://ci.example/release"), key: { kind: "RSA", bits: 2048 } };
    const rule = { envelope: { minKeyBits: { RSA: 3072 }, signedBy: { of: ["release"] } } };
    equal((await judgeOne(rule, [attestation([weak])])).errorReason, "weak-algorithm");
    const strong = { ...weak, key: { kind: "RSA", bits: 3072 } };
    equal((await judgeOne(rule, [attestation([strong])])).errorReason, null);
    // A strong signature of somebody else does not make the weak one count.
    const mixed = await judgeOne(rule, [attestation([weak, await signer("alice")])]);
    equal(mixed.errorReason, "signer-mismatch");
    const algorithms = { envelope: { algorithms: ["ES256"] } };
    const found = await judgeOne(algorithms, [attestation([await signer("alice")])]);
    equal(found.errorReason, "weak-algorithm");
  });

  it("wants format, payload type, logs and times", async () => {
    const alice = await signer("alice");
    const one = attestation([alice]);
    const cases = [
      [{ formats: ["sigstore-bundle"] }, "format-not-accepted"],
      [{ payloadTypes: ["text/plain"] }, "unsupported-payload-type"],
      [{ log: 1 }, "insufficient-log-entries"],
      [{ timestamp: 1 }, "insufficient-timestamps"],
    ] as const;
    for (const [envelope, reason] of cases) {
      equal((await judgeOne({ envelope } as never, [one])).errorReason, reason);
    }
    const time = { type: "timestamp-authority", timestamp: "2026-05-31T00:00:00Z" } as const;
    const full = attestation([alice], {}, {
      format: "sigstore-bundle",
      logs: 1,
      timestamps: [{ ...time, uri: "https://tsa.example" }],
    });
    for (const envelope of [{ formats: ["sigstore-bundle"] }, { log: 1 }, { timestamp: 1 }]) {
      equal((await judgeOne({ envelope } as never, [full])).errorReason, null);
    }
    // Two times of one authority are one.
    const twice = attestation([alice], {}, {
      timestamps: [...full.timestamps, ...full.timestamps],
    });
    equal(
      (await judgeOne({ envelope: { timestamp: 2 } }, [twice])).errorReason,
      "insufficient-timestamps",
    );
  });

  it("judges age by the verified time alone", async () => {
    const alice = await signer("alice");
    const at = (timestamp: string) =>
      attestation([alice], { finishedOn: NOW.toISOString() }, {
        timestamps: [{ type: "timestamp-authority", uri: "https://tsa.example", timestamp }],
      });
    const rule = { freshness: { maxAge: "P30D" } };
    const judged = async (text: string) => (await judgeOne(rule, [at(text)])).errorReason;
    equal(await judged("2026-05-02T00:00:00Z"), null);
    equal(await judged("2026-05-01T23:59:59Z"), "attestation-too-old");
    equal(await judged("2026-06-01T00:05:01Z"), "invalid-timestamp");
    // As much as the clocks of two machines may differ, and not a millisecond more.
    equal(await judged("2026-06-01T00:05:00Z"), null);
    equal(await judged("2026-06-01T00:05:00.001Z"), "invalid-timestamp");
    const none = attestation([alice], { finishedOn: NOW.toISOString() });
    equal((await judgeOne(rule, [none])).errorReason, "insufficient-timestamps");
  });

  it("judges age by the latest of several times, in any order", async () => {
    const alice = await signer("alice");
    const times = ["2026-05-20T00:00:00Z", "2026-01-01T00:00:00Z", "2026-05-31T00:00:00Z"];
    for (const order of [times, times.toReversed(), [times[2], times[0], times[1]]]) {
      const timestamps = order.map((timestamp, i) => ({
        type: "timestamp-authority" as const,
        uri: `https://tsa${i}.example`,
        timestamp,
      }));
      const one = attestation([alice], {}, { timestamps });
      equal((await judgeOne({ freshness: { maxAge: "P1D" } }, [one])).errorReason, null);
      equal(
        (await judgeOne({ freshness: { maxAge: "PT23H" } }, [one])).errorReason,
        "attestation-too-old",
      );
    }
  });
});

describe("evaluatePolicy(): statement", () => {
  it("wants an attestation of the type, and tells which there are", async () => {
    const rule = { statement: { predicateTypes: [PROVENANCE] } };
    const bad = await judgeOne(rule, [attestation([await signer("alice")])]);
    equal(bad.errorReason, "missing-attestation");
    ok(failures(bad.rules)[0].message.includes(TEST));
  });

  it("tells why attestations were refused before", async () => {
    const refused = [{ source: "b.json", reason: "invalid-signature", message: "" }] as const;
    const verdict = await judge(policyOf({}), [artifact([], { refused })]);
    equal(verdict.errorReason, "missing-attestation");
    ok(failures(verdict.artifacts[0].rules)[0].message.includes("invalid-signature"));
  });

  it("wants the name, the digest algorithm and the number of subjects", async () => {
    const alice = await signer("alice");
    const one = attestation([alice]);
    const judged = async (statement: object, found = one) =>
      (await judgeOne({ statement } as never, [found])).errorReason;
    equal(await judged({ subjectNames: ["app"] }), null);
    equal(await judged({ subjectNames: ["ap"] }), "subject-name-mismatch");
    equal(await judged({ subjectNames: ["a*"] }), null);
    equal(await judged({ digestAlgorithms: ["sha512"] }), "digest-algorithm-not-accepted");
    equal(await judged({ digestAlgorithms: ["sha256"] }), null);
    equal(await judged({ subjects: "exact" }), null);
    const two = attestation([alice]);
    two.statement.subject.push({ name: "b", digest: { sha256: "b".repeat(64) } });
    equal(await judged({ subjects: "exact" }, two), "subject-mismatch");
    equal(await judged({ subjects: "all" }, two), null);
    equal(
      await judged({ subjects: "all" }, { ...two, allSubjectsMatched: false }),
      "subject-mismatch",
    );
    // Only the name of the subject that matched counts.
    equal(await judged({ subjectNames: ["b"] }, two), "subject-name-mismatch");
  });
});

describe("evaluatePolicy(): several attestations", () => {
  it("never mixes the fields of two attestations", async () => {
    const alice = await signer("alice");
    const bob = await signer("bob");
    const rule = {
      envelope: { signedBy: { of: ["alice"] } },
      predicate: { where: [{ path: "/predicate/result", equals: "PASSED" }] },
    };
    const split = [
      attestation([alice], { result: "FAILED" }),
      attestation([bob], { result: "PASSED" }),
    ];
    equal((await judgeOne(rule, split)).ok, false);
    split.push(attestation([alice], { result: "PASSED" }));
    equal((await judgeOne(rule, split)).ok, true);
  });

  it("counts distinct attestations", async () => {
    const alice = await signer("alice");
    const one = attestation([alice], { n: 1 });
    equal((await judgeOne({ count: 2 }, [one, { ...one, source: "copy" }])).ok, false);
    equal((await judgeOne({ count: 2 }, [one, attestation([alice], { n: 2 })])).ok, true);
  });

  it("decides between those that disagree", async () => {
    const alice = await signer("alice");
    const at = (result: string, timestamp: string) =>
      attestation([alice], { result }, {
        timestamps: [{ type: "timestamp-authority", uri: "https://tsa.example", timestamp }],
      });
    const where = [{ path: "/predicate/result", equals: "PASSED" }];
    const judged = async (conflict: string, all: ReturnType<typeof at>[]) =>
      (await judgeOne({ conflict, predicate: { where } } as never, all)).errorReason;
    const good = at("PASSED", "2026-05-01T00:00:00Z");
    const bad = at("FAILED", "2026-05-02T00:00:00Z");
    equal(await judged("any", [bad, good]), null);
    equal(await judged("all", [bad, good]), "attestations-disagree");
    equal(await judged("all", [good]), null);
    equal(await judged("latest", [good, bad]), "condition-not-met");
    const again = at("PASSED", "2026-05-03T00:00:00Z");
    equal(await judged("latest", [good, bad, again]), null);
    const timeless = attestation([alice], { result: "PASSED" });
    equal(await judged("latest", [timeless, bad]), "insufficient-timestamps");
  });
});

describe("evaluatePolicy(): document", () => {
  it("fails without artifacts, without a rule and after its end", async () => {
    equal((await judge(policyOf({}), [])).errorReason, "artifact-required");
    const good = artifact([attestation([await signer("alice")])]);
    const other = policyOf({ select: { name: "other" } });
    equal((await judge(other, [good])).errorReason, "unselected-artifact");
    const lax = policyOf({ select: { name: "other" } }, { unselected: "pass" });
    equal((await judge(lax, [good])).errorReason, null);
    const ended = policyOf({}, { expires: "2026-06-01T00:00:00Z" });
    equal((await judge(ended, [good])).errorReason, "policy-expired");
    const valid = policyOf({}, { expires: "2026-06-01T00:00:01Z" });
    equal((await judge(valid, [good])).errorReason, null);
  });

  it("judges at no moment that is none", async () => {
    const policy = await compilePolicy(parsePolicy(policyOf({}) as object));
    for (const now of [new Date(NaN), "2026-06-01T00:00:00Z", 0, undefined]) {
      throws(() => evaluatePolicy(policy, [], now as Date), {
        name: "TypeError",
        message: "now is no time",
      });
    }
  });

  it("says by which policy, how and when it judged", async () => {
    const document = policyOf({ select: { name: "a*" } }, {
      name: "acme",
      mode: "permissive",
      expires: "2026-06-02T00:00:00Z",
    });
    const policy = await compilePolicy(parsePolicy(document as object));
    const digest = { sha256: SHA };
    const evidence = [artifact([], { artifact: "b" })];
    const unselected = {
      id: "unselected",
      outcome: "failed",
      reason: "unselected-artifact",
      message: "Cannot accept artifact: no rule selects it",
      remedy: "Add a rule that selects it, or say what becomes of unselected artifacts",
    };
    const rest = {
      id: "release",
      outcome: "not-applicable",
      message: "It does not select the artifact",
    };
    const head = { mode: "permissive", policy: "acme", policyDigest: policy.digest };
    const times = [NOW.toISOString(), "2026-06-02T00:00:00.000Z", "2026-06-02T00:00:00.001Z"];
    for (const time of times) {
      const errorReason = time === times[0] ? "unselected-artifact" : "policy-expired";
      const expired = {
        id: "policy",
        outcome: "failed",
        reason: "policy-expired",
        expected: "before 2026-06-02T00:00:00Z",
        actual: time,
        message: "Cannot apply policy: it ended at 2026-06-02T00:00:00Z",
        remedy: "Review the policy and set a later end",
      };
      const rules = time === times[0] ? [rest, unselected] : [expired, rest, unselected];
      deepEqual(evaluatePolicy(policy, evidence, new Date(time)), {
        ok: false,
        errorReason,
        ...head,
        time,
        artifacts: [{ artifact: "b", digest, ok: false, errorReason, rules }],
      });
    }
    const { policy: name, mode, ...more } = await judge(policyOf({}), []);
    deepEqual([name, "policy" in more, mode], [undefined, false, "enforce"]);
  });

  it("takes the first rule that selects, or all", async () => {
    const rules = [
      { id: "a", select: { name: "app" }, require: [{ id: "s" }] },
      {
        id: "b",
        select: { name: "a*" },
        require: [{ id: "s", envelope: { signedBy: { of: ["bob"] } } }],
      },
    ];
    const one = artifact([attestation([await signer("alice")])]);
    const first = await judge(policyOf({}, { rules }), [one]);
    deepEqual(first.artifacts[0].rules.map(({ id, outcome }) => `${id} ${outcome}`), [
      "a passed",
      "b not-applicable",
    ]);
    const all = await judge(policyOf({}, { rules, selection: "all" }), [one]);
    equal(all.errorReason, "signer-mismatch");
  });

  it("shows a waived failure as waived, and ends with its end", async () => {
    const waiver = {
      artifact: { name: "app" },
      reason: "scanner is down",
      owner: "eve@example.com",
      until: "2026-06-02T00:00:00Z",
    };
    const rule = { envelope: { signedBy: { of: ["bob"] } } };
    const all = [attestation([await signer("alice")])];
    for (const id of ["release", "release/signed", "release/signed/envelope.signed-by"]) {
      const verdict = await judgeOne(rule, all, { waivers: [{ ...waiver, rule: id }] });
      equal(verdict.errorReason, null, id);
      equal(verdict.rules[0].outcome, "waived");
    }
    const ended = { ...waiver, rule: "release/signed", until: "2026-06-01T00:00:00Z" };
    const verdict = await judgeOne(rule, all, { waivers: [ended] });
    equal(verdict.errorReason, "signer-mismatch");
    ok(JSON.stringify(verdict.rules).includes("the waiver of eve@example.com ended"));
    const other = { ...waiver, rule: "release/signed", artifact: { name: "ap" } };
    equal((await judgeOne(rule, all, { waivers: [other] })).ok, false);
    const reasons = { ...waiver, rule: "release/signed", reasons: ["weak-algorithm"] };
    equal((await judgeOne(rule, all, { waivers: [reasons] })).ok, false);
  });

  it("judges the rest across attestations when a requirement is waived", async () => {
    const alice = await signer("alice");
    const policy = policyOf({
      require: [
        { id: "provenance", statement: { predicateTypes: [PROVENANCE] } },
        { id: "test", statement: { predicateTypes: [TEST] } },
        { id: "sbom", statement: { predicateTypes: ["https://spdx.dev/Document"] } },
      ],
      across: [{ id: "apart", distinctSigners: ["provenance", "test", "sbom"] }],
    }, {
      waivers: [{
        rule: "release/sbom",
        artifact: { name: "app" },
        reason: "later",
        owner: "eve",
        until: "2027-01-01T00:00:00Z",
      }],
    });
    const provenance = attestation([alice], {}, { predicateType: PROVENANCE });
    const verdict = await judge(policy, [artifact([provenance, attestation([alice])])]);
    equal(verdict.errorReason, "signers-not-distinct");
  });

  it("gives the same bytes for the same input", async () => {
    const one = [artifact([attestation([await signer("alice")], { b: 1, a: 2 })])];
    const texts = [];
    for (let i = 0; i < 2; i++) texts.push(JSON.stringify(await judge(policyOf({}), one)));
    equal(texts[0], texts[1]);
    ok(texts[0].includes(`"sha256":"${SHA}"`));
  });
});

describe("matchSigners()", () => {
  it("leaves a slot to the signer who needs it", () => {
    const slot = (name: string, ...fits: string[]) => ({
      name,
      matches: ({ name }: { name: string }) => fits.includes(name),
    });
    const a = holder("a");
    const b = holder("b");
    const matched = matchSigners([a, b], [slot("x", "a", "b"), slot("y", "a")]);
    equal(matched.length, 2);
    equal(matchSigners([a, a], [slot("x", "a"), slot("y", "a")]).length, 1);
  });
});
