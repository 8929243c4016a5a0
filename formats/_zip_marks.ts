import type { FormatInput } from "./format_input.ts";

/** Tells whether a document begins as a ZIP archive. */
export function isZip(input: FormatInput): boolean {
  return input.has("PK\x03\x04");
}

/**
 * Tells an APK by the mark of its signing block, which stands where the end record says that
 * the central directory begins.
 */
export function isApk(input: FormatInput): boolean {
  if (!isZip(input)) return false;
  const { bytes, tail } = input;
  const last = tail.lastIndexOf("PK\x05\x06");
  const end = bytes.length - tail.length + last;
  if (last < 0 || end + 22 > bytes.length) return false;
  const start = new DataView(bytes.buffer, bytes.byteOffset + end).getUint32(16, true);
  return start >= 16 && start < end && input.has("APK Sig Block 42", start - 16);
}
