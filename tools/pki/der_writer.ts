/**
 * DER writer (X.690) for the throw-away Sigstore instance. It writes what it is told, also
 * what a reader must refuse.
 *
 * @module
 */
import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";

/** One element: identifier octet, length and contents. */
export function element(tag: number, ...contents: Uint8Array[]): Bytes {
  const value = concat(...contents);
  return concat(Uint8Array.of(tag), lengthOctets(value.length), value);
}

function lengthOctets(length: number): Bytes {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}

export function sequence(...members: Uint8Array[]): Bytes {
  return element(0x30, ...members);
}

/** SET OF, its members in the order that DER asks for. */
export function setOf(...members: Uint8Array[]): Bytes {
  return element(0x31, ...members.toSorted(compareBytes));
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** INTEGER of a number that is not negative, or of its big-endian bytes. */
export function integer(value: number | Uint8Array): Bytes {
  let octets: number[] = [];
  if (typeof value === "number") {
    for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  } else octets = [...value];
  while (octets.length > 1 && octets[0] === 0) octets.shift();
  if (octets.length === 0 || octets[0] >= 0x80) octets.unshift(0);
  return element(0x02, Uint8Array.from(octets));
}

export function boolean(value: boolean): Bytes {
  return element(0x01, Uint8Array.of(value ? 0xff : 0));
}

export function nullValue(): Bytes {
  return element(0x05);
}

/** BIT STRING; `unused` bits at its end are not part of it. */
export function bitString(value: Uint8Array, unused = 0): Bytes {
  return element(0x03, Uint8Array.of(unused), value);
}

export function octetString(value: Uint8Array): Bytes {
  return element(0x04, value);
}

export function utf8String(text: string): Bytes {
  return element(0x0c, utf8(text));
}

export function printableString(text: string): Bytes {
  return element(0x13, utf8(text));
}

/** OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Bytes {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const octets: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) {
      digits.unshift(0x80 | (left % 128));
    }
    octets.push(...digits);
  }
  return element(0x06, Uint8Array.from(octets));
}

/** Constructed, context-specific: `[number] { … }`. */
export function tagged(number: number, ...contents: Uint8Array[]): Bytes {
  return element(0xa0 | number, ...contents);
}

/** Primitive, context-specific: `[number] IMPLICIT` of a string type. */
export function taggedString(number: number, value: Uint8Array): Bytes {
  return element(0x80 | number, value);
}

/** UTCTime until 2049, GeneralizedTime from then on, as X.509 asks. */
export function time(date: Date): Bytes {
  if (date.getUTCFullYear() >= 2050) return generalizedTime(date);
  return element(0x17, utf8(digits(date).slice(2) + "Z"));
}

export function generalizedTime(date: Date): Bytes {
  return element(0x18, utf8(digits(date) + "Z"));
}

function digits(date: Date): string {
  return date.toISOString().slice(0, 19).replace(/[-T:]/g, "");
}

/** Name of organisation and common name. */
export function distinguishedName(organization: string, commonName: string): Bytes {
  const attribute = (type: string, value: string) =>
    setOf(sequence(oid(type), printableString(value)));
  return sequence(attribute("2.5.4.10", organization), attribute("2.5.4.3", commonName));
}
