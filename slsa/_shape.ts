import { isObject, type JsonObject, quote } from "../internal/json.ts";
import type { Report } from "../internal/problem.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import { checkDescriptor } from "../intoto/resource_descriptor.ts";

/** The object at a member; a required one that is empty is missing. */
export function objectAt(
  parent: JsonObject,
  path: string,
  name: string,
  required: boolean,
  report: Report,
): JsonObject | undefined {
  const value = parent[name];
  if (value === undefined || value === null) {
    if (required) missing(`${path}/${name}`, report);
    return undefined;
  }
  if (!isObject(value)) {
    wrongType(`${path}/${name}`, "an object", report);
    return undefined;
  }
  if (required && Object.keys(value).length === 0) {
    missing(`${path}/${name}`, report);
    return undefined;
  }
  return value;
}

/** The text at a member; a required one that is empty is missing. */
export function textAt(
  parent: JsonObject,
  path: string,
  name: string,
  required: boolean,
  report: Report,
): string | undefined {
  const value = parent[name];
  if (value === undefined || value === null || value === "") {
    if (required) missing(`${path}/${name}`, report);
    return undefined;
  }
  if (typeof value === "string") return value;
  wrongType(`${path}/${name}`, "a string", report);
  return undefined;
}

/** Checks the optional time at a member. */
export function timestampAt(parent: JsonObject, path: string, name: string, report: Report): void {
  const text = textAt(parent, path, name, false, report);
  if (text === undefined || parseTimestamp(text) !== undefined) return;
  report(
    "invalid-timestamp",
    `${path}/${name}`,
    `Cannot read provenance: found time ${quote(text)}, wanted RFC 3339 in UTC with Z`,
  );
}

/** Checks the optional list of resources at a member. */
export function resourcesAt(parent: JsonObject, path: string, name: string, report: Report): void {
  const value = parent[name];
  if (value === undefined || value === null) return;
  if (!Array.isArray(value)) return wrongType(`${path}/${name}`, "an array", report);
  for (let i = 0; i < value.length; i++) {
    checkDescriptor(value[i], `${path}/${name}`, i, "read", report);
  }
}

/** Reports a member that is not there. */
export function missing(path: string, report: Report): void {
  report("missing-predicate-field", path, `Cannot accept provenance: ${path} is not set`);
}

/** Reports a member of the wrong type. */
export function wrongType(path: string, wanted: string, report: Report): void {
  report("malformed-predicate", path, `Cannot read provenance: ${path} is not ${wanted}`);
}
