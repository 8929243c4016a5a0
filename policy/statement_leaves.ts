import { quote } from "../internal/json.ts";
import { type AddLeaf, anyOf, failed, passed } from "./finding.ts";
import { compilePatterns } from "./pattern.ts";
import type { Requirement } from "./document.ts";

/** What is asked of the Statement: by which digest, under which name, beside what. */
export function statementLeaves(rule: NonNullable<Requirement["statement"]>, add: AddLeaf): void {
  const { digestAlgorithms, subjectNames, subjects } = rule;
  if (digestAlgorithms !== undefined) {
    const facts = {
      expected: anyOf(digestAlgorithms),
      path: "/subject",
      origin: "signed",
      remedy: "State the subject's digest in that algorithm",
    } as const;
    add("statement.digest-algorithm", (leaf, { matched }) => {
      const found = [...new Set(matched.flatMap(({ algorithms }) => algorithms))];
      return found.some((algorithm) => digestAlgorithms.includes(algorithm))
        ? passed(leaf, "The subject matched by an accepted algorithm", facts, found.join(", "))
        : failed(
          leaf,
          "digest-algorithm-not-accepted",
          `Cannot accept subject: it matched by ${
            found.join(", ") || "nothing"
          }, wanted ${facts.expected}`,
          facts,
          found.join(", "),
        );
    });
  }
  if (subjectNames !== undefined) {
    const isAccepted = compilePatterns(subjectNames);
    const facts = {
      expected: anyOf(subjectNames),
      path: "/subject",
      origin: "signed",
      remedy: "Name the subject so, or accept its name in subjectNames",
    } as const;
    add("statement.subject-name", (leaf, { matched, statement }) => {
      const names = matched.map(({ index }) => statement.subject[index]?.name ?? "");
      const shown = names.map(quote).join(", ");
      return names.some(isAccepted)
        ? passed(leaf, "The subject has an accepted name", facts, shown)
        : failed(
          leaf,
          "subject-name-mismatch",
          `Cannot accept subject: its name is ${shown || "not stated"}, wanted ${facts.expected}`,
          facts,
          shown,
        );
    });
  }
  if (subjects === "exact" || subjects === "all") {
    const facts = {
      expected: subjects === "exact" ? "the artifact as the only subject" : "no other subject",
      path: "/subject",
      origin: "signed",
      remedy: "Attest each artifact by itself, or verify all of them together",
    } as const;
    add("statement.subjects", (leaf, { statement, matched, allSubjectsMatched }) => {
      const count = statement.subject.length;
      const holds = subjects === "exact"
        ? count === 1 && matched.length === 1
        : allSubjectsMatched && matched.length > 0;
      return holds ? passed(leaf, "The subjects are the artifacts", facts, String(count)) : failed(
        leaf,
        "subject-mismatch",
        `Cannot accept subjects: ${count} are stated, wanted ${facts.expected}`,
        facts,
        String(count),
      );
    });
  }
}
