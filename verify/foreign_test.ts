import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeBase64 } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import { b64, compact, joseSignature, keyOf } from "../formats/_fixtures_test.ts";
import { int, map, sign1 } from "../formats/cose/_fixtures_test.ts";
import {
  armor,
  cleartext,
  makeKey,
  NOW,
  publicKey,
  rpmHeader,
  rpmOf,
  signaturePacket,
  type TestKey,
} from "../formats/openpgp/_fixtures_test.ts";
import { createOpenPgpKeyring } from "../formats/openpgp/mod.ts";
import { parseKeySet } from "../keys/mod.ts";
import { compilePolicy, parsePolicy, withRevocations } from "../policy/mod.ts";
import { ABC, ABC_SHA256, brief, minisig, signed, statementAbout } from "./_fixtures_test.ts";
import { verify, type VerifyOptions } from "./mod.ts";
import { judgeReports } from "./policy.ts";
import { parseStoredReport } from "./stored_report.ts";

const GOOD = { alg: "EdDSA", cty: "vnd.in-toto+json" };
const statement = () => statementAbout(["abc"]);
const trust = async () => ({ keys: [(await keyOf("Ed25519")).trustedKey] });

async function run(what: string | Uint8Array | object, options: VerifyOptions = {}) {
  const report = await verify(what, ABC, {
    ...options,
    trust: { ...await trust(), ...options.trust },
  });
  return { report, brief: brief(report) };
}

describe("verify() of other formats", () => {
  it("refuses half a character, as verifyFormat() does", async () => {
    const text = await minisig(ABC);
    equal((await run(text)).report.errorReason, null);
    equal((await run(text.replace(": x", ": \ud800"))).report.errorReason, "invalid-unicode");
  });

  it("takes a JWS as text, bytes and JSON, in a list and among JSON Lines", async () => {
    const token = await compact(GOOD, statement());
    const flat = await joseSignature(GOOD, statement());
    for (const one of [token, utf8(token), flat, JSON.stringify(flat, null, 2)]) {
      const { report, brief } = await run(one);
      equal(brief, "ok: ok[ok]");
      const [attestation] = report.artifacts[0].attestations;
      equal(attestation.format, "jws");
      deepEqual(attestation.signers, ["ci"]);
      deepEqual(attestation.foreign, {
        format: "jws",
        coverage: "message",
        messageType: "vnd.in-toto+json",
        messageTypeAuthenticated: true,
        implicit: [],
        fingerprints: [(await keyOf("Ed25519")).trustedKey.fingerprint],
      });
      equal(attestation.statement?.subject[0].digest?.sha256, ABC_SHA256);
    }
    const lines = `${JSON.stringify(flat)}\n${JSON.stringify(await signed(statement()))}\n`;
    equal(
      (await run(lines)).brief,
      "ok: ok[ok missing-trusted-key]".replace("missing-trusted-key", "invalid-signature"),
    );
  });

  it("compares the Statement with the artifact, and expects its predicate type", async () => {
    const other = await compact(GOOD, statementAbout(["other"]));
    equal((await run(other)).report.errorReason, "subject-mismatch");
    const token = await compact(GOOD, statement());
    const expect = { predicateType: "https://example.com/other/v1" };
    equal((await run(token, { expect })).report.errorReason, "predicate-type-mismatch");
    equal(
      (await run(token, { expect: { formats: ["dsse"] } })).report.errorReason,
      "format-not-accepted",
    );
    equal((await run(token, { expect: { formats: ["jws"] } })).brief, "ok: ok[ok]");
    const dsse = await signed(statement(), (await keyOf("Ed25519")).signer);
    equal(
      (await run(dsse, { expect: { formats: ["jws"] } })).report.errorReason,
      "format-not-accepted",
    );
    const identity = { subjectAlternativeName: "x", issuer: "y" };
    equal((await run(token, { expect: { identity } })).report.errorReason, "identity-mismatch");
    equal(
      (await run(await compact(GOOD, { hello: 1 }))).report.errorReason,
      "malformed-statement",
    );
  });

  it("compares the subjects of a Statement without a stated type, too", async () => {
    const untyped = { alg: "EdDSA" };
    const expect = { formats: ["jws" as const] };
    const good = await compact(untyped, statement());
    equal((await run(good, { expect })).brief, "ok: ok[ok]");
    const other = await compact(untyped, statementAbout(["other"]));
    equal((await run(other, { expect })).report.errorReason, "subject-mismatch");
  });

  it("counts the key of a key set in its time only, whatever the format", async () => {
    const { trustedKey, publicKey } = await keyOf("Ed25519");
    const token = await compact(GOOD, statement());
    const reason = async (rule: object) => {
      const keys = [{ name: "ci", publicKey, ...rule }];
      const set = await parseKeySet({ type: "attest-key-set/v1", keys });
      equal(set.keys[0].key.fingerprint, trustedKey.fingerprint);
      const now = new Date("2026-06-01T00:00:00Z");
      return (await verify(token, ABC, { now, trust: { keySets: [set] } })).errorReason;
    };
    equal(await reason({}), null);
    equal(await reason({ validUntil: "2027-01-01T00:00:00Z" }), null);
    equal(await reason({ validUntil: "2026-01-01T00:00:00Z" }), "key-not-valid");
    equal(await reason({ validFrom: "2027-01-01T00:00:00Z" }), "key-not-valid");
    equal(
      await reason({ revoked: { at: "2026-01-01T00:00:00Z", reason: "compromised" } }),
      "key-revoked",
    );
  });

  it("says nothing of what nobody trusted signed", async () => {
    const token = await compact(GOOD, statement(), "Ed25519", "mallory");
    const { report } = await run(token);
    equal(report.errorReason, "invalid-signature");
    const [attestation] = report.artifacts[0].attestations;
    equal(attestation.statement, undefined);
    equal(attestation.foreign, undefined);
    deepEqual(attestation.signers, []);
  });

  it("takes a detached signature over the artifact, by content, stream and digest", async () => {
    const source = await minisig(ABC);
    for (const artifact of [ABC, new Blob([ABC])]) {
      const report = await verify(source, artifact, { trust: await trust() });
      equal(brief(report), "ok: ok[ok]");
      const [one] = report.artifacts[0].attestations;
      equal(one.foreign?.coverage, "whole-artifact");
      deepEqual(one.foreign?.implicit, ["subject", "messageType", "predicateType"]);
      equal(one.statement, undefined);
    }
    const large = new Uint8Array(5 << 20).fill(7);
    const report = await verify(await minisig(large), new Blob([large]), { trust: await trust() });
    equal(brief(report), "ok: ok[ok]");
    const byDigest = { digest: { sha256: ABC_SHA256 } };
    equal(
      (await verify(source, byDigest, { trust: await trust() })).errorReason,
      "artifact-required",
    );
    equal((await run(await minisig(utf8("x")))).report.errorReason, "invalid-signature");
    const expect = { predicateType: "https://example.com/checked/v1" };
    equal((await run(source, { expect })).report.errorReason, "predicate-type-mismatch");
  });

  it("takes a detached signature over a list of checksums that is given with it", async () => {
    const list = utf8(`${ABC_SHA256}  abc\n`);
    const source = { source: "SHASUMS.minisig", content: await minisig(list), message: list };
    const { report, brief: short } = await run(source);
    equal(short, "ok: ok[ok]");
    equal(report.artifacts[0].attestations[0].statement?.predicateType, "raw-artifact-signature");
    const changed = { ...source, message: utf8(`${ABC_SHA256}  abd\n`) };
    equal((await run(changed)).report.errorReason, "invalid-signature");
    const others = utf8(`${"0".repeat(64)}  abc\n`);
    const about = { ...source, content: await minisig(others), message: others };
    equal((await run(about)).report.errorReason, "subject-mismatch");
  });

  it("takes COSE_Sign1 with its payload inside, over the artifact, and over what is given", async () => {
    const inside = await run(await sign1({ payload: utf8(JSON.stringify(statement())) }));
    equal(inside.brief, "ok: ok[ok]");
    equal(inside.report.artifacts[0].attestations[0].format, "cose-sign1");
    const header = map([1, int(-8)]);
    const over = await sign1({ header, payload: ABC, detached: true });
    for (const artifact of [ABC, new Blob([ABC])]) {
      const report = await verify(over, artifact, { trust: await trust() });
      equal(brief(report), "ok: ok[ok]");
      equal(report.artifacts[0].attestations[0].statement, undefined);
    }
    const digest = { digest: { sha256: ABC_SHA256 } };
    equal((await verify(over, digest, { trust: await trust() })).errorReason, "artifact-required");
    const other = await sign1({ header, payload: utf8("abd"), detached: true });
    equal((await run(other)).report.errorReason, "invalid-signature");
    const message = utf8(JSON.stringify(statement()));
    const content = await sign1({ payload: message, detached: true });
    equal((await run({ source: "s.cose", content, message })).brief, "ok: ok[ok]");
  });

  it("takes a detached Statement for no signature over an artifact", async () => {
    const bytes = utf8(JSON.stringify(statement()));
    const content = await sign1({ payload: bytes, detached: true });
    const report = await verify(content, bytes, { trust: await trust() });
    equal(report.errorReason, "subject-mismatch");
    const typed = await sign1({ payload: ABC, detached: true });
    equal((await run(typed)).report.errorReason, "malformed-json");
  });

  it("asks for as many distinct keys as the threshold says", async () => {
    const keys = [(await keyOf("Ed25519")).trustedKey, (await keyOf("Ed25519", "b")).trustedKey];
    const token = await compact(GOOD, statement());
    equal(
      (await run(token, { trust: { keys, threshold: 2 } })).report.errorReason,
      "threshold-not-met",
    );
    const a = await joseSignature(GOOD, statement());
    const b = await joseSignature(GOOD, statement(), "Ed25519", "b");
    const signatures = [a, b].map(({ protected: p, signature }) => ({ protected: p, signature }));
    equal(
      (await run({ payload: a.payload, signatures }, { trust: { keys, threshold: 2 } })).brief,
      "ok: ok[ok]",
    );
  });

  it("tells a bare signature, which openssl and others write", async () => {
    const der = Uint8Array.of(0x30, 6, 2, 1, 1, 2, 1, 1);
    for (const one of [der, encodeBase64(new Uint8Array(64)), encodeBase64(new Uint8Array(256))]) {
      const { report } = await run(one);
      equal(report.errorReason, "unknown-format");
      ok(report.artifacts[0].attestations[0].checks[0].message.includes("bare signature"));
    }
  });

  it("refuses documents with the marks of two formats", async () => {
    const flat = await joseSignature(GOOD, statement());
    const dsse = await signed(statement(), (await keyOf("Ed25519")).signer);
    for (
      const one of [{ ...dsse, protected: flat.protected, signature: flat.signature }, {
        ...dsse,
        signed: { _type: "link" },
      }]
    ) {
      equal((await run(one)).report.errorReason, "ambiguous-format");
    }
    equal((await run({ spdxVersion: "SPDX-2.3" })).report.errorReason, "unsigned-statement");
    equal((await run(utf8("PKCX"))).report.errorReason, "format-not-verified");
  });

  it("refuses options of other forms", async () => {
    const token = await compact(GOOD, statement());
    await rejects(run(token, { expect: { formats: "jws" as never } }), TypeError);
    await rejects(run(token, { trust: { certificate: {} } as never }), TypeError);
    // Nothing is before or after it: an expired token would count.
    await rejects(run(token, { now: new Date("never") }), TypeError);
    await rejects(run(token, { now: 1 as never }), TypeError);
  });
});

describe("a policy and other formats", () => {
  async function judged(what: string | object | Uint8Array, envelope: object): Promise<string> {
    const { publicKey } = await keyOf("Ed25519");
    const policy = await compilePolicy(parsePolicy({
      type: "attest-policy/v1",
      trust: { keys: { ci: { publicKey } } },
      rules: [{
        id: "r",
        require: [{ id: "a", envelope: { signedBy: { of: ["ci"] }, ...envelope } }],
      }],
    }));
    const report = await verify(what, ABC, { policy });
    return report.errorReason ?? "ok";
  }

  it("decides of a stored report as of a fresh one, whatever the format", async () => {
    const { publicKey } = await keyOf("Ed25519");
    const policy = await compilePolicy(parsePolicy({
      type: "attest-policy/v1",
      trust: { keys: { ci: { publicKey } } },
      rules: [{ id: "r", require: [{ id: "a", envelope: { formats: ["minisign", "jws"] } }] }],
    }));
    const wrong = await minisig(utf8("other"));
    for (const one of [await minisig(ABC), await compact(GOOD, statement())]) {
      const report = await verify([one, wrong, "{}"], ABC, { policy, now: NOW });
      ok(report.ok);
      const stored = parseStoredReport(JSON.stringify(report));
      deepEqual(judgeReports(policy, stored.artifacts, NOW).policy, report.policy);
    }
  });

  it("takes what signs its type, and anything else by name only", async () => {
    const jws = await compact(GOOD, statement());
    equal(await judged(jws, {}), "ok");
    equal(await judged(jws, { formats: ["dsse"] }), "format-not-accepted");
    equal(await judged(jws, { signedMessageType: true, coverage: ["message"] }), "ok");
    const untyped = await compact({ alg: "EdDSA" }, statement());
    equal(await judged(untyped, {}), "format-not-accepted");
    equal(await judged(untyped, { formats: ["jws"] }), "ok");
    equal(
      await judged(untyped, { formats: ["jws"], signedMessageType: true }),
      "message-type-not-signed",
    );
    // A type that says nothing of what is in the message leaves that open as well.
    for (const header of [{ typ: "JWT" }, { typ: "JOSE" }, { cty: "json" }]) {
      const open = await compact({ alg: "EdDSA", ...header }, statement());
      equal(await judged(open, {}), "format-not-accepted", JSON.stringify(header));
      const rule = { formats: ["jws" as const], signedMessageType: true };
      equal(await judged(open, rule), "message-type-not-signed", JSON.stringify(header));
    }
    const cose = await sign1({ payload: utf8(JSON.stringify(statement())) });
    equal(await judged(cose, {}), "ok");
    equal(await judged(cose, { formats: ["jws"] }), "format-not-accepted");
    equal(await judged(cose, { formats: ["cose-sign1"], coverage: ["message"] }), "ok");
    const over = await sign1({ header: map([1, int(-8)]), payload: ABC, detached: true });
    equal(await judged(over, {}), "format-not-accepted");
    equal(await judged(over, { formats: ["cose-sign1"] }), "ok");
    equal(
      await judged(over, { formats: ["cose-sign1"], coverage: ["message"] }),
      "coverage-not-accepted",
    );
    const detached = await minisig(ABC);
    equal(await judged(detached, {}), "format-not-accepted");
    equal(await judged(detached, { formats: ["minisign"] }), "ok");
    equal(
      await judged(detached, { formats: ["minisign"], coverage: ["message"] }),
      "coverage-not-accepted",
    );
    ok(b64("x") !== "");
  });

  it("names an OpenPGP key as a signer, by its primary key", async () => {
    const key = await makeKey();
    const stranger = await makeKey();
    const block = async (of: TestKey) => armor("PUBLIC KEY BLOCK", await publicKey(of));
    const open = async (envelope: object, keys: Record<string, object>) =>
      await compilePolicy(parsePolicy({
        type: "attest-policy/v1",
        trust: { keys },
        rules: [{
          id: "r",
          require: [{ id: "a", envelope: { signedBy: { of: ["release"] }, ...envelope } }],
        }],
      }));
    const release = { publicKey: await block(key) };
    const judge = async (source: string | Uint8Array, envelope: object) => {
      const policy = await open(envelope, { release });
      return (await verify(source, ABC, { policy, now: NOW })).errorReason ?? "ok";
    };
    const list = await cleartext(key, `${ABC_SHA256}  abc`);
    const detached = await signaturePacket(key, ABC);
    equal(await judge(list, {}), "format-not-accepted");
    equal(await judge(list, { formats: ["openpgp"] }), "ok");
    equal(await judge(list, { formats: ["openpgp"], algorithms: ["Ed25519"] }), "ok");
    equal(await judge(list, { formats: ["openpgp"], algorithms: ["ES256"] }), "weak-algorithm");
    equal(
      await judge(list, { formats: ["openpgp"], coverage: ["whole-artifact"] }),
      "coverage-not-accepted",
    );
    equal(await judge(detached, { formats: ["openpgp"], coverage: ["whole-artifact"] }), "ok");
    const foreign = await cleartext(stranger, `${ABC_SHA256}  abc`);
    equal(await judge(foreign, { formats: ["openpgp"] }), "missing-attestation");
    const revoked = withRevocations(await open({ formats: ["openpgp"] }, { release }), {
      document: {
        type: "attest-revocations/v1",
        sequence: 1,
        issuedAt: "2025-01-01T00:00:00Z",
        expires: "2026-01-01T00:00:00Z",
        revocations: [{
          key: `sha256:${
            (await createOpenPgpKeyring(await publicKey(key))).keys[0].keyFingerprint
          }`,
          at: "2025-01-01T00:00:00Z",
          reason: "compromised",
        }],
      },
    });
    const report = await verify(list, ABC, { policy: revoked, now: NOW });
    equal(report.ok, false);
    equal(report.artifacts[0].attestations[0].errorReason, "key-revoked");
    const both = { publicKey: `${await block(key)}${await block(stranger)}` };
    const bad: Record<string, object>[] = [
      { release, again: release },
      { release: both },
      { release: { publicKey: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n" } },
      { release: { ...release, alg: "Ed25519" } },
    ];
    for (const keys of bad) {
      await rejects(open({}, keys), { reason: "malformed-policy" });
    }
  });

  it("judges the sections of a package that its signature covers", async () => {
    const key = await makeKey();
    const header = rpmHeader(63, [
      [1000, "app"],
      [1001, "1"],
      [1002, "1"],
      [1022, "noarch"],
      [5092, [ABC_SHA256]],
      [5093, 8],
    ]);
    const stated = rpmHeader(62, [[267, await signaturePacket(key, header)]]);
    const bytes = rpmOf(stated, header, ABC);
    const openpgp = await createOpenPgpKeyring(await publicKey(key));
    const report = await verify(bytes, bytes, { trust: { openpgp }, now: NOW });
    equal(brief(report), "ok: ok[ok]");
    const [one] = report.artifacts[0].attestations;
    equal(one.foreign?.coverage, "artifact-sections");
    equal(one.predicateType, "rpm-package");
    equal(
      (await verify(bytes, ABC, { trust: { openpgp }, now: NOW })).errorReason,
      "subject-mismatch",
    );
    const publicKeyText = armor("PUBLIC KEY BLOCK", await publicKey(key));
    const judge = async (coverage: string) => {
      const policy = await compilePolicy(parsePolicy({
        type: "attest-policy/v1",
        trust: { keys: { release: { publicKey: publicKeyText } } },
        rules: [{
          id: "r",
          require: [{
            id: "a",
            envelope: {
              signedBy: { of: ["release"] },
              formats: ["rpm"],
              coverage: [coverage],
            },
            predicate: { where: [{ path: "/predicate/name", equals: "app" }] },
          }],
        }],
      }));
      return (await verify(bytes, bytes, { policy, now: NOW })).errorReason ?? "ok";
    };
    equal(await judge("artifact-sections"), "ok");
    equal(await judge("whole-artifact"), "coverage-not-accepted");
  });
});
