import { AttestationError } from "../errors.ts";
import type { Bytes } from "./bytes.ts";

const STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE = STANDARD.slice(0, 62) + "-_";

// 0-63 are digits of both alphabets; bit 6 marks `+/`, bit 7 marks `-_`, 255 is no digit.
const VALUES = new Uint8Array(128).fill(255);
for (let i = 0; i < 64; i++) {
  VALUES[STANDARD.charCodeAt(i)] = i < 62 ? i : i | 64;
  VALUES[URL_SAFE.charCodeAt(i)] = i < 62 ? i : i | 128;
}

/** Which texts count as base64. */
export interface Base64Options {
  /** `any` takes one alphabet or the other, never both in one text. Default `any`. */
  alphabet?: "any" | "standard" | "url";
  /** `optional` takes padding or none. Default `optional`. */
  padding?: "optional" | "required" | "none";
  /** JSON Pointer for the refusal. */
  path?: string;
}

/**
 * Strict base64 (RFC 4648): no white space, no foreign characters, no mixed alphabets,
 * padding at the end only, and unused bits zero, so that each value has one text per
 * alphabet and padding. `atob`, `Buffer` and `Uint8Array.fromBase64` all take more.
 */
export function decodeBase64(text: string, options: Base64Options = {}): Bytes {
  const { alphabet = "any", padding = "optional", path } = options;
  let end = text.length;
  if (end > 0 && text.charCodeAt(end - 1) === 61) end--;
  if (end > 0 && end < text.length && text.charCodeAt(end - 1) === 61) end--;
  const padded = text.length - end;
  const rest = end % 4;
  if (
    rest === 1 || (padded > 0 && (padding === "none" || (end + padded) % 4 !== 0)) ||
    (padded === 0 && padding === "required" && rest !== 0)
  ) throw refusal(path, "wrong length or padding");

  const bytes = new Uint8Array((end * 3) >> 2);
  let marks = alphabet === "standard" ? 64 : alphabet === "url" ? 128 : 0;
  let bad = 0;
  let at = 0;
  let i = 0;
  for (const whole = end - rest; i < whole; i += 4) {
    const a = digit(text, i),
      b = digit(text, i + 1),
      c = digit(text, i + 2),
      d = digit(text, i + 3);
    const union = a | b | c | d;
    bad |= union & 256;
    marks |= union & 192;
    bytes[at++] = (a << 2) | ((b & 63) >> 4);
    bytes[at++] = (b << 4) | ((c & 63) >> 2);
    bytes[at++] = (c << 6) | (d & 63);
  }
  if (rest > 0) {
    const a = digit(text, i), b = digit(text, i + 1), c = rest === 3 ? digit(text, i + 2) : 0;
    const union = a | b | c;
    bad |= union & 256;
    marks |= union & 192;
    if ((rest === 2 ? b & 15 : c & 3) !== 0) throw refusal(path, "unused bits are not zero");
    bytes[at++] = (a << 2) | ((b & 63) >> 4);
    if (rest === 3) bytes[at++] = (b << 4) | ((c & 63) >> 2);
  }
  if (bad !== 0) throw refusal(path, "a character outside the alphabet");
  if (marks === 192) throw refusal(path, "mixed alphabets");
  return bytes;
}

function digit(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (code > 127) return 256;
  const value = VALUES[code];
  return value === 255 ? 256 : value;
}

function refusal(path: string | undefined, what: string): AttestationError {
  return new AttestationError("invalid-base64", `Cannot decode base64: ${what}`, { path });
}

const ascii = new TextDecoder();

/** Standard alphabet with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return encode(bytes, STANDARD, "=");
}

/** URL-safe alphabet without padding, as JOSE writes it. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encode(bytes, URL_SAFE, "");
}

function encode(bytes: Uint8Array, alphabet: string, pad: string): string {
  const { length } = bytes;
  const padded = pad !== "" || length % 3 === 0;
  const codes = new Uint8Array(padded ? 4 * Math.ceil(length / 3) : Math.ceil(4 * length / 3));
  // What lies beyond the end of a typed array is not stored, which cuts the unpadded form.
  for (let i = 0, at = 0; i < length; i += 3) {
    const a = bytes[i], b = bytes[i + 1] ?? 0, c = bytes[i + 2] ?? 0;
    codes[at++] = alphabet.charCodeAt(a >> 2);
    codes[at++] = alphabet.charCodeAt(((a & 3) << 4) | (b >> 4));
    codes[at++] = i + 1 < length
      ? alphabet.charCodeAt(((b & 15) << 2) | (c >> 6))
      : pad.charCodeAt(0);
    codes[at++] = i + 2 < length ? alphabet.charCodeAt(c & 63) : pad.charCodeAt(0);
  }
  return ascii.decode(codes);
}
