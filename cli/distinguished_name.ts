import { ATTRIBUTE_NAMES } from "../internal/attribute_names.ts";
import { children, parseDer, readOid, readSequence, Tag } from "../internal/der.ts";

const TEXTS: ReadonlySet<number> = new Set([Tag.utf8String, Tag.printableString, Tag.ia5String]);

/**
 * A distinguished name as text, the last part first: `CN=sigstore,O=sigstore.dev`.
 *
 * Source: RFC 4514, 2.
 *
 * @throws {AttestationError} `malformed-der`.
 */
export function formatName(der: Uint8Array): string {
  const decoder = new TextDecoder();
  return children(parseDer(new Uint8Array(der), Tag.sequence)).map((set) =>
    children(set).map((attribute) => {
      const reader = readSequence(attribute);
      const oid = readOid(reader.next());
      const value = reader.next();
      const text = TEXTS.has(value.tag) ? decoder.decode(value.value) : "";
      return `${ATTRIBUTE_NAMES.get(oid) ?? oid}=${escapeValue(text)}`;
    }).join("+")
  ).reverse().join(",");
}

function escapeValue(text: string): string {
  return text.replace(/^[ #]|[ ]$|["+,;<>\\]/g, "\\$&");
}
