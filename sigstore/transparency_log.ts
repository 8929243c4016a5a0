import { AttestationError, type Reason } from "../errors.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { equalBytes, utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { canonicalJson } from "../internal/json.ts";
import { verifySignature } from "../keys/public_key.ts";
import type { InclusionProof, LogEntry } from "./bundle.ts";
import { parseCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import { compareLogBody, type SignedFacts } from "./log_body.ts";
import { leafHash, verifyInclusion } from "./merkle.ts";
import { hostOf, isWithin, type TrustedLog } from "./trusted_root.ts";

/** A log entry that verified. */
export interface LogFinding {
  readonly log: TrustedLog;
  /** Every trusted log of that name and key: a root may list one key with several periods. */
  readonly sameKey: readonly TrustedLog[];
  /** When the log promised to include it (SET); absent without a promise. */
  readonly time?: Date;
}

/**
 * Verifies one entry against the trusted log that it names: body, promise (SET), proof of
 * inclusion and checkpoint, whichever are there; the bundle's version says which must be.
 *
 * Source: sigstore/architecture-docs, client-spec.md, "Transparency Log Entry";
 * sigstore/rekor-tiles, CLIENTS.md.
 *
 * @returns The finding, or undefined if no trusted log has the entry's key id.
 * @throws {AttestationError} What {@linkcode compareLogBody} refuses,
 * `invalid-inclusion-promise`, `log-not-valid`, `malformed-checkpoint`,
 * `invalid-checkpoint-signature`, `checkpoint-mismatch` or `invalid-inclusion-proof`.
 */
export async function verifyLogEntry(
  entry: LogEntry,
  facts: SignedFacts,
  logs: readonly TrustedLog[],
): Promise<LogFinding | undefined> {
  const keyId = encodeHex(entry.keyId);
  const named = logs.filter(({ keyIds }) => keyIds.includes(keyId));
  if (named.length === 0) return undefined;
  const time = new Date(Number(entry.integratedTime) * 1000);
  const hasTime = entry.integratedTime > 0n;
  const log = hasTime ? named.find(({ validFor }) => isWithin(time, validFor)) : named[0];

  const steps = [compareLogBody(entry, facts)];
  // Signatures are checked with the key whether it was valid then or not.
  if (entry.promise !== undefined) steps.push(verifyPromise(entry, log ?? named[0]));
  if (entry.proof !== undefined) steps.push(verifyProof(entry, entry.proof, log ?? named[0]));
  const failed = (await Promise.allSettled(steps)).find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
  if (log === undefined) {
    throw refusal(
      "log-not-valid",
      `its time ${time.toISOString()} is outside the validity of the log's key`,
    );
  }
  const sameKey = named.filter(({ key }) => equalBytes(key.spki, log.key.spki));
  return entry.promise !== undefined && hasTime ? { log, sameKey, time } : { log, sameKey };
}

/** Signed entry timestamp: the log's signature over the entry in canonical JSON. */
async function verifyPromise(entry: LogEntry, log: TrustedLog): Promise<void> {
  // Integers are written as text: they may lie above 2^53.
  const signed = `{"body":${canonicalJson(encodeBase64(entry.body))}` +
    `,"integratedTime":${entry.integratedTime}` +
    `,"logID":"${encodeHex(entry.keyId)}","logIndex":${entry.logIndex}}`;
  if (!await verifySignature(log.key, log.scheme, entry.promise!, utf8(signed))) {
    throw refusal("invalid-inclusion-promise", "the signed entry timestamp does not verify");
  }
}

/** Origin of a Rekor v1 checkpoint: the log's name and the number of its tree. */
const V1_ORIGIN = /^(.+) - \d+$/;

async function verifyProof(entry: LogEntry, proof: InclusionProof, log: TrustedLog): Promise<void> {
  const checkpoint = parseCheckpoint(proof.checkpoint);
  const v1Name = V1_ORIGIN.exec(checkpoint.origin)?.[1];
  const name = v1Name ?? hostOf(log.baseUrl);
  if (v1Name === undefined && checkpoint.origin !== name) {
    throw refusal("invalid-checkpoint-signature", "the checkpoint is of another log");
  }
  if (!await verifyCheckpoint(checkpoint, { name, key: log.key, scheme: log.scheme })) {
    throw refusal(
      "invalid-checkpoint-signature",
      "the log's signature of the checkpoint does not verify",
    );
  }
  if (checkpoint.size !== proof.treeSize || !equalBytes(checkpoint.rootHash, proof.rootHash)) {
    throw refusal("checkpoint-mismatch", "the checkpoint is of another tree than the proof");
  }
  // Rekor v1 counts `logIndex` over all shards, the proof in its own; later logs have one tree.
  if (v1Name === undefined && proof.logIndex !== entry.logIndex) {
    throw refusal("invalid-inclusion-proof", "the entry and its proof state different places");
  }
  const path = { index: proof.logIndex, size: checkpoint.size, hashes: proof.hashes };
  if (!verifyInclusion(leafHash(entry.body), path, checkpoint.rootHash)) {
    throw refusal("invalid-inclusion-proof", "the hashes do not lead to the root of the tree");
  }
}

function refusal(reason: Reason, what: string): AttestationError {
  return new AttestationError(reason, `Cannot accept log entry: ${what}`);
}
