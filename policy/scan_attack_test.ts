import { strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../internal/json.ts";
import { attestation, judgeOne, signer } from "./_fixtures_test.ts";

const alice = await signer("alice");
const RULE = { vulnerabilities: { maxSeverity: "medium" } } as const;

/** Why a good signer's scan with this content is refused. */
async function reasonOf(content: object): Promise<string | null> {
  const scan = attestation([alice], content as JsonObject);
  return (await judgeOne({ predicate: RULE }, [scan])).errorReason;
}

describe("a finding of a scan", () => {
  const SEVERE = "severity-too-high";
  const of = (result: unknown, more: object = {}) => reasonOf({ scanner: { result }, ...more });
  const trivy = { VulnerabilityID: "CVE-1", Severity: "CRITICAL" };
  const grype = { vulnerability: { id: "CVE-1", severity: "Critical" } };

  it("is not hidden by the rules by which the scanner set it aside", async () => {
    const modified = { Type: "vulnerability", Status: "not_affected", Finding: trivy };
    const sarif = { ruleId: "CVE-1", level: "error", suppressions: [{ kind: "external" }] };
    const headers = {
      ...grype,
      artifact: { name: "linux-libc-dev" },
      matchDetails: [{ type: "exact-indirect-match" }],
    };
    for (
      const result of [
        { SchemaVersion: 2, Results: [{ ExperimentalModifiedFindings: [modified] }] },
        { Results: [{ Vulnerabilities: [], ExperimentalModifiedFindings: [modified] }] },
        { matches: [], ignoredMatches: [grype] },
        { matches: [], ignoredMatches: [{ ...headers, artifact: { name: "openssl" } }] },
        { matches: [], ignoredMatches: [{ ...headers, matchDetails: [] }] },
        { matches: [], ignoredMatches: [{ ...headers, matchDetails: [{ type: "exact" }] }] },
        { runs: [{ results: [] }, { results: [sarif] }] },
      ]
    ) equal(await of(result), SEVERE, JSON.stringify(result));
    // Headers have no code of the kernel, and Grype sets them aside by itself.
    equal(await of({ matches: [], ignoredMatches: [headers] }), null);
    const secret = { Type: "secret", Finding: { RuleID: "x" } };
    equal(await of({ Results: [{ ExperimentalModifiedFindings: [secret] }] }), null);
  });

  it("of SARIF has no severity but by what it is", async () => {
    const sarif = (more: object) => of({ runs: [{ results: [{ ruleId: "CVE-1", ...more }] }] });
    const found: object[] = [
      {},
      { level: "none" },
      { level: "note" },
      { level: "warning", properties: { "security-severity": "1.0" } },
      { kind: "fail", level: "none" },
      { kind: "review", level: "none" },
      { kind: "open" },
      { kind: "PASS", level: "none" },
      { kind: "pass", level: "error" },
      { baselineState: "absent", level: "error" },
    ];
    for (const one of found) equal(await sarif(one), SEVERE, JSON.stringify(one));
    for (const kind of ["pass", "notApplicable", "informational"]) {
      equal(await sarif({ kind }), null, kind);
      equal(await sarif({ kind, level: "none" }), null, kind);
    }
  });

  it("is not passed over where it could lie in another place", async () => {
    const entry = { id: "CVE-0", severity: [{ method: "x", score: "0" }] };
    const run = { results: [] };
    const inline = { results: [{ ruleId: "CVE-1", level: "error" }] };
    for (
      const result of [
        { SchemaVersion: 2, results: [{ Vulnerabilities: [trivy] }] },
        { Results: [{ vulnerabilities: [trivy] }] },
        { Results: [{ Vulnerabilities: [{ ...trivy, Severity: "LOW", severity: "CRITICAL" }] }] },
        { Results: [{ ExperimentalModifiedFindings: [trivy] }] },
        { Results: [{ ExperimentalModifiedFindings: { 0: trivy } }] },
        { matches: [], Matches: [grype] },
        { SchemaVersion: 2, matches: [grype] },
        { SchemaVersion: 2, runs: [inline] },
        { SchemaVersion: 2, ignoredMatches: [grype] },
        { matches: [], inlineExternalProperties: [inline] },
        { matches: [], ignoredMatches: { 0: grype } },
        { matches: [], ignoredMatches: ["CVE-1"] },
        { matches: [], ignored_matches: [grype] },
        { runs: [run], inlineExternalProperties: [inline] },
        { runs: [{ ...run, externalPropertyFileReferences: { results: [{}] } }] },
        { runs: [{ ...run, Results: inline.results }] },
        { runs: [{ ...run, invocations: [{ executionSuccessful: false }] }] },
        [{ ...entry, vulnerability: { id: "CVE-1", severity: [] } }],
        [{ ...entry, vulnerability: null, Severity: [] }],
      ]
    ) equal(await of(result), "condition-error", JSON.stringify(result));
    equal(await of([], { Scanner: { result: [entry] } }), "condition-error");
    const twice = { scanner: { result: [], Result: [entry] } };
    equal(await reasonOf(twice), "condition-error");
    equal(await of([entry]), null);
    equal(await of({ runs: [{ ...run, invocations: [{ executionSuccessful: true }] }] }), null);
  });

  it("is lowered by no VEX statement, whoever makes it", async () => {
    const scan = attestation([alice], { scanner: { result: { matches: [grype] } } } as JsonObject);
    const vex = attestation([alice], {
      "@context": "https://openvex.dev/ns/v0.2.0",
      statements: [{
        vulnerability: { name: "CVE-1" },
        status: "not_affected",
        justification: "component_not_present",
      }],
    }, { predicateType: "https://openvex.dev/ns/v0.2.0" });
    for (const all of [[vex, scan], [scan, vex]]) {
      equal((await judgeOne({ predicate: RULE }, all)).ok, false);
    }
  });
});
