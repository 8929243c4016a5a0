import { quote } from "../internal/json.ts";
import { formatPurl } from "../internal/purl.ts";
import { digestFault, type DigestSet } from "../intoto/digest_set.ts";
import type { Statement } from "../intoto/statement.ts";
import { hidesDependencies, parseProvenance, PROVENANCE_TYPES } from "../slsa/provenance.ts";
import {
  comparable,
  findPurl,
  isPurl,
  plainText,
  plainVersion,
  purlTexts,
  readPurl,
  splitName,
} from "./_package_names.ts";
import { packagesOf } from "./_sbom_packages.ts";
import type { DependencyRule } from "./document.ts";
import { type AddLeaf, anyOf, failed, type Leaf, passed } from "./finding.ts";
import { compilePatterns, patternFault } from "./pattern.ts";
import type { PolicyCheck } from "./verdict.ts";

/** A dependency as a Statement has it. */
export interface Dependency {
  /** Where it came from. */
  uri?: string;
  /** Every text by which it may be known. */
  names: string[];
  /** Name and version of what has no address. */
  unaddressed?: { name: string; version?: string };
  /** Its digests. */
  digest: DigestSet;
  /** JSON Pointer, or that of the list. */
  path: string;
}

const ESCAPE = /%[0-9a-f]{2}/gi;

/** Qualifiers of a package URL by which it comes from another place than its type says. */
const PLACES = ["repository_url", "download_url"];

/**
 * What provenance or an SBOM lists; undefined for any other kind of predicate, and for one that
 * another reader would find more in.
 */
export function listDependencies(statement: Statement): Dependency[] | undefined {
  if (PROVENANCE_TYPES.includes(statement.predicateType)) {
    const provenance = parseProvenance(statement);
    if (hidesDependencies(statement.predicate)) return undefined;
    return provenance.resolvedDependencies.map(({ uri, name, downloadLocation, digest = {} }) => ({
      uri,
      names: [uri, name, downloadLocation].filter((text) => text !== undefined),
      ...(uri === undefined && name !== undefined ? { unaddressed: { name } } : {}),
      digest,
      path: "/predicate",
    }));
  }
  return packagesOf(statement)?.map(({ purls, name, version, digest }) => {
    const known = plainVersion(version);
    return {
      uri: purls[0],
      names: [...purls.flatMap((text) => withVersion(text, known)), name],
      ...(purls.length > 0 ? {} : {
        unaddressed: known === undefined ? { name } : { name, version: known },
      }),
      digest,
      path: "/predicate",
    };
  });
}

/** A package URL, also with the version that is stated beside it, if it names another one. */
function withVersion(text: string, version: string | undefined): string[] {
  const purl = findPurl(text);
  if (version === undefined || purl === undefined) return [text];
  const found = plainVersion(purl.version);
  if (found === version) return [text];
  const stated = formatPurl({ ...purl, version });
  return found === undefined ? [stated] : [text, stated];
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
    const isAllowed = compileAllowed(allowed);
    const facts = { expected: anyOf(allowed), origin: "signed", remedy } as const;
    addForEach(add, "predicate.dependencies.allowed", "dependency-not-allowed", facts, (one) => {
      if (one.uri === undefined) return "a dependency without uri";
      // A path that climbs would leave the place that the pattern names.
      if (climbs(one.uri)) return `${quote(one.uri)}, whose path has dot segments`;
      if (isUnclear(one.uri)) return `${quote(one.uri)}, which leads elsewhere than it seems to`;
      return [one.uri, ...one.names.filter(isPurl)].every(isAllowed) ? undefined : quote(one.uri);
    });
  }
  if (forbidden !== undefined) {
    const hitOf = compileForbidden(forbidden);
    const facts = { expected: `none of ${anyOf(forbidden)}`, origin: "signed", remedy } as const;
    addForEach(add, "predicate.dependencies.forbidden", "forbidden-dependency", facts, (one) => {
      const hit = hitOf(one);
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
            Object.hasOwn(one.digest, algorithm) &&
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

/**
 * A text that matches one of the patterns; a package URL also as it is meant, and from the
 * place that the pattern means.
 */
function compileAllowed(patterns: readonly string[]): (text: string) => boolean {
  const isAllowed = compilePatterns(patterns);
  const from = new Map(PLACES.map((place) => [
    place,
    compilePatterns(
      patterns.filter((one) => /^(?:pkg:)?\*\*$/.test(one) || one.includes(place)),
    ),
  ]));
  return (text) => {
    if (!isPurl(text)) return isAllowed(text);
    const purl = readPurl(text);
    const texts = [text, formatPurl(purl)];
    return texts.every(isAllowed) &&
      [...from].every(([place, isFrom]) => !purl.qualifiers?.[place] || texts.every(isFrom));
  };
}

/**
 * Finds the text by which a dependency is forbidden. Letters have no case here, and a package
 * URL in a pattern is one in any of its spellings, of every version if it names none. What may
 * be meant is: a package URL without version is one of the version that the pattern names, and
 * a name without address is a package of its type.
 */
function compileForbidden(
  patterns: readonly string[],
): (dependency: Dependency) => string | undefined {
  const meant = patterns.flatMap((one) => [one, ...canonicalPattern(one)])
    .map((one) => one.toLowerCase());
  const isForbidden = compilePatterns([...new Set(meant)]);
  const versionless = meant.flatMap((one) => /^(pkg:.+)@[^@/]+$/.exec(one)?.[1] ?? []);
  const mayBeForbidden = compilePatterns([...new Set(versionless)]);
  // One type stands for those that a pattern leaves open.
  const types = new Set([
    ...meant.flatMap((one) => /^pkg:([a-z0-9.-]+)\//.exec(one)?.[1] ?? []),
    "generic",
  ]);
  const find = (text: string): string | undefined => {
    const texts = [...spellings(text), ...addresses(text)];
    const hit = texts.find((one) => isForbidden(one.toLowerCase()));
    if (hit !== undefined || !isPurl(text) || readPurl(text).version !== undefined) return hit;
    return texts.find((one) => mayBeForbidden(one.toLowerCase()));
  };
  return ({ names, unaddressed }) => {
    for (const name of names) {
      const hit = find(name);
      if (hit !== undefined) return hit;
    }
    if (unaddressed === undefined) return undefined;
    const bare = find(splitName(unaddressed.name)[0]);
    if (bare !== undefined) return bare;
    for (const type of types) {
      const text = canonical(typed(type, unaddressed));
      if (text !== undefined && find(text) !== undefined) return text;
    }
  };
}

/** Package URL of that type for a name that may have a namespace. */
function typed(type: string, { name, version }: { name: string; version?: string }): string {
  const [full, behind] = splitName(name);
  const path = full.split("/").map(encodeURIComponent).join("/");
  const last = version ?? behind ?? "";
  return `pkg:${type}/${path}${last === "" ? "" : `@${encodeURIComponent(last)}`}`;
}

/** A pattern for package URLs with the escapes and letters of their canonical texts. */
function canonicalPattern(pattern: string): string[] {
  const purl = findPurl(pattern);
  if (purl === undefined) return [];
  return [purl, comparable(purl)].map((one) => formatPurl(one).replaceAll("%2A", "*"))
    .filter((one) => patternFault(one) === undefined);
}

/** Canonical text of a package URL; undefined of what is none. */
function canonical(text: string): string | undefined {
  const purl = findPurl(text);
  return purl === undefined ? undefined : formatPurl(purl);
}

/**
 * What a text may mean: as it is and, of a package URL, in each way in which a rule may name it.
 *
 * @throws {AttestationError} `malformed-purl` if it is meant as one and cannot be read.
 */
export function spellings(text: string): string[] {
  const found = new Set([text]);
  const add = (one: string): void => {
    if (isPurl(one)) { for (const other of purlTexts(readPurl(one))) found.add(other); }
  };
  add(text);
  let plain = plainText(text);
  // What is escaped twice is for whoever reads it twice.
  for (let i = 0; i < 3; i++) {
    found.add(plain);
    const next = decoded(plain, ESCAPE);
    if (next === plain) break;
    plain = next;
    if (canonical(plain) !== undefined) add(plain);
  }
  return [...found.add(plain)];
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
  for (let i = 0; i < 3; i++) text = decoded(text, ESCAPE);
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
