import { AttestationError } from "../errors.ts";
import { type Attempt, type Settled, threshold, usesLog } from "./_attempt.ts";
import type { VerifiedTimes } from "./verified_times.ts";
import { type Certificate, Purpose } from "./certificate.ts";
import { type CertificatePath, findPaths, mayHaveIssued, refusalAt } from "./chain.ts";
import { verifyScts } from "./sct.ts";
import type { TrustedRoot } from "./trusted_root.ts";

/** Paths from the certificate to the root; none for a key. */
export async function certificatePaths(one: Attempt): Promise<CertificatePath[]> {
  const { signer } = one.bundle;
  if (signer.kind !== "certificate") return [];
  return await findPaths(signer.leaf, signer.intermediates, one.root.certificateAuthorities);
}

/** Verifies the promises of certificate logs in the certificate. */
export async function certificateScts(
  one: Attempt,
  paths: Settled<CertificatePath[]>,
): ReturnType<typeof verifyScts> {
  const { signer } = one.bundle;
  if (signer.kind !== "certificate" || threshold(one, "sct") === 0) {
    return { logs: [], unknown: 0 };
  }
  const verify = (issuer: Certificate) => verifyScts(signer.leaf, issuer, one.root.ctLogs);
  // With one possible issuer there is no need to wait for its signature.
  const issuers = possibleIssuers(signer.leaf, one.root);
  if (issuers.length === 1 && signer.intermediates.length === 0) return await verify(issuers[0]);
  const found = await paths;
  if ("error" in found) throw found.error;
  const issuer = found.value[0].certificates[1];
  if (issuer === undefined) {
    throw new AttestationError("invalid-sct", "The certificate has no issuer");
  }
  return await verify(issuer);
}

/** Checks that a trusted authority issued the certificate, for code signing. */
export async function checkCertificate(
  one: Attempt,
  work: Settled<CertificatePath[]>,
): Promise<CertificatePath[]> {
  const signer = one.signer;
  if (signer.kind !== "certificate") return [];
  const id = "envelope.certificate";
  const outcome = await work;
  const misuse = leafMisuse(signer.leaf);
  if ("error" in outcome) {
    const expected = `an authority of ${one.root.name}`;
    one.list.failed(id, outcome.error, { expected });
    return [];
  }
  if (misuse !== undefined) {
    one.list.failed(id, misuse);
    return [];
  }
  const uris = new Set(outcome.value.map(({ authority }) => authority.uri));
  one.list.passed(id, `The certificate is by ${[...uris].join(" or ")}`, {
    expected: `an authority of ${one.root.name}`,
  });
  return outcome.value;
}

/** Checks that the certificate was valid at every time of signing. */
export function checkValidity(
  one: Attempt,
  verified: VerifiedTimes,
  paths: readonly CertificatePath[],
): void {
  const signer = one.signer;
  if (signer.kind !== "certificate") return;
  const id = "envelope.certificate-validity";
  const times = timesOfSigning(one, verified, signer.leaf);
  if (times.length === 0) {
    const message = "Cannot verify certificate: there is no verified time of signing";
    return one.list.refused(id, "timestamp-threshold-not-met", message);
  }
  const refusals = paths.map((path) =>
    times.map((time) => refusalAt(path, time, "certificate-not-valid"))
      .find((one) => one !== undefined)
  );
  const actual = times.map((time) => time.toISOString()).join(", ");
  if (refusals.includes(undefined)) {
    return one.list.passed(id, "The certificate was valid at every time of signing", {
      actual,
    });
  }
  if (refusals.length > 0) return one.list.failed(id, refusals[0], { actual });
  const message = "Cannot verify certificate: there is no trusted path to judge";
  one.list.refused(id, "untrusted-certificate", message, { actual });
}

function timesOfSigning(one: Attempt, verified: VerifiedTimes, leaf: Certificate): Date[] {
  const times = verified.times();
  // A time that no promise proves is no evidence, but a wrong one is a contradiction.
  if (usesLog(one)) {
    for (const { promise, integratedTime } of one.bundle.logEntries) {
      if (promise === undefined && integratedTime > 0n && times.length > 0) {
        times.push(new Date(Number(integratedTime) * 1000));
      }
    }
  }
  if (times.length === 0 && one.trust.unsafelyTrustCertificateTime === true) {
    return [leaf.notBefore];
  }
  return times;
}

/** Checks that enough certificate logs promised to include the certificate. */
export async function checkScts(
  one: Attempt,
  work: Settled<Awaited<ReturnType<typeof verifyScts>>>,
): Promise<void> {
  if (one.signer.kind !== "certificate") return;
  const id = "envelope.sct";
  const need = threshold(one, "sct");
  if (need === 0) return one.list.skipped(id, "SCTs are not looked at, as the caller asked");
  const outcome = await work;
  if ("error" in outcome) {
    // Without a path there is no issuer to check it with; the path's refusal is recorded.
    return one.list.failed(id, outcome.error);
  }
  const have = outcome.value.logs.length;
  const facts = { expected: `${need}`, actual: `${have}` };
  if (have >= need) {
    return one.list.passed(
      id,
      `Certificate logs that promised to include it: ${have}, needed: ${need}`,
      facts,
    );
  }
  one.list.refused(
    id,
    "sct-threshold-not-met",
    `Cannot accept certificate: certificate logs that promised to include it: ${have}, needed: ${need}`,
    facts,
  );
}

function possibleIssuers(
  leaf: Certificate,
  { certificateAuthorities }: TrustedRoot,
): Certificate[] {
  return certificateAuthorities.flatMap(({ chain }) =>
    chain.filter((one) => mayHaveIssued(one, leaf))
  );
}

/** Why a certificate may not sign code (client-spec.md; RFC 5280, 4.2.1.3 and 4.2.1.12). */
function leafMisuse(leaf: Certificate): AttestationError | undefined {
  const misused = (what: string) =>
    new AttestationError("invalid-certificate-usage", `Cannot verify certificate: ${what}`);
  if (leaf.basicConstraints?.ca === true) return misused("it is an authority's");
  if (leaf.keyUsage === undefined || (leaf.keyUsage & 0x80) === 0) {
    return misused("its key is not for digital signatures");
  }
  if (!leaf.extendedKeyUsage?.purposes.includes(Purpose.codeSigning)) {
    return misused("its extended key usage is not code signing");
  }
}
