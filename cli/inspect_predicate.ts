import type { Problem } from "../errors.ts";
import { isObject, type Json, type JsonObject, jsonText } from "../internal/json.ts";
import { listPackages } from "../intoto/predicates/list_packages.ts";
import { listVexStatements } from "../intoto/predicates/openvex.ts";
import { listVulnerabilities } from "../intoto/predicates/vulns.ts";
import type { Statement } from "../intoto/statement.ts";
import type { Origin } from "../report.ts";
import type { CertificateIdentity } from "../sigstore/identity.ts";
import { evaluateProvenance } from "../slsa/evaluate.ts";
import { createPredicateRegistry } from "../slsa/predicate_registry.ts";
import type { Provenance } from "../slsa/provenance.ts";
import { provenanceFacts, readProvenance } from "./provenance_facts.ts";

/** One thing that a predicate says. Nobody has verified it. */
export interface InspectedField {
  /** What it is called here. */
  name: string;
  /** What is said, cut to a few of many. */
  value: string;
  /** Who says it, if it verifies. */
  origins: Origin[];
}

/**
 * Build level that the known builders would give; it holds only if the attestation
 * verifies, and for a key nothing is known.
 */
export interface InspectedLevel {
  /** Always false. */
  verified: false;
  /** With an expected source alone. */
  recognised: number;
  /** If `--builder-id` names the builder too. */
  named: number;
  /** If the signer is expected by name too. */
  expected: number;
}

/** A predicate, told in short. Nothing of it is verified. */
export interface InspectedPredicate {
  /** Name of its kind; absent if the type is not known here. */
  kind?: string;
  /** What it says. */
  fields: InspectedField[];
  /** SLSA Build level to be had; only of provenance that a certificate signs. */
  buildLevel?: InspectedLevel;
  /** Where the provenance says something else than the certificate. */
  contradictions: string[];
}

/** A predicate in short, and what is wrong with it. */
export interface PredicateFindings {
  /** In short. */
  predicate: InspectedPredicate;
  /** What is wrong with its shape, with pointers into the Statement. */
  problems: Problem[];
}

const SHOWN = 10;
const registry = createPredicateRegistry();

/**
 * Tells what the predicate of a Statement says.
 *
 * @param identity Holder of the certificate that signs, if one does.
 * @param isSigned False for a bare Statement.
 */
export function inspectPredicate(
  statement: Statement,
  identity: CertificateIdentity | undefined,
  isSigned: boolean,
): PredicateFindings {
  const { kind } = registry.lookup(statement.predicateType);
  const predicate: InspectedPredicate = { fields: [], contradictions: [] };
  if (kind !== undefined) predicate.kind = kind.name;
  const problems = registry.validate(statement);
  const origin: Origin = isSigned ? "signed" : "unsigned";
  const provenance = readProvenance(statement);
  if (provenance !== undefined) {
    predicate.fields = provenanceFields(provenance, identity, origin);
    if (identity !== undefined) {
      predicate.buildLevel = levelOf(statement, provenance.builderId, identity);
      predicate.contradictions = contradictions(statement, identity);
    }
    return { predicate, problems };
  }
  const body = isObject(statement.predicate) ? statement.predicate : {};
  const say = (name: string, value: string | undefined) => {
    if (value !== undefined) predicate.fields.push({ name, value, origins: [origin] });
  };
  for (const [name, value] of summaryOf(kind?.name, body) ?? membersOf(body)) say(name, value);
  return { predicate, problems };
}

function provenanceFields(
  provenance: Provenance,
  identity: CertificateIdentity | undefined,
  origin: Origin,
): InspectedField[] {
  const fields: InspectedField[] = provenanceFacts(provenance, identity).map((fact) => ({
    ...fact,
    origins: fact.origins.map((one) => one === "signed" ? origin : one),
  }));
  const { externalParameters, resolvedDependencies, byproducts } = provenance;
  const say = (name: string, value: string | undefined) => {
    if (value !== undefined) fields.push({ name, value, origins: [origin] });
  };
  say("parameters", listed(Object.keys(externalParameters)));
  say("dependencies", listed(resolvedDependencies.map(({ uri, name }) => uri ?? name ?? "?")));
  say("byproducts", listed(byproducts.map(({ uri, name }) => name ?? uri ?? "?")));
  return fields;
}

function levelOf(
  statement: Statement,
  builderId: string,
  identity: CertificateIdentity,
): InspectedLevel {
  const level = (identityExpected: boolean, builder?: string) =>
    evaluateProvenance(
      statement,
      { identity, identityExpected },
      builder === undefined ? {} : { builderId: builder },
    ).level ?? 0;
  return {
    verified: false,
    recognised: level(false),
    named: level(false, builderId),
    expected: level(true, builderId),
  };
}

function contradictions(statement: Statement, identity: CertificateIdentity): string[] {
  return evaluateProvenance(statement, { identity }, {}).checks
    .filter(({ reason }) => reason === "certificate-provenance-mismatch")
    .map(({ message }) => message.slice(message.indexOf(": ") + 2));
}

type Summary = [string, string | undefined][];

/** What most readers look for in a predicate of a kind; undefined for any other kind. */
function summaryOf(kind: string | undefined, body: JsonObject): Summary | undefined {
  switch (kind) {
    case "vsa":
      return [
        ["verifier", textAt(body, "verifier", "id")],
        ["resource", textAt(body, "resourceUri")],
        ["result", textAt(body, "verificationResult")],
        ["levels", texts(body.verifiedLevels)],
        ["verified at", textAt(body, "timeVerified")],
        ["policy", textAt(body, "policy", "uri")],
        ["inputs", counted(body.inputAttestations)],
        ["dependency levels", counts(body.dependencyLevels)],
      ];
    case "spdx":
    case "spdx-v3":
    case "cyclonedx":
      return [...scalars(body), ...packagesOf(body)];
    case "vulns":
    case "vulns-v0.1":
    case "vuln":
      return [
        ["scanner", textAt(body, "scanner", "uri")],
        ["scanner version", textAt(body, "scanner", "version")],
        ["scanned", textAt(body, "metadata", "scanFinishedOn")],
        ["findings", findingsOf(body)],
      ];
    case "openvex":
      return [
        ["author", textAt(body, "author")],
        ["written", textAt(body, "timestamp")],
        [
          "statements",
          listed(
            listVexStatements(body).map(({ vulnerability, status }) =>
              `${vulnerability}: ${status}`
            ),
          ),
        ],
      ];
    case "link":
    case "legacy-link":
      return [
        ["step", textAt(body, "name")],
        ["command", texts(body.command, " ")],
        ["materials", counted(body.materials)],
        ["products", counted(body.products)],
      ];
    case "scai":
      return [[
        "attributes",
        listed(objects(body.attributes).map((one) => textAt(one, "attribute") ?? "?")),
      ]];
    case "test-result":
      return [
        ["result", textAt(body, "result")],
        ["passed", counted(body.passedTests)],
        ["warned", texts(body.warnedTests)],
        ["failed", texts(body.failedTests)],
      ];
    case "reference":
      return [
        ["attester", textAt(body, "attester", "id")],
        [
          "references",
          listed(
            objects(body.references).map((one) =>
              textAt(one, "downloadLocation") ?? textAt(one, "uri") ?? "?"
            ),
          ),
        ],
      ];
    case "svr":
      return [
        ["verifier", textAt(body, "verifier", "id")],
        ["created", textAt(body, "timeCreated")],
        ["properties", texts(body.properties)],
      ];
    case "custom":
      return [
        ["data", short(body.Data ?? body.data)],
        ["time", textAt(body, "Timestamp") ?? textAt(body, "timestamp")],
      ];
    default:
      return undefined;
  }
}

function packagesOf(body: JsonObject): Summary {
  const packages = listPackages(body);
  if (packages === undefined) return [];
  return [[
    "packages",
    listed(packages.map(({ name, version }) => [name, version].join(" ").trim())),
  ]];
}

function findingsOf(body: JsonObject): string | undefined {
  const found = listVulnerabilities(body);
  if (found === undefined) return "in a format that is not read here";
  return listed(found.map(({ id, severities }) => {
    const scores = severities.slice(0, 3).map(({ method, score }) => `${method} ${score}`);
    return scores.length === 0 ? id : `${id} (${scores.join(", ")})`;
  }));
}

/** Members of a predicate that is not told apart: short values, and sizes of the others. */
function membersOf(body: JsonObject): Summary {
  const members = Object.entries(body);
  const rows: Summary = members.slice(0, SHOWN * 2).map(([name, value]) => [name, short(value)]);
  if (members.length > rows.length) rows.push(["", `and ${members.length - rows.length} more`]);
  return rows;
}

function scalars(body: JsonObject): Summary {
  return Object.entries(body).filter(([, value]) => typeof value !== "object")
    .slice(0, SHOWN).map(([name, value]) => [name, short(value)]);
}

function short(value: Json | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return counted(value);
  if (isObject(value)) return `{ ${Object.keys(value).slice(0, SHOWN).join(", ")} }`;
  return String(value);
}

function textAt(body: JsonObject, ...path: string[]): string | undefined {
  let at: Json | undefined = body;
  for (const name of path) at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  return typeof at === "string" && at !== "" ? at : undefined;
}

function texts(value: Json | undefined, separator = "\n"): string | undefined {
  if (!Array.isArray(value)) return undefined;
  const all = value.filter((one) => typeof one === "string");
  return separator === "\n" ? listed(all) : all.slice(0, SHOWN * 4).join(separator);
}

function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function counts(value: Json | undefined): string | undefined {
  if (!isObject(value)) return undefined;
  return listed(Object.entries(value).map(([name, count]) => `${name}: ${jsonText(count)}`));
}

function counted(value: Json | undefined): string | undefined {
  if (Array.isArray(value)) return `${value.length} of them`;
  return isObject(value) ? `${Object.keys(value).length} of them` : undefined;
}

/** One a line, the first of many. */
function listed(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const lines = names.slice(0, SHOWN);
  const rest = names.length - lines.length;
  return [...lines, ...rest > 0 ? [`and ${rest} more`] : []].join("\n");
}
