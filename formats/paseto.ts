import { AttestationError, isAttestationError } from "../errors.ts";
import { decodeBase64, encodeBase64Url } from "../internal/base64.ts";
import { type Bytes, concat, utf8 } from "../internal/bytes.ts";
import { decodeUtf8, isObject, parseJson, printable, quote } from "../internal/json.ts";
import { parseOffsetTimestamp } from "../internal/timestamp.ts";
import { importTrustedKey, type TrustedKey } from "../keys/trusted_key.ts";
import { decompressPoint } from "../keys/compressed_point.ts";
import { badSigner, publicKeyOf, trySigner } from "./_signers.ts";
import type { FormatContext, FormatEnvelope, FormatModule, SignerResult } from "./format.ts";

/** A public PASETO token, read and not verified. */
export interface PasetoToken {
  /** `v3` or `v4`: decides the algorithm, and a key is for one of them only. */
  readonly version: "v3" | "v4";
  /** What is said. */
  readonly message: Bytes;
  /** The signature. */
  readonly signature: Bytes;
  /** What stands behind the message; signed too. */
  readonly footer: Bytes;
}

const TOKEN = /^(v[0-9]+)\.(public|local)\.([A-Za-z0-9_-]+)(?:\.([A-Za-z0-9_-]+))?[\t\n\r ]*$/;
const SIGNATURE_BYTES = { v3: 96, v4: 64 } as const;
/** A P-384 key is for version 3, an Ed25519 key for version 4: no key is for two. */
const ALGORITHM = { v3: "ES384", v4: "Ed25519" } as const;

/**
 * PASETO, versions 3 and 4, `public` tokens: P-384 and Ed25519 over a pre-authentication
 * encoding of header, message, footer and implicit assertion.
 *
 * Versions 1 and 2 are `unsupported-algorithm`: a key of version 2 is an Ed25519 key too, and
 * must not verify a token of version 4. `local` tokens are secret, not signed.
 *
 * Source: PASETO, docs/01-Protocol-Versions; PASERK, types/public.md.
 */
export const paseto: FormatModule<PasetoToken> = {
  id: "paseto",
  layer: "envelope",
  detect: ({ head }) => /^v[1-4]\.(public|local)\./.test(head) ? 3 : 0,
  parse(bytes, { maxBytes }) {
    const content = parseToken(bytes, maxBytes);
    const { version, message, signature, footer } = content;
    return {
      format: "paseto",
      message,
      signatures: [{ algorithm: ALGORITHM[version], bytes: signature.length }],
      facts: {
        version,
        ...(footer.length === 0
          ? {}
          : { footer: printable(new TextDecoder().decode(footer), 200) }),
      },
      content,
    };
  },
  async verify({ content }, context) {
    const signer = await verifyToken(content, context);
    const refusal = signer.ok ? timeRefusal(content.message, context.now) : undefined;
    const { footer } = content;
    return {
      format: "paseto",
      message: content.message,
      signers: [signer],
      ...(signer.ok && footer.length > 0 ? { authenticated: { footer: footerText(footer) } } : {}),
      coverage: "message",
      unauthenticated: {},
      proofs: [],
      ...(refusal === undefined ? {} : { refusal }),
    } satisfies FormatEnvelope;
  },
};

/** A footer is JSON or a key's id mostly; other bytes are shown as the token has them. */
function footerText(footer: Bytes): string {
  try {
    return decodeUtf8(footer);
  } catch {
    return encodeBase64Url(footer);
  }
}

async function verifyToken(
  { version, message, signature, footer }: PasetoToken,
  { keys, implicitAssertion = new Uint8Array() }: FormatContext,
): Promise<SignerResult> {
  const fitting = keys.filter(({ alg }) => alg === ALGORITHM[version]);
  if (fitting.length === 0 && keys.length > 0) {
    return badSigner(
      "key-algorithm-mismatch",
      `Cannot verify token: no trusted key is one of ${version}`,
    );
  }
  const header = utf8(`${version}.public.`);
  if (version === "v4") {
    const data = encodePieces(header, message, footer, implicitAssertion);
    return await trySigner(fitting, { data, signature, encoding: "p1363" });
  }
  let last = await trySigner([], { data: message, signature, encoding: "p1363" });
  for (const key of fitting) {
    // The key itself is signed: one signature must not verify under two keys.
    const own = compressed(publicKeyOf(key).spki.subarray(-97));
    const data = encodePieces(own, header, message, footer, implicitAssertion);
    last = await trySigner([key], { data, signature, encoding: "p1363" });
    if (last.ok) return last;
  }
  return last;
}

/** Compressed form of an uncompressed point: SEC 1, 2.3.3. */
function compressed(point: Uint8Array): Bytes {
  const size = (point.length - 1) / 2;
  const sign = 2 + (point[point.length - 1] & 1);
  return concat(Uint8Array.of(sign), point.subarray(1, 1 + size));
}

/** PAE: the number of pieces, then each with its length, as 64 bits of which the topmost is 0. */
export function encodePieces(...pieces: Uint8Array[]): Bytes {
  const parts: Uint8Array[] = [length(pieces.length)];
  for (const piece of pieces) parts.push(length(piece.length), piece);
  return concat(...parts);
}

function length(value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

function parseToken(bytes: Uint8Array, maxBytes: number): PasetoToken {
  if (bytes.length > maxBytes) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read token: ${bytes.length} bytes, at most ${maxBytes} are accepted`,
    );
  }
  const match = TOKEN.exec(new TextDecoder().decode(bytes));
  if (match === null) throw malformed("it is not of the form v4.public.…");
  const [, version, purpose, body, tail = ""] = match;
  if (purpose !== "public") {
    throw new AttestationError(
      "unsupported-algorithm",
      "Cannot read token: it is secret, not signed",
    );
  }
  if (version !== "v3" && version !== "v4") {
    throw new AttestationError(
      "unsupported-algorithm",
      `Cannot read token: its version is ${quote(version)}, wanted v3 or v4`,
    );
  }
  const decoded = decodeBase64(body, { alphabet: "url", padding: "none" });
  const size = SIGNATURE_BYTES[version];
  if (decoded.length < size) throw malformed("it is shorter than a signature");
  return {
    version,
    message: decoded.subarray(0, decoded.length - size),
    signature: decoded.subarray(decoded.length - size),
    footer: decodeBase64(tail, { alphabet: "url", padding: "none" }),
  };
}

/**
 * Registered claims `exp` and `nbf`, also of a Statement: who makes tokens adds them to whatever
 * is signed. PASETO, docs/02-Implementation-Guide/04-Claims.md.
 */
function timeRefusal(message: Uint8Array, now: Date): AttestationError | undefined {
  let claims: unknown;
  try {
    claims = parseJson(message);
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    return undefined;
  }
  if (!isObject(claims)) return undefined;
  for (const name of ["exp", "nbf"]) {
    const value = claims[name];
    if (value === undefined) continue;
    const time = typeof value === "string" ? parseOffsetTimestamp(value) : undefined;
    if (time === undefined) {
      return new AttestationError("malformed-envelope", `Cannot accept token: ${name} is no time`);
    }
    if (name === "exp" && now >= time) {
      return new AttestationError(
        "attestation-expired",
        `Cannot accept token: it expired at ${time.toISOString()}`,
      );
    }
    if (name === "nbf" && now < time) {
      return new AttestationError(
        "attestation-not-yet-valid",
        `Cannot accept token: it counts from ${time.toISOString()}`,
      );
    }
  }
}

/**
 * Imports a PASERK public key: `k3.public.…` or `k4.public.…`. Other versions are refused, so
 * that their keys never verify a token of these.
 *
 * Source: PASERK, types/public.md.
 *
 * @param text The key.
 * @param name Name in reports. Default: the first digits of its fingerprint.
 * @throws {AttestationError} `malformed-key`, `weak-key`, `unsupported-algorithm`,
 * `invalid-base64`.
 *
 * @example
 * ```ts
 * import { importPaserk } from "@x/attest/formats";
 * import assert from "node:assert/strict";
 *
 * const key = await importPaserk("k4.public.Hrnbu7wEfAP9cGBOAHHwmH4Wsot1ciXBHwBBXQ4gsaI");
 * assert.equal(key.alg, "Ed25519");
 * ```
 */
export async function importPaserk(text: string, name?: string): Promise<TrustedKey> {
  const match = /^k([0-9]+)\.([a-z-]+)\.([A-Za-z0-9_-]+)$/.exec(text.trim());
  if (match === null) {
    throw new AttestationError("malformed-key", "Cannot import key: it is no PASERK");
  }
  const [, version, type, body] = match;
  if (type !== "public" || (version !== "3" && version !== "4")) {
    throw new AttestationError(
      "unsupported-algorithm",
      `Cannot import key: it is k${version}.${printable(type, 20)}, wanted k3.public or k4.public`,
    );
  }
  const bytes = decodeBase64(body, { alphabet: "url", padding: "none" });
  const options = name === undefined ? {} : { name };
  return version === "4"
    ? await importTrustedKey(bytes, { alg: "Ed25519", ...options })
    : await importTrustedKey(decompressPoint("P-384", bytes), { alg: "ES384", ...options });
}

function malformed(what: string): AttestationError {
  return new AttestationError("malformed-envelope", `Cannot read token: ${what}`);
}
