import { AttestationError, isAttestationError } from "../../errors.ts";
import { isObject, parseJson, quote } from "../../internal/json.ts";
import { mapWindow } from "../../internal/window.ts";
import { formatOciPlatform, isAskedFor, isRunnable } from "./platform.ts";
import type {
  OciDescriptor,
  OciManifest,
  OciNote,
  OciOptions,
  OciPlatform,
  OciSource,
} from "./source.ts";

/** One manifest of an image that can be pulled. */
export interface ImagePart {
  /** What names it. */
  readonly descriptor: OciDescriptor;
  /** Platforms that it is listed for; empty where none is stated. */
  readonly platforms: readonly OciPlatform[];
  /** The index that lists it; absent for the manifest that the reference itself names. */
  readonly index?: string;
}

/** A manifest in an index that says what was built, by BuildKit. */
export interface AttestationPart {
  /** What names it. */
  readonly descriptor: OciDescriptor;
  /** Digest of the manifest that it is about, which the same index lists. */
  readonly about: string;
}

/** What a reference stands for, as of one moment. */
export interface ResolvedImage {
  /** Digest of what the reference named; all else was reached from it by digests. */
  readonly digest: string;
  /** The manifest itself. */
  readonly manifest: OciManifest;
  /** The index and those in it; none for a manifest that stands alone. */
  readonly indexes: readonly OciManifest[];
  /** Manifests that can be pulled, each digest once, in the order of the index. */
  readonly parts: readonly ImagePart[];
  /** BuildKit's manifests, each about one of the parts. */
  readonly attestations: readonly AttestationPart[];
  /** What was odd: manifests that refer to nothing in their index. */
  readonly notes: readonly OciNote[];
}

/** Indexes in indexes: the outer one and those that it lists. */
const MAX_DEPTH = 2;
/** Manifests of one image. */
const MAX_PARTS = 1000;

const REFERENCE_TYPE = "vnd.docker.reference.type";
const REFERENCE_DIGEST = "vnd.docker.reference.digest";

/**
 * Looks at what a tag or digest names, once: a tag that is moved a moment later changes
 * nothing, as everything below is reached by digests.
 *
 * @throws {AttestationError} Those of {@linkcode OciSource}; `limit-exceeded` where indexes
 * are nested deeper than two or list more than 1000 manifests.
 */
export async function resolveImage(
  source: OciSource,
  reference: string,
  options: OciOptions = {},
): Promise<ResolvedImage> {
  const named = await source.resolve(reference, options);
  const manifest = await source.manifest(named, options);
  const parts = new Map<string, ImagePart>();
  const attestations: AttestationPart[] = [];
  const notes: OciNote[] = [];
  const indexes: OciManifest[] = [];
  const add = (part: ImagePart): void => {
    const { digest } = part.descriptor;
    const known = parts.get(digest);
    parts.set(
      digest,
      known === undefined ? part : { ...known, platforms: [...known.platforms, ...part.platforms] },
    );
    if (parts.size > MAX_PARTS) throw tooMany(`it lists more than ${MAX_PARTS} manifests`);
  };
  const read = async (index: OciManifest, depth: number): Promise<void> => {
    if (depth > MAX_DEPTH) {
      throw tooMany(`its indexes are nested deeper than ${MAX_DEPTH}`);
    }
    if (index.manifests.length > MAX_PARTS) {
      throw tooMany(`it lists more than ${MAX_PARTS} manifests`);
    }
    indexes.push(index);
    const listed = new Set(index.manifests.map(({ digest }) => digest));
    const nested: OciDescriptor[] = [];
    for (const descriptor of index.manifests) {
      if (descriptor.annotations?.[REFERENCE_TYPE] === "attestation-manifest") {
        readReference(descriptor, listed);
      }
      const { platform } = descriptor;
      // Clients pull what has a platform, whatever else an annotation says of it.
      if (platform !== undefined && !isRunnable(platform)) continue;
      if (isIndexType(descriptor.mediaType)) nested.push(descriptor);
      else {
        const platforms = platform === undefined ? [] : [platform];
        add({ descriptor, platforms, index: index.digest });
      }
    }
    const inner = await mapWindow(nested, 8, (one) => source.manifest(one, options));
    for (const one of inner) await read(one, depth + 1);
  };
  const readReference = (descriptor: OciDescriptor, listed: ReadonlySet<string>): void => {
    const about = descriptor.annotations?.[REFERENCE_DIGEST] ?? "";
    if (listed.has(about) && about !== descriptor.digest) {
      attestations.push({ descriptor, about });
      return;
    }
    notes.push({
      reason: "referrer-mismatch",
      message: `Attestation manifest ${descriptor.digest} is about ${quote(about)}, which its ` +
        "index does not list",
    });
  };
  if (manifest.kind === "index") await read(manifest, 1);
  else add({ descriptor: named, platforms: [] });
  return {
    digest: manifest.digest,
    manifest,
    indexes,
    parts: [...parts.values()],
    attestations,
    notes,
  };
}

/**
 * The parts for the platforms that are asked for; a platform without a part is missing.
 *
 * A manifest that stands alone says in its config where it runs, which is read only then.
 *
 * @throws {AttestationError} Those of {@linkcode OciSource}.
 */
export async function selectParts(
  source: OciSource,
  { manifest, parts }: ResolvedImage,
  asked: readonly OciPlatform[],
  options: OciOptions = {},
): Promise<{ parts: ImagePart[]; missing: OciPlatform[] }> {
  if (asked.length === 0) return { parts: [...parts], missing: [] };
  const known: ImagePart[] = manifest.kind === "index"
    ? [...parts]
    : [{ ...parts[0], platforms: await platformsOfConfig(source, manifest, options) }];
  const selected = known.filter(({ platforms }) =>
    asked.some((one) => platforms.some((platform) => isAskedFor(platform, one)))
  );
  const missing = asked.filter((one) =>
    !known.some(({ platforms }) => platforms.some((platform) => isAskedFor(platform, one)))
  );
  return { parts: selected, missing };
}

/** Names of the platforms of a part; empty where none is stated. */
export function platformName({ platforms }: ImagePart): string {
  return [...new Set(platforms.map(formatOciPlatform))].join(", ");
}

const CONFIG_BYTES = 4 << 20;

/** What the config of an image says, of OCI or Docker; another kind of artifact runs nowhere. */
async function platformsOfConfig(
  source: OciSource,
  { config }: OciManifest,
  options: OciOptions,
): Promise<OciPlatform[]> {
  if (
    config === undefined ||
    !/^application\/vnd\.(oci\.image\.config|docker\.container\.image)\.v1\+json$/.test(
      config.mediaType,
    )
  ) {
    return [];
  }
  const bytes = await source.blob(config, { ...options, maxBytes: CONFIG_BYTES });
  let value;
  try {
    value = parseJson(bytes);
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw new AttestationError("malformed-image-manifest", "Cannot read config of image", {
      cause,
    });
  }
  if (!isObject(value)) return [];
  const { os, architecture, variant } = value;
  const version = value["os.version"];
  if (typeof os !== "string" || typeof architecture !== "string") return [];
  return [{
    os,
    architecture,
    ...(typeof variant === "string" && variant !== "" ? { variant } : {}),
    ...(typeof version === "string" && version !== "" ? { osVersion: version } : {}),
  }];
}

const INDEX_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];

function isIndexType(mediaType: string): boolean {
  return INDEX_TYPES.includes(mediaType);
}

function tooMany(what: string): AttestationError {
  return new AttestationError("limit-exceeded", `Cannot look at image: ${what}`);
}
