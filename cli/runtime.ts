import { AttestationError } from "../errors.ts";
import { type Bytes, concat } from "../internal/bytes.ts";
import type { Fetch, HttpOptions } from "../internal/http.ts";
import { quote } from "../internal/json.ts";
import type { DiskFiles, NewFile } from "../internal/write_files.ts";

export type { NewFile } from "../internal/write_files.ts";

/** What a path is. */
export interface FileInfo {
  /** Kind of the file; links are followed by `stat`, and shown as links by `readDir`. */
  kind: "file" | "directory" | "link" | "other";
  /** Bytes; 0 for what is no file. */
  size: number;
}

/** One entry of a folder. */
export interface DirEntry {
  /** Name without the folder. */
  name: string;
  /** Kind of the entry itself; a link is not followed. */
  kind: FileInfo["kind"];
}

/** What a program answered. */
export interface CommandResult {
  /** Exit status. */
  status: number;
  /** Standard output. */
  stdout: Bytes;
}

/** How a program is run. */
export interface RunOptions {
  /** Its folder. Default: this process's. */
  cwd?: string;
  /** Variables of its environment, besides those of this process. */
  env?: Readonly<Record<string, string>>;
  /** What it reads from its standard input. Default: nothing. */
  stdin?: string;
}

/** All that the command line needs of the machine that it runs on. */
export interface Runtime {
  /** Arguments after the program's name. */
  readonly args: readonly string[];
  /** How this program is called, for the commands that it proposes. */
  readonly program: string;
  /** Name and version of the runtime. */
  readonly platform: string;
  /** True if the user asked for output without colours. */
  readonly noColor: boolean;
  /** How services are asked. Default: the runtime's `fetch`. */
  readonly fetch?: Fetch;
  /** The clock. Default: the system's. */
  readonly now?: () => Date;
  /** Waits between two tries of a request. Default: a timer. */
  readonly sleep?: HttpOptions["sleep"];
  /** The disk, for stores in files. */
  readonly disk: DiskFiles;
  /** What a path is, links followed; undefined if there is nothing. */
  stat(path: string): Promise<FileInfo | undefined>;
  /** Whole content of a small file. */
  readFile(path: string): Promise<Bytes>;
  /** Path with links followed; the path itself if there is nothing. */
  realPath(path: string): Promise<string>;
  /** Content of a file in chunks of at most {@linkcode CHUNK_BYTES}. */
  openRead(path: string): Promise<ReadableStream<Uint8Array>>;
  /** Entries of a folder, in no order. */
  readDir(path: string): Promise<DirEntry[]>;
  /** Writes a file under another name and renames it: there is the old one or the whole new one. */
  writeFileAtomic(path: string, text: string): Promise<void>;
  /** Makes a folder and those above it; one that is there is as good. */
  makeFolder(path: string): Promise<void>;
  /**
   * Writes a file whole or not at all. Unless `force`, a name that is taken is `file-exists`,
   * also when another process takes it meanwhile; any failure else is `unwritable-file`.
   */
  writeNew(path: string, text: string, options?: Omit<NewFile, "path" | "text">): Promise<void>;
  /** {@linkcode Runtime.writeNew} of several files: all are written, or none. */
  writeAllNew(files: readonly NewFile[]): Promise<void>;
  /**
   * Adds a line to a file of lines, under its lock; a last line without its end is ended
   * first. `locked-file` if the lock does not become free, `unwritable-file` otherwise.
   */
  appendLine(path: string, line: string): Promise<void>;
  /**
   * Does something under the lock of a file, as to read it and write it anew; `run` gets the
   * path with links followed.
   */
  withLock<T>(path: string, run: (path: string) => Promise<T>): Promise<T>;
  /** Value of an environment variable. */
  env(name: string): string | undefined;
  /** All environment variables. */
  environment(): Readonly<Record<string, string | undefined>>;
  /**
   * Asks for a line at the terminal without showing it. `missing-passphrase` if there is no
   * terminal, `aborted` on Ctrl-C.
   */
  readSecret(prompt: string): Promise<string>;
  /** All of standard input; `limit-exceeded` when it is more. */
  readStdin(maxBytes: number): Promise<Bytes>;
  /** Runs a program, of whose answer at most {@linkcode MAX_OUTPUT_BYTES} are accepted. */
  run(
    command: string,
    args: readonly string[],
    options?: RunOptions,
  ): Promise<CommandResult>;
  /** Writes to standard output or standard error. */
  write(stream: "stdout" | "stderr", text: string): void;
  /** Tells whether people see that stream. */
  isTerminal(stream: "stdin" | "stdout" | "stderr"): boolean;
}

/** Most bytes of a program's answer. */
export const MAX_OUTPUT_BYTES = 64 << 20;

/** Bytes of one chunk of {@linkcode Runtime.openRead}. */
export const CHUNK_BYTES = 1 << 20;

/** Runs an access to a file; any failure is `unreadable-file`, with its cause. */
export async function access<T>(action: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw new AttestationError("unreadable-file", `Cannot ${action} ${quote(path)}`, { cause });
  }
}

/** Content of a file of at most so many bytes; the size is looked at before it is read. */
export async function readBounded(
  runtime: Runtime,
  path: string,
  maxBytes: number,
): Promise<Bytes> {
  const info = await access("read", path, () => runtime.stat(path));
  if (info === undefined) {
    throw new AttestationError("unreadable-file", `Cannot read ${quote(path)}: it does not exist`);
  }
  if (info.kind !== "file") {
    throw new AttestationError("unreadable-file", `Cannot read ${quote(path)}: it is no file`);
  }
  if (info.size > maxBytes) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read ${quote(path)}: it has ${info.size} bytes, at most ${maxBytes} are accepted`,
    );
  }
  const bytes = await access("read", path, () => runtime.readFile(path));
  if (bytes.length > maxBytes) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read ${quote(path)}: more than ${maxBytes} bytes`,
    );
  }
  return bytes;
}

/** A stream of bytes from a function that fills a buffer, the reader's own where it has one. */
export function streamOf(
  fill: (buffer: Uint8Array) => Promise<number | null>,
  close: () => void | Promise<void>,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: CHUNK_BYTES,
    async pull(controller) {
      try {
        const request = controller.byobRequest!;
        const { buffer, byteOffset, byteLength } = request.view!;
        const length = await fill(new Uint8Array(buffer, byteOffset, byteLength));
        if (length === null || length === 0) {
          await close();
          controller.close();
          request.respond(0);
        } else request.respond(length);
      } catch (error) {
        await close();
        throw error;
      }
    },
    async cancel() {
      await close();
    },
  });
}

/** All that a stream gives, if it is not too much. */
export async function readAll(
  what: string,
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of chunks) {
    length += part.length;
    if (length > maxBytes) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read ${what}: more than ${maxBytes} bytes`,
      );
    }
    parts.push(part);
  }
  return concat(...parts);
}
