/** Small pieces of Markdown that all pages of the reference use. */

/** First line of every page. */
export const GENERATED = "<!-- Written by tools/reference.ts: do not edit. -->";

/** First sentence of a documentation comment, with names in code. */
export function firstSentence(doc: string | undefined): string {
  const paragraph = (doc ?? "").trim().split(/\n\s*\n/)[0];
  const text = paragraph
    .replace(
      /\{@link(?:code|plain)?\s+([^}|]+?)(?:\s*\|\s*([^}]+))?\}/g,
      (_, name, shown) => shown ?? `\`${name}\``,
    )
    .replace(/\s+/g, " ");
  return /^.*?[.!?](?=\s+[A-Z`]|$)/.exec(text)?.[0] ?? text;
}

/** A text as code, also if there are backticks in it. */
export function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const space = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return `${fence}${space}${text}${space}${fence}`;
}

/** Plain text, in which nothing is markup. */
export function plain(text: string): string {
  return text.replace(/[\\`*_[\]<>#|~]/g, "\\$&");
}

/** The anchor that GitHub gives a heading. */
export function anchor(heading: string): string {
  return heading.trim().toLowerCase().replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "").replaceAll(
    " ",
    "-",
  );
}
