import { isAttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { decodeHex, encodeHex } from "../../internal/hex.ts";
import { isObject, type JsonObject } from "../../internal/json.ts";
import { decodeOnePem } from "../../internal/pem.ts";
import { sha256 } from "../../internal/sha256.ts";
import type { CurveName, SignatureScheme } from "../../keys/algorithm.ts";
import { parseSpki, type PublicKey, verifySignature } from "../../keys/public_key.ts";
import { encodeSpki } from "../../keys/spki.ts";
import { canonicalTufJson } from "./canonical.ts";

/** A public key of TUF metadata that can check signatures. */
export interface TufKey {
  /** SHA-256 of the key itself, hex: two ids of one key have the same. */
  readonly fingerprint: string;
  /** Tells whether the key made a signature over data. Never throws. */
  verify(data: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

interface Kind {
  readonly keytypes: readonly string[];
  readonly scheme: SignatureScheme;
  readonly kind: PublicKey["kind"];
  readonly curve?: CurveName;
}

const KINDS: Readonly<Record<string, Kind>> = {
  "ed25519": { keytypes: ["ed25519"], kind: "Ed25519", scheme: { name: "Ed25519" } },
  "ecdsa-sha2-nistp256": {
    keytypes: ["ecdsa", "ecdsa-sha2-nistp256"],
    kind: "EC",
    curve: "P-256",
    scheme: { name: "ECDSA", hash: "SHA-256" },
  },
  "ecdsa-sha2-nistp384": {
    keytypes: ["ecdsa", "ecdsa-sha2-nistp384"],
    kind: "EC",
    curve: "P-384",
    scheme: { name: "ECDSA", hash: "SHA-384" },
  },
  "rsassa-pss-sha256": {
    keytypes: ["rsa"],
    kind: "RSA",
    scheme: { name: "RSA-PSS", hash: "SHA-256" },
  },
};

/**
 * Tells whether an id is that of its key: the SHA-256 of its canonical form. Which members
 * are part of that form was read in different ways; all of them, those that no private
 * extension added, and the three that every key has, are accepted.
 *
 * Source: TUF 1.0, 4.3.
 */
export function isKeyIdOf(keyid: string, key: JsonObject): boolean {
  const { keytype, scheme, keyval } = key;
  const own = Object.fromEntries(Object.entries(key).filter(([name]) => !name.startsWith("x-")));
  return [key, own, { keytype, scheme, keyval }].some((form) =>
    encodeHex(sha256(utf8(canonicalTufJson(form)))) === keyid
  );
}

/**
 * The key, or undefined for one that this client cannot use: its signatures do not count,
 * and the metadata that names it stays good.
 */
export function readTufKey({ keytype, scheme, keyval }: JsonObject): TufKey | undefined {
  const known = typeof scheme === "string" && Object.hasOwn(KINDS, scheme)
    ? KINDS[scheme]
    : undefined;
  const text = isObject(keyval) ? keyval.public : undefined;
  if (known === undefined || typeof text !== "string" || typeof keytype !== "string") {
    return undefined;
  }
  if (!known.keytypes.includes(keytype)) return undefined;
  let key: PublicKey;
  try {
    key = parseSpki(
      known.kind === "Ed25519"
        ? encodeSpki({ kind: "Ed25519", point: decodeHex(text) })
        : decodeOnePem(text, "PUBLIC KEY").der,
    );
  } catch (error) {
    if (isAttestationError(error)) return undefined;
    throw error;
  }
  if (key.kind !== known.kind || key.curve !== known.curve) return undefined;
  return {
    fingerprint: key.fingerprint,
    verify: (data, signature) => verifySignature(key, known.scheme, signature, data),
  };
}
