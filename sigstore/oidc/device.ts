import { AttestationError, type Reason } from "../../errors.ts";
import { encodeBase64Url } from "../../internal/base64.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import {
  HTTP_OPTIONS,
  type HttpOptions,
  isLoopback,
  jsonAnswer,
  request,
} from "../../internal/http.ts";
import { timer } from "../../internal/timer.ts";
import { type Json, type JsonObject, printable, quote } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { type IdentityToken, parseIdentityToken, SIGSTORE_AUDIENCE } from "./token.ts";

/** What a person must do to be identified. */
export interface DevicePrompt {
  /** Page to open. */
  readonly verificationUri: string;
  /** The same page with the code in it, where the issuer gives one. */
  readonly verificationUriComplete?: string;
  /** Code to enter there. */
  readonly userCode: string;
  /** Until when. */
  readonly expiresAt: Date;
}

/** Options of {@linkcode deviceIdentityToken}. */
export interface DeviceTokenOptions extends HttpOptions {
  /** Shows a person what to do. */
  show: (prompt: DevicePrompt) => void;
  /** Client at the issuer. Default `sigstore`. */
  clientId?: string;
  /** Whom the token is for. Default the client. */
  audience?: string;
  /** Clock. Default: now. */
  now?: () => Date;
  /** Random bytes. Default: the runtime's. */
  randomBytes?: (length: number) => Bytes;
}

const ACTION = "identify by another device";
const GRANT = "urn:ietf:params:oauth:grant-type:device_code";
const DEFAULT_INTERVAL_S = 5;
const MAX_INTERVAL_S = 60;
const MAX_LIFETIME_S = 3600;
/** Statuses with which issuers say that nobody has confirmed yet; RFC 6749 knows 400 only. */
const PENDING_STATUSES = [200, 400, 401, 403, 428];

/**
 * Has a person identify at the issuer, by a browser anywhere: shows an address and a code,
 * and asks the issuer until it was confirmed, denied, or expired.
 *
 * The issuer must name itself exactly as it is called, in its configuration and in the
 * token. The code that is shown is worth nothing to those who only see it: the token is
 * bound to a secret of this process (PKCE).
 *
 * Source: RFC 8628, 3.1 to 3.5; RFC 7636, 4; OpenID Connect Discovery 1.0, 4.
 *
 * @param issuer Address of the issuer, such as that of a Sigstore instance.
 * @throws {AttestationError} `device-flow-failed` (denied, expired, not supported),
 * `response-mismatch` (another issuer answers), `malformed-response`, what
 * `parseIdentityToken()` refuses, and what a request can fail with: `service-unavailable`,
 * `service-refused`, `limit-exceeded`, `aborted`.
 * @throws {TypeError} If an option is unknown or `show` is no function.
 *
 * @example An issuer that denies
 * ```ts
 * import { deviceIdentityToken } from "@x/attest/sigstore/oidc";
 * import assert from "node:assert/strict";
 *
 * const issuer = "https://issuer.example";
 * const answers: Record<string, unknown> = {
 *   [`${issuer}/.well-known/openid-configuration`]: {
 *     issuer,
 *     device_authorization_endpoint: `${issuer}/device`,
 *     token_endpoint: `${issuer}/token`,
 *   },
 *   [`${issuer}/device`]: {
 *     device_code: "secret",
 *     user_code: "ABCD-EFGH",
 *     verification_uri: `${issuer}/confirm`,
 *     expires_in: 60,
 *   },
 *   [`${issuer}/token`]: { error: "access_denied" },
 * };
 * const shown: string[] = [];
 * await assert.rejects(
 *   deviceIdentityToken(issuer, {
 *     fetch: (url) => Promise.resolve(Response.json(answers[url])),
 *     sleep: () => Promise.resolve(),
 *     show: ({ userCode }) => shown.push(userCode),
 *   }),
 *   { reason: "device-flow-failed" },
 * );
 * assert.deepEqual(shown, ["ABCD-EFGH"]);
 * ```
 */
export async function deviceIdentityToken(
  issuer: string,
  options: DeviceTokenOptions,
): Promise<IdentityToken> {
  refuseUnknown(
    options,
    [...HTTP_OPTIONS, "show", "clientId", "audience", "now", "randomBytes"],
    "deviceIdentityToken()",
  );
  const { show, clientId = SIGSTORE_AUDIENCE, audience = clientId } = options;
  if (typeof show !== "function") throw new TypeError("Cannot identify: show is no function");
  const { now = () => new Date(), randomBytes = random, sleep = timer } = options;
  const http = httpOf(options);
  const endpoints = await discover(issuer, http);

  const verifier = encodeBase64Url(randomBytes(32));
  const challenge = encodeBase64Url(
    new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(verifier))),
  );
  const grant = await post(endpoints.device, {
    client_id: clientId,
    scope: "openid email",
    code_challenge: challenge,
    code_challenge_method: "S256",
  }, http);
  const lifetime = Math.min(positive(grant.answer, "expires_in"), MAX_LIFETIME_S);
  const expiresAt = new Date(now().getTime() + lifetime * 1000);
  const deviceCode = text(grant.answer, "device_code", 4096);
  show(promptOf(grant.answer, expiresAt));

  let interval = grant.answer.interval === undefined
    ? DEFAULT_INTERVAL_S
    : Math.min(Math.max(positive(grant.answer, "interval"), 1), MAX_INTERVAL_S);
  for (let waited = 0; waited < lifetime && now() < expiresAt; waited += interval) {
    await sleep(interval * 1000, options.signal);
    const { status, answer } = await post(
      endpoints.token,
      {
        grant_type: GRANT,
        device_code: deviceCode,
        client_id: clientId,
        code_verifier: verifier,
      },
      http,
      PENDING_STATUSES,
    );
    if (typeof answer.id_token === "string" && status === 200) {
      return checkIssuer(parseIdentityToken(answer.id_token, { audience, now: now() }), issuer);
    }
    const { error } = answer;
    if (error === "slow_down") interval = Math.min(interval + 5, MAX_INTERVAL_S);
    else if (error !== "authorization_pending") throw ended(error);
  }
  throw failed("device-flow-failed", "the code expired before it was confirmed");
}

/** An error that ends it. The words of the issuer are shown, cut and clean. */
function ended(error: Json | undefined): AttestationError {
  if (error === "access_denied") return failed("device-flow-failed", "it was denied");
  if (error === "expired_token") return failed("device-flow-failed", "the code expired");
  return typeof error === "string"
    ? failed("device-flow-failed", `the issuer answered ${quote(printable(error, 64))}`)
    : failed("malformed-response", "the issuer gave neither a token nor an error");
}

interface Endpoints {
  device: string;
  token: string;
}

async function discover(issuer: string, http: HttpOptions): Promise<Endpoints> {
  const address = `${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`;
  const accept = { headers: { accept: "application/json" } };
  const found = jsonAnswer(ACTION, await request(ACTION, address, accept, http));
  // Else whoever answers here could have the token of another issuer asked for.
  if (found.issuer !== issuer) {
    const named = typeof found.issuer === "string" ? quote(found.issuer) : "nobody";
    throw failed("response-mismatch", `${quote(issuer)} calls itself ${named}`);
  }
  const { device_authorization_endpoint: device, code_challenge_methods_supported: methods } =
    found;
  if (device === undefined) {
    throw failed("device-flow-failed", `${quote(issuer)} does not identify by another device`);
  }
  if (methods !== undefined && !(Array.isArray(methods) && methods.includes("S256"))) {
    throw failed("device-flow-failed", `${quote(issuer)} does not support PKCE with S256`);
  }
  return {
    device: text(found, "device_authorization_endpoint", 2048),
    token: text(found, "token_endpoint", 2048),
  };
}

interface Posted {
  status: number;
  answer: JsonObject;
}

async function post(
  url: string,
  form: Record<string, string>,
  http: HttpOptions,
  accept?: readonly number[],
): Promise<Posted> {
  const answer = await request(ACTION, url, {
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
    },
    body: new URLSearchParams(form).toString(),
    ...(accept === undefined ? {} : { accept }),
  }, http);
  return { status: answer.status, answer: jsonAnswer(ACTION, answer) };
}

function promptOf(answer: JsonObject, expiresAt: Date): DevicePrompt {
  const userCode = text(answer, "user_code", 64);
  const verificationUri = page(answer, "verification_uri");
  const { verification_uri_complete: complete } = answer;
  return {
    verificationUri,
    ...(complete === undefined || complete === ""
      ? {}
      : { verificationUriComplete: page(answer, "verification_uri_complete") }),
    userCode,
    expiresAt,
  };
}

/** An address that a person is asked to open: a page of the web, and nothing that hides. */
function page(answer: JsonObject, name: string): string {
  const written = text(answer, name, 2048);
  const url = URL.canParse(written) ? new URL(written) : undefined;
  const isPage = url?.protocol === "https:" ||
    (url?.protocol === "http:" && isLoopback(url.hostname));
  if (!isPage || url.username + url.password !== "") {
    throw failed("malformed-response", `${name} is no address of a page`);
  }
  return url.href;
}

function text(answer: JsonObject, name: string, limit: number): string {
  const value = answer[name];
  if (
    typeof value === "string" && value !== "" && value.length <= limit &&
    printable(value, limit) === value
  ) return value;
  throw failed("malformed-response", `the answer has no usable ${name}`);
}

function positive(answer: JsonObject, name: string): number {
  const value = answer[name];
  if (typeof value === "number" && value > 0) return value;
  throw failed("malformed-response", `the answer has no usable ${name}`);
}

function checkIssuer(token: IdentityToken, issuer: string): IdentityToken {
  if (token.issuer === issuer) return token;
  throw failed(
    "response-mismatch",
    `the token is of ${quote(token.issuer)}, not of ${quote(issuer)}`,
  );
}

function httpOf(options: DeviceTokenOptions): HttpOptions {
  const {
    show: _show,
    clientId: _clientId,
    audience: _audience,
    now: _now,
    randomBytes: _randomBytes,
    ...http
  } = options;
  return { maxBytes: 256 << 10, ...http };
}

function random(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

function failed(reason: Reason, what: string): AttestationError {
  return new AttestationError(reason, `Cannot ${ACTION}: ${what}`);
}
