import { isObject, type Json, type JsonObject, quote } from "../../internal/json.ts";
import type { Fields } from "./_fields.ts";
import { defineChecked, type PredicateKind } from "./kind.ts";

/** Whether a product is affected by a vulnerability. */
export type VexStatus = "not_affected" | "affected" | "fixed" | "under_investigation";

/** Why a product is not affected. */
export type VexJustification =
  | "component_not_present"
  | "vulnerable_code_not_present"
  | "vulnerable_code_not_in_execute_path"
  | "vulnerable_code_cannot_be_controlled_by_adversary"
  | "inline_mitigations_already_exist";

/** An OpenVEX document; members that are not listed are as OpenVEX defines them. */
export interface OpenVex {
  /** `https://openvex.dev/ns/v0.2.0`. */
  "@context": string;
  /** IRI of the document. */
  "@id": string;
  /** Who says so. */
  author: string;
  /** When it was issued: RFC 3339, an offset is accepted. */
  timestamp: string;
  /** Version of the document; older documents have a text. */
  version: number | string;
  /** What is said: at least one. */
  statements: OpenVexStatement[];
  /** Members as OpenVEX defines them. */
  [member: string]: unknown;
}

/** One statement; members that are not listed are as OpenVEX defines them. */
export interface OpenVexStatement {
  /** The vulnerability; older documents have its name only. */
  vulnerability: string | {
    name?: string | null;
    "@id"?: string | null;
    [member: string]: unknown;
  };
  /** The products; older documents have their ids only. */
  products?: (string | { "@id"?: string | null; [member: string]: unknown })[] | null;
  /** Whether they are affected. */
  status: VexStatus;
  /** Why they are not. */
  justification?: VexJustification | null;
  /** Why they are not, in words. */
  impact_statement?: string | null;
  /** What to do if they are. */
  action_statement?: string | null;
  /** Members as OpenVEX defines them. */
  [member: string]: unknown;
}

/** What an OpenVEX document says of one vulnerability. */
export interface VexFinding {
  /** `CVE-…`, `GHSA-…`; its IRI if it has no name. */
  vulnerability: string;
  /** Other names of it. */
  aliases: string[];
  /** The products by id or package URL; empty means the subjects of the Statement. */
  products: string[];
  /** Whether they are affected. */
  status: VexStatus;
  /** Why they are not. */
  justification?: VexJustification;
}

const STATUSES: readonly VexStatus[] = ["not_affected", "affected", "fixed", "under_investigation"];
const JUSTIFICATIONS: readonly VexJustification[] = [
  "component_not_present",
  "vulnerable_code_not_present",
  "vulnerable_code_not_in_execute_path",
  "vulnerable_code_cannot_be_controlled_by_adversary",
  "inline_mitigations_already_exist",
];

/**
 * OpenVEX 0.2.0, and the forms of 0.0.1 that tools still write. `not_affected` without
 * justification or impact statement, and `affected` without action statement, lack what
 * OpenVEX requires (`missing-predicate-field`).
 *
 * Source: openvex/spec, OPENVEX-SPEC.md 0.2.0.
 *
 * @example
 * ```ts
 * import { openVexPredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const problems = openVexPredicate.validate({
 *   "@context": "https://openvex.dev/ns/v0.2.0",
 *   "@id": "https://example.com/vex/1",
 *   author: "security@example.com",
 *   timestamp: "2025-01-02T03:04:05Z",
 *   version: 1,
 *   statements: [{ vulnerability: { name: "CVE-2024-1" }, status: "not_affected" }],
 * });
 * assert.equal(problems[0].path, "/statements/0/justification");
 * ```
 */
export const openVexPredicate: PredicateKind<OpenVex> = defineChecked<OpenVex>({
  name: "openvex",
  predicateTypes: [
    "https://openvex.dev/ns",
    "https://openvex.dev/ns/v0.2.0",
    "https://openvex.dev/ns/v0.0.1",
  ],
  check(document, predicateType) {
    const context = document.text("@context", "required");
    if (
      context !== undefined &&
      !/^https:\/\/openvex\.dev\/ns(?:\/v\d{1,4}(?:\.\d{1,4}){0,2})?$/.test(context)
    ) {
      document.wrong("@context", "the context of OpenVEX");
    } else if (
      context !== undefined && predicateType?.includes("/v") && context.includes("/v") &&
      context !== predicateType
    ) {
      document.contradiction("@context", `predicateType says ${quote(predicateType)}`);
    }
    document.text("@id", "required");
    document.text("author", "required");
    document.timestamp("timestamp", "required", "any");
    document.timestamp("last_updated", "optional", "any");
    if (typeof document.value.version === "string") document.text("version", "required");
    else document.integer("version", "required");
    for (const statement of document.objects("statements", "required")) checkVex(statement);
  },
});

/**
 * What an OpenVEX document says, one entry for each of its statements, in one form for all
 * versions. Later statements on the same vulnerability and product supersede earlier ones; later
 * is by `timestamp`, which is not in the list, and a statement about subcomponents is listed for
 * their product. Nothing here says who may speak for a product: a policy lowers no finding by it.
 *
 * @param document A document that {@linkcode openVexPredicate} read.
 *
 * @example
 * ```ts
 * import { listVexStatements } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const [found] = listVexStatements({
 *   statements: [{
 *     vulnerability: "CVE-2024-1",
 *     products: [{ "@id": "pkg:npm/app@1.0.0" }],
 *     status: "fixed",
 *   }],
 * });
 * assert.deepEqual(found.products, ["pkg:npm/app@1.0.0"]);
 * ```
 */
export function listVexStatements(document: object): VexFinding[] {
  const { statements } = document as JsonObject;
  const found: VexFinding[] = [];
  for (const statement of Array.isArray(statements) ? statements : []) {
    if (!isObject(statement)) continue;
    const { vulnerability, products, status, justification } = statement;
    const named = isObject(vulnerability) ? vulnerability : { name: vulnerability };
    const name = typeof named.name === "string" && named.name !== "" ? named.name : named["@id"];
    if (typeof name !== "string" || !STATUSES.some((known) => known === status)) continue;
    const finding: VexFinding = {
      vulnerability: name,
      aliases: textsOf(named.aliases),
      products: Array.isArray(products) ? products.flatMap(productNames) : [],
      status: status as VexStatus,
    };
    if (JUSTIFICATIONS.some((known) => known === justification)) {
      finding.justification = justification as VexJustification;
    }
    found.push(finding);
  }
  return found;
}

function checkVex(statement: Fields): void {
  if (typeof statement.value.vulnerability === "string") {
    statement.text("vulnerability", "required");
  } else {
    const vulnerability = statement.object("vulnerability", "required");
    const id = vulnerability?.text("@id");
    vulnerability?.text("name", id === undefined ? "required" : "optional");
    vulnerability?.texts("aliases");
  }
  for (const [index, product] of statement.list("products").entries()) {
    if (typeof product !== "string" && !isObject(product)) {
      statement.wrong(`products/${index}`, "a string or an object");
    }
  }
  statement.timestamp("timestamp", "optional", "any");
  const status = statement.oneOf("status", STATUSES, "required");
  const justification = statement.oneOf("justification", JUSTIFICATIONS);
  const impact = statement.text("impact_statement");
  const action = statement.text("action_statement");
  const isJustified = statement.has("justification") && statement.value.justification !== "";
  if (status === "not_affected" && !isJustified && impact === undefined) {
    statement.missing("justification");
  }
  if (status === "affected" && action === undefined) statement.missing("action_statement");
  if (status !== undefined && status !== "not_affected" && justification !== undefined) {
    statement.contradiction("justification", `a justification, and the status is ${status}`);
  }
}

function productNames(product: Json): string[] {
  if (typeof product === "string") return [product];
  if (!isObject(product)) return [];
  const { "@id": id, identifiers } = product;
  const purl = isObject(identifiers) ? identifiers.purl : undefined;
  return [...new Set(textsOf([id, purl]))];
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value)
    ? value.filter((item): item is string => typeof item === "string" && item !== "")
    : [];
}
