import type { Problem, Reason } from "../errors.ts";
import { isObject, type Json, type JsonObject, quote } from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";
import { suggestion } from "../internal/suggestion.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import { durationFault } from "./duration.ts";
import { patternFault } from "./pattern.ts";

/** Problems that are listed; a document has as many as it likes. */
const MAX_PROBLEMS = 1000;
/** Known words among which a misspelt one is looked for. */
const MAX_KNOWN = 1000;
/** Characters of a text that is not said to be longer. */
const MAX_TEXT = 4096;

/** Where problems are listed. */
export class ProblemList {
  readonly problems: Problem[] = [];
  readonly #reason: Reason;
  readonly #action: string;

  /** @param action Begins every message, such as `Cannot read policy`. */
  constructor(reason: Reason, action: string) {
    this.#reason = reason;
    this.#action = action;
  }

  /** The known word that may have been meant; nothing is looked for that nobody will read. */
  near(word: string, known: Iterable<string>): string {
    if (this.problems.length >= MAX_PROBLEMS) return "";
    return suggestion(word, [...known].slice(0, MAX_KNOWN));
  }

  wrong(path: string, what: string): void {
    if (this.problems.length >= MAX_PROBLEMS) return;
    this.problems.push({ reason: this.#reason, path, message: `${this.#action}: ${what}` });
  }

  /** The members of an object that has none but the known ones; undefined if it is none. */
  members(
    value: Json | undefined,
    path: string,
    what: string,
    known: readonly string[],
  ): Members | undefined {
    if (!isObject(value)) return void this.wrong(path, `${what} is no JSON object`);
    let unknown = false;
    for (const name of Object.keys(value)) {
      if (known.includes(name)) continue;
      unknown = true;
      const near = this.near(name, known);
      this.wrong(pointer(path, name), `${what} has no member ${quote(name)}${near}`);
    }
    return new Members(this, value, path, what, unknown);
  }

  /** A text that is not empty. */
  text(value: Json, path: string, what: string, limit = MAX_TEXT): string | undefined {
    if (typeof value !== "string") return void this.wrong(path, `${what} is no text`);
    if (value.trim() === "") return void this.wrong(path, `${what} is empty`);
    if (value.length > limit) {
      return void this.wrong(path, `${what} has more than ${limit} characters`);
    }
    return value;
  }

  /** A pattern; see pattern.ts. */
  pattern(value: Json, path: string, what: string): string | undefined {
    const text = this.text(value, path, what);
    const fault = text === undefined ? undefined : patternFault(text);
    return fault === undefined ? text : void this.wrong(path, fault);
  }

  /** A word of a closed set. */
  word<T extends string>(
    value: Json,
    path: string,
    what: string,
    words: readonly T[],
  ): T | undefined {
    const word = words.find((one) => one === value);
    if (word !== undefined) return word;
    const found = typeof value === "string" ? `${what} is ${quote(value)}` : `${what} is no text`;
    const near = typeof value === "string" ? this.near(value, words) : "";
    this.wrong(path, `${found}, wanted one of ${words.join(", ")}${near}`);
  }

  /** RFC 3339 in UTC. */
  time(value: Json, path: string, what: string): void {
    const text = this.text(value, path, what);
    if (text === undefined || parseTimestamp(text) !== undefined) return;
    this.wrong(path, `${what} ${quote(text)} is no RFC 3339 time in UTC with Z`);
  }

  /** A duration; see duration.ts. */
  duration(value: Json, path: string, what: string): void {
    const text = this.text(value, path, what);
    const fault = text === undefined ? undefined : durationFault(text);
    if (fault !== undefined) this.wrong(path, `${what} ${fault}`);
  }

  /** An integer within bounds. */
  integer(
    value: Json,
    path: string,
    what: string,
    min: number,
    max: number,
  ): number | undefined {
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) {
      return value as number;
    }
    this.wrong(path, `${what} is no integer from ${min} to ${max}`);
  }

  /** A list within bounds. */
  list(value: Json, path: string, what: string, max: number, min = 1): Json[] | undefined {
    if (!Array.isArray(value)) return void this.wrong(path, `${what} is no list`);
    if (value.length < min) {
      return void this.wrong(
        path,
        min === 1 ? `${what} is empty` : `${what} has fewer than ${min} entries`,
      );
    }
    if (value.length > max) {
      return void this.wrong(
        path,
        `${what} has ${value.length} entries, at most ${max} are accepted`,
      );
    }
    return value;
  }

  /** A list in which nothing is twice, entry by entry. */
  each<T>(
    value: Json,
    path: string,
    what: string,
    max: number,
    read: (entry: Json, path: string) => T | undefined,
  ): T[] {
    const found: T[] = [];
    const seen = new Set<string>();
    for (const [i, entry] of (this.list(value, path, what, max) ?? []).entries()) {
      const one = read(entry, `${path}/${i}`);
      if (one !== undefined) found.push(one);
      if (typeof entry !== "string") continue;
      if (seen.has(entry)) this.wrong(`${path}/${i}`, `${what} names ${quote(entry)} twice`);
      seen.add(entry);
    }
    return found;
  }
}

/** Members of one object; what is absent is not looked at, unless it must be there. */
export class Members {
  readonly value: JsonObject;
  readonly path: string;
  readonly what: string;
  readonly list: ProblemList;
  /** It has members that are not known: what seems to be missing may be one of them. */
  readonly unknown: boolean;

  constructor(
    list: ProblemList,
    value: JsonObject,
    path: string,
    what: string,
    unknown: boolean,
  ) {
    this.unknown = unknown;
    this.list = list;
    this.value = value;
    this.path = path;
    this.what = what;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.value, name);
  }

  get(name: string): Json | undefined {
    return this.has(name) ? this.value[name] : undefined;
  }

  at(name: string): string {
    return pointer(this.path, name);
  }

  wrong(name: string, what: string): void {
    this.list.wrong(name === "" ? this.path : this.at(name), what);
  }

  need(...names: string[]): void {
    for (const name of names) {
      if (!this.has(name)) this.wrong(name, `${this.what} has no ${name}`);
    }
  }

  /** Refuses an object that says nothing. */
  needOne(known: readonly string[]): void {
    if (Object.keys(this.value).length === 0) {
      this.list.wrong(this.path, `${this.what} asks nothing: it has none of ${known.join(", ")}`);
    }
  }

  text(name: string, limit?: number): string | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : this.list.text(value, this.at(name), name, limit);
  }

  word<T extends string>(name: string, words: readonly T[]): T | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : this.list.word(value, this.at(name), name, words);
  }

  words<T extends string>(name: string, words: readonly T[]): T[] | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    return this.list.each(
      value,
      this.at(name),
      name,
      words.length,
      (one, path) => this.list.word(one, path, `an entry of ${name}`, words),
    );
  }

  flag(name: string): void {
    const value = this.get(name);
    if (value === undefined || typeof value === "boolean") return;
    this.wrong(name, `${name} is neither true nor false`);
  }

  integer(name: string, min: number, max: number): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    return this.list.integer(value, this.at(name), name, min, max);
  }

  time(name: string): void {
    const value = this.get(name);
    if (value !== undefined) this.list.time(value, this.at(name), name);
  }

  duration(name: string): void {
    const value = this.get(name);
    if (value !== undefined) this.list.duration(value, this.at(name), name);
  }

  /** Texts, none of them twice. */
  texts(name: string, max = 1000): string[] | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    return this.list.each(
      value,
      this.at(name),
      name,
      max,
      (one, path) => this.list.text(one, path, `an entry of ${name}`),
    );
  }

  /** Patterns, none of them twice. */
  patterns(name: string, max = 1000): string[] | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    return this.list.each(
      value,
      this.at(name),
      name,
      max,
      (one, path) => this.list.pattern(one, path, `an entry of ${name}`),
    );
  }

  /** The object at a member. */
  object(name: string, what: string, known: readonly string[]): Members | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : this.list.members(value, this.at(name), what, known);
  }
}
