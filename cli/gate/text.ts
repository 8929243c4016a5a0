import { printable } from "../../internal/json.ts";
import type { GateReport } from "../gate.ts";
import { plural } from "../text.ts";

/** Paths that are told one by one. */
const SHOWN = 200;
const WORDS = { added: "A", modified: "M", removed: "D" } as const;

/** What changed and what became of it, for people; then nothing more if nothing did. */
export function gateText({ gate, artifacts, ok, policy }: GateReport): string {
  const { since, bases, head, paths } = gate;
  const from = bases.length === 0
    ? "the beginning"
    : bases.map((id) => id.slice(0, 12)).join(" and ");
  let text = `Changed since ${printable(since)} (${from} to ${head.slice(0, 12)})\n`;
  if (paths.length === 0) return `${text}  nothing\n\nPASSED: nothing changed\n`;
  const order = ["refused", "checked", "removed", "ignored"];
  const sorted = paths.toSorted((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
  for (const { path, change, outcome, rule, artifact } of sorted.slice(0, SHOWN)) {
    const by = rule === undefined ? "" : ` by ${printable(rule)}`;
    const as = artifact === undefined || artifact === path ? "" : ` as ${printable(artifact)}`;
    text += `  ${WORDS[change]} ${printable(path)}  ${outcome}${by}${as}\n`;
  }
  if (sorted.length > SHOWN) text += `  and ${plural(sorted.length - SHOWN, "more path")}\n`;
  text += "\n";
  // With a policy the text below tells of what it judged, and of nothing else.
  for (
    const { artifact, errorReason, attestations } of policy === undefined
      ? []
      : artifacts.slice(policy.artifacts.length)
  ) {
    const message = attestations[0]?.checks[0]?.message ?? "";
    text += `FAILED  ${printable(artifact)}\n  ${printable(message)} (${errorReason})\n\n`;
  }
  if (artifacts.length > 0 || !ok) return text;
  return `${text}PASSED: nothing that changed needs an attestation\n`;
}
