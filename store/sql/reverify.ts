import { AttestationError } from "../../errors.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import type { Leases } from "../reverify/leases.ts";
import type { ReverifyEntry, ReverifySource } from "../reverify/source.ts";
import type { VerdictFiles } from "../reverify/verdict_file.ts";
import type { Database } from "./database.ts";
import { WriteConflict } from "./driver.ts";

/** Digits of a version in a key, so that keys are in the order of versions. */
const VERSION_DIGITS = 10;
/** Envelopes that are read at once: D1 takes a hundred values. */
const ROWS_AT_ONCE = 90;

/** Key of a version of a manifest: no urn has a space, which is below all that it may have. */
function keyOf({ urn, version }: { urn: string; version: number }): string {
  return `${urn} ${String(version).padStart(VERSION_DIGITS, "0")}`;
}

function placeOf(key: string): { urn: string; version: number } {
  const space = key.lastIndexOf(" ");
  return { urn: key.slice(0, space), version: Number(key.slice(space + 1)) };
}

/**
 * All versions of all manifests of a registry, each with its attestations, and with the verdict
 * that was recorded when they were committed.
 */
export function sqlReverifySource(db: Database): ReverifySource {
  const { kysely } = db;
  return {
    async list(after, limit): Promise<ReverifyEntry[]> {
      let query = kysely.selectFrom("manifest_versions")
        .select(["urn", "version", "digest", "verdict", "reason"])
        .orderBy("urn").orderBy("version").limit(limit);
      if (after !== undefined) {
        const { urn, version } = placeOf(after);
        query = query.where(({ eb, and, or }) =>
          or([eb("urn", ">", urn), and([eb("urn", "=", urn), eb("version", ">", version)])])
        );
      }
      const rows = await query.execute();
      if (rows.length === 0) return [];
      const found = await kysely.selectFrom("provenance").select([
        "urn",
        "digest",
        "attestation_id",
      ])
        .where("urn", ">=", rows[0].urn).where("urn", "<=", rows[rows.length - 1].urn)
        .orderBy("urn").orderBy("digest").orderBy("attestation_id").execute();
      const ids = new Map<string, string[]>();
      for (const { urn, digest, attestation_id: id } of found) {
        const key = `${urn} ${digest}`;
        const list = ids.get(key);
        if (list === undefined) ids.set(key, [id]);
        else list.push(id);
      }
      return rows.map((row) => ({
        key: keyOf(row),
        name: row.urn,
        digest: { sha256: row.digest.slice("sha256:".length) },
        attestations: ids.get(`${row.urn} ${row.digest}`) ?? [],
        ...(row.verdict === "NONE"
          ? {}
          : { recorded: { ok: row.verdict === "PASSED", reason: row.reason } }),
      }));
    },
    async load(entries): Promise<ReadonlyMap<string, Bytes>> {
      const contents = new Map<string, Bytes>();
      const wanted = [...new Set(entries.flatMap(({ attestations }) => attestations))];
      for (let i = 0; i < wanted.length; i += ROWS_AT_ONCE) {
        const some = wanted.slice(i, i + ROWS_AT_ONCE);
        const rows = await kysely.selectFrom("provenance").select(["attestation_id", "envelope"])
          .where("attestation_id", "in", some).execute();
        for (const row of rows) {
          // The same bytes may belong to several manifests.
          if (contents.has(row.attestation_id)) continue;
          contents.set(row.attestation_id, await db.envelopeOf(row));
        }
      }
      const digests = [...new Set(entries.map(({ digest }) => `sha256:${digest.sha256}`))];
      for (let i = 0; i < digests.length; i += ROWS_AT_ONCE) {
        const rows = await kysely.selectFrom("manifest_versions").select(["digest", "card"])
          .where("digest", "in", digests.slice(i, i + ROWS_AT_ONCE)).execute();
        for (const { digest, card } of rows) contents.set(digest, utf8(card));
      }
      return contents;
    },
  };
}

/** Verdict files in the database: workers on several machines see each other's. */
export function sqlVerdictFiles(db: Database): VerdictFiles {
  const { kysely } = db;
  return {
    async get(name): Promise<Uint8Array | undefined> {
      const row = await kysely.selectFrom("reverify_files").select("content")
        .where("name", "=", name).executeTakeFirst();
      return row?.content;
    },
    async has(name): Promise<boolean> {
      const row = await kysely.selectFrom("reverify_files").select("name")
        .where("name", "=", name).executeTakeFirst();
      return row !== undefined;
    },
    async create(name, content): Promise<boolean> {
      const { numInsertedOrUpdatedRows } = await kysely.insertInto("reverify_files")
        .values({ name, content }).onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow();
      return numInsertedOrUpdatedRows === 1n;
    },
  };
}

/** Times that a lease is asked for while another process writes. */
const LEASE_TRIES = 5;

/** Leases in the database: a row says who has a piece of work, and until when. */
export function sqlLeases(db: Database): Leases {
  const { kysely } = db;
  const tryTake = async (
    { name, owner, now, ttlMs }: Parameters<Leases["take"]>[0],
  ): Promise<boolean> => {
    const until = now + ttlMs;
    const inserted = await kysely.insertInto("reverify_leases").values({ name, owner, until })
      .onConflict((conflict) => conflict.doNothing()).executeTakeFirstOrThrow();
    if (inserted.numInsertedOrUpdatedRows === 1n) return true;
    // One statement looks and takes: of two that find it over, one is refused.
    const { numUpdatedRows } = await kysely.updateTable("reverify_leases").set({ owner, until })
      .where("name", "=", name)
      .where(({ eb, or }) => or([eb("until", "<=", now), eb("owner", "=", owner)]))
      .executeTakeFirstOrThrow();
    return numUpdatedRows === 1n;
  };
  return {
    async take(request): Promise<boolean> {
      for (let tries = 1;; tries++) {
        try {
          return await tryTake(request);
        } catch (error) {
          if (!(error instanceof WriteConflict)) throw error;
          if (tries === LEASE_TRIES) return false;
        }
      }
    },
    async release(name, owner): Promise<void> {
      try {
        await kysely.deleteFrom("reverify_leases").where("name", "=", name)
          .where("owner", "=", owner).execute();
      } catch (error) {
        // What is not given back runs out.
        if (!(error instanceof WriteConflict || error instanceof AttestationError)) throw error;
      }
    },
  };
}
