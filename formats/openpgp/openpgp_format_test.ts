import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeBase64 } from "../../internal/base64.ts";
import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { ABC, ABC_SHA256, keyOf, verdict } from "../_fixtures_test.ts";
import { type FormatTrust, parseFormat, verifyFormat } from "../mod.ts";
import {
  armor,
  cleartext,
  compressed,
  days,
  inline,
  literal,
  MADE,
  makeKey,
  makeKeyOf,
  NOW,
  onePass,
  part,
  publicKey,
  type SignatureForm,
  signaturePacket,
  type TestKey,
  uint,
} from "./_fixtures_test.ts";
import { encodePacket } from "./_packets.ts";
import { createOpenPgpKeyring } from "./mod.ts";

const LIST = `${ABC_SHA256}  abc`;
const key = await makeKey();
const stranger = await makeKey();
const trust: FormatTrust = {
  openpgp: await createOpenPgpKeyring(await publicKey(key)),
  now: NOW,
};
const beside: FormatTrust = { ...trust, detached: { content: ABC, digest: {} } };

async function inClear(text: string, form: SignatureForm = {}, header?: string) {
  return await cleartext(key, text, { form, ...(header === undefined ? {} : { header }) });
}

describe("verifyFormat() of OpenPGP clear text", () => {
  it("reads a list of checksums that is signed, and says who signed", async () => {
    for (
      const text of [
        await inClear(LIST),
        (await inClear(LIST)).replaceAll("\n", "\r\n"),
        `\n  \n${await inClear(LIST)}\n\n`,
        await inClear(LIST, { type: 0 }),
        await inClear(LIST, { hash: 10 }, "Hash: SHA256, SHA512\n"),
        await inClear(LIST, { hash: 10 }, "Hash: SHA256\nHash: SHA512\n"),
        await inClear(LIST, {}, `Hash: ${"SHA1,".repeat(200_000)}SHA256\n`),
      ]
    ) {
      const result = await verifyFormat(text, trust);
      ok(result.ok && "statement" in result.statement, JSON.stringify(result));
      deepEqual(result.statement.statement.subject, [
        { name: "abc", digest: { sha256: ABC_SHA256 } },
      ]);
      equal(result.envelope.coverage, "message");
      equal(result.signers[0].fingerprint, trust.openpgp?.keys[0].keyFingerprint);
      equal(result.signers[0].algorithm, "Ed25519");
    }
  });

  it("leaves out blanks at the end of a line, which nobody signs", async () => {
    const result = await verifyFormat(await inClear("a \t\n- b\n-c"), trust);
    ok(result.ok);
    deepEqual(result.envelope.message, utf8("a\n- b\n-c"));
    const changed = (await inClear("a\nb")).replace("\na\n", "\na  \n");
    const same = await verifyFormat(changed, trust);
    ok(same.ok);
    deepEqual(same.envelope.message, utf8("a\nb"));
    // A run of them within a line costs no more than it is long.
    const wide = (await inClear("a\nb")).replace("\na\n", `\na${" ".repeat(1 << 20)}.\n`);
    equal(await verdict(wide, trust), "invalid-signature");
    // A long run of them within a line is looked at once.
    const long = (await inClear("text")).replace("text", `a${" ".repeat(1 << 20)}b`);
    equal(await verdict(long, trust), "invalid-signature");
  });

  it("refuses what stands outside of what is signed", async () => {
    const text = await inClear(LIST);
    const other = await inClear(LIST.replace("abc", "evil"));
    for (
      const bad of [
        `${LIST}\n${text}`,
        `${text}${LIST}\n`,
        `${text}\n${other}`,
        `${other}\n${text}`,
        text.replace("Hash: SHA256\n", "Hash: SHA256\nComment: x\n"),
        text.replace("Hash: SHA256\n", "Comment: x\nHash: SHA256\n"),
        text.replace("Hash: SHA256\n", `Hash: SHA256\n${LIST}\n`),
        text.replace("Hash: SHA256\n", "Hash: SHA256 \n"),
        text.replace("Hash: SHA256\n", "Hash: SHA512\n"),
        text.replace("Hash: SHA256\n", "Hash: WHIRLPOOL, SHA256\n"),
        text.replace("Hash: SHA256\n", ""),
        text.replace("Hash: SHA256\n\n", "Hash: SHA256\n \n"),
        text.replace("-----BEGIN PGP SIGNED MESSAGE-----", " -----BEGIN PGP SIGNED MESSAGE-----"),
        text.replace(LIST, `${LIST}\n-----BEGIN PGP SIGNED MESSAGE-----\n`),
        text.replace(LIST, `${LIST}\n-dash`),
        text.replace(LIST, `${LIST}\fx`),
        text.replace(LIST, `${LIST}\rx`),
        `${text}\r`,
        text.replace(LIST, `${LIST}\u2028x`),
        text.replace(LIST, `${LIST}\u0085x`),
        text.replace(LIST, `${LIST}\u009bx`),
        text.replace(LIST, `${LIST}\vx`),
        text.replace("Hash: SHA256\n", "Hash: SHA256\nNotDashEscaped: You need GnuPG\n"),
        text.slice(0, text.indexOf("-----BEGIN PGP SIGNATURE")),
        text.slice(0, -20),
        text.replace("-----END PGP SIGNATURE-----", "-----END PGP MESSAGE-----"),
        text.replaceAll("PGP SIGNATURE", "PGP MESSAGE"),
      ]
    ) equal(await verdict(bad, trust), "malformed-envelope", bad);
    equal(await verdict(text.replace(LIST, `${LIST}\nmore`), trust), "invalid-signature");
    equal(await verdict(text.replace("\n\n", "\n\nmore\n"), trust), "invalid-signature");
  });

  it("reads armor with a checksum that is right, and refuses one that is not", async () => {
    const signature = await signaturePacket(key, utf8(LIST), { type: 1 });
    const text = (end: string) =>
      `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${LIST}\n${end}`;
    const good = crcOf(signature);
    const headers = ["Version: x", "Comment: y", "Comment:"];
    equal(await verdict(text(armor("SIGNATURE", signature, { crc: good, headers })), trust), "ok");
    const many = Array.from({ length: 17 }, () => "Comment: x");
    equal(
      await verdict(text(armor("SIGNATURE", signature, { headers: many.slice(1) })), trust),
      "ok",
    );
    equal(
      await verdict(text(armor("SIGNATURE", signature, { headers: many })), trust),
      "limit-exceeded",
    );
    const bad = good === "=AAAA" ? "=BBBB" : "=AAAA";
    equal(
      await verdict(text(armor("SIGNATURE", signature, { crc: bad })), trust),
      "malformed-envelope",
    );
    const spoiled = armor("SIGNATURE", signature).replace(/\n([A-Za-z0-9+/])/, "\n*$1");
    equal(await verdict(text(spoiled), trust), "malformed-envelope");
    const short = armor("SIGNATURE", signature.subarray(0, 70)).replace(
      /=*\n-----END/,
      "\n-----END",
    );
    equal(await verdict(text(short), trust), "invalid-base64");
  });

  it("reads container signatures of the kinds that OpenPGP has", async () => {
    const critical = (type: string) => ({
      type,
      image: { "docker-manifest-digest": `sha256:${ABC_SHA256}` },
      identity: { "docker-reference": "registry.example/app" },
    });
    const signed = async (payload: object) => {
      const result = await verifyFormat(
        await inline(key, utf8(JSON.stringify(payload))),
        trust,
      );
      ok(result.ok);
      return "reason" in result.statement ? result.statement.reason : result.statement.statement;
    };
    const atomic = critical("atomic container signature");
    deepEqual(await signed({ critical: atomic, optional: { creator: "x" } }), {
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "registry.example/app", digest: { sha256: ABC_SHA256 } }],
      predicateType: "atomic container signature",
      predicate: { creator: "x" },
    });
    equal(await signed({ critical: atomic, optional: null }), "malformed-signature-payload");
    equal(
      await signed({ critical: { ...atomic, more: 1 }, optional: {} }),
      "malformed-signature-payload",
    );
    equal(
      await signed({ critical: critical("cosign container image signature"), optional: null }),
      "unsupported-payload-type",
    );
    ok(
      typeof await signed({ critical: critical("Google cloud binauthz container signature") }) ===
        "object",
    );
  });

  it("verifies OpenPGP in attestations of Binary Authorization", async () => {
    const payload = utf8(JSON.stringify({
      critical: {
        type: "Google cloud binauthz container signature",
        image: { "docker-manifest-digest": `sha256:${ABC_SHA256}` },
        identity: { "docker-reference": "registry.example/app" },
      },
    }));
    const attestation = (signature: Uint8Array) =>
      JSON.stringify({
        serializedPayload: encodeBase64(payload),
        signatures: [{ publicKeyId: "x", signature: encodeBase64(signature) }],
      });
    const message = await inline(key, payload);
    for (
      const signature of [
        message,
        utf8(armor("MESSAGE", message)),
        await signaturePacket(key, payload),
        utf8(armor("SIGNATURE", await signaturePacket(key, payload))),
      ]
    ) {
      const result = await verifyFormat(attestation(signature), trust);
      ok(result.ok && "statement" in result.statement, JSON.stringify(result));
      equal(result.statement.statement.subject[0].digest?.sha256, ABC_SHA256);
      equal(await verdict(attestation(signature), { now: NOW }), "missing-trusted-key");
    }
    const long = attestation(await inline(key, new Uint8Array(1 << 20)));
    equal(await verdict(long, trust), "limit-exceeded");
    const other = attestation(await inline(key, utf8("other")));
    equal(await verdict(other, trust), "invalid-signature");
    const encrypted = armor("MESSAGE", encodePacket(18, new Uint8Array(40)));
    equal(await verdict(attestation(utf8(encrypted)), trust), "malformed-envelope");
  });

  it("reads the provenance of a Helm chart", async () => {
    const text =
      `name: app\nversion: 1.2.3\n\n...\nfiles:\n  app-1.2.3.tgz: sha256:${ABC_SHA256}\n`;
    const result = await verifyFormat(await inClear(text), trust);
    ok(result.ok && "statement" in result.statement);
    const { subject, predicateType, predicate } = result.statement.statement;
    deepEqual(subject, [{ name: "app-1.2.3.tgz", digest: { sha256: ABC_SHA256 } }]);
    equal(predicateType, "helm-provenance");
    deepEqual({ ...predicate }, { name: "app", version: "1.2.3" });
    const twice = await verifyFormat(await inClear(text.replace("files:", "...\nfiles:")), trust);
    ok(twice.ok && "reason" in twice.statement);
  });
});

function crcOf(bytes: Bytes): string {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let i = 0; i < 8; i++) crc = (crc << 1) ^ ((crc & 0x800000) !== 0 ? 0x1864cfb : 0);
  }
  return `=${btoa(String.fromCharCode(crc >> 16 & 255, crc >> 8 & 255, crc & 255))}`;
}

describe("verifyFormat() of detached OpenPGP signatures", () => {
  it("verifies the file beside it, armored and in packets, new and old", async () => {
    const packet = await signaturePacket(key, ABC);
    const old = concat(uint(0x88, 1), uint(packet.length - 6, 1), packet.subarray(6));
    const short = concat(uint(0xc2, 1), uint(packet.length - 6, 1), packet.subarray(6));
    for (const one of [packet, old, short, armor("SIGNATURE", packet)]) {
      const result = await verifyFormat(one, beside);
      ok(result.ok);
      equal(result.envelope.coverage, "whole-artifact");
      deepEqual(result.envelope.message, ABC);
    }
    equal(await verdict(packet, trust), "artifact-required");
    const other = { ...trust, detached: { content: utf8("abd"), digest: {} } };
    equal(await verdict(packet, other), "invalid-signature");
    equal(await verdict(armor("SIGNATURE", packet) + "x\n", beside), "malformed-envelope");
    equal(await verdict(`x\n${armor("SIGNATURE", packet)}`, beside), "malformed-envelope");
    for (
      const bad of [
        armor("SIGNATURE", packet, { headers: ["no header"] }),
        armor("SIGNATURE", packet, { headers: ["1: x"] }),
        armor("SIGNATURE", new Uint8Array()).replace("\n\n\n", "\n\n"),
        armor("SIGNATURE", packet).replace("\n\n", "\n"),
        armor("SIGNATURE", packet).replace("-----END", "no data!\n-----END"),
        armor("SIGNATURE", packet).replace(/-----END.*/, ""),
        armor("SIGNATURE", packet).replace(/\n\n[^]*/, ""),
        armor("SIGNATURE", packet).repeat(2),
        armor("PUBLIC KEY BLOCK", packet) + armor("SIGNATURE", packet),
      ]
    ) equal(await verdict(bad, beside), "malformed-envelope", bad);
  });

  it("refuses a file that is signed as text: its line ends would be open", async () => {
    const packet = await signaturePacket(key, ABC, { type: 1 });
    equal(await verdict(packet, beside), "unsupported-signature-type");
  });

  it("refuses a message in place of a signature of the file, whoever signed it", async () => {
    for (const one of [await inline(key, utf8(LIST)), await inClear(LIST)]) {
      equal(await verdict(one, trust), "ok");
      equal(await verdict(one, beside), "subject-mismatch");
    }
    equal(await verdict(await inline(key, ABC), beside), "ok");
  });

  it("gives each signature its own result", async () => {
    const both = concat(await signaturePacket(stranger, ABC), await signaturePacket(key, ABC));
    const result = await verifyFormat(both, beside);
    ok(result.ok);
    deepEqual(
      result.envelope.signers.map((one) => one.ok ? "ok" : one.error.reason),
      ["missing-trusted-key", "ok"],
    );
    equal(await verdict(both, { ...beside, threshold: 2 }), "threshold-not-met");
    const twice = concat(await signaturePacket(key, ABC), await signaturePacket(key, ABC));
    equal(await verdict(twice, { ...beside, threshold: 2 }), "threshold-not-met");
    equal(await verdict(await signaturePacket(stranger, ABC), beside), "missing-trusted-key");
    equal(await verdict(both, { ...beside, openpgp: undefined }), "missing-trusted-key");
    const claimed = await signaturePacket(stranger, ABC, { unhashed: [part(16, key.keyid)] });
    equal(await verdict(claimed, beside), "invalid-signature");
  });

  it("refuses broken digests, whoever signed", async () => {
    for (const hash of [1, 2, 3]) {
      equal(await verdict(await signaturePacket(key, ABC, { hash }), beside), "weak-hash");
    }
    for (const hash of [11, 12, 14, 4]) {
      const packet = await signaturePacket(key, ABC, { hash });
      equal(await verdict(packet, beside), "unsupported-algorithm");
    }
    for (const hash of [8, 9, 10]) {
      equal(await verdict(await signaturePacket(key, ABC, { hash }), beside), "ok");
    }
  });

  it("heeds the times that the signer states", async () => {
    const of = async (form: SignatureForm) =>
      await verdict(await signaturePacket(key, ABC, form), beside);
    equal(await of({ created: new Date("2024-12-31T00:00:00Z") }), "key-not-valid");
    equal(await of({ created: new Date("2025-12-31T00:00:00Z") }), "attestation-not-yet-valid");
    equal(await of({ hashed: [part(3, uint(days(7), 4))] }), "attestation-expired");
    equal(await of({ hashed: [part(3, uint(days(700), 4))] }), "ok");
    equal(await of({ hashed: [part(3, uint(0, 4))] }), "ok");
    // It counts from the moment of its making up to, not including, its end.
    equal(await of({ created: NOW }), "ok");
    const lasts = (NOW.getTime() - MADE.getTime()) / 1000;
    equal(await of({ hashed: [part(3, uint(lasts, 4))] }), "attestation-expired");
    equal(await of({ hashed: [part(3, uint(lasts + 1, 4))] }), "ok");
    // What is not signed says nothing of the time.
    const id = part(16, key.keyid);
    equal(await of({ unhashed: [id, part(3, uint(1, 4))] }), "ok");
    const made = part(2, uint(MADE.getTime() / 1000, 4));
    equal(await of({ timeless: true, unhashed: [id, made] }), "malformed-envelope");
  });

  it("refuses signatures that are not over data, wherever they stand", async () => {
    for (const type of [2, 0x10, 0x13, 0x18, 0x1f, 0x20, 0x40, 0x50]) {
      const form = { type };
      for (
        const one of [
          await inClear(LIST, form),
          armor("MESSAGE", await inline(key, ABC, form)),
          armor("SIGNATURE", await signaturePacket(key, ABC, form)),
        ]
      ) equal(await verdict(one, beside), "unsupported-signature-type", `${type}`);
    }
  });

  it("refuses a signature whose parts are not understood, or can be read in two ways", async () => {
    const of = async (form: SignatureForm) =>
      await verdict(await signaturePacket(key, ABC, form), beside);
    equal(
      await of({ hashed: [part(20 | 0x80, new Uint8Array(8))] }),
      "unsupported-critical-header",
    );
    equal(await of({ hashed: [part(99 | 0x80, uint(1, 1))] }), "unsupported-critical-header");
    equal(await of({ hashed: [part(26, utf8("https://example.com"))] }), "ok");
    equal(await of({ hashed: [part(2, uint(MADE.getTime() / 1000, 4))] }), "malformed-envelope");
    equal(await of({ timeless: true }), "malformed-envelope");
    equal(await of({ unhashed: [] }), "malformed-envelope");
    equal(
      await of({ unhashed: [part(16, key.keyid), part(16, stranger.keyid)] }),
      "malformed-envelope",
    );
    equal(
      await of({ hashed: [part(16, key.keyid)], unhashed: [part(16, stranger.keyid)] }),
      "malformed-envelope",
    );
    const own = part(33, concat(uint(4, 1), key.fingerprint));
    equal(await of({ hashed: [own] }), "ok");
    const certification = armor("SIGNATURE", await signaturePacket(key, ABC, { type: 0x10 }));
    equal(await verdict(certification, beside), "unsupported-signature-type");
    const packet = await signaturePacket(key, ABC);
    for (const version of [3, 5]) {
      const changed = packet.slice();
      changed[6] = version;
      equal(
        await verdict(armor("SIGNATURE", changed), beside),
        "unsupported-signature-type",
      );
    }
    const longer = encodePacket(2, concat(packet.subarray(6), uint(0, 1)));
    equal(await verdict(longer, beside), "malformed-envelope");
    const id = part(16, key.keyid), other = part(16, stranger.keyid);
    const foreign = part(33, concat(uint(4, 1), stranger.fingerprint));
    for (
      const form of [
        { unhashed: [id, part(3, uint(1, 4)), part(99 | 0x80, uint(1, 1))] },
        { unhashed: [part(16, key.keyid.subarray(1))] },
        { unhashed: [part(33, key.fingerprint)] },
        { unhashed: [part(33, concat(uint(5, 1), key.fingerprint, new Uint8Array(12)))] },
        { unhashed: [part(33, uint(4, 1))] },
        { unhashed: [id, id] },
        { hashed: [own], unhashed: [other] },
        { hashed: [own], unhashed: [foreign] },
        { hashed: [own, own] },
        { hashed: [part(3, uint(1, 3))] },
        { timeless: true, hashed: [part(2, uint(1, 5))] },
        { hashed: [part(3, uint(0, 4)), part(3, uint(0, 4))] },
        // An empty part, and one that leads behind the others.
        { hashed: [uint(0, 1)] },
        { hashed: [Uint8Array.of(20, 99)] },
        { hashed: [Uint8Array.of(255, 0, 0)] },
      ] satisfies SignatureForm[]
    ) {
      const reason = form.unhashed?.length === 3
        ? "unsupported-critical-header"
        : "malformed-envelope";
      equal(await of(form), reason, JSON.stringify(form));
    }
    const understood = part(2 | 0x80, uint(MADE.getTime() / 1000, 4));
    equal(await of({ timeless: true, hashed: [understood] }), "ok");
    // Type 127 without its bit, and lengths of all forms.
    equal(await of({ hashed: [part(127, uint(1, 1))] }), "ok");
    for (const length of [191, 192, 193, 8383, 8384]) {
      const body = concat(uint(26, 1), new Uint8Array(length - 1).fill(0x61));
      const short = length < 192
        ? uint(length, 1)
        : Uint8Array.of(192 + (length - 192 >> 8), length - 192 & 255);
      const head = length < 8384 ? short : concat(uint(255, 1), uint(length, 4));
      equal(await of({ hashed: [concat(head, body)] }), "ok", `${length}`);
    }
    const urls = Array.from({ length: 256 }, () => part(26, utf8("x")));
    equal(await of({ hashed: urls.slice(1) }), "ok");
    equal(await of({ hashed: urls }), "limit-exceeded");
    for (const [count, reason] of [[64, "ok"], [65, "limit-exceeded"], [200, "limit-exceeded"]]) {
      const many = concat(...Array.from({ length: Number(count) }, () => packet));
      equal(await verdict(many, beside), reason);
    }
  });

  it("verifies RSA and ECDSA, with the algorithm that the digest makes", async () => {
    for (const alg of ["RS256", "ES256", "ES384"] as const) {
      const own = await makeKeyOf(alg);
      const openpgp = await createOpenPgpKeyring(await publicKey(own));
      const result = await verifyFormat(await signaturePacket(own, ABC), { ...beside, openpgp });
      ok(result.ok, JSON.stringify(result));
      const [{ algorithm, key }] = result.signers;
      equal(algorithm, alg);
      equal(key?.alg, alg);
      equal(key?.fingerprint, (await keyOf(alg)).trustedKey.fingerprint);
      const other = await makeKey();
      const swapped = await signaturePacket({ ...other, keyid: own.keyid }, ABC);
      equal(await verdict(swapped, { ...beside, openpgp }), "key-algorithm-mismatch");
    }
  });

  it("verifies signatures of version 6, which have a salt and name no digest", async () => {
    const six = await makeKey({ version: 6 });
    const openpgp = await createOpenPgpKeyring(await publicKey(six));
    const packet = await signaturePacket(six, ABC);
    equal(await verdict(packet, { ...beside, openpgp }), "ok");
    const text = await cleartext(six, LIST, { header: "" });
    equal(await verdict(text, { ...trust, openpgp }), "ok");
    const stated = await cleartext(six, LIST, { header: "Hash: SHA512\n" });
    equal(await verdict(stated, { ...trust, openpgp }), "malformed-envelope");
    // The salt goes with the digest, and nothing follows the signature.
    const body = packet.subarray(6);
    const at = body.length - 64 - 17;
    equal(body[at], 16);
    const salted = concat(body.subarray(0, at), uint(15, 1), body.subarray(at + 2));
    for (const bad of [salted, concat(body, uint(0, 1)), body.subarray(0, -1)]) {
      const reason = await verdict(armor("SIGNATURE", encodePacket(2, bad)), {
        ...beside,
        openpgp,
      });
      equal(reason, "malformed-envelope");
    }
  });

  it("refuses a signature of another version than its key", async () => {
    const six = await makeKey({ version: 6 });
    const openpgp = await createOpenPgpKeyring([await publicKey(six), await publicKey(key)]);
    const own = part(33, concat(uint(4, 1), key.fingerprint));
    for (
      const packet of [
        await signaturePacket(six, ABC, { version: 4 }),
        await signaturePacket(key, ABC, { version: 6, unhashed: [own] }),
      ]
    ) equal(await verdict(packet, { ...beside, openpgp }), "malformed-envelope");
  });

  it("never accepts a changed byte of a signature as another one", async () => {
    const packet = await signaturePacket(key, ABC);
    let accepted = 0;
    for (let at = 0; at < packet.length; at++) {
      const changed = packet.slice();
      changed[at] ^= 1;
      const result = await verifyFormat(armor("SIGNATURE", changed), beside);
      if (result.ok) accepted++;
    }
    equal(accepted, 0);
  });
});

describe("keys of OpenPGP signatures", () => {
  async function of(of: TestKey, bytes: Uint8Array, by = of): Promise<string> {
    const openpgp = await createOpenPgpKeyring(bytes);
    return await verdict(await signaturePacket(by, ABC), { ...beside, openpgp });
  }

  it("count while they are valid and not revoked", async () => {
    equal(await of(key, await publicKey(key)), "ok");
    equal(await of(key, await publicKey(key, { lasts: days(500) })), "ok");
    equal(await of(key, await publicKey(key, { lasts: days(7) })), "key-not-valid");
    equal(await of(key, await publicKey(key, { revocation: {} })), "key-revoked");
    equal(await of(key, await publicKey(key, { flags: 1 })), "key-not-valid");
  });

  it("sign by a subkey that says itself that it is one, for the primary key", async () => {
    const subkey = await makeKey();
    equal(await of(key, await publicKey(key, { subkey }), subkey), "ok");
    equal(
      await of(key, await publicKey(key, { subkey, withoutBackSignature: true }), subkey),
      "key-not-valid",
    );
    equal(
      await of(key, await publicKey(key, { subkey, subkeyRevocation: {} }), subkey),
      "key-revoked",
    );
    const openpgp = await createOpenPgpKeyring(await publicKey(key, { subkey }));
    const both = concat(await signaturePacket(subkey, ABC), await signaturePacket(key, ABC));
    equal(await verdict(both, { ...beside, openpgp }), "ok");
    equal(await verdict(both, { ...beside, openpgp, threshold: 2 }), "threshold-not-met");
  });

  it("sign where another key has the same subkey in it, which does not vouch for it", async () => {
    const subkey = await makeKey();
    for (const [by, body] of [[subkey, subkey.body], [key, key.body]] as const) {
      const polluted = concat(await publicKey(stranger), encodePacket(14, body));
      const sources = [polluted, await publicKey(key, { subkey })];
      for (const all of [sources, sources.toReversed()]) {
        const openpgp = await createOpenPgpKeyring(all);
        const packet = await signaturePacket(by, ABC);
        const result = await verifyFormat(packet, { ...beside, openpgp });
        ok(result.ok, JSON.stringify(result));
        equal(result.signers[0].name, encodeHex(key.fingerprint));
      }
      const alone = await createOpenPgpKeyring(polluted);
      const packet = await signaturePacket(by, ABC);
      equal(await verdict(packet, { ...beside, openpgp: alone }), "key-not-valid");
    }
  });

  it("are revoked by whatever says so, but for a time to come", async () => {
    const subkey = await makeKey();
    const critical = part(20 | 0x80, concat(uint(0, 4), uint(1, 2), uint(0, 2), utf8("x")));
    const later = new Date("2025-12-01T00:00:00Z");
    const cases: [SignatureForm, string][] = [
      [{}, "key-revoked"],
      [{ hashed: [part(29, uint(3, 1))] }, "key-revoked"],
      [{ hashed: [critical] }, "key-revoked"],
      [{ hashed: [part(99 | 0x80, uint(1, 1))] }, "key-revoked"],
      [{ hashed: [part(3, uint(60, 4))] }, "key-revoked"],
      [{ unhashed: [] }, "key-revoked"],
      [{ created: later, hashed: [part(29, uint(2, 1))] }, "key-revoked"],
      [{ created: later, hashed: [part(29, uint(3, 1))] }, "ok"],
      [{ created: later, hashed: [part(29, uint(1, 1))] }, "ok"],
    ];
    for (const [revocation, expected] of cases) {
      equal(await of(key, await publicKey(key, { revocation })), expected);
      const bytes = await publicKey(key, { subkey, subkeyRevocation: revocation });
      equal(await of(key, bytes, subkey), expected);
    }
    // Anybody can write a revocation that the key did not make.
    const foreign = { ...key, sign: stranger.sign };
    equal(await of(key, await publicKey(key, { revocation: {}, revoker: foreign })), "ok");
  });

  it("are revoked where one of two copies of a subkey is", async () => {
    const subkey = await makeKey();
    const bytes = await publicKey(key, { subkey });
    const revoked = await publicKey(key, { subkey, subkeyRevocation: {} });
    const length = (await publicKey(key)).length;
    const both = concat(bytes, revoked.subarray(length));
    equal(await of(key, both, subkey), "key-revoked");
    equal(await of(key, concat(revoked, bytes.subarray(length)), subkey), "key-revoked");
  });

  it("count with what any of their copies says: a revocation is not left out", async () => {
    const copies = [await publicKey(key), await publicKey(key, { revocation: {} })];
    for (const sources of [copies, copies.toReversed()]) {
      const openpgp = await createOpenPgpKeyring(sources);
      equal(openpgp.keys.length, 1);
      const packet = await signaturePacket(key, ABC);
      equal(await verdict(packet, { ...beside, openpgp }), "key-revoked");
    }
  });
});

describe("verifyFormat() of OpenPGP messages", () => {
  const data = utf8(LIST);

  it("verifies what a message holds, compressed or not", async () => {
    const plain = await inline(key, data);
    const old = concat(await signaturePacket(key, data), literal(data));
    for (
      const one of [
        plain,
        old,
        await compressed(plain),
        await compressed(plain, true),
        armor("MESSAGE", plain),
        armor("MESSAGE", await compressed(plain)),
      ]
    ) {
      const result = await verifyFormat(one, trust);
      ok(result.ok && "statement" in result.statement, JSON.stringify(result));
      equal(result.statement.statement.subject[0].name, "abc");
      deepEqual(result.envelope.message, data);
      deepEqual(result.envelope.unauthenticated, { "file name": "x" });
    }
    equal(await verdict(await inline(stranger, data), trust), "missing-trusted-key");
  });

  it("verifies what a key of version 6 announces, and ZLIB", async () => {
    const six = await makeKey({ version: 6 });
    const openpgp = await createOpenPgpKeyring(await publicKey(six));
    const announced = (fingerprint: Uint8Array) =>
      encodePacket(
        4,
        concat(Uint8Array.of(6, 0, 8, 27, 16), new Uint8Array(16).fill(7), fingerprint, uint(1, 1)),
      );
    const signature = await signaturePacket(six, data);
    const message = concat(announced(six.fingerprint), literal(data), signature);
    equal(await verdict(armor("MESSAGE", message), { ...trust, openpgp }), "ok");
    const other = concat(announced(new Uint8Array(32)), literal(data), signature);
    equal(await verdict(armor("MESSAGE", other), { ...trust, openpgp }), "malformed-envelope");
    const stream = new Blob([message]).stream().pipeThrough(new CompressionStream("deflate"));
    const zlib = concat(uint(2, 1), new Uint8Array(await new Response(stream).arrayBuffer()));
    equal(await verdict(encodePacket(8, zlib), { ...trust, openpgp }), "ok");
  });

  it("verifies text with the line ends that it is signed with", async () => {
    const signed = utf8(`${LIST}\r\n`);
    const message = concat(
      onePass(key, { type: 1 }),
      literal(utf8(`${LIST}\n`), "t"),
      await signaturePacket(key, signed, { type: 1 }),
    );
    const result = await verifyFormat(message, trust);
    ok(result.ok);
    deepEqual(result.envelope.message, signed);
    // A carriage return without a line feed is none of them.
    for (const [data, over] of [["a\r\nb\n\nc", "a\r\nb\r\n\r\nc"], ["a\rb\r\r\n", "a\rb\r\r\n"]]) {
      const one = concat(
        onePass(key, { type: 1 }),
        literal(utf8(data), "t"),
        await signaturePacket(key, utf8(over), { type: 1 }),
      );
      equal(await verdict(one, trust), "ok");
    }
    const lines = concat(
      onePass(key, { type: 1 }),
      literal(utf8("\n".repeat(200_000)), "u"),
      await signaturePacket(key, utf8("\r\n".repeat(200_000)), { type: 1 }),
    );
    equal(await verdict(lines, trust), "ok");
  });

  it("refuses what is not signed, and what is announced and does not come", async () => {
    equal(await verdict(armor("MESSAGE", literal(data)), trust), "missing-signatures");
    const signature = await signaturePacket(key, data);
    for (
      const bad of [
        concat(encodePacket(1, new Uint8Array(10)), encodePacket(18, new Uint8Array(40))),
        concat(onePass(key), signature),
        concat(onePass(key), literal(data)),
        concat(onePass(key), literal(data), literal(data), signature),
        concat(onePass(key), literal(data), signature, signature),
        concat(onePass(stranger), literal(data), signature),
        concat(onePass(key, { hash: 10 }), literal(data), signature),
        concat(onePass(key, { isLast: false }), literal(data), signature),
        concat(literal(data), signature),
        concat(signature, literal(data), signature),
        await compressed(await compressed(await compressed(await inline(key, data)))),
        encodePacket(8, concat(uint(1, 1), utf8("no such data"))),
      ]
    ) {
      const reason = await verdict(armor("MESSAGE", bad), trust);
      equal(reason, "malformed-envelope", armor("MESSAGE", bad));
    }
    for (const nothing of [new Uint8Array(), await compressed(new Uint8Array())]) {
      equal(await verdict(await compressed(nothing), trust), "missing-signatures");
    }
    const kinds = onePass(key), over = await signaturePacket(key, data, { type: 1 });
    for (
      const bad of [
        concat(encodePacket(4, concat(kinds.subarray(6), uint(0, 1))), literal(data), signature),
        concat(encodePacket(4, concat(uint(6, 1), kinds.subarray(7))), literal(data), signature),
        concat(kinds, literal(data, "l"), signature),
        concat(kinds, encodePacket(11, utf8("b")), signature),
        concat(onePass(key, { type: 1, isLast: false }), kinds, literal(data), signature, over),
        concat(kinds, encodePacket(10, utf8("PGP")), literal(data), signature),
      ]
    ) equal(await verdict(armor("MESSAGE", bad), trust), "malformed-envelope");
    const bzip = encodePacket(8, concat(uint(3, 1), utf8("BZh9")));
    equal(await verdict(bzip, trust), "unsupported-algorithm");
  });

  it("unpacks and joins no more than is accepted", async () => {
    const bomb = await compressed(new Uint8Array(33 << 20));
    ok(bomb.length < 1 << 20);
    equal(await verdict(bomb, trust), "limit-exceeded");
    const long = new Uint8Array(1000).fill(0x61);
    const body = concat(utf8("b"), uint(0, 1), uint(0, 4), long);
    const signature = await signaturePacket(key, long);
    const parts = concat(
      onePass(key),
      // 512 bytes, one byte, and what is left.
      Uint8Array.of(0xcb, 0xe9),
      body.subarray(0, 512),
      uint(0xe0, 1),
      body.subarray(512, 513),
      Uint8Array.of(192 + (body.length - 513 - 192 >> 8), body.length - 513 - 192 & 255),
      body.subarray(513),
      signature,
    );
    const result = await verifyFormat(parts, trust);
    ok(result.ok, JSON.stringify(result));
    deepEqual(result.envelope.message, long);
    const single = new Uint8Array(2 * 16_384).map((_, i) => i % 2 === 0 ? 0xe0 : 0x61);
    const many = concat(onePass(key), Uint8Array.of(0xcb, 0xe9), body.subarray(0, 512), single);
    equal(await verdict(concat(many, uint(0, 1)), trust), "limit-exceeded");
    equal(await verdict(concat(many.subarray(0, -4), uint(0, 1)), trust), "malformed-envelope");
    const small = concat(onePass(key), Uint8Array.of(0xcb, 0xe8), body, signature);
    equal(await verdict(armor("MESSAGE", small), trust), "malformed-envelope");
    const packet = concat(Uint8Array.of(0xc2, 0xe9), new Uint8Array(600));
    equal(await verdict(armor("SIGNATURE", packet), trust), "malformed-envelope");
    const cut = concat(Uint8Array.of(0xc2, 0xff, 0xff, 0xff, 0xff, 0xff), new Uint8Array(8));
    equal(await verdict(armor("SIGNATURE", cut), trust), "malformed-envelope");
  });
});

describe("parseFormat() of OpenPGP", () => {
  it("shows the form, the keys and the digests, and believes none of them", async () => {
    const parsed = await parseFormat(await inClear(LIST));
    equal(parsed.format, "openpgp");
    equal(parsed.facts.form, "cleartext");
    equal(parsed.signatures[0].algorithm, "EdDSA over SHA256");
    const headers = ["form: inline", "created: never", "Comment: x"];
    const { facts } = await parseFormat(
      armor("SIGNATURE", await signaturePacket(key, ABC), { headers }),
    );
    deepEqual({ ...facts }, { form: "detached", created: MADE.toISOString(), Comment: "x" });
    await rejects(parseFormat(Uint8Array.of(0x88, 3, 4, 0, 22)), { reason: "unknown-format" });
  });
});
