/**
 * What each reason of refusal means: its cause, what to look at, how to repair it, and an
 * example. The command line's `explain` prints this table; a program may show it as well.
 *
 * It is apart from `errors.ts`, so that a program that only verifies does not carry it.
 *
 * @example The explanation of a reason
 * ```ts
 * import { REASONS } from "@x/attest/reasons";
 * import assert from "node:assert/strict";
 *
 * assert.equal(REASONS["subject-mismatch"].layer, "statement");
 * assert.ok(REASONS["subject-mismatch"].repair.length > 0);
 * ```
 *
 * @module
 */

import type { Reason } from "./errors.ts";
import type { Layer } from "./report.ts";

/** Part of the work that a reason belongs to, in the order of the table. */
export type ReasonLayer =
  | "input"
  | "keys"
  | "output"
  | "registry"
  | Layer
  | "bundle"
  | "certificate"
  | "log"
  | "timestamp"
  | "trust"
  | "policy"
  | "generation"
  | "identity"
  | "signing";

/** What one reason means. All texts are for people, without markup. */
export interface ReasonExplanation {
  /** Part of the work that it belongs to. */
  layer: ReasonLayer;
  /** What was found to be wrong. */
  cause: string;
  /** What to look at, as a command where there is one. */
  check: string;
  /** What puts it right, for the one who verifies or the one who signs. */
  repair: string;
  /** A case in which it happens. */
  example: string;
}

/** The explanation of every {@linkcode Reason}. */
export const REASONS: Readonly<Record<Reason, ReasonExplanation>> = {
  "aborted": {
    layer: "input",
    cause: "The caller stopped the work before there was a verdict",
    check: "The AbortSignal that was passed, and its reason",
    repair: "Run it again with a longer limit of time; nothing was verified",
    example: "AbortSignal.timeout(1000) while an artifact of 20 GB is hashed",
  },
  "ambiguous-format": {
    layer: "input",
    cause: "The document has the marks of two formats, and two readers would see two things in it",
    check: "attest inspect FILE: it names the formats",
    repair: "Give the attestation alone. A file that is two things at once was made to deceive",
    example: "A ZIP archive that begins as an OpenPGP message",
  },
  "ambiguous-zip": {
    layer: "input",
    cause:
      "Two readers can take the ZIP archive for two archives: a name is there twice, the two " +
      "headers of an entry differ, or there are bytes that belong to no entry",
    check: "zipinfo -v FILE beside what the message names; zipdetails FILE",
    repair: "Pack and sign it again with a plain tool. Nobody needs such an archive, but whoever " +
      "wants a verifier and an installer to see different files does",
    example: "classes.dex twice: the first is what was signed, the second is what is run",
  },
  "artifact-required": {
    layer: "input",
    cause: "There is nothing to compare the attestation with, or a digest is given where the " +
      "signature can only be checked over the artifact itself",
    check: "The command line: is a file, a directory, --digest or --checksums given",
    repair: "Name the artifact. A signature by Ed25519 over a blob needs the file, its digest " +
      "is not enough",
    example: "attest verify --bundle app.sigstore.json, with no artifact",
  },
  "attestation-not-found": {
    layer: "input",
    cause: "No attestation for the artifact was given, none lies next to it, and none is in the " +
      "stores that were asked",
    check: "ls: is there a NAME.sigstore.json, NAME.sigstore, NAME.intoto.jsonl, " +
      "NAME.intoto.json or NAME.att.json beside NAME",
    repair:
      "Give it with --bundle FILE, or say where to look: --store github:OWNER/REPO, or a folder",
    example: "app.tgz was downloaded, app.tgz.sigstore.json was not",
  },
  "duplicate-json-key": {
    layer: "input",
    cause: "A JSON object has the same name twice; readers disagree on which one counts",
    check: "The name in the message, in the file as it is on disk",
    repair: "Have the producer write each name once, and sign again",
    example: '{"payloadType":"a","payloadType":"b"}',
  },
  "empty-input": {
    layer: "input",
    cause: "The input has no content, or white space only",
    check: "ls -l FILE: a size of 0 is often a failed download",
    repair: "Fetch the file again",
    example: "curl -o app.sigstore.json without --fail, and a server that answered nothing",
  },
  "git-failed": {
    layer: "input",
    cause: "git could not be asked about the repository: it is not installed, this is no " +
      "repository, it belongs to somebody else, or an object is missing",
    check: "git rev-parse --show-toplevel, and git fsck",
    repair: "Run it in a working copy whose owner you are; in a partial clone fetch the objects " +
      "that are missing",
    example: "gate in a folder that was downloaded as an archive, without .git",
  },
  "git-ref-not-found": {
    layer: "input",
    cause: "The ref to compare with is not in this clone, or has no history in common with HEAD",
    check: "git rev-parse --is-shallow-repository, and git branch --all",
    repair: "Fetch the history: fetch-depth: 0 for actions/checkout, GIT_DEPTH: 0 for GitLab, or " +
      "git fetch --unshallow",
    example: "gate --since origin/main in a clone of depth 1, which has the last commit only",
  },
  "internal-error": {
    layer: "input",
    cause: "This program met a state that it should not reach; it refuses to guess",
    check: "The message and the chain of causes",
    repair: "Report it with the command and, if it may be shared, the input",
    example: "A function of the runtime threw an error that is not documented",
  },
  "invalid-base64": {
    layer: "input",
    cause: "A field that must be base64 has other characters, a wrong length, wrong padding or " +
      "unused bits that are set",
    check: "The field that path names",
    repair: "Encode the bytes again with a standard encoder; do not edit signed fields by hand",
    example: "A payload that was wrapped at 76 columns by the command base64",
  },
  "invalid-hex": {
    layer: "input",
    cause: "A digest or number that must be hex has an odd length or other characters",
    check: "The value: [0-9a-f] only, without the prefix sha256: and without spaces",
    repair: "Copy the whole value; sha256sum FILE prints it",
    example: "sha256:e3b0c4… cut off in a terminal",
  },
  "invalid-unicode": {
    layer: "input",
    cause: "The text is not UTF-8, or it has a surrogate without its pair",
    check: "file FILE; iconv -f UTF-8 -t UTF-8 FILE",
    repair: "Save the file as UTF-8 without a byte order mark; PowerShell's > writes UTF-16",
    example: 'A subject name "\\ud800"',
  },
  "limit-exceeded": {
    layer: "input",
    cause: "Something is larger, deeper or more often than is accepted: bytes, nesting, " +
      "signatures, subjects, lines",
    check: "The number and the limit in the message",
    repair: "Split the input. A program that trusts the source may raise the limit by its option",
    example: "A file of 100 MB given as an attestation",
  },
  "malformed-cbor": {
    layer: "input",
    cause: "Binary data is not strict CBOR: a length that is not stated, a number that is longer " +
      "than it has to be, a name twice in a map, or bytes after the end",
    check: "The byte that the message names; any CBOR viewer shows the items before it",
    repair: "Write it again in the core deterministic encoding (RFC 8949, 4.2.1), and sign again",
    example: "A COSE signature whose array begins with 9f, an array without a length",
  },
  "malformed-checksums": {
    layer: "input",
    cause: "A line of the checksum file is not a digest of SHA-256, SHA-384 or SHA-512 and a name",
    check: "The line that the message names; sha256sum --check FILE",
    repair: "Write it with sha256sum or sha512sum; MD5 and SHA-1 are not accepted",
    example: "A checksum file that md5sum wrote",
  },
  "malformed-der": {
    layer: "input",
    cause: "Binary data is not strict DER: a length that is too long or not minimal, an integer " +
      "with extra bytes, or bytes after the end",
    check: "openssl asn1parse -inform DER -in FILE",
    repair: "Write it again with a tool that emits DER, not BER",
    example: "A certificate with one byte appended",
  },
  "malformed-json": {
    layer: "input",
    cause: "The text is not JSON",
    check: "head -c 200 FILE: is it an HTML page, a certificate, or cut off",
    repair: "Fetch the file again; with curl use --fail --location",
    example: "The sign-in page of a server, saved as app.sigstore.json",
  },
  "malformed-lockfile": {
    layer: "input",
    cause: "A package-lock.json is not of version 2 or 3, or an entry of it cannot be used",
    check: "The entry that path names; lockfileVersion at the top",
    repair: "Have npm 7 or later write it anew with npm install; if it was not " +
      "changed by hand, look at its history first",
    example: "lockfileVersion 1, or an integrity that allows two different contents",
  },
  "malformed-npm-answer": {
    layer: "input",
    cause: "The registry's answer about attestations has not its form, or what it calls a bundle " +
      "is none",
    check: "The file: { attestations: [{ predicateType, bundle }] }",
    repair: "Fetch it again: curl REGISTRY/-/npm/v1/attestations/NAME@VERSION",
    example: "An error page of a proxy that was saved as NAME@VERSION.json",
  },
  "malformed-npm-expectations": {
    layer: "input",
    cause: "The document of expectations about npm packages has a member that is unknown or not " +
      "of its form",
    check: "The place in the message, against the documentation of NpmRule",
    repair: "Correct that member; unknown ones are refused because they would expect nothing",
    example: '{"packages":{"app":{"repositry":"github.com/acme/app"}}}',
  },
  "malformed-npm-history": {
    layer: "input",
    cause: "The report of an earlier run cannot be read",
    check: "Is it what --lockfile with --format json --output FILE wrote",
    repair: "Give the JSON report of an earlier run, unchanged",
    example: "The text report of an earlier run",
  },
  "malformed-pem": {
    layer: "input",
    cause: "The text has no complete PEM block of the kind that is needed, or too many",
    check: "grep -- '-----' FILE",
    repair: "A public key starts with -----BEGIN PUBLIC KEY-----; " +
      "openssl pkey -in KEY -pubout writes it",
    example: "A key in the format of OpenSSH (ssh-ed25519 AAAA…)",
  },
  "malformed-zip": {
    layer: "input",
    cause: "The file is no complete ZIP archive: it has no end record, an offset leads nowhere, " +
      "or the content of an entry has another size or CRC-32 than it says",
    check: "unzip -t FILE",
    repair: "Fetch the file again; if it is the same again, its maker has to pack it again",
    example: "A download that broke off before the central directory",
  },
  "unknown-format": {
    layer: "input",
    cause:
      "It is no attestation that is known: neither a Sigstore bundle, nor a DSSE envelope, nor " +
      "a Statement, nor one of the other formats",
    check: "attest inspect FILE, and the list in docs/formats.md",
    repair: "Give the attestation and not the artifact, an SBOM, or the answer of an API around it",
    example: "package.json given as --bundle",
  },
  "unreadable-file": {
    layer: "input",
    cause: "A file or folder is not there, may not be read, or is not what is needed",
    check: "ls -l PATH, and under Deno the permission --allow-read=PATH",
    repair: "Correct the path or the permission",
    example: "attest verify missing.tgz --key ci.pub",
  },
  "unsupported-zip": {
    layer: "input",
    cause: "The ZIP archive uses what is not read here: encryption, several parts, ZIP64, or a " +
      "method other than stored and deflated",
    check: "zipinfo -v FILE: general purpose bits, compression method, version needed",
    repair: "Pack it again with deflate; below 4 GiB and 65,535 entries ZIP64 is not needed",
    example: "An archive that was packed with Zstandard",
  },
  "usage": {
    layer: "input",
    cause: "The command line is wrong: an unknown option, a missing value, or two options that " +
      "exclude each other",
    check: "attest help COMMAND",
    repair: "Follow the suggestion in the message",
    example: "attest verify app.tgz --bundel app.sigstore.json",
  },

  "key-algorithm-mismatch": {
    layer: "keys",
    cause: "The algorithm that was asked for does not fit the key",
    check: "openssl pkey -pubin -in KEY -text -noout",
    repair: "Leave the algorithm out, or name one of the key's own type; the algorithm always " +
      "belongs to the key and never comes from the message",
    example: "--key-alg RS256 with a key on P-256",
  },
  "key-not-valid": {
    layer: "keys",
    cause: "The key is known, but was not in force at the verified time of signing",
    check: "The period in the file of keys, against the time in the log's entry",
    repair:
      "Update the file of keys; if it is up to date, somebody signed with a retired key: do " +
      "not use the package",
    example: "A registry's key that ended in January, and a log entry of March",
  },
  "key-revoked": {
    layer: "keys",
    cause: "The key is in the key set as revoked, and no verified time shows that the signature " +
      "was made before",
    check:
      "The entry's revoked.at and reason in the key set, against the time of the timestamp or " +
      "log",
    repair:
      "Sign again with the successor that the key set names; if the key was compromised, do " +
      "not use the artifact",
    example: "A bare envelope that is signed with a key which was compromised in March",
  },
  "malformed-key": {
    layer: "keys",
    cause: "The key cannot be read strictly: wrong structure, bytes after the end, a point that " +
      "is not on its curve, or a private key where a public one is due",
    check: "openssl pkey -pubin -in KEY -text -noout",
    repair: "Export the public key again: openssl pkey -in KEY -pubout",
    example: "ci.key (private) given instead of ci.pub",
  },
  "malformed-key-set": {
    layer: "keys",
    cause: "The key set document has an unknown member, a key or a name twice, an interval that " +
      "ends before it begins, or a successor that is not there",
    check: "The path in the message, and docs/schema/key-set.schema.json",
    repair: "Correct the document; keygen writes it with all its rules",
    example: "A key whose successor is itself",
  },
  "missing-passphrase": {
    layer: "keys",
    cause: "The private key is encrypted, or a new one is about to be, and there is neither a " +
      "passphrase nor a terminal to ask at",
    check: "Whether ATTEST_PASSPHRASE is set for this step",
    repair: "Give the passphrase in a file or in ATTEST_PASSPHRASE, never as an argument",
    example: "A key with a passphrase in a CI job whose secret has no value",
  },
  "unsupported-algorithm": {
    layer: "keys",
    cause: "The algorithm or curve is not supported, or this runtime lacks it",
    check: "openssl pkey -pubin -in KEY -text -noout, and the runtime's version",
    repair: "Use Ed25519, ECDSA on P-256, P-384 or P-521, or RSA of 2048 bits and more",
    example: "A key on secp256k1",
  },
  "weak-key": {
    layer: "keys",
    cause: "The key gives no security: RSA below 2048 bits, a bad exponent, or an Ed25519 point " +
      "of small order",
    check: "openssl pkey -pubin -in KEY -text -noout",
    repair: "Make a new key and sign again; there is no option to accept it",
    example: "An RSA key of 1024 bits",
  },
  "wrong-passphrase": {
    layer: "keys",
    cause: "The private key does not open with the passphrase, or its file is damaged",
    check: "openssl pkey -in KEY -noout with the same passphrase",
    repair:
      "Give the passphrase that the key was encrypted with: one line, without blanks around " +
      "it; nobody can open the key without it",
    example: "A passphrase file of another key",
  },

  "file-exists": {
    layer: "output",
    cause: "A file of that name is there already, and is not replaced without being asked",
    check: "ls -l PATH",
    repair: "Choose another name, or give --force if the old file is not needed any more",
    example: "attest keygen where ci.key is there",
  },
  "locked-file": {
    layer: "output",
    cause: "Another process has the lock of the file, and did not give it back in time",
    check: "Whether another job writes the same file, and the file of that name with .lock",
    repair: "Wait for the other process; if there is none, remove the lock",
    example: "Two jobs that append to attestations.jsonl on a slow disk",
  },
  "unwritable-file": {
    layer: "output",
    cause: "A file or folder may not be written, is not there, or has no room left",
    check: "ls -ld FOLDER, df FOLDER, and under Deno the permission --allow-write",
    repair: "Correct the path, the permission or the room; nothing half-written was left",
    example: "attest keygen into a folder that belongs to somebody else",
  },

  "content-mismatch": {
    layer: "storage",
    cause: "A store or registry gave other bytes than the digest names by which it was asked",
    check: "sha256sum FILE, against the digest in the message and in the name",
    repair: "Remove what is corrupt and put or push it again from its producer; who changed it " +
      "could not make it pass, but could hide it",
    example: "A file in the folder of a store was edited in place",
  },
  "image-not-found": {
    layer: "storage",
    cause: "The registry or layout was asked, and has no such repository, tag, manifest or blob",
    check: "crane manifest REFERENCE; a registry may say so too of what it hides from you",
    repair: "Correct the reference, push the image first, or log in to the registry",
    example: "registry.example/app:1.0 was never pushed, or was deleted",
  },
  "malformed-chart": {
    layer: "storage",
    cause: "A Helm chart cannot be read: its package, the name and version in it, or its " +
      "provenance file",
    check: "helm show chart oci://CHART, and the file Chart.yaml in its package",
    repair: "Package the chart with helm package, which writes Chart.yaml anew, and push it again",
    example: "A manifest with two packages, or a package without Chart.yaml",
  },
  "malformed-image-layout": {
    layer: "storage",
    cause: "A folder or tar file is no OCI image layout, or holds what none needs: links, names " +
      "that lead out of it, a name twice",
    check: "Its files oci-layout and index.json; of a tar file, tar tvf FILE",
    repair: "Write it again with the tool that it comes from, such as skopeo copy IMAGE oci:FOLDER",
    example: "A tar file with an entry ../../etc/passwd",
  },
  "malformed-image-manifest": {
    layer: "storage",
    cause: "A manifest or index of an image is not of its form, states two media types, or can " +
      "be read as both an image and an index",
    check: "crane manifest REFERENCE, and the place in it that the message names",
    repair: "Push it again with a current tool; such a manifest is read differently by each client",
    example: "A manifest with manifests as well as layers",
  },
  "malformed-image-reference": {
    layer: "storage",
    cause: "A text is no reference of an image: host, name, and a tag or digest",
    check: "The text in the message, letter by letter; names of repositories are in lower case",
    repair: "Write it out, as in registry.example/acme/app:1.0; the default registry is docker.io",
    example: "Acme/App:latest, or app:1.0 without its registry",
  },
  "platform-not-found": {
    layer: "storage",
    cause: "The image is not built for the platform that is asked for",
    check: "docker buildx imagetools inspect IMAGE, or attest tree oci://IMAGE: which platforms " +
      "it has",
    repair: "Ask for a platform that is there, with its variant, or build the image for this one",
    example: "linux/arm64 is asked for, and the index has linux/amd64 and linux/arm/v7",
  },
  "referrer-mismatch": {
    layer: "storage",
    cause: "A registry lists a manifest as referring to an image, and the manifest itself says " +
      "that it is about another one",
    check: "crane manifest REPOSITORY@DIGEST | jq .subject",
    repair: "Nothing of it is used; have it removed from the list, and ask who put it there",
    example: "The fallback tag of app:1.1 lists the attestation of app:1.0",
  },
  "registry-access-denied": {
    layer: "storage",
    cause: "The registry wants other credentials, or these do not suffice for what is asked",
    check: "Status and words in the message; docker login HOST, and the rights of the account",
    repair:
      "Log in to exactly this host, or give a token that may read (push: write) the repository",
    example: "401 from a private repository without a login",
  },
  "registry-auth-refused": {
    layer: "storage",
    cause: "The registry asks to send credentials where they must not go: by plain HTTP, or in a " +
      "way that is not known",
    check: "The header WWW-Authenticate: curl -si https://HOST/v2/",
    repair: "Have the registry name a token service that is reached by https",
    example: 'WWW-Authenticate: Bearer realm="http://tokens.example/"',
  },
  "registry-conflict": {
    layer: "storage",
    cause: "Others kept changing the list of referrers while an entry was added, or an entry was " +
      "lost again",
    check: "crane manifest REPOSITORY:sha256-HEX, the fallback tag: does it list what was pushed",
    repair: "Attach it again when nobody else does; what was pushed before is still there",
    example: "Twenty jobs attach to one image, in a registry without the referrers API",
  },
  "registry-rate-limited": {
    layer: "storage",
    cause: "The registry answers no more requests for a while, also after waiting",
    check: "The header Retry-After in the answer, and the registry's limits for your account",
    repair: "Log in, which raises the limit of most registries, or run it again later",
    example: "429: anonymous pulls of this hour are used up",
  },
  "store-unavailable": {
    layer: "storage",
    cause:
      "A store could not be asked, or not to its end, so nobody knows what it holds; that is " +
      "not the same as holding nothing",
    check: "The next lines of the message: which store, and why; for a service curl -i ADDRESS, " +
      "for a folder ls -ld FOLDER",
    repair: "Try again later, give what the store asks for (a token, a permission), or name " +
      "another store; nothing was verified",
    example: "A registry answers with 503, or with a page that asks for a login",
  },

  "invalid-api-key": {
    layer: "registry",
    cause: "The API key of the request is unknown to the registry or was revoked",
    check: "attest serve keys list, on the registry's database: id, scope, time of revocation",
    repair: "Make a new key with attest serve keys create, and give it to whoever writes",
    example: "X-API-Key of a pipeline whose key was revoked yesterday",
  },
  "malformed-manifest": {
    layer: "registry",
    cause: "The body of a request to the registry is not { urn, card, sig, provenance }, or its " +
      "card is no JSON object that has a canonical form",
    check: "The path in the message, and /docs of the registry; POST to dry-run lists all problems",
    repair: "Correct the member at the path; numbers above 2^53 are written as strings",
    example: "A card that is a list, or a misspelt member provenence",
  },
  "malformed-query": {
    layer: "registry",
    cause: "A parameter of the address, or a cursor, is not of its form or is unknown",
    check: "The name in the message, against /docs of the registry",
    repair: "Correct the parameter; give a cursor back as it was answered, with the same filters",
    example: "limit=100000, or a cursor that was cut",
  },
  "malformed-urn": {
    layer: "registry",
    cause: "A name is not of the grammar of urns: urn:, a namespace in lower case, then parts of " +
      "the letters A-Z a-z, digits and . _ ~ @ + = - between colons",
    check: "printf %s NAME | od -c, for letters that look like those of ASCII and are none",
    repair: "Write it in these characters; nothing is decoded, folded or normalised",
    example: "urn:acme:p\u0430yments, with a Cyrillic letter, or urn:acme:../app",
  },
  "manifest-not-found": {
    layer: "registry",
    cause: "The registry has no manifest of that urn, or not that version of it",
    check: "GET /v1/registry?prefix=PREFIX, and the spelling",
    repair: "Put it, or ask for a urn that is there",
    example: "GET of a urn whose PUT was refused",
  },
  "missing-api-key": {
    layer: "registry",
    cause: "The request writes and carries no API key, neither in X-API-Key nor as a bearer token",
    check: "The headers that the client sends, and whether a proxy takes them away",
    repair: "Send the key that attest serve keys create printed, in the header X-API-Key",
    example: "A secret of the pipeline that is empty in pull requests of forks",
  },
  "request-timeout": {
    layer: "registry",
    cause: "The body of a request did not arrive in time",
    check: "The network between client and registry, and the time limit in the message",
    repair: "Send it again; nothing was written",
    example: "A client that sends one byte a second",
  },
  "revision-mismatch": {
    layer: "registry",
    cause:
      "The manifest was changed by somebody else since its ETag was read, or is there though " +
      "If-None-Match: * says that it must not be",
    check: "GET the manifest: its ETag, and what changed",
    repair: "Take the change into account, then put with the new ETag; nothing was overwritten",
    example: "Two pipelines that release the same urn at the same time",
  },
  "too-many-requests": {
    layer: "registry",
    cause: "The key or address sent more requests than the registry accepts in a time",
    check: "Retry-After of the answer, and the limits with which the registry was started",
    repair: "Wait as long as Retry-After says; nothing was written",
    example: "A loop that puts a thousand manifests without a pause",
  },
  "unsupported-media-type": {
    layer: "registry",
    cause: "The body of a request is not declared as JSON, or is compressed",
    check: "Content-Type and Content-Encoding of the request",
    repair: "Send Content-Type: application/json, without Content-Encoding",
    example: "curl -d without -H content-type, which says that it is a form",
  },
  "urn-look-alike": {
    layer: "registry",
    cause: "The urn differs from one that is taken in upper and lower case only",
    check: "The message, which names the other one",
    repair: "Use the spelling that is there, or a name that nobody takes for it",
    example: "urn:acme:Billing, while urn:acme:billing is there",
  },
  "urn-mismatch": {
    layer: "registry",
    cause: "The urn in the body of a request is not the one in its address",
    check: "Both, as the message shows them",
    repair: "Send the body to the address of its urn",
    example: "A script that puts all manifests to the address of the first",
  },
  "urn-out-of-scope": {
    layer: "registry",
    cause: "The API key may write urns of another prefix only",
    check: "attest serve keys list, on the database of the registry: the scope of the key",
    repair: "Use the key of that scope, or have one made with attest serve keys create",
    example: "A key for urn:acme:web, and a PUT to urn:acme:website",
  },

  "attestation-expired": {
    layer: "envelope",
    cause: "The envelope itself says until when it counts, and that moment is past",
    check: "attest inspect FILE: its expiry or exp",
    repair: "Have it signed anew",
    example: "A Notation signature with io.cncf.notary.expiry of last year",
  },
  "attestation-not-yet-valid": {
    layer: "envelope",
    cause: "The envelope itself says from when it counts, and that moment is yet to come",
    check: "attest inspect FILE: its nbf; and the clock of this machine",
    repair: "Wait, or set the clock of the signer right",
    example: "A JWT whose nbf is tomorrow",
  },
  "content-digest-mismatch": {
    layer: "envelope",
    cause: "The signature in the file is good, and the file is not the one that it was made for: " +
      "the digest that is signed is not that of the content",
    check: "apksigner verify -v FILE, jarsigner -verify FILE or rpm -Kv FILE, each for its kind",
    repair: "Fetch the file again from its producer; it was changed after it was signed",
    example: "One byte of classes.dex was changed in a signed APK",
  },
  "format-not-verified": {
    layer: "envelope",
    cause: "The format is known by its marks, and its signatures are not verified by this program",
    check: "docs/formats.md: which formats are verified, and which are only explained",
    repair: "Verify it with its own tool, or have an attestation made in a format that is verified",
    example: "A code signature of macOS, which needs codesign",
  },
  "invalid-signature": {
    layer: "envelope",
    cause: "No trusted key accepts a signature over exactly these bytes",
    check: "attest inspect FILE: the key id is a hint to the key that was used; " +
      "openssl pkey -pubin -in KEY -outform DER | sha256sum",
    repair: "Give the public key of the one who signed. If it is right, the content was changed " +
      "after it was signed: fetch it again",
    example: "One bit of the payload changed, or ci-2024.pub used after a rotation to ci-2025.pub",
  },
  "malformed-envelope": {
    layer: "envelope",
    cause: "The DSSE envelope lacks a field, or a field has the wrong type",
    check: "payload and payloadType are strings, signatures is a list of objects with sig",
    repair: "Write it again with a tool that follows DSSE 1.0; in-toto's older " +
      '{"signed", "signatures"} is another format',
    example: '{"payload":"e30=","signatures":[]} without payloadType',
  },
  "malformed-signature-payload": {
    layer: "envelope",
    cause: "The payload of an image signature has another form than simple signing: something " +
      "is missing in it, or critical holds what is not known",
    check: "The member that path names; cosign download signature IMAGE shows the payload",
    repair: "Sign the image again with cosign; a payload of one's own belongs into a Statement",
    example: 'critical has a fourth member, or its type is "my signature"',
  },
  "malformed-signing-block": {
    layer: "envelope",
    cause:
      "The APK signing block, or a signature in it, is not built as Android's schemes v2 and " +
      "v3 want it: a length leads out of it, an id is there twice, or parts contradict each other",
    check: "apksigner verify -v FILE",
    repair: "Sign the APK again with apksigner. Android refuses such a file as well",
    example: "The block says at its end that it is longer than at its beginning",
  },
  "missing-signatures": {
    layer: "envelope",
    cause: "The envelope has an empty list of signatures: nobody vouches for it",
    check: "attest inspect FILE",
    repair: "Sign it, or fetch the signed file",
    example: '{"payloadType":"…","payload":"…","signatures":[]}',
  },
  "missing-trusted-key": {
    layer: "envelope",
    cause: "The attestation is signed with a key, and no key to trust was given",
    check: "attest inspect FILE: does it carry a certificate, or only a key id",
    repair: "Give the signer's public key, from a source that you trust: --key FILE",
    example: "attest verify app.tgz --bundle app.intoto.json --repo acme/app",
  },
  "stripped-signature": {
    layer: "envelope",
    cause:
      "What is signed says that the file has a stronger signature beside this one, and it is " +
      "not there: somebody cut it out",
    check: "apksigner verify -v FILE: the schemes that it finds",
    repair: "Fetch the file again from its producer",
    example: "An APK signed by v2 and v3, of which the v3 block was removed",
  },
  "threshold-not-met": {
    layer: "envelope",
    cause:
      "Fewer distinct trusted keys accept than are required; a key that signs twice counts once",
    check: "The keys that accepted, in the report, against --threshold",
    repair: "Collect the missing signatures, or give the keys of all signers",
    example: "--threshold 2 and an envelope that only one of the two keys signed",
  },
  "unsigned-entry": {
    layer: "envelope",
    cause: "The signed archive has an entry, or its manifest a section, that the signature does " +
      "not cover: it was added later",
    check: "jarsigner -verify -verbose FILE: entries without the letters sm",
    repair: "Remove the entry, or fetch the archive from its producer; whoever uses the archive " +
      "uses all of it",
    example: "A class was added to a signed JAR with zip",
  },
  "unsigned-statement": {
    layer: "envelope",
    cause: "It is a bare Statement: anybody could have written it",
    check: "attest inspect FILE: there is no envelope layer",
    repair: "Get the signed form from the producer; unsigned is never verified, whatever it says",
    example: "The provenance that BuildKit stores in an image index",
  },
  "unsupported-critical-header": {
    layer: "envelope",
    cause: "The envelope demands that a header be understood, and it is not understood here, or " +
      "one that must be demanded is not",
    check: "crit in the protected header, and the headers that it names",
    repair: "Have it signed without that header, or verify it with a tool that knows it",
    example: "A Notation signature that demands a verification plugin",
  },
  "unsupported-payload-type": {
    layer: "envelope",
    cause: "The signed content says that it is something other than an in-toto Statement",
    check: "payloadType in attest inspect FILE; it must be application/vnd.in-toto+json exactly",
    repair: "Give the attestation, not another document that was signed with the same key",
    example: "payloadType text/plain, or application/vnd.in-toto+json; charset=utf-8",
  },
  "unsupported-signature-type": {
    layer: "envelope",
    cause: "The OpenPGP signature is of a version or kind that does not fix what it is over: not " +
      "version 4 or 6, not over data, or over text beside a file",
    check: "The packets of FILE as gpg lists them: version and sigclass, wanted 0x00, or 0x01 in " +
      "clear text",
    repair: "Sign again with a current program, and a file not as text",
    example: "A signature beside a file that gpg made in text mode",
  },
  "weak-hash": {
    layer: "envelope",
    cause: "The signature is over a digest by MD5, SHA-1 or RIPEMD-160: who can choose a part of " +
      "what is signed can make two texts with one signature",
    check: "attest inspect FILE: the algorithm of the signature",
    repair: "Sign again over SHA-256, SHA-384 or SHA-512; there is no option to accept it",
    example: "A list of checksums of 2010, signed over SHA-1",
  },

  "artifact-rule-violated": {
    layer: "statement",
    cause: "A file went into or came out of a step of the supply chain that the rules of the " +
      "in-toto layout do not allow there, or one that they require is missing",
    check: "The rule that path names in the layout, against materials and products of the link",
    repair: "Find out where the file comes from. If it belongs there, the owner allows it in a " +
      "new layout",
    example: "DISALLOW * comes upon a file that no step before it made",
  },
  "duplicate-subject-name": {
    layer: "statement",
    cause: "Two subjects of one Statement have the same name",
    check: "subject in attest inspect FILE",
    repair: "Have the producer name each subject once; Statement v0.1 demands it",
    example: "Two files dist/index.js of two packages, named without their folder",
  },
  "empty-directory": {
    layer: "statement",
    cause: "A folder that is to be attested or verified as one has no file in it",
    check: "find DIR -type f: empty folders are not recorded, as git does not record them",
    repair: "Build first, or name the folder that the build writes to",
    example: "attest attest dist, before the build has made anything",
  },
  "empty-resource-descriptor": {
    layer: "statement",
    cause: "A resource has none of uri, digest and content, so it points to nothing",
    check: "The resource that path names",
    repair: "Have the producer add a digest",
    example: '{"name":"left-pad"} in resolvedDependencies',
  },
  "inspection-failed": {
    layer: "statement",
    cause: "A command that the in-toto layout wants to be run on the product gave another exit " +
      "status than 0, or could not be run",
    check: "The command in the layout, run by hand in a folder with the product",
    repair: "See what it complains about; the product is not what the owner of the layout expects",
    example: "tar xzf app.tar.gz of a file that is no archive",
  },
  "inspection-not-run": {
    layer: "statement",
    cause:
      "The in-toto layout wants a command to be run on the product, and nothing runs commands " +
      "of documents here unless it is told how",
    check: "attest inspect LAYOUT: inspect and its run",
    repair: "In a program pass runInspection, which runs the command where it can do no harm; on " +
      "the command line use in-toto-verify for such layouts",
    example: "A layout that wants untar to be run on app.tar.gz",
  },
  "invalid-digest": {
    layer: "statement",
    cause: "A digest does not have the form of its algorithm: not hex, or of the wrong length",
    check: "The digest that path names: 64 digits for sha256, 128 for sha512",
    repair: "Have the producer write lowercase hex, without the prefix sha256:",
    example: '{"sha512":"MJ7MSJwS1utMxA9QyQLyt…"}, base64 as npm writes it',
  },
  "invalid-timestamp": {
    layer: "statement",
    cause: "A time is not RFC 3339 in UTC",
    check: "The field that path names",
    repair: "Have the producer write 2025-01-31T12:00:00Z",
    example: "2025-01-31 12:00:00 or 2025-01-31T12:00:00+01:00",
  },
  "invalid-uri": {
    layer: "statement",
    cause: "A field that must be a URI has no scheme, or has spaces or control characters",
    check: "The field that path names",
    repair: "Have the producer write an absolute URI",
    example: 'predicateType "provenance"',
  },
  "inconsistent-predicate": {
    layer: "predicate",
    cause: "Two values of the predicate contradict each other, or one contradicts the Statement",
    check: "The field that path names, and its counterpart in the message",
    repair: "Have the producer write what is true; both cannot be",
    example: "A test result PASSED that lists failed tests, or CycloneDX 1.4 signed as bom/v1.6",
  },
  "link-collision": {
    layer: "statement",
    cause:
      "Two keys that may sign a step of an in-toto layout have ids that begin alike, so that " +
      "their links or sublayouts would have one name",
    check: "The first eight digits of pubkeys of the step in the layout",
    repair: "Give one of them another key; ids that begin alike by chance are made, not found",
    example: "A key whose id was searched for until it began as that of the builder",
  },
  "link-mismatch": {
    layer: "statement",
    cause: "A link is about another step than the one that it was given for",
    check: "name in the link, against the name of its file",
    repair: "Give each step its own link: NAME.KEYID.link as in-toto-run wrote it",
    example: "The link of the step test, copied to build.776a00e2.link",
  },
  "links-disagree": {
    layer: "statement",
    cause: "Several who carried out one step of the supply chain say different materials or " +
      "products of it",
    check: "materials and products of the links that the message names, side by side",
    repair: "Find out whose is wrong. A step with a threshold has to be reproducible",
    example: "Two builders whose compilers write the time into the file",
  },
  "malformed-layout": {
    layer: "statement",
    cause: "An in-toto layout lacks a member or has one of another form: keys, steps, rules, " +
      "expires",
    check: "The member that path names; attest inspect LAYOUT",
    repair: "Make and sign it again with in-toto's own tools",
    example: "A rule MATCH without FROM, or two steps of one name",
  },
  "malformed-predicate": {
    layer: "predicate",
    cause: "The predicate is not an object, or a field of it has the wrong type",
    check: "The field that path names, in attest inspect FILE --format json",
    repair: "Have the producer follow the specification of that predicate type",
    example: "An SPDX document in tag-value form, put in as a string",
  },
  "malformed-purl": {
    layer: "predicate",
    cause: "A package URL cannot be read strictly, or lacks the version that is needed",
    check: "The text in the message: pkg:TYPE/NAMESPACE/NAME@VERSION",
    repair: "Have the producer write it canonically: keys of qualifiers in lower case, escapes " +
      "of two hex digits, no white space",
    example: "pkg:npm/left pad@1.3.0",
  },
  "malformed-resource-descriptor": {
    layer: "statement",
    cause: "A field of a resource has the wrong type",
    check: "The field that path names",
    repair: "Have the producer follow in-toto's ResourceDescriptor",
    example: '"digest": "sha256:…" where an object is due',
  },
  "malformed-statement": {
    layer: "statement",
    cause:
      "The signed content is not an in-toto Statement: not an object, or a field is absent or " +
      "of the wrong type",
    check: "attest inspect FILE",
    repair: "Have the producer write _type, subject and predicateType",
    example: '"subject": {} where a list is due',
  },
  "message-digest-mismatch": {
    layer: "statement",
    cause: "The digest that the bundle states for the signed file is not that of the artifact",
    check: "sha256sum ARTIFACT against messageDigest in attest inspect FILE",
    repair: "Take the artifact and the bundle of the same release",
    example: "app-1.1.tgz with app-1.0.tgz.sigstore.json",
  },
  "missing-predicate": {
    layer: "predicate",
    cause: "The Statement has no predicate",
    check: "attest inspect FILE",
    repair: "Have the producer write at least an empty object",
    example: '{"_type":"…","subject":[…],"predicateType":"…"}',
  },
  "missing-predicate-field": {
    layer: "predicate",
    cause: "The predicate lacks a field that its specification requires",
    check: "The field that path names",
    repair: "Have the producer write it; for SLSA provenance see slsa.dev/spec",
    example: "SLSA provenance without runDetails.builder.id",
  },
  "missing-predicate-type": {
    layer: "statement",
    cause: "The Statement does not say what kind of claim it makes",
    check: "predicateType in attest inspect FILE",
    repair: "Have the producer write the URI of the predicate type",
    example: '"predicateType": ""',
  },
  "missing-subject": {
    layer: "statement",
    cause: "The Statement is about nothing: its list of subjects is empty",
    check: "subject in attest inspect FILE",
    repair: "Have the producer name the artifacts with their digests",
    example: "A build whose pattern for artifacts matched no file",
  },
  "missing-subject-digest": {
    layer: "statement",
    cause: "A subject has no digest; a name alone binds nothing",
    check: "The subject that path names",
    repair: "Have the producer add sha256",
    example: '{"name":"app.tgz"}',
  },
  "missing-subject-name": {
    layer: "statement",
    cause: "A subject of a Statement v0.1 has no name",
    check: "The subject that path names",
    repair: "Have the producer name it, or write Statement v1, where a name is optional",
    example: '{"digest":{"sha256":"…"}} in a Statement v0.1',
  },
  "predicate-type-mismatch": {
    layer: "statement",
    cause: "The attestation makes another kind of claim than the one asked for",
    check: "predicateType in attest inspect FILE",
    repair: "Ask for what is there, with --predicate-type URI, or give the other attestation",
    example: "--type slsaprovenance1 and an attestation of an SBOM (https://spdx.dev/Document)",
  },
  "subject-conflict": {
    layer: "statement",
    cause: "A subject agrees with the artifact in one digest and disagrees in another",
    check: "sha256sum ARTIFACT; sha512sum ARTIFACT, against subject in attest inspect FILE",
    repair: "Treat it as tampering until the producer explains it; one of the digests is false",
    example: "sha256 of this file, sha512 of another",
  },
  "subject-mismatch": {
    layer: "statement",
    cause: "The attestation is about another artifact: no subject has this artifact's digest",
    check: "sha256sum ARTIFACT, against subject in attest inspect FILE",
    repair:
      "Take the artifact and the attestation of the same release; if they are, the artifact " +
      "was changed: do not use it",
    example: "An archive that was unpacked and packed again",
  },
  "unsupported-digest-algorithm": {
    layer: "statement",
    cause: "The artifact and the subjects have no digest algorithm in common that may count",
    check: "The algorithms in subject of attest inspect FILE; MD5 and SHA-1 never count alone",
    repair: "Give the artifact itself instead of a digest, or have the producer add sha256",
    example: "A subject with sha1 only",
  },
  "unsupported-file-name": {
    layer: "statement",
    cause: "A file cannot be a part of an attested folder, list or archive: its name has control " +
      "characters, a backslash or .., is absolute, or it is a link or special file",
    check: "The name in the message; ls -lb shows what it is",
    repair: "Rename the file, put the file in the place of a link, or pack the folder into one " +
      "archive and attest that",
    example: "../../etc/passwd in a checksum file, or a link to a folder above",
  },
  "unsupported-git-object": {
    layer: "statement",
    cause: "A git object is neither a commit nor an annotated tag, or its content is not that " +
      "of its kind",
    check: "git cat-file -t REV",
    repair: "Name a commit or an annotated tag; REV^{commit} is the commit of a tag",
    example: "HEAD:README.md, which is a blob",
  },
  "unsupported-statement-type": {
    layer: "statement",
    cause: "_type is no version of the Statement that is accepted; it is compared letter by letter",
    check: "_type in attest inspect FILE",
    repair: "Have the producer write https://in-toto.io/Statement/v1",
    example: '"_type": "link", or https://in-toto.io/Statement/v1.0',
  },

  "branch-mismatch": {
    layer: "predicate",
    cause: "It was built from another branch than expected, or from no branch",
    check: "The source's ref in attest inspect FILE",
    repair: "Take a build of the expected branch; for a release expect its tag instead",
    example: "Expected main, and a build of refs/heads/feature or of refs/tags/main",
  },
  "build-type-mismatch": {
    layer: "predicate",
    cause:
      "The provenance gives its parameters another meaning than expected: its buildType differs",
    check: "buildType in attest inspect FILE, character by character",
    repair: "Expect the build type that the builder documents, and look at its parameters anew",
    example: "https://actions.github.io/buildtypes/workflow/v1/ with a slash at the end",
  },
  "certificate-provenance-mismatch": {
    layer: "predicate",
    cause: "The provenance states something else than the certificate of the one who signed it",
    check: "The claim that the message names, against the provenance in attest inspect FILE",
    repair: "Do not use it: whoever wrote the provenance did not tell the truth about the run",
    example: "A workflow of acme/fork that signs provenance with acme/app as its source",
  },
  "commit-mismatch": {
    layer: "predicate",
    cause: "It was built from another commit than expected, or no commit is stated",
    check: "git rev-parse TAG^{commit}, against gitCommit in attest inspect FILE",
    repair: "Find out whether the tag was moved after the build; take the build of that commit",
    example: "The id of an annotated tag given where that of its commit is due",
  },
  "insufficient-level": {
    layer: "predicate",
    cause: "The SLSA level that can be believed is lower than the one required",
    check: "Who signed, and the level that is trusted for that builder or stated by that verifier",
    repair:
      "Have it built on a platform of that level; do not raise the level in the roots of trust",
    example: "Level 3 is required, and a workflow on a self-hosted runner signed",
  },
  "invalid-versioned-tag": {
    layer: "predicate",
    cause: "A version is expected, and the tag that was built is none",
    check:
      "The tag in attest inspect FILE: v1, v1.2 or v1.2.3, with what Semantic Versioning allows",
    repair: "Expect the tag by its whole name",
    example: "The tag release-2025-01 or 1.2.3 without its v",
  },
  "malformed-builder-trust": {
    layer: "predicate",
    cause: "The document of roots of trust for builders is not of its form",
    check: "The place that path names",
    repair:
      "Name signer, builderId and maxBuildLevel of each pair; placeholders only behind @refs/tags/",
    example: '"builderId": "https://ci.example/*"',
  },
  "missing-builder-id": {
    layer: "predicate",
    cause: "The earlier minimal payload does not say who built it",
    check: "builder.id in the payload",
    repair: "Have it made again with a builderId",
    example: '{"builder":{},"materials":[],"metadata":{"commit":"…"}}',
  },
  "missing-commit": {
    layer: "predicate",
    cause: "The earlier minimal payload does not say which commit was built",
    check: "metadata.commit in the payload",
    repair: "Have it made again with a commit",
    example: '{"builder":{"id":"ci"},"materials":[],"metadata":{}}',
  },
  "missing-legacy-subject": {
    layer: "predicate",
    cause:
      "The earlier minimal payload names no artifact by digest, so it cannot become a Statement",
    check: "Which artifact it was stored for, and that artifact's SHA-256",
    repair: "Give the digests of its outputs along with it",
    example: "outputs [{name: app.tgz}] and no digest of app.tgz",
  },
  "missing-materials": {
    layer: "predicate",
    cause: "The earlier minimal payload has no list of materials",
    check: "materials in the payload: a list, which may be empty",
    repair: "Have it made again with materials",
    example: '{"builder":{"id":"ci"},"metadata":{"commit":"…"}}',
  },
  "parameter-mismatch": {
    layer: "predicate",
    cause: "An external parameter of the build is absent or has a value that is not allowed",
    check: "The parameter that path names, in attest inspect FILE",
    repair: "Find out who set it; allow the value only if the build may be steered that way",
    example: "debug is true where false is expected",
  },
  "source-mismatch": {
    layer: "predicate",
    cause: "It was built from another repository than expected",
    check: "The source in attest inspect FILE, letter by letter, the owner too",
    repair: "Do not use a build of somebody else's repository; if it moved, expect its new address",
    example: "A fork with the same workflow: github.com/evil/app instead of github.com/acme/app",
  },
  "tag-mismatch": {
    layer: "predicate",
    cause: "It was built from another tag than expected, or from no tag",
    check: "The source's ref in attest inspect FILE: refs/tags/NAME",
    repair: "Take the artifact and the attestation of the same release",
    example: "Expected v1.2.3, and a build of the branch refs/heads/v1.2.3",
  },
  "unexpected-builder": {
    layer: "predicate",
    cause: "The provenance names another builder than the one expected",
    check: "builder.id in attest inspect FILE, with and without its @ and version",
    repair: "Expect the builder that is really used, or have it built by the one expected",
    example: "https://ci.example/l3-evil where https://ci.example/l3 is expected",
  },
  "unexpected-parameter": {
    layer: "predicate",
    cause: "The build had an external parameter that no rule allows",
    check: "The parameter that path names, in attest inspect FILE",
    repair: "Learn what it does; then add a rule for it, or have it built without",
    example: "inputs.extra-flags in a build of which inputs.version alone is expected",
  },
  "unpinned-dependency": {
    layer: "predicate",
    cause: "A dependency of the build has no digest, so nobody knows what was fetched",
    check: "resolvedDependencies or materials in attest inspect FILE",
    repair: "Have the builder record digests, or do not require them",
    example: "pkg:docker/alpine@latest without sha256",
  },
  "untrusted-builder": {
    layer: "predicate",
    cause: "No root of trust says that this signer may speak for this builder",
    check: "The signer and builder.id in attest inspect FILE, against the roots of trust",
    repair:
      "Expect the builder by name if it is a reusable workflow that you trust, or add the pair",
    example: "A key of one platform that signs provenance with another platform's builder.id",
  },
  "versioned-tag-mismatch": {
    layer: "predicate",
    cause: "It was built from a tag of another version than expected, or from no tag",
    check: "The source's ref in attest inspect FILE",
    repair: "Take the release of that version; v1 stands for each 1.x.y, v1.2 for each 1.2.x",
    example: "Expected v1.2, and a build of v1.3.0",
  },
  "workflow-input-mismatch": {
    layer: "predicate",
    cause: "The workflow was started with another input than expected, or not by hand at all",
    check: "inputs of the event in attest inspect FILE",
    repair: "Find out who started it, and with what",
    example: "release=false where true is expected, or a build that a push started",
  },

  "dependencies-unknown": {
    layer: "predicate",
    cause: "A least level of all dependencies is expected, and the VSA does not tell it of all",
    check: "dependencyLevels of the VSA: absent is unknown, {} is no dependency at all",
    repair: "Have the verifier evaluate dependencies, or do not expect a level of them",
    example: "dependencyLevels counts SLSA_SOURCE_LEVEL_1 only, and a Build level is expected",
  },
  "duplicate-track-level": {
    layer: "predicate",
    cause: "A VSA has more than one level of the same track, so none of them counts",
    check: "verifiedLevels: at most one SLSA_BUILD_LEVEL_…, and one of each other track",
    repair: "Have the verifier write the highest level of each track only",
    example: '["SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_3"]',
  },
  "invalid-level": {
    layer: "predicate",
    cause: "A VSA states a level that SLSA does not define, or levels that contradict its result",
    check: "verifiedLevels: own words must not begin with SLSA_, and FAILED goes with FAILED",
    repair: "Have the verifier write SLSA_<TRACK>_LEVEL_<N>, or a word of its own without SLSA_",
    example: "SLSA_LEVEL_3, as versions before 1.0 wrote it",
  },
  "missing-resource-expectation": {
    layer: "predicate",
    cause: "A VSA is to be believed, and it is not said about which resource",
    check: "The expected resourceUri",
    repair: "State the name under which the artifact is used, exactly as the verifier writes it",
    example: "A VSA of the test image would pass for the production image",
  },
  "policy-mismatch": {
    layer: "predicate",
    cause: "The verifier applied another policy than the expected one, or names no such digest",
    check: "policy of the VSA: uri and digest",
    repair: "Have the artifact verified again with the policy of today",
    example: "policy.uri ends in /v1, /v2 is expected",
  },
  "resource-mismatch": {
    layer: "predicate",
    cause: "The VSA is about a resource of another name; names are compared letter by letter",
    check: "resourceUri of the VSA against the expected one, up to the last slash",
    repair: "Take the VSA that was made for this name; the same bytes may be fine elsewhere only",
    example: "pkg:npm/app@1.0.0 is expected, found pkg:npm/app-internal@1.0.0",
  },
  "source-ref-mismatch": {
    layer: "predicate",
    cause:
      "What was verified or built is not at the expected git ref: by the VSA of a revision, or " +
      "by the certificate of an npm package",
    check: "annotations.sourceRefs of the subject, or the source ref of the certificate: whole " +
      "refs, such as refs/heads/main",
    repair: "Expect the ref that was verified or built, or have it done at this one",
    example: "A commit of refs/heads/draft is used as a commit of refs/heads/main",
  },
  "unsigned-text-mismatch": {
    layer: "predicate",
    cause: "What is printed beside a signed Statement for people to read says something else",
    check: "The field that the message names, against the payload in attest inspect FILE",
    repair: "Believe the signed payload only; fetch the provenance again, and find who changed it",
    example: "A build step in build.intotoStatement of gcloud's output that the payload has not",
  },
  "verification-not-passed": {
    layer: "predicate",
    cause: "The verifier signed that the artifact does not satisfy its policy",
    check: "verificationResult and verifiedLevels of the VSA",
    repair: "Do not use the artifact; ask the verifier what failed",
    example: '"verificationResult": "FAILED"',
  },
  "verifier-mismatch": {
    layer: "predicate",
    cause: "The VSA names another verifier, or its signer may not speak for the one that it names",
    check: "verifier.id of the VSA, and the key or identity that signed",
    repair: "Expect this verifier with its own key or identity, if it deserves that trust",
    example: "A key of the team's own signs as the verifier of the company",
  },
  "vsa-too-old": {
    layer: "predicate",
    cause: "The artifact was verified longer ago than is accepted, or it is not said when",
    check: "timeVerified of the VSA, and the clock here",
    repair: "Have it verified again; what is known of the artifact may have changed",
    example: "An age of a day is accepted, timeVerified is of last month",
  },

  "integrity-mismatch": {
    layer: "predicate",
    cause: "A file is not the one that the lockfile or the index of a cache names by its SHA-512",
    check: "openssl dgst -sha512 -binary FILE | base64 -w0, against integrity in the lockfile",
    repair: "Fetch the tarball again from the registry; if it is the same, the lockfile or the " +
      "registry was changed",
    example: "A tarball that was packed again in a mirror",
  },
  "missing-integrity": {
    layer: "predicate",
    cause: "The lockfile does not say which content a package of a registry has",
    check: "integrity of the entry that path names",
    repair: "Have npm write the entry anew; without integrity anything could be installed",
    example: "An entry that a merge left with version and resolved only",
  },
  "missing-provenance": {
    layer: "predicate",
    cause: "The package has no provenance, and it must have one",
    check: "REGISTRY/-/npm/v1/attestations/NAME@VERSION",
    repair: "Have the producer publish from CI with provenance, or state in the expectations " +
      "that it is not required",
    example: "A version that was published from a laptop",
  },
  "missing-publish-attestation": {
    layer: "predicate",
    cause: "The registry's answer has no attestation that the registry published the package",
    check: "predicateType of each entry of the answer",
    repair: "Fetch the answer again from the registry itself; a mirror may have left it out",
    example: "An answer with the provenance only",
  },
  "package-mismatch": {
    layer: "predicate",
    cause: "The attestation is about another package, version or registry than was expected",
    check: "The name of the subject, and name, version and registry of the predicate",
    repair: "Take the answer for exactly this name and version",
    example: "pkg:npm/%40acme/app@1.2.3 is expected, found pkg:npm/app@1.2.3",
  },
  "provenance-lost": {
    layer: "predicate",
    cause: "An earlier run saw provenance of this package, and this version has none: take-overs " +
      "of packages look like this",
    check: "How the producer published this version, and whether they announced it",
    repair:
      "Stay at the earlier version until the producer explains it, or waive it up to a date " +
      "in the expectations",
    example: "1.14.0 was built by CI, 1.14.1 was published with a stolen token",
  },
  "repository-changed": {
    layer: "predicate",
    cause: "The package is built from another repository, or one of another owner, than in an " +
      "earlier run",
    check: "Numbers of repository and owner in the message: a rename keeps them",
    repair: "Ask the producer; if the move is right, expect the new repository or waive the " +
      "change up to a date",
    example: "github.com/acme/app was deleted, and somebody else made a new one",
  },
  "workflow-mismatch": {
    layer: "predicate",
    cause: "The certificate names another workflow than was expected",
    check: "buildConfigURI of the certificate in attest inspect FILE",
    repair: "Expect the file that publishes, without its ref: .github/workflows/release.yml",
    example: "ci.yml of a pull request signed, release.yml is expected",
  },
  "forbidden-certificate-chain": {
    layer: "bundle",
    cause:
      "A bundle of version 0.3 carries a chain of certificates where only the signer's is allowed",
    check: "verificationMaterial in attest inspect FILE",
    repair: "Make the bundle again with a current client, or give it its true media type",
    example: "x509CertificateChain under application/vnd.dev.sigstore.bundle.v0.3+json",
  },
  "key-hint-mismatch": {
    layer: "bundle",
    cause: "The key id of the signature and the hint of the bundle name different keys",
    check: "publicKey.hint and keyid in attest inspect FILE",
    repair: "Make the bundle again from one signature; parts of two may have been mixed",
    example: 'hint "ci-2025", keyid "ci-2024"',
  },
  "malformed-sigstore-bundle": {
    layer: "bundle",
    cause:
      "The Sigstore bundle lacks a field, has two contents or none, or a field has the wrong type",
    check: "The field that path names, in attest inspect FILE",
    repair: "Export it again from the client that made it",
    example: "A bundle without verificationMaterial",
  },
  "malformed-trusted-root": {
    layer: "bundle",
    cause: "The trusted root cannot be read: keys, times or certificates are missing or wrong",
    check: "The field that path names",
    repair: "Fetch it again: gh attestation trusted-root > trusted_root.jsonl, " +
      "or cosign trusted-root create",
    example: "root.json of TUF given instead of trusted_root.json",
  },
  "missing-inclusion-promise": {
    layer: "bundle",
    cause: "A bundle of version 0.1 has a log entry without the log's signed promise",
    check: "tlogEntries in attest inspect FILE",
    repair: "Make the bundle again with a current client",
    example: "inclusionPromise was dropped when a bundle was converted",
  },
  "missing-inclusion-proof": {
    layer: "bundle",
    cause: "A bundle of version 0.2 or 0.3 has a log entry without a proof of inclusion",
    check: "tlogEntries in attest inspect FILE",
    repair: "Make the bundle again with a current client, which fetches the proof",
    example: "A bundle of version 0.1 whose media type was edited",
  },
  "root-in-bundle": {
    layer: "bundle",
    cause:
      "The chain of the bundle ends in a self-signed root; roots come from the trusted root only",
    check: "The certificates in attest inspect FILE",
    repair: "Leave the root out when the bundle is made",
    example: "openssl's full chain pasted into x509CertificateChain",
  },
  "unsupported-bundle-version": {
    layer: "bundle",
    cause: "The media type is no version of the Sigstore bundle that is known (0.1, 0.2, 0.3)",
    check: "mediaType in attest inspect FILE",
    repair: "Use a newer release of this tool, or make the bundle in version 0.3",
    example: "application/vnd.dev.sigstore.bundle.v9+json",
  },

  "certificate-claim-mismatch": {
    layer: "certificate",
    cause:
      "The certificate says something else than was expected of repository, ref, commit or workflow",
    check: "The claim in the message, and the certificate in attest inspect FILE",
    repair: "Correct the expectation if it was wrong; else the artifact was built from another " +
      "source: do not use it",
    example: "--source-ref refs/tags/v1.2.3 and a build of refs/heads/main",
  },
  "certificate-not-valid": {
    layer: "certificate",
    cause: "A certificate of the chain was not valid at the verified time of signing",
    check: "Validity of the certificate against the timestamps in attest inspect FILE",
    repair: "Sign again: a Fulcio certificate lives for ten minutes, and log entry or timestamp " +
      "must fall into them",
    example: "A signature that was timestamped an hour after the certificate was issued",
  },
  "forbidden-by-dbx": {
    layer: "certificate",
    cause: "The firmware's list of what is refused (dbx) has the image's hash, or a certificate " +
      "of its signer",
    check: "efi-readvar -v dbx; the image hash in attest inspect FILE",
    repair: "Take a fixed version of the image that is signed anew; dbx wins over db",
    example: "A boot loader of before BootHole, whose hash was added to dbx",
  },
  "identity-mismatch": {
    layer: "certificate",
    cause: "The certificate was issued to somebody else than was expected",
    check: "The identity in attest inspect FILE, letter by letter: acme/app is not acme/app-evil",
    repair: "If you know that signer, expect it: --cert-identity, --repo or --signer-workflow. " +
      "A reusable workflow signs as itself: --signer-repo",
    example: "--repo acme/app and a signature of github.com/acme/app-fork",
  },
  "invalid-certificate-usage": {
    layer: "certificate",
    cause:
      "A certificate of the chain may not be used for this: no CA, wrong key usage, or a purpose " +
      "other than code signing",
    check: "openssl x509 -in CERT -text -noout",
    repair: "Use a certificate that Fulcio or your own code-signing CA issued",
    example: "A certificate of a web server",
  },
  "invalid-sct": {
    layer: "certificate",
    cause:
      "The certificate's promise by a certificate transparency log is malformed or its signature is wrong",
    check: "The trusted root: does it have the log of that time",
    repair: "Update the trusted root; if that does not help, the certificate is not genuine",
    example: "An SCT that was copied from another certificate",
  },
  "issuer-conflict": {
    layer: "certificate",
    cause: "The certificate names two different OIDC issuers, in its old and its new extension",
    check: "Extensions 1.3.6.1.4.1.57264.1.1 and .1.8: openssl x509 -in CERT -text -noout",
    repair: "Report it to whoever runs the CA; it cannot be decided which one vouched",
    example: "A private Fulcio with a faulty configuration",
  },
  "issuer-mismatch": {
    layer: "certificate",
    cause: "Another identity provider vouched for the signer than was expected",
    check: "The issuer in attest inspect FILE",
    repair: "Expect it with --cert-oidc-issuer, if you trust it to name its users; the issuer of " +
      "GitHub Actions is https://token.actions.githubusercontent.com",
    example:
      "An e-mail address by https://accounts.google.com, expected by https://github.com/login/oauth",
  },
  "malformed-certificate": {
    layer: "certificate",
    cause: "A certificate cannot be read strictly, or has not the shape of Fulcio's: one name in " +
      "its SubjectAlternativeName",
    check: "openssl x509 -inform DER -in CERT -text -noout",
    repair: "Fetch the bundle again; else ask the CA that issued it",
    example: "A certificate with two names, of which a reader could pick either",
  },
  "malformed-signature-list": {
    layer: "certificate",
    cause: "What should be EFI signature lists (db, dbx) is cut off, or of another form",
    check:
      "attest inspect FILE; a variable of efivarfs has four bytes of attributes before its lists",
    repair: "Give the lists themselves (.esl): efi-readvar -v db -o db.esl, or " +
      "cert-to-efi-sig-list CERT db.esl",
    example: "A .auth file, which has a signature before its lists",
  },
  "missing-identity-expectation": {
    layer: "certificate",
    cause:
      "It was not said whom the attestation must come from. Anybody can get a certificate, so " +
      "a valid one alone proves nothing",
    check: "attest inspect FILE shows who claims to have signed: do you know that signer",
    repair: "Say whom you expect: --repo OWNER/NAME, --owner OWNER, or --cert-identity with " +
      "--cert-oidc-issuer; or --key FILE for a key",
    example: "attest verify app.tgz --bundle app.sigstore.json",
  },
  "missing-issuer-expectation": {
    layer: "certificate",
    cause: "A name was expected without the identity provider that vouches for it; two providers " +
      "can give the same name to different people",
    check: "The issuer in attest inspect FILE",
    repair: "Add --cert-oidc-issuer URL",
    example: "--cert-identity dev@acme.example alone",
  },
  "sct-threshold-not-met": {
    layer: "certificate",
    cause: "Fewer certificate transparency logs than required promised to publish the certificate",
    check: "The trusted root: does it have the CT log of that time",
    repair:
      "Update the trusted root; a private instance without such a log needs --sct-threshold 0",
    example: "A certificate of a private CA that has no CT log",
  },
  "self-hosted-runner": {
    layer: "certificate",
    cause: "It was built on a runner that GitHub does not host, and that was refused",
    check: "runnerEnvironment in attest inspect FILE",
    repair: "Build on a runner that GitHub hosts, or leave out --deny-self-hosted-runners",
    example: "runs-on: self-hosted",
  },
  "unsupported-critical-extension": {
    layer: "certificate",
    cause:
      "The certificate has a critical extension that is not known here, so its limits cannot be kept",
    check: "openssl x509 -in CERT -text -noout, lines with critical",
    repair: "Use a certificate without it",
    example: "Critical name constraints on an intermediate",
  },
  "untrusted-certificate": {
    layer: "certificate",
    cause: "The certificate leads to no trusted root or authority",
    check: "The issuer of the certificate in attest inspect FILE, against the roots in use",
    repair:
      "Sigstore: give the root of its instance, --trusted-root FILE; private repositories on " +
      "GitHub use GitHub's own (gh attestation trusted-root > trusted_root.jsonl). JAR, PE, CMS, " +
      "Notation: --certificate-authority FILE with --certificate-subject, or --key FILE",
    example: "A bundle of the staging instance, verified with the public-good root",
  },

  "checkpoint-mismatch": {
    layer: "log",
    cause: "The signed checkpoint is of another tree than the proof of inclusion",
    check: "inclusionProof in attest inspect FILE: root hash and tree size",
    repair: "Fetch the bundle again; parts of two proofs may have been mixed",
    example: "A checkpoint of tree size 1000 with a proof for tree size 1001",
  },
  "duplicate-log-entry": {
    layer: "log",
    cause: "The bundle has the same log entry twice; one entry must not count for two",
    check: "tlogEntries in attest inspect FILE: log id and index",
    repair: "Make the bundle again",
    example: "An entry repeated to reach --tlog-threshold 2",
  },
  "invalid-checkpoint-signature": {
    layer: "log",
    cause: "The log's own signature on its checkpoint is missing or wrong",
    check: "The trusted root: does it have this log's key",
    repair: "Update the trusted root; fetch the bundle again",
    example: "A checkpoint that only witnesses signed",
  },
  "invalid-inclusion-promise": {
    layer: "log",
    cause: "The log's signed promise (SET) does not fit the entry",
    check: "tlogEntries in attest inspect FILE: index, time, body",
    repair: "Fetch the bundle again; the entry was changed or comes from another bundle",
    example: "integratedTime moved into the validity of the certificate",
  },
  "invalid-inclusion-proof": {
    layer: "log",
    cause: "The hashes of the proof do not lead from the entry to the root of the tree",
    check: "inclusionProof in attest inspect FILE",
    repair: "Fetch the bundle again; the entry is not in the log, or the proof is of another one",
    example: "A proof with one hash left out",
  },
  "log-digest-mismatch": {
    layer: "log",
    cause: "The log entry is about other content than this attestation",
    check: "The body of the entry in attest inspect FILE --format json",
    repair: "Fetch the bundle again; a valid entry of another artifact was put in",
    example: "The entry of app-1.0 in the bundle of app-1.1",
  },
  "log-key-mismatch": {
    layer: "log",
    cause: "The log entry names another key or certificate than the one that signed",
    check: "The body of the entry in attest inspect FILE --format json",
    repair: "Fetch the bundle again; certificate and log entry do not belong together",
    example: "The same content signed and logged by two people, parts exchanged",
  },
  "log-not-valid": {
    layer: "log",
    cause: "The log's key was not in use at the time of the entry",
    check: "validFor of the log in the trusted root, against the time of the entry",
    repair: "Update the trusted root; an entry after the key was retired is not genuine",
    example: "A log that was closed in 2024 and an entry of 2025",
  },
  "log-signature-mismatch": {
    layer: "log",
    cause: "The log entry holds another signature than the attestation",
    check: "The body of the entry in attest inspect FILE --format json",
    repair: "Fetch the bundle again; signature and log entry do not belong together",
    example: "A file that was signed twice, with the log entry of the first time",
  },
  "log-threshold-not-met": {
    layer: "log",
    cause: "Fewer distinct transparency logs than required include the attestation",
    check: "tlogEntries in attest inspect FILE, against --tlog-threshold",
    repair: "Sign with a client that uploads to a log. GitHub's own instance has none: give its " +
      "root with --trusted-root and use --tlog-threshold 0 --tsa-threshold 1",
    example: "cosign sign --tlog-upload=false",
  },
  "malformed-checkpoint": {
    layer: "log",
    cause:
      "The checkpoint is not a signed note: origin, tree size and root hash, a blank line, signatures",
    check: "checkpoint in attest inspect FILE --format json",
    repair: "Fetch the bundle again",
    example: "Line ends changed to CR LF",
  },
  "malformed-log-entry": {
    layer: "log",
    cause: "The log entry or its body lacks a field, or a field has the wrong type",
    check: "The field that path names",
    repair: "Fetch the bundle again, or make it with a current client",
    example: "A negative log index",
  },
  "unsupported-log-entry": {
    layer: "log",
    cause: "The kind or version of the log entry is not known",
    check: "kindVersion in attest inspect FILE",
    repair:
      "Sign with a client that writes hashedrekord 0.0.1 or 0.0.2, dsse 0.0.1 or intoto 0.0.2",
    example: "An entry of kind rpm",
  },
  "untrusted-log": {
    layer: "log",
    cause: "The entry is of a log that the trusted roots do not have",
    check: "logId in attest inspect FILE, against tlogs of the trusted root",
    repair: "Give the root of its instance: --trusted-root FILE; update it if the log is new",
    example: "An entry of the staging log",
  },

  "invalid-timestamp-signature": {
    layer: "timestamp",
    cause: "The signature on the timestamp, or an attribute that it covers, is wrong",
    check: "openssl ts -reply -in TIMESTAMP -text",
    repair: "Fetch the bundle again, or have the signature timestamped again",
    example: "The time in the token was edited",
  },
  "malformed-timestamp": {
    layer: "timestamp",
    cause: "The timestamp is not an RFC 3161 response with one signer",
    check: "openssl ts -reply -in TIMESTAMP -text",
    repair: "Have the signature timestamped again",
    example: "The HTML error page of a timestamp authority",
  },
  "timestamp-authority-not-valid": {
    layer: "timestamp",
    cause: "The authority's certificate was not valid, or not in use, at the time it states",
    check: "validFor of the authority in the trusted root, against the time of the timestamp",
    repair: "Update the trusted root; else have the signature timestamped again",
    example: "A timestamp of 2025 by an authority that was retired in 2024",
  },
  "timestamp-imprint-mismatch": {
    layer: "timestamp",
    cause: "The timestamp was made for another signature",
    check:
      "openssl ts -reply -in TIMESTAMP -text: the message data must be the hash of the signature",
    repair: "Timestamp the raw bytes of the signature, neither its base64 nor the artifact",
    example: "The timestamp of one bundle put into another",
  },
  "timestamp-rejected": {
    layer: "timestamp",
    cause: "The authority answered that it did not grant the timestamp",
    check: "openssl ts -reply -in TIMESTAMP -text: Status info",
    repair: "Ask again, with a hash that the authority accepts",
    example: "Status: Rejected. Failure info: unrecognized or unsupported algorithm",
  },
  "timestamp-threshold-not-met": {
    layer: "timestamp",
    cause: "Fewer verified times of signing than required. A certificate of ten minutes means " +
      "nothing without one",
    check: "The timestamps in attest inspect FILE: a log's promise (SET) or RFC 3161",
    repair:
      "Sign with a client that uses a timestamp authority; entries of Rekor v2 carry no time " +
      "of their own",
    example: "A Rekor v2 bundle without timestampVerificationData",
  },
  "untrusted-timestamp-authority": {
    layer: "timestamp",
    cause: "The timestamp is by an authority that the trusted roots do not have",
    check:
      "openssl ts -reply -in TIMESTAMP -text: TSA, against timestampAuthorities of the trusted root",
    repair: "Give a trusted root that has it: --trusted-root FILE",
    example: "A timestamp by a public authority that the instance does not list",
  },
  "invalid-tuf-signature": {
    layer: "trust",
    cause: "Metadata of the TUF repository is not signed by enough of the keys that the root " +
      "names for it; a key counts once, whatever ids it has",
    check: "jq '.signatures[].keyid' FILE, against .signed.roles and .signed.keys of root.json",
    repair: "Try again later or from another network; nothing was replaced. A new root needs the " +
      "signatures of the old and of the new keys",
    example: "2.root.json is signed by the new keys only",
  },
  "malformed-tuf-metadata": {
    layer: "trust",
    cause: "Metadata of the TUF repository is not of its form: a field is missing, occurs twice " +
      "or is of another kind, or a key does not have its id",
    check: "The field that path names; is the address that of a TUF repository",
    repair: "Correct --tuf-url, or give the root.json of that repository with --tuf-root",
    example: "The address answers with a page of HTML in place of timestamp.json",
  },
  "tuf-expired": {
    layer: "trust",
    cause: "Metadata of the TUF repository has expired: it is no longer kept up, or somebody " +
      "shows old files so that news do not arrive (a freeze)",
    check: "date -u, against .signed.expires of the file that the message names",
    repair: "Set the clock right, or try again later or from another network; what is in the " +
      "cache stays as it is",
    example: "A mirror that has not been fed for two weeks",
  },
  "tuf-rollback": {
    layer: "trust",
    cause: "The TUF repository shows metadata that is older than what was already seen",
    check: "jq .signed.version of the file in the message, there and in the cache",
    repair: "Try again later or from another network; if the repository was made anew, a root " +
      "that replaces the online keys lifts this",
    example: "A mirror serves the timestamp.json of last week",
  },
  "tuf-target-mismatch": {
    layer: "trust",
    cause: "A file of the TUF repository does not have the length or the digest that its signed " +
      "metadata states",
    check: "sha256sum FILE, against .signed.targets of targets.json",
    repair: "Try again later: it may be in the middle of a publication, or was tampered with",
    example: "trusted_root.json was exchanged at the mirror",
  },
  "tuf-target-not-found": {
    layer: "trust",
    cause: "The signed metadata of the TUF repository names no file of that name, neither itself " +
      "nor by a role that it delegates the name to",
    check: "jq '.signed.targets | keys' of targets.json",
    repair: "Ask for a name that is there; names are compared letter by letter",
    example: "A repository without trusted_root.json, as it serves something else",
  },
  "tuf-version-mismatch": {
    layer: "trust",
    cause: "A metadata file is not the one that the file above it names: another version, " +
      "length or digest, or none is named",
    check: "jq .signed.meta of timestamp.json and snapshot.json, against the file in the message",
    repair: "Try again later: the publication may be incomplete, or files of several are mixed",
    example: "3.root.json is served where 2.root.json is due",
  },
  "conflicting-build-fact": {
    layer: "generation",
    cause: "The environment, the event file, the identity token and what was given by hand tell " +
      "different things about one build",
    check: "The two values in the message, and which step sets the one that is wrong",
    repair: "Remove what overrides the platform's own variables; a token of another job or " +
      "repository must not be passed on. Commit or discard changes before a local build",
    example: "GITHUB_REPOSITORY is acme/app, the token is of acme/other",
  },
  "malformed-build-fact": {
    layer: "generation",
    cause: "A variable or claim has a value that its meaning does not allow: control " +
      "characters, a commit that is no 40 or 64 hex digits, a ref that git would refuse",
    check: "env | cat -A | grep NAME, with the name in the message",
    repair: "Leave the platform's own variables as they are; nothing was written",
    example: "GITHUB_REF with a line break, by which another variable was to be set",
  },
  "missing-build-fact": {
    layer: "generation",
    cause: "What provenance must tell is known neither from the environment nor from the token, " +
      "nor was it given; all that is missing is in the message",
    check: "env: is the step inside the job, and does a container get the job's variables",
    repair: "Pass the named variables on to the step, or give the facts by option",
    example: "Google Cloud Build without automapSubstitutions: COMMIT_SHA is not set",
  },
  "unknown-build-environment": {
    layer: "generation",
    cause: "No variable shows on which platform this build runs, so nothing is known of it",
    check: "env: the names in the message are what was looked for",
    repair: "Name the platform; a build on one's own machine must be called local",
    example: "attest provenance app.tgz on a laptop",
  },

  "audience-mismatch": {
    layer: "identity",
    cause: "The identity token is for somebody else than the certificate authority; it would be " +
      "refused there, and sending it would hand it to a stranger",
    check: "The aud claim in the message, against the audience of the instance (sigstore)",
    repair: "Ask the platform for a token for that audience; GitLab CI: id_tokens, aud: sigstore",
    example: "CIRCLE_OIDC_TOKEN_V2, whose audience is always the organization",
  },
  "device-flow-failed": {
    layer: "identity",
    cause: "Nobody identified at the issuer: the code expired, was denied, or the issuer does " +
      "not let devices in this way",
    check: "The message; was the page opened and the code confirmed in time",
    repair: "Run it again and confirm the code that is shown; or give a token from elsewhere",
    example: "The browser was closed before the account was chosen",
  },
  "identity-token-expired": {
    layer: "identity",
    cause: "The identity token was valid until a time that has passed",
    check: "date -u, against the time in the message",
    repair: "Ask for the token right before signing: those of CI live for minutes",
    example: "A token from the start of a job that builds for an hour",
  },
  "malformed-identity-token": {
    layer: "identity",
    cause: "The identity token is no signed JWT of the strict form, lacks a claim that signing " +
      "needs, or is valid only in the future",
    check: "Whether the file or variable holds the token alone, without quotes or a header",
    repair: "Pass on the token as the platform gave it; set the clock right",
    example: "The answer of the platform as JSON in place of the token in it",
  },
  "missing-identity-token": {
    layer: "identity",
    cause: "Nothing says who signs: no token was given, and the platform of the build gives none",
    check: "The permissions of the job (GitHub Actions: id-token: write; GitLab CI: id_tokens)",
    repair: "Grant the job an identity token, give one in SIGSTORE_ID_TOKEN, or sign with a key",
    example: "A workflow of GitHub Actions without permissions: id-token: write",
  },

  "malformed-response": {
    layer: "signing",
    cause: "A service answered with something that cannot be read: not its JSON or DER, or cut " +
      "short on the way",
    check: "curl -i ADDRESS: is it the service, or a proxy's page in its place",
    repair: "Correct the address (of a service: in the signing configuration), or try again " +
      "later; nothing was written",
    example: "A captive portal answers the request for a certificate with a page of HTML",
  },
  "malformed-signing-config": {
    layer: "signing",
    cause: "The signing configuration is not of its form: another media type, an address that " +
      "is no URL, or a validity without a start",
    check: "jq .mediaType signing_config.json: it must be " +
      "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    repair: "Fetch it again from the instance; version 0.1 is too old to be read",
    example: "trusted_root.json is given where signing_config.json is due",
  },
  "produced-invalid": {
    layer: "signing",
    cause: "What was signed did not verify against the trusted root and is thrown away; the " +
      "cause says which check failed",
    check: "The next line of the message; then, do the trusted root and the signing " +
      "configuration belong to the same instance",
    repair: "Give the trusted root of the instance that signs, and a clock that is right",
    example: "The log's key was replaced, and the trusted root on disk is from before",
  },
  "response-mismatch": {
    layer: "signing",
    cause: "A service answered for something else than what it was asked: another key, " +
      "identity, nonce, signature or log entry, or with proof that is not trusted",
    check: "The next line of the message; which service, and is the address really its own",
    repair: "Do not use that service; if only the trusted root is old, refresh it",
    example: "The timestamp that came back has another nonce than the request",
  },
  "service-refused": {
    layer: "signing",
    cause: "A service refused the request, or would have sent it elsewhere; it will do so again",
    check: "The status and the words in the message; when signing, 401 and 403 are about the " +
      "identity token",
    repair: "Grant the job what it lacks (GitHub Actions: permissions, id-token: write), or " +
      "correct the address",
    example: "400: There was an error processing the identity token",
  },
  "service-unavailable": {
    layer: "signing",
    cause: "A service gave no answer in time, was overloaded or failed, also when asked again",
    check: "curl -i ADDRESS, and the page on which the instance reports its state",
    repair: "Run it again later; nothing was written, so nothing has to be undone",
    example: "The transparency log answers with 503 for a quarter of an hour",
  },
  "unsatisfied-signing-config": {
    layer: "signing",
    cause: "The signing configuration names too few services that are valid now, of a version " +
      "that is known, by different operators",
    check: "jq '.caUrls, .rekorTlogUrls, .tsaUrls, .rekorTlogConfig, .tsaConfig' " +
      "signing_config.json: validity, version, selector and count",
    repair: "Fetch a current one; a log of version 2 also needs a timestamp authority, as it " +
      "tells no time",
    example: "EXACT with a count of 2, and both logs are run by one operator",
  },

  "attestation-too-old": {
    layer: "policy",
    cause: "The verified time of signing is longer ago than the policy accepts",
    check: "timestamps of the attestation in the report, against maxAge of the requirement",
    repair: "Attest the artifact again, or accept a longer age",
    example: "freshness asks for P30D, the log included the entry three months ago",
  },
  "attestations-disagree": {
    layer: "policy",
    cause: "Several attestations of the kind are there, and the policy wants more than one that " +
      "holds",
    check: "The parts of the requirement in the report: one for each attestation",
    repair: "Withdraw the attestation that is wrong, or set conflict to what is meant",
    example: "conflict is all, and one of two scans of the image finds a critical vulnerability",
  },
  "cel-error": {
    layer: "policy",
    cause: "A CEL expression failed, gave no boolean, or needed more steps than are allowed",
    check: "The message of the engine in the check, and the type of each value that is named",
    repair: "Guard the value with has(), or say the same with a condition under where",
    example: "statement.predicate.count > 1, where count is a text",
  },
  "chain-not-met": {
    layer: "policy",
    cause: "A dependency that the policy follows is no artifact that passed the rule in this run",
    check: "The dependencies of the attestation, against the artifacts that were given",
    repair: "Verify the dependency together with what is made from it",
    example: "The image lists app.bin, and only the image was given",
  },
  "condition-error": {
    layer: "policy",
    cause: "A value is of another type than the condition, or the form of a predicate is not known",
    check: "The path in the check, and the value there: attest inspect FILE",
    repair: "Correct the condition or what makes the attestation; a rule that cannot be judged " +
      "has failed",
    example: "matches is for texts, and there is a list at the path",
  },
  "condition-not-met": {
    layer: "policy",
    cause: "A value in the Statement is not what a condition of the policy wants, or is not there",
    check: "expected, actual and path of the check",
    repair: "Produce an attestation that says so, or change the condition",
    example: "equals wants main, the attestation says feature/x",
  },
  "covered-path-removed": {
    layer: "policy",
    cause: "A path that a gate rule covers was removed or renamed, and the rules refuse that",
    check: "The path in the report, and the paths that were added in the same change",
    repair: "Put the file back, change the rules first in a change of their own, or leave out " +
      "removed: refused",
    example: "dist/app.js is renamed to other/app.js, where no rule asks for an attestation",
  },
  "coverage-not-accepted": {
    layer: "policy",
    cause: "The signatures cover less, or something else, than the policy asks for",
    check: "coverage in the check, against coverage of the requirement",
    repair: "Use a format whose signatures cover what you need, or accept this coverage",
    example: "whole-artifact is wanted, a JAR's signatures cover its entries",
  },
  "dependency-not-allowed": {
    layer: "policy",
    cause: "A dependency comes from none of the sources that the policy allows, or has no address",
    check: "uri of the dependencies, against the patterns of allowed",
    repair: "Build from an allowed source, or add a pattern for this one",
    example: "pkg:npm/** is allowed, the build took https://example.com/patch.tgz",
  },
  "digest-algorithm-not-accepted": {
    layer: "policy",
    cause: "The artifact is known by no digest of an algorithm that the policy accepts",
    check: "digest of the subject, against digestAlgorithms of the requirement",
    repair: "Have the subject stated with an accepted algorithm",
    example: "The subject has sha256 only, the policy wants sha512",
  },
  "fields-differ": {
    layer: "policy",
    cause: "Values that must be equal across attestations are not",
    check: "Both values in the check, and the requirements that they belong to",
    repair: "Attest what belongs together; a bill of materials of another commit is of no use",
    example: "The commit of the SBOM is not the commit of the provenance",
  },
  "forbidden-dependency": {
    layer: "policy",
    cause: "A dependency is one that the policy forbids",
    check: "uri and name of the dependencies, against the patterns of forbidden",
    repair: "Build without it",
    example: "pkg:npm/event-stream@** is forbidden, and a dependency of the build",
  },
  "forbidden-package": {
    layer: "policy",
    cause: "The bill of materials lists a package that the policy forbids",
    check: "packages of the SBOM, against forbidden of the rule",
    repair: "Ship without the package, or in a version that is not forbidden",
    example: "pkg:npm/left-pad@1.0.0 is forbidden and listed",
  },
  "format-not-accepted": {
    layer: "policy",
    cause: "The attestation or bill of materials is of a format that the policy does not accept",
    check: "attest inspect FILE, against formats of the rule",
    repair: "Store it in an accepted format, or accept this one",
    example: "Only sigstore-bundle is accepted, and the file is a bare DSSE envelope",
  },
  "insufficient-log-entries": {
    layer: "policy",
    cause: "Fewer logs include the attestation than the policy wants",
    check: "logEntries of the attestation in the report",
    repair: "Sign with a signing configuration that names enough logs",
    example: "log is 1, and the envelope was signed with a key and never logged",
  },
  "insufficient-signers": {
    layer: "policy",
    cause: "Fewer distinct signers signed than the policy wants; a key under two names is one",
    check: "signers in the report, against threshold of signedBy",
    repair: "Have it signed by more of those who are named",
    example: "Two of the release managers must sign, one has",
  },
  "insufficient-timestamps": {
    layer: "policy",
    cause: "The attestation has fewer verified times than the policy wants, or none to judge " +
      "its age by",
    check: "timestamps of the attestation in the report",
    repair: "Sign with a signing configuration that names a timestamp authority or a log that " +
      "tells time",
    example: "freshness is asked of an envelope that was signed with a key alone",
  },
  "malformed-gate-rules": {
    layer: "policy",
    cause: "The document that tells what changed paths stand for is not of its form",
    check: "The path in the message, against docs/schema/gate-rules.schema.json",
    repair: "Give each rule an id, paths, and one of artifact, urn and ignored",
    example: "A pattern of paths that begins with /, or {2} with one wildcard",
  },
  "malformed-policy": {
    layer: "policy",
    cause: "A policy document is not of its form, or asks for something that cannot be",
    check: "attest policy check FILE lists every problem with its path",
    repair: "Correct the member at the path; unknown members and misspelt operators are refused",
    example: "threshold is 3, and the group has two keys",
  },
  "malformed-policy-tests": {
    layer: "policy",
    cause: "A table of cases for a policy is not of its form, or names files outside of its folder",
    check: "The path in the message: it leads to the member that is wrong",
    repair: "Correct the table; its schema says what it may have",
    example: "A case that does not say whether it should pass",
  },
  "malformed-report": {
    layer: "policy",
    cause: "A stored report is not of its form, or lacks what a policy has to know",
    check: "Whether it was made with --policy or --with-evidence, in the format json",
    repair: "Make the report again with --format json and --with-evidence",
    example: "A report of an earlier version that has no evidence beside its attestations",
  },
  "malformed-revocation-list": {
    layer: "policy",
    cause: "The payload of a signed revocation list is not of its form",
    check: "The path in the message, against docs/schema/revocation-list.schema.json",
    repair: "Make the list anew; each entry has a key by its SHA-256, a time and a reason",
    example: "Two entries about the same key, or an end that is before the time of issue",
  },
  "malformed-waivers": {
    layer: "policy",
    cause: "A file of waivers is not of its form, not signed by those whom the policy names, or " +
      "for another policy",
    check: "The next line of the message, and waiverSigners of the policy",
    repair: "Correct the file and have it signed again",
    example: "A waiver without an end date",
  },
  "message-type-not-signed": {
    layer: "policy",
    cause: "The policy wants the type of the message to be signed, and the format does not sign it",
    check: "The format in the check, against docs/formats.md",
    repair: "Use DSSE, a Sigstore bundle, or a JWS with cty in its protected header",
    example: "A PASETO token, whose message is only known by its content",
  },
  "missing-attestation": {
    layer: "policy",
    cause: "No attestation of the kind that a requirement asks for is there for the artifact",
    check: "What was found and refused, in the message; predicateTypes of the requirement",
    repair: "Give or attach the attestation, or correct predicateTypes",
    example: "An SBOM is required, and only provenance was found",
  },
  "missing-dependency": {
    layer: "policy",
    cause: "The attestation states fewer dependencies than the policy wants",
    check: "resolvedDependencies or materials of the predicate",
    repair: "Have the build state what it took",
    example: "min is 1, and the list of materials is empty",
  },
  "missing-package": {
    layer: "policy",
    cause: "The bill of materials lists too few packages, or not one that the policy requires",
    check: "packages of the SBOM, against required and min of the rule",
    repair: "Make the SBOM of what is shipped, with all its packages",
    example: "pkg:generic/openssl is required and not listed",
  },
  "policy-expired": {
    layer: "policy",
    cause: "The policy has reached the moment until which it was to be used",
    check: "expires of the policy, and the clock here",
    repair: "Review the policy and give it a later end",
    example: "expires is 2026-01-01T00:00:00Z, and it is May",
  },
  "requirement-not-met": {
    layer: "policy",
    cause: "A requirement has fewer attestations that hold than it wants, for several reasons",
    check: "The parts of the requirement in the report: one for each attestation",
    repair: "Repair the first attestation that should have held",
    example: "count is 2, and one attestation holds",
  },
  "revocation-list-expired": {
    layer: "policy",
    cause: "The signed revocation list ended before now, or is of a time that is not yet",
    check: "issuedAt and expires of the payload, and the clock",
    repair: "Get the current list from whoever signs it; who withholds it could hide a revocation",
    example: "A list of last month that was to be used for a week",
  },
  "revocation-list-rollback": {
    layer: "policy",
    cause: "The signed revocation list is older than one that was seen already",
    check: "sequence of the payload, and the least one that was asked for",
    repair: "Get the current list; an old one would make revoked keys count again",
    example: "Sequence 41 from a mirror, after 42 was used",
  },
  "scan-too-old": {
    layer: "policy",
    cause: "The scan, or the database of the scanner, is older than the policy accepts",
    check: "The times in the scan's metadata, against maxAge and maxDatabaseAge",
    repair: "Scan again with a current database",
    example: "maxAge is P7D, the scan ended a month ago",
  },
  "scanner-mismatch": {
    layer: "policy",
    cause: "The scan was made by a scanner that the policy does not accept",
    check: "uri of the scanner, against the patterns of scanners",
    repair: "Scan with an accepted scanner, or accept this one",
    example: "Only https://github.com/aquasecurity/** is accepted",
  },
  "severity-too-high": {
    layer: "policy",
    cause: "The scan found a vulnerability that is worse than the policy accepts",
    check: "The findings in the check; one without a known severity counts as critical",
    repair: "Update the package, or add an exception with a reason and an end date",
    example: "maxSeverity is medium, and a high one was found",
  },
  "signer-mismatch": {
    layer: "policy",
    cause: "None of the signers is one whom the policy names for the requirement",
    check: "Who signed, in the check, against signedBy and the names under trust",
    repair: "Have it signed by somebody who is named, or name the signer",
    example: "release must sign, and the key of a developer did",
  },
  "signers-not-distinct": {
    layer: "policy",
    cause: "One signer met two requirements that the policy wants from different signers",
    check: "signers of both attestations; a key under two names is one signer",
    repair: "Have one of the attestations signed by somebody else",
    example: "The build service signed the provenance and the review",
  },
  "subject-name-mismatch": {
    layer: "policy",
    cause: "The name of the matched subject is like none of the patterns of the policy",
    check: "name of the subject, against subjectNames of the requirement",
    repair: "Name the subject so when it is attested, or add a pattern",
    example: "*.tgz is wanted, the subject is named app.zip",
  },
  "unselected-artifact": {
    layer: "policy",
    cause: "No rule of the policy selects the artifact",
    check: "Name, digest, OCI repository or npm name of the artifact, against select of each rule",
    repair: "Add a rule that selects it, or set unselected to pass",
    example: "The rules select dist/*.tgz, and build/app.zip was given",
  },
  "unversioned-package": {
    layer: "policy",
    cause: "A package of the bill of materials has no version, and the policy wants one of each",
    check: "The package in the check",
    repair: "Have the generator of the SBOM state versions",
    example: "versions is true, and a package says NOASSERTION",
  },
  "weak-algorithm": {
    layer: "policy",
    cause: "No signature is by an algorithm and a size of key that the policy accepts",
    check: "Algorithm and size in the check, against algorithms and minKeyBits",
    repair: "Sign with a stronger key",
    example: "RSA of 3072 bits is wanted, the key has 2048",
  },
};
