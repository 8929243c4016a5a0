import { AttestationError, type Reason } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";
import {
  type HttpAnswer,
  type HttpOptions,
  type HttpRequest,
  isLoopback,
  request,
  requestStream,
} from "../../internal/http.ts";
import { isObject, parseJson, printable, quote } from "../../internal/json.ts";
import { nextLink } from "../_link.ts";
import { type Access, RegistryAuth } from "./_auth.ts";
import type { CredentialLookup } from "./credentials.ts";

/** How {@linkcode Connection} reaches its registry. */
export interface ConnectionOptions extends HttpOptions {
  credentials?: CredentialLookup;
  plainHosts?: readonly string[];
  now?: () => Date;
  onWarning?: (text: string) => void;
}

/** What is asked of a registry. */
export interface RegistryRequest extends Omit<HttpRequest, "plainHosts" | "words"> {
  /** Path below `/v2/NAME/`, or an address that the registry gave. */
  to: string | URL;
  /** Default `pull`. */
  access?: Access;
  /** Limits and signal of this request. */
  limits?: Pick<HttpOptions, "signal" | "maxBytes" | "timeoutMs">;
}

/** Statuses with a reason of their own. */
const REASONS: Readonly<Partial<Record<number, Reason>>> = {
  401: "registry-access-denied",
  403: "registry-access-denied",
  404: "image-not-found",
  413: "limit-exceeded",
  429: "registry-rate-limited",
};

/** The API of the default public registry is not on the host of its name. */
const API_HOSTS: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };

const MAX_REDIRECTS = 5;
/** 401 in answer to one request: without a token, with one that ended, with a new one. */
const MAX_CHALLENGES = 2;

/** Requests to one repository of a registry, authenticated as the registry asks for. */
export class Connection {
  /** Host and repository, for messages. */
  readonly name: string;
  readonly #origin: string;
  readonly #base: string;
  readonly #auth: RegistryAuth;
  readonly #options: ConnectionOptions;

  constructor(host: string, repository: string, options: ConnectionOptions) {
    const api = API_HOSTS[host] ?? host;
    const { hostname } = new URL(`https://${api}`);
    const { plainHosts = [], credentials, now = () => new Date() } = options;
    const isPlain = isLoopback(hostname) || plainHosts.includes(api) ||
      plainHosts.includes(hostname);
    this.name = `${host}/${repository}`;
    this.#origin = `${isPlain ? "http" : "https"}://${api}`;
    this.#base = `${this.#origin}/v2/${repository}/`;
    this.#options = options;
    this.#auth = new RegistryAuth({
      ...httpOptions(options),
      host,
      origin: this.#origin,
      repository,
      now,
      ...(credentials === undefined ? {} : { credentials }),
    });
  }

  ask(action: string, init: RegistryRequest): Promise<HttpAnswer> {
    return this.#exchange(action, init, request);
  }

  askStream(
    action: string,
    init: RegistryRequest,
  ): Promise<HttpAnswer<ReadableStream<Bytes>>> {
    return this.#exchange(action, init, requestStream);
  }

  /** The address of the next page, if there is one: of the same list, at the same origin. */
  nextPage(action: string, { headers, url }: HttpAnswer): URL | undefined {
    const next = nextLink(headers.get("link") ?? "");
    if (next === undefined) return undefined;
    const from = new URL(url);
    let target: URL;
    try {
      target = new URL(next, from);
    } catch {
      throw this.#fault("malformed-response", action, "the link to its next page is no address");
    }
    if (target.origin !== from.origin || target.pathname !== from.pathname) {
      const what = `its next page would be ${quote(`${target.origin}${target.pathname}`)}`;
      throw this.#fault("service-refused", action, what);
    }
    return target;
  }

  /** Where the upload goes on: an address that the registry gave, anywhere by https. */
  location(action: string, { headers, url }: HttpAnswer): URL {
    const stated = headers.get("location");
    try {
      if (stated !== null) return new URL(stated, url);
    } catch {
      // Falls through to the same refusal.
    }
    throw this.#fault("malformed-response", action, "it names no address to upload to");
  }

  async #exchange<Body>(
    action: string,
    init: RegistryRequest,
    run: (
      action: string,
      url: string,
      init: HttpRequest,
      options: HttpOptions,
    ) => Promise<HttpAnswer<Body>>,
  ): Promise<HttpAnswer<Body>> {
    const { to, access = "pull", limits, ...rest } = init;
    const url = to instanceof URL ? to : new URL(this.#base + to);
    const isOwn = url.origin === this.#origin;
    if (this.#origin.startsWith("https:") && url.protocol !== "https:") {
      const what = `it sends on to ${quote(url.origin)}, which is not reached by https`;
      throw this.#fault("service-refused", action, what);
    }
    const plainHosts = this.#options.plainHosts;
    const options = { ...httpOptions(this.#options), ...limits };
    let header = isOwn ? this.#auth.header(access) : undefined;
    for (let challenges = 0;; challenges++) {
      const isLast = !isOwn || challenges === MAX_CHALLENGES;
      const answer = await run(action, url.href, {
        redirects: MAX_REDIRECTS,
        ...rest,
        headers: { ...rest.headers, ...(header === undefined ? {} : { authorization: header }) },
        accept: [...(rest.accept ?? [200]), ...(isLast ? [] : [401])],
        unread: [401],
        reasons: { ...REASONS, ...rest.reasons },
        words: registryWords,
        ...(plainHosts === undefined ? {} : { plainHosts }),
      }, options);
      this.#surface(answer.headers);
      if (answer.status !== 401 || isLast) return answer;
      if (answer.body instanceof ReadableStream) await answer.body.cancel().catch(() => {});
      // Where a redirect leads must not learn what the registry is trusted with.
      const isStrange = new URL(answer.url).origin !== this.#origin;
      const next = isStrange
        ? undefined
        : await this.#auth.answer(answer.headers.get("www-authenticate"), access, header);
      if (next === undefined) throw this.#denied(action, header, isStrange);
      header = next;
    }
  }

  #denied(action: string, sent: string | undefined, isStrange: boolean): AttestationError {
    const what = isStrange
      ? "it redirects to a host that asks for credentials"
      : sent === undefined
      ? "it asks for credentials, and there are none for this host"
      : "it does not accept the credentials for this host";
    return this.#fault("registry-access-denied", action, what);
  }

  #surface(headers: Headers): void {
    const { onWarning } = this.#options;
    const warning = headers.get("warning");
    if (warning === null || onWarning === undefined) return;
    // Source: OCI distribution specification 1.1, "Warnings": 299 - "text".
    const texts = [...warning.slice(0, 4096).matchAll(/\b299 - "((?:[^"\\]|\\.)*)"/g)];
    for (const [, text] of texts.slice(0, 8)) {
      onWarning(printable(text.replace(/\\(.)/g, "$1"), 200));
    }
  }

  #fault(reason: Reason, action: string, what: string): AttestationError {
    return new AttestationError(reason, `Cannot ${action}: ${what}`);
  }
}

/** Only what a request takes, of options that hold more. */
function httpOptions(options: ConnectionOptions): HttpOptions {
  const { fetch, timeoutMs, retries, backoffMs, signal, maxBytes, sleep } = options;
  const all = { fetch, timeoutMs, retries, backoffMs, signal, maxBytes, sleep };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Codes and messages of a registry's error. Source: OCI distribution specification, "Errors". */
export function registryWords(body: Bytes): string | undefined {
  try {
    const document = parseJson(body, { maxLength: 65_536, maxDepth: 16 });
    if (!isObject(document) || !Array.isArray(document.errors)) return undefined;
    const texts = document.errors.filter(isObject).slice(0, 4).map(({ code, message }) =>
      [code, message].filter((part) => typeof part === "string" && part !== "").join(": ")
    );
    return texts.join("; ");
  } catch {
    return undefined;
  }
}
