import { VERIFIED_FORMATS } from "../formats/format_id.ts";
import { isAttestationError } from "../errors.ts";
import { isObject, type Json, quote } from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";
import { parsePurl } from "../internal/purl.ts";
import { DIGEST_ALGORITHMS } from "../intoto/digest_set.ts";
import { findPredicateTypes, PREDICATE_SHORT_NAMES } from "../intoto/predicates/short_name.ts";
import { lookupAlgorithm } from "../keys/algorithm.ts";
import { assertProvenanceExpectation, type ProvenanceExpectation } from "../slsa/expectation.ts";
import { PROVENANCE_TYPES } from "../slsa/provenance.ts";
import { checkVsaExpectation, type VsaExpectation } from "../slsa/vsa.ts";
import { VSA_V1 } from "../slsa/vsa_predicate.ts";
import { checkConditions } from "./_condition.ts";
import { regexFault } from "./_regex.ts";
import { WEAK_DIGESTS } from "./_selector.ts";
import type { Members, ProblemList } from "./_shape.ts";
import type { TrustedNames } from "./_trust.ts";

const REQUIREMENT = [
  "id",
  "description",
  "envelope",
  "statement",
  "predicate",
  "freshness",
  "count",
  "conflict",
];
const ENVELOPE = [
  "formats",
  "coverage",
  "signedMessageType",
  "payloadTypes",
  "algorithms",
  "minKeyBits",
  "signedBy",
  "log",
  "timestamp",
];
const STATEMENT = ["predicateTypes", "digestAlgorithms", "subjectNames", "subjects"];
const PREDICATE = [
  "provenance",
  "dependencies",
  "sbom",
  "vulnerabilities",
  "vsa",
  "where",
  "cel",
];
const DEPENDENCIES = ["allowed", "forbidden", "digests", "min"];
const SBOM = ["formats", "forbidden", "required", "versions", "min"];
const VULNERABILITIES = ["maxSeverity", "exceptions", "maxAge", "scanners", "maxDatabaseAge"];
const SEVERITIES = ["none", "low", "medium", "high", "critical"];

/** Every member, by the compiler's word. */
const PROVENANCE = Object.keys(
  {
    sourceUri: 0,
    sourceBranch: 0,
    sourceTag: 0,
    sourceVersionedTag: 0,
    sourceCommit: 0,
    builderId: 0,
    workflowInputs: 0,
    buildType: 0,
    externalParameters: 0,
    minLevel: 0,
    builders: 0,
    predicateTypes: 0,
    requirePinnedDependencies: 0,
  } satisfies Record<keyof ProvenanceExpectation, 0>,
);
const VSA = Object.keys(
  {
    verifierId: 0,
    signer: 0,
    resourceUri: 0,
    verifiedLevels: 0,
    maxLevels: 0,
    dependencyLevels: 0,
    maxAge: 0,
    policy: 0,
    digest: 0,
    sourceRef: 0,
  } satisfies Record<keyof VsaExpectation, 0>,
);

/** Sizes beyond which there is no key of a kind. */
const MAX_BITS: ReadonlyMap<string, number> = new Map([
  ["RSA", 8192],
  ["EC", 521],
  ["Ed25519", 256],
  ["ML-DSA", 65_536],
]);

export const ID = /^[A-Za-z0-9._-]{1,128}$/;

/** The id of a rule, requirement or cross rule; undefined if there is none that can be used. */
export function checkId(members: Members): string | undefined {
  members.need("id");
  const id = members.text("id");
  if (id === undefined || ID.test(id)) return id;
  members.wrong("id", `${quote(id)} is no id: letters, digits, . _ and -`);
}

/** Checks one requirement; gives its id. */
export function checkRequirement(
  list: ProblemList,
  value: Json,
  path: string,
  trusted: TrustedNames,
): string | undefined {
  const requirement = list.members(value, path, "a requirement", REQUIREMENT);
  if (requirement === undefined) return undefined;
  const id = checkId(requirement);
  requirement.text("description");
  const envelope = requirement.object("envelope", "envelope", ENVELOPE);
  const statement = requirement.object("statement", "statement", STATEMENT);
  const predicate = requirement.object("predicate", "predicate", PREDICATE);
  const freshness = requirement.object("freshness", "freshness", ["maxAge"]);
  if (envelope !== undefined) checkEnvelope(envelope, trusted);
  const types = statement === undefined ? undefined : checkStatement(statement);
  if (predicate !== undefined) checkPredicate(predicate, types, trusted);
  freshness?.need("maxAge");
  freshness?.duration("maxAge");
  const count = requirement.integer("count", 1, 1000) ?? 1;
  const conflict = requirement.word("conflict", ["any", "all", "latest"]);
  if (conflict === "latest" && count > 1) {
    requirement.wrong("count", "the latest attestation is one: count has no meaning with it");
  }
  if (freshness !== undefined && onlyDsse(envelope)) {
    requirement.wrong(
      "freshness",
      "a bare DSSE envelope has no verified time: accept other formats",
    );
  }
  checkSomebodySigns(requirement, envelope, predicate, trusted);
  return id;
}

function onlyDsse(envelope: Members | undefined): boolean {
  const formats = envelope?.get("formats");
  return Array.isArray(formats) && formats.length > 0 && formats.every((one) => one === "dsse");
}

/** With nobody named and no builder to stand for somebody, nothing can ever hold. */
function checkSomebodySigns(
  requirement: Members,
  envelope: Members | undefined,
  predicate: Members | undefined,
  trusted: TrustedNames,
): void {
  if (envelope?.has("signedBy") || trusted.names.size > 0) return;
  const provenance = predicate?.get("provenance");
  if (isObject(provenance) && provenance.sourceUri !== undefined) return;
  requirement.wrong("", "nobody can meet it: trust names no key, key set or identity");
}

function checkEnvelope(envelope: Members, trusted: TrustedNames): void {
  envelope.needOne(ENVELOPE);
  envelope.words("formats", ["sigstore-bundle", ...VERIFIED_FORMATS]);
  envelope.words("coverage", ["message", "whole-artifact", "artifact-sections"]);
  const typed = envelope.get("signedMessageType");
  if (typed !== undefined && typed !== true) {
    envelope.wrong("signedMessageType", "it is true or absent");
  }
  envelope.texts("payloadTypes", 100);
  for (const [i, name] of (envelope.texts("algorithms", 100) ?? []).entries()) {
    const fault = algorithmFault(name);
    if (fault !== undefined) envelope.list.wrong(`${envelope.at("algorithms")}/${i}`, fault);
  }
  checkKeyBits(envelope);
  const log = envelope.integer("log", 0, 64) ?? 0;
  const timestamp = envelope.integer("timestamp", 0, 64) ?? 0;
  if (onlyDsse(envelope) && (log > 0 || timestamp > 0)) {
    envelope.wrong(
      log > 0 ? "log" : "timestamp",
      "a bare DSSE envelope has neither log entries " +
        "nor verified times: accept other formats",
    );
  }
  const signedBy = envelope.get("signedBy");
  if (signedBy === undefined) return;
  const path = envelope.at("signedBy");
  if (!Array.isArray(signedBy)) return checkSignedBy(envelope, signedBy, path, trusted);
  const found = envelope.list.list(signedBy, path, "signedBy", 100) ?? [];
  for (const [i, one] of found.entries()) checkSignedBy(envelope, one, `${path}/${i}`, trusted);
}

function algorithmFault(name: string): string | undefined {
  try {
    const { alg } = lookupAlgorithm(name);
    return alg === name ? undefined : `${quote(name)} is called ${alg} here`;
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    return error.message;
  }
}

function checkKeyBits(envelope: Members): void {
  const sizes = envelope.object("minKeyBits", "minKeyBits", [...MAX_BITS.keys()]);
  sizes?.needOne([...MAX_BITS.keys()]);
  for (const [kind, max] of MAX_BITS) sizes?.integer(kind, 1, max);
}

/** Checks who must sign: names that exist, and no more of them than there are. */
export function checkSignedBy(
  parent: Members,
  value: Json,
  path: string,
  { names }: TrustedNames,
  accepts: (name: string) => string | undefined = () => undefined,
): void {
  const { list } = parent;
  const rule = list.members(value, path, "signedBy", ["of", "threshold"]);
  if (rule === undefined) return;
  rule.need("of");
  const of = rule.texts("of", 10_000) ?? [];
  const signers = new Set<string>();
  let unknown = false;
  for (const [i, name] of of.entries()) {
    const found = names.get(name);
    const at = `${rule.at("of")}/${i}`;
    if (found === undefined) {
      unknown = true;
      const near = list.near(name, names.keys());
      list.wrong(at, `${quote(name)} is no name under trust${near}`);
      continue;
    }
    for (const member of found.members ?? [name]) signers.add(member);
    const fault = accepts(name);
    if (fault !== undefined) list.wrong(at, fault);
  }
  const distinct = [...signers].reduce((sum, name) => sum + (names.get(name)?.signers ?? 0), 0);
  const threshold = rule.integer("threshold", 1, 10_000);
  if (threshold !== undefined && !unknown && of.length > 0 && threshold > distinct) {
    rule.wrong(
      "threshold",
      `threshold is ${threshold}, but only ${distinct} distinct signers are named`,
    );
  }
  const holders = [...signers].every((name) => names.get(name)?.kind === "identity");
  if (onlyDsse(parent) && !unknown && signers.size > 0 && holders) {
    rule.wrong("of", "a bare DSSE envelope has no certificate, and only identities are named");
  }
}

function checkStatement(statement: Members): string[] | undefined {
  statement.needOne(STATEMENT);
  const types = statement.texts("predicateTypes", 1000);
  for (const [i, type] of (types ?? []).entries()) {
    const meant = PREDICATE_SHORT_NAMES.get(type);
    if (meant === undefined && findPredicateTypes(type) !== undefined) continue;
    const hint = meant === undefined ? "" : `; did you mean ${meant.join(", ")}?`;
    statement.list.wrong(
      `${statement.at("predicateTypes")}/${i}`,
      `${quote(type)} is no absolute URI, as predicate types are${hint}`,
    );
  }
  checkDigestNames(statement, "digestAlgorithms");
  statement.patterns("subjectNames");
  statement.word("subjects", ["any", "all", "exact"]);
  return types;
}

function checkDigestNames(members: Members, name: string): void {
  for (const [i, algorithm] of (members.texts(name, 100) ?? []).entries()) {
    const at = `${members.at(name)}/${i}`;
    if (WEAK_DIGESTS.has(algorithm)) {
      members.list.wrong(at, `${algorithm} is broken: nothing is known by it`);
    } else if (!DIGEST_ALGORITHMS.has(algorithm)) {
      const near = members.list.near(algorithm, DIGEST_ALGORITHMS.keys());
      members.list.wrong(at, `${quote(algorithm)} is no digest algorithm of in-toto${near}`);
    }
  }
}

function checkPredicate(
  predicate: Members,
  types: readonly string[] | undefined,
  trusted: TrustedNames,
): void {
  predicate.needOne(PREDICATE);
  const { list } = predicate;
  if (predicate.has("provenance")) {
    checkProvenance(predicate, trusted);
    checkKind(predicate, "provenance", types, provenanceTypes(predicate.get("provenance")));
  }
  if (predicate.has("vsa")) {
    checkVsa(predicate, trusted);
    checkKind(predicate, "vsa", types, [VSA_V1]);
  }
  for (const [one, others] of EXCLUSIVE) {
    const other = others.find((name) => predicate.has(name));
    if (predicate.has(one) && other !== undefined) {
      predicate.wrong(
        other,
        `one attestation cannot be for ${one} and for ${other}: make two requirements`,
      );
    }
  }
  const dependencies = predicate.object("dependencies", "dependencies", DEPENDENCIES);
  if (dependencies !== undefined) {
    dependencies.needOne(DEPENDENCIES);
    dependencies.patterns("allowed", 10_000);
    dependencies.patterns("forbidden", 10_000);
    checkDigestNames(dependencies, "digests");
    dependencies.integer("min", 0, 1_000_000);
  }
  const sbom = predicate.object("sbom", "sbom", SBOM);
  if (sbom !== undefined) checkSbom(sbom);
  const vulnerabilities = predicate.object("vulnerabilities", "vulnerabilities", VULNERABILITIES);
  if (vulnerabilities !== undefined) checkVulnerabilities(vulnerabilities);
  checkConditions(predicate);
  const cel = predicate.get("cel");
  if (cel !== undefined) list.text(cel, predicate.at("cel"), "cel");
}

const EXCLUSIVE: readonly [string, readonly string[]][] = [
  ["provenance", ["vsa", "sbom", "vulnerabilities"]],
  ["vsa", ["sbom", "vulnerabilities", "dependencies"]],
];

/** Refuses predicate types under which a rule can never be asked. */
function checkKind(
  predicate: Members,
  name: string,
  types: readonly string[] | undefined,
  readable: readonly string[],
): void {
  if (types === undefined || types.length === 0) return;
  const other = types.find((type) => !readable.includes(type));
  if (other === undefined) return;
  predicate.wrong(
    name,
    `the predicate type ${quote(other)} of this requirement is none of ${name}`,
  );
}

function provenanceTypes(value: Json | undefined): readonly string[] {
  const types = isObject(value) ? value.predicateTypes : undefined;
  if (!Array.isArray(types)) return PROVENANCE_TYPES;
  return PROVENANCE_TYPES.filter((type) => types.includes(type));
}

function checkProvenance(predicate: Members, trusted: TrustedNames): void {
  const provenance = predicate.object("provenance", "provenance", PROVENANCE);
  if (provenance === undefined) return;
  provenance.needOne(PROVENANCE);
  const known = pick(provenance.value, PROVENANCE);
  adopt(provenance, () => assertProvenanceExpectation(known));
  checkParameterPatterns(provenance, provenance.get("externalParameters"), "externalParameters");
  const builders = provenance.get("builders");
  const rules = isObject(builders) && Array.isArray(builders.builders) ? builders.builders : [];
  for (const [i, rule] of rules.entries()) {
    const signer = isObject(rule) ? rule.signer : undefined;
    checkKeyNames(
      provenance.list,
      signer,
      `${provenance.at("builders")}/builders/${i}/signer`,
      trusted,
    );
  }
}

function checkVsa(predicate: Members, trusted: TrustedNames): void {
  const vsa = predicate.object("vsa", "vsa", VSA);
  if (vsa === undefined) return;
  vsa.need("verifierId", "resourceUri");
  if (!vsa.has("verifierId")) return;
  const known: unknown = pick(vsa.value, VSA);
  adopt(vsa, () => checkVsaExpectation(known as VsaExpectation));
  checkKeyNames(vsa.list, vsa.get("signer"), vsa.at("signer"), trusted);
}

/** What another room says of its own expectation. */
function adopt(members: Members, assert: () => void): void {
  try {
    assert();
  } catch (error) {
    if (!(error instanceof TypeError) && !isAttestationError(error)) throw error;
    const found = error.message.replace(/^Cannot expect of provenance: /, "");
    members.list.wrong(members.path, found);
  }
}

function pick(value: Readonly<Record<string, Json>>, known: readonly string[]): object {
  return Object.fromEntries(Object.entries(value).filter(([name]) => known.includes(name)));
}

/** Keys are told by the names of the document, or by their fingerprints. */
function checkKeyNames(
  list: ProblemList,
  signer: Json | undefined,
  path: string,
  { keyNames }: TrustedNames,
): void {
  if (!isObject(signer) || !Array.isArray(signer.keys)) return;
  for (const [i, key] of signer.keys.entries()) {
    if (typeof key !== "string" || keyNames.has(key) || /^[0-9a-f]{64}$/.test(key)) continue;
    const near = list.near(key, keyNames);
    list.wrong(
      `${path}/keys/${i}`,
      `${quote(key)} is neither the name of a key nor a fingerprint${near}`,
    );
  }
}

function checkParameterPatterns(members: Members, value: Json | undefined, path: string): void {
  if (!isObject(value)) return;
  const stack: [Json, string][] = [[value, members.at(path)]];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const [rules, at] = top;
    if (!isObject(rules)) continue;
    for (const [name, rule] of Object.entries(rules)) {
      if (!isObject(rule)) continue;
      const here = pointer(at, name);
      if (typeof rule.pattern === "string") {
        const fault = regexFault(rule.pattern);
        if (fault !== undefined) members.list.wrong(`${here}/pattern`, fault);
      }
      if (isObject(rule.members)) stack.push([rule.members, `${here}/members`]);
    }
  }
}

function checkSbom(sbom: Members): void {
  sbom.needOne(SBOM);
  sbom.words("formats", ["spdx", "cyclonedx"]);
  sbom.flag("versions");
  sbom.integer("min", 0, 1_000_000);
  const read = (name: string): string[] => {
    const value = sbom.get(name);
    if (value === undefined) return [];
    return sbom.list.each(value, sbom.at(name), name, 10_000, (entry, path) => {
      const text = sbom.list.text(entry, path, `an entry of ${name}`);
      if (text === undefined || !text.startsWith("pkg:")) {
        return text === undefined ? undefined : sbom.list.pattern(text, path, name);
      }
      try {
        parsePurl(text);
        return text;
      } catch (error) {
        if (!isAttestationError(error)) throw error;
        sbom.list.wrong(path, error.message);
      }
    });
  };
  const forbidden = new Set(read("forbidden"));
  for (const [i, name] of read("required").entries()) {
    if (!forbidden.has(name)) continue;
    sbom.list.wrong(`${sbom.at("required")}/${i}`, `${quote(name)} is forbidden too`);
  }
}

function checkVulnerabilities(rule: Members): void {
  rule.need("maxSeverity");
  rule.word("maxSeverity", SEVERITIES);
  rule.duration("maxAge");
  rule.duration("maxDatabaseAge");
  rule.patterns("scanners");
  const value = rule.get("exceptions");
  if (value === undefined) return;
  const ids = new Set<string>();
  const found = rule.list.list(value, rule.at("exceptions"), "exceptions", 10_000) ?? [];
  for (const [i, one] of found.entries()) {
    const path = `${rule.at("exceptions")}/${i}`;
    const exception = rule.list.members(one, path, "an exception", ["id", "reason", "until"]);
    if (exception === undefined) continue;
    exception.need("id", "reason", "until");
    const id = exception.text("id", 256);
    exception.text("reason");
    exception.time("until");
    if (id === undefined) continue;
    if (/[*?\s]/.test(id)) {
      exception.wrong("id", `${quote(id)} is no id: an exception is for one finding`);
    }
    if (ids.has(id)) exception.wrong("id", `${quote(id)} is there twice`);
    ids.add(id);
  }
}
