/** A machine in memory for tests of the command line. */

import type { Bytes } from "../internal/bytes.ts";
import { utf8 } from "../internal/bytes.ts";
import type { Fetch } from "../internal/http.ts";
import { MemoryDisk } from "../store/_memory_disk_test.ts";
import { SAFE_GIT } from "../cli/git.ts";
import { AttestationError } from "../errors.ts";
import {
  type CommandResult,
  type DirEntry,
  type FileInfo,
  type NewFile,
  type Runtime,
  streamOf,
} from "../cli/runtime.ts";

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
  /** How services are asked. */
  fetch?: Fetch;
  /** The clock. */
  now?: () => Date;
  /** Waits between two tries of a request. */
  sleep?: () => Promise<void>;
  terminal = false;
  stdout = "";
  stderr = "";
  /** Paths in the order in which they were read. */
  readonly reads: string[] = [];
  readonly files: Map<string, MemoryFile>;
  /** Files that were written for the eyes of their owner. */
  readonly secret = new Set<string>();
  /** Environment variables. */
  variables: Record<string, string> = {};
  /** What is typed when a secret is asked for, in order; without it there is no terminal. */
  typed?: string[];
  /** What was asked. */
  readonly prompts: string[] = [];
  /** Standard input. */
  stdin: string | Uint8Array = "";
  /** Answers of programs by their command line, such as `git rev-parse HEAD`. */
  readonly commands = new Map<string, CommandResult | string>();
  /** The disk, for stores in files; apart from the files. */
  readonly disk = new MemoryDisk();
  /** Files whose lock another process has. */
  readonly locked = new Set<string>();

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
    const prefix = /^\.\/*$/.test(path) ? "" : `${path.replace(/\/+$/, "")}/`;
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

  realPath(path: string): Promise<string> {
    const plain = this.#find(path)?.path ?? path.replace(/^(\.\/)+|^\.$/, "");
    return Promise.resolve(plain.startsWith("/") ? plain : `/${plain}`);
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

  makeFolder(path: string): Promise<void> {
    if (path.startsWith("readonly/")) return Promise.reject(new Error("read-only file system"));
    return Promise.resolve();
  }

  writeNew(
    path: string,
    text: string,
    options?: Omit<NewFile, "path" | "text">,
  ): Promise<void> {
    return this.writeAllNew([{ ...options, path, text }]);
  }

  // deno-lint-ignore require-await
  async writeAllNew(files: readonly NewFile[]): Promise<void> {
    for (const { path, force } of files) {
      if (path.startsWith("readonly/")) {
        throw new AttestationError("unwritable-file", `Cannot write "${path}"`);
      }
      if (force !== true && this.files.has(path)) {
        throw new AttestationError("file-exists", `Cannot write "${path}": it exists already`);
      }
    }
    for (const { path, text, secret } of files) {
      this.files.set(path, text);
      if (secret === true) this.secret.add(path);
      else this.secret.delete(path);
    }
  }

  appendLine(path: string, line: string): Promise<void> {
    return this.withLock(path, async () => {
      const old = this.files.has(path) ? new TextDecoder().decode(await this.readFile(path)) : "";
      const start = old === "" || old.endsWith("\n") ? old : `${old}\n`;
      await this.writeNew(path, `${start}${line}\n`, { force: true });
    });
  }

  async withLock<T>(path: string, run: (path: string) => Promise<T>): Promise<T> {
    if (this.locked.has(path)) {
      throw new AttestationError("locked-file", `Cannot write "${path}": it is locked`);
    }
    this.locked.add(path);
    try {
      return await run(path);
    } finally {
      this.locked.delete(path);
    }
  }

  env(name: string): string | undefined {
    return this.variables[name];
  }

  environment(): Readonly<Record<string, string | undefined>> {
    return this.variables;
  }

  // deno-lint-ignore require-await
  async readSecret(prompt: string): Promise<string> {
    if (this.typed === undefined) {
      throw new AttestationError("missing-passphrase", "Cannot ask: there is no terminal");
    }
    this.prompts.push(prompt);
    const line = this.typed.shift();
    if (line === undefined) throw new AttestationError("aborted", "Cannot read passphrase");
    return line;
  }

  // deno-lint-ignore require-await
  async readStdin(maxBytes: number): Promise<Bytes> {
    const bytes = typeof this.stdin === "string" ? utf8(this.stdin) : new Uint8Array(this.stdin);
    if (bytes.length > maxBytes) {
      throw new AttestationError("limit-exceeded", "Cannot read standard input: too long");
    }
    return bytes;
  }

  // deno-lint-ignore require-await
  async run(command: string, args: readonly string[]): Promise<CommandResult> {
    const safe = command === "git" ? SAFE_GIT : [];
    if (safe.some((word, i) => args[i] !== word)) {
      throw new Error(`${command} is run without its safe options`);
    }
    const answer = this.commands.get([command, ...args.slice(safe.length)].join(" "));
    if (answer === undefined) {
      throw new AttestationError("unreadable-file", `Cannot run "${command}"`);
    }
    return typeof answer === "string" ? { status: 0, stdout: utf8(answer) } : answer;
  }

  write(stream: "stdout" | "stderr", text: string): void {
    this[stream] += text;
  }

  isTerminal(stream: "stdin" | "stdout" | "stderr"): boolean {
    return stream === "stdin" ? this.typed !== undefined : this.terminal;
  }
}
