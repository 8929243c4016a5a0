import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError, type Reason } from "../errors.ts";
import { createEnvelope } from "../dsse/sign.ts";
import { generateSigner } from "../keys/signer.ts";
import {
  artifact,
  attestation,
  holder,
  ISSUER,
  judge,
  KEYS,
  NOW,
  policyOf,
  signer,
} from "./_fixtures_test.ts";
import { compilePolicy } from "./compile.ts";
import type { PolicyDocument } from "./document.ts";
import { evaluatePolicy } from "./evaluate.ts";
import { parsePolicy } from "./parse.ts";
import { openSignedPolicy, POLICY_PAYLOAD_TYPE, WAIVERS_PAYLOAD_TYPE } from "./signed.ts";

function refuses(reason: Reason, message: RegExp = /./): (error: unknown) => boolean {
  return (error) => {
    ok(error instanceof AttestationError, String(error));
    equal(error.reason, reason);
    ok(message.test(error.message), error.message);
    return true;
  };
}

describe("compilePolicy()", () => {
  it("tells signers by their keys and whole identities, never by their names", async () => {
    const { slots } = await compilePolicy(parsePolicy(policyOf({}) as object));
    const matching = (name: string, who: Parameters<typeof attestation>[0][number]) =>
      (slots.get(name) ?? []).filter((slot) => slot.matches(who)).map((slot) => slot.name);
    const alice = await signer("alice");
    deepEqual(matching("alice", alice), ["alice"]);
    deepEqual(matching("bob", { ...alice, name: "bob" }), []);
    deepEqual(matching("maintainers", alice), ["alice"]);
    const release = holder("https://ci.example/release");
    deepEqual(matching("release", release), ["release"]);
    deepEqual(matching("release", { ...release, kind: "key" }), []);
    deepEqual(matching("release", holder("https://ci.example/release-evil")), []);
    deepEqual(matching("release", holder("https://ci.example/release", "https://x")), []);
    deepEqual(matching("alice", { ...release, name: "alice" }), []);
    deepEqual(matching("alice", { ...alice, kind: "certificate" }), []);
  });

  it("matches all of a claim by a pattern", async () => {
    const identities = {
      ci: { issuer: ISSUER, subjectAlternativeName: { pattern: "https://ci\\.example/a|b|c+" } },
    };
    const policy = policyOf({}, { trust: { identities } } as Partial<PolicyDocument>);
    const { slots } = await compilePolicy(parsePolicy(policy as object));
    const [slot] = slots.get("ci") ?? [];
    ok(slot.matches(holder("https://ci.example/a")));
    ok(slot.matches(holder("b")));
    for (const bad of ["https://ci.example/ab", "bb", "b\n", "xb", "https://ciXexample/a"]) {
      ok(!slot.matches(holder(bad)), bad);
    }
    ok(slot.matches(holder("c".repeat(2048))));
    ok(!slot.matches(holder("c".repeat(2049))));
  });

  it("has a slot for each key of a key set, and one for each name of a group", async () => {
    const { trustedKey, publicKey } = await generateSigner("ES256");
    const policy = await compilePolicy(parsePolicy({
      type: "attest-policy/v1",
      trust: {
        keys: { alice: { publicKey: KEYS.alice } },
        keySets: {
          team: {
            type: "attest-key-set/v1",
            keys: [{ name: "a", publicKey }, { name: "b", publicKey: KEYS.bob }],
          },
        },
        groups: { all: ["alice", "team"] },
        roots: [],
      },
      rules: [{
        id: "r",
        require: [{ id: "s", envelope: { signedBy: { of: ["all"], threshold: 3 } } }],
      }],
    }));
    deepEqual(policy.slots.get("all")?.map(({ name }) => name), ["alice", "team/a", "team/b"]);
    equal(policy.keySets.length, 1);
    equal(policy.keys.length, 1);
    equal(policy.publicGood, false);
    const who = await signer("alice");
    ok(policy.slots.get("team")?.[0].matches({ ...who, fingerprint: trustedKey.fingerprint }));
  });

  it("does not confuse names with what every object has", async () => {
    const policy = await compilePolicy(parsePolicy({
      type: "attest-policy/v1",
      trust: {
        keys: { constructor: { publicKey: KEYS.alice }, toString: { publicKey: KEYS.bob } },
      },
      rules: [{
        id: "constructor",
        require: [{ id: "toString", envelope: { signedBy: { of: ["toString"] } } }],
      }],
      waiverSigners: { of: ["constructor"] },
    }));
    equal(policy.slots.get("constructor")?.length, 1);
    equal(policy.slots.has("valueOf"), false);
  });

  it("keeps a frozen copy and its digest", async () => {
    const document = parsePolicy(policyOf({}) as object);
    const policy = await compilePolicy(document);
    ok(Object.isFrozen(policy.document.rules[0].require[0]));
    ok(/^[0-9a-f]{64}$/.test(policy.digest));
    const again = await compilePolicy(parsePolicy(JSON.stringify(document, null, 2)));
    equal(again.digest, policy.digest);
    const other = await compilePolicy(parsePolicy(policyOf({}, { mode: "permissive" }) as object));
    ok(other.digest !== policy.digest);
  });

  it("says where a key set is wrong", async () => {
    const keySets = {
      team: {
        type: "attest-key-set/v1",
        keys: [{ name: "a", publicKey: KEYS.alice, validFrom: "yesterday" }],
      },
    };
    const policy = parsePolicy(
      policyOf({}, { trust: { keySets } } as Partial<PolicyDocument>) as object,
    );
    await rejects(compilePolicy(policy), (error) => {
      ok(error instanceof AttestationError);
      equal(error.reason, "malformed-policy");
      equal(error.path, "/trust/keySets/team/keys/0/validFrom");
      return true;
    });
  });

  it("checks a document that was not parsed", async () => {
    const document = { type: "attest-policy/v1", rules: [] } as PolicyDocument;
    await rejects(compilePolicy(document), refuses("malformed-policy"));
    await rejects(
      compilePolicy(parsePolicy(policyOf({}) as object), { celll: 1 } as never),
      TypeError,
    );
  });
});

describe("openSignedPolicy()", () => {
  it("verifies before it reads", async () => {
    const owner = await generateSigner("Ed25519", { name: "owner" });
    const thief = await generateSigner("Ed25519");
    const policy = policyOf({});
    const open = async (payload: string | object, type = POLICY_PAYLOAD_TYPE, who = owner.signer) =>
      await openSignedPolicy(await createEnvelope(type, payload, who), [owner.trustedKey]);
    const { document, acceptedBy } = await open(policy as object);
    deepEqual(document, policy);
    deepEqual(acceptedBy, ["owner"]);
    await rejects(
      open(policy as object, POLICY_PAYLOAD_TYPE, thief.signer),
      refuses("invalid-signature", /open policy/),
    );
    await rejects(open("{", POLICY_PAYLOAD_TYPE, thief.signer), refuses("invalid-signature"));
    await rejects(open("{"), refuses("malformed-json"));
    await rejects(open({ type: "x" }), refuses("malformed-policy"));
    await rejects(
      open(policy as object, WAIVERS_PAYLOAD_TYPE),
      refuses("unsupported-payload-type"),
    );
    await rejects(
      open(policy as object, "application/vnd.in-toto+json"),
      refuses("unsupported-payload-type"),
    );
    await rejects(
      openSignedPolicy(policy as object, [owner.trustedKey]),
      refuses("malformed-envelope"),
    );
  });

  it("counts distinct keys", async () => {
    const one = await generateSigner("Ed25519");
    const two = await generateSigner("ES256");
    const keys = [one.trustedKey, two.trustedKey];
    const policy = policyOf({}) as object;
    const twice = await createEnvelope(POLICY_PAYLOAD_TYPE, policy, [one.signer, one.signer]);
    await rejects(openSignedPolicy(twice, keys, { threshold: 2 }), refuses("threshold-not-met"));
    const both = await createEnvelope(POLICY_PAYLOAD_TYPE, policy, [one.signer, two.signer]);
    equal((await openSignedPolicy(both, keys, { threshold: 2 })).acceptedBy.length, 2);
    await rejects(openSignedPolicy(both, []), TypeError);
    await rejects(openSignedPolicy(both, keys, { treshold: 2 } as never), TypeError);
  });
});

const WAIVER = {
  rule: "release/signed",
  artifact: { name: "app" },
  reason: "known",
  owner: "me",
  until: "2026-12-31T00:00:00Z",
};

describe("signed waivers", () => {
  const waivers = { type: "attest-waivers/v1", waivers: [WAIVER] };
  const failing = {
    id: "signed",
    predicate: { where: [{ path: "/predicate/result", equals: "PASSED" }] },
  };

  it("count only when those whom the policy names have signed them", async () => {
    const owner = await generateSigner("Ed25519");
    const thief = await generateSigner("Ed25519");
    const policy = parsePolicy(policyOf({ require: [failing] }, {
      trust: {
        keys: { alice: { publicKey: KEYS.alice }, owner: { publicKey: owner.publicKey } },
      },
      waiverSigners: { of: ["owner"] },
    } as Partial<PolicyDocument>) as object);
    const evidence = [artifact([attestation([await signer("alice")], { result: "FAILED" })])];
    const verdict = async (...signedWaivers: object[]) =>
      evaluatePolicy(await compilePolicy(policy, { signedWaivers, now: NOW }), evidence, NOW);
    equal((await verdict()).errorReason, "condition-not-met");
    const good = await createEnvelope(WAIVERS_PAYLOAD_TYPE, waivers, owner.signer);
    const compiled = await compilePolicy(policy, { signedWaivers: [good], now: NOW });
    deepEqual(compiled.document.waivers, [WAIVER]);
    const waived = await verdict(good);
    equal(waived.ok, true);
    equal(waived.artifacts[0].rules[0].outcome, "waived");
    equal(compiled.digest, (await compilePolicy(policy)).digest);
    for (
      const [type, payload, who, reason] of [
        [WAIVERS_PAYLOAD_TYPE, waivers, thief.signer, "invalid-signature"],
        [POLICY_PAYLOAD_TYPE, waivers, owner.signer, "unsupported-payload-type"],
        [WAIVERS_PAYLOAD_TYPE, { ...waivers, policy: "other" }, owner.signer, "malformed-waivers"],
        [
          WAIVERS_PAYLOAD_TYPE,
          { ...waivers, waivers: [{ ...WAIVER, rule: "x" }] },
          owner.signer,
          "malformed-waivers",
        ],
      ] as const
    ) {
      const bad = await createEnvelope(type, payload, who);
      await rejects(verdict(good, bad), refuses(reason));
    }
    for (const now of [undefined, new Date(NaN)]) {
      await rejects(
        compilePolicy(policy, { signedWaivers: [good], ...(now === undefined ? {} : { now }) }),
        { name: "TypeError", message: /without a valid now/ },
      );
    }
    const without = parsePolicy(policyOf({}) as object);
    await rejects(compilePolicy(without, { signedWaivers: [good], now: NOW }), {
      name: "TypeError",
      message: /no waiverSigners/,
    });
  });

  it("are not opened with keys that no longer count", async () => {
    const owner = await generateSigner("Ed25519");
    const entry = { name: "o", publicKey: owner.publicKey, validUntil: "2026-01-01T00:00:00Z" };
    const policy = parsePolicy(policyOf({}, {
      trust: { keySets: { owners: { type: "attest-key-set/v1", keys: [entry] } } },
      waiverSigners: { of: ["owners"] },
    } as never) as object);
    const envelope = await createEnvelope(WAIVERS_PAYLOAD_TYPE, waivers, owner.signer);
    const compile = (now: Date) => compilePolicy(policy, { signedWaivers: [envelope], now });
    equal((await compile(new Date("2025-06-01T00:00:00Z"))).document.waivers?.length, 1);
    await rejects(compile(NOW), refuses("threshold-not-met"));
  });
});

describe("parsePolicy() of a signature-policy.json", () => {
  const issuers = (...keys: string[]) => ({
    mode: "enforce",
    allowedIssuers: keys.map((publicKey, i) => ({
      keyId: `ci-${i}`,
      publicKey,
      description: "The build service",
    })),
  });
  const PROVENANCE = "https://slsa.dev/provenance/v1";

  it("is the policy that asks for provenance by one of its issuers", async () => {
    const policy = parsePolicy(JSON.stringify(issuers(KEYS.alice, KEYS.bob)));
    deepEqual(policy, {
      type: "attest-policy/v1",
      name: "signature-policy",
      mode: "enforce",
      trust: {
        keys: {
          "ci-0": { publicKey: KEYS.alice, keyid: "ci-0", description: "The build service" },
          "ci-1": { publicKey: KEYS.bob, keyid: "ci-1", description: "The build service" },
        },
        roots: [],
      },
      rules: [{
        id: "provenance",
        require: [{
          id: "signed",
          envelope: { signedBy: { of: ["ci-0", "ci-1"] } },
          statement: {
            predicateTypes: [
              PROVENANCE,
              "https://slsa.dev/provenance/v0.2",
              "https://slsa.dev/provenance/v0.1",
              "https://in-toto.io/Provenance/v0.1",
            ],
          },
        }],
      }],
    });
    const alice = await signer("alice");
    const by = async (who: typeof alice, predicateType: string) =>
      (await judge(policy, [artifact([attestation([who], {}, { predicateType })])])).ok;
    equal(await by(alice, PROVENANCE), true);
    equal(await by(alice, "https://example.com/other"), false);
    equal(await by({ ...alice, fingerprint: "0".repeat(64), distinct: "0" }, PROVENANCE), false);
  });

  it("names issuers whose keyId cannot be a name", () => {
    const { allowedIssuers: [one] } = issuers(KEYS.alice);
    const policy = parsePolicy({
      allowedIssuers: [
        { ...one, keyId: "ci key #1" },
        { keyId: "issuer-1", publicKey: KEYS.bob },
      ],
    });
    deepEqual(Object.keys(policy.trust?.keys ?? {}), ["issuer-1", "issuer-2"]);
    equal(policy.mode, "enforce");
    equal(policy.trust?.keys?.["issuer-1"].keyid, "ci key #1");
    const taken = parsePolicy({
      allowedIssuers: [
        { ...one, keyId: "issuer-2" },
        { keyId: "a b", publicKey: KEYS.bob },
      ],
    });
    deepEqual(Object.keys(taken.trust?.keys ?? {}), ["issuer-2", "other-issuer-2"]);
  });

  it("is read as strictly", () => {
    const good = issuers(KEYS.alice);
    const [issuer] = good.allowedIssuers;
    const bad: [unknown, string][] = [
      [{ ...good, mode: "warn" }, "/mode"],
      [{ ...good, required: 2 }, "/required"],
      [{ allowedIssuers: [] }, "/allowedIssuers"],
      [{ allowedIssuers: {} }, "/allowedIssuers"],
      [{ allowedIssuers: ["x"] }, "/allowedIssuers/0"],
      [{ allowedIssuers: [{ ...issuer, keyId: undefined }] }, "/allowedIssuers/0/keyId"],
      [{ allowedIssuers: [{ ...issuer, publicKey: "x" }] }, "/allowedIssuers/0/publicKey"],
      [{ allowedIssuers: [{ ...issuer, revoked: true }] }, "/allowedIssuers/0/revoked"],
      [{ allowedIssuers: [issuer, { ...issuer, keyId: "b" }] }, "/allowedIssuers/1/publicKey"],
      [{ allowedIssuers: [issuer, { ...issuer, publicKey: KEYS.bob }] }, "/allowedIssuers/1/keyId"],
    ];
    for (const [value, path] of bad) {
      try {
        parsePolicy(value as object);
        ok(false, path);
      } catch (error) {
        ok(error instanceof AttestationError, String(error));
        equal(error.reason, "malformed-policy");
        equal(error.path, path);
      }
    }
  });
});
