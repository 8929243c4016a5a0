import { parseTimestamp } from "../../internal/timestamp.ts";
import { OWN_BUILD_TYPES } from "../build_types.ts";
import { conflict, type FactReader, malformed, type Spelling, type Told } from "./facts.ts";
import {
  decimal,
  gitCommit,
  gitRef,
  refsOf,
  repositoryPath,
  repositoryUrl,
  sourceOf,
  word,
} from "./git.ts";
import type { PlatformBuild, PlatformOptions } from "./platform.ts";

/**
 * A build by GitLab CI. Its builder is the pipeline's definition, which is what a certificate
 * names: `https://host/group/project//.gitlab-ci.yml@refs/heads/main`.
 *
 * Source: GitLab docs, "Predefined CI/CD variables reference" and "ID tokens"; sigstore/fulcio,
 * config/identity/config.yaml, "gitlab-pipeline".
 */
export function gitlabBuild(facts: FactReader, options: PlatformOptions): PlatformBuild {
  const server = facts.need("server", [
    ["the token's issuer", facts.issuer],
    facts.variable("CI_SERVER_URL"),
  ], webPage);
  const project = facts.need("project_path", [
    facts.claim("project_path"),
    facts.variable("CI_PROJECT_PATH"),
  ], repositoryPath);
  const source = sourceOf(facts, {
    repository: [
      ["the platform", server !== "" && project !== "" ? `${server}/${project}` : null],
      facts.variable("CI_PROJECT_URL"),
    ],
    ref: [
      ...claimedRefs(facts),
      ...refsOf(facts.variable("CI_COMMIT_TAG"), facts.variable("CI_COMMIT_REF_NAME")),
    ],
    commit: [facts.claim("sha"), facts.variable("CI_COMMIT_SHA")],
  }, options.source);
  const definition = facts.find("ci_config_ref_uri", [facts.claim("ci_config_ref_uri")]);
  const [repository, path, ref] = splitDefinition(definition);
  const config = facts.need("path", [
    ["the token's ci_config_ref_uri", path],
    facts.variable("CI_CONFIG_PATH"),
    ["the given path", options.source?.path],
  ], repositoryPath);
  if (repository !== undefined && source.repository !== "" && repository !== source.repository) {
    throw conflict("ci_config_ref_uri", "the pipeline is defined by another project");
  }
  const jobId = facts.need("job_id", [facts.claim("job_id"), facts.variable("CI_JOB_ID")], decimal);
  const internal = {
    pipeline_source: facts.need("pipeline_source", [
      facts.claim("pipeline_source"),
      facts.variable("CI_PIPELINE_SOURCE"),
    ], word),
    project_id: facts.need("project_id", [
      facts.claim("project_id"),
      facts.variable("CI_PROJECT_ID"),
    ], decimal),
    namespace_id: facts.find("namespace_id", [
      facts.claim("namespace_id"),
      facts.variable("CI_PROJECT_NAMESPACE_ID"),
    ], decimal),
    pipeline_id: facts.need("pipeline_id", [
      facts.claim("pipeline_id"),
      facts.variable("CI_PIPELINE_ID"),
    ], decimal),
    job_id: jobId,
    // With the values of the matrix, as in `build: [linux, amd64]`.
    job: facts.find("job", [facts.variable("CI_JOB_NAME")]),
    runner_id: facts.find("runner_id", [
      facts.claim("runner_id"),
      facts.variable("CI_RUNNER_ID"),
    ], decimal),
    runner_environment: facts.find("runner_environment", [
      facts.claim("runner_environment"),
    ], word),
    node_index: facts.find("node_index", [facts.variable("CI_NODE_INDEX")], decimal),
    node_total: facts.find("node_total", [facts.variable("CI_NODE_TOTAL")], decimal),
  };
  const build: PlatformBuild = {
    buildType: OWN_BUILD_TYPES.gitlab,
    builderId: `${source.repository}//${config}@${ref ?? source.ref}`,
    isBuilderCertain: definition !== undefined,
    source,
    workflow: { ref: source.ref, repository: source.repository, path: config },
    internal: ["gitlab", internal],
    invocationId: `${source.repository}/-/jobs/${jobId}`,
  };
  const startedOn = startOf(facts.variable("CI_JOB_STARTED_AT"));
  if (startedOn !== undefined) build.startedOn = startedOn;
  return build;
}

function claimedRefs(facts: FactReader): Told[] {
  const [where, name] = facts.claim("ref");
  const isTag = facts.claim("ref_type")[1] === "tag";
  return refsOf([where, isTag ? name : undefined], [where, name]);
}

type Definition = readonly [repository?: string, path?: string, ref?: string];

/** Takes `host/group/project//path@ref` apart. */
function splitDefinition(text: string | undefined): Definition {
  if (text === undefined) return [];
  const match = /^([^@]+?)\/\/([^@]+)@(.+)$/.exec(text);
  const repository = match === null ? undefined : repositoryUrl(match[1]);
  if (match === null || repository === undefined) {
    throw malformed("the token's ci_config_ref_uri", "path", "it is no file of a project at a ref");
  }
  const ref = gitRef(match[3]) ?? gitCommit(match[3]);
  if (ref === undefined) {
    throw malformed("the token's ci_config_ref_uri", "ref", "it names no ref");
  }
  return [repository, match[2], ref];
}

/** Address of an instance, which may be in a folder. */
const webPage: Spelling = (text) => {
  if (!URL.canParse(text)) return undefined;
  const { protocol, username, search, hash, origin, pathname } = new URL(text);
  if (protocol !== "https:" && protocol !== "http:") return undefined;
  if (username !== "" || search !== "" || hash !== "") return undefined;
  return origin + pathname.replace(/\/+$/, "");
};

function startOf([where, text]: Told): Date | undefined {
  if (text === undefined) return undefined;
  const time = parseTimestamp(text);
  if (time === undefined) throw malformed(where, "startedOn", "it is no time in UTC");
  return time;
}
