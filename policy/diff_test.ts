import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { policyOf } from "./_fixtures_test.ts";
import { diffPolicies } from "./diff.ts";
import type { PolicyDocument, PolicyRule } from "./document.ts";
import { explainPolicy, explainVerdict } from "./explain.ts";
import { parsePolicy } from "./parse.ts";
import { reviewPolicy } from "./review.ts";
import { POLICY_TEMPLATES } from "./templates.ts";

const made = (rule: Partial<PolicyRule>, more: Partial<PolicyDocument> = {}): PolicyDocument =>
  policyOf(rule, more) as PolicyDocument;

function effects(before: PolicyDocument, after: PolicyDocument): (string | undefined)[][] {
  return diffPolicies(before, after).map(({ where, change, effect }) => [where, change, effect]);
}

describe("diffPolicies()", () => {
  it("finds nothing between equals, whatever the order of members is", () => {
    const one = made({});
    deepEqual(diffPolicies(one, made({})), []);
    deepEqual(diffPolicies(one, Object.fromEntries(Object.entries(one).reverse()) as never), []);
  });

  it("tells what accepts more from what accepts less", () => {
    const base = { id: "signed" };
    const rule = (more: object) => made({ require: [{ ...base, ...more }] });
    const by = (threshold: number, ...of: string[]) => ({
      envelope: { signedBy: { of, threshold } },
    });
    const at = "rules/release/require/signed";
    const cases: [PolicyDocument, PolicyDocument, string, string, string | undefined][] = [
      [made({}), made({}, { mode: "permissive" }), "mode", "added", "looser"],
      [made({}, { mode: "permissive" }), made({}), "mode", "removed", "stricter"],
      [made({}), made({}, { unselected: "pass" }), "unselected", "added", "looser"],
      [made({}), made({}, { expires: "2030-01-01T00:00:00Z" }), "expires", "added", "stricter"],
      [made({}), made({}, { description: "x" }), "description", "added", undefined],
      [made({}), made({}, { trust: {} }), "trust/keys", "removed", undefined],
      [
        rule(by(2, "alice", "bob")),
        rule(by(1, "alice", "bob")),
        `${at}/envelope/signedBy/threshold`,
        "changed",
        "looser",
      ],
      [
        rule(by(1, "alice")),
        rule(by(1, "alice", "bob")),
        `${at}/envelope/signedBy/of/bob`,
        "added",
        "looser",
      ],
      [rule({}), rule({ count: 2 }), `${at}/count`, "added", "stricter"],
      [rule({}), rule({ freshness: { maxAge: "P1D" } }), `${at}/freshness`, "added", "stricter"],
      [
        rule({ freshness: { maxAge: "P1D" } }),
        rule({ freshness: { maxAge: "P30D" } }),
        `${at}/freshness/maxAge`,
        "changed",
        "looser",
      ],
      [
        made({ require: [base, { id: "two" }] }),
        made({ require: [base] }),
        "rules/release/require/two",
        "removed",
        "looser",
      ],
    ];
    for (const [before, after, where, change, effect] of cases) {
      const found = effects(before, after);
      ok(
        found.some((one) => one[0] === where && one[1] === change && one[2] === effect),
        `${where}: ${JSON.stringify(found)}`,
      );
    }
  });

  it("says nothing of the effect inside of a condition, which a quantifier may turn round", () => {
    const where = (oneOf: string[]) =>
      made({
        require: [{
          id: "signed",
          predicate: { where: [{ id: "c", path: "/predicate/x", quantifier: "none", oneOf }] },
        }],
      });
    const [one] = diffPolicies(where(["a"]), where(["a", "b"]));
    equal(one.effect, undefined);
    equal(one.change, "added");
  });

  it("notices another order of rules", () => {
    const rules = [{ id: "a", select: { name: "a" } }, { id: "b", select: { name: "b" } }].map((
      one,
    ) => ({
      ...one,
      require: [{ id: "signed" }],
    }));
    const [one] = diffPolicies(made({}, { rules }), made({}, { rules: [...rules].reverse() }));
    equal(one.change, "moved");
  });
});

describe("explainPolicy() and reviewPolicy()", () => {
  it("have words for every template", () => {
    for (const [name, { document }] of Object.entries(POLICY_TEMPLATES)) {
      const policy = parsePolicy(document);
      const text = JSON.stringify(explainPolicy(policy));
      ok(text.includes("Rule "), name);
      ok(!/undefined|\[object/.test(text), name);
      equal(
        reviewPolicy(policy, new Date("2026-01-01T00:00:00Z")).some(({ path }) => path === "/mode"),
        name === "migration",
      );
    }
  });

  it("say of rules across and of waivers what they do", () => {
    const text = JSON.stringify(explainPolicy(made({
      require: [{ id: "a" }, { id: "b" }],
      across: [
        { id: "d", distinctSigners: ["a", "b"] },
        { id: "s", signers: { of: ["a"], min: 2 } },
        { id: "e", equal: [{ requirement: "a", path: "/x" }, { requirement: "b", path: "/y" }] },
        { id: "c", chain: { from: "a", dependency: "**", rule: "r" } },
      ],
    }, {
      waivers: [{
        rule: "release",
        artifact: { name: "x" },
        reason: "why",
        owner: "who",
        until: "2030-01-01T00:00:00Z",
      }],
    })));
    for (
      const part of [
        "different people",
        "2 or more distinct",
        "Equal: /x of",
        "passed the rule",
        "until 2030",
      ]
    ) {
      ok(text.includes(part), part);
    }
  });

  it("clean what a verdict quotes", () => {
    const { children } = explainVerdict({
      ok: false,
      errorReason: "condition-not-met",
      mode: "enforce",
      policyDigest: "a",
      time: "2026-01-01T00:00:00Z",
      artifacts: [{
        artifact: "\u001b[2Ja",
        digest: {},
        ok: false,
        errorReason: "condition-not-met",
        rules: [{ id: "r", outcome: "failed", message: "m\u202e", actual: "\u0007" }],
      }],
    });
    // deno-lint-ignore no-control-regex
    ok(!/[\u0007\u001b\u202e]/.test(children[0].text + children[0].children[0].text));
  });

  it("warn of what is allowed and may not be meant", () => {
    const now = new Date("2026-01-01T00:00:00Z");
    const paths = (policy: PolicyDocument) => reviewPolicy(policy, now).map(({ path }) => path);
    const signed = { id: "signed", envelope: { signedBy: { of: ["maintainers"] } } };
    const waiver = { rule: "release", artifact: { name: "**" }, reason: "r", owner: "o" };
    const found = paths(made({ select: { name: "**" }, require: [signed] }, {
      mode: "permissive",
      unselected: "pass",
      expires: "2026-01-15T00:00:00Z",
      waivers: [{ ...waiver, until: "2025-01-01T00:00:00Z" }, {
        ...waiver,
        until: "2036-01-01T00:00:00Z",
      }],
    }));
    for (
      const path of [
        "/mode",
        "/unselected",
        "/expires",
        "/rules/0/select/name",
        "/rules/0/require/0",
        "/trust/identities/release",
        "/waivers/0/artifact/name",
        "/waivers/0/until",
        "/waivers/1/until",
      ]
    ) ok(found.includes(path), `${path}: ${found}`);
    const roots = made({ require: [signed] }, {
      trust: {
        keys: { alice: { publicKey: "x" } },
        groups: { maintainers: ["alice"] },
        roots: ["public-good"],
      },
    });
    ok(paths(roots).includes("/trust/roots"));
  });
});
