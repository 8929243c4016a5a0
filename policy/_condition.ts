import { isObject, type Json, jsonText, quote } from "../internal/json.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import type { Members, ProblemList } from "./_shape.ts";
import { OPERATORS } from "./condition.ts";
import { durationFault, parseDuration } from "./duration.ts";
import { hasInexact, keyOf } from "./json_equal.ts";
import { pathFault } from "./path.ts";
import { rangeFault } from "./version_range.ts";

const CONDITION: readonly string[] = ["id", "path", "quantifier", ...OPERATORS];
const MAX_VALUES = 10_000;

/** Checks one condition. */
export function checkCondition(list: ProblemList, value: Json, path: string): void {
  const condition = list.members(value, path, "a condition", CONDITION);
  if (condition === undefined) return;
  condition.need("path");
  const at = condition.text("path", 1024);
  const fault = at === undefined ? undefined : pathFault(at);
  if (fault !== undefined) condition.wrong("path", `the path ${quote(at ?? "")}: ${fault}`);
  const id = condition.text("id");
  if (id !== undefined && !/^(?!\d+$)[A-Za-z0-9._-]{1,128}$/.test(id)) {
    condition.wrong("id", `${quote(id)} is no id: letters, digits, . _ and -, and no number`);
  }
  const quantifier = condition.word("quantifier", ["every", "some", "none"]);
  const operators = OPERATORS.filter((name) => condition.has(name));
  if (operators.length > 1 || (operators.length === 0 && !condition.unknown)) {
    const found = operators.length === 0 ? "none" : operators.join(" and ");
    condition.wrong("", `a condition has exactly one of ${OPERATORS.join(", ")}; found ${found}`);
  }
  for (const operator of operators) checkOperand(condition, operator);
  if (condition.get("exists") === false && quantifier !== undefined) {
    condition.wrong("quantifier", "a quantifier has no meaning with exists: false");
  }
  if (condition.get("exists") === true && quantifier === "none") {
    condition.wrong("quantifier", "for nothing at the path write exists: false");
  }
}

function checkOperand(condition: Members, operator: (typeof OPERATORS)[number]): void {
  const { list } = condition;
  const value = condition.get(operator);
  const at = condition.at(operator);
  if (value === undefined) return;
  switch (operator) {
    case "equals":
      if (hasInexact(value)) condition.wrong(operator, INEXACT);
      return;
    case "oneOf":
    case "containsAll":
    case "subsetOf":
    case "disjointFrom": {
      const values = list.list(value, at, operator, MAX_VALUES) ?? [];
      const seen = new Set<string>();
      for (const [i, one] of values.entries()) {
        if (hasInexact(one)) list.wrong(`${at}/${i}`, INEXACT);
        const key = keyOf(one);
        if (seen.has(key)) list.wrong(`${at}/${i}`, `${operator} has the same value twice`);
        seen.add(key);
      }
      return;
    }
    case "matches":
      if (typeof value === "string") list.pattern(value, at, operator);
      else condition.patterns(operator);
      return;
    case "semver": {
      const text = list.text(value, at, operator);
      const fault = text === undefined ? undefined : rangeFault(text);
      if (fault !== undefined) condition.wrong(operator, fault);
      return;
    }
    case "number":
      return checkNumber(condition);
    case "time":
      return checkTime(condition);
    case "exists":
      return condition.flag(operator);
  }
}

const INEXACT = "JSON does not keep an integer beyond 2^53; compare a text instead";

function checkNumber(condition: Members): void {
  const bounds = condition.object("number", "number", ["min", "max"]);
  if (bounds === undefined) return;
  bounds.needOne(["min", "max"]);
  const [min, max] = ["min", "max"].map((name) => {
    const bound = bounds.get(name);
    if (bound === undefined) return undefined;
    if (typeof bound !== "number" || hasInexact(bound)) {
      return void bounds.wrong(name, `${name} is no number that JSON keeps`);
    }
    return bound;
  });
  if (isAbove(min, max)) {
    bounds.wrong("", "no number is within: min is above max");
  }
}

/** One that is absent bounds nothing. */
function isAbove(low = -Infinity, high = Infinity): boolean {
  return low > high;
}

function checkTime(condition: Members): void {
  const known = ["after", "before", "maxAge"];
  const window = condition.object("time", "time", known);
  if (window === undefined) return;
  window.needOne(known);
  window.duration("maxAge");
  const bounds = ["after", "before"].map((name): { back?: number; at?: number } => {
    const text = window.text(name);
    if (text === undefined) return {};
    const moment = parseTimestamp(text)?.getTime();
    if (moment !== undefined) return { at: moment };
    if (durationFault(text) === undefined) return { back: parseDuration(text) };
    window.wrong(
      name,
      `${name} ${quote(text)} is neither an RFC 3339 time in UTC with Z nor a ` +
        "duration such as P7D",
    );
    return {};
  });
  const [after, before] = bounds;
  if (isAbove(after.at, before.at) || isAbove(before.back, after.back)) {
    window.wrong("", "no time is within: after is later than before");
  }
}

/** Checks the conditions of a requirement: their ids are their own. */
export function checkConditions(predicate: Members): void {
  const where = predicate.get("where");
  if (where === undefined) return;
  const ids = new Set<Json>();
  const found = predicate.list.list(where, predicate.at("where"), "where", 1000) ?? [];
  for (const [i, one] of found.entries()) {
    const path = `${predicate.at("where")}/${i}`;
    checkCondition(predicate.list, one, path);
    if (!isObject(one) || one.id === undefined) continue;
    if (ids.has(one.id)) {
      predicate.list.wrong(`${path}/id`, `the id ${quote(jsonText(one.id))} is there twice`);
    }
    ids.add(one.id);
  }
}
