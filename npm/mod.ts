/**
 * Packages of an npm registry: the registry's publish attestation and the provenance of a
 * tarball, and a whole lockfile in one run.
 *
 * Nothing here makes a request: tarballs, answers and keys come from the caller.
 *
 * @module
 */

export {
  NPM_PROVENANCE,
  NPM_PUBLISH,
  type NpmAttestation,
  parseNpmAttestations,
} from "./answer.ts";
export {
  type NpmExpectations,
  type NpmRule,
  type NpmWaivable,
  type NpmWaiver,
  parseNpmExpectations,
} from "./expectations.ts";
export { createFolderSource, type NpmFiles, type NpmFolders } from "./folder.ts";
export {
  type LockfileStatus,
  type NpmHistory,
  type NpmRecord,
  parseNpmHistory,
} from "./history.ts";
export { type NpmKey, parseNpmKeys } from "./keys.ts";
export {
  type LockfileOptions,
  type LockfileProgress,
  type NpmPackageSource,
  verifyLockfile,
} from "./lockfile.ts";
export type { LockfilePackageReport, LockfileReport, LockfileSummary } from "./lockfile_report.ts";
export { type LockedPackage, type Lockfile, parseLockfile } from "./lockfile_parse.ts";
export { NPM_GITHUB_HOSTED, type NpmReport, verifyNpmPackage } from "./package.ts";
export type { NpmExpectation, NpmTrust, NpmVerifyOptions } from "./package_options.ts";
export { type NpmPackage, parseNpmPurl } from "./purl.ts";
export type { NpmSource } from "./source.ts";
