import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { policyOf } from "./_fixtures_test.ts";
import { diffPolicies, type PolicyDifference } from "./diff.ts";
import type { PolicyDocument, PolicyRule } from "./document.ts";
import { explainPolicy } from "./explain.ts";
import { parsePolicy } from "./parse.ts";
import { reviewPolicy } from "./review.ts";
import { POLICY_TEMPLATES } from "./templates.ts";

const made = (rule: Partial<PolicyRule>, more: Partial<PolicyDocument> = {}): PolicyDocument =>
  policyOf(rule, more) as PolicyDocument;

type Effect = PolicyDifference["effect"];

/** Where two policies differ, and whether less or more is accepted by that. */
function effects(before: object, after: object): [where: string, change: string, effect: Effect][] {
  return diffPolicies(made({}, before), made({}, after))
    .map(({ where, change, effect }) => [where, change, effect]);
}

/** The same of two policies that differ in what their one requirement asks. */
function asked(before: object, after: object): [where: string, change: string, effect: Effect][] {
  const rules = (more: object) => ({ rules: [{ id: "r", require: [{ id: "s", ...more }] }] });
  return effects(rules(before), rules(after))
    .map(([where, ...rest]) => [where.replace("rules/r/require/s/", ""), ...rest]);
}

describe("diffPolicies()", () => {
  it("finds nothing between equals, whatever the order of members and lists is", () => {
    const one = made({});
    deepEqual(diffPolicies(one, made({})), []);
    deepEqual(diffPolicies(one, Object.fromEntries(Object.entries(one).reverse()) as never), []);
    const of = (...of: string[]) => ({ envelope: { signedBy: { of }, formats: of } });
    deepEqual(asked(of("a", "b"), of("b", "a")), []);
    const where = (...values: object[]) => ({ predicate: { where: values } });
    deepEqual(asked(where({ a: 1, b: 2 }, { c: 1 }), where({ c: 1 }, { b: 2, a: 1 })), []);
  });

  it("says what was, what is, and what became of it", () => {
    const differences = (before: object, after: object) =>
      diffPolicies(made({}, before), made({}, after));
    deepEqual(differences({}, { mode: "permissive" }), [{
      where: "mode",
      change: "added",
      to: '"permissive"',
      effect: "looser",
      message: '"mode" is new: "permissive"',
    }]);
    deepEqual(differences({ expires: "2030-01-01T00:00:00Z" }, {}), [{
      where: "expires",
      change: "removed",
      from: '"2030-01-01T00:00:00Z"',
      effect: "looser",
      message: '"expires" is gone: "2030-01-01T00:00:00Z"',
    }]);
    deepEqual(differences({ name: "a" }, { name: "\u001b[2J" }), [{
      where: "name",
      change: "changed",
      from: '"a"',
      to: '"\\u001b[2J"',
      message: '"name" was "a", is "\\u001b[2J"',
    }]);
    // A value of another form is another value.
    for (const [before, after] of [[{}, []], [[], {}], [1, "1"], [null, {}], [[], null]]) {
      deepEqual(differences({ name: before }, { name: after }), [{
        where: "name",
        change: "changed",
        from: JSON.stringify(before),
        to: JSON.stringify(after),
        message: `"name" was ${JSON.stringify(before)}, is ${JSON.stringify(after)}`,
      }]);
    }
  });

  it("tells entries apart by their ids, or by all that they say", () => {
    const entries = (...where: unknown[]) => ({ predicate: { where } });
    deepEqual(
      asked(
        entries("a", null, 7, { id: "x", n: 1 }, { id: 7 }, { n: 1 }),
        entries("b", null, 8, { id: "x", n: 2 }, { id: 8 }, { n: 2 }),
      ).map(([where, change]) => `${where.replace("predicate/where/", "")} ${change}`),
      [
        "a removed",
        "7 removed",
        "x/n changed",
        '{"id":7} removed',
        '{"n":1} removed',
        "b added",
        "8 added",
        '{"id":8} added',
        '{"n":2} added',
      ],
    );
  });

  it("tells what accepts more from what accepts less", () => {
    const [stricter, looser] = ["stricter", "looser"] as const;
    const day = "2026-01-01T00:00:00Z";
    const cases: [object, object, string, Effect][] = [
      // Words, with what holds where there is none.
      [{}, { mode: "permissive" }, "mode", looser],
      [{}, { mode: "enforce" }, "mode", undefined],
      [{ mode: "enforce" }, { mode: "permissive" }, "mode", looser],
      [{}, { mode: "unknown" }, "mode", undefined],
      [{ mode: "unknown" }, { mode: "enforce" }, "mode", undefined],
      [{}, { unselected: "pass" }, "unselected", looser],
      [{}, { platforms: "from-index" }, "platforms", looser],
      [{}, { selection: "all" }, "selection", undefined],
      // Times.
      [{}, { expires: day }, "expires", stricter],
      [{ expires: day }, { expires: "2025-12-31T23:59:59Z" }, "expires", stricter],
      [{ expires: day }, { expires: "2026-01-01T00:00:00.5Z" }, "expires", looser],
      [{ expires: day }, { expires: "2026-01-01T00:00:00.000Z" }, "expires", undefined],
      [{ expires: day }, { expires: "soon" }, "expires", undefined],
      // What is said of the policy, and who is trusted.
      [{}, { name: "x" }, "name", undefined],
      [{}, { description: "x" }, "description", undefined],
      [{}, { trust: {} }, "trust/keys", undefined],
      [
        { trust: { groups: { of: ["a"] } } },
        { trust: { groups: { of: ["a", "b"] } } },
        "trust/groups/of/b",
        undefined,
      ],
      [
        { trust: { identities: {} } },
        { trust: { identities: { envelope: { issuer: "i" } } } },
        "trust/identities/envelope",
        undefined,
      ],
      [{ trust: {} }, { trust: { thresholds: { log: 2 } } }, "trust/thresholds", undefined],
      ...[["log", 1], ["sct", 1], ["timestamp", 1], ["timestampAuthority", 0], [
        "integratedTime",
        0,
      ]].flatMap(([name, usual]): [object, object, string, Effect][] => {
        const of = (value?: number) => ({
          trust: { thresholds: value === undefined ? {} : { [name]: value } },
        });
        const place = `trust/thresholds/${name}`;
        return [
          [of(), of(Number(usual) + 1), place, stricter],
          [of(), of(Number(usual)), place, undefined],
          [of(3), of(2), place, looser],
        ];
      }),
      // Roots: without a list the public-good one.
      [
        { trust: { roots: ["public-good"] } },
        { trust: { roots: [] } },
        "trust/roots/public-good",
        stricter,
      ],
      [{ trust: { roots: [] } }, { trust: { roots: [{ a: 1 }] } }, 'trust/roots/{"a":1}', looser],
      [{ trust: {} }, { trust: { roots: [] } }, "trust/roots", stricter],
      [{ trust: {} }, { trust: { roots: ["public-good"] } }, "trust/roots", undefined],
      [{ trust: {} }, { trust: { roots: ["public-good", { a: 1 }] } }, "trust/roots", looser],
      [{ trust: {} }, { trust: { roots: [{ a: 1 }] } }, "trust/roots", undefined],
      // Waivers.
      [{}, { waivers: [] }, "waivers", undefined],
      [{}, { waivers: [{ rule: "r" }] }, "waivers", looser],
      [{ waivers: [] }, { waivers: [{ rule: "r" }] }, 'waivers/{"rule":"r"}', looser],
      [{}, { waiverSigners: { of: ["a"] } }, "waiverSigners", stricter],
      [
        { waiverSigners: { of: ["a"] } },
        { waiverSigners: { of: ["a"], threshold: 2 } },
        "waiverSigners/threshold",
        stricter,
      ],
      // A whole rule: what it does depends on what else selects its artifacts.
      [{ rules: [] }, { rules: [{ id: "x" }] }, "rules/x", undefined],
      [
        { rules: [{ id: "x", select: { name: ["a"] } }] },
        { rules: [{ id: "x", select: { name: ["a", "b"] } }] },
        "rules/x/select/name/b",
        undefined,
      ],
      [
        { rules: [{ id: "x", require: [] }] },
        { rules: [{ id: "x", require: [{ id: "mode" }] }] },
        "rules/x/require/mode",
        stricter,
      ],
      [
        { rules: [{ id: "x", require: [] }] },
        { rules: [{ id: "x", require: [{ id: "name" }] }] },
        "rules/x/require/name",
        stricter,
      ],
      [
        { rules: [{ id: "x" }] },
        { rules: [{ id: "x", across: [{ id: "a" }] }] },
        "rules/x/across",
        stricter,
      ],
      [
        { rules: [{ id: "x", across: [{ id: "a", signers: { of: ["s"], min: 1 } }] }] },
        { rules: [{ id: "x", across: [{ id: "a", signers: { of: ["s"], min: 2 } }] }] },
        "rules/x/across/a/signers/min",
        stricter,
      ],
    ];
    for (const [before, after, where, effect] of cases) {
      const turned = effect === undefined ? undefined : effect === stricter ? looser : stricter;
      const at = JSON.stringify([before, after]);
      const of = (found: [string, string, Effect][]) => found.filter(([place]) => place === where);
      deepEqual(of(effects(before, after)).map(([, , found]) => found), [effect], at);
      deepEqual(of(effects(after, before)).map(([, , found]) => found), [turned], `${at} back`);
    }
  });

  it("tells requirements that ask more from those that ask less", () => {
    const [stricter, looser] = ["stricter", "looser"] as const;
    const by = (threshold?: number, ...of: string[]) => ({
      envelope: { signedBy: { of, ...(threshold === undefined ? {} : { threshold }) } },
    });
    const predicate = (name: string, value: unknown) => ({ predicate: { [name]: value } });
    const scan = (more: object) => predicate("vulnerabilities", more);
    const fresh = (maxAge: string) => ({ freshness: { maxAge } });
    const exception = (until: string) => scan({ exceptions: [{ id: "CVE-1", until }] });
    const cases: [object, object, string, Effect][] = [
      [by(2, "a", "b"), by(1, "a", "b"), "envelope/signedBy/threshold", looser],
      [by(undefined, "a", "b"), by(1, "a", "b"), "envelope/signedBy/threshold", undefined],
      [by(undefined, "a", "b"), by(2, "a", "b"), "envelope/signedBy/threshold", stricter],
      [by(1, "a"), by(1, "a", "b"), "envelope/signedBy/of/b", looser],
      [by(1, "a"), by(1, "a", "description"), "envelope/signedBy/of/description", looser],
      [{}, by(1, "a"), "envelope", stricter],
      [{ envelope: {} }, by(1, "a"), "envelope/signedBy", stricter],
      [{ envelope: { algorithms: ["a"] } }, { envelope: {} }, "envelope/algorithms", looser],
      [{ envelope: { log: 1 } }, { envelope: {} }, "envelope/log", looser],
      [{ envelope: { log: 0 } }, { envelope: {} }, "envelope/log", undefined],
      [{ envelope: { timestamp: 1 } }, { envelope: {} }, "envelope/timestamp", looser],
      [
        { envelope: { minKeyBits: { RSA: 2048 } } },
        { envelope: { minKeyBits: { RSA: 3072 } } },
        "envelope/minKeyBits/RSA",
        stricter,
      ],
      [{}, { count: 2 }, "count", stricter],
      [{}, { count: 1 }, "count", undefined],
      [{}, { description: "x" }, "description", undefined],
      [{}, { conflict: "all" }, "conflict", undefined],
      [{}, fresh("P1D"), "freshness", stricter],
      [fresh("P1D"), fresh("P30D"), "freshness/maxAge", looser],
      [fresh("P7D"), fresh("P1W"), "freshness/maxAge", undefined],
      [
        scan({ maxDatabaseAge: "P1D" }),
        scan({ maxDatabaseAge: "P2D" }),
        "predicate/vulnerabilities/maxDatabaseAge",
        looser,
      ],
      [
        predicate("vsa", { maxAge: 60 }),
        predicate("vsa", { maxAge: 59 }),
        "predicate/vsa/maxAge",
        stricter,
      ],
      [
        predicate("vsa", { maxAge: 60 }),
        predicate("vsa", { maxAge: "PT1M" }),
        "predicate/vsa/maxAge",
        undefined,
      ],
      [
        scan({ maxSeverity: "low" }),
        scan({ maxSeverity: "high" }),
        "predicate/vulnerabilities/maxSeverity",
        looser,
      ],
      [
        scan({}),
        scan({ exceptions: [{ id: "CVE-1" }] }),
        "predicate/vulnerabilities/exceptions",
        looser,
      ],
      [scan({}), scan({ exceptions: [] }), "predicate/vulnerabilities/exceptions", undefined],
      [
        exception("2026-01-01T00:00:00Z"),
        exception("2027-01-01T00:00:00Z"),
        "predicate/vulnerabilities/exceptions/CVE-1/until",
        looser,
      ],
      [{ statement: {} }, { statement: { subjects: "exact" } }, "statement/subjects", stricter],
      [
        { statement: { subjects: "all" } },
        { statement: { subjects: "any" } },
        "statement/subjects",
        looser,
      ],
      [predicate("sbom", {}), predicate("sbom", { min: 1 }), "predicate/sbom/min", undefined],
      [predicate("sbom", {}), predicate("sbom", { min: 2 }), "predicate/sbom/min", stricter],
      [
        predicate("dependencies", {}),
        predicate("dependencies", { min: 1 }),
        "predicate/dependencies/min",
        stricter,
      ],
      [
        predicate("sbom", { forbidden: ["a"] }),
        predicate("sbom", { forbidden: ["a", "b"] }),
        "predicate/sbom/forbidden/b",
        stricter,
      ],
      [
        predicate("sbom", { formats: ["a"] }),
        predicate("sbom", { formats: ["b"] }),
        "predicate/sbom/formats/b",
        looser,
      ],
      [{ predicate: {} }, predicate("cel", "true"), "predicate/cel", stricter],
      [predicate("cel", "true"), predicate("cel", "false"), "predicate/cel", undefined],
      [
        predicate("where", [{ id: "a" }]),
        predicate("where", [{ id: "a" }, { id: "b" }]),
        "predicate/where/b",
        stricter,
      ],
      // A quantifier may turn an operator round.
      [
        predicate("where", [{ id: "a", oneOf: ["x"] }]),
        predicate("where", [{ id: "a", oneOf: ["x", "y"] }]),
        "predicate/where/a/oneOf/y",
        undefined,
      ],
      [
        predicate("where", [{ id: "a", number: { min: 1 } }]),
        predicate("where", [{ id: "a", number: { min: 2 } }]),
        "predicate/where/a/number/min",
        undefined,
      ],
      [
        predicate("where", [{ id: "a" }]),
        predicate("where", [{ id: "a", matches: ["x"] }]),
        "predicate/where/a/matches",
        undefined,
      ],
      // Parameters have the names that a builder gives them.
      ...["maxAge", "count", "mode", "until", "roots"].map((
        name,
      ): [object, object, string, Effect] => [
        predicate("provenance", { externalParameters: { [name]: "permissive" } }),
        predicate("provenance", { externalParameters: { [name]: "enforce" } }),
        `predicate/provenance/externalParameters/${name}`,
        undefined,
      ]),
    ];
    for (const [before, after, where, effect] of cases) {
      const turned = effect === undefined ? undefined : effect === stricter ? looser : stricter;
      const at = JSON.stringify([before, after]);
      const of = (found: [string, string, Effect][]) => found.filter(([place]) => place === where);
      deepEqual(of(asked(before, after)).map(([, , found]) => found), [effect], at);
      deepEqual(of(asked(after, before)).map(([, , found]) => found), [turned], `${at} back`);
    }
  });

  it("notices another order of rules, and of nothing else", () => {
    const rules = (...ids: string[]) => ids.map((id) => ({ id, require: [{ id: "s" }] }));
    const moved = (before: string[], after: string[]) =>
      diffPolicies(made({}, { rules: rules(...before) }), made({}, { rules: rules(...after) }));
    deepEqual(moved(["a", "b"], ["b", "a"]), [{
      where: "rules",
      change: "moved",
      from: "a, b",
      to: "b, a",
      message: "The rules have another order: with selection first another one may judge",
    }]);
    deepEqual(moved(["a", "b"], ["a", "x", "b"]).map(({ where }) => where), ["rules/x"]);
    deepEqual(moved(["a", "x", "b"], ["b", "a"]).map(({ where }) => where), ["rules/x", "rules"]);
    const waivers = (...owners: string[]) => ({ waivers: owners.map((owner) => ({ owner })) });
    deepEqual(effects(waivers("a", "b"), waivers("b", "a")), []);
    const parameters = (...rules: string[]) => ({
      predicate: { provenance: { externalParameters: { rules } } },
    });
    deepEqual(asked(parameters("a", "b"), parameters("b", "a")), []);
  });

  it("lists ten thousand differences at most", () => {
    const rules = (count: number, ...last: string[]) => ({
      rules: [
        ...Array.from({ length: count }, (_, i) => ({ id: `r${i}` })),
        ...last.map((id) => ({ id })),
      ],
    });
    const count = (before: object, after: object) => effects(before, after).length;
    equal(count(rules(10_001), rules(0)), 10_000);
    equal(count(rules(0), rules(10_001)), 10_000);
    const changes = (length: number) =>
      effects(rules(length, "a", "b"), rules(0, "b", "a")).map(([, change]) => change);
    equal(changes(9_999).length, 10_000);
    equal(changes(9_999).at(-1), "moved");
    equal(changes(10_000).length, 10_000);
    equal(changes(10_000).at(-1), "removed");
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
