import assert, { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, test } from "node:test";
import { AttestationError } from "../../errors.ts";
import type { JsonObject } from "../../internal/json.ts";
import { artifacts, layout, link, linkName, NOW, person, signed, step } from "./_fixtures_test.ts";
import { type InspectionRun, type LayoutResult, type LayoutTrust, verifyLayout } from "./mod.ts";

/** A chain of two steps: alice writes `a.c`, bob makes `app` of it. */
interface Chain {
  layout: JsonObject;
  owners?: string[];
  links: Record<string, string>;
  form?: "metablock" | "dsse";
}

const WRITE_RULES = { expected_products: [["CREATE", "a.c"], ["DISALLOW", "*"]] };
const BUILD_RULES = {
  expected_materials: [["MATCH", "a.c", "WITH", "PRODUCTS", "FROM", "write"], ["DISALLOW", "*"]],
  expected_products: [["CREATE", "app"], ["ALLOW", "a.c"], ["DISALLOW", "*"]],
};

async function chain(form: "metablock" | "dsse" = "metablock"): Promise<Chain> {
  return {
    form,
    layout: await layout(["alice", "bob"], [
      await step("write", ["alice"], WRITE_RULES),
      await step("build", ["bob"], BUILD_RULES),
    ]),
    links: {
      [await linkName("write", "alice")]: await signed(
        link("write", {}, { "a.c": "code" }),
        ["alice"],
        form,
      ),
      [await linkName("build", "bob")]: await signed(
        link("build", { "a.c": "code" }, { "a.c": "code", "app": "program" }),
        ["bob"],
        form,
      ),
    },
  };
}

async function run(one: Chain, more: Partial<LayoutTrust> = {}): Promise<LayoutResult> {
  const { owners = ["owner"], form } = one;
  const source = await signed(one.layout, owners, form);
  return await verifyLayout(source, {
    keys: [(await person("owner")).trustedKey],
    links: one.links,
    now: NOW,
    ...more,
  });
}

function word(result: LayoutResult): string {
  return result.ok ? "ok" : result.errorReason;
}

async function verdict(one: Chain, more?: Partial<LayoutTrust>): Promise<string> {
  return word(await run(one, more));
}

/** The chain of two steps with another member in one of them. */
async function withStep(index: number, more: JsonObject): Promise<Chain> {
  const one = await chain();
  const steps = one.layout.steps as JsonObject[];
  steps[index] = { ...steps[index], ...more };
  return one;
}

describe("verifyLayout()", () => {
  test("accepts a chain as metablocks and as envelopes, and gives it as one Statement", async () => {
    for (const form of ["metablock", "dsse"] as const) {
      const result = await run(await chain(form));
      assert.ok(result.ok, JSON.stringify(result.checks));
      deepEqual(result.owners, ["owner"]);
      deepEqual(result.steps.map(({ name, functionaries }) => [name, functionaries.length]), [
        ["write", 1],
        ["build", 1],
      ]);
      equal(result.steps[1].functionaries[0].link, await linkName("build", "bob"));
      deepEqual(Object.keys(result.summary.products), ["a.c", "app"]);
      deepEqual(result.summary.materials, {});
      assert.ok("statement" in result.statement);
      const { statement, implicit } = result.statement;
      deepEqual(statement.subject.map(({ name }) => name), ["a.c", "app"]);
      deepEqual(statement.subject[1].digest, artifacts({ app: "program" }).app);
      deepEqual(implicit, ["predicateType"]);
      deepEqual(result.warnings, []);
      assert.ok(result.checks.every(({ outcome }) => outcome === "passed"));
    }
  });

  test("takes links as an object, a Map and a function, and asks for own members only", async () => {
    const one = await chain();
    equal(await verdict(one, { links: new Map(Object.entries(one.links)) }), "ok");
    const asked: string[] = [];
    const links = (name: string) => {
      asked.push(name);
      return Promise.resolve(one.links[name]);
    };
    equal(await verdict(one, { links }), "ok");
    deepEqual(asked, Object.keys(one.links));
    equal(await verdict({ ...one, links: Object.create(one.links) }), "threshold-not-met");
  });

  test("wants owners, as many as the threshold says, each key once", async () => {
    const one = await chain();
    const keys = [(await person("owner")).trustedKey, (await person("second")).trustedKey];
    equal(await verdict({ ...one, owners: ["stranger"] }), "invalid-signature");
    equal(await verdict({ ...one, owners: ["alice"] }), "invalid-signature");
    equal(await verdict(one, { keys, threshold: 2 }), "threshold-not-met");
    equal(
      await verdict({ ...one, owners: ["owner", "owner"] }, { keys, threshold: 2 }),
      "threshold-not-met",
    );
    equal(await verdict({ ...one, owners: ["owner", "second"] }, { keys, threshold: 2 }), "ok");
    const twice = [keys[0], { ...keys[0], name: "again" }];
    equal(await verdict(one, { keys: twice, threshold: 2 }), "threshold-not-met");
  });

  test("refuses a layout that has expired, to the second", async () => {
    const one = await chain();
    one.layout.expires = "2026-01-01T00:00:00Z";
    equal(await verdict(one), "ok");
    equal(await verdict(one, { now: new Date(NOW.getTime() + 1000) }), "attestation-expired");
  });

  test("refuses a chain of which a link is missing, changed, by a stranger, or of another step", async () => {
    const one = await chain();
    const name = await linkName("build", "bob");
    const build = link("build", { "a.c": "code" }, { "a.c": "code", "app": "program" });
    const other = link("other", { "a.c": "code" }, { "a.c": "code", "app": "program" });
    for (
      const [source, reason] of [
        [undefined, "threshold-not-met"],
        [one.links[name].replace('"make"', '"fake"'), "invalid-signature"],
        [await signed(build, ["stranger"]), "invalid-signature"],
        [await signed(build, ["alice"]), "invalid-signature"],
        [await signed(other, ["bob"]), "link-mismatch"],
        ["{", "malformed-json"],
        [
          await signed({ ...build, products: { app: { sha256: "XYZ" } } }, ["bob"]),
          "malformed-statement",
        ],
        [await signed({ ...build, _type: "statement" }, ["bob"]), "malformed-statement"],
      ] as const
    ) {
      const links: Record<string, string> = { ...one.links };
      if (source === undefined) delete links[name];
      else links[name] = source;
      const result = await run({ ...one, links });
      equal(word(result), reason);
      // Rules look at all steps, and would say what is not so without one of them.
      deepEqual(
        result.checks.filter(({ id }) => /^statement\.(materials|products)$/.test(id)),
        [],
      );
    }
  });

  test("refuses a link by a key that may carry out another step only", async () => {
    const one = await chain();
    const build = link("build", { "a.c": "code" }, { "a.c": "code", "app": "program" });
    const links = {
      ...one.links,
      [await linkName("build", "alice")]: await signed(build, ["alice"]),
    };
    delete (links as Record<string, string>)[await linkName("build", "bob")];
    equal(await verdict({ ...one, links }), "threshold-not-met");
  });

  test("counts distinct keys, not links, ids or signatures", async () => {
    const bob = await person("bob");
    const again = "abcdef12".padEnd(64, "0");
    const build = link("build", { "a.c": "code" }, { "a.c": "code", "app": "program" });
    const one = await withStep(1, { threshold: 2, pubkeys: [bob.keyid, again] });
    (one.layout.keys as JsonObject)[again] = { ...bob.key, keyid: again };
    one.links["build.abcdef12.link"] = await signed(build, ["bob", "bob"]);
    equal(await verdict(one), "threshold-not-met");
    const carol = await person("carol");
    const two = await withStep(1, { threshold: 2, pubkeys: [bob.keyid, carol.keyid] });
    (two.layout.keys as JsonObject)[carol.keyid] = carol.key;
    equal(await verdict(two), "threshold-not-met");
    two.links[await linkName("build", "carol")] = await signed(build, ["carol"]);
    equal(await verdict(two), "ok");
    two.links[await linkName("build", "carol")] = await signed(build, ["bob"]);
    equal(await verdict(two), "threshold-not-met");
  });

  test("refuses links that disagree, also where one would be enough", async () => {
    const carol = await person("carol");
    const one = await withStep(1, { pubkeys: [(await person("bob")).keyid, carol.keyid] });
    (one.layout.keys as JsonObject)[carol.keyid] = carol.key;
    for (
      const [other, reason] of [
        [link("build", { "a.c": "code" }, { "a.c": "code", "app": "program" }), "ok"],
        [link("build", { "a.c": "code" }, { "a.c": "code", "app": "evil" }), "links-disagree"],
        [link("build", { "a.c": "evil" }, { "a.c": "code", "app": "program" }), "links-disagree"],
        [link("build", {}, { "a.c": "code", "app": "program" }), "links-disagree"],
      ] as const
    ) {
      one.links[await linkName("build", "carol")] = await signed(other, ["carol"]);
      equal(await verdict(one), reason);
    }
  });

  test("refuses two keys of a step whose ids begin alike", async () => {
    const bob = await person("bob");
    const alike = bob.keyid.slice(0, 8).padEnd(64, "0");
    const one = await withStep(1, { pubkeys: [bob.keyid, alike] });
    equal(await verdict(one), "link-collision");
  });

  test("refuses files that rules do not allow, and tells the rule", async () => {
    const one = await chain();
    one.links[await linkName("build", "bob")] = await signed(
      link("build", { "a.c": "evil" }, { "a.c": "evil", "app": "program" }),
      ["bob"],
    );
    const result = await run(one);
    assert.ok(!result.ok);
    equal(result.errorReason, "artifact-rule-violated");
    equal(result.error.path, "/steps/1/expected_materials/1");
    assert.match(result.error.message, /"a\.c" of "build"'s materials is not allowed/);
    // What else there is to say is said as well.
    equal(result.checks.at(-1)?.id, "statement.products");
  });

  test("warns of another command than the expected one, and refuses nothing for it", async () => {
    const one = await withStep(1, { expected_command: ["cc", "a.c"] });
    const result = await run(one);
    assert.ok(result.ok);
    equal(result.warnings.length, 1);
    assert.match(result.warnings[0], /by the command "make", expected "cc a\.c"/);
    equal((await run(await withStep(1, { expected_command: ["make"] }))).warnings.length, 0);
  });

  test("says why a store could not be asked", async () => {
    const one = await chain();
    const links = () => Promise.reject(new AttestationError("store-unavailable", "Cannot read"));
    equal(await verdict(one, { links }), "store-unavailable");
  });

  test("refuses a step of which a link could not be asked for, whatever the others are", async () => {
    const people = ["bob", "carol", "dave"] as const;
    const keys = await Promise.all(people.map(person));
    const one = await withStep(1, { pubkeys: keys.map(({ keyid }) => keyid) });
    for (const { keyid, key } of keys) (one.layout.keys as JsonObject)[keyid] = key;
    const [first, second, third] = await Promise.all(
      people.map((name) => linkName("build", name)),
    );
    one.links[third] = await signed(
      link("build", { "a.c": "code" }, { "a.c": "code", "app": "program" }),
      ["dave"],
    );
    one.links[first] = "{";
    equal(await verdict(one), "ok");
    // The second may be the one that disagrees: that the first does not count hides it not.
    const unavailable = new AttestationError("store-unavailable", "Cannot read");
    const links = (name: string) =>
      name === second ? Promise.reject(unavailable) : Promise.resolve(one.links[name]);
    equal(await verdict(one, { links }), "store-unavailable");
    const broken = (name: string) =>
      name === second ? Promise.reject(new Error("broken")) : Promise.resolve(one.links[name]);
    equal(await verdict(one, { links: broken }), "internal-error");
    const none = { ...one.links, [second]: one.links[third] };
    equal(await verdict({ ...one, links: none }, { maxLinks: 3 }), "limit-exceeded");
  });

  test("bounds the links that are read", async () => {
    equal(await verdict(await chain(), { maxLinks: 1 }), "limit-exceeded");
    equal(await verdict(await chain(), { maxLinks: 2 }), "ok");
  });

  test("bounds what names, digests and patterns cost", async () => {
    const name = await linkName("write", "alice");
    const judge = async (products: JsonObject) => {
      const one = await chain();
      one.links[name] = await signed(link("write", {}, {}, { products }), ["alice"]);
      return await verdict(one);
    };
    const digests = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`d${i}`, "ab"]));
    const NO = "artifact-rule-violated";
    equal(await judge({ ["n".repeat(4096)]: digests(16) }), NO);
    equal(await judge({ ["n".repeat(4097)]: digests(16) }), "limit-exceeded");
    equal(await judge({ n: digests(17) }), "limit-exceeded");
    // Each name is compared with the whole of the pattern at each of its characters.
    const dear = await withStep(0, { expected_products: [["ALLOW", `*${"n".repeat(1000)}m`]] });
    const names = Array.from({ length: 40 }, (_, i) => [`${i}${"n".repeat(4000)}`, digests(1)]);
    dear.links[name] = await signed(
      link("write", {}, {}, { products: Object.fromEntries(names) }),
      ["alice"],
    );
    equal(await verdict(dear), "limit-exceeded");
  });

  test("refuses keys that are not read here: they sign nothing", async () => {
    const one = await chain();
    const { keyid } = await person("bob");
    (one.layout.keys as JsonObject)[keyid] = {
      keytype: "rsa",
      method: "pgp+rsa-pkcsv1.5",
      keyval: { public: { e: "10001", n: "ab" }, private: "" },
    };
    equal(await verdict(one), "unsupported-algorithm");
    delete (one.layout.keys as JsonObject)[keyid];
    equal(await verdict(one), "missing-trusted-key");
  });

  test("is a programmer's mistake with wrong options", async () => {
    const keys = [(await person("owner")).trustedKey];
    const bad: [object, ErrorConstructor][] = [
      [{ keys: [], links: {} }, TypeError],
      [{ keys, links: 1 }, TypeError],
      [{ keys, links: null }, TypeError],
      [{ keys, links: {}, threshold: 0 }, TypeError],
      [{ keys, links: {}, now: 1 }, TypeError],
      [{ keys, links: {}, runInspection: true }, TypeError],
      [{ keys, links: {}, maxDepth: 0 }, RangeError],
      [{ keys, links: {}, maxLinks: 1.5 }, RangeError],
      [{ keys, links: {}, treshold: 1 }, TypeError],
    ];
    for (const [trust, kind] of bad) {
      await assert.rejects(verifyLayout("{}", trust as LayoutTrust), kind, JSON.stringify(trust));
    }
    await assert.rejects(verifyLayout(1 as never, { keys, links: {} }), TypeError);
    equal(word(await verifyLayout("{", { keys, links: {} })), "malformed-json");
    equal(word(await verifyLayout("{}", { keys, links: {} })), "malformed-envelope");
  });

  test("accepts no bit flip in a layout or a link", async () => {
    const one = await chain();
    const source = await signed(one.layout, ["owner"]);
    const keys = [(await person("owner")).trustedKey];
    const name = await linkName("build", "bob");
    const flip = (text: string, at: number): Uint8Array => {
      const bytes = new TextEncoder().encode(text);
      bytes[at] ^= 1;
      return bytes;
    };
    // Ids of keys are hints, and nobody signs them.
    const accepted = (text: string, at: number): boolean =>
      text.slice(0, at).lastIndexOf('"keyid":"') >= 0 && at < text.indexOf('","sig"');
    for (let at = 0; at < source.length; at += 7) {
      const { ok } = await verifyLayout(flip(source, at), { keys, links: one.links, now: NOW });
      assert.ok(!ok || accepted(source, at), String(at));
    }
    for (let at = 0; at < one.links[name].length; at += 5) {
      const links = { ...one.links, [name]: flip(one.links[name], at) };
      const { ok } = await verifyLayout(source, { keys, links, now: NOW });
      assert.ok(!ok || accepted(one.links[name], at), String(at));
    }
  });
});

describe("artifact rules", () => {
  /** Verdict on one step with materials, products and rules, after a step `before`. */
  async function judge(
    rules: string[][],
    { side = "products", materials = {}, products = {}, before = {} }: {
      side?: string;
      materials?: Record<string, string>;
      products?: Record<string, string>;
      before?: Record<string, string>;
    },
  ): Promise<string> {
    return await verdict({
      layout: await layout(["alice"], [
        await step("before", ["alice"]),
        await step("own", ["alice"], { [`expected_${side}`]: rules }),
      ]),
      links: {
        [await linkName("before", "alice")]: await signed(link("before", {}, before), ["alice"]),
        [await linkName("own", "alice")]: await signed(link("own", materials, products), ["alice"]),
      },
    });
  }
  const NO = "artifact-rule-violated";
  const END = ["DISALLOW", "*"];

  test("CREATE, DELETE and MODIFY take what became so", async () => {
    const products = { a: "1" };
    equal(await judge([["CREATE", "a"], END], { products }), "ok");
    equal(await judge([["CREATE", "a"], END], { products, materials: { a: "1" } }), NO);
    equal(await judge([["CREATE", "b"], END], { products }), NO);
    const materials = { a: "1" };
    equal(await judge([["DELETE", "a"], END], { side: "materials", materials }), "ok");
    equal(await judge([["DELETE", "a"], END], { side: "materials", materials, products }), NO);
    equal(await judge([["MODIFY", "a"], END], { products, materials: { a: "2" } }), "ok");
    equal(await judge([["MODIFY", "a"], END], { products, materials }), NO);
    equal(await judge([["MODIFY", "a"], END], { products }), NO);
  });

  test("ALLOW takes what matches, REQUIRE wants what it names and takes nothing", async () => {
    const products = { "d/a": "1", "b": "2" };
    equal(await judge([["ALLOW", "*"], END], { products }), "ok");
    equal(await judge([["ALLOW", "d/*"], END], { products }), NO);
    equal(await judge([["allow", "d/?"], ["Allow", "[ab]"], END], { products }), "ok");
    equal(await judge([["REQUIRE", "b"]], { products }), "ok");
    equal(await judge([["REQUIRE", "c"]], { products }), NO);
    equal(await judge([["REQUIRE", "*"]], { products }), NO);
    equal(await judge([["REQUIRE", "b"], ["DISALLOW", "b"]], { products }), NO);
    equal(await judge([["ALLOW", "b"], ["REQUIRE", "b"]], { products }), NO);
  });

  test("are taken in their order; what is left is allowed without DISALLOW", async () => {
    const products = { a: "1", b: "2" };
    equal(await judge([["DISALLOW", "c"], ["DISALLOW", "d*"]], { products }), "ok");
    equal(await judge([["DISALLOW", "a"], ["ALLOW", "a"]], { products }), NO);
    equal(await judge([["ALLOW", "a"], ["DISALLOW", "a"]], { products }), "ok");
    equal(await judge([], { products }), "ok");
  });

  test("MATCH compares names and digests, with folders on both sides", async () => {
    const before = { "out/a": "1", "b": "2" };
    const from = ["WITH", "PRODUCTS", "FROM", "before"];
    const inOut = ["WITH", "PRODUCTS", "IN", "out", "FROM", "before"];
    equal(await judge([["MATCH", "b", ...from], END], { before, products: { b: "2" } }), "ok");
    equal(await judge([["MATCH", "b", ...from], END], { before, products: { b: "3" } }), NO);
    equal(await judge([["MATCH", "c", ...from], END], { before, products: { c: "2" } }), NO);
    equal(await judge([["MATCH", "*", ...inOut], END], { before, products: { a: "1" } }), "ok");
    equal(await judge([["MATCH", "*", ...inOut], END], { before, products: { b: "2" } }), NO);
    const both = ["MATCH", "*", "IN", "lib/", ...inOut];
    equal(await judge([both, END], { before, products: { "lib/a": "1" } }), "ok");
    equal(await judge([both, END], { before, products: { "library/a": "1" } }), NO);
    equal(
      await judge([["MATCH", "b", "WITH", "MATERIALS", "FROM", "before"], END], {
        before,
        products: { b: "2" },
      }),
      NO,
    );
    equal(
      await judge([["MATCH", "b", "WITH", "PRODUCTS", "FROM", "nobody"], END], {
        before,
        products: { b: "2" },
      }),
      NO,
    );
    // An own name of every object is no artifact.
    equal(
      await judge([["MATCH", "constructor", ...from], END], { products: { constructor: "2" } }),
      NO,
    );
  });

  test("MATCH does not make files one that agree in MD5 or SHA-1 alone, or in some digests", async () => {
    const rules = [["MATCH", "a", "WITH", "PRODUCTS", "FROM", "write"], ["DISALLOW", "*"]];
    const verdictOf = async (first: JsonObject, second: JsonObject) =>
      await verdict({
        layout: await layout(["alice"], [
          await step("write", ["alice"]),
          await step("own", ["alice"], { expected_products: rules }),
        ]),
        links: {
          [await linkName("write", "alice")]: await signed(
            link("write", {}, {}, { products: { a: first } }),
            ["alice"],
          ),
          [await linkName("own", "alice")]: await signed(
            link("own", {}, {}, { products: { a: second } }),
            ["alice"],
          ),
        },
      });
    const strong = { sha256: "ab".repeat(32) }, weak = { sha1: "ab".repeat(20) };
    equal(await verdictOf(strong, strong), "ok");
    equal(await verdictOf(weak, weak), NO);
    equal(await verdictOf({ ...strong, ...weak }, strong), NO);
    equal(await verdictOf({ ...strong, ...weak }, { ...strong, sha1: "cd".repeat(20) }), NO);
  });
});

describe("a malformed layout", () => {
  test("is refused with the member at fault", async () => {
    const bad: [what: string, change: (one: JsonObject) => void, reason?: string][] = [
      ["/_type", (one) => void (one._type = "link")],
      ["/expires", (one) => void (one.expires = "2027-01-01")],
      ["/expires", (one) => void (one.expires = "2027-02-30T00:00:00Z")],
      ["/readme", (one) => void (one.readme = 1)],
      ["/keys", (one) => void (one.keys = [])],
      ["/keys", (one) => void (one.keys = { ab: { keyid: "cd" } })],
      ["/steps", (one) => void (one.steps = {})],
      ["/steps", (one) => void (one.steps = [])],
      ["/steps/0", (one) => void (one.steps = ["x"])],
      ["/inspect/0/run", (one) => void (one.inspect = [{ name: "i", run: [1] }])],
      ["", (one) => void (one.inspect = [{ name: "build", run: [] }])],
      ["/steps", (one) => void (one.steps = new Array(257).fill({})), "limit-exceeded"],
    ];
    for (const [path, change, reason = "malformed-layout"] of bad) {
      const one = await chain();
      change(one.layout);
      const result = await run(one);
      assert.ok(!result.ok);
      deepEqual([result.errorReason, result.error.path], [reason, path]);
    }
  });

  test("is refused with steps that are none", async () => {
    const bad: [JsonObject, string?][] = [
      [{ name: "../a" }],
      [{ name: "a\\b" }],
      [{ name: "a\0" }],
      [{ name: "" }],
      [{ name: "write" }],
      [{ threshold: 0 }],
      [{ threshold: 1.5 }, "malformed-envelope"],
      [{ threshold: "1" }],
      [{ pubkeys: ["../../x"] }],
      [{ pubkeys: ["ABCDEF00"] }],
      [{ pubkeys: "x" }],
      [{ expected_products: [["FORBID", "*"]] }],
      [{ expected_products: [["ALLOW", "[^a]"]] }],
      [{ expected_products: [["ALLOW"]] }],
      [{ expected_products: [["ALLOW", "a", "b"]] }],
      [{ expected_products: [["ALLOW", 1]] }],
      [{ expected_products: [["MATCH", "a", "FROM", "b"]] }],
      [{ expected_products: [["MATCH", "a", "WITH", "THINGS", "FROM", "b"]] }],
      [{ expected_products: [["MATCH", "a", "IN", "b", "FROM", "c", "d"]] }],
      [{ expected_products: [["MATCH", "a", "WITH", "PRODUCTS", "FROM", "b", "c"]] }],
      [{ expected_products: { a: 1 } }],
      [{ expected_products: [["ALLOW", "x".repeat(1025)]] }, "limit-exceeded"],
      [{ expected_products: new Array(1025).fill(["ALLOW", "x"]) }, "limit-exceeded"],
      [{ expected_command: { a: 1 } }],
    ];
    for (const [more, reason = "malformed-layout"] of bad) {
      const one = await withStep(1, more);
      const result = await run(one).catch((error) => error);
      equal(result.errorReason ?? result.reason, reason, JSON.stringify(more).slice(0, 100));
    }
  });

  test("is none with half a character: nothing is put in its place", async () => {
    const one = await chain();
    one.layout.readme = "\ufffd";
    const source = await signed(one.layout, ["owner"]);
    const keys = [(await person("owner")).trustedKey];
    const judge = async (text: string) =>
      word(await verifyLayout(text, { keys, links: one.links, now: NOW }));
    equal(await judge(source), "ok");
    equal(await judge(source.replace("\ufffd", "\ud800")), "invalid-unicode");
  });

  test("is none in an envelope of another type", async () => {
    const one = await chain("dsse");
    const source = (await signed(one.layout, ["owner"], "dsse")).replace(
      "vnd.in-toto+json",
      "vnd.other+json",
    );
    const keys = [(await person("owner")).trustedKey];
    equal(
      word(await verifyLayout(source, { keys, links: one.links, now: NOW })),
      "unsupported-payload-type",
    );
  });
});

describe("sublayouts", () => {
  /** Bob's step `build` is a layout of his own, with the step `compile` by carol. */
  async function nested(
    { by = "carol", owner = "bob", inner = {} }: {
      by?: string;
      owner?: string;
      inner?: JsonObject;
    } = {},
  ): Promise<Chain> {
    const one = await chain();
    const bob = (await person("bob")).keyid.slice(0, 8);
    const own = await layout(["carol"], [await step("compile", ["carol"], inner)]);
    one.links[`build.${bob}.link`] = await signed(own, [owner]);
    one.links[`build.${bob}/${await linkName("compile", "carol")}`] = await signed(
      link("compile", { "a.c": "code" }, { "a.c": "code", "app": "program" }),
      [by],
    );
    return one;
  }

  test("stand for the step, as their summary", async () => {
    const result = await run(await nested());
    assert.ok(result.ok, JSON.stringify(result.checks));
    const [functionary] = result.steps[1].functionaries;
    deepEqual(functionary.sublayout?.steps.map(({ name }) => name), ["compile"]);
    deepEqual(functionary.sublayout?.owners, [(await person("bob")).keyid.slice(0, 8)]);
    equal(result.steps[1].link.name, "build");
    deepEqual(Object.keys(result.summary.products), ["a.c", "app"]);
  });

  test("are owned by who may carry out the step, and their steps by whom they name", async () => {
    equal(await verdict(await nested({ owner: "owner" })), "invalid-signature");
    equal(await verdict(await nested({ owner: "alice" })), "invalid-signature");
    equal(await verdict(await nested({ by: "bob" })), "invalid-signature");
    const inner = { expected_products: [["DISALLOW", "app"]] };
    equal(await verdict(await nested({ inner })), "artifact-rule-violated");
  });

  test("do not find links of the layout around them, nor it theirs", async () => {
    const one = await nested();
    const bob = (await person("bob")).keyid.slice(0, 8);
    const name = await linkName("compile", "carol");
    const content = one.links[`build.${bob}/${name}`];
    delete one.links[`build.${bob}/${name}`];
    one.links[name] = content;
    equal(await verdict(one), "threshold-not-met");
  });

  test("refuse the whole when they are refused, though another link would do", async () => {
    const one = await nested({ by: "stranger" });
    const steps = one.layout.steps as JsonObject[];
    const dave = await person("dave");
    steps[1] = { ...steps[1], pubkeys: [(await person("bob")).keyid, dave.keyid] };
    (one.layout.keys as JsonObject)[dave.keyid] = dave.key;
    one.links[await linkName("build", "dave")] = await signed(
      link("build", { "a.c": "code" }, { "a.c": "code", "app": "program" }),
      ["dave"],
    );
    equal(await verdict(one), "invalid-signature");
  });

  test("are bounded in depth, also when they are their own", async () => {
    const own = await layout(["bob"], [await step("again", ["bob"])]);
    const source = await signed(own, ["bob"]);
    const asked: string[] = [];
    const result = await verifyLayout(source, {
      keys: [(await person("bob")).trustedKey],
      links: (name) => {
        asked.push(name);
        return Promise.resolve(source);
      },
      now: NOW,
    });
    equal(word(result), "limit-exceeded");
    equal(asked.length, 5);
  });
});

describe("inspections", () => {
  const untar = {
    _type: "inspection",
    name: "untar",
    run: ["tar", "xf", "app"],
    expected_materials: [["MATCH", "app", "WITH", "PRODUCTS", "FROM", "build"], ["DISALLOW", "*"]],
    expected_products: [["ALLOW", "app"], ["MATCH", "a.c", "WITH", "PRODUCTS", "FROM", "write"], [
      "DISALLOW",
      "*",
    ]],
  };
  const found = (products: Record<string, string>, returnValue = 0): InspectionRun => ({
    returnValue,
    materials: artifacts({ app: "program" }) as unknown as InspectionRun["materials"],
    products: artifacts({ app: "program", ...products }) as unknown as InspectionRun["products"],
  });

  async function inspected(
    runInspection?: LayoutTrust["runInspection"],
    more: JsonObject = {},
  ): Promise<LayoutResult> {
    const one = await chain();
    one.layout.inspect = [untar];
    Object.assign(one.layout, more);
    return await run(one, runInspection === undefined ? {} : { runInspection });
  }

  test("are not run unless somebody runs them", async () => {
    equal(word(await inspected()), "inspection-not-run");
  });

  test("are run once the rest is in order, and their rules judge what they found", async () => {
    const asked: string[] = [];
    const result = await inspected((one, scope) => {
      asked.push(`${scope}${one.name}: ${one.run.join(" ")}`);
      return Promise.resolve(found({ "a.c": "code" }));
    });
    assert.ok(result.ok, JSON.stringify(result.checks));
    deepEqual(asked, ["untar: tar xf app"]);
    const evil = await inspected(() => Promise.resolve(found({ "a.c": "evil" })));
    assert.ok(!evil.ok);
    equal(evil.error.path, "/inspect/0/expected_products/2");
  });

  test("fail with their exit status, what they throw and what they find", async () => {
    equal(word(await inspected(() => Promise.resolve(found({}, 1)))), "inspection-failed");
    equal(word(await inspected(() => Promise.reject(new Error("no tar")))), "inspection-failed");
    equal(word(await inspected(() => Promise.resolve({} as InspectionRun))), "inspection-failed");
  });

  test("are not run of a layout that is refused", async () => {
    let ran = false;
    const result = await inspected(() => {
      ran = true;
      return Promise.resolve(found({}));
    }, { expires: "2020-01-01T00:00:00Z" });
    equal(word(result), "attestation-expired");
    equal(ran, false);
  });
});
