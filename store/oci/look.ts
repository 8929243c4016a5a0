import { mapWindow } from "../../internal/window.ts";
import { isChart, type OciChart, readChart } from "./chart.ts";
import { type ImagePart, type ResolvedImage, resolveImage, selectParts } from "./image.ts";
import { findOciAttestations, type OciFindings } from "./lookup.ts";
import { parseOciPlatform } from "./platform.ts";
import type { OciPlatform, OciSource } from "./source.ts";

/** An image with what hangs on its manifests; nothing of it is verified. */
export interface LookedImage {
  /** Where it was read. */
  readonly source: OciSource;
  /** How its repository is called in reports. */
  readonly label: string;
  /** What the reference named at one moment. */
  readonly image: ResolvedImage;
  /** Manifests that are asked for, each digest once. */
  readonly parts: readonly ImagePart[];
  /** Platforms that are asked for and not there. */
  readonly missing: readonly OciPlatform[];
  /** The chart, where the manifest is that of one. */
  readonly chart?: OciChart;
  /** What was found, by digest; first of the index, where it is one. */
  readonly findings: ReadonlyMap<string, OciFindings>;
}

/** How {@linkcode lookAtImage} looks. */
export interface LookOptions {
  /** Platforms that are asked for. Default: every one. */
  platforms?: readonly string[];
  /** Only the index itself. Default false. */
  indexOnly?: boolean;
  /** Do not look for attestations. Default false. */
  bare?: boolean;
  /** How the repository is called in reports. Default: `oci://` and the source's name. */
  label?: string;
  /** Stops the work: `aborted`. */
  signal?: AbortSignal;
}

/** Manifests whose attestations are looked up at the same time. */
const WINDOW = 8;
const NOTHING: OciFindings = { attestations: [], others: [], lookups: [] };

/**
 * Resolves a reference once, and looks for what hangs on each of its manifests, all of them at
 * the same time.
 *
 * @throws {AttestationError} Those of {@linkcode OciSource} if the image itself cannot be
 * read; `usage` for a platform that is none; `limit-exceeded`.
 */
export async function lookAtImage(
  source: OciSource,
  reference: string,
  options: LookOptions = {},
): Promise<LookedImage> {
  const { platforms = [], indexOnly = false, bare = false, signal } = options;
  const { label = `oci://${source.name}` } = options;
  const asked = platforms.map(parseOciPlatform);
  const image = await resolveImage(source, reference, { signal });
  const isIndex = image.manifest.kind === "index";
  const { parts, missing } = isIndex && indexOnly
    ? { parts: [], missing: [] }
    : await selectParts(source, image, asked, { signal });
  const digests = [
    ...isIndex ? [image.digest] : [],
    ...parts.map(({ descriptor }) => descriptor.digest),
  ];
  const reading = isChart(image.manifest)
    ? readChart(source, image.manifest, { reference, signal })
    : undefined;
  // Awaited below: until then a refusal has somebody who takes it.
  reading?.catch(() => {});
  const found = await mapWindow(digests, WINDOW, async (digest) => {
    if (bare) return [digest, NOTHING] as const;
    const buildkit = image.attestations.filter(({ about }) => about === digest);
    const options = { buildkit, label, signal };
    return [digest, await findOciAttestations(source, digest, options)] as const;
  });
  const chart = await reading;
  return {
    source,
    label,
    image,
    parts,
    missing,
    ...(chart === undefined ? {} : { chart }),
    findings: new Map(found),
  };
}
