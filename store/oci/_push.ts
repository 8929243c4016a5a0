import { AttestationError, isAttestationError } from "../../errors.ts";
import type { HttpAnswer, HttpOptions } from "../../internal/http.ts";
import { type Connection, registryWords } from "./_connection.ts";
import { addToFallback } from "./_fallback.ts";
import { checkOciTag } from "./_names.ts";
import { askApi, type TagReader } from "./_referrers.ts";
import { checkDigest, digestLike } from "./_verified.ts";
import { descriptorOf, parseOciManifest } from "./manifest.ts";
import type { OciDescriptor, OciManifest, OciPutOptions, OciWritten } from "./source.ts";

/** How a blob is pushed. */
export interface PushBlobOptions {
  timeoutMs: number;
  retries: number;
  signal?: AbortSignal;
}

/** How a manifest is pushed. */
export interface PushManifestOptions extends OciPutOptions {
  maxReferrers: number;
  sleep: NonNullable<HttpOptions["sleep"]>;
}

/**
 * Uploads a blob: bytes in one request, a stream in one chunk and a closing request.
 *
 * Source: OCI distribution specification 1.1, "Pushing blobs".
 */
export async function putBlob(
  connection: Connection,
  target: OciDescriptor,
  content: Uint8Array | (() => Promise<ReadableStream<Uint8Array>>),
  { retries, ...limits }: PushBlobOptions,
): Promise<void> {
  const action = `push blob ${target.digest} to ${connection.name}`;
  // An upload that failed cannot go on: it is begun anew, whole.
  for (let attempt = 0;; attempt++) {
    try {
      return await upload(connection, action, { target, content, limits });
    } catch (error) {
      const mayPass = isAttestationError(error) && error.reason === "service-unavailable";
      if (!mayPass || attempt >= retries) throw error;
    }
  }
}

async function upload(
  connection: Connection,
  action: string,
  { target, content, limits }: {
    target: OciDescriptor;
    content: Uint8Array | (() => Promise<ReadableStream<Uint8Array>>);
    limits: Omit<PushBlobOptions, "retries">;
  },
): Promise<void> {
  const common = { access: "pull,push", limits, retryable: false, redirects: 0 } as const;
  const headers = { "content-type": "application/octet-stream" };
  const begun = await connection.ask(action, {
    ...common,
    to: "blobs/uploads/",
    method: "POST",
    body: new Uint8Array(),
    accept: [202],
    retryable: true,
  });
  let body = content instanceof Uint8Array ? content : new Uint8Array();
  let to = connection.location(action, begun);
  if (!(content instanceof Uint8Array)) {
    const sent = await connection.ask(action, {
      ...common,
      to,
      method: "PATCH",
      headers,
      body: content,
      accept: [202],
    });
    to = connection.location(action, sent);
    body = new Uint8Array();
  }
  const done = await connection.ask(action, {
    ...common,
    to: withDigest(to, target.digest),
    method: "PUT",
    headers,
    body,
    accept: [201],
  });
  checkStated(done, target.digest, connection.name);
}

/** The address as it was given, its query included: to parse and print that could change it. */
function withDigest(to: URL, digest: string): URL {
  const url = new URL(to);
  const parameter = `digest=${encodeURIComponent(digest)}`;
  url.search = url.search === "" ? `?${parameter}` : `${url.search}&${parameter}`;
  return url;
}

function checkStated({ headers }: HttpAnswer, digest: string, source: string): void {
  const stated = headers.get("docker-content-digest");
  if (stated !== null && stated.split(":")[0] === digest.split(":")[0]) {
    checkDigest(stated, digest, source);
  }
}

/**
 * Pushes a manifest, and sees to it that it is listed among the referrers of its subject.
 *
 * Source: OCI distribution specification 1.1, "Pushing manifests", "Pushing Manifests with
 * Subject".
 */
export async function putManifest(
  connection: Connection,
  tags: TagReader,
  bytes: Uint8Array,
  options: PushManifestOptions,
): Promise<OciWritten> {
  const { tag, signal } = options;
  const digest = await digestLike(options.digest ?? "sha256:", bytes);
  if (options.digest !== undefined) checkDigest(digest, options.digest, "the caller");
  if (tag !== undefined) checkOciTag(tag);
  const manifest = parseOciManifest(bytes, { digest });
  const limits = signal === undefined ? {} : { signal };
  const { status } = await connection.ask(`look for ${connection.name}@${digest}`, {
    to: `manifests/${digest}`,
    method: "HEAD",
    headers: { accept: manifest.mediaType },
    access: "pull,push",
    accept: [200, 404],
    limits,
  });
  const created = status !== 200;
  let answer: HttpAnswer | undefined;
  if (created || tag !== undefined) {
    answer = await pushManifest(connection, manifest, { ...options, tag: tag ?? digest });
    checkStated(answer, digest, connection.name);
  }
  const { subject } = manifest;
  if (subject === undefined) return { digest, created };
  const listedBy = await ensureListed(connection, tags, { manifest, subject, answer, options });
  return { digest, created, listedBy };
}

/** Tries to push a manifest whose blobs a registry does not see yet, though it took them. */
const BLOB_TRIES = 4;
const BLOB_WAIT_MS = 200;

async function pushManifest(
  connection: Connection,
  { bytes, digest, mediaType }: OciManifest,
  { tag, sleep, signal }: PushManifestOptions,
): Promise<HttpAnswer> {
  for (let attempt = 1;; attempt++) {
    const answer = await connection.ask(`push manifest ${digest} to ${connection.name}`, {
      to: `manifests/${tag}`,
      method: "PUT",
      headers: { "content-type": mediaType },
      body: bytes,
      access: "pull,push",
      accept: attempt < BLOB_TRIES ? [201, 400] : [201],
      redirects: 0,
      limits: signal === undefined ? {} : { signal },
    });
    if (answer.status === 201) return answer;
    // Others that push the same blob at this moment can hide it for a while.
    if (registryWords(answer.body)?.includes("MANIFEST_BLOB_UNKNOWN")) {
      await sleep(BLOB_WAIT_MS * attempt, signal);
    } else attempt = BLOB_TRIES - 1;
  }
}

/** Tries to find a new entry in the answer of the API, which may lag behind. */
const API_TRIES = 4;
const API_WAIT_MS = 250;

/**
 * A registry may say `OCI-Subject` without having the API, or have it and say nothing: what
 * counts is that its list has the entry, or that there is no list but the fallback tag.
 */
async function ensureListed(
  connection: Connection,
  tags: TagReader,
  { manifest, subject, answer, options }: {
    manifest: OciManifest;
    subject: OciDescriptor;
    answer: HttpAnswer | undefined;
    options: PushManifestOptions;
  },
): Promise<"referrers-api" | "fallback-tag"> {
  const { maxReferrers, sleep, signal } = options;
  const query = {
    digest: subject.digest,
    maxReferrers,
    ...(signal === undefined ? {} : { signal }),
  };
  for (let attempt = 1; attempt <= API_TRIES; attempt++) {
    let listed: OciDescriptor[] | undefined;
    try {
      listed = await askApi(connection, query, []);
    } catch (error) {
      // The list is too long to be read whole; the registry's word has to do.
      const isLong = isAttestationError(error) && error.reason === "limit-exceeded";
      if (isLong && answer?.headers.get("oci-subject") === subject.digest) return "referrers-api";
      throw error;
    }
    if (listed === undefined) {
      await addToFallback(connection, tags, {
        subject: subject.digest,
        entry: descriptorOf(manifest),
        sleep,
        ...(signal === undefined ? {} : { signal }),
      });
      return "fallback-tag";
    }
    if (listed.some(({ digest }) => digest === manifest.digest)) return "referrers-api";
    if (attempt < API_TRIES) await sleep(API_WAIT_MS * 2 ** (attempt - 1), signal);
  }
  throw new AttestationError(
    "registry-conflict",
    `Cannot attach ${manifest.digest}: ${connection.name} took it, and does not list it among ` +
      `the referrers of ${subject.digest}`,
  );
}
