import { quote } from "../internal/json.ts";
import { suggestion, usageError } from "./args.ts";
import { load } from "./load.ts";
import type { Command } from "./main.ts";
import type { Runtime } from "./runtime.ts";

/** What `policy` does; each is loaded when it is run. */
const ACTIONS: Readonly<Record<string, () => Promise<Command>>> = {
  check: async () =>
    (await load<typeof import("./policy_check.ts")>("policy_check")).runPolicyCheck,
  explain: async () =>
    (await load<typeof import("./policy_explain.ts")>("policy_explain")).runPolicyExplain,
  init: async () => (await load<typeof import("./policy_init.ts")>("policy_init")).runPolicyInit,
  test: async () =>
    (await load<typeof import("./policy_test_cases.ts")>("policy_test_cases")).runPolicyTest,
  schema: async () =>
    (await load<typeof import("./policy_schema.ts")>("policy_schema")).runPolicySchema,
  import: async () =>
    (await load<typeof import("./policy_import.ts")>("policy_import")).runPolicyImport,
  diff: async () => (await load<typeof import("./policy_diff.ts")>("policy_diff")).runPolicyDiff,
  "dry-run": async () =>
    (await load<typeof import("./policy_dry_run.ts")>("policy_dry_run")).runPolicyDryRun,
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
