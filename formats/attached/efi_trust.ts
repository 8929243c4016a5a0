import { AttestationError } from "../../errors.ts";
import { type Bytes, equalBytes } from "../../internal/bytes.ts";
import { digest, type HashName } from "../../internal/digest.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { verifySignature } from "../../keys/public_key.ts";
import { type Certificate, parseCertificate } from "../../sigstore/certificate.ts";
import { findPaths } from "../../sigstore/chain.ts";
import type { TrustedAuthority } from "../../sigstore/trusted_root.ts";
import type { CmsRules } from "./_cms.ts";
import { type EfiSignatureKind, parseEfiSignatureLists } from "./efi_signature_list.ts";

/** Options of {@linkcode createEfiTrust}. Unknown names are refused. */
export interface EfiTrustOptions {
  /** EFI signature lists of what is trusted: `db`. At least one certificate. */
  db: readonly Uint8Array[];
  /** EFI signature lists of what is refused: `dbx`. Default: nothing. */
  dbx?: readonly Uint8Array[];
}

/** What firmware trusts and refuses. */
export interface EfiTrust {
  /** Certificates of `db`, each an anchor by itself. */
  readonly db: readonly TrustedAuthority[];
  /** What `dbx` refuses. */
  readonly dbx: {
    /** Certificates, and with them all that they issued. */
    readonly certificates: readonly Certificate[];
    /** Digests of what was signed of certificates (TBSCertificate). */
    readonly certificateDigests: readonly EfiDigest[];
    /** Image hashes. */
    readonly images: readonly EfiDigest[];
  };
}

/** One digest of `dbx`. */
export interface EfiDigest {
  /** Hash function. */
  readonly hash: "SHA-256" | "SHA-384" | "SHA-512";
  /** The digest. */
  readonly digest: Uint8Array;
}

const EVER = { start: new Date(-8.64e15) };

const IMAGES: Partial<Record<EfiSignatureKind, HashName>> = {
  "sha256": "SHA-256",
  "sha384": "SHA-384",
  "sha512": "SHA-512",
};
const CERTIFICATES: Partial<Record<EfiSignatureKind, HashName>> = {
  "x509-sha256": "SHA-256",
  "x509-sha384": "SHA-384",
  "x509-sha512": "SHA-512",
};

/**
 * Makes the trust of UEFI Secure Boot from the firmware's lists of signatures.
 *
 * Of `db` only certificates count: a digest in it says nothing of a signer. Of `dbx` everything
 * counts, at any time: the time from which a certificate's digest is refused is not looked at.
 * It is compared with the certificates that come with an image, and with those of its path to `db`.
 *
 * Source: UEFI Specification 2.10, 32.4.1 and 32.5.3.
 *
 * @throws {AttestationError} `malformed-signature-list`, `malformed-certificate`,
 * `limit-exceeded`, or `unsupported-algorithm` if `dbx` holds what cannot be compared.
 * @throws {TypeError} If `db` has no certificate, or an option is unknown.
 *
 * @example
 * ```ts
 * import { createEfiTrust } from "@x/attest/formats/attached";
 * import assert from "node:assert/strict";
 *
 * assert.throws(() => createEfiTrust({ db: [] }), TypeError);
 * ```
 */
export function createEfiTrust(options: EfiTrustOptions): EfiTrust {
  refuseUnknown(options, ["db", "dbx"], "createEfiTrust()");
  const { db, dbx = [] } = options;
  const authorities = db.flatMap((bytes) => parseEfiSignatureLists(bytes))
    .filter(({ kind }) => kind === "x509")
    .flatMap(({ signatures }) => signatures.map(({ data }) => parseCertificate(data)))
    .map((certificate): TrustedAuthority => ({
      uri: "",
      operator: "",
      chain: [certificate],
      validFor: EVER,
    }));
  if (authorities.length === 0) throw new TypeError("db has no certificate");
  const certificates: Certificate[] = [];
  const certificateDigests: EfiDigest[] = [];
  const images: EfiDigest[] = [];
  for (const { kind, type, signatures } of dbx.flatMap((one) => parseEfiSignatureLists(one))) {
    const image = IMAGES[kind], certificate = CERTIFICATES[kind];
    if (kind !== "x509" && image === undefined && certificate === undefined) {
      throw new AttestationError(
        "unsupported-algorithm",
        `Cannot use dbx: it refuses by ${kind} (${type}), which is not compared here`,
      );
    }
    for (const { data } of signatures) {
      if (image !== undefined) images.push({ hash: image, digest: data });
      else if (certificate === undefined) certificates.push(parseCertificate(data));
      // The time of revocation follows the digest.
      else {certificateDigests.push({
          hash: certificate,
          digest: data.subarray(0, data.length - 16),
        });}
    }
  }
  return { db: authorities, dbx: { certificates, certificateDigests, images } };
}

/** How firmware judges the certificates of a signature. */
export function efiRules({ db, dbx }: EfiTrust): Pick<CmsRules, "trust" | "forbid"> {
  return {
    async forbid(certificates, leaf) {
      const isComparable = leaf !== undefined ||
        dbx.certificates.length + dbx.certificateDigests.length === 0;
      if (!isComparable) {
        throw forbidden("it brings no certificate that dbx could be compared with");
      }
      for (const certificate of certificates) {
        if (await isForbidden(certificate, dbx)) {
          throw forbidden("dbx has a certificate of its signer, or the issuer of one");
        }
      }
    },
    // At no time and for any purpose: firmware has no clock to be believed.
    async trust([leaf, ...others]) {
      for (const { certificates } of await findPaths(leaf, others, db)) {
        const verdicts = certificates.map((one) => isForbidden(one, dbx));
        if (!(await Promise.all(verdicts)).includes(true)) return;
      }
      throw forbidden("dbx has a certificate of every path to db, or the issuer of one");
    },
  };
}

/** `dbx` has the certificate's key (in it or in another), its digest, or whoever issued it. */
async function isForbidden(certificate: Certificate, dbx: EfiTrust["dbx"]): Promise<boolean> {
  for (const one of dbx.certificates) {
    if (
      one.publicKey.fingerprint === certificate.publicKey.fingerprint ||
      (equalBytes(one.subject, certificate.issuer) && await isIssuer(one, certificate))
    ) return true;
  }
  return await hasDigest(dbx.certificateDigests, (hash) => digest(hash, certificate.tbs));
}

async function isIssuer(
  { publicKey }: Certificate,
  { scheme, signature, tbs }: Certificate,
): Promise<boolean> {
  return scheme === undefined || await verifySignature(publicKey, scheme, signature, tbs);
}

/** Why an image is refused by its hash, or undefined. */
export async function forbiddenImage(
  { dbx }: EfiTrust,
  hashOf: (hash: HashName) => Promise<Bytes>,
): Promise<AttestationError | undefined> {
  return await hasDigest(dbx.images, hashOf) ? forbidden("dbx has its image hash") : undefined;
}

async function hasDigest(
  digests: readonly EfiDigest[],
  compute: (hash: HashName) => Promise<Bytes>,
): Promise<boolean> {
  for (const hash of new Set(digests.map((one) => one.hash))) {
    const computed = await compute(hash);
    if (digests.some((one) => one.hash === hash && equalBytes(one.digest, computed))) return true;
  }
  return false;
}

function forbidden(what: string): AttestationError {
  return new AttestationError("forbidden-by-dbx", `Cannot accept image: ${what}`);
}
