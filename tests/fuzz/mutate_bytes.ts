/** Mutations of bytes and of plain text, which know nothing of a format. */

import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import type { Random } from "./random.ts";

const EDGES = [0, 1, 0x0a, 0x0d, 0x20, 0x22, 0x30, 0x5c, 0x7f, 0x80, 0xc0, 0xed, 0xef, 0xff];

/** Texts on which readers have stumbled. */
export const WORDS: readonly string[] = [
  "",
  " ",
  "\u0000",
  "\n",
  "\r\n",
  "\u001b[31m",
  "\u202e",
  "\ufeff",
  "\ud800",
  "\u2028",
  "é",
  "e\u0301",
  "😀",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "then",
  "toJSON",
  "length",
  "null",
  "undefined",
  "true",
  "NaN",
  "-0",
  "0",
  "00",
  "1e400",
  "1e3",
  "9007199254740993",
  "18446744073709551616",
  "-1",
  "../../etc/passwd",
  "..\\..\\a",
  "C:\\a",
  "/",
  ".",
  "%00",
  "%2e%2e%2f",
  "%ff",
  "%",
  "+",
  "*",
  "**",
  "(a+)+$",
  ".*",
  "[",
  "\\",
  "sha256",
  "sha1",
  "SHA256",
  "sha512",
  "gitCommit",
  "a".repeat(64),
  "A".repeat(64),
  "https://slsa.dev/provenance/v1",
  "https://in-toto.io/Statement/v1",
  "application/vnd.in-toto+json",
  "https://example.com/",
  "https://user:pass@example.com:99999/",
  "javascript:alert(1)",
  "file:///etc/passwd",
  "git+https://github.com/acme/app@refs/tags/v1",
  "2025-02-29T00:00:00Z",
  "2025-02-03T10:00:05Z",
  "9999-12-31T23:59:59.999999999Z",
  "0000-01-01T00:00:00Z",
  "2025-06-30T23:59:60Z",
  "P1D",
  "pkg:npm/%40a/b@1",
];

/** One change to bytes; `other` gives something to borrow from. */
export function mutateBytes(input: Bytes, random: Random, other: () => Bytes): Bytes {
  const { length } = input;
  const at = random.int(length + 1);
  const size = Math.min(length - at, 1 + random.int(random.once(4) ? 64 : 4));
  switch (random.int(12)) {
    case 0:
    case 1:
    case 2: {
      if (length === 0) return Uint8Array.of(random.int(256));
      const copy = input.slice();
      copy[random.int(length)] ^= 1 << random.int(8);
      return copy;
    }
    case 3: {
      if (length === 0) return utf8("{");
      const copy = input.slice();
      copy[random.int(length)] = random.once(2) ? random.pick(EDGES) : random.int(256);
      return copy;
    }
    case 4:
      return concat(input.subarray(0, at), input.subarray(at + size));
    case 5: {
      const times = random.once(16) ? 64 : 1 + random.int(3);
      const part = input.subarray(at, at + size);
      return concat(input.subarray(0, at), ...Array(times).fill(part), input.subarray(at));
    }
    case 6:
      return concat(
        input.subarray(0, at),
        Uint8Array.from({ length: size + 1 }, () => random.int(256)),
        input.subarray(at),
      );
    case 7:
      return concat(input.subarray(0, at), utf8(wellFormed(random)), input.subarray(at));
    case 8:
      return input.slice(0, at);
    case 9: {
      const borrowed = other();
      const from = random.int(borrowed.length + 1);
      const part = borrowed.subarray(from, from + 1 + random.int(64));
      return concat(input.subarray(0, at), part, input.subarray(random.once(2) ? at : at + size));
    }
    case 10: {
      const borrowed = other();
      return concat(input.subarray(0, at), borrowed.subarray(random.int(borrowed.length + 1)));
    }
    default: {
      const to = random.int(length + 1);
      const part = input.slice(at, at + size);
      const rest = concat(input.subarray(0, at), input.subarray(at + size));
      return concat(rest.subarray(0, to), part, rest.subarray(to));
    }
  }
}

function wellFormed(random: Random): string {
  return random.pick(WORDS).toWellFormed();
}

/** One change to text, in UTF-16 units. */
export function mutatePlain(text: string, random: Random): string {
  const at = random.int(text.length + 1);
  const size = 1 + random.int(3);
  switch (random.int(10)) {
    case 0:
      return random.pick(WORDS);
    case 1:
      return text.slice(0, at) + random.pick(WORDS) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(at + size);
    case 3:
      return text.slice(0, at);
    case 4:
      return text.slice(0, at) + String.fromCharCode(random.int(random.once(4) ? 65536 : 128)) +
        text.slice(at + 1);
    case 5:
      return random.once(2) ? text.toUpperCase() : text.toLowerCase();
    case 6:
      return text + (random.once(16) ? text.repeat(20) : text);
    case 7:
      return random.once(8) ? random.pick(WORDS).repeat(200) : ` ${text} `;
    case 8: {
      // The next number, and another one.
      return text.replace(/\d+/, (digits) => String(Number(digits) + random.int(3) - 1));
    }
    default:
      return [...text].reverse().join("").slice(0, random.int(200)) + text.slice(at);
  }
}
