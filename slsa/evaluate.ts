import { isAttestationError } from "../errors.ts";
import { CheckList } from "../internal/check_list.ts";
import { quote } from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";
import { isVersionOf, parseVersion } from "../internal/semver.ts";
import type { Statement } from "../intoto/statement.ts";
import type { Check, Origin } from "../report.ts";
import { type CertifiedSource, certifiedSource, crossCheck } from "./_certificate.ts";
import { branchRef, type GithubFacts, githubFacts, workflowInputsOf } from "./_github.ts";
import { isNamedBuilder, recogniseBuilder, type RecognisedBuilder } from "./builder_trust.ts";
import type { SignerEvidence } from "./evidence.ts";
import {
  assertProvenanceExpectation,
  type BuildLevel,
  type ProvenanceExpectation,
} from "./expectation.ts";
import { KNOWN_BUILDERS } from "./known_builders.ts";
import { compareParameters } from "./parameters.ts";
import { parseProvenance, type Provenance, PROVENANCE_TYPES } from "./provenance.ts";
import { canonicalRepository } from "./source.ts";

/** What the evaluation of provenance found. */
export interface ProvenanceEvaluation {
  /** Every check, in order; the provenance is as expected if none failed. */
  checks: Check[];
  /** The provenance in one shape, when it could be read. */
  provenance?: Provenance;
  /**
   * Build level of the recognised pair of signer and builder; 0 if it is none. It is never
   * read from the provenance.
   */
  level?: BuildLevel;
}

/**
 * Judges what verified provenance says: may this signer speak for this builder, and up to
 * which level; is it the source, the tag, the build type that were expected; does it agree
 * with its certificate. It verifies no signature and no subject: give it only what
 * `verify()` has found out.
 *
 * Source: SLSA 1.2, verifying-artifacts.md, "How to verify"; the options of slsa-verifier.
 *
 * @param statement The verified Statement.
 * @param evidence Who signed it.
 * @param expectation What it must say.
 * @returns Checks with the ids `predicate.type`, `predicate.shape`, `predicate.builder`,
 * `predicate.level`, `predicate.certificate`, `predicate.source`, `predicate.branch`,
 * `predicate.tag`, `predicate.versioned-tag`, `predicate.commit`,
 * `predicate.workflow-input`, `predicate.build-type`, `predicate.parameters` and
 * `predicate.dependencies`. Their reasons: `predicate-type-mismatch`, those of
 * {@linkcode parseProvenance}, `unexpected-builder`, `untrusted-builder`,
 * `insufficient-level`, `certificate-provenance-mismatch`, `missing-identity-expectation`,
 * `source-mismatch`, `branch-mismatch`, `tag-mismatch`, `versioned-tag-mismatch`,
 * `invalid-versioned-tag`, `commit-mismatch`, `workflow-input-mismatch`,
 * `build-type-mismatch`, `unexpected-parameter`, `parameter-mismatch` and
 * `unpinned-dependency`.
 * @throws {TypeError} If the expectation is malformed.
 *
 * @example A builder of one's own
 * ```ts
 * import { evaluateProvenance } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const builderId = "https://ci.example/builder";
 * const { checks, level } = evaluateProvenance(
 *   {
 *     _type: "https://in-toto.io/Statement/v1",
 *     subject: [{ digest: { sha256: "a".repeat(64) } }],
 *     predicateType: "https://slsa.dev/provenance/v1",
 *     predicate: {
 *       buildDefinition: { buildType: "https://ci.example/v1", externalParameters: { a: 1 } },
 *       runDetails: { builder: { id: builderId } },
 *     },
 *   },
 *   { keys: [{ name: "ci", fingerprint: "b".repeat(64) }] },
 *   { builderId, builders: { builders: [{ signer: { keys: ["ci"] }, builderId, maxBuildLevel: 2 }] } },
 * );
 * assert.ok(checks.every(({ outcome }) => outcome === "passed"));
 * assert.equal(level, 2);
 * ```
 */
export function evaluateProvenance(
  statement: Statement,
  evidence: SignerEvidence,
  expectation: ProvenanceExpectation,
): ProvenanceEvaluation {
  assertProvenanceExpectation(expectation);
  const list = new CheckList();
  const { checks } = list;
  const types = expectation.predicateTypes ?? PROVENANCE_TYPES;
  if (!types.includes(statement.predicateType)) {
    list.refused(
      "predicate.type",
      "predicate-type-mismatch",
      `Cannot accept provenance: found predicate type ${quote(statement.predicateType)}`,
      {
        expected: types.join(" or "),
        actual: statement.predicateType,
        origin: "signed",
        path: "/predicateType",
      },
    );
    return { checks };
  }
  let provenance: Provenance;
  try {
    provenance = parseProvenance(statement);
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    list.failed("predicate.shape", error);
    return { checks };
  }
  list.passed("predicate.shape", "Its provenance is well formed", {
    actual: statement.predicateType,
    origin: "signed",
  });
  const subject: Subject = {
    list,
    provenance,
    evidence,
    expectation,
    facts: githubFacts(provenance),
    certified: evidence.identity === undefined ? {} : certifiedSource(evidence.identity),
  };
  const level = checkBuilder(subject);
  checkLevel(subject, level);
  checkCertificate(subject);
  checkSource(subject);
  checkBranch(subject, level);
  checkTag(subject);
  checkVersionedTag(subject);
  checkCommit(subject);
  checkWorkflowInputs(subject);
  checkParameters(subject);
  checkDependencies(subject);
  return { checks, provenance, level };
}

/** What is judged, by what, into which list. */
interface Subject {
  list: CheckList;
  provenance: Provenance;
  evidence: SignerEvidence;
  expectation: ProvenanceExpectation;
  facts: GithubFacts;
  certified: CertifiedSource;
}

function builderPath({ provenance }: Subject): string {
  return provenance.derived ? "/predicate/builder/id" : "/predicate/runDetails/builder/id";
}

function checkBuilder(subject: Subject): BuildLevel {
  const { list, provenance, evidence, expectation } = subject;
  const { builderId } = provenance;
  const named = expectation.builderId;
  const facts = { actual: builderId, origin: "signed" as const, path: builderPath(subject) };
  if (named !== undefined && !isNamedBuilder(builderId, named)) {
    list.refused(
      "predicate.builder",
      "unexpected-builder",
      `Cannot accept provenance: found builder ${quote(builderId)}, wanted ${quote(named)}`,
      { ...facts, expected: named },
    );
    return 0;
  }
  const trust = expectation.builders ?? KNOWN_BUILDERS;
  const found = recogniseBuilder(builderId, evidence, named, trust);
  if (found.rule === undefined && !mayDefault(evidence, found)) {
    list.refused(
      "predicate.builder",
      "untrusted-builder",
      found.wouldNeedName
        ? `Cannot accept provenance: anybody may publish a builder such as ${quote(builderId)}, ` +
          "and it is not expected by name"
        : `Cannot accept provenance: ${signerOf(evidence)} may not speak for ${quote(builderId)}`,
      { ...facts, expected: named ?? "a builder for which the signer may speak" },
    );
    return 0;
  }
  list.passed("predicate.builder", "Its signer may speak for its builder", {
    ...facts,
    expected: named,
  });
  return levelOf(found, evidence);
}

/**
 * An unknown builder of a signer that the caller trusts has level 1; a signer that may
 * speak for other builders only has none.
 *
 * Source: SLSA 1.2, verifying-artifacts.md, "Step 1: Check SLSA Build level".
 */
function mayDefault(evidence: SignerEvidence, found: RecognisedBuilder): boolean {
  if (found.signerOfAnother) return false;
  return (evidence.keys ?? []).length > 0 || evidence.identityExpected === true;
}

function levelOf({ rule }: RecognisedBuilder, { identity }: SignerEvidence): BuildLevel {
  if (rule === undefined) return 1;
  // A certificate names the runner: one that the tenant owns does not isolate the build.
  const runner = identity?.runnerEnvironment;
  const isVouched = "certificate" in rule.signer &&
    rule.signer.certificate.runnerEnvironment !== undefined;
  if (runner !== undefined && runner !== "github-hosted" && !isVouched) return 1;
  return rule.maxBuildLevel;
}

function signerOf({ identity, keys = [] }: SignerEvidence): string {
  if (identity !== undefined) return quote(identity.subjectAlternativeName);
  return keys.length === 0 ? "nobody" : `the key ${quote(keys[0].name)}`;
}

function checkLevel({ list, expectation: { minLevel = 0 } }: Subject, level: BuildLevel): void {
  const facts = { expected: `SLSA_BUILD_LEVEL_${minLevel}`, actual: `SLSA_BUILD_LEVEL_${level}` };
  if (level >= minLevel) {
    list.passed("predicate.level", `Its builder is trusted up to Build level ${level}`, facts);
    return;
  }
  list.refused(
    "predicate.level",
    "insufficient-level",
    `Cannot accept provenance: Build level ${level}, at least ${minLevel} is required`,
    facts,
  );
}

function checkCertificate({ list, provenance, evidence, facts }: Subject): void {
  const { identity } = evidence;
  if (identity === undefined) return;
  const isSelf = provenance.builderId === identity.subjectAlternativeName;
  const { compared, contradictions } = crossCheck(provenance, facts, identity, isSelf);
  if (contradictions.length === 0) {
    list.passed("predicate.certificate", "It agrees with its certificate", {
      actual: compared.join(", "),
      origin: "certificate",
    });
    return;
  }
  for (const { claim, certificate, provenance: stated } of contradictions) {
    list.refused(
      "predicate.certificate",
      "certificate-provenance-mismatch",
      `Cannot accept provenance: it states ${quote(stated)}, its certificate's ${claim} is ${
        quote(certificate)
      }`,
      { expected: certificate, actual: stated, origin: "signed" },
    );
  }
}

/** A value by each who states it. */
type Stated = [value: string | undefined, origin: Origin][];

/** The first that is not as wanted, or undefined if one states it and all that do agree. */
function disagreement(
  stated: Stated,
  isWanted: (value: string) => boolean,
): { actual?: string; origin?: Origin } | undefined {
  let isStated = false;
  for (const [value, origin] of stated) {
    if (value === undefined) continue;
    isStated = true;
    if (!isWanted(value)) return { actual: value, origin };
  }
  return isStated ? undefined : {};
}

function checkSource(subject: Subject): void {
  const { list, provenance, certified, evidence, expectation, facts } = subject;
  const { sourceUri } = expectation;
  if (sourceUri === undefined) {
    if (evidence.identity === undefined || evidence.identityExpected === true) return;
    list.refused(
      "predicate.source",
      "missing-identity-expectation",
      "Cannot accept provenance: anybody can run its builder, and no source is expected",
    );
    return;
  }
  const expected = canonicalRepository(sourceUri) ?? sourceUri;
  const stated: Stated = [
    [certified.uri, "certificate"],
    [provenance.source?.uri, "signed"],
    [repositoryOf(facts), "signed"],
  ];
  const wrong = disagreement(stated, (value) => value === expected);
  if (wrong === undefined) {
    const actual = certified.uri ?? provenance.source?.uri;
    list.passed("predicate.source", "Its source is the expected repository", {
      expected,
      actual,
      origin: certified.uri === undefined ? "signed" : "certificate",
    });
    return;
  }
  list.refused(
    "predicate.source",
    "source-mismatch",
    `Cannot accept provenance: ${found(wrong.actual, "repository")}, wanted ${quote(expected)}`,
    { ...wrong, expected },
  );
}

/** The repository of the run, where only internal parameters tell it. */
function repositoryOf({ repository }: GithubFacts): string | undefined {
  return repository === undefined
    ? undefined
    : canonicalRepository(`https://github.com/${repository}`);
}

function refs({ provenance, certified, facts }: Subject): Stated {
  return [
    [certified.ref, "certificate"],
    [provenance.source?.ref, "signed"],
    [facts.ref, "signed"],
  ];
}

function checkBranch(subject: Subject, level: BuildLevel): void {
  const { expectation: { sourceBranch }, facts } = subject;
  if (sourceBranch === undefined) return;
  const expected = `refs/heads/${sourceBranch}`;
  // The event of a tag names its branch in parameters that only a builder of level 3 keeps
  // out of the reach of the build.
  const stated = refs(subject).map(([ref, origin]): Stated[number] => {
    const branch = level === 3 ? branchRef(facts, ref) : undefined;
    return branch === undefined || branch === ref ? [ref, origin] : [branch, "signed"];
  });
  report(subject, "predicate.branch", "branch-mismatch", "branch", expected, stated);
}

function checkTag(subject: Subject): void {
  const { sourceTag } = subject.expectation;
  if (sourceTag === undefined) return;
  report(subject, "predicate.tag", "tag-mismatch", "tag", `refs/tags/${sourceTag}`, refs(subject));
}

function report(
  { list }: Subject,
  id: string,
  reason: "branch-mismatch" | "tag-mismatch" | "commit-mismatch",
  what: string,
  expected: string,
  stated: Stated,
): void {
  const wrong = disagreement(stated, (value) => value === expected);
  if (wrong === undefined) {
    const origin = stated.find(([value]) => value !== undefined)?.[1];
    list.passed(id, `Its ${what} is the expected one`, { expected, actual: expected, origin });
    return;
  }
  list.refused(
    id,
    reason,
    `Cannot accept provenance: ${found(wrong.actual, what)}, wanted ${quote(expected)}`,
    { ...wrong, expected },
  );
}

function found(actual: string | undefined, what: string): string {
  return actual === undefined ? `it states no ${what}` : `found ${quote(actual)}`;
}

function checkVersionedTag(subject: Subject): void {
  const { list, expectation: { sourceVersionedTag } } = subject;
  const wanted = sourceVersionedTag === undefined
    ? undefined
    : parseVersion(sourceVersionedTag.slice(1));
  if (sourceVersionedTag === undefined || wanted === undefined) return;
  const id = "predicate.versioned-tag";
  const expected = `refs/tags/${sourceVersionedTag}`;
  let isStated = false;
  for (const [ref, origin] of refs(subject)) {
    if (ref === undefined) continue;
    isStated = true;
    const facts = { expected, actual: ref, origin };
    if (!ref.startsWith("refs/tags/")) {
      list.refused(
        id,
        "versioned-tag-mismatch",
        `Cannot accept provenance: found ${quote(ref)}, wanted a tag`,
        facts,
      );
      return;
    }
    const tag = ref.slice(10);
    const version = tag.startsWith("v") ? parseVersion(tag.slice(1)) : undefined;
    if (version === undefined) {
      list.refused(
        id,
        "invalid-versioned-tag",
        `Cannot accept provenance: its tag ${quote(tag)} is no version`,
        facts,
      );
      return;
    }
    if (!isVersionOf(version, wanted)) {
      list.refused(
        id,
        "versioned-tag-mismatch",
        `Cannot accept provenance: found tag ${quote(tag)}, wanted ${quote(sourceVersionedTag)}`,
        facts,
      );
      return;
    }
  }
  if (isStated) return list.passed(id, "Its tag is of the expected version", { expected });
  list.refused(id, "versioned-tag-mismatch", "Cannot accept provenance: it states no tag", {
    expected,
  });
}

function checkCommit(subject: Subject): void {
  const { provenance, certified, facts, expectation: { sourceCommit } } = subject;
  if (sourceCommit === undefined) return;
  report(
    subject,
    "predicate.commit",
    "commit-mismatch",
    "commit",
    sourceCommit.toLowerCase(),
    [
      [certified.commit, "certificate"],
      [provenance.source?.commit, "signed"],
      [facts.commit?.toLowerCase(), "signed"],
    ],
  );
}

function checkWorkflowInputs({ list, provenance, facts, expectation }: Subject): void {
  const { workflowInputs } = expectation;
  if (workflowInputs === undefined) return;
  const id = "predicate.workflow-input";
  const inputs = workflowInputsOf(provenance, facts);
  let isAsExpected = true;
  for (const name of Object.keys(workflowInputs)) {
    const value = inputs !== undefined && Object.hasOwn(inputs, name) ? inputs[name] : undefined;
    const actual = value === undefined || typeof value === "string" ? value : JSON.stringify(value);
    if (actual === workflowInputs[name]) continue;
    isAsExpected = false;
    list.refused(
      id,
      "workflow-input-mismatch",
      `Cannot accept provenance: input ${quote(name)}: ${found(actual, "value")}, wanted ${
        quote(workflowInputs[name])
      }`,
      { expected: workflowInputs[name], actual, origin: "signed", path: pointer("", name) },
    );
  }
  if (isAsExpected) {
    list.passed(id, "Its workflow was started with the expected inputs", { origin: "signed" });
  }
}

/** The build type first: parameters have no meaning under another one. */
function checkParameters({ list, provenance, expectation }: Subject): void {
  const { buildType, externalParameters } = expectation;
  if (buildType === undefined) return;
  const facts = { expected: buildType, actual: provenance.buildType, origin: "signed" as const };
  if (provenance.buildType !== buildType) {
    list.refused(
      "predicate.build-type",
      "build-type-mismatch",
      `Cannot accept provenance: found build type ${quote(provenance.buildType)}`,
      facts,
    );
    return;
  }
  list.passed("predicate.build-type", "Its build type is the expected one", facts);
  if (externalParameters === undefined) return;
  const findings = compareParameters(provenance.externalParameters, externalParameters);
  for (const { reason, path, expected, actual } of findings) {
    list.refused(
      "predicate.parameters",
      reason,
      `Cannot accept provenance: parameter ${path}: ${found(actual, "value")}, wanted ${expected}`,
      { expected, actual, origin: "signed", path },
    );
  }
  if (findings.length > 0) return;
  list.passed("predicate.parameters", "Every external parameter is as expected", {
    origin: "signed",
  });
}

function checkDependencies({ list, provenance, expectation }: Subject): void {
  if (expectation.requirePinnedDependencies !== true) return;
  const id = "predicate.dependencies";
  const { resolvedDependencies } = provenance;
  const open = resolvedDependencies.findIndex(({ digest, content }) =>
    Object.keys(digest ?? {}).length === 0 && content === undefined
  );
  if (open < 0) {
    list.passed(id, `Each of its ${resolvedDependencies.length} dependencies has a digest`, {
      origin: "signed",
    });
    return;
  }
  const { uri, name } = resolvedDependencies[open];
  list.refused(
    id,
    "unpinned-dependency",
    `Cannot accept provenance: dependency ${quote(uri ?? name ?? String(open))} has no digest`,
    { actual: uri ?? name, origin: "signed" },
  );
}
