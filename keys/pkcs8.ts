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
import type { CurveName } from "./algorithm.ts";
import type { Jwk } from "./jwk.ts";
import {
  type AlgorithmIdentifier,
  asKeyError,
  bitLength,
  checkEd25519,
  checkPoint,
  checkRsa,
  checkSize,
  CURVES,
  encodeAlgorithm,
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
}

const VERSION_0 = encodeUnsigned(Uint8Array.of(0));
const VERSION_1 = encodeUnsigned(Uint8Array.of(1));

/**
 * Reads a PKCS#8 private key strictly and writes it anew: runtimes differ in what they
 * take of version 1 (with a public key) and of attributes.
 *
 * Source: RFC 5958, 2; RFC 5915, 3; RFC 8017, A.1.2; RFC 8410, 7.
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
    const outer = outerPublic === undefined ? undefined : readStated(algorithm, outerPublic);
    if (outer !== undefined && key.stated !== undefined && !sameKey(outer, key.stated)) {
      throw malformed("two public halves that differ");
    }
    return outer === undefined ? key : { ...key, stated: outer };
  });
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
    const d = secret("d");
    const inner = material.kind === "EC" ? encodeEcPrivateKey(d) : encodeDer(Tag.octetString, d);
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
  return readRsaPrivateKey(inner);
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

/** Runtimes differ in which of the numbers they use; those left over must agree all the same. */
function checkRsaFactors(modulus: Bytes, exponent: Bytes, secrets: Bytes[]): void {
  const [n, e, d, p, q, dp, dq, qi] = [modulus, exponent, ...secrets].map(toBigInt);
  const agree = p > 1n && q > 1n && p * q === n && (d * e) % (p - 1n) === 1n &&
    (d * e) % (q - 1n) === 1n && dp === d % (p - 1n) && dq === d % (q - 1n) && (qi * q) % p === 1n;
  if (!agree) throw malformed("a private RSA key whose numbers do not belong together");
}

function readStated(algorithm: AlgorithmIdentifier, element: Der): KeyMaterial {
  const bytes = readBitString({ tag: Tag.bitString, raw: element.raw, value: element.value });
  if (algorithm.kind === "EC") return checkPoint(algorithm.curve, bytes);
  if (algorithm.kind === "Ed25519") return checkEd25519(bytes);
  const reader = readSequence(parseDer(bytes));
  const modulus = readUnsigned(reader.next(Tag.integer));
  const exponent = readUnsigned(reader.next(Tag.integer));
  reader.end();
  return checkRsa(modulus, exponent);
}

/** Tells whether two public keys are the same. */
export function sameKey(a: KeyMaterial, b: KeyMaterial): boolean {
  if (a.kind === "RSA" || b.kind === "RSA") {
    return a.kind === "RSA" && b.kind === "RSA" && equalBytes(a.modulus, b.modulus) &&
      equalBytes(a.exponent, b.exponent);
  }
  return a.kind === b.kind && equalBytes(a.point, b.point);
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
