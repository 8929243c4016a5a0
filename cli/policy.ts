import { quote } from "../internal/json.ts";
import { suggestion, usageError } from "./args.ts";
import type { Command } from "./main.ts";
import type { Runtime } from "./runtime.ts";

/** What `policy` does; each is loaded when it is run. */
const ACTIONS: Readonly<Record<string, () => Promise<Command>>> = {
  check: async () => (await import("./policy_check.ts")).runPolicyCheck,
  explain: async () => (await import("./policy_explain.ts")).runPolicyExplain,
  init: async () => (await import("./policy_init.ts")).runPolicyInit,
  test: async () => (await import("./policy_test_cases.ts")).runPolicyTest,
  schema: async () => (await import("./policy_schema.ts")).runPolicySchema,
  import: async () => (await import("./policy_import.ts")).runPolicyImport,
  diff: async () => (await import("./policy_diff.ts")).runPolicyDiff,
  "dry-run": async () => (await import("./policy_dry_run.ts")).runPolicyDryRun,
};

/** `policy check|explain|init|test|schema|import|diff|dry-run`. */
export async function runPolicy(args: readonly string[], runtime: Runtime): Promise<number> {
  const [action, ...rest] = args;
  const known = Object.keys(ACTIONS);
  if (known.includes(action)) return await (await ACTIONS[action]())(rest, runtime);
  throw usageError(
    action === undefined || action.startsWith("-")
      ? `Say what to do with the policy: ${known.join(", ")}`
      : `Unknown action ${quote(action)}: ${known.join(", ")}${suggestion(action, known)}`,
  );
}
