import { AttestationError } from "../../errors.ts";
import { type Bytes, concat } from "../../internal/bytes.ts";

/** One packet with its body in one piece. */
export interface Packet {
  /** Its type. */
  readonly tag: number;
  /** What it holds. */
  readonly body: Bytes;
  /** Where it begins, header and all. */
  readonly start: number;
  /** Where the next one begins. */
  readonly end: number;
}

/** Packet types: RFC 9580, 5. */
export const Tag = {
  signature: 2,
  onePass: 4,
  secretKey: 5,
  publicKey: 6,
  secretSubkey: 7,
  compressed: 8,
  encrypted: 9,
  literal: 11,
  userId: 13,
  publicSubkey: 14,
  userAttribute: 17,
} as const;

/** Types whose length need not be known from the start. */
const STREAMED: ReadonlySet<number> = new Set([Tag.compressed, Tag.encrypted, Tag.literal]);
const FIRST_PART = 512;
const MAX_PARTS = 16_384;

/**
 * Splits bytes into packets without looking into them: every length lies within the bytes, and
 * nothing is left over. Only data may come in parts or up to the end of the bytes.
 *
 * Source: RFC 9580, 4.2.
 *
 * @throws {AttestationError} `malformed-envelope`, `limit-exceeded`.
 */
export function readPackets(bytes: Uint8Array, maxPackets: number): Packet[] {
  const packets: Packet[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (packets.length === maxPackets) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read OpenPGP: more than ${maxPackets} packets`,
      );
    }
    const packet = readPacket(bytes, at);
    packets.push(packet);
    at = packet.end;
  }
  return packets;
}

function readPacket(bytes: Uint8Array, start: number): Packet {
  const first = bytes[start];
  if ((first & 0x80) === 0) throw malformed(`byte ${start} begins no packet`);
  const isNew = (first & 0x40) !== 0;
  const tag = isNew ? first & 63 : first >> 2 & 15;
  if (tag === 0) throw malformed("a packet has the type 0, which is reserved");
  if (isNew) return readNew(bytes, tag, start);
  const octets = [1, 2, 4, 0][first & 3];
  if (octets === 0) {
    if (!STREAMED.has(tag)) throw malformed(`a packet of type ${tag} has no length`);
    return packetOf(bytes, tag, start, start + 1, bytes.length);
  }
  const body = start + 1 + octets;
  return packetOf(bytes, tag, start, body, body + number(bytes, start + 1, octets));
}

function readNew(bytes: Uint8Array, tag: number, start: number): Packet {
  let { body, end, isPart } = readLength(bytes, start + 1);
  if (!isPart) return packetOf(bytes, tag, start, body, end);
  if (!STREAMED.has(tag)) throw malformed(`a packet of type ${tag} comes in parts`);
  if (end - body < FIRST_PART) {
    throw malformed(`the first part of a packet has ${end - body} bytes, wanted ${FIRST_PART}`);
  }
  const parts: Uint8Array[] = [];
  while (true) {
    if (end > bytes.length) throw truncated(tag);
    parts.push(bytes.subarray(body, end));
    if (!isPart) break;
    if (parts.length === MAX_PARTS) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read OpenPGP: a packet of more than ${MAX_PARTS} parts`,
      );
    }
    ({ body, end, isPart } = readLength(bytes, end));
  }
  return { tag, body: concat(...parts), start, end };
}

function readLength(
  bytes: Uint8Array,
  at: number,
): { body: number; end: number; isPart: boolean } {
  const first = bytes[at];
  if (first === undefined) throw malformed("it ends in the header of a packet");
  if (first < 192) return { body: at + 1, end: at + 1 + first, isPart: false };
  if (first < 224) {
    const length = (first - 192 << 8) + number(bytes, at + 1, 1) + 192;
    return { body: at + 2, end: at + 2 + length, isPart: false };
  }
  if (first < 255) return { body: at + 1, end: at + 1 + 2 ** (first & 31), isPart: true };
  return { body: at + 5, end: at + 5 + number(bytes, at + 1, 4), isPart: false };
}

function packetOf(
  bytes: Uint8Array,
  tag: number,
  start: number,
  body: number,
  end: number,
): Packet {
  if (end > bytes.length) throw truncated(tag);
  return { tag, body: bytes.slice(body, end) as Bytes, start, end };
}

/** A packet with the length that every reader understands. */
export function encodePacket(tag: number, body: Uint8Array): Bytes {
  const header = new Uint8Array(6);
  header[0] = 0xc0 | tag;
  header[1] = 255;
  new DataView(header.buffer).setUint32(2, body.length);
  return concat(header, body);
}

/** A big-endian number; every octet of it has to be there. */
export function number(bytes: Uint8Array, start: number, octets: number): number {
  if (start + octets > bytes.length) throw malformed("it ends within a number");
  let value = 0;
  for (let i = 0; i < octets; i++) value = value * 256 + bytes[start + i];
  return value;
}

/** Reads a packet's body from its start to its end. */
export class PacketReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** How far it has come. */
  get offset(): number {
    return this.#at;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  number(octets: number): number {
    const value = number(this.#bytes, this.#at, octets);
    this.#at += octets;
    return value;
  }

  take(length: number): Bytes {
    if (length > this.left) throw malformed("a length leads behind the end of its packet");
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at) as Bytes;
  }

  /** A number of any length: RFC 9580, 3.2; with the count of bits that it has, and no other. */
  mpi(): Bytes {
    const bits = this.number(2);
    const value = this.take(Math.ceil(bits / 8));
    if (value.length > 0 && (value.length - 1) * 8 + 32 - Math.clz32(value[0]) !== bits) {
      throw malformed("a number has another length than it states");
    }
    return value;
  }
}

function truncated(tag: number): AttestationError {
  return malformed(`a packet of type ${tag} is longer than what is there`);
}

/** The refusal of what has not the structure of OpenPGP. */
export function malformed(what: string): AttestationError {
  return new AttestationError("malformed-envelope", `Cannot read OpenPGP: ${what}`);
}
