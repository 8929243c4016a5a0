import type { Confidence } from "./format.ts";
import type { FormatInput } from "./format_input.ts";

const ARMOR = /(?:^|\n)[\t ]*-----BEGIN PGP (?:SIGNED MESSAGE|SIGNATURE|MESSAGE)-----/;
/** Algorithms of public keys that sign: RFC 9580, 9.1. */
const SIGNING: ReadonlySet<number> = new Set([1, 3, 17, 19, 22, 27, 28]);
const TYPES: ReadonlySet<number> = new Set([0x00, 0x01, 0x02]);

/**
 * How sure it is that a document is signed with OpenPGP: by its armor, wherever that begins,
 * as text before it has to be refused and not overlooked; else by its first packet.
 *
 * Source: RFC 9580, 4.2, 5.2, 5.4, 6.2 and 7.
 */
export function openPgpConfidence({ head, bytes }: FormatInput): Confidence {
  if (ARMOR.test(head)) return 3;
  const packet = firstPacket(bytes);
  if (packet === undefined) return 0;
  const { tag, body, length } = packet;
  const at = (index: number) => bytes[body + index];
  if (tag === 2) {
    const isSignature = (at(0) === 4 || at(0) === 6 || at(0) === 3 && at(1) === 5) &&
      length !== undefined && body + length <= bytes.length;
    const offset = at(0) === 3 ? 15 : 2;
    return isSignature && SIGNING.has(at(offset)) && at(offset + 1) >= 1 && at(offset + 1) <= 14 &&
        TYPES.has(at(offset === 15 ? 2 : 1))
      ? 2
      : 0;
  }
  if (tag === 4) {
    return (at(0) === 3 && length === 13 || at(0) === 6) && TYPES.has(at(1)) ? 2 : 0;
  }
  return tag === 8 && at(0) >= 1 && at(0) <= 3 ? 1 : 0;
}

/** A lead of RPM, which nothing else begins with. */
export function rpmConfidence(input: FormatInput): Confidence {
  return input.has("\xed\xab\xee\xdb") ? 3 : 0;
}

function firstPacket(
  bytes: Uint8Array,
): { tag: number; body: number; length?: number } | undefined {
  const [first, second] = bytes;
  if (bytes.length < 4 || (first & 0x80) === 0) return undefined;
  const number = (start: number, octets: number) =>
    bytes.subarray(start, start + octets).reduce((sum, octet) => sum * 256 + octet, 0);
  if ((first & 0x40) === 0) {
    const octets = [1, 2, 4, 0][first & 3];
    const tag = first >> 2 & 15;
    return octets === 0 ? { tag, body: 1 } : { tag, body: 1 + octets, length: number(1, octets) };
  }
  const tag = first & 63;
  if (second < 192) return { tag, body: 2, length: second };
  if (second < 224) return { tag, body: 3, length: (second - 192 << 8) + bytes[2] + 192 };
  return second === 255 ? { tag, body: 6, length: number(2, 4) } : { tag, body: 2 };
}
