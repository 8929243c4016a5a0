import { AttestationError, type Reason } from "../errors.ts";
import { CheckList } from "../internal/check_list.ts";
import { quote } from "../internal/json.ts";
import type { Statement } from "../intoto/statement.ts";
import { GITHUB_ISSUER, type IdentityExpectation } from "../sigstore/identity.ts";
import { evaluateProvenance, type ProvenanceEvaluation } from "../slsa/evaluate.ts";
import type { SignerEvidence } from "../slsa/evidence.ts";
import type { DigestedArtifact } from "../verify/artifact.ts";
import type { AttestationReport } from "../verify/report.ts";
import { checkSubject, extended, type Judged, type Named, verifyBundle } from "./_judged.ts";
import { provenanceOf, type Settings } from "./package_options.ts";
import { isSameRepository, sourceOf } from "./source.ts";

/** Verifies a provenance attestation: keyless, of the expected builder and repository. */
export async function verifyProvenance(
  { predicateType, bundle, source }: Named,
  artifact: DigestedArtifact,
  settings: Settings,
): Promise<Judged> {
  const identity = settings.expect.identity ?? identitiesOf(settings.builderIds);
  const { row, statement } = await verifyBundle(bundle, source, artifact, settings, {
    trust: settings.trust,
    expect: { predicateType, ...(identity === undefined ? {} : { identity }) },
    thresholds: settings.thresholds,
  });
  if (statement === undefined) return { row };
  const list = new CheckList();
  const found = checkSubject(list, statement, settings.expect);
  const evaluation = evaluateBuilders(statement, row, settings);
  for (const check of evaluation.checks) {
    list.checks.push(check);
    if (check.outcome === "failed") {
      list.error ??= new AttestationError(check.reason ?? "malformed-predicate", check.message);
    }
  }
  checkOrigin(list, row, settings);
  return { row: extended(row, list), package: found, evaluation };
}

/** Who may sign for the known builders; another one needs an identity by the caller. */
function identitiesOf(builderIds: readonly string[]): IdentityExpectation[] | undefined {
  const identities: IdentityExpectation[] = [];
  if (builderIds.some((id) => id.startsWith("https://github.com/"))) {
    identities.push({
      issuer: GITHUB_ISSUER,
      subjectAlternativeName: { pattern: "https://github\\.com/.+" },
    });
  }
  if (builderIds.some((id) => id.startsWith("https://gitlab.com/"))) {
    identities.push({
      issuer: "https://gitlab.com",
      subjectAlternativeName: { pattern: "https://gitlab\\.com/.+" },
    });
  }
  return identities.length === 0 ? undefined : identities;
}

function evaluateBuilders(
  statement: Statement,
  { identity }: AttestationReport,
  { expect, builderIds }: Settings,
): ProvenanceEvaluation {
  const evidence: SignerEvidence = identity === undefined ? {} : { identity };
  if (expect.identity !== undefined) evidence.identityExpected = true;
  // Where the repository is expected by number, or not at all, the certificate says its name,
  // and the provenance must say the same.
  const sourceUri = expect.repository ??
    (identity === undefined ? undefined : sourceOf(identity).repository);
  let last: ProvenanceEvaluation | undefined;
  for (const builderId of builderIds.length === 0 ? [undefined] : builderIds) {
    const expectation = provenanceOf(expect, builderId, sourceUri);
    const evaluation = evaluateProvenance(statement, evidence, expectation);
    if (evaluation.checks.every(({ outcome }) => outcome !== "failed")) return evaluation;
    last ??= evaluation;
  }
  return last!;
}

/** What only the certificate is believed about. */
function checkOrigin(
  list: CheckList,
  { identity }: AttestationReport,
  { expect, builderIds, refMatches, anyRepository }: Settings,
): void {
  const source = identity === undefined ? {} : sourceOf(identity);
  const compare = (
    id: string,
    reason: Reason,
    what: string,
    expected: string,
    actual: string | undefined,
    matches: (actual: string) => boolean = (text) => text === expected,
  ) => {
    const facts = {
      expected,
      origin: "certificate" as const,
      ...(actual === undefined ? {} : { actual }),
    };
    if (actual !== undefined && matches(actual)) {
      list.passed(id, `The ${what} is as expected`, facts);
    } else {
      const found = actual === undefined ? "not stated" : quote(actual);
      list.refused(id, reason, `Cannot accept provenance: the ${what} is ${found}`, facts);
    }
  };
  const { repository, repositoryId, ownerId, workflow, ref } = expect;
  if (builderIds.length === 0) {
    list.refused(
      "predicate.builder",
      "missing-identity-expectation",
      "Cannot accept provenance: no builder is expected",
    );
  }
  if (repository === undefined && repositoryId === undefined) {
    const id = "predicate.repository";
    if (anyRepository) {
      list.skipped(id, "Any repository is accepted, as the caller asked");
    } else {
      list.refused(
        id,
        "missing-identity-expectation",
        "Cannot accept provenance: no repository is expected, by address or number",
      );
    }
  }
  if (repository !== undefined) {
    const what = "repository in the certificate";
    const isWanted = (actual: string) => isSameRepository(actual, repository);
    const id = "predicate.repository";
    compare(id, "source-mismatch", what, repository, source.repository, isWanted);
  }
  if (repositoryId !== undefined) {
    const what = "number of the repository in the certificate";
    compare("predicate.repository-id", "source-mismatch", what, repositoryId, source.repositoryId);
  }
  if (ownerId !== undefined) {
    const what = "number of the repository's owner in the certificate";
    compare("predicate.owner-id", "source-mismatch", what, ownerId, source.ownerId);
  }
  if (workflow !== undefined) {
    const what = "workflow in the certificate";
    compare("predicate.workflow", "workflow-mismatch", what, workflow, source.workflow);
  }
  if (ref !== undefined && refMatches !== undefined) {
    const wanted = typeof ref === "string" ? ref : `all of it matches /${ref.pattern}/`;
    const what = "git ref in the certificate";
    compare("predicate.ref", "source-ref-mismatch", what, wanted, source.ref, refMatches);
  }
}
