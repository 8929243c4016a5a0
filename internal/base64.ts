import { AttestationError } from "../errors.ts";
import { type Bytes, utf8 } from "./bytes.ts";

const STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE = STANDARD.slice(0, 62) + "-_";

// 0-63 are digits of both alphabets; bit 6 marks `+/`, bit 7 marks `-_`, 255 is no digit:
// the union of all values shows both marks for a foreign character as for a mixture.
const VALUES = new Uint8Array(256).fill(255);
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

const encoder = new TextEncoder();
/** Node takes ten times as long for a new array as for one that is there. */
const SCRATCH = new Uint8Array(8192);

/** The units of a text as bytes, valid until the next call; whatever is not ASCII is no digit. */
function unitsOf(text: string): Uint8Array {
  if (text.length > SCRATCH.length) return utf8(text);
  const { written } = encoder.encodeInto(text, SCRATCH);
  return written === text.length ? SCRATCH : utf8(text);
}

/** What newer runtimes have, ten times as fast. */
interface NativeCodec {
  fromBase64?: (
    text: string,
    options: { alphabet: "base64" | "base64url"; lastChunkHandling: "strict" },
  ) => Bytes;
}

interface NativeEncoder {
  toBase64?: (options: { alphabet: "base64" | "base64url"; omitPadding: boolean }) => string;
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
  return decodeNative(text, end, alphabet) ?? decodePlain(text, end, options);
}

/** Undefined for whatever is not beyond doubt: then {@linkcode decodePlain} decides. */
function decodeNative(text: string, end: number, alphabet: string): Bytes | undefined {
  const { fromBase64 } = Uint8Array as NativeCodec;
  if (fromBase64 === undefined) return undefined;
  const url = alphabet === "url" ||
    (alphabet === "any" && (text.includes("-") || text.includes("_")));
  const whole = end % 4 === 0 || end < text.length ? text : text + (end % 4 === 2 ? "==" : "=");
  try {
    const bytes = fromBase64.call(Uint8Array, whole, {
      alphabet: url ? "base64url" : "base64",
      lastChunkHandling: "strict",
    });
    // It passes over white space, which shows in the length.
    return bytes.length === (end * 3) >>> 2 ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/**
 * {@linkcode decodeBase64} without the runtime's help, on the first `end` units of a text
 * whose length and padding have been looked at.
 */
export function decodePlain(text: string, end: number, options: Base64Options = {}): Bytes {
  const { alphabet = "any", path } = options;
  const digits = unitsOf(text);
  const bytes = new Uint8Array(Math.floor(end * 3 / 4));
  let marks = alphabet === "standard" ? 64 : alphabet === "url" ? 128 : 0;
  let at = 0;
  let i = 0;
  const rest = end % 4;
  for (const whole = end - rest; i < whole; i += 4) {
    const a = VALUES[digits[i]], b = VALUES[digits[i + 1]];
    const c = VALUES[digits[i + 2]], d = VALUES[digits[i + 3]];
    marks |= a | b | c | d;
    bytes[at] = (a << 2) | ((b & 63) >> 4);
    bytes[at + 1] = (b << 4) | ((c & 63) >> 2);
    bytes[at + 2] = (c << 6) | (d & 63);
    at += 3;
  }
  if (rest > 0) {
    const a = VALUES[digits[i]], b = VALUES[digits[i + 1]];
    const c = rest === 3 ? VALUES[digits[i + 2]] : 0;
    marks |= a | b | c;
    if (marks < 192 && (rest === 2 ? b & 15 : c & 3) !== 0) {
      throw refusal(path, "unused bits are not zero");
    }
    bytes[at++] = (a << 2) | ((b & 63) >> 4);
    if (rest === 3) bytes[at] = (b << 4) | ((c & 63) >> 2);
  }
  if (marks >= 192) {
    throw refusal(path, "a character outside the alphabet, or mixed alphabets");
  }
  return bytes;
}

function refusal(path: string | undefined, what: string): AttestationError {
  return new AttestationError("invalid-base64", `Cannot decode base64: ${what}`, { path });
}

/** Standard alphabet with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  const native: NativeEncoder = bytes;
  return native.toBase64?.({ alphabet: "base64", omitPadding: false }) ?? encodePlain(bytes);
}

/** URL-safe alphabet without padding, as JOSE writes it. */
export function encodeBase64Url(bytes: Uint8Array): string {
  const native: NativeEncoder = bytes;
  return native.toBase64?.({ alphabet: "base64url", omitPadding: true }) ??
    encodePlain(bytes, true);
}

const CODES = [utf8(STANDARD), utf8(URL_SAFE)];

/** {@linkcode encodeBase64} and {@linkcode encodeBase64Url} without the runtime's help. */
export function encodePlain(bytes: Uint8Array, url = false): string {
  const codes = CODES[url ? 1 : 0];
  const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4);
  let at = 0;
  for (let i = 0; i < bytes.length; i += 3) {
    // Past the end an element is undefined, which counts as zero.
    const word = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
    text[at++] = codes[word >> 18];
    text[at++] = codes[(word >> 12) & 63];
    text[at++] = codes[(word >> 6) & 63];
    text[at++] = codes[word & 63];
  }
  const surplus = (3 - bytes.length % 3) % 3;
  if (surplus > 0) text.fill(61, at - surplus);
  return new TextDecoder().decode(url ? text.subarray(0, at - surplus) : text);
}
