import { Major, readCborHead, scanCbor } from "../internal/cbor_scan.ts";
import type { Confidence } from "./format.ts";
import type { FormatInput } from "./format_input.ts";
import { NOTATION_TYPE } from "./notation_payload.ts";

/** Bytes of a document that are looked at; a chain of certificates may be long. */
const WINDOW = 1 << 20;
const LIMITS = { maxDepth: 16, maxItems: 2000 };

/** What tells one document of COSE_Sign1 from another. */
interface CoseMarks {
  /** Names in the protected header. */
  readonly signed: ReadonlySet<number>;
  /** Names in the header that nobody signed. */
  readonly unsigned: ReadonlySet<number>;
  /** Content type, if the protected header has one that is text. */
  readonly contentType?: string;
}

/** Header parameters: IANA, "COSE Header Parameters". */
const CONTENT_TYPE = 3, CWT_CLAIMS = 15, RECEIPTS = 394, VDS = 395, VDP = 396;

/** COSE_Sign1 with its tag, of whatever use: 2 where another format has a mark of its own. */
export function detectCose(input: FormatInput): Confidence {
  const marks = marksOf(input);
  if (marks === undefined) return 0;
  return isScitt(marks) || marks.contentType === NOTATION_TYPE ? 2 : 3;
}

/** Notation's signatures in COSE state their type. */
export function detectNotationCose(input: FormatInput): Confidence {
  const marks = marksOf(input);
  return marks?.contentType === NOTATION_TYPE && !isScitt(marks) ? 3 : 0;
}

/** Signed statements and receipts of SCITT. */
export function detectScitt(input: FormatInput): Confidence {
  const marks = marksOf(input);
  return marks !== undefined && isScitt(marks) ? 3 : 0;
}

/**
 * CWT claims about issuer and subject, a verifiable data structure, or receipts.
 *
 * Source: RFC 9597; draft-ietf-cose-merkle-tree-proofs, 2; draft-ietf-scitt-architecture, 6.
 */
function isScitt({ signed, unsigned }: CoseMarks): boolean {
  return signed.has(CWT_CLAIMS) || signed.has(VDS) || unsigned.has(RECEIPTS) || unsigned.has(VDP);
}

/** Reads no more than the names of the two headers; undefined if it is no COSE_Sign1. */
function marksOf({ bytes: whole, head }: FormatInput): CoseMarks | undefined {
  // Tag 18, and an array of four.
  if (!head.startsWith("\xd2\x84")) return undefined;
  const bytes = whole.subarray(0, WINDOW);
  try {
    const { major, argument, next } = readCborHead(bytes, 2);
    if (major !== Major.bytes || argument > bytes.length - next) return undefined;
    const header = bytes.subarray(next, next + argument);
    const unsigned = namesOf(bytes, next + argument);
    if (header.length === 0) return { signed: new Set(), unsigned: new Set(unsigned.keys()) };
    const signed = namesOf(header, 0);
    const at = signed.get(CONTENT_TYPE);
    const contentType = at === undefined ? undefined : textAt(header, at);
    return {
      signed: new Set(signed.keys()),
      unsigned: new Set(unsigned.keys()),
      ...(contentType === undefined ? {} : { contentType }),
    };
  } catch {
    // Its own reader says what is wrong.
    return { signed: new Set(), unsigned: new Set() };
  }
}

/** Names of a map that are numbers, and where their values are. */
function namesOf(bytes: Uint8Array, start: number): Map<number, number> {
  const { major, argument, next } = readCborHead(bytes, start);
  const names = new Map<number, number>();
  if (major !== Major.map) return names;
  let at = next;
  for (let i = 0; i < argument; i++) {
    const name = readCborHead(bytes, at);
    at = scanCbor(bytes, at, LIMITS).end;
    if (name.major === Major.unsigned) names.set(name.argument, at);
    at = scanCbor(bytes, at, LIMITS).end;
  }
  return names;
}

function textAt(bytes: Uint8Array, at: number): string | undefined {
  const { major, argument, next } = readCborHead(bytes, at);
  if (major !== Major.text) return undefined;
  return new TextDecoder().decode(bytes.subarray(next, next + argument));
}
