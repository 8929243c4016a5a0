import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { children, parseDer } from "../../internal/der.ts";
import {
  bitString,
  boolean,
  element,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  tagged,
  taggedString,
  time,
  utf8String,
} from "./der_writer.ts";
import { digest, type TestHash, type TestKey } from "./keys.ts";

/** Arc of Fulcio's extensions. */
export const FULCIO_ARC = "1.3.6.1.4.1.57264.1";

/** Object identifier of the SCT list. */
export const SCT_LIST = "1.3.6.1.4.1.11129.2.4.2";

/** One extension of a certificate. */
export interface Extension {
  oid: string;
  critical?: boolean;
  /** DER, or what stands for it, inside the OCTET STRING. */
  value: Uint8Array;
}

/** What a certificate says; the signer adds only its signature. */
export interface CertificateFields {
  serial: number;
  issuer: Uint8Array;
  subject: Uint8Array;
  notBefore: Date;
  notAfter: Date;
  /** SubjectPublicKeyInfo, DER. */
  spki: Uint8Array;
  extensions: Extension[];
}

/** AlgorithmIdentifier of the signatures of a key. */
export function signatureAlgorithm(key: TestKey, hash: TestHash = key.hash): Bytes {
  if (key.algorithm === "Ed25519") return sequence(oid("1.3.101.112"));
  if (key.algorithm === "RSA-2048") return sequence(oid("1.2.840.113549.1.1.11"), nullValue());
  const last = { "SHA-256": 2, "SHA-384": 3, "SHA-512": 4 }[hash];
  return sequence(oid(`1.2.840.10045.4.3.${last}`));
}

/** TBSCertificate, DER. */
export function tbsCertificate(fields: CertificateFields, signer: TestKey): Bytes {
  return sequence(
    tagged(0, integer(2)),
    serialNumber(fields.serial),
    signatureAlgorithm(signer),
    fields.issuer,
    sequence(time(fields.notBefore), time(fields.notAfter)),
    fields.subject,
    fields.spki,
    tagged(3, sequence(...fields.extensions.map(encodeExtension))),
  );
}

/** Certificate, DER. */
export async function certificate(fields: CertificateFields, signer: TestKey): Promise<Bytes> {
  const tbs = tbsCertificate(fields, signer);
  return sequence(tbs, signatureAlgorithm(signer), bitString(await signer.sign(tbs)));
}

/** Serial number of 16 octets that is the same in each run. */
export function serialNumber(number: number): Bytes {
  const octets = digest("SHA-256", utf8(`serial ${number}`)).slice(0, 16);
  octets[0] = (octets[0] & 0x3f) | 0x40;
  return integer(octets);
}

function encodeExtension({ oid: type, critical, value }: Extension): Bytes {
  return critical
    ? sequence(oid(type), boolean(true), octetString(value))
    : sequence(oid(type), octetString(value));
}

/** Key usage bits of a certificate. */
export function keyUsage(use: "sign" | "certificates"): Extension {
  const value = use === "sign"
    ? bitString(Uint8Array.of(0x80), 7)
    : bitString(Uint8Array.of(0x06), 1);
  return { oid: "2.5.29.15", critical: true, value };
}

/** Extended key usage with any number of purposes. */
export function extendedKeyUsage(purposes: string[], critical = false): Extension {
  return { oid: "2.5.29.37", critical, value: sequence(...purposes.map(oid)) };
}

/** Basic constraints; without `pathLength` any number of intermediates may follow. */
export function basicConstraints(isCa: boolean, pathLength?: number): Extension {
  const members = isCa ? [boolean(true)] : [];
  if (pathLength !== undefined) members.push(integer(pathLength));
  return { oid: "2.5.29.19", critical: true, value: sequence(...members) };
}

/** SHA-1 of the public key, as everybody fills the key identifier. */
export async function keyIdentifier(spki: Uint8Array): Promise<Bytes> {
  const bits = children(parseDer(spki))[1].value.subarray(1);
  return new Uint8Array(await crypto.subtle.digest("SHA-1", Uint8Array.from(bits)));
}

export function subjectKeyIdentifier(identifier: Uint8Array): Extension {
  return { oid: "2.5.29.14", value: octetString(identifier) };
}

export function authorityKeyIdentifier(identifier: Uint8Array): Extension {
  return { oid: "2.5.29.35", value: sequence(taggedString(0, identifier)) };
}

/** Name of the holder of a Fulcio certificate. */
export interface SubjectAlternativeName {
  /** Real ones are no `dns`. */
  type: "uri" | "email" | "otherName" | "dns";
  value: string;
}

export function subjectAlternativeName(...names: SubjectAlternativeName[]): Extension {
  return {
    oid: "2.5.29.17",
    critical: true,
    value: sequence(...names.map(({ type, value }) => {
      if (type === "email") return taggedString(1, utf8(value));
      if (type === "dns") return taggedString(2, utf8(value));
      if (type === "uri") return taggedString(6, utf8(value));
      return tagged(0, oid(`${FULCIO_ARC}.7`), tagged(0, utf8String(value)));
    })),
  };
}

/** One of Fulcio's own extensions: numbers up to 6 hold bare text, later ones a UTF8String. */
export function fulcioExtension(number: number, text: string): Extension {
  return { oid: `${FULCIO_ARC}.${number}`, value: number <= 6 ? utf8(text) : utf8String(text) };
}

/** An extension that nobody knows. */
export function unknownExtension(critical: boolean): Extension {
  return { oid: "1.3.6.1.4.1.99999.1", critical, value: element(0x05) };
}
