import { type Json, quote } from "../internal/json.ts";
import { DIGEST_ALGORITHMS, digestFault, WEAK_DIGESTS } from "../intoto/digest_set.ts";
import type { Members, ProblemList } from "./_shape.ts";

const SELECTOR = ["name", "digest", "oci", "npm"];
const MAX_ENTRIES = 10_000;

/** Checks which artifacts are selected. */
export function checkSelector(list: ProblemList, value: Json, path: string, what: string): void {
  const selector = list.members(value, path, what, SELECTOR);
  if (selector === undefined) return;
  selector.needOne(SELECTOR);
  const faults = { name: () => undefined, digest: digestEntryFault, oci: ociFault, npm: npmFault };
  for (const [name, fault] of Object.entries(faults)) {
    const entries = selector.get(name);
    if (entries === undefined) continue;
    const read = (entry: Json, at: string): string | undefined => {
      const text = name === "digest" ? list.text(entry, at, name) : list.pattern(entry, at, name);
      const found = text === undefined ? undefined : fault(text);
      return found === undefined ? text : void list.wrong(at, found);
    };
    if (Array.isArray(entries)) list.each(entries, selector.at(name), name, MAX_ENTRIES, read);
    else read(entries, selector.at(name));
  }
}

function digestEntryFault(text: string): string | undefined {
  const colon = text.indexOf(":");
  const algorithm = text.slice(0, Math.max(colon, 0));
  if (!DIGEST_ALGORITHMS.has(algorithm)) {
    return `${quote(text)} is no digest: wanted an algorithm, a colon and hex, such as sha256:…`;
  }
  if (WEAK_DIGESTS.has(algorithm)) return `${algorithm} is broken: nothing is known by it`;
  const fault = digestFault(algorithm, text.slice(colon + 1), false);
  return fault === undefined ? undefined : `the digest ${quote(text)}: ${fault}`;
}

function ociFault(text: string): string | undefined {
  if (text.includes("://")) return `${quote(text)} is an address: write the repository alone`;
  if (text.includes("@") || text.slice(text.lastIndexOf("/") + 1).includes(":")) {
    return `${quote(text)} has a tag or digest: a repository has none`;
  }
}

function npmFault(text: string): string | undefined {
  if (/^@[^/]*$/.test(text)) return `${quote(text)} is a scope: write ${quote(`${text}/*`)}`;
  if (text.slice(1).includes("@")) return `${quote(text)} has a version: a package name has none`;
  if (/^pkg:/.test(text)) return `${quote(text)} is a package URL: write the name alone`;
}

/** Checks names of digest algorithms. */
export function checkDigestNames(members: Members, name: string): void {
  for (const [i, algorithm] of (members.texts(name, 100) ?? []).entries()) {
    const at = `${members.at(name)}/${i}`;
    if (WEAK_DIGESTS.has(algorithm)) {
      members.list.wrong(at, `${algorithm} is broken: nothing is known by it`);
    } else if (!DIGEST_ALGORITHMS.has(algorithm)) {
      const near = members.list.near(algorithm, DIGEST_ALGORITHMS.keys());
      members.list.wrong(at, `${quote(algorithm)} is no digest algorithm of in-toto${near}`);
    }
  }
}
