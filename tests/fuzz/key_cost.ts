/** What an encrypted key states that opening it costs. */

import type { Bytes } from "../../internal/bytes.ts";
import { heldBy, textOf } from "./mutate_text.ts";

/**
 * Rounds of a key derivation, as far as they can be guessed from the outside: the largest
 * INTEGER of the DER, or `N * r * p` of the JSON. The parser bounds them; here they only cost
 * time.
 */
export function readIterations(input: Bytes): number {
  const body = /-----\r?\n([A-Za-z0-9+/=\s]*?)\r?\n-----END/.exec(textOf(input))?.[1];
  const held = body === undefined ? undefined : heldBy(body.replace(/\s/g, ""));
  if (held === undefined) return 0;
  if (held[0] === 0x7b) {
    let product = 1;
    for (const [, digits] of textOf(held).matchAll(/"(?:N|r|p)"\s*:\s*([\d.eE+]+)/g)) {
      product *= Math.max(1, Number(digits) || 1);
    }
    return product;
  }
  let most = 0;
  for (let i = 0; i + 4 < Math.min(held.length, 400); i++) {
    const length = held[i + 1];
    if (held[i] !== 2 || length < 1 || length > 4) continue;
    let value = 0;
    for (let k = 0; k < length; k++) value = value * 256 + held[i + 2 + k];
    most = Math.max(most, value);
  }
  return most;
}
