/**
 * The check, the unit of every report: what was looked at, what was wanted, what was
 * found, and how far the found value can be believed.
 *
 * @module
 */

import type { Reason } from "./errors.ts";

/** The layer of the model that a check belongs to. */
export type Layer = "envelope" | "statement" | "predicate" | "storage";

/**
 * How far a value can be believed: `signed` by the accepted signature, stated by the
 * verified `certificate`, by a verified `log` entry or `timestamp`, or `unsigned`.
 */
export type Origin = "signed" | "certificate" | "log" | "timestamp" | "unsigned";

/** One thing that was looked at. */
export interface Check {
  /** Stable name: layer, dot, what was looked at, such as `statement.subject`. */
  id: string;
  /** Layer of the model. */
  layer: Layer;
  /** `skipped` is only ever the caller's explicit choice, or a layer that the format lacks. */
  outcome: "passed" | "failed" | "skipped";
  /** Why it failed; only on `failed`. */
  reason?: Reason;
  /** What was wanted. */
  expected?: string;
  /** What was found, cut to a short length and stripped of control characters. */
  actual?: string;
  /** JSON Pointer into the attestation. */
  path?: string;
  /** How far `actual` can be believed. */
  origin?: Origin;
  /** For people: one line, no final period. */
  message: string;
}
