import type { Bytes } from "../../internal/bytes.ts";
import { distinguishedName, sequence } from "./der_writer.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  certificate,
  type CertificateFields,
  extendedKeyUsage,
  type Extension,
  fulcioExtension,
  keyIdentifier,
  keyUsage,
  type SubjectAlternativeName,
  subjectAlternativeName,
  subjectKeyIdentifier,
} from "./certificate.ts";
import { type SctOptions, withScts } from "./ct_log.ts";
import type { TestKey } from "./keys.ts";

/** Purpose of a code signing certificate. */
export const CODE_SIGNING = "1.3.6.1.5.5.7.3.3";

/** Purpose of a time stamping certificate. */
export const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";

/** A root and one intermediate. */
export interface Authority {
  organization: string;
  rootKey: TestKey;
  /** Self-signed, DER. */
  root: Bytes;
  intermediateKey: TestKey;
  /** Signed by the root, DER. */
  intermediate: Bytes;
  /** Subject of the intermediate, DER. */
  intermediateName: Bytes;
}

/** How an authority is made; dates are those of both certificates unless stated. */
export interface AuthorityOptions {
  organization: string;
  rootKey: TestKey;
  intermediateKey: TestKey;
  notBefore: Date;
  notAfter: Date;
  intermediateNotAfter?: Date;
  /** Purpose that the intermediate is bound to. Default code signing. */
  purpose?: string;
  /** Make the intermediate no authority at all. */
  intermediateIsNoCa?: boolean;
  /** Let the intermediate's key sign messages only. */
  intermediateSignsMessages?: boolean;
}

/** Makes a root (self-signed) and an intermediate, as Fulcio has them. */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  const { organization, rootKey, intermediateKey, notBefore, notAfter } = options;
  const rootName = distinguishedName(organization, "throw-away root");
  const intermediateName = distinguishedName(organization, "throw-away intermediate");
  const rootIdentifier = await keyIdentifier(rootKey.spki);
  const root = await certificate({
    serial: 1,
    issuer: rootName,
    subject: rootName,
    notBefore,
    notAfter,
    spki: rootKey.spki,
    extensions: [
      keyUsage("certificates"),
      basicConstraints(true, 1),
      subjectKeyIdentifier(rootIdentifier),
    ],
  }, rootKey);
  const intermediate = await certificate({
    serial: 2,
    issuer: rootName,
    subject: intermediateName,
    notBefore,
    notAfter: options.intermediateNotAfter ?? notAfter,
    spki: intermediateKey.spki,
    extensions: [
      keyUsage(options.intermediateSignsMessages ? "sign" : "certificates"),
      extendedKeyUsage([options.purpose ?? CODE_SIGNING]),
      options.intermediateIsNoCa ? basicConstraints(false) : basicConstraints(true, 0),
      subjectKeyIdentifier(await keyIdentifier(intermediateKey.spki)),
      authorityKeyIdentifier(rootIdentifier),
    ],
  }, rootKey);
  return { organization, rootKey, root, intermediateKey, intermediate, intermediateName };
}

/** A certificate for one signer, as Fulcio issues it. */
export interface LeafOptions {
  key: TestKey;
  /** Its name; real ones have exactly one. */
  san: SubjectAlternativeName | SubjectAlternativeName[];
  /** OIDC issuer; extension 1 and 8 unless `claims` says otherwise. */
  issuer: string;
  notBefore: Date;
  notAfter: Date;
  /** Text of Fulcio's extensions by number; an empty text leaves one out. */
  claims?: Readonly<Record<number, string>>;
  scts: SctOptions[];
  /** Purposes. Default code signing. */
  purposes?: string[];
  /** What its key signs. Default messages. */
  keyUse?: "sign" | "certificates";
  /** Further extensions, before the SCT list. */
  extra?: Extension[];
  /** Default 100. */
  serial?: number;
  /** Extensions that are left out, by object identifier. */
  omit?: string[];
  /** Key that signs in place of the authority's. */
  signer?: TestKey;
}

/** Issues a leaf certificate, DER. */
export async function issueLeaf(authority: Authority, options: LeafOptions): Promise<Bytes> {
  const claims = { 1: options.issuer, 8: options.issuer, ...options.claims };
  const fields: CertificateFields = {
    serial: options.serial ?? 100,
    issuer: authority.intermediateName,
    subject: sequence(),
    notBefore: options.notBefore,
    notAfter: options.notAfter,
    spki: options.key.spki,
    extensions: [
      keyUsage(options.keyUse ?? "sign"),
      extendedKeyUsage(options.purposes ?? [CODE_SIGNING]),
      subjectKeyIdentifier(await keyIdentifier(options.key.spki)),
      authorityKeyIdentifier(await keyIdentifier(authority.intermediateKey.spki)),
      subjectAlternativeName(...[options.san].flat()),
      ...Object.entries(claims)
        .filter(([, text]) => text !== "")
        .map(([number, text]) => fulcioExtension(Number(number), text)),
      ...options.extra ?? [],
    ].filter(({ oid }) => !options.omit?.includes(oid)),
  };
  return certificate(
    await withScts(fields, authority.intermediateKey, options.scts),
    options.signer ?? authority.intermediateKey,
  );
}

/** Issues the certificate of a time stamping authority, DER. */
export async function issueTimestampCertificate(
  authority: Authority,
  options: {
    key: TestKey;
    name: string;
    notBefore: Date;
    notAfter: Date;
    purposes?: string[];
    /** Default 200. */
    serial?: number;
    /** Default true, as RFC 3161 asks. */
    criticalPurposes?: boolean;
  },
): Promise<Bytes> {
  return certificate({
    serial: options.serial ?? 200,
    issuer: authority.intermediateName,
    subject: distinguishedName(authority.organization, options.name),
    notBefore: options.notBefore,
    notAfter: options.notAfter,
    spki: options.key.spki,
    extensions: [
      keyUsage("sign"),
      extendedKeyUsage(options.purposes ?? [TIME_STAMPING], options.criticalPurposes ?? true),
      subjectKeyIdentifier(await keyIdentifier(options.key.spki)),
      authorityKeyIdentifier(await keyIdentifier(authority.intermediateKey.spki)),
    ],
  }, authority.intermediateKey);
}
