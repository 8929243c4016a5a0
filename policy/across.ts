import { AttestationError, isAttestationError } from "../errors.ts";
import { canonicalJson, type Json, printable, quote } from "../internal/json.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import { listDependencies, spellings } from "./dependency_leaves.ts";
import type { CrossRule, FieldOf } from "./document.ts";
import type { EvidenceAttestation, EvidenceSigner } from "./evidence.ts";
import { anyOf } from "./finding.ts";
import { hasInexact } from "./json_equal.ts";
import { valuesAt } from "./path.ts";
import { compilePattern } from "./pattern.ts";
import { distinctSigners } from "./signer_slots.ts";
import type { PolicyCheck } from "./verdict.ts";

/** Attestations by the requirement that they met. */
export type Holders = ReadonlyMap<string, readonly EvidenceAttestation[]>;

/** Tells whether an artifact of this run with these digests passed a rule. */
export type RulePassed = (rule: string, digest: DigestSet) => boolean;

/** By requirement, tells which signers of an attestation count. */
export type SignersThatCount = ReadonlyMap<string, (signer: EvidenceSigner) => boolean>;

/** A cross rule that is ready to judge one choice of attestations. */
export type CompiledCrossRule = (chosen: Holders, rulePassed: RulePassed) => PolicyCheck;

/**
 * Reads a cross rule once; what it returns judges any choice. A requirement that was
 * waived has no attestation: the others that the rule names are judged without it.
 */
export function compileCrossRule(
  rule: CrossRule,
  prefix: string,
  counts: SignersThatCount,
): CompiledCrossRule {
  const id = `${prefix}/${rule.id}`;
  const { names, judge } = judgeOf(rule, id, counts);
  return (chosen, rulePassed) => {
    if (names.every((name) => (chosen.get(name)?.length ?? 0) === 0)) {
      return {
        id,
        outcome: "not-applicable",
        message: "Not judged: what it compares is waived",
      };
    }
    try {
      return judge(chosen, rulePassed);
    } catch (error) {
      return unjudged(id, error);
    }
  };
}

/** A rule that cannot be evaluated is a failed one, such as a chain through what is no provenance. */
function unjudged(id: string, error: unknown): PolicyCheck {
  const remedy = "Produce an attestation that can be read";
  if (!isAttestationError(error)) {
    const message = "Cannot evaluate rule: an unexpected error";
    return { id, outcome: "failed", reason: "condition-error", message, remedy };
  }
  const { reason, message, path } = error;
  return {
    id,
    outcome: "failed",
    reason,
    ...(path === undefined ? {} : { path }),
    message: printable(message, 400),
    remedy,
  };
}

function judgeOf(
  rule: CrossRule,
  id: string,
  counts: SignersThatCount,
): { names: readonly string[]; judge: CompiledCrossRule } {
  const { distinctSigners: apart, equal, signers, chain } = rule;
  if (apart !== undefined) {
    return {
      names: apart,
      judge: (chosen) => judgeApart(id, apart, chosen),
    };
  }
  if (equal !== undefined) {
    const names = equal.map(({ requirement }) => requirement);
    return { names, judge: (chosen) => judgeEqual(id, equal, chosen) };
  }
  if (signers !== undefined) {
    return { names: signers.of, judge: (chosen) => judgeSigners(id, signers, chosen, counts) };
  }
  if (chain === undefined) {
    throw new AttestationError(
      "malformed-policy",
      `Cannot read rule ${quote(id)}: it asks nothing`,
    );
  }
  const isMeant = compilePattern(chain.dependency);
  return {
    names: [chain.from],
    judge: (chosen, rulePassed) => judgeChain(id, chain, isMeant, chosen, rulePassed),
  };
}

function judgeApart(id: string, names: readonly string[], chosen: Holders): PolicyCheck {
  const expected = `other signers for each of ${anyOf(names)}`;
  const owner = new Map<string, string>();
  for (const name of names) {
    for (const attestation of chosen.get(name) ?? []) {
      for (const { distinct, name: signer } of attestation.signers) {
        const other = owner.get(distinct);
        if (other !== undefined && other !== name) {
          return {
            id,
            outcome: "failed",
            reason: "signers-not-distinct",
            expected,
            actual: printable(signer),
            origin: "signed",
            message: `Cannot accept signers: ${quote(signer)} signed for ${quote(other)} and ${
              quote(name)
            }`,
            remedy: "Have one of them signed by somebody else",
          };
        }
        owner.set(distinct, name);
      }
    }
  }
  return { id, outcome: "passed", expected, message: "The signers are distinct" };
}

function judgeSigners(
  id: string,
  { of, min }: { of: readonly string[]; min: number },
  chosen: Holders,
  counts: SignersThatCount,
): PolicyCheck {
  const all = of.flatMap((name) =>
    (chosen.get(name) ?? []).flatMap(({ signers }) =>
      signers.filter((signer) => counts.get(name)?.(signer))
    )
  );
  const found = distinctSigners(all);
  const actual = printable(found.map(({ name }) => name).join(", "), 400);
  const expected = `${min} distinct signers`;
  if (found.length >= min) {
    return { id, outcome: "passed", expected, actual, message: "Enough distinct signers" };
  }
  return {
    id,
    outcome: "failed",
    reason: "insufficient-signers",
    expected,
    actual,
    message: `Cannot accept signers: ${found.length} distinct, wanted ${min}`,
    remedy: "Have it signed by more of them",
  };
}

function judgeEqual(id: string, fields: readonly FieldOf[], chosen: Holders): PolicyCheck {
  const expected = fields.map(({ requirement, path }) => `${requirement}${path}`).join(" = ");
  let first: { text: string; from: string } | undefined;
  for (const { requirement, path } of fields) {
    for (const { statement, source } of chosen.get(requirement) ?? []) {
      const incomparable = (what: string, remedy: string): PolicyCheck => ({
        id,
        outcome: "failed",
        reason: "condition-error",
        expected: printable(expected, 400),
        path,
        source,
        message: `Cannot compare fields: ${what}`,
        remedy: `Produce an attestation that states the value ${remedy}`,
      });
      // In protobuf JSON null and absent are the same.
      const found = valuesAt(path, statement as unknown as Json)
        .filter(({ value }) => value !== null);
      const where = `at ${path} of ${quote(requirement)}`;
      if (found.length !== 1) {
        return incomparable(`${found.length} values ${where}, wanted one`, "once");
      }
      if (hasInexact(found[0].value)) {
        const what = `an integer ${where} is beyond 2^53, which JSON does not keep`;
        return incomparable(what, "as a text");
      }
      const text = canonicalJson(found[0].value);
      if (first === undefined) first = { text, from: requirement };
      else if (text !== first.text) {
        return {
          id,
          outcome: "failed",
          reason: "fields-differ",
          expected: printable(expected, 400),
          actual: printable(`${first.text} and ${text}`, 400),
          path,
          origin: "signed",
          source,
          message: `Cannot accept attestations: ${printable(text, 100)} of ${
            quote(requirement)
          } is not ${printable(first.text, 100)} of ${quote(first.from)}`,
          remedy: "Attest what belongs to the same build",
        };
      }
    }
  }
  return {
    id,
    outcome: "passed",
    expected: printable(expected, 400),
    ...(first === undefined ? {} : { actual: printable(first.text, 400) }),
    origin: "signed",
    message: "The fields are equal",
  };
}

function judgeChain(
  id: string,
  { from, dependency, rule }: { from: string; dependency: string; rule: string },
  isMeant: (text: string) => boolean,
  chosen: Holders,
  rulePassed: RulePassed,
): PolicyCheck {
  const expected = `${quote(dependency)} passed ${quote(rule)}`;
  const refused = (message: string, source: string): PolicyCheck => ({
    id,
    outcome: "failed",
    reason: "chain-not-met",
    expected,
    source,
    message,
    remedy: `Verify that dependency in the same run, so that ${quote(rule)} can judge it`,
  });
  for (const { statement, source } of chosen.get(from) ?? []) {
    const meant = (listDependencies(statement) ?? []).filter(({ names }) =>
      names.flatMap(spellings).some(isMeant)
    );
    if (meant.length === 0) {
      return refused(`Cannot follow chain: no dependency is ${quote(dependency)}`, source);
    }
    for (const { names, digest } of meant) {
      if (rulePassed(rule, digest)) continue;
      return refused(
        `Cannot follow chain: ${quote(names[0] ?? "")} is no artifact that passed ${quote(rule)}`,
        source,
      );
    }
  }
  return { id, outcome: "passed", expected, message: "The chain holds" };
}
