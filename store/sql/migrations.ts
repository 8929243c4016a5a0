import type { SqlDialect } from "./driver.ts";

/** A step from one version of the schema to the next; it is never changed once released. */
export interface Migration {
  /** From 1 on, without gaps. */
  readonly version: number;
  /** What it does. */
  readonly name: string;
  /** Its statements, which take effect together. */
  statements(dialect: SqlDialect): readonly string[];
}

/** Names of types that differ. Text is compared by its bytes everywhere. */
function typesOf(dialect: SqlDialect) {
  return dialect === "sqlite"
    ? { text: "text", integer: "integer", bytes: "blob", table: " strict" }
    : { text: 'text collate "C"', integer: "bigint", bytes: "bytea", table: "" };
}

/** All migrations, in order. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: "registry", statements: registry },
  { version: 2, name: "reverify", statements: reverify },
];

/** The table that tells which migrations were applied. */
export function versionTable(dialect: SqlDialect): string {
  const { text, integer, table } = typesOf(dialect);
  return `create table if not exists schema_version (
    version ${integer} not null primary key,
    name ${text} not null,
    applied_at ${integer} not null
  )${table}`;
}

function registry(dialect: SqlDialect): string[] {
  const { text, integer, bytes, table } = typesOf(dialect);
  const create = (name: string, columns: string[]) =>
    `create table ${name} (\n  ${columns.join(",\n  ")}\n)${table}`;
  const judged = [
    `verdict ${text} not null check (verdict in ('PASSED', 'FAILED', 'NONE'))`,
    `reason ${text} check ((verdict = 'FAILED') = (reason is not null))`,
  ];
  const summary = [
    ...judged,
    `builder ${text}`,
    `issuer ${text}`,
    `built_at ${text}`,
    `attestations ${integer} not null`,
  ];
  return [
    create("manifests", [
      `urn ${text} not null primary key`,
      `folded ${text} not null unique`,
      `revision ${integer} not null`,
      `version ${integer} not null`,
      `digest ${text} not null`,
      `created_at ${integer} not null`,
      `updated_at ${integer} not null`,
      ...summary,
    ]),
    "create index manifests_digest on manifests (digest, urn)",
    "create index manifests_builder on manifests (builder, urn)",
    "create index manifests_issuer on manifests (issuer, urn)",
    "create index manifests_verdict on manifests (verdict, urn)",
    create("manifest_versions", [
      `urn ${text} not null`,
      `version ${integer} not null`,
      `digest ${text} not null`,
      `card ${text} not null`,
      `sig ${text}`,
      `committed_at ${integer} not null`,
      `actor ${text} not null`,
      ...summary,
      "primary key (urn, version)",
    ]),
    "create index manifest_versions_digest on manifest_versions (digest)",
    create("provenance", [
      `urn ${text} not null`,
      `digest ${text} not null`,
      `attestation_id ${text} not null`,
      `version ${integer} not null`,
      `envelope ${bytes}`,
      `size ${integer} not null`,
      `format ${text} not null`,
      `payload_type ${text}`,
      `predicate_type ${text}`,
      `issuer ${text}`,
      `builder ${text}`,
      `built_at ${text}`,
      `committed_at ${integer} not null`,
      `build_tool ${text}`,
      `inputs ${text}`,
      `outputs ${text}`,
      ...judged,
      `decision_id ${text}`,
      "primary key (urn, digest, attestation_id)",
      // What came with a manifest has the decision about it.
      "check (urn = '' or (verdict <> 'NONE' and decision_id is not null))",
    ]),
    "create index provenance_attestation on provenance (attestation_id, urn, digest)",
    "create index provenance_history on provenance (urn, committed_at, attestation_id)",
    create("subjects", [
      `algorithm ${text} not null`,
      `value ${text} not null`,
      `attestation_id ${text} not null`,
      "primary key (algorithm, value, attestation_id)",
    ]),
    "create index subjects_attestation on subjects (attestation_id)",
    create("decisions", [
      `id ${text} not null primary key`,
      `decided_at ${integer} not null`,
      `actor ${text} not null`,
      `action ${text} not null`,
      `urn ${text}`,
      `digest ${text}`,
      `revision ${integer}`,
      `mode ${text}`,
      `policy_digest ${text}`,
      `outcome ${text} not null check (outcome in ('accepted', 'refused'))`,
      ...judged,
      `report ${text}`,
      // The lock of a manifest: of two changes with the same number one is refused.
      "unique (urn, revision)",
    ]),
    "create index decisions_time on decisions (decided_at, id)",
    create("verdicts", [
      `urn ${text} not null`,
      `digest ${text} not null`,
      `attestation_id ${text} not null`,
      `policy_digest ${text} not null`,
      `root_digest ${text} not null`,
      `library_version ${text} not null`,
      `evaluated_at ${integer} not null`,
      ...judged,
      "primary key (urn, digest, attestation_id, policy_digest, root_digest, library_version)",
    ]),
    create("api_keys", [
      `id ${text} not null primary key`,
      `hash ${text} not null unique`,
      `name ${text} not null`,
      `urn_prefix ${text} not null`,
      `created_at ${integer} not null`,
      `revoked_at ${integer}`,
    ]),
    create("documents", [
      `digest ${text} not null primary key`,
      `kind ${text} not null`,
      `content ${bytes} not null`,
      `created_at ${integer} not null`,
    ]),
    create("settings", [
      `name ${text} not null primary key`,
      `value ${text} not null`,
      `updated_at ${integer} not null`,
    ]),
    ...appendOnly(dialect, "decisions"),
  ];
}

/** Tables of those who judge anew: what they found, and who does what. */
function reverify(dialect: SqlDialect): string[] {
  const { text, integer, bytes, table } = typesOf(dialect);
  return [
    `create table reverify_files (
      name ${text} not null primary key,
      content ${bytes} not null
    )${table}`,
    `create table reverify_leases (
      name ${text} not null primary key,
      owner ${text} not null,
      until ${integer} not null
    )${table}`,
  ];
}

/** Refuses to change or remove rows, also to whoever has the right to. */
function appendOnly(dialect: SqlDialect, table: string): string[] {
  const message = `${table}: rows are added only`;
  if (dialect === "sqlite") {
    return ["update", "delete"].map((action) =>
      `create trigger ${table}_no_${action} before ${action} on ${table}
      begin select raise(abort, '${message}'); end`
    );
  }
  return [
    `create function ${table}_append_only() returns trigger language plpgsql as
    $$ begin raise exception '${message}'; end $$`,
    `create trigger ${table}_append_only before update or delete on ${table}
    for each row execute function ${table}_append_only()`,
  ];
}
