import { AttestationError } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";
import { type Json, printable, quote } from "../../internal/json.ts";
import { foldUrn } from "../../internal/urn.ts";
import type { DigestSet } from "../../intoto/digest_set.ts";
import { subjectKeys } from "../claims.ts";
import type { Compilable, Database } from "./database.ts";
import { WriteConflict } from "./driver.ts";
import type { DecisionTable, ManifestTable, ProvenanceTable, RecordVerdict } from "./schema.ts";
import { subjectQueries } from "./subject_index.ts";

/** An attestation to commit, with what was found about it. */
export interface JudgedAttestation {
  /** `sha256:` and hex of the content. */
  id: string;
  /** Byte for byte. */
  content: Bytes;
  /** What it was read as. */
  format: string;
  /** Payload type of the envelope. */
  payloadType: string | null;
  /** Predicate type, as it states it. */
  predicateType: string | null;
  /** Digests of all subjects, as it states them. */
  subjects: readonly DigestSet[];
  /** Who signed, where that was verified. */
  issuer: string | null;
  /** `builder.id`, where the signature was verified. */
  builder: string | null;
  /** Time of the build, RFC 3339, where the signature was verified. */
  timestamp: string | null;
  /** Tool that built, as the payload states it. */
  buildTool: string | null;
  /** What went in. */
  inputs: readonly Json[];
  /** What came out. */
  outputs: readonly Json[];
  /** What was found. */
  verdict: "PASSED" | "FAILED";
  /** Why it failed; null when it passed. */
  reason: string | null;
}

/** A decision about a manifest. */
export interface ManifestDecision {
  /** About which urn. */
  urn: string;
  /** `sha256:` and hex of the canonical card. */
  digest: string;
  /** Who asked: id of the API key. */
  actor: string;
  /** When. */
  now: Date;
  /** Mode that was in force. */
  mode: "enforce" | "permissive";
  /** `sha256:` and hex of the policy. */
  policyDigest: string;
  /** What was found. */
  verdict: "PASSED" | "FAILED";
  /** Why it failed; null when it passed. */
  reason: string | null;
  /** The report, JSON. */
  report: string;
}

/** What the revision of a manifest must be for a change to be made. */
export type RevisionExpectation = (revision: number, digest: string) => boolean;

/** A change of a manifest: all of it takes effect, or nothing. */
export interface ManifestChange extends ManifestDecision {
  /** The card, canonical JSON. */
  card: string;
  /** `sig`, JSON, or null. */
  sig: string | null;
  /** Its attestations. */
  attestations: readonly JudgedAttestation[];
  /** `sha256:` and hex of the trusted roots. */
  rootDigest: string;
  /** Version of this library. */
  libraryVersion: string;
  /**
   * Tells whether the manifest may be changed; 0 is the revision of one that is not there. It
   * is not asked when nothing has to be written.
   */
  expected?: RevisionExpectation;
}

/** What became of a change. */
export interface CommitResult {
  /** `created`: the urn is new; `unchanged`: all of it was there already. */
  outcome: "created" | "updated" | "unchanged";
  /** Number of the version. */
  version: number;
  /** Revision after the change. */
  revision: number;
}

/** Other writers who may be faster, one after the other. */
const MAX_TRIES = 100;
/** Characters of a text that an index may hold. */
const MAX_COLUMN = 600;
/** Attestations of one card. */
const MAX_ATTESTATIONS = 1000;

/**
 * Commits a change of a manifest in one transaction: card, attestations, subject index,
 * verdicts and the decision. Two changes of one manifest at the same time both take effect,
 * one after the other, unless `expected` forbids it. What is there already is not written.
 *
 * @throws {AttestationError} `revision-mismatch`, `urn-look-alike`, `limit-exceeded`,
 * `store-unavailable`.
 */
export async function commitManifest(db: Database, change: ManifestChange): Promise<CommitResult> {
  for (let tries = 1;; tries++) {
    try {
      return await tryCommit(db, change);
    } catch (error) {
      if (!(error instanceof WriteConflict)) throw error;
      if (tries >= MAX_TRIES) {
        throw new AttestationError(
          "store-unavailable",
          `Cannot commit ${quote(change.urn)}: other writers were faster ${tries} times`,
          { cause: error },
        );
      }
    }
  }
}

/** Records that a change was refused. */
export async function recordRefusal(db: Database, decision: ManifestDecision): Promise<void> {
  await db.kysely.insertInto("decisions")
    .values(decisionRow(decision, crypto.randomUUID(), "refused", null)).execute();
}

async function tryCommit(db: Database, change: ManifestChange): Promise<CommitResult> {
  const { urn, digest, now, expected } = change;
  const head = await db.kysely.selectFrom("manifests as m")
    .innerJoin(
      "manifest_versions as v",
      (join) => join.onRef("v.urn", "=", "m.urn").onRef("v.version", "=", "m.version"),
    )
    .select(["m.urn", "m.revision", "m.version", "m.digest", "m.verdict", "m.reason", "v.sig"])
    .where("m.folded", "=", foldUrn(urn))
    .executeTakeFirst();
  if (head !== undefined && head.urn !== urn) {
    throw new AttestationError(
      "urn-look-alike",
      `Cannot commit ${quote(urn)}: ${quote(head.urn)} is there`,
    );
  }
  const known = await knownAttestations(db, urn, digest);
  const isSameCard = head !== undefined && head.digest === digest && head.sig === change.sig;
  const fresh = change.attestations.filter(({ id, verdict, reason }) => {
    const found = known.get(id);
    return found === undefined || found.verdict !== verdict || found.reason !== reason;
  });
  if (
    isSameCard && fresh.length === 0 && head.verdict === change.verdict &&
    head.reason === change.reason
    // Also where another revision was expected: it was this very change that made it so.
  ) return { outcome: "unchanged", version: head.version, revision: head.revision };

  if (expected !== undefined && !expected(head?.revision ?? 0, head?.digest ?? "")) {
    const found = head === undefined ? "it is not there" : `its revision is ${head.revision}`;
    throw new AttestationError("revision-mismatch", `Cannot commit ${quote(urn)}: ${found}`);
  }
  const revision = (head?.revision ?? 0) + 1;
  const version = isSameCard ? head.version : (head?.version ?? 0) + 1;
  const decisionId = crypto.randomUUID();
  const ids = new Set([...known.keys(), ...change.attestations.map(({ id }) => id)]);
  if (ids.size > MAX_ATTESTATIONS) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot commit ${quote(urn)}: more than ${MAX_ATTESTATIONS} attestations of one card`,
    );
  }
  const summary = summaryOf(change, ids.size);
  const time = now.getTime();
  const queries: Compilable[] = [
    // First, because its key is the lock: of two with the same revision one is refused.
    db.kysely.insertInto("decisions")
      .values(decisionRow(change, decisionId, "accepted", revision)),
    isSameCard
      ? db.kysely.updateTable("manifest_versions").set(summary)
        .where("urn", "=", urn).where("version", "=", version)
      : db.kysely.insertInto("manifest_versions").values({
        ...{ urn, version, digest, card: change.card, sig: change.sig },
        ...{ committed_at: time, actor: change.actor, ...summary },
      }),
    head === undefined
      ? db.kysely.insertInto("manifests").values({
        ...{ urn, folded: foldUrn(urn), revision, version, digest },
        ...{ created_at: time, updated_at: time, ...summary },
      })
      : db.kysely.updateTable("manifests")
        .set({ revision, version, digest, updated_at: time, ...summary })
        .where("urn", "=", urn),
  ];
  for (const one of fresh) {
    queries.push(
      await provenanceQuery(db, change, one, version, decisionId),
      ...subjectQueries(db, one.id, subjectKeys({ subjects: one.subjects })),
      verdictQuery(db, change, one),
    );
  }
  await db.batch(queries);
  return { outcome: head === undefined ? "created" : "updated", version, revision };
}

async function knownAttestations(
  db: Database,
  urn: string,
  digest: string,
): Promise<Map<string, { verdict: RecordVerdict; reason: string | null }>> {
  const rows = await db.kysely.selectFrom("provenance")
    .select(["attestation_id", "verdict", "reason"])
    .where("urn", "=", urn).where("digest", "=", digest).execute();
  return new Map(rows.map(({ attestation_id, ...found }) => [attestation_id, found]));
}

type Summary = Pick<
  ManifestTable,
  "verdict" | "reason" | "builder" | "issuer" | "built_at" | "attestations"
>;

/** What a list tells: of the first attestation that tells a builder, those that passed first. */
function summaryOf(
  { verdict, reason, attestations }: ManifestChange,
  count: number,
): Summary {
  const good = attestations.filter((one) => one.verdict === "PASSED");
  const order = [...good, ...attestations.filter((one) => one.verdict !== "PASSED")];
  const best = order.find(({ builder }) => builder !== null) ??
    order.find(({ issuer }) => issuer !== null);
  const { builder = null, issuer = null, timestamp = null } = best ?? {};
  return {
    ...{ verdict, reason, attestations: count },
    ...{ builder: column(builder), issuer: column(issuer), built_at: column(timestamp) },
  };
}

/** Text of unknown origin: PostgreSQL keeps no NUL. */
function column(text: string | null): string | null {
  return text === null ? null : printable(text, MAX_COLUMN);
}

function decisionRow(
  decision: ManifestDecision,
  id: string,
  outcome: "accepted" | "refused",
  revision: number | null,
): DecisionTable {
  const { urn, digest, actor, now, mode, policyDigest, verdict, reason, report } = decision;
  return {
    ...{ id, decided_at: now.getTime(), actor, action: "put", urn, digest, revision, mode },
    ...{ policy_digest: policyDigest, outcome, verdict, reason, report },
  };
}

async function provenanceQuery(
  db: Database,
  { urn, digest, now }: ManifestChange,
  one: JudgedAttestation,
  version: number,
  decisionId: string,
): Promise<Compilable> {
  const found = {
    issuer: column(one.issuer),
    builder: column(one.builder),
    built_at: column(one.timestamp),
    verdict: one.verdict,
    reason: one.reason,
    decision_id: decisionId,
  };
  const row: ProvenanceTable = {
    ...{ urn, digest, attestation_id: one.id, version },
    envelope: await db.keepEnvelope(one.id, one.content),
    size: one.content.length,
    format: one.format,
    payload_type: column(one.payloadType),
    predicate_type: column(one.predicateType),
    committed_at: now.getTime(),
    build_tool: column(one.buildTool),
    inputs: JSON.stringify(one.inputs),
    outputs: JSON.stringify(one.outputs),
    ...found,
  };
  return db.kysely.insertInto("provenance").values(row).onConflict((conflict) =>
    conflict.columns(["urn", "digest", "attestation_id"]).doUpdateSet(found)
  );
}

function verdictQuery(db: Database, change: ManifestChange, one: JudgedAttestation): Compilable {
  const { urn, digest, policyDigest, rootDigest, libraryVersion, now } = change;
  const found = { verdict: one.verdict, reason: one.reason, evaluated_at: now.getTime() };
  return db.kysely.insertInto("verdicts").values({
    ...{ urn, digest, attestation_id: one.id, policy_digest: policyDigest },
    ...{ root_digest: rootDigest, library_version: libraryVersion, ...found },
  }).onConflict((conflict) =>
    conflict.columns([
      ...["urn", "digest", "attestation_id"] as const,
      ...["policy_digest", "root_digest", "library_version"] as const,
    ]).doUpdateSet(found)
  );
}
