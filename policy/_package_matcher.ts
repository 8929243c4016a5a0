import type { Purl } from "../internal/purl.ts";
import type { SbomPackage } from "../intoto/predicates/sbom.ts";
import {
  comparable,
  findPurl,
  fullName,
  isPurl,
  namesOf,
  plainText,
  plainVersion,
  readPurl,
  splitName,
} from "./_package_names.ts";
import { compilePattern } from "./pattern.ts";

/** What a package of an SBOM claims to be, read once for all entries of a rule. */
export interface Claims {
  /** The package. */
  readonly one: SbomPackage;
  /** Its package URLs. */
  readonly purls: readonly Purl[];
  /** These and what else of it is one, in lower case. */
  readonly folded: readonly Purl[];
  /** Names by which it is called, in lower case, as they are matched by patterns. */
  readonly names: readonly string[];
  /** Version that is stated beside its URLs, to compare. */
  readonly version?: string;
}

/** Tells of a package whether it is the one that is meant. */
type PackageTest = (claims: Claims) => boolean;

/**
 * Reads what a package claims to be.
 *
 * @throws {AttestationError} `malformed-purl`.
 */
export function claimsOf(one: SbomPackage): Claims {
  const purls = one.purls.map(readPurl);
  // A name may be a package URL, and so may what identifies it in the document.
  const id = findPurl(one.id ?? "");
  const all = [
    ...purls,
    ...(isPurl(one.name) ? [readPurl(one.name)] : []),
    ...(id === undefined ? [] : [id]),
  ];
  const version = plainVersion(one.version);
  return {
    one,
    purls,
    folded: all.map(fold),
    names: [plainText(one.name), splitName(one.name)[0], ...all.flatMap(namesOf)]
      .map((name) => name.toLowerCase()),
    ...(version === undefined ? {} : { version }),
  };
}

/**
 * A package by its URL, of every version if it names none, or by a pattern for its name. Any
 * name and any version that it claims to have is enough, whatever the case of its letters; one
 * without version may be of any.
 *
 * @throws {AttestationError} `malformed-purl`.
 */
export function forbidsPackage(entry: string): PackageTest {
  if (!isPurl(entry)) {
    const isForbidden = compilePattern(entry.toLowerCase());
    return ({ names }) => names.some(isForbidden);
  }
  const wanted = fold(readPurl(entry));
  const isName = partTest(fullName(wanted));
  // Without its namespace a pattern would be one for every name.
  const isBareName = wanted.name.includes("*") ? () => false : partTest(wanted.name);
  const isAnyName = /^[*/]+$/.test(fullName(wanted));
  const isVersion = partTest(plainVersion(wanted.version));
  const isMeant = (...stated: (string | undefined)[]): boolean => {
    const known = stated.filter((version) => version !== undefined);
    return known.length === 0 || known.some(isVersion);
  };
  return ({ one: { name }, purls, folded, version }) => {
    if (
      folded.some((purl) =>
        purl.type === wanted.type && isName(fullName(purl)) &&
        isMeant(plainVersion(purl.version), version)
      )
    ) return true;
    // A name that no URL accounts for is one more package that it claims to be, of that type.
    const isOther = purls.length > 0 && purls.every(({ type }) => type !== wanted.type);
    if (isOther || isAnyName) return false;
    const [path, behind] = splitName(wanted.type === "maven" ? name.replaceAll(":", "/") : name);
    const called = fold({ type: wanted.type, name: path }).name;
    return (isName(called) || isBareName(called)) && isMeant(version, plainVersion(behind)) &&
      !purls.map(fold).some((purl) => called === purl.name || called === fullName(purl));
  };
}

/**
 * A package by its URL, or by a pattern for its name. Every version that it claims to have must
 * be the one that is asked for, and so must each qualifier.
 *
 * @throws {AttestationError} `malformed-purl`.
 */
export function requiresPackage(entry: string): PackageTest {
  if (!isPurl(entry)) {
    const isRequired = compilePattern(entry);
    return ({ one }) => isRequired(one.name);
  }
  const wanted = readPurl(entry);
  const isName = partTest(fullName(wanted));
  const isVersion = partTest(plainVersion(wanted.version));
  const qualifiers = Object.entries(wanted.qualifiers ?? {});
  const isMet = (...stated: (string | undefined)[]): boolean => {
    const known = stated.filter((version) => version !== undefined);
    return known.every(isVersion) && (known.length > 0 || wanted.version === undefined);
  };
  return ({ one, purls, version }) => {
    if (purls.length === 0) {
      return qualifiers.length === 0 && wanted.subpath === undefined && isName(one.name) &&
        isMet(version);
    }
    return purls.some((purl) =>
      purl.type === wanted.type && isName(fullName(purl)) &&
      isMet(plainVersion(purl.version), version) &&
      qualifiers.every(([key, value]) => purl.qualifiers?.[key] === value) &&
      (wanted.subpath === undefined || purl.subpath === wanted.subpath)
    );
  };
}

/** A part of a package URL, in which `*` is what it is in a pattern; one that is not there is any. */
function partTest(part: string | undefined): (text: string) => boolean {
  if (part === undefined) return () => true;
  return part.includes("*") ? compilePattern(part) : (text) => text === part;
}

/** In lower case, and by the name that its registry knows it by. */
function fold(purl: Purl): Purl {
  const { namespace, name, ...rest } = comparable(purl);
  const found: Purl = { ...rest, name: name.toLowerCase() };
  if (namespace !== undefined) found.namespace = namespace.toLowerCase();
  return found;
}
