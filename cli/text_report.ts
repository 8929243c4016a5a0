import type { Reason } from "../errors.ts";
import { printable } from "../internal/json.ts";
import type { Check } from "../report.ts";
import type { ReasonExplanation } from "../reasons.ts";
import type { CertificateIdentity, ClaimName } from "../sigstore/identity.ts";
import type { ArtifactReport, AttestationReport, VerificationReport } from "../verify/report.ts";
import { claimLabel } from "./identity_expectation.ts";
import type { Fact } from "./provenance_facts.ts";
import { plural, type Style, table, wrap } from "./text.ts";

/** What the text says beside the report itself. */
export interface TextContext {
  /** What is enforced, in words. */
  expected: readonly (readonly [string, string])[];
  /** Colours. */
  paint: Style;
  /** How this program is called. */
  program: string;
  /** Where an attestation was looked for, by the artifact's place in the report. */
  looked: ReadonlyMap<number, readonly string[]>;
  /** What is said of images before the verdict. */
  notes?: string;
  /** What verified provenance says, if there is any. */
  factsOf?: (attestation: AttestationReport) => readonly Fact[];
}

const COLUMNS = 84;
const LOOK_FAILED: Reason = "store-unavailable";
/** More artifacts than these are a table: those that passed take a line each. */
const MANY = 20;
/** Failed attestations of one artifact that are shown in full. */
const SHOWN = 10;
const SHOWN_CLAIMS: readonly ClaimName[] = [
  "issuer",
  "sourceRepositoryURI",
  "sourceRepositoryRef",
  "sourceRepositoryDigest",
  "runnerEnvironment",
  "runInvocationURI",
];
/** Claims that are shown beside what provenance says of the source and the run. */
const SIGNER_CLAIMS: readonly ClaimName[] = ["issuer", "runnerEnvironment"];

/** The context, and what the next steps after a failure are; nobody needs them without one. */
interface Told extends TextContext {
  reasons?: Readonly<Record<Reason, ReasonExplanation>>;
}

/** The report for people: what is expected, each artifact with its checks, the verdict. */
export async function textReport(
  report: VerificationReport,
  given: TextContext,
): Promise<string> {
  const { paint } = given;
  const context: Told = hasFailure(report)
    ? { ...given, reasons: (await import("../reasons.ts")).REASONS }
    : given;
  let text = `${paint.bold("Expected")}\n${table(context.expected, "  ")}\n`;
  const isMany = report.artifacts.length > MANY;
  if (isMany) text += passedTable(report.artifacts, context);
  report.artifacts.forEach((artifact, index) => {
    if (!isMany || !artifact.ok) text += `${artifactText(artifact, index, context)}\n`;
  });
  text += context.notes ?? "";
  const passed = report.artifacts.filter((artifact) => artifact.ok).length;
  const total = report.artifacts.length;
  if (report.ok) {
    return `${text}${paint.green("PASSED")}: ${plural(total, "artifact")} verified\n`;
  }
  const reason = report.errorReason === null ? "" : ` (${report.errorReason})`;
  return `${text}${paint.red("FAILED")}: ${passed} of ${
    plural(total, "artifact")
  } verified${reason}\n`;
}

function hasFailure({ artifacts }: VerificationReport): boolean {
  return artifacts.some(({ ok, attestations }) => !ok || attestations.some((one) => !one.ok));
}

/** A line for each artifact that passed, with what its first good attestation is. */
function passedTable(artifacts: readonly ArtifactReport[], { paint }: TextContext): string {
  const passed = artifacts.filter(({ ok }) => ok);
  if (passed.length === 0) return "";
  const names = passed.map(({ artifact }) => printable(artifact));
  const width = Math.min(60, Math.max(...names.map(({ length }) => length)));
  const lines = passed.map(({ attestations }, i) => {
    const { predicateType = "", source = "" } = attestations.find(({ ok }) => ok) ?? {};
    const row = [names[i].padEnd(width), printable(predicateType), printable(source)];
    return `${paint.green("PASSED")}  ${row.join("  ").trimEnd()}\n`;
  });
  return `${lines.join("")}\n`;
}

function artifactText(artifact: ArtifactReport, index: number, context: Told): string {
  const { paint } = context;
  const verdict = artifact.ok ? paint.green("PASSED") : paint.red("FAILED");
  let text = `${verdict}  ${paint.bold(printable(artifact.artifact))}\n`;
  text += table(
    Object.entries(artifact.digest).map(([name, hex]) => [printable(name), printable(hex)]),
    "  ",
  );
  const good = artifact.attestations.filter((attestation) => attestation.ok);
  const bad = artifact.attestations.filter((attestation) => !attestation.ok);
  for (const attestation of good) text += attestationText(attestation, context);
  const hidden = artifact.ok ? bad : bad.slice(SHOWN);
  if (!artifact.ok) {
    for (const attestation of bad.slice(0, SHOWN)) text += attestationText(attestation, context);
  }
  if (hidden.length > 0) text += `  ${paint.dim(summary(hidden))}\n`;

  const told = bad.some((attestation) => attestation.errorReason === artifact.errorReason);
  if (artifact.errorReason === "attestation-not-found" || artifact.errorReason === LOOK_FAILED) {
    const looked = context.looked.get(index) ?? [];
    if (looked.length > 0) {
      text += table([["looked for", looked.map((path) => printable(path, 500)).join("\n")]], "  ");
    }
  }
  if (artifact.errorReason !== null && !told) {
    text += table([["reason", artifact.errorReason]], "  ");
    text += table(nextSteps(artifact.errorReason, context), "  ");
  }
  return text;
}

function summary(attestations: readonly AttestationReport[]): string {
  const counts = new Map<string, number>();
  for (const { errorReason } of attestations) {
    const reason = errorReason ?? "unknown";
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const parts = [...counts].map(([reason, count]) => `${count} × ${reason}`).join(", ");
  return `${plural(attestations.length, "other attestation")} did not verify: ${parts} ` +
    "(all in --format json)";
}

function attestationText(attestation: AttestationReport, context: Told): string {
  const { paint } = context;
  const verdict = attestation.ok ? paint.green("PASSED") : paint.red("FAILED");
  const rows: [string, string][] = [];
  if (attestation.predicateType !== undefined) {
    rows.push(["predicate type", printable(attestation.predicateType)]);
  }
  const facts = context.factsOf?.(attestation) ?? [];
  if (attestation.identity !== undefined) {
    const claims = facts.length === 0 ? SHOWN_CLAIMS : SIGNER_CLAIMS;
    rows.push(...identityRows(attestation.identity, claims));
  } else if (attestation.signers.length > 0) {
    rows.push(["signed by", attestation.signers.map((name) => printable(name)).join("\n")]);
  }
  if (attestation.buildLevel !== undefined) {
    rows.push(["Build level", `${attestation.buildLevel} (of the recognised builder)`]);
  }
  rows.push(...facts.map(factRow));
  for (const { type, uri, timestamp } of attestation.timestamps) {
    rows.push(["signed at", `${printable(timestamp)} by ${printable(uri)} (${type})`]);
  }
  for (const [name, text] of Object.entries(attestation.foreign?.authenticated ?? {})) {
    rows.push([wordsOf(name), `${printable(text, 500)} (signed)`]);
  }
  const width = Math.max(0, ...attestation.checks.map(({ id }) => id.length));
  return `  ${verdict}  ${printable(attestation.source)} (${attestation.format})\n` +
    table(rows, "    ") +
    attestation.checks.map((check) => checkText(check, width, context)).join("");
}

/** `trustedComment` as words. */
function wordsOf(name: string): string {
  return printable(name).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function identityRows(
  identity: CertificateIdentity,
  claims: readonly ClaimName[],
): [string, string][] {
  const rows: [string, string][] = [];
  const add = (label: string, value: string | undefined) => {
    if (value !== undefined) rows.push([label, `${printable(value)} (certificate)`]);
  };
  add("signed by", identity.subjectAlternativeName);
  for (const claim of claims) add(claimLabel(claim), identity[claim]);
  return rows;
}

/** A row of a fact: what is said, and by whom. */
export function factRow({ name, value, origins }: Fact): [string, string] {
  return [name, `${printable(value)} (${origins.join(", ")})`];
}

function checkText(check: Check, width: number, context: Told): string {
  const { paint } = context;
  const id = check.id.padEnd(width);
  const message = printable(check.message, 500);
  if (check.outcome === "passed") return `    ${paint.green("ok  ")}  ${id}  ${message}\n`;
  if (check.outcome === "skipped") return `    ${paint.yellow("skip")}  ${id}  ${message}\n`;
  const rows: [string, string][] = [];
  if (check.actual !== undefined) rows.push(["found", printable(check.actual)]);
  if (check.expected !== undefined) rows.push(["wanted", printable(check.expected)]);
  if (check.path !== undefined && check.path !== "") rows.push(["at", printable(check.path)]);
  if (check.reason !== undefined) rows.push(...nextSteps(check.reason, context));
  return `    ${paint.red("FAIL")}  ${id}  ${message}\n${table(rows, " ".repeat(10))}`;
}

function nextSteps(reason: Reason, { program, reasons }: Told): [string, string][] {
  const repair = reasons?.[reason].repair;
  const next: [string, string][] = repair === undefined
    ? []
    : [["next", wrap(repair, COLUMNS).join("\n")]];
  return [...next, ["run", `${program} explain ${reason}`]];
}
