import { explainPolicy, explainVerdict } from "../policy/explain.ts";
import { parseArgs, usageError } from "./args.ts";
import { REFUSED, VERIFIED } from "./main.ts";
import { EXPLAIN_OPTIONS } from "./policy_command_options.ts";
import { compilePolicyFile, readPolicyFile } from "./policy_file.ts";
import { treeText } from "./policy_tree.ts";
import type { Runtime } from "./runtime.ts";
import { safeJson, style } from "./text.ts";
import { permissiveWarning } from "./present.ts";
import { verifyArguments, type VerifyDependencies } from "./verify_artifacts.ts";

/**
 * `policy explain FILE [ARTIFACT…]`: what a policy demands, or why it decides about artifacts
 * as it does.
 */
export async function runPolicyExplain(
  args: readonly string[],
  runtime: Runtime,
  dependencies?: VerifyDependencies,
): Promise<number> {
  const parsed = parseArgs(args, EXPLAIN_OPTIONS);
  const file = parsed.operands.shift();
  if (file === undefined) throw usageError("policy explain needs a policy: name the file");
  const paint = style(runtime.isTerminal("stdout") && !runtime.noColor);
  const asJson = parsed.get("format") === "json";
  const write = (value: Parameters<typeof treeText>[0]): void =>
    runtime.write("stdout", asJson ? `${safeJson(value, 2)}\n` : treeText(value, paint));
  const named = parsed.operands.length > 0 || parsed.has("digest") || parsed.has("checksums");
  if (!named) {
    if (parsed.has("bundle")) throw usageError("--bundle needs an artifact");
    const policy = await compilePolicyFile(
      await readPolicyFile(file, parsed, runtime),
      parsed,
      runtime,
    );
    write(explainPolicy(policy.document));
    return VERIFIED;
  }
  parsed.add("policy", file);
  const { report } = await verifyArguments(parsed, runtime, dependencies);
  if (report.policy === undefined) throw new TypeError("The report has no verdict");
  write(explainVerdict(report.policy));
  if (report.ok) return VERIFIED;
  if (report.policy.mode !== "permissive") return REFUSED;
  runtime.write("stderr", permissiveWarning(report));
  return VERIFIED;
}
