import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../internal/json.ts";
import { utf8 } from "../internal/bytes.ts";
import {
  type AnswerChanges,
  answerOf,
  CLAIMS,
  claimsOf,
  KEYID,
  keysOf,
  PACKAGE,
  provenanceOf,
  PUBLISH,
  publishOf,
  REPOSITORY,
  sha512Of,
  TARBALL,
} from "../tests/fixtures/npm.ts";
import { edited, later, rootOf } from "../tests/fixtures/sigstore.ts";
import { rekor, SIGNED } from "../tools/pki/instance.ts";
import {
  NPM_GITHUB_HOSTED,
  type NpmExpectation,
  type NpmReport,
  type NpmVerifyOptions,
  verifyNpmPackage,
} from "./mod.ts";

const EXPECT: NpmExpectation = {
  packageName: PACKAGE.name,
  packageVersion: PACKAGE.version,
  builderId: NPM_GITHUB_HOSTED,
  repository: REPOSITORY,
};

async function optionsOf(
  expect: Partial<NpmExpectation> = {},
  rest: Partial<NpmVerifyOptions> = {},
): Promise<NpmVerifyOptions> {
  return {
    trust: { keys: await keysOf(), trustedRoots: [await rootOf()], onlyRoot: true },
    expect: { ...EXPECT, ...expect },
    ...rest,
  };
}

async function reportOf(
  answer: AnswerChanges | { attestations: JsonObject[] } = {},
  expect: Partial<NpmExpectation> = {},
  rest: Partial<NpmVerifyOptions> = {},
): Promise<NpmReport> {
  const document = "attestations" in answer ? answer : await answerOf(answer);
  return await verifyNpmPackage(
    JSON.stringify(document),
    TARBALL,
    await optionsOf(expect, rest),
  );
}

async function verdict(...args: Parameters<typeof reportOf>): Promise<string> {
  const report = await reportOf(...args);
  equal(report.ok, report.errorReason === null);
  equal(report.artifacts[0].ok, report.ok);
  if (!report.ok) {
    for (const name of ["package", "source", "provenance", "level"]) ok(!(name in report), name);
    const checks = report.artifacts[0].attestations.flatMap((one) => one.checks);
    ok(checks.some(({ reason }) => reason === report.errorReason), "a check says why");
  }
  return report.errorReason ?? "ok";
}

describe("verifyNpmPackage()", () => {
  it("gives the package, its source and level", async () => {
    const report = await reportOf();
    equal(report.errorReason, null);
    equal(report.verificationResult, "PASSED");
    deepEqual(report.package, { ...PACKAGE, registry: "https://registry.example" });
    deepEqual(report.source, {
      repository: REPOSITORY,
      repositoryId: "1001",
      ownerId: "77",
      ref: "refs/tags/v1.2.3",
      commit: "c".repeat(40),
      workflow: ".github/workflows/release.yml",
    });
    equal(report.level, 2);
    equal(report.provenance?.builderId, NPM_GITHUB_HOSTED);
    equal(report.artifacts[0].attestations.length, 2);
  });

  it("takes the answer as text, bytes or parsed, and the tarball by digest or stream", async () => {
    const answer = await answerOf();
    const options = await optionsOf();
    const sha512 = await sha512Of(TARBALL);
    for (const given of [answer, utf8(JSON.stringify(answer))]) {
      ok((await verifyNpmPackage(given, { digest: { sha512 } }, options)).ok);
    }
    ok((await verifyNpmPackage(answer, new Blob([TARBALL]).stream(), options)).ok);
  });

  it("takes every expectation that holds", async () => {
    const expect: Partial<NpmExpectation> = {
      repository: "github.com/acme/app",
      repositoryId: "1001",
      ownerId: "77",
      workflow: ".github/workflows/release.yml",
      ref: { pattern: "refs/tags/v\\d+\\.\\d+\\.\\d+" },
      registry: "https://registry.example/",
      builderId: ["https://gitlab.com/any", NPM_GITHUB_HOSTED],
      provenance: { minLevel: 2, sourceTag: "v1.2.3" },
    };
    equal(await verdict({}, expect), "ok");
    equal(await verdict({}, { ref: "refs/tags/v1.2.3" }), "ok");
    equal(await verdict({}, { packageName: undefined, packageVersion: undefined }), "ok");
    equal(await verdict({}, { repository: undefined, repositoryId: "1001" }), "ok");
  });

  it("refuses another tarball", async () => {
    const report = await verifyNpmPackage(await answerOf(), utf8("another"), await optionsOf());
    equal(report.errorReason, "subject-mismatch");
  });

  it("refuses another name or version, in either attestation", async () => {
    equal(await verdict({}, { packageName: "@acme/other" }), "package-mismatch");
    equal(await verdict({}, { packageVersion: "1.2.4" }), "package-mismatch");
    for (const other of [{ name: "@evil/app" }, { version: "1.2.4" }]) {
      for (
        const attestations of [
          [await publishOf(other), await provenanceOf()],
          [await publishOf(), await provenanceOf(other)],
        ]
      ) {
        equal(await verdict({ attestations }), "package-mismatch");
        // Also where none is expected by name.
        const anyPackage = { packageName: undefined, packageVersion: undefined };
        equal(await verdict({ attestations }, anyPackage), "package-mismatch");
      }
    }
  });

  it("refuses a publish predicate that differs from its subject or registry", async () => {
    const others: JsonObject[] = [
      { name: "app" },
      { version: "1.2.4" },
      { registry: "https://registry.example.evil" },
      { registry: "http://registry.example" },
    ];
    const registry = "https://registry.example";
    for (const published of others) {
      equal(await verdict({ published }, { registry }), "package-mismatch");
    }
    equal(await verdict({ published: { name: 1 } }), "malformed-predicate");
    equal(await verdict({ publish: { predicate: {} } }), "malformed-predicate");
    equal(await verdict({}, { registry: "https://npm.acme.example" }), "package-mismatch");
  });

  it("refuses a second subject: it could lend its digest to another name", async () => {
    const sha512 = await sha512Of(TARBALL);
    const subject = [
      { name: "pkg:npm/%40acme/app@1.2.3", digest: { sha512: "0".repeat(128) } },
      { name: "pkg:npm/%40evil/app@1.2.3", digest: { sha512 } },
    ];
    equal(await verdict({ publish: { subject } }), "package-mismatch");
    equal(await verdict({ provenance: { subject } }), "package-mismatch");
  });

  it("refuses a subject that is no package URL, and one by SHA-1", async () => {
    const digest = { sha512: await sha512Of(TARBALL) };
    for (const name of ["app-1.2.3.tgz", "pkg:npm/app", "pkg:npm/@acme%2fapp@1.2.3", undefined]) {
      const subject: JsonObject[] = [name === undefined ? { digest } : { name, digest }];
      equal(await verdict({ provenance: { subject } }), "malformed-purl");
    }
    const weak = [{ name: "pkg:npm/%40acme/app@1.2.3", digest: { sha1: "0".repeat(40) } }];
    equal(await verdict({ publish: { subject: weak } }), "unsupported-digest-algorithm");
  });

  it("needs both attestations, and calls the missing one by its name", async () => {
    const [publish, provenance] = [await publishOf(), await provenanceOf()];
    equal(await verdict({ attestations: [] }), "missing-publish-attestation");
    equal(await verdict({ attestations: [provenance] }), "missing-publish-attestation");
    equal(await verdict({ attestations: [publish] }), "missing-provenance");
    const renamed = { ...publish, predicateType: "https://example.com/publish" };
    equal(await verdict({ attestations: [renamed, provenance] }), "missing-publish-attestation");
  });

  it("refuses an outer predicate type that the signed one contradicts", async () => {
    const [publish, provenance] = [await publishOf(), await provenanceOf()];
    const as = (one: JsonObject, predicateType: string) => ({ ...one, predicateType });
    const V02 = "https://slsa.dev/provenance/v0.2";
    equal(
      await verdict({ attestations: [publish, as(provenance, V02)] }),
      "predicate-type-mismatch",
    );
    const other = { publish: { predicateType: "https://example.com/publish" } };
    equal(await verdict(other), "predicate-type-mismatch");
    // The provenance twice, once as the publish attestation: a certificate is no registry.
    const twice = { attestations: [as(provenance, PUBLISH), provenance] };
    equal(await verdict(twice), "missing-identity-expectation");
    // The publish attestation as provenance: a key is no builder.
    const keyed = { attestations: [publish, as(publish, "https://slsa.dev/provenance/v1")] };
    equal(await verdict(keyed), "missing-trusted-key");
  });

  it("lets any good one of several attestations of one kind suffice", async () => {
    const [publish, provenance] = [await publishOf(), await provenanceOf()];
    const broken = {
      ...provenance,
      bundle: edited(provenance.bundle, "/dsseEnvelope/payload", "e30="),
    };
    const foreign = await provenanceOf({
      claims: claimsOf("https://github.com/evil/app", "9", "8"),
    });
    const attestations = [broken, publish, foreign, provenance];
    equal(await verdict({ attestations }), "ok");
    ok(["invalid-signature", "log-digest-mismatch", "log-signature-mismatch"].includes(
      await verdict({ attestations: [broken, publish] }),
    ));
  });

  it("refuses a publish attestation by another key, whatever it calls itself", async () => {
    const other = { publishRecipe: { key: "managed-other" } };
    equal(await verdict(other), "invalid-signature");
    const hinted = { publishRecipe: { hint: "SHA256:other", keyid: "SHA256:other" } };
    equal(await verdict(hinted), "missing-trusted-key");
    const trust = { ...(await optionsOf()).trust };
    const signatures = { ...trust, keys: await keysOf({ keyUsage: "npm:signatures" }) };
    equal(await verdict({}, {}, { trust: signatures }), "missing-trusted-key");
    equal(await verdict({}, {}, { trust: { ...trust, keys: [] } }), "missing-trusted-key");
  });

  it("refuses a key outside of its period, by the log's time", async () => {
    const trust = (await optionsOf()).trust;
    const withPeriod = async (validFor: JsonObject) => {
      const keys = await keysOf({}, { validFor });
      return await verdict({}, {}, { trust: { ...trust, keys } });
    };
    const [before, after] = [later(SIGNED, -1000), later(SIGNED, 1000)].map((d) => d.toISOString());
    equal(await withPeriod({ start: before, end: after }), "ok");
    equal(await withPeriod({ start: SIGNED.toISOString(), end: SIGNED.toISOString() }), "ok");
    equal(await withPeriod({ start: after }), "key-not-valid");
    equal(await withPeriod({ start: "2020-01-01T00:00:00Z", end: before }), "key-not-valid");
    // A key that is listed for two periods.
    const [first] = await keysOf({}, { validFor: { start: after } });
    const [second] = await keysOf();
    const keys = [first, { ...second, key: { ...second.key, name: "again" } }];
    equal(await verdict({}, {}, { trust: { ...trust, keys } }), "ok");
  });

  it("refuses a publish attestation that no log has seen: its time is unknown", async () => {
    const entries = () => Promise.resolve([]);
    equal(await verdict({ publishRecipe: { entries } }), "log-threshold-not-met");
  });

  it("needs a log entry for the provenance too", async () => {
    const entries = () => Promise.resolve([]);
    equal(await verdict({ provenanceRecipe: { entries } }), "log-threshold-not-met");
    equal(await verdict({ provenanceRecipe: { entries: rekor } }), "ok");
  });

  it("refuses another builder, and one that is a prefix", async () => {
    const ids = [
      `${NPM_GITHUB_HOSTED}2`,
      "https://github.com/actions/runner",
      "https://github.com/x",
    ];
    for (const builderId of ids) equal(await verdict({}, { builderId }), "unexpected-builder");
    const builderId = "https://github.com/actions/runner/self-hosted";
    equal(await verdict({ builderId }), "unexpected-builder");
  });

  it("refuses a self-hosted runner that calls itself hosted", async () => {
    const claims = { 11: "self-hosted" };
    equal(await verdict({ claims }), "certificate-provenance-mismatch");
  });

  it("refuses another repository, also one with the same workflow or a longer name", async () => {
    const evil = { claims: claimsOf("https://github.com/evil/app", "9", "8") };
    equal(await verdict({ ...evil, repository: "https://github.com/evil/app" }), "source-mismatch");
    // Provenance that claims the good repository, signed by a workflow of the evil one.
    equal(await verdict(evil), "certificate-provenance-mismatch");
    equal(await verdict({}, { repository: "https://github.com/acme/ap" }), "source-mismatch");
    equal(await verdict({}, { repository: "https://github.com/acme/app2" }), "source-mismatch");
    const anyRepository = { repository: undefined };
    const unsafe = { unsafelyAcceptAnyRepository: true };
    // Even then it must agree with its certificate.
    equal(await verdict(evil, anyRepository, unsafe), "certificate-provenance-mismatch");
    equal(await verdict({}, anyRepository, unsafe), "ok");
  });

  it("refuses the same name with another number: it changed hands", async () => {
    const claims = { 15: "2002" };
    equal(await verdict({ claims }), "ok");
    equal(await verdict({ claims }, { repositoryId: "1001" }), "source-mismatch");
    equal(await verdict({ claims: { 17: "78" } }, { ownerId: "77" }), "source-mismatch");
    // A certificate that does not state the number, whatever the provenance says.
    const silent = await provenanceOf({
      provenanceRecipe: {
        leaf: { san: { type: "uri", value: CLAIMS[9] }, claims: { ...CLAIMS, 15: "" } },
      },
    });
    const attestations = [await publishOf(), silent];
    equal(await verdict({ attestations }, { repositoryId: "1001" }), "source-mismatch");
  });

  it("refuses another workflow or ref", async () => {
    const path = ".github/workflows/release.yml";
    for (const workflow of [`${path}2`, "release.yml", `${path}@refs/tags/v1.2.3`]) {
      equal(await verdict({}, { workflow }), "workflow-mismatch");
    }
    equal(await verdict({}, { ref: "refs/heads/v1.2.3" }), "source-ref-mismatch");
    equal(await verdict({}, { ref: { pattern: "refs/tags/v1" } }), "source-ref-mismatch");
    equal(await verdict({}, { ref: { pattern: "refs/tags/v1|x" } }), "source-ref-mismatch");
  });

  it("passes further expectations on", async () => {
    equal(await verdict({}, { provenance: { minLevel: 3 } }), "insufficient-level");
    equal(await verdict({}, { provenance: { sourceTag: "v1.2.4" } }), "tag-mismatch");
    equal(
      await verdict({}, { provenance: { predicateTypes: ["https://slsa.dev/provenance/v0.2"] } }),
      "predicate-type-mismatch",
    );
  });

  it("needs an expected builder and repository, and says so first", async () => {
    const missing = "missing-identity-expectation";
    equal(await verdict({}, { builderId: undefined }), missing);
    equal(await verdict({}, { builderId: [] }), missing);
    equal(await verdict({}, { builderId: undefined, packageVersion: "9.9.9" }), missing);
    equal(await verdict({}, { repository: undefined }), missing);
    equal(await verdict({}, { repository: undefined, ownerId: "77" }), missing);
    equal(await verdict({}, { builderId: "https://ci.example/builder" }), missing);
  });

  it("refuses a certificate of another issuer", async () => {
    const leaf = {
      san: { type: "uri" as const, value: CLAIMS[9] },
      issuer: "https://accounts.example",
      claims: CLAIMS,
    };
    equal(await verdict({ provenanceRecipe: { leaf } }), "issuer-mismatch");
  });

  it("refuses a bundle that is wrapped, a Statement, and no answer at all", async () => {
    const [publish, provenance] = [await publishOf(), await provenanceOf()];
    const two = { attestations: [publish, publish] };
    const wrapped = { ...publish, bundle: two };
    equal(await verdict({ attestations: [wrapped, provenance] }), "malformed-npm-answer");
    const bundle = {
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "a", digest: { sha512: await sha512Of(TARBALL) } }],
      predicateType: PUBLISH,
      predicate: {},
    };
    const unsigned = { predicateType: PUBLISH, bundle };
    equal(await verdict({ attestations: [unsigned, provenance] }), "unsigned-statement");
    const options = await optionsOf();
    for (
      const [answer, reason] of [
        ["", "empty-input"],
        ["[]", "malformed-npm-answer"],
        ["{}", "malformed-npm-answer"],
        ['{"attestations":[{"predicateType":1,"bundle":{}}]}', "malformed-npm-answer"],
        ['{"attestations":[{"predicateType":"a","bundle":[]}]}', "malformed-npm-answer"],
        ['{"attestations":[],"attestations":[]}', "duplicate-json-key"],
        [JSON.stringify({ attestations: Array(65).fill({}) }), "limit-exceeded"],
      ]
    ) {
      const report = await verifyNpmPackage(answer, TARBALL, options);
      equal(report.errorReason, reason, answer.slice(0, 60));
      equal(report.verificationResult, "FAILED");
    }
  });

  it("throws for wrong options", async () => {
    const answer = await answerOf();
    const wrong = async (change: object, expect: object = {}) => {
      const options = { ...await optionsOf(expect), ...change };
      await rejects(verifyNpmPackage(answer, TARBALL, options), TypeError, JSON.stringify(change));
    };
    await wrong({ trusted: 1 });
    await wrong({ trust: undefined });
    await wrong({ trust: { keys: KEYID } });
    await wrong({ trust: { keys: [], roots: [] } });
    await wrong({ expect: undefined });
    await wrong({ unsafelyAcceptAnyRepository: "false" });
    await wrong({}, { packagename: "a" });
    await wrong({}, { packageName: "a b" });
    await wrong({}, { packageVersion: "^1.0.0" });
    await wrong({}, { repositoryId: "1e3" });
    await wrong({}, { repositoryId: 1001 });
    await wrong({}, { repository: "" });
    await wrong({}, { repository: "app" });
    await wrong({}, { builderId: "" });
    await wrong({}, { builderId: [1] });
    await wrong({}, { ref: "main" });
    await wrong({}, { ref: { pattern: "(" } });
    await wrong({}, { ref: { pattern: ")|(" } });
    await wrong({}, { provenance: { minLevel: 9 } });
    await rejects(
      verifyNpmPackage(answer, { digest: { sha256: "0".repeat(64) } }, await optionsOf()),
      TypeError,
    );
  });

  it("stops when it is told to", async () => {
    const signal = AbortSignal.abort(new RangeError("enough"));
    await rejects(reportOf({}, {}, { signal }), RangeError);
  });
});
