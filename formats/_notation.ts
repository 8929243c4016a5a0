import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import type { Bytes } from "../internal/bytes.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import { lookupAlgorithm } from "../keys/algorithm.ts";
import { type PublicKey, verifySignature } from "../keys/public_key.ts";
import type { Certificate } from "../sigstore/certificate.ts";
import { formatAttributes } from "./certificate_name.ts";
import { nameOf, timeOfToken, verifyChain } from "./certificate_trust.ts";
import { badSigner } from "./_signers.ts";
import { checkSigningUsage } from "./_signing_certificate.ts";
import type {
  ByteRange,
  FormatContext,
  FormatEnvelope,
  ParsedFormat,
  SignerResult,
} from "./format.ts";
import { NOTATION_TYPE } from "./notation_payload.ts";

/** What a Notation envelope says, whether it is JWS or COSE. */
export interface NotationSignature {
  /** Algorithm that the protected header states. */
  readonly algorithm: KeyAlgorithm;
  /** `notary.x509`, or `notary.x509.signingAuthority`. */
  readonly scheme: "notary.x509" | "notary.x509.signingAuthority";
  /** Moment from which on it counts for nothing. */
  readonly expiry?: Date;
  /** Of the scheme `signingAuthority`: the moment that the authority vouches for. */
  readonly authenticSigningTime?: Date;
  /** Moment that the signer states; nobody vouches for it. */
  readonly signingTime?: Date;
  /** Certificates, the signer's first. */
  readonly chain: readonly Certificate[];
  /** An RFC 3161 token over the signature. */
  readonly timestamp?: Bytes;
  /** What is signed. */
  readonly signed: Bytes;
  /** The signature. */
  readonly signature: Bytes;
}

/** A Notation signature with what it is about, read and not verified. */
export interface NotationContent extends NotationSignature {
  /** What is said. */
  readonly payload: Bytes;
  /** Tool that signed, as it says. */
  readonly signingAgent?: string;
  /** Where nobody's signature is, in the document. */
  readonly uncovered?: readonly ByteRange[];
}

/** The formats that carry it. */
type NotationFormat = "notation-cose" | "notation-jws";

/** What a signature says of itself. */
export function describeNotation(
  format: NotationFormat,
  content: NotationContent,
): ParsedFormat<NotationContent> {
  const { algorithm, chain, signature, scheme, expiry, signingAgent, signingTime } = content;
  return {
    format,
    messageType: NOTATION_TYPE,
    message: content.payload,
    signatures: [{
      keyid: formatAttributes(nameOf(chain[0])),
      algorithm,
      bytes: signature.length,
    }],
    facts: {
      scheme,
      ...(expiry === undefined ? {} : { expiry: expiry.toISOString() }),
      ...(signingTime === undefined ? {} : { "signing time": signingTime.toISOString() }),
      ...(signingAgent === undefined ? {} : { "signing agent": signingAgent }),
    },
    content,
  };
}

/** The envelope with its one signature checked. */
export async function verifyNotationEnvelope(
  format: NotationFormat,
  content: NotationContent,
  context: FormatContext,
): Promise<FormatEnvelope> {
  const refusal = refusalOf(content, context);
  const { payload, signingAgent, uncovered } = content;
  return {
    format,
    message: payload,
    messageType: { value: NOTATION_TYPE, authenticated: true },
    signers: [await verifyNotation(content, context)],
    coverage: "message",
    ...(uncovered === undefined ? {} : { uncovered }),
    unauthenticated: signingAgent === undefined ? {} : { signingAgent },
    proofs: [],
    ...(refusal === undefined ? {} : { refusal }),
  };
}

/** Why a Notation signature is refused whoever made it, or undefined. */
function refusalOf(
  { expiry }: NotationSignature,
  { now }: FormatContext,
): AttestationError | undefined {
  if (expiry === undefined || now < expiry) return undefined;
  return new AttestationError(
    "attestation-expired",
    `Cannot accept signature: it expired at ${expiry.toISOString()}`,
  );
}

/**
 * Verifies a Notation signature: the signature under the certificate's key, the chain up to
 * the trust store of its scheme, and the time at which both count. That of a certificate that
 * is not trusted is no signer, however good its signature is.
 *
 * Source: Notary Project, specs/signature-specification.md and trust-store-trust-policy.md.
 */
async function verifyNotation(
  one: NotationSignature,
  context: FormatContext,
): Promise<SignerResult> {
  const [leaf] = one.chain;
  let holder: string | undefined;
  try {
    holder = formatAttributes(nameOf(leaf));
    checkAlgorithm(leaf.publicKey, one.algorithm);
    const { scheme } = lookupAlgorithm(one.algorithm);
    if (!await verifySignature(leaf.publicKey, scheme, one.signature, one.signed, "p1363")) {
      throw refusal("invalid-signature", "its certificate's key did not make it");
    }
    checkSigningUsage(leaf);
    const time = await verifyTrust(one, context);
    return {
      ok: true,
      name: holder,
      fingerprint: leaf.publicKey.fingerprint,
      algorithm: one.algorithm,
      certificate: leaf,
      ...(time === undefined ? {} : { time }),
    };
  } catch (error) {
    if (isAttestationError(error)) {
      return { ok: false, error, ...(holder === undefined ? {} : { keyid: holder }) };
    }
    return badSigner("internal-error", "Cannot verify signature: an unexpected error");
  }
}

/** The chain up to the trust store, and the verified time of signing if there is one. */
async function verifyTrust(
  one: NotationSignature,
  { certificates, now }: FormatContext,
): Promise<Date | undefined> {
  if (certificates === undefined) {
    throw refusal(
      "untrusted-certificate",
      "it is made with a certificate, and no authority is trusted",
    );
  }
  const { authorities, signingAuthorities, timestampAuthorities, identities } = certificates;
  if (one.scheme === "notary.x509.signingAuthority") {
    const verified = one.authenticSigningTime === undefined ? [] : [one.authenticSigningTime];
    await verifyChain(one.chain, { authorities: signingAuthorities, identities }, {
      verified,
      now,
    });
    return verified[0];
  }
  const time = one.timestamp === undefined || timestampAuthorities.length === 0
    ? undefined
    : await timeOfToken(one.timestamp, one.signature, timestampAuthorities);
  await verifyChain(one.chain, { authorities, identities }, {
    verified: time === undefined ? [] : [time],
    now,
  });
  return time;
}

/** Key and algorithm go together; nothing else is taken: signature-specification.md, "Signature Algorithm Requirements". */
const PAIRS: Readonly<Record<string, KeyAlgorithm>> = {
  "RSA 2048": "PS256",
  "RSA 3072": "PS384",
  "RSA 4096": "PS512",
  "EC P-256": "ES256",
  "EC P-384": "ES384",
  "EC P-521": "ES512",
};

function checkAlgorithm({ kind, curve, modulusBits }: PublicKey, stated: KeyAlgorithm): void {
  const wanted = PAIRS[`${kind} ${curve ?? modulusBits ?? ""}`];
  if (wanted !== stated) {
    throw refusal(
      "key-algorithm-mismatch",
      `it says ${stated}, its certificate's key wants ${wanted ?? "nothing that is taken"}`,
    );
  }
}

function refusal(reason: Reason, what: string): AttestationError {
  return new AttestationError(reason, `Cannot verify Notation signature: ${what}`);
}
