import { AttestationError } from "../errors.ts";
import { mapWindow } from "../internal/window.ts";
import { decodeUtf8, quote } from "../internal/json.ts";
import { createLayout, type OciLayout } from "../store/oci/layout.ts";
import { folderFiles } from "../store/oci/layout_folder.ts";
import type { LookedImage } from "../store/oci/look.ts";
import type { OciDescriptor, OciManifest, OciSource } from "../store/oci/source.ts";
import type { VerificationReport } from "../verify/report.ts";
import { type OptionSpec, parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { join, splitPath } from "./artifacts.ts";
import type { Enforced } from "./expectations.ts";
import { lookupText, namesImage, noImage, openImage } from "./images.ts";
import { COULD_NOT_RUN, REFUSED, VERIFIED } from "./main.ts";
import { access, type NewFile, readBounded, type Runtime } from "./runtime.ts";
import { plural } from "./text.ts";
import { lookAt, readTrust, verifyOpened } from "./tree.ts";
import { DOWNLOAD_OPTIONS, TRUST_OPTIONS } from "./tree_options.ts";

/** Name of the layout in the folder, and of the file that says how to verify it. */
const LAYOUT = "image";
const README = "VERIFY.txt";
/** Bytes of a key, root, policy or other file that is copied. */
const MAX_FILE_BYTES = 32 << 20;
const WINDOW = 8;

/** A manifest or blob of the layout that is written. */
interface Content {
  descriptor: OciDescriptor;
  bytes: Uint8Array;
}

/** What a layout gets: blobs first, then manifests, those that are reached by name last. */
interface Contents {
  blobs: Map<string, Content>;
  manifests: Map<string, { bytes: Uint8Array; digest: string; tag?: string; root?: boolean }>;
}

/**
 * `download IMAGE --output FOLDER`: everything that a verification without a network needs:
 * manifests and attestations as a layout, the keys, roots and policies that were named, and the
 * command that verifies them.
 */
export async function runDownload(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, DOWNLOAD_OPTIONS);
  const [operand] = parsed.operands;
  if (operand === undefined || parsed.operands.length > 1) {
    throw usageError("download takes one image: oci://REFERENCE or oci-layout:FOLDER");
  }
  if (!namesImage(operand)) throw noImage(operand);
  const folder = parsed.get("output");
  if (folder === undefined) throw usageError("download needs --output: the folder to write");
  await refuseTaken(folder, runtime);
  const enforced = await readTrust(parsed, runtime);
  const opened = await openImage(operand, parsed, runtime);
  const looked = await lookAt(opened, parsed);
  const unavailable = [...looked.findings.values()].flatMap(({ lookups }) => lookups)
    .filter(({ outcome }) => outcome === "unavailable");
  if (unavailable.length > 0) {
    for (const one of unavailable) runtime.write("stderr", `error: ${lookupText(one)}\n`);
    throw new AttestationError(
      "store-unavailable",
      `Cannot download ${quote(operand)}: ${
        plural(unavailable.length, "place")
      } could not be asked`,
    );
  }
  // All of it is fetched and verified before the first file is written.
  const contents = await contentsOf(opened.source, looked);
  const report = enforced === undefined
    ? undefined
    : await verifyOpened({ opened, looked, enforced, parsed });
  const { files, words } = await trustFiles(parsed, folder, runtime);
  const reference = `${LAYOUT}@${looked.image.digest}`;
  const { repository } = opened;
  const layout = `oci-layout:${reference}`;
  const command = commandOf(parsed, { layout, repository, words, enforced });
  await writeLayout(createLayout(folderFiles(join(folder, LAYOUT), runtime.disk)), contents);
  files.push({ path: join(folder, README), text: readmeOf(operand, command, runtime) });
  await runtime.writeAllNew(files);
  return tell({ folder, looked, report, command }, runtime);
}

async function refuseTaken(folder: string, runtime: Runtime): Promise<void> {
  const info = await access("read", folder, () => runtime.stat(folder));
  if (info === undefined) return;
  const isEmpty = info.kind === "directory" &&
    (await access("read folder", folder, () => runtime.readDir(folder))).length === 0;
  if (isEmpty) return;
  throw new AttestationError(
    "file-exists",
    `Cannot write ${quote(folder)}: it exists already; give a new folder or an empty one`,
  );
}

/** Manifests of the image without its layers, and attestations with everything of theirs. */
async function contentsOf(source: OciSource, looked: LookedImage): Promise<Contents> {
  const contents: Contents = { blobs: new Map(), manifests: new Map() };
  const keep = async (manifest: OciManifest, blobs: readonly OciDescriptor[]) => {
    const fetched = await mapWindow(blobs, WINDOW, async (descriptor) => ({
      descriptor,
      bytes: await source.blob(descriptor),
    }));
    for (const one of fetched) contents.blobs.set(one.descriptor.digest, one);
    const { digest, bytes } = manifest;
    if (!contents.manifests.has(digest)) contents.manifests.set(digest, { digest, bytes });
  };
  const { image, parts, findings } = looked;
  for (const index of image.indexes) await keep(index, []);
  await mapWindow(parts, WINDOW, async ({ descriptor }) => {
    const manifest = await source.manifest(descriptor);
    // The config tells the platform of an image that stands alone, the package of a chart its
    // name; layers of images are not needed.
    const config = manifest.config === undefined ? [] : [manifest.config];
    await keep(manifest, looked.chart === undefined ? config : [...config, ...manifest.layers]);
  });
  for (const [digest, found] of findings) {
    for (const { manifest: holder, via } of found.attestations) {
      const manifest = await source.manifest(holder);
      const { config, layers } = manifest;
      await keep(manifest, [...config === undefined ? [] : [config], ...layers]);
      const suffix = { "cosign-attestations": "att", "cosign-signatures": "sig" }[via as string];
      const kept = contents.manifests.get(holder)!;
      if (suffix !== undefined) kept.tag = `${digest.replace(":", "-")}.${suffix}`;
    }
    for (const { manifest: holder } of found.others) await keep(await source.manifest(holder), []);
  }
  const root = contents.manifests.get(image.digest);
  if (root !== undefined) root.root = true;
  return contents;
}

async function writeLayout(layout: OciLayout, { blobs, manifests }: Contents): Promise<void> {
  for (const { descriptor, bytes } of blobs.values()) await layout.putBlob(descriptor, bytes);
  const ordered = [...manifests.values()].sort((a, b) => Number(a.root) - Number(b.root));
  for (const { bytes, digest, tag, root } of ordered) {
    await layout.putManifest(bytes, {
      digest,
      ...(tag === undefined ? {} : { tag }),
      ...(root === undefined ? {} : { root }),
    });
  }
}

/** Copies of the files that options name, and the options with the names of the copies. */
async function trustFiles(
  parsed: ParsedArgs,
  folder: string,
  runtime: Runtime,
): Promise<{ files: NewFile[]; words: string[] }> {
  const files: NewFile[] = [];
  const words: string[] = [];
  const taken = new Set([LAYOUT, README]);
  for (const spec of DOWNLOAD_OPTIONS) {
    if (!isKept(spec)) continue;
    for (const value of parsed.all(spec.name)) {
      if (spec.value === undefined) words.push(`--${spec.name}`);
      else if (spec.value !== "FILE") words.push(`--${spec.name}=${value}`);
      else {
        const name = freeName(splitPath(value).name, taken);
        const bytes = await readBounded(runtime, value, MAX_FILE_BYTES);
        files.push({ path: join(folder, name), text: decodeUtf8(bytes) });
        words.push(`--${spec.name}=${name}`);
      }
    }
  }
  return { files, words };
}

/** Options that `verify` needs again: not where to fetch from and where to write to. */
function isKept(spec: OptionSpec): boolean {
  return TRUST_OPTIONS.includes(spec) ||
    ["platform", "inherit-from-index", "index-only", "oci-repository"].includes(spec.name);
}

/** A name that is not taken, made of what a file was called. */
function freeName(name: string, taken: Set<string>): string {
  const plain = name.replace(/[^A-Za-z0-9._-]/g, "-").replace(/^[.-]+/, "") || "file";
  for (let i = 1;; i++) {
    const free = i === 1 ? plain : plain.replace(/(\.[^.]*)?$/, `-${i}$1`);
    if (taken.has(free)) continue;
    taken.add(free);
    return free;
  }
}

function commandOf(
  parsed: ParsedArgs,
  { layout, repository, words, enforced }: {
    layout: string;
    repository: string | undefined;
    words: readonly string[];
    enforced: Enforced | undefined;
  },
): string[] {
  const missing = enforced === undefined ? ["--key=…"] : [];
  const place = repository === undefined || parsed.has("oci-repository")
    ? []
    : [`--oci-repository=${repository}`];
  return ["verify", layout, ...words, ...place, ...missing];
}

/** Words for a POSIX shell. */
function shell(words: readonly string[]): string {
  return words.map((word) =>
    /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
  ).join(" ");
}

function readmeOf(operand: string, command: readonly string[], { program }: Runtime): string {
  return [
    `Attestations of ${operand}, to be verified without a network.`,
    "",
    "In this folder run:",
    "",
    `${program} ${shell(command)}`,
    "",
  ].join("\n");
}

function tell(
  { folder, looked, report, command }: {
    folder: string;
    looked: LookedImage;
    report: VerificationReport | undefined;
    command: readonly string[];
  },
  runtime: Runtime,
): number {
  const count = [...looked.findings.values()].flatMap(({ attestations }) => attestations).length;
  runtime.write(
    "stderr",
    `${plural(count, "attestation")} of ${plural(looked.parts.length, "manifest")} written to ` +
      `${quote(folder)}; in that folder run:\n`,
  );
  runtime.write("stdout", `${runtime.program} ${shell(command)}\n`);
  if (report === undefined) {
    runtime.write(
      "stderr",
      "notice: Nothing was verified: say whom to believe, as with --key or --cert-identity, and " +
        "it is verified and part of the command\n",
    );
    return VERIFIED;
  }
  runtime.write("stderr", `${report.verificationResult}: as of now\n`);
  if (report.ok) return VERIFIED;
  return report.errorReason === "store-unavailable" ? COULD_NOT_RUN : REFUSED;
}
