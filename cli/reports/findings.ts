import type { Reason } from "../../errors.ts";
import type { DigestSet } from "../../intoto/digest_set.ts";
import type { LockfilePackageReport, LockfileReport } from "../../npm/mod.ts";
import type { Outcome, PolicyCheck } from "../../policy/verdict.ts";
import { REASONS } from "../../reasons.ts";
import type { ArtifactReport, AttestationReport, VerificationReport } from "../../verify/report.ts";

/** A place in a file of the reader's checkout. */
export interface Place {
  /** Path as it was given, with `/`. */
  file: string;
  /** Line, from 1. */
  line?: number;
}

/** One node of what was judged: a rule, a requirement, an attestation, or a single check. */
export interface ReportNode extends Omit<PolicyCheck, "outcome" | "children" | "waiver"> {
  /** How it came out. */
  outcome: Outcome | "skipped";
  /** The waiver that was applied. */
  waiver?: { owner?: string; reason: string; until: string };
  /** Its parts, in order. */
  children?: readonly ReportNode[];
}

/** One artifact in a form that all outputs share. */
export interface JudgedArtifact {
  name: string;
  digest: DigestSet;
  ok: boolean;
  errorReason: Reason | null;
  /** What names it: the file itself, or a line of a checksum file or lockfile. */
  place?: Place;
  /** Rules of the policy, else attestations with their checks. */
  nodes: readonly ReportNode[];
  attestations: readonly AttestationReport[];
}

/** A report with or without a policy, or of a lockfile, in one form. */
export interface Judgement {
  ok: boolean;
  errorReason: Reason | null;
  mode: "enforce" | "permissive";
  policy?: { name?: string; digest: string; time: string };
  artifacts: readonly JudgedArtifact[];
  /** Where a failure is shown that no file names. */
  fallback?: Place;
}

/** What one line of an issue tracker would say: a single check that failed or is waived. */
export interface Finding {
  artifact: JudgedArtifact;
  reason: Reason;
  node: ReportNode;
  /** Attestation that was judged. */
  source?: string;
}

/** What a report says, with the places that name its artifacts, in the same order. */
export function judgementOf(
  report: VerificationReport,
  places: readonly (Place | undefined)[] = [],
  fallback?: Place,
): Judgement {
  const { ok, errorReason, policy } = report;
  return {
    ok,
    errorReason,
    mode: policy?.mode ?? "enforce",
    ...(fallback === undefined ? {} : { fallback }),
    ...(policy === undefined ? {} : {
      policy: {
        ...(policy.policy === undefined ? {} : { name: policy.policy }),
        digest: policy.policyDigest,
        time: policy.time,
      },
    }),
    artifacts: explained(
      report.artifacts.map((artifact, i): JudgedArtifact => ({
        name: artifact.artifact,
        digest: artifact.digest,
        ok: artifact.ok,
        errorReason: artifact.errorReason,
        ...(places[i] === undefined ? {} : { place: places[i] }),
        nodes: policy?.artifacts[i]?.rules ?? nodesOf(artifact),
        attestations: artifact.attestations,
      })),
      report,
      "(no artifact)",
    ),
  };
}

/** A failure that no artifact shows gets one that does: no output may look like a success. */
function explained(
  artifacts: JudgedArtifact[],
  { ok, errorReason }: Pick<Judgement, "ok" | "errorReason">,
  name: string,
  message?: string,
): JudgedArtifact[] {
  if (ok || artifacts.some((one) => !one.ok)) return artifacts;
  const reason = errorReason ?? "artifact-required";
  const nodes = [refusal("artifact", reason, message)];
  return [{ name, digest: {}, ok, errorReason: reason, nodes, attestations: [] }, ...artifacts];
}

/** What a report about a lockfile says; `lineOf` tells where a package is in it. */
export function lockfileJudgement(
  report: LockfileReport,
  file: string,
  lineOf: (location: string) => number | undefined,
): Judgement {
  const { ok, errorReason } = report;
  const artifacts = report.packages.map((one): JudgedArtifact => {
    const failed = one.status === "failed" && one.waived === undefined;
    const line = lineOf(one.locations[0] ?? "");
    return {
      name: one.version === "" ? one.name : `${one.name}@${one.version}`,
      digest: {},
      ok: !failed,
      errorReason: failed ? one.errorReason : null,
      place: line === undefined ? { file } : { file, line },
      nodes: [packageNode(one)],
      attestations: one.report?.artifacts.flatMap(({ attestations }) => attestations) ?? [],
    };
  });
  const shown = explained(artifacts, report, file, report.message);
  if (shown.length > artifacts.length) shown[0].place = { file };
  return { ok, errorReason, mode: "enforce", artifacts: shown };
}

function packageNode(one: LockfilePackageReport): ReportNode {
  const { status, waived, message } = one;
  if (waived !== undefined) {
    return {
      ...refusal("package", waived.errorReason, message),
      outcome: "waived",
      waiver: { reason: waived.reason, until: waived.until },
    };
  }
  if (status === "failed") {
    return refusal("package", one.errorReason ?? "attestation-not-found", message);
  }
  return {
    id: "package",
    outcome: status === "verified" ? "passed" : "not-applicable",
    message: message ?? (status === "verified" ? "Both attestations verified" : status),
  };
}

function refusal(id: string, reason: Reason, message?: string): ReportNode {
  const { cause, repair: remedy } = REASONS[reason];
  return { id, outcome: "failed", reason, message: message ?? cause, remedy };
}

/** Attestations with their checks, and why the artifact failed if none of them tells. */
function nodesOf({ ok, errorReason, attestations }: ArtifactReport): ReportNode[] {
  const nodes = attestations.map((one): ReportNode => ({
    id: "attestation",
    // Of an artifact that another one is about it is no failure.
    outcome: one.ok ? "passed" : ok ? "not-applicable" : "failed",
    ...(one.errorReason === null ? {} : { reason: one.errorReason }),
    source: one.source,
    message: one.errorReason === null ? "Every check passed" : REASONS[one.errorReason].cause,
    children: one.checks.map((check) =>
      check.reason === undefined ? check : { ...check, remedy: REASONS[check.reason].repair }
    ),
  }));
  const told = attestations.some((one) => one.errorReason === errorReason);
  if (!ok && !told) nodes.push(refusal("artifact", errorReason ?? "attestation-not-found"));
  return nodes;
}

/**
 * What failed, then what is waived: of a policy each decisive check, else the one check by
 * which an artifact failed.
 */
export function* findingsOf(judgement: Judgement): Generator<Finding> {
  for (const wanted of ["failed", "waived"] as const) {
    for (const artifact of judgement.artifacts) {
      if (wanted === "failed" && artifact.ok) continue;
      if (judgement.policy !== undefined) {
        let found = 0;
        for (const node of artifact.nodes) {
          for (const one of leavesOf(artifact, node, wanted)) {
            found++;
            yield one;
          }
        }
        if (wanted === "failed" && found === 0) {
          yield finding(
            artifact,
            refusal("verdict", artifact.errorReason ?? "requirement-not-met"),
          );
        }
        continue;
      }
      const decisive = wanted === "waived"
        ? artifact.nodes.find(({ outcome }) => outcome === "waived")
        : artifact.nodes.find(({ outcome, reason }) =>
          outcome === "failed" && reason === artifact.errorReason
        );
      if (decisive !== undefined) yield leafOf(artifact, decisive);
    }
  }
}

function leafOf(artifact: JudgedArtifact, top: ReportNode): Finding {
  const node = top.children?.find(({ outcome }) => outcome === "failed") ?? top;
  return finding(artifact, node, node.source ?? top.source);
}

function finding(artifact: JudgedArtifact, node: ReportNode, source?: string): Finding {
  return {
    artifact,
    node,
    reason: node.reason ?? "requirement-not-met",
    ...(source === undefined ? {} : { source }),
  };
}

/** What passed or does not matter is not looked into: something in it may have failed. */
function* leavesOf(
  artifact: JudgedArtifact,
  node: ReportNode,
  wanted: "failed" | "waived",
  source?: string,
): Generator<Finding> {
  if (node.outcome !== "failed" && node.outcome !== "waived") return;
  const from = node.source ?? source;
  const decided = node.waiver === undefined
    ? node.children?.filter(({ outcome }) => outcome === node.outcome || outcome === "waived") ?? []
    : [];
  const own = node.outcome === "failed" && !decided.some(({ outcome }) => outcome === "failed");
  if (decided.length === 0 || own) {
    if (node.outcome === wanted) yield finding(artifact, node, from);
  }
  for (const child of decided) yield* leavesOf(artifact, child, wanted, from);
}

/** Where the file of an attestation is, by its name in the report: `FILE` or `FILE#LINE`. */
export function placeOfSource(source: string): Place {
  const match = /^(.+)#([1-9]\d{0,8})$/s.exec(source);
  return match === null ? { file: source } : { file: match[1], line: Number(match[2]) };
}

/** The best place for a finding: what names the artifact, else the attestation. */
export function placeOf(
  { artifact, source }: Finding,
  { fallback }: Judgement,
): Place | undefined {
  if (artifact.place !== undefined) return artifact.place;
  const from = source ?? artifact.attestations[0]?.source;
  return from === undefined ? fallback : placeOfSource(from);
}

/** How many artifacts came out how. */
export interface Counts {
  artifacts: number;
  passed: number;
  failed: number;
  /** Of those that passed: with a waiver. */
  waived: number;
}

/** Counts artifacts. */
export function countsOf({ artifacts }: Judgement): Counts {
  const passed = artifacts.filter(({ ok }) => ok);
  return {
    artifacts: artifacts.length,
    passed: passed.length,
    failed: artifacts.length - passed.length,
    waived: passed.filter(isWaived).length,
  };
}

/** Tells whether a waiver was needed for an artifact. */
export function isWaived({ nodes }: JudgedArtifact): boolean {
  return nodes.some(({ outcome }) => outcome === "waived");
}
