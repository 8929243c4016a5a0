/** Formats that are read here, by name. */
export type FormatId =
  | VerifiedFormatId
  | ExplainedFormatId
  | "cyclonedx"
  | "spdx";

/** Formats whose signatures are verified, in alphabetical order. */
export const VERIFIED_FORMATS = [
  "apk",
  "authenticode",
  "binary-authorization",
  "checkpoint",
  "cms-signature",
  "cose-sign1",
  "cosign-signature",
  "dsse",
  "in-toto-metablock",
  "jar",
  "jws",
  "minisign",
  "notation-cose",
  "notation-jws",
  "openpgp",
  "paseto",
  "rpm",
  "signed-note",
  "signify",
  "tlog-proof",
  "tuf-targets",
  "uefi",
] as const;

/** Formats whose signatures are verified. */
export type VerifiedFormatId = typeof VERIFIED_FORMATS[number];

/** Formats that are told by their marks and described, and never accepted. */
export type ExplainedFormatId =
  | "apk-v4"
  | "appx"
  | "efi-signature-list"
  | "efi-variable"
  | "jss"
  | "macho-signature"
  | "msi"
  | "nv2-jwt"
  | "rfc3161-timestamp"
  | "scitt-statement"
  | "security-catalog"
  | "sigsum-proof"
  | "tuf-metadata";
