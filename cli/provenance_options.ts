import type { OptionSpec } from "./args.ts";

const PROVENANCE = "SLSA provenance: what was built, and by whom";
const VSA = "SLSA verification summary (VSA)";

/** Options of `verify` about provenance, with the words of slsa-verifier. */
export const PROVENANCE_OPTIONS: readonly OptionSpec[] = [
  {
    name: "source-uri",
    value: "URI",
    group: PROVENANCE,
    help: "Repository that was built, such as github.com/acme/app; the builder that is " +
      "recognised stands for the signer",
  },
  {
    name: "source-branch",
    value: "NAME",
    group: PROVENANCE,
    help: "Branch that was built, without refs/heads/",
  },
  {
    name: "source-tag",
    value: "NAME",
    group: PROVENANCE,
    help: "Tag that was built, without refs/tags/",
  },
  {
    name: "source-versioned-tag",
    value: "VERSION",
    group: PROVENANCE,
    help: "Version of the tag: v1 and v1.2 stand for every release of them",
  },
  {
    name: "builder-id",
    value: "URI",
    group: PROVENANCE,
    help: "Builder: whole, or without its @ and version",
  },
  {
    name: "build-workflow-input",
    value: "NAME=VALUE",
    repeatable: true,
    group: PROVENANCE,
    help: "Input of a workflow that was started by hand",
  },
  { name: "build-type", value: "URI", group: PROVENANCE, help: "buildType, the whole of it" },
  {
    name: "min-level",
    value: "N",
    choices: ["1", "2", "3"],
    group: PROVENANCE,
    help: "Least SLSA Build level; it comes from who signed, never from the provenance",
  },
  {
    name: "builders",
    value: "FILE",
    group: PROVENANCE,
    help: "Who may speak for which builder (JSON), in place of the known builders",
  },
];

/** Options of `verify` about verification summaries. */
export const VSA_OPTIONS: readonly OptionSpec[] = [
  {
    name: "vsa",
    value: "FILE",
    repeatable: true,
    group: VSA,
    help: "Verify by this summary of another verifier, in place of --bundle",
  },
  {
    name: "vsa-verifier-id",
    aliases: ["verifier-id"],
    value: "URI",
    group: VSA,
    help: "Who verified; required. Its signer is given as for any attestation",
  },
  {
    name: "vsa-resource-uri",
    aliases: ["resource-uri"],
    value: "URI",
    group: VSA,
    help: "Name under which the artifact is used here; required",
  },
  {
    name: "vsa-level",
    aliases: ["verified-level"],
    value: "LEVEL",
    repeatable: true,
    group: VSA,
    help: "Least level of a track, such as SLSA_BUILD_LEVEL_2, or another word; all are needed",
  },
  {
    name: "vsa-dependency-level",
    value: "LEVEL",
    repeatable: true,
    group: VSA,
    help: "Least level of every dependency",
  },
  {
    name: "vsa-max-age",
    value: "DAYS",
    group: VSA,
    help: "Most days since it was verified",
  },
  { name: "vsa-policy-uri", value: "URI", group: VSA, help: "Policy that was applied" },
  {
    name: "vsa-source-ref",
    value: "REF",
    group: VSA,
    help: "Git ref that the revision must be on, such as refs/heads/main",
  },
  {
    name: "subject-digest",
    value: "ALG:VALUE",
    repeatable: true,
    group: VSA,
    help: "Digest of any algorithm that one subject must have; may stand for the artifact",
  },
];
