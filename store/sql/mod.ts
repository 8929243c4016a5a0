/**
 * The tables of a registry in SQLite, PostgreSQL or D1: manifests, their provenance and the
 * audit. A driver for each kind of database is in a module of its own, such as
 * `@x/attest/store/sql/sqlite`.
 *
 * @module
 */

export {
  type ApiKey,
  createApiKey,
  findApiKey,
  listApiKeys,
  type NewApiKey,
  revokeApiKey,
} from "./api_keys.ts";
export { type Blobs, type Compilable, Database, type DatabaseOptions } from "./database.ts";
export { activateDocument, type ActiveDocument, activeDocument } from "./documents.ts";
export {
  type SqlAnswer,
  type SqlDialect,
  type SqlDriver,
  type SqlStatement,
  WriteConflict,
} from "./driver.ts";
export {
  findProvenance,
  getManifest,
  getProvenance,
  type HistoryOptions,
  type HistoryPlace,
  listManifests,
  type Manifest,
  type ManifestEntry,
  type ManifestFilter,
  type ProvenanceRecord,
  type ProvenanceSummary,
} from "./manifests.ts";
export type {
  ApiKeyTable,
  DecisionTable,
  DocumentTable,
  ManifestTable,
  ManifestVersionTable,
  ProvenanceTable,
  RecordVerdict,
  ReverifyFileTable,
  ReverifyLeaseTable,
  Schema,
  SchemaVersionTable,
  SettingTable,
  SubjectTable,
  VerdictTable,
} from "./schema.ts";
export { createSqlStore, type SqlStoreOptions } from "./sql_store.ts";
export { sqlLeases, sqlReverifySource, sqlVerdictFiles } from "./reverify.ts";
