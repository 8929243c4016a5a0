import { decode, Tagged } from "cborg";
import { AttestationError } from "../errors.ts";
import { type Bytes, concat } from "./bytes.ts";
import { type CborLimits, Major, malformedCbor, scanCbor } from "./cbor_scan.ts";
import { printable } from "./json.ts";

/** A value with its tag. */
export const CborTag: typeof Tagged = Tagged;
/** A value with its tag. */
export type CborTag = Tagged;

/** A CBOR value as it is read here. */
export type Cbor =
  | null
  | boolean
  | number
  | bigint
  | string
  | Bytes
  | Cbor[]
  | CborMap
  | CborTag;

/** A name in a map. */
export type CborName = number | bigint | string;

/** A map, in the order of the document. */
export type CborMap = Map<CborName, Cbor>;

/** Bounds of {@linkcode decodeCbor}. */
export interface CborSourceLimits extends CborLimits {
  /** Bytes of the document. Default 32 Mi. */
  maxBytes?: number;
}

/**
 * Strict CBOR: one item and nothing behind it, definite lengths, shortest integers, text in
 * UTF-8, no name twice in a map, no `undefined`. Tags of all numbers are kept.
 *
 * The bytes are walked over before the library sees them: it has no bounds, replaces what is
 * no UTF-8, drops a byte order mark, and takes names of any kind.
 *
 * Source: RFC 8949, 3, 4.2.1 and 5.6.
 *
 * @throws {AttestationError} `malformed-cbor`, `limit-exceeded`, `invalid-unicode`.
 */
export function decodeCbor(bytes: Uint8Array, limits: CborSourceLimits = {}): Cbor {
  const { maxBytes = 32 << 20 } = limits;
  if (bytes.length > maxBytes) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read CBOR: ${bytes.length} bytes, at most ${maxBytes} are accepted`,
    );
  }
  const { end, tags } = scanCbor(bytes, 0, limits);
  if (end !== bytes.length) throw malformedCbor(`${bytes.length - end} bytes follow it`, end);
  try {
    return decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      useMaps: true,
      rejectDuplicateMapKeys: true,
      tags: Tagged.preserve(...tags),
    });
  } catch (cause) {
    const what = cause instanceof Error ? cause.message.replace(/^CBOR decode error: */, "") : "";
    throw malformedCbor(printable(what) || "it is not well-formed");
  }
}

/** A byte string as CBOR has it. */
export function encodeCborBytes(bytes: Uint8Array): Bytes {
  return concat(encodeCborHead(Major.bytes, bytes.length), bytes);
}

/** The head of an item, in its shortest form. */
export function encodeCborHead(major: number, argument: number): Bytes {
  const size = argument < 24
    ? 0
    : argument < 0x100
    ? 1
    : argument < 0x10000
    ? 2
    : argument < 2 ** 32
    ? 4
    : 8;
  const head = new Uint8Array(1 + size);
  head[0] = major << 5 | (size === 0 ? argument : 24 + Math.log2(size));
  let rest = argument;
  for (let i = size; i > 0; i--) {
    head[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return head;
}
