import { AttestationError, isAttestationError } from "../../errors.ts";
import { type Bytes, equalBytes } from "../../internal/bytes.ts";
import { encodeDer, Tag } from "../../internal/der.ts";
import { request } from "../../internal/http.ts";
import { sha256 } from "../../internal/sha256.ts";
import { parseTimestampResponse, verifyTimestamp } from "../timestamp.ts";
import type { TrustedAuthority } from "../trusted_root.ts";
import { type Asked, mismatch, readAnswer } from "./_answer.ts";

const ACTION = "get a timestamp";

/** SHA-256 with NULL parameters, as every client writes it. */
const SHA256 = Uint8Array.of(
  ...[0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00],
);

const NONCE_BYTES = 16;

/**
 * TimeStampReq for the SHA-256 digest of a signature, certificates wanted.
 *
 * Source: RFC 3161, 2.4.1.
 *
 * @param nonce INTEGER's octets: minimal, not negative.
 */
export function encodeTimestampRequest(signature: Uint8Array, nonce: Uint8Array): Bytes {
  return encodeDer(
    Tag.sequence,
    encodeDer(Tag.integer, Uint8Array.of(1)),
    encodeDer(Tag.sequence, SHA256, encodeDer(Tag.octetString, sha256(signature))),
    encodeDer(Tag.integer, nonce),
    encodeDer(Tag.boolean, Uint8Array.of(0xff)),
  );
}

/** What a timestamp is asked for with. */
export interface TimestampRequest extends Asked {
  /** What is stamped: the raw signature. */
  readonly signature: Bytes;
  readonly randomBytes: (length: number) => Bytes;
  /** Authorities of the trusted roots. */
  readonly authorities: readonly TrustedAuthority[];
}

/**
 * Gets a timestamp over a signature and verifies it.
 *
 * Source: RFC 3161, 2.2, 2.4 and 3.4.
 *
 * @returns TimeStampResp, DER.
 * @throws {AttestationError} What {@linkcode request} refuses, `malformed-response`,
 * `service-refused` (no timestamp was granted) or `response-mismatch`.
 */
export async function requestTimestamp(asked: TimestampRequest): Promise<Bytes> {
  const { url, http, signature, randomBytes, authorities } = asked;
  const nonce = randomBytes(NONCE_BYTES).slice(0, NONCE_BYTES);
  nonce[0] = (nonce[0] & 0x3f) | 0x40; // Neither negative nor with a zero in front.
  const { body } = await request(ACTION, url, {
    method: "POST",
    headers: {
      "content-type": "application/timestamp-query",
      "accept": "application/timestamp-reply",
    },
    body: encodeTimestampRequest(signature, nonce),
  }, http);
  const token = readAnswer(ACTION, url, () => granted(url, body));
  if (token.nonce === undefined || !equalBytes(token.nonce, nonce)) {
    throw mismatch(ACTION, url, "another nonce than that of the request");
  }
  try {
    await verifyTimestamp(body, signature, authorities);
  } catch (cause) {
    throw mismatch(ACTION, url, "a timestamp that does not verify", cause);
  }
  return body;
}

function granted(url: string, body: Bytes): ReturnType<typeof parseTimestampResponse> {
  try {
    return parseTimestampResponse(body);
  } catch (cause) {
    if (!isAttestationError(cause) || cause.reason !== "timestamp-rejected") throw cause;
    throw new AttestationError(
      "service-refused",
      `Cannot ${ACTION}: ${url} granted none`,
      { cause },
    );
  }
}
