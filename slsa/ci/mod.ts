/**
 * SLSA provenance from what a build's platform tells: its environment, its event and its
 * identity token. Source, commit, workflow and time are in it, or it is refused.
 *
 * @module
 */

export { type CiProvenanceOptions, createCiProvenance } from "./create.ts";
export { BUILD_PLATFORMS, type BuildPlatform, detectBuildPlatform } from "./detect.ts";
export type { SourceFacts } from "./git.ts";
export { type SigningPossibility, signingPossible } from "./signing_possible.ts";
