import { isAttestationError } from "../errors.ts";
import { CheckList } from "../internal/check_list.ts";
import { quote } from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";
import type { Statement } from "../intoto/statement.ts";
import type { Check } from "../report.ts";
import { checkBuilder, checkCertificate, checkLevel } from "./_builder_checks.ts";
import { found, type ProvenanceCase } from "./_case.ts";
import { certifiedSource } from "./_certificate.ts";
import { githubFacts, workflowInputsOf } from "./_github.ts";
import {
  checkBranch,
  checkCommit,
  checkSource,
  checkTag,
  checkVersionedTag,
} from "./_source_checks.ts";
import type { SignerEvidence } from "./evidence.ts";
import {
  assertProvenanceExpectation,
  type BuildLevel,
  type ProvenanceExpectation,
} from "./expectation.ts";
import { compareParameters } from "./parameters.ts";
import {
  hidesDependencies,
  parseProvenance,
  type Provenance,
  PROVENANCE_TYPES,
} from "./provenance.ts";

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
  const judged: ProvenanceCase = {
    list,
    provenance,
    evidence,
    expectation,
    facts: githubFacts(provenance),
    certified: evidence.identity === undefined ? {} : certifiedSource(evidence.identity),
  };
  const level = checkBuilder(judged);
  checkLevel(judged, level);
  checkCertificate(judged);
  checkSource(judged);
  checkBranch(judged, level);
  checkTag(judged);
  checkVersionedTag(judged);
  checkCommit(judged);
  checkWorkflowInputs(judged);
  checkParameters(judged);
  checkDependencies(judged, statement);
  return { checks, provenance, level };
}

function checkWorkflowInputs({ list, provenance, facts, expectation }: ProvenanceCase): void {
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
function checkParameters({ list, provenance, expectation }: ProvenanceCase): void {
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

function checkDependencies(
  { list, provenance, expectation }: ProvenanceCase,
  { predicate }: Statement,
): void {
  if (expectation.requirePinnedDependencies !== true) return;
  const id = "predicate.dependencies";
  if (hidesDependencies(predicate)) {
    list.refused(
      id,
      "unpinned-dependency",
      "Cannot accept provenance: other readers find dependencies in members of other names",
      { origin: "signed", path: "/predicate" },
    );
    return;
  }
  const { resolvedDependencies } = provenance;
  const open = resolvedDependencies.findIndex(({ digest, content }) =>
    Object.keys(digest ?? {}).length === 0 && !content
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
