/**
 * The one vocabulary of refusal: {@linkcode AttestationError} and its reasons.
 *
 * The text that explains each reason (cause, check, repair, example) is in
 * `reasons.ts`, so that a program that only verifies does not carry it.
 *
 * @module
 */

/**
 * Why something was refused. The words are API: renaming one is a breaking change.
 *
 * One cause has one reason, and it is the same word in `errorReason`, in a check of a
 * report, in the command line's `explain`, and in the conformance vectors.
 */
export type Reason =
  // Input
  | "aborted"
  | "ambiguous-format"
  | "ambiguous-zip"
  | "artifact-required"
  | "attestation-not-found"
  | "duplicate-json-key"
  | "empty-input"
  | "git-failed"
  | "git-ref-not-found"
  | "internal-error"
  | "invalid-base64"
  | "invalid-hex"
  | "invalid-unicode"
  | "limit-exceeded"
  | "malformed-cbor"
  | "malformed-checksums"
  | "malformed-der"
  | "malformed-json"
  | "malformed-pem"
  | "malformed-zip"
  | "unknown-format"
  | "unreadable-file"
  | "unsupported-zip"
  | "usage"
  // Keys
  | "key-algorithm-mismatch"
  | "key-not-valid"
  | "key-revoked"
  | "malformed-key"
  | "malformed-key-set"
  | "missing-passphrase"
  | "unsupported-algorithm"
  | "weak-key"
  | "wrong-passphrase"
  // Output
  | "file-exists"
  | "locked-file"
  | "unwritable-file"
  // Storage
  | "content-mismatch"
  | "image-not-found"
  | "malformed-chart"
  | "malformed-image-layout"
  | "malformed-image-manifest"
  | "malformed-image-reference"
  | "platform-not-found"
  | "referrer-mismatch"
  | "registry-access-denied"
  | "registry-auth-refused"
  | "registry-conflict"
  | "registry-rate-limited"
  | "store-unavailable"
  // Registry
  | "invalid-api-key"
  | "malformed-manifest"
  | "malformed-query"
  | "malformed-urn"
  | "manifest-not-found"
  | "missing-api-key"
  | "request-timeout"
  | "revision-mismatch"
  | "too-many-requests"
  | "unsupported-media-type"
  | "urn-look-alike"
  | "urn-mismatch"
  | "urn-out-of-scope"
  // Envelope
  | "attestation-expired"
  | "attestation-not-yet-valid"
  | "content-digest-mismatch"
  | "format-not-verified"
  | "invalid-signature"
  | "malformed-envelope"
  | "malformed-signature-payload"
  | "malformed-signing-block"
  | "missing-signatures"
  | "missing-trusted-key"
  | "stripped-signature"
  | "threshold-not-met"
  | "unsigned-entry"
  | "unsigned-statement"
  | "unsupported-critical-header"
  | "unsupported-payload-type"
  | "unsupported-signature-type"
  | "weak-hash"
  // Statement
  | "artifact-rule-violated"
  | "duplicate-subject-name"
  | "empty-directory"
  | "empty-resource-descriptor"
  | "inconsistent-predicate"
  | "inspection-failed"
  | "inspection-not-run"
  | "invalid-digest"
  | "invalid-timestamp"
  | "invalid-uri"
  | "link-collision"
  | "link-mismatch"
  | "links-disagree"
  | "malformed-layout"
  | "malformed-predicate"
  | "malformed-resource-descriptor"
  | "malformed-statement"
  | "message-digest-mismatch"
  | "missing-predicate"
  | "missing-predicate-field"
  | "missing-predicate-type"
  | "missing-subject"
  | "missing-subject-digest"
  | "missing-subject-name"
  | "predicate-type-mismatch"
  | "subject-conflict"
  | "subject-mismatch"
  | "unsupported-digest-algorithm"
  | "unsupported-file-name"
  | "unsupported-git-object"
  | "unsupported-statement-type"
  // SLSA provenance
  | "branch-mismatch"
  | "build-type-mismatch"
  | "certificate-provenance-mismatch"
  | "commit-mismatch"
  | "insufficient-level"
  | "invalid-versioned-tag"
  | "malformed-builder-trust"
  | "missing-builder-id"
  | "missing-commit"
  | "missing-legacy-subject"
  | "missing-materials"
  | "parameter-mismatch"
  | "source-mismatch"
  | "tag-mismatch"
  | "unexpected-builder"
  | "unexpected-parameter"
  | "unpinned-dependency"
  | "unsigned-text-mismatch"
  | "untrusted-builder"
  | "versioned-tag-mismatch"
  | "workflow-input-mismatch"
  // npm packages
  | "integrity-mismatch"
  | "malformed-lockfile"
  | "malformed-npm-answer"
  | "malformed-npm-expectations"
  | "malformed-npm-history"
  | "malformed-purl"
  | "missing-integrity"
  | "missing-provenance"
  | "missing-publish-attestation"
  | "package-mismatch"
  | "provenance-lost"
  | "repository-changed"
  | "workflow-mismatch"
  // Verification summary (VSA)
  | "dependencies-unknown"
  | "duplicate-track-level"
  | "invalid-level"
  | "missing-resource-expectation"
  | "policy-mismatch"
  | "resource-mismatch"
  | "source-ref-mismatch"
  | "verification-not-passed"
  | "verifier-mismatch"
  | "vsa-too-old"
  // Sigstore bundle and trusted root
  | "forbidden-certificate-chain"
  | "key-hint-mismatch"
  | "malformed-sigstore-bundle"
  | "malformed-trusted-root"
  | "missing-inclusion-promise"
  | "missing-inclusion-proof"
  | "root-in-bundle"
  | "unsupported-bundle-version"
  // Certificate
  | "certificate-claim-mismatch"
  | "certificate-not-valid"
  | "forbidden-by-dbx"
  | "identity-mismatch"
  | "invalid-certificate-usage"
  | "invalid-sct"
  | "issuer-conflict"
  | "issuer-mismatch"
  | "malformed-certificate"
  | "malformed-signature-list"
  | "missing-identity-expectation"
  | "missing-issuer-expectation"
  | "sct-threshold-not-met"
  | "self-hosted-runner"
  | "unsupported-critical-extension"
  | "untrusted-certificate"
  // Transparency log
  | "checkpoint-mismatch"
  | "duplicate-log-entry"
  | "invalid-checkpoint-signature"
  | "invalid-inclusion-promise"
  | "invalid-inclusion-proof"
  | "log-digest-mismatch"
  | "log-key-mismatch"
  | "log-not-valid"
  | "log-signature-mismatch"
  | "log-threshold-not-met"
  | "malformed-checkpoint"
  | "malformed-log-entry"
  | "unsupported-log-entry"
  | "untrusted-log"
  // Timestamps
  | "invalid-timestamp-signature"
  | "malformed-timestamp"
  | "timestamp-authority-not-valid"
  | "timestamp-imprint-mismatch"
  | "timestamp-rejected"
  | "timestamp-threshold-not-met"
  | "untrusted-timestamp-authority"
  // Policy
  | "attestation-too-old"
  | "attestations-disagree"
  | "cel-error"
  | "chain-not-met"
  | "condition-error"
  | "condition-not-met"
  | "covered-path-removed"
  | "coverage-not-accepted"
  | "dependency-not-allowed"
  | "digest-algorithm-not-accepted"
  | "fields-differ"
  | "forbidden-dependency"
  | "forbidden-package"
  | "format-not-accepted"
  | "insufficient-log-entries"
  | "insufficient-signers"
  | "insufficient-timestamps"
  | "malformed-gate-rules"
  | "malformed-policy"
  | "malformed-policy-tests"
  | "malformed-report"
  | "malformed-revocation-list"
  | "malformed-waivers"
  | "message-type-not-signed"
  | "missing-attestation"
  | "missing-dependency"
  | "missing-package"
  | "policy-expired"
  | "requirement-not-met"
  | "revocation-list-expired"
  | "revocation-list-rollback"
  | "scan-too-old"
  | "scanner-mismatch"
  | "severity-too-high"
  | "signer-mismatch"
  | "signers-not-distinct"
  | "subject-name-mismatch"
  | "unselected-artifact"
  | "unversioned-package"
  | "weak-algorithm"
  // Update of trusted roots (TUF)
  | "invalid-tuf-signature"
  | "malformed-tuf-metadata"
  | "tuf-expired"
  | "tuf-rollback"
  | "tuf-target-mismatch"
  | "tuf-target-not-found"
  | "tuf-version-mismatch"
  // Provenance from the environment of a build
  | "conflicting-build-fact"
  | "malformed-build-fact"
  | "missing-build-fact"
  | "unknown-build-environment"
  // Identity tokens
  | "audience-mismatch"
  | "device-flow-failed"
  | "identity-token-expired"
  | "malformed-identity-token"
  | "missing-identity-token"
  // Signing with services
  | "malformed-response"
  | "malformed-signing-config"
  | "produced-invalid"
  | "response-mismatch"
  | "service-refused"
  | "service-unavailable"
  | "unsatisfied-signing-config";

/** Options of {@linkcode AttestationError}. */
export interface AttestationErrorOptions extends ErrorOptions {
  /** JSON Pointer (RFC 6901) of the field at fault. */
  path?: string;
}

/**
 * Refusal of untrusted input, with a reason that programs can branch on.
 *
 * Wrong arguments by the programmer are `TypeError` or `RangeError` instead.
 *
 * @example A refused envelope
 * ```ts
 * import { AttestationError } from "@x/attest";
 * import { parseEnvelope } from "@x/attest/dsse";
 * import assert from "node:assert/strict";
 *
 * try {
 *   parseEnvelope("{}");
 *   assert.fail("not reached");
 * } catch (error) {
 *   assert.ok(error instanceof AttestationError);
 *   assert.equal(error.reason, "malformed-envelope");
 *   assert.equal(error.path, "/payload");
 * }
 * ```
 */
export class AttestationError extends Error {
  /** Name of the class, also across realms. */
  override readonly name = "AttestationError";
  /** Why it was refused. */
  readonly reason: Reason;
  /** JSON Pointer of the field at fault, when there is one. */
  readonly path?: string;

  /** Creates a refusal with its reason and a message for people. */
  constructor(reason: Reason, message: string, options?: AttestationErrorOptions) {
    super(message, options);
    this.reason = reason;
    if (options?.path !== undefined) this.path = options.path;
  }
}

/**
 * Tells whether a value is an {@linkcode AttestationError}, also one of another copy of
 * this package.
 */
export function isAttestationError(value: unknown): value is AttestationError {
  return value instanceof AttestationError ||
    (value instanceof Error && value.name === "AttestationError" && "reason" in value);
}

/** One thing that is wrong with a shape; validators list them all. */
export interface Problem {
  /** Why it is refused. */
  reason: Reason;
  /** JSON Pointer (RFC 6901) of the field at fault; empty for the whole value. */
  path: string;
  /** For people: one line, no final period. */
  message: string;
}
