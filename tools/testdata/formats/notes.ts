import type { Reason } from "../../../errors.ts";
import { encodeBase64 } from "../../../internal/base64.ts";
import { concat, utf8 } from "../../../internal/bytes.ts";
import { encodeHex } from "../../../internal/hex.ts";
import {
  checkpointText,
  COSIGNATURE,
  cosignature,
  ED25519_NOTE,
  logSignature,
  noteKeyId,
  rawEd25519,
  signatureLine,
  signedNote,
} from "../../pki/checkpoint.ts";
import { SIGNED } from "../../pki/instance.ts";
import { sha256Of, testKey } from "../../pki/keys.ts";
import type { Collection } from "../collection.ts";
import { FormatCases } from "./format_cases.ts";

const NAME = "log.example";
const LEAF = "leaf\n";

/** The verifier key of a note. */
async function vkey(
  name: string,
  key: string,
  type = ED25519_NOTE,
): Promise<{ name: string; text: string }> {
  const own = await testKey(key);
  const hint = encodeHex(noteKeyId(name, own, type).subarray(0, 4));
  const body = encodeBase64(concat(Uint8Array.of(type), rawEd25519(own)));
  return { name: `${key}-${type}.vkey`, text: `${name}+${hint}+${body}\n` };
}

/** Signed notes, checkpoints and proofs. */
export async function addNotes(collection: Collection): Promise<void> {
  const key = await testKey("dsse-ed25519");
  const other = await testKey("witness");
  const keys = [await vkey(NAME, "dsse-ed25519")];
  const witness = await vkey("witness.example", "witness", COSIGNATURE);
  const text = "hello\n";
  const notes = new FormatCases(collection, "signed-note", "C2SP signed-note");
  const line = await logSignature(text, NAME, key);
  const note = signedNote(text, [line]);
  const unknown = await logSignature(text, "other.example", other);
  const broken = signatureLine(NAME, noteKeyId(NAME, key), new Uint8Array(64));
  const none = { keys, artifact: null };
  await notes.add({ id: "one-line", why: "one signature", document: note, ...none });
  await notes.add({
    id: "unknown-line",
    why: "a line of a key that nobody trusts is passed over",
    document: signedNote(text, [unknown, line]),
    ...none,
  });
  await notes.add({
    id: "threshold",
    why: "two trusted keys, and both signed",
    document: signedNote(text, [line, unknown]),
    artifact: null,
    keys: [...keys, await vkey("other.example", "witness")],
    options: { threshold: 2 },
  });
  const bad: [id: string, why: string, document: string, reason: Reason][] = [
    [
      "known-fails",
      "a line of a trusted key that is not good, beside a good one",
      signedNote(text, [line, broken]),
      "invalid-signature",
    ],
    ["text-altered", "another text", note.replace("hello", "hallo"), "invalid-signature"],
    ["stranger", "lines of strangers only", signedNote(text, [unknown]), "missing-trusted-key"],
    [
      "renamed",
      "the key's line under another name",
      note.replace(NAME, "log.other"),
      "missing-trusted-key",
    ],
    [
      "control-character",
      "a control character in the text",
      note.replace("hello", "he\u0007lo"),
      "malformed-checkpoint",
    ],
    [
      "no-blank-line",
      "no blank line before the signatures",
      note.replace("\n\n", "\n"),
      "malformed-checkpoint",
    ],
  ];
  for (const [id, why, document, reason] of bad) {
    await notes.add({ id, why, document, reason, ...none });
  }

  const heads = new FormatCases(collection, "checkpoint", "C2SP tlog-checkpoint");
  const leafHash = sha256Of(concat(Uint8Array.of(0), utf8(LEAF)));
  const sibling = sha256Of("sibling");
  const root = sha256Of(concat(Uint8Array.of(1), leafHash, sibling));
  const head = checkpointText(NAME, 2, root);
  const headLine = await logSignature(head, NAME, key);
  const seen = await cosignature(head, { name: "witness.example", key: other, time: SIGNED });
  const tree = signedNote(head, [headLine]);
  await heads.add({ id: "one-line", why: "signed by its log", document: tree, ...none });
  await heads.add({
    id: "cosigned",
    why: "signed by its log and a witness",
    document: signedNote(head, [headLine, seen]),
    artifact: null,
    keys: [...keys, witness],
    options: { threshold: 2 },
  });
  await heads.add({
    id: "size-altered",
    why: "another size of the tree",
    document: tree.replace("\n2\n", "\n3\n"),
    ...none,
    reason: "invalid-signature",
  });
  await heads.add({
    id: "other-log",
    why: "a checkpoint of another log",
    document: tree.replaceAll(NAME, "log.other"),
    ...none,
    reason: "missing-trusted-key",
  });
  await heads.add({
    id: "cosignature-altered",
    why: "a witness's line whose time is another",
    document: signedNote(head, [
      headLine,
      await cosignature(head, { name: "witness.example", key, time: SIGNED }).then((own) =>
        own.replace(
          / \S+\n$/,
          ` ${
            encodeBase64(
              concat(
                noteKeyId("witness.example", other, COSIGNATURE).subarray(0, 4),
                new Uint8Array(72),
              ),
            )
          }\n`,
        )
      ),
    ]),
    artifact: null,
    keys: [...keys, witness],
    reason: "invalid-signature",
  });

  const proofs = new FormatCases(collection, "tlog-proof", "C2SP tlog-proof");
  const proof = (index: number, hash = sibling, extra = "") =>
    `c2sp.org/tlog-proof@v1\n${extra}index ${index}\n${encodeBase64(hash)}\n\n${tree}`;
  const leaf = { ...none, message: LEAF };
  await proofs.add({
    id: "leaf",
    why: "from the leaf to the checkpoint",
    document: proof(0),
    ...leaf,
  });
  await proofs.add({
    id: "extra",
    why: "with data that nobody signed",
    document: proof(0, sibling, "extra AAAA\n"),
    ...leaf,
  });
  await proofs.add({
    id: "other-leaf",
    why: "of another leaf",
    document: proof(0),
    ...none,
    message: "other\n",
    reason: "invalid-inclusion-proof",
  });
  await proofs.add({
    id: "other-index",
    why: "the leaf at another index",
    document: proof(1),
    ...leaf,
    reason: "invalid-inclusion-proof",
  });
  await proofs.add({
    id: "other-path",
    why: "another path",
    document: proof(0, sha256Of("x")),
    ...leaf,
    reason: "invalid-inclusion-proof",
  });
  await proofs.add({
    id: "no-leaf",
    why: "no leaf is given",
    document: proof(0),
    ...none,
    reason: "artifact-required",
  });
  await proofs.add({
    id: "checkpoint-altered",
    why: "a checkpoint that its log did not sign",
    document: proof(0).replace("\n2\n", "\n4\n"),
    ...leaf,
    reason: "invalid-signature",
  });
  await proofs.add({
    id: "index-zero",
    why: "an index with a leading zero",
    document: proof(0).replace("index 0", "index 00"),
    ...leaf,
    reason: "malformed-checkpoint",
  });
}
