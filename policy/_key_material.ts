import { isObject, type Json, jsonText } from "../internal/json.ts";
import { decodeOnePem } from "../internal/pem.ts";
import { algorithmOf } from "../keys/algorithm.ts";
import { parseJwkText, readJwk } from "../keys/jwk.ts";
import { parseSpki, type PublicKey } from "../keys/public_key.ts";
import { encodeSpki } from "../keys/spki.ts";

/** Tells an OpenPGP key by its armor: the entry that reads it is loaded when the policy is compiled. */
export function isOpenPgpKey(source: Json | object): boolean {
  return typeof source === "string" && /^\s*-----BEGIN PGP /.test(source);
}

/**
 * Reads a public key as `importTrustedKey()` does, as far as that goes without WebCrypto:
 * so that all problems of a document can be listed at once.
 *
 * @throws {AttestationError} What `importTrustedKey()` refuses.
 */
export function readKeyMaterial(source: Json, alg: string | undefined): PublicKey {
  const isJwk = isObject(source) || (typeof source === "string" && /^\s*\{/.test(source));
  if (!isJwk) {
    const key = parseSpki(decodeOnePem(jsonText(source), "PUBLIC KEY").der);
    algorithmOf(key, alg);
    return key;
  }
  const jwk = readJwk(isObject(source) ? source : parseJwkText(String(source)), "public");
  const key = parseSpki(encodeSpki(jwk.material));
  algorithmOf(key, alg ?? jwk.alg);
  return key;
}
