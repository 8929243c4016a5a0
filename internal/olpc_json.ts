import { AttestationError, type Reason } from "../errors.ts";
import { isObject, type Json } from "./json.ts";

/**
 * Canonical JSON of OLPC, as securesystemslib, in-toto and TUF sign it. It is not RFC 8785:
 * in a string only `"` and `\` are escaped, so that a line feed stands for itself; names are
 * in the order of their code points, not of UTF-16 units; there are no numbers but integers.
 *
 * Source: OLPC wiki, "Canonical JSON"; TUF 1.0, 4.2.
 *
 * @param reason Of the refusal of a number that is no integer, or that is too large for its
 * value to be certain.
 */
export function canonicalOlpcJson(value: Json, reason: Reason): string {
  if (Array.isArray(value)) {
    return `[${value.map((one) => canonicalOlpcJson(one, reason)).join(",")}]`;
  }
  if (isObject(value)) {
    const members = Object.keys(value).sort(byCodePoints).map((name) =>
      `${quoted(name)}:${canonicalOlpcJson(value[name], reason)}`
    );
    return `{${members.join(",")}}`;
  }
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new AttestationError(
      reason,
      `Cannot encode canonical JSON: ${value} is no integer below 2^53`,
    );
  }
  return String(value);
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** UTF-16 orders a surrogate pair before U+E000 to U+FFFF, code points after. */
function byCodePoints(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const left = a.charCodeAt(i), right = b.charCodeAt(i);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
