import { AttestationError, isAttestationError } from "../errors.ts";
import { decodeOnePem } from "../internal/pem.ts";
import { type Bytes, utf8 } from "../internal/bytes.ts";
import { parseDer, readSequence, Tag } from "../internal/der.ts";
import { type Json, type JsonLimits, parseJson, printable } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";

/** Refuses option names that are not known: a misspelt one must not be ignored. */
export function checkOptions(options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("Options must be an object");
  }
  refuseUnknown(options, known, "a key");
}

/** Refuses a label that is no text or empty. */
export function checkLabel(label: string | undefined, what: string): void {
  if (label !== undefined && (typeof label !== "string" || label === "")) {
    throw new TypeError(`The ${what} of a key must be a string that is not empty`);
  }
}

export function isCryptoKey(source: unknown): source is CryptoKey {
  return typeof CryptoKey === "function" && source instanceof CryptoKey;
}

/** How to turn what was given into the PEM that is wanted. */
const PUBLIC_REMEDIES: readonly [RegExp, string][] = [
  [
    /PRIVATE KEY$/,
    "a private key where a public one is due; write its public half with: openssl pkey -in KEY -pubout",
  ],
  [/^RSA PUBLIC KEY$/, "PKCS#1; convert it with: openssl rsa -RSAPublicKey_in -in KEY -pubout"],
  [/^CERTIFICATE$/, "a certificate; take its key with: openssl x509 -in CERT -pubkey -noout"],
];

const PRIVATE_REMEDIES: readonly [RegExp, string][] = [
  [/^ENCRYPTED /, "an encrypted private key where a plain one is due"],
  [
    /^(EC|RSA) PRIVATE KEY$/,
    "not PKCS#8; convert it with: openssl pkcs8 -topk8 -nocrypt -in KEY -out PKCS8",
  ],
  [
    /^OPENSSH PRIVATE KEY$/,
    "an OpenSSH private key; convert a copy with: ssh-keygen -p -N '' -m PKCS8 -f KEY",
  ],
  [/PUBLIC KEY$/, "a public key where a private one is due"],
];

/** The contents of the one PEM block of a key, or a refusal that says what to do instead. */
export function decodeKeyPem(text: string, wanted: "PUBLIC KEY" | "PRIVATE KEY"): Bytes {
  for (const [, label] of text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,64})-----/g)) {
    if (label === wanted) continue;
    const remedies = wanted === "PUBLIC KEY" ? PUBLIC_REMEDIES : PRIVATE_REMEDIES;
    const remedy = remedies.find(([pattern]) => pattern.test(label));
    if (remedy === undefined) continue;
    const foreign = label.startsWith("OPENSSH") && wanted === "PRIVATE KEY";
    throw new AttestationError(
      foreign ? "unsupported-algorithm" : "malformed-key",
      `Cannot read key: found ${printable(label)}, ${remedy[1]}`,
    );
  }
  return decodeOnePem(text, wanted).der;
}

/**
 * Strict JSON that may hold a private key: of a fault its place is told, not the runtime's
 * words, which quote what stands around it.
 */
export function parseKeyJson(source: string | Uint8Array, limits: JsonLimits): Json {
  try {
    return parseJson(source, limits);
  } catch (error) {
    if (!isAttestationError(error) || error.reason !== "malformed-json") throw error;
    const place = / at position \d{1,9}/.exec(error.message)?.[0] ?? "";
    throw new AttestationError("malformed-json", `Cannot read key: it is not strict JSON${place}`);
  }
}

/** Labels of encrypted private keys; the last two are those of cosign, new and old. */
export type EncryptedLabel = `ENCRYPTED ${"" | "SIGSTORE " | "COSIGN "}PRIVATE KEY`;

/** The label of the first encrypted private key in a PEM text. */
export function findEncryptedLabel(text: string): EncryptedLabel | undefined {
  const match = /-----BEGIN (ENCRYPTED (?:SIGSTORE |COSIGN )?PRIVATE KEY)-----/.exec(text);
  return match === null ? undefined : match[1] as EncryptedLabel;
}

/** Tells an EncryptedPrivateKeyInfo from a PrivateKeyInfo, which begins with its version. */
export function isEncryptedInfo(der: Uint8Array): boolean {
  try {
    return readSequence(parseDer(der)).tag === Tag.sequence;
  } catch {
    return false;
  }
}

/** Refuses what cannot be a passphrase. */
export function checkPassphrase(passphrase: string | Uint8Array | undefined): void {
  if (passphrase === undefined || passphrase instanceof Uint8Array) return;
  if (typeof passphrase !== "string" || !passphrase.isWellFormed()) {
    throw new TypeError("A passphrase must be bytes or text without unpaired surrogates");
  }
}

/** A copy of a passphrase as the octets that a key is derived from. */
export function passphraseBytes(passphrase: string | Uint8Array): Bytes {
  return typeof passphrase === "string" ? utf8(passphrase) : new Uint8Array(passphrase);
}
