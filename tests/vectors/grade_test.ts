import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { anchored, type ReadFile, type VectorCase } from "./cases.ts";
import { countLine, formatText, gradeAll, recordReasons } from "./grade.ts";

const STATEMENT = {
  _type: "https://in-toto.io/Statement/v1",
  subject: [{ name: "a", digest: { sha256: "a".repeat(64) } }],
  predicateType: "https://example.com/p",
  predicate: {},
};
const FILES: Record<string, string> = {
  "good.json": JSON.stringify(STATEMENT),
  "bad.json": JSON.stringify({ ...STATEMENT, subject: [] }),
  "twice.json": '{"_type":1,"_type":2}',
};

const read: ReadFile = (path) => {
  if (FILES[path] === undefined) return Promise.reject(new Error(`no ${path}`));
  return Promise.resolve(new TextEncoder().encode(FILES[path]));
};

function vector(id: string, file: string, rest: Partial<VectorCase>): VectorCase {
  return {
    id,
    origin: "here",
    kind: "statement",
    files: { statement: file },
    expected: "fail",
    ...rest,
  };
}

describe("gradeAll()", () => {
  const grade = async (one: VectorCase, reasons: Record<string, string> = {}) => {
    const [graded] = await gradeAll({ cases: [one] }, reasons, read);
    return graded;
  };

  test("passes what is accepted and refused as expected", async () => {
    assert.equal((await grade(vector("a", "good.json", { expected: "pass" }))).outcome, "passed");
    assert.equal((await grade(vector("b", "bad.json", {}))).outcome, "passed");
  });

  test("fails what is refused or accepted against the expectation", async () => {
    assert.equal((await grade(vector("a", "bad.json", { expected: "pass" }))).outcome, "failed");
    assert.equal((await grade(vector("b", "good.json", {}))).outcome, "failed");
  });

  test("fails what is refused for another reason than the recorded one", async () => {
    const bad = vector("b", "bad.json", {});
    assert.equal((await grade(bad, { b: "missing-subject" })).outcome, "passed");
    assert.equal((await grade(bad, { b: "missing-predicate" })).outcome, "failed");
    assert.equal((await grade({ ...bad, expectedReason: "missing-subject" })).outcome, "passed");
    assert.equal((await grade({ ...bad, expectedReason: "usage" })).outcome, "failed");
  });

  test("reads statements strictly", async () => {
    assert.equal((await grade(vector("t", "twice.json", {}))).reason, "duplicate-json-key");
  });

  test("takes a case that cannot be run for a failure, not for a refusal", async () => {
    const graded = await grade(vector("b", "gone.json", {}));
    assert.equal(graded.outcome, "failed");
    assert.equal(graded.verdict, undefined);
  });

  test("runs contested cases without a grade and skips kinds that are not implemented", async () => {
    assert.equal((await grade(vector("c", "good.json", { contested: "x" }))).outcome, "contested");
    assert.equal(
      (await grade(vector("d", "good.json", { kind: "not-a-kind" }))).outcome,
      "skipped",
    );
    assert.equal((await grade(vector("e", "good.json", { kind: "toString" }))).outcome, "skipped");
  });

  test("selects by origin, kind and id", async () => {
    const cases = [vector("a", "bad.json", {}), vector("b", "bad.json", { origin: "there" })];
    assert.equal((await gradeAll({ cases }, {}, read, { origin: "there" }))[0].id, "b");
    assert.equal((await gradeAll({ cases }, {}, read, { id: "a" })).length, 1);
    assert.equal((await gradeAll({ cases }, {}, read, { kind: "dsse" })).length, 0);
  });

  test("records reasons, and ends its text with the count", async () => {
    const cases = [vector("a", "bad.json", {}), vector("b", "good.json", {})];
    const graded = await gradeAll({ cases }, {}, read);
    assert.deepEqual(recordReasons(graded), { a: "missing-subject" });
    assert.equal(countLine(graded), "1 passed, 1 failed, 0 skipped");
    assert.ok(formatText(graded).endsWith(countLine(graded)));
  });
});

test("anchored() keeps the meaning of a searching expression", () => {
  for (
    const [pattern, text, found] of [
      ["^https://a/", "https://a/b", true],
      ["^https://a/", "http://x/https://a/", false],
      ["b$", "ab", true],
      ["b$", "ba", false],
      ["b", "abc", true],
      ["^b|c$", "xc", true],
      ["^b|c$", "bx", true],
      ["^b|c$", "xbcx", false],
      ["\\$", "a$b", true],
      ["\\\\$", "a\\", true],
      ["[$]", "a$b", true],
      ["^b$", "b", true],
      ["(^a|b)c", "xbc", true],
    ] as const
  ) {
    assert.equal(
      new RegExp(`^(?:${anchored(pattern)})$`, "u").test(text),
      found,
      `${pattern} in ${text}`,
    );
    assert.equal(new RegExp(pattern).test(text), found);
  }
});
