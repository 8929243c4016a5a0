import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import { asBytes, type Bytes, concat } from "./bytes.ts";
import { decodeUtf8, isObject, type JsonObject, parseJson, printable } from "./json.ts";

/** The part of `fetch` that requests need. */
export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

/** How services are asked. */
export interface HttpOptions {
  /** Default: the runtime's `fetch`. */
  fetch?: Fetch;
  /** Milliseconds for each try, its answer's body included. Default 30 000. */
  timeoutMs?: number;
  /** Further tries after a failure that may pass. Default 3. */
  retries?: number;
  /** Milliseconds before the second try; each further wait is twice as long. Default 500. */
  backoffMs?: number;
  /** Stops the work. */
  signal?: AbortSignal;
  /** Bytes of an answer's body. Default 4 MiB. */
  maxBytes?: number;
  /** Waits between two tries. Default: a timer. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Names of the members of {@linkcode HttpOptions}, for those who check option names. */
export const HTTP_OPTIONS: readonly string[] = [
  "fetch",
  "timeoutMs",
  "retries",
  "backoffMs",
  "signal",
  "maxBytes",
  "sleep",
];

/** What is asked. */
export interface HttpRequest {
  /** Default GET, or POST with a body. */
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array | string;
  /** Statuses that are an answer; every other one is an error. Default 200 to 299. */
  accept?: readonly number[];
  /** Whether a failure that may pass is tried again. Default true. */
  retryable?: boolean;
  /** Hosts of the machine's own platform that are reached without TLS. Default none. */
  plainHosts?: readonly string[];
}

/** What was answered. */
export interface HttpAnswer {
  status: number;
  headers: Headers;
  body: Bytes;
  /** The address that was asked. */
  url: string;
  /** Of an earlier try, which the service may have served though its answer was lost. */
  earlier?: AttestationError;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_RETRIES = 3;
const DEFAULT_BACKOFF_MS = 500;
const DEFAULT_MAX_BYTES = 4 << 20;
/** Longest wait between two tries, whatever a service asks for. */
const MAX_WAIT_MS = 30_000;

/**
 * Asks a service, with limits of time and size, and again when a failure may pass.
 *
 * Nothing follows a redirect: tokens and bodies reach the address that was given or none.
 * No header and no part of the body gets into a message, also when the service repeats it.
 *
 * @param action What is done, in words that follow "Cannot": `ask for a certificate`.
 * @param url `https:`, or `http:` to a loopback address.
 * @throws {AttestationError} `service-unavailable` (no answer, 408, 429, 5xx after all
 * tries), `service-refused` (other statuses, redirects, an address that is not safe),
 * `malformed-response` (an answer cut short), `limit-exceeded`, `aborted`.
 */
export async function request(
  action: string,
  url: string,
  init: HttpRequest,
  options: HttpOptions,
): Promise<HttpAnswer> {
  const target = checkAddress(action, url, init.plainHosts);
  const { retries = DEFAULT_RETRIES, backoffMs = DEFAULT_BACKOFF_MS, signal } = options;
  const sleep = options.sleep ?? timer;
  let earlier: AttestationError | undefined;
  for (let attempt = 0;; attempt++) {
    refuseAborted(action, signal);
    const outcome = await tryOnce(action, target, init, options);
    if ("answer" in outcome) {
      return earlier === undefined ? outcome.answer : { ...outcome.answer, earlier };
    }
    if (!outcome.mayPass || init.retryable === false || attempt >= retries) throw outcome.error;
    earlier = outcome.error;
    const wait = backoffMs * 2 ** Math.min(attempt, 16) * (0.5 + Math.random() / 2);
    await sleep(Math.min(Math.max(wait, outcome.retryAfterMs ?? 0), MAX_WAIT_MS), signal);
  }
}

/**
 * The answer as a JSON object, read strictly.
 *
 * @throws {AttestationError} `malformed-response`.
 */
export function jsonAnswer(action: string, { body, url }: HttpAnswer): JsonObject {
  const what = `Cannot ${action}: ${place(new URL(url))} answered`;
  try {
    const value = parseJson(body, { maxLength: Math.max(body.length, 1), maxDepth: 32 });
    if (isObject(value)) return value;
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    // The reason is enough: the parser's message may quote a part of the answer.
    throw new AttestationError("malformed-response", `${what} no JSON: ${cause.reason}`);
  }
  throw new AttestationError("malformed-response", `${what} JSON that is no object`);
}

function checkAddress(action: string, url: string, plainHosts: readonly string[] = []): URL {
  let target: URL;
  try {
    target = new URL(url);
  } catch {
    throw refusal("service-refused", action, "the address is no URL");
  }
  const { protocol, hostname } = target;
  const isPlain = protocol === "http:" && (isLoopback(hostname) || plainHosts.includes(hostname));
  if (protocol !== "https:" && !isPlain) {
    throw refusal("service-refused", action, `${place(target)} is not reached by https`);
  }
  if (target.username !== "" || target.password !== "") {
    throw refusal("service-refused", action, "the address holds a password");
  }
  return target;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

/** An address for messages: without its query, which may hold what is secret. */
function place({ origin, pathname }: URL): string {
  return printable(`${origin}${pathname}`, 200);
}

type Outcome = { answer: HttpAnswer } | {
  error: AttestationError;
  mayPass: boolean;
  retryAfterMs?: number;
};

async function tryOnce(
  action: string,
  target: URL,
  init: HttpRequest,
  options: HttpOptions,
): Promise<Outcome> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_MAX_BYTES, signal } = options;
  const { headers = {}, body } = init;
  const limit = new TimeLimit(timeoutMs, signal);
  let response: Response | undefined;
  try {
    const fetched: Fetch = options.fetch ?? ((input, setup) => fetch(input, setup));
    response = await limit.race(fetched(target.href, {
      method: init.method ?? (body === undefined ? "GET" : "POST"),
      headers: { "accept-encoding": "identity", ...headers },
      redirect: "manual",
      signal: limit.signal,
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : asBytes(body) }),
    }));
    const { status } = response;
    if (response.type === "opaqueredirect" || (status >= 300 && status < 400)) {
      const what = `${place(target)} redirects to another address, which is not followed`;
      return { error: refusal("service-refused", action, what), mayPass: false };
    }
    const accepted = init.accept?.includes(status) ?? (status >= 200 && status < 300);
    const content = await readBody(response, maxBytes, limit);
    if (content === "too long") {
      if (!accepted) return statusOutcome(action, target, init, response, new Uint8Array());
      const what = `${place(target)} answered with more than ${maxBytes} bytes`;
      return { error: refusal("limit-exceeded", action, what), mayPass: false };
    }
    if (!accepted) return statusOutcome(action, target, init, response, content);
    if (isCutShort(response.headers, content.length)) return cutShort(action, target);
    return { answer: { status, headers: response.headers, body: content, url: target.href } };
  } catch (cause) {
    refuseAborted(action, signal);
    if (limit.isOver) {
      const what = `${place(target)} did not answer within ${timeoutMs} ms`;
      return { error: refusal("service-unavailable", action, what), mayPass: true };
    }
    if (response?.ok) return cutShort(action, target);
    const what = `no answer from ${place(target)}: ${describe(cause, init)}`;
    return { error: refusal("service-unavailable", action, what), mayPass: true };
  } finally {
    limit.clear();
    // Of an answer that is not read to its end the connection would stay open.
    if (response?.body && !response.body.locked) response.body.cancel().catch(() => {});
  }
}

function cutShort(action: string, target: URL): Outcome {
  const what = `the answer of ${place(target)} is cut short`;
  return { error: refusal("malformed-response", action, what), mayPass: true };
}

function isCutShort(headers: Headers, length: number): boolean {
  const stated = headers.get("content-length");
  return headers.get("content-encoding") === null && stated !== null &&
    /^\d{1,15}$/.test(stated) && length < Number(stated);
}

function statusOutcome(
  action: string,
  target: URL,
  init: HttpRequest,
  { status, headers }: Response,
  body: Bytes,
): Outcome {
  const mayPass = status === 408 || status === 429 || status >= 500;
  const text = cleaned(body, init);
  const what = `${place(target)} answered with status ${status}` +
    (text === "" ? "" : `: ${text}`);
  const error = refusal(mayPass ? "service-unavailable" : "service-refused", action, what);
  return { error, mayPass, retryAfterMs: retryAfter(headers) };
}

/** Milliseconds of `Retry-After`: seconds, or a date, which the answer's own date dates. */
function retryAfter(headers: Headers): number | undefined {
  const stated = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,9}$/.test(stated)) return Number(stated) * 1000;
  const wait = Date.parse(stated) - Date.parse(headers.get("date") ?? "");
  return Number.isFinite(wait) && wait > 0 ? wait : undefined;
}

async function readBody(
  response: Response,
  maxBytes: number,
  limit: TimeLimit,
): Promise<Bytes | "too long"> {
  const stated = response.headers.get("content-length");
  if (stated !== null && /^\d+$/.test(stated) && Number(stated) > maxBytes) return "too long";
  if (response.body === null) return new Uint8Array();
  const reader = response.body.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await limit.race(reader.read());
      if (done) return concat(...parts);
      length += value.length;
      if (length > maxBytes) return "too long";
      parts.push(value);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Start of an answer for a message: one line, without anything that the request held. */
function cleaned(body: Bytes, init: HttpRequest): string {
  let text: string;
  try {
    text = decodeUtf8(body.subarray(0, 1024));
  } catch {
    text = new TextDecoder().decode(body.subarray(0, 1024));
  }
  return printable(withoutSecrets(text, init).replace(/\s+/g, " ").trim(), 200);
}

/** Shortest run of a request's characters that is not repeated in a message. */
const SECRET_LENGTH = 12;

/**
 * A text of the service or the runtime, with everything that looks like a token, and every
 * longer run that stands in the request as well, left out. A service that repeats what it
 * refuses would otherwise carry a token into a log.
 */
function withoutSecrets(text: string, { headers = {}, body = "" }: HttpRequest): string {
  const clean = text.replace(/eyJ[\w-]{4,}(\.[\w-]*)*/g, "…");
  const sent = [
    ...Object.values(headers),
    typeof body === "string" ? body.slice(0, 64 << 10) : "",
  ].join("\n");
  let result = "";
  for (let i = 0; i < clean.length;) {
    let end = i + SECRET_LENGTH;
    if (end > clean.length || !sent.includes(clean.slice(i, end))) {
      result += clean[i++];
      continue;
    }
    while (end < clean.length && sent.includes(clean.slice(i, end + 1))) end++;
    result += "…";
    i = end;
  }
  return result;
}

/** The runtime's words for a failed connection; they may quote a header that it refused. */
function describe(cause: unknown, init: HttpRequest): string {
  const errors = [cause, cause instanceof Error ? cause.cause : undefined];
  const texts = errors.flatMap((one) => one instanceof Error ? [one.message] : []);
  const text = texts.join(": ").replace(/\(?https?:\/\/\S+/g, "").replace(/\s+/g, " ").trim();
  return text === "" ? "the connection failed" : printable(withoutSecrets(text, init), 160);
}

/** One try's time, which the caller's signal may end earlier. */
class TimeLimit {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #ended: Promise<never>;
  #timeout: ReturnType<typeof setTimeout> | undefined;
  readonly #stop = () => this.#controller.abort();
  isOver = false;

  constructor(ms: number, outer: AbortSignal | undefined) {
    this.#outer = outer;
    this.#timeout = setTimeout(() => {
      this.isOver = true;
      this.#controller.abort();
    }, ms);
    this.#ended = new Promise((_, reject) => {
      this.signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true });
    });
    this.#ended.catch(() => {});
    outer?.addEventListener("abort", this.#stop, { once: true });
    if (outer?.aborted) this.#stop();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Not every `fetch` that is passed in looks at its signal. */
  race<T>(work: Promise<T>): Promise<T> {
    work.catch(() => {});
    return Promise.race([work, this.#ended]);
  }

  clear(): void {
    clearTimeout(this.#timeout);
    this.#outer?.removeEventListener("abort", this.#stop);
  }
}

function refuseAborted(action: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw refusal("aborted", action, "the caller stopped it");
}

/** Waits, or until the signal. */
export function timer(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timeout);
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const timeout = setTimeout(finish, ms);
    signal?.addEventListener("abort", finish, { once: true });
    if (signal?.aborted) finish();
  });
}

function refusal(reason: Reason, action: string, what: string): AttestationError {
  return new AttestationError(reason, `Cannot ${action}: ${what}`);
}
