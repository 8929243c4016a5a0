import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import type { Bytes } from "../internal/bytes.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import { lookupAlgorithm } from "../keys/algorithm.ts";
import { type PublicKey, verifySignature } from "../keys/public_key.ts";
import { type Certificate, Purpose } from "../sigstore/certificate.ts";
import { formatAttributes } from "./certificate_name.ts";
import { nameOf, timeOfToken, verifyChain } from "./certificate_trust.ts";
import { badSigner } from "./_signers.ts";
import type { FormatContext, SignerResult } from "./format.ts";

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

/** Why a Notation signature is refused whoever made it, or undefined. */
export function notationRefusal(
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
export async function verifyNotation(
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
    checkUsage(leaf);
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

/** Purposes that a certificate for signing must not have beside its own. */
const FOREIGN: ReadonlySet<string> = new Set([
  Purpose.any,
  Purpose.timeStamping,
  "1.3.6.1.5.5.7.3.1",
  "1.3.6.1.5.5.7.3.4",
  "1.3.6.1.5.5.7.3.9",
]);

/** signature-specification.md, "Certificate Requirements", leaf. */
function checkUsage({ keyUsage, basicConstraints, extendedKeyUsage }: Certificate): void {
  if (keyUsage === undefined || (keyUsage & 0x80) === 0) {
    throw refusal("invalid-certificate-usage", "its certificate is not for signatures");
  }
  if (basicConstraints?.ca === true) {
    throw refusal("invalid-certificate-usage", "its certificate is one of an authority");
  }
  if (extendedKeyUsage === undefined) return;
  const { purposes } = extendedKeyUsage;
  if (!purposes.includes(Purpose.codeSigning) || purposes.some((one) => FOREIGN.has(one))) {
    throw refusal("invalid-certificate-usage", "its certificate is not for signing code alone");
  }
}

function refusal(reason: Reason, what: string): AttestationError {
  return new AttestationError(reason, `Cannot verify Notation signature: ${what}`);
}
