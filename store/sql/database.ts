import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { AttestationError } from "../../errors.ts";
import { asBytes, type Bytes } from "../../internal/bytes.ts";
import { digest } from "../../internal/digest.ts";
import { encodeHex } from "../../internal/hex.ts";
import { refuseUnknown } from "../../internal/options.ts";
import type { SqlAnswer, SqlDialect, SqlDriver, SqlStatement } from "./driver.ts";
import { WriteConflict } from "./driver.ts";
import { MIGRATIONS, versionTable } from "./migrations.ts";
import type { ProvenanceTable, Schema } from "./schema.ts";

/** What Kysely's builders become. */
export interface Compilable {
  /** Text and values. */
  compile(): SqlStatement;
}

/** Options of {@linkcode Database.open}. */
export interface DatabaseOptions {
  /** The clock. Default: the system's. */
  now?: () => Date;
  /** Bring an older schema up to date. Default true; false refuses one. */
  migrate?: boolean;
  /** Keeps envelopes that are too large for a row. Default: the database keeps all. */
  blobs?: Blobs;
}

/** Keeps bytes under their digest, such as R2 or S3. Both methods throw if it cannot be asked. */
export interface Blobs {
  /** Keeps bytes under `sha256:` and hex; when it resolves they are durable. */
  put(id: string, content: Bytes): Promise<void>;
  /** The bytes, or undefined if there are none. */
  get(id: string): Promise<Uint8Array | undefined>;
}

/** Bytes of an envelope that a row holds where there is another place. */
const MAX_INLINE_BYTES = 64 << 10;

/** Tries to bring the schema up to date while others do the same. */
const MIGRATION_TRIES = 5;

/**
 * The tables of a registry in a database of any kind.
 *
 * Single statements go through {@linkcode Database.kysely}; what must take effect together is
 * a list for {@linkcode Database.batch}. Both throw `WriteConflict` if a key was there already
 * or another writer was faster, and `store-unavailable` for all else.
 */
export class Database {
  /**
   * Builds statements, and runs single ones. It has no transactions: see `batch()`.
   *
   * @internal
   */
  readonly kysely: Kysely<Schema>;
  readonly #driver: SqlDriver;
  readonly #blobs: Blobs | undefined;

  private constructor(driver: SqlDriver, blobs: Blobs | undefined) {
    this.#driver = driver;
    this.#blobs = blobs;
    this.kysely = new Kysely<Schema>({ dialect: new DriverDialect(driver) });
  }

  /**
   * Takes a driver, and brings its schema up to date.
   *
   * @throws {AttestationError} `store-unavailable`; also if the schema is newer than this
   * program, or older and `migrate` is false.
   */
  static async open(driver: SqlDriver, options: DatabaseOptions = {}): Promise<Database> {
    refuseUnknown(options, ["now", "migrate", "blobs"], "Database.open()");
    const { now = () => new Date(), migrate = true, blobs } = options;
    await bringUpToDate(driver, now, migrate);
    return new Database(driver, blobs);
  }

  /** The language of its statements. */
  get dialect(): SqlDialect {
    return this.#driver.dialect;
  }

  /** Runs all statements in one transaction, which is durable when the promise resolves. */
  batch(queries: readonly Compilable[]): Promise<SqlAnswer[]> {
    return this.#driver.batch(queries.map((query) => query.compile()));
  }

  /**
   * The column `envelope` of an attestation that is about to be written. What does not go into
   * the row is kept elsewhere before this resolves: a row never names what is not there.
   */
  async keepEnvelope(id: string, content: Bytes): Promise<Bytes | null> {
    if (this.#blobs === undefined || content.length <= MAX_INLINE_BYTES) return content;
    try {
      await this.#blobs.put(id, content);
    } catch (cause) {
      throw new AttestationError("store-unavailable", "Cannot keep envelope", { cause });
    }
    return null;
  }

  /**
   * The bytes of an attestation, as they were put.
   *
   * @throws {AttestationError} `store-unavailable`; `content-mismatch` if they are others.
   */
  async envelopeOf(
    { envelope, attestation_id: id }: Pick<ProvenanceTable, "envelope" | "attestation_id">,
  ): Promise<Bytes> {
    const content = envelope ?? await this.#blobOf(id);
    if (`sha256:${encodeHex(await digest("SHA-256", content))}` === id) return asBytes(content);
    throw new AttestationError("content-mismatch", `Cannot read envelope ${id}: it was altered`);
  }

  async #blobOf(id: string): Promise<Uint8Array> {
    let content: Uint8Array | undefined;
    try {
      content = await this.#blobs?.get(id);
    } catch (cause) {
      throw new AttestationError("store-unavailable", `Cannot read envelope ${id}`, { cause });
    }
    if (content !== undefined) return content;
    throw new AttestationError("store-unavailable", `Cannot read envelope ${id}: it is missing`);
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return this.#driver.close();
  }
}

async function bringUpToDate(
  driver: SqlDriver,
  now: () => Date,
  migrate: boolean,
): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      if (migrate) await driver.run(statement(versionTable(driver.dialect)));
      const version = await versionOf(driver);
      const newest = MIGRATIONS.length;
      if (version > newest) {
        throw unusable(`its schema has version ${version}, this program knows ${newest}`);
      }
      const missing = MIGRATIONS.slice(version);
      if (missing.length === 0) return;
      if (!migrate) throw unusable(`its schema has version ${version}, wanted ${newest}`);
      for (const { version, name, statements } of missing) {
        const insert = "insert into schema_version (version, name, applied_at) values ";
        const place = driver.dialect === "sqlite" ? "(?, ?, ?)" : "($1, $2, $3)";
        await driver.batch([
          statement(insert + place, [version, name, now().getTime()]),
          ...statements(driver.dialect).map((sql) => statement(sql)),
        ]);
      }
      return;
    } catch (error) {
      // Another process does the same; one of both is refused, and finds it done.
      if (!(error instanceof WriteConflict) || tries >= MIGRATION_TRIES) throw error;
    }
  }
}

async function versionOf(driver: SqlDriver): Promise<number> {
  const newest = "select max(version) as version from schema_version";
  const { rows } = await driver.run(statement(newest));
  return Number(rows[0]?.version ?? 0);
}

function statement(sql: string, parameters: readonly unknown[] = []): SqlStatement {
  return { sql, parameters };
}

function unusable(what: string): AttestationError {
  return new AttestationError("store-unavailable", `Cannot use database: ${what}`);
}

class DriverDialect implements Dialect {
  readonly #driver: SqlDriver;

  constructor(driver: SqlDriver) {
    this.#driver = driver;
  }

  createDriver(): Driver {
    const connection = new DriverConnection(this.#driver);
    const noTransaction = () => Promise.reject(new TypeError("Use Database.batch()"));
    return {
      init: () => Promise.resolve(),
      acquireConnection: () => Promise.resolve(connection),
      releaseConnection: () => Promise.resolve(),
      beginTransaction: noTransaction,
      commitTransaction: noTransaction,
      rollbackTransaction: noTransaction,
      destroy: () => this.#driver.close(),
    };
  }

  createQueryCompiler(): QueryCompiler {
    return this.#driver.dialect === "sqlite"
      ? new SqliteQueryCompiler()
      : new PostgresQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return this.#driver.dialect === "sqlite" ? new SharedSqliteAdapter() : new PostgresAdapter();
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return this.#driver.dialect === "sqlite"
      ? new SqliteIntrospector(db)
      : new PostgresIntrospector(db);
  }
}

/**
 * Statements do not wait for each other: the driver decides. Kysely's own lock for SQLite would
 * make every statement after one failure wait for ever.
 */
class SharedSqliteAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class DriverConnection implements DatabaseConnection {
  readonly #driver: SqlDriver;

  constructor(driver: SqlDriver) {
    this.#driver = driver;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes } = await this.#driver.run(query);
    return { rows: rows as R[], numAffectedRows: BigInt(changes) };
  }

  // deno-lint-ignore require-yield
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new TypeError("Use pages instead of a stream");
  }
}
