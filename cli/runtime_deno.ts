import type { Bytes } from "../internal/bytes.ts";
import type { DirEntry, FileInfo, Runtime } from "./runtime.ts";
import { streamOf, temporaryName } from "./runtime.ts";

function kindOf(
  entry: { isFile: boolean; isDirectory: boolean; isSymlink: boolean },
): FileInfo["kind"] {
  if (entry.isSymlink) return "link";
  return entry.isFile ? "file" : entry.isDirectory ? "directory" : "other";
}

/** The runtime of Deno. */
export function denoRuntime(): Runtime {
  const encoder = new TextEncoder();
  return {
    args: Deno.args,
    program: "deno run -A cli.ts",
    platform: `deno ${Deno.version.deno}`,
    noColor: Deno.noColor,
    async stat(path): Promise<FileInfo | undefined> {
      try {
        const info = await Deno.stat(path);
        return { kind: kindOf(info), size: info.isFile ? info.size : 0 };
      } catch (error) {
        if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
          return undefined;
        }
        throw error;
      }
    },
    readFile: (path): Promise<Bytes> => Deno.readFile(path),
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
