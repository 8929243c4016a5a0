import { AttestationError } from "../errors.ts";
import { ATTRIBUTE_NAMES } from "../internal/attribute_names.ts";
import { children, type Der, parseDer, readOid, readSequence, Tag } from "../internal/der.ts";
import { decodeUtf8, quote } from "../internal/json.ts";

/** One attribute of a distinguished name: short name or object identifier, and its value. */
export type NameAttribute = readonly [type: string, value: string];

/**
 * Attributes of a distinguished name, in the order in which they are encoded. A value that is
 * no text of a known kind stands as its DER in hex after `#`, which no expectation equals.
 *
 * @throws {AttestationError} `malformed-der`.
 */
export function readName(der: Uint8Array): NameAttribute[] {
  const name = parseDer(new Uint8Array(der), Tag.sequence);
  return children(name, 64).flatMap((set) =>
    children(set, 16).map((attribute): NameAttribute => {
      const reader = readSequence(attribute);
      const oid = readOid(reader.next());
      const value = textOf(reader.next());
      return [ATTRIBUTE_NAMES.get(oid) ?? oid, value];
    })
  );
}

function textOf({ tag, value, raw }: Der): string {
  if (tag === Tag.utf8String || tag === Tag.printableString || tag === Tag.ia5String) {
    try {
      return decodeUtf8(value);
    } catch {
      // Falls through: it is no text.
    }
  }
  return `#${Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** A distinguished name for people. */
export function formatAttributes(name: readonly NameAttribute[]): string {
  return name.map(([type, value]) => `${type}=${value.replace(/[,\\]/g, "\\$&")}`).join(", ");
}

/**
 * Reads what is expected of a distinguished name: `C=US, O=acme, CN=release`. Order decides
 * nothing; a comma or backslash in a value is written after a backslash.
 *
 * @throws {TypeError} If it is no such text, or has an attribute twice.
 */
export function parseNameExpectation(text: string): NameAttribute[] {
  const parts = text.match(/(?:[^,\\]|\\[^])+/g) ?? [];
  const seen = new Set<string>();
  const found = parts.map((part): NameAttribute => {
    const match = /^\s*([A-Za-z]+|\d+(?:\.\d+)+)\s*=\s*([^]*?)\s*$/.exec(part);
    const type = match?.[1].toUpperCase() ?? "";
    if (match === null || match[2] === "" || seen.has(type)) {
      throw new TypeError(`Cannot expect the name ${quote(text)}: wanted C=…, O=…, CN=…`);
    }
    seen.add(type);
    return [type === "S" ? "ST" : type, match[2].replace(/\\([^])/g, "$1")];
  });
  if (found.length === 0 || found.map(([, v]) => v).join().length > 4096) {
    throw new TypeError(`Cannot expect the name ${quote(text)}: wanted C=…, O=…, CN=…`);
  }
  return found;
}

/** Tells whether a name has every attribute that is expected, each with exactly this value. */
export function matchesName(
  name: readonly NameAttribute[],
  expected: readonly NameAttribute[],
): boolean {
  return expected.every(([type, value]) => {
    const own = name.filter((one) => one[0] === type);
    return own.length === 1 && own[0][1] === value;
  });
}

/** The refusal of a holder whom nobody expects. */
export function unexpectedHolder(name: readonly NameAttribute[]): AttestationError {
  return new AttestationError(
    "identity-mismatch",
    `Cannot accept certificate: its holder is ${quote(formatAttributes(name))}`,
  );
}
