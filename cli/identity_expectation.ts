import { AttestationError } from "../errors.ts";
import { printable } from "../internal/json.ts";
import {
  githubIdentity,
  type IdentityExpectation,
  type Matcher,
  missingExpectation,
} from "../sigstore/identity.ts";
import { type ParsedArgs, usageError } from "./args.ts";

/** Options that say whose certificate is accepted. */
const NAMING: readonly string[] = ["owner", "repo", "cert-identity", "cert-identity-regex"];

/** What to give instead of an option about a certificate where no certificate is named. */
const INSTEAD: Readonly<Record<string, string>> = {
  "signer-digest": "--builder-id",
  "source-ref": "--source-tag or --source-branch",
  "deny-self-hosted-runners": "--min-level 2",
  "cert-oidc-issuer": "--builder-id",
};

/**
 * Whose certificate is accepted; undefined when no option says it.
 *
 * @throws {AttestationError} `usage`.
 */
export function readIdentityExpectation(args: ParsedArgs): IdentityExpectation | undefined {
  const owner = args.get("owner");
  const repository = args.get("repo");
  for (const name of ["signer-repo", "signer-workflow"]) {
    if (args.has(name) && owner === undefined && repository === undefined) {
      throw usageError(`--${name} needs --repo or --owner: whose build it signed`);
    }
  }
  if (args.has("source-uri") && !NAMING.some((name) => args.has(name))) {
    for (const [name, instead] of Object.entries(INSTEAD)) {
      if (!args.has(name)) continue;
      throw usageError(
        `--${name} needs --repo, --owner or --cert-identity; with --source-uri give ${instead}`,
      );
    }
    return undefined;
  }
  try {
    const identity: IdentityExpectation = owner === undefined && repository === undefined
      ? {}
      : githubIdentity({
        owner,
        repository,
        signerRepository: args.get("signer-repo"),
        signerWorkflow: args.get("signer-workflow"),
      });
    const exact = args.get("cert-identity");
    const pattern = args.get("cert-identity-regex");
    if (exact !== undefined) identity.subjectAlternativeName = exact;
    if (pattern !== undefined) identity.subjectAlternativeName = { pattern };
    identity.issuer = args.get("cert-oidc-issuer") ?? identity.issuer;
    identity.buildSignerDigest = args.get("signer-digest");
    identity.sourceRepositoryRef = args.get("source-ref");
    identity.sourceRepositoryDigest = args.get("source-digest");
    if (args.has("deny-self-hosted-runners")) identity.runnerEnvironment = "github-hosted";
    const stated = Object.fromEntries(
      Object.entries(identity).filter(([, matcher]) => matcher !== undefined),
    );
    if (Object.keys(stated).length === 0) return undefined;
    missingExpectation(stated);
    return stated;
  } catch (cause) {
    if (cause instanceof TypeError) throw new AttestationError("usage", cause.message);
    throw cause;
  }
}

/** A matcher in words; a slash needs no escape where no slash ends the pattern. */
export function matcherInWords(matcher: Matcher): string {
  return typeof matcher === "string"
    ? printable(matcher)
    : `${printable(matcher.pattern.replaceAll("\\/", "/"))} (pattern for the whole)`;
}

const LABELS: Readonly<Record<string, string>> = {
  subjectAlternativeName: "signer",
  issuer: "issuer",
  sourceRepositoryURI: "source repository",
  sourceRepositoryOwnerURI: "source owner",
  sourceRepositoryRef: "source ref",
  sourceRepositoryDigest: "source commit",
  buildSignerDigest: "signer commit",
  runnerEnvironment: "runner",
};

/** Name of a claim for people. */
export function claimLabel(claim: string): string {
  return Object.hasOwn(LABELS, claim) ? LABELS[claim] : claim;
}
