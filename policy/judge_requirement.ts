import type { Reason } from "../errors.ts";
import type { Requirement } from "./document.ts";
import type { ArtifactEvidence, EvidenceAttestation } from "./evidence.ts";
import { anyOf, judgeLeaf, type Leaf, type LeafContext } from "./finding.ts";
import { latestTime } from "./envelope_leaves.ts";
import type { PolicyCheck } from "./verdict.ts";
import { type CompiledWaiver, waive } from "./waive.ts";

/** A requirement with everything that it asks of one attestation. */
export interface PreparedRequirement {
  id: string;
  requirement: Requirement;
  leaves: Leaf[];
}

/** Attestations of some predicate types, in their order. */
export type MeantOf = (types: readonly string[]) => readonly EvidenceAttestation[];

/** Many are sorted once: a policy may have as many rules. */
export function byType(attestations: readonly EvidenceAttestation[]): MeantOf {
  let sorted: Map<string, EvidenceAttestation[]> | undefined;
  return (types) => {
    if (types.length > 1 || attestations.length < 8) {
      return attestations.filter(({ statement }) => types.includes(statement.predicateType));
    }
    sorted ??= sort(attestations);
    return sorted.get(types[0]) ?? [];
  };
}

function sort(attestations: readonly EvidenceAttestation[]): Map<string, EvidenceAttestation[]> {
  const sorted = new Map<string, EvidenceAttestation[]>();
  for (const attestation of attestations) {
    const { predicateType } = attestation.statement;
    const list = sorted.get(predicateType);
    if (list === undefined) sorted.set(predicateType, [attestation]);
    else list.push(attestation);
  }
  return sorted;
}

/** A node by its parts: the first failure is its own; one waived part makes it waived. */
export function summary(
  id: string,
  children: PolicyCheck[],
  what: string | undefined,
): PolicyCheck {
  const bad = children.find(({ outcome }) => outcome === "failed");
  if (bad !== undefined) {
    return {
      id,
      outcome: "failed",
      reason: bad.reason,
      message: `Not met: ${bad.id}`,
      children,
    };
  }
  const waived = children.find(({ outcome }) => outcome === "waived");
  if (waived !== undefined) {
    return {
      id,
      outcome: "waived",
      reason: waived.reason,
      message: `Waived: ${waived.id}`,
      children,
    };
  }
  return { id, outcome: "passed", message: what ?? "Everything that it asks is met", children };
}

/** How a requirement came out, and what stands for it. */
export interface RequirementFinding {
  check: PolicyCheck;
  /** The sets of attestations that stand for it, each enough by itself. */
  choices: EvidenceAttestation[][];
}

/** Judges one requirement by the attestations that it means. */
export function judgeRequirement(
  { id, requirement, leaves }: PreparedRequirement,
  artifact: ArtifactEvidence,
  meantOf: MeantOf,
  waivers: readonly CompiledWaiver[],
  context: LeafContext,
): RequirementFinding {
  const { count = 1, conflict = "any" } = requirement;
  const types = requirement.statement?.predicateTypes;
  const meant = types === undefined ? artifact.attestations : meantOf(types);
  if (meant.length === 0) return { check: missing(id, types, artifact), choices: [] };

  let judged: readonly EvidenceAttestation[] = meant;
  if (conflict === "latest" && meant.length > 1) {
    const times = meant.map(latestTime);
    if (times.includes(undefined)) {
      return { check: undecided(id, meant.length), choices: [] };
    }
    const latest = Math.max(...times as number[]);
    judged = meant.filter((_, i) => times[i] === latest);
  }
  const nodes = judged.map((attestation) =>
    judgeAttestation(id, leaves, attestation, waivers, context)
  );
  const holding = judged.filter((_, i) => nodes[i].outcome !== "failed");
  const isEnough = (all: readonly EvidenceAttestation[]): boolean =>
    countDistinct(all) >= count && (conflict === "any" || all.length === judged.length);
  const enough = isEnough(holding);
  if (enough) {
    const clean = judged.filter((_, i) => nodes[i].outcome === "passed");
    const isClean = isEnough(clean);
    const waived = isClean ? undefined : nodes.find(({ outcome }) => outcome === "waived");
    const check: PolicyCheck = waived === undefined
      ? { id, outcome: "passed", message: met(holding.length, meant.length), children: nodes }
      : {
        id,
        outcome: "waived",
        reason: waived.reason,
        message: "Met with a waiver",
        children: nodes,
      };
    const standing = isClean ? clean : holding;
    const whole = conflict !== "any" || count > 1;
    return { check, choices: whole ? [standing] : standing.map((one) => [one]) };
  }
  const bad = furthest(nodes);
  const distinct = countDistinct(holding);
  const disagree = distinct >= count;
  const reason: Reason = disagree ? "attestations-disagree" : bad?.reason ?? "requirement-not-met";
  return {
    check: {
      id,
      outcome: "failed",
      reason,
      expected: disagree
        ? conflict === "all" ? "all of them hold" : "the latest ones hold"
        : `${count} that ${count === 1 ? "holds" : "hold"}`,
      actual: `${holding.length} of ${judged.length}`,
      message: bad === undefined
        ? `Not met: ${distinct} distinct attestations, wanted ${count}`
        : disagree
        ? `Not met: ${holding.length} of ${judged.length} attestations hold, wanted all`
        : bad.message,
      ...(bad?.remedy === undefined ? {} : { remedy: bad.remedy }),
      children: nodes,
    },
    choices: [],
  };
}

function met(holding: number, meant: number): string {
  return meant === 1 ? "The attestation holds" : `${holding} of ${meant} attestations hold`;
}

/** Attestations by content and set of signers: a copy says nothing new. */
function countDistinct(all: readonly EvidenceAttestation[]): number {
  if (all.length < 2) return all.length;
  return new Set(
    all.map(({ payloadDigest, signers }) =>
      [payloadDigest, ...signers.map(({ distinct }) => distinct).sort()].join("\n")
    ),
  ).size;
}

function judgeAttestation(
  id: string,
  leaves: readonly Leaf[],
  attestation: EvidenceAttestation,
  waivers: readonly CompiledWaiver[],
  context: LeafContext,
): PolicyCheck {
  const children: PolicyCheck[] = [];
  for (const leaf of leaves) {
    const found = judgeLeaf(leaf, attestation, context);
    if (Array.isArray(found)) {
      for (const check of found) children.push(waive(check, waivers, context.now));
    } else children.push(waive(found, waivers, context.now));
  }
  const node = summary(`${id}/attestation`, children, "The attestation holds");
  node.source = attestation.source;
  return node;
}

/** The failure of the attestation that got furthest: that one was most likely meant. */
function furthest(nodes: readonly PolicyCheck[]): PolicyCheck | undefined {
  let best: PolicyCheck | undefined;
  let most = -1;
  for (const { outcome, children = [] } of nodes) {
    if (outcome !== "failed") continue;
    const bad = children.findIndex((check) => check.outcome === "failed");
    if (bad > most) {
      most = bad;
      best = children[bad];
    }
  }
  return best;
}

function missing(
  id: string,
  types: readonly string[] | undefined,
  { attestations, refused }: ArtifactEvidence,
): PolicyCheck {
  const expected = types === undefined ? "a verified attestation" : anyOf(types);
  const found = [...new Set(attestations.map(({ statement }) => statement.predicateType))];
  const refusals = [...new Set(refused.map(({ reason }) => reason))];
  const parts = [
    found.length === 0 ? "no verified attestation" : `only ${anyOf(found)}`,
    ...(refusals.length === 0
      ? []
      : [`${refused.length} refused before (${refusals.slice(0, 4).join(", ")})`]),
  ];
  return {
    id,
    outcome: "failed",
    reason: "missing-attestation",
    expected,
    actual: parts.join("; "),
    message: `Not met: found ${parts.join("; ")}, wanted ${expected}`,
    remedy: refusals.length === 0
      ? "Attest the artifact, and give the attestation to the verifier"
      : "Look at why the attestations were refused",
  };
}

function undecided(id: string, count: number): PolicyCheck {
  return {
    id,
    outcome: "failed",
    reason: "insufficient-timestamps",
    expected: "a verified time of each",
    message: `Not met: which of ${count} attestations is the latest cannot be told without times`,
    remedy: "Sign with a timestamp, or have one attestation of the type",
  };
}
