import { canonicalRepository, isCommit } from "../source.ts";
import type { FactReader, Spelling, Stated, Told } from "./facts.ts";

/** Where the source of a build came from. */
export interface SourceFacts {
  /** Address of the repository: `https://host/owner/name`, or as git has it. */
  repository?: string;
  /** Git ref, whole, such as `refs/heads/main`. */
  ref?: string;
  /** Commit: 40 or 64 hex digits. */
  commit?: string;
  /** File in the repository that says how to build. */
  path?: string;
  /** Files differ from the commit (local builds). Default false. */
  dirty?: boolean;
}

/** Who states what about the source. */
export interface SourceStatements {
  repository: readonly Stated[];
  ref: readonly Stated[];
  commit: readonly Stated[];
}

/** The source, in one spelling. */
export interface BuildSource {
  /** Address of a page, without `.git`. */
  repository: string;
  ref: string;
  /** Lowercase. */
  commit: string;
}

/** Decides where the source came from; what the caller says must agree with the platform. */
export function sourceOf(
  facts: FactReader,
  stated: SourceStatements,
  given: SourceFacts = {},
): BuildSource {
  return {
    repository: facts.need("repository", [
      ...stated.repository,
      ["the given repository", given.repository],
    ], repositoryUrl),
    ref: facts.need("ref", [...stated.ref, ["the given ref", given.ref]], gitRef),
    commit: facts.need("commit", [...stated.commit, ["the given commit", given.commit]], gitCommit),
  };
}

/** Commit, lowercase; the null commit is none. */
export const gitCommit: Spelling = (text) =>
  isCommit(text) && !/^0+$/.test(text) ? text.toLowerCase() : undefined;

/** A whole ref, of which git would say that it is well formed (git-check-ref-format). */
export const gitRef: Spelling = (text) => {
  const isWhole = /^refs\/[^/]+\/./.test(text) &&
    // deno-lint-ignore no-control-regex
    !/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.$|\/$|\.lock(?:\/|$)/.test(text);
  return isWhole ? text : undefined;
};

/** A path in a repository: forward, and never out of it. */
export const repositoryPath: Spelling = (text) => {
  const parts = text.split("/");
  const isInside = parts.every((part) => part !== "" && part !== "." && part !== "..");
  return isInside && !/[@\\:]/.test(text) ? text : undefined;
};

/** `owner/name`. */
export const ownerAndName: Spelling = (text) =>
  /^[A-Za-z0-9._-]+\/(?!\.{1,2}$)[A-Za-z0-9._-]+$/.test(text) ? text : undefined;

/** A number of the platform's. */
export const decimal: Spelling = (text) => /^[0-9]{1,20}$/.test(text) ? text : undefined;

/** One word: letters, digits, `_`, `.` and `-`. */
export const word: Spelling = (text) =>
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text) ? text : undefined;

/**
 * The address of a repository as a page of the web: without user, password, port of SSH and
 * `.git`. What git reaches by SSH has its page at the same host and path, as far as the
 * platforms go that are known here; others can be told by the caller.
 */
export const repositoryUrl: Spelling = (text) => {
  if (/\s/.test(text)) return undefined;
  const scp = /^(?:[A-Za-z0-9._-]+@)([A-Za-z0-9.-]+):\/?([^:/][^:]*)$/.exec(text);
  const plain = scp === null ? text.replace(/^git\+/, "") : `https://${scp[1]}/${scp[2]}`;
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(plain) ? plain : `https://${plain}`;
  if (!URL.canParse(whole)) return undefined;
  const { protocol, hostname, host, pathname, search, hash } = new URL(whole);
  const isSsh = protocol === "ssh:" || protocol === "git:";
  if (!isSsh && protocol !== "https:" && protocol !== "http:") return undefined;
  const isHost = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+\.?$|^\[[0-9a-f:.]+\]$|^localhost$/i.test(hostname);
  if (search !== "" || hash !== "" || !isHost) return undefined;
  const path = pathname.replace(/\/+$/, "").replace(/\.git$/, "");
  const page = `${isSsh ? "https:" : protocol}//${isSsh ? hostname : host}${path}`;
  return canonicalRepository(page) === undefined ? undefined : page;
};

/** Full ref of a tag; of a branch where there is none. */
export function refsOf(tag: Told, branch: Told): Told[] {
  const named = ([where, name]: Told, folder: string): Told => [
    where,
    name === undefined ? undefined : `refs/${folder}/${name}`,
  ];
  return tag[1] === undefined ? [tag, named(branch, "heads")] : [named(tag, "tags")];
}
