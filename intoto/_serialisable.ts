import { AttestationError, type Reason } from "../errors.ts";
import { pointer } from "../internal/problem.ts";

const MAX_DEPTH = 127;

/**
 * Refuses what JSON cannot say or would change in silence: undefined, functions, symbols,
 * bigints, NaN and infinities, class instances, cycles, unpaired surrogates; and what is
 * nested too deep to be read again.
 */
export function refuseUnserialisable(statement: { subject: unknown; predicate: unknown }): void {
  visit(statement.subject, "/subject", 1, "malformed-resource-descriptor");
  visit(statement.predicate, "/predicate", 1, "malformed-predicate");
}

function visit(value: unknown, path: string, depth: number, reason: Reason): void {
  switch (typeof value) {
    case "boolean":
      return;
    case "string":
      if (!value.isWellFormed()) {
        throw refusal("invalid-unicode", path, "an unpaired surrogate");
      }
      return;
    case "number":
      if (!Number.isFinite(value)) throw refusal(reason, path, "a number that is not finite");
      return;
    case "object":
      break;
    default:
      throw refusal(reason, path, `a value of type ${typeof value}`);
  }
  if (value === null) return;
  if (depth > MAX_DEPTH) {
    throw refusal("limit-exceeded", path, `nested deeper than ${MAX_DEPTH}, or a cycle`);
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) visit(value[i], `${path}/${i}`, depth + 1, reason);
    return;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw refusal(reason, path, "an instance of a class");
  }
  for (const [name, member] of Object.entries(value)) {
    const at = pointer(path, name);
    if (!name.isWellFormed()) throw refusal("invalid-unicode", at, "an unpaired surrogate");
    visit(member, at, depth + 1, reason);
  }
}

function refusal(reason: Reason, path: string, what: string): AttestationError {
  return new AttestationError(reason, `Cannot write Statement: found ${what}`, { path });
}
