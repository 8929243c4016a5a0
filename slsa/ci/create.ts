import { copyJson, isObject, type Json, type JsonObject, quote } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";
import type { ResourceDescriptor } from "../../intoto/resource_descriptor.ts";
import type { Statement } from "../../intoto/statement.ts";
import type { Environment } from "../../sigstore/oidc/ambient.ts";
import type { IdentityToken } from "../../sigstore/oidc/token.ts";
import { createProvenance } from "../create.ts";
import { buildkiteBuild } from "./buildkite.ts";
import { circleciBuild } from "./circleci.ts";
import { BUILD_PLATFORMS, type BuildPlatform, detectBuildPlatform } from "./detect.ts";
import { conflict, FactReader, malformed } from "./facts.ts";
import type { SourceFacts } from "./git.ts";
import { githubBuild } from "./github.ts";
import { gitlabBuild } from "./gitlab.ts";
import { googleCloudBuild } from "./google_cloud_build.ts";
import { localBuild } from "./local.ts";
import type { PlatformBuild, PlatformOptions } from "./platform.ts";

/** What {@linkcode createCiProvenance} is told besides the environment. */
export interface CiProvenanceOptions {
  /** Where the build runs. Default: detected; `local` must be said. */
  platform?: BuildPlatform;
  /** Content of the event file (GitHub Actions), JSON of at most 25 MiB. */
  event?: string | Uint8Array;
  /** Token of this very job. Its claims and the environment must agree. */
  identityToken?: IdentityToken;
  /** What tells this leg of a matrix from the others. */
  matrix?: JsonObject;
  /** The source, where the platform does not tell it; what it tells must agree. */
  source?: SourceFacts;
  /** Record that files differ from the commit (local builds), in place of refusing. */
  allowDirty?: boolean;
  /** Builder to name in place of the platform's; not if the token names another. */
  builderId?: string;
  /** Meaning of the parameters, in place of the platform's. */
  buildType?: string;
  /** External parameters besides those of the platform. */
  parameters?: JsonObject;
  /** Dependencies besides the source. */
  dependencies?: readonly ResourceDescriptor[];
  /** Name of the run (local builds); platforms have their own. */
  invocationId?: string;
  /** Start of the build. Default: as the platform tells it. */
  startedOn?: Date;
  /** End of the build. */
  finishedOn?: Date;
}

const OPTIONS = [
  "platform",
  "event",
  "identityToken",
  "matrix",
  "source",
  "allowDirty",
  "builderId",
  "buildType",
  "parameters",
  "dependencies",
  "invocationId",
  "startedOn",
  "finishedOn",
];
const SOURCE_MEMBERS = ["repository", "ref", "commit", "path", "dirty"];

const READERS: Readonly<
  Record<BuildPlatform, (facts: FactReader, options: PlatformOptions) => PlatformBuild>
> = {
  github: githubBuild,
  gitlab: gitlabBuild,
  "google-cloud-build": googleCloudBuild,
  buildkite: buildkiteBuild,
  circleci: circleciBuild,
  local: localBuild,
};

/** External parameters that have a meaning of their own. */
const RESERVED = ["workflow", "inputs", "dirty"];
const MAX_MATRIX_LENGTH = 64 << 10;

/**
 * Makes a Statement with SLSA provenance v1 from what the platform of a build tells: source
 * repository, commit, workflow and a time are in it, or it is refused.
 *
 * It is a pure function: variables, event, token and times are what is passed in, and only
 * variables that are named in the sources are read, so that no secret of the environment can
 * get into it. What several tell must be the same: a token outweighs the environment only in
 * so far as it is asked first.
 *
 * What comes out is what the tenant of the platform says, whatever the platform. Sign it
 * with the identity of the same job: a verifier compares it with the certificate.
 *
 * Source: SLSA 1.2, build-provenance.md; `docs/buildtypes.md` for each platform.
 *
 * @param subject What was built: at least one, each with digests in lowercase hex.
 * @param environment Variables of the job.
 * @throws {AttestationError} `missing-build-fact` (the message names all, `path` the first),
 * `conflicting-build-fact`, `malformed-build-fact`, `unknown-build-environment`,
 * `limit-exceeded` (event file), and what `createProvenance()` refuses.
 * @throws {TypeError} If an option is unknown or of the wrong type.
 *
 * @example A build on one's own machine
 * ```ts
 * import { createCiProvenance } from "@x/attest/slsa/ci";
 * import assert from "node:assert/strict";
 *
 * const statement = createCiProvenance(
 *   [{ name: "app.tgz", digest: { sha256: "a".repeat(64) } }],
 *   {},
 *   {
 *     platform: "local",
 *     source: {
 *       repository: "git@git.example:acme/app.git",
 *       commit: "c".repeat(40),
 *       path: "Makefile",
 *     },
 *     finishedOn: new Date("2026-01-01T00:00:00Z"),
 *   },
 * );
 * const { buildDefinition } = statement.predicate as {
 *   buildDefinition: { resolvedDependencies: unknown[] };
 * };
 * assert.deepEqual(buildDefinition.resolvedDependencies, [{
 *   uri: "git+https://git.example/acme/app",
 *   digest: { gitCommit: "c".repeat(40) },
 * }]);
 * ```
 */
export function createCiProvenance(
  subject: readonly ResourceDescriptor[],
  environment: Environment,
  options: CiProvenanceOptions = {},
): Statement {
  refuseUnknown(options, OPTIONS, "createCiProvenance()");
  refuseUnknown(options.source ?? {}, SOURCE_MEMBERS, "source");
  const { identityToken, startedOn, finishedOn, builderId, parameters = {} } = options;
  const platform = options.platform ?? detectBuildPlatform(environment);
  if (!BUILD_PLATFORMS.includes(platform)) {
    throw new TypeError(`Cannot create provenance: unknown platform ${quote(String(platform))}`);
  }
  for (const name of RESERVED) {
    if (!Object.hasOwn(parameters, name)) continue;
    throw new TypeError(`Cannot create provenance: the parameter ${name} has its own meaning`);
  }
  if (platform === "local" && identityToken !== undefined) {
    throw new TypeError("Cannot create provenance: no token speaks for a local build");
  }
  const facts = new FactReader(environment, identityToken);
  const build = READERS[platform](facts, options);
  const start = startedOn ?? build.startedOn;
  const [kind, internal] = build.internal;
  facts.need("timestamp", [
    ["the end of the build", (finishedOn ?? start) === undefined ? undefined : "known"],
  ]);
  facts.finish();

  const builder = builderOf(build, builderId);
  const source = { uri: sourceUri(build), digest: { gitCommit: build.source.commit } };
  const inner = definedMembers({ ...internal, matrix: matrixOf(options.matrix) });
  const { invocationId } = build;
  return createProvenance({
    subject,
    buildType: options.buildType ?? build.buildType,
    externalParameters: { workflow: build.workflow, ...build.parameters, ...parameters },
    ...(Object.keys(inner).length === 0 ? {} : { internalParameters: { [kind]: inner } }),
    resolvedDependencies: [source, ...build.dependencies ?? [], ...options.dependencies ?? []],
    builderId: builder,
    ...(invocationId === undefined ? {} : { invocationId }),
    ...(start === undefined ? {} : { startedOn: start }),
    ...(finishedOn === undefined ? {} : { finishedOn }),
  });
}

function builderOf(build: PlatformBuild, named: string | undefined): string {
  if (named === undefined || named === build.builderId) return build.builderId;
  if (!build.isBuilderCertain) return named;
  throw conflict("builder", `the token names ${quote(build.builderId)}, not ${quote(named)}`);
}

function sourceUri({ source: { repository, ref } }: PlatformBuild): string {
  return `git+${repository}${ref === undefined ? "" : `@${ref}`}`;
}

function matrixOf(matrix: JsonObject | undefined): JsonObject | undefined {
  if (matrix === undefined) return undefined;
  const copy = copyJson(matrix, 16);
  if (!isObject(copy)) throw new TypeError("Cannot create provenance: matrix is no object");
  if (JSON.stringify(copy).length > MAX_MATRIX_LENGTH) {
    throw malformed("the matrix", "matrix", `it has more than ${MAX_MATRIX_LENGTH} characters`);
  }
  return copy;
}

function definedMembers(values: Readonly<Record<string, Json | undefined>>): JsonObject {
  const members: JsonObject = {};
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) members[name] = value;
  }
  return members;
}
