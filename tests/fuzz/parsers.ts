/** Targets that read one document: the frame that they share. */

import { isAttestationError, type Problem } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { REASONS } from "../../reasons.ts";
import type { Corpus } from "./corpus.ts";
import { faultOf } from "./engine.ts";
import { textOf } from "./mutate_text.ts";
import { type Answer, Broken, type Seed, type Shape, type Target } from "./target.ts";

/** What a parser is given. */
export type Source = string | Uint8Array | object;

/** What is known about a parser. */
export interface ParserOptions<T> {
  shape?: Shape;
  covers?: readonly string[];
  /** It takes text only. */
  textOnly?: boolean;
  /** It takes bytes only, as they are. */
  bytesOnly?: boolean;
  /** It takes a parsed document too. */
  objects?: boolean;
  /** Text that must be read as the same value again. */
  write?(value: T): string | Uint8Array;
  /** What must hold of every accepted value. */
  holds?(value: T, input: Bytes): void | Promise<void>;
  isCostly?(input: Bytes): boolean;
}

/** A parser as a target: same answer for bytes, text and object; what it reads can be written. */
export function parser<T>(
  name: string,
  seeds: (corpus: Corpus) => Seed[] | Promise<Seed[]>,
  parse: (source: Source) => T | Promise<T>,
  options: ParserOptions<T> = {},
): Target {
  const { shape = "json", textOnly, bytesOnly, objects, write, holds } = options;
  const check = (value: T, input: Bytes): Answer | Promise<Answer> => {
    if (write !== undefined) {
      const again = write(value);
      let second: T | Promise<T>;
      try {
        second = parse(textOnly && again instanceof Uint8Array ? textOf(again) : again);
      } catch (error) {
        throw new Broken(`what was read and written is refused: ${reasonOf(error)}`);
      }
      if (second instanceof Promise) {
        return second.then((read) => {
          same(value, read);
          return null;
        });
      }
      same(value, second);
    }
    const held = holds?.(value, input);
    return held instanceof Promise ? held.then(() => null) : null;
  };
  /** Another way in must give the same answer. */
  const compare = (input: Bytes, refused: string | null): void | Promise<void> => {
    if (textOnly || bytesOnly || sumOf(input) % 4 !== 0) return;
    const text = textOf(input);
    if (text.includes("\ufffd")) return;
    const ways: Source[] = [text];
    if (objects && refused === null) ways.push(objectOf(text) ?? text);
    for (const way of ways) {
      const judge = (found: string | null) => {
        if (found === refused) return;
        const what = typeof way === "string" ? "text" : "an object";
        throw new Broken(`as bytes ${refused ?? "accepted"}, as ${what} ${found ?? "accepted"}`);
      };
      try {
        const value = parse(way);
        if (value instanceof Promise) {
          return value.then(() => judge(null), (error) => judge(reasonOf(error)));
        }
      } catch (error) {
        judge(reasonOf(error));
        continue;
      }
      judge(null);
    }
  };
  return {
    name,
    kind: "parser",
    ...(options.covers === undefined ? {} : { covers: options.covers }),
    prepare: async (corpus) => ({
      seeds: await seeds(corpus),
      shape,
      ...(options.isCostly === undefined ? {} : { isCostly: options.isCostly }),
      run(input) {
        let value: T | Promise<T>;
        try {
          value = parse(textOnly ? textOf(input) : input);
        } catch (error) {
          if (isAttestationError(error)) compare(input, error.reason);
          throw error;
        }
        if (!(value instanceof Promise)) {
          const compared = compare(input, null);
          if (compared instanceof Promise) return compared.then(() => check(value as T, input));
          return check(value, input);
        }
        return value.then(
          async (read) => {
            await compare(input, null);
            return await check(read, input);
          },
          async (error) => {
            if (isAttestationError(error)) await compare(input, error.reason);
            throw error;
          },
        );
      },
    }),
  };
}

/** A validator: lists problems and throws nothing but what strict JSON refuses. */
export function validator(
  name: string,
  seeds: (corpus: Corpus) => Seed[] | Promise<Seed[]>,
  validate: (value: unknown) => Problem[],
  accepts?: (value: object) => unknown,
  /** Reasons of what is reported, and can be read all the same. */
  readable: readonly string[] = [],
): Target {
  return {
    name,
    kind: "parser",
    prepare: async (corpus) => ({
      seeds: await seeds(corpus),
      shape: "json",
      run(input) {
        let value: unknown;
        try {
          value = JSON.parse(textOf(input));
        } catch {
          return "malformed-json";
        }
        const problems = validate(value);
        if (!Array.isArray(problems)) throw new Broken("the answer is no list");
        for (const { reason, path, message } of problems) {
          if (!Object.hasOwn(REASONS, reason)) throw new Broken(`no such reason: ${reason}`);
          if (typeof path !== "string" || !/^(\/|$)/.test(path)) {
            throw new Broken("path: no pointer");
          }
          const fault = faultOf(message);
          if (fault !== undefined) throw new Broken(`a message (${reason}): ${fault}`);
        }
        if (accepts !== undefined && typeof value === "object" && value !== null) {
          let refused: string | null = null;
          try {
            accepts(value);
          } catch (error) {
            refused = reasonOf(error);
          }
          const grave = problems.find(({ reason }) => !readable.includes(reason));
          if (refused === null && grave !== undefined) {
            throw new Broken(`it lists ${grave.reason}, but the parser accepts`);
          }
          if (refused !== null && problems.length === 0) {
            throw new Broken(`it lists nothing, but the parser refuses: ${refused}`);
          }
        }
        return problems[0]?.reason ?? null;
      },
    }),
  };
}

/** Reason of a refusal; anything else goes on. */
export function reasonOf(error: unknown): string {
  if (isAttestationError(error)) return error.reason;
  throw error;
}

/** A value as text, for comparison: names in order, bytes as hex, maps and sets as lists. */
export function printOf(value: unknown): string {
  return JSON.stringify(value, (_, member) => {
    if (member instanceof Uint8Array) return { bytes: encodeHex(member) };
    if (member instanceof Map) return { map: [...member] };
    if (member instanceof Set) return { set: [...member] };
    if (typeof member === "bigint") return { integer: String(member) };
    if (typeof member === "object" && member !== null && !Array.isArray(member)) {
      return Object.fromEntries(Object.entries(member).sort(([a], [b]) => a < b ? -1 : 1));
    }
    return Object.is(member, -0) ? 0 : member;
  });
}

function same(first: unknown, second: unknown): void {
  const [a, b] = [printOf(first), printOf(second)];
  if (a === b) return;
  let at = 0;
  while (a[at] === b[at]) at++;
  const place = /"([A-Za-z]+)":[^"]*"?[^"]*$/.exec(a.slice(0, at))?.[1] ?? "";
  throw new Broken(`what was read and written is another value, near ${place}`);
}

function objectOf(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function sumOf(input: Bytes): number {
  let sum = input.length;
  for (let i = 0; i < input.length; i += 7) sum = (sum * 31 + input[i]) | 0;
  return sum >>> 0;
}
