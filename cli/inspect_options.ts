import type { OptionSpec } from "./args.ts";

/** Options of `inspect`. */
export const INSPECT_OPTIONS: readonly OptionSpec[] = [
  {
    name: "format",
    value: "FORMAT",
    choices: ["text", "json"],
    group: "Output",
    help: "text (default) or json",
  },
  {
    name: "output",
    value: "FILE",
    group: "Output",
    help: "Write it to a file, whole or not at all",
  },
];
