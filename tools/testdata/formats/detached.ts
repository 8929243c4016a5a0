import type { Reason } from "../../../errors.ts";
import { encodeBase64 } from "../../../internal/base64.ts";
import { blake2b512 } from "../../../internal/blake2b.ts";
import { concat, utf8 } from "../../../internal/bytes.ts";
import { testKey } from "../../pki/keys.ts";
import type { Collection } from "../collection.ts";
import { sha256Hex } from "../statements.ts";
import { ARTIFACT, type FormatCase, FormatCases } from "./format_cases.ts";

const ID = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const OTHER_ID = Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1);
const HEX = sha256Hex(utf8(ARTIFACT));
const LIST = `${HEX}  artifact.txt\n${"0".repeat(64)}  other.txt\n`;

interface Made {
  algorithm?: "Ed" | "ED";
  /** What is signed in place of the message. */
  data?: Uint8Array;
  comment?: string;
  id?: Uint8Array;
  key?: string;
}

/** The key of minisign or signify, by a test key. */
async function keyFile(name: string, id = ID): Promise<{ name: string; text: string }> {
  const { spki } = await testKey(name);
  const line = encodeBase64(concat(utf8("Ed"), id, spki.slice(-32)));
  return { name: `${name}.minisign.pub`, text: `untrusted comment: test key\n${line}\n` };
}

async function lineOf(message: string, { data, id = ID, key = "dsse-ed25519", ...made }: Made) {
  const { algorithm = "ED" } = made;
  const signer = await testKey(key);
  const whole = utf8(message);
  const signature = await signer.sign(data ?? (algorithm === "ED" ? blake2b512(whole) : whole));
  return { signature, line: encodeBase64(concat(utf8(algorithm), id, signature)), signer };
}

async function minisig(message: string, made: Made = {}): Promise<string> {
  const { signature, line, signer } = await lineOf(message, made);
  const { comment = "file:artifact.txt" } = made;
  const global = encodeBase64(await signer.sign(concat(signature, utf8(comment))));
  return `untrusted comment: by a test key\n${line}\ntrusted comment: ${comment}\n${global}\n`;
}

/** Minisign. */
export async function addMinisign(collection: Collection): Promise<void> {
  const cases = new FormatCases(collection, "minisign", 'minisign, "Signature format"');
  const keys = [await keyFile("dsse-ed25519")];
  const add = async (
    id: string,
    why: string,
    document: string,
    more: Partial<FormatCase> = {},
  ) => await cases.add({ id, why, document, keys, message: ARTIFACT, artifact: null, ...more });
  const good = await minisig(ARTIFACT);
  const [first, second, third, fourth] = good.split("\n");
  const stranger = (await minisig(ARTIFACT, { key: "witness" })).split("\n");
  await add("hashed", "over the BLAKE2b of the file", good);
  await add("legacy", "over the file itself", await minisig(ARTIFACT, { algorithm: "Ed" }));
  await add(
    "untrusted-comment",
    "another untrusted comment",
    good.replace("by a test", "by another"),
  );
  await add("checksums", "over a list of checksums", await minisig(LIST), {
    message: LIST,
    artifact: ARTIFACT,
  });
  await add("checksums-other", "the list has not the artifact", await minisig(LIST), {
    message: LIST,
    artifact: "other\n",
    reason: "subject-mismatch",
  });
  await add("pem", "by a key without an id", good, { keys: ["dsse-ed25519"] });
  const bad: [id: string, why: string, document: string, reason: Reason][] = [
    [
      "hashed-as-legacy",
      "a signature over the file, stated as one over its BLAKE2b",
      await minisig(ARTIFACT, { data: utf8(ARTIFACT) }),
      "invalid-signature",
    ],
    [
      "legacy-as-hashed",
      "a signature over the BLAKE2b, stated as one over the file",
      await minisig(ARTIFACT, { algorithm: "Ed", data: blake2b512(utf8(ARTIFACT)) }),
      "invalid-signature",
    ],
    [
      "trusted-comment",
      "another trusted comment",
      good.replace("artifact.txt", "other.txt"),
      "invalid-signature",
    ],
    [
      "key-id",
      "the id of another key",
      await minisig(ARTIFACT, { id: OTHER_ID }),
      "invalid-signature",
    ],
    ["no-comment", "without the trusted comment", `${first}\n${second}\n`, "malformed-envelope"],
    [
      "no-global",
      "without the signature of the comment",
      `${first}\n${second}\n${third}\n`,
      "malformed-envelope",
    ],
    [
      "global-of-stranger",
      "a trusted comment that a stranger signed",
      `${first}\n${second}\n${stranger[2]}\n${stranger[3]}\n`,
      "invalid-signature",
    ],
    ["other-file", "of another file", await minisig("other\n"), "invalid-signature"],
    ["stranger", "by a stranger", stranger.join("\n"), "invalid-signature"],
    ["more", "a line too many", `${good}more\n`, "malformed-envelope"],
    [
      "global-short",
      "a signature of the comment that is none",
      `${first}\n${second}\n${third}\n${fourth.slice(0, 40)}\n`,
      "malformed-envelope",
    ],
  ];
  for (const [id, why, document, reason] of bad) await add(id, why, document, { reason });
}

/** Signify, with lists of checksums in it. */
export async function addSignify(collection: Collection): Promise<void> {
  const cases = new FormatCases(collection, "signify", "signify(1); sha256sum(1)");
  const keys = [await keyFile("dsse-ed25519")];
  const signed = async (message: string, made: Made = {}) =>
    `untrusted comment: verify with k.pub\n${
      (await lineOf(message, { algorithm: "Ed", ...made })).line
    }\n`;
  const embedded = async (list: string) => `${await signed(list)}${list}`;
  const add = async (
    id: string,
    why: string,
    document: string,
    more: Partial<FormatCase> = {},
  ) => await cases.add({ id, why, document, keys, ...more });
  const detached = { message: ARTIFACT, artifact: null };
  await add("detached", "over the file", await signed(ARTIFACT), detached);
  await add("list", "before a list of checksums", await embedded(LIST));
  await add(
    "bsd-list",
    "a list as BSD writes it",
    await embedded(`SHA256 (artifact.txt) = ${HEX}\n`),
  );
  await add(
    "upper-case",
    "digests in upper case",
    await embedded(LIST.toUpperCase().replace("ARTIFACT.TXT", "artifact.txt")),
  );
  await add("other-file", "of another file", await signed("other\n"), {
    ...detached,
    reason: "invalid-signature",
  });
  await add("key-id", "the id of another key", await signed(ARTIFACT, { id: OTHER_ID }), {
    ...detached,
    reason: "invalid-signature",
  });
  await add("stranger", "by a stranger", await signed(ARTIFACT, { key: "witness" }), {
    ...detached,
    reason: "invalid-signature",
  });
  await add(
    "list-altered",
    "another list than was signed",
    (await embedded(LIST)).replace("other.txt", "else.txt"),
    {
      reason: "invalid-signature",
    },
  );
  const bad: [id: string, why: string, list: string, reason: Reason][] = [
    [
      "list-climbs",
      "a name that leads out of the folder",
      `${HEX}  ../artifact.txt\n`,
      "unsupported-file-name",
    ],
    [
      "list-two-digests",
      "two digests for one name",
      `${HEX}  a\n${"0".repeat(64)}  a\n`,
      "unsupported-payload-type",
    ],
    [
      "list-short",
      "a digest of no known length",
      `${HEX.slice(2)}  artifact.txt\n`,
      "unsupported-payload-type",
    ],
    ["list-text", "no list at all", "hello\n", "unsupported-payload-type"],
    [
      "list-other",
      "a list without the artifact",
      `${"0".repeat(64)}  artifact.txt\n`,
      "subject-mismatch",
    ],
  ];
  for (const [id, why, list, reason] of bad) await add(id, why, await embedded(list), { reason });
}
