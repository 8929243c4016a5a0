import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import type { Json, JsonObject } from "../internal/json.ts";
import { parseProvenancePredicate, validateProvenancePredicate } from "./provenance_v1.ts";

const GOOD = {
  buildDefinition: {
    buildType: "https://example.com/build/v1",
    externalParameters: { ref: "refs/tags/v1" },
    internalParameters: { runner: "hosted" },
    resolvedDependencies: [{
      uri: "git+https://example.com/a",
      digest: { gitCommit: "a".repeat(40) },
    }],
  },
  runDetails: {
    builder: {
      id: "https://example.com/builder",
      version: { runner: "2.1" },
      builderDependencies: [{ uri: "pkg:docker/builder" }],
    },
    metadata: {
      invocationId: "1/2",
      startedOn: "2026-01-01T00:00:00Z",
      finishedOn: "2026-01-01T00:00:00.5Z",
    },
    byproducts: [{ content: "aGk=" }],
  },
};

/** GOOD with the member at a JSON Pointer replaced, or removed if undefined. */
function withAt(pointer: string, value: Json | undefined): JsonObject {
  const copy: JsonObject = structuredClone(GOOD);
  const names = pointer.slice(1).split("/");
  let parent: JsonObject = copy;
  for (const name of names.slice(0, -1)) parent = parent[name] as JsonObject;
  const last = names[names.length - 1];
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

function faults(value: unknown): string[] {
  return validateProvenancePredicate(value).map(({ reason, path }) => `${reason} ${path}`);
}

const REQUIRED = [
  "/buildDefinition",
  "/buildDefinition/buildType",
  "/buildDefinition/externalParameters",
  "/runDetails",
  "/runDetails/builder",
  "/runDetails/builder/id",
];
const OPTIONAL_OBJECTS = [
  "/buildDefinition/internalParameters",
  "/runDetails/builder/version",
  "/runDetails/metadata",
];
const OPTIONAL_TEXTS = [
  "/runDetails/metadata/invocationId",
  "/runDetails/metadata/startedOn",
  "/runDetails/metadata/finishedOn",
];
const LISTS = [
  "/buildDefinition/resolvedDependencies",
  "/runDetails/builder/builderDependencies",
  "/runDetails/byproducts",
];

describe("validateProvenancePredicate()", () => {
  it("accepts a complete predicate and one with the required members only", () => {
    deepEqual(faults(GOOD), []);
    deepEqual(
      faults({
        buildDefinition: { buildType: "plain word", externalParameters: { a: 1 } },
        runDetails: { builder: { id: "plain word" } },
        extra: 1,
      }),
      [],
    );
  });

  it("asks for each required member: absent, null and empty are the same", () => {
    for (const path of REQUIRED) {
      const isText = path.endsWith("Type") || path.endsWith("id");
      for (const value of [undefined, null, isText ? "" : {}]) {
        deepEqual(faults(withAt(path, value)), [`missing-predicate-field ${path}`]);
      }
    }
  });

  it("refuses members of the wrong type", () => {
    for (const path of [...REQUIRED, ...OPTIONAL_OBJECTS, ...OPTIONAL_TEXTS, ...LISTS]) {
      for (const value of [5, true]) {
        deepEqual(faults(withAt(path, value)), [`malformed-predicate ${path}`]);
      }
    }
    for (const path of LISTS) {
      deepEqual(faults(withAt(path, { uri: "a:b" })), [`malformed-predicate ${path}`]);
    }
    deepEqual(faults(withAt("/buildDefinition/externalParameters", ["a"])), [
      "malformed-predicate /buildDefinition/externalParameters",
    ]);
    deepEqual(faults(withAt("/runDetails/builder/version", { "a/b": 1 })), [
      "malformed-predicate /runDetails/builder/version/a~1b",
    ]);
  });

  it("takes null for an optional member", () => {
    for (const path of [...OPTIONAL_OBJECTS, ...OPTIONAL_TEXTS, ...LISTS]) {
      deepEqual(faults(withAt(path, null)), []);
      deepEqual(faults(withAt(path, undefined)), []);
    }
  });

  it("wants times in UTC with Z", () => {
    for (const name of ["startedOn", "finishedOn"]) {
      const path = `/runDetails/metadata/${name}`;
      for (const time of ["2026-01-01T00:00:00+00:00", "2026-02-30T00:00:00Z", "yesterday"]) {
        deepEqual(faults(withAt(path, time)), [`invalid-timestamp ${path}`]);
      }
    }
  });

  it("reports problems of resources at their place", () => {
    for (const path of LISTS) {
      deepEqual(
        faults(withAt(path, [{ uri: "a:b" }, {}, 5, { digest: { sha256: "abc" } }])),
        [
          `empty-resource-descriptor ${path}/1`,
          `malformed-resource-descriptor ${path}/2`,
          `invalid-digest ${path}/3/digest/sha256`,
        ],
      );
    }
  });

  it("lists all problems", () => {
    deepEqual(faults({ buildDefinition: { buildType: 1 }, runDetails: { builder: {} } }), [
      "malformed-predicate /buildDefinition/buildType",
      "missing-predicate-field /buildDefinition/externalParameters",
      "missing-predicate-field /runDetails/builder",
    ]);
    for (const value of [null, undefined, [], "x", 5]) {
      deepEqual(faults(value), ["malformed-predicate "]);
    }
  });

  it("does not find members on a prototype", () => {
    deepEqual(faults(JSON.parse(`{"__proto__":${JSON.stringify(GOOD)}}`)), [
      "missing-predicate-field /buildDefinition",
      "missing-predicate-field /runDetails",
    ]);
  });
});

describe("parseProvenancePredicate()", () => {
  it("reads text, bytes and objects", () => {
    const text = JSON.stringify(GOOD);
    deepEqual(parseProvenancePredicate(text), GOOD);
    deepEqual(parseProvenancePredicate(new TextEncoder().encode(text)), GOOD);
    deepEqual(parseProvenancePredicate(GOOD), GOOD);
  });

  it("throws the first problem with its place", () => {
    throws(
      () => parseProvenancePredicate(withAt("/runDetails/builder/id", "")),
      (error: unknown) => {
        equal(isAttestationError(error) && error.reason, "missing-predicate-field");
        equal(isAttestationError(error) && error.path, "/runDetails/builder/id");
        return true;
      },
    );
    throws(() => parseProvenancePredicate("<html>"), (error: unknown) => {
      return isAttestationError(error) && error.reason === "malformed-json";
    });
  });
});
