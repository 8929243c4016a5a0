import { AttestationError, isAttestationError } from "../../errors.ts";
import { decodeBase64 } from "../../internal/base64.ts";
import { asBytes, type Bytes, equalBytes } from "../../internal/bytes.ts";
import { digest, type HashName } from "../../internal/digest.ts";
import { decodeUtf8, quote } from "../../internal/json.ts";

/** One section of a manifest or signature file. */
export interface ManifestSection {
  /** Its attributes by their names in lower case. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Its bytes, with the empty line that ends it: what a signature file digests. */
  readonly raw: Bytes;
}

/** A manifest or signature file of a JAR. */
export interface Manifest {
  /** The whole file. */
  readonly raw: Bytes;
  /** Attributes of the file itself. */
  readonly main: ManifestSection;
  /** Sections by the name of the entry that they are about. */
  readonly sections: ReadonlyMap<string, ManifestSection>;
}

/** An archive without ZIP64 has fewer entries; folders and packages may have sections as well. */
const MAX_SECTIONS = 100_000;
const LF = 10, CR = 13, SPACE = 32;

/**
 * Reads a manifest or signature file. Names that are there twice, and lines that no newline
 * ends, are refused: readers differ in what they make of them.
 *
 * Source: Java SE, JAR File Specification, "Name-Value pairs and Sections".
 *
 * @throws {AttestationError} `malformed-envelope` or `limit-exceeded`.
 */
export function parseManifest(bytes: Uint8Array, what: string): Manifest {
  const fail = (problem: string) =>
    new AttestationError("malformed-envelope", `Cannot read ${what}: ${problem}`);
  const raw = asBytes(bytes);
  // The lines of one section, each behind a line feed: never more bytes than they have.
  const unfolded = new Uint8Array(raw.length);
  const found: ManifestSection[] = [];
  for (let at = 0;;) {
    // More empty lines than one separate nothing else; none stands in front of the main section.
    if (found.length > 0) { while (raw[at] === LF || raw[at] === CR) at++; }
    if (at === raw.length) break;
    const start = at;
    let length = 0;
    for (;;) {
      const end = endOfLine(raw, at);
      if (end === undefined) throw fail("its last line has no end");
      const line = raw.subarray(at, end.text);
      at = end.next;
      if (line.length === 0) break;
      // A line goes on where the next one begins with a blank; characters may be cut.
      const isRest = line[0] === SPACE;
      if (isRest && length === 0) throw fail("a section begins with the rest of a line");
      if (!isRest) unfolded[length++] = LF;
      const text = isRest ? line.subarray(1) : line;
      unfolded.set(text, length);
      length += text.length;
      if (at === raw.length) break;
    }
    if (length === 0) throw fail("it has no main section");
    if (found.length > MAX_SECTIONS) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read ${what}: more than ${MAX_SECTIONS} sections`,
      );
    }
    const attributes = readAttributes(unfolded.subarray(0, length), fail);
    found.push({ attributes, raw: raw.subarray(start, at) });
  }
  const [main, ...rest] = found;
  if (main === undefined || main.attributes.has("name")) throw fail("it has no main section");
  const sections = new Map<string, ManifestSection>();
  for (const section of rest) {
    const name = section.attributes.get("name");
    if (name === undefined || section.attributes.keys().next().value !== "name") {
      throw fail("a section does not begin with its name");
    }
    if (sections.has(name)) throw fail(`it has ${quote(name)} twice`);
    sections.set(name, section);
  }
  return { raw, main, sections };
}

/** Where a line ends, and where the next one begins: LF, CR, or both. */
function endOfLine(bytes: Bytes, start: number): { text: number; next: number } | undefined {
  for (let at = start; at < bytes.length; at++) {
    if (bytes[at] === LF) return { text: at, next: at + 1 };
    if (bytes[at] === CR) return { text: at, next: bytes[at + 1] === LF ? at + 2 : at + 1 };
  }
}

/** Attributes of a section, of which each line stands behind a line feed. */
function readAttributes(
  lines: Bytes,
  fail: (problem: string) => AttestationError,
): Map<string, string> {
  const attributes = new Map<string, string>();
  let whole: string;
  try {
    whole = decodeUtf8(lines);
  } catch {
    throw fail("a section is not UTF-8");
  }
  for (const text of whole.split("\n").slice(1)) {
    const [, name, value] = /^([A-Za-z0-9][\w-]{0,69}): ([^]*)$/.exec(text) ?? [];
    if (name === undefined || value.includes("\0")) throw fail(`${quote(text)} is no attribute`);
    const key = name.toLowerCase();
    if (attributes.has(key)) throw fail(`a section has ${quote(name)} twice`);
    attributes.set(key, value);
  }
  return attributes;
}

/** Hash functions that are accepted, by the names that attributes begin with. */
const HASHES: ReadonlyMap<string, HashName> = new Map([
  ["sha-256", "SHA-256"],
  ["sha-384", "SHA-384"],
  ["sha-512", "SHA-512"],
]);

/** A digest that a section states. */
export interface StatedDigest {
  /** Hash function. */
  readonly hash: HashName;
  /** The digest. */
  readonly value: Bytes;
}

/** What a section says of digests. */
export interface StatedDigests {
  /** Those that are accepted. */
  readonly accepted: readonly StatedDigest[];
  /** There are others: SHA-1, MD5, or unknown ones. */
  readonly hasOthers: boolean;
}

/**
 * Digests that attributes state under names such as `SHA-256-Digest`.
 *
 * @param kind What follows the hash function's name: `-digest`, `-digest-manifest`.
 * @throws {AttestationError} `malformed-envelope` if one is no base64.
 */
export function statedDigests({ attributes }: ManifestSection, kind: string): StatedDigests {
  const accepted: StatedDigest[] = [];
  let hasOthers = false;
  for (const [name, text] of attributes) {
    if (!name.endsWith(kind)) continue;
    const hash = HASHES.get(name.slice(0, -kind.length));
    if (hash === undefined) hasOthers = true;
    else accepted.push({ hash, value: base64(text) });
  }
  return { accepted, hasOthers };
}

/** Tells whether bytes have each of the digests. */
export async function hasDigests(
  bytes: Uint8Array,
  digests: readonly StatedDigest[],
): Promise<boolean> {
  for (const { hash, value } of digests) {
    if (!equalBytes(await digest(hash, bytes), value)) return false;
  }
  return true;
}

function base64(text: string): Bytes {
  try {
    return decodeBase64(text, { alphabet: "standard", padding: "required" });
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw new AttestationError("malformed-envelope", "Cannot read digest: it is no base64", {
      cause,
    });
  }
}
