import type { VerificationReport } from "../verify/report.ts";
import { parseArgs, usageError } from "./args.ts";
import { COULD_NOT_RUN, REFUSED, VERIFIED } from "./main.ts";
import type { PolicyCheck } from "../policy/verdict.ts";
import { hasPolicy } from "./policy_options.ts";
import { isNpm, refuseNpmOptions } from "./npm_options.ts";
import type { Runtime } from "./runtime.ts";
import { safeJson } from "./text.ts";
import { VERIFY_OPTIONS } from "./verify_options.ts";
import { verifyArguments, type VerifyDependencies } from "./verify_artifacts.ts";
import { isForUpload, permissiveWarning, present, refuseExitCode } from "./present.ts";

/** `verify`: artifacts, attestations and expectations to a report. */
export async function runVerify(
  args: readonly string[],
  runtime: Runtime,
  dependencies?: VerifyDependencies,
): Promise<number> {
  const parsed = parseArgs(args, VERIFY_OPTIONS);
  const byPolicy = hasPolicy(parsed);
  if (!byPolicy && isNpm(parsed)) {
    return await (await import("./npm.ts")).runNpm(
      parsed,
      runtime,
      VERIFY_OPTIONS,
    );
  }
  if (!byPolicy) refuseNpmOptions(parsed);
  const format = parsed.get("format") ?? "text";
  refuseExitCode(parsed);
  const printsStatements = parsed.has("print-provenance");
  if (printsStatements && format === "gh") {
    throw usageError("--print-provenance and --format gh exclude each other: gh prints them too");
  }
  const { report, run } = await verifyArguments(parsed, runtime, dependencies);
  const output = parsed.get("output");
  const text = await present(report, format, run, output === undefined);
  // A report that cannot be told from one of a success must not exist for a failure.
  if (format === "gh" && !report.ok) runtime.write("stderr", text);
  else if (output !== undefined) {
    const { refuseFound, writeReport } = await import("./inputs.ts");
    await refuseFound(output, run, runtime);
    await writeReport(text, parsed, VERIFY_OPTIONS, runtime);
  } else runtime.write(printsStatements ? "stderr" : "stdout", text);
  if (output !== undefined) {
    runtime.write("stderr", `${report.verificationResult}\n`);
  }
  if (printsStatements && report.ok) runtime.write("stdout", statementsOf(report));
  if (report.ok) return VERIFIED;
  if (
    report.images !== undefined &&
    (await import("./images.ts")).couldNotLook(report)
  ) {
    return COULD_NOT_RUN;
  }
  // Nobody knows whether there is an attestation that would have verified.
  if (report.errorReason === "store-unavailable") return COULD_NOT_RUN;
  if (report.policy?.mode !== "permissive") return isForUpload(parsed) ? VERIFIED : REFUSED;
  runtime.write("stderr", permissiveWarning(report));
  return VERIFIED;
}

/** Verified Statements, one a line, each once. */
function statementsOf(report: VerificationReport): string {
  const lines = new Set<string>();
  for (const [i, artifact] of report.artifacts.entries()) {
    // Beside a policy `ok` says that somebody signed, not that it is somebody whom it names.
    const relied = report.policy === undefined
      ? undefined
      : reliedOn(report.policy.artifacts[i].rules);
    for (const { ok, source, statement } of artifact.attestations) {
      if (!ok || statement === undefined || relied?.has(source) === false) continue;
      lines.add(safeJson(statement));
    }
  }
  return [...lines].map((line) => `${line}\n`).join("");
}

/** Sources of the attestations that met a requirement. */
function reliedOn(rules: readonly PolicyCheck[]): Set<string> {
  const found = new Set<string>();
  const add = ({ outcome, source, children = [] }: PolicyCheck): void => {
    if (outcome !== "passed" && outcome !== "waived") return;
    if (source !== undefined && children.length > 0) found.add(source);
    else children.forEach(add);
  };
  rules.forEach(add);
  return found;
}
