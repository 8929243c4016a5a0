import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import type { Json, JsonObject } from "../internal/json.ts";
import type { Statement } from "../intoto/statement.ts";
import { parseProvenance } from "./provenance.ts";
import { validateProvenanceV0_1, validateProvenanceV0_2 } from "./provenance_v0.ts";

const COMMIT = "c".repeat(40);

function statement(predicateType: string, predicate: JsonObject): Statement {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "a", digest: { sha256: "a".repeat(64) } }],
    predicateType,
    predicate,
  };
}

const V0_2: JsonObject = {
  builder: { id: "https://ci.example/builder" },
  buildType: "https://ci.example/type",
  invocation: {
    configSource: {
      uri: "git+https://github.com/acme/app@refs/heads/main",
      digest: { sha1: COMMIT },
      entryPoint: "build.yml",
    },
    parameters: { a: 1 },
    environment: { os: "linux" },
  },
  buildConfig: { steps: [] },
  metadata: {
    buildInvocationId: "7",
    buildStartedOn: "2026-01-01T00:00:00Z",
    buildFinishedOn: "2026-01-01T00:01:00Z",
    completeness: { parameters: true, environment: false, materials: false },
    reproducible: false,
  },
  materials: [{ uri: "git+https://github.com/acme/app@refs/heads/main", digest: { sha1: COMMIT } }],
};

const V0_1: JsonObject = {
  builder: { id: "https://ci.example/builder" },
  recipe: {
    type: "https://ci.example/type",
    definedInMaterial: 1,
    entryPoint: "build",
    arguments: { a: 1 },
    environment: [1],
  },
  metadata: { buildInvocationId: "7" },
  materials: [
    { uri: "pkg:docker/tool" },
    { uri: "git+https://github.com/acme/app@refs/tags/v1", digest: { sha1: COMMIT } },
  ],
};

const v0_2 = (changes: JsonObject): JsonObject => ({ ...V0_2, ...changes });
const places = (problems: readonly { reason: string; path: string }[]) =>
  problems.map(({ reason, path }) => `${reason} ${path}`);

describe("parseProvenance()", () => {
  it("translates v0.2", () => {
    deepEqual(parseProvenance(statement("https://slsa.dev/provenance/v0.2", V0_2)), {
      predicateType: "https://slsa.dev/provenance/v0.2",
      derived: true,
      buildType: "https://ci.example/type",
      builderId: "https://ci.example/builder",
      externalParameters: {
        a: 1,
        entryPoint: "build.yml",
        source: "git+https://github.com/acme/app@refs/heads/main",
      },
      internalParameters: { os: "linux" },
      resolvedDependencies: [{
        uri: "git+https://github.com/acme/app@refs/heads/main",
        digest: { sha1: COMMIT },
      }],
      byproducts: [],
      invocationId: "7",
      startedOn: new Date("2026-01-01T00:00:00Z"),
      finishedOn: new Date("2026-01-01T00:01:00Z"),
      source: {
        uri: "git+https://github.com/acme/app",
        ref: "refs/heads/main",
        commit: COMMIT,
        entryPoint: "build.yml",
      },
    });
  });

  it("adds the source of v0.2 to the dependencies if it is none of the materials", () => {
    const { resolvedDependencies } = parseProvenance(
      statement("https://slsa.dev/provenance/v0.2", v0_2({ materials: [{ uri: "pkg:npm/a@1" }] })),
    );
    deepEqual(resolvedDependencies.map(({ uri }) => uri), [
      "pkg:npm/a@1",
      "git+https://github.com/acme/app@refs/heads/main",
    ]);
  });

  it("takes a material for the source of v0.2 only if address and digests are the same", () => {
    const uri = "git+https://github.com/acme/app@refs/heads/main";
    const count = (material: JsonObject, config: JsonObject = { uri, digest: { sha1: COMMIT } }) =>
      parseProvenance(statement("https://slsa.dev/provenance/v0.2", {
        ...v0_2({ materials: [material] }),
        invocation: { configSource: config },
      })).resolvedDependencies.length;
    equal(count({ uri, digest: { sha1: COMMIT } }), 1);
    equal(count({ uri }, { uri }), 1);
    // Otherwise a material in front of it would hide what was built.
    equal(count({ uri: `${uri}-evil`, digest: { sha1: COMMIT } }), 2);
    equal(count({ uri, digest: { sha1: "d".repeat(40) } }), 2);
    equal(count({ uri, digest: { sha256: "a".repeat(64) } }), 2);
    equal(count({ uri, digest: { sha1: COMMIT, sha256: "a".repeat(64) } }), 2);
    equal(count({ uri }), 2);
    equal(count({ uri, digest: { sha1: COMMIT } }, { uri }), 2);
  });

  it("reads an empty text as absent", () => {
    const found = parseProvenance(statement("https://slsa.dev/provenance/v0.2", {
      ...v0_2({ metadata: { buildInvocationId: "" }, materials: [{ uri: "" }] }),
      invocation: { configSource: { uri: "", entryPoint: "" } },
    }));
    deepEqual([found.externalParameters, found.resolvedDependencies, found.source], [
      {},
      [{}],
      undefined,
    ]);
    equal("invocationId" in found, false);
  });

  it("keeps parameters apart that would hide behind those that it adds", () => {
    const read = (parameters: Json | undefined) =>
      parseProvenance(statement("https://slsa.dev/provenance/v0.2", {
        builder: { id: "https://ci.example/builder" },
        buildType: "https://ci.example/type",
        invocation: {
          configSource: { uri: "git+https://h/a/b", entryPoint: "build.yml" },
          ...(parameters === undefined ? {} : { parameters }),
        },
      })).externalParameters;
    const added = { source: "git+https://h/a/b", entryPoint: "build.yml" };
    for (const none of [undefined, null, {}]) deepEqual(read(none), added);
    deepEqual(read({ a: 1 }), { a: 1, ...added });
    const others: Json[] = [["a"], "a", 7, { entryPoint: "evil" }, { source: "evil", a: 1 }];
    for (const parameters of others) deepEqual(read(parameters), { parameters, ...added });
  });

  it("reads a null in a resource of version 1 as absent", () => {
    const found = parseProvenance(statement("https://slsa.dev/provenance/v1", {
      buildDefinition: {
        buildType: "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
        externalParameters: { workflow: { repository: "https://github.com/acme/app", ref: "v1" } },
        resolvedDependencies: [{ uri: null, name: "a" }, {
          uri: "git+https://github.com/acme/app@v1",
          digest: { gitCommit: COMMIT },
          content: null,
        }],
      },
      runDetails: {
        builder: { id: "https://ci.example/builder" },
        byproducts: [{ uri: "https://ci.example/log", digest: null }],
      },
    }));
    equal(found.source?.commit, COMMIT);
    deepEqual(found.resolvedDependencies.map((one) => Object.keys(one)), [["name"], [
      "uri",
      "digest",
    ]]);
    deepEqual(found.byproducts, [{ uri: "https://ci.example/log" }]);
  });

  it("translates v0.1, by both of its names", () => {
    for (const type of ["https://slsa.dev/provenance/v0.1", "https://in-toto.io/Provenance/v0.1"]) {
      const found = parseProvenance(statement(type, V0_1));
      equal(found.predicateType, type);
      equal(found.buildType, "https://ci.example/type");
      deepEqual(found.externalParameters, {
        a: 1,
        entryPoint: "build",
        source: "git+https://github.com/acme/app@refs/tags/v1",
      });
      deepEqual(found.internalParameters, { environment: [1] });
      equal(found.source?.ref, "refs/tags/v1");
      equal(found.source?.commit, COMMIT);
    }
  });

  it("reads a source only from parameters whose build type is known", () => {
    const v1 = (buildType: string, externalParameters: JsonObject, dependencies: Json = []) =>
      parseProvenance(statement("https://slsa.dev/provenance/v1", {
        buildDefinition: { buildType, externalParameters, resolvedDependencies: dependencies },
        runDetails: { builder: { id: "https://ci.example/builder" } },
      })).source;
    const address = "git+https://github.com/acme/app@refs/heads/main";
    const workflow = {
      repository: "https://github.com/acme/app",
      ref: "refs/heads/main",
      path: "a.yml",
    };
    const pinned = [{ uri: address, digest: { gitCommit: COMMIT } }];
    const whole = {
      uri: "git+https://github.com/acme/app",
      ref: "refs/heads/main",
      commit: COMMIT,
      entryPoint: "a.yml",
    };
    const GITHUB = "https://actions.github.io/buildtypes/workflow/v1";
    deepEqual(v1(GITHUB, { workflow }, pinned), whole);
    equal(v1(`${GITHUB}/`, { workflow }, pinned), undefined);
    equal(v1(GITHUB, { workflow: "a" }), undefined);
    equal(v1(GITHUB, { workflow: { repository: "app" } }), undefined);
    const container = "https://slsa.dev/container-based-build/v0.1?draft";
    deepEqual(
      v1(container, { source: { uri: address, digest: { sha1: COMMIT } }, configPath: "a.yml" }),
      whole,
    );
    const delegator =
      "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0";
    const { entryPoint: _, ...withoutPath } = whole;
    deepEqual(v1(delegator, { inputs: {} }, pinned), withoutPath);
    equal(v1(delegator, { inputs: {} }, [{ uri: "pkg:npm/a" }, ...pinned]), undefined);
  });

  it("refuses what is no provenance, at its place", () => {
    const refusal = (type: string, predicate: JsonObject, reason: string, path: string) =>
      throws(
        () => parseProvenance(statement(type, predicate)),
        (error: unknown) =>
          isAttestationError(error) && error.reason === reason && error.path === path,
        `${reason} ${path}`,
      );
    refusal("https://slsa.dev/provenance/v1.0", {}, "predicate-type-mismatch", "/predicateType");
    const v2 = "https://slsa.dev/provenance/v0.2";
    refusal(v2, {}, "missing-predicate-field", "/predicate/builder");
    refusal(v2, v0_2({ builder: null }), "missing-predicate-field", "/predicate/builder");
    for (const type of ["https://slsa.dev/provenance/v0.1", "https://in-toto.io/Provenance/v0.1"]) {
      const typeless = { ...V0_1, recipe: { entryPoint: "build" } };
      refusal(type, typeless, "missing-predicate-field", "/predicate/recipe/type");
      const far = { ...V0_1, recipe: { type: "a", definedInMaterial: 2 } };
      refusal(type, far, "malformed-predicate", "/predicate/recipe/definedInMaterial");
    }
    for (const none of [null, undefined]) {
      const without = none as unknown as JsonObject;
      refusal(v2, without, "missing-predicate", "/predicate");
    }
  });
});

describe("validateProvenanceV0_2()", () => {
  it("accepts what is complete, and what has the required members only", () => {
    deepEqual(validateProvenanceV0_2(V0_2), []);
    deepEqual(validateProvenanceV0_2({ builder: { id: "a" }, buildType: "b" }), []);
    deepEqual(
      validateProvenanceV0_2(
        v0_2({ invocation: null, metadata: null, materials: null, buildConfig: null }),
      ),
      [],
    );
    deepEqual(
      validateProvenanceV0_2(v0_2({ invocation: { parameters: [1], environment: [2] } })),
      [],
    );
    deepEqual(
      validateProvenanceV0_2(v0_2({
        invocation: { configSource: { uri: null, digest: null, entryPoint: null } },
        metadata: {
          buildInvocationId: null,
          buildStartedOn: null,
          buildFinishedOn: null,
          completeness: { parameters: null },
          reproducible: null,
        },
        materials: [{ uri: null, digest: null }],
      })),
      [],
    );
    deepEqual(
      validateProvenanceV0_2(v0_2({ invocation: {}, metadata: {}, materials: [] })),
      [],
    );
  });

  it("lists all problems", () => {
    deepEqual(
      places(validateProvenanceV0_2({
        builder: { id: 5 },
        invocation: { configSource: { uri: 1, digest: { sha1: "x" }, entryPoint: [] } },
        metadata: {
          buildInvocationId: 1,
          buildStartedOn: "yesterday",
          buildFinishedOn: "2026-01-01T00:00:00+01:00",
          reproducible: "no",
          completeness: { materials: 1 },
        },
        materials: [5, { uri: 1, digest: [] }],
      })),
      [
        "malformed-predicate /builder/id",
        "missing-predicate-field /buildType",
        "malformed-predicate /invocation/configSource/uri",
        "malformed-predicate /invocation/configSource/entryPoint",
        "invalid-digest /invocation/configSource/digest/sha1",
        "malformed-predicate /metadata/buildInvocationId",
        "invalid-timestamp /metadata/buildStartedOn",
        "invalid-timestamp /metadata/buildFinishedOn",
        "malformed-predicate /metadata/reproducible",
        "malformed-predicate /metadata/completeness/materials",
        "malformed-resource-descriptor /materials/0",
        "malformed-predicate /materials/1/uri",
        "malformed-resource-descriptor /materials/1/digest",
      ],
    );
    for (const value of [null, [], "x"]) {
      deepEqual(places(validateProvenanceV0_2(value)), ["malformed-predicate "]);
    }
    for (const materials of [{}, { uri: "a" }, "x"] as Json[]) {
      deepEqual(places(validateProvenanceV0_2(v0_2({ materials }))), [
        "malformed-predicate /materials",
      ]);
    }
  });
});

describe("validateProvenanceV0_1()", () => {
  it("accepts what is complete, and any material as the one that defines the recipe", () => {
    deepEqual(validateProvenanceV0_1(V0_1), []);
    for (const definedInMaterial of [0, 1, null]) {
      deepEqual(validateProvenanceV0_1({ ...V0_1, recipe: { type: "a", definedInMaterial } }), []);
    }
  });

  it("lists all problems", () => {
    deepEqual(places(validateProvenanceV0_1({ builder: {}, recipe: { entryPoint: 1 } })), [
      "missing-predicate-field /builder",
      "missing-predicate-field /recipe/type",
      "malformed-predicate /recipe/entryPoint",
    ]);
    const metadata = { buildInvocationId: 7, buildFinishedOn: "now" };
    deepEqual(places(validateProvenanceV0_1({ ...V0_1, metadata, materials: [5, {}] })), [
      "malformed-predicate /metadata/buildInvocationId",
      "invalid-timestamp /metadata/buildFinishedOn",
      "malformed-resource-descriptor /materials/0",
    ]);
    for (const definedInMaterial of [2, -1, 0.5, "0"]) {
      const recipe = { type: "a", definedInMaterial };
      deepEqual(places(validateProvenanceV0_1({ ...V0_1, recipe })), [
        "malformed-predicate /recipe/definedInMaterial",
      ]);
    }
  });
});
