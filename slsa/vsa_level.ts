/** A level of one track, as a VSA names it. */
export interface TrackLevel {
  /** Track, such as `BUILD`. */
  track: string;
  /** Its level; null if the track was not evaluated. */
  level: number | null;
}

const LEVEL = /^SLSA_([A-Z]{1,64})_LEVEL_(0|[1-9]\d{0,3}|UNEVALUATED)$/;

/** Properties beside levels that SLSA itself defines. */
const PROPERTIES: ReadonlySet<string> = new Set([
  "SLSA_BUILD_REPRODUCED",
  "SLSA_SOURCE_TWO_PARTY_REVIEWED",
]);

/**
 * Level of a track that a word of a VSA stands for, or undefined for any other word.
 *
 * Source: SLSA 1.2, verification_summary.md, "SlsaResult".
 *
 * @example
 * ```ts
 * import { parseTrackLevel } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseTrackLevel("SLSA_BUILD_LEVEL_3"), { track: "BUILD", level: 3 });
 * assert.deepEqual(parseTrackLevel("SLSA_SOURCE_LEVEL_UNEVALUATED"), {
 *   track: "SOURCE",
 *   level: null,
 * });
 * assert.equal(parseTrackLevel("ORG_REVIEWED"), undefined);
 * ```
 */
export function parseTrackLevel(word: string): TrackLevel | undefined {
  const match = LEVEL.exec(word);
  if (match === null) return undefined;
  return { track: match[1], level: match[2] === "UNEVALUATED" ? null : Number(match[2]) };
}

/** Tells whether a word is one that a producer may write: no other word starts with `SLSA_`. */
export function isSlsaResult(word: string): boolean {
  return !word.startsWith("SLSA_") || PROPERTIES.has(word) || parseTrackLevel(word) !== undefined;
}

/** Tracks that have more than one level among the words. */
export function repeatedTracks(words: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const word of words) {
    const found = parseTrackLevel(word);
    if (found === undefined) continue;
    if (seen.has(found.track)) repeated.add(found.track);
    seen.add(found.track);
  }
  return repeated;
}

/**
 * The words with one level per track, the highest; a level beats a track that was not
 * evaluated. Words that are no level are kept, each once.
 */
export function highestPerTrack(words: readonly string[]): string[] {
  const best = new Map<string, number>();
  for (const word of words) {
    const found = parseTrackLevel(word);
    if (found === undefined) continue;
    best.set(found.track, Math.max(best.get(found.track) ?? -1, found.level ?? -1));
  }
  return [...new Set(words)].filter((word) => {
    const found = parseTrackLevel(word);
    return found === undefined || (found.level ?? -1) === best.get(found.track);
  });
}
