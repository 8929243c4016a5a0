import { AttestationError } from "../../errors.ts";
import { printable } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { mapWindow } from "../../internal/window.ts";
import type {
  OciDescriptor,
  OciManifest,
  OciOptions,
  OciSource,
  OciTarget,
  OciWritten,
} from "./source.ts";

/** Options of {@linkcode copyImage}. */
export interface CopyOptions extends OciOptions {
  /** Tag of the copy. Default: none, it is reached by its digest. */
  tag?: string;
  /** Look at the source, and write nothing. Default false. */
  dryRun?: boolean;
  /** Leave out what hangs on the image: referrers and cosign's tags. Default false. */
  bare?: boolean;
  /** Told of each step when it is done. */
  onStep?: (step: CopyStep) => void;
}

/** One manifest or blob of a copy. */
export interface CopyStep {
  /** What it is. */
  readonly kind: "blob" | "manifest";
  /** What it is to the image. */
  readonly role: "image" | "platform" | "referrer" | "cosign-tag" | "content";
  /** Digest of it. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Media type, or the type of an artifact. */
  readonly type: string;
  /** Digest of the manifest that it belongs to, refers to or is tagged for. */
  readonly of?: string;
  /** Tag that it gets. */
  readonly tag?: string;
  /** False if it was there already, or in a dry run. */
  readonly written: boolean;
}

/** What a copy did. */
export interface CopyResult {
  /** The image. */
  readonly root: OciDescriptor;
  /** All steps, in the order in which they were done. */
  readonly steps: readonly CopyStep[];
  /** Referrers and tags that are not copied, for people. */
  readonly notes: readonly string[];
}

const MAX_MANIFESTS = 10_000;
const MAX_DEPTH = 4;
const WINDOW = 4;
/** Content up to this size is held; what is larger flows from one side to the other. */
const HELD_BYTES = 4 << 20;
/** Tags of cosign for a digest: `sha256-HEX` and one of these. */
const COSIGN_SUFFIXES: readonly string[] = ["sig", "att", "sbom"];

/**
 * Copies an image and all that hangs on it: every platform of an index, referrers of each and
 * referrers of those, and the manifests under cosign's tags. The same bytes with the same
 * digests, each checked on the way; how the other side lists referrers is its own affair.
 *
 * The image gets its tag last: who finds it finds its attestations. A failure leaves no tag
 * that leads to something half there; a copy that is begun again goes on where it stopped.
 *
 * Source: OCI distribution specification 1.1; OCI image specification 1.1.
 *
 * @param source From where.
 * @param target To where; a `dryRun` only reads.
 * @param root The image, as the source's `resolve()` gives it.
 * @throws {AttestationError} What both sides throw; `limit-exceeded` for an image of more than
 * 10 000 manifests.
 *
 * @example
 * ```ts
 * import { copyImage, createLayout, createMemoryFiles } from "@x/attest/store/oci";
 * import assert from "node:assert/strict";
 *
 * const [from, to] = ["from", "to"].map((name) => createLayout(createMemoryFiles(name)));
 * const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json" };
 * const bytes = new TextEncoder().encode(JSON.stringify({ ...index, manifests: [] }));
 * await from.putManifest(bytes, { tag: "1.0" });
 *
 * const root = await from.resolve("1.0");
 * await copyImage(from, to, { root, tag: "2.0" });
 * assert.deepEqual(await to.resolve("2.0"), root);
 * ```
 */
export async function copyImage(
  source: OciSource,
  target: OciTarget,
  { root, ...options }: CopyOptions & {
    /** The image, as the source's `resolve()` gives it. */
    root: OciDescriptor;
  },
): Promise<CopyResult> {
  refuseUnknown(options, ["tag", "dryRun", "bare", "onStep", "signal"], "copyImage()");
  const copy = new Copy(source, target, options);
  await copy.run(root);
  return { root, steps: copy.steps, notes: copy.notes };
}

class Copy {
  readonly steps: CopyStep[] = [];
  readonly notes: string[] = [];
  readonly #source: OciSource;
  readonly #target: OciTarget;
  readonly #options: CopyOptions;
  readonly #stop: OciOptions;
  readonly #done = new Set<string>();

  constructor(source: OciSource, target: OciTarget, options: CopyOptions) {
    this.#source = source;
    this.#target = target;
    this.#options = options;
    this.#stop = options.signal === undefined ? {} : { signal: options.signal };
  }

  async run(root: OciDescriptor): Promise<void> {
    const manifest = await this.#manifest(root);
    await this.#contents(manifest, 0);
    await this.#attachments(manifest, 0);
    const { tag } = this.#options;
    await this.#put(manifest, { role: "image", ...(tag === undefined ? {} : { tag }) });
  }

  /** Everything that a manifest names, so that it can be written after that. */
  async #contents(manifest: OciManifest, depth: number): Promise<void> {
    if (depth > MAX_DEPTH) throw this.#tooLarge("an index within an index goes too deep");
    for (const child of manifest.manifests) {
      if (!this.#begin(child.digest)) continue;
      const found = await this.#manifest(child);
      await this.#contents(found, depth + 1);
      await this.#attachments(found, depth + 1);
      await this.#put(found, { role: "platform", of: manifest.digest });
    }
    const { config, layers } = manifest;
    const blobs = [...config === undefined ? [] : [config], ...layers]
      .filter(({ digest }) => this.#begin(`blob ${digest}`));
    await mapWindow(blobs, WINDOW, (blob) => this.#blob(blob, manifest.digest));
  }

  /** What refers to a manifest, and what cosign's tags name for it. */
  async #attachments(manifest: OciManifest, depth: number): Promise<void> {
    if (this.#options.bare) return;
    if (depth > MAX_DEPTH) throw this.#tooLarge("referrers of referrers go too deep");
    const { digest } = manifest;
    const { manifests, notes } = await this.#source.referrers(digest, this.#stop);
    this.notes.push(...notes.map(({ message }) => message));
    for (const descriptor of manifests) {
      const found = await this.#manifest(descriptor);
      if (found.subject?.digest !== digest) {
        this.notes.push(
          `Referrer ${found.digest} is not copied: it is about ${
            printable(found.subject?.digest ?? "nothing")
          }, not about ${digest}`,
        );
        continue;
      }
      await this.#attachment(found, depth, { role: "referrer", of: digest });
    }
    for (const suffix of COSIGN_SUFFIXES) {
      const tag = `${digest.replace(":", "-").slice(0, 120)}.${suffix}`;
      const named = await this.#source.tag(tag, this.#stop);
      if (named === undefined) continue;
      const found = await this.#manifest(named);
      await this.#attachment(found, depth, { role: "cosign-tag", of: digest, tag });
    }
  }

  async #attachment(
    manifest: OciManifest,
    depth: number,
    step: Pick<CopyStep, "role" | "of" | "tag">,
  ): Promise<void> {
    const key = `${step.tag ?? step.of} ${manifest.digest}`;
    if (!this.#begin(key)) return;
    await this.#contents(manifest, depth + 1);
    await this.#attachments(manifest, depth + 1);
    await this.#put(manifest, step);
  }

  /** Tells whether it is new. */
  #begin(key: string): boolean {
    if (this.#done.size >= MAX_MANIFESTS) throw this.#tooLarge("it has too many parts");
    return this.#done.size < this.#done.add(key).size;
  }

  #manifest(descriptor: OciDescriptor): Promise<OciManifest> {
    return this.#source.manifest(descriptor, this.#stop);
  }

  async #blob(descriptor: OciDescriptor, of: string): Promise<void> {
    const { digest, size, mediaType } = descriptor;
    const step = { kind: "blob", role: "content", digest, size, type: mediaType, of } as const;
    if (/\.(?:foreign|nondistributable)\./.test(mediaType)) {
      this.notes.push(`Layer ${digest} is not copied: its type says that others distribute it`);
      return;
    }
    const { written } = await this.#write(() =>
      size <= HELD_BYTES ? this.#held(descriptor) : this.#target.putBlob(
        descriptor,
        () => this.#source.blobStream(descriptor, this.#stop),
        this.#stop,
      )
    );
    this.#report({ ...step, written });
  }

  async #held(descriptor: OciDescriptor): Promise<OciWritten> {
    if (await this.#target.hasBlob(descriptor, this.#stop)) {
      return { digest: descriptor.digest, created: false };
    }
    const bytes = await this.#source.blob(descriptor, this.#stop);
    return await this.#target.putBlob(descriptor, bytes, this.#stop);
  }

  async #put(
    manifest: OciManifest,
    step: Pick<CopyStep, "role" | "of" | "tag">,
  ): Promise<void> {
    const { digest, bytes, artifactType, mediaType, subject } = manifest;
    const { tag, role } = step;
    const { written } = await this.#write(() =>
      this.#target.putManifest(bytes, {
        ...this.#stop,
        digest,
        root: role === "image",
        ...(tag === undefined ? {} : { tag }),
      })
    );
    const type = subject === undefined ? mediaType : artifactType ?? mediaType;
    this.#report({ kind: "manifest", digest, size: bytes.length, type, written, ...step });
  }

  async #write(work: () => Promise<OciWritten>): Promise<{ written: boolean }> {
    if (this.#options.dryRun) return { written: false };
    return { written: (await work()).created };
  }

  #report(step: CopyStep): void {
    this.steps.push(step);
    this.#options.onStep?.(step);
  }

  #tooLarge(what: string): AttestationError {
    return new AttestationError(
      "limit-exceeded",
      `Cannot copy from ${printable(this.#source.name, 120)}: ${what}`,
    );
  }
}
