import { AttestationError, isAttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";

/** Names the file in what is wrong with its content. */
export async function inFile<T>(what: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (!isAttestationError(cause) || cause.reason === "unreadable-file") throw cause;
    throw new AttestationError(cause.reason, `Cannot use ${quote(path)} as a ${what}`, { cause });
  }
}
