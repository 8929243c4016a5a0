import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { generateSigner, type TrustedKey } from "../keys/mod.ts";
import { parseTrustedRoot } from "../sigstore/mod.ts";
import exampleBundle from "../testdata/example/hello.txt.sigstore.json" with { type: "json" };
import exampleRoot from "../testdata/example/trusted_root.json" with { type: "json" };
import messageRoot from "../testdata/sigstore-bundle/roots/main.json" with { type: "json" };
import messageBundle from "../testdata/sigstore-bundle/v0.3-message.sigstore.json" with {
  type: "json",
};
import {
  ABC,
  ABC_SHA256,
  brief,
  ciKey,
  hexOf,
  PREDICATE,
  signed,
  statementAbout,
  TYPE,
} from "./_fixtures_test.ts";
import { type ArtifactInput, verify, type VerifyOptions } from "./mod.ts";

const HELLO = utf8("Hello, attested world!\n");
const WORKFLOW = "https://github.com/example/hello/.github/workflows/release.yml@refs/tags/v1.0.0";
const ISSUER = "https://token.actions.githubusercontent.com";

async function keyed(more: VerifyOptions = {}): Promise<VerifyOptions> {
  const { trustedKey } = await ciKey();
  return { ...more, trust: { keys: [trustedKey], ...more.trust } };
}

function keyless(more: VerifyOptions = {}, root: object = exampleRoot): VerifyOptions {
  return {
    ...more,
    trust: { trustedRoots: [parseTrustedRoot(root, { name: "test" })], onlyRoot: true },
    expect: { identity: { subjectAlternativeName: WORKFLOW, issuer: ISSUER }, ...more.expect },
  };
}

async function about(
  texts: readonly string[],
  artifacts: ArtifactInput | ArtifactInput[] | undefined,
  more?: VerifyOptions,
): Promise<string> {
  return brief(await verify(await signed(statementAbout(texts)), artifacts, await keyed(more)));
}

describe("verify() with a key", () => {
  it("answers with this report", async () => {
    const report = await verify(await signed(statementAbout(["abc"])), ABC, await keyed());
    deepEqual(JSON.parse(JSON.stringify(report)), {
      ok: true,
      errorReason: null,
      verificationResult: "PASSED",
      artifacts: [{
        artifact: `sha256:${ABC_SHA256}`,
        digest: { sha256: ABC_SHA256 },
        ok: true,
        errorReason: null,
        attestations: [{
          source: "attestation 1",
          format: "dsse",
          ok: true,
          errorReason: null,
          signers: ["ci"],
          timestamps: [],
          checks: [
            {
              id: "envelope.format",
              layer: "envelope",
              outcome: "passed",
              message: "A DSSE envelope",
            },
            {
              id: "envelope.signature",
              layer: "envelope",
              outcome: "passed",
              message: "Trusted keys that accept: 1, needed: 1",
              actual: "ci",
            },
            {
              id: "envelope.payload-type",
              layer: "envelope",
              outcome: "passed",
              message: "The payload is an in-toto Statement",
              expected: TYPE,
              actual: TYPE,
              path: "/payloadType",
              origin: "signed",
            },
            {
              id: "statement.format",
              layer: "statement",
              outcome: "passed",
              message: "The Statement is well formed",
              actual: "https://in-toto.io/Statement/v1",
              origin: "signed",
            },
            {
              id: "statement.subject",
              layer: "statement",
              outcome: "passed",
              message: "Subjects that are the artifact: 1",
              actual: '"abc"',
              path: "/subject/0",
              origin: "signed",
            },
          ],
          predicateType: PREDICATE,
          statement: {
            _type: "https://in-toto.io/Statement/v1",
            subject: [{ name: "abc", digest: { sha256: ABC_SHA256 } }],
            predicateType: PREDICATE,
            predicate: {},
          },
        }],
      }],
    });
  });

  it("shows nothing of the Statement when the signature is not accepted", async () => {
    const stranger = await generateSigner("Ed25519");
    const envelope = await signed(statementAbout(["abc"]), stranger.signer);
    const report = await verify(envelope, ABC, await keyed());
    equal(brief(report), "invalid-signature: invalid-signature[invalid-signature]");
    const [{ attestations: [one] }] = report.artifacts;
    equal(report.verificationResult, "FAILED");
    equal("statement" in one || "predicateType" in one || "identity" in one, false);
    deepEqual(one.signers, []);
    ok(one.checks.some(({ id, outcome }) => id === "statement.subject" && outcome === "passed"));
    for (const { layer, origin } of one.checks) {
      if (layer === "statement") equal(origin, "unsigned");
    }
  });

  it("takes an artifact as bytes, stream, Blob or digest, with a name or without", async () => {
    const stream = () => new Blob([ABC]).stream();
    const digest = { sha256: ABC_SHA256 };
    for (
      const input of [
        ABC,
        stream(),
        new Blob([ABC]),
        { content: ABC },
        { content: stream() },
        { content: new Blob([ABC]) },
        { digest },
        { digest: { sha256: ABC_SHA256.toUpperCase() } },
      ]
    ) equal(await about(["x", "abc"], input), "ok: ok[ok]");
    for (const input of [{ name: "n", content: ABC }, { name: "n", digest }]) {
      const report = await verify(await signed(statementAbout(["abc"])), input, await keyed());
      equal(report.artifacts[0].artifact, "n");
    }
    const other = [utf8("abd"), new Blob(["abd"]), { digest: { sha256: "0".repeat(64) } }];
    for (const input of other) {
      equal(await about(["abc"], input), "subject-mismatch: subject-mismatch[subject-mismatch]");
    }
  });

  it("computes the digests that the subjects state", async () => {
    const sha512 = encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-512", ABC)));
    const subject = [{ name: "abc", digest: { sha512 } }];
    const envelope = await signed(statementAbout([], { subject }));
    const report = await verify(envelope, new Blob([ABC]), await keyed());
    equal(brief(report), "ok: ok[ok]");
    deepEqual(report.artifacts[0].digest, { sha256: ABC_SHA256, sha512 });
    const conflict = [{ name: "abc", digest: { sha256: ABC_SHA256, sha512: "0".repeat(128) } }];
    const contradicting = await signed(statementAbout([], { subject: conflict }));
    equal(
      brief(await verify(contradicting, ABC, await keyed())),
      "subject-conflict: subject-conflict[subject-conflict]",
    );
    const weak = await signed(
      statementAbout([], {
        subject: [{ digest: { sha1: "a9993e364706816aba3e25717850c26c9cd0d89d" } }],
      }),
    );
    equal(
      brief(
        await verify(
          weak,
          { digest: { sha1: "a9993e364706816aba3e25717850c26c9cd0d89d" } },
          await keyed(),
        ),
      ),
      "unsupported-digest-algorithm: unsupported-digest-algorithm[unsupported-digest-algorithm]",
    );
  });

  it("wants an artifact, unless it is told otherwise by name", async () => {
    equal(await about(["abc"], undefined), "artifact-required:");
    equal(await about(["abc"], []), "artifact-required:");
    equal(await about(["abc"], undefined, { unsafelyVerifyWithoutArtifact: true }), "ok: ok[ok]");
    equal(
      await about(["abc"], undefined, { unsafelyVerifyWithoutArtifact: false }),
      "artifact-required:",
    );
    const stranger = await generateSigner("Ed25519");
    const envelope = await signed(statementAbout(["abc"]), stranger.signer);
    const alone = await keyed({ unsafelyVerifyWithoutArtifact: true });
    equal(
      brief(await verify(envelope, undefined, alone)),
      "invalid-signature: invalid-signature[invalid-signature]",
    );
    equal(
      brief(await verify([], undefined, alone)),
      "attestation-not-found: attestation-not-found[]",
    );
    equal(brief(await verify([], ABC, alone)), "attestation-not-found: attestation-not-found[]");
  });

  it("finds for each artifact an attestation of its own, and mixes none", async () => {
    const [a, b, ab] = await Promise.all(
      [["a"], ["b"], ["a", "b"]].map((texts) => signed(statementAbout(texts))),
    );
    const artifacts = [utf8("a"), utf8("b")];
    const options = await keyed();
    equal(
      brief(await verify([a, b], artifacts, options)),
      "ok: ok[ok subject-mismatch] ok[subject-mismatch ok]",
    );
    equal(brief(await verify([ab], artifacts, options)), "ok: ok[ok] ok[ok]");
    equal(
      brief(await verify([a], artifacts, options)),
      "subject-mismatch: ok[ok] subject-mismatch[subject-mismatch]",
    );
    equal(brief(await verify([a, "junk"], artifacts[0], options)), "ok: ok[ok malformed-json]");
    // Right key and wrong artifact beside wrong key and right artifact: neither is enough.
    const stranger = await generateSigner("Ed25519");
    const forged = await signed(statementAbout(["b"]), stranger.signer);
    const report = await verify([a, forged], artifacts[1], options);
    equal(report.ok, false);
    equal(brief(report).endsWith("[subject-mismatch invalid-signature]"), true);
  });

  it("matches subjects as `any`, `all` or `exact`", async () => {
    const a = utf8("a");
    const b = utf8("b");
    const all: VerifyOptions = { expect: { subjects: "all" } };
    const exact: VerifyOptions = { expect: { subjects: "exact" } };
    equal(await about(["a", "b"], a, { expect: { subjects: "any" } }), "ok: ok[ok]");
    equal(await about(["a", "b"], a, all), "subject-mismatch: subject-mismatch[subject-mismatch]");
    equal(await about(["a", "b"], [a, b], all), "ok: ok[ok] ok[ok]");
    equal(await about(["a", "b"], [a, b], exact), "ok: ok[ok] ok[ok]");
    equal(await about(["a", "a"], [a], all), "ok: ok[ok]");
    equal(
      await about(["a", "a"], [a], exact),
      "subject-mismatch: subject-mismatch[subject-mismatch]",
    );
    equal((await about(["a"], [a, b], all)).startsWith("subject-mismatch"), true);
  });

  it("compares the predicate type, exactly", async () => {
    const expecting = (predicateType: string | string[]): VerifyOptions => ({
      expect: { predicateType },
    });
    equal(await about(["abc"], ABC, expecting(PREDICATE)), "ok: ok[ok]");
    equal(await about(["abc"], ABC, expecting(["x", PREDICATE])), "ok: ok[ok]");
    for (const other of [PREDICATE + "/", PREDICATE.toUpperCase(), PREDICATE.slice(0, -1), "v1"]) {
      equal(
        await about(["abc"], ABC, expecting(other)),
        "predicate-type-mismatch: predicate-type-mismatch[predicate-type-mismatch]",
      );
    }
  });

  it("takes the payload types of in-toto only", async () => {
    for (
      const [type, reason] of [
        [TYPE, "ok"],
        ["application/vnd.in-toto.provenance+json", "ok"],
        ["application/vnd.in-toto+json; charset=utf-8", "unsupported-payload-type"],
        ["application/vnd.in-toto+jsonx", "unsupported-payload-type"],
        ["application/vnd.In-toto+json", "unsupported-payload-type"],
        ["application/json", "unsupported-payload-type"],
        ["", "unsupported-payload-type"],
      ]
    ) {
      const envelope = await signed(statementAbout(["abc"]), undefined, type);
      equal(
        brief(await verify(envelope, ABC, await keyed())),
        `${reason}: ${reason}[${reason}]`,
        type,
      );
    }
  });

  it("refuses a payload that is no Statement, whoever signed it", async () => {
    for (
      const [payload, reason] of [
        ["", "empty-input"],
        ["{", "malformed-json"],
        ["[]", "malformed-statement"],
        ['{"a":1,"a":2}', "duplicate-json-key"],
        [{}, "malformed-statement"],
        [
          { ...statementAbout(["abc"]), _type: "https://in-toto.io/Statement/v2" },
          "unsupported-statement-type",
        ],
        [statementAbout([]), "missing-subject"],
        [statementAbout(["abc"], { predicateType: undefined }), "missing-predicate-type"],
      ] as const
    ) {
      const report = await verify(await signed(payload), ABC, await keyed());
      equal(brief(report), `${reason}: ${reason}[${reason}]`);
    }
  });

  it("needs a key, and as many as the threshold says", async () => {
    const envelope = await signed(statementAbout(["abc"]));
    equal(
      brief(await verify(envelope, ABC)),
      "missing-trusted-key: missing-trusted-key[missing-trusted-key]",
    );
    const { trustedKey } = await ciKey();
    const second = await generateSigner("ES256", { name: "second" });
    const trust = { keys: [second.trustedKey, trustedKey], threshold: 2 };
    equal(
      brief(await verify(envelope, ABC, { trust })),
      "threshold-not-met: threshold-not-met[threshold-not-met]",
    );
    const both = await signed(statementAbout(["abc"]), [(await ciKey()).signer, second.signer]);
    const report = await verify(both, ABC, { trust });
    deepEqual(report.artifacts[0].attestations[0].signers, ["second", "ci"]);
    const identity = { subjectAlternativeName: WORKFLOW, issuer: ISSUER };
    equal(
      brief(await verify(both, ABC, { trust, expect: { identity } })),
      "identity-mismatch: identity-mismatch[identity-mismatch]",
    );
  });

  it("never accepts a Statement that nobody signed", async () => {
    equal(
      brief(await verify(statementAbout(["abc"]), ABC, await keyed())),
      "unsigned-statement: unsigned-statement[unsigned-statement]",
    );
  });
});

describe("verify() without a key", () => {
  it("verifies the example of the README, as object and as text", async () => {
    for (const input of [exampleBundle, JSON.stringify(exampleBundle)]) {
      const report = await verify(input, HELLO, keyless());
      equal(brief(report), "ok: ok[ok]");
      const [one] = report.artifacts[0].attestations;
      deepEqual(one.signers, [WORKFLOW]);
      equal(one.identity?.issuer, ISSUER);
      ok(one.timestamps.length > 0);
    }
    const { artifacts } = await verify(exampleBundle, HELLO, { ...keyless(), evidence: true });
    const [signer] = artifacts[0].attestations[0].evidence?.signers ?? [];
    // At another ref the workflow is the same signer.
    equal(signer.distinct, `${ISSUER} ${WORKFLOW.replace(/@refs\/.*$/, "")}`);
    ok(!signer.distinct.includes("@"));
    const wrong = await verify(exampleBundle, ABC, keyless());
    equal(brief(wrong), "subject-mismatch: subject-mismatch[subject-mismatch]");
  });

  it("wants to be told whom to expect", async () => {
    const identity = (value: object) => keyless({ expect: { identity: value } });
    const reason = async (options: VerifyOptions) =>
      (await verify(exampleBundle, HELLO, options)).errorReason;
    equal(await reason({ ...keyless(), expect: {} }), "missing-identity-expectation");
    equal(await reason({ ...keyless(), expect: { identity: [] } }), "missing-identity-expectation");
    equal(await reason(identity({ issuer: ISSUER })), "missing-identity-expectation");
    equal(
      await reason(identity({ subjectAlternativeName: WORKFLOW })),
      "missing-issuer-expectation",
    );
    equal(
      await reason(identity({ subjectAlternativeName: WORKFLOW + "0", issuer: ISSUER })),
      "identity-mismatch",
    );
    equal(
      await reason(identity({ subjectAlternativeName: WORKFLOW, issuer: ISSUER + "/" })),
      "issuer-mismatch",
    );
    equal(
      await reason(
        identity({
          subjectAlternativeName: { pattern: "https://github\\.com/example/hel" },
          issuer: ISSUER,
        }),
      ),
      "identity-mismatch",
    );
    equal(await reason({ ...keyless(), expect: {}, unsafelyAcceptAnyIdentity: true }), null);
    equal(
      await reason(identity([
        { subjectAlternativeName: "x", issuer: ISSUER },
        { subjectAlternativeName: WORKFLOW, issuer: ISSUER },
      ])),
      null,
    );
  });

  it("believes the roots that are given, and with `onlyRoot` no other", async () => {
    const options = keyless();
    const none = { ...options, trust: { onlyRoot: true } };
    equal((await verify(exampleBundle, HELLO, none)).ok, false);
    equal(
      (await verify(exampleBundle, HELLO, { ...options, trust: {} })).errorReason,
      "untrusted-certificate",
    );
    const also = { ...options, trust: { ...options.trust, onlyRoot: false } };
    equal((await verify(exampleBundle, HELLO, also)).errorReason, null);
  });

  it("counts the evidence", async () => {
    for (
      const [thresholds, reason] of [
        [{ log: 2 }, "log-threshold-not-met"],
        [{ sct: 2 }, "sct-threshold-not-met"],
        [{ timestamp: 3 }, "timestamp-threshold-not-met"],
        [{ log: 1, sct: 1, timestamp: 1 }, null],
      ] as const
    ) {
      equal((await verify(exampleBundle, HELLO, keyless({ thresholds }))).errorReason, reason);
    }
  });

  it("verifies a signature over the artifact itself, which has no predicate type", async () => {
    const artifact = utf8("An artifact of the throw-away Sigstore instance.\n");
    const options = (more?: VerifyOptions) => keyless(more, messageRoot);
    equal(brief(await verify(messageBundle, artifact, options())), "ok: ok[ok]");
    equal((await verify(messageBundle, ABC, options())).ok, false);
    const expecting = options({ expect: { predicateType: PREDICATE } });
    equal(
      brief(await verify(messageBundle, artifact, expecting)),
      "predicate-type-mismatch: predicate-type-mismatch[predicate-type-mismatch]",
    );
  });
});

describe("verify() and its options", () => {
  it("throws for every name that it does not know, at every level", async () => {
    const { trustedKey } = await ciKey();
    const envelope = await signed(statementAbout(["abc"]));
    const wrong: object[] = [
      { x: 1 },
      { key: [trustedKey] },
      { trust: { key: [trustedKey] } },
      { trust: { keys: [trustedKey], treshold: 2 } },
      { expect: { predicate: PREDICATE } },
      { expect: { identities: [] } },
      { expect: { identity: { subject: "x" } } },
      { expect: { identity: [{ issuer: "x", subjectAlternativeName: "x" }, { san: "x" }] } },
      { thresholds: { logs: 1 } },
      { limits: { maxBytes: 1 } },
      { unsafelyAcceptAnyIdentities: true },
    ];
    for (const options of wrong) {
      await rejects(verify(envelope, ABC, options), TypeError, JSON.stringify(options));
    }
    const artifact: object = { content: ABC, filename: "x" };
    await rejects(verify(envelope, artifact as ArtifactInput, await keyed()), TypeError);
  });

  it("throws for values that are not of their form", async () => {
    const { trustedKey } = await ciKey();
    const keys = [trustedKey];
    const envelope = await signed(statementAbout(["abc"]));
    const wrong: object[] = [
      ...[0, -1, NaN, 1.5, 2, "1"].map((threshold) => ({ trust: { keys, threshold } })),
      ...[0, -1, NaN, 1.5, "1", null].map((concurrency) => ({ concurrency })),
      ...[0, NaN, "9"].map((maxSubjects) => ({ limits: { maxSubjects } })),
      { now: "2026-01-01T00:00:00Z" },
      { now: 0 },
      { now: new Date("no time") },
      { trust: { keys: "-----BEGIN PUBLIC KEY-----" } },
      { trust: { keys: ["-----BEGIN PUBLIC KEY-----"] } },
      { trust: { keys: [{ ...trustedKey, fingerprint: undefined }] } },
      { trust: { keys, trustedRoots: {} } },
      { trust: { keys, trustedRoots: "{}" } },
      { trust: { keys, onlyRoot: "false" } },
      { expect: { subjects: "some" } },
      { expect: { predicateType: "" } },
      { expect: { predicateType: [] } },
      { expect: { predicateType: [PREDICATE, 1] } },
      { expect: { predicateType: null } },
      { expect: { identity: { issuer: "", subjectAlternativeName: "x" } } },
      { thresholds: { log: -1 } },
      { thresholds: { log: NaN } },
      { unsafelyAcceptAnyIdentity: "no" },
      { unsafelyTrustCertificateTime: 1 },
      { unsafelyVerifyWithoutArtifact: "false" },
    ];
    for (const options of wrong) {
      await rejects(verify(envelope, ABC, options), TypeError, JSON.stringify(options));
    }
    for (
      const artifact of [
        null,
        1,
        "abc",
        {},
        { name: "x" },
        { digest: {} },
        { digest: "sha256:00" },
        { digest: null },
        { content: ABC, digest: {} },
        { content: "abc" },
        { name: 1, content: ABC },
      ]
    ) {
      await rejects(
        verify(envelope, artifact as ArtifactInput, await keyed()),
        TypeError,
        JSON.stringify(artifact),
      );
    }
  });

  it("keeps to what was asked when the caller's objects change meanwhile", async () => {
    const { trustedKey } = await ciKey();
    const stranger = await generateSigner("Ed25519");
    const keys: TrustedKey[] = [trustedKey];
    const expect = { predicateType: PREDICATE };
    const trust = { keys };
    const options = { trust, expect };
    const pending = verify(await signed(statementAbout(["abc"]), stranger.signer), ABC, options);
    keys.push(stranger.trustedKey);
    trust.keys = [stranger.trustedKey];
    equal((await pending).errorReason, "invalid-signature");
    const identity = { subjectAlternativeName: "somebody else", issuer: ISSUER };
    const own = keyless({ expect: { identity } });
    const other = verify(exampleBundle, HELLO, own);
    identity.subjectAlternativeName = WORKFLOW;
    own.unsafelyAcceptAnyIdentity = true;
    equal((await other).errorReason, "identity-mismatch");
    const digest = { sha256: ABC_SHA256 };
    const third = verify(await signed(statementAbout(["abc"])), { digest }, await keyed());
    const report = await third;
    digest.sha256 = "0".repeat(64);
    deepEqual(report.artifacts[0].digest, { sha256: ABC_SHA256 });
  });

  it("takes a bound that is undefined for the default", async () => {
    const limits = { maxSubjects: undefined };
    equal(await about(["abc"], ABC, { limits, concurrency: undefined }), "ok: ok[ok]");
  });

  it("changes nothing of the caller's objects", async () => {
    const { trustedKey } = await ciKey();
    const trust = Object.freeze({ keys: Object.freeze([trustedKey]) as TrustedKey[] });
    const limits = Object.freeze({ maxSubjects: 5 });
    const expect = Object.freeze({ predicateType: PREDICATE });
    const options = Object.freeze({ trust, limits, expect });
    const artifact = Object.freeze({ digest: Object.freeze({ sha256: ABC_SHA256 }) });
    const envelope = Object.freeze(await signed(statementAbout(["abc"])));
    equal(brief(await verify(envelope, artifact, options)), "ok: ok[ok]");
  });

  it("reports progress", async () => {
    const seen: string[] = [];
    const envelope = await signed(statementAbout(["abc"]));
    const onProgress: VerifyOptions["onProgress"] = ({ phase, done, total }) =>
      void seen.push(`${phase} ${done} ${total}`);
    await verify([envelope, "junk"], new Blob(["abc"]), await keyed({ onProgress }));
    deepEqual(seen, ["digest 3 undefined", "verify 1 2", "verify 2 2"]);
  });

  it("does no more at a time than `concurrency`", async () => {
    const { trustedKey } = await ciKey();
    let now = 0;
    let most = 0;
    const watched: TrustedKey = {
      ...trustedKey,
      verify: async (data, sig) => {
        most = Math.max(most, ++now);
        await new Promise((done) => setTimeout(done, 0));
        now--;
        return await trustedKey.verify(data, sig);
      },
    };
    const envelopes = await Promise.all(
      Array.from({ length: 12 }, (_, i) => signed(statementAbout(["abc", `${i}`]))),
    );
    const report = await verify(envelopes, ABC, { trust: { keys: [watched] }, concurrency: 3 });
    equal(report.artifacts[0].attestations.filter((one) => one.ok).length, 12);
    equal(most, 3);
  });
});

describe("verify() and a signal", () => {
  const reason = new RangeError("stop");

  it("that was given before starts nothing", async () => {
    const signal = AbortSignal.abort(reason);
    let asked = false;
    const stream = new ReadableStream({ pull: () => void (asked = true) }, { highWaterMark: 0 });
    const envelope = await signed(statementAbout(["abc"]));
    await rejects(verify(envelope, stream, await keyed({ signal })), { message: "stop" });
    equal(asked, false);
  });

  it("that comes while a stream is read, or waited for, cancels the stream", async () => {
    for (const endless of [true, false]) {
      const stopper = new AbortController();
      let cancelled = false;
      const stream = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (endless) return controller.enqueue(ABC);
          setTimeout(() => stopper.abort(reason), 2);
          return new Promise(() => {});
        },
        cancel: () => void (cancelled = true),
      }, { highWaterMark: 0 });
      const options = await keyed({ signal: stopper.signal });
      if (endless) options.onProgress = ({ done }) => void (done > 30_000 && stopper.abort(reason));
      await rejects(verify(await signed(statementAbout(["abc"])), stream, options), {
        message: "stop",
      });
      ok(cancelled);
    }
  });

  it("that comes while attestations are verified ends in no report", async () => {
    const stopper = new AbortController();
    const envelope = await signed(statementAbout(["abc"]));
    let done = 0;
    const options = await keyed({
      signal: stopper.signal,
      concurrency: 1,
      onProgress: ({ phase }) => void (phase === "verify" && ++done === 2 && stopper.abort(reason)),
    });
    await rejects(verify(Array(10).fill(envelope), ABC, options), { message: "stop" });
    equal(done, 2);
    const last = new AbortController();
    const late = await keyed({ signal: last.signal, onProgress: () => last.abort(reason) });
    await rejects(verify(envelope, { digest: { sha256: hexOf("abc") } }, late), {
      message: "stop",
    });
  });
});
