/** Links of Markdown pages, checked against the pages themselves. */

import { anchor } from "../tools/reference/markdown.ts";

/**
 * Links that lead nowhere, as `PAGE: TARGET`.
 *
 * @param pages Markdown by path from the project's folder.
 * @param exists Tells of any other path whether there is a file or folder.
 */
export function brokenLinks(
  pages: ReadonlyMap<string, string>,
  exists: (path: string) => boolean,
): readonly string[] {
  const broken: string[] = [];
  const anchors = new Map([...pages].map(([path, text]) => [path, anchorsOf(text)]));
  for (const [page, text] of pages) {
    for (const target of targetsOf(text)) {
      if (/^[a-z][a-z0-9+.-]*:/i.test(target)) continue;
      const [file, fragment] = target.split("#", 2);
      const path = file === "" ? page : resolve(page, decodeURI(file));
      const known = path === undefined ? undefined : anchors.get(path);
      const isThere = path !== undefined && (known !== undefined || exists(path));
      if (!isThere || (fragment !== undefined && known?.has(fragment) === false)) {
        broken.push(`${page}: ${target}`);
      }
    }
  }
  return broken;
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^(`{3,}|~{3,})[^]*?^\1\s*$/gm, "");
}

function targetsOf(markdown: string): readonly string[] {
  const text = withoutCode(markdown);
  const bare = text.replace(/(?<!`)(`+)(?!`)[^]*?[^`]\1(?!`)/g, "``");
  return [
    ...[...bare.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)].map(([, target]) => target),
    ...[...bare.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)].map(([, target]) => target),
  ];
}

function anchorsOf(markdown: string): ReadonlySet<string> {
  const counts = new Map<string, number>();
  const found = new Set<string>();
  for (const [, heading] of withoutCode(markdown).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const base = anchor(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1"));
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    found.add(count === 0 ? base : `${base}-${count}`);
  }
  return found;
}

function resolve(page: string, target: string): string | undefined {
  const parts = page.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") {
      if (parts.length === 0) return undefined;
      parts.pop();
    } else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}
