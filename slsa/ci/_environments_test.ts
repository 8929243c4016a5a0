import type { Environment } from "../../sigstore/oidc/ambient.ts";
import type { IdentityToken } from "../../sigstore/oidc/token.ts";
import type { BuildPlatform } from "./detect.ts";

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
export const OTHER_COMMIT = "f".repeat(40);
export const FINISHED = new Date("2026-03-04T05:06:07Z");
export const SUBJECT = [{ name: "app.tgz", digest: { sha256: "a".repeat(64) } }];

/** Variables whose values must never get into provenance; some are the platforms' own. */
export const SECRETS: Environment = {
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: "hunter2-actions",
  ACTIONS_ID_TOKEN_REQUEST_URL: "https://hunter2.example/",
  ACTIONS_RUNTIME_TOKEN: "hunter2-runtime",
  GITHUB_TOKEN: "hunter2-github",
  CI_JOB_TOKEN: "hunter2-job",
  CI_REPOSITORY_URL: "https://gitlab-ci-token:hunter2@gitlab.example/acme/tools/app.git",
  BUILDKITE_AGENT_ACCESS_TOKEN: "hunter2-agent",
  CIRCLE_OIDC_TOKEN: "hunter2-oidc",
  SIGSTORE_ID_TOKEN: "hunter2-identity",
  COSIGN_PASSWORD: "hunter2-cosign",
  NPM_TOKEN: "hunter2-npm",
};

/** A token of a job with these claims. */
export function tokenOf(issuer: string, claims: Record<string, string | number>): IdentityToken {
  return {
    issuer,
    subject: "job",
    audience: ["sigstore"],
    expiresAt: FINISHED,
    claims: { iss: issuer, ...claims },
    token: "hunter2-token",
  };
}

export const GITHUB: Environment = {
  CI: "true",
  GITHUB_ACTIONS: "true",
  GITHUB_SERVER_URL: "https://github.com",
  GITHUB_REPOSITORY: "acme/app",
  GITHUB_REPOSITORY_ID: "700100200",
  GITHUB_REPOSITORY_OWNER_ID: "4242",
  GITHUB_EVENT_NAME: "push",
  GITHUB_EVENT_PATH: "/home/runner/work/_temp/_github_workflow/event.json",
  GITHUB_REF: "refs/tags/v1.2.3",
  GITHUB_SHA: COMMIT,
  GITHUB_WORKFLOW: "Release",
  GITHUB_WORKFLOW_REF: "acme/app/.github/workflows/release.yml@refs/tags/v1.2.3",
  GITHUB_WORKFLOW_SHA: COMMIT,
  GITHUB_RUN_ID: "9876543210",
  GITHUB_RUN_ATTEMPT: "2",
  GITHUB_JOB: "build",
  RUNNER_ENVIRONMENT: "github-hosted",
};
export const GITHUB_CLAIMS = {
  repository: "acme/app",
  repository_id: "700100200",
  repository_owner: "acme",
  repository_owner_id: "4242",
  event_name: "push",
  ref: "refs/tags/v1.2.3",
  sha: COMMIT,
  workflow_ref: "acme/app/.github/workflows/release.yml@refs/tags/v1.2.3",
  workflow_sha: COMMIT,
  job_workflow_ref: "acme/app/.github/workflows/release.yml@refs/tags/v1.2.3",
  job_workflow_sha: COMMIT,
  runner_environment: "github-hosted",
  run_id: "9876543210",
  run_attempt: "2",
  check_run_id: "55443322",
};
export const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";
export const GITHUB_EVENT = {
  ref: "refs/tags/v1.2.3",
  after: "e".repeat(40),
  head_commit: { id: COMMIT },
  repository: { id: 700100200, full_name: "acme/app" },
};

export const GITLAB: Environment = {
  CI: "true",
  GITLAB_CI: "true",
  CI_SERVER_URL: "https://gitlab.example",
  CI_PROJECT_PATH: "acme/tools/app",
  CI_PROJECT_URL: "https://gitlab.example/acme/tools/app",
  CI_PROJECT_ID: "31",
  CI_PROJECT_NAMESPACE_ID: "7",
  CI_COMMIT_SHA: COMMIT,
  CI_COMMIT_REF_NAME: "main",
  CI_COMMIT_BRANCH: "main",
  CI_CONFIG_PATH: ".gitlab-ci.yml",
  CI_PIPELINE_ID: "1001",
  CI_PIPELINE_SOURCE: "push",
  CI_JOB_ID: "2002",
  CI_JOB_NAME: "build: [linux, amd64]",
  CI_JOB_STARTED_AT: "2026-03-04T05:00:00Z",
  CI_RUNNER_ID: "12",
  CI_NODE_INDEX: "1",
  CI_NODE_TOTAL: "4",
};
export const GITLAB_CLAIMS = {
  project_path: "acme/tools/app",
  project_id: "31",
  namespace_id: "7",
  ref: "main",
  ref_type: "branch",
  sha: COMMIT,
  ci_config_ref_uri: "gitlab.example/acme/tools/app//.gitlab-ci.yml@refs/heads/main",
  ci_config_sha: COMMIT,
  pipeline_id: "1001",
  pipeline_source: "push",
  job_id: "2002",
  runner_id: 12,
  runner_environment: "self-hosted",
};

export const CLOUD_BUILD: Environment = {
  PROJECT_ID: "acme-builds",
  PROJECT_NUMBER: "123456789012",
  BUILD_ID: "1a2b3c4d-0000-4000-8000-123456789abc",
  LOCATION: "europe-west1",
  TRIGGER_NAME: "release",
  TRIGGER_BUILD_CONFIG_PATH: "ci/cloudbuild.yaml",
  COMMIT_SHA: COMMIT,
  REVISION_ID: COMMIT,
  REPO_NAME: "app",
  REPO_FULL_NAME: "acme/app",
  TAG_NAME: "v1.2.3",
  REF_NAME: "v1.2.3",
  SERVICE_ACCOUNT_EMAIL: "builder@acme-builds.iam.gserviceaccount.com",
};

export const BUILDKITE: Environment = {
  CI: "true",
  BUILDKITE: "true",
  BUILDKITE_ORGANIZATION_SLUG: "acme",
  BUILDKITE_ORGANIZATION_ID: "0190046e-0000-453b-a302-a21a4d649d31",
  BUILDKITE_PIPELINE_SLUG: "app-release",
  BUILDKITE_PIPELINE_ID: "0190046e-1111-453b-a302-a21a4d649d31",
  BUILDKITE_BUILD_NUMBER: "514",
  BUILDKITE_JOB_ID: "0190046e-e199-453b-a302-a21a4d649d31",
  BUILDKITE_AGENT_ID: "0190046e-2222-453b-a302-a21a4d649d31",
  BUILDKITE_STEP_KEY: "package",
  BUILDKITE_REPO: "git@github.com:acme/app.git",
  BUILDKITE_COMMIT: COMMIT,
  BUILDKITE_BRANCH: "main",
  BUILDKITE_TAG: "",
  BUILDKITE_PULL_REQUEST: "false",
  BUILDKITE_SOURCE: "webhook",
  BUILDKITE_PARALLEL_JOB: "0",
  BUILDKITE_PARALLEL_JOB_COUNT: "2",
};
export const BUILDKITE_CLAIMS = {
  organization_slug: "acme",
  organization_id: "0190046e-0000-453b-a302-a21a4d649d31",
  pipeline_slug: "app-release",
  pipeline_id: "0190046e-1111-453b-a302-a21a4d649d31",
  build_number: 514,
  build_branch: "main",
  build_commit: COMMIT,
  build_source: "webhook",
  step_key: "package",
  job_id: "0190046e-e199-453b-a302-a21a4d649d31",
  agent_id: "0190046e-2222-453b-a302-a21a4d649d31",
  runner_environment: "buildkite-hosted",
};

export const CIRCLECI: Environment = {
  CI: "true",
  CIRCLECI: "true",
  CIRCLE_BRANCH: "main",
  CIRCLE_JOB: "package",
  CIRCLE_NODE_INDEX: "0",
  CIRCLE_NODE_TOTAL: "1",
  CIRCLE_ORGANIZATION_ID: "11111111-0000-4000-8000-000000000001",
  CIRCLE_PIPELINE_ID: "22222222-0000-4000-8000-000000000002",
  CIRCLE_PROJECT_ID: "33333333-0000-4000-8000-000000000003",
  CIRCLE_WORKFLOW_ID: "44444444-0000-4000-8000-000000000004",
  CIRCLE_WORKFLOW_JOB_ID: "55555555-0000-4000-8000-000000000005",
  CIRCLE_REPOSITORY_URL: "git@github.com:acme/app.git",
  CIRCLE_SHA1: COMMIT,
};
export const CIRCLECI_CLAIMS = {
  "oidc.circleci.com/org-id": "11111111-0000-4000-8000-000000000001",
  "oidc.circleci.com/pipeline-id": "22222222-0000-4000-8000-000000000002",
  "oidc.circleci.com/pipeline-definition-id": "66666666-0000-4000-8000-000000000006",
  "oidc.circleci.com/project-id": "33333333-0000-4000-8000-000000000003",
  "oidc.circleci.com/workflow-id": "44444444-0000-4000-8000-000000000004",
  "oidc.circleci.com/job-id": "55555555-0000-4000-8000-000000000005",
  "oidc.circleci.com/ssh-rerun": "false",
  "oidc.circleci.com/vcs-origin": "github.com/acme/app",
  "oidc.circleci.com/vcs-ref": "refs/heads/main",
};
export const CIRCLECI_ISSUER = "https://oidc.circleci.com/org/11111111-0000-4000-8000-000000000001";

/** An environment of each platform, and the token of its job. */
export const PLATFORMS: Readonly<
  Record<Exclude<BuildPlatform, "local">, { environment: Environment; token?: IdentityToken }>
> = {
  github: { environment: GITHUB, token: tokenOf(GITHUB_ISSUER, GITHUB_CLAIMS) },
  gitlab: { environment: GITLAB, token: tokenOf("https://gitlab.example", GITLAB_CLAIMS) },
  "google-cloud-build": {
    environment: CLOUD_BUILD,
    token: tokenOf("https://accounts.google.com", {
      email: "builder@acme-builds.iam.gserviceaccount.com",
    }),
  },
  buildkite: {
    environment: BUILDKITE,
    token: tokenOf("https://agent.buildkite.com", BUILDKITE_CLAIMS),
  },
  circleci: { environment: CIRCLECI, token: tokenOf(CIRCLECI_ISSUER, CIRCLECI_CLAIMS) },
};
