/**
 * CEL for what the conditions of a policy cannot say: an optional entry, so that a program
 * without it does not carry the engine (`@bufbuild/cel`).
 *
 * An expression sees these variables, all verified:
 *
 * | variable | type | content |
 * |---|---|---|
 * | `statement` | map | the whole Statement |
 * | `predicate` | map | its predicate |
 * | `subject` | list of maps | its subjects |
 * | `signers` | list of maps | `name`, `kind` (`key`, `certificate`), `algorithm`, `key` (`kind`, `bits`), `fingerprint` of keys, `identity` of certificates |
 * | `timestamps` | list of timestamps | verified times of signing |
 * | `now` | timestamp | moment of the verdict |
 *
 * JSON numbers are doubles, as in every host of CEL that reads JSON: `predicate.count + 1.0`.
 * `null` is a value, but `has()` and `in` take it for absent.
 *
 * @module
 */

import {
  celEnv,
  type CelInput,
  celList,
  celMap,
  isCelError,
  isCelMap,
  parse,
  plan,
} from "@bufbuild/cel";
import { AttestationError } from "../errors.ts";
import { type Json, printable } from "../internal/json.ts";
import { Budget, listOf, withBudget } from "./_cel_budget.ts";
import type { CelEvaluator, CelInput as PolicyInput } from "./compiled.ts";

export type { CelEvaluator } from "./compiled.ts";

const MAX_LENGTH = 4096;
const MAX_NODES = 200_000;
const DEFAULT_STEPS = 1_000_000;

const VARIABLES: ReadonlySet<string> = new Set([
  "statement",
  "predicate",
  "subject",
  "signers",
  "timestamps",
  "now",
]);

/** Options of {@linkcode celEvaluator}. Unknown names are refused. */
export interface CelOptions {
  /**
   * Steps of one evaluation: calls, turns of macros, and 32 characters or elements that are
   * looked at or copied. Integer >= 1. Default 1 000 000, a second or two.
   */
  maxSteps?: number;
}

/**
 * An evaluator of CEL for `compilePolicy()`.
 *
 * Bounded in every way: 4096 characters of expression, 4096 parts of it, macros nested four
 * deep, 200 000 values of input, and a budget of steps that is counted while it runs.
 * `matches()` is that of RE2, whose time is linear in the text; its pattern has to be written
 * out in the expression. Messages cannot be made, and there are no functions beside those of
 * the language.
 *
 * An expression that is none, or names a variable or function that is not there, is refused
 * with `malformed-policy` when it is read. One that fails while it runs, needs more steps, or
 * gives anything but true or false, throws `cel-error`: the rule has failed.
 *
 * Source: cel-spec, doc/langdef.md.
 *
 * @throws {TypeError} If an option is unknown or of the wrong type.
 *
 * @example
 * ```ts
 * import { celEvaluator } from "@x/attest/policy/cel";
 * import assert from "node:assert/strict";
 *
 * const run = celEvaluator().compile(
 *   "predicate.tests.filter(t, t.result != 'PASSED').size() <= 1",
 * );
 * const tests = [{ result: "PASSED" }, { result: "FAILED" }];
 * const input = { statement: { predicate: { tests } }, signers: [], timestamps: [], now: new Date() };
 * assert.equal(run(input), true);
 * ```
 */
export function celEvaluator(options: CelOptions = {}): CelEvaluator {
  for (const name of Object.keys(options)) {
    if (name !== "maxSteps") {
      throw new TypeError(`Unknown option ${printable(name)} of celEvaluator()`);
    }
  }
  const { maxSteps = DEFAULT_STEPS } = options;
  if (!Number.isInteger(maxSteps) || maxSteps < 1) {
    throw new TypeError("maxSteps is no integer >= 1");
  }
  const budget = new Budget(maxSteps);
  const env = celEnv({ funcs: budget.functions() });
  const known = new Map<string, (input: PolicyInput) => boolean>();
  const compile = (expression: string): (input: PolicyInput) => boolean => {
    const run = prepare(expression, env);
    return (input) => {
      const bindings = bindingsOf(input);
      budget.start();
      const value = run(bindings);
      if (budget.exhausted) throw failure(`it needs more than ${maxSteps} steps`);
      if (isCelError(value)) throw failure(printable(value.message));
      if (typeof value !== "boolean") throw failure("its value is neither true nor false");
      return value;
    };
  };
  return {
    compile(expression) {
      const run = known.get(expression) ?? compile(expression);
      known.set(expression, run);
      return run;
    },
  };
}

function prepare(
  expression: string,
  env: ReturnType<typeof celEnv>,
): (bindings: Record<string, CelInput>) => unknown {
  try {
    if (typeof expression !== "string" || expression.length > MAX_LENGTH) {
      throw new Error(`it is no text of at most ${MAX_LENGTH} characters`);
    }
    const isFunction = (name: string): boolean => env.funcs.find(name) !== undefined;
    return plan(env, withBudget(parse(expression).expr, VARIABLES, isFunction));
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : "it cannot be read";
    throw new AttestationError("malformed-policy", `Cannot read CEL: ${printable(what)}`, {
      cause,
    });
  }
}

function failure(what: string): AttestationError {
  return new AttestationError("cel-error", `Cannot evaluate CEL: ${what}`);
}

const toTimestamp = plan(celEnv(), parse("timestamp(text)"));

function timestampOf(text: string): CelInput {
  const time = toTimestamp({ text });
  if (isCelError(time)) throw failure("a verified time is out of range");
  return time as CelInput;
}

/** Values of the variables; without inherited names. */
function bindingsOf(
  { statement, signers, timestamps, now }: PolicyInput,
): Record<string, CelInput> {
  const whole = valueOf(statement);
  const seen = signers.map(({ name, kind, algorithm, key, fingerprint, identity }) => ({
    name,
    kind,
    algorithm,
    key: { kind: key.kind, bits: key.bits },
    fingerprint,
    identity,
  }));
  const member = (name: string): CelInput => isCelMap(whole) ? whole.get(name) ?? null : null;
  return Object.assign(Object.create(null), {
    statement: whole,
    predicate: member("predicate"),
    subject: member("subject"),
    signers: toCel(seen as unknown as Json, { nodes: 0 }),
    timestamps: celList(timestamps.map(timestampOf)),
    now: timestampOf(now.toISOString()),
  });
}

const values = new WeakMap<object, CelInput>();

/** The Statement, converted once. */
function valueOf(value: object): CelInput {
  let known = values.get(value);
  if (known === undefined) {
    known = toCel(value as Json, { nodes: 0 });
    values.set(value, known);
  }
  return known;
}

function toCel(value: Json, count: { nodes: number }): CelInput {
  if (++count.nodes > MAX_NODES) throw failure(`the Statement has more than ${MAX_NODES} values`);
  if (Array.isArray(value)) return listOf(value.map((one) => toCel(one, count)));
  if (typeof value !== "object" || value === null) return value;
  const members = new Map<string, CelInput>();
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) members.set(name, toCel(member, count));
  }
  return celMap(members);
}
