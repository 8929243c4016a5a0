import { type Bytes, concat } from "../../internal/bytes.ts";
import { children, parseDer } from "../../internal/der.ts";

/** r and s after one another from a signature in DER; each `size` bytes. */
export function ecdsaToRaw(der: Uint8Array, size: number): Bytes {
  return concat(
    ...children(parseDer(der)).map(({ value }) => {
      const number = value[0] === 0 ? value.subarray(1) : value;
      return concat(new Uint8Array(size - number.length), number);
    }),
  );
}
