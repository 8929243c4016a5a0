import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEnvelope } from "../dsse/mod.ts";
import type { Json, JsonObject } from "../internal/json.ts";
import { type GeneratedSigner, generateSigner } from "../keys/mod.ts";
import { isProportional } from "../tests/fixtures/growth.ts";
import {
  ARTIFACT_SHA256,
  BUILD_TYPE,
  COMMIT,
  GENERATOR,
  provenanceBundle,
  type ProvenanceChanges,
  provenanceStatement,
  refusals,
  REPOSITORY,
  workflowOf,
} from "../tests/fixtures/provenance.ts";
import { edited } from "../tests/fixtures/sigstore.ts";
import type { VerifyOptions } from "../verify/options.ts";
import type { BuilderTrust } from "./builder_trust.ts";
import type { ProvenanceExpectation } from "./expectation.ts";
import { validateProvenancePredicate } from "./provenance_v1.ts";
import type { VsaExpectation } from "./vsa_expectation.ts";

const FORK = "https://github.com/mallory/app";
const TYPE = "application/vnd.in-toto+json";
const CI = "https://ci.example/l3";
const CI_TRUST: BuilderTrust = {
  builders: [{ signer: { keys: ["ci"] }, builderId: CI, maxBuildLevel: 3 }],
};
const WORKFLOW_RULES = {
  workflow: { members: { ref: { any: true }, repository: { any: true }, path: { any: true } } },
} as const;

/** Reasons of all failed checks of a keyless bundle. */
async function keyless(
  changes: ProvenanceChanges,
  expectation: ProvenanceExpectation = {},
): Promise<string[]> {
  const provenance = { sourceUri: REPOSITORY, ...expectation };
  return await refusals(await provenanceBundle(changes), { expect: { provenance } });
}

let made: Promise<GeneratedSigner> | undefined;

/** The one key. */
function ciKey(): Promise<GeneratedSigner> {
  return made ??= generateSigner("Ed25519", { name: "ci" });
}

async function envelopeOf(statement: JsonObject): Promise<object> {
  return await createEnvelope(TYPE, statement, (await ciKey()).signer);
}

/** Reasons of all failed checks of an envelope that the key signed. */
async function keyed(
  statement: JsonObject,
  expect: VerifyOptions["expect"],
): Promise<string[]> {
  const { trustedKey } = await ciKey();
  return await refusals(await envelopeOf(statement), { trust: { keys: [trustedKey] }, expect });
}

/** The same for provenance of the builder of that key. */
async function ofBuilder(
  changes: ProvenanceChanges,
  expectation: ProvenanceExpectation = {},
): Promise<string[]> {
  const provenance = { builders: CI_TRUST, builderId: CI, ...expectation };
  return await keyed(provenanceStatement({ builderId: CI, ...changes }), { provenance });
}

const VSA_RESOURCE = "pkg:npm/app@1.2.3";
const SUMMARY: JsonObject = {
  verifier: { id: "https://example.com/verifier" },
  timeVerified: "2026-01-02T00:00:00Z",
  resourceUri: VSA_RESOURCE,
  policy: { uri: "https://example.com/policy" },
  verificationResult: "PASSED",
  verifiedLevels: ["SLSA_BUILD_LEVEL_2"],
};

/** Reasons of all failed checks of a summary that the key signed. */
async function summary(
  changes: JsonObject,
  expectation: Partial<VsaExpectation> = {},
): Promise<string[]> {
  const statement = provenanceStatement({
    statement: {
      predicateType: "https://slsa.dev/verification_summary/v1",
      predicate: { ...SUMMARY, ...changes },
    },
  });
  const vsa = {
    verifierId: "https://example.com/verifier",
    resourceUri: VSA_RESOURCE,
    ...expectation,
  };
  return await keyed(statement, { vsa });
}

describe("verify() of provenance that somebody signed, for another artifact", () => {
  it("refuses a right signature on a foreign artifact", async () => {
    const bundle = await provenanceBundle();
    const options = { expect: { provenance: { sourceUri: REPOSITORY } } };
    assert.deepEqual(await refusals(bundle, options), []);
    assert.deepEqual(await refusals(bundle, options, new Uint8Array([1])), ["subject-mismatch"]);
    const bitFlipped = `${ARTIFACT_SHA256.startsWith("0") ? "1" : "0"}${ARTIFACT_SHA256.slice(1)}`;
    const other = { digest: { sha256: bitFlipped } };
    assert.deepEqual(await refusals(bundle, options, other), ["subject-mismatch"]);
  });

  it("refuses a list of subjects that is empty, null or not there", async () => {
    const expected: [Json | undefined, string][] = [
      [[], "missing-subject"],
      [null, "malformed-statement"],
      [undefined, "malformed-statement"],
      [[null], "malformed-resource-descriptor"],
      [[{ name: "artifact.txt" }], "missing-subject-digest"],
      [[{ name: "artifact.txt", digest: {} }], "missing-subject-digest"],
      [[{ name: "artifact.txt", digest: null }], "missing-subject-digest"],
    ];
    for (const [subject, reason] of expected) {
      const statement = edited(provenanceStatement({ builderId: CI }), "/subject", subject);
      const found = await keyed(statement, { provenance: { builders: CI_TRUST } });
      assert.equal(found[0], reason, JSON.stringify(subject));
    }
  });
});

describe("verify() of provenance from another source", () => {
  it("refuses the right builder with another repository", async () => {
    assert.deepEqual(await keyless({ signer: GENERATOR }), []);
    assert.deepEqual(await keyless({ signer: GENERATOR, repository: FORK }), ["source-mismatch"]);
    for (const repository of [`${REPOSITORY}-evil`, `${REPOSITORY}/x`, "https://github.com/acme"]) {
      assert.deepEqual(await keyless({ signer: GENERATOR, repository }), ["source-mismatch"]);
    }
  });

  it("refuses a fork with a workflow of the same name", async () => {
    assert.deepEqual(await keyless({ repository: FORK }), ["source-mismatch"]);
    // What it writes itself is the name of the original; the certificate knows better.
    const claiming = {
      repository: FORK,
      workflow: { repository: REPOSITORY },
      definition: { resolvedDependencies: [] },
    };
    assert.deepEqual(await keyless(claiming), [
      "certificate-provenance-mismatch",
      "source-mismatch",
    ]);
    assert.deepEqual(
      await keyless({ ...claiming, builderId: workflowOf(REPOSITORY) }),
      [
        "untrusted-builder",
        "certificate-provenance-mismatch",
        "source-mismatch",
      ].toSpliced(1, 0),
    );
  });

  it("refuses a branch that is named like a tag, and a tag like a branch", async () => {
    const tag = { sourceTag: "v1.2.3" };
    assert.deepEqual(await keyless({}, tag), []);
    assert.deepEqual(await keyless({ ref: "refs/heads/v1.2.3" }, tag), ["tag-mismatch"]);
    assert.deepEqual(await keyless({ ref: "refs/heads/v1.2.3" }, { sourceVersionedTag: "v1" }), [
      "versioned-tag-mismatch",
    ]);
    const branch = { sourceBranch: "main" };
    assert.deepEqual(await keyless({ ref: "refs/heads/main" }, branch), []);
    assert.deepEqual(await keyless({ ref: "refs/tags/main" }, branch), ["branch-mismatch"]);
    for (const ref of ["refs/heads/refs/heads/main", "refs/heads/main/x", "refs/heads/Main"]) {
      assert.deepEqual(await keyless({ ref }, branch), ["branch-mismatch"], ref);
    }
  });

  it("refuses provenance without the commit that is wanted", async () => {
    const sourceCommit = COMMIT;
    assert.deepEqual(await ofBuilder({}, { sourceCommit }), []);
    const without = { definition: { resolvedDependencies: [] } };
    assert.deepEqual(await ofBuilder(without, { sourceCommit }), ["commit-mismatch"]);
    const other = "d".repeat(40);
    assert.deepEqual(await ofBuilder({}, { sourceCommit: other }), ["commit-mismatch"]);
  });
});

describe("verify() of provenance by another builder", () => {
  it("refuses a builder whose id goes on where the expected one ends", async () => {
    assert.deepEqual(await ofBuilder({}), []);
    for (const builderId of [`${CI}-evil`, `${CI}/`, `${CI}/evil`, `${CI}#`, ` ${CI}`]) {
      assert.deepEqual(await ofBuilder({ builderId }), ["unexpected-builder"], builderId);
      // Nor does a pair for the shorter one let it in where none is named.
      const unnamed = await ofBuilder({ builderId }, { builderId: undefined });
      assert.deepEqual(unnamed, ["untrusted-builder"], builderId);
    }
  });

  it("refuses a signer whose name goes on where a known one ends", async () => {
    const at = GENERATOR.indexOf("@");
    const names = [
      `${GENERATOR}-evil`,
      `${GENERATOR}/evil`,
      `${GENERATOR.slice(0, at)}.evil${GENERATOR.slice(at)}`,
      GENERATOR.replace("refs/tags/", "refs/heads/"),
      GENERATOR.replace("slsa-framework/", "slsa-framework-evil/"),
    ];
    for (const signer of names) {
      assert.deepEqual(
        await keyless({ signer, claims: { 18: "" } }),
        ["untrusted-builder"],
        signer,
      );
    }
  });

  it("refuses the signer of another builder", async () => {
    const other = GENERATOR.replace("generic", "container");
    assert.deepEqual(await keyless({ signer: GENERATOR, builderId: other }), ["untrusted-builder"]);
    // Its own id, but by somebody who may not speak for it.
    const forged = await keyless({ builderId: GENERATOR });
    assert.equal(forged[0], "untrusted-builder");
  });

  it("refuses key-signed provenance where a certificate is wanted, and the reverse", async () => {
    const identity = { subjectAlternativeName: GENERATOR, issuer: "https://issuer.example" };
    const provenance = { builders: CI_TRUST, builderId: CI };
    const statement = provenanceStatement({ builderId: CI });
    assert.deepEqual(await keyed(statement, { provenance }), []);
    assert.equal((await keyed(statement, { provenance, identity }))[0], "identity-mismatch");
    const { trustedKey } = await ciKey();
    const bundle = await provenanceBundle({ builderId: CI });
    const options = { trust: { keys: [trustedKey] }, expect: { provenance } };
    assert.equal((await refusals(bundle, options))[0], "missing-identity-expectation");
    const sourced = {
      ...options,
      expect: { provenance: { ...provenance, sourceUri: REPOSITORY } },
    };
    assert.deepEqual(await refusals(bundle, sourced), ["untrusted-builder"]);
  });
});

describe("verify() of provenance of too low a level", () => {
  it("refuses level 2 where 3 is wanted", async () => {
    assert.deepEqual(await keyless({}, { minLevel: 2 }), []);
    assert.deepEqual(await keyless({}, { minLevel: 3 }), ["insufficient-level"]);
    assert.deepEqual(await keyless({ signer: GENERATOR }, { minLevel: 3 }), []);
  });

  it("believes no level that the provenance gives itself", async () => {
    const predicate = { slsaLevel: 3, verifiedLevels: ["SLSA_BUILD_LEVEL_3"] };
    assert.deepEqual(await keyless({ predicate }, { minLevel: 3 }), ["insufficient-level"]);
  });

  it("does not give a self-hosted runner the level of a hosted one", async () => {
    const claims = { 11: "self-hosted" };
    const level2 = { minLevel: 2 } as const;
    assert.deepEqual(await keyless({ signer: GENERATOR, claims }, level2), ["insufficient-level"]);
    assert.equal((await keyless({ claims }, level2))[0], "untrusted-builder");
  });

  it("refuses provenance that nobody signed", async () => {
    const statement = provenanceStatement();
    const options = { expect: { provenance: { sourceUri: REPOSITORY } } };
    assert.equal((await refusals(statement, options))[0], "unsigned-statement");
    const { signatures: _, ...envelope } = await envelopeOf(statement) as Record<string, Json>;
    assert.equal(
      (await refusals({ ...envelope, signatures: [] }, options))[0],
      "missing-signatures",
    );
    assert.equal(
      (await refusals({ ...envelope, signatures: null }, options))[0],
      "malformed-envelope",
    );
  });
});

describe("verify() of provenance that says something else", () => {
  it("refuses v0.2 where v1 is wanted", async () => {
    const statement = {
      predicateType: "https://slsa.dev/provenance/v0.2",
      predicate: { builder: { id: CI }, buildType: BUILD_TYPE },
    };
    assert.deepEqual(await ofBuilder({ statement }), []);
    const predicateTypes = ["https://slsa.dev/provenance/v1"];
    assert.deepEqual(await ofBuilder({ statement }, { predicateTypes }), [
      "predicate-type-mismatch",
    ]);
  });

  it("refuses a build type with a slash more, and looks at no parameter then", async () => {
    const strict = { buildType: BUILD_TYPE, externalParameters: WORKFLOW_RULES };
    assert.deepEqual(await ofBuilder({}, strict), []);
    const definition = { buildType: `${BUILD_TYPE}/` };
    const found = await ofBuilder({ definition, parameters: { evil: true } }, strict);
    assert.deepEqual(found, ["build-type-mismatch"]);
  });

  it("refuses a parameter more, at any depth", async () => {
    const strict = { buildType: BUILD_TYPE, externalParameters: WORKFLOW_RULES };
    for (const parameters of [{ evil: 1 }, { evil: null }, { __proto__x: {} }] as JsonObject[]) {
      assert.deepEqual(await ofBuilder({ parameters }, strict), ["unexpected-parameter"]);
    }
    const workflow = { inputs: { command: "curl | sh" } };
    assert.deepEqual(await ofBuilder({ workflow }, strict), ["unexpected-parameter"]);
    // Nothing is expected: nothing is allowed.
    const nothing = { buildType: BUILD_TYPE, externalParameters: {} };
    assert.deepEqual(await ofBuilder({}, nothing), ["unexpected-parameter"]);
  });

  it("refuses provenance that disagrees with its certificate, value by value", async () => {
    const mismatch = "certificate-provenance-mismatch";
    const claims: [ProvenanceChanges, string][] = [
      [{ claims: { 13: "d".repeat(40) } }, "commit"],
      [{ claims: { 15: "1002" } }, "number of the repository"],
      [{ claims: { 17: "78" } }, "number of the owner"],
      [{ claims: { 18: workflowOf(REPOSITORY).replace("release", "evil") } }, "workflow"],
      [{ claims: { 20: "pull_request" } }, "event"],
      [{ claims: { 21: `${REPOSITORY}/actions/runs/2/attempts/1` } }, "run"],
      [{ claims: { 21: `${REPOSITORY}/actions/runs/1/attempts/2` } }, "attempt"],
      [{ claims: { 14: "refs/tags/v9.9.9" } }, "ref"],
    ];
    const definition = {
      internalParameters: {
        github: { event_name: "push", repository_id: "1001", repository_owner_id: "77" },
      },
    };
    assert.deepEqual(await keyless({ signer: GENERATOR, definition }), []);
    for (const [changes, what] of claims) {
      const found = await keyless({ signer: GENERATOR, definition, ...changes });
      assert.deepEqual(found, [mismatch], what);
    }
    const elsewhere = { claims: { 12: FORK, 18: workflowOf(FORK), 21: "" } };
    assert.equal((await keyless({ signer: GENERATOR, definition, ...elsewhere }))[0], mismatch);
  });

  it("takes null for absent, and refuses it where a value is required", async () => {
    const optional = [
      "/buildDefinition/internalParameters",
      "/buildDefinition/resolvedDependencies",
      "/runDetails/metadata",
      "/runDetails/metadata/invocationId",
      "/runDetails/metadata/startedOn",
      "/runDetails/byproducts",
      "/runDetails/builder/version",
      "/runDetails/builder/builderDependencies",
    ];
    const required = [
      "",
      "/buildDefinition",
      "/buildDefinition/buildType",
      "/buildDefinition/externalParameters",
      "/runDetails",
      "/runDetails/builder",
      "/runDetails/builder/id",
    ];
    const provenance = { builders: CI_TRUST };
    const base = provenanceStatement({ builderId: CI });
    for (const path of optional) {
      const statement = edited(base, `/predicate${path}`, null);
      assert.deepEqual(await keyed(statement, { provenance }), [], path);
    }
    for (const path of required) {
      const statement = edited(base, `/predicate${path}`, null);
      const [reason] = await keyed(statement, { provenance });
      const wanted = path === "" ? "missing-predicate" : "missing-predicate-field";
      assert.equal(reason, wanted, path);
    }
    const nothing = edited(base, "/predicate/buildDefinition/resolvedDependencies", [null]);
    const [reason] = await keyed(nothing, { provenance });
    assert.equal(reason, "malformed-resource-descriptor");
  });
});

describe("verify() of provenance with 100 000 dependencies", () => {
  const many = (last: JsonObject, count = 100_000): JsonObject[] => [
    { uri: `git+${REPOSITORY}@refs/tags/v1.2.3`, digest: { gitCommit: COMMIT } },
    ...Array.from({ length: count - 2 }, (_, i) => ({
      uri: `pkg:npm/dependency-${i}@1.0.0`,
      digest: { sha256: i.toString(16).padStart(64, "0") },
    })),
    last,
  ];
  const good = { uri: "pkg:npm/last@1.0.0", digest: { sha256: "f".repeat(64) } };

  it("looks at each of them", async () => {
    const expectation = { requirePinnedDependencies: true, sourceCommit: COMMIT };
    const read = (last: JsonObject) =>
      ofBuilder({ definition: { resolvedDependencies: many(last) } }, expectation);
    assert.deepEqual(await read(good), []);
    assert.deepEqual(await read({ uri: "pkg:npm/last@1.0.0" }), ["unpinned-dependency"]);
    assert.deepEqual(await read({ ...good, digest: { sha256: "xyz" } }), ["invalid-digest"]);
  });

  it("passes over none that other readers find", async () => {
    const expectation = { requirePinnedDependencies: true, sourceCommit: COMMIT };
    const read = (name: string, last: JsonObject = good) =>
      ofBuilder({
        definition: { resolvedDependencies: many(last), [name]: [{ uri: "pkg:npm/evil@1" }] },
      }, expectation);
    assert.deepEqual(await read("other"), []);
    for (const name of ["resolved_dependencies", "ResolvedDependencies"]) {
      assert.deepEqual(await read(name), ["unpinned-dependency"], name);
    }
    assert.deepEqual(await read("other", { ...good, URI: "pkg:npm/evil@1" }), [
      "unpinned-dependency",
    ]);
  });

  it("reads them in time that grows with their number", async () => {
    const work = (count: number) => {
      const statement = provenanceStatement({
        builderId: CI,
        definition: { resolvedDependencies: many(good, count).reverse() },
      });
      return () => assert.deepEqual(validateProvenancePredicate(statement.predicate), []);
    };
    assert.ok(await isProportional(work, 32_000));
  });
});

describe("verify() of a VSA", () => {
  it("refuses one of another resource", async () => {
    assert.deepEqual(await summary({}), []);
    for (const resourceUri of [`${VSA_RESOURCE}0`, "pkg:npm/APP@1.2.3", `${VSA_RESOURCE}/`]) {
      assert.deepEqual(await summary({ resourceUri }), ["resource-mismatch"], resourceUri);
    }
  });

  it("refuses level 2 where 3 is wanted", async () => {
    assert.deepEqual(await summary({}, { verifiedLevels: ["SLSA_BUILD_LEVEL_2"] }), []);
    assert.deepEqual(await summary({}, { verifiedLevels: ["SLSA_BUILD_LEVEL_3"] }), [
      "insufficient-level",
    ]);
  });

  it("refuses one that says FAILED, whatever levels it has", async () => {
    const failed = { verificationResult: "FAILED", verifiedLevels: ["SLSA_BUILD_LEVEL_3"] };
    assert.deepEqual(await summary(failed, { verifiedLevels: ["SLSA_BUILD_LEVEL_2"] }), [
      "verification-not-passed",
    ]);
  });

  it("is no provenance, and provenance is no VSA", async () => {
    const provenance = provenanceStatement({ builderId: CI });
    const vsa = { verifierId: "https://example.com/verifier", resourceUri: VSA_RESOURCE };
    assert.deepEqual(await keyed(provenance, { vsa }), ["predicate-type-mismatch"]);
    const statement = {
      predicateType: "https://slsa.dev/verification_summary/v1",
      predicate: SUMMARY,
    };
    assert.deepEqual(await ofBuilder({ statement }), ["predicate-type-mismatch"]);
  });
});
