import { AttestationError, isAttestationError } from "../errors.ts";
import { asBytes, type Bytes } from "../internal/bytes.ts";
import {
  encodeDer,
  parseDer,
  readBitString,
  readOid,
  readSequence,
  readUnsigned,
  Tag,
} from "../internal/der.ts";
import { encodeHex } from "../internal/hex.ts";
import { encodeBitString, encodeOid, encodeUnsigned } from "./_der.ts";
import type { CurveName, MlDsaName } from "./algorithm.ts";

/** A public key by its numbers, checked. */
export type KeyMaterial =
  | { readonly kind: "Ed25519"; readonly point: Bytes }
  | { readonly kind: MlDsaName; readonly encoded: Bytes }
  | { readonly kind: "EC"; readonly curve: CurveName; readonly point: Bytes }
  | { readonly kind: "RSA"; readonly modulus: Bytes; readonly exponent: Bytes };

interface Curve {
  readonly oid: string;
  /** Octets of a coordinate. */
  readonly size: number;
  readonly p: bigint;
  readonly b: bigint;
  /** Order of the group. */
  readonly n: bigint;
}

/** Curves of FIPS 186-5; SP 800-186, 3.2.1. All have a = -3 and cofactor 1. */
export const CURVES: Readonly<Record<CurveName, Curve>> = {
  "P-256": {
    oid: "1.2.840.10045.3.1.7",
    size: 32,
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  "P-384": {
    oid: "1.3.132.0.34",
    size: 48,
    p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  "P-521": {
    oid: "1.3.132.0.35",
    size: 66,
    p: 2n ** 521n - 1n,
    b: 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
    n: 0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  },
};

/** OBJECT IDENTIFIERs of the algorithms. */
const Oid = {
  ecPublicKey: "1.2.840.10045.2.1",
  rsaEncryption: "1.2.840.113549.1.1.1",
  ed25519: "1.3.101.112",
} as const;

interface MlDsa {
  readonly oid: string;
  /** Octets of a public key. */
  readonly publicKey: number;
  /** Octets of a signature. */
  readonly signature: number;
}

/** Parameter sets of ML-DSA: RFC 9881, 2; FIPS 204, 4, table 2. */
export const ML_DSA: Readonly<Record<MlDsaName, MlDsa>> = {
  "ML-DSA-44": { oid: "2.16.840.1.101.3.4.3.17", publicKey: 1312, signature: 2420 },
  "ML-DSA-65": { oid: "2.16.840.1.101.3.4.3.18", publicKey: 1952, signature: 3309 },
  "ML-DSA-87": { oid: "2.16.840.1.101.3.4.3.19", publicKey: 2592, signature: 4627 },
};

/** Tells whether a name is one of ML-DSA's. */
export function isMlDsa(name: string): name is MlDsaName {
  return Object.hasOwn(ML_DSA, name);
}

/** Algorithms that are met in the wild and not taken, by name for the message. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  [
    "1.2.840.113549.1.1.10",
    "id-RSASSA-PSS (give it as rsaEncryption, with alg PS256, PS384 or PS512)",
  ],
  ["1.2.840.113549.1.1.7", "id-RSAES-OAEP"],
  ["1.2.840.10040.4.1", "DSA"],
  ["1.2.840.10046.2.1", "Diffie-Hellman"],
  ["1.3.101.110", "X25519"],
  ["1.3.101.111", "X448"],
  ["1.3.101.113", "Ed448"],
  ["1.3.132.1.12", "ECDH"],
]);

const REFUSED_CURVES: ReadonlyMap<string, string> = new Map([
  ["1.3.132.0.10", "secp256k1"],
  ["1.3.132.0.33", "P-224"],
  ["1.2.840.10045.3.1.1", "P-192"],
  ["1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"],
  ["1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"],
  ["1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"],
]);

/** Octets of a key in any form; the largest, a private RSA key as PEM, takes about 6500. */
export const MAX_KEY_BYTES = 16_384;

const MIN_MODULUS_BITS = 2048;
const MAX_MODULUS_BITS = 8192;

/**
 * Reads a SubjectPublicKeyInfo, more strictly than any runtime's WebCrypto: DER only,
 * named curves only, uncompressed points on the curve, RSA within bounds, no Ed25519 key
 * under which anybody can sign.
 *
 * Source: RFC 5280, 4.1; RFC 5480, 2; RFC 3279, 2.3.1; RFC 8410, 3 and 4; RFC 9881, 2
 * and 4.
 */
export function readSpki(der: Uint8Array): KeyMaterial {
  checkSize(der);
  return asKeyError(() => {
    const outer = readSequence(parseDer(der));
    const algorithm = readAlgorithm(outer.next(Tag.sequence).raw);
    const key = readBitString(outer.next(Tag.bitString));
    outer.end();
    return checkMaterial(algorithm, key);
  });
}

/** Algorithm of a key: what its AlgorithmIdentifier says. */
export type AlgorithmIdentifier = { kind: "Ed25519" | "RSA" | MlDsaName } | {
  kind: "EC";
  curve: CurveName;
};

export function readAlgorithm(der: Uint8Array): AlgorithmIdentifier {
  const reader = readSequence(parseDer(der));
  const oid = readOid(reader.next(Tag.oid));
  if (oid === Oid.ecPublicKey) {
    if (reader.tag === Tag.sequence) {
      throw malformed("explicit EC parameters, wanted a named curve");
    }
    const curve = readCurve(reader.next(Tag.oid).raw);
    reader.end();
    return { kind: "EC", curve };
  }
  if (oid === Oid.rsaEncryption) {
    if (reader.next(Tag.null).value.length !== 0) {
      throw malformed("RSA parameters that are not NULL");
    }
    reader.end();
    return { kind: "RSA" };
  }
  const kind = oid === Oid.ed25519
    ? "Ed25519"
    : (Object.keys(ML_DSA) as MlDsaName[]).find((name) => ML_DSA[name].oid === oid);
  if (kind === undefined) throw unsupported(`the algorithm ${REFUSED.get(oid) ?? oid}`);
  reader.end();
  return { kind };
}

/** The curve that an OBJECT IDENTIFIER names. */
export function readCurve(der: Uint8Array): CurveName {
  const oid = readOid(parseDer(der));
  for (const name of Object.keys(CURVES) as CurveName[]) if (CURVES[name].oid === oid) return name;
  throw unsupported(`the curve ${REFUSED_CURVES.get(oid) ?? oid}`);
}

/** Checks a public key as it stands in a BIT STRING. */
export function checkMaterial(algorithm: AlgorithmIdentifier, key: Bytes): KeyMaterial {
  if (algorithm.kind === "EC") return checkPoint(algorithm.curve, key);
  if (algorithm.kind === "Ed25519") return checkEd25519(key);
  if (algorithm.kind !== "RSA") return checkMlDsa(algorithm.kind, key);
  const reader = readSequence(parseDer(key));
  const modulus = readUnsigned(reader.next(Tag.integer));
  const exponent = readUnsigned(reader.next(Tag.integer));
  reader.end();
  return checkRsa(modulus, exponent);
}

/** Checks an uncompressed point: SEC 1, 2.3.4 and 3.2.2.1. */
export function checkPoint(curve: CurveName, point: Uint8Array): KeyMaterial {
  const { size, p, b } = CURVES[curve];
  if (point.length !== 1 + 2 * size || point[0] !== 4) {
    throw malformed(
      `${describePoint(point)}, wanted an uncompressed point of ${1 + 2 * size} octets`,
    );
  }
  const x = toBigInt(point.subarray(1, 1 + size));
  const y = toBigInt(point.subarray(1 + size));
  if (x >= p || y >= p) throw malformed("a coordinate that is not below the prime of the curve");
  if ((y * y - (x * x - 3n) * x - b) % p !== 0n) throw malformed(`a point that is not on ${curve}`);
  return { kind: "EC", curve, point: copy(point) };
}

function describePoint(point: Uint8Array): string {
  if (point.length === 1 && point[0] === 0) return "the point at infinity";
  if (point[0] === 2 || point[0] === 3) return "a compressed point";
  if (point[0] === 6 || point[0] === 7) return "a hybrid point";
  return `a point of ${point.length} octets`;
}

const ED_P = 2n ** 255n - 19n;
const ED_D = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n;

/**
 * Checks an Ed25519 public key: RFC 8032, 5.1.3, and that its order is not small. Under
 * the eight points of small order a signature that anybody can write down verifies every
 * message.
 *
 * They are found by their y: the orders 1, 2 and 4 have y = 1, -1 and 0; doubling a point
 * of order 8 gives y = 0, which with the curve's equation is d*y^4 + 2*y^2 = 1.
 */
export function checkEd25519(point: Uint8Array): KeyMaterial {
  if (point.length !== 32) throw malformed(`${point.length} octets of Ed25519, wanted 32`);
  const encoded = toBigInt(point.slice().reverse());
  const y = encoded & (2n ** 255n - 1n);
  if (y >= ED_P) throw malformed("an Ed25519 point whose encoding is not canonical");
  const y2 = y * y % ED_P;
  if (y === 0n || y2 === 1n || (ED_D * y2 * y2 + 2n * y2 - 1n) % ED_P === 0n) {
    throw new AttestationError(
      "weak-key",
      "Cannot read key: an Ed25519 point of small order, under which anybody can sign",
    );
  }
  // x^2 = u/v has a root if and only if u*v is a square.
  const uv = (y2 + ED_P - 1n) * (ED_D * y2 + 1n) % ED_P;
  if (power(uv, (ED_P - 1n) / 2n, ED_P) !== 1n) {
    throw malformed("an Ed25519 point that is not on the curve");
  }
  return { kind: "Ed25519", point: copy(point) };
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = result * result % modulus;
    if (bit === "1") result = result * base % modulus;
  }
  return result;
}

/** Checks an ML-DSA public key: every text of the right length is one (FIPS 204, 7.2). */
export function checkMlDsa(kind: MlDsaName, encoded: Uint8Array): KeyMaterial {
  const { publicKey } = ML_DSA[kind];
  if (encoded.length !== publicKey) {
    throw malformed(`${encoded.length} octets of ${kind}, wanted ${publicKey}`);
  }
  return { kind, encoded: copy(encoded) };
}

/**
 * Checks the bounds of an RSA key; big-endian numbers without leading zeros. With e = 1
 * the padded digest is its own signature; very long numbers only burn time.
 */
export function checkRsa(modulus: Uint8Array, exponent: Uint8Array): KeyMaterial {
  const bits = bitLength(modulus);
  if (bits > MAX_MODULUS_BITS) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read key: an RSA modulus of ${bits} bits, at most ${MAX_MODULUS_BITS} are accepted`,
    );
  }
  if (bits < MIN_MODULUS_BITS) {
    throw weak(`an RSA modulus of ${bits} bits, at least ${MIN_MODULUS_BITS} are needed`);
  }
  if (modulus[modulus.length - 1] % 2 === 0) throw malformed("an even RSA modulus");
  const exponentBits = bitLength(exponent);
  if (exponentBits > 32) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read key: an RSA exponent of ${exponentBits} bits, at most 32 are accepted`,
    );
  }
  if (exponentBits < 2) throw weak("an RSA exponent below 3");
  if (exponent[exponent.length - 1] % 2 === 0) throw malformed("an even RSA exponent");
  if (isRoca(modulus)) {
    throw weak(
      "an RSA modulus of a faulty generator, which can be factored (ROCA, CVE-2017-15361)",
    );
  }
  return { kind: "RSA", modulus: copy(modulus), exponent: copy(exponent) };
}

/**
 * Tells whether a modulus has the structure of the generator that CVE-2017-15361 is about:
 * modulo every small prime it is a power of 65537. The generator used all primes up to 701
 * for 2048 bits and more of them for longer keys; another modulus fails at one of the first.
 *
 * Source: Nemec et al., "The Return of Coppersmith's Attack", CCS 2017, 2.1 and 4.
 */
function isRoca(modulus: Uint8Array): boolean {
  for (let prime = 3; prime <= 701; prime += 2) {
    if (!isPrime(prime)) continue;
    const residue = modulus.reduce((rest, octet) => (rest * 256 + octet) % prime, 0);
    let power = 1;
    do power = power * 65537 % prime; while (power !== 1 && power !== residue);
    if (power !== residue) return false;
  }
  return true;
}

function isPrime(odd: number): boolean {
  for (let divisor = 3; divisor * divisor <= odd; divisor += 2) {
    if (odd % divisor === 0) return false;
  }
  return true;
}

/** Bits of a big-endian number without leading zero octets. */
export function bitLength(number: Uint8Array): number {
  return number.length === 0 ? 0 : number.length * 8 - (Math.clz32(number[0]) - 24);
}

/** DER of an AlgorithmIdentifier. */
export function encodeAlgorithm(algorithm: AlgorithmIdentifier): Bytes {
  if (algorithm.kind === "RSA") {
    return encodeDer(Tag.sequence, encodeOid(Oid.rsaEncryption), encodeDer(Tag.null));
  }
  if (algorithm.kind === "EC") {
    const curve = encodeOid(CURVES[algorithm.curve].oid);
    return encodeDer(Tag.sequence, encodeOid(Oid.ecPublicKey), curve);
  }
  const oid = algorithm.kind === "Ed25519" ? Oid.ed25519 : ML_DSA[algorithm.kind].oid;
  return encodeDer(Tag.sequence, encodeOid(oid));
}

/** DER of a SubjectPublicKeyInfo. */
export function encodeSpki(key: KeyMaterial): Bytes {
  const bytes = key.kind === "RSA"
    ? encodeDer(Tag.sequence, encodeUnsigned(key.modulus), encodeUnsigned(key.exponent))
    : "point" in key
    ? key.point
    : key.encoded;
  return encodeDer(Tag.sequence, encodeAlgorithm(key), encodeBitString(bytes));
}

export function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x0${encodeHex(bytes)}`);
}

function copy(bytes: Uint8Array): Bytes {
  return asBytes(bytes.slice());
}

/** Bounds what is read as a key. */
export function checkSize(source: { readonly length: number }): void {
  if (source.length > MAX_KEY_BYTES) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read key: ${source.length} bytes, at most ${MAX_KEY_BYTES} are accepted`,
    );
  }
}

/** Runs a reader of DER; what it finds wrong is wrong with the key. */
export function asKeyError<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!isAttestationError(cause) || cause.reason !== "malformed-der") throw cause;
    const message = cause.message.replace("Cannot read DER", "Cannot read key");
    throw new AttestationError("malformed-key", message, { cause });
  }
}

export function malformed(what: string, path?: string): AttestationError {
  return new AttestationError("malformed-key", `Cannot read key: ${what}`, { path });
}

export function unsupported(what: string, path?: string): AttestationError {
  return new AttestationError(
    "unsupported-algorithm",
    `Cannot read key: ${what} is not supported`,
    {
      path,
    },
  );
}

function weak(what: string): AttestationError {
  return new AttestationError("weak-key", `Cannot read key: ${what}`);
}
