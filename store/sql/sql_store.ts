import { AttestationError } from "../../errors.ts";
import { printable } from "../../internal/json.ts";
import { limitOption, refuseUnknown } from "../../internal/options.ts";
import type { DigestSet } from "../../intoto/digest_set.ts";
import {
  CLAIM_LIMITS,
  contentId,
  copyContent,
  hexOfId,
  readClaims,
  subjectKeys,
  wantedKeys,
} from "../claims.ts";
import type {
  PrunableStore,
  PutResult,
  StoredAttestation,
  StoreEntry,
  StoreOptions,
} from "../store.ts";
import type { Compilable, Database } from "./database.ts";
import { attestationsAbout, subjectQueries } from "./subject_index.ts";

/** Options of {@linkcode createSqlStore}. */
export interface SqlStoreOptions {
  /** What it is called in reports. Default `sql`. */
  name?: string;
  /** Bytes of one attestation. Default 24 MiB. */
  maxBytes?: number;
  /** Subjects of one attestation. Default 10 000. */
  maxSubjects?: number;
  /** Attestations of one answer of `find`. Default 10 000. */
  maxFound?: number;
  /** The clock. Default: the system's. */
  now?: () => Date;
}

/** Envelopes that are read together. */
const PAGE = 50;

/**
 * The attestations in the database of a registry as a store: those of all manifests, and what
 * is put here without one. It verifies nothing of what is put, and says so (`NONE`).
 *
 * What came with a manifest cannot be removed: it is a record of the registry.
 *
 * @throws {TypeError} For an option that there is not.
 * @throws {RangeError} If a limit is no integer >= 1.
 *
 * @example
 * ```ts ignore
 * const db = await Database.open(sqliteDriver("registry.db"));
 * const store = createSqlStore(db);
 * ```
 */
export function createSqlStore(db: Database, options: SqlStoreOptions = {}): PrunableStore {
  refuseUnknown(
    options,
    ["name", "maxBytes", "maxSubjects", "maxFound", "now"],
    "createSqlStore()",
  );
  return new SqlStore(db, options);
}

class SqlStore implements PrunableStore {
  readonly name: string;
  readonly #db: Database;
  readonly #limits: typeof CLAIM_LIMITS;
  readonly #maxFound: number;
  readonly #now: () => Date;

  constructor(db: Database, options: SqlStoreOptions) {
    this.name = options.name ?? "sql";
    this.#db = db;
    this.#limits = {
      maxBytes: limitOption("maxBytes", options.maxBytes, CLAIM_LIMITS.maxBytes),
      maxSubjects: limitOption("maxSubjects", options.maxSubjects, CLAIM_LIMITS.maxSubjects),
    };
    this.#maxFound = limitOption("maxFound", options.maxFound, 10_000);
    this.#now = options.now ?? (() => new Date());
  }

  async put(given: Uint8Array, { signal }: StoreOptions = {}): Promise<PutResult> {
    signal?.throwIfAborted();
    // Its owner may go on writing into the buffer.
    const content = copyContent(given);
    const claims = await readClaims(content, this.#limits);
    const id = await contentId(content);
    const source = this.#sourceOf(id);
    const known = await this.#db.kysely.selectFrom("provenance").select("attestation_id")
      .where("attestation_id", "=", id).limit(1).executeTakeFirst();
    signal?.throwIfAborted();
    if (known !== undefined) return { id, created: false, source };
    const [{ changes }] = await this.#db.batch([
      await this.#insert(id, content, claims.predicateType),
      ...subjectQueries(this.#db, id, subjectKeys(claims)),
    ]);
    return { id, created: changes > 0, source };
  }

  async #insert(
    id: string,
    content: Uint8Array<ArrayBuffer>,
    predicateType: string | undefined,
  ): Promise<Compilable> {
    return this.#db.kysely.insertInto("provenance").values({
      ...{ urn: "", digest: "", attestation_id: id, version: 0, size: content.length },
      envelope: await this.#db.keepEnvelope(id, content),
      ...{ format: "unknown", payload_type: null, issuer: null, builder: null, built_at: null },
      predicate_type: predicateType === undefined ? null : printable(predicateType, 1024),
      committed_at: this.#now().getTime(),
      ...{ build_tool: null, inputs: null, outputs: null },
      ...{ verdict: "NONE", reason: null, decision_id: null },
    }).onConflict((conflict) => conflict.doNothing());
  }

  async find(
    subject: DigestSet,
    { signal }: StoreOptions = {},
  ): Promise<StoredAttestation[] | undefined> {
    const wanted = wantedKeys(subject);
    signal?.throwIfAborted();
    const rows = await attestationsAbout(this.#db, wanted)
      .orderBy("attestation_id").limit(this.#maxFound + 1).execute();
    if (rows.length > this.#maxFound) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot find attestations in ${this.name}: more than ${this.#maxFound} have the subject`,
      );
    }
    const found: StoredAttestation[] = [];
    for (let i = 0; i < rows.length; i += PAGE) {
      signal?.throwIfAborted();
      const ids = rows.slice(i, i + PAGE).map(({ attestation_id }) => attestation_id);
      for (const { id, content } of await this.#read(ids)) {
        found.push({ id, content, source: this.#sourceOf(id) });
      }
    }
    return found.length === 0 ? undefined : found;
  }

  /** Each attestation once, in the order of the ids; one that was removed meanwhile is left out. */
  async #read(ids: readonly string[]) {
    const rows = await this.#db.kysely.selectFrom("provenance as p")
      .select(["p.attestation_id", "p.envelope", "p.committed_at"])
      .where("p.attestation_id", "in", ids)
      // The same envelope may be there for several manifests.
      .where(({ not, exists, selectFrom }) =>
        not(exists(
          selectFrom("provenance as q").select("q.urn")
            .whereRef("q.attestation_id", "=", "p.attestation_id")
            .where(({ eb, ref, and, or }) =>
              or([
                eb("q.urn", "<", ref("p.urn")),
                and([eb("q.urn", "=", ref("p.urn")), eb("q.digest", "<", ref("p.digest"))]),
              ])
            ),
        ))
      )
      .orderBy("p.attestation_id").execute();
    return await Promise.all(rows.map(async (row) => ({
      id: row.attestation_id,
      content: await this.#db.envelopeOf(row),
      storedAt: new Date(row.committed_at),
    })));
  }

  async *list({ signal }: StoreOptions = {}): AsyncGenerator<StoreEntry> {
    for (let after = "";;) {
      signal?.throwIfAborted();
      const rows = await this.#db.kysely.selectFrom("provenance").select("attestation_id")
        .distinct().where("attestation_id", ">", after).orderBy("attestation_id").limit(PAGE)
        .execute();
      if (rows.length === 0) return;
      const ids = rows.map(({ attestation_id }) => attestation_id);
      for (const { id, content, storedAt } of await this.#read(ids)) {
        signal?.throwIfAborted();
        // What a permissive registry let in may be about nothing.
        const claims = await readClaims(content, this.#limits).catch(() => ({ subjects: [] }));
        yield { id, ...claims, size: content.length, source: this.#sourceOf(id), storedAt };
      }
      after = ids[ids.length - 1];
    }
  }

  async remove(id: string, { signal }: StoreOptions = {}): Promise<boolean> {
    hexOfId(id);
    signal?.throwIfAborted();
    const [{ changes }] = await this.#db.batch([
      this.#db.kysely.deleteFrom("provenance")
        .where("attestation_id", "=", id).where("urn", "=", ""),
      this.#db.kysely.deleteFrom("subjects").where("attestation_id", "=", id)
        .where(({ not, exists, selectFrom }) =>
          not(exists(
            selectFrom("provenance").select("urn")
              .where("attestation_id", "=", id).where("urn", "<>", ""),
          ))
        ),
    ]);
    return changes > 0;
  }

  #sourceOf(id: string): string {
    return `${this.name}#${id}`;
  }
}
