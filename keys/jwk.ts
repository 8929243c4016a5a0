import { isAttestationError } from "../errors.ts";
import { decodeBase64, encodeBase64Url } from "../internal/base64.ts";
import { type Bytes, concat } from "../internal/bytes.ts";
import { isObject, parseJson, quote } from "../internal/json.ts";
import { type CurveName, lookupAlgorithm } from "./algorithm.ts";
import {
  checkEd25519,
  checkPoint,
  checkRsa,
  CURVES,
  type KeyMaterial,
  malformed,
  MAX_KEY_BYTES,
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

/** Every member that RFC 7518, 6 keeps secret. */
const SECRET_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] as const;

/** JWK text as an object. */
export function parseJwkText(text: string): object {
  const value = parseJson(text, { maxLength: MAX_KEY_BYTES, maxDepth: 16 });
  if (!isObject(value)) throw malformed("a JWK is a JSON object");
  return value;
}

/**
 * Reads a JWK strictly: base64url without padding and with one text per value, exact
 * lengths, no leading zeros, nothing that speaks against its use for signatures.
 *
 * Source: RFC 7517, 4; RFC 7518, 6.2 and 6.3; RFC 8037, 2.
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
  if (kty !== "EC" && kty !== "OKP" && kty !== "RSA") {
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
    if (jwk.d === undefined) throw malformed("a public JWK where a private one is due", "/d");
    for (const name of present) {
      if (name === "oth") throw unsupported("an RSA key of more than two primes", "/oth");
      const own = kty === "RSA" ? name !== "k" : name === "d";
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
  kty: "EC" | "OKP" | "RSA",
  jwk: Readonly<Record<string, unknown>>,
): KeyMaterial {
  if (kty === "RSA") return checkRsa(decodeNumber(jwk, "n"), decodeNumber(jwk, "e"));
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
  const { size } = CURVES[key.curve];
  const x = encodeBase64Url(key.point.subarray(1, 1 + size));
  return { crv: key.curve, kty: "EC", x, y: encodeBase64Url(key.point.subarray(1 + size)) };
}
