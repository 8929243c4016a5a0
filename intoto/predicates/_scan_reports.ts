import { isObject, type Json, type JsonObject } from "../../internal/json.ts";
import { otherSpelling } from "../../internal/member_names.ts";
import type { VulnerabilityFinding, VulnerabilitySeverity } from "./vulns.ts";

/** One finding of a report, `null` if it is of something else, or undefined if it is none. */
type ReadFinding = (value: JsonObject) => VulnerabilityFinding | null | undefined;

const isMisspelledScan = otherSpelling(["scanner", "result"]);
const isMisspelledReport = otherSpelling([
  "SchemaVersion",
  "Results",
  "matches",
  "ignoredMatches",
  "runs",
  "inlineExternalProperties",
]);
const isMisspelledEntry = otherSpelling(["id", "severity", "vulnerability", "method", "score"]);
const isMisspelledTrivy = otherSpelling([
  "Vulnerabilities",
  "ExperimentalModifiedFindings",
  "VulnerabilityID",
  "Severity",
  "Type",
  "Finding",
]);
const isMisspelledGrype = otherSpelling(["vulnerability", "id", "severity"]);
const isMisspelledSarif = otherSpelling([
  "results",
  "externalPropertyFileReferences",
  "invocations",
  "ruleId",
  "level",
  "kind",
]);

/** What a scan found; undefined if its form is not known, or leaves open what it found. */
export function readScan(predicate: JsonObject): VulnerabilityFinding[] | undefined {
  const { scanner } = predicate;
  if (!isObject(scanner) || isMisspelledScan(predicate) || isMisspelledScan(scanner)) {
    return undefined;
  }
  const { result } = scanner;
  if (Array.isArray(result)) return readAll(result, readEntry);
  if (!isObject(result) || isMisspelledReport(result)) return undefined;
  // A report in two forms would be read in one of them only.
  const has = (...names: string[]): boolean => names.some((name) => result[name] !== undefined);
  const isTrivy = has("Results", "SchemaVersion");
  const isGrype = has("matches", "ignoredMatches");
  const isSarif = has("runs", "inlineExternalProperties");
  if ([isTrivy, isGrype, isSarif].filter((one) => one).length !== 1) return undefined;
  if (isTrivy) return flatten(result.Results ?? [], readTrivyResult);
  if (Array.isArray(result.matches)) {
    const found = readAll(result.matches, readGrype);
    const ignored = readAll(result.ignoredMatches ?? [], readIgnoredGrype);
    return found === undefined || ignored === undefined ? undefined : [...found, ...ignored];
  }
  const { runs = null, inlineExternalProperties: inline } = result;
  const isNothing = Array.isArray(runs) && runs.length === 0;
  return isNothing || inline !== undefined ? undefined : flatten(runs, readSarifRun);
}

/** One entry that is not understood makes the whole list not understood. */
function readAll(list: Json, read: ReadFinding): VulnerabilityFinding[] | undefined {
  if (!Array.isArray(list)) return undefined;
  const found: VulnerabilityFinding[] = [];
  for (const value of list) {
    const finding = isObject(value) ? read(value) : undefined;
    if (finding === undefined || finding?.id === "") return undefined;
    if (finding !== null) found.push(finding);
  }
  return found;
}

function flatten(
  list: Json,
  read: (part: JsonObject) => VulnerabilityFinding[] | undefined,
): VulnerabilityFinding[] | undefined {
  if (!Array.isArray(list)) return undefined;
  const found: VulnerabilityFinding[] = [];
  for (const part of list) {
    const findings = isObject(part) ? read(part) : undefined;
    if (findings === undefined) return undefined;
    for (const finding of findings) found.push(finding);
  }
  return found;
}

/** in-toto's own form, v0.2 or v0.1. */
function readEntry(value: JsonObject): VulnerabilityFinding | undefined {
  const vulnerability = value.vulnerability ?? undefined;
  // What is of both forms would be read in one of them only.
  if (vulnerability !== undefined && value.id !== undefined) return undefined;
  const inner = isObject(vulnerability) ? vulnerability : value;
  const { id, severity } = inner;
  if (typeof id !== "string" || isMisspelledEntry(value) || isMisspelledEntry(inner)) {
    return undefined;
  }
  const severities: VulnerabilitySeverity[] = [];
  for (const entry of Array.isArray(severity) ? severity : []) {
    if (!isObject(entry) || isMisspelledEntry(entry)) return undefined;
    severities.push({ method: textOf(entry.method), score: textOf(entry.score) });
  }
  return { id, severities };
}

/** Findings of one target, with those that Trivy was told to pass over. */
function readTrivyResult(part: JsonObject): VulnerabilityFinding[] | undefined {
  if (isMisspelledTrivy(part)) return undefined;
  const found = readAll(part.Vulnerabilities ?? [], readTrivy);
  const modified = readAll(part.ExperimentalModifiedFindings ?? [], (value) => {
    const { Type: type, Finding: finding } = value;
    if (typeof type !== "string" || !isObject(finding) || isMisspelledTrivy(value)) {
      return undefined;
    }
    return type === "vulnerability" ? asSuppressed(readTrivy(finding)) : null;
  });
  return found === undefined || modified === undefined ? undefined : [...found, ...modified];
}

function readTrivy(value: JsonObject): VulnerabilityFinding | undefined {
  const { VulnerabilityID: id, Severity: score, SeveritySource: method, PkgIdentifier } = value;
  if (typeof id !== "string" || isMisspelledTrivy(value)) return undefined;
  const purl = isObject(PkgIdentifier) ? PkgIdentifier.PURL : undefined;
  return finding(id, textOf(method) || "trivy", score, purl ?? value.PkgName);
}

function readGrype(value: JsonObject): VulnerabilityFinding | undefined {
  const { vulnerability, artifact } = value;
  if (!isObject(vulnerability) || typeof vulnerability.id !== "string") return undefined;
  if (isMisspelledGrype(value) || isMisspelledGrype(vulnerability)) return undefined;
  const { purl, name } = isObject(artifact) ? artifact : {};
  return finding(vulnerability.id, "grype", vulnerability.severity, purl ?? name);
}

/**
 * A match that Grype was told to ignore. What it ignores by itself is no finding: by the
 * version of its source, the headers of the kernel match what is wrong with the kernel.
 */
function readIgnoredGrype(value: JsonObject): VulnerabilityFinding | null | undefined {
  const { artifact, matchDetails } = value;
  const name = isObject(artifact) ? textOf(artifact.name) : "";
  const isHeaders = name === "linux-libc-dev" ||
    (/^(?:kernel|linux)-/.test(name) && name.includes("headers"));
  const isIndirect = Array.isArray(matchDetails) && matchDetails.length > 0 &&
    matchDetails.every((one) => isObject(one) && one.type === "exact-indirect-match");
  return isHeaders && isIndirect ? null : asSuppressed(readGrype(value));
}

/**
 * Results of one run. Without a list it looked for nothing; an empty one says that it found
 * nothing, unless it did not succeed or has results in another place.
 */
function readSarifRun(run: JsonObject): VulnerabilityFinding[] | undefined {
  const { results, externalPropertyFileReferences: external, invocations } = run;
  if (isMisspelledSarif(run)) return undefined;
  if (external !== undefined && external !== null) {
    if (!isObject(external) || external.results !== undefined) return undefined;
  }
  const failed = Array.isArray(invocations) &&
    invocations.some((one) => isObject(one) && one.executionSuccessful === false);
  return failed ? undefined : readAll(results, readSarif);
}

/**
 * A level says how bad a result is that fails, and `none` only of one that does not; a result
 * that somebody has to look at may be one.
 *
 * Source: SARIF 2.1.0, 3.27.9 and 3.27.10.
 */
function readSarif(value: JsonObject): VulnerabilityFinding | undefined {
  const { ruleId, level, kind, suppressions } = value;
  if (typeof ruleId !== "string" || isMisspelledSarif(value)) return undefined;
  const isNone = level === undefined || level === "none";
  const isGood = ["pass", "notApplicable", "informational"].some((one) => one === kind);
  const found = finding(ruleId, "sarif", isNone ? (isGood ? "none" : undefined) : level, undefined);
  return Array.isArray(suppressions) && suppressions.length > 0 ? asSuppressed(found) : found;
}

function asSuppressed(found: VulnerabilityFinding | undefined): VulnerabilityFinding | undefined {
  return found === undefined ? undefined : { ...found, suppressed: true };
}

function finding(
  id: string,
  method: string,
  score: unknown,
  found: unknown,
): VulnerabilityFinding {
  const severities = typeof score === "string" ? [{ method, score }] : [];
  return typeof found === "string" ? { id, severities, package: found } : { id, severities };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
