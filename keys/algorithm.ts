import { AttestationError } from "../errors.ts";
import type { HashName } from "../internal/digest.ts";
import { quote } from "../internal/json.ts";

/**
 * Signature algorithm of a key. It belongs to the key, never to the message.
 *
 * JOSE names (RFC 7518, 3.1; RFC 8037; RFC 9864), those of the JOSE work on ML-DSA (FIPS
 * 204), and `ECDSA-P<curve>-SHA<hash>` for the pairs that JOSE has no name for, such as
 * `ECDSA-P384-SHA256` of old Sigstore clients.
 * A pair that has a JOSE name is reported by it: `ECDSA-P256-SHA256` is `ES256`.
 */
export type KeyAlgorithm =
  | "Ed25519"
  | "ES256"
  | "ES384"
  | "ES512"
  | "RS256"
  | "RS384"
  | "RS512"
  | "PS256"
  | "PS384"
  | "PS512"
  | MlDsaName
  | `ECDSA-P${256 | 384 | 521}-SHA${256 | 384 | 512}`;

/** Curves of ECDSA keys. */
export type CurveName = "P-256" | "P-384" | "P-521";

/** Parameter sets of ML-DSA: FIPS 204, 4. */
export type MlDsaName = `ML-DSA-${44 | 65 | 87}`;

/** How a signature is computed, in the words of WebCrypto. A PSS salt is as long as the hash. */
export type SignatureScheme =
  | { name: "Ed25519" | MlDsaName }
  | { name: "ECDSA"; hash: HashName }
  | { name: "RSASSA-PKCS1-v1_5"; hash: HashName }
  | { name: "RSA-PSS"; hash: HashName };

/** The kind of key that an algorithm is for. */
export interface KeyShape {
  readonly kind: "Ed25519" | "EC" | "RSA" | MlDsaName;
  readonly curve?: CurveName;
}

export interface AlgorithmEntry extends KeyShape {
  readonly alg: KeyAlgorithm;
  readonly scheme: SignatureScheme;
}

const CURVES = [[256, 256], [384, 384], [521, 512]] as const;
const HASHES = [256, 384, 512] as const;

const ENTRIES: ReadonlyMap<string, AlgorithmEntry> = entries();

function entries(): Map<string, AlgorithmEntry> {
  const map = new Map<string, AlgorithmEntry>();
  for (const name of ["Ed25519", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"] as const) {
    map.set(name, { alg: name, kind: name, scheme: { name } });
  }
  for (const bits of HASHES) {
    const hash: HashName = `SHA-${bits}`;
    const pkcs1: SignatureScheme = { name: "RSASSA-PKCS1-v1_5", hash };
    map.set(`RS${bits}`, { alg: `RS${bits}`, kind: "RSA", scheme: pkcs1 });
    map.set(`PS${bits}`, { alg: `PS${bits}`, kind: "RSA", scheme: { name: "RSA-PSS", hash } });
    for (const [size, own] of CURVES) {
      const pair = `ECDSA-P${size}-SHA${bits}` as const;
      const alg = bits === own ? `ES${own}` as const : pair;
      const scheme: SignatureScheme = { name: "ECDSA", hash };
      const entry: AlgorithmEntry = { alg, kind: "EC", curve: `P-${size}`, scheme };
      map.set(pair, entry);
      map.set(alg, entry);
    }
  }
  return map;
}

/** What an algorithm's name stands for; throws `unsupported-algorithm`. */
export function lookupAlgorithm(alg: string): AlgorithmEntry {
  if (typeof alg !== "string") throw new TypeError("The algorithm of a key must be a string");
  const entry = ENTRIES.get(alg);
  if (entry === undefined) {
    throw new AttestationError(
      "unsupported-algorithm",
      `Cannot use a key with the algorithm ${quote(alg)}: wanted one of ${
        [...ENTRIES.keys()].join(", ")
      }`,
    );
  }
  return entry;
}

/** The algorithm of a key for which none is stated. */
export function defaultAlgorithm(key: KeyShape): AlgorithmEntry {
  const alg = key.kind === "RSA"
    ? "RS256"
    : key.kind !== "EC"
    ? key.kind
    : key.curve === "P-256"
    ? "ES256"
    : key.curve === "P-384"
    ? "ES384"
    : "ES512";
  return lookupAlgorithm(alg);
}

/** The stated algorithm, if it fits the key, or its default; throws `key-algorithm-mismatch`. */
export function algorithmOf(key: KeyShape, alg: string | undefined): AlgorithmEntry {
  if (alg === undefined) return defaultAlgorithm(key);
  const entry = lookupAlgorithm(alg);
  if (entry.kind !== key.kind || entry.curve !== key.curve) {
    throw new AttestationError(
      "key-algorithm-mismatch",
      `Cannot use a key with the algorithm ${entry.alg}: the key is ${describeKey(key)}`,
    );
  }
  return entry;
}

/** A kind of key in words. */
export function describeKey(key: KeyShape): string {
  return key.kind === "EC" ? `an EC key on ${key.curve}` : `an ${key.kind} key`;
}
