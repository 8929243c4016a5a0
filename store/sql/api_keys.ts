import { AttestationError } from "../../errors.ts";
import { encodeBase64Url } from "../../internal/base64.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { printable, quote } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { sha256 } from "../../internal/sha256.ts";
import { urnPrefixFault } from "../../internal/urn.ts";
import type { Database } from "./database.ts";
import type { ApiKeyTable } from "./schema.ts";

/** An API key, without the key itself. */
export interface ApiKey {
  /** What it is called by: in lists, in the audit, to revoke it. */
  id: string;
  /** What people call it. */
  name: string;
  /** Urns that it may write begin with this, up to a whole part; empty: all. */
  urnPrefix: string;
  /** When it was made. */
  createdAt: Date;
  /** When it was revoked; undefined while it counts. */
  revokedAt?: Date;
}

/** What an API key is to be. */
export interface NewApiKey {
  /** What people call it: at most 128 characters. */
  name: string;
  /** Urns that it may write: `urn:acme` is `urn:acme:…`, not `urn:acme-2:…`. Empty: all. */
  urnPrefix: string;
  /** Now. */
  now?: Date;
}

const KEY = /^attest_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

/**
 * Makes an API key: 256 random bits, of which the database keeps the SHA-256.
 *
 * @returns `key` is shown to whoever asked for it, now and never again.
 * @throws {AttestationError} `malformed-urn` if the prefix is none; `store-unavailable`.
 */
export async function createApiKey(
  db: Database,
  options: NewApiKey,
): Promise<{ key: string; apiKey: ApiKey }> {
  refuseUnknown(options, ["name", "urnPrefix", "now"], "createApiKey()");
  const { name, urnPrefix, now = new Date() } = options;
  const fault = urnPrefixFault(urnPrefix);
  if (fault !== undefined) {
    throw new AttestationError(
      "malformed-urn",
      `Cannot create API key for the prefix ${quote(urnPrefix)}: ${fault}`,
    );
  }
  const id = encodeHex(crypto.getRandomValues(new Uint8Array(8)));
  const secret = encodeBase64Url(crypto.getRandomValues(new Uint8Array(32)));
  const key = `attest_${id}_${secret}`;
  const created_at = now.getTime();
  const row: ApiKeyTable = {
    ...{ id, hash: hashOf(key), name: printable(name, 128), urn_prefix: urnPrefix },
    ...{ created_at, revoked_at: null },
  };
  await db.batch([
    db.kysely.insertInto("api_keys").values(row),
    audit(db, "key-created", id, created_at),
  ]);
  return { key, apiKey: apiKeyOf(row) };
}

/**
 * Revokes an API key; from now on every registry on this database refuses it.
 *
 * @returns False if there is none of that id, or it is revoked already.
 * @throws {AttestationError} `store-unavailable`.
 */
export async function revokeApiKey(
  db: Database,
  id: string,
  now: Date = new Date(),
): Promise<boolean> {
  const revoked_at = now.getTime();
  const row = await db.kysely.selectFrom("api_keys").select("revoked_at")
    .where("id", "=", id).executeTakeFirst();
  if (row === undefined || row.revoked_at !== null) return false;
  await db.batch([
    db.kysely.updateTable("api_keys").set({ revoked_at })
      .where("id", "=", id).where("revoked_at", "is", null),
    audit(db, "key-revoked", id, revoked_at),
  ]);
  return true;
}

/**
 * All API keys, oldest first.
 *
 * @throws {AttestationError} `store-unavailable`.
 */
export async function listApiKeys(db: Database): Promise<ApiKey[]> {
  const rows = await db.kysely.selectFrom("api_keys").selectAll()
    .orderBy("created_at").orderBy("id").execute();
  return rows.map(apiKeyOf);
}

/**
 * The API key that counts, or undefined for one that is unknown, revoked or none.
 *
 * @throws {AttestationError} `store-unavailable`.
 */
export async function findApiKey(db: Database, key: string): Promise<ApiKey | undefined> {
  const id = KEY.exec(key)?.[1];
  if (id === undefined) return undefined;
  const row = await db.kysely.selectFrom("api_keys").selectAll()
    .where("id", "=", id).executeTakeFirst();
  if (row === undefined || row.revoked_at !== null) return undefined;
  return isSame(row.hash, hashOf(key)) ? apiKeyOf(row) : undefined;
}

function hashOf(key: string): string {
  return encodeHex(sha256(utf8(key)));
}

/** Without a hint by its time where two hashes differ. */
function isSame(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}

function apiKeyOf({ id, name, urn_prefix, created_at, revoked_at }: ApiKeyTable): ApiKey {
  return {
    ...{ id, name, urnPrefix: urn_prefix, createdAt: new Date(created_at) },
    ...(revoked_at === null ? {} : { revokedAt: new Date(revoked_at) }),
  };
}

function audit(db: Database, action: string, id: string, decided_at: number) {
  return db.kysely.insertInto("decisions").values({
    ...{ id: crypto.randomUUID(), decided_at, actor: id, action, urn: null, digest: null },
    ...{ revision: null, mode: null, policy_digest: null, outcome: "accepted" },
    ...{ verdict: "NONE" as const, reason: null, report: null },
  });
}
