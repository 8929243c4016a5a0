import { encodeBase64 } from "../../internal/base64.ts";
import { utf8 } from "../../internal/bytes.ts";
import { printable } from "../../internal/json.ts";
import { sha256 } from "../../internal/sha256.ts";
import type { AttestationReport } from "../../verify/report.ts";
import { plural } from "../text.ts";
import { VERSION } from "../version.ts";
import {
  type Counts,
  countsOf,
  findingsOf,
  isWaived,
  type JudgedArtifact,
  type Judgement,
  type ReportNode,
} from "./findings.ts";
import { STYLE } from "./html_style.ts";

/** Artifacts that are shown in full, those that failed first. */
export const MAX_HTML_ARTIFACTS = 1000;
/** Nodes that are shown under all artifacts together. */
export const MAX_HTML_NODES = 50_000;
/** Artifacts of which more are folded, although they failed. */
const MAX_OPEN = 20;

const MAX_NAME = 300;
const MAX_TEXT = 2000;

type Tone = "pass" | "fail" | "warn" | "none";

/**
 * One page that is complete in itself: no script, nothing from elsewhere, a content security
 * policy that allows only its own style.
 */
export function htmlReport(judgement: Judgement): string {
  const counts = countsOf(judgement);
  const title = `${judgement.ok ? "PASSED" : "FAILED"}: ${counts.passed} of ${
    plural(counts.artifacts, "artifact")
  } verified`;
  const policy = `default-src 'none'; style-src 'sha256-${
    encodeBase64(sha256(utf8(STYLE)))
  }'; base-uri 'none'; form-action 'none'`;
  const budget = { nodes: MAX_HTML_NODES };
  const ordered = [
    ...judgement.artifacts.filter(({ ok }) => !ok),
    ...judgement.artifacts.filter(({ ok }) => ok),
  ];
  const shown = ordered.slice(0, MAX_HTML_ARTIFACTS);
  const articles = shown.map((artifact, i) => {
    const open = i < MAX_OPEN && (!artifact.ok || counts.artifacts === 1);
    return articleOf(artifact, { judgement, budget, open });
  });
  const hidden = ordered.slice(MAX_HTML_ARTIFACTS);
  const left = hidden.length === 0
    ? ""
    : `<p class="note">${plural(hidden.length, "artifact")} more, ${
      hidden.filter(({ ok }) => !ok).length
    } of them failed: see the report as JSON.</p>\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${headOf(judgement, counts)}
${summaryOf(judgement)}<section>
<h2>Artifacts</h2>
${articles.join("")}${left}</section>
</main>
<footer>attest ${VERSION}. What is marked unsigned is not protected by any signature.</footer>
</body>
</html>
`;
}

function headOf(judgement: Judgement, counts: Counts): string {
  const { ok, mode, policy, errorReason } = judgement;
  const tone: Tone = ok ? "pass" : mode === "permissive" ? "warn" : "fail";
  const rows: [string, string][] = [];
  if (policy !== undefined) {
    if (policy.name !== undefined) rows.push(["Policy", text(policy.name)]);
    rows.push(["Policy digest", code(`sha256:${policy.digest}`)]);
    rows.push(["Mode", mode === "permissive" ? "permissive: a failure is a warning" : mode]);
    rows.push(["Judged at", text(policy.time)]);
  }
  if (errorReason !== null) rows.push(["First reason", code(errorReason)]);
  const cells: [string, number, Tone][] = [
    ["artifacts", counts.artifacts, "none"],
    ["passed", counts.passed, counts.passed > 0 ? "pass" : "none"],
    ["waived", counts.waived, counts.waived > 0 ? "warn" : "none"],
    [
      "failed",
      counts.failed,
      counts.failed > 0 ? (mode === "permissive" ? "warn" : "fail") : "none",
    ],
  ];
  return `<header class="${tone}">
<h1>${ok ? "Passed" : "Failed"}<span>${counts.passed} of ${
    plural(counts.artifacts, "artifact")
  } verified</span></h1>
<ul class="counts">${
    cells.map(([label, count, one]) => `<li class="${one}"><b>${count}</b> ${label}</li>`).join("")
  }</ul>
${facts(rows)}</header>`;
}

const MAX_SUMMARY_ROWS = 200;

/** What failed and what is waived, as one table. */
function summaryOf(judgement: Judgement): string {
  const rows: string[] = [];
  let more = 0;
  for (const { artifact, node, reason } of findingsOf(judgement)) {
    if (rows.length === MAX_SUMMARY_ROWS) {
      more++;
      continue;
    }
    const { outcome, waiver } = node;
    const what = waiver === undefined
      ? text(node.message)
      : `${text(node.message)}<p class="remedy">${waiverText(waiver)}</p>`;
    rows.push(
      `<tr><td data-label="Result">${badge(outcome, judgement.mode)}</td>` +
        `<td data-label="Artifact">${code(artifact.name)}</td>` +
        `<td data-label="Check">${code(node.id)}<br><span class="dim">${text(reason)}</span></td>` +
        `<td data-label="What was found">${what}${
          node.remedy === undefined ? "" : `<p class="remedy">${text(node.remedy)}</p>`
        }</td></tr>\n`,
    );
  }
  if (rows.length === 0) return "";
  return `<section>
<h2>What needs attention</h2>
<table>
<thead><tr><th>Result</th><th>Artifact</th><th>Check</th><th>What was found</th></tr></thead>
<tbody>
${rows.join("")}</tbody>
</table>
${more === 0 ? "" : `<p class="note">${more} more.</p>\n`}</section>
`;
}

interface ArticleContext {
  judgement: Judgement;
  budget: { nodes: number };
  open: boolean;
}

function articleOf(artifact: JudgedArtifact, context: ArticleContext): string {
  const { judgement, open } = context;
  const { name, digest, ok, errorReason, place, attestations } = artifact;
  const outcome = ok ? (isWaived(artifact) ? "waived" : "passed") : "failed";
  const rows: [string, string][] = Object.entries(digest).map(([
    algorithm,
    hex,
  ]) => [text(algorithm), code(hex)]);
  if (place !== undefined && (place.file !== name || place.line !== undefined)) {
    const line = place.line === undefined ? "" : `, line ${place.line}`;
    rows.push(["Named in", `${code(place.file)}${line}`]);
  }
  const heading = judgement.policy === undefined ? "Checks" : "Rules";
  return `<details class="artifact ${toneOf(outcome, judgement.mode)}"${open ? " open" : ""}>
<summary>${badge(outcome, judgement.mode)}<strong>${text(name, MAX_NAME)}</strong>${
    errorReason === null ? "" : `<span class="dim">${errorReason}</span>`
  }</summary>
${facts(rows)}<h3>${heading}</h3>
${tree(artifact.nodes, context)}${attestationsOf(attestations)}</details>
`;
}

function tree(nodes: readonly ReportNode[], context: ArticleContext, parent?: ReportNode): string {
  const items: string[] = [];
  for (const node of nodes) {
    if (context.budget.nodes === 0) {
      items.push('<li class="note">More is in the report as JSON.</li>\n');
      break;
    }
    context.budget.nodes--;
    items.push(`<li>${nodeOf(node, context, parent)}</li>\n`);
  }
  if (items.length === 0) return '<p class="note">None.</p>\n';
  return `<ul class="tree${parent === undefined ? " top" : ""}">\n${items.join("")}</ul>\n`;
}

function nodeOf(node: ReportNode, context: ArticleContext, parent?: ReportNode): string {
  const { mode } = context.judgement;
  const rows: [string, string][] = [];
  const add = (label: string, value: string | undefined, html: (value: string) => string) => {
    if (value !== undefined && value !== "") rows.push([label, html(value)]);
  };
  add("Expected", node.expected, code);
  if (node.actual !== undefined) {
    const origin = node.origin === undefined ? "" : ` <span class="origin">${node.origin}</span>`;
    rows.push(["Found", code(node.actual) + origin]);
  } else if (node.origin !== undefined) rows.push(["Origin", text(node.origin)]);
  add("At", node.path, code);
  add("Attestation", node.source, code);
  const { children = [] } = node;
  const isDecided = children.some(({ outcome }) => outcome === node.outcome);
  if (!isDecided && node.outcome !== "passed") add("Reason", node.reason, code);
  add("Remedy", node.outcome === "failed" ? node.remedy : undefined, text);
  if (node.waiver !== undefined) rows.push(["Waiver", waiverText(node.waiver)]);
  // What failed below something that did not decides nothing.
  const decides = node.outcome === "failed"
    ? parent === undefined || parent.outcome === "failed"
    : node.outcome === "waived";
  const shown = node.outcome === "failed" && !decides ? "not met" : node.outcome;
  const line = `${badge(shown, mode)}<code class="id">${text(node.id)}</code>` +
    `<span class="message">${text(node.message)}</span>`;
  if (rows.length === 0 && children.length === 0) return `<div class="leaf">${line}</div>`;
  const open = decides ? " open" : "";
  return `<details${open}><summary>${line}</summary>${facts(rows)}${
    children.length === 0 ? "" : tree(children, context, node)
  }</details>`;
}

const MAX_ATTESTATIONS = 50;

function attestationsOf(attestations: readonly AttestationReport[]): string {
  if (attestations.length === 0) return "";
  const ordered = [
    ...attestations.filter(({ ok }) => ok),
    ...attestations.filter(({ ok }) => !ok),
  ];
  const items = ordered.slice(0, MAX_ATTESTATIONS).map((one) => {
    const rows: [string, string][] = [];
    if (one.predicateType !== undefined) rows.push(["Predicate type", code(one.predicateType)]);
    if (one.signers.length > 0) {
      const origin = one.identity === undefined ? "" : ' <span class="origin">certificate</span>';
      rows.push(["Signed by", one.signers.map((name) => code(name)).join("<br>") + origin]);
    }
    const { issuer } = one.identity ?? {};
    if (issuer !== undefined) {
      rows.push(["Issuer", `${code(issuer)} <span class="origin">certificate</span>`]);
    }
    for (const { type, uri, timestamp } of one.timestamps) {
      rows.push([
        "Signed at",
        `${text(timestamp)} <span class="origin">${text(type)}</span> ${code(uri)}`,
      ]);
    }
    if (one.buildLevel !== undefined) rows.push(["Build level", String(one.buildLevel)]);
    if (one.errorReason !== null) rows.push(["Reason", code(one.errorReason)]);
    return `<li><div class="leaf">${badge(one.ok ? "verified" : "refused")}${
      code(one.source)
    }<span class="dim">${text(one.format)}</span></div>${facts(rows)}</li>\n`;
  });
  const more = ordered.length - items.length;
  return `<h3>Attestations</h3>
<ul class="tree top">
${items.join("")}</ul>
${more === 0 ? "" : `<p class="note">${more} more.</p>\n`}`;
}

function waiverText({ owner, reason, until }: NonNullable<ReportNode["waiver"]>): string {
  const by = owner === undefined ? "" : ` by <b>${text(owner)}</b>`;
  return `Waived${by} until <b>${text(until)}</b>: ${text(reason)}`;
}

type Shown = ReportNode["outcome"] | "verified" | "refused" | "not met";

function toneOf(outcome: Shown, mode: Judgement["mode"] = "enforce"): Tone {
  if (outcome === "passed" || outcome === "verified") return "pass";
  if (outcome === "failed") return mode === "permissive" ? "warn" : "fail";
  return outcome === "waived" ? "warn" : "none";
}

function badge(outcome: Shown, mode?: Judgement["mode"]): string {
  const word = outcome === "not-applicable" ? "n/a" : outcome;
  return `<span class="badge ${toneOf(outcome, mode)}">${word}</span>`;
}

function facts(rows: readonly (readonly [string, string])[]): string {
  if (rows.length === 0) return "";
  return `<dl>${rows.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join("")}</dl>\n`;
}

function code(value: string): string {
  return `<code>${text(value).replaceAll("/", "/<wbr>")}</code>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

/** Text for content and quoted attributes. */
function text(value: string, limit = MAX_TEXT): string {
  return printable(value, limit).replace(/[&<>"'`]/g, (letter) => ENTITIES[letter]);
}
