import { refuseUnknown } from "../internal/options.ts";
import type { CompiledPolicy } from "../policy/compiled.ts";
import { evaluatePolicy } from "../policy/evaluate.ts";
import { evidenceOfReports, type FoundOfArtifact, withEvidence } from "./evidence.ts";
import type { VerifyOptions } from "./options.ts";
import type { ArtifactReport, VerificationReport } from "./report.ts";

/** Reports with what a policy needs to know of each attestation that verified. */
export function addEvidence(
  reports: readonly ArtifactReport[],
  found: readonly FoundOfArtifact[],
): ArtifactReport[] {
  const all = found.map(({ artifact }) => artifact);
  return reports.map((report, i) => withEvidence(report, found[i], all));
}

/** Options of {@linkcode judgeReports}. Unknown names are refused. */
export interface JudgeOptions {
  /** Compare the subjects anew: the reports come of several calls. Default false. */
  recount?: boolean;
}

/**
 * The report as a policy decides it: attestations that verified are its evidence, no more.
 *
 * @param reports Of `verify()`, with evidence. What a stored report says was verified by
 * whoever made it: this checks no signature.
 * @throws {AttestationError} `malformed-report` if one lacks its evidence.
 * @throws {TypeError} If `now` is no valid time, or an option is unknown.
 */
export function judgeReports(
  policy: CompiledPolicy,
  reports: readonly ArtifactReport[],
  now: Date,
  options: JudgeOptions = {},
): VerificationReport {
  refuseUnknown(options, ["recount"], "judgeReports()");
  const recount = options.recount === true &&
    policy.document.rules.some(({ require }) =>
      require.some(({ statement }) => statement?.subjects === "all")
    );
  const verdict = evaluatePolicy(policy, evidenceOfReports(reports, recount), now);
  const { ok, errorReason } = verdict;
  return {
    ok,
    errorReason,
    verificationResult: ok ? "PASSED" : "FAILED",
    artifacts: reports.map((report, i) => {
      const { ok, errorReason } = verdict.artifacts[i];
      return { ...report, ok, errorReason };
    }),
    policy: verdict,
  };
}

/** What is verified before the policy judges: signatures of those whom it knows, or anybody's certificate. */
export function trustOfPolicy(
  { trust, expect, thresholds, now = new Date(), unsafelyVerifyWithoutArtifact }: VerifyOptions,
  { keys, openpgp, keySets, trustedRoots, publicGood, document }: CompiledPolicy,
): VerifyOptions {
  if (trust !== undefined || expect !== undefined || thresholds !== undefined) {
    throw new TypeError("A policy says itself what trust, expect and thresholds say");
  }
  if (unsafelyVerifyWithoutArtifact === true) {
    throw new TypeError("A policy judges artifacts: unsafelyVerifyWithoutArtifact has no meaning");
  }
  return {
    now,
    trust: {
      keys: [...keys],
      ...(openpgp === undefined ? {} : { openpgp }),
      keySets: [...keySets],
      trustedRoots: [...trustedRoots],
      onlyRoot: !publicGood,
    },
    expect: {},
    thresholds: structuredClone(document.trust?.thresholds),
    unsafelyAcceptAnyIdentity: true,
  };
}
