import { isObject, type Json, quote } from "../internal/json.ts";
import { checkSelector } from "./_selector.ts";
import type { ProblemList } from "./_shape.ts";

const WAIVER = ["rule", "artifact", "reason", "owner", "until", "reasons"];
const MAX_WAIVERS = 10_000;

/** Reasons that nobody can accept. */
const NEVER: ReadonlySet<string> = new Set([
  "invalid-signature",
  "malformed-policy",
  "policy-expired",
  "unselected-artifact",
]);

/** Names of parts by rule: what a waiver may name. */
export type RuleParts = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Checks waivers.
 *
 * @param parts Names of the policy, or undefined if it is not known.
 */
export function checkWaivers(
  list: ProblemList,
  value: Json,
  path: string,
  parts: RuleParts | undefined,
  min = 1,
): void {
  const found = list.list(value, path, "waivers", MAX_WAIVERS, min) ?? [];
  for (const [i, one] of found.entries()) {
    const at = `${path}/${i}`;
    const waiver = list.members(one, at, "a waiver", WAIVER);
    if (waiver === undefined) continue;
    waiver.need("rule", "artifact", "reason", "owner", "until");
    const artifact = waiver.get("artifact");
    if (artifact !== undefined) checkSelector(list, artifact, waiver.at("artifact"), "artifact");
    waiver.text("reason");
    waiver.text("owner");
    waiver.time("until");
    const rule = waiver.text("rule");
    const fault = rule === undefined || parts === undefined ? undefined : nameFault(rule, parts);
    if (fault !== undefined) waiver.wrong("rule", fault);
    for (const [k, reason] of (waiver.texts("reasons", 100) ?? []).entries()) {
      if (NEVER.has(reason)) {
        list.wrong(`${waiver.at("reasons")}/${k}`, `${quote(reason)} cannot be waived`);
      } else if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(reason)) {
        list.wrong(`${waiver.at("reasons")}/${k}`, `${quote(reason)} is no reason`);
      }
    }
  }
}

function nameFault(name: string, parts: RuleParts): string | undefined {
  const [rule, part, ...check] = name.split("/");
  const known = parts.get(rule);
  if (known === undefined) return `${quote(rule)} is no rule`;
  if (part === undefined) return undefined;
  if (!known.has(part)) return `${quote(part)} is no requirement of ${quote(rule)}`;
  if (check.length > 0 && !/^(?:envelope|statement|predicate)\..+/.test(check.join("/"))) {
    return `${quote(check.join("/"))} is no check, such as envelope.signed-by`;
  }
}

/** Names of the rules of a document, and of their parts. */
export function partsOf(rules: Json | undefined): RuleParts {
  const parts = new Map<string, Set<string>>();
  for (const rule of Array.isArray(rules) ? rules : []) {
    if (!isObject(rule) || typeof rule.id !== "string") continue;
    const own = new Set<string>();
    for (const list of [rule.require, rule.across]) {
      for (const one of Array.isArray(list) ? list : []) {
        if (isObject(one) && typeof one.id === "string") own.add(one.id);
      }
    }
    parts.set(rule.id, own);
  }
  return parts;
}
