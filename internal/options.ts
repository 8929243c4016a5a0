import { quote } from "./json.ts";

/**
 * Refuses option names that nothing reads: a misspelt expectation must not pass silently.
 *
 * @throws {TypeError} If `options` has a member that is not in `known`.
 */
export function refuseUnknown(options: object, known: readonly string[], what: string): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new TypeError(`Unknown option ${quote(name)} of ${what}`);
  }
}

/** An option that bounds something: an integer >= 1, or its default. */
export function limitOption(name: string, value: number | undefined, byDefault: number): number {
  if (value === undefined) return byDefault;
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`Option ${name} is ${String(value)}, wanted an integer >= 1`);
  }
  return value;
}
