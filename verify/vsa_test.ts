import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { createEnvelope } from "../dsse/mod.ts";
import { encodeStatement } from "../intoto/mod.ts";
import { generateSigner } from "../keys/mod.ts";
import { createVsa, type VsaExpectation } from "../slsa/mod.ts";
import { bundleOf, IDENTITY, rootOf } from "../tests/fixtures/sigstore.ts";
import { ABC, ABC_SHA256, ciKey, signed, statementAbout, TYPE } from "./_fixtures_test.ts";
import { verify, type VerifyOptions } from "./mod.ts";

const NOW = new Date("2026-03-01T00:00:00Z");
const verifier = generateSigner("ES256", { name: "verifier" });
const EXPECTED: VsaExpectation = {
  verifierId: "https://example.com/verifier",
  resourceUri: "pkg:npm/app@1.0.0",
  verifiedLevels: ["SLSA_BUILD_LEVEL_2"],
};

/** A VSA of a report of `verify()`, as a payload. */
async function summaryBytes(artifact: Uint8Array) {
  const { trustedKey } = await ciKey();
  const report = await verify(await signed(statementAbout(["abc"])), artifact, {
    trust: { keys: [trustedKey] },
  });
  const statement = createVsa(report, {
    verifier: { id: EXPECTED.verifierId },
    resourceUri: EXPECTED.resourceUri,
    policy: { uri: "https://example.com/policy" },
    verifiedLevels: ["SLSA_BUILD_LEVEL_2"],
    timeVerified: NOW,
  });
  return encodeStatement(statement);
}

/** The same, signed. */
async function summary(artifact: Uint8Array, type = TYPE) {
  return await createEnvelope(type, await summaryBytes(artifact), (await verifier).signer);
}

describe("verify() of a VSA", () => {
  it("accepts one that createVsa() made of a report", async () => {
    const report = await verify(await summary(ABC), ABC, {
      trust: { keys: [(await verifier).trustedKey] },
      expect: {
        vsa: {
          ...EXPECTED,
          signer: { keys: ["verifier"] },
          maxAge: 60,
          digest: { sha256: ABC_SHA256 },
        },
      },
      now: NOW,
    });
    equal(report.errorReason, null);
    const [{ checks }] = report.artifacts[0].attestations;
    ok(checks.some(({ id, origin }) => id === "predicate.verifier" && origin === "signed"));
  });

  it("refuses that of a report that failed, of another resource, signer, level or age", async () => {
    const { trustedKey } = await verifier;
    const of = async (vsa: object, artifact = ABC, now = NOW) =>
      (await verify(await summary(artifact), artifact, {
        trust: { keys: [trustedKey] },
        expect: { vsa: { ...EXPECTED, ...vsa } },
        now,
      })).errorReason;
    equal(await of({}), null);
    equal(await of({}, new Uint8Array(3)), "verification-not-passed");
    equal(await of({ resourceUri: "pkg:npm/app@1.0.1" }), "resource-mismatch");
    equal(await of({ signer: { keys: ["ci"] } }), "verifier-mismatch");
    equal(await of({ verifiedLevels: ["SLSA_BUILD_LEVEL_3"] }), "insufficient-level");
    equal(await of({ maxAge: 60 }, ABC, new Date(NOW.getTime() + 61_000)), "vsa-too-old");
  });

  it("takes the expected digest for the artifact, where there are no bytes", async () => {
    const of = async (digest?: Record<string, string>) => {
      const report = await verify(await summary(ABC), undefined, {
        trust: { keys: [(await verifier).trustedKey] },
        expect: { vsa: { ...EXPECTED, digest } },
        now: NOW,
      });
      return [report.errorReason, report.artifacts[0]?.artifact];
    };
    deepEqual(await of({ sha256: ABC_SHA256 }), [null, `sha256:${ABC_SHA256}`]);
    deepEqual((await of({ sha256: "00".repeat(32) }))[0], "subject-mismatch");
    deepEqual(await of(), ["artifact-required", undefined]);
  });

  it("reads nothing of a payload of another type, with or without an artifact", async () => {
    const envelope = await summary(ABC, "application/json");
    const vsa = { ...EXPECTED, digest: { sha256: ABC_SHA256 } };
    for (const artifact of [ABC, undefined]) {
      const report = await verify(envelope, artifact, {
        trust: { keys: [(await verifier).trustedKey] },
        expect: { vsa },
        now: NOW,
      });
      const [{ errorReason, statement, predicateType, checks }] = report.artifacts[0].attestations;
      deepEqual([report.ok, errorReason], [false, "unsupported-payload-type"]);
      deepEqual([statement, predicateType], [undefined, undefined]);
      deepEqual(checks.filter(({ layer }) => layer === "predicate").map(({ id }) => id), [
        "predicate.format",
      ]);
    }
  });

  it("says nothing of a VSA that nobody trusted has signed", async () => {
    const { trustedKey } = await ciKey();
    const report = await verify(await summary(ABC), ABC, {
      trust: { keys: [trustedKey] },
      expect: { vsa: EXPECTED },
      now: NOW,
    });
    equal(report.errorReason, "invalid-signature");
    const [{ checks, statement }] = report.artifacts[0].attestations;
    equal(statement, undefined);
    deepEqual(checks.filter(({ id }) => id === "predicate.verifier"), []);
  });

  it("accepts one that is signed without a key, by whoever may speak for the verifier", async () => {
    const bundle = await bundleOf({ content: { payload: await summaryBytes(ABC) } });
    const trust = { trustedRoots: [await rootOf()], onlyRoot: true };
    const of = async (vsa: Partial<VsaExpectation>, more: Partial<VerifyOptions> = {}) =>
      (await verify(bundle, ABC, {
        trust,
        ...more,
        expect: { ...more.expect, vsa: { ...EXPECTED, ...vsa } },
        now: NOW,
      })).errorReason;
    const expect = { identity: IDENTITY };
    equal(await of({}, { expect }), null);
    equal(await of({ signer: { certificate: IDENTITY } }, { expect }), null);
    const other = { ...IDENTITY, subjectAlternativeName: "https://example.com/other" };
    equal(await of({ signer: { certificate: other } }, { expect }), "verifier-mismatch");
    equal(await of({ signer: { keys: ["verifier"] } }, { expect }), "verifier-mismatch");
    equal(await of({ resourceUri: "pkg:npm/other@1.0.0" }, { expect }), "resource-mismatch");
    equal(await of({}), "missing-identity-expectation");
    equal(await of({}, { unsafelyAcceptAnyIdentity: true }), "verifier-mismatch");
  });
});
