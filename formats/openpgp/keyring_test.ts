import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { concat, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { ABC, verdict } from "../_fixtures_test.ts";
import { verifyFormat } from "../mod.ts";
import {
  armor,
  literal,
  makeKey,
  NOW,
  publicKey,
  signaturePacket,
  uint,
} from "./_fixtures_test.ts";
import { encodePacket } from "./_packets.ts";
import { createOpenPgpKeyring, type OpenPgpKeySource } from "./mod.ts";

const key = await makeKey();
const other = await makeKey();
const bytes = await publicKey(key);

/** A key of RSA with a modulus of some bits, which nobody has the other half of. */
function rsaKey(bits: number): Uint8Array {
  const modulus = new Uint8Array(bits / 8).fill(0xff);
  return encodePacket(
    6,
    concat(
      uint(4, 1),
      uint(1_700_000_000, 4),
      uint(1, 1),
      uint(bits, 2),
      modulus,
      uint(17, 2),
      Uint8Array.of(1, 0, 1),
    ),
  );
}

const userId = encodePacket(13, utf8("Test"));

describe("createOpenPgpKeyring()", () => {
  it("reads keys in armor and in packets, one or several", async () => {
    const block = armor("PUBLIC KEY BLOCK", bytes);
    const two = `${block}\n${armor("PUBLIC KEY BLOCK", await publicKey(other))}`;
    for (const source of [bytes, block, utf8(block), [block], { name: "ci", content: block }]) {
      const { keys } = await createOpenPgpKeyring(source);
      equal(keys.length, 1);
      equal(keys[0].fingerprint, encodeHex(key.fingerprint));
      equal(
        keys[0].name,
        typeof source === "object" && "name" in source ? "ci" : keys[0].fingerprint,
      );
      deepEqual(keys[0].userIds, ["Test <test@example.com>"]);
      ok(/^[0-9a-f]{64}$/.test(keys[0].keyFingerprint ?? ""));
    }
    const { keys } = await createOpenPgpKeyring({ name: "all.asc", content: two });
    deepEqual(keys.map(({ name }) => name), [
      `all.asc#${encodeHex(key.keyid)}`,
      `all.asc#${encodeHex(other.keyid)}`,
    ]);
    equal((await createOpenPgpKeyring([block, two])).keys.length, 2);
  });

  it("refuses what is no public key, a private one first of all", async () => {
    const bad: [OpenPgpKeySource, string][] = [
      ["", "malformed-key"],
      ["hello", "malformed-key"],
      [encodePacket(5, key.body), "malformed-key"],
      [concat(bytes, encodePacket(7, key.body)), "malformed-key"],
      [concat(bytes, literal(ABC)), "malformed-key"],
      [bytes.subarray(0, bytes.length - 1), "malformed-key"],
      [bytes.subarray(encodePacket(6, key.body).length), "malformed-key"],
      [encodePacket(6, key.body.subarray(0, 20)), "malformed-key"],
      [`text\n${armor("PUBLIC KEY BLOCK", bytes)}`, "malformed-key"],
      [`${armor("PUBLIC KEY BLOCK", bytes)}text`, "malformed-key"],
      [armor("PRIVATE KEY BLOCK", bytes), "malformed-key"],
      [armor("SIGNATURE", await signaturePacket(key, ABC)), "malformed-key"],
      [Uint8Array.of(0xef, 0xbb, 0xbf), "malformed-key"],
    ];
    for (const [source, reason] of bad) await rejects(createOpenPgpKeyring(source), { reason });
  });

  it("refuses a key that gives no security, alone; among others it stays without effect", async () => {
    const small = concat(rsaKey(1024), userId);
    await rejects(createOpenPgpKeyring(small), { reason: "weak-key" });
    // Ed25519: the point of order 1, under which anybody can sign.
    const body = key.body.slice();
    body.fill(0, body.length - 32);
    body[body.length - 32] = 1;
    const weak = concat(encodePacket(6, body), userId);
    await rejects(createOpenPgpKeyring(weak), { reason: "weak-key" });
    const dsa = concat(
      encodePacket(
        6,
        concat(
          uint(4, 1),
          uint(1_700_000_000, 4),
          uint(17, 1),
          ...Array.from({ length: 4 }, () => Uint8Array.of(0, 8, 0xff)),
        ),
      ),
      userId,
    );
    await rejects(createOpenPgpKeyring(dsa), { reason: "unsupported-algorithm" });
    const changed = (at: number, ...values: number[]) => {
      const own = key.body.slice();
      own.set(values, at);
      return concat(encodePacket(6, own), userId);
    };
    const point = key.body.length - 33;
    // Another curve for EdDSA and for ECDSA, a point in another form, and no algorithm at all.
    for (const other of [changed(15, 2), changed(5, 19), changed(point, 4), changed(5, 99)]) {
      await rejects(
        createOpenPgpKeyring(other),
        (error: { reason?: string }) =>
          error.reason === "unsupported-algorithm" || error.reason === "malformed-key",
      );
    }
    for (const version of [2, 3, 5, 7]) {
      await rejects(createOpenPgpKeyring(changed(0, version)), { reason: "malformed-key" });
    }
    const longer = concat(encodePacket(6, concat(key.body, uint(0, 1))), userId);
    await rejects(createOpenPgpKeyring(longer), { reason: "malformed-key" });
    const openpgp = await createOpenPgpKeyring([small, bytes]);
    deepEqual(openpgp.keys.map(({ error }) => error?.reason), ["weak-key", undefined]);
    const trust = { openpgp, now: NOW, detached: { content: ABC, digest: {} } };
    equal(await verdict(await signaturePacket(key, ABC), trust), "ok");
    // Anybody can sign under the point of order 1: it is refused before that is looked at.
    const both = { ...trust, openpgp: await createOpenPgpKeyring([weak, bytes]) };
    const fingerprint = new Uint8Array(
      await crypto.subtle.digest("SHA-1", concat(uint(0x99, 1), uint(body.length, 2), body)),
    );
    const signer = { ...key, fingerprint, keyid: fingerprint.slice(-8) };
    equal(await verdict(await signaturePacket(signer, ABC), both), "weak-key");
  });

  it("bounds what it reads", async () => {
    const { length } = bytes;
    await rejects(
      createOpenPgpKeyring(bytes, { maxBytes: length - 1 }),
      { reason: "limit-exceeded" },
    );
    equal((await createOpenPgpKeyring(bytes, { maxBytes: length, maxKeys: 1 })).keys.length, 1);
    await rejects(
      createOpenPgpKeyring(concat(bytes, await publicKey(other)), { maxKeys: 1 }),
      { reason: "limit-exceeded" },
    );
    const bare = rsaKey(2048);
    for (const length of [70_000, 16_384]) {
      const many = new Uint8Array(bare.length + length * userId.length);
      many.set(bare);
      for (let i = 0; i < length; i++) many.set(userId, bare.length + i * userId.length);
      await rejects(createOpenPgpKeyring(many), { reason: "limit-exceeded" });
    }
  });

  it("throws for wrong arguments, and is the only maker of keyrings", async () => {
    for (
      const bad of [
        [],
        1,
        null,
        { name: 1, content: "" },
        { name: "a", text: "" },
        { name: "a", content: 1 },
        { name: "a", content: bytes, more: 1 },
      ]
    ) {
      await rejects(createOpenPgpKeyring(bad as never), TypeError);
    }
    await rejects(createOpenPgpKeyring(bytes, { max: 1 } as never), TypeError);
    await rejects(createOpenPgpKeyring(bytes, { maxKeys: 0 }), RangeError);
    await rejects(createOpenPgpKeyring(bytes, { maxKeys: 1.5 }), RangeError);
    const keyring = await createOpenPgpKeyring(bytes);
    await rejects(
      verifyFormat(await signaturePacket(key, ABC), { openpgp: { ...keyring } }),
      TypeError,
    );
  });
});
