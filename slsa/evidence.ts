import type { CertificateIdentity } from "../sigstore/identity.ts";

/** A trusted key that accepted the envelope. */
export interface KeyEvidence {
  /** What the caller named it. */
  name: string;
  /** Key id that the caller gave it; a hint, never a ground for trust. */
  keyid?: string;
  /** SHA-256 of its SubjectPublicKeyInfo, lowercase hex. */
  fingerprint: string;
}

/**
 * Who was found to have signed, as `verify()` establishes it: the identity of a verified
 * certificate, or the trusted keys that accepted. Nothing of it comes from the content.
 */
export interface SignerEvidence {
  /** Identity in the verified certificate. */
  identity?: CertificateIdentity;
  /** The caller named this identity, and it matched. Default false. */
  identityExpected?: boolean;
  /** Trusted keys that accepted. */
  keys?: readonly KeyEvidence[];
}
