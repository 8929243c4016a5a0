import type { Reason } from "../../errors.ts";
import type { JsonObject } from "../../internal/json.ts";

/** A predicate in which something is wrong. */
export interface BadPredicate {
  /** What is wrong, in words. */
  name: string;
  value: unknown;
  /** Reason and pointer of each problem. */
  problems: [Reason, string][];
  /** `predicateType`, if not the kind's first. */
  predicateType?: string;
  /** It can be read all the same: a contradiction, or a name that nobody needs. */
  readable?: true;
  /** A JSON Schema cannot say it. */
  beyondSchema?: true;
}

/** Predicates of one kind. */
export interface Examples {
  good: JsonObject[];
  bad: BadPredicate[];
}

const SHA256 = "a".repeat(64);
const TIME = "2025-01-02T03:04:05Z";
const LATER = "2025-01-02T03:05:05.123Z";
const METADATA = { scanStartedOn: TIME, scanFinishedOn: LATER };
const SCANNER = { uri: "https://example.com/scanner", version: "1.0.0", result: [] };
const RESOURCE = { uri: "https://example.com/a", digest: { sha256: SHA256 } };

function bad(
  name: string,
  value: unknown,
  reason: Reason,
  path: string,
  more: Partial<BadPredicate> = {},
): BadPredicate {
  return { name, value, problems: [[reason, path]], ...more };
}

const missing = (name: string, value: unknown, path: string): BadPredicate =>
  bad(name, value, "missing-predicate-field", path);
const wrong = (name: string, value: unknown, path: string): BadPredicate =>
  bad(name, value, "malformed-predicate", path);

const VULN_SCAN = { scanner: SCANNER, metadata: METADATA };
const VEX = {
  "@context": "https://openvex.dev/ns/v0.2.0",
  "@id": "https://example.com/vex/1",
  author: "security@example.com",
  timestamp: "2023-01-08T18:02:03.647787998-06:00",
  version: 1,
};
const CVE = { name: "CVE-2024-1" };
const SVR = { timeCreated: TIME, properties: ["SLSA_BUILD_LEVEL_3"] };
const VERIFIER = { id: "https://example.com/verifier", policies: [] };
const TRACE = {
  monitor: { type: "https://example.com/monitor" },
  monitoredProcess: {
    hostID: "https://ci.example.com",
    type: "https://example.com/build",
    event: "run-1",
  },
  monitorLog: { network: [] },
};
const SPDX = { spdxVersion: "SPDX-2.3", SPDXID: "SPDXRef-DOCUMENT" };
const SPDX3 = {
  "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
  "@graph": [{ type: "SpdxDocument" }],
};
const BOM = { bomFormat: "CycloneDX", specVersion: "1.6" };

/** By name of the kind. */
export const EXAMPLES: Readonly<Record<string, Examples>> = {
  "link": {
    good: [
      { name: "build" },
      {
        name: "build",
        command: ["make", ""],
        materials: [{ name: "a.c", digest: { sha256: SHA256 } }],
        byproducts: { "return-value": 0 },
        environment: null,
      },
    ],
    bad: [
      missing("no name", {}, "/name"),
      missing("an empty name", { name: "" }, "/name"),
      missing("a name that is null", { name: null }, "/name"),
      wrong("a name that is no text", { name: 1 }, "/name"),
      wrong("a command that is a text", { name: "b", command: "make" }, "/command"),
      wrong("an argument that is no text", { name: "b", command: ["a", 1] }, "/command/1"),
      missing(
        "a material without a name",
        { name: "b", materials: [{ digest: { sha256: SHA256 } }] },
        "/materials/0/name",
      ),
      missing(
        "a material without a digest",
        { name: "b", materials: [{ name: "a" }] },
        "/materials/0/digest",
      ),
      bad(
        "a digest that is cut",
        { name: "b", materials: [{ name: "a", digest: { sha256: "abc123" } }] },
        "invalid-digest",
        "/materials/0/digest/sha256",
      ),
      bad(
        "two materials of one name",
        {
          name: "b",
          materials: [
            { name: "a", digest: { sha256: SHA256 } },
            { name: "a", digest: { sha256: SHA256 } },
          ],
        },
        "malformed-predicate",
        "/materials/1/name",
        { beyondSchema: true },
      ),
      {
        ...missing("two materials without a name", {
          name: "b",
          materials: [{ digest: { sha256: SHA256 } }, { digest: { sha256: SHA256 } }],
        }, ""),
        problems: [
          ["missing-predicate-field", "/materials/0/name"],
          ["missing-predicate-field", "/materials/1/name"],
        ],
      },
      wrong("byproducts that are a list", { name: "b", byproducts: [] }, "/byproducts"),
      wrong("an environment that is a text", { name: "b", environment: "ci" }, "/environment"),
    ],
  },
  "legacy-link": {
    good: [{ _type: "link", name: "b", materials: {}, products: { a: { sha256: SHA256 } } }],
    bad: [
      wrong("products that are a text", { name: "b", products: "a" }, "/products"),
      bad(
        "a material that says nothing",
        { materials: [{}] },
        "empty-resource-descriptor",
        "/materials/0",
      ),
    ],
  },
  "scai": {
    good: [
      { attributes: [{ attribute: "REPRODUCIBLE" }] },
      {
        attributes: [{
          attribute: "HAS_SBOM",
          target: RESOURCE,
          conditions: { os: "linux" },
          evidence: RESOURCE,
        }],
        producer: { uri: "https://example.com/producer" },
      },
    ],
    bad: [
      missing("no attributes", {}, "/attributes"),
      wrong("an empty list", { attributes: [] }, "/attributes"),
      wrong("attributes by name", { attributes: { a: 1 } }, "/attributes"),
      wrong("an attribute that is a text", { attributes: ["A"] }, "/attributes/0"),
      missing("a claim without its attribute", { attributes: [{}] }, "/attributes/0/attribute"),
      wrong(
        "conditions that are a list",
        { attributes: [{ attribute: "A", conditions: [] }] },
        "/attributes/0/conditions",
      ),
      bad(
        "evidence that is a text",
        { attributes: [{ attribute: "A", evidence: "log" }] },
        "malformed-resource-descriptor",
        "/attributes/0/evidence",
      ),
      bad(
        "a target that says nothing",
        { attributes: [{ attribute: "A", target: { mediaType: "text/plain" } }] },
        "empty-resource-descriptor",
        "/attributes/0/target",
      ),
    ],
  },
  "spdx": {
    good: [
      SPDX,
      { ...SPDX, packages: null, name: "app" },
      {
        ...SPDX,
        creationInfo: { created: TIME, creators: ["Tool: example"] },
        packages: [{
          SPDXID: "SPDXRef-a",
          name: "left-pad",
          versionInfo: "1.3.0",
          checksums: [{ algorithm: "SHA256", checksumValue: "A".repeat(64) }],
          externalRefs: [{
            referenceCategory: "PACKAGE-MANAGER",
            referenceType: "purl",
            referenceLocator: "pkg:npm/left-pad@1.3.0",
          }, { referenceType: "cpe23Type", referenceLocator: "cpe:2.3:a" }],
        }],
      },
      { Data: SPDX, Timestamp: TIME },
      { Data: "SPDXVersion: SPDX-2.2\n" },
      { ...SPDX, Data: {} },
    ],
    bad: [
      {
        ...missing("nothing", {}, ""),
        problems: [
          ["missing-predicate-field", "/spdxVersion"],
          ["missing-predicate-field", "/SPDXID"],
        ],
      },
      wrong("SPDX 3 as SPDX 2", { ...SPDX, spdxVersion: "SPDX-3.0" }, "/spdxVersion"),
      wrong("the id of a package", { ...SPDX, SPDXID: "SPDXRef-a" }, "/SPDXID"),
      missing(
        "a package without a name",
        { ...SPDX, packages: [{ SPDXID: "SPDXRef-a" }] },
        "/packages/0/name",
      ),
      missing(
        "a wrapped document without its version",
        { Data: { SPDXID: "SPDXRef-DOCUMENT", name: "app" } },
        "/Data/spdxVersion",
      ),
      bad(
        "a package URL that is none",
        {
          ...SPDX,
          packages: [{
            SPDXID: "SPDXRef-a",
            name: "a",
            externalRefs: [{ referenceType: "purl", referenceLocator: "npm/a" }],
          }],
        },
        "malformed-purl",
        "/packages/0/externalRefs/0/referenceLocator",
        { readable: true },
      ),
      bad(
        "2.2 where predicateType says 2.3",
        { ...SPDX, spdxVersion: "SPDX-2.2" },
        "inconsistent-predicate",
        "/spdxVersion",
        { readable: true, predicateType: "https://spdx.dev/Document/v2.3" },
      ),
      bad(
        "a time with an offset",
        { ...SPDX, creationInfo: { created: "2025-01-02T03:04:05+01:00" } },
        "invalid-timestamp",
        "/creationInfo/created",
      ),
    ],
  },
  "spdx-v3": {
    good: [SPDX3, { ...SPDX3, "@context": [SPDX3["@context"], { ext: "https://example.com/" }] }],
    bad: [
      missing("no context", { "@graph": [{}] }, "/@context"),
      missing("a context that is null", { ...SPDX3, "@context": null }, "/@context"),
      wrong("a context in a list", { ...SPDX3, "@context": [[SPDX3["@context"]]] }, "/@context"),
      wrong("another context", { ...SPDX3, "@context": "https://schema.org" }, "/@context"),
      missing("no element", { ...SPDX3, "@graph": [] }, "/@graph"),
      wrong("an element that is a text", { ...SPDX3, "@graph": ["a"] }, "/@graph/0"),
    ],
  },
  "cyclonedx": {
    good: [
      BOM,
      {
        ...BOM,
        serialNumber: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        version: 1,
        metadata: { timestamp: "2025-01-02T03:04:05+01:00", component: { type: "a", name: "b" } },
        components: [{
          type: "library",
          "bom-ref": "a",
          group: "@x",
          name: "a",
          version: "1.0.0",
          purl: "pkg:npm/%40x/a@1.0.0",
          hashes: [{ alg: "SHA-256", content: SHA256 }],
          components: [{ type: "file", name: "inner" }],
        }],
        dependencies: [{ ref: "a", dependsOn: ["b"] }, { ref: "b" }],
      },
      { Data: BOM },
    ],
    bad: [
      missing("no format", { specVersion: "1.6" }, "/bomFormat"),
      wrong("another format", { ...BOM, bomFormat: "SPDX" }, "/bomFormat"),
      wrong("a version that is a number", { ...BOM, specVersion: 1.6 }, "/specVersion"),
      missing(
        "a component in a component without a name",
        { ...BOM, components: [{ type: "a", name: "b", components: [{ type: "a" }] }] },
        "/components/0/components/0/name",
      ),
      bad(
        "a package URL with white space",
        { ...BOM, components: [{ type: "library", name: "a", purl: "pkg:npm/left pad" }] },
        "malformed-purl",
        "/components/0/purl",
        { readable: true },
      ),
      missing("a dependency of nothing", { ...BOM, dependencies: [{}] }, "/dependencies/0/ref"),
      bad(
        "1.6 where predicateType says 1.4",
        BOM,
        "inconsistent-predicate",
        "/specVersion",
        { readable: true, predicateType: "https://cyclonedx.org/bom/v1.4" },
      ),
    ],
  },
  "vulns": {
    good: [
      VULN_SCAN,
      {
        ...VULN_SCAN,
        scanner: {
          ...SCANNER,
          db: { uri: "https://example.com/db", version: "7", lastUpdate: TIME },
          result: [{
            id: "CVE-2024-1",
            severity: [{ method: "nvd", score: "9.8" }],
            annotations: [{ a: 1 }],
          }],
        },
      },
    ],
    bad: [
      missing("no scanner", { metadata: METADATA }, "/scanner"),
      missing("no scanner's URI", { ...VULN_SCAN, scanner: { result: [] } }, "/scanner/uri"),
      missing("no result", { ...VULN_SCAN, scanner: { uri: "a:b" } }, "/scanner/result"),
      missing(
        "a database without its date",
        { ...VULN_SCAN, scanner: { ...SCANNER, db: { version: "7" } } },
        "/scanner/db/lastUpdate",
      ),
      missing(
        "a finding without an id",
        {
          ...VULN_SCAN,
          scanner: { ...SCANNER, result: [{ severity: [{ method: "a", score: "b" }] }] },
        },
        "/scanner/result/0/id",
      ),
      missing(
        "a finding without a severity",
        { ...VULN_SCAN, scanner: { ...SCANNER, result: [{ id: "CVE-2024-1" }] } },
        "/scanner/result/0/severity",
      ),
      missing(
        "a severity without a score",
        {
          ...VULN_SCAN,
          scanner: { ...SCANNER, result: [{ id: "CVE-2024-1", severity: [{ method: "nvd" }] }] },
        },
        "/scanner/result/0/severity/0/score",
      ),
      wrong(
        "an annotation that is a text",
        {
          ...VULN_SCAN,
          scanner: {
            ...SCANNER,
            result: [{
              id: "CVE-2024-1",
              severity: [{ method: "nvd", score: "9.8" }],
              annotations: ["a"],
            }],
          },
        },
        "/scanner/result/0/annotations/0",
      ),
      missing("no metadata", { scanner: SCANNER }, "/metadata"),
      missing(
        "no end",
        { ...VULN_SCAN, metadata: { scanStartedOn: TIME } },
        "/metadata/scanFinishedOn",
      ),
      bad(
        "a time with an offset",
        { ...VULN_SCAN, metadata: { ...METADATA, scanStartedOn: "2025-01-02T03:04:05+00:00" } },
        "invalid-timestamp",
        "/metadata/scanStartedOn",
      ),
      bad(
        "an end before the start",
        { ...VULN_SCAN, metadata: { scanStartedOn: LATER, scanFinishedOn: TIME } },
        "inconsistent-predicate",
        "/metadata/scanFinishedOn",
        { readable: true, beyondSchema: true },
      ),
    ],
  },
  "vulns-v0.1": {
    good: [
      VULN_SCAN,
      { ...VULN_SCAN, scanner: { ...SCANNER, result: [{ vulnerability: { id: "CVE-2024-1" } }] } },
    ],
    bad: [
      missing(
        "a finding of v0.2",
        { ...VULN_SCAN, scanner: { ...SCANNER, result: [{ id: "CVE-2024-1" }] } },
        "/scanner/result/0/vulnerability",
      ),
      missing(
        "a finding without an id",
        { ...VULN_SCAN, scanner: { ...SCANNER, result: [{ vulnerability: { a: 1 } }] } },
        "/scanner/result/0/vulnerability/id",
      ),
    ],
  },
  "vuln": {
    good: [
      { scanner: { result: { Results: [] } }, metadata: METADATA },
      {
        invocation: { parameters: null, uri: "", event_id: "1", "builder.id": "b" },
        scanner: { uri: "a", version: "1", db: { uri: "", version: "" }, result: [] },
        metadata: { scanStartedOn: "2021-08-06T17:45:50.52+02:00", scanFinishedOn: LATER },
      },
      {
        scanner: { uri: "a" },
        metadata: { ...METADATA, scanStartedOn: "2025-01-02T04:04:05+01:00" },
      },
    ],
    bad: [
      missing("no scanner", { metadata: METADATA }, "/scanner"),
      missing("no metadata", { scanner: { uri: "a" } }, "/metadata"),
      wrong(
        "a builder that is an object",
        { invocation: { "builder.id": {} }, scanner: { uri: "a" }, metadata: METADATA },
        "/invocation/builder.id",
      ),
      bad(
        "an hour that does not exist",
        { scanner: { uri: "a" }, metadata: { ...METADATA, scanStartedOn: "2025-01-02T25:00:00Z" } },
        "invalid-timestamp",
        "/metadata/scanStartedOn",
      ),
      bad(
        "a month that does not exist, with an offset",
        {
          scanner: { uri: "a" },
          metadata: { ...METADATA, scanStartedOn: "2025-13-02T03:04:05+01:00" },
        },
        "invalid-timestamp",
        "/metadata/scanStartedOn",
      ),
      bad(
        "an end before the start, by their offsets",
        {
          scanner: { uri: "a" },
          metadata: { ...METADATA, scanStartedOn: "2025-01-02T02:05:06-01:00" },
        },
        "inconsistent-predicate",
        "/metadata/scanFinishedOn",
        { readable: true, beyondSchema: true },
      ),
      bad(
        "an offset that does not exist",
        {
          scanner: { uri: "a" },
          metadata: { ...METADATA, scanStartedOn: "2025-01-02T03:04:05+24:00" },
        },
        "invalid-timestamp",
        "/metadata/scanStartedOn",
      ),
    ],
  },
  "test-result": {
    good: [
      { result: "PASSED", configuration: [RESOURCE] },
      { result: "WARNED", configuration: [RESOURCE], warnedTests: ["a"] },
      {
        result: "FAILED",
        configuration: [RESOURCE],
        url: "https://example.com/runs/1",
        passedTests: ["a"],
        warnedTests: [],
        failedTests: ["b"],
      },
    ],
    bad: [
      missing("no result", { configuration: [RESOURCE], failedTests: ["a"] }, "/result"),
      wrong("a result of its own", { result: "passed", configuration: [RESOURCE] }, "/result"),
      missing("no configuration", { result: "PASSED" }, "/configuration"),
      missing("an empty configuration", { result: "PASSED", configuration: [] }, "/configuration"),
      bad(
        "a configuration that says nothing",
        { result: "PASSED", configuration: [{ mediaType: "text/plain" }] },
        "empty-resource-descriptor",
        "/configuration/0",
      ),
      wrong(
        "a place that is a number",
        { result: "PASSED", configuration: [RESOURCE], url: 1 },
        "/url",
      ),
      wrong(
        "tests by name",
        { result: "PASSED", configuration: [RESOURCE], passedTests: { a: true } },
        "/passedTests",
      ),
      bad(
        "PASSED with a failed test",
        { result: "PASSED", configuration: [RESOURCE], failedTests: ["a"] },
        "inconsistent-predicate",
        "/failedTests",
        { readable: true },
      ),
      bad(
        "PASSED with a warning",
        { result: "PASSED", configuration: [RESOURCE], warnedTests: ["a"] },
        "inconsistent-predicate",
        "/warnedTests",
        { readable: true },
      ),
    ],
  },
  "release": {
    good: [
      { purl: "pkg:npm/@angular/http@7.2.16", packageId: "1234567890" },
      { purl: "pkg:oci/my-image@sha256%3Afedcba09?repository_url=registry.example.com&tag=v1.2.3" },
      { purl: "pkg:pypi/a@1", releaseId: "7" },
      { purl: "pkg:pypi/a@1", packageId: "7", releaseId: "7" },
    ],
    bad: [
      missing("no package URL", { packageId: "1" }, "/purl"),
      bad("no URL at all", { purl: "http-7.2.16.tgz" }, "malformed-purl", "/purl"),
      bad("no version", { purl: "pkg:npm/%40angular/http" }, "malformed-purl", "/purl", {
        beyondSchema: true,
      }),
      bad("a file in a package", { purl: "pkg:npm/a@1.0.0#index.js" }, "malformed-purl", "/purl"),
      wrong("an id that is a number", { purl: "pkg:npm/a@1.0.0", packageId: 1 }, "/packageId"),
      bad(
        "two ids",
        { purl: "pkg:npm/a@1.0.0", packageId: "1", releaseId: "2" },
        "inconsistent-predicate",
        "/releaseId",
        { readable: true, beyondSchema: true },
      ),
    ],
  },
  "runtime-trace": {
    good: [
      TRACE,
      {
        ...TRACE,
        monitor: { ...TRACE.monitor, configSource: {}, tracePolicy: { policies: [] } },
        monitorLog: { process: [{ pid: 1 }], fileAccess: [RESOURCE] },
        metadata: { buildStartedOn: TIME, buildFinishedOn: LATER },
      },
      { ...TRACE, metadata: { buildStartedOn: TIME, buildFinishedOn: TIME } },
    ],
    bad: [
      missing("no monitor", { ...TRACE, monitor: {} }, "/monitor"),
      missing("a monitor of no kind", { ...TRACE, monitor: { a: 1 } }, "/monitor/type"),
      missing(
        "no host",
        { ...TRACE, monitoredProcess: { type: "a:b", event: "1" } },
        "/monitoredProcess/hostID",
      ),
      missing("no log", { ...TRACE, monitorLog: null }, "/monitorLog"),
      missing(
        "a log of no known events",
        { ...TRACE, monitorLog: { syscalls: [] } },
        "/monitorLog/process",
      ),
      wrong(
        "events that are texts",
        { ...TRACE, monitorLog: { process: ["a"] } },
        "/monitorLog/process/0",
      ),
      bad(
        "an end before the start",
        { ...TRACE, metadata: { buildStartedOn: LATER, buildFinishedOn: TIME } },
        "inconsistent-predicate",
        "/metadata/buildFinishedOn",
        { readable: true, beyondSchema: true },
      ),
      bad(
        "a date alone",
        { ...TRACE, metadata: { buildStartedOn: "2025-01-02" } },
        "invalid-timestamp",
        "/metadata/buildStartedOn",
      ),
    ],
  },
  "reference": {
    good: [{
      attester: { id: "https://example.com/builder" },
      references: [{
        downloadLocation: "https://example.com/sbom.json",
        digest: { sha256: SHA256 },
        mediaType: "application/spdx+json",
      }],
    }],
    bad: [
      missing(
        "nobody who says so",
        { references: [{ ...RESOURCE, downloadLocation: "a:b", mediaType: "text/plain" }] },
        "/attester",
      ),
      missing("no references", { attester: { id: "a:b" }, references: [] }, "/references"),
      missing(
        "a reference without a place",
        { attester: { id: "a:b" }, references: [{ ...RESOURCE, mediaType: "text/plain" }] },
        "/references/0/downloadLocation",
      ),
      missing(
        "a reference without a type",
        { attester: { id: "a:b" }, references: [{ ...RESOURCE, downloadLocation: "a:b" }] },
        "/references/0/mediaType",
      ),
    ],
  },
  "npm-publish": {
    good: [{ name: "@x/app", version: "1.0.0", registry: "https://registry.example" }],
    bad: [
      missing("no name", { version: "1.0.0", registry: "a:b" }, "/name"),
      missing("no version", { name: "a", version: "", registry: "a:b" }, "/version"),
      missing("no registry", { name: "a", version: "1.0.0" }, "/registry"),
      wrong("a version that is a number", { name: "a", version: 1, registry: "a:b" }, "/version"),
    ],
  },
  "svr": {
    good: [
      { ...SVR, verifier: VERIFIER },
      { ...SVR, verifier: { ...VERIFIER, policies: [RESOURCE] } },
    ],
    bad: [
      missing("nobody who verified", SVR, "/verifier"),
      missing("a verifier without an id", { ...SVR, verifier: { policies: [] } }, "/verifier/id"),
      missing("no policies in v0.2", { ...SVR, verifier: { id: "a:b" } }, "/verifier/policies"),
      missing("no time", { verifier: VERIFIER, properties: ["A"] }, "/timeCreated"),
      bad(
        "a time in words",
        { ...SVR, verifier: VERIFIER, timeCreated: "yesterday" },
        "invalid-timestamp",
        "/timeCreated",
      ),
      missing("no properties", { ...SVR, verifier: VERIFIER, properties: [] }, "/properties"),
      wrong(
        "properties with a verdict",
        { ...SVR, verifier: VERIFIER, properties: [{ A: true }] },
        "/properties/0",
      ),
    ],
  },
  "openvex": {
    good: [
      { ...VEX, statements: [{ vulnerability: CVE, status: "under_investigation" }] },
      {
        ...VEX,
        "@context": "https://openvex.dev/ns",
        version: "1",
        statements: [
          { vulnerability: "CVE-2024-1", products: ["pkg:npm/a@1"], status: "fixed" },
          { vulnerability: CVE, status: "affected", action_statement: "Upgrade" },
          { vulnerability: CVE, status: "not_affected", impact_statement: "Not linked" },
          { vulnerability: CVE, status: "not_affected", justification: "component_not_present" },
        ],
      },
    ],
    bad: [
      {
        ...missing("nothing", {}, ""),
        problems: [
          ["missing-predicate-field", "/@context"],
          ["missing-predicate-field", "/@id"],
          ["missing-predicate-field", "/author"],
          ["missing-predicate-field", "/timestamp"],
          ["missing-predicate-field", "/version"],
          ["missing-predicate-field", "/statements"],
        ],
      },
      wrong(
        "another context",
        {
          ...VEX,
          "@context": "https://example.com",
          statements: [{ vulnerability: CVE, status: "fixed" }],
        },
        "/@context",
      ),
      missing("no statement", { ...VEX, statements: [] }, "/statements"),
      missing(
        "a vulnerability without a name",
        { ...VEX, statements: [{ vulnerability: { aliases: ["GHSA-1"] }, status: "fixed" }] },
        "/statements/0/vulnerability/name",
      ),
      wrong(
        "a product that is a number",
        { ...VEX, statements: [{ vulnerability: CVE, products: [7], status: "fixed" }] },
        "/statements/0/products/0",
      ),
      bad(
        "0.2.0 where predicateType says 0.0.1",
        { ...VEX, statements: [{ vulnerability: CVE, status: "fixed" }] },
        "inconsistent-predicate",
        "/@context",
        { readable: true, predicateType: "https://openvex.dev/ns/v0.0.1" },
      ),
      wrong(
        "a status of its own",
        { ...VEX, statements: [{ vulnerability: CVE, status: "ok" }] },
        "/statements/0/status",
      ),
      missing(
        "no vulnerability",
        { ...VEX, statements: [{ status: "fixed" }] },
        "/statements/0/vulnerability",
      ),
      missing(
        "not affected for no reason",
        { ...VEX, statements: [{ vulnerability: CVE, status: "not_affected" }] },
        "/statements/0/justification",
      ),
      missing(
        "not affected for an empty reason",
        { ...VEX, statements: [{ vulnerability: CVE, status: "not_affected", justification: "" }] },
        "/statements/0/justification",
      ),
      missing(
        "a justification for no status",
        { ...VEX, statements: [{ vulnerability: CVE, justification: "component_not_present" }] },
        "/statements/0/status",
      ),
      wrong(
        "a justification of its own",
        {
          ...VEX,
          statements: [{ vulnerability: CVE, status: "not_affected", justification: "trust me" }],
        },
        "/statements/0/justification",
      ),
      missing(
        "affected, and nothing to do",
        { ...VEX, statements: [{ vulnerability: CVE, status: "affected" }] },
        "/statements/0/action_statement",
      ),
      bad(
        "fixed, and a justification for not being affected",
        {
          ...VEX,
          statements: [{
            vulnerability: CVE,
            status: "fixed",
            justification: "component_not_present",
          }],
        },
        "inconsistent-predicate",
        "/statements/0/justification",
        { readable: true },
      ),
    ],
  },
  "custom": {
    good: [
      { Data: "reviewed", Timestamp: "2025-01-02T03:04:05.678901234+01:00" },
      { data: "cmV2aWV3ZWQ=", timestamp: TIME },
      { Data: { a: [1] }, Timestamp: null },
      { Data: null, data: "cmV2aWV3ZWQ=" },
    ],
    bad: [
      missing("no data", { Timestamp: TIME }, "/Data"),
      bad("both spellings", { Data: "a", data: "YQ==" }, "inconsistent-predicate", "/data"),
      bad(
        "a time in words",
        { Data: "a", Timestamp: "now" },
        "invalid-timestamp",
        "/Timestamp",
      ),
      bad(
        "a time in words beside data in base64",
        { data: "YQ==", timestamp: "now" },
        "invalid-timestamp",
        "/timestamp",
      ),
    ],
  },
};
