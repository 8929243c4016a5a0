import { AttestationError } from "../../errors.ts";
import { decodeHex, encodeHex } from "../../internal/hex.ts";
import { quote } from "../../internal/json.ts";
import { sha256 } from "../../internal/sha256.ts";
import { leafHash, nodeHash } from "../../sigstore/merkle.ts";
import { readSegment } from "./segment.ts";
import type { ReverifySource, Verdict } from "./source.ts";
import {
  type EntryVerdict,
  readVerdictFile,
  verdictFileName,
  type VerdictFiles,
} from "./verdict_file.ts";
import type { WorkList } from "./work.ts";

/** Failures that a summary names; the verdict files have them all. */
export const MAX_FAILURES = 10_000;

/** Verdict files summed up, of neighbouring segments. */
export interface VerdictSummary {
  /** Entries that were judged. */
  readonly entries: number;
  /** Those that passed. */
  readonly passed: number;
  /** Those that failed. */
  readonly failed: number;
  /** How many failed by each reason. */
  readonly reasons: Readonly<Record<string, number>>;
  /** The first ones that failed, at most {@linkcode MAX_FAILURES}. */
  readonly failures: readonly { readonly key: string; readonly reason: string }[];
  /** Hashes of the leaves of the Merkle tree: one for each verdict file. */
  readonly leaves: readonly string[];
}

/** The summary of nothing. */
export const NO_VERDICTS: VerdictSummary = Object.freeze({
  entries: 0,
  passed: 0,
  failed: 0,
  reasons: Object.freeze({}),
  failures: Object.freeze([]),
  leaves: Object.freeze([]),
});

/** The summary of one verdict file. */
export function summarizeFile(
  content: Uint8Array,
  verdicts: readonly EntryVerdict[],
): VerdictSummary {
  const reasons: Record<string, number> = {};
  const failures: { key: string; reason: string }[] = [];
  for (const { key, reason } of verdicts) {
    if (reason === null) continue;
    reasons[reason] = (reasons[reason] ?? 0) + 1;
    failures.push({ key, reason });
  }
  const failed = failures.length;
  return {
    entries: verdicts.length,
    passed: verdicts.length - failed,
    failed,
    reasons: sorted(reasons),
    failures: failures.slice(0, MAX_FAILURES),
    leaves: [encodeHex(leafHash(sha256(content)))],
  };
}

/**
 * The summary of two neighbours; `a` is before `b`. Associative: how the files are grouped, and
 * who sums them up, makes no difference.
 */
export function mergeSummaries(a: VerdictSummary, b: VerdictSummary): VerdictSummary {
  const reasons: Record<string, number> = { ...a.reasons };
  for (const [reason, count] of Object.entries(b.reasons)) {
    reasons[reason] = (reasons[reason] ?? 0) + count;
  }
  return {
    entries: a.entries + b.entries,
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    reasons: sorted(reasons),
    failures: [...a.failures, ...b.failures].slice(0, MAX_FAILURES),
    leaves: [...a.leaves, ...b.leaves],
  };
}

/** Root of the Merkle tree over the verdict files (RFC 9162, 2.1.1), lowercase hex. */
export function summaryRoot({ leaves }: VerdictSummary): string {
  if (leaves.length === 0) return encodeHex(sha256(new Uint8Array()));
  let level = leaves.map((hex) => decodeHex(hex));
  while (level.length > 1) {
    const above: typeof level = [];
    for (let i = 0; i < level.length; i += 2) {
      above.push(i + 1 < level.length ? nodeHash(level[i], level[i + 1]) : level[i]);
    }
    level = above;
  }
  return encodeHex(level[0]);
}

/** An entry whose verdict is another one now. */
export interface ChangedVerdict {
  /** Key of the entry. */
  readonly key: string;
  /** What was decided before. */
  readonly before: Verdict;
  /** What is decided now. */
  readonly after: Verdict;
}

/** What a run found. */
export interface ReverifyResult {
  /** The summary of all verdict files. */
  summary: VerdictSummary;
  /** Root of their tree, lowercase hex. */
  root: string;
  /** Entries that changed sides: passed before and not now, or the other way round. */
  changed: ChangedVerdict[];
  /** Entries that failed before and now, by another reason. */
  otherReason: number;
  /** Entries about which nothing was recorded. */
  unrecorded: number;
}

/**
 * Sums up the verdict files of a list that was worked on, and compares them with what was
 * recorded.
 *
 * @throws {AttestationError} `content-mismatch` if a file is missing or not of its list.
 */
export async function mergeWork(
  list: WorkList,
  source: ReverifySource,
  files: VerdictFiles,
): Promise<ReverifyResult> {
  const parts: VerdictSummary[] = [];
  const changed: ChangedVerdict[] = [];
  let otherReason = 0;
  let unrecorded = 0;
  for (const segment of list.segments) {
    const name = verdictFileName(segment, list.inputs);
    const content = await files.get(name);
    if (content === undefined) {
      throw new AttestationError("content-mismatch", `Cannot sum up: ${quote(name)} is not there`);
    }
    const verdicts = readVerdictFile(content, segment, list.inputs);
    parts.push(summarizeFile(content, verdicts));
    const byKey = new Map(verdicts.map((one) => [one.key, one]));
    for (const { key, recorded } of await readSegment(source, segment)) {
      const now = byKey.get(key);
      if (now === undefined) continue;
      if (recorded === undefined) unrecorded++;
      else if (recorded.ok !== now.ok) {
        const after = { ok: now.ok, reason: now.reason };
        changed.push({ key, before: { ok: recorded.ok, reason: recorded.reason }, after });
      } else if (recorded.reason !== now.reason) otherReason++;
    }
  }
  const summary = mergeAll(parts);
  return { summary, root: summaryRoot(summary), changed, otherReason, unrecorded };
}

/** In pairs, so that no list is copied once for each part. */
function mergeAll(parts: readonly VerdictSummary[]): VerdictSummary {
  let level = parts;
  while (level.length > 1) {
    const above: VerdictSummary[] = [];
    for (let i = 0; i < level.length; i += 2) {
      above.push(i + 1 < level.length ? mergeSummaries(level[i], level[i + 1]) : level[i]);
    }
    level = above;
  }
  return level[0] ?? NO_VERDICTS;
}

function sorted(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => a < b ? -1 : 1));
}
