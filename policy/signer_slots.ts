import type { SignerSlot } from "./compiled.ts";
import type { EvidenceSigner } from "./evidence.ts";

/**
 * The most signers that can each stand for another of the slots: a signer counts once, and
 * so does a slot. Whoever fits two slots leaves the one that somebody else needs.
 */
export function matchSigners(
  signers: readonly EvidenceSigner[],
  slots: readonly SignerSlot[],
): { signer: EvidenceSigner; slot: SignerSlot }[] {
  if (signers.length === 1) {
    const [signer] = signers;
    const slot = slots.find((one) => one.matches(signer));
    return slot === undefined ? [] : [{ signer, slot }];
  }
  const distinct = distinctSigners(signers);
  const holder: (EvidenceSigner | undefined)[] = slots.map(() => undefined);
  for (const signer of distinct) place(signer, slots, holder, new Set());
  return slots.flatMap((slot, i) => {
    const signer = holder[i];
    return signer === undefined ? [] : [{ signer, slot }];
  });
}

/** Signers by key material or by the whole identity: names have no weight. */
export function distinctSigners(signers: readonly EvidenceSigner[]): EvidenceSigner[] {
  if (signers.length < 2) return [...signers];
  const seen = new Map<string, EvidenceSigner>();
  for (const signer of signers) if (!seen.has(signer.distinct)) seen.set(signer.distinct, signer);
  return [...seen.values()];
}

function place(
  signer: EvidenceSigner,
  slots: readonly SignerSlot[],
  holder: (EvidenceSigner | undefined)[],
  tried: Set<number>,
): boolean {
  for (const [i, slot] of slots.entries()) {
    if (tried.has(i) || !slot.matches(signer)) continue;
    tried.add(i);
    const other = holder[i];
    if (other === undefined || place(other, slots, holder, tried)) {
      holder[i] = signer;
      return true;
    }
  }
  return false;
}
