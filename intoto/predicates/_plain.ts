import { AttestationError } from "../../errors.ts";
import type { Json } from "../../internal/json.ts";
import { pointer } from "../../internal/problem.ts";

const MAX_DEPTH = 120;

/**
 * A copy of what is to be written. Members that are undefined are left out; what JSON
 * cannot say or would change in silence is refused.
 */
export function copyPlain(value: unknown, path = "", depth = 0): Json {
  if (depth > MAX_DEPTH) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot write predicate: nested deeper than ${MAX_DEPTH}, or a cycle`,
      { path },
    );
  }
  if (typeof value === "string") {
    if (value.isWellFormed()) return value;
    throw new AttestationError("invalid-unicode", "Cannot write predicate: unpaired surrogate", {
      path,
    });
  }
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (typeof value !== "object") throw refusal(`a value of type ${typeof value}`, path);
  if (Array.isArray(value)) {
    return Array.from(value, (item, index) => copyPlain(item, `${path}/${index}`, depth + 1));
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw refusal("an instance of a class", path);
  }
  const members: [string, Json][] = [];
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    members.push([
      copyPlain(name, path) as string,
      copyPlain(member, pointer(path, name), depth + 1),
    ]);
  }
  return Object.fromEntries(members);
}

function refusal(what: string, path: string): AttestationError {
  return new AttestationError("malformed-predicate", `Cannot write predicate: found ${what}`, {
    path,
  });
}
