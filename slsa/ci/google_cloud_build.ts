import { OWN_BUILD_TYPES } from "../build_types.ts";
import { conflict, type FactReader } from "./facts.ts";
import { ownerAndName, refsOf, repositoryPath, sourceOf, word } from "./git.ts";
import type { PlatformBuild, PlatformOptions } from "./platform.ts";

const ISSUER = "https://accounts.google.com";
const API = "https://cloudbuild.googleapis.com/v1";

/**
 * A build by Google Cloud Build, as its own step tells it: the variables are those of
 * `automapSubstitutions`. Its builder is the project, never Google's own, for whom only
 * Google signs.
 *
 * Source: Google Cloud docs, "Substituting variable values" and "Get an ID token from the
 * metadata server".
 */
export function googleCloudBuild(facts: FactReader, options: PlatformOptions): PlatformBuild {
  if (facts.issuer !== undefined && facts.issuer !== ISSUER) {
    throw conflict("issuer", "the token is not of a service account of Google Cloud");
  }
  const project = facts.need("project_id", [facts.variable("PROJECT_ID")], projectId);
  const location = facts.need("location", [facts.variable("LOCATION")], word);
  const build = facts.need("build_id", [facts.variable("BUILD_ID")], word);
  const source = sourceOf(facts, {
    repository: [],
    ref: refsOf(facts.variable("TAG_NAME"), facts.variable("BRANCH_NAME")),
    commit: [facts.variable("COMMIT_SHA"), facts.variable("REVISION_ID")],
  }, options.source);
  const name = facts.find("repository", [facts.variable("REPO_FULL_NAME")], ownerAndName);
  if (name !== undefined && source.repository !== "" && !source.repository.endsWith(`/${name}`)) {
    throw conflict("repository", "REPO_FULL_NAME is another one than the given repository");
  }
  const trigger = facts.find("trigger", [facts.variable("TRIGGER_NAME")]);
  const path = facts.find("path", [
    facts.variable("TRIGGER_BUILD_CONFIG_PATH"),
    ["the given path", options.source?.path],
  ], repositoryPath);
  facts.need("workflow", [
    ["TRIGGER_BUILD_CONFIG_PATH", path],
    ["TRIGGER_NAME", path === undefined ? trigger : undefined],
  ]);
  const account = facts.find("service_account", [
    facts.claim("email"),
    facts.variable("SERVICE_ACCOUNT_EMAIL"),
  ]);
  return {
    buildType: OWN_BUILD_TYPES.googleCloudBuild,
    builderId: `${API}/projects/${project}/locations/${location}`,
    isBuilderCertain: false,
    source,
    workflow: {
      ref: source.ref,
      repository: source.repository,
      ...(path === undefined ? {} : { path }),
      ...(trigger === undefined ? {} : { trigger }),
    },
    internal: ["cloud_build", {
      project_number: facts.find("project_number", [facts.variable("PROJECT_NUMBER")], word),
      build_id: build,
      service_account: account,
    }],
    invocationId: `${API}/projects/${project}/locations/${location}/builds/${build}`,
  };
}

/** A project's id, which may be within a domain. */
function projectId(text: string): string | undefined {
  return /^(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(text) ? text : undefined;
}
