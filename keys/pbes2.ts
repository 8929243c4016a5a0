import { AttestationError, isAttestationError } from "../errors.ts";
import { asBytes, type Bytes } from "../internal/bytes.ts";
import {
  type Der,
  encodeDer,
  parseDer,
  readOctetString,
  readOid,
  readSequence,
  readSmall,
  Tag,
} from "../internal/der.ts";
import { encodeOid, encodeUnsigned } from "./_der.ts";
import { asKeyError, checkSize, malformed, unsupported } from "./spki.ts";

/** How a private key is encrypted. Unknown names are refused. */
export interface EncryptionOptions {
  /** Rounds of PBKDF2, an integer from 600 000 to 10 000 000. Default 600 000. */
  iterations?: number;
  /** `AES-256-CBC`, or `AES-256-GCM`, which openssl does not read. Default CBC. */
  cipher?: "AES-256-CBC" | "AES-256-GCM";
}

type CipherName = "AES-CBC" | "AES-GCM";
type PrfHash = "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";

/** OBJECT IDENTIFIERs: RFC 8018, A and B; RFC 5084, 3. */
const Oid = {
  pbes2: "1.2.840.113549.1.5.13",
  pbkdf2: "1.2.840.113549.1.5.12",
  hmacWithSha256: "1.2.840.113549.2.9",
  aes256Cbc: "2.16.840.1.101.3.4.1.42",
  aes256Gcm: "2.16.840.1.101.3.4.1.46",
} as const;

const PRFS: Readonly<Record<string, PrfHash>> = {
  "1.2.840.113549.2.7": "SHA-1",
  [Oid.hmacWithSha256]: "SHA-256",
  "1.2.840.113549.2.10": "SHA-384",
  "1.2.840.113549.2.11": "SHA-512",
};

const CIPHERS: Readonly<Record<string, [name: CipherName, keyBytes: number]>> = {
  "2.16.840.1.101.3.4.1.2": ["AES-CBC", 16],
  "2.16.840.1.101.3.4.1.22": ["AES-CBC", 24],
  [Oid.aes256Cbc]: ["AES-CBC", 32],
  "2.16.840.1.101.3.4.1.6": ["AES-GCM", 16],
  "2.16.840.1.101.3.4.1.26": ["AES-GCM", 24],
  [Oid.aes256Gcm]: ["AES-GCM", 32],
};

/** What is met in the wild and not taken, by name for the message. */
const REFUSED: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.5.3": "pbeWithMD5AndDES-CBC",
  "1.2.840.113549.1.5.10": "pbeWithSHA1AndDES-CBC",
  "1.2.840.113549.1.12.1.3": "pbeWithSHAAnd3-KeyTripleDES-CBC",
  "1.2.840.113549.1.12.1.6": "pbeWithSHAAnd40BitRC2-CBC",
  "1.3.6.1.4.1.11591.4.11": "scrypt",
  "1.2.840.113549.2.8": "hmacWithSHA224",
  "1.2.840.113549.3.7": "des-EDE3-CBC",
};

const MIN_ITERATIONS = 600_000;
const MAX_ITERATIONS = 10_000_000;
const MIN_SALT_BYTES = 8;
const MAX_SALT_BYTES = 256;
const BLOCK_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

interface Cipher {
  readonly keyBytes: number;
  readonly params: AesCbcParams | AesGcmParams;
}

interface Derivation {
  readonly salt: Bytes;
  readonly iterations: number;
  readonly hash: PrfHash;
  /** Octets, where they are stated. */
  readonly keyBytes?: number;
}

/**
 * Opens an EncryptedPrivateKeyInfo under PBES2: PBKDF2 with HMAC and SHA-1, SHA-256, SHA-384
 * or SHA-512, AES in CBC or GCM. What a wrong passphrase gives is recognised by the padding
 * and the outer form of PKCS#8, or by GCM's tag; nobody is told which, as there is nobody
 * else to tell.
 *
 * Source: RFC 5958, 3; RFC 8018, 6.2 and A; RFC 5084, 3.2.
 *
 * @returns PKCS#8, not yet read.
 * @throws {AttestationError} `wrong-passphrase`, `malformed-key`, `limit-exceeded`,
 * `unsupported-algorithm`.
 */
export async function decryptPkcs8(der: Uint8Array, passphrase: Uint8Array): Promise<Bytes> {
  checkSize(der);
  const { derivation, cipher, data } = asKeyError(() => readEncrypted(der));
  const key = await deriveKey(passphrase, derivation, cipher, "decrypt");
  let plain: Bytes;
  try {
    plain = new Uint8Array(await crypto.subtle.decrypt(cipher.params, key, data));
  } catch (cause) {
    throw isUnsupported(cause) ? notTaken(cipher.params.name) : wrongPassphrase();
  }
  if (cipher.params.name === "AES-CBC" && !isPkcs8(plain)) throw wrongPassphrase();
  return plain;
}

/** What a decryption that did not succeed is refused with. */
export function wrongPassphrase(): AttestationError {
  return new AttestationError(
    "wrong-passphrase",
    "Cannot decrypt key: the passphrase is not the one that it was encrypted with, or the file " +
      "is damaged",
  );
}

/**
 * One wrong passphrase in some 256 gives a padding that is good: what stands before it is
 * noise, which has not even the outer form of PKCS#8. What is wrong inside, in a key that
 * has it, is wrong with the key.
 */
function isPkcs8(bytes: Bytes): boolean {
  try {
    const reader = readSequence(parseDer(bytes));
    const version = reader.next(Tag.integer);
    readOid(readSequence(reader.next()).next());
    reader.next(Tag.octetString);
    return version.value.length === 1;
  } catch (error) {
    if (isAttestationError(error)) return false;
    throw error;
  }
}

function readEncrypted(
  der: Uint8Array,
): { derivation: Derivation; cipher: Cipher; data: Bytes } {
  const outer = readSequence(parseDer(der));
  const scheme = readSequence(outer.next());
  const data = readOctetString(outer.next());
  outer.end();
  expectOid(readOid(scheme.next()), Oid.pbes2, "encryption");
  const params = readSequence(scheme.next());
  scheme.end();
  const derivation = readDerivation(params.next());
  const cipher = readCipher(params.next());
  params.end();
  if (derivation.keyBytes !== undefined && derivation.keyBytes !== cipher.keyBytes) {
    throw malformed(
      `a key of ${derivation.keyBytes} octets for a cipher that takes ${cipher.keyBytes}`,
    );
  }
  const whole = cipher.params.name === "AES-CBC"
    ? data.length > 0 && data.length % BLOCK_BYTES === 0
    : data.length > TAG_BYTES;
  if (!whole) throw malformed(`${data.length} octets of encrypted key`);
  return { derivation, cipher, data };
}

function readDerivation(element: Der): Derivation {
  const outer = readSequence(element);
  expectOid(readOid(outer.next()), Oid.pbkdf2, "key derivation");
  const params = readSequence(outer.next());
  outer.end();
  const salt = readOctetString(params.next());
  const iterations = readSmall(params.next());
  const length = params.optional(Tag.integer);
  const prf = params.optional(Tag.sequence);
  params.end();
  if (salt.length < MIN_SALT_BYTES || salt.length > MAX_SALT_BYTES) {
    throw malformed(
      `a salt of ${salt.length} octets, wanted ${MIN_SALT_BYTES} to ${MAX_SALT_BYTES}`,
    );
  }
  if (iterations < 1) throw malformed("PBKDF2 without a round");
  if (iterations > MAX_ITERATIONS) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot decrypt key: ${iterations} rounds of PBKDF2, at most ${MAX_ITERATIONS} are accepted`,
    );
  }
  return {
    salt,
    iterations,
    hash: prf === undefined ? "SHA-1" : readPrf(prf),
    ...(length === undefined ? {} : { keyBytes: readSmall(length) }),
  };
}

function readPrf(element: Der): PrfHash {
  const reader = readSequence(element);
  const oid = readOid(reader.next());
  if (reader.optional(Tag.null)?.value.length) throw malformed("PRF parameters that are not NULL");
  reader.end();
  if (!Object.hasOwn(PRFS, oid)) throw refuse(oid, "pseudo-random function");
  return PRFS[oid];
}

function readCipher(element: Der): Cipher {
  const reader = readSequence(element);
  const oid = readOid(reader.next());
  if (!Object.hasOwn(CIPHERS, oid)) throw refuse(oid, "cipher");
  const [name, keyBytes] = CIPHERS[oid];
  const params = reader.next();
  reader.end();
  if (name === "AES-CBC") {
    const iv = readOctetString(params);
    if (iv.length !== BLOCK_BYTES) throw malformed(`${iv.length} octets of IV, wanted 16`);
    return { keyBytes, params: { name, iv } };
  }
  const iv = readGcmNonce(params);
  if (iv.length !== NONCE_BYTES) throw malformed(`${iv.length} octets of GCM nonce, wanted 12`);
  return { keyBytes, params: { name, iv, tagLength: TAG_BYTES * 8 } };
}

/**
 * RFC 5084, 3.2 has a SEQUENCE of nonce and length of the tag, by default 12. PBES2 leaves it
 * to the application, and those that write GCM there (Botan, PyCryptodome, RustCrypto) put the
 * nonce where CBC has its IV, with a tag of 16 behind the ciphertext: so do we.
 */
function readGcmNonce(params: Der): Bytes {
  if (params.tag === Tag.octetString) return params.value;
  const reader = readSequence(params);
  const nonce = readOctetString(reader.next());
  const tag = reader.optional(Tag.integer);
  reader.end();
  const tagBytes = tag === undefined ? 12 : readSmall(tag);
  if (tagBytes < 12 || tagBytes > TAG_BYTES) throw malformed(`a GCM tag of ${tagBytes} octets`);
  // Runtimes differ in whether they open what has a shorter one.
  if (tagBytes < TAG_BYTES) throw unsupported(`a GCM tag of ${tagBytes} octets instead of 16`);
  return nonce;
}

function expectOid(oid: string, wanted: string, what: string): void {
  if (oid !== wanted) throw refuse(oid, what);
}

function refuse(oid: string, what: string): AttestationError {
  const name = Object.hasOwn(REFUSED, oid) ? REFUSED[oid] : oid;
  return unsupported(
    `the ${what} ${name} (convert it with: openssl pkcs8 -in KEY -out PLAIN, then ` +
      "openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -in PLAIN -out NEW)",
  );
}

/**
 * Encrypts PKCS#8 under PBES2 with PBKDF2 and HMAC-SHA-256.
 *
 * Source: RFC 5958, 3; RFC 8018, 6.2 and A.
 *
 * @returns EncryptedPrivateKeyInfo, DER.
 * @throws {RangeError} If `iterations` is out of range or `cipher` is none of the two.
 */
export async function encryptPkcs8(
  pkcs8: Uint8Array,
  passphrase: Uint8Array,
  options: EncryptionOptions = {},
): Promise<Bytes> {
  const { iterations = MIN_ITERATIONS, cipher: wanted = "AES-256-CBC" } = options;
  if (!Number.isInteger(iterations) || iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS) {
    throw new RangeError(
      `iterations must be an integer from ${MIN_ITERATIONS} to ${MAX_ITERATIONS}`,
    );
  }
  if (wanted !== "AES-256-CBC" && wanted !== "AES-256-GCM") {
    throw new RangeError("cipher must be AES-256-CBC or AES-256-GCM");
  }
  const gcm = wanted === "AES-256-GCM";
  const derivation: Derivation = { salt: random(16), iterations, hash: "SHA-256" };
  const iv = random(gcm ? NONCE_BYTES : BLOCK_BYTES);
  const cipher: Cipher = {
    keyBytes: 32,
    params: gcm ? { name: "AES-GCM", iv, tagLength: TAG_BYTES * 8 } : { name: "AES-CBC", iv },
  };
  const key = await deriveKey(passphrase, derivation, cipher, "encrypt");
  const data = new Uint8Array(await crypto.subtle.encrypt(cipher.params, key, asBytes(pkcs8)));
  const cipherParams = encodeDer(Tag.octetString, iv);
  const scheme = encodeDer(
    Tag.sequence,
    encodeOid(Oid.pbes2),
    encodeDer(
      Tag.sequence,
      encodeDerivation(derivation),
      encodeDer(Tag.sequence, encodeOid(gcm ? Oid.aes256Gcm : Oid.aes256Cbc), cipherParams),
    ),
  );
  return encodeDer(Tag.sequence, scheme, encodeDer(Tag.octetString, data));
}

function encodeDerivation({ salt, iterations }: Derivation): Bytes {
  const prf = encodeDer(Tag.sequence, encodeOid(Oid.hmacWithSha256), encodeDer(Tag.null));
  const params = encodeDer(
    Tag.sequence,
    encodeDer(Tag.octetString, salt),
    integer(iterations),
    prf,
  );
  return encodeDer(Tag.sequence, encodeOid(Oid.pbkdf2), params);
}

function integer(value: number): Bytes {
  const octets = new Uint8Array(4);
  new DataView(octets.buffer).setUint32(0, value);
  return encodeUnsigned(octets);
}

function random(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

async function deriveKey(
  passphrase: Uint8Array,
  { salt, iterations, hash }: Derivation,
  { keyBytes, params: { name } }: Cipher,
  use: "encrypt" | "decrypt",
): Promise<CryptoKey> {
  try {
    const secret = await crypto.subtle.importKey("raw", asBytes(passphrase), "PBKDF2", false, [
      "deriveBits",
    ]);
    const params = { name: "PBKDF2", hash, salt, iterations };
    const bits = new Uint8Array(await crypto.subtle.deriveBits(params, secret, keyBytes * 8));
    const key = await crypto.subtle.importKey("raw", bits, name, false, [use]);
    bits.fill(0);
    return key;
  } catch (cause) {
    // Some edge runtimes allow fewer rounds than are safe; browsers lack AES of 192 bits.
    throw notTaken(`PBKDF2 of ${iterations} rounds and ${hash} for ${name}-${keyBytes * 8}`, cause);
  }
}

function isUnsupported(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "NotSupportedError";
}

function notTaken(what: string, cause?: unknown): AttestationError {
  return new AttestationError(
    "unsupported-algorithm",
    `Cannot use encrypted key: this runtime does not take ${what}`,
    { cause },
  );
}
