import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import type { JsonObject } from "../internal/json.ts";
import { encodePem } from "../internal/pem.ts";
import { importTrustedKey } from "../keys/mod.ts";
import { rootOf, theInstance } from "../tests/fixtures/sigstore.ts";
import {
  cosignLayer,
  digestOf,
  type Layer,
  layerJson,
  simpleSigning,
  statementOf,
} from "../tests/fixtures/oci.ts";
import {
  GITHUB_ISSUER,
  makeBundle,
  type Recipe,
  SIGNED,
  stamped,
  WORKFLOW,
} from "../tools/pki/instance.ts";
import { timestamp } from "../tools/pki/tsa.ts";
import { type ArtifactInput, verify, type VerifyOptions } from "./mod.ts";

const IMAGE = utf8('{"schemaVersion":2}');
const OTHER = utf8('{"schemaVersion":2,"other":true}');
const DIGEST = digestOf(IMAGE);

async function signature(recipe: Partial<Recipe> = {}, payload = simpleSigning(DIGEST)) {
  const bundle = await makeBundle(await theInstance(), {
    version: "v0.1",
    content: { artifact: payload },
    ...recipe,
  });
  return cosignLayer(bundle, payload);
}

async function attestation(recipe: Partial<Recipe> = {}, digest = DIGEST) {
  const bundle = await makeBundle(await theInstance(), {
    version: "v0.1",
    content: { payload: utf8(JSON.stringify(statementOf(digest))) },
    ...recipe,
  });
  return cosignLayer(bundle);
}

async function options(more: Partial<VerifyOptions> = {}): Promise<VerifyOptions> {
  return {
    trust: { trustedRoots: [await rootOf()], onlyRoot: true },
    expect: { identity: { subjectAlternativeName: WORKFLOW, issuer: GITHUB_ISSUER } },
    ...more,
  };
}

/** `ok`, or the reason. */
async function verdict(
  layer: Layer | JsonObject,
  artifact: Uint8Array = IMAGE,
  more: Partial<VerifyOptions> = {},
): Promise<string> {
  const json = "mediaType" in layer ? layerJson(layer as Layer) : layer;
  const report = await verify({ source: "layer", content: json }, artifact, await options(more));
  return report.errorReason ?? "ok";
}

function annotated(layer: Layer, changes: Record<string, string | undefined>): Layer {
  const annotations = { ...layer.annotations };
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete annotations[name];
    else annotations[name] = value;
  }
  return { ...layer, annotations };
}

const LOG = "dev.sigstore.cosign/bundle";
const CERTIFICATE = "dev.sigstore.cosign/certificate";
const SIGNATURE = "dev.cosignproject.cosign/signature";

describe("verify() of an image signature by cosign", () => {
  it("accepts the signed image", async () => {
    const report = await verify(layerJson(await signature()), IMAGE, await options());
    assert.equal(report.errorReason, null);
    const [row] = report.artifacts[0].attestations;
    assert.equal(row.format, "cosign-signature");
    assert.deepEqual(row.signers, [WORKFLOW]);
    assert.equal(row.timestamps[0].type, "transparency-log");
  });

  it("accepts the text that containers/image keeps", async () => {
    const text = `\0sigstore-json\n${JSON.stringify(layerJson(await signature()))}`;
    for (const content of [text, utf8(text)]) {
      const report = await verify({ source: "signature-1", content }, IMAGE, await options());
      assert.equal(report.errorReason, null);
      // Its first line is none of JSON Lines.
      const [{ attestations }] = report.artifacts;
      assert.deepEqual(attestations.map(({ source }) => source), ["signature-1"]);
    }
  });

  it("refuses another image", async () => {
    assert.equal(await verdict(await signature(), OTHER), "subject-mismatch");
  });

  it("refuses a payload that says another digest than was signed", async () => {
    const layer = await signature({}, simpleSigning(digestOf(OTHER)));
    assert.equal(await verdict(layer, IMAGE), "subject-mismatch");
    const forged = { ...layer, bytes: simpleSigning(DIGEST) };
    assert.equal(await verdict(forged, IMAGE), "invalid-signature");
  });

  it("refuses a payload that is no simple signing, whoever signed it", async () => {
    const payloads = [
      utf8("{}"),
      utf8('{"critical":{"type":"cosign container image signature"},"optional":null}'),
      utf8(new TextDecoder().decode(simpleSigning(DIGEST)).replace("cosign container", "atomic")),
      utf8(new TextDecoder().decode(simpleSigning(DIGEST)).replace("null", '{},"more":1')),
    ];
    for (const payload of payloads) {
      assert.equal(await verdict(await signature({}, payload)), "malformed-signature-payload");
    }
  });

  it("refuses somebody else's, and asks whom to expect", async () => {
    const identity = { subjectAlternativeName: "https://other.example", issuer: GITHUB_ISSUER };
    const layer = await signature();
    assert.equal(await verdict(layer, IMAGE, { expect: { identity } }), "identity-mismatch");
    assert.equal(await verdict(layer, IMAGE, { expect: {} }), "missing-identity-expectation");
  });

  it("is no attestation with a predicate", async () => {
    const expect = { ...(await options()).expect, predicateType: "https://slsa.dev/provenance/v1" };
    assert.equal(await verdict(await signature(), IMAGE, { expect }), "predicate-type-mismatch");
  });

  it("tells which image is signed, and which one was compared", async () => {
    const layer = layerJson(await signature());
    const said = async (artifact: ArtifactInput | undefined, more: Partial<VerifyOptions> = {}) => {
      const { artifacts } = await verify(layer, artifact, await options(more));
      return artifacts[0].attestations[0].checks
        .filter(({ id }) => id === "envelope.format" || !id.startsWith("envelope."))
        .map(({ layer: _layer, origin: _origin, ...rest }) => rest);
    };
    const path = "/critical/image/docker-manifest-digest";
    const [format, names] = [{
      id: "envelope.format",
      outcome: "passed",
      message: "An image signature by cosign",
    }, {
      id: "statement.format",
      outcome: "passed",
      message: "The payload names an image",
      actual: "cosign container image signature",
    }];
    const good = {
      id: "statement.subject",
      outcome: "passed",
      message: "The signed image is the artifact",
      expected: DIGEST,
      actual: DIGEST,
      path,
    };
    const bad = {
      ...good,
      outcome: "failed",
      message: "Cannot accept image signature: it is of another image",
      reason: "subject-mismatch",
    };
    assert.deepEqual(await said(IMAGE), [format, names, good]);
    assert.deepEqual(await said(OTHER), [format, names, { ...bad, expected: digestOf(OTHER) }]);
    // A digest of another kind says nothing of the one that is signed, nor does a name of its own.
    for (
      const digest of [{ sha512: "0".repeat(128) }, JSON.parse('{"__proto__":"0","sha1":"1"}')]
    ) {
      const expected = Object.entries(digest).map((pair) => pair.join(":")).join(", ");
      assert.deepEqual(await said({ digest }), [format, names, { ...bad, expected }]);
    }
    const upper = DIGEST.slice(7).toUpperCase();
    assert.deepEqual((await said({ digest: { sha256: upper } }))[2], {
      ...good,
      expected: `sha256:${upper}`,
    });
    const skipped = "No artifact is compared, as the caller asked";
    assert.deepEqual(await said(undefined, { unsafelyVerifyWithoutArtifact: true }), [
      format,
      names,
      { id: "statement.subject", outcome: "skipped", message: skipped },
    ]);
    const predicateType = ["https://example.com/a/v1", "https://example.com/b/v1"];
    const expect = { ...(await options()).expect, predicateType };
    assert.deepEqual((await said(IMAGE, { expect }))[3], {
      id: "predicate.type",
      outcome: "failed",
      message: "Cannot accept image signature: it signs the image, without a predicate",
      expected: predicateType.join(" or "),
      actual: "none",
      reason: "predicate-type-mismatch",
    });
  });

  it("refuses what is of two layers: signature, certificate and log entry of different ones", async () => {
    const one = await signature(),
      two = await signature({ key: "leaf-p256" }, simpleSigning(digestOf(OTHER)));
    const of = (name: string) => ({ [name]: two.annotations![name] });
    assert.equal(await verdict(annotated(one, of(SIGNATURE))), "invalid-signature");
    assert.equal(await verdict(annotated(one, of(LOG))), "log-digest-mismatch");
  });

  it("needs the log's promise, and a good one", async () => {
    const layer = await signature();
    assert.equal(await verdict(annotated(layer, { [LOG]: undefined })), "log-threshold-not-met");
    const entry = JSON.parse(layer.annotations![LOG]);
    entry.Payload.integratedTime += 1;
    const later = annotated(layer, { [LOG]: JSON.stringify(entry) });
    assert.equal(await verdict(later), "invalid-inclusion-promise");
  });

  it("refuses a signature without its own text, or a layer that is none", async () => {
    const layer = await signature();
    assert.equal(await verdict(annotated(layer, { [SIGNATURE]: "" })), "unknown-format");
    assert.equal(await verdict(annotated(layer, { [SIGNATURE]: "!" })), "invalid-base64");
    assert.equal(await verdict(annotated(layer, { [LOG]: "[]" })), "malformed-log-entry");
    assert.equal(await verdict(annotated(layer, { [CERTIFICATE]: "x" })), "malformed-pem");
    assert.equal(await verdict({ ...layer, mediaType: "text/plain" }), "unknown-format");
  });

  it("is accepted by a key where it has no certificate", async () => {
    let spki: Uint8Array = new Uint8Array();
    const layer = await signature({
      hint: "",
      entries: (made) => {
        spki = made.key.spki;
        return Promise.resolve([]);
      },
    });
    const key = await importTrustedKey(encodePem("PUBLIC KEY", spki));
    const trust = { keys: [key], onlyRoot: true };
    assert.equal(await verdict(layer, IMAGE, { trust, expect: {} }), "ok");
    assert.equal(await verdict(layer, OTHER, { trust, expect: {} }), "subject-mismatch");
  });
});

describe("verify() of an attestation by cosign", () => {
  it("accepts an envelope with certificate and promise beside it", async () => {
    const report = await verify(layerJson(await attestation()), IMAGE, await options());
    assert.equal(report.errorReason, null);
    const [row] = report.artifacts[0].attestations;
    assert.equal(row.format, "dsse");
    assert.equal(row.predicateType, "https://example.com/checked/v1");
  });

  it("refuses one about another image", async () => {
    assert.equal(await verdict(await attestation({}, digestOf(OTHER))), "subject-mismatch");
  });

  it("refuses the certificate or the log entry of another layer", async () => {
    const one = await attestation(), two = await attestation({}, digestOf(OTHER));
    const entry = { [LOG]: two.annotations![LOG] };
    assert.equal(await verdict(annotated(one, entry)), "log-digest-mismatch");
  });

  it("takes the time of an authority that stamped the whole envelope, or the signature", async () => {
    const { tsa } = await theInstance();
    let envelope: object = {};
    const recipe: Partial<Recipe> = {
      entries: (made) => {
        envelope = made.envelope!.json;
        return Promise.resolve([]);
      },
      timestamps: async () => [
        await timestamp(tsa, { message: utf8(JSON.stringify(envelope)), genTime: SIGNED }),
      ],
    };
    const thresholds = { log: 0 };
    assert.equal(await verdict(await attestation(recipe), IMAGE, { thresholds }), "ok");
    const ofSignature = await attestation({ ...recipe, timestamps: stamped() });
    assert.equal(await verdict(ofSignature, IMAGE, { thresholds }), "ok");
    const ofOther = await attestation({
      ...recipe,
      timestamps: async () => [await timestamp(tsa, { message: utf8("other"), genTime: SIGNED })],
    });
    assert.equal(await verdict(ofOther, IMAGE, { thresholds }), "timestamp-imprint-mismatch");
  });
});
