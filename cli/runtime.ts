import { AttestationError } from "../errors.ts";
import type { Bytes } from "../internal/bytes.ts";
import { quote } from "../internal/json.ts";

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
  /** What a path is, links followed; undefined if there is nothing. */
  stat(path: string): Promise<FileInfo | undefined>;
  /** Whole content of a small file. */
  readFile(path: string): Promise<Bytes>;
  /** Content of a file in chunks of at most {@linkcode CHUNK_BYTES}. */
  openRead(path: string): Promise<ReadableStream<Uint8Array>>;
  /** Entries of a folder, in no order. */
  readDir(path: string): Promise<DirEntry[]>;
  /** Writes a file under another name and renames it: there is the old one or the whole new one. */
  writeFileAtomic(path: string, text: string): Promise<void>;
  /** Writes to standard output or standard error. */
  write(stream: "stdout" | "stderr", text: string): void;
  /** Tells whether people see that stream. */
  isTerminal(stream: "stdout" | "stderr"): boolean;
}

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

/** Name for the file that is renamed when it is complete; in the same folder, not guessable. */
export function temporaryName(path: string): string {
  return `${path}.${crypto.randomUUID()}.tmp`;
}
