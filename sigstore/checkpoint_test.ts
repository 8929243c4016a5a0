import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeBase64, encodeBase64 } from "../internal/base64.ts";
import { concat, utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { encodeSpki } from "../keys/spki.ts";
import { parseSpki } from "../keys/public_key.ts";
import { reasonOf, theInstance } from "../tests/fixtures/sigstore.ts";
import {
  checkpointText,
  cosignature,
  logSignature,
  signatureLine,
  signedNote,
} from "../tools/pki/checkpoint.ts";
import { testKey } from "../tools/pki/keys.ts";
import {
  type NoteKey,
  noteKeyHint,
  parseCheckpoint,
  parseNote,
  verifyCheckpoint,
} from "./checkpoint.ts";

const ROOT = encodeBase64(new Uint8Array(32).fill(7));
const LINE = `\u2014 log.example ${encodeBase64(new Uint8Array(68))}\n`;
const TEXT = `log.example\n9\n${ROOT}\n`;

describe("parseCheckpoint()", () => {
  it("reads origin, size, root, extensions and signatures", () => {
    const note = parseCheckpoint(`${TEXT}Timestamp: 1\nmore\n\n${LINE}${LINE}`);
    equal(note.origin, "log.example");
    equal(note.size, 9n);
    deepEqual(note.extensions, ["Timestamp: 1", "more"]);
    equal(note.signatures.length, 2);
    equal(note.signatures[0].name, "log.example");
    deepEqual(note.signed, utf8(`${TEXT}Timestamp: 1\nmore\n`));
  });

  it("reads bytes as it reads text", () => {
    deepEqual(parseCheckpoint(utf8(`${TEXT}\n${LINE}`)), parseCheckpoint(`${TEXT}\n${LINE}`));
  });

  it("reads sizes above 2^53 exactly", () => {
    const text = TEXT.replace("\n9\n", "\n9223372036854775807\n");
    equal(parseCheckpoint(`${text}\n${LINE}`).size, 9223372036854775807n);
  });

  const malformed: Record<string, string | Uint8Array> = {
    "nothing": "",
    "no blank line": `${TEXT}${LINE}`,
    "no signature": `${TEXT}\n`,
    "no newline at the end": `${TEXT}\n${LINE.slice(0, -1)}`,
    "another character for the newline at the end": `${TEXT}\n${LINE.slice(0, -1)}x`,
    "a blank line at the end": `${TEXT}\n${LINE}\n`,
    "a blank line in the text": `${TEXT}\nextension\n\n${LINE}`,
    "an empty origin": `\n9\n${ROOT}\n\n${LINE}`,
    "no size": `log.example\n${ROOT}\n\n${LINE}`,
    "no root": `log.example\n9\n\n${LINE}`,
    "leading zeros": `log.example\n09\n${ROOT}\n\n${LINE}`,
    "a sign": `log.example\n+9\n${ROOT}\n\n${LINE}`,
    "a negative size": `log.example\n-9\n${ROOT}\n\n${LINE}`,
    "a hexadecimal size": `log.example\n0x9\n${ROOT}\n\n${LINE}`,
    "a size with space": `log.example\n9 \n${ROOT}\n\n${LINE}`,
    "a size of 20 digits": `log.example\n10000000000000000000\n${ROOT}\n\n${LINE}`,
    "a short root": `log.example\n9\n${encodeBase64(new Uint8Array(31))}\n\n${LINE}`,
    "a root without padding": `log.example\n9\n${ROOT.replace("=", "")}\n\n${LINE}`,
    "a root in URL-safe base64": `log.example\n9\n${
      encodeBase64(new Uint8Array(32).fill(255)).replaceAll("/", "_")
    }\n\n${LINE}`,
    "a root with unused bits": `log.example\n9\n${ROOT.slice(0, -2)}d=\n\n${LINE}`,
    "a carriage return": `${TEXT.replaceAll("\n", "\r\n")}\n${LINE}`,
    "a tab": `log\texample\n9\n${ROOT}\n\n${LINE}`,
    "a NUL": `log\0example\n9\n${ROOT}\n\n${LINE}`,
    "a DEL": `log\x7fexample\n9\n${ROOT}\n\n${LINE}`,
    "a lone surrogate": `log\ud800\n9\n${ROOT}\n\n${LINE}`,
    "a lone surrogate in a further line": `${TEXT}x\udc00\n\n${LINE}`,
    "no UTF-8": concat(Uint8Array.of(0xff), utf8(`${TEXT}\n${LINE}`)),
    "a hyphen for the dash": `${TEXT}\n${LINE.replace("\u2014", "-")}`,
    "an en dash": `${TEXT}\n${LINE.replace("\u2014", "\u2013")}`,
    "two spaces": `${TEXT}\n${LINE.replace(" log", "  log")}`,
    "no name": `${TEXT}\n${LINE.replace("log.example ", "")}`,
    "a plus in the name": `${TEXT}\n${LINE.replace("log.example", "log+example")}`,
    "a space in the name": `${TEXT}\n${LINE.replace("log.example", "log example")}`,
    "a signature of four bytes": `${TEXT}\n\u2014 log.example AAAAAA==\n`,
    "a signature that is not base64": `${TEXT}\n\u2014 log.example !!!!\n`,
    "text after the signature": `${TEXT}\n${LINE.slice(0, -1)} more\n`,
  };
  for (const [what, note] of Object.entries(malformed)) {
    it(`refuses ${what}`, async () => {
      equal(await reasonOf(() => parseCheckpoint(note)), "malformed-checkpoint");
    });
  }

  it("accepts a signature of one byte, after its key hint", () => {
    const { signatures } = parseCheckpoint(`${TEXT}\n\u2014 log.example AAAAAAE=\n`);
    deepEqual(signatures[0].signature, Uint8Array.of(1));
  });

  it("accepts 1 MiB", () => {
    const rest = `\n\n${LINE}`;
    const length = (1 << 20) - TEXT.length - rest.length;
    deepEqual(parseCheckpoint(`${TEXT}${"x".repeat(length)}${rest}`).extensions.length, 1);
  });

  it("accepts 64 lines of each kind and refuses 65", async () => {
    const note = (extensions: number, lines: number) =>
      `${TEXT}${"x\n".repeat(extensions)}\n${LINE.repeat(lines)}`;
    equal(parseCheckpoint(note(64, 64)).signatures.length, 64);
    equal(await reasonOf(() => parseCheckpoint(note(0, 65))), "limit-exceeded");
    equal(await reasonOf(() => parseCheckpoint(note(65, 1))), "limit-exceeded");
    equal(await reasonOf(() => parseCheckpoint("x".repeat((1 << 20) + 1))), "limit-exceeded");
  });
});

describe("parseNote()", () => {
  it("reads any text, an empty line too", () => {
    equal(parseNote(`any text\n\n${LINE}`).text, "any text\n");
    equal(parseNote(`\n\n${LINE}`).text, "\n");
  });

  it("refuses a signature without a text", async () => {
    for (const note of [LINE, `\n${LINE}`, `x${LINE}`]) {
      equal(await reasonOf(() => parseNote(note)), "malformed-checkpoint", note);
    }
  });

  it("says what is not there", () => {
    const said = (note: string) => {
      try {
        parseNote(note);
      } catch (error) {
        return error instanceof Error ? error.message.split(": ").at(-1) : undefined;
      }
    };
    equal(said(`${TEXT}${LINE}`), "no blank line between text and signatures");
    equal(said(`${TEXT}\n${LINE.slice(0, -1)}`), "no newline at the end");
    equal(said(`${TEXT}\n`), "no signature");
  });
});

describe("noteKeyHint()", () => {
  it("gives the key id of the reference verifier key, which verifies the reference note", async () => {
    const raw = decodeBase64("AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k").subarray(1);
    const key = parseSpki(encodeSpki({ kind: "Ed25519", point: raw }));
    equal(encodeHex(noteKeyHint("example.com/foo", key)), "530d903a");
    const signature = decodeBase64(
      "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=",
    );
    const by: NoteKey = { name: "example.com/foo", key, scheme: { name: "Ed25519" } };
    const note = (text: string) => ({
      origin: "example.com/foo",
      size: 0n,
      rootHash: new Uint8Array(32),
      extensions: [],
      signed: utf8(text),
      signatures: [{
        name: "example.com/foo",
        keyHint: signature.subarray(0, 4),
        signature: signature.subarray(4),
      }],
    });
    equal(await verifyCheckpoint(note("This is an example message.\n"), by), true);
    equal(await verifyCheckpoint(note("This is an example message!\n"), by), false);
  });

  it("depends on the name for Ed25519 and RSA, on the key alone for ECDSA", async () => {
    const hints = async (name: string) => {
      const key = parseSpki((await testKey(name)).spki);
      return [encodeHex(noteKeyHint("a", key)), encodeHex(noteKeyHint("b", key))];
    };
    const [a, b] = await hints("rekor2");
    equal(a === b, false);
    const [c, d] = await hints("leaf-rsa");
    equal(c === d, false);
    const [e, f] = await hints("rekor");
    equal(e, f);
  });
});

describe("verifyCheckpoint()", () => {
  async function fixture() {
    const { rekor2, otherRekor2 } = await theInstance();
    const { name, key } = rekor2;
    const text = checkpointText(name, 9, new Uint8Array(32));
    const by: NoteKey = { name, key: parseSpki(key.spki), scheme: { name: "Ed25519" } };
    const own = await logSignature(text, name, key);
    const bad = await logSignature(checkpointText(name, 8, new Uint8Array(32)), name, key);
    const stranger = await logSignature(text, "witness.example", otherRekor2.key);
    const witness = await cosignature(text, {
      name: "witness.example",
      key: otherRekor2.key,
      time: new Date(0),
    });
    return { name, key, text, by, own, bad, stranger, witness, other: otherRekor2.key };
  }
  const verify = (text: string, lines: string[], by: NoteKey) =>
    verifyCheckpoint(parseCheckpoint(signedNote(text, lines)), by);

  it("finds the log's line in any place among those of others", async () => {
    const { text, by, own, stranger, witness, name, other } = await fixture();
    // The origin may sign with a second key that is not known.
    const second = await logSignature(text, name, other);
    equal(await verify(text, [own], by), true);
    equal(await verify(text, [stranger, witness, second, own], by), true);
    equal(await verify(text, [own, second, witness], by), true);
  });

  it("refuses a note without the log's line", async () => {
    const { text, by, stranger, witness, name, other } = await fixture();
    equal(
      await verify(text, [stranger, witness, await logSignature(text, name, other)], by),
      false,
    );
  });

  it("refuses a line that names the log and does not verify, also beside a good one", async () => {
    const { text, by, own, bad } = await fixture();
    equal(await verify(text, [bad], by), false);
    equal(await verify(text, [own, bad], by), false);
    equal(await verify(text, [bad, own], by), false);
  });

  it("accepts a line that is there twice, and no more than four of one key", async () => {
    const { text, by, own } = await fixture();
    equal(await verify(text, [own, own], by), true);
    equal(await verify(text, Array(4).fill(own), by), true);
    equal(await verify(text, Array(5).fill(own), by), false);
  });

  it("refuses another name, another key id, and an empty signature", async () => {
    const { text, by, key, name } = await fixture();
    const renamed = await logSignature(text, "other.example", key);
    equal(await verify(text, [renamed], by), false);
    const signature = await key.sign(utf8(text));
    const hint = noteKeyHint(name, by.key);
    equal(await verify(text, [signatureLine(name, hint, signature)], by), true);
    const wrong = hint.slice();
    wrong[3] ^= 1;
    equal(await verify(text, [signatureLine(name, wrong, signature)], by), false);
    equal(await verify(text, [signatureLine(name, hint, signature.subarray(0, 1))], by), false);
  });

  it("refuses a cosignature of the log itself: it covers a time that nobody checks", async () => {
    const { text, by, key, name } = await fixture();
    equal(
      await verify(text, [await cosignature(text, { name, key, time: new Date(0) })], by),
      false,
    );
  });

  it("covers each byte of the text", async () => {
    const { text, by, own } = await fixture();
    equal(await verify(text.replace("\n9\n", "\n8\n"), [own], by), false);
    equal(await verify(`${text}extension\n`, [own], by), false);
    equal(await verify(text.replace("log2025-1", "log2025-2"), [own], by), false);
  });
});
