import { AttestationError, isAttestationError } from "../errors.ts";
import { type Bytes, equalBytes } from "../internal/bytes.ts";
import {
  children,
  type Der,
  onlyChild,
  parseDer,
  readInteger,
  readOctetString,
  readOid,
  readSequence,
  readSmall,
  readTime,
  readUnsigned,
  Tag,
} from "../internal/der.ts";
import { digest, type HashName } from "../internal/digest.ts";
import { verifySignature } from "../keys/public_key.ts";
import { cmsScheme, hashOf } from "./_scheme.ts";
import { type Certificate, parseCertificate, Purpose } from "./certificate.ts";
import { findPaths, refusalAt } from "./chain.ts";
import {
  CONTENT_TYPE,
  isSignerId,
  MESSAGE_DIGEST,
  readSignedData,
  type SignerInfo,
} from "./cms.ts";
import type { TrustedAuthority } from "./trusted_root.ts";

const TST_INFO = "1.2.840.113549.1.9.16.1.4";
const SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12";
const SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47";

/** An RFC 3161 timestamp token, read; nothing of it is verified. */
export interface TimestampToken {
  /** The moment that it states, cut to milliseconds. */
  readonly time: Date;
  /** What was stamped. */
  readonly imprint: { readonly hash: HashName; readonly digest: Bytes };
  /** The number that the request asked to be repeated, as an INTEGER's octets. */
  readonly nonce?: Bytes;
  /** The TSTInfo as it was digested. */
  readonly content: Bytes;
  readonly signer: TokenSigner;
  /** Certificates that came with it. */
  readonly certificates: readonly Bytes[];
}

/** A signer that signs attributes, by a hash function that is accepted. */
type TokenSigner =
  & SignerInfo
  & { [K in "hash" | "signed" | "attributes"]: NonNullable<SignerInfo[K]> };

/**
 * Reads a TimeStampResp.
 *
 * Source: RFC 3161, 2.4.2; RFC 5652, 5; RFC 5816.
 *
 * @throws {AttestationError} `malformed-timestamp` or `timestamp-rejected`.
 */
export function parseTimestampResponse(der: Bytes): TimestampToken {
  try {
    const response = readSequence(parseDer(der));
    const status = readSmall(readSequence(response.next()).next());
    if (status > 1) {
      throw new AttestationError(
        "timestamp-rejected",
        `Cannot verify timestamp: the authority refused it with status ${status}`,
      );
    }
    const token = readToken(response.next(Tag.sequence));
    response.end();
    return token;
  } catch (cause) {
    if (!isAttestationError(cause) || cause.reason !== "malformed-der") throw cause;
    throw malformed(cause.message, cause);
  }
}

function readToken(contentInfo: Der): TimestampToken {
  const { contentType, content: element, certificates, signers } = readSignedData(contentInfo);
  if (contentType !== TST_INFO || !element) throw malformed("no TSTInfo inside");
  const content = readOctetString(element);
  const [signer] = signers;
  if (signers.length !== 1 || !signer.hash || !signer.attributes) {
    throw malformed("not exactly one signer");
  }
  return { ...readTstInfo(content), content, signer: signer as TokenSigner, certificates };
}

function readTstInfo(content: Bytes): Pick<TimestampToken, "time" | "imprint" | "nonce"> {
  const info = readSequence(parseDer(content));
  if (readSmall(info.next()) !== 1) throw malformed("not version 1");
  readOid(info.next());
  const imprint = readSequence(info.next());
  const hash = hashOf(imprint.next());
  const value = readOctetString(imprint.next());
  imprint.end();
  if (hash === undefined) throw malformed("an imprint whose hash function is not accepted");
  readInteger(info.next()); // Some authorities draw serial numbers that come out negative.
  const time = readTime(info.next(Tag.generalizedTime));
  info.optional(Tag.sequence); // accuracy
  info.optional(Tag.boolean); // ordering
  const nonce = info.optional(Tag.integer);
  info.optional(0xa0); // tsa
  if (info.tag !== -1) throw malformed("an extension of the timestamp");
  const stated = { time, imprint: { hash, digest: value } };
  return nonce === undefined ? stated : { ...stated, nonce: nonce.value };
}

/** A timestamp that verified. */
export interface TimestampFinding {
  readonly time: Date;
  readonly authority: TrustedAuthority;
}

/**
 * Verifies an RFC 3161 timestamp over a signature. The authority's certificates are judged
 * at the time that the token states; that they have expired since does not matter.
 *
 * Source: RFC 3161, 2.3 and 2.4.2; RFC 5816; sigstore/architecture-docs, client-spec.md.
 *
 * @param der TimeStampResp.
 * @param stamped The bytes that were stamped: the raw signature.
 * @throws {AttestationError} `malformed-timestamp`, `timestamp-rejected`,
 * `timestamp-imprint-mismatch`, `invalid-timestamp-signature`,
 * `untrusted-timestamp-authority` or `timestamp-authority-not-valid`.
 */
export async function verifyTimestamp(
  der: Bytes,
  stamped: Bytes,
  authorities: readonly TrustedAuthority[],
): Promise<TimestampFinding> {
  const token = parseTimestampResponse(der);
  const { imprint, signer, content } = token;
  const refusals: AttestationError[] = [];
  const candidates = authorities.flatMap((authority) =>
    signingCertificates(token, authority).map((signedBy) => ({ authority, signedBy }))
  );
  if (candidates.length === 0) {
    throw refusal("untrusted-timestamp-authority", "no trusted authority has its certificate");
  }
  if (!equalBytes(await digest(imprint.hash, stamped), imprint.digest)) {
    throw refusal("timestamp-imprint-mismatch", "it is of another signature");
  }
  // Authorities may share an issuer: the one that the root pins is whose stamp it is.
  candidates.sort((a, b) => Number(b.signedBy.isPinned) - Number(a.signedBy.isPinned));
  for (const { authority, signedBy } of candidates) {
    try {
      await verifyToken(signer, content, signedBy);
      await verifyAuthority(signedBy.certificate, authority, token);
      return { time: token.time, authority };
    } catch (error) {
      if (!isAttestationError(error)) throw error;
      refusals.push(error.reason === "malformed-der" ? malformed(error.message, error) : error);
    }
  }
  throw refusals[0];
}

interface SigningCertificate {
  certificate: Certificate;
  /** It is in the trusted root itself. */
  isPinned: boolean;
}

/**
 * The certificates that the signer id names: the authority's, or, if the trusted root has
 * only its issuers, those that came along. Where the root pins the authority's certificate,
 * another one of the same issuer is not the authority.
 */
function signingCertificates(
  { signer: { id }, certificates }: TimestampToken,
  { chain }: TrustedAuthority,
): SigningCertificate[] {
  const isNamed = (certificate: Certificate) => isSignerId(id, certificate);
  const own = chain.filter(isNamed);
  if (own.length > 0) return own.map((certificate) => ({ certificate, isPinned: true }));
  if (chain[0].basicConstraints?.ca !== true) return [];
  return certificates.flatMap((raw) => {
    let certificate: Certificate;
    try {
      certificate = parseCertificate(raw);
    } catch {
      return []; // Not one that could be trusted; others may be.
    }
    const issued = chain.some(({ subject }) => equalBytes(subject, certificate.issuer));
    return isNamed(certificate) && issued ? [{ certificate, isPinned: false }] : [];
  });
}

async function verifyToken(
  signer: TokenSigner,
  content: Bytes,
  { certificate, isPinned }: SigningCertificate,
): Promise<void> {
  const { hash, signed, attributes, signature } = signer;
  const contentType = attributes.get(CONTENT_TYPE);
  if (contentType === undefined || readOid(onlyChild(contentType)) !== TST_INFO) {
    throw malformed("no TSTInfo inside");
  }
  const messageDigest = attributes.get(MESSAGE_DIGEST);
  if (
    messageDigest === undefined ||
    !equalBytes(readOctetString(onlyChild(messageDigest)), await digest(hash, content))
  ) throw refusal("invalid-timestamp-signature", "the signed digest is not that of its content");
  if (!await namesCertificate(attributes, certificate, isPinned)) {
    throw refusal("invalid-timestamp-signature", "it names another signing certificate");
  }
  const scheme = cmsScheme(signer.signatureAlgorithm, hash);
  if (
    scheme === undefined || !await verifySignature(certificate.publicKey, scheme, signature, signed)
  ) throw refusal("invalid-timestamp-signature", "the signature does not verify");
}

/**
 * ESSCertID and ESSCertIDv2 (RFC 2634, 5.4; RFC 5035, 3) keep the certificate from being
 * exchanged for another one of the same key. One that came with the token must have the
 * signed hash. One that the trusted root pins cannot be exchanged: there the signed issuer
 * and serial number are enough, as authorities have re-issued certificates for a key.
 */
export async function namesCertificate(
  attributes: ReadonlyMap<string, Der>,
  { raw, issuer, serialNumber }: Certificate,
  isPinned: boolean,
): Promise<boolean> {
  const v2 = attributes.get(SIGNING_CERTIFICATE_V2);
  const attribute = v2 ?? attributes.get(SIGNING_CERTIFICATE);
  if (attribute === undefined) return false;
  const [first] = children(readSequence(onlyChild(attribute)).next(Tag.sequence), 16);
  if (first === undefined) return false;
  const fields = readSequence(first);
  let computed: Bytes;
  if (v2 === undefined) computed = new Uint8Array(await crypto.subtle.digest("SHA-1", raw));
  else {
    const algorithm = fields.tag === Tag.sequence ? fields.next() : undefined;
    const hash = algorithm === undefined ? "SHA-256" : hashOf(algorithm);
    if (hash === undefined) return false;
    computed = await digest(hash, raw);
  }
  if (equalBytes(readOctetString(fields.next()), computed)) return true;
  if (!isPinned || fields.tag !== Tag.sequence) return false;
  const issuerSerial = readSequence(fields.next());
  const names = children(issuerSerial.next(Tag.sequence), 4);
  return names.length === 1 && names[0].tag === 0xa4 && equalBytes(names[0].value, issuer) &&
    equalBytes(readUnsigned(issuerSerial.next()), serialNumber);
}

async function verifyAuthority(
  certificate: Certificate,
  authority: TrustedAuthority,
  { time }: TimestampToken,
): Promise<void> {
  const usage = certificate.extendedKeyUsage;
  if (usage?.critical !== true || usage.purposes.join() !== Purpose.timeStamping) {
    throw refusal("untrusted-timestamp-authority", "its certificate is not for timestamps alone");
  }
  const { keyUsage, basicConstraints } = certificate;
  if (basicConstraints?.ca === true || (keyUsage !== undefined && (keyUsage & 0xc0) === 0)) {
    throw refusal("untrusted-timestamp-authority", "its certificate is not for signatures");
  }
  const isAnchor = certificate === authority.chain[authority.chain.length - 1];
  const paths = isAnchor
    ? [{ authority, certificates: [certificate] }]
    : await findPaths(certificate, [], [authority]).catch((cause) => {
      throw new AttestationError(
        "untrusted-timestamp-authority",
        "Cannot verify timestamp: its certificate does not lead to a trusted one",
        { cause },
      );
    });
  const late = paths.map((path) => refusalAt(path, time, "timestamp-authority-not-valid"));
  if (late.every((one) => one !== undefined)) throw late[0];
}

function malformed(what: string, cause?: unknown): AttestationError {
  return new AttestationError("malformed-timestamp", `Cannot read timestamp: ${what}`, { cause });
}

type TimestampReason =
  | "timestamp-imprint-mismatch"
  | "invalid-timestamp-signature"
  | "untrusted-timestamp-authority";

function refusal(reason: TimestampReason, what: string): AttestationError {
  return new AttestationError(reason, `Cannot verify timestamp: ${what}`);
}
