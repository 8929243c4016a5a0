import { AttestationError } from "../../errors.ts";
import { quote } from "../../internal/json.ts";
import type { DigestSet } from "../../intoto/digest_set.ts";
import { Database } from "../../store/sql/mod.ts";
import type { NamedAttestation } from "../attestations.ts";
import { access, type Runtime } from "../runtime.ts";
import type { ProvenanceSource, UrnRecord } from "./sources.ts";

/** Attestations of one subject that are read. */
const MAX_ROWS = 1000;

/** Opens the database of a registry to read it; nothing is created or brought up to date. */
export async function openRegistryDatabase(place: string, runtime: Runtime): Promise<Database> {
  if (/^postgres(?:ql)?:\/\//.test(place)) {
    const { postgresDriver } = await import("../../store/sql/postgres.ts");
    return await Database.open(await postgresDriver(place), { migrate: false });
  }
  const info = await access("read", place, () => runtime.stat(place));
  if (info?.kind !== "file") {
    throw new AttestationError(
      "store-unavailable",
      `Cannot open database ${quote(place)}: ${
        info === undefined ? "it does not exist" : "it is no file"
      }`,
    );
  }
  const { sqliteDriver } = await import("../../store/sql/sqlite.ts");
  return await Database.open(sqliteDriver(place), { migrate: false });
}

/** The database of a registry as a source. */
export async function openDatabaseSource(
  place: string,
  runtime: Runtime,
): Promise<ProvenanceSource> {
  return databaseSource(await openRegistryDatabase(place, runtime));
}

/** A database as a source. */
export function databaseSource(db: Database): ProvenanceSource {
  const { kysely } = db;
  const named = (urn: string, rows: readonly { attestation_id: string; envelope: unknown }[]) =>
    rows.flatMap(({ attestation_id: id, envelope }): NamedAttestation[] => {
      const source = `${urn === "" ? "database" : urn} ${id}`;
      if (envelope instanceof Uint8Array) return [{ source, content: envelope }];
      throw new AttestationError(
        "store-unavailable",
        `Cannot read ${quote(id)} of the database: its envelope is in a store of blobs`,
      );
    });
  return {
    name: "the database",
    async byDigest(digest: DigestSet): Promise<NamedAttestation[]> {
      const found = new Map<string, NamedAttestation>();
      for (const [algorithm, value] of Object.entries(digest)) {
        const rows = await kysely.selectFrom("subjects")
          .innerJoin("provenance", "provenance.attestation_id", "subjects.attestation_id")
          .select(["provenance.attestation_id", "provenance.envelope"])
          .where("subjects.algorithm", "=", algorithm)
          .where("subjects.value", "=", String(value))
          .orderBy("provenance.attestation_id").limit(MAX_ROWS).execute();
        for (const one of named("", rows)) found.set(one.source, one);
      }
      return [...found.values()];
    },
    async byUrn(urn: string): Promise<UrnRecord | undefined> {
      const manifest = await kysely.selectFrom("manifests").select("digest")
        .where("urn", "=", urn).executeTakeFirst();
      if (manifest === undefined) return undefined;
      const rows = await kysely.selectFrom("provenance").select(["attestation_id", "envelope"])
        .where("urn", "=", urn).where("digest", "=", manifest.digest)
        .orderBy("attestation_id").limit(MAX_ROWS).execute();
      return {
        digest: { sha256: manifest.digest.slice("sha256:".length) },
        attestations: named(urn, rows),
      };
    },
    close: () => db.close(),
  };
}
