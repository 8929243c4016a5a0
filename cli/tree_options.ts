import type { OptionSpec, ParsedArgs } from "./args.ts";
import { PLATFORM_OPTIONS } from "./image_options.ts";
import { NPM_OPTIONS } from "./npm_options.ts";
import { REGISTRY_OPTIONS } from "./registry_options.ts";
import { STORE_OPTIONS } from "./store_options.ts";
import { LAYOUT_OPTIONS } from "./supply_chain_options.ts";
import { VERIFY_OPTIONS } from "./verify_options.ts";

const OUTPUT = "Output";
/** Groups of options of `verify` that say nothing of whom to believe or what to expect. */
const OTHERS: ReadonlySet<string> = new Set([
  OUTPUT,
  ...PLATFORM_OPTIONS.map(({ group }) => group),
  ...REGISTRY_OPTIONS.map(({ group }) => group),
  ...STORE_OPTIONS.map(({ group }) => group),
]);

/** What is about files that are given, of which an image has none. */
const ABOUT_FILES: ReadonlySet<string> = new Set(["message", "vsa", "unsafe-no-artifact"]);

/** Options of `verify` that say whom to believe and what to expect. */
export const TRUST_OPTIONS: readonly OptionSpec[] = VERIFY_OPTIONS.filter((one) =>
  !NPM_OPTIONS.includes(one) && !LAYOUT_OPTIONS.includes(one) && !OTHERS.has(one.group) &&
  one.group !== "Attestation" &&
  !ABOUT_FILES.has(one.name)
);

/** Options of `tree`. */
export const TREE_OPTIONS: readonly OptionSpec[] = [
  ...PLATFORM_OPTIONS.filter(({ name }) => name !== "every-platform"),
  ...REGISTRY_OPTIONS,
  ...TRUST_OPTIONS,
  {
    name: "format",
    value: "FORMAT",
    choices: ["text", "mermaid", "json"],
    group: OUTPUT,
    help: "text (default), mermaid: a diagram for Markdown, json",
  },
  {
    name: "output",
    value: "FILE",
    group: OUTPUT,
    help: "Write it to a file, whole or not at all",
  },
];

/** Options of `download`. */
export const DOWNLOAD_OPTIONS: readonly OptionSpec[] = [
  {
    name: "output",
    value: "FOLDER",
    group: OUTPUT,
    help: "Folder to write, which must not be there or be empty; required",
  },
  ...PLATFORM_OPTIONS.filter(({ name }) => name !== "every-platform"),
  ...REGISTRY_OPTIONS,
  ...TRUST_OPTIONS,
];

/** Tells whether somebody is to be believed: else nothing has a verdict. */
export function hasTrust(args: ParsedArgs): boolean {
  return TRUST_OPTIONS.some(({ name }) => args.has(name));
}
