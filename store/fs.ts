/**
 * Stores in files: a folder of attestations, a file with one a line, and the files beside an
 * artifact. For Node, Bun and Deno; nothing else in this package touches a disk.
 *
 * @module
 */

import {
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rmdir,
  stat,
  unlink,
  utimes,
} from "node:fs/promises";
import process from "node:process";
import type { DiskEntry, DiskFiles, WritableFiles } from "../internal/write_files.ts";
import { BesideStore, type BesideStoreOptions } from "./beside.ts";
import { FolderStore, type FolderStoreOptions, type TidyResult } from "./folder.ts";
import { LinesStore, type LinesStoreOptions } from "./lines.ts";
import { createLayout, type OciLayout } from "./oci/layout.ts";
import { fileAccess, folderFiles } from "./oci/layout_folder.ts";
import { createTarFiles } from "./oci/tar.ts";
import type { AttestationStore, PrunableStore, StoreOptions } from "./store.ts";

export type {
  BesideStoreOptions,
  DiskEntry,
  DiskFiles,
  FolderStoreOptions,
  LinesStoreOptions,
  OciLayout,
  TidyResult,
  WritableFiles,
};

/** A store in a folder. */
export interface FolderAttestationStore extends PrunableStore {
  /**
   * Removes what writers left behind that were stopped, and enters into the index what is not
   * all there, as after a copy of a part of the folder. Other processes may use it meanwhile.
   *
   * @throws {AttestationError} `store-unavailable`.
   */
  tidy(options?: StoreOptions): Promise<TidyResult>;
}

/**
 * A folder of attestations, each in a file that is named by its SHA-256, with an index by
 * subject: to find is to read one folder, however much is in the store.
 *
 * Several processes may write at once. What was put survives the end of its process at any
 * moment, and of the machine. What somebody else writes into the folder is not believed: a
 * file whose bytes do not match its name is refused (`content-mismatch`), an entry of the index
 * that lies is left out and noted.
 *
 * The folder is made by the first put; asked before that, it is `store-unavailable`. An empty
 * folder is an empty store, a folder with other files is none.
 *
 * @param path The folder.
 * @throws {TypeError} For an option that there is not, or an empty path.
 * @throws {RangeError} If a limit is no integer >= 1.
 *
 * @example
 * ```ts
 * import { createFolderStore } from "@x/attest/store/fs";
 * import { mkdtemp, rm } from "node:fs/promises";
 * import assert from "node:assert/strict";
 *
 * const folder = await mkdtemp("store-");
 * try {
 *   const store = createFolderStore(folder);
 *   await store.put(new TextEncoder().encode(JSON.stringify({
 *     _type: "https://in-toto.io/Statement/v1",
 *     subject: [{ name: "app.tgz", digest: { sha256: "a".repeat(64) } }],
 *     predicateType: "https://example.com/review/v1",
 *   })));
 *   const [found] = await store.find({ sha256: "a".repeat(64) }) ?? [];
 *   assert.ok(found.source.startsWith(`${folder}/attestations/`));
 * } finally {
 *   await rm(folder, { recursive: true });
 * }
 * ```
 */
export function createFolderStore(
  path: string,
  options: FolderStoreOptions = {},
): FolderAttestationStore {
  return new FolderStore(path, nodeFiles, options);
}

/**
 * A file with one attestation a line, `NAME.intoto.jsonl`: an in-toto bundle. A put adds a
 * line at the end, under a lock, and brings it to the disk. Lines of a kind that is not known
 * are counted, left out, and stay.
 *
 * An attestation with line breaks is kept without them; its id is that of the line.
 *
 * Source: in-toto attestation v1, bundle.md.
 *
 * @param path The file; it is made by the first put.
 * @throws {TypeError} For an option that there is not, or an empty path.
 * @throws {RangeError} If a limit is no integer >= 1.
 */
export function createLinesStore(path: string, options: LinesStoreOptions = {}): PrunableStore {
  return new LinesStore(path, nodeFiles, options);
}

/**
 * The files beside an artifact that hold its attestations: `NAME.sigstore.json`,
 * `NAME.sigstore`, `NAME.intoto.jsonl`, `NAME.intoto.json`, `NAME.att.json`, and
 * `sha256:DIGEST.jsonl` in its folder. A put adds a line to `NAME.intoto.jsonl`.
 *
 * @param path The artifact; it need not be there.
 * @throws {TypeError} For an option that there is not, or a path that ends in a slash.
 */
export function createBesideStore(
  path: string,
  options: BesideStoreOptions = {},
): AttestationStore {
  return new BesideStore(path, nodeFiles, options);
}

/**
 * An OCI image layout in a folder. The folder is made by the first put; asked before that, it
 * is `malformed-image-layout`. Files are written whole or not at all, `index.json` last, and
 * several processes may write at once.
 *
 * Source: OCI image specification 1.1, image-layout.md.
 *
 * @param path The folder.
 */
export function createLayoutFolder(path: string): OciLayout {
  return createLayout(folderFiles(path, nodeFiles));
}

/**
 * An OCI image layout in a tar file, to be read: `docker save`, `skopeo copy … oci-archive:`.
 *
 * @param path The file.
 * @throws {AttestationError} `unreadable-file`.
 */
export async function createLayoutTar(path: string): Promise<OciLayout> {
  return createLayout(createTarFiles(await fileAccess(path, nodeFiles)));
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

async function writing(
  path: string,
  flag: string,
  bytes: Uint8Array,
  mode?: number,
): Promise<void> {
  const file = await open(path, flag, mode);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The disk of Node, Bun and Deno, which the stores here use. */
export const nodeFiles: DiskFiles = {
  createNew: (path, bytes, mode) => writing(path, "wx", bytes, mode),
  link: (path, name) => link(path, name),
  rename: (path, name) => rename(path, name),
  remove: (path) => unlink(path),
  read: async (path) => new Uint8Array(await readFile(path)),
  async lastByte(path): Promise<number | undefined> {
    try {
      const file = await open(path, "r");
      try {
        const { size } = await file.stat();
        if (size === 0) return undefined;
        const buffer = new Uint8Array(1);
        await file.read(buffer, 0, 1, size - 1);
        return buffer[0];
      } finally {
        await file.close();
      }
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  },
  append: (path, bytes) => writing(path, "a", bytes),
  async realPath(path): Promise<string> {
    try {
      return await realpath(path);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return path;
      throw error;
    }
  },
  async stamp(path): Promise<string> {
    const { ino, mtimeMs } = await stat(path);
    return `${ino} ${mtimeMs}`;
  },
  touch: (path) => utimes(path, new Date(), new Date()),
  isTaken: (error) => codeOf(error) === "EEXIST",
  isMissing: (error) => codeOf(error) === "ENOENT",
  async makeFolder(path): Promise<void> {
    await mkdir(path, { recursive: true });
  },
  removeFolder: (path) => rmdir(path),
  names: (path) => readdir(path),
  async entry(path): Promise<DiskEntry | undefined> {
    try {
      const info = await lstat(path);
      const { size, mtime: modified, dev, ino } = info;
      const kind = info.isSymbolicLink()
        ? "link"
        : info.isFile()
        ? "file"
        : info.isDirectory()
        ? "directory"
        : "other";
      return { kind, size, modified, identity: `${dev} ${ino}` };
    } catch (error) {
      const code = codeOf(error);
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw error;
    }
  },
  async readPart(path, start, length): Promise<Uint8Array<ArrayBuffer>> {
    const file = await open(path, "r");
    try {
      const buffer = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await file.read(buffer, filled, length - filled, start + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    } finally {
      await file.close();
    }
  },
  async syncFolder(path): Promise<void> {
    // A folder is no file to Windows, which brings names to the disk by itself.
    if (process.platform === "win32") return;
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};
