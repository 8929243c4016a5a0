/**
 * Keys: PEM, DER, JWK, raw bytes and CryptoKeys into trusted keys and signers.
 *
 * The algorithm belongs to the key, never to the message. Everything that a runtime's
 * WebCrypto would let through and should not is refused by a strict reading of our own,
 * before WebCrypto sees the key. Whatever WebCrypto throws at a signature is "not verified".
 *
 * Ed25519; ECDSA on P-256, P-384 and P-521 with SHA-256, SHA-384 or SHA-512, signatures as
 * DER or r‖s; RSA PKCS #1 v1.5 and PSS (the salt as long as the hash) of 2048 to 8192 bits.
 *
 * @module
 */
export type { HashName } from "../internal/digest.ts";
export type { Bytes } from "../internal/bytes.ts";
export type { CurveName, KeyAlgorithm, SignatureScheme } from "./algorithm.ts";
export type { PublicKey } from "./public_key.ts";
export { jwkThumbprint, opensshFingerprint, spkiFingerprint } from "./key_id.ts";
export type { SpkiSource } from "./key_id.ts";
export { generateSigner, importSigner } from "./signer.ts";
export type {
  GeneratedSigner,
  GenerateSignerOptions,
  ImportSignerOptions,
  Signer,
} from "./signer.ts";
export { importTrustedKey } from "./trusted_key.ts";
export type { ImportKeyOptions, TrustedKey } from "./trusted_key.ts";
