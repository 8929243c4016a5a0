import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { attestation, checkOf, checksOf, holder, ISSUER, NOW, signer } from "./_fixtures_test.ts";
import type { EnvelopeRule } from "./document.ts";
import { latestTime } from "./envelope_leaves.ts";
import type { EvidenceAttestation, EvidenceSigner } from "./evidence.ts";

const alice = await signer("alice");
const bob = await signer("bob");
const release = holder("https://ci.example/release");
const evil = holder("https://ci.example/evil");
const rsa = (bits: number): EvidenceSigner => ({
  ...release,
  algorithm: "PS256",
  key: { kind: "RSA", bits },
});
const layer = "envelope";

const check = (name: string, envelope: EnvelopeRule, about: EvidenceAttestation) =>
  checkOf(name, { envelope }, about);
const at = (...timestamps: string[]) =>
  attestation([alice], {}, {
    timestamps: timestamps.map((timestamp, i) => ({
      type: "timestamp-authority",
      uri: `https://tsa${i}.example`,
      timestamp,
    })),
  });

describe("envelope.payload-type", () => {
  it("is exactly one of those that the rule names", async () => {
    const id = "envelope.payload-type";
    const payloadTypes = ["application/vnd.in-toto+json", "text/plain"];
    const facts = {
      id,
      layer,
      expected: '"application/vnd.in-toto+json" or "text/plain"',
      path: "/payloadType",
      origin: "signed",
    };
    for (const payloadType of payloadTypes) {
      const about = attestation([alice], {}, { payloadType });
      deepEqual(await check(id, { payloadTypes }, about), {
        ...facts,
        outcome: "passed",
        message: "The payload type is accepted",
        actual: payloadType,
      });
    }
    for (const payloadType of ["text/plain2", "TEXT/PLAIN", ""]) {
      const about = attestation([alice], {}, { payloadType });
      deepEqual(await check(id, { payloadTypes }, about), {
        ...facts,
        outcome: "failed",
        reason: "unsupported-payload-type",
        message:
          `Cannot accept envelope: payloadType is "${payloadType}", wanted ${facts.expected}`,
        actual: payloadType,
        remedy: "Sign a payload of that type, or accept this one in payloadTypes",
      });
    }
  });
});

describe("envelope.algorithm", () => {
  const id = "envelope.algorithm";

  it("wants one signer whose algorithm and whose key are accepted", async () => {
    const both = { algorithms: ["PS256", "ES256"], minKeyBits: { RSA: 3072 } };
    const rows: [EnvelopeRule, string, EvidenceSigner[], string, boolean][] = [
      [{ algorithms: ["ES256"] }, '"ES256"', [release], "ES256 (EC, 256 bits)", true],
      [{ algorithms: ["ES256"] }, '"ES256"', [alice], "Ed25519 (Ed25519, 256 bits)", false],
      [
        { minKeyBits: { RSA: 3072, EC: 256 } },
        "RSA of 3072 bits or more, EC of 256 bits or more",
        [rsa(3072)],
        "PS256 (RSA, 3072 bits)",
        true,
      ],
      [
        { minKeyBits: { RSA: 3072 } },
        "RSA of 3072 bits or more",
        [rsa(4096)],
        "PS256 (RSA, 4096 bits)",
        true,
      ],
      [
        { minKeyBits: { RSA: 3072 } },
        "RSA of 3072 bits or more",
        [rsa(3071)],
        "PS256 (RSA, 3071 bits)",
        false,
      ],
      // Of a kind that is not named every size is accepted.
      [
        { minKeyBits: { RSA: 3072 } },
        "RSA of 3072 bits or more",
        [release],
        "ES256 (EC, 256 bits)",
        true,
      ],
      [
        both,
        '"PS256" or "ES256", RSA of 3072 bits or more',
        [rsa(3072)],
        "PS256 (RSA, 3072 bits)",
        true,
      ],
      [
        both,
        '"PS256" or "ES256", RSA of 3072 bits or more',
        [rsa(2048)],
        "PS256 (RSA, 2048 bits)",
        false,
      ],
      [
        both,
        '"PS256" or "ES256", RSA of 3072 bits or more',
        [rsa(2048), alice],
        "PS256 (RSA, 2048 bits), Ed25519 (Ed25519, 256 bits)",
        false,
      ],
      [
        both,
        '"PS256" or "ES256", RSA of 3072 bits or more',
        [alice, release],
        "Ed25519 (Ed25519, 256 bits), ES256 (EC, 256 bits)",
        true,
      ],
    ];
    for (const [envelope, expected, who, actual, holds] of rows) {
      const facts = { id, layer, expected, actual, origin: "signed" };
      deepEqual(
        await check(id, envelope, attestation(who)),
        holds ? { ...facts, outcome: "passed", message: "A signature is strong enough" } : {
          ...facts,
          outcome: "failed",
          reason: "weak-algorithm",
          message: `Cannot accept envelope: signed with ${actual}, wanted ${expected}`,
          remedy: "Sign with a key of that kind",
        },
      );
    }
    const ids = (await checksOf({}, attestation([alice]))).map((found) => found.id);
    deepEqual(ids, ["envelope.signed-by"]);
  });
});

describe("envelope.signed-by", () => {
  const id = "envelope.signed-by";
  const passed = (expected: string, actual: string, origin: string) => ({
    id,
    layer,
    outcome: "passed",
    message: "The expected signers signed",
    expected,
    actual,
    origin,
  });
  const failed = (expected: string, actual: string, origin: string) => ({
    ...passed(expected, actual, origin),
    outcome: "failed",
    reason: "signer-mismatch",
    message: `Cannot accept envelope: signed by ${actual}, wanted ${expected}`,
  });

  it("is anybody whom the policy names where the rule names nobody", async () => {
    const expected = "anybody whom the policy names";
    const remedy = "Name the signer under trust, or say in signedBy who it is";
    const judged = (...who: EvidenceSigner[]) => checkOf(id, {}, attestation(who));
    deepEqual(await judged(alice), passed(expected, "alice", "signed"));
    deepEqual(await judged(evil, bob), passed(expected, "bob", "certificate"));
    deepEqual(await judged(release), passed(expected, "release", "certificate"));
    deepEqual(await judged(evil), {
      ...failed(expected, `"https://ci.example/evil" (${ISSUER})`, "certificate"),
      remedy,
    });
    const nobody = { ...evil, identity: undefined };
    deepEqual(await judged(nobody), {
      ...failed(expected, '"https://ci.example/evil" (no issuer)', "certificate"),
      remedy,
    });
    deepEqual(await judged(), {
      ...failed(expected, "nobody whose key counts", "signed"),
      remedy,
    });
  });

  it("is whoever the rule names, so many of them", async () => {
    const remedy = "Have it signed by them, or change who is accepted";
    const judged = (signedBy: EnvelopeRule["signedBy"], ...who: EvidenceSigner[]) =>
      check(id, { signedBy }, attestation(who));
    const one = { of: ["alice", "release"] };
    deepEqual(await judged(one, alice), passed('"alice" or "release"', "alice", "signed"));
    deepEqual(await judged(one, bob), {
      ...failed('"alice" or "release"', '"bob"', "signed"),
      remedy,
    });
    const two = { of: ["maintainers"], threshold: 2 };
    const expected = '2 distinct signers of "maintainers"';
    deepEqual(await judged(two, bob, alice), passed(expected, "alice, bob", "signed"));
    deepEqual(await judged(two, alice, evil), {
      ...failed(expected, `"alice", "https://ci.example/evil" (${ISSUER})`, "certificate"),
      reason: "insufficient-signers",
      remedy,
    });
    deepEqual(
      await judged({ ...two, threshold: 1 }, alice),
      passed('"maintainers"', "alice", "signed"),
    );
  });

  it("is asked for each entry of the rule under its own name", async () => {
    const signedBy = [{ of: ["alice"] }, { of: ["bob"] }, { of: ["release"] }];
    const checks = await checksOf({ envelope: { signedBy } }, attestation([alice, bob]));
    deepEqual(checks.map(({ id, outcome }) => `${id} ${outcome}`), [
      "envelope.signed-by passed",
      "envelope.signed-by-2 passed",
      "envelope.signed-by-3 failed",
    ]);
  });

  it("is nobody whose key does not count", async () => {
    const envelope = { minKeyBits: { RSA: 3072 }, signedBy: { of: ["release"] } };
    const checks = await checksOf({ envelope }, attestation([rsa(2048)]));
    deepEqual(checks[1], {
      ...failed('"release"', "nobody whose key counts", "signed"),
      remedy: "Have it signed by them, or change who is accepted",
    });
  });
});

describe("envelope.log and envelope.timestamp", () => {
  it("want so many logs", async () => {
    const id = "envelope.log";
    const judged = (logs: number) => check(id, { log: 2 }, attestation([alice], {}, { logs }));
    const facts = { id, layer, expected: "2 or more logs", origin: "log" };
    for (const logs of [2, 3]) {
      deepEqual(await judged(logs), {
        ...facts,
        outcome: "passed",
        message: "Enough logs include it",
        actual: String(logs),
      });
    }
    deepEqual(await judged(1), {
      ...facts,
      outcome: "failed",
      reason: "insufficient-log-entries",
      message: "Cannot accept envelope: 1 logs include it, wanted 2",
      actual: "1",
      remedy: "Sign with a signing config that names a transparency log",
    });
  });

  it("want the times of so many authorities", async () => {
    const id = "envelope.timestamp";
    const facts = { id, layer, expected: "2 or more verified times", origin: "timestamp" };
    const two = at("2026-05-31T00:00:00Z", "2026-05-31T00:00:00Z");
    deepEqual(await check(id, { timestamp: 2 }, two), {
      ...facts,
      outcome: "passed",
      message: "Enough verified times",
      actual: "2",
    });
    const twice = { ...two, timestamps: [two.timestamps[0], two.timestamps[0]] };
    deepEqual(await check(id, { timestamp: 2 }, twice), {
      ...facts,
      outcome: "failed",
      reason: "insufficient-timestamps",
      message: "Cannot accept envelope: 1 verified times, wanted 2",
      actual: "1",
      remedy: "Sign with a signing config that names a timestamp authority",
    });
  });
});

describe("envelope.freshness", () => {
  const id = "envelope.freshness";
  const ago = (ms: number): string => new Date(NOW.getTime() - ms).toISOString();
  const judged = (...times: string[]) =>
    checkOf(id, { freshness: { maxAge: "PT1H" } }, at(...times));
  const HOUR = 3_600_000;
  const SKEW = 300_000;
  const facts = { id, layer, expected: "signed at most PT1H ago", origin: "timestamp" };
  const remedy = "Attest the artifact again";

  it("accepts up to the limit, and what clocks may differ by", async () => {
    for (const age of [HOUR, 0, -SKEW]) {
      deepEqual(await judged(ago(age)), {
        ...facts,
        outcome: "passed",
        message: "The attestation is fresh",
        actual: ago(age),
      });
    }
    deepEqual(await judged(ago(HOUR + 1)), {
      ...facts,
      outcome: "failed",
      reason: "attestation-too-old",
      message: `Cannot accept envelope: signed at ${ago(HOUR + 1)}, wanted ${facts.expected}`,
      actual: ago(HOUR + 1),
      remedy,
    });
    deepEqual(await judged(ago(-SKEW - 1)), {
      ...facts,
      outcome: "failed",
      reason: "invalid-timestamp",
      message: `Cannot judge age: signed at ${ago(-SKEW - 1)}, which is in the future`,
      actual: ago(-SKEW - 1),
      remedy,
    });
  });

  it("knows no age without a time that can be read", async () => {
    for (const times of [[], ["yesterday"], ["2026-05-31", ""]]) {
      deepEqual(await judged(...times), {
        ...facts,
        outcome: "failed",
        reason: "insufficient-timestamps",
        message: "Cannot judge age: the attestation has no verified time",
        remedy,
      });
    }
  });
});

describe("latestTime()", () => {
  it("is the latest, whatever the order, and of none undefined", () => {
    const [early, late] = ["1969-12-31T00:00:00Z", "2026-05-31T00:00:00Z"];
    equal(latestTime(at()), undefined);
    equal(latestTime(at("no time")), undefined);
    for (const times of [[early, late], [late, early], ["x", late], [late, "x"], [late, late]]) {
      equal(latestTime(at(...times)), Date.parse(late));
    }
    equal(latestTime(at(early)), Date.parse(early));
  });
});
