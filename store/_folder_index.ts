import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { mapWindow } from "../internal/window.ts";
import type { DiskFiles } from "../internal/write_files.ts";
import { DIGEST_ALGORITHMS, digestFault } from "../intoto/digest_set.ts";
import { type Claims, keyText, type SubjectKey, subjectKeys } from "./claims.ts";

const SUBJECTS = "subjects";
/** Longest digest that names a folder; most file systems end at 255. */
const MAX_NAME = 200;
const WINDOW = 16;
const PUBLIC = 0o666;

/** A SHA-256 as a name. */
export const HEX = /^[0-9a-f]{64}$/;

/** The folders of a store, and in them its index by subject. */
export class FolderIndex {
  readonly #root: string;
  readonly #files: DiskFiles;
  /** Folders that are known to survive a crash; none of them is ever removed. */
  readonly #durable = new Set<string>();

  constructor(root: string, files: DiskFiles) {
    this.#root = root;
    this.#files = files;
  }

  /** For when the store was not there any more. */
  refresh(): void {
    this.#durable.clear();
  }

  /** Makes a folder of the store, and brings it and those above it to the disk. */
  async ensure(folder: string): Promise<void> {
    if (this.#durable.has(folder)) return;
    await this.#files.makeFolder(`${this.#root}/${folder}`);
    if (folder.includes("/")) await this.ensure(parentOf(folder));
    await this.#files.syncFolder(parentOf(`${this.#root}/${folder}`));
    this.#durable.add(folder);
  }

  /** Names in a folder; none if it is not there. */
  async names(folder: string): Promise<string[]> {
    try {
      return await this.#files.names(folder);
    } catch (error) {
      if (this.#files.isMissing(error)) return [];
      throw error;
    }
  }

  /** Makes the entries of the index, durably; true if one was not there. */
  async enter(hex: string, claims: Claims): Promise<boolean> {
    const made = await mapWindow(subjectKeys(claims), WINDOW, async (key) => {
      const folder = keyFolder(key);
      const path = `${this.#root}/${folder}/${hex}`;
      let isNew = await this.#files.entry(path) === undefined;
      for (let attempt = 0; isNew; attempt++) {
        await this.ensure(parentOf(folder));
        await this.#files.makeFolder(`${this.#root}/${folder}`);
        try {
          await this.#files.createNew(path, new Uint8Array(), PUBLIC);
          break;
        } catch (error) {
          if (this.#files.isTaken(error)) isNew = false;
          // Who removes the last attestation of a subject removes its folder.
          else if (!this.#files.isMissing(error) || attempt > 8) throw error;
        }
      }
      // Also one that was there: its writer may have been stopped before this.
      await this.#files.syncFolder(`${this.#root}/${folder}`);
      await this.#files.syncFolder(parentOf(`${this.#root}/${folder}`));
      return isNew;
    });
    return made.includes(true);
  }

  /** Removes an entry, and its folder with the last one. */
  async forget(folder: string, hex: string): Promise<void> {
    try {
      await this.#files.remove(`${folder}/${hex}`);
    } catch (error) {
      if (!this.#files.isMissing(error)) throw error;
    }
    // Fails while another attestation has the subject.
    await this.#files.removeFolder(folder).catch(() => {});
  }

  /** All entries. */
  async *entries(): AsyncGenerator<{ folder: string; name: string }> {
    const root = `${this.#root}/${SUBJECTS}`;
    for (const algorithm of await this.names(root)) {
      for (const shard of await this.names(`${root}/${algorithm}`)) {
        for (const value of await this.names(`${root}/${algorithm}/${shard}`)) {
          const folder = `${root}/${algorithm}/${shard}/${value}`;
          for (const name of await this.names(folder)) if (HEX.test(name)) yield { folder, name };
        }
      }
    }
  }
}

/** Folder of the index for a digest: only hex of known algorithms becomes a name. */
export function keyFolder(key: SubjectKey): string {
  const { algorithm, value } = key;
  const isPlain = DIGEST_ALGORITHMS.has(algorithm) && value.length <= MAX_NAME &&
    digestFault(algorithm, value, true) === undefined;
  if (isPlain) return `${SUBJECTS}/${algorithm}/${value.slice(0, 2)}/${value}`;
  const hash = encodeHex(sha256(utf8(keyText(key))));
  return `${SUBJECTS}/other/${hash.slice(0, 2)}/${hash}`;
}

/** The folder that something is in. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
