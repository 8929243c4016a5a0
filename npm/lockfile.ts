import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import { asRefusal } from "../internal/check_list.ts";
import { printable } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { mapWindow } from "../internal/window.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import { digestArtifact } from "../verify/artifact.ts";
import type { ArtifactContent, EvidenceThresholds } from "../verify/options.ts";
import {
  isRequired,
  type NpmExpectations,
  type NpmRule,
  type NpmWaivable,
  RULE_MEMBERS,
  ruleOf,
  toExpectation,
} from "./expectations.ts";
import { History, type NpmHistory } from "./history.ts";
import { type LockedPackage, type Lockfile, parseLockfile } from "./lockfile_parse.ts";
import {
  type LockfilePackageReport,
  type LockfileReport,
  summarize,
  unreadable,
} from "./lockfile_report.ts";
import { checkNpmExpectation, type NpmTrust } from "./package_options.ts";
import { verifyNpmPackage } from "./package.ts";
import { describePackage, type NpmPackage } from "./purl.ts";

/** Where tarballs and answers of the registry are found; nothing of it is believed. */
export interface NpmPackageSource {
  /** The tarball, or undefined if it is not there. */
  tarball(one: LockedPackage): Promise<ArtifactContent | undefined>;
  /** The registry's answer about its attestations, or undefined if there is none. */
  attestations(
    one: NpmPackage & {
      /** Where the lockfile has the tarball from. */
      resolved?: string;
    },
  ): Promise<string | Uint8Array | undefined>;
}

/** Options of {@linkcode verifyLockfile}. Unknown names are refused. */
export interface LockfileOptions {
  /** Who is believed. */
  trust: NpmTrust;
  /** What is expected of each package. Default: nothing, so that attested ones are refused. */
  expectations?: NpmExpectations;
  /** What an earlier run found: what got worse since is refused. */
  previous?: NpmHistory;
  /** Refuses a package whose tarball is not there. Default false: the lockfile's digest counts. */
  requireTarballs?: boolean;
  /** How much independent evidence the provenance needs. */
  thresholds?: EvidenceThresholds;
  /** Packages that are verified at the same time. Default 16. */
  concurrency?: number;
  /** When waivers are judged. Default now. */
  now?: Date;
  /** Stops the work; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Called after each package. */
  onProgress?: (progress: LockfileProgress) => void;
}

/** How far `verifyLockfile()` has got. */
export interface LockfileProgress {
  /** Packages done. */
  done: number;
  /** Packages in all. */
  total: number;
  /** The package that was done last. */
  package: LockfilePackageReport;
}

const OPTIONS = [
  "trust",
  "expectations",
  "previous",
  "requireTarballs",
  "thresholds",
  "concurrency",
  "now",
  "signal",
  "onProgress",
];

/**
 * Verifies every package of a `package-lock.json`: the tarball against the lockfile's
 * SHA-512, and its publish attestation and provenance against what is expected of it. Each
 * version is verified once, however often it is installed.
 *
 * Packages without attestations and those that do not come from a registry are listed. They
 * fail where a rule requires attestations, and where an earlier run saw attestations
 * (`provenance-lost`). A package that is built from another repository than before fails
 * with `repository-changed`; its number decides, not its name.
 *
 * @param lockfile Text or bytes of a lockfile of version 2 or 3.
 * @param source Where tarballs and answers are found; `createFolderSource()` makes one.
 * @param options Whom to believe and what to expect.
 * @returns A report with every package and one summary. Reasons are those of
 * `verifyNpmPackage()`, and `malformed-lockfile`, `missing-integrity`, `integrity-mismatch`,
 * `unsupported-digest-algorithm`, `artifact-required` (a tarball that must be there is not,
 * or the lockfile has no package of a registry), `missing-provenance`, `provenance-lost`,
 * `repository-changed`.
 * @throws {TypeError} If an option is unknown or not of its form.
 * @throws The reason of `options.signal`, when it is aborted.
 *
 * @example A lockfile whose one package has no attestations
 * ```ts
 * import { verifyLockfile } from "@x/attest/npm";
 * import assert from "node:assert/strict";
 *
 * const lockfile = JSON.stringify({
 *   lockfileVersion: 3,
 *   packages: {
 *     "node_modules/a": { version: "1.0.0", integrity: `sha512-${"A".repeat(86)}==` },
 *   },
 * });
 * const nothing = {
 *   tarball: () => Promise.resolve(undefined),
 *   attestations: () => Promise.resolve(undefined),
 * };
 * const { summary } = await verifyLockfile(lockfile, nothing, { trust: { keys: [] } });
 * assert.equal(summary.unattested, 1);
 * ```
 */
export async function verifyLockfile(
  lockfile: string | Uint8Array,
  source: NpmPackageSource,
  options: LockfileOptions,
): Promise<LockfileReport> {
  const { concurrency = 16, signal, onProgress, now = new Date(), ...rest } = options;
  checkLockfileOptions(options);
  signal?.throwIfAborted();
  let read: Lockfile;
  try {
    read = parseLockfile(lockfile);
  } catch (error) {
    return unreadable(asRefusal(error));
  }
  const context: Context = {
    ...rest,
    source,
    signal,
    now,
    expectations: rest.expectations ?? {},
    history: new History(rest.previous ?? { packages: [] }),
  };
  let done = 0;
  const packages = await mapWindow(read.packages, concurrency, async (one) => {
    signal?.throwIfAborted();
    const found = await verifyOne(one, context);
    done++;
    onProgress?.({ done, total: read.packages.length, package: found });
    return found;
  });
  signal?.throwIfAborted();
  return summarize(packages, read.lockfileVersion);
}

function checkLockfileOptions(options: LockfileOptions): void {
  refuseUnknown(options, OPTIONS, "verifyLockfile()");
  const { concurrency = 16, requireTarballs = false, expectations = {}, now } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new TypeError(`concurrency is ${concurrency}, wanted an integer >= 1`);
  }
  if (typeof requireTarballs !== "boolean") {
    throw new TypeError("requireTarballs is neither true nor false");
  }
  if (now !== undefined && !(now instanceof Date && !Number.isNaN(now.getTime()))) {
    throw new TypeError("now is no Date");
  }
  if (typeof options.trust !== "object" || options.trust === null) {
    throw new TypeError("trust is missing");
  }
  refuseUnknown(expectations, ["defaults", "packages"], "expectations");
  const { defaults = {}, packages = {} } = expectations;
  for (const rule of [defaults, ...Object.values(packages)]) {
    refuseUnknown(rule, RULE_MEMBERS, "a rule about packages");
    checkNpmExpectation(toExpectation(rule, { name: "any", version: "0.0.0" }));
  }
}

interface Context {
  trust: NpmTrust;
  source: NpmPackageSource;
  expectations: NpmExpectations;
  history: History;
  requireTarballs?: boolean;
  thresholds?: EvidenceThresholds;
  signal?: AbortSignal;
  now: Date;
}

async function verifyOne(one: LockedPackage, context: Context): Promise<LockfilePackageReport> {
  const found: LockfilePackageReport = {
    name: one.name,
    version: one.version,
    locations: one.locations.map((location) => printable(location)),
    status: "verified",
    errorReason: null,
    tarball: "unchecked",
  };
  const rule = ruleOf(context.expectations, one.name);
  try {
    if (one.error !== undefined) throw one.error;
    if (one.local !== undefined) return judgeLocal(one, found, rule, context);
    await verifyAttested(one, found, rule, context);
  } catch (error) {
    if (context.signal?.aborted === true) throw error;
    if (!isAttestationError(error)) throw error;
    fail(found, error, rule, context.now);
  }
  return found;
}

/** The user's own folders are no packages of somebody else; the rest could stand for one. */
function judgeLocal(
  one: LockedPackage,
  found: LockfilePackageReport,
  rule: NpmRule,
  { now }: Context,
): LockfilePackageReport {
  found.status = "local";
  found.message = `Not from a registry: ${one.local}`;
  if (one.local !== "link" && one.local !== "workspace" && isRequired(rule)) {
    const message = `Cannot accept package: it does not come from a registry (${one.local})`;
    fail(found, new AttestationError("missing-provenance", message), rule, now);
  }
  return found;
}

async function verifyAttested(
  one: LockedPackage,
  found: LockfilePackageReport,
  rule: NpmRule,
  context: Context,
): Promise<void> {
  const { name, version, sha512 = "" } = one;
  const digest = await digestOf(one, found, context);
  const answer = await context.source.attestations(one);
  if (answer === undefined) {
    found.status = "unattested";
    found.message = "No attestations";
    const lost = context.history.lost(name, version);
    if (lost !== undefined) fail(found, lost, rule, context.now);
    else if (isRequired(rule)) {
      const message = "Cannot accept package: it has no attestations, and they are required";
      fail(found, new AttestationError("missing-provenance", message), rule, context.now);
    }
    return;
  }
  const artifact = { name: describePackage(one), digest: digest ?? { sha512 } };
  const report = await verifyNpmPackage(answer, artifact, {
    trust: context.trust,
    expect: toExpectation(rule, { name, version }),
    ...(context.thresholds === undefined ? {} : { thresholds: context.thresholds }),
    ...(context.signal === undefined ? {} : { signal: context.signal }),
    ...(rule.anyRepository === true ? { unsafelyAcceptAnyRepository: true } : {}),
  });
  if (!report.ok) {
    found.report = report;
    const checks = report.artifacts[0].attestations.flatMap(({ checks }) => checks);
    const failed = checks.find(({ reason }) => reason === report.errorReason);
    const lost = isAbsence(report.errorReason) ? context.history.lost(name, version) : undefined;
    const reason = report.errorReason ?? "internal-error";
    const message = failed?.message ?? "Cannot accept package";
    fail(found, lost ?? new AttestationError(reason, message), rule, context.now);
    return;
  }
  if (report.source !== undefined) found.source = report.source;
  if (report.provenance !== undefined) found.builderId = printable(report.provenance.builderId);
  if (report.level !== undefined) found.level = report.level;
  const changed = context.history.changed(name, report.source ?? {});
  if (changed !== undefined) fail(found, changed, rule, context.now);
}

function isAbsence(reason: Reason | null): boolean {
  return reason === "missing-provenance" || reason === "missing-publish-attestation";
}

/** Digests of the tarball, which must be what the lockfile asks for. */
async function digestOf(
  one: LockedPackage,
  found: LockfilePackageReport,
  { source, signal, requireTarballs }: Context,
): Promise<DigestSet | undefined> {
  const content = await source.tarball(one);
  if (content === undefined) {
    found.tarball = "absent";
    if (requireTarballs !== true) return undefined;
    throw new AttestationError("artifact-required", "Cannot verify package: its tarball is absent");
  }
  const { digest } = await digestArtifact({ content }, 0, {
    algorithms: ["sha256", "sha512"],
    signal,
    onBytes: () => signal?.throwIfAborted(),
  });
  if (digest.sha512 !== one.sha512) {
    throw new AttestationError(
      "integrity-mismatch",
      "Cannot accept package: the tarball is not what the lockfile asks for",
    );
  }
  found.tarball = "matched";
  return digest;
}

/** Records a failure, or that a waiver accepts it. */
function fail(
  found: LockfilePackageReport,
  { reason, message }: AttestationError,
  { waiver }: NpmRule,
  now: Date,
): void {
  found.message = printable(message, 400);
  if (
    waiver !== undefined && waiver.accept.includes(reason as NpmWaivable) && now <= waiver.until
  ) {
    found.waived = {
      errorReason: reason,
      reason: printable(waiver.reason),
      until: waiver.until.toISOString(),
    };
    if (reason !== "repository-changed" && found.status === "verified") {
      found.status = "unattested";
    }
    return;
  }
  found.status = "failed";
  found.errorReason = reason;
  delete found.source;
  delete found.builderId;
  delete found.level;
}
