import { AttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import { digest } from "../internal/digest.ts";
import { encodeHex } from "../internal/hex.ts";
import { decodeUtf8, isObject, parseJson } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { sha256 } from "../internal/sha256.ts";
import type { ArtifactContent } from "../verify/options.ts";
import type { NpmPackageSource } from "./lockfile.ts";
import type { LockedPackage } from "./lockfile_parse.ts";
import { describePackage, isNpmName, isNpmVersion, type NpmPackage } from "./purl.ts";

/** Access to files, as the runtime has it. */
export interface NpmFiles {
  /** The whole of a small file, or undefined if there is none; bounded by whoever gives it. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Content of a file of any size, or undefined if there is none. */
  open(path: string): Promise<ArtifactContent | undefined>;
}

/** Folders that are looked through, in this order; paths without a slash at the end. */
export interface NpmFolders {
  /** Tarballs, named as `npm pack` or the registry names them. */
  tarballs?: string;
  /** An npm cache: the folder `~/.npm`, or the `_cacache` in it. */
  cache?: string;
  /** Answers of the registry: `NAME@VERSION.json`, with `%2f` for the slash of a scope. */
  attestations?: string;
  /** Registry whose answers are looked for in the cache. Default: where the lockfile has it from. */
  registry?: string;
}

/**
 * Finds tarballs and answers in folders and in an npm cache. Names come from the lockfile;
 * those that are no names of packages are never made into a path.
 *
 * A tarball is found in the cache by its SHA-512. Answers are there after
 * `npm audit signatures`.
 *
 * Source: cacache 18 and later, `content-v2` and `index-v5`; make-fetch-happen, "cache key".
 *
 * @throws {TypeError} If a member of `folders` is unknown.
 *
 * @example A folder of tarballs
 * ```ts
 * import { createFolderSource } from "@x/attest/npm";
 * import assert from "node:assert/strict";
 *
 * const files = new Map([["tarballs/a-1.0.0.tgz", new Uint8Array(3)]]);
 * const read = (path: string) => Promise.resolve(files.get(path));
 * const source = createFolderSource({ read, open: read }, { tarballs: "tarballs" });
 * const found = await source.tarball({ name: "a", version: "1.0.0", locations: [] });
 * assert.ok(found instanceof Uint8Array);
 * ```
 */
export function createFolderSource(files: NpmFiles, folders: NpmFolders): NpmPackageSource {
  refuseUnknown(folders, ["tarballs", "cache", "attestations", "registry"], "createFolderSource()");
  const { tarballs, cache, attestations, registry } = folders;
  return {
    async tarball(one: LockedPackage): Promise<ArtifactContent | undefined> {
      if (!isSafe(one)) return undefined;
      if (tarballs !== undefined) {
        for (const name of tarballNames(one)) {
          const found = await files.open(`${tarballs}/${name}`);
          if (found !== undefined) return found;
        }
      }
      if (cache === undefined || one.sha512 === undefined) return undefined;
      return await inCache(cache, contentPath(one.sha512), (path) => files.open(path));
    },
    async attestations(one: NpmPackage & { resolved?: string }): Promise<Uint8Array | undefined> {
      if (!isSafe(one)) return undefined;
      if (attestations !== undefined) {
        for (const name of answerNames(one)) {
          const found = await files.read(`${attestations}/${name}`);
          if (found !== undefined) return found;
        }
      }
      const address = registry ?? registryOf(one);
      if (cache === undefined || address === undefined) return undefined;
      for (const path of answerPaths(one)) {
        const url = `${address.replace(/\/+$/, "")}/-/npm/v1/attestations/${path}`;
        const found = await cachedAnswer(files, cache, url);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

/** Address of the registry, from that of the tarball: what stands before the package's name. */
function registryOf({ name, resolved }: NpmPackage & { resolved?: string }): string | undefined {
  const end = resolved?.indexOf(`/${name}/-/`) ?? -1;
  return end < 0 ? undefined : resolved!.slice(0, end);
}

function isSafe({ name, version }: NpmPackage): boolean {
  return isNpmName(name) && isNpmVersion(version);
}

function tarballNames({ name, version }: NpmPackage): string[] {
  if (!name.startsWith("@")) return [`${name}-${version}.tgz`];
  const [scope, rest] = name.slice(1).split("/");
  return [
    `@${scope}%2f${rest}-${version}.tgz`,
    `@${scope}%2F${rest}-${version}.tgz`,
    `@${scope}/${rest}-${version}.tgz`,
    `${scope}-${rest}-${version}.tgz`,
  ];
}

function answerNames(one: NpmPackage): string[] {
  return [...answerPaths(one), describePackage(one)].map((name) => `${name}.json`);
}

/** The slash of a scope is escaped, by some in capitals. */
function answerPaths(one: NpmPackage): string[] {
  const text = describePackage(one);
  if (!text.includes("/")) return [text];
  return [text.replace("/", "%2f"), text.replace("/", "%2F")];
}

function contentPath(sha512: string): string {
  return `content-v2/sha512/${sharded(sha512)}`;
}

function sharded(hex: string): string {
  return `${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex.slice(4)}`;
}

async function inCache<T>(
  cache: string,
  path: string,
  get: (path: string) => Promise<T | undefined>,
): Promise<T | undefined> {
  return await get(`${cache}/_cacache/${path}`) ?? await get(`${cache}/${path}`);
}

async function cachedAnswer(
  files: NpmFiles,
  cache: string,
  url: string,
): Promise<Uint8Array | undefined> {
  const key = `make-fetch-happen:request-cache:${url}`;
  const read = (path: string) => files.read(path);
  const index = await inCache(cache, `index-v5/${sharded(encodeHex(sha256(utf8(key))))}`, read);
  if (index === undefined) return undefined;
  const sha512 = lastEntry(index, key);
  if (sha512 === undefined) return undefined;
  const content = await inCache(cache, contentPath(sha512), read);
  if (content === undefined) return undefined;
  if (encodeHex(await digest("SHA-512", content)) !== sha512) {
    throw new AttestationError(
      "integrity-mismatch",
      "Cannot read npm cache: an entry is not what its index says",
    );
  }
  return content;
}

/** SHA-512 of the last entry of a key; a broken line is one that was not written to its end. */
function lastEntry(index: Uint8Array, key: string): string | undefined {
  let found: string | undefined;
  for (const line of decodeUtf8(index).split("\n")) {
    const tab = line.indexOf("\t");
    if (tab < 0) continue;
    try {
      const entry = parseJson(line.slice(tab + 1), { maxLength: 1 << 20 });
      if (!isObject(entry) || entry.key !== key) continue;
      const { integrity } = entry;
      // An entry without integrity says that the key was removed.
      found = undefined;
      const match = typeof integrity === "string" ? /^sha512-(\S+)$/.exec(integrity) : null;
      const bytes = match === null ? undefined : decodeBase64(match[1]);
      if (bytes?.length === 64) found = encodeHex(bytes);
    } catch (error) {
      if (!(error instanceof AttestationError)) throw error;
    }
  }
  return found;
}
