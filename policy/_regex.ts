const MAX_REPEATS = 4;

const QUANTIFIER = /(?:[*+?]|\{\d+(?:,\d*)?\})\??/y;
/** What opens a group behind its parenthesis: nothing, `?:` or a name. */
const OPENING = /\((?:\?(?::|<[^>]*>))?/y;

/**
 * What makes a regular expression one whose time could explode, or undefined. Claims of
 * certificates and parameters of builds are chosen by others.
 *
 * Accepted: groups that are repeated only if nothing in them is repeated or optional and
 * they have no alternatives; at most four repetitions without an end; no references back
 * and no look-around.
 */
export function regexFault(pattern: string): string | undefined {
  // By open group, the pattern itself first: whether it may not be repeated.
  const loose = [false];
  let repeats = 0;
  // Whether what stands last is a group that may not be repeated.
  let last = false;
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i];
    if (character === "\\") {
      i++;
      if (/[1-9k]/.test(pattern[i] ?? "")) return "the pattern refers back to a group";
      last = false;
    } else if (character === "[") {
      i = endOfClass(pattern, i);
      last = false;
    } else if (character === "(") {
      if (/^\(\?(?:<?[=!])/.test(pattern.slice(i, i + 4))) return "the pattern looks around";
      loose.push(false);
      last = false;
      i += matchAt(OPENING, pattern, i).length - 1;
    } else if (character === ")") {
      last = loose.pop() ?? false;
      if (last) loose[loose.length - 1] = true;
    } else if (character === "|") {
      loose[loose.length - 1] = true;
      last = false;
    } else {
      const quantifier = matchAt(QUANTIFIER, pattern, i);
      if (quantifier === "") {
        last = false;
        continue;
      }
      const once = quantifier.startsWith("?") || /^\{[01](?:,1)?\}/.test(quantifier);
      if (last && !once) return "the pattern repeats a group that has repetitions or alternatives";
      if (/^(?:[*+]|\{\d+,\})/.test(quantifier) && ++repeats > MAX_REPEATS) {
        return `the pattern has more than ${MAX_REPEATS} repetitions without an end`;
      }
      loose[loose.length - 1] = true;
      i += quantifier.length - 1;
    }
  }
}

/** What a sticky expression matches at a place; empty if nothing. */
function matchAt(expression: RegExp, text: string, at: number): string {
  expression.lastIndex = at;
  return expression.exec(text)?.[0] ?? "";
}

function endOfClass(pattern: string, start: number): number {
  for (let i = start + 1; i < pattern.length; i++) {
    if (pattern[i] === "\\") i++;
    else if (pattern[i] === "]") return i;
  }
  return pattern.length;
}
