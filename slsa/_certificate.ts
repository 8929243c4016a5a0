import type { CertificateIdentity, ClaimName } from "../sigstore/identity.ts";
import { type GithubFacts, isGithubIssuer, repositoryOf } from "./_github.ts";
import type { Provenance } from "./provenance.ts";
import { canonicalRepository } from "./source.ts";

/** A value that both the certificate and the provenance state, differently. */
export interface Contradiction {
  /** What the certificate calls it. */
  claim: ClaimName;
  /** What the certificate says. */
  certificate: string;
  /** What the provenance says. */
  provenance: string;
}

/** What was compared. */
export interface CrossCheck {
  /** Claims that both state. */
  compared: ClaimName[];
  /** Those of them that differ. */
  contradictions: Contradiction[];
}

/** Source as a verified certificate states it. */
export interface CertifiedSource {
  /** Repository, canonical; as it is stated where it is no address of one. */
  uri?: string;
  /** Git ref. */
  ref?: string;
  /** Commit, lowercase hex. */
  commit?: string;
}

/** Reads the source from a certificate, older claims of GitHub included. */
export function certifiedSource(identity: CertificateIdentity): CertifiedSource {
  const repository = identity.sourceRepositoryURI ??
    (isGithubIssuer(identity.issuer) && identity.githubWorkflowRepository !== undefined
      ? `https://github.com/${identity.githubWorkflowRepository}`
      : undefined);
  const source: CertifiedSource = {};
  if (repository !== undefined) source.uri = canonicalRepository(repository) ?? repository;
  const ref = identity.sourceRepositoryRef ?? identity.githubWorkflowRef;
  if (ref !== undefined) source.ref = ref;
  const commit = identity.sourceRepositoryDigest ?? identity.githubWorkflowSHA;
  if (commit !== undefined) source.commit = commit.toLowerCase();
  return source;
}

/**
 * Compares every value that both a certificate and the provenance state.
 *
 * @param isSelf The builder is the workflow that signed, not one that it speaks for.
 */
export function crossCheck(
  provenance: Provenance,
  facts: GithubFacts,
  identity: CertificateIdentity,
  isSelf: boolean,
): CrossCheck {
  const result: CrossCheck = { compared: [], contradictions: [] };
  const compare = (
    claim: ClaimName,
    certificate: string | undefined,
    stated: string | undefined,
  ) => {
    if (certificate === undefined || stated === undefined) return;
    if (!result.compared.includes(claim)) result.compared.push(claim);
    if (certificate === stated) return;
    result.contradictions.push({ claim, certificate, provenance: stated });
  };
  const certified = certifiedSource(identity);
  const source = provenance.source;
  compare("sourceRepositoryURI", certified.uri, source?.uri);
  compare("sourceRepositoryRef", certified.ref, source?.ref);
  compare("sourceRepositoryDigest", certified.commit, source?.commit);
  compare("sourceRepositoryURI", certified.uri, repositoryOf(facts, identity));
  compare("sourceRepositoryRef", certified.ref, facts.ref);
  compare("sourceRepositoryDigest", certified.commit, facts.commit?.toLowerCase());
  compare("sourceRepositoryIdentifier", identity.sourceRepositoryIdentifier, facts.repositoryId);
  compare(
    "sourceRepositoryOwnerIdentifier",
    identity.sourceRepositoryOwnerIdentifier,
    facts.ownerId,
  );
  compare("runnerEnvironment", identity.runnerEnvironment, facts.runnerEnvironment);
  compare("buildTrigger", identity.buildTrigger ?? identity.githubWorkflowTrigger, facts.eventName);
  compare("buildConfigURI", configPath(identity), entryPath(provenance));
  compare("runInvocationURI", runOf(identity.runInvocationURI), runOf(provenance.invocationId));
  if (isSelf) compare("buildSignerURI", identity.buildSignerURI, provenance.builderId);
  const runner = /^https:\/\/github\.com\/actions\/runner\/(github-hosted|self-hosted)$/
    .exec(provenance.builderId);
  compare("runnerEnvironment", identity.runnerEnvironment, runner?.[1]);
  return result;
}

/** Path of the top-level workflow in its repository, if the certificate names it so. */
function configPath({ buildConfigURI, sourceRepositoryURI }: CertificateIdentity):
  | string
  | undefined {
  if (buildConfigURI === undefined || sourceRepositoryURI === undefined) return undefined;
  const start = `${sourceRepositoryURI}/`;
  if (!buildConfigURI.startsWith(start)) return undefined;
  const [path] = buildConfigURI.slice(start.length).split("@", 1);
  return path;
}

/** The file that the provenance names as its workflow; a display name is none. */
function entryPath({ source }: Provenance): string | undefined {
  return source?.entryPoint?.startsWith(".github/workflows/") ? source.entryPoint : undefined;
}

/** Number and attempt of a run, of `…/runs/1/attempts/2` or `1-2`. */
function runOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const match = /^(?:https:\/\/[^?#]+\/runs\/(\d+)\/attempts\/(\d+)|(\d+)-(\d+))$/.exec(text);
  return match === null ? undefined : `${match[1] ?? match[3]}-${match[2] ?? match[4]}`;
}
