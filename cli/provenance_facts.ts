import { isAttestationError } from "../errors.ts";
import type { Statement } from "../intoto/statement.ts";
import type { Origin } from "../report.ts";
import type { CertificateIdentity } from "../sigstore/identity.ts";
import { parseProvenance, type Provenance, PROVENANCE_TYPES } from "../slsa/provenance.ts";
import { canonicalRepository } from "../slsa/source.ts";

/** One thing that provenance or its certificate says. */
export interface Fact {
  /** What it is called here. */
  name: FactName;
  /** What is said. */
  value: string;
  /** Who says it: the signer in the provenance, the authority in the certificate, or both. */
  origins: Origin[];
}

/** Names of facts, in the order in which they are shown. */
export type FactName =
  | "builder"
  | "build type"
  | "source"
  | "ref"
  | "commit"
  | "workflow"
  | "run"
  | "started"
  | "finished";

/** Provenance of a Statement, or undefined if it is something else or malformed. */
export function readProvenance(statement: Statement): Provenance | undefined {
  if (!PROVENANCE_TYPES.includes(statement.predicateType)) return undefined;
  try {
    return parseProvenance(statement);
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    return undefined;
  }
}

/**
 * What provenance says, each with who says it. Where the certificate and the provenance
 * differ, there are two facts of one name.
 */
export function provenanceFacts(
  provenance: Provenance,
  identity: CertificateIdentity | undefined,
): Fact[] {
  const facts: Fact[] = [];
  const add = (name: FactName, signed: string | undefined, certificate?: string) => {
    if (signed !== undefined && signed === certificate) {
      facts.push({ name, value: signed, origins: ["certificate", "signed"] });
      return;
    }
    if (certificate !== undefined) {
      facts.push({ name, value: certificate, origins: ["certificate"] });
    }
    if (signed !== undefined) facts.push({ name, value: signed, origins: ["signed"] });
  };
  const { source } = provenance;
  const repository = identity?.sourceRepositoryURI ?? olderRepository(identity);
  add("builder", provenance.builderId);
  add("build type", provenance.buildType);
  add("source", source?.uri, repository && (canonicalRepository(repository) ?? repository));
  add("ref", source?.ref, identity?.sourceRepositoryRef ?? identity?.githubWorkflowRef);
  add(
    "commit",
    source?.commit,
    (identity?.sourceRepositoryDigest ?? identity?.githubWorkflowSHA)?.toLowerCase(),
  );
  add("workflow", source?.entryPoint);
  add("run", provenance.invocationId, identity?.runInvocationURI);
  add("started", provenance.startedOn?.toISOString());
  add("finished", provenance.finishedOn?.toISOString());
  return facts;
}

/** Certificates of Fulcio's first years name a repository of GitHub without its host. */
function olderRepository(identity: CertificateIdentity | undefined): string | undefined {
  const name = identity?.githubWorkflowRepository;
  return name === undefined ? undefined : `https://github.com/${name}`;
}
