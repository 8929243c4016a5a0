import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import type { JsonObject } from "../internal/json.ts";
import type { Statement } from "../intoto/statement.ts";
import {
  googleCloudBuildKeyId,
  isGoogleCloudBuild,
  parseGoogleCloudBuild,
  signedFormOf,
} from "./google_cloud_build.ts";
import {
  differingText,
  evaluateGoogleCloudBuild,
  readGoogleCloudBuildClaims,
} from "./google_cloud_build_claims.ts";

const WORKER = "https://cloudbuild.googleapis.com/GoogleHostedWorker";
const COMMIT = "1".repeat(40);
const ENVELOPE = {
  payloadType: "application/vnd.in-toto+json",
  payload: "e30=",
  signatures: [{ keyid: "k", sig: "AA==" }],
};

function reasonOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return isAttestationError(error) ? error.reason : String(error);
  }
}

describe("parseGoogleCloudBuild()", () => {
  const document = (provenance: unknown) => ({ provenance_summary: { provenance } });

  it("reads what gcloud prints", () => {
    const text = JSON.stringify({
      image_summary: { digest: "sha256:a", fully_qualified_digest: "image@sha256:a" },
      ...document([
        {
          kind: "BUILD",
          resourceUri: "u",
          build: { intotoStatement: { a: 1 } },
          envelope: ENVELOPE,
        },
        { build: { inTotoSlsaProvenanceV1: { b: 1 } }, envelope: ENVELOPE },
      ]),
    });
    const { records, imageDigest, qualifiedDigest } = parseGoogleCloudBuild(text);
    equal(imageDigest, "sha256:a");
    equal(qualifiedDigest, "image@sha256:a");
    deepEqual(records.map(({ texts }) => texts), [[{ a: 1 }], [{ b: 1 }]]);
    equal(records[0].kind, "BUILD");
    equal(records[0].resourceUri, "u");
    ok(!isAttestationError(records[0].envelope));
    ok(isGoogleCloudBuild(JSON.parse(text)));
  });

  it("refuses what is something else", () => {
    for (const value of [[], {}, document({}), document(null), { provenance_summary: [] }]) {
      equal(reasonOf(() => parseGoogleCloudBuild(value)), "unknown-format");
    }
    equal(reasonOf(() => parseGoogleCloudBuild(document([]))), "attestation-not-found");
    equal(reasonOf(() => parseGoogleCloudBuild("<html>")), "malformed-json");
    equal(reasonOf(() => parseGoogleCloudBuild('{"a":1,"a":2}')), "duplicate-json-key");
  });

  it("is bounded", () => {
    const two = document([{ envelope: ENVELOPE }, { envelope: ENVELOPE }]);
    equal(reasonOf(() => parseGoogleCloudBuild(two, { maxRecords: 1 })), "limit-exceeded");
    equal(
      reasonOf(() => parseGoogleCloudBuild(JSON.stringify(two), { maxBytes: 10 })),
      "limit-exceeded",
    );
  });

  it("reports a record that cannot be read in its place", () => {
    const { records } = parseGoogleCloudBuild(document([
      5,
      {},
      { envelope: { ...ENVELOPE, signatures: [] } },
      { envelope: ENVELOPE },
    ]));
    deepEqual(
      records.map(({ envelope }) => isAttestationError(envelope) ? envelope.reason : "ok"),
      ["unknown-format", "unknown-format", "missing-signatures", "ok"],
    );
  });
});

describe("keys of Google Cloud Build", () => {
  it("googleCloudBuildKeyId() reads the names of files", () => {
    const id = (location: string, name: string, version: string) =>
      `projects/verified-builder/locations/${location}/keyRings/attestor/cryptoKeys/${name}/cryptoKeyVersions/${version}`;
    equal(googleCloudBuildKeyId("global.key"), id("global", "builtByGCB", "1"));
    equal(googleCloudBuildKeyId("us-west2.pem"), id("us-west2", "builtByGCB", "1"));
    equal(
      googleCloudBuildKeyId("global-pae-google-hosted-worker_12.key"),
      id("global", "google-hosted-worker", "12"),
    );
    for (const name of ["global-pae.key", "global-pae-x.key", "../global.key", "global", "a.txt"]) {
      equal(googleCloudBuildKeyId(name), undefined, name);
    }
  });

  it("signedFormOf() knows whole ids only", () => {
    equal(signedFormOf(googleCloudBuildKeyId("us-west2.key") ?? ""), "payload");
    equal(signedFormOf(googleCloudBuildKeyId("global-pae-provenanceSigner_1.key") ?? ""), "pae");
    const id = googleCloudBuildKeyId("global.key") ?? "";
    for (
      const other of [
        "",
        `x${id}`,
        `${id}/x`,
        id.replace("verified-builder", "argo-qa"),
        id.replace("/global/", "//"),
        id.replace("/global/", "/global/invalid-field/"),
      ]
    ) equal(signedFormOf(other), undefined, other);
  });
});

function v0(changes: JsonObject = {}, version = "@v0.3"): Statement {
  return {
    _type: "https://in-toto.io/Statement/v0.1",
    subject: [{ name: "image", digest: { sha256: "a".repeat(64) } }],
    predicateType: "https://slsa.dev/provenance/v0.1",
    predicate: {
      builder: { id: WORKER + version },
      materials: [{ uri: "git+https://github.com/acme/app", digest: { sha1: COMMIT } }],
      recipe: {
        type: "https://cloudbuild.googleapis.com/CloudBuildYaml@v0.1",
        arguments: {
          "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.Build",
          substitutions: { TAG_NAME: "v1.2.3", _BRANCH_NAME: "x" },
        },
      },
      ...changes,
    },
  };
}

function v1(definition: JsonObject = {}, builder = WORKER): Statement {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "image", digest: { sha256: "a".repeat(64) } }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: "https://cloud.google.com/build/gcb-buildtypes/google-worker/v1",
        externalParameters: {
          buildConfigSource: {
            repository: "git+https://github.com/acme/app",
            ref: "refs/heads/main",
          },
        },
        internalParameters: { systemSubstitutions: { BRANCH_NAME: "main" } },
        resolvedDependencies: [{
          uri: "git+https://github.com/acme/app@refs/heads/main",
          digest: { gitCommit: COMMIT },
        }],
        ...definition,
      },
      runDetails: { builder: { id: builder }, byproducts: [{}] },
    },
  };
}

const REPOSITORY = "git+https://github.com/acme/app";

describe("readGoogleCloudBuildClaims()", () => {
  const reason = (statement: Statement) => reasonOf(() => readGoogleCloudBuildClaims(statement));

  it("reads the three dialects", () => {
    const { sourceUri, commit, branch, tag } = readGoogleCloudBuildClaims(v0());
    deepEqual([sourceUri, commit, branch, tag], [REPOSITORY, COMMIT, undefined, "v1.2.3"]);

    const old = v0({
      materials: [{ uri: `https://github.com/acme/app/commit/${COMMIT}` }],
      recipe: {
        type: `${WORKER}@v0.2`,
        arguments: { "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.Build" },
      },
    }, "@v0.2");
    deepEqual(readGoogleCloudBuildClaims(old), {
      builderId: `${WORKER}@v0.2`,
      buildType: `${WORKER}@v0.2`,
      sourceUri: REPOSITORY,
      commit: COMMIT,
    });

    const current = readGoogleCloudBuildClaims(v1());
    deepEqual([current.sourceUri, current.commit, current.branch, current.tag], [
      REPOSITORY,
      COMMIT,
      "main",
      undefined,
    ]);
  });

  it("reads an uploaded archive", () => {
    const uri = "gs://bucket/source/1.tgz#123";
    const { sourceUri, commit } = readGoogleCloudBuildClaims(v0({ materials: [{ uri }] }));
    deepEqual([sourceUri, commit], [uri, undefined]);
  });

  it("takes no image for a repository", () => {
    const resolvedDependencies = [{
      uri: "github.com/acme/app@sha256:a",
      digest: { gitCommit: COMMIT },
    }];
    const { sourceUri } = readGoogleCloudBuildClaims(
      v1({ resolvedDependencies, externalParameters: {} }),
    );
    equal(sourceUri, undefined);
  });

  it("refuses a builder that is no hosted worker, or not of this version", () => {
    for (const version of ["", "@v0.1", "@v0.4", "@v0.3x", "-evil@v0.3"]) {
      equal(reason(v0({}, version)), "unexpected-builder", version);
    }
    equal(reason(v1({}, `${WORKER}@v0.3`)), "unexpected-builder");
  });

  it("refuses a build type that is not this builder's", () => {
    const recipe = (type: string, args: JsonObject | null) =>
      reason(v0({ recipe: { type, arguments: args } }));
    const build = { "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.Build" };
    equal(recipe("https://cloudbuild.googleapis.com/CloudBuildSteps@v0.1", build), undefined);
    equal(
      recipe("https://cloudbuild.googleapis.com/CloudBuildOther@v0.1", build),
      "build-type-mismatch",
    );
    equal(
      recipe("https://cloudbuild.googleapis.com/CloudBuildYaml@", build),
      "build-type-mismatch",
    );
    equal(recipe(`${WORKER}@v0.2`, build), "build-type-mismatch");
    equal(
      recipe("https://cloudbuild.googleapis.com/CloudBuildYaml@v0.1", { "@type": "x" }),
      "build-type-mismatch",
    );
    equal(
      recipe("https://cloudbuild.googleapis.com/CloudBuildYaml@v0.1", null),
      "missing-predicate-field",
    );
    equal(reason(v1({ buildType: "https://example.com/v1" })), "build-type-mismatch");
  });

  it("refuses other predicate types and shapes", () => {
    equal(
      reason({ ...v0(), predicateType: "https://slsa.dev/provenance/v0.2" }),
      "predicate-type-mismatch",
    );
    equal(reason({ ...v0(), predicate: undefined }), "missing-predicate-field");
    equal(reason(v0({ builder: { id: 5 } })), "malformed-predicate");
    equal(reason(v0({ builder: [] })), "malformed-predicate");
    equal(reason(v0({ builder: { id: "" } })), "missing-predicate-field");
  });

  it("refuses v1 that contradicts itself", () => {
    const config = (repository: string, ref: string) =>
      reason(v1({ externalParameters: { buildConfigSource: { repository, ref } } }));
    equal(config("git+https://github.com/acme/app", "refs/heads/main"), undefined);
    equal(config("git+https://github.com/acme/fork", "refs/heads/main"), "source-mismatch");
    equal(config("git+https://github.com/acme/app", "refs/heads/dev"), "source-mismatch");
    const trigger = (systemSubstitutions: JsonObject) =>
      reason(v1({ internalParameters: { systemSubstitutions } }));
    equal(trigger({ BRANCH_NAME: "dev" }), "branch-mismatch");
    equal(trigger({}), undefined);
  });

  it("tells a branch from a tag of its name by the ref", () => {
    const resolvedDependencies = [{ uri: `${REPOSITORY}@refs/heads/v1.0.0` }];
    const { branch, tag } = readGoogleCloudBuildClaims(
      v1({ resolvedDependencies, externalParameters: {}, internalParameters: {} }),
    );
    deepEqual([branch, tag], ["v1.0.0", undefined]);
  });
});

describe("evaluateGoogleCloudBuild()", () => {
  const evidence = { keys: [{ name: "global", fingerprint: "f".repeat(64) }] };
  const failed = (keys: string[], maxBuildLevel: 1 | 3) => {
    const rule = { signer: { keys }, builderId: `${WORKER}@v0.3`, maxBuildLevel };
    const { checks, level } = evaluateGoogleCloudBuild(
      v0(),
      evidence,
      { minLevel: 2 },
      { builders: [rule] },
    );
    return [level, ...checks.flatMap(({ reason }) => reason ?? [])];
  };

  it("believes a builder only of its own key, and up to its level", () => {
    deepEqual(failed(["global"], 3), [3]);
    deepEqual(failed(["global"], 1), [1, "insufficient-level"]);
    deepEqual(failed(["other"], 3), [undefined, "untrusted-builder"]);
  });
});

describe("differingText()", () => {
  const signed = {
    _type: "t",
    subject: [{ digest: { sha256: "a" } }],
    predicate: { a: [1, { b: "c" }] },
    slsaProvenance: { a: [1, { b: "c" }] },
  };

  it("accepts a copy that leaves things out", () => {
    deepEqual(differingText(signed, signed), undefined);
    equal(differingText({ _type: "t", slsaProvenance: { a: [1, {}] } }, signed), undefined);
    equal(differingText({}, signed), undefined);
    const { predicate, _type, subject } = signed;
    equal(differingText({ slsaProvenance: predicate }, { _type, subject, predicate }), undefined);
  });

  it("finds what the copy changes or adds", () => {
    const changes: [JsonObject, string][] = [
      [{ _type: "u" }, "/_type"],
      [{ more: 1 }, "/more"],
      [{ subject: [] }, "/subject"],
      [{ subject: [{ digest: { sha256: "b" } }] }, "/subject/0/digest/sha256"],
      [{ slsaProvenance: { a: [1, { b: "c", d: "e" }] } }, "/slsaProvenance/a/1/d"],
      [{ slsaProvenance: { a: [1, { b: "c" }, 2] } }, "/slsaProvenance/a"],
      [{ predicate: { a: { 0: 1 } } }, "/predicate/a"],
      [{ constructor: "x" }, "/constructor"],
      [JSON.parse('{"__proto__":{}}'), "/__proto__"],
    ];
    for (const [copy, path] of changes) equal(differingText(copy, signed), path);
  });

  it("finds a signed Statement that states its provenance in two ways", () => {
    equal(
      differingText({}, { ...signed, slsaProvenance: { a: [1, { b: "other" }] } }),
      "/a/1/b",
    );
  });
});
