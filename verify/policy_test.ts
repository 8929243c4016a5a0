import { ok, rejects, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { createEnvelope } from "../dsse/sign.ts";
import { utf8 } from "../internal/bytes.ts";
import { createStatement, encodeStatement } from "../intoto/statement.ts";
import { generateSigner } from "../keys/signer.ts";
import { compilePolicy } from "../policy/compile.ts";
import { parsePolicy } from "../policy/parse.ts";
import { judgeReports, trustOfPolicy } from "./policy.ts";
import { verify } from "./verify.ts";

const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const TYPE = "https://example.com/review/v1";

async function made() {
  const alice = await generateSigner("Ed25519");
  const bob = await generateSigner("ES256");
  const eve = await generateSigner("Ed25519");
  const statement = encodeStatement(createStatement({
    subject: [{ name: "abc", digest: { sha256: ABC } }],
    predicateType: TYPE,
    predicate: { result: "PASSED" },
  }));
  const seal = (...signers: (typeof alice)[]) =>
    createEnvelope("application/vnd.in-toto+json", statement, signers.map(({ signer }) => signer));
  const policy = await compilePolicy(parsePolicy({
    type: "attest-policy/v1",
    trust: {
      keys: { alice: { publicKey: alice.publicKey }, bob: { publicKey: bob.publicKey } },
    },
    rules: [{
      id: "release",
      select: { name: "abc" },
      require: [{
        id: "review",
        envelope: {
          signedBy: { of: ["alice", "bob"], threshold: 2 },
          algorithms: ["Ed25519", "ES256"],
        },
        statement: { predicateTypes: [TYPE] },
        predicate: { where: [{ path: "/predicate/result", equals: "PASSED" }] },
      }],
    }],
  }));
  return { alice, bob, eve, seal, policy };
}

const artifact = { name: "abc", content: utf8("abc") };

describe("verify() with a policy", () => {
  it("judges what verified, and nothing else", async () => {
    const { alice, bob, eve, seal, policy } = await made();
    const good = await verify(await seal(alice, bob), artifact, { policy });
    ok(good.ok);
    equal(good.policy?.artifacts[0].rules[0].outcome, "passed");
    const one = await verify(await seal(alice, eve), artifact, { policy });
    equal(one.errorReason, "insufficient-signers");
    const none = await verify(await seal(eve), artifact, { policy });
    equal(none.errorReason, "missing-attestation");
    const split = await verify([await seal(alice), await seal(bob)], artifact, { policy });
    equal(split.errorReason, "insufficient-signers");
    const other = { name: "abc", content: utf8("abd") };
    const spliced = await verify(await seal(alice, bob), other, { policy });
    equal(spliced.errorReason, "missing-attestation");
    const unselected = { name: "abd", content: utf8("abc") };
    const renamed = await verify(await seal(alice, bob), unselected, { policy });
    equal(renamed.errorReason, "unselected-artifact");
  });

  it("fails without an artifact, and takes no other trust beside", async () => {
    const { alice, bob, seal, policy } = await made();
    const envelope = await seal(alice, bob);
    equal((await verify(envelope, undefined, { policy })).errorReason, "artifact-required");
    equal((await verify(envelope, [], { policy })).errorReason, "artifact-required");
    await rejects(verify(envelope, artifact, { policy, trust: {} }), TypeError);
    await rejects(verify(envelope, artifact, { policy, expect: {} }), TypeError);
    await rejects(
      verify(envelope, undefined, { policy, unsafelyVerifyWithoutArtifact: true }),
      TypeError,
    );
    await rejects(verify(envelope, artifact, { policy, thresholds: { log: 1 } }), TypeError);
    await rejects(verify(envelope, artifact, { policy: {} as never }), TypeError);
    const { artifacts } = await verify(envelope, artifact, { policy });
    const options: object = { recont: true };
    throws(() => judgeReports(policy, artifacts, new Date(), options), {
      name: "TypeError",
      message: /Unknown option "recont"/,
    });
  });

  it("believes the keys of its key sets, each in its time", async () => {
    const { alice, seal } = await made();
    const of = async (validUntil: string) => {
      const keys = [{ name: "alice", publicKey: alice.publicKey, validUntil }];
      const policy = await compilePolicy(parsePolicy({
        type: "attest-policy/v1",
        trust: { keySets: { team: { type: "attest-key-set/v1", keys } } },
        rules: [{ id: "r", require: [{ id: "a", envelope: { signedBy: { of: ["team"] } } }] }],
      }));
      const { trust } = trustOfPolicy({}, policy);
      const { keySets = [] } = trust ?? {};
      equal(keySets.flatMap(({ keys }) => keys.map(({ name }) => name)).join(), "alice");
      const now = new Date("2026-06-01T00:00:00Z");
      return (await verify(await seal(alice), artifact, { policy, now })).errorReason;
    };
    equal(await of("2027-01-01T00:00:00Z"), null);
    equal(await of("2026-01-01T00:00:00Z"), "missing-attestation");
  });
});
