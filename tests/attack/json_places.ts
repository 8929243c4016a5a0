/** What stands where in a JSON text; for texts that are known to be good. */

/** What a byte of a JSON text belongs to. */
export interface Place {
  /** JSON Pointer of the value, or of the value that a name stands before. */
  pointer: string;
  /** `layout`: white space and punctuation. */
  role: "name" | "value" | "layout";
}

interface Stretch extends Place {
  end: number;
}

/** A function that tells what the byte at an offset belongs to; a character is a byte. */
export function jsonPlaces(text: string): (offset: number) => Place {
  const stretches: Stretch[] = [];
  const tokens = /"(?:[^"\\]|\\.)*"|[[\]{},:]|\s+|[^\s[\]{},:"]+/y;
  const path: { name: string; index: number; array: boolean }[] = [];
  let isName = false;
  const pointer = () => path.map(({ array, index, name }) => `/${array ? index : name}`).join("");
  for (let found = tokens.exec(text); found !== null; found = tokens.exec(text)) {
    const [token] = found;
    const top = path.at(-1);
    let role: Place["role"] = "layout";
    let at = pointer();
    if (token === "{" || token === "[") {
      path.push({ name: "", index: 0, array: token === "[" });
      isName = token === "{";
    } else if (token === "}" || token === "]") path.pop();
    else if (token === ",") {
      if (top?.array) top.index++;
      isName = top?.array === false;
    } else if (token === ":") isName = false;
    else if (token.trim() !== "") {
      role = isName ? "name" : "value";
      if (isName && top !== undefined) {
        top.name = token.slice(1, -1);
        at = pointer();
      }
    }
    stretches.push({ pointer: at, role, end: tokens.lastIndex });
  }
  return (offset) => {
    let low = 0;
    let high = stretches.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (stretches[middle].end <= offset) low = middle + 1;
      else high = middle;
    }
    const { pointer, role } = stretches[low];
    return { pointer, role };
  };
}
