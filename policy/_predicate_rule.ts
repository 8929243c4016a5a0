import { isAttestationError } from "../errors.ts";
import { isObject, type Json, quote } from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";
import { parsePurl } from "../internal/purl.ts";
import { assertProvenanceExpectation, type ProvenanceExpectation } from "../slsa/expectation.ts";
import { PROVENANCE_TYPES } from "../slsa/provenance.ts";
import { checkVsaExpectation, type VsaExpectation } from "../slsa/vsa_expectation.ts";
import { VSA_V1 } from "../slsa/vsa_predicate.ts";
import { checkConditions } from "./_condition.ts";
import { regexFault } from "./_regex.ts";
import { checkDigestNames } from "./_selector.ts";
import type { Members, ProblemList } from "./_shape.ts";
import type { TrustedNames } from "./_trust.ts";

/** Members of a rule about predicates. */
export const PREDICATE = [
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

/** Checks the members of a requirement that are about the predicate. */
export function checkPredicate(
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
  const other = types?.find((type) => !readable.includes(type));
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
  const parameters = provenance.get("externalParameters");
  // Told where it stands, not of all of the expectation.
  if (arePatterns(provenance, parameters, "externalParameters")) {
    adopt(provenance, () => assertProvenanceExpectation(known));
  }
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
  if (vsa.get("resourceUri") === "") vsa.text("resourceUri");
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
    if (!(error instanceof TypeError)) throw error;
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

function arePatterns(members: Members, value: Json | undefined, path: string): boolean {
  let are = true;
  const stack: [Json | undefined, string][] = [[value, members.at(path)]];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const [rules, at] = top;
    if (!isObject(rules)) continue;
    for (const [name, rule] of Object.entries(rules)) {
      if (!isObject(rule)) continue;
      const here = pointer(at, name);
      const fault = typeof rule.pattern === "string" ? regexFault(rule.pattern) : undefined;
      if (fault !== undefined) {
        members.list.wrong(`${here}/pattern`, fault);
        are = false;
      }
      stack.push([rule.members, `${here}/members`]);
    }
  }
  return are;
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
