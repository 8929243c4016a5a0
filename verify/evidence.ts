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

/** An artifact with what was found of each attestation. */
export interface FoundOfArtifact {
  artifact: DigestedArtifact;
  rows: readonly { one: LoadedAttestation; finding: Finding }[];
}

/**
 * A report with what a policy needs to know of each attestation that verified.
 *
 * @param all Every artifact of the call.
 */
export function withEvidence(
  report: ArtifactReport,
  { artifact, rows }: FoundOfArtifact,
  all: readonly DigestedArtifact[],
): ArtifactReport {
  const { oci, npm } = artifact;
  return {
    artifact: report.artifact,
    digest: report.digest,
    ...(oci === undefined ? {} : { oci }),
    ...(npm === undefined ? {} : { npm }),
    ok: report.ok,
    errorReason: report.errorReason,
    attestations: rows.map(({ one, finding }) => {
      if (!finding.report.ok) return finding.report;
      const { checks, ...rest } = finding.report;
      return { ...rest, evidence: memberOf(one, finding, artifact, all), checks };
    }),
  };
}

function refusedOf({ source, errorReason, checks }: AttestationReport): RefusedAttestation {
  const failed = checks.find(({ outcome }) => outcome === "failed");
  return { source, reason: errorReason ?? "internal-error", message: failed?.message ?? "" };
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
        format: format as EvidenceAttestation["format"],
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

function memberOf(
  one: LoadedAttestation,
  { report, facts }: Finding,
  artifact: DigestedArtifact,
  all: readonly DigestedArtifact[],
): AttestationEvidence {
  const { statement } = report;
  const common = { signers: signersOf(facts), logs: facts.logs, ...coverageOf(report) };
  if (statement === undefined) {
    const digests = Object.keys(artifact.digest);
    return {
      ...common,
      payloadType: "",
      payloadDigest: Object.entries(artifact.digest).join(),
      implicit: true,
      matched: [{ index: 0, algorithms: digests }],
      allSubjectsMatched: true,
    };
  }
  const content = contentOf(one);
  const { matched } = matchSubject(statement, artifact.digest) as { matched?: { index: number }[] };
  return {
    ...common,
    payloadType: content?.payloadType ?? "",
    payloadDigest: encodeHex(sha256(content?.payload ?? new Uint8Array())),
    matched: (matched ?? []).map(({ index }) => ({
      index,
      algorithms: equalAlgorithms(statement, index, artifact),
    })),
    allSubjectsMatched:
      matchSubjects(statement, all.map(({ digest }) => digest), { mode: "all" }).ok,
  };
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

/** What was signed as a message of its own: of each that has a Statement there is one. */
function contentOf(
  one: LoadedAttestation,
): { payloadType: string; payload: Uint8Array } | undefined {
  if ("envelope" in one) return one.envelope;
  if ("foreign" in one) {
    const { message, messageType = "" } = one.foreign.parsed;
    return { payloadType: messageType, payload: one.message ?? message ?? new Uint8Array() };
  }
  const content = "bundle" in one ? one.bundle.content : undefined;
  return content?.kind === "envelope" ? content.envelope : undefined;
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
