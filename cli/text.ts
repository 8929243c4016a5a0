import { causeText } from "../internal/cause.ts";
import { printable } from "../internal/json.ts";

/** Colours of a text; all of them do nothing where nobody sees them. */
export interface Style {
  /** For what is good. */
  green(text: string): string;
  /** For what is wrong. */
  red(text: string): string;
  /** For what needs attention. */
  yellow(text: string): string;
  /** For what may be passed over. */
  dim(text: string): string;
  /** For headings. */
  bold(text: string): string;
}

/** Style of the terminal, or none. */
export function style(coloured: boolean): Style {
  const paint = (code: number) => (text: string) => coloured ? `\x1b[${code}m${text}\x1b[0m` : text;
  return { green: paint(32), red: paint(31), yellow: paint(33), dim: paint(2), bold: paint(1) };
}

/** Rows of a name and a value, aligned; a value of several lines keeps its column. */
export function table(rows: readonly (readonly [string, string])[], indent: string): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  const margin = `\n${indent}${" ".repeat(width + 2)}`;
  return rows.map(([name, value]) =>
    `${indent}${name.padEnd(width)}  ${value.split("\n").join(margin)}\n`
  ).join("");
}

/** Words in lines of at most so many columns. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}

/** `1 file`, `2 files`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * JSON whose strings cannot act on a terminal: C1 controls, line separators and the marks
 * that reorder text are escaped, beside what JSON escapes anyway.
 */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The chain of an error's causes, one line each, harmless to print. */
export function errorChain(error: unknown): string[] {
  const lines: string[] = [];
  for (let at = error; at !== undefined && at !== null && lines.length < 8;) {
    const text = causeText(at);
    lines.push(printable(text.replaceAll(/\s+/g, " "), 500));
    at = at instanceof Error ? at.cause : undefined;
  }
  return lines;
}
