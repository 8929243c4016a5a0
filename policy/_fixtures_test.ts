import { encodeHex } from "../internal/hex.ts";
import type { JsonObject } from "../internal/json.ts";
import { utf8 } from "../internal/bytes.ts";
import { sha256 } from "../internal/sha256.ts";
import type { Statement } from "../intoto/statement.ts";
import type { CertificateIdentity } from "../sigstore/identity.ts";
import { compilePolicy } from "./compile.ts";
import type { PolicyDocument, PolicyRule, Requirement } from "./document.ts";
import { evaluatePolicy } from "./evaluate.ts";
import type { ArtifactEvidence, EvidenceAttestation, EvidenceSigner } from "./evidence.ts";
import { parsePolicy } from "./parse.ts";
import type { ArtifactVerdict, PolicyCheck, PolicyVerdict } from "./verdict.ts";

/** Public keys that nobody has the private half of in a test. */
export const KEYS = {
  alice: "-----BEGIN PUBLIC KEY-----\n" +
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n" +
    "-----END PUBLIC KEY-----\n",
  bob: "-----BEGIN PUBLIC KEY-----\n" +
    "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=\n" +
    "-----END PUBLIC KEY-----\n",
};

export const NOW = new Date("2026-06-01T00:00:00Z");
export const PROVENANCE = "https://slsa.dev/provenance/v1";
export const TEST = "https://in-toto.io/attestation/test-result/v0.1";
export const SHA = "a".repeat(64);
export const ISSUER = "https://token.actions.githubusercontent.com";

/** A policy of one rule. */
export function policyOf(rule: Partial<PolicyRule>, more: Partial<PolicyDocument> = {}): unknown {
  return {
    type: "attest-policy/v1",
    trust: {
      keys: { alice: { publicKey: KEYS.alice }, bob: { publicKey: KEYS.bob } },
      identities: {
        release: { issuer: ISSUER, subjectAlternativeName: "https://ci.example/release" },
      },
      groups: { maintainers: ["alice", "bob"] },
    },
    rules: [{ id: "release", require: [{ id: "signed" }], ...rule }],
    ...more,
  };
}

/** A signer by the name of a key, or the holder of a certificate. */
export async function signer(name: keyof typeof KEYS): Promise<EvidenceSigner> {
  const { importTrustedKey } = await import("../keys/trusted_key.ts");
  const { fingerprint } = await importTrustedKey(KEYS[name]);
  return {
    name,
    kind: "key",
    distinct: fingerprint,
    fingerprint,
    algorithm: "Ed25519",
    key: { kind: "Ed25519", bits: 256 },
  };
}

export function holder(subjectAlternativeName: string, issuer: string = ISSUER): EvidenceSigner {
  const identity: CertificateIdentity = { subjectAlternativeName, sanType: "uri", issuer };
  return {
    name: subjectAlternativeName,
    kind: "certificate",
    distinct: `${issuer} ${subjectAlternativeName}`,
    algorithm: "ES256",
    key: { kind: "EC", bits: 256 },
    identity,
  };
}

/** An attestation about the one artifact. */
export function attestation(
  signers: EvidenceSigner[],
  predicate: JsonObject = {},
  more: Partial<EvidenceAttestation> & { predicateType?: string } = {},
): EvidenceAttestation {
  const { predicateType = TEST, ...rest } = more;
  const statement: Statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "app", digest: { sha256: SHA } }],
    predicateType,
    predicate,
  };
  return {
    source: "app.json",
    format: "dsse",
    payloadType: "application/vnd.in-toto+json",
    payloadDigest: encodeHex(sha256(utf8(JSON.stringify(statement)))),
    signers,
    timestamps: [],
    logs: 0,
    statement,
    matched: [{ index: 0, algorithms: ["sha256"] }],
    allSubjectsMatched: true,
    ...rest,
  };
}

export function artifact(
  attestations: EvidenceAttestation[],
  more: Partial<ArtifactEvidence> = {},
): ArtifactEvidence {
  return { artifact: "app", digest: { sha256: SHA }, attestations, refused: [], ...more };
}

export async function judge(
  policy: unknown,
  evidence: ArtifactEvidence[],
  now: Date = NOW,
): Promise<PolicyVerdict> {
  return evaluatePolicy(await compilePolicy(parsePolicy(policy as object)), evidence, now);
}

/** Verdict on one artifact with these attestations under one requirement. */
export async function judgeOne(
  requirement: Partial<Requirement>,
  attestations: EvidenceAttestation[],
  more: Partial<PolicyDocument> = {},
): Promise<ArtifactVerdict> {
  const policy = policyOf({ require: [{ id: "signed", ...requirement }] }, more);
  return (await judge(policy, [artifact(attestations)])).artifacts[0];
}

/** What a requirement says of one attestation, check by check, under the names of the checks. */
export async function checksOf(
  requirement: Partial<Requirement>,
  about: EvidenceAttestation,
  more: Partial<PolicyDocument> = {},
): Promise<PolicyCheck[]> {
  const { rules } = await judgeOne(requirement, [about], more);
  const checks = rules[0].children?.[0].children?.[0].children ?? [];
  return checks.map((check) => ({ ...check, id: check.id.slice("release/signed/".length) }));
}

/** The check of a name; there must be one. */
export async function checkOf(
  name: string,
  requirement: Partial<Requirement>,
  about: EvidenceAttestation,
): Promise<PolicyCheck> {
  const found = (await checksOf(requirement, about)).filter(({ id }) => id === name);
  if (found.length !== 1) throw new Error(`${name}: ${found.length} checks`);
  return found[0];
}

/** Every failed or waived check without parts. */
export function failures(checks: readonly PolicyCheck[]): PolicyCheck[] {
  return checks.flatMap((check) => {
    const inner = failures(check.children ?? []);
    if (inner.length > 0) return inner;
    return check.outcome === "failed" || check.outcome === "waived" ? [check] : [];
  });
}
