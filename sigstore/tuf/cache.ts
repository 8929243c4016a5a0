import type { Bytes } from "../../internal/bytes.ts";

/**
 * Where metadata and targets are kept between two refreshes. Nothing that it gives is
 * believed: it is verified again each time. What it keeps is how far the repository was
 * seen, so a cache that forgets lets an older state pass.
 *
 * @example A cache over a Map
 * ```ts
 * import type { Bytes, TufCache } from "@x/attest/sigstore/tuf";
 *
 * const kept = new Map<string, Bytes>();
 * const cache: TufCache = {
 *   read: (name) => Promise.resolve(kept.get(name)),
 *   write: (name, bytes) => Promise.resolve(void kept.set(name, bytes)),
 * };
 * await cache.write("timestamp.json", new Uint8Array([123, 125]));
 * ```
 */
export interface TufCache {
  /** What was written last under a name, or undefined. */
  read(name: string): Promise<Bytes | undefined>;
  /**
   * Keeps bytes under a name, whole or not at all. Names are made by this client: letters,
   * digits, `.` and `-`, at most 80. Empty bytes mean that there is nothing any more.
   */
  write(name: string, bytes: Bytes): Promise<void>;
}

/**
 * A cache that lasts as long as the process.
 *
 * @example
 * ```ts
 * import { memoryTufCache } from "@x/attest/sigstore/tuf";
 * import assert from "node:assert/strict";
 *
 * const cache = memoryTufCache();
 * assert.equal(await cache.read("timestamp.json"), undefined);
 * ```
 */
export function memoryTufCache(): TufCache {
  const files = new Map<string, Bytes>();
  return {
    read: (name: string): Promise<Bytes | undefined> => Promise.resolve(files.get(name)?.slice()),
    write: (name: string, bytes: Bytes): Promise<void> => {
      files.set(name, bytes.slice());
      return Promise.resolve();
    },
  };
}
