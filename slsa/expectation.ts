import { isObject, quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { parseVersion } from "../internal/semver.ts";
import { assertBuilderTrust, type BuilderTrust } from "./builder_trust.ts";
import { assertParameterRules, type ParameterRules } from "./parameters.ts";
import { PROVENANCE_TYPES } from "./provenance.ts";
import { canonicalRepository, isCommit } from "./source.ts";

/** A Build level of SLSA 1.x. */
export type BuildLevel = 0 | 1 | 2 | 3;

/**
 * What provenance must say, and who may say it. What is absent is not asked; what is
 * present must be stated by the provenance or its certificate, and all that state it must
 * agree.
 *
 * Source: SLSA 1.2, verifying-artifacts.md; the options of slsa-verifier.
 */
export interface ProvenanceExpectation {
  /**
   * Repository that was built: `github.com/o/r`, `https://github.com/o/r` or
   * `git+https://github.com/o/r`. Needed where a certificate signs, unless the caller
   * expects an identity: anybody can run a known builder.
   */
  sourceUri?: string;
  /** Branch that was built, without `refs/heads/`. */
  sourceBranch?: string;
  /** Tag that was built, without `refs/tags/`. */
  sourceTag?: string;
  /**
   * Version of the tag: `v1` and `v1.2` stand for every release of them, `v1.2.3` for that
   * one; build metadata has no meaning. Not together with `sourceTag`.
   */
  sourceVersionedTag?: string;
  /** Commit that was built: 40 or 64 hex digits. */
  sourceCommit?: string;
  /** Builder: whole, without its `@` and version, or with `@` and the bare tag. */
  builderId?: string;
  /** Inputs of a workflow that was started by hand; others that it has are not asked. */
  workflowInputs?: Readonly<Record<string, string>>;
  /** `buildType`, exact; compared before any parameter. */
  buildType?: string;
  /** Rules for all external parameters; goes with `buildType`, which gives them meaning. */
  externalParameters?: ParameterRules;
  /** Least Build level of the recognised pair of signer and builder. Default 0. */
  minLevel?: BuildLevel;
  /** Who may speak for which builder. Default `KNOWN_BUILDERS`. */
  builders?: BuilderTrust;
  /** Accepted predicate types. Default provenance v1, v0.2 and v0.1. */
  predicateTypes?: readonly string[];
  /** Refuses a dependency without a digest. Default false. */
  requirePinnedDependencies?: boolean;
}

const OPTIONS = [
  "sourceUri",
  "sourceBranch",
  "sourceTag",
  "sourceVersionedTag",
  "sourceCommit",
  "builderId",
  "workflowInputs",
  "buildType",
  "externalParameters",
  "minLevel",
  "builders",
  "predicateTypes",
  "requirePinnedDependencies",
];

/**
 * Refuses an expectation that cannot be kept, before anything is read.
 *
 * @throws {TypeError} If a member is unknown, of the wrong type or empty, if an address,
 * version or commit is none, or if members exclude each other.
 *
 * @example A branch is given by its name
 * ```ts
 * import { assertProvenanceExpectation } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * assert.throws(() => assertProvenanceExpectation({ sourceBranch: "refs/heads/main" }), TypeError);
 * ```
 */
export function assertProvenanceExpectation(
  value: unknown,
): asserts value is ProvenanceExpectation {
  if (!isObject(value)) throw wrong("it is no object");
  refuseUnknown(value, OPTIONS, "a provenance expectation");
  const sourceUri = text(value, "sourceUri");
  if (sourceUri !== undefined) {
    const canonical = canonicalRepository(sourceUri);
    if (canonical === undefined) throw wrong(`sourceUri ${quote(sourceUri)} is no repository`);
    if (canonical.slice(canonical.indexOf("/", canonical.indexOf("://") + 3)).includes("@")) {
      throw wrong("sourceUri has a ref; give it as sourceBranch or sourceTag");
    }
  }
  for (const name of ["sourceBranch", "sourceTag"]) {
    if (text(value, name)?.startsWith("refs/")) {
      throw wrong(`${name} is given with refs/; give its name only`);
    }
  }
  const version = text(value, "sourceVersionedTag");
  if (version !== undefined) {
    if (!version.startsWith("v") || parseVersion(version.slice(1)) === undefined) {
      throw wrong(`sourceVersionedTag ${quote(version)} is no v1, v1.2 or v1.2.3`);
    }
    if (value.sourceTag !== undefined) {
      throw wrong("sourceTag and sourceVersionedTag exclude each other");
    }
  }
  const commit = text(value, "sourceCommit");
  if (commit !== undefined && !isCommit(commit)) {
    throw wrong("sourceCommit is not 40 or 64 hex digits");
  }
  text(value, "builderId");
  text(value, "buildType");
  const { workflowInputs, minLevel, predicateTypes, requirePinnedDependencies } = value;
  if (workflowInputs !== undefined) {
    const isTexts = isObject(workflowInputs) &&
      Object.values(workflowInputs).every((input) => typeof input === "string");
    if (!isTexts) throw wrong("workflowInputs is no object of texts");
  }
  if (value.externalParameters !== undefined) {
    if (value.buildType === undefined) {
      throw wrong("externalParameters have no meaning without buildType");
    }
    assertParameterRules(value.externalParameters);
  }
  if (minLevel !== undefined && ![0, 1, 2, 3].includes(minLevel as number)) {
    throw wrong("minLevel is none of 0, 1, 2 and 3");
  }
  if (value.builders !== undefined) assertBuilderTrust(value.builders);
  if (predicateTypes !== undefined) {
    const isKnown = Array.isArray(predicateTypes) && predicateTypes.length > 0 &&
      predicateTypes.every((type) => PROVENANCE_TYPES.includes(type as string));
    if (!isKnown) throw wrong("predicateTypes is no list of types of provenance");
  }
  if (requirePinnedDependencies !== undefined && typeof requirePinnedDependencies !== "boolean") {
    throw wrong("requirePinnedDependencies is neither true nor false");
  }
}

function text(value: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const member = value[name];
  if (member === undefined) return undefined;
  if (typeof member !== "string" || member === "") throw wrong(`${name} is not a text`);
  return member;
}

function wrong(what: string): TypeError {
  return new TypeError(`Cannot expect of provenance: ${what}`);
}
