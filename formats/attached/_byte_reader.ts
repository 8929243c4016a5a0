import { AttestationError } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";

/** Reads little-endian numbers and parts with their length in front, and never beyond the end. */
export class ByteReader {
  readonly #bytes: Bytes;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether there is more. */
  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  /** A number of 32 bits. */
  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** A number of 64 bits that is a length: larger ones than the bytes are refused. */
  length64(): number {
    const value = this.#view.getBigUint64(this.#advance(8), true);
    if (value > BigInt(this.#bytes.length)) throw malformedBlock("a length leads out of it");
    return Number(value);
  }

  /** So many bytes. */
  take(count: number): Bytes {
    const start = this.#advance(count);
    return this.#bytes.subarray(start, start + count);
  }

  /** Bytes with their length in 32 bits in front. */
  part(): Bytes {
    return this.take(this.u32());
  }

  /** What is left. */
  rest(): Bytes {
    return this.take(this.#bytes.length - this.#at);
  }

  /** Parts up to the end, each with its length in front. */
  parts(maxCount: number, what: string): Bytes[] {
    const found: Bytes[] = [];
    while (this.hasMore) {
      if (found.length === maxCount) throw malformedBlock(`more than ${maxCount} ${what}`);
      found.push(this.part());
    }
    return found;
  }

  /** Refuses what was not read. */
  end(what: string): void {
    if (this.hasMore) throw malformedBlock(`bytes behind ${what}`);
  }

  #advance(count: number): number {
    const start = this.#at;
    if (count > this.#bytes.length - start) throw malformedBlock("a length leads out of it");
    this.#at += count;
    return start;
  }
}

/** Why a signing block is refused. */
export function malformedBlock(what: string): AttestationError {
  return new AttestationError(
    "malformed-signing-block",
    `Cannot read APK signing block: ${what}`,
  );
}
