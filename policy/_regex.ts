import { fullMatch } from "../internal/full_match.ts";

/** A text that no claim of a certificate is. */
const NOBODY = "\u{10fffd}nobody\u{10fffd}";

/** What is wrong with a regular expression, or undefined. */
export function regexFault(pattern: string): string | undefined {
  try {
    fullMatch(pattern);
  } catch (error) {
    return (error as SyntaxError).message;
  }
}

/** More characters than a pattern can ask for by itself. */
const LONGEST = 2000;

/**
 * Whether a regular expression without a fault holds for a name that nobody can have, of
 * whatever length: `.{9,}` is anybody as much as `.+` is.
 */
export function matchesAnybody(pattern: string): boolean {
  const matches = fullMatch(pattern);
  let name = NOBODY;
  while (!matches(name)) {
    if ([...name].length > LONGEST) return false;
    name += name;
  }
  return true;
}
