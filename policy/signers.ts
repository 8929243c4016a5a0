import { quote } from "../internal/json.ts";
import type { SignerEvidence } from "../slsa/evidence.ts";
import type { CompiledPolicy, SignerSlot } from "./compiled.ts";
import type { EnvelopeRule, Requirement, SignedBy } from "./document.ts";
import type { EvidenceSigner } from "./evidence.ts";
import { anyOf } from "./finding.ts";

/** Who must have signed, and how it is told. */
export interface SignerRule {
  slots: readonly SignerSlot[];
  threshold: number;
  expected: string;
  remedy: string;
}

/**
 * Who must have signed. A requirement that says nothing means somebody whom the policy
 * knows; only a known builder of a named source may stand for that.
 */
export function signerRules(
  { envelope, predicate }: Requirement,
  policy: CompiledPolicy,
): SignerRule[] {
  const { signedBy } = envelope ?? {};
  if (signedBy === undefined) {
    if (predicate?.provenance?.sourceUri !== undefined) return [];
    const slots = [...new Set([...policy.slots.values()].flat())];
    return [{
      slots,
      threshold: 1,
      expected: "anybody whom the policy names",
      remedy: "Name the signer under trust, or say in signedBy who it is",
    }];
  }
  const rules: readonly SignedBy[] = Array.isArray(signedBy) ? signedBy : [signedBy as SignedBy];
  return rules.map(({ of, threshold = 1 }) => ({
    slots: [...new Set(of.flatMap((name) => policy.slots.get(name) ?? []))],
    threshold,
    expected: threshold === 1 ? anyOf(of) : `${threshold} distinct signers of ${anyOf(of)}`,
    remedy: "Have it signed by them, or change who is accepted",
  }));
}

/** Tells of a signer whether the algorithm and the key are accepted. */
export function countingSigners(rule: EnvelopeRule): (signer: EvidenceSigner) => boolean {
  const { algorithms, minKeyBits = {} } = rule;
  return ({ algorithm, key }) =>
    (algorithms === undefined || algorithms.includes(algorithm)) &&
    (!Object.hasOwn(minKeyBits, key.kind) || key.bits >= minKeyBits[key.kind]);
}

/** How a signer is told to people. */
export function describeSigner({ name, kind, identity }: EvidenceSigner): string {
  return kind === "key" ? quote(name) : `${quote(name)} (${identity?.issuer ?? "no issuer"})`;
}

/** Where it is known from who the signers are. */
export function originOf(signers: readonly EvidenceSigner[]): "certificate" | "signed" {
  return signers.some(({ kind }) => kind === "certificate") ? "certificate" : "signed";
}

/** Signers as the judges of predicates want them. */
export function signerEvidence(
  signers: readonly EvidenceSigner[],
  { slots }: CompiledPolicy,
): SignerEvidence {
  const holder = signers.find(({ identity }) => identity !== undefined);
  const keys = signers.flatMap(({ name, fingerprint }) =>
    fingerprint === undefined ? [] : [{ name, fingerprint }]
  );
  const known = holder !== undefined &&
    [...slots.values()].some((all) => all.some((slot) => slot.matches(holder)));
  return {
    ...(holder === undefined ? {} : { identity: holder.identity, identityExpected: known }),
    keys,
  };
}
