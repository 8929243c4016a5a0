import type { Reason } from "../errors.ts";
import { quote } from "../internal/json.ts";
import { type ReasonLayer, REASONS } from "../reasons.ts";
import { type OptionSpec, parseArgs, suggestion, usageError } from "./args.ts";
import type { Runtime } from "./runtime.ts";
import { style, table, wrap } from "./text.ts";

/** Options of `explain`: none. */
export const EXPLAIN_OPTIONS: readonly OptionSpec[] = [];

const COLUMNS = 88;

/** `explain REASON…`: cause, check, repair and example; without a reason, the list of all. */
export function runExplain(args: readonly string[], runtime: Runtime): Promise<number> {
  const { operands } = parseArgs(args, EXPLAIN_OPTIONS);
  const known = Object.keys(REASONS);
  for (const reason of operands) {
    if (!Object.hasOwn(REASONS, reason)) {
      throw usageError(`Unknown reason ${quote(reason)}${suggestion(reason, known)}`);
    }
  }
  const paint = style(runtime.isTerminal("stdout") && !runtime.noColor);
  if (operands.length === 0) {
    let layer: ReasonLayer | undefined;
    let text = "";
    for (const reason of known as Reason[]) {
      const explanation = REASONS[reason];
      if (explanation.layer !== layer) {
        layer = explanation.layer;
        text += `${text === "" ? "" : "\n"}${paint.bold(layer)}\n`;
      }
      text += `  ${reason}\n`;
    }
    runtime.write("stdout", `${text}\nrun: ${runtime.program} explain REASON\n`);
    return Promise.resolve(0);
  }
  runtime.write(
    "stdout",
    (operands as Reason[]).map((reason) => {
      const { layer, cause, check, repair, example } = REASONS[reason];
      const rows = Object.entries({ layer, cause, check, repair, example }).map((
        [name, value],
      ): [string, string] => [name, wrap(value, COLUMNS).join("\n")]);
      return `${paint.bold(reason)}\n${table(rows, "  ")}`;
    }).join("\n"),
  );
  return Promise.resolve(0);
}
