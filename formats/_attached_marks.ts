/** Marks of what formats/attached/ reads: telling them apart needs nothing of it. */

import { isApk, isZip } from "./_zip_marks.ts";
import type { Confidence } from "./format.ts";
import type { FormatInput } from "./format_input.ts";

const CTL = "\x06\x09\x2b\x06\x01\x04\x01\x82\x37\x0a\x01";
const SIGNED_DATA = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
const TST_INFO = "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04";

/** Bytes in which CMS states the type of its content. */
const NEAR = 192;

/** CMS SignedData that is neither a timestamp nor a list of trust. */
export function isCmsSignature({ head }: FormatInput): Confidence {
  if (/^-----BEGIN (PKCS7|CMS)-----\r?\n/.test(head)) return 3;
  const isSignedData = head.startsWith("\x30") && head.slice(0, 20).includes(SIGNED_DATA);
  // Further on, a timestamp is one over the signature.
  const start = head.slice(0, NEAR);
  return isSignedData && !start.includes(TST_INFO) && !start.includes(CTL) ? 3 : 0;
}

/** A timestamp, by itself or in its response. */
export function isTimestamp({ head }: FormatInput): Confidence {
  return head.startsWith("\x30") && head.slice(0, NEAR).includes(TST_INFO) ? 3 : 0;
}

/** A PE image for anything but EFI. */
export function isAuthenticode(input: FormatInput): Confidence {
  const subsystem = subsystemOf(input);
  return subsystem !== undefined && !isEfi(subsystem) ? 3 : 0;
}

/** A PE image for EFI: an application, a driver, or one in ROM. */
export function isUefi(input: FormatInput): Confidence {
  const subsystem = subsystemOf(input);
  return subsystem !== undefined && isEfi(subsystem) ? 3 : 0;
}

function isEfi(subsystem: number): boolean {
  return subsystem >= 10 && subsystem <= 13;
}

function subsystemOf(input: FormatInput): number | undefined {
  const { bytes } = input;
  if (!input.has("MZ") || bytes.length < 64) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = view.getUint32(0x3c, true);
  if (header + 94 > bytes.length || !input.has("PE\0\0", header)) return undefined;
  return view.getUint16(header + 24 + 68, true);
}

/** Bytes of a central directory that are looked at for the files of a signature. */
const DIRECTORY_WINDOW = 1 << 20;
const NAME_MOST = 1024;

/**
 * A JAR that is signed, by the names in its central directory; one that has a manifest alone may
 * be meant as well. An APK has its signature elsewhere.
 */
export function isJar(input: FormatInput): Confidence {
  if (!isZip(input) || isApk(input)) return 0;
  let found: Confidence = 0;
  for (const name of namesOf(input)) {
    if (/^META-INF\/[^/]+\.(SF|RSA|EC|DSA)$/i.test(name)) return 3;
    if (/^META-INF\/MANIFEST\.MF$/i.test(name)) found = 2;
  }
  return found;
}

function* namesOf({ bytes, tail }: FormatInput): Generator<string> {
  const end = bytes.length - tail.length + tail.lastIndexOf("PK\x05\x06");
  if (end < bytes.length - tail.length || end + 22 > bytes.length) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = view.getUint32(end + 16, true);
  const stop = Math.min(end, start + DIRECTORY_WINDOW);
  for (let at = start; at + 46 <= stop && view.getUint32(at) === 0x504b0102;) {
    const length = view.getUint16(at + 28, true);
    const raw = bytes.subarray(at + 46, at + 46 + Math.min(length, NAME_MOST));
    yield String.fromCharCode(...raw);
    at += 46 + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
}
