import { AttestationError } from "../errors.ts";
import { CheckList } from "../internal/check_list.ts";
import { isObject, type Json, type JsonObject, jsonText, quote } from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";
import { isVersionOf, parseVersion } from "../internal/semver.ts";
import type { Statement } from "../intoto/statement.ts";
import type { Check } from "../report.ts";
import { type BuilderTrust, isNamedBuilder, recogniseBuilder } from "../slsa/builder_trust.ts";
import type { SignerEvidence } from "../slsa/evidence.ts";
import type { BuildLevel, ProvenanceExpectation } from "../slsa/expectation.ts";
import { canonicalRepository, commitOf, isCommit, splitRef } from "../slsa/source.ts";

/**
 * What provenance of Google Cloud Build can be asked for. `sourceUri` may also be the
 * address of an uploaded archive, `gs://bucket/object`, with `#` and its generation or
 * without; whoever may write to the bucket has then chosen the source.
 */
export type GoogleCloudBuildExpectation = Pick<
  ProvenanceExpectation,
  | "sourceUri"
  | "sourceBranch"
  | "sourceTag"
  | "sourceVersionedTag"
  | "sourceCommit"
  | "builderId"
  | "minLevel"
>;

/** What provenance of Google Cloud Build says, in the words of its builder. */
export interface GoogleCloudBuildClaims {
  /** `builder.id`. */
  builderId: string;
  /** `recipe.type` of v0.1, `buildType` of v1. */
  buildType: string;
  /** `git+https://…` of a repository, or `gs://…` of an uploaded archive. */
  sourceUri?: string;
  /** Commit, lowercase hex. */
  commit?: string;
  /** Branch of the trigger. */
  branch?: string;
  /** Tag of the trigger. */
  tag?: string;
}

const V0_1 = "https://slsa.dev/provenance/v0.1";
const V1 = "https://slsa.dev/provenance/v1";
const WORKER = "https://cloudbuild.googleapis.com/GoogleHostedWorker";
const RECIPE = /^https:\/\/cloudbuild\.googleapis\.com\/CloudBuild(?:Yaml|Steps)@v\d+(?:\.\d+)*$/;
const ARGUMENTS = "type.googleapis.com/google.devtools.cloudbuild.v1.Build";
const BUILD_TYPE = "https://cloud.google.com/build/gcb-buildtypes/google-worker/v1";

/**
 * Reads the provenance of Google Cloud Build, v0.1 as its hosted workers 0.2 and 0.3 wrote
 * it, and v1. Their dialect is not quite SLSA: the source is the first material, whose URI
 * may have the commit in its path, and branch and tag are substitutions of the trigger.
 *
 * @throws {AttestationError} `predicate-type-mismatch`, `malformed-predicate`,
 * `missing-predicate-field`, `unexpected-builder` (none of the hosted workers, or one that
 * does not write this version), `build-type-mismatch`.
 */
export function readGoogleCloudBuildClaims(statement: Statement): GoogleCloudBuildClaims {
  const { predicateType, predicate = {} } = statement;
  if (predicateType === V0_1) return readV0_1(predicate);
  if (predicateType === V1) return readV1(predicate);
  throw new AttestationError(
    "predicate-type-mismatch",
    `Cannot accept build provenance: its type is ${quote(predicateType)}`,
    { path: "/predicateType" },
  );
}

function readV0_1(predicate: JsonObject): GoogleCloudBuildClaims {
  const builderId = textOf(
    objectOf(predicate, "builder", "/predicate"),
    "id",
    "/predicate/builder",
  );
  const recipe = objectOf(predicate, "recipe", "/predicate");
  const buildType = textOf(recipe, "type", "/predicate/recipe");
  const path = "/predicate/recipe";
  if (builderId !== `${WORKER}@v0.2` && builderId !== `${WORKER}@v0.3`) {
    throw otherBuilder(builderId, "/predicate/builder/id");
  }
  const isType = builderId.endsWith("@v0.2") ? buildType === builderId : RECIPE.test(buildType);
  if (!isType) throw otherType(buildType, `${path}/type`);
  const args = objectOf(recipe, "arguments", path);
  if (args["@type"] !== ARGUMENTS) {
    throw otherType(jsonText(args["@type"]), `${path}/arguments/@type`);
  }
  const { materials } = predicate;
  const first = Array.isArray(materials) ? materials[0] : undefined;
  return {
    builderId,
    buildType,
    ...(isObject(first) ? sourceOf(first.uri, first.digest) : {}),
    ...triggerOf(args.substitutions),
  };
}

function readV1(predicate: JsonObject): GoogleCloudBuildClaims {
  const details = objectOf(predicate, "runDetails", "/predicate");
  const builder = objectOf(details, "builder", "/predicate/runDetails");
  const builderId = textOf(builder, "id", "/predicate/runDetails/builder");
  const path = "/predicate/buildDefinition";
  const definition = objectOf(predicate, "buildDefinition", "/predicate");
  const buildType = textOf(definition, "buildType", path);
  if (builderId !== WORKER) throw otherBuilder(builderId, "/predicate/runDetails/builder/id");
  if (buildType !== BUILD_TYPE) throw otherType(buildType, `${path}/buildType`);
  const { internalParameters: internal, externalParameters: external } = definition;
  const { resolvedDependencies: dependencies } = definition;
  const first = Array.isArray(dependencies) ? dependencies[0] : undefined;
  const trigger = triggerOf(isObject(internal) ? internal.systemSubstitutions : undefined);
  const resolved = isObject(first) && typeof first.uri === "string"
    ? splitRef(first.uri)
    : undefined;
  const source = isObject(first) ? sourceOf(resolved?.uri, first.digest) : {};
  const config = isObject(external) ? external.buildConfigSource : undefined;
  const stated = isObject(config) ? sourceOf(config.repository, undefined).sourceUri : undefined;
  const ref = isObject(config) && typeof config.ref === "string" ? config.ref : resolved?.ref;
  if (
    (stated !== undefined && stated !== source.sourceUri) ||
    (resolved?.ref !== undefined && resolved.ref !== ref)
  ) {
    throw new AttestationError(
      "source-mismatch",
      "Cannot accept build provenance: it names one source as parameter, and built another one",
      { path: `${path}/resolvedDependencies/0/uri` },
    );
  }
  return { builderId, buildType, ...source, ...trigger, ...fromRef(ref, trigger) };
}

/** A ref tells a branch from a tag of the same name; the trigger must not contradict it. */
function fromRef(ref: string | undefined, trigger: Trigger): Trigger {
  const match = /^refs\/(heads|tags)\/(.+)$/.exec(ref ?? "");
  if (match === null) return {};
  const [, kind, name] = match;
  const [member, reason] = kind === "heads"
    ? ["branch", "branch-mismatch"] as const
    : ["tag", "tag-mismatch"] as const;
  if (trigger[member] !== undefined && trigger[member] !== name) {
    throw new AttestationError(
      reason,
      `Cannot accept build provenance: the ref is ${quote(ref ?? "")}, the trigger had ${
        quote(trigger[member])
      }`,
      { path: "/predicate/buildDefinition/externalParameters/buildConfigSource/ref" },
    );
  }
  return { [member]: name };
}

interface Source {
  sourceUri?: string;
  commit?: string;
}

function sourceOf(uri: Json | undefined, digest: Json | undefined): Source {
  if (typeof uri !== "string") return {};
  if (uri.startsWith("gs://")) return { sourceUri: uri };
  // An image has no scheme: `github.com/acme/app` as one is not that repository.
  if (!/^(git\+)?https:\/\//.test(uri)) return {};
  const [address, fragment = ""] = uri.split("#", 2);
  const match = /^(.+)\/commit\/([0-9A-Fa-f]+)$/.exec(address);
  const inPath = match !== null && isCommit(match[2]) ? match[2].toLowerCase() : undefined;
  const source: Source = {};
  const repository = canonicalRepository(inPath === undefined ? address : match?.[1] ?? address);
  if (repository !== undefined) source.sourceUri = repository;
  const commit = inPath ?? commitOf(digest) ?? (isCommit(fragment) ? fragment : undefined);
  if (commit !== undefined) source.commit = commit.toLowerCase();
  return source;
}

interface Trigger {
  branch?: string;
  tag?: string;
}

function triggerOf(substitutions: Json | undefined): Trigger {
  const trigger: Trigger = {};
  if (!isObject(substitutions)) return trigger;
  const { BRANCH_NAME: branch, TAG_NAME: tag } = substitutions;
  if (typeof branch === "string" && branch !== "") trigger.branch = branch;
  if (typeof tag === "string" && tag !== "") trigger.tag = tag;
  return trigger;
}

function objectOf(parent: JsonObject, name: string, path: string): JsonObject {
  const value = parent[name];
  if (isObject(value)) return value;
  throw fault(value, `${path}/${name}`, "an object");
}

function textOf(parent: JsonObject, name: string, path: string): string {
  const value = parent[name];
  if (typeof value === "string" && value !== "") return value;
  throw fault(value === "" ? undefined : value, `${path}/${name}`, "a string");
}

function fault(value: Json | undefined, path: string, wanted: string): AttestationError {
  const isUnset = value === undefined || value === null;
  return new AttestationError(
    isUnset ? "missing-predicate-field" : "malformed-predicate",
    `Cannot read build provenance: ${path} is ${isUnset ? "not set" : `not ${wanted}`}`,
    { path },
  );
}

function otherBuilder(found: string, path: string): AttestationError {
  return new AttestationError(
    "unexpected-builder",
    `Cannot accept build provenance: ${quote(found)} is no worker that writes this version`,
    { path },
  );
}

function otherType(found: string, path: string): AttestationError {
  return new AttestationError(
    "build-type-mismatch",
    `Cannot accept build provenance: the build type ${quote(found)} is not this builder's`,
    { path },
  );
}

/** What {@linkcode evaluateGoogleCloudBuild} found. */
export interface GoogleCloudBuildEvaluation {
  /** Every check, in order. */
  checks: Check[];
  /** What the provenance says, when it could be read. */
  claims?: GoogleCloudBuildClaims;
  /** Build level of the recognised pair of signer and builder. */
  level?: BuildLevel;
}

/**
 * Judges verified provenance of Google Cloud Build. A branch or tag counts only for a build
 * from a repository: whoever uploads an archive chooses the substitutions himself.
 *
 * Source: slsa-verifier's options for Cloud Build; SLSA 1.2, verifying-artifacts.md.
 *
 * @param statement Statement of the verified payload.
 * @param evidence Who signed.
 * @param expectation What must be said.
 * @param trust Which key may speak for which worker.
 */
export function evaluateGoogleCloudBuild(
  statement: Statement,
  evidence: SignerEvidence,
  expectation: GoogleCloudBuildExpectation,
  trust: BuilderTrust,
): GoogleCloudBuildEvaluation {
  const list = new CheckList();
  let claims: GoogleCloudBuildClaims;
  try {
    claims = readGoogleCloudBuildClaims(statement);
  } catch (error) {
    list.failed("predicate.format", error);
    return { checks: list.checks };
  }
  list.passed("predicate.format", "Provenance of Google Cloud Build", {
    actual: statement.predicateType,
    path: "/predicateType",
  });
  const level = checkBuilder(list, claims, evidence, expectation, trust);
  checkSource(list, claims, expectation);
  checkRefs(list, claims, expectation);
  checkCommit(list, claims, expectation);
  return { checks: list.checks, claims, ...(level === undefined ? {} : { level }) };
}

function checkBuilder(
  list: CheckList,
  { builderId }: GoogleCloudBuildClaims,
  evidence: SignerEvidence,
  { builderId: expected, minLevel }: GoogleCloudBuildExpectation,
  trust: BuilderTrust,
): BuildLevel | undefined {
  const id = "predicate.builder";
  const facts = { expected, actual: builderId };
  if (expected !== undefined && !isNamedBuilder(builderId, expected)) {
    const message = `Cannot accept provenance: its builder is ${quote(builderId)}`;
    list.refused(id, "unexpected-builder", message, facts);
    return undefined;
  }
  const { rule } = recogniseBuilder(builderId, evidence, expected, trust);
  if (rule === undefined) {
    const message = "Cannot accept provenance: who signed may not speak for its builder";
    list.refused(id, "untrusted-builder", message, facts);
    return undefined;
  }
  list.passed(id, "The builder is one that the signer may speak for", facts);
  if (minLevel !== undefined) {
    const levels = { expected: String(minLevel), actual: String(rule.maxBuildLevel) };
    if (rule.maxBuildLevel >= minLevel) {
      list.passed("predicate.level", "The Build level is high enough", levels);
    } else {
      const message =
        `Cannot accept provenance: its builder is believed up to level ${levels.actual}`;
      list.refused("predicate.level", "insufficient-level", message, levels);
    }
  }
  return rule.maxBuildLevel;
}

function checkSource(
  list: CheckList,
  { sourceUri: actual }: GoogleCloudBuildClaims,
  { sourceUri: expected }: GoogleCloudBuildExpectation,
): void {
  if (expected === undefined) return;
  const id = "predicate.source";
  const facts = { expected, actual };
  const same = expected.startsWith("gs://")
    ? actual === expected || actual?.replace(/#\d+$/, "") === expected
    : actual !== undefined && actual === canonicalRepository(expected);
  if (same) return list.passed(id, "The source is as expected", facts);
  const found = actual === undefined ? "none" : quote(actual);
  list.refused(id, "source-mismatch", `Cannot accept provenance: its source is ${found}`, facts);
}

function checkRefs(
  list: CheckList,
  claims: GoogleCloudBuildClaims,
  { sourceBranch, sourceTag, sourceVersionedTag }: GoogleCloudBuildExpectation,
): void {
  const fromRepository = claims.sourceUri?.startsWith("git+") === true;
  const branch = fromRepository ? claims.branch : undefined;
  const tag = fromRepository ? claims.tag : undefined;
  if (sourceBranch !== undefined) {
    const facts = { expected: sourceBranch, actual: branch };
    if (branch === sourceBranch) {
      list.passed("predicate.branch", "The branch is as expected", facts);
    } else {
      const message = `Cannot accept provenance: its branch is ${named(branch)}`;
      list.refused("predicate.branch", "branch-mismatch", message, facts);
    }
  }
  if (sourceTag !== undefined) {
    const facts = { expected: sourceTag, actual: tag };
    if (tag === sourceTag) list.passed("predicate.tag", "The tag is as expected", facts);
    else {
      const message = `Cannot accept provenance: its tag is ${named(tag)}`;
      list.refused("predicate.tag", "tag-mismatch", message, facts);
    }
  }
  if (sourceVersionedTag !== undefined) checkVersion(list, tag, sourceVersionedTag);
}

function checkVersion(list: CheckList, tag: string | undefined, expected: string): void {
  const id = "predicate.versioned-tag";
  const facts = { expected, actual: tag };
  const wanted = parseVersion(expected.slice(1));
  const found = tag?.startsWith("v") ? parseVersion(tag.slice(1)) : undefined;
  if (tag !== undefined && found === undefined) {
    const message = `Cannot accept provenance: its tag ${quote(tag)} is no version`;
    list.refused(id, "invalid-versioned-tag", message, facts);
  } else if (found !== undefined && wanted !== undefined && isVersionOf(found, wanted)) {
    list.passed(id, "The tag is of the expected version", facts);
  } else {
    const message = `Cannot accept provenance: its tag is ${named(tag)}`;
    list.refused(id, "versioned-tag-mismatch", message, facts);
  }
}

function checkCommit(
  list: CheckList,
  { commit }: GoogleCloudBuildClaims,
  { sourceCommit }: GoogleCloudBuildExpectation,
): void {
  if (sourceCommit === undefined) return;
  const facts = { expected: sourceCommit, actual: commit };
  if (commit === sourceCommit.toLowerCase()) {
    list.passed("predicate.commit", "The commit is as expected", facts);
  } else {
    const message = `Cannot accept provenance: its commit is ${named(commit)}`;
    list.refused("predicate.commit", "commit-mismatch", message, facts);
  }
}

function named(text: string | undefined): string {
  return text === undefined ? "not stated" : quote(text);
}

/**
 * Where the copy for people says something that the signed Statement does not: the place in
 * the copy, or undefined. The copy may leave things out, never add or change any.
 */
export function differingText(text: Json, signed: JsonObject): string | undefined {
  const { predicate, slsaProvenance, ...rest } = signed;
  // Cloud Build states v0.1 provenance twice, by its true and by an older name.
  const twin = slsaProvenance ?? predicate;
  return difference(text, {
    ...rest,
    predicate: predicate ?? null,
    slsaProvenance: twin ?? null,
  }) ??
    (slsaProvenance === undefined ? undefined : difference(slsaProvenance, predicate));
}

function difference(copy: Json, signed: Json | undefined, path = ""): string | undefined {
  if (Array.isArray(copy)) {
    if (!Array.isArray(signed) || signed.length !== copy.length) return path || "/";
    for (let i = 0; i < copy.length; i++) {
      const found = difference(copy[i], signed[i], `${path}/${i}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isObject(copy)) return copy === signed ? undefined : path || "/";
  if (!isObject(signed)) return path || "/";
  for (const [name, member] of Object.entries(copy)) {
    const own = Object.hasOwn(signed, name) ? signed[name] : undefined;
    const found = difference(member, own, pointer(path, name));
    if (found !== undefined) return found;
  }
  return undefined;
}
