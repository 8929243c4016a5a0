import { CheckList } from "../internal/check_list.ts";
import { quote } from "../internal/json.ts";
import { CLOCK_SKEW_MS, parseTimestamp } from "../internal/timestamp.ts";
import { type DigestSet, normalizeDigest, WEAK_DIGESTS } from "../intoto/digest_set.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import type { Statement } from "../intoto/statement.ts";
import type { Check } from "../report.ts";
import { compareIdentity } from "../sigstore/identity.ts";
import type { SignerEvidence } from "./evidence.ts";
import {
  checkVsaExpectation,
  isText,
  type VsaExpectation,
  type VsaSigner,
} from "./vsa_expectation.ts";
import { parseTrackLevel, repeatedTracks } from "./vsa_level.ts";
import { parseVsaPredicate, type VerificationSummary, VSA_V0_2, VSA_V1 } from "./vsa_predicate.ts";

/** What must be said, and when that is judged. */
export interface VsaRequirement extends VsaExpectation {
  /** Time of the judgement, for `maxAge` only. Default: now. */
  now?: Date;
}

/** What the evaluation of a VSA found. */
export interface VsaEvaluation {
  /** Every check, in order. */
  checks: Check[];
  /** The summary, when it could be read. */
  summary?: VerificationSummary;
}

/**
 * Judges what a verified VSA says: that an accepted verifier passed this resource, with
 * these levels. Who signed must have been established before; nothing here looks at a
 * signature, and nothing but a `digest` in the expectation at an artifact.
 *
 * Source: SLSA 1.2, verification_summary.md, "How to verify", steps 3 to 7;
 * verifying-source.md.
 *
 * @param statement Statement of the verified payload.
 * @param evidence Who signed, as `verify()` established it.
 * @param required What must be said, and `now`, the time of the judgement, for `maxAge` only.
 * @returns Checks of the layer `predicate`, with the reasons `predicate-type-mismatch`,
 * those of {@linkcode parseVsaPredicate}, `verifier-mismatch`,
 * `missing-resource-expectation`, `resource-mismatch`, `verification-not-passed`,
 * `insufficient-level`, `duplicate-track-level`, `dependencies-unknown`, `vsa-too-old`,
 * `invalid-timestamp`, `policy-mismatch`, `subject-mismatch`,
 * `unsupported-digest-algorithm`, `source-ref-mismatch`.
 * @throws {TypeError} If the expectation has an unknown member or one of a wrong form.
 *
 * @example
 * ```ts
 * import { createVsa, evaluateVsa } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const digest = { sha256: "a".repeat(64) };
 * const now = new Date("2026-01-02T00:00:00Z");
 * const statement = createVsa(
 *   { ok: true, artifacts: [{ artifact: "app.tgz", digest, ok: true, attestations: [] }] },
 *   {
 *     verifier: { id: "https://example.com/verifier" },
 *     resourceUri: "pkg:npm/app@1.0.0",
 *     policy: { uri: "https://example.com/policy" },
 *     verifiedLevels: ["SLSA_BUILD_LEVEL_2"],
 *     timeVerified: now,
 *   },
 * );
 * const { checks } = evaluateVsa(statement, { keys: [] }, {
 *   verifierId: "https://example.com/verifier",
 *   resourceUri: "pkg:npm/app@1.0.0",
 *   verifiedLevels: ["SLSA_BUILD_LEVEL_3"],
 *   now,
 * });
 * const failed = checks.filter(({ outcome }) => outcome === "failed");
 * assert.deepEqual(failed.map(({ reason }) => reason), [
 *   "verifier-mismatch",
 *   "insufficient-level",
 * ]);
 * ```
 */
export function evaluateVsa(
  statement: Statement,
  evidence: SignerEvidence,
  required: VsaRequirement,
): VsaEvaluation {
  const { now = new Date(), ...expectation } = required;
  if (!(now instanceof Date && isFinite(+now))) throw new TypeError("now is not a Date");
  checkVsaExpectation(expectation);
  const list = new CheckList();
  const type = { expected: VSA_V1, actual: statement.predicateType, path: "/predicateType" };
  if (statement.predicateType !== VSA_V1) {
    const what = statement.predicateType === VSA_V0_2
      ? "it is a VSA of a version before 1.0"
      : `its type is ${quote(statement.predicateType)}`;
    list.refused("predicate.type", "predicate-type-mismatch", `Cannot accept VSA: ${what}`, type);
    return { checks: list.checks };
  }
  list.passed("predicate.type", "The predicate is a VSA", type);
  let summary: VerificationSummary;
  try {
    summary = parseVsaPredicate(statement.predicate ?? {});
  } catch (error) {
    list.failed("predicate.format", error);
    prefixPaths(list.checks);
    return { checks: list.checks };
  }
  checkVerifier(list, summary, evidence, expectation);
  checkResource(list, summary, expectation);
  checkResult(list, summary);
  for (const wish of expectation.verifiedLevels ?? []) {
    checkWish(list, summary, wish, expectation.maxLevels ?? {});
  }
  for (const wish of expectation.dependencyLevels ?? []) checkDependencies(list, summary, wish);
  if (expectation.maxAge !== undefined) checkAge(list, summary, expectation.maxAge, now);
  if (expectation.policy !== undefined) checkPolicy(list, summary, expectation.policy);
  checkSubject(list, statement.subject, expectation);
  prefixPaths(list.checks);
  return { checks: list.checks, summary };
}

/** Pointers into the predicate become pointers into the Statement. */
function prefixPaths(checks: Check[]): void {
  for (const check of checks) {
    const { path } = check;
    if (path !== undefined && !/^\/(predicateType|subject|predicate)(\/|$)/.test(path)) {
      check.path = `/predicate${path}`;
    }
  }
}

function checkVerifier(
  list: CheckList,
  { verifier }: VerificationSummary,
  evidence: SignerEvidence,
  { verifierId, signer }: VsaExpectation,
): void {
  const facts = { expected: verifierId, actual: verifier.id, path: "/verifier/id" };
  const id = "predicate.verifier";
  if (verifier.id !== verifierId) {
    const message = `Cannot accept VSA: its verifier is ${quote(verifier.id)}`;
    return list.refused(id, "verifier-mismatch", message, facts);
  }
  if (!maySpeak(evidence, signer)) {
    const message = "Cannot accept VSA: who signed may not speak for its verifier";
    return list.refused(id, "verifier-mismatch", message, facts);
  }
  list.passed(id, "The verifier is as expected, and who signed may speak for it", facts);
}

function maySpeak(evidence: SignerEvidence, signer?: VsaSigner): boolean {
  const { identity, keys = [], identityExpected } = evidence;
  // A certificate of anybody, which the caller has not asked for, speaks for no verifier.
  if (signer === undefined) return keys.length > 0 || identityExpected === true;
  if ("keys" in signer) {
    return keys.some(({ name, fingerprint }) =>
      signer.keys.includes(name) || signer.keys.includes(fingerprint)
    );
  }
  if (identity === undefined) return false;
  return compareIdentity(identity, signer.certificate).every(({ reason }) => reason === undefined);
}

function checkResource(
  list: CheckList,
  { resourceUri: actual }: VerificationSummary,
  { resourceUri: expected }: VsaExpectation,
): void {
  const id = "predicate.resource";
  const facts = { expected, actual, path: "/resourceUri" };
  if (!isText(expected)) {
    const message = "Cannot accept VSA: no resource is expected, and it could be about any";
    list.refused(id, "missing-resource-expectation", message, facts);
  } else if (actual !== expected) {
    const message = `Cannot accept VSA: it is about the resource ${quote(actual)}`;
    list.refused(id, "resource-mismatch", message, facts);
  } else list.passed(id, "The resource is as expected", facts);
}

function checkResult(list: CheckList, summary: VerificationSummary): void {
  const { verificationResult: actual, verifiedLevels } = summary;
  const id = "predicate.result";
  const facts = { expected: "PASSED", actual, path: "/verificationResult" };
  if (actual !== "PASSED" || verifiedLevels.includes("FAILED")) {
    const message = "Cannot accept VSA: the verifier says that the policy is not satisfied";
    list.refused(id, "verification-not-passed", message, facts);
  } else list.passed(id, "The verifier says that the policy is satisfied", facts);
}

function checkWish(
  list: CheckList,
  { verifiedLevels }: VerificationSummary,
  wish: string,
  maxLevels: Readonly<Record<string, number>>,
): void {
  const id = "predicate.level";
  const facts = {
    expected: wish,
    actual: verifiedLevels.slice(0, 16).join(", "),
    path: "/verifiedLevels",
  };
  const wanted = parseTrackLevel(wish);
  if (wanted !== undefined && repeatedTracks(verifiedLevels).has(wanted.track)) {
    const message = `Cannot accept VSA: it has more than one level of the track ${wanted.track}`;
    return list.refused(id, "duplicate-track-level", message, facts);
  }
  let satisfied = verifiedLevels.includes(wish);
  if (typeof wanted?.level === "number") {
    const most = Object.hasOwn(maxLevels, wanted.track) ? maxLevels[wanted.track] : Infinity;
    const found = verifiedLevels.map(parseTrackLevel).find((one) => one?.track === wanted.track);
    satisfied = typeof found?.level === "number" && Math.min(found.level, most) >= wanted.level;
    if (!satisfied && most < wanted.level) {
      const message = `Cannot accept VSA: its verifier is believed ${wanted.track} level ${most}`;
      return list.refused(id, "insufficient-level", message, facts);
    }
  }
  if (satisfied) list.passed(id, `The VSA states ${quote(wish)} or more`, facts);
  else {
    const message = `Cannot accept VSA: it does not state ${quote(wish)}`;
    list.refused(id, "insufficient-level", message, facts);
  }
}

/**
 * Every dependency has at least this level of the track: none has less or was not
 * evaluated, and no count shows that there are more than those with a level of it.
 */
function checkDependencies(
  list: CheckList,
  { dependencyLevels }: VerificationSummary,
  wish: string,
): void {
  const id = "predicate.dependencies";
  const path = "/dependencyLevels";
  if (dependencyLevels === undefined || dependencyLevels === null) {
    const message = "Cannot accept VSA: it says nothing about dependencies";
    return list.refused(id, "dependencies-unknown", message, { expected: wish, path });
  }
  const counts = Object.entries(dependencyLevels).filter(([, count]) => count > 0);
  const actual = counts.slice(0, 16).map(([word, count]) => `${word}: ${count}`).join(", ");
  const facts = { expected: wish, actual, path };
  const wanted = parseTrackLevel(wish);
  const totals = new Map<string, number>();
  for (const [word, count] of counts) {
    const found = parseTrackLevel(word);
    const low = found?.track === wanted?.track && (found?.level ?? -1) < (wanted?.level ?? 0);
    if (word === "FAILED" || low) {
      const message = `Cannot accept VSA: ${count} dependencies have ${quote(word)}`;
      return list.refused(id, "insufficient-level", message, facts);
    }
    const group = found === undefined ? ` ${word}` : found.track;
    totals.set(group, (totals.get(group) ?? 0) + count);
  }
  const covered = totals.get(wanted?.track ?? "") ?? 0;
  if ([...totals.values()].some((total) => total > covered)) {
    const message = `Cannot accept VSA: some dependencies have no level of ${wanted?.track}`;
    return list.refused(id, "dependencies-unknown", message, facts);
  }
  list.passed(id, `Dependencies with ${quote(wish)} or more: ${covered}`, facts);
}

function checkAge(
  list: CheckList,
  { timeVerified }: VerificationSummary,
  maxAge: number,
  now: Date,
): void {
  const id = "predicate.age";
  const oldest = new Date(now.getTime() - maxAge * 1000);
  const facts = {
    expected: `not before ${isNaN(oldest.getTime()) ? "the epoch" : oldest.toISOString()}`,
    actual: timeVerified ?? undefined,
    path: "/timeVerified",
  };
  const time = parseTimestamp(timeVerified ?? "");
  if (time === undefined) {
    const message = "Cannot accept VSA: it does not say when it was verified";
    list.refused(id, "vsa-too-old", message, facts);
  } else if (time.getTime() > now.getTime() + CLOCK_SKEW_MS) {
    const message = "Cannot accept VSA: it says that it was verified in the future";
    list.refused(id, "invalid-timestamp", message, facts);
  } else if (now.getTime() - time.getTime() <= maxAge * 1000) {
    list.passed(id, "The VSA is recent enough", facts);
  } else {
    const message = `Cannot accept VSA: it was verified more than ${maxAge} seconds ago`;
    list.refused(id, "vsa-too-old", message, facts);
  }
}

function checkPolicy(
  list: CheckList,
  { policy }: VerificationSummary,
  expected: NonNullable<VsaExpectation["policy"]>,
): void {
  const id = "predicate.policy";
  const { uri, digest } = expected;
  if (uri !== undefined && policy.uri !== uri) {
    const message = `Cannot accept VSA: its policy is ${quote(policy.uri ?? "")}`;
    const facts = { expected: uri, actual: policy.uri, path: "/policy/uri" };
    return list.refused(id, "policy-mismatch", message, facts);
  }
  if (digest !== undefined && !hasDigests(policy, digest)) {
    const message = "Cannot accept VSA: its policy is another one, or has no such digest";
    const facts = {
      expected: describe(digest),
      actual: describe(policy.digest ?? {}),
      path: "/policy/digest",
    };
    return list.refused(id, "policy-mismatch", message, facts);
  }
  list.passed(id, "The policy is as expected", { actual: policy.uri, path: "/policy" });
}

function checkSubject(
  list: CheckList,
  subjects: readonly ResourceDescriptor[],
  { digest, sourceRef }: VsaExpectation,
): void {
  let about = subjects.map((subject, index) => ({ subject, index }));
  if (digest !== undefined) {
    const id = "predicate.subject";
    const facts = { expected: describe(digest), actual: describe(subjects[0]?.digest ?? {}) };
    if (Object.keys(digest).every((algorithm) => WEAK_DIGESTS.has(algorithm))) {
      const message = "Cannot accept VSA: the expected digests are of broken algorithms only";
      return list.refused(id, "unsupported-digest-algorithm", message, facts);
    }
    about = about.filter(({ subject }) => hasDigests(subject, digest));
    if (about.length === 0) {
      const message = "Cannot accept VSA: no subject has all expected digests";
      return list.refused(id, "subject-mismatch", message, { ...facts, path: "/subject" });
    }
    const path = `/subject/${about[0].index}`;
    list.passed(id, "A subject has all expected digests", { ...facts, actual: undefined, path });
  }
  if (sourceRef === undefined) return;
  const id = "predicate.source-ref";
  const without = about.find(({ subject }) => !refsOf(subject).includes(sourceRef));
  // Without a digest it is not known here which subject is meant, so all must have it.
  const refused = digest === undefined
    ? without !== undefined
    : about.every(({ subject }) => !refsOf(subject).includes(sourceRef));
  const { subject, index } = without ?? about[0];
  const facts = {
    expected: sourceRef,
    actual: refsOf(subject).slice(0, 16).join(", "),
    path: `/subject/${index}/annotations/sourceRefs`,
  };
  if (refused) {
    const message = `Cannot accept VSA: the revision is not on ${quote(sourceRef)}`;
    list.refused(id, "source-ref-mismatch", message, facts);
  } else list.passed(id, "The revision is on the expected ref", { ...facts, actual: sourceRef });
}

/** SLSA 1.2, source-requirements.md, "Source verification summary attestations". */
function refsOf({ annotations }: ResourceDescriptor): string[] {
  const refs: unknown = annotations?.sourceRefs;
  return Array.isArray(refs) ? refs.filter((ref) => typeof ref === "string") : [];
}

function hasDigests({ digest = {} }: ResourceDescriptor, wanted: DigestSet): boolean {
  return Object.entries(wanted).every(([algorithm, value]) =>
    Object.hasOwn(digest, algorithm) &&
    normalizeDigest(algorithm, digest[algorithm]) === normalizeDigest(algorithm, value)
  );
}

function describe(digest: DigestSet): string {
  return Object.entries(digest).slice(0, 8)
    .map(([algorithm, value]) => `${algorithm}:${value}`).join(", ") || "none";
}
