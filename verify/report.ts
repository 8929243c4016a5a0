import type { Reason } from "../errors.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import type { Statement } from "../intoto/statement.ts";
import type { Coverage, ImplicitLayer } from "../formats/format.ts";
import type { FormatId } from "../formats/format_id.ts";
import type { EvidenceAttestation } from "../policy/evidence.ts";
import type { PolicyVerdict } from "../policy/verdict.ts";
import type { Check } from "../report.ts";
import type { CertificateIdentity } from "../sigstore/identity.ts";
import type { VerifiedTimestamp } from "../sigstore/verify.ts";
import type { BuildLevel } from "../slsa/expectation.ts";

/** What an attestation was read as. */
export type AttestationFormat = "sigstore-bundle" | "dsse" | "statement" | "unknown" | FormatId;

/** What is to be known of a format that is neither DSSE nor a Sigstore bundle. */
export interface ForeignFacts {
  /** The format. */
  format: FormatId;
  /** How much the signatures cover. */
  coverage: Coverage;
  /** How the message is to be read, as the document states it. */
  messageType?: string;
  /** True if the signatures cover that too. */
  messageTypeAuthenticated: boolean;
  /** What the format does not say; a constant stands for it. */
  implicit: ImplicitLayer[];
}

/** What a policy needs to know of a verified attestation, beyond what the report tells. */
export type AttestationEvidence = Omit<
  EvidenceAttestation,
  "source" | "format" | "timestamps" | "statement"
>;

/** What was found about one attestation in relation to one artifact. */
export interface AttestationReport {
  /** Where it came from: a file name with `#` and the line, or what the caller named it. */
  source: string;
  /** What it was read as. */
  format: AttestationFormat;
  /** True only if every check passed. */
  ok: boolean;
  /** Reason of the first failed check; null when `ok`. */
  errorReason: Reason | null;
  /** From the verified Statement; absent when the signature was not accepted. */
  predicateType?: string;
  /** From the verified certificate of a keyless attestation. */
  identity?: CertificateIdentity;
  /** Names of the trusted keys that accepted, or the verified certificate's identity. */
  signers: string[];
  /** Verified times of signing. */
  timestamps: VerifiedTimestamp[];
  /** The verified Statement; absent when the signature was not accepted. */
  statement?: Statement;
  /**
   * SLSA Build level of the recognised pair of signer and builder; only where provenance is
   * expected. It is never read from the provenance.
   */
  buildLevel?: BuildLevel;
  /** Only if it is `ok`, and a policy judged or `evidence` was asked for. */
  evidence?: AttestationEvidence;
  /** What is to be known of another format; only if its signature was accepted. */
  foreign?: ForeignFacts;
  /** Every check, in order. */
  checks: Check[];
}

/** What was found about one artifact: ok when one attestation satisfies every check. */
export interface ArtifactReport {
  /** File name, or what the caller named it, or `alg:hex`. */
  artifact: string;
  /** Digests of the artifact, lowercase hex. */
  digest: DigestSet;
  /** Repository of an OCI image, as the caller vouched for it; beside `evidence`. */
  oci?: string;
  /** Name of an npm package, as the caller vouched for it; beside `evidence`. */
  npm?: string;
  /** True if at least one attestation verified for this artifact. */
  ok: boolean;
  /** Why not; null when `ok`. */
  errorReason: Reason | null;
  /** Each attestation that was looked at, in the order given. */
  attestations: AttestationReport[];
}

/** Answer of `verify()`; `--format json` prints it as it is. */
export interface VerificationReport {
  /** True only if there is an artifact and every artifact is ok. */
  ok: boolean;
  /** Reason of the first artifact that failed; null when `ok`. */
  errorReason: Reason | null;
  /** The word that people look for. */
  verificationResult: "PASSED" | "FAILED";
  /** One report per artifact, in the order given. */
  artifacts: ArtifactReport[];
  /**
   * Verdict of the policy, which decided; in `permissive` mode a failed one is a warning. An
   * attestation that is `ok` beside it verified, whatever the policy makes of it.
   */
  policy?: PolicyVerdict;
}
