import type { Waiver } from "./document.ts";
import type { ArtifactEvidence } from "./evidence.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import { compileSelector } from "./select.ts";
import type { PolicyCheck } from "./verdict.ts";

/** A waiver that is ready to use. */
export interface CompiledWaiver {
  /** As it is written. */
  readonly waiver: Waiver;
  /** Milliseconds. */
  readonly until: number;
  /** Tells whether it is for an artifact. */
  selects(artifact: ArtifactEvidence): boolean;
}

/** Reads waivers once. */
export function compileWaivers(waivers: readonly Waiver[]): CompiledWaiver[] {
  return waivers.map((waiver) => ({
    waiver,
    // A time that is none has passed.
    until: parseTimestamp(waiver.until)?.getTime() ?? 0,
    selects: compileSelector(waiver.artifact),
  }));
}

/** Requirements of which every attestation has to hold, not just one. */
export type WholeRequirements = ReadonlySet<PolicyCheck>;

/**
 * The same check, waived if a waiver of its very name is in force; one that has run out
 * is told of. A waiver for some reasons is for what failed by nothing else.
 *
 * @param waivers Those for the artifact.
 */
export function waive(
  check: PolicyCheck,
  waivers: readonly CompiledWaiver[],
  now: Date,
  whole?: WholeRequirements,
): PolicyCheck {
  if (check.outcome !== "failed") return check;
  const meant = waivers.filter(({ waiver: { rule, reasons } }) =>
    rule === check.id && (reasons === undefined || isCovered(check, new Set(reasons), whole))
  );
  const inForce = meant.find(({ until }) => until > now.getTime());
  if (inForce !== undefined) {
    const { owner, reason, until } = inForce.waiver;
    const { remedy: _, ...rest } = check;
    return { ...rest, outcome: "waived", waiver: { owner, reason, until } };
  }
  if (meant.length === 0) return check;
  const { owner, until } = meant[meant.length - 1].waiver;
  return { ...check, message: `${check.message}; the waiver of ${owner} ended at ${until}` };
}

function isCovered(
  check: PolicyCheck,
  reasons: ReadonlySet<string>,
  whole: WholeRequirements | undefined,
): boolean {
  if (!reasons.has(check.reason ?? "")) return false;
  const parts = (check.children ?? []).filter(({ outcome }) => outcome === "failed");
  const covered = parts.filter((part) => isCovered(part, reasons, whole));
  if (!parts.some(isAttestation)) return covered.length === parts.length;
  // A reason that no attestation has is of the requirement, such as that they disagree.
  if (!parts.some((part) => part.children?.some(({ reason }) => reason === check.reason))) {
    return true;
  }
  return whole?.has(check) ? covered.length === parts.length : covered.length > 0;
}

function isAttestation({ source, children }: PolicyCheck): boolean {
  return source !== undefined && children !== undefined;
}
