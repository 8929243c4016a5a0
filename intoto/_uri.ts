// Scheme, then only characters of RFC 3986, with % before two hex digits.
const URI = /^([a-z][a-z0-9+.-]*):((?:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)$/;
const AUTHORITY = /^\/\/[^/?#]*/;

/**
 * Tells whether a text is a URI as in-toto wants it written: absolute, scheme and
 * authority in lower case.
 *
 * Source: RFC 3986, 3 and 6.2.2.1; in-toto attestation v1, field_types.md.
 */
export function isUri(text: string): boolean {
  const match = text.length <= 8192 ? URI.exec(text) : null;
  if (match === null) return false;
  const authority = AUTHORITY.exec(match[2])?.[0] ?? "";
  return !/[A-Z]/.test(authority.replace(/%[0-9A-F]{2}/g, ""));
}
