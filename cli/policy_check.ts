import { isAttestationError, type Problem } from "../errors.ts";
import { printable } from "../internal/json.ts";
import { validatePolicy } from "../policy/parse.ts";
import { type PolicyWarning, reviewPolicy } from "../policy/review.ts";
import { parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { COULD_NOT_RUN, VERIFIED } from "./main.ts";
import { CHECK_OPTIONS } from "./policy_command_options.ts";
import {
  compilePolicyFile,
  looksSigned,
  nowOf,
  policyRows,
  readJsonFile,
  readPolicyFile,
} from "./policy_file.ts";
import type { Runtime } from "./runtime.ts";
import { errorChain, plural, safeJson, style, table } from "./text.ts";

/** What was found of one policy. */
interface Checked {
  file: string;
  ok: boolean;
  digest?: string;
  problems: Problem[];
  warnings: PolicyWarning[];
  rows: [string, string][];
}

/** `policy check FILE…`: all that is wrong with policies, and what to look at. */
export async function runPolicyCheck(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, CHECK_OPTIONS);
  if (parsed.operands.length === 0) throw usageError("policy check needs a policy: name the file");
  const all: Checked[] = [];
  for (const file of parsed.operands) all.push(await check(file, parsed, runtime));
  const ok = all.every((one) => one.ok);
  if (parsed.get("format") === "json") {
    const policies = all.map(({ rows: _rows, ...one }) => one);
    runtime.write("stdout", `${safeJson({ ok, policies }, 2)}\n`);
  } else {
    const paint = style(runtime.isTerminal("stdout") && !runtime.noColor);
    for (const { file, ok, problems, warnings, rows } of all) {
      const head = ok ? paint.green("ok  ") : paint.red("FAIL");
      let text = `${head}  ${paint.bold(printable(file))}\n${table(rows.slice(1), "  ")}`;
      for (const { path, message, reason } of problems) {
        const at = path === "" ? "" : `at ${printable(path)}: `;
        text += `  ${paint.red("problem")}  ${at}${printable(message, 500)} (${reason})\n`;
      }
      for (const { path, message, suggestion } of warnings) {
        text +=
          `  ${paint.yellow("warning")}  at ${printable(path)}: ${printable(message, 500)}\n` +
          `           ${printable(suggestion, 500)}\n`;
      }
      text += `  ${plural(problems.length, "problem")}, ${plural(warnings.length, "warning")}\n`;
      runtime.write("stdout", text);
    }
  }
  return ok ? VERIFIED : COULD_NOT_RUN;
}

async function check(file: string, args: ParsedArgs, runtime: Runtime): Promise<Checked> {
  const none = { file, ok: false, problems: [], warnings: [], rows: [] };
  if (!args.has("policy-key")) {
    let value;
    try {
      value = await readJsonFile(runtime, file, "policy");
    } catch (error) {
      // What cannot be read is no policy that is malformed.
      if (!isAttestationError(error) || error.reason === "unreadable-file") throw error;
      return { ...none, problems: [problemOf(error)] };
    }
    const problems = looksSigned(value) ? [] : validatePolicy(value);
    if (problems.length > 0) return { ...none, problems };
  }
  try {
    const policy = await readPolicyFile(file, args, runtime);
    const compiled = await compilePolicyFile(policy, args, runtime);
    return {
      file,
      ok: true,
      digest: compiled.digest,
      problems: [],
      warnings: reviewPolicy(compiled.document, nowOf(runtime)),
      rows: policyRows(policy, compiled),
    };
  } catch (error) {
    if (!isAttestationError(error) || ["usage", "unreadable-file"].includes(error.reason)) {
      throw error;
    }
    return { ...none, problems: [problemOf(error)] };
  }
}

function problemOf(error: Error & { reason: Problem["reason"]; path?: string }): Problem {
  let path = error.path;
  for (let at: unknown = error; path === undefined && at instanceof Error; at = at.cause) {
    if (isAttestationError(at)) path = at.path;
  }
  return { reason: error.reason, path: path ?? "", message: errorChain(error).join(": ") };
}
