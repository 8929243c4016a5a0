import { type Bytes, concat } from "../../internal/bytes.ts";
import { octetString } from "./der_writer.ts";
import { type CertificateFields, type Extension, SCT_LIST, tbsCertificate } from "./certificate.ts";
import { digest, type TestKey } from "./keys.ts";

/** How one certificate transparency log promises to include a certificate. */
export interface SctOptions {
  log: TestKey;
  /** When the log saw the precertificate. */
  timestamp: Date;
  /** CtExtensions, such as the leaf index of a static log. Default none. */
  extensions?: Uint8Array;
  /** Flip a bit of the signature. */
  corrupt?: boolean;
}

/**
 * Adds the list of signed certificate timestamps (RFC 6962, section 3.3) to a certificate
 * that does not have it yet.
 */
export async function withScts(
  fields: CertificateFields,
  issuer: TestKey,
  scts: SctOptions[],
): Promise<CertificateFields> {
  if (scts.length === 0) return fields;
  const precertificate = tbsCertificate(fields, issuer);
  const issuerKeyHash = digest("SHA-256", issuer.spki);
  const encoded: Bytes[] = [];
  for (const sct of scts) {
    const body = await signedCertificateTimestamp(sct, issuerKeyHash, precertificate);
    encoded.push(concat(bigEndian(body.length, 2), body));
  }
  const list = concat(...encoded);
  const extension: Extension = {
    oid: SCT_LIST,
    value: octetString(concat(bigEndian(list.length, 2), list)),
  };
  return { ...fields, extensions: [...fields.extensions, extension] };
}

async function signedCertificateTimestamp(
  { log, timestamp, extensions = new Uint8Array(), corrupt }: SctOptions,
  issuerKeyHash: Uint8Array,
  precertificate: Uint8Array,
): Promise<Bytes> {
  const time = bigEndian(timestamp.getTime(), 8);
  const trailer = concat(bigEndian(extensions.length, 2), extensions);
  const signature = await log.sign(concat(
    Uint8Array.of(0, 0),
    time,
    Uint8Array.of(0, 1),
    issuerKeyHash,
    bigEndian(precertificate.length, 3),
    precertificate,
    trailer,
  ));
  if (corrupt) signature[signature.length - 1] ^= 1;
  return concat(
    Uint8Array.of(0),
    digest("SHA-256", log.spki),
    time,
    trailer,
    Uint8Array.of(4, 3),
    bigEndian(signature.length, 2),
    signature,
  );
}

/** Leaf index extension of a static log (C2SP static-ct-api): type 0, length 5, 40 bits. */
export function leafIndexExtension(index: number): Bytes {
  return concat(Uint8Array.of(0), bigEndian(5, 2), bigEndian(index, 5));
}

function bigEndian(value: number, octets: number): Bytes {
  const bytes = new Uint8Array(octets);
  for (let i = octets - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) {
    bytes[i] = rest % 256;
  }
  return bytes;
}
