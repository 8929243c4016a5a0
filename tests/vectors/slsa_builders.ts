import { GITHUB_ISSUER } from "../../sigstore/identity.ts";
import { type BuilderRule, type BuilderTrust, KNOWN_BUILDERS } from "../../slsa/mod.ts";

const GENERATOR = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/";

/**
 * The origin runs its tables in its testing mode: builders of slsa-github-generator are
 * believed at their branch `main` too, for the repository of its end-to-end tests alone.
 */
function atMain(file: string): BuilderRule {
  const isDelegator = file.startsWith("delegator");
  return {
    signer: {
      certificate: {
        issuer: GITHUB_ISSUER,
        subjectAlternativeName: `${GENERATOR}${file}@refs/heads/main`,
        githubWorkflowRepository: "slsa-framework/example-package",
      },
    },
    builderId: isDelegator ? "*" : "{signer}",
    ...(isDelegator ? { mustBeNamed: true } : {}),
    maxBuildLevel: 3,
  };
}

/** Roots of trust of the cases of slsa-verifier. */
export const ORIGIN_BUILDERS: BuilderTrust = {
  builders: [
    ...KNOWN_BUILDERS.builders,
    atMain("builder_go_slsa3.yml"),
    atMain("generator_generic_slsa3.yml"),
    atMain("delegator_generic_slsa3.yml"),
  ],
};
