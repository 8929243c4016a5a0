import type { Json, JsonObject } from "../../internal/json.ts";
import type { Fields } from "./_fields.ts";
import { readScan } from "./_scan_reports.ts";
import { defineChecked, type PredicateKind } from "./kind.ts";

/** How bad a vulnerability is, by one method. */
export interface VulnerabilitySeverity {
  /** How it was scored: `nvd`, `cvss_v3`. */
  method: string;
  /** The score as the method writes it. */
  score: string;
}

/** A scanner and its data. */
export interface VulnerabilityScanner {
  /** URI of the scanner. */
  uri: string;
  /** Its version. */
  version?: string | null;
  /** Its database. */
  db?: {
    /** Where it came from. */
    uri?: string | null;
    /** Its version. */
    version?: string | null;
    /** When it was last updated: RFC 3339 with `Z`. */
    lastUpdate: string;
  } | null;
}

/** When a scan was made. */
export interface ScanMetadata {
  /** RFC 3339 with `Z`. */
  scanStartedOn: string;
  /** RFC 3339 with `Z`. */
  scanFinishedOn: string;
}

/** What a scan found, v0.2. */
export interface VulnerabilityScan {
  /** The scanner, and what it found: empty if it found nothing. */
  scanner: VulnerabilityScanner & {
    /** What it found. */
    result: {
      /** `CVE-…`, `GHSA-…`. */
      id: string;
      /** One score or more. */
      severity: VulnerabilitySeverity[];
      /** What else is said of it. */
      annotations?: JsonObject[] | JsonObject | null;
    }[];
  };
  /** When it was made. */
  metadata: ScanMetadata;
}

/** What a scan found, v0.1. */
export interface VulnerabilityScanV01 {
  /** The scanner, and what it found: empty if it found nothing. */
  scanner: VulnerabilityScanner & {
    /** What it found. */
    result: {
      /** The vulnerability. */
      vulnerability: {
        /** `CVE-…`, `GHSA-…`. */
        id: string;
        /** Scores. */
        severity?: VulnerabilitySeverity[] | null;
        /** What else is said of it. */
        annotations?: JsonObject[] | JsonObject | null;
      };
    }[];
  };
  /** When it was made. */
  metadata: ScanMetadata;
}

/** What a scan found, in cosign's form: the scanner's own report. */
export interface CosignVulnerabilityScan {
  /** The run. */
  invocation?: {
    /** What the run was given. */
    parameters?: Json;
    /** Page of the run. */
    uri?: string | null;
    /** Id of the run. */
    event_id?: string | null;
    /** The platform; the name has a dot in it. */
    "builder.id"?: string | null;
  } | null;
  /** The scanner and its report. */
  scanner: {
    /** URI of the scanner. */
    uri?: string | null;
    /** Its version. */
    version?: string | null;
    /** Its database. */
    db?: {
      /** Where it came from. */
      uri?: string | null;
      /** Its version. */
      version?: string | null;
    } | null;
    /** The report in the scanner's own form. */
    result?: Json;
  };
  /** When it was made; an offset is accepted. */
  metadata: ScanMetadata;
}

/** One vulnerability that a scan found. */
export interface VulnerabilityFinding {
  /** `CVE-…`, `GHSA-…`. */
  id: string;
  /** Scores; may be empty. */
  severities: VulnerabilitySeverity[];
  /** What it was found in, if the report says so: a package URL or a name. */
  package?: string;
  /**
   * The report sets it aside: by a rule of whoever ran the scanner, a VEX statement or a
   * suppression of SARIF. Absent if it does not.
   */
  suppressed?: true;
}

/**
 * Vulnerability scan v0.2. An empty `result` says that nothing was found; an absent one is
 * missing.
 *
 * Source: in-toto attestation, spec/predicates/vuln.md, v0.2.
 *
 * @example
 * ```ts
 * import { vulnsPredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const metadata = {
 *   scanStartedOn: "2025-01-02T03:04:05Z",
 *   scanFinishedOn: "2025-01-02T03:04:06Z",
 * };
 * const scanner = { uri: "https://example.com/scanner", result: [] };
 * assert.deepEqual(vulnsPredicate.validate({ scanner, metadata }), []);
 * ```
 */
export const vulnsPredicate: PredicateKind<VulnerabilityScan> = defineChecked<VulnerabilityScan>({
  name: "vulns",
  predicateTypes: ["https://in-toto.io/attestation/vulns/v0.2"],
  check(scan) {
    checkScanner(scan.object("scanner", "required"), (found) => {
      found.text("id", "required");
      checkSeverities(found, "required");
    });
    checkMetadata(scan, "Z");
  },
});

/**
 * Vulnerability scan v0.1.
 *
 * Source: in-toto attestation, spec/predicates/vuln.md, v0.1.
 *
 * @example
 * ```ts
 * import { vulns01Predicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * assert.equal(vulns01Predicate.validate({})[0].path, "/scanner");
 * ```
 */
export const vulns01Predicate: PredicateKind<VulnerabilityScanV01> = defineChecked<
  VulnerabilityScanV01
>({
  name: "vulns-v0.1",
  predicateTypes: ["https://in-toto.io/attestation/vulns/v0.1"],
  check(scan) {
    checkScanner(scan.object("scanner", "required"), (found) => {
      const vulnerability = found.object("vulnerability", "required");
      vulnerability?.text("id", "required");
      if (vulnerability !== undefined) checkSeverities(vulnerability, "optional");
    });
    checkMetadata(scan, "Z");
  },
});

/**
 * cosign's vulnerability scan v1; the scanner's report is passed through.
 *
 * Source: sigstore/cosign, specs/COSIGN_VULN_ATTESTATION_SPEC.md.
 *
 * @example
 * ```ts
 * import { cosignVulnPredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const scan = cosignVulnPredicate.parse({
 *   scanner: { uri: "pkg:github/aquasecurity/trivy@0.50.0", result: { Results: [] } },
 *   metadata: {
 *     scanStartedOn: "2025-01-02T03:04:05Z",
 *     scanFinishedOn: "2025-01-02T04:04:05+01:00",
 *   },
 * });
 * assert.deepEqual(scan.scanner.result, { Results: [] });
 * ```
 */
export const cosignVulnPredicate: PredicateKind<CosignVulnerabilityScan> = defineChecked<
  CosignVulnerabilityScan
>({
  name: "vuln",
  predicateTypes: ["https://cosign.sigstore.dev/attestation/vuln/v1"],
  check(scan) {
    const invocation = scan.object("invocation");
    for (const name of ["uri", "event_id", "builder.id"]) invocation?.text(name);
    const scanner = scan.object("scanner", "required");
    scanner?.text("uri");
    scanner?.text("version");
    const db = scanner?.object("db");
    db?.text("uri");
    db?.text("version");
    checkMetadata(scan, "any");
  },
});

/**
 * What a scan found: `id` and severities, whatever the form of the predicate.
 *
 * In cosign's form the report is the scanner's own: those of Trivy, Grype and SARIF are
 * understood. What a report lists as ignored or suppressed is listed too, with `suppressed`,
 * but for the headers of the kernel in Grype's, where it takes them for the kernel.
 *
 * @param predicate A vulnerability scan: v0.1, v0.2 or cosign's.
 * @returns The findings in their order; empty if nothing was found; **undefined** if the
 * form of the report is not known, or results may lie elsewhere, which does not say that
 * nothing was found.
 *
 * @example A report that is not understood is not an empty one
 * ```ts
 * import { listVulnerabilities } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const found = [{ id: "CVE-2024-1", severity: [{ method: "nvd", score: "9.8" }] }];
 * const [first] = listVulnerabilities({ scanner: { result: found } }) ?? [];
 * assert.equal(first.id, "CVE-2024-1");
 * assert.deepEqual(listVulnerabilities({ scanner: { result: [] } }), []);
 * assert.equal(listVulnerabilities({ scanner: { result: { lines: 3 } } }), undefined);
 * ```
 */
export function listVulnerabilities(predicate: object): VulnerabilityFinding[] | undefined {
  return readScan(predicate as JsonObject);
}

function checkScanner(scanner: Fields | undefined, checkFinding: (found: Fields) => void): void {
  if (scanner === undefined) return;
  scanner.text("uri", "required");
  scanner.text("version");
  const db = scanner.object("db");
  db?.text("uri");
  db?.text("version");
  db?.timestamp("lastUpdate", "required");
  for (const found of scanner.objects("result", "present")) checkFinding(found);
}

function checkSeverities(found: Fields, need: "required" | "optional"): void {
  for (const severity of found.objects("severity", need)) {
    severity.text("method", "required");
    severity.text("score", "required");
  }
  const { annotations } = found.value;
  if (Array.isArray(annotations)) found.objects("annotations");
  else found.object("annotations");
}

function checkMetadata(scan: Fields, zone: "Z" | "any"): void {
  const metadata = scan.object("metadata", "required");
  const started = metadata?.timestamp("scanStartedOn", "required", zone);
  const finished = metadata?.timestamp("scanFinishedOn", "required", zone);
  if (started !== undefined && finished !== undefined && finished < started) {
    metadata?.contradiction("scanFinishedOn", "it finished before it started");
  }
}
