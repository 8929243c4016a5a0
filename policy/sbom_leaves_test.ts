import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../internal/json.ts";
import { attestation, checkOf, checksOf, signer, TEST } from "./_fixtures_test.ts";
import type { SbomRule } from "./document.ts";

const alice = await signer("alice");
const LIST = "predicate.sbom";
const FORMAT = "predicate.sbom.format";
const VERSIONS = "predicate.sbom.versions";
const forbiddenBy = (entry: string) => `predicate.sbom.forbidden.${entry}`;
const requiredBy = (entry: string) => `predicate.sbom.required.${entry}`;

const check = (name: string, sbom: SbomRule, predicate: unknown) =>
  checkOf(name, { predicate: { sbom } }, attestation([alice], predicate as JsonObject));

const bom = (components?: unknown, more: object = {}) => ({
  bomFormat: "CycloneDX",
  components,
  ...more,
});
const spdx = (packages: unknown) => ({ spdxVersion: "SPDX-2.3", packages });
const graph = (...elements: unknown[]) => ({ "@graph": elements });
const whole = (component: unknown) => ({ metadata: { component } });
const purl = (referenceLocator: unknown) => ({ referenceType: "purl", referenceLocator });
const many = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `p${i}` }));

describe("predicate.sbom", () => {
  const remedy = "Ship without that package, or change the rule of the SBOM";

  it("wants so many packages, and one where the rule does not say", async () => {
    const passed = (min: number, actual: number) => ({
      id: LIST,
      layer: "predicate",
      outcome: "passed",
      message: "The packages are listed",
      expected: `${min} or more packages`,
      actual: String(actual),
      origin: "signed",
    });
    const failed = (min: number, actual: number) => ({
      ...passed(min, actual),
      outcome: "failed",
      reason: "missing-package",
      message: `Cannot accept SBOM: it lists ${actual} packages, wanted ${min} or more`,
      remedy,
    });
    deepEqual(await check(LIST, { min: 2 }, bom(many(1))), failed(2, 1));
    deepEqual(await check(LIST, { min: 2 }, bom(many(2))), passed(2, 2));
    deepEqual(await check(LIST, { min: 2 }, spdx(many(3))), passed(2, 3));
    const empty = [
      bom(),
      bom(null),
      bom([]),
      bom([], { metadata: null }),
      bom([], whole(null)),
      bom([], whole({ name: "app", purl: null, components: null })),
      spdx([]),
      graph({ type: "SpdxDocument" }),
    ];
    for (const one of empty) {
      deepEqual(await check(LIST, { versions: true }, one), failed(1, 0));
    }
    deepEqual(await check(LIST, { versions: true }, bom(many(1))), passed(1, 1));
  });

  it("asks nothing that the rule does not", async () => {
    const about = attestation([alice], bom(many(1)) as JsonObject);
    const checks = await checksOf({ predicate: { sbom: { min: 1 } } }, about);
    deepEqual(checks.map(({ id, outcome }) => `${id} ${outcome}`), [
      "envelope.signed-by passed",
      "predicate.sbom passed",
    ]);
  });

  it("and each of its parts refuses to judge what it cannot list", async () => {
    const rule = { min: 1, forbidden: ["a"], required: ["b"], versions: true };
    const good = bom([{ name: "b", version: "1" }]);
    const unknown: [string, unknown][] = [
      ["nothing", {}],
      ["a report of something else", { result: "PASSED" }],
      ["another format", { bomFormat: "Other", components: [] }],
      ["two forms", { ...good, spdxVersion: "SPDX-2.3" }],
      ["two forms, one by its graph", { ...good, "@graph": [] }],
      ["a document around a document", { ...good, Data: good }],
      ["a document around a document, in SPDX", { ...spdx([]), Data: good }],
      ["a document around a document, as a graph", { ...graph(), Data: good }],
      ["components by name", bom({ 0: { name: "b" } })],
      ["packages by name", spdx({ 0: { name: "b" } })],
      ["a text among packages", spdx(["a"])],
      ["a list among components", bom([[{ name: "a" }]])],
      ["parts of a component by name", bom([{ name: "b", components: { name: "a" } }])],
      ["a list of package URLs", bom([{ name: "b", purl: ["pkg:npm/a"] }])],
      ["a number for a package URL", bom([{ name: "b", purl: 0 }])],
      ["a list for a name", bom([{ name: ["a"] }])],
      ["parts of the whole by name", bom([], whole({ components: { name: "a" } }))],
      ["a list among the parts of the whole", bom([], whole({ components: [[{ name: "a" }]] }))],
      ["a list for the whole", bom([], whole([{ components: [{ name: "a" }] }]))],
      ["a list for what is said of it", bom([], { metadata: [whole({}).metadata] })],
      ["references by name", spdx([{ name: "b", externalRefs: { 0: purl("pkg:npm/a") } }])],
      ["a list among references", spdx([{ name: "b", externalRefs: [[purl("pkg:npm/a")]] }])],
      ["a list for a reference", spdx([{ name: "b", externalRefs: [purl(["pkg:npm/a"])] }])],
      ["a list in a graph", graph([{ type: "software_Package", name: "a" }])],
      ["a list for a type", graph({ type: ["software_Package"], name: "a" })],
      ["a list for a type of JSON-LD", graph({ "@type": ["software_Package"], name: "a" })],
      [
        "a list of package URLs in a graph",
        graph({ type: "software_Package", name: "b", software_packageUrl: ["pkg:npm/a"] }),
      ],
    ];
    for (const [what, predicate] of unknown) {
      const about = attestation([alice], predicate as JsonObject);
      const checks = await checksOf({ predicate: { sbom: rule } }, about);
      deepEqual(
        checks.slice(1),
        [LIST, forbiddenBy("a"), requiredBy("b"), VERSIONS].map((id) => ({
          id,
          layer: "predicate",
          outcome: "failed",
          reason: "condition-error",
          message: `Cannot list packages: the form of "${TEST}" is not known`,
          path: "/predicate",
        })),
        what,
      );
    }
    const about = attestation([alice], { Data: good } as JsonObject);
    const checks = await checksOf({ predicate: { sbom: rule } }, about);
    deepEqual(checks.map(({ outcome }) => outcome), Array(5).fill("passed"));
    const none = attestation([alice]);
    delete none.statement.predicate;
    equal((await checkOf(LIST, { predicate: { sbom: rule } }, none)).reason, "condition-error");
  });
});

describe("predicate.sbom.format", () => {
  it("wants one of the formats", async () => {
    const facts = { id: FORMAT, layer: "predicate", origin: "signed" };
    const passed = (format: string) => ({
      ...facts,
      outcome: "passed",
      message: "The SBOM's format is accepted",
      expected: `"${format}"`,
      actual: format,
    });
    const failed = (format: string, actual?: string) => ({
      ...facts,
      outcome: "failed",
      reason: "format-not-accepted",
      message: `Cannot accept SBOM: its format is ${actual ?? "not known"}, wanted "${format}"`,
      expected: `"${format}"`,
      ...(actual === undefined ? {} : { actual }),
      remedy: "Write the SBOM in that format",
    });
    const rows: [unknown, "cyclonedx" | "spdx" | undefined][] = [
      [bom(many(1)), "cyclonedx"],
      [{ Data: bom(many(1)) }, "cyclonedx"],
      [spdx(many(1)), "spdx"],
      [{ Data: spdx(many(1)) }, "spdx"],
      [graph({ type: "SpdxDocument" }), "spdx"],
      [{}, undefined],
      [{ bomFormat: "cyclonedx" }, undefined],
      [{ spdxVersion: 2 }, undefined],
      [{ "@graph": {} }, undefined],
    ];
    for (const [predicate, found] of rows) {
      for (const format of ["cyclonedx", "spdx"] as const) {
        const wanted = found === format ? passed(format) : failed(format, found);
        deepEqual(await check(FORMAT, { formats: [format] }, predicate), wanted);
      }
    }
    const both = await check(FORMAT, { formats: ["cyclonedx", "spdx"] }, spdx(many(1)));
    equal(both.outcome, "passed");
    const none = attestation([alice]);
    delete none.statement.predicate;
    const rule = { predicate: { sbom: { formats: ["spdx"] } } } as const;
    deepEqual(await checkOf(FORMAT, rule, none), failed("spdx"));
  });
});

describe("predicate.sbom.forbidden and .required", () => {
  it("say which package it is", async () => {
    const entry = "pkg:npm/left-pad";
    const facts = { layer: "predicate", origin: "signed" };
    const remedy = "Ship without that package, or change the rule of the SBOM";
    const forbidden = (predicate: unknown) =>
      check(forbiddenBy(entry), { forbidden: [entry] }, predicate);
    const found = { name: "left-pad", version: "1.3.0", purl: "pkg:npm/left-pad@1.3.0" };
    deepEqual(await forbidden(bom([{ name: "other" }, found])), {
      ...facts,
      id: forbiddenBy(entry),
      outcome: "failed",
      reason: "forbidden-package",
      message: `Cannot accept SBOM: it lists "left-pad 1.3.0", wanted no "${entry}"`,
      expected: `no "${entry}"`,
      actual: '"left-pad 1.3.0"',
      remedy,
    });
    equal((await forbidden(bom([{ name: "left-pad" }]))).actual, '"left-pad"');
    deepEqual(await forbidden(bom([{ name: "other" }])), {
      ...facts,
      id: forbiddenBy(entry),
      outcome: "passed",
      message: "The package is not listed",
      expected: `no "${entry}"`,
    });
    const required = (predicate: unknown) =>
      check(requiredBy(entry), { required: [entry] }, predicate);
    deepEqual(await required(bom([{ name: "other" }, found])), {
      ...facts,
      id: requiredBy(entry),
      outcome: "passed",
      message: "The package is listed",
      expected: `"${entry}"`,
      actual: '"left-pad 1.3.0"',
    });
    deepEqual(await required(bom([{ name: "other" }])), {
      ...facts,
      id: requiredBy(entry),
      outcome: "failed",
      reason: "missing-package",
      message: `Cannot accept SBOM: it does not list "${entry}"`,
      expected: `"${entry}"`,
      remedy: "List the package, or change the rule of the SBOM",
    });
  });

  // Forbidden, what may be the package is it; required, it is not.
  const rows: [entry: string, one: JsonObject, forbids: boolean, meets: boolean][] = [
    ["pkg:npm/a", { name: "x", purl: "pkg:npm/a@1.0.0" }, true, true],
    ["pkg:npm/a", { name: "x", purl: "pkg:npm/a" }, true, true],
    // A name that the URL does not account for is one more claim.
    ["pkg:npm/a", { name: "a", purl: "pkg:npm/b@1.0.0" }, true, false],
    ["pkg:npm/a", { name: "a", purl: "pkg:pypi/a@1.0.0" }, false, false],
    ["pkg:npm/a", { name: "a", purl: "pkg:npm/%40scope/a@1.0.0" }, false, false],
    ["pkg:npm/%40scope/a", { name: "a", purl: "pkg:npm/a" }, false, false],
    ["pkg:npm/%40scope/a", { name: "a", purl: "pkg:npm/@scope/a" }, true, true],
    // Without a package URL the name is all that there is.
    ["pkg:npm/a", { name: "a" }, true, true],
    ["pkg:npm/a", { name: "b" }, false, false],
    ["pkg:npm/%40scope/a", { name: "@scope/a" }, true, true],
    ["pkg:npm/%40scope/a", { name: "a" }, true, false],
    // The version, if one is asked for, is in the URL or beside it.
    ["pkg:npm/a@1.0.0", { name: "a", purl: "pkg:npm/a@1.0.0" }, true, true],
    ["pkg:npm/a@1.0.0", { name: "a", purl: "pkg:npm/a@1.0.1" }, false, false],
    ["pkg:npm/a@1.0.0", { name: "a", purl: "pkg:npm/a", version: "1.0.0" }, true, true],
    ["pkg:npm/a@1.0.0", { name: "a", purl: "pkg:npm/a", version: "1.0.1" }, false, false],
    ["pkg:npm/a@1.0.0", { name: "a", purl: "pkg:npm/a", version: "NOASSERTION" }, true, false],
    ["pkg:npm/a@1.0.0", { name: "a", purl: "pkg:npm/a" }, true, false],
    ["pkg:npm/a@1.0.0", { name: "a" }, true, false],
    ["pkg:npm/a@1.0.0", { name: "a", version: "1.0.0" }, true, true],
    ["pkg:npm/a@1.0.0", { name: "a", version: "1.0.1" }, false, false],
    ["pkg:npm/a@1.0.0", { name: "b", version: "1.0.0" }, false, false],
    ["pkg:npm/a@1.0.0", { name: "a", purl: "pkg:npm/a@1.0.0", version: "1.0.1" }, true, false],
    ["pkg:npm/a@1.0.0", { name: "a", purl: "pkg:npm/a@1.0.1", version: "1.0.0" }, true, false],
    ["pkg:maven/org.a/b@1", { name: "org.a:b", version: "1" }, true, false],
    ["pkg:npm/a@1*", { name: "a", purl: "pkg:npm/a@1.0.0" }, true, true],
    ["pkg:npm/a@1*", { name: "a", purl: "pkg:npm/a@2.0.0" }, false, false],
    ["pkg:npm/a?b=c", { name: "a", purl: "pkg:npm/a@1" }, true, false],
    ["pkg:npm/a#b", { name: "a", purl: "pkg:npm/a@1#b" }, true, true],
    ["pkg:npm/a#b", { name: "a", purl: "pkg:npm/a@1#c" }, true, false],
    ["pkg:npm/a#b", { name: "a" }, true, false],
    ["pkg:npm/a?b=c", { name: "a" }, true, false],
    ["pkg:npm/a", { name: "x", purl: "pkg:npm/a@1?b=c#d" }, true, true],
    [
      "pkg:composer/%40scope/a",
      { name: "@scope/a", purl: "pkg:npm/%40scope/a@1" },
      false,
      false,
    ],
    // A pattern is for the name.
    ["open*", { name: "openssl", purl: "pkg:deb/debian/x@3" }, true, true],
    ["open*", { name: "x", purl: "pkg:deb/debian/openssl@3" }, true, false],
    ["openssl", { name: "x", purl: "pkg:npm/%40a/openssl@3" }, false, false],
  ];

  it("know a package by its URL, else by its name", async () => {
    for (const [entry, one, forbids, meets] of rows) {
      const told = `${entry} ${JSON.stringify(one)}`;
      const predicate = bom([{ name: "first", purl: "pkg:npm/first@1" }, one]);
      const bad = await check(forbiddenBy(entry), { forbidden: [entry] }, predicate);
      equal(bad.reason, forbids ? "forbidden-package" : undefined, told);
      const good = await check(requiredBy(entry), { required: [entry] }, predicate);
      equal(good.reason, meets ? undefined : "missing-package", told);
    }
  });

  it("know a package of SPDX by any of its URLs", async () => {
    const one = { name: "x", externalRefs: [purl("pkg:npm/b@1"), purl("pkg:npm/a@1")] };
    for (const entry of ["pkg:npm/a", "pkg:npm/b@1"]) {
      const bad = await check(forbiddenBy(entry), { forbidden: [entry] }, spdx([one]));
      equal(bad.reason, "forbidden-package", entry);
    }
  });

  it("do not pass over a package URL that is none", async () => {
    const predicate = bom([{ name: "x", purl: "npm:a@1" }, { name: "a" }]);
    const rules = { forbidden: ["pkg:npm/b"], required: ["pkg:npm/a"] };
    equal((await check(forbiddenBy("pkg:npm/b"), rules, predicate)).reason, "malformed-purl");
    equal((await check(requiredBy("pkg:npm/a"), rules, predicate)).reason, "malformed-purl");
  });
});

describe("predicate.sbom.versions", () => {
  it("wants one of every package", async () => {
    const facts = {
      id: VERSIONS,
      layer: "predicate",
      expected: "a version of every package",
      origin: "signed",
    };
    const judged = (predicate: unknown) => check(VERSIONS, { versions: true }, predicate);
    deepEqual(await judged(bom([{ name: "a", version: "1" }, { name: "b", version: "0" }])), {
      ...facts,
      outcome: "passed",
      message: "Every package has a version",
    });
    const rows: [object, string][] = [
      [{ name: "b" }, '"b"'],
      [{ name: "b", version: "" }, '"b"'],
      [{ name: "b", version: "NOASSERTION" }, '"b NOASSERTION"'],
    ];
    for (const [one, actual] of rows) {
      deepEqual(await judged(bom([{ name: "a", version: "1" }, one])), {
        ...facts,
        outcome: "failed",
        reason: "unversioned-package",
        message: `Cannot accept SBOM: ${actual} has no version`,
        actual,
        remedy: "State every package's version",
      });
    }
  });
});
