import { AttestationError, isAttestationError } from "../../errors.ts";
import { asBytes } from "../../internal/bytes.ts";
import { isObject, type Json, type JsonObject, parseJson, quote } from "../../internal/json.ts";
import { isOciDigest } from "../../internal/oci_name.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { IMAGE_TYPE, IMAGE_TYPES, INDEX_TYPE, INDEX_TYPES } from "./media_types.ts";
import type { OciDescriptor, OciManifest, OciPlatform } from "./source.ts";

/** Bytes of a manifest, as registries must accept them. */
export const MAX_MANIFEST_BYTES: number = 4 << 20;
/** Manifests of an index, layers of an image. */
const MAX_DESCRIPTORS = 10_000;
const MAX_ANNOTATIONS = 1000;

/** What is known of a manifest besides its bytes. */
export interface OciManifestOptions {
  /** Digest of the bytes, which the caller has computed. */
  digest: string;
  /** Media type that the registry states. It must agree with what the manifest states. */
  mediaType?: string;
}

/**
 * Reads a manifest or an index, strictly. What can be read as both is refused, and so is one
 * whose own media type differs from the one that the registry states.
 *
 * Source: OCI image specification 1.1, manifest.md, image-index.md, descriptor.md.
 *
 * @param bytes As served, at most 4 MiB.
 * @throws {AttestationError} `malformed-image-manifest`, `limit-exceeded`.
 *
 * @example
 * ```ts
 * import { parseOciManifest } from "@x/attest/store/oci";
 * import assert from "node:assert/strict";
 *
 * const bytes = new TextEncoder().encode(JSON.stringify({
 *   schemaVersion: 2,
 *   mediaType: "application/vnd.oci.image.index.v1+json",
 *   manifests: [],
 * }));
 * const digest = `sha256:${"a".repeat(64)}`;
 * assert.equal(parseOciManifest(bytes, { digest }).kind, "index");
 * ```
 */
export function parseOciManifest(bytes: Uint8Array, options: OciManifestOptions): OciManifest {
  refuseUnknown(options, ["digest", "mediaType"], "parseOciManifest()");
  const { digest } = options;
  if (!isOciDigest(digest)) throw new TypeError("digest is sha256: or sha512: and lowercase hex");
  const document = readDocument(bytes, `manifest ${digest.slice(0, 19)}`);
  const fail = (path: string, what: string): never => {
    throw malformed(`manifest ${digest.slice(0, 19)}`, path, what);
  };
  if (document.schemaVersion !== 2) fail("/schemaVersion", "wanted 2");
  const kind = kindOf(document, fail);
  const mediaType = mediaTypeOf(document, kind, options.mediaType, fail);
  const read = new DescriptorReader(fail);
  const config = kind === "image" ? read.one(document.config, "/config") : undefined;
  const subject = document.subject === undefined
    ? undefined
    : read.one(document.subject, "/subject");
  const stated = document.artifactType === undefined || document.artifactType === ""
    ? undefined
    : read.type(document.artifactType, "/artifactType");
  const artifactType = stated ?? config?.mediaType;
  return {
    kind,
    mediaType,
    digest,
    bytes: asBytes(bytes),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(config === undefined ? {} : { config }),
    layers: kind === "image" ? read.list(document.layers, "/layers") : [],
    manifests: kind === "index" ? read.list(document.manifests, "/manifests") : [],
    ...(subject === undefined ? {} : { subject }),
    annotations: read.annotations(document.annotations, "/annotations") ?? {},
  };
}

/** Descriptor of a manifest that was read. */
export function descriptorOf(manifest: OciManifest): OciDescriptor {
  const { mediaType, digest, bytes, artifactType, annotations, subject } = manifest;
  return {
    mediaType,
    digest,
    size: bytes.length,
    ...(subject === undefined || artifactType === undefined ? {} : { artifactType }),
    ...(subject === undefined || Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

/** Strict JSON of a manifest or of a list of them. */
export function readDocument(bytes: Uint8Array, what: string): JsonObject {
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read ${what}: ${bytes.length} bytes, at most ${MAX_MANIFEST_BYTES} are accepted`,
    );
  }
  let value: Json;
  try {
    value = parseJson(bytes, { maxLength: MAX_MANIFEST_BYTES, maxDepth: 32 });
  } catch (cause) {
    if (!isAttestationError(cause) || cause.reason === "limit-exceeded") throw cause;
    throw new AttestationError("malformed-image-manifest", `Cannot read ${what}`, { cause });
  }
  if (!isObject(value)) throw malformed(what, "", "wanted an object");
  return value;
}

/** Reads descriptors one by one; what it cannot read is noted and left out. */
export function readDescriptors(
  document: JsonObject,
  what: string,
): { manifests: OciDescriptor[]; faults: AttestationError[] } {
  const { manifests: list } = document;
  if (!Array.isArray(list)) throw malformed(what, "/manifests", "wanted a list");
  const faults: AttestationError[] = [];
  const read = new DescriptorReader((path, problem) => {
    throw malformed(what, path, problem);
  });
  const manifests = list.flatMap((entry, i) => {
    try {
      return [read.one(entry, `/manifests/${i}`)];
    } catch (cause) {
      if (!isAttestationError(cause)) throw cause;
      faults.push(cause);
      return [];
    }
  });
  return { manifests, faults };
}

type Fail = (path: string, what: string) => never;

function kindOf(document: JsonObject, fail: Fail): "index" | "image" {
  const isIndex = document.manifests !== undefined;
  const isImage = document.layers !== undefined || document.config !== undefined;
  if (isIndex && isImage) fail("/manifests", "it is both an index and an image");
  if (!isIndex && !isImage) fail("", "it has neither manifests nor layers");
  return isIndex ? "index" : "image";
}

function mediaTypeOf(
  { mediaType }: JsonObject,
  kind: "index" | "image",
  served: string | undefined,
  fail: Fail,
): string {
  const types = kind === "index" ? INDEX_TYPES : IMAGE_TYPES;
  const known = [...INDEX_TYPES, ...IMAGE_TYPES];
  const stated = served?.split(";")[0].trim().toLowerCase();
  if (mediaType !== undefined) {
    if (typeof mediaType !== "string" || !types.includes(mediaType)) {
      fail("/mediaType", `wanted ${types[0]}`);
    }
    if (stated !== undefined && known.includes(stated) && stated !== mediaType) {
      fail("/mediaType", `the registry states ${quote(stated)}`);
    }
    return mediaType as string;
  }
  if (stated === undefined || !known.includes(stated)) {
    return kind === "index" ? INDEX_TYPE : IMAGE_TYPE;
  }
  if (!types.includes(stated)) fail("", `the registry states ${quote(stated)}`);
  return stated;
}

class DescriptorReader {
  readonly #fail: Fail;

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  list(value: Json | undefined, path: string): OciDescriptor[] {
    if (!Array.isArray(value)) return this.#fail(path, "wanted a list");
    if (value.length > MAX_DESCRIPTORS) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read manifest: ${value.length} entries, at most ${MAX_DESCRIPTORS} are accepted`,
        { path },
      );
    }
    return value.map((entry, i) => this.one(entry, `${path}/${i}`));
  }

  one(value: Json | undefined, path: string): OciDescriptor {
    if (!isObject(value)) return this.#fail(path, "wanted a descriptor");
    const { digest, size, artifactType } = value;
    if (typeof digest !== "string" || !isOciDigest(digest)) {
      return this.#fail(`${path}/digest`, "wanted sha256 or sha512 and lowercase hex");
    }
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
      return this.#fail(`${path}/size`, "wanted a number of bytes");
    }
    const annotations = this.annotations(value.annotations, `${path}/annotations`);
    const platform = this.#platform(value.platform, `${path}/platform`);
    return {
      mediaType: this.type(value.mediaType, `${path}/mediaType`),
      digest,
      size,
      ...(artifactType === undefined || artifactType === ""
        ? {}
        : { artifactType: this.type(artifactType, `${path}/artifactType`) }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(platform === undefined ? {} : { platform }),
    };
  }

  /** A media type, RFC 6838, section 4.2; some write parameters after it. */
  type(value: Json | undefined, path: string): string {
    const form =
      /^[A-Za-z0-9][\w!#$&^.+-]{0,126}\/[A-Za-z0-9][\w!#$&^.+-]{0,126}(?:;[ -~]{0,127})?$/;
    if (typeof value !== "string" || !form.test(value)) {
      return this.#fail(path, "wanted a media type");
    }
    return value;
  }

  annotations(
    value: Json | undefined,
    path: string,
  ): Readonly<Record<string, string>> | undefined {
    if (value === undefined || value === null) return undefined;
    if (!isObject(value)) return this.#fail(path, "wanted an object");
    const members = Object.entries(value);
    if (members.length > MAX_ANNOTATIONS) {
      return this.#fail(path, `at most ${MAX_ANNOTATIONS} annotations are accepted`);
    }
    for (const [name, text] of members) {
      if (typeof text !== "string") this.#fail(`${path}/${pointer(name)}`, "wanted text");
    }
    return Object.fromEntries(members) as Record<string, string>;
  }

  #platform(value: Json | undefined, path: string): OciPlatform | undefined {
    if (value === undefined || value === null) return undefined;
    if (!isObject(value)) return this.#fail(path, "wanted an object");
    const { architecture, os, variant } = value;
    const { "os.version": version, "os.features": features } = value;
    for (
      const [name, text] of Object.entries({ architecture, os, variant, "os.version": version })
    ) {
      const isOptional = name === "variant" || name === "os.version";
      if (isOptional && text === undefined) continue;
      if (typeof text !== "string" || text.length > 128 || /[^ -~]/.test(text)) {
        this.#fail(`${path}/${name}`, "wanted a short text");
      }
    }
    const isList = Array.isArray(features) && features.length <= 64 &&
      features.every((feature) => typeof feature === "string");
    if (features !== undefined && !isList) this.#fail(`${path}/os.features`, "wanted texts");
    return {
      architecture: architecture as string,
      os: os as string,
      ...(variant === undefined || variant === "" ? {} : { variant: variant as string }),
      ...(version === undefined || version === "" ? {} : { osVersion: version as string }),
      ...(isList ? { osFeatures: features as string[] } : {}),
    };
  }
}

function pointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function malformed(what: string, path: string, problem: string): AttestationError {
  const place = path === "" ? "" : ` at ${quote(path)}`;
  return new AttestationError(
    "malformed-image-manifest",
    `Cannot read ${what}: ${problem}${place}`,
    path === "" ? {} : { path },
  );
}
