import { quote } from "../internal/json.ts";
import { Database } from "../store/sql/database.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import type { Runtime } from "./runtime.ts";

const DEFAULT_FILE = "registry.db";

/** Opens the database that `--db` names, and makes it if it is a file that is not there. */
export async function openDatabase(args: ParsedArgs, runtime: Runtime): Promise<Database> {
  const place = args.get("db") ?? runtime.env("ATTEST_DATABASE_URL") ?? DEFAULT_FILE;
  const poolSize = wholeNumber(args, "pool-size", 1, 1000);
  if (/^postgres(?:ql)?:\/\//.test(place)) {
    const { postgresDriver } = await import("../store/sql/postgres.ts");
    return await Database.open(
      await postgresDriver(place, poolSize === undefined ? {} : { poolSize }),
    );
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(place)) {
    throw usageError("--db is a file or postgres://…, no other address");
  }
  if (poolSize !== undefined) throw usageError("--pool-size is about PostgreSQL only");
  const { sqliteDriver } = await import("../store/sql/sqlite.ts");
  return await Database.open(sqliteDriver(place));
}

/** Value of an option that is a whole number. */
export function wholeNumber(
  args: ParsedArgs,
  name: string,
  min: number,
  max: number,
): number | undefined {
  const text = args.get(name);
  if (text === undefined) return undefined;
  const value = /^\d{1,12}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw usageError(`--${name} is a whole number from ${min} to ${max}, not ${quote(text)}`);
}
