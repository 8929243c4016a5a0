import { AttestationError, isAttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { type Bytes, concat, equalBytes, utf8 } from "../internal/bytes.ts";
import { decodeHex, encodeHex } from "../internal/hex.ts";
import { decodeUtf8, printable } from "../internal/json.ts";
import { importTrustedKey, type TrustedKey } from "../keys/trusted_key.ts";
import { accepts, badSigner, goodSigner } from "./_signers.ts";
import type {
  FormatContext,
  FormatEnvelope,
  FormatLimits,
  FormatModule,
  SignerResult,
} from "./format.ts";
import type { FormatInput } from "./format_input.ts";

/** A signature file of minisign or signify, read and not verified. */
export interface DetachedEd25519 {
  /** What is signed: the file itself, or its BLAKE2b-512. */
  readonly over: "file" | "blake2b";
  /** Id of the key, as minisign prints it. */
  readonly keyid: string;
  /** Signature of the file. */
  readonly signature: Bytes;
  /** Comment that nobody signed. */
  readonly untrustedComment: string;
  /** Of minisign: the comment that is signed, and the signature that covers it. */
  readonly trusted?: { readonly comment: string; readonly signature: Bytes };
  /** Of signify: the message that follows the signature. */
  readonly embedded?: Bytes;
}

const UNTRUSTED = "untrusted comment: ";
const TRUSTED = "trusted comment: ";
const FILE = "Ed";
const HASHED = "ED";
/** A comment that no tool writes longer. */
const MAX_LINE = 8192;

/**
 * minisign: an Ed25519 signature in a file of four lines, beside the file that it is of.
 *
 * `ED` signs the BLAKE2b-512 of the file, `Ed` the file itself. The second signature, which
 * covers the trusted comment, has to be there and has to verify. A key that has an id accepts
 * only signatures that state it. The untrusted comment never becomes a claim.
 *
 * Source: minisign, "Signature format" and "Public key format".
 */
export const minisign: FormatModule<DetachedEd25519> = {
  id: "minisign",
  layer: "envelope",
  detect: (input) => isSignatureFile(input) && hasMinisignMark(input) ? 3 : 0,
  parse: (bytes, limits) => describe("minisign", parseMinisign(bytes, limits)),
  verify: ({ content }, context) => verifyFile("minisign", content, context),
};

/**
 * OpenBSD's signify: an Ed25519 signature in a file of two lines, beside the file that it is
 * of, or before it (`signify -S -e`).
 *
 * Source: signify(1); OpenBSD, usr.bin/signify.
 */
export const signify: FormatModule<DetachedEd25519> = {
  id: "signify",
  layer: "envelope",
  detect: (input) => isSignatureFile(input) && !hasMinisignMark(input) ? 3 : 0,
  parse: (bytes, limits) => describe("signify", parseSignify(bytes, limits)),
  verify: ({ content }, context) => verifyFile("signify", content, context),
};

/** Two lines: a comment, and base64 that begins with `Ed` or `ED` and has the length of a signature. */
function isSignatureFile({ head }: FormatInput): boolean {
  return /^untrusted comment: [^\n]*\nR[UW][A-Za-z0-9+/]{97}=[\r\n]/.test(`${head}\n`);
}

/**
 * What minisign writes and signify does not: the prehashed form, a trusted comment, or its own
 * words in the first line. A cut-off file of minisign must not pass for one of signify.
 */
function hasMinisignMark({ head }: FormatInput): boolean {
  const [first, second = "", third = ""] = head.split("\n");
  return third.startsWith(TRUSTED) || second.startsWith("RU") ||
    /^untrusted comment: signature from (minisign|rsign)/.test(first);
}

function describe(
  format: "minisign" | "signify",
  content: DetachedEd25519,
) {
  const { over, keyid, signature, untrustedComment, trusted, embedded } = content;
  return {
    format,
    ...(embedded === undefined ? {} : { message: embedded }),
    ...(over === "blake2b" ? { digestAlgorithms: ["blake2b"] } : {}),
    signatures: [{
      keyid,
      algorithm: over === "file" ? "Ed25519" : "Ed25519 over BLAKE2b-512",
      bytes: signature.length,
    }],
    facts: {
      "untrusted comment": printable(untrustedComment),
      ...(trusted === undefined ? {} : { "trusted comment": printable(trusted.comment) }),
    },
    content,
  } as const;
}

async function verifyFile(
  format: "minisign" | "signify",
  content: DetachedEd25519,
  context: FormatContext,
): Promise<FormatEnvelope> {
  const { embedded, untrustedComment, trusted, over } = content;
  const message = embedded ?? context.detached?.content;
  const unauthenticated = { untrustedComment };
  const base = { format, unauthenticated, proofs: [] } as const;
  const digest = context.detached?.digest;
  const data = embedded ?? await signedBytes(over, context.detached);
  if (data === undefined) {
    const what = over === "file" ? "the file itself" : "the file, or its BLAKE2b-512";
    const refused = badSigner(
      "artifact-required",
      `Cannot verify signature: it is over another file, and ${what} is not given`,
      content.keyid,
    );
    return { ...base, signers: [refused], coverage: "whole-artifact" };
  }
  const signer = await verifyOne(content, data, context);
  const isArtifact = embedded === undefined;
  return {
    ...base,
    ...(message === undefined ? {} : { message }),
    ...(isArtifact && digest !== undefined ? { detached: digest } : {}),
    signers: [signer],
    coverage: isArtifact ? "whole-artifact" : "message",
    ...(trusted === undefined
      ? {}
      : signer.ok
      ? { authenticated: { trustedComment: trusted.comment } }
      : { unauthenticated: { untrustedComment, trustedComment: trusted.comment } }),
  };
}

async function signedBytes(
  over: DetachedEd25519["over"],
  detached: FormatContext["detached"],
): Promise<Uint8Array | undefined> {
  if (over === "file") return detached?.content;
  if (detached?.content !== undefined) {
    // Loaded on use: the file itself is signed by all other formats.
    return (await import("../internal/blake2b.ts")).blake2b512(detached.content);
  }
  const hex = detached?.digest.blake2b;
  return hex === undefined || !/^[0-9a-f]{128}$/i.test(hex) ? undefined : decodeHex(hex);
}

async function verifyOne(
  { keyid, signature, trusted }: DetachedEd25519,
  data: Uint8Array,
  { keys }: FormatContext,
): Promise<SignerResult> {
  const fitting = keys.filter(({ alg }) => alg === "Ed25519");
  if (fitting.length === 0) {
    return badSigner(
      keys.length === 0 ? "missing-trusted-key" : "key-algorithm-mismatch",
      "Cannot verify signature: it is one of Ed25519, and no trusted key is",
      keyid,
    );
  }
  for (const key of fitting) {
    if (key.keyid !== undefined && ID.test(key.keyid) && key.keyid !== keyid) continue;
    if (!await accepts(key, data, signature, "p1363")) continue;
    if (
      trusted !== undefined &&
      !await accepts(key, concat(signature, utf8(trusted.comment)), trusted.signature, "p1363")
    ) {
      return badSigner(
        "invalid-signature",
        "Cannot verify signature: the trusted comment is not what was signed",
        keyid,
      );
    }
    return goodSigner(key);
  }
  return badSigner("invalid-signature", "Cannot verify signature: no trusted key made it", keyid);
}

/** An id as {@linkcode importMinisignKey} gives it. */
const ID = /^[0-9A-F]{16}$/;

function parseMinisign(bytes: Uint8Array, limits: FormatLimits): DetachedEd25519 {
  const text = textOf(bytes, limits);
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (lines.length !== 4) {
    throw malformed(`it has ${lines.length} lines, wanted 4: the trusted comment is mandatory`);
  }
  const [first, second, third, fourth] = lines.map((line) => line.replace(/\r$/, ""));
  const untrustedComment = comment(first, UNTRUSTED);
  const { algorithm, keyid, signature } = readSignature(second);
  const over = algorithm === HASHED ? "blake2b" : "file";
  const global = base64(fourth);
  if (global.length !== 64) throw malformed("the signature of its comment is not 64 bytes");
  return {
    over,
    keyid,
    signature,
    untrustedComment,
    trusted: { comment: comment(third, TRUSTED), signature: global },
  };
}

function parseSignify(bytes: Uint8Array, limits: FormatLimits): DetachedEd25519 {
  if (bytes.length > limits.maxBytes) throw tooLong(bytes.length, limits.maxBytes);
  const first = bytes.indexOf(10);
  const second = first < 0 ? -1 : bytes.indexOf(10, first + 1);
  const end = second < 0 ? bytes.length : second;
  const untrustedComment = comment(textOf(bytes.subarray(0, first), limits), UNTRUSTED);
  const { algorithm, keyid, signature } = readSignature(
    textOf(bytes.subarray(first + 1, end), limits),
  );
  if (algorithm !== FILE) throw malformed("its algorithm is one of minisign");
  const rest = new Uint8Array(bytes.subarray(end + 1));
  return {
    over: "file",
    keyid,
    signature,
    untrustedComment,
    ...(rest.length === 0 ? {} : { embedded: rest }),
  };
}

function readSignature(line: string): { algorithm: string; keyid: string; signature: Bytes } {
  const bytes = base64(line);
  const algorithm = String.fromCharCode(bytes[0], bytes[1]);
  if (bytes.length !== 74) throw malformed("its signature is not 74 bytes");
  if (algorithm !== FILE && algorithm !== HASHED) {
    throw new AttestationError(
      "unsupported-algorithm",
      "Cannot read signature: its algorithm is neither Ed nor ED",
    );
  }
  return { algorithm, keyid: idOf(bytes.subarray(2, 10)), signature: bytes.subarray(10) };
}

/** Both print the id as the number whose lowest octet comes first. */
function idOf(bytes: Uint8Array): string {
  return encodeHex(bytes.slice().reverse()).toUpperCase();
}

function comment(line: string, prefix: string): string {
  if (!line.startsWith(prefix)) throw malformed(`a line does not begin with "${prefix.trim()}"`);
  if (line.length > MAX_LINE) throw malformed("a comment is too long");
  return line.slice(prefix.length);
}

function textOf(bytes: Uint8Array, { maxBytes }: FormatLimits): string {
  if (bytes.length > maxBytes) throw tooLong(bytes.length, maxBytes);
  return decodeUtf8(bytes);
}

function tooLong(found: number, most: number): AttestationError {
  return new AttestationError(
    "limit-exceeded",
    `Cannot read signature: ${found} bytes, at most ${most} are accepted`,
  );
}

function base64(text: string): Bytes {
  try {
    return decodeBase64(text, { alphabet: "standard", padding: "required" });
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw new AttestationError("invalid-base64", "Cannot read signature: a line is no base64", {
      cause,
    });
  }
}

/**
 * Imports a public key of minisign or signify: its file, or the base64 line alone. The key
 * keeps its id, and accepts only signatures that state it.
 *
 * Source: minisign, "Public key format"; signify(1).
 *
 * @param text The file's text.
 * @param name Name in reports. Default: the id.
 * @throws {AttestationError} `malformed-key`, `invalid-base64`, `weak-key`.
 *
 * @example
 * ```ts
 * import { importMinisignKey } from "@x/attest/formats";
 * import assert from "node:assert/strict";
 *
 * const key = await importMinisignKey(
 *   "untrusted comment: minisign public key 8898F3B5C5407C20\n" +
 *     "RWQgfEDFtfOYiE3MPO4t6UY5vJen+drgBYJTr55HPLKmy0ySbnYI4/37\n",
 * );
 * assert.equal(key.keyid, "8898F3B5C5407C20");
 * ```
 */
export async function importMinisignKey(text: string, name?: string): Promise<TrustedKey> {
  if (text.length > MAX_LINE) throw malformedKey("it is too long");
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  if (lines.length === 2 && lines[0].startsWith(UNTRUSTED)) lines.shift();
  if (lines.length !== 1) throw malformedKey("wanted a comment and one line of base64");
  const bytes = base64(lines[0]);
  if (bytes.length !== 42 || !equalBytes(bytes.subarray(0, 2), utf8(FILE))) {
    throw malformedKey("it is no public key of 42 bytes that begins with Ed");
  }
  return await importTrustedKey(bytes.slice(10), {
    alg: "Ed25519",
    keyid: idOf(bytes.subarray(2, 10)),
    ...(name === undefined ? {} : { name }),
  });
}

function malformedKey(what: string): AttestationError {
  return new AttestationError("malformed-key", `Cannot import key: ${what}`);
}

function malformed(what: string): AttestationError {
  return new AttestationError("malformed-envelope", `Cannot read signature: ${what}`);
}
