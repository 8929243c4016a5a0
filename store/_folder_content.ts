import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import type { DiskFiles } from "../internal/write_files.ts";
import { type FolderIndex, parentOf } from "./_folder_index.ts";
import { type CLAIM_LIMITS, type Claims, contentId, readClaims } from "./claims.ts";
import type { StoreOptions } from "./store.ts";

const CONTENT = "attestations";
const SHARD = /^[0-9a-f]{2}$/;
const CONTENT_FILE = /^([0-9a-f]{64})\.json$/;
const PUBLIC = 0o666;

/** What a folder's content needs. */
export interface ContentOptions {
  files: DiskFiles;
  limits: typeof CLAIM_LIMITS;
  /** Another path each time, in the same file system, for what is being written. */
  temporary: () => string;
}

/** An attestation as it was read. */
export interface ReadContent {
  content: Uint8Array<ArrayBuffer>;
  claims: Claims;
  modified: Date;
}

/** The attestations of a store in a folder, each by the SHA-256 of its bytes. */
export class FolderContent {
  readonly #root: string;
  readonly #files: DiskFiles;
  readonly #index: FolderIndex;
  readonly #limits: typeof CLAIM_LIMITS;
  readonly #temporary: () => string;

  constructor(root: string, index: FolderIndex, { files, limits, temporary }: ContentOptions) {
    this.#root = root;
    this.#files = files;
    this.#index = index;
    this.#limits = limits;
    this.#temporary = temporary;
  }

  /** Where the content with that SHA-256 is, or would be. */
  path(hex: string): string {
    return `${this.#root}/${CONTENT}/${hex.slice(0, 2)}/${hex}.json`;
  }

  /**
   * Brings content to its name by way of a temporary file; the entries of the index are durable
   * before it is there.
   */
  async write(
    hex: string,
    content: Uint8Array<ArrayBuffer>,
    claims: Claims,
  ): Promise<void> {
    const path = this.path(hex);
    const temporary = this.#temporary();
    try {
      await this.#files.createNew(temporary, content, PUBLIC);
      await this.#index.enter(hex, claims);
      await this.#index.ensure(`${CONTENT}/${hex.slice(0, 2)}`);
      await this.#files.rename(temporary, path);
    } catch (error) {
      await this.#files.remove(temporary).catch(() => {});
      throw error;
    }
    await this.#files.syncFolder(parentOf(path));
  }

  /** Whether the content is there as it was put. */
  async has(hex: string, size: number): Promise<boolean> {
    const path = this.path(hex);
    const entry = await this.#files.entry(path);
    if (entry?.kind !== "file" || entry.size !== size) return false;
    return await contentId(await this.#files.read(path)) === `sha256:${hex}`;
  }

  /**
   * Content by its name, with what it says; undefined if it is not there.
   *
   * @throws {AttestationError} `content-mismatch`, `limit-exceeded`, and what parsing refuses.
   */
  async read(hex: string): Promise<ReadContent | undefined> {
    const path = this.path(hex);
    const entry = await this.#files.entry(path);
    if (entry === undefined) return undefined;
    // A link, or a pipe that never ends, is not opened.
    if (entry.kind !== "file") throw mismatch(path, "it is no file");
    if (entry.size > this.#limits.maxBytes) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot use ${quote(path)}: it has ${entry.size} bytes, at most ` +
          `${this.#limits.maxBytes} are accepted`,
      );
    }
    let content;
    try {
      content = await this.#files.read(path);
    } catch (error) {
      if (this.#files.isMissing(error)) return undefined;
      throw error;
    }
    const id = await contentId(content);
    if (id !== `sha256:${hex}`) throw mismatch(path, `its bytes have the digest ${id}`);
    return { content, claims: await readClaims(content, this.#limits), modified: entry.modified };
  }

  /** The names of all content, in order. */
  async *all(onNote: NonNullable<StoreOptions["onNote"]>): AsyncGenerator<string> {
    const root = `${this.#root}/${CONTENT}`;
    for (const shard of (await this.#index.names(root)).sort()) {
      if (!SHARD.test(shard)) {
        onNote(strange(`${root}/${shard}`));
        continue;
      }
      for (const name of (await this.#index.names(`${root}/${shard}`)).sort()) {
        const hex = CONTENT_FILE.exec(name)?.[1];
        if (hex?.startsWith(shard)) yield hex;
        else onNote(strange(`${root}/${shard}/${name}`));
      }
    }
  }
}

function mismatch(path: string, why: string): AttestationError {
  return new AttestationError("content-mismatch", `Cannot use ${quote(path)}: ${why}`);
}

/** A file that the store did not write. */
export function strange(path: string) {
  return {
    reason: "content-mismatch",
    message: `Left out ${quote(path)}: it is not of this store`,
  } as const;
}
