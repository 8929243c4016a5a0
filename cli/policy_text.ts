import { printable } from "../internal/json.ts";
import type { ArtifactVerdict, Outcome, PolicyCheck, PolicyVerdict } from "../policy/verdict.ts";
import type { AttestationReport, VerificationReport } from "../verify/report.ts";
import type { TextContext } from "./text_report.ts";
import { plural, type Style, table, wrap } from "./text.ts";

const COLUMNS = 84;
/** Attestations of a requirement that are told one by one. */
const SHOWN = 10;

const WORDS: Readonly<Record<Outcome, string>> = {
  "passed": "ok  ",
  "failed": "FAIL",
  "waived": "waiv",
  "not-applicable": "n/a ",
};

/** The report of a policy for people: each artifact with the rules in order, the verdict. */
export function policyText(
  report: VerificationReport & { policy: PolicyVerdict },
  context: TextContext,
): string {
  const { paint } = context;
  const { policy } = report;
  let text = `${paint.bold("Policy")}\n${table(context.expected, "  ")}\n`;
  policy.artifacts.forEach((artifact, i) => {
    text += artifactText(artifact, report.artifacts[i]?.attestations ?? [], {
      ...context,
      looked: new Map([[0, context.looked.get(i) ?? []]]),
    });
    text += "\n";
  });
  text += context.notes ?? "";
  const passed = policy.artifacts.filter(({ ok }) => ok).length;
  const total = plural(policy.artifacts.length, "artifact");
  if (report.ok) {
    const waived = policy.artifacts.some(({ rules }) => rules.some(isWaived));
    return `${text}${paint.green("PASSED")}: ${total} accepted by the policy${
      waived ? ", with waivers" : ""
    }\n`;
  }
  const reason = report.errorReason === null ? "" : ` (${report.errorReason})`;
  return `${text}${paint.red("FAILED")}: ${passed} of ${total} accepted by the policy${reason}\n`;
}

function isWaived({ outcome, children = [] }: PolicyCheck): boolean {
  return outcome === "waived" || (outcome === "passed" && children.some(isWaived));
}

function artifactText(
  { artifact, digest, ok, rules }: ArtifactVerdict,
  attestations: readonly AttestationReport[],
  context: TextContext,
): string {
  const { paint } = context;
  const verdict = ok ? paint.green("PASSED") : paint.red("FAILED");
  let text = `${verdict}  ${paint.bold(printable(artifact))}\n`;
  text += table(
    Object.entries(digest).map(([name, hex]) => [printable(name), printable(hex)]),
    "  ",
  );
  const reasons = new Set<string>();
  for (const rule of rules) text += checkText(rule, 1, context, reasons);
  const refused = attestations.filter((one) => !one.ok);
  if (!ok && refused.length > 0) {
    text += `  ${
      paint.dim(`Refused before the policy: ${plural(refused.length, "attestation")}`)
    }\n`;
    for (const { source, errorReason, checks } of refused.slice(0, SHOWN)) {
      const failed = checks.find(({ outcome }) => outcome === "failed");
      const message = printable(failed?.message ?? "", 300);
      text += `    ${printable(source)}: ${message} (${errorReason})\n`;
    }
    if (refused.length > SHOWN) text += `    and ${refused.length - SHOWN} more\n`;
  }
  const looked = context.looked.get(0) ?? [];
  if (!ok && attestations.length === 0 && looked.length > 0) {
    text += table([["looked for", looked.map((path) => printable(path)).join("\n")]], "  ");
  }
  for (const reason of reasons) text += `  run: ${context.program} explain ${reason}\n`;
  return text;
}

function checkText(
  check: PolicyCheck,
  depth: number,
  context: TextContext,
  reasons: Set<string>,
): string {
  const { paint } = context;
  const { id, outcome, children = [], source } = check;
  const indent = "  ".repeat(depth);
  const name = source === undefined || children.length === 0
    ? id.split("/").slice(Math.min(depth - 1, 2)).join("/") || id
    : source;
  const head = `${indent}${colour(paint, outcome)(WORDS[outcome])}  ${
    paint.bold(printable(name))
  }  ${printable(check.message, 500)}\n`;
  const margin = `${indent}      `;
  if (children.length === 0 || depth >= 3) {
    if (outcome === "passed" || outcome === "not-applicable") return head;
  }
  let text = head;
  if (outcome === "failed" && (children.length === 0 || check.waiver !== undefined)) {
    text += table(factRows(check), margin);
    if (check.reason !== undefined) reasons.add(check.reason);
  }
  if (check.waiver !== undefined) text += table(waiverRows(check), margin);
  if (outcome === "not-applicable") return text;
  // What stands is told in short; what does not is told in full.
  const shown = depth === 1 ? children : children.filter((one) => one.outcome !== "passed");
  if (outcome === "passed" && depth > 1) return text;
  for (const child of shown.slice(0, depth === 1 ? undefined : SHOWN)) {
    if (child.outcome === "not-applicable" && depth > 1) continue;
    text += checkText(child, depth + 1, context, reasons);
  }
  if (depth > 1 && shown.length > SHOWN) {
    text += `${indent}  ${paint.dim(`and ${shown.length - SHOWN} more (all in --format json)`)}\n`;
  }
  return text;
}

/** What was wanted and found, and what to do about it. */
export function factRows(check: PolicyCheck): [string, string][] {
  const rows: [string, string][] = [];
  if (check.actual !== undefined) {
    const origin = check.origin === undefined ? "" : ` (${check.origin})`;
    rows.push(["found", `${printable(check.actual, 300)}${origin}`]);
  }
  if (check.expected !== undefined) rows.push(["wanted", printable(check.expected, 300)]);
  if (check.path !== undefined && check.path !== "") rows.push(["at", printable(check.path)]);
  if (check.reason !== undefined) rows.push(["reason", check.reason]);
  if (check.remedy !== undefined) {
    rows.push(["remedy", wrap(printable(check.remedy, 300), COLUMNS).join("\n")]);
  }
  return rows;
}

/** Who accepts a failure, and until when. */
export function waiverRows({ waiver, reason }: PolicyCheck): [string, string][] {
  if (waiver === undefined) return [];
  const rows: [string, string][] = [[
    "waived",
    `by ${printable(waiver.owner)} until ${printable(waiver.until)}: ${printable(waiver.reason)}`,
  ]];
  if (reason !== undefined) rows.push(["reason", reason]);
  return rows;
}

/** Colour of an outcome. */
export function colour(paint: Style, outcome: Outcome): (text: string) => string {
  if (outcome === "passed") return paint.green;
  if (outcome === "failed") return paint.red;
  return outcome === "waived" ? paint.yellow : paint.dim;
}
