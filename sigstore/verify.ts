import type { AttestationError, Reason } from "../errors.ts";
import type { Bytes } from "../internal/bytes.ts";
import { asRefusal, CheckList } from "../internal/check_list.ts";
import type { CombinedKeys } from "../keys/key_validity.ts";
import type { PublicKey } from "../keys/public_key.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import type { Check } from "../report.ts";
import { type Attempt, attempt, attempts, settle, usesLog } from "./_attempt.ts";
import {
  certificatePaths,
  certificateScts,
  checkCertificate,
  checkScts,
  checkValidity,
} from "./_certificate_checks.ts";
import { checkExpectation, checkIdentity } from "./_identity_checks.ts";
import { checkSignature, signedFacts, verifyContent } from "./_signature_check.ts";
import { parseSigstoreBundle, type SigstoreBundle } from "./bundle.ts";
import type { CertificateIdentity } from "./identity.ts";
import type { SignedArtifact } from "./signed_artifact.ts";
import { checkSigstoreTrust, type SigstoreTrust } from "./sigstore_trust.ts";
import { verifyTimestamp } from "./timestamp.ts";
import { verifyLogEntry } from "./transparency_log.ts";
import {
  checkLog,
  checkTimestamps,
  VerifiedTimes,
  type VerifiedTimestamp,
} from "./verified_times.ts";

/** Answer of {@linkcode verifySigstoreBundle}. */
export type SigstoreResult = VerifiedSigstoreBundle | RefusedSigstoreBundle;

/** A bundle that verified. */
export interface VerifiedSigstoreBundle {
  /** Accepted. */
  ok: true;
  /** Nothing failed. */
  errorReason: null;
  /** Every check, in order. */
  checks: Check[];
  /** Signed payload and its type; absent when the artifact itself was signed. */
  envelope?: { payloadType: string; payload: Bytes };
  /** Who signed, of a keyless bundle. */
  identity?: CertificateIdentity;
  /** Name of the key, or of the certificate's holder. */
  signer: string;
  /** The key, of a bundle that is signed with a key. */
  trustedKey?: TrustedKey;
  /** Key of the certificate, or the trusted one. */
  publicKey: PublicKey;
  /** Distinct logs that include it. */
  logs: number;
  /** Verified times. */
  timestamps: VerifiedTimestamp[];
  /** Name of the root that was used. */
  trustedRoot: string;
}

/** A bundle that was refused. */
export interface RefusedSigstoreBundle {
  /** Refused. */
  ok: false;
  /** Why: of the first check that failed. */
  errorReason: Reason;
  /** Where and what, for people. */
  error: AttestationError;
  /** Every check, in order. */
  checks: Check[];
}

/**
 * Verifies a Sigstore bundle offline: signature, certificate at the verified times, SCTs,
 * log entries, timestamps and identity. Whether an envelope's Statement is about the
 * artifact is the next layer's question: see `verify()`.
 *
 * Source: sigstore/architecture-docs, client-spec.md, "Verification".
 *
 * @param source Bundle as JSON text, bytes or parsed.
 * @param trust Roots or keys, expected identity, thresholds.
 * @param artifact The artifact, for bundles that sign the artifact itself.
 * @returns `ok: true` with the signed envelope and who signed it, or `ok: false` with the
 * reason of the first check that failed; the checks are there in both cases.
 * @throws {TypeError} If `trust` is not of its form.
 *
 * @example A file that is no bundle
 * ```ts
 * import { verifySigstoreBundle } from "@x/attest/sigstore";
 * import assert from "node:assert/strict";
 *
 * const result = await verifySigstoreBundle("<html>", { trustedRoots: [] });
 * assert.equal(result.errorReason, "malformed-json");
 * ```
 */
export async function verifySigstoreBundle(
  source: string | Uint8Array | object,
  trust: SigstoreTrust,
  artifact?: SignedArtifact,
): Promise<SigstoreResult> {
  checkSigstoreTrust(trust);
  await combinedKeys(trust);
  let bundle: SigstoreBundle;
  try {
    bundle = parseSigstoreBundle(source);
  } catch (error) {
    const list = new CheckList();
    list.failed("envelope.format", error);
    return refused(list);
  }
  return await verifyParsedBundle(bundle, trust, artifact);
}

/** {@linkcode verifySigstoreBundle} from the parsed bundle on; `trust` has been checked. */
export async function verifyParsedBundle(
  bundle: SigstoreBundle,
  trust: SigstoreTrust,
  artifact?: SignedArtifact,
): Promise<SigstoreResult> {
  try {
    const results: SigstoreResult[] = [];
    for (const by of attempts(bundle, trust, await combinedKeys(trust))) {
      const result = await verifyAttempt(attempt(bundle, by, { trust, artifact }));
      if (result.ok) return result;
      results.push(result);
    }
    return results.reduce((best, one) => passedChecks(one) > passedChecks(best) ? one : best);
  } catch (error) {
    const list = new CheckList();
    list.failed("envelope.signature", error);
    return refused(list);
  }
}

const NO_RULES: CombinedKeys["rules"] = new Map();

/** Rules of keys are loaded where there are any: a keyless bundle has no use for them. */
async function combinedKeys({ keys = [], keySets }: SigstoreTrust): Promise<CombinedKeys> {
  if (keySets === undefined) return { keys, rules: NO_RULES };
  return (await import("../keys/key_validity.ts")).combineKeys(keys, keySets);
}

function passedChecks({ checks }: SigstoreResult): number {
  return checks.filter(({ outcome }) => outcome === "passed").length;
}

function refused(list: CheckList): RefusedSigstoreBundle {
  const error = list.error ?? asRefusal(undefined);
  return { ok: false, errorReason: error.reason, error, checks: list.checks };
}

/** A stamp of the signature; under a tag of cosign also one of the whole envelope. */
async function verifyStamp(
  der: Bytes,
  { bundle: { content: { signature }, stamped }, root: { timestampAuthorities } }: Attempt,
): ReturnType<typeof verifyTimestamp> {
  try {
    return await verifyTimestamp(der, signature, timestampAuthorities);
  } catch (error) {
    if (stamped === undefined || asRefusal(error).reason !== "timestamp-imprint-mismatch") {
      throw error;
    }
    return await verifyTimestamp(der, stamped, timestampAuthorities);
  }
}

/** The independent checks are started together and reported in order. */
async function verifyAttempt(one: Attempt): Promise<SigstoreResult> {
  const { bundle, root, signer, list } = one;
  const { content } = bundle;
  const facts = signedFacts(one);
  const signature = settle(verifyContent(one));
  const paths = settle(certificatePaths(one));
  const scts = settle(certificateScts(one, paths));
  const entries = usesLog(one) && facts !== undefined
    ? bundle.logEntries.map((entry) => settle(verifyLogEntry(entry, facts, root.logs)))
    : [];
  const stamps = bundle.timestamps.map((der) => settle(verifyStamp(der, one)));

  const verified = new VerifiedTimes();
  checkExpectation(one);
  const trusted = await checkCertificate(one, paths);
  await checkSignature(one, signature);
  await checkLog(one, verified, entries);
  await checkTimestamps(one, verified, stamps);
  verified.checkLogKeys(one);
  await checkKeyValidity(one, verified);
  checkValidity(one, verified, trusted);
  await checkScts(one, scts);
  const identity = checkIdentity(one);

  if (list.error !== undefined) return refused(list);
  const result: VerifiedSigstoreBundle = {
    ok: true,
    errorReason: null,
    checks: list.checks,
    signer: signer.kind === "certificate" ? identity!.subjectAlternativeName : signer.trusted!.name,
    publicKey: signer.key!,
    logs: verified.logs(),
    timestamps: verified.stamps(),
    trustedRoot: root.name,
  };
  if (identity !== undefined) result.identity = identity;
  if (signer.kind === "publicKey") result.trustedKey = signer.trusted;
  if (content.kind === "envelope") {
    const { payloadType, payload } = content.envelope;
    result.envelope = { payloadType, payload };
  }
  return result;
}

/** Checks that a key with a period counted at the times of signing. */
async function checkKeyValidity(one: Attempt, verified: VerifiedTimes): Promise<void> {
  const signer = one.signer;
  if (signer.kind !== "publicKey" || signer.trusted === undefined) return;
  const { trusted, rules = NO_RULES } = signer;
  if (!rules.has(trusted.fingerprint)) return;
  const { countKeys } = await import("../keys/key_validity.ts");
  const verifiedTimes = verified.times();
  const moments = { verifiedTimes, now: one.trust.now ?? new Date() };
  countKeys(one.list, [trusted], { rules, needed: 1, moments });
}
