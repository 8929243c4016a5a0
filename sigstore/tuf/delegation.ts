import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { sha256 } from "../../internal/sha256.ts";
import type { TufDelegation } from "./metadata.ts";

/**
 * Tells whether a role may speak for a target.
 *
 * Source: TUF 1.0, 4.5, "paths" and "path_hash_prefixes".
 */
export function isDelegated(target: string, { paths, pathHashPrefixes }: TufDelegation): boolean {
  if (paths !== undefined) return paths.some((pattern) => matchesPath(target, pattern));
  const hash = encodeHex(sha256(utf8(target)));
  return pathHashPrefixes?.some((prefix) => hash.startsWith(prefix)) ?? false;
}

/** A pattern over a path, part by part: `*` and `?` stand for everything but `/`. */
export function matchesPath(path: string, pattern: string): boolean {
  const parts = path.split("/");
  const patterns = pattern.split("/");
  return parts.length === patterns.length &&
    parts.every((part, i) => matchesPart(part, patterns[i]));
}

/** Goes back to the last `*` only, so that the work is at most the product of the lengths. */
function matchesPart(text: string, pattern: string): boolean {
  let at = 0, wanted = 0;
  let star = -1, retry = 0;
  while (at < text.length) {
    if (pattern[wanted] === "*") {
      star = wanted++;
      retry = at;
    } else if (pattern[wanted] === "?" || pattern[wanted] === text[at]) {
      at++;
      wanted++;
    } else if (star >= 0) {
      wanted = star + 1;
      at = ++retry;
    } else return false;
  }
  while (pattern[wanted] === "*") wanted++;
  return wanted === pattern.length;
}
