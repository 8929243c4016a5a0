import { type Bytes, equalBytes } from "../internal/bytes.ts";
import {
  type Der,
  encodeDer,
  parseDer,
  readBitString,
  readOctetString,
  readSequence,
  readSmall,
  readUnsigned,
  Tag,
} from "../internal/der.ts";
import { encodeUnsigned } from "./_der.ts";
import type { CurveName, MlDsaName } from "./algorithm.ts";
import type { Jwk } from "./jwk.ts";
import {
  type AlgorithmIdentifier,
  asKeyError,
  bitLength,
  checkMaterial,
  checkPoint,
  checkRsa,
  checkSize,
  CURVES,
  encodeAlgorithm,
  encodeSpki,
  type KeyMaterial,
  malformed,
  readAlgorithm,
  readCurve,
  toBigInt,
  unsupported,
} from "./spki.ts";

/** A private key, checked for shape and sizes, in the one form that every runtime takes. */
export interface PrivateKey {
  readonly algorithm: AlgorithmIdentifier;
  /** PKCS#8 of version 0 without attributes. */
  readonly pkcs8: Bytes;
  /** The public half that is stated beside it; not yet known to belong to it. */
  readonly stated?: KeyMaterial;
  /** What the public key of an ML-DSA key with an expanded form must begin with. */
  readonly publicSeed?: Bytes;
}

const VERSION_0 = encodeUnsigned(Uint8Array.of(0));
const VERSION_1 = encodeUnsigned(Uint8Array.of(1));

/**
 * Reads a PKCS#8 private key strictly and writes it anew: runtimes differ in what they
 * take of version 1 (with a public key) and of attributes.
 *
 * Source: RFC 5958, 2; RFC 5915, 3; RFC 8017, A.1.2; RFC 8410, 7; RFC 9881, 6.
 */
export function readPkcs8(der: Uint8Array): PrivateKey {
  checkSize(der);
  return asKeyError(() => {
    const reader = readSequence(parseDer(der));
    const version = readSmall(reader.next(Tag.integer));
    if (version > 1) throw malformed(`PKCS#8 of version ${version}, wanted 0 or 1`);
    const algorithm = readAlgorithm(reader.next(Tag.sequence).raw);
    const inner = readOctetString(reader.next(Tag.octetString));
    reader.optional(0xa0);
    const outerPublic = version === 1 ? reader.optional(0x81) : undefined;
    reader.end();

    const key = readInner(algorithm, inner);
    const outer = outerPublic === undefined
      ? undefined
      : checkMaterial(algorithm, bitStringOf(outerPublic));
    if (outer !== undefined && key.stated !== undefined && !sameKey(outer, key.stated)) {
      throw malformed("two public halves that differ");
    }
    return outer === undefined ? key : { ...key, stated: outer };
  });
}

/** Bytes of `publicKey [1]`, which is a BIT STRING under another tag. */
function bitStringOf({ raw, value }: Der): Bytes {
  return readBitString({ tag: Tag.bitString, raw, value });
}

/** The PKCS#8 form of a private JWK. */
export function pkcs8OfJwk({ material, secrets }: Jwk): PrivateKey {
  const secret = (name: string): Bytes => {
    const value = secrets.get(name);
    if (value === undefined) {
      throw malformed(`a private JWK without the member ${name}`, `/${name}`);
    }
    return value;
  };
  return asKeyError(() => {
    if (material.kind === "RSA") {
      const { modulus, exponent } = material;
      const rest = ["d", "p", "q", "dp", "dq", "qi"].map(secret);
      if (rest.some((number) => number.length === 0 || number[0] === 0)) {
        throw malformed("a private JWK member that is empty or has leading zeros");
      }
      const numbers = [modulus, exponent, ...rest].map(encodeUnsigned);
      return readInner(material, encodeDer(Tag.sequence, VERSION_0, ...numbers));
    }
    const inner = material.kind === "EC"
      ? encodeEcPrivateKey(secret("d"))
      : material.kind === "Ed25519"
      ? encodeDer(Tag.octetString, secret("d"))
      : encodeDer(SEED, secret("priv"));
    return { ...readInner(material, inner), stated: material };
  });
}

function readInner(algorithm: AlgorithmIdentifier, inner: Bytes): PrivateKey {
  if (algorithm.kind === "Ed25519") {
    const seed = readOctetString(parseDer(inner, Tag.octetString));
    if (seed.length !== 32) {
      throw malformed(`${seed.length} octets of private Ed25519 key, wanted 32`);
    }
    return { algorithm, pkcs8: encodePkcs8(algorithm, encodeDer(Tag.octetString, seed)) };
  }
  if (algorithm.kind === "EC") return readEcPrivateKey(algorithm.curve, inner);
  if (algorithm.kind === "RSA") return readRsaPrivateKey(inner);
  return readMlDsaPrivateKey(algorithm.kind, parseDer(inner));
}

/** `seed [0]` of ML-DSA-PrivateKey. */
const SEED = 0x80;

/** Octets of an expanded private key: FIPS 204, 4, table 2. */
const EXPANDED_BYTES: Readonly<Record<MlDsaName, number>> = {
  "ML-DSA-44": 2560,
  "ML-DSA-65": 4032,
  "ML-DSA-87": 4896,
};

/**
 * Of the three forms that RFC 9881, 6 has, those with the seed: no WebCrypto takes a key
 * without it. From an expanded form beside it nothing is used, so of that only the length
 * and the first part, which it has in common with the public key, are compared.
 */
function readMlDsaPrivateKey(kind: MlDsaName, choice: Der): PrivateKey {
  const length = EXPANDED_BYTES[kind];
  const expanded = (element: Der): Bytes => {
    const bytes = readOctetString(element);
    if (bytes.length === length) return bytes;
    throw malformed(`${bytes.length} octets of expanded ${kind} key, wanted ${length}`);
  };
  if (choice.tag === Tag.octetString) {
    expanded(choice);
    throw unsupported(`an expanded private ${kind} key without its seed`);
  }
  let seed = choice.value;
  let publicSeed: Bytes | undefined;
  if (choice.tag === Tag.sequence) {
    const both = readSequence(choice);
    seed = readOctetString(both.next());
    publicSeed = expanded(both.next()).slice(0, 32);
    both.end();
  } else if (choice.tag !== SEED) throw malformed(`a private ${kind} key of an unknown form`);
  if (seed.length !== 32) throw malformed(`${seed.length} octets of ${kind} seed, wanted 32`);
  const algorithm: AlgorithmIdentifier = { kind };
  const key = { algorithm, pkcs8: encodePkcs8(algorithm, encodeDer(SEED, seed)) };
  return publicSeed === undefined ? key : { ...key, publicSeed };
}

function readEcPrivateKey(curve: CurveName, inner: Bytes): PrivateKey {
  const reader = readSequence(parseDer(inner));
  if (readSmall(reader.next(Tag.integer)) !== 1) {
    throw malformed("an EC private key not of version 1");
  }
  const d = readOctetString(reader.next(Tag.octetString));
  const { size, n } = CURVES[curve];
  if (d.length !== size) throw malformed(`${d.length} octets of private EC key, wanted ${size}`);
  const scalar = toBigInt(d);
  if (scalar === 0n || scalar >= n) throw malformed("a private EC key out of range");
  const parameters = reader.optional(0xa0);
  if (parameters !== undefined && readCurve(parameters.value) !== curve) {
    throw malformed("two curves that differ");
  }
  const publicPart = reader.optional(0xa1);
  reader.end();
  const algorithm: AlgorithmIdentifier = { kind: "EC", curve };
  // Without the public half, so that the runtime computes it and does not believe it.
  const key = { algorithm, pkcs8: encodePkcs8(algorithm, encodeEcPrivateKey(d)) };
  if (publicPart === undefined) return key;
  return { ...key, stated: checkPoint(curve, readBitString(parseDer(publicPart.value))) };
}

function encodeEcPrivateKey(d: Bytes): Bytes {
  return encodeDer(Tag.sequence, VERSION_1, encodeDer(Tag.octetString, d));
}

function readRsaPrivateKey(inner: Bytes): PrivateKey {
  const reader = readSequence(parseDer(inner));
  const version = readSmall(reader.next(Tag.integer));
  if (version === 1) throw unsupported("an RSA key of more than two primes");
  if (version !== 0) throw malformed(`an RSA private key of version ${version}`);
  const [modulus, exponent, ...secrets] = Array.from(
    { length: 8 },
    () => readUnsigned(reader.next(Tag.integer)),
  );
  reader.end();
  const stated = checkRsa(modulus, exponent);
  const half = Math.ceil(bitLength(modulus) / 2);
  const [d, ...factors] = secrets;
  // Primes of very unequal size are easier to find; their exponents are below them.
  if (
    isZero(d) || d.length > modulus.length || factors.some((n) => isZero(n) || bitLength(n) > half)
  ) {
    throw malformed("a private RSA key with a number out of range");
  }
  checkRsaFactors(modulus, exponent, secrets);
  const algorithm: AlgorithmIdentifier = { kind: "RSA" };
  return { algorithm, pkcs8: encodePkcs8(algorithm, inner), stated };
}

/**
 * Runtimes differ in which of the numbers they use; those left over must agree all the same.
 * No prime is longer than half the modulus, so that both are above one if they give it.
 */
function checkRsaFactors(modulus: Bytes, exponent: Bytes, secrets: Bytes[]): void {
  const [n, e, d, p, q, dp, dq, qi] = [modulus, exponent, ...secrets].map(toBigInt);
  const agree = p * q === n && (d * e) % (p - 1n) === 1n &&
    (d * e) % (q - 1n) === 1n && dp === d % (p - 1n) && dq === d % (q - 1n) && (qi * q) % p === 1n;
  if (!agree) throw malformed("a private RSA key whose numbers do not belong together");
}

/** Tells whether two public keys are the same. */
export function sameKey(a: KeyMaterial, b: KeyMaterial): boolean {
  return equalBytes(encodeSpki(a), encodeSpki(b));
}

function isZero(number: Bytes): boolean {
  return number.every((octet) => octet === 0);
}

function encodePkcs8(algorithm: AlgorithmIdentifier, inner: Bytes): Bytes {
  return encodeDer(
    Tag.sequence,
    VERSION_0,
    encodeAlgorithm(algorithm),
    encodeDer(Tag.octetString, inner),
  );
}
