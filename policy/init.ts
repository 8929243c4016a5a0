import { AttestationError } from "../errors.ts";
import { type Json, type JsonObject, quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import {
  type CertificateIdentity,
  escapePattern,
  GITHUB_ISSUER,
  type IdentityExpectation,
} from "../sigstore/identity.ts";
import { PROVENANCE_TYPES } from "../slsa/provenance.ts";
import {
  POLICY_TYPE,
  type PolicyDocument,
  type PolicyIdentity,
  type PolicyKey,
  type Requirement,
} from "./document.ts";
import type { ArtifactEvidence, EvidenceAttestation, EvidenceSigner } from "./evidence.ts";
import { parsePolicy } from "./parse.ts";
import { valuesAt } from "./path.ts";

/** What a derived policy took from where. */
export interface DerivedFact {
  /** JSON Pointer into the policy. */
  path: string;
  /** What is there now. */
  value: string;
  /** What it comes from. */
  from: string;
}

/** A first policy, for review. */
export interface DerivedPolicy {
  /** The document; it passes `parsePolicy()`. */
  document: PolicyDocument;
  /** What it took from where. */
  facts: DerivedFact[];
  /** What it leaves open, for the reviewer. */
  open: string[];
}

/** Options of {@linkcode derivePolicy}. */
export interface DeriveOptions {
  /** Name of the policy. */
  name?: string;
  /** Public keys by the fingerprint of the signer. */
  keys?: ReadonlyMap<string, PolicyKey>;
  /** How much independent evidence was asked for. */
  thresholds?: NonNullable<PolicyDocument["trust"]>["thresholds"];
  /** Trusted roots as their documents, if the public-good one is not meant. */
  roots?: readonly JsonObject[];
  /** The public-good root counts beside `roots`. Default true. */
  publicGood?: boolean;
}

const MAX_REQUIREMENTS = 100;

/**
 * A first policy that asks of later artifacts what this one has: the same signers and kinds
 * of attestations. Trust on first use: it is as good as the evidence is, and to be reviewed.
 *
 * Versions, refs and commits are left open, as they change with each release; the numbers of
 * a repository and its owner are kept, because names can change hands.
 *
 * @param evidence What verified about one artifact, under trust that the caller stated.
 * @throws {AttestationError} `missing-attestation` if nothing verified.
 * @throws {TypeError} If the public key of a signer is not given, or an option is unknown.
 */
export function derivePolicy(
  evidence: ArtifactEvidence,
  options: DeriveOptions = {},
): DerivedPolicy {
  refuseUnknown(options, ["name", "keys", "thresholds", "roots", "publicGood"], "derivePolicy()");
  const { attestations } = evidence;
  if (attestations.length === 0) {
    throw new AttestationError(
      "missing-attestation",
      `Cannot derive policy: no attestation of ${quote(evidence.artifact)} verified`,
    );
  }
  const facts: DerivedFact[] = [];
  const keys: Record<string, PolicyKey> = {};
  const identities: Record<string, PolicyIdentity> = {};
  const names = new Map<string, string>();
  const nameOf = (signer: EvidenceSigner, source: string): string => {
    const known = names.get(signer.distinct);
    if (known !== undefined) return known;
    const taken = new Set([...Object.keys(keys), ...Object.keys(identities)]);
    const name = freeName(signer.kind === "key" ? signer.name : "", signer.kind, taken);
    names.set(signer.distinct, name);
    if (signer.identity !== undefined) {
      const identity = stableIdentity(signer.identity);
      identities[name] = identity;
      for (const [claim, matcher] of Object.entries(identity)) {
        const value = typeof matcher === "string" ? matcher : matcher?.pattern ?? "";
        facts.push({
          path: `/trust/identities/${name}/${claim}`,
          value,
          from: `the certificate of ${source}`,
        });
      }
      return name;
    }
    const key = options.keys?.get(signer.fingerprint ?? "");
    if (key === undefined) throw new TypeError(`The public key of ${signer.name} is not given`);
    keys[name] = key;
    facts.push({
      path: `/trust/keys/${name}`,
      value: `sha256:${signer.fingerprint ?? ""}`,
      from: `the key that accepted ${source}`,
    });
    return name;
  };

  const byType = new Map<string, EvidenceAttestation[]>();
  for (const one of attestations) {
    const type = one.implicit === true ? "" : one.statement.predicateType;
    byType.set(type, [...byType.get(type) ?? [], one]);
  }
  const require: Requirement[] = [];
  const ids = new Set<string>();
  for (const [type, all] of [...byType].slice(0, MAX_REQUIREMENTS)) {
    const [first] = all;
    const of = [...new Set(first.signers.map((signer) => nameOf(signer, first.source)))];
    const id = freeName(idOf(type), "attestation", ids);
    ids.add(id);
    const envelope: Requirement["envelope"] = {
      algorithms: [...new Set(first.signers.map(({ algorithm }) => algorithm))],
      signedBy: of.length === 1 ? { of } : { of, threshold: of.length },
    };
    const at = `/rules/0/require/${require.length}`;
    facts.push({ path: `${at}/envelope/signedBy`, value: of.join(", "), from: first.source });
    if (type === "") {
      require.push({ id, envelope });
      continue;
    }
    require.push({ id, envelope, statement: { predicateTypes: [type] } });
    facts.push({ path: `${at}/statement/predicateTypes`, value: type, from: first.source });
    const builder = builderOf(first);
    if (builder === undefined) continue;
    require[require.length - 1] = {
      id,
      envelope,
      statement: { predicateTypes: [type] },
      predicate: { where: [{ id: "builder", path: builder.path, equals: builder.id }] },
    };
    facts.push({
      path: `${at}/predicate/where/0`,
      value: builder.id,
      from: `${builder.path} of ${first.source}`,
    });
  }

  const roots = [
    ...(options.publicGood === false ? [] : ["public-good" as const]),
    ...(options.roots ?? []),
  ];
  const isKeyless = Object.keys(identities).length > 0;
  const trust: PolicyDocument["trust"] = {
    ...(Object.keys(keys).length === 0 ? {} : { keys }),
    ...(isKeyless ? { identities } : {}),
    roots: isKeyless ? roots : [],
    ...(isKeyless ? { thresholds: options.thresholds } : {}),
  };
  const document: PolicyDocument = {
    type: POLICY_TYPE,
    name: options.name ?? "first-policy",
    mode: "enforce",
    trust,
    rules: [{ id: "release", require }],
  };
  return { document: parsePolicy(document), facts, open: openQuestions(document) };
}

/** Claims that stay the same from one release to the next. */
function stableIdentity(identity: CertificateIdentity): IdentityExpectation {
  const { subjectAlternativeName, issuer } = identity;
  const stable: IdentityExpectation = { issuer };
  const at = subjectAlternativeName.lastIndexOf("@");
  const isWorkflow = issuer === GITHUB_ISSUER || identity.buildSignerURI !== undefined;
  stable.subjectAlternativeName = isWorkflow && at > 0 && identity.sanType === "uri"
    ? { pattern: `${escapePattern(subjectAlternativeName.slice(0, at))}@[^@]+` }
    : subjectAlternativeName;
  const claims = [
    "sourceRepositoryURI",
    "sourceRepositoryIdentifier",
    "sourceRepositoryOwnerIdentifier",
    "runnerEnvironment",
  ] as const;
  for (const claim of claims) {
    const value = identity[claim];
    if (value !== undefined) stable[claim] = value;
  }
  return stable;
}

function builderOf({ statement }: EvidenceAttestation): { path: string; id: string } | undefined {
  if (!PROVENANCE_TYPES.includes(statement.predicateType)) return undefined;
  for (const path of ["/predicate/runDetails/builder/id", "/predicate/builder/id"]) {
    const value = valuesAt(path, statement as unknown as Json)[0]?.value;
    // The id of a builder with a ref changes with each release of its workflow.
    if (typeof value === "string" && !value.includes("@refs/")) return { path, id: value };
  }
  return undefined;
}

function openQuestions({ trust = {} }: PolicyDocument): string[] {
  const open = [
    "Which artifacts it is for: rules/0 has no select, so it is for every one",
    "When it ends: set expires, so that somebody looks at it again",
  ];
  if (Object.keys(trust.identities ?? {}).length > 0) {
    open.push("Which refs may be released: no identity names a sourceRepositoryRef");
  }
  open.push("How old an attestation may be: no requirement has freshness");
  return open;
}

function idOf(type: string): string {
  if (type === "") return "signed";
  const known: readonly (readonly [RegExp, string])[] = [
    [/slsa.*provenance/i, "provenance"],
    [/spdx|cyclonedx/i, "sbom"],
    [/vuln/i, "vulnerabilities"],
    [/test-result/i, "tested"],
    [/verification_summary/i, "summary"],
  ];
  const name = known.find(([pattern]) => pattern.test(type))?.[1];
  return name ?? type.replace(/\/v\d[\w.]*$/, "").split(/[/:]/).at(-1) ?? "";
}

/** A name that is not taken, of the letters that names may have. */
function freeName(wanted: string, fallback: string, taken: ReadonlySet<string>): string {
  const base = wanted.replace(/^.*[/\\]/, "").replace(/\.(?:pub|pem|jwk|key|json)$/i, "")
    .replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 64);
  const first = base === "" || base === "across" ? fallback : base;
  let name = first;
  for (let n = 2; taken.has(name); n++) name = `${first}-${n}`;
  return name;
}
