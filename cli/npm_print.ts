import type { ParsedArgs } from "./args.ts";
import { writeReport } from "./inputs.ts";
import type { Runtime } from "./runtime.ts";
import { style } from "./text.ts";
import { VERIFY_OPTIONS } from "./verify_options.ts";

/** Bytes of an answer about the attestations of a package. */
export const MAX_ANSWER_BYTES = 48 << 20;

/** Colours, where the report goes to a terminal. */
export function paintOf(args: ParsedArgs, runtime: Runtime) {
  return style(!args.has("output") && runtime.isTerminal("stdout") && !runtime.noColor);
}

/** Writes a report to standard output, or to the file of `--output`. */
export async function print(
  args: ParsedArgs,
  runtime: Runtime,
  text: string,
  stream: "stdout" | "stderr" = "stdout",
): Promise<void> {
  const output = args.get("output");
  if (output === undefined) runtime.write(stream, text);
  else await writeReport(text, args, VERIFY_OPTIONS, runtime);
}
