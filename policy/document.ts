import type { Coverage } from "../formats/format.ts";
import type { VerifiedFormatId } from "../formats/format_id.ts";
import type { Json, JsonObject } from "../internal/json.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import type { GithubExpectation, IdentityExpectation } from "../sigstore/identity.ts";
import type { ProvenanceExpectation } from "../slsa/expectation.ts";
import type { VsaExpectation } from "../slsa/vsa_expectation.ts";

/** The `type` of every policy document of this version. */
export const POLICY_TYPE = "attest-policy/v1";

/**
 * What must be attested about which artifacts, by whom. As JSON; every member that is not
 * named here is refused.
 */
export interface PolicyDocument {
  /** Address of the schema, for editors; it has no meaning. */
  $schema?: string;
  /** Always {@linkcode POLICY_TYPE}. */
  type: typeof POLICY_TYPE;
  /** Name for reports. */
  name?: string;
  /** For people. */
  description?: string;
  /** `enforce`: a failed verdict is a refusal. `permissive`: it is a warning. Default `enforce`. */
  mode?: "enforce" | "permissive";
  /** RFC 3339; from that moment on every verdict fails with `policy-expired`. */
  expires?: string;
  /** Who is who: names that rules refer to. */
  trust?: PolicyTrust;
  /** `first`: the first rule that selects an artifact judges it. `all`: each that does. Default `first`. */
  selection?: "first" | "all";
  /** What an artifact gets that no rule selects. Default `fail`. */
  unselected?: "fail" | "pass";
  /**
   * Platforms of an image: `attested`, each needs attestations of its own; `from-index`, those
   * of the index that lists it count for it as well. Default `attested`.
   */
  platforms?: "attested" | "from-index";
  /** Rules, in order; at least one. */
  rules: readonly PolicyRule[];
  /** Failures that are accepted for a time. */
  waivers?: readonly Waiver[];
  /**
   * Who must have signed waivers: keys, key sets, or groups of them. When it is present the
   * document has no `waivers` of its own; they come in files that are signed by these.
   */
  waiverSigners?: SignedBy;
}

/** Names for keys, identities and roots. All names of the document are of one space. */
export interface PolicyTrust {
  /** Public keys by name. */
  keys?: Readonly<Record<string, PolicyKey>>;
  /** Key sets by name, each as its document. */
  keySets?: Readonly<Record<string, JsonObject>>;
  /** Holders of certificates by name. */
  identities?: Readonly<Record<string, PolicyIdentity>>;
  /** Lists of names by name: of keys, key sets and identities, not of groups. */
  groups?: Readonly<Record<string, readonly string[]>>;
  /**
   * Sigstore instances whose certificates, logs and timestamps count: `public-good`, or a
   * trusted root as its document. Default `["public-good"]`; an empty list trusts none.
   */
  roots?: readonly ("public-good" | JsonObject)[];
  /** How much independent evidence a keyless attestation needs, as in `verify()`. */
  thresholds?: {
    /** Distinct logs. */ log?: number;
    /** Distinct certificate logs. */ sct?: number;
    /** Verified times of any kind. */ timestamp?: number;
    /** Verified times by authorities. */ timestampAuthority?: number;
    /** Verified times by logs. */ integratedTime?: number;
  };
}

/** A public key. */
export interface PolicyKey {
  /** PEM (SPKI), a JWK, or one OpenPGP key in armor, which signs what OpenPGP signs. */
  publicKey: string | JsonObject;
  /** Its algorithm. Default: the usual one of its kind. */
  alg?: KeyAlgorithm;
  /** What its owner calls it; a hint. */
  keyid?: string;
  /** For people. */
  description?: string;
}

/** The holder of a certificate: what it says, or a repository of GitHub in short. */
export type PolicyIdentity = IdentityExpectation | {
  /** As in `githubIdentity()`. */
  github: GithubExpectation;
};

/** What is asked of the artifacts that it selects. */
export interface PolicyRule {
  /** Name, unique; letters, digits, `.`, `_` and `-`. */
  id: string;
  /** For people. */
  description?: string;
  /** Which artifacts. Absent: every one. */
  select?: Selector;
  /** What must be attested: each of these. At least one. */
  require: readonly Requirement[];
  /** What must hold between the attestations that met the requirements. */
  across?: readonly CrossRule[];
}

/** Artifacts: all members that are present must hold; of one member any entry. */
export interface Selector {
  /** Patterns for the name: `*` stops at `/`, `**` does not, `?` is one character. */
  name?: string | readonly string[];
  /** Digests, `alg:hex`. */
  digest?: string | readonly string[];
  /** Patterns for the OCI repository, such as `ghcr.io/acme/**`. */
  oci?: string | readonly string[];
  /** Scope or name of an npm package: `@acme/*`, `left-pad`. */
  npm?: string | readonly string[];
}

/**
 * One thing that must be attested. One attestation must hold for all of it; members of
 * several are never mixed.
 */
export interface Requirement {
  /** Name, unique in its rule. */
  id: string;
  /** For people. */
  description?: string;
  /** Who signs, and how. */
  envelope?: EnvelopeRule;
  /** About what, and what kind of thing is said. Its predicate types say which attestations are meant. */
  statement?: StatementRule;
  /** What is said. */
  predicate?: PredicateRule;
  /** How old it may be. */
  freshness?: FreshnessRule;
  /** How many distinct attestations must hold. Default 1. */
  count?: number;
  /**
   * When several of the meant type are there: `any` that holds is enough; `all` of them
   * must hold; `latest`: the one with the latest verified time must. Default `any`.
   */
  conflict?: "any" | "all" | "latest";
}

/** Rules of the envelope. */
export interface EnvelopeRule {
  /** Accepted formats. Default any that signs the type of its message: others by name only. */
  formats?: readonly ("sigstore-bundle" | VerifiedFormatId)[];
  /**
   * How much the signatures must cover: `message`, `whole-artifact`, `artifact-sections`.
   * Default any.
   */
  coverage?: readonly Coverage[];
  /** The signatures must cover the type of the message, so that it cannot be read as another. */
  signedMessageType?: true;
  /** Accepted payload types, exact. Default any that carries a Statement. */
  payloadTypes?: readonly string[];
  /** Accepted algorithms of signatures that count. Default any. */
  algorithms?: readonly string[];
  /** Least size of keys that count, in bits, by kind: `{ "RSA": 3072, "EC": 256 }`. */
  minKeyBits?: Readonly<Record<string, number>>;
  /** Who must have signed: every entry. */
  signedBy?: SignedBy | readonly SignedBy[];
  /** Least number of verified log entries in distinct logs. */
  log?: number;
  /** Least number of verified times. */
  timestamp?: number;
}

/** So many distinct signers of these names. */
export interface SignedBy {
  /** Names of keys, key sets, identities or groups. */
  of: readonly string[];
  /** Distinct signers that are needed. Default 1. */
  threshold?: number;
}

/** Rules of the Statement. */
export interface StatementRule {
  /** Accepted predicate types, exact; an attestation of another type is not meant by the requirement. */
  predicateTypes?: readonly string[];
  /** Digest algorithms of which one must have matched the artifact. */
  digestAlgorithms?: readonly string[];
  /** Patterns of which the name of the matched subject must match one. */
  subjectNames?: readonly string[];
  /** `any`: the artifact is a subject. `exact`: it is the only one. `all`: each subject is an artifact of this run. */
  subjects?: "any" | "all" | "exact";
}

/** Rules of the predicate. */
export interface PredicateRule {
  /** What SLSA provenance must say. */
  provenance?: ProvenanceExpectation;
  /** What is asked of materials and dependencies, of provenance and SBOMs. */
  dependencies?: DependencyRule;
  /** What is asked of an SBOM. */
  sbom?: SbomRule;
  /** What is asked of a vulnerability scan. */
  vulnerabilities?: VulnerabilityRule;
  /** What a verification summary must say. */
  vsa?: VsaExpectation;
  /** Free conditions on the Statement; each must hold. */
  where?: readonly Condition[];
  /** A CEL expression that must be true; needs the evaluator of `@x/attest/policy/cel`. */
  cel?: string;
}

/** Rules of dependencies (`resolvedDependencies`, `materials`). */
export interface DependencyRule {
  /** Patterns of which each `uri` must match one. */
  allowed?: readonly string[];
  /** Patterns that no `uri` may match. */
  forbidden?: readonly string[];
  /** Each must have a digest of one of these algorithms. */
  digests?: readonly string[];
  /** Least number of dependencies that are stated. Default 0. */
  min?: number;
}

/** Rules of a bill of materials. */
export interface SbomRule {
  /** Accepted formats. Default any that can be read. */
  formats?: readonly ("spdx" | "cyclonedx")[];
  /** Packages that must not be listed: package URL, without version for every one, or a pattern for names. */
  forbidden?: readonly string[];
  /** Packages that must be listed. */
  required?: readonly string[];
  /** Each package needs a version. */
  versions?: boolean;
  /** Least number of packages. Default 1. */
  min?: number;
}

/** Severity of a vulnerability, least first. */
export type Severity = "none" | "low" | "medium" | "high" | "critical";

/** Rules of a vulnerability scan. */
export interface VulnerabilityRule {
  /** Highest severity that is accepted; a finding without a known one counts as critical. */
  maxSeverity: Severity;
  /** Findings that are accepted: id, reason, end date. */
  exceptions?: readonly {
    /** Such as `CVE-2026-0001`, exact. */ id: string;
    /** Why. */ reason: string;
    /** RFC 3339. */ until: string;
  }[];
  /** Oldest end of the scan, before the moment of the verdict: a duration such as `P7D`. */
  maxAge?: string;
  /** Accepted scanners, patterns for their URI. */
  scanners?: readonly string[];
  /** Oldest update of the scanner's database. */
  maxDatabaseAge?: string;
}

/** Rules of age. */
export interface FreshnessRule {
  /** Longest time between the latest verified time of signing and the verdict, such as `P30D`. */
  maxAge: string;
}

/**
 * A condition on the values at a path: `path`, and exactly one operator.
 *
 * `path` is a JSON Pointer into the Statement in which `*` stands for every element or
 * member. Of several values all must satisfy the operator (`quantifier: "every"`), one
 * (`"some"`) or none (`"none"`). Where nothing is at the path every condition but
 * `exists: false` fails.
 */
export interface Condition {
  /** Name for reports. */
  id?: string;
  /** JSON Pointer with `*`, such as `/predicate/runDetails/builder/id`. */
  path: string;
  /** Of several values. Default `every`. */
  quantifier?: "every" | "some" | "none";
  /** Equal as JSON. */
  equals?: Json;
  /** Equal to one of these. */
  oneOf?: readonly Json[];
  /** A text of which all matches the pattern (see {@linkcode Selector}) or one of several. */
  matches?: string | readonly string[];
  /** A version in a range such as `>=1.2.0 <2.0.0`. */
  semver?: string;
  /** A number within bounds. */
  number?: {
    /** At least. */ min?: number;
    /** At most. */ max?: number;
  };
  /** A time within bounds: RFC 3339, or a duration back from the moment of the verdict. */
  time?: {
    /** Not before. */ after?: string;
    /** Not after. */ before?: string;
    /** Not older than this duration. */ maxAge?: string;
  };
  /** A list that has all of these. */
  containsAll?: readonly Json[];
  /** A list that has nothing but these. */
  subsetOf?: readonly Json[];
  /** A list that has none of these. */
  disjointFrom?: readonly Json[];
  /** There is something at the path, or there is nothing. */
  exists?: boolean;
}

/** What must hold between attestations; exactly one member beside `id` and `description`. */
export interface CrossRule {
  /** Name, unique in its rule. */
  id: string;
  /** For people. */
  description?: string;
  /** Requirements that no signer may have met two of. */
  distinctSigners?: readonly string[];
  /** Values that must be equal, each at a path of the attestation that met a requirement. */
  equal?: readonly FieldOf[];
  /** Least number of distinct signers over the requirements. */
  signers?: {
    /** Requirements. */ of: readonly string[];
    /** How many. */ min: number;
  };
  /**
   * A dependency of one attestation is an artifact that another rule passed in this run.
   */
  chain?: {
    /** Requirement whose provenance lists the dependency. */ from: string;
    /** Pattern of the dependency's `uri` or `name`. */ dependency: string;
    /** Rule that the artifact with that digest must have passed. */ rule: string;
  };
}

/** A value in the attestation that met a requirement. */
export interface FieldOf {
  /** Id of a requirement of the same rule. */
  requirement: string;
  /** JSON Pointer into its Statement; one value must be there. */
  path: string;
}

/** A failure that is accepted for a time, and shown as waived. */
export interface Waiver {
  /** `rule`, `rule/requirement` or `rule/requirement/check`, exact. */
  rule: string;
  /** Which artifacts. */
  artifact: Selector;
  /** Why. */
  reason: string;
  /** Who answers for it. */
  owner: string;
  /** RFC 3339; from that moment on it does not count. */
  until: string;
  /** Only these reasons are waived. Default: any. */
  reasons?: readonly string[];
}
