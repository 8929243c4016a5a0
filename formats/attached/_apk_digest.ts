import { type Bytes, concat } from "../../internal/bytes.ts";
import { digest, type HashName } from "../../internal/digest.ts";
import { mapWindow } from "../../internal/window.ts";
import type { ZipArchive } from "./zip.ts";

const CHUNK = 1 << 20;
/** Chunks that are hashed at a time: so many MiB are copied at most. */
const WINDOW = 4;

/**
 * Digest of everything in an APK but its signing block: of the entries, of the central
 * directory, and of the end record as it would be without a signing block, each in chunks of
 * 1 MiB.
 *
 * Source: Android, "APK Signature Scheme v2", "Integrity-protected contents".
 */
export async function apkContentDigest(
  { bytes, directory, end, signingBlock }: ZipArchive,
  hash: HashName,
): Promise<Bytes> {
  const start = signingBlock?.start ?? directory.start;
  const record = Uint8Array.from(bytes.subarray(end.start, end.end));
  new DataView(record.buffer).setUint32(16, start, true);
  const chunks = [bytes.subarray(0, start), bytes.subarray(directory.start, directory.end), record]
    .flatMap(chunksOf);
  const digests = await mapWindow(
    chunks,
    WINDOW,
    (chunk) => digest(hash, concat(prefix(0xa5, chunk.length), chunk)),
  );
  return await digest(hash, concat(prefix(0x5a, chunks.length), ...digests));
}

function chunksOf(section: Bytes): Bytes[] {
  const chunks: Bytes[] = [];
  for (let at = 0; at < section.length; at += CHUNK) {
    chunks.push(section.subarray(at, at + CHUNK));
  }
  return chunks;
}

function prefix(mark: number, count: number): Bytes {
  const bytes = new Uint8Array(5);
  bytes[0] = mark;
  new DataView(bytes.buffer).setUint32(1, count, true);
  return bytes;
}
