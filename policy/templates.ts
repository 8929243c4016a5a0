import { POLICY_TYPE, type PolicyDocument } from "./document.ts";

/** A policy to start from. */
export interface PolicyTemplate {
  /** One line about what it asks. */
  summary: string;
  /** What has to be changed before it is used. */
  change: readonly string[];
  /** The document; it passes `parsePolicy()`, for a repository that is not yours. */
  document: PolicyDocument;
}

const PROVENANCE = "https://slsa.dev/provenance/v1";
const REPOSITORY = "trust/identities: name your repository instead of acme/app";
const SELECT = "rules: select your artifacts";

const TRUST = { identities: { ci: { github: { repository: "acme/app" } } } } as const;

/** Policies to start from, by name. */
export const POLICY_TEMPLATES: Readonly<Record<string, PolicyTemplate>> = {
  github: {
    summary: "provenance, signed by a workflow of one GitHub repository",
    change: [REPOSITORY, SELECT],
    document: {
      type: POLICY_TYPE,
      name: "github",
      mode: "enforce",
      trust: TRUST,
      rules: [{
        id: "release",
        select: { name: "**/*.tgz" },
        require: [{
          id: "provenance",
          envelope: { signedBy: { of: ["ci"] } },
          statement: { predicateTypes: [PROVENANCE] },
        }],
      }],
    },
  },
  "slsa-level-3": {
    summary: "SLSA Build level 3 from one source, whoever may speak for its builder",
    change: ["rules/0/require/0/predicate/provenance/sourceUri: your repository", SELECT],
    document: {
      type: POLICY_TYPE,
      name: "slsa-level-3",
      mode: "enforce",
      rules: [{
        id: "release",
        require: [{
          id: "provenance",
          predicate: { provenance: { sourceUri: "github.com/acme/app", minLevel: 3 } },
        }],
      }],
    },
  },
  image: {
    summary: "an OCI image with provenance, an SBOM and a recent scan",
    change: [REPOSITORY, "rules/0/select/oci: your registry and repositories"],
    document: {
      type: POLICY_TYPE,
      name: "image",
      mode: "enforce",
      trust: TRUST,
      rules: [{
        id: "image",
        select: { oci: "ghcr.io/acme/**" },
        require: [
          {
            id: "provenance",
            envelope: { signedBy: { of: ["ci"] } },
            statement: { predicateTypes: [PROVENANCE] },
          },
          {
            id: "sbom",
            envelope: { signedBy: { of: ["ci"] } },
            statement: {
              predicateTypes: ["https://spdx.dev/Document", "https://cyclonedx.org/bom"],
            },
            predicate: { sbom: { min: 1 } },
          },
          {
            id: "scan",
            envelope: { signedBy: { of: ["ci"] } },
            statement: {
              predicateTypes: ["https://in-toto.io/attestation/vulns/v0.1"],
            },
            predicate: { vulnerabilities: { maxSeverity: "medium", maxAge: "P7D" } },
            conflict: "latest",
          },
        ],
      }],
    },
  },
  npm: {
    summary: "packages of one npm scope, built from one repository",
    change: [REPOSITORY, "rules/0/select/npm: your scope"],
    document: {
      type: POLICY_TYPE,
      name: "npm",
      mode: "enforce",
      trust: TRUST,
      rules: [{
        id: "package",
        select: { npm: "@acme/*" },
        require: [{
          id: "provenance",
          envelope: { signedBy: { of: ["ci"] } },
          statement: { predicateTypes: [PROVENANCE] },
        }],
      }],
    },
  },
  migration: {
    summary: "warn for now: what would fail is reported, nothing is refused",
    change: [REPOSITORY, "mode: enforce, when the reports show no failure any more"],
    document: {
      type: POLICY_TYPE,
      name: "migration",
      mode: "permissive",
      trust: TRUST,
      rules: [{
        id: "release",
        require: [{
          id: "signed",
          envelope: { signedBy: { of: ["ci"] } },
        }],
      }],
    },
  },
};
