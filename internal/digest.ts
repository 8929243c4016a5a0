import { asBytes, type Bytes } from "./bytes.ts";
import { sha256 } from "./sha256.ts";

/** Hash functions of the SHA-2 family, by the name that WebCrypto gives them. */
export type HashName = "SHA-256" | "SHA-384" | "SHA-512";

/** Digest of bytes in memory: at once when they are short, by WebCrypto when not. */
export async function digest(hash: HashName, data: Uint8Array): Promise<Bytes> {
  if (hash === "SHA-256" && data.length <= 4096) return sha256(data);
  return new Uint8Array(await crypto.subtle.digest(hash, asBytes(data)));
}
