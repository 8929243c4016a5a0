/**
 * Subjects of Statements: files, streams, folders, checksum files, images and git objects,
 * each as the ResourceDescriptor that a Statement is about.
 *
 * Everything comes in as bytes, streams or text; nothing is opened here.
 *
 * @example From a file's bytes to a Statement
 * ```ts
 * import { createStatement } from "@x/attest/intoto";
 * import { createSubject } from "@x/attest/intoto/subjects";
 * import assert from "node:assert/strict";
 *
 * const subject = await createSubject(new TextEncoder().encode("abc"), { name: "abc.txt" });
 * const statement = createStatement({
 *   subject: [subject],
 *   predicateType: "https://example.com/review/v1",
 *   predicate: { approved: true },
 * });
 * assert.equal(statement.subject[0].name, "abc.txt");
 * ```
 *
 * @module
 */

export type { Json, JsonObject } from "../../internal/json.ts";
export type { DigestSet } from "../digest_set.ts";
export type { ResourceDescriptor } from "../resource_descriptor.ts";
export {
  type ChecksumEntry,
  checksumSubjects,
  MAX_CHECKSUM_LINES,
  parseChecksums,
} from "./checksums.ts";
export {
  createSubject,
  type DigestOptions,
  type SubjectAlgorithm,
  type SubjectContent,
  type SubjectOptions,
} from "./content.ts";
export {
  createDirectoryManifest,
  type DirectoryFile,
  type DirectoryManifest,
  directorySubject,
  type DirectorySubjectOptions,
  fileSubjects,
  type ManifestFile,
} from "./directory.ts";
export { type GitObject, gitSubject, type GitSubjectOptions } from "./git.ts";
export { ociSubject } from "./oci.ts";
