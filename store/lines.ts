import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import { type Bytes, concat, utf8 } from "../internal/bytes.ts";
import { decodeUtf8, quote } from "../internal/json.ts";
import { limitOption, refuseUnknown } from "../internal/options.ts";
import {
  appendUnderLock,
  type DiskFiles,
  LOCK_TIMES,
  temporaryName,
  withLock,
} from "../internal/write_files.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import { guardDisk } from "./_guard.ts";
import {
  CLAIM_LIMITS,
  type Claims,
  contentId,
  copyContent,
  hexOfId,
  keyText,
  readClaims,
  states,
  subjectKeys,
  wantedKeys,
} from "./claims.ts";
import type {
  PrunableStore,
  PutResult,
  StoredAttestation,
  StoreEntry,
  StoreOptions,
} from "./store.ts";

/** Options of a store in a file of lines. */
export interface LinesStoreOptions {
  /** What it is called in reports. Default: the file. */
  name?: string;
  /** Bytes of one attestation. Default 24 MiB. */
  maxBytes?: number;
  /** Subjects of one attestation. Default 10 000. */
  maxSubjects?: number;
  /** Bytes of the whole file. Default 4 GiB to read; what is removed from it fits in memory. */
  maxFileBytes?: number;
  /** Attestations in the file. Default 100 000. */
  maxEntries?: number;
  /**
   * Milliseconds after which a lock that nobody touched counts as left behind by a process that
   * ended. Default 8000.
   */
  staleLockMs?: number;
}

/** Names of {@linkcode LinesStoreOptions}. */
export const LINES_OPTIONS: readonly string[] = [
  "name",
  "maxBytes",
  "maxSubjects",
  "maxFileBytes",
  "maxEntries",
  "staleLockMs",
];

interface Line {
  id: string;
  /** Bytes of the file before it. */
  start: number;
  length: number;
  /** From 1. */
  number: number;
  claims: Claims;
}

const NEWLINE = 10;
const RETURN = 13;
const BLANK: ReadonlySet<number> = new Set([32, 9, RETURN]);
const BRACE = 0x7b;
const CHUNK_BYTES = 1 << 20;
const PUBLIC = 0o666;

/**
 * A file with one attestation a line, `NAME.intoto.jsonl`: an in-toto bundle. A put adds a
 * line at the end, under a lock, and brings it to the disk. What is no attestation, as lines
 * of a kind that is not known, is counted, left out, and stays in the file.
 *
 * An attestation with line breaks is kept without them; its id is that of the line.
 *
 * Source: in-toto attestation v1, bundle.md.
 */
export class LinesStore implements PrunableStore {
  readonly name: string;
  readonly #path: string;
  readonly #files: DiskFiles;
  readonly #limits: typeof CLAIM_LIMITS;
  readonly #maxFileBytes: number;
  readonly #maxEntries: number;
  readonly #staleLockMs: number;
  #index: LinesIndex | undefined;
  #reading: Promise<LinesIndex> | undefined;

  constructor(path: string, files: DiskFiles, options: LinesStoreOptions = {}) {
    refuseUnknown(options, LINES_OPTIONS, "a store in a file of lines");
    if (path === "") throw new TypeError("A store in a file needs its path");
    this.#path = path;
    this.#files = files;
    this.name = options.name ?? path;
    this.#limits = {
      maxBytes: limitOption("maxBytes", options.maxBytes, CLAIM_LIMITS.maxBytes),
      maxSubjects: limitOption("maxSubjects", options.maxSubjects, CLAIM_LIMITS.maxSubjects),
    };
    this.#maxFileBytes = limitOption("maxFileBytes", options.maxFileBytes, 2 ** 32);
    this.#maxEntries = limitOption("maxEntries", options.maxEntries, 100_000);
    this.#staleLockMs = limitOption("staleLockMs", options.staleLockMs, LOCK_TIMES.staleMs);
  }

  async put(given: Uint8Array, { signal }: StoreOptions = {}): Promise<PutResult> {
    signal?.throwIfAborted();
    const content = copyContent(given);
    await readClaims(content, this.#limits);
    const line = oneLine(content);
    const id = await contentId(utf8(line));
    return await this.#guard("put into", signal, () =>
      this.#locked(async () => {
        signal?.throwIfAborted();
        const isNew = await this.#files.entry(this.#path) === undefined;
        const index = isNew ? undefined : await this.#read();
        const known = index?.byId.get(id);
        if (known !== undefined) return { id, created: false, source: this.#sourceOf(known) };
        if ((index?.byId.size ?? 0) >= this.#maxEntries) throw this.#tooMany();
        const size = index?.end ?? 0;
        if (size + line.length > this.#maxFileBytes) throw this.#tooLarge(size);
        await appendUnderLock(this.#files, this.#path, line);
        if (isNew) await this.#files.syncFolder(folderOf(this.#path));
        const number = (index?.lines ?? 0) + (index?.isOpen ? 2 : 1);
        return { id, created: true, source: this.#sourceOf({ number }) };
      }));
  }

  async find(
    subject: DigestSet,
    { signal, onNote }: StoreOptions = {},
  ): Promise<StoredAttestation[] | undefined> {
    const wanted = wantedKeys(subject);
    signal?.throwIfAborted();
    return await this.#guard("search", signal, async () => {
      for (let attempt = 0;; attempt++) {
        const index = await this.#read();
        const lines = new Set(wanted.flatMap((key) => index.byKey.get(keyText(key)) ?? []));
        const found: StoredAttestation[] = [];
        let changed = false;
        for (const line of lines) {
          signal?.throwIfAborted();
          if (!states(line.claims, wanted)) continue;
          const content = await this.#files.readPart(this.#path, line.start, line.length);
          if (await contentId(content) !== line.id) changed = true;
          else found.push({ id: line.id, content, source: this.#sourceOf(line) });
        }
        if (changed && attempt < 4) {
          this.#index = undefined;
          continue;
        }
        if (changed) {
          throw new AttestationError("store-unavailable", "Cannot read lines: they keep changing");
        }
        this.#tellUnknown(index, onNote);
        return found.length === 0 ? undefined : found;
      }
    });
  }

  async *list({ signal, onNote }: StoreOptions = {}): AsyncGenerator<StoreEntry> {
    signal?.throwIfAborted();
    const index = await this.#guard("list", signal, () => this.#read());
    this.#tellUnknown(index, onNote);
    for (const id of [...index.byId.keys()].sort()) {
      signal?.throwIfAborted();
      const line = index.byId.get(id)!;
      yield { id, ...line.claims, size: line.length, source: this.#sourceOf(line) };
    }
  }

  async remove(id: string, { signal }: StoreOptions = {}): Promise<boolean> {
    hexOfId(id);
    signal?.throwIfAborted();
    return await this.#guard("remove from", signal, () =>
      this.#locked(async (path) => {
        const index = await this.#read();
        if (!index.byId.has(id)) return false;
        if (index.end > CHUNK_BYTES << 10) throw this.#tooLarge(index.end);
        const bytes = await this.#files.read(path);
        const kept: Uint8Array[] = [];
        let start = 0;
        while (start < bytes.length) {
          const newline = bytes.indexOf(NEWLINE, start);
          const end = newline < 0 ? bytes.length : newline + 1;
          const whole = bytes.subarray(start, end);
          // The same line may stand there twice, as after two files were joined.
          if (await contentId(withoutEnd(whole)) !== id) kept.push(whole);
          start = end;
        }
        const temporary = temporaryName(path);
        try {
          await this.#files.createNew(temporary, concat(...kept), PUBLIC);
          await this.#files.rename(temporary, path);
        } catch (error) {
          await this.#files.remove(temporary).catch(() => {});
          throw error;
        }
        await this.#files.syncFolder(folderOf(path));
        return true;
      }));
  }

  #guard<T>(
    action: string,
    signal: AbortSignal | undefined,
    run: () => Promise<T>,
  ): Promise<T> {
    return guardDisk(`${action} the store ${quote(this.#path)}`, signal, run);
  }

  #locked<T>(run: (path: string) => Promise<T>): Promise<T> {
    const staleMs = this.#staleLockMs;
    const touchMs = Math.max(1, Math.min(LOCK_TIMES.touchMs, staleMs / 8));
    const waitMs = Math.max(LOCK_TIMES.waitMs, 4 * staleMs);
    return withLock(this.#files, this.#path, run, { touchMs, staleMs, waitMs });
  }

  #sourceOf({ number }: { number: number }): string {
    return `${this.#path}#${number}`;
  }

  #tellUnknown({ unknown, reason }: LinesIndex, onNote: StoreOptions["onNote"]): void {
    if (unknown === 0 || reason === undefined) return;
    const what = unknown === 1 ? "1 line that is" : `${unknown} lines that are`;
    onNote?.({ reason, message: `Left out of ${quote(this.#path)}: ${what} no attestation` });
  }

  #tooMany(): AttestationError {
    return new AttestationError(
      "limit-exceeded",
      `Cannot use ${quote(this.#path)}: more than ${this.#maxEntries} attestations`,
    );
  }

  #tooLarge(size: number): AttestationError {
    return new AttestationError(
      "limit-exceeded",
      `Cannot use ${quote(this.#path)}: ${size} bytes, at most ${this.#maxFileBytes} are accepted`,
    );
  }

  /** What is in the file now; only what was added since the last time is read. */
  #read(): Promise<LinesIndex> {
    const reading = this.#reading ??= this.#refresh().finally(() => this.#reading = undefined);
    return reading;
  }

  async #refresh(): Promise<LinesIndex> {
    const entry = await this.#files.entry(await this.#files.realPath(this.#path));
    if (entry?.kind !== "file") {
      throw new AttestationError(
        "store-unavailable",
        `Cannot use ${quote(this.#path)} as a store: ${
          entry === undefined ? "there is no such file" : "it is no file"
        }`,
      );
    }
    if (entry.size > this.#maxFileBytes) throw this.#tooLarge(entry.size);
    const stamp = `${entry.size} ${entry.modified.getTime()} ${entry.identity}`;
    const last = this.#index;
    if (last?.stamp === stamp) return last;
    const goesOn = last !== undefined && last.identity === entry.identity &&
      last.end <= entry.size && await this.#isUnchanged(last);
    const index = goesOn ? last : new LinesIndex(entry.identity);
    await this.#extend(index, entry.size);
    index.stamp = stamp;
    return this.#index = index;
  }

  /** Whether the last line that is known still stands there: files of this kind only grow. */
  async #isUnchanged({ newest }: LinesIndex): Promise<boolean> {
    if (newest === undefined) return false;
    const { start, length, id } = newest;
    return await contentId(await this.#files.readPart(this.#path, start, length)) === id;
  }

  async #extend(index: LinesIndex, size: number): Promise<void> {
    let rest: Bytes = new Uint8Array();
    let isLong = false;
    for (let at = index.end; at < size;) {
      const chunk = await this.#files.readPart(
        this.#path,
        at,
        Math.min(CHUNK_BYTES, size - at),
      );
      if (chunk.length === 0) return;
      at += chunk.length;
      let start = 0;
      for (let newline; (newline = chunk.indexOf(NEWLINE, start)) >= 0; start = newline + 1) {
        const tail = chunk.subarray(start, newline);
        const line = rest.length === 0 ? tail : concat(rest, tail);
        rest = new Uint8Array();
        const number = ++index.lines;
        if (isLong) index.leaveOut("limit-exceeded");
        else await this.#take(index, line, number);
        isLong = false;
        index.end = at - chunk.length + newline + 1;
      }
      if (isLong) continue;
      rest = concat(rest, chunk.subarray(start));
      if (rest.length > this.#limits.maxBytes + 1) {
        rest = new Uint8Array();
        isLong = true;
      }
    }
    // A last line without its end may be one that is being written: it is read again next time.
    index.isOpen = rest.length > 0 || isLong;
    if (rest.length > 0) await this.#take(index, rest, index.lines + 1, true);
  }

  async #take(index: LinesIndex, bytes: Bytes, number: number, isLast = false): Promise<void> {
    const content = withoutEnd(bytes);
    const first = content.find((byte) => !BLANK.has(byte));
    if (first === undefined) return;
    // Only of the first one is told why: a file full of what is no attestation costs little.
    if (first !== BRACE && index.unknown > 0 && !isLast) {
      index.leaveOut("unknown-format");
      return;
    }
    let claims;
    try {
      claims = await readClaims(content, this.#limits);
    } catch (error) {
      if (!isAttestationError(error)) throw error;
      if (!isLast) index.leaveOut(error.reason);
      return;
    }
    const id = await contentId(content);
    if (index.byId.size >= this.#maxEntries) throw this.#tooMany();
    index.add({ id, start: index.end, length: content.length, number, claims });
  }
}

/** Where everything stands in a file. */
class LinesIndex {
  readonly identity: string;
  readonly byId = new Map<string, Line>();
  readonly byKey = new Map<string, Line[]>();
  stamp = "";
  /** Bytes up to the end of the last whole line. */
  end = 0;
  /** Whole lines, blank ones included. */
  lines = 0;
  /** The last line has no end. */
  isOpen = false;
  newest: Line | undefined;
  /** Lines that are no attestation. */
  unknown = 0;
  /** Why the first of them is none. */
  reason: Reason | undefined;

  constructor(identity: string) {
    this.identity = identity;
  }

  add(line: Line): void {
    this.newest = line;
    if (this.byId.has(line.id)) return;
    this.byId.set(line.id, line);
    for (const key of subjectKeys(line.claims).map(keyText)) {
      const lines = this.byKey.get(key);
      if (lines === undefined) this.byKey.set(key, [line]);
      else lines.push(line);
    }
  }

  leaveOut(reason: Reason): void {
    this.unknown++;
    this.reason ??= reason;
  }
}

/** The same JSON without line breaks: between tokens they mean nothing, in a string are none. */
function oneLine(content: Uint8Array): string {
  return decodeUtf8(content).replace(/[ \t]*[\r\n]+[ \t]*/g, "").trim();
}

function withoutEnd(line: Bytes): Bytes {
  let end = line.length;
  if (line[end - 1] === NEWLINE) end--;
  if (line[end - 1] === RETURN) end--;
  return line.subarray(0, end);
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : slash === 0 ? "/" : path.slice(0, slash);
}
