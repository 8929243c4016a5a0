import type { Bytes } from "../../internal/bytes.ts";
import { ByteReader, malformedBlock } from "./_byte_reader.ts";

/** A scheme of signatures in a signing block. */
export interface ApkScheme {
  /** Its name. */
  readonly name: "v2" | "v3" | "v3.1";
  /** Its id in the block. */
  readonly id: number;
  /** Whether its signers are for a range of Android versions. */
  readonly hasSdk: boolean;
}

/** The schemes that are verified, oldest first. */
export const APK_SCHEMES: readonly ApkScheme[] = [
  { name: "v2", id: 0x7109871a, hasSdk: false },
  { name: "v3", id: 0xf05368c0, hasSdk: true },
  { name: "v3.1", id: 0x1b93ad61, hasSdk: true },
];

/** Something with the id of the signature algorithm that it belongs to. */
export interface ByAlgorithm {
  /** Id of the algorithm. */
  readonly id: number;
  /** A digest, or a signature. */
  readonly value: Bytes;
}

/** Versions of Android's API, both included. */
export interface SdkRange {
  /** First one. */
  readonly min: number;
  /** Last one. */
  readonly max: number;
}

/** A signer of an APK, read and not verified. */
export interface ApkSigner {
  /** Scheme that it stands under. */
  readonly scheme: ApkScheme;
  /** What its signatures are over. */
  readonly signed: Bytes;
  /** Digests of the content, in what is signed. */
  readonly digests: readonly ByAlgorithm[];
  /** Certificates, DER; the first is the signer's. */
  readonly certificates: readonly Bytes[];
  /** Android versions that it is for; undefined under v2. */
  readonly sdk?: SdkRange;
  /** Further attributes, in what is signed, by their ids. */
  readonly attributes: ReadonlyMap<number, Bytes>;
  /** Its signatures. */
  readonly signatures: readonly ByAlgorithm[];
  /** Its SubjectPublicKeyInfo. */
  readonly publicKey: Bytes;
}

/** Android reads as many. */
const MAX_SIGNERS = 10;
const MAX_PARTS = 32;

/**
 * Signers of one scheme.
 *
 * Source: Android, "APK Signature Scheme v2" and "v3", "Format".
 *
 * @throws {AttestationError} `malformed-signing-block`.
 */
export function readApkSigners(scheme: ApkScheme, block: Bytes): ApkSigner[] {
  const outer = new ByteReader(block);
  const list = new ByteReader(outer.part());
  outer.end("the list of signers");
  const signers = list.parts(MAX_SIGNERS, "signers").map((bytes) => readSigner(scheme, bytes));
  if (signers.length === 0) throw malformedBlock(`${scheme.name} has no signer`);
  return signers;
}

function readSigner(scheme: ApkScheme, bytes: Bytes): ApkSigner {
  const reader = new ByteReader(bytes);
  const signed = reader.part();
  const outside = scheme.hasSdk ? readSdk(reader) : undefined;
  const signatures = readByAlgorithm(reader.part(), "signatures");
  const publicKey = reader.part();
  reader.end("a signer");
  const inner = new ByteReader(signed);
  const digests = readByAlgorithm(inner.part(), "digests");
  const certificates = new ByteReader(inner.part()).parts(MAX_PARTS, "certificates");
  const sdk = scheme.hasSdk ? readSdk(inner) : undefined;
  const attributes = readAttributes(inner.part());
  refuseRest(inner, scheme);
  if (sdk?.min !== outside?.min || sdk?.max !== outside?.max) {
    throw malformedBlock("the Android versions of a signer are others than those that it signed");
  }
  if (sdk !== undefined && sdk.min > sdk.max) throw malformedBlock("a signer is for no version");
  if (certificates.length === 0) throw malformedBlock("a signer has no certificate");
  const ids = ({ id }: ByAlgorithm) => id;
  if (signatures.map(ids).join() !== digests.map(ids).join()) {
    throw malformedBlock("the algorithms of a signer are others than those that it signed");
  }
  return {
    scheme,
    signed,
    digests,
    certificates,
    attributes,
    signatures,
    publicKey,
    ...(sdk === undefined ? {} : { sdk }),
  };
}

/** apksigner ends what v2 signs in four zeros, which belong to no field. */
function refuseRest(reader: ByteReader, { hasSdk }: ApkScheme): void {
  const rest = reader.rest();
  if (rest.length === 0 || (!hasSdk && rest.length === 4 && rest.every((byte) => byte === 0))) {
    return;
  }
  throw malformedBlock("bytes behind what is signed");
}

function readSdk(reader: ByteReader): SdkRange {
  return { min: reader.u32(), max: reader.u32() };
}

function readByAlgorithm(bytes: Bytes, what: string): ByAlgorithm[] {
  const found = new ByteReader(bytes).parts(MAX_PARTS, what).map((one) => {
    const reader = new ByteReader(one);
    const entry = { id: reader.u32(), value: reader.part() };
    reader.end(`one of its ${what}`);
    return entry;
  });
  if (found.length === 0) throw malformedBlock(`a signer has no ${what}`);
  if (new Set(found.map(({ id }) => id)).size !== found.length) {
    throw malformedBlock(`a signer has two ${what} of one algorithm`);
  }
  return found;
}

function readAttributes(bytes: Bytes): Map<number, Bytes> {
  const attributes = new Map<number, Bytes>();
  for (const one of new ByteReader(bytes).parts(MAX_PARTS, "attributes")) {
    const reader = new ByteReader(one);
    const id = reader.u32();
    if (attributes.has(id)) throw malformedBlock("a signer has an attribute twice");
    attributes.set(id, reader.rest());
  }
  return attributes;
}
