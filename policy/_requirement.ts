import { VERIFIED_FORMATS } from "../formats/format_id.ts";
import { isAttestationError } from "../errors.ts";
import { isObject, type Json, quote } from "../internal/json.ts";
import { findPredicateTypes, PREDICATE_SHORT_NAMES } from "../intoto/predicates/short_name.ts";
import { lookupAlgorithm } from "../keys/algorithm.ts";
import { checkPredicate, PREDICATE } from "./_predicate_rule.ts";
import { checkDigestNames } from "./_selector.ts";
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
  const threshold = rule.integer("threshold", 1, 10_000) ?? 0;
  if (!unknown && of.length > 0 && threshold > distinct) {
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
