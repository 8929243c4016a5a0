import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { refuseUnknown } from "../../internal/options.ts";
import {
  normalizeRows,
  type SqlAnswer,
  type SqlDriver,
  sqlFailure,
  type SqlStatement,
  WriteConflict,
} from "./driver.ts";

/** Options of {@linkcode sqliteDriver}. */
export interface SqliteOptions {
  /** Milliseconds to wait for another process that writes. Default 5 000. */
  busyTimeoutMs?: number;
}

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_CONSTRAINT_PRIMARYKEY = 1555;
const SQLITE_CONSTRAINT_UNIQUE = 2067;
/** Pages that are kept in memory; SQLite's own 2 MiB are too few for large tables. */
const CACHE_KIB = 64 << 10;
/** Compiled statements that are kept. */
const MAX_PREPARED = 200;

/**
 * A database in a file, or `:memory:`, of the runtime's own SQLite. What was committed
 * survives the end of the process and of the machine (`synchronous = full`).
 *
 * @throws {AttestationError} `store-unavailable` if the file cannot be opened or is none.
 */
export function sqliteDriver(path: string, options: SqliteOptions = {}): SqlDriver {
  refuseUnknown(options, ["busyTimeoutMs"], "sqliteDriver()");
  const { busyTimeoutMs = 5000 } = options;
  let db: DatabaseSync;
  try {
    db = new DatabaseSync(path);
    db.exec(`pragma busy_timeout = ${Math.trunc(busyTimeoutMs)}`);
    db.exec("pragma journal_mode = wal");
    db.exec("pragma synchronous = full");
    db.exec(`pragma cache_size = -${CACHE_KIB}`);
  } catch (error) {
    throw failure(error);
  }
  const prepared = new Map<string, StatementSync>();

  function execute({ sql, parameters }: SqlStatement): SqlAnswer {
    let statement = prepared.get(sql);
    if (statement === undefined) {
      statement = db.prepare(sql);
      if (prepared.size >= MAX_PREPARED) prepared.clear();
      prepared.set(sql, statement);
    }
    const values = parameters as readonly SQLInputValue[];
    if (statement.columns().length > 0) {
      const rows = normalizeRows(statement.all(...values));
      return { rows, changes: rows.length };
    }
    return { rows: [], changes: Number(statement.run(...values).changes) };
  }

  return {
    dialect: "sqlite",
    // deno-lint-ignore require-await
    async run(statement) {
      try {
        return execute(statement);
      } catch (error) {
        throw failure(error);
      }
    },
    // deno-lint-ignore require-await
    async batch(statements) {
      try {
        db.exec("begin immediate");
        try {
          const answers = statements.map(execute);
          db.exec("commit");
          return answers;
        } catch (error) {
          if (db.isTransaction) db.exec("rollback");
          throw error;
        }
      } catch (error) {
        throw failure(error);
      }
    },
    // deno-lint-ignore require-await
    async close() {
      prepared.clear();
      if (db.isOpen) db.close();
    },
  };
}

function failure(error: unknown): Error {
  if (error instanceof WriteConflict) return error;
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) : 0;
  const isConflict = code === SQLITE_CONSTRAINT_PRIMARYKEY || code === SQLITE_CONSTRAINT_UNIQUE ||
    (code & 0xff) === SQLITE_BUSY || (code & 0xff) === SQLITE_LOCKED;
  return sqlFailure(error, isConflict);
}
