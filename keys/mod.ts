/**
 * Keys: PEM, DER, JWK, raw bytes and CryptoKeys into trusted keys and signers.
 *
 * The algorithm belongs to the key, never to the message. Everything that a runtime's
 * WebCrypto would let through and should not is refused by a strict reading of our own,
 * before WebCrypto sees the key. Whatever WebCrypto throws at a signature is "not verified".
 *
 * Ed25519; ECDSA on P-256, P-384 and P-521 with SHA-256, SHA-384 or SHA-512, signatures as
 * DER or r‖s; RSA PKCS #1 v1.5 and PSS (the salt as long as the hash) of 2048 to 8192 bits;
 * ML-DSA where the runtime has it, elsewhere `unsupported-algorithm`.
 *
 * @module
 */
export type { HashName } from "../internal/digest.ts";
export type { Bytes } from "../internal/bytes.ts";
export type { CurveName, KeyAlgorithm, MlDsaName, SignatureScheme } from "./algorithm.ts";
export type { PublicKey } from "./public_key.ts";
export { decryptPrivateKey, encryptPrivateKey, findKeyEncryption } from "./encrypted_key.ts";
export type { EncryptionOptions } from "./pbes2.ts";
export { exportPublicJwk } from "./jwk.ts";
export type { JwkSource, PrivateJwk, PublicJwk } from "./jwk.ts";
export { jwkThumbprint, opensshFingerprint, spkiFingerprint } from "./key_id.ts";
export type { SpkiSource } from "./key_id.ts";
export {
  KEY_SET_TYPE,
  type KeySetDocument,
  type KeySetDocumentEntry,
  parseKeySet,
} from "./key_set.ts";
export {
  type KeyMoments,
  type KeyRevocation,
  type KeySet,
  type KeySetEntry,
  refusalOfKey,
  type RevocationReason,
  validKeys,
} from "./key_validity.ts";
export { generateSigner, importSigner } from "./signer.ts";
export type {
  GeneratedSigner,
  GenerateSignerOptions,
  ImportSignerOptions,
  Signer,
} from "./signer.ts";
export { importTrustedKey } from "./trusted_key.ts";
export type { ImportKeyOptions, TrustedKey } from "./trusted_key.ts";
