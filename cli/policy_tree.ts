import type { Explanation } from "../policy/explain.ts";
import { colour } from "./policy_text.ts";
import type { Style } from "./text.ts";

const SIGNS = { "passed": "✓", "failed": "✗", "waived": "~", "not-applicable": "–" } as const;

/** An explanation as a tree. */
export function treeText(explanation: Explanation, paint: Style): string {
  const lines: string[] = [lineOf(explanation, paint)];
  branches(explanation.children, "", paint, lines);
  return `${lines.join("\n")}\n`;
}

function branches(
  children: readonly Explanation[],
  indent: string,
  paint: Style,
  lines: string[],
): void {
  children.forEach((child, i) => {
    const isLast = i === children.length - 1;
    lines.push(`${indent}${isLast ? "└─ " : "├─ "}${lineOf(child, paint)}`);
    branches(child.children, `${indent}${isLast ? "   " : "│  "}`, paint, lines);
  });
}

function lineOf({ text, outcome }: Explanation, paint: Style): string {
  return outcome === undefined ? text : `${colour(paint, outcome)(SIGNS[outcome])} ${text}`;
}
