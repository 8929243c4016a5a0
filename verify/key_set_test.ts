import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { signEnvelope } from "../dsse/mod.ts";
import { encodePem } from "../internal/pem.ts";
import {
  type GeneratedSigner,
  generateSigner,
  importTrustedKey,
  type KeySet,
  parseKeySet,
} from "../keys/mod.ts";
import { ARTIFACT, bundleOf, ENVELOPE, rootOf, theInstance } from "../tests/fixtures/sigstore.ts";
import { rekor2, SIGNED, stamped } from "../tools/pki/instance.ts";
import { testKey } from "../tools/pki/keys.ts";
import { ABC, brief, ciKey, signed, statementAbout } from "./_fixtures_test.ts";
import { type AttestationReport, verify, type VerifyOptions } from "./mod.ts";

const NOW = new Date("2026-06-01T00:00:00Z");
const BEFORE = "2025-12-31T00:00:00Z";
const AFTER = "2026-12-31T00:00:00Z";

const second: GeneratedSigner = await generateSigner("ES256");
const third: GeneratedSigner = await generateSigner("ES384");

async function setOf(...keys: object[]): Promise<KeySet> {
  return await parseKeySet({ type: "attest-key-set/v1", keys });
}

async function first(more: object = {}): Promise<object> {
  return { name: "first", publicKey: (await ciKey()).publicKey, ...more };
}

const other = (more: object = {}) => ({ name: "second", publicKey: second.publicKey, ...more });
const last = (more: object = {}) => ({ name: "third", publicKey: third.publicKey, ...more });

function validity({ checks }: AttestationReport) {
  return checks.filter(({ id }) => id === "envelope.key-validity");
}

async function ofEnvelope(
  keySets: KeySet[],
  options: VerifyOptions = {},
  content: object = statementAbout(["abc"]),
): Promise<string> {
  const envelope = "payload" in content ? content : await signed(content);
  return brief(
    await verify(envelope, ABC, { now: NOW, ...options, trust: { keySets, ...options.trust } }),
  );
}

describe("verify() of an envelope with a key set", () => {
  it("accepts a key that is valid now, and says so", async () => {
    const set = await setOf(await first({ validFrom: BEFORE, validUntil: AFTER }));
    const report = await verify(await signed(statementAbout(["abc"])), ABC, {
      now: NOW,
      trust: { keySets: [set] },
    });
    equal(brief(report), "ok: ok[ok]");
    const [attestation] = report.artifacts[0].attestations;
    deepEqual(attestation.signers, ["first"]);
    const [check] = validity(attestation);
    equal(check.outcome, "passed");
    ok(check.expected?.includes("2025-12-31"), check.expected);
    equal(check.actual, "no verified time, now 2026-06-01T00:00:00.000Z");
    equal(check.origin, undefined);
  });

  it("refuses an expired key, whatever time the Statement claims", async () => {
    const set = await setOf(await first({ validUntil: BEFORE, successor: "second" }), other());
    const claims = statementAbout(["abc"], {
      predicate: {
        metadata: { buildStartedOn: "2025-06-01T00:00:00Z" },
        timeCreated: "2025-06-01T00:00:00Z",
        timestamp: "2025-06-01T00:00:00Z",
      },
    });
    equal(await ofEnvelope([set], {}, claims), "key-not-valid: key-not-valid[key-not-valid]");
    const early = { ...await signed(claims), timestamp: "2025-06-01T00:00:00Z" };
    equal(await ofEnvelope([set], {}, early), "key-not-valid: key-not-valid[key-not-valid]");
    const report = await verify(await signed(claims), ABC, { now: NOW, trust: { keySets: [set] } });
    const [attestation] = report.artifacts[0].attestations;
    deepEqual(attestation.signers, []);
    equal(attestation.statement, undefined);
    const [check] = validity(attestation);
    equal(check.reason, "key-not-valid");
    ok(/"first".*2025-12-31.*successor is "second"/.test(check.message), check.message);
  });

  it("refuses a key that is not valid yet, and a revoked one, by its reason", async () => {
    const bad = (reason: string) => `${reason}: ${reason}[${reason}]`;
    const early = await setOf(await first({ validFrom: AFTER }));
    equal(await ofEnvelope([early]), bad("key-not-valid"));
    for (const reason of ["compromised", "superseded", "retired", "unspecified"]) {
      const set = await setOf(await first({ revoked: { at: BEFORE, reason } }));
      equal(await ofEnvelope([set]), bad("key-revoked"));
    }
    const later = await setOf(await first({ revoked: { at: AFTER, reason: "superseded" } }));
    equal(await ofEnvelope([later]), "ok: ok[ok]");
    const known = await setOf(await first({ revoked: { at: AFTER, reason: "compromised" } }));
    equal(await ofEnvelope([known]), bad("key-revoked"));
  });

  it("does not let a revoked key in again by a signature of its own", async () => {
    const set = await setOf(
      await first({ revoked: { at: BEFORE, reason: "compromised" }, successor: "second" }),
      other(),
    );
    const { signer } = await ciKey();
    const twice = await signEnvelope(await signed(statementAbout(["abc"])), signer);
    equal(await ofEnvelope([set], {}, twice), "key-revoked: key-revoked[key-revoked]");
    // With the key id of its successor.
    const posing = {
      ...twice,
      signatures: twice.signatures.map((one) => ({ ...one, keyid: "second" })),
    };
    equal(await ofEnvelope([set], {}, posing), "key-revoked: key-revoked[key-revoked]");
  });

  it("accepts when the successor has signed it again", async () => {
    const set = await setOf(
      await first({ revoked: { at: BEFORE, reason: "compromised" }, successor: "second" }),
      other(),
    );
    const twice = await signEnvelope(await signed(statementAbout(["abc"])), second.signer);
    const report = await verify(twice, ABC, { now: NOW, trust: { keySets: [set] } });
    equal(brief(report), "ok: ok[ok]");
    const [attestation] = report.artifacts[0].attestations;
    deepEqual(attestation.signers, ["second"]);
    ok(/not counted: "first" \(key-revoked\)/.test(validity(attestation)[0].message));
  });

  it("counts a threshold over keys that count, each material once", async () => {
    const set = await setOf(await first({ validUntil: BEFORE }), other(), last());
    const once = await signed(statementAbout(["abc"]));
    const two = await signEnvelope(once, [second.signer]);
    const three = await signEnvelope(two, [third.signer]);
    const trust = { threshold: 2 };
    const tooFew = "threshold-not-met: threshold-not-met[threshold-not-met]";
    equal(await ofEnvelope([set], { trust }, once), tooFew);
    equal(
      await ofEnvelope([set], { trust }, two),
      "key-not-valid: key-not-valid[key-not-valid]",
    );
    equal(await ofEnvelope([set], { trust }, three), "ok: ok[ok]");
    const again = await signEnvelope(once, [second.signer, second.signer]);
    equal(
      await ofEnvelope([set], { trust }, again),
      "key-not-valid: key-not-valid[key-not-valid]",
    );
  });

  it("counts keys and key sets together, and one key in both once", async () => {
    const trustedKey = await importTrustedKey(second.publicKey, { name: "free" });
    const set = await setOf(await first(), other());
    const envelope = await signed(statementAbout(["abc"]), second.signer);
    const trust = { keys: [trustedKey], threshold: 2 };
    equal(
      await ofEnvelope([set], { trust }, envelope),
      "threshold-not-met: threshold-not-met[threshold-not-met]",
    );
    const both = await signEnvelope(envelope, (await ciKey()).signer);
    equal(await ofEnvelope([set], { trust }, both), "ok: ok[ok]");
    await rejects(ofEnvelope([set], { trust: { ...trust, threshold: 3 } }, both), TypeError);
  });

  it("refuses to choose between rules for one key", async () => {
    const { trustedKey } = await ciKey();
    const set = await setOf(await first({ validUntil: BEFORE }));
    const free = await setOf(await first());
    await rejects(ofEnvelope([set], { trust: { keys: [trustedKey] } }), TypeError);
    await rejects(ofEnvelope([set, free]), TypeError);
  });

  it("refuses what is no key set", async () => {
    const set = await setOf(await first());
    for (const keySets of [{}, [{}], [null], "set", new Set([set])]) {
      await rejects(ofEnvelope(keySets as unknown as KeySet[]), TypeError);
    }
  });

  it("refuses without any key when the sets are none", async () => {
    equal(
      await ofEnvelope([]),
      "missing-trusted-key: missing-trusted-key[missing-trusted-key]",
    );
  });

  it("keeps the set as it was given while the work goes on", async () => {
    const set = await setOf(await first({ validUntil: BEFORE }));
    const envelope = await signed(statementAbout(["abc"]));
    const trust = { keySets: [set] };
    const work = verify(envelope, ABC, { now: NOW, trust });
    trust.keySets.length = 0;
    trust.keySets = [];
    equal(brief(await work), "key-not-valid: key-not-valid[key-not-valid]");
  });
});

/** The key of the throw-away instance with which bundles without certificate are signed. */
const KEY = "managed";

async function managed(more: object = {}): Promise<KeySet> {
  const { spki } = await testKey(KEY);
  return await setOf({ name: "managed", publicKey: encodePem("PUBLIC KEY", spki), ...more });
}

async function ofBundle(
  recipe: object,
  set: KeySet,
  options: VerifyOptions = {},
): Promise<[string, AttestationReport]> {
  const bundle = await bundleOf({ ...ENVELOPE, key: KEY, hint: "managed", ...recipe });
  const report = await verify(bundle, ARTIFACT, {
    now: NOW,
    ...options,
    trust: {
      keySets: [set],
      trustedRoots: [await rootOf()],
      onlyRoot: true,
      ...options.trust,
    },
  });
  const [attestation] = report.artifacts[0].attestations;
  return [attestation.errorReason ?? "ok", attestation];
}

const NO_ENTRY = { entries: () => Promise.resolve([]) };
const at = (ms: number) => new Date(SIGNED.getTime() + ms).toISOString();
const DAY = 86_400_000;

describe("verify() of a bundle with a key set", () => {
  it("judges the key at the time of the log, not now", async () => {
    const set = await managed({ validFrom: at(-DAY), validUntil: at(DAY) });
    const [reason, attestation] = await ofBundle({}, set);
    equal(reason, "ok");
    const [check] = validity(attestation);
    equal(check.actual, `signed at ${SIGNED.toISOString()}`);
    equal(check.origin, "timestamp");
    equal((await ofBundle({}, await managed({ validUntil: at(-1) })))[0], "key-not-valid");
    equal((await ofBundle({}, await managed({ validFrom: at(1) })))[0], "key-not-valid");
  });

  it("judges the key at the time of an RFC 3161 timestamp", async () => {
    const recipe = { ...NO_ENTRY, timestamps: stamped() };
    equal((await ofBundle(recipe, await managed({ validUntil: at(DAY) })))[0], "ok");
    equal((await ofBundle(recipe, await managed({ validUntil: at(-1) })))[0], "key-not-valid");
  });

  it("counts a revoked key before its revocation, also a compromised one, as a time is verified", async () => {
    for (const reason of ["compromised", "superseded"]) {
      const later = await managed({ revoked: { at: at(1), reason } });
      equal((await ofBundle({}, later))[0], "ok", reason);
      const exactly = await managed({ revoked: { at: at(0), reason } });
      equal((await ofBundle({}, exactly))[0], "key-revoked", reason);
    }
  });

  it("refuses a timestamp after the revocation beside a log entry before it", async () => {
    const late = new Date(SIGNED.getTime() + 2 * DAY);
    const recipe = { timestamps: stamped({ genTime: late }) };
    const set = await managed({ revoked: { at: at(DAY), reason: "superseded" } });
    equal((await ofBundle(recipe, set))[0], "key-revoked");
    equal((await ofBundle({}, set))[0], "ok");
    const ended = await managed({ validUntil: at(DAY) });
    equal((await ofBundle(recipe, ended))[0], "key-not-valid");
  });

  it("takes now where the evidence was taken away", async () => {
    const ended = await managed({ validUntil: at(DAY) });
    equal((await ofBundle(NO_ENTRY, ended))[0], "key-not-valid");
    const stolen = await managed({ revoked: { at: AFTER, reason: "compromised" } });
    equal((await ofBundle(NO_ENTRY, stolen))[0], "key-revoked");
    equal((await ofBundle(NO_ENTRY, await managed({ validUntil: AFTER })))[0], "ok");
    const [reason, attestation] = await ofBundle(NO_ENTRY, await managed());
    equal(reason, "ok");
    ok(validity(attestation)[0].actual?.startsWith("no verified time"));
  });

  it("takes no time that the caller has told it not to look at, nor one without a promise", async () => {
    const ended = await managed({ validUntil: at(DAY) });
    equal((await ofBundle({}, ended, { thresholds: { log: 0 } }))[0], "key-not-valid");
    // An entry of Rekor v2 has no time of its own.
    equal((await ofBundle({ entries: rekor2() }, ended))[0], "key-not-valid");
    const both = { entries: rekor2(), timestamps: stamped() };
    equal((await ofBundle(both, ended))[0], "ok");
  });

  it("takes no timestamp of an authority that is not trusted", async () => {
    const recipe = { ...NO_ENTRY, timestamps: stamped() };
    const ended = await managed({ validUntil: at(DAY) });
    const trust = { trustedRoots: [await rootOf({ timestampAuthorities: [] })] };
    equal((await ofBundle(recipe, ended, { trust }))[0], "key-not-valid");
  });

  it("tries each root, as only one may know who stamped", async () => {
    const recipe = { ...NO_ENTRY, timestamps: stamped() };
    const ended = await managed({ validUntil: at(DAY) });
    const trust = {
      trustedRoots: [await rootOf({ timestampAuthorities: [] }), await rootOf()],
    };
    equal((await ofBundle(recipe, ended, { trust }))[0], "ok");
    await theInstance();
  });

  it("leaves keys without a set and certificates as they are", async () => {
    const { spki } = await testKey(KEY);
    const key = await importTrustedKey(spki, { name: "managed" });
    const free = await setOf(other());
    const [reason, attestation] = await ofBundle({}, free, { trust: { keys: [key] } });
    equal(reason, "ok");
    deepEqual(validity(attestation), []);
  });
});
