import { type Der, readOid, readSequence, Tag } from "../internal/der.ts";
import type { HashName } from "../internal/digest.ts";
import type { SignatureScheme } from "../keys/algorithm.ts";
import type { PublicKey } from "../keys/public_key.ts";

/** Scheme of a signature in a certificate, a timestamp or a log. */
export type Scheme = SignatureScheme;

const SIGNATURES: Readonly<Record<string, Scheme>> = {
  "1.2.840.10045.4.3.2": { name: "ECDSA", hash: "SHA-256" },
  "1.2.840.10045.4.3.3": { name: "ECDSA", hash: "SHA-384" },
  "1.2.840.10045.4.3.4": { name: "ECDSA", hash: "SHA-512" },
  "1.2.840.113549.1.1.11": { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  "1.2.840.113549.1.1.12": { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" },
  "1.2.840.113549.1.1.13": { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" },
  "1.3.101.112": { name: "Ed25519" },
};

const HASHES: Readonly<Record<string, HashName>> = {
  "2.16.840.1.101.3.4.2.1": "SHA-256",
  "2.16.840.1.101.3.4.2.2": "SHA-384",
  "2.16.840.1.101.3.4.2.3": "SHA-512",
};

/** Object identifier of an AlgorithmIdentifier whose parameters are absent or NULL. */
function plainOid(algorithm: Der): string | undefined {
  const fields = readSequence(algorithm);
  const oid = readOid(fields.next());
  if (fields.tag === -1) return oid;
  return fields.optional(Tag.null)?.value.length === 0 && fields.tag === -1 ? oid : undefined;
}

/** Scheme of a certificate's signature, or undefined when it is not supported. */
export function certificateScheme(algorithm: Der): Scheme | undefined {
  const oid = plainOid(algorithm);
  return oid === undefined || !Object.hasOwn(SIGNATURES, oid) ? undefined : SIGNATURES[oid];
}

/** Hash function of an AlgorithmIdentifier, or undefined when it is not accepted (SHA-1). */
export function hashOf(algorithm: Der): HashName | undefined {
  const oid = plainOid(algorithm);
  return oid === undefined || !Object.hasOwn(HASHES, oid) ? undefined : HASHES[oid];
}

/**
 * Scheme of a CMS signature: the hash comes from the algorithm identifiers, never from
 * the key's curve (RFC 5652, 5.3; RFC 5754). Some name only the kind of key.
 */
export function cmsScheme(signatureAlgorithm: Der, hash: HashName): Scheme | undefined {
  const oid = plainOid(signatureAlgorithm);
  if (oid === "1.2.840.10045.2.1") return { name: "ECDSA", hash };
  if (oid === "1.2.840.113549.1.1.1") return { name: "RSASSA-PKCS1-v1_5", hash };
  const scheme = certificateScheme(signatureAlgorithm);
  return scheme !== undefined && "hash" in scheme && scheme.hash !== hash ? undefined : scheme;
}

/** Schemes of `keyDetails` in trusted roots and Rekor v2 entries, with the key they fit. */
const KEY_DETAILS: Readonly<Record<string, { scheme: Scheme; curve?: string; bits?: number }>> = {
  PKIX_ECDSA_P256_SHA_256: { scheme: { name: "ECDSA", hash: "SHA-256" }, curve: "P-256" },
  PKIX_ECDSA_P384_SHA_384: { scheme: { name: "ECDSA", hash: "SHA-384" }, curve: "P-384" },
  PKIX_ECDSA_P521_SHA_512: { scheme: { name: "ECDSA", hash: "SHA-512" }, curve: "P-521" },
  PKIX_ECDSA_P384_SHA_256: { scheme: { name: "ECDSA", hash: "SHA-256" }, curve: "P-384" },
  PKIX_ECDSA_P521_SHA_256: { scheme: { name: "ECDSA", hash: "SHA-256" }, curve: "P-521" },
  PKIX_ED25519: { scheme: { name: "Ed25519" } },
  PKIX_RSA_PKCS1V15_2048_SHA256: rsa("RSASSA-PKCS1-v1_5", 2048),
  PKIX_RSA_PKCS1V15_3072_SHA256: rsa("RSASSA-PKCS1-v1_5", 3072),
  PKIX_RSA_PKCS1V15_4096_SHA256: rsa("RSASSA-PKCS1-v1_5", 4096),
  PKIX_RSA_PSS_2048_SHA256: rsa("RSA-PSS", 2048),
  PKIX_RSA_PSS_3072_SHA256: rsa("RSA-PSS", 3072),
  PKIX_RSA_PSS_4096_SHA256: rsa("RSA-PSS", 4096),
};

function rsa(
  name: "RSASSA-PKCS1-v1_5" | "RSA-PSS",
  bits: number,
): { scheme: Scheme; bits: number } {
  return { scheme: { name, hash: "SHA-256" }, bits };
}

/** Scheme that `keyDetails` names, if the key is of that kind. */
export function detailedScheme(keyDetails: string, key: PublicKey): Scheme | undefined {
  if (!Object.hasOwn(KEY_DETAILS, keyDetails)) return undefined;
  const { scheme, curve, bits } = KEY_DETAILS[keyDetails];
  return curve === key.curve && bits === key.modulusBits &&
      (scheme.name === "Ed25519") === (key.kind === "Ed25519")
    ? scheme
    : undefined;
}

/** Tells whether `keyDetails` names a kind of key that is supported. */
export function isKnownKind(keyDetails: string): boolean {
  return Object.hasOwn(KEY_DETAILS, keyDetails);
}

/** The `keyDetails` of a key that signs in a scheme, or undefined if it has no name. */
export function keyDetailsOf(key: PublicKey, scheme: Scheme): string | undefined {
  const hash = "hash" in scheme ? scheme.hash : undefined;
  return Object.keys(KEY_DETAILS).find((name) => {
    const found = detailedScheme(name, key);
    return found?.name === scheme.name &&
      ("hash" in found ? found.hash : undefined) === hash;
  });
}
