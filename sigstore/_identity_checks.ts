import type { Reason } from "../errors.ts";
import type { Attempt } from "./_attempt.ts";
import { readIdentity } from "./certificate.ts";
import { type CertificateIdentity, compareIdentity, missingExpectation } from "./identity.ts";
import { expectations } from "./sigstore_trust.ts";

/** Refuses a certificate of whoever it may be: somebody must be expected. */
export function checkExpectation(one: Attempt): void {
  if (one.signer.kind !== "certificate") return;
  const id = "envelope.identity-expectation";
  if (one.trust.unsafelyAcceptAnyIdentity === true) {
    one.list.skipped(id, "Anybody's identity is accepted, as the caller asked");
    return;
  }
  const all = expectations(one.trust);
  const reason = all.length === 0
    ? "missing-identity-expectation"
    : all.map(missingExpectation).find((missing) => missing !== undefined);
  if (reason === undefined) return;
  const what = reason === "missing-issuer-expectation" ? "OIDC issuer" : "identity";
  one.list.refused(id, reason, `Cannot accept bundle: no expected ${what} is given`);
}

/** Compares the certificate's holder with the expected identities; gives who it is. */
export function checkIdentity(one: Attempt): CertificateIdentity | undefined {
  const signer = one.signer;
  const id = "envelope.identity";
  if (signer.kind !== "certificate") {
    if (expectations(one.trust).length > 0) {
      const message = "Cannot accept bundle: it is signed with a key, an identity is expected";
      one.list.refused(id, "identity-mismatch", message);
    }
    return undefined;
  }
  let identity: CertificateIdentity;
  try {
    identity = readIdentity(signer.leaf);
  } catch (error) {
    one.list.failed(id, error);
    return undefined;
  }
  const compared = expectations(one.trust).map((expected) => compareIdentity(identity, expected));
  const best = compared.find((all) => all.every(({ reason }) => reason === undefined)) ??
    compared.sort((a, b) => failures(a) - failures(b))[0] ?? [];
  for (const { claim, reason, expected, actual } of best) {
    const facts = { expected, actual: actual ?? "(absent)", origin: "certificate" as const };
    if (reason === undefined) one.list.passed(id, `${claim} is as expected`, facts);
    else {
      const message = `Cannot accept certificate: ${claim} is not as expected`;
      one.list.refused(id, reason, message, facts);
    }
  }
  return identity;
}

function failures(findings: readonly { reason?: Reason }[]): number {
  return findings.filter(({ reason }) => reason !== undefined).length;
}
