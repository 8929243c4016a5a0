import { type DigestSet, normalizeDigest } from "../intoto/digest_set.ts";
import type { Selector } from "./document.ts";
import type { ArtifactEvidence } from "./evidence.ts";
import { compilePatterns } from "./pattern.ts";

/** Names of one registry. */
const HUB = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/**
 * Tells which artifacts a selector selects: all members that are present must hold, of one
 * member any entry. Absent, it selects every artifact. An artifact that is not of a kind,
 * such as a file under `oci`, is not selected.
 */
export function compileSelector(selector?: Selector): (artifact: ArtifactEvidence) => boolean {
  if (selector === undefined) return () => true;
  const { name, digest, oci, npm } = selector;
  const tests: ((artifact: ArtifactEvidence) => boolean)[] = [];
  if (name !== undefined) {
    const test = compilePatterns(entriesOf(name));
    tests.push(({ artifact }) => test(plainName(artifact)));
  }
  if (digest !== undefined) {
    const wanted = entriesOf(digest).map(splitDigest);
    tests.push((artifact) => wanted.some(([alg, value]) => hasDigest(artifact.digest, alg, value)));
  }
  if (oci !== undefined) {
    const test = compilePatterns(entriesOf(oci).map(canonicalOci));
    tests.push(({ ociRepository }) =>
      ociRepository !== undefined && test(canonicalOci(ociRepository))
    );
  }
  if (npm !== undefined) {
    const test = compilePatterns(entriesOf(npm));
    tests.push(({ npmPackage }) => npmPackage !== undefined && test(npmPackage));
  }
  // What says nothing selects nothing: a waiver for it would be one for everything.
  if (tests.length === 0) return () => false;
  return tests.length === 1 ? tests[0] : (artifact) => tests.every((test) => test(artifact));
}

/**
 * A name without `.` and `..` as parts of a path: `./app` is `app`, and `trusted/../app` is
 * not in `trusted`.
 */
function plainName(name: string): string {
  if (!/(?:^|\/)\.{1,2}(?:\/|$)/.test(name)) return name;
  const parts: string[] = [];
  for (const part of name.split("/")) {
    if (part === ".") continue;
    const last = parts.at(-1);
    if (part === ".." && last !== undefined && last !== ".." && last !== "") parts.pop();
    else if (part !== ".." || last !== "") parts.push(part);
  }
  return parts.join("/");
}

/** One text or several, as a list. */
export function entriesOf(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}

/** `alg:hex` in its parts, normalised. */
export function splitDigest(text: string): [algorithm: string, value: string] {
  const colon = text.indexOf(":");
  const algorithm = text.slice(0, colon);
  return [algorithm, normalizeDigest(algorithm, text.slice(colon + 1))];
}

/**
 * One spelling for an OCI repository, or a pattern for some: with its registry, whose
 * letters have no case. `nginx` is `docker.io/library/nginx`.
 *
 * Source: distribution/reference, normalize.go.
 */
export function canonicalOci(text: string): string {
  const [first, ...others] = text.split("/");
  if (others.length === 0) return text.includes("*") ? text : `docker.io/library/${text}`;
  if (/[*?]/.test(first)) return text;
  // No repository has capital letters: what has some is a registry, as what has a dot or port.
  if (!/[.:A-Z]/.test(first) && first !== "localhost") return `docker.io/${text}`;
  const host = first.toLowerCase();
  const registry = HUB.includes(host) ? "docker.io" : host;
  const rest = others.join("/");
  return registry === "docker.io" && others.length === 1 && !rest.includes("*")
    ? `docker.io/library/${rest}`
    : `${registry}/${rest}`;
}

function hasDigest(digest: DigestSet, algorithm: string, value: string): boolean {
  return Object.hasOwn(digest, algorithm) &&
    normalizeDigest(algorithm, digest[algorithm]) === value;
}
