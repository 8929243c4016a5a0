/**
 * `corpus.ts` for a runtime without files: the vectors are on the global object, by path, as
 * text; what is no text is in base64 after `base64:`.
 */

import { decodeBase64 } from "../../internal/base64.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";

const FILES: Readonly<Record<string, string>> =
  (globalThis as { tortureFiles?: Record<string, string> }).tortureFiles ?? {};

/** Whether the vectors are there. */
export const present = true;

/** Options of a test that needs them. */
export const options: { skip?: string } = {};

/** Text of a file. */
export function readText(path: string): string {
  if (!Object.hasOwn(FILES, path)) throw new Error(`No file ${path}`);
  return FILES[path];
}

/** Bytes of a file. */
export function readBytes(path: string): Bytes {
  const text = readText(path);
  return text.startsWith("base64:") ? decodeBase64(text.slice(7)) : utf8(text);
}

/** A file of JSON. */
export function load<T>(path: string): T {
  return JSON.parse(readText(path));
}

/** Names in a folder, in order. */
export function list(folder: string): string[] {
  return Object.keys(FILES).filter((path) => path.slice(0, path.lastIndexOf("/")) === folder)
    .map((path) => path.slice(folder.length + 1)).sort();
}

/** Reports what was run. */
export function ran(origin: string, cases: number, otherwise = 0): void {
  console.log(`TORTURE ${origin} ${cases} ${otherwise}`);
}
