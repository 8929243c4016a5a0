import type { Database } from "../../store/sql/mod.ts";

/** What is not whole in a database; empty if all is well. Reads all of it. */
export async function brokenRecords(db: Database): Promise<string[]> {
  const manifests = await db.kysely.selectFrom("manifests").selectAll().execute();
  const versions = await db.kysely.selectFrom("manifest_versions").selectAll().execute();
  const provenance = await db.kysely.selectFrom("provenance").selectAll().execute();
  const decisions = await db.kysely.selectFrom("decisions").selectAll().execute();
  const subjects = await db.kysely.selectFrom("subjects").selectAll().execute();
  const verdicts = await db.kysely.selectFrom("verdicts").selectAll().execute();
  const broken: string[] = [];
  const urns = new Map(manifests.map((one) => [one.urn, one]));
  const accepted = decisions.filter(({ outcome, action }) =>
    outcome === "accepted" && action === "put"
  );
  const byId = new Map(accepted.map((one) => [one.id, one]));
  for (const { urn, version, revision, digest, verdict, attestations } of manifests) {
    const mine = versions.filter((one) => one.urn === urn).map((one) => one.version);
    mine.sort((a, b) => a - b);
    if (mine.some((one, i) => one !== i + 1) || mine.length !== version) {
      broken.push(`${urn}: versions ${mine} of ${version}`);
    }
    const revisions = accepted.filter((one) => one.urn === urn).map((one) => one.revision ?? 0);
    revisions.sort((a, b) => a - b);
    if (revisions.some((one, i) => one !== i + 1) || revisions.length !== revision) {
      broken.push(`${urn}: decisions ${revisions} of ${revision}`);
    }
    const records = provenance.filter((one) => one.urn === urn && one.digest === digest);
    if (records.length !== attestations) {
      broken.push(`${urn}: ${records.length} of ${attestations} attestations`);
    }
    if (verdict === "PASSED" && !records.some((one) => one.verdict === "PASSED")) {
      broken.push(`${urn}: PASSED without an attestation that passed`);
    }
  }
  for (const { urn, version } of versions) {
    if (!urns.has(urn)) broken.push(`${urn}: version ${version} without a manifest`);
  }
  for (const { urn } of accepted) {
    if (urn === null || !urns.has(urn)) broken.push(`${urn}: a decision without a manifest`);
  }
  for (const row of provenance) {
    const { urn, attestation_id: id, decision_id, verdict } = row;
    const decision = byId.get(decision_id ?? "");
    if (!urns.has(urn)) broken.push(`${urn}: attestation ${id} without a manifest`);
    if (decision?.urn !== urn) broken.push(`${urn}: attestation ${id} without its decision`);
    if (verdict === "PASSED" && decision?.verdict !== "PASSED") {
      broken.push(`${urn}: attestation ${id} passed in a decision that failed`);
    }
    if (!verdicts.some((one) => one.urn === urn && one.attestation_id === id)) {
      broken.push(`${urn}: attestation ${id} without its verdict`);
    }
    if (verdict === "PASSED" && !subjects.some((one) => one.attestation_id === id)) {
      broken.push(`${urn}: attestation ${id} without its subjects`);
    }
    await db.envelopeOf(row).catch(() => broken.push(`${urn}: envelope ${id} was altered`));
  }
  for (const { attestation_id: id } of subjects) {
    if (!provenance.some((one) => one.attestation_id === id)) {
      broken.push(`subject of ${id}, which is not there`);
    }
  }
  return broken;
}
