import { AttestationError, isAttestationError } from "../errors.ts";
import { asBytes, type Bytes, equalBytes, utf8 } from "../internal/bytes.ts";
import {
  children,
  type Der,
  expectTag,
  parseDer,
  readBitString,
  readBoolean,
  readNamedBits,
  readOctetString,
  readOid,
  readSequence,
  readSmall,
  readTime,
  readUnsigned,
  Tag,
} from "../internal/der.ts";
import { decodeUtf8 } from "../internal/json.ts";
import type { SignatureScheme } from "../keys/algorithm.ts";
import { parseSpki, type PublicKey } from "../keys/public_key.ts";
import { type CertificateIdentity, CLAIM_EXTENSIONS, type SanType } from "./identity.ts";
import { certificateScheme } from "./_scheme.ts";

/** Object identifiers of the extensions that are read here. */
const Oid = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  policyConstraints: "2.5.29.36",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  sctList: "1.3.6.1.4.1.11129.2.4.2",
  fulcio: "1.3.6.1.4.1.57264.1",
} as const;

/** Purposes of {@linkcode Certificate.extendedKeyUsage}. */
export const Purpose = {
  codeSigning: "1.3.6.1.5.5.7.3.3",
  timeStamping: "1.3.6.1.5.5.7.3.8",
  any: "2.5.29.37.0",
} as const;

const MAX_BYTES = 64 << 10;

const UNDERSTOOD: ReadonlySet<string> = new Set([
  Oid.keyUsage,
  Oid.subjectAltName,
  Oid.basicConstraints,
  Oid.extendedKeyUsage,
  Oid.subjectKeyIdentifier,
  Oid.authorityKeyIdentifier,
]);

/** An X.509 certificate (RFC 5280), read strictly; nothing of it is verified. */
export interface Certificate {
  /** The whole certificate. */
  readonly raw: Bytes;
  /** What its issuer signed. */
  readonly tbs: Bytes;
  /** Serial number, unsigned. */
  readonly serialNumber: Bytes;
  /** Distinguished name of the issuer as it is encoded; compared byte for byte. */
  readonly issuer: Bytes;
  /** Distinguished name of the holder as it is encoded; empty in a Fulcio certificate. */
  readonly subject: Bytes;
  /** First moment of its validity. */
  readonly notBefore: Date;
  /** Last moment of its validity, included. */
  readonly notAfter: Date;
  /** The holder's key. */
  readonly publicKey: PublicKey;
  /** Of the issuer's signature; undefined when the algorithm is not supported. */
  readonly scheme: SignatureScheme | undefined;
  /** The issuer's signature over `tbs`. */
  readonly signature: Bytes;
  /** Whether it may issue others, and how long a path. */
  readonly basicConstraints?: { readonly ca: boolean; readonly pathLength?: number };
  /** First octet of the key usage bits: digitalSignature is 0x80, keyCertSign 0x04. */
  readonly keyUsage?: number;
  /** Object identifiers of what it may be used for. */
  readonly extendedKeyUsage?: { readonly purposes: readonly string[]; readonly critical: boolean };
  /** Id of the holder's key. */
  readonly subjectKeyIdentifier?: Bytes;
  /** Id of the issuer's key. */
  readonly authorityKeyIdentifier?: Bytes;
  /** Contents of the SubjectAltName extension, DER. */
  readonly subjectAltName?: Bytes;
  /** TLS-encoded list of the embedded SCTs. */
  readonly sctList?: Bytes;
  /** Fulcio extensions by their last arc. */
  readonly claims: ReadonlyMap<number, Bytes>;
  /** Extensions that bind and are not understood here: critical ones, and constraints. */
  readonly unknownCritical: readonly string[];
}

/**
 * Reads one certificate.
 *
 * Source: RFC 5280, 4.1 and 4.2.
 *
 * @throws {AttestationError} `malformed-certificate`, or why its key is refused:
 * `malformed-key`, `weak-key`, `unsupported-algorithm`, or `limit-exceeded` (64 KiB).
 */
export function parseCertificate(der: Uint8Array, path?: string): Certificate {
  if (der.length > MAX_BYTES) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read certificate: ${der.length} bytes, at most ${MAX_BYTES} are accepted`,
      { path },
    );
  }
  return refusing(() => read(der), path);
}

/** What the readers of parts refuse is refused as a malformed certificate. */
function refusing<T>(work: () => T, path?: string): T {
  try {
    return work();
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    const reason = cause.reason === "malformed-der" ? "malformed-certificate" : cause.reason;
    throw new AttestationError(reason, `Cannot read certificate: ${cause.message}`, {
      cause,
      path,
    });
  }
}

function read(der: Uint8Array): Certificate {
  const outer = readSequence(parseDer(asBytes(der)));
  const tbs = outer.next(Tag.sequence);
  const algorithm = outer.next(Tag.sequence);
  const signature = readBitString(outer.next());
  outer.end();

  const fields = readSequence(tbs);
  const version = fields.next(0xa0);
  const [number, ...rest] = children(version);
  if (number === undefined || rest.length > 0 || readSmall(number) !== 2) {
    throw malformed("not version 3");
  }
  const serialNumber = readUnsigned(fields.next());
  if (serialNumber.length > 20) throw malformed("a serial number above 20 octets");
  const inner = fields.next(Tag.sequence);
  const issuer = fields.next(Tag.sequence).raw;
  const validity = readSequence(fields.next());
  const notBefore = readValidity(validity.next());
  const notAfter = readValidity(validity.next());
  validity.end();
  const subject = fields.next(Tag.sequence).raw;
  const publicKey = parseSpki(fields.next(Tag.sequence).raw);
  const extensions = fields.optional(0xa3);
  fields.end();
  // RFC 5280, 4.1.1.2: both fields name the same algorithm.
  if (!equalBytes(inner.raw, algorithm.raw)) throw malformed("two signature algorithms");
  if (issuer.length <= 2) throw malformed("an empty issuer");

  return {
    raw: asBytes(der),
    tbs: tbs.raw,
    serialNumber,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKey,
    scheme: certificateScheme(algorithm),
    signature,
    ...readExtensions(extensions),
  };
}

/** RFC 5280, 4.1.2.5: UTCTime to 2049, then GeneralizedTime, without fractions. */
function readValidity(element: Der): Date {
  const time = readTime(element);
  const isLate = time.getUTCFullYear() >= 2050;
  if (element.value.length !== (isLate ? 15 : 13)) throw malformed("a time of another form");
  return time;
}

type Extensions = Pick<
  Certificate,
  | "basicConstraints"
  | "keyUsage"
  | "extendedKeyUsage"
  | "subjectKeyIdentifier"
  | "authorityKeyIdentifier"
  | "subjectAltName"
  | "sctList"
  | "claims"
  | "unknownCritical"
>;

function readExtensions(wrapper: Der | undefined): Extensions {
  const claims = new Map<number, Bytes>();
  const unknownCritical: string[] = [];
  const found: { -readonly [K in keyof Extensions]: Extensions[K] } = { claims, unknownCritical };
  if (wrapper === undefined) return found;
  const [list, ...more] = children(wrapper);
  if (list?.tag !== Tag.sequence || more.length > 0) {
    throw malformed("extensions that are not one list");
  }
  const extensions = children(list, 128);
  if (extensions.length === 0) throw malformed("an empty list of extensions");
  const seen = new Set<string>();
  for (const extension of extensions) {
    const fields = readSequence(extension);
    const oid = readOid(fields.next());
    const flag = fields.optional(Tag.boolean);
    const critical = flag !== undefined && readBoolean(flag);
    if (flag !== undefined && !critical) throw malformed("an encoded default");
    const value = readOctetString(fields.next());
    fields.end();
    if (seen.has(oid)) throw malformed(`the extension ${oid} twice`);
    seen.add(oid);
    // RFC 5280, 4.2.1.10 and 4.2.1.11: constraints bind whether they are marked critical or not.
    const binds = critical || oid === Oid.nameConstraints || oid === Oid.policyConstraints;
    if (binds && !UNDERSTOOD.has(oid)) unknownCritical.push(oid);

    if (oid === Oid.basicConstraints) found.basicConstraints = readBasicConstraints(value);
    else if (oid === Oid.keyUsage) found.keyUsage = readNamedBits(parseDer(value))[0] ?? 0;
    else if (oid === Oid.extendedKeyUsage) {
      const purposes = children(parseDer(value, Tag.sequence), 32).map(readOid);
      found.extendedKeyUsage = { purposes, critical };
    } else if (oid === Oid.subjectKeyIdentifier) {
      found.subjectKeyIdentifier = readOctetString(parseDer(value));
    } else if (oid === Oid.authorityKeyIdentifier) {
      const id = children(parseDer(value, Tag.sequence)).find(({ tag }) => tag === 0x80);
      if (id !== undefined) found.authorityKeyIdentifier = id.value;
    } else if (oid === Oid.subjectAltName) found.subjectAltName = parseDer(value, Tag.sequence).raw;
    else if (oid === Oid.sctList) found.sctList = readOctetString(parseDer(value));
    else if (oid.startsWith(`${Oid.fulcio}.`)) {
      const arc = oid.slice(Oid.fulcio.length + 1);
      if (/^[1-9]\d?$/.test(arc)) claims.set(Number(arc), value);
    }
  }
  return found;
}

function readBasicConstraints(value: Bytes): { ca: boolean; pathLength?: number } {
  const fields = readSequence(parseDer(value));
  const flag = fields.optional(Tag.boolean);
  const ca = flag !== undefined && readBoolean(flag);
  if (flag !== undefined && !ca) throw malformed("an encoded default");
  const limit = fields.optional(Tag.integer);
  fields.end();
  if (limit === undefined) return { ca };
  if (!ca) throw malformed("a path length without CA");
  return { ca, pathLength: readSmall(limit) };
}

const OTHER_NAME = "1.3.6.1.4.1.57264.1.7";

/**
 * What a Fulcio certificate says of its holder. Believe it only of a verified one.
 *
 * Source: sigstore/architecture-docs, fulcio-spec.md, "Certificate"; sigstore/fulcio,
 * docs/oid-info.md.
 *
 * @throws {AttestationError} `malformed-certificate` or `issuer-conflict`.
 */
export function readIdentity(certificate: Certificate): CertificateIdentity {
  return refusing(() => identityOf(certificate));
}

function identityOf(certificate: Certificate): CertificateIdentity {
  const { type, name } = readSan(certificate);
  const { claims } = certificate;
  const old = claims.get(1), current = claims.get(8);
  const raw = old === undefined ? undefined : text(old);
  const issuer = current === undefined ? raw : derText(current);
  if (issuer === undefined) throw malformed("no OIDC issuer");
  if (raw !== undefined && raw !== issuer) {
    throw new AttestationError(
      "issuer-conflict",
      "Cannot read certificate: its two OIDC issuers differ",
    );
  }
  const identity: CertificateIdentity = { subjectAlternativeName: name, sanType: type, issuer };
  for (const [arc, claim] of CLAIM_EXTENSIONS) {
    const value = claims.get(arc);
    if (value === undefined || claim === "sanType") continue;
    identity[claim] = arc <= 6 ? text(value) : derText(value);
  }
  return identity;
}

function readSan({ subjectAltName }: Certificate): { type: SanType; name: string } {
  if (subjectAltName === undefined) throw malformed("no SubjectAltName");
  const [san, ...more] = children(parseDer(subjectAltName));
  if (san === undefined || more.length > 0) throw malformed("not exactly one SubjectAltName");
  if (san.tag === 0x81) return { type: "email", name: ascii(san.value) };
  if (san.tag === 0x86) return { type: "uri", name: ascii(san.value) };
  if (san.tag !== 0xa0) throw malformed("a SubjectAltName of another kind");
  const [type, value, ...others] = children(san);
  if (type === undefined || value === undefined || others.length > 0 || value.tag !== 0xa0) {
    throw malformed("an otherName that is not a pair");
  }
  if (readOid(type) !== OTHER_NAME) throw malformed("an otherName of another type");
  return { type: "otherName", name: derText(value.value) };
}

function derText(value: Bytes): string {
  const element = parseDer(value);
  expectTag(element, Tag.utf8String);
  return text(element.value);
}

function text(value: Bytes): string {
  try {
    return decodeUtf8(value);
  } catch {
    throw malformed("text that is not UTF-8");
  }
}

function ascii(value: Bytes): string {
  const name = text(value);
  if (name === "" || utf8(name).some((octet) => octet <= 0x20 || octet >= 0x7f)) {
    throw malformed("a SubjectAltName that is empty or not printable ASCII");
  }
  return name;
}

function malformed(what: string): AttestationError {
  return new AttestationError("malformed-certificate", `Cannot read certificate: ${what}`);
}
