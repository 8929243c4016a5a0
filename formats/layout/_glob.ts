/** One place of a pattern: any one character, any number of them, or those of a set. */
type Part = "?" | "*" | CharacterSet | { readonly literal: number };

interface CharacterSet {
  readonly negated: boolean;
  /** Code points, both ends included. */
  readonly ranges: readonly (readonly [number, number])[];
}

/**
 * A pattern of artifact rules: `*` is any number of characters, `/` too, `?` is one, `[…]` one
 * of a set, `[!…]` one outside of it; everything else is itself.
 *
 * Matching takes time in proportion to the name and to the pattern: of the stars only the last
 * is ever tried again.
 *
 * Source: in-toto specification 1.0, 4.3.3; its reference implementation takes Python's fnmatch.
 */
export class Glob {
  /** The pattern. */
  readonly text: string;
  readonly #parts: readonly Part[];

  constructor(text: string) {
    this.text = text;
    this.#parts = partsOf(codePoints(text));
  }

  /** Whether it is a name that only that name matches. */
  get isLiteral(): boolean {
    return this.#parts.every((part) => typeof part === "object" && "literal" in part);
  }

  /** Tells whether the whole of a name matches. */
  matches(name: string): boolean {
    const points = codePoints(name);
    const parts = this.#parts;
    let at = 0, part = 0;
    let star = -1, resume = 0;
    while (at < points.length) {
      const current = parts[part];
      if (current === "*") {
        star = part++;
        resume = at;
      } else if (current !== undefined && takes(current, points[at])) {
        at++;
        part++;
      } else if (star >= 0) {
        part = star + 1;
        at = ++resume;
      } else return false;
    }
    while (parts[part] === "*") part++;
    return part === parts.length;
  }
}

function takes(part: Exclude<Part, "*">, point: number): boolean {
  if (part === "?") return true;
  if ("literal" in part) return part.literal === point;
  return part.ranges.some(([from, to]) => from <= point && point <= to) !== part.negated;
}

function codePoints(text: string): number[] {
  return Array.from(text, (one) => one.codePointAt(0)!);
}

const STAR = 0x2a, ANY = 0x3f, OPEN = 0x5b, CLOSE = 0x5d, NOT = 0x21, DASH = 0x2d;

function partsOf(points: readonly number[]): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < points.length; at++) {
    const point = points[at];
    if (point === STAR) {
      if (parts.at(-1) !== "*") parts.push("*");
    } else if (point === ANY) parts.push("?");
    else {
      const end = point === OPEN ? endOfSet(points, at) : -1;
      if (end < 0) parts.push({ literal: point });
      else {
        parts.push(setOf(points.slice(at + 1, end)));
        at = end;
      }
    }
  }
  return parts;
}

/** Where a set closes: a bracket right after its beginning is one of its characters. */
function endOfSet(points: readonly number[], start: number): number {
  const first = start + (points[start + 1] === NOT ? 3 : 2);
  return points.indexOf(CLOSE, first);
}

function setOf(points: readonly number[]): CharacterSet {
  const negated = points[0] === NOT;
  const own = negated ? points.slice(1) : points;
  const ranges: [number, number][] = [];
  for (let at = 0; at < own.length; at++) {
    const isRange = own[at + 1] === DASH && at + 2 < own.length;
    ranges.push([own[at], isRange ? own[at + 2] : own[at]]);
    if (isRange) at += 2;
  }
  return { negated, ranges };
}
