import { AttestationError } from "../errors.ts";
import { asBytes, type Bytes } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import {
  type CurveName,
  defaultAlgorithm,
  type MlDsaName,
  type SignatureScheme,
} from "./algorithm.ts";
import { derToP1363 } from "./ecdsa_signature.ts";
import { bitLength, CURVES, isMlDsa, type KeyMaterial, ML_DSA, readSpki } from "./spki.ts";

/** A public key that passed the strict reading; says nothing about trust. */
export interface PublicKey {
  /** Kind of key. */
  readonly kind: "Ed25519" | "EC" | "RSA" | MlDsaName;
  /** Of EC keys. */
  readonly curve?: CurveName;
  /** Of RSA keys. */
  readonly modulusBits?: number;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Bytes;
  /** Lowercase hex SHA-256 of {@linkcode PublicKey.spki}. */
  readonly fingerprint: string;
}

/** How the bytes of an ECDSA signature are laid out; `any` takes what verifies as either. */
export type SignatureEncoding = "der" | "p1363" | "any";

class ReadPublicKey implements PublicKey {
  readonly kind: PublicKey["kind"];
  readonly curve?: CurveName;
  readonly modulusBits?: number;
  readonly spki: Bytes;
  #fingerprint?: string;

  constructor(spki: Bytes, material: KeyMaterial) {
    this.kind = material.kind;
    this.spki = spki;
    if (material.kind === "EC") this.curve = material.curve;
    if (material.kind === "RSA") this.modulusBits = bitLength(material.modulus);
  }

  get fingerprint(): string {
    return this.#fingerprint ??= encodeHex(sha256(this.spki));
  }
}

/**
 * Reads a SubjectPublicKeyInfo strictly.
 *
 * @throws {AttestationError} `malformed-key`, `unsupported-algorithm`, `weak-key`, or
 * `limit-exceeded` (RSA above 8192 bits or with an exponent above 32 bits).
 */
export function parseSpki(der: Uint8Array): PublicKey {
  const material = readSpki(der);
  return new ReadPublicKey(asBytes(der.slice()), material);
}

/** The scheme of a key for which none is stated. */
export function defaultScheme(key: PublicKey): SignatureScheme {
  return defaultAlgorithm(key).scheme;
}

const imported = new WeakMap<PublicKey, Map<string, CryptoKey | Promise<CryptoKey>>>();

/** The key for WebCrypto, imported once per key and scheme. Rejects as `importKey` does. */
export function importForVerification(
  key: PublicKey,
  scheme: SignatureScheme,
): CryptoKey | Promise<CryptoKey> {
  let byScheme = imported.get(key);
  if (byScheme === undefined) imported.set(key, byScheme = new Map());
  const id = importId(scheme);
  const known = byScheme.get(id);
  if (known !== undefined) return known;
  const schemes = byScheme;
  const promise = crypto.subtle.importKey("spki", key.spki, importParams(key, scheme), false, [
    "verify",
  ])
    .then((cryptoKey) => {
      schemes.set(id, cryptoKey);
      return cryptoKey;
    }, (error) => {
      schemes.delete(id);
      throw error;
    });
  schemes.set(id, promise);
  return promise;
}

function importId(scheme: SignatureScheme): string {
  return "hash" in scheme && scheme.name !== "ECDSA" ? scheme.name + scheme.hash : scheme.name;
}

/** Parameters of `importKey` and `generateKey`. */
export function importParams(
  key: { curve?: CurveName },
  scheme: SignatureScheme,
): Algorithm | EcKeyImportParams | RsaHashedImportParams {
  if (!("hash" in scheme)) return { name: scheme.name };
  if (scheme.name === "ECDSA") return { name: scheme.name, namedCurve: key.curve ?? "" };
  return { name: scheme.name, hash: scheme.hash };
}

/** Parameters of `sign` and `verify`. */
export function signatureParams(scheme: SignatureScheme): Algorithm | EcdsaParams | RsaPssParams {
  if (scheme.name !== "RSA-PSS") return scheme;
  return { name: scheme.name, saltLength: Number(scheme.hash.slice(4)) / 8 };
}

/**
 * Tells whether a key made a signature over data. Never throws: whatever WebCrypto throws
 * at a signature is no signature.
 *
 * @param encoding Of ECDSA signatures. Default `der`.
 */
export async function verifySignature(
  key: PublicKey,
  scheme: SignatureScheme,
  signature: Uint8Array,
  data: Uint8Array,
  encoding: SignatureEncoding = "der",
): Promise<boolean> {
  const forms = signatureForms(key, scheme, signature, encoding);
  if (forms.length === 0) return false;
  try {
    const known = importForVerification(key, scheme);
    const cryptoKey = known instanceof Promise ? await known : known;
    const params = signatureParams(scheme);
    for (const form of forms) {
      if (await verifyOne(params, cryptoKey, form, asBytes(data))) return true;
    }
  } catch {
    return false;
  }
  return false;
}

async function verifyOne(
  params: Algorithm,
  key: CryptoKey,
  signature: Bytes,
  data: Bytes,
): Promise<boolean> {
  try {
    return await crypto.subtle.verify(params, key, signature, data) === true;
  } catch {
    return false;
  }
}

/** The readings of a signature that WebCrypto is asked about; none if no size fits. */
function signatureForms(
  key: PublicKey,
  scheme: SignatureScheme,
  signature: Uint8Array,
  encoding: SignatureEncoding,
): Bytes[] {
  if (key.kind === "Ed25519") {
    return scheme.name === "Ed25519" && signature.length === 64 ? [asBytes(signature)] : [];
  }
  if (key.kind === "RSA") {
    const fits = scheme.name === "RSASSA-PKCS1-v1_5" || scheme.name === "RSA-PSS";
    const size = Math.ceil((key.modulusBits ?? 0) / 8);
    return fits && signature.length === size ? [asBytes(signature)] : [];
  }
  if (isMlDsa(key.kind)) {
    const fits = scheme.name === key.kind && signature.length === ML_DSA[key.kind].signature;
    return fits ? [asBytes(signature)] : [];
  }
  if (scheme.name !== "ECDSA" || key.curve === undefined) return [];
  const { size } = CURVES[key.curve];
  const forms: Bytes[] = [];
  if (encoding !== "der" && signature.length === 2 * size) forms.push(asBytes(signature));
  if (encoding !== "p1363") {
    const converted = derToP1363(signature, size);
    if (converted !== undefined) forms.push(converted);
  }
  return forms;
}

/**
 * Tells whether an ECDSA key made a signature over data of which only the digest is known.
 * WebCrypto hashes by itself and cannot; `@noble/curves` is loaded when it is needed.
 *
 * @param digest 32, 48 or 64 bytes, under the hash that the signer used.
 * @returns `undefined` if the key is no ECDSA key: no other scheme here allows it.
 * @throws {AttestationError} `unsupported-algorithm` if `@noble/curves` cannot be loaded.
 */
export async function verifyDigestSignature(
  key: PublicKey,
  signatureDer: Uint8Array,
  digest: Uint8Array,
): Promise<boolean | undefined> {
  if (key.curve === undefined) return undefined;
  const signature = derToP1363(signatureDer, CURVES[key.curve].size);
  if (signature === undefined || ![32, 48, 64].includes(digest.length)) return false;
  const { p256, p384, p521 } = await loadCurves();
  const curve = key.curve === "P-256" ? p256 : key.curve === "P-384" ? p384 : p521;
  const point = key.spki.subarray(key.spki.length - 1 - 2 * CURVES[key.curve].size);
  try {
    // High s is valid in ECDSA and WebCrypto takes it; so must this.
    return curve.verify(signature, digest, point, {
      prehash: false,
      lowS: false,
      format: "compact",
    });
  } catch {
    return false;
  }
}

async function loadCurves(): Promise<typeof import("@noble/curves/nist.js")> {
  try {
    return await import("@noble/curves/nist.js");
  } catch (cause) {
    throw new AttestationError(
      "unsupported-algorithm",
      "Cannot verify a signature over a digest: the package @noble/curves is not installed",
      { cause },
    );
  }
}
