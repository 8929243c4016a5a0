import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { isObject, parseJson, printable, quote } from "../internal/json.ts";
import { limitOption, refuseUnknown } from "../internal/options.ts";
import { type DiskFiles, LOCK_TIMES, withLock } from "../internal/write_files.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import { FolderContent, strange } from "./_folder_content.ts";
import { FolderIndex, HEX, keyFolder, parentOf } from "./_folder_index.ts";
import { guardDisk } from "./_guard.ts";
import {
  CLAIM_LIMITS,
  contentId,
  copyContent,
  hexOfId,
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

/** Options of a store in a folder. */
export interface FolderStoreOptions {
  /** What it is called in reports. Default: the folder. */
  name?: string;
  /** Bytes of one attestation. Default 24 MiB. */
  maxBytes?: number;
  /** Subjects of one attestation. Default 10 000. */
  maxSubjects?: number;
  /** Attestations of one subject; more are `limit-exceeded`. Default 10 000. */
  maxFound?: number;
  /**
   * Milliseconds after which a lock that nobody touched counts as left behind by a process that
   * ended. Default 8000.
   */
  staleLockMs?: number;
}

/** Names of {@linkcode FolderStoreOptions}. */
export const FOLDER_OPTIONS: readonly string[] = [
  "name",
  "maxBytes",
  "maxSubjects",
  "maxFound",
  "staleLockMs",
];

/** What tidying a folder did. */
export interface TidyResult {
  /** Temporary files of writers that were stopped, removed. */
  readonly temporary: number;
  /** Entries of the index that led to nothing, removed. */
  readonly dangling: number;
  /** Attestations whose entries in the index were not all there, entered again. */
  readonly repaired: number;
}

const MARKER = "store.json";
const FORMAT = { format: "attestation-store", version: 1 };
const TEMPORARY = "tmp";
const PUBLIC = 0o666;
const UNUSABLE: ReadonlySet<Reason> = new Set(["content-mismatch", "limit-exceeded"]);
/** A temporary file of that age was left behind. */
const LEFT_BEHIND_MS = 3_600_000;

/**
 * A folder of attestations, each in a file that is named by its SHA-256, with an index of
 * folders by subject:
 *
 * ```text
 * store.json                              what this folder is
 * attestations/ab/ab….json                the bytes of each attestation
 * subjects/sha256/cd/cd…/ab…              empty: cd… is a subject of ab…
 * subjects/other/ef/ef…/ab…               the same, by the hash of a digest that is no hex
 * tmp/                                    what is being written, and locks
 * ```
 *
 * To find is to read one folder of the index. A writer first makes the entries of the index
 * durable, then renames the content to its name: what has its name is complete and can be
 * found. One that is stopped on the way leaves entries that lead to nothing, which are left
 * out. Put and removal of the same content exclude each other by a lock, which is taken over
 * when its holder does not touch it any more; all other writers do not wait for each other.
 */
export class FolderStore implements PrunableStore {
  readonly name: string;
  readonly #root: string;
  readonly #files: DiskFiles;
  readonly #index: FolderIndex;
  readonly #content: FolderContent;
  readonly #limits: typeof CLAIM_LIMITS;
  readonly #maxFound: number;
  readonly #staleLockMs: number;
  #isChecked = false;

  constructor(root: string, files: DiskFiles, options: FolderStoreOptions = {}) {
    refuseUnknown(options, FOLDER_OPTIONS, "a store in a folder");
    if (root === "") throw new TypeError("A store in a folder needs its path");
    this.#root = root.replace(/(?<=.)\/+$/, "");
    this.#files = files;
    this.#index = new FolderIndex(this.#root, files);
    this.name = options.name ?? this.#root;
    this.#limits = {
      maxBytes: limitOption("maxBytes", options.maxBytes, CLAIM_LIMITS.maxBytes),
      maxSubjects: limitOption("maxSubjects", options.maxSubjects, CLAIM_LIMITS.maxSubjects),
    };
    this.#content = new FolderContent(this.#root, this.#index, {
      files,
      limits: this.#limits,
      temporary: () => this.#temporary(),
    });
    this.#maxFound = limitOption("maxFound", options.maxFound, 10_000);
    this.#staleLockMs = limitOption("staleLockMs", options.staleLockMs, LOCK_TIMES.staleMs);
  }

  async put(given: Uint8Array, { signal }: StoreOptions = {}): Promise<PutResult> {
    signal?.throwIfAborted();
    const content = copyContent(given);
    const claims = await readClaims(content, this.#limits);
    const id = await contentId(content);
    const hex = hexOfId(id);
    return await this.#guard("put into", signal, async () => {
      await this.#open(true);
      signal?.throwIfAborted();
      return await this.#locked(hex, async () => {
        const source = this.#content.path(hex);
        const isThere = await this.#content.has(hex, content.length);
        if (!isThere) await this.#content.write(hex, content, claims);
        else {
          await this.#index.enter(hex, claims);
          await this.#files.syncFolder(parentOf(source));
        }
        return { id, created: !isThere, source };
      });
    });
  }

  async find(
    subject: DigestSet,
    { signal, onNote = () => {} }: StoreOptions = {},
  ): Promise<StoredAttestation[] | undefined> {
    const wanted = wantedKeys(subject);
    signal?.throwIfAborted();
    return await this.#guard("search", signal, async () => {
      await this.#open(false);
      const listed = new Set<string>();
      for (const key of wanted) {
        const folder = `${this.#root}/${keyFolder(key)}`;
        for (const name of await this.#index.names(folder)) {
          if (HEX.test(name)) listed.add(name);
          else onNote(strange(`${folder}/${name}`));
          if (listed.size > this.#maxFound) throw this.#tooMany();
        }
      }
      const found: StoredAttestation[] = [];
      let corrupt: AttestationError | undefined;
      for (const hex of [...listed].sort()) {
        signal?.throwIfAborted();
        const source = this.#content.path(hex);
        try {
          const read = await this.#content.read(hex);
          if (read === undefined) {
            onNote({
              reason: "attestation-not-found",
              message: `Left out ${printable(source)}: the index names it, and it is not there`,
            });
          } else if (states(read.claims, wanted)) {
            found.push({ id: `sha256:${hex}`, content: read.content, source });
          } else {
            onNote({
              reason: "subject-mismatch",
              message: `Left out ${printable(source)}: the index lies about its subject`,
            });
          }
        } catch (error) {
          if (!isAttestationError(error)) throw error;
          // What has its true name and is no attestation was never put.
          if (UNUSABLE.has(error.reason)) corrupt = error;
          onNote({ reason: error.reason, message: error.message });
        }
      }
      if (found.length > 0) return found;
      // Something was kept for this subject: that it is spoilt is not that it is not there.
      if (corrupt !== undefined) throw corrupt;
      return undefined;
    });
  }

  async *list({ signal, onNote = () => {} }: StoreOptions = {}): AsyncGenerator<StoreEntry> {
    signal?.throwIfAborted();
    await this.#guard("list", signal, () => this.#open(false));
    const names = this.#content.all(onNote);
    for (;;) {
      const { done, value: hex } = await this.#guard("list", signal, () => names.next());
      if (done) return;
      signal?.throwIfAborted();
      const entry = await this.#guard("list", signal, async () => {
        try {
          const read = await this.#content.read(hex);
          if (read === undefined) return undefined;
          const { content, claims, modified } = read;
          return { claims, size: content.length, storedAt: modified };
        } catch (error) {
          if (!isAttestationError(error)) throw error;
          onNote({ reason: error.reason, message: error.message });
        }
      });
      if (entry === undefined) continue;
      const { claims, ...facts } = entry;
      yield { id: `sha256:${hex}`, ...claims, ...facts, source: this.#content.path(hex) };
    }
  }

  async remove(id: string, { signal }: StoreOptions = {}): Promise<boolean> {
    const hex = hexOfId(id);
    signal?.throwIfAborted();
    return await this.#guard("remove from", signal, async () => {
      await this.#open(false);
      return await this.#locked(hex, async () => {
        const path = this.#content.path(hex);
        if (await this.#files.entry(path) === undefined) return false;
        // What is spoilt does not tell its subjects: tidy() finds their entries.
        const read = await this.#content.read(hex).catch((error) => {
          if (!isAttestationError(error)) throw error;
        });
        await this.#files.remove(path);
        await this.#files.syncFolder(parentOf(path));
        for (const key of read === undefined ? [] : subjectKeys(read.claims)) {
          await this.#index.forget(`${this.#root}/${keyFolder(key)}`, hex);
        }
        return true;
      });
    });
  }

  /**
   * Removes what writers left behind that were stopped, and enters into the index what is not
   * all there, as after a copy of a part of the folder. It waits for nobody: what is locked is
   * left as it is.
   */
  async tidy({ signal, onNote = () => {} }: StoreOptions = {}): Promise<TidyResult> {
    signal?.throwIfAborted();
    const done = { temporary: 0, dangling: 0, repaired: 0 };
    await this.#guard("tidy", signal, async () => {
      await this.#open(false);
      const folder = `${this.#root}/${TEMPORARY}`;
      for (const name of await this.#index.names(folder)) {
        const path = `${folder}/${name}`;
        const entry = await this.#files.entry(path);
        if (entry?.kind !== "file") continue;
        if (Date.now() - entry.modified.getTime() < LEFT_BEHIND_MS) continue;
        await this.#files.remove(path).catch(() => {});
        done.temporary++;
      }
      for await (const hex of this.#content.all(onNote)) {
        signal?.throwIfAborted();
        await this.#unlessLocked(hex, async () => {
          const read = await this.#content.read(hex).catch((error) => {
            if (!isAttestationError(error)) throw error;
          });
          if (read !== undefined && await this.#index.enter(hex, read.claims)) done.repaired++;
        });
      }
      for await (const { folder, name } of this.#index.entries()) {
        signal?.throwIfAborted();
        if (await this.#files.entry(this.#content.path(name)) !== undefined) continue;
        await this.#unlessLocked(name, async () => {
          if (await this.#files.entry(this.#content.path(name)) !== undefined) return;
          await this.#index.forget(folder, name);
          done.dangling++;
        });
      }
    });
    return done;
  }

  #guard<T>(
    action: string,
    signal: AbortSignal | undefined,
    run: () => Promise<T>,
  ): Promise<T> {
    return guardDisk(`${action} the store ${quote(this.#root)}`, signal, run);
  }

  #tooMany(): AttestationError {
    return new AttestationError(
      "limit-exceeded",
      `Cannot search the store ${quote(this.#root)}: more than ${this.#maxFound} attestations ` +
        "of one subject",
    );
  }

  /** Checks that the folder is a store; makes one of a folder that is empty or not there. */
  async #open(create: boolean): Promise<void> {
    const path = `${this.#root}/${MARKER}`;
    for (let attempt = 0;; attempt++) {
      const marker = await this.#files.entry(path);
      if (marker !== undefined) return await this.#checkMarker(path, marker);
      this.#index.refresh();
      this.#isChecked = false;
      const root = await this.#files.entry(this.#root);
      if (root === undefined && !create) throw this.#unavailable("there is no such folder");
      if (root !== undefined) {
        if (root.kind !== "directory" && root.kind !== "link") {
          throw this.#unavailable("it is no folder");
        }
        const others = (await this.#files.names(this.#root)).filter((name) =>
          name !== TEMPORARY && name !== MARKER
        );
        if (others.length > 0) {
          // Somebody may have begun it since.
          if (attempt < 4 && await this.#files.entry(path) !== undefined) continue;
          throw this.#unavailable(`it holds other files and no ${MARKER}, so it is no store`);
        }
        if (!create) return;
      }
      if (attempt > 4) throw this.#unavailable(`${MARKER} comes and goes`);
      await this.#index.ensure(TEMPORARY);
      const temporary = this.#temporary();
      await this.#files.createNew(temporary, utf8(`${JSON.stringify(FORMAT)}\n`), PUBLIC);
      // Two who begin at once write the same.
      await this.#files.rename(temporary, path);
      await this.#files.syncFolder(this.#root);
    }
  }

  async #checkMarker(path: string, { kind, size }: { kind: string; size: number }): Promise<void> {
    if (this.#isChecked) return;
    if (kind !== "file" || size > 4096) throw this.#unavailable(`${MARKER} is not of its form`);
    let marker;
    try {
      marker = parseJson(await this.#files.read(path));
    } catch (cause) {
      if (!isAttestationError(cause)) throw cause;
    }
    if (!isObject(marker) || marker.format !== FORMAT.format) {
      throw this.#unavailable(`${MARKER} does not say that it is a store of attestations`);
    }
    if (marker.version !== FORMAT.version) {
      throw this.#unavailable(
        `its version is ${printable(JSON.stringify(marker.version) ?? "none")}, wanted 1`,
      );
    }
    this.#isChecked = true;
  }

  #unavailable(why: string): AttestationError {
    return new AttestationError(
      "store-unavailable",
      `Cannot use ${quote(this.#root)} as a store: ${why}`,
    );
  }

  /** What somebody is working at is left to the next time. */
  async #unlessLocked(hex: string, run: () => Promise<void>): Promise<void> {
    try {
      await this.#locked(hex, run, 0);
    } catch (error) {
      if (!isAttestationError(error) || error.reason !== "locked-file") throw error;
    }
  }

  async #locked<T>(
    hex: string,
    run: () => Promise<T>,
    waitMs: number = Math.max(LOCK_TIMES.waitMs, 4 * this.#staleLockMs),
  ): Promise<T> {
    await this.#index.ensure(TEMPORARY);
    const times = {
      touchMs: Math.max(1, Math.min(LOCK_TIMES.touchMs, this.#staleLockMs / 8)),
      staleMs: this.#staleLockMs,
      waitMs,
    };
    return await withLock(this.#files, `${this.#root}/${TEMPORARY}/${hex}`, run, times);
  }

  #temporary(): string {
    return `${this.#root}/${TEMPORARY}/${crypto.randomUUID()}.tmp`;
  }
}
