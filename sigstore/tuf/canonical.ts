import type { Json } from "../../internal/json.ts";
import { canonicalOlpcJson } from "../../internal/olpc_json.ts";

/**
 * Canonical JSON as TUF metadata is signed.
 *
 * Source: TUF 1.0, 4.2.
 *
 * @throws {AttestationError} `malformed-tuf-metadata` for a number that is no integer, or
 * that is too large for its value to be certain.
 */
export function canonicalTufJson(value: Json): string {
  return canonicalOlpcJson(value, "malformed-tuf-metadata");
}
