import { AttestationError } from "../errors.ts";
import type { Bytes } from "../internal/bytes.ts";
import { decodeOnePem, encodePem } from "../internal/pem.ts";
import { refuseUnknown } from "../internal/options.ts";
import {
  checkPassphrase,
  decodeKeyPem,
  type EncryptedLabel,
  findEncryptedLabel,
  passphraseBytes,
} from "./_source.ts";
import { decryptPkcs8, type EncryptionOptions, encryptPkcs8 } from "./pbes2.ts";
import { readPkcs8 } from "./pkcs8.ts";
import { checkSize, malformed } from "./spki.ts";

/**
 * Encrypts a private key: PKCS#8 under PBES2, with PBKDF2 and HMAC-SHA-256 of 600 000 rounds
 * or more, and AES-256-CBC, which openssl and others read, or AES-256-GCM on request.
 *
 * Source: RFC 5958, 3; RFC 8018, 6.2. For GCM, which openssl does not read, they leave the form
 * open: it is the one of Botan, PyCryptodome and RustCrypto.
 *
 * @param privateKey PEM with one `PRIVATE KEY`.
 * @param passphrase Not empty; text is taken as its UTF-8.
 * @param options See {@linkcode EncryptionOptions}.
 * @returns PEM with one `ENCRYPTED PRIVATE KEY`.
 *
 * @throws {AttestationError} `missing-passphrase` (it is empty); as `importSigner()`, if the
 * key is refused.
 * @throws {TypeError} If the passphrase is no text or bytes, or an option is unknown.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Encrypted and opened again
 * ```ts
 * import { decryptPrivateKey, encryptPrivateKey, generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { privateKey } = await generateSigner("Ed25519");
 * const encrypted = await encryptPrivateKey(privateKey, "correct horse battery staple");
 * assert.ok(encrypted.startsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
 * assert.equal(
 *   await decryptPrivateKey(encrypted, "correct horse battery staple"),
 *   privateKey,
 * );
 * ```
 */
export async function encryptPrivateKey(
  privateKey: string,
  passphrase: string | Uint8Array,
  options: EncryptionOptions = {},
): Promise<string> {
  refuseUnknown(options, ["iterations", "cipher"], "the encryption of a key");
  if (typeof privateKey !== "string") throw new TypeError("A private key must be PEM text");
  checkNewPassphrase(passphrase);
  checkSize(privateKey);
  const { pkcs8 } = readPkcs8(decodeKeyPem(privateKey, "PRIVATE KEY"));
  const der = await encryptPkcs8(pkcs8, passphraseBytes(passphrase), options);
  return encodePem("ENCRYPTED PRIVATE KEY", der);
}

/** Refuses a passphrase that a key must not be written under. */
export function checkNewPassphrase(passphrase: string | Uint8Array): void {
  checkPassphrase(passphrase);
  if (passphrase.length > 0) return;
  throw new AttestationError("missing-passphrase", "Cannot encrypt key: the passphrase is empty");
}

/**
 * Decrypts a private key file: PKCS#8 under PBES2, or cosign's own format.
 *
 * Source: RFC 5958, 3; RFC 8018, 6.2; cosign, "Keys".
 *
 * @param encryptedKey PEM with one `ENCRYPTED PRIVATE KEY`, `ENCRYPTED SIGSTORE PRIVATE KEY`
 * or `ENCRYPTED COSIGN PRIVATE KEY`.
 * @param passphrase Text is taken as its UTF-8. An empty one is tried as it is: cosign allows it.
 * @returns PEM with one `PRIVATE KEY`: keep it secret.
 *
 * @throws {AttestationError} `wrong-passphrase`; `malformed-pem`, `malformed-key` (also a key
 * that is not encrypted), `malformed-json`, `duplicate-json-key`, `weak-key`;
 * `limit-exceeded` (above 10 000 000 rounds of PBKDF2, or scrypt above 256 MiB);
 * `unsupported-algorithm` (another scheme, or one that this runtime lacks).
 * @throws {TypeError} If the passphrase is no text or bytes.
 *
 * @example The wrong passphrase
 * ```ts
 * import { decryptPrivateKey, generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { privateKey } = await generateSigner("Ed25519", { passphrase: "right" });
 * await assert.rejects(decryptPrivateKey(privateKey, "wrong"), { reason: "wrong-passphrase" });
 * ```
 */
export async function decryptPrivateKey(
  encryptedKey: string,
  passphrase: string | Uint8Array,
): Promise<string> {
  checkPassphrase(passphrase);
  if (typeof encryptedKey !== "string") throw new TypeError("A private key must be PEM text");
  checkSize(encryptedKey);
  const label = findEncryptedLabel(encryptedKey);
  if (label === undefined) throw malformed("no encrypted private key");
  const pkcs8 = await openPem(encryptedKey, label, passphraseBytes(passphrase));
  return encodePem("PRIVATE KEY", readPkcs8(pkcs8).pkcs8);
}

/** The PKCS#8 in a PEM file with one encrypted key. */
export async function openPem(
  text: string,
  label: EncryptedLabel,
  passphrase: Bytes,
): Promise<Bytes> {
  const { der } = decodeOnePem(text, label);
  if (label === "ENCRYPTED PRIVATE KEY") {
    return await decryptPkcs8(der, passphrase);
  }
  const { decryptCosignKey } = await import("./cosign_key.ts");
  return await decryptCosignKey(der, passphrase);
}

/**
 * Tells how a private key file is encrypted, by its label only: whether to ask for a
 * passphrase, and for whose.
 *
 * @param text Text of the file.
 * @returns `pkcs8` (PBES2), `cosign` (its own format), or undefined.
 *
 * @example
 * ```ts
 * import { findKeyEncryption, generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { privateKey } = await generateSigner("Ed25519");
 * assert.equal(findKeyEncryption(privateKey), undefined);
 * ```
 */
export function findKeyEncryption(text: string): "pkcs8" | "cosign" | undefined {
  const label = findEncryptedLabel(text);
  if (label === undefined) return undefined;
  return label === "ENCRYPTED PRIVATE KEY" ? "pkcs8" : "cosign";
}
