import { quote } from "../internal/json.ts";

/** The captures of a path, in order, or undefined if it does not match. */
export type PathMatcher = (path: string) => string[] | undefined;

const MAX_WILDCARDS = 9;

/**
 * What is wrong with a pattern of paths, or undefined. There is one wildcard in a part and one
 * `**` in all, so that there is one way to match only, and captures are not a matter of taste.
 */
export function pathPatternFault(pattern: string): string | undefined {
  const named = quote(pattern);
  if (/[\p{Cc}\\]/u.test(pattern)) return `${named} has a backslash or control characters`;
  if (/[?{}[\]]/.test(pattern)) {
    return `${named} has ?, braces or brackets: only * and ** are known`;
  }
  if (pattern.startsWith("/")) {
    return `${named} begins with /: paths are from the top of the repository`;
  }
  const parts = pattern.split("/");
  for (const part of parts) {
    if (part === "" || part === "." || part === "..") {
      return `${named} has an empty part, . or ..: no path of a repository has`;
    }
    if (part !== "**" && part.split("*").length > 2) {
      return `${named} has more than one * in a part, or ** beside something`;
    }
  }
  if (parts.filter((part) => part === "**").length > 1) return `${named} has more than one **`;
  if (parts.filter((part) => part.includes("*")).length > MAX_WILDCARDS) {
    return `${named} has more than ${MAX_WILDCARDS} wildcards`;
  }
}

/** A pattern without a fault as a function; linear in the path. */
export function compilePathPattern(pattern: string): PathMatcher {
  const parts = pattern.split("/");
  const deep = parts.indexOf("**");
  const head = (deep < 0 ? parts : parts.slice(0, deep)).map(compilePart);
  const tail = deep < 0 ? [] : parts.slice(deep + 1).map(compilePart);
  return (path) => {
    const names = path.split("/");
    const middle = names.length - head.length - tail.length;
    // A file is never the folder that `folder/**` names.
    if (deep < 0 ? middle !== 0 : middle < (tail.length === 0 ? 1 : 0)) return undefined;
    const captures: string[] = [];
    for (const [i, part] of head.entries()) if (!part(names[i], captures)) return undefined;
    if (deep >= 0) captures.push(names.slice(head.length, names.length - tail.length).join("/"));
    const start = names.length - tail.length;
    for (const [i, part] of tail.entries()) {
      if (!part(names[start + i], captures)) return undefined;
    }
    return captures;
  };
}

function compilePart(part: string): (name: string, captures: string[]) => boolean {
  const star = part.indexOf("*");
  if (star < 0) return (name) => name === part;
  const [prefix, suffix] = [part.slice(0, star), part.slice(star + 1)];
  return (name, captures) => {
    if (name.length < prefix.length + suffix.length) return false;
    if (!name.startsWith(prefix) || !name.endsWith(suffix)) return false;
    captures.push(name.slice(prefix.length, name.length - suffix.length));
    return true;
  };
}
