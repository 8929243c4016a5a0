import { parseArgs, usageError } from "./args.ts";
import { VERIFIED } from "./main.ts";
import { SCHEMA_OPTIONS } from "./policy_command_options.ts";
import { POLICY_SCHEMA, POLICY_TESTS_SCHEMA } from "./policy_schemas.ts";
import type { Runtime } from "./runtime.ts";
import { safeJson } from "./text.ts";

/** `policy schema`: the JSON Schema of policies, or of tables of cases. */
export function runPolicySchema(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, SCHEMA_OPTIONS);
  if (parsed.operands.length > 0) throw usageError("policy schema takes no file");
  const schema = parsed.has("tests") ? POLICY_TESTS_SCHEMA : POLICY_SCHEMA;
  runtime.write("stdout", `${safeJson(schema, 2)}\n`);
  return Promise.resolve(VERIFIED);
}
