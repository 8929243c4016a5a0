import { AttestationError } from "../../errors.ts";

/** One way to authenticate, as a server asks for it. */
export interface AuthChallenge {
  /** Scheme in lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** Parameters by name in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_LENGTH = 8192;
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const QUOTED = /"((?:[^"\\\p{Cc}]|\t|\\[\t -~])*)"/uy;
const BLANKS = /[ \t]*/y;
const COMMAS = /[ \t,]*/y;

/**
 * Reads the header `WWW-Authenticate`: any number of challenges, each a scheme with
 * parameters in any order. A comma within quotation marks ends nothing, and a parameter that
 * occurs twice is refused.
 *
 * Source: RFC 9110, sections 11.2, 11.3 and 11.6.1.
 *
 * @param header Value of the header; several are joined by commas, as `Headers.get` does.
 * @throws {AttestationError} `registry-auth-refused`.
 *
 * @example
 * ```ts
 * import { parseAuthChallenges } from "@x/attest/store/oci";
 * import assert from "node:assert/strict";
 *
 * const [bearer] = parseAuthChallenges(
 *   'Bearer realm="https://auth.example/token",scope="repository:app:pull,push"',
 * );
 * assert.equal(bearer.scheme, "bearer");
 * assert.equal(bearer.parameters.get("scope"), "repository:app:pull,push");
 * ```
 */
export function parseAuthChallenges(header: string): AuthChallenge[] {
  if (header.length > MAX_LENGTH) throw unreadable("it is too long");
  const challenges: AuthChallenge[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const [match] = pattern.exec(header) ?? [];
    if (match !== undefined) at += match.length;
    return match;
  };
  /** `name = value`, or nothing, with the place unchanged. */
  const parameter = (): [string, string] | undefined => {
    const start = at;
    const name = take(TOKEN);
    take(BLANKS);
    if (name === undefined || header[at] !== "=") {
      at = start;
      return undefined;
    }
    at++;
    take(BLANKS);
    const quoted = take(QUOTED);
    const value = quoted === undefined ? take(TOKEN) : quoted.slice(1, -1).replace(/\\(.)/g, "$1");
    if (value === undefined) throw unreadable("a parameter has no value");
    return [name.toLowerCase(), value];
  };
  for (take(COMMAS); at < header.length; take(COMMAS)) {
    const scheme = take(TOKEN);
    if (scheme === undefined) throw unreadable("wanted the name of a scheme");
    const parameters = new Map<string, string>();
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
    if (at < header.length && !/[ \t,]/.test(header[at])) throw unreadable("wanted a blank");
    take(BLANKS);
    if (take(TOKEN68) !== undefined) continue;
    for (let next = parameter(); next !== undefined; next = parameter()) {
      const [name, value] = next;
      if (parameters.has(name)) throw unreadable("a parameter occurs twice");
      parameters.set(name, value);
      take(BLANKS);
      if (at < header.length && header[at] !== ",") throw unreadable("wanted a comma");
      const before = at;
      take(COMMAS);
      if (at === before) break;
    }
  }
  return challenges;
}

function unreadable(what: string): AttestationError {
  return new AttestationError(
    "registry-auth-refused",
    `Cannot read the header WWW-Authenticate: ${what}`,
  );
}
