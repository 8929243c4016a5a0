import { AttestationError } from "../errors.ts";
import { type Bytes, concat } from "../internal/bytes.ts";
import { children, encodeDer, parseDer, readOid, Tag } from "../internal/der.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { verifySignature } from "../keys/public_key.ts";
import type { Certificate } from "./certificate.ts";
import { isWithin, type TrustedLog } from "./trusted_root.ts";

/** A signed certificate timestamp: a log's promise to include a certificate. */
export interface Sct {
  /** SHA-256 of the log's key, lowercase hex. */
  readonly logId: string;
  readonly timestamp: Date;
  /** Algorithm pair as encoded: hash, signature. */
  readonly algorithm: number;
  readonly signature: Bytes;
  /** Version, timestamp and extensions as they are signed. */
  readonly time: Bytes;
  readonly extensions: Bytes;
}

const SCT_LIST = "1.3.6.1.4.1.11129.2.4.2";
const ECDSA_SHA256 = 0x0403;
const RSA_SHA256 = 0x0401;

/**
 * Reads a TLS-encoded list of SCTs.
 *
 * Source: RFC 6962, 3.3.
 *
 * @throws {AttestationError} `invalid-sct`.
 */
export function parseSctList(list: Bytes): Sct[] {
  const all = new Cursor(list);
  const scts = new Cursor(all.vector());
  all.end();
  const found: Sct[] = [];
  while (!scts.done) {
    if (found.length >= 32) throw invalid("more than 32");
    const sct = new Cursor(scts.vector());
    if (sct.take(1)[0] !== 0) throw invalid("not version 1");
    const logId = encodeHex(sct.take(32));
    const time = sct.take(8);
    const view = new DataView(time.buffer, time.byteOffset, 8);
    const extensions = sct.vector();
    const [hash, kind] = sct.take(2);
    const signature = sct.vector();
    sct.end();
    found.push({
      logId,
      timestamp: new Date(view.getUint32(0) * 2 ** 32 + view.getUint32(4)),
      algorithm: hash * 256 + kind,
      signature,
      time,
      extensions,
    });
  }
  return found;
}

/** What an SCT of a precertificate signs (RFC 6962, 3.2). */
export function signedByLog(sct: Sct, leaf: Certificate, issuer: Certificate): Bytes {
  const tbs = withoutSctList(leaf);
  return concat(
    Uint8Array.of(0, 0),
    sct.time,
    Uint8Array.of(0, 1),
    sha256(issuer.publicKey.spki),
    Uint8Array.of(tbs.length >> 16, tbs.length >> 8, tbs.length),
    tbs,
    Uint8Array.of(sct.extensions.length >> 8, sct.extensions.length),
    sct.extensions,
  );
}

/** The TBSCertificate less the SCT list: every byte else as it was received. */
function withoutSctList(leaf: Certificate): Bytes {
  const fields = children(parseDer(leaf.tbs)).map((field) => {
    if (field.tag !== 0xa3) return field.raw;
    const kept = children(children(field)[0], 128)
      .filter((extension) => readOid(children(extension)[0]) !== SCT_LIST)
      .map(({ raw }) => raw);
    return encodeDer(0xa3, encodeDer(Tag.sequence, ...kept));
  });
  return encodeDer(Tag.sequence, ...fields);
}

/** What became of the SCTs of a certificate. */
export interface SctFinding {
  /** Operators of the distinct logs that promised. */
  readonly logs: readonly string[];
  /** SCTs by logs that are not trusted. */
  readonly unknown: number;
}

/**
 * Verifies the SCTs that are embedded in a certificate.
 *
 * @param issuer Certificate that issued the leaf, from the verified chain.
 * @throws {AttestationError} `invalid-sct` if one is malformed, or names a trusted log and
 * does not verify.
 */
export async function verifyScts(
  leaf: Certificate,
  issuer: Certificate,
  logs: readonly TrustedLog[],
): Promise<SctFinding> {
  if (leaf.sctList === undefined) return { logs: [], unknown: 0 };
  let unknown = 0;
  const operators = await Promise.all(
    parseSctList(leaf.sctList).map(async (sct) => {
      const named = logs.filter(({ keyIds }) => keyIds.includes(sct.logId));
      if (named.length === 0) {
        unknown++;
        return undefined;
      }
      const log = named.find(({ validFor }) => isWithin(sct.timestamp, validFor));
      if (log === undefined) throw invalid("made outside the validity of the log's key");
      const wanted = log.scheme.name === "ECDSA" ? ECDSA_SHA256 : RSA_SHA256;
      if (sct.algorithm !== wanted) throw invalid("an algorithm that is not the log's");
      const signed = signedByLog(sct, leaf, issuer);
      if (await verifySignature(log.key, log.scheme, sct.signature, signed)) return log.operator;
      throw invalid("the signature does not verify");
    }),
  );
  return { logs: [...new Set(operators.filter((one) => one !== undefined))], unknown };
}

/** Reader of TLS encodings (RFC 8446, 3). */
class Cursor {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Bytes {
    if (this.#at + length > this.#bytes.length) throw invalid("truncated");
    return this.#bytes.subarray(this.#at, this.#at += length);
  }

  vector(): Bytes {
    const [high, low] = this.take(2);
    return this.take(high * 256 + low);
  }

  end(): void {
    if (!this.done) throw invalid("trailing bytes");
  }
}

function invalid(what: string): AttestationError {
  return new AttestationError("invalid-sct", `Cannot verify signed certificate timestamp: ${what}`);
}
