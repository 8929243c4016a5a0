import { AttestationError } from "../errors.ts";
import { type Bytes, concat } from "../internal/bytes.ts";

/** How a body is read. */
export interface BodyLimits {
  /** Bytes at most. */
  maxBytes: number;
  /** Milliseconds until the last byte must be there. */
  timeoutMs: number;
}

/**
 * The body of a request, within limits of size and time. Of one that is too large the rest is
 * read for a while without being kept: a caller who still sends hears no answer.
 *
 * @throws {AttestationError} `limit-exceeded`, `request-timeout`, `aborted` if the caller went.
 */
export async function readBody(request: Request, limits: BodyLimits): Promise<Bytes> {
  const { maxBytes, timeoutMs } = limits;
  const { body } = request;
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), timeoutMs);
  });
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    const stated = Number(request.headers.get("content-length") ?? 0);
    while (true) {
      const next = await Promise.race([reader.read(), end]);
      if (next === "late") {
        if (length > maxBytes) throw tooLarge(maxBytes);
        throw new AttestationError(
          "request-timeout",
          `Cannot read request: its body did not arrive within ${timeoutMs} ms`,
        );
      }
      if (next.done) break;
      length += next.value.length;
      if (length <= maxBytes && !(stated > maxBytes)) parts.push(next.value);
      else parts.length = 0;
      if (length > 4 * maxBytes) throw tooLarge(maxBytes);
    }
    if (length > maxBytes) throw tooLarge(maxBytes);
    return concat(...parts);
  } catch (cause) {
    if (cause instanceof AttestationError) throw cause;
    throw new AttestationError("aborted", "Cannot read request: its body was cut", { cause });
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => {});
  }
}

function tooLarge(maxBytes: number): AttestationError {
  return new AttestationError(
    "limit-exceeded",
    `Cannot read request: its body has more than ${maxBytes} bytes`,
  );
}

/** How many requests are accepted of one key or address. */
export interface RateLimit {
  /** Requests in a second, in the long run. */
  perSecond: number;
  /** Requests at once, after a pause. */
  burst: number;
}

/** Keys and addresses that are remembered; those that were quiet longest are forgotten. */
const MAX_BUCKETS = 10_000;

/** Counts requests by key or address: a bucket of tokens for each, in the memory of this process. */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** @param now Milliseconds of a clock that never goes back. */
  constructor(limit: RateLimit, now: () => number = () => performance.now()) {
    this.#limit = limit;
    this.#now = now;
  }

  /**
   * Takes a token.
   *
   * @throws {AttestationError} `too-many-requests`; {@linkcode retryAfterOf} tells when again.
   */
  take(who: string): void {
    const { perSecond, burst } = this.#limit;
    const now = this.#now();
    const known = this.#buckets.get(who);
    const refilled = known === undefined
      ? burst
      : Math.min(burst, known.tokens + (now - known.at) * perSecond / 1000);
    this.#buckets.delete(who);
    this.#buckets.set(who, { tokens: Math.max(0, refilled - (refilled >= 1 ? 1 : 0)), at: now });
    if (this.#buckets.size > MAX_BUCKETS) {
      const [oldest] = this.#buckets.keys();
      this.#buckets.delete(oldest);
    }
    if (refilled >= 1) return;
    const seconds = Math.ceil((1 - refilled) / perSecond);
    const error = new AttestationError(
      "too-many-requests",
      `Cannot accept request: more than ${perSecond} a second, try again in ${seconds} s`,
    );
    waits.set(error, seconds);
    throw error;
  }
}

const waits = new WeakMap<AttestationError, number>();

/** Seconds to wait after a refusal, where that is known. */
export function retryAfterOf(error: AttestationError): number | undefined {
  return waits.get(error);
}
