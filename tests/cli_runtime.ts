/** A machine in memory for tests of the command line. */

import type { Bytes } from "../internal/bytes.ts";
import { utf8 } from "../internal/bytes.ts";
import { type DirEntry, type FileInfo, type Runtime, streamOf } from "../cli/runtime.ts";

/** A file: its content, or that it cannot be read, or a size that nobody should read. */
export type MemoryFile = string | Uint8Array | { unreadable: true } | { size: number } | {
  link: string;
};

/** A runtime whose files and streams are in memory. */
export class MemoryRuntime implements Runtime {
  readonly args: readonly string[];
  readonly program = "attest";
  readonly platform = "memory 1.0";
  noColor = false;
  terminal = false;
  stdout = "";
  stderr = "";
  /** Paths in the order in which they were read. */
  readonly reads: string[] = [];
  readonly files: Map<string, MemoryFile>;

  constructor(files: Record<string, MemoryFile> = {}, args: readonly string[] = []) {
    this.files = new Map(Object.entries(files));
    this.args = args;
  }

  #find(path: string): { path: string; file: MemoryFile } | undefined {
    const plain = path.replace(/^\.\//, "");
    const file = this.files.get(plain);
    if (file === undefined) return undefined;
    return typeof file === "object" && "link" in file
      ? this.#find(file.link)
      : { path: plain, file };
  }

  #isFolder(path: string): boolean {
    const prefix = path === "." ? "" : `${path.replace(/\/+$/, "")}/`;
    return [...this.files.keys()].some((name) => name.startsWith(prefix));
  }

  stat(path: string): Promise<FileInfo | undefined> {
    const found = this.#find(path);
    if (found === undefined) {
      return Promise.resolve(this.#isFolder(path) ? { kind: "directory", size: 0 } : undefined);
    }
    const { file } = found;
    const size = typeof file === "string"
      ? utf8(file).length
      : file instanceof Uint8Array
      ? file.length
      : "size" in file
      ? file.size
      : 1;
    return Promise.resolve({ kind: "file", size });
  }

  readFile(path: string): Promise<Bytes> {
    this.reads.push(path);
    const file = this.#find(path)?.file;
    if (typeof file === "string") return Promise.resolve(utf8(file));
    if (file instanceof Uint8Array) return Promise.resolve(new Uint8Array(file));
    return Promise.reject(new Error(`permission denied: ${path}`));
  }

  async openRead(path: string): Promise<ReadableStream<Uint8Array>> {
    const bytes = await this.readFile(path);
    let at = 0;
    return streamOf((buffer) => {
      const part = bytes.subarray(at, at + buffer.length);
      buffer.set(part);
      at += part.length;
      return Promise.resolve(part.length);
    }, () => {});
  }

  readDir(path: string): Promise<DirEntry[]> {
    const prefix = path === "." ? "" : `${path.replace(/\/+$/, "")}/`;
    const entries = new Map<string, DirEntry>();
    for (const [name, file] of this.files) {
      if (!name.startsWith(prefix)) continue;
      const [first, ...rest] = name.slice(prefix.length).split("/");
      const kind = rest.length > 0
        ? "directory"
        : typeof file === "object" && "link" in file
        ? "link"
        : "file";
      entries.set(first, { name: first, kind });
    }
    return Promise.resolve([...entries.values()].reverse());
  }

  writeFileAtomic(path: string, text: string): Promise<void> {
    if (path.startsWith("readonly/")) return Promise.reject(new Error("read-only file system"));
    this.files.set(path, text);
    return Promise.resolve();
  }

  write(stream: "stdout" | "stderr", text: string): void {
    this[stream] += text;
  }

  isTerminal(): boolean {
    return this.terminal;
  }
}
