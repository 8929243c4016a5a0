import type { HashName } from "../internal/digest.ts";
import { encodeHex } from "../internal/hex.ts";
import { digestAll, digestStream, type StreamWatch } from "../internal/hasher.ts";
import { refuseUnknown } from "../internal/options.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import type { ArtifactContent, ArtifactInput } from "./options.ts";

/** An artifact with its digests. */
export interface DigestedArtifact {
  name: string;
  digest: DigestSet;
  /** The bytes, where they are at hand. */
  content?: Uint8Array;
}

/** Hash functions by the names of DigestSet. */
export const HASHES: ReadonlyMap<string, HashName> = new Map([
  ["sha256", "SHA-256"],
  ["sha384", "SHA-384"],
  ["sha512", "SHA-512"],
]);

/** Computes the digests of an artifact, or takes those that are given. */
export async function digestArtifact(
  input: ArtifactInput,
  index: number,
  { algorithms, ...watch }: StreamWatch & { algorithms: readonly string[] },
): Promise<DigestedArtifact> {
  const { name, content, digest } = unpack(input, index);
  if (digest !== undefined) return { name: name ?? describeDigest(digest), digest };
  const hashes = algorithms.map((algorithm) => HASHES.get(algorithm)!);
  const blob = content instanceof Uint8Array ? undefined : content;
  const { digests, content: bytes } = content instanceof Uint8Array
    ? { digests: await digestAll(content, hashes), content }
    : await digestStream(blob instanceof ReadableStream ? blob : blob!.stream(), hashes, watch);
  const set: Record<string, string> = {};
  algorithms.forEach((algorithm, i) => set[algorithm] = encodeHex(digests[i]));
  return { name: name ?? describeDigest(set), digest: set, content: bytes };
}

interface Unpacked {
  name?: string;
  content?: ArtifactContent;
  digest?: DigestSet;
}

function unpack(input: ArtifactInput, index: number): Unpacked {
  if (isContent(input)) return { content: input };
  if (typeof input !== "object" || input === null) throw wrong(index);
  refuseUnknown(input, ["name", "content", "digest"], "an artifact");
  const { name, content, digest }: Unpacked = input;
  if ((content === undefined) === (digest === undefined)) throw wrong(index);
  if (content !== undefined && !isContent(content)) throw wrong(index);
  if (name !== undefined && typeof name !== "string") throw wrong(index);
  if (digest === undefined) return { name, content };
  // A copy: what is compared is what is reported, whatever becomes of the caller's object.
  const own = { ...digest };
  if (typeof digest !== "object" || Object.keys(own).length === 0) throw wrong(index);
  return { name, digest: own };
}

function isContent(value: unknown): value is ArtifactContent {
  return value instanceof Uint8Array || value instanceof Blob || value instanceof ReadableStream;
}

function wrong(index: number): TypeError {
  return new TypeError(
    `Artifact ${index + 1} is neither bytes, a stream, a Blob nor a set of digests`,
  );
}

/** The first digest, to report an artifact by that has no name. */
export function describeDigest(digest: DigestSet): string {
  const [algorithm, value] = Object.entries(digest)[0];
  return `${algorithm}:${value}`;
}
