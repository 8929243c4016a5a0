import { printable, quote } from "../internal/json.ts";
import { copyImage, type CopyResult, type CopyStep } from "../store/oci/copy.ts";
import { createLayout } from "../store/oci/layout.ts";
import { folderFiles } from "../store/oci/layout_folder.ts";
import { isOciTag, parseOciReference } from "../store/oci/reference.ts";
import type { OciTarget } from "../store/oci/source.ts";
import { parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { COPY_OPTIONS } from "./copy_options.ts";
import { namesImage, noImage, openImage } from "./images.ts";
import { VERIFIED } from "./main.ts";
import { checkCredentialOptions, openRegistry } from "./registry.ts";
import type { Runtime } from "./runtime.ts";
import { plural, safeJson } from "./text.ts";

const LAYOUT = "oci-layout:";

/** Where a copy goes. */
interface Destination {
  target: OciTarget;
  tag?: string;
  name: string;
}

/** `copy SOURCE TARGET`: an image with all that hangs on it. */
export async function runCopy(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, COPY_OPTIONS);
  const [from, to, ...others] = parsed.operands;
  if (from === undefined || to === undefined || others.length > 0) {
    throw usageError("Say from where and to where: copy SOURCE TARGET");
  }
  const hosts = [from, to].filter((operand) => operand.startsWith("oci://"))
    .map((operand) => parseOciReference(operand).host);
  checkCredentialOptions(hosts, parsed);
  if (!namesImage(from)) throw noImage(from);
  const { source, reference } = await openImage(from, parsed, runtime);
  const destination = await openDestination(to, parsed, runtime);
  const root = await source.resolve(reference);
  const tag = destination.tag ?? (isOciTag(reference) ? reference : undefined);
  const result = await copyImage(source, destination.target, {
    root,
    ...(tag === undefined ? {} : { tag }),
    dryRun: parsed.has("dry-run"),
    bare: parsed.has("image-only"),
    onStep: (step) => tellStep(step, parsed, runtime),
  });
  tell(result, { args: parsed, runtime, from, to: destination.name });
  return VERIFIED;
}

async function openDestination(
  operand: string,
  args: ParsedArgs,
  runtime: Runtime,
): Promise<Destination> {
  if (!operand.startsWith(LAYOUT)) {
    if (!namesImage(operand)) throw noImage(operand);
    const { digest, tag, ...repository } = parseOciReference(operand);
    if (digest !== undefined) {
      throw usageError("The target of a copy has a tag or none; its digest is that of the source");
    }
    return {
      target: openRegistry(repository, args, runtime),
      ...(tag === undefined ? {} : { tag }),
      name: operand,
    };
  }
  const rest = operand.slice(LAYOUT.length);
  const colon = rest.indexOf(":", rest.lastIndexOf("/") + 1);
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  if (path === "" || (tag !== undefined && !isOciTag(tag))) {
    throw usageError(
      `${quote(operand)} is no layout: wanted oci-layout:FOLDER or oci-layout:FOLDER:TAG`,
    );
  }
  await refuseOtherFolder(path, runtime);
  return {
    target: createLayout(folderFiles(path, runtime.disk)),
    ...(tag === undefined ? {} : { tag }),
    name: operand,
  };
}

/** A layout is written into one, into an empty folder or a new one: not among other files. */
async function refuseOtherFolder(path: string, runtime: Runtime): Promise<void> {
  const entry = await runtime.disk.entry(path);
  if (entry === undefined) return;
  const names = entry.kind === "directory" ? await runtime.disk.names(path) : undefined;
  if (names?.length === 0 || names?.includes("oci-layout")) return;
  throw usageError(`${quote(path)} is no image layout: name one, or a new folder`);
}

function tellStep(step: CopyStep, args: ParsedArgs, runtime: Runtime): void {
  if (args.get("format") === "json" || step.kind === "blob") return;
  const { role, digest, type, tag, of, written } = step;
  const state = args.has("dry-run") ? "would copy" : written ? "copied" : "was there";
  const names = tag === undefined ? "" : `, tag ${printable(tag)}`;
  const about = of === undefined ? "" : ` of ${of.slice(0, 19)}…`;
  runtime.write("stdout", `${state}: ${role} ${digest}${about}, ${printable(type)}${names}\n`);
}

function tell(
  { root, steps, notes }: CopyResult,
  { args, runtime, from, to }: { args: ParsedArgs; runtime: Runtime; from: string; to: string },
): void {
  for (const note of notes) runtime.write("stderr", `note: ${printable(note, 400)}\n`);
  if (args.get("format") === "json") {
    const document = { source: from, target: to, digest: root.digest, steps, notes };
    runtime.write("stdout", `${safeJson(document, 2)}\n`);
    return;
  }
  const done = args.has("dry-run") ? steps : steps.filter(({ written }) => written);
  const bytes = done.reduce((total, { size }) => total + size, 0);
  const manifests = done.filter(({ kind }) => kind === "manifest").length;
  runtime.write(
    "stderr",
    `${args.has("dry-run") ? "would copy" : "copied"} ${plural(manifests, "manifest")} and ` +
      `${plural(done.length - manifests, "blob")}, ${bytes} bytes, to ${printable(to)}\n`,
  );
}
