import type { OptionSpec } from "./args.ts";
import { REGISTRY_OPTIONS } from "./registry_options.ts";

const WHAT = "What is copied";

/** Options of `copy`. */
export const COPY_OPTIONS: readonly OptionSpec[] = [
  {
    name: "image-only",
    group: WHAT,
    help: "The image and its platforms, without attestations, signatures and what else hangs on it",
  },
  {
    name: "dry-run",
    group: WHAT,
    help: "List what would be copied, and write nothing",
  },
  ...REGISTRY_OPTIONS,
  {
    name: "format",
    value: "FORMAT",
    choices: ["text", "json"],
    group: "Output",
    help: "text (default) or json",
  },
];
