import { AttestationError } from "../../errors.ts";
import { digest as digestOf } from "../../internal/digest.ts";
import { encodeHex } from "../../internal/hex.ts";
import { quote } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { mapWindow } from "../../internal/window.ts";
import type { CompiledPolicy } from "../../policy/compiled.ts";
import { verify } from "../../verify/verify.ts";
import { entryDigest, readSegment, type Segment, segmentDigest } from "./segment.ts";
import type { ReverifyEntry, ReverifySource, Verdict } from "./source.ts";
import {
  encodeVerdictFile,
  type EntryVerdict,
  type ReverifyInputs,
  verdictFileName,
  type VerdictFiles,
} from "./verdict_file.ts";

/** What is known of an entry, byte for byte. */
export interface EntryContent {
  /** Its attestations; `source` is the id of each. */
  readonly attestations: readonly { source: string; content: Uint8Array<ArrayBuffer> }[];
  /** The artifact itself, where the source has it. */
  readonly artifact?: Uint8Array<ArrayBuffer>;
}

/** Decides about an entry. The same entry gets the same verdict, whoever decides. */
export type Judge = (entry: ReverifyEntry, content: EntryContent) => Promise<Verdict>;

/** Decides by a policy at a moment. */
export function policyJudge(policy: CompiledPolicy, now: Date): Judge {
  return async ({ name, digest }, { attestations }) => {
    const { ok, errorReason } = await verify([...attestations], { name, digest }, { policy, now });
    return { ok, reason: errorReason };
  };
}

/** What judging a segment needs. */
export interface SegmentWork {
  /** Where the entries are. */
  source: ReverifySource;
  /** Where the verdicts go. */
  files: VerdictFiles;
  /** What they depend on. */
  inputs: ReverifyInputs;
  /** Decides. */
  judge: Judge;
  /** Entries judged at the same time. Default 64. */
  concurrency?: number;
  /** Verdicts with the same inputs that are known already, by the digest of the entry. */
  known?: (segment: Segment) => Promise<ReadonlyMap<string, EntryVerdict>>;
  /** Stops the work. */
  signal?: AbortSignal;
  /** Called with each entry that was judged, not for those that were known. */
  onJudged?: () => void;
}

/** Names of the members of {@linkcode SegmentWork}. */
export const SEGMENT_WORK: readonly string[] = [
  "source",
  "files",
  "inputs",
  "judge",
  "concurrency",
  "known",
  "signal",
  "onJudged",
];

/** Entries whose attestations are in memory at the same time. */
const BATCH = 250;

/**
 * Judges a segment and keeps its verdict file, unless there is one.
 *
 * @returns Name of the file.
 * @throws {AttestationError} `content-mismatch` if the segment is not what was planned any more;
 * `store-unavailable`.
 */
export async function judgeSegment(segment: Segment, work: SegmentWork): Promise<string> {
  refuseUnknown(work, SEGMENT_WORK, "judgeSegment()");
  const { source, files, inputs, judge, concurrency = 64, signal } = work;
  const name = verdictFileName(segment, inputs);
  if (await files.has(name)) return name;
  const entries = await readSegment(source, segment);
  if (segmentDigest(entries) !== segment.digest) {
    throw new AttestationError(
      "content-mismatch",
      `Cannot judge the segment up to ${quote(segment.last)}: it changed since it was planned; ` +
        "run again",
    );
  }
  const known = await work.known?.(segment);
  const verdicts: EntryVerdict[] = [];
  for (let start = 0; start < entries.length; start += BATCH) {
    signal?.throwIfAborted();
    const batch = entries.slice(start, start + BATCH);
    const digests = batch.map(entryDigest);
    const unknown = batch.filter((_, i) => known?.get(digests[i]) === undefined);
    const contents = unknown.length === 0 ? new Map() : await source.load(unknown);
    verdicts.push(
      ...await mapWindow(batch, concurrency, async (entry, i): Promise<EntryVerdict> => {
        const { key } = entry;
        const before = known?.get(digests[i]);
        if (before !== undefined) return before;
        const attestations = await Promise.all(
          entry.attestations.map((id) => contentOf(id, contents)),
        );
        const own = `sha256:${entry.digest.sha256}`;
        const artifact = contents.has(own) ? (await contentOf(own, contents)).content : undefined;
        const { ok, reason } = await judge(entry, {
          attestations,
          ...(artifact === undefined ? {} : { artifact }),
        });
        work.onJudged?.();
        return { key, entry: digests[i], ok, reason };
      }),
    );
  }
  signal?.throwIfAborted();
  await files.create(name, encodeVerdictFile(segment, inputs, verdicts));
  return name;
}

/** The attestation with an id: other bytes would be judged under its name. */
async function contentOf(id: string, contents: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) {
  const content = contents.get(id);
  const found = content === undefined
    ? "it is not there"
    : `sha256:${encodeHex(await digestOf("SHA-256", content))}` === id
    ? undefined
    : "its bytes are others";
  if (content !== undefined && found === undefined) return { source: id, content };
  throw new AttestationError("content-mismatch", `Cannot judge attestation ${quote(id)}: ${found}`);
}
