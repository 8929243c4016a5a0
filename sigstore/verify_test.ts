import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { type Bytes, utf8 } from "../internal/bytes.ts";
import type { JsonObject } from "../internal/json.ts";
import { importTrustedKey } from "../keys/trusted_key.ts";
import {
  ARTIFACT,
  BLOB,
  bundleOf,
  edited,
  ENVELOPE,
  IDENTITY,
  later,
  rootOf,
  SIGNED_ARTIFACT,
  theInstance,
  verdict,
  verifyAgainst,
} from "../tests/fixtures/sigstore.ts";
import {
  END,
  instanceRoot,
  LEAF_END,
  LEAF_START,
  logged,
  type Made,
  rekor,
  rekor2,
  SIGNED,
  stamped,
  START,
  trustedCa,
  trustedRekor,
  trustedRekor2,
} from "../tools/pki/instance.ts";
import { testKey } from "../tools/pki/keys.ts";
import { timestamp } from "../tools/pki/tsa.ts";
import { parseSigstoreBundle } from "./bundle.ts";
import type { TrustedRoot } from "./trusted_root.ts";
import type { SigstoreTrust } from "./sigstore_trust.ts";
import { type SigstoreResult, verifyParsedBundle, verifySigstoreBundle } from "./verify.ts";

const ENTRY = "/verificationMaterial/tlogEntries/0";

async function keyNamed(name: string, keyid?: string) {
  return await importTrustedKey((await testKey(name)).spki, {
    name,
    ...keyid === undefined ? {} : { keyid },
  });
}

const v2 = { timestamps: stamped(), entries: rekor2() };
const secondLog = async (made: Made) =>
  await logged(made, { log: made.instance.secondRekor, index: 2 });

describe("verifySigstoreBundle()", () => {
  it("gives what was signed, by whom, when, and what was checked", async () => {
    const result = await verifyAgainst(await bundleOf({ ...ENVELOPE, timestamps: stamped() }));
    if (!result.ok) throw result.error;
    equal(result.envelope?.payloadType, "application/vnd.in-toto+json");
    equal(result.identity?.subjectAlternativeName, IDENTITY.subjectAlternativeName);
    deepEqual(result.timestamps.map(({ type, timestamp }) => [type, timestamp]), [
      ["transparency-log", "2025-02-03T10:00:05.000Z"],
      ["timestamp-authority", "2025-02-03T10:00:05.000Z"],
    ]);
    equal(result.checks.every(({ outcome }) => outcome === "passed"), true);
    equal(result.trustedRoot, "test");
  });

  it("has nothing to go on with when it refuses", async () => {
    const result = await verifyAgainst(await bundleOf({ ...ENVELOPE }), { identity: [] });
    deepEqual(Object.keys(result).sort(), ["checks", "error", "errorReason", "ok"]);
  });

  it("needs the artifact for a message, and takes its digest for ECDSA", async () => {
    const json = await bundleOf({ ...BLOB });
    const trust = { trustedRoots: [await rootOf()], identity: IDENTITY };
    equal((await verifySigstoreBundle(json, trust)).errorReason, "artifact-required");
    equal(await verdict(json, {}, { digest: SIGNED_ARTIFACT.digest }), "ok");
    equal(
      await verdict(json, {}, { digest: { sha256: "0".repeat(64) } }),
      "message-digest-mismatch",
    );
    const without = edited(json, "/messageSignature/messageDigest", undefined);
    equal(await verdict(without, {}, { digest: { sha256: "0".repeat(64) } }), "invalid-signature");
    equal(await verdict(without, {}, { digest: {} }), "artifact-required");
    const other = { ...SIGNED_ARTIFACT, content: ARTIFACT.slice(1) };
    equal(await verdict(json, {}, other), "invalid-signature");
  });
});

describe("checks", () => {
  const told = ({ checks }: SigstoreResult) =>
    checks.map(({ id, outcome }) => `${id.replace("envelope.", "")} ${outcome}`);

  it("tell each piece of evidence, in order, and skip what the caller does not ask for", async () => {
    const json = await bundleOf({ ...BLOB, timestamps: stamped() });
    const [before, after] = [["certificate passed", "signature passed"], [
      "timestamp passed",
      "time passed",
      "certificate-validity passed",
      "sct passed",
      "identity passed",
      "identity passed",
    ]];
    const logs = ["log-entry passed", "log passed"];
    deepEqual(told(await verifyAgainst(json)), [...before, ...logs, ...after]);
    const without = await verifyAgainst(json, { thresholds: { log: 0 } });
    deepEqual(told(without), [...before, "log skipped", ...after]);
  });

  it("of a key ask for no log and no time, and tell what is there", async () => {
    const json = await bundleOf({
      ...ENVELOPE,
      key: "managed",
      hint: "managed",
      timestamps: stamped(),
    });
    const trust = { identity: undefined, keys: [await keyNamed("managed")] };
    const found = ["signature passed", "log-entry passed", "timestamp passed"];
    deepEqual(told(await verifyAgainst(json, trust)), found);
  });

  it("say that it is no bundle", async () => {
    const result = await verifySigstoreBundle("<html>", { trustedRoots: [] });
    equal(result.errorReason, "malformed-json");
    deepEqual(told(result), ["format failed"]);
  });

  it("say that a trusted key is none that could verify", async () => {
    const json = await bundleOf({ ...ENVELOPE, key: "managed", hint: "managed" });
    const key = await keyNamed("managed");
    const broken: [object, string][] = [
      [{ alg: "none" }, "unsupported-algorithm"],
      [{ spki: new Uint8Array() }, "malformed-key"],
    ];
    for (const [changes, reason] of broken) {
      const keys = [{ ...key, ...changes }];
      const result = await verifyAgainst(json, { identity: undefined, keys });
      equal(result.errorReason, reason);
      deepEqual(told(result), ["signature failed"]);
    }
  });

  it("tell no entry of a log that could not be compared without a key", async () => {
    const json = await bundleOf({ ...ENVELOPE, key: "managed", hint: "managed" });
    const result = await verifyAgainst(json, { identity: undefined });
    equal(result.errorReason, "missing-trusted-key");
    equal(told(result).includes("log-entry failed"), false);
  });
});

describe("arguments", () => {
  it("are refused with a TypeError when they are not of their form", async () => {
    const json = await bundleOf({ ...BLOB });
    const bad: unknown[] = [
      { trustedRoots: undefined },
      { root: [] },
      { thresholds: { tlog: 1 } },
      { certificateOIDs: {} },
      { identity: { ...IDENTITY, repository: "x" } },
      { identity: "x" },
      { identity: [IDENTITY, { issuer: "" }] },
      ...[NaN, -1, 0.5, Infinity, "1", null, true, 1n].flatMap((value) =>
        ["log", "sct", "timestamp", "timestampAuthority", "integratedTime"].map((name) => ({
          thresholds: { [name]: value },
        }))
      ),
    ];
    for (const one of bad) await rejects(verdict(json, one as Partial<SigstoreTrust>), TypeError);
  });

  it("are refused before the bundle is looked at", async () => {
    await rejects(verdict("<html>", { thresholds: { log: NaN } }), TypeError);
    for (const keySets of [{}, [null], [{ keys: [{}] }]]) {
      await rejects(verdict("<html>", { keySets } as Partial<SigstoreTrust>), TypeError);
    }
  });
});

describe("identity", () => {
  it("must be expected, with its issuer, in each expectation", async () => {
    const json = await bundleOf({ ...BLOB });
    const { subjectAlternativeName, issuer } = IDENTITY;
    equal(await verdict(json, { identity: undefined }), "missing-identity-expectation");
    equal(await verdict(json, { identity: [] }), "missing-identity-expectation");
    equal(await verdict(json, { identity: {} }), "missing-identity-expectation");
    equal(await verdict(json, { identity: { issuer } }), "missing-identity-expectation");
    equal(
      await verdict(json, { identity: { subjectAlternativeName } }),
      "missing-issuer-expectation",
    );
    equal(
      await verdict(json, { identity: [IDENTITY, { subjectAlternativeName }] }),
      "missing-issuer-expectation",
    );
    equal(
      await verdict(json, { identity: undefined, keys: [await keyNamed("managed")] }),
      "missing-identity-expectation",
    );
  });

  it("may be any one of several, never pieces of two", async () => {
    const json = await bundleOf({ ...BLOB });
    const other = {
      subjectAlternativeName: "https://other.example",
      issuer: "https://issuer.example",
    };
    equal(await verdict(json, { identity: [other, IDENTITY] }), "ok");
    equal(await verdict(json, { identity: [other] }), "identity-mismatch");
    const pieces = [{ ...other, issuer: IDENTITY.issuer }, { ...IDENTITY, issuer: other.issuer }];
    equal(await verdict(json, { identity: pieces }) === "ok", false);
  });

  it("may be anybody's only when the caller says so; what is stated is still asked", async () => {
    const json = await bundleOf({ ...BLOB });
    const unsafelyAcceptAnyIdentity = true;
    equal(await verdict(json, { identity: undefined, unsafelyAcceptAnyIdentity }), "ok");
    for (const value of [false, undefined]) {
      equal(
        await verdict(json, { identity: undefined, unsafelyAcceptAnyIdentity: value }),
        "missing-identity-expectation",
      );
    }
    const issuer = "https://evil.example";
    equal(
      await verdict(json, { identity: { issuer }, unsafelyAcceptAnyIdentity }),
      "issuer-mismatch",
    );
    equal(
      await verdict(json, { identity: { issuer: IDENTITY.issuer }, unsafelyAcceptAnyIdentity }),
      "ok",
    );
  });
});

describe("keys", () => {
  const managed = { key: "managed", hint: "managed" };

  it("must be trusted: the hint names none", async () => {
    const json = await bundleOf({ ...ENVELOPE, ...managed });
    const keys = async (...names: string[]) => ({
      identity: undefined,
      keys: await Promise.all(names.map((name) => keyNamed(name))),
    });
    equal(await verdict(json, { identity: undefined }), "missing-trusted-key");
    equal(await verdict(json, await keys("managed")), "ok");
    equal(await verdict(json, await keys("managed-other")), "invalid-signature");
    equal(await verdict(json, await keys("managed-other", "managed")), "ok");
    equal(
      await verdict(json, {
        identity: undefined,
        keys: [await keyNamed("managed-other", "managed")],
      }),
      "invalid-signature",
    );
  });

  it("name who signed, whatever the hint says", async () => {
    for (const hint of ["managed-other", "", "managed"]) {
      const json = await bundleOf({ ...ENVELOPE, key: "managed", hint });
      const keys = [await keyNamed("managed-other"), await keyNamed("managed")];
      const result = await verifyAgainst(json, { identity: undefined, keys });
      equal(result.ok && result.signer, "managed");
      equal(result.ok && result.trustedKey, keys[1]);
      equal(result.ok && "identity" in result, false);
    }
  });

  it("are no identity", async () => {
    const json = await bundleOf({ ...ENVELOPE, ...managed });
    equal(await verdict(json, { keys: [await keyNamed("managed")] }), "identity-mismatch");
    equal(
      await verdict(json, { keys: [await keyNamed("managed")], unsafelyAcceptAnyIdentity: true }),
      "identity-mismatch",
    );
  });

  it("of a set count when it says so: at the verified times, or else now", async () => {
    const key = await keyNamed("managed");
    const without = { entries: () => Promise.resolve([]) };
    const dated = await bundleOf({ ...ENVELOPE, ...managed, ...without, timestamps: stamped() });
    const undated = await bundleOf({ ...ENVELOPE, ...managed, ...without });
    const [before, after] = [later(SIGNED, -1000), later(SIGNED, 1000)];
    const cases: [object, string][] = [
      [{}, "ok"],
      [{ validFrom: SIGNED, validUntil: SIGNED }, "ok"],
      [{ validUntil: before }, "key-not-valid"],
      [{ validFrom: after }, "key-not-valid"],
      [{ revoked: { at: after, reason: "retired" } }, "ok"],
      [{ revoked: { at: SIGNED, reason: "retired" } }, "key-revoked"],
    ];
    for (const [period, wanted] of cases) {
      const keySets = [{ name: "team", keys: [{ name: "managed", key, ...period }] }];
      const trust = { identity: undefined, keySets } as Partial<SigstoreTrust>;
      equal(await verdict(dated, { ...trust, now: END }), wanted);
      equal(await verdict(undated, { ...trust, now: SIGNED }), wanted);
    }
    const keySets = [{ keys: [{ name: "other", key: await keyNamed("managed-other") }] }];
    const other = { keySets } as Partial<SigstoreTrust>;
    equal(await verdict(dated, { ...other, identity: undefined, keys: [key] }), "ok");
    // Whoever has a certificate needs no key.
    equal(await verdict(await bundleOf({ ...BLOB }), other), "ok");
  });

  it("need neither log nor time by default, but what is there must be good", async () => {
    const trust = { identity: undefined, keys: [await keyNamed("managed")] };
    const bare = await bundleOf({ ...ENVELOPE, ...managed, entries: () => Promise.resolve([]) });
    equal(await verdict(bare, trust), "ok");
    equal(await verdict(bare, { ...trust, trustedRoots: [] }), "ok");
    equal(await verdict(bare, { ...trust, thresholds: { log: 1 } }), "log-threshold-not-met");
    equal(
      await verdict(bare, { ...trust, thresholds: { timestamp: 1 } }),
      "timestamp-threshold-not-met",
    );
    const promiseKey = await testKey("rekor-other");
    const bad = await bundleOf({
      ...ENVELOPE,
      ...managed,
      entries: async (made) => [await logged(made, { promiseKey })],
    });
    equal(await verdict(bad, trust), "invalid-inclusion-promise");
    equal(await verdict(bad, { ...trust, thresholds: { log: 0 } }), "ok", "as the caller asked");
  });

  it("are stamped by an authority of any root", async () => {
    const json = await bundleOf({
      ...ENVELOPE,
      ...managed,
      entries: () => Promise.resolve([]),
      timestamps: stamped(),
    });
    const trust = {
      identity: undefined,
      keys: [await keyNamed("managed")],
      thresholds: { timestampAuthority: 1 },
    };
    const bare = await rootOf({ timestampAuthorities: [] });
    equal(await verdict(json, { ...trust, trustedRoots: [bare, await rootOf()] }), "ok");
    equal(await verdict(json, { ...trust, trustedRoots: [bare] }), "untrusted-timestamp-authority");
  });
});

describe("thresholds", () => {
  const two = () =>
    bundleOf({ ...BLOB, entries: async (made) => [...await rekor(made), await secondLog(made)] });
  const withOperator = async (operator: string): Promise<TrustedRoot> => {
    const root = await rootOf();
    return { ...root, logs: root.logs.map((log) => ({ ...log, operator })) };
  };

  it("count distinct logs", async () => {
    const need = async (json: JsonObject, log: number, changes: Partial<SigstoreTrust> = {}) =>
      await verdict(json, { thresholds: { log }, ...changes });
    equal(await need(await two(), 2), "ok");
    equal(await need(await two(), 3), "log-threshold-not-met");
    equal(await need(await bundleOf({ ...BLOB }), 2), "log-threshold-not-met");
    equal(
      await need(await two(), 2, { trustedRoots: [await withOperator("one")] }),
      "log-threshold-not-met",
    );
    const twice = await bundleOf({
      ...BLOB,
      entries: async (made) => [...await rekor(made), await logged(made, { index: 1 })],
    });
    equal(await need(twice, 1), "ok");
    equal(await need(twice, 2), "log-threshold-not-met");
  });

  it("refuse an entry that is there twice", async () => {
    const json = await bundleOf({
      ...BLOB,
      entries: async (made) => [...await rekor(made), ...await rekor(made)],
    });
    equal(await verdict(json), "duplicate-log-entry");
  });

  it("tell no log from an unknown log", async () => {
    const none = await bundleOf({ ...BLOB, entries: () => Promise.resolve([]) });
    equal(await verdict(none), "log-threshold-not-met");
    const unknown = await bundleOf({
      ...BLOB,
      entries: async (made) => [await logged(made, { log: made.instance.otherRekor })],
    });
    equal(await verdict(unknown), "untrusted-log");
  });

  it("of 0 for logs leave their times out as well", async () => {
    const json = await bundleOf({ ...BLOB });
    equal(await verdict(json, { thresholds: { log: 0 } }), "timestamp-threshold-not-met");
    equal(
      await verdict(json, { thresholds: { log: 0, timestamp: 0 } }),
      "timestamp-threshold-not-met",
    );
    const stampedToo = await bundleOf({ ...BLOB, timestamps: stamped() });
    equal(await verdict(stampedToo, { thresholds: { log: 0 } }), "ok");
  });

  it("count who vouches for a time, each once", async () => {
    const need = async (
      json: JsonObject,
      thresholds: SigstoreTrust["thresholds"],
      root?: TrustedRoot,
    ) => await verdict(json, { thresholds, trustedRoots: [root ?? await rootOf()] });
    const late = "timestamp-threshold-not-met";
    const both = await bundleOf({ ...BLOB, timestamps: stamped() });
    equal(await need(both, { timestamp: 2, timestampAuthority: 1, integratedTime: 1 }), "ok");
    equal(await need(both, { timestamp: 3 }), late);
    equal(await need(both, { timestampAuthority: 2 }), late);
    equal(await need(both, { integratedTime: 2 }), late);
    equal(await need(await two(), { integratedTime: 2 }), "ok");
    equal(await need(await two(), { integratedTime: 2 }, await withOperator("one")), late);
    equal(await need(await two(), { timestamp: 2 }, await withOperator("one")), late);
    const stamps = (...by: ("tsa" | "secondTsa")[]) => async (made: Made) =>
      await Promise.all(
        by.map((name) =>
          timestamp(made.instance[name], { message: made.signature, genTime: SIGNED })
        ),
      );
    const pair = await bundleOf({ ...BLOB, timestamps: stamps("tsa", "secondTsa") });
    equal(await need(pair, { timestampAuthority: 2 }), "ok");
    const same = await bundleOf({ ...BLOB, timestamps: stamps("tsa", "tsa") });
    equal(await need(same, { timestampAuthority: 2 }), late);
    const root = await rootOf();
    const joined = {
      ...root,
      timestampAuthorities: root.timestampAuthorities.map((one) => ({ ...one, operator: "one" })),
    };
    equal(await need(pair, { timestampAuthority: 2 }, joined), late);
  });

  it("count certificate logs, and may leave them out", async () => {
    const bare = await bundleOf({ ...BLOB, leaf: { scts: [] } });
    equal(await verdict(bare), "sct-threshold-not-met");
    equal(await verdict(bare, { thresholds: { sct: 0 } }), "ok");
    equal(
      await verdict(await bundleOf({ ...BLOB }), { thresholds: { sct: 2 } }),
      "sct-threshold-not-met",
    );
  });
});

describe("times", () => {
  const at = (genTime: Date) => stamped({ genTime });

  it("must all lie in the certificate's validity", async () => {
    equal(await verdict(await bundleOf({ ...BLOB, timestamps: at(LEAF_END) })), "ok");
    equal(
      await verdict(await bundleOf({ ...BLOB, timestamps: at(later(LEAF_END, 1000)) })),
      "certificate-not-valid",
    );
    equal(
      await verdict(await bundleOf({ ...BLOB, timestamps: at(later(LEAF_START, -1000)) })),
      "certificate-not-valid",
    );
  });

  it("must do so also when an authority stamps twice, in any order", async () => {
    const stamps = (...times: Date[]) => async (made: Made) =>
      await Promise.all(
        times.map((genTime) => timestamp(made.instance.tsa, { message: made.signature, genTime })),
      );
    const late = later(LEAF_END, 1000);
    for (const times of [[SIGNED, late], [late, SIGNED]]) {
      const json = await bundleOf({ ...BLOB, timestamps: stamps(...times) });
      equal(await verdict(json), "certificate-not-valid");
    }
  });

  it("are no evidence without a promise, but a contradiction when they are wrong", async () => {
    const without = edited(await bundleOf({ ...BLOB }), `${ENTRY}/inclusionPromise`, undefined);
    equal(await verdict(without), "timestamp-threshold-not-met");
    const both = edited(
      await bundleOf({ ...BLOB, timestamps: stamped() }),
      `${ENTRY}/inclusionPromise`,
      undefined,
    );
    equal(await verdict(both), "ok");
    equal(
      await verdict(edited(both, `${ENTRY}/integratedTime`, "1900000000")),
      "certificate-not-valid",
    );
  });

  it("come from the certificate only when the caller says so", async () => {
    const json = await bundleOf({ ...BLOB, entries: () => Promise.resolve([]) });
    const thresholds = { log: 0, timestamp: 0 };
    equal(await verdict(json, { thresholds }), "timestamp-threshold-not-met");
    equal(await verdict(json, { thresholds, unsafelyTrustCertificateTime: true }), "ok");
    equal(await verdict(json, { unsafelyTrustCertificateTime: true }) === "ok", false);
    // Verified times go before it.
    const late = await bundleOf({ ...BLOB, timestamps: at(later(LEAF_END, 1000)) });
    equal(await verdict(late, { unsafelyTrustCertificateTime: true }), "certificate-not-valid");
  });

  it("by an unknown authority are ignored, bad ones by a known authority refuse", async () => {
    const { otherTsa } = await theInstance();
    const stranger = await bundleOf({ ...BLOB, timestamps: stamped({ by: otherTsa }) });
    equal(await verdict(stranger), "ok");
    equal(
      await verdict(stranger, { thresholds: { timestampAuthority: 1 } }),
      "untrusted-timestamp-authority",
    );
    equal(
      await verdict(stranger, { thresholds: { integratedTime: 2 } }),
      "timestamp-threshold-not-met",
    );
    const bad = await bundleOf({ ...BLOB, timestamps: stamped({ corruptSignature: true }) });
    equal(await verdict(bad), "invalid-timestamp-signature");
  });

  it("of what else was stamped count for it, and are refused for what is wrong with them", async () => {
    const trust = { trustedRoots: [await rootOf()], identity: IDENTITY };
    const envelope = utf8("the envelope under a tag of cosign");
    const judged = async (options: Parameters<typeof stamped>[0], whole?: Bytes) => {
      const parsed = parseSigstoreBundle(
        await bundleOf({ ...BLOB, timestamps: stamped(options) }),
      );
      const bundle = whole === undefined ? parsed : { ...parsed, stamped: whole };
      return (await verifyParsedBundle(bundle, trust, SIGNED_ARTIFACT)).errorReason ?? "ok";
    };
    equal(await judged({ message: envelope }), "timestamp-imprint-mismatch");
    equal(await judged({ message: envelope }, envelope), "ok");
    equal(await judged({}, envelope), "ok");
    equal(await judged({ message: utf8("x") }, envelope), "timestamp-imprint-mismatch");
    equal(await judged({ corruptSignature: true }, envelope), "invalid-timestamp-signature");
  });

  it("of the stamps lie in the validity of a log that promises none, to the second", async () => {
    const json = await bundleOf({ ...BLOB, ...v2 });
    const root = await rootOf();
    const found: string[] = [];
    for (
      const validFor of [
        { start: SIGNED },
        { start: later(SIGNED, 1000) },
        { start: START, end: SIGNED },
        { start: START, end: later(SIGNED, -1000) },
        { start: END },
      ]
    ) {
      const logs = root.logs.map((log) => ({ ...log, validFor }));
      found.push(await verdict(json, { trustedRoots: [{ ...root, logs }] }));
    }
    const late = "log-not-valid";
    deepEqual(found, ["ok", late, "ok", late, late]);
    const retired = { ...root.logs[2], validFor: { start: START, end: START } };
    equal(
      await verdict(json, { trustedRoots: [{ ...root, logs: [retired, root.logs[2]] }] }),
      "ok",
    );
  });
});

describe("trusted roots", () => {
  it("are used one by one: evidence of two is never mixed", async () => {
    const v1 = await bundleOf({ ...BLOB });
    const second = await bundleOf({ ...BLOB, ...v2 });
    const parts = instanceRoot(await theInstance());
    const whole = await rootOf();
    for (
      const [json, member] of [[v1, "tlogs"], [v1, "ctlogs"], [second, "timestampAuthorities"], [
        second,
        "tlogs",
      ]] as const
    ) {
      const without = await rootOf({ [member]: [] });
      const rest = await rootOf({
        tlogs: [],
        ctlogs: [],
        certificateAuthorities: [],
        timestampAuthorities: [],
        [member]: parts[member],
      });
      for (const trustedRoots of [[without, rest], [rest, without]]) {
        equal(await verdict(json, { trustedRoots }) === "ok", false, member);
        equal(await verdict(json, { trustedRoots: [...trustedRoots, whole] }), "ok", member);
      }
    }
  });

  it("of another instance refuse", async () => {
    const { otherAuthority, otherRekor, otherRekor2 } = await theInstance();
    const json = await bundleOf({ ...BLOB });
    const other = await rootOf({ certificateAuthorities: [trustedCa(otherAuthority)] });
    equal(await verdict(json, { trustedRoots: [other] }), "untrusted-certificate");
    const logs = await rootOf({ tlogs: [trustedRekor(otherRekor), trustedRekor2(otherRekor2)] });
    equal(await verdict(json, { trustedRoots: [logs] }), "untrusted-log");
    equal(await verdict(json, { trustedRoots: [] }), "untrusted-certificate");
  });

  it("check the SCT with the issuer that signed, among two of one name", async () => {
    const { authority, otherAuthority } = await theInstance();
    const authorities = [trustedCa(authority), trustedCa(otherAuthority)];
    for (const certificateAuthorities of [authorities, authorities.toReversed()]) {
      const root = await rootOf({ certificateAuthorities });
      equal(await verdict(await bundleOf({ ...BLOB }), { trustedRoots: [root] }), "ok");
    }
  });
});

describe("a WebCrypto that fails", () => {
  type Verify = typeof crypto.subtle.verify;
  async function withVerify<T>(verify: Verify, work: () => Promise<T>): Promise<T> {
    const { subtle } = crypto;
    Object.defineProperty(subtle, "verify", { value: verify, configurable: true, writable: true });
    try {
      return await work();
    } finally {
      delete (subtle as { verify?: Verify }).verify;
    }
  }

  const failures: Record<string, Verify> = {
    "throws": () => {
      throw new TypeError("broken");
    },
    "rejects": () => Promise.reject(new Error("broken")),
    "answers false": () => Promise.resolve(false),
    "answers 1": () => Promise.resolve(1 as unknown as boolean),
    "answers an object": () => Promise.resolve({} as unknown as boolean),
  };
  for (const [what, verify] of Object.entries(failures)) {
    it(`never makes a bundle good: verify ${what}`, async () => {
      for (const recipe of [{ ...ENVELOPE }, { ...BLOB, ...v2 }]) {
        const json = await bundleOf(recipe);
        const trust = { trustedRoots: [await rootOf()], identity: IDENTITY };
        equal((await verifySigstoreBundle(json, trust, SIGNED_ARTIFACT)).ok, true);
        const again = { trustedRoots: [await rootOf()], identity: IDENTITY };
        const broken = await withVerify(
          verify,
          () => verifySigstoreBundle(json, again, SIGNED_ARTIFACT),
        );
        equal(broken.ok, false);
        equal(broken.errorReason, "untrusted-certificate");
        // And what failed is not remembered.
        equal((await verifySigstoreBundle(json, again, SIGNED_ARTIFACT)).ok, true);
      }
    });
  }

  it("never makes a bundle good: each call of verify fails alone", async () => {
    const { subtle } = crypto;
    const real = subtle.verify.bind(subtle);
    const json = await bundleOf({ ...ENVELOPE, timestamps: stamped() });
    const reasons: string[] = [];
    for (let broken = 0; broken < 100; broken++) {
      let call = 0;
      const verify: Verify = (...parameters) =>
        call++ === broken ? Promise.reject(new Error("broken")) : real(...parameters);
      const trustedRoots = [await rootOf()];
      const thresholds = { timestampAuthority: 1 };
      const found = await withVerify(verify, () => verdict(json, { trustedRoots, thresholds }));
      if (call <= broken) {
        equal(found, "ok");
        break;
      }
      reasons.push(found);
    }
    // Signature, two of the chain, SCT, promise, checkpoint, stamp and two of its chain.
    deepEqual(reasons.sort(), [
      "invalid-checkpoint-signature",
      "invalid-inclusion-promise",
      "invalid-sct",
      "invalid-signature",
      "invalid-timestamp-signature",
      "untrusted-certificate",
      "untrusted-certificate",
      "untrusted-timestamp-authority",
      "untrusted-timestamp-authority",
    ]);
  });

  it("never makes a bundle good: digest rejects", async () => {
    const { subtle } = crypto;
    // Short data is hashed here for SHA-256, so ask for another hash.
    const timestamps = stamped({ imprintHash: "SHA-384" });
    const json = await bundleOf({ ...ENVELOPE, timestamps });
    const trustedRoots = [await rootOf()];
    Object.defineProperty(subtle, "digest", {
      value: () => Promise.reject(new Error("broken")),
      configurable: true,
      writable: true,
    });
    try {
      equal(await verdict(json, { trustedRoots }), "internal-error");
    } finally {
      delete (subtle as { digest?: unknown }).digest;
    }
  });
});
