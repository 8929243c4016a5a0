/** An option that bounds something: an integer >= 1, or its default. */
export function limitOption(name: string, value: number | undefined, byDefault: number): number {
  if (value === undefined) return byDefault;
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`Option ${name} is ${String(value)}, wanted an integer >= 1`);
  }
  return value;
}
