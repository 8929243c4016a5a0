import type { PolicyDocument } from "../policy/document.ts";
import type { PolicyCheck, PolicyVerdict } from "../policy/verdict.ts";

/**
 * The Build level that each artifact has by a policy: the highest that a requirement asks
 * for which it met. What is waived is not met.
 */
export function levelsByPolicy(
  { rules }: PolicyDocument,
  { artifacts }: PolicyVerdict,
): (number | undefined)[] {
  const wanted = new Map<string, number>();
  for (const rule of rules) {
    for (const { id, predicate } of rule.require) {
      const level = predicate?.provenance?.minLevel;
      if (level !== undefined) wanted.set(`${rule.id}/${id}`, level);
    }
  }
  return artifacts.map(({ rules }) => {
    const met = rules.flatMap(({ children = [] }) => children)
      .filter(({ outcome }) => outcome === "passed")
      .flatMap(({ id }) => wanted.get(id) ?? []);
    return met.length === 0 ? undefined : Math.max(...met);
  });
}

/** Attestations that met a requirement, with a waiver or without, by artifact. */
export function decisiveSources({ artifacts }: PolicyVerdict): Set<string>[] {
  return artifacts.map(({ rules }) => {
    const sources = new Set<string>();
    const visit = ({ outcome, source, children = [] }: PolicyCheck): void => {
      if (outcome === "failed" || outcome === "not-applicable") return;
      if (source !== undefined) sources.add(source);
      children.forEach(visit);
    };
    rules.forEach(visit);
    return sources;
  });
}
