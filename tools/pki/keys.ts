/**
 * The fixed keys of the throw-away Sigstore instance. They are published: whoever trusts
 * one of them trusts everybody.
 *
 * Signatures are deterministic (RFC 6979 for ECDSA), so that a second run of the generator
 * gives the same bytes.
 *
 *     deno run -A tools/pki/keys.ts NAME ALGORITHM
 *
 * adds a key to `test_keys.json`; keys that are there stay as they are.
 *
 * @module
 */
import { p256, p384 } from "@noble/curves/nist.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { decodeBase64 } from "../../internal/base64.ts";
import { encodePem } from "../../internal/pem.ts";
import stored from "./test_keys.json" with { type: "json" };

/** What a test key is for. */
export type TestAlgorithm = "P-256" | "P-384" | "Ed25519" | "RSA-2048";

/** Hash of a signature or an imprint. */
export type TestHash = "SHA-256" | "SHA-384" | "SHA-512";

/** A key that everybody knows. */
export interface TestKey {
  name: string;
  algorithm: TestAlgorithm;
  /** SubjectPublicKeyInfo, DER. */
  spki: Bytes;
  /** Hash that goes with the key when nothing else is said. */
  hash: TestHash;
  /** Signs a message: ECDSA as DER, Ed25519 and RSA (PKCS #1 v1.5) as they are. */
  sign(message: Uint8Array, hash?: TestHash): Promise<Bytes>;
}

interface StoredKey {
  note: string;
  algorithm: string;
  jwk: JsonWebKey;
}

const HASHES = { "SHA-256": sha256, "SHA-384": sha384, "SHA-512": sha512 };
const NOTE = "TEST KEY - never trust";

/** Digest of some bytes. */
export function digest(hash: TestHash, data: Uint8Array): Bytes {
  return Uint8Array.from(HASHES[hash](data));
}

/** The key with a name. */
export async function testKey(name: string): Promise<TestKey> {
  const entry = (stored as Record<string, StoredKey>)[name];
  if (entry === undefined) throw new RangeError(`No test key ${name}`);
  const algorithm = entry.algorithm as TestAlgorithm;
  const hash = algorithm === "P-384" ? "SHA-384" : "SHA-256";
  return {
    name,
    algorithm,
    hash,
    spki: await exportSpki(algorithm, entry.jwk),
    sign: (message, other) => sign(algorithm, entry.jwk, message, other ?? hash),
  };
}

/** PEM text of a public key. */
export function publicKeyPem(key: TestKey): string {
  return encodePem("PUBLIC KEY", key.spki);
}

async function exportSpki(algorithm: TestAlgorithm, jwk: JsonWebKey): Promise<Bytes> {
  const { kty, crv, x, y, n, e } = jwk;
  const publicJwk: JsonWebKey = kty === "RSA"
    ? { kty, n, e }
    : kty === "OKP"
    ? { kty, crv, x }
    : { kty, crv, x, y };
  const key = await crypto.subtle.importKey("jwk", publicJwk, webCrypto(algorithm), true, [
    "verify",
  ]);
  return new Uint8Array(await crypto.subtle.exportKey("spki", key));
}

async function sign(
  algorithm: TestAlgorithm,
  jwk: JsonWebKey,
  message: Uint8Array,
  hash: TestHash,
): Promise<Bytes> {
  if (algorithm === "P-256" || algorithm === "P-384") {
    const curve = algorithm === "P-256" ? p256 : p384;
    const secret = decodeBase64(jwk.d ?? "", { alphabet: "url" });
    const options = { prehash: false, lowS: false, format: "der" } as const;
    return Uint8Array.from(curve.sign(HASHES[hash](message), secret, options));
  }
  const parameters = webCrypto(algorithm);
  const key = await crypto.subtle.importKey("jwk", jwk, parameters, false, ["sign"]);
  return new Uint8Array(
    await crypto.subtle.sign(parameters.name, key, Uint8Array.from(message)),
  );
}

function webCrypto(algorithm: TestAlgorithm): EcKeyImportParams | RsaHashedImportParams {
  if (algorithm === "RSA-2048") return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  if (algorithm === "Ed25519") return { name: "Ed25519", namedCurve: "Ed25519" };
  return { name: "ECDSA", namedCurve: algorithm };
}

async function addKey(name: string, algorithm: TestAlgorithm): Promise<void> {
  const keys = stored as Record<string, StoredKey>;
  if (keys[name] !== undefined) return;
  const parameters = algorithm === "RSA-2048"
    ? { ...webCrypto(algorithm), modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) }
    : webCrypto(algorithm);
  const pair = await crypto.subtle.generateKey(parameters, true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new TypeError(`${algorithm} gives no key pair`);
  const jwk = await crypto.subtle.exportKey("jwk", pair.privateKey);
  delete jwk.ext;
  delete jwk.key_ops;
  delete jwk.alg;
  keys[name] = { note: NOTE, algorithm, jwk };
  const file = new URL("./test_keys.json", import.meta.url);
  await Deno.writeTextFile(file, JSON.stringify(keys, null, 2) + "\n");
}

/** SHA-256 of some text or bytes. */
export function sha256Of(data: Uint8Array | string): Bytes {
  return digest("SHA-256", typeof data === "string" ? utf8(data) : data);
}

if (import.meta.main) await addKey(Deno.args[0], Deno.args[1] as TestAlgorithm);
