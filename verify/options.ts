import type { EfiTrust } from "../formats/attached/efi_trust.ts";
import type { CertificateTrust } from "../formats/certificate_trust.ts";
import type { TufRootTrust } from "../formats/tuf_targets.ts";
import type { OpenPgpKeyring } from "../formats/openpgp_keyring.ts";
import type { KeySet, TrustedKey } from "../keys/mod.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import type { IdentityExpectation } from "../sigstore/identity.ts";
import type { TrustedRoot } from "../sigstore/trusted_root.ts";
import type { CompiledPolicy } from "../policy/compiled.ts";
import type { ProvenanceExpectation } from "../slsa/expectation.ts";
import type { VsaExpectation } from "../slsa/vsa_expectation.ts";

/** An attestation as text, bytes or parsed JSON. */
export type AttestationContent = string | Uint8Array | object;

/** An attestation, a file of many, or either with the name to report it by. */
export type AttestationInput = AttestationContent | {
  /** Name in the report, such as the file's. */
  source: string;
  /** The attestation itself. */
  content: AttestationContent;
  /** What a detached signature is over, where it is not the artifact: a list of checksums, say. */
  message?: Uint8Array;
};

/** Bytes of an artifact; a stream or Blob is read once, in constant memory. */
export type ArtifactContent = Uint8Array | Blob | ReadableStream<Uint8Array>;

/** An artifact, or its digests as the caller vouches for them. */
export type ArtifactInput =
  | ArtifactContent
  | ArtifactPlace & {
    /** The artifact itself. */
    content: ArtifactContent;
  }
  | ArtifactPlace & {
    /** Digests, such as `{ sha256: "…" }`, instead of the artifact. */
    digest: DigestSet;
  };

/** What an artifact is called, and where it belongs; the caller vouches for it. */
export interface ArtifactPlace {
  /** Name in the report, such as the file's. */
  name?: string;
  /** Repository of an OCI image, without tag or digest: what a policy may select by. */
  oci?: string;
  /** Name of an npm package, with its scope: what a policy may select by. */
  npm?: string;
}

/** Who is believed. */
export interface Trust {
  /** Keys for attestations that are signed with a key. */
  keys?: TrustedKey[];
  /**
   * Keys that count at certain times only: a signature counts if its key was valid, and not
   * yet revoked, at each verified time of signing; without a verified time, at `now`. The
   * same key must not be given twice with different rules.
   */
  keySets?: KeySet[];
  /** Distinct keys that must accept a DSSE envelope; integer >= 1, default 1. */
  threshold?: number;
  /** Trusted roots of Sigstore instances, beside the public-good instance. */
  trustedRoots?: TrustedRoot[];
  /** Authorities and holders of certificates, for other formats that carry them. */
  certificates?: CertificateTrust;
  /** Pinned roots of TUF repositories (Docker Content Trust), for their targets. */
  tufRoots?: readonly TufRootTrust[];
  /** What firmware trusts and refuses, for images of UEFI. */
  efi?: EfiTrust;
  /** OpenPGP keys, as `createOpenPgpKeyring()` of `@x/attest/formats/openpgp` makes them. */
  openpgp?: OpenPgpKeyring;
  /** Believe `trustedRoots` only, not the public-good instance. Default false. */
  onlyRoot?: boolean;
}

/** How much independent evidence a keyless attestation needs. */
export interface EvidenceThresholds {
  /** Distinct transparency logs that include the entry. Default 1. */
  log?: number;
  /** Distinct certificate transparency logs that promised to include the certificate. Default 1. */
  sct?: number;
  /** Verified times of any kind (log promise or timestamp authority). Default 1, never less for a certificate. */
  timestamp?: number;
  /** Verified times by RFC 3161 authorities. Default 0. */
  timestampAuthority?: number;
  /** Verified times by log promises (SET). Default 0. */
  integratedTime?: number;
}

/** What the attestation must say. */
export interface Expectations {
  /** Whom a keyless attestation must come from: any one of these. */
  identity?: IdentityExpectation | IdentityExpectation[];
  /** Predicate type, or any one of several; exact. */
  predicateType?: string | string[];
  /** Formats that are accepted, such as `dsse` and `jws`. Default: all that are verified. */
  formats?: readonly string[];
  /**
   * `any`: each artifact is a subject. `all`: also each subject is one of the artifacts.
   * `exact`: also each artifact is the only one with its subject. Default `any`.
   */
  subjects?: "any" | "all" | "exact";
  /**
   * What SLSA provenance must say, and who may say it. With its `sourceUri`, the recognised
   * pair of signer and builder stands for the expected identity.
   */
  provenance?: ProvenanceExpectation;
  /**
   * What a SLSA verification summary (VSA) must say, and who may say it. Its `digest` may
   * stand for the artifact: a revision or an image has no bytes to give.
   */
  vsa?: VsaExpectation;
}

/** Bounds on what is read; anything above is refused with `limit-exceeded`. */
export interface VerifyLimits {
  /** Bytes of one attestation (one line of a file of many). Default 24 MiB: a payload of 16 MiB in base64, and more. */
  maxAttestationBytes?: number;
  /** Attestations in one call. Default 100 000. */
  maxAttestations?: number;
  /** Signatures of one envelope. Default 64. */
  maxSignatures?: number;
  /** Subjects of one Statement. Default 100 000. */
  maxSubjects?: number;
}

/** Options of `verify()`. Unknown names are refused. */
export interface VerifyOptions {
  /** Who is believed. Default: no key, and the public-good Sigstore instance. */
  trust?: Trust;
  /** What the attestation must say. */
  expect?: Expectations;
  /**
   * A policy that decides instead: who is believed, what must be said, and how many agree.
   * Not together with `trust`, `expect` and `thresholds`.
   */
  policy?: CompiledPolicy;
  /**
   * Adds to the report what a policy needs to know, so that `policy dry-run` of
   * the command line can judge the stored report by another; with `policy` it is always there. Default false.
   */
  evidence?: boolean;
  /** How much independent evidence is needed. */
  thresholds?: EvidenceThresholds;
  /** Bounds on what is read. */
  limits?: VerifyLimits;
  /** Attestations that are verified at the same time. Default 64. */
  concurrency?: number;
  /**
   * The moment against which the age of a VSA is judged, that of a policy, and a key of a key set where no time
   * of signing is verified. Default: now.
   */
  now?: Date;
  /** Stops the work; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Called while artifacts are hashed and attestations verified. */
  onProgress?: (progress: VerifyProgress) => void;
  /**
   * Accepts a keyless attestation of anybody. What `expect.identity` states still counts.
   *
   * @deprecated Anybody can get a certificate: state whom you expect.
   */
  unsafelyAcceptAnyIdentity?: boolean;
  /**
   * Takes the certificate's own `notBefore` as the time of signing when there is no log
   * entry. For files of times before bundles; goes with `thresholds.log: 0`.
   *
   * @deprecated A stolen key of an expired certificate is not noticed.
   */
  unsafelyTrustCertificateTime?: boolean;
  /**
   * Verifies the attestation alone when no artifact is given.
   *
   * @deprecated Says nothing about any artifact.
   */
  unsafelyVerifyWithoutArtifact?: boolean;
}

/** How far `verify()` has got. */
export interface VerifyProgress {
  /** What is being done. */
  phase: "digest" | "verify";
  /** Bytes hashed, or attestations verified. */
  done: number;
  /** Of how many, if it is known. */
  total?: number;
}
