import type { Judgement } from "./findings.ts";

/** Formats beside those that `verify` has always had. */
export const REPORT_FORMATS = ["sarif", "junit", "annotations", "markdown", "html"] as const;

/** One of {@linkcode REPORT_FORMATS}. */
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** Tells whether a format is one of {@linkcode REPORT_FORMATS}. */
export function isReportFormat(format: string): format is ReportFormat {
  return REPORT_FORMATS.some((one) => one === format);
}

/** What was judged, in a format. The same judgement gives the same text. */
export async function reportText(format: ReportFormat, judgement: Judgement): Promise<string> {
  switch (format) {
    case "sarif":
      return await (await import("./sarif.ts")).sarifReport(
        judgement,
      );
    case "junit":
      return (await import("./junit.ts")).junitReport(judgement);
    case "annotations":
      return (await import("./annotations.ts"))
        .annotationsReport(judgement);
    case "markdown":
      return (await import("./markdown.ts")).markdownReport(
        judgement,
      );
    case "html":
      return (await import("./html.ts")).htmlReport(judgement);
  }
}
