import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeBase64, encodeBase64 } from "../internal/base64.ts";
import { blake2b512 } from "../internal/blake2b.ts";
import { concat, utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { ABC, ABC_SHA256, keyOf, STATEMENT } from "./_fixtures_test.ts";
import { signify } from "./minisign.ts";
import { importMinisignKey, parseFormat, verifyFormat } from "./mod.ts";

/* Made by minisign 0.10 and signify-openbsd 31 with keys that were thrown away. */
const HELLO = utf8("hello\n");
const MINISIGN_KEY = `untrusted comment: minisign public key 8898F3B5C5407C20
RWQgfEDFtfOYiE3MPO4t6UY5vJen+drgBYJTr55HPLKmy0ySbnYI4/37
`;
const MINISIG = `untrusted comment: signature from minisign secret key
RUQgfEDFtfOYiDfBT+WjJWfTNtNTGv3tHC9e8QwXEk1uBuH+Vn8pdFxakaKtBNqDJBSTjXmpnTkOjO2Jzu+mZ9G4XF9nMj18Ygs=
trusted comment: interop sample
wnTqfzfbj0BiOxyX6NV3yWs8sEatSAzb3Fqtbm7xW9K+DH8xyXOwAyfJEjnqXmLo5t+8FBLLOLt1kA7P5TdTDg==
`;
const SIGNIFY_KEY = `untrusted comment: signify public key
RWQCI9gpsiTBSiObJxvN3b+S1+5xfpNQSWMQpUxCTsL7GKJrjvP0Nu08
`;
const SIGNIFY_LIST = `untrusted comment: verify with k.pub
RWQCI9gpsiTBSoD4zaCi5n38wTUtCphIxeYZyH7ESA9H9nUe17MqENIBf4c0xWPsoeBiPe6fzoDyFub6srj0z2vvj7XOvcCZrQk=
SHA256 (a.txt) = 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
`;
const SIGNIFY = `untrusted comment: verify with k.pub
RWQCI9gpsiTBSsUKa4TVgeXQmfnOMB6JdjmAhI/ASrYdOyWNR7SxXIiLfHVIf11WPgr5a0MtL2jP8T5PPI/tozepmt3OrThaww0=
`;

const ID = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

interface Made {
  algorithm?: "Ed" | "ED";
  signed?: Uint8Array;
  comment?: string;
  id?: Uint8Array;
  name?: string;
}

/** A signature file, wrong where it is told to be. */
async function minisig({ algorithm = "ED", signed, comment = "t", id = ID, name }: Made = {}) {
  const { signer } = await keyOf("Ed25519", name);
  const data = signed ?? (algorithm === "ED" ? blake2b512(ABC) : ABC);
  const signature = await signer.sign(data);
  const global = await signer.sign(concat(signature, utf8(comment)));
  return [
    "untrusted comment: x",
    encodeBase64(concat(utf8(algorithm), id, signature)),
    `trusted comment: ${comment}`,
    encodeBase64(global),
    "",
  ].join("\n");
}

async function key(id = ID, name?: string) {
  const { trustedKey } = await keyOf("Ed25519", name);
  const text = encodeBase64(concat(utf8("Ed"), id, trustedKey.spki.subarray(-32)));
  return await importMinisignKey(text);
}

async function reason(
  source: string,
  given: Uint8Array | undefined = ABC,
  keys?: Awaited<ReturnType<typeof key>>[],
): Promise<string> {
  const result = await verifyFormat(source, {
    keys: keys ?? [await key()],
    ...(given === undefined ? {} : { detached: { content: given, digest: {} } }),
  });
  return result.ok ? result.envelope.format : result.errorReason;
}

describe("verifyFormat() of minisign", () => {
  it("accepts what minisign signed, over the file or its BLAKE2b-512", async () => {
    const own = await importMinisignKey(MINISIGN_KEY);
    equal(await reason(MINISIG, HELLO, [own]), "minisign");
    const digest = { blake2b: encodeHex(blake2b512(HELLO)) };
    const result = await verifyFormat(MINISIG, { keys: [own], detached: { digest } });
    ok(result.ok);
    equal(result.envelope.message, undefined);
    equal(result.envelope.coverage, "whole-artifact");
    ok("reason" in result.statement);
    equal(await reason(await minisig()), "minisign");
    equal(await reason(await minisig({ algorithm: "Ed" })), "minisign");
  });

  it("is told from signify by its form of signature, whatever the id of the key is", async () => {
    for (const first of [0, 0x40, 0x80, 0xff]) {
      const id = ID.with(0, first);
      const cut = (await minisig({ id })).split("\n").slice(0, 2).join("\n");
      await rejects(parseFormat(cut), {
        reason: "malformed-envelope",
        message: /the trusted comment is mandatory/,
      });
      throws(() => signify.parse(utf8(cut), { maxBytes: 1024, maxSignatures: 1 }), {
        reason: "malformed-envelope",
      });
    }
  });

  it("refuses a comment that no tool writes so long, and a digest of another length", async () => {
    equal(await reason(await minisig({ comment: "t".repeat(8000) })), "minisign");
    equal(await reason(await minisig({ comment: "t".repeat(8192) })), "malformed-envelope");
    for (const blake2b of ["00", "zz".repeat(64)]) {
      const trust = { keys: [await key()], detached: { digest: { blake2b } } };
      const result = await verifyFormat(await minisig(), trust);
      ok(!result.ok);
      equal(result.errorReason, "artifact-required");
    }
  });

  it("reads no form of signature for the other", async () => {
    const hashed = (await minisig()).split("\n");
    const bytes = decodeBase64(hashed[1]);
    bytes[1] = 0x64;
    hashed[1] = encodeBase64(bytes);
    equal(await reason(hashed.join("\n")), "invalid-signature");
    equal(await reason(await minisig({ algorithm: "ED", signed: ABC })), "invalid-signature");
    equal(
      await reason(await minisig({ algorithm: "Ed", signed: blake2b512(ABC) })),
      "invalid-signature",
    );
  });

  it("refuses another file, another key, and another id of the key", async () => {
    equal(await reason(await minisig(), utf8("abd")), "invalid-signature");
    equal(await reason(await minisig({ name: "mallory" })), "invalid-signature");
    const other = Uint8Array.from(ID, (b) => b + 1);
    equal(await reason(await minisig({ id: other })), "invalid-signature");
    equal(await reason(await minisig(), ABC, [await key(other)]), "invalid-signature");
    equal(await reason(await minisig(), ABC, []), "missing-trusted-key");
    equal(
      await reason(await minisig(), ABC, [(await keyOf("ES256")).trustedKey]),
      "key-algorithm-mismatch",
    );
    const none = await verifyFormat(await minisig(), { keys: [await key()] });
    equal(none.ok ? "ok" : none.errorReason, "artifact-required");
  });

  it("refuses a trusted comment that was changed, or is missing", async () => {
    const good = await minisig({ comment: "version 1" });
    equal(await reason(good), "minisign");
    equal(await reason(good.replace("version 1", "version 2")), "invalid-signature");
    const cut = MINISIG.split("\n").slice(0, 2).join("\n") + "\n";
    equal(await reason(cut, HELLO, [await importMinisignKey(MINISIGN_KEY)]), "malformed-envelope");
    const lines = good.split("\n");
    lines[3] = lines[1];
    equal(await reason(lines.join("\n")), "malformed-envelope");
    equal(await reason(`${good}more\n`), "malformed-envelope");
  });

  it("makes no claim of the untrusted comment", async () => {
    const result = await verifyFormat((await minisig()).replace("comment: x", "comment: pwn"), {
      keys: [await key()],
      detached: { content: ABC, digest: { sha256: ABC_SHA256 } },
    });
    ok(result.ok);
    deepEqual(result.envelope.unauthenticated, { untrustedComment: "pwn" });
    deepEqual(result.envelope.authenticated, { trustedComment: "t" });
  });

  it("makes no claim of a trusted comment that no trusted key signed", async () => {
    const result = await verifyFormat(await minisig({ comment: "pwn" }), {
      keys: [(await keyOf("Ed25519", "stranger")).trustedKey],
      detached: { content: ABC, digest: { sha256: ABC_SHA256 } },
    });
    ok(!result.ok && result.envelope !== undefined);
    equal(result.envelope.authenticated, undefined);
    equal(result.envelope.unauthenticated.trustedComment, "pwn");
  });

  it("reads a signed list of checksums as a Statement", async () => {
    const list = utf8(`${ABC_SHA256}  abc\n${"0".repeat(64)} *b\n`);
    const source = await minisig({ algorithm: "Ed", signed: list });
    const result = await verifyFormat(source, {
      keys: [await key()],
      detached: { content: list, digest: {} },
    });
    ok(result.ok && "statement" in result.statement);
    deepEqual(result.statement.implicit, ["messageType", "predicateType"]);
    deepEqual(result.statement.statement.subject.map(({ name }) => name), ["abc", "b"]);
    equal(result.statement.statement.predicateType, "raw-artifact-signature");
  });

  it("refuses lists that lead elsewhere or say two things", async () => {
    const of = async (text: string) => {
      const list = utf8(text);
      const result = await verifyFormat(await minisig({ algorithm: "Ed", signed: list }), {
        keys: [await key()],
        detached: { content: list, digest: {} },
      });
      ok(result.ok);
      return "statement" in result.statement ? "ok" : result.statement.reason;
    };
    equal(await of(`${ABC_SHA256}  ../x\n`), "unsupported-file-name");
    equal(await of(`${ABC_SHA256}  /x\n`), "unsupported-file-name");
    equal(await of(`${ABC_SHA256}  a\n${"0".repeat(64)}  a\n`), "unsupported-payload-type");
    equal(await of(`${ABC_SHA256.slice(1)}  a\n`), "unsupported-payload-type");
    equal(await of(`${ABC_SHA256.toUpperCase()}  a\r\n`), "ok");
    equal(await of(""), "empty-input");
    equal(await of("hello\n"), "unsupported-payload-type");
    equal(await of(JSON.stringify(STATEMENT)), "unsupported-payload-type");
  });
});

describe("verifyFormat() of signify", () => {
  it("accepts what signify signed, beside the file and before it", async () => {
    const own = await importMinisignKey(SIGNIFY_KEY);
    equal(await reason(SIGNIFY, HELLO, [own]), "signify");
    const result = await verifyFormat(SIGNIFY_LIST, { keys: [own] });
    ok(result.ok && "statement" in result.statement);
    equal(result.envelope.coverage, "message");
    equal(result.statement.statement.subject[0].name, "a.txt");
    equal(
      await reason(SIGNIFY_LIST.replace("a.txt", "b.txt"), undefined, [own]),
      "invalid-signature",
    );
    equal(await reason(SIGNIFY, utf8("hello"), [own]), "invalid-signature");
  });
});

describe("importMinisignKey()", () => {
  it("refuses what is no public key", async () => {
    const bad: [string, string][] = [
      ["", "malformed-key"],
      [MINISIG, "malformed-key"],
      [encodeBase64(new Uint8Array(42)), "malformed-key"],
      ["untrusted comment: x\n!", "invalid-base64"],
      [encodeBase64(concat(utf8("Ed"), ID, Uint8Array.of(1), new Uint8Array(31))), "weak-key"],
    ];
    for (const [text, reason] of bad) await rejects(importMinisignKey(text), { reason });
  });
});
