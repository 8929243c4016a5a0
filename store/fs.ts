/**
 * Stores in files: a folder of attestations, a file with one a line, and the files beside an
 * artifact. For Node, Bun and Deno; nothing else in this package touches a disk.
 *
 * @module
 */

import type { DiskEntry, DiskFiles, WritableFiles } from "../internal/write_files.ts";
import { BesideStore, type BesideStoreOptions } from "./beside.ts";
import { nodeFiles } from "./disk.ts";
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

export { nodeFiles };
