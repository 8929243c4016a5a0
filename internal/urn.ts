import { AttestationError } from "../errors.ts";
import { quote } from "./json.ts";

/*
 * Names of a registry: RFC 8141, less what two readers could take for two things. There is
 * one spelling of each name: nothing is decoded, folded or normalised, so nothing that looks
 * like a name and is none can get in. Letters outside ASCII, percent-encoding, `/` and the
 * r-, q- and f-components are refused.
 */

/** Most characters of a urn. */
export const MAX_URN_LENGTH = 255;

const NAMESPACE = /^[a-z0-9][a-z0-9-]{0,30}[a-z0-9]$/;
const PART = /^[A-Za-z0-9@_~][A-Za-z0-9._~@+=-]*$/;

/** What is wrong with a urn, or undefined. */
export function urnFault(text: string): string | undefined {
  if (text.length > MAX_URN_LENGTH) {
    return `${text.length} characters, at most ${MAX_URN_LENGTH} are accepted`;
  }
  const [scheme, namespace, ...parts] = text.split(":");
  if (scheme !== "urn") return "it does not begin with urn:";
  if (namespace === undefined || !NAMESPACE.test(namespace) || namespace === "urn") {
    return "the namespace is not 2 to 32 of a-z, 0-9 and -";
  }
  if (parts.length === 0) return "nothing follows the namespace";
  const bad = parts.find((part) => !PART.test(part));
  if (bad === undefined) return undefined;
  if (bad === "") return "a part between two colons is empty";
  return /^[A-Za-z0-9._~@+=-]+$/.test(bad)
    ? `the part ${quote(bad)} begins with a mark`
    : `the part ${quote(bad)} has characters other than A-Z a-z 0-9 . _ ~ @ + = -`;
}

/**
 * Refuses what is no urn.
 *
 * @throws {AttestationError} `malformed-urn`.
 */
export function checkUrn(text: string, path?: string): void {
  const fault = urnFault(text);
  if (fault === undefined) return;
  throw new AttestationError("malformed-urn", `Cannot accept urn ${quote(text)}: ${fault}`, {
    path,
  });
}

/** Two urns with the same folded form look alike; a registry has one of them only. */
export function foldUrn(urn: string): string {
  return urn.toLowerCase();
}

/** Tells whether a urn is within a prefix, which ends with a whole part. Empty: all are. */
export function isWithin(urn: string, prefix: string): boolean {
  if (prefix === "" || urn === prefix) return true;
  return urn.startsWith(prefix.endsWith(":") ? prefix : `${prefix}:`);
}

/** What is wrong with a prefix of urns, or undefined. */
export function urnPrefixFault(prefix: string): string | undefined {
  if (prefix === "") return undefined;
  const whole = prefix.endsWith(":") ? prefix.slice(0, -1) : prefix;
  if (/^urn:[^:]+$/.test(whole)) return urnFault(`${whole}:x`);
  return urnFault(whole);
}
