import { AttestationError, isAttestationError } from "../errors.ts";
import { type Bytes, utf8 } from "../internal/bytes.ts";
import { decodeHex, encodeHex } from "../internal/hex.ts";
import {
  decodeUtf8,
  isObject,
  type Json,
  type JsonObject,
  jsonText,
  parseJson,
  printable,
  quote,
} from "../internal/json.ts";
import { canonicalOlpcJson } from "../internal/olpc_json.ts";
import { sha256 } from "../internal/sha256.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import { importTrustedKey, type TrustedKey } from "../keys/trusted_key.ts";
import { badSigner, signatureList, trySigner } from "./_signers.ts";
import type {
  FormatContext,
  FormatEnvelope,
  FormatLimits,
  FormatModule,
  SignerResult,
} from "./format.ts";

/** A metablock, read and not verified. */
export interface Metablock {
  /** `link` or `layout`. */
  readonly type: string;
  /** Canonical form of `signed`: what the signatures are over. */
  readonly signed: Bytes;
  /** Each signature. */
  readonly signatures: readonly MetablockSignature[];
}

/** A signature of a metablock. */
export interface MetablockSignature {
  /** Id of a key: a hint. */
  readonly keyid: string;
  /** The signature; undefined for one by GnuPG, which is not read here. */
  readonly sig?: Bytes;
}

/**
 * Metadata of in-toto before DSSE: a `link` or a `layout`, signed over its canonical form.
 *
 * The form is that of OLPC, not RFC 8785. What is read out is the very text that is signed:
 * the message is that form, never the document.
 *
 * Source: in-toto specification 1.0, 4.2 to 4.4; OLPC wiki, "Canonical JSON".
 */
export const inTotoMetablock: FormatModule<Metablock> = {
  id: "in-toto-metablock",
  layer: "envelope",
  detect({ json }) {
    if (json === undefined || !isObject(json.signed) || !Array.isArray(json.signatures)) return 0;
    const { _type: type } = json.signed;
    return type === "link" || type === "layout" ? 3 : 0;
  },
  parse(bytes, limits) {
    const block = parseMetablock(bytes, limits);
    return {
      format: "in-toto-metablock",
      messageType: printable(block.type),
      message: block.signed,
      signatures: block.signatures.map(({ keyid, sig }) => ({
        keyid,
        ...(sig === undefined ? { algorithm: "gpg" } : {}),
        bytes: sig?.length ?? 0,
      })),
      facts: {},
      content: block,
    };
  },
  async verify({ content: { type, signed, signatures } }, context) {
    return {
      format: "in-toto-metablock",
      message: signed,
      // `_type` lies in what is signed, and no other reader takes such a message.
      messageType: { value: type, authenticated: true },
      signers: await Promise.all(signatures.map((one) => verifyOne(signed, one, context))),
      coverage: "message",
      unauthenticated: {},
      proofs: [],
    } satisfies FormatEnvelope;
  },
};

async function verifyOne(
  signed: Bytes,
  { keyid, sig }: MetablockSignature,
  { keys }: FormatContext,
): Promise<SignerResult> {
  if (sig === undefined) {
    return badSigner(
      "unsupported-algorithm",
      "Cannot verify metablock: the signature is one of GnuPG",
      keyid,
    );
  }
  return await trySigner(keys, { data: signed, signature: sig, encoding: "der", keyid });
}

function parseMetablock(bytes: Uint8Array, { maxBytes, maxSignatures }: FormatLimits): Metablock {
  const text = decodeUtf8(bytes);
  const value = parseJson(text, { maxLength: maxBytes, maxDepth: 64 });
  if (!isObject(value)) throw malformed("it is no object", "");
  for (const name of Object.keys(value)) {
    if (name !== "signed" && name !== "signatures") {
      throw malformed(`it has the unknown member ${quote(name)}`, "");
    }
  }
  const { signed, signatures } = value;
  if (!isObject(signed)) throw malformed("signed is no object", "/signed");
  if (typeof signed._type !== "string") throw malformed("_type is no text", "/signed/_type");
  const list = signatureList(signatures, "metablock", maxSignatures);
  refuseFractions(text);
  return {
    type: signed._type,
    signed: utf8(canonicalOlpcJson(signed, "malformed-envelope")),
    signatures: list.map(readSignature),
  };
}

/** `1.0` and `1e0` are integers to JavaScript and fractions to the signers' JSON readers. */
function refuseFractions(text: string): void {
  // One string after another: an expression over all of them would run out of stack.
  const end = /["\\]/g;
  for (let at = 0; at < text.length;) {
    const quoted = text.indexOf('"', at);
    const outside = text.slice(at, quoted < 0 ? undefined : quoted);
    if (/[.eE]/.test(outside.replace(/true|false/g, ""))) {
      throw malformed("it has a number that is no integer", "/signed");
    }
    if (quoted < 0) return;
    end.lastIndex = quoted + 1;
    while (end.exec(text)?.[0] === "\\") end.lastIndex++;
    at = end.lastIndex;
  }
}

function readSignature(value: Json, index: number): MetablockSignature {
  const path = `/signatures/${index}`;
  if (!isObject(value) || typeof value.keyid !== "string") {
    throw malformed("a signature has no keyid", path);
  }
  const { keyid, sig, signature, other_headers: headers } = value;
  if (sig === undefined && typeof signature === "string" && typeof headers === "string") {
    return { keyid };
  }
  if (typeof sig !== "string") throw malformed("a signature is no text", `${path}/sig`);
  return { keyid, sig: decodeHex(sig, `${path}/sig`) };
}

/** Keys of in-toto by scheme: its type, the algorithm, and whether the public part is PEM. */
const SCHEMES: Readonly<Record<string, { types: string[]; alg: KeyAlgorithm; pem: boolean }>> = {
  "ed25519": { types: ["ed25519"], alg: "Ed25519", pem: false },
  "rsassa-pss-sha256": { types: ["rsa"], alg: "PS256", pem: true },
  "ecdsa-sha2-nistp256": { types: ["ecdsa", "ecdsa-sha2-nistp256"], alg: "ES256", pem: true },
  "ecdsa-sha2-nistp384": { types: ["ecdsa", "ecdsa-sha2-nistp384"], alg: "ES384", pem: true },
};

/**
 * Imports a key as in-toto layouts and securesystemslib have it; its scheme decides the
 * algorithm, and its id is the SHA-256 of its canonical form.
 *
 * Source: in-toto specification 1.0, 4.2, "Key formats"; securesystemslib.
 *
 * @param source JSON text, or parsed: `keytype`, `scheme`, `keyval.public`. Private parts are
 * refused.
 * @param name Name in reports. Default: the id.
 * @throws {AttestationError} `malformed-key`, `unsupported-algorithm`, `weak-key`,
 * `malformed-pem`, `invalid-hex`, `key-algorithm-mismatch`, or those of strict JSON.
 *
 * @example
 * ```ts
 * import { importInTotoKey } from "@x/attest/formats";
 * import assert from "node:assert/strict";
 *
 * const key = await importInTotoKey({
 *   keytype: "ed25519",
 *   scheme: "ed25519",
 *   keyval: { public: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" },
 * });
 * assert.equal(key.alg, "Ed25519");
 * ```
 */
export async function importInTotoKey(
  source: string | object,
  name?: string,
): Promise<TrustedKey> {
  const value = typeof source === "string"
    ? parseJson(source, { maxLength: 64 << 10 })
    : source as JsonObject;
  if (!isObject(value) || !isObject(value.keyval)) throw malformedKey("it is no key");
  const { keytype, scheme, keyval } = value;
  if (keyval.private !== undefined && keyval.private !== "") {
    throw malformedKey("it has a private part, a public key is wanted");
  }
  const known = typeof scheme === "string" && Object.hasOwn(SCHEMES, scheme)
    ? SCHEMES[scheme]
    : undefined;
  if (known === undefined) {
    throw new AttestationError(
      "unsupported-algorithm",
      `Cannot import in-toto key: its scheme is ${quote(jsonText(scheme))}`,
    );
  }
  if (typeof keytype !== "string" || !known.types.includes(keytype)) {
    throw malformedKey(`its type is ${quote(jsonText(keytype))}, which has not that scheme`);
  }
  const { public: text } = keyval;
  if (typeof text !== "string") throw malformedKey("its public part is no text");
  const form = { keytype, scheme: jsonText(scheme), keyval: { public: text } };
  const keyid = encodeHex(sha256(utf8(canonicalOlpcJson(form, "malformed-key"))));
  try {
    return await importTrustedKey(known.pem ? text : decodeHex(text), {
      alg: known.alg,
      keyid,
      ...(name === undefined ? {} : { name }),
    });
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw new AttestationError(cause.reason, `Cannot import in-toto key: ${cause.message}`, {
      cause,
    });
  }
}

function malformedKey(what: string): AttestationError {
  return new AttestationError("malformed-key", `Cannot import in-toto key: ${what}`);
}

function malformed(what: string, path: string): AttestationError {
  return new AttestationError("malformed-envelope", `Cannot read metablock: ${what}`, { path });
}
