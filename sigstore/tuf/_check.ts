import { AttestationError, type Reason } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";
import { digest, type HashName } from "../../internal/digest.ts";
import { encodeHex } from "../../internal/hex.ts";
import { quote } from "../../internal/json.ts";
import { readTufKey } from "./key.ts";
import type { TufFile, TufFileInfo, TufMetaInfo, TufRole, TufRoot, TufType } from "./metadata.ts";

/** Digests that are known, by their names in metadata; the first that is stated names a file. */
export const HASHES: Readonly<Record<string, HashName>> = {
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
};

/**
 * Counts the keys of a role that signed a file, by the keys themselves: one key under two
 * ids is one (TUF 1.0, 4.2.1).
 */
export async function verifyRole(
  { name, canonical, signatures }: TufFile<TufType>,
  { keyids, threshold }: TufRole,
  keys: TufRoot["keys"],
): Promise<void> {
  const signers = new Set<string>();
  for (const keyid of keyids) {
    const signature = signatures.get(keyid);
    const stated = keys.get(keyid);
    if (signature === undefined || stated === undefined) continue;
    const key = readTufKey(stated);
    if (key === undefined) continue;
    if (await key.verify(canonical, signature)) signers.add(key.fingerprint);
    if (signers.size >= threshold) return;
  }
  throw refusal(
    "invalid-tuf-signature",
    name,
    `${signers.size} of ${threshold} required keys signed it`,
  );
}

/** Refuses bytes that do not have the length and each of the digests that are stated. */
export async function refuseOther(
  reason: Reason,
  name: string,
  bytes: Bytes,
  { length, hashes }: TufFileInfo,
): Promise<void> {
  if (length !== undefined && bytes.length !== length) {
    throw refusal(reason, name, `${bytes.length} bytes where ${length} are stated`);
  }
  refuseUnknownDigests(name, hashes);
  for (const [algorithm, hex] of Object.entries(hashes)) {
    if (encodeHex(await digest(HASHES[algorithm], bytes)) !== hex) {
      throw refusal(reason, name, `its ${algorithm} digest is not the one that is stated`);
    }
  }
}

/** Refuses digests that could not be checked. */
export function refuseUnknownDigests(name: string, hashes: TufFileInfo["hashes"]): void {
  for (const algorithm of Object.keys(hashes)) {
    if (!Object.hasOwn(HASHES, algorithm)) {
      const what = `the digest algorithm ${quote(algorithm)} is not supported`;
      throw refusal("unsupported-digest-algorithm", name, what);
    }
  }
}

/** What the snapshot says about a file. */
export function metaOf({ signed }: TufFile<"snapshot">, name: string): TufMetaInfo {
  const info = signed.meta.get(name);
  if (info !== undefined) return info;
  throw refusal("tuf-version-mismatch", name, "snapshot.json names no version of it");
}

/** Refuses another version than the one that is named. */
export function refuseVersion(
  { name, signed: { version } }: TufFile<TufType>,
  wanted: number,
): void {
  if (version !== wanted) {
    throw refusal("tuf-version-mismatch", name, `found version ${version}, wanted ${wanted}`);
  }
}

/** Refuses a version below one that was seen (TUF 1.0, 5.4.3 and 5.5.5). */
export function refuseOlder(name: string, version: number, seen: number): void {
  if (version < seen) {
    const what = version === 0
      ? `it is no longer named, and version ${seen} was seen`
      : `version ${version} is offered, and ${seen} was seen`;
    throw refusal("tuf-rollback", name, what);
  }
}

/** Refuses what is longer than is accepted. */
export function refuseLonger(name: string, length: number, limit: number): void {
  if (length > limit) {
    throw refusal("limit-exceeded", name, `${length} bytes, at most ${limit} are accepted`);
  }
}

/** The refusal of a file of the repository. */
export function refusal(
  reason: Reason,
  name: string,
  what: string,
  cause?: unknown,
): AttestationError {
  const message = `Cannot accept ${quote(name)} of the TUF repository: ${what}`;
  return new AttestationError(reason, message, { cause });
}
