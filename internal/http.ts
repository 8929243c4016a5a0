import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import { asBytes, type Bytes, concat } from "./bytes.ts";
import { cleaned, describe, place } from "./http_words.ts";
import { isObject, type JsonObject, parseJson } from "./json.ts";
import { TimeLimit } from "./time_limit.ts";
import { timer } from "./timer.ts";

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
  /** A stream is opened for each try. */
  body?: Uint8Array | string | (() => Promise<ReadableStream<Uint8Array>>);
  /** Statuses that are an answer; every other one is an error. Default 200 to 299. */
  accept?: readonly number[];
  /** Of those, statuses whose body is not read: it may be larger than what is asked for. */
  unread?: readonly number[];
  /** Whether a failure that may pass is tried again. Default true. */
  retryable?: boolean;
  /** Hosts, with or without port, that may be reached without TLS. Default none. */
  plainHosts?: readonly string[];
  /** Redirects of a GET or HEAD that are followed. Default 0: a redirect is an error. */
  redirects?: number;
  /** Reasons of statuses. Default: `service-unavailable` if it may pass, else `service-refused`. */
  reasons?: Readonly<Partial<Record<number, Reason>>>;
  /** What the body of an error says, for messages. Default: its start, as it is. */
  words?: (body: Bytes) => string | undefined;
}

/** What was answered. */
export interface HttpAnswer<Body = Bytes> {
  status: number;
  headers: Headers;
  body: Body;
  /** The address that answered: the one that was asked, or where that redirected to. */
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
 * Unless `redirects` says so nothing follows a redirect: tokens and bodies reach the address
 * that was given or none. A redirect that is followed never leads from https to http, and
 * another origin gets no header that could hold a credential.
 * No header and no part of the body gets into a message, also when the service repeats it.
 *
 * @param action What is done, in words that follow "Cannot": `ask for a certificate`.
 * @param url `https:`, or `http:` to a loopback address.
 * @throws {AttestationError} `service-unavailable` (no answer, 408, 429, 5xx after all
 * tries), `service-refused` (other statuses, redirects, an address that is not safe),
 * `malformed-response` (an answer cut short), `limit-exceeded`, `aborted`.
 */
export function request(
  action: string,
  url: string,
  init: HttpRequest,
  options: HttpOptions,
): Promise<HttpAnswer> {
  return repeat(action, url, init, options, readWhole);
}

/**
 * {@linkcode request}, whose answer's body is a stream that keeps the limits to its end. A
 * failure in the middle is an error of the stream, and is not tried again.
 */
export function requestStream(
  action: string,
  url: string,
  init: HttpRequest,
  options: HttpOptions,
): Promise<HttpAnswer<ReadableStream<Bytes>>> {
  return repeat(action, url, init, options, handOver);
}

async function repeat<Body>(
  action: string,
  url: string,
  init: HttpRequest,
  options: HttpOptions,
  read: (exchange: Exchange) => Promise<Body | undefined>,
): Promise<HttpAnswer<Body>> {
  const target = checkAddress(action, url, init.plainHosts);
  const { retries = DEFAULT_RETRIES, backoffMs = DEFAULT_BACKOFF_MS, signal } = options;
  const sleep = options.sleep ?? timer;
  let earlier: AttestationError | undefined;
  for (let attempt = 0;; attempt++) {
    refuseAborted(action, signal);
    const outcome = await tryOnce({ action, init, options, target }, read);
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
  const { protocol, hostname, port } = target;
  const isPlain = protocol === "http:" && (isLoopback(hostname) ||
    plainHosts.includes(hostname) || plainHosts.includes(`${hostname}:${port || "80"}`));
  if (protocol !== "https:" && !isPlain) {
    throw refusal("service-refused", action, `${place(target)} is not reached by https`);
  }
  if (target.username !== "" || target.password !== "") {
    throw refusal("service-refused", action, "the address holds a password");
  }
  return target;
}

/** Tells whether the host name of a URL is this machine, whatever a resolver says. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

/** What is asked, and how. */
interface Asked {
  action: string;
  init: HttpRequest;
  options: HttpOptions;
  target: URL;
}

/** An answer whose body is still to come. */
interface Exchange extends Asked {
  response: Response;
  limit: TimeLimit;
  maxBytes: number;
}

type Outcome<Body> = { answer: HttpAnswer<Body> } | {
  error: AttestationError;
  mayPass: boolean;
  retryAfterMs?: number;
};

/** One try; `read` answers undefined for a body that is cut short. */
async function tryOnce<Body>(
  asked: Asked,
  read: (exchange: Exchange) => Promise<Body | undefined>,
): Promise<Outcome<Body>> {
  const { action, init, options } = asked;
  const { timeoutMs = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_MAX_BYTES, signal } = options;
  const limit = new TimeLimit(timeoutMs, signal, options.fetch !== undefined);
  let { target } = asked;
  let response: Response | undefined;
  let body: Body | undefined;
  try {
    let headers = { "accept-encoding": "identity", ...init.headers };
    for (let hops = 0;; hops++) {
      response = await limit.race(send(target, headers, asked, limit));
      const { status } = response;
      const location = response.headers.get("location");
      if (response.type !== "opaqueredirect" && (status < 300 || status >= 400)) break;
      const follows = hops < (init.redirects ?? 0) && location !== null &&
        isFollowed(status, init);
      if (!follows) {
        const what = `${place(target)} redirects to another address, which is not followed`;
        return { error: refusal("service-refused", action, what), mayPass: false };
      }
      response.body?.cancel().catch(() => {});
      const next = nextAddress(asked, target, location);
      if (next.origin !== target.origin) headers = withoutCredentials(headers);
      target = next;
    }
    const { status } = response;
    const exchange = { ...asked, target, response, limit, maxBytes };
    if (!(init.accept?.includes(status) ?? (status >= 200 && status < 300))) {
      const text = await readBody(exchange).catch((cause) => {
        if (cause instanceof TooLong) return new Uint8Array();
        throw cause;
      });
      return statusOutcome(exchange, text);
    }
    body = await read(exchange);
    if (body === undefined) return cutShort(action, target);
    return { answer: { status, headers: response.headers, body, url: target.href } };
  } catch (cause) {
    if (isAttestationError(cause)) return { error: cause, mayPass: false };
    refuseAborted(action, signal);
    if (cause instanceof TooLong) return { error: tooLong(action, target, cause), mayPass: false };
    if (limit.isOver) return { error: tooLate(action, target, timeoutMs), mayPass: true };
    if (response?.ok) return cutShort(action, target);
    const what = `no answer from ${place(target)}: ${describe(cause, init)}`;
    return { error: refusal("service-unavailable", action, what), mayPass: true };
  } finally {
    if (!(body instanceof ReadableStream)) {
      limit.clear();
      // Of an answer that is not read to its end the connection would stay open.
      if (response?.body && !response.body.locked) response.body.cancel().catch(() => {});
    }
  }
}

async function send(
  target: URL,
  headers: Readonly<Record<string, string>>,
  { init, options }: Asked,
  { signal }: TimeLimit,
): Promise<Response> {
  const fetched: Fetch = options.fetch ?? ((input, setup) => fetch(input, setup));
  const { body } = init;
  const setup: RequestInit & { duplex?: "half" } = {
    method: methodOf(init),
    headers,
    redirect: "manual",
    signal,
  };
  if (typeof body === "function") Object.assign(setup, { body: await body(), duplex: "half" });
  else if (body !== undefined) setup.body = typeof body === "string" ? body : asBytes(body);
  return await fetched(target.href, setup);
}

function methodOf({ method, body }: HttpRequest): string {
  return method ?? (body === undefined ? "GET" : "POST");
}

function isFollowed(status: number, init: HttpRequest): boolean {
  return [301, 302, 303, 307, 308].includes(status) && ["GET", "HEAD"].includes(methodOf(init));
}

function nextAddress({ action, init }: Asked, from: URL, location: string): URL {
  const plainHosts = from.protocol === "https:" ? undefined : init.plainHosts;
  let next: URL;
  try {
    next = new URL(location, from);
  } catch {
    throw refusal("service-refused", action, `${place(from)} redirects to what is no URL`);
  }
  if (from.protocol === "https:" && next.protocol !== "https:") {
    const what = `${place(from)} redirects to ${place(next)}, which is not reached by https`;
    throw refusal("service-refused", action, what);
  }
  return checkAddress(action, next.href, plainHosts);
}

/** Headers that another origin may see. */
const HARMLESS: readonly string[] = ["accept", "accept-encoding", "range"];

function withoutCredentials<T extends Record<string, string>>(headers: T): T {
  const kept = Object.entries(headers).filter(([name]) => HARMLESS.includes(name.toLowerCase()));
  return Object.fromEntries(kept) as T;
}

/** A body with more bytes than are accepted. */
class TooLong extends Error {
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super("too long");
    this.maxBytes = maxBytes;
  }
}

function tooLong(action: string, target: URL, { maxBytes }: TooLong): AttestationError {
  const what = `${place(target)} answered with more than ${maxBytes} bytes`;
  return refusal("limit-exceeded", action, what);
}

function tooLate(action: string, target: URL, timeoutMs: number): AttestationError {
  const what = `${place(target)} did not answer within ${timeoutMs} ms`;
  return refusal("service-unavailable", action, what);
}

function cutShort(action: string, target: URL): { error: AttestationError; mayPass: boolean } {
  const what = `the answer of ${place(target)} is cut short`;
  return { error: refusal("malformed-response", action, what), mayPass: true };
}

function isUnread({ init, response: { status } }: Exchange): boolean {
  return init.method === "HEAD" || init.unread?.includes(status) === true;
}

function isCutShort(exchange: Exchange, length: number): boolean {
  const { headers } = exchange.response;
  const stated = headers.get("content-length");
  return !isUnread(exchange) && headers.get("content-encoding") === null && stated !== null &&
    /^\d{1,15}$/.test(stated) && length < Number(stated);
}

function statusOutcome(
  { action, target, init, response: { status, headers } }: Exchange,
  body: Bytes,
): { error: AttestationError; mayPass: boolean; retryAfterMs?: number } {
  const mayPass = status === 408 || status === 429 || status >= 500;
  const text = cleaned(body, init);
  const what = `${place(target)} answered with status ${status}` +
    (text === "" ? "" : `: ${text}`);
  const reason = init.reasons?.[status] ?? (mayPass ? "service-unavailable" : "service-refused");
  return { error: refusal(reason, action, what), mayPass, retryAfterMs: retryAfter(headers) };
}

/** Milliseconds of `Retry-After`: seconds, or a date, which the answer's own date dates. */
function retryAfter(headers: Headers): number | undefined {
  const stated = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,9}$/.test(stated)) return Number(stated) * 1000;
  const wait = Date.parse(stated) - Date.parse(headers.get("date") ?? "");
  return Number.isFinite(wait) && wait > 0 ? wait : undefined;
}

async function readWhole(exchange: Exchange): Promise<Bytes | undefined> {
  const body = await readBody(exchange);
  return isCutShort(exchange, body.length) ? undefined : body;
}

async function readBody(exchange: Exchange): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  for await (const part of chunks(exchange)) parts.push(part);
  return concat(...parts);
}

/** The body as a stream; the time limit ends with it. */
function handOver(exchange: Exchange): Promise<ReadableStream<Bytes>> {
  const { action, target, options: { timeoutMs = DEFAULT_TIMEOUT_MS, signal }, limit } = exchange;
  const source = chunks(exchange);
  let length = 0;
  const fault = (cause: unknown): AttestationError => {
    if (signal?.aborted) return refusal("aborted", action, "the caller stopped it");
    if (cause instanceof TooLong) return tooLong(action, target, cause);
    return limit.isOver ? tooLate(action, target, timeoutMs) : cutShort(action, target).error;
  };
  const stream = new ReadableStream<Bytes>({
    async pull(controller) {
      try {
        const { done, value } = await source.next();
        if (!done) {
          length += value.length;
          return controller.enqueue(asBytes(value));
        }
        limit.clear();
        if (isCutShort(exchange, length)) throw cutShort(action, target).error;
        controller.close();
      } catch (cause) {
        limit.clear();
        controller.error(isAttestationError(cause) ? cause : fault(cause));
      }
    },
    async cancel() {
      limit.clear();
      await source.return(undefined);
      // A generator that never began has no reader that it could cancel.
      if (exchange.response.body?.locked === false) await exchange.response.body.cancel();
    },
  }, { highWaterMark: 0 });
  return Promise.resolve(stream);
}

/** The body piece by piece, within the limits of time and size. */
async function* chunks(exchange: Exchange): AsyncGenerator<Uint8Array, undefined> {
  const { response: { headers, body }, limit, maxBytes } = exchange;
  if (isUnread(exchange)) return;
  const stated = headers.get("content-length");
  if (stated !== null && /^\d+$/.test(stated) && Number(stated) > maxBytes) {
    throw new TooLong(maxBytes);
  }
  if (body === null) return;
  const reader = body.getReader();
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await limit.race(reader.read());
      if (done) return;
      length += value.length;
      if (length > maxBytes) throw new TooLong(maxBytes);
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function refuseAborted(action: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw refusal("aborted", action, "the caller stopped it");
}

function refusal(reason: Reason, action: string, what: string): AttestationError {
  return new AttestationError(reason, `Cannot ${action}: ${what}`);
}
