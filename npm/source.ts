import type { CertificateIdentity } from "../sigstore/identity.ts";
import { canonicalRepository } from "../slsa/source.ts";

/** What was built, as the verified certificate of the provenance says. */
export interface NpmSource {
  /** Repository, such as `https://github.com/owner/name`. */
  repository?: string;
  /** Number of the repository; survives a change of its name. */
  repositoryId?: string;
  /** Number of the owner. */
  ownerId?: string;
  /** Git ref that was built. */
  ref?: string;
  /** Commit that was built. */
  commit?: string;
  /** File of the workflow that was started, such as `.github/workflows/release.yml`. */
  workflow?: string;
}

/** What a certificate says about the source; certificates of 2022 have the older claims only. */
export function sourceOf(identity: CertificateIdentity): NpmSource {
  const { githubWorkflowRepository: legacy } = identity;
  const repository = identity.sourceRepositoryURI ??
    (legacy === undefined ? undefined : `https://github.com/${legacy}`);
  const source: NpmSource = {};
  const set = (name: keyof NpmSource, value: string | undefined) => {
    if (value !== undefined) source[name] = value;
  };
  set("repository", repository);
  set("repositoryId", identity.sourceRepositoryIdentifier);
  set("ownerId", identity.sourceRepositoryOwnerIdentifier);
  set("ref", identity.sourceRepositoryRef ?? identity.githubWorkflowRef);
  set("commit", identity.sourceRepositoryDigest ?? identity.githubWorkflowSHA);
  // Without the claim of the top-level workflow the signer's own name is the only one.
  const config = identity.buildConfigURI ?? identity.subjectAlternativeName;
  set("workflow", workflowPath(config, repository));
  return source;
}

/** The path in `https://host/owner/name/path@ref`, if it is in that repository. */
function workflowPath(uri: string, repository: string | undefined): string | undefined {
  if (repository === undefined || !uri.startsWith(`${repository}/`)) return undefined;
  const path = uri.slice(repository.length + 1).replace(/^\/+/, "");
  const at = path.indexOf("@");
  return at > 0 ? path.slice(0, at) : undefined;
}

/** Whether two addresses are of one repository. */
export function isSameRepository(a: string, b: string): boolean {
  return (canonicalRepository(a) ?? a) === (canonicalRepository(b) ?? b);
}
