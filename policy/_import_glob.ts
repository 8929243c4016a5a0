import { isObject, type Json } from "../internal/json.ts";
import { type Losses, shown } from "./_import.ts";
import { compilePattern, patternFault } from "./pattern.ts";

/**
 * Patterns of repositories that select every image that the globs match: what a rule does not
 * select is left to the other rules. A glob is for a whole reference, with its tag.
 *
 * Source: sigstore/policy-controller, pkg/apis/glob/glob.go.
 */
export function patternsOfGlobs(images: Json | undefined, at: string, losses: Losses): string[] {
  const found: string[] = [];
  (Array.isArray(images) ? images : []).forEach((image, i) => {
    const glob = isObject(image) ? image.glob : undefined;
    const path = `${at}/${i}`;
    if (typeof glob !== "string") return losses.add(path, shown(image), "It has no glob");
    const named = glob.replace(/[:@][^/]*$/, "");
    const repository = named.replace(/\*{3,}/g, "**");
    // A dot in front of a star is a dot there, and looks like a regular expression here.
    const written = repository.replace(/\.(?=\*)/g, "?");
    const fault = patternFault(written);
    if (fault !== undefined) return losses.add(path, glob, fault);
    const pattern = mayBeDockerHub(repository, written) ? "**" : written;
    if (pattern !== repository || !["", ":**"].includes(glob.slice(named.length))) {
      losses.add(path, glob, `Written as ${pattern}, which selects more images`);
    }
    found.push(pattern);
  });
  return [...new Set(found)];
}

/**
 * Tells globs whose wildcards may stand for `index.docker.io`, or for the first part of a name
 * without a registry: selectors have one spelling of such names. */
function mayBeDockerHub(glob: string, pattern: string): boolean {
  const [first] = glob.split("/", 1);
  if (first === "**" || !first.includes("*")) return false;
  const isRegistry = first !== glob && /[.:]/.test(first) && !first.includes("**");
  return !isRegistry || compilePattern(pattern.split("/", 1)[0])("index.docker.io");
}
