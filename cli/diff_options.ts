import type { OptionSpec } from "./args.ts";
import { PLATFORM_OPTIONS } from "./image_options.ts";
import { NPM_OPTIONS } from "./npm_options.ts";
import { VERIFY_POLICY_OPTIONS } from "./policy_options.ts";
import { VSA_OPTIONS } from "./provenance_options.ts";
import { REGISTRY_OPTIONS } from "./registry_options.ts";
import { STORE_OPTIONS } from "./store_options.ts";
import { LAYOUT_OPTIONS } from "./supply_chain_options.ts";
import { VERIFY_OPTIONS } from "./verify_options.ts";

const ARTIFACTS = "Artifacts";
const OUTPUT = "Output";

const OWN: readonly OptionSpec[] = [
  {
    name: "artifact-a",
    value: "ARTIFACT",
    group: ARTIFACTS,
    help: "File or ALG:HEX that A must be about; else A is verified without any",
  },
  {
    name: "artifact-b",
    value: "ARTIFACT",
    group: ARTIFACTS,
    help: "File or ALG:HEX that B must be about; else B is verified without any",
  },
  {
    name: "format",
    value: "FORMAT",
    choices: ["text", "json"],
    group: OUTPUT,
    help: "text (default) or json",
  },
  {
    name: "output",
    value: "FILE",
    group: OUTPUT,
    help: "Write it to a file, whole or not at all",
  },
];

const EXCLUDED: ReadonlySet<string> = new Set([
  ...[
    ...[VSA_OPTIONS, NPM_OPTIONS, VERIFY_POLICY_OPTIONS, PLATFORM_OPTIONS],
    ...[REGISTRY_OPTIONS, STORE_OPTIONS, LAYOUT_OPTIONS, OWN],
  ].flat().map(({ name }) => name),
  "bundle",
  "digest",
  "checksums",
  "message",
  "subjects",
  "exit-code",
  "print-provenance",
  "with-evidence",
  "unsafe-no-artifact",
]);

/** Options of `diff`: whom and what to believe are those of `verify`. */
export const DIFF_OPTIONS: readonly OptionSpec[] = [
  ...OWN,
  ...VERIFY_OPTIONS.filter(({ name }) => !EXCLUDED.has(name)),
];
