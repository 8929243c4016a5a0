import { isAttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import { formatPurl, parsePurl } from "../internal/purl.ts";
import { digestFault, type DigestSet } from "../intoto/digest_set.ts";
import type { Statement } from "../intoto/statement.ts";
import { parseProvenance, PROVENANCE_TYPES } from "../slsa/provenance.ts";
import type { DependencyRule } from "./document.ts";
import { type AddLeaf, anyOf, failed, type Leaf, passed } from "./finding.ts";
import { compilePatterns } from "./pattern.ts";
import { packagesOf } from "./sbom_leaves.ts";
import type { PolicyCheck } from "./verdict.ts";

/** A dependency as a Statement has it. */
export interface Dependency {
  /** Where it came from. */
  uri?: string;
  /** Every text by which it may be known. */
  names: string[];
  /** Its digests. */
  digest: DigestSet;
  /** JSON Pointer, or that of the list. */
  path: string;
}

/** What provenance or an SBOM lists; undefined for any other kind of predicate. */
export function listDependencies(statement: Statement): Dependency[] | undefined {
  if (PROVENANCE_TYPES.includes(statement.predicateType)) {
    const provenance = parseProvenance(statement);
    return provenance.resolvedDependencies.map((one) => ({
      uri: one.uri,
      names: [one.uri, one.name, one.downloadLocation].filter((text) => text !== undefined),
      digest: one.digest ?? {},
      path: "/predicate",
    }));
  }
  return packagesOf(statement)?.map((one) => ({
    uri: one.purls[0],
    names: [...one.purls, one.name],
    digest: one.digest,
    path: "/predicate",
  }));
}

/** What is asked of dependencies, one leaf for each member of the rule. */
export function dependencyLeaves(rule: DependencyRule, add: AddLeaf): void {
  const { allowed, forbidden, digests, min = 0 } = rule;
  const remedy = "Build from accepted sources, or change the rule of dependencies";
  add("predicate.dependencies", (leaf, { statement }) => {
    const facts = { expected: `${min} or more dependencies`, origin: "signed", remedy } as const;
    const found = listDependencies(statement);
    if (found === undefined) return unknown(leaf, statement);
    return found.length >= min
      ? passed(leaf, "The dependencies are stated", facts, String(found.length))
      : failed(
        leaf,
        "missing-dependency",
        `Cannot accept dependencies: ${found.length} are stated, wanted ${min} or more`,
        facts,
        String(found.length),
      );
  });
  if (allowed !== undefined) {
    const isAllowed = compilePatterns(allowed);
    const facts = { expected: anyOf(allowed), origin: "signed", remedy } as const;
    addForEach(add, "predicate.dependencies.allowed", "dependency-not-allowed", facts, (one) => {
      if (one.uri === undefined) return "a dependency without uri";
      // A path that climbs would leave the place that the pattern names.
      if (climbs(one.uri)) return `${quote(one.uri)}, whose path has dot segments`;
      if (isUnclear(one.uri)) return `${quote(one.uri)}, which leads elsewhere than it seems to`;
      return spellings(one.uri).every(isAllowed) ? undefined : quote(one.uri);
    });
  }
  if (forbidden !== undefined) {
    const isForbidden = compilePatterns(forbidden);
    const facts = { expected: `none of ${anyOf(forbidden)}`, origin: "signed", remedy } as const;
    addForEach(add, "predicate.dependencies.forbidden", "forbidden-dependency", facts, (one) => {
      const hit = one.names.flatMap((name) => [...spellings(name), ...addresses(name)])
        .find(isForbidden);
      return hit === undefined ? undefined : quote(hit);
    });
  }
  if (digests !== undefined) {
    const facts = { expected: `a digest by ${anyOf(digests)}`, origin: "signed", remedy } as const;
    addForEach(
      add,
      "predicate.dependencies.digests",
      "unpinned-dependency",
      facts,
      (one) =>
        digests.some((algorithm) =>
            digestFault(algorithm, one.digest[algorithm], false) === undefined
          )
          ? undefined
          : `${quote(one.uri ?? one.names[0] ?? "")} without one`,
    );
  }
}

function addForEach(
  add: AddLeaf,
  check: string,
  reason: "dependency-not-allowed" | "forbidden-dependency" | "unpinned-dependency",
  facts: { expected: string; origin: "signed"; remedy: string },
  fault: (dependency: Dependency) => string | undefined,
): void {
  add(check, (leaf, { statement }) => {
    const found = listDependencies(statement);
    if (found === undefined) return unknown(leaf, statement);
    for (const one of found) {
      const wrong = fault(one);
      if (wrong === undefined) continue;
      return failed(
        leaf,
        reason,
        `Cannot accept dependencies: found ${wrong}, wanted ${facts.expected}`,
        { ...facts, path: one.path },
        wrong,
      );
    }
    return passed(leaf, "Every dependency is accepted", facts, String(found.length));
  });
}

/** A package URL as it is written and as it is meant; any other text as it is. */
export function spellings(text: string): string[] {
  if (!/^pkg:/i.test(text)) return [text];
  try {
    return [text, formatPurl(parsePurl(text.replace(/^pkg:/i, "pkg:")))];
  } catch (error) {
    if (isAttestationError(error)) return [text];
    throw error;
  }
}

/** An address as a client would ask for it, if it is one: what is forbidden has one spelling. */
function addresses(text: string): string[] {
  // What clients pass over in front of an address and in it.
  const plain = text.replace(/^[\0- ]+|[\t\n\r]/g, "");
  const [, by = "", address = ""] = /^([a-z]+\+)?(https?:.*)$/is.exec(plain) ?? [];
  if (!URL.canParse(address)) return [];
  const { protocol, host, pathname, search, hash } = new URL(address);
  // Who asks does not change what is asked for, nor does the dot of the root of all names.
  const asked = `${protocol}//${host.replace(/\.(?=:|$)/, "")}${pathname}${search}${hash}`;
  const url = new URL(decoded(asked, /%(?:2d|2e|[3-7]\d|[4-7][a-f]|5f)/gi));
  url.pathname = url.pathname.replace(/\/{2,}/g, "/");
  return [`${by.toLowerCase()}${url.href}`];
}

function climbs(uri: string): boolean {
  let text = uri;
  // What is escaped twice is for whoever reads it twice.
  for (let i = 0; i < 3; i++) text = decoded(text, /%[0-9a-f]{2}/gi);
  return /(?:^|[/\\])\.{1,2}(?:[/\\?#;@]|$)/.test(text);
}

/** Has what clients pass over, or turn into the end of a host. */
function isUnclear(uri: string): boolean {
  return /[\0- \x7f]/.test(uri) || /^[a-z][a-z0-9+.-]*:\/\/[^/]*[?#\\]/i.test(uri);
}

function decoded(text: string, escapes: RegExp): string {
  return text.replace(escapes, (escape) => String.fromCharCode(parseInt(escape.slice(1), 16)));
}

function unknown(leaf: Leaf, { predicateType }: Statement): PolicyCheck {
  return failed(
    leaf,
    "condition-error",
    `Cannot list dependencies: the form of ${quote(predicateType)} is not known`,
    { path: "/predicate" },
  );
}
