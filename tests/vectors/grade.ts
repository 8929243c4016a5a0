/** Grades the cases of an index; pure, see `cases.ts`. */

import type { Reason } from "../../errors.ts";
import {
  isImplemented,
  type ReadFile,
  runCase,
  type Variant,
  variantsOf,
  type VectorCase,
  type VectorIndex,
} from "./cases.ts";

/** Recorded reasons of failing cases, by id; `ID#by-digest` where the digest run differs. */
export type RecordedReasons = Record<string, string>;

/** One run of one case. */
export interface Graded {
  id: string;
  kind: string;
  variant: Variant;
  outcome: "passed" | "failed" | "skipped" | "contested";
  expected: "pass" | "fail";
  /** What the library said; absent when it was not run or broke. */
  verdict?: "pass" | "fail";
  reason?: Reason | null;
  expectedReason?: string;
  /** Of the case: what its origin says. */
  why?: string;
  message: string;
}

/** Which cases are run. */
export interface Selection {
  origin?: string;
  kind?: string;
  id?: string;
}

/** Runs and grades the selected cases, in the order of the index. */
export async function gradeAll(
  index: VectorIndex,
  reasons: RecordedReasons,
  read: ReadFile,
  selection: Selection = {},
): Promise<Graded[]> {
  const graded: Graded[] = [];
  for (const vector of index.cases) {
    if (selection.origin !== undefined && vector.origin !== selection.origin) continue;
    if (selection.kind !== undefined && vector.kind !== selection.kind) continue;
    if (selection.id !== undefined && vector.id !== selection.id) continue;
    for (const variant of variantsOf(vector)) {
      graded.push(await gradeOne(vector, reasons, read, variant));
    }
  }
  return graded;
}

async function gradeOne(
  vector: VectorCase,
  reasons: RecordedReasons,
  read: ReadFile,
  variant: Variant,
): Promise<Graded> {
  const { id, kind, expected, why } = vector;
  const base = { id, kind, variant, expected, ...(why === undefined ? {} : { why }) };
  if (!isImplemented(kind)) return { ...base, outcome: "skipped", message: "kind not implemented" };
  let run;
  try {
    run = await runCase(vector, read, variant);
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { ...base, outcome: "failed", message: `no verdict: ${message}` };
  }
  const { verdict, reason, message } = run;
  const found = { ...base, verdict, reason, message };
  if (vector.contested !== undefined) {
    return { ...found, outcome: "contested", message: `${vector.contested}; here: ${message}` };
  }
  if (verdict !== expected) {
    return {
      ...found,
      outcome: "failed",
      message: `wanted ${expected}, got ${verdict}: ${message}`,
    };
  }
  const expectedReason = expected === "fail"
    ? expectedReasonOf(vector, reasons, variant)
    : undefined;
  if (expectedReason === undefined) return { ...found, outcome: "passed" };
  if (reason === expectedReason) return { ...found, expectedReason, outcome: "passed" };
  return {
    ...found,
    expectedReason,
    outcome: "failed",
    message: `refused for ${reason}, recorded is ${expectedReason}: ${message}`,
  };
}

function expectedReasonOf(
  vector: VectorCase,
  reasons: RecordedReasons,
  variant: Variant,
): string | undefined {
  const own = variant === "as-given" ? undefined : reasons[`${vector.id}#${variant}`];
  return own ?? reasons[vector.id] ?? vector.expectedReason;
}

/** The reasons of the failing cases of a run, to be recorded once each has been reviewed. */
export function recordReasons(graded: readonly Graded[]): RecordedReasons {
  const reasons: RecordedReasons = {};
  for (const { id, variant, expected, verdict, reason, outcome } of graded) {
    if (expected !== "fail" || verdict !== "fail" || outcome === "contested" || !reason) continue;
    if (variant === "as-given") reasons[id] = reason;
    else if (reasons[id] !== reason) reasons[`${id}#${variant}`] = reason;
  }
  return reasons;
}

/** Runs by outcome. */
export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
  contested: number;
}

/** Counts runs by outcome. */
export function totals(graded: readonly Graded[]): Totals {
  const sum: Totals = { passed: 0, failed: 0, skipped: 0, contested: 0 };
  for (const { outcome } of graded) sum[outcome]++;
  return sum;
}

/** The run as text: failing cases, contested cases, a table per kind, and the count last. */
export function formatText(graded: readonly Graded[]): string {
  const lines: string[] = [];
  const name = ({ id, variant }: Graded) => variant === "as-given" ? id : `${id} (${variant})`;
  for (const one of graded) {
    if (one.outcome === "failed") lines.push(`FAILED ${name(one)}: ${one.message}`);
  }
  const contested = graded.filter(({ outcome }) => outcome === "contested");
  if (contested.length > 0) {
    lines.push("", "contested, not graded:");
    for (const one of contested) {
      lines.push(
        `  ${name(one)}: origin ${one.expected}, here ${one.verdict} ${one.reason ?? ""}`.trimEnd(),
      );
    }
  }
  const kinds = new Map<string, Graded[]>();
  for (const one of graded) {
    const kind = one.variant === "as-given" ? one.kind : `${one.kind} (${one.variant})`;
    const group = kinds.get(kind);
    if (group === undefined) kinds.set(kind, [one]);
    else group.push(one);
  }
  const width = Math.max(4, ...[...kinds.keys()].map((kind) => kind.length));
  const row = (...cells: (string | number)[]) =>
    cells.map((cell, i) => i === 0 ? String(cell).padEnd(width) : String(cell).padStart(9)).join(
      " ",
    );
  lines.push("", row("kind", "passed", "failed", "skipped", "contested"));
  for (const [kind, group] of [...kinds].sort(([a], [b]) => a < b ? -1 : 1)) {
    const sum = totals(group);
    lines.push(row(kind, sum.passed, sum.failed, sum.skipped, sum.contested));
  }
  lines.push("", countLine(graded));
  return lines.join("\n");
}

/** `N passed, N failed, N skipped`. */
export function countLine(graded: readonly Graded[]): string {
  const { passed, failed, skipped } = totals(graded);
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
