import { AttestationError } from "../../errors.ts";
import { type Json, printable, quote } from "../../internal/json.ts";
import type { DigestSet } from "../../intoto/digest_set.ts";
import { Glob, type Work } from "./_glob.ts";
import type { Artifacts, LinkArtifacts } from "./link.ts";

/** A rule for the artifacts of an item. */
export type ArtifactRule = SimpleRule | MatchRule;

/** A rule that looks at the item alone. */
export interface SimpleRule {
  /** What it does. */
  readonly kind: "CREATE" | "DELETE" | "MODIFY" | "ALLOW" | "REQUIRE" | "DISALLOW";
  /** Names that it is about; of `REQUIRE` one name. */
  readonly pattern: string;
}

/** A rule that compares the item's artifacts with those of another. */
export interface MatchRule {
  /** What it does. */
  readonly kind: "MATCH";
  /** Names that it is about, behind the prefix. */
  readonly pattern: string;
  /** Folder of the item's own artifacts. */
  readonly sourcePrefix: string;
  /** Which artifacts of the other item. */
  readonly with: "materials" | "products";
  /** Folder of the other's artifacts. */
  readonly destinationPrefix: string;
  /** Name of the other item. */
  readonly from: string;
}

const MAX_RULES = 1024;
const MAX_PATTERN = 1024;
const SIMPLE: ReadonlySet<string> = new Set([
  "CREATE",
  "DELETE",
  "MODIFY",
  "ALLOW",
  "REQUIRE",
  "DISALLOW",
]);

/**
 * Reads the rules of an item; their words are in capitals or not.
 *
 * Source: in-toto specification 1.0, 4.3.3.
 *
 * @throws {AttestationError} `malformed-layout`, `limit-exceeded`.
 */
export function readRules(value: Json, path: string): ArtifactRule[] {
  if (!Array.isArray(value)) throw malformed("rules are no list", path);
  if (value.length > MAX_RULES) throw exceeded(`${value.length} rules, at most ${MAX_RULES}`, path);
  return value.map((rule, i) => {
    const at = `${path}/${i}`;
    if (!Array.isArray(rule) || !rule.every((word) => typeof word === "string")) {
      throw malformed("a rule is no list of texts", at);
    }
    const words = rule as string[];
    if (words.some(({ length }) => length > MAX_PATTERN)) {
      throw exceeded(`a pattern of more than ${MAX_PATTERN} characters`, at);
    }
    return readRule(words, at);
  });
}

function readRule(words: readonly string[], path: string): ArtifactRule {
  const [word = "", pattern] = words;
  const kind = word.toUpperCase();
  if (kind !== "REQUIRE" && pattern?.includes("[^")) {
    // Some implementations take it as "none of", the reference takes it as a set with ^ in it.
    throw malformed(`${quote(pattern)} means different files to different readers`, path);
  }
  if (SIMPLE.has(kind) && words.length === 2) {
    return { kind: kind as SimpleRule["kind"], pattern };
  }
  if (kind !== "MATCH" || words.length < 6) throw malformedRule(words, path);
  let at = 2;
  const is = (wanted: string): boolean => words[at]?.toUpperCase() === wanted;
  const prefix = (): string => {
    if (!is("IN")) return "";
    const text = words[at + 1] ?? "";
    at += 2;
    return text;
  };
  const sourcePrefix = prefix();
  if (!is("WITH")) throw malformedRule(words, path);
  const side = words[at + 1]?.toLowerCase();
  at += 2;
  const destinationPrefix = prefix();
  const isWhole = is("FROM") && words.length === at + 2;
  if (!isWhole || (side !== "materials" && side !== "products")) throw malformedRule(words, path);
  return { kind, pattern, sourcePrefix, with: side, destinationPrefix, from: words[at + 1] };
}

/** A rule as it is written. */
export function ruleText(rule: ArtifactRule): string {
  if (rule.kind !== "MATCH") return `${rule.kind} ${printable(rule.pattern, 120)}`;
  const own = rule.sourcePrefix === "" ? "" : ` IN ${rule.sourcePrefix}`;
  const other = rule.destinationPrefix === "" ? "" : ` IN ${rule.destinationPrefix}`;
  return printable(
    `MATCH ${rule.pattern}${own} WITH ${rule.with.toUpperCase()}${other} FROM ${rule.from}`,
    240,
  );
}

/**
 * Applies rules in their order to the names of an item's materials or products: each rule takes
 * from the queue what it allows, and what is left at the end is allowed as well, unless
 * `DISALLOW` comes upon it.
 *
 * Source: in-toto specification 1.0, 4.3.3 and 5.2, 6.
 *
 * @param links Materials and products of all items, by their names.
 * @param path Where the rules stand in the layout.
 * @throws {AttestationError} `artifact-rule-violated`, with the rule in the path;
 * `limit-exceeded`, of the work.
 */
export function applyRules(
  { name, side, rules }: {
    readonly name: string;
    readonly side: "materials" | "products";
    readonly rules: readonly ArtifactRule[];
  },
  links: ReadonlyMap<string, LinkArtifacts>,
  { path, work }: { path: string; work: Work },
): void {
  const own = links.get(name);
  if (own === undefined) return;
  const queue = new Set(Object.keys(own[side]));
  rules.forEach((rule, i) => {
    const at = `${path}/${i}`;
    if (rule.kind === "REQUIRE") {
      if (queue.has(rule.pattern)) return;
      throw violated(`${quote(rule.pattern)} has to be among its ${side}, and is not`, at);
    }
    if (rule.kind === "DISALLOW") {
      const left = matching(rule.pattern, queue, work);
      if (left.length === 0) return;
      const more = left.length > 1 ? ` and ${left.length - 1} more` : "";
      throw violated(
        `${quote(left[0])}${more} of ${quote(name)}'s ${side} ${
          left.length > 1 ? "are" : "is"
        } not allowed`,
        at,
      );
    }
    let taken: string[];
    if (rule.kind === "MATCH") {
      const other = links.get(rule.from)?.[rule.with];
      taken = matched(rule, { queue, own: own[side], other, work });
    } else {
      const { kind } = rule;
      taken = matching(rule.pattern, queue, work).filter((one) => isOfKind(kind, own, one));
    }
    for (const one of taken) queue.delete(one);
  });
}

function matching(pattern: string, queue: ReadonlySet<string>, work: Work): string[] {
  const glob = new Glob(pattern);
  if (glob.isLiteral) return queue.has(pattern) ? [pattern] : [];
  return [...queue].filter((name) => glob.matches(name, work));
}

function isOfKind(
  kind: SimpleRule["kind"],
  { materials, products }: LinkArtifacts,
  name: string,
): boolean {
  const wasThere = Object.hasOwn(materials, name), isThere = Object.hasOwn(products, name);
  if (kind === "CREATE") return isThere && !wasThere;
  if (kind === "DELETE") return wasThere && !isThere;
  if (kind === "MODIFY") return wasThere && isThere && !isEqual(materials[name], products[name]);
  return true;
}

function matched(
  rule: MatchRule,
  { queue, own, other, work }: {
    queue: ReadonlySet<string>;
    own: Artifacts;
    other?: Artifacts;
    work: Work;
  },
): string[] {
  if (other === undefined) return [];
  const glob = new Glob(rule.pattern);
  const source = folderOf(rule.sourcePrefix), destination = folderOf(rule.destinationPrefix);
  return [...queue].filter((name) => {
    work.spend(1);
    if (!name.startsWith(source)) return false;
    const path = name.slice(source.length);
    const there = destination + path;
    return glob.matches(path, work) && Object.hasOwn(other, there) &&
      isEqual(own[name], other[there]) && STRONG.some((hash) => Object.hasOwn(own[name], hash));
  });
}

function folderOf(prefix: string): string {
  return prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
}

/** Hash functions of which one has to be there: no other makes two artifacts one. */
const STRONG = ["sha256", "sha384", "sha512"];

/** Tells whether two artifacts have the same digests, all of them. */
function isEqual(a: DigestSet, b: DigestSet): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && a[name] === b[name]);
}

/** Tells whether two lists of artifacts have the same names and digests. */
export function sameArtifacts(a: Artifacts, b: Artifacts): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isEqual(a[name], b[name]));
}

function violated(what: string, path: string): AttestationError {
  return new AttestationError("artifact-rule-violated", `Cannot accept supply chain: ${what}`, {
    path,
  });
}

function malformedRule(words: readonly string[], path: string): AttestationError {
  return malformed(`${quote(words.join(" "))} is no rule`, path);
}

function malformed(what: string, path: string): AttestationError {
  return new AttestationError("malformed-layout", `Cannot read layout: ${what}`, { path });
}

function exceeded(what: string, path: string): AttestationError {
  return new AttestationError("limit-exceeded", `Cannot read layout: ${what}`, { path });
}
