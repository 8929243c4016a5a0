import { AttestationError } from "../errors.ts";
import { type Bytes, utf8 } from "./bytes.ts";
import { quote } from "./json.ts";

/** A file to write. */
export interface NewFile {
  /** Where. */
  path: string;
  /** Whole content. */
  text: string;
  /** For the eyes of its owner only: mode 0600 from its first byte on. Default false. */
  secret?: boolean;
  /** Replace the file that is there. Default false: it is refused. */
  force?: boolean;
}

/** What the writing of files needs of a machine; any failure is the machine's own error. */
export interface WritableFiles {
  /** Makes a file that must not be there, with a mode, and brings it to the disk. */
  createNew(path: string, bytes: Uint8Array<ArrayBuffer>, mode: number): Promise<void>;
  /** Gives a file a second name that must not be there. */
  link(path: string, name: string): Promise<void>;
  /** Renames a file over whatever file has the new name. */
  rename(path: string, name: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
  /** Whole content. */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The last byte; undefined of what is empty or not there. */
  lastByte(path: string): Promise<number | undefined>;
  /** Adds to the end of a file, which is made when it is not there. */
  append(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The path with links followed; the path itself when there is nothing. */
  realPath(path: string): Promise<string>;
  /** What changes whenever a file is touched or another one has its name. */
  stamp(path: string): Promise<string>;
  /** Sets the time of the last change to now. */
  touch(path: string): Promise<void>;
  /** Tells whether an error says that the name is taken. */
  isTaken(error: unknown): boolean;
  /** Tells whether an error says that there is nothing. */
  isMissing(error: unknown): boolean;
}

/** What a name in a folder is; a link is not followed. */
export interface DiskEntry {
  /** Kind of the entry itself. */
  kind: "file" | "directory" | "link" | "other";
  /** Bytes. */
  size: number;
  /** When its content was changed last. */
  modified: Date;
  /** The same for as long as it is the same file, whatever is written into it. */
  identity: string;
}

/** What a store of files needs of a machine; any failure is the machine's own error. */
export interface DiskFiles extends WritableFiles {
  /** Makes a folder and those above it; one that is there is as good. */
  makeFolder(path: string): Promise<void>;
  /** Removes an empty folder. */
  removeFolder(path: string): Promise<void>;
  /** Names in a folder, in no order. */
  names(path: string): Promise<string[]>;
  /** What a path is; undefined if there is nothing. */
  entry(path: string): Promise<DiskEntry | undefined>;
  /** So many bytes from a place on; fewer at the end of the file. */
  readPart(path: string, start: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Brings the names in a folder to the disk, where the system can do that. */
  syncFolder(path: string): Promise<void>;
}

/** Times of a lock, milliseconds. */
export interface LockTimes {
  /** Its holder touches the lock so often. */
  touchMs: number;
  /** A lock that nobody touched for so long was left behind by a process that ended. */
  staleMs: number;
  /** How long to wait for a lock. */
  waitMs: number;
}

/** The times of locks unless told otherwise. */
export const LOCK_TIMES: LockTimes = { touchMs: 1000, staleMs: 8000, waitMs: 30_000 };
const POLL_MS = 15;
const PUBLIC = 0o666;
const SECRET = 0o600;

/** Name for the file that is renamed when it is complete; in the same folder, not guessable. */
export function temporaryName(path: string): string {
  return `${path}.${crypto.randomUUID()}.tmp`;
}

/**
 * Writes files, all or none: each is complete under another name before the first one gets
 * its own. Without `force` a name that is taken, also by a link to nowhere, is refused, and
 * of two who write at once one is.
 *
 * @throws {AttestationError} `file-exists`, `unwritable-file`.
 */
export async function writeAllNew(
  files: WritableFiles,
  wanted: readonly NewFile[],
): Promise<void> {
  const temporary = wanted.map(({ path }) => temporaryName(path));
  const undo: (() => Promise<void>)[] = [];
  const leftover = [...temporary];
  try {
    for (const [i, { path, text, secret }] of wanted.entries()) {
      await writing(
        files,
        path,
        () => files.createNew(temporary[i], utf8(text), secret === true ? SECRET : PUBLIC),
      );
    }
    for (const [i, { path, force }] of wanted.entries()) {
      await writing(files, path, async () => {
        if (force !== true) {
          await publish(files, temporary[i], path);
          undo.push(() => files.remove(path));
          return;
        }
        const old = wanted.length === 1 ? undefined : await keep(files, path);
        if (old?.name !== undefined) leftover.push(old.name);
        await files.rename(temporary[i], path);
        undo.push(async () => {
          if (old === undefined) await files.remove(path);
          else if (old.name !== undefined) await files.rename(old.name, path);
        });
      });
    }
  } catch (error) {
    for (const back of undo.reverse()) await back().catch(() => {});
    throw error;
  } finally {
    for (const path of leftover) await files.remove(path).catch(() => {});
  }
}

/** Gives a complete file its name, if that is free. */
async function publish(files: WritableFiles, temporary: string, path: string): Promise<void> {
  try {
    await files.link(temporary, path);
  } catch (error) {
    if (files.isTaken(error)) throw error;
    // Not every file system has hard links: there the name is taken first, then filled.
    await files.createNew(path, new Uint8Array(0), SECRET);
    try {
      await files.rename(temporary, path);
    } catch (failure) {
      await files.remove(path).catch(() => {});
      throw failure;
    }
  }
}

/**
 * A second name for the file that is about to be replaced; none where there are no hard
 * links, and undefined if there is no such file.
 */
async function keep(files: WritableFiles, path: string): Promise<{ name?: string } | undefined> {
  const name = temporaryName(path);
  try {
    await files.link(path, name);
    return { name };
  } catch (error) {
    return files.isMissing(error) ? undefined : {};
  }
}

/**
 * Adds one line to the end of a file, under a lock. A last line without its end, which a
 * writer left that was stopped, is ended first.
 *
 * @throws {AttestationError} `locked-file`, `unwritable-file`.
 * @throws {TypeError} If the line has a line break.
 */
export async function appendLine(
  files: WritableFiles,
  path: string,
  line: string,
  times: LockTimes = LOCK_TIMES,
): Promise<void> {
  await withLock(files, path, () => appendUnderLock(files, path, line), times);
}

/** {@linkcode appendLine} for who holds the lock. */
export async function appendUnderLock(
  files: WritableFiles,
  path: string,
  line: string,
): Promise<void> {
  if (/[\n\r]/.test(line)) throw new TypeError("A line must not have a line break");
  await writing(files, path, async () => {
    const last = await files.lastByte(path);
    const start = last === undefined || last === 10 ? "" : "\n";
    await files.append(path, utf8(`${start}${line}\n`));
  });
}

/**
 * Does something while no other process that asks has the same file's lock, which is a file
 * of the same name and `.lock`. One that a stopped process left behind is taken over. `run`
 * gets the path with links followed: what it writes there replaces no link.
 *
 * @throws {AttestationError} `locked-file`, `unwritable-file`.
 */
export async function withLock<T>(
  files: WritableFiles,
  path: string,
  run: (path: string) => Promise<T>,
  times: LockTimes = LOCK_TIMES,
): Promise<T> {
  const real = await writing(files, path, () => files.realPath(path));
  const lock = `${real}.lock`;
  const token = utf8(`${crypto.randomUUID()}\n`);
  await acquire(files, path, lock, token, times);
  const beat = setInterval(() => void files.touch(lock).catch(() => {}), times.touchMs);
  try {
    return await run(real);
  } finally {
    clearInterval(beat);
    if (await holds(files, lock, token)) await files.remove(lock).catch(() => {});
  }
}

async function acquire(
  files: WritableFiles,
  path: string,
  lock: string,
  token: Bytes,
  { staleMs, waitMs }: LockTimes,
): Promise<void> {
  const start = performance.now();
  let seen: string | undefined;
  let since = start;
  while (true) {
    try {
      return await files.createNew(lock, token, PUBLIC);
    } catch (error) {
      if (!files.isTaken(error)) throw unwritable(path, error);
    }
    // Compared with itself only: clocks of two machines that share a folder differ.
    const stamp = await files.stamp(lock).catch(() => undefined);
    const now = performance.now();
    if (stamp === undefined || stamp !== seen) [seen, since] = [stamp, now];
    else if (now - since >= staleMs) await breakLock(files, lock, stamp, staleMs);
    if (now - start >= waitMs) {
      const what = `${quote(lock)} is held by somebody else; remove it if nothing runs`;
      throw new AttestationError("locked-file", `Cannot write ${quote(path)}: ${what}`);
    }
    await delay(POLL_MS * (0.5 + Math.random()));
  }
}

/** Removes a lock that was left behind; one process at a time, so that no new lock is hit. */
async function breakLock(
  files: WritableFiles,
  lock: string,
  stamp: string,
  staleMs: number,
): Promise<void> {
  const breaker = `${lock}.stale`;
  try {
    await files.createNew(breaker, new Uint8Array(0), PUBLIC);
  } catch {
    const before = await files.stamp(breaker).catch(() => undefined);
    await delay(staleMs);
    const after = await files.stamp(breaker).catch(() => undefined);
    if (before !== undefined && before === after) await files.remove(breaker).catch(() => {});
    return;
  }
  try {
    if (await files.stamp(lock) === stamp) await files.remove(lock);
  } catch {
    // It has been removed already.
  } finally {
    await files.remove(breaker).catch(() => {});
  }
}

async function holds(files: WritableFiles, lock: string, token: Bytes): Promise<boolean> {
  try {
    const found = await files.read(lock);
    return found.length === token.length && found.every((byte, i) => byte === token[i]);
  } catch {
    return false;
  }
}

async function writing<T>(files: WritableFiles, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof AttestationError) throw cause;
    if (files.isTaken(cause)) {
      throw new AttestationError("file-exists", `Cannot write ${quote(path)}: it exists already`);
    }
    throw unwritable(path, cause);
  }
}

function unwritable(path: string, cause: unknown): AttestationError {
  return new AttestationError("unwritable-file", `Cannot write ${quote(path)}`, { cause });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
