import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { describe, it } from "node:test";
import { attestation, checkOf, checksOf, SHA, signer } from "./_fixtures_test.ts";
import type { StatementRule } from "./document.ts";
import type { EvidenceAttestation } from "./evidence.ts";

const alice = await signer("alice");

/** About these subjects; `matched` tells which of them is the artifact, and by what. */
function about(
  names: (string | undefined)[],
  matched: [index: number, ...algorithms: string[]][],
  more: Partial<EvidenceAttestation> = {},
): EvidenceAttestation {
  const one = attestation([alice], {}, {
    matched: matched.map(([index, ...algorithms]) => ({ index, algorithms })),
    ...more,
  });
  one.statement.subject = names.map((name) => ({
    ...(name === undefined ? {} : { name }),
    digest: { sha256: SHA },
  }));
  return one;
}

const check = (name: string, statement: StatementRule, one: EvidenceAttestation) =>
  checkOf(name, { statement }, one);

describe("statement.digest-algorithm", () => {
  const id = "statement.digest-algorithm";

  it("wants one of the algorithms, of any subject that matched", async () => {
    const digestAlgorithms = ["sha512", "gitCommit"];
    const facts = {
      id,
      layer: "statement",
      expected: '"sha512" or "gitCommit"',
      path: "/subject",
      origin: "signed",
    };
    const rows: [[number, ...string[]][], boolean, string][] = [
      [[[0, "sha512"]], true, "sha512"],
      [[[0, "sha256", "gitCommit"]], true, "sha256, gitCommit"],
      [[[0, "sha256"], [1, "sha256", "sha512"]], true, "sha256, sha512"],
      [[[0, "sha256"]], false, "sha256"],
      [[[0, "sha256"], [1, "sha256", "sha384"]], false, "sha256, sha384"],
      [[], false, ""],
    ];
    for (const [matched, holds, actual] of rows) {
      const found = await check(id, { digestAlgorithms }, about(["a", "b"], matched));
      deepEqual(
        found,
        holds
          ? {
            ...facts,
            outcome: "passed",
            message: "The subject matched by an accepted algorithm",
            actual,
          }
          : {
            ...facts,
            outcome: "failed",
            reason: "digest-algorithm-not-accepted",
            message: `Cannot accept subject: it matched by ${
              actual || "nothing"
            }, wanted "sha512" or "gitCommit"`,
            actual,
            remedy: "State the subject's digest in that algorithm",
          },
      );
    }
  });
});

describe("statement.subject-name", () => {
  const id = "statement.subject-name";

  it("wants the name of a subject that matched", async () => {
    const subjectNames = ["app-*", "tool"];
    const facts = {
      id,
      layer: "statement",
      expected: '"app-*" or "tool"',
      path: "/subject",
      origin: "signed",
    };
    const names = ["app-1", "evil", undefined, "tool"];
    const rows: [number[], boolean, string][] = [
      [[0], true, '"app-1"'],
      [[3], true, '"tool"'],
      [[1, 3], true, '"evil", "tool"'],
      [[1], false, '"evil"'],
      [[2], false, '""'],
      [[4], false, '""'],
      [[1, 2], false, '"evil", ""'],
      [[], false, ""],
    ];
    for (const [indexes, holds, actual] of rows) {
      const one = about(names, indexes.map((index) => [index, "sha256"]));
      deepEqual(
        await check(id, { subjectNames }, one),
        holds
          ? { ...facts, outcome: "passed", message: "The subject has an accepted name", actual }
          : {
            ...facts,
            outcome: "failed",
            reason: "subject-name-mismatch",
            message: `Cannot accept subject: its name is ${
              actual || "not stated"
            }, wanted "app-*" or "tool"`,
            actual,
            remedy: "Name the subject so, or accept its name in subjectNames",
          },
      );
    }
  });
});

describe("statement.subjects", () => {
  const id = "statement.subjects";
  const one: [number, string] = [0, "sha256"];
  const both: [number, string][] = [one, [1, "sha256"]];

  it("wants the artifact alone, or artifacts of the run alone", async () => {
    const rows: ["exact" | "all", EvidenceAttestation, boolean][] = [
      ["exact", about(["a"], [one]), true],
      ["exact", about(["a"], [one], { allSubjectsMatched: false }), true],
      ["exact", about(["a"], []), false],
      ["exact", about(["a", "b"], [one]), false],
      ["exact", about(["a", "b"], both), false],
      ["all", about(["a"], [one]), true],
      ["all", about(["a", "b"], [one]), true],
      ["all", about(["a", "b"], both), true],
      ["all", about(["a"], [one], { allSubjectsMatched: false }), false],
      ["all", about(["a"], []), false],
    ];
    for (const [subjects, subject, holds] of rows) {
      const count = String(subject.statement.subject.length);
      const expected = subjects === "exact"
        ? "the artifact as the only subject"
        : "no other subject";
      const facts = { id, layer: "statement", expected, path: "/subject", origin: "signed" };
      deepEqual(
        await check(id, { subjects }, subject),
        holds
          ? {
            ...facts,
            outcome: "passed",
            message: "The subjects are the artifacts",
            actual: count,
          }
          : {
            ...facts,
            outcome: "failed",
            reason: "subject-mismatch",
            message: `Cannot accept subjects: ${count} are stated, wanted ${expected}`,
            actual: count,
            remedy: "Attest each artifact by itself, or verify all of them together",
          },
      );
    }
  });

  it("asks nothing where any will do", async () => {
    for (const statement of [undefined, { subjects: "any" }] as const) {
      const requirement = statement === undefined ? {} : { statement };
      const checks = await checksOf(requirement, about(["a", "b"], []));
      deepEqual(checks.map((found) => found.id), ["envelope.signed-by"]);
    }
  });
});
