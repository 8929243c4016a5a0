import { canonicalJson, copyJson, type Json, parseJson, quote } from "../internal/json.ts";
import { encodeHex } from "../internal/hex.ts";
import { utf8 } from "../internal/bytes.ts";
import { refuseUnknown } from "../internal/options.ts";
import { sha256 } from "../internal/sha256.ts";
import type { Problem } from "../errors.ts";
import { type Members, ProblemList } from "./_shape.ts";
import { compilePathPattern, pathPatternFault } from "./path_pattern.ts";
import { throwFirst } from "./parse.ts";

/** The `type` of every document of this version. */
export const GATE_RULES_TYPE = "attest-gate-rules/v1";

/**
 * What each changed path of a repository stands for: `docs/schema/gate-rules.schema.json`.
 * The first rule of which a path matches decides.
 */
export interface GateRulesDocument {
  /** Address of the schema, for editors. */
  $schema?: string;
  /** Always {@linkcode GATE_RULES_TYPE}. */
  type: typeof GATE_RULES_TYPE;
  /**
   * What becomes of a changed path that no rule matches: it must be attested as an artifact, or
   * it is reported and nothing more. Default `required`.
   */
  unmatched?: "required" | "ignored";
  /**
   * What becomes of a path that a rule covers and that is not there any more: it is reported
   * with a warning, or it fails. A path that is renamed is one that was removed and another one
   * that was added. Default `reported`.
   */
  removed?: "reported" | "refused";
  /** Rules, in order, each with another id; at most 1000. */
  rules: readonly GateRule[];
}

/** What the paths that match stand for: exactly one of `artifact`, `urn` and `ignored`. */
export interface GateRule {
  /** Name in reports. */
  id: string;
  /** For people. */
  description?: string;
  /**
   * Patterns of paths from the top of the repository, with `/`. In a part of the path one `*`
   * stands for any characters; one part may be `**`, for any parts or none. What a wildcard
   * stands for is a capture: `{1}` is the first.
   */
  paths: string | readonly string[];
  /** The file itself must be attested. */
  artifact?: true;
  /**
   * URN whose provenance must be valid, with captures: `urn:acme:{1}:{2}`. Captures are
   * percent-encoded, and a colon must stand between two of them: a path cannot be named so that
   * its captures are read as others.
   */
  urn?: string;
  /**
   * With `urn`, what the provenance must be about: the file as a card (SHA-256 of its canonical
   * JSON), the bytes of the file, or the digest that the registry stores. Default `card`.
   */
  subject?: GateSubject;
  /** Reported, and nothing more. */
  ignored?: true;
}

/** What the provenance of a URN must be about. */
export type GateSubject = "card" | "file" | "stored";

/** What a path stands for. */
export type GateTarget =
  | {
    /** The file must be attested. */
    readonly kind: "artifact";
    /** Id of the rule; absent if none matches. */
    readonly rule?: string;
  }
  | {
    /** The provenance of a URN must be valid. */
    readonly kind: "urn";
    /** Id of the rule. */
    readonly rule: string;
    /** The URN. */
    readonly urn: string;
    /** What its provenance must be about. */
    readonly subject: GateSubject;
  }
  | {
    /** Nothing is asked. */
    readonly kind: "ignored";
    /** Id of the rule; absent if none matches. */
    readonly rule?: string;
  }
  | {
    /** A rule matches, and nothing can be made of it. */
    readonly kind: "refused";
    /** Id of the rule. */
    readonly rule: string;
    /** Why, for people. */
    readonly message: string;
  };

/** Rules that are ready to tell what a path stands for. */
export interface GateRules {
  /** The document. */
  readonly document: GateRulesDocument;
  /** SHA-256 of its canonical JSON, lowercase hex. */
  readonly digest: string;
  /** What a path stands for; from the top of the repository, with `/`. */
  targetOf(path: string): GateTarget;
}

const DOCUMENT = ["$schema", "type", "unmatched", "removed", "rules"];
const RULE = ["id", "description", "paths", "artifact", "urn", "subject", "ignored"];
const SUBJECTS = ["card", "file", "stored"] as const;
const MAX_RULES = 1000;
const MAX_BYTES = 1 << 20;

/**
 * Lists everything that is wrong with a document of rules.
 *
 * @param source JSON text, its UTF-8 bytes, or parsed JSON; at most 1 MiB.
 * @returns Problems of the reason `malformed-gate-rules`; none if it is well-formed.
 * @throws {AttestationError} What strict JSON refuses.
 */
export function validateGateRules(source: string | Uint8Array | object): Problem[] {
  return read(source).problems;
}

/**
 * Reads a document of rules, strictly: an unknown member is refused.
 *
 * @param source JSON text, its UTF-8 bytes, or parsed JSON; at most 1 MiB.
 * @throws {AttestationError} `malformed-gate-rules` with the `path` of the first problem, or
 * what strict JSON refuses.
 *
 * @example
 * ```ts
 * import { compileGateRules, parseGateRules } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const rules = compileGateRules(parseGateRules({
 *   type: "attest-gate-rules/v1",
 *   unmatched: "ignored",
 *   rules: [
 *     { id: "cards", paths: "cards/*.json", urn: "urn:acme:agent:{1}" },
 *     { id: "dist", paths: "dist/**", artifact: true },
 *   ],
 * }));
 * const target = rules.targetOf("cards/alice.json");
 * assert.ok(target.kind === "urn");
 * assert.equal(target.urn, "urn:acme:agent:alice");
 * assert.equal(rules.targetOf("dist/app/main.js").kind, "artifact");
 * assert.equal(rules.targetOf("README.md").kind, "ignored");
 * ```
 */
export function parseGateRules(source: string | Uint8Array | object): GateRulesDocument {
  const { value, problems } = read(source);
  throwFirst(problems);
  return value as unknown as GateRulesDocument;
}

/** A document of rules without its `type`. */
export type NewGateRules = Omit<GateRulesDocument, "type">;

/**
 * Builds a document of rules.
 *
 * @throws {AttestationError} As {@linkcode parseGateRules}.
 *
 * @example
 * ```ts
 * import { defineGateRules } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const rules = defineGateRules({ rules: [{ id: "all", paths: "**", artifact: true }] });
 * assert.equal(rules.type, "attest-gate-rules/v1");
 * ```
 */
export function defineGateRules(rules: NewGateRules): GateRulesDocument {
  refuseUnknown(rules, DOCUMENT.filter((name) => name !== "type"), "defineGateRules()");
  return parseGateRules({ type: GATE_RULES_TYPE, ...rules });
}

/**
 * Makes rules ready; see {@linkcode parseGateRules} for an example.
 *
 * @throws {AttestationError} As {@linkcode parseGateRules}.
 */
export function compileGateRules(document: GateRulesDocument): GateRules {
  const parsed = parseGateRules(document);
  const rules = parsed.rules.map((rule) => ({
    rule,
    matchers: patternsOf(rule).map(compilePathPattern),
  }));
  return Object.freeze({
    document: parsed,
    digest: encodeHex(sha256(utf8(canonicalJson(copyJson(parsed))))),
    targetOf(path: string): GateTarget {
      for (const { rule, matchers } of rules) {
        for (const match of matchers) {
          const captures = match(path);
          if (captures !== undefined) return targetOf(rule, captures);
        }
      }
      return { kind: parsed.unmatched === "ignored" ? "ignored" : "artifact" };
    },
  });
}

function targetOf(rule: GateRule, captures: readonly string[]): GateTarget {
  const { id, urn, subject = "card" } = rule;
  if (rule.ignored === true) return { kind: "ignored", rule: id };
  if (urn === undefined) return { kind: "artifact", rule: id };
  let empty: number | undefined;
  const filled = urn.replace(PLACEHOLDER, (_, number: string) => {
    const capture = captures[Number(number) - 1];
    if (capture === "") empty ??= Number(number);
    return encodeCapture(capture);
  });
  return empty === undefined
    ? { kind: "urn", rule: id, urn: filled, subject }
    : { kind: "refused", rule: id, message: `{${empty}} of ${quote(urn)} is empty for this path` };
}

const PLACEHOLDER = /\{([1-9])\}/g;

/** What a URN may hold as it is (RFC 8141, 2), but a colon, which parts the captures. */
function encodeCapture(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll("%2F", "/");
}

function patternsOf({ paths }: GateRule): readonly string[] {
  return typeof paths === "string" ? [paths] : paths;
}

function read(source: string | Uint8Array | object): { value: Json; problems: Problem[] } {
  const isText = typeof source === "string" || source instanceof Uint8Array;
  const value = isText
    ? parseJson(source, { maxLength: MAX_BYTES, maxDepth: 8 })
    : copyJson(source, 8);
  const list = new ProblemList("malformed-gate-rules", "Cannot read gate rules");
  const document = list.members(value, "", "a document of gate rules", DOCUMENT);
  if (document !== undefined) checkDocument(document);
  return { value, problems: list.problems };
}

function checkDocument(document: Members): void {
  document.need("type", "rules");
  document.text("$schema");
  if (document.has("type")) document.word("type", [GATE_RULES_TYPE]);
  document.word("unmatched", ["required", "ignored"]);
  document.word("removed", ["reported", "refused"]);
  const value = document.get("rules");
  if (value === undefined) return;
  const { list } = document;
  const ids = new Set<string>();
  const rules = list.list(value, document.at("rules"), "rules", MAX_RULES) ?? [];
  for (const [i, entry] of rules.entries()) {
    const rule = list.members(entry, `/rules/${i}`, "a rule", RULE);
    if (rule === undefined) continue;
    checkRule(rule);
    const id = rule.get("id");
    if (typeof id !== "string") continue;
    if (ids.has(id)) rule.wrong("id", `the id ${quote(id)} is there twice`);
    ids.add(id);
  }
}

function checkRule(rule: Members): void {
  rule.need("id", "paths");
  const id = rule.text("id");
  if (id !== undefined && !/^[A-Za-z0-9._-]{1,128}$/.test(id)) {
    rule.wrong("id", `${quote(id)} is no id: 1 to 128 letters, digits, dots, dashes, underscores`);
  }
  rule.text("description");
  const wildcards = checkPaths(rule);
  const kinds = ["artifact", "urn", "ignored"].filter((name) => rule.has(name));
  if (kinds.length !== 1) {
    const found = kinds.length === 0 ? "none" : kinds.join(" and ");
    rule.wrong("", `a rule has one of artifact, urn and ignored, found ${found}`);
  }
  for (const name of ["artifact", "ignored"]) {
    if (rule.has(name) && rule.get(name) !== true) rule.wrong(name, `${name} is not true`);
  }
  rule.word("subject", SUBJECTS);
  if (rule.has("subject") && !rule.has("urn")) rule.wrong("subject", "subject needs urn");
  const urn = rule.text("urn", 1024);
  const fault = urn === undefined ? undefined : urnFault(urn, wildcards);
  if (fault !== undefined) rule.wrong("urn", fault);
}

/** Checks the patterns; the least number of wildcards of any of them. */
function checkPaths(rule: Members): number {
  const value = rule.get("paths");
  if (value === undefined) return 9;
  const { list } = rule;
  const at = rule.at("paths");
  let wildcards = 9;
  const check = (entry: Json, path: string): string | undefined => {
    const text = list.text(entry, path, "a pattern of paths", 1024);
    const fault = text === undefined ? undefined : pathPatternFault(text);
    if (fault !== undefined) list.wrong(path, fault);
    else if (text !== undefined) {
      wildcards = Math.min(wildcards, text.match(/\*\*?/g)?.length ?? 0);
    }
    return text;
  };
  if (typeof value === "string") check(value, at);
  else list.each(value, at, "paths", MAX_RULES, check);
  return wildcards;
}

/** What is wrong with a URN (RFC 8141, 2) with places for captures. */
function urnFault(urn: string, wildcards: number): string | undefined {
  const numbers = [...urn.matchAll(PLACEHOLDER)].map(([, number]) => Number(number));
  const plain = urn.replace(PLACEHOLDER, "x");
  if (!/^urn:[a-z0-9][a-z0-9-]{0,30}[a-z0-9]:[^?#]+$/.test(plain)) {
    return `${quote(urn)} is no URN: urn:NAMESPACE:NAME in lower case up to the second colon`;
  }
  if (!/^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})+$/.test(plain)) {
    return `${quote(urn)} has characters that a URN cannot have; a capture is {1} to {9}`;
  }
  const above = numbers.find((number) => number > wildcards);
  if (above !== undefined) {
    return `{${above}} of ${quote(urn)} stands for nothing: a pattern has ${wildcards} wildcards`;
  }
  if (new Set(numbers).size !== numbers.length) return `${quote(urn)} has a capture twice`;
  const between = urn.split(PLACEHOLDER).filter((_, i) => i % 2 === 0).slice(1, -1);
  if (between.some((text) => !text.includes(":"))) {
    return `${quote(urn)} has two captures without a colon between them`;
  }
  return undefined;
}
