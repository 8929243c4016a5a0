import { AttestationError } from "../../errors.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { safeNumber, type SqlDriver } from "./driver.ts";
import {
  inTransaction,
  type PostgresConnection,
  postgresFailure,
  runOn,
} from "./postgres_connection.ts";

/** Options of {@linkcode postgresDriver}. */
export interface PostgresOptions {
  /** Connections of this process. Default 4; more are not always faster, see docs/operations.md. */
  poolSize?: number;
  /** Milliseconds to wait for a connection. Default 5 000. */
  connectTimeoutMs?: number;
  /** Milliseconds after which the server gives a statement up. Default 30 000. */
  statementTimeoutMs?: number;
}

interface PooledConnection extends PostgresConnection {
  release(destroy?: boolean): void;
}

interface Pool extends PostgresConnection {
  connect(): Promise<PooledConnection>;
  end(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): void;
}

const DEFAULT_POOL_SIZE = 4;
const INT8 = 20;
/**
 * A database of PostgreSQL, or what speaks its language, by `pg` from npm.
 *
 * Connections are made when they are needed, and anew when one is lost: a database that comes
 * back is used again without a restart.
 *
 * @param url `postgres://user:password@host:port/database`. It is in no message.
 * @throws {AttestationError} `store-unavailable` if the URL is none.
 */
export async function postgresDriver(
  url: string,
  options: PostgresOptions = {},
): Promise<SqlDriver> {
  const known = ["poolSize", "connectTimeoutMs", "statementTimeoutMs"];
  refuseUnknown(options, known, "postgresDriver()");
  const {
    poolSize = DEFAULT_POOL_SIZE,
    connectTimeoutMs = 5000,
    statementTimeoutMs = 30_000,
  } = options;
  if (!/^postgres(?:ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new AttestationError(
      "store-unavailable",
      "Cannot open database: its URL is not of the form postgres://user@host/database",
    );
  }
  const { default: pg } = await import("pg");
  const pool: Pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + connectTimeoutMs,
    types: {
      getTypeParser: (oid: number, format?: string) =>
        oid === INT8 ? safeNumber : pg.types.getTypeParser(oid, format as "text" | undefined),
    },
  });
  // A connection that was lost while nobody used it: the pool has removed it already.
  pool.on("error", () => {});

  return {
    dialect: "postgres",
    async run(statement) {
      try {
        return await runOn(pool, statement);
      } catch (error) {
        throw postgresFailure(error);
      }
    },
    async batch(statements) {
      let connection: PooledConnection | undefined;
      let isBroken = false;
      try {
        connection = await pool.connect();
        return await inTransaction(connection, statements, () => isBroken = true);
      } catch (error) {
        throw postgresFailure(error);
      } finally {
        connection?.release(isBroken);
      }
    },
    async close() {
      await pool.end();
    },
  };
}
