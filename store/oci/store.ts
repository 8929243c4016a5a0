import { AttestationError, isAttestationError, type Reason } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { printable } from "../../internal/json.ts";
import { isOciDigest } from "../../internal/oci_name.ts";
import { limitOption, refuseUnknown } from "../../internal/options.ts";
import { sha256 } from "../../internal/sha256.ts";
import { mapWindow } from "../../internal/window.ts";
import type { DigestSet } from "../../intoto/digest_set.ts";
import {
  CLAIM_LIMITS,
  contentId,
  copyContent,
  keyText,
  readClaims,
  states,
  type SubjectKey,
  subjectKeys,
  wantedKeys,
} from "../claims.ts";
import type {
  AttestationStore,
  FindOptions,
  PutResult,
  StoredAttestation,
  StoreEntry,
  StoreOptions,
} from "../store.ts";
import { describeContent } from "./attach.ts";
import { EMPTY_TYPE, IMAGE_TYPE } from "./media_types.ts";
import type { OciDescriptor, OciManifest, OciTarget } from "./source.ts";

/** Options of {@linkcode createOciStore}. */
export interface OciStoreOptions {
  /** What it is called in reports. Default: the name of the repository. */
  name?: string;
  /** Bytes of one attestation. Default 24 MiB. */
  maxBytes?: number;
  /** Subjects of one attestation: each is a manifest of its own. Default 256. */
  maxSubjects?: number;
}

/** Tag of an attestation: this and the hex of its id. */
const TAG = /^attestation-sha256-([0-9a-f]{64})$/;
const EMPTY = utf8("{}");
const WINDOW = 8;
/** Layers that are attestations, whatever their manifest says. */
const LAYER = /^application\/vnd\.(?:dev\.sigstore\.bundle|dsse\.envelope|in-toto\+json)/;

/** It is there and cannot be used: one such attestation hides no other. */
const UNUSABLE: readonly Reason[] = [
  "content-mismatch",
  "image-not-found",
  "malformed-image-manifest",
  "limit-exceeded",
];
/** What is the answer itself, and no failure to look. */
const OWN: readonly Reason[] = ["limit-exceeded", "content-mismatch", "invalid-digest"];

/**
 * A repository of a registry, or an image layout, as a store of attestations about anything:
 * images, whose attestations hang on them where other tools find them, and files.
 *
 * An attestation is a referrer of each of its subjects, by the subject's digest, whether there
 * is such a manifest or not; and it has a tag of its own, by which it is listed and kept when a
 * registry tidies up what has none. What other tools attached is found as well.
 *
 * @param target Repository or layout.
 *
 * @example
 * ```ts
 * import { createLayout, createMemoryFiles, createOciStore } from "@x/attest/store/oci";
 * import assert from "node:assert/strict";
 *
 * const layout = createLayout(createMemoryFiles("memory"));
 * const store = createOciStore(layout);
 * await store.put(new TextEncoder().encode(JSON.stringify({
 *   _type: "https://in-toto.io/Statement/v1",
 *   subject: [{ name: "app.tgz", digest: { sha256: "a".repeat(64) } }],
 *   predicateType: "https://example.com/review/v1",
 * })));
 * assert.equal((await store.find({ sha256: "a".repeat(64) }))?.length, 1);
 * ```
 */
export function createOciStore(
  target: OciTarget,
  options: OciStoreOptions = {},
): AttestationStore {
  refuseUnknown(options, ["name", "maxBytes", "maxSubjects"], "createOciStore()");
  return new OciStore(target, options);
}

class OciStore implements AttestationStore {
  readonly name: string;
  readonly #target: OciTarget;
  readonly #limits: typeof CLAIM_LIMITS;
  readonly #pending = new Map<string, Promise<unknown>>();

  constructor(target: OciTarget, options: OciStoreOptions) {
    this.name = options.name ?? target.name;
    this.#target = target;
    this.#limits = {
      maxBytes: limitOption("maxBytes", options.maxBytes, CLAIM_LIMITS.maxBytes),
      maxSubjects: limitOption("maxSubjects", options.maxSubjects, 256),
    };
  }

  async put(given: Uint8Array, { signal }: StoreOptions = {}): Promise<PutResult> {
    signal?.throwIfAborted();
    const content = copyContent(given);
    const claims = await readClaims(content, this.#limits);
    const id = await contentId(content);
    const layer = {
      ...describeContent(content, claims.predicateType),
      digest: id,
      size: content.length,
    };
    // The second one who puts the same bytes sees what the first one did.
    const before = this.#pending.get(id);
    const work = (async () => {
      await before?.catch(() => {});
      return await this.#asking(
        "put into",
        signal,
        () => this.#put(content, layer, { keys: subjectKeys(claims), ...stopBy(signal) }),
      );
    })();
    this.#pending.set(id, work);
    try {
      return await work;
    } finally {
      if (this.#pending.get(id) === work) this.#pending.delete(id);
    }
  }

  async #put(
    content: Uint8Array,
    layer: Layer,
    { keys, signal }: { keys: readonly SubjectKey[]; signal?: AbortSignal },
  ): Promise<PutResult> {
    const stop = stopBy(signal);
    const id = layer.digest;
    const tag = `attestation-${id.replace(":", "-")}`;
    const source = `${this.#target.name}:${tag}`;
    if (await this.#target.tag(tag, stop) !== undefined) return { id, created: false, source };
    const config = { mediaType: EMPTY_TYPE, digest: digestOf(EMPTY), size: EMPTY.length };
    await this.#target.putBlob(config, EMPTY, stop);
    await this.#target.putBlob(layer, content, stop);
    for (const digest of new Set(keys.map(subjectDigest))) {
      const subject = await this.#subject(digest, stop);
      await this.#target.putManifest(manifestOf(layer, config, subject), stop);
    }
    // The tag is written last: what has one was put whole.
    await this.#target.putManifest(manifestOf(layer, config), { ...stop, tag });
    return { id, created: true, source };
  }

  /** The manifest with this digest, or in its place what can have no such digest here. */
  async #subject(digest: string, stop: { signal?: AbortSignal }): Promise<OciDescriptor> {
    try {
      return await this.#target.resolve(digest, stop);
    } catch (error) {
      if (!isAttestationError(error) || error.reason !== "image-not-found") throw error;
      return { mediaType: "application/octet-stream", digest, size: 0 };
    }
  }

  async find(
    subject: DigestSet,
    { signal, onNote }: FindOptions = {},
  ): Promise<StoredAttestation[] | undefined> {
    const wanted = wantedKeys(subject);
    signal?.throwIfAborted();
    const found = await this.#asking("look into", signal, async () => {
      const kept = new Map<string, StoredAttestation>();
      for (const digest of new Set(wanted.map(subjectDigest))) {
        for (const one of await this.#referring(digest, { signal, onNote })) {
          const claims = await readClaims(one.content, this.#limits).catch(() => undefined);
          if (claims !== undefined && states(claims, wanted)) kept.set(one.id, one);
        }
      }
      return [...kept.values()];
    });
    found.sort((a, b) => a.id < b.id ? -1 : 1);
    return found.length === 0 ? undefined : found;
  }

  async *list({ signal, onNote }: StoreOptions = {}): AsyncGenerator<StoreEntry> {
    signal?.throwIfAborted();
    const all = await this.#asking("list", signal, async () => {
      const tags = await this.#target.tags(stopBy(signal));
      const kept = await mapWindow(tags.filter((tag) => TAG.test(tag)), WINDOW, async (tag) => {
        const named = await this.#target.tag(tag, stopBy(signal));
        if (named === undefined) return [];
        const manifest = await this.#target.manifest(named, stopBy(signal));
        return await this.#layers(manifest, `${this.#target.name}:${tag}`, { signal, onNote });
      });
      const others = tags.filter((tag) => !TAG.test(tag) && !/^sha(256|512)-/.test(tag));
      const digests = new Set<string>();
      for (const tag of others) await this.#images(tag, digests, stopBy(signal));
      const attached = await mapWindow(
        [...digests],
        WINDOW,
        (digest) => this.#referring(digest, { signal, onNote }),
      );
      const byId = new Map([...attached, ...kept].flat().map((one) => [one.id, one]));
      return [...byId.values()].sort((a, b) => a.id < b.id ? -1 : 1);
    });
    for (const { id, content, source } of all) {
      signal?.throwIfAborted();
      const claims = await readClaims(content, this.#limits).catch(() => undefined);
      if (claims !== undefined) yield { id, ...claims, size: content.length, source };
    }
  }

  /** Digests of what a tag names, and of what an index lists. */
  async #images(
    tag: string,
    digests: Set<string>,
    stop: { signal?: AbortSignal },
  ): Promise<void> {
    const named = await this.#target.tag(tag, stop);
    if (named === undefined) return;
    digests.add(named.digest);
    const { manifests } = await this.#target.manifest(named, stop);
    for (const { digest } of manifests) digests.add(digest);
  }

  /** Attestations among the referrers of a digest. */
  async #referring(digest: string, options: StoreOptions): Promise<StoredAttestation[]> {
    const { manifests, notes } = await this.#target.referrers(digest, stopBy(options.signal));
    for (const note of notes) options.onNote?.(note);
    const found = await mapWindow(manifests, WINDOW, async (descriptor) => {
      const source = `${this.#target.name}@${descriptor.digest}`;
      const manifest = await this.#usable(
        options,
        source,
        () => this.#target.manifest(descriptor, stopBy(options.signal)),
      );
      if (manifest === undefined) return [];
      if (manifest.subject?.digest !== digest) {
        const about = printable(manifest.subject?.digest ?? "nothing");
        options.onNote?.({
          reason: "referrer-mismatch",
          message: `${source} is about ${about}, not about ${digest}`,
        });
        return [];
      }
      return await this.#layers(manifest, source, options);
    });
    return found.flat();
  }

  async #layers(
    manifest: OciManifest,
    source: string,
    options: StoreOptions,
  ): Promise<StoredAttestation[]> {
    const layers = manifest.layers.filter(({ mediaType }) => LAYER.test(mediaType));
    const found = await mapWindow(layers, WINDOW, async (layer) => {
      const { maxBytes } = this.#limits;
      const content = await this.#usable(
        options,
        source,
        () => this.#target.blob(layer, { maxBytes, ...stopBy(options.signal) }),
      );
      return content === undefined ? [] : [{ id: await contentId(content), content, source }];
    });
    return found.flat();
  }

  async #usable<T>(
    { onNote }: StoreOptions,
    source: string,
    read: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isAttestationError(error) || !UNUSABLE.includes(error.reason)) throw error;
      onNote?.({ reason: error.reason, message: `${source}: ${error.message}` });
      return undefined;
    }
  }

  async #asking<T>(
    action: string,
    signal: AbortSignal | undefined,
    run: () => Promise<T>,
  ): Promise<T> {
    try {
      return await run();
    } catch (cause) {
      signal?.throwIfAborted();
      if (!isAttestationError(cause) || OWN.includes(cause.reason)) throw cause;
      throw new AttestationError(
        "store-unavailable",
        `Cannot ${action} store ${printable(this.name, 120)}`,
        { cause },
      );
    }
  }
}

interface Layer extends OciDescriptor {
  readonly annotations: Readonly<Record<string, string>>;
}

/** The digest under which something about a subject hangs. */
function subjectDigest(key: SubjectKey): string {
  const digest = `${key.algorithm}:${key.value}`;
  // What no registry could name hangs on the digest of its name.
  return isOciDigest(digest) ? digest : digestOf(utf8(keyText(key)));
}

/** The same bytes each time, so that what was begun is not done twice. */
function manifestOf(
  { mediaType, digest, size, annotations }: Layer,
  config: OciDescriptor,
  subject?: OciDescriptor,
): Uint8Array {
  return utf8(JSON.stringify({
    schemaVersion: 2,
    mediaType: IMAGE_TYPE,
    artifactType: mediaType,
    config,
    layers: [{ mediaType, digest, size }],
    ...(subject === undefined ? {} : {
      subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    }),
    annotations,
  }));
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${encodeHex(sha256(bytes))}`;
}

function stopBy(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
