import { isAttestationError, type Reason } from "../errors.ts";
import { printable, quote } from "../internal/json.ts";
import type { Layer, Origin } from "../report.ts";
import type { EvidenceAttestation } from "./evidence.ts";
import type { PolicyCheck } from "./verdict.ts";

/** What a leaf judges by, beside the attestation. */
export interface LeafContext {
  /** Moment of the verdict. */
  readonly now: Date;
}

/** The smallest thing that a policy asks of one attestation. */
export interface Leaf {
  /** `rule/requirement/check`. */
  readonly id: string;
  /** Layer that it belongs to. */
  readonly layer: Layer;
  /** Judges; a throw is a failure. */
  judge(attestation: EvidenceAttestation, context: LeafContext): PolicyCheck | PolicyCheck[];
}

/** Adds a leaf by its name. */
export type AddLeaf = (
  check: string,
  judge: (
    leaf: Leaf,
    attestation: EvidenceAttestation,
    context: LeafContext,
  ) => PolicyCheck | PolicyCheck[],
) => void;

/** What a check is about; the same for every attestation. */
export interface LeafFacts {
  /** What is wanted, for people. */
  expected?: string;
  /** Where it is looked for. */
  path?: string;
  /** How far the found value can be believed. */
  origin?: Origin;
  /** What would have to change. */
  remedy?: string;
}

/** A passed check; the texts are made when the policy is prepared, not here. */
export function passed(
  leaf: Leaf,
  message: string,
  facts: LeafFacts,
  actual?: string,
): PolicyCheck {
  const { id, layer } = leaf;
  const check: PolicyCheck = { id, layer, outcome: "passed", message };
  if (facts.expected !== undefined) check.expected = facts.expected;
  if (actual !== undefined) check.actual = printable(actual, 400);
  if (facts.path !== undefined) check.path = facts.path;
  if (facts.origin !== undefined) check.origin = facts.origin;
  return check;
}

/** A failed check. */
export function failed(
  leaf: Leaf,
  reason: Reason,
  message: string,
  facts: LeafFacts = {},
  actual?: string,
): PolicyCheck {
  const { id, layer } = leaf;
  const check: PolicyCheck = {
    id,
    layer,
    outcome: "failed",
    reason,
    message: printable(message, 400),
  };
  if (facts.expected !== undefined) check.expected = printable(facts.expected, 400);
  if (actual !== undefined) check.actual = printable(actual, 400);
  if (facts.path !== undefined) check.path = facts.path;
  if (facts.origin !== undefined) check.origin = facts.origin;
  if (facts.remedy !== undefined) check.remedy = facts.remedy;
  return check;
}

/** What a leaf says of an attestation; a rule that cannot be evaluated is a failed one. */
export function judgeLeaf(
  leaf: Leaf,
  attestation: EvidenceAttestation,
  context: LeafContext,
): PolicyCheck | PolicyCheck[] {
  try {
    return leaf.judge(attestation, context);
  } catch (error) {
    if (!isAttestationError(error)) {
      return failed(leaf, "condition-error", "Cannot evaluate rule: an unexpected error");
    }
    return failed(leaf, error.reason, error.message, { path: error.path });
  }
}

/** `a, b or c`, each in quotes. */
export function anyOf(words: readonly string[]): string {
  const shown = words.slice(0, 8).map(quote);
  if (words.length > 8) shown.push(`${words.length - 8} more`);
  if (shown.length < 2) return shown.join("");
  return `${shown.slice(0, -1).join(", ")} or ${shown[shown.length - 1]}`;
}
