import type { Reason } from "../errors.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import type { Statement } from "../intoto/statement.ts";
import type { Coverage, ImplicitLayer } from "../formats/format.ts";
import type { FormatId } from "../formats/format_id.ts";
import type { EvidenceAttestation } from "../policy/evidence.ts";
import type { PolicyVerdict } from "../policy/verdict.ts";
import type { Check } from "../report.ts";
import type { CertificateIdentity } from "../sigstore/identity.ts";
import type { VerifiedTimestamp } from "../sigstore/verified_times.ts";
import type { BuildLevel } from "../slsa/expectation.ts";

/** What an attestation was read as. */
export type AttestationFormat = "sigstore-bundle" | "dsse" | "statement" | "unknown" | FormatId;

/** What is to be known of a format that is neither DSSE nor a Sigstore bundle. */
export interface ForeignFacts {
  /** The format. */
  format: FormatId;
  /** How much the signatures cover. */
  coverage: Coverage;
  /** What they cover beside the message, such as minisign's trusted comment. */
  authenticated?: Record<string, string>;
  /** How the message is to be read, as the document states it. */
  messageType?: string;
  /** True if the signatures cover that too. */
  messageTypeAuthenticated: boolean;
  /** What the format does not say; a constant stands for it. */
  implicit: ImplicitLayer[];
  /**
   * SHA-256 of the key of each signer, in the order of `signers`: of its SubjectPublicKeyInfo,
   * lowercase hex.
   */
  fingerprints: string[];
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
  /** From the verified Statement; absent where there is none, or the signature was not accepted. */
  predicateType?: string;
  /** From the verified certificate of a keyless attestation. */
  identity?: CertificateIdentity;
  /** Names of the trusted keys that accepted, or the verified certificate's identity. */
  signers: string[];
  /** Verified times of signing. */
  timestamps: VerifiedTimestamp[];
  /** The verified Statement; absent where there is none, or the signature was not accepted. */
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

/** One place where attestations were looked for, and what came of it. */
export interface LookupReport {
  /** The mechanism: `referrers`, `cosign-attestations`, `cosign-signatures`, `buildkit`. */
  via: string;
  /** What was asked: a reference, an address. */
  place: string;
  /** `unavailable`: it could not be asked, or not to its end; that is not `not-found`. */
  outcome: "found" | "not-found" | "unavailable";
  /** Attestations that were found there. */
  count: number;
  /** What else hangs there, such as signatures that are not verified here. */
  others?: number;
  /** Why it is `unavailable`. */
  reason?: Reason;
  /** The same for people. */
  message?: string;
  /** What was odd there: entries about something else, limits. */
  notes?: string[];
}

/** An image, as its reference was resolved once; its manifests are in `artifacts`. */
export interface ImageReport {
  /** As it was asked for. */
  reference: string;
  /** Digest that the reference named at that moment. */
  digest: string;
  /** Media type of that manifest. */
  mediaType: string;
  /**
   * Which of its manifests need an attestation: each that can be pulled, those of the platforms
   * that were asked for, the index alone, or the one that it is.
   */
  requires: "every-platform" | "platforms" | "index" | "manifest";
  /** An attestation of the index counts for the manifests that it lists. */
  inheritFromIndex: boolean;
  /** The Helm chart that it is, as its package states it. */
  chart?: {
    /** Its name. */ name: string;
    /** Its version. */ version: string;
  };
  /** What was found about the index, where it is no artifact of the report itself. */
  index?: ArtifactReport;
  /** What hangs on its manifests and was not verified here. */
  others?: {
    /** Where it was found. */ source: string;
    /** Type that its manifest states. */ artifactType: string;
    /** What it is, for people. */ what: string;
  }[];
  /** What to do next, where children have attestations and the index has none, or the reverse. */
  hint?: string;
  /** What was odd about the image itself. */
  notes?: string[];
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
  /** Platform of a manifest of an image, such as `linux/arm64`, as its index states it. */
  platform?: string;
  /** True if at least one attestation verified for this artifact. */
  ok: boolean;
  /** Why not; null when `ok`. */
  errorReason: Reason | null;
  /** Each attestation that was looked at, in the order given. */
  attestations: AttestationReport[];
  /** Where attestations of it were looked for, where that is more than files. */
  lookups?: LookupReport[];
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
  /** Images whose manifests are among the artifacts, in the order given. */
  images?: ImageReport[];
  /**
   * Verdict of the policy, which decided; in `permissive` mode a failed one is a warning. An
   * attestation that is `ok` beside it verified, whatever the policy makes of it.
   */
  policy?: PolicyVerdict;
}
