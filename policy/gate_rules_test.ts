import assert from "node:assert/strict";
import { test } from "node:test";
import { AttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import {
  compileGateRules,
  defineGateRules,
  type GateRule,
  parseGateRules,
  validateGateRules,
} from "./gate_rules.ts";

const TYPE = "attest-gate-rules/v1";

function urnOf(paths: string, urn: string, path: string): string | undefined {
  const target = compileGateRules(defineGateRules({ rules: [{ id: "r", paths, urn }] }))
    .targetOf(path);
  if (target.kind === "refused") return `refused: ${target.message}`;
  return target.kind === "urn" ? target.urn : undefined;
}

test("compileGateRules() fills captures in, percent-encoded", () => {
  assert.equal(urnOf("cards/*.json", "urn:acme:agent:{1}", "cards/a.json"), "urn:acme:agent:a");
  assert.equal(
    urnOf("cards/*.json", "urn:acme:agent:{1}", "cards/a b:c.json"),
    "urn:acme:agent:a%20b%3Ac",
  );
  assert.equal(
    urnOf("cards/*.json", "urn:acme:agent:{1}", "cards/é%.json"),
    "urn:acme:agent:%C3%A9%25",
  );
  assert.equal(urnOf("a/**/c/*.x", "urn:acme:{2}:{1}", "a/b1/b2/c/d.x"), "urn:acme:d:b1/b2");
  assert.equal(urnOf("**/card.json", "urn:acme:c:{1}", "x/y/card.json"), "urn:acme:c:x/y");
});

test("compileGateRules() never gives the URN of another path by moving text between captures", () => {
  const urn = "urn:acme:{1}:{2}";
  const urns = ["a/b:c.json", "a:b/c.json"].map((path) => urnOf("*/*.json", urn, path));
  assert.deepEqual(urns, ["urn:acme:a:b%3Ac", "urn:acme:a%3Ab:c"]);
});

test("compileGateRules() refuses an empty capture where it matches, and goes to no other rule", () => {
  const rules = compileGateRules(defineGateRules({
    unmatched: "ignored",
    rules: [
      { id: "first", paths: "**/card.json", urn: "urn:acme:c:{1}" },
      { id: "second", paths: "card.json", ignored: true },
    ],
  }));
  const target = rules.targetOf("card.json");
  assert.equal(target.kind, "refused");
  assert.equal(target.rule, "first");
});

test("compileGateRules() matches whole paths only, case by case, by the first rule", () => {
  const rules = compileGateRules(defineGateRules({
    rules: [
      { id: "not", paths: ["dist/*.md", "dist/sub/**"], ignored: true },
      { id: "dist", paths: "dist/**", artifact: true },
    ],
  }));
  const ruleOf = (path: string) => rules.targetOf(path).rule;
  assert.equal(ruleOf("dist/a.md"), "not");
  assert.equal(ruleOf("dist/sub/a/b"), "not");
  assert.equal(ruleOf("dist/sub"), "dist");
  assert.equal(ruleOf("dist/a/b.md"), "dist");
  for (const path of ["dist", "Dist/a", "x/dist/a", "distx/a", "dist\\a"]) {
    assert.equal(ruleOf(path), undefined, path);
    assert.equal(rules.targetOf(path).kind, "artifact", path);
  }
});

test("compileGateRules() tells long paths that nearly match", () => {
  const rules = compileGateRules(defineGateRules({
    rules: [{ id: "r", paths: "a/**/*b/*c/*d/*e", artifact: true }],
  }));
  const path = `a/${"xb/xc/xd/".repeat(20_000)}f`;
  for (let i = 0; i < 20; i++) assert.equal(rules.targetOf(path).rule, undefined);
});

test("defineGateRules() takes each member, and a digest tells documents apart", () => {
  const rule: GateRule = {
    id: "r",
    description: "d",
    paths: ["a/*"],
    urn: "urn:aa:{1}",
    subject: "stored",
  };
  const document = defineGateRules({
    $schema: "https://example.com/gate-rules.schema.json",
    unmatched: "ignored",
    removed: "refused",
    rules: [rule],
  });
  assert.equal(document.type, TYPE);
  const target = compileGateRules(document).targetOf("a/b");
  assert.deepEqual(target, { kind: "urn", rule: "r", urn: "urn:aa:b", subject: "stored" });
  const other = defineGateRules({ rules: [rule] });
  assert.notEqual(compileGateRules(document).digest, compileGateRules(other).digest);
  assert.throws(() => defineGateRules({ rules: [rule], unmached: "ignored" } as never), TypeError);
});

test("parseGateRules() refuses what is not of its form", () => {
  const artifact = true;
  const cases: [string, unknown, string][] = [
    ["no object", [], ""],
    ["another type", { type: "x", rules: [{ id: "a", paths: "a", artifact }] }, "/type"],
    ["no rules", { type: TYPE }, "/rules"],
    ["an empty list", { type: TYPE, rules: [] }, "/rules"],
    ["a misspelt member", {
      type: TYPE,
      unmached: "ignored",
      rules: [{ id: "a", paths: "a", artifact }],
    }, "/unmached"],
    ["another default", {
      type: TYPE,
      unmatched: "pass",
      rules: [{ id: "a", paths: "a", artifact }],
    }, "/unmatched"],
    [
      "another removal",
      { type: TYPE, removed: "ok", rules: [{ id: "a", paths: "a", artifact }] },
      "/removed",
    ],
  ];
  const rule = (name: string, value: object, path: string) =>
    cases.push([name, { type: TYPE, rules: [value] }, `/rules/0${path}`]);
  rule("no kind", { id: "a", paths: "a" }, "");
  rule("two kinds", { id: "a", paths: "a", artifact, ignored: true }, "");
  rule("a kind that is false", { id: "a", paths: "a", artifact: false }, "/artifact");
  cases.push(["a schema that is no text", {
    $schema: 7,
    type: TYPE,
    rules: [{ id: "a", paths: "a", artifact }],
  }, "/$schema"]);
  rule("no id", { paths: "a", artifact }, "/id");
  rule("no paths", { id: "a", artifact }, "/paths");
  rule("a description that is no text", {
    id: "a",
    description: 7,
    paths: "a",
    artifact,
  }, "/description");
  rule("an id with a slash", { id: "a/b", paths: "a", artifact }, "/id");
  rule("subject without urn", { id: "a", paths: "a", artifact, subject: "card" }, "/subject");
  rule("another subject", { id: "a", paths: "a", urn: "urn:aa:b", subject: "x" }, "/subject");
  for (
    const paths of [
      "/a",
      "a//b",
      "a/",
      "./a",
      "a/../b",
      "a/*x*",
      "a**",
      "a/***",
      "**/a/**",
      "a?",
      "a/[b]",
      "{a,b}",
      "a\\b",
      "a\nb",
    ]
  ) rule(`paths ${JSON.stringify(paths)}`, { id: "a", paths, artifact }, "/paths");
  for (
    const urn of [
      "acme:{1}",
      "urn:a:{1}",
      "urn:ac me:{1}",
      "URN:acme:{1}",
      "urn:acme:",
      "urn:acme:{0}",
      "urn:acme:{2}",
      "urn:acme:{1}{1}",
      "urn:acme:{1}?=x",
      "urn:acme:é{1}",
    ]
  ) rule(`urn ${urn}`, { id: "a", paths: "a/*", urn }, "/urn");
  rule("captures side by side", { id: "a", paths: "a/*/*", urn: "urn:acme:{1}-{2}" }, "/urn");
  rule("the same path twice", { id: "a", paths: ["a", "a"], artifact }, "/paths/1");
  for (const [name, value, path] of cases) {
    assert.throws(
      () => parseGateRules(JSON.stringify(value)),
      (error) => {
        assert.ok(error instanceof AttestationError, name);
        assert.equal(error.reason, "malformed-gate-rules", name);
        assert.equal(error.path ?? "", path, name);
        return true;
      },
      name,
    );
  }
  const twice = {
    type: TYPE,
    rules: [{ id: "a", paths: "a", artifact }, { id: "a", paths: "b", artifact }],
  };
  assert.deepEqual(validateGateRules(twice).map(({ path }) => path), ["/rules/1/id"]);
  const kinds = (...names: string[]) => {
    const kind = Object.fromEntries(names.map((name) => [name, true]));
    return validateGateRules({ type: TYPE, rules: [{ id: "a", paths: "a", ...kind }] })
      .map(({ message }) => message);
  };
  const one = "Cannot read gate rules: a rule has one of artifact, urn and ignored, found";
  assert.deepEqual(kinds("ignored"), []);
  assert.deepEqual(kinds(), [`${one} none`]);
  assert.deepEqual(kinds("artifact", "ignored"), [`${one} artifact and ignored`]);
});

test("parseGateRules() reads text, bytes and JSON alike", () => {
  const document = defineGateRules({ rules: [{ id: "a", paths: "a", artifact: true }] });
  const text = JSON.stringify(document);
  for (const source of [text, utf8(text), document]) {
    assert.deepEqual(parseGateRules(source), document);
  }
});
