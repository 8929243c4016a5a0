import type { Reason } from "../../errors.ts";
import { quote } from "../../internal/json.ts";
import type { GateRules, GateSubject, GateTarget } from "../../policy/gate_rules.ts";
import { ATTESTATION_SUFFIXES } from "../../store/file_names.ts";
import { type Changes, type Tree, type TreeEntry, treeKey } from "./git_tree.ts";

/** Something that must have valid attestations. */
export interface Target {
  /** A file or submodule by itself, or a URN. */
  kind: "artifact" | "urn";
  /** Name in the report: the path, or the URN. */
  name: string;
  /** Id of the rule; absent if none matched. */
  rule?: string;
  /** What its provenance must be about. */
  subject: GateSubject;
  /** The file that is judged. */
  entry: TreeEntry;
}

/** What fails without a look at any attestation. */
export interface Refused {
  /** Name in the report: the path, or a URN. */
  path: string;
  /** The file, where that is not its name. */
  file?: string;
  /** Id of the rule; absent if none matched. */
  rule?: string;
  /** Why. */
  reason: Reason;
  /** Why, for people. */
  message: string;
}

/** What the gate makes of a changed path, for the report. */
export interface PathReport {
  /** Path from the top of the repository. */
  path: string;
  /** What became of it. */
  change: "added" | "modified" | "removed";
  /** Id of the rule that matches; absent if none does. */
  rule?: string;
  /** `checked`: in `artifacts` by this name. `refused`, `ignored`, `removed`: nothing verified. */
  outcome: "checked" | "refused" | "ignored" | "removed";
  /** Name in `artifacts`. */
  artifact?: string;
}

/** What is to be verified. */
export interface Plan {
  /** Each once. */
  targets: Target[];
  /** What fails already. */
  refused: Refused[];
  /** Every changed path. */
  paths: PathReport[];
  /** What somebody should look at, one line each. */
  warnings: string[];
}

/** Says what each changed path stands for. */
export function planOf(
  { changes, tree }: Pick<Changes, "changes" | "tree">,
  rules: GateRules,
): Plan {
  const plan: Plan = { targets: [], refused: [], paths: [], warnings: [] };
  const seen = new Set<string>();
  for (const { change, entry } of changes) {
    const about = artifactOf(entry, tree);
    if (about !== undefined) {
      // Its attestation came, changed or went: what it is about is judged anew.
      const target = judged(about, rules.targetOf(about.path));
      const report = { path: entry.path, change };
      if (target === undefined) plan.paths.push({ ...report, outcome: "ignored" });
      else plan.paths.push({ ...report, ...add(plan, seen, target) });
      continue;
    }
    if (change === "removed") {
      plan.paths.push(removed(plan, entry, rules, rules.targetOf(entry.path)));
      continue;
    }
    const target = judged(entry, rules.targetOf(entry.path));
    if (target !== undefined) {
      plan.paths.push({ path: entry.path, change, ...add(plan, seen, target) });
      continue;
    }
    const { rule } = rules.targetOf(entry.path);
    plan.paths.push({
      path: entry.path,
      change,
      ...(rule === undefined ? {} : { rule }),
      outcome: "ignored",
    });
  }
  warnOfMoves(plan, changes, rules);
  return plan;
}

/** The file in the commit that an attestation lies beside; undefined if there is none. */
function artifactOf({ path }: TreeEntry, tree: Tree): TreeEntry | undefined {
  const suffix = ATTESTATION_SUFFIXES.find((one) => path.endsWith(one));
  if (suffix === undefined) return undefined;
  const beside = tree.get(treeKey(path.slice(0, -suffix.length)));
  return beside?.kind === "file" ? beside : undefined;
}

/** What an entry asks for; undefined if nothing. */
function judged(entry: TreeEntry, target: GateTarget): Target | Refused | undefined {
  const { path, kind } = entry;
  const rule = target.rule === undefined ? {} : { rule: target.rule };
  const refuse = (message: string, reason: Reason = "unsupported-file-name"): Refused => ({
    path,
    ...rule,
    reason,
    message,
  });
  if (target.kind === "ignored" && target.rule !== undefined) return undefined;
  // What a link or a submodule leads to is in no list of changes: only a rule may pass it over.
  if (kind === "link") return refuse("It is a symbolic link: git does not show what it leads to");
  if (kind === "other") return refuse("It is neither a file nor a submodule");
  if (kind === "submodule" && target.kind !== "artifact") {
    return refuse("It is a submodule: attest the commit, or let a rule ignore it");
  }
  if (target.kind === "ignored") return undefined;
  if (!entry.isText) return refuse("Its name is not UTF-8: nobody can say which one it is");
  if (target.kind === "refused") return refuse(target.message, "invalid-uri");
  return target.kind === "artifact"
    ? { kind: "artifact", name: path, ...rule, subject: "file", entry }
    : { kind: "urn", name: target.urn, ...rule, subject: target.subject, entry };
}

function add(
  plan: Plan,
  seen: Set<string>,
  one: Target | Refused,
): Pick<PathReport, "outcome" | "rule" | "artifact"> {
  const rule = one.rule === undefined ? {} : { rule: one.rule };
  const isNew = (key: string) => !seen.has(key) && seen.add(key) !== undefined;
  if ("reason" in one) {
    if (isNew(`refused ${one.path}`)) plan.refused.push(one);
    return { ...rule, outcome: "refused", artifact: one.path };
  }
  // One URN may stand for several files; only where its stored digest counts are they the same.
  const about = one.subject === "stored" ? "" : one.entry.path;
  if (isNew(JSON.stringify([one.kind, one.name, about]))) plan.targets.push(one);
  return { ...rule, outcome: "checked", artifact: one.name };
}

function removed(
  plan: Plan,
  { path }: TreeEntry,
  { document }: GateRules,
  target: GateTarget,
): PathReport {
  const rule = target.rule === undefined ? {} : { rule: target.rule };
  const report = { path, change: "removed" as const, ...rule };
  if (target.kind === "ignored" || target.rule === undefined) {
    return { ...report, outcome: "removed" };
  }
  if (document.removed === "refused") {
    const message = `It was removed, and the rule ${quote(target.rule)} covers it`;
    plan.refused.push({ path, ...rule, reason: "covered-path-removed", message });
    return { ...report, outcome: "refused", artifact: path };
  }
  plan.warnings.push(`${quote(path)} was removed; the rule ${quote(target.rule)} covered it`);
  return { ...report, outcome: "removed" };
}

/** Content that a rule covered and that lies now where nothing is asked. */
function warnOfMoves(plan: Plan, changes: Changes["changes"], rules: GateRules): void {
  const covered = new Map<string, string>();
  for (const { change, entry } of changes) {
    const { kind, rule } = rules.targetOf(entry.path);
    if (change === "removed" && kind !== "ignored" && rule !== undefined) {
      covered.set(entry.id, entry.path);
    }
  }
  if (covered.size === 0) return;
  for (const { change, entry } of changes) {
    const from = covered.get(entry.id);
    if (change === "removed" || from === undefined) continue;
    if (rules.targetOf(entry.path).kind !== "ignored") continue;
    plan.warnings.push(
      `${quote(from)} was moved out of the rules, to ${quote(entry.path)}: nothing is asked there`,
    );
  }
}
