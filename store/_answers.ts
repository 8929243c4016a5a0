import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import { type Bytes, utf8 } from "../internal/bytes.ts";
import type { HttpAnswer, HttpOptions } from "../internal/http.ts";
import { type Json, printable, quote } from "../internal/json.ts";
import { CLAIM_LIMITS, contentId, readClaims, states, type SubjectKey } from "./claims.ts";
import type { StoredAttestation, StoreOptions } from "./store.ts";

/** An attestation that a service gave. */
export interface Given {
  /** Its bytes. */
  content: Uint8Array;
  /** Where it is from, for reports. */
  source: string;
}

/**
 * The attestations that are about the subject; what a service gives besides is noted. Each
 * once; undefined if there is none.
 */
export async function aboutSubject(
  given: AsyncIterable<Given> | Iterable<Given>,
  wanted: readonly SubjectKey[],
  { signal, onNote }: StoreOptions,
): Promise<StoredAttestation[] | undefined> {
  const found = new Map<string, StoredAttestation>();
  for await (const { content, source } of given) {
    signal?.throwIfAborted();
    let claims;
    try {
      claims = await readClaims(content, CLAIM_LIMITS);
    } catch (error) {
      if (!isAttestationError(error)) throw error;
      onNote?.({
        reason: error.reason,
        message: `Left out ${printable(source)}: ${error.message}`,
      });
      continue;
    }
    if (!states(claims, wanted)) {
      onNote?.({
        reason: "subject-mismatch",
        message: `Left out ${printable(source)}: it is about something else than was asked for`,
      });
      continue;
    }
    const id = await contentId(content);
    if (!found.has(id)) found.set(id, { id, content: new Uint8Array(content), source });
  }
  return found.size === 0 ? undefined : [...found.values()];
}

/** A member of an answer as an attestation of its own: nothing in it is signed as text. */
export function contentOf(value: Json): Bytes {
  return utf8(JSON.stringify(value));
}

/**
 * Runs the questions to a service: what fails is `store-unavailable` with its cause, an answer
 * above a limit stays `limit-exceeded`, and an abort is the signal's reason.
 *
 * @param own Further reasons that stay as they are.
 */
export async function asking<T>(
  store: string,
  signal: AbortSignal | undefined,
  run: () => Promise<T>,
  own: readonly Reason[] = [],
): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    signal?.throwIfAborted();
    if (!isAttestationError(cause)) throw cause;
    const { reason } = cause;
    if (reason === "limit-exceeded" || reason === "store-unavailable") throw cause;
    if (own.includes(reason)) throw cause;
    throw new AttestationError("store-unavailable", `Cannot ask ${quote(store)}`, { cause });
  }
}

/** Refuses an answer that is a page for people: a login, or a site that answers everything. */
export function refusePage(action: string, { headers, body, url }: HttpAnswer): void {
  const type = headers.get("content-type") ?? "";
  const start = new TextDecoder().decode(body.subarray(0, 256));
  if (
    !/^\s*(text\/html|application\/xhtml)/i.test(type) && !/^\s*<(!doctype|html|\?xml)/i.test(start)
  ) {
    return;
  }
  const { origin, pathname } = new URL(url);
  throw new AttestationError(
    "malformed-response",
    `Cannot ${action}: ${printable(`${origin}${pathname}`)} answered with a web page`,
  );
}

/** An address that has to be a URL from which others are made; without a slash at its end. */
export function baseAddress(what: string, address: string): string {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new TypeError(`${what} is no URL`);
  }
  if (!/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "") {
    throw new TypeError(`${what} is no https: address without query`);
  }
  if (url.username !== "" || url.password !== "") throw new TypeError(`${what} holds a password`);
  return url.href.replace(/\/+$/, "");
}

/** The members that requests take. */
export function httpOf(options: HttpOptions, signal: AbortSignal | undefined): HttpOptions {
  const { fetch, timeoutMs, retries, backoffMs, maxBytes, sleep } = options;
  const all = { fetch, timeoutMs, retries, backoffMs, maxBytes, sleep, signal };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
