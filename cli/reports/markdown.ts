import { utf8 } from "../../internal/bytes.ts";
import { printable } from "../../internal/json.ts";
import { plural } from "../text.ts";
import {
  countsOf,
  type Finding,
  findingsOf,
  isWaived,
  type JudgedArtifact,
  type Judgement,
  placeOf,
} from "./findings.ts";

/** Size of a job summary that GitHub accepts. */
export const MAX_SUMMARY_BYTES: number = 1 << 20;

/** What is left for the lines that say what is missing. */
const ROOM = MAX_SUMMARY_BYTES - 4096;
const MAX_NAME = 200;
const MAX_TEXT = 500;

/** Markdown for a job summary: the verdict, what failed, what is waived, each artifact. */
export function markdownReport(judgement: Judgement): string {
  const { policy, mode } = judgement;
  const { artifacts, passed, failed, waived } = countsOf(judgement);
  const sign = judgement.ok ? "✅ PASSED" : mode === "permissive" ? "⚠️ FAILED" : "❌ FAILED";
  const out = new Bounded(ROOM);
  out.add(`## ${sign}: ${passed} of ${plural(artifacts, "artifact")} verified\n\n`);
  if (policy !== undefined) {
    out.add(
      `Policy ${policy.name === undefined ? "" : `${code(policy.name)} `}` +
        `(\`sha256:${policy.digest}\`), mode \`${mode}\`, judged at ${text(policy.time)}\n\n`,
    );
    if (mode === "permissive" && !judgement.ok) {
      out.add("The policy is permissive: what failed is a warning.\n\n");
    }
  }
  const findings = [...findingsOf(judgement)];
  const bad = findings.filter(({ node }) => node.outcome !== "waived");
  const excused = findings.filter(({ node }) => node.outcome === "waived");
  if (bad.length > 0) {
    out.table(
      "### Failed",
      ["Artifact", "Check", "Reason", "What is wrong", "Remedy"],
      bad,
      (one) => failedRow(one, judgement),
    );
  }
  if (excused.length > 0) {
    out.table(
      "### Waived",
      ["Artifact", "Check", "Reason", "Waiver", "Until"],
      excused,
      (one) => waivedRow(one, judgement),
    );
  }
  const columns = ["", "Artifact", "Digest", "Attestations", "Signers"];
  const title = `### Artifacts (${passed} passed${
    waived > 0 ? `, ${waived} of them with a waiver` : ""
  }, ${failed} failed)`;
  if (artifacts > 0) out.table(title, columns, judgement.artifacts, artifactRow);
  return out.text;
}

function failedRow(finding: Finding, judgement: Judgement): string[] {
  const { node, reason, source } = finding;
  const facts = [text(node.message)];
  const add = (label: string, value: string | undefined) => {
    if (value !== undefined && value !== "") facts.push(`${label} ${code(value)}`);
  };
  add("expected", node.expected);
  add("found", node.actual);
  add("at", node.path);
  add("in", source);
  return [
    named(finding, judgement),
    code(node.id),
    `\`${reason}\``,
    facts.join("<br>"),
    node.remedy === undefined ? "" : text(node.remedy),
  ];
}

function waivedRow(finding: Finding, judgement: Judgement): string[] {
  const { node, reason } = finding;
  const { owner, reason: why, until } = node.waiver ?? {};
  return [
    named(finding, judgement),
    code(node.id),
    `\`${reason}\``,
    [owner, why].filter((one) => one !== undefined).map((one) => text(one)).join(": "),
    until === undefined ? "" : text(until),
  ];
}

function named(finding: Finding, judgement: Judgement): string {
  const { artifact } = finding;
  const place = placeOf(finding, judgement);
  const line = place?.line === undefined ? "" : ` line ${place.line}`;
  const elsewhere = place !== undefined && place.file !== artifact.name;
  return code(artifact.name) + (elsewhere ? `<br>${code(place.file)}${line}` : "");
}

function artifactRow(artifact: JudgedArtifact): string[] {
  const { ok, name, digest, attestations, errorReason } = artifact;
  const good = attestations.filter((one) => one.ok);
  const signers = [...new Set(good.flatMap((one) => one.signers))];
  return [
    ok ? (isWaived(artifact) ? "☑️ waived" : "✅ passed") : "❌ failed",
    code(name),
    Object.entries(digest).map(([algorithm, hex]) => code(`${algorithm}:${hex}`)).join("<br>"),
    ok || errorReason === null
      ? `${good.length} of ${attestations.length}`
      : `${good.length} of ${attestations.length}<br>\`${errorReason}\``,
    signers.slice(0, 4).map(code).join("<br>") +
    (signers.length > 4 ? `<br>and ${signers.length - 4} more` : ""),
  ];
}

/** Text that stops growing before a limit, and says what is left out. */
class Bounded {
  #chunks: string[] = [];
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  get text(): string {
    return this.#chunks.join("");
  }

  add(chunk: string): boolean {
    const size = utf8(chunk).length;
    if (size > this.#left) return false;
    this.#left -= size;
    this.#chunks.push(chunk);
    return true;
  }

  table<T>(
    title: string,
    columns: readonly string[],
    rows: readonly T[],
    cells: (row: T) => string[],
  ): void {
    const head = `${title}\n\n| ${columns.join(" | ")} |\n|${" --- |".repeat(columns.length)}\n`;
    let done = this.add(head) ? 0 : rows.length;
    if (done > 0) {
      this.#chunks.push(`${title}\n\n*Left out: ${plural(rows.length, "row")}.*\n\n`);
      return;
    }
    while (done < rows.length && this.add(`| ${cells(rows[done]).join(" | ")} |\n`)) done++;
    const more = rows.length - done;
    // Of this there are three at most: the room that was kept is enough.
    this.#chunks.push(more === 0 ? "\n" : `\n*Left out: ${more} more of ${rows.length} rows.*\n\n`);
  }
}

/** Text in which nothing is markup, a link, a mention or a reference. */
function text(value: string): string {
  return escape(value, MAX_TEXT).replace(/&#(?:64|35);/g, "$&<!-- -->");
}

/** The same in the type of code; a code span could be left by a backtick. */
function code(value: string): string {
  return `<code>${escape(value, MAX_NAME)}</code>`;
}

function escape(value: string, limit: number): string {
  return printable(value, limit)
    .replace(/[!#$&()*+:<=>@[\\\]^_`{|}~]/g, (letter) => `&#${letter.charCodeAt(0)};`)
    .replace(/www\./gi, (found) => `${found.slice(0, 3)}&#46;`);
}
