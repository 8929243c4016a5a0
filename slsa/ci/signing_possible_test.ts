import { ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { Environment } from "../../sigstore/oidc/ambient.ts";
import { BUILDKITE, CIRCLECI, CLOUD_BUILD, GITHUB, GITLAB } from "./_environments_test.ts";
import { signingPossible } from "./signing_possible.ts";

const REQUEST = { ...GITHUB, GITHUB_EVENT_NAME: "pull_request" };
const MERGE = { ...GITLAB, CI_PIPELINE_SOURCE: "merge_request_event" };
const PULL = { ...BUILDKITE, BUILDKITE_PULL_REQUEST: "12" };
const FORK = { ...CIRCLECI, CIRCLE_PR_NUMBER: "12" };

describe("signingPossible()", () => {
  it("is not in a build of a request without a token, and says why", () => {
    const external = { ...GITLAB, CI_PIPELINE_SOURCE: "external_pull_request_event" };
    const review = { ...GITHUB, GITHUB_EVENT_NAME: "pull_request_review" };
    const link = { ...CIRCLECI, CIRCLE_PULL_REQUEST: "https://github.com/acme/app/pull/12" };
    for (const environment of [REQUEST, review, MERGE, external, PULL, FORK, link]) {
      const answer = signingPossible(environment);
      ok(!answer.possible && /request/.test(answer.why) && !answer.why.endsWith("."));
    }
  });

  it("is where a token was granted", () => {
    const granted: Environment[] = [
      { ...REQUEST, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "x" },
      { ...PULL, BUILDKITE_AGENT_ACCESS_TOKEN: "x" },
      { ...FORK, CIRCLE_OIDC_TOKEN: "x" },
      ...[REQUEST, MERGE, PULL, FORK].map((one) => ({ ...one, SIGSTORE_ID_TOKEN: "x" })),
    ];
    for (const environment of granted) ok(signingPossible(environment).possible);
  });

  it("is everywhere else: what fails there is a failure", () => {
    const builds: Environment[] = [
      {},
      GITHUB,
      GITLAB,
      CLOUD_BUILD,
      BUILDKITE,
      CIRCLECI,
      { ...GITHUB, GITHUB_EVENT_NAME: "pull_request_target" },
      { ...GITHUB, GITHUB_EVENT_NAME: "issue_comment" },
      { GITHUB_EVENT_NAME: "pull_request" },
      { CI_PIPELINE_SOURCE: "merge_request_event" },
      { BUILDKITE_PULL_REQUEST: "12" },
      { CIRCLE_PR_NUMBER: "12" },
      { ...GITHUB, CIRCLE_PULL_REQUEST: "https://github.com/acme/app/pull/12" },
      { ...BUILDKITE, BUILDKITE_PULL_REQUEST: "" },
      { ...CIRCLECI, CIRCLE_PR_NUMBER: "" },
      { ...GITHUB, BUILDKITE_PULL_REQUEST: "12" },
    ];
    for (const environment of builds) equal(signingPossible(environment).possible, true);
  });
});
