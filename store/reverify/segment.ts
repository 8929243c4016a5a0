import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { canonicalJson, copyJson } from "../../internal/json.ts";
import { sha256 } from "../../internal/sha256.ts";
import type { ReverifyEntry, ReverifySource } from "./source.ts";

/** Most attestations of one segment. */
export const SEGMENT_ATTESTATIONS = 10_000;
/** Entries that are asked for at once. */
const PAGE = 1000;

/** A run of neighbouring entries: what one worker takes at a time. */
export interface Segment {
  /** Key of the entry before its first one; null at the beginning. */
  readonly after: string | null;
  /** Key of its last entry. */
  readonly last: string;
  /** Entries in it. */
  readonly entries: number;
  /** Attestations in it. */
  readonly attestations: number;
  /** SHA-256 of what is in it: a line of canonical JSON for each entry; lowercase hex. */
  readonly digest: string;
}

/** What identifies the content of an entry, and nothing else. */
export function entryLine({ key, name, digest, attestations }: ReverifyEntry): string {
  return canonicalJson(copyJson([key, name, digest, attestations]));
}

/** SHA-256 of an entry, lowercase hex. */
export function entryDigest(entry: ReverifyEntry): string {
  return encodeHex(sha256(utf8(entryLine(entry))));
}

/** SHA-256 of entries in their order, lowercase hex. */
export function segmentDigest(entries: readonly ReverifyEntry[]): string {
  return encodeHex(sha256(utf8(entries.map((one) => `${entryLine(one)}\n`).join(""))));
}

/**
 * Cuts a source into segments: each is full before the next one begins, so that what is added
 * at the end changes the last one only.
 *
 * @param maxAttestations Attestations of one segment; an entry with more is one by itself.
 */
export async function* planSegments(
  source: ReverifySource,
  maxAttestations: number = SEGMENT_ATTESTATIONS,
): AsyncGenerator<Segment> {
  let after: string | undefined;
  let from: string | null = null;
  let open: ReverifyEntry[] = [];
  let attestations = 0;
  const close = (): Segment => {
    const last = open[open.length - 1].key;
    const entries = open.length;
    const segment = { after: from, last, entries, attestations, digest: segmentDigest(open) };
    [from, open, attestations] = [last, [], 0];
    return segment;
  };
  for (;;) {
    const page = await source.list(after, PAGE);
    for (const entry of page) {
      if (after !== undefined && entry.key <= after) {
        throw new TypeError("A source gives its entries in the order of their keys");
      }
      after = entry.key;
      const count = Math.max(1, entry.attestations.length);
      if (open.length > 0 && attestations + count > maxAttestations) yield close();
      open.push(entry);
      attestations += count;
    }
    if (page.length === 0) break;
  }
  if (open.length > 0) yield close();
}

/** The entries of a segment. */
export async function readSegment(
  source: ReverifySource,
  { after, last }: Segment,
): Promise<ReverifyEntry[]> {
  const entries: ReverifyEntry[] = [];
  let from = after ?? undefined;
  for (;;) {
    const page = await source.list(from, PAGE);
    const inside = page.filter(({ key }) => key <= last);
    entries.push(...inside);
    if (page.length === 0 || inside.length < page.length) return entries;
    from = page[page.length - 1].key;
  }
}
