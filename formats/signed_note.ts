import { AttestationError, isAttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { type Bytes, concat, equalBytes, utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { decodeUtf8, printable, quote } from "../internal/json.ts";
import { sha256 } from "../internal/sha256.ts";
import { importTrustedKey, type TrustedKey } from "../keys/trusted_key.ts";
import {
  type Checkpoint,
  type Note,
  noteKeyHint,
  type NoteSignature,
  parseCheckpoint,
  parseNote,
} from "../sigstore/checkpoint.ts";
import { leafHash, verifyInclusion } from "../sigstore/merkle.ts";
import { accepts, badSigner, goodSigner, publicKeyOf } from "./_signers.ts";
import type {
  FormatContext,
  FormatEnvelope,
  FormatLimits,
  FormatModule,
  LogProof,
  SignerResult,
} from "./format.ts";
import type { FormatInput } from "./format_input.ts";

/** A note, and the checkpoint that its text may be. */
export interface ParsedNote {
  /** The note. */
  readonly note: Note;
  /** Its text as a tree head. */
  readonly checkpoint?: Checkpoint;
}

/** A proof that a log holds something. */
export interface ParsedProof extends ParsedNote {
  /** Index of the leaf. */
  readonly index: bigint;
  /** Hashes from the leaf upwards. */
  readonly hashes: readonly Bytes[];
  /** What stands beside it; nobody signed it. */
  readonly extra?: Bytes;
}

const PROOF_LINE = "c2sp.org/tlog-proof@v1";

/**
 * Signed notes: a text, and below it who signed it.
 *
 * Lines of keys that are not trusted are ignored; a line that names a trusted key has to be
 * good, or the whole note is refused.
 *
 * Source: C2SP signed-note; C2SP tlog-cosignature.
 */
export const signedNote: FormatModule<ParsedNote> = {
  id: "signed-note",
  layer: "envelope",
  detect: (input) => isNote(input) && !isCheckpoint(input) ? 3 : 0,
  parse: (bytes) => describe("signed-note", { note: parseNote(bytes) }),
  verify: ({ content }, context) => verifyNote("signed-note", content, context),
};

/**
 * Checkpoints: signed notes whose text is the head of a log's tree. They prove what a log
 * holds and say nothing of an artifact.
 *
 * Source: C2SP tlog-checkpoint.
 */
export const checkpoint: FormatModule<ParsedNote> = {
  id: "checkpoint",
  layer: "log-proof",
  detect: (input) => isNote(input) && isCheckpoint(input) ? 3 : 0,
  parse: (bytes) =>
    describe("checkpoint", { note: parseNote(bytes), checkpoint: parseCheckpoint(bytes) }),
  verify: ({ content }, context) => verifyNote("checkpoint", content, context),
};

/**
 * A proof that a log holds a leaf, with the checkpoint that it leads to. The leaf is what the
 * proof is given with; `extra` is signed by nobody.
 *
 * Source: C2SP tlog-proof.
 */
export const tlogProof: FormatModule<ParsedProof> = {
  id: "tlog-proof",
  layer: "log-proof",
  detect: ({ head }) => head.startsWith(`${PROOF_LINE}\n`) ? 3 : 0,
  parse(bytes, limits) {
    const content = parseProof(bytes, limits);
    return { ...describe("tlog-proof", content), content };
  },
  async verify({ content }, context) {
    const envelope = await verifyNote("tlog-proof", content, context);
    const { checkpoint: head, index, hashes, extra } = content;
    const leaf = context.detached?.content;
    let refusal = envelope.refusal;
    if (leaf === undefined) {
      refusal ??= new AttestationError(
        "artifact-required",
        "Cannot verify proof: the leaf that it is of is not given",
      );
    } else if (
      head === undefined ||
      !verifyInclusion(leafHash(leaf), { index, size: head.size, hashes }, head.rootHash)
    ) {
      refusal ??= new AttestationError(
        "invalid-inclusion-proof",
        "Cannot verify proof: it does not lead from the leaf to the checkpoint",
      );
    }
    const { refusal: _, proofs, ...rest } = envelope;
    return {
      ...rest,
      ...(context.detached === undefined ? {} : { detached: context.detached.digest }),
      proofs: refusal === undefined ? proofs : [],
      ...(refusal === undefined ? {} : { refusal }),
      unauthenticated: extra === undefined ? {} : { extra: encodeHex(extra) },
    };
  },
};

function isNote({ head, tail }: FormatInput): boolean {
  // Latin-1 of the UTF-8 of an em dash: the last line is a signature.
  return !head.startsWith(PROOF_LINE) && /\n\u00e2\u0080\u0094 [^\n]+\n$/.test(tail);
}

function isCheckpoint({ head }: FormatInput): boolean {
  return /^[^\n]+\n\d+\n[A-Za-z0-9+/]{43}=\n/.test(head);
}

function describe(format: "signed-note" | "checkpoint" | "tlog-proof", content: ParsedNote) {
  const { note, checkpoint: head } = content;
  return {
    format,
    message: note.signed,
    signatures: note.signatures.map(({ name, keyHint, signature }) => ({
      keyid: `${printable(name)}+${encodeHex(keyHint)}`,
      bytes: signature.length,
    })),
    facts: head === undefined ? {} : {
      origin: printable(head.origin),
      size: String(head.size),
      "root hash": encodeHex(head.rootHash),
    } as Record<string, string>,
    content,
  };
}

async function verifyNote(
  format: "signed-note" | "checkpoint" | "tlog-proof",
  { note, checkpoint: head }: ParsedNote,
  { keys }: FormatContext,
): Promise<FormatEnvelope> {
  const signers: SignerResult[] = [];
  let refusal: AttestationError | undefined;
  for (const line of note.signatures) {
    const result = await verifyLine(note.signed, line, keys);
    signers.push(result.signer);
    if (result.isKnown && !result.signer.ok) refusal ??= result.signer.error;
  }
  const isGood = refusal === undefined && signers.some(({ ok }) => ok);
  const proofs: LogProof[] = head === undefined || !isGood
    ? []
    : [{ origin: head.origin, size: head.size, rootHash: encodeHex(head.rootHash) }];
  return {
    format,
    message: note.signed,
    signers,
    coverage: "message",
    unauthenticated: {},
    proofs,
    ...(refusal === undefined ? {} : { refusal }),
  };
}

/** Key of a cosignature: C2SP tlog-cosignature. */
const COSIGNATURE = 0x04;

async function verifyLine(
  signed: Bytes,
  { name, keyHint, signature }: NoteSignature,
  keys: readonly TrustedKey[],
): Promise<{ isKnown: boolean; signer: SignerResult }> {
  const keyid = `${name}+${encodeHex(keyHint)}`;
  for (const key of keys) {
    if (key.keyid !== undefined && VKEY_ID.test(key.keyid) && key.keyid !== keyid) continue;
    const own = publicKeyOf(key);
    let data: Uint8Array | undefined;
    let time: Date | undefined;
    let made = signature;
    if (equalBytes(noteKeyHint(name, own), keyHint)) data = signed;
    else if (own.kind === "Ed25519" && equalBytes(cosignatureHint(name, own.spki), keyHint)) {
      if (signature.length !== 72) return { isKnown: true, signer: refused(keyid) };
      const seconds = new DataView(signature.buffer, signature.byteOffset, 8).getBigUint64(0);
      data = concat(utf8(`cosignature/v1\ntime ${seconds}\n`), signed);
      if (seconds < 8_640_000_000_000n) time = new Date(Number(seconds) * 1000);
      made = signature.subarray(8);
    }
    if (data === undefined) continue;
    if (!await accepts(key, data, made, "der")) return { isKnown: true, signer: refused(keyid) };
    return {
      isKnown: true,
      signer: { ...goodSigner(key), ...(time === undefined ? {} : { time }) },
    };
  }
  return {
    isKnown: false,
    signer: badSigner(
      "missing-trusted-key",
      `Cannot verify note: ${quote(keyid)} is no trusted key`,
      keyid,
    ),
  };
}

function refused(keyid: string): SignerResult {
  return badSigner(
    "invalid-signature",
    `Cannot verify note: the signature of ${quote(keyid)} does not verify`,
    keyid,
  );
}

function cosignatureHint(name: string, spki: Uint8Array): Bytes {
  return sha256(utf8(`${name}\n`), Uint8Array.of(COSIGNATURE), spki.subarray(-32)).subarray(0, 4);
}

function parseProof(bytes: Uint8Array, { maxBytes }: FormatLimits): ParsedProof {
  if (bytes.length > Math.min(maxBytes, 1 << 20)) {
    throw new AttestationError("limit-exceeded", "Cannot read proof: it is above 1 MiB");
  }
  const text = decodeUtf8(bytes);
  const border = text.indexOf("\n\n");
  if (border < 0) throw malformed("no blank line before the checkpoint");
  const [first, ...rest] = text.slice(0, border).split("\n");
  if (first !== PROOF_LINE) throw malformed("its first line is another one");
  const extra = rest[0]?.startsWith("extra ") ? base64(rest.shift()!.slice(6)) : undefined;
  const match = /^index (0|[1-9]\d{0,18})$/.exec(rest.shift() ?? "");
  if (match === null) throw malformed("no index");
  if (rest.length > 63) throw malformed("more hashes than a tree has levels");
  const hashes = rest.map(base64);
  if (hashes.some(({ length }) => length !== 32)) throw malformed("a hash that is not 32 bytes");
  const head = text.slice(border + 2);
  return {
    note: parseNote(head),
    checkpoint: parseCheckpoint(head),
    index: BigInt(match[1]),
    hashes,
    ...(extra === undefined ? {} : { extra }),
  };
}

function base64(text: string): Bytes {
  try {
    return decodeBase64(text, { alphabet: "standard", padding: "required" });
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw malformed("a line is no base64", cause);
  }
}

/** An id as {@linkcode importNoteKey} gives it. */
const VKEY_ID = /^[^\s+]+\+[0-9a-f]{8}$/;
const VKEY = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/;

/**
 * Imports the verifier key of a signed note: `NAME+HASH+KEY`, for Ed25519 signatures (type 1),
 * ECDSA signatures (type 2) and Ed25519 cosignatures (type 4). The key keeps its name, and
 * accepts only lines of that name.
 *
 * Source: C2SP signed-note, "Verifier keys"; C2SP tlog-cosignature.
 *
 * @param vkey The key.
 * @param name Name in reports. Default: the name in the key.
 * @throws {AttestationError} `malformed-key` (also a hash that is not of name and key),
 * `unsupported-algorithm`, `weak-key`.
 *
 * @example
 * ```ts
 * import { importNoteKey } from "@x/attest/formats";
 * import assert from "node:assert/strict";
 *
 * const key = await importNoteKey(
 *   "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
 * );
 * assert.equal(key.keyid, "PeterNeumann+c74f20a3");
 * ```
 */
export async function importNoteKey(vkey: string, name?: string): Promise<TrustedKey> {
  const match = VKEY.exec(vkey);
  if (match === null) throw malformedKey("it is not of the form NAME+HASH+KEY");
  const [, own, hash, encoded] = match;
  let bytes: Bytes;
  try {
    bytes = decodeBase64(encoded, { alphabet: "standard", padding: "required" });
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw malformedKey("its key is no base64", cause);
  }
  const [type] = bytes, body = bytes.slice(1);
  if (type !== 1 && type !== 2 && type !== COSIGNATURE) {
    throw new AttestationError(
      "unsupported-algorithm",
      `Cannot import note key: its type is ${type}, wanted 1, 2 or 4`,
    );
  }
  if (type !== 2 && body.length !== 32) throw malformedKey("its key is not 32 bytes");
  const key = await importTrustedKey(body, {
    ...(type === 2 ? {} : { alg: "Ed25519" as const }),
    keyid: `${own}+${hash}`,
    name: name ?? own,
  });
  const wanted = type === COSIGNATURE
    ? cosignatureHint(own, key.spki)
    : noteKeyHint(own, publicKeyOf(key));
  if (encodeHex(wanted) !== hash) throw malformedKey("its hash is not of its name and key");
  return key;
}

function malformedKey(what: string, cause?: unknown): AttestationError {
  return new AttestationError("malformed-key", `Cannot import note key: ${what}`, { cause });
}

function malformed(what: string, cause?: unknown): AttestationError {
  return new AttestationError("malformed-checkpoint", `Cannot read proof: ${what}`, { cause });
}
