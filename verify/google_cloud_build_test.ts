import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { pae } from "../dsse/pae.ts";
import { googleCloudBuildKeyId } from "../formats/mod.ts";
import { encodeBase64, encodeBase64Url } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import type { JsonObject } from "../internal/json.ts";
import {
  type GeneratedSigner,
  generateSigner,
  importTrustedKey,
  type TrustedKey,
} from "../keys/mod.ts";
import { type GoogleCloudBuildOptions, verifyGoogleCloudBuild } from "./mod.ts";

const TYPE = "application/vnd.in-toto+json";
const WORKER = "https://cloudbuild.googleapis.com/GoogleHostedWorker";
const DIGEST = `sha256:${"a".repeat(64)}`;
const COMMIT = "1".repeat(40);
const SOURCE = "github.com/acme/app";
const REGIONAL = googleCloudBuildKeyId("us-west2.key") ?? "";
const GLOBAL = googleCloudBuildKeyId("global-pae-provenanceSigner_1.key") ?? "";

interface Pair {
  signer: GeneratedSigner["signer"];
  key: TrustedKey;
}

async function pair(keyid: string): Promise<Pair> {
  const { signer, trustedKey } = await generateSigner("ES256");
  return { signer, key: await importTrustedKey(trustedKey.spki, { keyid }) };
}

const regional = pair(REGIONAL);
const global = pair(GLOBAL);

interface Changes {
  predicate?: JsonObject;
  substitutions?: JsonObject;
  materials?: JsonObject[];
  subject?: string;
}

function statement({ predicate, substitutions, materials, subject }: Changes = {}): JsonObject {
  return {
    _type: "https://in-toto.io/Statement/v0.1",
    subject: [{ name: "image", digest: { sha256: subject ?? "a".repeat(64) } }],
    predicateType: "https://slsa.dev/provenance/v0.1",
    predicate: {
      builder: { id: `${WORKER}@v0.3` },
      materials: materials ?? [{ uri: `https://${SOURCE}`, digest: { sha1: COMMIT } }],
      recipe: {
        type: "https://cloudbuild.googleapis.com/CloudBuildYaml@v0.1",
        arguments: {
          "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.Build",
          substitutions: substitutions ?? { BRANCH_NAME: "main", TAG_NAME: "v1.2.3" },
        },
      },
      ...predicate,
    },
  };
}

type Form = "payload" | "pae";

async function record(
  payload: JsonObject,
  signatures: [keyid: string, by: Promise<Pair>, form: Form][] = [[REGIONAL, regional, "payload"]],
  more: JsonObject = {},
): Promise<JsonObject> {
  const bytes = utf8(JSON.stringify(payload));
  return {
    kind: "BUILD",
    resourceUri: `https://registry.example/image@${DIGEST}`,
    build: { intotoStatement: payload },
    envelope: {
      payloadType: TYPE,
      payload: encodeBase64(bytes),
      signatures: await Promise.all(signatures.map(async ([keyid, by, form]) => ({
        keyid,
        sig: encodeBase64Url(
          await (await by).signer.sign(form === "payload" ? bytes : pae(TYPE, bytes)),
        ),
      }))),
    },
    ...more,
  };
}

function document(...provenance: JsonObject[]): JsonObject {
  return {
    image_summary: { digest: DIGEST, fully_qualified_digest: `registry.example/image@${DIGEST}` },
    provenance_summary: { provenance },
  };
}

async function reasonOf(
  source: JsonObject | string,
  expect: GoogleCloudBuildOptions["expect"] = {},
  options: Partial<GoogleCloudBuildOptions> = {},
): Promise<string | null> {
  const keys = [(await regional).key, (await global).key];
  const report = await verifyGoogleCloudBuild(source, {
    imageDigest: DIGEST,
    keys,
    expect: { sourceUri: SOURCE, ...expect },
    ...options,
  });
  equal(report.ok, report.errorReason === null);
  return report.errorReason;
}

describe("verifyGoogleCloudBuild()", () => {
  it("accepts a build of the expected source, and reports what was checked", async () => {
    const report = await verifyGoogleCloudBuild(document(await record(statement())), {
      imageDigest: DIGEST,
      keys: [(await regional).key],
      expect: {
        sourceUri: `https://${SOURCE}`,
        sourceBranch: "main",
        sourceTag: "v1.2.3",
        sourceCommit: COMMIT,
        builderId: WORKER,
        minLevel: 3,
      },
    });
    equal(report.verificationResult, "PASSED");
    const [{ attestations: [one], digest }] = report.artifacts;
    deepEqual(digest, { sha256: "a".repeat(64) });
    equal(one.buildLevel, 3);
    deepEqual(one.signers, [REGIONAL]);
    equal(one.predicateType, "https://slsa.dev/provenance/v0.1");
    deepEqual([...new Set(one.checks.map(({ id }) => id))], [
      "envelope.format",
      "envelope.signature",
      "envelope.payload-type",
      "statement.format",
      "statement.record",
      "statement.subject",
      "statement.image",
      "predicate.text",
      "predicate.format",
      "predicate.builder",
      "predicate.level",
      "predicate.source",
      "predicate.branch",
      "predicate.tag",
      "predicate.commit",
    ]);
    ok(one.checks.every(({ outcome }) => outcome === "passed"));
  });

  it("takes the form that a key signs from the key's id alone", async () => {
    const of = async (keyid: string, by: Promise<Pair>, form: Form) =>
      await reasonOf(document(await record(statement(), [[keyid, by, form]])));
    equal(await of(REGIONAL, regional, "payload"), null);
    equal(await of(GLOBAL, global, "pae"), null);
    equal(await of(REGIONAL, regional, "pae"), "invalid-signature");
    equal(await of(GLOBAL, global, "payload"), "invalid-signature");
  });

  it("asks the key of the signature's own id, and no other", async () => {
    const of = async (keyid: string, by: Promise<Pair>, form: Form) =>
      await reasonOf(document(await record(statement(), [[keyid, by, form]])));
    equal(await of("", regional, "payload"), "invalid-signature");
    equal(await of(GLOBAL, regional, "pae"), "invalid-signature");
    equal(await of(GLOBAL, regional, "payload"), "invalid-signature");
    equal(
      await of(REGIONAL.replace("us-west2", "us-west3"), regional, "payload"),
      "invalid-signature",
    );
    equal(await of(REGIONAL, pair(REGIONAL), "payload"), "invalid-signature");
  });

  it("accepts one valid signature or record among others", async () => {
    const other = pair(REGIONAL);
    const bad = await record(statement(), [[REGIONAL, other, "payload"]]);
    const good = await record(statement());
    equal(await reasonOf(document(bad, good, bad)), null);
    equal(await reasonOf(document(bad, bad)), "invalid-signature");
    const mixed = await record(statement(), [
      [REGIONAL, other, "payload"],
      [GLOBAL, global, "pae"],
    ]);
    equal(await reasonOf(document(mixed)), null);
  });

  it("does not mix the signature of one record with the claims of another", async () => {
    const fork = await record(statement({ materials: [{ uri: "https://github.com/evil/app" }] }));
    const unsigned = await record(statement(), [[REGIONAL, pair(REGIONAL), "payload"]]);
    equal(await reasonOf(document(fork, unsigned)), "source-mismatch");
  });

  it("refuses another image, in the subject and wherever one is printed", async () => {
    const other = `sha256:${"b".repeat(64)}`;
    equal(
      await reasonOf(document(await record(statement({ subject: "b".repeat(64) })))),
      "subject-mismatch",
    );
    equal(
      await reasonOf(document(await record(statement(), undefined, { resourceUri: `x@${other}` }))),
      "subject-mismatch",
    );
    const good = await record(statement());
    const summaries: JsonObject[] = [
      { digest: other, fully_qualified_digest: `x@${DIGEST}` },
      { digest: DIGEST, fully_qualified_digest: `x@${other}` },
      { digest: DIGEST, fully_qualified_digest: `x@${DIGEST}@${other}` },
      {},
    ];
    for (const image_summary of summaries) {
      equal(await reasonOf({ ...document(good), image_summary }), "subject-mismatch");
    }
    equal(await reasonOf(document(good), {}, { imageDigest: other }), "subject-mismatch");
  });

  it("refuses a record of another kind", async () => {
    const vulnerability = await record(statement(), undefined, { kind: "VULNERABILITY" });
    equal(await reasonOf(document(vulnerability)), "unknown-format");
    const without = { imageDigest: undefined, unsafelyVerifyWithoutArtifact: true };
    equal(await reasonOf(document(vulnerability), {}, without), "unknown-format");
  });

  it("refuses a copy for people that says what nobody signed", async () => {
    const of = async (text: JsonObject) =>
      await reasonOf(
        document(await record(statement(), undefined, { build: { intotoStatement: text } })),
      );
    equal(await of({}), null);
    equal(await of(statement({ substitutions: { TAG_NAME: "v9" } })), "unsigned-text-mismatch");
    equal(await of({ ...statement(), more: 1 }), "unsigned-text-mismatch");
    const beside = async (build: JsonObject) =>
      await reasonOf(document(await record(statement(), undefined, { build })));
    const good = statement();
    const lie = statement({ substitutions: { TAG_NAME: "v9" } });
    const both = { intotoStatement: good, inTotoSlsaProvenanceV1: good };
    equal(await beside(both), null);
    for (const name of Object.keys(both)) {
      equal(await beside({ ...both, [name]: lie }), "unsigned-text-mismatch", name);
      equal(await beside({ ...both, [name]: "v9" }), "unsigned-text-mismatch", name);
      equal(await beside({ ...both, [name]: null }), null, name);
    }
  });

  it("refuses a payload type that is no Statement's, which older keys do not sign", async () => {
    const good = await record(statement());
    const envelope = { ...good.envelope as JsonObject, payloadType: "text/plain" };
    equal(await reasonOf(document({ ...good, envelope })), "unsupported-payload-type");
  });

  it("refuses another source, also one that looks alike", async () => {
    const of = async (uri: string, sourceUri = SOURCE) =>
      await reasonOf(document(await record(statement({ materials: [{ uri }] }))), { sourceUri });
    equal(await of(`git+https://${SOURCE}.git`), null);
    equal(await of(`https://${SOURCE}/commit/${COMMIT}`), null);
    equal(await of(`https://${SOURCE}#${COMMIT}`), null);
    for (
      const uri of [
        `https://${SOURCE}-evil`,
        `https://${SOURCE}/tree/x`,
        "https://github.com/fork/app",
        "https://github.com.evil.example/acme/app",
        SOURCE,
        "",
      ]
    ) equal(await of(uri), "source-mismatch", uri);
    const archive = "gs://bucket/source/1.tgz";
    equal(await of(`${archive}#12`, archive), null);
    equal(await of(`${archive}#12`, `${archive}#12`), null);
    equal(await of(`${archive}#12`, `${archive}#13`), "source-mismatch");
    equal(await of(`${archive}.evil#12`, archive), "source-mismatch");
  });

  it("wants a source, as anybody can run the builder", async () => {
    const source = document(await record(statement()));
    const keys = [(await regional).key];
    const options = { imageDigest: DIGEST, keys };
    const { errorReason } = await verifyGoogleCloudBuild(source, options);
    equal(errorReason, "missing-identity-expectation");
    const { ok } = await verifyGoogleCloudBuild(source, {
      ...options,
      unsafelyAcceptAnySource: true,
    });
    equal(ok, true);
  });

  it("wants an image, unless told that none is to be had", async () => {
    const source = document(await record(statement()));
    const without = { imageDigest: undefined };
    equal(await reasonOf(source, {}, without), "artifact-required");
    equal(
      await reasonOf(source, {}, { ...without, unsafelyVerifyWithoutArtifact: false }),
      "artifact-required",
    );
    equal(await reasonOf(source, {}, { ...without, unsafelyVerifyWithoutArtifact: true }), null);
  });

  it("says what was not compared", async () => {
    const skips = async (build: JsonObject, imageDigest?: string) => {
      const good = await record(statement(), undefined, { build });
      const { artifacts: [{ artifact, digest, attestations: [one] }], ok } =
        await verifyGoogleCloudBuild(document(good), {
          imageDigest,
          keys: [(await regional).key],
          expect: { sourceUri: SOURCE },
          unsafelyVerifyWithoutArtifact: true,
        });
      equal(ok, true);
      const skipped = one.checks.filter(({ outcome }) => outcome === "skipped");
      return [artifact, digest, skipped.map(({ id, message }) => [id, message])];
    };
    const text = ["predicate.text", "There is no copy of the Statement for people"];
    const image = ["statement.subject", "No image is compared, as the caller asked"];
    const hex = "a".repeat(64);
    deepEqual(await skips({}), ["(no artifact)", {}, [image, text]]);
    deepEqual(await skips({}, `sha256:${hex}`), [DIGEST, { sha256: hex }, [text]]);
    deepEqual(await skips({ intotoStatement: statement() }, `sha256:${hex.toUpperCase()}`), [
      DIGEST,
      { sha256: hex },
      [],
    ]);
  });

  it("compares branch, tag, version and commit", async () => {
    const source = document(await record(statement()));
    equal(await reasonOf(source, { sourceBranch: "mai" }), "branch-mismatch");
    equal(await reasonOf(source, { sourceBranch: "v1.2.3" }), "branch-mismatch");
    equal(await reasonOf(source, { sourceTag: "v1.2" }), "tag-mismatch");
    equal(await reasonOf(source, { sourceTag: "main" }), "tag-mismatch");
    for (const version of ["v1", "v1.2", "v1.2.3"]) {
      equal(await reasonOf(source, { sourceVersionedTag: version }), null);
    }
    for (const version of ["v2", "v1.3", "v1.2.4", "v1.2.3-rc.1"]) {
      equal(await reasonOf(source, { sourceVersionedTag: version }), "versioned-tag-mismatch");
    }
    const latest = document(await record(statement({ substitutions: { TAG_NAME: "latest" } })));
    equal(await reasonOf(latest, { sourceVersionedTag: "v1" }), "invalid-versioned-tag");
    const none = document(await record(statement({ substitutions: {} })));
    equal(await reasonOf(none, { sourceVersionedTag: "v1" }), "versioned-tag-mismatch");
    equal(await reasonOf(source, { sourceCommit: "2".repeat(40) }), "commit-mismatch");
  });

  it("believes no branch or tag of an uploaded archive", async () => {
    const sourceUri = "gs://bucket/source/1.tgz";
    const source = document(await record(statement({ materials: [{ uri: sourceUri }] })));
    equal(await reasonOf(source, { sourceUri }), null);
    equal(await reasonOf(source, { sourceUri, sourceBranch: "main" }), "branch-mismatch");
    equal(await reasonOf(source, { sourceUri, sourceTag: "v1.2.3" }), "tag-mismatch");
    equal(
      await reasonOf(source, { sourceUri, sourceVersionedTag: "v1" }),
      "versioned-tag-mismatch",
    );
  });

  it("compares the builder with and without its version", async () => {
    const source = document(await record(statement()));
    equal(await reasonOf(source, { builderId: WORKER }), null);
    equal(await reasonOf(source, { builderId: `${WORKER}@v0.3` }), null);
    for (const builderId of [`${WORKER}@v0.2`, `${WORKER}@v0`, `${WORKER}s`, "x"]) {
      equal(await reasonOf(source, { builderId }), "unexpected-builder", builderId);
    }
    const other = { builder: { id: "https://example.com/builder@v0.3" } };
    equal(
      await reasonOf(document(await record(statement({ predicate: other })))),
      "unexpected-builder",
    );
  });

  it("gives a reason for whatever is no provenance, and never throws for it", async () => {
    equal(await reasonOf(""), "empty-input");
    equal(await reasonOf("<html>"), "malformed-json");
    equal(await reasonOf("{}"), "unknown-format");
    equal(await reasonOf(document()), "attestation-not-found");
    equal(await reasonOf(document({})), "unknown-format");
    const good = await record({ a: 1 });
    equal(await reasonOf(document(good)), "malformed-statement");
    const envelope = {
      ...good.envelope as JsonObject,
      signatures: [{ keyid: REGIONAL, sig: "a b" }],
    };
    equal(await reasonOf(document({ ...good, envelope })), "invalid-base64");
    const keys = [(await regional).key];
    equal((await verifyGoogleCloudBuild("{}", { keys })).errorReason, "artifact-required");
  });

  it("throws for options that are not of their form", async () => {
    const { key } = await regional;
    const unnamed = await importTrustedKey(key.spki);
    const wrong: [object, RegExp][] = [
      ...[[], undefined, new Set([key]), REGIONAL].map((keys): [object, RegExp] => [
        { keys },
        /No trusted keys are given/,
      ]),
      [{ keys: [{ keyid: REGIONAL }] }, /not what importTrustedKey\(\) returns/],
      [{ keys: [unnamed] }, /projects\/verified-builder/],
      [{ keys: [key, key] }, /Two keys/],
      [{ imageDigest: "a".repeat(64) }, /imageDigest/],
      [{ imageDigest: "sha256:abc" }, /imageDigest/],
      [{ digest: DIGEST }, /Unknown option "digest"/],
      [{ expect: { sourceURI: SOURCE } }, /Unknown option "sourceURI"/],
      [{ expect: { sourceVersionedTag: "1.2" } }, /sourceVersionedTag/],
      // It would be ignored: what Google Cloud Build states has no place for it.
      [{ expect: { buildType: "https://example.com/build/v1" } }, /Unknown option "buildType"/],
      [{ expect: { sourceUri: "gs://" } }, /sourceUri/],
      [{ expect: { sourceUri: ["gs://bucket/source/1.tgz"] } }, /sourceUri/],
      [{ unsafelyAcceptAnySource: "false" }, /neither true nor false/],
    ];
    for (const [options, message] of wrong) {
      await rejects(
        verifyGoogleCloudBuild("{}", { imageDigest: DIGEST, keys: [key], ...options }),
        (error: unknown) => error instanceof TypeError && message.test(error.message),
        String(message),
      );
    }
  });
});
