import { AttestationError } from "../errors.ts";
import { decodeUtf8, quote } from "../internal/json.ts";
import { checksumSubjects, parseChecksums } from "../intoto/subjects/checksums.ts";
import { createSubject, type SubjectAlgorithm } from "../intoto/subjects/content.ts";
import {
  createDirectoryManifest,
  type DirectoryFile,
  directorySubject,
  fileSubjects,
} from "../intoto/subjects/directory.ts";
import { fileNameFault } from "../intoto/subjects/file_name.ts";
import { gitSubject } from "../intoto/subjects/git.ts";
import { ociSubject } from "../intoto/subjects/oci.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import { ATTESTATION_SUFFIXES } from "../store/file_names.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { join, openLazily, parseDigest, splitPath } from "./artifacts.ts";
import { inFile } from "./in_file.ts";
import { runGit } from "./git.ts";
import { progressBar } from "./progress.ts";
import { access, readBounded, type Runtime } from "./runtime.ts";
import { plural } from "./text.ts";

/** Something that is attested, with where its attestation lies by default. */
export interface SubjectSource {
  /** As the command line has it. */
  readonly source: string;
  /** Path beside which the attestation is written; undefined if there is no file. */
  readonly path?: string;
  /**
   * A file, a folder as one subject, the files of a folder, a checksum file, or what has no
   * file.
   */
  readonly kind: "file" | "folder" | "files" | "checksums" | "digest";
  /** Its subjects: one, or those of a folder or checksum file. */
  readonly subjects: readonly ResourceDescriptor[];
}

const MAX_FILES = 100_000;
const MAX_DEPTH = 64;
const MAX_CHECKSUM_BYTES = 64 << 20;
const ALGORITHMS: readonly string[] = ["sha256", "sha384", "sha512"];

/** A file of a folder, by its path from there. */
interface FileInFolder {
  path: string;
  size: number;
}

/** What is to be read, known before anything is. */
type Plan =
  & { source: string; path?: string }
  & (
    | { kind: "file"; name: string; size: number }
    | { kind: "folder"; name: string; files: FileInFolder[] }
    | { kind: "checksums" | "digest"; subjects: readonly ResourceDescriptor[] }
  );

/**
 * Reads what the command line names as subjects: files, folders, images by digest, checksum
 * files, git objects, digests. Each file is read once.
 *
 * What is attested is what was read: a file that changes afterwards no longer verifies.
 *
 * @throws {AttestationError} `usage`, `unreadable-file`, `empty-directory`,
 * `unsupported-file-name`, `duplicate-subject-name`, `malformed-checksums`, `limit-exceeded`,
 * `unsupported-git-object`, and what is wrong with a digest or reference.
 */
export async function readSubjects(args: ParsedArgs, runtime: Runtime): Promise<SubjectSource[]> {
  const algorithms = readAlgorithms(args);
  const plans: Plan[] = [];
  for (const operand of args.operands) plans.push(await planOperand(operand, runtime));
  for (const path of args.all("checksums")) {
    const subjects = await inFile(
      "checksum file",
      path,
      async () =>
        checksumSubjects(parseChecksums(await readBounded(runtime, path, MAX_CHECKSUM_BYTES))),
    );
    plans.push({ kind: "checksums", source: path, path, subjects });
  }
  for (const revision of args.all("git")) {
    plans.push({
      kind: "digest",
      source: revision,
      subjects: [await readGit(revision, runtime)],
    });
  }
  for (const text of args.all("subject-digest")) {
    plans.push({ kind: "digest", source: text, subjects: [subjectOfDigest(text)] });
  }
  const sources = await digestPlans(plans, algorithms, args, runtime);
  return rename(sources, args);
}

/** Tells whether a command line names anything to be attested. */
export function namesSubjects(args: ParsedArgs): boolean {
  return args.operands.length > 0 ||
    ["checksums", "git", "subject-digest"].some((name) => args.has(name));
}

function readAlgorithms(args: ParsedArgs): SubjectAlgorithm[] {
  const names = (args.get("digest-algorithm") ?? "sha256").split(",");
  const wrong = names.find((name) => !ALGORITHMS.includes(name));
  if (wrong !== undefined || new Set(names).size < names.length) {
    throw usageError(
      `--digest-algorithm is a list of ${ALGORITHMS.join(", ")}, each once, not ${
        quote(names.join(","))
      }`,
    );
  }
  return names as SubjectAlgorithm[];
}

async function planOperand(operand: string, runtime: Runtime): Promise<Plan> {
  if (operand.startsWith("oci://")) {
    return { kind: "digest", source: operand, subjects: [ociSubject(operand)] };
  }
  const info = await access("read", operand, () => runtime.stat(operand));
  if (info === undefined) {
    if (/@sha(?:256|512):/.test(operand)) {
      throw usageError(`Cannot attest ${quote(operand)}: for an image write oci://${operand}`);
    }
    if (parseDigest(operand) !== undefined) {
      throw usageError(`Cannot attest ${quote(operand)}: give it as --subject-digest=${operand}`);
    }
    throw new AttestationError(
      "unreadable-file",
      `Cannot read ${quote(operand)}: it does not exist`,
    );
  }
  const path = operand.replace(/(?<=[^/\\])[/\\]+$/, "");
  const { name } = splitPath(path);
  if (info.kind === "directory") {
    const files = await listFolder(operand, runtime);
    return { kind: "folder", source: operand, path, name, files };
  }
  if (info.kind !== "file") {
    throw new AttestationError("unreadable-file", `Cannot read ${quote(operand)}: it is no file`);
  }
  return { kind: "file", source: operand, path, name, size: info.size };
}

/** All files below a folder; links and special files are refused, as nothing records them. */
async function listFolder(root: string, runtime: Runtime): Promise<FileInFolder[]> {
  const files: FileInFolder[] = [];
  const walk = async (folder: string, prefix: string, depth: number): Promise<void> => {
    if (depth > MAX_DEPTH) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read ${quote(root)}: folders are nested deeper than ${MAX_DEPTH}`,
      );
    }
    for (
      const { name, kind } of await access("read folder", folder, () => runtime.readDir(folder))
    ) {
      const path = prefix + name;
      const fault = fileNameFault(path) ??
        (kind === "link" || kind === "other" ? "it is a link or no regular file" : undefined);
      if (fault !== undefined) {
        throw new AttestationError(
          "unsupported-file-name",
          `Cannot describe folder ${quote(root)}: ${quote(path)} is refused, ${fault}`,
        );
      }
      if (kind === "directory") await walk(join(folder, name), `${path}/`, depth + 1);
      else {
        const info = await access("read", path, () => runtime.stat(join(folder, name)));
        files.push({ path, size: info?.size ?? 0 });
      }
      if (files.length > MAX_FILES) {
        throw new AttestationError(
          "limit-exceeded",
          `Cannot describe folder ${quote(root)}: more than ${MAX_FILES} files`,
        );
      }
    }
  };
  await walk(root, "", 0);
  if (files.length === 0) {
    throw new AttestationError(
      "empty-directory",
      `Cannot describe folder ${quote(root)}: there is no file in it`,
    );
  }
  return files;
}

/** Files of a folder as they are hashed, each opened when its turn comes. */
function contents(root: string, files: readonly FileInFolder[], runtime: Runtime): DirectoryFile[] {
  return files.map(({ path }) => ({
    path,
    content: () => openLazily(runtime, join(root, path)),
  }));
}

/** Digest of a folder as it is on disk, for comparison with that of a subject. */
export async function digestFolder(
  root: string,
  runtime: Runtime,
  onBytes: (count: number) => void,
): Promise<string> {
  const files = contents(root, await listFolder(root, runtime), runtime);
  const manifest = await createDirectoryManifest(files, { onBytes });
  const { digest } = await directorySubject(manifest);
  return digest!.dirHash;
}

async function digestPlans(
  plans: readonly Plan[],
  algorithms: readonly SubjectAlgorithm[],
  args: ParsedArgs,
  runtime: Runtime,
): Promise<SubjectSource[]> {
  const many = args.get("subjects") === "many";
  const total = plans.reduce(
    (sum, plan) =>
      sum +
      (plan.kind === "file"
        ? plan.size
        : plan.kind === "folder"
        ? plan.files.reduce((all, { size }) => all + size, 0)
        : 0),
    0,
  );
  let done = 0;
  const progress = progressBar(runtime, runtime.now && (() => runtime.now!().getTime()));
  const onBytes = (count: number) => {
    done += count;
    progress.update({ phase: "digest", done, total });
  };
  const sources: SubjectSource[] = [];
  try {
    for (const plan of plans) {
      const { source, path } = plan;
      const at = path === undefined ? { source } : { source, path };
      if (plan.kind === "file") {
        const content = openLazily(runtime, plan.source);
        const subject = await createSubject(content, { name: plan.name, algorithms, onBytes });
        sources.push({ ...at, kind: "file", subjects: [subject] });
      } else if (plan.kind === "folder") {
        const files = many ? withoutAttestations(plan.files, plan.source, runtime) : plan.files;
        const manifest = await createDirectoryManifest(contents(plan.source, files, runtime), {
          algorithms,
          onBytes,
        });
        const name = /^\.{0,2}$/.test(plan.name) ? {} : { name: plan.name };
        sources.push({
          ...at,
          kind: many ? "files" : "folder",
          subjects: many
            ? fileSubjects(manifest).map((subject) => pick(subject, algorithms))
            : [await directorySubject(manifest, { ...name, algorithms })],
        });
      } else sources.push({ ...at, kind: plan.kind, subjects: plan.subjects });
    }
  } finally {
    progress.end();
  }
  return sources;
}

/** A manifest needs SHA-256 for itself; a subject has what was asked for. */
function pick(
  subject: ResourceDescriptor,
  algorithms: readonly string[],
): ResourceDescriptor {
  const digest = Object.fromEntries(
    algorithms.map((algorithm) => [algorithm, subject.digest![algorithm]]),
  );
  return { ...subject, digest };
}

/** As `verify` of a folder does: what is named like an attestation is none of its artifacts. */
function withoutAttestations(
  files: readonly FileInFolder[],
  root: string,
  runtime: Runtime,
): FileInFolder[] {
  const artifacts = files.filter(({ path }) =>
    !ATTESTATION_SUFFIXES.some((suffix) => path.endsWith(suffix))
  );
  const left = files.length - artifacts.length;
  if (left > 0) {
    runtime.write(
      "stderr",
      `notice: Taken for attestations, not attested: ${plural(left, "file")} in ${quote(root)}\n`,
    );
  }
  return artifacts;
}

/** Names of all subjects: short where that tells them apart, else as the command line has them. */
function rename(sources: SubjectSource[], args: ParsedArgs): SubjectSource[] {
  const given = args.get("subject-name");
  const all = sources.flatMap(({ subjects }) => subjects);
  if (given !== undefined) {
    if (all.length !== 1) {
      throw usageError(`--subject-name is for one subject, not for ${all.length}`);
    }
    return sources.map((source) => ({
      ...source,
      subjects: source.subjects.map((subject) => ({ ...subject, name: given })),
    }));
  }
  const seenOnce = new Set<string>();
  const taken = new Set<string>();
  for (const { name } of all) {
    if (name === undefined) continue;
    if (seenOnce.has(name)) taken.add(name);
    seenOnce.add(name);
  }
  if (taken.size === 0 || args.has("each")) return sources;
  const renamed = sources.map((source) => {
    const { path } = source;
    const clashes = source.subjects.some(({ name }) => taken.has(name ?? ""));
    if (path === undefined || source.kind === "checksums" || !clashes) return source;
    const longer = path.replaceAll("\\", "/").replace(/^(\.\/)+/, "");
    if (fileNameFault(longer) !== undefined) return source;
    return {
      ...source,
      subjects: source.subjects.map((subject) => ({
        ...subject,
        name: source.kind === "files" ? `${longer}/${subject.name}` : longer,
      })),
    };
  });
  const seen = new Set<string>();
  for (const { name } of renamed.flatMap(({ subjects }) => subjects)) {
    if (name === undefined) continue;
    if (seen.has(name)) {
      throw new AttestationError(
        "duplicate-subject-name",
        `Cannot attest: two subjects have the name ${quote(name)}`,
      );
    }
    seen.add(name);
  }
  return renamed;
}

/** `NAME@ALG:HEX` or `ALG:HEX`; a name may have @ in it. */
function subjectOfDigest(text: string): ResourceDescriptor {
  const at = text.lastIndexOf("@");
  const digest = parseDigest(text.slice(at + 1));
  if (digest === undefined) {
    throw usageError(`--subject-digest is [NAME@]ALG:HEX, not ${quote(text)}`);
  }
  return at > 0 ? { name: text.slice(0, at), digest } : { digest };
}

/** A commit or annotated tag of the repository in the current folder. */
async function readGit(revision: string, runtime: Runtime): Promise<ResourceDescriptor> {
  if (revision.startsWith("-")) throw usageError(`--git is a revision, not ${quote(revision)}`);
  const git = async (...args: string[]): Promise<Uint8Array> => {
    const { status, stdout } = await access("run", "git", () => runGit(runtime, args));
    if (status !== 0) {
      throw new AttestationError(
        "unreadable-file",
        `Cannot read git revision ${quote(revision)}: git ${
          args[0]
        } ended with status ${status}; ` +
          "is this folder a working copy of yours that has it?",
      );
    }
    return stdout;
  };
  const lineOf = (bytes: Uint8Array) => decodeUtf8(bytes).trim();
  const id = lineOf(await git("rev-parse", "--verify", "--end-of-options", revision));
  const type = lineOf(await git("cat-file", "-t", id));
  if (type !== "commit" && type !== "tag") {
    throw new AttestationError(
      "unsupported-git-object",
      `Cannot attest ${quote(revision)}: it is a ${quote(type)}, neither a commit nor a tag`,
    );
  }
  const content = await git("cat-file", type, id);
  return await gitSubject({ type, content, id }, { name: revision });
}
