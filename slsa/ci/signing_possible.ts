import type { Environment } from "../../sigstore/oidc/ambient.ts";

/** Whether the platform of a build gives it what keyless signing needs. */
export type SigningPossibility = {
  /** Nothing speaks against it, which is no promise: services may fail. */
  possible: true;
} | {
  /** This build is not meant to sign. */
  possible: false;
  /** For people: one line, no final period. */
  why: string;
};

interface Withheld {
  /** A build of a proposed change on this platform. */
  isRequest: (environment: Environment) => boolean;
  /** Variables of which one gives the job a token. */
  grants: readonly string[];
  why: string;
}

const isSet = (value: string | undefined): boolean => value !== undefined && value !== "";

const PLATFORMS: readonly Withheld[] = [
  {
    isRequest: ({ GITHUB_ACTIONS, GITHUB_EVENT_NAME }) =>
      GITHUB_ACTIONS === "true" && /^pull_request(?:_review(?:_comment)?)?$/.test(
        GITHUB_EVENT_NAME ?? "",
      ),
    grants: ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
    why: "GitHub Actions gives this build of a pull request no identity token",
  },
  {
    isRequest: ({ GITLAB_CI, CI_PIPELINE_SOURCE }) =>
      GITLAB_CI === "true" &&
      /^(?:merge_request_event|external_pull_request_event)$/.test(CI_PIPELINE_SOURCE ?? ""),
    grants: [],
    why: "GitLab CI gives this build of a merge request no SIGSTORE_ID_TOKEN",
  },
  {
    isRequest: ({ BUILDKITE, BUILDKITE_PULL_REQUEST }) =>
      BUILDKITE === "true" && /^\d+$/.test(BUILDKITE_PULL_REQUEST ?? ""),
    grants: ["BUILDKITE_AGENT_ACCESS_TOKEN"],
    why: "Buildkite gives this build of a pull request no access to its agent",
  },
  {
    isRequest: ({ CIRCLECI, CIRCLE_PULL_REQUEST, CIRCLE_PR_NUMBER }) =>
      CIRCLECI === "true" && (isSet(CIRCLE_PULL_REQUEST) || isSet(CIRCLE_PR_NUMBER)),
    grants: ["CIRCLE_OIDC_TOKEN", "CIRCLE_OIDC_TOKEN_V2"],
    why: "CircleCI gives this build of a pull request no identity token",
  },
];

/**
 * Tells whether a build is one from which its platform withholds an identity on purpose: one
 * of a pull request without a token. Only then may signing be skipped; everything else that
 * fails is a failure. Nothing is asked; only variables are looked at.
 *
 * Source: GitHub docs, "Events that trigger workflows", "pull_request" (forks); CircleCI
 * docs, "OIDC in open source projects".
 *
 * @example A pull request from a fork
 * ```ts
 * import { signingPossible } from "@x/attest/slsa/ci";
 * import assert from "node:assert/strict";
 *
 * const fork = { GITHUB_ACTIONS: "true", GITHUB_EVENT_NAME: "pull_request" };
 * assert.ok(!signingPossible(fork).possible);
 * assert.ok(signingPossible({ ...fork, GITHUB_EVENT_NAME: "push" }).possible);
 * ```
 */
export function signingPossible(environment: Environment): SigningPossibility {
  if (isSet(environment.SIGSTORE_ID_TOKEN)) return { possible: true };
  const platform = PLATFORMS.find(({ isRequest }) => isRequest(environment));
  if (platform === undefined || platform.grants.some((name) => isSet(environment[name]))) {
    return { possible: true };
  }
  return { possible: false, why: platform.why };
}
