import { AttestationError } from "../../errors.ts";
import { decodeUtf8, quote } from "../../internal/json.ts";
import type { ResourceDescriptor } from "../resource_descriptor.ts";
import { checkFileName } from "./file_name.ts";

/** One file of a checksum file: its name and digests, lowercase hex. */
export interface ChecksumEntry {
  /** Name as the file states it; never used as a path to read. */
  name: string;
  /** Digests by algorithm. */
  digest: Record<string, string>;
  /** The first line that names it, from 1. */
  line?: number;
}

/** Most lines that are read by {@linkcode parseChecksums}. */
export const MAX_CHECKSUM_LINES: number = 100_000;

const ALGORITHMS = new Map([["sha256", 64], ["sha384", 96], ["sha512", 128]]);
const GNU = /^(\\?)([0-9A-Fa-f]+) [ *](.+)$/;
const BSD = /^(\\?)(SHA(?:256|384|512)) \((.+)\) = ([0-9A-Fa-f]+)$/;

/**
 * Reads what `sha256sum`, `sha384sum` and `sha512sum` write: `HEX  NAME`, `HEX *NAME`, and
 * `SHA256 (NAME) = HEX` with `--tag`. A line that starts with a backslash has `\\`, `\n` and
 * `\r` escaped in its name. Lines about one name are put together.
 *
 * Source: GNU coreutils, "cksum general options" and "md5sum invocation".
 *
 * @param source UTF-8, at most {@linkcode MAX_CHECKSUM_LINES} lines.
 * @throws {AttestationError} `malformed-checksums`, `empty-input`, `invalid-unicode`,
 * `limit-exceeded`.
 *
 * @example
 * ```ts
 * import { parseChecksums } from "@x/attest/intoto/subjects";
 * import assert from "node:assert/strict";
 *
 * const [entry] = parseChecksums(new TextEncoder().encode(`${"a".repeat(64)}  app.tgz\n`));
 * assert.deepEqual(entry, { name: "app.tgz", digest: { sha256: "a".repeat(64) }, line: 1 });
 * ```
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
    const entry = entries.get(name) ?? { name, digest: {}, line: index + 1 };
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

/**
 * The files of a checksum file as one subject each. A leading `./` is left out of a name.
 *
 * The digests are taken as they are written: whoever signs vouches for the file.
 *
 * @param entries Of {@linkcode parseChecksums}.
 * @throws {AttestationError} `unsupported-file-name` (absolute, with `..`, a backslash or
 * control characters: names that lead elsewhere for whoever uses them as paths),
 * `duplicate-subject-name`.
 *
 * @example
 * ```ts
 * import { checksumSubjects } from "@x/attest/intoto/subjects";
 * import assert from "node:assert/strict";
 *
 * const digest = { sha256: "a".repeat(64) };
 * assert.deepEqual(checksumSubjects([{ name: "./app", digest }]), [{ name: "app", digest }]);
 * assert.throws(() => checksumSubjects([{ name: "../app", digest }]));
 * ```
 */
export function checksumSubjects(entries: readonly ChecksumEntry[]): ResourceDescriptor[] {
  const seen = new Set<string>();
  return entries.map(({ name: written, digest }) => {
    const name = written.replace(/^(\.\/)+/, "");
    checkFileName(name, "use checksums");
    if (seen.has(name)) {
      throw new AttestationError(
        "duplicate-subject-name",
        `Cannot use checksums: ${quote(name)} is written in two ways`,
      );
    }
    seen.add(name);
    return { name, digest: { ...digest } };
  });
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
