import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isProportional } from "../../tests/fixtures/growth.ts";
import {
  cycloneDxPredicate,
  listCycloneDxComponents,
  mapCycloneDxDependencies,
} from "./cyclonedx.ts";
import { listPackages } from "./list_packages.ts";
import { listVexStatements } from "./openvex.ts";
import { listSpdxPackages } from "./spdx.ts";
import { listVulnerabilities } from "./vulns.ts";

const SHA256 = "a".repeat(64);

describe("listPackages()", () => {
  const spdx = {
    spdxVersion: "SPDX-2.3",
    SPDXID: "SPDXRef-DOCUMENT",
    packages: [{
      SPDXID: "SPDXRef-a",
      name: "a",
      versionInfo: "1.0.0",
      checksums: [
        { algorithm: "SHA256", checksumValue: "A".repeat(64) },
        { algorithm: "SHA3-256", checksumValue: "b" },
        { algorithm: "BLAKE2b-512", checksumValue: "c" },
      ],
      externalRefs: [
        { referenceType: "cpe23Type", referenceLocator: "cpe:2.3:a:a:a:1.0.0" },
        { referenceType: "purl", referenceLocator: "pkg:npm/a@1.0.0" },
        {
          referenceType: "http://spdx.org/rdf/references/purl",
          referenceLocator: "pkg:npm/a@1.0.0?x=y",
        },
      ],
    }, { SPDXID: "SPDXRef-b", name: "b" }],
  };
  const found = [{
    name: "a",
    purls: ["pkg:npm/a@1.0.0", "pkg:npm/a@1.0.0?x=y"],
    digest: { sha256: SHA256, sha3_256: "b", blake2b: "c" },
    version: "1.0.0",
    id: "SPDXRef-a",
  }, { name: "b", purls: [], digest: {}, id: "SPDXRef-b" }];

  it("reads SPDX 2, also in cosign's wrapper", () => {
    deepEqual(listPackages(spdx), found);
    deepEqual(listPackages({ Data: spdx, Timestamp: "" }), found);
  });

  it("reads SPDX 3 with its references", () => {
    const graph = [
      { type: "SpdxDocument", spdxId: "urn:doc" },
      { type: "Hash", "@id": "_:h", algorithm: "sha256", hashValue: SHA256 },
      {
        type: "software_Package",
        spdxId: "urn:a",
        name: "a",
        software_packageVersion: "1.0.0",
        software_packageUrl: "pkg:npm/a@1.0.0",
        verifiedUsing: ["_:h", "_:lost"],
        externalIdentifier: [
          { externalIdentifierType: "packageUrl", identifier: "pkg:npm/a@1.0.0" },
          { externalIdentifierType: "packageUrl", identifier: "pkg:github/x/a@1.0.0" },
          { externalIdentifierType: "cpe23", identifier: "cpe:2.3:a" },
        ],
      },
      { type: "software_File", spdxId: "urn:f", name: "f" },
    ];
    const wanted = [{
      name: "a",
      purls: ["pkg:npm/a@1.0.0", "pkg:github/x/a@1.0.0"],
      digest: { sha256: SHA256 },
      version: "1.0.0",
      id: "urn:a",
    }];
    deepEqual(listPackages({ "@context": "", "@graph": graph }), wanted);
    deepEqual(listSpdxPackages({ "@graph": graph }), wanted);
  });

  it("reads CycloneDX, what lies in a component after it", () => {
    const bom = {
      bomFormat: "CycloneDX",
      metadata: { component: { name: "app" } },
      components: [
        {
          name: "a",
          group: "@x",
          "bom-ref": "r",
          hashes: [{ alg: "SHA-256", content: SHA256 }, { alg: "SHA3-384", content: "D" }],
          components: [{ name: "b", components: [{ name: "c" }] }, { name: "d" }],
        },
        { name: "e", version: "2", purl: "pkg:npm/e@2" },
      ],
    };
    const names = listPackages(bom)?.map(({ name }) => name);
    deepEqual(names, ["@x/a", "b", "c", "d", "e"]);
    deepEqual(listCycloneDxComponents(bom)[0].digest, { sha256: SHA256, sha3_384: "d" });
    equal(listCycloneDxComponents(bom)[0].id, "r");
    deepEqual(listCycloneDxComponents(bom)[4].purls, ["pkg:npm/e@2"]);
    const inner = {
      metadata: { component: { name: "app", components: [{ name: "a", group: "" }] } },
    };
    deepEqual(listCycloneDxComponents(inner).map(({ name }) => name), ["a"]);
  });

  it("does not take what it cannot read for an empty list", () => {
    for (
      const document of [{}, { Data: "SPDXVersion: SPDX-2.2" }, { packages: [] }, { "@graph": 1 }]
    ) {
      equal(listPackages(document), undefined);
    }
    deepEqual(listPackages({ bomFormat: "CycloneDX" }), []);
  });

  it("passes over what has the wrong type", () => {
    deepEqual(
      listCycloneDxComponents({
        components: [null, 1, { name: 7, purl: 8, hashes: [{ alg: 1 }] }],
      }),
      [{ name: "", purls: [], digest: {} }],
    );
    const odd = [
      { name: 7, group: "@x" },
      { name: "a", group: 7, purl: "", hashes: [{ alg: "SHA-256", content: 7 }, { content: "a" }] },
    ];
    deepEqual(listCycloneDxComponents({ components: [{ name: "a" }], metadata: {} }).length, 1);
    deepEqual(listCycloneDxComponents({ components: odd, metadata: { component: 7 } }), [
      { name: "", purls: [], digest: {} },
      { name: "a", purls: [], digest: {} },
    ]);
  });

  it("is no way to reach a prototype", () => {
    const [item] = listCycloneDxComponents({
      components: [{ name: "a", hashes: [{ alg: "__proto__", content: "x" }] }],
    });
    equal(Object.getPrototypeOf(item.digest), Object.prototype);
    equal(({} as Record<string, unknown>).x, undefined);
  });
});

describe("100 000 components and dependencies", () => {
  const work = (count: number) => {
    const names = Array.from({ length: count }, (_, index) => `p${index}`);
    const bom = {
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      components: names.map((name) => ({ type: "library", name, purl: `pkg:npm/${name}@1.0.0` })),
      dependencies: [{ ref: "app", dependsOn: names }],
    };
    return () => {
      deepEqual(cycloneDxPredicate.validate(bom), []);
      equal(listPackages(bom)?.length, count);
      equal(mapCycloneDxDependencies(bom).get("app")?.length, count);
    };
  };

  it("are validated and listed in time that grows with their number", async () => {
    work(100_000)();
    ok(await isProportional(work, 16_000));
  });

  it("nested in each other, they are refused", () => {
    const root: Record<string, unknown> = { type: "a", name: "a" };
    let last = root;
    for (let depth = 0; depth < 100_000; depth++) {
      const inner = { type: "a", name: "a" };
      last.components = [inner];
      last = inner;
    }
    const bom = { bomFormat: "CycloneDX", specVersion: "1.6", components: [root] };
    const [problem] = cycloneDxPredicate.validate(bom);
    equal(problem.reason, "limit-exceeded");
    equal(listCycloneDxComponents({ components: [root] } as object).length, 100_001);
  });
});

describe("mapCycloneDxDependencies()", () => {
  it("joins what is said of one component, and tells none from unknown", () => {
    const found = mapCycloneDxDependencies({
      dependencies: [
        { ref: "a", dependsOn: ["b"] },
        { ref: "a", dependsOn: ["c", 1] },
        { ref: "b" },
        { ref: 1 },
      ],
    });
    deepEqual([...found], [["a", ["b", "c"]], ["b", []]]);
  });
});

describe("listVulnerabilities()", () => {
  const of = (result: unknown) => listVulnerabilities({ scanner: { result } });

  it("reads v0.2 and v0.1", () => {
    const severity = [{ method: "nvd", score: "9.8" }, { method: "cvss", score: "7" }];
    const wanted = [{ id: "CVE-1", severities: severity }];
    deepEqual(of([{ id: "CVE-1", severity }]), wanted);
    deepEqual(of([{ vulnerability: { id: "CVE-1", severity } }]), wanted);
    deepEqual(of([{ vulnerability: { id: "CVE-1" } }]), [{ id: "CVE-1", severities: [] }]);
  });

  it("reads the reports of Trivy, Grype and SARIF", () => {
    deepEqual(
      of({
        SchemaVersion: 2,
        Results: [{ Target: "clean" }, {
          Vulnerabilities: [
            {
              VulnerabilityID: "CVE-1",
              Severity: "HIGH",
              SeveritySource: "nvd",
              PkgName: "a",
              PkgIdentifier: { PURL: "pkg:npm/a@1" },
            },
            { VulnerabilityID: "CVE-2", PkgName: "b" },
            { VulnerabilityID: "CVE-3", Severity: "LOW" },
          ],
        }],
      }),
      [
        {
          id: "CVE-1",
          severities: [{ method: "nvd", score: "HIGH" }],
          package: "pkg:npm/a@1",
        },
        { id: "CVE-2", severities: [], package: "b" },
        { id: "CVE-3", severities: [{ method: "trivy", score: "LOW" }] },
      ],
    );
    deepEqual(
      of({
        matches: [{
          vulnerability: { id: "GHSA-1", severity: "Critical" },
          artifact: { name: "a", purl: "pkg:npm/a@1" },
        }],
      }),
      [{
        id: "GHSA-1",
        severities: [{ method: "grype", score: "Critical" }],
        package: "pkg:npm/a@1",
      }],
    );
    deepEqual(of({ runs: [{ results: [{ ruleId: "CVE-1", level: "error" }] }, { results: [] }] }), [
      { id: "CVE-1", severities: [{ method: "sarif", score: "error" }] },
    ]);
  });

  it("lists what a report sets aside, and tells that it does", () => {
    const Finding = { VulnerabilityID: "CVE-1", Severity: "HIGH" };
    const trivy = {
      Results: [{
        Vulnerabilities: [{ ...Finding, VulnerabilityID: "CVE-0" }],
        ExperimentalModifiedFindings: [
          { Type: "vulnerability", Status: "ignored", Finding },
          { Type: "secret", Finding: {} },
        ],
      }],
    };
    const high = [{ method: "trivy", score: "HIGH" }];
    deepEqual(of(trivy), [
      { id: "CVE-0", severities: high },
      { id: "CVE-1", severities: high, suppressed: true },
    ]);
    const match = (id: string, name: string, type: string) => ({
      vulnerability: { id, severity: "Low" },
      artifact: { name },
      matchDetails: [{ type }],
    });
    const indirect = "exact-indirect-match";
    const grype = {
      matches: [match("CVE-0", "a", "exact-direct-match")],
      ignoredMatches: [
        match("CVE-1", "linux-libc-dev", indirect),
        match("CVE-2", "linux-libc-dev", "exact-direct-match"),
        match("CVE-3", "kernel-headers", indirect),
        match("CVE-4", "linux-aws-headers-6.8", indirect),
        match("CVE-5", "linux-image", indirect),
        match("CVE-6", "c-headers", indirect),
        { ...match("CVE-7", "kernel-headers", indirect), matchDetails: [null] },
      ],
    };
    deepEqual(
      of(grype)?.map(({ id, suppressed }) => [id, suppressed]),
      [["CVE-0", undefined], ["CVE-2", true], ["CVE-5", true], ["CVE-6", true], ["CVE-7", true]],
    );
    const results = [
      { ruleId: "CVE-1", level: "note", suppressions: [] },
      { ruleId: "CVE-2", level: "note", suppressions: [{ kind: "inSource" }] },
      { ruleId: "CVE-3", kind: "pass" },
    ];
    deepEqual(of({ runs: [{ results }] }), [
      { id: "CVE-1", severities: [{ method: "sarif", score: "note" }] },
      { id: "CVE-2", severities: [{ method: "sarif", score: "note" }], suppressed: true },
      { id: "CVE-3", severities: [{ method: "sarif", score: "none" }] },
    ]);
  });

  it("tells nothing found from not understood", () => {
    for (
      const result of [
        [],
        { Results: [] },
        { SchemaVersion: 2 },
        { matches: [] },
        { runs: [{ results: [] }] },
        { runs: [{ results: [], externalPropertyFileReferences: null }] },
        { runs: [{ results: [], externalPropertyFileReferences: { artifacts: [{}] } }] },
        { runs: [{ results: [], invocations: [{ executionSuccessful: true }, null] }] },
      ]
    ) {
      deepEqual(of(result), []);
    }
    for (
      const result of [
        undefined,
        null,
        "text",
        {},
        { findings: [] },
        [1],
        [{}],
        [{ id: "" }],
        [{ id: "CVE-1" }, { name: "CVE-2" }],
        [{ id: "CVE-1", severity: ["high"] }],
        { Results: "none" },
        { SchemaVersion: 2, Results: { a: 1 } },
        { SchemaVersion: 2, Results: 7 },
        { Results: [{ Vulnerabilities: {} }] },
        { Results: [{ Vulnerabilities: [{}] }] },
        { matches: [{ artifact: {} }] },
        { matches: [{ vulnerability: { severity: "High" } }] },
        { runs: [{ results: [{ message: "a" }] }] },
        { Results: [{ ExperimentalModifiedFindings: [{ Finding: {} }] }] },
        { Results: [{ ExperimentalModifiedFindings: [{ Type: "secret" }] }] },
        { Results: [{ ExperimentalModifiedFindings: [{ Type: "a", type: "b", Finding: {} }] }] },
        { matches: [{ vulnerability: { id: "CVE-1" }, Vulnerability: {} }] },
        { matches: [{ vulnerability: { id: "CVE-1", ID: "CVE-2" } }] },
        { ignoredMatches: [] },
        [{ vulnerability: { id: "CVE-1" }, Severity: [] }],
        [{ vulnerability: { id: "CVE-1", Severity: [] } }],
        [{ id: "CVE-1", severity: [{ method: "a", score: "1", Score: "9" }] }],
        { runs: [{ results: [{ ruleId: "CVE-1", RuleId: "CVE-2" }] }] },
        { runs: "none" },
        { inlineExternalProperties: [] },
        { Results: [{ ExperimentalModifiedFindings: [{ Type: "vulnerability", Finding: {} }] }] },
        { matches: [], ignoredMatches: [{}] },
        [{ id: "CVE-1", vulnerability: { id: "CVE-2" } }],
        { runs: [{ results: [], externalPropertyFileReferences: [] }] },
        { runs: [] },
        { runs: [{}] },
        { runs: [null] },
        { runs: [{ results: [] }, { results: null }] },
        { Results: [], matches: [{ vulnerability: { id: "CVE-1" } }] },
      ]
    ) equal(of(result), undefined, JSON.stringify(result));
    equal(listVulnerabilities({}), undefined);
  });
});

describe("listVexStatements()", () => {
  it("reads the forms of both versions", () => {
    const statements = [
      { vulnerability: "CVE-1", products: ["pkg:npm/a@1"], status: "fixed" },
      {
        vulnerability: { name: "CVE-2", aliases: ["GHSA-2"] },
        products: [
          { "@id": "pkg:npm/a@1", identifiers: { purl: "pkg:npm/a@1" } },
          { identifiers: { purl: "pkg:npm/b@1" } },
        ],
        status: "not_affected",
        justification: "component_not_present",
      },
      {
        vulnerability: { "@id": "https://example.com/CVE-3", name: "", aliases: ["", 7] },
        status: "affected",
      },
      { vulnerability: "CVE-4", status: "maybe" },
      { status: "fixed" },
    ];
    deepEqual(listVexStatements({ statements }), [
      { vulnerability: "CVE-1", aliases: [], products: ["pkg:npm/a@1"], status: "fixed" },
      {
        vulnerability: "CVE-2",
        aliases: ["GHSA-2"],
        products: ["pkg:npm/a@1", "pkg:npm/b@1"],
        status: "not_affected",
        justification: "component_not_present",
      },
      { vulnerability: "https://example.com/CVE-3", aliases: [], products: [], status: "affected" },
    ]);
    const odd = [null, { vulnerability: "CVE-1", products: [null, 7, "a"], status: "fixed" }];
    deepEqual(listVexStatements({ statements: odd })[0].products, ["a"]);
    deepEqual(listVexStatements({}), []);
  });
});
