import { AttestationError } from "../../errors.ts";
import { isObject, type Json, type JsonObject, quote } from "../../internal/json.ts";

/** Names of files, roles and patterns. */
const MAX_NAME = 512;

/* Readers of members of TUF metadata: each refuses with `malformed-tuf-metadata`. */

/** An object. */
export function record(value: Json | undefined, path: string): JsonObject {
  if (!isObject(value)) throw malformed("not an object", path);
  return value;
}

/** Names and values of an object, at most `limit`. */
export function members(value: Json | undefined, path: string, limit: number): [string, Json][] {
  const entries = Object.entries(record(value, path));
  if (entries.length > limit) throw malformed(`more than ${limit} members`, path);
  for (const [name] of entries) text(name, path);
  return entries;
}

/** An array of at most `limit` elements. */
export function list(value: Json | undefined, path: string, limit: number): Json[] {
  if (!Array.isArray(value)) throw malformed("not an array", path);
  if (value.length > limit) throw malformed(`more than ${limit} elements`, path);
  return value;
}

/** A text that is not empty, and is short. */
export function text(value: Json | undefined, path: string): string {
  if (typeof value !== "string" || value === "" || value.length > MAX_NAME) {
    throw malformed(`not a string of 1 to ${MAX_NAME} characters`, path);
  }
  return value;
}

/** Tells whether a number is an integer whose value is certain. */
export function isInteger(value: Json | undefined): value is number {
  return Number.isSafeInteger(value);
}

/** An integer above 0. */
export function positive(value: Json | undefined, path: string): number {
  if (!isInteger(value) || value < 1) throw malformed("not an integer above 0", path);
  return value;
}

/** A name as part of a JSON Pointer. */
export function pointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The refusal of a file that is not of its form. */
export function malformed(what: string, path: string): AttestationError {
  const where = path === "" ? "the file" : quote(path);
  return new AttestationError("malformed-tuf-metadata", `${where} is ${what}`, { path });
}
