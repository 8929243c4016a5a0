import type { HashName } from "../../internal/digest.ts";
import { type KeyAlgorithm, lookupAlgorithm } from "../../keys/algorithm.ts";
import type { PublicKey } from "../../keys/public_key.ts";

/** A signature algorithm of Android's schemes v2 and v3. */
export interface ApkAlgorithm {
  /** For people. */
  readonly name: string;
  /** Hash of the chunks of the content, and of what is signed. */
  readonly hash: HashName;
  /** Kind of key, and its padding. */
  readonly family: "PS" | "RS" | "EC";
}

const ALGORITHMS: ReadonlyMap<number, ApkAlgorithm> = new Map([
  [0x0101, { name: "RSA-PSS with SHA-256", hash: "SHA-256", family: "PS" }],
  [0x0102, { name: "RSA-PSS with SHA-512", hash: "SHA-512", family: "PS" }],
  [0x0103, { name: "RSA PKCS #1 with SHA-256", hash: "SHA-256", family: "RS" }],
  [0x0104, { name: "RSA PKCS #1 with SHA-512", hash: "SHA-512", family: "RS" }],
  [0x0201, { name: "ECDSA with SHA-256", hash: "SHA-256", family: "EC" }],
  [0x0202, { name: "ECDSA with SHA-512", hash: "SHA-512", family: "EC" }],
]);

/** What is not verified: WebCrypto has no DSA, and verity digests another form of the file. */
const OTHERS: ReadonlyMap<number, string> = new Map([
  [0x0301, "DSA with SHA-256"],
  [0x0421, "RSA PKCS #1 with SHA-256 over verity"],
  [0x0423, "ECDSA with SHA-256 over verity"],
  [0x0425, "DSA with SHA-256 over verity"],
]);

/** The algorithm of an id, if it is verified here. */
export function apkAlgorithm(id: number): ApkAlgorithm | undefined {
  return ALGORITHMS.get(id);
}

/** Name of an algorithm for people. */
export function nameOfAlgorithm(id: number): string {
  return ALGORITHMS.get(id)?.name ?? OTHERS.get(id) ?? `0x${id.toString(16).padStart(4, "0")}`;
}

/** The algorithm by which a key signs under an id; undefined if it is of another kind. */
export function keyAlgorithmOf(
  { hash, family }: ApkAlgorithm,
  { kind, curve }: PublicKey,
): KeyAlgorithm | undefined {
  const bits = hash.slice(4);
  if (family === "EC") {
    return curve === undefined
      ? undefined
      : lookupAlgorithm(`ECDSA-P${curve.slice(2)}-SHA${bits}`).alg;
  }
  return kind === "RSA" ? lookupAlgorithm(`${family}${bits}`).alg : undefined;
}
