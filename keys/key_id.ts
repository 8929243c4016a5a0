import { encodeBase64, encodeBase64Url } from "../internal/base64.ts";
import { type Bytes, concat, utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { minimalSigned } from "./_der.ts";
import { requiredMembers } from "./jwk.ts";
import { readSpki, unsupported } from "./spki.ts";

/** SubjectPublicKeyInfo as DER, or a key that has it, such as a trusted key. */
export type SpkiSource = Uint8Array | { readonly spki: Uint8Array };

/**
 * SHA-256 of the SubjectPublicKeyInfo as it is given, in lowercase hex: the `keyid` of
 * many tools, the log id of transparency logs, and what tells two trusted keys apart.
 *
 * @param spki SubjectPublicKeyInfo, DER. It is hashed, not read.
 *
 * @example Equal to the fingerprint of a trusted key
 * ```ts
 * import { generateSigner, spkiFingerprint } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { trustedKey } = await generateSigner("Ed25519");
 * assert.equal(spkiFingerprint(trustedKey.spki), trustedKey.fingerprint);
 * ```
 */
export function spkiFingerprint(spki: SpkiSource): string {
  return encodeHex(sha256(bytesOf(spki)));
}

/**
 * JWK thumbprint: unpadded base64url of the SHA-256 over the required members.
 *
 * Source: RFC 7638, 3; RFC 8037, 2; draft-ietf-cose-dilithium, "Algorithm Key Pair".
 *
 * @param key SubjectPublicKeyInfo, DER, or a key that has it.
 *
 * @throws {AttestationError} As `importTrustedKey()`, if the key is refused.
 *
 * @example The key of RFC 8037, A.3
 * ```ts
 * import { importTrustedKey, jwkThumbprint } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const key = await importTrustedKey({
 *   kty: "OKP",
 *   crv: "Ed25519",
 *   x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
 * });
 * assert.equal(jwkThumbprint(key), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
 * ```
 */
export function jwkThumbprint(key: SpkiSource): string {
  return encodeBase64Url(sha256(utf8(JSON.stringify(requiredMembers(readSpki(bytesOf(key)))))));
}

/**
 * Fingerprint as OpenSSH writes it: `SHA256:` and unpadded base64 of the SHA-256 over the
 * key's wire form.
 *
 * Source: RFC 4253, 6.6; RFC 5656, 3.1; RFC 8709, 4; OpenSSH, `ssh-keygen -l`.
 *
 * @param key SubjectPublicKeyInfo, DER, or a key that has it.
 *
 * @throws {AttestationError} As `importTrustedKey()`, if the key is refused;
 * `unsupported-algorithm` for ML-DSA, which has no wire form there.
 *
 * @example The key of RFC 8032, 7.1, test 1
 * ```ts
 * import { importTrustedKey, opensshFingerprint } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const key = await importTrustedKey({
 *   kty: "OKP",
 *   crv: "Ed25519",
 *   x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
 * });
 * assert.equal(
 *   opensshFingerprint(key),
 *   "SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8",
 * );
 * ```
 */
export function opensshFingerprint(key: SpkiSource): string {
  return `SHA256:${encodeBase64(sha256(opensshWire(bytesOf(key)))).replace(/=+$/, "")}`;
}

function opensshWire(spki: Uint8Array): Bytes {
  const key = readSpki(spki);
  if (key.kind === "Ed25519") return concat(sshString(utf8("ssh-ed25519")), sshString(key.point));
  if (key.kind === "RSA") {
    const numbers = [key.exponent, key.modulus].map((number) => sshString(minimalSigned(number)));
    return concat(sshString(utf8("ssh-rsa")), ...numbers);
  }
  if (key.kind !== "EC") throw unsupported(`the OpenSSH form of an ${key.kind} key`);
  const curve = key.curve.replace("P-", "nistp");
  return concat(
    sshString(utf8(`ecdsa-sha2-${curve}`)),
    sshString(utf8(curve)),
    sshString(key.point),
  );
}

function sshString(bytes: Uint8Array): Bytes {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concat(length, bytes);
}

function bytesOf(key: SpkiSource): Uint8Array {
  return key instanceof Uint8Array ? key : key.spki;
}
