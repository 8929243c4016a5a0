import { digestContent, type StreamWatch } from "../internal/hasher.ts";
import { refuseUnknown } from "../internal/options.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import type { ArtifactContent, ArtifactInput } from "./options.ts";

/** An artifact with its digests. */
export interface DigestedArtifact {
  name: string;
  digest: DigestSet;
  /** The bytes, where they are at hand. */
  content?: Uint8Array;
  /** OCI repository, as the caller vouches for it. */
  oci?: string;
  /** npm package, as the caller vouches for it. */
  npm?: string;
}

/** Computes the digests of an artifact, or takes those that are given. */
export async function digestArtifact(
  input: ArtifactInput,
  index: number,
  { algorithms, ...watch }: StreamWatch & { algorithms: readonly string[] },
): Promise<DigestedArtifact> {
  const { name, content, digest, ...place } = unpack(input, index);
  if (digest !== undefined) return { ...place, name: name ?? describeDigest(digest), digest };
  const digested = await digestContent(content!, algorithms, watch);
  return { ...place, name: name ?? describeDigest(digested.digest), ...digested };
}

interface Unpacked {
  name?: string;
  content?: ArtifactContent;
  digest?: DigestSet;
  oci?: string;
  npm?: string;
}

function unpack(input: ArtifactInput, index: number): Unpacked {
  if (isContent(input)) return { content: input };
  if (typeof input !== "object" || input === null) throw wrong(index);
  refuseUnknown(input, ["name", "content", "digest", "oci", "npm"], "an artifact");
  const { name, content, digest, oci, npm }: Unpacked = input;
  const place = { ...(oci === undefined ? {} : { oci }), ...(npm === undefined ? {} : { npm }) };
  for (const text of Object.values(place)) if (typeof text !== "string") throw wrong(index);
  if ((content === undefined) === (digest === undefined)) throw wrong(index);
  if (content !== undefined && !isContent(content)) throw wrong(index);
  if (name !== undefined && typeof name !== "string") throw wrong(index);
  if (digest === undefined) return { ...place, name, content };
  // A copy: what is compared is what is reported, whatever becomes of the caller's object.
  const own = { ...digest };
  if (typeof digest !== "object" || Object.keys(own).length === 0) throw wrong(index);
  return { ...place, name, digest: own };
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
