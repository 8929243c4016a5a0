/** Tables of the registry, as Kysely knows them. Times are Unix milliseconds. */
export interface Schema {
  /** Migrations that were applied. */
  schema_version: SchemaVersionTable;
  /** The manifest of each urn, as it is now. */
  manifests: ManifestTable;
  /** The cards of each urn, all versions. */
  manifest_versions: ManifestVersionTable;
  /** Attestations, each beside the manifest that it came with. */
  provenance: ProvenanceTable;
  /** Attestations by the digests of their subjects. */
  subjects: SubjectTable;
  /** Audit: what was decided, by which policy. Rows are added only. */
  decisions: DecisionTable;
  /** What later evaluations found. */
  verdicts: VerdictTable;
  /** API keys. */
  api_keys: ApiKeyTable;
  /** Policies, keys and roots that are kept in the database. */
  documents: DocumentTable;
  /** Which of the documents are in force. */
  settings: SettingTable;
  /** Verdict files of those who judge anew. */
  reverify_files: ReverifyFileTable;
  /** Who judges which segment. */
  reverify_leases: ReverifyLeaseTable;
}

/** One row per verdict file. */
export interface ReverifyFileTable {
  /** Primary key: the digest of all that it depends on. */
  name: string;
  /** Byte for byte. */
  content: Uint8Array;
}

/** One row per segment that somebody works on. */
export interface ReverifyLeaseTable {
  /** Primary key: name of the verdict file. */
  name: string;
  /** Who has it. */
  owner: string;
  /** Until when, Unix milliseconds. */
  until: number;
}

/** One row per migration. */
export interface SchemaVersionTable {
  /** Number of the migration, from 1 on. */
  version: number;
  /** What it is called. */
  name: string;
  /** When it was applied. */
  applied_at: number;
}

/** One row per urn: the newest version, and what is known of its provenance. */
export interface ManifestTable {
  /** Primary key. */
  urn: string;
  /** The urn in lower case; unique, so that no other one looks like it. */
  folded: string;
  /** Raised by 1 with each change, also of the provenance alone. */
  revision: number;
  /** Number of the newest version. */
  version: number;
  /** `sha256:` and hex of its canonical card. */
  digest: string;
  /** When the first version was committed. */
  created_at: number;
  /** When the last change was committed. */
  updated_at: number;
  /** Verdict of the last decision that was accepted for this version. */
  verdict: RecordVerdict;
  /** Why it failed; null when it passed. */
  reason: string | null;
  /** `builder.id` of verified provenance; null where there is none. */
  builder: string | null;
  /** Who signed it: name of a trusted key, or identity of a certificate. */
  issuer: string | null;
  /** RFC 3339 time of the build, of verified provenance. */
  built_at: string | null;
  /** Attestations of this version. */
  attestations: number;
}

/** One row per version of a card; the primary key is `(urn, version)`. */
export interface ManifestVersionTable {
  /** Whose card. */
  urn: string;
  /** From 1 on, without gaps. */
  version: number;
  /** `sha256:` and hex of the canonical card. */
  digest: string;
  /** The card, canonical JSON (RFC 8785). */
  card: string;
  /** What came as `sig`, JSON; it is kept, never checked. */
  sig: string | null;
  /** When it was committed. */
  committed_at: number;
  /** API key that wrote it. */
  actor: string;
  /** Verdict of the last decision that was accepted for it. */
  verdict: RecordVerdict;
  /** Why it failed; null when it passed. */
  reason: string | null;
  /** `builder.id` of verified provenance; null where there is none. */
  builder: string | null;
  /** Who signed it: name of a trusted key, or identity of a certificate. */
  issuer: string | null;
  /** RFC 3339 time of the build, of verified provenance. */
  built_at: string | null;
  /** Its attestations. */
  attestations: number;
}

/**
 * One row per attestation of a card; the primary key is `(urn, digest, attestation_id)`. The
 * urn and the digest are empty for what was put without a manifest.
 */
export interface ProvenanceTable {
  /** Whose. */
  urn: string;
  /** `sha256:` and hex of the canonical card that it is about. */
  digest: string;
  /** `sha256:` and hex of the envelope. */
  attestation_id: string;
  /** Version that it was first committed with; 0 without a manifest. */
  version: number;
  /** The attestation, byte for byte; null where a store of blobs keeps it under its id. */
  envelope: Uint8Array | null;
  /** Bytes of the envelope. */
  size: number;
  /** `dsse`, `sigstore-bundle`, … */
  format: string;
  /** Payload type of the envelope. */
  payload_type: string | null;
  /** Predicate type of the Statement, as it states it. */
  predicate_type: string | null;
  /** Who signed, where that was verified. */
  issuer: string | null;
  /** `builder.id`, where the signature was verified. */
  builder: string | null;
  /** RFC 3339 time of the build, where the signature was verified. */
  built_at: string | null;
  /** When it was committed. */
  committed_at: number;
  /** Tool that built, as the payload states it. */
  build_tool: string | null;
  /** What went in: JSON list. */
  inputs: string | null;
  /** What came out: JSON list. */
  outputs: string | null;
  /** What was found when it was committed. */
  verdict: RecordVerdict;
  /** Why it failed; null when it passed or was not judged. */
  reason: string | null;
  /** The decision that let it in; null without a manifest. */
  decision_id: string | null;
}

/** One row per subject digest; the primary key is all of it. */
export interface SubjectTable {
  /** Name of the algorithm, such as `sha256`. */
  algorithm: string;
  /** Value, lowercase where it is hex. */
  value: string;
  /** `sha256:` and hex of the envelope. */
  attestation_id: string;
}

/** One row per decision. Nothing changes or removes a row. */
export interface DecisionTable {
  /** Primary key: a random UUID. */
  id: string;
  /** When. */
  decided_at: number;
  /** API key, or what else acted. */
  actor: string;
  /** `put`, `key-created`, `key-revoked`, `policy-changed`, … */
  action: string;
  /** About which urn, where it is about one. */
  urn: string | null;
  /** `sha256:` and hex of the canonical card. */
  digest: string | null;
  /** The revision that it made: unique with `urn`, so that no update is lost. */
  revision: number | null;
  /** `enforce` or `permissive`. */
  mode: string | null;
  /** `sha256:` and hex of the policy. */
  policy_digest: string | null;
  /** `accepted` or `refused`. */
  outcome: string;
  /** What was found. */
  verdict: RecordVerdict;
  /** Why; null when it passed. */
  reason: string | null;
  /** JSON: the report of the verification, without the attestations themselves. */
  report: string | null;
}

/** One row per attestation, policy, root and version of the library that judged it. */
export interface VerdictTable {
  /** Whose. */
  urn: string;
  /** `sha256:` and hex of the canonical card. */
  digest: string;
  /** `sha256:` and hex of the envelope. */
  attestation_id: string;
  /** `sha256:` and hex of the policy. */
  policy_digest: string;
  /** `sha256:` and hex of the trusted roots. */
  root_digest: string;
  /** Version of this library. */
  library_version: string;
  /** When. */
  evaluated_at: number;
  /** What was found. */
  verdict: RecordVerdict;
  /** Why; null when it passed. */
  reason: string | null;
}

/** One row per key. The key itself is nowhere. */
export interface ApiKeyTable {
  /** Primary key: the public part of the key. */
  id: string;
  /** Hex of SHA-256 of the whole key. */
  hash: string;
  /** What people call it. */
  name: string;
  /** Urns that it may write begin with this, up to a whole segment; empty: all. */
  urn_prefix: string;
  /** When it was made. */
  created_at: number;
  /** When it was revoked; null while it counts. */
  revoked_at: number | null;
}

/** One row per document, by its content. */
export interface DocumentTable {
  /** Primary key: `sha256:` and hex. */
  digest: string;
  /** `policy`, `trusted-root`, … */
  kind: string;
  /** Byte for byte. */
  content: Uint8Array;
  /** When it was put. */
  created_at: number;
}

/** One row per setting. */
export interface SettingTable {
  /** Primary key, such as `policy`. */
  name: string;
  /** Its value, such as the digest of a document. */
  value: string;
  /** When it was set. */
  updated_at: number;
}

/** What was found about something; `NONE` if nobody judged it. */
export type RecordVerdict = "PASSED" | "FAILED" | "NONE";
