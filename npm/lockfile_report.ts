import type { AttestationError, Reason } from "../errors.ts";
import { printable } from "../internal/json.ts";
import type { BuildLevel } from "../slsa/expectation.ts";
import type { LockfileStatus } from "./history.ts";
import type { NpmReport } from "./package.ts";
import type { NpmSource } from "./source.ts";

/** What was found about one version of a package. */
export interface LockfilePackageReport {
  /** Name in the registry. */
  name: string;
  /** Version. */
  version: string;
  /** Where it is installed. */
  locations: string[];
  /** What was found. */
  status: LockfileStatus;
  /** Why it failed; null otherwise. */
  errorReason: Reason | null;
  /** For people: one line, no final period; absent when it verified. */
  message?: string;
  /** Whether its tarball was compared with the lockfile's digest. */
  tarball: "matched" | "absent" | "unchecked";
  /** Where it came from, as the certificate says; only when verified. */
  source?: NpmSource;
  /** Builder, as the provenance says; only when verified. */
  builderId?: string;
  /** Build level; only when verified and known. */
  level?: BuildLevel;
  /** A failure that is accepted for a while. */
  waived?: {
    /** What it would have failed with. */
    errorReason: Reason;
    /** Why it is accepted. */
    reason: string;
    /** Until when, RFC 3339. */
    until: string;
  };
  /** Every check; only when it failed and attestations were looked at. */
  report?: NpmReport;
}

/** How many packages there are of each kind. */
export interface LockfileSummary {
  /** Versions of packages in the lockfile, each once. */
  total: number;
  /** Both attestations verified. */
  verified: number;
  /** Without attestations. */
  unattested: number;
  /** Not from a registry. */
  local: number;
  /** Something is wrong. */
  failed: number;
  /** Accepted by a waiver; they are counted above as well. */
  waived: number;
  /** Tarballs that are not there. */
  absentTarballs: number;
  /** Failed ones by their reason. */
  reasons: { [reason: string]: number };
}

/** Answer of {@linkcode verifyLockfile}. */
export interface LockfileReport {
  /** True only if there is a package of a registry and none failed. */
  ok: boolean;
  /** Reason of the first package that failed, or of the lockfile; null when `ok`. */
  errorReason: Reason | null;
  /** The word that people look for. */
  verificationResult: "PASSED" | "FAILED";
  /** What is wrong with the lockfile itself. */
  message?: string;
  /** 2 or 3; absent if the lockfile cannot be read. */
  lockfileVersion?: number;
  /** Counts. */
  summary: LockfileSummary;
  /** Every package, in the order of the lockfile; none is left out. */
  packages: LockfilePackageReport[];
}

/** The report about all packages, with its sums. */
export function summarize(
  packages: LockfilePackageReport[],
  lockfileVersion: number,
): LockfileReport {
  const summary = emptySummary();
  summary.total = packages.length;
  const reasons = new Map<string, number>();
  for (const { status, errorReason, waived, tarball } of packages) {
    summary[status]++;
    if (waived !== undefined) summary.waived++;
    if (tarball === "absent") summary.absentTarballs++;
    if (errorReason !== null) reasons.set(errorReason, (reasons.get(errorReason) ?? 0) + 1);
  }
  summary.reasons = Object.fromEntries(reasons);
  const failed = packages.find(({ status }) => status === "failed");
  const errorReason: Reason | null = failed?.errorReason ??
    (summary.local === summary.total ? "artifact-required" : null);
  const ok = errorReason === null;
  return {
    ok,
    errorReason,
    verificationResult: ok ? "PASSED" : "FAILED",
    ...(failed === undefined && !ok
      ? { message: "The lockfile has no package of a registry" }
      : {}),
    lockfileVersion,
    summary,
    packages,
  };
}

function emptySummary(): LockfileSummary {
  return {
    total: 0,
    verified: 0,
    unattested: 0,
    local: 0,
    failed: 0,
    waived: 0,
    absentTarballs: 0,
    reasons: {},
  };
}

/** The report about a lockfile that cannot be read. */
export function unreadable(error: AttestationError): LockfileReport {
  const where = error.path === undefined || error.path === "" ? "" : ` at ${error.path}`;
  return {
    ok: false,
    errorReason: error.reason,
    verificationResult: "FAILED",
    message: printable(`${error.message}${where}`, 400),
    summary: emptySummary(),
    packages: [],
  };
}
