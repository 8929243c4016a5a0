import { AttestationError, isAttestationError, type Reason } from "../errors.ts";

/** What stays as it is: it tells what is in the store, or that it could not be asked. */
const KEPT: ReadonlySet<Reason> = new Set([
  "content-mismatch",
  "limit-exceeded",
  "store-unavailable",
]);

/** Any failure of the disk is that of the store; an abort is the signal's reason. */
export async function guardDisk<T>(
  what: string,
  signal: AbortSignal | undefined,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    signal?.throwIfAborted();
    if (isAttestationError(cause) && KEPT.has(cause.reason)) throw cause;
    throw new AttestationError("store-unavailable", `Cannot ${what}`, { cause });
  }
}
