import { causeText } from "./cause.ts";
import { AttestationError } from "../errors.ts";

/** A JSON value as `JSON.parse` gives it. */
export type Json = null | boolean | number | string | Json[] | JsonObject;

/** A JSON object. */
export type JsonObject = { [name: string]: Json };

/** Bounds of {@linkcode parseJson}. */
export interface JsonLimits {
  /** Length of the text in UTF-16 units, or of the bytes. Default 64 Mi. */
  maxLength?: number;
  /** Nesting of arrays and objects. Default 128. */
  maxDepth?: number;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text of UTF-8 bytes; invalid UTF-8 is refused, a byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new AttestationError("invalid-unicode", "Cannot decode text: not UTF-8", { cause });
  }
}

/**
 * Strict JSON (RFC 8259): `JSON.parse`, less what it lets through and a verifier must
 * not: duplicate names, unpaired surrogates, numbers that overflow, unbounded size and
 * depth, a byte order mark.
 *
 * Duplicates are found by counting: a text with as many names as the parsed value has
 * properties repeats none. Only on a difference is the culprit looked for.
 */
export function parseJson(source: string | Uint8Array, limits: JsonLimits = {}): Json {
  const { maxLength = 64 << 20, maxDepth = 128 } = limits;
  if (source.length > maxLength) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot parse JSON: ${source.length} bytes, at most ${maxLength} are accepted`,
    );
  }
  const text = typeof source === "string" ? source : decodeUtf8(source);
  if (typeof source === "string" && !text.isWellFormed()) throw unpaired();
  const names = scan(text, maxDepth);
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    if (text.trim() === "") {
      throw new AttestationError("empty-input", "Cannot parse JSON: the input is empty");
    }
    throw new AttestationError("malformed-json", `Cannot parse JSON: ${brief(cause)}`, { cause });
  }
  if (text.includes("\\u")) refuseUnpaired(value);
  if (count(value) !== names) throw duplicate(text);
  return value;
}

/** Counts the names of a text that may be JSON and bounds its nesting. */
function scan(text: string, maxDepth: number): number {
  let depth = 0;
  let names = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 34: // "
        i = closingQuote(text, i);
        if (i < 0) return -1;
        break;
      case 58: // :
        names++;
        break;
      case 91: // [
      case 123: // {
        if (++depth > maxDepth) {
          throw new AttestationError(
            "limit-exceeded",
            `Cannot parse JSON: nested deeper than ${maxDepth}`,
          );
        }
        break;
      case 93: // ]
      case 125: // }
        depth--;
    }
  }
  return names;
}

/** Index of the quote that ends the string starting at `start`, or -1. */
function closingQuote(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slash = end;
    while (text.charCodeAt(slash - 1) === 92) slash--;
    if ((end - slash) % 2 === 0) return end;
  }
  return -1;
}

/**
 * Number of properties in all objects; refuses a number that overflowed. Objects made by
 * `JSON.parse` inherit nothing that can be enumerated, and `for in` costs an eighth of
 * `Object.keys`.
 */
function count(value: Json): number {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new AttestationError("malformed-json", "Cannot parse JSON: a number is out of range");
  }
  if (typeof value !== "object" || value === null) return 0;
  let names = 0;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) names += count(value[i]);
  } else for (const name in value) names += 1 + count(value[name]);
  return names;
}

/** Refuses unpaired surrogates, which only escapes can bring in. */
function refuseUnpaired(value: Json): void {
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw unpaired();
  } else if (Array.isArray(value)) value.forEach(refuseUnpaired);
  else if (isObject(value)) Object.entries(value).flat().forEach(refuseUnpaired);
}

function unpaired(): AttestationError {
  return new AttestationError("invalid-unicode", "Cannot parse JSON: an unpaired surrogate");
}

function duplicate(text: string): AttestationError {
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    const unit = text[i];
    if (unit === "{") open.push(new Set());
    else if (unit === "[") open.push(undefined);
    else if (unit === "}" || unit === "]") open.pop();
    else if (unit === '"') {
      const end = closingQuote(text, i);
      const names = open.at(-1);
      if (/^\s*:/.test(text.slice(end + 1, end + 64)) && names !== undefined) {
        const name = JSON.parse(text.slice(i, end + 1));
        if (names.has(name)) {
          return new AttestationError(
            "duplicate-json-key",
            `Cannot parse JSON: the name ${quote(name)} occurs twice in one object`,
          );
        }
        names.add(name);
      }
      i = end;
    }
  }
  return new AttestationError("duplicate-json-key", "Cannot parse JSON: a name occurs twice");
}

/**
 * A value that was parsed elsewhere, as it is at this moment: each member is read once, so
 * that a getter or Proxy cannot show one thing to the check and another to its user. What
 * strict JSON refuses is refused here too, except duplicate names, which are gone by then.
 */
export function copyJson(value: unknown, maxDepth = 128): Json {
  try {
    return copy(value, maxDepth);
  } catch (cause) {
    if (cause instanceof AttestationError) throw cause;
    throw notJson("a member cannot be read", cause);
  }
}

function copy(value: unknown, depth: number): Json {
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw unpaired();
    return value;
  }
  if (value === null || typeof value === "boolean" || Number.isFinite(value)) return value as Json;
  if (typeof value !== "object") throw notJson(`a value of type ${typeof value}`);
  if (depth === 0) {
    throw new AttestationError("limit-exceeded", "Cannot read JSON: nested too deep");
  }
  if (Array.isArray(value)) {
    // Not by its iterator, which may be of its own. A hole is undefined, and refused.
    const list: Json[] = [];
    for (let i = 0, { length } = value; i < length; i++) list.push(copy(value[i], depth - 1));
    return list;
  }
  const members: [string, Json][] = [];
  for (const [name, member] of Object.entries(value)) {
    if (!name.isWellFormed()) throw unpaired();
    if (member !== undefined) members.push([name, copy(member, depth - 1)]);
  }
  return Object.fromEntries(members);
}

function notJson(what: string, cause?: unknown): AttestationError {
  return new AttestationError("malformed-json", `Cannot read JSON: ${what}`, { cause });
}

function brief(cause: unknown): string {
  return printable(causeText(cause), 120);
}

/** Text of unknown origin for a message: short, and without control characters. */
export function printable(text: string, limit = 200): string {
  if (text.length <= limit && /^[ -~]*$/.test(text)) return text;
  // Controls, marks that reorder text or take no room, separators of lines, tags.
  const clean = text.slice(0, limit).toWellFormed().replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    "\ufffd",
  );
  return text.length > limit ? clean + "…" : clean;
}

/** {@linkcode printable} in quotation marks. */
export function quote(text: string): string {
  return `"${printable(text, 120).replaceAll('"', '\\"')}"`;
}

/**
 * A text as it is, any other value as JSON. `String()` and templates throw a TypeError for an
 * object, or call what it names `toString`.
 */
export function jsonText(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "undefined";
}

/** Tells whether a value is a JSON object: neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Canonical JSON (RFC 8785, JCS): names in UTF-16 order, ECMAScript numbers and strings,
 * no white space.
 *
 * @throws {RangeError} If there is no such text: a number that is not finite, an unpaired
 * surrogate (3.2.2.2).
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isObject(value)) {
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw new RangeError("Cannot encode canonical JSON: a number is not finite");
    }
    if (typeof value === "string" && !value.isWellFormed()) {
      throw new RangeError("Cannot encode canonical JSON: an unpaired surrogate");
    }
    return JSON.stringify(value);
  }
  const members = Object.keys(value).sort().map((name) =>
    `${canonicalJson(name)}:${canonicalJson(value[name])}`
  );
  return `{${members.join(",")}}`;
}
