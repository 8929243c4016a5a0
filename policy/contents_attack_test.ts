import { strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../internal/json.ts";
import { attestation, judgeOne, PROVENANCE, SHA, signer } from "./_fixtures_test.ts";
import type { PredicateRule } from "./document.ts";

const alice = await signer("alice");

/** Why a good signer's attestation of this content is refused. */
async function reasonOf(
  predicate: PredicateRule,
  content: unknown,
  predicateType?: string,
): Promise<string | null> {
  const more = predicateType === undefined ? {} : { predicateType };
  const one = attestation([alice], content as JsonObject, more);
  return (await judgeOne({ predicate }, [one])).errorReason;
}

const built = (definition: object): object => ({
  buildDefinition: {
    buildType: "https://x.example/build",
    externalParameters: { a: 1 },
    ...definition,
  },
  runDetails: { builder: { id: "https://x.example/builder" } },
});
const bom = (components: unknown, more: object = {}) => ({
  bomFormat: "CycloneDX",
  components,
  ...more,
});
const spdx = (...packages: object[]) => ({ spdxVersion: "SPDX-2.3", packages });
const graph = (...elements: unknown[]) => ({
  "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
  "@graph": [{ type: "SpdxDocument" }, ...elements],
});

describe("a forbidden dependency", () => {
  const of = (forbidden: string[], one: object | string) => {
    const dependency = typeof one === "string" ? { uri: one } : one;
    const resolvedDependencies = [{ digest: { sha256: SHA }, ...dependency }];
    return reasonOf({ dependencies: { forbidden } }, built({ resolvedDependencies }), PROVENANCE);
  };

  it("is seen however its package URL is spelled", async () => {
    const spelled = [
      " pkg:npm/evil@1.0.0",
      "\u00a0pkg:npm/evil@1.0.0",
      "\ufeffpkg:npm/evil@1.0.0",
      "\u200bpkg:npm/ev\u00adil@1.0.0",
      "pk\ng:npm/evil@1.0.0",
      "pkg:npm/evil@1.0.0 ",
      "PKG:NPM/evil@1.0.0",
      "pkg://npm/evil@1.0.0",
      "pkg:npm//evil@1.0.0",
      "pkg:npm/evil@1.0.0/",
      "pkg:npm/%65vil@1.0.0",
      "pkg:npm/%2565vil@1.0.0",
      "pkg:npm/evil%401.0.0",
      "pkg:npm/Evil@1.0.0",
      "pkg:npm/evil@1%2e0.0",
      "pkg:npm/evil@1.0.0?a=b",
      "pkg:npm/evil@1.0.0?repository_url=https://registry.example",
      "pkg:npm/evil@1.0.0#lib",
      "pkg:npm/evil",
      "pkg:npm/evil?a=b",
    ];
    for (const forbidden of ["pkg:npm/evil@1.0.0", "pkg:npm/evil@**", "pkg:npm/evil"]) {
      for (const uri of spelled) equal(await of([forbidden], uri), "forbidden-dependency", uri);
    }
    const others = ["pkg:npm/evil-not@1.0.0", "pkg:npm/%40x/evil@1.0.0", "pkg:pypi/evil@1.0.0"];
    for (const uri of others) equal(await of(["pkg:npm/evil@**", "pkg:npm/evil"], uri), null, uri);
    equal(await of(["pkg:npm/evil@1.0.0"], "pkg:npm/evil@1.0.1"), null);
  });

  it("is seen however the rule spells it", async () => {
    const rows: [forbidden: string, uri: string][] = [
      ["pkg:npm/@evil/**", "pkg:npm/%40evil/x@1"],
      ["pkg:npm/%40evil/**", "pkg:npm/@evil/x@1"],
      ["PKG:npm/evil@*", "pkg:npm/evil@1"],
      ["pkg:pypi/Ruamel.YAML@**", "pkg:pypi/ruamel_yaml@1"],
      ["pkg:pypi/ruamel-yaml", "pkg:pypi/ruamel.yaml@1"],
      ["pkg:nuget/Evil.Json@1*", "pkg:nuget/evil.json@1.2"],
      ["https://github.com/evil/**", "https://github.com/EVIL/x"],
      ["git+https://github.com/Evil/x@**", "git+https://github.com/evil/x@refs/heads/main"],
    ];
    for (const [forbidden, uri] of rows) {
      equal(await of([forbidden], uri), "forbidden-dependency", uri);
    }
  });

  it("is not hidden by a package URL that nobody can read", async () => {
    for (const uri of ["pkg:npm/%65vil@%zz", "pkg:npm/%65vil@1?A=b", " pkg:evil"]) {
      equal(await of(["pkg:npm/evil@**"], uri), "malformed-purl", uri);
    }
    equal(await of(["pkg:npm/evil@**"], { name: "pkg:npm/%65vil@%zz" }), "malformed-purl");
  });

  it("is seen by its name where it has no address", async () => {
    for (const forbidden of ["pkg:npm/evil", "pkg:npm/evil@*", "evil"]) {
      equal(await of([forbidden], { name: "evil" }), "forbidden-dependency", forbidden);
    }
    equal(await of(["pkg:*/evil@**"], { name: "evil" }), "forbidden-dependency");
    equal(await of(["pkg:npm/evil@1"], { name: "evil@1" }), "forbidden-dependency");
    equal(await of(["pkg:npm/evil@1"], { name: "evil@2" }), null);
    equal(await of(["evil"], { name: " evil@2" }), "forbidden-dependency");
    equal(await of(["pkg:npm/evil"], { name: "/" }), null);
    equal(await of(["pkg:npm/evil"], { name: "good" }), null);
  });

  it("is seen in an SBOM by its URL and the version beside it, or by its name", async () => {
    const of = (forbidden: string, ...components: object[]) =>
      reasonOf({ dependencies: { forbidden: [forbidden] } }, bom(components));
    const evil = { name: "evil", version: "1.0.0" };
    for (const forbidden of ["pkg:npm/evil@1.0.0", "pkg:npm/evil@1*", "pkg:npm/evil"]) {
      for (
        const one of [
          evil,
          { name: "evil" },
          { ...evil, purl: "pkg:npm/evil" },
          { ...evil, purl: "pkg:npm/evil@2.0.0" },
          { ...evil, version: "2.0.0", purl: "pkg:npm/evil@1.0.0" },
        ]
      ) {
        const content = JSON.stringify(one);
        equal(await of(forbidden, { name: "x" }, one), "forbidden-dependency", content);
      }
    }
    equal(await of("pkg:npm/evil@1.0.0", { ...evil, version: "2.0.0" }), null);
    const other = { name: "evil", version: "2.0.0", purl: "pkg:npm/evil" };
    equal(await of("pkg:npm/evil@1.0.0", other), null);
  });

  it("is not hidden in a member that only other readers read", async () => {
    const good = { uri: "pkg:npm/good@1", digest: { sha256: SHA } };
    const evil = [{ uri: "pkg:npm/evil@1" }];
    const rule = { dependencies: { forbidden: ["pkg:npm/evil"] } };
    const v1 = [
      built({ resolved_dependencies: evil }),
      built({ resolvedDependencies: [good], ResolvedDependencies: evil }),
      built({ resolvedDependencies: [{ ...good, URI: "pkg:npm/evil@1" }] }),
      built({ resolvedDependencies: [{ ...good, download_location: "pkg:npm/evil@1" }] }),
      { ...built({}), build_definition: { resolvedDependencies: evil } },
    ];
    for (const content of v1) {
      equal(await reasonOf(rule, content, PROVENANCE), "condition-error", JSON.stringify(content));
    }
    const early = { builder: { id: "https://x.example" }, buildType: "https://x.example/t" };
    const v02 = "https://slsa.dev/provenance/v0.2";
    for (
      const content of [
        { ...early, materials: [good], Materials: evil },
        { ...early, materials: [{ URI: "pkg:npm/evil@1" }] },
        { ...early, invocation: { config_source: evil[0] } },
        { ...early, invocation: { configSource: { Uri: "pkg:npm/evil@1" } } },
      ]
    ) equal(await reasonOf(rule, content, v02), "condition-error", JSON.stringify(content));
    equal(await reasonOf(rule, { ...early, materials: [good] }, v02), null);
  });
});

describe("an allowed dependency", () => {
  const of = (allowed: string[], uri: string) =>
    reasonOf({ dependencies: { allowed } }, built({ resolvedDependencies: [{ uri }] }), PROVENANCE);

  it("is of no other registry than the pattern means", async () => {
    const refused = "dependency-not-allowed";
    const evil = "pkg:npm/good@1?repository_url=evil.example";
    equal(await of(["pkg:npm/good@*"], evil), refused);
    equal(await of(["pkg:npm/**"], "pkg:npm/good@1?download_url=https://evil.example/x"), refused);
    equal(
      await of(["pkg:npm/**"], "pkg:npm/good@1?a=b&repository%5furl=evil.example"),
      "malformed-purl",
    );
    for (const all of ["**", "pkg:**", "pkg:npm/*repository_url=evil.example"]) {
      equal(await of([all], evil), null, all);
    }
    equal(await of(["pkg:npm/good@*"], "pkg:npm/good@1?arch=arm64"), null);
  });

  it("of an SBOM is allowed by each of its package URLs, in each version", async () => {
    const rule = { dependencies: { allowed: ["pkg:npm/good@1*"] } };
    const of = (version: string, ...urls: string[]) =>
      reasonOf(
        rule,
        spdx({
          name: "good",
          versionInfo: version,
          externalRefs: urls.map((referenceLocator) => ({
            referenceType: "purl",
            referenceLocator,
          })),
        }),
      );
    const good = "pkg:npm/good@1.0.0";
    equal(await of("1.0.0", good, good), null);
    equal(await of("1.0.0", good, "pkg:npm/evil@1.0.0"), "dependency-not-allowed");
    equal(await of("2.0.0", good), "dependency-not-allowed");
  });

  it("has a package URL that can be read", async () => {
    equal(await of(["pkg:npm/good@*"], "pkg:npm/good@%zz"), "malformed-purl");
  });
});

describe("a forbidden package", () => {
  const of = (forbidden: string, content: unknown) =>
    reasonOf({ sbom: { forbidden: [forbidden], min: 0 } }, content);
  const evil = { name: "evil", version: "1.0.0", purl: "pkg:npm/evil@1.0.0" };
  const ENTRY = "pkg:npm/evil@1.0.0";

  it("is seen by any name and version that it claims to have", async () => {
    const rows: [entry: string, one: object][] = [
      [ENTRY, { ...evil, purl: "pkg:npm/evil@2.0.0" }],
      [ENTRY, { ...evil, version: "2.0.0" }],
      [ENTRY, { ...evil, version: "v1.0.0", purl: "pkg:npm/evil" }],
      [ENTRY, { ...evil, version: " 1.0.0", purl: undefined }],
      [ENTRY, { name: "evil", version: "UNKNOWN" }],
      [ENTRY, { name: "evil", purl: "pkg:npm/evil@NOASSERTION" }],
      [ENTRY, { ...evil, purl: "pkg:npm/other@1.0.0" }],
      [ENTRY, { ...evil, name: "x", purl: "PKG:NPM/%65vil@1.0.0" }],
      [ENTRY, { ...evil, name: "x", purl: " pkg:npm/Evil@1.0.0" }],
      [ENTRY, { ...evil, name: "evil ", purl: undefined }],
      ["pkg:npm/evil", { ...evil, name: "Evil", purl: undefined }],
      ["pkg:npm/evil@*", evil],
      ["pkg:npm/ev*@1**", evil],
      ["pkg:npm/evil@2*", { name: "evil" }],
      ["PKG:npm/evil", evil],
      ["pkg:pypi/ruamel.yaml", { name: "x", purl: "pkg:pypi/ruamel-yaml@1" }],
      [ENTRY, { name: "evil@1.0.0" }],
      [ENTRY, { name: "/evil//", version: "1.0.0" }],
      ["pkg:npm/%40evil/x", { group: "@evil/", name: "x" }],
      [ENTRY, { name: "PKG:npm/evil@1.0.0" }],
      ["evil", { name: "pkg:npm/evil@1.0.0" }],
      ["evil", { name: "evil@1.0.0" }],
      [ENTRY, { "bom-ref": "pkg:npm/evil@1.0.0?package-id=1", name: "x", purl: "pkg:npm/x@1" }],
      [ENTRY, { "bom-ref": "pkg:pypi/evil@1.0.0", name: "evil", version: "1.0.0" }],
      ["evil", { ...evil, name: "x" }],
      ["EVIL", { ...evil, name: " evil" }],
      ["@evil/*", { name: "x", purl: "pkg:npm/%40evil/a@1" }],
      ["open*", { name: "debian/openssl", purl: "pkg:deb/debian/openssl@3" }],
    ];
    for (const [entry, one] of rows) {
      const told = `${entry} ${JSON.stringify(one)}`;
      equal(await of(entry, bom([{ name: "good" }, one])), "forbidden-package", told);
    }
    const others: [entry: string, one: object][] = [
      [ENTRY, { ...evil, version: "2.0.0", purl: "pkg:npm/evil@2.0.0" }],
      [ENTRY, { ...evil, name: "@x/evil", purl: "pkg:npm/%40x/evil@1.0.0" }],
      [ENTRY, { ...evil, purl: "pkg:pypi/evil@1.0.0" }],
      ["evil", { ...evil, name: "@x/evil", purl: "pkg:npm/%40x/evil@1.0.0" }],
      ["pkg:npm/evil@2*", evil],
      ["pkg:npm/ev*", { name: "x", purl: "pkg:npm/evil/x" }],
      [ENTRY, { name: "evil@2.0.0" }],
      [ENTRY, { "bom-ref": "pkg:evil", name: "x" }],
    ];
    for (const [entry, one] of others) {
      equal(await of(entry, bom([one])), null, `${entry} ${JSON.stringify(one)}`);
    }
    equal(await of("evil", bom([{ name: "x", purl: "pkg:npm/%65vil@%zz" }])), "malformed-purl");
  });

  it("is seen wherever CycloneDX lets a package be", async () => {
    const concluded = { field: "purl", concludedValue: evil.purl };
    for (
      const content of [
        bom([{ name: "a", components: [{ name: "b", components: [evil] }] }]),
        bom([], { metadata: { component: evil } }),
        bom([], { metadata: { component: { name: "app", components: [evil] } } }),
        bom([{ name: "x", purl: "pkg:npm/x@1", evidence: { identity: [concluded] } }]),
        bom([{ name: "x", evidence: { identity: { ...concluded, field: "Purl" } } }]),
        bom([{ ...evil, scope: "excluded" }]),
      ]
    ) equal(await of(ENTRY, content), "forbidden-package", JSON.stringify(content));
    for (
      const content of [
        bom([{ name: "x", purl: "pkg:npm/x@1", pedigree: { ancestors: [evil] } }]),
        bom([], { services: [{ name: "evil" }] }),
        bom([], { metadata: { tools: { components: [evil] } } }),
      ]
    ) equal(await of(ENTRY, content), null, JSON.stringify(content));
  });

  it("is seen by each way in which SPDX 2 names packages", async () => {
    const refs: [string, string][] = [
      ["purl", evil.purl],
      ["PURL", evil.purl],
      ["https://spdx.org/rdf/references/purl", evil.purl],
      ["other", ` ${evil.purl}`],
      ["npm", "evil@1.0.0"],
    ];
    for (const [referenceType, referenceLocator] of refs) {
      const externalRefs = [{ referenceType, referenceLocator }];
      const content = spdx({ name: "x", versionInfo: "1.0.0", externalRefs });
      equal(await of(ENTRY, content), "forbidden-package", referenceLocator);
    }
    const others: [string, string, string][] = [
      ["pkg:nuget/Evil@1.0", "nuget", "Evil/1.0"],
      ["pkg:maven/org.evil/a@1", "maven-central", "org.evil:a:1"],
      ["pkg:maven/org.evil/a", "http://spdx.org/rdf/references/maven-central", "org.evil:a"],
      ["pkg:npm/%40evil/a", "npm", "@evil/a@1"],
    ];
    for (const [entry, referenceType, referenceLocator] of others) {
      const content = spdx({ name: "x", externalRefs: [{ referenceType, referenceLocator }] });
      equal(await of(entry, content), "forbidden-package", referenceLocator);
    }
  });

  it("is seen in any element of an SPDX 3 document", async () => {
    const one = { type: "software_Package", name: "evil", software_packageVersion: "1.0.0" };
    const identifier = (more: object) => ({
      type: "software_Package",
      name: "x",
      software_packageVersion: "1.0.0",
      externalIdentifier: [{ externalIdentifierType: "other", identifier: evil.purl, ...more }],
    });
    for (
      const content of [
        graph(one),
        graph({ type: "SpdxDocument", rootElement: [one] }),
        graph({ type: "Relationship", to: [{ type: "software_Sbom", element: [one] }] }),
        graph({ ...one, type: "ai_AIPackage" }),
        graph({ ...one, type: "dataset_DatasetPackage" }),
        graph({ ...one, type: "spdx:Software/Package" }),
        graph({ ...one, type: "https://spdx.org/rdf/3.0.1/terms/Software/Package" }),
        graph({ ...one, type: "Element", "@type": "software_Package" }),
        graph(identifier({})),
        graph(identifier({ externalIdentifierType: "packageURL" })),
        graph(identifier({ identifier: ` ${evil.purl}` })),
      ]
    ) equal(await of(ENTRY, content), "forbidden-package", JSON.stringify(content));
    const apart = { "@id": "_:i", type: "ExternalIdentifier", identifier: evil.purl };
    const pointing = { ...one, name: "x", externalIdentifier: ["_:i"] };
    equal(await of(ENTRY, graph(apart, pointing)), "forbidden-package");
    const person = { type: "Person", externalIdentifier: ["urn:elsewhere"] };
    equal(await of(ENTRY, graph(person, { ...one, name: "good" })), null);
  });

  it("is not passed over where a document could be read in another way", async () => {
    const good = { name: "good" };
    const named = { type: "software_Package", name: "good" };
    const context = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";
    for (
      const content of [
        bom([good], { Components: [evil] }),
        bom([good], { COMPONENTS: [evil] }),
        bom([{ ...good, Purl: evil.purl }]),
        bom([{ ...good, Components: [evil] }]),
        bom([], { metadata: { Component: evil } }),
        bom([{ ...good, evidence: [{ identity: [] }] }]),
        bom([{ ...good, evidence: { identity: [[]] } }]),
        bom([{
          ...good,
          evidence: { identity: [{ field: "purl", concludedValue: [evil.purl] }] },
        }]),
        { ...spdx(good), Packages: [evil] },
        { Data: bom([good]), BomFormat: "CycloneDX", Components: [evil] },
        { ...bom([good]), DATA: bom([evil]) },
        { Data: bom([good], { Components: [evil] }) },
        bom([{ ...good, evidence: { Identity: [] } }]),
        { ...spdx(good), BomFormat: "CycloneDX", components: [evil] },
        spdx({ ...good, external_refs: [] }),
        spdx({ ...good, externalRefs: [{ ReferenceLocator: evil.purl }] }),
        { ...graph(named), "@context": [context, { p: "software_Package" }] },
        { ...graph(named), "@context": [context, "https://evil.example/context"] },
        { ...graph(named), "@context": { name: "https://evil.example/" } },
        graph({ "@context": { p: "software_Package" }, type: "p", name: "evil" }),
        graph({ ...named, "spdx:Software/packageUrl": evil.purl }),
        graph({ ...named, "https://spdx.org/rdf/3.0.1/terms/Software/packageUrl": evil.purl }),
        graph({ ...named, externalIdentifier: ["urn:elsewhere"] }),
        graph({ ...named, externalIdentifier: [{ identifier: { "@value": evil.purl } }] }),
        graph({ ...named, software_package_url: evil.purl }),
        graph({
          type: "SpdxDocument",
          rootElement: [{ type: ["software_Package"], name: "evil" }],
        }),
      ]
    ) equal(await of("pkg:npm/evil", content), "condition-error", JSON.stringify(content));
  });
});

describe("a required package", () => {
  const of = (required: string, ...components: object[]) =>
    reasonOf({ sbom: { required: [required] } }, bom(components));
  const good = { name: "good", version: "2.0.0", purl: "pkg:npm/good@2.0.0" };

  it("is not met by what contradicts itself, or is another build of it", async () => {
    const ENTRY = "pkg:npm/good@2.0.0";
    equal(await of(ENTRY, good), null);
    equal(await of(ENTRY, { ...good, version: "1.0.0" }), "missing-package");
    equal(await of(ENTRY, { ...good, purl: "pkg:npm/good@1.0.0" }), "missing-package");
    equal(await of(ENTRY, { ...good, purl: "pkg:npm/Good@2.0.0" }), "missing-package");
    equal(await of(`${ENTRY}?arch=arm64`, good), "missing-package");
    equal(
      await of(`${ENTRY}?arch=arm64`, { ...good, purl: `${ENTRY}?arch=x64` }),
      "missing-package",
    );
    equal(await of(`${ENTRY}?arch=x64`, { ...good, purl: `${ENTRY}?a=b&arch=x64` }), null);
  });

  it("needs a version that says something", async () => {
    const versions = (version: string) =>
      reasonOf({ sbom: { versions: true } }, bom([{ name: "good", version }]));
    for (const none of [" ", "UNKNOWN", "noassertion"]) {
      equal(await versions(none), "unversioned-package", none);
    }
    equal(await versions("1"), null);
  });
});

describe("what is no forbidden package", () => {
  const of = (forbidden: string, component: object) =>
    reasonOf({ sbom: { forbidden: [forbidden] } }, bom([component]), "https://cyclonedx.org/bom");

  it("has a name beside its URL that is of another type, or written as its registry does not", async () => {
    const folder = { name: "folder", version: "1.0.0", purl: "pkg:npm/acme-app@1.0.0" };
    const dotted = { name: "boolean.py", version: "5.0", purl: "pkg:pypi/boolean.py@5.0" };
    for (const one of [folder, dotted]) {
      for (const forbidden of ["pkg:maven/**", "pkg:maven/org.acme/folder", "pkg:gem/boolean.py"]) {
        equal(await of(forbidden, one), null, forbidden);
      }
    }
    equal(await of("pkg:npm/folder", folder), "forbidden-package");
    equal(await of("pkg:npm/acme-app", folder), "forbidden-package");
    equal(await of("pkg:pypi/boolean-py", dotted), "forbidden-package");
  });

  it("has only a name, where the rule names nobody", async () => {
    const one = { name: "Dockerfile" };
    for (const forbidden of ["pkg:npm/**", "pkg:npm/*", "pkg:npm/@acme/*", "pkg:npm/@acme/**"]) {
      equal(await of(forbidden, one), null, forbidden);
    }
    equal(await of("pkg:npm/@acme/*", { name: "@acme/x" }), "forbidden-package");
    equal(await of("pkg:npm/@acme/x", { name: "x" }), "forbidden-package");
    equal(await of("pkg:npm/Docker*", one), "forbidden-package");
    equal(await of("pkg:npm/**", { name: "x", purl: "pkg:npm/x" }), "forbidden-package");
  });
});
