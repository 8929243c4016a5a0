/** What is to be said of each format beyond what its module tells; tests hold it to be true. */

/** One row of the table. */
export interface FormatFacts {
  /** For people. */
  title: string;
  /** What the signatures cover. */
  authenticated: string;
  /** What stands in the document and is not covered. */
  uncovered: string;
  /** Where the Statement comes from; `none` where there is none. */
  statement: string;
  /** What a constant stands for. */
  implicit: string;
  /** Algorithms. */
  algorithms: string;
  /** Whether the signatures cover the type of the message. */
  typeSigned: boolean;
  /** Whether a subject may have several digests. */
  severalDigests: boolean;
  /** Whether the format has materials. */
  materials: boolean;
  /** What is loaded besides. */
  dependency: string;
  /** Specification. */
  source: string;
}

const NONE = { severalDigests: false, materials: false, typeSigned: false, dependency: "none" };
const GENERIC = { ...NONE, severalDigests: true };
const ALL = "Ed25519, ECDSA P-256/384/521, RSA PKCS #1 and PSS, ML-DSA";

const CMS = "ECDSA P-256/384/521, RSA PKCS #1 and PSS, Ed25519, with SHA-2";
const ATTACHED = { ...NONE, algorithms: CMS, dependency: "`./formats/attached`" };

/** By the format's name. */
export const FACTS: Readonly<Record<string, FormatFacts | undefined>> = {
  "apk": {
    ...ATTACHED,
    title: "Android package (APK), schemes v2, v3 and v3.1",
    authenticated: "every byte but the signing block; algorithms, certificate, Android versions",
    uncovered: "the signing block",
    statement: "the file",
    implicit: "subject, message type, predicate type",
    algorithms: "ECDSA P-256/384/521, RSA PKCS #1 and PSS, with SHA-256 or SHA-512",
    source: "Android, APK Signature Scheme v2 and v3",
  },
  "binary-authorization": {
    ...NONE,
    title: "Binary Authorization attestation",
    authenticated: "`serializedPayload`, or its DSSE encoding",
    uncovered: "`publicKeyId`, `jwts`",
    statement: "container signature (simple signing)",
    implicit: "message type",
    algorithms: `${ALL}; OpenPGP`,
    dependency: "`openpgp` for its signatures",
    source: "Google Cloud docs, Binary Authorization; grafeas attestation.proto",
  },
  "authenticode": {
    ...ATTACHED,
    title: "Authenticode: programs and libraries of Windows (PE)",
    authenticated: "the image hash",
    uncovered: "checksum, certificate table and where it lies; nested signatures",
    statement: "the file",
    implicit: "subject, predicate type",
    typeSigned: true,
    source: "Microsoft, Windows Authenticode Portable Executable Signature Format",
  },
  "checkpoint": {
    ...NONE,
    title: "Checkpoint of a transparency log",
    authenticated: "origin, size and root hash",
    uncovered: "lines of other keys",
    statement: "none",
    implicit: "everything but the proof",
    algorithms: "Ed25519, ECDSA, cosignatures v1",
    source: "C2SP tlog-checkpoint",
  },
  "cms-signature": {
    ...GENERIC,
    title: "CMS (PKCS #7), detached or with its content",
    authenticated: "another file, or the content",
    uncovered: "certificates (verified by their chain), timestamps, unsigned attributes",
    statement: "list of checksums; else the artifact itself",
    implicit: "message type, predicate type",
    algorithms: CMS,
    dependency: "`./formats/attached`",
    source: "RFC 5652",
  },
  "cose-sign1": {
    ...GENERIC,
    title: "COSE_Sign1",
    authenticated: "protected header, payload (inside or beside it) and external data",
    uncovered: "unprotected header; `x5chain` is verified by its chain",
    statement: "in-toto Statement, link, SPDX, CycloneDX or container signature",
    implicit: "message type, without a content type",
    algorithms: "EdDSA, ES256/384/512, PS*, RS*, ML-DSA",
    typeSigned: true,
    dependency: "`cborg`, by `./formats/cose`",
    source: "RFC 9052, RFC 9053, RFC 9360",
  },
  "dsse": {
    ...GENERIC,
    title: "DSSE envelope",
    authenticated: "`payloadType` and `payload`",
    uncovered: "`keyid`",
    statement: "in-toto Statement",
    implicit: "nothing",
    algorithms: ALL,
    typeSigned: true,
    source: "DSSE 1.0.2",
  },
  "in-toto-metablock": {
    ...GENERIC,
    title: "in-toto v1 metablock (link, layout)",
    authenticated: "`signed`, in OLPC canonical form",
    uncovered: "`keyid`; white space and order",
    statement: "link: products are subjects, materials are materials",
    implicit: "predicate type",
    algorithms: "Ed25519, ECDSA (DER), RSA PSS",
    typeSigned: true,
    materials: true,
    source: "in-toto specification 1.0",
  },
  "jar": {
    ...ATTACHED,
    title: "JAR",
    authenticated: "every entry, by manifest and signature file",
    uncovered: "signature files, headers of the ZIP; an entry that is not covered is refused",
    statement: "the file",
    implicit: "subject, message type, predicate type",
    source: "Java SE, JAR File Specification",
  },
  "jws": {
    ...GENERIC,
    title: "JWS and JWT: compact, flattened, general",
    authenticated: "protected header and payload",
    uncovered: "`header`",
    statement: "in-toto Statement, link, SPDX, CycloneDX or container signature",
    implicit: "message type, without `cty` and `typ`",
    algorithms: "EdDSA, ES256/384/512, PS*, RS*, ML-DSA",
    typeSigned: true,
    source: "RFC 7515, RFC 7519",
  },
  "minisign": {
    ...GENERIC,
    title: "minisign",
    authenticated: "another file (`ED`: its BLAKE2b-512), and the trusted comment",
    uncovered: "untrusted comment",
    statement: "list of checksums; else the artifact itself",
    implicit: "message type, predicate type",
    algorithms: "Ed25519",
    dependency: "`@noble/hashes` for BLAKE2b",
    source: 'minisign, "Signature format"',
  },
  "notation-cose": {
    ...NONE,
    title: "Notation signature, COSE",
    authenticated: "protected header and payload",
    uncovered: "`x5chain` (verified by its chain), timestamp, signing agent",
    statement: "target artifact",
    implicit: "predicate type",
    algorithms: "PS256/384/512, ES256/384/512, by the key's size",
    typeSigned: true,
    dependency: "`cborg`, by `./formats/cose`",
    source: "Notary Project, signature specification",
  },
  "notation-jws": {
    ...NONE,
    title: "Notation signature, JWS",
    authenticated: "protected header and payload",
    uncovered: "`x5c` (verified by its chain), timestamp, signing agent",
    statement: "target artifact",
    implicit: "predicate type",
    algorithms: "PS256/384/512, ES256/384/512, by the key's size",
    typeSigned: true,
    source: "Notary Project, signature specification",
  },
  "openpgp": {
    ...GENERIC,
    title: "OpenPGP: clear text, detached, inline",
    authenticated: "the text without blanks at the end of its lines, another file, or what the " +
      "message holds",
    uncovered: "headers of armor, file name and time of a message",
    statement: "list of checksums, Helm's provenance, container signature (`atomic`, `binauthz`) " +
      "or in-toto Statement; else the artifact itself",
    implicit: "message type, predicate type",
    algorithms: "Ed25519, ECDSA P-256/384/521, RSA PKCS #1; over SHA-256, 384 or 512; v4 and v6",
    dependency: "`./formats/openpgp`: `openpgp`",
    source: 'RFC 9580; containers-signature(5); Helm, "Helm Provenance and Integrity"',
  },
  "paseto": {
    ...GENERIC,
    title: "PASETO v3.public and v4.public",
    authenticated: "message, footer and implicit assertion",
    uncovered: "nothing",
    statement: "in-toto Statement, SPDX, CycloneDX or container signature",
    implicit: "message type",
    algorithms: "P-384 (v3), Ed25519 (v4)",
    source: "PASETO, versions 3 and 4",
  },
  "rpm": {
    ...NONE,
    title: "RPM package",
    authenticated: "the header, and the payload by the digest that is in it",
    uncovered: "lead, signature header",
    statement: "the package as given; name, version, release, architecture and digest of the " +
      "payload",
    implicit: "subject (measured), message type, predicate type",
    algorithms: "as OpenPGP; tags 267, 268 and 278",
    dependency: "`./formats/openpgp`: `openpgp`",
    source: 'RPM reference manual, "Package format"',
  },
  "signed-note": {
    ...NONE,
    title: "Signed note",
    authenticated: "the text",
    uncovered: "lines of other keys",
    statement: "none",
    implicit: "everything but the text",
    algorithms: "Ed25519, ECDSA, cosignatures v1",
    source: "C2SP signed-note",
  },
  "signify": {
    ...GENERIC,
    title: "signify",
    authenticated: "the file, or what follows the signature (`-e`)",
    uncovered: "untrusted comment",
    statement: "list of checksums; else the artifact itself",
    implicit: "message type, predicate type",
    algorithms: "Ed25519",
    source: "signify(1)",
  },
  "tlog-proof": {
    ...NONE,
    title: "Proof of a transparency log",
    authenticated: "the checkpoint, and the leaf by the path to it",
    uncovered: "`extra`",
    statement: "none",
    implicit: "everything but the proof",
    algorithms: "Ed25519, ECDSA, cosignatures v1",
    source: "C2SP tlog-proof",
  },
  "tuf-targets": {
    ...GENERIC,
    title: "targets.json of TUF 1.0 and of Notary v1 (Docker Content Trust)",
    authenticated: "`signed`, in canonical form",
    uncovered: "white space and order; whether a newer version exists",
    statement: "targets by their digests",
    implicit: "predicate type",
    algorithms: "Ed25519, ECDSA, RSA PSS, of the pinned root's keys",
    typeSigned: true,
    source: "TUF 1.0; Notary v0.7",
  },
  "uefi": {
    ...ATTACHED,
    title: "UEFI Secure Boot image",
    authenticated: "the image hash",
    uncovered: "as of Authenticode",
    statement: "the file",
    implicit: "subject, predicate type",
    typeSigned: true,
    source: "UEFI Specification 2.10, 32",
  },
  "cyclonedx": unsigned("CycloneDX document", "`metadata.component`", "CycloneDX 1.x, JSON"),
  "spdx": unsigned(
    "SPDX document",
    "what the document describes",
    "SPDX 2 and 3, JSON and JSON-LD",
  ),
  ...Object.fromEntries(
    [
      "apk-v4",
      "appx",
      "efi-signature-list",
      "efi-variable",
      "jss",
      "macho-signature",
      "msi",
      "nv2-jwt",
      "rfc3161-timestamp",
      "scitt-statement",
      "security-catalog",
      "sigsum-proof",
      "tuf-metadata",
    ].map((id) => [id, explained(id)]),
  ),
};

function unsigned(title: string, statement: string, source: string): FormatFacts {
  return {
    ...GENERIC,
    title,
    authenticated: "nothing: it is `unsigned-statement`",
    uncovered: "everything",
    statement,
    implicit: "predicate type",
    algorithms: "none",
    source,
  };
}

function explained(title: string): FormatFacts {
  return {
    ...NONE,
    title,
    authenticated: "not verified: it is `format-not-verified`",
    uncovered: "everything",
    statement: "none",
    implicit: "everything",
    algorithms: "none",
    source: "",
  };
}
