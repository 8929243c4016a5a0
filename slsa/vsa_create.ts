import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import { createStatement, type Statement } from "../intoto/statement.ts";
import { highestPerTrack, parseTrackLevel } from "./vsa_level.ts";
import { validateVsaPredicate, VSA_V1, type VsaVerifier } from "./vsa_predicate.ts";

/** What a VSA sums up: the report of `verify()` is one. */
export interface VerifiedArtifacts {
  /** True only if every artifact is ok. */
  ok: boolean;
  /** Each artifact becomes a subject. */
  artifacts: readonly VerifiedArtifact[];
}

/** One artifact of {@linkcode VerifiedArtifacts}. */
export interface VerifiedArtifact {
  /** Name of the subject. */
  artifact: string;
  /** Digests of the subject, lowercase hex. */
  digest: DigestSet;
  /** True if an attestation verified. */
  ok: boolean;
  /** Attestations that were looked at. */
  attestations: readonly {
    /** True if it verified. */
    ok: boolean;
    /** Build level that was established, if provenance was evaluated. */
    buildLevel?: number;
  }[];
}

/** What {@linkcode createVsa} cannot take from a report. */
export interface NewVsa {
  /** Who verified; the key or identity that signs must be known to speak for it. */
  verifier: VsaVerifier;
  /** When it was verified. */
  timeVerified: Date;
  /** Name under which it was verified; for a revision `git+https://…`. */
  resourceUri: string;
  /** What it was verified against; `uri` is required, a digest is advised. */
  policy: ResourceDescriptor;
  /**
   * What was established, if all was: levels and properties. Of the levels of a track the
   * highest is written. Default: the Build level that the report shows for every artifact.
   */
  verifiedLevels?: readonly string[];
  /** All attestations that were used, each with the digest of its bytes as stored. */
  inputAttestations?: readonly ResourceDescriptor[];
  /** Count of transitive dependencies by level; `{}` states that there are none. */
  dependencyLevels?: Readonly<Record<string, number>>;
  /** Version of SLSA. Default `1.2`. */
  slsaVersion?: string;
  /** For a revision: the refs that it is on, such as `refs/heads/main`. */
  sourceRefs?: readonly string[];
}

const OPTIONS = [
  "verifier",
  "timeVerified",
  "resourceUri",
  "policy",
  "verifiedLevels",
  "inputAttestations",
  "dependencyLevels",
  "slsaVersion",
  "sourceRefs",
];

/**
 * Makes a VSA v1 from what was verified; sign it as any Statement. A report that failed
 * gives a VSA that says `FAILED`, with no level.
 *
 * Source: SLSA 1.2, verification_summary.md; source-requirements.md, "Source verification
 * summary attestations".
 *
 * @param report Report of `verify()`, or of that form.
 * @param content What the report does not say.
 * @throws {AttestationError} `insufficient-level` (more than the report shows, or nothing),
 * `invalid-level`, `missing-predicate-field`, `malformed-predicate`, and what
 * `createStatement()` refuses, such as `missing-subject`.
 * @throws {TypeError} If an option is unknown, or the time is no time.
 *
 * @example Verify, sum up, sign
 * ```ts
 * import { createEnvelope } from "@x/attest/dsse";
 * import { encodeStatement } from "@x/attest/intoto";
 * import { generateSigner } from "@x/attest/keys";
 * import { createVsa } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * // In its place: the report of verify().
 * const report = {
 *   ok: true,
 *   artifacts: [{
 *     artifact: "app.tgz",
 *     digest: { sha256: "a".repeat(64) },
 *     ok: true,
 *     attestations: [{ ok: true, buildLevel: 3 }],
 *   }],
 * };
 * const statement = createVsa(report, {
 *   verifier: { id: "https://example.com/verifier" },
 *   resourceUri: "pkg:npm/app@1.0.0",
 *   policy: { uri: "https://example.com/policy" },
 *   timeVerified: new Date("2026-01-02T00:00:00Z"),
 * });
 * assert.deepEqual(statement.predicate?.verifiedLevels, ["SLSA_BUILD_LEVEL_3"]);
 *
 * const { signer } = await generateSigner("Ed25519", { name: "verifier" });
 * const bytes = encodeStatement(statement);
 * const envelope = await createEnvelope("application/vnd.in-toto+json", bytes, signer);
 * assert.equal(envelope.signatures.length, 1);
 * ```
 */
export function createVsa(report: VerifiedArtifacts, content: NewVsa): Statement {
  refuseUnknown(content, OPTIONS, "createVsa()");
  const { timeVerified, sourceRefs, slsaVersion = "1.2" } = content;
  if (!(timeVerified instanceof Date) || Number.isNaN(timeVerified.getTime())) {
    throw new TypeError("timeVerified is not a valid Date");
  }
  const passed = report.ok === true && report.artifacts.every(({ ok }) => ok === true);
  const predicate: Record<string, unknown> = {
    verifier: content.verifier,
    timeVerified: timeVerified.toISOString(),
    resourceUri: content.resourceUri,
    policy: content.policy,
    verificationResult: passed ? "PASSED" : "FAILED",
    verifiedLevels: passed ? levelsOf(report, content) : ["FAILED"],
    slsaVersion,
  };
  if (content.inputAttestations !== undefined) {
    predicate.inputAttestations = content.inputAttestations;
  }
  if (content.dependencyLevels !== undefined) predicate.dependencyLevels = content.dependencyLevels;
  const [problem] = validateVsaPredicate(predicate);
  if (problem !== undefined) {
    throw new AttestationError(problem.reason, problem.message, {
      path: `/predicate${problem.path}`,
    });
  }
  const annotations = sourceRefs === undefined ? {} : { annotations: annotate(sourceRefs) };
  const subject = report.artifacts.map(({ artifact: name, digest }) => ({
    ...(name === "" ? {} : { name }),
    digest,
    ...annotations,
  }));
  return createStatement({ subject, predicateType: VSA_V1, predicate });
}

function annotate(sourceRefs: readonly string[]): { sourceRefs: string[] } {
  for (const ref of sourceRefs) {
    if (!/^refs\/./.test(ref)) {
      throw new TypeError(`sourceRefs has ${quote(String(ref))}, wanted all of it: refs/…`);
    }
  }
  return { sourceRefs: [...sourceRefs] };
}

/** What may be written: never a higher Build level than the report shows. */
function levelsOf(report: VerifiedArtifacts, { verifiedLevels }: NewVsa): string[] {
  const shown = shownLevel(report);
  if (verifiedLevels === undefined) {
    if (shown === undefined) {
      throw insufficient("the report shows no level; state what was established");
    }
    return [`SLSA_BUILD_LEVEL_${shown}`];
  }
  if (shown !== undefined) {
    for (const word of verifiedLevels) {
      const stated = parseTrackLevel(word);
      if (stated?.track !== "BUILD" || (stated.level ?? 0) <= shown) continue;
      throw insufficient(`${quote(word)} is stated, the report shows level ${shown}`);
    }
  }
  return highestPerTrack(verifiedLevels);
}

/** Lowest of the artifacts' levels; that of an artifact is of its best verified attestation. */
function shownLevel({ artifacts }: VerifiedArtifacts): number | undefined {
  let lowest: number | undefined;
  let known = false;
  for (const { attestations } of artifacts) {
    const levels = attestations.flatMap(({ ok, buildLevel }) =>
      ok && Number.isInteger(buildLevel) ? [buildLevel ?? 0] : []
    );
    if (levels.length > 0) known = true;
    lowest = Math.min(lowest ?? Infinity, Math.max(0, ...levels));
  }
  return known ? lowest : undefined;
}

function insufficient(what: string): AttestationError {
  return new AttestationError("insufficient-level", `Cannot write VSA: ${what}`, {
    path: "/predicate/verifiedLevels",
  });
}
