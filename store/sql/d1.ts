import { normalizeRows, type SqlDriver, sqlFailure, type SqlStatement } from "./driver.ts";

/** The part of Cloudflare's `D1Database` that is needed. */
export interface D1Binding {
  /** Makes a statement ready. */
  prepare(sql: string): D1Statement;
  /** Runs statements in one transaction. */
  batch(statements: D1Statement[]): Promise<D1Answer[]>;
}

/** The part of `D1PreparedStatement` that is needed. */
export interface D1Statement {
  /** The statement with its values. */
  bind(...values: unknown[]): D1Statement;
  /** Runs it. */
  all(): Promise<D1Answer>;
}

/** The part of `D1Result` that is needed. */
export interface D1Answer {
  /** Rows. */
  results?: object[];
  /** What was written. */
  meta?: {
    /** Rows that were written. */
    changes?: number;
  };
}

/**
 * A database of Cloudflare D1, as a worker is given it.
 *
 * @example
 * ```ts ignore
 * const db = await Database.open(d1Driver(env.DB));
 * ```
 */
export function d1Driver(db: D1Binding): SqlDriver {
  const bind = ({ sql, parameters }: SqlStatement) => db.prepare(sql).bind(...parameters);
  const answerOf = ({ results = [], meta }: D1Answer) => ({
    rows: normalizeRows(results),
    changes: meta?.changes ?? 0,
  });
  return {
    dialect: "sqlite",
    async run(statement) {
      try {
        return answerOf(await bind(statement).all());
      } catch (error) {
        throw failure(error);
      }
    },
    async batch(statements) {
      try {
        return (await db.batch(statements.map(bind))).map(answerOf);
      } catch (error) {
        throw failure(error);
      }
    },
    close: () => Promise.resolve(),
  };
}

/** D1 tells by its words only what happened. */
function failure(error: unknown): Error {
  const text = error instanceof Error ? `${error.message} ${describeCause(error)}` : "";
  return sqlFailure(error, /UNIQUE constraint failed|SQLITE_BUSY/.test(text));
}

function describeCause({ cause }: Error): string {
  return cause instanceof Error ? cause.message : "";
}
