import { printable, quote } from "../internal/json.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import type { CompiledPolicy } from "../policy/compiled.ts";
import type { ArtifactVerdict } from "../policy/verdict.ts";
import { judgeReports } from "../verify/policy.ts";
import { parseStoredReport } from "../verify/stored_report.ts";
import { parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { inFile } from "./in_file.ts";
import { REFUSED, VERIFIED } from "./main.ts";
import { DRY_RUN_OPTIONS } from "./policy_command_options.ts";
import { compilePolicyFile, nowOf, readPolicyFile } from "./policy_file.ts";
import { readBounded, type Runtime } from "./runtime.ts";
import { plural, safeJson, style } from "./text.ts";

const MAX_REPORT_BYTES = 1 << 28;

const NOTE = "Nothing was verified: a stored report is believed for this comparison only. " +
  "Signatures by keys and roots that were not trusted when it was made are not in it";

/** One artifact under the old verdict and the new one. */
interface Side {
  report: string;
  artifact: string;
  time: string;
  before: { ok: boolean; errorReason: string | null };
  after: { ok: boolean; errorReason: string | null };
  change: "accepted" | "refused" | "same";
  /** First check that fails now. */
  message?: string;
}

/** `policy dry-run NEW --reports FILE…`: which artifacts of stored reports change sides. */
export async function runPolicyDryRun(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, DRY_RUN_OPTIONS);
  const [path] = parsed.operands;
  if (path === undefined || parsed.operands.length > 1) {
    throw usageError("policy dry-run takes one policy, and reports with --reports");
  }
  const files = parsed.all("reports");
  if (files.length === 0) throw usageError("policy dry-run needs --reports: stored JSON reports");
  const now = nowOption(parsed);
  const policy = await compilePolicyFile(
    await readPolicyFile(path, parsed, runtime),
    parsed,
    runtime,
  );
  const sides: Side[] = [];
  for (const file of files) {
    sides.push(
      ...await inFile("stored report", file, () => compare(file, policy, now, runtime)),
    );
  }
  const changed = sides.filter(({ change }) => change !== "same");
  if (parsed.get("format") === "json") {
    const summary = {
      note: NOTE,
      policyDigest: policy.digest,
      changed: changed.length,
      total: sides.length,
      artifacts: sides,
    };
    runtime.write("stdout", `${safeJson(summary, 2)}\n`);
    return changed.length === 0 ? VERIFIED : REFUSED;
  }
  const paint = style(runtime.isTerminal("stdout") && !runtime.noColor);
  for (const { artifact, report, change, before, after, message, time } of changed) {
    const head = change === "refused" ? paint.red("now refused ") : paint.green("now accepted");
    const why = change === "refused"
      ? `${message ?? ""} (${after.errorReason})`
      : `before: ${before.errorReason}`;
    runtime.write(
      "stdout",
      `${head}  ${paint.bold(printable(artifact))}  in ${printable(report)}, judged at ${time}\n` +
        `              ${printable(why, 500)}\n`,
    );
  }
  const accepted = sides.filter(({ after }) => after.ok).length;
  runtime.write(
    "stdout",
    `${plural(changed.length, "artifact")} of ${sides.length} would change sides; ` +
      `${accepted} accepted then${
        policy.document.mode === "permissive" ? "; the policy only warns" : ""
      }\nnotice: ${NOTE}\n`,
  );
  return changed.length === 0 ? VERIFIED : REFUSED;
}

function nowOption(args: ParsedArgs): Date | undefined {
  const text = args.get("now");
  if (text === undefined) return undefined;
  const now = parseTimestamp(text);
  if (now === undefined) throw usageError(`--now is RFC 3339 in UTC with Z, not ${quote(text)}`);
  return now;
}

async function compare(
  file: string,
  policy: CompiledPolicy,
  now: Date | undefined,
  runtime: Runtime,
): Promise<Side[]> {
  const stored = parseStoredReport(await readBounded(runtime, file, MAX_REPORT_BYTES));
  const time = now ?? stored.time ?? nowOf(runtime);
  const verdict = judgeReports(policy, stored.artifacts, time);
  return stored.artifacts.map(({ artifact, ok, errorReason }, i): Side => {
    const after = verdict.artifacts[i];
    const message = after.ok ? undefined : failureOf(verdict.policy?.artifacts[i]);
    return {
      report: file,
      artifact,
      time: time.toISOString(),
      before: { ok, errorReason },
      after: { ok: after.ok, errorReason: after.errorReason },
      change: ok === after.ok ? "same" : after.ok ? "accepted" : "refused",
      ...(message === undefined ? {} : { message }),
    };
  });
}

function failureOf(verdict: ArtifactVerdict | undefined): string | undefined {
  const rule = verdict?.rules.find(({ outcome }) => outcome === "failed");
  const part = rule?.children?.find(({ outcome }) => outcome === "failed") ?? rule;
  return part === undefined ? undefined : `${part.id}: ${part.message}`;
}
