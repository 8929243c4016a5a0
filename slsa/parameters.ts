import type { Reason } from "../errors.ts";
import { fullMatch } from "../internal/full_match.ts";
import { canonicalJson, isObject, type Json, type JsonObject } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { pointer } from "../internal/problem.ts";

/**
 * What one external parameter may be. Exactly one member.
 *
 * Source: SLSA 1.2, verifying-artifacts.md, "Step 2: Check expectations".
 */
export type ParameterRule =
  | {
    /** Equal to this value; the order of names has no meaning. */
    const: Json;
  }
  | {
    /** Equal to one of these. */
    enum: readonly Json[];
  }
  | {
    /** A text of which all matches this regular expression (flag `u`). */
    pattern: string;
  }
  | {
    /** There, whatever it is. */
    any: true;
  }
  | {
    /** Not looked at; it may be absent. */
    ignored: true;
  }
  | {
    /** An object with a rule for each of its members; one without a rule is refused. */
    members: ParameterRules;
  };

/** Rules by the name of a parameter. */
export interface ParameterRules {
  /** Rule of the parameter of this name. */
  readonly [name: string]: ParameterRule;
}

/** A parameter that is not as expected. */
export interface ParameterFinding {
  /** `unexpected-parameter` (it has no rule) or `parameter-mismatch`. */
  reason: Reason;
  /** JSON Pointer below the parameters. */
  path: string;
  /** What was wanted, for people. */
  expected: string;
  /** What is there, as JSON; undefined if nothing is. */
  actual: string | undefined;
}

const MAX_DEPTH = 32;

/** Every parameter that is not as the rules want it. */
export function compareParameters(
  parameters: JsonObject,
  rules: ParameterRules,
): ParameterFinding[] {
  const findings: ParameterFinding[] = [];
  compareMembers(parameters, rules, "", findings);
  return findings;
}

function compareMembers(
  value: JsonObject,
  rules: ParameterRules,
  path: string,
  findings: ParameterFinding[],
): void {
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(rules, name)) continue;
    findings.push({
      reason: "unexpected-parameter",
      path: pointer(path, name),
      expected: "no such parameter",
      actual: brief(value[name]),
    });
  }
  for (const name of Object.keys(rules)) {
    const actual = Object.hasOwn(value, name) ? value[name] : undefined;
    compareOne(actual, rules[name], pointer(path, name), findings);
  }
}

function compareOne(
  actual: Json | undefined,
  rule: ParameterRule,
  path: string,
  findings: ParameterFinding[],
): void {
  if ("ignored" in rule) return;
  const mismatch = (expected: string) => {
    findings.push({
      reason: "parameter-mismatch",
      path,
      expected,
      actual: actual === undefined ? undefined : brief(actual),
    });
  };
  if ("members" in rule) {
    if (isObject(actual)) return compareMembers(actual, rule.members, path, findings);
    return mismatch("an object");
  }
  if ("any" in rule) {
    if (actual === undefined) mismatch("any value");
  } else if ("const" in rule) {
    if (!isSame(actual, rule.const)) mismatch(brief(rule.const));
  } else if ("enum" in rule) {
    if (!rule.enum.some((value) => isSame(actual, value))) {
      mismatch(`one of ${brief([...rule.enum])}`);
    }
  } else if (typeof actual !== "string" || !fullMatch(rule.pattern)(actual)) {
    mismatch(`all of it matches /${rule.pattern}/`);
  }
}

function isSame(actual: Json | undefined, wanted: Json): boolean {
  return actual !== undefined && canonicalJson(actual) === canonicalJson(wanted);
}

function brief(value: Json): string {
  return JSON.stringify(value).slice(0, 400);
}

/**
 * Refuses rules that mean nothing.
 *
 * @throws {TypeError} If a rule has not exactly one member that is known and well formed.
 */
export function assertParameterRules(rules: unknown, depth = 0): asserts rules is ParameterRules {
  if (!isObject(rules)) throw new TypeError("Rules of parameters are not an object");
  if (depth > MAX_DEPTH) throw new TypeError("Rules of parameters are nested too deep");
  for (const name of Object.keys(rules)) {
    const rule = rules[name];
    if (!isObject(rule) || Object.keys(rule).length !== 1) {
      throw new TypeError("A rule of a parameter has not exactly one member");
    }
    refuseUnknown(
      rule,
      ["const", "enum", "pattern", "any", "ignored", "members"],
      "a rule of a parameter",
    );
    if ("members" in rule) assertParameterRules(rule.members, depth + 1);
    else if ("const" in rule) {
      if (rule.const === undefined) throw new TypeError("A rule of a parameter has no value");
    } else if ("enum" in rule) {
      if (!Array.isArray(rule.enum) || rule.enum.length === 0) {
        throw new TypeError("A rule of a parameter allows none of several values");
      }
    } else if ("pattern" in rule) {
      const { pattern } = rule;
      if (typeof pattern !== "string" || pattern === "") {
        throw new TypeError("A rule of a parameter has no regular expression as its pattern");
      }
      assertPattern(pattern);
    } else if (
      ("any" in rule && rule.any !== true) || ("ignored" in rule && rule.ignored !== true)
    ) {
      throw new TypeError("A rule of a parameter has a value other than true");
    }
  }
}

function assertPattern(pattern: string): void {
  try {
    fullMatch(pattern);
  } catch (cause) {
    const { message } = cause as SyntaxError;
    throw new TypeError(`A rule of a parameter: ${message}`, { cause });
  }
}
