import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeBase64, encodeBase64Url } from "../internal/base64.ts";
import { decodeUtf8 } from "../internal/json.ts";
import { utf8 } from "../internal/bytes.ts";
import { generateSigner } from "../keys/signer.ts";
import type { Envelope } from "./envelope.ts";
import { createEnvelope, signEnvelope } from "./sign.ts";
import { verifyEnvelope } from "./verify.ts";

const TYPE = "application/vnd.in-toto+json";

describe("createEnvelope()", () => {
  it("is given a signer, not a key's text, which is never in a message", async () => {
    const { privateKey } = await generateSigner("Ed25519");
    const text = (privateKey as unknown) as Parameters<typeof createEnvelope>[2];
    await rejects(createEnvelope(TYPE, "", text), (error: unknown) => {
      ok(error instanceof TypeError);
      ok(!/PRIVATE|[A-Za-z0-9+/]{20}/.test(error.message), "the message has the key");
      return true;
    });
  });

  it("signs bytes as they are, text as UTF-8, and an object as the JSON that it stores", async () => {
    const { signer, trustedKey } = await generateSigner("Ed25519", { name: "ci" });
    const rows: [Uint8Array | string | object, string][] = [
      [Uint8Array.of(0x7b, 0x7d), "{}"],
      ["\u00e9 {}", "\u00e9 {}"],
      ["", ""],
      [{ b: 1, a: "\u00e9" }, '{"b":1,"a":"\u00e9"}'],
      [[1, 2], "[1,2]"],
      [{}, "{}"],
      [[], "[]"],
      [Object.create(null), "{}"],
      [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ];
    for (const [payload, text] of rows) {
      const envelope = await createEnvelope(TYPE, payload, signer);
      deepEqual(Object.keys(envelope).sort(), ["payload", "payloadType", "signatures"]);
      const result = await verifyEnvelope(envelope, { keys: [trustedKey] });
      ok(result.ok);
      equal(decodeUtf8(result.payload), text);
      equal(result.payloadType, TYPE);
      deepEqual(result.acceptedBy, ["ci"]);
    }
  });

  it("reads an object once", async () => {
    const { signer } = await generateSigner("Ed25519");
    let reads = 0;
    const payload = { toJSON: () => ({ reads: ++reads }) };
    const envelope = await createEnvelope(TYPE, payload, signer);
    equal(decodeUtf8(decodeBase64(envelope.payload)), '{"reads":1}');
  });

  it("does not sign {} for what JSON has no members for", async () => {
    const { signer } = await generateSigner("Ed25519");
    for (
      const payload of [
        new ArrayBuffer(3),
        new Uint16Array(2),
        new DataView(new ArrayBuffer(2)),
        new Map([["a", 1]]),
        new Set([1]),
        Promise.resolve({}),
        new Blob(["x"]),
        () => 1,
      ]
    ) {
      const wanted = { name: "TypeError", message: "The payload cannot be written as JSON" };
      await rejects(createEnvelope(TYPE, payload, signer), wanted, String(payload));
    }
    await rejects(createEnvelope(TYPE, "\ud800", signer), TypeError);
    await rejects(createEnvelope("\ud800", "", signer), TypeError);
    await rejects(createEnvelope(TYPE, "", []), TypeError);
  });

  it("writes standard base64 with padding, and the key id only if there is one", async () => {
    const named = await generateSigner("ES256", { keyid: "k1" });
    const unnamed = await generateSigner("Ed25519");
    const envelope = await createEnvelope(TYPE, Uint8Array.of(0xfb, 0xff, 0xbf, 0), [
      named.signer,
      unnamed.signer,
    ]);
    equal(envelope.payload, "+/+/AA==");
    equal(envelope.signatures[0].keyid, "k1");
    deepEqual(Object.keys(envelope.signatures[1]), ["sig"]);
    equal(envelope.signatures[1].sig.length, 88);
  });

  it("takes a key as PEM or JWK text (the short form)", async () => {
    const { privateKey, publicKey } = await generateSigner("ES256");
    const envelope = await createEnvelope(TYPE, { a: 1 }, {
      key: privateKey,
      alg: "ES256",
      keyid: "ci",
    });
    equal(envelope.signatures[0].keyid, "ci");
    const result = await verifyEnvelope(envelope, { pubkey: publicKey, alg: "ES256" });
    equal(result.errorReason, null);
    ok(result.ok);
    const without = await verifyEnvelope(envelope, { pubkey: publicKey });
    equal(without.errorReason, null);
  });

  it("refuses options and keys that it does not know", async () => {
    const { privateKey, publicKey } = await generateSigner("Ed25519");
    const misspelt = { key: privateKey, keyId: "x" };
    await rejects(createEnvelope(TYPE, {}, misspelt), TypeError);
    // importSigner() would take it.
    const more = { key: privateKey, passphrase: "x" };
    await rejects(createEnvelope(TYPE, {}, more), { name: "TypeError", message: /passphrase/ });
    const none = null as unknown as typeof misspelt;
    await rejects(createEnvelope(TYPE, {}, none), { name: "TypeError", message: /importSigner/ });
    await rejects(createEnvelope(TYPE, {}, { key: publicKey }), { name: "AttestationError" });
    await rejects(createEnvelope(TYPE, {}, { key: privateKey, alg: "ES256" }), {
      name: "AttestationError",
    });
  });

  it("takes a signer for a signer, whatever else it has", async () => {
    const { signer, trustedKey } = await generateSigner("Ed25519");
    const remote = { ...signer, sign: signer.sign, publicKey: signer.publicKey, key: "projects/x" };
    const result = await verifyEnvelope(await createEnvelope(TYPE, {}, remote), {
      keys: [trustedKey],
    });
    equal(result.errorReason, null);
  });
});

describe("signEnvelope()", () => {
  it("keeps the payload to the letter, the signatures and unknown members", async () => {
    const first = await generateSigner("Ed25519");
    const second = await generateSigner("ES384", { keyid: "two" });
    const once: Envelope & { x: number } = {
      ...await createEnvelope(TYPE, Uint8Array.of(0xfb, 0xff, 0xbf, 0), first.signer),
      x: 1,
    };
    once.payload = encodeBase64Url(decodeBase64(once.payload));
    const twice = await signEnvelope(once, second.signer);
    equal(twice.payload, "-_-_AA");
    equal(twice.signatures.length, 2);
    deepEqual(twice.signatures[0], once.signatures[0]);
    equal(twice.signatures[1].keyid, "two");
    equal((twice as typeof once).x, 1);
    equal(once.signatures.length, 1);
    const keys = [first.trustedKey, second.trustedKey];
    equal((await verifyEnvelope(twice, { keys, threshold: 2 })).errorReason, null);
  });

  it("keeps every spelling of the payload that a verifier takes, and signs its bytes", async () => {
    const { signer, trustedKey } = await generateSigner("Ed25519");
    const other = await generateSigner("ES256");
    const bytes = Uint8Array.of(0xfb, 0xff, 0xbf, 0x0a);
    const once = await createEnvelope(TYPE, bytes, other.signer);
    for (const payload of ["+/+/Cg==", "-_-_Cg==", "+/+/Cg", "-_-_Cg"]) {
      const twice = await signEnvelope({ ...once, payload }, signer);
      equal(twice.payload, payload);
      const keys = [trustedKey, other.trustedKey];
      const result = await verifyEnvelope(twice, { keys, threshold: 2 });
      ok(result.ok);
      deepEqual(result.payload, bytes);
    }
    // What another decoder might read as the same bytes, or as others.
    for (const payload of ["+/+/Ch==", "+/+/ Cg==", "+/+/Cg==\n", "+/+/Cg=", "-/+_Cg=="]) {
      await rejects(signEnvelope({ ...once, payload }, signer), { reason: "invalid-base64" });
    }
  });

  it("returns what it signed when the envelope changes meanwhile", async () => {
    const { signer, trustedKey } = await generateSigner("Ed25519");
    const once = await createEnvelope(TYPE, "good", signer);
    const work = signEnvelope(once, signer);
    once.payload = "ZXZpbA==";
    once.signatures.length = 0;
    const twice = await work;
    equal(twice.payload, "Z29vZA==");
    equal(twice.signatures.length, 2);
    equal((await verifyEnvelope(twice, { keys: [trustedKey] })).errorReason, null);
  });

  it("refuses what is no envelope", async () => {
    const { signer } = await generateSigner("Ed25519");
    const empty = { payload: "", payloadType: "", signatures: [] };
    await rejects(signEnvelope(empty, signer), { reason: "missing-signatures" });
    const bad = { payload: "!", payloadType: "", signatures: [{ sig: "" }] };
    await rejects(signEnvelope(bad, signer), { reason: "invalid-base64" });
  });

  it("signs the bytes of the payload and its type", async () => {
    const { signer, trustedKey } = await generateSigner("ES256");
    const envelope = await createEnvelope(TYPE, utf8("x"), signer);
    const sig = decodeBase64(envelope.signatures[0].sig);
    ok(await trustedKey.verify(utf8(`DSSEv1 28 ${TYPE} 1 x`), sig));
  });
});
