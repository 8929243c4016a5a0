import { blake2b } from "@noble/hashes/blake2.js";
import { asBytes, type Bytes } from "./bytes.ts";

/** BLAKE2b with 64 bytes of output (RFC 7693), which no WebCrypto has; loaded on use. */
export function blake2b512(data: Uint8Array): Bytes {
  return asBytes(blake2b(data, { dkLen: 64 }));
}

/** The same, fed piece by piece. */
export function createBlake2b(): { update(chunk: Bytes): void; digest(): Promise<Bytes> } {
  const hasher = blake2b.create({ dkLen: 64 });
  return {
    update: (chunk) => void hasher.update(chunk),
    digest: () => Promise.resolve(asBytes(hasher.digest())),
  };
}
