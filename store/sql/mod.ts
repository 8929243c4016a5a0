/**
 * The tables of a registry in SQLite, PostgreSQL or D1.
 *
 * @module
 */

export { type Compilable, Database, type DatabaseOptions } from "./database.ts";
export {
  type SqlAnswer,
  type SqlDialect,
  type SqlDriver,
  type SqlStatement,
  type SqlValue,
  WriteConflict,
} from "./driver.ts";
export type {
  ApiKeyTable,
  DecisionTable,
  DocumentTable,
  ManifestTable,
  ManifestVersionTable,
  ProvenanceTable,
  ReverifyFileTable,
  ReverifyLeaseTable,
  Schema,
  SchemaVersionTable,
  SettingTable,
  SubjectTable,
  Verdict,
  VerdictTable,
} from "./schema.ts";
export { sqlLeases, sqlReverifySource, sqlVerdictFiles } from "./reverify.ts";
