import { deepStrictEqual } from "node:assert/strict";

/** A JSON Schema, draft 2020-12: as much of it as the schemas in `docs/schema/` use. */
export type Schema = Record<string, unknown>;

const KEYWORDS = new Set([
  "$comment",
  "$defs",
  "$id",
  "$ref",
  "$schema",
  "additionalProperties",
  "allOf",
  "anyOf",
  "const",
  "default",
  "description",
  "enum",
  "examples",
  "items",
  "maxItems",
  "maxLength",
  "maxProperties",
  "maximum",
  "minItems",
  "minLength",
  "minProperties",
  "minimum",
  "not",
  "oneOf",
  "pattern",
  "patternProperties",
  "properties",
  "propertyNames",
  "required",
  "title",
  "type",
  "uniqueItems",
]);

/**
 * Tells whether a value satisfies a schema. A keyword that is not known here is an error,
 * so that a schema cannot ask for what is not checked.
 *
 * @param file Gives the schema in another file, for a `$ref` to it.
 */
export function satisfies(
  value: unknown,
  schema: Schema | boolean,
  file: (name: string) => Schema,
  root: Schema | boolean = schema,
): boolean {
  if (typeof schema === "boolean") return schema;
  for (const keyword of Object.keys(schema)) {
    if (!KEYWORDS.has(keyword)) throw new Error(`The keyword ${keyword} is not known`);
  }
  const holds = (inner: unknown, item: unknown = value): boolean =>
    satisfies(item, inner as Schema, file, root);
  const list = (name: string): unknown[] => (schema[name] ?? []) as unknown[];
  if (typeof schema.$ref === "string") {
    const [name, pointer = ""] = schema.$ref.split("#");
    const base = name === "" ? root as Schema : file(name);
    let target: unknown = base;
    for (const part of pointer.split("/").slice(1)) target = (target as Schema | undefined)?.[part];
    if (target === undefined) throw new Error(`${schema.$ref} names nothing`);
    if (!satisfies(value, target as Schema, file, base)) return false;
  }
  if (schema.type !== undefined && ![schema.type].flat().some((type) => hasType(value, type))) {
    return false;
  }
  if (schema.const !== undefined && !equals(value, schema.const)) return false;
  if (schema.enum !== undefined && !list("enum").some((one) => equals(value, one))) return false;
  if (!list("allOf").every((one) => holds(one))) return false;
  if (schema.anyOf !== undefined && !list("anyOf").some((one) => holds(one))) return false;
  if (schema.oneOf !== undefined && list("oneOf").filter((one) => holds(one)).length !== 1) {
    return false;
  }
  if (schema.not !== undefined && holds(schema.not)) return false;
  if (typeof value === "string") {
    if (!within([...value].length, schema.minLength, schema.maxLength)) return false;
    if (schema.pattern !== undefined && !new RegExp(String(schema.pattern), "u").test(value)) {
      return false;
    }
  }
  if (typeof value === "number" && !within(value, schema.minimum, schema.maximum)) return false;
  if (Array.isArray(value)) {
    if (!within(value.length, schema.minItems, schema.maxItems)) return false;
    if (schema.items !== undefined && !value.every((item) => holds(schema.items, item))) {
      return false;
    }
    if (schema.uniqueItems === true) {
      if (new Set(value.map((item) => JSON.stringify(item))).size < value.length) return false;
    }
  } else if (typeof value === "object" && value !== null) {
    const names = Object.keys(value);
    const properties = (schema.properties ?? {}) as Schema;
    const patterns = Object.entries((schema.patternProperties ?? {}) as Schema);
    if (!within(names.length, schema.minProperties, schema.maxProperties)) return false;
    if (!list("required").every((name) => Object.hasOwn(value, name as string))) return false;
    for (const [name, member] of Object.entries(value)) {
      if (schema.propertyNames !== undefined && !holds(schema.propertyNames, name)) return false;
      const matching = patterns.filter(([pattern]) => new RegExp(pattern, "u").test(name));
      if (!matching.every(([, inner]) => holds(inner, member))) return false;
      if (Object.hasOwn(properties, name)) {
        if (!holds(properties[name], member)) return false;
      } else if (matching.length === 0 && schema.additionalProperties !== undefined) {
        if (!holds(schema.additionalProperties, member)) return false;
      }
    }
  }
  return true;
}

function hasType(value: unknown, type: unknown): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "string":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "boolean":
      return typeof value === "boolean";
  }
  throw new Error(`The type ${String(type)} is not known`);
}

function within(count: number, least: unknown, most: unknown): boolean {
  return count >= Number(least ?? -Infinity) && count <= Number(most ?? Infinity);
}

function equals(one: unknown, other: unknown): boolean {
  try {
    deepStrictEqual(one, other);
    return true;
  } catch {
    return false;
  }
}
