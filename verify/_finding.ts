import type { Check } from "../report.ts";
import type { EnvelopeLayer } from "./_envelope_layer.ts";
import { statementOf } from "./_statement_layer.ts";
import type { DigestedArtifact } from "./artifact.ts";
import { furthestReason } from "./assemble.ts";
import type { EnvelopeFacts, Finding } from "./evidence.ts";
import type { LoadedAttestation } from "./load.ts";
import type { PredicateLayer } from "./predicate.ts";
import type { ArtifactReport, AttestationReport } from "./report.ts";

/** One finding per artifact, of one attestation. */
export type Row = Finding[];

/** The finding of one attestation about one artifact, from its layers. */
export function finish(
  one: LoadedAttestation,
  envelope: EnvelopeLayer,
  statementChecks: readonly Check[],
  predicate: PredicateLayer = { checks: [] },
): Finding {
  const signed = envelope.list.error === undefined;
  // Who signed decides how far the Statement's own words can be believed.
  const checks = [
    ...envelope.list.checks,
    ...[...statementChecks, ...predicate.checks].map((check) => ({
      ...check,
      origin: signed ? check.origin ?? "signed" : "unsigned" as const,
    })),
  ];
  const failed = checks.find(({ outcome }) => outcome === "failed");
  const ok = signed && failed === undefined && checks.some(({ outcome }) => outcome === "passed");
  const result: AttestationReport = {
    source: one.source,
    format: one.format,
    ok,
    errorReason: ok ? null : envelope.list.error?.reason ?? failed?.reason ?? "internal-error",
    signers: envelope.signers,
    timestamps: envelope.timestamps,
    checks,
  };
  const finding: Finding = { report: result, facts: factsOf(envelope) };
  if (!signed) return finding;
  if (predicate.level !== undefined) result.buildLevel = predicate.level;
  if (envelope.identity !== undefined) result.identity = envelope.identity;
  if (envelope.foreign !== undefined) result.foreign = envelope.foreign;
  // The signature over these bytes was accepted: from here on the Statement is verified.
  const statement = statementOf(one);
  if (statement !== undefined) {
    result.predicateType = statement.predicateType;
    result.statement = statement;
  }
  return finding;
}

function factsOf({ keys, identity, publicKey, logs }: EnvelopeLayer): EnvelopeFacts {
  return identity === undefined || publicKey === undefined
    ? { keys, logs }
    : { keys, logs, certificate: { identity, publicKey } };
}

/** The report about one artifact: one attestation that passed is enough. */
export function about(
  { name, digest }: Pick<DigestedArtifact, "name" | "digest">,
  rows: readonly Row[],
  index: number,
): ArtifactReport {
  const attestations = rows.map((row) => row[index].report);
  const ok = attestations.some((one) => one.ok);
  return {
    artifact: name,
    digest,
    ok,
    errorReason: ok ? null : furthestReason(attestations),
    attestations,
  };
}
