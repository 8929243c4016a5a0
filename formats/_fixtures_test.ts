import { encodeBase64Url } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import {
  type GeneratedSigner,
  generateSigner,
  importSigner,
  importTrustedKey,
  type KeyAlgorithm,
} from "../keys/mod.ts";
import storedKeys from "../tools/pki/test_keys.json" with { type: "json" };
import { type FormatTrust, verifyFormat } from "./mod.ts";

/** The artifact of all samples. */
export const ABC = utf8("abc");
export const ABC_SHA256 = encodeHex(sha256(ABC));

const made = new Map<string, Promise<GeneratedSigner>>();

/** One key of each algorithm, made once. */
export function keyOf(alg: KeyAlgorithm, name = "ci"): Promise<GeneratedSigner> {
  const id = `${alg} ${name}`;
  const known = made.get(id) ??
    (/^[RP]S/.test(alg) ? rsa(alg, name) : generateSigner(alg, { name }));
  made.set(id, known);
  return known;
}

/** A stored key: making one takes seconds. */
async function rsa(alg: KeyAlgorithm, name: string): Promise<GeneratedSigner> {
  const { key_ops: _, alg: __, ...jwk } = storedKeys["dsse-rsa"].jwk as JsonWebKey;
  const signer = await importSigner(jwk, { alg });
  const trustedKey = await importTrustedKey(await signer.publicKey(), { alg, name });
  return { signer, trustedKey } as GeneratedSigner;
}

/** A Statement about the artifact. */
export const STATEMENT = {
  _type: "https://in-toto.io/Statement/v1",
  subject: [{ name: "abc", digest: { sha256: ABC_SHA256 } }],
  predicateType: "https://example.com/checked/v1",
  predicate: {},
};

/** `ok`, or the reason of the refusal. */
export async function verdict(source: string | Uint8Array, trust: FormatTrust): Promise<string> {
  const result = await verifyFormat(source, trust);
  return result.ok ? "ok" : result.errorReason;
}

/** Text or JSON in base64url. */
export function b64(value: string | Uint8Array | object): string {
  if (value instanceof Uint8Array) return encodeBase64Url(value);
  return encodeBase64Url(utf8(typeof value === "string" ? value : JSON.stringify(value)));
}

/** Signs the two parts of a JWS; ECDSA signers give r‖s when they were made so. */
export async function joseSignature(
  header: string | object,
  payload: string | object,
  alg: KeyAlgorithm = "Ed25519",
  name = "ci",
): Promise<{ protected: string; payload: string; signature: string }> {
  const { signer } = await keyOf(alg, name);
  const encoded = { protected: b64(header), payload: b64(payload) };
  const signature = await signer.sign(utf8(`${encoded.protected}.${encoded.payload}`));
  return { ...encoded, signature: b64(raw(alg, signature)) };
}

/** A compact JWS. */
export async function compact(
  header: string | object,
  payload: string | object = STATEMENT,
  alg: KeyAlgorithm = "Ed25519",
  name = "ci",
): Promise<string> {
  const one = await joseSignature(header, payload, alg, name);
  return `${one.protected}.${one.payload}.${one.signature}`;
}

/** r‖s of an ECDSA signature in DER; others as they are. */
export function raw(alg: KeyAlgorithm, signature: Uint8Array): Uint8Array {
  const size = { ES256: 32, ES384: 48, ES512: 66 }[alg as string];
  if (size === undefined || signature.length === 2 * size || signature[0] !== 0x30) {
    return signature;
  }
  const parts: Uint8Array[] = [];
  let at = signature[1] < 0x80 ? 2 : 3;
  for (let i = 0; i < 2; i++) {
    const length = signature[at + 1];
    let value = signature.subarray(at + 2, at + 2 + length);
    while (value.length > size) value = value.subarray(1);
    const padded = new Uint8Array(size);
    padded.set(value, size - value.length);
    parts.push(padded);
    at += 2 + length;
  }
  return Uint8Array.from([...parts[0], ...parts[1]]);
}
