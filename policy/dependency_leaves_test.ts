import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../internal/json.ts";
import { attestation, checkOf, checksOf, PROVENANCE, SHA, signer, TEST } from "./_fixtures_test.ts";
import { listDependencies, spellings } from "./dependency_leaves.ts";
import type { DependencyRule } from "./document.ts";
import type { EvidenceAttestation } from "./evidence.ts";

const alice = await signer("alice");
const LIST = "predicate.dependencies";
const ALLOWED = "predicate.dependencies.allowed";
const FORBIDDEN = "predicate.dependencies.forbidden";
const DIGESTS = "predicate.dependencies.digests";
const GIT = "git+https://github.com/acme/app";
const remedy = "Build from accepted sources, or change the rule of dependencies";

/** Provenance that was built from these. */
function built(...resolvedDependencies: object[]): EvidenceAttestation {
  const predicate = {
    buildDefinition: {
      buildType: "https://x.example/build",
      externalParameters: { a: 1 },
      resolvedDependencies,
    },
    runDetails: { builder: { id: "https://x.example/builder" } },
  };
  return attestation([alice], predicate as unknown as JsonObject, { predicateType: PROVENANCE });
}

const bom = (...components: JsonObject[]) =>
  attestation([alice], { bomFormat: "CycloneDX", components });

const check = (name: string, dependencies: DependencyRule, about: EvidenceAttestation) =>
  checkOf(name, { predicate: { dependencies } }, about);

/** Tells which checks fail, by their names and reasons. */
async function refusals(dependencies: DependencyRule, about: EvidenceAttestation) {
  const checks = await checksOf({ predicate: { dependencies } }, about);
  return checks.filter(({ outcome }) => outcome === "failed").map(({ id, reason }) =>
    `${id} ${reason}`
  );
}

describe("predicate.dependencies", () => {
  it("wants so many, and no one where the rule does not say", async () => {
    const facts = { id: LIST, layer: "predicate", origin: "signed" };
    const one = { uri: GIT, digest: { sha256: SHA } };
    const judged = (rule: DependencyRule, count: number) =>
      check(LIST, rule, built(...Array.from({ length: count }, () => one)));
    const rows: [DependencyRule, number, number][] = [
      [{ min: 2 }, 2, 2],
      [{ min: 2 }, 2, 3],
      [{ digests: ["sha256"] }, 0, 0],
    ];
    for (const [rule, min, count] of rows) {
      deepEqual(await judged(rule, count), {
        ...facts,
        outcome: "passed",
        message: "The dependencies are stated",
        expected: `${min} or more dependencies`,
        actual: String(count),
      });
    }
    deepEqual(await judged({ min: 2 }, 1), {
      ...facts,
      outcome: "failed",
      reason: "missing-dependency",
      message: "Cannot accept dependencies: 1 are stated, wanted 2 or more",
      expected: "2 or more dependencies",
      actual: "1",
      remedy,
    });
    equal((await check(LIST, { min: 2 }, bom({ name: "a" }, { name: "b" }))).outcome, "passed");
  });

  it("asks nothing that the rule does not", async () => {
    const checks = await checksOf({ predicate: { dependencies: { min: 0 } } }, built());
    deepEqual(checks.map(({ id }) => id), ["envelope.signed-by", LIST]);
  });

  it("and each of its parts refuses to judge what it cannot list", async () => {
    const dependencies = { min: 1, allowed: ["**"], forbidden: ["a"], digests: ["sha256"] };
    const about = attestation([alice], { result: "PASSED" });
    const checks = await checksOf({ predicate: { dependencies } }, about);
    deepEqual(
      checks.slice(1),
      [LIST, ALLOWED, FORBIDDEN, DIGESTS].map((id) => ({
        id,
        layer: "predicate",
        outcome: "failed",
        reason: "condition-error",
        message: `Cannot list dependencies: the form of "${TEST}" is not known`,
        path: "/predicate",
      })),
    );
    const unread = attestation([alice], {}, { predicateType: PROVENANCE });
    equal((await refusals(dependencies, unread)).length, 4);
  });

  it("say which one is not accepted, or that all are", async () => {
    const facts = { layer: "predicate", origin: "signed" };
    const bad = { uri: "https://evil.example/x", name: "x", digest: { sha1: "b".repeat(40) } };
    const rows: [string, DependencyRule, string, string, string, string][] = [
      [
        ALLOWED,
        { allowed: [`${GIT}**`] },
        `"${GIT}**"`,
        "dependency-not-allowed",
        '"https://evil.example/x"',
        GIT,
      ],
      [
        FORBIDDEN,
        { forbidden: ["https://evil.example/**", "y"] },
        'none of "https://evil.example/**" or "y"',
        "forbidden-dependency",
        '"https://evil.example/x"',
        GIT,
      ],
      [
        DIGESTS,
        { digests: ["sha256", "sha512"] },
        'a digest by "sha256" or "sha512"',
        "unpinned-dependency",
        '"https://evil.example/x" without one',
        GIT,
      ],
    ];
    for (const [id, rule, expected, reason, actual, uri] of rows) {
      const good = { uri, digest: { sha256: SHA } };
      deepEqual(await check(id, rule, built(good, good)), {
        ...facts,
        id,
        outcome: "passed",
        message: "Every dependency is accepted",
        expected,
        actual: "2",
      });
      deepEqual(await check(id, rule, built(good, bad, good)), {
        ...facts,
        id,
        outcome: "failed",
        reason,
        message: `Cannot accept dependencies: found ${actual}, wanted ${expected}`,
        expected,
        actual,
        path: "/predicate",
        remedy,
      });
    }
  });
});

describe("predicate.dependencies.allowed", () => {
  const of = async (allowed: string[], one: object) =>
    (await check(ALLOWED, { allowed }, built(one))).actual;

  it("wants a uri, whatever else it is called", async () => {
    equal(await of(["**"], { name: "app" }), "a dependency without uri");
    const unknown = await check(ALLOWED, { allowed: ["**"] }, bom({ name: "app" }));
    equal(unknown.actual, "a dependency without uri");
    const known = bom({ name: "app", purl: "pkg:npm/app@1" });
    equal((await check(ALLOWED, { allowed: ["pkg:npm/*"] }, known)).outcome, "passed");
  });

  it("wants each spelling of a package URL", async () => {
    equal(await of(["pkg:npm/app@*"], { uri: "pkg:npm/app@1" }), "1");
    equal(await of(["pkg:npm/app@*"], { uri: "PKG:npm/app@1" }), '"PKG:npm/app@1"');
    equal(await of(["**/app@*"], { uri: "PKG:npm/app@1" }), "1");
    // One that cannot be read is not known to be any.
    const unread = await check(ALLOWED, { allowed: ["pkg:*"] }, built({ uri: "pkg:app" }));
    equal(unread.reason, "malformed-purl");
  });

  it("decodes a path three times before it looks for dots", async () => {
    const allowed = ["https://a.example/**"];
    const at = (dots: string) => `https://a.example/${dots}/x`;
    for (const dots of ["..", "%2e%2e", "%252e%252e", "%25252e%25252e"]) {
      equal(await of(allowed, { uri: at(dots) }), `"${at(dots)}", whose path has dot segments`);
    }
    equal(await of(allowed, { uri: at("%2525252e%2525252e") }), "1");
    equal(await of(allowed, { uri: at("...") }), "1");
  });

  it("refuses what leads elsewhere than it seems to", async () => {
    const uri = "https://evil.example?.a.example/x";
    const actual = `"${uri}", which leads elsewhere than it seems to`;
    equal(await of(["https://*.a.example/**"], { uri }), actual);
  });
});

describe("predicate.dependencies.forbidden", () => {
  it("looks at every name", async () => {
    const forbidden = ["evil", "https://evil.example/**", "pkg:npm/evil"];
    const one = { uri: GIT, name: "good", downloadLocation: "https://good.example/x" };
    const rows: [object, string | undefined][] = [
      [one, undefined],
      [{ ...one, uri: "https://evil.example/x" }, '"https://evil.example/x"'],
      [{ ...one, name: "evil" }, '"evil"'],
      [{ ...one, downloadLocation: "https://EVIL.example/x" }, '"https://EVIL.example/x"'],
      [{ ...one, name: "PKG:npm/evil" }, '"PKG:npm/evil"'],
      [{ ...one, name: "pkg:npm/%65vil" }, '"pkg:npm/evil"'],
      [{ name: "https://[" }, undefined],
    ];
    for (const [dependency, actual] of rows) {
      const found = await check(FORBIDDEN, { forbidden }, built(dependency));
      equal(found.outcome, actual === undefined ? "passed" : "failed");
      equal(found.actual, actual ?? "1");
    }
    const component = await check(FORBIDDEN, { forbidden }, bom({ name: "evil" }));
    equal(component.actual, '"evil"');
  });
});

describe("predicate.dependencies.digests", () => {
  it("wants one that is whole, by an algorithm of the rule", async () => {
    const sha512 = "c".repeat(128);
    const rows: [JsonObject | undefined, boolean][] = [
      [{ sha256: SHA }, true],
      [{ sha512 }, true],
      [{ sha1: "b".repeat(40), sha512 }, true],
      [{ sha1: "b".repeat(40) }, false],
      [{ sha384: "d".repeat(96) }, false],
      [{}, false],
      [undefined, false],
    ];
    for (const [digest, holds] of rows) {
      const one = digest === undefined ? { uri: GIT } : { uri: GIT, digest };
      deepEqual(
        await refusals({ digests: ["sha256", "sha512"] }, built(one)),
        holds ? [] : [`${DIGESTS} unpinned-dependency`],
      );
    }
    const short = bom({ name: "x", hashes: [{ alg: "SHA-256", content: "ab" }] });
    const found = await check(DIGESTS, { digests: ["sha256"] }, short);
    equal(found.actual, '"x" without one');
  });

  it("takes none from a prototype that others have changed", async () => {
    const one = { uri: GIT, digest: { sha1: "a".repeat(40) } };
    Object.defineProperty(Object.prototype, "sha256", { value: SHA, configurable: true });
    try {
      equal((await check(DIGESTS, { digests: ["sha256"] }, built(one)))?.outcome, "failed");
    } finally {
      Reflect.deleteProperty(Object.prototype, "sha256");
    }
  });
});

describe("listDependencies()", () => {
  it("gives every text by which one is known", () => {
    const dependency = {
      uri: GIT,
      name: "app",
      downloadLocation: "https://a.example/app.tgz",
      digest: { sha256: SHA },
    };
    deepEqual(listDependencies(built(dependency, { name: "b" }).statement), [
      {
        uri: GIT,
        names: [GIT, "app", "https://a.example/app.tgz"],
        digest: { sha256: SHA },
        path: "/predicate",
      },
      {
        uri: undefined,
        names: ["b"],
        unaddressed: { name: "b" },
        digest: {},
        path: "/predicate",
      },
    ]);
    deepEqual(listDependencies(bom({ name: "app", purl: "pkg:npm/app@1" }).statement), [
      {
        uri: "pkg:npm/app@1",
        names: ["pkg:npm/app@1", "app"],
        digest: {},
        path: "/predicate",
      },
    ]);
    const placed = built({ downloadLocation: "https://a.example", digest: { sha256: SHA } });
    const [located] = listDependencies(placed.statement) ?? [];
    equal(located.unaddressed, undefined);
    const unaddressed = { name: "app", version: "1" };
    const rows: [JsonObject, string[], object?][] = [
      [{ version: "1" }, ["app"], unaddressed],
      [{ version: "NOASSERTION" }, ["app"], { name: "app" }],
      [{ version: "v1", purl: "pkg:npm/app" }, ["pkg:npm/app@1", "app"]],
      [{ version: "1", purl: "pkg:npm/app@v1" }, ["pkg:npm/app@v1", "app"]],
      [{ version: "2", purl: "pkg:npm/app@1" }, ["pkg:npm/app@1", "pkg:npm/app@2", "app"]],
      [{ version: "2", purl: "pkg:npm" }, ["pkg:npm", "app"]],
      [{ version: "2", purl: "app@1" }, ["app@1", "app"]],
    ];
    for (const [one, names, unaddressed] of rows) {
      const [found] = listDependencies(bom({ name: "app", ...one }).statement) ?? [];
      deepEqual([found.names, found.unaddressed], [names, unaddressed]);
    }
    equal(listDependencies(attestation([alice]).statement), undefined);
  });
});

describe("spellings()", () => {
  it("are the text and, of a package URL, each way to name it", () => {
    const rows: [text: string, all: string[]][] = [
      ["a", ["a"]],
      ["a b%20c", ["a b%20c", "ab%20c", "ab c"]],
      ["%2561%", ["%2561%", "%61%", "a%"]],
      ["%25252561", ["%25252561", "%252561", "%2561", "%61"]],
      ["pkg", ["pkg"]],
      ["pkg:npm/a", ["pkg:npm/a"]],
      [
        "PKG:NPM/%40x/%61pp@1?b=c#d",
        [
          "PKG:NPM/%40x/%61pp@1?b=c#d",
          "pkg:npm/%40x/app@1?b=c#d",
          "pkg:npm/@x/app@1?b=c#d",
          "pkg:npm/%40x/app@1",
          "pkg:npm/@x/app@1",
          "pkg:npm/%40x/app",
          "pkg:npm/@x/app",
          "PKG:NPM/@x/app@1?b=c#d",
        ],
      ],
      ["pkg:pypi/a_.b", ["pkg:pypi/a_.b", "pkg:pypi/a-.b", "pkg:pypi/a-b"]],
      [" pkg:npm/a b", [" pkg:npm/a b", "pkg:npm/ab"]],
    ];
    for (const [text, all] of rows) deepEqual(spellings(text), all);
    for (const text of ["pkg:npm", " PKG:npm/%zz"]) {
      throws(() => spellings(text), /malformed|no name/);
    }
  });
});
