import { printable } from "../internal/json.ts";
import type { DiffReport } from "./diff.ts";
import type { Difference } from "./provenance_diff.ts";
import { plural, table } from "./text.ts";
import { type TextContext, textReport } from "./text_report.ts";

/** What the text says beside the differences. */
export interface DiffContext {
  /** Files of A and B. */
  names: readonly [string, string];
  /** What they had to be about. */
  artifacts: readonly [string | undefined, string | undefined];
  /** For the report of what was not verified. */
  report: TextContext;
}

const SHOWN = 100;

/** The differences for people; of a side that was not verified, why. */
export async function diffText(diff: DiffReport, context: DiffContext): Promise<string> {
  const { paint, expected } = context.report;
  if (!diff.ok) {
    const sides: string[] = [];
    for (const [i, report] of [diff.a, diff.b].entries()) {
      if (report.ok) continue;
      const title = `${paint.bold("AB"[i])}  ${printable(context.names[i])}`;
      sides.push(`${title}\n${await textReport(report, context.report)}`);
    }
    return sides.join("\n") +
      `\n${paint.red("NOT COMPARED")}: both must be verified first (${diff.errorReason})\n`;
  }
  let text = `${paint.bold("Expected of both")}\n${table(expected, "  ")}\n`;
  text += table(
    context.names.map((name, i): [string, string] => {
      const artifact = context.artifacts[i];
      const about = artifact === undefined ? "about no given artifact" : `about ${artifact}`;
      return ["AB"[i], `${paint.green("PASSED")}  ${printable(name)} (${printable(about)})`];
    }),
    "",
  );
  if (diff.same === true) {
    return `${text}\n${paint.green("SAME")}: level, signer, builder, build type, source, ref, ` +
      "commit, workflow, parameters and dependencies\n";
  }
  text += "\n";
  for (const difference of diff.differences.slice(0, SHOWN)) {
    const { a, b } = difference;
    text += `${paint.bold(labelOf(difference))}\n`;
    if (a !== undefined) text += `  ${paint.red(`A  ${printable(a, 500)}`)}\n`;
    if (b !== undefined) text += `  ${paint.green(`B  ${printable(b, 500)}`)}\n`;
  }
  const hidden = diff.differences.length - SHOWN;
  if (hidden > 0) text += paint.dim(`and ${hidden} more (all in --format json)\n`);
  return `${text}\n${paint.yellow("DIFFERENT")}: ${
    plural(diff.differences.length, "difference")
  }\n`;
}

function labelOf({ field, name, a, b }: Difference): string {
  const change = a === undefined ? " (only in B)" : b === undefined ? " (only in A)" : "";
  return `${field}${name === undefined ? "" : ` ${printable(name)}`}${change}`;
}
