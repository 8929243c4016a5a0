import { isAttestationError } from "../errors.ts";
import { formatPurl, parsePurl, type Purl } from "../internal/purl.ts";

/** What nobody sees, and what readers pass over. */
const UNSEEN = /[\s\p{C}]+/gu;

/** Types whose namespace is the vendor of a system, and no part of the name. */
const VENDORED: readonly string[] = ["alpm", "apk", "deb", "qpkg", "rpm"];

/** Tells whether a text is meant as a package URL, however it is written. */
export function isPurl(text: string): boolean {
  return /^pkg:/i.test(plainText(text));
}

/**
 * Reads a package URL as the most lenient reader would: without white space, and whatever the
 * letters of its scheme.
 *
 * @throws {AttestationError} `malformed-purl`.
 */
export function readPurl(text: string): Purl {
  return parsePurl(plainText(text).replace(/^pkg:/i, "pkg:"));
}

/** {@linkcode readPurl}, or undefined of a text that is none. */
export function findPurl(text: string): Purl | undefined {
  if (!isPurl(text)) return undefined;
  try {
    return readPurl(text);
  } catch (error) {
    if (isAttestationError(error)) return undefined;
    throw error;
  }
}

/**
 * A package URL whose name is the one by which its registry knows it: on PyPI `-`, `_` and `.`
 * are the same.
 *
 * Source: PEP 503, "Normalized Names".
 */
export function comparable(purl: Purl): Purl {
  return purl.type === "pypi" ? { ...purl, name: purl.name.replaceAll(/[-_.]+/g, "-") } : purl;
}

/** A text without white space and what nobody sees. */
export function plainText(text: string): string {
  return text.replaceAll(UNSEEN, "");
}

/** A name and the version that may be written behind it: `@scope/name@1.0.0`. */
export function splitName(text: string): [name: string, version?: string] {
  const name = plainText(text).split("/").filter((part) => part !== "").join("/");
  const [, path, version] = /^(.+)@([^@/]*)$/.exec(name) ?? [];
  return path === undefined ? [name] : [path, version];
}

/** Name of a package with its namespace, which is a part of it in most ecosystems. */
export function fullName({ namespace, name }: Purl): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Names by which a package of this URL is called. */
export function namesOf(purl: Purl): string[] {
  const full = fullName(purl);
  return VENDORED.includes(purl.type) ? [full, purl.name] : [full];
}

/**
 * A package URL in the ways that a rule may mean it: canonical, without qualifiers and subpath,
 * without its version; escaped and not.
 */
export function purlTexts(purl: Purl): string[] {
  const found = new Set<string>();
  for (const text of [purl, comparable(purl)].map(formatPurl)) {
    const bare = text.replace(/[?#].*$/, "");
    const all = purl.version === undefined ? bare : bare.slice(0, bare.lastIndexOf("@"));
    for (const one of [text, bare, all]) found.add(one).add(decodeURIComponent(one));
  }
  return [...found];
}

/** A version as it is compared: without white space, and without the `v` of a tag. */
export function plainVersion(version: string | undefined): string | undefined {
  const plain = plainText(version ?? "").replace(/^v(?=\d)/i, "").toLowerCase();
  return /^(?:|noassertion|none|unknown)$/.test(plain) ? undefined : plain;
}
