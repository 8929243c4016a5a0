import { AttestationError } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";
import { decodeUtf8 } from "../../internal/json.ts";

/** One entry of a header: a tag with its values. */
interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly start: number;
  readonly end: number;
}

/** Types of values, with the bytes of each and what they are aligned to. */
const TYPES: readonly { size: number; align: number }[] = [
  { size: 0, align: 1 },
  { size: 1, align: 1 },
  { size: 1, align: 1 },
  { size: 2, align: 2 },
  { size: 4, align: 4 },
  { size: 8, align: 8 },
  { size: 0, align: 1 },
  { size: 1, align: 1 },
  { size: 0, align: 1 },
  { size: 0, align: 1 },
];
const INT32 = 4, INT64 = 5, STRING = 6, BIN = 7, STRINGS = 8, TRANSLATED = 9;
const MAX_ENTRIES = 65_535;
const MAX_STORE = 64 << 20;
const INTRO = 16;
const ENTRY = 16;

/**
 * A header of RPM: an index and a store, all of which lies in one region. Entries behind the
 * region, which a signature would not cover, are refused, as is a tag that is there twice.
 *
 * Source: RPM reference manual, "RPM V4 Package format", "Header structure"; "Tag data types".
 */
export class RpmHeader {
  /** First byte. */
  readonly start: number;
  /** Byte after the last. */
  readonly end: number;
  readonly #bytes: Uint8Array;
  readonly #entries = new Map<number, Entry>();

  /**
   * Reads the header at an offset.
   *
   * @param region Tag of the region: 62 of the signature header, 63 of the other.
   * @throws {AttestationError} `malformed-envelope`, `limit-exceeded`.
   */
  constructor(bytes: Uint8Array, start: number, region: 62 | 63) {
    this.#bytes = bytes;
    this.start = start;
    if (start + INTRO > bytes.length || this.#number(start, 4) !== 0x8eade801) {
      throw malformed(`no header begins at byte ${start}`);
    }
    if (this.#number(start + 4, 4) !== 0) {
      throw malformed("reserved bytes of a header are not zero");
    }
    const count = this.#number(start + 8, 4);
    const size = this.#number(start + 12, 4);
    if (count > MAX_ENTRIES || size > MAX_STORE) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read RPM package: a header of ${count} entries and ${size} bytes, at most ` +
          `${MAX_ENTRIES} and ${MAX_STORE} are accepted`,
      );
    }
    const store = start + INTRO + count * ENTRY;
    this.end = store + size;
    if (count === 0 || this.end > bytes.length) throw malformed("a header is cut off");
    this.#checkRegion(store, count, region);
    let before = store;
    for (let i = 1; i < count; i++) {
      const entry = this.#entry(start + INTRO + i * ENTRY, store);
      if (entry.start < before) throw malformed("values of a header overlap");
      if (this.#entries.has(entry.tag)) throw malformed(`tag ${entry.tag} is there twice`);
      before = entry.end;
      this.#entries.set(entry.tag, entry);
    }
    // The trailer of the region is the last of the store.
    if (before > this.end - ENTRY) throw malformed("values of a header overlap");
  }

  /** Whether it has a tag. */
  has(tag: number): boolean {
    return this.#entries.has(tag);
  }

  /** The text of a tag; of translated ones the first. */
  text(tag: number): string | undefined {
    const entry = this.#entries.get(tag);
    if (entry === undefined) return undefined;
    if (entry.type !== STRING && entry.type !== TRANSLATED) throw wrongType(tag);
    return this.#texts(entry)[0];
  }

  /** The texts of a tag. */
  texts(tag: number): string[] | undefined {
    const entry = this.#entries.get(tag);
    if (entry === undefined) return undefined;
    if (entry.type !== STRING && entry.type !== STRINGS) throw wrongType(tag);
    return this.#texts(entry);
  }

  /** The number of a tag, which has one. */
  number(tag: number): number | undefined {
    const entry = this.#entries.get(tag);
    if (entry === undefined) return undefined;
    const isNumber = entry.type === INT32 || entry.type === INT64;
    if (!isNumber || entry.count !== 1) throw wrongType(tag);
    return this.#number(entry.start, entry.end - entry.start);
  }

  /** The bytes of a tag. */
  binary(tag: number): Bytes | undefined {
    const entry = this.#entries.get(tag);
    if (entry === undefined) return undefined;
    if (entry.type !== BIN) throw wrongType(tag);
    return this.#bytes.slice(entry.start, entry.end) as Bytes;
  }

  #texts({ start, end }: Entry): string[] {
    return decodeUtf8(this.#bytes.subarray(start, end - 1)).split("\0");
  }

  /** The first entry is the region, which has to reach from the first entry to the last byte. */
  #checkRegion(store: number, count: number, region: number): void {
    const { tag, type, count: size, start } = this.#entry(this.start + INTRO, store);
    const trailer = this.end - ENTRY;
    const isWhole = tag === region && type === BIN && size === ENTRY && start === trailer &&
      this.#number(trailer, 4) === region && this.#number(trailer + 4, 4) === BIN &&
      this.#number(trailer + 8, 4) === 2 ** 32 - count * ENTRY &&
      this.#number(trailer + 12, 4) === ENTRY;
    if (!isWhole) throw malformed("a header is not one region, all of which can be signed");
  }

  #entry(at: number, store: number): Entry {
    const tag = this.#number(at, 4);
    const type = this.#number(at + 4, 4);
    const start = store + this.#number(at + 8, 4);
    const count = this.#number(at + 12, 4);
    const form = TYPES[type];
    if (form === undefined || type === 0 || count === 0) {
      throw malformed(`tag ${tag} has ${count} values of the type ${type}`);
    }
    if (start > this.end || (start - store) % form.align !== 0) {
      throw malformed(`the values of tag ${tag} lie elsewhere`);
    }
    if (type === STRING && count !== 1) throw malformed(`tag ${tag} has several texts`);
    const end = form.size === 0 ? this.#endOfTexts(start, count) : start + form.size * count;
    if (end > this.end) throw malformed(`the values of tag ${tag} are cut off`);
    return { tag, type, count, start, end };
  }

  #endOfTexts(start: number, count: number): number {
    let at = start;
    for (let i = 0; i < count; i++) {
      const zero = this.#bytes.indexOf(0, at);
      if (zero < 0 || zero >= this.end) throw malformed("a text of a header does not end");
      at = zero + 1;
    }
    return at;
  }

  #number(at: number, octets: number): number {
    let value = 0;
    for (let i = 0; i < octets; i++) value = value * 256 + this.#bytes[at + i];
    return value;
  }
}

function wrongType(tag: number): AttestationError {
  return malformed(`tag ${tag} has another type of value`);
}

/** The refusal of what has not the structure of a package. */
export function malformed(what: string): AttestationError {
  return new AttestationError("malformed-envelope", `Cannot read RPM package: ${what}`);
}
