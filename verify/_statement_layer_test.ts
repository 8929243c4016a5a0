import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { IN_TOTO } from "../tests/fixtures/oci.ts";
import {
  ARTIFACT,
  BLOB,
  bundleOf,
  ENVELOPE,
  IDENTITY,
  rootOf,
} from "../tests/fixtures/sigstore.ts";
import type { Recipe } from "../tools/pki/instance.ts";
import {
  ABC,
  ABC_SHA256,
  ciKey,
  hexOf,
  PREDICATE,
  signed,
  statementAbout,
} from "./_fixtures_test.ts";
import { type ArtifactInput, verify, type VerifyOptions } from "./mod.ts";
import type { AttestationReport } from "./report.ts";

const OTHER = "https://example.com/other/v1";
const ALONE: VerifyOptions = { unsafelyVerifyWithoutArtifact: true };
const TYPE_ID = "envelope.payload-type";

async function reportOf(
  attestation: object,
  artifact: ArtifactInput | undefined,
  { trust, ...options }: VerifyOptions = {},
): Promise<AttestationReport> {
  const { trustedKey } = await ciKey();
  const keys = { keys: [trustedKey] };
  const report = await verify(attestation, artifact, { trust: trust ?? keys, ...options });
  return report.artifacts[0].attestations[0];
}

/** Everything but who signed, without what goes without saying. */
function said({ checks }: AttestationReport): object[] {
  return checks.filter(({ id }) => id === TYPE_ID || !id.startsWith("envelope."))
    .map(({ layer: _layer, origin: _origin, ...rest }) => rest);
}

const typed = (actual: string, path: string) => ({
  id: TYPE_ID,
  outcome: "passed",
  message: "The payload is an in-toto Statement",
  expected: IN_TOTO,
  actual,
  path,
});

const FORMAT = {
  id: "statement.format",
  outcome: "passed",
  message: "The Statement is well formed",
  actual: "https://in-toto.io/Statement/v1",
};

const predicate = (expected: string) => ({
  id: "predicate.type",
  outcome: "passed",
  message: "The predicate type is as expected",
  expected,
  actual: PREDICATE,
  path: "/predicateType",
});

const skipped = (message: string) => ({ id: "statement.subject", outcome: "skipped", message });

async function keyless(): Promise<VerifyOptions> {
  return {
    trust: { trustedRoots: [await rootOf()], onlyRoot: true },
    expect: { identity: IDENTITY },
  };
}

describe("verify() and what a payload says", () => {
  it("tells type, form, subjects and predicate type, each with what was wanted", async () => {
    const envelope = await signed(statementAbout(["x", "abc", "abc", "abc", "abc", "abc"]));
    const expect = { predicateType: [OTHER, PREDICATE] };
    deepEqual(said(await reportOf(envelope, ABC, { expect })), [
      typed(IN_TOTO, "/payloadType"),
      FORMAT,
      {
        id: "statement.subject",
        outcome: "passed",
        message: "Subjects that are the artifact: 5",
        // A few names are enough.
        actual: '"abc", "abc", "abc", "abc"',
        path: "/subject/1",
      },
      predicate(`${OTHER} or ${PREDICATE}`),
    ]);
    const subject = [{ digest: { sha256: ABC_SHA256 } }];
    const unnamed = await reportOf(await signed(statementAbout([], { subject })), ABC);
    deepEqual(unnamed.checks.find(({ id }) => id === "statement.subject")?.actual, '""');
  });

  it("tells what differs", async () => {
    const envelope = await signed(statementAbout(["x"]));
    const expect = { predicateType: [OTHER] };
    deepEqual(said(await reportOf(envelope, ABC, { expect })).slice(2), [
      {
        id: "statement.subject",
        outcome: "failed",
        message:
          `Cannot match subjects: it is none of the subjects; wanted sha256:${ABC_SHA256}, ` +
          `found "x" sha256:${hexOf("x")}`,
        expected: `sha256:${ABC_SHA256}`,
        actual: `"x" sha256:${hexOf("x")}`,
        path: "/subject",
        reason: "subject-mismatch",
      },
      {
        id: "predicate.type",
        outcome: "failed",
        message: `Cannot accept predicate: its type is "${PREDICATE}"`,
        expected: OTHER,
        actual: PREDICATE,
        path: "/predicateType",
        reason: "predicate-type-mismatch",
      },
    ]);
  });

  it("compares no artifact where none is given, and says so only to who asked for that", async () => {
    const envelope = await signed(statementAbout(["abc"]));
    const expect = { predicateType: PREDICATE };
    const none = skipped("No artifact is compared, as the caller asked");
    for (const subjects of ["any", "all", "exact"] as const) {
      const report = await reportOf(envelope, undefined, {
        ...ALONE,
        expect: { ...expect, subjects },
      });
      equal(report.errorReason, null);
      deepEqual(said(report), [
        typed(IN_TOTO, "/payloadType"),
        FORMAT,
        none,
        predicate(PREDICATE),
      ]);
    }
    const vsa = {
      verifierId: "https://example.com/verifier",
      resourceUri: "pkg:npm/app@1.0.0",
      verifiedLevels: ["SLSA_BUILD_LEVEL_2"],
      digest: { sha256: ABC_SHA256 },
    } as const;
    const instead = await reportOf(envelope, undefined, { expect: { vsa } });
    deepEqual(instead.checks.filter(({ id }) => id === "statement.subject"), []);
    const artifact = await reportOf(envelope, ABC, ALONE);
    deepEqual(artifact.checks.filter(({ id }) => id === "statement.subject").length, 1);
    equal(said(artifact).some((check) => JSON.stringify(check).includes("skipped")), false);
  });

  it("reads no payload of another type, and refuses it where anything is asked of it", async () => {
    const envelope = await signed(statementAbout(["abc"]), undefined, "text/plain");
    const alone = await reportOf(envelope, undefined, ALONE);
    equal(alone.errorReason, null);
    equal("statement" in alone || "predicateType" in alone, false);
    deepEqual(said(alone), [{
      id: "statement.format",
      outcome: "skipped",
      message: 'The payload is "text/plain", which is not read',
    }]);
    const refused = {
      id: TYPE_ID,
      outcome: "failed",
      message: 'Cannot accept envelope: payloadType is "text/plain"',
      expected: IN_TOTO,
      actual: "text/plain",
      path: "/payloadType",
      reason: "unsupported-payload-type",
    };
    const rows: [ArtifactInput | undefined, VerifyOptions][] = [
      [ABC, {}],
      [undefined, { ...ALONE, expect: { predicateType: PREDICATE } }],
      [undefined, { ...ALONE, expect: { provenance: { builderId: "https://example.com" } } }],
    ];
    for (const [artifact, options] of rows) {
      const report = await reportOf(envelope, artifact, options);
      equal(report.errorReason, "unsupported-payload-type");
      equal("statement" in report || "predicateType" in report, false);
      deepEqual(said(report)[0], refused);
      deepEqual(said(report).filter((check) => JSON.stringify(check).includes("passed")), []);
    }
  });

  it("finds the type of a payload where the envelope is, in a bundle exactly in-toto's", async () => {
    const options = await keyless();
    const of = async (recipe: Recipe) =>
      said(await reportOf(await bundleOf(recipe), ARTIFACT, options))[0];
    const path = "/dsseEnvelope/payloadType";
    deepEqual(await of(ENVELOPE), typed(IN_TOTO, path));
    const payloadType = "application/vnd.in-toto.provenance+json";
    const { payload } = ENVELOPE.content as { payload: Uint8Array };
    deepEqual(await of({ content: { payload, payloadType } }), {
      ...typed(payloadType, path),
      outcome: "failed",
      message: `Cannot accept envelope: payloadType is "${payloadType}"`,
      reason: "unsupported-payload-type",
    });
  });

  it("says nothing of an artifact that is signed itself", async () => {
    const options = await keyless();
    const bundle = await bundleOf(BLOB);
    const report = await reportOf(bundle, ARTIFACT, options);
    deepEqual([report.errorReason, said(report)], [null, []]);
    const expect = { ...options.expect, predicateType: [PREDICATE, OTHER] };
    deepEqual(said(await reportOf(bundle, ARTIFACT, { ...options, expect })), [{
      id: "predicate.type",
      outcome: "failed",
      message: "Cannot accept bundle: it signs the artifact itself, without a predicate",
      expected: `${PREDICATE} or ${OTHER}`,
      actual: "none",
      reason: "predicate-type-mismatch",
    }]);
  });
});
