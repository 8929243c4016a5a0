import { AttestationError, isAttestationError } from "../../errors.ts";
import { decodeBase64 } from "../../internal/base64.ts";
import type { Bytes } from "../../internal/bytes.ts";
import { decodeUtf8, printable, quote } from "../../internal/json.ts";
import { malformed } from "./_packets.ts";

/** A block of armor. */
export interface Armored {
  /** What its first line calls it, such as `PGP SIGNATURE`. */
  readonly label: string;
  /** Lines before the data, which nobody signs. */
  readonly headers: Readonly<Record<string, string>>;
  /** The packets. */
  readonly bytes: Bytes;
  /** Index of the line behind it. */
  readonly next: number;
}

const BEGIN = /^-----BEGIN (PGP [A-Z ]{1,40})-----[\t ]*$/;
const HEADER = /^([A-Za-z][A-Za-z0-9-]{0,63}): ?(.{0,1024})$/;
const DATA = /^[A-Za-z0-9+/]{1,76}={0,2}$/;
const CRC = /^=[A-Za-z0-9+/]{4}$/;
const MAX_HEADERS = 16;

/**
 * Lines of a text. A carriage return is the end of a line only before a line feed: readers that
 * take one by itself for an end see other lines than readers that do not.
 *
 * @throws {AttestationError} `malformed-envelope`, `invalid-unicode`.
 */
export function linesOf(bytes: Uint8Array): string[] {
  const text = decodeUtf8(bytes);
  if (/\r(?!\n)/.test(text)) throw malformed("a carriage return stands within a line");
  return text.split(/\r?\n/);
}

/** What the first line of a block calls it, if the line is one. */
export function labelOf(line: string): string | undefined {
  return BEGIN.exec(line)?.[1];
}

/**
 * Reads one block. The checksum may be left out; one that is there has to be right, although
 * RFC 9580 lets a reader overlook it: what it tells is that the text was damaged.
 *
 * Source: RFC 9580, 6.
 *
 * @param start Index of its first line.
 * @throws {AttestationError} `malformed-envelope`, `invalid-base64`, `limit-exceeded`.
 */
export function readArmor(lines: readonly string[], start: number): Armored {
  const label = labelOf(lines[start]);
  if (label === undefined) {
    throw malformed(`${quote(lines[start] ?? "")} begins no armor`);
  }
  let at = start + 1;
  const headers: Record<string, string> = {};
  for (; at < lines.length && lines[at].trim() !== ""; at++) {
    const [, name, value] = HEADER.exec(lines[at]) ?? [];
    if (name === undefined) throw malformed(`${quote(lines[at])} is no header of armor`);
    if (at - start > MAX_HEADERS) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read OpenPGP: more than ${MAX_HEADERS} headers of armor`,
      );
    }
    headers[name] = Object.hasOwn(headers, name)
      ? `${headers[name]}\n${printable(value)}`
      : printable(value);
  }
  const data: string[] = [];
  for (at++; at < lines.length && DATA.test(lines[at]); at++) data.push(lines[at]);
  const crc = CRC.test(lines[at] ?? "") ? lines[at++] : undefined;
  if (lines[at]?.trimEnd() !== `-----END ${label}-----`) {
    throw malformed(`its armor does not end: found ${quote(lines[at] ?? "")}`);
  }
  const bytes = base64(data.join(""));
  if (bytes.length === 0) throw malformed("its armor is empty");
  if (crc !== undefined && !equals(base64(crc.slice(1)), crc24(bytes))) {
    throw malformed("the checksum of its armor is another: the text was damaged");
  }
  return { label, headers, bytes, next: at + 1 };
}

/** Refuses anything but white space from one line up to, not including, another. */
export function refuseMore(lines: readonly string[], start: number, end = lines.length): void {
  const line = lines.slice(start, end).find((one) => one.trim() !== "");
  if (line !== undefined) {
    throw malformed(`${quote(line)} stands outside of what is signed`);
  }
}

function base64(text: string): Bytes {
  try {
    return decodeBase64(text, { alphabet: "standard", padding: "required" });
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw new AttestationError("invalid-base64", "Cannot read OpenPGP: its armor is no base64", {
      cause,
    });
  }
}

function equals([a, b, c]: Uint8Array, crc: number): boolean {
  return (a << 16 | b << 8 | c) === crc;
}

/** RFC 9580, 6.1.1. */
function crc24(bytes: Uint8Array): number {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let i = 0; i < 8; i++) {
      crc <<= 1;
      if ((crc & 0x1000000) !== 0) crc ^= 0x1864cfb;
    }
  }
  return crc & 0xffffff;
}
