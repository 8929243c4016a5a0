/** As much of `node:assert/strict` as the unit tests use, for runtimes that lack it. */

/** A failed assertion. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
  readonly code = "ERR_ASSERTION";
}

type Expected =
  | RegExp
  | (new (...args: never[]) => unknown)
  | ((error: unknown) => boolean)
  | object;

function failWith(message: string | Error | undefined, otherwise: string): never {
  if (message instanceof Error) throw message;
  throw new AssertionError(message === undefined ? otherwise : `${message}: ${otherwise}`);
}

function show(value: unknown): string {
  try {
    const text = typeof value === "string" || typeof value === "object"
      ? JSON.stringify(value)
      : String(value);
    return (text ?? String(value)).slice(0, 300);
  } catch {
    return String(value);
  }
}

function assert(value: unknown, message?: string | Error): asserts value {
  if (!value) failWith(message, `${show(value)} is not truthy`);
}

/** Fails unless the value is truthy. */
export function ok(value: unknown, message?: string | Error): asserts value {
  if (!value) failWith(message, `${show(value)} is not truthy`);
}

/** Fails. */
export function fail(message?: string | Error): never {
  return failWith(message, "Failed");
}

/** Fails unless both are the same value. */
export function equal(actual: unknown, expected: unknown, message?: string | Error): void {
  if (!Object.is(actual, expected)) failWith(message, `${show(actual)} is not ${show(expected)}`);
}

/** Fails if both are the same value. */
export function notEqual(actual: unknown, expected: unknown, message?: string | Error): void {
  if (Object.is(actual, expected)) failWith(message, `both are ${show(actual)}`);
}

/** Fails unless both have the same structure, prototypes and values. */
export function deepEqual(actual: unknown, expected: unknown, message?: string | Error): void {
  const at = difference(actual, expected, "");
  if (at !== undefined) {
    failWith(message, `${show(actual)} differs from ${show(expected)} at ${at || "the top"}`);
  }
}

/** Fails if both have the same structure, prototypes and values. */
export function notDeepEqual(actual: unknown, expected: unknown, message?: string | Error): void {
  if (difference(actual, expected, "") === undefined) failWith(message, `both are ${show(actual)}`);
}

function difference(a: unknown, b: unknown, path: string): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return path;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path} (prototype)`;
  if (a instanceof Date) return a.getTime() === (b as Date).getTime() ? undefined : path;
  if (a instanceof RegExp) return String(a) === String(b) ? undefined : path;
  if (a instanceof Map || a instanceof Set) {
    return difference([...a], [...(b as Iterable<unknown>)], `${path}/entries`);
  }
  if (a instanceof ArrayBuffer) {
    return difference(new Uint8Array(a), new Uint8Array(b as ArrayBuffer), path);
  }
  if (a instanceof Error && (a.message !== (b as Error).message || a.name !== (b as Error).name)) {
    return path;
  }
  const names = Object.keys(a);
  const others = Object.keys(b);
  if (names.length !== others.length) {
    return `${path} (${names.length} members, wanted ${others.length})`;
  }
  for (const name of names) {
    if (!Object.hasOwn(b, name)) return `${path}/${name}`;
    const at = difference(
      (a as Record<string, unknown>)[name],
      (b as Record<string, unknown>)[name],
      `${path}/${name}`,
    );
    if (at !== undefined) return at;
  }
  return undefined;
}

/** Fails unless the text matches. */
export function match(text: string, pattern: RegExp, message?: string | Error): void {
  if (!pattern.test(text)) failWith(message, `${show(text)} does not match ${pattern}`);
}

/** Fails if the text matches. */
export function doesNotMatch(text: string, pattern: RegExp, message?: string | Error): void {
  if (pattern.test(text)) failWith(message, `${show(text)} matches ${pattern}`);
}

/** Fails unless the function throws what is expected. */
export function throws(body: () => unknown, expected?: Expected | string, message?: string): void {
  let thrown: unknown;
  try {
    body();
  } catch (error) {
    thrown = error;
    return accepts(thrown, expected, message);
  }
  failWith(typeof expected === "string" ? expected : message, "nothing was thrown");
}

/** Fails unless the promise rejects with what is expected. */
export async function rejects(
  body: Promise<unknown> | (() => Promise<unknown>),
  expected?: Expected | string,
  message?: string,
): Promise<void> {
  try {
    await (typeof body === "function" ? body() : body);
  } catch (error) {
    return accepts(error, expected, message);
  }
  failWith(typeof expected === "string" ? expected : message, "nothing was rejected");
}

/** Fails if the function throws. */
export function doesNotThrow(body: () => unknown): void {
  body();
}

/** Fails if the promise rejects. */
export async function doesNotReject(
  body: Promise<unknown> | (() => Promise<unknown>),
): Promise<void> {
  await (typeof body === "function" ? body() : body);
}

function accepts(thrown: unknown, expected: Expected | string | undefined, message?: string): void {
  if (expected === undefined || typeof expected === "string") return;
  if (expected instanceof RegExp) {
    if (!expected.test(String(thrown))) {
      failWith(message, `${show(String(thrown))} does not match ${expected}`);
    }
    return;
  }
  if (typeof expected === "function") {
    if (expected.prototype !== undefined && thrown instanceof expected) return;
    if (expected === Error || Object.prototype.isPrototypeOf.call(Error, expected)) {
      failWith(message, `${String(thrown)} is no ${expected.name}`);
    }
    if ((expected as (error: unknown) => boolean)(thrown) !== true) {
      failWith(message, `${String(thrown)} is not accepted`);
    }
    return;
  }
  for (const [name, wanted] of Object.entries(expected)) {
    const found = (thrown as Record<string, unknown>)[name];
    if (wanted instanceof RegExp && typeof found === "string") match(found, wanted, message);
    else deepEqual(found, wanted, message ?? name);
  }
}

/** As `equal`. */
export const strictEqual: typeof equal = equal;
/** As `notEqual`. */
export const notStrictEqual: typeof notEqual = notEqual;
/** As `deepEqual`. */
export const deepStrictEqual: typeof deepEqual = deepEqual;
/** As `notDeepEqual`. */
export const notDeepStrictEqual: typeof notDeepEqual = notDeepEqual;

const strict = Object.assign(assert, {
  AssertionError,
  deepEqual,
  deepStrictEqual,
  doesNotMatch,
  doesNotReject,
  doesNotThrow,
  equal,
  fail,
  match,
  notDeepEqual,
  notDeepStrictEqual,
  notEqual,
  notStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
});

export default strict;
