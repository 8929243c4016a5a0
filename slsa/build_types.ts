/**
 * Build type of GitHub's own attestations of workflows.
 *
 * Source: actions/toolkit, packages/attest.
 */
export const GITHUB_BUILD_TYPE = "https://actions.github.io/buildtypes/workflow/v1";

const NAMES = "https://x-attest.example";

/**
 * Build types of this project, each described in `docs/buildtypes.md`. Their parameters are
 * `workflow: { repository, ref, path }` too. The names lead nowhere: `.example` belongs to
 * nobody and never will (RFC 2606), so nobody can put another meaning there.
 */
export const OWN_BUILD_TYPES = {
  gitlab: `${NAMES}/buildtypes/gitlab-ci/v1`,
  googleCloudBuild: `${NAMES}/buildtypes/google-cloud-build/v1`,
  buildkite: `${NAMES}/buildtypes/buildkite/v1`,
  circleci: `${NAMES}/buildtypes/circleci/v1`,
  local: `${NAMES}/buildtypes/local/v1`,
} as const;

/** Builder of a local build that nobody named: whoever had the machine. */
export const LOCAL_BUILDER: string = `${NAMES}/builders/local/v1`;
