import { LOCAL_BUILDER, OWN_BUILD_TYPES } from "../build_types.ts";
import { conflict, type FactReader } from "./facts.ts";
import { gitCommit, gitRef, repositoryPath, repositoryUrl } from "./git.ts";
import type { PlatformBuild, PlatformOptions } from "./platform.ts";

/**
 * A build on somebody's machine. All that is known of it is what that somebody says: it
 * shows no more than Build level 1, whoever signs.
 */
export function localBuild(facts: FactReader, options: PlatformOptions): PlatformBuild {
  const { source: given = {}, allowDirty = false, invocationId } = options;
  const repository = facts.need("repository", [
    ["the given repository", given.repository],
  ], repositoryUrl);
  const commit = facts.need("commit", [["the given commit", given.commit]], gitCommit);
  const path = facts.need("path", [["the given path", given.path]], repositoryPath);
  const ref = facts.find("ref", [["the given ref", given.ref]], gitRef);
  if (given.dirty === true && !allowDirty) {
    throw conflict("commit", "the working copy differs from its commit");
  }
  return {
    buildType: OWN_BUILD_TYPES.local,
    builderId: LOCAL_BUILDER,
    isBuilderCertain: false,
    source: { repository, commit, ...(ref === undefined ? {} : { ref }) },
    workflow: { ...(ref === undefined ? {} : { ref }), repository, path },
    // Among the external ones, so that whoever compares them all does not overlook it.
    ...(given.dirty === true ? { parameters: { dirty: true } } : {}),
    internal: ["local", {}],
    ...(invocationId === undefined ? {} : { invocationId }),
  };
}
