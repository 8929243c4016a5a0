import { AttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encodeBase64 } from "../../internal/base64.ts";
import {
  type HttpOptions,
  type HttpRequest,
  isLoopback,
  jsonAnswer,
  request,
} from "../../internal/http.ts";
import { quote } from "../../internal/json.ts";
import { parseAuthChallenges } from "./challenge.ts";
import type { CredentialLookup, RegistryCredentials } from "./credentials.ts";

/** What a request needs: reading, or reading and writing. */
export type Access = "pull" | "pull,push";

/** Whom {@linkcode RegistryAuth} answers for. */
export interface AuthOptions extends HttpOptions {
  /** Host as the user named it, which credentials are looked up by. */
  host: string;
  /** Origin of the registry. */
  origin: string;
  repository: string;
  credentials?: CredentialLookup;
  now: () => Date;
}

/** Seconds that a token lives when its service does not say. Source: token authentication. */
const DEFAULT_LIFETIME = 60;
const MAX_LIFETIME = 86_400;
/** A token that is about to end is not sent any more. */
const LEEWAY_MS = 5000;
const CLIENT_ID = "x-attest";

interface Token {
  header: string;
  endsAt: number;
}

/**
 * Answers what a registry asks for, for one repository: nothing, Basic or a bearer token.
 *
 * Credentials of a host go to that host, and to the token service that exactly this host
 * names by https; never to a host that somebody else names.
 *
 * Source: RFC 7617; Docker registry v2, token authentication and OAuth 2.
 */
export class RegistryAuth {
  readonly #options: AuthOptions;
  readonly #tokens = new Map<Access, Token>();
  readonly #pending = new Map<Access, Promise<string>>();
  #basic: string | undefined;
  #found: Promise<RegistryCredentials | undefined> | undefined;

  constructor(options: AuthOptions) {
    this.#options = options;
  }

  /** The header to send, as far as one is known to be wanted. */
  header(access: Access): string | undefined {
    if (this.#basic !== undefined) return this.#basic;
    const now = this.#options.now().getTime();
    // A token that may push may pull as well.
    for (const wanted of [access, "pull,push"] as const) {
      const token = this.#tokens.get(wanted);
      if (token !== undefined && token.endsAt - LEEWAY_MS > now) return token.header;
    }
    return undefined;
  }

  /**
   * The header that answers a challenge; undefined if the one that was `sent` is all there is.
   *
   * @throws {AttestationError} `registry-auth-refused`, `registry-access-denied`, and what the
   * token service fails with.
   */
  async answer(
    challenge: string | null,
    access: Access,
    sent: string | undefined,
  ): Promise<string | undefined> {
    const challenges = parseAuthChallenges(challenge ?? "");
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    const header = bearer !== undefined
      ? await this.#bearer(bearer.parameters, access, sent)
      : challenges.some(({ scheme }) => scheme === "basic")
      ? await this.#useBasic()
      : this.#refuse("no way to authenticate that is known is offered");
    return header === sent ? undefined : header;
  }

  async #useBasic(): Promise<string | undefined> {
    const found = await this.#credentials();
    if (found === undefined) return undefined;
    if (!("username" in found)) this.#refuse("Basic is asked for, and only a token is at hand");
    return this.#basic = basicHeader(found as { username: string; password: string });
  }

  async #bearer(
    parameters: ReadonlyMap<string, string>,
    access: Access,
    sent: string | undefined,
  ): Promise<string | undefined> {
    const found = await this.#credentials();
    if (found !== undefined && "token" in found) {
      if (!/^[!-~]+$/.test(found.token)) this.#refuse("the token holds blanks or controls");
      const header = `Bearer ${found.token}`;
      this.#tokens.set("pull,push", { header, endsAt: Infinity });
      return header;
    }
    const known = this.header(access);
    // Another request may have got a token while this one was on its way.
    if (known !== undefined && known !== sent) return known;
    for (const [name, { header }] of this.#tokens) if (header === sent) this.#tokens.delete(name);
    const pending = this.#pending.get(access) ??
      this.#fetchToken(parameters, access, found).finally(() => this.#pending.delete(access));
    this.#pending.set(access, pending);
    return await pending;
  }

  async #fetchToken(
    parameters: ReadonlyMap<string, string>,
    access: Access,
    found: RegistryCredentials | undefined,
  ): Promise<string> {
    const { host, repository, now } = this.#options;
    const action = `get a token for ${host}/${repository}`;
    const realm = this.#realm(parameters.get("realm"));
    const query = new URLSearchParams();
    const service = parameters.get("service");
    if (service !== undefined) query.set("service", service);
    // Never the scope that the registry names: a token is asked for what is needed.
    query.set("scope", `repository:${repository}:${access}`);
    const init: HttpRequest = {
      reasons: {
        400: "registry-access-denied",
        401: "registry-access-denied",
        403: "registry-access-denied",
        429: "registry-rate-limited",
      },
      ...(realm.protocol === "http:" ? { plainHosts: [realm.host] } : {}),
    };
    let url = realm.href;
    if (found !== undefined && "identityToken" in found) {
      query.set("grant_type", "refresh_token");
      query.set("client_id", CLIENT_ID);
      query.set("refresh_token", found.identityToken);
      init.headers = { "content-type": "application/x-www-form-urlencoded" };
      init.body = query.toString();
    } else {
      query.set("client_id", CLIENT_ID);
      for (const [name, value] of query) realm.searchParams.append(name, value);
      url = realm.href;
      if (found !== undefined && "username" in found) {
        init.headers = { authorization: basicHeader(found) };
      }
    }
    const answer = await request(action, url, init, { ...this.#options, maxBytes: 1 << 20 });
    const reply = jsonAnswer(action, answer);
    const token = reply.token ?? reply.access_token;
    if (typeof token !== "string" || !/^[!-~]{1,65536}$/.test(token)) {
      throw new AttestationError(
        "malformed-response",
        `Cannot ${action}: ${quote(realm.host)} answered without a token`,
      );
    }
    const stated = reply.expires_in;
    const seconds = typeof stated === "number" && stated > 0
      ? Math.min(stated, MAX_LIFETIME)
      : DEFAULT_LIFETIME;
    const header = `Bearer ${token}`;
    this.#tokens.set(access, { header, endsAt: now().getTime() + seconds * 1000 });
    return header;
  }

  /** Where tokens are to be had: https, or plain where the registry itself is plain. */
  #realm(realm: string | undefined): URL {
    const { origin } = this.#options;
    let url: URL;
    try {
      url = new URL(realm ?? "");
    } catch {
      return this.#refuse(`its token service ${quote(realm ?? "")} is no address`);
    }
    const { host, hostname, protocol, username, password } = url;
    const registry = new URL(origin);
    const isNear = host === registry.host ||
      (isLoopback(hostname) && isLoopback(registry.hostname));
    const isPlain = protocol === "http:" && registry.protocol === "http:" && isNear;
    if ((protocol !== "https:" && !isPlain) || username !== "" || password !== "") {
      this.#refuse(`its token service ${quote(url.origin)} is not reached by https`);
    }
    url.hash = "";
    return url;
  }

  #credentials(): Promise<RegistryCredentials | undefined> {
    return this.#found ??= this.#options.credentials?.(this.#options.host) ??
      Promise.resolve(undefined);
  }

  #refuse(what: string): never {
    throw new AttestationError(
      "registry-auth-refused",
      `Cannot authenticate to ${quote(this.#options.host)}: ${what}`,
    );
  }
}

function basicHeader({ username, password }: { username: string; password: string }): string {
  return `Basic ${encodeBase64(utf8(`${username}:${password}`))}`;
}
