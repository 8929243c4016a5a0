import { AttestationError } from "../errors.ts";
import type { Bytes } from "../internal/bytes.ts";
import type { HashName } from "../internal/digest.ts";
import { decodeHex, encodeHex } from "../internal/hex.ts";
import { type PublicKey, verifyDigestSignature, verifySignature } from "../keys/public_key.ts";
import type { Scheme } from "./_scheme.ts";
import type { SigstoreBundle } from "./bundle.ts";

/** The artifact that a signature may be over: its digests, and its bytes if they are at hand. */
export interface SignedArtifact {
  /** Digests, lowercase hex, by `sha256`, `sha384`, `sha512`. */
  digest: Readonly<Record<string, string>>;
  /** The bytes themselves; without them only ECDSA signatures can be checked. */
  content?: Uint8Array;
}

/** Refuses an artifact that has another digest than the bundle states; it is only a hint. */
export function refuseOtherDigest(
  content: SigstoreBundle["content"],
  artifact: SignedArtifact,
): void {
  if (content.kind !== "message" || content.digest === undefined) return;
  const { algorithm, value } = content.digest;
  const known = artifact.digest[algorithm];
  if (known === undefined || known.toLowerCase() === encodeHex(value)) return;
  throw new AttestationError(
    "message-digest-mismatch",
    `Cannot verify bundle: it states ${algorithm} ${encodeHex(value)}, the artifact has ${known}`,
    { path: "/messageSignature/messageDigest" },
  );
}

/** Checks a signature over the artifact itself, by its bytes or, for ECDSA, its digest. */
export async function verifyArtifactSignature(
  key: PublicKey,
  scheme: Scheme,
  signature: Bytes,
  { content, digest }: SignedArtifact,
): Promise<boolean> {
  if (content !== undefined) return await verifySignature(key, scheme, signature, content);
  const hash: HashName | undefined = "hash" in scheme ? scheme.hash : undefined;
  const hex = hash === undefined ? undefined : digest[hash.toLowerCase().replace("-", "")];
  if (scheme.name === "ECDSA" && hex !== undefined) {
    return await verifyDigestSignature(key, signature, decodeHex(hex)) === true;
  }
  throw new AttestationError(
    "artifact-required",
    `Cannot verify bundle: its ${scheme.name} signature needs the artifact itself` +
      (hash === undefined || scheme.name !== "ECDSA" ? "" : ` or its ${hash} digest`),
  );
}
