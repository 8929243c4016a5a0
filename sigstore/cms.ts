import { type Bytes, concat, equalBytes } from "../internal/bytes.ts";
import {
  children,
  type Der,
  malformedDer,
  onlyChild,
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

/** Object identifiers: RFC 5652, 4, 5.1, 11.1 and 11.2. */
export const DATA = "1.2.840.113549.1.7.1";
const SIGNED_DATA = "1.2.840.113549.1.7.2";
export const CONTENT_TYPE = "1.2.840.113549.1.9.3";
export const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";

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
  /** Signed attributes as they are signed: tagged SET; undefined where the content itself is. */
  readonly signed: Bytes | undefined;
  /** Signed attributes by their type: each is there once, as the SET of its values. */
  readonly attributes: ReadonlyMap<string, Der> | undefined;
  readonly signature: Bytes;
  /** Attributes that nobody signed. */
  readonly unsigned: Der | undefined;
}

/**
 * Reads CMS SignedData in DER, with up to 16 certificates and 64 signers.
 *
 * Source: RFC 5652, 3 and 5.
 *
 * @throws {AttestationError} `malformed-der` or `limit-exceeded`.
 */
export function readSignedData(contentInfo: Der): SignedData {
  const outer = readSequence(contentInfo);
  if (readOid(outer.next()) !== SIGNED_DATA) throw malformedDer("not CMS signed data");
  const signedData = readSequence(onlyChild(outer.next(0xa0)));
  outer.end();
  readSmall(signedData.next());
  signedData.next(Tag.set);
  const encapsulated = readSequence(signedData.next());
  const contentType = readOid(encapsulated.next());
  const content = encapsulated.optional(0xa0);
  encapsulated.end();
  const certificates = signedData.optional(0xa0);
  signedData.optional(0xa1);
  const signers = children(signedData.next(Tag.set), 64);
  signedData.end();
  return {
    contentType,
    content: content && onlyChild(content),
    certificates: certificates ? children(certificates, 16).map(({ raw }) => raw) : [],
    signers: signers.map(readSignerInfo),
  };
}

function readSignerInfo(signer: Der): SignerInfo {
  const fields = readSequence(signer);
  readSmall(fields.next());
  const id = readSignerId(fields.next());
  const hash = hashOf(fields.next());
  const own = fields.optional(0xa0);
  const signatureAlgorithm = fields.next(Tag.sequence);
  const signature = readOctetString(fields.next());
  const unsigned = fields.optional(0xa1);
  fields.end();
  return {
    id,
    hash,
    signatureAlgorithm,
    // RFC 5652, 5.4: signed as a SET, though it is sent with an implicit tag.
    signed: own && concat(Uint8Array.of(Tag.set), own.raw.subarray(1)),
    attributes: own && readAttributes(own),
    signature,
    unsigned,
  };
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
 * Attributes by their type, each of which must be there once: the SET of its values.
 *
 * @throws {AttestationError} `malformed-der` or `limit-exceeded`.
 */
export function readAttributes(attributes: Der): Map<string, Der> {
  const found = new Map<string, Der>();
  for (const attribute of children(attributes, 32)) {
    const pair = readSequence(attribute);
    const oid = readOid(pair.next());
    if (found.has(oid)) throw malformedDer("an attribute twice");
    found.set(oid, pair.next(Tag.set));
    pair.end();
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
