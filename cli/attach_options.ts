import type { OptionSpec } from "./args.ts";
import { REGISTRY_OPTIONS } from "./registry_options.ts";

const WHERE = "Where it is attached";

/** Options of `attach`. */
export const ATTACH_OPTIONS: readonly OptionSpec[] = [
  {
    name: "attestation",
    short: "a",
    aliases: ["bundle"],
    value: "FILE",
    repeatable: true,
    group: WHERE,
    help: "Attestation: a Sigstore bundle, a DSSE envelope, or .jsonl with one a line",
  },
  {
    name: "platform",
    value: "OS/ARCH",
    repeatable: true,
    group: WHERE,
    help: "Only to this platform; else to each manifest that an attestation is about",
  },
  {
    name: "index",
    group: WHERE,
    help: "Also to the index of several platforms, where an attestation is about it",
  },
  {
    name: "dry-run",
    group: WHERE,
    help: "Say what would be attached, and write nothing",
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
