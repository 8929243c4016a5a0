import type { Reason } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";

/** Where an image runs. Source: OCI image specification 1.1, image-index.md. */
export interface OciPlatform {
  /** Such as `amd64`; `unknown` for what does not run. */
  readonly architecture: string;
  /** Such as `linux`; `unknown` for what does not run. */
  readonly os: string;
  /** Such as `v8`. */
  readonly variant?: string;
  /** Version of the operating system, such as `10.0.14393.1066`. */
  readonly osVersion?: string;
  /** Features of the operating system that it needs, such as `win32k`. */
  readonly osFeatures?: readonly string[];
}

/**
 * What names content: its digest and size. All else is a claim of who wrote it.
 *
 * Source: OCI image specification 1.1, descriptor.md.
 */
export interface OciDescriptor {
  /** Media type of the content. */
  readonly mediaType: string;
  /** `sha256:` or `sha512:` and lowercase hex. */
  readonly digest: string;
  /** Bytes of the content. */
  readonly size: number;
  /** Type of the artifact, where the content is a manifest. */
  readonly artifactType?: string;
  /** Free text by name; nobody signs it. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Platform of an image, in an index. */
  readonly platform?: OciPlatform;
}

/**
 * A manifest whose bytes have the digest that was asked for. Everything in it is still
 * untrusted: a digest binds bytes, not their truth.
 */
export interface OciManifest {
  /** `index` lists manifests; `image` has a config and layers, also when it is no image. */
  readonly kind: "index" | "image";
  /** Media type, as the manifest or else the registry states it. */
  readonly mediaType: string;
  /** Digest of the bytes, by the algorithm that was asked for. */
  readonly digest: string;
  /** The bytes as they were served. */
  readonly bytes: Bytes;
  /** `artifactType` as stated; without it, the media type of the config. */
  readonly artifactType?: string;
  /** Config of an `image`. */
  readonly config?: OciDescriptor;
  /** Layers of an `image`; empty for an `index`. */
  readonly layers: readonly OciDescriptor[];
  /** Manifests of an `index`; empty for an `image`. */
  readonly manifests: readonly OciDescriptor[];
  /** The manifest that this one is about. */
  readonly subject?: OciDescriptor;
  /** Free text by name. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Something that was noticed on the way and hides nothing: for reports. */
export interface OciNote {
  /** Why it is noted, by the word that a refusal would have. */
  readonly reason: Reason;
  /** For people: one line, no final period. */
  readonly message: string;
}

/** What refers to a manifest, as its registry lists it. */
export interface OciReferrers {
  /**
   * Who answered: the referrers API, the fallback tag, the index of a layout; `none` where
   * there is no API and no fallback tag, so that nothing refers.
   */
  readonly via: "referrers-api" | "fallback-tag" | "layout" | "none";
  /** What was asked, for reports. */
  readonly source: string;
  /**
   * Descriptors, each digest once, in the order listed. Claims: fetch the manifest, and go by
   * its own `subject` and `artifactType`.
   */
  readonly manifests: readonly OciDescriptor[];
  /** What was odd: a registry's limits, entries that could not be read. */
  readonly notes: readonly OciNote[];
}

/** What every request takes. */
export interface OciOptions {
  /** Stops the work: `aborted`. */
  signal?: AbortSignal;
}

/** How a blob is read. */
export interface OciBlobOptions extends OciOptions {
  /** Bytes that are accepted. Default 32 MiB. */
  maxBytes?: number;
}

/** How referrers are asked for. */
export interface OciReferrersOptions extends OciOptions {
  /**
   * Only those that are listed with this type. Registries list wrong types, which hides what
   * is wanted; leave it out and look at the manifests where that counts.
   */
  artifactType?: string;
}

/**
 * One repository of a registry, or a layout on disk: read by digest, every byte checked.
 *
 * All of it throws `AttestationError`. `image-not-found`: it was asked, and it is not there.
 * `service-unavailable`, `registry-access-denied`, `registry-rate-limited`, `service-refused`,
 * `malformed-response`: could not look; never take that for absence. `image-digest-mismatch`,
 * `malformed-image-manifest`, `limit-exceeded`: it is there and cannot be used. `aborted`.
 */
export interface OciSource {
  /** What it is, for reports: `registry.example/acme/app`, or a path. */
  readonly name: string;
  /**
   * Digest of what a tag names now, or a digest itself. Resolve once, and go on with the
   * digest: a tag may name another manifest a moment later.
   *
   * @param reference A tag or a digest.
   * @throws {AttestationError} `image-not-found`.
   */
  resolve(reference: string, options?: OciOptions): Promise<OciDescriptor>;
  /** What a tag names now; undefined if there is no such tag. */
  tag(name: string, options?: OciOptions): Promise<OciDescriptor | undefined>;
  /** The manifest with this digest; of a descriptor, the size must be right too. */
  manifest(target: string | OciDescriptor, options?: OciOptions): Promise<OciManifest>;
  /** The blob of a descriptor, whole. */
  blob(target: OciDescriptor, options?: OciBlobOptions): Promise<Bytes>;
  /**
   * The blob of a descriptor, piece by piece. The stream ends with an error unless digest and
   * size are right: nothing of it may be used before its end.
   */
  blobStream(target: OciDescriptor, options?: OciOptions): Promise<ReadableStream<Bytes>>;
  /** What refers to the manifest with this digest. */
  referrers(digest: string, options?: OciReferrersOptions): Promise<OciReferrers>;
  /** All tags, in the order of the source. */
  tags(options?: OciOptions): Promise<string[]>;
}

/** What was written. */
export interface OciWritten {
  /** Digest of what was written. */
  readonly digest: string;
  /** False if it was there already. */
  readonly created: boolean;
  /** Of a manifest with a subject: who lists it among the referrers of that. */
  readonly listedBy?: "referrers-api" | "fallback-tag" | "layout";
}

/** How a manifest is written. */
export interface OciPutOptions extends OciOptions {
  /** Tag that names it afterwards; without it, it is reached by its digest only. */
  tag?: string;
  /**
   * It stands for itself, though no tag names it: a layout lists it. Registries keep every
   * manifest. Default false.
   */
  root?: boolean;
  /** Digest that the bytes have, checked before they are sent. Default: their SHA-256. */
  digest?: string;
}

/** A source that can be written to. */
export interface OciTarget extends OciSource {
  /** Tells whether a blob is there. */
  hasBlob(target: OciDescriptor, options?: OciOptions): Promise<boolean>;
  /** Writes a blob; its bytes are checked against the descriptor first, or while they flow. */
  putBlob(
    target: OciDescriptor,
    content: Uint8Array | (() => Promise<ReadableStream<Uint8Array>>),
    options?: OciOptions,
  ): Promise<OciWritten>;
  /**
   * Writes a manifest after its blobs. One with a `subject` is listed among the referrers of
   * that when the promise resolves, by the API or by the fallback tag.
   *
   * @throws {AttestationError} `registry-conflict` if others kept changing the fallback tag.
   */
  putManifest(bytes: Uint8Array, options?: OciPutOptions): Promise<OciWritten>;
}
