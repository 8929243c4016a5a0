import { AttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { quote } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";
import type { ResourceDescriptor } from "../resource_descriptor.ts";
import { type DigestOptions, digestSubject, type SubjectContent } from "./content.ts";
import { checkFileName, compareCodePoints } from "./file_name.ts";

/** A file of a folder. */
export interface DirectoryFile {
  /** Path from the folder: relative, with `/`. */
  path: string;
  /** Its content, or what opens it; it is opened when its turn comes, and read once. */
  content: SubjectContent | (() => SubjectContent | Promise<SubjectContent>);
}

/** A file of a manifest. */
export interface ManifestFile {
  /** Path from the folder: relative, with `/`. */
  readonly path: string;
  /** Its digests, lowercase hex; `sha256` is always there. */
  readonly digest: Readonly<Record<string, string>>;
}

/** All files of a folder with their digests. */
export interface DirectoryManifest {
  /** The files, by code point of their paths. */
  readonly files: readonly ManifestFile[];
  /**
   * A line for each file: SHA-256 in lowercase hex, two spaces, path, `\n`. It is what
   * `sha256sum` writes and reads.
   */
  readonly text: string;
}

/** Options of {@linkcode directorySubject}. Unknown names are refused. */
export interface DirectorySubjectOptions extends DigestOptions {
  /** Name of the subject, such as that of the folder. */
  name?: string;
}

/** Files of a folder, at most: as many as a Statement has subjects. */
const MAX_FILES = 100_000;

/** Media type of a manifest's text. */
const MANIFEST_TYPE = "text/plain; charset=utf-8";

/**
 * Digests all files of a folder.
 *
 * Files that begin with a dot count as any other. Empty folders, modes, owners, times and
 * links are not recorded; the caller decides what a link is, and should refuse it.
 *
 * Names are compared and written as they are, without Unicode normalisation. Refused are
 * names with control characters or a backslash, which some tools escape and others do not;
 * absolute ones, and those with `.`, `..` or an empty part.
 *
 * Source: in-toto attestation v1, digest_set.md, `dirHash`; Go, `dirhash.Hash1`.
 *
 * @param files In any order; each path once.
 * @param options `algorithms` of the files' digests beside SHA-256. Unknown names are refused.
 * @throws {AttestationError} `empty-directory`, `unsupported-file-name`,
 * `duplicate-subject-name`, `limit-exceeded` (more than 100 000 files).
 * @throws {TypeError} If an option is unknown or not of its form.
 *
 * @example
 * ```ts
 * import { createDirectoryManifest, directorySubject } from "@x/attest/intoto/subjects";
 * import assert from "node:assert/strict";
 *
 * const manifest = await createDirectoryManifest([
 *   { path: "b/c", content: new TextEncoder().encode("two") },
 *   { path: "a", content: new TextEncoder().encode("one") },
 * ]);
 * assert.deepEqual(manifest.files.map(({ path }) => path), ["a", "b/c"]);
 * const subject = await directorySubject(manifest, { name: "dist" });
 * assert.equal(subject.digest?.dirHash, subject.digest?.sha256);
 * ```
 */
export async function createDirectoryManifest(
  files: Iterable<DirectoryFile> | AsyncIterable<DirectoryFile>,
  options: DigestOptions = {},
): Promise<DirectoryManifest> {
  refuseUnknown(options, ["algorithms", "onBytes", "signal"], "createDirectoryManifest()");
  const found = new Map<string, ManifestFile>();
  for await (const { path, content } of files) {
    if (found.size === MAX_FILES) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot describe folder: more than ${MAX_FILES} files`,
      );
    }
    checkFileName(path, "describe folder");
    if (found.has(path)) {
      throw new AttestationError(
        "duplicate-subject-name",
        `Cannot describe folder: the path ${quote(path)} is given twice`,
      );
    }
    const opened = typeof content === "function" ? await content() : content;
    const digest = await digestSubject(opened, options, ["sha256"]);
    found.set(path, { path, digest });
  }
  if (found.size === 0) {
    throw new AttestationError("empty-directory", "Cannot describe folder: there is no file in it");
  }
  const sorted = [...found.values()].sort((a, b) => compareCodePoints(a.path, b.path));
  return {
    files: sorted,
    text: sorted.map(({ path, digest }) => `${digest.sha256}  ${path}\n`).join(""),
  };
}

/**
 * A folder as one subject: its digests are those of the manifest's text, and `dirHash`, which
 * is the SHA-256 of the same text. A file more, less, renamed or changed is another folder.
 *
 * With `dirHash` a verifier tells a folder from a file that happens to hold its manifest.
 *
 * Source: in-toto attestation v1, digest_set.md, `dirHash`: Go's h1 in hex.
 *
 * @param manifest Of {@linkcode createDirectoryManifest}.
 * @param options `name`, and `algorithms` of the manifest's digests; default `["sha256"]`.
 * @throws {TypeError} If an option is unknown or not of its form.
 *
 * @example
 * ```ts
 * import { createDirectoryManifest, directorySubject } from "@x/attest/intoto/subjects";
 * import assert from "node:assert/strict";
 *
 * const manifest = await createDirectoryManifest([{ path: "a", content: new Uint8Array() }]);
 * const { annotations } = await directorySubject(manifest, { name: "dist" });
 * assert.deepEqual(annotations, { files: 1, format: "sha256sum" });
 * ```
 */
export async function directorySubject(
  manifest: DirectoryManifest,
  options: DirectorySubjectOptions = {},
): Promise<ResourceDescriptor> {
  refuseUnknown(options, ["algorithms", "onBytes", "signal", "name"], "directorySubject()");
  const { name, algorithms } = options;
  const text = utf8(manifest.text);
  const { sha256: dirHash } = await digestSubject(text, {});
  return {
    ...(name === undefined ? {} : { name }),
    digest: {
      ...await digestSubject(text, algorithms === undefined ? {} : { algorithms }),
      dirHash,
    },
    mediaType: MANIFEST_TYPE,
    annotations: { files: manifest.files.length, format: "sha256sum" },
  };
}

/**
 * The files of a folder as one subject each. Nothing then says that a file is missing or was
 * added: verify with `subjects: "all"`, or describe the folder by {@linkcode directorySubject}.
 *
 * @param manifest Of {@linkcode createDirectoryManifest}.
 * @param folder Put before each path; default none.
 *
 * @example
 * ```ts
 * import { createDirectoryManifest, fileSubjects } from "@x/attest/intoto/subjects";
 * import assert from "node:assert/strict";
 *
 * const manifest = await createDirectoryManifest([{ path: "a", content: new Uint8Array() }]);
 * assert.equal(fileSubjects(manifest, "dist")[0].name, "dist/a");
 * ```
 */
export function fileSubjects(manifest: DirectoryManifest, folder = ""): ResourceDescriptor[] {
  return manifest.files.map(({ path, digest }) => ({
    name: folder === "" ? path : `${folder}/${path}`,
    digest: { ...digest },
  }));
}
