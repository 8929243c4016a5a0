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

/**
 * The same check, waived if a waiver of its very name is in force; one that has run out
 * is told of.
 *
 * @param waivers Those for the artifact.
 */
export function waive(
  check: PolicyCheck,
  waivers: readonly CompiledWaiver[],
  now: Date,
): PolicyCheck {
  if (check.outcome !== "failed" || waivers.length === 0) return check;
  const meant = waivers.filter(({ waiver }) =>
    waiver.rule === check.id &&
    (waiver.reasons === undefined || waiver.reasons.includes(check.reason ?? ""))
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
