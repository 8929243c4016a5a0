import type { Purl } from "../internal/purl.ts";
import type { SbomPackage } from "../intoto/predicates/sbom.ts";
import {
  comparable,
  fullName,
  isPurl,
  namesOf,
  plainText,
  plainVersion,
  readPurl,
} from "./_package_names.ts";
import { compilePattern } from "./pattern.ts";

/** Tells of a package whether it is the one that is meant. */
type PackageTest = (one: SbomPackage) => boolean;

/**
 * A package by its URL, of every version if it names none, or by a pattern for its name. Any
 * name and any version that it claims to have is enough, whatever the case of its letters; one
 * without version may be of any.
 *
 * @throws {AttestationError} `malformed-purl`, of the entry or of what it is asked about.
 */
export function forbidsPackage(entry: string): PackageTest {
  if (!isPurl(entry)) {
    const isForbidden = compilePattern(entry.toLowerCase());
    return (one) => {
      const purls = one.purls.map(readPurl);
      return [plainText(one.name), ...purls.flatMap(namesOf)].some((name) =>
        isForbidden(name.toLowerCase())
      );
    };
  }
  const wanted = folded(readPurl(entry));
  const isName = partTest(fullName(wanted));
  const isVersion = partTest(plainVersion(wanted.version));
  return ({ purls, name, version }) => {
    const stated = plainVersion(version);
    const isMeant = (known: readonly (string | undefined)[]): boolean => {
      const versions = known.filter((one) => one !== undefined);
      return versions.length === 0 || versions.some(isVersion);
    };
    const read = purls.map((text) => folded(readPurl(text)));
    if (
      read.some((one) =>
        one.type === wanted.type && isName(fullName(one)) &&
        isMeant([plainVersion(one.version), stated])
      )
    ) return true;
    // A name that no URL accounts for is one more package that it claims to be.
    const path = wanted.type === "maven" ? name.replaceAll(":", "/") : name;
    const called = folded({ type: wanted.type, name: plainText(path) }).name;
    const isKnown = read.some((one) => called === one.name || called === fullName(one));
    return !isKnown && (isName(called) || partTest(wanted.name)(called)) && isMeant([stated]);
  };
}

/**
 * A package by its URL, or by a pattern for its name. Every version that it claims to have must
 * be the one that is asked for, and so must each qualifier.
 *
 * @throws {AttestationError} `malformed-purl`, of the entry or of what it is asked about.
 */
export function requiresPackage(entry: string): PackageTest {
  if (!isPurl(entry)) {
    const isRequired = compilePattern(entry);
    return ({ name }) => isRequired(name);
  }
  const wanted = readPurl(entry);
  const isName = partTest(fullName(wanted));
  const isVersion = partTest(plainVersion(wanted.version));
  const qualifiers = Object.entries(wanted.qualifiers ?? {});
  return ({ purls, name, version }) => {
    const stated = plainVersion(version);
    const isMet = (known: readonly (string | undefined)[]): boolean => {
      const versions = known.filter((one) => one !== undefined);
      return versions.every(isVersion) && (versions.length > 0 || wanted.version === undefined);
    };
    if (purls.length === 0) {
      return qualifiers.length === 0 && wanted.subpath === undefined && isName(name) &&
        isMet([stated]);
    }
    return purls.map(readPurl).some((one) =>
      one.type === wanted.type && isName(fullName(one)) &&
      isMet([plainVersion(one.version), stated]) &&
      qualifiers.every(([key, value]) => one.qualifiers?.[key] === value) &&
      (wanted.subpath === undefined || one.subpath === wanted.subpath)
    );
  };
}

/** A part of a package URL, in which `*` is what it is in a pattern; one that is not there is any. */
function partTest(part: string | undefined): (text: string) => boolean {
  if (part === undefined) return () => true;
  return part.includes("*") ? compilePattern(part) : (text) => text === part;
}

/** In lower case, and by the name that its registry knows it by. */
function folded(purl: Purl): Purl {
  const { namespace, name, ...rest } = comparable(purl);
  const found: Purl = { ...rest, name: name.toLowerCase() };
  if (namespace !== undefined) found.namespace = namespace.toLowerCase();
  return found;
}
