import { type Json, printable } from "../internal/json.ts";
import type { Condition, PolicyDocument, Requirement } from "./document.ts";

/** What an existing document says that a policy does not say. */
export interface NotCarriedOver {
  /** Where it was. */
  path: string;
  /** What it was. */
  what: string;
  /** Why, and what was done instead. */
  why: string;
}

/** A policy that was made of an existing document. */
export interface ImportedPolicy {
  /** The document; it accepts nothing that the other would refuse. */
  document: PolicyDocument;
  /** What it does not say, for the reviewer. */
  notCarriedOver: NotCarriedOver[];
}

/** Collects what is lost. */
export class Losses {
  readonly list: NotCarriedOver[] = [];
  #placeholders = 0;

  add(path: string, what: string, why: string): void {
    if (this.list.length < 10_000) {
      this.list.push({ path: printable(path, 400), what: printable(what, 200), why });
    }
  }

  /**
   * A condition that never holds, in the place of one that cannot be written: what it
   * refused must not pass because it is gone.
   */
  placeholder(path: string, what: string, why: string): Condition {
    const id = `replace-${++this.#placeholders}`;
    this.add(path, what, `${why}; the condition "${id}" refuses everything until it is replaced`);
    return {
      id,
      // Of all members, this one is not for the signer to choose.
      path: "/_type",
      equals: `replace this condition: ${printable(what, 100)}`,
    };
  }
}

/** A value for the list of losses, whatever it is: an object may have a `toString` of its own. */
export function shown(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "";
}

/** A requirement with more conditions. */
export function withConditions(
  requirement: Requirement,
  conditions: readonly Condition[],
): Requirement {
  if (conditions.length === 0) return requirement;
  const { predicate = {} } = requirement;
  return {
    ...requirement,
    predicate: { ...predicate, where: [...predicate.where ?? [], ...conditions] },
  };
}

/** A name of the letters that ids may have, which is not taken yet. */
export function importedName(wanted: string, fallback: string, taken: Set<string>): string {
  const clean = wanted.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 64);
  const base = clean === "" || clean === "across" ? fallback : clean;
  let name = base;
  for (let n = 2; taken.has(name); n++) name = `${base}-${n}`;
  taken.add(name);
  return name;
}
