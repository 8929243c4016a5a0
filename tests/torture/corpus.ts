/**
 * Third-party vectors, not part of this repository: beside the checkout in
 * `../shared/torture`, or where `ATTEST_TORTURE` says. In workerd `corpus_embedded.ts` stands
 * for this module.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Bytes } from "../../internal/bytes.ts";

const FOLDER = process.env.ATTEST_TORTURE ??
  fileURLToPath(new URL("../../../shared/torture/", import.meta.url));

/** Whether the vectors are there. */
export const present: boolean = existsSync(join(FOLDER, "index.json"));

/** Options of a test that needs them. */
export const options: { skip?: string } = present
  ? {}
  : { skip: "no third-party vectors, see tests/torture/corpus.ts" };
if (!present) console.log(`skipped: ${options.skip}`);

/** Text of a file. */
export function readText(path: string): string {
  return readFileSync(join(FOLDER, path), "utf8");
}

/** Bytes of a file. */
export function readBytes(path: string): Bytes {
  return Uint8Array.from(readFileSync(join(FOLDER, path)));
}

/** A file of JSON. */
export function load<T>(path: string): T {
  return JSON.parse(readText(path));
}

/** Names in a folder, in order. */
export function list(folder: string): string[] {
  return present ? readdirSync(join(FOLDER, folder)).sort() : [];
}

/**
 * Reports what was run: `tests/torture/run.ts` adds it up.
 *
 * @param otherwise Cases in which we differ from the origin, each with its recorded reason.
 */
export function ran(origin: string, cases: number, otherwise = 0): void {
  console.log(`TORTURE ${origin} ${cases} ${otherwise}`);
}
