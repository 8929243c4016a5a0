import { AttestationError } from "../../errors.ts";
import { concat } from "../../internal/bytes.ts";
import { quote } from "../../internal/json.ts";
import { type DiskFiles, temporaryName, withLock } from "../../internal/write_files.ts";
import type { LayoutFiles } from "./layout.ts";
import type { RandomAccess } from "./tar.ts";

const MODE = 0o666;
/** Bytes that are brought to the disk at once. */
const PART = 8 << 20;

/** The files of a layout in a folder; each is written under another name and renamed. */
export function folderFiles(folder: string, disk: DiskFiles): LayoutFiles {
  const at = (path: string) => `${folder.replace(/(?<=.)[/\\]+$/, "")}/${path}`;
  return {
    name: folder,
    size: (path) =>
      reading(path, async () => {
        const entry = await disk.entry(at(path));
        return entry?.kind === "file" ? entry.size : undefined;
      }),
    open: (path) => Promise.resolve(partsOf(at(path), disk)),
    names: (path) =>
      reading(path, async () => {
        const entry = await disk.entry(at(path));
        return entry?.kind === "directory" ? await disk.names(at(path)) : [];
      }),
    writer: {
      async write(path, content) {
        const target = at(path);
        await writing(target, () => disk.makeFolder(target.slice(0, target.lastIndexOf("/"))));
        await writeWhole(target, content, disk);
      },
      async locked(run) {
        await writing(folder, () => disk.makeFolder(at("").slice(0, -1)));
        return await withLock(disk, at("index.json"), run);
      },
    },
  };
}

/** A file on disk, of which any part can be read. */
export async function fileAccess(path: string, disk: DiskFiles): Promise<RandomAccess> {
  const real = await reading(path, () => disk.realPath(path));
  const entry = await reading(path, () => disk.entry(real));
  if (entry?.kind !== "file") {
    throw new AttestationError("unreadable-file", `Cannot read ${quote(path)}: it is no file`);
  }
  return {
    name: path,
    size: entry.size,
    read: (offset, length) => reading(path, () => disk.readPart(real, offset, length)),
  };
}

function partsOf(path: string, disk: DiskFiles): ReadableStream<Uint8Array> {
  let offset = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const part = await reading(path, () => disk.readPart(path, offset, 1 << 20));
      if (part.length === 0) return controller.close();
      offset += part.length;
      controller.enqueue(part);
    },
  }, { highWaterMark: 0 });
}

async function writeWhole(
  path: string,
  content: ReadableStream<Uint8Array>,
  disk: DiskFiles,
): Promise<void> {
  const temporary = temporaryName(path);
  const reader = content.getReader();
  let parts: Uint8Array[] = [];
  let held = 0;
  let isBegun = false;
  const flush = async () => {
    const bytes = concat(...parts);
    parts = [];
    held = 0;
    await writing(
      path,
      () => isBegun ? disk.append(temporary, bytes) : disk.createNew(temporary, bytes, MODE),
    );
    isBegun = true;
  };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      held += value.length;
      if (held >= PART) await flush();
    }
    if (held > 0 || !isBegun) await flush();
    await writing(path, async () => {
      await disk.rename(temporary, path);
      await disk.syncFolder(path.slice(0, path.lastIndexOf("/")));
    });
  } catch (cause) {
    await reader.cancel(cause).catch(() => {});
    if (isBegun) await disk.remove(temporary).catch(() => {});
    throw cause;
  }
}

async function reading<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw new AttestationError("unreadable-file", `Cannot read ${quote(path)}`, { cause });
  }
}

async function writing<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw new AttestationError("unwritable-file", `Cannot write ${quote(path)}`, { cause });
  }
}
