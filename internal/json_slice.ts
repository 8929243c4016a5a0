/*
 * Where a value lies in the text of JSON, so that its very bytes can be kept. The text must
 * have been accepted by `parseJson()`: nothing is checked again.
 */

/** Part of a text: from `start` up to, not including, `end`. */
export interface Slice {
  readonly start: number;
  readonly end: number;
}

/** Where the value of a member of the outermost object is; undefined if there is none. */
export function memberSlice(text: string, name: string): Slice | undefined {
  for (const { key, value } of members(text)) if (key === name) return value;
}

/** Where the elements of an array are. */
export function elementSlices(text: string, array: Slice): Slice[] {
  const found: Slice[] = [];
  let at = skipSpace(text, array.start + 1);
  while (text[at] !== "]") {
    const end = endOfValue(text, at);
    found.push({ start: at, end });
    at = skipSpace(text, end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return found;
}

function* members(text: string): Generator<{ key: string; value: Slice }> {
  let at = skipSpace(text, skipSpace(text, 0) + 1);
  while (text[at] !== "}") {
    const endOfKey = endOfValue(text, at);
    const key: string = JSON.parse(text.slice(at, endOfKey));
    const start = skipSpace(text, skipSpace(text, endOfKey) + 1);
    const end = endOfValue(text, start);
    yield { key, value: { start, end } };
    at = skipSpace(text, end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
}

function skipSpace(text: string, at: number): number {
  while (at < text.length && /[ \t\r\n]/.test(text[at])) at++;
  return at;
}

function endOfValue(text: string, at: number): number {
  if (text[at] === '"') return endOfString(text, at);
  if (text[at] !== "{" && text[at] !== "[") {
    while (at < text.length && !/[,\]}\s]/.test(text[at])) at++;
    return at;
  }
  let depth = 0;
  do {
    const unit = text[at];
    if (unit === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (unit === "{" || unit === "[") depth++;
    else if (unit === "}" || unit === "]") depth--;
    at++;
  } while (depth > 0);
  return at;
}

function endOfString(text: string, at: number): number {
  for (at++; text[at] !== '"'; at++) if (text[at] === "\\") at++;
  return at + 1;
}
