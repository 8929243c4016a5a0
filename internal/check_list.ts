import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import type { Check, Layer, Origin } from "../report.ts";
import { printable } from "./json.ts";

/** What was looked at, besides the verdict. */
export interface CheckFacts {
  expected?: string;
  actual?: string;
  origin?: Origin;
  path?: string;
}

/** Checks in the order in which they were made. */
export class CheckList {
  /** What has been recorded. */
  readonly checks: Check[] = [];
  /** The first refusal. */
  error: AttestationError | undefined;

  passed(id: string, message: string, facts: CheckFacts = {}): void {
    this.#add(id, "passed", message, facts);
  }

  skipped(id: string, message: string): void {
    this.#add(id, "skipped", message, {});
  }

  failed(id: string, error: unknown, facts: CheckFacts = {}): void {
    const refusal = asRefusal(error);
    this.error ??= refusal;
    const path = facts.path ?? refusal.path;
    const check = this.#add(id, "failed", printable(refusal.message, 400), { ...facts, path });
    check.reason = refusal.reason;
  }

  refused(id: string, reason: Reason, message: string, facts: CheckFacts = {}): void {
    this.failed(id, new AttestationError(reason, message), facts);
  }

  #add(id: string, outcome: Check["outcome"], message: string, facts: CheckFacts): Check {
    const layer = id.slice(0, id.indexOf(".")) as Layer;
    const check: Check = { id, layer, outcome, message };
    if (facts.expected !== undefined) check.expected = printable(facts.expected, 400);
    if (facts.actual !== undefined) check.actual = printable(facts.actual, 400);
    if (facts.path !== undefined) check.path = facts.path;
    if (facts.origin !== undefined) check.origin = facts.origin;
    this.checks.push(check);
    return check;
  }
}

/** Any throw as a refusal: what is not understood is never accepted. */
export function asRefusal(error: unknown): AttestationError {
  if (isAttestationError(error)) return error;
  return new AttestationError("internal-error", "Cannot verify: an unexpected error", {
    cause: error,
  });
}
