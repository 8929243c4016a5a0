import { AttestationError, isAttestationError } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";
import { HTTP_OPTIONS, type HttpAnswer, type HttpOptions } from "../../internal/http.ts";
import { timer } from "../../internal/timer.ts";
import { isObject, parseJson, quote } from "../../internal/json.ts";
import { isOciDigest, isOciTag } from "../../internal/oci_name.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { Connection } from "./_connection.ts";
import { refusePage } from "./_page.ts";
import { putBlob, putManifest } from "./_push.ts";
import { listReferrers } from "./_referrers.ts";
import {
  checkContent,
  checkDigest,
  DEFAULT_MAX_BLOB_BYTES,
  digestLike,
  verifiedStream,
} from "./_verified.ts";
import type { CredentialLookup } from "./credentials.ts";
import { descriptorOf, MAX_MANIFEST_BYTES, parseOciManifest } from "./manifest.ts";
import { IMAGE_TYPES, INDEX_TYPES } from "./media_types.ts";
import { type OciReference, parseOciReference } from "./reference.ts";
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

/** How a repository of a registry is reached. */
export interface RepositoryOptions extends HttpOptions {
  /**
   * Looks up what to authenticate with, by the host of the reference. Asked only when the
   * registry wants credentials. Default: none.
   */
  credentials?: CredentialLookup;
  /**
   * Hosts, with or without port, that are reached without TLS. Anyone on the way can read and
   * change what goes there; digests still hold. Default: loopback addresses only.
   */
  plainHosts?: readonly string[];
  /** Referrers of one manifest that are listed; more are `limit-exceeded`. Default 1000. */
  maxReferrers?: number;
  /** The clock, for the end of tokens. Default: the system's. */
  now?: () => Date;
  /** Told what a registry warns of, as untrusted text of one line. */
  onWarning?: (text: string) => void;
}

const OPTIONS: readonly string[] = [
  ...HTTP_OPTIONS,
  "credentials",
  "plainHosts",
  "maxReferrers",
  "now",
  "onWarning",
];

const DEFAULT_MAX_REFERRERS = 1000;
const DEFAULT_TIMEOUT_MS = 30_000;
/** A layer may take longer than one request: so many bytes must come in a second. */
const MIN_BYTES_PER_SECOND = 64 << 10;
const MAX_TAGS = 100_000;
const MAX_PAGES = 1000;
/** Manifests that are kept: a digest names the same bytes for ever. */
const MAX_KEPT = 256;
const MAX_KEPT_BYTES = 16 << 20;

/**
 * A repository of a registry: over `fetch`, in any runtime.
 *
 * Nothing is asked for until a method is called. Tag and digest of the reference are not
 * looked at: pass the one that is meant to `resolve()`.
 *
 * Source: OCI distribution specification 1.1; Docker registry v2, token authentication.
 *
 * @param reference Reference of an image, or as text what `parseOciReference` takes.
 * @throws {AttestationError} `malformed-image-reference`, `invalid-digest`.
 *
 * @example
 * ```ts
 * import { createRepository } from "@x/attest/store/oci";
 * import assert from "node:assert/strict";
 *
 * const registry = createRepository("registry.example/acme/app:1.0", {
 *   fetch: () => Promise.resolve(new Response("", { status: 404 })),
 * });
 * assert.equal(registry.name, "registry.example/acme/app");
 * assert.equal(await registry.tag("1.0"), undefined);
 * ```
 */
export function createRepository(
  reference: OciReference | string,
  options: RepositoryOptions = {},
): OciTarget {
  refuseUnknown(options, OPTIONS, "createRepository()");
  const { host, repository } = typeof reference === "string"
    ? parseOciReference(reference)
    : parseOciReference(`${reference.host}/${reference.repository}`);
  return new Repository(new Connection(host, repository, options), options);
}

class Repository implements OciTarget {
  readonly name: string;
  readonly #connection: Connection;
  readonly #maxReferrers: number;
  readonly #options: RepositoryOptions;
  readonly #kept = new Map<string, OciManifest>();
  #keptBytes = 0;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(connection: Connection, options: RepositoryOptions) {
    this.name = connection.name;
    this.#connection = connection;
    this.#options = options;
    this.#maxReferrers = options.maxReferrers ?? DEFAULT_MAX_REFERRERS;
    if (!Number.isSafeInteger(this.#maxReferrers) || this.#maxReferrers < 1) {
      throw new RangeError("maxReferrers is an integer >= 1");
    }
  }

  async resolve(reference: string, options: OciOptions = {}): Promise<OciDescriptor> {
    if (isOciDigest(reference)) return descriptorOf(await this.manifest(reference, options));
    const found = await this.tag(reference, options);
    if (found !== undefined) return found;
    throw new AttestationError(
      "image-not-found",
      `Cannot resolve ${this.name}:${reference}: there is no such tag`,
    );
  }

  async tag(name: string, options: OciOptions = {}): Promise<OciDescriptor | undefined> {
    const manifest = await this.tagged(name, options);
    return manifest === undefined ? undefined : descriptorOf(manifest.manifest);
  }

  /** What a tag names, with the answer's ETag. */
  async tagged(
    name: string,
    options: OciOptions = {},
  ): Promise<{ manifest: OciManifest; etag?: string } | undefined> {
    if (!isOciTag(name)) {
      throw new AttestationError("malformed-image-reference", `Cannot use tag ${quote(name)}`);
    }
    const action = `read ${this.name}:${name}`;
    const answer = await this.#getManifest(action, name, [200, 404], options);
    if (answer.status === 404) {
      refusePage(action, answer);
      return undefined;
    }
    const etag = answer.headers.get("etag");
    const manifest = await this.#readManifest(action, answer, undefined);
    return { manifest, ...(etag === null ? {} : { etag }) };
  }

  async manifest(
    target: string | OciDescriptor,
    options: OciOptions = {},
  ): Promise<OciManifest> {
    const digest = typeof target === "string" ? target : target.digest;
    if (!isOciDigest(digest)) {
      throw new AttestationError("invalid-digest", `Cannot use digest ${quote(digest)}`);
    }
    const action = `read ${this.name}@${digest}`;
    const manifest = this.#kept.get(digest) ??
      await this.#readManifest(
        action,
        await this.#getManifest(action, digest, [200], options),
        digest,
      );
    if (typeof target !== "string") await checkContent(manifest.bytes, target, this.name);
    return manifest;
  }

  async blob(target: OciDescriptor, options: OciBlobOptions = {}): Promise<Bytes> {
    const { maxBytes = DEFAULT_MAX_BLOB_BYTES, signal } = options;
    const action = `read blob ${target.digest} of ${this.name}`;
    if (target.size > maxBytes) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot ${action}: it has ${target.size} bytes, at most ${maxBytes} are accepted`,
      );
    }
    // One byte more than there should be is enough to tell that it is another blob.
    const answer = await this.#connection.ask(action, {
      to: blobPath(target),
      limits: { maxBytes: target.size + 1, timeoutMs: this.#timeFor(target), ...given(signal) },
    }).catch((cause) => {
      if (!isAttestationError(cause) || cause.reason !== "limit-exceeded") throw cause;
      throw new AttestationError(
        "content-mismatch",
        `Cannot ${action}: it is longer than the ${target.size} bytes of its descriptor`,
        { cause },
      );
    });
    try {
      await checkContent(answer.body, target, this.name);
    } catch (cause) {
      refusePage(action, answer);
      throw cause;
    }
    return answer.body;
  }

  async blobStream(
    target: OciDescriptor,
    { signal }: OciOptions = {},
  ): Promise<ReadableStream<Bytes>> {
    const { body } = await this.#connection.askStream(
      `read blob ${target.digest} of ${this.name}`,
      {
        to: blobPath(target),
        limits: {
          // Its length is looked at as it flows.
          maxBytes: Number.MAX_SAFE_INTEGER,
          timeoutMs: this.#timeFor(target),
          ...given(signal),
        },
      },
    );
    return verifiedStream(body, target, this.name);
  }

  referrers(digest: string, options: OciReferrersOptions = {}): Promise<OciReferrers> {
    return listReferrers(this.#connection, this, {
      digest,
      maxReferrers: this.#maxReferrers,
      ...options,
    });
  }

  async tags({ signal }: OciOptions = {}): Promise<string[]> {
    const action = `list tags of ${this.name}`;
    const tags: string[] = [];
    let to: string | URL | undefined = "tags/list?n=1000";
    for (let pages = 0; to !== undefined; pages++) {
      const answer: HttpAnswer = await this.#connection.ask(action, {
        to,
        limits: { ...given(signal) },
      });
      refusePage(action, answer);
      const document = parseJson(answer.body, { maxDepth: 8 });
      const found = isObject(document) ? document.tags ?? [] : undefined;
      if (!Array.isArray(found) || !found.every((tag) => typeof tag === "string")) {
        throw new AttestationError("malformed-response", `Cannot ${action}: it answers no list`);
      }
      tags.push(...found.filter(isOciTag));
      if (tags.length > MAX_TAGS || pages >= MAX_PAGES) {
        throw new AttestationError("limit-exceeded", `Cannot ${action}: there are too many`);
      }
      to = this.#connection.nextPage(action, answer);
    }
    return tags;
  }

  async hasBlob(target: OciDescriptor, { signal }: OciOptions = {}): Promise<boolean> {
    const { status } = await this.#connection.ask(`look for blob ${target.digest}`, {
      to: blobPath(target),
      method: "HEAD",
      access: "pull,push",
      accept: [200, 404],
      limits: { ...given(signal) },
    });
    return status === 200;
  }

  async putBlob(
    target: OciDescriptor,
    content: Uint8Array | (() => Promise<ReadableStream<Uint8Array>>),
    options: OciOptions = {},
  ): Promise<OciWritten> {
    if (content instanceof Uint8Array) await checkContent(content, target, "the caller");
    const { digest } = target;
    if (await this.hasBlob(target, options)) return { digest, created: false };
    await putBlob(this.#connection, target, content, {
      ...options,
      timeoutMs: this.#timeFor(target),
      retries: this.#options.retries ?? 3,
    });
    return { digest, created: true };
  }

  putManifest(bytes: Uint8Array, options: OciPutOptions = {}): Promise<OciWritten> {
    // One after the other: two at once would change the same fallback index.
    const work = this.#writing.then(() =>
      putManifest(this.#connection, this, bytes, {
        ...options,
        maxReferrers: this.#maxReferrers,
        sleep: this.#options.sleep ?? timer,
      })
    );
    this.#writing = work.catch(() => {});
    return work;
  }

  #getManifest(
    action: string,
    reference: string,
    accept: readonly number[],
    { signal }: OciOptions,
  ): Promise<HttpAnswer> {
    return this.#connection.ask(action, {
      to: `manifests/${reference}`,
      accept,
      headers: { accept: [...INDEX_TYPES, ...IMAGE_TYPES].join(", ") },
      limits: { maxBytes: MAX_MANIFEST_BYTES, ...given(signal) },
    });
  }

  async #readManifest(
    action: string,
    answer: HttpAnswer,
    wanted: string | undefined,
  ): Promise<OciManifest> {
    const { body, headers } = answer;
    const stated = headers.get("docker-content-digest") ?? "";
    const digest = await digestLike(wanted ?? (isOciDigest(stated) ? stated : "sha256:"), body);
    if (wanted === undefined || digest !== wanted) refusePage(action, answer);
    if (wanted !== undefined) checkDigest(digest, wanted, this.name);
    if (isOciDigest(stated)) checkDigest(await digestLike(stated, body), stated, this.name);
    const mediaType = headers.get("content-type");
    const manifest = parseOciManifest(body, {
      digest,
      ...(mediaType === null ? {} : { mediaType }),
    });
    this.#keep(manifest);
    return manifest;
  }

  #keep(manifest: OciManifest): void {
    if (this.#kept.has(manifest.digest)) return;
    this.#kept.set(manifest.digest, manifest);
    this.#keptBytes += manifest.bytes.length;
    for (const [digest, { bytes }] of this.#kept) {
      if (this.#kept.size <= MAX_KEPT && this.#keptBytes <= MAX_KEPT_BYTES) break;
      this.#kept.delete(digest);
      this.#keptBytes -= bytes.length;
    }
  }

  #timeFor({ size }: OciDescriptor): number {
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    return timeoutMs + Math.ceil(size / MIN_BYTES_PER_SECOND) * 1000;
  }
}

function given(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function blobPath({ digest }: OciDescriptor): string {
  if (!isOciDigest(digest)) {
    throw new AttestationError("invalid-digest", `Cannot use digest ${quote(digest)}`);
  }
  return `blobs/${digest}`;
}
