import storedKeys from "../../pki/test_keys.json" with { type: "json" };
import { type Bytes, concat, utf8 } from "../../../internal/bytes.ts";
import { decodeBase64, encodeBase64Url } from "../../../internal/base64.ts";
import type { Json } from "../../../internal/json.ts";
import { sha256Of, testKey } from "../../pki/keys.ts";
import { ecdsaToRaw } from "../ecdsa.ts";

const HASH_BYTES = 32;

/** Text, bytes or JSON in base64url. */
export function b64(value: string | Uint8Array | Json): string {
  if (value instanceof Uint8Array) return encodeBase64Url(value);
  return encodeBase64Url(utf8(typeof value === "string" ? value : JSON.stringify(value)));
}

/** The two parts of a JWS and their signature: ECDSA as r and s. */
export interface JoseParts {
  protected: string;
  payload: string;
  signature: string;
}

/** Signs a JWS with a test key, by what the key is for; RSA by PSS where `alg` says so. */
export async function signJose(
  header: string | Json,
  payload: string | Json,
  name = "dsse-ed25519",
): Promise<JoseParts> {
  const parts = { protected: b64(header), payload: b64(payload) };
  const data = utf8(`${parts.protected}.${parts.payload}`);
  const isPss = typeof header === "object" && header !== null && !Array.isArray(header) &&
    header.alg === "PS256";
  const signature = isPss ? signPss(name, data) : await signRaw(name, data);
  return { ...parts, signature: b64(signature) };
}

/** The compact form. */
export function compact({ protected: header, payload, signature }: JoseParts): string {
  return `${header}.${payload}.${signature}`;
}

/** Signs with a test key; ECDSA as r and s. */
export async function signRaw(name: string, data: Uint8Array): Promise<Bytes> {
  const key = await testKey(name);
  const signature = await key.sign(data);
  const size = { "P-256": 32, "P-384": 48 }[key.algorithm as string];
  return size === undefined ? signature : ecdsaToRaw(signature, size);
}

/**
 * RSASSA-PSS with SHA-256 and a salt that is the digest of the message: the same in each run,
 * which WebCrypto's is not.
 *
 * Source: RFC 8017, 8.1.1 and 9.1.1.
 */
export function signPss(name: string, data: Uint8Array): Bytes {
  const { jwk } = (storedKeys as Record<string, { jwk: JsonWebKey }>)[name];
  const modulus = numberOf(jwk.n);
  const length = modulus.toString(16).length / 2;
  const digest = sha256Of(data);
  const salt = digest;
  const hash = sha256Of(concat(new Uint8Array(8), digest, salt));
  const block = new Uint8Array(length - HASH_BYTES - 1);
  block[block.length - HASH_BYTES - 1] = 1;
  block.set(salt, block.length - HASH_BYTES);
  const mask = mgf1(hash, block.length);
  const masked = block.map((byte, i) => byte ^ mask[i]);
  masked[0] &= 0x7f;
  const encoded = concat(masked, hash, Uint8Array.of(0xbc));
  return bytesOf(power(numberOf(encoded), numberOf(jwk.d), modulus), length);
}

function mgf1(seed: Uint8Array, length: number): Bytes {
  const parts: Uint8Array[] = [];
  for (let i = 0; i * HASH_BYTES < length; i++) {
    parts.push(sha256Of(concat(seed, Uint8Array.of(0, 0, i >> 8, i & 255))));
  }
  return concat(...parts).subarray(0, length) as Bytes;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let b = base, e = exponent; e > 0n; e >>= 1n, b = b * b % modulus) {
    if (e & 1n) result = result * b % modulus;
  }
  return result;
}

function numberOf(value: Uint8Array | string | undefined): bigint {
  const bytes = value instanceof Uint8Array
    ? value
    : decodeBase64(value ?? "", { alphabet: "url", padding: "none" });
  return bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), 0n);
}

function bytesOf(value: bigint, length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let i = length - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}
