import type { Reason } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { checkpointText, cosignature, logSignature, signedNote } from "../pki/checkpoint.ts";
import { signEnvelope } from "../pki/bundle.ts";
import { type Instance, makeBundle, SIGNED } from "../pki/instance.ts";
import { sha256Of, testKey } from "../pki/keys.ts";
import type { Collection } from "./collection.ts";
import { attested } from "./sigstore_bundle.ts";
import { payloadOf, statementAbout } from "./statements.ts";

/** Checkpoints that keep or break one rule each. */
export async function addCheckpoints(collection: Collection, instance: Instance): Promise<void> {
  const add = (id: string, why: string, text: string, reason?: Reason) => {
    const checkpoint = collection.file(`checkpoint/${id}.txt`, text);
    collection.case({
      id,
      kind: "checkpoint",
      files: { checkpoint },
      why,
      rule: "C2SP signed-note and tlog-checkpoint",
      scope: "step:parse",
      ...(reason === undefined ? {} : { reason }),
    });
  };
  const { name, key } = instance.rekor2;
  const root = sha256Of("root");
  const text = checkpointText(name, 42, root);
  const line = await logSignature(text, name, key);
  const note = signedNote(text, [line]);
  const witness = { name: "witness.example", key: await testKey("witness"), time: SIGNED };
  const [, size, hash] = text.split("\n");

  add("one-line", "one signature", note);
  add("cosigned", "a witness's line", signedNote(text, [line, await cosignature(text, witness)]));
  add(
    "extension-lines",
    "further lines",
    signedNote(checkpointText(name, 42, root, ["Timestamp: 1"]), [line]),
  );
  add(
    "tree-id",
    "origin with a tree id, as Rekor v1 writes it",
    signedNote(checkpointText("rekor.sigstore.example - 1193050959916656506", 42, root), [line]),
  );
  add("size-zero", "an empty tree", signedNote(checkpointText(name, 0, sha256Of("")), [line]));

  const malformed: Record<string, [string, string]> = {
    "no-blank-line": ["no blank line before the signatures", note.replace("\n\n", "\n")],
    "no-signature": ["no signature", `${text}\n`],
    "no-final-newline": ["no line feed at the end", note.slice(0, -1)],
    "no-size": ["no size", note.replace(`${size}\n`, "")],
    "no-root": ["no root", note.replace(`${hash}\n`, "")],
    "no-origin": ["an empty origin", note.replace(`${name}\n`, "\n")],
    "size-leading-zero": ["size with a leading zero", note.replace("\n42\n", "\n042\n")],
    "size-negative": ["size below zero", note.replace("\n42\n", "\n-42\n")],
    "size-hex": ["size in hex", note.replace("\n42\n", "\n0x2a\n")],
    "root-short": ["a root of 31 bytes", note.replace(hash, "A".repeat(42))],
    "root-not-base64": ["a root that is no base64", note.replace(hash, "?".repeat(44))],
    "signature-hyphen": ["a hyphen for the em dash", note.replace("\u2014", "-")],
    "signature-not-base64": ["a signature that is no base64", note.replace(/\S+\n$/, "?\n")],
    "signature-short": ["a signature without its key id", note.replace(/\S+\n$/, "AAAA\n")],
    "signature-two-words": ["a signature line without a signature", note.replace(/ \S+\n$/, "\n")],
    "control-character": ["a control character", note.replace(name, `${name}\u0007`)],
    "carriage-return": ["lines that end like those of a mail", note.replaceAll("\n", "\r\n")],
    "empty": ["an empty file", ""],
  };
  for (const [id, [why, content]] of Object.entries(malformed)) {
    add(id, why, content, "malformed-checkpoint");
  }
}

/** Files of many attestations. */
export async function addJsonLines(collection: Collection, instance: Instance): Promise<void> {
  const add = (
    id: string,
    why: string,
    content: string | Uint8Array,
    count: number,
    reason?: Reason,
  ) => {
    const jsonl = collection.file(`attestation-jsonl/${id}.jsonl`, content);
    collection.case({
      id,
      kind: "attestation-jsonl",
      files: { jsonl },
      why,
      rule: "in-toto attestation v1, bundle.md",
      scope: "step:parse",
      options: { expectedCount: count },
      ...(reason === undefined ? {} : { reason }),
    });
  };
  const key = await testKey("dsse-ed25519");
  const line = async (text: string) =>
    JSON.stringify((await signEnvelope(payloadOf(statementAbout(utf8(text))), key)).json);
  const one = await line("one");
  const two = await line("two");
  const bundle = JSON.stringify(await makeBundle(instance, attested));
  add("two", "two envelopes", `${one}\n${two}\n`, 2);
  add("no-final-newline", "no line feed at the end", `${one}\n${two}`, 2);
  add("carriage-returns", "lines that end with two characters", `${one}\r\n${two}\r\n`, 2);
  add("blank-lines", "blank lines between", `\n${one}\n\n\n${two}\n\n`, 2);
  add("mixed", "an envelope and a Sigstore bundle", `${one}\n${bundle}\n`, 2);
  add("bad-line", "a bad line does not spoil its neighbours", `${one}\n{"payload":\n${two}\n`, 2);
  add(
    "duplicate-key",
    "a line with a member twice",
    `${one}\n{"payload":"","payload":""}\n${two}\n`,
    2,
  );
  add("bad-utf8", "a line that is no UTF-8", withByte(`${one}\n{"x":"\u0001"}\n${two}\n`, 0xff), 2);
  add("all-bad", "no line can be read", "{\n[\n", 0);
}

function withByte(text: string, byte: number): Uint8Array {
  return utf8(text).map((one) => one === 1 ? byte : one);
}
