import { sql } from "kysely";
import { AttestationError } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";
import type { Json, JsonObject } from "../../internal/json.ts";
import { limitOption, refuseUnknown } from "../../internal/options.ts";
import type { DigestSet } from "../../intoto/digest_set.ts";
import { wantedKeys } from "../claims.ts";
import type { Database } from "./database.ts";
import type {
  ManifestTable,
  ManifestVersionTable,
  ProvenanceTable,
  RecordVerdict,
} from "./schema.ts";
import { attestationsAbout } from "./subject_index.ts";

/** What is known of the provenance of a manifest. */
export interface ProvenanceSummary {
  /** `builder.id`; null unless a signature of it was verified. */
  builder: string | null;
  /** Time of the build, RFC 3339; null unless a signature of it was verified. */
  timestamp: string | null;
  /** Who signed it: name of a trusted key, or identity of a certificate; null if nobody did. */
  issuer: string | null;
  /** What the policy found when it was committed. */
  verdict: RecordVerdict;
  /** Why it failed; null when it passed. */
  reason: string | null;
  /** How many attestations there are. */
  attestations: number;
}

/** A manifest of the registry. */
export interface Manifest {
  /** Its name. */
  urn: string;
  /** Number of the version, from 1 on. */
  version: number;
  /** Raised with each change of the manifest, also of its provenance alone. */
  revision: number;
  /** `sha256:` and hex of the canonical card. */
  digest: string;
  /** The card. */
  card: JsonObject;
  /** What came as `sig`; it is kept, never checked. */
  sig?: Json;
  /** When this version was committed. */
  committedAt: Date;
  /** When the first version was committed. */
  createdAt: Date;
  /** When the last change was committed. */
  updatedAt: Date;
  /** What the policy found when it was committed. */
  verdict: RecordVerdict;
  /** Why it failed; null when it passed. */
  reason: string | null;
  /** What is known of its provenance; null if there is none. */
  provenance: ProvenanceSummary | null;
}

/** A manifest in a list. */
export type ManifestEntry = Omit<Manifest, "card" | "sig" | "committedAt">;

/** One attestation of the registry, and what was found about it. */
export interface ProvenanceRecord {
  /** Name of the manifest. */
  urn: string;
  /** `sha256:` and hex of the canonical card. */
  digest: string;
  /** Version that it was first committed with. */
  version: number;
  /** `sha256:` and hex of the envelope. */
  id: string;
  /** The attestation, byte for byte. */
  envelope: Bytes;
  /** `dsse`, `sigstore-bundle`, `statement` or `unknown`. */
  format: string;
  /** Payload type of the envelope, as it states it. */
  payloadType: string | null;
  /** Predicate type, as it states it. */
  predicateType: string | null;
  /** Who signed: name of a trusted key, or identity of a certificate; null if that was not verified. */
  issuer: string | null;
  /** `builder.id`; null unless the signature was verified. */
  builder: string | null;
  /** Time of the build, RFC 3339; null unless the signature was verified. */
  timestamp: string | null;
  /** When it was committed. */
  committedAt: Date;
  /** Tool that built, as the payload states it. */
  buildTool: string | null;
  /** What went in, as the payload states it. */
  inputs: Json[];
  /** What came out, as the payload states it. */
  outputs: Json[];
  /** What was found when it was committed. */
  verdict: RecordVerdict;
  /** Why it failed; null when it passed. */
  reason: string | null;
}

/** A place in the history of a manifest. */
export interface HistoryPlace {
  /** When the record was committed. */
  committedAt: Date;
  /** Its id. */
  id: string;
  /** Its digest. */
  digest: string;
}

/** Options of {@linkcode getProvenance}. */
export interface HistoryOptions {
  /** Records at most. Default 1 000. */
  limit?: number;
  /** Those of this card only: `sha256:` and hex of its canonical form. Default: of all versions. */
  digest?: string;
  /** Begin behind this record: what is older. Default: with the newest. */
  before?: HistoryPlace;
  /** Stop before more bytes of envelopes than this; one record is always given. Default 64 MiB. */
  maxBytes?: number;
}

/** Which manifests are listed. */
export interface ManifestFilter {
  /** Urns that begin with this text. */
  prefix?: string;
  /** Urns that contain this text; lists are slower with it. */
  text?: string;
  /** `builder.id`, exact. */
  builder?: string;
  /** Issuer, exact. */
  issuer?: string;
  /** Verdict. */
  verdict?: RecordVerdict;
  /** Digest of the canonical card, `sha256:` and hex. */
  digest?: string;
  /** Begin behind this urn. */
  after?: string;
  /** Manifests at most. Default 100. */
  limit?: number;
}

const FILTERS = [
  ...["prefix", "text", "builder", "issuer", "verdict", "digest", "after", "limit"],
];

/**
 * A manifest, with the summary of its provenance.
 *
 * @param urn Its name.
 * @param options `version`: an older version; default the newest.
 * @returns The manifest, or undefined if there is none.
 * @throws {AttestationError} `store-unavailable`.
 * @throws {TypeError} If an option is unknown.
 */
export async function getManifest(
  db: Database,
  urn: string,
  options: { version?: number } = {},
): Promise<Manifest | undefined> {
  refuseUnknown(options, ["version"], "getManifest()");
  let query = db.kysely.selectFrom("manifests as m")
    .innerJoin("manifest_versions as v", "v.urn", "m.urn")
    .select(["m.urn", "m.revision", "m.created_at", "m.updated_at"])
    .select(["v.version", "v.digest", "v.card", "v.sig", "v.committed_at"])
    .select(["v.verdict", "v.reason", "v.builder", "v.issuer", "v.built_at", "v.attestations"])
    .where("m.urn", "=", urn);
  query = options.version === undefined
    ? query.whereRef("v.version", "=", "m.version")
    : query.where("v.version", "=", options.version);
  const row = await query.executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    ...entryOf(row),
    card: JSON.parse(row.card),
    ...(row.sig === null ? {} : { sig: JSON.parse(row.sig) }),
    committedAt: new Date(row.committed_at),
  };
}

/**
 * The attestations of a manifest, of all its versions: newest first.
 *
 * @throws {AttestationError} `store-unavailable`; `content-mismatch` if what is kept is not
 * what was put.
 */
export async function getProvenance(
  db: Database,
  urn: string,
  options: HistoryOptions = {},
): Promise<ProvenanceRecord[]> {
  refuseUnknown(options, ["limit", "digest", "before", "maxBytes"], "getProvenance()");
  const { before, digest } = options;
  const limit = limitOption("limit", options.limit, 1000);
  const maxBytes = limitOption("maxBytes", options.maxBytes, 64 << 20);
  let query = db.kysely.selectFrom("provenance").select(["digest", "attestation_id", "size"])
    .where("urn", "=", urn)
    .orderBy("committed_at", "desc").orderBy("attestation_id", "desc").orderBy("digest", "desc")
    .limit(limit);
  if (digest !== undefined) query = query.where("digest", "=", digest);
  if (before !== undefined) {
    const at = before.committedAt.getTime();
    query = query.where(({ eb, and, or }) =>
      or([
        eb("committed_at", "<", at),
        and([eb("committed_at", "=", at), eb("attestation_id", "<", before.id)]),
        and([
          eb("committed_at", "=", at),
          eb("attestation_id", "=", before.id),
          eb("digest", "<", before.digest),
        ]),
      ])
    );
  }
  return await recordsOf(db, (await query.execute()).map((row) => ({ ...row, urn })), maxBytes);
}

/**
 * The attestations about something with one of these digests, by their ids.
 *
 * What comes back states such a subject; its verdict is about the manifest that it came with.
 *
 * @param options `limit`: records at most, default 100; `after`: begin behind this record.
 * @throws {AttestationError} `invalid-digest`, `store-unavailable`, `content-mismatch`.
 * @throws {TypeError} If there is no digest to look for, or an option is unknown.
 * @throws {RangeError} If `limit` is no integer >= 1.
 */
export async function findProvenance(
  db: Database,
  subject: DigestSet,
  options: { limit?: number; after?: { id: string; urn: string; digest: string } } = {},
): Promise<ProvenanceRecord[]> {
  refuseUnknown(options, ["limit", "after"], "findProvenance()");
  const { after } = options;
  const limit = limitOption("limit", options.limit, 100);
  let query = db.kysely.selectFrom("provenance as p")
    .select(["p.urn", "p.digest", "p.attestation_id", "p.size"])
    .where("p.urn", "<>", "")
    .where("p.attestation_id", "in", attestationsAbout(db, wantedKeys(subject)))
    .orderBy("p.attestation_id").orderBy("p.urn").orderBy("p.digest").limit(limit);
  if (after !== undefined) {
    query = query.where(({ eb, and, or }) =>
      or([
        eb("p.attestation_id", ">", after.id),
        and([eb("p.attestation_id", "=", after.id), eb("p.urn", ">", after.urn)]),
        and([
          eb("p.attestation_id", "=", after.id),
          eb("p.urn", "=", after.urn),
          eb("p.digest", ">", after.digest),
        ]),
      ])
    );
  }
  return await recordsOf(db, await query.execute(), 64 << 20);
}

/**
 * Manifests in the order of their urns.
 *
 * @throws {AttestationError} `store-unavailable`.
 * @throws {TypeError} If an option is unknown.
 * @throws {RangeError} If `limit` is no integer >= 1.
 */
export async function listManifests(
  db: Database,
  filter: ManifestFilter = {},
): Promise<ManifestEntry[]> {
  refuseUnknown(filter, FILTERS, "listManifests()");
  const { prefix, text, builder, issuer, verdict, digest, after } = filter;
  const limit = limitOption("limit", filter.limit, 100);
  let query = db.kysely.selectFrom("manifests").selectAll().orderBy("urn").limit(limit);
  if (prefix !== undefined && prefix !== "") {
    // All characters of a urn are below this one.
    query = query.where("urn", ">=", prefix).where("urn", "<", `${prefix}\x7f`);
  }
  if (text !== undefined) {
    const pattern = `%${text.toLowerCase().replace(/[!%_]/g, "!$&")}%`;
    query = query.where(sql<boolean>`folded like ${pattern} escape '!'`);
  }
  if (builder !== undefined) query = query.where("builder", "=", builder);
  if (issuer !== undefined) query = query.where("issuer", "=", issuer);
  if (verdict !== undefined) query = query.where("verdict", "=", verdict);
  if (digest !== undefined) query = query.where("digest", "=", digest);
  if (after !== undefined) query = query.where("urn", ">", after);
  return (await query.execute()).map(entryOf);
}

type EntryRow =
  & Pick<ManifestTable, "urn" | "revision" | "created_at" | "updated_at">
  & Pick<ManifestVersionTable, "version" | "digest" | "verdict" | "reason" | "builder">
  & Pick<ManifestVersionTable, "issuer" | "built_at" | "attestations">;

function entryOf(row: EntryRow): ManifestEntry {
  const { builder, issuer, verdict, reason, attestations } = row;
  return {
    urn: row.urn,
    version: row.version,
    revision: row.revision,
    digest: row.digest,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
    verdict,
    reason,
    provenance: attestations === 0
      ? null
      : { builder, timestamp: row.built_at, issuer, verdict, reason, attestations },
  };
}

type RecordKey = Pick<ProvenanceTable, "urn" | "digest" | "attestation_id" | "size">;

/** Records that one statement asks for: three values each, and D1 takes a hundred. */
const RECORDS_AT_ONCE = 30;

/** Records with their envelopes, as many as there is room for. */
async function recordsOf(
  db: Database,
  keys: readonly RecordKey[],
  maxBytes: number,
): Promise<ProvenanceRecord[]> {
  let bytes = 0;
  const full = keys.findIndex(({ size }, i) => (bytes += size) > maxBytes && i > 0);
  const wanted = full < 0 ? keys : keys.slice(0, full);
  const records: ProvenanceRecord[] = [];
  for (let i = 0; i < wanted.length; i += RECORDS_AT_ONCE) {
    const some = wanted.slice(i, i + RECORDS_AT_ONCE);
    const rows = await db.kysely.selectFrom("provenance").selectAll()
      .where(({ eb, and, or }) =>
        or(some.map(({ urn, digest, attestation_id }) =>
          and([
            eb("urn", "=", urn),
            eb("digest", "=", digest),
            eb("attestation_id", "=", attestation_id),
          ])
        ))
      ).execute();
    const byKey = new Map(rows.map((row) => [keyOf(row), row]));
    for (const key of some) {
      const row = byKey.get(keyOf(key));
      if (row === undefined) {
        throw new AttestationError("store-unavailable", "Cannot read database: a record went away");
      }
      records.push(await recordOf(db, row));
    }
  }
  return records;
}

function keyOf({ urn, digest, attestation_id }: Omit<RecordKey, "size">): string {
  return `${urn} ${digest} ${attestation_id}`;
}

async function recordOf(db: Database, row: ProvenanceTable): Promise<ProvenanceRecord> {
  return {
    urn: row.urn,
    digest: row.digest,
    version: row.version,
    id: row.attestation_id,
    envelope: await db.envelopeOf(row),
    format: row.format,
    payloadType: row.payload_type,
    predicateType: row.predicate_type,
    issuer: row.issuer,
    builder: row.builder,
    timestamp: row.built_at,
    committedAt: new Date(row.committed_at),
    buildTool: row.build_tool,
    inputs: row.inputs === null ? [] : JSON.parse(row.inputs),
    outputs: row.outputs === null ? [] : JSON.parse(row.outputs),
    verdict: row.verdict,
    reason: row.reason,
  };
}
