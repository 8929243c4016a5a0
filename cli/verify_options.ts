import type { OptionSpec } from "./args.ts";
import { PROVENANCE_OPTIONS, VSA_OPTIONS } from "./provenance_options.ts";
import { NPM_OPTIONS } from "./npm_options.ts";
import { PLATFORM_OPTIONS } from "./image_options.ts";
import { REGISTRY_OPTIONS } from "./registry_options.ts";
import { REPORT_FORMATS } from "./reports/report.ts";
import { STORE_OPTIONS } from "./store_options.ts";
import { LAYOUT_OPTIONS } from "./supply_chain_options.ts";
import { VERIFY_POLICY_OPTIONS } from "./policy_options.ts";

const ATTESTATION = "Attestation";
const SIGNER = "Signer, keyless: whom the certificate must name";
const KEY = "Signer, with a key";
const CONTENT = "Content";
const EVIDENCE = "Trust and evidence";
const OUTPUT = "Output";
const UNSAFE = "Unsafe: each takes a guarantee away";

/** Algorithms of keys, by the names of `--key-alg`. */
export const KEY_ALGORITHMS: readonly string[] = [
  "Ed25519",
  "ES256",
  "ES384",
  "ES512",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ECDSA-P384-SHA256",
  "ECDSA-P521-SHA256",
  "ECDSA-P521-SHA384",
  "ECDSA-P256-SHA384",
  "ECDSA-P256-SHA512",
  "ECDSA-P384-SHA512",
  "ML-DSA-44",
  "ML-DSA-65",
  "ML-DSA-87",
];

/** Options of `verify`. */
export const VERIFY_OPTIONS: readonly OptionSpec[] = [
  {
    name: "bundle",
    short: "b",
    aliases: ["provenance-path", "attestations-path", "attestation-path"],
    value: "FILE",
    repeatable: true,
    group: ATTESTATION,
    help: "Sigstore bundle, DSSE envelope, or JSON Lines of them (.jsonl); else looked for next " +
      "to the artifact",
  },
  {
    name: "digest",
    value: "ALG:HEX",
    repeatable: true,
    group: ATTESTATION,
    help: "Artifact given by its digest, such as sha256:e3b0…",
  },
  {
    name: "checksums",
    value: "FILE",
    repeatable: true,
    group: ATTESTATION,
    help: "Artifacts given by the digests in a file of sha256sum, sha384sum or sha512sum",
  },
  ...PLATFORM_OPTIONS,
  ...REGISTRY_OPTIONS,
  ...STORE_OPTIONS,
  ...VERIFY_POLICY_OPTIONS,
  {
    name: "repo",
    short: "R",
    value: "OWNER/NAME",
    group: SIGNER,
    help: "GitHub repository that it was built from; the signer is one of its workflows",
  },
  {
    name: "owner",
    short: "o",
    value: "OWNER",
    group: SIGNER,
    help: "GitHub user or organisation that the repository belongs to",
  },
  {
    name: "signer-repo",
    value: "OWNER/NAME",
    group: SIGNER,
    help: "Repository of the workflow that signed, when it is a reusable one",
  },
  {
    name: "signer-workflow",
    value: "PATH",
    group: SIGNER,
    help: "Workflow that signed: [HOST/]OWNER/NAME/.github/workflows/FILE",
  },
  {
    name: "signer-digest",
    value: "COMMIT",
    group: SIGNER,
    help: "Commit of the workflow that signed",
  },
  {
    name: "source-ref",
    value: "REF",
    group: SIGNER,
    help: "Git ref that was built, such as refs/tags/v1.2.3",
  },
  {
    name: "source-digest",
    value: "COMMIT",
    group: SIGNER,
    help: "Commit that was built; with --source-uri also as the provenance states it",
  },
  {
    name: "deny-self-hosted-runners",
    group: SIGNER,
    help: "Refuse what was built on a runner that GitHub does not host",
  },
  {
    name: "cert-identity",
    aliases: ["certificate-identity"],
    value: "NAME",
    group: SIGNER,
    help: "Name in the certificate: an e-mail address or URI, the whole of it",
  },
  {
    name: "cert-identity-regex",
    short: "i",
    aliases: ["cert-identity-regexp", "certificate-identity-regex", "certificate-identity-regexp"],
    value: "PATTERN",
    group: SIGNER,
    help: "Regular expression that must match the whole name",
  },
  {
    name: "cert-oidc-issuer",
    aliases: ["certificate-oidc-issuer"],
    value: "URL",
    group: SIGNER,
    help: "Who vouches for that name; with --repo and --owner GitHub Actions unless given",
  },
  {
    name: "key",
    aliases: ["public-key-path"],
    value: "FILE",
    repeatable: true,
    group: KEY,
    help: "Trusted public key: PEM, JWK, OpenPGP, minisign, signify, PASERK, in-toto or a note's",
  },
  {
    name: "key-set",
    value: "FILE",
    repeatable: true,
    group: KEY,
    help: "Trusted public keys with the times at which each counts, and what was revoked, as " +
      "keygen --key-set writes them",
  },
  {
    name: "threshold",
    value: "N",
    group: KEY,
    help: "Distinct keys that must accept; default 1",
  },
  {
    name: "key-alg",
    value: "ALG",
    choices: KEY_ALGORITHMS,
    group: KEY,
    help: "Algorithm of the keys, when it is not the usual one of their type",
  },
  {
    name: "message",
    value: "FILE",
    group: KEY,
    help: "What a detached signature is over if not the artifact: a list of checksums",
  },
  {
    name: "certificate-authority",
    value: "FILE",
    repeatable: true,
    group: KEY,
    help: "Trusted authority of certificates in formats such as Notation's: PEM or DER",
  },
  {
    name: "certificate-sha256",
    value: "HEX",
    repeatable: true,
    group: KEY,
    help: "Trusted certificate of a signer itself, as apksigner verify --print-certs and " +
      "keytool print its digest",
  },
  {
    name: "signing-authority",
    value: "FILE",
    repeatable: true,
    group: KEY,
    help: "The same, of an authority that states times itself (Notation)",
  },
  {
    name: "timestamp-authority",
    value: "FILE",
    repeatable: true,
    group: KEY,
    help: "Trusted RFC 3161 authority for these formats: PEM or DER",
  },
  {
    name: "certificate-subject",
    value: "NAME",
    repeatable: true,
    group: KEY,
    help: "Expected holder, such as 'O=acme, CN=release'; any one of several",
  },
  {
    name: "tuf-root",
    value: "FILE",
    repeatable: true,
    group: KEY,
    help: "Pinned root.json of a TUF repository, for its targets.json: Docker Content Trust",
  },
  {
    name: "efi-db",
    value: "FILE",
    repeatable: true,
    group: KEY,
    help: "Signature lists that firmware trusts (db, .esl): boot images are judged as by firmware",
  },
  {
    name: "efi-dbx",
    value: "FILE",
    repeatable: true,
    group: KEY,
    help: "Signature lists that firmware refuses (dbx, .esl); they win over db",
  },
  {
    name: "accept-format",
    value: "FORMAT",
    repeatable: true,
    group: KEY,
    help: "Accept this format of attestations only, such as dsse or jws",
  },
  ...LAYOUT_OPTIONS,
  {
    name: "predicate-type",
    aliases: ["type"],
    value: "TYPE",
    repeatable: true,
    group: CONTENT,
    help: "URI of the claim, any one of several; or slsaprovenance1, slsaprovenance, spdx, " +
      "cyclonedx, vuln, openvex, link, vsa, custom and others",
  },
  {
    name: "subjects",
    value: "MODE",
    choices: ["any", "all", "exact"],
    group: CONTENT,
    help: "any: each artifact is a subject; all: and each subject an artifact; exact: one to one",
  },
  ...NPM_OPTIONS,
  ...PROVENANCE_OPTIONS,
  ...VSA_OPTIONS,
  {
    name: "trusted-root",
    aliases: ["custom-trusted-root"],
    value: "FILE",
    repeatable: true,
    group: EVIDENCE,
    help: "trusted_root.json, or JSON Lines of several, beside the public-good instance",
  },
  {
    name: "only-root",
    group: EVIDENCE,
    help: "Believe the given roots only, not the public-good instance",
  },
  {
    name: "tlog-threshold",
    value: "N",
    group: EVIDENCE,
    help: "Transparency logs that must include it; default 1",
  },
  {
    name: "sct-threshold",
    aliases: ["ctlog-threshold"],
    value: "N",
    group: EVIDENCE,
    help: "Certificate transparency logs; default 1",
  },
  {
    name: "tsa-threshold",
    value: "N",
    group: EVIDENCE,
    help: "Timestamps by RFC 3161 authorities; default 0",
  },
  {
    name: "timestamp-threshold",
    value: "N",
    group: EVIDENCE,
    help: "Verified times of any kind; default 1",
  },
  {
    name: "format",
    value: "FORMAT",
    choices: ["text", "json", "gh", ...REPORT_FORMATS],
    group: OUTPUT,
    help: "text (default), json, gh: the document of gh attestation verify --format json; sarif " +
      "for code scanning, junit, annotations of a workflow, markdown for its summary, html",
  },
  {
    name: "exit-code",
    group: OUTPUT,
    help: "With --format sarif: exit with 1 when something is missing or invalid, as every other " +
      "format does; without it the step that uploads the report runs",
  },
  {
    name: "output",
    value: "FILE",
    group: OUTPUT,
    help: "Write the report to a file, whole or not at all",
  },
  {
    name: "print-provenance",
    aliases: ["print-attestation"],
    group: OUTPUT,
    help: "Print the verified Statements to standard output, one a line; the report goes to " +
      "standard error",
  },
  {
    name: "with-evidence",
    group: OUTPUT,
    help: "Add to the JSON report what policy dry-run needs to judge it; with --policy it is there",
  },
  {
    name: "unsafe-any-identity",
    group: UNSAFE,
    help: "Accept a keyless attestation of anybody",
  },
  {
    name: "unsafe-certificate-time",
    aliases: ["trust-certificate-time"],
    group: UNSAFE,
    help: "Judge a certificate at its own start and ask for no log, unless --tlog-threshold " +
      "does: for files that carry a certificate and no log entry",
  },
  {
    name: "unsafe-no-artifact",
    group: UNSAFE,
    help: "Verify the attestation alone: says nothing about any artifact",
  },
];
