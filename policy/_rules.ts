import { canonicalJson, isObject, type Json, quote } from "../internal/json.ts";
import { checkId, checkRequirement } from "./_requirement.ts";
import { checkSelector } from "./_selector.ts";
import type { Members, ProblemList } from "./_shape.ts";
import type { TrustedNames } from "./_trust.ts";
import { pathFault } from "./path.ts";

const RULE = ["id", "description", "select", "require", "across"];
const CROSS = ["distinctSigners", "equal", "signers", "chain"] as const;
const MAX_RULES = 10_000;
const MAX_PARTS = 1000;

/** Checks all rules, and what they say of each other. */
export function checkRules(policy: Members, trusted: TrustedNames): void {
  policy.need("rules");
  const value = policy.get("rules");
  if (value === undefined) return;
  const { list } = policy;
  const rules = list.list(value, policy.at("rules"), "rules", MAX_RULES) ?? [];
  const ids = new Set<string>();
  const chains: Chain[] = [];
  for (const [i, one] of rules.entries()) {
    const path = `${policy.at("rules")}/${i}`;
    const rule = list.members(one, path, "a rule", RULE);
    if (rule === undefined) continue;
    const id = checkId(rule);
    if (id !== undefined) {
      if (ids.has(id)) rule.wrong("id", `the id ${quote(id)} is there twice`);
      ids.add(id);
    }
    rule.text("description");
    const select = rule.get("select");
    if (select !== undefined) checkSelector(list, select, rule.at("select"), "select");
    const parts = checkRequirements(rule, trusted);
    checkAcross(rule, parts, id ?? "", chains);
  }
  checkChains(list, chains, ids);
  if (policy.get("selection") !== "all") checkReach(list, rules, policy.at("rules"));
}

function checkRequirements(rule: Members, trusted: TrustedNames): Set<string> {
  const ids = new Set<string>();
  rule.need("require");
  const value = rule.get("require");
  if (value === undefined) return ids;
  const at = rule.at("require");
  const found = rule.list.list(value, at, "require", MAX_PARTS) ?? [];
  for (const [i, one] of found.entries()) {
    const path = `${at}/${i}`;
    const id = checkRequirement(rule.list, one, path, trusted);
    if (id === undefined) continue;
    // The report has a part of that name.
    if (id === "across") rule.list.wrong(`${path}/id`, 'the id "across" is taken');
    if (ids.has(id)) rule.list.wrong(`${path}/id`, `the id ${quote(id)} is there twice`);
    ids.add(id);
  }
  return ids;
}

interface Chain {
  from: string;
  to: string;
  path: string;
}

function checkAcross(
  rule: Members,
  requirements: ReadonlySet<string>,
  ruleId: string,
  chains: Chain[],
): void {
  const value = rule.get("across");
  if (value === undefined) return;
  const ids = new Set<string>(requirements);
  const found = rule.list.list(value, rule.at("across"), "across", MAX_PARTS) ?? [];
  for (const [i, one] of found.entries()) {
    const path = `${rule.at("across")}/${i}`;
    const cross = rule.list.members(one, path, "a rule across", ["id", "description", ...CROSS]);
    if (cross === undefined) continue;
    const id = checkId(cross);
    if (id === "across") cross.wrong("id", 'the id "across" is taken');
    if (id !== undefined) {
      if (ids.has(id)) cross.wrong("id", `the id ${quote(id)} is there twice`);
      ids.add(id);
    }
    cross.text("description");
    const kinds = CROSS.filter((name) => cross.has(name));
    if (kinds.length > 1 || (kinds.length === 0 && !cross.unknown)) {
      const had = kinds.length === 0 ? "none" : kinds.join(" and ");
      cross.wrong("", `a rule across has exactly one of ${CROSS.join(", ")}; found ${had}`);
    }
    for (const kind of kinds) checkCross(cross, kind, requirements, ruleId, chains);
  }
}

function checkCross(
  cross: Members,
  kind: (typeof CROSS)[number],
  requirements: ReadonlySet<string>,
  ruleId: string,
  chains: Chain[],
): void {
  const { list } = cross;
  const isThere = (name: string, path: string): void => {
    if (requirements.has(name)) return;
    const near = list.near(name, requirements);
    list.wrong(path, `${quote(name)} is no requirement of this rule${near}`);
  };
  if (kind === "distinctSigners") {
    const names = cross.texts(kind, MAX_PARTS) ?? [];
    for (const [i, name] of names.entries()) isThere(name, `${cross.at(kind)}/${i}`);
    if (names.length === 1) {
      cross.wrong(kind, "one requirement cannot have other signers than itself");
    }
  } else if (kind === "signers") {
    const signers = cross.object(kind, "signers", ["of", "min"]);
    if (signers === undefined) return;
    signers.need("of", "min");
    const names = signers.texts("of", MAX_PARTS) ?? [];
    for (const [i, name] of names.entries()) isThere(name, `${signers.at("of")}/${i}`);
    signers.integer("min", 1, 10_000);
  } else if (kind === "equal") checkEqual(cross, isThere);
  else {
    const chain = cross.object(kind, "chain", ["from", "dependency", "rule"]);
    if (chain === undefined) return;
    chain.need("from", "dependency", "rule");
    const from = chain.text("from");
    if (from !== undefined) isThere(from, chain.at("from"));
    const dependency = chain.get("dependency");
    if (dependency !== undefined) {
      list.pattern(dependency, chain.at("dependency"), "dependency");
    }
    const to = chain.text("rule");
    if (to !== undefined) chains.push({ from: ruleId, to, path: chain.at("rule") });
  }
}

function checkEqual(cross: Members, isThere: (name: string, path: string) => void): void {
  const { list } = cross;
  const fields = list.list(cross.get("equal") ?? null, cross.at("equal"), "equal", MAX_PARTS, 2);
  for (const [i, one] of (fields ?? []).entries()) {
    const at = `${cross.at("equal")}/${i}`;
    const field = list.members(one, at, "a field", ["requirement", "path"]);
    if (field === undefined) continue;
    field.need("requirement", "path");
    const requirement = field.text("requirement");
    if (requirement !== undefined) isThere(requirement, field.at("requirement"));
    const path = field.text("path");
    if (path === undefined) continue;
    const fault = path.split("/").includes("*")
      ? "one value must be there, so * has no place in it"
      : pathFault(path);
    if (fault !== undefined) field.wrong("path", `the path ${quote(path)}: ${fault}`);
  }
}

/** Chains lead to rules that are there, and never back to where they began. */
function checkChains(list: ProblemList, chains: readonly Chain[], ids: ReadonlySet<string>): void {
  const next = new Map<string, Chain[]>();
  for (const chain of chains) {
    if (!ids.has(chain.to)) {
      const near = list.near(chain.to, ids);
      list.wrong(chain.path, `${quote(chain.to)} is no rule${near}`);
    }
    const others = next.get(chain.from);
    if (others === undefined) next.set(chain.from, [chain]);
    else others.push(chain);
  }
  const done = new Set<string>();
  for (const start of next.keys()) {
    const open = new Map<string, number>();
    const stack = [start];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const place = open.get(top) ?? 0;
      const chain = next.get(top)?.[place];
      if (chain === undefined || done.has(top)) {
        done.add(top);
        open.delete(top);
        stack.pop();
        continue;
      }
      open.set(top, place + 1);
      if (open.has(chain.to)) {
        const circle = [...stack.slice(stack.indexOf(chain.to)), chain.to].slice(0, 8);
        list.wrong(chain.path, `the chain leads in a circle: ${circle.join(" > ")}`);
      } else if (!done.has(chain.to)) {
        stack.push(chain.to);
      }
    }
  }
}

/** With `first`, a rule behind one that selects all that it does is never asked. */
function checkReach(list: ProblemList, rules: readonly Json[], path: string): void {
  const before = new Map<string, string>();
  let all: string | undefined;
  for (const [i, rule] of rules.entries()) {
    if (!isObject(rule)) continue;
    const { select } = rule;
    const id = typeof rule.id === "string" ? rule.id : String(i);
    const key = isObject(select) ? canonicalJson(select) : "";
    const other = all ?? (key === "" ? undefined : before.get(key));
    if (other !== undefined) {
      const at = select === undefined ? `${path}/${i}` : `${path}/${i}/select`;
      list.wrong(
        at,
        `the rule is never reached: ${quote(other)} before it selects everything ` +
          'that it does; put it first, or set selection to "all"',
      );
    } else if (select === undefined || selectsAll(select)) all = id;
    else if (key !== "") before.set(key, id);
  }
}

function selectsAll(select: Json): boolean {
  if (!isObject(select) || Object.keys(select).length !== 1) return false;
  const { name } = select;
  return name === "**" || (Array.isArray(name) && name.includes("**"));
}
