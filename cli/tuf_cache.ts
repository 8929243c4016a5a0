import { AttestationError } from "../errors.ts";
import { type Bytes, utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { decodeUtf8, quote } from "../internal/json.ts";
import { sha256 } from "../internal/sha256.ts";
import type { TufCache } from "../sigstore/tuf/cache.ts";
import { usageError } from "./args.ts";
import { access, readBounded, type Runtime } from "./runtime.ts";

const MAX_BYTES = 16 << 20;

/**
 * A cache in a folder. Files are written whole or not at all; of two processes at once the
 * last one's stays, and each reads only what it can verify.
 */
export function folderTufCache(folder: string, runtime: Runtime): TufCache {
  let made: Promise<void> | undefined;
  return {
    async read(name: string): Promise<Bytes | undefined> {
      const path = `${folder}/${name}`;
      const info = await access("read", path, () => runtime.stat(path));
      // Too long is for the client to refuse, which knows what it may be.
      if (info === undefined || info.kind !== "file" || info.size > MAX_BYTES) return undefined;
      return await readBounded(runtime, path, MAX_BYTES);
    },
    async write(name: string, bytes: Bytes): Promise<void> {
      made ??= makeFolder(folder, runtime);
      await made;
      await runtime.writeNew(`${folder}/${name}`, decodeUtf8(bytes), { force: true });
    },
  };
}

async function makeFolder(folder: string, runtime: Runtime): Promise<void> {
  try {
    await runtime.makeFolder(folder);
  } catch (cause) {
    throw new AttestationError("unwritable-file", `Cannot make the folder ${quote(folder)}`, {
      cause,
    });
  }
}

/**
 * Folder for what a repository gave: one for each address, below the one that was named or
 * the user's folder for caches (XDG Base Directory Specification).
 *
 * @throws {AttestationError} `usage` if there is none.
 */
export function cacheFolder(named: string | undefined, baseUrl: string, runtime: Runtime): string {
  const host = new URL(baseUrl).hostname.replace(/[^a-z0-9.-]/g, "");
  const digest = encodeHex(sha256(utf8(baseUrl.replace(/\/+$/, "")))).slice(0, 12);
  return `${named ?? defaultFolder(runtime)}/${host}-${digest}`;
}

function defaultFolder(runtime: Runtime): string {
  const xdg = runtime.env("XDG_CACHE_HOME");
  // The specification: a path that is not absolute is to be ignored.
  if (xdg !== undefined && xdg.startsWith("/")) return `${xdg}/attest/tuf`;
  const local = runtime.env("LOCALAPPDATA");
  if (local !== undefined && local !== "") return `${local}/attest/tuf`;
  const home = runtime.env("HOME");
  if (home !== undefined && home !== "") return `${home}/.cache/attest/tuf`;
  throw usageError("Say where to keep what is got: --cache DIR, as there is no home folder");
}
