import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { Json, JsonObject } from "../../internal/json.ts";
import { cycloneDxPredicate } from "./cyclonedx.ts";
import type { PredicateKind } from "./kind.ts";
import { legacyLinkPredicate } from "./link.ts";
import { openVexPredicate } from "./openvex.ts";
import { runtimeTracePredicate } from "./runtime_trace.ts";
import { scaiPredicate } from "./scai.ts";
import { spdxPredicate } from "./spdx.ts";
import { cosignVulnPredicate, vulns01Predicate, vulnsPredicate } from "./vulns.ts";

const TIME = "2025-01-02T03:04:05Z";
const RESOURCE = { uri: "a:b" };

/** A predicate in which every member that is looked at is set. */
interface Whole {
  kind: PredicateKind<object>;
  value: JsonObject;
  /** Pointers of members that have to be there. */
  required: string[];
  /** Pointers of members that may be absent. */
  optional: string[];
  /** Pointers of resources, which may be absent or empty. */
  resources?: string[];
}

const WHOLES: Whole[] = [
  {
    kind: spdxPredicate,
    value: {
      spdxVersion: "SPDX-2.3",
      SPDXID: "SPDXRef-DOCUMENT",
      name: "app",
      documentNamespace: "https://example.com/app",
      creationInfo: { created: TIME, creators: ["Tool: example"] },
      packages: [{
        SPDXID: "SPDXRef-a",
        name: "a",
        versionInfo: "1",
        checksums: [{ algorithm: "SHA256", checksumValue: "a" }],
        externalRefs: [{ referenceType: "purl", referenceLocator: "pkg:npm/a@1" }],
      }],
      files: [{}],
      relationships: [{}],
    },
    required: [
      "/spdxVersion",
      "/SPDXID",
      "/packages/0/SPDXID",
      "/packages/0/name",
      "/packages/0/checksums/0/algorithm",
      "/packages/0/checksums/0/checksumValue",
      "/packages/0/externalRefs/0/referenceLocator",
    ],
    optional: [
      "/name",
      "/documentNamespace",
      "/creationInfo",
      "/creationInfo/created",
      "/creationInfo/creators",
      "/packages",
      "/packages/0/versionInfo",
      "/packages/0/checksums",
      "/packages/0/externalRefs",
      "/files",
      "/relationships",
    ],
  },
  {
    kind: cycloneDxPredicate,
    value: {
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      serialNumber: "urn:uuid:1",
      version: 1,
      metadata: { timestamp: TIME, component: { type: "application", name: "app" } },
      components: [{
        type: "library",
        name: "a",
        version: "1",
        purl: "pkg:npm/a@1",
        hashes: [{ alg: "SHA-256", content: "a" }],
        components: [{ type: "file", name: "b" }],
      }],
      dependencies: [{ ref: "a", dependsOn: ["b"] }],
    },
    required: [
      "/bomFormat",
      "/specVersion",
      "/metadata/component/type",
      "/metadata/component/name",
      "/components/0/type",
      "/components/0/name",
      "/components/0/hashes/0/alg",
      "/components/0/hashes/0/content",
      "/components/0/components/0/type",
      "/dependencies/0/ref",
    ],
    optional: [
      "/serialNumber",
      "/version",
      "/metadata",
      "/metadata/timestamp",
      "/metadata/component",
      "/components",
      "/components/0/version",
      "/components/0/purl",
      "/components/0/hashes",
      "/components/0/components",
      "/dependencies",
      "/dependencies/0/dependsOn",
    ],
  },
  {
    kind: openVexPredicate,
    value: {
      "@context": "https://openvex.dev/ns/v0.2.0",
      "@id": "https://example.com/vex/1",
      author: "a",
      timestamp: TIME,
      last_updated: TIME,
      version: 1,
      statements: [{
        vulnerability: { "@id": "https://example.com/1", name: "CVE-1", aliases: ["GHSA-1"] },
        products: [{ "@id": "pkg:npm/a@1" }],
        timestamp: TIME,
        status: "affected",
        action_statement: "Upgrade",
        impact_statement: "None",
      }],
    },
    required: [
      "/@context",
      "/@id",
      "/author",
      "/timestamp",
      "/version",
      "/statements",
      "/statements/0/vulnerability",
      "/statements/0/status",
      "/statements/0/action_statement",
    ],
    optional: [
      "/last_updated",
      "/statements/0/vulnerability/@id",
      "/statements/0/vulnerability/name",
      "/statements/0/vulnerability/aliases",
      "/statements/0/products",
      "/statements/0/timestamp",
      "/statements/0/impact_statement",
    ],
  },
  {
    kind: vulnsPredicate,
    value: {
      scanner: {
        uri: "a:b",
        version: "1",
        db: { uri: "a:b", version: "1", lastUpdate: TIME },
        result: [{ id: "CVE-1", severity: [{ method: "nvd", score: "1" }], annotations: [{}] }],
      },
      metadata: { scanStartedOn: TIME, scanFinishedOn: TIME },
    },
    required: [
      "/scanner",
      "/scanner/uri",
      "/scanner/db/lastUpdate",
      "/scanner/result/0/id",
      "/scanner/result/0/severity",
      "/scanner/result/0/severity/0/method",
      "/scanner/result/0/severity/0/score",
      "/metadata",
      "/metadata/scanStartedOn",
      "/metadata/scanFinishedOn",
    ],
    optional: [
      "/scanner/version",
      "/scanner/db",
      "/scanner/db/uri",
      "/scanner/db/version",
      "/scanner/result/0/annotations",
    ],
  },
  {
    kind: vulns01Predicate,
    value: {
      scanner: {
        uri: "a:b",
        result: [{
          vulnerability: {
            id: "CVE-1",
            severity: [{ method: "nvd", score: "1" }],
            annotations: {},
          },
        }],
      },
      metadata: { scanStartedOn: TIME, scanFinishedOn: TIME },
    },
    required: [
      "/metadata",
      "/metadata/scanStartedOn",
      "/metadata/scanFinishedOn",
      "/scanner/result/0/vulnerability",
      "/scanner/result/0/vulnerability/id",
      "/scanner/result/0/vulnerability/severity/0/score",
    ],
    optional: [
      "/scanner/result/0/vulnerability/severity",
      "/scanner/result/0/vulnerability/annotations",
    ],
  },
  {
    kind: cosignVulnPredicate,
    value: {
      invocation: { uri: "a", event_id: "1", "builder.id": "b" },
      scanner: { uri: "a", version: "1", db: { uri: "a", version: "1" } },
      metadata: { scanStartedOn: TIME, scanFinishedOn: TIME },
    },
    required: ["/scanner", "/metadata"],
    optional: [
      "/invocation",
      "/invocation/uri",
      "/invocation/event_id",
      "/invocation/builder.id",
      "/scanner/uri",
      "/scanner/version",
      "/scanner/db",
      "/scanner/db/uri",
      "/scanner/db/version",
    ],
  },
  {
    kind: legacyLinkPredicate,
    value: { name: "a", materials: {}, products: {}, byproducts: {}, environment: {} },
    required: [],
    optional: ["/name", "/materials", "/products", "/byproducts", "/environment"],
  },
  {
    kind: scaiPredicate,
    value: {
      attributes: [{ attribute: "A", target: RESOURCE, conditions: {}, evidence: RESOURCE }],
      producer: RESOURCE,
    },
    required: ["/attributes/0/attribute"],
    optional: ["/attributes/0/conditions"],
    resources: ["/attributes/0/target", "/attributes/0/evidence", "/producer"],
  },
  {
    kind: runtimeTracePredicate,
    value: {
      monitor: { type: "a:b", configSource: RESOURCE, tracePolicy: {} },
      monitoredProcess: { hostID: "a", type: "a:b", event: "1" },
      monitorLog: { process: [{}], network: [{}], fileAccess: [{}] },
      metadata: { buildStartedOn: TIME, buildFinishedOn: TIME },
    },
    required: [
      "/monitor",
      "/monitor/type",
      "/monitoredProcess",
      "/monitoredProcess/hostID",
      "/monitoredProcess/type",
      "/monitoredProcess/event",
      "/monitorLog",
    ],
    optional: [
      "/monitor/tracePolicy",
      "/monitorLog/process",
      "/monitorLog/network",
      "/monitorLog/fileAccess",
      "/metadata",
      "/metadata/buildStartedOn",
      "/metadata/buildFinishedOn",
    ],
    resources: ["/monitor/configSource"],
  },
];

/** The value with the member at a pointer replaced, or left out. */
function replaced(value: Json, path: string, member: Json | undefined): Json {
  const copy: JsonObject = { root: structuredClone(value) };
  const names = ["root", ...path.split("/").slice(1)];
  const last = names.pop() ?? "";
  let at = copy;
  for (const name of names) at = at[name] as JsonObject;
  if (member === undefined) delete at[last];
  else at[last] = member;
  return copy.root;
}

describe("every member that is looked at", () => {
  for (const { kind, value, required, optional, resources = [] } of WHOLES) {
    const found = (changed: Json) =>
      kind.validate(changed).map(({ reason, path }) => `${reason} ${path}`);

    it(`${kind.name}: nothing is wrong with the whole`, () => deepEqual(found(value), []));

    for (const path of required) {
      it(`${kind.name}: ${path} has to be there`, () => {
        for (const none of [undefined, null, ""]) {
          deepEqual(found(replaced(value, path, none)), [`missing-predicate-field ${path}`]);
        }
      });
    }

    for (const path of optional) {
      it(`${kind.name}: ${path} may be absent`, () => {
        deepEqual(found(replaced(value, path, undefined)), []);
        deepEqual(found(replaced(value, path, null)), []);
      });
    }

    for (const path of resources) {
      it(`${kind.name}: ${path} is a resource, empty or absent`, () => {
        for (const none of [undefined, null, {}]) deepEqual(found(replaced(value, path, none)), []);
        for (const other of [true, 0, "", [], "a"]) {
          deepEqual(found(replaced(value, path, other)), [`malformed-resource-descriptor ${path}`]);
        }
        deepEqual(found(replaced(value, path, { mediaType: "a" })), [
          `empty-resource-descriptor ${path}`,
        ]);
      });
    }

    for (const path of [...required, ...optional]) {
      it(`${kind.name}: ${path} has one type`, () => {
        for (const other of [true, 1.5]) {
          equal(found(replaced(value, path, other))[0], `malformed-predicate ${path}`);
        }
      });
    }
  }

  it("a time that is none: which are wanted", () => {
    const metadata = { scanStartedOn: TIME, scanFinishedOn: "now" };
    const [any] = cosignVulnPredicate.validate({ scanner: { uri: "a" }, metadata });
    const [inUtc] = vulnsPredicate.validate({ scanner: { uri: "a", result: [] }, metadata });
    ok(any.message.endsWith("wanted RFC 3339"));
    ok(inUtc.message.endsWith("wanted RFC 3339 in UTC with Z"));
  });

  it("a version that predicateType gives too", () => {
    const bom = { bomFormat: "CycloneDX", specVersion: "1.6" };
    deepEqual(cycloneDxPredicate.validate(bom, "https://cyclonedx.org/bom/v1.6"), []);
    const spdx = { spdxVersion: "SPDX-2.3", SPDXID: "SPDXRef-DOCUMENT" };
    deepEqual(spdxPredicate.validate(spdx, "https://spdx.dev/Document/v2.3"), []);
    for (const context of ["https://openvex.dev/ns", "https://openvex.dev/ns/v0.2.0"]) {
      const vex = {
        "@context": context,
        "@id": "a:b",
        author: "a",
        timestamp: TIME,
        version: 1,
        statements: [{ vulnerability: "CVE-1", status: "fixed" }],
      };
      deepEqual(openVexPredicate.validate(vex, "https://openvex.dev/ns/v0.2.0"), [], context);
    }
  });

  it("cyclonedx: components in components, a hundred times and no more", () => {
    const nested = (times: number): Json => {
      const rest = { type: "file", name: "a" };
      return times === 0 ? rest : { ...rest, components: [nested(times - 1)] };
    };
    const of = (times: number) => ({
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      components: [nested(times)],
    });
    deepEqual(cycloneDxPredicate.validate(of(100)), []);
    const [problem, ...more] = cycloneDxPredicate.validate(of(101));
    deepEqual([problem.reason, more.length], ["limit-exceeded", 0]);
  });

  it("cyclonedx: a version of another form", () => {
    const bom = { bomFormat: "CycloneDX", specVersion: "2.0" };
    deepEqual(cycloneDxPredicate.validate(bom).map(({ path }) => path), ["/specVersion"]);
  });

  it("cyclonedx: a document that is wrapped as text is not looked into", () => {
    deepEqual(cycloneDxPredicate.validate({ Data: "<bom/>" }), []);
    deepEqual(cycloneDxPredicate.validate({ Data: [] }).map(({ path }) => path), ["/Data"]);
  });
});
