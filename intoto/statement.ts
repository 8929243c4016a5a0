import type { Problem } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { isObject, type JsonObject, parseJson, quote } from "../internal/json.ts";
import { limitOption, refuseUnknown } from "../internal/options.ts";
import { listTo, refuse, type Report } from "../internal/problem.ts";
import { refuseUnserialisable } from "./_serialisable.ts";
import { isUri } from "./_uri.ts";
import { checkDescriptor, type ResourceDescriptor, withoutNulls } from "./resource_descriptor.ts";

/** `_type` of the Statements that are understood; compared as it is, never normalised. */
export type StatementType =
  | "https://in-toto.io/Statement/v1"
  | "https://in-toto.io/Statement/v0.1";

/**
 * What an attestation says: a predicate about subjects.
 *
 * Other members that may be on the wire are ignored.
 *
 * Source: in-toto attestation v1, statement.md; v0.1.0, statement.md.
 */
export interface Statement<Predicate = JsonObject> {
  /** Version of the Statement. */
  _type: StatementType;
  /** What it is about: at least one, each with a digest. */
  subject: ResourceDescriptor[];
  /** URI of the predicate's meaning; opaque, compared as it is. */
  predicateType: string;
  /** What is said; absent is the same as empty. */
  predicate?: Predicate;
}

/** Options of {@linkcode parseStatement} and {@linkcode validateStatement}. */
export interface ParseStatementOptions {
  /** Accepted versions, at least one. Default both. */
  acceptStatementTypes?: readonly StatementType[];
  /**
   * Accepts a predicate that is a JSON string, as older cosign wrote it for SPDX tag-value
   * documents. Default false.
   */
  allowStringPredicate?: boolean;
  /**
   * Accepts subjects of a v0.1 Statement without a name or with the name of another one,
   * against the letter of v0.1; real tools write `_` for all. Default false.
   */
  lenientSubjectNames?: boolean;
  /** Length of the source in bytes, or in UTF-16 units of a text. Default 16 MiB. */
  maxBytes?: number;
  /** Subjects. Default 100 000. */
  maxSubjects?: number;
}

/** What {@linkcode createStatement} is made from. */
export interface NewStatement {
  /** What it is about: at least one, each with digests in lowercase hex. */
  subject: readonly ResourceDescriptor[];
  /** URI of the predicate's meaning. */
  predicateType: string;
  /** What is said: plain JSON. Default `{}`. */
  predicate?: object;
}

const V1 = "https://in-toto.io/Statement/v1";
const V0_1 = "https://in-toto.io/Statement/v0.1";

const OPTIONS = [
  "acceptStatementTypes",
  "allowStringPredicate",
  "lenientSubjectNames",
  "maxBytes",
  "maxSubjects",
];

interface Rules {
  types: readonly string[];
  stringPredicate: boolean;
  lenientNames: boolean;
  maxBytes: number;
  maxSubjects: number;
  use: "subject" | "new-subject";
  predicateRequired: boolean;
}

const DEFAULTS: Rules = {
  types: [V1, V0_1],
  stringPredicate: false,
  lenientNames: false,
  maxBytes: 16 << 20,
  maxSubjects: 100_000,
  use: "subject",
  predicateRequired: false,
};

/**
 * Reads an in-toto Statement, v1 or v0.1; refuses it for its first problem. Verifies
 * nothing: whose word it is, only the envelope's signature tells.
 *
 * It follows the specification, not its Go library: `predicate` may be absent, which is
 * the same as null and as empty. Digests of known algorithms have to be hex of the right
 * length, in either case. `predicateType` may be any text.
 *
 * Source: in-toto attestation v1, statement.md, "Fields" and "Parsing rules"; v0.1.0,
 * statement.md.
 *
 * @param source JSON text, UTF-8 bytes or parsed JSON; what is parsed already cannot be
 * checked for duplicate names any more.
 * @param options What is accepted beyond the letter, and bounds.
 * @returns The four members of the Statement; members of subjects that are null are left
 * out.
 * @throws {AttestationError} `malformed-statement`, `unsupported-statement-type`,
 * `missing-subject`, `missing-subject-digest`, `missing-subject-name`,
 * `duplicate-subject-name` (both only v0.1), `malformed-resource-descriptor`,
 * `invalid-digest`, `invalid-base64`, `missing-predicate-type`, `malformed-predicate`,
 * `limit-exceeded`, or those of strict JSON (`malformed-json`, `duplicate-json-key`,
 * `invalid-unicode`, `empty-input`).
 * @throws {TypeError} If an option is unknown.
 * @throws {RangeError} If a limit is not an integer >= 1 or a version is unknown.
 *
 * @example
 * ```ts
 * import { parseStatement } from "@x/attest/intoto";
 * import assert from "node:assert/strict";
 *
 * const statement = parseStatement(JSON.stringify({
 *   _type: "https://in-toto.io/Statement/v1",
 *   subject: [{ name: "app.tgz", digest: { sha256: "a".repeat(64) } }],
 *   predicateType: "https://slsa.dev/provenance/v1",
 *   predicate: {},
 * }));
 * assert.equal(statement.subject[0].name, "app.tgz");
 * ```
 */
export function parseStatement(
  source: string | Uint8Array | object,
  options: ParseStatementOptions & { allowStringPredicate: true },
): Statement<JsonObject | string>;
/** Reads an in-toto Statement whose predicate is a JSON object. */
export function parseStatement(
  source: string | Uint8Array | object,
  options?: ParseStatementOptions,
): Statement;
export function parseStatement(
  source: string | Uint8Array | object,
  options?: ParseStatementOptions,
): Statement<JsonObject | string> {
  const rules = options === undefined ? DEFAULTS : rulesOf(options);
  const value: unknown = typeof source === "string" || source instanceof Uint8Array
    ? parseJson(source, { maxLength: rules.maxBytes })
    : source;
  const nulls = checkStatement(value, rules, refuse);
  const { _type, subject, predicateType, predicate } = value as Statement<JsonObject | string>;
  const statement: Statement<JsonObject | string> = {
    _type,
    subject: nulls ? subject.map(withoutNulls) : subject,
    predicateType,
  };
  if (predicate !== undefined && predicate !== null) statement.predicate = predicate;
  return statement;
}

/**
 * Lists everything that is wrong with a Statement. Stricter than {@linkcode parseStatement}
 * in one point: `predicate` has to be present, as widely used libraries ask for it.
 *
 * Source: in-toto attestation v1, statement.md; go/v1/statement.go, `Validate`.
 *
 * @param value What should be a Statement: parsed JSON.
 * @param options What is accepted beyond the letter, and bounds.
 * @returns Problems with the reasons of {@linkcode parseStatement}, and
 * `missing-predicate`.
 * @throws {TypeError} If an option is unknown.
 * @throws {RangeError} If a limit is not an integer >= 1 or a version is unknown.
 *
 * @example
 * ```ts
 * import { validateStatement } from "@x/attest/intoto";
 * import assert from "node:assert/strict";
 *
 * const problems = validateStatement({
 *   _type: "https://in-toto.io/Statement/v1",
 *   subject: [],
 *   predicateType: "https://slsa.dev/provenance/v1",
 * });
 * assert.deepEqual(problems.map(({ reason }) => reason), ["missing-subject", "missing-predicate"]);
 * ```
 */
export function validateStatement(value: unknown, options?: ParseStatementOptions): Problem[] {
  const rules = {
    ...(options === undefined ? DEFAULTS : rulesOf(options)),
    predicateRequired: true,
  };
  const problems: Problem[] = [];
  checkStatement(value, rules, listTo(problems));
  return problems;
}

/**
 * Makes a Statement v1, as strictly as the specification can be read.
 *
 * Source: in-toto attestation v1, statement.md, digest_set.md, field_types.md.
 *
 * @param content `subject`: at least one, each with digests in lowercase hex, no name or
 * URI twice; `predicateType`: an absolute URI, scheme and host in lower case; `predicate`:
 * a plain object of plain JSON, default `{}`.
 * @returns A Statement that shares nothing with what was given.
 * @throws {AttestationError} `missing-subject`, `missing-subject-digest`, `invalid-digest`,
 * `duplicate-subject-name`, `malformed-resource-descriptor`, `invalid-base64`,
 * `invalid-uri`, `missing-predicate-type`, `malformed-predicate` (also for what JSON cannot
 * say: undefined, NaN, a bigint, a cycle, a class instance), `invalid-unicode`,
 * `limit-exceeded`.
 *
 * @example
 * ```ts
 * import { createStatement, encodeStatement, parseStatement } from "@x/attest/intoto";
 * import assert from "node:assert/strict";
 *
 * const statement = createStatement({
 *   subject: [{ name: "app.tgz", digest: { sha256: "a".repeat(64) } }],
 *   predicateType: "https://example.com/review/v1",
 *   predicate: { approved: true },
 * });
 * assert.deepEqual(parseStatement(encodeStatement(statement)), statement);
 * ```
 */
export function createStatement(content: NewStatement): Statement {
  refuseUnknown(content, ["subject", "predicateType", "predicate"], "createStatement()");
  const { subject, predicateType, predicate } = content;
  return JSON.parse(serialise({ _type: V1, subject, predicateType, predicate }));
}

/**
 * Serialises a Statement once, for signing: JSON in UTF-8, members in the order `_type`,
 * `subject`, `predicateType`, `predicate`; an absent predicate is written as `{}`.
 *
 * Never for what was received: the bytes that were signed are the payload as it came.
 *
 * @throws {AttestationError} For what {@linkcode createStatement} refuses.
 *
 * @example
 * ```ts
 * import { createStatement, encodeStatement } from "@x/attest/intoto";
 * import assert from "node:assert/strict";
 *
 * const statement = createStatement({
 *   subject: [{ digest: { sha256: "a".repeat(64) } }],
 *   predicateType: "https://example.com/review/v1",
 * });
 * assert.ok(new TextDecoder().decode(encodeStatement(statement)).endsWith('"predicate":{}}'));
 * ```
 */
export function encodeStatement(statement: Statement): Uint8Array<ArrayBuffer> {
  return utf8(serialise(statement));
}

function serialise(statement: object): string {
  const { _type, subject, predicateType, predicate } = statement as Record<string, unknown>;
  const ordered = { _type, subject, predicateType, predicate: predicate ?? {} };
  checkStatement(ordered, { ...DEFAULTS, use: "new-subject" }, refuse);
  refuseUnserialisable(ordered);
  return JSON.stringify(ordered);
}

function rulesOf(options: ParseStatementOptions): Rules {
  refuseUnknown(options, OPTIONS, "Statements");
  const { acceptStatementTypes: types = DEFAULTS.types } = options;
  if (types.length === 0 || !types.every((type) => DEFAULTS.types.includes(type))) {
    throw new RangeError(`Option acceptStatementTypes wants one or more of ${V1} and ${V0_1}`);
  }
  return {
    ...DEFAULTS,
    types,
    stringPredicate: options.allowStringPredicate === true,
    lenientNames: options.lenientSubjectNames === true,
    maxBytes: limitOption("maxBytes", options.maxBytes, DEFAULTS.maxBytes),
    maxSubjects: limitOption("maxSubjects", options.maxSubjects, DEFAULTS.maxSubjects),
  };
}

/** Checks a Statement, and tells whether a subject has a member that is null. */
function checkStatement(value: unknown, rules: Rules, report: Report): boolean {
  if (!isObject(value)) {
    report("malformed-statement", "", "Cannot read Statement: it is no JSON object");
    return false;
  }
  const { _type, subject, predicateType, predicate } = value;
  checkType(_type, rules, report);
  const nulls = checkSubjects(subject, _type === V0_1, rules, report);
  checkPredicateType(predicateType, rules, report);
  if (predicate === undefined || predicate === null) {
    if (rules.predicateRequired) {
      report("missing-predicate", "/predicate", "Cannot accept Statement: it has no predicate");
    }
  } else if (!isObject(predicate) && !(rules.stringPredicate && typeof predicate === "string")) {
    report("malformed-predicate", "/predicate", "Cannot read predicate: it is no JSON object");
  }
  return nulls;
}

function checkType(type: unknown, rules: Rules, report: Report): void {
  if (typeof type !== "string") {
    report("malformed-statement", "/_type", "Cannot read Statement: _type is no string");
  } else if (!rules.types.includes(type)) {
    const wanted = rules.types.join(" or ");
    report(
      "unsupported-statement-type",
      "/_type",
      `Cannot read Statement: found _type ${quote(type)}, wanted ${wanted}`,
    );
  }
}

function checkPredicateType(type: unknown, rules: Rules, report: Report): void {
  const path = "/predicateType";
  if (type === undefined || type === null || type === "") {
    report("missing-predicate-type", path, "Cannot accept Statement: predicateType is not set");
  } else if (typeof type !== "string") {
    report("malformed-statement", path, "Cannot read Statement: predicateType is no string");
  } else if (rules.use === "new-subject" && !isUri(type)) {
    report(
      "invalid-uri",
      path,
      `Cannot write Statement: predicateType ${
        quote(type)
      } is no absolute URI with scheme and host in lower case`,
    );
  }
}

function checkSubjects(subject: unknown, isV01: boolean, rules: Rules, report: Report): boolean {
  if (!Array.isArray(subject)) {
    report("malformed-statement", "/subject", "Cannot read Statement: subject is no array");
    return false;
  }
  if (subject.length === 0) {
    report("missing-subject", "/subject", "Cannot accept Statement: it has no subject");
  }
  if (subject.length > rules.maxSubjects) {
    report(
      "limit-exceeded",
      "/subject",
      `Cannot read Statement: ${subject.length} subjects, at most ${rules.maxSubjects} are accepted`,
    );
    return false;
  }
  let nulls = false;
  for (let i = 0; i < subject.length; i++) {
    if (checkDescriptor(subject[i], "/subject", i, rules.use, report)) nulls = true;
  }
  if (rules.use === "new-subject") {
    checkUnique(subject, "name", isV01, report);
    checkUnique(subject, "uri", false, report);
  } else if (isV01 && !rules.lenientNames) checkUnique(subject, "name", true, report);
  return nulls;
}

function checkUnique(
  subject: readonly unknown[],
  member: "name" | "uri",
  required: boolean,
  report: Report,
): void {
  const seen = new Set<string>();
  for (let i = 0; i < subject.length; i++) {
    const descriptor = subject[i];
    if (!isObject(descriptor)) continue;
    const text = descriptor[member];
    if (text === undefined || text === null || text === "") {
      if (required) {
        report(
          "missing-subject-name",
          `/subject/${i}/name`,
          "Cannot accept subject: it has no name",
        );
      }
    } else if (typeof text === "string") {
      if (seen.has(text)) {
        report(
          "duplicate-subject-name",
          `/subject/${i}/${member}`,
          `Cannot accept subject: another one has the ${member} ${quote(text)} too`,
        );
      }
      seen.add(text);
    }
  }
}
