import { AttestationError } from "../errors.ts";
import { decodeUtf8 } from "./json.ts";

/** Kinds of items: RFC 8949, 3.1. */
export const Major = {
  unsigned: 0,
  negative: 1,
  bytes: 2,
  text: 3,
  array: 4,
  map: 5,
  tag: 6,
  simple: 7,
} as const;

/** Bounds of {@linkcode scanCbor}. */
export interface CborLimits {
  /** Nesting of arrays, maps and tags. Default 16. */
  maxDepth?: number;
  /** Items of all kinds. Default 10,000. */
  maxItems?: number;
}

/** The first bytes of an item: what it is, and its number or length. */
export interface CborHead {
  /** Its kind, one of {@linkcode Major}. */
  readonly major: number;
  /**
   * The number, the length in bytes or items, or the number of the tag. Above 2^53 it is not
   * exact; no length that is accepted is that large.
   */
  readonly argument: number;
  /** Where the content begins. */
  readonly next: number;
}

/**
 * Reads the head of an item: definite, and no longer than it has to be.
 *
 * Source: RFC 8949, 3 and 4.2.1.
 *
 * @throws {AttestationError} `malformed-cbor`.
 */
export function readCborHead(bytes: Uint8Array, at: number): CborHead {
  if (at >= bytes.length) throw malformedCbor("it ends too early", at);
  const major = bytes[at] >> 5;
  const info = bytes[at] & 31;
  if (info < 24) return { major, argument: info, next: at + 1 };
  if (info > 27) {
    throw malformedCbor(info === 31 ? "a length is not stated" : "a length is reserved", at);
  }
  const size = 1 << (info - 24);
  const next = at + 1 + size;
  if (next > bytes.length) throw malformedCbor("it ends too early", at);
  let argument = 0;
  for (let i = at + 1; i < next; i++) argument = argument * 256 + bytes[i];
  const least = size === 1 ? 24 : 2 ** (size * 4);
  // Of kind 7 the bytes are a floating-point number, whose size is part of it.
  if (major !== Major.simple && argument < least) {
    throw malformedCbor("a number is longer than it has to be", at);
  }
  return { major, argument, next };
}

/** How far a scan has got. */
interface Scan {
  readonly bytes: Uint8Array;
  readonly maxDepth: number;
  readonly maxItems: number;
  readonly tags: Set<number>;
  items: number;
}

/** What {@linkcode scanCbor} found. */
export interface ScannedCbor {
  /** The byte after the item. */
  readonly end: number;
  /** Numbers of the tags in it. */
  readonly tags: ReadonlySet<number>;
}

/**
 * Walks over one item without making anything of it: of bounded depth and size, with definite
 * lengths and shortest numbers, with text that is UTF-8, and with names of maps that are
 * integers or text. Names that occur twice are for the decoder to refuse.
 *
 * @param start Where the item begins.
 * @throws {AttestationError} `malformed-cbor`, `limit-exceeded`, `invalid-unicode`.
 */
export function scanCbor(
  bytes: Uint8Array,
  start: number,
  { maxDepth = 16, maxItems = 10_000 }: CborLimits = {},
): ScannedCbor {
  const scan: Scan = { bytes, maxDepth, maxItems, tags: new Set(), items: 0 };
  return { end: walk(scan, start, 0), tags: scan.tags };
}

function walk(scan: Scan, at: number, depth: number): number {
  const { bytes, maxDepth, maxItems, tags } = scan;
  if (depth > maxDepth) throw tooMuch(`nesting of more than ${maxDepth}`);
  if (++scan.items > maxItems) throw tooMuch(`more than ${maxItems} items`);
  const { major, argument, next } = readCborHead(bytes, at);
  switch (major) {
    case Major.unsigned:
    case Major.negative:
      return next;
    case Major.bytes:
    case Major.text: {
      // Before anything is added: the sum of two large numbers may be less than it should.
      if (argument > bytes.length - next) throw malformedCbor("it ends too early", at);
      const end = next + argument;
      if (major === Major.text) checkText(bytes.subarray(next, end), at);
      return end;
    }
    case Major.array:
    case Major.map: {
      // Each item has a byte at least.
      if (argument > bytes.length - next) throw malformedCbor("it ends too early", at);
      let end = next;
      for (let i = 0; i < argument; i++) {
        if (major === Major.map) {
          const { major: kind } = readCborHead(bytes, end);
          if (kind !== Major.unsigned && kind !== Major.negative && kind !== Major.text) {
            throw malformedCbor("a name in a map is neither a number nor text", end);
          }
          end = walk(scan, end, depth + 1);
        }
        end = walk(scan, end, depth + 1);
      }
      return end;
    }
    case Major.tag:
      if (!Number.isSafeInteger(argument)) throw malformedCbor("a tag above 2^53", at);
      tags.add(argument);
      return walk(scan, next, depth + 1);
    default: {
      const info = bytes[at] & 31;
      // False, true, null, and floating-point numbers.
      if (!(info >= 20 && info <= 22) && !(info >= 25 && info <= 27)) {
        throw malformedCbor("a simple value that stands for nothing", at);
      }
      return next;
    }
  }
}

/** UTF-8 without a byte order mark, which decoders drop. */
function checkText(bytes: Uint8Array, at: number): void {
  decodeUtf8(bytes);
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw malformedCbor("a text begins with a byte order mark", at);
  }
}

/** A refusal with the byte at which it is. */
export function malformedCbor(what: string, at?: number): AttestationError {
  const where = at === undefined ? "" : `, at byte ${at}`;
  return new AttestationError("malformed-cbor", `Cannot read CBOR: ${what}${where}`);
}

function tooMuch(what: string): AttestationError {
  return new AttestationError("limit-exceeded", `Cannot read CBOR: ${what}`);
}
