import {
  canonicalJson,
  copyJson,
  isObject,
  type Json,
  jsonText,
  printable,
  quote,
} from "../internal/json.ts";
import type { PolicyDocument } from "./document.ts";
import { parseDuration } from "./duration.ts";

/** One thing in which two policies differ. */
export interface PolicyDifference {
  /** Where, by names instead of places: `rules/release/require/signed/envelope/log`. */
  where: string;
  /** What became of it. */
  change: "added" | "removed" | "changed" | "moved";
  /** Value in the old policy, as JSON. */
  from?: string;
  /** Value in the new policy, as JSON. */
  to?: string;
  /** Whether the new policy accepts less or more by this; absent where that depends. */
  effect?: "stricter" | "looser";
  /** For people: one line, no final period. */
  message: string;
}

const MAX_DIFFERENCES = 10_000;
const MAX_VALUE = 200;

/** Numbers of which more is stricter. */
const AT_LEAST: ReadonlySet<string> = new Set([
  "threshold",
  "count",
  "log",
  "sct",
  "timestamp",
  "timestampAuthority",
  "integratedTime",
  "min",
  "minLevel",
  "RSA",
  "EC",
  "Ed25519",
  "ML-DSA",
]);
/** Lists of what is accepted: more is looser. */
const ACCEPTED: ReadonlySet<string> = new Set([
  "formats",
  "coverage",
  "payloadTypes",
  "algorithms",
  "of",
  "digestAlgorithms",
  "subjectNames",
  "allowed",
  "digests",
  "scanners",
  "exceptions",
  "oneOf",
  "matches",
  "subsetOf",
  "waivers",
  "roots",
]);
/** Lists of what is asked: more is stricter. */
const ASKED: ReadonlySet<string> = new Set([
  "require",
  "across",
  "where",
  "forbidden",
  "required",
  "containsAll",
  "disjointFrom",
  "distinctSigners",
  "equal",
]);
/** Words from the strictest on. */
const ORDERED: Readonly<Record<string, readonly string[]>> = {
  mode: ["enforce", "permissive"],
  unselected: ["fail", "pass"],
  platforms: ["attested", "from-index"],
  maxSeverity: ["none", "low", "medium", "high", "critical"],
  subjects: ["exact", "all", "any"],
};
/** What holds where a member is absent. */
const DEFAULTS: Readonly<Record<string, Json>> = {
  mode: "enforce",
  unselected: "fail",
  platforms: "attested",
  subjects: "any",
};
/** Members whose presence asks for more. */
const RULES: ReadonlySet<string> = new Set([
  "envelope",
  "statement",
  "predicate",
  "freshness",
  "provenance",
  "dependencies",
  "sbom",
  "vulnerabilities",
  "vsa",
  "cel",
  "signedBy",
  "minKeyBits",
  "expires",
  "maxAge",
  "maxDatabaseAge",
  "waiverSigners",
  "versions",
]);
/** Members that mean nothing to the verdict. */
const FOR_PEOPLE: ReadonlySet<string> = new Set(["$schema", "description", "name"]);

/**
 * How a policy differs from another, part by part; rules, requirements and conditions are
 * told apart by their ids. Where the new policy only accepts less, or only more, by a
 * difference, that is said; together they may still do otherwise.
 *
 * @param before The policy in force, as `parsePolicy()` gives it.
 * @param after The one that takes its place.
 *
 * @example A threshold goes down
 * ```ts
 * import { definePolicy, diffPolicies, signedByAtLeast } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const identity = (name: string) => ({ github: { repository: `acme/${name}` } });
 * const trust = { identities: { a: identity("a"), b: identity("b") } };
 * const policy = (threshold: number) =>
 *   definePolicy({
 *     trust,
 *     rules: [{ id: "release", require: [{ id: "signed", envelope: signedByAtLeast(threshold, "a", "b") }] }],
 *   });
 * const [one] = diffPolicies(policy(2), policy(1));
 * assert.equal(one.effect, "looser");
 * ```
 */
export function diffPolicies(before: PolicyDocument, after: PolicyDocument): PolicyDifference[] {
  const found: PolicyDifference[] = [];
  compare(copyJson(before), copyJson(after), [], found);
  return found;
}

function compare(
  before: Json | undefined,
  after: Json | undefined,
  where: readonly string[],
  found: PolicyDifference[],
): void {
  if (found.length >= MAX_DIFFERENCES) return;
  if (before === undefined && after === undefined) return;
  if (before !== undefined && after !== undefined) {
    if (canonicalJson(before) === canonicalJson(after)) return;
    if (isObject(before) && isObject(after)) {
      for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
        compare(memberOf(before, name), memberOf(after, name), [...where, name], found);
      }
      return;
    }
    if (Array.isArray(before) && Array.isArray(after)) {
      return compareLists(before, after, where, found);
    }
  }
  tell(before, after, where, found);
}

function memberOf(value: { [name: string]: Json }, name: string): Json | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Entries by their ids, texts by themselves, anything else by all that it says. */
function nameOf(entry: Json): string {
  if (isObject(entry) && typeof entry.id === "string") return entry.id;
  return typeof entry === "string" ? entry : canonicalJson(entry);
}

function compareLists(
  before: readonly Json[],
  after: readonly Json[],
  where: readonly string[],
  found: PolicyDifference[],
): void {
  const old = new Map(before.map((entry) => [nameOf(entry), entry]));
  const fresh = new Map(after.map((entry) => [nameOf(entry), entry]));
  for (const [name, entry] of old) compare(entry, fresh.get(name), [...where, name], found);
  for (const [name, entry] of fresh) {
    if (!old.has(name)) compare(undefined, entry, [...where, name], found);
  }
  const common = [...old.keys()].filter((name) => fresh.has(name));
  const order = [...fresh.keys()].filter((name) => old.has(name));
  const isMoved = common.some((name, i) => name !== order[i]);
  if (isMoved && found.length < MAX_DIFFERENCES && where.at(-1) === "rules") {
    found.push({
      where: where.join("/"),
      change: "moved",
      from: common.slice(0, 20).join(", "),
      to: order.slice(0, 20).join(", "),
      message: "The rules have another order: with selection first another one may judge",
    });
  }
}

function tell(
  before: Json | undefined,
  after: Json | undefined,
  where: readonly string[],
  found: PolicyDifference[],
): void {
  const change = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  const effect = effectOf(before, after, where);
  const path = where.map((part) => printable(part, 80)).join("/");
  const from = before === undefined ? undefined : show(before);
  const to = after === undefined ? undefined : show(after);
  const what = change === "added"
    ? `${quote(path)} is new: ${to}`
    : change === "removed"
    ? `${quote(path)} is gone: ${from}`
    : `${quote(path)} was ${from}, is ${to}`;
  found.push({
    where: path,
    change,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(effect === undefined ? {} : { effect }),
    message: what,
  });
}

function show(value: Json): string {
  return printable(JSON.stringify(value), MAX_VALUE);
}

function effectOf(
  before: Json | undefined,
  after: Json | undefined,
  where: readonly string[],
): PolicyDifference["effect"] {
  const name = where.at(-1) ?? "";
  const list = where.at(-2) ?? "";
  const judged = where[0] !== "trust" || where[1] === "thresholds" || where[1] === "roots";
  if (FOR_PEOPLE.has(name) || !judged) return undefined;
  // What a whole rule does depends on what else selects its artifacts.
  if (where.length <= 2 && where[0] === "rules") return undefined;
  if (where.includes("select") || where.includes("artifact")) return undefined;
  // A quantifier may turn an operator round.
  const condition = where.indexOf("where");
  if (condition >= 0 && where.length > condition + 2) return undefined;
  if (ACCEPTED.has(list)) {
    if (before === undefined) return "looser";
    if (after === undefined) return "stricter";
  }
  if (ASKED.has(list)) {
    if (before === undefined) return "stricter";
    if (after === undefined) return "looser";
  }
  if (Object.hasOwn(ORDERED, name)) {
    const words = ORDERED[name];
    const fallback = DEFAULTS[name];
    const [old, fresh] = [before ?? fallback, after ?? fallback].map((word) =>
      words.indexOf(jsonText(word))
    );
    if (old >= 0 && fresh >= 0 && old !== fresh) return fresh < old ? "stricter" : "looser";
  }
  if (AT_LEAST.has(name)) {
    const usual = name === "count" || name === "threshold" || list === "sbom" ||
        (list === "thresholds" && ["log", "sct", "timestamp"].includes(name))
      ? 1
      : 0;
    const least = (value: Json | undefined): number => typeof value === "number" ? value : usual;
    const [old, fresh] = [least(before), least(after)];
    if (old !== fresh) return fresh > old ? "stricter" : "looser";
    return undefined;
  }
  if (before === undefined || after === undefined) {
    if (!RULES.has(name) && !ACCEPTED.has(name) && !ASKED.has(name)) return undefined;
    const asksMore = name !== "waivers" && name !== "exceptions" && name !== "roots";
    return (before === undefined) === asksMore ? "stricter" : "looser";
  }
  if (
    /^max(?:Database)?Age$/.test(name) && typeof before === "string" && typeof after === "string"
  ) {
    return parseDuration(after) < parseDuration(before) ? "stricter" : "looser";
  }
  if (name === "until" || name === "expires") {
    return jsonText(after) < jsonText(before) ? "stricter" : "looser";
  }
  return undefined;
}
