import type { DigestSet } from "../../intoto/digest_set.ts";

/** What a policy has decided. */
export interface Verdict {
  /** It passed. */
  readonly ok: boolean;
  /** Why not; null when `ok`. */
  readonly reason: string | null;
}

/** One thing that is judged: an artifact with all attestations that are stored for it. */
export interface ReverifyEntry {
  /** Name in the source: unique, and what the entries are ordered by, by code units. */
  readonly key: string;
  /** Name of the artifact, as policies select it. */
  readonly name: string;
  /** What the attestations must be about. */
  readonly digest: DigestSet;
  /** Ids of the attestations, `sha256:` and lowercase hex of their bytes, in order. */
  readonly attestations: readonly string[];
  /** What was decided when it was stored. */
  readonly recorded?: Verdict;
}

/** Everything that is stored, in one order. */
export interface ReverifySource {
  /**
   * Entries behind a key, in the order of their keys, at most so many; none at the end. Shows
   * the same until something is stored.
   *
   * @throws {AttestationError} `store-unavailable`.
   */
  list(after: string | undefined, limit: number): Promise<ReverifyEntry[]>;
  /**
   * The attestations of entries by their ids, byte for byte; also the artifacts by theirs, where
   * the source has them.
   *
   * @throws {AttestationError} `store-unavailable`; `content-mismatch` if one is not there.
   */
  load(entries: readonly ReverifyEntry[]): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>>;
}
