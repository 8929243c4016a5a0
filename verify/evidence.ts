import { AttestationError } from "../errors.ts";
import { type DigestSet, normalizeDigest } from "../intoto/digest_set.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { matchSubject, matchSubjects } from "../intoto/match.ts";
import type { Statement } from "../intoto/statement.ts";
import { defaultAlgorithm } from "../keys/algorithm.ts";
import { parseSpki, type PublicKey } from "../keys/public_key.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import type {
  ArtifactEvidence,
  EvidenceAttestation,
  EvidenceSigner,
  RefusedAttestation,
} from "../policy/evidence.ts";
import type { CertificateIdentity } from "../sigstore/identity.ts";
import type { DigestedArtifact } from "./artifact.ts";
import type { LoadedAttestation } from "./load.ts";
import type { ArtifactReport, AttestationEvidence, AttestationReport } from "./report.ts";

/** What the envelope layer established, beyond what a report tells. */
export interface EnvelopeFacts {
  /** Keys that accepted and count. */
  keys: readonly TrustedKey[];
  /** Holder of the certificate that signed. */
  certificate?: { identity: CertificateIdentity; publicKey: PublicKey };
  /** Distinct logs that include it. */
  logs: number;
}

/** One attestation in relation to one artifact. */
export interface Finding {
  report: AttestationReport;
  facts: EnvelopeFacts;
}

/** Classical bits of security, which is what ML-DSA is named after in FIPS 204. */
const ML_DSA_BITS: Readonly<Record<string, number>> = {
  "ML-DSA-44": 128,
  "ML-DSA-65": 192,
  "ML-DSA-87": 256,
};

/**
 * What was established about an artifact, for a policy to judge: only what verified is an
 * attestation, everything else is told as refused.
 */
export function evidenceOf(
  artifact: DigestedArtifact,
  all: readonly DigestedArtifact[],
  rows: readonly { one: LoadedAttestation; finding: Finding }[],
): ArtifactEvidence {
  const attestations: EvidenceAttestation[] = [];
  const refused: RefusedAttestation[] = [];
  for (const { one, finding } of rows) {
    const { report, facts } = finding;
    if (report.ok) attestations.push(attestationOf(one, report, facts, artifact, all));
    else refused.push(refusedOf(report));
  }
  const { name, digest, oci, npm } = artifact;
  return {
    artifact: name,
    digest,
    ...(oci === undefined ? {} : { ociRepository: oci }),
    ...(npm === undefined ? {} : { npmPackage: npm }),
    attestations,
    refused,
  };
}

function refusedOf({ source, errorReason, checks }: AttestationReport): RefusedAttestation {
  const failed = checks.find(({ outcome }) => outcome === "failed");
  return { source, reason: errorReason ?? "internal-error", message: failed?.message ?? "" };
}

/** A report with what a policy needs to know. */
export function withEvidence(report: ArtifactReport, evidence: ArtifactEvidence): ArtifactReport {
  const { ociRepository, npmPackage, attestations } = evidence;
  let next = 0;
  return {
    artifact: report.artifact,
    digest: report.digest,
    ...(ociRepository === undefined ? {} : { oci: ociRepository }),
    ...(npmPackage === undefined ? {} : { npm: npmPackage }),
    ok: report.ok,
    errorReason: report.errorReason,
    attestations: report.attestations.map((one) => {
      if (!one.ok) return one;
      const { checks, ...rest } = one;
      return { ...rest, evidence: evidenceMember(attestations[next++]), checks };
    }),
  };
}

function evidenceMember(attestation: EvidenceAttestation): AttestationEvidence {
  const { source: _s, format: _f, timestamps: _t, statement: _p, ...rest } = attestation;
  return rest;
}

/**
 * The way back: what was established, as reports with evidence tell it.
 *
 * @param recount Compare all subjects with all artifacts anew: reports of several calls.
 * @throws {AttestationError} `malformed-report` if one lacks its evidence.
 */
export function evidenceOfReports(
  reports: readonly ArtifactReport[],
  recount: boolean,
): ArtifactEvidence[] {
  const all = recount ? reports.map(({ digest }) => digest) : [];
  return reports.map((report, i) => {
    const { artifact, digest, oci, npm } = report;
    const attestations: EvidenceAttestation[] = [];
    const refused: RefusedAttestation[] = [];
    for (const [k, one] of report.attestations.entries()) {
      if (!one.ok) {
        refused.push(refusedOf(one));
        continue;
      }
      const { evidence, source, format, timestamps } = one;
      const statement = evidence?.implicit === true ? implicitStatement(digest) : one.statement;
      if (evidence === undefined || statement === undefined) {
        throw new AttestationError(
          "malformed-report",
          "Cannot judge report: an attestation has no evidence; make the report with a policy " +
            "or with the option for evidence",
          { path: `/artifacts/${i}/attestations/${k}/evidence` },
        );
      }
      attestations.push({
        ...evidence,
        source,
        format: formatOf({ format }),
        timestamps,
        statement,
        allSubjectsMatched: recount && evidence.implicit !== true
          ? matchSubjects(statement, all, { mode: "all" }).ok
          : evidence.allSubjectsMatched,
      });
    }
    return {
      artifact,
      digest,
      ...(oci === undefined ? {} : { ociRepository: oci }),
      ...(npm === undefined ? {} : { npmPackage: npm }),
      attestations,
      refused,
    };
  });
}

/** The artifact itself was signed: nothing is said of it. */
function implicitStatement(digest: DigestSet): Statement {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ digest }],
    predicateType: "",
    predicate: {},
  };
}

function attestationOf(
  one: LoadedAttestation,
  report: AttestationReport,
  facts: EnvelopeFacts,
  artifact: DigestedArtifact,
  all: readonly DigestedArtifact[],
): EvidenceAttestation {
  const { source, statement, timestamps } = report;
  const signers = signersOf(facts);
  const common = {
    source,
    format: formatOf(report),
    signers,
    timestamps,
    logs: facts.logs,
    ...coverageOf(report),
  } as const;
  const content = contentOf(one);
  if (statement === undefined) {
    const digests = Object.keys(artifact.digest);
    return {
      ...common,
      payloadType: "",
      payloadDigest: Object.entries(artifact.digest).join(),
      statement: implicitStatement(artifact.digest),
      implicit: true,
      matched: [{ index: 0, algorithms: digests }],
      allSubjectsMatched: true,
    };
  }
  const { matched } = matchSubject(statement, artifact.digest) as { matched?: { index: number }[] };
  return {
    ...common,
    payloadType: content?.payloadType ?? report.foreign?.messageType ?? "",
    payloadDigest: encodeHex(sha256(content?.payload ?? new Uint8Array())),
    statement,
    matched: (matched ?? []).map(({ index }) => ({
      index,
      algorithms: equalAlgorithms(statement, index, artifact),
    })),
    allSubjectsMatched:
      matchSubjects(statement, all.map(({ digest }) => digest), { mode: "all" }).ok,
  };
}

/** What is neither, is a Statement that nobody signed or cannot be read: it never gets here. */
function formatOf({ format }: Pick<AttestationReport, "format">): EvidenceAttestation["format"] {
  return format === "statement" || format === "unknown" ? "dsse" : format;
}

/** Of DSSE and bundles nothing is said: they cover their whole message and its type. */
function coverageOf(
  { foreign }: AttestationReport,
): Pick<EvidenceAttestation, "coverage" | "messageTypeAuthenticated"> {
  if (foreign === undefined) return {};
  const { coverage, messageTypeAuthenticated } = foreign;
  return { coverage, messageTypeAuthenticated };
}

function equalAlgorithms(statement: Statement, index: number, { digest }: DigestedArtifact) {
  return Object.entries(statement.subject[index].digest ?? {})
    .filter(([algorithm, value]) =>
      Object.hasOwn(digest, algorithm) &&
      normalizeDigest(algorithm, digest[algorithm]) === normalizeDigest(algorithm, value)
    )
    .map(([algorithm]) => algorithm);
}

function contentOf(
  one: LoadedAttestation,
): { payloadType: string; payload: Uint8Array } | undefined {
  if ("envelope" in one) return one.envelope;
  if ("foreign" in one) {
    const { message, messageType = "" } = one.foreign.parsed;
    return { payloadType: messageType, payload: one.message ?? message ?? new Uint8Array() };
  }
  if ("bundle" in one && one.bundle.content.kind === "envelope") return one.bundle.content.envelope;
  return undefined;
}

function signersOf({ keys, certificate }: EnvelopeFacts): EvidenceSigner[] {
  const signers: EvidenceSigner[] = keys.map((key) => ({
    name: key.name,
    kind: "key",
    distinct: key.fingerprint,
    fingerprint: key.fingerprint,
    algorithm: key.alg,
    key: trustedSizeOf(key),
  }));
  if (certificate !== undefined) {
    const { identity, publicKey } = certificate;
    const { issuer, subjectAlternativeName } = identity;
    signers.push({
      name: subjectAlternativeName,
      kind: "certificate",
      distinct: `${issuer} ${withoutRef(subjectAlternativeName)}`,
      algorithm: defaultAlgorithm(publicKey).alg,
      key: sizeOf(publicKey),
      identity,
    });
  }
  return signers;
}

/** A workflow at another ref is the same one: whoever can push makes as many refs as they like. */
function withoutRef(name: string): string {
  return /^https:\/\//.test(name)
    ? name.replace(/@(?:refs\/.*|[0-9a-f]{40}|[0-9a-f]{64})$/s, "")
    : name;
}

/** To read an Ed25519 key means to look for its point on the curve: once is enough. */
const trustedSizes = new WeakMap<TrustedKey, EvidenceSigner["key"]>();

function trustedSizeOf(key: TrustedKey): EvidenceSigner["key"] {
  let size = trustedSizes.get(key);
  if (size === undefined) {
    size = Object.freeze(sizeOf(parseSpki(key.spki)));
    trustedSizes.set(key, size);
  }
  return size;
}

function sizeOf({ kind, curve, modulusBits = 0 }: PublicKey): EvidenceSigner["key"] {
  if (kind === "RSA") return { kind, bits: modulusBits };
  if (curve !== undefined) return { kind, bits: Number(curve.slice(2)) };
  return kind === "Ed25519"
    ? { kind, bits: 256 }
    : { kind: "ML-DSA", bits: ML_DSA_BITS[kind] ?? 0 };
}
