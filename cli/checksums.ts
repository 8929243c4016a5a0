import { AttestationError } from "../errors.ts";
import { decodeUtf8, quote } from "../internal/json.ts";

/** One file of a checksum file: its name and digests, lowercase hex. */
export interface ChecksumEntry {
  /** Name as the file states it; never used as a path to read. */
  name: string;
  /** Digests by algorithm. */
  digest: Record<string, string>;
}

/** Most lines that are read. */
export const MAX_CHECKSUM_LINES = 100_000;

const ALGORITHMS = new Map([["sha256", 64], ["sha384", 96], ["sha512", 128]]);
const GNU = /^(\\?)([0-9A-Fa-f]+) [ *](.+)$/;
const BSD = /^(\\?)(SHA(?:256|384|512)) \((.+)\) = ([0-9A-Fa-f]+)$/;

/**
 * Reads what `sha256sum`, `sha384sum` and `sha512sum` write: `HEX  NAME`, `HEX *NAME`, and
 * `SHA256 (NAME) = HEX` with `--tag`. A line that starts with a backslash has `\\`, `\n` and
 * `\r` escaped in its name. Lines about one name are put together.
 *
 * @throws {AttestationError} `malformed-checksums`, `empty-input`, `invalid-unicode`,
 * `limit-exceeded`.
 */
export function parseChecksums(source: Uint8Array): ChecksumEntry[] {
  const lines = decodeUtf8(source).split("\n");
  if (lines.length > MAX_CHECKSUM_LINES) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read checksums: more than ${MAX_CHECKSUM_LINES} lines`,
    );
  }
  const entries = new Map<string, ChecksumEntry>();
  lines.forEach((text, index) => {
    const line = text.endsWith("\r") ? text.slice(0, -1) : text;
    if (line.trim() === "") return;
    const { name, algorithm, hex } = parseLine(line, index + 1);
    const entry = entries.get(name) ?? { name, digest: {} };
    const known = entry.digest[algorithm];
    if (known !== undefined && known !== hex) {
      throw malformed(index + 1, `${quote(name)} has another ${algorithm} in an earlier line`);
    }
    entry.digest[algorithm] = hex;
    entries.set(name, entry);
  });
  if (entries.size === 0) {
    throw new AttestationError("empty-input", "Cannot read checksums: there is no line");
  }
  return [...entries.values()];
}

function parseLine(line: string, number: number): { name: string; algorithm: string; hex: string } {
  const bsd = BSD.exec(line);
  if (bsd !== null) {
    const [, escaped, algorithm, written, digits] = bsd;
    return entryOf({ written, escaped, digits, named: algorithm.toLowerCase() }, number);
  }
  const gnu = GNU.exec(line);
  if (gnu !== null) {
    const [, escaped, digits, written] = gnu;
    return entryOf({ written, escaped, digits }, number);
  }
  throw malformed(number, "wanted a digest and a name, as sha256sum writes them");
}

interface Written {
  /** Name as written. */
  written: string;
  /** A backslash if the name is escaped, else empty. */
  escaped: string;
  digits: string;
  /** Algorithm, if the line names it. */
  named?: string;
}

function entryOf(
  { written, escaped, digits, named }: Written,
  number: number,
): { name: string; algorithm: string; hex: string } {
  const hex = digits.toLowerCase();
  const algorithm = named ?? [...ALGORITHMS].find(([, length]) => length === hex.length)?.[0];
  if (algorithm === undefined || ALGORITHMS.get(algorithm) !== hex.length) {
    throw malformed(number, `${hex.length} hex digits are no SHA-256, SHA-384 or SHA-512`);
  }
  return { name: escaped === "" ? written : unescapeName(written, number), algorithm, hex };
}

function unescapeName(name: string, number: number): string {
  return name.replace(/\\(.?)/g, (_, letter: string) => {
    if (letter === "\\") return "\\";
    if (letter === "n") return "\n";
    if (letter === "r") return "\r";
    throw malformed(number, `${quote(name)} has an unknown escape`);
  });
}

function malformed(line: number, what: string): AttestationError {
  return new AttestationError(
    "malformed-checksums",
    `Cannot read checksums: line ${line}: ${what}`,
  );
}
