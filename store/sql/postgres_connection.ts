import {
  normalizeRows,
  type SqlAnswer,
  sqlFailure,
  type SqlStatement,
  WriteConflict,
} from "./driver.ts";

/** The part of a connection that is needed; that of `pg`, and of what looks like it. */
export interface PostgresConnection {
  /** Runs a statement. */
  query(
    sql: string,
    values: unknown[],
  ): Promise<{ rows: object[]; rowCount?: number | null; affectedRows?: number }>;
}

/** unique_violation; serialization_failure, deadlock_detected: another writer was faster. */
const CONFLICTS: ReadonlySet<unknown> = new Set(["23505", "40001", "40P01"]);

/**
 * Runs statements on one connection, all or none.
 *
 * @param onBroken Called if nobody knows in which state the connection is left.
 */
export async function inTransaction(
  connection: PostgresConnection,
  statements: readonly SqlStatement[],
  onBroken: () => void,
): Promise<SqlAnswer[]> {
  const answers: SqlAnswer[] = [];
  try {
    await connection.query("begin", []);
    for (const statement of statements) answers.push(await runOn(connection, statement));
    await connection.query("commit", []);
    return answers;
  } catch (error) {
    try {
      await connection.query("rollback", []);
    } catch {
      onBroken();
    }
    throw error;
  }
}

/** Runs one statement. */
export async function runOn(
  connection: PostgresConnection,
  { sql, parameters }: SqlStatement,
): Promise<SqlAnswer> {
  const { rows, rowCount, affectedRows } = await connection.query(sql, [...parameters]);
  return { rows: normalizeRows(rows), changes: rowCount ?? affectedRows ?? 0 };
}

/** The failure of a statement, by the code that PostgreSQL gives. */
export function postgresFailure(error: unknown): Error {
  if (error instanceof WriteConflict) return error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return sqlFailure(error, CONFLICTS.has(code));
}
