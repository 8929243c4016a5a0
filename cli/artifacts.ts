import { AttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { isObject, parseJson, printable, quote } from "../internal/json.ts";
import { DIGEST_ALGORITHMS, digestFault, normalizeDigest } from "../intoto/digest_set.ts";
import { ociSubject } from "../intoto/subjects/oci.ts";
import { ATTESTATION_SUFFIXES, digestOfName, SIGNATURE_SUFFIXES } from "../store/file_names.ts";
import type { ArtifactInput } from "../verify/options.ts";
import { type ParsedArgs, suggestion, usageError } from "./args.ts";
import { type ChecksumEntry, parseChecksums } from "../intoto/subjects/checksums.ts";
import type { AttestationFiles, NamedAttestation } from "./attestations.ts";
import { access, CHUNK_BYTES, readBounded, type Runtime } from "./runtime.ts";

/** An artifact that the command line names. */
export interface Artifact {
  /** Name in the report. */
  name: string;
  /** Path of the file; undefined when only digests are known. */
  path?: string;
  /** Digests that the caller vouches for, instead of a file. */
  digest?: Record<string, string>;
  /** Repository of an image. */
  oci?: string;
  /** Name of an npm package. */
  npm?: string;
  /** Paths next to which its attestation may lie, with their file names. */
  neighbours: string[];
  /** Attestations for all that lies in its folder. */
  shared: string[];
  /** The line of a checksum file that names it. */
  namedIn?: { file: string; line?: number };
}

/** Artifacts, and what was left out. */
export interface Artifacts {
  /** In the order of the command line; those of a folder by name. */
  artifacts: Artifact[];
  /** Operands that have to be looked at in a registry or layout. */
  images: string[];
  /** For standard error. */
  notices: string[];
}

const MAX_FILES = 100_000;
const MAX_DEPTH = 64;
const MAX_CHECKSUM_BYTES = 64 << 20;

/** Path of a file in a folder. */
export function join(folder: string, name: string): string {
  if (folder === "") return name;
  return folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}

/** Folder of a path, empty for the current one, and the name in it. */
export function splitPath(path: string): { folder: string; name: string } {
  const slash = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return { folder: path.slice(0, slash + 1), name: path.slice(slash + 1) };
}

/**
 * Reads what the command line names as artifacts: files, folders, digests, checksum files.
 *
 * A folder is one artifact if one of its attestations is about a folder as a whole, else each
 * file in it is. What the attestation says is not believed by that: the folder has to have
 * the digest that it states.
 *
 * @throws {AttestationError} `usage`, `unreadable-file`, `malformed-checksums`,
 * `artifact-required` (a folder without files), `limit-exceeded`; of a folder as a whole
 * `empty-directory`, `unsupported-file-name`.
 */
export async function readArtifacts(
  args: ParsedArgs,
  runtime: Runtime,
  files?: AttestationFiles,
): Promise<Artifacts> {
  const found: Artifacts = { artifacts: [], images: [], notices: [] };
  const { artifacts } = found;
  for (const operand of args.operands) {
    if (/^(oci:\/\/|oci-layout:|helm:)/.test(operand)) {
      const { isLookedUp } = await import("./images.ts");
      if (isLookedUp(operand, args)) {
        found.images.push(operand);
        continue;
      }

      artifacts.push(ofImage(operand));
      continue;
    }
    refuseSchemes(operand);
    const info = await access("read", operand, () => runtime.stat(operand));
    const digest = info === undefined ? parseDigest(operand) : undefined;
    if (digest !== undefined) artifacts.push(ofDigest(operand, digest));
    else if (info === undefined) {
      throw new AttestationError(
        "unreadable-file",
        `Cannot read ${quote(operand)}: it does not exist`,
      );
    } else if (info.kind === "directory") {
      const beside = await besideFolder(operand, args, runtime);
      const loaded = await files?.load([...args.all("bundle"), ...beside]);
      if (loaded?.attestations.some(isAboutFolder)) {
        artifacts.push(await readWhole(operand, runtime));
      } else await readFolder(operand, beside, { args, runtime, found });
    } else artifacts.push({ name: operand, path: operand, neighbours: [operand], shared: [] });
  }
  for (const text of args.all("digest")) {
    const digest = parseDigest(text);
    if (digest === undefined) {
      throw usageError(`--digest is ALG:HEX, such as sha256:e3b0…, not ${quote(text)}`);
    }
    artifacts.push(ofDigest(text, digest));
  }
  for (const path of args.all("checksums")) {
    const bytes = await readBounded(runtime, path, MAX_CHECKSUM_BYTES);
    for (const entry of parse(path, bytes)) {
      artifacts.push({
        name: entry.name,
        digest: entry.digest,
        neighbours: [...safeNeighbour(path, entry.name), path],
        shared: [],
        namedIn: { file: path, ...(entry.line === undefined ? {} : { line: entry.line }) },
      });
    }
  }
  if (artifacts.length > MAX_FILES) throw tooMany();
  return found;
}

function parse(path: string, bytes: Uint8Array): ChecksumEntry[] {
  try {
    return parseChecksums(bytes);
  } catch (cause) {
    const reason = cause instanceof AttestationError ? cause.reason : "malformed-checksums";
    throw new AttestationError(reason, `Cannot use ${quote(path)} as a checksum file`, { cause });
  }
}

/** A checksum file is data: a name in it that leads elsewhere finds nothing. */
function safeNeighbour(path: string, name: string): string[] {
  const plain = /^(?!\.{1,2}$)[^/\\:]{1,255}$/.test(name) && printable(name, 255) === name;
  return plain ? [join(splitPath(path).folder, name)] : [];
}

function refuseSchemes(operand: string): void {
  const scheme = /^(npm:|https?:\/\/)/.exec(operand);
  if (scheme !== null) {
    throw usageError(
      `Cannot verify ${quote(operand)}: artifacts by ${scheme[0]} are not supported yet; ` +
        "give a file, --digest ALG:HEX or oci://NAME@sha256:HEX with --bundle",
    );
  }
}

/** A digest of `ALG:HEX`, or undefined if the text is nothing like one. */
export function parseDigest(text: string): Record<string, string> | undefined {
  const match = /^([A-Za-z][A-Za-z0-9_-]*):([0-9A-Za-z+/=]*)$/.exec(text);
  if (match === null) return undefined;
  const [, algorithm, value] = match;
  if (!DIGEST_ALGORITHMS.has(algorithm)) {
    // `C:name` and the like are paths.
    if (!/^[0-9A-Fa-f]{32,}$/.test(value)) return undefined;
    throw usageError(
      `Unknown digest algorithm ${quote(algorithm)}${
        suggestion(algorithm.toLowerCase(), [...DIGEST_ALGORITHMS.keys()])
      }`,
    );
  }
  const fault = digestFault(algorithm, value, false);
  if (fault !== undefined) throw usageError(`Cannot read digest ${quote(text)}: ${fault}`);
  return { [algorithm]: normalizeDigest(algorithm, value) };
}

/** An image by its digest: nothing is asked for in a registry. */
function ofImage(reference: string): Artifact {
  const { name, digest = {} } = ociSubject(reference);
  return { ...ofDigest(reference, digest as Record<string, string>), oci: name };
}

function ofDigest(name: string, digest: Record<string, string>): Artifact {
  return { name, digest, neighbours: [], shared: [] };
}

interface FileInFolder {
  folder: string;
  name: string;
}

/** Attestations that lie beside a folder and have its name; none if others are given. */
async function besideFolder(root: string, args: ParsedArgs, runtime: Runtime): Promise<string[]> {
  if (args.has("bundle") || args.has("vsa")) return [];
  const path = withoutSlash(root);
  const found: string[] = [];
  for (const suffix of ATTESTATION_SUFFIXES) {
    const info = await runtime.stat(path + suffix).catch(() => undefined);
    if (info?.kind === "file") found.push(path + suffix);
  }
  return found;
}

function withoutSlash(path: string): string {
  return path.replace(/(?<=[^/\\])[/\\]+$/, "");
}

/** Tells whether an attestation says that it is about a folder; it is not verified by that. */
function isAboutFolder({ content }: NamedAttestation): boolean {
  try {
    const text = typeof content === "string" || content instanceof Uint8Array;
    const outer: unknown = text ? parseJson(content) : content;
    const inner = isObject(outer) && isObject(outer.dsseEnvelope) ? outer.dsseEnvelope : outer;
    if (!isObject(inner) || typeof inner.payload !== "string") return false;
    const statement = parseJson(decodeBase64(inner.payload));
    return isObject(statement) && Array.isArray(statement.subject) &&
      statement.subject.some((one) =>
        isObject(one) && isObject(one.digest) && "dirHash" in one.digest
      );
  } catch {
    // What is wrong with it is in the report.
    return false;
  }
}

/** A folder as one artifact: of its digest, as a file could have the same bytes as its list. */
async function readWhole(root: string, runtime: Runtime): Promise<Artifact> {
  const { digestFolder } = await import("./subjects.ts");
  const { progressBar } = await import("./progress.ts");
  const progress = progressBar(runtime);
  let done = 0;
  try {
    const dirHash = await digestFolder(root, runtime, (count) => {
      progress.update({ phase: "digest", done: done += count });
    });
    return { name: root, digest: { dirHash }, neighbours: [withoutSlash(root)], shared: [] };
  } finally {
    progress.end();
  }
}

interface FolderContext {
  args: ParsedArgs;
  runtime: Runtime;
  found: Artifacts;
}

async function readFolder(
  root: string,
  beside: readonly string[],
  { args, runtime, found }: FolderContext,
): Promise<void> {
  const files: FileInFolder[] = [];
  let links = 0;
  const walk = async (folder: string, depth: number): Promise<void> => {
    if (depth > MAX_DEPTH) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read ${quote(root)}: folders are nested deeper than ${MAX_DEPTH}`,
      );
    }
    const entries = await access("read folder", folder, () => runtime.readDir(folder));
    entries.sort((a, b) => a.name < b.name ? -1 : 1);
    for (const { name, kind } of entries) {
      if (kind === "directory") await walk(join(folder, name), depth + 1);
      else if (kind === "file") files.push({ folder, name });
      else links++;
      if (files.length > MAX_FILES) throw tooMany();
    }
  };
  await walk(root, 0);

  const given = new Set([...args.all("bundle"), ...args.all("vsa")].map(normalPath));
  const paths = new Set(files.map(({ folder, name }) => join(folder, name)));
  const attestations: string[] = [];
  const shared = new Map<string, string[]>();
  const artifacts: FileInFolder[] = [];
  for (const file of files) {
    const path = join(file.folder, file.name);
    const suffix = ATTESTATION_SUFFIXES.find((suffix) => file.name.endsWith(suffix));
    const byDigest = digestOfName(file.name) !== undefined;
    // Another file may end like a signature: it is one only beside what it is of.
    const isSignature = SIGNATURE_SUFFIXES.some((end) =>
      file.name.endsWith(end) && paths.has(path.slice(0, -end.length))
    );
    if (suffix === undefined && !byDigest && !isSignature && !given.has(normalPath(path))) {
      artifacts.push(file);
      continue;
    }
    attestations.push(path);
    // Without a file of its own name it may be about all that lies beside it.
    if (suffix !== undefined && !paths.has(path.slice(0, -suffix.length))) {
      shared.set(file.folder, [...shared.get(file.folder) ?? [], path]);
    }
  }
  if (artifacts.length === 0) {
    throw new AttestationError(
      "artifact-required",
      `Cannot verify ${quote(root)}: no file is in it`,
    );
  }
  for (const { folder, name } of artifacts) {
    const path = join(folder, name);
    found.artifacts.push({
      name: path,
      path,
      neighbours: [path],
      shared: [...shared.get(folder) ?? [], ...beside],
    });
  }
  if (attestations.length > 0) {
    const few = attestations.slice(0, 5).map(quote).join(", ");
    found.notices.push(
      `Taken for attestations, not verified as artifacts: ${few}${
        attestations.length > 5 ? ` and ${attestations.length - 5} more` : ""
      }`,
    );
  }
  if (links > 0) {
    found.notices.push(`Not followed in ${quote(root)}: ${links} links or special files`);
  }
}

function normalPath(path: string): string {
  return path.split(/[/\\]+/).filter((part) => part !== ".").join("/");
}

function tooMany(): AttestationError {
  return new AttestationError(
    "limit-exceeded",
    `Cannot verify more than ${MAX_FILES} artifacts in one run`,
  );
}

/** The artifact as `verify()` takes it; its file is opened when it is first read. */
export function toInput(artifact: Artifact, runtime: Runtime): ArtifactInput {
  const { name, path, digest, oci, npm } = artifact;
  const place = { ...(oci === undefined ? {} : { oci }), ...(npm === undefined ? {} : { npm }) };
  if (digest !== undefined) return { name, digest, ...place };
  if (path === undefined) throw new TypeError("An artifact has neither a path nor a digest");
  return { name, ...place, content: openLazily(runtime, path) };
}

/** Content of a file that is opened when it is first read. */
export function openLazily(runtime: Runtime, path: string): ReadableStream<Uint8Array> {
  let source: ReadableStream<Uint8Array> | undefined;
  let byob: ReadableStreamBYOBReader | undefined;
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  const open = async () => {
    source = await runtime.openRead(path);
    try {
      byob = source.getReader({ mode: "byob" });
    } catch {
      reader = source.getReader();
    }
  };
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: CHUNK_BYTES,
    async pull(controller) {
      await access("read", path, async () => {
        if (source === undefined) await open();
        const request = controller.byobRequest!;
        // The reader's own buffer is filled, not copied: memory stays constant.
        const { done, value } = byob === undefined
          ? await reader!.read()
          : await byob.read(new Uint8Array(request.view!.buffer));
        if (done) {
          controller.close();
          if (byob === undefined) request.respond(0);
          else request.respondWithNewView(value ?? new Uint8Array());
        } else if (byob === undefined) controller.enqueue(value as Uint8Array<ArrayBuffer>);
        else request.respondWithNewView(value!);
      });
    },
    async cancel(reason) {
      await (byob ?? reader)?.cancel(reason);
    },
  });
}
