import assert from "node:assert/strict";
import { test } from "node:test";
import { generateSigner } from "../keys/mod.ts";
import { compilePolicy, definePolicy, judgementTime, type Requirement, signedBy } from "./mod.ts";

const NOW = new Date("2026-05-05T05:05:05.005Z");

async function policyOf(more: object, requirement: Partial<Requirement> = {}) {
  const [a, b] = await Promise.all([generateSigner("Ed25519"), generateSigner("Ed25519")]);
  return await compilePolicy(definePolicy({
    trust: {
      keys: { ci: { publicKey: a.publicKey } },
      keySets: {
        team: {
          type: "attest-key-set/v1",
          keys: [{ name: "one", publicKey: b.publicKey, ...more }],
        },
      },
    },
    rules: [{ id: "r", require: [{ id: "s", envelope: signedBy("ci"), ...requirement }] }],
  }));
}

test("judgementTime() gives the last moment that makes a difference", async () => {
  const cases: [object, string][] = [
    [{}, "1970-01-01T00:00:00.000Z"],
    [{ validFrom: "2026-01-01T00:00:00Z" }, "2026-01-01T00:00:00.000Z"],
    [{ validUntil: "2026-01-01T00:00:00Z" }, "2026-01-01T00:00:00.001Z"],
    [{ validFrom: "2027-01-01T00:00:00Z" }, "1970-01-01T00:00:00.000Z"],
    [{ validUntil: NOW.toISOString() }, "1970-01-01T00:00:00.000Z"],
    [{ validFrom: NOW.toISOString() }, NOW.toISOString()],
    [
      {
        validFrom: "2026-01-01T00:00:00Z",
        revoked: { at: "2026-02-01T00:00:00Z", reason: "retired" },
      },
      "2026-02-01T00:00:00.000Z",
    ],
  ];
  for (const [entry, time] of cases) {
    const found = judgementTime(await policyOf(entry), NOW);
    assert.equal(found.time.toISOString(), time, JSON.stringify(entry));
    assert.equal(found.isExact, false);
  }
});

test("judgementTime() goes by the end of the document and of its waivers, too", async () => {
  const document = (expires: string | undefined, ...ends: string[]) =>
    definePolicy({
      ...(expires === undefined ? {} : { expires }),
      trust: { identities: { ci: { github: { repository: "acme/app" } } } },
      rules: [{ id: "r", require: [{ id: "s" }] }],
      waivers: ends.map((until) => ({
        ...{ rule: "r/s", artifact: { name: "app" }, reason: "known", owner: "me", until },
      })),
    });
  const at = async (expires: string | undefined, ...ends: string[]) =>
    judgementTime(await compilePolicy(document(expires, ...ends)), NOW).time.toISOString();
  const [march, april, june] = ["2026-03-01", "2026-04-01", "2026-06-01"].map((day) =>
    `${day}T00:00:00.000Z`
  );
  assert.equal(await at(march), march);
  assert.equal(await at(june), "1970-01-01T00:00:00.000Z");
  assert.equal(await at(undefined, april, march), april);
  assert.equal(await at(april, march, june), april);
  const policy = await compilePolicy(document(march));
  assert.throws(() => judgementTime(policy, new Date(NaN)), {
    name: "TypeError",
    message: "now is no valid Date",
  });
});

test("judgementTime() tells all moments apart where ages count", async () => {
  const ages: Partial<Requirement>[] = [
    { freshness: { maxAge: "P30D" } },
    { predicate: { where: [{ path: "/predicate/time", time: { maxAge: "P1D" } }] } },
    { predicate: { cel: "now > timestamps[0]" } },
    { predicate: { vulnerabilities: { maxSeverity: "low" } } },
    { predicate: { vsa: { verifierId: "https://v.example", resourceUri: "pkg:a/b" } } },
  ];
  for (const requirement of ages) {
    let policy;
    try {
      policy = await policyOf({}, requirement);
    } catch (error) {
      assert.fail(`${JSON.stringify(requirement)}: ${error}`);
    }
    const { time, isExact } = judgementTime(policy, NOW);
    assert.equal(isExact, true, JSON.stringify(requirement));
    assert.equal(time.getTime(), NOW.getTime());
  }
  const none = { predicate: { where: [{ path: "/predicate/a", equals: 1 }] } };
  assert.equal(judgementTime(await policyOf({}, none), NOW).isExact, false);
});
