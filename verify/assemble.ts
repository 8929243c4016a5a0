import type { Reason } from "../errors.ts";
import type { ArtifactReport, AttestationReport, VerificationReport } from "./report.ts";

/** The reason of the attestation that got furthest. */
export function furthestReason(attestations: readonly AttestationReport[]): Reason {
  let best: AttestationReport | undefined;
  let most = -1;
  for (const one of attestations) {
    const passed = one.checks.filter(({ outcome }) => outcome === "passed").length;
    if (passed > most) [best, most] = [one, passed];
  }
  return best?.errorReason ?? "attestation-not-found";
}

/** The report over all artifacts: ok only if there is one and none failed. */
export function assembleReport(artifacts: ArtifactReport[], reason?: Reason): VerificationReport {
  const failed = artifacts.find(({ ok }) => !ok);
  const ok = reason === undefined && artifacts.length > 0 && failed === undefined;
  return {
    ok,
    errorReason: ok ? null : reason ?? failed?.errorReason ?? "artifact-required",
    verificationResult: ok ? "PASSED" : "FAILED",
    artifacts,
  };
}
