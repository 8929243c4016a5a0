import { printable } from "../../internal/json.ts";
import { plural } from "../text.ts";
import { countsOf, findingsOf, type Judgement, placeOf } from "./findings.ts";

/** Annotations that are written; a job shows at most 50. */
export const MAX_ANNOTATIONS = 50;

const MAX_NAME = 300;
const MAX_TEXT = 1000;

/**
 * Workflow commands that make annotations of a GitHub Actions job: errors, warnings of a
 * permissive policy, and notices of what is waived.
 */
export function annotationsReport(judgement: Judgement): string {
  const failing = judgement.mode === "permissive" ? "warning" : "error";
  const lines: string[] = [];
  let more = 0;
  for (const finding of findingsOf(judgement)) {
    if (lines.length === MAX_ANNOTATIONS) {
      more++;
      continue;
    }
    const { node, reason, artifact } = finding;
    const place = placeOf(finding, judgement);
    const properties = [
      ...(place === undefined
        ? []
        : [`file=${property(place.file, 1000)}`, `line=${place.line ?? 1}`]),
      `title=${property(`${reason}: ${artifact.name}`, MAX_NAME)}`,
    ];
    const parts = [printable(node.message, MAX_TEXT)];
    const add = (label: string, value: string | undefined) => {
      if (value !== undefined && value !== "") {
        parts.push(`${label}: ${printable(value, MAX_TEXT)}`);
      }
    };
    add("expected", node.expected);
    add("found", node.actual);
    add("at", node.path);
    add("attestation", finding.source);
    add("remedy", node.remedy);
    const { waiver } = node;
    if (waiver !== undefined) {
      const owner = waiver.owner === undefined ? "" : ` by ${printable(waiver.owner)}`;
      parts.unshift(`Waived${owner} until ${printable(waiver.until)}: ${printable(waiver.reason)}`);
    }
    const command = node.outcome === "waived" ? "notice" : failing;
    lines.push(`::${command} ${properties.join(",")}::${data(parts.join("\n"))}`);
  }
  if (more > 0) lines.push(`${plural(more, "annotation")} more, see the report in another format`);
  const { artifacts, passed } = countsOf(judgement);
  lines.push(
    `${judgement.ok ? "PASSED" : "FAILED"}: ${passed} of ${plural(artifacts, "artifact")} verified`,
  );
  return `${lines.join("\n")}\n`;
}

/** Text after the second `::`. */
function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/** Value of a property. */
function property(text: string, limit: number): string {
  return data(printable(text, limit)).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
