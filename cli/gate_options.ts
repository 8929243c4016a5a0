import type { OptionSpec } from "./args.ts";
import { PLATFORM_OPTIONS } from "./image_options.ts";
import { NPM_OPTIONS } from "./npm_options.ts";
import { VSA_OPTIONS } from "./provenance_options.ts";
import { STORE_OPTIONS } from "./store_options.ts";
import { LAYOUT_OPTIONS } from "./supply_chain_options.ts";
import { VERIFY_OPTIONS } from "./verify_options.ts";

const CHANGES = "What changed";
const PLACES = "Where its provenance is";

const OWN: readonly OptionSpec[] = [
  {
    name: "since",
    value: "REF",
    group: CHANGES,
    help: "Branch, tag or commit; compared with is the commit that it and HEAD have in common. " +
      "Default: the commit before HEAD",
  },
  {
    name: "rules",
    value: "FILE",
    group: CHANGES,
    help: "What changed paths stand for (docs/schema/gate-rules.schema.json). Default: each file " +
      "must be attested",
  },
  {
    name: "from-base",
    group: CHANGES,
    help:
      "Read rules, policy, waivers, keys and roots as they were before the change, not as the " +
      "change would have them",
  },
  {
    name: "registry",
    value: "URL",
    group: PLACES,
    help: "A provenance registry; its API key is taken from ATTEST_API_KEY",
  },
  {
    name: "db",
    value: "DB",
    group: PLACES,
    help: "The database of a registry: a file of SQLite, or postgres://…; a password is taken " +
      "from PGPASSWORD",
  },
  // --registry is the one above: that of npm packages is taken from npm's configuration.
  ...STORE_OPTIONS.filter(({ name }) => name !== "registry").map((option) => ({
    ...option,
    group: PLACES,
  })),
];

const EXCLUDED: ReadonlySet<string> = new Set([
  ...[VSA_OPTIONS, NPM_OPTIONS, PLATFORM_OPTIONS, STORE_OPTIONS, LAYOUT_OPTIONS].flat().map((
    { name },
  ) => name),
  "digest",
  "checksums",
  "message",
  "subjects",
  "print-provenance",
  "with-evidence",
  "unsafe-no-artifact",
]);

/** Options of `gate`: whom and what to believe are those of `verify`. */
export const GATE_OPTIONS: readonly OptionSpec[] = [
  ...OWN,
  ...VERIFY_OPTIONS.filter(({ name }) => !EXCLUDED.has(name)).map((option) =>
    option.name === "format"
      ? { ...option, choices: option.choices?.filter((one) => one !== "gh") }
      : option
  ),
];
