import { AttestationError } from "../../errors.ts";
import { asBytes, type Bytes } from "../../internal/bytes.ts";
import { digest } from "../../internal/digest.ts";
import { createHasher, HASHES } from "../../internal/hasher.ts";
import { encodeHex } from "../../internal/hex.ts";
import { printable } from "../../internal/json.ts";
import type { OciDescriptor } from "./source.ts";

/** Bytes of a blob that is read whole, unless the caller says otherwise. */
export const DEFAULT_MAX_BLOB_BYTES = 32 << 20;

/** Digest of bytes, by the algorithm of another digest. */
export async function digestLike(wanted: string, bytes: Uint8Array): Promise<string> {
  const algorithm = algorithmOf(wanted);
  return `${algorithm}:${encodeHex(await digest(HASHES.get(algorithm)!, bytes))}`;
}

/** Digest of what is written: SHA-256. */
export function sha256Digest(bytes: Uint8Array): Promise<string> {
  return digestLike("sha256:", bytes);
}

/** Refuses bytes that are not those of a descriptor. */
export async function checkContent(
  bytes: Uint8Array,
  wanted: Pick<OciDescriptor, "digest" | "size">,
  source: string,
): Promise<void> {
  checkSize(bytes.length, wanted, source);
  checkDigest(await digestLike(wanted.digest, bytes), wanted.digest, source);
}

export function checkDigest(found: string, wanted: string, source: string): void {
  if (found === wanted) return;
  throw mismatch(source, `asked for ${wanted}, got ${found}`);
}

function checkSize(size: number, wanted: { digest: string; size: number }, source: string): void {
  if (size === wanted.size) return;
  const what = `${wanted.digest} has ${size} bytes, its descriptor states ${wanted.size}`;
  throw mismatch(source, what);
}

/** A stream that ends with an error unless its bytes are those of a descriptor. */
export function verifiedStream(
  stream: ReadableStream<Uint8Array>,
  wanted: OciDescriptor,
  source: string,
): ReadableStream<Bytes> {
  const reader = stream.getReader();
  const algorithm = algorithmOf(wanted.digest);
  const ready = createHasher(HASHES.get(algorithm)!);
  let size = 0;
  return new ReadableStream<Bytes>({
    async pull(controller) {
      try {
        const hasher = await ready;
        const { done, value } = await reader.read();
        if (!done) {
          size += value.length;
          if (size > wanted.size) checkSize(size, wanted, source);
          await hasher.update(asBytes(value));
          return controller.enqueue(asBytes(value));
        }
        checkSize(size, wanted, source);
        checkDigest(`${algorithm}:${encodeHex(await hasher.digest())}`, wanted.digest, source);
        controller.close();
      } catch (cause) {
        controller.error(cause);
        await reader.cancel(cause).catch(() => {});
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

function algorithmOf(digest: string): string {
  return digest.slice(0, digest.indexOf(":"));
}

function mismatch(source: string, what: string): AttestationError {
  return new AttestationError(
    "content-mismatch",
    `Cannot use what ${printable(source, 120)} gave: ${what}`,
  );
}
