import { OWN_BUILD_TYPES } from "../build_types.ts";
import { conflict, type FactReader, type Told } from "./facts.ts";
import { decimal, refsOf, sourceOf, word } from "./git.ts";
import type { PlatformBuild, PlatformOptions } from "./platform.ts";

const ISSUER = /^https:\/\/oidc\.circleci\.com(?:\/org\/[0-9a-f-]{36})?$/;
const API = "https://circleci.com/api/v2";

/**
 * A build by CircleCI. Its builder is the pipeline's definition, which is what a certificate
 * names, or the project where there is no token to name the definition.
 *
 * Source: CircleCI docs, "Built-in environment variables" and "OpenID Connect tokens";
 * sigstore/fulcio, config/identity/config.yaml, "circleci-job".
 */
export function circleciBuild(facts: FactReader, options: PlatformOptions): PlatformBuild {
  if (facts.issuer !== undefined && !ISSUER.test(facts.issuer)) {
    throw conflict("issuer", "the token is not of a job of CircleCI");
  }
  const claim = (name: string): Told => facts.claim(`oidc.circleci.com/${name}`);
  const source = sourceOf(facts, {
    repository: [claim("vcs-origin"), facts.variable("CIRCLE_REPOSITORY_URL")],
    ref: [claim("vcs-ref"), ...variableRefs(facts)],
    commit: [facts.variable("CIRCLE_SHA1")],
  }, options.source);
  const project = facts.need("project_id", [
    claim("project-id"),
    facts.variable("CIRCLE_PROJECT_ID"),
  ], word);
  const definition = facts.find("pipeline_definition_id", [claim("pipeline-definition-id")], word);
  const builder = `${API}/projects/${project}` +
    (definition === undefined ? "" : `/pipeline-definitions/${definition}`);
  const job = facts.need("job_id", [
    claim("job-id"),
    facts.variable("CIRCLE_WORKFLOW_JOB_ID"),
  ], word);
  const workflowId = facts.need("workflow_id", [
    claim("workflow-id"),
    facts.variable("CIRCLE_WORKFLOW_ID"),
  ], word);
  const internal = {
    organization_id: facts.find("organization_id", [
      claim("org-id"),
      facts.variable("CIRCLE_ORGANIZATION_ID"),
    ], word),
    project_id: project,
    pipeline_id: facts.find("pipeline_id", [
      claim("pipeline-id"),
      facts.variable("CIRCLE_PIPELINE_ID"),
    ], word),
    workflow_id: workflowId,
    job_id: job,
    // Somebody could log in to this build.
    ssh_rerun: facts.find("ssh_rerun", [claim("ssh-rerun")], word),
    node_index: facts.find("node_index", [facts.variable("CIRCLE_NODE_INDEX")], decimal),
    node_total: facts.find("node_total", [facts.variable("CIRCLE_NODE_TOTAL")], decimal),
  };
  return {
    buildType: OWN_BUILD_TYPES.circleci,
    builderId: builder,
    isBuilderCertain: definition !== undefined,
    source,
    workflow: {
      ref: source.ref,
      repository: source.repository,
      pipeline: builder,
      job: facts.need("job", [facts.variable("CIRCLE_JOB")]),
    },
    internal: ["circleci", internal],
    invocationId: `https://app.circleci.com/workflow/${workflowId}/job/${job}`,
  };
}

function variableRefs(facts: FactReader): Told[] {
  const tag = facts.variable("CIRCLE_TAG");
  const branch = facts.variable("CIRCLE_BRANCH");
  // A request from a fork is no branch of the repository.
  return tag[1] === undefined && /^pull\/\d+$/.test(branch[1] ?? "")
    ? [[branch[0], `refs/${branch[1]}/head`]]
    : refsOf(tag, branch);
}
