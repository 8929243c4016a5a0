import { AttestationError, isAttestationError, type Reason } from "../../errors.ts";
import type { HttpOptions } from "../../internal/http.ts";

/** How one service is asked: limits of the request and the words for messages. */
export interface Asked {
  /** Address that is asked. */
  readonly url: string;
  readonly http: HttpOptions;
}

/** Address below a base address, which may end in a slash or not. */
export function below(base: string, path: string): string {
  return base.replace(/\/+$/, "") + path;
}

/** Reasons of answers that could be read. */
const OF_GOOD_FORM: readonly Reason[] = ["response-mismatch", "service-refused"];

/** Reads an answer: whatever is wrong with its form is `malformed-response`. */
export function readAnswer<T>(action: string, url: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!isAttestationError(cause) || OF_GOOD_FORM.includes(cause.reason)) throw cause;
    throw new AttestationError(
      "malformed-response",
      `Cannot ${action}: the answer of ${url} is not of its form`,
      { cause },
    );
  }
}

/** An answer to something else than what was asked. */
export function mismatch(
  action: string,
  url: string,
  what: string,
  cause?: unknown,
): AttestationError {
  return new AttestationError(
    "response-mismatch",
    `Cannot ${action}: ${url} answered with ${what}`,
    cause === undefined ? undefined : { cause },
  );
}
