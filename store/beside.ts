import { AttestationError, isAttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import type { DiskFiles } from "../internal/write_files.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import { CLAIM_LIMITS, type Claims, contentId, readClaims, states, wantedKeys } from "./claims.ts";
import { ATTESTATION_SUFFIXES, namesByDigest } from "./file_names.ts";
import { LinesStore } from "./lines.ts";
import type {
  AttestationStore,
  PutResult,
  StoredAttestation,
  StoreEntry,
  StoreOptions,
} from "./store.ts";

/** The one that new attestations are added to. */
const LINES_SUFFIX = ".intoto.jsonl";

/** Options of a store beside an artifact. */
export interface BesideStoreOptions {
  /** What it is called in reports. Default: `beside` and the path. */
  name?: string;
}

/** Names of {@linkcode BesideStoreOptions}. */
export const BESIDE_OPTIONS: readonly string[] = ["name"];

/**
 * The files beside an artifact that hold its attestations: those with its name and an ending,
 * and in its folder those that are named by a digest. A put adds a line to
 * `NAME.intoto.jsonl`. What other producers wrote is read and never changed.
 */
export class BesideStore implements AttestationStore {
  readonly name: string;
  readonly #path: string;
  readonly #files: DiskFiles;

  constructor(path: string, files: DiskFiles, options: BesideStoreOptions = {}) {
    refuseUnknown(options, BESIDE_OPTIONS, "a store beside an artifact");
    if (path === "" || path.endsWith("/")) {
      throw new TypeError("A store beside an artifact needs the path of a file");
    }
    this.#path = path;
    this.#files = files;
    this.name = options.name ?? `beside ${path}`;
  }

  async put(content: Uint8Array, options: StoreOptions = {}): Promise<PutResult> {
    return await new LinesStore(this.#path + LINES_SUFFIX, this.#files).put(content, options);
  }

  async find(
    subject: DigestSet,
    options: StoreOptions = {},
  ): Promise<StoredAttestation[] | undefined> {
    const wanted = wantedKeys(subject);
    options.signal?.throwIfAborted();
    const folder = this.#path.slice(0, this.#path.lastIndexOf("/") + 1);
    const paths = [
      ...ATTESTATION_SUFFIXES.map((suffix) => this.#path + suffix),
      ...namesByDigest(subject).map((name) => folder + name),
    ];
    const found = new Map<string, StoredAttestation>();
    for (const path of paths) {
      if (!await this.#isFile(path)) continue;
      if (path.endsWith(".jsonl")) {
        const some = await new LinesStore(path, this.#files).find(subject, options) ?? [];
        for (const one of some) found.set(one.id, one);
        continue;
      }
      const read = await this.#read(path, options);
      if (read === undefined || !states(read.claims, wanted)) continue;
      const { id, content } = read;
      if (!found.has(id)) found.set(id, { id, content, source: path });
    }
    return found.size === 0 ? undefined : [...found.values()];
  }

  async *list(options: StoreOptions = {}): AsyncGenerator<StoreEntry> {
    options.signal?.throwIfAborted();
    const entries = new Map<string, StoreEntry>();
    for (const suffix of ATTESTATION_SUFFIXES) {
      const path = this.#path + suffix;
      if (!await this.#isFile(path)) continue;
      if (path.endsWith(".jsonl")) {
        const lines = new LinesStore(path, this.#files);
        for await (const entry of lines.list(options)) entries.set(entry.id, entry);
        continue;
      }
      const read = await this.#read(path, options);
      if (read === undefined || entries.has(read.id)) continue;
      const { id, content, claims } = read;
      entries.set(id, { id, ...claims, size: content.length, source: path });
    }
    for (const id of [...entries.keys()].sort()) {
      options.signal?.throwIfAborted();
      yield entries.get(id)!;
    }
  }

  async #isFile(path: string): Promise<boolean> {
    try {
      return (await this.#files.entry(await this.#files.realPath(path)))?.kind === "file";
    } catch (cause) {
      throw this.#unavailable(path, cause);
    }
  }

  /** One attestation; undefined, with a note, if the file holds something else. */
  async #read(
    path: string,
    { onNote }: StoreOptions,
  ): Promise<{ id: string; content: Uint8Array<ArrayBuffer>; claims: Claims } | undefined> {
    let content;
    try {
      const size = (await this.#files.entry(await this.#files.realPath(path)))?.size ?? 0;
      if (size > CLAIM_LIMITS.maxBytes) {
        onNote?.({
          reason: "limit-exceeded",
          message: `Left out ${quote(path)}: it has ${size} bytes`,
        });
        return undefined;
      }
      content = await this.#files.read(path);
    } catch (cause) {
      throw this.#unavailable(path, cause);
    }
    try {
      return { id: await contentId(content), content, claims: await readClaims(content) };
    } catch (error) {
      if (!isAttestationError(error)) throw error;
      onNote?.({ reason: error.reason, message: `Left out ${quote(path)}: ${error.message}` });
      return undefined;
    }
  }

  #unavailable(path: string, cause: unknown): AttestationError {
    return new AttestationError("store-unavailable", `Cannot read ${quote(path)}`, { cause });
  }
}
