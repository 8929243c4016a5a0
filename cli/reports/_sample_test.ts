import type { PolicyCheck } from "../../policy/verdict.ts";
import type { AttestationReport, VerificationReport } from "../../verify/report.ts";

/** A digest of tests. */
export const SHA: string = "0123456789abcdef".repeat(4);

/** An attestation that verified, or did not. */
export function attestation(change: Partial<AttestationReport> = {}): AttestationReport {
  return {
    source: "dist/app.tgz.intoto.jsonl#2",
    format: "dsse",
    ok: true,
    errorReason: null,
    predicateType: "https://slsa.dev/provenance/v1",
    signers: ["ci"],
    timestamps: [],
    checks: [
      {
        id: "envelope.signature",
        layer: "envelope",
        outcome: "passed",
        message: "1 trusted key accepts",
      },
    ],
    ...change,
  };
}

/** A report without a policy whose one artifact has a subject that is another. */
export function plainReport(name = "dist/app.tgz", message = "No subject has the digest") {
  const report: VerificationReport = {
    ok: false,
    errorReason: "subject-mismatch",
    verificationResult: "FAILED",
    artifacts: [{
      artifact: name,
      digest: { sha256: SHA },
      ok: false,
      errorReason: "subject-mismatch",
      attestations: [
        attestation({ source: "other.json", ok: false, errorReason: "invalid-signature" }),
        attestation({
          ok: false,
          errorReason: "subject-mismatch",
          checks: [
            ...attestation().checks,
            {
              id: "statement.subject",
              layer: "statement",
              outcome: "failed",
              reason: "subject-mismatch",
              expected: `sha256:${SHA}`,
              actual: `sha256:${"f".repeat(64)}`,
              path: "/subject/0/digest",
              origin: "signed",
              message,
            },
          ],
        }),
      ],
    }],
  };
  return report;
}

const until = "2027-01-01T00:00:00Z";

function rules(): PolicyCheck[] {
  const passed: PolicyCheck = {
    id: "release/provenance/payload-type",
    layer: "envelope",
    outcome: "passed",
    message: "The payload type is accepted",
    expected: "application/vnd.in-toto+json",
    actual: "application/vnd.in-toto+json",
    origin: "signed",
  };
  const failed: PolicyCheck = {
    id: "release/provenance/builder",
    layer: "predicate",
    outcome: "failed",
    reason: "unexpected-builder",
    expected: '"https://github.com/acme/workflows/.github/workflows/release.yml@refs/tags/v1.2.3"',
    actual: '"https://github.com/mallory/workflows/.github/workflows/release.yml@refs/heads/main"',
    path: "/predicate/runDetails/builder/id",
    origin: "signed",
    message: "The builder is another one",
    remedy: "Build with the workflow that the policy names, or name the builder in the policy",
  };
  const waived: PolicyCheck = {
    id: "release/scan/vulnerabilities/severity",
    layer: "predicate",
    outcome: "waived",
    reason: "severity-too-high",
    expected: "at most high",
    actual: "critical: CVE-2026-0001",
    path: "/predicate/scanner/result/0/severity",
    origin: "signed",
    message: "A finding is more severe than accepted",
    waiver: { owner: "security@acme.example", reason: "Not reachable from the API", until },
  };
  return [
    {
      id: "release",
      outcome: "failed",
      reason: "unexpected-builder",
      message: "Not met: release/provenance",
      children: [
        {
          id: "release/provenance",
          outcome: "failed",
          reason: "unexpected-builder",
          message: "The builder is another one",
          expected: "1 that holds",
          actual: "0 of 1",
          children: [{
            id: "release/provenance/attestation",
            outcome: "failed",
            reason: "unexpected-builder",
            message: "Not met: release/provenance/builder",
            source: "dist/app.tgz.intoto.jsonl#2",
            children: [passed, failed],
          }],
        },
        {
          id: "release/scan",
          outcome: "waived",
          reason: "severity-too-high",
          message: "Met with a waiver",
          children: [
            {
              id: "release/scan/attestation",
              outcome: "failed",
              reason: "scan-too-old",
              message: "Not met: release/scan/age",
              source: "old-scan.json",
              children: [{
                id: "release/scan/age",
                outcome: "failed",
                reason: "scan-too-old",
                message: "The scan is too old",
              }],
            },
            {
              id: "release/scan/attestation",
              outcome: "waived",
              reason: "severity-too-high",
              message: "Waived: release/scan/vulnerabilities/severity",
              source: "scan.json",
              children: [waived],
            },
          ],
        },
        {
          id: "release/sbom",
          outcome: "failed",
          reason: "missing-attestation",
          expected: '"https://spdx.dev/Document"',
          actual: "no verified attestation",
          message: "Not met: found no verified attestation",
          remedy: "Attest the artifact, and give the attestation to the verifier",
        },
      ],
    },
    { id: "images", outcome: "not-applicable", message: "It does not select the artifact" },
  ];
}

/** A report whose policy refused one artifact, with a waiver in it, and passed another. */
export function policyReport(mode: "enforce" | "permissive" = "enforce"): VerificationReport {
  const first = {
    artifact: "dist/app.tgz",
    digest: { sha256: SHA },
    ok: false,
    errorReason: "unexpected-builder" as const,
  };
  const second = {
    artifact: "dist/app.txt",
    digest: { sha256: "f".repeat(64), sha512: "e".repeat(128) },
    ok: true,
    errorReason: null,
  };
  return {
    ok: false,
    errorReason: "unexpected-builder",
    verificationResult: "FAILED",
    artifacts: [
      {
        ...first,
        attestations: [
          attestation(),
          attestation({
            source: "stranger.json",
            ok: false,
            errorReason: "invalid-signature",
            signers: [],
          }),
        ],
      },
      { ...second, attestations: [attestation({ source: "dist/app.txt.intoto.json" })] },
    ],
    policy: {
      ok: false,
      errorReason: "unexpected-builder",
      mode,
      policy: "acme releases",
      policyDigest: SHA,
      time: "2026-11-20T10:00:00.000Z",
      artifacts: [
        { ...first, rules: rules() },
        {
          ...second,
          rules: [
            {
              id: "release",
              outcome: "not-applicable",
              message: "It does not select the artifact",
            },
            {
              id: "text",
              outcome: "passed",
              message: "Everything that it asks is met",
              children: [{
                id: "text/signed",
                outcome: "passed",
                message: "The attestation holds",
              }],
            },
          ],
        },
      ],
    },
  };
}
