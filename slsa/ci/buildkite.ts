import { OWN_BUILD_TYPES } from "../build_types.ts";
import { conflict, type FactReader, type Told } from "./facts.ts";
import { decimal, refsOf, sourceOf, word } from "./git.ts";
import type { PlatformBuild, PlatformOptions } from "./platform.ts";

const ISSUER = "https://agent.buildkite.com";
const SITE = "https://buildkite.com";

/**
 * A build by Buildkite. Its builder is the pipeline, which is what a certificate names:
 * `https://buildkite.com/organization/pipeline`.
 *
 * Source: Buildkite docs, "Environment variables" and "buildkite-agent oidc"; sigstore/fulcio,
 * config/identity/config.yaml, "buildkite-job".
 */
export function buildkiteBuild(facts: FactReader, options: PlatformOptions): PlatformBuild {
  if (facts.issuer !== undefined && facts.issuer !== ISSUER) {
    throw conflict("issuer", "the token is not of a job of Buildkite");
  }
  const organization = facts.need("organization_slug", [
    facts.claim("organization_slug"),
    facts.variable("BUILDKITE_ORGANIZATION_SLUG"),
  ], word);
  const pipeline = facts.need("pipeline_slug", [
    facts.claim("pipeline_slug"),
    facts.variable("BUILDKITE_PIPELINE_SLUG"),
  ], word);
  const source = sourceOf(facts, {
    repository: [facts.variable("BUILDKITE_REPO")],
    ref: [
      ...refs(facts.claim("build_tag"), facts.claim("build_branch"), facts),
      ...refs(facts.variable("BUILDKITE_TAG"), facts.variable("BUILDKITE_BRANCH"), facts),
    ],
    commit: [
      resolved(facts.claim("build_commit")),
      resolved(facts.variable("BUILDKITE_COMMIT")),
    ],
  }, options.source);
  const number = facts.need("build_number", [
    facts.claim("build_number"),
    facts.variable("BUILDKITE_BUILD_NUMBER"),
  ], decimal);
  const job = facts.need("job_id", [
    facts.claim("job_id"),
    facts.variable("BUILDKITE_JOB_ID"),
  ], word);
  const step = facts.find("step_key", [
    facts.claim("step_key"),
    facts.variable("BUILDKITE_STEP_KEY"),
  ]);
  const page = `${SITE}/${organization}/${pipeline}`;
  const internal = {
    source: facts.find("build_source", [
      facts.claim("build_source"),
      facts.variable("BUILDKITE_SOURCE"),
    ], word),
    organization_id: facts.find("organization_id", [
      facts.claim("organization_id"),
      facts.variable("BUILDKITE_ORGANIZATION_ID"),
    ], word),
    pipeline_id: facts.find("pipeline_id", [
      facts.claim("pipeline_id"),
      facts.variable("BUILDKITE_PIPELINE_ID"),
    ], word),
    job_id: job,
    agent_id: facts.find("agent_id", [
      facts.claim("agent_id"),
      facts.variable("BUILDKITE_AGENT_ID"),
    ], word),
    runner_environment: facts.find("runner_environment", [facts.claim("runner_environment")], word),
    parallel_job: facts.find("parallel_job", [facts.variable("BUILDKITE_PARALLEL_JOB")], decimal),
    parallel_job_count: facts.find("parallel_job_count", [
      facts.variable("BUILDKITE_PARALLEL_JOB_COUNT"),
    ], decimal),
  };
  return {
    buildType: OWN_BUILD_TYPES.buildkite,
    builderId: page,
    isBuilderCertain: facts.issuer !== undefined,
    source,
    workflow: {
      ref: source.ref,
      repository: source.repository,
      pipeline: page,
      ...(step === undefined ? {} : { step }),
    },
    internal: ["buildkite", internal],
    invocationId: `${page}/builds/${number}#${job}`,
  };
}

/** A build that nobody gave a commit is of whatever the branch was: `HEAD` tells nothing. */
function resolved([where, commit]: Told): Told {
  return [where, commit === "HEAD" ? undefined : commit];
}

function refs(tag: Told, branch: Told, facts: FactReader): Told[] {
  // A branch of a fork is `owner:branch`, which the repository knows by the request only.
  if (tag[1] === undefined && branch[1]?.includes(":")) {
    const [where, request] = facts.variable("BUILDKITE_PULL_REQUEST");
    if (request !== undefined && decimal(request) !== undefined) {
      return [[where, `refs/pull/${request}/head`]];
    }
  }
  return refsOf(tag, branch);
}
