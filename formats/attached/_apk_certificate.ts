import { AttestationError, isAttestationError } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";
import { parseDer, readSequence, Tag } from "../../internal/der.ts";
import { parseSpki, type PublicKey } from "../../keys/public_key.ts";
import { formatAttributes, readName } from "../certificate_name.ts";

/** What of a certificate counts in an APK. */
export interface ApkCertificate {
  /** The whole certificate. */
  readonly raw: Bytes;
  /** The holder's name, for display and comparison. */
  readonly subject: Bytes;
  /** The holder's key. */
  readonly publicKey: PublicKey;
}

/**
 * Reads a certificate of an APK. It is a key with a name: Android compares it as a whole and
 * judges neither its signature nor its validity, and those that development tools made were of
 * version 1 for years, which the reader of certificates of authorities refuses.
 *
 * @throws {AttestationError} `malformed-certificate`, or why its key is refused.
 */
export function readApkCertificate(raw: Bytes): ApkCertificate {
  try {
    const outer = readSequence(parseDer(raw));
    const fields = readSequence(outer.next(Tag.sequence));
    outer.next(Tag.sequence);
    outer.next(Tag.bitString);
    outer.end();
    fields.optional(0xa0);
    fields.next(Tag.integer);
    fields.next(Tag.sequence); // Algorithm
    fields.next(Tag.sequence); // Issuer
    fields.next(Tag.sequence); // Validity
    const subject = fields.next(Tag.sequence).raw;
    return { raw, subject, publicKey: parseSpki(fields.next(Tag.sequence).raw) };
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    const reason = cause.reason === "malformed-der" ? "malformed-certificate" : cause.reason;
    throw new AttestationError(reason, `Cannot read certificate of APK: ${cause.message}`, {
      cause,
    });
  }
}

/** Holder of a certificate, for display. */
export function holderOf(raw: Bytes): string {
  try {
    return formatAttributes(readName(readApkCertificate(raw).subject));
  } catch {
    return "unreadable certificate";
  }
}
