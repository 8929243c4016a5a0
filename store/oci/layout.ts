import { AttestationError } from "../../errors.ts";
import { asBytes, type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import { isObject, type Json, type JsonObject, parseJson, quote } from "../../internal/json.ts";
import { isOciDigest, isOciTag } from "../../internal/oci_name.ts";
import { checkOciDigest, checkOciTag } from "./_names.ts";
import { fallbackTag, unique } from "./_referrers.ts";
import {
  checkContent,
  checkDigest,
  DEFAULT_MAX_BLOB_BYTES,
  digestLike,
  verifiedStream,
} from "./_verified.ts";
import { descriptorOf, MAX_MANIFEST_BYTES, parseOciManifest, readDocument } from "./manifest.ts";
import { INDEX_TYPE } from "./media_types.ts";
import type {
  OciBlobOptions,
  OciDescriptor,
  OciManifest,
  OciOptions,
  OciPutOptions,
  OciReferrers,
  OciReferrersOptions,
  OciTarget,
  OciWritten,
} from "./source.ts";

/** The files of an image layout. All paths are relative, with `/`. */
export interface LayoutFiles {
  /** What the layout is called in reports: the path of its folder or tar file. */
  readonly name: string;
  /** Bytes of a file; undefined if there is none. Links are not followed. */
  size(path: string): Promise<number | undefined>;
  /** Content of a file that is there. */
  open(path: string): Promise<ReadableStream<Uint8Array>>;
  /** Names of the files in a folder, in no order; none if there is no such folder. */
  names(folder: string): Promise<string[]>;
  /** What it takes to write; absent where that cannot be. */
  readonly writer?: LayoutWriter;
}

/** Writes the files of an image layout. */
export interface LayoutWriter {
  /** Writes a file whole or not at all, over one that is there. Makes its folders. */
  write(path: string, content: ReadableStream<Uint8Array>): Promise<void>;
  /** Runs something that nobody else does meanwhile. */
  locked<T>(run: () => Promise<T>): Promise<T>;
}

/** An image layout. */
export interface OciLayout extends OciTarget {
  /** What its `index.json` lists, in order: images by tag, and what has none. */
  entries(options?: OciOptions): Promise<readonly OciDescriptor[]>;
}

/** Annotation of an entry of `index.json` that holds its tag. */
const REF_NAME = "org.opencontainers.image.ref.name";
/** Content of the file that makes a folder a layout. */
const MARKER = '{"imageLayoutVersion":"1.0.0"}';
/** Blobs that are looked through for manifests with a subject. */
const MAX_SCANNED = 20_000;
/** Manifests that refer to others are small. */
const MAX_SCANNED_BYTES = 256 << 10;
const MAX_REFERRERS = 1000;

/**
 * An OCI image layout as a source and target: the same methods as a registry has.
 *
 * Referrers are the manifests of its blobs that name a subject: layouts have no list of them
 * that all tools write.
 *
 * Source: OCI image specification 1.1, image-layout.md.
 *
 * @param files Folder (`@x/attest/store/fs`), tar file (`createTarFiles`), or files of one's
 * own.
 *
 * @example
 * ```ts
 * import { createLayout, createMemoryFiles } from "@x/attest/store/oci";
 * import assert from "node:assert/strict";
 *
 * const layout = createLayout(createMemoryFiles("a layout"));
 * const bytes = new TextEncoder().encode(JSON.stringify({
 *   schemaVersion: 2,
 *   mediaType: "application/vnd.oci.image.index.v1+json",
 *   manifests: [],
 * }));
 * const { digest } = await layout.putManifest(bytes, { tag: "1.0" });
 * assert.equal((await layout.resolve("1.0")).digest, digest);
 * ```
 */
export function createLayout(files: LayoutFiles): OciLayout {
  return new Layout(files);
}

class Layout implements OciLayout {
  readonly name: string;
  readonly #files: LayoutFiles;
  #subjects: Promise<Map<string, OciDescriptor[]>> | undefined;

  constructor(files: LayoutFiles) {
    this.name = files.name;
    this.#files = files;
  }

  async entries({ signal }: OciOptions = {}): Promise<readonly OciDescriptor[]> {
    this.#refuseAborted(signal);
    const marker = await this.#read("oci-layout", 4096);
    if (marker === undefined) throw this.#malformed("it has no file oci-layout");
    const stated = parseJson(marker, { maxDepth: 8 });
    if (!isObject(stated) || stated.imageLayoutVersion !== "1.0.0") {
      throw this.#malformed("the version in oci-layout is not 1.0.0");
    }
    return (await this.#index())?.manifests ?? [];
  }

  async resolve(reference: string, options: OciOptions = {}): Promise<OciDescriptor> {
    if (isOciDigest(reference)) return descriptorOf(await this.manifest(reference, options));
    const found = await this.tag(reference, options);
    if (found !== undefined) return found;
    throw this.#absent(`tag ${quote(reference)}`);
  }

  async tag(name: string, options: OciOptions = {}): Promise<OciDescriptor | undefined> {
    checkOciTag(name);
    const found = (await this.entries(options)).filter(({ annotations }) =>
      annotations?.[REF_NAME] === name
    );
    if (new Set(found.map(({ digest }) => digest)).size > 1) {
      throw this.#malformed(`the tag ${quote(name)} names several manifests`);
    }
    if (found.length === 0) return undefined;
    return descriptorOf(await this.manifest(found[0], options));
  }

  async manifest(
    target: string | OciDescriptor,
    { signal }: OciOptions = {},
  ): Promise<OciManifest> {
    this.#refuseAborted(signal);
    const digest = typeof target === "string" ? target : target.digest;
    const bytes = await this.#read(blobPath(digest), MAX_MANIFEST_BYTES);
    if (bytes === undefined) throw this.#absent(`manifest ${digest}`);
    checkDigest(await digestLike(digest, bytes), digest, this.name);
    if (typeof target !== "string") await checkContent(bytes, target, this.name);
    return parseOciManifest(bytes, {
      digest,
      ...(typeof target === "string" ? {} : { mediaType: target.mediaType }),
    });
  }

  async blob(target: OciDescriptor, options: OciBlobOptions = {}): Promise<Bytes> {
    const { maxBytes = DEFAULT_MAX_BLOB_BYTES, signal } = options;
    this.#refuseAborted(signal);
    if (target.size > maxBytes) throw this.#tooLarge(target.digest, target.size, maxBytes);
    const bytes = await this.#read(blobPath(target.digest), maxBytes);
    if (bytes === undefined) throw this.#absent(`blob ${target.digest}`);
    await checkContent(bytes, target, this.name);
    return bytes;
  }

  async blobStream(
    target: OciDescriptor,
    { signal }: OciOptions = {},
  ): Promise<ReadableStream<Bytes>> {
    this.#refuseAborted(signal);
    const path = blobPath(target.digest);
    if (await this.#files.size(path) === undefined) throw this.#absent(`blob ${target.digest}`);
    return verifiedStream(await this.#files.open(path), target, this.name);
  }

  async referrers(digest: string, options: OciReferrersOptions = {}): Promise<OciReferrers> {
    const { artifactType, ...rest } = options;
    checkOciDigest(digest);
    const fallback = await this.tag(fallbackTag(digest), rest);
    const listed = fallback === undefined
      ? []
      : (await this.manifest(fallback.digest, rest)).manifests;
    this.#subjects ??= this.#scan(rest).catch((cause) => {
      this.#subjects = undefined;
      throw cause;
    });
    const found = (await this.#subjects).get(digest) ?? [];
    const manifests = unique([...found, ...listed]).filter((one) =>
      artifactType === undefined || one.artifactType === artifactType ||
      one.artifactType === undefined
    );
    if (manifests.length > MAX_REFERRERS) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot list referrers of ${digest} in ${quote(this.name)}: more than ${MAX_REFERRERS}`,
      );
    }
    return { via: "layout", source: `${this.name}, blobs about ${digest}`, manifests, notes: [] };
  }

  async tags(options: OciOptions = {}): Promise<string[]> {
    const names = (await this.entries(options)).map(({ annotations }) => annotations?.[REF_NAME]);
    return [...new Set(names.filter((name) => name !== undefined && isOciTag(name)))] as string[];
  }

  async hasBlob({ digest, size }: OciDescriptor): Promise<boolean> {
    return await this.#files.size(blobPath(digest)) === size;
  }

  async putBlob(
    target: OciDescriptor,
    content: Uint8Array | (() => Promise<ReadableStream<Uint8Array>>),
    { signal }: OciOptions = {},
  ): Promise<OciWritten> {
    this.#refuseAborted(signal);
    if (content instanceof Uint8Array) await checkContent(content, target, "the caller");
    const { digest } = target;
    if (await this.hasBlob(target)) return { digest, created: false };
    const stream = content instanceof Uint8Array ? streamOf(content) : await content();
    await this.#writer().write(
      blobPath(digest),
      content instanceof Uint8Array ? stream : verifiedStream(stream, target, "the caller"),
    );
    return { digest, created: true };
  }

  async putManifest(bytes: Uint8Array, options: OciPutOptions = {}): Promise<OciWritten> {
    const { tag, root, signal } = options;
    this.#refuseAborted(signal);
    if (tag !== undefined) checkOciTag(tag);
    const digest = await digestLike(options.digest ?? "sha256:", bytes);
    if (options.digest !== undefined) checkDigest(digest, options.digest, "the caller");
    const manifest = parseOciManifest(bytes, { digest });
    const { created } = await this.putBlob(
      { mediaType: manifest.mediaType, digest, size: bytes.length },
      bytes,
    );
    this.#subjects = undefined;
    // What an index lists is found through it; the rest is listed, or nothing would find it.
    if (tag !== undefined || root || manifest.subject !== undefined) {
      await this.#writer().locked(() => this.#list(descriptorOf(manifest), tag));
    }
    return {
      digest,
      created,
      ...(manifest.subject === undefined ? {} : { listedBy: "layout" }),
    };
  }

  /** Enters a manifest into `index.json`; a tag is taken from what had it before. */
  async #list(descriptor: OciDescriptor, tag: string | undefined): Promise<void> {
    const before = await this.#index();
    const document: JsonObject = before === undefined
      ? { schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [] }
      : readDocument(before.bytes, "index.json");
    const { mediaType, digest, size, artifactType } = descriptor;
    const entry: JsonObject = {
      mediaType,
      digest,
      size,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(tag === undefined ? {} : { annotations: { [REF_NAME]: tag } }),
    };
    const others = (document.manifests as JsonObject[]).filter((other) => {
      const named = isObject(other.annotations) ? other.annotations[REF_NAME] : undefined;
      return tag === undefined
        ? other.digest !== digest || named !== undefined
        : named !== tag && (other.digest !== digest || named !== undefined);
    });
    const manifests: Json[] = [...others, entry];
    const index = utf8(JSON.stringify({ ...document, manifests }));
    if (index.length > MAX_MANIFEST_BYTES) {
      throw this.#tooLarge("index.json", index.length, MAX_MANIFEST_BYTES);
    }
    const writer = this.#writer();
    if (await this.#files.size("oci-layout") === undefined) {
      await writer.write("oci-layout", streamOf(utf8(MARKER)));
    }
    await writer.write("index.json", streamOf(index));
  }

  async #index(): Promise<OciManifest | undefined> {
    const bytes = await this.#read("index.json", MAX_MANIFEST_BYTES);
    if (bytes === undefined) {
      if (await this.#files.size("oci-layout") === undefined) return undefined;
      throw this.#malformed("it has no index.json");
    }
    const index = parseOciManifest(bytes, { digest: await digestLike("sha256:", bytes) });
    if (index.kind !== "index") throw this.#malformed("index.json is no index");
    return index;
  }

  /** All manifests of the layout that name a subject, by that. */
  async #scan({ signal }: OciOptions): Promise<Map<string, OciDescriptor[]>> {
    const subjects = new Map<string, OciDescriptor[]>();
    let scanned = 0;
    for (const algorithm of ["sha256", "sha512"]) {
      const names = (await this.#files.names(`blobs/${algorithm}`)).sort();
      for (const name of names) {
        const digest = `${algorithm}:${name}`;
        if (!isOciDigest(digest)) continue;
        this.#refuseAborted(signal);
        const size = await this.#files.size(blobPath(digest));
        if (size === undefined || size > MAX_SCANNED_BYTES) continue;
        if (++scanned > MAX_SCANNED) {
          throw this.#tooLarge("number of blobs", names.length, MAX_SCANNED);
        }
        const manifest = await this.#maybeManifest(digest);
        if (manifest?.subject === undefined) continue;
        const known = subjects.get(manifest.subject.digest);
        if (known === undefined) subjects.set(manifest.subject.digest, [descriptorOf(manifest)]);
        else known.push(descriptorOf(manifest));
      }
    }
    return subjects;
  }

  /** A blob that is a manifest with a subject; most are something else. */
  async #maybeManifest(digest: string): Promise<OciManifest | undefined> {
    const bytes = await this.#read(blobPath(digest), MAX_SCANNED_BYTES);
    if (bytes === undefined || bytes[0] !== 0x7b) return undefined;
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      if (!text.includes('"subject"')) return undefined;
      if (await digestLike(digest, bytes) !== digest) return undefined;
      return parseOciManifest(bytes, { digest });
    } catch {
      return undefined;
    }
  }

  async #read(path: string, maxBytes: number): Promise<Bytes | undefined> {
    const size = await this.#files.size(path);
    if (size === undefined) return undefined;
    if (size > maxBytes) throw this.#tooLarge(path, size, maxBytes);
    const reader = (await this.#files.open(path)).getReader();
    const parts: Uint8Array[] = [];
    let length = 0;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return concat(...parts);
        length += value.length;
        if (length > maxBytes) throw this.#tooLarge(path, length, maxBytes);
        parts.push(asBytes(value));
      }
    } finally {
      await reader.cancel().catch(() => {});
    }
  }

  #writer(): LayoutWriter {
    const { writer } = this.#files;
    if (writer !== undefined) return writer;
    throw new AttestationError(
      "unwritable-file",
      `Cannot write to layout ${quote(this.name)}: it can only be read`,
    );
  }

  #refuseAborted(signal: AbortSignal | undefined): void {
    if (signal?.aborted !== true) return;
    throw new AttestationError("aborted", `Cannot use layout ${quote(this.name)}: stopped`);
  }

  #absent(what: string): AttestationError {
    return new AttestationError(
      "image-not-found",
      `Cannot read layout ${quote(this.name)}: it has no ${what}`,
    );
  }

  #malformed(what: string): AttestationError {
    return new AttestationError(
      "malformed-image-layout",
      `Cannot read layout ${quote(this.name)}: ${what}`,
    );
  }

  #tooLarge(what: string, found: number, limit: number): AttestationError {
    return new AttestationError(
      "limit-exceeded",
      `Cannot use layout ${quote(this.name)}: ${quote(what)} has ${found}, at most ${limit} are ` +
        "accepted",
    );
  }
}

/** Path of a blob: made of a digest that was checked, so that it leads nowhere else. */
function blobPath(digest: string): string {
  checkOciDigest(digest);
  return `blobs/${digest.replace(":", "/")}`;
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new Response(asBytes(bytes)).body ?? new ReadableStream({ start: (c) => c.close() });
}

/**
 * Files of a layout in memory, as for tests or to look through a layout that was fetched.
 *
 * @param name What the layout is called in reports.
 * @param files Content by path. Default: those of a layout with nothing in it.
 */
export function createMemoryFiles(
  name: string,
  files: Map<string, Uint8Array> = new Map([
    ["oci-layout", utf8(MARKER)],
    [
      "index.json",
      utf8(JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [] })),
    ],
  ]),
): LayoutFiles {
  let last: Promise<unknown> = Promise.resolve();
  return {
    name,
    size: (path) => Promise.resolve(files.get(path)?.length),
    open: (path) => Promise.resolve(streamOf(files.get(path) ?? new Uint8Array())),
    names: (folder) => {
      const paths = [...files.keys()].filter((path) => path.startsWith(`${folder}/`));
      return Promise.resolve(paths.map((path) => path.slice(folder.length + 1)));
    },
    writer: {
      async write(path, content) {
        files.set(path, new Uint8Array(await new Response(content).arrayBuffer()));
      },
      locked: (run) => {
        const work = last.then(run);
        last = work.catch(() => {});
        return work;
      },
    },
  };
}
