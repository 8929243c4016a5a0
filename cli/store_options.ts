import type { OptionSpec } from "./args.ts";

const STORE = "Store";

/** What a store is called on the command line. */
export const STORE_WORDS =
  "a folder, a file NAME.intoto.jsonl, beside:FILE, oci://HOST/NAME, github:OWNER/NAME, " +
  "github-org:NAME, github-user:NAME, npm:NAME@VERSION or an https: address";

/** Options that name stores, of every command that asks them. */
export const STORE_OPTIONS: readonly OptionSpec[] = [
  {
    name: "store",
    value: "STORE",
    repeatable: true,
    group: STORE,
    help: `Where attestations are looked for by the digest of the artifact: ${STORE_WORDS}`,
  },
  {
    name: "github-api",
    value: "URL",
    group: STORE,
    help: "Address of GitHub's API; default the variable GITHUB_API_URL. A token is taken from " +
      "GH_TOKEN or GITHUB_TOKEN",
  },
  {
    name: "registry",
    value: "URL",
    group: STORE,
    help: "npm registry that npm:NAME@VERSION is fetched from; default npm's configuration " +
      "(npm_config_registry, .npmrc)",
  },
];

const [STORES, ...SERVICES] = STORE_OPTIONS;
const FORMAT: OptionSpec = {
  name: "format",
  value: "FORMAT",
  choices: ["text", "json"],
  group: "Output",
  help: "text (default) or json",
};

/** Options of `store put`. */
export const STORE_PUT_OPTIONS: readonly OptionSpec[] = [
  {
    ...STORES,
    repeatable: false,
    help: "Where it is kept: a folder, NAME.intoto.jsonl or beside:FILE",
  },
  FORMAT,
];

/** Options of `store find`. */
export const STORE_FIND_OPTIONS: readonly OptionSpec[] = [
  STORES,
  ...SERVICES,
  {
    name: "output",
    value: "FILE",
    group: "Output",
    help: "Write what is found to a new file, one attestation a line",
  },
  FORMAT,
];

/** Options of `store list`. */
export const STORE_LIST_OPTIONS: readonly OptionSpec[] = [
  {
    ...STORES,
    help: "What is listed: a folder, NAME.intoto.jsonl, beside:FILE or oci://HOST/NAME",
  },
  FORMAT,
];

/** Options of `store prune`. */
export const STORE_PRUNE_OPTIONS: readonly OptionSpec[] = [
  { ...STORES, repeatable: false, help: "What is pruned: a folder or NAME.intoto.jsonl" },
  {
    name: "older-than",
    value: "DURATION",
    group: "What goes: all conditions that are given must hold",
    help: "Put longer ago than this, such as P90D; of a folder only",
  },
  {
    name: "predicate-type",
    aliases: ["type"],
    value: "TYPE",
    repeatable: true,
    group: "What goes: all conditions that are given must hold",
    help: "Of one of these types, as the attestation states it",
  },
  {
    name: "keep-subjects",
    value: "FILE",
    repeatable: true,
    group: "What goes: all conditions that are given must hold",
    help: "None of its subjects is in one of these files of sha256sum, sha384sum or sha512sum",
  },
  {
    name: "dry-run",
    group: "What goes: all conditions that are given must hold",
    help: "Say what would be removed, and remove nothing",
  },
  FORMAT,
];

/** Options of all commands of `store`. */
export const ALL_STORE_OPTIONS: readonly OptionSpec[] = [
  ...new Map(
    [
      ...STORE_PRUNE_OPTIONS,
      ...STORE_FIND_OPTIONS,
    ].map((option) => [option.name, option]),
  ).values(),
];
