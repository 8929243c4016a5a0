import { AttestationError, type Reason } from "../../errors.ts";
import { type JsonObject, jsonText, printable, quote } from "../../internal/json.ts";
import type { Environment } from "../../sigstore/oidc/ambient.ts";
import type { IdentityToken } from "../../sigstore/oidc/token.ts";

/**
 * Who states a fact, for messages, and what: undefined if it states nothing, null if it
 * cannot be told because another fact is missing.
 */
export type Stated = readonly [where: string, value: string | undefined | null];

/** {@linkcode Stated} of one who depends on nothing. */
export type Told = readonly [where: string, value: string | undefined];

/** How a fact must be written; answers it in its one spelling, or undefined. */
export type Spelling = (text: string) => string | undefined;

const MAX_LENGTH = 1024;

/**
 * Reads what is told of a build: named variables of the environment and claims of its token,
 * nothing else. A fact that several tell must be the same with all of them; those that nobody
 * tells are collected, and refused together.
 */
export class FactReader {
  readonly #environment: Environment;
  readonly #token: IdentityToken | undefined;
  readonly #missing: { fact: string; where: readonly string[] }[] = [];

  constructor(environment: Environment, token?: IdentityToken) {
    this.#environment = environment;
    this.#token = token;
  }

  /** Issuer of the token, if there is one. */
  get issuer(): string | undefined {
    return this.#token?.issuer;
  }

  /** A variable that is set to something. */
  variable(name: string): Told {
    const value = this.#environment[name];
    return [name, value === undefined || value === "" ? undefined : this.#clean(name, value)];
  }

  /** A claim of the token as text. */
  claim(name: string): Told {
    const where = `the token's ${name}`;
    const claims: JsonObject = this.#token?.claims ?? {};
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (typeof value === "boolean" || Number.isSafeInteger(value)) return [where, jsonText(value)];
    if (value === undefined || value === null || value === "") return [where, undefined];
    if (typeof value === "string") return [where, this.#clean(where, value)];
    throw malformed(where, name, "it is no text, number or truth value");
  }

  /** The first of those who state a fact; the others must agree. Nobody is an error, later. */
  need(fact: string, stated: readonly Stated[], spelling?: Spelling): string {
    const value = this.find(fact, stated, spelling);
    if (value !== undefined) return value;
    if (stated.some(([, text]) => text === null)) return "";
    // Claims are told of only where there is a token to look at.
    const where = stated.map(([where]) => where).filter((where) =>
      !where.startsWith("the given ") &&
      (this.#token !== undefined || !where.startsWith("the token"))
    );
    this.#missing.push({ fact, where });
    return "";
  }

  /** {@linkcode FactReader.need}, of a fact that may be unknown. */
  find(fact: string, stated: readonly Stated[], spelling?: Spelling): string | undefined {
    let first: readonly [string, string] | undefined;
    for (const [where, text] of stated) {
      if (text === undefined || text === null) continue;
      const plain = this.#clean(where, text);
      const value = spelling === undefined ? plain : spelling(plain);
      if (value === undefined) throw malformed(where, fact, `it is no ${fact}: ${shown(text)}`);
      if (first === undefined) first = [where, value];
      else if (first[1] !== value) {
        throw conflict(
          fact,
          `${first[0]} is ${quote(first[1])}, ${where} is ${quote(value)}`,
        );
      }
    }
    return first?.[1];
  }

  /** Refuses when something is missing, and names all of it. */
  finish(): void {
    const [first] = this.#missing;
    if (first === undefined) return;
    const list = this.#missing.map(({ fact, where }) =>
      where.length === 0 ? fact : `${fact} (${where.join(" or ")})`
    );
    throw cannot("missing-build-fact", first.fact, `it is not known: ${list.join(", ")}`);
  }

  #clean(where: string, value: string): string {
    if (value.length > MAX_LENGTH) {
      throw malformed(where, where, `it has more than ${MAX_LENGTH} characters`);
    }
    if (printable(value, MAX_LENGTH) !== value) {
      throw malformed(where, where, `it has control characters: ${shown(value)}`);
    }
    return value;
  }
}

/** A value for a message; an address loses its user and password. */
function shown(text: string): string {
  return quote(text.replace(/\/\/[^/]*@/g, "//…@"));
}

/** Two tell different things. */
export function conflict(fact: string, what: string): AttestationError {
  return cannot("conflicting-build-fact", fact, what);
}

/** A value that its meaning does not allow. */
export function malformed(where: string, fact: string, what: string): AttestationError {
  return cannot("malformed-build-fact", fact, `${where}: ${what}`);
}

function cannot(reason: Reason, fact: string, what: string): AttestationError {
  const path = `/${fact.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return new AttestationError(reason, `Cannot create provenance: ${what}`, { path });
}
