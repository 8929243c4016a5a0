import { AttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { isObject, type JsonObject, parseJson } from "../internal/json.ts";
import type { FormatHint } from "./format.ts";

/** Bytes at either end of a document that detection looks at. */
const WINDOW = 4096;
/** JSON above this size is not read for its detection. */
const MAX_JSON = 32 << 20;

/**
 * A document that is to be told from others: its beginning, its end, and its JSON, each read
 * once for all formats and only when one asks.
 */
export class FormatInput {
  /** The whole document. */
  readonly bytes: Uint8Array;
  /** What else is known of it. */
  readonly hint: FormatHint;
  #head?: string;
  #json?: JsonObject | null;

  /** Looks at nothing yet. */
  constructor(bytes: Uint8Array, hint: FormatHint = {}) {
    this.bytes = bytes;
    this.hint = hint;
  }

  /** The beginning, each byte as one character: for marks in ASCII. */
  get head(): string {
    return this.#head ??= latin1(this.bytes.subarray(0, WINDOW));
  }

  /** The end, each byte as one character. */
  get tail(): string {
    return latin1(this.bytes.subarray(Math.max(0, this.bytes.length - WINDOW)));
  }

  /** The JSON object that it is, if it is one. */
  get json(): JsonObject | undefined {
    if (this.#json === undefined) this.#json = this.#readJson() ?? null;
    return this.#json ?? undefined;
  }

  /** Tells whether bytes stand at an offset; negative offsets count from the end. */
  has(mark: string, at = 0): boolean {
    const start = at < 0 ? this.bytes.length + at : at;
    if (start < 0 || start + mark.length > this.bytes.length) return false;
    for (let i = 0; i < mark.length; i++) {
      if (this.bytes[start + i] !== mark.charCodeAt(i)) return false;
    }
    return true;
  }

  #readJson(): JsonObject | undefined {
    if (this.bytes.length > MAX_JSON || !/^[\t\n\r ]*\{/.test(this.head)) return undefined;
    try {
      const value = parseJson(this.bytes, { maxLength: MAX_JSON });
      return isObject(value) ? value : undefined;
    } catch {
      return undefined; // Its own reader says what is wrong.
    }
  }
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/**
 * A document as bytes: half a character is refused, not replaced.
 *
 * @throws {AttestationError} `invalid-unicode`.
 * @throws {TypeError} If it is neither text nor bytes.
 */
export function documentBytes(source: string | Uint8Array): Uint8Array {
  if (source instanceof Uint8Array) return source;
  if (typeof source !== "string") throw new TypeError("A document is text or bytes");
  if (!source.isWellFormed()) {
    throw new AttestationError("invalid-unicode", "Cannot read document: an unpaired surrogate");
  }
  return utf8(source);
}
