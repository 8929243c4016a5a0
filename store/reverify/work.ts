import { timer } from "../../internal/timer.ts";
import { encodeHex } from "../../internal/hex.ts";
import { canonicalJson, copyJson } from "../../internal/json.ts";
import { utf8 } from "../../internal/bytes.ts";
import { sha256 } from "../../internal/sha256.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { judgeSegment, SEGMENT_WORK, type SegmentWork } from "./judge.ts";
import type { Leases } from "./leases.ts";
import { planSegments, type Segment } from "./segment.ts";
import type { ReverifySource } from "./source.ts";
import {
  type EntryVerdict,
  inputsDigest,
  readVerdictFile,
  type ReverifyInputs,
  verdictFileName,
  type VerdictFiles,
} from "./verdict_file.ts";

/** All that is to be judged in one run. */
export interface WorkList {
  /** What the verdicts depend on. */
  readonly inputs: ReverifyInputs;
  /** Segments, in the order of their keys. */
  readonly segments: readonly Segment[];
}

/** Plans a run over everything in a source. */
export async function planWork(
  source: ReverifySource,
  inputs: ReverifyInputs,
  maxAttestations?: number,
): Promise<WorkList> {
  const segments: Segment[] = [];
  for await (const segment of planSegments(source, maxAttestations)) segments.push(segment);
  return { inputs, segments };
}

/** SHA-256 of a work list, lowercase hex: two lists with the same one have the same result. */
export function workListDigest(list: WorkList): string {
  return encodeHex(sha256(utf8(canonicalJson(copyJson(list)))));
}

/** What one worker needs. */
export interface WorkerOptions extends SegmentWork {
  /** Who does what. */
  leases: Leases;
  /** Name of this worker; no other has it. */
  owner: string;
  /** Milliseconds after which the work of a worker that has gone is taken over. Default 60 000. */
  leaseMs?: number;
  /** The clock. Default: the system's. */
  now?: () => number;
  /** Waits while others work. Default: a timer. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Milliseconds between two looks at what others do. */
const POLL_MS = 250;

/**
 * Works on a list until all of it is judged, by this worker or another. Any number of workers
 * may do so at the same time, and each may end at any moment: what is missing is done by those
 * that are left.
 */
export async function runWorker(list: WorkList, options: WorkerOptions): Promise<void> {
  refuseUnknown(
    options,
    [...SEGMENT_WORK, "leases", "owner", "leaseMs", "now", "sleep"],
    "runWorker()",
  );
  const { leases, owner, leaseMs = 60_000, now = Date.now, sleep = timer, ...work } = options;
  const { signal, files } = work;
  let open = list.segments;
  while (open.length > 0) {
    const left: Segment[] = [];
    let done = 0;
    for (const segment of open) {
      signal?.throwIfAborted();
      const name = verdictFileName(segment, list.inputs);
      if (await files.has(name)) {
        done++;
        continue;
      }
      if (!await leases.take({ name, owner, now: now(), ttlMs: leaseMs })) {
        left.push(segment);
        continue;
      }
      try {
        await judgeSegment(segment, work);
        done++;
      } finally {
        await leases.release(name, owner);
      }
    }
    open = left;
    if (open.length > 0 && done === 0) await sleep(POLL_MS, signal);
  }
}

/**
 * Verdicts of an earlier run, for segments that are not the same any more. A run with other
 * inputs tells nothing.
 *
 * @returns For `known` of a worker.
 */
export function knownVerdicts(
  earlier: WorkList,
  inputs: ReverifyInputs,
  files: VerdictFiles,
): (segment: Segment) => Promise<ReadonlyMap<string, EntryVerdict>> {
  const isOfSame = inputsDigest(earlier.inputs) === inputsDigest(inputs);
  return async ({ after, last }) => {
    const found = new Map<string, EntryVerdict>();
    if (!isOfSame) return found;
    for (const segment of earlier.segments) {
      const isBefore = after !== null && segment.last <= after;
      if (isBefore || (segment.after !== null && segment.after >= last)) continue;
      const content = await files.get(verdictFileName(segment, earlier.inputs));
      if (content === undefined) continue;
      for (const one of readVerdictFile(content, segment, earlier.inputs)) {
        found.set(one.entry, one);
      }
    }
    return found;
  };
}
