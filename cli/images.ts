import { quote } from "../internal/json.ts";
import { mapWindow } from "../internal/window.ts";
import { parseOciReference } from "../store/oci/reference.ts";
import type { OciSource } from "../store/oci/source.ts";
import type { VerifyImageOptions } from "../store/oci/verify_image.ts";
import type { AttestationInput, VerifyOptions } from "../verify/options.ts";
import type {
  ArtifactReport,
  ImageReport,
  LookupReport,
  VerificationReport,
} from "../verify/report.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { PLATFORM_OPTIONS } from "./image_options.ts";
import { openRegistry } from "./registry.ts";
import type { Runtime } from "./runtime.ts";

const LAYOUT = "oci-layout:";
const REGISTRY = "oci://";
const HELM = "helm:";
/** Images that are looked at at the same time. */
const WINDOW = 4;

/** Tells whether an operand names an image or chart, by reference or as a layout on disk. */
export function namesImage(operand: string): boolean {
  return operand.startsWith(REGISTRY) || operand.startsWith(LAYOUT);
}

/**
 * Tells whether an image has to be looked at: one that is given by its digest, with its
 * attestations in files, needs nothing from a registry.
 */
export function isLookedUp(operand: string, args: ParsedArgs): boolean {
  if (operand.startsWith(HELM)) return true;
  if (!namesImage(operand)) return false;
  const isKnown = /^oci:\/\/[^@]+@/.test(operand) && (args.has("bundle") || args.has("vsa"));
  return !isKnown || PLATFORM_OPTIONS.some(({ name }) => args.has(name));
}

/** An image of the command line, with where it can be read. */
export interface OpenedImage {
  /** As it was given. */
  name: string;
  /** Where it can be read. */
  source: OciSource;
  /** Tag or digest. */
  reference: string;
  /** How its repository is called in reports. */
  label: string;
  /** Repository, by which a policy selects; none for a layout. */
  repository?: string;
}

/**
 * Opens what an operand names; asks nothing yet of a registry.
 *
 * @throws {AttestationError} `malformed-image-reference`, and for layouts `unreadable-file`,
 * `malformed-image-layout`.
 */
export async function openImage(
  operand: string,
  args: ParsedArgs,
  runtime: Runtime,
): Promise<OpenedImage> {
  if (operand.startsWith(LAYOUT)) {
    const { openLayout } = await import("./layout.ts");
    const repository = repositoryOf(args);
    return {
      name: operand,
      ...await openLayout(operand.slice(LAYOUT.length), runtime),
      ...(repository === undefined ? {} : { repository }),
    };
  }
  if (args.has("oci-repository")) {
    throw usageError("--oci-repository is for oci-layout: a reference names its repository");
  }
  const reference = parseOciReference(operand);
  const source = openRegistry(reference, args, runtime);
  return {
    name: operand,
    source,
    reference: reference.digest ?? reference.tag ?? "latest",
    label: `${REGISTRY}${source.name}`,
    repository: source.name,
  };
}

function repositoryOf(args: ParsedArgs): string | undefined {
  const text = args.get("oci-repository");
  if (text === undefined) return undefined;
  const { host, repository, tag, digest } = parseOciReference(text);
  if (tag === undefined && digest === undefined) return `${host}/${repository}`;
  throw usageError(`--oci-repository is HOST/NAME without tag and digest, not ${quote(text)}`);
}

/** What the options say about images in general. */
export function imageOptions(args: ParsedArgs): VerifyImageOptions {
  if (args.has("platform") && args.has("every-platform")) {
    throw usageError("--platform and --every-platform exclude each other");
  }
  if (args.has("inherit-from-index") && args.has("policy")) {
    throw usageError(
      '--inherit-from-index and --policy exclude each other: the policy says "platforms"',
    );
  }
  if (args.has("index-only")) {
    const other = ["platform", "every-platform", "inherit-from-index"].find((name) =>
      args.has(name)
    );
    if (other !== undefined) throw usageError(`--index-only and --${other} exclude each other`);
    return { indexOnly: true };
  }
  return {
    platforms: args.all("platform"),
    ...(args.has("inherit-from-index") ? { inheritFromIndex: true } : {}),
  };
}

/** Refuses options of images where there is none. */
export function refuseImageOptions(args: ParsedArgs): void {
  const given = PLATFORM_OPTIONS.find(({ name }) => args.has(name));
  if (given === undefined) return;
  throw usageError(`--${given.name} needs an image: oci://REFERENCE or oci-layout:FOLDER`);
}

/** What is expected of images, for the head of a report. */
export function imageRows(args: ParsedArgs): [string, string][] {
  const platforms = args.all("platform");
  if (args.has("index-only")) return [["platforms", "none: the index itself"]];
  return [[
    "platforms",
    (platforms.length === 0 ? "every one of the image" : platforms.join(", ")) +
    (args.has("inherit-from-index") ? ", also by attestations of the index" : ""),
  ]];
}

/** Verifies images; the attestations that are given take the place of those beside them. */
export async function verifyImages(
  operands: readonly string[],
  { args, runtime, options, attestations }: {
    args: ParsedArgs;
    runtime: Runtime;
    options: VerifyOptions;
    attestations?: readonly AttestationInput[];
  },
): Promise<{ artifacts: ArtifactReport[]; images: ImageReport[] }> {
  const common = imageOptions(args);
  const reports = await mapWindow(operands, WINDOW, async (operand) => {
    if (operand.startsWith(HELM)) {
      if (attestations !== undefined) {
        throw usageError(`${quote(operand)} is asked for its attestations: fetch it for --bundle`);
      }
      const { verifyChart } = await import("./helm_chart.ts");
      return await verifyChart(operand, runtime, options);
    }
    const { verifyImage } = await import("../store/oci/verify_image.ts");
    const { source, reference, name, label, repository } = await openImage(operand, args, runtime);
    return await verifyImage(source, reference, {
      ...common,
      verify: options,
      name,
      label,
      ...(repository === undefined ? {} : { repository }),
      ...(attestations === undefined ? {} : { attestations }),
    });
  });
  return {
    artifacts: reports.flatMap(({ artifacts }) => artifacts),
    images: reports.flatMap(({ images = [] }) => images),
  };
}

/** The verdict over the images and files of a run. */
export async function judgeAll(
  files: readonly ArtifactReport[],
  { artifacts, images }: { artifacts: readonly ArtifactReport[]; images: ImageReport[] },
  options: VerifyOptions,
): Promise<VerificationReport> {
  const { judgeImages } = await import("../store/oci/verify_image.ts");
  const report = await judgeImages([...files, ...artifacts], options);
  return { ...report, images };
}

/** Tells whether nothing was refused but what could not be looked for. */
export function couldNotLook({ ok, artifacts }: VerificationReport): boolean {
  return !ok && artifacts.every((one) => one.ok || one.errorReason === "store-unavailable");
}

/** A place where was looked, in words. */
export function lookupText(
  { place, outcome, count, others, message, notes }: LookupReport,
): string {
  const what = outcome === "found"
    ? `${count} found`
    : outcome === "not-found"
    ? "none"
    : `COULD NOT LOOK: ${message ?? "unavailable"}`;
  const beside = others === undefined ? "" : `, ${others} of another kind`;
  const odd = notes === undefined ? "" : `; ${notes.join("; ")}`;
  return `${place}: ${what}${beside}${odd}`;
}

/** An operand that names no image, for messages. */
export function noImage(operand: string): Error {
  return usageError(
    `${quote(operand)} is no image: wanted oci://REFERENCE or oci-layout:FOLDER`,
  );
}
