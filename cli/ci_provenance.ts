import { AttestationError, isAttestationError } from "../errors.ts";
import {
  decodeUtf8,
  isObject,
  type Json,
  type JsonObject,
  parseJson,
  quote,
} from "../internal/json.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import type { Statement } from "../intoto/statement.ts";
import { ambientIdentityToken } from "../sigstore/oidc/ambient.ts";
import { type IdentityToken, parseIdentityToken } from "../sigstore/oidc/token.ts";
import { type CiProvenanceOptions, createCiProvenance } from "../slsa/ci/create.ts";
import { type BuildPlatform, detectBuildPlatform } from "../slsa/ci/detect.ts";
import type { SourceFacts } from "../slsa/ci/git.ts";
import { MAX_EVENT_BYTES } from "../slsa/ci/github.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { parseDigest } from "./artifacts.ts";
import { runGit } from "./git.ts";
import { readBounded, type Runtime } from "./runtime.ts";

/**
 * SLSA provenance of the build that this process is a part of, with what the command line
 * says of it.
 *
 * @param identityToken Token that signs, if there is one: it is of the same job, or there is
 * no provenance. A person's token says nothing of a build on that person's machine.
 */
export async function readCiProvenance(
  subjects: readonly ResourceDescriptor[],
  args: ParsedArgs,
  runtime: Runtime,
  identityToken: IdentityToken | undefined,
): Promise<Statement> {
  const environment = runtime.environment();
  const platform = platformOf(args, runtime);
  const options: CiProvenanceOptions = {
    platform,
    source: await sourceOf(args, runtime, platform),
    finishedOn: runtime.now?.() ?? new Date(),
    allowDirty: args.has("allow-dirty"),
  };
  if (platform === "local") options.invocationId = `urn:uuid:${crypto.randomUUID()}`;
  else if (identityToken !== undefined) options.identityToken = identityToken;
  const event = platform === "github" ? runtime.env("GITHUB_EVENT_PATH") : undefined;
  if (event !== undefined && event !== "") {
    options.event = await readBounded(runtime, event, MAX_EVENT_BYTES);
  }
  const builderId = args.get("builder-id");
  if (builderId !== undefined) options.builderId = builderId;
  const buildType = args.get("build-type");
  if (buildType !== undefined) options.buildType = buildType;
  const parameters = parametersOf(args);
  if (parameters !== undefined) options.parameters = parameters;
  if (args.has("dependency")) options.dependencies = args.all("dependency").map(dependencyOf);
  const matrix = matrixOf(args.get("matrix") ?? runtime.env("ATTEST_MATRIX"));
  if (matrix !== undefined) options.matrix = matrix;
  const started = args.get("started");
  if (started !== undefined) {
    options.startedOn = parseTimestamp(started);
    if (options.startedOn === undefined) {
      throw usageError(`--started is a time such as 2026-01-31T12:00:00Z, not ${quote(started)}`);
    }
  }
  try {
    return createCiProvenance(subjects, environment, options);
  } catch (error) {
    if (!isAttestationError(error) || error.reason !== "missing-build-fact") throw error;
    const { reason, message, path } = error;
    throw new AttestationError(reason, `${message}; ${GIVEN}`, {
      cause: error.cause,
      ...(path === undefined ? {} : { path }),
    });
  }
}

const GIVEN = "what the platform does not tell is given by --source-repository, --source-ref, " +
  "--source-commit and --workflow";

function platformOf(args: ParsedArgs, runtime: Runtime): BuildPlatform {
  const named = args.get("ci") as BuildPlatform | undefined;
  const platform = named ?? detected(runtime);
  if (platform !== "local" && args.has("allow-dirty")) {
    throw usageError("--allow-dirty is for a local build");
  }
  return platform;
}

function detected(runtime: Runtime): BuildPlatform {
  try {
    return detectBuildPlatform(runtime.environment());
  } catch (error) {
    if (!isAttestationError(error) || error.reason !== "unknown-build-environment") throw error;
    throw new AttestationError(
      error.reason,
      `${error.message}; a build on your own machine is --ci local`,
    );
  }
}

/** An audience that accepts nothing: the token is read here and goes nowhere. */
const NOBODY = "nobody";

/**
 * The identity token of this job, for its claims only, where the platform grants one to the
 * job and the command line does not forbid to ask.
 */
export async function readJobToken(
  args: ParsedArgs,
  runtime: Runtime,
): Promise<IdentityToken | undefined> {
  if (args.has("no-identity")) return undefined;
  const now = runtime.now?.() ?? new Date();
  const { SIGSTORE_ID_TOKEN: given, ...environment } = runtime.environment();
  const platform = platformOf(args, runtime);
  // These speak for a person, or for an account that many builds share.
  if (platform === "local" || platform === "google-cloud-build") return undefined;
  if (given !== undefined && given.trim() !== "") return parseIdentityToken(given.trim(), { now });
  const fixed = platform === "circleci" ? environment.CIRCLE_ORGANIZATION_ID : undefined;
  try {
    return await ambientIdentityToken(environment, {
      audience: fixed ?? NOBODY,
      now,
      ...(runtime.fetch === undefined ? {} : { fetch: runtime.fetch }),
      ...(runtime.sleep === undefined ? {} : { sleep: runtime.sleep }),
    });
  } catch (error) {
    // What is not granted is no failure here: nothing is signed.
    if (isAttestationError(error) && error.reason === "missing-identity-token") return undefined;
    throw error;
  }
}

async function sourceOf(
  args: ParsedArgs,
  runtime: Runtime,
  platform: BuildPlatform,
): Promise<SourceFacts> {
  const given: SourceFacts = {
    ...member("repository", args.get("source-repository")),
    ...member("ref", args.get("source-ref")),
    ...member("commit", args.get("source-commit")),
    ...member("path", args.get("workflow")),
  };
  return platform === "local" ? { ...await readGit(given, runtime), ...given } : given;
}

function member(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

/** A submodule whose changes `.gitmodules` says to ignore has changed all the same. */
const CHANGES = ["--porcelain", "--untracked-files=no", "--ignore-submodules=untracked"];

/** What git says of the working copy; nothing where there is none. */
async function readGit(given: SourceFacts, runtime: Runtime): Promise<SourceFacts> {
  const commit = await git(runtime, "rev-parse", "--verify", "HEAD");
  if (commit === undefined) return {};
  if (given.commit !== undefined && given.commit.toLowerCase() !== commit) {
    throw new AttestationError(
      "conflicting-build-fact",
      `Cannot create provenance: --source-commit is ${quote(given.commit)}, the working copy is ` +
        `of ${quote(commit)}`,
      { path: "/commit" },
    );
  }
  const changes = await git(runtime, "status", ...CHANGES);
  if (changes === undefined) {
    throw new AttestationError("unreadable-file", "Cannot read the state of the working copy");
  }
  return {
    commit,
    dirty: changes !== "",
    ...member("repository", await git(runtime, "remote", "get-url", "origin")),
    ...member("ref", await git(runtime, "symbolic-ref", "--quiet", "HEAD")),
  };
}

/** Answer of git in one line, or undefined if it has none. */
async function git(runtime: Runtime, ...words: string[]): Promise<string | undefined> {
  try {
    const { status, stdout } = await runGit(runtime, words);
    return status === 0 ? decodeUtf8(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}

function parametersOf(args: ParsedArgs): JsonObject | undefined {
  if (!args.has("parameter")) return undefined;
  const parameters: JsonObject = {};
  for (const text of args.all("parameter")) {
    const [, name, value] = /^([A-Za-z_][A-Za-z0-9_.-]{0,127})=([^]*)$/.exec(text) ?? [];
    // The value may be what nobody should see in a log.
    if (name === undefined || value === undefined) throw usageError("--parameter is NAME=VALUE");
    if (["workflow", "inputs", "dirty", "__proto__"].includes(name)) {
      throw usageError(`--parameter ${name} has its own meaning: choose another name`);
    }
    if (Object.hasOwn(parameters, name)) throw usageError(`--parameter ${name} is given twice`);
    parameters[name] = value;
  }
  return parameters;
}

function dependencyOf(text: string): ResourceDescriptor {
  const at = text.lastIndexOf("@");
  const digest = at < 1 ? undefined : parseDigest(text.slice(at + 1));
  if (digest === undefined) throw usageError(`--dependency is URI@ALG:HEX, not ${quote(text)}`);
  return { uri: text.slice(0, at), digest };
}

/** `toJSON(matrix)` is null where there is none. */
function matrixOf(text: string | undefined): JsonObject | undefined {
  if (text === undefined || text === "") return undefined;
  let value: Json;
  try {
    value = parseJson(text, { maxLength: 64 << 10, maxDepth: 16 });
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw usageError(`The matrix is no JSON (${cause.reason})`);
  }
  if (value === null) return undefined;
  if (isObject(value)) return value;
  throw usageError("The matrix is no JSON object");
}
