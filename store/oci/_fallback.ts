import { AttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import type { HttpOptions } from "../../internal/http.ts";
import type { Json } from "../../internal/json.ts";
import type { Connection } from "./_connection.ts";
import { fallbackTag, type TagReader } from "./_referrers.ts";
import { MAX_MANIFEST_BYTES, readDocument } from "./manifest.ts";
import { INDEX_TYPE } from "./media_types.ts";
import type { OciDescriptor, OciManifest } from "./source.ts";

/** What is to be listed. */
export interface FallbackEntry {
  /** Digest of the manifest that it refers to. */
  subject: string;
  entry: OciDescriptor;
  sleep: NonNullable<HttpOptions["sleep"]>;
  signal?: AbortSignal;
}

/** Times that the index is written; others are as likely to win as this one. */
const MAX_WRITES = 24;
/** How long an entry has to stay, so that no write that began before is left: about this. */
const SETTLE_MS = 150;
/** Looks at the index in a row that must find the entry. */
const STEADY = 3;

/**
 * Adds an entry to the index under the fallback tag, without losing another writer's: a
 * registry that compares `If-Match` refuses to write over what was not read (412), and with
 * any other the index is read again until the entry has stayed; who was written over adds
 * again.
 *
 * Source: OCI distribution specification 1.1, "Referrers Tag Schema".
 *
 * @throws {AttestationError} `registry-conflict`, `malformed-image-manifest`,
 * `limit-exceeded`.
 */
export async function addToFallback(
  connection: Connection,
  tags: TagReader,
  { subject, entry, sleep, signal }: FallbackEntry,
): Promise<void> {
  const tag = fallbackTag(subject);
  const action = `list ${entry.digest} under ${connection.name}:${tag}`;
  const stop = signal === undefined ? {} : { signal };
  let steady = 0;
  let writes = 0;
  for (;;) {
    const found = await tags.tagged(tag, stop);
    if (found !== undefined && found.manifest.kind !== "index") {
      throw new AttestationError(
        "malformed-image-manifest",
        `Cannot ${action}: the tag names what is no index`,
      );
    }
    if (found?.manifest.manifests.some(({ digest }) => digest === entry.digest)) {
      if (writes === 0 || ++steady === STEADY) return;
      await sleep(SETTLE_MS * (0.5 + Math.random()), signal);
      continue;
    }
    steady = 0;
    if (writes === MAX_WRITES) {
      throw new AttestationError(
        "registry-conflict",
        `Cannot ${action}: it was written ${writes} times, and others wrote over it each time`,
      );
    }
    const { status } = await connection.ask(action, {
      to: `manifests/${tag}`,
      method: "PUT",
      headers: {
        "content-type": INDEX_TYPE,
        ...(found === undefined
          ? { "if-none-match": "*" }
          : found.etag === undefined
          ? {}
          : { "if-match": found.etag }),
      },
      body: appended(action, found?.manifest, entry),
      access: "pull,push",
      accept: [201, 412],
      redirects: 0,
      limits: stop,
    });
    writes++;
    // Who lost waits for a while, each another one, so that one of them comes through.
    if (status === 412) await sleep(SETTLE_MS * Math.random() * Math.min(writes, 8), signal);
  }
}

/** The index with one entry more; all else in it stays. */
function appended(
  action: string,
  index: OciManifest | undefined,
  entry: OciDescriptor,
): Uint8Array {
  const { mediaType, digest, size, artifactType, annotations } = entry;
  const added = {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
  };
  const document = index === undefined
    ? { schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [] }
    : readDocument(index.bytes, "index of referrers");
  const manifests: Json[] = [...document.manifests as Json[], added];
  const bytes = utf8(JSON.stringify({ ...document, mediaType: INDEX_TYPE, manifests }));
  if (bytes.length <= MAX_MANIFEST_BYTES) return bytes;
  throw new AttestationError(
    "limit-exceeded",
    `Cannot ${action}: with ${manifests.length} entries the index is larger than the ` +
      `${MAX_MANIFEST_BYTES} bytes that registries accept`,
  );
}
