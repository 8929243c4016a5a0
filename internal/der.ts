import { AttestationError } from "../errors.ts";
import { asBytes, type Bytes, concat } from "./bytes.ts";

/** Tags that the readers of this package meet. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/**
 * One element of a DER encoding (X.690). It remembers where it stands, so that what was
 * signed is hashed as it was received and never encoded again.
 */
export interface Der {
  /** Identifier octet: class, constructed bit and number. */
  readonly tag: number;
  /** The whole element. */
  readonly raw: Bytes;
  /** The contents. */
  readonly value: Bytes;
}

/** Views of the bytes are made when they are asked for: of most elements only one is. */
class Element implements Der {
  readonly tag: number;
  readonly #bytes: Bytes;
  readonly #start: number;
  readonly #content: number;
  readonly end: number;
  #raw?: Bytes;
  #value?: Bytes;

  constructor(tag: number, bytes: Bytes, start: number, content: number, end: number) {
    this.tag = tag;
    this.#bytes = bytes;
    this.#start = start;
    this.#content = content;
    this.end = end;
  }

  get raw(): Bytes {
    return this.#raw ??= this.#bytes.subarray(this.#start, this.end);
  }

  get value(): Bytes {
    return this.#value ??= this.#bytes.subarray(this.#content, this.end);
  }
}

/** Reads one element that fills `bytes` to the last byte. */
export function parseDer(bytes: Uint8Array, tag?: number): Der {
  const element = elementAt(asBytes(bytes), 0);
  if (element.end !== bytes.length) throw malformedDer("trailing bytes");
  if (tag !== undefined && element.tag !== tag) throw wrongTag(tag, element.tag);
  return element;
}

/** Reads the element that bytes begin with, and what follows it. */
export function parseDerPrefix(bytes: Uint8Array): { element: Der; rest: Bytes } {
  const element = elementAt(asBytes(bytes), 0);
  return { element, rest: asBytes(bytes).subarray(element.end) };
}

/** The elements inside a constructed element. */
export function children(parent: Der, maxCount = 4096): Der[] {
  if ((parent.tag & 0x20) === 0) {
    throw malformedDer("a primitive element where a constructed one is due");
  }
  return sequenceOf(parent.value, maxCount);
}

function sequenceOf(bytes: Bytes, maxCount: number): Der[] {
  const elements: Der[] = [];
  for (let at = 0; at < bytes.length;) {
    if (elements.length >= maxCount) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read DER: more than ${maxCount} elements`,
      );
    }
    const element = elementAt(bytes, at);
    elements.push(element);
    at = element.end;
  }
  return elements;
}

function elementAt(bytes: Bytes, start: number): Element {
  if (start + 2 > bytes.length) throw malformedDer("truncated");
  const tag = bytes[start];
  if ((tag & 0x1f) === 0x1f) throw malformedDer("a tag number above 30");
  if (tag === 0) throw malformedDer("the reserved tag 0");
  let length = bytes[start + 1];
  let at = start + 2;
  if (length === 0x80) throw malformedDer("an indefinite length");
  if (length > 0x80) {
    const octets = length & 0x7f;
    if (octets > 4 || at + octets > bytes.length) throw malformedDer("a length that does not fit");
    length = 0;
    for (const end = at + octets; at < end; at++) length = length * 256 + bytes[at];
    if (length < 0x80 || length < 256 ** (octets - 1)) {
      throw malformedDer("a length that is not minimal");
    }
  }
  const end = at + length;
  if (end > bytes.length) throw malformedDer("truncated");
  return new Element(tag, bytes, start, at, end);
}

/** The one element inside a constructed element. */
export function onlyChild(parent: Der): Der {
  const [element, ...more] = children(parent);
  if (element === undefined || more.length > 0) throw malformedDer("not exactly one element");
  return element;
}

/** A cursor over the elements of a SEQUENCE or SET; {@linkcode DerReader.end} closes it. */
export class DerReader {
  readonly #elements: Der[];
  #next = 0;

  constructor(parent: Der, maxCount?: number) {
    this.#elements = children(parent, maxCount);
  }

  /** The tag that comes next, or -1 at the end. */
  get tag(): number {
    return this.#elements[this.#next]?.tag ?? -1;
  }

  /** The next element, whatever it is, or the one with this tag. */
  next(tag?: number): Der {
    const element = this.#elements[this.#next];
    if (element === undefined) throw malformedDer("an element is missing");
    if (tag !== undefined && element.tag !== tag) throw wrongTag(tag, element.tag);
    this.#next++;
    return element;
  }

  /** The next element if it has this tag. */
  optional(tag: number): Der | undefined {
    return this.tag === tag ? this.next() : undefined;
  }

  /** Refuses what has not been read. */
  end(): void {
    if (this.#next !== this.#elements.length) {
      throw malformedDer("an element that is not known here");
    }
  }
}

/** Reader over the elements of a SEQUENCE. */
export function readSequence(element: Der, maxCount?: number): DerReader {
  if (element.tag !== Tag.sequence) throw wrongTag(Tag.sequence, element.tag);
  return new DerReader(element, maxCount);
}

/** Dotted text of an OBJECT IDENTIFIER; arcs of any size. */
export function readOid(element: Der): string {
  expectTag(element, Tag.oid);
  const { value } = element;
  if (value.length === 0 || value.length > 64 || value[value.length - 1] & 0x80) {
    throw malformedDer("an object identifier that is empty, long or cut");
  }
  let text = "";
  for (let at = 0; at < value.length;) {
    if (value[at] === 0x80) throw malformedDer("an object identifier that is not minimal");
    const start = at;
    let arc = 0;
    do arc = arc * 128 + (value[at] & 0x7f); while (value[at++] & 0x80);
    // Seven octets are 49 bits, which a number holds.
    const exact = at - start <= 7 ? arc : largeArc(value.subarray(start, at));
    if (text === "") {
      const root = arc < 40 ? 0 : arc < 80 ? 1 : 2;
      text = `${root}.${typeof exact === "bigint" ? exact - 80n : exact - 40 * root}`;
    } else text += `.${exact}`;
  }
  return text;
}

function largeArc(octets: Bytes): bigint {
  return octets.reduce((arc, octet) => (arc << 7n) | BigInt(octet & 0x7f), 0n);
}

/** Octets of an INTEGER, minimal two's complement. */
export function readInteger(element: Der): Bytes {
  expectTag(element, Tag.integer);
  const { value } = element;
  if (value.length === 0) throw malformedDer("an empty integer");
  if (
    value.length > 1 && (value[0] === 0 ? value[1] < 0x80 : value[0] === 0xff && value[1] >= 0x80)
  ) {
    throw malformedDer("an integer that is not minimal");
  }
  return value;
}

/** Octets of an INTEGER >= 0, without the sign octet. */
export function readUnsigned(element: Der): Bytes {
  const value = readInteger(element);
  if (value[0] >= 0x80) throw malformedDer("a negative integer");
  return value.length > 1 && value[0] === 0 ? value.subarray(1) : value;
}

/** A small INTEGER >= 0, such as a version. */
export function readSmall(element: Der): number {
  const value = readUnsigned(element);
  if (value.length > 4) throw malformedDer("an integer that is too large here");
  return value.reduce((sum, octet) => sum * 256 + octet, 0);
}

export function readBoolean(element: Der): boolean {
  expectTag(element, Tag.boolean);
  if (element.value.length !== 1 || (element.value[0] !== 0 && element.value[0] !== 0xff)) {
    throw malformedDer("a boolean that is neither 00 nor FF");
  }
  return element.value[0] === 0xff;
}

/** Bytes of a BIT STRING without unused bits. */
export function readBitString(element: Der): Bytes {
  expectTag(element, Tag.bitString);
  if (element.value.length === 0 || element.value[0] !== 0) {
    throw malformedDer("a bit string with unused bits");
  }
  return element.value.subarray(1);
}

/** Bytes and count of unused bits of a BIT STRING; unused bits are zero. */
export function readNamedBits(element: Der): Bytes {
  expectTag(element, Tag.bitString);
  const { value } = element;
  const unused = value[0];
  if (value.length === 0 || unused > 7 || (value.length === 1 && unused !== 0)) {
    throw malformedDer("a bit string without its bits");
  }
  const bits = value.subarray(1);
  if (bits.length > 0) {
    const last = bits[bits.length - 1];
    // X.690, 11.2.2: a named bit list ends in a one bit.
    if ((last & ((1 << unused) - 1)) !== 0 || (last & (1 << unused)) === 0) {
      throw malformedDer("a bit string that is not minimal");
    }
  }
  return bits;
}

export function readOctetString(element: Der): Bytes {
  expectTag(element, Tag.octetString);
  return element.value;
}

/** UTCTime or GeneralizedTime in UTC (RFC 5280, 4.1.2.5), with an optional fraction. */
export function readTime(element: Der): Date {
  const text = String.fromCharCode(...element.value.subarray(0, 64));
  const utc = element.tag === Tag.utcTime;
  if (!utc) expectTag(element, Tag.generalizedTime);
  const match = utc
    ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)()Z$/.exec(text)
    : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{0,20}[1-9])?Z$/.exec(text);
  if (match === null || element.value.length > 64) {
    throw malformedDer("a time that is not UTC with seconds");
  }
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const full = utc ? year + (year < 50 ? 2000 : 1900) : year;
  const millis = Number((match[7] ?? "").slice(1, 4).padEnd(3, "0"));
  const time = new Date(0);
  time.setUTCFullYear(full, month - 1, day);
  time.setUTCHours(hour, minute, second, millis);
  if (
    time.getUTCMonth() !== month - 1 || time.getUTCDate() !== day || hour > 23 || minute > 59 ||
    second > 59
  ) throw malformedDer("a time out of range");
  return time;
}

export function expectTag(element: Der, tag: number): void {
  if (element.tag !== tag) throw wrongTag(tag, element.tag);
}

function wrongTag(wanted: number, found: number): AttestationError {
  return malformedDer(`tag ${hex(found)} where ${hex(wanted)} is due`);
}

function hex(tag: number): string {
  return tag.toString(16).padStart(2, "0");
}

/** The refusal of what is no DER, or not of the form that is due. */
export function malformedDer(what: string): AttestationError {
  return new AttestationError("malformed-der", `Cannot read DER: ${what}`);
}

/** One element from its tag and contents; for what must be rebuilt before it is hashed. */
export function encodeDer(tag: number, ...contents: Uint8Array[]): Bytes {
  const value = concat(...contents);
  const octets: number[] = [];
  for (let rest = value.length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  const length = value.length < 0x80 ? [value.length] : [0x80 | octets.length, ...octets];
  return concat(Uint8Array.of(tag, ...length), value);
}
