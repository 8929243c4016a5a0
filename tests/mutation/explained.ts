/** Mutants that no test can or should see, each with the reason. */

import { readFileSync } from "node:fs";
import type { Mutant, Operator } from "./mutate.ts";

/** One mutant, found by what it changes rather than by its line. */
export interface Explanation {
  file: string;
  within: string;
  operator: Operator;
  code: string;
  becomes: string;
  /** `equivalent`: nothing behaves otherwise. `hint`: a message, an order or the speed only. */
  kind: "equivalent" | "hint";
  why: string;
}

/** The list of the project. */
export function readExplained(): Explanation[] {
  return JSON.parse(readFileSync(new URL("explained.json", import.meta.url), "utf8"));
}

/** What the list says of a mutant. */
export function explanationOf(
  list: readonly Explanation[],
  mutant: Omit<Mutant, "id">,
): Explanation | undefined {
  return list.find((one) =>
    one.file === mutant.file && one.within === mutant.within && one.operator === mutant.operator &&
    one.code === mutant.code && one.becomes === mutant.becomes
  );
}
