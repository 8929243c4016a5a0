import { BUILD_PLATFORMS } from "../slsa/ci/detect.ts";
import type { OptionSpec } from "./args.ts";

const BUILD = "SLSA provenance of this build";

/** What the environment of a build does not tell of it. */
export const CI_PROVENANCE_OPTIONS: readonly OptionSpec[] = [
  {
    name: "ci",
    value: "PLATFORM",
    choices: BUILD_PLATFORMS,
    group: BUILD,
    help: "Where it runs; default: found by the environment. local must be said",
  },
  {
    name: "builder-id",
    value: "URI",
    group: BUILD,
    help: "Builder, in place of the platform's",
  },
  {
    name: "build-type",
    value: "URI",
    group: BUILD,
    help: "Meaning of the parameters, in place of the platform's",
  },
  {
    name: "parameter",
    value: "NAME=VALUE",
    repeatable: true,
    group: BUILD,
    help: "External parameter that the platform does not tell; never a secret",
  },
  {
    name: "dependency",
    value: "URI@ALG:HEX",
    repeatable: true,
    group: BUILD,
    help: "What was fetched for the build, besides its source",
  },
  {
    name: "matrix",
    value: "JSON",
    group: BUILD,
    help: "Values of this leg of a matrix, as toJSON(matrix) gives them; default ATTEST_MATRIX",
  },
  {
    name: "source-repository",
    value: "URL",
    group: BUILD,
    help: "Repository, where the platform does not tell it; default of a local build: origin",
  },
  {
    name: "source-ref",
    value: "REF",
    group: BUILD,
    help: "Git ref, whole, such as refs/heads/main",
  },
  { name: "source-commit", value: "HEX", group: BUILD, help: "Commit, 40 or 64 hex digits" },
  {
    name: "workflow",
    value: "PATH",
    group: BUILD,
    help: "File in the repository that says how to build; a local build must name it",
  },
  {
    name: "allow-dirty",
    group: BUILD,
    help: "Record that tracked files differ from the commit, in place of refusing (local)",
  },
  {
    name: "started",
    value: "TIME",
    group: BUILD,
    help: "When it began (RFC 3339, UTC); default as the platform tells it",
  },
  {
    name: "no-identity",
    group: BUILD,
    help: "Ask the platform for no identity token: then the environment alone counts, which " +
      "does not know of reusable workflows",
  },
];
