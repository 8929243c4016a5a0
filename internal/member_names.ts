import type { JsonObject } from "./json.ts";

/**
 * Makes a test for members that another reader could take for one of these: in other letters,
 * as Go's reader takes them, or with `_` or `-` between words, as those of Protocol Buffers
 * do. Whoever reads exact names only would pass over what the other reads.
 */
export function otherSpelling(names: readonly string[]): (value: JsonObject) => boolean {
  const exact = new Set(names);
  const folded = new Set(names.map(fold));
  return (value) => {
    for (const name of Object.keys(value)) {
      if (!exact.has(name) && folded.has(fold(name))) return true;
    }
    return false;
  };
}

/** By way of capitals: the long s and the sign of Kelvin are letters to Go. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase().replaceAll(/[_-]/g, "");
}
