import { PGlite } from "@electric-sql/pglite";
import { Miniflare } from "miniflare";
import { type D1Binding, d1Driver } from "../../store/sql/d1.ts";
import type { SqlAnswer, SqlDriver } from "../../store/sql/driver.ts";
import { postgresDriver } from "../../store/sql/postgres.ts";
import {
  type PostgresConnection,
  postgresFailure,
  runOn,
} from "../../store/sql/postgres_connection.ts";
import { sqliteDriver } from "../../store/sql/sqlite.ts";
import { hasPostgres, type PostgresServer, startPostgres } from "./postgres_server.ts";

/** A kind of database that the same tests run on. */
export interface TestDatabases {
  /** What it is called. */
  readonly name: string;
  /** Why it cannot be used here, if it cannot. */
  readonly missing?: string;
  /** Opens an empty database. */
  open(): Promise<SqlDriver>;
  /** Ends everything. */
  dispose(): Promise<void>;
}

/** SQLite of the runtime, each database in memory. */
function sqlite(): TestDatabases {
  return {
    name: "node:sqlite",
    open: () => Promise.resolve(sqliteDriver(":memory:")),
    dispose: () => Promise.resolve(),
  };
}

/** PostgreSQL in WebAssembly. */
export function pgliteDriver(db: PGlite): SqlDriver {
  const connection = db as unknown as PostgresConnection;
  return {
    dialect: "postgres",
    async run(statement) {
      try {
        return await runOn(connection, statement);
      } catch (error) {
        throw postgresFailure(error);
      }
    },
    async batch(statements) {
      try {
        return await db.transaction(async (transaction) => {
          const answers: SqlAnswer[] = [];
          for (const statement of statements) {
            answers.push(await runOn(transaction as PostgresConnection, statement));
          }
          return answers;
        });
      } catch (error) {
        throw postgresFailure(error);
      }
    },
    close: () => Promise.resolve(),
  };
}

function pglite(): TestDatabases {
  let count = 0;
  let db: PGlite | undefined;
  return {
    name: "PGlite",
    async open() {
      db ??= await PGlite.create();
      // A schema of its own is as good as an empty database, and takes no seconds to start.
      await db.exec(`create schema s${++count}; set search_path to s${count}`);
      return pgliteDriver(db);
    },
    async dispose() {
      await db?.close();
    },
  };
}

/**
 * One call after the other: miniflare's way from its host into the worker has lost objects of
 * calls that overlap, on a busy machine. In a worker there is no such way.
 */
function inTurn(driver: SqlDriver): SqlDriver {
  let last: Promise<unknown> = Promise.resolve();
  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work, work);
    last = mine.catch(() => {});
    return mine;
  };
  return {
    ...driver,
    run: (statement) => queued(() => driver.run(statement)),
    batch: (statements) => queued(() => driver.batch(statements)),
  };
}

function d1(): TestDatabases {
  const NAMES = Array.from({ length: 64 }, (_, i) => `DB${i}`);
  let worker: Miniflare | undefined;
  let next = 0;
  return {
    name: "D1",
    async open() {
      worker ??= new Miniflare({
        modules: true,
        script: "export default { fetch() { return new Response() } }",
        compatibilityDate: "2026-07-01",
        d1Databases: NAMES,
      });
      return inTurn(d1Driver(await worker.getD1Database(NAMES[next++]) as unknown as D1Binding));
    },
    async dispose() {
      await worker?.dispose();
    },
  };
}

/** A server of Debian's packages, where it is installed; it starts when it is first needed. */
function postgres(): TestDatabases {
  let server: Promise<PostgresServer> | undefined;
  const start = async (): Promise<PostgresServer> => {
    const started = await startPostgres();
    if ("missing" in started) throw new Error(started.missing);
    return started;
  };
  return {
    name: "PostgreSQL",
    ...(hasPostgres() ? {} : { missing: "no PostgreSQL below /usr/lib/postgresql" }),
    async open() {
      server ??= start();
      return await postgresDriver(await (await server).createDatabase());
    },
    async dispose() {
      await (await server)?.dispose();
    },
  };
}

/** All kinds of databases. */
export function testDatabases(): TestDatabases[] {
  return [sqlite(), pglite(), d1(), postgres()];
}
