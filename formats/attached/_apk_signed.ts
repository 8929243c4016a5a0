import { AttestationError } from "../../errors.ts";
import { readZipEntry, type ZipArchive } from "./zip.ts";

/** Bytes of all signature files together. */
const MAX_BYTES = 32 << 20;
/** Bytes of a main section. */
const MAX_MAIN = 64 << 10;

/**
 * The schemes of APK signatures that a signature file (`META-INF/*.SF`) says that there are
 * beside it, by their numbers: whoever cuts one out cannot change that.
 *
 * Source: Android, "APK Signature Scheme v2", "Rollback protections".
 *
 * @param file The signature file; its main section is read.
 * @throws {AttestationError} `limit-exceeded` if that has no end within 64 KiB.
 */
export function schemesDemanded(file: Uint8Array): number[] {
  const text = new TextDecoder().decode(file.subarray(0, MAX_MAIN)).replace(/\r\n?/g, "\n");
  const [main] = text.split("\n\n", 1);
  if (main === text && file.length > MAX_MAIN) {
    throw tooMuch("the main section of a signature file", MAX_MAIN);
  }
  // Lines of more than 72 bytes go on after a line break and a space.
  const value = /^X-Android-APK-Signed:([^\n]*)$/im.exec(main.replaceAll("\n ", ""))?.[1] ?? "";
  return value.split(",").map((one) => one.trim()).filter((one) => /^\d{1,9}$/.test(one))
    .map(Number);
}

/**
 * What all signature files of an archive demand.
 *
 * @throws {AttestationError} `limit-exceeded`, or `malformed-zip`.
 */
export async function schemesDemandedBy(archive: ZipArchive): Promise<number[]> {
  const found = new Set<number>();
  const files = archive.entries.filter(({ name }) => /^META-INF\/[^/]+\.SF$/i.test(name));
  if (files.reduce((sum, { size }) => sum + size, 0) > MAX_BYTES) {
    throw tooMuch("what its signature files hold", MAX_BYTES);
  }
  for (const entry of files) {
    const content = await readZipEntry(archive, entry, MAX_BYTES);
    for (const scheme of schemesDemanded(content)) found.add(scheme);
  }
  return [...found];
}

function tooMuch(what: string, most: number): AttestationError {
  return new AttestationError(
    "limit-exceeded",
    `Cannot verify APK: ${what} has more than ${most} bytes`,
  );
}
