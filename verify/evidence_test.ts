import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import type { AttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { modulus, rsaSpki } from "../keys/_fixtures_test.ts";
import { generateSigner } from "../keys/signer.ts";
import { encodeSpki } from "../keys/spki.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import {
  ARTIFACT,
  BLOB,
  bundleOf,
  ENVELOPE,
  IDENTITY,
  rootOf,
} from "../tests/fixtures/sigstore.ts";
import {
  ABC,
  ABC_SHA256,
  ciKey,
  hexOf,
  PREDICATE,
  signed,
  statementAbout,
  TYPE,
} from "./_fixtures_test.ts";
import { evidenceOfReports } from "./evidence.ts";
import { verify } from "./mod.ts";
import type { VerifyOptions } from "./options.ts";
import type { ArtifactReport, AttestationEvidence } from "./report.ts";

const NOW = new Date("2026-06-01T00:00:00Z");

async function reportsOf(
  attestations: object | string | (object | string)[],
  artifacts: Parameters<typeof verify>[1],
  options: VerifyOptions = {},
): Promise<ArtifactReport[]> {
  const { trustedKey } = await ciKey();
  const trust = { keys: [trustedKey] };
  const told = { now: NOW, trust, evidence: true, ...options };
  return (await verify(attestations, artifacts, told)).artifacts;
}

async function keyless(): Promise<VerifyOptions> {
  return {
    trust: { trustedRoots: [await rootOf()], onlyRoot: true },
    expect: { identity: IDENTITY },
  };
}

/** The evidence of the one attestation about the one artifact. */
function only([report]: readonly ArtifactReport[]): AttestationEvidence | undefined {
  equal(report.errorReason, null);
  return report.attestations[0].evidence;
}

/** A key that is elsewhere, and says of everything that it signed it. */
function believed(spki: Uint8Array<ArrayBuffer>, alg: TrustedKey["alg"]): TrustedKey {
  const fingerprint = encodeHex(sha256(spki));
  return { name: "k", alg, fingerprint, spki, verify: () => Promise.resolve(true) };
}

describe("verify() with `evidence`", () => {
  it("tells of an envelope who signed what, and which subjects are the artifact", async () => {
    const { fingerprint } = (await ciKey()).trustedKey;
    const payload = statementAbout(["x", "abc"]);
    const artifact = { content: ABC, oci: "registry.example/acme/app", npm: "@acme/app" };
    const reports = await reportsOf([await signed(payload), "junk"], artifact);
    const evidence = {
      signers: [{
        name: "ci",
        kind: "key",
        distinct: fingerprint,
        fingerprint,
        algorithm: "Ed25519",
        key: { kind: "Ed25519", bits: 256 },
      }],
      logs: 0,
      payloadType: TYPE,
      payloadDigest: hexOf(JSON.stringify(payload)),
      matched: [{ index: 1, algorithms: ["sha256"] }],
      allSubjectsMatched: false,
    };
    deepEqual(only(reports), evidence);
    const [{ oci, npm, attestations: [, refused] }] = reports;
    deepEqual([oci, npm], [artifact.oci, artifact.npm]);
    equal(refused.evidence, undefined);
    const bare = (await reportsOf(await signed(payload), artifact, { evidence: false }))[0];
    deepEqual(["oci" in bare, "npm" in bare, "evidence" in bare.attestations[0]], [
      false,
      false,
      false,
    ]);
    const without = (await reportsOf(await signed(payload), ABC))[0];
    deepEqual(["oci" in without, "npm" in without], [false, false]);
    const [both] = await reportsOf(await signed(payload), [ABC, utf8("x")]);
    equal(both.attestations[0].evidence?.allSubjectsMatched, true);
  });

  it("tells of a bundle its payload, its logs and the identity", async () => {
    const [report] = await reportsOf(await bundleOf(ENVELOPE), ARTIFACT, await keyless());
    const [{ identity, evidence }] = report.attestations;
    const { subjectAlternativeName, issuer } = IDENTITY;
    equal(identity?.issuer, issuer);
    const { payload } = ENVELOPE.content as { payload: Uint8Array };
    deepEqual(evidence, {
      signers: [{
        name: subjectAlternativeName,
        kind: "certificate",
        distinct: `${issuer} ${String(subjectAlternativeName).replace(/@.*$/, "")}`,
        algorithm: "ES256",
        key: { kind: "EC", bits: 256 },
        identity,
      }],
      logs: 1,
      payloadType: TYPE,
      payloadDigest: encodeHex(sha256(payload)),
      matched: [{ index: 0, algorithms: ["sha256"] }],
      allSubjectsMatched: true,
    });
  });

  it("tells of a signature over the artifact that nothing is said of it", async () => {
    const reports = await reportsOf(await bundleOf(BLOB), ARTIFACT, await keyless());
    const evidence = only(reports)!;
    const hex = encodeHex(sha256(ARTIFACT));
    deepEqual({ ...evidence, signers: evidence.signers.length }, {
      signers: 1,
      logs: 1,
      payloadType: "",
      payloadDigest: `sha256,${hex}`,
      implicit: true,
      matched: [{ index: 0, algorithms: ["sha256"] }],
      allSubjectsMatched: true,
    });
  });

  it("tells kind and bits of a key by its bytes, whatever its name", async () => {
    const curve = async (alg: "ES384" | "ES512") => (await generateSigner(alg)).trustedKey;
    const mlDsa = (kind: "ML-DSA-44" | "ML-DSA-65" | "ML-DSA-87", size: number) =>
      believed(encodeSpki({ kind, encoded: new Uint8Array(size) }), kind);
    const e = Uint8Array.of(1, 0, 1);
    const rows: [TrustedKey, string, number][] = [
      [believed(rsaSpki(modulus(2048), e), "RS256"), "RSA", 2048],
      [believed(rsaSpki(modulus(4096), e), "PS512"), "RSA", 4096],
      [await curve("ES384"), "EC", 384],
      [await curve("ES512"), "EC", 521],
      [mlDsa("ML-DSA-44", 1312), "ML-DSA", 128],
      [mlDsa("ML-DSA-65", 1952), "ML-DSA", 192],
      [mlDsa("ML-DSA-87", 2592), "ML-DSA", 256],
    ];
    const envelope = await signed(statementAbout(["abc"]));
    for (const [key, kind, bits] of rows) {
      const trusted = { ...key, verify: () => Promise.resolve(true) };
      const evidence = only(await reportsOf(envelope, ABC, { trust: { keys: [trusted] } }));
      deepEqual(evidence?.signers.map(({ algorithm, key }) => [algorithm, key]), [
        [key.alg, { kind, bits }],
      ]);
    }
  });

  it("names the algorithms whose digests are equal, in either case, and no other", async () => {
    const sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d";
    const digest = { sha256: ABC_SHA256, sha1 };
    const rows: [object, string[]][] = [
      [{ sha256: ABC_SHA256 }, ["sha256"]],
      [{ sha256: ABC_SHA256, sha1 }, ["sha256", "sha1"]],
      [{ sha256: ABC_SHA256.toUpperCase(), sha1: sha1.toUpperCase() }, ["sha256", "sha1"]],
      // Weak ones are not compared: they neither make nor break a match.
      [{ sha256: ABC_SHA256, sha1: "0".repeat(40) }, ["sha256"]],
      [{ sha256: ABC_SHA256, gitCommit: sha1 }, ["sha256"]],
    ];
    for (const [stated, algorithms] of rows) {
      const subject = [{ name: "abc", digest: stated }];
      const envelope = await signed(statementAbout([], { subject }));
      deepEqual(only(await reportsOf(envelope, { digest }))?.matched, [{ index: 0, algorithms }]);
    }
  });
});

describe("evidenceOfReports()", () => {
  it("gives back what verified and what was refused, of each artifact", async () => {
    const stranger = await generateSigner("Ed25519");
    const payload = statementAbout(["abc"]);
    const forged = await signed(payload, stranger.signer);
    const artifact = { content: ABC, oci: "registry.example/acme/app", npm: "@acme/app" };
    const reports = await reportsOf([forged, await signed(payload)], [artifact, utf8("x")]);
    const [first, second] = evidenceOfReports(reports, false);
    const [{ attestations: [bad, good] }] = reports;
    const message = bad.checks.find(({ outcome }) => outcome === "failed")?.message;
    deepEqual(first, {
      artifact: `sha256:${ABC_SHA256}`,
      digest: { sha256: ABC_SHA256 },
      ociRepository: artifact.oci,
      npmPackage: artifact.npm,
      attestations: [{
        ...good.evidence,
        source: "attestation 2",
        format: "dsse",
        timestamps: [],
        statement: good.statement,
      }],
      refused: [{ source: "attestation 1", reason: "invalid-signature", message }],
    });
    equal(good.statement?.predicateType, PREDICATE);
    deepEqual(second.attestations, []);
    deepEqual(second.refused.map(({ reason }) => reason), [
      "invalid-signature",
      "subject-mismatch",
    ]);
    deepEqual(["ociRepository" in second, "npmPackage" in second], [false, false]);
  });

  it("takes a signature over the artifact for all that it is about, in each call", async () => {
    const options = await keyless();
    const bundle = await bundleOf(BLOB);
    const reports = [
      ...await reportsOf(bundle, ARTIFACT, options),
      ...await reportsOf(await signed(statementAbout(["abc", "x"])), ABC),
    ];
    const matched = (recount: boolean) =>
      evidenceOfReports(reports, recount).map(({ attestations: [one] }) => one.allSubjectsMatched);
    deepEqual(matched(false), [true, false]);
    deepEqual(matched(true), [true, false]);
    const [{ attestations: [{ statement }] }] = evidenceOfReports(reports, false);
    deepEqual(statement, {
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ digest: { sha256: encodeHex(sha256(ARTIFACT)) } }],
      predicateType: "",
      predicate: {},
    });
  });

  it("refuses a report without evidence, or without the Statement that it is about", async () => {
    const [report] = await reportsOf(await signed(statementAbout(["abc"])), ABC);
    for (const name of ["evidence", "statement"] as const) {
      const [one] = report.attestations;
      const attestations = [{ ...one, ok: false }, { ...one, [name]: undefined }];
      throws(
        () => evidenceOfReports([{ ...report, attestations }], false),
        (error: AttestationError) =>
          error.reason === "malformed-report" &&
          error.path === "/artifacts/0/attestations/1/evidence",
      );
    }
  });
});
