import type { OptionSpec } from "./args.ts";
import { CI_PROVENANCE_OPTIONS } from "./provenance_command_options.ts";
import { OUTPUT_OPTIONS, SIGNING_OPTIONS } from "./signing_options.ts";

const SUBJECT = "What it is about";
const PREDICATE = "What is said";
const SPECIFIC = "What is said, by options in place of --predicate";
const OUTPUT = "Output";

/** Options of which each makes a predicate of one type; by the short name of that type. */
export const PREDICATE_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  release: ["purl", "package-id"],
  "test-result": ["result", "configuration", "url", "passed-test", "warned-test", "failed-test"],
  vuln: [
    "scan-result",
    "scanner",
    "scanner-version",
    "scanner-db",
    "scanner-db-version",
    "scan-started",
    "scan-finished",
  ],
};

/** Options of `attest`. */
export const ATTEST_OPTIONS: readonly OptionSpec[] = [
  {
    name: "subject-digest",
    value: "[NAME@]ALG:HEX",
    repeatable: true,
    group: SUBJECT,
    help: "By digest, such as app.tgz@sha256:e3b0… or gitCommit:5d41…; it is taken at its word",
  },
  {
    name: "subject-name",
    value: "NAME",
    group: SUBJECT,
    help: "Name of the only subject; default that of the file",
  },
  {
    name: "checksums",
    value: "FILE",
    repeatable: true,
    group: SUBJECT,
    help: "All that a file of sha256sum, sha384sum or sha512sum lists; it is taken at its word",
  },
  {
    name: "git",
    value: "REV",
    repeatable: true,
    group: SUBJECT,
    help: "Commit or annotated tag of the repository in the current folder; TAG^{commit} is the " +
      "commit of a tag",
  },
  {
    name: "subjects",
    value: "MODE",
    choices: ["one", "many"],
    group: SUBJECT,
    help: "A folder as one subject, which nothing may be added to (default), or each of its " +
      "files as one",
  },
  {
    name: "digest-algorithm",
    value: "LIST",
    group: SUBJECT,
    help: "sha256 (default), sha384, sha512, or several with commas",
  },
  {
    name: "each",
    group: SUBJECT,
    help: "An attestation for each artifact of the command line, in place of one about all",
  },
  {
    name: "type",
    short: "t",
    aliases: ["predicate-type"],
    value: "TYPE",
    group: PREDICATE,
    help: "URI of the claim, or slsaprovenance1, slsaprovenance, spdx, cyclonedx, vuln, vulns, " +
      "openvex, link, vsa, test-result, release, scai, custom and others",
  },
  {
    name: "predicate",
    short: "p",
    value: "FILE",
    group: PREDICATE,
    help: "JSON object that is the claim, taken to the letter; - for standard input",
  },
  {
    name: "sbom",
    value: "FILE",
    group: PREDICATE,
    help: "SPDX or CycloneDX document (JSON) that is the claim; its type is found from it",
  },
  {
    name: "provenance",
    group: PREDICATE,
    help: "SLSA provenance of this build, from the environment of GitHub Actions, GitLab CI, " +
      "Google Cloud Build, Buildkite or CircleCI",
  },
  {
    name: "statement",
    value: "FILE",
    group: PREDICATE,
    help: "Complete in-toto Statement, signed byte for byte; - for standard input. Artifacts " +
      "beside it must be its subjects",
  },
  {
    name: "no-validate",
    group: PREDICATE,
    help: "Sign also what is wrong for its type",
  },
  {
    name: "purl",
    value: "PURL",
    group: SPECIFIC,
    help: "release: package URL with a version",
  },
  {
    name: "package-id",
    value: "TEXT",
    group: SPECIFIC,
    help: "release: stable id of the package at the registry",
  },
  {
    name: "result",
    value: "RESULT",
    choices: ["PASSED", "WARNED", "FAILED"],
    group: SPECIFIC,
    help: "test-result: of the whole run",
  },
  {
    name: "configuration",
    value: "FILE|URI",
    repeatable: true,
    group: SPECIFIC,
    help: "test-result: what the run was made with; a file by its digest",
  },
  { name: "url", value: "URL", group: SPECIFIC, help: "test-result: page of the run" },
  {
    name: "passed-test",
    value: "NAME",
    repeatable: true,
    group: SPECIFIC,
    help: "test-result: a test that passed",
  },
  {
    name: "warned-test",
    value: "NAME",
    repeatable: true,
    group: SPECIFIC,
    help: "test-result: a test that passed with a warning",
  },
  {
    name: "failed-test",
    value: "NAME",
    repeatable: true,
    group: SPECIFIC,
    help: "test-result: a test that failed",
  },
  {
    name: "scan-result",
    value: "FILE",
    group: SPECIFIC,
    help: "vuln: what the scanner wrote, JSON",
  },
  { name: "scanner", value: "URI", group: SPECIFIC, help: "vuln: scanner" },
  { name: "scanner-version", value: "TEXT", group: SPECIFIC, help: "vuln: its version" },
  { name: "scanner-db", value: "URI", group: SPECIFIC, help: "vuln: its database" },
  { name: "scanner-db-version", value: "TEXT", group: SPECIFIC, help: "vuln: version of that" },
  { name: "scan-started", value: "TIME", group: SPECIFIC, help: "vuln: RFC 3339" },
  {
    name: "scan-finished",
    value: "TIME",
    group: SPECIFIC,
    help: "vuln: RFC 3339; default --scan-started",
  },
  ...CI_PROVENANCE_OPTIONS,
  ...SIGNING_OPTIONS,
  ...OUTPUT_OPTIONS,
  {
    name: "append",
    group: OUTPUT,
    help: "Add a line to NAME.intoto.jsonl or the given file, under a lock",
  },
];
