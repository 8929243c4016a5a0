/** A disk in memory, on which something can go wrong at every step. */

import type { DiskEntry, DiskFiles } from "../internal/write_files.ts";
import { type Bytes, concat } from "../internal/bytes.ts";

interface Node {
  kind: DiskEntry["kind"];
  bytes: Bytes;
  modified: number;
  identity: string;
}

class DiskError extends Error {
  readonly code: "EEXIST" | "ENOENT" | "ENOTEMPTY" | "EISDIR";

  constructor(code: DiskError["code"], path: string) {
    super(`${code}: ${path}`);
    this.code = code;
  }
}

/** Files in memory. Folders are made as on a disk: nothing can be in one that is not there. */
export class MemoryDisk implements DiskFiles {
  readonly nodes = new Map<string, Node>();
  /** Called before each step; what it throws is the disk's failure. */
  before: (operation: string, path: string) => void = () => {};
  #clock = 0;

  constructor(folders: readonly string[] = []) {
    for (const folder of folders) this.#add(folder, "directory");
  }

  #add(path: string, kind: DiskEntry["kind"], bytes: Bytes = new Uint8Array()): void {
    const modified = ++this.#clock;
    this.nodes.set(path, { kind, bytes, modified, identity: `${modified}` });
  }

  #at(path: string): Node {
    const node = this.nodes.get(path);
    if (node === undefined) throw new DiskError("ENOENT", path);
    return node;
  }

  #file(path: string): Node {
    const node = this.#at(path);
    if (node.kind === "directory") throw new DiskError("EISDIR", path);
    return node;
  }

  #checkFree(path: string): void {
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (path.includes("/") && this.#at(folder).kind !== "directory") {
      throw new DiskError("ENOENT", path);
    }
    if (this.nodes.has(path)) throw new DiskError("EEXIST", path);
  }

  async #step(operation: string, path: string): Promise<void> {
    await Promise.resolve();
    this.before(operation, path);
  }

  /** Puts something on the disk without any step. */
  plant(path: string, bytes: Uint8Array, kind: DiskEntry["kind"] = "file"): void {
    this.#add(path, kind, new Uint8Array(bytes));
  }

  async createNew(path: string, bytes: Bytes): Promise<void> {
    await this.#step("create", path);
    this.#checkFree(path);
    this.#add(path, "file", new Uint8Array(bytes));
  }

  async link(path: string, name: string): Promise<void> {
    await this.#step("link", path);
    this.#checkFree(name);
    this.nodes.set(name, this.#file(path));
  }

  async rename(path: string, name: string): Promise<void> {
    await this.#step("rename", path);
    const node = this.#file(path);
    this.#at(name.slice(0, name.lastIndexOf("/")));
    this.nodes.delete(path);
    this.nodes.set(name, node);
  }

  async remove(path: string): Promise<void> {
    await this.#step("remove", path);
    this.#file(path);
    this.nodes.delete(path);
  }

  async read(path: string): Promise<Bytes> {
    await this.#step("read", path);
    return new Uint8Array(this.#file(path).bytes);
  }

  async lastByte(path: string): Promise<number | undefined> {
    await this.#step("lastByte", path);
    return this.nodes.get(path)?.bytes.at(-1);
  }

  async append(path: string, bytes: Bytes): Promise<void> {
    await this.#step("append", path);
    if (!this.nodes.has(path)) {
      this.#checkFree(path);
      this.#add(path, "file");
    }
    const node = this.#file(path);
    node.bytes = concat(node.bytes, bytes);
    node.modified = ++this.#clock;
  }

  realPath(path: string): Promise<string> {
    return Promise.resolve(path);
  }

  async stamp(path: string): Promise<string> {
    await this.#step("stamp", path);
    const { identity, modified } = this.#at(path);
    return `${identity} ${modified}`;
  }

  async touch(path: string): Promise<void> {
    await this.#step("touch", path);
    this.#at(path).modified = ++this.#clock;
  }

  isTaken(error: unknown): boolean {
    return error instanceof DiskError && error.code === "EEXIST";
  }

  isMissing(error: unknown): boolean {
    return error instanceof DiskError && error.code === "ENOENT";
  }

  async makeFolder(path: string): Promise<void> {
    await this.#step("makeFolder", path);
    const parts = path.split("/");
    for (let i = 1; i <= parts.length; i++) {
      const folder = parts.slice(0, i).join("/");
      if (folder !== "" && !this.nodes.has(folder)) this.#add(folder, "directory");
    }
  }

  async removeFolder(path: string): Promise<void> {
    await this.#step("removeFolder", path);
    this.#at(path);
    if ([...this.nodes.keys()].some((name) => name.startsWith(`${path}/`))) {
      throw new DiskError("ENOTEMPTY", path);
    }
    this.nodes.delete(path);
  }

  async names(path: string): Promise<string[]> {
    await this.#step("names", path);
    this.#at(path);
    const found = new Set<string>();
    for (const name of this.nodes.keys()) {
      if (!name.startsWith(`${path}/`)) continue;
      found.add(name.slice(path.length + 1).split("/")[0]);
    }
    return [...found].reverse();
  }

  async entry(path: string): Promise<DiskEntry | undefined> {
    await this.#step("entry", path);
    const node = this.nodes.get(path);
    if (node === undefined) return undefined;
    const { kind, bytes, modified, identity } = node;
    return { kind, size: bytes.length, modified: new Date(modified), identity };
  }

  async readPart(path: string, start: number, length: number): Promise<Bytes> {
    await this.#step("readPart", path);
    return this.#file(path).bytes.slice(start, start + length);
  }

  syncFolder(path: string): Promise<void> {
    return this.#step("syncFolder", path);
  }
}
