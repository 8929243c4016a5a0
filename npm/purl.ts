import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";

/** A version of a package in an npm registry. */
export interface NpmPackage {
  /** Name, with its scope: `@scope/name` or `name`. */
  name: string;
  /** Version, exact. */
  version: string;
}

/** npm's own bound on a name. */
const MAX_NAME_LENGTH = 214;
/** npm's own bound on a version. */
const MAX_VERSION_LENGTH = 256;
/** What is left unchanged in a URL, without `*`; capitals are in old names. */
const SEGMENT = "[A-Za-z0-9~!'()_.-]+";
const NAME = new RegExp(`^(?:@${SEGMENT}/)?${SEGMENT}$`);
const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

/** Tells whether a text can be the name of a package: npm lets none begin with a dot. */
export function isNpmName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && NAME.test(name) &&
    name.split("/").every((segment) => !/^@?\./.test(segment));
}

/** Tells whether a text can be a published version. */
export function isNpmVersion(version: string): boolean {
  return version.length <= MAX_VERSION_LENGTH && VERSION.test(version);
}

/**
 * Reads the package URL of a version of an npm package: `pkg:npm/name@1.2.3` or
 * `pkg:npm/%40scope/name@1.2.3`. A bare `@` before the scope is read as well, qualifiers and
 * a subpath are refused: npm writes none, and they would name something else.
 *
 * Each part is percent-decoded once; `+` stays `+`, as this is no query.
 *
 * Source: package-url/purl-spec, "Rules for each purl component" and the type `npm`;
 * npm/attestation, specs/publish/v0.1.
 *
 * @throws {AttestationError} `malformed-purl`.
 *
 * @example A scoped package
 * ```ts
 * import { parseNpmPurl } from "@x/attest/npm";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseNpmPurl("pkg:npm/%40acme/app@1.2.3%2Bbuild"), {
 *   name: "@acme/app",
 *   version: "1.2.3+build",
 * });
 * ```
 */
export function parseNpmPurl(text: string): NpmPackage {
  if (!text.startsWith("pkg:npm/")) throw malformed(text, "it does not begin with pkg:npm/");
  if (text.length > 2048) throw malformed(text, "it is too long");
  if (/[?#]/.test(text)) throw malformed(text, "it has a qualifier or a subpath");
  const rest = text.slice("pkg:npm/".length);
  const at = rest.lastIndexOf("@");
  if (at <= 0 || rest.indexOf("/", at) >= 0) throw malformed(text, "it has no version");
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch (cause) {
      throw malformed(text, "its percent-encoding is not UTF-8", cause);
    }
  };
  const segments = rest.slice(0, at).split("/").map(decode);
  if (segments.length > 2) {
    throw malformed(text, "its name has more parts than a scope and a name");
  }
  if ((segments.length === 2) !== segments[0].startsWith("@")) {
    throw malformed(text, "its scope does not begin with @, or has no name after it");
  }
  const name = segments.join("/");
  const version = decode(rest.slice(at + 1));
  if (!isNpmName(name)) throw malformed(text, "that is no name of a package");
  if (!isNpmVersion(version)) throw malformed(text, "that is no version");
  return { name, version };
}

function malformed(text: string, why: string, cause?: unknown): AttestationError {
  return new AttestationError("malformed-purl", `Cannot read package URL ${quote(text)}: ${why}`, {
    cause,
  });
}

/** `name@version`, for people and for file names of answers. */
export function describePackage({ name, version }: NpmPackage): string {
  return `${name}@${version}`;
}
