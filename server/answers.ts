import { AttestationError, isAttestationError, type Problem, type Reason } from "../errors.ts";
import { printable } from "../internal/json.ts";
import { retryAfterOf } from "./limits.ts";

/** Statuses of refusals; every other reason is 400. */
const STATUS: Readonly<Partial<Record<Reason, number>>> = {
  "aborted": 400,
  "content-mismatch": 500,
  "internal-error": 500,
  "invalid-api-key": 401,
  "limit-exceeded": 413,
  "malformed-policy": 503,
  "manifest-not-found": 404,
  "missing-api-key": 401,
  "request-timeout": 408,
  "revision-mismatch": 412,
  "store-unavailable": 503,
  "too-many-requests": 429,
  "unsupported-media-type": 415,
  "urn-look-alike": 409,
  "urn-out-of-scope": 403,
};

/** What callers may not see of this machine; the log has it. */
const PRIVATE: Readonly<Partial<Record<Reason, string>>> = {
  "content-mismatch": "Cannot answer: a record of the database was altered",
  "internal-error": "Cannot answer: an unexpected error",
  "malformed-policy": "Cannot judge: there is no policy in force",
  "store-unavailable": "Cannot answer: the database cannot be asked; try again",
};

/** Headers of every answer. */
const HEADERS: Readonly<Record<string, string>> = {
  "content-type": "application/json; charset=utf-8",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};

/** What the log tells of an answer, beside its status. */
export interface AnswerFacts {
  /** Id of the API key. */
  actor?: string;
  /** Why it was refused, or would have been. */
  reason?: string;
}

const facts = new WeakMap<Response, AnswerFacts>();

/** Keeps what the log tells of an answer. */
export function withFacts(response: Response, told: AnswerFacts): Response {
  facts.set(response, told);
  return response;
}

/** What was kept of an answer. */
export function factsOf(response: Response): AnswerFacts {
  return facts.get(response) ?? {};
}

/** A JSON answer. */
export function json(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(`${JSON.stringify(value)}\n`, {
    status,
    headers: { ...HEADERS, ...headers },
  });
}

/** A failure as an error of the vocabulary. */
export function asError(error: unknown): AttestationError {
  if (isAttestationError(error)) return error;
  return new AttestationError("internal-error", "Cannot answer: an unexpected error", {
    cause: error,
  });
}

/** The answer to a request that failed. */
export function refusal(error: AttestationError, problems: readonly Problem[] = []): Response {
  const { reason, path } = error;
  const status = STATUS[reason] ?? 400;
  const retryAfter = status === 503 ? 1 : retryAfterOf(error);
  return json(status, {
    error: reason.replaceAll("-", "_"),
    reason,
    message: PRIVATE[reason] ?? printable(error.message, 400),
    ...(path === undefined || path === "" ? {} : { path: printable(path) }),
    ...(problems.length < 2 ? {} : { problems }),
  }, {
    ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
    ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
  });
}
