import { quote } from "../../internal/json.ts";
import { digestContent, HASHES } from "../../internal/hasher.ts";
import { refuseUnknown } from "../../internal/options.ts";
import type { ResourceDescriptor } from "../resource_descriptor.ts";

/** Algorithms by which content is digested; of one pass over it, several at once. */
export type SubjectAlgorithm = "sha256" | "sha384" | "sha512";

/** Bytes of a subject; a stream or Blob is read once, in constant memory. */
export type SubjectContent = Uint8Array | Blob | ReadableStream<Uint8Array>;

/** Options of what reads content. */
export interface DigestOptions {
  /** Algorithms of the digests, at least one. Default `["sha256"]`. */
  algorithms?: readonly SubjectAlgorithm[];
  /** Told the length of each chunk that was read, in bytes. */
  onBytes?: (count: number) => void;
  /** Ends the reading; the promise rejects with its reason. */
  signal?: AbortSignal;
}

/** Options of {@linkcode createSubject}. Unknown names are refused. */
export interface SubjectOptions extends DigestOptions {
  /** Name of the subject, such as that of the file. */
  name?: string;
  /** Global name, an RFC 3986 URI. */
  uri?: string;
  /** Media type of the content. */
  mediaType?: string;
}

const OPTIONS = ["algorithms", "onBytes", "signal"];

/**
 * A subject of a Statement from its content: bytes, a Blob or a stream.
 *
 * Source: in-toto attestation v1, resource_descriptor.md, digest_set.md.
 *
 * @param content What the attestation will be about; it is read once.
 * @param options See {@linkcode SubjectOptions}.
 * @returns The descriptor, its digests in the order of `algorithms`.
 * @throws {TypeError} If an option is unknown, an algorithm is none of those, or the stream
 * gives no bytes.
 * @throws The reason of `options.signal`, when it is aborted, or what the stream throws.
 *
 * @example Two digests of one reading
 * ```ts
 * import { createSubject } from "@x/attest/intoto/subjects";
 * import assert from "node:assert/strict";
 *
 * const content = new Blob(["abc"]).stream();
 * const subject = await createSubject(content, { name: "abc", algorithms: ["sha256", "sha512"] });
 * assert.equal(
 *   subject.digest?.sha256,
 *   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
 * );
 * assert.equal(subject.digest?.sha512.length, 128);
 * ```
 */
export async function createSubject(
  content: SubjectContent,
  options: SubjectOptions = {},
): Promise<ResourceDescriptor> {
  refuseUnknown(options, [...OPTIONS, "name", "uri", "mediaType"], "createSubject()");
  const { name, uri, mediaType } = options;
  const digest = await digestSubject(content, options);
  return {
    ...(name === undefined ? {} : { name }),
    ...(uri === undefined ? {} : { uri }),
    digest,
    ...(mediaType === undefined ? {} : { mediaType }),
  };
}

/** Digests of content under the algorithms of the options, and those that are needed. */
export async function digestSubject(
  content: SubjectContent,
  options: DigestOptions,
  needed: readonly SubjectAlgorithm[] = [],
): Promise<Record<string, string>> {
  const algorithms = new Set([...needed, ...algorithmsOf(options)]);
  const { onBytes = () => {}, signal } = options;
  const watch = signal === undefined ? { onBytes } : { onBytes, signal };
  signal?.throwIfAborted();
  const isContent = content instanceof Uint8Array || content instanceof Blob ||
    content instanceof ReadableStream;
  if (!isContent) throw new TypeError("A subject is neither bytes, a Blob nor a stream");
  if (content instanceof Uint8Array) onBytes(content.length);
  return (await digestContent(content, [...algorithms], watch)).digest;
}

/** The algorithms of options, each once. */
export function algorithmsOf({ algorithms = ["sha256"] }: DigestOptions): SubjectAlgorithm[] {
  if (!Array.isArray(algorithms) || algorithms.length === 0) {
    throw new TypeError("Option algorithms wants one algorithm or more");
  }
  const unknown = algorithms.find((algorithm) => !HASHES.has(algorithm));
  if (unknown !== undefined) {
    throw new TypeError(
      `Option algorithms has ${quote(String(unknown))}, wanted ${[...HASHES.keys()].join(", ")}`,
    );
  }
  return [...new Set(algorithms)];
}
