import { readZipEntry, type ZipArchive } from "./zip.ts";

const MAX_SIGNATURE_FILE = 8 << 20;
const MAX_SIGNATURE_FILES = 16;

/**
 * The schemes of APK signatures that a signature file (`META-INF/*.SF`) says that there are
 * beside it, by their numbers: whoever cuts one out cannot change that.
 *
 * Source: Android, "APK Signature Scheme v2", "Rollback protections".
 *
 * @param file The signature file; its main section is read.
 */
export function schemesDemanded(file: Uint8Array): number[] {
  const text = new TextDecoder().decode(file).replace(/\r\n?/g, "\n");
  const [main] = text.split("\n\n", 1);
  // Lines of more than 72 bytes go on after a line break and a space.
  const value = /^X-Android-APK-Signed:([^\n]*)$/im.exec(main.replaceAll("\n ", ""))?.[1] ?? "";
  return value.split(",").map((one) => one.trim()).filter((one) => /^\d{1,9}$/.test(one))
    .map(Number);
}

/** What all signature files of an archive demand. */
export async function schemesDemandedBy(archive: ZipArchive): Promise<number[]> {
  const found = new Set<number>();
  const files = archive.entries
    .filter(({ name }) => /^META-INF\/[^/]+\.SF$/i.test(name)).slice(0, MAX_SIGNATURE_FILES);
  for (const entry of files) {
    const content = await readZipEntry(archive, entry, MAX_SIGNATURE_FILE);
    for (const scheme of schemesDemanded(content)) found.add(scheme);
  }
  return [...found];
}
