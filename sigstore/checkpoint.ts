import { AttestationError, isAttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { type Bytes, equalBytes, utf8 } from "../internal/bytes.ts";
import { decodeUtf8 } from "../internal/json.ts";
import { sha256 } from "../internal/sha256.ts";
import { type PublicKey, verifySignature } from "../keys/public_key.ts";
import type { Scheme } from "./_scheme.ts";

/** A signed tree head of a transparency log; its signatures are not verified. */
export interface Checkpoint {
  /** First line: which log. */
  readonly origin: string;
  /** Number of leaves. */
  readonly size: bigint;
  /** SHA-256 of the root. */
  readonly rootHash: Bytes;
  /** Further lines of the body. */
  readonly extensions: readonly string[];
  /** What is signed: the body to its last newline. */
  readonly signed: Bytes;
  /** One for each signature line. */
  readonly signatures: readonly NoteSignature[];
}

/** A signature line of a signed note. */
export interface NoteSignature {
  /** Name of the key. */
  readonly name: string;
  /** First four bytes of the key's id. */
  readonly keyHint: Bytes;
  /** The rest of the line. */
  readonly signature: Bytes;
}

/** Most signature lines and extension lines. */
const MAX_LINES = 64;

/** Most lines of one key: more are only work. */
const MAX_OWN_LINES = 4;

/**
 * Reads a checkpoint: a signed note whose text is origin, size and root hash.
 *
 * Source: C2SP signed-note and tlog-checkpoint.
 *
 * @param source Text of the note, or its UTF-8 bytes.
 * @throws {AttestationError} `malformed-checkpoint` or `limit-exceeded`.
 *
 * @example
 * ```ts
 * import { parseCheckpoint } from "@x/attest/sigstore";
 * import assert from "node:assert/strict";
 *
 * const root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
 * const note = `log.example\n7\n${root}\n\n— log.example AAAAAAA=\n`;
 * assert.equal(parseCheckpoint(note).size, 7n);
 * ```
 */
export function parseCheckpoint(source: string | Uint8Array): Checkpoint {
  const { text, signed, signatures } = parseNote(source);
  const [origin, size, rootHash, ...extensions] = text.slice(0, -1).split("\n");
  if (extensions.length > MAX_LINES) throw tooManyLines();
  if (origin === "" || rootHash === undefined) throw malformed("fewer than three lines of text");
  if (extensions.includes("")) throw malformed("an empty line in the text");
  if (!/^(0|[1-9]\d{0,18})$/.test(size)) throw malformed("a size that is no decimal integer");
  const root = base64(rootHash, "the root hash");
  if (root.length !== 32) throw malformed("a root hash that is not 32 bytes");
  return { origin, size: BigInt(size), rootHash: root, extensions, signed, signatures };
}

/** A signed note: text, and who signed it. */
export interface Note {
  /** The text to its last newline. */
  readonly text: string;
  /** The same in UTF-8: what is signed. */
  readonly signed: Bytes;
  /** One for each signature line. */
  readonly signatures: readonly NoteSignature[];
}

/**
 * Reads a signed note, whatever its text.
 *
 * Source: C2SP signed-note.
 *
 * @throws {AttestationError} `malformed-checkpoint` or `limit-exceeded`.
 */
export function parseNote(source: string | Uint8Array): Note {
  if (source.length > 1 << 20) {
    throw new AttestationError("limit-exceeded", "Cannot read checkpoint: above 1 MiB");
  }
  let note: string;
  try {
    note = typeof source === "string" ? source : decodeUtf8(source);
  } catch (cause) {
    throw malformed("not UTF-8", cause);
  }
  // deno-lint-ignore no-control-regex
  if (!note.isWellFormed() || /[\u0000-\u0009\u000b-\u001f\u007f]/.test(note)) {
    throw malformed("a control character");
  }
  const border = note.lastIndexOf("\n\n");
  if (border < 0) throw malformed("no blank line between text and signatures");
  if (!note.endsWith("\n")) throw malformed("no newline at the end");
  if (note.length === border + 2) throw malformed("no signature");
  const text = note.slice(0, border + 1);
  const lines = note.slice(border + 2, -1).split("\n");
  if (lines.length > MAX_LINES) throw tooManyLines();
  return { text, signed: utf8(text), signatures: lines.map(readSignature) };
}

function tooManyLines(): AttestationError {
  return new AttestationError("limit-exceeded", `Cannot read checkpoint: above ${MAX_LINES} lines`);
}

function readSignature(line: string): NoteSignature {
  const match = /^\u2014 (\S+) (\S+)$/u.exec(line);
  if (match === null || match[1].includes("+")) throw malformed("a signature line of another form");
  const bytes = base64(match[2], "a signature");
  if (bytes.length < 5) throw malformed("a signature that is too short");
  return { name: match[1], keyHint: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}

function base64(text: string, what: string): Bytes {
  try {
    return decodeBase64(text, { alphabet: "standard", padding: "required" });
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw malformed(`${what} is not base64`, cause);
  }
}

/** Signature types of C2SP signed-note that are verified here. */
const ED25519 = 0x01;
const RSA_LABEL = "PKIX-RSA-PKCS#1v1.5";

/** First four bytes of the id of a log's key under a name. */
export function noteKeyHint(name: string, key: PublicKey): Bytes {
  if (key.kind === "Ed25519") {
    return sha256(utf8(`${name}\n`), Uint8Array.of(ED25519), key.spki.subarray(-32)).subarray(0, 4);
  }
  if (key.kind === "RSA") {
    return sha256(utf8(`${name}\n`), Uint8Array.of(0xff), utf8(RSA_LABEL), key.spki).subarray(0, 4);
  }
  return sha256(key.spki).subarray(0, 4);
}

/** A key that may sign notes under a name. */
export interface NoteKey {
  name: string;
  key: PublicKey;
  scheme: Scheme;
}

/**
 * Tells whether a key signed a checkpoint. Lines of other names or key ids are ignored
 * (witnesses, other keys); a line that names this key must be good.
 */
export async function verifyCheckpoint(checkpoint: Checkpoint, by: NoteKey): Promise<boolean> {
  const hint = noteKeyHint(by.name, by.key);
  const own = checkpoint.signatures.filter(({ name, keyHint }) =>
    name === by.name && equalBytes(keyHint, hint)
  );
  if (own.length === 0 || own.length > MAX_OWN_LINES) return false;
  const verdicts = await Promise.all(
    own.map(({ signature }) => verifySignature(by.key, by.scheme, signature, checkpoint.signed)),
  );
  return verdicts.every((good) => good);
}

function malformed(what: string, cause?: unknown): AttestationError {
  return new AttestationError("malformed-checkpoint", `Cannot read checkpoint: ${what}`, { cause });
}
