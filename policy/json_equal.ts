import { canonicalJson, isObject, type Json } from "../internal/json.ts";

/** The six types of JSON. */
export type JsonType = "null" | "boolean" | "number" | "text" | "list" | "object";

/** Type of a JSON value, in words for people. */
export function jsonType(value: Json): JsonType {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  if (typeof value === "string") return "text";
  return typeof value as "boolean" | "number" | "object";
}

/** With its article. */
export function aType(type: JsonType): string {
  return type === "null" ? type : type === "object" ? `an ${type}` : `a ${type}`;
}

/**
 * Finds an integer that JSON numbers do not keep: 9007199254740993 is read as ...992, and
 * would be equal to what it is not.
 */
export function hasInexact(value: Json): boolean {
  if (typeof value === "number") return Number.isInteger(value) && !Number.isSafeInteger(value);
  if (Array.isArray(value)) return value.some(hasInexact);
  return isObject(value) && Object.values(value).some(hasInexact);
}

/** One text for values that are equal as JSON: the order of names has no meaning. */
export function keyOf(value: Json): string {
  return canonicalJson(value);
}
