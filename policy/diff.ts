import {
  canonicalJson,
  copyJson,
  isObject,
  type Json,
  jsonText,
  printable,
  quote,
} from "../internal/json.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
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
/** What holds where such a number is absent, if it is not 0. */
const USUAL: ReadonlyMap<string, number> = new Map([
  ["count", 1],
  ["threshold", 1],
  ["sbom/min", 1],
  ["thresholds/log", 1],
  ["thresholds/sct", 1],
  ["thresholds/timestamp", 1],
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
  "waivers",
  "roots",
]);
/** What such a list holds where it is absent. */
const USUAL_LISTS: ReadonlyMap<string, readonly string[]> = new Map([
  ["exceptions", []],
  ["waivers", []],
  ["roots", ["public-good"]],
]);
/** Lists of what is asked: more is stricter. */
const ASKED: ReadonlySet<string> = new Set([
  "require",
  "across",
  "where",
  "forbidden",
  "required",
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
/** Members of which more or less asks for another thing, not for more or less. */
const OTHERS: ReadonlySet<string> = new Set(["select", "artifact", "externalParameters"]);

/** A step on the way to a value. */
interface Step {
  /** Of a member, or the name by which an entry of a list is told apart. */
  name: string;
  /** It is an entry of a list. */
  isEntry: boolean;
}

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
  where: readonly Step[],
  found: PolicyDifference[],
): void {
  if (found.length >= MAX_DIFFERENCES) return;
  if (isObject(before) && isObject(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const step = { name, isEntry: false };
      compare(memberOf(before, name), memberOf(after, name), [...where, step], found);
    }
  } else if (Array.isArray(before) && Array.isArray(after)) {
    compareLists(before, after, where, found);
  } else if (before !== after) tell(before, after, where, found);
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
  where: readonly Step[],
  found: PolicyDifference[],
): void {
  const old = new Map(before.map((entry) => [nameOf(entry), entry]));
  const fresh = new Map(after.map((entry) => [nameOf(entry), entry]));
  for (const name of new Set([...old.keys(), ...fresh.keys()])) {
    compare(old.get(name), fresh.get(name), [...where, { name, isEntry: true }], found);
  }
  const path = pathOf(where);
  if (path !== "rules") return;
  const common = [...old.keys()].filter((name) => fresh.has(name));
  const order = [...fresh.keys()].filter((name) => old.has(name));
  const isMoved = common.some((name, i) => name !== order[i]);
  if (isMoved && found.length < MAX_DIFFERENCES) {
    found.push({
      where: path,
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
  where: readonly Step[],
  found: PolicyDifference[],
): void {
  const change = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  const effect = effectOf(before, after, where);
  const path = pathOf(where);
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

function pathOf(where: readonly Step[]): string {
  return where.map(({ name }) => printable(name, 80)).join("/");
}

function show(value: Json): string {
  return printable(JSON.stringify(value), MAX_VALUE);
}

type Effect = PolicyDifference["effect"];

function effectIf(isStricter: boolean, isLooser: boolean): Effect {
  return isStricter ? "stricter" : isLooser ? "looser" : undefined;
}

function effectOf(
  before: Json | undefined,
  after: Json | undefined,
  where: readonly Step[],
): Effect {
  const [top, second] = where.map(({ name }) => name);
  // What else is trusted asks nothing by itself.
  if (top === "trust" && second !== "thresholds" && second !== "roots") return undefined;
  const members = where.map(({ name, isEntry }) => isEntry ? "" : name);
  if (members.some((name) => OTHERS.has(name))) return undefined;
  // A quantifier may turn an operator round.
  if (members.slice(0, -2).includes("where")) return undefined;
  const isNew = before === undefined;
  const isGone = after === undefined;
  const name = members.at(-1) ?? "";
  const parent = where.at(-2)?.name ?? "";
  if (where.at(-1)?.isEntry) {
    if (ACCEPTED.has(parent)) return effectIf(isGone, isNew);
    return ASKED.has(parent) ? effectIf(isNew, isGone) : undefined;
  }
  if (Object.hasOwn(ORDERED, name)) {
    const words = ORDERED[name];
    const [old, fresh] = [before, after].map((word) =>
      words.indexOf(jsonText(word ?? DEFAULTS[name]))
    );
    return Math.min(old, fresh) < 0 ? undefined : effectIf(fresh < old, fresh > old);
  }
  if (AT_LEAST.has(name)) {
    const usual = USUAL.get(name) ?? USUAL.get(`${parent}/${name}`) ?? 0;
    const [old, fresh] = [before, after].map((value) => typeof value === "number" ? value : usual);
    return effectIf(fresh > old, fresh < old);
  }
  const usual = USUAL_LISTS.get(name);
  if (usual !== undefined) {
    const [old, fresh] = [before, after].map((list) =>
      new Set((Array.isArray(list) ? list : usual).map(nameOf))
    );
    const less = [...old].some((one) => !fresh.has(one));
    const more = [...fresh].some((one) => !old.has(one));
    return effectIf(less && !more, more && !less);
  }
  if (isNew || isGone) {
    const asks = RULES.has(name) || ACCEPTED.has(name) || ASKED.has(name);
    return asks ? effectIf(isNew, isGone) : undefined;
  }
  if (/^max(?:Database)?Age$/.test(name)) {
    const [old, fresh] = [before, after].map(ageOf);
    return effectIf(fresh < old, fresh > old);
  }
  if (/^(?:until|expires)$/.test(name)) {
    const [old, fresh] = [before, after].map((text) =>
      parseTimestamp(jsonText(text))?.getTime() ?? NaN
    );
    return effectIf(fresh < old, fresh > old);
  }
  return undefined;
}

/** Milliseconds of a duration, or of seconds. */
function ageOf(value: Json): number {
  return typeof value === "number" ? value * 1000 : parseDuration(jsonText(value));
}
