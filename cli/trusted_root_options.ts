import type { OptionSpec } from "./args.ts";

const REPOSITORY = "TUF repository";
const OUTPUT = "Output";

const COMMON: readonly OptionSpec[] = [
  {
    name: "tuf-url",
    aliases: ["mirror"],
    value: "URL",
    group: REPOSITORY,
    help: "Where it is. Default: that of the public-good Sigstore instance",
  },
  {
    name: "tuf-root",
    aliases: ["root"],
    value: "FILE",
    group: REPOSITORY,
    help: "root.json to start from, got by a way that is trusted. Default: the one of the " +
      "public-good instance that comes with this program",
  },
  {
    name: "cache",
    value: "DIR",
    group: REPOSITORY,
    help: "Where what was got is kept, below a folder of its own for each repository. Default: " +
      "attest/tuf in XDG_CACHE_HOME or ~/.cache",
  },
  {
    name: "format",
    value: "FORMAT",
    choices: ["text", "json"],
    group: OUTPUT,
    help: "text (default) or json",
  },
];

/** Options of `trusted-root update`. */
export const UPDATE_OPTIONS: readonly OptionSpec[] = [
  ...COMMON,
  {
    name: "output",
    value: "FILE",
    group: OUTPUT,
    help: "update: write trusted_root.json to a file, for verify --trusted-root",
  },
  {
    name: "signing-config-output",
    value: "FILE",
    group: OUTPUT,
    help: "update: write signing_config.json to a file, for sign --signing-config",
  },
  {
    name: "force",
    group: OUTPUT,
    help: "update: replace files that are there",
  },
];

/** Options of `trusted-root show`. */
export const SHOW_OPTIONS: readonly OptionSpec[] = [
  ...COMMON,
  {
    name: "cached",
    group: REPOSITORY,
    help: "show: the trusted root that the last update got, verified again, without a request",
  },
];

/** Options of `trusted-root`, for its help. */
export const TRUSTED_ROOT_OPTIONS: readonly OptionSpec[] = [
  ...new Set([...SHOW_OPTIONS, ...UPDATE_OPTIONS]),
];
