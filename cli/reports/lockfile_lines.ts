/**
 * Lines of a `package-lock.json` at which its packages are named, by where they are
 * installed. The text is one that was read as JSON before; of another the lines are of no
 * use, nothing else.
 */
export function lockfileLines(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  let line = 1;
  let depth = 0;
  let inPackages = false;
  let name: string | undefined;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 10: // LF
        line++;
        break;
      case 34: { // "
        const start = i;
        i = endOfString(text, i);
        if (depth > 2) break;
        const at = line;
        name = text.slice(start, i + 1);
        if (inPackages && depth === 2 && isName(text, i + 1)) {
          const location = unescape(name);
          if (!lines.has(location)) lines.set(location, at);
        }
        break;
      }
      case 91: // [
      case 123: // {
        depth++;
        if (depth === 2) inPackages = name === '"packages"' && text[i] === "{";
        break;
      case 93: // ]
      case 125: // }
        depth--;
        break;
    }
  }
  return lines;
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 92) i++;
    else if (unit === 34) return i;
  }
  return text.length;
}

function isName(text: string, end: number): boolean {
  return /^\s*:/.test(text.slice(end, end + 64));
}

function unescape(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : text;
  } catch {
    return text;
  }
}
