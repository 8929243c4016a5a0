import { spawn } from "node:child_process";
import { writeSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import process from "node:process";
import { quote } from "../internal/json.ts";
import { appendLine, temporaryName, withLock, writeAllNew } from "../internal/write_files.ts";
import { nodeFiles } from "../store/disk.ts";
import { access, type DirEntry, type FileInfo, MAX_OUTPUT_BYTES, type Runtime } from "./runtime.ts";
import { readAll, streamOf } from "./runtime.ts";
import { noTerminal, SecretLine } from "./secret_line.ts";

interface NodeKind {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

function kindOf(entry: NodeKind): FileInfo["kind"] {
  if (entry.isSymbolicLink()) return "link";
  return entry.isFile() ? "file" : entry.isDirectory() ? "directory" : "other";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** The runtime of Node and Bun. */
export function nodeRuntime(): Runtime {
  const bun = process.versions.bun;
  const secret = new SecretLine();
  let typed: Uint8Array = new Uint8Array(0);
  return {
    args: process.argv.slice(2),
    program: "attest",
    platform: bun === undefined ? `node ${process.versions.node}` : `bun ${bun}`,
    noColor: Boolean(process.env.NO_COLOR),
    disk: nodeFiles,
    async stat(path): Promise<FileInfo | undefined> {
      try {
        const info = await stat(path);
        return { kind: kindOf(info), size: info.isFile() ? info.size : 0 };
      } catch (error) {
        const code = codeOf(error);
        if (code === "ENOENT" || code === "ENOTDIR") return undefined;
        throw error;
      }
    },
    readFile: async (path) => new Uint8Array(await readFile(path)),
    realPath: (path) => nodeFiles.realPath(path),
    async openRead(path): Promise<ReadableStream<Uint8Array>> {
      const file = await open(path, "r");
      let closed: Promise<void> | undefined;
      return streamOf(
        async (buffer) => (await file.read(buffer, 0, buffer.length)).bytesRead,
        () => closed ??= file.close(),
      );
    },
    async readDir(path): Promise<DirEntry[]> {
      const entries = await readdir(path, { withFileTypes: true });
      return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
    },
    async writeFileAtomic(path, text): Promise<void> {
      const temporary = temporaryName(path);
      try {
        await writeFile(temporary, text, { flag: "wx" });
        await rename(temporary, path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
    async makeFolder(path): Promise<void> {
      await mkdir(path, { recursive: true });
    },
    writeNew: (path, text, options) => writeAllNew(nodeFiles, [{ ...options, path, text }]),
    writeAllNew: (files) => writeAllNew(nodeFiles, files),
    appendLine: (path, line) => appendLine(nodeFiles, path, line),
    withLock: (path, run) => withLock(nodeFiles, path, run),
    env: (name) => process.env[name],
    environment: () => ({ ...process.env }),
    async readSecret(prompt): Promise<string> {
      if (process.stdin.isTTY !== true) throw noTerminal();
      // Before anybody is asked to type: what is typed early would be shown.
      process.stdin.setRawMode(true);
      try {
        writeSync(2, prompt);
        while (true) {
          const done = secret.feed(typed);
          typed = done?.rest ?? new Uint8Array(0);
          if (done !== undefined) return done.line;
          typed = await nextChunk();
        }
      } finally {
        process.stdin.setRawMode(false);
        writeSync(2, "\n");
      }
    },
    readStdin: (maxBytes) => readAll("standard input", process.stdin, maxBytes),
    async run(command, args, options = {}) {
      return await access("run", command, async () => {
        const child = spawn(command, args, {
          cwd: options.cwd,
          env: { ...process.env, ...options.env },
          stdio: [options.stdin === undefined ? "ignore" : "pipe", "pipe", "ignore"],
          windowsHide: true,
        });
        // A program that does not read it has ended, and its status tells.
        child.stdin?.on("error", () => {});
        child.stdin?.end(options.stdin);
        const ended = new Promise<number>((resolve, reject) => {
          child.on("error", reject);
          child.on("close", (code) => resolve(code ?? 1));
        });
        const [status, stdout] = await Promise.all([
          ended,
          readAll(quote(command), child.stdout!, MAX_OUTPUT_BYTES),
        ]);
        return { status, stdout };
      });
    },
    write(stream, text): void {
      const bytes = new TextEncoder().encode(text);
      const descriptor = stream === "stdout" ? 1 : 2;
      for (let at = 0; at < bytes.length;) {
        try {
          at += writeSync(descriptor, bytes, at);
        } catch (error) {
          const code = codeOf(error);
          // The reader of the pipe has gone, as with `| head`: nobody is left to tell.
          if (code === "EPIPE") return;
          // A pipe that does not block is full: try until its reader has caught up.
          if (code !== "EAGAIN") throw error;
        }
      }
    },
    isTerminal: (stream): boolean => process[stream].isTTY === true,
  };
}

/** What is typed next; the end of input is Ctrl-D. */
function nextChunk(): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const done = (chunk?: Uint8Array): void => {
      process.stdin.off("data", done).off("end", done).pause();
      resolve(chunk ?? new Uint8Array([4]));
    };
    process.stdin.on("data", done).on("end", done).resume();
  });
}

/** Ends the process; everything was written before, as writing is synchronous. */
export function exit(status: number): never {
  process.exit(status);
}
