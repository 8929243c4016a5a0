import assert from "node:assert/strict";
import { test } from "node:test";
import { createEnvelope } from "../dsse/mod.ts";
import { AttestationError, type Reason } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import type { JsonObject } from "../internal/json.ts";
import { generateSigner } from "../keys/mod.ts";
import { createStatement, encodeStatement } from "../intoto/mod.ts";
import { verify } from "../verify/mod.ts";
import {
  compilePolicy,
  definePolicy,
  openRevocationList,
  parseRevocationList,
  REVOCATIONS_PAYLOAD_TYPE,
  signedBy,
  withRevocations,
} from "./mod.ts";

const NOW = new Date("2026-03-10T00:00:00Z");
const KEY = `sha256:${"a".repeat(64)}`;
const ENTRY = { key: KEY, at: "2026-03-01T00:00:00Z", reason: "retired" as const };

function list(more: object = {}) {
  return {
    type: "attest-revocations/v1" as const,
    sequence: 7,
    issuedAt: "2026-03-09T00:00:00Z",
    expires: "2026-03-16T00:00:00Z",
    revocations: [ENTRY],
    ...more,
  };
}

async function refused(
  run: () => unknown,
  reason: Reason,
  path?: string,
  message?: string,
): Promise<void> {
  let error: unknown;
  try {
    await run();
  } catch (caught) {
    error = caught;
  }
  assert.ok(error instanceof AttestationError, `${reason}: ${error}`);
  assert.equal(error.reason, reason, error.message);
  if (path !== undefined) assert.equal(error.path, path, error.message);
  if (message !== undefined) assert.equal(error.message, message);
}

test("parseRevocationList() refuses what is not of its form", async () => {
  assert.deepEqual(parseRevocationList(JSON.stringify(list())), list());
  assert.equal(parseRevocationList(list({ revocations: [] })).revocations.length, 0);
  const cases: [object, string][] = [
    [{ type: "x" }, "/type"],
    [{ sequence: 0 }, "/sequence"],
    [{ sequence: 1.5 }, "/sequence"],
    [{ issuedAt: "yesterday" }, "/issuedAt"],
    [{ expires: "2026-03-09T00:00:00Z" }, "/expires"],
    [{ more: 1 }, "/more"],
    [{ revocations: {} }, "/revocations"],
    [{ revocations: [{ ...ENTRY, key: KEY.toUpperCase() }] }, "/revocations/0/key"],
    [{ revocations: [{ ...ENTRY, at: "2026" }] }, "/revocations/0/at"],
    [{ revocations: [{ ...ENTRY, reason: "because" }] }, "/revocations/0/reason"],
    [{ revocations: [{ ...ENTRY, until: "x" }] }, "/revocations/0/until"],
    [{ revocations: [ENTRY, ENTRY] }, "/revocations/1/key"],
    [{ revocations: [{ ...ENTRY, note: "" }] }, "/revocations/0/note"],
    [{ revocations: [{ ...ENTRY, note: "n".repeat(1001) }] }, "/revocations/0/note"],
    [{ revocations: [{ ...ENTRY, key: 7 }] }, "/revocations/0/key"],
    [{ revocations: [KEY] }, "/revocations/0"],
    [{ description: 7 }, "/description"],
    [{ expires: "tomorrow" }, "/expires"],
    [{ issuedAt: "2026-03-16T00:00:00.001Z" }, "/expires"],
  ];
  for (const [more, path] of cases) {
    await refused(() => parseRevocationList(list(more)), "malformed-revocation-list", path);
  }
});

test("parseRevocationList() wants every member but what is for people", () => {
  const entry = { ...ENTRY, note: "n".repeat(1000) };
  const whole = list({ description: "March", revocations: [entry] });
  assert.deepEqual(parseRevocationList(whole), whole);
  const messageOf = (value: object): string => {
    try {
      parseRevocationList(value);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  for (const name of Object.keys(whole)) {
    const { [name as keyof typeof whole]: _, ...rest } = whole;
    const wanted = name === "description"
      ? ""
      : `Cannot read revocation list: a revocation list has no ${name} at /${name}`;
    assert.equal(messageOf(rest), wanted);
  }
  for (const name of Object.keys(entry)) {
    const { [name as keyof typeof entry]: _, ...rest } = entry;
    const wanted = name === "note"
      ? ""
      : `Cannot read revocation list: a revocation has no ${name} at /revocations/0/${name}`;
    assert.equal(messageOf(list({ revocations: [rest] })), wanted);
  }
  // Two entries without a key are not twice the same one.
  const { key: _, ...keyless } = ENTRY;
  assert.equal(
    messageOf(list({ revocations: [keyless, keyless] })),
    "Cannot read revocation list: a revocation has no key at /revocations/0/key (and 1 more)",
  );
  assert.equal(
    messageOf(list({ revocations: [ENTRY, ENTRY] })),
    `Cannot read revocation list: "${KEY}" is there twice at /revocations/1/key`,
  );
});

test("openRevocationList() wants a signature, this moment, and no older list", async () => {
  const { signer, trustedKey } = await generateSigner("Ed25519", { name: "security" });
  const other = await generateSigner("Ed25519");
  const sign = (value: object, type = REVOCATIONS_PAYLOAD_TYPE) =>
    createEnvelope(type, utf8(JSON.stringify(value)), signer);
  const open = async (value: object, more: object = {}) =>
    await openRevocationList(await sign(value), [trustedKey], { now: NOW, ...more });

  const { document, acceptedBy, state } = await open(list({ description: "March" }));
  assert.equal(document.sequence, 7);
  assert.deepEqual(acceptedBy, ["security"]);
  const again = await open(list({ description: "March" }), { seen: state });
  assert.deepEqual(again.state, state);
  assert.equal((await open(list({ sequence: 8 }), { seen: state })).state.sequence, 8);

  const older = { seen: { sequence: 8, digest: "" } };
  await refused(() => open(list(), older), "revocation-list-rollback");
  await refused(() => open(list(), { seen: state }), "revocation-list-rollback");
  await refused(
    () => open(list(), { now: new Date("2026-03-16T00:00:00Z") }),
    "revocation-list-expired",
  );
  await refused(
    () => open(list(), { now: new Date("2026-03-08T00:00:00Z") }),
    "revocation-list-expired",
  );
  await refused(
    async () => await openRevocationList(await sign(list()), [other.trustedKey], { now: NOW }),
    "invalid-signature",
  );
  await refused(
    async () =>
      await openRevocationList(await sign(list(), "application/json"), [trustedKey], { now: NOW }),
    "unsupported-payload-type",
  );
  await refused(
    async () =>
      await openRevocationList(await sign(list()), [trustedKey, other.trustedKey], {
        now: NOW,
        threshold: 2,
      }),
    "threshold-not-met",
  );
  for (const now of [new Date(NaN), undefined, NOW.toISOString(), NOW.getTime()]) {
    await assert.rejects(() => open(list(), { now }), {
      name: "TypeError",
      message: "now is no valid Date",
    });
  }
  await assert.rejects(() => open(list(), { minSequence: 1 }), TypeError);
});

test("openRevocationList() says which list it is, and for when", async () => {
  const { signer, trustedKey } = await generateSigner("Ed25519");
  const open = async (now: Date, seen?: { sequence: number; digest: string }) =>
    await openRevocationList(
      await createEnvelope(REVOCATIONS_PAYLOAD_TYPE, utf8(JSON.stringify(list())), signer),
      [trustedKey],
      { now, ...(seen === undefined ? {} : { seen }) },
    );
  const { state } = await open(NOW);
  // Clocks may differ by a minute, but nothing counts a moment too long.
  const at = (text: string, ms: number) => new Date(Date.parse(text) + ms);
  for (const now of [at("2026-03-09T00:00:00Z", -300_000), at("2026-03-16T00:00:00Z", -1)]) {
    assert.equal((await open(now)).state.sequence, 7);
  }
  for (const now of [at("2026-03-09T00:00:00Z", -300_001), at("2026-03-16T00:00:00Z", 0)]) {
    await refused(
      () => open(now),
      "revocation-list-expired",
      undefined,
      "Cannot use revocation list 7: it is for 2026-03-09T00:00:00Z to 2026-03-16T00:00:00Z, " +
        `and now is ${now.toISOString()}`,
    );
  }
  const rollback = (sequence: number, digest: string, message: string) =>
    refused(
      () => open(NOW, { sequence, digest }),
      "revocation-list-rollback",
      undefined,
      `Cannot use revocation list: ${message}`,
    );
  await rollback(8, "", "its sequence is 7, and 8 was seen");
  await rollback(8, state.digest, "its sequence is 7, and 8 was seen");
  await rollback(7, "", "another list with the sequence 7 was seen");
  assert.deepEqual((await open(NOW, { sequence: 6, digest: "" })).state, state);
});

test("withRevocations() keeps the earlier moment, and the stricter word", async () => {
  const { publicKey, trustedKey } = await generateSigner("Ed25519");
  const after = async (own: object | undefined, other: object) => {
    const policy = await compilePolicy(definePolicy({
      trust: {
        keySets: {
          team: {
            type: "attest-key-set/v1",
            keys: [{
              name: "one",
              publicKey,
              ...(own === undefined ? {} : { revoked: own as JsonObject }),
            }],
          },
        },
      },
      rules: [{ id: "r", require: [{ id: "signed", envelope: signedBy("team") }] }],
    }));
    const revocations = [{ key: `sha256:${trustedKey.fingerprint}`, ...other }];
    const document = parseRevocationList(list({ revocations }));
    return withRevocations(policy, { document }).keySets[0].keys[0].revoked;
  };
  const [early, late] = ["2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"];
  const word = (at: string, reason: string, note: string) => ({ at, reason, note });
  const of = ({ at, ...rest }: ReturnType<typeof word>) => ({ at: new Date(at), ...rest });
  const plain = { at: early, reason: "retired" };
  assert.deepEqual(await after(undefined, plain), { at: new Date(early), reason: "retired" });
  const rows: [own: string[], other: string[], wanted: string[]][] = [
    [[early, "retired", "own"], [late, "retired", "other"], [early, "retired", "own"]],
    [[late, "retired", "own"], [early, "retired", "other"], [early, "retired", "other"]],
    [[early, "retired", "own"], [early, "retired", "other"], [early, "retired", "own"]],
    [[early, "retired", "own"], [late, "compromised", "other"], [early, "compromised", "own"]],
    [[late, "compromised", "own"], [early, "retired", "other"], [early, "compromised", "other"]],
    [[early, "compromised", "own"], [early, "compromised", "x"], [early, "compromised", "own"]],
  ];
  for (const [own, other, wanted] of rows) {
    const read = ([at, reason, note]: string[]) => word(at, reason, note);
    assert.deepEqual(await after(read(own), read(other)), of(read(wanted)));
  }
});

test("withRevocations() wants a list that was opened", async () => {
  const { publicKey, trustedKey } = await generateSigner("Ed25519");
  const policy = await compilePolicy(definePolicy({
    trust: { keys: { ci: { publicKey } } },
    rules: [{ id: "r", require: [{ id: "signed" }] }],
  }));
  const key = `sha256:${trustedKey.fingerprint}`;
  const document = list({ revocations: [{ key, at: "soon", reason: "retired" }] });
  assert.throws(() => withRevocations(policy, { document }), {
    name: "TypeError",
    message: "The list is not what openRevocationList() returns",
  });
});

test("withRevocations() takes a key of a policy out of use, and keeps what the policy says", async () => {
  const [ci, set] = await Promise.all([generateSigner("Ed25519"), generateSigner("Ed25519")]);
  const policy = await compilePolicy(definePolicy({
    trust: {
      keys: { ci: { publicKey: ci.publicKey } },
      keySets: {
        team: {
          type: "attest-key-set/v1",
          keys: [{
            name: "one",
            publicKey: set.publicKey,
            revoked: { at: "2026-06-01T00:00:00Z", reason: "compromised" },
          }],
        },
      },
    },
    rules: [{ id: "r", require: [{ id: "signed", envelope: signedBy("ci", "team") }] }],
  }));
  const sha256 = "b".repeat(64);
  const statement = encodeStatement(createStatement({
    subject: [{ name: "x", digest: { sha256 } }],
    predicateType: "https://example.com/checked/v1",
    predicate: {},
  }));
  const judge = async (by: typeof policy, signer = ci.signer, now = NOW) => {
    const envelope = await createEnvelope("application/vnd.in-toto+json", statement, signer);
    const report = await verify(envelope, { digest: { sha256 } }, { policy: by, now });
    return report.artifacts[0].attestations[0].errorReason ??
      (report.ok ? "ok" : report.errorReason);
  };
  const revoke = (fingerprint: string, at: string, reason = "retired") =>
    withRevocations(policy, {
      document: parseRevocationList(
        list({ revocations: [{ key: `sha256:${fingerprint}`, at, reason }] }),
      ),
    });
  assert.equal(await judge(policy), "ok");
  const before = revoke(ci.trustedKey.fingerprint, "2026-03-01T00:00:00Z");
  assert.equal(await judge(before), "key-revoked");
  assert.equal(before.digest, policy.digest);
  assert.equal(await judge(revoke(ci.trustedKey.fingerprint, "2026-04-01T00:00:00Z")), "ok");
  const compromised = revoke(ci.trustedKey.fingerprint, "2026-04-01T00:00:00Z", "compromised");
  assert.equal(await judge(compromised), "key-revoked");
  assert.equal(await judge(revoke("c".repeat(64), "2026-03-01T00:00:00Z")), "ok");
  // A later, milder word takes nothing back of what the key set says.
  const { fingerprint } = set.trustedKey;
  assert.equal(await judge(policy, set.signer), "key-revoked");
  const [{ keys }] = revoke(fingerprint, "2026-07-01T00:00:00Z").keySets;
  assert.equal(keys[0].revoked?.at.toISOString(), "2026-06-01T00:00:00.000Z");
  const [earlier] = revoke(fingerprint, "2026-05-01T00:00:00Z").keySets;
  assert.equal(earlier.keys[0].revoked?.at.toISOString(), "2026-05-01T00:00:00.000Z");
  assert.equal(earlier.keys[0].revoked?.reason, "compromised");
});
