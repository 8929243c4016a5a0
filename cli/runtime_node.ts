import { writeSync } from "node:fs";
import { open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import process from "node:process";
import type { DirEntry, FileInfo, Runtime } from "./runtime.ts";
import { streamOf, temporaryName } from "./runtime.ts";

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
  return {
    args: process.argv.slice(2),
    program: "attest",
    platform: bun === undefined ? `node ${process.versions.node}` : `bun ${bun}`,
    noColor: Boolean(process.env.NO_COLOR),
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

/** Ends the process; everything was written before, as writing is synchronous. */
export function exit(status: number): never {
  process.exit(status);
}
