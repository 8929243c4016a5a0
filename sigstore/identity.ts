import type { Reason } from "../errors.ts";
import { fullMatch } from "../internal/full_match.ts";
import { quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";

/** Kind of the name in a certificate's SubjectAlternativeName. */
export type SanType = "email" | "uri" | "otherName";

/**
 * What a verified Fulcio certificate says of its holder. Claims have the names that
 * sigstore-go gives them; extension numbers are `1.3.6.1.4.1.57264.1.N`.
 *
 * Source: sigstore/fulcio, docs/oid-info.md.
 */
export interface CertificateIdentity {
  /** Name of the holder: an e-mail address, or the URI of the workflow that ran. */
  subjectAlternativeName: string;
  /** Kind of that name. */
  sanType: SanType;
  /** OIDC issuer that vouched for the holder (8, else 1). */
  issuer: string;
  /** Event that triggered the workflow (2, deprecated). */
  githubWorkflowTrigger?: string;
  /** Commit of the workflow (3, deprecated). */
  githubWorkflowSHA?: string;
  /** Name of the workflow (4, deprecated). */
  githubWorkflowName?: string;
  /** Repository `owner/name` (5, deprecated). */
  githubWorkflowRepository?: string;
  /** Git ref of the workflow (6, deprecated). */
  githubWorkflowRef?: string;
  /** Workflow that built, with its ref: the called one of a reusable workflow (9). */
  buildSignerURI?: string;
  /** Commit of that workflow (10). */
  buildSignerDigest?: string;
  /** `github-hosted` or `self-hosted` (11). */
  runnerEnvironment?: string;
  /** Repository that was built (12). */
  sourceRepositoryURI?: string;
  /** Commit that was built (13). */
  sourceRepositoryDigest?: string;
  /** Git ref that was built (14). */
  sourceRepositoryRef?: string;
  /** Number of the repository; survives a transfer of its name (15). */
  sourceRepositoryIdentifier?: string;
  /** Owner of the repository (16). */
  sourceRepositoryOwnerURI?: string;
  /** Number of the owner (17). */
  sourceRepositoryOwnerIdentifier?: string;
  /** Top-level workflow, with its ref: the caller of a reusable one (18). */
  buildConfigURI?: string;
  /** Commit of the top-level workflow (19). */
  buildConfigDigest?: string;
  /** Event that triggered the build (20). */
  buildTrigger?: string;
  /** Address of the run (21). */
  runInvocationURI?: string;
  /** `public` or `private` when it was signed (22). */
  sourceRepositoryVisibilityAtSigning?: string;
  /** Deployment environment (23). */
  deploymentEnvironment?: string;
  /** Subject of the OIDC token (24). */
  tokenSubject?: string;
}

/** Name of one thing that a certificate says. */
export type ClaimName = keyof CertificateIdentity;

/**
 * How a claim is compared: equal to the text, or a regular expression that must match the
 * WHOLE claim. There is no search: `repo` never matches `repo-evil`.
 */
export type Matcher = string | {
  /**
   * ECMAScript regular expression with the flag `u`, anchored at both ends and matched in
   * linear time: without looking around, references back and `(?i:…)`; at most 2000 characters.
   */
  pattern: string;
};

/**
 * Whom an attestation must come from: every member that is present must match. `issuer` is
 * required, and at least one more that names the holder.
 */
export type IdentityExpectation = { [Name in ClaimName]?: Matcher };

/** Extension number under 1.3.6.1.4.1.57264.1 of each claim but SAN and issuer. */
export const CLAIM_EXTENSIONS: ReadonlyMap<number, ClaimName> = new Map<number, ClaimName>([
  [2, "githubWorkflowTrigger"],
  [3, "githubWorkflowSHA"],
  [4, "githubWorkflowName"],
  [5, "githubWorkflowRepository"],
  [6, "githubWorkflowRef"],
  [9, "buildSignerURI"],
  [10, "buildSignerDigest"],
  [11, "runnerEnvironment"],
  [12, "sourceRepositoryURI"],
  [13, "sourceRepositoryDigest"],
  [14, "sourceRepositoryRef"],
  [15, "sourceRepositoryIdentifier"],
  [16, "sourceRepositoryOwnerURI"],
  [17, "sourceRepositoryOwnerIdentifier"],
  [18, "buildConfigURI"],
  [19, "buildConfigDigest"],
  [20, "buildTrigger"],
  [21, "runInvocationURI"],
  [22, "sourceRepositoryVisibilityAtSigning"],
  [23, "deploymentEnvironment"],
  [24, "tokenSubject"],
]);

const CLAIMS: ReadonlySet<string> = new Set<ClaimName>([
  "subjectAlternativeName",
  "sanType",
  "issuer",
  ...CLAIM_EXTENSIONS.values(),
]);

/**
 * What an expectation asks for. Inherited members count, as those of a class with getters:
 * what one function sees and another does not would be an expectation that is not kept.
 */
function* matchers(expectation: IdentityExpectation): Iterable<[ClaimName, Matcher]> {
  for (const claim in expectation) {
    if (!CLAIMS.has(claim)) throw new TypeError(`Unknown identity claim ${quote(claim)}`);
  }
  for (const claim of CLAIMS as ReadonlySet<ClaimName>) {
    const matcher = expectation[claim];
    if (matcher !== undefined) yield [claim, matcher];
  }
}

/** Claims of which one at least says who the holder is. */
const NAMING: readonly ClaimName[] = [
  "subjectAlternativeName",
  "buildSignerURI",
  "buildConfigURI",
  "sourceRepositoryURI",
  "sourceRepositoryIdentifier",
  "sourceRepositoryOwnerURI",
  "sourceRepositoryOwnerIdentifier",
];

/** What a comparison with one expectation found. */
export interface IdentityFinding {
  /** The claim that was compared. */
  claim: ClaimName;
  /** Why it does not match; absent when it does. */
  reason?: Reason;
  /** What was wanted, for people. */
  expected: string;
  /** What the certificate says, or undefined. */
  actual: string | undefined;
}

/**
 * Checks that an expectation names whom it expects.
 *
 * @returns The reason why it does not, or undefined.
 * @throws {TypeError} If it has an unknown member or an empty or invalid matcher.
 */
export function missingExpectation(expectation: IdentityExpectation): Reason | undefined {
  if (typeof expectation !== "object" || expectation === null) {
    throw new TypeError("An expected identity is not an object");
  }
  for (const [, matcher] of matchers(expectation)) compile(matcher);
  if (NAMING.every((name) => expectation[name] === undefined)) {
    return "missing-identity-expectation";
  }
  return expectation.issuer === undefined ? "missing-issuer-expectation" : undefined;
}

/** Compares a verified certificate's claims with one expectation, claim by claim. */
export function compareIdentity(
  identity: CertificateIdentity,
  expectation: IdentityExpectation,
): IdentityFinding[] {
  const findings: IdentityFinding[] = [];
  for (const [claim, matcher] of matchers(expectation)) {
    const actual = identity[claim];
    const finding: IdentityFinding = { claim, expected: describeMatcher(matcher), actual };
    if (actual === undefined || !compile(matcher)(actual)) {
      finding.reason = reasonOf(claim, matcher);
    }
    findings.push(finding);
  }
  return findings;
}

function reasonOf(claim: ClaimName, matcher: Matcher): Reason {
  if (claim === "subjectAlternativeName" || claim === "sanType") return "identity-mismatch";
  if (claim === "issuer") return "issuer-mismatch";
  if (claim === "runnerEnvironment" && matcher === "github-hosted") return "self-hosted-runner";
  return "certificate-claim-mismatch";
}

function compile(matcher: Matcher): (text: string) => boolean {
  if (typeof matcher === "string") {
    if (matcher === "") throw new TypeError("Cannot match an identity: the expected text is empty");
    return (text) => text === matcher;
  }
  if (typeof matcher !== "object" || matcher === null) {
    throw new TypeError("Cannot match an identity: neither a text nor a pattern");
  }
  refuseUnknown(matcher, ["pattern"], "an identity matcher");
  const { pattern } = matcher;
  if (typeof pattern !== "string" || pattern === "") {
    throw new TypeError("Cannot match an identity: the pattern is empty");
  }
  try {
    return fullMatch(pattern);
  } catch (cause) {
    const { message } = cause as SyntaxError;
    throw new TypeError(`Cannot match an identity: ${message}`, { cause });
  }
}

/** A matcher in words. */
export function describeMatcher(matcher: Matcher): string {
  return typeof matcher === "string" ? matcher : `all of it matches /${matcher.pattern}/`;
}

/** Escapes a text for use in a {@linkcode Matcher} pattern. */
export function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** Issuer of the OIDC tokens of GitHub Actions. */
export const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";

/** What to expect of an attestation that GitHub Actions made. */
export interface GithubExpectation {
  /** Owner of the repository that was built. */
  owner?: string;
  /** Repository that was built, `owner/name`. */
  repository?: string;
  /** Repository of the workflow that signed, `owner/name`, if it is another (reusable workflow). */
  signerRepository?: string;
  /** Workflow that signed: `[host/]owner/name/path/of/workflow.yml`, without the ref. */
  signerWorkflow?: string;
  /** Commit of the workflow that signed. */
  signerDigest?: string;
  /** Git ref that was built, such as `refs/tags/v1.2.3`. */
  sourceRef?: string;
  /** Commit that was built. */
  sourceDigest?: string;
  /** Refuse runners that GitHub does not host. */
  denySelfHostedRunners?: boolean;
  /** Host of the instance. Default `github.com`. */
  host?: string;
  /** OIDC issuer. Default that of GitHub Actions. */
  issuer?: string;
}

const GITHUB_OPTIONS = [
  "owner",
  "repository",
  "signerRepository",
  "signerWorkflow",
  "signerDigest",
  "sourceRef",
  "sourceDigest",
  "denySelfHostedRunners",
  "host",
  "issuer",
];

/**
 * Identity expectation for GitHub Actions, with the words of `gh attestation verify`.
 *
 * `owner` and `repository` are matched against the source repository; the signer is the
 * same repository or owner, unless `signerRepository` or `signerWorkflow` says otherwise.
 *
 * @throws {TypeError} If neither `owner` nor `repository` is given, one is malformed, or a
 * member is unknown.
 *
 * @example A repository's own workflows
 * ```ts
 * import { githubIdentity } from "@x/attest/sigstore";
 * import assert from "node:assert/strict";
 *
 * const identity = githubIdentity({ repository: "acme/app" });
 * assert.equal(identity.sourceRepositoryURI, "https://github.com/acme/app");
 * ```
 */
export function githubIdentity(expectation: GithubExpectation): IdentityExpectation {
  refuseUnknown(expectation, GITHUB_OPTIONS, "githubIdentity()");
  for (const [name, value] of Object.entries(expectation)) {
    if (value === undefined) continue;
    const isGood = name === "denySelfHostedRunners"
      ? typeof value === "boolean"
      : typeof value === "string" && value !== "";
    if (!isGood) {
      throw new TypeError(`Cannot expect a GitHub identity: ${name} is empty or of another type`);
    }
  }
  const { owner, repository, signerRepository, signerWorkflow, host = "github.com" } = expectation;
  if (!/^[a-z0-9.-]+(:\d{1,5})?$/i.test(host)) {
    throw new TypeError(`Cannot expect a GitHub identity: ${quote(host)} is no host`);
  }
  if (owner === undefined && repository === undefined) {
    throw new TypeError(
      "Cannot expect a GitHub identity: neither an owner nor a repository is given",
    );
  }
  const segment = "[A-Za-z0-9._-]+";
  const check = (text: string, segments: number, what: string) => {
    if (!new RegExp(`^${Array(segments).fill(segment).join("/")}$`).test(text)) {
      throw new TypeError(`Cannot expect a GitHub identity: ${quote(text)} is no ${what}`);
    }
  };
  const server = `https://${host}`;
  const identity: IdentityExpectation = { issuer: expectation.issuer ?? GITHUB_ISSUER };
  if (owner !== undefined) {
    check(owner, 1, "owner");
    identity.sourceRepositoryOwnerURI = `${server}/${owner}`;
  }
  if (repository !== undefined) {
    check(repository, 2, "repository (owner/name)");
    identity.sourceRepositoryURI = `${server}/${repository}`;
  }
  if (signerRepository !== undefined) check(signerRepository, 2, "repository (owner/name)");

  if (signerWorkflow !== undefined) {
    const parts = signerWorkflow.split("/");
    const withHost = parts[0].includes(".") && parts.length > 3
      ? signerWorkflow
      : `${host}/${signerWorkflow}`;
    if (!/^[^/@\s]+\/[^/@\s]+\/[^/@\s]+\/[^@\s]+$/.test(withHost)) {
      throw new TypeError(
        `Cannot expect a GitHub identity: ${quote(signerWorkflow)} is no workflow path`,
      );
    }
    identity.subjectAlternativeName = { pattern: `${escapePattern(`https://${withHost}`)}@.+` };
  } else {
    const signer = signerRepository ?? repository ?? `${owner}`;
    identity.subjectAlternativeName = { pattern: `${escapePattern(`${server}/${signer}`)}/.+` };
  }
  if (expectation.signerDigest !== undefined) identity.buildSignerDigest = expectation.signerDigest;
  if (expectation.sourceRef !== undefined) identity.sourceRepositoryRef = expectation.sourceRef;
  if (expectation.sourceDigest !== undefined) {
    identity.sourceRepositoryDigest = expectation.sourceDigest;
  }
  if (expectation.denySelfHostedRunners) identity.runnerEnvironment = "github-hosted";
  return identity;
}
