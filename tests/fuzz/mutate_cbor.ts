/** Mutations of CBOR by its items; where the bytes are none they are changed as bytes. */

import { type Bytes, concat } from "../../internal/bytes.ts";
import { encodeCborBytes, encodeCborHead } from "../../internal/cbor.ts";
import { Major, readCborHead, scanCbor } from "../../internal/cbor_scan.ts";
import { mutateBytes } from "./mutate_bytes.ts";
import type { Random } from "./random.ts";

/** One item, and those in it. */
interface Item {
  start: number;
  end: number;
  /** Where its content begins. */
  content: number;
  major: number;
}

const EDGES = [
  [0xf6],
  [0xf7],
  [0x40],
  [0xa0],
  [0x80],
  [0x9f, 0xff],
  [0x18, 0x01],
  [0xc1, 0x00],
  [0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x61, 0xff],
  [0x26],
  [0x27],
].map((bytes) => Uint8Array.from(bytes));

/** One change to a document; `other` gives something to borrow from. */
export function mutateCbor(input: Bytes, random: Random, other: () => Bytes): Bytes {
  const items = itemsOf(input);
  if (items.length === 0) return mutateBytes(input, random, other);
  const one = random.pick(items);
  const own = input.subarray(one.start, one.end);
  const put = (bytes: Uint8Array) =>
    concat(input.subarray(0, one.start), bytes, input.subarray(one.end));
  switch (random.int(9)) {
    case 0:
      return put(new Uint8Array());
    case 1:
      return put(concat(own, own));
    case 2: {
      const theirs = other();
      const found = itemsOf(theirs);
      if (found.length === 0) return put(theirs);
      const { start, end } = random.pick(found);
      return put(theirs.subarray(start, end));
    }
    case 3: {
      const { start, end } = random.pick(items);
      return put(input.subarray(start, end));
    }
    case 4:
      return put(random.pick(EDGES));
    case 5:
      // The same with another tag.
      return put(concat(encodeCborHead(Major.tag, random.pick([1, 17, 18, 24, 98])), own));
    case 6: {
      // The same without a stated length, or with a longer number.
      const head = random.once(2)
        ? Uint8Array.of(one.major << 5 | 31)
        : Uint8Array.of(one.major << 5 | 25, 0, own[0] & 31);
      return put(concat(head, input.subarray(one.content, one.end)));
    }
    case 7: {
      if (one.major !== Major.bytes) return mutateBytes(input, random, other);
      // What is in a byte string may be CBOR once more.
      const inside = input.slice(one.content, one.end);
      return put(encodeCborBytes(mutateCbor(inside, random, other)));
    }
    default:
      return mutateBytes(input, random, other);
  }
}

/** Items from the outside in; none if it is no CBOR. */
function itemsOf(bytes: Uint8Array): Item[] {
  const found: Item[] = [];
  const walk = (start: number): number => {
    const { end } = scanCbor(bytes, start);
    const { major, argument, next } = readCborHead(bytes, start);
    found.push({ start, end, content: next, major });
    const count = major === Major.array
      ? argument
      : major === Major.map
      ? 2 * argument
      : major === Major.tag
      ? 1
      : 0;
    for (let i = 0, at = next; i < count && found.length < 200; i++) at = walk(at);
    return end;
  };
  try {
    walk(0);
  } catch {
    return found;
  }
  return found;
}
