import { AttestationError, isAttestationError } from "../errors.ts";
import {
  copyJson,
  isObject,
  type Json,
  type JsonObject,
  parseJson,
  quote,
} from "../internal/json.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import type { KeyAlgorithm } from "./algorithm.ts";
import type { KeyRevocation, KeySet, KeySetEntry, RevocationReason } from "./key_validity.ts";
import { importTrustedKey, type TrustedKey } from "./trusted_key.ts";

/** Value of `type` in a key set document. */
export const KEY_SET_TYPE = "attest-key-set/v1";

/** A key set as JSON: `docs/schema/key-set.schema.json`. */
export interface KeySetDocument {
  /** What the document is. */
  type: typeof KEY_SET_TYPE;
  /** The keys, at least one. */
  keys: KeySetDocumentEntry[];
}

/** One key of a key set document. Times are RFC 3339 in UTC with `Z`. */
export interface KeySetDocumentEntry {
  /** Name; no other key of the set has it. */
  name: string;
  /** Public key: PEM (SPKI), or a JWK. */
  publicKey: string | JsonWebKey;
  /** Algorithm of its signatures. Default: the usual one of its kind. */
  alg?: KeyAlgorithm;
  /** What its owner calls it. Default: the `kid` of a JWK. */
  keyid?: string;
  /** First moment at which it counts. */
  validFrom?: string;
  /** Last moment at which it counts; after `validFrom`. */
  validUntil?: string;
  /** Name of the key that takes its place: one of the set. */
  successor?: string;
  /** When and why it was taken out of use. */
  revoked?: {
    /** From this moment on nothing that it signs counts. */
    at: string;
    /** Why. */
    reason: RevocationReason;
    /** What there is to know more. */
    note?: string;
  };
}

/** Why a key may be revoked. */
export const REVOCATION_REASONS: readonly RevocationReason[] = [
  "compromised",
  "superseded",
  "retired",
  "unspecified",
];

const MAX_BYTES = 1 << 20;
const MAX_KEYS = 1000;
const MAX_NAME = 200;
const MAX_NOTE = 1000;
const ENTRY = [
  "name",
  "publicKey",
  "alg",
  "keyid",
  "validFrom",
  "validUntil",
  "successor",
  "revoked",
];

/**
 * Reads a key set: public keys with the interval in which each counts, its successor, and
 * when and why it was revoked. Read strictly: unknown members are refused, and so are a name
 * or a key that is there twice, and successors that lead in a circle.
 *
 * @param source Document as JSON text, bytes or parsed; at most 1 MiB and 1000 keys.
 * @returns The set, for `trust.keySets` of `verify()`.
 *
 * @throws {AttestationError} `malformed-key-set` with the `path` of what is wrong, what
 * `importTrustedKey()` refuses of a key, `malformed-json`, `duplicate-json-key`,
 * `limit-exceeded`.
 *
 * @example
 * ```ts
 * import { parseKeySet } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const set = await parseKeySet(JSON.stringify({
 *   type: "attest-key-set/v1",
 *   keys: [{
 *     name: "ci-2026",
 *     publicKey: "-----BEGIN PUBLIC KEY-----\n" +
 *       "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n" +
 *       "-----END PUBLIC KEY-----\n",
 *     validFrom: "2026-01-01T00:00:00Z",
 *     validUntil: "2026-12-31T23:59:59Z",
 *   }],
 * }));
 * assert.equal(set.keys[0].key.alg, "Ed25519");
 * ```
 */
export async function parseKeySet(source: string | Uint8Array | object): Promise<KeySet> {
  const document = typeof source === "string" || source instanceof Uint8Array
    ? parseJson(source, { maxLength: MAX_BYTES, maxDepth: 16 })
    : copyJson(source, 16);
  if (!isObject(document)) throw malformed("it is no object", "");
  refuseMembers(document, ["type", "keys"], "");
  if (document.type !== KEY_SET_TYPE) {
    throw malformed(`type is not ${quote(KEY_SET_TYPE)}`, "/type");
  }
  const list = document.keys;
  if (!Array.isArray(list) || list.length === 0) {
    throw malformed("keys is no array with a key", "/keys");
  }
  if (list.length > MAX_KEYS) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read key set: ${list.length} keys, at most ${MAX_KEYS} are accepted`,
      { path: "/keys" },
    );
  }
  const entries: KeySetEntry[] = [];
  const names = new Set<string>();
  const fingerprints = new Map<string, string>();
  for (const [i, value] of list.entries()) {
    const entry = await readEntry(value, `/keys/${i}`);
    if (names.has(entry.name)) {
      throw malformed(`the name ${quote(entry.name)} is there twice`, `/keys/${i}/name`);
    }
    names.add(entry.name);
    const { fingerprint } = entry.key;
    const other = fingerprints.get(fingerprint);
    if (other !== undefined) {
      throw malformed(
        `${quote(entry.name)} and ${quote(other)} are the same key`,
        `/keys/${i}/publicKey`,
      );
    }
    fingerprints.set(fingerprint, entry.name);
    entries.push(entry);
  }
  checkSuccessors(entries);
  return Object.freeze({ keys: Object.freeze(entries) });
}

async function readEntry(value: Json, path: string): Promise<KeySetEntry> {
  if (!isObject(value)) throw malformed("a key is no object", path);
  refuseMembers(value, ENTRY, path);
  const name = readText(value, "name", path, MAX_NAME);
  if (name === undefined) throw malformed("a key has no name", `${path}/name`);
  const key = await readKey(value, name, path);
  const validFrom = readTime(value, "validFrom", path);
  const validUntil = readTime(value, "validUntil", path);
  if (validFrom !== undefined && validUntil !== undefined && validUntil <= validFrom) {
    throw malformed("validUntil is not after validFrom", `${path}/validUntil`);
  }
  const successor = readText(value, "successor", path, MAX_NAME);
  const revoked = readRevocation(value.revoked, `${path}/revoked`);
  return Object.freeze({
    name,
    key,
    ...(validFrom === undefined ? {} : { validFrom }),
    ...(validUntil === undefined ? {} : { validUntil }),
    ...(successor === undefined ? {} : { successor }),
    ...(revoked === undefined ? {} : { revoked }),
  });
}

async function readKey(value: JsonObject, name: string, path: string): Promise<TrustedKey> {
  const { publicKey } = value;
  const alg = readText(value, "alg", path, MAX_NAME);
  const keyid = readText(value, "keyid", path, MAX_NOTE);
  if (typeof publicKey !== "string" && !isObject(publicKey)) {
    throw malformed("publicKey is neither PEM nor a JWK", `${path}/publicKey`);
  }
  try {
    return await importTrustedKey(publicKey, {
      name,
      // Names that are not known are refused there.
      ...(alg === undefined ? {} : { alg: alg as KeyAlgorithm }),
      ...(keyid === undefined ? {} : { keyid }),
    });
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw new AttestationError(
      cause.reason,
      `Cannot read key ${quote(name)} of key set: ${cause.message}`,
      { cause, path: `${path}/publicKey` },
    );
  }
}

function readRevocation(value: Json | undefined, path: string): KeyRevocation | undefined {
  if (value === undefined) return undefined;
  if (!isObject(value)) throw malformed("revoked is no object", path);
  refuseMembers(value, ["at", "reason", "note"], path);
  const at = readTime(value, "at", path);
  if (at === undefined) throw malformed("revoked has no time", `${path}/at`);
  const reason = REVOCATION_REASONS.find((one) => one === value.reason);
  if (reason === undefined) {
    throw malformed(`reason is none of ${REVOCATION_REASONS.join(", ")}`, `${path}/reason`);
  }
  const note = readText(value, "note", path, MAX_NOTE);
  return Object.freeze({ at, reason, ...(note === undefined ? {} : { note }) });
}

function readText(
  object: JsonObject,
  member: string,
  path: string,
  maxLength: number,
): string | undefined {
  const value = object[member];
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value === "" || value.length > maxLength) {
    throw malformed(`${member} is no text of 1 to ${maxLength} characters`, `${path}/${member}`);
  }
  return value;
}

function readTime(object: JsonObject, member: string, path: string): Date | undefined {
  const value = object[member];
  if (value === undefined) return undefined;
  const time = typeof value === "string" ? parseTimestamp(value) : undefined;
  if (time === undefined) {
    throw malformed(`${member} is no RFC 3339 time in UTC with Z`, `${path}/${member}`);
  }
  return time;
}

/** Each successor is there, and following them ends somewhere. */
function checkSuccessors(entries: readonly KeySetEntry[]): void {
  const places = new Map(entries.map(({ name }, i) => [name, i]));
  const ends = new Set<number>();
  for (const start of entries.keys()) {
    const seen = new Set<number>();
    let at: number | undefined = start;
    while (at !== undefined && !ends.has(at)) {
      if (seen.has(at)) {
        throw malformed("its successors lead in a circle", `/keys/${start}/successor`);
      }
      seen.add(at);
      const successor: string | undefined = entries[at].successor;
      const next: number | undefined = successor === undefined ? undefined : places.get(successor);
      if (successor !== undefined && next === undefined) {
        throw malformed(
          `the successor ${quote(successor)} is not there`,
          `/keys/${at}/successor`,
        );
      }
      at = next;
    }
    for (const place of seen) ends.add(place);
  }
}

function refuseMembers(object: JsonObject, known: readonly string[], path: string): void {
  const unknown = Object.keys(object).find((name) => !known.includes(name));
  if (unknown !== undefined) throw malformed(`unknown member ${quote(unknown)}`, path);
}

function malformed(what: string, path: string): AttestationError {
  return new AttestationError("malformed-key-set", `Cannot read key set: ${what}`, { path });
}
