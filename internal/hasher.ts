import { asBytes, type Bytes, concat } from "./bytes.ts";
import { digest, type HashName } from "./digest.ts";
import { encodeHex } from "./hex.ts";

/** Hash functions of a stream: SHA-2, and BLAKE2b for what signs it, which no WebCrypto has. */
export type StreamHash = HashName | "BLAKE2b-512";

/** A digest that is fed piece by piece, in constant memory. */
export interface Hasher {
  update(chunk: Bytes): void | Promise<void>;
  digest(): Promise<Bytes>;
}

/** What of a runtime is looked up, never imported: absent elsewhere, and no bundler trips over it. */
interface RuntimeHashes {
  process?: {
    getBuiltinModule?: (name: string) => {
      createHash?: (name: string) => { update(chunk: Uint8Array): unknown; digest(): Uint8Array };
    } | undefined;
  };
  crypto: {
    DigestStream?: new (name: string) => WritableStream<Uint8Array> & {
      digest: Promise<ArrayBuffer>;
    };
  };
}

/**
 * A streaming digest by the runtime's own hasher: `DigestStream` (workerd), else
 * `node:crypto` (Node, Deno, Bun), else pure JavaScript. WebCrypto has none.
 */
export async function createHasher(hash: StreamHash): Promise<Hasher> {
  const runtime = globalThis as unknown as RuntimeHashes;
  if (hash === "BLAKE2b-512") return (await import("./blake2b.ts")).createBlake2b();
  if (runtime.crypto.DigestStream !== undefined) {
    const stream = new runtime.crypto.DigestStream(hash);
    const writer = stream.getWriter();
    return {
      update: (chunk) => writer.write(chunk),
      digest: async () => {
        await writer.close();
        return new Uint8Array(await stream.digest);
      },
    };
  }
  const name = hash.replace("-", "").toLowerCase();
  const createHash = runtime.process?.getBuiltinModule?.("node:crypto")?.createHash;
  if (createHash !== undefined) {
    const native = createHash(name);
    return {
      update: (chunk) => void native.update(chunk),
      digest: () => Promise.resolve(asBytes(native.digest())),
    };
  }
  const { sha256, sha384, sha512 } = await import("@noble/hashes/sha2.js");
  const pure = { "SHA-256": sha256, "SHA-384": sha384, "SHA-512": sha512 }[hash].create();
  return {
    update: (chunk) => void pure.update(chunk),
    digest: () => Promise.resolve(asBytes(pure.digest())),
  };
}

/** Artifacts up to this size are held whole and digested by WebCrypto in one go. */
const MAX_HELD_BYTES = 4 << 20;

/** Digests of a stream. */
export interface StreamDigest {
  /** In the order of the hash functions asked for. */
  digests: Bytes[];
  /** The bytes themselves, if they are few. */
  content?: Bytes;
}

/** Who watches a stream being read. */
export interface StreamWatch {
  /** Told the length of each chunk; what it throws ends the reading. */
  onBytes: (count: number) => void;
  /** Ends the reading, also of a stream that gives nothing any more. */
  signal?: AbortSignal;
}

/** Digests a stream by several hash functions in one pass; cancels it if that fails. */
export async function digestStream(
  stream: ReadableStream<Uint8Array>,
  hashes: readonly StreamHash[],
  { onBytes, signal }: StreamWatch,
): Promise<StreamDigest> {
  signal?.throwIfAborted();
  const reader = chunkReader(stream);
  // A read that is pending then ends as the stream does: whether it did is asked after it.
  const cancel = (): void => void reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener("abort", cancel, { once: true });
  const held: Bytes[] = [];
  let size = 0;
  let hashers: Hasher[] | undefined;
  let ended = false;
  try {
    for (;;) {
      const value = await reader.read(hashers !== undefined);
      signal?.throwIfAborted();
      if (value === undefined) break;
      if (!(value instanceof Uint8Array)) {
        throw new TypeError("The artifact's stream gives no bytes");
      }
      const chunk = asBytes(value);
      size += chunk.length;
      onBytes(chunk.length);
      if (hashers === undefined && size <= MAX_HELD_BYTES) {
        hold(held, chunk);
        continue;
      }
      if (hashers === undefined) {
        hashers = await Promise.all(hashes.map(createHasher));
        for (const early of held.splice(0)) await feed(hashers, early);
      }
      await feed(hashers, chunk);
    }
    ended = true;
  } finally {
    signal?.removeEventListener("abort", cancel);
    if (!ended) await reader.cancel().catch(() => {});
    reader.releaseLock();
  }
  if (hashers !== undefined) {
    return { digests: await Promise.all(hashers.map((hasher) => hasher.digest())) };
  }
  const content = held.length === 1 ? held[0] : concat(...held);
  return { digests: await digestAll(content, hashes), content };
}

/** Hash functions by the names of DigestSet. */
export const HASHES: ReadonlyMap<string, HashName> = new Map([
  ["sha256", "SHA-256"],
  ["sha384", "SHA-384"],
  ["sha512", "SHA-512"],
]);

/** Digests of some content, as a DigestSet has them. */
export interface ContentDigest {
  /** Lowercase hex by algorithm. */
  digest: Record<string, string>;
  /** The bytes themselves, if they are at hand. */
  content?: Uint8Array;
}

/** Digests content by the algorithms of {@linkcode HASHES} that are named, or `blake2b`, in one pass. */
export async function digestContent(
  content: Uint8Array | Blob | ReadableStream<Uint8Array>,
  algorithms: readonly string[],
  watch: StreamWatch,
): Promise<ContentDigest> {
  const hashes = algorithms.map((algorithm): StreamHash =>
    algorithm === "blake2b" ? "BLAKE2b-512" : HASHES.get(algorithm)!
  );
  const { digests, content: bytes } = content instanceof Uint8Array
    ? { digests: await digestAll(content, hashes), content }
    : await digestStream(
      content instanceof ReadableStream ? content : content.stream(),
      hashes,
      watch,
    );
  const set: Record<string, string> = {};
  algorithms.forEach((algorithm, i) => set[algorithm] = encodeHex(digests[i]));
  return bytes === undefined ? { digest: set } : { digest: set, content: bytes };
}

/** Chunks of a stream, read into one buffer again and again where the stream can do that. */
interface ChunkReader {
  /** The next chunk, or undefined at the end; `reuse` gives up the one before. */
  read(reuse: boolean): Promise<unknown>;
  cancel(reason?: unknown): Promise<void>;
  releaseLock(): void;
}

const FIRST_BUFFER_BYTES = 1 << 16;
const BUFFER_BYTES = 1 << 20;

function chunkReader(stream: ReadableStream<Uint8Array>): ChunkReader {
  let byob: ReadableStreamBYOBReader;
  try {
    byob = stream.getReader({ mode: "byob" });
  } catch {
    const reader = stream.getReader();
    return {
      read: async () => (await reader.read()).value,
      cancel: (reason) => reader.cancel(reason),
      releaseLock: () => reader.releaseLock(),
    };
  }
  let size = FIRST_BUFFER_BYTES;
  let last: ArrayBuffer | undefined;
  return {
    read: async (reuse) => {
      const isLarge = last !== undefined && last.byteLength === BUFFER_BYTES;
      const buffer = reuse && isLarge ? last! : new ArrayBuffer(size);
      size = BUFFER_BYTES;
      const { done, value } = await byob.read(new Uint8Array(buffer));
      last = value?.buffer;
      return done ? undefined : value;
    },
    cancel: (reason) => byob.cancel(reason),
    releaseLock: () => byob.releaseLock(),
  };
}

/** Joins small chunks, each to one of its own size at most: a million of one byte is no million arrays. */
function hold(held: Bytes[], chunk: Bytes): void {
  let last = chunk;
  for (let before = held.at(-1); before !== undefined; before = held.at(-1)) {
    if (before.length > last.length || before.length + last.length > 65_536) break;
    held.pop();
    last = concat(before, last);
  }
  held.push(last);
}

/** Digests of bytes in memory. */
export function digestAll(
  content: Uint8Array,
  hashes: readonly StreamHash[],
): Promise<Bytes[]> {
  return Promise.all(hashes.map(async (hash) => {
    if (hash !== "BLAKE2b-512") return await digest(hash, content);
    return (await import("./blake2b.ts")).blake2b512(content);
  }));
}

async function feed(hashers: readonly Hasher[], chunk: Bytes): Promise<void> {
  for (const hasher of hashers) {
    const pending = hasher.update(chunk);
    if (pending !== undefined) await pending;
  }
}
