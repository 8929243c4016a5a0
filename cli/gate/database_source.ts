import { AttestationError } from "../../errors.ts";
import { quote } from "../../internal/json.ts";
import type { DigestSet } from "../../intoto/digest_set.ts";
import { Database } from "../../store/sql/database.ts";
import { findProvenance, getManifest, getProvenance } from "../../store/sql/manifests.ts";
import type { NamedAttestation } from "../attestations.ts";
import { access, type Runtime } from "../runtime.ts";
import type { ProvenanceSource, UrnRecord } from "./sources.ts";

/** Attestations of one subject that are read. */
const MAX_RECORDS = 1000;

/** Opens the database of a registry that is there. */
export async function openRegistryDatabase(
  place: string,
  runtime: Runtime,
  options: { migrate: boolean } = { migrate: false },
): Promise<Database> {
  if (/^postgres(?:ql)?:\/\//.test(place)) {
    const { postgresDriver } = await import("../../store/sql/postgres.ts");
    return await Database.open(await postgresDriver(place), options);
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
  return await Database.open(sqliteDriver(place), options);
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
  const named = (records: readonly { urn: string; id: string; envelope: Uint8Array }[]) =>
    records.map(({ urn, id, envelope }): NamedAttestation => ({
      source: `${urn === "" ? "database" : urn} ${id}`,
      content: envelope,
    }));
  return {
    name: "the database",
    async byDigest(digest: DigestSet): Promise<NamedAttestation[]> {
      return named(await findProvenance(db, digest, { limit: MAX_RECORDS }));
    },
    async byUrn(urn: string): Promise<UrnRecord | undefined> {
      const manifest = await getManifest(db, urn);
      if (manifest === undefined) return undefined;
      const records = await getProvenance(db, urn, { limit: MAX_RECORDS });
      return {
        digest: { sha256: manifest.digest.slice("sha256:".length) },
        attestations: named(records.filter(({ digest }) => digest === manifest.digest)),
      };
    },
    close: () => db.close(),
  };
}
