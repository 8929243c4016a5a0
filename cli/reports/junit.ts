import { printable } from "../../internal/json.ts";
import type { JudgedArtifact, Judgement, ReportNode } from "./findings.ts";

/** Cases that are written one by one; of artifacts beyond that only the verdict is. */
export const MAX_JUNIT_CASES = 100_000;

const MAX_NAME = 300;
const MAX_TEXT = 1000;

/**
 * JUnit XML: a suite for each artifact, a case for each check or rule. What is waived or not
 * applicable is skipped, as are the failures of a permissive policy.
 */
export function junitReport(judgement: Judgement): string {
  const permissive = judgement.mode === "permissive";
  const suites: string[] = [];
  const total = { tests: 0, failures: 0, skipped: 0 };
  for (const artifact of judgement.artifacts) {
    const cases = total.tests < MAX_JUNIT_CASES ? casesOf(artifact) : [verdictOf(artifact)];
    const name = xml(artifact.name, MAX_NAME);
    const { place } = artifact;
    const at = place === undefined
      ? ""
      : ` file="${xml(place.file, MAX_NAME)}"${
        place.line === undefined ? "" : ` line="${place.line}"`
      }`;
    let failures = 0;
    let skipped = 0;
    let body = "";
    for (const { node, source } of cases) {
      const from = source === undefined ? "" : ` (${source})`;
      const open = `    <testcase classname="${name}" name="${xml(node.id + from, MAX_NAME)}"${at}`;
      const inner = resultOf(node, permissive);
      if (inner.startsWith("<failure")) failures++;
      else if (inner.startsWith("<skipped")) skipped++;
      body += inner === "" ? `${open}/>\n` : `${open}>${inner}</testcase>\n`;
    }
    suites.push(
      `  <testsuite name="${name}" tests="${cases.length}" failures="${failures}" errors="0" ` +
        `skipped="${skipped}">\n${body}  </testsuite>\n`,
    );
    total.tests += cases.length;
    total.failures += failures;
    total.skipped += skipped;
  }
  return '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<testsuites name="attest verify" tests="${total.tests}" failures="${total.failures}" ` +
    `errors="0" skipped="${total.skipped}">\n${suites.join("")}</testsuites>\n`;
}

interface Case {
  node: ReportNode;
  source?: string;
}

/** The leaves that decide, each with the attestation that it is about. */
function casesOf(artifact: JudgedArtifact): Case[] {
  const cases: Case[] = [];
  const visit = (node: ReportNode, source: string | undefined) => {
    const from = node.source ?? source;
    const { children = [], outcome, waiver } = node;
    const fails = children.some((child) => child.outcome === "failed");
    // Where nothing failed as a whole, what did is another attestation that decides nothing.
    const parts = outcome === "failed"
      ? (fails ? children : [])
      : children.filter((child) => child.outcome !== "failed");
    if (parts.length === 0 || waiver !== undefined || outcome === "not-applicable") {
      cases.push({ node, source: from });
    } else for (const child of parts) visit(child, from);
  };
  for (const node of artifact.nodes) visit(node, undefined);
  const fails = cases.some(({ node }) => node.outcome === "failed");
  // The count of failures and the verdict never disagree.
  if (cases.length === 0 || fails === artifact.ok) cases.push(verdictOf(artifact));
  return cases;
}

function verdictOf(artifact: JudgedArtifact): Case {
  const first = artifact.nodes.find(({ outcome }) => outcome === "failed");
  const node: ReportNode = artifact.ok
    ? { id: "verdict", outcome: "passed", message: "Verified" }
    : {
      ...first,
      id: "verdict",
      outcome: "failed",
      message: first?.message ?? "Not verified",
      ...(artifact.errorReason === null ? {} : { reason: artifact.errorReason }),
    };
  return { node };
}

function resultOf(node: ReportNode, permissive: boolean): string {
  const { outcome, waiver } = node;
  if (outcome === "passed") return "";
  if (outcome === "failed" && !permissive) {
    const type = node.reason ?? "requirement-not-met";
    return `<failure message="${xml(node.message, MAX_TEXT)}" type="${type}">${
      details(node)
    }</failure>`;
  }
  let what = node.message;
  if (outcome === "failed") what = `Permissive policy, would fail (${node.reason}): ${what}`;
  else if (waiver !== undefined) {
    const owner = waiver.owner === undefined ? "" : ` by ${waiver.owner}`;
    what = `Waived${owner} until ${waiver.until}: ${waiver.reason}: ${what}`;
  } else if (outcome === "waived") what = `Waived: ${what}`;
  return `<skipped message="${xml(what, MAX_TEXT)}"/>`;
}

function details(node: ReportNode): string {
  const lines: string[] = [];
  const add = (label: string, value: string | undefined) => {
    if (value !== undefined && value !== "") lines.push(`${label}: ${xml(value, MAX_TEXT)}`);
  };
  add("reason", node.reason);
  add("expected", node.expected);
  add("found", node.actual);
  add("at", node.path);
  add("origin", node.origin);
  add("remedy", node.remedy);
  return lines.join("\n");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for content and attributes: nothing that XML 1.0 (2.2) has no place for. */
function xml(text: string, limit: number): string {
  return printable(text, limit).replace(/[\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"']/g, (letter) => ENTITIES[letter]);
}
