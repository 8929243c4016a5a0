/** Where the values of a JSON text stand, so that a change is a splice of the text. */

/** A value in a text. */
export interface Span {
  /** Offsets of the value. */
  start: number;
  end: number;
  /** Name of the member as it is written, without quotation marks; undefined in an array. */
  name: string | undefined;
  /** Offset of the member: of its name, or of the value. */
  from: number;
  /** Index of the array or object around it; -1 for the outermost value. */
  parent: number;
  /** Indexes of what is in it. */
  members: number[];
}

/** A text, and what stands in it. */
export interface Spans {
  text: string;
  /** The outermost value first. */
  all: readonly Span[];
  /** By name of member. */
  named: ReadonlyMap<string, readonly Span[]>;
}

const MAX_DEPTH = 200;
const MAX_SPANS = 4000;
const MAX_CACHED = 2048;
const SCALAR = /(?:true|false|null|-?\d[\d.eE+-]*)/y;
const SPACE = /[ \t\r\n]*/y;

const cache = new Map<string, Spans | undefined>();

/** The values of a text, or undefined if it is no JSON; read once for a text. */
export function spansOf(text: string): Spans | undefined {
  if (cache.has(text)) return cache.get(text);
  if (cache.size >= MAX_CACHED) cache.clear();
  const spans = read(text);
  cache.set(text, spans);
  return spans;
}

function read(text: string): Spans | undefined {
  const all: Span[] = [];
  const named = new Map<string, Span[]>();
  let at = 0;

  function space(): void {
    const unit = text.charCodeAt(at);
    if (unit > 32) return;
    SPACE.lastIndex = at;
    SPACE.test(text);
    at = SPACE.lastIndex;
  }

  /** Offset behind a string, or -1. */
  function behindString(): number {
    for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
      let slash = end;
      while (text.charCodeAt(slash - 1) === 92) slash--;
      if ((end - slash) % 2 === 0) return end + 1;
    }
    return -1;
  }

  function value(from: number, name: string | undefined, parent: number, depth: number): boolean {
    if (depth > MAX_DEPTH || all.length >= MAX_SPANS) return false;
    const index = all.length;
    const span: Span = { start: at, end: at, name, from, parent, members: [] };
    all.push(span);
    if (parent >= 0) all[parent].members.push(index);
    if (name !== undefined) {
      const list = named.get(name);
      if (list === undefined) named.set(name, [span]);
      else list.push(span);
    }
    const first = text.charCodeAt(at);
    if (first === 34) {
      at = behindString();
      if (at < 0) return false;
    } else if (first === 123 || first === 91) {
      const isObject = first === 123;
      const last = isObject ? 125 : 93;
      at++;
      space();
      if (text.charCodeAt(at) === last) at++;
      else {
        for (;;) {
          const memberFrom = at;
          let memberName: string | undefined;
          if (isObject) {
            if (text.charCodeAt(at) !== 34) return false;
            at = behindString();
            if (at < 0) return false;
            memberName = text.slice(memberFrom + 1, at - 1);
            space();
            if (text.charCodeAt(at++) !== 58) return false;
            space();
          }
          if (!value(memberFrom, memberName, index, depth + 1)) return false;
          space();
          const unit = text.charCodeAt(at++);
          if (unit === last) break;
          if (unit !== 44) return false;
          space();
        }
      }
    } else {
      SCALAR.lastIndex = at;
      if (!SCALAR.test(text)) return false;
      at = SCALAR.lastIndex;
    }
    span.end = at;
    return true;
  }

  space();
  if (!value(at, undefined, -1, 0)) return undefined;
  space();
  return at === text.length ? { text, all, named } : undefined;
}
