import type { Bytes } from "../internal/bytes.ts";
import { quote } from "../internal/json.ts";
import {
  appendLine,
  type DiskEntry,
  type DiskFiles,
  temporaryName,
  withLock,
  writeAllNew,
} from "../internal/write_files.ts";
import { access, type DirEntry, type FileInfo, MAX_OUTPUT_BYTES, type Runtime } from "./runtime.ts";
import { readAll, streamOf } from "./runtime.ts";
import { noTerminal, SecretLine } from "./secret_line.ts";

function kindOf(
  entry: { isFile: boolean; isDirectory: boolean; isSymlink: boolean },
): FileInfo["kind"] {
  if (entry.isSymlink) return "link";
  return entry.isFile ? "file" : entry.isDirectory ? "directory" : "other";
}

const { AlreadyExists, NotFound, NotADirectory } = Deno.errors;

/** Files of Deno. */
export const denoFiles: DiskFiles = {
  async createNew(path, bytes, mode): Promise<void> {
    using file = await Deno.open(path, { write: true, createNew: true, mode });
    await writeAll(file, bytes);
    await file.sync();
  },
  link: (path, name) => Deno.link(path, name),
  rename: (path, name) => Deno.rename(path, name),
  remove: (path) => Deno.remove(path),
  read: (path) => Deno.readFile(path),
  async lastByte(path): Promise<number | undefined> {
    try {
      using file = await Deno.open(path, { read: true });
      const { size } = await file.stat();
      if (size === 0) return undefined;
      await file.seek(-1, Deno.SeekMode.End);
      const buffer = new Uint8Array(1);
      await file.read(buffer);
      return buffer[0];
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  },
  async append(path, bytes): Promise<void> {
    using file = await Deno.open(path, { append: true, create: true });
    await writeAll(file, bytes);
    await file.sync();
  },
  async realPath(path): Promise<string> {
    try {
      return await Deno.realPath(path);
    } catch (error) {
      if (error instanceof NotFound) return path;
      throw error;
    }
  },
  async stamp(path): Promise<string> {
    const { ino, mtime } = await Deno.stat(path);
    return `${ino} ${mtime?.getTime()}`;
  },
  touch: (path) => Deno.utime(path, new Date(), new Date()),
  isTaken: (error) => error instanceof AlreadyExists,
  isMissing: (error) => error instanceof NotFound,
  makeFolder: (path) => Deno.mkdir(path, { recursive: true }),
  removeFolder: (path) => Deno.remove(path),
  async names(path): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(path)) names.push(name);
    return names;
  },
  async entry(path): Promise<DiskEntry | undefined> {
    try {
      const info = await Deno.lstat(path);
      const { size, mtime, dev, ino } = info;
      return {
        kind: kindOf(info),
        size,
        modified: mtime ?? new Date(0),
        identity: `${dev} ${ino}`,
      };
    } catch (error) {
      if (error instanceof NotFound || error instanceof NotADirectory) return undefined;
      throw error;
    }
  },
  async readPart(path, start, length): Promise<Bytes> {
    using file = await Deno.open(path, { read: true });
    await file.seek(start, Deno.SeekMode.Start);
    const buffer = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const count = await file.read(buffer.subarray(filled));
      if (count === null) break;
      filled += count;
    }
    return buffer.subarray(0, filled);
  },
  async syncFolder(path): Promise<void> {
    // A folder is no file to Windows, which brings names to the disk by itself.
    if (Deno.build.os === "windows") return;
    using folder = await Deno.open(path, { read: true });
    await folder.sync();
  },
};

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** Without leave to look at the environment, nothing is in it. */
function allowed<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return otherwise;
    throw error;
  }
}

/** The runtime of Deno. */
export function denoRuntime(): Runtime {
  const encoder = new TextEncoder();
  const secret = new SecretLine();
  let typed = new Uint8Array(0);
  return {
    args: Deno.args,
    program: "deno run -A cli.ts",
    platform: `deno ${Deno.version.deno}`,
    noColor: Deno.noColor,
    disk: denoFiles,
    async stat(path): Promise<FileInfo | undefined> {
      try {
        const info = await Deno.stat(path);
        return { kind: kindOf(info), size: info.isFile ? info.size : 0 };
      } catch (error) {
        if (error instanceof NotFound || error instanceof NotADirectory) {
          return undefined;
        }
        throw error;
      }
    },
    readFile: (path): Promise<Bytes> => Deno.readFile(path),
    realPath: (path) => denoFiles.realPath(path),
    async openRead(path): Promise<ReadableStream<Uint8Array>> {
      const file = await Deno.open(path, { read: true });
      let open = true;
      return streamOf((buffer) => file.read(buffer), () => {
        if (open) file.close();
        open = false;
      });
    },
    async readDir(path): Promise<DirEntry[]> {
      const entries: DirEntry[] = [];
      for await (const entry of Deno.readDir(path)) {
        entries.push({ name: entry.name, kind: kindOf(entry) });
      }
      return entries;
    },
    async writeFileAtomic(path, text): Promise<void> {
      const temporary = temporaryName(path);
      try {
        await Deno.writeTextFile(temporary, text, { createNew: true });
        await Deno.rename(temporary, path);
      } catch (error) {
        await Deno.remove(temporary).catch(() => {});
        throw error;
      }
    },
    makeFolder: (path): Promise<void> => Deno.mkdir(path, { recursive: true }),
    writeNew: (path, text, options) => writeAllNew(denoFiles, [{ ...options, path, text }]),
    writeAllNew: (files) => writeAllNew(denoFiles, files),
    appendLine: (path, line) => appendLine(denoFiles, path, line),
    withLock: (path, run) => withLock(denoFiles, path, run),
    env: (name) => allowed(() => Deno.env.get(name), undefined),
    environment: () => allowed(() => Deno.env.toObject(), {}),
    async readSecret(prompt): Promise<string> {
      if (!Deno.stdin.isTerminal()) throw noTerminal();
      // Before anybody is asked to type: what is typed early would be shown.
      Deno.stdin.setRaw(true);
      try {
        Deno.stderr.writeSync(encoder.encode(prompt));
        const buffer = new Uint8Array(1024);
        while (true) {
          const done = secret.feed(typed);
          typed = done?.rest ?? new Uint8Array(0);
          if (done !== undefined) return done.line;
          const length = await Deno.stdin.read(buffer);
          typed = length === null ? new Uint8Array([4]) : buffer.slice(0, length);
        }
      } finally {
        Deno.stdin.setRaw(false);
        Deno.stderr.writeSync(encoder.encode("\n"));
      }
    },
    readStdin: (maxBytes) => readAll("standard input", Deno.stdin.readable, maxBytes),
    async run(command, args, options = {}) {
      return await access("run", command, async () => {
        const child = new Deno.Command(command, {
          args: [...args],
          cwd: options.cwd,
          ...(options.env === undefined ? {} : { env: { ...options.env } }),
          stdin: options.stdin === undefined ? "null" : "piped",
          stdout: "piped",
          stderr: "null",
        }).spawn();
        if (options.stdin !== undefined) {
          const writer = child.stdin.getWriter();
          // A program that does not read it has ended, and its status tells.
          await writer.write(new TextEncoder().encode(options.stdin)).catch(() => {});
          await writer.close().catch(() => {});
        }
        const stdout = await readAll(quote(command), child.stdout, MAX_OUTPUT_BYTES);
        return { status: (await child.status).code, stdout };
      });
    },
    write(stream, text): void {
      const bytes = encoder.encode(text);
      try {
        for (let at = 0; at < bytes.length;) at += Deno[stream].writeSync(bytes.subarray(at));
      } catch (error) {
        // The reader of the pipe has gone, as with `| head`: nobody is left to tell.
        if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      }
    },
    isTerminal: (stream): boolean => Deno[stream].isTerminal(),
  };
}
