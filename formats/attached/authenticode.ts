import { AttestationError, isAttestationError, type Reason } from "../../errors.ts";
import { type Bytes, equalBytes } from "../../internal/bytes.ts";
import {
  children,
  type Der,
  expectTag,
  parseDerPrefix,
  readOctetString,
  readOid,
  readSequence,
  Tag,
} from "../../internal/der.ts";
import { digest, type HashName } from "../../internal/digest.ts";
import { encodeHex } from "../../internal/hex.ts";
import { hashOf, type SignedData } from "../../sigstore/cms.ts";
import { isAuthenticode, isUefi } from "../_attached_marks.ts";
import type { FormatContext, FormatEnvelope, FormatModule, ParsedFormat } from "../format.ts";
import { artifactStatement } from "../statement.ts";
import type { FormatId } from "../format_id.ts";
import {
  asEnvelopeFault,
  type CmsRules,
  codeSigningMisuse,
  parseCms,
  statedSignatures,
  statedTime,
  unsignedTypes,
  verifyCms,
} from "./_cms.ts";
import { hashPe, parsePe, type PeImage } from "./_pe.ts";
import { efiRules, forbiddenImage } from "./efi_trust.ts";

/** A PE image with its signature, read and not verified. */
export interface AuthenticodeImage {
  /** The file. */
  readonly bytes: Bytes;
  /** What of it is not covered, and what it is for. */
  readonly image: PeImage;
  /** The signature; absent where there is none. */
  readonly signature?: {
    /** CMS. */
    readonly data: SignedData;
    /** SpcIndirectData as it was digested. */
    readonly message: Bytes;
    /** Hash function of the image; undefined if it is not accepted (SHA-1). */
    readonly hash: HashName | undefined;
    /** The image hash that it states. */
    readonly digest: Bytes;
  };
}

const Oid = {
  indirectData: "1.3.6.1.4.1.311.2.1.4",
  peImageData: "1.3.6.1.4.1.311.2.1.15",
  nestedSignature: "1.3.6.1.4.1.311.2.4.1",
  /** "Lifetime signing": with it a timestamp does not keep what has expired. */
  lifetime: "1.3.6.1.4.1.311.10.3.13",
} as const;

const WHAT = "Authenticode signature";

/**
 * Authenticode signatures of Windows programs and libraries (PE32 and PE32+): by whoever has a
 * certificate for signing code of an authority that you trust, or one of the trusted keys.
 *
 * What is signed is the image hash: every byte of the file but the checksum, the certificate
 * table and where it lies. Signatures nested in the first one are told and not verified.
 *
 * Source: Microsoft, Windows Authenticode Portable Executable Signature Format.
 */
export const authenticode: FormatModule = {
  id: "authenticode",
  layer: "attached",
  detect: isAuthenticode,
  parse: (bytes) => parseImage("authenticode", bytes),
  verify: ({ content }, context) => verifyImage("authenticode", content, context),
} satisfies FormatModule<AuthenticodeImage> as FormatModule;

/**
 * Signatures of UEFI Secure Boot: as those of Windows, in programs for EFI. With the firmware's
 * lists of signatures (`efi` of the trust) they are judged as firmware does: by `db`, at no
 * time and for any purpose, and `dbx` wins over `db`. Without the lists, as Authenticode.
 *
 * Source: UEFI Specification 2.10, 32.2 to 32.5.
 */
export const uefi: FormatModule = {
  id: "uefi",
  layer: "attached",
  detect: isUefi,
  parse: (bytes) => parseImage("uefi", bytes),
  verify: ({ content }, context) => verifyImage("uefi", content, context),
} satisfies FormatModule<AuthenticodeImage> as FormatModule;

function parseImage(format: FormatId, bytes: Uint8Array): ParsedFormat<AuthenticodeImage> {
  const own = new Uint8Array(bytes);
  const image = parsePe(own);
  const signature = image.pkcs7 === undefined ? undefined : readSignature(image.pkcs7);
  const nested = signature === undefined ? 0 : nestedCount(signature.data);
  return {
    format,
    ...(signature === undefined ? {} : { message: signature.message }),
    signatures: signature === undefined ? [] : statedSignatures(signature.data),
    facts: {
      image: `${image.is64 ? "PE32+" : "PE32"}, subsystem ${image.subsystem}`,
      ...(signature === undefined ? { signature: "none" } : {
        "image hash": `${signature.hash ?? "not accepted"} ${encodeHex(signature.digest)}`,
        ...statedTime(signature.data),
      }),
      ...(nested === 0 ? {} : { "nested signatures": String(nested) }),
    },
    content: { bytes: own, image, ...(signature === undefined ? {} : { signature }) },
  };
}

function readSignature(pkcs7: Bytes): NonNullable<AuthenticodeImage["signature"]> {
  return refusing(() => {
    const { element, rest } = parseDerPrefix(pkcs7);
    // The table's entries are aligned; whatever else is there is nobody's.
    if (rest.length >= 8 || rest.some((byte) => byte !== 0)) {
      throw failure("malformed-envelope", "data follow its signature");
    }
    const data = parseCms(element.raw, WHAT, 1);
    const { content, contentType } = data;
    if (contentType !== Oid.indirectData || content === undefined) {
      throw failure("unsupported-payload-type", `its content is of the type ${contentType}`);
    }
    if (data.signers.length !== 1) throw failure("malformed-envelope", "wanted one signer");
    return { data, message: content.value, ...readIndirectData(content) };
  });
}

/** SpcIndirectDataContent: what kind of thing is signed, and its digest. */
function readIndirectData(content: Der): { hash: HashName | undefined; digest: Bytes } {
  const fields = readSequence(content);
  const [type, ...rest] = children(fields.next(Tag.sequence), 2);
  const info = readSequence(fields.next());
  fields.end();
  if (type === undefined || rest.length !== 1) throw failure("malformed-envelope", "no data type");
  expectTag(rest[0], Tag.sequence);
  const kind = readOid(type);
  // A list of page hashes alone covers what is mapped, not the file.
  if (kind !== Oid.peImageData) {
    throw failure("unsupported-payload-type", `it is of ${kind}, wanted the hash of a PE image`);
  }
  const hash = hashOf(info.next());
  const value = readOctetString(info.next());
  info.end();
  return { hash, digest: value };
}

function nestedCount(data: SignedData): number {
  return unsignedTypes(data).filter((one) => one === Oid.nestedSignature).length;
}

async function verifyImage(
  format: FormatId,
  { bytes, image, signature }: AuthenticodeImage,
  context: FormatContext,
): Promise<FormatEnvelope> {
  const efi = format === "uefi" ? context.efi : undefined;
  const nested = signature === undefined ? 0 : nestedCount(signature.data);
  const base = {
    format,
    coverage: "artifact-sections",
    uncovered: image.uncovered,
    unauthenticated: nested === 0 ? {} : { nestedSignatures: nested },
    proofs: [],
  } as const;
  if (signature === undefined) {
    const refusal = failure("missing-signatures", "the image has none");
    return { ...base, signers: [], refusal };
  }
  const { data, message } = signature;
  const rules: CmsRules = {
    what: WHAT,
    contentType: Oid.indirectData,
    digest: (hash) => digest(hash, message),
    misuse: (certificate) => efi === undefined ? codeSigningMisuse(certificate, true) : undefined,
    ends: ({ extendedKeyUsage }) => extendedKeyUsage?.purposes.includes(Oid.lifetime) === true,
    ...(efi === undefined ? {} : efiRules(efi)),
  };
  const signers = await verifyCms(data, rules, context);
  const refusal = await imageRefusal(bytes, image, signature) ??
    (efi === undefined
      ? undefined
      : await forbiddenImage(efi, (hash) => hashPe(bytes, image, hash)));
  return {
    ...base,
    message,
    messageType: { value: Oid.indirectData, authenticated: true },
    statement: await artifactStatement(bytes, true),
    signers,
    ...(refusal === undefined ? {} : { refusal }),
  };
}

async function imageRefusal(
  bytes: Bytes,
  image: PeImage,
  { hash, digest: stated }: NonNullable<AuthenticodeImage["signature"]>,
): Promise<AttestationError | undefined> {
  if (hash === undefined) {
    return failure("unsupported-algorithm", "the hash function of the image is not accepted");
  }
  if (!equalBytes(await hashPe(bytes, image, hash), stated)) {
    return failure("content-digest-mismatch", "the signed image hash is not that of the file");
  }
}

function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw isAttestationError(cause) ? asEnvelopeFault(cause, WHAT) : cause;
  }
}

function failure(reason: Reason, what: string): AttestationError {
  return new AttestationError(reason, `Cannot verify ${WHAT}: ${what}`);
}
