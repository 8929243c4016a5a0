import { AttestationError } from "../errors.ts";
import { type Bytes, equalBytes } from "../internal/bytes.ts";
import {
  children,
  type Der,
  readOctetString,
  readOid,
  readSequence,
  readSmall,
  readUnsigned,
  Tag,
} from "../internal/der.ts";
import type { HashName } from "../internal/digest.ts";
import { cmsScheme, hashOf, type Scheme } from "./_scheme.ts";
import type { Certificate } from "./certificate.ts";

export { hashOf } from "./_scheme.ts";

/** Object identifiers of CMS that more than one format reads. */
export const CmsOid = {
  data: "1.2.840.113549.1.7.1",
  signedData: "1.2.840.113549.1.7.2",
  contentType: "1.2.840.113549.1.9.3",
  messageDigest: "1.2.840.113549.1.9.4",
} as const;

/** CMS SignedData, read; nothing of it is verified. */
export interface SignedData {
  /** Type of what is signed. */
  readonly contentType: string;
  /** What is signed, as it is encoded; undefined where it is elsewhere. */
  readonly content: Der | undefined;
  /** Certificates that came with it. */
  readonly certificates: readonly Bytes[];
  readonly signers: readonly SignerInfo[];
}

/** One signature of CMS SignedData. */
export interface SignerInfo {
  /** Issuer and serial number, or the subject key id. */
  readonly id: { readonly issuer: Bytes; readonly serialNumber: Bytes } | Bytes;
  /** Hash function of the content; undefined if it is not accepted (SHA-1). */
  readonly hash: HashName | undefined;
  readonly signatureAlgorithm: Der;
  /** Signed attributes, `[0] IMPLICIT`; undefined where the content itself is signed. */
  readonly signedAttributes: Der | undefined;
  readonly signature: Bytes;
  /** Attributes that nobody signed, `[1] IMPLICIT`. */
  readonly unsignedAttributes: Der | undefined;
}

/** Bounds on what is read. */
export interface CmsLimits {
  maxCertificates: number;
  maxSigners: number;
}

/**
 * Reads CMS SignedData in DER.
 *
 * Source: RFC 5652, 3 and 5.
 *
 * @throws {AttestationError} `malformed-der` or `limit-exceeded`.
 */
export function readSignedData(contentInfo: Der, limits: CmsLimits): SignedData {
  const outer = readSequence(contentInfo);
  if (readOid(outer.next()) !== CmsOid.signedData) throw malformed("not CMS signed data");
  const signedData = readSequence(only(outer.next(0xa0)));
  outer.end();
  readSmall(signedData.next());
  signedData.next(Tag.set);
  const encapsulated = readSequence(signedData.next());
  const contentType = readOid(encapsulated.next());
  const content = encapsulated.optional(0xa0);
  encapsulated.end();
  const certificates = signedData.optional(0xa0);
  signedData.optional(0xa1);
  const signers = children(signedData.next(Tag.set), limits.maxSigners);
  signedData.end();
  return {
    contentType,
    content: content === undefined ? undefined : only(content),
    certificates: certificates === undefined
      ? []
      : children(certificates, limits.maxCertificates).map(({ raw }) => raw),
    signers: signers.map(readSignerInfo),
  };
}

function readSignerInfo(signer: Der): SignerInfo {
  const fields = readSequence(signer);
  readSmall(fields.next());
  const id = readSignerId(fields.next());
  const hash = hashOf(fields.next());
  const signedAttributes = fields.optional(0xa0);
  const signatureAlgorithm = fields.next(Tag.sequence);
  const signature = readOctetString(fields.next());
  const unsignedAttributes = fields.optional(0xa1);
  fields.end();
  return { id, hash, signatureAlgorithm, signedAttributes, signature, unsignedAttributes };
}

function readSignerId(id: Der): SignerInfo["id"] {
  if (id.tag === 0x80) return id.value;
  const fields = readSequence(id);
  const issuer = fields.next(Tag.sequence).raw;
  const serialNumber = readUnsigned(fields.next());
  fields.end();
  return { issuer, serialNumber };
}

/**
 * Attributes by their type, each of which must be there once.
 *
 * @throws {AttestationError} `malformed-der` or `limit-exceeded`.
 */
export function readAttributes(attributes: Der): Map<string, readonly Der[]> {
  const found = new Map<string, readonly Der[]>();
  for (const attribute of children(attributes, 32)) {
    const pair = readSequence(attribute);
    const oid = readOid(pair.next());
    const values = children(pair.next(Tag.set), 8);
    pair.end();
    if (found.has(oid)) throw malformed("an attribute that is not single");
    found.set(oid, values);
  }
  return found;
}

/**
 * Signed attributes by their type, each of which must be there once and have one value.
 *
 * @throws {AttestationError} `malformed-der` or `limit-exceeded`.
 */
export function readSingleAttributes(attributes: Der): ReadonlyMap<string, Der> {
  const found = new Map<string, Der>();
  for (const [oid, values] of readAttributes(attributes)) {
    if (values.length !== 1) throw malformed("a signed attribute that is not single");
    found.set(oid, values[0]);
  }
  return found;
}

/** Tells whether a signer's id names a certificate. */
export function isSignerId(
  id: SignerInfo["id"],
  { issuer, serialNumber, subjectKeyIdentifier }: Certificate,
): boolean {
  return id instanceof Uint8Array
    ? subjectKeyIdentifier !== undefined && equalBytes(subjectKeyIdentifier, id)
    : equalBytes(issuer, id.issuer) && equalBytes(serialNumber, id.serialNumber);
}

/** Scheme of a signer, or undefined when it is not supported. */
export function signerScheme({ signatureAlgorithm, hash }: SignerInfo): Scheme | undefined {
  return hash === undefined ? undefined : cmsScheme(signatureAlgorithm, hash);
}

function only(wrapper: Der): Der {
  const [element, ...more] = children(wrapper);
  if (element === undefined || more.length > 0) throw malformed("not exactly one element");
  return element;
}

function malformed(what: string): AttestationError {
  return new AttestationError("malformed-der", `Cannot read CMS: ${what}`);
}
