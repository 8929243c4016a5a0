import type { Reason } from "../../errors.ts";
import { encodeBase64, encodeBase64Url } from "../../internal/base64.ts";
import { utf8 } from "../../internal/bytes.ts";
import type { Json, JsonObject } from "../../internal/json.ts";
import {
  type AnswerChanges,
  answerOf,
  claimsOf,
  keysFile,
  PACKAGE,
  provenanceOf,
  publishOf,
  REPOSITORY,
  TARBALL,
} from "../../tests/fixtures/npm.ts";
import { preAuthenticationEncoding, signEnvelope } from "../pki/bundle.ts";
import { publicKeyPem, testKey } from "../pki/keys.ts";
import { type Collection, edited } from "./collection.ts";

const STATEMENT_V1 = "https://in-toto.io/Statement/v1";
const DIGEST = "a".repeat(64);
const OTHER_DIGEST = "b".repeat(64);

/** Verification summaries, signed with a key. */
export async function addSummaries(collection: Collection): Promise<void> {
  const key = await testKey("dsse-p256");
  const VERIFIER = "https://verifier.example/v1";
  const RESOURCE = "pkg:npm/%40acme/app@1.2.3";
  const good: JsonObject = {
    _type: STATEMENT_V1,
    subject: [{ name: "app-1.2.3.tgz", digest: { sha256: DIGEST } }],
    predicateType: "https://slsa.dev/verification_summary/v1",
    predicate: {
      verifier: { id: VERIFIER },
      timeVerified: "2025-02-03T10:00:05Z",
      resourceUri: RESOURCE,
      policy: { uri: "https://policy.example/v2", digest: { sha256: "c".repeat(64) } },
      verificationResult: "PASSED",
      verifiedLevels: ["SLSA_BUILD_LEVEL_2", "SLSA_SOURCE_LEVEL_3"],
      slsaVersion: "1.1",
    },
  };
  const wanted: JsonObject = {
    verifierId: VERIFIER,
    resourceUri: RESOURCE,
    verifiedLevels: ["SLSA_BUILD_LEVEL_2"],
    subjectDigests: [`sha256:${DIGEST}`],
  };
  const add = async (
    id: string,
    why: string,
    statement: JsonObject,
    reason?: Reason,
    options: JsonObject = {},
    signer = key,
  ) => {
    const { json } = await signEnvelope(utf8(JSON.stringify(statement)), signer);
    collection.case({
      id,
      kind: "vsa",
      files: { envelope: collection.json(`vsa/${id}.json`, json), key: "keys/dsse-p256.pub" },
      why,
      rule: "SLSA v1.2, verification_summary",
      options: { ...wanted, ...options },
      ...(reason === undefined ? {} : { reason }),
    });
  };
  const predicate = (name: string, value: Json | undefined) =>
    edited(good, `/predicate/${name}`, value);

  await add("passed", "what the verifier, the resource and the levels must be", good);
  await add(
    "higher-level",
    "a higher level of the track satisfies",
    predicate("verifiedLevels", ["SLSA_BUILD_LEVEL_3"]),
  );
  await add("further-members", "members that nobody knows", predicate("vendor", { a: 1 }));
  await add("two-subjects", "one of two subjects has the digest", {
    ...good,
    subject: [{ name: "b", digest: { sha256: OTHER_DIGEST } }, ...good.subject as Json[]],
  });
  await add(
    "failed",
    "the verifier's result is FAILED",
    predicate("verificationResult", "FAILED"),
    "verification-not-passed",
  );
  await add(
    "result-lower-case",
    "passed is not PASSED",
    predicate("verificationResult", "passed"),
    "malformed-predicate",
  );
  await add(
    "no-result",
    "no result",
    predicate("verificationResult", undefined),
    "missing-predicate-field",
  );
  await add(
    "other-verifier",
    "another verifier",
    predicate("verifier", { id: `${VERIFIER}/beta` }),
    "verifier-mismatch",
  );
  await add(
    "no-verifier",
    "no verifier",
    predicate("verifier", undefined),
    "missing-predicate-field",
  );
  await add(
    "other-resource",
    "another resource",
    predicate("resourceUri", "pkg:npm/%40acme/app@1.2.4"),
    "resource-mismatch",
  );
  await add(
    "level-too-low",
    "build level 1",
    predicate("verifiedLevels", ["SLSA_BUILD_LEVEL_1"]),
    "insufficient-level",
  );
  await add(
    "level-of-other-track",
    "a level of the source track is none of the build track",
    predicate("verifiedLevels", ["SLSA_SOURCE_LEVEL_4"]),
    "insufficient-level",
  );
  await add("no-levels", "no levels", predicate("verifiedLevels", []), "missing-predicate-field");
  await add(
    "unevaluated",
    "the track was not evaluated",
    predicate("verifiedLevels", ["SLSA_BUILD_LEVEL_UNEVALUATED"]),
    "insufficient-level",
  );
  await add(
    "track-twice",
    "a track with two levels",
    predicate("verifiedLevels", ["SLSA_BUILD_LEVEL_1", "SLSA_BUILD_LEVEL_3"]),
    "duplicate-track-level",
  );
  await add("other-digest", "a summary of another artifact", good, "subject-mismatch", {
    subjectDigests: [`sha256:${OTHER_DIGEST}`],
  });
  await add(
    "time-malformed",
    "a time that is none",
    predicate("timeVerified", "yesterday"),
    "invalid-timestamp",
  );
  await add("provenance", "provenance is no summary", {
    ...good,
    predicateType: "https://slsa.dev/provenance/v1",
  }, "predicate-type-mismatch");
  await add(
    "other-key",
    "a key that is not trusted",
    good,
    "invalid-signature",
    {},
    await testKey("dsse-ed25519"),
  );
}

const WORKER = "https://cloudbuild.googleapis.com/GoogleHostedWorker";
const KEYRING = "projects/verified-builder/locations";
const REGIONAL = `${KEYRING}/us-west2/keyRings/attestor/cryptoKeys/builtByGCB/cryptoKeyVersions/1`;
const GLOBAL =
  `${KEYRING}/global/keyRings/attestor/cryptoKeys/provenanceSigner/cryptoKeyVersions/1`;

/** Records of Google Cloud Build. */
export async function addCloudBuilds(collection: Collection): Promise<void> {
  const regional = await testKey("dsse-p256");
  const global = await testKey("managed");
  const keys = "gcb-provenance/keys/";
  const key = [
    collection.file(`${keys}us-west2.key`, publicKeyPem(regional)),
    collection.file(`${keys}global-pae-provenanceSigner_1.key`, publicKeyPem(global)),
  ];
  const source = "github.com/acme/app";
  const good: JsonObject = {
    _type: "https://in-toto.io/Statement/v0.1",
    subject: [{ name: "registry.example/app", digest: { sha256: DIGEST } }],
    predicateType: "https://slsa.dev/provenance/v0.1",
    predicate: {
      builder: { id: `${WORKER}@v0.3` },
      materials: [{ uri: `https://${source}`, digest: { sha1: "1".repeat(40) } }],
      recipe: {
        type: "https://cloudbuild.googleapis.com/CloudBuildYaml@v0.1",
        arguments: {
          "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.Build",
          substitutions: { BRANCH_NAME: "main", TAG_NAME: "v1.2.3" },
        },
      },
    },
  };
  interface Signing {
    keyid?: string;
    key?: typeof regional;
    form?: "payload" | "pae";
  }
  const record = async (statement: JsonObject, signing: Signing = {}, more: JsonObject = {}) => {
    const { keyid = REGIONAL, key = regional, form = "payload" } = signing;
    const payload = utf8(JSON.stringify(statement));
    const type = "application/vnd.in-toto+json";
    const signed = form === "payload" ? payload : preAuthenticationEncoding(type, payload);
    return {
      kind: "BUILD",
      resourceUri: `https://registry.example/app@sha256:${DIGEST}`,
      build: { intotoStatement: statement },
      envelope: {
        payloadType: type,
        payload: encodeBase64(payload),
        signatures: [{ keyid, sig: encodeBase64Url(await key.sign(signed)) }],
      },
      ...more,
    };
  };
  const documentOf = (...records: JsonObject[]): JsonObject => ({
    image_summary: {
      digest: `sha256:${DIGEST}`,
      fully_qualified_digest: `registry.example/app@sha256:${DIGEST}`,
    },
    provenance_summary: { provenance: records },
  });
  const add = (
    id: string,
    why: string,
    document: JsonObject,
    reason?: Reason,
    options: JsonObject = {},
  ) =>
    collection.case({
      id,
      kind: "gcb-provenance",
      files: { provenance: collection.json(`gcb-provenance/${id}.json`, document), key },
      why,
      rule: "Google Cloud Build, gcloud artifacts docker images describe; SLSA provenance v0.1",
      options: {
        imageDigest: `sha256:${DIGEST}`,
        sourceUri: source,
        builderId: WORKER,
        ...options,
      },
      ...(reason === undefined ? {} : { reason }),
    });
  const predicate = (pointer: string, value: Json) => edited(good, `/predicate/${pointer}`, value);
  const plain = await record(good);

  add("regional-key", "a key of a region signs the payload", documentOf(plain), undefined, {
    sourceTag: "v1.2.3",
  });
  add(
    "global-key",
    "a key with pae in its name signs the encoded payload",
    documentOf(
      await record(good, { keyid: GLOBAL, key: global, form: "pae" }),
    ),
  );
  add(
    "bad-beside-good",
    "a record that nobody signed beside a good one",
    documentOf(
      await record(good, { key: global }),
      plain,
    ),
  );
  add(
    "regional-key-pae",
    "a key of a region never signs the encoded payload",
    documentOf(
      await record(good, { form: "pae" }),
    ),
    "invalid-signature",
  );
  add(
    "global-key-payload",
    "the global key never signs the payload alone",
    documentOf(
      await record(good, { keyid: GLOBAL, key: global }),
    ),
    "invalid-signature",
  );
  add(
    "other-key",
    "the key of another id",
    documentOf(
      await record(good, { keyid: GLOBAL, form: "pae" }),
    ),
    "invalid-signature",
  );
  add("no-keyid", "no key id", documentOf(await record(good, { keyid: "" })), "invalid-signature");
  add(
    "other-source",
    "a fork",
    documentOf(
      await record(predicate("materials", [{ uri: "https://github.com/fork/app" }])),
    ),
    "source-mismatch",
  );
  add(
    "source-prefix",
    "a repository whose name begins like it",
    documentOf(
      await record(predicate("materials", [{ uri: `https://${source}-evil` }])),
    ),
    "source-mismatch",
  );
  add(
    "claims-of-another-record",
    "the signature of one record with the claims of another",
    documentOf(
      await record(predicate("materials", [{ uri: "https://github.com/fork/app" }])),
      await record(good, { key: global }),
    ),
    "source-mismatch",
  );
  add(
    "other-builder",
    "another builder",
    documentOf(
      await record(predicate("builder", { id: "https://builder.example/worker@v0.3" })),
    ),
    "unexpected-builder",
  );
  add(
    "other-image",
    "another image",
    documentOf(
      await record({ ...good, subject: [{ name: "x", digest: { sha256: OTHER_DIGEST } }] }),
    ),
    "subject-mismatch",
  );
  add("other-image-in-text", "the summary names another image", {
    ...documentOf(plain),
    image_summary: {
      digest: `sha256:${OTHER_DIGEST}`,
      fully_qualified_digest: `registry.example/app@sha256:${OTHER_DIGEST}`,
    },
  }, "subject-mismatch");
  add(
    "unsigned-text",
    "the copy for people says what nobody signed",
    documentOf({
      ...plain,
      build: { intotoStatement: predicate("recipe/arguments/substitutions/TAG_NAME", "v9.9.9") },
    }),
    "unsigned-text-mismatch",
  );
  add("other-tag", "another tag", documentOf(plain), "tag-mismatch", { sourceTag: "v1.2.4" });
  add("other-branch", "another branch", documentOf(plain), "branch-mismatch", {
    sourceBranch: "mai",
  });
  add(
    "other-payload-type",
    "older keys do not sign the payload type",
    documentOf({
      ...plain,
      envelope: { ...plain.envelope, payloadType: "text/plain" },
    }),
    "unsupported-payload-type",
  );
  add(
    "other-kind",
    "a record of vulnerabilities",
    documentOf({
      ...plain,
      kind: "VULNERABILITY",
    }),
    "unknown-format",
  );
  add("no-record", "no record", documentOf(), "attestation-not-found");
}

const PUBLISH = "slsa-verifier GO-2023-2188: npm's publish attestation was not validated";

/** Faults of other programs that cases of npm answers show. */
const ADVISORIES: Readonly<Record<string, string>> = {
  "other-package": PUBLISH,
  "other-version": PUBLISH,
  "other-tarball": PUBLISH,
  "no-publish": PUBLISH,
  "publish-other-key": PUBLISH,
  "published-other-name": PUBLISH,
  "subject-sha1": PUBLISH,
  "fork": "npm audit signatures, JSR: the repository was not compared",
  "provenance-not-logged": "JSR api/src/provenance.rs: no proof of inclusion was asked for",
};

/** Answers of an npm registry. */
export async function addNpmAnswers(collection: Collection): Promise<void> {
  const npmKeys = collection.json("npm-attestations/keys.json", await keysFile() as JsonObject);
  const artifact = collection.file("npm-attestations/app-1.2.3.tgz", TARBALL);
  const add = async (
    id: string,
    why: string,
    changes: AnswerChanges | JsonObject,
    reason?: Reason,
    options: JsonObject = {},
  ) => {
    const advisory = ADVISORIES[id];
    const answer = "attestations" in changes
      ? changes as JsonObject
      : await answerOf(changes as AnswerChanges);
    collection.case({
      id,
      kind: "npm-attestations",
      files: {
        attestations: collection.json(`npm-attestations/${id}.json`, answer as JsonObject),
        npmKeys,
        trustedRoot: "sigstore-bundle/roots/main.json",
        artifact,
      },
      why,
      rule: "npm, provenance and publish attestations; SLSA v1.2",
      options: {
        packageName: PACKAGE.name,
        packageVersion: PACKAGE.version,
        sourceUri: REPOSITORY,
        builderId: "https://github.com/actions/runner/github-hosted",
        ...options,
      },
      ...(reason === undefined ? {} : { reason }),
      ...(advisory === undefined ? {} : { advisory }),
    });
  };
  const publish = await publishOf();
  const provenance = await provenanceOf();
  const fork = "https://github.com/fork/app";

  await add("published", "a publish attestation by the registry, provenance by a workflow", {});
  await add("provenance-first", "in the other order", { attestations: [provenance, publish] });
  await add(
    "other-package",
    "attestations of another package",
    { name: "@acme/other" },
    "package-mismatch",
  );
  await add(
    "other-version",
    "attestations of another version",
    { version: "1.2.2" },
    "package-mismatch",
  );
  await add("other-tarball", "attestations of another tarball", {
    tarball: utf8("Another tarball.\n"),
  }, "subject-mismatch");
  await add(
    "no-publish",
    "the registry says nothing",
    { attestations: [provenance] },
    "missing-publish-attestation",
  );
  await add("no-provenance", "no provenance", { attestations: [publish] }, "missing-provenance");
  await add("none", "no attestation", { attestations: [] }, "missing-publish-attestation");
  await add("publish-other-key", "a key that is not the registry's", {
    publishRecipe: { key: "managed-other" },
  }, "invalid-signature");
  await add("publish-other-hint", "a key id that the registry does not have", {
    publishRecipe: { hint: "SHA256:other", keyid: "SHA256:other" },
  }, "missing-trusted-key");
  await add("published-other-name", "the signed predicate names another package", {
    published: { name: "@acme/other" },
  }, "package-mismatch");
  await add("fork", "provenance of a fork, which says so", {
    repository: fork,
    claims: claimsOf(fork, "1002", "78"),
  }, "source-mismatch");
  await add("fork-in-disguise", "provenance that claims another repository than its certificate", {
    claims: claimsOf(fork, "1002", "78"),
  }, "certificate-provenance-mismatch");
  await add("self-hosted", "a runner that claims to be GitHub's", {
    claims: { 11: "self-hosted" },
  }, "certificate-provenance-mismatch");
  await add("other-builder", "a builder that is not npm's", {
    builderId: "https://builder.example",
  }, "unexpected-builder");
  await add("provenance-not-logged", "provenance without a log entry", {
    provenanceRecipe: { entries: () => Promise.resolve([]) },
  }, "log-threshold-not-met");
  await add("type-renamed", "the answer calls the provenance something else", {
    attestations: [publish, { ...provenance, predicateType: "https://slsa.dev/provenance/v0.2" }],
  }, "predicate-type-mismatch");
  await add("subject-sha1", "only a digest that is broken", {
    publish: {
      subject: [{
        name: "pkg:npm/%40acme/app@1.2.3",
        digest: { sha1: "d".repeat(40) },
      }],
    },
  }, "unsupported-digest-algorithm");
}
