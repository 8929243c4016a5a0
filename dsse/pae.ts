import { type Bytes, concat, utf8 } from "../internal/bytes.ts";

const encoder = new TextEncoder();

/**
 * Pre-authentication encoding: the bytes that a DSSE signature is over.
 *
 * Lengths count bytes, not UTF-16 units.
 *
 * Source: DSSE 1.0.2, protocol.md, "Signature Definition".
 *
 * @param payloadType Opaque type, such as `application/vnd.in-toto+json`.
 * @param payload Bytes of the payload, as they are.
 * @returns `DSSEv1 SP LEN(type) SP type SP LEN(payload) SP payload`.
 * @throws {TypeError} If `payloadType` has an unpaired surrogate: two such texts would
 * share an encoding.
 *
 * @example
 * ```ts
 * import { pae } from "@x/attest/dsse";
 * import assert from "node:assert/strict";
 *
 * const bytes = pae("t", new TextEncoder().encode("é"));
 * assert.equal(new TextDecoder().decode(bytes), "DSSEv1 1 t 2 é");
 * ```
 */
export function pae(payloadType: string, payload: Uint8Array): Bytes {
  if (!payloadType.isWellFormed()) throw new TypeError("payloadType has an unpaired surrogate");
  const head = `DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `;
  const bytes = new Uint8Array(head.length + payload.length);
  const { read, written } = encoder.encodeInto(head, bytes);
  if (read === head.length && written === read) {
    bytes.set(payload, written);
    return bytes;
  }
  // Not ASCII: the length in bytes is not that in characters.
  const type = utf8(payloadType);
  return concat(utf8(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `), payload);
}
