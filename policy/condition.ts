import { AttestationError, type Reason } from "../errors.ts";
import { isObject, type Json, printable } from "../internal/json.ts";
import { CLOCK_SKEW_MS, parseTimestamp } from "../internal/timestamp.ts";
import type { Statement } from "../intoto/statement.ts";
import type { Condition } from "./document.ts";
import { parseDuration } from "./duration.ts";
import { aType, hasInexact, type JsonType, jsonType, keyOf } from "./json_equal.ts";
import { compilePath, type Found } from "./path.ts";
import { compilePatterns } from "./pattern.ts";
import { compileRange } from "./version_range.ts";

/** How a condition came out for one Statement. */
export interface ConditionResult {
  /** It holds. */
  ok: boolean;
  /**
   * Why not: `condition-not-met`, or `condition-error` where the value is of a type that
   * the operator is not for. Absent when `ok`.
   */
  reason?: Reason;
  /** What is wanted, for people. */
  expected: string;
  /** What was found, cut and cleaned; absent if nothing was. */
  actual?: string;
  /** JSON Pointer of the value that decided, or the path of the condition. */
  path: string;
}

/** Operators; a condition has exactly one. */
export const OPERATORS = [
  "equals",
  "oneOf",
  "matches",
  "semver",
  "number",
  "time",
  "containsAll",
  "subsetOf",
  "disjointFrom",
  "exists",
] as const;

/** One value: whether it satisfies the operator, or why that cannot be told. */
type Verdict = boolean | { error: string };

interface Operator {
  expected: string;
  judge(value: Json, now: number): Verdict;
}

/**
 * Reads a condition once; what it returns judges any Statement.
 *
 * A value of another type than the operator is for is an error, not an answer: a list that
 * holds the forbidden text is not the forbidden text. With `none` and `every` one such value
 * is a failure, and with `every` so is a branch of a `*` behind which nothing is; with
 * `some` another value may still satisfy the operator. Where there is no value at all,
 * nothing but `exists: false` holds.
 *
 * @throws {AttestationError} `malformed-policy` if an operator's value is of another form.
 */
export function compileCondition(
  condition: Condition,
): (statement: Statement, now: Date) => ConditionResult {
  const { path, quantifier = "every" } = condition;
  const at = compilePath(path);
  if (condition.exists !== undefined) return compileExists(condition.exists, path, quantifier, at);
  const { judge, expected: wanted } = operatorOf(condition);
  const expected = path.includes("*") || quantifier !== "every"
    ? `${quantifier} of them ${wanted}`
    : wanted;
  return (statement, now) => {
    const { values, missing } = at(statement as unknown as Json);
    const refused = (
      reason: Reason,
      found: Found | undefined,
      error?: string,
    ): ConditionResult => ({
      ok: false,
      reason,
      expected,
      ...(found === undefined ? {} : {
        actual: error === undefined ? brief(found.value) : `${brief(found.value)} (${error})`,
      }),
      path: found?.path ?? path,
    });
    if (values.length === 0) return refused("condition-not-met", undefined);
    if (quantifier === "every" && missing.length > 0) {
      return { ok: false, reason: "condition-not-met", expected, path: missing[0] };
    }
    const time = now.getTime();
    let failed: { found: Found; error?: string } | undefined;
    let satisfying: Found | undefined;
    for (const found of values) {
      const verdict = judge(found.value, time);
      if (verdict === true) {
        if (quantifier === "none") return refused("condition-not-met", found);
        satisfying ??= found;
        if (quantifier === "some") break;
      } else if (typeof verdict === "object") {
        if (quantifier !== "some") return refused("condition-error", found, verdict.error);
        failed ??= { found, error: verdict.error };
      } else if (quantifier === "every") return refused("condition-not-met", found);
      else if (quantifier === "some") failed ??= { found };
    }
    if (quantifier === "some" && satisfying === undefined) {
      const reason = failed?.error === undefined ? "condition-not-met" : "condition-error";
      return refused(reason, failed?.found, failed?.error);
    }
    const shown = satisfying ?? values[0];
    const actual = values.length === 1 || quantifier === "some"
      ? brief(shown.value)
      : `${values.length} values`;
    return { ok: true, expected, actual, path: values.length === 1 ? shown.path : path };
  };
}

function compileExists(
  wanted: boolean,
  path: string,
  quantifier: string,
  at: ReturnType<typeof compilePath>,
): (statement: Statement, now: Date) => ConditionResult {
  const expected = wanted ? "something" : "nothing";
  return (statement) => {
    const { values, missing } = at(statement as unknown as Json);
    // In protobuf JSON null and absent are the same.
    const there = values.find(({ value }) => value !== null);
    if (!wanted) {
      if (there === undefined) return { ok: true, expected, path };
      const actual = brief(there.value);
      return { ok: false, reason: "condition-not-met", expected, actual, path: there.path };
    }
    const gap = quantifier === "some"
      ? undefined
      : missing[0] ?? values.find(({ value }) => value === null)?.path;
    if (there === undefined || gap !== undefined) {
      return { ok: false, reason: "condition-not-met", expected, path: gap ?? path };
    }
    return { ok: true, expected, actual: brief(there.value), path: there.path };
  };
}

function operatorOf(condition: Condition): Operator {
  const { equals, oneOf, matches, semver, number, time } = condition;
  const { containsAll, subsetOf, disjointFrom } = condition;
  if (equals !== undefined) return equalTo([equals], `equal to ${brief(equals)}`);
  if (oneOf !== undefined) return equalTo(oneOf, `one of ${briefList(oneOf)}`);
  if (matches !== undefined) return matching(typeof matches === "string" ? [matches] : matches);
  if (semver !== undefined) return inRange(semver, condition.quantifier === "none");
  if (number !== undefined) return within(number);
  if (time !== undefined) return inWindow(time);
  if (containsAll !== undefined) {
    const wanted = new Set(containsAll.map(keyOf));
    return ofList(`a list with all of ${briefList(containsAll)}`, (_, keys) => {
      const found = new Set(keys);
      return [...wanted].every((key) => found.has(key));
    });
  }
  if (subsetOf !== undefined) {
    const allowed = new Set(subsetOf.map(keyOf));
    return ofList(
      `a list of nothing but ${briefList(subsetOf)}`,
      (_, keys) => keys.every((key) => allowed.has(key)),
    );
  }
  if (disjointFrom !== undefined) {
    const forbidden = new Set(disjointFrom.map(keyOf));
    const types = new Set(disjointFrom.map(jsonType));
    return ofList(`a list with none of ${briefList(disjointFrom)}`, (list, keys) => {
      if (keys.some((key) => forbidden.has(key))) return false;
      const other = list.find((item) => !types.has(jsonType(item)));
      return other === undefined ? true : wrong([...types], other);
    });
  }
  throw new AttestationError("malformed-policy", "Cannot read condition: it has no operator");
}

function equalTo(wanted: readonly Json[], expected: string): Operator {
  const types: readonly JsonType[] = [...new Set(wanted.map(jsonType))];
  const isFlat = !types.includes("list") && !types.includes("object");
  const values = new Set(wanted);
  const keys = isFlat ? new Set<string>() : new Set(wanted.map(keyOf));
  return {
    expected,
    judge: (value) => {
      if (!types.includes(jsonType(value))) return wrong(types, value);
      if (hasInexact(value)) return INEXACT;
      return isFlat ? values.has(value) : keys.has(keyOf(value));
    },
  };
}

const INEXACT = { error: "JSON does not keep such an integer" };

function matching(patterns: readonly string[]): Operator {
  const test = compilePatterns(patterns);
  return {
    expected: `a text like ${briefList(patterns)}`,
    judge: (value) => typeof value === "string" ? test(value) : wrong(["text"], value),
  };
}

function inRange(range: string, isForbidden: boolean): Operator {
  const test = compileRange(range, isForbidden);
  return {
    expected: `a version in ${printable(range)}`,
    judge: (value) => {
      if (typeof value !== "string") return wrong(["text"], value);
      return test(value) ?? { error: "no version of three numbers" };
    },
  };
}

function within({ min, max }: NonNullable<Condition["number"]>): Operator {
  const bounds = [
    min === undefined ? [] : [`${min} or more`],
    max === undefined ? [] : [`${max} or less`],
  ];
  return {
    expected: `a number, ${bounds.flat().join(" and ")}`,
    judge: (value) => {
      if (typeof value !== "number") return wrong(["number"], value);
      if (hasInexact(value)) return INEXACT;
      return (min === undefined || value >= min) && (max === undefined || value <= max);
    },
  };
}

function inWindow({ after, before, maxAge }: NonNullable<Condition["time"]>): Operator {
  const from = after === undefined ? undefined : readBound(after);
  const to = before === undefined ? undefined : readBound(before);
  const age = maxAge === undefined ? undefined : parseDuration(maxAge);
  const bounds = [
    after === undefined ? [] : [`not before ${describeBound(after)}`],
    before === undefined ? [] : [`not after ${describeBound(before)}`],
    maxAge === undefined ? [] : [`at most ${maxAge} ago`],
  ];
  return {
    expected: `a time, ${bounds.flat().join(" and ")}`,
    judge: (value, now) => {
      if (typeof value !== "string") return wrong(["text"], value);
      const time = parseTimestamp(value)?.getTime();
      if (time === undefined) return { error: "no RFC 3339 time in UTC with Z" };
      if (from !== undefined && time < from(now)) return false;
      if (to !== undefined && time > to(now)) return false;
      // What is of the future has no age.
      return age === undefined || (now - time <= age && time <= now + CLOCK_SKEW_MS);
    },
  };
}

/** A moment, or a duration back from the moment of the verdict. */
function readBound(text: string): (now: number) => number {
  const moment = parseTimestamp(text)?.getTime();
  if (moment !== undefined) return () => moment;
  const back = parseDuration(text);
  return (now) => now - back;
}

function describeBound(text: string): string {
  return text.startsWith("P") ? `${text} ago` : text;
}

function ofList(
  expected: string,
  judge: (list: readonly Json[], keys: readonly string[]) => Verdict,
): Operator {
  return {
    expected,
    judge: (value) => {
      if (!Array.isArray(value)) return wrong(["list"], value);
      return hasInexact(value) ? INEXACT : judge(value, value.map(keyOf));
    },
  };
}

function wrong(types: readonly JsonType[], value: Json): { error: string } {
  return { error: `${aType(jsonType(value))}, wanted ${types.map(aType).join(" or ")}` };
}

/** A value for people: short and clean. */
function brief(value: Json): string {
  if (typeof value === "string") return printable(JSON.stringify(value.slice(0, 200)));
  if (Array.isArray(value) && value.length > 8) return `a list of ${value.length}`;
  if (isObject(value) && Object.keys(value).length > 8) return "an object";
  return printable(JSON.stringify(value));
}

function briefList(values: readonly Json[]): string {
  const shown = values.slice(0, 8).map(brief);
  return values.length > 8 ? `${shown.join(", ")}, …` : shown.join(", ");
}
