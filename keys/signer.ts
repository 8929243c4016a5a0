import { AttestationError, isAttestationError } from "../errors.ts";
import { asBytes, type Bytes, equalBytes, utf8 } from "../internal/bytes.ts";
import { encodePem } from "../internal/pem.ts";
import {
  checkLabel,
  checkOptions,
  checkPassphrase,
  decodeKeyPem,
  findEncryptedLabel,
  isCryptoKey,
  isEncryptedInfo,
  passphraseBytes,
} from "./_source.ts";
import {
  type AlgorithmEntry,
  algorithmOf,
  describeKey,
  type KeyAlgorithm,
  type KeyShape,
  lookupAlgorithm,
} from "./algorithm.ts";
import { p1363ToDer } from "./ecdsa_signature.ts";
import {
  exportPublicJwk,
  joinPrivateJwk,
  parseJwkText,
  type PrivateJwk,
  type PublicJwk,
  readJwk,
} from "./jwk.ts";
import { pkcs8OfJwk, type PrivateKey, readPkcs8, sameKey } from "./pkcs8.ts";
import {
  importParams,
  parseSpki,
  type PublicKey,
  signatureParams,
  verifySignature,
} from "./public_key.ts";
import { checkSize, encodeSpki, type KeyMaterial, malformed, readSpki } from "./spki.ts";
import { algorithmOfCryptoKey, importTrustedKey, type TrustedKey } from "./trusted_key.ts";

/**
 * What signs: a key in this process, or anything else that can do the same, such as a key
 * management service or a security module, by two methods and the name of its algorithm.
 */
export interface Signer {
  /** Algorithm of the signatures. */
  readonly alg: KeyAlgorithm;
  /** What its owner calls the key: an unauthenticated hint in the envelope. */
  readonly keyid?: string;
  /** Signature over data, in the layout that goes on the wire. */
  sign(data: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
  /** SubjectPublicKeyInfo of the key, DER. */
  publicKey(): Promise<Uint8Array<ArrayBuffer>>;
}

/** Options of {@linkcode importSigner}. Unknown names are refused. */
export interface ImportSignerOptions {
  /** Algorithm of the signatures. Default: as for `importTrustedKey()`. */
  alg?: KeyAlgorithm;
  /** What its owner calls the key. Default: the `kid` of a JWK. */
  keyid?: string;
  /** Layout of ECDSA signatures: ASN.1 DER, which other tools verify, or r‖s. Default `der`. */
  ecdsaEncoding?: "der" | "p1363";
  /** SubjectPublicKeyInfo, DER: needed for a CryptoKey that cannot be exported. */
  publicKey?: Uint8Array;
  /** Opens an encrypted key, and is not looked at for others. Text is taken as its UTF-8. */
  passphrase?: string | Uint8Array;
}

/** Options of {@linkcode generateSigner}. Unknown names are refused. */
export interface GenerateSignerOptions {
  /** Name of the trusted key in reports. Default: `keyid`, else 16 digits of the fingerprint. */
  name?: string;
  /** What its owner calls the key. */
  keyid?: string;
  /** Layout of ECDSA signatures. Default `der`. */
  ecdsaEncoding?: "der" | "p1363";
  /** Bits of an RSA modulus, a multiple of 8 from 2048 to 8192. Default 3072. */
  modulusLength?: number;
  /** Encrypts `privateKey` as `encryptPrivateKey()` does. Not empty. */
  passphrase?: string | Uint8Array;
}

/** A new key, in the forms that it is needed in. */
export interface GeneratedSigner {
  /** Signs with the private half. */
  signer: Signer;
  /** Verifies with the public half. */
  trustedKey: TrustedKey;
  /** PKCS#8 PEM: encrypted if a passphrase was given, else keep it secret. */
  privateKey: string;
  /** SubjectPublicKeyInfo PEM. */
  publicKey: string;
  /** The private key as JWK, which is not encrypted: absent if a passphrase was given. */
  privateJwk?: PrivateJwk;
  /** The public key as JWK. */
  publicJwk: PublicJwk;
}

const ENCODINGS = ["der", "p1363"];
const PROBE = utf8("@x/attest: does the private half fit the public one?");

/**
 * Imports a private key to sign with. The key that WebCrypto gets cannot be exported. A
 * first signature is verified at once, so that a public half that does not belong to the
 * private one is found here and not by whoever verifies.
 *
 * Source: RFC 5958, 2 and 3; RFC 8018, 6.2; RFC 5915, 3; RFC 8017, A.1.2; RFC 8410, 7; RFC
 * 9881, 6; RFC 7517; RFC 7518, 6.
 *
 * @param source PEM with one `PRIVATE KEY` (PKCS#8), `ENCRYPTED PRIVATE KEY` (the same under
 * PBES2) or `ENCRYPTED SIGSTORE PRIVATE KEY` (of cosign), or private JWK text; PKCS#8 as
 * DER, encrypted or not; a private JWK as object; a private CryptoKey.
 * @param options See {@linkcode ImportSignerOptions}.
 *
 * @throws {AttestationError} `malformed-key` (also a public key, and EC or RSA PEM that is
 * not PKCS#8), `malformed-pem`, `malformed-json`, `duplicate-json-key`, `weak-key`,
 * `limit-exceeded`, `unsupported-algorithm` (also OpenSSH keys, and what this runtime
 * lacks), `key-algorithm-mismatch`; `missing-passphrase` and `wrong-passphrase` for encrypted
 * keys. No message has anything of the key.
 * @throws {TypeError} If an option is unknown or of the wrong type.
 *
 * @example Sign with a key from a file
 * ```ts
 * import { generateSigner, importSigner, importTrustedKey } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { privateKey, publicKey } = await generateSigner("ES256");
 * const signer = await importSigner(privateKey);
 * const data = new TextEncoder().encode("hello");
 * const signature = await signer.sign(data);
 * assert.ok(await (await importTrustedKey(publicKey)).verify(data, signature));
 * ```
 */
export async function importSigner(
  source: string | Uint8Array | JsonWebKey | PrivateJwk | CryptoKey,
  options: ImportSignerOptions = {},
): Promise<Signer> {
  checkOptions(options, ["alg", "keyid", "ecdsaEncoding", "publicKey", "passphrase"]);
  checkLabel(options.keyid, "keyid");
  checkEncoding(options.ecdsaEncoding);
  checkPassphrase(options.passphrase);
  const wanted = options.alg === undefined ? undefined : lookupAlgorithm(options.alg).alg;
  const stated = options.publicKey === undefined ? undefined : parseSpki(options.publicKey);

  let signer: Signer;
  if (isCryptoKey(source)) {
    signer = await fromCryptoKey(
      source,
      agree(wanted, cryptoKeyAlgorithm(source)),
      stated,
      options,
    );
  } else {
    const { key, alg, keyid } = await readPrivate(source, options.passphrase);
    const entry = algorithmOf(key.algorithm, agree(wanted, alg));
    signer = await fromPrivateKey(key, entry, stated, {
      ...options,
      keyid: options.keyid ?? keyid,
    });
  }
  return signer;
}

function checkEncoding(encoding: string | undefined): void {
  if (encoding !== undefined && !ENCODINGS.includes(encoding)) {
    throw new TypeError(`ecdsaEncoding must be one of ${ENCODINGS.join(", ")}`);
  }
}

function agree(wanted: string | undefined, found: string | undefined): string | undefined {
  if (wanted !== undefined && found !== undefined && wanted !== found) {
    throw new AttestationError(
      "key-algorithm-mismatch",
      `Cannot import key: it says that it is for ${found}, not for ${wanted}`,
    );
  }
  return wanted ?? found;
}

function cryptoKeyAlgorithm(source: CryptoKey): string | undefined {
  if (source.type !== "private") {
    throw malformed(`a ${source.type} CryptoKey where a private one is due`);
  }
  const alg = algorithmOfCryptoKey(source);
  if (!source.usages.includes("sign")) throw malformed("a CryptoKey whose usages have no sign");
  return alg;
}

async function readPrivate(
  source: string | Uint8Array | JsonWebKey | PrivateJwk,
  passphrase: string | Uint8Array | undefined,
): Promise<{ key: PrivateKey; alg?: string; keyid?: string }> {
  if (typeof source === "string") {
    checkSize(source);
    if (/^\s*\{/.test(source)) return readPrivateJwk(parseJwkText(source));
    const label = findEncryptedLabel(source);
    if (label === undefined) return { key: readPkcs8(decodeKeyPem(source, "PRIVATE KEY")) };
    const secret = needPassphrase(passphrase);
    const { openPem } = await import("./encrypted_key.ts");
    return { key: readPkcs8(await openPem(source, label, secret)) };
  }
  if (source instanceof Uint8Array) {
    checkSize(source);
    if (!isEncryptedInfo(source)) return { key: readPkcs8(source) };
    const secret = needPassphrase(passphrase);
    const { decryptPkcs8 } = await import("./pbes2.ts");
    return { key: readPkcs8(await decryptPkcs8(source, secret)) };
  }
  if (typeof source !== "object" || source === null) {
    throw new TypeError("A key must be PEM or JWK text, bytes, a JWK object or a CryptoKey");
  }
  return readPrivateJwk(source);
}

function needPassphrase(passphrase: string | Uint8Array | undefined): Bytes {
  if (passphrase !== undefined) return passphraseBytes(passphrase);
  throw new AttestationError(
    "missing-passphrase",
    "Cannot read key: it is encrypted, and no passphrase is given",
  );
}

function readPrivateJwk(source: object): { key: PrivateKey; alg?: string; keyid?: string } {
  const jwk = readJwk(source, "private");
  return { key: pkcs8OfJwk(jwk), alg: jwk.alg, keyid: jwk.keyid };
}

interface SignerOptions {
  keyid?: string;
  ecdsaEncoding?: "der" | "p1363";
}

async function fromPrivateKey(
  key: PrivateKey,
  entry: AlgorithmEntry,
  stated: PublicKey | undefined,
  options: SignerOptions,
): Promise<Signer> {
  const params = importParams(entry, entry.scheme);
  let signing: CryptoKey;
  let derived: PublicKey;
  try {
    signing = await crypto.subtle.importKey("pkcs8", key.pkcs8, params, false, ["sign"]);
    derived = await publicHalf(
      await crypto.subtle.importKey("pkcs8", key.pkcs8, params, true, ["sign"]),
    );
  } catch (cause) {
    throw isAttestationError(cause) ? cause : notTaken(entry, cause);
  }
  if (key.publicSeed !== undefined && !startsWith(readSpki(derived.spki), key.publicSeed)) {
    throw malformed("an expanded private key that does not belong to its seed");
  }
  if (key.stated !== undefined && !sameKey(key.stated, readSpki(derived.spki))) throw unfit();
  if (stated !== undefined && stated.fingerprint !== derived.fingerprint) throw unfit();
  return await createSigner(signing, derived, entry, options);
}

function startsWith(material: KeyMaterial, start: Bytes): boolean {
  return "encoded" in material && equalBytes(material.encoded.subarray(0, start.length), start);
}

async function fromCryptoKey(
  source: CryptoKey,
  alg: string | undefined,
  stated: PublicKey | undefined,
  options: SignerOptions,
): Promise<Signer> {
  if (stated === undefined && !source.extractable) {
    throw malformed(
      "a CryptoKey that cannot be exported: give its public half as the option publicKey",
    );
  }
  const key = stated ?? await publicHalf(source);
  return await createSigner(source, key, algorithmOf(key, alg), options);
}

/** The public half: WebCrypto tells it in the JWK only, whose private members are dropped. */
async function publicHalf(key: CryptoKey): Promise<PublicKey> {
  const jwk: JsonWebKey & { pub?: string } = await crypto.subtle.exportKey("jwk", key);
  const { kty, crv, x, y, n, e, pub } = jwk;
  const members = kty === "AKP" ? { kty, alg: jwk.alg, pub } : { kty, crv, x, y, n, e };
  return parseSpki(encodeSpki(readJwk(members, "public").material));
}

async function createSigner(
  key: CryptoKey,
  publicKey: PublicKey,
  entry: AlgorithmEntry,
  options: SignerOptions,
): Promise<Signer> {
  const { scheme, alg } = entry;
  const { keyid, ecdsaEncoding = "der" } = options;
  const params = signatureParams(scheme);
  const convert = scheme.name === "ECDSA" && ecdsaEncoding === "der";
  const sign = async (data: Uint8Array): Promise<Bytes> => {
    const signature = new Uint8Array(await crypto.subtle.sign(params, key, asBytes(data)));
    return convert ? p1363ToDer(signature) : signature;
  };
  let probe: Bytes;
  try {
    probe = await sign(PROBE);
  } catch (cause) {
    throw notTaken(entry, cause);
  }
  if (!await verifySignature(publicKey, scheme, probe, PROBE, ecdsaEncoding)) throw unfit();
  return Object.freeze({
    alg,
    ...(keyid === undefined ? {} : { keyid }),
    sign,
    publicKey: (): Promise<Bytes> => Promise.resolve(publicKey.spki.slice()),
  });
}

function unfit(): AttestationError {
  return malformed("a public half that does not belong to the private one");
}

/** After the strict reading only a number that does not fit, or the runtime, can be the cause. */
function notTaken(key: KeyShape & { alg: KeyAlgorithm }, cause: unknown): AttestationError {
  const lacks = cause instanceof Error && cause.name === "NotSupportedError";
  return new AttestationError(
    lacks ? "unsupported-algorithm" : "malformed-key",
    `Cannot import key: this runtime does not take ${describeKey(key)} for ${key.alg}`,
  );
}

/**
 * Makes a new key pair: to sign with, to trust, and as PEM to keep.
 *
 * Source: FIPS 186-5; FIPS 204; W3C Web Cryptography API, `generateKey`.
 *
 * @param alg Algorithm of the signatures.
 * @param options See {@linkcode GenerateSignerOptions}.
 *
 * @throws {AttestationError} `unsupported-algorithm` (also what this runtime lacks, such as
 * ML-DSA in some), `missing-passphrase` (it is empty).
 * @throws {TypeError} If an option is unknown, of the wrong type, or `modulusLength` is given
 * for another kind of key than RSA.
 * @throws {RangeError} If `modulusLength` is no multiple of 8 from 2048 to 8192.
 *
 * @example A key pair
 * ```ts
 * import { generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { signer, trustedKey, publicKey } = await generateSigner("Ed25519", { name: "ci" });
 * const data = new TextEncoder().encode("hello");
 * assert.ok(await trustedKey.verify(data, await signer.sign(data)));
 * assert.ok(publicKey.startsWith("-----BEGIN PUBLIC KEY-----"));
 * ```
 */
export async function generateSigner(
  alg: KeyAlgorithm,
  options: GenerateSignerOptions = {},
): Promise<GeneratedSigner> {
  checkOptions(options, ["name", "keyid", "ecdsaEncoding", "modulusLength", "passphrase"]);
  checkLabel(options.name, "name");
  checkLabel(options.keyid, "keyid");
  checkEncoding(options.ecdsaEncoding);
  const entry = lookupAlgorithm(alg);
  const params = generateParams(entry, options.modulusLength);
  const { name, keyid, ecdsaEncoding, passphrase } = options;
  const lock = passphrase === undefined ? undefined : await import("./encrypted_key.ts");
  if (passphrase !== undefined) lock?.checkNewPassphrase(passphrase);
  let pkcs8: Bytes;
  let spki: Bytes;
  let jwk: JsonWebKey;
  try {
    const pair = await crypto.subtle.generateKey(params, true, ["sign", "verify"]) as CryptoKeyPair;
    pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
    spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
    jwk = await crypto.subtle.exportKey("jwk", pair.privateKey);
  } catch (cause) {
    throw new AttestationError(
      "unsupported-algorithm",
      `Cannot generate key: this runtime does not make ${describeKey(entry)} for ${entry.alg}`,
      { cause },
    );
  }
  const key = readPkcs8(pkcs8);
  const signer = await fromPrivateKey(key, entry, parseSpki(spki), { keyid, ecdsaEncoding });
  const trustedKey = await importTrustedKey(spki, { alg: entry.alg, name, keyid });
  const privateKey = encodePem("PRIVATE KEY", key.pkcs8);
  const publicJwk = exportPublicJwk(trustedKey);
  const made = { signer, trustedKey, publicKey: encodePem("PUBLIC KEY", spki), publicJwk };
  return lock === undefined || passphrase === undefined
    ? { ...made, privateKey, privateJwk: joinPrivateJwk(publicJwk, jwk) }
    : { ...made, privateKey: await lock.encryptPrivateKey(privateKey, passphrase) };
}

function generateParams(
  entry: AlgorithmEntry,
  modulusLength: number | undefined,
): Algorithm | EcKeyImportParams | RsaHashedKeyGenParams {
  const params = importParams(entry, entry.scheme);
  if (entry.kind !== "RSA") {
    if (modulusLength !== undefined) throw new TypeError("modulusLength is for RSA keys only");
    return params;
  }
  const bits = modulusLength ?? 3072;
  if (!Number.isInteger(bits) || bits < 2048 || bits > 8192 || bits % 8 !== 0) {
    throw new RangeError("modulusLength must be a multiple of 8 from 2048 to 8192");
  }
  const publicExponent = Uint8Array.of(1, 0, 1);
  return { ...params as RsaHashedImportParams, modulusLength: bits, publicExponent };
}
