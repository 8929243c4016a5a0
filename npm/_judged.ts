import { CheckList } from "../internal/check_list.ts";
import { quote } from "../internal/json.ts";
import type { Statement } from "../intoto/statement.ts";
import type { ProvenanceEvaluation } from "../slsa/evaluate.ts";
import type { DigestedArtifact } from "../verify/artifact.ts";
import type { EvidenceThresholds, Expectations, Trust } from "../verify/options.ts";
import type { AttestationReport } from "../verify/report.ts";
import { verify } from "../verify/verify.ts";
import type { NpmAttestation } from "./answer.ts";
import type { NpmExpectation, Settings } from "./package_options.ts";
import { describePackage, type NpmPackage, parseNpmPurl } from "./purl.ts";

/** An attestation with what its checks established. */
export interface Judged {
  row: AttestationReport;
  package?: NpmPackage;
  registry?: string;
  evaluation?: ProvenanceEvaluation;
}

/** An attestation of the answer with the name that the report gives it. */
export type Named = NpmAttestation & { source: string };

/** The one subject is the package: a second one could lend its digest to another's name. */
export function checkSubject(
  list: CheckList,
  { subject }: Statement,
  { packageName, packageVersion }: NpmExpectation,
): NpmPackage | undefined {
  const id = "statement.package";
  const path = "/subject/0/name";
  const wanted = `${packageName ?? "any name"}@${packageVersion ?? "any version"}`;
  if (subject.length !== 1) {
    list.refused(
      id,
      "package-mismatch",
      `Cannot accept Statement: it has ${subject.length} subjects, an npm package is one`,
      { path: "/subject", expected: "1", actual: String(subject.length) },
    );
    return undefined;
  }
  let found: NpmPackage;
  try {
    found = parseNpmPurl(subject[0].name ?? "");
  } catch (error) {
    list.failed(id, error, { path });
    return undefined;
  }
  const facts = { path, expected: wanted, actual: describePackage(found) };
  if (packageName !== undefined && found.name !== packageName) {
    const message = `Cannot accept Statement: it is about the package ${quote(found.name)}`;
    list.refused(id, "package-mismatch", message, facts);
  } else if (packageVersion !== undefined && found.version !== packageVersion) {
    const message = `Cannot accept Statement: it is about the version ${quote(found.version)}`;
    list.refused(id, "package-mismatch", message, facts);
  } else list.passed(id, "The subject is the package", facts);
  return found;
}

interface BundleOptions {
  trust: Trust;
  expect: Expectations;
  thresholds?: EvidenceThresholds;
}

/** One bundle, and nothing that it may be wrapped in. */
export async function verifyBundle(
  content: NpmAttestation["bundle"],
  source: string,
  { name, digest }: DigestedArtifact,
  { limits, signal }: Settings,
  options: BundleOptions,
): Promise<{ row: AttestationReport; statement?: Statement }> {
  const report = await verify({ source, content }, { name, digest }, {
    ...options,
    ...(limits === undefined ? {} : { limits }),
    ...(signal === undefined ? {} : { signal }),
  });
  const rows = report.artifacts[0].attestations;
  if (rows.length !== 1 || (rows[0].ok && rows[0].format !== "sigstore-bundle")) {
    const list = new CheckList();
    const message = "Cannot read npm attestation: its bundle is no Sigstore bundle";
    list.refused("envelope.format", "malformed-npm-answer", message);
    return { row: rowOf(source, list) };
  }
  return { row: rows[0], statement: rows[0].statement };
}

/** A row with further checks of what its signature covers. */
export function extended(row: AttestationReport, list: CheckList): AttestationReport {
  const reason = row.errorReason ?? list.error?.reason ?? null;
  return {
    ...row,
    ok: reason === null,
    errorReason: reason,
    checks: [
      ...row.checks,
      ...list.checks.map((check) => ({ ...check, origin: check.origin ?? "signed" as const })),
    ],
  };
}

/** A row of what could not even be read. */
export function rowOf(source: string, { checks, error }: CheckList): AttestationReport {
  return {
    source,
    format: "unknown",
    ok: false,
    errorReason: error?.reason ?? "internal-error",
    signers: [],
    timestamps: [],
    checks: [...checks],
  };
}
