import type { Envelope } from "../dsse/envelope.ts";
import { verifyEnvelope } from "../dsse/verify.ts";
import { AttestationError } from "../errors.ts";
import { type OpenPgpKey, refuseOpenPgpKeys } from "../formats/openpgp_keyring.ts";
import { encodeHex } from "../internal/hex.ts";
import { copyJson, parseJson, quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { sha256 } from "../internal/sha256.ts";
import { CLOCK_SKEW_MS, parseTimestamp } from "../internal/timestamp.ts";
import { REVOCATION_REASONS } from "../keys/key_set.ts";
import type { KeyRevocation, KeySetEntry, RevocationReason } from "../keys/key_validity.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import { ProblemList } from "./_shape.ts";
import type { CompiledPolicy } from "./compiled.ts";
import { throwFirst } from "./parse.ts";

/** The `type` of every revocation list of this version. */
export const REVOCATIONS_TYPE = "attest-revocations/v1";

/** Payload type of a signed revocation list. */
export const REVOCATIONS_PAYLOAD_TYPE = "application/vnd.attest.revocations+json";

/** Keys that were taken out of use: `docs/schema/revocation-list.schema.json`. */
export interface RevocationListDocument {
  /** Always {@linkcode REVOCATIONS_TYPE}. */
  type: typeof REVOCATIONS_TYPE;
  /** For people. */
  description?: string;
  /** Raised with each list; a list with a lower one than was seen is refused. */
  sequence: number;
  /** When it was made, RFC 3339 in UTC. A list of more than 5 minutes in the future is refused. */
  issuedAt: string;
  /** From that moment on it is refused: who withholds a list hides a revocation only so long. */
  expires: string;
  /** The keys, each once; at most 100 000. */
  revocations: readonly RevokedKey[];
}

/** A key that was taken out of use. */
export interface RevokedKey {
  /** `sha256:` and lowercase hex of its SubjectPublicKeyInfo. */
  key: string;
  /** From this moment on nothing that it signs counts, RFC 3339 in UTC. */
  at: string;
  /** Why; of a `compromised` key only what a verified time shows to be earlier counts. */
  reason: RevocationReason;
  /** What there is to know more. */
  note?: string;
}

/** Which list was used last; to be kept, and given the next time. */
export interface RevocationState {
  /** Its sequence. */
  sequence: number;
  /** SHA-256 of its payload, lowercase hex. */
  digest: string;
}

/** A revocation list, and who signed it. */
export interface RevocationList {
  /** The document, read after its signature was verified. */
  readonly document: RevocationListDocument;
  /** Names of the keys that accepted. */
  readonly acceptedBy: readonly string[];
  /** What to keep, for `seen`. */
  readonly state: RevocationState;
}

/** Options of {@linkcode openRevocationList}. Unknown names are refused. */
export interface RevocationListOptions {
  /** The moment at which it must count. */
  now: Date;
  /** Distinct keys that must accept; integer >= 1. Default 1. */
  threshold?: number;
  /** The list that was used last: an older one is refused, and another one of its sequence. */
  seen?: RevocationState;
}

const MEMBERS = ["type", "description", "sequence", "issuedAt", "expires", "revocations"];
const ENTRY = ["key", "at", "reason", "note"];
const MAX_ENTRIES = 100_000;
const MAX_BYTES = 32 << 20;

/**
 * Reads the payload of a revocation list, strictly. Who made it is not known: see
 * {@linkcode openRevocationList}.
 *
 * @param source JSON text, its UTF-8 bytes, or parsed JSON; at most 32 MiB.
 * @throws {AttestationError} `malformed-revocation-list` with the `path` of the first problem,
 * or what strict JSON refuses.
 */
export function parseRevocationList(source: string | Uint8Array | object): RevocationListDocument {
  const isText = typeof source === "string" || source instanceof Uint8Array;
  const value = isText
    ? parseJson(source, { maxLength: MAX_BYTES, maxDepth: 8 })
    : copyJson(source, 8);
  const list = new ProblemList("malformed-revocation-list", "Cannot read revocation list");
  const document = list.members(value, "", "a revocation list", MEMBERS);
  document?.need("type", "sequence", "issuedAt", "expires", "revocations");
  document?.word("type", [REVOCATIONS_TYPE]);
  document?.text("description");
  document?.integer("sequence", 1, Number.MAX_SAFE_INTEGER);
  document?.time("issuedAt");
  document?.time("expires");
  const [start, end] = ["issuedAt", "expires"].map((name) => timeOf(document?.get(name)) ?? NaN);
  if (end <= start) {
    document?.wrong("expires", "expires is not after issuedAt");
  }
  const entries = document?.get("revocations");
  const seen = new Set<string>();
  if (entries !== undefined) {
    const read = list.list(entries, "/revocations", "revocations", MAX_ENTRIES, 0) ?? [];
    for (const [i, one] of read.entries()) {
      const entry = list.members(one, `/revocations/${i}`, "a revocation", ENTRY);
      entry?.need("key", "at", "reason");
      const key = entry?.text("key", 128);
      if (key !== undefined) {
        if (!/^sha256:[0-9a-f]{64}$/.test(key)) {
          entry?.wrong("key", `${quote(key)} is not sha256: and 64 digits of lowercase hex`);
        }
        if (seen.has(key)) entry?.wrong("key", `${quote(key)} is there twice`);
        seen.add(key);
      }
      entry?.time("at");
      entry?.word("reason", REVOCATION_REASONS);
      entry?.text("note", 1000);
    }
  }
  throwFirst(list.problems);
  return value as unknown as RevocationListDocument;
}

/**
 * Opens a signed revocation list: a DSSE envelope of the type
 * {@linkcode REVOCATIONS_PAYLOAD_TYPE}. The signature is verified before anything of the
 * payload is read, and the list must be of now and no older than the last one.
 *
 * @param envelope Envelope as JSON text, bytes or parsed.
 * @param pinnedKeys Keys that the caller got by another way than the list.
 * @throws {AttestationError} `revocation-list-expired`, `revocation-list-rollback`,
 * `invalid-signature`, `threshold-not-met`, `unsupported-payload-type`, what
 * `parseEnvelope()` and {@linkcode parseRevocationList} refuse.
 * @throws {TypeError} If there is no key, or `now` is no valid Date.
 *
 * @example A key of a policy that was compromised
 * ```ts
 * import { createEnvelope } from "@x/attest/dsse";
 * import { generateSigner } from "@x/attest/keys";
 * import {
 *   compilePolicy,
 *   definePolicy,
 *   openRevocationList,
 *   REVOCATIONS_PAYLOAD_TYPE,
 *   signedBy,
 *   withRevocations,
 * } from "@x/attest/policy";
 * import { verify } from "@x/attest";
 * import { createStatement, encodeStatement } from "@x/attest/intoto";
 * import assert from "node:assert/strict";
 *
 * const owner = await generateSigner("Ed25519");
 * const ci = await generateSigner("Ed25519");
 * const policy = await compilePolicy(definePolicy({
 *   trust: { keys: { ci: { publicKey: ci.publicKey } } },
 *   rules: [{ id: "release", require: [{ id: "signed", envelope: signedBy("ci") }] }],
 * }));
 * const list = {
 *   type: "attest-revocations/v1",
 *   sequence: 1,
 *   issuedAt: "2026-01-01T00:00:00Z",
 *   expires: "2026-02-01T00:00:00Z",
 *   revocations: [{
 *     key: `sha256:${ci.trustedKey.fingerprint}`,
 *     at: "2026-01-01T00:00:00Z",
 *     reason: "compromised",
 *   }],
 * };
 * const signed = await createEnvelope(REVOCATIONS_PAYLOAD_TYPE, list, owner.signer);
 * const now = new Date("2026-01-02T00:00:00Z");
 * const opened = await openRevocationList(signed, [owner.trustedKey], { now });
 *
 * const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
 * const statement = createStatement({
 *   subject: [{ name: "abc.txt", digest: { sha256 } }],
 *   predicateType: "https://example.com/checked/v1",
 *   predicate: {},
 * });
 * const type = "application/vnd.in-toto+json";
 * const envelope = await createEnvelope(type, encodeStatement(statement), ci.signer);
 * const judge = async (by: typeof policy) =>
 *   (await verify(envelope, { digest: { sha256 } }, { policy: by, now })).ok;
 * assert.equal(await judge(policy), true);
 * assert.equal(await judge(withRevocations(policy, opened)), false);
 * ```
 */
export async function openRevocationList(
  envelope: Envelope | object | string | Uint8Array,
  pinnedKeys: readonly TrustedKey[],
  options: RevocationListOptions,
): Promise<RevocationList> {
  refuseUnknown(options, ["now", "threshold", "seen"], "openRevocationList()");
  const { now, threshold = 1, seen } = options;
  if (!(now instanceof Date) || Number.isNaN(now.getTime())) {
    throw new TypeError("now is no valid Date");
  }
  const result = await verifyEnvelope(envelope, {
    keys: [...pinnedKeys],
    threshold,
    payloadTypes: [REVOCATIONS_PAYLOAD_TYPE],
    maxPayloadBytes: MAX_BYTES,
  });
  if (!result.ok) {
    const { error } = result;
    throw new AttestationError(error.reason, `Cannot open revocation list: ${error.message}`, {
      cause: error,
      path: error.path,
    });
  }
  const document = parseRevocationList(result.payload);
  const { sequence, issuedAt, expires } = document;
  const state = { sequence, digest: encodeHex(sha256(result.payload)) };
  refuseOld(state, seen);
  const time = now.getTime();
  if ((timeOf(expires) ?? 0) <= time || (timeOf(issuedAt) ?? 0) > time + CLOCK_SKEW_MS) {
    throw new AttestationError(
      "revocation-list-expired",
      `Cannot use revocation list ${sequence}: it is for ${issuedAt} to ${expires}, and now is ${now.toISOString()}`,
    );
  }
  return Object.freeze({ document, acceptedBy: result.acceptedBy, state: Object.freeze(state) });
}

function refuseOld({ sequence, digest }: RevocationState, seen: RevocationState | undefined): void {
  if (seen === undefined || sequence > seen.sequence) return;
  if (sequence === seen.sequence && digest === seen.digest) return;
  throw new AttestationError(
    "revocation-list-rollback",
    sequence < seen.sequence
      ? `Cannot use revocation list: its sequence is ${sequence}, and ${seen.sequence} was seen`
      : `Cannot use revocation list: another list with the sequence ${sequence} was seen`,
  );
}

/**
 * A policy whose keys count only as far as a revocation list lets them. What the policy itself
 * says of a key stays: of two revocations the earlier moment counts, and `compromised` if either
 * says so.
 *
 * The `digest` of the policy stays that of its document; keep the `state` of the list beside it.
 */
export function withRevocations(
  policy: CompiledPolicy,
  { document }: Pick<RevocationList, "document">,
): CompiledPolicy {
  const revoked = new Map(
    document.revocations.map((one) => [one.key.slice("sha256:".length), revocationOf(one)]),
  );
  const free = policy.keys.filter(({ fingerprint }) => !revoked.has(fingerprint));
  const entries = policy.keys.flatMap((key): KeySetEntry[] => {
    const revocation = revoked.get(key.fingerprint);
    return revocation === undefined
      ? []
      : [Object.freeze({ name: key.name, key, revoked: revocation })];
  });
  const keySets = policy.keySets.map(({ keys }) =>
    Object.freeze({
      keys: Object.freeze(keys.map((entry) => {
        const other = revoked.get(entry.key.fingerprint);
        return other === undefined
          ? entry
          : Object.freeze({ ...entry, revoked: stricter(entry.revoked, other) });
      })),
    })
  );
  // OpenPGP knows no verified time of signing: a key that is revoked counts no more.
  const openpgp = policy.openpgp === undefined
    ? {}
    : { openpgp: refuseOpenPgpKeys(policy.openpgp, (key) => revocationRefusal(key, revoked)) };
  return Object.freeze({
    ...policy,
    ...openpgp,
    keys: free,
    keySets: entries.length === 0
      ? keySets
      : [...keySets, Object.freeze({ keys: Object.freeze(entries) })],
  });
}

function revocationRefusal(
  { name, keyFingerprint = "" }: OpenPgpKey,
  revoked: ReadonlyMap<string, KeyRevocation>,
): AttestationError | undefined {
  return revoked.has(keyFingerprint)
    ? new AttestationError(
      "key-revoked",
      `Cannot accept signature: the key ${quote(name)} is in the revocation list`,
    )
    : undefined;
}

function revocationOf({ at, reason, note }: RevokedKey): KeyRevocation {
  const time = parseTimestamp(at);
  if (time === undefined) throw new TypeError("The list is not what openRevocationList() returns");
  return Object.freeze({ at: time, reason, ...(note === undefined ? {} : { note }) });
}

function stricter(own: KeyRevocation | undefined, other: KeyRevocation): KeyRevocation {
  if (own === undefined) return other;
  const first = own.at <= other.at ? own : other;
  const compromised = [own, other].some(({ reason }) => reason === "compromised");
  return compromised ? Object.freeze({ ...first, reason: "compromised" as const }) : first;
}

function timeOf(value: unknown): number | undefined {
  return typeof value === "string" ? parseTimestamp(value)?.getTime() : undefined;
}
