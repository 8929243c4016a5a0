import { GITHUB_ISSUER } from "../sigstore/identity.ts";
import type { BuilderRule, BuilderTrust } from "./builder_trust.ts";

const GENERATOR = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/";
const RUNNER = "https://github.com/actions/runner";

/** A workflow of slsa-github-generator that is its own builder. */
function generator(file: string): BuilderRule {
  return {
    name: `slsa-github-generator ${file}`,
    signer: {
      certificate: {
        issuer: GITHUB_ISSUER,
        subjectAlternativeName: `${GENERATOR}${file}@refs/tags/v{release}`,
      },
    },
    builderId: "{signer}",
    maxBuildLevel: 3,
  };
}

/** A delegator of slsa-github-generator that signs for the builder that called it. */
function delegator(file: string, builder: string | undefined): BuilderRule {
  const rule: BuilderRule = {
    name: `slsa-github-generator ${file} for ${builder ?? "a builder that is named"}`,
    signer: {
      certificate: {
        issuer: GITHUB_ISSUER,
        subjectAlternativeName: `${GENERATOR}${file}@refs/tags/v{release}`,
      },
    },
    builderId: builder === undefined ? "*" : `${GENERATOR}${builder}@refs/tags/v{release}`,
    maxBuildLevel: 3,
  };
  if (builder === undefined) rule.mustBeNamed = true;
  return rule;
}

const LOW = "delegator_lowperms-generic_slsa3.yml";
const HOSTED = { issuer: GITHUB_ISSUER, runnerEnvironment: "github-hosted" };

/**
 * Roots of trust for the builders that are in common use on GitHub: those of
 * slsa-github-generator at its releases (level 3), builders that sign through its
 * delegators and workflows that attest by GitHub's own action if the caller names them,
 * workflows of the very repository that was built (level 2), and the npm CLI.
 *
 * A reusable workflow of another repository is believed up to level 3 at a tag, where it is
 * named. What runs on self-hosted runners is never believed above level 1.
 *
 * Anybody can run these builders: they say where the source came from, so expect a
 * `sourceUri` too. Keys of Google Cloud Build are added by
 * {@linkcode googleCloudBuildBuilders}.
 *
 * Source: slsa-github-generator, README.md; GitHub docs, "Using artifact attestations and
 * reusable workflows to achieve SLSA v1 Build Level 3"; npm docs, "Generating provenance
 * statements".
 *
 * @example One builder more
 * ```ts
 * import { type BuilderTrust, KNOWN_BUILDERS } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const builders: BuilderTrust = {
 *   builders: [...KNOWN_BUILDERS.builders, {
 *     signer: { keys: ["ci"] },
 *     builderId: "https://ci.example/builder",
 *     maxBuildLevel: 2,
 *   }],
 * };
 * assert.ok(builders.builders.length > 1);
 * ```
 */
export const KNOWN_BUILDERS: BuilderTrust = /* @__PURE__ */ knownBuilders();

/** A call that bundlers leave out where nobody needs the list: of a literal with calls they cannot tell. */
function knownBuilders(): BuilderTrust {
  return {
    builders: [
      generator("generator_generic_slsa3.yml"),
      generator("generator_container_slsa3.yml"),
      generator("builder_go_slsa3.yml"),
      generator("builder_container-based_slsa3.yml"),
      delegator(LOW, "builder_gradle_slsa3.yml"),
      delegator(LOW, "builder_maven_slsa3.yml"),
      delegator(LOW, "builder_nodejs_slsa3.yml"),
      delegator(LOW, "builder_bazel_slsa3.yml"),
      delegator(LOW, undefined),
      delegator("delegator_generic_slsa3.yml", undefined),
      {
        name: "GitHub: a workflow of the repository that was built",
        signer: { certificate: HOSTED },
        builderId: "{signer}",
        maxBuildLevel: 2,
        workflow: "own",
      },
      {
        name: "GitHub: a reusable workflow that is named, at a tag or commit",
        signer: { certificate: HOSTED },
        builderId: "{signer}",
        maxBuildLevel: 3,
        mustBeNamed: true,
        workflow: "reusable",
      },
      {
        name: "GitHub: any workflow that is named",
        signer: { certificate: HOSTED },
        builderId: "{signer}",
        maxBuildLevel: 2,
        mustBeNamed: true,
      },
      {
        name: "npm CLI on a runner of GitHub",
        signer: { certificate: HOSTED },
        builderId: `${RUNNER}/github-hosted`,
        maxBuildLevel: 2,
      },
      {
        name: "npm CLI on a runner of GitHub, before certificates named runners",
        signer: { certificate: { issuer: GITHUB_ISSUER } },
        builderId: `${RUNNER}/github-hosted`,
        maxBuildLevel: 1,
      },
      {
        name: "npm CLI on a self-hosted runner",
        signer: { certificate: { issuer: GITHUB_ISSUER } },
        builderId: `${RUNNER}/self-hosted`,
        maxBuildLevel: 1,
      },
      {
        name: "npm CLI before builders named runners",
        signer: { certificate: { issuer: GITHUB_ISSUER } },
        builderId: RUNNER,
        maxBuildLevel: 1,
      },
    ],
  };
}

const CLOUD_BUILD = "https://cloudbuild.googleapis.com/GoogleHostedWorker";

/**
 * Roots of trust for Google Cloud Build, whose keys the caller has: each may speak for the
 * hosted workers of every published version, up to level 3.
 *
 * Source: Google Cloud docs, "View build provenance"; SLSA 1.2, verifying-artifacts.md.
 *
 * @param keys Names or SHA-256 fingerprints of trusted keys, at least one.
 * @throws {TypeError} If there is no key.
 *
 * @example
 * ```ts
 * import { googleCloudBuildBuilders, KNOWN_BUILDERS } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const builders = [...KNOWN_BUILDERS.builders, ...googleCloudBuildBuilders(["gcb-global"])];
 * assert.equal(builders.at(-1)?.maxBuildLevel, 3);
 * ```
 */
export function googleCloudBuildBuilders(keys: readonly string[]): BuilderRule[] {
  if (keys.length === 0) throw new TypeError("Cannot trust Google Cloud Build: no key is given");
  return ["", "@v0.2", "@v0.3"].map((version) => ({
    name: "Google Cloud Build",
    signer: { keys: [...keys] },
    builderId: CLOUD_BUILD + version,
    maxBuildLevel: 3,
  }));
}
