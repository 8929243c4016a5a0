import { AttestationError, isAttestationError, type Reason } from "../../errors.ts";
import { type Bytes, equalBytes } from "../../internal/bytes.ts";
import {
  children,
  encodeDer,
  onlyChild,
  parseDer,
  readOctetString,
  readOid,
  readTime,
  Tag,
} from "../../internal/der.ts";
import type { HashName } from "../../internal/digest.ts";
import { lookupAlgorithm, type SignatureScheme } from "../../keys/algorithm.ts";
import { verifySignature } from "../../keys/public_key.ts";
import type { TrustedKey } from "../../keys/trusted_key.ts";
import { type Certificate, Purpose } from "../../sigstore/certificate.ts";
import {
  CONTENT_TYPE,
  isSignerId,
  MESSAGE_DIGEST,
  readAttributes,
  readSignedData,
  type SignedData,
  type SignerInfo,
} from "../../sigstore/cms.ts";
import { namesCertificate } from "../../sigstore/timestamp.ts";
import { badSigner, goodSigner, publicKeyOf } from "../_signers.ts";
import { formatAttributes } from "../certificate_name.ts";
import {
  nameOf,
  pinnedBy,
  readableCertificates,
  timeOfToken,
  verifyChain,
} from "../certificate_trust.ts";
import type { FormatContext, GoodSigner, SignerResult, StatedSignature } from "../format.ts";
import { algorithmOf, schemeOf } from "./_cms_scheme.ts";

const Oid = {
  signingTime: "1.2.840.113549.1.9.5",
  /** ESSCertID and ESSCertIDv2: which certificate the signer means. */
  signingCertificates: ["1.2.840.113549.1.9.16.2.12", "1.2.840.113549.1.9.16.2.47"],
  /** RFC 3161, appendix A, and what Authenticode has in its place. */
  timestamps: ["1.2.840.113549.1.9.16.2.14", "1.3.6.1.4.1.311.3.3.1"],
} as const;

const EVER = { start: new Date(-8.64e15) };
const MAX_TIMESTAMPS = 4;

/** What of a signature in CMS depends on the format that has it. */
export interface CmsRules {
  /** What is verified, for messages: `JAR signature`. */
  readonly what: string;
  /** Digest of what is signed; undefined where neither it nor the digest is at hand. */
  digest(hash: HashName): Promise<Bytes | undefined>;
  /** What is signed, where the format has signatures without attributes. */
  readonly bare?: Bytes;
  /** Type of what is signed, as the attributes have to state it. */
  readonly contentType: string;
  /** Why the signer's certificate is not for this, or undefined. */
  misuse(certificate: Certificate): string | undefined;
  /** Purposes of which the signer's authorities must be for one. Default code signing. */
  readonly purposes?: ReadonlySet<string>;
  /** Whether a signature ends with its certificate, whatever a timestamp says. Default: none does. */
  ends?(certificate: Certificate): boolean;
  /**
   * Throws why a signature with these certificates is refused, whoever is trusted. The signer's is
   * undefined where it did not come along.
   */
  forbid?(certificates: readonly Certificate[], leaf: Certificate | undefined): Promise<void>;
  /** Other trust than {@linkcode CertificateTrust}: throws why the chain is not trusted. */
  trust?(chain: readonly Certificate[]): Promise<void>;
}

/**
 * Reads CMS SignedData; what is no DER of it is a malformed envelope. BER is not taken.
 *
 * @throws {AttestationError} `malformed-envelope` or `limit-exceeded`.
 */
export function parseCms(der: Uint8Array, what: string, maxSigners: number): SignedData {
  try {
    const data = readSignedData(parseDer(der));
    if (data.signers.length <= maxSigners) return data;
    throw new AttestationError("limit-exceeded", `more than ${maxSigners} signers`);
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    if (cause.reason === "malformed-der") throw asEnvelopeFault(cause, what);
    throw new AttestationError(cause.reason, `Cannot read ${what}: ${cause.message}`, { cause });
  }
}

/** A fault of the DER is one of the envelope; others stay what they are. */
export function asEnvelopeFault(cause: AttestationError, what: string): AttestationError {
  return cause.reason === "malformed-der"
    ? new AttestationError("malformed-envelope", `Cannot read ${what}: ${cause.message}`, { cause })
    : cause;
}

/** What the signatures say of themselves, for display. */
export function statedSignatures(data: SignedData): StatedSignature[] {
  const certificates = readableCertificates(data.certificates);
  return data.signers.map((signer) => {
    const leaf = certificates.find((one) => isSignerId(signer.id, one));
    let keyid: string | undefined, algorithm: string | undefined;
    try {
      const scheme = leaf === undefined ? undefined : schemeOf(signer);
      if (leaf !== undefined) keyid = formatAttributes(nameOf(leaf));
      if (scheme !== undefined && leaf !== undefined) {
        algorithm = algorithmOf(leaf.publicKey, scheme);
      }
    } catch {
      // For display only.
    }
    return {
      ...(keyid === undefined ? {} : { keyid }),
      ...(algorithm === undefined ? {} : { algorithm }),
      bytes: signer.signature.length,
    };
  });
}

/** The time that the first signer states, for display. */
export function statedTime({ signers }: SignedData): Record<string, string> {
  try {
    const stated = signers[0].attributes?.get(Oid.signingTime);
    return stated === undefined
      ? {}
      : { "signing time": readTime(onlyChild(stated)).toISOString() };
  } catch {
    return {};
  }
}

/**
 * Verifies each signature of CMS SignedData by itself: the signature under the key of its
 * certificate, what it says of the content, and the certificate, up to a trusted authority or
 * because its key is one of the trusted keys. Never throws.
 *
 * Source: RFC 5652, 5.4, 5.6 and 11.
 */
export async function verifyCms(
  data: SignedData,
  rules: CmsRules,
  context: FormatContext,
): Promise<SignerResult[]> {
  const certificates = readableCertificates(data.certificates);
  const known = new Map<HashName, ReturnType<CmsRules["digest"]>>();
  // Of a large file it is computed once, however many signers there are.
  const digest = (hash: HashName) => {
    const computed = known.get(hash) ?? rules.digest(hash);
    known.set(hash, computed);
    return computed;
  };
  const around = { certificates, rules: { ...rules, digest }, context, chains: new Map() };
  const results: SignerResult[] = [];
  for (const signer of data.signers) results.push(await verifySigner(signer, around));
  return results;
}

interface Surroundings {
  certificates: readonly Certificate[];
  rules: CmsRules;
  context: FormatContext;
  /** Verdicts on chains by signer's certificate and times: each is judged once. */
  chains: Map<string, Promise<void>>;
}

async function verifySigner(signer: SignerInfo, around: Surroundings): Promise<SignerResult> {
  const { certificates, rules } = around;
  const leaf = certificates.find((one) => isSignerId(signer.id, one));
  let holder: string | undefined;
  try {
    if (leaf !== undefined) holder = formatAttributes(nameOf(leaf));
    return await verified(signer, leaf, around);
  } catch (error) {
    if (isAttestationError(error)) {
      return {
        ok: false,
        error: asEnvelopeFault(error, rules.what),
        ...(holder === undefined ? {} : { keyid: holder }),
      };
    }
    return badSigner("internal-error", `Cannot verify ${rules.what}: an unexpected error`);
  }
}

async function verified(
  signer: SignerInfo,
  leaf: Certificate | undefined,
  around: Surroundings,
): Promise<GoodSigner> {
  const { certificates, rules, context } = around;
  const { hash, signature } = signer;
  const refusal = (reason: Reason, why: string) =>
    new AttestationError(reason, `Cannot verify ${rules.what}: ${why}`);
  const scheme = schemeOf(signer);
  if (hash === undefined || scheme === undefined) {
    throw refusal("unsupported-algorithm", "its digest or signature algorithm is not accepted");
  }
  const signed = signedBytes(signer, rules);
  const key = await keyOf(leaf, context.keys, { scheme, signature, signed });
  if (key === undefined && leaf === undefined) {
    throw refusal(
      context.keys.length === 0 ? "missing-trusted-key" : "invalid-signature",
      "it brings no certificate of its signer, and no trusted key made it",
    );
  }
  if (leaf !== undefined) {
    const algorithm = algorithmOf(leaf.publicKey, scheme);
    if (!await verifySignature(leaf.publicKey, scheme, signature, signed)) {
      throw refusal("invalid-signature", "its certificate's key did not make it");
    }
    if (key !== undefined && key.alg !== algorithm) {
      throw refusal(
        "key-algorithm-mismatch",
        `it is ${algorithm}, the trusted key is for ${key.alg}`,
      );
    }
  }
  await checkAttributes(signer, hash, rules);
  await rules.forbid?.(certificates, leaf);
  if (key !== undefined) return goodSigner(key);
  const trusted = leaf!;
  if (!await isMeant(signer, trusted)) {
    throw refusal("invalid-signature", "its signer named another certificate");
  }
  const misuse = rules.misuse(trusted);
  if (misuse !== undefined) throw refusal("invalid-certificate-usage", misuse);
  const times = await timesOf(signer, context);
  const id = [certificates.indexOf(trusted), ...times.map(Number)].join();
  const others = certificates.filter((one) => one !== trusted);
  const verdict = around.chains.get(id) ?? checkChain([trusted, ...others], times, around);
  around.chains.set(id, verdict);
  await verdict;
  return {
    ok: true,
    name: formatAttributes(nameOf(trusted)),
    fingerprint: trusted.publicKey.fingerprint,
    algorithm: algorithmOf(trusted.publicKey, scheme),
    certificate: trusted,
    ...(times.length === 0 ? {} : { time: new Date(Math.min(...times.map(Number))) }),
  };
}

/**
 * RFC 5035, 3: a signer who names a certificate is the holder of that one, and of no other that
 * somebody had made for the same key. Who names none has left that open.
 */
async function isMeant({ attributes }: SignerInfo, leaf: Certificate): Promise<boolean> {
  return attributes === undefined ||
    !Oid.signingCertificates.some((oid) => attributes.has(oid)) ||
    await namesCertificate(attributes, leaf, false);
}

/** The trusted key that is the certificate's, or that made the signature where there is none. */
async function keyOf(
  leaf: Certificate | undefined,
  keys: readonly TrustedKey[],
  { scheme, signature, signed }: { scheme: SignatureScheme; signature: Bytes; signed: Bytes },
): Promise<TrustedKey | undefined> {
  if (leaf !== undefined) {
    return keys.find(({ fingerprint }) => fingerprint === leaf.publicKey.fingerprint);
  }
  for (const key of keys) {
    const own = publicKeyOf(key);
    if (
      JSON.stringify(lookupAlgorithm(key.alg).scheme) === JSON.stringify(scheme) &&
      await verifySignature(own, scheme, signature, signed)
    ) return key;
  }
  return undefined;
}

/** What the signature is over: RFC 5652, 5.4, the attributes as a SET in DER, or the content. */
function signedBytes({ signed }: SignerInfo, { bare, what }: CmsRules): Bytes {
  if (signed !== undefined) {
    const members = children(parseDer(signed), 32).map(({ raw }) => raw).sort(compareBytes);
    return encodeDer(Tag.set, ...members);
  }
  // Attributes of one signature must not pass for the content of another.
  if (bare === undefined) {
    throw new AttestationError(
      "malformed-envelope",
      `Cannot verify ${what}: it has no signed attributes`,
    );
  }
  return bare;
}

/** X.690, 11.6: the order of a SET OF. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** RFC 5652, 11.1 and 11.2: what the attributes say of the content. */
async function checkAttributes(
  { attributes }: SignerInfo,
  hash: HashName,
  { what, contentType, digest }: CmsRules,
): Promise<void> {
  if (attributes === undefined) return;
  const type = attributes.get(CONTENT_TYPE);
  const stated = attributes.get(MESSAGE_DIGEST);
  if (type === undefined || stated === undefined || readOid(onlyChild(type)) !== contentType) {
    throw new AttestationError(
      "malformed-envelope",
      `Cannot verify ${what}: its attributes do not state the type and digest of the content`,
    );
  }
  const computed = await digest(hash);
  if (computed === undefined) {
    throw new AttestationError(
      "artifact-required",
      `Cannot verify ${what}: it is over another file, and neither it nor its ${hash} is given`,
    );
  }
  if (!equalBytes(readOctetString(onlyChild(stated)), computed)) {
    throw new AttestationError(
      "message-digest-mismatch",
      `Cannot verify ${what}: the signed digest is not that of the content`,
    );
  }
}

/** Verified times of signing, of timestamps by authorities that the caller trusts. */
async function timesOf(signer: SignerInfo, { certificates }: FormatContext): Promise<Date[]> {
  const authorities = certificates?.timestampAuthorities ?? [];
  const times: Date[] = [];
  for (const token of authorities.length === 0 ? [] : timestampsOf(signer)) {
    times.push(await timeOfToken(token, signer.signature, authorities));
  }
  return times;
}

/** Throws why a chain does not lead to whom the caller trusts. */
async function checkChain(
  chain: readonly Certificate[],
  times: readonly Date[],
  { rules: { what, trust, purposes, ends }, context: { certificates, now } }: Surroundings,
): Promise<void> {
  if (trust !== undefined) return await trust(chain);
  if (certificates === undefined) {
    throw new AttestationError(
      "untrusted-certificate",
      `Cannot verify ${what}: it is made with a certificate, and no authority is trusted`,
    );
  }
  const [leaf] = chain;
  // A certificate that the caller names is its own authority.
  const authorities = await pinnedBy(certificates, leaf)
    ? [{ uri: "", operator: "", chain: [leaf], validFor: EVER }]
    : certificates.authorities;
  const { identities } = certificates;
  await verifyChain(chain, { authorities, identities, ...(purposes && { purposes }) }, {
    verified: ends?.(leaf) ? [...times, now] : times,
    now,
  });
}

function timestampsOf({ unsigned }: SignerInfo): Bytes[] {
  if (unsigned === undefined) return [];
  const attributes = readAttributes(unsigned);
  const tokens = Oid.timestamps.flatMap((oid) => {
    const values = attributes.get(oid);
    return values === undefined ? [] : children(values, MAX_TIMESTAMPS + 1);
  });
  if (tokens.length > MAX_TIMESTAMPS) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read timestamps: ${tokens.length}, at most ${MAX_TIMESTAMPS} are accepted`,
    );
  }
  return tokens.map(({ raw }) => raw);
}

/** Types of the attributes that nobody signed, for display. */
export function unsignedTypes({ signers }: SignedData): string[] {
  return signers.flatMap(({ unsigned }) => {
    try {
      return unsigned === undefined ? [] : [...readAttributes(unsigned).keys()];
    } catch {
      return [];
    }
  });
}

/** Why a certificate is not for signing code, or undefined. */
export function codeSigningMisuse(
  certificate: Certificate,
  isPurposeNeeded: boolean,
): string | undefined {
  const purposes = certificate.extendedKeyUsage?.purposes;
  if (purposes === undefined ? isPurposeNeeded : !purposes.includes(Purpose.codeSigning)) {
    return "its certificate is not for signing code";
  }
  return signingMisuse(certificate);
}

/** Why a certificate is not for signatures, or undefined. */
export function signingMisuse({ keyUsage }: Certificate): string | undefined {
  // digitalSignature or nonRepudiation: RFC 5652 leaves it to RFC 5280, 4.2.1.3.
  return keyUsage !== undefined && (keyUsage & 0xc0) === 0
    ? "its certificate is not for signatures"
    : undefined;
}
