import { children, parseDer, readOid, readSequence, Tag } from "../internal/der.ts";

/** Short names of attribute types (RFC 4514, 3, and what Go's crypto/x509 prints). */
const SHORT: ReadonlyMap<string, string> = new Map([
  ["2.5.4.3", "CN"],
  ["2.5.4.5", "SERIALNUMBER"],
  ["2.5.4.6", "C"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "ST"],
  ["2.5.4.9", "STREET"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
  ["2.5.4.17", "POSTALCODE"],
]);

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
      return `${SHORT.get(oid) ?? oid}=${escapeValue(text)}`;
    }).join("+")
  ).reverse().join(",");
}

function escapeValue(text: string): string {
  return text.replace(/^[ #]|[ ]$|["+,;<>\\]/g, "\\$&");
}
