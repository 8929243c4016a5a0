import { AttestationError, isAttestationError, type Reason } from "../../errors.ts";
import { decodeBase64 } from "../../internal/base64.ts";
import { isObject, type Json, type JsonObject, parseJson, quote } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";

/** An identity token (OpenID Connect), read but not verified: only its issuer's keys could. */
export interface IdentityToken {
  /** `iss`: who issued it. */
  readonly issuer: string;
  /** `sub`: whom it names. */
  readonly subject: string;
  /** `email`, unless the issuer says that it is not verified. */
  readonly email?: string;
  /** `aud`: whom it is for. */
  readonly audience: readonly string[];
  /** `exp`: until when it is accepted. */
  readonly expiresAt: Date;
  /** All claims. */
  readonly claims: JsonObject;
  /** The token itself, a secret: not enumerable, so that it is never printed by accident. */
  readonly token: string;
}

/** Options of {@linkcode parseIdentityToken}. */
export interface IdentityTokenOptions {
  /** Whom it must be for. Default `sigstore`. */
  audience?: string;
  /** When it must be valid. Default: now. */
  now?: Date;
}

/** The audience that Sigstore's certificate authority expects. */
export const SIGSTORE_AUDIENCE = "sigstore";

const MAX_TOKEN_LENGTH = 16 << 10;
const MAX_CLAIM_LENGTH = 2048;
const MAX_AUDIENCES = 64;
/** Clocks may differ by so much. */
const SKEW_MS = 60_000;
/** Seconds that a Date can tell. */
const MAX_SECONDS = 8_640_000_000_000;

/**
 * Reads an identity token: the shape of a signed JWT, strictly, and the claims that signing
 * needs. The signature is not checked: the certificate authority does that.
 *
 * Source: RFC 7519, 4.1 and 7.2; RFC 7515, 7.1; OpenID Connect Core 1.0, 2 ("ID Token").
 *
 * @param token Compact serialization, at most 16 KiB.
 * @returns The claims. The token itself is in them as a member that is not enumerable, and
 * it is part of no message.
 * @throws {AttestationError} `malformed-identity-token` (also one that is not valid yet),
 * `identity-token-expired`, or `audience-mismatch`. Clocks may differ by a minute.
 * @throws {TypeError} If an option is unknown or `now` is no valid Date.
 *
 * @example Whom a token names
 * ```ts
 * import { parseIdentityToken } from "@x/attest/sigstore/oidc";
 * import assert from "node:assert/strict";
 *
 * const part = (value: unknown) =>
 *   btoa(typeof value === "string" ? value : JSON.stringify(value))
 *     .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
 * const claims = { iss: "https://issuer.example", sub: "ci", aud: "sigstore", iat: 1, exp: 600 };
 * const text = [part({ alg: "ES256" }), part(claims), part("signature")].join(".");
 *
 * const token = parseIdentityToken(text, { now: new Date(60_000) });
 * assert.equal(token.subject, "ci");
 * assert.ok(!JSON.stringify(token).includes(text));
 * ```
 */
export function parseIdentityToken(
  token: string,
  options: IdentityTokenOptions = {},
): IdentityToken {
  refuseUnknown(options, ["audience", "now"], "parseIdentityToken()");
  const { audience = SIGSTORE_AUDIENCE, now = new Date() } = options;
  if (!(now instanceof Date) || Number.isNaN(now.getTime())) {
    throw new TypeError("Cannot read identity token: now is no valid Date");
  }
  if (typeof token !== "string") throw new TypeError("Cannot read identity token: it is no text");
  if (token.length > MAX_TOKEN_LENGTH) {
    throw malformed(`it has more than ${MAX_TOKEN_LENGTH} characters`);
  }
  const parts = token.split(".");
  if (parts.length !== 3) throw malformed("it has not three parts with dots between them");
  const [header, claims] = [objectOf(parts[0], "header"), objectOf(parts[1], "claims")];
  if (bytesOf(parts[2], "signature").length === 0) throw malformed("its signature is empty");
  checkHeader(header);

  const issuer = textClaim(claims, "iss");
  const subject = textClaim(claims, "sub");
  const audiences = audienceOf(claims.aud);
  const expiresAt = timeClaim(claims, "exp");
  const issuedAt = timeClaim(claims, "iat");
  const validFrom = claims.nbf === undefined ? issuedAt : timeClaim(claims, "nbf");
  if (expiresAt.getTime() <= now.getTime() - SKEW_MS) {
    throw cannot(
      "identity-token-expired",
      `it expired at ${expiresAt.toISOString()}`,
      "/exp",
    );
  }
  if (Math.max(issuedAt.getTime(), validFrom.getTime()) > now.getTime() + SKEW_MS) {
    throw malformed("it is valid only in the future", "/iat");
  }
  if (expiresAt <= issuedAt || expiresAt <= validFrom) {
    throw malformed("it expires before it is valid", "/exp");
  }
  if (!audiences.includes(audience)) {
    throw cannot(
      "audience-mismatch",
      `it is for ${audiences.slice(0, 3).map(quote).join(", ")}, not for ${quote(audience)}`,
      "/aud",
    );
  }
  const email = emailOf(claims);
  const identity = {
    issuer,
    subject,
    ...(email === undefined ? {} : { email }),
    audience: audiences,
    expiresAt,
    claims,
    token,
  };
  return Object.defineProperty(identity, "token", { enumerable: false });
}

/** A token that is not signed, or that asks for rules that nobody here knows, is none. */
function checkHeader({ alg, crit }: JsonObject): void {
  if (typeof alg !== "string" || alg === "") throw malformed("its header names no algorithm");
  if (alg.toLowerCase() === "none") throw malformed("it is not signed");
  if (crit !== undefined) throw malformed("its header has critical extensions");
}

function emailOf({ email, email_verified: verified }: JsonObject): string | undefined {
  if (email === undefined || verified === false || verified === "false") return undefined;
  if (typeof email !== "string" || !isPlain(email) || !/^[^@]+@[^@]+$/.test(email)) {
    throw malformed("email is no address", "/email");
  }
  return email;
}

function audienceOf(aud: Json | undefined): string[] {
  const list = Array.isArray(aud) ? aud : [aud];
  if (list.length === 0 || list.length > MAX_AUDIENCES) {
    throw malformed(`aud names no audience or more than ${MAX_AUDIENCES}`, "/aud");
  }
  return list.map((one) => {
    if (typeof one === "string" && isPlain(one)) return one;
    throw malformed("aud is neither a text nor a list of texts", "/aud");
  });
}

function textClaim(claims: JsonObject, name: string): string {
  const value = claims[name];
  if (typeof value === "string" && isPlain(value)) return value;
  throw malformed(`${name} is no text`, `/${name}`);
}

function timeClaim(claims: JsonObject, name: string): Date {
  const value = claims[name];
  if (typeof value === "number" && value >= 0 && value <= MAX_SECONDS) {
    return new Date(Math.floor(value * 1000));
  }
  throw malformed(`${name} is no time in seconds`, `/${name}`);
}

/** Neither empty nor long, and without what breaks lines or hides. */
function isPlain(text: string): boolean {
  return text !== "" && text.length <= MAX_CLAIM_LENGTH &&
    !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text);
}

function objectOf(part: string, what: string): JsonObject {
  const bytes = bytesOf(part, what);
  let value: Json;
  try {
    value = parseJson(bytes, { maxDepth: 16 });
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    // The parser's message may quote a part of the token.
    throw malformed(`its ${what} is not strict JSON (${cause.reason})`);
  }
  if (isObject(value)) return value;
  throw malformed(`its ${what} is no JSON object`);
}

function bytesOf(part: string, what: string): Uint8Array {
  try {
    return decodeBase64(part, { alphabet: "url", padding: "none" });
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw malformed(`its ${what} is not base64url without padding`);
  }
}

function malformed(what: string, path?: string): AttestationError {
  return cannot("malformed-identity-token", what, path);
}

function cannot(reason: Reason, what: string, path?: string): AttestationError {
  return new AttestationError(reason, `Cannot use identity token: ${what}`, { path });
}
