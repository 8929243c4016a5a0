import { AttestationError } from "../../errors.ts";
import { printable } from "../../internal/json.ts";

/** What goes into a statement; times are Unix milliseconds. */
export type SqlValue = string | number | null | Uint8Array;

/** A statement and the values of its placeholders, as Kysely compiles it. */
export interface SqlStatement {
  /** Text, in the placeholders of the dialect. */
  readonly sql: string;
  /** Values, in order. */
  readonly parameters: readonly unknown[];
}

/** What a statement answered. */
export interface SqlAnswer {
  /** Rows, for what has any: integers are numbers, bytes are `Uint8Array`. */
  readonly rows: Record<string, unknown>[];
  /** Rows that were written. */
  readonly changes: number;
}

/** Languages that the statements are written in. */
export type SqlDialect = "sqlite" | "postgres";

/**
 * A database, reduced to what every kind of it can do: single statements, and lists of
 * statements that take effect together or not at all. There is no open transaction to read in
 * between, because D1 has none: a condition is a key that must not exist yet.
 *
 * Every method throws {@linkcode WriteConflict} if a key was there already or another writer
 * was faster, and `AttestationError` `store-unavailable` for all else.
 */
export interface SqlDriver {
  /** The language of its statements. */
  readonly dialect: SqlDialect;
  /** Runs one statement. */
  run(statement: SqlStatement): Promise<SqlAnswer>;
  /** Runs all of them in one transaction; it is durable when the promise resolves. */
  batch(statements: readonly SqlStatement[]): Promise<SqlAnswer[]>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** Nothing was written: a key was there already, or another writer was faster. */
export class WriteConflict extends Error {
  /** Name of the class, also across realms. */
  override readonly name = "WriteConflict";
}

/** The failure of a statement, as a driver throws it. */
export function sqlFailure(cause: unknown, isConflict: boolean): Error {
  const what = cause instanceof Error ? printable(cause.message, 160) : "no answer";
  if (isConflict) return new WriteConflict(`Cannot write: ${what}`, { cause });
  return new AttestationError("store-unavailable", `Cannot ask database: ${what}`, { cause });
}

/** Rows with the same types from every driver. */
export function normalizeRows(rows: readonly object[]): Record<string, unknown>[] {
  return rows.map((row) => {
    const normal: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(row)) normal[name] = normalizeValue(value);
    return normal;
  });
}

function normalizeValue(value: unknown): unknown {
  if (typeof value === "bigint") return safeNumber(value);
  // D1 answers with arrays of numbers; `pg` with a subclass of Uint8Array.
  if (Array.isArray(value) || value instanceof ArrayBuffer) return new Uint8Array(value);
  if (value instanceof Uint8Array && value.constructor !== Uint8Array) {
    return new Uint8Array(value);
  }
  return value;
}

/** A 64-bit integer as a number; no column holds one that is larger. */
export function safeNumber(value: bigint | string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new AttestationError("store-unavailable", "Cannot read database: an integer is too large");
}
