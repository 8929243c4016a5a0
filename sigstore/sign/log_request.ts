import { AttestationError, isAttestationError, type Reason } from "../../errors.ts";
import { encodeBase64 } from "../../internal/base64.ts";
import type { JsonObject } from "../../internal/json.ts";
import { Shape } from "../_shape.ts";
import { type LogEntry, readLogEntry } from "../bundle.ts";
import type { SignedFacts } from "../log_body.ts";
import { verifyLogEntry } from "../transparency_log.ts";
import type { TrustedLog } from "../trusted_root.ts";
import { type Asked, mismatch } from "./_answer.ts";

/** What the words of messages call it. */
export const LOG_ACTION = "log the signature";

/** What is logged, and where. */
export interface LogRequest extends Asked {
  /** Signature, key and content, as the bundle will state them. */
  readonly facts: SignedFacts;
  /** The content's bundle member: the envelope's text goes to logs of version 1. */
  readonly envelope?: JsonObject;
  /** Logs of the trusted roots. */
  readonly logs: readonly TrustedLog[];
}

/** An entry that was logged and verified. */
export interface LoggedEntry {
  /** TransparencyLogEntry as bundles hold it. */
  readonly json: JsonObject;
  readonly logIndex: string;
  /** Address of the log. */
  readonly url: string;
}

/** Members of a TransparencyLogEntry that may be wrong without the entry being unreadable. */
const UNREADABLE: readonly Reason[] = ["malformed-log-entry", "malformed-checkpoint"];

/**
 * Verifies that an entry is of this signature by this key over this content, and that a
 * trusted log holds it.
 *
 * @throws {AttestationError} `malformed-response` or `response-mismatch`.
 */
export async function checkEntry(asked: LogRequest, url: string, entry: LogEntry): Promise<void> {
  let finding: unknown;
  try {
    finding = await verifyLogEntry(entry, asked.facts, asked.logs);
  } catch (cause) {
    if (isAttestationError(cause) && UNREADABLE.includes(cause.reason)) {
      throw new AttestationError(
        "malformed-response",
        `Cannot ${LOG_ACTION}: the entry of ${url} is not of its form`,
        { cause },
      );
    }
    throw mismatch(LOG_ACTION, url, "an entry that is not this one or does not verify", cause);
  }
  if (finding === undefined) {
    throw mismatch(LOG_ACTION, url, "an entry of a log that no trusted root knows");
  }
}

/** Reads a TransparencyLogEntry of a service. */
export function entryOf(json: JsonObject): LogEntry {
  return readLogEntry(new Shape(json, "malformed-response"), "0.3");
}

/**
 * A TransparencyLogEntry with every number as a string and none left out: some verifiers
 * refuse an entry without `logIndex`, though 0 is the default of the format.
 */
export function entryJson(entry: LogEntry): JsonObject {
  const { proof, promise } = entry;
  return {
    logIndex: `${entry.logIndex}`,
    logId: { keyId: encodeBase64(entry.keyId) },
    kindVersion: { kind: entry.kind, version: entry.kindVersion },
    ...(entry.integratedTime === 0n ? {} : { integratedTime: `${entry.integratedTime}` }),
    ...(promise === undefined
      ? {}
      : { inclusionPromise: { signedEntryTimestamp: encodeBase64(promise) } }),
    ...(proof === undefined ? {} : {
      inclusionProof: {
        logIndex: `${proof.logIndex}`,
        rootHash: encodeBase64(proof.rootHash),
        treeSize: `${proof.treeSize}`,
        hashes: proof.hashes.map(encodeBase64),
        checkpoint: { envelope: proof.checkpoint },
      },
    }),
    canonicalizedBody: encodeBase64(entry.body),
  };
}

/** A key that a log does not take. */
export function notLogged(version: 1 | 2, what: string): AttestationError {
  return new AttestationError(
    "unsupported-algorithm",
    `Cannot ${LOG_ACTION}: a log of version ${version} takes no ${what}`,
  );
}
