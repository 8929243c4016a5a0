import { AttestationError, type Reason } from "../errors.ts";
import { verifyDecodedEnvelope } from "../dsse/verify.ts";
import { type Bytes, utf8 } from "../internal/bytes.ts";
import { CheckList } from "../internal/check_list.ts";
import { digest } from "../internal/digest.ts";
import { encodeHex } from "../internal/hex.ts";
import { quote } from "../internal/json.ts";
import type { CompiledPolicy } from "../policy/compiled.ts";
import type { EvidenceSigner } from "../policy/evidence.ts";
import type { PolicyVerdict } from "../policy/verdict.ts";
import type { Check } from "../report.ts";
import { contentId } from "../store/claims.ts";
import type { JudgedAttestation } from "../store/sql/commit.ts";
import { DEFAULT_LIMITS, loadAttestations, type LoadedAttestation } from "../verify/load.ts";
import type { AttestationReport } from "../verify/report.ts";
import { verify } from "../verify/verify.ts";
import { describeAttestation, minimalPayload } from "./describe.ts";

/** What is judged. */
export interface ManifestClaim {
  /** Name of the manifest. */
  urn: string;
  /** Its card, canonical JSON (RFC 8785). */
  card: string;
  /** Its attestations, byte for byte. */
  provenance: readonly Bytes[];
}

/** By what it is judged. */
export interface JudgeOptions {
  /** Whom to believe, and what must be attested. */
  policy: CompiledPolicy;
  /** Moment of the verdict. */
  now: Date;
  /** Bytes of one attestation. */
  maxAttestationBytes?: number;
  /** Attestations of one manifest. */
  maxAttestations?: number;
  /** Subjects of one attestation. */
  maxSubjects?: number;
  /** Stops the work. */
  signal?: AbortSignal;
}

/** What was found about one attestation. */
export interface AttestationFinding {
  /** Its place in the request. */
  source: string;
  /** `sha256:` and hex of its bytes. */
  id: string;
  /** What it was read as. */
  format: string;
  /** Every check passed, its signer is one whom the policy names, and the policy accepts. */
  ok: boolean;
  /** Why not; null when `ok`. */
  errorReason: Reason | null;
  /** Predicate type, of a verified one. */
  predicateType?: string;
  /** Names of the keys or identities whose signatures were accepted. */
  signers: string[];
  /** Every check, in order. */
  checks: Check[];
}

/** The report about a manifest: what `422` answers and the audit keeps. */
export interface RegistryReport {
  /** Everything passed. */
  ok: boolean;
  /** The first reason; null when `ok`. */
  errorReason: Reason | null;
  /** The word that people look for. */
  verificationResult: "PASSED" | "FAILED";
  /** Name of the manifest. */
  urn: string;
  /** `sha256:` and hex of the canonical card. */
  digest: string;
  /** Moment of the verdict, RFC 3339. */
  time: string;
  /** `sha256:` and hex of the policy. */
  policyDigest: string;
  /** Each attestation, in the order given. */
  attestations: AttestationFinding[];
  /** Verdict of the policy on those that verified. */
  policy: PolicyVerdict;
}

/** What was found, for answers and for the database. */
export interface Judgement {
  /** For people. */
  report: RegistryReport;
  /** For the database. */
  attestations: JudgedAttestation[];
  /** Milliseconds that `verify()` took. */
  verifyMs: number;
}

/** Subjects of one attestation that are indexed. */
const MAX_SUBJECTS = 1024;
/** Attestations in one request. */
const MAX_ATTESTATIONS = 32;
/** Bytes of one attestation. */
const MAX_ATTESTATION_BYTES = 8 << 20;

/** One attestation on its way through the checks. */
interface Candidate {
  source: string;
  content: Bytes;
  id: string;
  loaded: LoadedAttestation;
  list: CheckList;
  /** Reads as verified only if `verify()` says so. */
  verified?: AttestationReport;
  /** Somebody whom the policy names, and who signed it. */
  signer?: string;
}

/**
 * Judges the attestations of a manifest, in this order: limits, envelope, subject, then
 * signature, Statement and predicate, then the policy.
 *
 * A subject must have the name of the manifest, and the SHA-256 of its canonical card: both are
 * signed, so that an attestation is of no use for another urn or another card. All attestations
 * of a request must be good, and signed by somebody whom the policy names; the policy must
 * accept what they say together.
 *
 * @throws The reason of `options.signal`, when it is aborted.
 */
export async function judgeManifest(
  claim: ManifestClaim,
  options: JudgeOptions,
): Promise<Judgement> {
  const { urn, card } = claim;
  const { policy, now, signal } = options;
  const content = utf8(card);
  const hex = encodeHex(await digest("SHA-256", content));
  const candidates = await readAll(claim, hex, options);
  const bound = candidates.filter(({ list }) => list.error === undefined);
  const start = performance.now();
  const { artifacts: [artifact], policy: verdict } = await verify(
    bound.map(({ source, content }) => ({ source, content })),
    { name: urn, content },
    { policy, now, signal, limits: limitsOf(options) },
  );
  for (const one of candidates) await findUnboundSigner(one, policy);
  const verifyMs = performance.now() - start;
  if (verdict === undefined) throw new TypeError("A policy was given and none judged");
  for (const [i, one] of bound.entries()) {
    one.verified = artifact.attestations[i];
    one.list.checks.push(...one.verified.checks);
    checkSigner(one, policy);
  }
  const findings = candidates.map((one) => findingOf(one, verdict));
  const bad = findings.find(({ errorReason }) => errorReason !== null);
  const errorReason = candidates.length === 0
    ? "missing-provenance"
    : bad?.errorReason ?? verdict.errorReason;
  return {
    verifyMs,
    report: {
      ok: errorReason === null,
      errorReason,
      verificationResult: errorReason === null ? "PASSED" : "FAILED",
      urn,
      digest: `sha256:${hex}`,
      time: now.toISOString(),
      policyDigest: `sha256:${policy.digest}`,
      attestations: findings,
      policy: withoutUnasked(verdict),
    },
    attestations: candidates.map((one, i) => judged(one, findings[i])),
  };
}

/** A verdict without the rules that select something else. */
function withoutUnasked(verdict: PolicyVerdict): PolicyVerdict {
  const artifacts = verdict.artifacts.map((one) => ({
    ...one,
    rules: one.rules.filter(({ outcome }) => outcome !== "not-applicable"),
  }));
  return { ...verdict, artifacts };
}

function limitsOf(
  {
    maxAttestationBytes = MAX_ATTESTATION_BYTES,
    maxAttestations = MAX_ATTESTATIONS,
    maxSubjects = MAX_SUBJECTS,
  }: JudgeOptions,
) {
  return { maxAttestationBytes, maxAttestations, maxSubjects };
}

async function readAll(
  { urn, provenance }: ManifestClaim,
  hex: string,
  options: JudgeOptions,
): Promise<Candidate[]> {
  const limits = { ...DEFAULT_LIMITS, ...limitsOf(options) };
  if (provenance.length > limits.maxAttestations) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot judge manifest: ${provenance.length} attestations, at most ` +
        `${limits.maxAttestations} are accepted`,
      { path: "/provenance" },
    );
  }
  return await Promise.all(provenance.map(async (content, i): Promise<Candidate> => {
    const source = `provenance/${i}`;
    const list = new CheckList();
    const id = await contentId(content);
    const all = await loadAttestations({ source, content }, i, limits);
    const [loaded] = all;
    const one = { source, content, id, loaded, list };
    if (all.length !== 1 || loaded.source !== source) {
      const message = "Cannot read attestation: it is a list; give each by itself";
      list.refused("envelope.parse", "unknown-format", message);
      return { ...one, loaded: { source, format: "unknown", error: list.error! } };
    }
    checkSubject(one, urn, hex);
    return one;
  }));
}

/** Envelope and subject: what can be said before a signature is looked at. */
function checkSubject({ loaded, list }: Candidate, urn: string, hex: string): void {
  if ("error" in loaded) return list.failed("envelope.parse", loaded.error);
  if (minimalPayload(loaded) !== undefined) {
    return list.refused(
      "statement.subject",
      "missing-subject",
      "Cannot accept payload: the earlier minimal format is about no artifact in particular, " +
        "and could be shown again for another one",
    );
  }
  if (!("unverifiedStatement" in loaded) || loaded.unverifiedStatement === undefined) {
    const message = "Cannot accept attestation: it signs a blob, and says nothing about a manifest";
    return list.refused("statement.parse", "malformed-statement", message);
  }
  if ("error" in loaded.unverifiedStatement) {
    return list.failed("statement.parse", loaded.unverifiedStatement.error);
  }
  const { subject } = loaded.unverifiedStatement.value;
  const same = subject.filter(({ digest = {} }) =>
    Object.hasOwn(digest, "sha256") && digest.sha256.toLowerCase() === hex
  );
  if (same.length === 0) {
    const facts = { expected: `sha256:${hex}`, path: "/subject" };
    const message = `Cannot accept attestation: no subject has the digest of the card of ${
      quote(urn)
    }, sha256:${hex}`;
    return list.refused("statement.subject", "subject-mismatch", message, facts);
  }
  if (same.some(({ name }) => name === urn)) return;
  const names = same.map(({ name }) => name === undefined ? "none" : quote(name)).join(", ");
  list.refused(
    "statement.subject-name",
    "subject-name-mismatch",
    `Cannot accept attestation: the subject with the digest of the card has the name ${names}, ` +
      `wanted ${quote(urn)}`,
    { expected: urn, actual: names, path: "/subject" },
  );
}

/** A certificate of somebody whom the policy does not name proves only that he exists. */
function checkSigner(one: Candidate, policy: CompiledPolicy): void {
  const { verified, list } = one;
  if (verified === undefined || !verified.ok) return;
  const signers: readonly EvidenceSigner[] = verified.evidence?.signers ?? [];
  const slots = [...policy.slots.values()].flat();
  one.signer = signers.find((signer) => slots.some((slot) => slot.matches(signer)))?.name;
  if (one.signer !== undefined) return;
  list.refused(
    "envelope.signer",
    "signer-mismatch",
    "Cannot accept attestation: the policy names none of its signers",
    { actual: verified.signers.join(", "), origin: "certificate" },
  );
}

/** Who signed a payload that is about no artifact: for the history, never for the verdict. */
async function findUnboundSigner(one: Candidate, { keys }: CompiledPolicy): Promise<void> {
  const { loaded } = one;
  if (!("envelope" in loaded) || minimalPayload(loaded) === undefined || keys.length === 0) return;
  const result = await verifyDecodedEnvelope(loaded.envelope, { keys: [...keys] });
  if (result.ok) one.signer = result.acceptedBy[0];
}

function findingOf(one: Candidate, verdict: PolicyVerdict): AttestationFinding {
  const { source, id, loaded, list, verified } = one;
  const own = list.error?.reason ?? (verified?.ok === true ? null : verified?.errorReason) ?? null;
  const isUnjudged = own === null && verified?.ok !== true;
  const errorReason = isUnjudged ? "internal-error" : own ?? verdict.errorReason;
  return {
    source,
    id,
    format: loaded.format,
    ok: errorReason === null,
    errorReason,
    ...(verified?.predicateType === undefined ? {} : { predicateType: verified.predicateType }),
    signers: verified?.signers ?? (one.signer === undefined ? [] : [one.signer]),
    checks: list.checks,
  };
}

function judged(one: Candidate, { ok, errorReason }: AttestationFinding): JudgedAttestation {
  const { id, content, loaded, verified, signer } = one;
  const { payloadType, predicateType, subjects, builder, timestamp, ...rest } = describeAttestation(
    loaded,
  );
  // What nobody whom the policy names has signed is told of nobody.
  const isSigned = signer !== undefined;
  return {
    ...{ id, content, format: loaded.format, payloadType, predicateType, ...rest },
    subjects,
    issuer: signer ?? null,
    builder: isSigned ? builder : null,
    timestamp: isSigned ? timestamp ?? signedAt(verified) : null,
    verdict: ok ? "PASSED" : "FAILED",
    reason: errorReason,
  };
}

/** The first verified time of signing. */
function signedAt(verified: AttestationReport | undefined): string | null {
  const [first] = verified?.timestamps ?? [];
  return first?.timestamp ?? null;
}

/** All refusals of a report, for an answer that lists them. */
export function problemsOf(
  report: RegistryReport,
): { reason: string; path: string; message: string }[] {
  const problems = report.attestations.flatMap(({ source, checks }) =>
    checks.filter(({ outcome }) => outcome === "failed").map(({ reason, message }) => ({
      reason: reason ?? "internal-error",
      path: `/${source}`,
      message,
    }))
  );
  for (const { rules } of report.policy.artifacts) {
    for (const { outcome, reason, message, id } of rules) {
      if (outcome === "failed") {
        problems.push({ reason: reason ?? "internal-error", path: `policy/${id}`, message });
      }
    }
  }
  return problems;
}
