import { AttestationError, type Reason } from "../errors.ts";
import type { Json } from "../internal/json.ts";
import { lookupAlgorithm } from "../keys/algorithm.ts";
import {
  parseSpki,
  type PublicKey,
  type SignatureEncoding,
  verifySignature,
} from "../keys/public_key.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import type { BadSigner, GoodSigner } from "./format.ts";

/**
 * The signatures of a document, at least one and not too many.
 *
 * @throws {AttestationError} `malformed-envelope`, `missing-signatures`, `limit-exceeded`.
 */
export function signatureList(value: Json | undefined, what: string, max: number): readonly Json[] {
  const refusal = (reason: Reason, why: string) =>
    new AttestationError(reason, `Cannot read ${what}: ${why}`, { path: "/signatures" });
  if (!Array.isArray(value)) throw refusal("malformed-envelope", "signatures is no list");
  if (value.length === 0) throw refusal("missing-signatures", "nobody signed it");
  if (value.length > max) {
    throw refusal("limit-exceeded", `${value.length} signatures, at most ${max} are accepted`);
  }
  return value;
}

const parsed = new WeakMap<TrustedKey, PublicKey>();

/** The key itself, read once. */
export function publicKeyOf(key: TrustedKey): PublicKey {
  let own = parsed.get(key);
  if (own === undefined) parsed.set(key, own = parseSpki(key.spki));
  return own;
}

/**
 * Tells whether a trusted key made a signature, under the key's own algorithm and in the one
 * layout of ECDSA signatures that the format has. Never throws.
 */
export async function accepts(
  key: TrustedKey,
  data: Uint8Array,
  signature: Uint8Array,
  encoding: SignatureEncoding,
): Promise<boolean> {
  try {
    const { scheme } = lookupAlgorithm(key.alg);
    return await verifySignature(publicKeyOf(key), scheme, signature, data, encoding);
  } catch {
    return false;
  }
}

/** The result of a signature that a trusted key made. */
export function goodSigner(key: TrustedKey): GoodSigner {
  const { name, fingerprint, alg } = key;
  return { ok: true, name, fingerprint, algorithm: alg, key };
}

/** The result of a signature that counts for nothing. */
export function badSigner(reason: Reason, message: string, keyid?: string): BadSigner {
  const error = new AttestationError(reason, message);
  return keyid === undefined ? { ok: false, error } : { ok: false, error, keyid };
}

/** What a signature is tried with. */
export interface Trial {
  /** What is signed. */
  data: Uint8Array;
  /** The signature. */
  signature: Uint8Array;
  /** Its layout if it is ECDSA. */
  encoding: SignatureEncoding;
  /** Id that it states. */
  keyid?: string;
}

/** Tries keys one after another: the first that accepts, or why none does. */
export async function trySigner(
  keys: readonly TrustedKey[],
  { data, signature, encoding, keyid }: Trial,
): Promise<GoodSigner | BadSigner> {
  if (keys.length === 0) {
    return badSigner(
      "missing-trusted-key",
      "Cannot verify signature: it is made with a key, and no trusted key fits it",
      keyid,
    );
  }
  for (const key of keys) {
    if (await accepts(key, data, signature, encoding)) return goodSigner(key);
  }
  return badSigner("invalid-signature", "Cannot verify signature: no trusted key made it", keyid);
}
