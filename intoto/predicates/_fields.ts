import { isAttestationError, type Reason } from "../../errors.ts";
import { isObject, type JsonObject, quote } from "../../internal/json.ts";
import type { Report } from "../../internal/problem.ts";
import { parsePurl, type Purl } from "../../internal/purl.ts";
import { parseTimestamp } from "../../internal/timestamp.ts";
import { checkDescriptor } from "../resource_descriptor.ts";

/**
 * Whether a member has to be there: `required` and not empty, `present` and perhaps empty,
 * or `optional`. Unset, null and empty are the same but for `present`.
 */
export type Need = "required" | "present" | "optional";

/** One JSON object of a predicate, and where its problems go. */
export class Fields {
  readonly value: JsonObject;
  readonly path: string;
  readonly #what: string;
  readonly #report: Report;
  readonly #strict: boolean;

  /** @param strict Whether contradictions are problems too. */
  constructor(value: JsonObject, path: string, what: string, report: Report, strict: boolean) {
    this.value = value;
    this.path = path;
    this.#what = what;
    this.#report = report;
    this.#strict = strict;
  }

  has(name: string): boolean {
    const value = this.value[name];
    return value !== undefined && value !== null;
  }

  text(name: string, need: Need = "optional"): string | undefined {
    const value = this.#member(name, need);
    if (value === undefined || value === "") return undefined;
    if (typeof value === "string") return value;
    this.wrong(name, "a string");
  }

  oneOf(name: string, values: readonly string[], need: Need = "optional"): string | undefined {
    const text = this.text(name, need);
    if (text === undefined || values.includes(text)) return text;
    this.wrong(name, `one of ${values.join(", ")}`);
  }

  integer(name: string, need: Need = "optional"): void {
    const value = this.#member(name, need);
    if (value !== undefined && !Number.isSafeInteger(value)) this.wrong(name, "an integer");
  }

  /** @param zone `any` accepts an offset as well, as Go's `time.Time` writes it. */
  timestamp(name: string, need: Need = "optional", zone: "Z" | "any" = "Z"): Date | undefined {
    const text = this.text(name, need);
    if (text === undefined) return undefined;
    const time = zone === "Z" ? parseTimestamp(text) : parseZoned(text);
    if (time !== undefined) return time;
    const wanted = zone === "Z" ? "RFC 3339 in UTC with Z" : "RFC 3339";
    this.problem("invalid-timestamp", name, `found time ${quote(text)}, wanted ${wanted}`);
  }

  purl(name: string, need: Need = "optional"): Purl | undefined {
    const text = this.text(name, need);
    if (text === undefined) return undefined;
    try {
      return parsePurl(text);
    } catch (error) {
      if (!isAttestationError(error)) throw error;
      this.#report(error.reason, this.at(name), error.message);
    }
  }

  object(name: string, need: Need = "optional"): Fields | undefined {
    const value = this.#member(name, need);
    if (value === undefined) return undefined;
    if (isObject(value)) return this.#child(value, this.at(name));
    this.wrong(name, "an object");
  }

  list(name: string, need: Need = "optional"): unknown[] {
    const value = this.#member(name, need);
    if (value === undefined) return [];
    if (Array.isArray(value)) return value;
    this.wrong(name, "an array");
    return [];
  }

  texts(name: string, need: Need = "optional"): string[] {
    return this.list(name, need).filter((item, index): item is string => {
      if (typeof item === "string") return true;
      this.wrong(`${name}/${index}`, "a string");
      return false;
    });
  }

  objects(name: string, need: Need = "optional"): Fields[] {
    const found: Fields[] = [];
    for (const [index, item] of this.list(name, need).entries()) {
      if (isObject(item)) found.push(this.#child(item, `${this.at(name)}/${index}`));
      else this.wrong(`${name}/${index}`, "an object");
    }
    return found;
  }

  resource(name: string): void {
    const value = this.value[name];
    if (value === undefined || value === null) return;
    if (isObject(value) && Object.keys(value).length === 0) return;
    checkDescriptor(value, this.at(name), -1, "read", this.#report);
  }

  resources(name: string, need: Need = "optional"): Fields[] {
    const found: Fields[] = [];
    const path = this.at(name);
    for (const [index, item] of this.list(name, need).entries()) {
      checkDescriptor(item, path, index, "read", this.#report);
      if (isObject(item)) found.push(this.#child(item, `${path}/${index}`));
    }
    return found;
  }

  /** Two values that cannot both be true: no obstacle to reading, but nobody may write them. */
  contradiction(name: string, message: string): void {
    this.advice("inconsistent-predicate", name, message);
  }

  /** A problem that does not keep anyone from reading. */
  advice(reason: Reason, name: string, message: string): void {
    if (this.#strict) this.problem(reason, name, message);
  }

  /** A part whose problems do not keep anyone from reading. */
  advising(check: () => void): void {
    if (this.#strict) check();
  }

  missing(name: string): void {
    this.problem("missing-predicate-field", name, `${this.at(name)} is not set`);
  }

  wrong(name: string, wanted: string): void {
    this.problem("malformed-predicate", name, `${this.at(name)} is not ${wanted}`);
  }

  problem(reason: Reason, name: string, message: string): void {
    this.#report(reason, this.at(name), `Cannot accept ${this.#what}: ${message}`);
  }

  /** JSON Pointer of a member, or of what lies in it. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  #child(value: JsonObject, path: string): Fields {
    return new Fields(value, path, this.#what, this.#report, this.#strict);
  }

  #member(name: string, need: Need): unknown {
    const value = this.value[name];
    const unset = value === undefined || value === null;
    if (need !== "optional" && (unset || (need === "required" && isEmpty(value)))) {
      this.missing(name);
      return undefined;
    }
    return unset ? undefined : value;
  }
}

function isEmpty(value: unknown): boolean {
  if (value === "") return true;
  return Array.isArray(value)
    ? value.length === 0
    : isObject(value) && Object.keys(value).length === 0;
}

/** Moment of an RFC 3339 text with `Z` or an offset, or undefined. */
function parseZoned(text: string): Date | undefined {
  const match = /^(.{1,64}?)([+-])([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (match === null) return parseTimestamp(text);
  const time = parseTimestamp(`${match[1]}Z`);
  if (time === undefined) return undefined;
  const minutes = 60 * Number(match[3]) + Number(match[4]);
  return new Date(time.getTime() - (match[2] === "-" ? -1 : 1) * minutes * 60_000);
}
