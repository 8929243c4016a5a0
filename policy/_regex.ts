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

/** Whether a regular expression without a fault holds for a name that nobody can have. */
export function matchesAnybody(pattern: string): boolean {
  return fullMatch(pattern)(NOBODY);
}
