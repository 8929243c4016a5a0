import type { Reason } from "../errors.ts";
import { asRefusal, CheckList } from "../internal/check_list.ts";
import { quote } from "../internal/json.ts";
import type { BuildLevel } from "../slsa/expectation.ts";
import type { Provenance } from "../slsa/provenance.ts";
import { digestArtifact, type DigestedArtifact } from "../verify/artifact.ts";
import type { ArtifactInput } from "../verify/options.ts";
import type { AttestationReport, VerificationReport } from "../verify/report.ts";
import { extended, type Judged, type Named, rowOf } from "./_judged.ts";
import { verifyProvenance } from "./_provenance.ts";
import { verifyPublish } from "./_publish.ts";
import {
  NPM_PROVENANCE,
  NPM_PUBLISH,
  type NpmAttestation,
  parseNpmAttestations,
} from "./answer.ts";
import { checkNpmOptions, type NpmVerifyOptions, type Settings } from "./package_options.ts";
import { describePackage, type NpmPackage } from "./purl.ts";
import { type NpmSource, sourceOf } from "./source.ts";

/** Builder of what npm publishes from a runner that GitHub hosts. */
export const NPM_GITHUB_HOSTED = "https://github.com/actions/runner/github-hosted";

/**
 * Answer of {@linkcode verifyNpmPackage}: the report of `verify()`, whose one artifact is ok
 * only if a publish attestation and a provenance attestation are.
 */
export interface NpmReport extends VerificationReport {
  /** What the verified attestations are about; only when `ok`. */
  package?: NpmPackage & {
    /** Registry that published it. */
    registry: string;
  };
  /** Where it came from, as the verified certificate says; only when `ok`. */
  source?: NpmSource;
  /** The verified provenance; only when `ok`. */
  provenance?: Provenance;
  /** Build level of the signer and builder; only when `ok` and known. */
  level?: BuildLevel;
}

/**
 * Verifies a package of an npm registry by the registry's own answer, without a request:
 * the publish attestation (signed by a key of the registry) and the provenance (keyless)
 * must both verify, and both must be about this tarball, name and version.
 *
 * A repository must be expected, by address or number, and a builder: that somebody signed
 * provenance says nothing about who. What the answer says outside of the signatures is
 * believed nowhere; its `predicateType` only says which attestation is which, and the signed
 * one must agree. Of several attestations of one kind any one suffices.
 *
 * Source: npm/attestation, specs/publish/v0.1; SLSA 1.2, verifying-artifacts.md; the origin
 * of the rules on keys is Sigstore's TUF target `keys.json` of the registry.
 *
 * @param answer Answer to `GET /-/npm/v1/attestations/NAME@VERSION`: text, bytes or parsed.
 * @param tarball The package as it was downloaded, or its `sha512` digest.
 * @param options Whom to believe and what to expect.
 * @returns A report with every check; `errorReason` is `missing-publish-attestation` or
 * `missing-provenance` where the answer has none, `package-mismatch` for another name,
 * version or registry, `malformed-purl`, `key-not-valid` for a key of another time,
 * `missing-identity-expectation`, `workflow-mismatch`, `source-ref-mismatch`, and those of
 * `verify()` and `evaluateProvenance()`.
 * @throws {TypeError} If an option is unknown or not of its form, or `tarball` is a digest
 * without `sha512`.
 *
 * @example A package without provenance
 * ```ts
 * import { NPM_GITHUB_HOSTED, verifyNpmPackage } from "@x/attest/npm";
 * import assert from "node:assert/strict";
 *
 * const report = await verifyNpmPackage('{"attestations":[]}', new Uint8Array(8), {
 *   trust: { keys: [] },
 *   expect: {
 *     packageName: "app",
 *     builderId: NPM_GITHUB_HOSTED,
 *     repository: "https://github.com/acme/app",
 *   },
 * });
 * assert.equal(report.errorReason, "missing-publish-attestation");
 * ```
 */
export async function verifyNpmPackage(
  answer: string | Uint8Array | object,
  tarball: ArtifactInput,
  options: NpmVerifyOptions,
): Promise<NpmReport> {
  const settings = checkNpmOptions(options);
  settings.signal?.throwIfAborted();
  const artifact = await digestArtifact(tarball, 0, {
    algorithms: ["sha256", "sha512"],
    signal: settings.signal,
    onBytes: () => settings.signal?.throwIfAborted(),
  });
  if (artifact.digest.sha512 === undefined) {
    throw new TypeError("The digest of a tarball must have sha512");
  }
  let attestations: NpmAttestation[];
  try {
    attestations = parseNpmAttestations(answer);
  } catch (error) {
    const list = new CheckList();
    list.failed("storage.answer", error);
    return finish(artifact, [rowOf("npm answer", list)], asRefusal(error).reason);
  }
  return await verifyParsed(attestations, artifact, settings);
}

async function verifyParsed(
  attestations: readonly NpmAttestation[],
  artifact: DigestedArtifact,
  settings: Settings,
): Promise<NpmReport> {
  const named = attestations.map(({ predicateType, bundle }, index) => ({
    predicateType,
    bundle,
    source: `${predicateType === NPM_PUBLISH ? "publish attestation" : "provenance"} #${index + 1}`,
  }));
  const types = attestations.map(({ predicateType }) => quote(predicateType)).join(", ");
  const published = named.filter(({ predicateType }) => predicateType === NPM_PUBLISH);
  const built = named.filter(({ predicateType }) => NPM_PROVENANCE.includes(predicateType));
  const [publish, provenance] = await Promise.all([
    firstGood(published, (one) => verifyPublish(one, artifact, settings)),
    firstGood(built, (one) => verifyProvenance(one, artifact, settings)),
  ]);
  const publishRow = publish.best ?? missing("missing-publish-attestation", NPM_PUBLISH, types);
  const provenanceRow = provenance.best ??
    missing("missing-provenance", NPM_PROVENANCE.join(" or "), types);
  if (publishRow.row.ok && provenanceRow.row.ok) bindTogether(publishRow, provenanceRow);
  const rows = [
    publishRow.row,
    ...publish.others,
    provenanceRow.row,
    ...provenance.others,
  ];
  const reasons = [publishRow.row.errorReason, provenanceRow.row.errorReason];
  // What the caller left out is told before what the attestations say.
  const reason = reasons.find((one) => one === "missing-identity-expectation") ??
    reasons[0] ?? reasons[1];
  const report = finish(artifact, rows, reason);
  const { package: found, registry } = publishRow;
  if (!report.ok || found === undefined || registry === undefined) return report;
  report.package = { ...found, registry };
  const { identity } = provenanceRow.row;
  if (identity !== undefined) report.source = sourceOf(identity);
  if (provenanceRow.evaluation?.provenance !== undefined) {
    report.provenance = provenanceRow.evaluation.provenance;
  }
  if (provenanceRow.evaluation?.level !== undefined) report.level = provenanceRow.evaluation.level;
  return report;
}

async function firstGood(
  candidates: readonly Named[],
  judge: (one: Named) => Promise<Judged>,
): Promise<{ best?: Judged; others: AttestationReport[] }> {
  const judged = await Promise.all(candidates.map(judge));
  const best = judged.find(({ row }) => row.ok) ?? judged[0];
  return { best, others: judged.filter((one) => one !== best).map(({ row }) => row) };
}

function missing(
  reason: "missing-publish-attestation" | "missing-provenance",
  expected: string,
  actual: string,
): Judged {
  const list = new CheckList();
  const what = reason === "missing-provenance" ? "provenance" : "publish attestation";
  list.refused("storage.answer", reason, `Cannot verify package: the answer has no ${what}`, {
    expected,
    actual: actual === "" ? "none" : actual,
    origin: "unsigned",
  });
  return { row: rowOf("npm answer", list) };
}

/** Both are about one package also where none was expected by name. */
function bindTogether(publish: Judged, provenance: Judged): void {
  const [wanted, found] = [publish.package, provenance.package];
  if (wanted === undefined || found === undefined) return;
  if (wanted.name === found.name && wanted.version === found.version) return;
  const list = new CheckList();
  list.refused(
    "statement.package",
    "package-mismatch",
    "Cannot accept provenance: the publish attestation is about another package",
    { expected: describePackage(wanted), actual: describePackage(found), path: "/subject/0/name" },
  );
  provenance.row = extended(provenance.row, list);
}

function finish(
  { name, digest }: DigestedArtifact,
  attestations: AttestationReport[],
  reason: Reason | null,
): NpmReport {
  const ok = reason === null;
  return {
    ok,
    errorReason: reason,
    verificationResult: ok ? "PASSED" : "FAILED",
    artifacts: [{ artifact: name, digest, ok, errorReason: reason, attestations }],
  };
}
