import { AttestationError } from "../../errors.ts";

/** One place of a pattern: a code point, any one or any number of them, or those of a set. */
type Part = number | "?" | "*" | CharacterSet;

interface CharacterSet {
  readonly negated: boolean;
  /** Code points, both ends included. */
  readonly ranges: readonly (readonly [number, number])[];
}

/** Steps that matching may take in all: a few times what the largest of real layouts take. */
const MAX_STEPS = 1 << 26;

/** What matching has cost so far; a step is about as dear as to compare a character. */
export class Work {
  #left = MAX_STEPS;

  /**
   * Counts steps that were taken.
   *
   * @throws {AttestationError} `limit-exceeded`.
   */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left >= 0) return;
    throw new AttestationError(
      "limit-exceeded",
      `Cannot apply rules: more than ${MAX_STEPS} steps for all names and patterns`,
    );
  }
}

/**
 * A pattern of artifact rules: `*` is any number of characters, `/` too, `?` is one, `[…]` one
 * of a set, `[!…]` one outside of it; everything else is itself.
 *
 * Of the stars only the last is ever tried again: at worst matching takes as many steps as the
 * product of the lengths of name and pattern.
 *
 * Source: in-toto specification 1.0, 4.3.3; its reference implementation takes Python's fnmatch.
 */
export class Glob {
  /** The pattern. */
  readonly text: string;
  readonly #parts: readonly Part[];

  constructor(text: string) {
    this.text = text;
    this.#parts = partsOf(Array.from(text, (one) => one.codePointAt(0)!));
  }

  /** Whether it is a name that only that name matches. */
  get isLiteral(): boolean {
    return this.#parts.every((part) => typeof part === "number");
  }

  /**
   * Tells whether the whole of a name matches.
   *
   * @throws {AttestationError} `limit-exceeded`, of the work.
   */
  matches(name: string, work: Work): boolean {
    const parts = this.#parts;
    let at = 0, part = 0;
    let star = -1, resume = 0;
    while (at < name.length) {
      work.spend(1);
      const current = parts[part];
      if (current === "*") {
        star = part++;
        if (part === parts.length) return true;
        resume = at;
        continue;
      }
      const point = name.codePointAt(at)!;
      if (current !== undefined && takes(current, point, work)) {
        at += widthOf(point);
        part++;
      } else if (star >= 0) {
        part = star + 1;
        at = resume += widthOf(name.codePointAt(resume)!);
      } else return false;
    }
    while (parts[part] === "*") part++;
    return part === parts.length;
  }
}

function widthOf(point: number): number {
  return point > 0xffff ? 2 : 1;
}

function takes(part: Exclude<Part, "*">, point: number, work: Work): boolean {
  if (typeof part === "number") return part === point;
  if (part === "?") return true;
  work.spend(part.ranges.length);
  return part.ranges.some(([from, to]) => from <= point && point <= to) !== part.negated;
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
      if (end < 0) parts.push(point);
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
