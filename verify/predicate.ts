import { CheckList } from "../internal/check_list.ts";
import type { Statement } from "../intoto/statement.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import type { Check } from "../report.ts";
import type { CertificateIdentity } from "../sigstore/identity.ts";
import type { SignerEvidence } from "../slsa/evidence.ts";
import type { BuildLevel } from "../slsa/expectation.ts";
import type { Expectations } from "./options.ts";

/** What the predicate layer found. */
export interface PredicateLayer {
  checks: Check[];
  level?: BuildLevel;
}

/** Who signed, as the envelope layer established it. */
export interface Signers {
  identity?: CertificateIdentity;
  keys: readonly TrustedKey[];
}

/** Judges the predicate of a Statement whose signature was accepted. */
export type PredicateJudge = (statement: Statement, signers: Signers) => PredicateLayer;

/**
 * A judge for what is expected of the predicate, or undefined if nothing is. Judges are
 * loaded on use.
 *
 * @throws {TypeError} If an expectation is not of its form.
 */
export async function predicateJudge(
  { identity, provenance, vsa }: Expectations,
  now: Date,
): Promise<PredicateJudge | undefined> {
  const judges: PredicateJudge[] = [];
  if (provenance !== undefined) {
    const { evaluateProvenance } = await import("../slsa/evaluate.ts");
    const expectation = await import("../slsa/expectation.ts");
    const check: (value: unknown) => void = expectation.assertProvenanceExpectation;
    check(provenance);
    judges.push((statement, signers) =>
      evaluateProvenance(
        statement,
        { ...evidenceOf(signers), identityExpected: identity !== undefined },
        provenance,
      )
    );
  }
  if (vsa !== undefined) {
    const [{ evaluateVsa }, { checkVsaExpectation }] = await Promise.all([
      import("../slsa/vsa.ts"),
      import("../slsa/vsa_expectation.ts"),
    ]);
    checkVsaExpectation(vsa);
    judges.push((statement, signers) =>
      evaluateVsa(
        statement,
        { ...evidenceOf(signers), identityExpected: identity !== undefined },
        { ...vsa, now },
      )
    );
  }
  if (judges.length === 0) return undefined;
  return (statement, signers) => {
    const layers = judges.map((judge) => judge(statement, signers));
    const layer: PredicateLayer = { checks: layers.flatMap(({ checks }) => checks) };
    const level = layers[0].level;
    if (level !== undefined) layer.level = level;
    return layer;
  };
}

function evidenceOf({ identity, keys }: Signers): SignerEvidence {
  const named = keys.map(({ name, keyid, fingerprint }) => ({ name, keyid, fingerprint }));
  return identity === undefined ? { keys: named } : { identity };
}

/** What is recorded when there is nothing to judge, or nobody who said it. */
export function notJudged(unsigned: boolean): PredicateLayer {
  const list = new CheckList();
  if (unsigned) {
    list.refused(
      "predicate.format",
      "invalid-signature",
      "Cannot evaluate predicate: the envelope is not accepted, so nobody says it",
    );
  } else {
    list.refused(
      "predicate.format",
      "predicate-type-mismatch",
      "Cannot evaluate predicate: there is none",
    );
  }
  return { checks: list.checks };
}
