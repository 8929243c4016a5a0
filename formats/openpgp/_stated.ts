import type { StatedSignature } from "../format.ts";
import { hashName, type OpenPgpSignature } from "./_signature.ts";

/** Names of algorithms of keys: RFC 9580, 9.1. */
const KEY_ALGORITHMS: Readonly<Record<number, string>> = {
  1: "RSA",
  3: "RSA",
  17: "DSA",
  19: "ECDSA",
  22: "EdDSA",
  27: "Ed25519",
  28: "Ed448",
};

/** What a signature says of itself, for display. */
export function statedSignature(
  { issuer, keyAlgorithm, hashAlgorithm, body }: OpenPgpSignature,
): StatedSignature {
  const algorithm = KEY_ALGORITHMS[keyAlgorithm] ?? `algorithm ${keyAlgorithm}`;
  return {
    keyid: issuer.fingerprint ?? issuer.keyid,
    algorithm: `${algorithm} over ${hashName(hashAlgorithm)}`,
    bytes: body.length,
  };
}
