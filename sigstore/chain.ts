import { AttestationError, type Reason } from "../errors.ts";
import { equalBytes } from "../internal/bytes.ts";
import { verifySignature } from "../keys/public_key.ts";
import type { Certificate } from "./certificate.ts";
import { isWithin, type TrustedAuthority } from "./trusted_root.ts";

/** A path from a leaf to a trusted anchor; its signatures have been verified. */
export interface CertificatePath {
  readonly authority: TrustedAuthority;
  /** Leaf first, anchor last. */
  readonly certificates: readonly Certificate[];
}

/** Most certificates that a bundle may put between a leaf and a trusted chain, with the leaf. */
const MAX_UNTRUSTED = 9;
/** Most paths of which the signatures are tried, for one authority and for all of them. */
const MAX_PATHS = 16;
const MAX_CANDIDATES = 32;
/** Most steps of the search for paths: without it, names that lead in circles take years. */
const MAX_STEPS = 256;

/** Signatures between certificates that stay: each pair is verified once. */
const verified = new WeakMap<Certificate, WeakMap<Certificate, Promise<boolean>>>();

/**
 * Finds the paths from a leaf to trusted anchors whose signatures verify.
 *
 * Anchors are the last certificates of the authorities' chains. Times are not looked at:
 * {@linkcode refusalAt} does that for each verified time.
 *
 * Source: RFC 5280, 6.1, as far as Sigstore's client specification asks for it.
 *
 * @param intermediates Untrusted certificates that may lie between.
 * @returns All paths: two authorities may share a name and a key.
 * @throws {AttestationError} `untrusted-certificate`, `invalid-certificate-usage` or
 * `unsupported-critical-extension`, if there is none.
 */
export async function findPaths(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  authorities: readonly TrustedAuthority[],
): Promise<CertificatePath[]> {
  const candidates = authorities.flatMap((authority) =>
    candidatePaths(leaf, intermediates, authority).map((certificates) => ({
      authority,
      certificates,
    }))
  );
  if (candidates.length === 0) {
    throw untrusted("no trusted authority has the name and key id of its issuer");
  }
  const refusals: AttestationError[] = [];
  const paths: CertificatePath[] = [];
  for (const candidate of candidates.slice(0, MAX_CANDIDATES)) {
    const refusal = issuingRefusal(candidate.certificates) ??
      await signatureRefusal(candidate.certificates);
    if (refusal === undefined) paths.push(candidate);
    else refusals.push(refusal);
  }
  if (paths.length === 0) throw refusals[0];
  return paths;
}

/** Paths by name and key id, the shortest first, without a look at signatures. */
function candidatePaths(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  { chain }: TrustedAuthority,
): Certificate[][] {
  const found: Certificate[][] = [];
  const open: Certificate[][] = [[leaf]];
  for (let step = 0; step < Math.min(open.length, MAX_STEPS); step++) {
    const path = open[step];
    const last = path[path.length - 1];
    const own = chain.findIndex((one) => last === one || equalBytes(last.raw, one.raw));
    const before = found.length;
    if (own >= 0) found.push([...path, ...chain.slice(own + 1)]);
    else {
      chain.forEach((issuer, i) => {
        if (mayHaveIssued(issuer, last)) found.push([...path, ...chain.slice(i)]);
      });
    }
    const isTrusted = found.length > before;
    if (found.length >= MAX_PATHS) return found.slice(0, MAX_PATHS);
    if (isTrusted || path.length >= MAX_UNTRUSTED) continue;
    for (const issuer of intermediates) {
      if (!path.includes(issuer) && mayHaveIssued(issuer, last)) open.push([...path, issuer]);
    }
  }
  return found;
}

/** Tells whether a path to one of the authorities exists by name and key id. */
export function mayLeadTo(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  authorities: readonly TrustedAuthority[],
): boolean {
  return authorities.some((one) => candidatePaths(leaf, intermediates, one).length > 0);
}

/** Tells whether a certificate may have issued another, by name and key id. */
export function mayHaveIssued(issuer: Certificate, subject: Certificate): boolean {
  const id = subject.authorityKeyIdentifier, key = issuer.subjectKeyIdentifier;
  return equalBytes(issuer.subject, subject.issuer) &&
    (id === undefined || key === undefined || equalBytes(id, key));
}

/** Why the certificates of a path may not issue one another (RFC 5280, 6.1.4). */
function issuingRefusal(path: readonly Certificate[]): AttestationError | undefined {
  for (let i = 0; i < path.length; i++) {
    const { basicConstraints, keyUsage, extendedKeyUsage, unknownCritical } = path[i];
    if (unknownCritical.length > 0) {
      return new AttestationError(
        "unsupported-critical-extension",
        `Cannot verify certificate: the critical extension ${unknownCritical[0]} is not understood`,
      );
    }
    if (i === 0) continue;
    if (!mayHaveIssued(path[i], path[i - 1])) {
      return untrusted("the names or key ids of the path do not lead from one to the next");
    }
    if (basicConstraints?.ca !== true) return misused("an issuer is no certificate authority");
    if (keyUsage === undefined || (keyUsage & 0x04) === 0) {
      return misused("an issuer's key is not for signing certificates");
    }
    // Self-issued certificates do not count, but Sigstore has none below the anchor.
    if (basicConstraints.pathLength !== undefined && i - 1 > basicConstraints.pathLength) {
      return misused("the path is longer than an issuer allows");
    }
    const purposes = extendedKeyUsage?.purposes;
    const wanted = path[0].extendedKeyUsage?.purposes ?? [];
    if (
      purposes !== undefined && !purposes.includes("2.5.29.37.0") &&
      !wanted.every((one) => purposes.includes(one))
    ) return misused("an issuer's extended key usage does not cover the certificate's");
  }
}

async function signatureRefusal(
  path: readonly Certificate[],
): Promise<AttestationError | undefined> {
  const pairs: Promise<boolean>[] = [];
  for (let i = 0; i + 1 < path.length; i++) pairs.push(isSignedBy(path[i], path[i + 1]));
  const verdicts = await Promise.all(pairs);
  if (!verdicts.every((good) => good)) return untrusted("a signature of the path does not verify");
}

function isSignedBy(subject: Certificate, issuer: Certificate): Promise<boolean> {
  let byIssuer = verified.get(subject);
  if (byIssuer === undefined) verified.set(subject, byIssuer = new WeakMap());
  let verdict = byIssuer.get(issuer);
  if (verdict === undefined) {
    verdict = keptIfGood(subject, issuer, byIssuer);
    byIssuer.set(issuer, verdict);
  }
  return verdict;
}

/** Only what verified is kept: a runtime that failed once may do better. */
async function keptIfGood(
  { scheme, signature, tbs }: Certificate,
  issuer: Certificate,
  kept: WeakMap<Certificate, Promise<boolean>>,
): Promise<boolean> {
  let good = false;
  try {
    good = scheme !== undefined && await verifySignature(issuer.publicKey, scheme, signature, tbs);
  } finally {
    if (!good) kept.delete(issuer);
  }
  return good;
}

/**
 * Why a path is not valid at a moment, or undefined: every certificate and the authority
 * itself, ends included.
 */
export function refusalAt(
  { authority, certificates }: CertificatePath,
  time: Date,
  reason: Reason,
): AttestationError | undefined {
  const at = time.toISOString();
  for (const [i, { notBefore, notAfter }] of certificates.entries()) {
    if (time >= notBefore && time <= notAfter) continue;
    const which = i === 0 ? "the certificate" : "an issuer's certificate";
    return new AttestationError(
      reason,
      `Cannot verify certificate: at ${at}, ${which} is not valid: ` +
        `${notBefore.toISOString()} to ${notAfter.toISOString()}`,
    );
  }
  if (!isWithin(time, authority.validFor)) {
    return new AttestationError(
      reason,
      `Cannot verify certificate: at ${at}, the trusted root does not trust its authority`,
    );
  }
}

function untrusted(what: string): AttestationError {
  return new AttestationError("untrusted-certificate", `Cannot verify certificate: ${what}`);
}

function misused(what: string): AttestationError {
  return new AttestationError("invalid-certificate-usage", `Cannot verify certificate: ${what}`);
}
