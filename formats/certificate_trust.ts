import { AttestationError, isAttestationError } from "../errors.ts";
import { encodeDer, Tag } from "../internal/der.ts";
import { type Bytes, equalBytes } from "../internal/bytes.ts";
import { digest } from "../internal/digest.ts";
import { encodeHex } from "../internal/hex.ts";
import { quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { decodePem } from "../internal/pem.ts";
import { type Certificate, parseCertificate, Purpose } from "../sigstore/certificate.ts";
import { type CertificatePath, findPaths, refusalAt } from "../sigstore/chain.ts";
import { parseTimestampResponse, verifyTimestamp } from "../sigstore/timestamp.ts";
import type { TrustedAuthority } from "../sigstore/trusted_root.ts";
import {
  matchesName,
  type NameAttribute,
  parseNameExpectation,
  readName,
  unexpectedHolder,
} from "./certificate_name.ts";

/** Certificates as files have them: PEM with one or several, or the DER of one. */
export type CertificateSource = string | Uint8Array;

/** Options of {@linkcode createCertificateTrust}. Unknown names are refused. */
export interface CertificateTrustOptions {
  /**
   * Certificates of authorities: where a chain must end. At least one, or one of
   * `signingAuthorities` or `pinned`.
   */
  authorities?: readonly CertificateSource[];
  /** Certificates of Notation's signing authorities, which state times themselves. Default: none. */
  signingAuthorities?: readonly CertificateSource[];
  /** Certificates of RFC 3161 timestamp authorities. Default: none. */
  timestampAuthorities?: readonly CertificateSource[];
  /**
   * Certificates of signers that are trusted as they are, with no authority: SHA-256 of each,
   * in hex, also with colons, as `apksigner verify --print-certs` and `keytool -list` print it.
   * For Android packages, of whose certificates nobody vouches. Default: none.
   */
  pinned?: readonly string[];
  /**
   * Who may have signed: names such as `C=US, O=acme, CN=release`, of which every attribute
   * must be in the certificate's subject. Any one of several is enough.
   */
  identities?: readonly string[];
  /**
   * Accepts whomever the authorities gave a certificate.
   *
   * @deprecated An authority issues certificates to many: state whom you expect.
   */
  unsafelyAcceptAnyIdentity?: boolean;
}

/** Authorities that are believed, and whom they may vouch for. */
export interface CertificateTrust {
  /** Authorities of signing certificates. */
  readonly authorities: readonly TrustedAuthority[];
  /** Signing authorities of Notation, whose stated times are believed. */
  readonly signingAuthorities: readonly TrustedAuthority[];
  /** Authorities of timestamps. */
  readonly timestampAuthorities: readonly TrustedAuthority[];
  /** Certificates that are trusted as they are: SHA-256 of each, lowercase hex. */
  readonly pinned: ReadonlySet<string>;
  /** Expected holders; undefined for anybody. */
  readonly identities?: readonly (readonly NameAttribute[])[];
}

const EVER = { start: new Date(-8.64e15) };

/**
 * Makes a trust store for formats that carry certificates of an authority that you know, such
 * as Notation, JAR, APK and Authenticode signatures.
 *
 * @throws {AttestationError} `malformed-certificate`, `malformed-pem`, `limit-exceeded`.
 * @throws {TypeError} If no authority or no identity is given, or an option is unknown.
 *
 * @example
 * ```ts
 * import { createCertificateTrust } from "@x/attest/formats";
 * import assert from "node:assert/strict";
 *
 * assert.throws(() => createCertificateTrust({ authorities: [] }), TypeError);
 * ```
 */
export function createCertificateTrust(options: CertificateTrustOptions): CertificateTrust {
  refuseUnknown(
    options,
    [
      "authorities",
      "signingAuthorities",
      "timestampAuthorities",
      "pinned",
      "identities",
      "unsafelyAcceptAnyIdentity",
    ],
    "createCertificateTrust()",
  );
  const {
    authorities = [],
    signingAuthorities = [],
    timestampAuthorities = [],
    pinned = [],
    identities,
  } = options;
  const count = authorities.length + signingAuthorities.length;
  if (count + pinned.length === 0) throw new TypeError("No certificate of an authority is given");
  if (
    options.unsafelyAcceptAnyIdentity !== undefined &&
    typeof options.unsafelyAcceptAnyIdentity !== "boolean"
  ) throw new TypeError("unsafelyAcceptAnyIdentity is neither true nor false");
  // A pinned certificate is an identity by itself.
  if (count > 0 && (identities?.length ?? 0) === 0 && options.unsafelyAcceptAnyIdentity !== true) {
    throw new TypeError("No identity is expected: an authority issues certificates to many");
  }
  return {
    authorities: authorities.flatMap(readAuthorities),
    signingAuthorities: signingAuthorities.flatMap(readAuthorities),
    timestampAuthorities: timestampAuthorities.flatMap(readAuthorities),
    pinned: new Set(pinned.map(readFingerprint)),
    ...(identities === undefined || identities.length === 0
      ? {}
      : { identities: identities.map(parseNameExpectation) }),
  };
}

function readFingerprint(text: string): string {
  const hex = typeof text === "string" ? text.replaceAll(":", "").toLowerCase() : "";
  if (/^[0-9a-f]{64}$/.test(hex)) return hex;
  throw new TypeError(`A pinned certificate is ${quote(String(text))}, wanted SHA-256 in hex`);
}

/** Tells whether a signer's own certificate is one that the caller named, by digest or as a file. */
export async function pinnedBy(
  { pinned, authorities }: CertificateTrust,
  { raw }: Pick<Certificate, "raw">,
): Promise<boolean> {
  return pinned.has(encodeHex(await digest("SHA-256", raw))) ||
    authorities.some(({ chain }) => chain.some((one) => equalBytes(one.raw, raw)));
}

/** Each certificate is an anchor by itself. */
function readAuthorities(source: CertificateSource): TrustedAuthority[] {
  return readCertificates(source).map((certificate) => ({
    uri: "",
    operator: "",
    chain: [certificate],
    validFor: EVER,
  }));
}

/**
 * Certificates of a file: PEM or DER.
 *
 * @throws {AttestationError} `malformed-certificate`, `malformed-pem`, `limit-exceeded`.
 */
export function readCertificates(source: CertificateSource): Certificate[] {
  if (typeof source !== "string" && source[0] === 0x30) return [parseCertificate(source)];
  const text = typeof source === "string" ? source : new TextDecoder().decode(source);
  return decodePem(text, 512).map(({ label, der }) => {
    if (label !== "CERTIFICATE") {
      throw new AttestationError("malformed-pem", `Cannot read certificates: found ${label}`);
    }
    return parseCertificate(der);
  });
}

/** When a signature was made, as far as it is known. */
export interface SigningMoments {
  /** Verified times: the chain must be valid at each. */
  readonly verified: readonly Date[];
  /** Stands for them when there is none. */
  readonly now: Date;
}

/** Whom a chain must lead to, whose it must be, and what for. */
export interface ChainExpectation extends Pick<CertificateTrust, "authorities" | "identities"> {
  /** Purposes of which its authorities must be for one. Default code signing. */
  readonly purposes?: ReadonlySet<string>;
}

const CODE_SIGNING: ReadonlySet<string> = new Set([Purpose.codeSigning]);

/**
 * Verifies a chain that came with a signature up to a trusted authority.
 *
 * @param chain Leaf first.
 * @throws {AttestationError} `untrusted-certificate`, `invalid-certificate-usage`,
 * `unsupported-critical-extension`, `certificate-not-valid`, `identity-mismatch`.
 */
export async function verifyChain(
  chain: readonly Certificate[],
  { authorities, identities, purposes = CODE_SIGNING }: ChainExpectation,
  { verified, now }: SigningMoments,
): Promise<void> {
  const [leaf, ...intermediates] = chain;
  const paths = await findPaths(leaf, intermediates, authorities);
  const moments = verified.length === 0 ? [now] : verified;
  const refusals = paths.map((path) =>
    purposeRefusal(path, purposes) ??
      moments.map((time) => refusalAt(path, time, "certificate-not-valid"))
        .find((one) => one !== undefined)
  );
  const [first] = refusals;
  if (!refusals.includes(undefined) && first !== undefined) throw first;
  checkHolder(leaf, identities);
}

/**
 * Why a certificate without a purpose has none that counts: those of its issuers are its own, so
 * that an authority for web servers makes no signers. One that states purposes was compared.
 */
function purposeRefusal(
  { certificates: [leaf, ...issuers] }: CertificatePath,
  purposes: ReadonlySet<string>,
): AttestationError | undefined {
  if (leaf.extendedKeyUsage !== undefined) return undefined;
  const isForeign = issuers.some(({ extendedKeyUsage }) =>
    extendedKeyUsage !== undefined &&
    !extendedKeyUsage.purposes.some((one) => one === Purpose.any || purposes.has(one))
  );
  return isForeign
    ? new AttestationError(
      "invalid-certificate-usage",
      "Cannot verify certificate: its issuer is not for certificates of such signers",
    )
    : undefined;
}

/**
 * Compares the holder of a certificate with the names that are expected.
 *
 * @throws {AttestationError} `identity-mismatch`.
 */
export function checkHolder(
  certificate: Pick<Certificate, "subject">,
  identities: CertificateTrust["identities"],
): void {
  if (identities === undefined) return;
  const name = nameOf(certificate);
  if (!identities.some((expected) => matchesName(name, expected))) throw unexpectedHolder(name);
}

/**
 * The time of a TimeStampToken over a signature, by one of the authorities.
 *
 * Source: RFC 3161, 2.4.2: the token is verified as the response that has it.
 *
 * @throws {AttestationError} As `verifyTimestamp()`.
 */
export async function timeOfToken(
  token: Bytes,
  signature: Bytes,
  authorities: readonly TrustedAuthority[],
): Promise<Date> {
  const granted = encodeDer(Tag.sequence, encodeDer(Tag.integer, Uint8Array.of(0)));
  const response = encodeDer(Tag.sequence, granted, token);
  const certificates = readableCertificates(parseTimestampResponse(response).certificates);
  const known = await withIntermediates(certificates, authorities);
  return (await verifyTimestamp(response, signature, known)).time;
}

/** Those of the certificates that came with a signature which could be trusted: others are left out. */
export function readableCertificates(certificates: readonly Bytes[]): Certificate[] {
  return certificates.flatMap((der) => {
    try {
      return [parseCertificate(der)];
    } catch (error) {
      if (!isAttestationError(error)) throw error;
      return [];
    }
  });
}

/**
 * Authorities with the intermediate certificates that came with a timestamp, each verified up
 * to its root.
 */
async function withIntermediates(
  certificates: readonly Certificate[],
  authorities: readonly TrustedAuthority[],
): Promise<TrustedAuthority[]> {
  const issuers = certificates.filter(({ basicConstraints }) => basicConstraints?.ca === true)
    .slice(0, 8);
  const found = [...authorities];
  for (const issuer of issuers) {
    try {
      const others = issuers.filter((one) => one !== issuer);
      for (const path of await findPaths(issuer, others, authorities)) {
        found.push({ ...path.authority, chain: path.certificates });
      }
    } catch (error) {
      if (!isAttestationError(error)) throw error;
      // Not one that leads to a trusted root; others may.
    }
  }
  return found;
}

/** Attributes of a certificate's holder. */
export function nameOf({ subject }: Pick<Certificate, "subject">): NameAttribute[] {
  try {
    return readName(subject);
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw new AttestationError(
      "malformed-certificate",
      "Cannot read certificate: its subject is no distinguished name",
      { cause },
    );
  }
}
