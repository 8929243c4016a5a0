import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodePem } from "../internal/pem.ts";
import { theInstance } from "../tests/fixtures/sigstore.ts";
import { parseCosignLayer, readCosignLayer } from "./cosign_layer.ts";

const MIME = "application/vnd.dev.cosign.simplesigning.v1+json";
const SIGNATURE = "dev.cosignproject.cosign/signature";
const CERTIFICATE = "dev.sigstore.cosign/certificate";
const LOG = "dev.sigstore.cosign/bundle";

function refusal(run: () => unknown): string {
  try {
    run();
    return "accepted";
  } catch (error) {
    return isAttestationError(error) ? error.reason : "thrown";
  }
}

describe("parseCosignLayer()", () => {
  const json = JSON.stringify({ mimeType: MIME, payload: "e30=", annotations: { a: "b" } });

  it("reads the JSON of containers/image, with and without its first line", () => {
    const wanted = { mimeType: MIME, payload: utf8("{}"), annotations: { a: "b" } };
    const magic = `\0sigstore-json\n${json}`;
    for (const source of [json, utf8(json), JSON.parse(json), magic, utf8(magic)]) {
      assert.deepEqual(parseCosignLayer(source), wanted);
    }
  });

  it("refuses everything else", () => {
    const cases: [unknown, string][] = [
      ["[]", "unknown-format"],
      ["null", "unknown-format"],
      [{ payload: "", annotations: {} }, "unknown-format"],
      [{ mimeType: MIME, annotations: {} }, "unknown-format"],
      [{ mimeType: MIME, payload: "", annotations: [] }, "unknown-format"],
      [{ mimeType: MIME, payload: "", annotations: { a: 1 } }, "unknown-format"],
      [{ mimeType: MIME, payload: "!", annotations: {} }, "invalid-base64"],
      [`{"mimeType":"a","mimeType":"b"}`, "duplicate-json-key"],
      [`\0other\n${json}`, "malformed-json"],
    ];
    for (const [source, reason] of cases) {
      assert.equal(refusal(() => parseCosignLayer(source as object)), reason, String(source));
    }
    const many = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`${i}`, ""]));
    const source = { mimeType: MIME, payload: "", annotations: many };
    assert.equal(refusal(() => parseCosignLayer(source)), "limit-exceeded");
    assert.equal(refusal(() => parseCosignLayer(json, { maxBytes: 4 })), "limit-exceeded");
    assert.equal(refusal(() => parseCosignLayer(json, { maxBytes: 1 })), "limit-exceeded");
    for (const maxBytes of [0, -1, NaN, 1.5, Infinity]) {
      assert.throws(() => parseCosignLayer(json, { maxBytes }), RangeError);
    }
    const misspelt = { maxByte: 1 } as { maxBytes?: number };
    assert.throws(() => parseCosignLayer(json, misspelt), TypeError);
  });

  it("takes annotations that are absent, and 256 of them", () => {
    for (const annotations of [undefined, null, {}]) {
      const source = { mimeType: MIME, payload: "", annotations };
      assert.deepEqual(parseCosignLayer(source).annotations, {});
    }
    const most = Object.fromEntries(Array.from({ length: 256 }, (_, i) => [`${i}`, ""]));
    const source = { mimeType: MIME, payload: "", annotations: most };
    assert.deepEqual(parseCosignLayer(source).annotations, most);
  });
});

describe("readCosignLayer()", () => {
  const payload = utf8("{}");
  const read = (annotations: Record<string, string>, mimeType = MIME) => () =>
    readCosignLayer({ mimeType, payload, annotations: { [SIGNATURE]: "AA==", ...annotations } });
  const entry = (changes: object) => {
    const Payload = {
      body: btoa('{"kind":"hashedrekord","apiVersion":"0.0.1"}'),
      integratedTime: 1700000000,
      logIndex: 1,
      logID: "c0d2",
      ...changes,
    };
    return { [LOG]: JSON.stringify({ SignedEntryTimestamp: "AA==", Payload }) };
  };

  it("reads a log entry as one with a promise and no proof", () => {
    const content = read(entry({}))();
    assert.ok(content.kind === "signature");
    assert.deepEqual(content.bundle.logEntries, [{
      path: "/annotations/dev.sigstore.cosign~1bundle",
      logIndex: 1n,
      keyId: Uint8Array.of(0xc0, 0xd2),
      kind: "hashedrekord",
      kindVersion: "0.0.1",
      integratedTime: 1700000000n,
      promise: Uint8Array.of(0),
      body: utf8('{"kind":"hashedrekord","apiVersion":"0.0.1"}'),
    }]);
  });

  it("refuses an entry that is no such thing", () => {
    const cases: [Record<string, string>, string][] = [
      [{ [LOG]: "{}" }, "malformed-log-entry"],
      [{ [LOG]: "x" }, "malformed-log-entry"],
      [entry({ body: btoa("x") }), "malformed-log-entry"],
      [entry({ body: btoa("{}") }), "malformed-log-entry"],
      [entry({ integratedTime: -1 }), "malformed-log-entry"],
      [entry({ integratedTime: 253402300800 }), "malformed-log-entry"],
      [entry({ logID: "xyz" }), "invalid-hex"],
      [{ "dev.sigstore.cosign/rfc3161timestamp": "{}" }, "malformed-timestamp"],
      [{ "dev.sigstore.cosign/rfc3161timestamp": "[" }, "malformed-timestamp"],
    ];
    for (const [annotations, reason] of cases) {
      assert.equal(refusal(read(annotations)), reason, JSON.stringify(annotations));
    }
    assert.equal(refusal(read({ [LOG]: "null" })), "accepted");
    assert.equal(refusal(read(entry({ integratedTime: 253402300799 }))), "accepted");
  });

  it("wants one signature where a certificate, an entry or a stamp is of one", async () => {
    const signature = { keyid: "", sig: "AA==" };
    const envelope = { payloadType: "t", payload: "e30=", signatures: [signature, signature] };
    const layer = (annotations: Record<string, string>) => () =>
      readCosignLayer({
        mimeType: "application/vnd.dsse.envelope.v1+json",
        payload: utf8(JSON.stringify(envelope)),
        annotations,
      });
    assert.equal(refusal(layer({})), "accepted");
    assert.equal(refusal(layer(entry({}))), "malformed-envelope");
    const { authority } = await theInstance();
    const certificate = encodePem("CERTIFICATE", authority.intermediate);
    const stamp = "dev.sigstore.cosign/rfc3161timestamp";
    assert.equal(refusal(layer({ [CERTIFICATE]: certificate })), "malformed-envelope");
    const stamped = { [stamp]: JSON.stringify({ SignedRFC3161Timestamp: "AA==" }) };
    assert.equal(refusal(layer(stamped)), "malformed-envelope");
  });
});
