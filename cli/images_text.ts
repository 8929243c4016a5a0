import { printable } from "../internal/json.ts";
import type { ArtifactReport, ImageReport, VerificationReport } from "../verify/report.ts";
import { lookupText } from "./images.ts";
import { plural, table, wrap } from "./text.ts";

const COLUMNS = 84;

/** What is told of images beside their manifests: what they are, and what to do next. */
export function imageNotes({ images = [], artifacts }: VerificationReport): string {
  return images.map((image) => noteOf(image, artifacts)).join("");
}

function indexText({ inheritFromIndex }: ImageReport, index: ArtifactReport): string {
  const count = index.attestations.length;
  if (count === 0) return "no attestation of its own";
  const verdict = index.ok ? "accepted" : `not accepted: ${index.errorReason}`;
  const counts = inheritFromIndex ? "counts for its platforms" : "counts for itself alone";
  return `${plural(count, "attestation")}, ${verdict}; ${counts}`;
}

function noteOf(image: ImageReport, artifacts: readonly ArtifactReport[]): string {
  const { reference, digest, requires, chart, index, others = [], hint, notes = [] } = image;
  const kind = requires === "manifest" ? "a manifest" : "an index";
  const rows: [string, string][] = [["is", `${printable(digest)} (${kind})`]];
  if (chart !== undefined) {
    rows.push(["chart", `${printable(chart.name)} ${printable(chart.version)}`]);
  }
  if (index !== undefined) {
    rows.push(["index", indexText(image, index)]);
    rows.push([
      "needed of",
      requires === "platforms" ? "the platforms asked for" : "every platform",
    ]);
  }
  for (const { source, what } of others.slice(0, 10)) {
    rows.push(["beside", `${printable(what)}: ${printable(source)}`]);
  }
  if (others.length > 10) rows.push(["beside", `${others.length - 10} more`]);
  for (const note of notes) rows.push(["note", printable(note, 400)]);
  const failed = artifacts.filter(({ ok, artifact }) => !ok && artifact.startsWith(reference));
  const unavailable = new Set(
    failed.flatMap(({ lookups = [] }) => lookups.filter(({ outcome }) => outcome === "unavailable"))
      .map((lookup) => printable(lookupText(lookup), 500)),
  );
  for (const line of unavailable) rows.push(["lookup", line]);
  if (hint !== undefined) rows.push(["next", wrap(hint, COLUMNS).join("\n")]);
  return `Image  ${printable(reference)}\n${table(rows, "  ")}\n`;
}
