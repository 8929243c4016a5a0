import type { Coverage } from "../formats/format.ts";
import type { FormatId } from "../formats/format_id.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import type { Statement } from "../intoto/statement.ts";
import type { CertificateIdentity } from "../sigstore/identity.ts";
import type { VerifiedTimestamp } from "../sigstore/verified_times.ts";
import type { Reason } from "../errors.ts";

/** One signer who was verified: a trusted key that accepted, or the holder of a certificate. */
export interface EvidenceSigner {
  /** Name of the key or key-set entry in the policy; of a certificate, its SAN. */
  name: string;
  /** What is behind it. */
  kind: "key" | "certificate";
  /**
   * What makes signers distinct: SHA-256 of the key, or for a certificate `issuer SAN`, of a
   * workflow without its ref.
   */
  distinct: string;
  /** SHA-256 of the key's SubjectPublicKeyInfo, lowercase hex; of a key only. */
  fingerprint?: string;
  /** Algorithm of the signature. */
  algorithm: string;
  /** Kind and size of the key. */
  key: {
    /** `RSA`, `EC`, `Ed25519`, `ML-DSA`. */ kind: string;
    /** Bits of the modulus or the curve; of ML-DSA 128, 192 or 256 by its name. */ bits: number;
  };
  /** What the certificate says. */
  identity?: CertificateIdentity;
}

/** One attestation whose signature was verified. Nothing in it comes from unsigned content. */
export interface EvidenceAttestation {
  /** Where it came from. */
  source: string;
  /** Form of the envelope. */
  format: "sigstore-bundle" | "dsse" | FormatId;
  /** How much the signatures cover; absent of DSSE and bundles, which cover their message. */
  coverage?: Coverage;
  /** True if the signatures cover the message's type; absent of DSSE and bundles, where they do. */
  messageTypeAuthenticated?: boolean;
  /** As signed. */
  payloadType: string;
  /** Lowercase hex SHA-256 of the payload: what makes attestations distinct. */
  payloadDigest: string;
  /** Who signed; at least one. */
  signers: readonly EvidenceSigner[];
  /** Verified times of signing. */
  timestamps: readonly VerifiedTimestamp[];
  /** Distinct logs that include it. */
  logs: number;
  /** The verified Statement. */
  statement: Statement;
  /** The artifact itself was signed: the Statement is a constant with an empty predicate type. */
  implicit?: true;
  /** Indexes of the subjects that matched the artifact, and by which algorithms. */
  matched: readonly {
    /** Index in `subject`. */ index: number;
    /** Algorithms of equal digests. */ algorithms: readonly string[];
  }[];
  /** Every subject is an artifact of this run. */
  allSubjectsMatched: boolean;
}

/** One attestation that was looked at and refused before the policy. */
export interface RefusedAttestation {
  /** Where it came from. */
  source: string;
  /** Why. */
  reason: Reason;
  /** For people. */
  message: string;
}

/** What was established about one artifact. */
export interface ArtifactEvidence {
  /** Name: of the file, of the package, or `alg:hex`. */
  artifact: string;
  /** Its digests, lowercase hex. */
  digest: DigestSet;
  /** Repository of an OCI image, without tag or digest, as the caller vouches for it. */
  ociRepository?: string;
  /** Name of an npm package, with its scope, as the caller vouches for it. */
  npmPackage?: string;
  /** Attestations about it that verified. */
  attestations: readonly EvidenceAttestation[];
  /** The others, for the messages. */
  refused: readonly RefusedAttestation[];
}
