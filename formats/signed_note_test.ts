import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeBase64 } from "../internal/base64.ts";
import { concat, utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { leafHash, nodeHash } from "../sigstore/merkle.ts";
import { ABC, keyOf, STATEMENT, verdict } from "./_fixtures_test.ts";
import { importNoteKey, verifyFormat } from "./mod.ts";

const SIBLING = sha256(utf8("b"));
const ROOT = nodeHash(leafHash(ABC), SIBLING);
const TEXT = `log.example\n2\n${encodeBase64(ROOT)}\n`;

async function hint(name: string, type: number, by = "ci"): Promise<Uint8Array> {
  const { trustedKey } = await keyOf("Ed25519", by);
  return sha256(utf8(`${name}\n`), Uint8Array.of(type), trustedKey.spki.subarray(-32)).subarray(
    0,
    4,
  );
}

interface Line {
  name?: string;
  by?: string;
  signed?: string;
  time?: bigint;
  bad?: boolean;
}

async function line(text: string, made: Line = {}): Promise<string> {
  const { name = "log.example", by = "ci", time, bad } = made;
  const { signer } = await keyOf("Ed25519", by);
  const signed = time === undefined ? text : `cosignature/v1\ntime ${time}\n${text}`;
  const signature = await signer.sign(utf8(signed));
  if (bad) signature[0] ^= 1;
  const stamp = new Uint8Array(time === undefined ? 0 : 8);
  if (time !== undefined) new DataView(stamp.buffer).setBigUint64(0, time);
  const id = await hint(name, time === undefined ? 1 : 4, by);
  return `\u2014 ${name} ${encodeBase64(concat(id, stamp, signature))}\n`;
}

const note = async (text: string, ...lines: Line[]) =>
  `${text}\n${(await Promise.all(lines.map((one) => line(text, one)))).join("")}`;
const vkey = async (name = "log.example", type = 1, by = "ci") => {
  const point = (await keyOf("Ed25519", by)).trustedKey.spki.subarray(-32);
  const key = encodeBase64(concat(Uint8Array.of(type), point));
  return `${name}+${encodeHex(await hint(name, type, by))}+${key}`;
};
const trust = async () => ({ keys: [await importNoteKey(await vkey())] });

describe("verifyFormat() of a signed note", () => {
  it("accepts a checkpoint, and proves its tree head", async () => {
    const result = await verifyFormat(await note(TEXT, {}), await trust());
    ok(result.ok);
    equal(result.envelope.format, "checkpoint");
    deepEqual(result.envelope.proofs, [
      { origin: "log.example", size: 2n, rootHash: encodeHex(ROOT) },
    ]);
    ok("reason" in result.statement);
  });

  it("accepts any other text as a note, signed bytes without the empty line", async () => {
    for (const text of [`${"a".repeat(64)}  abc\n`, `${JSON.stringify(STATEMENT)}\n`]) {
      // What it says is for whoever asked the log, and is none of an artifact.
      const listed = await verifyFormat(await note(text, {}), await trust());
      ok(listed.ok && "reason" in listed.statement, text);
      equal(listed.statement.reason, "unsupported-payload-type");
    }
    const result = await verifyFormat(await note("hello\n", {}), await trust());
    ok(result.ok);
    equal(result.envelope.format, "signed-note");
    equal(new TextDecoder().decode(result.envelope.message), "hello\n");
  });

  it("ignores lines of strangers, and refuses a bad one of a trusted key", async () => {
    equal(await verdict(await note(TEXT, { name: "w", by: "w" }, {}), await trust()), "ok");
    equal(
      await verdict(await note(TEXT, { name: "w", by: "w" }), await trust()),
      "missing-trusted-key",
    );
    equal(await verdict(await note(TEXT, {}, { bad: true }), await trust()), "invalid-signature");
    equal(await verdict(await note(TEXT, { bad: true }), await trust()), "invalid-signature");
    const many = Array.from({ length: 16 }, (_, i): Line => ({ name: `w${i}`, by: "w" }));
    equal(await verdict(await note(TEXT, ...many, {}), await trust()), "ok");
  });

  it("takes a key under its own name only", async () => {
    equal(
      await verdict(await note(TEXT, { name: "other.example" }), await trust()),
      "missing-trusted-key",
    );
    const bare = { keys: [(await keyOf("Ed25519")).trustedKey] };
    equal(await verdict(await note(TEXT, { name: "other.example" }), bare), "ok");
  });

  it("accepts a witness's cosignature, with its time", async () => {
    const keys = [await importNoteKey(await vkey("w", 4, "w"))];
    const result = await verifyFormat(await note(TEXT, { name: "w", by: "w", time: 1700000000n }), {
      keys,
    });
    ok(result.ok);
    equal(result.signers[0].time?.toISOString(), "2023-11-14T22:13:20.000Z");
    // A time that no date can have is left out; it is signed all the same.
    const far = await note(TEXT, { name: "w", by: "w", time: 2n ** 63n });
    const late = await verifyFormat(far, { keys });
    ok(late.ok);
    equal(late.signers[0].time, undefined);
    for (const length of [0, 1, 7, 71, 73]) {
      const cut = encodeBase64(concat(await hint("w", 4, "w"), new Uint8Array(length)));
      const reason = length === 0 ? "malformed-checkpoint" : "invalid-signature";
      equal(await verdict(`${TEXT}\n\u2014 w ${cut}\n`, { keys }), reason, String(length));
    }
    // A signature of a log is none of a witness.
    equal(await verdict(await note(TEXT, { name: "w", by: "w" }), { keys }), "missing-trusted-key");
  });

  it("refuses control characters, no blank line, and what follows", async () => {
    const good = await note(TEXT, {});
    const bad = [good.replace("log", "l\tog"), good.replace("\n\n", "\n"), `${good}more`];
    for (const one of bad) ok(await verdict(one, await trust()) !== "ok");
    equal(await verdict(good.replace("log", "l\u0007g"), await trust()), "malformed-checkpoint");
  });
});

describe("verifyFormat() of a proof of a log", () => {
  const proof = async (changes: { index?: number; hash?: Uint8Array; extra?: string } = {}) =>
    `c2sp.org/tlog-proof@v1\n${changes.extra ?? ""}index ${changes.index ?? 0}\n${
      encodeBase64(changes.hash ?? SIBLING)
    }\n\n${await note(TEXT, {})}`;
  const reason = async (source: string, leaf: Uint8Array | undefined = ABC) =>
    await verdict(source, {
      ...await trust(),
      ...(leaf.length === 0 ? {} : { detached: { content: leaf, digest: {} } }),
    });

  it("accepts the leaf that it is of, and no other", async () => {
    equal(await reason(await proof()), "ok");
    equal(await reason(await proof({ extra: "extra YQ==\n" })), "ok");
    equal(await reason(await proof(), utf8("abd")), "invalid-inclusion-proof");
    equal(await reason(await proof({ index: 1 })), "invalid-inclusion-proof");
    equal(await reason(await proof({ hash: ROOT })), "invalid-inclusion-proof");
    equal(await reason(await proof(), new Uint8Array()), "artifact-required");
    const proofs = async (source: string, more: object) => {
      const result = await verifyFormat(source, { ...await trust(), ...more });
      return result.envelope?.proofs.length;
    };
    const detached = { content: ABC, digest: {} };
    equal(await proofs(await proof(), { detached }), 1);
    equal(await proofs(await proof(), {}), 0);
    equal(await proofs(await proof({ index: 1 }), { detached }), 0);
    equal(await proofs(await proof(), { detached, keys: [] }), 0);
  });

  it("refuses another form", async () => {
    equal(await reason((await proof()).replace("index 0", "index 00")), "malformed-checkpoint");
    equal(await reason(await proof({ hash: SIBLING.subarray(1) })), "malformed-checkpoint");
    const line = `${encodeBase64(SIBLING)}\n`;
    const long = (await proof()).replace(line, line.repeat(64));
    equal(await reason(long), "malformed-checkpoint");
    const extra = `extra ${"A".repeat(1 << 20)}\n`;
    equal(await reason(await proof({ extra })), "limit-exceeded");
  });
});

describe("importNoteKey()", () => {
  it("refuses a hash that is not of its name and key, and other types", async () => {
    const good = await vkey();
    equal((await importNoteKey(good)).name, "log.example");
    const bad: [string, string][] = [
      [good.replace("log.example", "log.other"), "malformed-key"],
      [good.replace(/\+[0-9a-f]{8}\+/, "+00000000+"), "malformed-key"],
      ["a+b", "malformed-key"],
      [`a+00000000+${encodeBase64(Uint8Array.of(6, 1, 2))}`, "unsupported-algorithm"],
      [`a+00000000+${encodeBase64(Uint8Array.of(1, 1, 2))}`, "malformed-key"],
    ];
    for (const [text, reason] of bad) await rejects(importNoteKey(text), { reason });
  });
});
