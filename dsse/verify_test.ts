import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeBase64, encodeBase64 } from "../internal/base64.ts";
import { type Bytes, concat, utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { generateSigner, type Signer } from "../keys/signer.ts";
import { importTrustedKey, type TrustedKey } from "../keys/trusted_key.ts";
import type { Envelope } from "./envelope.ts";
import { pae } from "./pae.ts";
import { createEnvelope } from "./sign.ts";
import { type EnvelopeTrust, verifyEnvelope } from "./verify.ts";

const TYPE = "http://example.com/HelloWorld";
const BODY = "hello world";
const P256 =
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZ805D3eqNZywjCI19lInBJOp7YMrCrzAH3CVTAOQ0jgMeCvVTiaRJaRPRDOv8UMs6U4SvKc6pnrIDOoSYI3fdA==";
const P256_SIG =
  "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==";
const P256_DER =
  "MEQCIANyarEBrVbCdjtsaqyOSHJ14qeRk6CdxfhZ2fjvPEo7AiBR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==";
const ED25519_SIG =
  "4DHX3Zn4qpBKvEj7maE8O9u9bjXEnPLLnyXVUJ2PXJR8DSLcL3QDpFvfJOj3pB/SPHsl6Jg4boxsMb6KvuYABw==";
const ED25519 =
  "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

function hello(...sigs: (string | { sig: string; keyid: string })[]): Envelope {
  const signatures = sigs.map((sig) => typeof sig === "string" ? { sig } : sig);
  return { payload: "aGVsbG8gd29ybGQ=", payloadType: TYPE, signatures };
}

function p256(name = "p256", keyid?: string): Promise<TrustedKey> {
  return importTrustedKey(decodeBase64(P256), { name, keyid });
}

async function reasonOf(
  envelope: Envelope | object | string | Uint8Array,
  trust: EnvelopeTrust,
): Promise<string> {
  const result = await verifyEnvelope(envelope, trust);
  return result.ok ? `ok ${result.acceptedBy.join()}` : result.errorReason;
}

/** An envelope around a signature over anything. */
async function signedOver(
  signer: Signer,
  data: Bytes,
  envelope: Partial<Envelope> = {},
): Promise<Envelope> {
  return { ...hello(encodeBase64(await signer.sign(data))), ...envelope };
}

describe("verifyEnvelope() on the published vectors (DSSE 1.0.2, protocol.md)", () => {
  it("accepts the P-256 signature raw, URL-safe and as DER", async () => {
    const keys = [await p256()];
    const urlSafe = P256_SIG.replaceAll("+", "-").replaceAll("/", "_");
    for (const sig of [P256_SIG, urlSafe, urlSafe.replace(/=+$/, ""), P256_DER]) {
      for (const keyid of ["66301bbf", "", "other"]) {
        const result = await verifyEnvelope(hello({ sig, keyid }), { keys });
        ok(result.ok, sig);
        deepEqual(result, {
          ok: true,
          errorReason: null,
          payloadType: TYPE,
          payload: utf8(BODY),
          acceptedBy: ["p256"],
          acceptedKeys: keys,
        });
      }
    }
  });

  it("accepts the Ed25519 signature, with the key as PEM (the short form)", async () => {
    const envelope = hello(ED25519_SIG);
    for (const source of [envelope, JSON.stringify(envelope), utf8(JSON.stringify(envelope))]) {
      equal((await verifyEnvelope(source, { pubkey: ED25519 })).errorReason, null);
      equal((await verifyEnvelope(source, { pubkey: ED25519, alg: "Ed25519" })).errorReason, null);
    }
    equal(
      (await verifyEnvelope(hello(P256_SIG), { pubkey: ED25519 })).errorReason,
      "invalid-signature",
    );
  });

  it("tells what is wrong with the key of the short form", async () => {
    for (
      const [trust, reason] of [
        [{ pubkey: "" }, "malformed-pem"],
        [{ pubkey: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----" }, "malformed-key"],
        [{ pubkey: ED25519, alg: "ES256" as const }, "key-algorithm-mismatch"],
      ] as const
    ) equal((await verifyEnvelope(hello(ED25519_SIG), trust)).errorReason, reason);
    const misspelt = { pubkey: ED25519, algorithm: "Ed25519" };
    await rejects(verifyEnvelope(hello(ED25519_SIG), misspelt), TypeError);
    const both: object = { pubkey: ED25519, keys: [] };
    await rejects(verifyEnvelope(hello(ED25519_SIG), both as { pubkey: string }), TypeError);
  });
});

describe("verifyEnvelope() refuses a signature over anything but the encoding", () => {
  const cases: [string, (signed: { body: Bytes; envelope: Envelope }) => Bytes][] = [
    ["the bare payload", ({ body }) => body],
    ["the base64 of the payload", ({ envelope }) => utf8(envelope.payload)],
    ["the encoding of the base64", ({ envelope }) => pae(TYPE, utf8(envelope.payload))],
    ["another type's", ({ body }) => pae(TYPE.toLowerCase(), body)],
    ["another payload's", () => pae(TYPE, utf8("hello World"))],
    ["type and payload without lengths", ({ body }) => concat(utf8(`DSSEv1 ${TYPE} `), body)],
    [
      "another version's",
      ({ body }) => utf8(`DSSEv2 29 ${TYPE} 11 ${new TextDecoder().decode(body)}`),
    ],
    ["the envelope's text", ({ envelope }) => utf8(JSON.stringify(envelope))],
  ];
  for (const [what, dataOf] of cases) {
    it(`over ${what}`, async () => {
      const { signer, trustedKey } = await generateSigner("ES256");
      const data = dataOf({ body: utf8(BODY), envelope: hello("") });
      equal(
        await reasonOf(await signedOver(signer, data), { keys: [trustedKey] }),
        "invalid-signature",
      );
    });
  }

  it("over an encoding that counts characters", async () => {
    const { signer, trustedKey } = await generateSigner("Ed25519");
    const payloadType = "application/vnd.t\u00ebst+json";
    const inCharacters = utf8(`DSSEv1 ${payloadType.length} ${payloadType} 11 ${BODY}`);
    const keys = [trustedKey];
    equal(
      await reasonOf(await signedOver(signer, inCharacters, { payloadType }), { keys }),
      "invalid-signature",
    );
    const right = pae(payloadType, utf8(BODY));
    equal(
      await reasonOf(await signedOver(signer, right, { payloadType }), { keys }),
      `ok ${trustedKey.name}`,
    );
  });

  it("when the bytes of type and payload only add up to the same", async () => {
    const { signer, trustedKey } = await generateSigner("Ed25519");
    const moved = await signedOver(signer, pae("ab", utf8("c")), {
      payloadType: "a",
      payload: encodeBase64(utf8("bc")),
    });
    equal(await reasonOf(moved, { keys: [trustedKey] }), "invalid-signature");
  });
});

describe("verifyEnvelope() counts keys, not signatures (protocol.md, Multi-signature Verification)", () => {
  it("needs `threshold` distinct keys", async () => {
    const all = await Promise.all(
      (["a", "b", "c"] as const).map((name) => generateSigner("Ed25519", { name })),
    );
    const keys = all.map(({ trustedKey }) => trustedKey);
    const [a, b, c] = all.map(({ signer }) => signer);
    const trust = { keys, threshold: 2 };
    equal(await reasonOf(await createEnvelope(TYPE, BODY, [a]), trust), "threshold-not-met");
    equal(await reasonOf(await createEnvelope(TYPE, BODY, [c, a]), trust), "ok a,c");
    equal(
      await reasonOf(await createEnvelope(TYPE, BODY, [a, b, c]), { keys, threshold: 3 }),
      "ok a,b,c",
    );
    equal(
      await reasonOf(await createEnvelope(TYPE, BODY, [a, b]), { keys, threshold: 3 }),
      "threshold-not-met",
    );
    const stranger = await generateSigner("Ed25519");
    equal(
      await reasonOf(await createEnvelope(TYPE, BODY, [stranger.signer]), trust),
      "invalid-signature",
    );
    equal(
      await reasonOf(await createEnvelope(TYPE, BODY, [stranger.signer, a]), trust),
      "threshold-not-met",
    );
    equal(await reasonOf(await createEnvelope(TYPE, BODY, [stranger.signer, b]), { keys }), "ok b");
  });

  it("counts a key once: signing twice, under two names, under two key ids, malleated", async () => {
    const { signer } = await generateSigner("ES256");
    const spki = await signer.publicKey();
    const other = (await generateSigner("ES256")).trustedKey;
    const one = await importTrustedKey(spki, { name: "one", keyid: "k1" });
    const two = await importTrustedKey(spki, { name: "two", keyid: "k2" });
    const { payload, payloadType, signatures } = await createEnvelope(TYPE, BODY, [signer, signer]);
    const trust = { keys: [one, two, other], threshold: 2 };
    for (const ids of [["", ""], ["k1", "k2"], ["k2", "k1"], ["k1", "k1"]]) {
      const envelope = {
        payload,
        payloadType,
        signatures: signatures.map(({ sig }, i) => ({ sig, keyid: ids[i] })),
      };
      equal(await reasonOf(envelope, trust), "threshold-not-met", ids.join());
      equal(await reasonOf(envelope, { keys: [one, two] }), "ok one", ids.join());
    }
    // r and n - s verify as well: another signature, the same key.
    const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const raw = decodeBase64(P256_SIG);
    const s = BigInt(`0x${encodeHex(raw.subarray(32))}`);
    const hex = (n - s).toString(16).padStart(64, "0");
    const negated = concat(
      raw.subarray(0, 32),
      Uint8Array.from(hex.match(/../g)!, (two) => parseInt(two, 16)),
    );
    const keys = [await p256(), other];
    const both = hello(P256_SIG, encodeBase64(negated), P256_DER);
    equal(await reasonOf(both, { keys, threshold: 2 }), "threshold-not-met");
    equal(await reasonOf(both, { keys }), "ok p256");
  });

  it("throws for a threshold that decides nothing or can never be met", async () => {
    const keys = [await p256("a"), await p256("b")];
    for (const threshold of [0, -1, NaN, 1.5, Infinity, 2, 3]) {
      await rejects(
        verifyEnvelope(hello(P256_SIG), { keys, threshold }),
        TypeError,
        String(threshold),
      );
    }
    await rejects(verifyEnvelope(hello(P256_SIG), { keys: [] }), TypeError);
    const text: object = { keys, threshold: "1" };
    await rejects(verifyEnvelope(hello(P256_SIG), text as EnvelopeTrust), TypeError);
  });
});

describe("verifyEnvelope() takes a key id for a hint", () => {
  it("accepts in spite of a wrong one, and not because of a right one", async () => {
    const own = await generateSigner("Ed25519", { name: "own", keyid: "k" });
    const foreign = await generateSigner("Ed25519", { name: "foreign", keyid: "k" });
    const keys = [own.trustedKey];
    equal(
      await reasonOf(await createEnvelope(TYPE, BODY, foreign.signer), { keys }),
      "invalid-signature",
    );
    const { signatures: [{ sig }], ...rest } = await createEnvelope(TYPE, BODY, own.signer);
    const all = [foreign.trustedKey, own.trustedKey];
    for (const keyid of ["", "k", "wrong", "K", foreign.trustedKey.fingerprint]) {
      const envelope = { ...rest, signatures: [{ sig, keyid }] };
      equal(await reasonOf(envelope, { keys }), "ok own", keyid);
      equal(await reasonOf(envelope, { keys: all }), "ok own", keyid);
    }
  });

  it("asks the named key first", async () => {
    const asked: string[] = [];
    const watched = (key: TrustedKey, name: string, keyid?: string): TrustedKey => ({
      ...key,
      name,
      keyid,
      verify: (data, sig) => {
        asked.push(name);
        return key.verify(data, sig);
      },
    });
    const other = (await generateSigner("ES256")).trustedKey;
    const keys = [watched(other, "other", "x"), watched(await p256(), "right", "y")];
    await verifyEnvelope(hello({ sig: P256_SIG, keyid: "y" }), { keys });
    deepEqual(asked.splice(0), ["right"]);
    await verifyEnvelope(hello({ sig: P256_SIG, keyid: keys[1].fingerprint }), { keys });
    deepEqual(asked.splice(0), ["right"]);
    await verifyEnvelope(hello({ sig: P256_SIG, keyid: "x" }), { keys });
    deepEqual(asked.splice(0), ["other", "right"]);
    await verifyEnvelope(hello(P256_SIG), { keys });
    deepEqual(asked, ["other", "right"]);
  });

  it("insists on it when told to: `must-match`", async () => {
    const keys = [await p256("named", "k")];
    const trust: EnvelopeTrust = { keys, keyIdRule: "must-match" };
    equal(await reasonOf(hello({ sig: P256_SIG, keyid: "k" }), trust), "ok named");
    equal(await reasonOf(hello(P256_SIG), trust), "ok named");
    equal(await reasonOf(hello({ sig: P256_SIG, keyid: "other" }), trust), "invalid-signature");
    equal(await reasonOf(hello({ sig: P256_SIG, keyid: "other" }), { keys }), "ok named");
  });
});

describe("verifyEnvelope() and its options", () => {
  it("compares the payload type as it is", async () => {
    const keys = [await p256()];
    equal(await reasonOf(hello(P256_SIG), { keys, payloadTypes: ["x", TYPE] }), "ok p256");
    for (const type of [TYPE.toLowerCase(), `${TYPE}; charset=utf-8`, TYPE.slice(0, -1), ""]) {
      equal(
        await reasonOf(hello(P256_SIG), { keys, payloadTypes: [type] }),
        "unsupported-payload-type",
      );
    }
    equal(await reasonOf(hello(P256_SIG), { keys, payloadTypes: [] }), "unsupported-payload-type");
  });

  it("throws for what it does not know", async () => {
    const keys = [await p256()];
    const wrong: object[] = [
      { keys, treshold: 2 },
      { keys, payloadType: TYPE },
      { keys, keyIdRule: "none" },
      { keys, payloadTypes: TYPE },
      { keys: [ED25519] },
      { keys: [null] },
      { keys: [{}] },
      { keys: keys[0] },
      { keys, maxPayloadBytes: NaN },
      { keys, maxSignatures: 0 },
      {},
    ];
    for (const trust of wrong) {
      await rejects(
        verifyEnvelope(hello(P256_SIG), trust as EnvelopeTrust),
        TypeError,
        JSON.stringify(trust),
      );
    }
  });

  it("bounds signatures and payload", async () => {
    const keys = [await p256()];
    const sigs = (count: number) => hello(...Array(count).fill(P256_SIG));
    equal(await reasonOf(sigs(64), { keys }), "ok p256");
    equal(await reasonOf(sigs(65), { keys }), "limit-exceeded");
    equal(await reasonOf(sigs(3), { keys, maxSignatures: 2 }), "limit-exceeded");
    equal(await reasonOf(hello(P256_SIG), { keys, maxPayloadBytes: 11 }), "ok p256");
    equal(await reasonOf(hello(P256_SIG), { keys, maxPayloadBytes: 10 }), "limit-exceeded");
  });
});

describe("verifyEnvelope() fails closed", () => {
  const base = {
    name: "k",
    alg: "Ed25519" as const,
    fingerprint: "00",
    spki: new Uint8Array(0),
  };
  const refusing: [string, TrustedKey["verify"]][] = [
    ["throws", () => {
      throw new Error("boom");
    }],
    ["rejects", () => Promise.reject(new Error("boom"))],
    ["rejects with nothing", () => Promise.reject()],
    ...[1, "true", {}, [], new Boolean(true), undefined, null].map((
      value,
    ): [string, TrustedKey["verify"]] => [
      `answers ${JSON.stringify(value)}`,
      () => Promise.resolve(value as unknown as boolean),
    ]),
  ];
  for (const [what, verify] of refusing) {
    it(`when a key ${what}`, async () => {
      equal(await reasonOf(hello(P256_SIG), { keys: [{ ...base, verify }] }), "invalid-signature");
      const keys = [{ ...base, verify }, await p256()];
      equal(await reasonOf(hello(P256_SIG), { keys }), "ok p256");
      equal(await reasonOf(hello(P256_SIG, P256_SIG), { keys, threshold: 2 }), "threshold-not-met");
    });
  }

  it("when the envelope is an object that cannot be read", async () => {
    const keys = [await p256()];
    const hostile: object[] = [
      {
        get payload(): never {
          throw new TypeError("no");
        },
      },
      new Proxy(hello(P256_SIG), {
        get() {
          throw new TypeError("no");
        },
      }),
      { ...hello(P256_SIG), signatures: [null] },
      { ...hello(P256_SIG), signatures: new Array(1) },
      { ...hello(P256_SIG), signatures: { length: 1, 0: { sig: P256_SIG } } },
      Object.create(hello(P256_SIG)),
      { toJSON: () => hello(P256_SIG) },
    ];
    for (const envelope of hostile) {
      const result = await verifyEnvelope(envelope, { keys });
      equal(result.ok, false);
    }
  });

  it("and returns the payload that it verified, whatever a getter says later", async () => {
    const keys = [await p256()];
    for (let first = 0; first < 4; first++) {
      let reads = 0;
      const result = await verifyEnvelope({
        ...hello(P256_SIG),
        get payload(): string {
          return reads++ === first ? "ZXZpbA==" : "aGVsbG8gd29ybGQ=";
        },
      }, { keys });
      if (result.ok) deepEqual(result.payload, utf8(BODY));
      else equal(result.errorReason, "invalid-signature");
    }
  });

  it("on every bit of an envelope: it verifies to the same payload and type, or not", async () => {
    const { signer, trustedKey } = await generateSigner("Ed25519");
    const envelope = await createEnvelope("t/x", "{}", signer);
    const text = utf8(JSON.stringify(envelope));
    const keys = [trustedKey];
    equal(await reasonOf(text, { keys }), `ok ${trustedKey.name}`);
    let refused = 0;
    for (let bit = 0; bit < text.length * 8; bit++) {
      const changed = text.slice();
      changed[bit >> 3] ^= 1 << (bit & 7);
      const result = await verifyEnvelope(changed, { keys });
      if (result.ok) {
        deepEqual(result.payload, utf8("{}"), String(bit));
        equal(result.payloadType, "t/x", String(bit));
      } else refused++;
    }
    ok(refused > text.length * 7);
  });

  it("on what only looks like keys", async () => {
    const key = await p256();
    const { verify: _verify, ...cannotVerify } = key;
    const { fingerprint: _fingerprint, ...cannotBeTold } = key;
    for (const keys of [new Set([key]), [cannotVerify], [cannotBeTold]]) {
      const trust = { keys } as object as EnvelopeTrust;
      await rejects(verifyEnvelope(hello(P256_SIG), trust), TypeError);
    }
  });

  it("when keys are added while it is at work", async () => {
    const keys = [(await generateSigner("Ed25519")).trustedKey];
    const pending = verifyEnvelope(hello(P256_SIG), { keys });
    keys.push(await p256());
    equal((await pending).errorReason, "invalid-signature");
    const slow: TrustedKey = {
      ...keys[0],
      verify: () => new Promise((done) => setTimeout(() => done(false), 5)),
    };
    const growing = [slow];
    const second = verifyEnvelope(hello(P256_SIG), { keys: growing });
    growing.push(keys[1]);
    equal((await second).errorReason, "invalid-signature");
  });

  it("and its error names no key and no payload", async () => {
    const result = await verifyEnvelope(hello(ED25519_SIG), { keys: [await p256()] });
    ok(!result.ok);
    equal(result.error.reason, result.errorReason);
    equal(result.error.path, "/signatures");
    equal(result.error.message, "Cannot verify envelope: 0 of 1 required keys accept");
  });
});
