import { AttestationError, type Reason } from "../errors.ts";
import { asRefusal, CheckList } from "../internal/check_list.ts";
import { isObject, quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import type { Statement } from "../intoto/statement.ts";
import { GITHUB_ISSUER, type IdentityExpectation, type Matcher } from "../sigstore/identity.ts";
import type { TrustedRoot } from "../sigstore/trusted_root.ts";
import { evaluateProvenance, type ProvenanceEvaluation } from "../slsa/evaluate.ts";
import type { SignerEvidence } from "../slsa/evidence.ts";
import {
  assertProvenanceExpectation,
  type BuildLevel,
  type ProvenanceExpectation,
} from "../slsa/expectation.ts";
import type { Provenance } from "../slsa/provenance.ts";
import { digestArtifact, type DigestedArtifact } from "../verify/artifact.ts";
import type {
  ArtifactInput,
  EvidenceThresholds,
  Expectations,
  Trust,
  VerifyLimits,
} from "../verify/options.ts";
import type { AttestationReport, VerificationReport } from "../verify/report.ts";
import { verify } from "../verify/verify.ts";
import {
  NPM_PROVENANCE,
  NPM_PUBLISH,
  type NpmAttestation,
  parseNpmAttestations,
} from "./answer.ts";
import { isValidAt, type NpmKey } from "./keys.ts";
import { describePackage, isNpmName, isNpmVersion, type NpmPackage, parseNpmPurl } from "./purl.ts";
import { isSameRepository, type NpmSource, sourceOf } from "./source.ts";

/** Builder of what npm publishes from a runner that GitHub hosts. */
export const NPM_GITHUB_HOSTED = "https://github.com/actions/runner/github-hosted";

/** Who is believed about packages. */
export interface NpmTrust {
  /** Keys of the registry, for the publish attestation. */
  keys: readonly NpmKey[];
  /** Trusted roots of Sigstore instances, beside the public-good instance. */
  trustedRoots?: readonly TrustedRoot[];
  /** Believe `trustedRoots` only, not the public-good instance. Default false. */
  onlyRoot?: boolean;
}

/** What the attestations of a package must say. What is absent is not asked. */
export interface NpmExpectation {
  /** Name of the package, with its scope. */
  packageName?: string;
  /** Version, exact. */
  packageVersion?: string;
  /** Registry that published it. Default: any whose key is trusted. */
  registry?: string;
  /** Builder, or any one of several; whole, or without its `@` and version. Required. */
  builderId?: string | readonly string[];
  /** Repository that it was built from: `https://github.com/owner/name` or without scheme. */
  repository?: string;
  /** Number of that repository, decimal digits; a name can change hands, the number cannot. */
  repositoryId?: string;
  /** Number of the repository's owner, decimal digits. */
  ownerId?: string;
  /** File of the workflow that was started, such as `.github/workflows/release.yml`. */
  workflow?: string;
  /** Git ref that was built, such as `refs/tags/v1.2.3`; exact, or a pattern for all of it. */
  ref?: Matcher;
  /** Whom the provenance's certificate must name. Default: the issuer of the builder. */
  identity?: IdentityExpectation;
  /** Further expectations about the provenance, such as `minLevel` or `builders`. */
  provenance?: Omit<ProvenanceExpectation, "sourceUri" | "builderId">;
}

/** Options of {@linkcode verifyNpmPackage}. Unknown names are refused. */
export interface NpmVerifyOptions {
  /** Who is believed. */
  trust: NpmTrust;
  /** What the attestations must say. */
  expect: NpmExpectation;
  /** How much independent evidence the provenance needs. */
  thresholds?: EvidenceThresholds;
  /** Bounds on what is read. */
  limits?: VerifyLimits;
  /** Stops the work; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * Accepts a package of any repository. `expect.repository` still counts.
   *
   * @deprecated Anybody can publish with provenance from a repository of their own: state
   * which one you expect.
   */
  unsafelyAcceptAnyRepository?: boolean;
}

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

const OPTIONS = [
  "trust",
  "expect",
  "thresholds",
  "limits",
  "signal",
  "unsafelyAcceptAnyRepository",
];
const TRUST = ["keys", "trustedRoots", "onlyRoot"];
const EXPECT = [
  "packageName",
  "packageVersion",
  "registry",
  "builderId",
  "repository",
  "repositoryId",
  "ownerId",
  "workflow",
  "ref",
  "identity",
  "provenance",
];

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

/** An attestation with what its checks established. */
interface Judged {
  row: AttestationReport;
  package?: NpmPackage;
  registry?: string;
  evaluation?: ProvenanceEvaluation;
}

type Named = NpmAttestation & { source: string };

async function firstGood(
  candidates: readonly Named[],
  judge: (one: Named) => Promise<Judged>,
): Promise<{ best?: Judged; others: AttestationReport[] }> {
  const judged = await Promise.all(candidates.map(judge));
  const best = judged.find(({ row }) => row.ok) ?? judged[0];
  return { best, others: judged.filter((one) => one !== best).map(({ row }) => row) };
}

/** Options, checked and copied. */
export interface Settings {
  keys: readonly NpmKey[];
  trust: Pick<Trust, "trustedRoots" | "onlyRoot">;
  expect: NpmExpectation;
  builderIds: readonly string[];
  registry?: string;
  refMatches?: (ref: string) => boolean;
  thresholds?: EvidenceThresholds;
  limits?: VerifyLimits;
  signal?: AbortSignal;
  anyRepository: boolean;
}

/** Throws a TypeError for anything that is not of its form. */
export function checkNpmOptions(options: NpmVerifyOptions): Settings {
  refuseUnknown(options, OPTIONS, "verifyNpmPackage()");
  const { trust, unsafelyAcceptAnyRepository: anyRepository = false } = options;
  if (typeof trust !== "object" || trust === null) throw new TypeError("trust is missing");
  refuseUnknown(trust, TRUST, "trust");
  if (!Array.isArray(trust.keys)) throw new TypeError("trust.keys is not an array");
  if (typeof options.expect !== "object" || options.expect === null) {
    throw new TypeError("expect is missing");
  }
  if (typeof anyRepository !== "boolean") {
    throw new TypeError("unsafelyAcceptAnyRepository is neither true nor false");
  }
  const expect = structuredClone(options.expect);
  const { builderIds, registry, refMatches } = checkNpmExpectation(expect);
  return {
    keys: [...trust.keys],
    trust: {
      ...(trust.trustedRoots === undefined ? {} : { trustedRoots: [...trust.trustedRoots] }),
      ...(trust.onlyRoot === undefined ? {} : { onlyRoot: trust.onlyRoot }),
    },
    expect,
    builderIds,
    registry,
    refMatches,
    thresholds: structuredClone(options.thresholds),
    limits: options.limits,
    signal: options.signal,
    anyRepository,
  };
}

/** Throws a TypeError for an expectation that could never be met or would mean nothing. */
export function checkNpmExpectation(
  expect: NpmExpectation,
): Pick<Settings, "builderIds" | "registry" | "refMatches"> {
  refuseUnknown(expect, EXPECT, "expect");
  const { packageName, packageVersion, registry, ref } = expect;
  if (packageName !== undefined && !isNpmName(packageName)) {
    throw new TypeError(
      `expect.packageName is ${quote(String(packageName))}, no name of a package`,
    );
  }
  if (packageVersion !== undefined && !isNpmVersion(packageVersion)) {
    throw new TypeError(`expect.packageVersion is ${quote(String(packageVersion))}, no version`);
  }
  for (const name of ["repositoryId", "ownerId"] as const) {
    const value = expect[name];
    if (value !== undefined && (typeof value !== "string" || !/^\d{1,20}$/.test(value))) {
      throw new TypeError(`expect.${name} is no text of decimal digits`);
    }
  }
  for (const name of ["registry", "repository", "workflow"] as const) {
    const value = expect[name];
    if (value !== undefined && (typeof value !== "string" || value === "")) {
      throw new TypeError(`expect.${name} is no text`);
    }
  }
  const { builderId = [] } = expect;
  const builderIds = typeof builderId === "string" ? [builderId] : builderId;
  if (!Array.isArray(builderIds) || builderIds.some((id) => typeof id !== "string" || id === "")) {
    throw new TypeError("expect.builderId is neither a text nor several");
  }
  for (const id of builderIds) {
    assertProvenanceExpectation(provenanceOf(expect, id, expect.repository));
  }
  return {
    builderIds,
    registry: registry?.replace(/\/+$/, ""),
    ...(ref === undefined ? {} : { refMatches: matcherOf(ref) }),
  };
}

function matcherOf(ref: Matcher): (text: string) => boolean {
  if (typeof ref === "string") {
    if (!ref.startsWith("refs/")) {
      throw new TypeError(
        `expect.ref is ${quote(ref)}, wanted all of it, such as refs/tags/v1.2.3`,
      );
    }
    return (text) => text === ref;
  }
  if (typeof ref !== "object" || ref === null || typeof ref.pattern !== "string") {
    throw new TypeError("expect.ref is neither a text nor a pattern");
  }
  refuseUnknown(ref, ["pattern"], "expect.ref");
  try {
    // Alone first: an unbalanced group must not escape from the anchors.
    new RegExp(ref.pattern, "u");
    const expression = new RegExp(`^(?:${ref.pattern})$`, "u");
    return (text) => expression.test(text);
  } catch (cause) {
    throw new TypeError(`expect.ref ${quote(ref.pattern)} is no regular expression`, { cause });
  }
}

async function verifyPublish(
  { predicateType, bundle, source }: Named,
  artifact: DigestedArtifact,
  settings: Settings,
): Promise<Judged> {
  const keys = settings.keys.filter(({ usage }) =>
    usage === undefined || usage === "npm:attestations"
  );
  const hint = hintOf(bundle);
  // The hint only selects among keys that are all trusted; a foreign hint selects none.
  const named = keys.filter(({ keyid }) => keyid === hint);
  const { row, statement } = await verifyBundle(bundle, source, artifact, settings, {
    trust: { ...settings.trust, keys: named.map(({ key }) => key) },
    expect: { predicateType },
    // The log's time is what the key's period is compared with.
    thresholds: { log: 1, timestamp: 1 },
  });
  if (statement === undefined) return { row };
  const list = new CheckList();
  checkKeyPeriod(list, row, named);
  const found = checkSubject(list, statement, settings.expect);
  const registry = checkPublishPredicate(list, statement, found, settings.registry);
  return { row: extended(row, list), package: found, registry };
}

function hintOf({ verificationMaterial }: NpmAttestation["bundle"]): string | undefined {
  if (!isObject(verificationMaterial)) return undefined;
  const { publicKey } = verificationMaterial;
  return isObject(publicKey) && typeof publicKey.hint === "string" ? publicKey.hint : undefined;
}

function checkKeyPeriod(
  list: CheckList,
  { signers, timestamps }: AttestationReport,
  keys: readonly NpmKey[],
): void {
  const id = "envelope.key-period";
  const [signer] = signers;
  const fingerprint = keys.find(({ key }) => key.name === signer)?.key.fingerprint;
  const periods = keys.filter(({ key }) => key.fingerprint === fingerprint);
  const outside = timestamps.find(({ timestamp }) => {
    const time = parseTimestamp(timestamp);
    return time === undefined || !periods.some((key) => isValidAt(key, time));
  });
  if (timestamps.length > 0 && outside === undefined) {
    list.passed(id, "The registry's key was valid when it signed", { actual: signer });
    return;
  }
  list.refused(
    id,
    "key-not-valid",
    "Cannot accept publish attestation: the registry's key was not valid at the time of signing",
    { expected: periods.map(describePeriod).join(" or "), actual: outside?.timestamp ?? "no time" },
  );
}

function describePeriod({ validFrom, validUntil }: NpmKey): string {
  return `${validFrom?.toISOString() ?? "always"} to ${validUntil?.toISOString() ?? "now"}`;
}

/** The one subject is the package: a second one could lend its digest to another's name. */
function checkSubject(
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

function checkPublishPredicate(
  list: CheckList,
  { predicate }: Statement,
  found: NpmPackage | undefined,
  wanted: string | undefined,
): string | undefined {
  const id = "predicate.package";
  const { name, version, registry } = predicate ?? {};
  if (typeof name !== "string" || typeof version !== "string" || typeof registry !== "string") {
    list.refused(
      id,
      "malformed-predicate",
      "Cannot read publish predicate: name, version and registry are not all texts",
      { path: "/predicate" },
    );
    return undefined;
  }
  if (found !== undefined) {
    const facts = {
      path: "/predicate",
      expected: describePackage(found),
      actual: describePackage({ name, version }),
    };
    if (found.name === name && found.version === version) {
      list.passed(id, "The predicate names the same package as the subject", facts);
    } else {
      const message = "Cannot accept publish attestation: predicate and subject differ";
      list.refused(id, "package-mismatch", message, facts);
    }
  }
  const facts = { path: "/predicate/registry", expected: wanted, actual: registry };
  if (wanted === undefined) {
    list.passed("predicate.registry", "A trusted key signed for this registry", facts);
  } else if (registry.replace(/\/+$/, "") === wanted) {
    list.passed("predicate.registry", "The registry is the expected one", facts);
  } else {
    const message = `Cannot accept publish attestation: the registry is ${quote(registry)}`;
    list.refused("predicate.registry", "package-mismatch", message, facts);
  }
  return registry;
}

async function verifyProvenance(
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

function provenanceOf(
  { provenance }: NpmExpectation,
  builderId: string | undefined,
  sourceUri: string | undefined,
): ProvenanceExpectation {
  return {
    ...provenance,
    ...(sourceUri === undefined ? {} : { sourceUri }),
    ...(builderId === undefined ? {} : { builderId }),
  };
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

interface BundleOptions {
  trust: Trust;
  expect: Expectations;
  thresholds?: EvidenceThresholds;
}

/** One bundle, and nothing that it may be wrapped in. */
async function verifyBundle(
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
function extended(row: AttestationReport, list: CheckList): AttestationReport {
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

function rowOf(source: string, { checks, error }: CheckList): AttestationReport {
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
