import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import { checkLabel, checkOptions, decodeKeyPem, isCryptoKey } from "./_source.ts";
import { algorithmOf, describeKey, type KeyAlgorithm, lookupAlgorithm } from "./algorithm.ts";
import { parseJwkText, type PublicJwk, readJwk } from "./jwk.ts";
import {
  importForVerification,
  parseSpki,
  type PublicKey,
  type SignatureEncoding,
  verifySignature,
} from "./public_key.ts";
import {
  checkEd25519,
  checkMlDsa,
  checkPoint,
  checkSize,
  CURVES,
  encodeSpki,
  isMlDsa,
  malformed,
  ML_DSA,
} from "./spki.ts";

/** A public key that its owner is believed by, with the one algorithm that it is used with. */
export interface TrustedKey {
  /** Name in reports. */
  readonly name: string;
  /** Algorithm of its signatures. */
  readonly alg: KeyAlgorithm;
  /** What its owner calls it: a hint for the order of tries, never a reason for trust. */
  readonly keyid?: string;
  /** Lowercase hex SHA-256 of `spki`: what tells two keys apart. */
  readonly fingerprint: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array<ArrayBuffer>;
  /** Tells whether this key made this signature over data. Never throws on bad data. */
  verify(data: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** Options of {@linkcode importTrustedKey}. Unknown names are refused. */
export interface ImportKeyOptions {
  /**
   * Algorithm of its signatures. Default: what a JWK or CryptoKey says of itself, else by
   * the kind of key Ed25519, ES256 (P-256), ES384 (P-384), ES512 (P-521), RS256 (RSA),
   * ML-DSA-44, -65 or -87.
   */
  alg?: KeyAlgorithm;
  /** Name in reports. Default: `keyid`, else the first 16 digits of the fingerprint. */
  name?: string;
  /** What its owner calls it. Default: the `kid` of a JWK. */
  keyid?: string;
  /** How ECDSA signatures are laid out: ASN.1 DER, r‖s, or what verifies as either. Default `any`. */
  ecdsaEncoding?: "der" | "p1363" | "any";
}

interface Source {
  key: PublicKey;
  alg?: string;
  keyid?: string;
}

const OPTIONS = ["alg", "name", "keyid", "ecdsaEncoding"];
const ENCODINGS = ["der", "p1363", "any"];

/**
 * Imports a public key to trust, after a reading that is stricter than that of any
 * runtime: DER and base64url in their one canonical form, named curves, points on their
 * curve, RSA of 2048 to 8192 bits with an odd exponent from 3 to 32 bits, no Ed25519 key
 * under which anybody can sign. Private keys are refused, so that none ends up in a list
 * of trusted ones.
 *
 * Source: RFC 5280, 4.1.2.7; RFC 5480, 2; RFC 8410, 4; RFC 9881, 4; RFC 7517, 4; DSSE 1.0.2,
 * protocol.md, "Signature Algorithms" (agreed out of band, bound to the key).
 *
 * @param source PEM with one `PUBLIC KEY`, or JWK text; SubjectPublicKeyInfo as DER, or
 * raw with `alg` (Ed25519: 32 bytes; EC: uncompressed point of 65, 97 or 133 bytes; ML-DSA:
 * 1312, 1952 or 2592 bytes); a JWK as object; a public CryptoKey that can be exported.
 * @param options See {@linkcode ImportKeyOptions}.
 *
 * @throws {AttestationError} `malformed-key`, `malformed-pem`, `malformed-json`,
 * `duplicate-json-key`, `weak-key` (RSA below 2048 bits or with e < 3, Ed25519 of small
 * order), `limit-exceeded` (RSA above 8192 bits, longer input), `unsupported-algorithm`
 * (also one that this runtime lacks), `key-algorithm-mismatch`.
 * @throws {TypeError} If an option is unknown or of the wrong type.
 *
 * @example A PEM file's text
 * ```ts
 * import { importTrustedKey } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const key = await importTrustedKey(
 *   `-----BEGIN PUBLIC KEY-----
 * MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
 * -----END PUBLIC KEY-----
 * `,
 *   { name: "ci" },
 * );
 * assert.equal(key.alg, "Ed25519");
 * assert.equal(await key.verify(new Uint8Array(3), new Uint8Array(64)), false);
 * ```
 */
export async function importTrustedKey(
  source: string | Uint8Array | JsonWebKey | PublicJwk | CryptoKey,
  options: ImportKeyOptions = {},
): Promise<TrustedKey> {
  checkOptions(options, OPTIONS);
  checkLabel(options.name, "name");
  checkLabel(options.keyid, "keyid");
  const { ecdsaEncoding = "any" } = options;
  if (!ENCODINGS.includes(ecdsaEncoding)) {
    throw new TypeError(`ecdsaEncoding must be one of ${ENCODINGS.join(", ")}`);
  }
  const wanted = options.alg === undefined ? undefined : lookupAlgorithm(options.alg).alg;
  const found = await readSource(source, wanted);
  if (found.alg !== undefined && wanted !== undefined && found.alg !== wanted) {
    throw new AttestationError(
      "key-algorithm-mismatch",
      `Cannot import key: it says that it is for ${found.alg}, not for ${wanted}`,
    );
  }
  return await trustKey(found.key, {
    ...options,
    ecdsaEncoding,
    alg: wanted ?? found.alg,
    keyid: options.keyid ?? found.keyid,
  });
}

interface TrustOptions {
  alg?: string;
  name?: string;
  keyid?: string;
  ecdsaEncoding: SignatureEncoding;
}

async function trustKey(key: PublicKey, options: TrustOptions): Promise<TrustedKey> {
  const { alg, scheme } = algorithmOf(key, options.alg);
  try {
    await importForVerification(key, scheme);
  } catch (cause) {
    throw new AttestationError(
      "unsupported-algorithm",
      `Cannot import key: this runtime does not take ${describeKey(key)} for ${alg}`,
      { cause },
    );
  }
  const { keyid, ecdsaEncoding } = options;
  return Object.freeze({
    name: options.name ?? keyid ?? key.fingerprint.slice(0, 16),
    alg,
    ...(keyid === undefined ? {} : { keyid }),
    fingerprint: key.fingerprint,
    spki: key.spki.slice(),
    verify: (data: Uint8Array, signature: Uint8Array): Promise<boolean> =>
      verifySignature(key, scheme, signature, data, ecdsaEncoding),
  });
}

async function readSource(
  source: string | Uint8Array | JsonWebKey | PublicJwk | CryptoKey,
  alg: KeyAlgorithm | undefined,
): Promise<Source> {
  if (typeof source === "string") {
    checkSize(source);
    if (/^\s*\{/.test(source)) return readPublicJwk(parseJwkText(source));
    return { key: parseSpki(decodeKeyPem(source, "PUBLIC KEY")) };
  }
  if (source instanceof Uint8Array) return { key: readBytes(source, alg) };
  if (isCryptoKey(source)) return await readCryptoKey(source);
  if (typeof source !== "object" || source === null) {
    throw new TypeError("A key must be PEM or JWK text, bytes, a JWK object or a CryptoKey");
  }
  return readPublicJwk(source);
}

function readPublicJwk(source: object): Source {
  const { material, alg, keyid } = readJwk(source, "public");
  return { key: parseSpki(encodeSpki(material)), alg, keyid };
}

/** A raw key has no length in common with a SubjectPublicKeyInfo, nor a first octet with an EC point. */
function readBytes(source: Uint8Array, alg: KeyAlgorithm | undefined): PublicKey {
  if (alg !== undefined) {
    const { kind, curve } = lookupAlgorithm(alg);
    if (kind === "Ed25519" && source.length === 32) {
      return parseSpki(encodeSpki(checkEd25519(source)));
    }
    if (isMlDsa(kind) && source.length === ML_DSA[kind].publicKey) {
      return parseSpki(encodeSpki(checkMlDsa(kind, source)));
    }
    if (curve !== undefined && source[0] !== 0x30) {
      return parseSpki(encodeSpki(checkPoint(curve, source)));
    }
  } else if (
    source.length === 32 || Object.values(CURVES).some((c) => source.length === 1 + 2 * c.size)
  ) {
    throw malformed("not a SubjectPublicKeyInfo; a raw key needs the option alg");
  }
  return parseSpki(source);
}

const exported = new WeakMap<CryptoKey, PublicKey>();

async function readCryptoKey(source: CryptoKey): Promise<Source> {
  if (source.type !== "public") {
    throw malformed(`a ${source.type} CryptoKey where a public one is due`);
  }
  const alg = algorithmOfCryptoKey(source);
  if (!source.usages.includes("verify")) throw malformed("a CryptoKey whose usages have no verify");
  let key = exported.get(source);
  if (key === undefined) {
    if (!source.extractable) throw malformed("a CryptoKey that cannot be exported to be checked");
    key = parseSpki(new Uint8Array(await crypto.subtle.exportKey("spki", source)));
    exported.set(source, key);
  }
  return { key, alg };
}

/** The algorithm that a CryptoKey is tied to; those of ECDSA leave the hash open. */
export function algorithmOfCryptoKey(key: CryptoKey): string | undefined {
  const { name } = key.algorithm;
  if (name === "Ed25519" || isMlDsa(name)) return name;
  if (name === "ECDSA") return undefined;
  const hash = (key.algorithm as RsaHashedKeyAlgorithm).hash?.name ?? "";
  const family = name === "RSASSA-PKCS1-v1_5" ? "RS" : name === "RSA-PSS" ? "PS" : undefined;
  if (family === undefined || !/^SHA-(256|384|512)$/.test(hash)) {
    throw new AttestationError(
      "unsupported-algorithm",
      `Cannot import key: a CryptoKey for ${quote(`${name} ${hash}`.trim())} is not supported`,
    );
  }
  return family + hash.slice(4);
}
