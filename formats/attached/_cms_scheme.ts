import { AttestationError } from "../../errors.ts";
import { onlyChild, readOid, readSequence, readSmall } from "../../internal/der.ts";
import { type KeyAlgorithm, lookupAlgorithm, type SignatureScheme } from "../../keys/algorithm.ts";
import type { PublicKey } from "../../keys/public_key.ts";
import { hashOf, type SignerInfo, signerScheme } from "../../sigstore/cms.ts";

const PSS = "1.2.840.113549.1.1.10";
const MGF1 = "1.2.840.113549.1.1.8";

/** Scheme of a signature, or undefined if it is none that is accepted. */
export function schemeOf(signer: SignerInfo): SignatureScheme | undefined {
  const scheme = signerScheme(signer) ?? pssScheme(signer);
  // RFC 8419, 3: the digest of Ed25519 signatures is SHA-512.
  return scheme?.name === "Ed25519" && signer.hash !== "SHA-512" ? undefined : scheme;
}

/** RFC 4056, 3: RSA-PSS whose hash functions are that of the content, with a salt of its length. */
function pssScheme({ signatureAlgorithm, hash }: SignerInfo): SignatureScheme | undefined {
  const algorithm = readSequence(signatureAlgorithm);
  if (hash === undefined || readOid(algorithm.next()) !== PSS) return undefined;
  const fields = readSequence(algorithm.next());
  algorithm.end();
  const own = hashOf(onlyChild(fields.next(0xa0)));
  const mask = readSequence(onlyChild(fields.next(0xa1)));
  const salt = readSmall(onlyChild(fields.next(0xa2)));
  fields.end();
  const generator = readOid(mask.next()), inner = hashOf(mask.next());
  mask.end();
  return own === hash && generator === MGF1 && inner === hash &&
      salt === Number(hash.slice(4)) / 8
    ? { name: "RSA-PSS", hash }
    : undefined;
}

/**
 * The algorithm of a key in a scheme.
 *
 * @throws {AttestationError} `unsupported-algorithm` or `key-algorithm-mismatch`.
 */
export function algorithmOf({ kind, curve }: PublicKey, scheme: SignatureScheme): KeyAlgorithm {
  const bits = "hash" in scheme ? scheme.hash.slice(4) : "";
  const [name, wanted] = scheme.name === "ECDSA"
    ? [`ECDSA-${curve?.replace("-", "")}-SHA${bits}`, "EC"]
    : scheme.name === "RSASSA-PKCS1-v1_5"
    ? [`RS${bits}`, "RSA"]
    : scheme.name === "RSA-PSS"
    ? [`PS${bits}`, "RSA"]
    : [scheme.name, scheme.name];
  if (kind !== wanted) {
    throw new AttestationError(
      "key-algorithm-mismatch",
      `Cannot verify signature: it is of ${scheme.name}, its certificate's key is ${kind}`,
    );
  }
  return lookupAlgorithm(name).alg;
}
