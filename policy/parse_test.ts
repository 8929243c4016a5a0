import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError } from "../errors.ts";
import { isProportional } from "../tests/fixtures/growth.ts";
import { placedChangesOf } from "../tests/json_changes.ts";
import { policyOf, PROVENANCE } from "./_fixtures_test.ts";
import { BAD_POLICIES, FREE, FULL_POLICY, type Loose, NEEDED, top } from "./_policies_test.ts";
import { parsePolicy, validatePolicy } from "./parse.ts";

describe("validatePolicy()", () => {
  for (const [name, [policy, path, message]] of Object.entries(BAD_POLICIES)) {
    it(`refuses ${name}`, () => {
      const problems = validatePolicy(policy);
      deepEqual(problems.map((problem) => problem.path), [path], JSON.stringify(problems));
      equal(problems[0].reason, "malformed-policy");
      ok(message.test(problems[0].message), problems[0].message);
      ok(/^[A-Z]/.test(problems[0].message) && !problems[0].message.endsWith("."));
      throws(() => parsePolicy(policy as object), AttestationError);
    });
  }

  it("checks every member: what it is, and that it is there", () => {
    const needed: string[] = [];
    for (const { value, place, was, is } of placedChangesOf(FULL_POLICY)) {
      const good = validatePolicy(value).length === 0;
      if (is === undefined) {
        if (!good) needed.push(place);
        continue;
      }
      const free = FREE.some(([places, takes]) => places.test(place) && takes(is, was));
      equal(good, free, `${place}: ${JSON.stringify(is)} for ${JSON.stringify(was)}`);
    }
    deepEqual(needed, NEEDED);
  });

  it("lists all problems, in the order of the document", () => {
    const problems = validatePolicy({
      type: "attest-policy/v1",
      mode: "x",
      trust: { groups: { a: ["b"] } },
      rules: [{ id: "a", require: [{ id: "b", count: -1 }] }, { id: "a", require: [] }],
    });
    deepEqual(problems.map(({ path }) => path), [
      "/mode",
      "/trust/groups/a/0",
      "/rules/0/require/0/count",
      "/rules/1/id",
      "/rules/1/require",
      "/rules/1",
    ]);
  });

  it("finds circles of chains, and nothing where there is none", () => {
    const link = (id: string, to: string) => ({
      id,
      select: { name: id },
      require: [{ id: "p", statement: { predicateTypes: [PROVENANCE] } }],
      across: [{ id: "c", chain: { from: "p", dependency: "x", rule: to } }],
    });
    const end = { id: "z", select: { name: "z" }, require: [{ id: "p" }] };
    const rules = (...list: unknown[]) => validatePolicy(top({ rules: list }));
    deepEqual(rules(link("a", "b"), link("b", "z"), end), []);
    deepEqual(rules(link("a", "z"), link("b", "a"), link("c", "a"), end), []);
    const circle = rules(link("a", "b"), link("b", "c"), link("c", "a"), end);
    deepEqual(circle.map(({ path }) => path), ["/rules/2/across/0/chain/rule"]);
    ok(circle[0].message.includes("a > b > c > a"));
    // The same end by two ways is no circle.
    const split = (id: string, ...to: string[]) => ({
      ...link(id, to[0]),
      across: to.map((rule, i) => ({
        id: `c${i}`,
        chain: { from: "p", dependency: "x", rule },
      })),
    });
    const diamond = [split("a", "b", "c"), link("b", "d"), link("c", "d"), link("d", "z"), end];
    deepEqual(rules(...diamond), []);
    const second = rules(split("a", "z", "b"), link("b", "a"), end);
    deepEqual(second.map(({ path }) => path), ["/rules/1/across/0/chain/rule"]);
    // And a circle to which several ways lead is one.
    const own = rules(link("a", "b"), link("b", "b"), link("c", "b"));
    deepEqual(own.map(({ path }) => path), ["/rules/1/across/0/chain/rule"]);
    const many = Array.from({ length: 9999 }, (_, i) => link(`r${i}`, `r${i + 1}`));
    deepEqual(rules(...many, link("r9999", "r0")).length, 1);
  });

  it("finds rules that are never reached", () => {
    const a = { id: "a", select: { name: "*.tgz" }, require: [{ id: "s" }] };
    const all = { id: "all", require: [{ id: "s" }] };
    const rules = (list: unknown[], more: Loose = {}) =>
      validatePolicy(top({ rules: list, ...more })).map(({ path }) => path);
    deepEqual(rules([a, all]), []);
    deepEqual(rules([all, a]), ["/rules/1/select"]);
    deepEqual(rules([all, a], { selection: "all" }), []);
    deepEqual(rules([a, { ...a, id: "b" }]), ["/rules/1/select"]);
    deepEqual(rules([{ ...all, select: { name: "**" } }, a]), ["/rules/1/select"]);
    deepEqual(rules([a, { ...a, id: "b", select: { name: "*.zip" } }]), []);
    const by = (select: unknown) => rules([{ ...all, select }, a]);
    deepEqual(by({ name: ["*.zip", "**"] }), ["/rules/1/select"]);
    deepEqual(by({ name: "**", npm: "*" }), []);
    deepEqual(by({ npm: "**" }), []);
    deepEqual(by({ name: ["*.zip"] }), []);
    deepEqual(
      rules([{ ...a, select: { npm: "a", name: "b" } }, {
        ...a,
        id: "b",
        select: { name: "b", npm: "a" },
      }]),
      ["/rules/1/select"],
    );
    deepEqual(rules([all, { id: "rest", require: [{ id: "s" }] }, a]), [
      "/rules/1",
      "/rules/2/select",
    ]);
    const [{ message }] = validatePolicy(top({ rules: [a, all, { ...a, id: "b" }] }));
    equal(
      message,
      'Cannot read policy: the rule is never reached: "all" before it selects everything that ' +
        'it does; put it first, or set selection to "all"',
    );
    const [twice] = validatePolicy(top({ rules: [a, { ...a, id: "b" }] }));
    ok(twice.message.includes('never reached: "a" before it'), twice.message);
    // What is wrong with the rule itself is told, and which one it is.
    const nameless = validatePolicy(top({ rules: [{ ...all, id: 7 }, a] }));
    deepEqual(nameless.map(({ path }) => path), ["/rules/0/id", "/rules/1/select"]);
    ok(nameless[1].message.includes('"0" before it'), nameless[1].message);
    const odd = [7, [], null].map((select, i) => ({ ...a, id: `${i}`, select }));
    deepEqual(rules([7, ...odd]), [
      "/rules/0",
      "/rules/1/select",
      "/rules/2/select",
      "/rules/3/select",
    ]);
  });

  it("takes 10 000 rules in time that grows with them, and no more", async () => {
    const rules = (count: number) =>
      top({
        rules: Array.from({ length: count }, (_, i) => ({
          id: `r${i}`,
          select: { name: `app-${i}` },
          require: [{ id: "signed", envelope: { signedBy: { of: ["maintainers"] } } }],
        })),
      });
    const work = (count: number) => {
      const policy = rules(count);
      return () => deepEqual(validatePolicy(policy), []);
    };
    ok(await isProportional(work, 10_000));
    deepEqual(validatePolicy(rules(10_001)).map(({ path }) => path), ["/rules"]);
  });

  it("is bounded in what it lists, also of nothing but mistakes", () => {
    const rules = Array.from({ length: 10_000 }, (_, i) => ({
      id: `r${i}`,
      select: { nane: "x" },
      require: [{ id: "s", envelope: { signedBy: { of: [`nobody-${i}`] } } }],
    }));
    equal(validatePolicy(top({ rules })).length, 1000);
  });

  it("says why what is no JSON is none", () => {
    equal(validatePolicy(undefined)[0].reason, "malformed-json");
    equal(validatePolicy({ a: () => 1 })[0].reason, "malformed-json");
    let deep: unknown = 1;
    for (let i = 0; i < 100; i++) deep = [deep];
    equal(validatePolicy(deep)[0].reason, "limit-exceeded");
  });
});

describe("parsePolicy()", () => {
  it("reads text, bytes and objects alike, and takes a copy", () => {
    const policy = policyOf({}) as { rules: { id: string }[] };
    const text = JSON.stringify(policy);
    deepEqual(parsePolicy(text), policy);
    deepEqual(parsePolicy(new TextEncoder().encode(text)), policy);
    const read = parsePolicy(policy);
    deepEqual(read, policy);
    policy.rules[0].id = "changed";
    equal(read.rules[0].id, "release");
  });

  it("throws the first problem, and says how many more there are", () => {
    try {
      parsePolicy({ type: "attest-policy/v1", mode: "x", rules: [] });
      ok(false);
    } catch (error) {
      ok(error instanceof AttestationError);
      equal(error.reason, "malformed-policy");
      equal(error.path, "/mode");
      ok(error.message.endsWith("at /mode (and 1 more)"), error.message);
    }
  });

  it("reads strict JSON", () => {
    const reasonOf = (text: string): string => {
      try {
        parsePolicy(text);
      } catch (error) {
        if (error instanceof AttestationError) return error.reason;
      }
      return "none";
    };
    equal(reasonOf('{"type":"attest-policy/v1","type":"x"}'), "duplicate-json-key");
    equal(reasonOf("{"), "malformed-json");
    equal(reasonOf(""), "empty-input");
  });

  it("accepts what it is for", () => {
    deepEqual(validatePolicy(FULL_POLICY), []);
    deepEqual(parsePolicy(FULL_POLICY), FULL_POLICY);
  });

  it("needs somebody who can sign", () => {
    const rules = [{ id: "a", require: [{ id: "b" }] }];
    const problems = validatePolicy({ type: "attest-policy/v1", rules });
    deepEqual(problems.map(({ path }) => path), ["/rules/0/require/0"]);
    const provenance = { sourceUri: "github.com/acme/app" };
    const known = [{ id: "a", require: [{ id: "b", predicate: { provenance } }] }];
    deepEqual(validatePolicy({ type: "attest-policy/v1", rules: known }), []);
  });
});
