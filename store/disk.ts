import {
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rmdir,
  stat,
  unlink,
  utimes,
} from "node:fs/promises";
import process from "node:process";
import type { DiskEntry, DiskFiles } from "../internal/write_files.ts";

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

async function writing(
  path: string,
  flag: string,
  bytes: Uint8Array,
  mode?: number,
): Promise<void> {
  const file = await open(path, flag, mode);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The disk of Node, Bun and Deno, which the stores here use. */
export const nodeFiles: DiskFiles = {
  createNew: (path, bytes, mode) => writing(path, "wx", bytes, mode),
  link: (path, name) => link(path, name),
  rename: (path, name) => rename(path, name),
  remove: (path) => unlink(path),
  read: async (path) => new Uint8Array(await readFile(path)),
  async lastByte(path): Promise<number | undefined> {
    try {
      const file = await open(path, "r");
      try {
        const { size } = await file.stat();
        if (size === 0) return undefined;
        const buffer = new Uint8Array(1);
        await file.read(buffer, 0, 1, size - 1);
        return buffer[0];
      } finally {
        await file.close();
      }
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  },
  append: (path, bytes) => writing(path, "a", bytes),
  async realPath(path): Promise<string> {
    try {
      return await realpath(path);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return path;
      throw error;
    }
  },
  async stamp(path): Promise<string> {
    const { ino, mtimeMs } = await stat(path);
    return `${ino} ${mtimeMs}`;
  },
  touch: (path) => utimes(path, new Date(), new Date()),
  isTaken: (error) => codeOf(error) === "EEXIST",
  isMissing: (error) => codeOf(error) === "ENOENT",
  async makeFolder(path): Promise<void> {
    await mkdir(path, { recursive: true });
  },
  removeFolder: (path) => rmdir(path),
  names: (path) => readdir(path),
  async entry(path): Promise<DiskEntry | undefined> {
    try {
      const info = await lstat(path);
      const { size, mtime: modified, dev, ino } = info;
      const kind = info.isSymbolicLink()
        ? "link"
        : info.isFile()
        ? "file"
        : info.isDirectory()
        ? "directory"
        : "other";
      return { kind, size, modified, identity: `${dev} ${ino}` };
    } catch (error) {
      const code = codeOf(error);
      if (code === "ENOENT" || code === "ENOTDIR") return undefined;
      throw error;
    }
  },
  async readPart(path, start, length): Promise<Uint8Array<ArrayBuffer>> {
    const file = await open(path, "r");
    try {
      const buffer = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await file.read(buffer, filled, length - filled, start + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    } finally {
      await file.close();
    }
  },
  async syncFolder(path): Promise<void> {
    // A folder is no file to Windows, which brings names to the disk by itself.
    if (process.platform === "win32") return;
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};
