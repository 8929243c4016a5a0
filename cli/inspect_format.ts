import { isAttestationError } from "../errors.ts";
import { decodeMessage } from "../formats/statement.ts";
import { openFormat } from "../formats/verify_format.ts";
import type { Inspected } from "./inspect.ts";

/**
 * A document in another format, layer by layer.
 *
 * @throws {AttestationError} `unknown-format`, `ambiguous-format`, or why it cannot be read.
 */
export async function inspectFormat(source: string, bytes: Uint8Array): Promise<Inspected> {
  const { entry, parsed } = await openFormat(bytes, { name: source });
  const { messageType, message, signatures, facts } = parsed;
  const result: Inspected = { source, verified: false, format: entry.id, problems: [] };
  if (Object.keys(facts).length > 0) result.facts = { ...facts };
  if (signatures.length > 0) {
    const isAttached = entry.layer === "attached";
    const payloadBytes = isAttached ? bytes.length : message?.length;
    result.envelope = {
      payloadType: isAttached ? "the file itself" : messageType ?? "not stated",
      ...(payloadBytes === undefined ? {} : { payloadBytes }),
      signatures: signatures.map(({ keyid = "", algorithm, bytes }) => ({
        keyid,
        ...(algorithm === undefined ? {} : { algorithm }),
        bytes,
      })),
    };
  }
  // What is attached to its artifact covers sections of it, which are no message.
  if (message === undefined || entry.layer === "log-proof" || entry.layer === "attached") {
    return result;
  }
  try {
    const type = messageType === undefined
      ? undefined
      : { value: messageType, authenticated: false };
    const { statement } = decodeMessage(message, entry.id, type);
    result.statement = statement;
    const { inspectPredicate } = await import("./inspect_predicate.ts");
    const isSigned = entry.support === "verified";
    const { predicate, problems } = inspectPredicate(statement, undefined, isSigned);
    result.predicate = predicate;
    result.problems.push(...problems.slice(0, 100));
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    // A message that is no Statement is no fault of its envelope.
    const quiet = error.reason === "unsupported-payload-type" ||
      error.reason === "unsupported-statement-type" || error.reason === "missing-subject";
    if (!quiet) result.problems.push({ reason: error.reason, message: error.message });
  }
  return result;
}
