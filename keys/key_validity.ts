import { AttestationError } from "../errors.ts";
import type { CheckList } from "../internal/check_list.ts";
import { quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import type { TrustedKey } from "./trusted_key.ts";

/** Why a key was revoked. */
export type RevocationReason = "compromised" | "superseded" | "retired" | "unspecified";

/** When and why a key was taken out of use. */
export interface KeyRevocation {
  /**
   * From this moment on nothing that the key signs counts. Of a compromised key: the
   * earliest moment at which somebody else may have had it.
   */
  readonly at: Date;
  /** Why; only `compromised` decides anything. */
  readonly reason: RevocationReason;
  /** What there is to know more, for people. */
  readonly note?: string;
}

/** A key of a key set, and when it counts. */
export interface KeySetEntry {
  /** Name in the set and in reports; no other key of the set has it. */
  readonly name: string;
  /** The key. */
  readonly key: TrustedKey;
  /** First moment at which it counts. Default: always has. */
  readonly validFrom?: Date;
  /** Last moment at which it counts. Default: always will. */
  readonly validUntil?: Date;
  /** Name of the key that takes its place. */
  readonly successor?: string;
  /** When and why it was taken out of use. */
  readonly revoked?: KeyRevocation;
}

/** Keys with the times at which each counts; what {@linkcode parseKeySet} returns. */
export interface KeySet {
  /** The keys, in the order of the document. */
  readonly keys: readonly KeySetEntry[];
}

/** The moments at which a key must count. */
export interface KeyMoments {
  /**
   * Times of signing that somebody else than the signer vouches for: verified RFC 3161
   * timestamps and promises of transparency logs. The key must count at each of them.
   */
  readonly verifiedTimes?: readonly Date[];
  /** The moment that stands for the time of signing when there is no verified one. */
  readonly now: Date;
}

/**
 * Why a signature by a key of a key set does not count, or undefined if it does.
 *
 * A time that the signer states is no evidence: who has a key can state any. So without a
 * verified time the key must count now, and one that was compromised never does.
 *
 * @param entry The key with its rules.
 * @param moments Verified times of signing, and the moment to take without any.
 * @returns `key-revoked` or `key-not-valid`, with a message that names the key, its rule, and
 * its successor.
 *
 * @example A key that has ended
 * ```ts
 * import { generateSigner, refusalOfKey } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { trustedKey } = await generateSigner("Ed25519");
 * const entry = { name: "2024", key: trustedKey, validUntil: new Date("2024-12-31T23:59:59Z") };
 * const now = new Date("2026-01-01T00:00:00Z");
 * assert.equal(refusalOfKey(entry, { now })?.reason, "key-not-valid");
 * const verifiedTimes = [new Date("2024-06-01T00:00:00Z")];
 * assert.equal(refusalOfKey(entry, { verifiedTimes, now }), undefined);
 * ```
 */
export function refusalOfKey(
  entry: KeySetEntry,
  moments: KeyMoments,
): AttestationError | undefined {
  refuseUnknown(moments, ["verifiedTimes", "now"], "refusalOfKey()");
  const { verifiedTimes = [], now } = moments;
  const { revoked } = entry;
  const isVerified = verifiedTimes.length > 0;
  for (const time of isVerified ? verifiedTimes : [now]) {
    if (Number.isNaN(time.getTime())) throw new RangeError("A moment is no valid Date");
    const moment = isVerified
      ? `signed at ${time.toISOString()}`
      : "no time of signing is verified";
    if (revoked !== undefined) {
      const never = !isVerified && revoked.reason === "compromised";
      if (never || time >= revoked.at) return refusal("key-revoked", entry, moment);
    }
    const { validFrom, validUntil } = entry;
    if (
      (validFrom !== undefined && time < validFrom) ||
      (validUntil !== undefined && time > validUntil)
    ) {
      const when = isVerified ? moment : `${moment}, and now is ${time.toISOString()}`;
      return refusal("key-not-valid", entry, when);
    }
  }
}

/** What the rules of a key are, for people: its interval and its revocation. */
export function describeValidity({ validFrom, validUntil, revoked }: KeySetEntry): string {
  const parts: string[] = [];
  if (validFrom !== undefined) parts.push(`valid from ${validFrom.toISOString()}`);
  if (validUntil !== undefined) {
    parts.push(`${parts.length === 0 ? "valid " : ""}until ${validUntil.toISOString()}`);
  }
  const interval = parts.length === 0 ? "valid at any time" : parts.join(" ");
  if (revoked === undefined) return interval;
  return `${interval}, revoked at ${revoked.at.toISOString()} (${revoked.reason})`;
}

function refusal(
  reason: "key-revoked" | "key-not-valid",
  entry: KeySetEntry,
  moment: string,
): AttestationError {
  const { name, successor, revoked } = entry;
  const note = reason === "key-revoked" && revoked?.note !== undefined
    ? `; ${quote(revoked.note)}`
    : "";
  const next = successor === undefined ? "" : `; its successor is ${quote(successor)}`;
  return new AttestationError(
    reason,
    `Cannot count key ${quote(name)}: ${moment}, and it is ${
      describeValidity(entry)
    }${note}${next}`,
  );
}

/**
 * Keys of a key set that count at a moment: for `verifyEnvelope()`, which knows no times.
 *
 * @param set Key set.
 * @param now The moment at which they must count.
 *
 * @example
 * ```ts
 * import { createEnvelope, verifyEnvelope } from "@x/attest/dsse";
 * import { generateSigner, parseKeySet, validKeys } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { signer, publicKey } = await generateSigner("Ed25519");
 * const set = await parseKeySet({
 *   type: "attest-key-set/v1",
 *   keys: [{ name: "ci", publicKey, validFrom: "2026-01-01T00:00:00Z" }],
 * });
 * const envelope = await createEnvelope("t", "text", signer);
 * const keys = validKeys(set, new Date("2026-05-01T00:00:00Z"));
 * assert.ok((await verifyEnvelope(envelope, { keys })).ok);
 * assert.equal(validKeys(set, new Date("2025-05-01T00:00:00Z")).length, 0);
 * ```
 */
export function validKeys({ keys }: KeySet, now: Date): TrustedKey[] {
  return keys.filter((entry) => refusalOfKey(entry, { now }) === undefined).map(({ key }) => key);
}

/** Keys that are trusted at any time, and those of key sets with their rules. */
export interface CombinedKeys {
  /** All keys. */
  readonly keys: readonly TrustedKey[];
  /** Rules by fingerprint; a key without any counts at any time. */
  readonly rules: ReadonlyMap<string, KeySetEntry>;
}

/**
 * Trusted keys and key sets together.
 *
 * @throws {TypeError} If a key set is not of its form, or the same key is given more than
 * once with different rules: whichever was meant, the laxer one would decide.
 */
export function combineKeys(
  keys: readonly TrustedKey[],
  keySets: readonly KeySet[] = [],
): CombinedKeys {
  const all: TrustedKey[] = [...keys];
  const rules = new Map<string, KeySetEntry>();
  const free = new Map(keys.map((key) => [key.fingerprint, key.name]));
  if (!Array.isArray(keySets)) throw new TypeError("keySets is not an array");
  for (const set of keySets) {
    const { keys: entries }: { keys?: unknown } = set ?? {};
    if (!Array.isArray(entries)) throw new TypeError("A key set is not what parseKeySet() returns");
    for (const entry of entries) {
      assertEntry(entry);
      const { fingerprint } = entry.key;
      const other = rules.get(fingerprint);
      const isFree = free.has(fingerprint) && ruleOf(entry) !== ruleOf({});
      if (isFree || (other !== undefined && ruleOf(entry) !== ruleOf(other))) {
        const names = [free.get(fingerprint) ?? other?.name ?? "", entry.name];
        throw new TypeError(
          `The same key is given twice with different rules: as ${names.map(quote).join(" and ")}`,
        );
      }
      rules.set(fingerprint, other ?? entry);
      all.push(entry.key);
    }
  }
  return { keys: all, rules };
}

function ruleOf({ validFrom, validUntil, revoked }: Partial<KeySetEntry>): string {
  return JSON.stringify([validFrom, validUntil, revoked?.at, revoked?.reason]);
}

function assertEntry(entry: KeySetEntry): void {
  const { name, key, validFrom, validUntil, revoked }: Partial<KeySetEntry> = entry ?? {};
  const times: unknown[] = [validFrom, validUntil, revoked === undefined ? undefined : revoked.at];
  const isTime = (time: unknown) => time instanceof Date && !Number.isNaN(time.getTime());
  if (
    typeof name !== "string" || typeof key?.verify !== "function" ||
    typeof key.fingerprint !== "string" ||
    !times.every((one) => one === undefined || isTime(one)) ||
    (revoked !== undefined && !isTime(revoked.at))
  ) throw new TypeError("A key set is not what parseKeySet() returns");
}

/** Rules to count keys by. */
export interface KeyCount {
  /** Rules by fingerprint. */
  rules: ReadonlyMap<string, KeySetEntry>;
  /** How many keys must count. */
  needed: number;
  /** When they must count. */
  moments: KeyMoments;
}

/**
 * Those of the keys that accepted a signature which count by their rules. One check says so,
 * or that they are too few; none if no key has rules.
 */
export function countKeys(
  list: CheckList,
  accepted: readonly TrustedKey[],
  { rules, needed, moments }: KeyCount,
): TrustedKey[] {
  const counted: TrustedKey[] = [];
  const ruled: KeySetEntry[] = [];
  const refusals: { name: string; error: AttestationError }[] = [];
  for (const key of accepted) {
    const rule = rules.get(key.fingerprint);
    if (rule !== undefined) ruled.push(rule);
    const error = rule === undefined ? undefined : refusalOfKey(rule, moments);
    if (error === undefined) counted.push(key);
    else refusals.push({ name: key.name, error });
  }
  if (ruled.length === 0) return counted;
  const id = "envelope.key-validity";
  const { verifiedTimes = [], now } = moments;
  const isVerified = verifiedTimes.length > 0;
  const facts = {
    expected: ruled.map((one) => `${quote(one.name)} ${describeValidity(one)}`).join("; "),
    actual: isVerified
      ? `signed at ${verifiedTimes.map((time) => time.toISOString()).join(", ")}`
      : `no verified time, now ${now.toISOString()}`,
    ...(isVerified ? { origin: "timestamp" as const } : {}),
  };
  const numbers = `keys that count: ${counted.length}, needed: ${needed}`;
  if (counted.length < needed) {
    const { reason, message } = refusals[0].error;
    list.refused(id, reason, needed === 1 ? message : `${message}; ${numbers}`, facts);
  } else if (refusals.length > 0) {
    const left = refusals.map(({ name, error }) => `${quote(name)} (${error.reason})`).join(", ");
    list.passed(id, `K${numbers.slice(1)}; not counted: ${left}`, facts);
  } else {
    list.passed(
      id,
      isVerified
        ? "The key was valid at every verified time of signing"
        : "The key is valid now, and no time of signing is verified",
      facts,
    );
  }
  return counted;
}
