import { quote } from "./json.ts";

/** States of one pattern, and its characters: what a match costs at most for each character. */
const MAX_STATES = 2000;

/** A place in a pattern: a character to take, a condition to hold, or several ways on. */
interface State {
  takes?(character: string): boolean;
  holds?(before: string | undefined, after: string | undefined): boolean;
  next: State[];
  /** The step at which it was last reached. */
  seen?: number;
}

/** A part of a pattern: given what comes behind it, where it begins. */
type Part = (next: State) => State;

const CLASS = /\[(?:\\.|[^\\\]])*\]/suy;
const ESCAPE =
  /\\(?:u\{[^}]*\}|u[dD][89abAB]..\\u[dD][c-fC-F]..|u....|x..|c.|[pP]\{[^}]*\}|[^kbB1-9])/suy;
const QUANTIFIER = /(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/y;
const GROUP = /\((?:\?(?::|<[^=!][^>]*>)|(?!\?))/uy;
const LITERAL = /[^\\()[\]{}*+?|^$.]/suy;

/**
 * A regular expression as a function that tells whether all of a text matches, in time that is
 * linear in the text: ECMAScript's own engine goes back, and for `(a+)+b` or `.*.*.*x` so often
 * that whoever chooses the text can stop a verifier.
 *
 * Accepted is what ECMAScript accepts with the flag `u`, less what no automaton can do.
 *
 * Source: ECMA-262, 22.2 (syntax and classes); Thompson's construction.
 *
 * @throws {SyntaxError} If it is none, looks around, refers back, sets flags or is too large.
 */
export function fullMatch(pattern: string): (text: string) => boolean {
  try {
    new RegExp(pattern, "u");
  } catch {
    // The words for why are each engine's own.
    throw new SyntaxError(`${quote(pattern)} is no regular expression`);
  }
  const end: State = { next: [] };
  const start = new Parser(pattern).parse()(end);
  let step = 0;
  return (text) => {
    let before: string | undefined;
    let after = characterAt(text, 0);
    let states = reached(start, ++step, [], before, after);
    for (let at = 0; after !== undefined && states.length > 0;) {
      before = after;
      at += before.length;
      after = characterAt(text, at);
      const following: State[] = [];
      step++;
      for (const { takes, next } of states) {
        if (takes?.(before)) reached(next[0], step, following, before, after);
      }
      states = following;
    }
    return states.includes(end);
  };
}

/** Adds a state, and all behind it that want no character, unless the step has reached them. */
function reached(
  state: State,
  step: number,
  states: State[],
  before?: string,
  after?: string,
): State[] {
  const open = [state];
  for (let one; (one = open.pop()) !== undefined;) {
    if (one.seen === step || one.holds?.(before, after) === false) continue;
    one.seen = step;
    if (one.takes !== undefined || one.next.length === 0) states.push(one);
    else open.push(...one.next);
  }
  return states;
}

/** Reads a pattern that ECMAScript accepts. */
class Parser {
  readonly #pattern: string;
  #at = 0;
  #states = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
    if (pattern.length > MAX_STATES) throw this.#tooLarge();
  }

  parse(): Part {
    const part = this.#alternatives();
    if (this.#at < this.#pattern.length) throw this.#unsupported();
    return part;
  }

  #alternatives(): Part {
    const ways = [this.#sequence()];
    while (this.#takes("|")) ways.push(this.#sequence());
    return ways.length === 1
      ? ways[0]
      : (next) => this.#state({ next: ways.map((way) => way(next)) });
  }

  #sequence(): Part {
    const parts: Part[] = [];
    while (this.#at < this.#pattern.length && !"|)".includes(this.#pattern[this.#at])) {
      parts.push(this.#quantified(this.#atom()));
    }
    return (next) => parts.reduceRight((behind, part) => part(behind), next);
  }

  #atom(): Part {
    if (this.#match(GROUP)) {
      const inner = this.#alternatives();
      if (this.#takes(")")) return inner;
    } else if (this.#takes("^")) return this.#condition((before) => before === undefined);
    else if (this.#takes("$")) return this.#condition((_, after) => after === undefined);
    else if (this.#takes("\\b")) return this.#condition((a, b) => isWord(a) !== isWord(b));
    else if (this.#takes("\\B")) return this.#condition((a, b) => isWord(a) === isWord(b));
    const literal = this.#match(LITERAL)?.[0];
    if (literal !== undefined) return this.#character((one) => one === literal);
    const some = this.#match(CLASS)?.[0] ?? this.#match(ESCAPE)?.[0] ??
      (this.#takes(".") ? "." : undefined);
    if (some === undefined) throw this.#unsupported();
    const expression = new RegExp(`^${some}$`, "u");
    const known = new Map<string, boolean>();
    return this.#character((one) => {
      let is = known.get(one);
      if (is === undefined) known.set(one, is = expression.test(one));
      return is;
    });
  }

  #quantified(part: Part): Part {
    const found = this.#match(QUANTIFIER);
    if (!found) return part;
    const [, sign, least, comma, most] = found;
    const from = sign === undefined ? Number(least) : sign === "+" ? 1 : 0;
    const to = sign === "?" ? 1 : sign ? Infinity : comma ? Number(most || Infinity) : from;
    return (next) => {
      let state = next;
      if (to === Infinity) {
        state = this.#state({ next: [next] });
        state.next.unshift(part(state));
      }
      for (let i = to === Infinity ? from : to; i > 0; i--) {
        // Counted even for nothing: that can be repeated without end, too.
        state = this.#state({ next: i > from ? [part(state), next] : [part(state)] });
      }
      return state;
    };
  }

  #condition(holds: NonNullable<State["holds"]>): Part {
    return (next) => this.#state({ holds, next: [next] });
  }

  #character(takes: NonNullable<State["takes"]>): Part {
    return (next) => this.#state({ takes, next: [next] });
  }

  #state(state: State): State {
    if (++this.#states <= MAX_STATES) return state;
    throw this.#tooLarge();
  }

  #takes(text: string): boolean {
    const is = this.#pattern.startsWith(text, this.#at);
    if (is) this.#at += text.length;
    return is;
  }

  #match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#pattern);
    if (found) this.#at = expression.lastIndex;
    return found;
  }

  #unsupported(): SyntaxError {
    return this.#refusal(`looks around, refers back or sets flags at character ${this.#at + 1}`);
  }

  #tooLarge(): SyntaxError {
    return this.#refusal(`has more than ${MAX_STATES} characters or parts`);
  }

  #refusal(why: string): SyntaxError {
    return new SyntaxError(`The regular expression ${quote(this.#pattern)} ${why}`);
  }
}

function characterAt(text: string, at: number): string | undefined {
  const code = text.codePointAt(at);
  return code === undefined ? undefined : String.fromCodePoint(code);
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /^\w$/.test(character);
}
