import { isObject, type Json, type JsonObject } from "../internal/json.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import { GITHUB_BUILD_TYPE, OWN_BUILD_TYPES } from "./build_types.ts";

/** Where the source of a build came from, as its `buildType` tells it. */
export interface ProvenanceSource {
  /** Repository, canonical: `git+https://host/owner/name`. */
  uri: string;
  /** Git ref, such as `refs/heads/main`. */
  ref?: string;
  /** Commit, lowercase hex. */
  commit?: string;
  /** File that says how to build, such as `.github/workflows/release.yml`. */
  entryPoint?: string;
}

const MAX_ADDRESS = 2048;

const WEB = /^(?:git\+)?(?:(https?|ssh|git):\/\/)?([^/?#\s]+)((?:\/[^/?#\s]+)+?)\/*$/;

/**
 * One spelling for the address of a repository: `git+https://host/path`. `github.com/o/r`,
 * `https://github.com/o/r`, `git+https://github.com/o/r.git` and a slash at the end are the
 * same; the host is in lower case, the path is kept as it is.
 *
 * Source: SPDX 2.3, 7.7, for the form; slsa-verifier for what may be left out.
 *
 * @returns The address, or undefined if it is none.
 *
 * @example
 * ```ts
 * import { canonicalRepository } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * assert.equal(canonicalRepository("GitHub.com/acme/App.git/"), "git+https://github.com/acme/App");
 * ```
 */
export function canonicalRepository(uri: string): string | undefined {
  if (uri.length > MAX_ADDRESS) return undefined;
  const match = WEB.exec(uri);
  if (match === null) return undefined;
  const [, scheme = "https", authority, rest] = match;
  const path = rest.replace(/\.git$/, "");
  // What is left must be canonical itself: with `.git` twice it would lose one each time.
  if (/\/\.{0,2}(?:\/|$)|\.git$/.test(path)) return undefined;
  const canonical = `git+${scheme}://${authority.toLowerCase()}${path}`;
  return canonical.length > MAX_ADDRESS ? undefined : canonical;
}

/** Takes `uri@ref` apart at the last `@` behind the host; the ref may be absent. */
export function splitRef(uri: string): { uri: string; ref?: string } {
  const at = uri.lastIndexOf("@");
  const host = uri.indexOf("://");
  const path = uri.indexOf("/", host < 0 ? 0 : host + 3);
  if (path < 0 || at < path) return { uri };
  return { uri: uri.slice(0, at), ref: uri.slice(at + 1) };
}

/** The commit that a digest names, lowercase; older builders call it `sha1`. */
export function commitOf(digest: unknown): string | undefined {
  if (!isObject(digest)) return undefined;
  for (const name of ["gitCommit", "sha1"]) {
    const value = Object.hasOwn(digest, name) ? digest[name] : undefined;
    if (typeof value === "string" && isCommit(value)) return value.toLowerCase();
  }
  return undefined;
}

/** Tells whether a text is the id of a commit: 40 or 64 hex digits. */
export function isCommit(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(text);
}

/** Build types whose parameters are `workflow: { repository, ref, path }`. */
const WORKFLOW_TYPES: readonly string[] = [
  GITHUB_BUILD_TYPE,
  ...Object.values(OWN_BUILD_TYPES),
  "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
];

/** Build types whose parameters are `source: { uri, digest }`. */
const SOURCE_TYPES: readonly string[] = [
  "https://slsa.dev/container-based-build/v0.1?draft",
  "https://slsa.dev/container-based-build/v0.1",
];

/** Build types that name the source as their first dependency only. */
const FIRST_DEPENDENCY_TYPES: readonly string[] = [
  "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0",
];

/**
 * Source of a build by provenance v1. Parameters mean what the build type says: of one
 * that is not known nothing is read.
 */
export function sourceOfV1(
  buildType: string,
  parameters: JsonObject,
  dependencies: readonly ResourceDescriptor[],
): ProvenanceSource | undefined {
  if (WORKFLOW_TYPES.includes(buildType)) {
    const { workflow } = parameters;
    if (!isObject(workflow) || typeof workflow.repository !== "string") return undefined;
    const uri = canonicalRepository(workflow.repository);
    if (uri === undefined) return undefined;
    const ref = text(workflow.ref);
    return make(uri, ref, commitAmong(dependencies, uri, ref), text(workflow.path));
  }
  if (SOURCE_TYPES.includes(buildType)) {
    const { source } = parameters;
    if (!isObject(source) || typeof source.uri !== "string") return undefined;
    return fromUri(source.uri, commitOf(source.digest), text(parameters.configPath));
  }
  if (FIRST_DEPENDENCY_TYPES.includes(buildType)) {
    const [first] = dependencies;
    if (first?.uri === undefined || !first.uri.startsWith("git+")) return undefined;
    return fromUri(first.uri, commitOf(first.digest), undefined);
  }
  return undefined;
}

/** Source of a build from `uri@ref`, the digest beside it and the entry point. */
export function fromUri(
  address: string,
  commit: string | undefined,
  entryPoint: string | undefined,
): ProvenanceSource | undefined {
  const { uri, ref } = splitRef(address);
  const repository = canonicalRepository(uri);
  return repository === undefined ? undefined : make(repository, ref, commit, entryPoint);
}

function commitAmong(
  dependencies: readonly ResourceDescriptor[],
  uri: string,
  ref: string | undefined,
): string | undefined {
  for (const dependency of dependencies) {
    if (dependency.uri === undefined) continue;
    // A ref may have an `@` itself: the one that is wanted tells where it begins.
    const found = ref !== undefined && dependency.uri.endsWith(`@${ref}`)
      ? { uri: dependency.uri.slice(0, -ref.length - 1), ref }
      : splitRef(dependency.uri);
    if (found.ref !== ref || canonicalRepository(found.uri) !== uri) continue;
    const commit = commitOf(dependency.digest);
    if (commit !== undefined) return commit;
  }
  return undefined;
}

function make(
  uri: string,
  ref: string | undefined,
  commit: string | undefined,
  entryPoint: string | undefined,
): ProvenanceSource {
  const source: ProvenanceSource = { uri };
  if (ref !== undefined) source.ref = ref;
  if (commit !== undefined) source.commit = commit;
  if (entryPoint !== undefined) source.entryPoint = entryPoint;
  return source;
}

function text(value: Json | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
