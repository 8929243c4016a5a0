import { causeText } from "../../internal/cause.ts";
import { AttestationError, isAttestationError, type Problem } from "../../errors.ts";
import { isObject, type JsonObject, parseJson, printable, quote } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { listTo, refuse, type Report } from "../../internal/problem.ts";
import type { ResourceDescriptor } from "../resource_descriptor.ts";
import { createStatement, type Statement } from "../statement.ts";
import { Fields } from "./_fields.ts";
import { copyPlain } from "./_plain.ts";

/**
 * One kind of predicate: how it is read, judged and made.
 *
 * Pointers of problems start at the predicate, those of the `…Statement` methods at the
 * Statement.
 *
 * Where a version is told by `predicateType` and none is given, the rules of the first of
 * `predicateTypes` hold.
 */
export interface PredicateKind<Predicate extends object = JsonObject> {
  /** Short name, lower case. */
  readonly name: string;
  /** `predicateType`s that it reads, compared as they are; the first is the one it writes. */
  readonly predicateTypes: readonly string[];
  /**
   * Reads a predicate, which may be JSON text, UTF-8 bytes or parsed JSON; throws an
   * `AttestationError` for its first problem. What is contradictory can still be read.
   */
  parse(source: string | Uint8Array | object, predicateType?: string): Predicate;
  /** Lists everything that is wrong with a predicate, contradictions included. */
  validate(value: unknown, predicateType?: string): Problem[];
  /** Makes a predicate: a copy in which nothing is wrong; throws an `AttestationError`. */
  create(content: Predicate, predicateType?: string): Predicate;
  /**
   * Reads the predicate of a Statement; throws also for what it says of its Statement, and
   * with `predicate-type-mismatch` if it is of another kind.
   */
  parseStatement(statement: Statement): Predicate;
  /** Lists everything that is wrong with the predicate of a Statement and its subjects. */
  validateStatement(statement: Statement): Problem[];
  /** Makes a Statement v1 in which nothing is wrong; throws an `AttestationError`. */
  createStatement(
    subject: readonly ResourceDescriptor[],
    content: Predicate,
    predicateType?: string,
  ): Statement;
}

/** What {@linkcode definePredicate} makes a kind of. */
export interface PredicateDefinition<Predicate extends object> {
  /** Short name: lower case, digits, `-` and `.`. */
  name: string;
  /** `predicateType`s that it reads, at least one; the first is the one it writes. */
  predicateTypes: readonly string[];
  /** Reads a predicate; throws for anything that is wrong. Its result gives the type. */
  parse: (value: JsonObject, predicateType: string) => Predicate;
  /** Lists everything that is wrong. Default: what `parse` throws. */
  validate?: (value: JsonObject, predicateType: string) => Problem[];
}

/** A kind of our own: one check serves parser, validator and builder. */
export interface CheckedDefinition {
  name: string;
  predicateTypes: readonly string[];
  /** Reports everything that is wrong with the predicate. */
  check: (fields: Fields, predicateType: string | undefined) => void;
  /** Reports what is wrong between predicate and Statement, by pointers from the latter. */
  relate?: (statement: Statement, fields: Fields, report: Report) => void;
}

/**
 * Makes a kind of predicate of one's own, to be used by itself or in a registry.
 *
 * @param definition `name`; `predicateTypes`, the first of which is written; `parse`, whose
 * result gives the kind its type; `validate`, if it can list more than the first problem.
 * @returns The kind. What `parse` throws that is no `AttestationError` is reported as
 * `malformed-predicate` with the error as its cause.
 * @throws {TypeError} If the name is malformed or there is no `predicateType`.
 *
 * @example
 * ```ts
 * import { createPredicateRegistry, definePredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const reviewPredicate = definePredicate({
 *   name: "review",
 *   predicateTypes: ["https://example.com/review/v1"],
 *   parse(value): { approved: boolean } {
 *     if (typeof value.approved !== "boolean") throw new Error("approved is not a boolean");
 *     return { approved: value.approved };
 *   },
 * });
 * const registry = createPredicateRegistry([reviewPredicate]);
 * const found = registry.lookup("https://example.com/review/v1");
 * assert.ok(found.known);
 * assert.equal(found.kind.validate({ approved: "yes" })[0].reason, "malformed-predicate");
 * ```
 */
export function definePredicate<Predicate extends object>(
  definition: PredicateDefinition<Predicate>,
): PredicateKind<Predicate> {
  refuseUnknown(
    definition,
    ["name", "predicateTypes", "parse", "validate"],
    "definePredicate()",
  );
  const { name, predicateTypes, parse, validate } = definition;
  if (typeof name !== "string" || !/^[a-z][a-z0-9.-]{0,63}$/.test(name)) {
    throw new TypeError("Option name of definePredicate() wants lower case, digits, - and .");
  }
  if (
    !Array.isArray(predicateTypes) || predicateTypes.length === 0 ||
    !predicateTypes.every((type) => typeof type === "string" && type !== "")
  ) {
    throw new TypeError("Option predicateTypes of definePredicate() wants one text or more");
  }
  const types: readonly string[] = [...predicateTypes];
  const read = (value: JsonObject, path: string, type: string): Predicate => {
    try {
      return parse(value, type);
    } catch (cause) {
      const found = asPredicateError(cause);
      throw new AttestationError(found.reason, found.message, {
        cause,
        path: path + (found.path ?? ""),
      });
    }
  };
  const problems = (value: JsonObject, path: string, type: string): Problem[] => {
    if (validate !== undefined) {
      return validate(value, type).map((problem) => ({ ...problem, path: path + problem.path }));
    }
    try {
      read(value, path, type);
      return [];
    } catch (error) {
      if (!isAttestationError(error)) throw error;
      return [{ reason: error.reason, path: error.path ?? path, message: error.message }];
    }
  };
  return makeKind(name, types, {
    read,
    problems,
    written(value, path, type) {
      for (const { reason, path: at, message } of problems(value, path, type)) {
        refuse(reason, at, message);
      }
      return read(value, path, type);
    },
  });
}

/** Makes a kind of a check that is written once for parser, validator and builder. */
export function defineChecked<Predicate extends object>(
  definition: CheckedDefinition,
): PredicateKind<Predicate> {
  const { name, predicateTypes, check, relate } = definition;
  const run = (
    value: JsonObject,
    path: string,
    type: string | undefined,
    report: Report,
    strict: boolean,
  ): Predicate => {
    check(new Fields(value, path, `${name} predicate`, report, strict), type);
    return value as Predicate;
  };
  return makeKind(name, predicateTypes, {
    read: (value, path, _, given) => run(value, path, given, refuse, false),
    problems(value, path, _, given) {
      const problems: Problem[] = [];
      run(value, path, given, listTo(problems), true);
      return problems;
    },
    written: (value, path, _, given) => run(value, path, given, refuse, true),
    relate(statement, value, report, strict) {
      relate?.(
        statement,
        new Fields(value, "/predicate", `${name} predicate`, report, strict),
        report,
      );
    },
  });
}

type Work<Result> = (
  value: JsonObject,
  path: string,
  type: string,
  /** The type as far as the caller knows it. */
  given: string | undefined,
) => Result;

interface Works<Predicate> {
  read: Work<Predicate>;
  problems: Work<Problem[]>;
  /** Checks a copy of what is to be written. */
  written: Work<Predicate>;
  relate?: (statement: Statement, value: JsonObject, report: Report, strict: boolean) => void;
}

function makeKind<Predicate extends object>(
  name: string,
  predicateTypes: readonly string[],
  works: Works<Predicate>,
): PredicateKind<Predicate> {
  const known = (type: string | undefined): string => {
    if (type === undefined) return predicateTypes[0];
    if (!predicateTypes.includes(type)) {
      throw new RangeError(`${quote(type)} is no predicateType of ${name}`);
    }
    return type;
  };
  const content = (value: unknown, path: string): JsonObject => {
    if (isObject(value)) return value;
    throw new AttestationError("malformed-predicate", notAnObject(name), { path });
  };
  return Object.freeze<PredicateKind<Predicate>>({
    name,
    predicateTypes,
    parse(source, predicateType) {
      const type = known(predicateType);
      const value = typeof source === "string" || source instanceof Uint8Array
        ? parseJson(source)
        : source;
      return works.read(content(value, ""), "", type, predicateType);
    },
    validate(value, predicateType) {
      const type = known(predicateType);
      if (isObject(value)) return works.problems(value, "", type, predicateType);
      return [{ reason: "malformed-predicate", path: "", message: notAnObject(name) }];
    },
    create(value, predicateType) {
      const type = known(predicateType);
      const copy = content(copyPlain(value), "");
      works.written(copy, "", type, predicateType);
      return copy as unknown as Predicate;
    },
    parseStatement(statement) {
      checkType(statement, name, predicateTypes, refuse);
      const { predicateType, predicate = {} } = statement;
      const value = content(predicate, "/predicate");
      const read = works.read(value, "/predicate", predicateType, predicateType);
      works.relate?.(statement, value, refuse, false);
      return read;
    },
    validateStatement(statement) {
      const problems: Problem[] = [];
      if (!checkType(statement, name, predicateTypes, listTo(problems))) return problems;
      const { predicateType, predicate = {} } = statement;
      if (!isObject(predicate)) {
        const message = notAnObject(name);
        return [{ reason: "malformed-predicate", path: "/predicate", message }];
      }
      problems.push(...works.problems(predicate, "/predicate", predicateType, predicateType));
      works.relate?.(statement, predicate, listTo(problems), true);
      return problems;
    },
    createStatement(subject, value, predicateType) {
      const type = known(predicateType);
      const predicate = content(copyPlain(value), "/predicate");
      const statement = createStatement({ subject, predicateType: type, predicate });
      works.written(predicate, "/predicate", type, type);
      works.relate?.(statement, predicate, refuse, true);
      return statement;
    },
  });
}

function checkType(
  statement: Statement,
  name: string,
  predicateTypes: readonly string[],
  report: Report,
): boolean {
  const { predicateType } = statement;
  if (predicateTypes.includes(predicateType)) return true;
  report(
    "predicate-type-mismatch",
    "/predicateType",
    `Cannot read ${name} predicate: found predicateType ${quote(String(predicateType))}`,
  );
  return false;
}

function notAnObject(name: string): string {
  return `Cannot read ${name} predicate: it is no JSON object`;
}

function asPredicateError(error: unknown): AttestationError {
  if (isAttestationError(error)) return error;
  const what = causeText(error);
  return new AttestationError(
    "malformed-predicate",
    `Cannot read predicate: ${printable(what)}`,
    { cause: error },
  );
}
