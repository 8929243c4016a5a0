import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import { decodeUtf8, isObject, type JsonObject, parseJson } from "../internal/json.ts";
import { limitOption, refuseUnknown } from "../internal/options.ts";

/** JSON Lines as text, bytes, or a stream of bytes in chunks of any size. */
export type JsonLinesSource =
  | string
  | Uint8Array
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

/** Bounds of {@linkcode readJsonLines}. */
export interface JsonLinesOptions {
  /** Bytes of one line, without its end (`\n`, `\r\n`). A longer one is reported and left out. Default 24 MiB. */
  maxLineBytes?: number;
  /** Lines, blank ones included. One more is reported, and ends the reading. Default 10 000 000. */
  maxLines?: number;
}

/** One line that is not blank: its JSON object, or why it is none. */
export type JsonLine = {
  /** Its number, from 1. */
  line: number;
  /** The line is a JSON object. */
  ok: true;
  /** No reason. */
  errorReason: null;
  /** The line as it stands, without its end. */
  text: string;
  /** The object. */
  value: JsonObject;
} | {
  /** Its number, from 1. */
  line: number;
  /** The line is no JSON object. Its neighbours are not affected. */
  ok: false;
  /**
   * `malformed-json`, `duplicate-json-key`, `invalid-unicode`, `limit-exceeded`, or
   * `unknown-format` if it is JSON but no object.
   */
  errorReason: Reason;
  /** The same in words. */
  error: AttestationError;
};

const NEWLINE = 10;
const RETURN = 13;
const BLANK = /^[ \t\r\n]*$/;
const LONG = Symbol("line that is too long");

type Line = string | Uint8Array | typeof LONG;

/**
 * Reads JSON Lines, such as an in-toto bundle (`.intoto.jsonl`) or a file of Sigstore
 * bundles (`.sigstore.jsonl`), one line at a time.
 *
 * A bad line is reported and the next one read: the file as a whole is vouched for by
 * nobody, so a line that somebody added must not hide the others. Memory is bounded by
 * the longest accepted line, however long the file is. Lines end with `\n` or `\r\n`, the
 * last one may lack it; blank lines are passed over; a byte order mark makes its line bad.
 *
 * Source: in-toto attestation v1, bundle.md; JSON Lines.
 *
 * @param source Text or UTF-8 bytes. A stream is cancelled when the caller stops early.
 * @param options Bounds.
 * @returns Lines that are not blank, in order. What the source itself throws is passed on.
 * @throws {TypeError} If an option is unknown or a stream gives something else than bytes.
 * @throws {RangeError} If a limit is not an integer >= 1.
 *
 * @example A bad line between good ones
 * ```ts
 * import { detectFormat, readJsonLines } from "@x/attest/intoto";
 * import assert from "node:assert/strict";
 *
 * const text = '{"payload":"","signatures":[]}\nJUNK\n{"payload":"","signatures":[]}\n';
 * const found: string[] = [];
 * for await (const line of readJsonLines(text)) {
 *   found.push(line.ok ? detectFormat(line.value) : `${line.line}: ${line.errorReason}`);
 * }
 * assert.deepEqual(found, ["dsse", "2: malformed-json", "dsse"]);
 * ```
 */
export function readJsonLines(
  source: JsonLinesSource,
  options: JsonLinesOptions = {},
): AsyncGenerator<JsonLine> {
  refuseUnknown(options, ["maxLineBytes", "maxLines"], "readJsonLines()");
  const maxLineBytes = limitOption("maxLineBytes", options.maxLineBytes, 24 << 20);
  const maxLines = limitOption("maxLines", options.maxLines, 10_000_000);
  return readLines(source, maxLineBytes, maxLines);
}

async function* readLines(
  source: JsonLinesSource,
  maxLineBytes: number,
  maxLines: number,
): AsyncGenerator<JsonLine> {
  let number = 0;
  for await (const lines of batchesOf(source, maxLineBytes)) {
    for (const line of lines) {
      if (++number > maxLines) {
        yield tooLarge(number, `more than ${maxLines} lines`);
        return;
      }
      const read = line === LONG
        ? tooLarge(number, `a line of more than ${maxLineBytes} bytes`)
        : readLine(line, number);
      if (read !== undefined) yield read;
    }
  }
}

function readLine(line: string | Uint8Array, number: number): JsonLine | undefined {
  try {
    const text = typeof line === "string" ? line : decodeUtf8(line);
    if (BLANK.test(text)) return undefined;
    const value = parseJson(text, { maxLength: text.length });
    if (isObject(value)) return { line: number, ok: true, errorReason: null, text, value };
    return bad(
      number,
      new AttestationError("unknown-format", `Cannot read line ${number}: it is no JSON object`),
    );
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    // A line that is not blank, yet trimmed to nothing: a mark, or white space that JSON has not.
    const reason = cause.reason === "empty-input" ? "malformed-json" : cause.reason;
    const message = `Cannot read line ${number}: ${cause.message}`;
    return bad(number, new AttestationError(reason, message, { cause }));
  }
}

function tooLarge(number: number, what: string): JsonLine {
  return bad(number, new AttestationError("limit-exceeded", `Cannot read line ${number}: ${what}`));
}

function bad(line: number, error: AttestationError): JsonLine {
  return { line, ok: false, errorReason: error.reason, error };
}

/** The lines of the source, in batches as they come. */
async function* batchesOf(
  source: JsonLinesSource,
  maxLineBytes: number,
): AsyncGenerator<Iterable<Line>> {
  if (typeof source === "string") {
    yield splitText(source, maxLineBytes);
    return;
  }
  const splitter = new LineSplitter(maxLineBytes);
  for await (const chunk of chunksOf(source)) {
    if (!(chunk instanceof Uint8Array)) {
      throw new TypeError("Cannot read JSON Lines: the stream gives something else than bytes");
    }
    yield splitter.push(chunk);
  }
  yield splitter.end();
}

async function* chunksOf(source: Exclude<JsonLinesSource, string>): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) {
    yield source;
    return;
  }
  if (Symbol.asyncIterator in source && !("getReader" in source)) {
    yield* source;
    return;
  }
  // Not every runtime can iterate over a ReadableStream.
  const reader = ("getReader" in source ? source : source.stream()).getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
    ended = true;
  } finally {
    if (!ended) await reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}

function* splitText(text: string, maxLineBytes: number): Generator<Line> {
  const encoder = new TextEncoder();
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const next = newline < 0 ? text.length : newline;
    const end = next > start && text.charCodeAt(next - 1) === RETURN ? next - 1 : next;
    const units = end - start;
    if (units > maxLineBytes) yield LONG;
    else {
      const line = text.slice(start, end);
      // A unit takes at most three bytes: most lines need no counting.
      yield units * 3 > maxLineBytes && encoder.encode(line).length > maxLineBytes ? LONG : line;
    }
    start = next + 1;
  }
}

/** Cuts chunks into lines, and holds no more than one line that has no end yet. */
class LineSplitter {
  readonly #maxBytes: number;
  #rest: Uint8Array = new Uint8Array(1024);
  #length = 0;
  #isLong = false;

  constructor(maxLineBytes: number) {
    this.#maxBytes = maxLineBytes;
  }

  /** Lines that the chunk completes; each is good until the next one is asked for. */
  *push(chunk: Uint8Array): Generator<Line> {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
      const tail = chunk.subarray(start, at);
      start = at + 1;
      yield this.#length === 0 && !this.#isLong ? this.#bounded(tail) : this.#take(tail);
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** The last line, if it has no end. */
  *end(): Generator<Line> {
    if (this.#isLong) yield LONG;
    else if (this.#length > 0) yield this.#bounded(this.#rest.subarray(0, this.#length));
  }

  #take(tail: Uint8Array): Line {
    this.#keep(tail);
    const line = this.#isLong ? LONG : this.#bounded(this.#rest.subarray(0, this.#length));
    this.#length = 0;
    this.#isLong = false;
    return line;
  }

  #keep(part: Uint8Array): void {
    // One byte more: a carriage return at the end is not part of the line.
    if (this.#isLong || this.#length + part.length > this.#maxBytes + 1) {
      this.#isLong = true;
      return;
    }
    const length = this.#length + part.length;
    if (length > this.#rest.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#rest.length));
      larger.set(this.#rest.subarray(0, this.#length));
      this.#rest = larger;
    }
    this.#rest.set(part, this.#length);
    this.#length = length;
  }

  #bounded(line: Uint8Array): Line {
    const last = line.length - 1;
    const text = line[last] === RETURN ? line.subarray(0, last) : line;
    return text.length > this.#maxBytes ? LONG : text;
  }
}
