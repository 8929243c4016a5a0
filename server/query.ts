import { AttestationError } from "../errors.ts";
import { decodeBase64, encodeBase64Url } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import { decodeUtf8, type Json, parseJson, quote } from "../internal/json.ts";

/** The parameters of an address, each at most once, and none that nobody reads. */
export class Query {
  readonly #values = new Map<string, string>();

  /** @throws {AttestationError} `malformed-query`. */
  constructor(request: Request, known: readonly string[]) {
    for (const [name, value] of new URL(request.url).searchParams) {
      if (!known.includes(name)) throw malformed(`the parameter ${quote(name)} is unknown`);
      if (this.#values.has(name)) throw malformed(`the parameter ${quote(name)} is there twice`);
      if (value.includes("\0")) throw malformed(`the parameter ${quote(name)} has a NUL`);
      if (value.length > 1024) throw malformed(`the parameter ${quote(name)} is too long`);
      this.#values.set(name, value);
    }
  }

  /** Text of a parameter. */
  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** A parameter that is a whole number from 1 to `max`. */
  number(name: string, max: number): number | undefined {
    const text = this.#values.get(name);
    if (text === undefined) return undefined;
    const value = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0;
    if (value >= 1 && value <= max) return value;
    throw malformed(`${name} is ${quote(text)}, wanted a whole number from 1 to ${max}`);
  }

  /** A parameter that is one of these words. */
  word<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const text = this.#values.get(name);
    if (text === undefined) return undefined;
    const word = words.find((one) => one === text);
    if (word !== undefined) return word;
    throw malformed(`${name} is ${quote(text)}, wanted one of ${words.join(", ")}`);
  }

  /** The place that a list goes on from: so many texts and numbers. */
  cursor(kinds: readonly ("string" | "number")[]): (string | number)[] | undefined {
    const text = this.#values.get("cursor");
    if (text === undefined) return undefined;
    let value: Json;
    try {
      value = parseJson(decodeUtf8(decodeBase64(text, { alphabet: "url" })));
    } catch (cause) {
      throw malformed("the cursor is none of this registry", cause);
    }
    const isGood = Array.isArray(value) && value.length === kinds.length &&
      value.every((one, i) =>
        typeof one === kinds[i] &&
        (typeof one === "string" ? !one.includes("\0") : isPlace(one as number))
      );
    if (isGood) return value as (string | number)[];
    throw malformed("the cursor is none of this list");
  }
}

/** A place in a list, as an opaque text. */
export function encodeCursor(place: readonly (string | number)[]): string {
  return encodeBase64Url(utf8(JSON.stringify(place)));
}

/** A time or a number of a version: what a Date and every column can hold. */
function isPlace(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 8.64e15;
}

function malformed(what: string, cause?: unknown): AttestationError {
  return new AttestationError("malformed-query", `Cannot read address: ${what}`, { cause });
}
