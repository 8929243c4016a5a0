import { printable } from "../internal/json.ts";
import { diffPolicies } from "../policy/diff.ts";
import { parseArgs, usageError } from "./args.ts";
import { REFUSED, VERIFIED } from "./main.ts";
import { DIFF_POLICY_OPTIONS } from "./policy_command_options.ts";
import { readPolicyFile } from "./policy_file.ts";
import type { Runtime } from "./runtime.ts";
import { plural, safeJson, style } from "./text.ts";

/** `policy diff OLD NEW`: what changed, and whether it accepts more by that. */
export async function runPolicyDiff(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, DIFF_POLICY_OPTIONS);
  const [before, after] = parsed.operands;
  if (before === undefined || after === undefined || parsed.operands.length > 2) {
    throw usageError("policy diff takes two policies: the old one and the new one");
  }
  const old = await readPolicyFile(before, parsed, runtime);
  const fresh = await readPolicyFile(after, parsed, runtime);
  const differences = diffPolicies(old.document, fresh.document);
  const same = differences.length === 0;
  if (parsed.get("format") === "json") {
    runtime.write("stdout", `${safeJson({ same, differences }, 2)}\n`);
    return same ? VERIFIED : REFUSED;
  }
  const paint = style(runtime.isTerminal("stdout") && !runtime.noColor);
  const marks = { added: "+", removed: "-", changed: "~", moved: "↕" } as const;
  for (const { change, message, effect } of differences) {
    const told = effect === undefined
      ? ""
      : ` (${effect === "looser" ? paint.red("looser") : paint.green("stricter")})`;
    runtime.write("stdout", `${marks[change]} ${printable(message, 600)}${told}\n`);
  }
  const looser = differences.filter(({ effect }) => effect === "looser").length;
  runtime.write(
    "stdout",
    same
      ? "The policies say the same\n"
      : `${plural(differences.length, "difference")}, ${looser} of them accept more\n`,
  );
  return same ? VERIFIED : REFUSED;
}
