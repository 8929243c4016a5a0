import type { OptionSpec } from "./args.ts";
import { NPM_OPTIONS } from "./npm_options.ts";
import { POLICY_FILE_OPTIONS, VERIFY_POLICY_OPTIONS } from "./policy_options.ts";
import { PROVENANCE_OPTIONS, VSA_OPTIONS } from "./provenance_options.ts";
import { LAYOUT_OPTIONS } from "./supply_chain_options.ts";
import { VERIFY_OPTIONS } from "./verify_options.ts";

const OUTPUT = "Output";

const FORMAT: OptionSpec = {
  name: "format",
  value: "FORMAT",
  choices: ["text", "json"],
  group: OUTPUT,
  help: "text (default) or json",
};

const FORCE: OptionSpec = { name: "force", group: OUTPUT, help: "Replace the file that is there" };

const SIGNED = POLICY_FILE_OPTIONS.filter(({ name }) => name.startsWith("policy-"));

const ARTIFACTS = VERIFY_OPTIONS.filter(({ name }) =>
  ["bundle", "digest", "checksums", "package-name"].includes(name)
);

/** Options of `policy check`. */
export const CHECK_OPTIONS: readonly OptionSpec[] = [...POLICY_FILE_OPTIONS, FORMAT];

/** Options of `policy explain`. */
export const EXPLAIN_OPTIONS: readonly OptionSpec[] = [
  ...ARTIFACTS,
  ...POLICY_FILE_OPTIONS,
  FORMAT,
];

const INIT = "A first policy";
const INIT_EXCLUDED: ReadonlySet<string> = new Set([
  ...[VERIFY_POLICY_OPTIONS, NPM_OPTIONS, PROVENANCE_OPTIONS, VSA_OPTIONS, LAYOUT_OPTIONS].flat()
    .map(
      ({ name }) => name,
    ),
  "format",
  "output",
  "print-provenance",
  "with-evidence",
  "threshold",
  "subjects",
]);

/** Options of `policy init`: whom to trust on first use are those of `verify`. */
export const INIT_OPTIONS: readonly OptionSpec[] = [
  { name: "name", value: "NAME", group: INIT, help: "Name of the policy" },
  {
    name: "template",
    value: "NAME",
    group: INIT,
    help: "Start from a template instead: github, slsa-level-3, image, npm or migration",
  },
  { name: "output", value: "FILE", group: OUTPUT, help: "Where to; default standard output" },
  FORCE,
  ...VERIFY_OPTIONS.filter(({ name, group }) =>
    !INIT_EXCLUDED.has(name) && !name.startsWith("unsafe-") && !["Output"].includes(group)
  ),
];

/** Options of `policy test`. */
export const TEST_OPTIONS: readonly OptionSpec[] = [
  {
    name: "tests",
    value: "FILE",
    group: "Cases",
    help: "Table of cases; default the policy's name with .tests.json",
  },
  ...SIGNED,
  FORMAT,
];

/** Options of `policy schema`. */
export const SCHEMA_OPTIONS: readonly OptionSpec[] = [
  { name: "tests", group: OUTPUT, help: "The schema of tables of cases instead" },
];

/** Options of `policy import`. */
export const IMPORT_OPTIONS: readonly OptionSpec[] = [
  {
    name: "from",
    value: "KIND",
    choices: ["cluster-image-policy", "in-toto-layout", "slsa-verifier"],
    group: "Import",
    help: "What it is; the flags of slsa-verifier come after --",
  },
  { name: "output", value: "FILE", group: OUTPUT, help: "Where to; default standard output" },
  FORCE,
];

/** Options of `policy diff`. */
export const DIFF_POLICY_OPTIONS: readonly OptionSpec[] = [...SIGNED, FORMAT];

/** Options of `policy dry-run`. */
export const DRY_RUN_OPTIONS: readonly OptionSpec[] = [
  {
    name: "reports",
    value: "FILE",
    repeatable: true,
    group: "Reports",
    help: "Stored answer of verify --format json with --policy or --with-evidence",
  },
  {
    name: "now",
    value: "TIME",
    group: "Reports",
    help: "Moment of the new verdict, RFC 3339; default that of a report's own verdict, else now",
  },
  // Stored evidence does not tell when a key signed: revocations count where it is verified anew.
  ...POLICY_FILE_OPTIONS.filter(({ name }) => !name.startsWith("revocations")),
  FORMAT,
];

/** All of them, under the names of their actions. */
export const POLICY_COMMAND_OPTIONS: readonly OptionSpec[] = Object.entries({
  check: CHECK_OPTIONS,
  explain: EXPLAIN_OPTIONS,
  init: INIT_OPTIONS.slice(0, 4),
  test: TEST_OPTIONS,
  schema: SCHEMA_OPTIONS,
  import: IMPORT_OPTIONS,
  diff: DIFF_POLICY_OPTIONS,
  "dry-run": DRY_RUN_OPTIONS,
}).flatMap(([action, options]) =>
  options.map((option) => ({ ...option, group: `policy ${action}` }))
);
