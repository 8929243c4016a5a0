import type { AttestationReport, VerificationReport } from "../verify/report.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { isReportFormat, reportText } from "./reports/report.ts";
import { plural, safeJson, style } from "./text.ts";
import type { TextContext } from "./text_report.ts";
import type { Run } from "./verify_artifacts.ts";

/** What a failed verdict of a policy that only warns has to say. */
export function permissiveWarning({ errorReason, policy }: VerificationReport): string {
  const bad = policy?.artifacts.filter(({ ok }) => !ok).length ?? 0;
  return `warning: The policy refuses ${
    plural(bad, "artifact")
  } (${errorReason}), and only warns ` +
    "because its mode is permissive\n";
}

/** Tells whether a failed verdict leaves the exit status to the reader of the report. */
export function isForUpload(args: ParsedArgs): boolean {
  return args.get("format") === "sarif" && !args.has("exit-code");
}

/**
 * Refuses `--exit-code` where it says nothing.
 *
 * @throws {AttestationError} `usage`.
 */
export function refuseExitCode(args: ParsedArgs): void {
  if (args.has("exit-code") && args.get("format") !== "sarif") {
    throw usageError("--exit-code needs --format sarif: with every other format it is so anyway");
  }
}

/** The report in a format. */
export async function present(
  report: VerificationReport,
  format: string,
  run: Run,
  onTerminal: boolean,
): Promise<string> {
  if (format === "json") return `${safeJson(report, 2)}\n`;
  if (isReportFormat(format)) {
    const { judgementOf } = await import("./reports/findings.ts");
    return await reportText(format, judgementOf(report, run.places, run.fallback));
  }
  if (format === "gh" && report.ok) {
    const { ghReport } = await import("./gh_report.ts");
    const identity = run.enforced.options.expect?.identity;
    const expected = Array.isArray(identity) ? identity[0] : identity;
    return `${safeJson(ghReport(report, run.loaded ?? [], expected))}\n`;
  }
  const stream = format === "gh" ? "stderr" : "stdout";
  const context: TextContext = {
    ...(report.images === undefined ? {} : {
      notes: (await import("./images_text.ts")).imageNotes(report),
    }),
    expected: run.enforced.rows,
    paint: style(onTerminal && run.runtime.isTerminal(stream) && !run.runtime.noColor),
    program: run.runtime.program,
    looked: run.looked,
  };
  const { policy } = report;
  if (policy !== undefined) {
    return (await import("./policy_text.ts")).policyText({
      ...report,
      policy,
    }, context);
  }
  const { textReport } = await import("./text_report.ts");
  return await textReport(report, { ...context, factsOf: await factReader(report) });
}

/** Tells what provenance says; nothing is loaded where there is none. */
async function factReader(
  { artifacts }: VerificationReport,
): Promise<TextContext["factsOf"]> {
  const isProvenance = ({ predicateType = "" }: AttestationReport) =>
    /\/provenance\/v\d/i.test(predicateType);
  if (!artifacts.some(({ attestations }) => attestations.some(isProvenance))) return undefined;
  const { provenanceFacts, readProvenance } = await import("./provenance_facts.ts");
  return ({ statement, identity }) => {
    const provenance = statement === undefined ? undefined : readProvenance(statement);
    return provenance === undefined ? [] : provenanceFacts(provenance, identity);
  };
}
