import { isAttestationError } from "../errors.ts";
import { decodeBase64, encodeBase64Url } from "../internal/base64.ts";
import { type Bytes, concat } from "../internal/bytes.ts";
import { isObject, quote } from "../internal/json.ts";
import { parseKeyJson } from "./_source.ts";
import { type CurveName, type KeyAlgorithm, lookupAlgorithm } from "./algorithm.ts";
import {
  checkEd25519,
  checkMlDsa,
  checkPoint,
  checkRsa,
  CURVES,
  isMlDsa,
  type KeyMaterial,
  malformed,
  MAX_KEY_BYTES,
  ML_DSA,
  readSpki,
  unsupported,
} from "./spki.ts";

/** A JSON Web Key, read. */
export interface Jwk {
  readonly material: KeyMaterial;
  /** Its `alg`, in this package's words. */
  readonly alg?: string;
  /** Its `kid`. */
  readonly keyid?: string;
  /** Members of the private half, still in base64url. */
  readonly secrets: ReadonlyMap<string, Bytes>;
}

/** Every member that RFC 7518, 6 and the key type AKP keep secret. */
const SECRET_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] as const;

/** JWK text as an object. */
export function parseJwkText(text: string): object {
  const value = parseKeyJson(text, { maxLength: MAX_KEY_BYTES, maxDepth: 16 });
  if (!isObject(value)) throw malformed("a JWK is a JSON object");
  return value;
}

/**
 * Reads a JWK strictly: base64url without padding and with one text per value, exact
 * lengths, no leading zeros, nothing that speaks against its use for signatures.
 *
 * Source: RFC 7517, 4; RFC 7518, 6.2 and 6.3; RFC 8037, 2; draft-ietf-cose-dilithium, "Algorithm
 * Key Pair" (AKP).
 *
 * @param half `public` refuses a key that has anything of the private half.
 */
export function readJwk(source: object, half: "public" | "private"): Jwk {
  const jwk: Readonly<Record<string, unknown>> = { ...source };
  if (Array.isArray(jwk.keys)) throw malformed("a JWK set, wanted one key of it");
  const kty = text(jwk, "kty");
  if (kty === "oct") {
    throw unsupported("a symmetric key (oct), which whoever verifies could sign with,", "/kty");
  }
  if (kty !== "EC" && kty !== "OKP" && kty !== "RSA" && kty !== "AKP") {
    throw unsupported(`the JWK kty ${quote(kty)}`, "/kty");
  }

  const present = SECRET_MEMBERS.filter((name) => jwk[name] !== undefined);
  if (half === "public" && present.length > 0) {
    throw malformed(
      `a private JWK (member ${present[0]}) where a public one is due: remove the private members`,
      `/${present[0]}`,
    );
  }
  checkUse(jwk, half === "public" ? "verify" : "sign");
  const material = readMaterial(kty, jwk);
  const secrets = new Map<string, Bytes>();
  if (half === "private") {
    const main = kty === "AKP" ? "priv" : "d";
    if (jwk[main] === undefined) {
      throw malformed("a public JWK where a private one is due", `/${main}`);
    }
    for (const name of present) {
      if (name === "oth") throw unsupported("an RSA key of more than two primes", "/oth");
      const own = kty === "RSA" ? name !== "k" && name !== "priv" : name === main;
      if (!own) {
        throw malformed(`the member ${name}, which a key of kty ${kty} does not have`, `/${name}`);
      }
      secrets.set(name, decodeMember(jwk, name));
    }
  }
  return {
    material,
    secrets,
    ...(jwk.alg === undefined ? {} : { alg: algorithmName(text(jwk, "alg")) }),
    ...(jwk.kid === undefined || jwk.kid === "" ? {} : { keyid: text(jwk, "kid") }),
  };
}

function algorithmName(alg: string): string {
  return alg === "EdDSA" ? "Ed25519" : lookupAlgorithm(alg).alg;
}

function readMaterial(
  kty: "EC" | "OKP" | "RSA" | "AKP",
  jwk: Readonly<Record<string, unknown>>,
): KeyMaterial {
  if (kty === "RSA") return checkRsa(decodeNumber(jwk, "n"), decodeNumber(jwk, "e"));
  if (kty === "AKP") {
    const alg = text(jwk, "alg");
    if (!isMlDsa(alg)) throw unsupported(`the JWK alg ${quote(alg)} of kty AKP`, "/alg");
    return checkMlDsa(alg, decodeExact(jwk, "pub", ML_DSA[alg].publicKey));
  }
  const crv = text(jwk, "crv");
  if (kty === "OKP") {
    if (crv !== "Ed25519") throw unsupported(`the JWK crv ${quote(crv)} of kty OKP`, "/crv");
    return checkEd25519(decodeExact(jwk, "x", 32));
  }
  if (!isCurve(crv)) throw unsupported(`the JWK crv ${quote(crv)} of kty EC`, "/crv");
  const { size } = CURVES[crv];
  const point = concat(Uint8Array.of(4), decodeExact(jwk, "x", size), decodeExact(jwk, "y", size));
  return checkPoint(crv, point);
}

function isCurve(crv: string): crv is CurveName {
  return Object.hasOwn(CURVES, crv);
}

function checkUse(jwk: Readonly<Record<string, unknown>>, operation: "sign" | "verify"): void {
  if (jwk.use !== undefined && jwk.use !== "sig") {
    throw malformed("a JWK whose use is not sig", "/use");
  }
  const operations = jwk.key_ops;
  if (operations === undefined) return;
  if (
    !Array.isArray(operations) || operations.some((name) => typeof name !== "string") ||
    new Set(operations).size !== operations.length
  ) throw malformed("key_ops that are not a list of distinct names", "/key_ops");
  if (!operations.includes(operation)) throw malformed(`key_ops without ${operation}`, "/key_ops");
}

function text(jwk: Readonly<Record<string, unknown>>, name: string): string {
  const value = jwk[name];
  if (typeof value !== "string") {
    throw malformed(`the JWK member ${name} is not a string`, `/${name}`);
  }
  return value;
}

function decodeMember(jwk: Readonly<Record<string, unknown>>, name: string): Bytes {
  const value = text(jwk, name);
  if (value.length > MAX_KEY_BYTES) {
    throw malformed(`the JWK member ${name} is too long`, `/${name}`);
  }
  try {
    return decodeBase64(value, { alphabet: "url", padding: "none" });
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    // The cause is kept out: the member may be secret.
    throw malformed(`the JWK member ${name} is not base64url without padding`, `/${name}`);
  }
}

function decodeExact(
  jwk: Readonly<Record<string, unknown>>,
  name: string,
  length: number,
): Bytes {
  const bytes = decodeMember(jwk, name);
  if (bytes.length !== length) {
    throw malformed(
      `the JWK member ${name} has ${bytes.length} octets, wanted ${length}`,
      `/${name}`,
    );
  }
  return bytes;
}

function decodeNumber(jwk: Readonly<Record<string, unknown>>, name: string): Bytes {
  const bytes = decodeMember(jwk, name);
  if (bytes.length === 0 || bytes[0] === 0) {
    throw malformed(`the JWK member ${name} is empty or has leading zeros`, `/${name}`);
  }
  return bytes;
}

/** The members that RFC 7638, 3.2 hashes, in its order. */
export function requiredMembers(key: KeyMaterial): Record<string, string> {
  if (key.kind === "RSA") {
    return { e: encodeBase64Url(key.exponent), kty: "RSA", n: encodeBase64Url(key.modulus) };
  }
  if (key.kind === "Ed25519") return { crv: "Ed25519", kty: "OKP", x: encodeBase64Url(key.point) };
  if (key.kind !== "EC") return { alg: key.kind, kty: "AKP", pub: encodeBase64Url(key.encoded) };
  const { size } = CURVES[key.curve];
  const x = encodeBase64Url(key.point.subarray(1, 1 + size));
  return { crv: key.curve, kty: "EC", x, y: encodeBase64Url(key.point.subarray(1 + size)) };
}

/** A public key as JSON Web Key. Members that `kty` does not have are absent. */
export interface PublicJwk {
  /** `EC`, `OKP`, `RSA` or `AKP`. */
  kty: string;
  /** Algorithm of its signatures. */
  alg: KeyAlgorithm;
  /** What its owner calls it. */
  kid?: string;
  /** Curve of EC and OKP. */
  crv?: string;
  /** Coordinate of EC, point of OKP. */
  x?: string;
  /** Coordinate of EC. */
  y?: string;
  /** Modulus of RSA. */
  n?: string;
  /** Exponent of RSA. */
  e?: string;
  /** Public key of AKP. */
  pub?: string;
}

/** A private key as JSON Web Key, not encrypted. Members that `kty` does not have are absent. */
export interface PrivateJwk extends PublicJwk {
  /** Private number of EC and RSA, seed of OKP. */
  d?: string;
  /** First prime of RSA. */
  p?: string;
  /** Second prime of RSA. */
  q?: string;
  /** `d` modulo p - 1, of RSA. */
  dp?: string;
  /** `d` modulo q - 1, of RSA. */
  dq?: string;
  /** Inverse of `q` modulo `p`, of RSA. */
  qi?: string;
  /** Seed of AKP. */
  priv?: string;
}

/** What a JWK tells of a key beside its numbers. */
export interface JwkSource {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** Algorithm of its signatures. */
  readonly alg: KeyAlgorithm;
  /** What its owner calls it. */
  readonly keyid?: string;
}

/**
 * The JWK of a public key, with its algorithm and, as `kid`, its key id. The pairs of curve
 * and hash that JOSE has no name for keep ours as `alg`, so that nobody takes them for others.
 *
 * Source: RFC 7517, 4; RFC 7518, 6; RFC 8037, 2; RFC 9864, 2.2; draft-ietf-cose-dilithium.
 *
 * @param key A trusted key, or what has as much of it.
 *
 * @throws {AttestationError} As `importTrustedKey()`, if `spki` is refused.
 *
 * @example Out and in again
 * ```ts
 * import { exportPublicJwk, generateSigner, importTrustedKey } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { trustedKey } = await generateSigner("ES256", { keyid: "ci" });
 * const jwk = exportPublicJwk(trustedKey);
 * assert.equal(jwk.kid, "ci");
 * assert.equal((await importTrustedKey(jwk)).fingerprint, trustedKey.fingerprint);
 * ```
 */
export function exportPublicJwk(key: JwkSource): PublicJwk {
  const { kty, ...members } = requiredMembers(readSpki(key.spki));
  return {
    kty,
    ...members,
    alg: key.alg,
    ...(key.keyid === undefined ? {} : { kid: key.keyid }),
  };
}

/** The JWK of a pair, with what the runtime's JWK of its private half keeps secret. */
export function joinPrivateJwk(publicJwk: PublicJwk, exported: object): PrivateJwk {
  const source: Readonly<Record<string, unknown>> = { ...exported };
  const jwk: Record<string, unknown> & PublicJwk = { ...publicJwk };
  for (const name of SECRET_MEMBERS) if (source[name] !== undefined) jwk[name] = source[name];
  return jwk;
}
