import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";

/** One place of a pattern: a code point, or a wildcard. */
type Token = number;

/** One character that is not `/`. */
const ONE = -1;
/** Any characters that are not `/`. */
const SEGMENT = -2;
/** Any characters. */
const ANY = -3;

const SLASH = 0x2f;
const MAX_LENGTH = 1024;

/**
 * What is wrong with a pattern, or undefined. A regular expression in the place of a
 * pattern would match nothing that was meant, and a list of what is forbidden would forbid
 * nothing: what looks like one is refused.
 */
export function patternFault(pattern: string): string | undefined {
  if (pattern === "") return "the pattern is empty";
  if (pattern.length > MAX_LENGTH) return `the pattern has more than ${MAX_LENGTH} characters`;
  const like = "looks like a regular expression, but patterns match the whole text: " +
    "* stops at /, ** does not, ? is one character";
  if (/^\^|[$|\\()]|\.[*+]|\[\^|\[.-./u.test(pattern)) {
    return pattern.includes(".*") && !/^\^|[$|\\()]/.test(pattern)
      ? `${quote(pattern)} ${like}; for a dot with something behind it write .?*`
      : `${quote(pattern)} ${like}`;
  }
  if (/[{}]/.test(pattern)) return `${quote(pattern)} has braces: list several patterns instead`;
  if (pattern.includes("***")) return `${quote(pattern)} has more than two * together`;
  if (/[\p{Cc}\u2028\u2029]/u.test(pattern)) return "the pattern has control characters";
}

/**
 * A pattern as a test of the whole text: `*` stands for any characters but `/`, `**` for any
 * characters, `?` for one that is not `/`; everything else for itself. There is no escape
 * and no case folding, and texts are compared as they are, without Unicode normalisation.
 *
 * The time is linear in the text, whatever it is: all places of the pattern that a text can
 * have reached are followed at once.
 *
 * @throws {AttestationError} `malformed-policy` for what {@linkcode patternFault} finds.
 */
export function compilePattern(pattern: string): (text: string) => boolean {
  const fault = patternFault(pattern);
  if (fault !== undefined) {
    throw new AttestationError("malformed-policy", `Cannot read pattern: ${fault}`);
  }
  const first = pattern.search(/[*?]/);
  if (first < 0) return (text) => text === pattern;
  if (pattern === "**") return () => true;
  const prefix = pattern.slice(0, first);
  if (pattern.slice(first) === "**") return (text) => text.startsWith(prefix);
  const last = Math.max(pattern.lastIndexOf("*"), pattern.lastIndexOf("?"));
  const suffix = pattern.slice(last + 1);
  const machine = compileMachine(tokensOf(pattern.slice(first, last + 1)));
  return (text) =>
    text.length >= prefix.length + suffix.length && text.startsWith(prefix) &&
    text.endsWith(suffix) && machine(text, prefix.length, text.length - suffix.length);
}

/** A text that matches one of the patterns; of none there is none. */
export function compilePatterns(patterns: readonly string[]): (text: string) => boolean {
  if (patterns.length === 1) return compilePattern(patterns[0]);
  const exact = new Set<string>();
  const others: ((text: string) => boolean)[] = [];
  for (const pattern of patterns) {
    const test = compilePattern(pattern);
    if (/[*?]/.test(pattern)) others.push(test);
    else exact.add(pattern);
  }
  return (text) => exact.has(text) || others.some((test) => test(text));
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  for (const { 0: part } of pattern.matchAll(/\*\*|[^]/gu)) {
    if (part === "**") tokens.push(ANY);
    else if (part === "*") tokens.push(SEGMENT);
    else tokens.push(part === "?" ? ONE : part.codePointAt(0) ?? 0);
  }
  return tokens;
}

type Machine = (text: string, start: number, end: number) => boolean;

function compileMachine(tokens: readonly Token[]): Machine {
  if (tokens.length === 1 && tokens[0] === SEGMENT) {
    return (text, start, end) => {
      const slash = text.indexOf("/", start);
      return slash < 0 || slash >= end;
    };
  }
  const goal = tokens.length;
  let current = new Int32Array(goal + 1);
  let following = new Int32Array(goal + 1);
  // The step at which a place was last reached: no place is followed twice at once.
  const reached = new Float64Array(goal + 1);
  let step = 0;
  let count = 0;
  const reach = (list: Int32Array, from: number): void => {
    for (let place = from;; place++) {
      if (reached[place] === step) return;
      reached[place] = step;
      list[count++] = place;
      // A run of characters may be empty.
      if (place === goal || tokens[place] > SEGMENT) return;
    }
  };
  return (text, start, end) => {
    step++;
    count = 0;
    reach(current, 0);
    for (let i = start; i < end;) {
      const character = text.codePointAt(i) ?? 0;
      i += character > 0xffff ? 2 : 1;
      const places = count;
      step++;
      count = 0;
      for (let k = 0; k < places; k++) {
        const place = current[k];
        if (place === goal) continue;
        const token = tokens[place];
        if (token === character) reach(following, place + 1);
        else if (token === ANY) reach(following, place);
        else if (character !== SLASH) {
          if (token === SEGMENT) reach(following, place);
          else if (token === ONE) reach(following, place + 1);
        }
      }
      if (count === 0) return false;
      [current, following] = [following, current];
    }
    return reached[goal] === step;
  };
}
