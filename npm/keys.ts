import { AttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { isObject, type Json, type JsonObject, parseJson } from "../internal/json.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import { importTrustedKey, type TrustedKey } from "../keys/trusted_key.ts";

/** A public key of an npm registry. */
export interface NpmKey {
  /** Id by which bundles name it, such as `SHA256:…`. */
  keyid: string;
  /** `npm:attestations` or `npm:signatures`; absent in the registry's own list: for both. */
  usage?: string;
  /** The key; its name is unique in the file. */
  key: TrustedKey;
  /** First moment at which it may have signed. */
  validFrom?: Date;
  /** Last moment at which it may have signed. */
  validUntil?: Date;
}

/** Algorithms by the names of Sigstore's `PublicKeyDetails`. */
const DETAILS: Readonly<Record<string, KeyAlgorithm>> = {
  PKIX_ECDSA_P256_SHA_256: "ES256",
  PKIX_ECDSA_P384_SHA_384: "ES384",
  PKIX_ECDSA_P521_SHA_512: "ES512",
  PKIX_ED25519: "Ed25519",
};
/** Algorithms by the registry's `keytype`. */
const KEY_TYPES: Readonly<Record<string, KeyAlgorithm>> = {
  "ecdsa-sha2-nistp256": "ES256",
};
const MAX_KEYS = 1000;
const MAX_BYTES = 4 << 20;

/**
 * Reads the public keys of an npm registry: the target `keys.json` that Sigstore's TUF
 * repository has for it, or the registry's own answer to `GET /-/npm/v1/keys`.
 *
 * The file decides who is believed: take it from the TUF repository, not from where the
 * packages come from.
 *
 * @param source Text or bytes.
 * @throws {AttestationError} `malformed-key` with the place, or what is wrong with the JSON or
 * a key.
 *
 * @example A key of the public registry
 * ```ts
 * import { parseNpmKeys } from "@x/attest/npm";
 * import assert from "node:assert/strict";
 *
 * const keys = await parseNpmKeys(JSON.stringify({
 *   keys: [{
 *     keyId: "SHA256:DhQ8wR5APBvFHLF/+Tc+AYvPOdTpcIDqOhxsBHRwC7U",
 *     keyUsage: "npm:attestations",
 *     publicKey: {
 *       rawBytes: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEY6Ya7W++7aUPzvMTrezH6Ycx3c+HOKYCcNGy" +
 *         "bJZSCJq/fd7Qa8uuAKtdIkUQtQiEKERhAmE5lMMJhP8OkDOa2g==",
 *       keyDetails: "PKIX_ECDSA_P256_SHA_256",
 *       validFor: { start: "2025-01-13T00:00:00.000Z" },
 *     },
 *   }],
 * }));
 * assert.equal(keys[0].usage, "npm:attestations");
 * ```
 */
export async function parseNpmKeys(source: string | Uint8Array): Promise<NpmKey[]> {
  const document = parseJson(source, { maxLength: MAX_BYTES });
  const list = isObject(document) ? document.keys : undefined;
  if (!Array.isArray(list)) throw malformed("/keys", "keys is no array");
  if (list.length > MAX_KEYS) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read npm keys: ${list.length} keys, at most ${MAX_KEYS} are accepted`,
      { path: "/keys" },
    );
  }
  return await Promise.all(list.map((value, index) => readKey(value, index)));
}

async function readKey(value: Json, index: number): Promise<NpmKey> {
  const path = `/keys/${index}`;
  if (!isObject(value)) throw malformed(path, "a key is no object");
  const fromTuf = value.publicKey !== undefined;
  const { keyid, alg, bytes, ...rest } = fromTuf
    ? readTarget(value, path)
    : readAnswer(value, path);
  try {
    const key = await importTrustedKey(bytes, { keyid, alg, name: `${keyid} (key ${index + 1})` });
    return { keyid, key, ...rest };
  } catch (cause) {
    if (cause instanceof AttestationError) {
      throw new AttestationError(cause.reason, `Cannot read npm keys: ${cause.message}`, {
        cause,
        path,
      });
    }
    throw cause;
  }
}

interface RawKey {
  keyid: string;
  alg: KeyAlgorithm;
  bytes: Uint8Array;
  usage?: string;
  validFrom?: Date;
  validUntil?: Date;
}

function readTarget(value: JsonObject, path: string): RawKey {
  const { publicKey } = value;
  if (!isObject(publicKey)) throw malformed(`${path}/publicKey`, "publicKey is no object");
  const { validFor = {} } = publicKey;
  if (!isObject(validFor)) throw malformed(`${path}/publicKey/validFor`, "validFor is no object");
  const at = `${path}/publicKey`;
  return {
    keyid: textOf(value.keyId, `${path}/keyId`),
    usage: textOf(value.keyUsage, `${path}/keyUsage`),
    alg: algorithmOf(DETAILS, publicKey.keyDetails, `${at}/keyDetails`),
    bytes: decodeBase64(textOf(publicKey.rawBytes, `${at}/rawBytes`), { path: `${at}/rawBytes` }),
    ...timeOf("validFrom", validFor.start, `${at}/validFor/start`),
    ...timeOf("validUntil", validFor.end, `${at}/validFor/end`),
  };
}

function readAnswer(value: JsonObject, path: string): RawKey {
  return {
    keyid: textOf(value.keyid, `${path}/keyid`),
    alg: algorithmOf(KEY_TYPES, value.keytype, `${path}/keytype`),
    bytes: decodeBase64(textOf(value.key, `${path}/key`), { path: `${path}/key` }),
    ...timeOf("validUntil", value.expires, `${path}/expires`),
  };
}

function textOf(value: Json | undefined, path: string): string {
  if (typeof value !== "string" || value === "" || value.length > 4096) {
    throw malformed(path, "a text is missing");
  }
  return value;
}

function algorithmOf(
  table: Readonly<Record<string, KeyAlgorithm>>,
  value: Json | undefined,
  path: string,
): KeyAlgorithm {
  const name = textOf(value, path);
  if (Object.hasOwn(table, name)) return table[name];
  throw new AttestationError(
    "unsupported-algorithm",
    "Cannot read npm keys: the algorithm of a key is not known",
    { path },
  );
}

function timeOf<Name extends "validFrom" | "validUntil">(
  name: Name,
  value: Json | undefined,
  path: string,
): { [N in Name]?: Date } {
  if (value === undefined || value === null) return {};
  const time = typeof value === "string" ? parseTimestamp(value) : undefined;
  if (time === undefined) throw malformed(path, "a time is not RFC 3339 with Z");
  const entry: { [N in Name]?: Date } = {};
  entry[name] = time;
  return entry;
}

function malformed(path: string, why: string): AttestationError {
  return new AttestationError("malformed-key", `Cannot read npm keys: ${why}`, { path });
}

/** Whether a key may have signed at a moment; both ends count. */
export function isValidAt({ validFrom, validUntil }: NpmKey, time: Date): boolean {
  return (validFrom === undefined || time >= validFrom) &&
    (validUntil === undefined || time <= validUntil);
}
