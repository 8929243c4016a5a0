import { AttestationError } from "../../errors.ts";
import { type Environment, isGoogleCloudBuild } from "../../sigstore/oidc/ambient.ts";
import { conflict } from "./facts.ts";

/** Where a build runs. */
export type BuildPlatform =
  | "github"
  | "gitlab"
  | "google-cloud-build"
  | "buildkite"
  | "circleci"
  | "local";

interface Mark {
  platform: BuildPlatform;
  /** What is looked for, for people. */
  sign: string;
  is: (environment: Environment) => boolean;
}

const MARKS: readonly Mark[] = [
  {
    platform: "github",
    sign: "GITHUB_ACTIONS=true",
    // Forges that run the same workflows have the same variables, and another builder.
    is: ({ GITHUB_ACTIONS, GITEA_ACTIONS, FORGEJO_ACTIONS }) =>
      GITHUB_ACTIONS === "true" && GITEA_ACTIONS !== "true" && FORGEJO_ACTIONS !== "true",
  },
  {
    platform: "gitlab",
    sign: "GITLAB_CI=true",
    is: ({ GITLAB_CI }) => GITLAB_CI === "true",
  },
  {
    platform: "google-cloud-build",
    sign: "PROJECT_ID and BUILD_ID (automapSubstitutions)",
    is: isGoogleCloudBuild,
  },
  {
    platform: "buildkite",
    sign: "BUILDKITE=true",
    is: ({ BUILDKITE }) => BUILDKITE === "true",
  },
  {
    platform: "circleci",
    sign: "CIRCLECI=true",
    is: ({ CIRCLECI }) => CIRCLECI === "true",
  },
];

/** Every {@linkcode BuildPlatform}. */
export const BUILD_PLATFORMS: readonly BuildPlatform[] = [
  ...MARKS.map(({ platform }) => platform),
  "local",
];

/**
 * Finds the platform that a build runs on by the variables of its environment. A build on
 * somebody's machine is never taken for granted: that is said by `platform: "local"`.
 *
 * @throws {AttestationError} `unknown-build-environment`, with all that was looked for, or
 * `conflicting-build-fact` if several platforms show.
 *
 * @example
 * ```ts
 * import { detectBuildPlatform } from "@x/attest/slsa/ci";
 * import assert from "node:assert/strict";
 *
 * assert.equal(detectBuildPlatform({ CI: "true", GITLAB_CI: "true" }), "gitlab");
 * ```
 */
export function detectBuildPlatform(environment: Environment): BuildPlatform {
  const found = MARKS.filter(({ is }) => is(environment));
  if (found.length > 1) {
    throw conflict("platform", `it shows ${found.map(({ sign }) => sign).join(" and ")}`);
  }
  if (found.length === 1) return found[0].platform;
  throw new AttestationError(
    "unknown-build-environment",
    "Cannot create provenance: nothing shows where this build runs; looked for " +
      MARKS.map(({ sign }) => sign).join(", "),
  );
}
