import type { Reason } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encodeBase64, encodeBase64Url } from "../../internal/base64.ts";
import type { Json, JsonObject } from "../../internal/json.ts";
import { IN_TOTO, preAuthenticationEncoding } from "../pki/bundle.ts";
import { type TestKey, testKey } from "../pki/keys.ts";
import type { Collection } from "./collection.ts";
import { ecdsaToRaw } from "./ecdsa.ts";
import { payloadOf, statementAbout } from "./statements.ts";

interface DsseCase {
  id: string;
  why: string;
  reason?: Reason;
  options?: JsonObject;
  /** Names of trusted keys. Default the P-256 key. */
  keys?: string[];
}

const PAYLOAD = payloadOf(statementAbout(utf8("artifact\n")));

/** Envelopes that keep or break one rule of DSSE each. */
export async function addDsse(collection: Collection): Promise<void> {
  const key = await testKey("dsse-p256");
  const second = await testKey("dsse-ed25519");
  const add = (
    { id, why, reason, options = {}, keys = ["dsse-p256"] }: DsseCase,
    content: Json | Uint8Array | string,
  ) => {
    const path = `dsse/${id}.json`;
    const envelope = typeof content === "string" || content instanceof Uint8Array
      ? collection.file(path, content)
      : collection.json(path, content);
    const paths = keys.map((name) => `keys/${name}.pub`);
    collection.case({
      id,
      kind: "dsse",
      files: { envelope, key: paths.length === 1 ? paths[0] : paths },
      why,
      rule: "DSSE 1.0.2, protocol.md and envelope.md",
      options,
      ...(reason === undefined ? {} : { reason }),
    });
  };
  const good = await envelopeOf(key);
  const signature = await key.sign(preAuthenticationEncoding(IN_TOTO, PAYLOAD));
  const withSignature = (sig: Json, keyid?: string): JsonObject => ({
    ...good,
    signatures: [keyid === undefined ? { sig } : { sig, keyid }],
  });
  const signed = async (message: Uint8Array) =>
    withSignature(encodeBase64(await key.sign(message)));

  add({ id: "p256", why: "ECDSA P-256, signature in DER" }, good);
  add(
    {
      id: "p256-raw",
      why: "ECDSA P-256, signature as r and s",
      options: { signatureEncoding: "P1363" },
    },
    withSignature(encodeBase64(ecdsaToRaw(signature, 32))),
  );
  for (const name of ["dsse-p384", "dsse-ed25519", "dsse-rsa"]) {
    const other = await testKey(name);
    add({ id: name.slice(5), why: other.algorithm, keys: [name] }, await envelopeOf(other));
  }
  const unusual = utf8("subjects?>>~~~");
  add({ id: "url-safe", why: "URL-safe payload, standard signature" }, {
    payload: encodeBase64(unusual).replace(/\+/g, "-").replace(/\//g, "_"),
    payloadType: "text/plain",
    signatures: [{
      sig: encodeBase64(await key.sign(preAuthenticationEncoding("text/plain", unusual))),
    }],
  });
  add({ id: "unpadded", why: "base64 without padding" }, {
    ...good,
    payload: encodeBase64Url(PAYLOAD),
    signatures: [{ sig: encodeBase64Url(signature) }],
  });
  add(
    { id: "empty-payload", why: "payload and payload type may be empty" },
    await envelopeOf(key, new Uint8Array(), ""),
  );
  add(
    { id: "binary-payload", why: "payload that is no text" },
    await envelopeOf(key, Uint8Array.of(0, 255, 10), "application/octet-stream"),
  );
  add(
    { id: "type-not-ascii", why: "length of the payload type in bytes, not characters" },
    await envelopeOf(key, utf8("\u00e9"), "application/vnd.t\u00ebst+json"),
  );
  add({ id: "unknown-members", why: "unknown members are ignored" }, {
    ...good,
    x: 1,
    signatures: [{ sig: encodeBase64(signature), cert: "x", keyid: "" }],
  });
  add(
    { id: "keyid-wrong", why: "a wrong key id is only a hint" },
    withSignature(encodeBase64(signature), "another"),
  );
  add({ id: "unknown-key-too", why: "one more signature by a key that nobody trusts" }, {
    ...good,
    signatures: [
      { sig: encodeBase64(await second.sign(preAuthenticationEncoding(IN_TOTO, PAYLOAD))) },
      { sig: encodeBase64(signature) },
    ],
  });
  const both = ["dsse-p256", "dsse-ed25519"];
  const twoSigners = {
    ...good,
    signatures: [
      { sig: encodeBase64(signature) },
      { sig: encodeBase64(await second.sign(preAuthenticationEncoding(IN_TOTO, PAYLOAD))) },
    ],
  };
  add(
    { id: "threshold-2", why: "two of two keys", keys: both, options: { threshold: 2 } },
    twoSigners,
  );

  add(
    { id: "payload-changed", why: "one bit of the payload differs", reason: "invalid-signature" },
    { ...good, payload: encodeBase64(PAYLOAD.map((byte, i) => i === 40 ? byte ^ 1 : byte)) },
  );
  add(
    { id: "type-case", why: "payload type in another case", reason: "invalid-signature" },
    { ...good, payloadType: "application/vnd.in-toto+JSON" },
  );
  add(
    { id: "type-other", why: "payload signed as another type", reason: "invalid-signature" },
    { ...good, payloadType: "text/plain" },
  );
  const type = "application/vnd.t\u00ebst+json";
  add({
    id: "length-in-characters",
    why: "encoded with the length in characters",
    reason: "invalid-signature",
  }, {
    payload: encodeBase64(PAYLOAD),
    payloadType: type,
    signatures: [{
      sig: encodeBase64(
        await key.sign(
          utf8(
            `DSSEv1 ${type.length} ${type} ${PAYLOAD.length} ${new TextDecoder().decode(PAYLOAD)}`,
          ),
        ),
      ),
    }],
  });
  add(
    { id: "without-encoding", why: "payload signed as it is", reason: "invalid-signature" },
    await signed(PAYLOAD),
  );
  add(
    { id: "base64-signed", why: "base64 of the payload signed", reason: "invalid-signature" },
    await signed(preAuthenticationEncoding(IN_TOTO, utf8(encodeBase64(PAYLOAD)))),
  );
  add(
    { id: "signature-of-other", why: "signature of another payload", reason: "invalid-signature" },
    await signed(preAuthenticationEncoding(IN_TOTO, utf8("{}"))),
  );
  add(
    {
      id: "other-key",
      why: "another key signed, under the trusted one's id",
      reason: "invalid-signature",
    },
    { ...await envelopeOf(await testKey("leaf-other"), PAYLOAD, IN_TOTO, "ci") },
  );
  add(
    { id: "empty-signature", why: "an empty signature", reason: "invalid-signature" },
    withSignature(""),
  );
  add({
    id: "same-key-twice",
    why: "a key that signs twice counts once",
    reason: "threshold-not-met",
    keys: both,
    options: { threshold: 2 },
  }, {
    ...good,
    signatures: [
      { sig: encodeBase64(signature), keyid: "one" },
      { sig: encodeBase64(signature), keyid: "two" },
    ],
  });
  add({
    id: "threshold-not-met",
    why: "one of two keys",
    reason: "threshold-not-met",
    keys: both,
    options: { threshold: 2 },
  }, good);

  const malformed = (id: string, why: string) => ({
    id,
    why,
    reason: "malformed-envelope" as const,
  });
  const { payload: _payload, ...noPayload } = good;
  const { payloadType: _payloadType, ...noType } = good;
  const { signatures: _signatures, ...noSignatures } = good;
  add(malformed("no-payload", "no payload"), noPayload);
  add(malformed("no-payload-type", "no payload type"), noType);
  add(malformed("no-signatures", "no signatures"), noSignatures);
  add(malformed("payload-null", "payload is null"), { ...good, payload: null });
  add(malformed("payload-object", "payload is not encoded"), { ...good, payload: {} });
  add(malformed("payload-type-number", "payload type is a number"), { ...good, payloadType: 1 });
  add(malformed("signatures-null", "signatures is null"), { ...good, signatures: null });
  add(malformed("signatures-object", "signatures is an object"), { ...good, signatures: {} });
  add(malformed("signature-text", "a signature is a text"), { ...good, signatures: ["AA=="] });
  add(malformed("no-sig", "a signature without sig"), { ...good, signatures: [{ keyid: "ci" }] });
  add(malformed("sig-number", "sig is a number"), withSignature(1));
  add(malformed("array", "an array"), [good]);
  add(malformed("metablock", "legacy in-toto metadata"), {
    signed: { _type: "link" },
    signatures: [{ keyid: "00", sig: "00" }],
  });
  add(
    { id: "signatures-empty", why: "no signature in the list", reason: "missing-signatures" },
    { ...good, signatures: [] },
  );
  const base64 = (id: string, why: string) => ({ id, why, reason: "invalid-base64" as const });
  const text = encodeBase64(PAYLOAD);
  add(base64("base64-white-space", "a line feed in the payload"), {
    ...good,
    payload: `${text.slice(0, 8)}\n${text.slice(8)}`,
  });
  add(base64("base64-mixed", "both alphabets in one text"), { ...good, payload: "+_8=" });
  add(base64("base64-padding", "padding in the middle"), { ...good, payload: `AA==${text}` });
  add(base64("base64-length", "one digit too many"), { ...good, payload: "AAAAA" });
  add(base64("base64-foreign", "a character outside the alphabets"), { ...good, payload: "AA!A" });
  add(base64("base64-bits", "unused bits that are not zero"), { ...good, payload: "AB==" });
  add(base64("base64-sig", "one bad signature of two"), {
    ...good,
    signatures: [{ sig: encodeBase64(signature) }, { sig: "%%%%" }],
  });

  const json = JSON.stringify(good);
  add(
    { id: "duplicate-key", why: "a member twice", reason: "duplicate-json-key" },
    json.replace("{", '{"payload":"e30=",'),
  );
  add(
    {
      id: "duplicate-key-escaped",
      why: "a member twice, once in escapes",
      reason: "duplicate-json-key",
    },
    json.replace("{", '{"p\\u0061yload":"e30=",'),
  );
  add(
    {
      id: "lone-surrogate",
      why: "payload type with an unpaired surrogate",
      reason: "invalid-unicode",
    },
    json.replace('"payloadType":"', '"payloadType":"\\ud800'),
  );
  const invalid = utf8(json.replace('"payloadType":"', '"payloadType":"\u0001'));
  add(
    { id: "invalid-utf8", why: "payload type that is no UTF-8", reason: "invalid-unicode" },
    invalid.map((byte) => byte === 1 ? 0xff : byte),
  );
  add(
    { id: "deep", why: "nested 1000 deep", reason: "limit-exceeded" },
    json.replace("{", `{"x":${"[".repeat(1000)}${"]".repeat(1000)},`),
  );
  add(
    { id: "many-signatures", why: "100 signatures", reason: "limit-exceeded" },
    { ...good, signatures: Array.from({ length: 100 }, () => ({ sig: "" })) },
  );
  add({ id: "empty", why: "an empty file", reason: "empty-input" }, "");
  add({ id: "html", why: "an HTML page", reason: "malformed-json" }, "<!doctype html>\n");
  add({ id: "truncated", why: "cut in the middle", reason: "malformed-json" }, json.slice(0, 99));
  add({ id: "trailing", why: "text after the envelope", reason: "malformed-json" }, `${json} x`);
  add(
    { id: "byte-order-mark", why: "a byte order mark", reason: "malformed-json" },
    `\ufeff${json}`,
  );
}

/** An envelope with one signature. */
async function envelopeOf(
  key: TestKey,
  payload: Uint8Array = PAYLOAD,
  payloadType = IN_TOTO,
  keyid?: string,
): Promise<JsonObject> {
  const sig = encodeBase64(await key.sign(preAuthenticationEncoding(payloadType, payload)));
  return {
    payload: encodeBase64(payload),
    payloadType,
    signatures: [keyid === undefined ? { sig } : { sig, keyid }],
  };
}
