import { limitOption, refuseUnknown } from "../internal/options.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import { keyText, wantedKeys } from "./claims.ts";
import type { AttestationSource, FindOptions, StoredAttestation, StoreNote } from "./store.ts";

/** Bounds of {@linkcode createCache}. */
export interface CacheOptions {
  /** Answers that are kept; the one that was asked for longest ago goes first. Default 1000. */
  maxEntries?: number;
  /** Bytes of all attestations that are kept. Default 64 MiB. */
  maxTotalBytes?: number;
  /** Milliseconds for which an answer counts. Default 300 000, five minutes. */
  maxAgeMs?: number;
  /**
   * Milliseconds for which "there is none" counts. Default 0: it is asked again each time, so
   * that what was just attested is found.
   */
  maxAbsenceMs?: number;
  /** The clock. Default: the system's. */
  now?: () => Date;
}

/** A source that remembers answers. */
export interface CachedSource extends AttestationSource {
  /** Forgets the answers about a subject, or all of them: after a put or a removal. */
  forget(subject?: DigestSet): void;
}

interface Entry {
  found: readonly StoredAttestation[];
  bytes: number;
  /** Milliseconds since 1970. */
  until: number;
  /** The digests that were asked for. */
  keys: ReadonlySet<string>;
}

/**
 * Remembers what a source answered, for a while and within bounds. Failures are never kept,
 * and the same question at the same time is asked once.
 *
 * Verify what comes out of it, always: an answer is remembered, a verdict is not.
 *
 * @throws {TypeError} For an option that there is not.
 * @throws {RangeError} If a bound is no integer >= 1 (`maxAbsenceMs`: >= 0).
 *
 * @example
 * ```ts
 * import { createCache, createMemoryStore } from "@x/attest/store";
 * import assert from "node:assert/strict";
 *
 * const store = createMemoryStore();
 * const cached = createCache(store, { maxAgeMs: 60_000, maxAbsenceMs: 1000 });
 * assert.equal(await cached.find({ sha256: "a".repeat(64) }), undefined);
 * ```
 */
export function createCache(source: AttestationSource, options: CacheOptions = {}): CachedSource {
  refuseUnknown(
    options,
    ["maxEntries", "maxTotalBytes", "maxAgeMs", "maxAbsenceMs", "now"],
    "createCache()",
  );
  return new Cache(source, options);
}

/** One question that is under way, for all who ask it meanwhile. */
interface Question {
  readonly answer: Promise<StoredAttestation[] | undefined>;
  readonly stop: AbortController;
  readonly notes: Set<(note: StoreNote) => void>;
  waiting: number;
}

class Cache implements CachedSource {
  readonly name: string;
  readonly #source: AttestationSource;
  readonly #maxEntries: number;
  readonly #maxTotalBytes: number;
  readonly #maxAgeMs: number;
  readonly #maxAbsenceMs: number;
  readonly #now: () => Date;
  /** In the order in which they were last asked for. */
  readonly #entries = new Map<string, Entry>();
  readonly #underWay = new Map<string, Question>();
  #bytes = 0;
  /** Changes with every `forget()`: what was asked before one is not kept after it. */
  #epoch = 0;

  constructor(source: AttestationSource, options: CacheOptions) {
    const { maxAbsenceMs = 0 } = options;
    this.name = source.name;
    this.#source = source;
    this.#maxEntries = limitOption("maxEntries", options.maxEntries, 1000);
    this.#maxTotalBytes = limitOption("maxTotalBytes", options.maxTotalBytes, 64 << 20);
    this.#maxAgeMs = limitOption("maxAgeMs", options.maxAgeMs, 300_000);
    this.#maxAbsenceMs = maxAbsenceMs === 0 ? 0 : limitOption("maxAbsenceMs", maxAbsenceMs, 1);
    this.#now = options.now ?? (() => new Date());
  }

  async find(
    subject: DigestSet,
    { signal, onNote, ...hints }: FindOptions = {},
  ): Promise<StoredAttestation[] | undefined> {
    const keys = wantedKeys(subject).map(keyText);
    signal?.throwIfAborted();
    const question = JSON.stringify([keys.toSorted(), hints.name]);
    const kept = this.#kept(question);
    if (kept !== undefined) return copyOf(kept);
    let asked = this.#underWay.get(question);
    if (asked === undefined) {
      const stop = new AbortController();
      const notes: Question["notes"] = new Set();
      const onAnyNote = (note: StoreNote) => notes.forEach((tell) => tell(note));
      const answer = this.#ask(
        question,
        keys,
        () => this.#source.find(subject, { ...hints, signal: stop.signal, onNote: onAnyNote }),
      );
      asked = { answer, stop, notes, waiting: 0 };
      this.#underWay.set(question, asked);
      const over = () => {
        if (this.#underWay.get(question)?.answer === answer) this.#underWay.delete(question);
      };
      answer.then(over, over);
    }
    const { answer, notes, stop } = asked;
    const tell = (note: StoreNote) => onNote?.(note);
    notes.add(tell);
    asked.waiting++;
    try {
      return copyOf(await unlessAborted(answer, signal));
    } finally {
      notes.delete(tell);
      // Nobody waits for it any more.
      if (--asked.waiting === 0) {
        if (this.#underWay.get(question) === asked) this.#underWay.delete(question);
        stop.abort();
      }
    }
  }

  forget(subject?: DigestSet): void {
    this.#epoch++;
    this.#underWay.clear();
    const keys = subject === undefined ? undefined : wantedKeys(subject).map(keyText);
    for (const [question, entry] of this.#entries) {
      if (keys === undefined || keys.some((key) => entry.keys.has(key))) this.#drop(question);
    }
  }

  #kept(question: string): Entry["found"] | undefined {
    const entry = this.#entries.get(question);
    if (entry === undefined) return undefined;
    this.#entries.delete(question);
    const left = entry.until - this.#now().getTime();
    // A clock that was set back must not make an answer count for longer.
    if (left > 0 && left <= this.#lifeOf(entry.found)) {
      this.#entries.set(question, entry);
      return entry.found;
    }
    this.#bytes -= entry.bytes;
    return undefined;
  }

  async #ask(
    question: string,
    keys: readonly string[],
    find: () => Promise<StoredAttestation[] | undefined>,
  ): Promise<StoredAttestation[] | undefined> {
    const epoch = this.#epoch;
    const found = await find();
    if (epoch === this.#epoch) this.#keep(question, new Set(keys), copyOf(found ?? []) ?? []);
    return found;
  }

  #lifeOf(found: Entry["found"]): number {
    return found.length === 0 ? this.#maxAbsenceMs : this.#maxAgeMs;
  }

  #keep(question: string, keys: ReadonlySet<string>, found: Entry["found"]): void {
    const life = this.#lifeOf(found);
    const bytes = found.reduce((sum, { content }) => sum + content.length, 0);
    if (life === 0 || bytes > this.#maxTotalBytes) return;
    this.#drop(question);
    this.#entries.set(question, { found, bytes, until: this.#now().getTime() + life, keys });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxTotalBytes) break;
      this.#drop(oldest);
    }
  }

  #drop(question: string): void {
    const entry = this.#entries.get(question);
    if (entry === undefined) return;
    this.#entries.delete(question);
    this.#bytes -= entry.bytes;
  }
}

/** What callers get is theirs: what they write into it is not remembered. */
function copyOf(found: readonly StoredAttestation[] | undefined): StoredAttestation[] | undefined {
  if (found === undefined || found.length === 0) return undefined;
  return found.map((one) => ({ ...one, content: new Uint8Array(one.content) }));
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener("abort", stop));
}
